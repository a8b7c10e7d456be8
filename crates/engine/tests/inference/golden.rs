//! Against R's survival: every case of tests/golden/cox_inference, written by cox_inference.R beside it.

use std::path::PathBuf;

use ltv_engine::assess::concordance_error::Estimated;
use ltv_engine::hazard::design::Row;
use ltv_engine::hazard::proportionality::{Transform, proportional_hazards_test};
use ltv_engine::hazard::residuals::{Residual, residuals};
use ltv_engine::hazard::{CoxFit, Design, Ties};
use ltv_engine::model::Model;
use serde_json::Value;

use crate::golden_support::tell;
use crate::{fitted, go_on};

/// Closed forms agree to 1e-9 of the largest number of their kind, of which both sides know no more.
const TOLERANCE: f64 = 1e-9;

/// What is known to differ from R: (case, quantity, why).
const EXCEPTIONS: &[(&str, &str, &str)] = &[];

struct Ledger {
    case: String,
    compared: usize,
    worst: (f64, String),
    failures: Vec<String>,
}

impl Ledger {
    /// Compares relative to the larger of the reference and `unit`.
    fn check(&mut self, quantity: &str, ours: Option<f64>, reference: Option<f64>, unit: f64) {
        self.compared += 1;
        let difference = match (ours, reference) {
            (None, None) => 0.0,
            (Some(ours), Some(reference)) if ours == reference => 0.0,
            (Some(ours), Some(reference)) => (ours - reference).abs() / reference.abs().max(unit),
            _ => f64::INFINITY,
        };
        let difference = if difference.is_nan() { f64::INFINITY } else { difference };
        tell(&self.case, quantity, ours, reference, difference);
        if difference > self.worst.0 {
            self.worst = (difference, quantity.into());
        }
        let excepted = EXCEPTIONS.iter().any(|(case, name, _)| *case == self.case && quantity.starts_with(name));
        if difference > TOLERANCE && !excepted {
            self.failures.push(format!(
                "{}: {quantity}: ours {ours:?}, reference {reference:?}, relative difference {difference:.3e}",
                self.case
            ));
        }
    }

    /// Lists of numbers, relative to the largest of each list.
    fn check_all(&mut self, quantity: &str, ours: &[Option<f64>], reference: &Value) {
        let reference = numbers(reference);
        assert_eq!(ours.len(), reference.len(), "{}: {quantity}", self.case);
        let unit = reference.iter().flatten().fold(0.0, |largest: f64, value| largest.max(value.abs()));
        for (i, (ours, reference)) in ours.iter().zip(reference).enumerate() {
            self.check(&format!("{quantity}[{i}]"), *ours, reference, unit);
        }
    }
}

/// A number, or a list of numbers, or a list of lists; `null` is undefined.
fn numbers(value: &Value) -> Vec<Option<f64>> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        Value::Null => vec![None],
        _ => vec![Some(value.as_f64().unwrap_or_else(|| panic!("{value} is not a number")))],
    }
}

fn design(case: &Value) -> Design {
    let columns = &case["design"];
    let floats = |name: &str| columns[name].as_array().map(|_| numbers(&columns[name]));
    let (exits, events) = (floats("exit").unwrap(), floats("event").unwrap());
    let (entries, weights, offsets) = (floats("entry"), floats("weight"), floats("offset"));
    let mut design = Design::default();
    for (i, (exit, event)) in exits.iter().zip(events).enumerate() {
        let at =
            |column: &Option<Vec<Option<f64>>>, absent| column.as_ref().map_or(absent, |values| values[i].unwrap());
        let label = |name: &str| columns[name].as_array().map(|labels| labels[i].as_str());
        let x: Vec<f64> = numbers(&columns["x"][i]).into_iter().map(Option::unwrap).collect();
        let row = Row {
            entry: at(&entries, 0.0).max(0.0),
            exit: exit.unwrap(),
            event: event == Some(1.0),
            weight: at(&weights, 1.0),
            offset: at(&offsets, 0.0),
            stratum: label("stratum").map(Option::unwrap),
            cluster: label("cluster"),
            x: &x,
            ..Row::default()
        };
        design.push_row(&row).unwrap();
    }
    design
}

fn check_fit(ledger: &mut Ledger, fit: &CoxFit, answer: &Value) {
    let p = fit.coefficients.len();
    let some = |values: &[f64]| values.iter().copied().map(Some).collect::<Vec<_>>();
    let errors = |covariance: &[f64]| (0..p).map(|i| Some(covariance[i * (p + 1)].sqrt())).collect::<Vec<_>>();
    ledger.check_all("coefficients", &fit.coefficients, &answer["coefficients"]);
    ledger.check_all("std_error", &errors(&fit.covariance), &answer["std_error"]);
    ledger.check("likelihood_ratio", Some(fit.likelihood_ratio_test), answer["likelihood_ratio"].as_f64(), 0.0);
    ledger.check("score", Some(fit.score_test), answer["score"].as_f64(), 0.0);
    assert_eq!(fit.degrees_of_freedom as u64, answer["df"].as_u64().unwrap());
    let wald = fit.robust.as_ref().map_or(fit.wald_test, |robust| robust.wald_test);
    ledger.check("wald", Some(wald), answer["wald"].as_f64(), 0.0);
    assert_eq!(fit.robust.is_some(), !answer["robust_std_error"].is_null());
    if let Some(robust) = &fit.robust {
        ledger.check_all("robust_std_error", &errors(&robust.covariance), &answer["robust_std_error"]);
        ledger.check_all("robust_covariance", &some(&robust.covariance), &answer["robust_covariance"]);
        ledger.check("robust_score", Some(robust.score_test), answer["robust_score"].as_f64(), 0.0);
    }
}

