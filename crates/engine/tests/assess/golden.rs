//! The golden files that score a model: logistic regressions, and Cox models under censoring.

use serde_json::Value;

use ltv_engine::assess::brier::brier_score;
use ltv_engine::assess::calibration::Calibration;
use ltv_engine::assess::concordance::Outcomes;
use ltv_engine::assess::reliability::Binning;
use ltv_engine::numeric::tally::Budget;

use crate::design::Design;
use crate::golden_support::{Comparison, Subject, case, golden, names, number, numbers};

const TOLERANCE: f64 = 1e-9;

/// R: `glm(binomial)`, the scores of its fitted values, and their calibration by tenths.
#[test]
fn logistic_regressions() {
    let mut comparison = Comparison::with_tolerance(TOLERANCE);
    for name in names() {
        let reference = &golden(&name)["churn_logistic"];
        if reference.is_null() {
            continue;
        }
        let case = case(&name);
        let formula = reference["formula"].as_str().expect("a formula");
        let design = Design::new(formula, reference);
        let outcome = formula.split('~').next().expect("an outcome").trim();
        let mut calibration = Calibration::default();
        for row in &case.table {
            let probability = 1.0 / (1.0 + (-design.linear_predictor(row)).exp());
            calibration.add(probability, number(row, outcome) == 1.0, Budget::UNLIMITED).expect("a probability");
        }
        let n = calibration.total();
        comparison.check(&name, "n", n, reference["n"].as_f64());
        comparison.check(&name, "positives", calibration.positives(), reference["positives"].as_f64());
        comparison.check(&name, "AUC", calibration.auc(), reference["auc"].as_f64());
        comparison.check(&name, "Brier", calibration.brier(), reference["brier"].as_f64());
        comparison.check(&name, "log loss", calibration.log_loss(), reference["log_loss"].as_f64());
        let deviance = calibration.log_loss().map(|loss| 2.0 * n * loss);
        comparison.check(&name, "deviance", deviance, reference["deviance"].as_f64());
        compare_tenths(&mut comparison, &name, &calibration, &reference["decile_calibration"]);

        // A logistic regression is calibrated on the rows it was fitted to.
        let fit = calibration.recalibration(&mut || Ok(())).expect("no interrupt").expect("both outcomes");
        assert!(fit.intercept.abs() < 1e-9 && (fit.slope - 1.0).abs() < 1e-9, "{name}: {fit:?}");
    }
    comparison.finish();
}

/// R splits rows with equal predictions over two bins in the order of the file; we never do. A bin neither of whose
/// edges splits such rows must be the same.
fn compare_tenths(comparison: &mut Comparison, name: &str, calibration: &Calibration, reference: &Value) {
    let ours = calibration.calibration_curve(10, Binning::Quantile, 0.95).expect("valid arguments");
    assert_eq!(ours.len(), 10, "{name}: tenths");
    let column = |quantity: &str| -> Vec<f64> {
        numbers(&reference[quantity]).into_iter().map(|value| value.expect("a number")).collect()
    };
    let (n, predicted, observed) = (column("n"), column("mean_predicted"), column("observed_rate"));
    let (mut before, mut same) = ((0.0, 0.0), 0);
    for (i, bin) in ours.iter().enumerate() {
        let after = (before.0 + bin.n, before.1 + n[i]);
        if before.0 == before.1 && after.0 == after.1 {
            comparison.check(name, &format!("tenth: predicted [{i}]"), bin.mean_predicted, Some(predicted[i]));
            comparison.check(name, &format!("tenth: observed [{i}]"), bin.observed, Some(observed[i]));
            same += 1;
        }
        before = after;
    }
    println!("{name}: {same} of 10 tenths have unsplit edges");
    assert!(same > 0, "{name}: no tenth to compare");
}

