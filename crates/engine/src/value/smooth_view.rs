//! A smooth curve seen from the age of a valuation. Beyond the data it goes on by its own formula, if that is believed.

use crate::numeric::quadrature::integrate;
use crate::survival::ParametricCurve;
use crate::value::cash_flow::Flow;
use crate::value::contract::SAME_DATE;
use crate::value::outlook::{Point, Reach, TailRule};
use crate::value::terms::Terms;

#[derive(Debug, Clone, Copy)]
pub(super) struct SmoothView<'a> {
    curve: &'a ParametricCurve,
    /// Whether what the formula says beyond the data counts.
    believed: bool,
    pub given: f64,
    hazard_now: f64,
    hazard_ratio: f64,
}

impl<'a> SmoothView<'a> {
    /// The view from age `given`.
    pub fn new(curve: &'a ParametricCurve, terms: &Terms, given: f64) -> Option<Self> {
        let believed = terms.tail != TailRule::None;
        let reached = believed || given <= curve.end_of_data() + SAME_DATE;
        let hazard_now = if given > 0.0 { curve.cumulative_hazard_at(given)? } else { 0.0 };
        reached.then_some(SmoothView { curve, believed, given, hazard_now, hazard_ratio: terms.hazard_ratio })
    }

    pub fn read(&self, elapsed: f64) -> Option<Point> {
        if elapsed == 0.0 {
            return Some(Point { survival: 1.0, entered: 1.0, elapsed, steps: 0, beyond: 0.0 });
        }
        let age = self.given + elapsed;
        let beyond = age - self.curve.end_of_data();
        let beyond = if beyond <= SAME_DATE { 0.0 } else { beyond.min(elapsed) };
        if beyond > 0.0 && !self.believed {
            return None;
        }
        // A hazard beyond the numbers leaves nobody.
        let hazard = self.curve.cumulative_hazard_at(age).map_or(f64::INFINITY, |then| then - self.hazard_now);
        let survival = (-hazard.max(0.0) * self.hazard_ratio).exp();
        Some(Point { survival, entered: survival, elapsed, steps: 0, beyond })
    }

    /// The area under S over the next `horizon` months.
    pub fn area(&self, horizon: f64) -> (f64, Reach) {
        let observed = (self.curve.end_of_data() - self.given).max(0.0);
        let within = horizon <= observed + SAME_DATE;
        let counted = if within || self.believed { horizon } else { observed };
        let area = match self.hazard_ratio {
            _ if counted <= 0.0 => None,
            1.0 => self.curve.conditional(self.given).and_then(|rest| rest.restricted_mean(counted).ok().flatten()),
            // No closed form is left; S is bounded and smooth but for its start.
            ratio => {
                let survival = |elapsed: f64| {
                    let hazard = self.curve.cumulative_hazard_at(self.given + elapsed);
                    hazard.map_or(0.0, |then| (-(then - self.hazard_now).max(0.0) * ratio).exp())
                };
                integrate(survival, &[0.0, counted], 1e-10)
            }
        };
        let reach = match (within, self.believed) {
            (true, _) => Reach::Observed,
            (false, true) => Reach::Extrapolated,
            (false, false) => Reach::Truncated,
        };
        (area.unwrap_or(0.0), reach)
    }

    /// The variance of Σ c S by the delta method: the derivative of each S is −S times that of its hazard.
    pub fn variance(&self, flows: &[Flow]) -> Option<f64> {
        let covariance = &self.curve.covariance;
        if covariance.is_empty() {
            return None;
        }
        let m = self.curve.parameters.len();
        let now = if self.given > 0.0 { self.curve.hazard_gradient_at(self.given)? } else { vec![0.0; m] };
        let mut gradient = vec![0.0; m];
        for flow in flows {
            let Some(point) = flow.point.filter(|point| point.elapsed > 0.0 && point.survival > 0.0) else { continue };
            let then = self.curve.hazard_gradient_at(self.given + point.elapsed)?;
            for ((sum, then), now) in gradient.iter_mut().zip(&then).zip(&now) {
                *sum -= self.hazard_ratio * flow.present_value() * (then - now);
            }
        }
        let product = |row: &[f64]| row.iter().zip(&gradient).map(|(a, b)| a * b).sum::<f64>();
        Some(covariance.chunks_exact(m).zip(&gradient).map(|(row, g)| g * product(row)).sum())
    }
}
