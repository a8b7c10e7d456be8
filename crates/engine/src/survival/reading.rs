//! A curve in the form in which it answers questions: steps, or a smooth curve. What all accessors read.

use crate::Result;
use crate::survival::curve::Steps;
use crate::survival::decisions::Decisions;
use crate::survival::parametric::ParametricCurve;

/// A curve that can be asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    Steps(Steps),
    Smooth(ParametricCurve),
}

impl Reading {
    pub fn view(&self) -> CurveView<'_> {
        match self {
            Reading::Steps(steps) => CurveView::Steps(steps),
            Reading::Smooth(curve) => CurveView::Smooth(curve),
        }
    }
}

/// A look at a curve. A smooth one answers beyond the data as well; [`CurveView::max_followup`] tells where they end.
#[derive(Debug, Clone, Copy)]
pub enum CurveView<'a> {
    Steps(&'a Steps),
    Smooth(&'a ParametricCurve),
}

impl<'a> From<&'a Steps> for CurveView<'a> {
    fn from(steps: &'a Steps) -> Self {
        CurveView::Steps(steps)
    }
}

impl<'a> From<&'a ParametricCurve> for CurveView<'a> {
    fn from(curve: &'a ParametricCurve) -> Self {
        CurveView::Smooth(curve)
    }
}

impl CurveView<'_> {
    /// S(t); `None` beyond the observed time of steps without a tail.
    pub fn survival_at(self, t: f64) -> Option<f64> {
        match self {
            CurveView::Steps(steps) => steps.survival_at(t),
            CurveView::Smooth(curve) => curve.survival_at(t),
        }
    }

    /// H(t); `None` where it is unknown or infinite.
    pub fn cumulative_hazard_at(self, t: f64) -> Option<f64> {
        match self {
            CurveView::Steps(steps) => steps.cumulative_hazard_at(t),
            CurveView::Smooth(curve) => curve.cumulative_hazard_at(t),
        }
    }

    /// Variance of ln S(t); `None` when unknown.
    pub fn log_variance_at(self, t: f64) -> Option<f64> {
        match self {
            CurveView::Steps(steps) => steps.log_variance_at(t),
            CurveView::Smooth(curve) => curve.log_variance_at(t),
        }
    }

    /// Variance of ln S(to) − ln S(from); `None` when unknown.
    pub fn log_variance_between(self, from: f64, to: f64) -> Option<f64> {
        match self {
            CurveView::Steps(steps) => steps.log_variance_between(from, to),
            CurveView::Smooth(curve) => curve.log_variance_between(from, to),
        }
    }

    /// P(T > `to` | T > `from`).
    pub fn renewal_probability(self, from: f64, to: f64) -> Result<Option<f64>> {
        match self {
            CurveView::Steps(steps) => steps.renewal_probability(from, to),
            CurveView::Smooth(curve) => curve.renewal_probability(from, to),
        }
    }

    /// The time by which a share `p` has had the event.
    pub fn quantile(self, p: f64) -> Result<Option<f64>> {
        match self {
            CurveView::Steps(steps) => steps.quantile(p),
            CurveView::Smooth(curve) => curve.quantile(p),
        }
    }

    /// The area under S up to `tau`.
    pub fn restricted_mean(self, tau: f64) -> Result<Option<f64>> {
        match self {
            CurveView::Steps(steps) => steps.restricted_mean(tau),
            CurveView::Smooth(curve) => curve.restricted_mean(tau),
        }
    }

    /// Mean remaining lifetime at age `given`; `None` when it is infinite or nobody lasts so long.
    pub fn mean_residual_life(self, given: f64) -> Option<f64> {
        match self {
            CurveView::Steps(steps) => steps.mean_residual_life(given),
            CurveView::Smooth(curve) => curve.conditional(given)?.mean(),
        }
    }

    /// Where the data end on the curve's clock: what lies beyond is extrapolation.
    pub fn max_followup(self) -> f64 {
        match self {
            CurveView::Steps(steps) => steps.max_followup,
            CurveView::Smooth(curve) => curve.end_of_data(),
        }
    }

    /// When the decisions are of a curve that drops nowhere else; `None` for any other.
    pub fn decisions(self) -> Option<Decisions> {
        match self {
            CurveView::Steps(steps) => steps.decisions,
            CurveView::Smooth(curve) => curve.decisions(),
        }
    }

    /// Whether the curve has come down to 0 within the data, so that nothing is left to extrapolate.
    pub fn is_over(self) -> bool {
        matches!(self, CurveView::Steps(steps) if steps.survival_at_end() == 0.0)
    }
}
