//! Limits from rows held out hold the truth that made the data as often as they say.

use ltv_engine::Error;
use ltv_engine::assess::prediction_limits::{Group, LEAST_EVENTS, MOST_GROUPS, Row, prediction_limits};
use ltv_engine::boost::Options;
use ltv_engine::numeric::tally::Budget;
use ltv_engine::survival::Sample;
use ltv_engine::survival::estimate::{Estimates, Estimator, Variance};
use ltv_engine::survival::kaplan_meier::{Transform, critical_value, interval};

use crate::chance::Chance;
use crate::{bent, boosted, go_on, simulated};

fn limits(rows: &mut [Row], horizon: f64) -> Vec<Group> {
    prediction_limits(rows, horizon, 0.95, Budget::UNLIMITED, &mut go_on).unwrap()
}

/// The group of a prediction, as it is looked for: the last that begins at or below it; none outside of all.
fn group(groups: &[Group], predicted: f64) -> Option<&Group> {
    let at = groups.partition_point(|group| group.from <= predicted).checked_sub(1)?;
    (predicted <= groups.last()?.to).then(|| &groups[at])
}

/// Rows with true probability p to last through 1, of which the model says p to the power `bias`; exponential times,
/// censored at chance.
fn biased(rows: usize, bias: f64, chance: &mut Chance) -> Vec<Row> {
    (0..rows)
        .map(|_| {
            let hazard = 0.05 + 1.5 * chance.uniform();
            let (time, censored) = (chance.exponential() / hazard, 2.5 * chance.uniform());
            Row { duration: time.min(censored), event: time <= censored, predicted: (-hazard * bias).exp() }
        })
        .collect()
}

/// How often each row's truth is within its limits.
fn covered(bias: f64, seed: u64) -> (f64, usize) {
    let mut chance = Chance::new(seed);
    let (mut within, mut asked, mut groups) = (0.0, 0.0, 0);
    for _ in 0..400 {
        let found = limits(&mut biased(900, bias, &mut chance), 1.0);
        groups += found.len();
        for row in biased(100, bias, &mut chance) {
            let truth = row.predicted.powf(1.0 / bias);
            if let Some(group) = group(&found, row.predicted) {
                let (lower, upper) = (row.predicted.powf(group.lower_power), row.predicted.powf(group.upper_power));
                within += f64::from(u8::from((lower..=upper).contains(&truth)));
                asked += 1.0;
            }
        }
    }
    (within / asked, groups)
}

#[test]
fn a_model_that_is_wrong_by_one_factor_of_the_hazard_is_within_limits_in_95_of_100() {
    for (bias, seed) in [(1.0, 11), (1.5, 12), (0.6, 13)] {
        let (share, groups) = covered(bias, seed);
        // 400 books of about 9 groups each: a standard error of 0.004.
        assert!((0.94..0.97).contains(&share), "{share} within the limits, of bias {bias}, {groups} groups");
    }
}

#[test]
fn of_trees_the_mean_truth_of_like_rows_is_within_the_mean_limits() {
    let (mut groups, mut held, mut rows, mut rows_held) = (0.0, 0.0, 0.0, 0.0);
    for seed in 0..40 {
        let seen = simulated(1_000, 100 + seed, bent);
        let trees = boosted(&seen.design, &Options { trees: 60, depth: 3, ..Options::default() });
        let hazard = trees.baseline.cumulative_hazard(8.0);
        let predicted = |x: &[f64; 4]| (-hazard * trees.linear_predictor(x).exp()).exp();
        let mut out: Vec<Row> = simulated(2_500, 200 + seed, bent)
            .rows
            .iter()
            .map(|(x, duration, event)| Row { duration: *duration, event: *event, predicted: predicted(x) })
            .collect();
        let found = limits(&mut out, 8.0);
        assert!(found.len() >= 5, "{} groups", found.len());
        let mut sums = vec![[0.0; 3]; found.len()];
        for (x, ..) in simulated(2_000, 300 + seed, bent).rows {
            let (said, truth) = (predicted(&x), (-0.64 * bent(&x).exp()).exp());
            let Some(group) = group(&found, said) else { continue };
            let at = found.iter().position(|other| other == group).unwrap();
            let (lower, upper) = (said.powf(group.lower_power), said.powf(group.upper_power));
            for (sum, value) in sums[at].iter_mut().zip([lower, truth, upper]) {
                *sum += value;
            }
            let (lower, upper) = group.limits(said);
            rows += 1.0;
            rows_held += f64::from(u8::from((lower..=upper).contains(&truth)));
        }
        for [lower, truth, upper] in sums {
            groups += 1.0;
            held += f64::from(u8::from(lower <= truth && truth <= upper));
        }
    }
    let (share, rows_share) = (held / groups, rows_held / rows);
    assert!((0.93..=0.98).contains(&share), "{share} of {groups} groups");
    // What is not promised, and does not hold: a row's own truth, as trees err within a group too.
    assert!((0.4..0.7).contains(&rows_share), "{rows_share} of {rows} rows");
}

