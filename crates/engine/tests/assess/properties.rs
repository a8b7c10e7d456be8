//! What must hold for every set of predictions.

use proptest::prelude::*;

use ltv_engine::assess::brier::{BrierScore, brier_score};
use ltv_engine::assess::calibration::Calibration;
use ltv_engine::assess::concordance::{Outcomes, concordance};
use ltv_engine::assess::reliability::{Binning, wilson};
use ltv_engine::numeric::tally::Budget;

const UNLIMITED: Budget = Budget::UNLIMITED;

type Row = (f64, bool, f64);

/// Probabilities in hundredths, so that ties are many, and any others; whole weights.
fn rows() -> impl Strategy<Value = Vec<Row>> {
    let probability = prop_oneof![3 => (0u8..=100).prop_map(|percent| f64::from(percent) / 100.0), 1 => 0.0f64..=1.0];
    let weight = prop_oneof![3 => Just(1.0), 1 => (1u8..5).prop_map(f64::from)];
    prop::collection::vec((probability, any::<bool>(), weight), 1..200)
}

fn calibration(rows: &[Row]) -> Calibration {
    let mut calibration = Calibration::default();
    for (probability, outcome, weight) in rows {
        calibration.add_weighted(*probability, *outcome, *weight, UNLIMITED).expect("a valid row");
    }
    calibration
}

fn agree(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-12 * b.abs().max(1e-3),
        (a, b) => a.is_none() && b.is_none(),
    }
}

