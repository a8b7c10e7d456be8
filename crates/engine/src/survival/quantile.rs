//! Intervals of quantiles: the times at which the pointwise limits of S come down to it (Brookmeyer & Crowley 1982).

use crate::Result;
use crate::survival::curve::Steps;
use crate::survival::kaplan_meier::{Transform, interval};

/// How often the time at which a tail comes down to a value is halved, and its distance doubled.
const HALVINGS: usize = 100;
const DOUBLINGS: usize = 40;

/// A quantile and its interval; what the curve or its limits do not come down to is `None`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuantileInterval {
    pub quantile: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

/// The time by which a share `p` has had the event: from where the lower limit of S comes down to 1 − p until the upper
/// limit does, each read as [`Steps::quantile`] reads S.
///
/// As R's `quantile(survfit)`. Where a limit rises again – it may, among the last few at risk – the first time counts.
///
/// # Errors
/// [`Steps::quantile`].
pub fn quantile_interval(steps: &Steps, p: f64, z: f64, transform: Transform) -> Result<QuantileInterval> {
    let quantile = steps.quantile(p)?;
    let limits = |t: f64, survival: f64| interval(survival, steps.log_variance_at(t), z, transform);
    let at_steps: Vec<_> = steps.times.iter().zip(&steps.survival).map(|(t, survival)| limits(*t, *survival)).collect();
    let limit = |pick: fn(crate::survival::kaplan_meier::Interval) -> Option<f64>| {
        let values: Vec<Option<f64>> = at_steps.iter().copied().map(pick).collect();
        first_at_or_below(steps, &values, 1.0 - p)
            .or_else(|| in_the_tail(steps, 1.0 - p, |t| pick(limits(t, steps.survival_at(t)?))))
    };
    Ok(QuantileInterval { quantile, lower: limit(|at| at.lower), upper: limit(|at| at.upper) })
}

/// The first time at which the values are at or below the target; the middle of the stretch on which they are equal to
/// it, which ends with the observed time if nothing else ends it.
fn first_at_or_below(steps: &Steps, values: &[Option<f64>], target: f64) -> Option<f64> {
    let tolerance = f64::EPSILON.sqrt();
    let first = |bound: f64| values.iter().position(|value| value.is_some_and(|value| value <= bound));
    let reached = first(target + tolerance)?;
    if let Some(passed) = first(target - tolerance) {
        return Some((steps.times[reached] + steps.times[passed]) / 2.0);
    }
    let at_end = values.last().copied().flatten().is_some_and(|value| (value - target).abs() < tolerance);
    at_end.then(|| (steps.times[reached] + steps.max_followup) / 2.0)
}

/// Where a limit that is still above the target at the end of the observed time comes down to it beyond.
fn in_the_tail(steps: &Steps, target: f64, limit: impl Fn(f64) -> Option<f64>) -> Option<f64> {
    let rate = steps.tail_hazard().filter(|rate| *rate > 0.0)?;
    let below = |t: f64| limit(t).map(|value| value <= target);
    if below(steps.max_followup)? {
        return None;
    }
    let mut distance = 1.0 / rate;
    let mut doublings = 0;
    while !below(steps.max_followup + distance)? {
        distance *= 2.0;
        doublings += 1;
        if doublings > DOUBLINGS || !distance.is_finite() {
            return None;
        }
    }
    let (mut above, mut reached) = (steps.max_followup, steps.max_followup + distance);
    for _ in 0..HALVINGS {
        let middle = above + (reached - above) / 2.0;
        if below(middle)? { reached = middle } else { above = middle }
    }
    Some(reached)
}
