//! Areas under a smooth curve: restricted means, and the mean lifetime where it is finite.

use crate::numeric::quadrature;
use crate::survival::distribution::{Distribution, SplineScale};
use crate::survival::jet::{Evaluator, Order, Time};
use crate::survival::parametric::ParametricCurve;
use crate::survival::spline::basis;
use crate::{Error, Result};

/// Relative error of the integrals.
const TOLERANCE: f64 = 1e-13;
/// A share e^−45 of the unit of an integral is nothing.
const NOTHING: f64 = 45.0;

impl ParametricCurve {
    /// Restricted mean survival time: the area under S up to `tau`.
    ///
    /// # Errors
    /// [`Error::Invalid`] unless `tau` is finite and greater than 0.
    pub fn restricted_mean(&self, tau: f64) -> Result<Option<f64>> {
        if !(tau > 0.0 && tau < f64::INFINITY) {
            return Err(Error::invalid(
                format!("tau must be finite and greater than 0, got {tau}"),
                "It is in the unit of the durations.",
            ));
        }
        Ok(self.area(tau))
    }

    /// The area under S from 0 to `tau`, which may be infinite.
    fn area(&self, tau: f64) -> Option<f64> {
        if let Some(area) = self.periodic_area(tau) {
            return area;
        }
        if let Distribution::Exponential = self.distribution {
            let rate = (-self.parameters[0]).exp();
            return Some(if rate * tau == 0.0 { tau } else { -(-rate * tau).exp_m1() / rate });
        }
        if let Distribution::PiecewiseExponential { breaks } = &self.distribution {
            return Some(self.piecewise_area(breaks, tau));
        }
        // ∫ e^(y − H(e^y)) dy: in ln t there is no singularity at 0, and both ends fall off at least exponentially.
        let mut evaluator = Evaluator::new(&self.distribution);
        let start =
            if self.given > 0.0 { self.hazard_on_data_clock(&mut evaluator, Time::new(self.given)) } else { 0.0 };
        if !start.is_finite() {
            return None;
        }
        let given = self.given;
        let mut log_integrand = |y: f64| {
            let time = if given > 0.0 {
                let t = given + y.exp();
                if t.is_finite() { Time::new(t) } else { Time { t, log: y } }
            } else {
                Time::from_log(y)
            };
            evaluator.evaluate(&self.parameters, time, Order::Value, false);
            y - f64::max(evaluator.hazard.value - start, 0.0)
        };
        let centre = self.time_of_hazard(std::f64::consts::LN_2).unwrap_or(self.max_followup.max(1e-300)).ln();
        let low = f64::min(centre, tau.ln()) - NOTHING;
        let high = if tau < f64::INFINITY {
            tau.ln()
        } else {
            let peak = log_integrand(centre);
            let mut reach = 1.0;
            while log_integrand(centre + reach) > peak - NOTHING {
                reach *= 2.0;
                if reach > 1e5 {
                    return None;
                }
            }
            centre + reach
        };
        let mut points = vec![low, centre, high];
        points.extend(self.kinks().iter().map(|t| (t - given).ln()).filter(|y| y.is_finite()));
        points.retain(|y| (low..=high).contains(y));
        points.sort_unstable_by(f64::total_cmp);
        quadrature::integrate(|y| log_integrand(y).exp(), &points, TOLERANCE)
    }

    /// Times at which the hazard is not smooth.
    fn kinks(&self) -> Vec<f64> {
        let of = |distribution: &Distribution| match distribution {
            Distribution::Spline { knots, .. } => knots.iter().map(|knot| knot.exp()).collect(),
            Distribution::PiecewiseExponential { breaks } => breaks.clone(),
            _ => Vec::new(),
        };
        match &self.distribution {
            Distribution::Cure(inner) => of(inner),
            Distribution::Recalibrated { inner, map } => {
                let plain = ParametricCurve { distribution: (**inner).clone(), given: 0.0, ..self.clone() };
                let mut kinks = plain.kinks();
                kinks.extend(map.kinks().into_iter().filter_map(|hazard| plain.time_of_hazard(hazard)));
                kinks
            }
            other => of(other),
        }
    }

    fn piecewise_area(&self, breaks: &[f64], tau: f64) -> f64 {
        let (mut area, mut height, mut from) = (0.0, 1.0, self.given);
        let end = self.given + tau;
        let first = breaks.partition_point(|start| *start <= self.given);
        for i in first..=breaks.len() {
            let to = f64::min(breaks.get(i).copied().unwrap_or(f64::INFINITY), end);
            let rate = (self.parameters[0] + if i == 0 { 0.0 } else { self.parameters[i] }).exp();
            let width = to - from;
            if width <= 0.0 {
                break;
            }
            let hazard = rate * width;
            area += height * if hazard == 0.0 { width } else { -(-hazard).exp_m1() / rate };
            height *= (-hazard).exp();
            from = to;
        }
        area
    }

    /// Mean lifetime from here on; `None` when it is infinite, as with a cured share or a heavy tail.
    pub fn mean(&self) -> Option<f64> {
        let exp = |value: f64| Some(value.exp()).filter(|mean| mean.is_finite());
        let parameters = &self.parameters;
        if !self.has_finite_mean() {
            return None;
        }
        if self.given == 0.0 {
            let gamma = statrs::function::gamma::ln_gamma;
            match self.distribution {
                Distribution::Weibull => return exp(parameters[0] + gamma(1.0 + parameters[1].exp())),
                Distribution::LogNormal => return exp(parameters[0] + (2.0 * parameters[1]).exp() / 2.0),
                Distribution::LogLogistic => {
                    let angle = std::f64::consts::PI * parameters[1].exp();
                    return exp(parameters[0] + (angle / angle.sin()).ln());
                }
                _ => {}
            }
        }
        self.area(f64::INFINITY).filter(|mean| mean.is_finite())
    }

    fn has_finite_mean(&self) -> bool {
        let parameters = &self.parameters;
        match &self.distribution {
            Distribution::Exponential | Distribution::Weibull | Distribution::LogNormal => true,
            Distribution::LogLogistic => parameters[1] < 0.0,
            // E T exists when q⁻² + σ/q > 0.
            Distribution::GeneralizedGamma => parameters[2] >= 0.0 || parameters[1].exp() * -parameters[2] < 1.0,
            Distribution::Gompertz => parameters[1] >= 0.0,
            Distribution::PiecewiseExponential { .. } => true,
            Distribution::Spline { scale, knots } => {
                let mut values = vec![0.0; knots.len()];
                let mut slopes = values.clone();
                basis(knots, knots[knots.len() - 1], &mut values, &mut slopes);
                let slope: f64 = slopes.iter().zip(parameters).map(|(a, b)| a * b).sum();
                *scale != SplineScale::Odds || slope > 1.0
            }
            Distribution::Cure(_) => false,
            // The integral itself tells, except where a share never has the event.
            Distribution::Recalibrated { inner, .. } => !matches!(**inner, Distribution::Cure(_)),
            // Their sum tells.
            Distribution::BetaGeometric { .. } | Distribution::BetaDiscreteWeibull { .. } => true,
        }
    }
}
