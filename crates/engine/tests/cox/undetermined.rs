//! Data that leave something undetermined, numbers at their limits, and errors.

use approx::assert_relative_eq;
use ltv_engine::Error;
use ltv_engine::hazard::cox::fit;
use ltv_engine::hazard::design::Row;
use ltv_engine::hazard::{Design, Status, Ties};

use crate::cases;
use crate::{fit_cox, go_on, row, variance};

#[test]
fn collinear_and_constant_columns_have_no_coefficient() {
    let mut design = Design::default();
    let plain = cases::design("heart");
    for (i, x) in plain.x().chunks(4).enumerate() {
        let with_copies = [x[0], 2.0 * x[0] - 5.0, 1e9, x[1], x[2], x[0] + x[1] - x[2], x[3]];
        let (entry, exit, event) = (plain.entries()[i], plain.exits()[i], i32::from(plain.events()[i]));
        row(&mut design, entry, exit, event, 1.0, &with_copies);
    }
    let (fit, reference) = (fit_cox(&design, Ties::Efron), fit_cox(&plain, Ties::Efron));
    let kept = [0, 3, 4, 6];
    assert_eq!((0..7).filter(|&i| fit.coefficients[i].is_some()).collect::<Vec<_>>(), kept);
    assert_eq!((fit.degrees_of_freedom, &fit.status), (4, &Status::Converged));
    for (i, &at) in kept.iter().enumerate() {
        assert_relative_eq!(fit.coefficients[at].unwrap(), reference.coefficients[i].unwrap(), max_relative = 1e-9);
        for (j, &other) in kept.iter().enumerate() {
            let (ours, expected) = (fit.covariance[at * 7 + other], reference.covariance[i * 4 + j]);
            assert_relative_eq!(ours, expected, max_relative = 1e-8);
        }
    }
    assert!(
        fit.covariance
            .iter()
            .enumerate()
            .all(|(at, v)| kept.contains(&(at / 7)) && kept.contains(&(at % 7)) || *v == 0.0)
    );
    let (curve, expected) =
        (fit.curve(&fit.baselines[0], &design.x()[..7]), reference.curve(&reference.baselines[0], &plain.x()[..4]));
    assert_eq!(curve.rank, 4);
    for time in [30.0, 300.0, 1000.0] {
        assert_relative_eq!(variance(&curve, time), variance(&expected, time), max_relative = 1e-8);
    }
}

#[test]
fn a_large_origin_and_unit_change_nothing() {
    let plain = cases::design("heart");
    let mut moved = Design::default();
    for (i, x) in plain.x().chunks(4).enumerate() {
        let x: Vec<f64> = x.iter().map(|x| x * 1e6 + 1e9).collect();
        row(&mut moved, plain.entries()[i], plain.exits()[i], i32::from(plain.events()[i]), 1.0, &x);
    }
    let (fit, reference) = (fit_cox(&moved, Ties::Efron), fit_cox(&plain, Ties::Efron));
    assert_eq!(fit.status, Status::Converged);
    for (ours, expected) in fit.coefficients.iter().zip(&reference.coefficients) {
        assert_relative_eq!(ours.unwrap() * 1e6, expected.unwrap(), max_relative = 1e-9);
    }
    assert_relative_eq!(fit.log_likelihood, reference.log_likelihood, max_relative = 1e-12);
}

