//! Limits of renewal probabilities that a model cannot tell by itself: what became of rows it has not seen, in groups of
//! like prediction.
//!
//! No data bound the probability of one row without a law for it: whatever is known of other rows, its own could be 0 or 1
//! (Barber 2020, "Is distribution-free inference possible for binary regression?"). What can be bounded is the share of
//! those who renew among rows of like prediction. In each group it is the Kaplan–Meier estimate with its log-log limits
//! (Greenwood 1926; Kalbfleisch & Prentice 2002, §1.4), and a row's limits are powers of its own prediction – its cumulative
//! hazard times a factor, the same for the group – of which the mean over the group is the group's limit.

use crate::numeric::tally::Budget;
use crate::survival::Sample;
use crate::survival::estimate::{Estimates, Estimator, Variance};
use crate::survival::kaplan_meier::{Transform, critical_value, interval};
use crate::{Error, Interrupt, Result};

/// At most as many groups.
pub const MOST_GROUPS: usize = 10;
/// With fewer events by the horizon a group is none: the normal limits of a rate want about as many.
pub const LEAST_EVENTS: u64 = 20;
/// Within e^±30 the powers are looked for.
const WIDEST: f64 = 30.0;

/// Rows of like prediction, and what became of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Group {
    /// Least and greatest predicted probability to last through the horizon.
    pub from: f64,
    pub to: f64,
    pub rows: u64,
    /// By the horizon.
    pub events: u64,
    /// Mean prediction.
    pub predicted: f64,
    /// Kaplan–Meier at the horizon.
    pub rate: f64,
    pub lower: f64,
    pub upper: f64,
    /// Powers of the predictions of which the mean is `lower`, and `upper`.
    pub lower_power: f64,
    pub upper_power: f64,
}

impl Group {
    /// The limits of a row with this prediction. They are widened to hold it where the group's own do not.
    pub fn limits(&self, predicted: f64) -> (f64, f64) {
        (predicted.powf(self.lower_power.max(1.0)), predicted.powf(self.upper_power.min(1.0)))
    }
}

/// Rows that were predicted alike.
pub(super) trait Predicted {
    fn predicted(&self) -> f64;
    /// How many they are.
    fn rows(&self) -> f64;
    /// Whether `next`, the one after it in order, was predicted another probability.
    fn is_less_than(&self, next: &Self) -> bool;
}

/// A row the model has not seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    pub duration: f64,
    pub event: bool,
    /// P(T > horizon) by the model, from 0 to 1.
    pub predicted: f64,
}

impl Predicted for Row {
    fn predicted(&self) -> f64 {
        self.predicted
    }

    fn rows(&self) -> f64 {
        1.0
    }

    fn is_less_than(&self, next: &Row) -> bool {
        self.predicted < next.predicted
    }
}

/// Groups by rising prediction, of about equal sums of p (1 − p), the variance of whether a row lasts: so each has both who
/// leave and who stay, and where they part does not hang on who did. As many as leave each [`LEAST_EVENTS`] and a rate with
/// limits, at most [`MOST_GROUPS`]. Equal predictions are never parted. Empty where there are too few events for one.
///
/// # Errors
/// [`Error::Invalid`] for a prediction outside [0, 1], a duration that is none, and a `level` outside (0, 1);
/// [`Error::Memory`] over budget.
pub fn prediction_limits(
    rows: &mut [Row],
    horizon: f64,
    level: f64,
    budget: Budget,
    interrupt: Interrupt,
) -> Result<Vec<Group>> {
    let z = critical_value(level)?;
    if let Some(row) =
        rows.iter().find(|row| !(0.0..=1.0).contains(&row.predicted) || !(0.0..f64::INFINITY).contains(&row.duration))
    {
        return Err(Error::invalid(
            format!("a row with duration {} and predicted probability {}", row.duration, row.predicted),
            "Durations are finite and not negative, probabilities from 0 to 1.",
        ));
    }
    rows.sort_unstable_by(|a, b| a.predicted.total_cmp(&b.predicted));
    let events = rows.iter().filter(|row| is_loss(row, horizon)).count() as u64;
    let most = MOST_GROUPS.min(usize::try_from(events / LEAST_EVENTS).unwrap_or(MOST_GROUPS));
    for parts in (1..=most).rev() {
        let mut groups = Vec::with_capacity(parts);
        for part in cut(rows, parts) {
            interrupt()?;
            let Some(group) = judged(part, horizon, z, budget, &mut *interrupt)? else { break };
            groups.push(group);
        }
        if groups.iter().map(|group| group.rows).sum::<u64>() == rows.len() as u64 {
            return Ok(groups);
        }
    }
    Ok(Vec::new())
}

