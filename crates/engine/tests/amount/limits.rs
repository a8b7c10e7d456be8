//! Tests and limits of small models by Student's law: against R (`tests/golden/amount_limits.R`), and how often they hold a
//! known truth.

use ltv_engine::amount::{Expectation, Family, Options, fit, fit_two_part, pooled_degrees_of_freedom};
use ltv_engine::hazard::Design;
use ltv_engine::model::features::Value as Cell;
use ltv_engine::model::{Fit, Model};
use ltv_engine::numeric::student;
use serde_json::Value;

use crate::chance::Chance;
use crate::go_on;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn model(design: &Design, family: &str, power: Option<f64>) -> Model {
    let options = |family| Options { family, penalty: 0.0 };
    let fit: Fit = match (family, power) {
        ("linear", _) => fit(design, &options(Family::Linear), &mut go_on).unwrap().into(),
        ("gamma", _) => fit(design, &options(Family::Gamma), &mut go_on).unwrap().into(),
        ("tweedie", Some(power)) => fit(design, &options(Family::Tweedie { power }), &mut go_on).unwrap().into(),
        ("two_part gamma", _) => fit_two_part(design, &options(Family::Gamma), 0.0, &mut go_on).unwrap().into(),
        ("two_part linear", _) => fit_two_part(design, &options(Family::Linear), 0.0, &mut go_on).unwrap().into(),
        other => panic!("{other:?}"),
    };
    Model::unnamed(fit, 0)
}

fn said(model: &Model, x: &[f64], level: f64) -> Expectation {
    let values: Vec<Cell> = x.iter().map(|x| Cell::Number(*x)).collect();
    model.appraise(&values, level, &mut Vec::new()).unwrap().unwrap().expectation
}

#[test]
fn tests_and_limits_agree_with_r() {
    let path = format!("{}/../../tests/golden/amount_limits.json", env!("CARGO_MANIFEST_DIR"));
    let cases: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(cases.len(), 10);
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        let (weights, level) = (numbers(&case["w"]), case["level"].as_f64().unwrap());
        let mut design = Design::default();
        for (row, amount) in numbers(&case["y"]).into_iter().enumerate() {
            design.push_amount(amount, weights[row], 0.0, &numbers(&case["X"][row])).unwrap();
        }
        let model = model(&design, case["family"].as_str().unwrap(), case["power"].as_f64());
        let mut largest = 0.0f64;
        let mut see = |what: &str, found: Option<f64>, expected: f64| {
            let found = found.unwrap_or_else(|| panic!("{name}, {what}: none for {expected}"));
            let difference = (found - expected).abs() / (1e-3 + expected.abs());
            assert!(difference < 1e-8, "{name}, {what}: {found} for {expected}, off by {difference:e}");
            largest = largest.max(difference);
        };
        let rows = model.coefficients(level).unwrap().unwrap();
        let limits = case["lower"].is_array().then(|| (numbers(&case["lower"]), numbers(&case["upper"])));
        assert_eq!(rows.len(), numbers(&case["t"]).len(), "{name}");
        for (i, row) in rows.iter().enumerate() {
            see("t", row.z, case["t"][i].as_f64().unwrap());
            see("p", row.p_value, case["p"][i].as_f64().unwrap());
            if let Some((lower, upper)) = &limits {
                see("lower", row.lower, lower[i]);
                see("upper", row.upper, upper[i]);
            }
        }
        for at in case["said"].as_array().unwrap() {
            let x = numbers(&at["x"]);
            let said = said(&model, &x, level);
            see("value", Some(said.value), at["value"].as_f64().unwrap());
            see("mean's lower", said.lower, at["limits"][0].as_f64().unwrap());
            see("mean's upper", said.upper, at["limits"][1].as_f64().unwrap());
            if at["outcome"].is_array() {
                let values: Vec<Cell> = x.iter().map(|x| Cell::Number(*x)).collect();
                let outcomes = model.outcomes(&values, level, &mut Vec::new()).unwrap().unwrap();
                see("outcome's lower", Some(outcomes.lower), at["outcome"][0].as_f64().unwrap());
                see("outcome's upper", Some(outcomes.upper), at["outcome"][1].as_f64().unwrap());
            }
        }
        println!("{name:<36} {largest:e}");
    }
}

#[test]
fn degrees_of_freedom_pool() {
    let infinite = f64::INFINITY;
    // (1 + 2)² / (1² / 4 + 2² / 16) = 18; what is known adds no doubt about the variance.
    assert!((pooled_degrees_of_freedom([(1.0, 4.0), (2.0, 16.0)]) - 18.0).abs() < 1e-12);
    assert!((pooled_degrees_of_freedom([(3.0, infinite), (1.0, 5.0)]) - 80.0).abs() < 1e-12);
    assert_eq!(pooled_degrees_of_freedom([(2.0, 7.0)]), 7.0);
    assert_eq!(pooled_degrees_of_freedom([(0.0, 3.0), (2.0, infinite)]), infinite);
    assert_eq!(pooled_degrees_of_freedom([(0.0, 3.0)]), infinite);
    assert_eq!(pooled_degrees_of_freedom([(1e300, 7.0), (1e300, 9.0)]), 7.0);
}

const SAMPLES: usize = 4000;

/// Shares of the samples of `rows` rows in which limits at 90 % hold the truth: ours, and the same by the normal law.
fn coverage(rows: usize, family: Family, truth: f64, amount: impl Fn(&mut Chance, f64) -> f64) -> [f64; 2] {
    let mut chance = Chance::new(20);
    let mut held = [0; 2];
    let shrink = student::critical_value(0.9, f64::INFINITY);
    for _ in 0..SAMPLES {
        let mut design = Design::default();
        for _ in 0..rows {
            let x = [chance.normal(), chance.uniform()];
            let amount = amount(&mut chance, 1.0 + 0.5 * x[0] - x[1]);
            design.push_amount(amount, 1.0, 0.0, &x).unwrap();
        }
        let fit = fit(&design, &Options { family, penalty: 0.0 }, &mut go_on).unwrap();
        let said = fit.expectation(&[0.5, 0.2], 0.9).unwrap();
        held[0] += usize::from(said.lower.unwrap() <= truth && truth <= said.upper.unwrap());
        let link = |mean: f64| if family.has_log_link() { mean.ln() } else { mean };
        let deviation = fit.variance(&[0.5, 0.2]).unwrap().sqrt();
        held[1] += usize::from((link(said.value) - link(truth)).abs() <= shrink * deviation);
    }
    held.map(|held| held as f64 / SAMPLES as f64)
}

#[test]
fn small_samples_hold_the_truth_as_often_as_they_say() {
    let eta: f64 = 1.0 + 0.5 * 0.5 - 0.2;
    for rows in [8, 12, 20] {
        let [ours, normal] = coverage(rows, Family::Linear, eta, |chance, eta| eta + 1.5 * chance.normal());
        println!("linear, {rows} rows: {ours}, by the normal law {normal}");
        // Exact, so that three standard deviations of the simulation are all it may be off by.
        assert!((ours - 0.9).abs() < 0.0143, "{rows}: {ours}");
        assert!(normal < ours - 0.015, "{rows}: {normal}");
    }
    let [ours, normal] = coverage(20, Family::Gamma, eta.exp(), |chance, eta| eta.exp() * chance.gamma(2.0) / 2.0);
    println!("gamma, 20 rows: {ours}, by the normal law {normal}");
    assert!((0.87..0.92).contains(&ours) && normal < ours, "{ours} {normal}");
}
