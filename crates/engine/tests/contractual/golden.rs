//! Every case of `tests/golden/contractual.py`.

use ltv_engine::btyd::contractual::Status;
use ltv_engine::btyd::{Family, Renewals};
use serde_json::Value;

use crate::golden_support::{Comparison, numbers};
use crate::{fit, sample};

const CASES: [&str; 20] = [
    "regular_4_sbg",
    "regular_4_bdw",
    "regular_7_sbg",
    "regular_7_bdw",
    "regular_12_sbg",
    "regular_12_bdw",
    "high_end_4_sbg",
    "high_end_4_bdw",
    "high_end_7_sbg",
    "high_end_7_bdw",
    "high_end_12_sbg",
    "high_end_12_bdw",
    "unequal_ages_sbg",
    "unequal_ages_bdw",
    "regimes_democracy_sbg",
    "regimes_democracy_dw",
    "regimes_non_democracy_sbg",
    "regimes_non_democracy_dw",
    "late_entry_sbg",
    "late_entry_dw",
];

fn read(case: &str) -> Value {
    let path = format!("{}/../../tests/golden/contractual/{case}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The counts as rows with weights. A late entry is that of a customer who leaves at some later time, so each takes the
/// place of one with the longest duration.
fn renewals(golden: &Value) -> Renewals {
    let count = |row: &Value, what: &str| row[what].as_f64().unwrap();
    let rows = golden["counts"].as_array().unwrap();
    let entered: f64 = rows.iter().map(|row| count(row, "entered")).sum();
    let entry = if entered > 0.0 { 2.0 } else { 0.0 };
    let mut all = Vec::new();
    for row in rows {
        let duration = count(row, "duration");
        for (what, churned) in [("lost", true), ("kept", false)] {
            if count(row, what) > 0.0 {
                all.push((entry, duration, churned, count(row, what)));
            }
        }
    }
    let total: f64 = all.iter().map(|(_, _, _, weight)| weight).sum();
    assert!(entered == 0.0 || entered == total, "either all enter late or none");
    Renewals::of_sample(&sample(&all), 1.0).unwrap()
}

#[test]
fn agrees_with_the_reference() {
    let (mut optimised, mut read_off) = (Comparison::with_tolerance(1e-9), Comparison::with_tolerance(1e-9));
    for case in CASES {
        let golden = read(case);
        let answer = &golden["answer"];
        let family = if golden["family"] == "sbg" { Family::BetaGeometric } else { Family::BetaDiscreteWeibull };
        let fit = fit(renewals(&golden), family);
        // The limit in which customers do not differ has c and the hazard of the first period for parameters.
        let is_limit = golden["family"] == "dw";
        assert_eq!(fit.status, if is_limit { Status::Homogeneous } else { Status::Converged }, "{case}");
        optimised.check(case, "log-likelihood", fit.log_likelihood, answer["log_likelihood"].as_f64());
        let (parameters, errors) = (numbers(&answer["parameters"]), numbers(&answer["std_errors"]));
        let curve = fit.curve();
        for (place, (value, error)) in parameters.into_iter().zip(errors).enumerate() {
            let found = match (is_limit, place) {
                (true, 0) => {
                    let hazard = curve.cumulative_hazard_at(1.0).unwrap();
                    Some((hazard.ln(), Some(curve.log_variance_at(1.0).unwrap().sqrt() / hazard)))
                }
                (true, _) => fit.log_estimate(2),
                (false, _) => fit.log_estimate(place),
            };
            let (log, log_error) = found.unwrap();
            optimised.check(case, &format!("parameter [{place}]"), log.exp(), value);
            optimised.check(case, &format!("std_error [{place}]"), log_error.map(|e| e * log.exp()), error);
        }
        let rows = fit.retention(24, 0.95).unwrap();
        let (survival, retention) = (numbers(&answer["survival"]), numbers(&answer["retention"]));
        for (row, (s, r)) in rows.iter().zip(survival.into_iter().zip(retention)) {
            let k = f64::from(row.period);
            read_off.check(case, &format!("survival [{k}]"), row.survival.survival, s);
            read_off.check(case, &format!("survival of the curve [{k}]"), curve.survival_at(k + 0.5), s);
            read_off.check(case, &format!("retention [{k}]"), row.retention.survival, r);
        }
        for row in answer["conditional"].as_array().unwrap() {
            let (made, next) = (row["made"].as_f64().unwrap(), row["next"].as_f64().unwrap());
            let name = format!("conditional renewal [{made}, {next}]");
            read_off.check(case, &name, fit.conditional_renewal(made, next), row["value"].as_f64());
            let by_curve = curve.renewal_probability(made, made + next).unwrap();
            read_off.check(case, &name, by_curve, row["value"].as_f64());
        }
        for what in ["derl", "expected_lifetime"] {
            for row in answer[what].as_array().unwrap() {
                let part = |name: &str| row[name].as_f64().unwrap();
                let (made, rate, months) = (part("made"), part("rate"), part("months"));
                let ours = match what {
                    "derl" => fit.discounted_residual_lifetime(made, rate, months),
                    _ => fit.expected_lifetime(made, rate, months),
                };
                let name = format!("{what} [{made}, {rate}, {months}]");
                read_off.check(case, &name, ours.unwrap(), row["value"].as_f64());
            }
        }
    }
    optimised.finish();
    read_off.finish();
}