proptest! {
    #[test]
    fn neither_order_nor_splits_matter(rows in rows(), cut in 0usize..200, skips in 0u8..3) {
        let whole = calibration(&rows);
        let backwards: Vec<Row> = rows.iter().rev().copied().collect();
        prop_assert_eq!(&calibration(&backwards), &whole);
        let (left, right) = backwards.split_at(cut.min(rows.len()));
        let (mut left, mut right) = (calibration(left), calibration(right));
        for _ in 0..skips {
            left.skip();
            right.skip();
        }
        left.merge(&right, UNLIMITED).unwrap();
        prop_assert_eq!(left.skipped(), 2 * u64::from(skips));
        prop_assert_eq!(left.counts(), whole.counts());
        prop_assert_eq!((left.brier(), left.auc(), left.log_loss()), (whole.brier(), whole.auc(), whole.log_loss()));
    }

    #[test]
    fn a_whole_weight_is_that_many_rows(rows in rows()) {
        let repeated: Vec<Row> = rows.iter().flat_map(|(p, outcome, weight)| std::iter::repeat_n((*p, *outcome, 1.0), *weight as usize)).collect();
        prop_assert_eq!(calibration(&repeated), calibration(&rows));
    }

    #[test]
    fn scores_are_what_their_definitions_say(rows in rows()) {
        let ours = calibration(&rows);
        let total: f64 = rows.iter().map(|(.., weight)| weight).sum();
        let truth = |outcome: bool| f64::from(u8::from(outcome));
        let brier = rows.iter().map(|(p, outcome, weight)| weight * (truth(*outcome) - p).powi(2)).sum::<f64>() / total;
        prop_assert!(agree(ours.brier(), Some(brier)));
        let loss = rows.iter().map(|(p, outcome, weight)| -weight * if *outcome { p.ln() } else { (1.0 - p).ln() }).sum::<f64>() / total;
        prop_assert!(agree(ours.log_loss(), Some(loss).filter(|loss| loss.is_finite())), "{:?} {loss}", ours.log_loss());
        let (mut won, mut pairs) = (0.0, 0.0);
        for (p, _, w) in rows.iter().filter(|(_, outcome, _)| *outcome) {
            for (q, _, v) in rows.iter().filter(|(_, outcome, _)| !*outcome) {
                pairs += w * v;
                won += w * v * if p > q { 1.0 } else if p == q { 0.5 } else { 0.0 };
            }
        }
        prop_assert!(agree(ours.auc(), Some(won / pairs).filter(|area: &f64| area.is_finite())));
    }

    #[test]
    fn the_area_of_the_opposite_is_the_rest(rows in rows()) {
        let opposite: Vec<Row> = rows.iter().map(|(p, outcome, weight)| (*p, !outcome, *weight)).collect();
        let (ours, theirs) = (calibration(&rows).auc(), calibration(&opposite).auc());
        prop_assert!(agree(ours.map(|area| 1.0 - area), theirs));
    }

    #[test]
    fn bins_hold_all_rows_and_never_split_ties(rows in rows(), bins in 1usize..30, uniform in any::<bool>()) {
        let method = if uniform { Binning::Uniform } else { Binning::Quantile };
        let ours = calibration(&rows);
        let curve = ours.calibration_curve(bins, method, 0.9).unwrap();
        prop_assert!(agree(Some(curve.iter().map(|bin| bin.n).sum()), Some(ours.total())));
        prop_assert!(agree(Some(curve.iter().map(|bin| bin.n * bin.observed).sum()), Some(ours.positives())));
        prop_assert!(curve.windows(2).all(|pair| pair[0].bin < pair[1].bin && pair[0].mean_predicted < pair[1].mean_predicted));
        prop_assert!(curve.iter().all(|bin| (1..=bins).contains(&bin.bin) && bin.n > 0.0));
        prop_assert!(curve.iter().all(|bin| 0.0 <= bin.lower && bin.lower <= bin.observed && bin.observed <= bin.upper && bin.upper <= 1.0));
        // Each distinct prediction lies in one bin: the bins' weights are sums of whole ties.
        let mut levels: Vec<(f64, f64)> = Vec::new();
        let mut sorted = rows.clone();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (p, _, weight) in sorted {
            match levels.last_mut() {
                Some(last) if last.0 == p => last.1 += weight,
                _ => levels.push((p, weight)),
            }
        }
        let mut levels = levels.into_iter();
        for bin in &curve {
            let mut held = 0.0;
            while held < bin.n { held += levels.next().expect("more rows").1; }
            prop_assert_eq!(held, bin.n);
        }
        // A quantile bin is at most a whole tie larger than its share.
        let error = ours.expected_calibration_error(bins, method).unwrap().expect("rows");
        prop_assert!((0.0..=1.0).contains(&error));
        let by_curve = curve.iter().map(|bin| bin.n * bin.gap.abs()).sum::<f64>() / ours.total();
        prop_assert!((error - by_curve).abs() < 1e-12);
    }

    #[test]
    fn more_bins_of_the_same_edges_show_no_less_error(rows in rows(), bins in 1usize..12) {
        // Splitting each uniform bin in two refines the partition, so the mean absolute gap cannot fall.
        let ours = calibration(&rows);
        let coarse = ours.expected_calibration_error(bins, Binning::Uniform).unwrap().expect("rows");
        let fine = ours.expected_calibration_error(2 * bins, Binning::Uniform).unwrap().expect("rows");
        prop_assert!(fine >= coarse - 1e-12);
    }

    #[test]
    fn recalibrated_predictions_need_no_recalibration(rows in rows()) {
        let ours = calibration(&rows);
        if let Some(fit) = ours.recalibration(&mut || Ok(())).unwrap() {
            prop_assert!(fit.slope.is_finite() && fit.intercept.is_finite());
            prop_assert!(fit.slope_std_error > 0.0 && fit.intercept_std_error > 0.0);
            let again: Vec<Row> = rows.iter().map(|(p, outcome, weight)| {
                let p = p.clamp(1e-8, 1.0 - 1e-8);
                let logit = fit.intercept + fit.slope * (p / (1.0 - p)).ln();
                (1.0 / (1.0 + (-logit).exp()), *outcome, *weight)
            }).collect();
            // A slope of about 0 squeezes all predictions together, and beyond 1e-8 they are limited again.
            let inside = again.iter().all(|(p, ..)| (1e-7..=1.0 - 1e-7).contains(p));
            if fit.slope.abs() > 1e-3 && inside {
                let refit = calibration(&again).recalibration(&mut || Ok(())).unwrap().expect("the same outcomes");
                let (slope, sign) = (refit.slope, fit.slope.signum());
                prop_assert!((slope - 1.0).abs() < 1e-6 && refit.intercept.abs() < 1e-6, "{sign} {refit:?}");
            }
        }
        if let Some(shift) = ours.calibration_in_the_large(&mut || Ok(())).unwrap() {
            let moved = |p: f64| {
                let p = p.clamp(1e-8, 1.0 - 1e-8);
                1.0 / (1.0 + (-(shift.intercept + (p / (1.0 - p)).ln())).exp())
            };
            let expected: f64 = rows.iter().map(|(p, _, weight)| weight * moved(*p)).sum();
            prop_assert!((expected - ours.positives()).abs() <= 1e-9 * ours.total(), "{expected} {}", ours.positives());
        }
    }

    #[test]
    fn wilson_limits_turn_over_with_the_outcome(n in 1u32..1000, share in 0.0f64..=1.0, z in 0.01f64..5.0) {
        let (n, positives) = (f64::from(n), (f64::from(n) * share).round());
        let ((lower, upper), (other_lower, other_upper)) = (wilson(positives, n, z), wilson(n - positives, n, z));
        prop_assert!(0.0 <= lower && lower <= positives / n && positives / n <= upper && upper <= 1.0);
        prop_assert!((lower + other_upper - 1.0).abs() < 1e-12 && (upper + other_lower - 1.0).abs() < 1e-12);
    }

    #[test]
    fn stored_bytes_read_back_and_damaged_ones_never_panic(rows in rows(), unit in prop_oneof![Just(1.0), Just(0.3)], changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6), cut in any::<prop::sample::Index>(), truncate in any::<bool>()) {
        let rows: Vec<Row> = rows.iter().map(|(p, outcome, weight)| (*p, *outcome, weight * unit)).collect();
        let mut ours = calibration(&rows);
        ours.skip();
        let mut bytes = ours.encode();
        prop_assert_eq!(Calibration::decode(&bytes), Ok(ours));
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if truncate { bytes.truncate(cut.index(bytes.len() + 1)); }
        let Ok(accepted) = Calibration::decode(&bytes) else { return Ok(()) };
        prop_assert_eq!(Calibration::decode(&accepted.encode()), Ok(accepted.clone()));
        let said = [accepted.brier(), accepted.log_loss(), accepted.auc(), accepted.brier_of_base_rate()];
        prop_assert!(said.iter().flatten().all(|value| value.is_finite()), "{said:?}");
        accepted.recalibration(&mut || Ok(())).unwrap();
        accepted.calibration_in_the_large(&mut || Ok(())).unwrap();
        prop_assert!(accepted.spiegelhalter().is_none_or(|(z, p)| z.is_finite() && (0.0..=1.0).contains(&p)));
        prop_assert!(accepted.hosmer_lemeshow(10, true).unwrap().is_none_or(|fit| fit.chi_squared.is_finite()));
        for bin in accepted.calibration_curve(10, Binning::Uniform, 0.95).unwrap() {
            let said = [bin.n, bin.mean_predicted, bin.observed, bin.lower, bin.upper, bin.gap];
            prop_assert!(said.iter().all(|value| value.is_finite()), "{said:?}");
        }
    }

    #[test]
    fn censored_brier_scores_are_scores(
        subjects in prop::collection::vec((0u8..40, any::<bool>(), 0.0f64..=1.0, 1u8..4), 1..60),
        horizon in 0u8..45,
        keys in prop::collection::vec(any::<u32>(), 60),
    ) {
        let horizon = f64::from(horizon);
        let ours = brier(&subjects, horizon);
        let mut order: Vec<usize> = (0..subjects.len()).collect();
        order.sort_by_key(|i| keys[*i]);
        let shuffled: Vec<_> = order.iter().map(|i| subjects[*i]).collect();
        let repeated: Vec<_> = subjects.iter().flat_map(|s| std::iter::repeat_n((s.0, s.1, s.2, 1), usize::from(s.3))).collect();
        for same in [brier(&shuffled, horizon), brier(&repeated, horizon)] {
            match (ours, same) {
                (Some(ours), Some(same)) => {
                    // The weights of those whose state is known add up to one each.
                    prop_assert!((0.0..=1.0 + 1e-12).contains(&ours.brier) && (0.0..=0.25 + 1e-12).contains(&ours.reference), "{ours:?}");
                    prop_assert!((ours.brier - same.brier).abs() < 1e-13 && (ours.reference - same.reference).abs() < 1e-13);
                }
                (ours, same) => prop_assert_eq!(ours, same),
            }
        }
    }
}