/// riskRegression 2022.11.28 `Score(cens.model = "km")`: the Cox model (Efron ties) and the marginal Kaplan–Meier curve.
///
/// Its Cox model had stopped at `coxph`'s default tolerance, the golden coefficients are converged: 5e-10 in Rossi's score.
#[test]
fn brier_scores_under_censoring() {
    let mut comparison = Comparison::with_tolerance(TOLERANCE);
    for name in names() {
        let reference = &golden(&name)["performance_apparent"];
        if reference.is_null() {
            continue;
        }
        let times: Vec<f64> = numbers(&reference["times"]).into_iter().map(|t| t.expect("a time")).collect();
        let cohort = Cohort::new(&name);
        for (i, t) in times.into_iter().enumerate() {
            let score = cohort.score(t);
            let at = |quantity: &str| numbers(&reference[quantity])[i];
            comparison.check(&name, &format!("Brier of Cox @ {t}"), score.0, at("brier_cox"));
            comparison.check(&name, &format!("Brier of Kaplan-Meier @ {t}"), score.1, at("brier_null_km"));
        }
    }
    comparison.finish();
}

/// riskRegression 2022.11.28 `Score()` of the veterans' Cox model with all covariates; printed to eleven digits.
#[test]
fn brier_scores_of_the_veterans() {
    let cohort = Cohort::new("veteran");
    let mut comparison = Comparison::with_tolerance(1e-9);
    for (t, cox, kaplan_meier) in [
        (30.0, 0.15023358871, 0.20982580797),
        (90.0, 0.15247589962, 0.24870673193),
        (180.0, 0.13853946517, 0.17294457676),
        (365.0, 0.07258786288, 0.08193698551),
    ] {
        let score = cohort.score(t);
        comparison.check("veteran", &format!("Brier of Cox @ {t}"), score.0, Some(cox));
        comparison.check("veteran", &format!("Brier of Kaplan-Meier @ {t}"), score.1, Some(kaplan_meier));
    }
    comparison.finish();
}

/// The complete rows of a data set with the risk that the golden file's Cox coefficients give each.
struct Cohort {
    subjects: Vec<Subject>,
    risks: Vec<f64>,
}

impl Cohort {
    fn new(name: &str) -> Self {
        let case = case(name);
        let cox = &case.golden["cox"];
        let design = Design::new(cox["formula"].as_str().expect("a formula"), &cox["efron"]);
        let rows = case.table.iter().zip(case.subjects()).filter(|(row, _)| design.is_complete(row));
        let (risks, subjects) = rows.map(|(row, subject)| (design.linear_predictor(row).exp(), subject)).unzip();
        Cohort { subjects, risks }
    }

    /// Efron's (1977) baseline cumulative hazard: the d who have the event at one time leave the risk set in d parts.
    fn baseline_cumulative_hazard(&self, horizon: f64) -> f64 {
        let rows = || self.subjects.iter().zip(&self.risks);
        let mut times: Vec<f64> = rows().filter(|(s, _)| s.event && s.time <= horizon).map(|(s, _)| s.time).collect();
        times.sort_by(f64::total_cmp);
        let at = |tied: &[f64]| {
            let at_risk: f64 = rows().filter(|(s, _)| s.time >= tied[0]).map(|(_, risk)| risk).sum();
            let leaving: f64 = rows().filter(|(s, _)| s.event && s.time == tied[0]).map(|(_, risk)| risk).sum();
            let d = tied.len() as f64;
            (0..tied.len()).map(|k| 1.0 / (at_risk - leaving * k as f64 / d)).sum::<f64>()
        };
        times.chunk_by(f64::eq).map(at).sum()
    }

    /// Brier scores at `horizon` of the Cox model and of the marginal Kaplan–Meier curve.
    fn score(&self, horizon: f64) -> (f64, f64) {
        let hazard = self.baseline_cumulative_hazard(horizon);
        let survival: Vec<f64> = self.risks.iter().map(|risk| (-hazard * risk).exp()).collect();
        let durations: Vec<f64> = self.subjects.iter().map(|subject| subject.time).collect();
        let events: Vec<bool> = self.subjects.iter().map(|subject| subject.event).collect();
        let outcomes = Outcomes { exits: &durations, events: &events, ..Outcomes::default() };
        let score = brier_score(outcomes, &survival, horizon, &mut || Ok(())).expect("valid").expect("defined");
        (score.brier, score.reference)
    }
}
