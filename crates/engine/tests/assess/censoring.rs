//! Whose curve of the censoring weighs a row: a truth that is known is found where censoring hangs on the features, and what
//! is degenerate has no weight rather than a wrong one.

use crate::chance::Chance;
use ltv_engine::Error;
use ltv_engine::assess::calibration::Calibration;
use ltv_engine::assess::concordance::Outcomes;
use ltv_engine::assess::inverse_censoring::{Censoring, censoring_weights};
use ltv_engine::assess::survival_calibration::SurvivalCalibration;
use ltv_engine::assess::thresholds::Economics;
use ltv_engine::numeric::tally::Budget;

const UNLIMITED: Budget = Budget::UNLIMITED;
const HORIZON: f64 = 10.0;

struct Scores {
    brier: f64,
    observed: f64,
    log_loss: f64,
}

fn scores(known: &Calibration) -> Scores {
    let total = known.positives() + known.negatives();
    Scores { brier: known.brier().unwrap(), observed: known.positives() / total, log_loss: known.log_loss().unwrap() }
}

fn known(rows: &SurvivalCalibration, censoring: Censoring) -> Scores {
    scores(&rows.known_at(HORIZON, censoring, UNLIMITED, &mut || Ok(())).unwrap().unwrap())
}

/// Customers of a high risk are also lost sight of early. The forecast is the truth, S(10 | x), so that the score to be found
/// is the mean of S (1 − S), the rate that of 1 − S and the log loss that of the entropy of S.
#[test]
fn where_censoring_follows_the_risk_groups_of_like_predictions_find_the_truth() {
    let (mut rows, mut chance) = (SurvivalCalibration::default(), Chance::new(20));
    let n = 60_000;
    let (mut brier, mut rate, mut entropy) = (0.0, 0.0, 0.0);
    for _ in 0..n {
        let x = 2.0 * chance.uniform() - 1.0;
        let hazard = 0.06 * (1.2 * x).exp();
        let survival = (-HORIZON * hazard).exp();
        let (time, seen) = (chance.exponential() / hazard, chance.exponential() / (0.08 * (2.0 * x).exp()));
        rows.add(survival, time.min(seen), time <= seen, 1.0, || UNLIMITED).unwrap();
        // The outcomes drawn, of which only the observed are told.
        brier += (f64::from(time > HORIZON) - survival).powi(2) / n as f64;
        rate += f64::from(time <= HORIZON) / n as f64;
        entropy -= if time > HORIZON { survival.ln() } else { (1.0 - survival).ln() } / n as f64;
    }
    let (marginal, grouped) = (known(&rows, Censoring::Marginal), known(&rows, Censoring::Grouped));
    let off = |found: &Scores| [found.brier - brier, found.observed - rate, found.log_loss - entropy];
    // One curve for all takes too few of the high risks for too many.
    for (marginal, grouped) in off(&marginal).into_iter().zip(off(&grouped)) {
        assert!(grouped.abs() < 0.004, "grouped is off by {grouped}, marginal by {marginal}");
        assert!(
            marginal.abs() > 0.01 && marginal.abs() > 5.0 * grouped.abs(),
            "grouped is off by {grouped}, marginal by {marginal}"
        );
    }
    let found = rows.brier(HORIZON, Censoring::Grouped, &mut || Ok(())).unwrap().unwrap();
    assert!((found.brier - grouped.brier).abs() < 1e-12);
    assert!((found.reference - grouped.observed * (1.0 - grouped.observed)).abs() < 1e-12);
    // All flagged are all of either kind, whatever the weights add up to.
    for censoring in [Censoring::Marginal, Censoring::Grouped] {
        let flagged = rows.precision_recall(HORIZON, None, censoring, &mut || Ok(())).unwrap();
        let last = flagged.last().unwrap();
        assert_eq!((last.recall, last.false_positive_rate, last.flagged), (Some(1.0), Some(1.0), n as f64));
        assert!(
            flagged.windows(2).all(|pair| pair[0].recall <= pair[1].recall && pair[0].threshold > pair[1].threshold)
        );
    }
}

/// Where the prediction does not hold what drives the censoring, no group of predictions helps; groups by the feature do.
#[test]
fn where_the_prediction_does_not_know_the_reason_groups_by_it_find_the_truth() {
    let mut chance = Chance::new(21);
    let mut plans = [SurvivalCalibration::default(), SurvivalCalibration::default()];
    let (n, mut rate) = (40_000, 0.0);
    for _ in 0..n {
        let plan = usize::from(chance.uniform() < 0.5);
        let known = 0.4 + 0.4 * chance.uniform();
        let (time, seen) = (chance.exponential() / [0.03, 0.15][plan], chance.exponential() / [0.02, 0.15][plan]);
        plans[plan].add(known, time.min(seen), time <= seen, 1.0, || UNLIMITED).unwrap();
        rate += f64::from(time <= HORIZON) / f64::from(n);
    }
    let mut all = plans[0].clone();
    all.merge(&plans[1], UNLIMITED).unwrap();
    let mut by_plan = Calibration::default();
    for plan in &plans {
        let part = plan.known_at(HORIZON, Censoring::Marginal, UNLIMITED, &mut || Ok(())).unwrap().unwrap();
        by_plan.merge(&part, UNLIMITED).unwrap();
    }
    let off = |found: Scores| (found.observed - rate).abs();
    let (marginal, grouped) = (off(known(&all, Censoring::Marginal)), off(known(&all, Censoring::Grouped)));
    let by_plan = off(scores(&by_plan));
    assert!(by_plan < 0.008 && marginal > 0.03 && grouped > 0.03, "{by_plan} {marginal} {grouped}");
}

