//! What must hold for every sample and every curve.

use proptest::prelude::*;

use ltv_engine::numeric::tally::Budget;
use ltv_engine::survival::estimate::{Estimator, Variance};
use ltv_engine::survival::kaplan_meier::{Transform, critical_value, interval};
use ltv_engine::survival::life_table::curve_at;
use ltv_engine::survival::log_rank::{Weighting, log_rank};
use ltv_engine::survival::{FittedCurve, Sample, Steps, Survival, Tail};

use crate::samples::{close, life_table, reading, steps};

const UNLIMITED: Budget = Budget::UNLIMITED;
const TRANSFORMS: [Transform; 5] =
    [Transform::LogLog, Transform::Log, Transform::Plain, Transform::Logit, Transform::Arcsine];

const ESTIMATORS: [Estimator; 3] = [Estimator::KaplanMeier, Estimator::NelsonAalen, Estimator::FlemingHarrington];

#[derive(Debug, Clone, Copy)]
struct Row {
    entry: f64,
    time: f64,
    event: bool,
    weight: f64,
}

/// Times are eighths, so that sums and differences of times are exact and ties are many.
fn row() -> impl Strategy<Value = Row> {
    let times = prop_oneof![(0u32..40).prop_map(f64::from), (0u32..320).prop_map(|eighths| f64::from(eighths) / 8.0)];
    let weight = prop_oneof![3 => Just(1.0), 1 => (1u8..5).prop_map(f64::from)];
    (times.clone(), times, any::<bool>(), weight).prop_map(|(a, b, event, weight)| {
        // Half of the rows enter late.
        let (entry, time) = if a < b { (a, b) } else { (0.0, a) };
        Row { entry, time, event, weight }
    })
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    prop_oneof![prop::collection::vec(row(), 1..20), prop::collection::vec(row(), 1..300)]
}

fn sample_of(rows: &[Row]) -> Sample {
    let mut sample = Sample::default();
    for row in rows {
        sample.add_row(row.entry, row.time, row.event, row.weight, UNLIMITED).expect("a valid row");
    }
    sample
}

/// Curves of models: dyadic numbers, so that differences are exact; some without variance, some that reach S = 0.
fn fitted() -> impl Strategy<Value = FittedCurve> {
    let step = (1u32..40, 0u32..16, 0u32..16, prop::collection::vec(-8i32..8, 3));
    let tail = prop_oneof![
        Just(Tail::None),
        (0u32..16).prop_map(|rate| Tail::ConstantHazard { rate: f64::from(rate) / 64.0 })
    ];
    (prop::collection::vec(step, 0..30), 0usize..4, any::<bool>(), prop::option::of(0usize..30), 0u32..40, tail)
        .prop_map(|(steps, rank, has_variance, dead_from, beyond, tail)| {
            let mut curve = FittedCurve {
                times: Vec::new(),
                cumulative_hazard: Vec::new(),
                variance: Vec::new(),
                rank,
                loadings: Vec::new(),
                max_followup: 0.0,
                tail,
                decisions: None,
            };
            let (mut time, mut hazard, mut variance) = (0.0, 0.0, 0.0);
            for (i, (gap, hazard_step, variance_step, loadings)) in steps.into_iter().enumerate() {
                let dead = dead_from.is_some_and(|from| i >= from);
                time += f64::from(gap) / 8.0;
                hazard += if dead { f64::INFINITY } else { f64::from(hazard_step) / 16.0 };
                variance += if dead { f64::INFINITY } else { f64::from(variance_step) / 64.0 };
                curve.times.push(time);
                curve.cumulative_hazard.push(hazard);
                if has_variance {
                    curve.variance.push(variance);
                }
                curve.loadings.extend(loadings.iter().take(rank).map(|loading| f64::from(*loading) / 8.0));
            }
            curve.max_followup = time + f64::from(beyond) / 8.0;
            curve
        })
}

/// Samples of whole weights, samples of others, and fitted curves.
fn any_curve() -> impl Strategy<Value = Survival> {
    let fractional = |mut rows: Vec<Row>| {
        rows.iter_mut().for_each(|row| row.weight *= 0.3);
        rows
    };
    prop_oneof![
        rows().prop_map(|rows| Survival::Sample(sample_of(&rows))),
        rows().prop_map(fractional).prop_map(|rows| Survival::Sample(sample_of(&rows))),
        fitted().prop_map(Survival::Fitted)
    ]
}

