//! Data on the edge, and input that is none.

use approx::{assert_abs_diff_eq, assert_relative_eq};
use ltv_engine::btyd::contractual::Status;
use ltv_engine::btyd::renewals::Survivors;
use ltv_engine::btyd::{Family, Renewals};
use ltv_engine::{Error, btyd::fit_contractual};

use crate::{fit, fit_survivors, go_on, of_survivors, sample};

const BOTH: [Family; 2] = [Family::BetaGeometric, Family::BetaDiscreteWeibull];

#[test]
fn there_is_no_curve_where_nothing_speaks_for_one() {
    for family in BOTH {
        for (survivors, status) in [
            (&[50.0, 50.0, 50.0, 50.0][..], Status::NoChurn),
            (&[50.0][..], Status::NoChurn),
            (&[50.0, 0.0][..], Status::NobodyRenews),
            (&[50.0, 0.0, 0.0, 0.0][..], Status::NobodyRenews),
            (&[50.0, 40.0][..], Status::TooFewRenewals),
        ] {
            let fit = fit_survivors(survivors, family);
            assert_eq!(fit.status, status, "{survivors:?}");
            assert!(!fit.has_curve() && fit.retention(3, 0.95).unwrap().is_empty());
            assert_eq!(fit.conditional_renewal(1.0, 1.0), None);
            assert_ne!(fit.remark(), "ok");
        }
    }
    assert_eq!(fit_survivors(&[50.0, 40.0, 35.0], Family::BetaDiscreteWeibull).status, Status::TooFewRenewals);
    assert_eq!(fit_survivors(&[50.0, 40.0, 35.0], Family::BetaGeometric).status, Status::Converged);
}

#[test]
fn customers_who_do_not_differ_renew_at_one_rate() {
    // Four in five renew, always; and retention that falls, as that of no mixture does.
    for survivors in [&[10000.0, 8000.0, 6400.0, 5120.0, 4096.0][..], &[1000.0, 900.0, 700.0, 400.0][..]] {
        let fit = fit_survivors(survivors, Family::BetaGeometric);
        assert_eq!(fit.status, Status::Homogeneous);
        let (came, lost): (f64, f64) = (fit.renewals.at_risk.iter().sum(), fit.renewals.churned());
        let rate = 1.0 - lost / came;
        for made in [0.0, 3.0, 30.0] {
            assert_relative_eq!(fit.conditional_renewal(made, 1.0).unwrap(), rate, max_relative = 1e-6);
        }
        // The geometric likelihood, and its standard error of ln r: √((1 − r) / (n r)).
        let expected = (came - lost) * rate.ln() + lost * (1.0 - rate).ln();
        assert_relative_eq!(fit.log_likelihood, expected, max_relative = 1e-8);
        let curve = fit.curve();
        let error = ((1.0 - rate) / (came * rate)).sqrt();
        assert_relative_eq!(curve.log_variance_at(1.0).unwrap().sqrt(), error, max_relative = 1e-5);
        assert_relative_eq!(curve.log_variance_at(7.0).unwrap().sqrt(), 7.0 * error, max_relative = 1e-5);
        assert_eq!((fit.log_estimate(0), fit.log_estimate(1), fit.estimated), (None, None, 1));
        assert_relative_eq!(curve.mean().unwrap(), 1.0 / (1.0 - rate), max_relative = 1e-5);
    }
    // With a shape the chance falls as it does in the data: S(k) = (1 − θ)^(k^c).
    let survivors: Vec<f64> = (0..9).map(|k| 1e6 * 0.9f64.powf(f64::from(k).powf(1.5))).collect();
    let fit = fit_survivors(&survivors, Family::BetaDiscreteWeibull);
    assert_eq!(fit.status, Status::Homogeneous);
    assert_abs_diff_eq!(fit.log_estimate(2).unwrap().0.exp(), 1.5, epsilon = 1e-4);
}

#[test]
fn who_renews_once_never_leaves() {
    let fit = fit_survivors(&[1000.0, 600.0, 600.0, 600.0, 600.0], Family::BetaGeometric);
    assert_eq!(fit.status, Status::Polarised);
    assert_relative_eq!(fit.conditional_renewal(0.0, 1.0).unwrap(), 0.6, max_relative = 1e-6);
    assert_relative_eq!(fit.conditional_renewal(1.0, 30.0).unwrap(), 1.0, max_relative = 1e-6);
    assert_eq!(fit.curve().mean(), None);
}

