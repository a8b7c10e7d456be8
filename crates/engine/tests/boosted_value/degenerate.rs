//! Data that has little to say, or that no loss can have.

use ltv_engine::Error;
use ltv_engine::amount::Family;
use ltv_engine::boost::Options;
use ltv_engine::boost::value::{End, fit};
use ltv_engine::hazard::Design;
use ltv_engine::model::Model;
use ltv_engine::model::features::Value;

use crate::{TWEEDIE, boosted, go_on};

fn design(rows: impl IntoIterator<Item = (f64, f64)>) -> Design {
    let mut design = Design::default();
    rows.into_iter().for_each(|(amount, x)| design.push_amount(amount, 1.0, 0.0, &[x]).unwrap());
    design
}

fn refused(design: &Design, family: Family, options: &Options, expected: &str) {
    match fit(design, family, options, &mut go_on) {
        Err(Error::Invalid { message, hint }) => {
            assert_eq!(message, expected);
            assert!(!hint.is_empty());
        }
        other => panic!("{expected}: {other:?}"),
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let options = Options::default();
    let negative = design([(1.0, 1.0), (-2.5, 2.0)]);
    refused(&negative, Family::Gamma, &options, "a gamma deviance needs amounts greater than 0, got -2.5");
    refused(&negative, TWEEDIE, &options, "a Tweedie deviance needs amounts of at least 0, got -2.5");
    let none = design([(1.0, 1.0), (0.0, 2.0)]);
    refused(&none, Family::Gamma, &options, "a gamma deviance needs amounts greater than 0, got 0");
    for power in [1.0, 2.0, f64::NAN] {
        let message = format!("the power of a Tweedie deviance must be greater than 1 and less than 2, got {power}");
        refused(&none, Family::Tweedie { power }, &options, &message);
    }
    refused(&Design::default(), Family::Linear, &options, "a boosted model needs at least one row");
    let mut times = Design::default();
    times.push(None, 3.0, true, 1.0, &[1.0]).unwrap();
    refused(&times, Family::Linear, &options, "these are rows of times, not of amounts");
    let mut bare = Design::default();
    bare.push_amount(1.0, 1.0, 0.0, &[]).unwrap();
    refused(&bare, Family::Linear, &options, "a boosted model needs at least one covariate");
    refused(&none, TWEEDIE, &Options { depth: 0, ..options.clone() }, "depth cannot be 0");
    let mut apart = none.clone();
    apart.push_amount(1.0, 1.0, 61.0, &[1.0]).unwrap();
    refused(&apart, TWEEDIE, &options, "the offsets are 61 apart");
    assert!(fit(&apart, Family::Linear, &options, &mut go_on).is_ok());
}

#[test]
fn little_to_say_is_said() {
    let options = Options::default();
    // All the same; one row; nothing at all.
    for family in [Family::Linear, Family::Gamma, TWEEDIE] {
        for rows in [1, 200] {
            let fit = boosted(&design((0..rows).map(|i| (7.1, f64::from(i)))), family, &options);
            let said = fit.expectation(&[3.0]).unwrap().value;
            assert!((said - 7.1).abs() < 1e-12, "{family:?}: {said}");
            assert!(fit.null_deviance.abs() < 1e-12 && fit.trees.leaves() <= fit.trees.len(), "{family:?} {fit:?}");
        }
    }
    let nothing = boosted(&design((0..50).map(|i| (0.0, f64::from(i)))), TWEEDIE, &options);
    assert_eq!((nothing.end, nothing.expectation(&[1.0])), (End::NoEvents, None));
    let model = Model::unnamed(nothing, 0);
    assert_eq!(model.amount_status().unwrap(), "no amount is greater than 0");
    let why = model.appraise(&[Value::Number(1.0)], 0.9, &mut Vec::new()).unwrap().unwrap_err();
    assert_eq!(why.to_string(), "no amount is greater than 0");
    let zero = boosted(&design((0..50).map(|i| (0.0, f64::from(i)))), Family::Linear, &options);
    assert_eq!(zero.expectation(&[1.0]).unwrap().value, 0.0);
    // A covariate that tells the amounts from none: on the way to ln 0, but not there.
    let split = design((0..200).map(|i| (if i < 100 { 0.0 } else { 5.0 }, f64::from(i))));
    let eager =
        Options { learning_rate: 1.0, l2: 0.0, min_child_weight: 0.0, early_stopping: 0, trees: 500, ..options };
    let fit = boosted(&split, TWEEDIE, &eager);
    assert_eq!(fit.end, End::Separated);
    assert!(!fit.is_trustworthy() && fit.remark().starts_with("separated after"), "{}", fit.remark());
    assert!((fit.expectation(&[150.0]).unwrap().value - 5.0).abs() < 1e-9);
}

#[test]
fn amounts_beyond_the_numbers_are_an_error_and_large_ones_are_not() {
    let options = Options { early_stopping: 0, min_child_weight: 1.0, ..Options::default() };
    for scale in [1e-300, 1e-150, 1e150] {
        let rows = (0..100).map(|i| (scale * f64::from(1 + i % 7), f64::from(i % 7)));
        for family in [Family::Gamma, TWEEDIE] {
            let fit = boosted(&design(rows.clone()), family, &options);
            let said = fit.expectation(&[6.0]).unwrap().value / scale;
            assert!((said - 7.0).abs() < 0.1, "{family:?}: {said}");
        }
    }
    let far = design([(f64::MAX, 1.0), (f64::MIN, 2.0), (1.0, 3.0)]);
    assert!(matches!(fit(&far, Family::Linear, &options, &mut go_on), Err(Error::OutOfRange(_))));
}
