//! The Brier score at a horizon when some outcomes are censored before it (Graf, Schmoor, Sauerbrei & Schumacher 1999).
//!
//! A subject whose state at the horizon h is known stands in for those who were lost: it is weighted by one over the
//! probability G of not having been censored so far. With T the follow-up, D the event and S the predicted survival at h,
//!
//! BS(h) = 1/n Σ [ S² · 1{T ≤ h, D} / G(T−) + (1 − S)² · 1{T > h} / G(h) ].
//!
//! G is the Kaplan–Meier curve of the censoring, independent of covariates, with events before censorings at a tie.

use crate::numeric::sum::Sum;
use crate::numeric::tally::Budget;
use crate::survival::risk::RiskTable;
use crate::survival::{Sample, curve};
use crate::{Error, Result};

/// The score of a model beside that of the curve which says the same of everyone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BrierScore {
    pub brier: f64,
    /// The score of the marginal Kaplan–Meier estimate of the same subjects.
    pub reference: f64,
    /// 1 − brier / reference: 0 for a model no better than the cohort's curve; `None` when the reference is perfect.
    pub skill: Option<f64>,
}

/// The Kaplan–Meier curve of the time to censoring: the probability of still being under observation.
#[derive(Debug, Clone, PartialEq)]
pub struct CensoringCurve {
    times: Vec<f64>,
    survival: Vec<f64>,
}

impl CensoringCurve {
    /// From a sample without delayed entries; at a tie those with the event are no longer at risk of being censored.
    pub fn new(sample: &Sample) -> Self {
        let (mut times, mut survival) = (Vec::new(), Vec::new());
        let mut still = 1.0;
        for row in RiskTable::new(&[sample]).rows {
            let at_risk = row.at_risk[0] - row.events[0];
            if row.censored[0] > 0.0 && at_risk > 0.0 {
                still *= (at_risk - row.censored[0]).max(0.0) / at_risk;
            }
            times.push(row.time);
            survival.push(still);
        }
        CensoringCurve { times, survival }
    }

    /// G(t), right-continuous.
    pub fn at(&self, t: f64) -> f64 {
        self.after(self.rows_until(t))
    }

    /// G(t−) for a time `t` of the sample.
    pub fn before(&self, t: f64) -> f64 {
        self.after(self.rows_until(t).saturating_sub(1))
    }

    /// Distinct times at or before `t`; a time of the sample counts the one it is tied with.
    fn rows_until(&self, t: f64) -> usize {
        self.times.partition_point(|time| *time <= t)
    }

    fn after(&self, rows: usize) -> f64 {
        rows.checked_sub(1).map_or(1.0, |last| self.survival[last])
    }
}

/// The censoring-weighted Brier score of `predicted_survival` (at `horizon`, in [0, 1]) and of the marginal
/// Kaplan–Meier curve, over subjects followed for `duration` until an event or a censoring.
///
/// `None` for no subjects, and when the horizon lies beyond what censoring lets anyone see (G(horizon) = 0).
///
/// # Errors
/// [`Error::Invalid`] when the slices differ in length or a number is outside its domain.
pub fn brier_at_horizon(
    duration: &[f64],
    event: &[bool],
    predicted_survival: &[f64],
    horizon: f64,
) -> Result<Option<BrierScore>> {
    if duration.len() != event.len() || duration.len() != predicted_survival.len() {
        return Err(Error::invalid(
            format!(
                "{} durations, {} events and {} predictions do not belong together",
                duration.len(),
                event.len(),
                predicted_survival.len()
            ),
            "One of each per subject.",
        ));
    }
    if !(0.0..f64::INFINITY).contains(&horizon) {
        return Err(curve::bad_time("horizon", horizon));
    }
    if let Some(odd) = predicted_survival.iter().find(|survival| !(0.0..=1.0).contains(*survival)) {
        return Err(Error::invalid(
            format!("a predicted survival must be between 0 and 1, got {odd}"),
            "It is the probability of no event until the horizon, not of the event.",
        ));
    }
    let mut sample = Sample::default();
    for (duration, event) in duration.iter().zip(event) {
        sample.add(*duration, *event, Budget::UNLIMITED)?;
    }
    let censoring = CensoringCurve::new(&sample);
    let seen_beyond = censoring.at(horizon);
    let Some(steps) = curve::Survival::Sample(sample).steps().filter(|_| seen_beyond > 0.0) else { return Ok(None) };
    let marginal = steps.step(horizon).map_or(1.0, |at| steps.survival[at]);

    let rows_seen = censoring.rows_until(horizon);
    let (mut model, mut reference) = (Sum::default(), Sum::default());
    for ((duration, event), survival) in duration.iter().zip(event).zip(predicted_survival) {
        let (weight, truth) = if censoring.rows_until(*duration) > rows_seen {
            (1.0 / seen_beyond, 1.0)
        } else if *event {
            (1.0 / censoring.before(*duration), 0.0)
        } else {
            continue;
        };
        model.add(weight * (truth - survival) * (truth - survival));
        reference.add(weight * (truth - marginal) * (truth - marginal));
    }
    let n = duration.len() as f64;
    let (brier, reference) = (model.total() / n, reference.total() / n);
    let skill = (reference > 0.0).then(|| 1.0 - brier / reference);
    Ok(Some(BrierScore { brier, reference, skill }))
}