/// Covariates that do not differ among those at risk at any event: the likelihood is flat along them, though they vary.
#[test]
fn what_nobody_at_risk_differs_by_has_no_coefficient() {
    // All at risk die at once (as in a stratum of two who leave together), and a covariate that is the stratum's.
    let (mut together, mut of_stratum) = (Design::default(), Design::default());
    for (exit, event, stratum, x) in [
        (8.0, true, "a", [-2.0, 0.3]),
        (8.0, true, "a", [1.1, -1.0]),
        (1.0, false, "b", [0.7, 0.0]),
        (1.0, false, "b", [0.0, 2.0]),
    ] {
        together.push_row(&Row { exit, event, weight: 1.0, stratum: Some(stratum), x: &x, ..Row::default() }).unwrap();
    }
    for i in 0..60 {
        let (name, constant) = [("a", 0.1), ("b", 0.7), ("c", 1e6 / 3.0)][i % 3];
        let (exit, entry) = (((i * 37) % 23 + 4) as f64, (i % 4) as f64);
        let x = [constant, ((i * 31) % 17) as f64, constant + ((i * 31) % 17) as f64];
        of_stratum
            .push_row(&Row { entry, exit, event: i % 5 > 0, weight: 1.0, stratum: Some(name), x: &x, ..Row::default() })
            .unwrap();
    }
    for ties in [Ties::Efron, Ties::Breslow, Ties::Exact] {
        let fit = fit_cox(&of_stratum, ties);
        assert_eq!((fit.coefficients[0], fit.coefficients[2], fit.degrees_of_freedom), (None, None, 1));
        assert_eq!(fit.status, Status::Converged);
        assert!(fit.standard_error(1).unwrap() < 1.0);
    }
    let fit = fit_cox(&together, Ties::Exact);
    assert_eq!((&fit.status, fit.coefficients, fit.degrees_of_freedom), (&Status::Converged, vec![None, None], 0));
    assert!(fit.log_likelihood.abs() < 1e-14 && fit.likelihood_ratio_test == 0.0);
}

#[test]
fn no_events_is_a_status() {
    let mut design = Design::default();
    (1..5).for_each(|i| row(&mut design, 0.0, f64::from(i), 0, 1.0, &[f64::from(i), 1.0]));
    let fit = fit_cox(&design, Ties::Efron);
    assert_eq!(fit.status, Status::NoEvents);
    assert_eq!(fit.coefficients, [None, None]);
    assert_eq!((fit.log_likelihood, fit.degrees_of_freedom, fit.wald_test), (0.0, 0, 0.0));
    assert_eq!(fit.baselines[0].cumulative_hazard_of(3.0, 0.0), 0.0);
    let curve = fit.curve(&fit.baselines[0], &[1.0, 1.0]);
    curve.validate().unwrap();
    assert!(curve.times.is_empty());
}

#[test]
fn a_monotone_likelihood_is_reported() {
    // A single covariate that orders all events; tests/infcox.R of R survival has the second.
    let mut perfect = Design::default();
    (1..=6).for_each(|i| row(&mut perfect, 0.0, f64::from(i), 1, 1.0, &[f64::from(-i)]));
    let fit = fit_cox(&perfect, Ties::Efron);
    assert_eq!(fit.status, Status::Separated { terms: vec![0] });
    assert!(fit.coefficients[0].unwrap() > 3.0);
    assert!(fit.log_likelihood > -1e-2);

    let mut two = Design::default();
    let groups = [(1, 1), (1, 1), (1, 1), (1, 0), (0, 0), (0, 0)];
    for (i, (a, b)) in groups.iter().chain(&groups).enumerate() {
        row(&mut two, 0.0, (i + 1) as f64, i32::from(i < 3), 1.0, &[f64::from(*a), f64::from(*b)]);
    }
    let fit = fit_cox(&two, Ties::Breslow);
    assert!(matches!(&fit.status, Status::Separated { terms } if terms.contains(&1)), "{:?}", fit.status);

    // Only the second covariate runs off; the first keeps an honest coefficient.
    let plain = cases::design("heart");
    let mut half = Design::default();
    for (i, x) in plain.x().chunks(4).enumerate() {
        let event = plain.events()[i];
        row(
            &mut half,
            plain.entries()[i],
            plain.exits()[i],
            i32::from(event),
            1.0,
            &[x[0], f64::from(u8::from(event))],
        );
    }
    let fit = fit_cox(&half, Ties::Efron);
    assert_eq!(fit.status, Status::Separated { terms: vec![1] });
    assert!(fit.coefficients[0].unwrap().abs() < 0.1);
    fit.curve(&fit.baselines[0], &[0.0, 1.0]).validate().unwrap();
}