fn check_residuals(ledger: &mut Ledger, design: &Design, fit: &CoxFit, answer: &Value) {
    let kinds = [
        ("martingale", "row", Residual::Martingale),
        ("deviance", "row", Residual::Deviance),
        ("score", "row", Residual::Score),
        ("dfbeta", "row", Residual::Dfbeta),
        ("dfbetas", "row", Residual::Dfbetas),
        ("schoenfeld", "death", Residual::Schoenfeld),
        ("scaled_schoenfeld", "death", Residual::ScaledSchoenfeld),
    ];
    for (name, rows, kind) in kinds {
        if answer[name].is_null() {
            continue;
        }
        let ours = residuals(design, fit, kind, &mut go_on).unwrap();
        let of_row = |row: Option<f64>| {
            let at = ours.rows.binary_search(&(row.unwrap() as usize - 1)).unwrap();
            ours.values[at * ours.columns..(at + 1) * ours.columns].iter().copied().map(Some)
        };
        let picked: Vec<Option<f64>> = numbers(&answer[rows]).into_iter().flat_map(of_row).collect();
        let mut reference = answer[name].clone();
        // A covariate without a coefficient has residuals that mean nothing.
        let picked = match fit.coefficients.iter().position(Option::is_none) {
            Some(aliased) if kind.is_per_term() => {
                for row in reference.as_array_mut().unwrap() {
                    row.as_array_mut().unwrap().remove(aliased);
                }
                let kept = |(i, value): (usize, Option<f64>)| (i % ours.columns != aliased).then_some(value);
                picked.into_iter().enumerate().filter_map(kept).collect()
            }
            _ => picked,
        };
        ledger.check_all(name, &picked, &reference);
    }
}

fn check_proportionality(ledger: &mut Ledger, design: &Design, fit: &CoxFit, case: &Value) {
    let terms: Vec<Vec<usize>> = case["terms"].as_array().unwrap().iter().map(columns).collect();
    for (name, tests) in case["proportional_hazards"].as_object().into_iter().flatten() {
        let transform: Transform = name.parse().unwrap();
        let ours = proportional_hazards_test(design, fit, transform, &terms, &mut go_on).unwrap();
        let ours: Vec<_> = ours.into_iter().filter(|test| test.degrees_of_freedom > 0).collect();
        let tests = tests.as_array().unwrap();
        assert_eq!(ours.len(), tests.len(), "{}: {name}", ledger.case);
        for (i, (ours, test)) in ours.iter().zip(tests).enumerate() {
            // A statistic of next to nothing is the square of a difference of large numbers.
            ledger.check(&format!("proportional {name}[{i}]"), ours.chi_squared, test["chi_squared"].as_f64(), 0.01);
            assert_eq!(ours.degrees_of_freedom as u64, test["df"].as_u64().unwrap());
        }
    }
}

/// The columns of a term, which R counts from 1.
fn columns(term: &Value) -> Vec<usize> {
    numbers(term).into_iter().map(|column| column.unwrap() as usize - 1).collect()
}

fn check_concordance(ledger: &mut Ledger, ours: &Estimated, answer: &Value) {
    let counts = ours.counts;
    ledger.check("concordance", counts.estimate(), answer["concordance"].as_f64(), 0.0);
    ledger.check("concordance std_error", ours.std_error, answer["std_error"].as_f64(), 0.0);
    for (name, count) in [
        ("concordant", counts.concordant),
        ("discordant", counts.discordant),
        ("tied_risk", counts.tied_x),
        ("tied_time", counts.tied_y),
        ("tied_both", counts.tied_xy),
    ] {
        ledger.check(name, Some(count), answer[name].as_f64(), 1.0);
    }
}

#[test]
fn every_case_agrees_with_r() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/cox_inference");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 40, "{} cases", files.len());
    let (mut failures, mut compared) = (Vec::new(), 0);
    for file in files {
        let case: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let ties = match case["ties"].as_str() {
            Some("breslow") => Ties::Breslow,
            Some("exact") => Ties::Exact,
            _ => Ties::Efron,
        };
        let design = design(&case);
        // A case in which R was asked for the robust variance has neither clusters nor fractional weights.
        let fit = fitted(&design, ties, case["robust"].as_bool().filter(|robust| *robust));
        let name = case["case"].as_str().unwrap().to_string();
        let mut ledger = Ledger { case: name, compared: 0, worst: (0.0, String::new()), failures: Vec::new() };
        check_fit(&mut ledger, &fit, &case["fit"]);
        check_residuals(&mut ledger, &design, &fit, &case["residuals"]);
        check_proportionality(&mut ledger, &design, &fit, &case);
        let model = Model::unnamed(fit, 0);
        check_concordance(&mut ledger, &model.concordance(&design, &mut go_on).unwrap(), &case["concordance"]);
        println!(
            "{:<28} {:>5} numbers, worst {:8.1e} at {}",
            ledger.case, ledger.compared, ledger.worst.0, ledger.worst.1
        );
        compared += ledger.compared;
        failures.extend(ledger.failures);
    }
    println!("{compared} numbers compared");
    let shown: Vec<&str> = failures.iter().take(60).map(String::as_str).collect();
    assert!(shown.is_empty(), "{} of {compared} differ:\n{}", failures.len(), shown.join("\n"));
}