fn eighths() -> impl Strategy<Value = f64> {
    (0u32..400).prop_map(|eighths| f64::from(eighths) / 8.0)
}

/// Everything the curve says at times in and between its steps, to compare two curves by.
fn answers(steps: &Steps) -> Vec<[Option<f64>; 3]> {
    let times = (0..360).map(|eighths| f64::from(eighths) / 8.0);
    times.map(|t| [steps.survival_at(t), steps.cumulative_hazard_at(t), steps.log_variance_at(t)]).collect()
}

fn assert_same_answers(a: &Steps, b: &Steps, tolerance: f64) -> Result<(), TestCaseError> {
    for (a, b) in answers(a).into_iter().zip(answers(b)) {
        for (a, b) in a.into_iter().zip(b) {
            match (a, b) {
                (Some(a), Some(b)) => prop_assert!(close(a, b, tolerance), "{a} {b}"),
                (a, b) => prop_assert_eq!(a, b),
            }
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn neither_order_nor_splits_matter(rows in rows(), keys in prop::collection::vec(any::<u32>(), 300), cut in 0usize..300) {
        let whole = sample_of(&rows);
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|i| keys[*i]);
        let shuffled: Vec<Row> = order.iter().map(|i| rows[*i]).collect();
        prop_assert_eq!(&sample_of(&shuffled), &whole);
        let (left, right) = shuffled.split_at(cut.min(rows.len()));
        let (mut left, mut right) = (sample_of(left), sample_of(right));
        left.skip();
        right.skip();
        left.merge(&right, UNLIMITED).unwrap();
        prop_assert_eq!(left.skipped(), 2);
        // Weights are whole, so even the bytes are the same but for the rows skipped.
        prop_assert_eq!(steps(&left), steps(&whole));
        prop_assert_eq!((left.subjects(), left.events()), (whole.subjects(), whole.events()));
    }

    #[test]
    fn a_whole_weight_is_that_many_rows(rows in rows()) {
        let repeated: Vec<Row> =
            rows.iter().flat_map(|row| std::iter::repeat_n(Row { weight: 1.0, ..*row }, row.weight as usize)).collect();
        let (repeated, weighted) = (sample_of(&repeated), sample_of(&rows));
        prop_assert_eq!((repeated.exits(), repeated.entries()), (weighted.exits(), weighted.entries()));
        for estimator in ESTIMATORS {
            let by = |sample: &Sample| Survival::Sample(sample.clone()).steps_by(estimator, Variance::Auto).unwrap();
            prop_assert_eq!(by(&repeated), by(&weighted));
        }
    }

    #[test]
    fn weights_matter_by_their_proportions_only(rows in rows(), factor in prop_oneof![Just(0.1), Just(1e-3), Just(1e6), 0.01f64..100.0]) {
        let scaled: Vec<Row> = rows.iter().map(|row| Row { weight: row.weight * factor, ..*row }).collect();
        let (plain, scaled) = (steps(&sample_of(&rows)), steps(&sample_of(&scaled)));
        prop_assert_eq!(&plain.times, &scaled.times);
        for t in 0..40 {
            let t = f64::from(t);
            match (plain.survival_at(t), scaled.survival_at(t)) {
                (Some(a), Some(b)) => prop_assert!(close(a, b, 1e-9), "S({t}): {a} {b}"),
                (a, b) => prop_assert_eq!(a, b),
            }
            match (plain.log_variance_at(t), scaled.log_variance_at(t)) {
                (Some(a), Some(b)) => prop_assert!(close(a, b * factor, 1e-9), "variance at {t}: {a} {b}"),
                (a, b) => prop_assert_eq!(a, b),
            }
        }
    }

    #[test]
    fn the_unit_of_time_does_not_matter(rows in rows(), unit in prop_oneof![Just(30.4375), Just(1.0 / 12.0), Just(365.25), 0.05f64..500.0], tau in 1u32..40) {
        let converted: Vec<Row> = rows.iter().map(|row| Row { entry: row.entry * unit, time: row.time * unit, ..*row }).collect();
        let (here, there) = (steps(&sample_of(&rows)), steps(&sample_of(&converted)));
        prop_assert_eq!(&here.survival, &there.survival);
        prop_assert_eq!(&here.variance, &there.variance);
        prop_assert_eq!(&here.cumulative_hazard, &there.cumulative_hazard);
        for (a, b) in here.times.iter().zip(&there.times) { prop_assert!(close(a * unit, *b, 1e-12)); }
        let tau = f64::from(tau);
        let means = (here.restricted_mean(tau).unwrap(), there.restricted_mean(tau * unit).unwrap());
        if let (Some(a), Some(b)) = means { prop_assert!(close(a * unit, b, 1e-9)); }
        match (here.quantile(0.5).unwrap(), there.quantile(0.5).unwrap()) {
            (Some(a), Some(b)) => prop_assert!(close(a * unit, b, 1e-12)),
            (a, b) => prop_assert_eq!(a, b),
        }
    }

    #[test]
    fn rounding_of_times_does_not_matter(rows in rows(), noise in prop::collection::vec(-1.0f64..1.0, 300)) {
        let noisy: Vec<Row> = rows.iter().zip(noise).map(|(row, noise)| Row { time: row.time * (1.0 + noise * 1e-13), ..*row }).collect();
        let (plain, noisy) = (steps(&sample_of(&rows)), steps(&sample_of(&noisy)));
        prop_assert_eq!(plain.survival, noisy.survival);
        prop_assert_eq!(plain.variance, noisy.variance);
    }

    #[test]
    fn curves_fall_from_one_to_zero_at_most(curve in any_curve()) {
        let steps = curve.steps().expect("rows");
        prop_assert!(steps.times.windows(2).all(|pair| pair[0] < pair[1]));
        let bounded = |values: &[f64], least: f64| values.iter().all(|value| *value >= least);
        prop_assert!(bounded(&steps.survival, 0.0) && steps.survival.iter().all(|survival| *survival <= 1.0));
        prop_assert!(steps.survival.windows(2).all(|pair| pair[0] >= pair[1]));
        prop_assert!(bounded(&steps.cumulative_hazard, 0.0));
        prop_assert!(steps.cumulative_hazard.windows(2).all(|pair| pair[0] <= pair[1]));
        prop_assert!(steps.variance.windows(2).all(|pair| pair[0] <= pair[1]));
        let answers = answers(&steps);
        for pair in answers.windows(2) {
            if let [[Some(before), ..], [Some(after), ..]] = pair { prop_assert!(before >= after); }
        }
        prop_assert!(answers.iter().flatten().flatten().all(|value| value.is_finite()));
    }

    #[test]
    fn intervals_contain_the_estimate(curve in any_curve(), level in prop_oneof![Just(0.95), 0.001f64..0.9999]) {
        let steps = curve.steps().expect("rows");
        let z = critical_value(level).unwrap();
        for t in (0..360).map(|eighths| f64::from(eighths) / 8.0) {
            let Some(survival) = steps.survival_at(t) else { continue };
            for transform in TRANSFORMS {
                let interval = interval(survival, steps.log_variance_at(t), z, transform);
                if let (Some(lower), Some(upper)) = (interval.lower, interval.upper) {
                    let rounding = 1e-12;
                    prop_assert!(0.0 <= lower && lower <= survival + rounding, "{transform:?} {t} {interval:?}");
                    prop_assert!(survival <= upper + rounding && upper <= 1.0, "{transform:?} {t} {interval:?}");
                }
            }
        }
    }

    #[test]
    fn a_quantile_is_where_the_curve_has_come_down_so_far(curve in any_curve(), p in prop_oneof![Just(0.5), Just(0.25), 0.01f64..0.99]) {
        let steps = curve.steps().expect("rows");
        let slack = 1e-7;
        match steps.quantile(p).unwrap() {
            Some(t) => {
                let there = steps.survival_at(t).expect("a quantile lies on the curve");
                prop_assert!(there <= 1.0 - p + slack, "S({t}) = {there}");
                let earlier = steps.times.iter().rfind(|time| **time < t && steps.survival_at(**time) > Some(there + slack));
                if let Some(before) = earlier { prop_assert!(steps.survival_at(*before).unwrap() > 1.0 - p - slack); }
            }
            None => prop_assert!(steps.survival_at_end() > 1.0 - p && !steps.tail_hazard().is_some_and(|rate| rate > 0.0)),
        }
    }

    #[test]
    fn the_restricted_mean_is_the_area(rows in rows(), tau in 1u32..320) {
        let (steps, tau) = (steps(&sample_of(&rows)), f64::from(tau) / 8.0);
        // Steps lie on eighths, so a sum over eighths is the integral.
        let area = (0..(tau * 8.0) as u32).map(|eighth| steps.survival_at(f64::from(eighth) / 8.0).map(|survival| survival / 8.0)).sum();
        match (steps.restricted_mean(tau).unwrap(), area) {
            (Some(ours), Some(area)) => prop_assert!(close(ours, area, 1e-12)),
            (ours, _) => prop_assert!(ours.is_none() && tau > steps.max_followup),
        }
    }

    #[test]
    fn conditioning_twice_is_conditioning_once(curve in any_curve(), a in eighths(), b in eighths()) {
        let twice = curve.conditional(a).unwrap().and_then(|rest| rest.conditional(b).unwrap());
        let once = curve.conditional(a + b).unwrap();
        prop_assert_eq!(&twice, &once);
        // The rest is a value like any other: it can be stored.
        if let Some(rest) = once { prop_assert_eq!(Survival::decode(&rest.encode()).unwrap(), rest); }
    }

    #[test]
    fn survival_is_survival_so_far_times_survival_from_there(curve in any_curve(), given in eighths()) {
        let whole = curve.steps().expect("rows");
        let rest = curve.conditional(given).unwrap().map(|rest| rest.steps().expect("rows"));
        let Some(then) = whole.survival_at(given).filter(|then| *then > 0.0) else { return Ok(()) };
        let Some(rest) = rest else { return Ok(()) };
        for later in (0..200).map(|eighths| f64::from(eighths) / 8.0) {
            match (whole.survival_at(given + later), rest.survival_at(later)) {
                (Some(product), Some(factor)) => prop_assert!(close(product, then * factor, 1e-12), "{later}: {product} {factor}"),
                (product, factor) => prop_assert_eq!(product, factor),
            }
            let renewal = whole.renewal_probability(given, given + later).unwrap();
            match (renewal, rest.survival_at(later)) {
                (Some(renewal), Some(factor)) => prop_assert!((renewal - factor).abs() <= 1e-12),
                (renewal, factor) => prop_assert_eq!(renewal, factor),
            }
        }
    }

    #[test]
    fn to_enter_at_the_start_is_not_to_enter_late(rows in rows()) {
        let mut plain = Sample::default();
        let mut entered = Sample::default();
        for row in &rows {
            plain.add(row.time, row.event, UNLIMITED).unwrap();
            entered.add_row(0.0, row.time, row.event, 1.0, UNLIMITED).unwrap();
        }
        prop_assert!(entered.entries().is_empty());
        prop_assert_eq!(plain, entered);
    }

    #[test]
    fn risk_sets_are_those_who_are_there(rows in rows()) {
        for row in life_table(&sample_of(&rows), Transform::Log) {
            let there = |r: &&Row| r.time >= row.time && (r.entry < row.time || r.entry == 0.0);
            prop_assert_eq!(row.at_risk, rows.iter().filter(there).map(|r| r.weight).sum::<f64>());
        }
    }

    #[test]
    fn a_life_table_at_chosen_times_counts_all_in_between(rows in rows(), mut times in prop::collection::vec(eighths(), 1..12)) {
        let sample = sample_of(&rows);
        let (steps, z) = (steps(&sample), critical_value(0.95).unwrap());
        let reading = reading(Estimator::KaplanMeier, Variance::Auto, Transform::Log);
        let table = curve_at(&sample, &times, &reading).unwrap();
        times.sort_by(f64::total_cmp);
        prop_assert_eq!(table.iter().map(|row| row.time).collect::<Vec<_>>(), times);
        let (mut events, mut gone) = (0.0, 0.0);
        for row in table {
            let count = |condition: &dyn Fn(&Row) -> bool| rows.iter().filter(|r| condition(r)).map(|r| r.weight).sum::<f64>();
            let there = |r: &Row| r.time >= row.time && (r.entry < row.time || r.entry == 0.0);
            prop_assert_eq!(row.at_risk, Some(count(&there)));
            events += row.events.expect("a sample counts");
            gone += row.events.expect("a sample counts") + row.censored.expect("a sample counts");
            prop_assert_eq!(events, count(&|r| r.event && r.time <= row.time));
            prop_assert_eq!(gone, count(&|r| r.time <= row.time));
            let estimate = steps.survival_at(row.time).map(|survival| interval(survival, steps.log_variance_at(row.time), z, Transform::Log));
            prop_assert_eq!(row.estimate, estimate);
            prop_assert_eq!(row.cumulative_hazard, steps.cumulative_hazard_at(row.time));
        }
    }

    #[test]
    fn log_rank_tests_are_fair_to_their_groups(rows in rows(), groups in prop::collection::vec(0usize..3, 300), p in 0.0f64..2.0, q in 0.0f64..2.0) {
        let mut samples = vec![Sample::default(); 3];
        for (row, group) in rows.iter().zip(&groups) {
            samples[*group].add_row(row.entry, row.time, row.event, row.weight, UNLIMITED).unwrap();
        }
        for weighting in [
            Weighting::LogRank, Weighting::Wilcoxon, Weighting::TaroneWare, Weighting::Peto, Weighting::FlemingHarrington { p, q },
        ] {
            let [a, b, c] = [&samples[0], &samples[1], &samples[2]];
            let test = log_rank(&[a, b, c], weighting);
            let scale = test.observed.iter().sum::<f64>().max(1.0);
            let balance = test.observed.iter().sum::<f64>() - test.expected.iter().sum::<f64>();
            prop_assert!(balance.abs() <= 1e-9 * scale, "observed and expected add up to the same");
            for row in test.variance.row_iter() { prop_assert!(row.sum().abs() <= 1e-9 * test.variance.norm().max(1.0)); }
            if let Some(chi_squared) = test.chi_squared {
                prop_assert!(chi_squared >= 0.0 && test.p_value.is_some_and(|p| (0.0..=1.0).contains(&p)), "{test:?}");
                let turned = log_rank(&[c, a, b], weighting);
                let turned = turned.chi_squared.expect("the same groups");
                prop_assert!((turned - chi_squared).abs() <= 1e-6 * chi_squared.max(1e-3), "{turned} {chi_squared}");
            }
            let same = log_rank(&[a, a], weighting).chi_squared;
            prop_assert!(same.is_none_or(|chi_squared| chi_squared.abs() < 1e-12), "{same:?}");
        }
    }

    #[test]
    fn stored_bytes_read_back(curve in any_curve(), skips in 0u8..3) {
        let curve = match curve {
            Survival::Sample(mut sample) => {
                for _ in 0..skips { sample.skip(); }
                Survival::Sample(sample)
            }
            fitted => fitted,
        };
        let bytes = curve.encode();
        let back = Survival::decode(&bytes).unwrap();
        prop_assert_eq!(&back, &curve);
        prop_assert_eq!(back.encode(), bytes);
        assert_same_answers(&back.steps().unwrap(), &curve.steps().unwrap(), 0.0)?;
    }

    /// Whatever is accepted must answer every question without a panic and never with NaN.
    #[test]
    fn damaged_bytes_never_panic(curve in any_curve(), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut in any::<prop::sample::Index>(), truncate in any::<bool>()) {
        let mut bytes = curve.encode();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if truncate { bytes.truncate(cut.index(bytes.len() + 1)); }
        let Ok(accepted) = Survival::decode(&bytes) else { return Ok(()) };
        let again = Survival::decode(&accepted.encode());
        prop_assert_eq!(again.as_ref(), Ok(&accepted));
        let Some(steps) = accepted.steps() else { return Ok(()) };
        for t in [0.0, 0.5, 3.0, 40.0, 1e9, steps.max_followup] {
            let said = [steps.survival_at(t), steps.cumulative_hazard_at(t), steps.log_variance_at(t)];
            prop_assert!(said.iter().flatten().all(|value| value.is_finite()), "{t}: {said:?}");
            prop_assert!(steps.restricted_mean(t + 1.0).unwrap().is_none_or(f64::is_finite));
            prop_assert!(steps.renewal_probability(t, t + 1.0).unwrap().is_none_or(f64::is_finite));
            if let Some(rest) = accepted.conditional(t).unwrap() {
                prop_assert_eq!(Survival::decode(&rest.encode()), Ok(rest));
            }
        }
        prop_assert!(steps.quantile(0.5).unwrap().is_none_or(f64::is_finite));
        if let Survival::Sample(sample) = &accepted {
            life_table(sample, Transform::LogLog);
            log_rank(&[sample, sample], Weighting::Peto);
        }
    }
}
