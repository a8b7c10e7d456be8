//! What must hold for every ranking and every survival forecast.

use proptest::prelude::*;

use ltv_engine::assess::brier::brier_score;
use ltv_engine::assess::calibration::Calibration;
use ltv_engine::assess::concordance::Outcomes;
use ltv_engine::assess::inverse_censoring::{Censoring, censoring_groups, censoring_weights};
use ltv_engine::assess::ranking::Ranking;
use ltv_engine::assess::reliability::Binning;
use ltv_engine::assess::survival_calibration::SurvivalCalibration;
use ltv_engine::assess::survival_scores::PairWeights;
use ltv_engine::assess::thresholds::Economics;
use ltv_engine::numeric::tally::Budget;

const UNLIMITED: Budget = Budget::UNLIMITED;

/// Score, outcome, weight, value.
type Scored = (f64, bool, f64, f64);
/// Prediction, duration, event, weight.
type Watched = (f64, f64, bool, f64);

fn scored() -> impl Strategy<Value = Vec<Scored>> {
    let score = prop_oneof![3 => (-20i8..20).prop_map(|score| f64::from(score) / 4.0), 1 => -1e9f64..1e9];
    let weight = prop_oneof![3 => Just(1.0), 1 => (1u8..4).prop_map(f64::from)];
    let value = prop_oneof![Just(0.0), (1u16..500).prop_map(f64::from)];
    prop::collection::vec((score, any::<bool>(), weight, value), 1..150)
}

fn watched() -> impl Strategy<Value = Vec<Watched>> {
    let predicted = prop_oneof![3 => (0u8..=20).prop_map(|p| f64::from(p) / 20.0), 1 => 0.0f64..=1.0];
    let duration = prop_oneof![3 => (0u8..15).prop_map(f64::from), 1 => 0.0f64..15.0];
    let weight = prop_oneof![3 => Just(1.0), 1 => (1u8..4).prop_map(f64::from)];
    prop::collection::vec((predicted, duration, any::<bool>(), weight), 1..120)
}

fn ranking(rows: &[Scored]) -> Ranking {
    let mut ranking = Ranking::default();
    for (score, outcome, weight, value) in rows {
        ranking.add_row(*score, *outcome, *weight, *value, UNLIMITED).unwrap();
    }
    ranking
}

fn forecast(rows: &[Watched]) -> SurvivalCalibration {
    let mut forecast = SurvivalCalibration::default();
    for (predicted, duration, event, weight) in rows {
        forecast.add(*predicted, *duration, *event, *weight, || UNLIMITED).unwrap();
    }
    forecast
}

fn near(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-10 * b.abs().max(1.0),
        (a, b) => a == b,
    }
}

