//! What must hold whatever the data.

use ltv_engine::amount::Family;
use ltv_engine::boost::Options;
use ltv_engine::boost::value::End;
use ltv_engine::hazard::Design;
use ltv_engine::model::Model;
use ltv_engine::model::features::Value;
use proptest::prelude::*;

use crate::{Row, TWEEDIE, bent, boosted, simulated, straight};

const FAMILIES: [Family; 3] = [Family::Linear, Family::Gamma, TWEEDIE];

fn expected(fit: &ltv_engine::boost::BoostedValueFit, x: &[f64]) -> f64 {
    fit.expectation(x).unwrap().value
}

#[test]
fn what_is_expected_adds_up_to_what_there_is() {
    for family in FAMILIES {
        let seen = simulated(2_000, 5, family, bent);
        for options in [
            Options::default(),
            Options { subsample: 0.5, early_stopping: 0, ..Options::default() },
            Options { l2: 100.0, trees: 3, monotone: vec![1, 0, -1, 0], ..Options::default() },
        ] {
            let fit = boosted(&seen.design, family, &options);
            let total: f64 = seen.rows.iter().map(|row| row.1).sum();
            let said: f64 = seen.rows.iter().map(|row| expected(&fit, &row.0)).sum();
            let size: f64 = seen.rows.iter().map(|row| row.1.abs()).sum();
            assert!((said - total).abs() < 1e-10 * size, "{family:?}: {said} of {total}");
            // The deviances are those of their definition.
            let mean = total / seen.rows.len() as f64;
            let deviance = |said: &dyn Fn(&[f64; 4]) -> f64| -> f64 {
                let of = |y: f64, mu: f64| match family {
                    Family::Linear => (y - mu).powi(2),
                    Family::Gamma => 2.0 * ((y - mu) / mu - (y / mu).ln()),
                    // p = 1.5: 2 (−4 √y + 2 y / √μ + 2 √μ)
                    Family::Tweedie { .. } => 4.0 * (y / mu.sqrt() + mu.sqrt() - 2.0 * y.sqrt()),
                };
                seen.rows.iter().map(|(x, y, _)| of(*y, said(x))).sum()
            };
            let [own, null] = [deviance(&|x| expected(&fit, x)), deviance(&|_| mean)];
            assert!((fit.deviance / own - 1.0).abs() < 1e-9, "{family:?}: {} {own}", fit.deviance);
            assert!((fit.null_deviance / null - 1.0).abs() < 1e-9, "{family:?}: {} {null}", fit.null_deviance);
            assert!(fit.deviance < fit.null_deviance);
        }
    }
}

#[test]
fn the_order_of_the_rows_changes_no_bit() {
    for family in FAMILIES {
        let seen = simulated(700, 6, family, bent);
        let options = Options { subsample: 0.7, trees: 30, seed: 9, ..Options::default() };
        let push = |design: &mut Design, at: usize| {
            let (x, amount, _) = &seen.rows[at];
            design.push_amount(*amount, 1.0 + (at % 3) as f64, 0.1 * (at % 2) as f64, x).unwrap();
        };
        let (mut forth, mut back) = (Design::default(), Design::default());
        (0..700).for_each(|at| push(&mut forth, at));
        let (mut odd, mut even) = (Design::default(), Design::default());
        (0..700).rev().for_each(|at| push(if at % 2 == 0 { &mut even } else { &mut odd }, at));
        back.merge(&odd).unwrap();
        back.merge(&even).unwrap();
        let bytes = |design| Model::unnamed(boosted(design, family, &options), 0).encode().unwrap();
        assert_eq!(bytes(&forth), bytes(&back), "{family:?}");
        let other = boosted(&forth, family, &Options { seed: 10, ..options.clone() });
        assert_ne!(other, boosted(&forth, family, &options));
    }
}

#[test]
fn weights_are_repetitions_and_exposures_are_units() {
    for family in FAMILIES {
        let seen = simulated(500, 7, family, straight);
        let options = Options { trees: 25, early_stopping: 0, ..Options::default() };
        let (mut heavy, mut twice) = (Design::default(), Design::default());
        for (x, amount, _) in &seen.rows {
            heavy.push_amount(*amount, 2.0, 0.0, x).unwrap();
            (0..2).for_each(|_| twice.push_amount(*amount, 1.0, 0.0, x).unwrap());
        }
        let (heavy, twice) = (boosted(&heavy, family, &options), boosted(&twice, family, &options));
        for (x, ..) in &seen.rows {
            let [one, other] = [&heavy, &twice].map(|fit| expected(fit, x));
            assert!((one - other).abs() < 1e-9 * (1.0 + one.abs()), "{family:?}: {one} {other}");
        }
    }
    // Twice the exposure, twice the amount: what is expected is per unit of it.
    let seen = simulated(500, 8, Family::Gamma, straight);
    let options = Options { trees: 25, early_stopping: 0, ..Options::default() };
    let mut exposed = Design::default();
    for (at, (x, amount, _)) in seen.rows.iter().enumerate() {
        let exposure = 1.0 + (at % 3) as f64;
        exposed.push_amount(amount * exposure, 1.0, exposure.ln(), x).unwrap();
    }
    let [plain, exposed] = [&seen.design, &exposed].map(|design| boosted(design, Family::Gamma, &options));
    // The start and the balance weigh the rows by their exposure; without that the ratio would be about 2.
    let logs = seen.rows.iter().map(|(x, ..)| (expected(&exposed, x) / expected(&plain, x)).ln());
    let ratio = (logs.sum::<f64>() / seen.rows.len() as f64).exp();
    assert!((ratio - 1.0).abs() < 0.05, "{ratio}");
}

