//! Limits of expected amounts and of single ones, and what features contribute: against statsmodels and scipy
//! (`tests/golden/amount_outcomes.py`), and against what must hold of any row.

use ltv_engine::amount::{Family, Options, fit, fit_two_part};
use ltv_engine::boost::{options, value};
use ltv_engine::hazard::Design;
use ltv_engine::model::amount_explain::AmountScale;
use ltv_engine::model::explain::Allocation;
use ltv_engine::model::features::Value as Cell;
use ltv_engine::model::{Fit, Model};
use proptest::prelude::*;
use serde_json::Value;

use crate::chance::Chance;
use crate::go_on;
use crate::golden_support::table;

const GAMMA: Options = Options { family: Family::Gamma, penalty: 0.0 };

fn model(fit: impl Into<Fit>, covariates: usize) -> Model {
    let model = Model::unnamed(fit, 0);
    assert_eq!(model.features.len(), covariates);
    model
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn design(case: &Value) -> Design {
    let mut design = Design::default();
    let columns: Vec<&str> =
        case["columns"].as_array().unwrap().iter().map(|column| column.as_str().unwrap()).collect();
    for row in table(case["csv"].as_str().unwrap()) {
        let value = |column: &str| row[column].parse::<f64>().ok();
        let x: Option<Vec<f64>> = columns.iter().map(|column| value(column)).collect();
        let (Some(x), Some(amount)) = (x, value(case["amount"].as_str().unwrap())) else { continue };
        design.push_amount(amount, 1.0, 0.0, &x).unwrap();
    }
    design
}

fn fitted(case: &Value) -> Model {
    let design = design(case);
    match case["family"].as_str().unwrap() {
        "linear" => model(fit(&design, &Options { family: Family::Linear, penalty: 0.0 }, &mut go_on).unwrap(), 3),
        "gamma" => model(fit(&design, &GAMMA, &mut go_on).unwrap(), 3),
        _ => model(fit_two_part(&design, &GAMMA, 0.0, &mut go_on).unwrap(), 3),
    }
}

fn allocated(model: &Model, x: &[f64], scale: AmountScale) -> Allocation {
    let values: Vec<Cell> = x.iter().map(|x| if x.is_nan() { Cell::Null } else { Cell::Number(*x) }).collect();
    model.allocate_amount(&values, scale).unwrap().unwrap().unwrap()
}

#[test]
fn limits_and_parts_agree_with_statsmodels() {
    let directory = format!("{}/../../tests/golden/amount_outcomes/statsmodels.json", env!("CARGO_MANIFEST_DIR"));
    let cases: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(directory).unwrap()).unwrap();
    assert_eq!(cases.len(), 18);
    let mut largest = [0.0f64; 3];
    for case in &cases {
        let model = fitted(case);
        let x = numbers(&case["x"]);
        let values: Vec<Cell> = x.iter().map(|x| Cell::Number(*x)).collect();
        let level = case["level"].as_f64().unwrap();
        let mut see = |kind: usize, found: f64, expected: f64| {
            let difference = (found - expected).abs() / (1.0 + expected.abs());
            assert!(difference < 1e-9, "{case}: {found} for {expected}, off by {difference:e}");
            largest[kind] = largest[kind].max(difference);
        };
        let said = model.appraise(&values, level, &mut Vec::new()).unwrap().unwrap().expectation;
        see(0, said.value, case["mean"].as_f64().unwrap());
        if case["mean_limits"].is_array() {
            let limits = numbers(&case["mean_limits"]);
            see(0, said.lower.unwrap(), limits[0]);
            see(0, said.upper.unwrap(), limits[1]);
        }
        let outcomes = model.outcomes(&values, level, &mut Vec::new()).unwrap().unwrap();
        let limits = numbers(&case["outcome_limits"]);
        see(1, outcomes.lower, limits[0]);
        see(1, outcomes.upper, limits[1]);
        let amounts = allocated(&model, &x, AmountScale::Amount);
        see(2, amounts.baseline, case["baseline"].as_f64().unwrap());
        for (found, expected) in amounts.parts.iter().zip(numbers(&case["parts"])) {
            see(2, *found, expected);
        }
        let links = allocated(&model, &x, model.amount_scale().unwrap());
        for (found, expected) in links.parts.iter().zip(numbers(&case["link_parts"])) {
            see(2, *found, expected);
        }
    }
    println!("largest differences: means {:e}, outcomes {:e}, parts {:e}", largest[0], largest[1], largest[2]);
}