#[test]
fn a_group_is_kaplan_meier_of_its_rows_and_its_limits_are_the_means_of_theirs() {
    let mut rows = biased(2_000, 1.3, &mut Chance::new(7));
    let groups = limits(&mut rows, 1.0);
    assert_eq!(groups.len(), MOST_GROUPS);
    assert_eq!(groups.iter().map(|group| group.rows).sum::<u64>(), 2_000);
    for (at, group) in groups.iter().enumerate() {
        let of: Vec<&Row> = rows.iter().filter(|row| (group.from..=group.to).contains(&row.predicted)).collect();
        assert_eq!(of.len() as u64, group.rows);
        assert!(group.events >= LEAST_EVENTS && (at == 0 || groups[at - 1].to < group.from));
        let mut sample = Sample::default();
        for row in &of {
            sample.add(row.duration, row.event, Budget::UNLIMITED).unwrap();
        }
        let estimates = Estimates::of(&sample, Estimator::KaplanMeier, Variance::Greenwood).unwrap().unwrap();
        let last = estimates.after(1.0).unwrap();
        let told = interval(last.survival, Some(last.log_variance), critical_value(0.95).unwrap(), Transform::LogLog);
        assert_eq!((group.rate, Some(group.lower), Some(group.upper)), (last.survival, told.lower, told.upper));
        let mean = |power: f64| of.iter().map(|row| row.predicted.powf(power)).sum::<f64>() / of.len() as f64;
        assert!((mean(1.0) - group.predicted).abs() < 1e-12);
        assert!((mean(group.lower_power) - group.lower).abs() < 1e-12);
        assert!((mean(group.upper_power) - group.upper).abs() < 1e-12);
        let part: f64 = of.iter().map(|row| row.predicted * (1.0 - row.predicted)).sum();
        let total: f64 = rows.iter().map(|row| row.predicted * (1.0 - row.predicted)).sum();
        assert!((part / total - 0.1).abs() < 0.002, "{part} of {total}");
        let (lower, upper) = group.limits(group.predicted);
        assert!(lower <= group.predicted && group.predicted <= upper);
    }
    // Any order of the rows gives the same groups.
    rows.reverse();
    let again = limits(&mut rows, 1.0);
    assert!(
        groups.iter().zip(&again).all(|(a, b)| a.rows == b.rows && (a.lower_power / b.lower_power - 1.0).abs() < 1e-9)
    );
}

#[test]
fn too_few_events_equal_predictions_and_odd_rows() {
    let mut chance = Chance::new(5);
    let row = |duration, event, predicted| Row { duration, event, predicted };
    assert_eq!(limits(&mut [], 1.0), []);
    // 19 events are too few, 20 make a group, 40 two; those after the horizon do not count.
    let mut of = |events: usize| -> Vec<Row> {
        let mut rows: Vec<Row> = (0..events).map(|at| row(0.5, true, 0.3 + 0.4 * at as f64 / events as f64)).collect();
        rows.extend((0..4 * events).map(|_| row(1.0 + chance.uniform(), true, 0.3 + 0.4 * chance.uniform())));
        rows
    };
    assert_eq!(limits(&mut of(19), 0.9).len(), 0);
    assert_eq!(limits(&mut of(20), 0.9).len(), 1);
    assert!(limits(&mut of(100), 0.9).len() >= 2);
    // Beyond what was observed there is no rate.
    assert_eq!(limits(&mut of(100), 2.5).len(), 0);
    // Equal predictions stay together; of impossible ones, and where all left, nothing is known.
    let same = |predicted: f64| (0..100).map(|at| row(1.0 + f64::from(at % 2), true, predicted)).collect::<Vec<Row>>();
    let one = limits(&mut same(0.4), 1.5);
    assert_eq!((one.len(), one[0].from, one[0].to, one[0].rate), (1, 0.4, 0.4, 0.5));
    assert!((one[0].limits(0.4).1 - one[0].upper).abs() < 1e-12 && (one[0].limits(0.4).0 - one[0].lower).abs() < 1e-12);
    for (predicted, horizon) in [(0.0, 1.5), (1.0, 1.5), (0.4, 2.0)] {
        assert_eq!(limits(&mut same(predicted), horizon), []);
    }
    for odd in [row(f64::NAN, true, 0.5), row(-1.0, true, 0.5), row(1.0, true, f64::NAN), row(1.0, true, 1.1)] {
        let refused = prediction_limits(&mut [odd], 1.0, 0.95, Budget::UNLIMITED, &mut go_on);
        assert!(matches!(refused, Err(Error::Invalid { .. })), "{odd:?}");
    }
    assert!(prediction_limits(&mut [], 1.0, 1.0, Budget::UNLIMITED, &mut go_on).is_err());
}