#[test]
fn directions_hold_and_units_do_not_matter() {
    for family in FAMILIES {
        let seen = simulated(1_000, 9, family, bent);
        let options = Options { trees: 60, monotone: vec![1, 0, -1, 0], ..Options::default() };
        let fit = boosted(&seen.design, family, &options);
        for (x, ..) in seen.rows.iter().take(50) {
            for (at, direction) in [(0, 1.0), (2, -1.0)] {
                let path = (0..=20).map(|step| {
                    let mut x = *x;
                    x[at] = f64::from(step) / 20.0;
                    expected(&fit, &x)
                });
                let path: Vec<f64> = path.collect();
                assert!(path.windows(2).all(|pair| direction * (pair[1] - pair[0]) >= -1e-12), "{family:?} {path:?}");
            }
        }
        // In cents, and of nothing else.
        let mut cents = Design::default();
        seen.rows.iter().for_each(|(x, amount, _)| cents.push_amount(128.0 * amount, 1.0, 0.0, x).unwrap());
        let cents = boosted(&cents, family, &options);
        for (x, ..) in seen.rows.iter().take(50) {
            let (one, other) = (expected(&fit, x), expected(&cents, x) / 128.0);
            assert!((one - other).abs() < 1e-9 * (1.0 + one.abs()), "{family:?}: {one} {other}");
        }
    }
}

#[test]
fn what_is_missing_goes_the_way_that_was_learnt() {
    for family in FAMILIES {
        let seen = simulated(2_000, 10, family, straight);
        let mut design = Design::default().taking_missing();
        for (at, (x, amount, _)) in seen.rows.iter().enumerate() {
            // Whoever hides the first covariate has four more, or e times as much.
            let hidden = at % 4 == 0;
            let more = if family == Family::Linear { amount + 4.0 } else { amount * std::f64::consts::E };
            let first = if hidden { f64::NAN } else { x[0] };
            design.push_amount(if hidden { more } else { *amount }, 1.0, 0.0, &[first, x[1], x[2], x[3]]).unwrap();
        }
        let model = Model::unnamed(boosted(&design, family, &Options::default()), 0);
        let said = |x: &[f64; 4], hidden: bool| {
            let mut values = x.map(Value::Number);
            if hidden {
                values[0] = Value::Null;
            }
            model.appraise(&values, 0.9, &mut Vec::new()).unwrap().unwrap().expectation
        };
        // Of all rows: one alone may have met a leaf of a few.
        let mean = |of: &dyn Fn(&Row) -> f64| seen.rows.iter().map(of).sum::<f64>() / seen.rows.len() as f64;
        let [known, missing] = [false, true].map(|hidden| mean(&|(x, ..)| said(x, hidden).value));
        let truth = mean(&|(_, _, truth)| *truth);
        assert!((known - truth).abs() < 0.1, "{family:?}: {known} of {truth}");
        let (more, expected) = match family {
            Family::Linear => (missing - known, 4.0),
            _ => (missing / known, std::f64::consts::E),
        };
        assert!((more / expected - 1.0).abs() < 0.1, "{family:?}: {more} {expected}");
        let missing = said(&[0.5; 4], true);
        assert_eq!((missing.lower, missing.upper), (None, None));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_rows_have_an_answer_or_an_error(
        rows in prop::collection::vec((0.0f64..1e3, prop::num::f64::NORMAL | prop::num::f64::ZERO, 0.1f64..10.0), 1..60),
        depth in 1usize..6, scale in -300i32..300,
    ) {
        for family in FAMILIES {
            let mut design = Design::default();
            for (amount, x, weight) in &rows {
                let amount = (amount + if family == Family::Gamma { 1.0 } else { 0.0 }) * 10f64.powi(scale);
                design.push_amount(amount, *weight, 0.0, &[*x]).unwrap();
            }
            let options = Options { depth, trees: 20, min_child_weight: 0.0, l2: 0.0, learning_rate: 1.0, ..Options::default() };
            if let Ok(fit) = ltv_engine::boost::value::fit(&design, family, &options, &mut crate::go_on) {
                fit.validate().unwrap();
                for (_, x, _) in &rows {
                    if fit.end != End::NoEvents {
                        prop_assert!(fit.expectation(&[*x]).is_none_or(|said| said.value.is_finite()));
                    }
                }
            }
        }
    }
}
