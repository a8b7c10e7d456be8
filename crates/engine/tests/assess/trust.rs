//! Every case of `tests/golden/trust.py`.

use serde_json::Value;

use ltv_engine::assess::calibration::Calibration;
use ltv_engine::assess::concordance::Outcomes;
use ltv_engine::assess::inverse_censoring::{Censoring, censoring_groups, censoring_weights};
use ltv_engine::assess::ranking::Ranking;
use ltv_engine::assess::reliability::Binning;
use ltv_engine::assess::smoothed_error::SmoothedError;
use ltv_engine::assess::survival_calibration::SurvivalCalibration;
use ltv_engine::assess::survival_scores::{PairWeights, integrated};
use ltv_engine::numeric::tally::Budget;

use crate::golden_support::{Comparison, numbers};

const UNLIMITED: Budget = Budget::UNLIMITED;

fn read(case: &str) -> Value {
    let path = format!("{}/../../tests/golden/trust/{case}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn column(golden: &Value, name: &str) -> Vec<f64> {
    numbers(&golden[name]).into_iter().map(Option::unwrap).collect()
}

fn check_errors(to: &mut Comparison, case: &str, ours: SmoothedError, reference: &Value) {
    let ours = [ours.ici, ours.e50, ours.e90, ours.e_max];
    for ((name, ours), reference) in ["ICI", "E50", "E90", "E max"].iter().zip(ours).zip(numbers(reference)) {
        to.check(case, name, ours, reference);
    }
}

#[test]
fn rankings_and_calibration_agree_with_scikit_learn() {
    let (mut direct, mut optimised) = (Comparison::with_tolerance(1e-9), Comparison::with_tolerance(1e-7));
    for case in ["saas_churn", "untied", "tied_weighted"] {
        let golden = read(case);
        let (p, y, w) = (column(&golden, "p"), column(&golden, "y"), column(&golden, "w"));
        let (mut ranking, mut calibration) = (Ranking::default(), Calibration::default());
        for row in 0..p.len() {
            ranking.add_row(p[row], y[row] == 1.0, w[row], 0.0, UNLIMITED).unwrap();
            calibration.add_weighted(p[row], y[row] == 1.0, w[row], UNLIMITED).unwrap();
        }
        let area = ranking.area().unwrap();
        direct.check(case, "AUC", area.auc, golden["auc"].as_f64());
        for (method, error) in [Binning::Quantile, Binning::Uniform].into_iter().zip(numbers(&golden["ece"])) {
            let ours = calibration.expected_calibration_error(10, method).unwrap();
            direct.check(case, "expected calibration error", ours, error);
        }
        direct.check(case, "AUC of a calibration", calibration.auc(), golden["auc"].as_f64());
        direct.check(case, "DeLong's error", area.std_error, golden["std_error"].as_f64());
        direct.check(case, "average precision", ranking.average_precision(), golden["average_precision"].as_f64());
        direct.check(case, "Brier", calibration.brier(), golden["brier"].as_f64());
        direct.check(case, "log loss", calibration.log_loss(), golden["log_loss"].as_f64());
        let curve = calibration.calibration_curve(10, Binning::Uniform, 0.95).unwrap();
        let (observed, predicted) = (numbers(&golden["uniform_observed"]), numbers(&golden["uniform_predicted"]));
        assert_eq!(curve.len(), observed.len(), "{case}");
        for (at, bin) in curve.iter().enumerate() {
            direct.check(case, &format!("observed[{at}]"), bin.observed, observed[at]);
            direct.check(case, &format!("predicted[{at}]"), bin.mean_predicted, predicted[at]);
        }
        let steps = calibration.isotonic();
        for (at, reference) in numbers(&golden["isotonic"]).into_iter().enumerate() {
            let step = steps.iter().find(|step| step.from <= p[at] && p[at] <= step.to).unwrap();
            direct.check(case, &format!("isotonic[{at}]"), step.recalibrated, reference);
        }
        let thresholds = column(&golden, "thresholds");
        let flagged = ranking.precision_recall(Some(&thresholds)).unwrap();
        let (precision, recall) = (numbers(&golden["precision"]), numbers(&golden["recall"]));
        for (at, flagged) in flagged.iter().rev().enumerate() {
            assert_eq!(flagged.threshold, thresholds[at]);
            direct.check(case, &format!("precision[{at}]"), flagged.precision, precision[at]);
            direct.check(case, &format!("recall[{at}]"), flagged.recall, recall[at]);
        }
        let all = ranking.precision_recall(None).unwrap();
        let roc = golden["roc"].as_array().unwrap();
        assert_eq!(all.len(), roc.len(), "{case}");
        for (at, (flagged, roc)) in all.iter().zip(roc).enumerate() {
            assert_eq!(flagged.threshold, roc[0].as_f64().unwrap());
            direct.check(case, &format!("false positive rate[{at}]"), flagged.false_positive_rate, roc[1].as_f64());
        }
        let errors = calibration.smoothed_error(UNLIMITED, &mut || Ok(())).unwrap().unwrap();
        check_errors(&mut optimised, case, errors, &golden["ici"]);
    }
    direct.finish();
    optimised.finish();
}

#[test]
fn survival_scores_agree_with_r_and_scikit_survival() {
    let (mut direct, mut optimised) = (Comparison::with_tolerance(1e-9), Comparison::with_tolerance(1e-7));
    let mut go_on = || Ok(());
    for case in ["gbsg2", "untied_weibull", "tied_weighted_months"] {
        let golden = read(case);
        let (time, w, own) = (column(&golden, "time"), column(&golden, "w"), column(&golden, "own"));
        let events = golden["event"].as_array().unwrap();
        let gathered = |predicted: &[f64]| {
            let mut gathered = SurvivalCalibration::default();
            for row in 0..time.len() {
                let event = events[row].as_bool().unwrap();
                gathered.add(predicted[row], time[row], event, w[row], || UNLIMITED).unwrap();
            }
            gathered
        };
        let summary = gathered(&column(&golden, "p"));
        let horizon = golden["horizon"].as_f64().unwrap();
        let brier = summary.brier(horizon, Censoring::Marginal, &mut go_on).unwrap().unwrap();
        direct.check(case, "Brier", brier.brier, golden["brier"].as_f64());
        direct.check(
            case,
            "AUC",
            summary.area(horizon, Censoring::Marginal, &mut go_on).unwrap(),
            golden["auc"].as_f64(),
        );
        let ways = [(10, Binning::Quantile), (5, Binning::Quantile), (10, Binning::Uniform)];
        for ((bins, method), error) in ways.into_iter().zip(numbers(&golden["ece"])) {
            let ours = summary.expected_calibration_error(horizon, bins, method, &mut go_on).unwrap();
            direct.check(case, "expected calibration error", ours, error);
        }
        let horizons = column(&golden, "horizons");
        let scores: Vec<_> =
            horizons.iter().map(|at| summary.brier(*at, Censoring::Marginal, &mut go_on).unwrap()).collect();
        let scores = integrated(&horizons, &scores).unwrap().unwrap();
        direct.check(case, "integrated Brier", scores.brier, golden["integrated"].as_f64());
        direct.check(case, "integrated Brier of the curve", scores.reference, golden["integrated_reference"].as_f64());
        for (name, by, until) in [
            ("harrell", PairWeights::Harrell, None),
            ("uno", PairWeights::Uno, None),
            ("until", PairWeights::Uno, Some(horizon)),
        ] {
            let reference = numbers(&golden[name]);
            let found = summary.concordance(by, until, &mut go_on).unwrap();
            direct.check(case, name, found.counts.estimate(), reference[0]);
            direct.check(case, &format!("{name}'s error"), found.std_error, reference[1]);
            direct.check(case, &format!("{name}'s concordant"), found.counts.concordant, reference[2]);
            direct.check(case, &format!("{name}'s discordant"), found.counts.discordant, reference[3]);
            direct.check(case, &format!("{name}'s tied predictions"), found.counts.tied_x, reference[4]);
        }
        let own = gathered(&own);
        for (at, (bin, reference)) in
            own.distribution(10).unwrap().iter().zip(numbers(&golden["d_numbers"])).enumerate()
        {
            direct.check(case, &format!("D-calibration[{at}]"), bin.n, reference);
        }
        let test = own.d_calibration(10).unwrap().unwrap();
        direct.check(case, "D-calibration's chi-squared", test.chi_squared, golden["d_chi_squared"].as_f64());
        direct.check(case, "D-calibration's p", test.p_value, golden["d_p_value"].as_f64());
        if case != "tied_weighted_months" {
            let errors = summary.smoothed_error(horizon, UNLIMITED, &mut go_on).unwrap().unwrap();
            check_errors(&mut optimised, case, errors, &golden["ici"]);
        }
    }
    direct.finish();
    optimised.finish();
}

#[test]
fn what_is_known_under_censoring_agrees_with_scikit_learn() {
    let mut direct = Comparison::with_tolerance(1e-9);
    let mut go_on = || Ok(());
    for case in ["gbsg2", "untied_weibull", "tied_weighted_months"] {
        let golden = read(case);
        let (p, time, w) = (column(&golden, "p"), column(&golden, "time"), column(&golden, "w"));
        let events: Vec<bool> =
            golden["event"].as_array().unwrap().iter().map(|event| event.as_bool().unwrap()).collect();
        let horizon = golden["horizon"].as_f64().unwrap();
        let mut rows = SurvivalCalibration::default();
        for row in 0..time.len() {
            rows.add(p[row], time[row], events[row], w[row], || UNLIMITED).unwrap();
        }
        for by in ["marginal", "grouped"] {
            let (censoring, of) = (by.parse().unwrap(), &golden[by]);
            let known = rows.known_at(horizon, censoring, UNLIMITED, &mut go_on).unwrap().unwrap();
            let what = |name: &str| format!("{by} {name}");
            direct.check(case, &what("Brier"), known.brier(), of["brier"].as_f64());
            let brier = rows.brier(horizon, censoring, &mut go_on).unwrap().unwrap();
            direct.check(case, &what("Brier at once"), brier.brier, of["brier"].as_f64());
            direct.check(case, &what("AUC"), known.auc(), of["auc"].as_f64());
            let area = rows.area(horizon, censoring, &mut go_on).unwrap();
            direct.check(case, &what("AUC at once"), area, of["auc"].as_f64());
            if !of["log_loss"].is_null() {
                direct.check(case, &what("log loss"), known.log_loss(), of["log_loss"].as_f64());
            }
            let at = column(of, "at");
            let ours = rows.precision_recall(horizon, Some(&at), censoring, &mut go_on).unwrap();
            for (row, ours) in ours.iter().rev().enumerate() {
                assert_eq!(ours.threshold, at[row]);
                assert_eq!(ours.flagged, column(of, "flagged")[row]);
                direct.check(case, &what("precision"), ours.precision, numbers(&of["precision"])[row]);
                direct.check(case, &what("recall"), ours.recall, numbers(&of["recall"])[row]);
                let rate = numbers(&of["false_positive_rate"])[row];
                direct.check(case, &what("false positive rate"), ours.false_positive_rate, rate);
            }
        }
        let outcomes = Outcomes { exits: &time, events: &events, entries: &[], weights: &w };
        let weights = censoring_weights(outcomes, &[], horizon, &mut go_on).unwrap().unwrap();
        for (ours, reference) in weights.iter().zip(numbers(&golden["marginal"]["weights"])) {
            direct.check(case, "weight", *ours, reference);
        }
        let grouped = censoring_weights(outcomes, &p, horizon, &mut go_on).unwrap().unwrap();
        for (ours, reference) in grouped.iter().zip(numbers(&golden["grouped"]["weights"])) {
            direct.check(case, "weight within a group", *ours, reference);
        }
        // Within each of the groups one curve of the censoring weighs as all of them do.
        let groups = censoring_groups(outcomes, &p, horizon, &mut go_on).unwrap();
        for group in 1..=*groups.iter().max().unwrap() {
            let part: Vec<usize> = (0..p.len()).filter(|row| groups[*row] == group).collect();
            let of = |column: &[f64]| part.iter().map(|row| column[*row]).collect::<Vec<f64>>();
            let (exits, weights) = (of(&time), of(&w));
            let had: Vec<bool> = part.iter().map(|row| events[*row]).collect();
            let outcomes = Outcomes { exits: &exits, events: &had, entries: &[], weights: &weights };
            let alone = censoring_weights(outcomes, &[], horizon, &mut go_on).unwrap().unwrap();
            for (ours, row) in alone.iter().zip(&part) {
                direct.check(case, "weight alone", *ours, Some(grouped[*row]));
            }
        }
        let total: f64 = weights.iter().sum();
        direct.check(case, "sum of weights", total, Some(w.iter().sum()));
        let value = column(&golden["money"], "value");
        let error = |row: usize| value[row] * (p[row] - f64::from(time[row] > horizon));
        let mean = |of: &dyn Fn(f64) -> f64| (0..p.len()).map(|row| weights[row] * of(error(row))).sum::<f64>() / total;
        direct.check(case, "MAE in money", mean(&f64::abs), golden["money"]["mae"].as_f64());
        direct.check(case, "RMSE in money", mean(&|error| error * error).sqrt(), golden["money"]["rmse"].as_f64());
    }
    direct.finish();
}