/// Every model of amounts over the same rows, some with nothing.
fn models(rows: &[(f64, f64, f64)]) -> Vec<Model> {
    let mut all = Design::default();
    let mut some = Design::default();
    for (a, b, amount) in rows {
        all.push_amount(*amount, 1.0, 0.0, &[*a, *b]).unwrap();
        if *amount > 0.0 {
            some.push_amount(*amount, 1.0, 0.0, &[*a, *b]).unwrap();
        }
    }
    let linear = Options { family: Family::Linear, penalty: 0.0 };
    let tweedie = Family::Tweedie { power: 1.5 };
    let growth = options::Options { trees: 20, min_child_weight: 2.0, ..options::Options::default() };
    vec![
        model(fit(&all, &linear, &mut go_on).unwrap(), 2),
        model(fit(&some, &GAMMA, &mut go_on).unwrap(), 2),
        model(fit(&all, &Options { family: tweedie, penalty: 0.0 }, &mut go_on).unwrap(), 2),
        model(fit_two_part(&all, &GAMMA, 0.0, &mut go_on).unwrap(), 2),
        model(fit_two_part(&all, &linear, 0.0, &mut go_on).unwrap(), 2),
        model(value::fit(&all, Family::Linear, &growth, &mut go_on).unwrap(), 2),
        model(value::fit(&all, tweedie, &growth, &mut go_on).unwrap(), 2),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn parts_add_up_to_the_difference_from_the_average_row(
        rows in prop::collection::vec((-3.0..3.0f64, -1.0..1.0f64, prop_oneof![1 => Just(0.0), 3 => 0.1..500.0f64]), 30..60),
        x in (-6.0..6.0f64, -2.0..2.0f64),
    ) {
        prop_assume!(rows.iter().filter(|row| row.2 > 0.0).count() > 8 && rows.iter().any(|row| row.2 == 0.0));
        for model in models(&rows) {
            for scale in [AmountScale::Amount, AmountScale::Logarithm] {
                let values = [Cell::Number(x.0), Cell::Number(x.1)];
                let Ok(found) = model.allocate_amount(&values, scale).unwrap() else { continue };
                let Some(found) = found else {
                    prop_assert!(scale == AmountScale::Logarithm || model.algorithm() == "two_part");
                    continue;
                };
                let way = found.prediction - found.baseline;
                let size = 1.0 + found.prediction.abs() + found.baseline.abs();
                prop_assert!((found.parts.iter().sum::<f64>() - way).abs() <= 1e-12 * size, "{} {scale:?}", model.algorithm());
                let expected = model.appraise(&values, 0.95, &mut Vec::new()).unwrap().unwrap().expectation.value;
                let expected = if scale == AmountScale::Logarithm { expected.ln() } else { expected };
                prop_assert!((found.prediction - expected).abs() <= 1e-12 * size, "{}", model.algorithm());
            }
        }
    }
}

#[test]
fn a_feature_that_is_as_on_average_has_no_part_and_one_that_is_far_off_stays_finite() {
    let rows: Vec<(f64, f64, f64)> = (0..40)
        .map(|i| (f64::from(i % 5) - 2.0, f64::from(i % 4) - 1.5, if i % 7 == 0 { 0.0 } else { f64::from(1 + i) }))
        .collect();
    for model in models(&rows).into_iter().take(5) {
        let own = allocated(&model, &[1.0, 0.0], AmountScale::Amount);
        // The mean of b is 0 over all rows; a gamma model sees those with an amount only.
        if model.algorithm() != "gamma" {
            assert!(own.parts[1].abs() < 1e-9 * own.prediction.abs(), "{}: {own:?}", model.algorithm());
        }
        let far = model.allocate_amount(&[Cell::Number(1e6), Cell::Number(0.0)], AmountScale::Amount).unwrap();
        if let Ok(Some(far)) = far {
            assert!(far.parts.iter().all(|part| part.is_finite()));
        }
        let none = model.allocate_amount(&[Cell::Null, Cell::Number(0.0)], AmountScale::Amount).unwrap();
        assert_eq!(none.unwrap_err().to_string(), "missing feature: x1");
    }
}

#[test]
fn outcomes_cover_what_they_say() {
    // A gamma law of shape 2 by two exponentials, half of the rows to fit and half to count.
    let mut chance = Chance::new(11);
    let mut design = Design::default();
    let mut held = Vec::new();
    for row in 0..8000 {
        let x = chance.uniform();
        let amount = (1.0 + x).exp() * (chance.exponential() + chance.exponential()) / 2.0;
        if row % 2 == 0 {
            design.push_amount(amount, 1.0, 0.0, &[x]).unwrap();
        } else {
            held.push((x, amount));
        }
    }
    let model = model(fit(&design, &GAMMA, &mut go_on).unwrap(), 1);
    let within = held.iter().filter(|(x, amount)| {
        let said = model.outcomes(&[Cell::Number(*x)], 0.9, &mut Vec::new()).unwrap().unwrap();
        (said.lower..=said.upper).contains(amount)
    });
    let share = within.count() as f64 / held.len() as f64;
    assert!((0.885..0.915).contains(&share), "{share}");
}

#[test]
fn where_no_law_tells_there_are_no_outcomes() {
    let rows: Vec<(f64, f64, f64)> = (0..40)
        .map(|i| (f64::from(i % 5) - 2.0, f64::from(i % 4) - 1.5, if i % 7 == 0 { 0.0 } else { f64::from(1 + i) }))
        .collect();
    for model in models(&rows) {
        let said = model.outcomes(&[Cell::Number(0.0), Cell::Number(0.0)], 0.95, &mut Vec::new()).unwrap();
        let tells = match &model.fit {
            Fit::Amount(fit) => !matches!(fit.family, Family::Tweedie { .. }),
            Fit::TwoPart(fit) => fit.amount.as_ref().unwrap().family == Family::Gamma,
            _ => false,
        };
        assert_eq!(said.is_some(), tells, "{}", model.algorithm());
    }
    assert!(models(&rows)[0].outcomes(&[Cell::Number(0.0), Cell::Number(0.0)], 1.0, &mut Vec::new()).is_err());
}