#[test]
fn all_gone_in_the_end() {
    for family in BOTH {
        let fit = fit_survivors(&[100.0, 60.0, 30.0, 10.0, 0.0], family);
        assert!(fit.has_curve() && fit.log_likelihood.is_finite(), "{fit:?}");
    }
}

#[test]
fn rows_between_renewals_have_their_place() {
    // Gone after 2.5 is not there at the third; seen at 2.5 has made two.
    let between =
        sample(&[(0.0, 2.5, true, 4.0), (0.0, 2.5, false, 5.0), (0.0, 1.0, true, 3.0), (0.0, 3.0, false, 2.0)]);
    let counts = Renewals::of_sample(&between, 1.0).unwrap();
    assert_eq!(counts.at_risk, [14.0, 11.0, 6.0]);
    assert_eq!(counts.lost, [3.0, 0.0, 4.0]);
    assert_eq!((counts.customers, counts.moved), (14.0, 4.0));
    // In months, with rounding in the last digits.
    let months = sample(&[(0.0, 24.000_000_001, true, 4.0), (0.0, 36.0, false, 1.0)]);
    let counts = Renewals::of_sample(&months, 12.0).unwrap();
    assert_eq!((counts.at_risk, counts.lost, counts.moved), (vec![5.0, 5.0, 1.0], vec![0.0, 4.0, 0.0], 0.0));
    // Seen from 2.5 on: at risk of the third only.
    let late = sample(&[(2.5, 3.0, true, 1.0), (0.0, 4.0, false, 1.0), (1.0, 4.0, true, 2.0)]);
    let counts = Renewals::of_sample(&late, 1.0).unwrap();
    assert_eq!((counts.at_risk, counts.lost), (vec![1.0, 3.0, 4.0, 3.0], vec![0.0, 0.0, 1.0, 2.0]));
}

fn refused<T: std::fmt::Debug>(result: ltv_engine::Result<T>, text: &str) {
    match result {
        Err(Error::Invalid { message, hint }) => {
            assert!(message.contains(text), "{message}");
            assert!(!hint.is_empty());
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_no_table_of_survivors_is_refused() {
    let rows = |rows: &[(i32, i32)]| {
        let row = |(period, survivors): &(i32, i32)| Survivors {
            cohort: Some("2024"),
            period: f64::from(*period),
            survivors: f64::from(*survivors),
        };
        Renewals::of_survivors(&mut rows.iter().map(row).collect::<Vec<_>>())
    };
    refused(rows(&[(1, 90), (2, 80)]), "the survivors of period 0 of cohort \"2024\" are missing");
    refused(rows(&[(0, 90), (2, 80)]), "the survivors of period 1 of cohort \"2024\" are missing");
    refused(rows(&[(0, 90), (1, 80), (1, 70)]), "period 1 of cohort \"2024\" is given twice");
    refused(rows(&[(-1, 90), (0, 80)]), "period -1 of cohort \"2024\" is negative");
    refused(rows(&[(0, 90), (1, -1)]), "negative: -1");
    refused(rows(&[(0, 90), (1, 91)]), "rise from 90 to 91 in period 1");
    refused(Renewals::of_sample(&sample(&[(0.0, 0.0, true, 1.0)]), 1.0), "duration 0");
    refused(Renewals::of_sample(&sample(&[(0.0, 20_000.0, false, 1.0)]), 1.0), "20000 renewals");
    let counts = of_survivors(&[9.0, 5.0, 3.0]).unwrap();
    refused(fit_contractual(counts.clone(), Family::BetaGeometric, 0.0, &mut go_on), "length of a period");
    refused(fit_contractual(counts.clone(), Family::BetaGeometric, f64::NAN, &mut go_on), "length of a period");
    let fit = fit(counts, Family::BetaGeometric);
    refused(fit.expected_lifetime(0.0, -0.1, 12.0), "discount rate");
    refused(fit.discounted_residual_lifetime(0.0, 0.1, 0.0), "length of a period");
    refused(fit.retention(3, 1.0), "level");
}

#[test]
fn a_cancelled_fit_stops() {
    let counts = of_survivors(&[9.0, 5.0, 3.0]).unwrap();
    let stopped = fit_contractual(counts, Family::BetaDiscreteWeibull, 1.0, &mut || Err(Error::Canceled));
    // Two renewals are too few for three parameters, which needs no search.
    assert!(stopped.is_ok());
    let counts = of_survivors(&[9.0, 5.0, 3.0, 2.0]).unwrap();
    assert_eq!(fit_contractual(counts, Family::BetaGeometric, 1.0, &mut || Err(Error::Canceled)), Err(Error::Canceled));
}