/// The score of subjects as (duration, event, predicted survival, weight).
fn brier(subjects: &[(u8, bool, f64, u8)], horizon: f64) -> Option<BrierScore> {
    let exits: Vec<f64> = subjects.iter().map(|subject| f64::from(subject.0)).collect();
    let events: Vec<bool> = subjects.iter().map(|subject| subject.1).collect();
    let survival: Vec<f64> = subjects.iter().map(|subject| subject.2).collect();
    let weights: Vec<f64> = subjects.iter().map(|subject| f64::from(subject.3)).collect();
    let outcomes = Outcomes { exits: &exits, events: &events, entries: &[], weights: &weights };
    brier_score(outcomes, &survival, horizon, &mut || Ok(())).expect("valid arguments")
}

#[test]
fn no_pair_is_counted_where_there_is_none_whatever_the_weights() {
    // Weights that add up with rounding; all risks and times differ, and the order is perfect, or perfectly wrong.
    let subjects = 3_000u32;
    let weights: Vec<f64> = (0..subjects).map(|at| 0.1 + f64::from(at * 7 % 13) / 3.0).collect();
    let times: Vec<f64> = (0..subjects).map(|at| f64::from(at) + 1.5).collect();
    let entries: Vec<f64> = times.iter().map(|time| time - 1.0 - time % 7.0 / 10.0).collect();
    let events = vec![true; subjects as usize];
    for entries in [&[][..], &entries] {
        let outcomes = Outcomes { exits: &times, events: &events, entries, weights: &weights };
        for sign in [1.0, -1.0] {
            let risks: Vec<f64> = times.iter().map(|time| -sign * time).collect();
            let found = concordance(outcomes, &risks, &mut || Ok(())).unwrap();
            let (right, wrong) =
                if sign > 0.0 { (found.concordant, found.discordant) } else { (found.discordant, found.concordant) };
            assert!(right > 0.0, "{found:?}");
            assert_eq!((wrong, found.tied_x), (0.0, 0.0), "{found:?}");
        }
        // One pair of equal risks is not lost among millions.
        let mut risks = times.clone();
        risks[1] = risks[0];
        let found = concordance(Outcomes { entries: &[], ..outcomes }, &risks, &mut || Ok(())).unwrap();
        assert!((found.tied_x - weights[0] * weights[1]).abs() < 1e-9, "{found:?}");
    }
}
