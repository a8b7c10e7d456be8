//! Short ways to build samples and to read curves in tests.

use ltv_engine::numeric::tally::Budget;
use ltv_engine::survival::estimate::{Estimator, Variance};
use ltv_engine::survival::kaplan_meier::{Interval, Transform, critical_value, interval};
use ltv_engine::survival::life_table::{Manner, curve};
use ltv_engine::survival::{Sample, Steps, Survival};

use crate::golden_support::Subject;

pub fn sample_of<'a>(subjects: impl IntoIterator<Item = &'a Subject>) -> Sample {
    let mut sample = Sample::default();
    for subject in subjects {
        sample.add_row(subject.start, subject.time, subject.event, 1.0, Budget::UNLIMITED).expect("a valid row");
    }
    sample
}

/// From durations, those followed by a `+` censored, as textbooks print them: `"9 13 13+ 18"`.
pub fn sample(durations: &str) -> Sample {
    let mut sample = Sample::default();
    for word in durations.split_whitespace() {
        let time = word.trim_end_matches('+').parse().expect("a duration");
        sample.add(time, !word.ends_with('+'), Budget::UNLIMITED).expect("a valid row");
    }
    sample
}

pub fn steps(sample: &Sample) -> Steps {
    Survival::Sample(sample.clone()).steps().expect("a sample with rows")
}

/// A row of the life table of a sample, where nothing but the interval can be undefined.
pub struct LifeRow {
    pub time: f64,
    pub at_risk: f64,
    pub events: f64,
    pub censored: f64,
    pub estimate: Interval,
    pub cumulative_hazard: f64,
}

impl LifeRow {
    pub fn has_exits(&self) -> bool {
        self.events + self.censored > 0.0
    }
}

/// 95 %.
pub fn reading(estimator: Estimator, variance: Variance, transform: Transform) -> Manner {
    Manner { estimator, variance, z: critical_value(0.95).expect("a valid level"), transform }
}

pub fn life_table(sample: &Sample, transform: Transform) -> Vec<LifeRow> {
    let rows = curve(sample, &reading(Estimator::KaplanMeier, Variance::Auto, transform)).expect("no late entries");
    rows.into_iter()
        .map(|row| LifeRow {
            time: row.time,
            at_risk: row.at_risk.expect("a sample counts"),
            events: row.events.expect("a sample counts"),
            censored: row.censored.expect("a sample counts"),
            estimate: row.estimate.expect("observed"),
            cumulative_hazard: row.cumulative_hazard.expect("observed"),
        })
        .collect()
}

/// S(t) with its 95 % interval, as the SQL function answers it; `None` beyond the observed time.
pub fn interval_at(steps: &Steps, t: f64, transform: Transform) -> Option<Interval> {
    let survival = steps.survival_at(t)?;
    let z = critical_value(0.95).expect("a valid level");
    Some(interval(survival, steps.log_variance_at(t), z, transform))
}

pub fn close(ours: f64, reference: f64, tolerance: f64) -> bool {
    (ours - reference).abs() <= tolerance * reference.abs().max(1e-3)
}

/// Fails with both numbers unless they agree to `tolerance`, relatively.
#[track_caller]
pub fn assert_close(ours: impl Into<Option<f64>>, reference: f64, tolerance: f64) {
    let ours: Option<f64> = ours.into();
    assert!(ours.is_some_and(|ours| close(ours, reference, tolerance)), "ours {ours:?}, reference {reference}");
}
