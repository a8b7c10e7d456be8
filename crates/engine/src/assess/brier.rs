//! The Brier score at a horizon when some outcomes are censored before it (Graf, Schmoor, Sauerbrei & Schumacher 1999).
//!
//! A subject whose state at the horizon h is known stands in for those who were lost: it is weighted by one over the
//! probability G of not having been censored so far. With T the follow-up, D the event and S the predicted survival at h,
//!
//! BS(h) = 1/n Σ [ S² · 1{T ≤ h, D} / G(T−) + (1 − S)² · 1{T > h} / G(h) ].
//!
//! G is the Kaplan–Meier curve of the censoring, independent of covariates, with events before censorings at a tie.

use crate::assess::concordance::Outcomes;
use crate::numeric::sum::Sum;
use crate::numeric::tally::Budget;
use crate::survival::risk::RiskTable;
use crate::survival::{Sample, curve};
use crate::{Error, Interrupt, Result};

/// Subjects between two questions whether to go on.
const SUBJECTS_PER_INTERRUPT: usize = 1 << 14;

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
/// Kaplan–Meier curve, over subjects who were all there from the start. A subject of weight w counts w times.
///
/// `None` for no subjects, and when the horizon lies beyond what censoring lets anyone see (G(horizon) = 0).
///
/// # Errors
/// [`Error::Invalid`] when the slices differ in length, a number is outside its domain or somebody entered late; what
/// `interrupt` returns.
pub fn brier_score(
    outcomes: Outcomes,
    predicted_survival: &[f64],
    horizon: f64,
    interrupt: Interrupt,
) -> Result<Option<BrierScore>> {
    check(outcomes, predicted_survival, horizon)?;
    let Outcomes { exits, events, weights, .. } = outcomes;
    let weight = |subject: usize| weights.get(subject).copied().unwrap_or(1.0);
    let mut sample = Sample::default();
    for subject in 0..exits.len() {
        if subject % SUBJECTS_PER_INTERRUPT == 0 {
            interrupt()?;
        }
        sample.add_row(0.0, exits[subject], events[subject], weight(subject), Budget::UNLIMITED)?;
    }
    let censoring = CensoringCurve::new(&sample);
    let seen_beyond = censoring.at(horizon);
    let Some(steps) = curve::Survival::Sample(sample).steps().filter(|_| seen_beyond > 0.0) else { return Ok(None) };
    let marginal = steps.step(horizon).map_or(1.0, |at| steps.survival[at]);

    let rows_seen = censoring.rows_until(horizon);
    let (mut model, mut reference, mut total) = (Sum::default(), Sum::default(), Sum::default());
    for subject in 0..exits.len() {
        if subject % SUBJECTS_PER_INTERRUPT == 0 {
            interrupt()?;
        }
        total.add(weight(subject));
        let (known, truth) = if censoring.rows_until(exits[subject]) > rows_seen {
            (seen_beyond, 1.0)
        } else if events[subject] {
            (censoring.before(exits[subject]), 0.0)
        } else {
            continue;
        };
        let error = |survival: f64| weight(subject) / known * (truth - survival) * (truth - survival);
        model.add(error(predicted_survival[subject]));
        reference.add(error(marginal));
    }
    let (brier, reference) = (model.total() / total.total(), reference.total() / total.total());
    let skill = (reference > 0.0).then(|| 1.0 - brier / reference);
    Ok(Some(BrierScore { brier, reference, skill }))
}

pub(super) fn check(outcomes: Outcomes, predicted_survival: &[f64], horizon: f64) -> Result<()> {
    let Outcomes { exits, events, entries, weights } = outcomes;
    let n = exits.len();
    if events.len() != n || predicted_survival.len() != n || !(weights.is_empty() || weights.len() == n) {
        return Err(Error::invalid(
            format!(
                "{n} durations, {} events, {} predictions and {} weights do not belong together",
                events.len(),
                predicted_survival.len(),
                weights.len()
            ),
            "One of each per subject; no weights at all when all are 1.",
        ));
    }
    if let Some(entry) = entries.iter().find(|entry| **entry != 0.0) {
        return Err(Error::invalid(
            format!("the Brier score under censoring is not defined with delayed entry, and one entry is {entry}"),
            "Compare each subject's renewal_probability from its entry on with what happened, in ltv.calibration_agg.",
        ));
    }
    if !(0.0..f64::INFINITY).contains(&horizon) {
        return Err(curve::bad_time("horizon", horizon));
    }
    match predicted_survival.iter().find(|survival| !(0.0..=1.0).contains(*survival)) {
        Some(odd) => Err(Error::invalid(
            format!("a predicted survival must be between 0 and 1, got {odd}"),
            "It is the probability of no event until the horizon, not of the event.",
        )),
        None => Ok(()),
    }
}
