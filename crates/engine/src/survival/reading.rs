//! A curve in the form in which it answers questions: steps, or a smooth curve. What all accessors read.

use crate::Result;
use crate::survival::curve::Steps;
use crate::survival::parametric::ParametricCurve;

/// A curve that can be asked. A smooth one answers beyond the data as well; [`Reading::max_followup`] tells where they
/// end.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    Steps(Steps),
    Smooth(ParametricCurve),
}

impl Reading {
    /// S(t); `None` beyond the observed time of steps without a tail.
    pub fn survival_at(&self, t: f64) -> Option<f64> {
        match self {
            Reading::Steps(steps) => steps.survival_at(t),
            Reading::Smooth(curve) => curve.survival_at(t),
        }
    }

    /// H(t); `None` where it is unknown or infinite.
    pub fn cumulative_hazard_at(&self, t: f64) -> Option<f64> {
        match self {
            Reading::Steps(steps) => steps.cumulative_hazard_at(t),
            Reading::Smooth(curve) => curve.cumulative_hazard_at(t),
        }
    }

    /// Variance of ln S(t); `None` when unknown.
    pub fn log_variance_at(&self, t: f64) -> Option<f64> {
        match self {
            Reading::Steps(steps) => steps.log_variance_at(t),
            Reading::Smooth(curve) => curve.log_variance_at(t),
        }
    }

    /// Variance of ln S(to) − ln S(from); `None` when unknown.
    pub fn log_variance_between(&self, from: f64, to: f64) -> Option<f64> {
        match self {
            Reading::Steps(steps) => steps.log_variance_between(from, to),
            Reading::Smooth(curve) => curve.log_variance_between(from, to),
        }
    }

    /// P(T > `to` | T > `from`).
    pub fn renewal_probability(&self, from: f64, to: f64) -> Result<Option<f64>> {
        match self {
            Reading::Steps(steps) => steps.renewal_probability(from, to),
            Reading::Smooth(curve) => curve.renewal_probability(from, to),
        }
    }

    /// The time by which a share `p` has had the event.
    pub fn quantile(&self, p: f64) -> Result<Option<f64>> {
        match self {
            Reading::Steps(steps) => steps.quantile(p),
            Reading::Smooth(curve) => curve.quantile(p),
        }
    }

    /// The area under S up to `tau`.
    pub fn restricted_mean(&self, tau: f64) -> Result<Option<f64>> {
        match self {
            Reading::Steps(steps) => steps.restricted_mean(tau),
            Reading::Smooth(curve) => curve.restricted_mean(tau),
        }
    }

    /// Mean remaining lifetime at age `given`; `None` when it is infinite or nobody lasts so long.
    pub fn mean_residual_life(&self, given: f64) -> Option<f64> {
        match self {
            Reading::Steps(steps) => steps.mean_residual_life(given),
            Reading::Smooth(curve) => curve.conditional(given)?.mean(),
        }
    }

    /// Where the data end on the curve's clock: what lies beyond is extrapolation.
    pub fn max_followup(&self) -> f64 {
        match self {
            Reading::Steps(steps) => steps.max_followup,
            Reading::Smooth(curve) => curve.end_of_data(),
        }
    }
}