fn is_loss(row: &Row, horizon: f64) -> bool {
    row.event && row.duration <= horizon
}

/// Parts of the sorted rows with about the same sum of p (1 − p).
pub(super) fn cut<P: Predicted>(rows: &[P], parts: usize) -> Vec<&[P]> {
    let variance = |row: &P| row.rows() * row.predicted() * (1.0 - row.predicted());
    let total: f64 = rows.iter().map(variance).sum();
    let mut cuts = Vec::with_capacity(parts);
    let (mut begin, mut known) = (0, 0.0);
    for (at, row) in rows.iter().enumerate() {
        known += variance(row);
        let is_last = rows.get(at + 1).is_none_or(|next| row.is_less_than(next));
        if is_last && cuts.len() + 1 < parts && known >= total * (cuts.len() + 1) as f64 / parts as f64 {
            cuts.push(&rows[begin..=at]);
            begin = at + 1;
        }
    }
    if begin < rows.len() {
        cuts.push(&rows[begin..]);
    }
    cuts
}

/// `None` for too few events, and where the rate has no limits: nobody watched until then, or nobody left.
fn judged(rows: &[Row], horizon: f64, z: f64, budget: Budget, interrupt: Interrupt) -> Result<Option<Group>> {
    let events = rows.iter().filter(|row| is_loss(row, horizon)).count() as u64;
    if events < LEAST_EVENTS {
        return Ok(None);
    }
    let mut sample = Sample::default();
    for row in rows {
        sample.add(row.duration, row.event, budget)?;
    }
    let Some(estimates) = Estimates::of(&sample, Estimator::KaplanMeier, Variance::Greenwood)? else { return Ok(None) };
    let Some(at) = estimates.after(horizon).filter(|_| estimates.max_followup >= horizon) else { return Ok(None) };
    let told = interval(at.survival, Some(at.log_variance), z, Transform::LogLog);
    let Some((lower, upper)) = told.lower.zip(told.upper) else { return Ok(None) };
    let (Some(lower_power), Some(upper_power)) = (power(rows, lower, &mut *interrupt)?, power(rows, upper, interrupt)?)
    else {
        return Ok(None);
    };
    Ok(Some(Group {
        from: rows[0].predicted,
        to: rows[rows.len() - 1].predicted,
        rows: rows.len() as u64,
        events,
        predicted: mean(rows, 1.0),
        rate: at.survival,
        lower,
        upper,
        lower_power,
        upper_power,
    }))
}

pub(super) fn mean<P: Predicted>(rows: &[P], power: f64) -> f64 {
    let total: f64 = rows.iter().map(Predicted::rows).sum();
    rows.iter().map(|row| row.rows() * row.predicted().powf(power)).sum::<f64>() / total
}

/// The power with which the mean of the predictions is `goal`, by bisection of its logarithm; `None` where there is none,
/// as when all are 0 or 1.
pub(super) fn power<P: Predicted>(rows: &[P], goal: f64, interrupt: Interrupt) -> Result<Option<f64>> {
    let (mut low, mut high) = (-WIDEST, WIDEST);
    if !(mean(rows, low.exp()) > goal && mean(rows, high.exp()) < goal) {
        return Ok(None);
    }
    loop {
        interrupt()?;
        let middle = (low + high) / 2.0;
        if middle <= low || middle >= high || high - low < 1e-14 {
            return Ok(Some(middle.exp()));
        }
        match mean(rows, middle.exp()) > goal {
            true => low = middle,
            false => high = middle,
        }
    }
}