proptest! {
    #[test]
    fn rankings_merge_repeat_and_read_back(rows in scored(), cut in 0usize..150) {
        let whole = ranking(&rows);
        let backwards: Vec<Scored> = rows.iter().rev().copied().collect();
        let (left, right) = backwards.split_at(cut.min(rows.len()));
        let mut merged = ranking(left);
        merged.merge(&ranking(right), UNLIMITED).unwrap();
        prop_assert_eq!(&merged, &whole);
        let repeated: Vec<Scored> = rows.iter().flat_map(|(s, y, w, v)| std::iter::repeat_n((*s, *y, 1.0, *v), *w as usize)).collect();
        prop_assert_eq!(&ranking(&repeated), &whole);
        prop_assert_eq!(&Ranking::decode(&whole.encode()).unwrap(), &whole);
        prop_assert_eq!(&Ranking::from_levels(&whole.levels(), 0).unwrap(), &whole);
    }

    #[test]
    fn an_area_is_a_share_of_pairs(rows in scored()) {
        let (mut won, mut pairs) = (0.0, 0.0);
        for (a, with, w, _) in &rows {
            for (b, without, v, _) in &rows {
                if *with && !*without {
                    pairs += w * v;
                    won += w * v * if a > b { 1.0 } else if a == b { 0.5 } else { 0.0 };
                }
            }
        }
        let area = ranking(&rows).area();
        prop_assert!(near(area.map(|area| area.auc), (pairs > 0.0).then(|| won / pairs)));
        prop_assert_eq!(ranking(&rows).auc(), area.map(|area| area.auc));
        let upside_down: Vec<Scored> = rows.iter().map(|(s, y, w, v)| (-s, *y, *w, *v)).collect();
        let other = ranking(&upside_down).area();
        prop_assert!(near(other.map(|area| 1.0 - area.auc), area.map(|area| area.auc)));
        prop_assert!(near(other.and_then(|area| area.std_error), area.and_then(|area| area.std_error)));
    }

    #[test]
    fn buckets_add_up_and_no_threshold_earns_more(rows in scored(), buckets in 1usize..30, benefit in 0.0f64..50.0, cost in 0.0f64..20.0, capacity in 0.0f64..200.0) {
        let ranking = ranking(&rows);
        let table = ranking.lift_table(buckets).unwrap();
        let (n, positives): (f64, f64) = (table.iter().map(|row| row.n).sum(), table.iter().map(|row| row.positives).sum());
        prop_assert_eq!(n, rows.iter().map(|row| row.2).sum::<f64>());
        prop_assert_eq!(positives, rows.iter().filter(|row| row.1).map(|row| row.2).sum::<f64>());
        prop_assert!(table.windows(2).all(|pair| pair[1].score_to < pair[0].score_from && pair[0].bucket < pair[1].bucket));
        prop_assert!(near(table.last().map(|row| row.cumulative_share), Some(1.0)));
        let economics = Economics { benefit: Some(benefit), cost: Some(cost), capacity: Some(capacity) };
        let best = ranking.best_threshold(economics).unwrap().unwrap();
        let earned = |at: &ltv_engine::assess::thresholds::Flagged| benefit * at.true_positives - cost * at.flagged;
        let all = ranking.precision_recall(None).unwrap();
        let most = all.iter().filter(|at| at.flagged <= capacity).map(earned).fold(0.0, f64::max);
        prop_assert!(near(best.profit, Some(most)));
        prop_assert!(best.flagged.is_none_or(|at| at.flagged <= capacity));
    }

    #[test]
    fn survival_forecasts_merge_repeat_and_read_back(rows in watched(), cut in 0usize..120, horizon in 0.0f64..16.0) {
        let whole = forecast(&rows);
        let backwards: Vec<Watched> = rows.iter().rev().copied().collect();
        let (left, right) = backwards.split_at(cut.min(rows.len()));
        let mut merged = forecast(left);
        merged.merge(&forecast(right), UNLIMITED).unwrap();
        prop_assert_eq!(&merged, &whole);
        prop_assert_eq!(&SurvivalCalibration::decode(&whole.encode()).unwrap(), &whole);
        let mut go_on = || Ok(());
        prop_assert_eq!(merged.brier(horizon, Censoring::Marginal, &mut go_on).unwrap(), whole.brier(horizon, Censoring::Marginal, &mut go_on).unwrap());
        let repeated: Vec<Watched> = rows.iter().flat_map(|(p, t, e, w)| std::iter::repeat_n((*p, *t, *e, 1.0), *w as usize)).collect();
        let repeated = forecast(&repeated);
        prop_assert!(near(repeated.brier(horizon, Censoring::Marginal, &mut go_on).unwrap().map(|score| score.brier), whole.brier(horizon, Censoring::Marginal, &mut go_on).unwrap().map(|score| score.brier)));
        prop_assert!(near(repeated.area(horizon, Censoring::Marginal, &mut go_on).unwrap(), whole.area(horizon, Censoring::Marginal, &mut go_on).unwrap()));
        for by in [PairWeights::Harrell, PairWeights::Uno] {
            let c = |s: &SurvivalCalibration| s.concordance(by, Some(horizon), &mut || Ok(())).unwrap().counts.estimate();
            prop_assert!(near(c(&repeated), c(&whole)));
        }
        for method in [Binning::Quantile, Binning::Uniform] {
            let error = |s: &SurvivalCalibration| s.expected_calibration_error(horizon, 4, method, &mut || Ok(())).unwrap();
            prop_assert_eq!(error(&merged), error(&whole));
            prop_assert!(near(error(&repeated), error(&whole)));
        }
        for (a, b) in repeated.distribution(7).unwrap().iter().zip(whole.distribution(7).unwrap()) {
            prop_assert!(near(Some(a.n), Some(b.n)));
        }
    }

    #[test]
    fn one_pass_is_the_brier_score(rows in watched(), horizon in 0.0f64..16.0) {
        let forecast = forecast(&rows);
        let columns = forecast.columns();
        let direct = brier_score(columns.outcomes(), &columns.survival, horizon, &mut || Ok(())).unwrap();
        let ours = forecast.brier(horizon, Censoring::Marginal, &mut || Ok(())).unwrap();
        prop_assert!(near(ours.map(|score| score.brier), direct.map(|score| score.brier)), "{:?} {:?}", ours, direct);
        prop_assert!(near(ours.map(|score| score.reference), direct.map(|score| score.reference)));
    }

    #[test]
    fn without_censoring_the_area_is_that_of_a_ranking(rows in watched(), horizon in 0.0f64..16.0) {
        let seen: Vec<Watched> = rows.iter().map(|(p, t, _, w)| (*p, *t, true, *w)).collect();
        let scored: Vec<Scored> = seen.iter().map(|(p, t, _, w)| (-p, *t <= horizon, *w, 0.0)).collect();
        let area = forecast(&seen).area(horizon, Censoring::Marginal, &mut || Ok(())).unwrap();
        prop_assert!(near(area, ranking(&scored).area().map(|area| area.auc)));
        // And all the bins hold all the rows.
        let bins = forecast(&rows).calibration_curve(horizon, 5, Binning::Quantile, 1.96, &mut || Ok(())).unwrap();
        prop_assert!(near(Some(bins.iter().map(|bin| bin.n).sum()), Some(rows.iter().map(|row| row.3).sum())));
        let total: f64 = forecast(&rows).distribution(9).unwrap().iter().map(|bin| bin.n).sum();
        prop_assert!(near(Some(total), Some(rows.iter().map(|row| row.3).sum())));
    }

    #[test]
    fn without_censoring_the_calibration_error_is_that_of_outcomes(rows in watched(), horizon in 0.0f64..16.0, bins in 1usize..12) {
        let mut plain = Calibration::default();
        for (p, t, _, w) in &rows {
            plain.add_weighted(*p, *t > horizon, *w, UNLIMITED).unwrap();
        }
        let seen: Vec<Watched> = rows.iter().map(|(p, t, _, w)| (*p, *t, true, *w)).collect();
        for method in [Binning::Quantile, Binning::Uniform] {
            let error = forecast(&seen).expected_calibration_error(horizon, bins, method, &mut || Ok(())).unwrap();
            prop_assert!(near(error, plain.expected_calibration_error(bins, method).unwrap()));
            prop_assert!(error.is_some_and(|error| (0.0..=1.0).contains(&error)));
        }
    }

    #[test]
    fn groups_of_like_predictions_say_nothing_of_the_order(rows in watched(), horizon in 0.0f64..16.0) {
        let weighed = |rows: &[Watched]| {
            let column = |of: fn(&Watched) -> f64| rows.iter().map(of).collect::<Vec<f64>>();
            let (survival, exits, weights) = (column(|row| row.0), column(|row| row.1), column(|row| row.3));
            let events: Vec<bool> = rows.iter().map(|row| row.2).collect();
            let outcomes = Outcomes { exits: &exits, events: &events, entries: &[], weights: &weights };
            let groups = censoring_groups(outcomes, &survival, horizon, &mut || Ok(())).unwrap();
            (groups, censoring_weights(outcomes, &survival, horizon, &mut || Ok(())).unwrap())
        };
        let (groups, known) = weighed(&rows);
        let (mut back, back_known) = weighed(&rows.iter().rev().copied().collect::<Vec<Watched>>());
        back.reverse();
        prop_assert_eq!(&back, &groups);
        // Higher predictions are in no lower group, and equal ones in the same.
        for (one, a) in rows.iter().zip(&groups) {
            for (other, b) in rows.iter().zip(&groups) {
                prop_assert!(one.0 != other.0 || a == b);
                prop_assert!(one.0 >= other.0 || a <= b);
            }
        }
        prop_assert_eq!(known.is_some(), back_known.is_some());
        if let (Some(known), Some(back)) = (known, back_known) {
            for (a, b) in known.iter().zip(back.iter().rev()) {
                prop_assert!(near(Some(*a), Some(*b)));
            }
            prop_assert!(near(Some(known.iter().sum()), Some(rows.iter().map(|row| row.3).sum())));
        }
    }

    #[test]
    fn forged_bytes_are_refused_or_read(rows in watched(), scored in scored(), at in any::<usize>(), byte in any::<u8>()) {
        let mut bytes = forecast(&rows).encode();
        let place = at % bytes.len();
        let _ = SurvivalCalibration::decode(&bytes[..place]);
        bytes[place] = byte;
        if let Ok(read) = SurvivalCalibration::decode(&bytes) {
            let _ = read.brier(3.0, Censoring::Marginal, &mut || Ok(())).unwrap();
        }
        let mut bytes = ranking(&scored).encode();
        let place = at % bytes.len();
        let _ = Ranking::decode(&bytes[..place]);
        bytes[place] = byte;
        if let Ok(read) = Ranking::decode(&bytes) {
            let _ = (read.area(), read.lift_table(7).unwrap());
        }
    }
}
