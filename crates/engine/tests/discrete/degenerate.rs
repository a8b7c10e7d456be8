//! Data that leave something undetermined, and what is said of them.

use approx::assert_relative_eq;
use ltv_engine::hazard::design::Row;
use ltv_engine::hazard::discrete::{Options, Shape, fit, fit_decisions};
use ltv_engine::hazard::{Design, DiscreteFit, Link, Status};

use crate::go_on;

fn decisions(rows: &[(bool, &[f64])]) -> Design {
    let mut design = Design::default();
    rows.iter().for_each(|(renewed, x)| design.push(None, 1.0, *renewed, 1.0, x).unwrap());
    design
}

fn links() -> [Options; 2] {
    [Link::Logit, Link::Cloglog].map(|link| Options { link, ..Options::default() })
}

fn decide(rows: &[(bool, &[f64])], options: &Options) -> DiscreteFit {
    fit_decisions(&decisions(rows), options, &mut go_on).unwrap()
}

#[test]
fn a_covariate_that_separates_is_told() {
    let complete: Vec<(bool, &[f64])> = vec![
        (false, &[1.0, 0.3]),
        (false, &[2.0, 0.1]),
        (false, &[3.0, 0.9]),
        (true, &[4.0, 0.2]),
        (true, &[5.0, 0.8]),
    ];
    // The second covariate says nothing; of those with a 1 in the first, all renew.
    let mut quasi: Vec<(bool, &[f64])> = vec![(true, &[1.0, 0.5]), (true, &[1.0, 0.25])];
    for _ in 0..5 {
        quasi.extend([
            (true, [0.0, 0.5].as_slice()),
            (false, &[0.0, 0.25]),
            (true, &[0.0, 0.125]),
            (false, &[0.0, 0.5]),
        ]);
    }
    for options in links() {
        assert!(matches!(decide(&complete, &options).status, Status::Separated { .. }), "{options:?}");
        let fit = decide(&quasi, &options);
        assert_eq!(fit.status, Status::Separated { terms: vec![0] }, "{options:?}");
        // The same the other way round: none renews.
        let turned: Vec<(bool, &[f64])> = quasi.iter().map(|(renewed, x)| (!renewed, *x)).collect();
        assert_eq!(decide(&turned, &options).status, Status::Separated { terms: vec![0] }, "{options:?}");
        // A penalty has a maximum for all of them.
        let ridge = Options { penalty: 1.0, ..options };
        assert_eq!(decide(&complete, &ridge).status, Status::Converged);
        assert_eq!(decide(&quasi, &ridge).status, Status::Converged);
    }
}

/// One customer with a million seats among many with ten, or one of whom an offset makes sure: who is as likely as can be
/// to do what he did tells nothing, so that the fit is the one without him.
#[test]
fn a_row_far_from_all_others_does_not_stop_the_fit() {
    let near: Vec<(bool, [f64; 2])> = (0..1010)
        .map(|i| {
            let x = [f64::from(i % 101) / 50.0 - 1.0, f64::from(i * 37 % 97) / 48.0 - 1.0];
            (i * 7919 % 1000 < 350 + 3 * (i % 101), x)
        })
        .collect();
    for (weight, options) in [1.0, 2.0].into_iter().flat_map(|weight| links().map(|options| (weight, options))) {
        let fitted = |far: Option<(f64, f64)>| {
            let mut design = Design::default();
            let mut push = |event: bool, x: &[f64], offset: f64| {
                design.push_row(&Row { exit: 1.0, event, weight, x, offset, ..Row::default() }).unwrap();
            };
            near.iter().for_each(|(event, x)| push(*event, x, 0.0));
            if let Some((x, offset)) = far {
                push(true, &[x, 0.0], offset);
            }
            fit_decisions(&design, &options, &mut go_on).unwrap()
        };
        let without = fitted(None);
        for far in [(1e4, 0.0), (1e5, 0.0), (0.5, 600.0), (0.5, 900.0)] {
            let fit = fitted(Some(far));
            assert_eq!(fit.status, Status::Converged, "{options:?} {far:?}");
            assert!((fit.log_likelihood - without.log_likelihood).abs() < 1e-8, "{options:?} {far:?}");
            for (ours, theirs) in fit.coefficients.iter().zip(&without.coefficients) {
                assert_relative_eq!(ours.unwrap(), theirs.unwrap(), max_relative = 1e-7);
            }
        }
    }
}

#[test]
fn rare_but_regular_outcomes_are_not_called_separated() {
    let mut rows: Vec<(bool, Vec<f64>)> = (0..4000).map(|i| (i % 1000 == 7, vec![f64::from(i % 2)])).collect();
    rows.push((true, vec![0.0]));
    let rows: Vec<(bool, &[f64])> = rows.iter().map(|(renewed, x)| (*renewed, x.as_slice())).collect();
    for options in links() {
        let fit = decide(&rows, &options);
        assert_eq!(fit.status, Status::Converged);
        // Two by two: the log odds ratio is known.
        if options.link == Link::Logit {
            let odds = |events: f64, rows: f64| (events / (rows - events)).ln();
            let expected = odds(4.0, 2000.0) - odds(1.0, 2001.0);
            assert!((fit.coefficients[0].unwrap() - expected).abs() < 1e-12);
        }
    }
}

#[test]
fn one_outcome_only_leaves_nothing_to_fit() {
    for renewed in [true, false] {
        for options in links() {
            let fit = decide(&[(renewed, &[1.0]), (renewed, &[2.0])], &options);
            assert_eq!(fit.status, Status::NoEvents);
            assert_eq!(fit.coefficients, [None]);
            assert_eq!(fit.decision(0.0), None);
        }
    }
}

