//! The truth that made the data is found again, as well as by Cox's model where that is true, and better where it is not.

use ltv_engine::assess::concordance::{Outcomes, concordance};
use ltv_engine::boost::Options;
use ltv_engine::hazard::cox::{self, Ties};

use crate::{Simulated, bent, boosted, go_on, simulated, straight};

fn harrell(rows: &Simulated, risks: &[f64]) -> f64 {
    let exits: Vec<f64> = rows.rows.iter().map(|row| row.1).collect();
    let events: Vec<bool> = rows.rows.iter().map(|row| row.2).collect();
    let outcomes = Outcomes { exits: &exits, events: &events, entries: &[], weights: &[] };
    concordance(outcomes, risks, &mut go_on).unwrap().estimate().unwrap()
}

/// Concordance on fresh rows, and the mean absolute error of P(T > 8), of the truth, the boosted model and Cox's.
fn compared(log_hazard: fn(&[f64; 4]) -> f64) -> ([f64; 3], [f64; 2]) {
    let (seen, fresh) = (simulated(4_000, 1, log_hazard), simulated(4_000, 2, log_hazard));
    let trees = boosted(&seen.design, &Options { trees: 300, ..Options::default() });
    let line = cox::fit(&seen.design, Ties::Breslow, &mut go_on).unwrap();
    let by = |score: &dyn Fn(&[f64; 4]) -> f64| fresh.rows.iter().map(|row| score(&row.0)).collect::<Vec<f64>>();
    let survival = |hazard: f64, eta: f64| (-hazard * eta.exp()).exp();
    let truth = by(&|x| survival(0.64, log_hazard(x)));
    let error =
        |found: Vec<f64>| found.iter().zip(&truth).map(|(a, b)| (a - b).abs()).sum::<f64>() / truth.len() as f64;
    let of_trees = error(by(&|x| survival(trees.baseline.cumulative_hazard(8.0), trees.linear_predictor(x))));
    let of_line = error(by(&|x| survival(line.baselines[0].cumulative_hazard(8.0), line.linear_predictor(x))));
    let ranked = [
        harrell(&fresh, &by(&log_hazard)),
        harrell(&fresh, &by(&|x| trees.linear_predictor(x))),
        harrell(&fresh, &by(&|x| line.linear_predictor(x))),
    ];
    (ranked, [of_trees, of_line])
}

#[test]
fn a_bent_truth_with_an_interaction_is_found_where_cox_has_none() {
    let ([truth, trees, line], [of_trees, of_line]) = compared(bent);
    assert!(truth - trees < 0.012, "concordance {truth} by the truth, {trees} by trees");
    assert!(trees - line > 0.05, "concordance {trees} by trees, {line} by Cox");
    assert!(of_trees < 0.045 && of_trees < 0.5 * of_line, "error {of_trees} by trees, {of_line} by Cox");
}

#[test]
fn a_straight_truth_is_found_nearly_as_well_as_by_cox() {
    let ([truth, trees, line], [of_trees, _]) = compared(straight);
    assert!(truth - line < 0.005 && line - trees < 0.01, "concordance {truth}, {trees} by trees, {line} by Cox");
    assert!(of_trees < 0.045, "error {of_trees}");
}

#[test]
fn the_gain_is_where_the_truth_is() {
    let fit = boosted(&simulated(4_000, 3, bent).design, &Options::default());
    let total: f64 = fit.gains.iter().sum();
    assert!(fit.gains[3] < 0.03 * total, "{:?}", fit.gains);
    assert!(fit.gains[..3].iter().all(|gain| *gain > 0.1 * total), "{:?}", fit.gains);
}

#[test]
fn delayed_entries_and_weights_count_as_in_cox() {
    // The straight truth in three ways: as it is, with the first halves of all stays in a row of their own, and each row
    // at half the weight but twice.
    let seen = simulated(600, 4, straight);
    let options = Options { trees: 40, early_stopping: 0, min_child_weight: 10.0, ..Options::default() };
    let whole = boosted(&seen.design, &options);
    let (mut halves, mut doubled) = (ltv_engine::hazard::Design::default(), ltv_engine::hazard::Design::default());
    for (x, exit, event) in &seen.rows {
        halves.push(None, exit / 2.0, false, 1.0, x).unwrap();
        halves.push(Some(exit / 2.0), *exit, *event, 1.0, x).unwrap();
        (0..2).for_each(|_| doubled.push(None, *exit, *event, 0.5, x).unwrap());
    }
    for other in [boosted(&halves, &options), boosted(&doubled, &options)] {
        let apart = seen.rows.iter().map(|(x, ..)| {
            // The mean of the trees is over rows, of which there are other numbers; the curve of a row is the same.
            let of = |fit: &ltv_engine::boost::BoostedHazardFit| {
                fit.linear_predictor(x) + fit.baseline.cumulative_hazard(8.0).ln()
            };
            (of(&whole) - of(&other)).abs()
        });
        let most = apart.fold(0.0, f64::max);
        assert!(most < 1e-9, "{most}");
    }
}
