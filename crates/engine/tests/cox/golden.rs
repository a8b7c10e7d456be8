//! Cox models of the golden files: coefficients, covariance, tests, predictions, concordance; and what a permutation of
//! the same rows does to them.

use ltv_engine::assess::concordance::{Outcomes, concordance};
use ltv_engine::hazard::{CoxFit, Design, Status, Ties};
use serde_json::Value;

use crate::cases::CASES;
use crate::golden_support::{golden, tell};
use crate::{fit_cox, go_on, variance};

/// A number, or a list of numbers, or a list of lists.
fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        _ => vec![value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))],
    }
}

/// Collects what differs, and the worst difference of each case.
struct Ledger {
    name: String,
    worst: f64,
    worst_at: String,
    failures: Vec<String>,
}

impl Ledger {
    fn new(name: String) -> Ledger {
        Ledger { name, worst: 0.0, worst_at: String::new(), failures: Vec::new() }
    }

    /// Compares relative to the larger of the reference and `unit`.
    fn check(&mut self, quantity: &str, ours: f64, reference: f64, unit: f64, tolerance: f64) {
        let scale = reference.abs().max(unit);
        let difference = if ours == reference { 0.0 } else { (ours - reference).abs() / scale };
        let difference = if difference.is_nan() { f64::INFINITY } else { difference };
        tell(&self.name, quantity, Some(ours), Some(reference), difference);
        if difference > self.worst {
            (self.worst, self.worst_at) = (difference, quantity.into());
        }
        if difference > tolerance {
            self.failures.push(format!("{} {quantity}: {ours} but {reference}, off by {difference:.1e}", self.name));
        }
    }

    fn done(self, failures: &mut Vec<String>) {
        println!("{:<40} worst {:8.1e} at {}", self.name, self.worst, self.worst_at);
        failures.extend(self.failures);
    }
}

/// Ten and a hundred times tighter than what is promised (1e-9 and 1e-7).
const LIKELIHOOD: f64 = 1e-10;
const OPTIMISED: f64 = 1e-9;

fn check_fit(ledger: &mut Ledger, fit: &CoxFit, reference: &Value) {
    assert_eq!(fit.status, Status::Converged, "{}", ledger.name);
    assert_eq!(fit.rows as u64, reference["n"].as_u64().unwrap(), "{}", ledger.name);
    assert_eq!(fit.events as u64, reference["events"].as_u64().unwrap(), "{}", ledger.name);
    assert_eq!(fit.weighted_events, fit.events as f64);
    let errors = numbers(&reference["se"]);
    for (i, coefficient) in numbers(&reference["coef"]).into_iter().enumerate() {
        ledger.check(&format!("coef {i}"), fit.coefficients[i].unwrap(), coefficient, 0.0, OPTIMISED);
        ledger.check(&format!("se {i}"), fit.standard_error(i).unwrap(), errors[i], 0.0, OPTIMISED);
    }
    ledger.check("loglik null", fit.log_likelihood_null, number(&reference["loglik_null"]), 0.0, LIKELIHOOD);
    ledger.check("loglik", fit.log_likelihood, number(&reference["loglik"]), 0.0, LIKELIHOOD);
    ledger.check("score", fit.score_test, number(&reference["score_chisq"]), 0.0, OPTIMISED);
    // Where a cluster is named R's Wald test is the robust one.
    if reference["robust_se"].is_null() {
        ledger.check("wald", fit.wald_test, number(&reference["wald_chisq"]), 0.0, OPTIMISED);
    }
    ledger.check("lr", fit.likelihood_ratio_test, number(&reference["lrt"]["chisq"]), 0.0, OPTIMISED);
    assert_eq!(fit.degrees_of_freedom as u64, reference["lrt"]["df"].as_u64().unwrap());
    if reference["vcov"].is_array() {
        let p = errors.len();
        for (i, value) in numbers(&reference["vcov"]).into_iter().enumerate() {
            // A covariance next to 0 is known to a share of the two standard errors.
            let unit = errors[i / p] * errors[i % p];
            ledger.check(&format!("vcov {},{}", i / p, i % p), fit.covariance[i], value, unit, OPTIMISED);
        }
    }
}

fn number(value: &Value) -> f64 {
    numbers(value)[0]
}

#[test]
fn agrees_with_r_on_every_data_set() {
    let mut failures = Vec::new();
    for case in CASES {
        let reference = golden(case.set);
        let section = reference.pointer(case.at).unwrap();
        let design = case.design();
        for (ties, name) in [(Ties::Efron, "efron"), (Ties::Breslow, "breslow")] {
            let one_block = section["coef"].is_array();
            let block = if one_block && ties == Ties::Efron { Some(section) } else { section.get(name) };
            let Some(block) = block else { continue };
            let mut ledger = Ledger::new(format!("{} {name}", case.set));
            let fit = fit_cox(&design, ties);
            check_fit(&mut ledger, &fit, block);
            if ties == Ties::Efron && !case.profile.is_empty() {
                check_prediction(&mut ledger, &fit, case.profile, &section["prediction"]);
            }
            if block["concordance"].is_object() {
                check_concordance(&mut ledger, &design, &fit, &block["concordance"]);
            }
            ledger.done(&mut failures);
        }
    }
    assert!(failures.is_empty(), "{} differences:\n{}", failures.len(), failures.join("\n"));
}