#[test]
fn constant_and_repeated_covariates_have_no_coefficient() {
    let rows: Vec<(bool, [f64; 4])> = (0..40)
        .map(|i| {
            let x = f64::from(i % 7) + 0.1 * f64::from(i % 3);
            ((i * 5) % 3 == 0, [3.7, x, 2.0 * x - 1.0, f64::from(i % 5)])
        })
        .collect();
    let rows: Vec<(bool, &[f64])> = rows.iter().map(|(renewed, x)| (*renewed, x.as_slice())).collect();
    for options in links() {
        let fit = decide(&rows, &options);
        let there: Vec<bool> = fit.coefficients.iter().map(Option::is_some).collect();
        assert_eq!(there, [false, true, false, true]);
        assert_eq!(fit.degrees_of_freedom, 2);
    }
}

/// Nobody has the event in period 2, everybody at risk has it in period 4.
fn gaps() -> Design {
    let mut design = Design::default();
    let rows =
        [(1.0, true), (1.0, false), (1.0, true), (3.0, true), (3.0, false), (3.0, true), (2.0, false), (3.0, false)];
    for (i, (time, event)) in rows.into_iter().chain([(4.0, true), (4.0, true)]).enumerate() {
        design.push(None, time, event, 1.0, &[(i % 3) as f64]).unwrap();
    }
    design
}

#[test]
fn periods_with_no_event_or_nothing_else_have_no_level() {
    for options in links() {
        let fit = fit(&gaps(), &options, &mut go_on).unwrap();
        assert_eq!(fit.status, Status::Converged);
        assert_eq!(fit.infinite_levels(), (vec![2], vec![4]));
        let levels: Vec<bool> = fit.baseline.levels.iter().map(Option::is_some).collect();
        assert_eq!(levels, [true, false, true, false]);
        let curve = fit.curve(&[1.0]);
        assert_eq!(curve.times, [1.0, 3.0, 4.0]);
        assert_eq!(curve.cumulative_hazard[2], f64::INFINITY);
        curve.validate().unwrap();
        assert_eq!(fit.cumulative_hazard(3.5, 0.0), fit.cumulative_hazard(3.0, 0.0));
        // A smooth baseline has a hazard in every period.
        let smooth =
            ltv_engine::hazard::discrete::fit(&gaps(), &Options { shape: Shape::Linear, ..options }, &mut go_on);
        assert!(smooth.unwrap().baseline.levels.iter().all(Option::is_some));
    }
}

#[test]
fn times_are_rounded_up_and_counted() {
    let mut design = Design::default();
    let mut push = |entry: f64, exit: f64, event: bool| design.push(Some(entry), exit, event, 1.0, &[]).unwrap();
    push(0.0, 60.0, false);
    push(0.0, 61.0, true);
    push(30.0, 90.0, true);
    push(40.0, 50.0, true);
    push(0.0, 0.1 * 3.0 * 100.0, false);
    push(0.0, 120.0, false);
    let options = Options { period: 30.0, ..Options::default() };
    let fit = fit(&design, &options, &mut go_on).unwrap();
    assert_eq!((fit.rounded, fit.left_out, fit.rows, fit.events), (2, 1, 5, 2));
    // 2 + 3 + 2 + 1 + 4
    assert_eq!(fit.person_periods, 12);
    assert_eq!(fit.baseline.at_risk, [4.0, 4.0, 3.0, 1.0]);
    assert_eq!(fit.baseline.deaths, [0.0, 0.0, 2.0, 0.0]);
    // Without covariates the curve is the life table's.
    let curve = fit.curve(&[]);
    assert!((curve.cumulative_hazard[0] - 3f64.ln()).abs() < 1e-14);
    // Greenwood: d / (n (n − d)).
    assert!((curve.variance[0] - 2.0 / 3.0).abs() < 1e-14);
}

#[test]
fn bad_options_are_told() {
    let design = gaps();
    for (options, words) in [
        (Options { period: 0.0, ..Options::default() }, "the period must be"),
        (Options { period: f64::NAN, ..Options::default() }, "the period must be"),
        (Options { period: 1e-10, ..Options::default() }, "can be counted"),
        (Options { period: 1e-4, ..Options::default() }, "are too many"),
        (Options { penalty: -1.0, ..Options::default() }, "the penalty must be"),
        (Options { shape: Shape::Polynomial { degree: 9 }, ..Options::default() }, "needs as many periods"),
    ] {
        let error = fit(&design, &options, &mut go_on).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    assert!(Shape::named("spline", 1).is_err() && Shape::named("cubic", 3).is_err());
    assert!("probit".parse::<Link>().is_err());
    assert!(fit(&Design::default(), &Options::default(), &mut go_on).is_err());
    let mut stop = || Err(ltv_engine::Error::Canceled);
    assert_eq!(fit(&design, &Options::default(), &mut stop), Err(ltv_engine::Error::Canceled));
}

#[test]
fn a_forged_fit_is_found_out() {
    let good = fit(&gaps(), &Options::default(), &mut go_on).unwrap();
    let mut forged = Vec::new();
    for change in [
        (|fit| fit.means.clear()) as fn(&mut DiscreteFit),
        |fit| fit.covariance[0] = f64::NAN,
        |fit| fit.covariance[0] = -1.0,
        |fit| fit.period = 0.0,
        |fit| fit.baseline.levels.clear(),
        |fit| fit.baseline.levels[0] = Some(f64::INFINITY),
        |fit| fit.baseline.shape = Shape::Linear,
        |fit| fit.status = Status::Separated { terms: vec![1] },
        |fit| fit.degrees_of_freedom = 3,
    ] {
        let mut fit = good.clone();
        change(&mut fit);
        forged.push(fit.validate().is_err());
    }
    assert!(good.validate().is_ok() && forged.iter().all(|found| *found), "{forged:?}");
}