/// Where censoring is blind, both find the same, and neither the order nor the split of the rows matters.
#[test]
fn where_censoring_is_blind_groups_do_no_harm() {
    let (mut rows, mut backwards, mut chance) = (SurvivalCalibration::default(), Vec::new(), Chance::new(22));
    for _ in 0..4000 {
        let survival = (chance.uniform() * 40.0).ceil() / 41.0;
        let (time, seen) = (chance.exponential() / (-survival.ln() / HORIZON), chance.exponential() / 0.05);
        rows.add(survival, time.min(seen), time <= seen, 1.0, || UNLIMITED).unwrap();
        backwards.push((survival, time.min(seen), time <= seen));
    }
    let mut again = SurvivalCalibration::default();
    for (survival, time, event) in backwards.into_iter().rev() {
        again.add(survival, time, event, 1.0, || UNLIMITED).unwrap();
    }
    let score = |rows: &SurvivalCalibration, by| rows.brier(HORIZON, by, &mut || Ok(())).unwrap().unwrap();
    let (marginal, grouped) = (score(&rows, Censoring::Marginal), score(&rows, Censoring::Grouped));
    assert_eq!(score(&again, Censoring::Grouped), grouped);
    assert!(
        (marginal.brier - grouped.brier).abs() < 0.003 && marginal.brier != grouped.brier,
        "{marginal:?} {grouped:?}"
    );
}

#[test]
fn too_few_events_or_nobody_beyond_leave_one_group() {
    let mut few = SurvivalCalibration::default();
    for row in 0..39 {
        few.add(f64::from(row) / 40.0, 1.0 + f64::from(row), row % 3 != 0, 1.0, || UNLIMITED).unwrap();
    }
    let score = |rows: &SurvivalCalibration, horizon, by| rows.brier(horizon, by, &mut || Ok(())).unwrap();
    assert_eq!(score(&few, 20.0, Censoring::Grouped), score(&few, 20.0, Censoring::Marginal));
    // Of the low predictions all are censored before the horizon, of the high ones nobody.
    let mut one_sided = SurvivalCalibration::default();
    for row in 0..200 {
        let low = row % 2 == 0;
        let (time, event) = if low { (3.0, row % 4 == 0) } else { (8.0, row % 3 == 0) };
        one_sided.add(if low { 0.2 } else { 0.8 }, time, event, 1.0, || UNLIMITED).unwrap();
    }
    assert!(score(&one_sided, 5.0, Censoring::Marginal).is_some());
    assert_eq!(score(&one_sided, 5.0, Censoring::Grouped), score(&one_sided, 5.0, Censoring::Marginal));
    // All censored before the horizon: nothing is known.
    let mut nobody = SurvivalCalibration::default();
    for row in 0..100 {
        nobody.add(f64::from(row) / 100.0, 2.0, false, 1.0, || UNLIMITED).unwrap();
    }
    for by in [Censoring::Marginal, Censoring::Grouped] {
        assert_eq!(score(&nobody, 5.0, by), None);
        assert!(nobody.precision_recall(5.0, None, by, &mut || Ok(())).unwrap().is_empty());
        let capacity = Economics { capacity: Some(3.0), ..Economics::default() };
        assert_eq!(nobody.best_threshold(5.0, capacity, by, &mut || Ok(())).unwrap(), None);
        assert_eq!(SurvivalCalibration::default().brier(5.0, by, &mut || Ok(())).unwrap(), None);
    }
}

#[test]
fn weights_are_refused_where_they_have_no_meaning() {
    let rows = |exits: &[f64], weights: &[f64]| {
        let events = vec![true; exits.len()];
        let outcomes = Outcomes { exits, events: &events, entries: &[], weights };
        censoring_weights(outcomes, &[], 5.0, &mut || Ok(()))
    };
    assert_eq!(rows(&[], &[]).unwrap(), None);
    assert_eq!(rows(&[9.0, 2.0], &[]).unwrap(), Some(vec![1.0, 1.0]));
    for odd in [
        rows(&[-1.0], &[]),
        rows(&[f64::NAN], &[]),
        rows(&[1.0], &[0.0]),
        rows(&[1.0], &[1.0, 2.0]),
        rows(&[1.0], &[f64::INFINITY]),
    ] {
        assert!(matches!(odd, Err(Error::Invalid { .. })), "{odd:?}");
    }
    for entry in [2.5, -1.0, f64::NAN] {
        let late = Outcomes { exits: &[2.0], events: &[true], entries: &[entry], weights: &[] };
        assert!(censoring_weights(late, &[], 5.0, &mut || Ok(())).is_err(), "entry {entry}");
    }
    let outcomes = Outcomes { exits: &[2.0], events: &[true], entries: &[], weights: &[] };
    assert!(censoring_weights(outcomes, &[], f64::NAN, &mut || Ok(())).is_err());
    assert_eq!(censoring_weights(outcomes, &[], 5.0, &mut || Err(Error::Canceled)), Err(Error::Canceled));
}