/// A covariate that leaks the outcome: the later the event, the larger it is. And a plan that nobody leaves.
#[test]
fn leaks_and_empty_categories_are_reported() {
    let (mut leak, mut loyal) = (Design::default(), Design::default());
    for i in 0..500 {
        let exit = f64::from((i * 7919) % 1009) * 0.37 + 0.5;
        let event = i % 4 > 0;
        let noise = f64::from((i * 31) % 17);
        let gold = i % 4 == 0 && i % 8 == 0;
        row(&mut leak, 0.0, exit, i32::from(event), 1.0, &[noise, exit.sqrt()]);
        row(&mut loyal, exit / 3.0, exit, i32::from(event), 1.0, &[noise, f64::from(u8::from(gold))]);
    }
    for ties in [Ties::Efron, Ties::Breslow] {
        let fit = fit_cox(&leak, ties);
        assert!(matches!(&fit.status, Status::Separated { terms } if terms.contains(&1)), "{:?}", fit.status);
        let fit = fit_cox(&loyal, ties);
        assert_eq!(fit.status, Status::Separated { terms: vec![1] });
        assert!(fit.coefficients[1].unwrap() < -10.0);
        assert!(fit.standard_error(0).unwrap() < 0.1 && fit.coefficients[0].unwrap().abs() < 0.1);
    }
}

#[test]
fn an_outlier_beyond_reason_stays_within_numbers() {
    let mut design = Design::default();
    for i in 0..200 {
        let x = if i == 77 { 1e12 } else { f64::from((i * 37) % 11) };
        row(&mut design, 0.0, f64::from((i * 53) % 40 + 1), i32::from(i % 3 > 0), 1.0, &[x]);
    }
    let fit = fit_cox(&design, Ties::Efron);
    assert!(fit.log_likelihood.is_finite() && fit.coefficients[0].is_none_or(f64::is_finite));
    fit.curve(&fit.baselines[0], &[1e12]).validate().unwrap();
    fit.curve(&fit.baselines[0], &[-1e12]).validate().unwrap();
}

#[test]
fn errors_say_what_was_found() {
    let mut design = Design::default();
    assert!(matches!(fit(&design, Ties::Efron, &mut go_on), Err(Error::Invalid { .. })));
    let mut bare = Design::default();
    bare.push(None, 3.0, true, 1.0, &[]).unwrap();
    assert!(fit(&bare, Ties::Efron, &mut go_on).unwrap_err().to_string().contains("at least one covariate"));
    let mut refused = |entry, exit, weight, x: &[f64], text: &str| {
        let error = design.push(entry, exit, true, weight, x).unwrap_err();
        assert!(matches!(&error, Error::Invalid { .. }) && error.to_string().contains(text), "{error}");
    };
    refused(None, -1.0, 1.0, &[1.0], "-1");
    refused(None, f64::INFINITY, 1.0, &[1.0], "inf");
    refused(Some(3.0), 3.0, 1.0, &[1.0], "entry 3");
    refused(Some(f64::NAN), 3.0, 1.0, &[1.0], "NaN");
    refused(Some(-1.0), 3.0, 1.0, &[1.0], "-1");
    refused(None, 3.0, 0.0, &[1.0], "weight");
    refused(None, 3.0, f64::NAN, &[1.0], "weight");
    refused(None, 3.0, 1.0, &[1.0, f64::NAN], "covariate 2 must be finite");
    design.push(None, 3.0, true, 1.0, &[1.0, 2.0]).unwrap();
    assert!(design.push(None, 3.0, true, 1.0, &[1.0]).is_err());
    let mut other = Design::default();
    other.push(None, 3.0, true, 1.0, &[1.0]).unwrap();
    assert!(design.merge(&other).is_err());
    assert_eq!((design.len(), design.covariates()), (1, 2));
}

#[test]
fn a_fit_can_be_interrupted() {
    for allowed in 0..20 {
        let mut asked = 0;
        let result = fit(&cases::design("heart"), Ties::Efron, &mut || {
            asked += 1;
            if asked > allowed { Err(Error::Canceled) } else { Ok(()) }
        });
        if let Err(error) = result {
            assert_eq!(error, Error::Canceled);
        } else {
            assert!(asked <= allowed);
        }
    }
}
