//! Mixture cure models (Berkson & Gage 1952; Farewell 1982) against the likelihood maximised by R: every case of
//! `tests/golden/cure.R`.

use ltv_engine::hazard::parametric::fit_terms;
use ltv_engine::hazard::{Design, Status};
use ltv_engine::survival::distribution::Distribution;
use serde_json::Value;

use crate::go_on;
use crate::golden_support::{Comparison, numbers, table};

const CASES: [&str; 11] = [
    "colon_weibull",
    "colon_lognormal",
    "colon_loglogistic",
    "colon_exponential",
    "colon_weibull_cure",
    "colon_weibull_both",
    "colon_lognormal_both",
    "telco_weibull",
    "gbsg2_lognormal",
    "unemployment_lognormal",
    // Next to no cured share: the likelihood rises by 1e-4 over that without one.
    "rossi_weibull",
];

fn golden(name: &str) -> Value {
    let path = format!("{}/../../tests/golden/cure/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap()
}

fn design(case: &Value) -> Design {
    let mut design = Design::default();
    let text = |key: &str| case[key].as_str().unwrap();
    for (i, row) in (1..).zip(table(text("csv"))) {
        let covariates = case["covariates"].as_array().unwrap().iter();
        let x: Vec<f64> = covariates
            .map(|covariate| {
                let column = covariate["column"].as_str().unwrap();
                match covariate["level"].as_str() {
                    Some(level) => f64::from(u8::from(row[column] == level)),
                    None => row[column].parse().unwrap(),
                }
            })
            .collect();
        let time: f64 = row[text("time")].parse().unwrap();
        let weight = if case["weights"] == true { 1.0 + f64::from(i % 3) / 2.0 } else { 1.0 };
        if time > 0.0 {
            design.push(None, time, row[text("event")] == text("event_is"), weight, &x).unwrap();
        }
    }
    design
}

#[test]
fn cure_models_agree_with_the_written_likelihood() {
    // The score is written out in R; the information is its Jacobian by numDeriv, which is Richardson's.
    let (mut maxima, mut errors) = (Comparison::with_tolerance(1e-7), Comparison::with_tolerance(1e-7));
    for name in CASES {
        let case = golden(name);
        let design = design(&case);
        assert_eq!(design.len() as u64, case["rows"].as_u64().unwrap(), "{name}");
        let inner = match case["distribution"].as_str().unwrap() {
            "weibull" => Distribution::Weibull,
            "lognormal" => Distribution::LogNormal,
            "loglogistic" => Distribution::LogLogistic,
            _ => Distribution::Exponential,
        };
        let chosen = |key: &str| -> Vec<usize> {
            numbers(&case[key]).into_iter().map(|place| place.unwrap() as usize - 1).collect()
        };
        let (location, cured) = (chosen("location"), chosen("cure"));
        let fit = fit_terms(&design, &Distribution::Cure(Box::new(inner)), &location, &cured, &mut go_on).unwrap();
        assert_eq!(fit.status, Status::Converged, "{name}");
        maxima.check(name, "log-likelihood", fit.log_likelihood, case["log_likelihood"].as_f64());
        let size = fit.coefficients.len();
        let their_errors = numbers(&case["se"]);
        for (i, reference) in numbers(&case["parameters"]).into_iter().enumerate() {
            // R's scale is the same logarithm; the order is location, scale, cured share.
            // In standard errors: a share next to 0 has no digits of its own.
            let apart = (fit.coefficients[i].unwrap() - reference.unwrap()) / their_errors[i].unwrap();
            maxima.check(name, &format!("parameter in standard errors[{i}]"), apart, Some(0.0));
            errors.check(name, &format!("standard error[{i}]"), fit.covariance[i * (size + 1)].sqrt(), their_errors[i]);
        }
    }
    maxima.finish();
    errors.finish();
}
