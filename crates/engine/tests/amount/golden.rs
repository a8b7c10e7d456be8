//! Every case of `tests/golden/amount.R`.

use ltv_engine::amount::{AmountFit, Family, Options, fit, fit_two_part};
use ltv_engine::hazard::{Design, Status};
use ltv_engine::numeric::student;
use serde_json::Value;

use crate::go_on;
use crate::golden_support::table;

const TOLERANCE: f64 = 1e-8;

fn cases(two_part: bool) -> Vec<Value> {
    let directory = format!("{}/../../tests/golden/amount", env!("CARGO_MANIFEST_DIR"));
    let mut paths: Vec<_> = std::fs::read_dir(directory).unwrap().map(|file| file.unwrap().path()).collect();
    paths.sort();
    let cases = paths.iter().map(|path| serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap());
    let cases: Vec<Value> = cases.filter(|case: &Value| case["two_part"].is_null() != two_part).collect();
    assert!(cases.len() == if two_part { 2 } else { 16 });
    cases
}

fn design(case: &Value) -> Design {
    let mut design = Design::default();
    let flag = |key: &str| case[key].as_bool().unwrap_or(false);
    if let Some(rows) = case["rows_given"].as_array() {
        for row in rows {
            let row: Vec<f64> = row.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
            design.push_amount(row[6], 1.0, 0.0, &row[..6]).unwrap();
        }
        return design;
    }
    for (i, row) in (1..).zip(table(case["csv"].as_str().unwrap())) {
        let value = |column: &str| row[column].parse::<f64>().ok();
        let covariates = case["covariates"].as_array().unwrap().iter();
        let x: Option<Vec<f64>> = covariates
            .map(|covariate| {
                let column = covariate["column"].as_str().unwrap();
                match &covariate["level"] {
                    Value::Null => value(column),
                    level => {
                        let level = level.as_str().map_or_else(|| level.to_string(), str::to_owned);
                        Some(f64::from(u8::from(row[column] == level)))
                    }
                }
            })
            .collect();
        let (Some(x), Some(amount)) = (x, value(case["amount"].as_str().unwrap())) else { continue };
        if amount > 0.0 || !flag("positive") {
            let weight = if flag("weights") { f64::from(1 + i % 3) } else { 1.0 };
            let offset = if flag("offsets") { 0.1 * f64::from(i % 5) } else { 0.0 };
            design.push_amount(amount, weight, offset, &x).unwrap();
        }
    }
    design
}

fn family(case: &Value) -> Family {
    match case["family"].as_str().unwrap() {
        "linear" => Family::Linear,
        "gamma" => Family::Gamma,
        _ => Family::Tweedie { power: case["power"].as_f64().unwrap() },
    }
}

/// The largest relative difference so far.
struct Largest(f64);

impl Largest {
    fn see(&mut self, what: &str, found: f64, expected: &Value) {
        let expected = expected.as_f64().unwrap_or_else(|| panic!("{what}: {expected}"));
        let difference = (found - expected).abs() / expected.abs().max(1e-300);
        assert!(difference <= TOLERANCE, "{what}: {found} for {expected}, off by {difference:e}");
        self.0 = self.0.max(difference);
    }