fn outcomes(design: &Design) -> Outcomes<'_> {
    let (exits, events) = (design.exits(), design.events());
    Outcomes { exits, events, entries: design.entries(), weights: design.weights() }
}

fn risks(design: &Design, fit: &CoxFit) -> Vec<f64> {
    design.x().chunks(design.covariates()).map(|x| fit.linear_predictor(x)).collect()
}

/// Counts of pairs must be the same to the last one.
fn check_concordance(ledger: &mut Ledger, design: &Design, fit: &CoxFit, reference: &Value) {
    let counts = concordance(outcomes(design), &risks(design, fit), &mut go_on).unwrap();
    let ours = [counts.concordant, counts.discordant, counts.tied_x, counts.tied_y, counts.tied_xy];
    for (ours, name) in ours.into_iter().zip(["concordant", "discordant", "tied.x", "tied.y", "tied.xy"]) {
        ledger.check(name, ours, number(&reference["counts"][name]), 0.0, 0.0);
    }
    ledger.check("c", counts.estimate().unwrap(), number(&reference["c"]), 0.0, 1e-15);
}

fn check_prediction(ledger: &mut Ledger, fit: &CoxFit, profile: &[f64], reference: &Value) {
    let curve = fit.curve(&fit.baselines[0], profile);
    curve.validate().unwrap();
    let eta = fit.linear_predictor(profile);
    let uncentred = eta + fit.means.iter().zip(&fit.coefficients).map(|(mean, b)| mean * b.unwrap()).sum::<f64>();
    ledger.check("eta", uncentred, number(&reference["linear_predictor_uncentred"]), 0.0, OPTIMISED);
    let (survival, errors) = (numbers(&reference["surv"]), numbers(&reference["std_err"]));
    for ((time, survival), error) in numbers(&reference["times"]).into_iter().zip(survival).zip(errors) {
        let ours = (-fit.baselines[0].cumulative_hazard_of(time, eta)).exp();
        ledger.check(&format!("S({time})"), ours, survival, 0.0, OPTIMISED);
        let our_error = ours * variance(&curve, time).sqrt();
        ledger.check(&format!("SE S({time})"), our_error, error, 0.0, OPTIMISED);
    }
}

/// The same rows in another order, and in parts that are merged: the same answer within 1e-12.
#[test]
fn order_does_not_matter_to_real_data() {
    let mut failures = Vec::new();
    for case in CASES {
        let design = case.design();
        let (rows, p) = (design.len(), design.covariates());
        let mut parts = [Design::default(), Design::default(), Design::default()];
        // A fixed permutation: steps that have no divisor in common with the number of rows.
        let stride = (rows / 3..).find(|stride| gcd(*stride, rows) == 1).unwrap();
        for i in 0..rows {
            let row = i * stride % rows;
            let entry = design.entries().get(row).copied();
            let x = &design.x()[row * p..(row + 1) * p];
            parts[i * 7 % 3].push(entry, design.exits()[row], design.events()[row], 1.0, x).unwrap();
        }
        let [mut merged, second, third] = parts;
        merged.merge(&third).unwrap();
        merged.merge(&second).unwrap();
        for ties in [Ties::Efron, Ties::Breslow] {
            let mut ledger = Ledger::new(format!("{} {ties:?} permuted", case.set));
            let (ours, reference) = (fit_cox(&merged, ties), fit_cox(&design, ties));
            ledger.check("loglik", ours.log_likelihood, reference.log_likelihood, 0.0, 1e-12);
            for i in 0..p {
                let error = reference.standard_error(i).unwrap();
                let (ours_i, reference_i) = (ours.coefficients[i].unwrap(), reference.coefficients[i].unwrap());
                ledger.check(&format!("coef {i}"), ours_i, reference_i, error, 1e-12);
                ledger.check(&format!("se {i}"), ours.standard_error(i).unwrap(), error, 0.0, 1e-12);
                ledger.check(&format!("mean {i}"), ours.means[i], reference.means[i], 0.0, 1e-12);
            }
            let hazards = ours.baselines[0].cumulative_hazard.iter().zip(&reference.baselines[0].cumulative_hazard);
            hazards.for_each(|(ours, reference)| ledger.check("hazard", *ours, *reference, 0.0, 1e-12));
            let variances = ours.baselines[0].variance.iter().zip(&reference.baselines[0].variance);
            variances.for_each(|(ours, reference)| ledger.check("variance", *ours, *reference, 0.0, 1e-12));
            ledger.done(&mut failures);
        }
    }
    assert!(failures.is_empty(), "{} differences:\n{}", failures.len(), failures.join("\n"));
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