    fn compare(&mut self, name: &str, fit: &AmountFit, case: &Value) {
        assert_eq!(fit.rows as u64, case["rows"].as_u64().unwrap(), "{name}");
        assert_eq!(fit.status, Status::Converged, "{name}");
        for (i, expected) in case["coefficients"].as_array().unwrap().iter().enumerate() {
            match (fit.coefficients[i], expected.is_null()) {
                (None, true) => assert!(fit.standard_error(i).is_none()),
                (Some(found), false) => {
                    self.see(&format!("{name} {i}"), found, expected);
                    self.see(&format!("{name} error {i}"), fit.standard_error(i).unwrap(), &case["se"][i]);
                }
                other => panic!("{name} {i}: {other:?}"),
            }
        }
        let (intercept, error) = fit.intercept();
        self.see(&format!("{name} intercept"), intercept, &case["intercept"]);
        self.see(&format!("{name} intercept's error"), error.unwrap(), &case["intercept_se"]);
        self.see(&format!("{name} dispersion"), fit.dispersion.unwrap(), &case["dispersion"]);
        self.see(&format!("{name} deviance"), fit.deviance, &case["deviance"]);
        self.see(&format!("{name} null deviance"), fit.null_deviance, &case["null_deviance"]);
        if !case["log_likelihood"].is_null() {
            self.see(&format!("{name} likelihood"), fit.log_likelihood.unwrap(), &case["log_likelihood"]);
        }
        let x: Vec<f64> = case["x"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
        if case["part"].is_null() && case["eta"].is_number() {
            self.see(&format!("{name} predictor"), fit.linear_predictor(&x), &case["eta"]);
            self.see(&format!("{name} predictor's error"), fit.variance(&x).unwrap().sqrt(), &case["eta_se"]);
            let t = student::critical_value(0.95, fit.degrees_of_freedom());
            let said = fit.expectation(&x, 0.95).unwrap();
            self.see(&format!("{name} expectation"), said.value, &case["expected"]);
            let eta = case["eta"].as_f64().unwrap() + t * case["eta_se"].as_f64().unwrap();
            self.see(&format!("{name} limit"), said.upper.unwrap(), &fit.family.mean(eta).into());
        }
    }
}

#[test]
fn models_agree_with_r() {
    let mut largest = Largest(0.0);
    for case in cases(false) {
        let penalty = case["penalty"].as_f64().unwrap_or(0.0);
        let options = Options { family: family(&case), penalty };
        let fit = fit(&design(&case), &options, &mut go_on).unwrap();
        let before = std::mem::replace(&mut largest.0, 0.0);
        largest.compare(case["name"].as_str().unwrap(), &fit, &case);
        println!("{:<28} {:e}", case["name"].as_str().unwrap(), largest.0);
        largest.0 = largest.0.max(before);
    }
    println!("largest difference {:e}", largest.0);
}

#[test]
fn two_part_models_agree_with_r() {
    let mut largest = Largest(0.0);
    for case in cases(true) {
        let name = case["name"].as_str().unwrap();
        let options = Options { family: family(&case), penalty: 0.0 };
        let fit = fit_two_part(&design(&case), &options, 0.0, &mut go_on).unwrap();
        let amount = fit.amount.as_ref().unwrap();
        let x: Vec<f64> = case["x"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
        largest.compare(name, amount, &case["part"]);
        for i in 0..x.len() {
            let found = fit.occurrence.coefficients[i].unwrap();
            largest.see(&format!("{name} odds {i}"), found, &case["occurrence"][i]);
            let error = fit.occurrence.standard_error(i).unwrap();
            largest.see(&format!("{name} odds error {i}"), error, &case["occurrence_se"][i]);
        }
        largest.see(&format!("{name} probability"), fit.probability(&x).unwrap(), &case["probability"]);
        // By hand: P(amount > 0) times the mean of what there is then, the variances of the parts added.
        let p = case["probability"].as_f64().unwrap();
        let said = fit.expectation(&x, 0.95).unwrap();
        largest.see(&format!("{name} expectation"), said.value, &case["expected"]);
        let [odds, eta] = [0, 1].map(|i| case["variances"][i].as_f64().unwrap());
        let mean = said.value / p;
        let is_linear = amount.family == Family::Linear;
        let by_odds = odds * ((1.0 - p) * if is_linear { mean } else { 1.0 }).powi(2);
        // Satterthwaite's degrees of freedom of a known variance and an estimated one.
        let freedom = (by_odds + eta).powi(2) / (eta * eta / amount.degrees_of_freedom());
        let width = student::critical_value(0.95, freedom) * (by_odds + eta).sqrt();
        let upper = if is_linear { said.value + p * width } else { said.value * width.exp() };
        largest.see(&format!("{name} limit"), said.upper.unwrap(), &upper.into());
    }
    println!("largest difference {:e}", largest.0);
}
