//! A smooth curve: a distribution with the parameters of one row, what a parametric model says of it.
//!
//! It answers at every time, also beyond the data; `max_followup` tells where they end and what is extrapolation.

use serde::{Deserialize, Serialize};

use crate::survival::curve::check_window;
use crate::survival::decisions::Decisions;
use crate::survival::distribution::Distribution;
use crate::survival::jet::{Evaluator, Order, Time};
use crate::survival::spline::least_slope;
use crate::{Error, Result};

/// Parameters beyond this lead nowhere but out of the numbers.
const LARGEST_PARAMETER: f64 = 1e6;
/// Shapes of the generalized gamma beyond this are none that data speak for.
const LARGEST_SHAPE: f64 = 50.0;
/// Logarithms of α, β and c beyond this are none that a fit gives.
const LARGEST_LOG_OF_RENEWALS: f64 = 60.0;

/// A smooth curve (one variant of `ltv.survival`): S(t | given) = S(given + t) / S(given) of the distribution.
///
/// Every time that goes in or comes out of its functions starts at `given`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParametricCurve {
    pub distribution: Distribution,
    /// The parameters of this row, in the order and on the scale of [`Distribution`].
    pub parameters: Vec<f64>,
    /// Their covariance, m × m, row-major; empty when unknown.
    pub covariance: Vec<f64>,
    /// The largest time in the data, on the clock of the data (which `given` does not move).
    pub max_followup: f64,
    /// The age survived already.
    pub given: f64,
}

impl ParametricCurve {
    /// # Errors
    /// [`Error::Malformed`] when the parts do not fit each other, a number is out of bounds, or the curve would rise.
    pub fn validate(&self) -> Result<()> {
        self.distribution.validate().map_err(|error| Error::malformed(error.to_string()))?;
        let m = self.distribution.parameters();
        let holds = self.parameters.len() == m
            && self.parameters.iter().all(|value| value.abs() <= LARGEST_PARAMETER)
            && (self.covariance.is_empty() || self.covariance.len() == m * m)
            && self.covariance.iter().all(|value| value.is_finite())
            && (0..m).all(|i| self.covariance.get(i * (m + 1)).is_none_or(|variance| *variance >= 0.0))
            && (0.0..f64::INFINITY).contains(&self.max_followup)
            && (0.0..f64::INFINITY).contains(&self.given);
        if !holds {
            return Err(Error::malformed("the parts of a parametric curve contradict each other"));
        }
        self.check_shape()
    }

    /// # Errors
    /// [`Error::Malformed`] for a spline that falls somewhere, and a shape out of bounds.
    pub fn check_shape(&self) -> Result<()> {
        let unmapped = match &self.distribution {
            Distribution::Recalibrated { inner, .. } => &**inner,
            other => other,
        };
        let (distribution, parameters) = match unmapped {
            Distribution::Cure(inner) => (&**inner, &self.parameters[..inner.parameters()]),
            other => (other, &self.parameters[..]),
        };
        match distribution {
            Distribution::BetaGeometric { .. } | Distribution::BetaDiscreteWeibull { .. }
                if parameters.iter().any(|log| log.abs() > LARGEST_LOG_OF_RENEWALS) =>
            {
                Err(Error::malformed("a parameter of a curve of renewals is out of bounds"))
            }
            Distribution::GeneralizedGamma if parameters[2].abs() > LARGEST_SHAPE => Err(Error::malformed(format!(
                "the shape {} of a generalized gamma is beyond ±{LARGEST_SHAPE}",
                parameters[2]
            ))),
            Distribution::Spline { knots, .. } if least_slope(knots, parameters) <= 0.0 => {
                Err(Error::malformed("the spline's cumulative hazard falls somewhere: its hazard would be negative"))
            }
            _ => Ok(()),
        }
    }

    /// Where the data end on this curve's clock: what lies beyond is extrapolation. 0 when all of it is.
    pub fn end_of_data(&self) -> f64 {
        f64::max(self.max_followup - self.given, 0.0)
    }

    /// When the decisions are, on this curve's clock, of one that drops nowhere else.
    pub fn decisions(&self) -> Option<Decisions> {
        let distribution = match &self.distribution {
            Distribution::Recalibrated { inner, .. } => inner,
            other => other,
        };
        Some(Decisions::every(distribution.period()?).conditional(self.given))
    }

    pub(super) fn hazard_on_data_clock(&self, evaluator: &mut Evaluator, time: Time) -> f64 {
        evaluator.evaluate(&self.parameters, time, Order::Value, false);
        evaluator.hazard.value
    }

    /// H(t) = −ln S(t); `None` where it is beyond the numbers.
    pub fn cumulative_hazard_at(&self, t: f64) -> Option<f64> {
        let mut evaluator = Evaluator::new(&self.distribution);
        let start =
            if self.given > 0.0 { self.hazard_on_data_clock(&mut evaluator, Time::new(self.given)) } else { 0.0 };
        let end = self.hazard_on_data_clock(&mut evaluator, Time::new(self.given + t));
        let hazard = f64::max(end - start, 0.0);
        (start.is_finite() && hazard.is_finite()).then_some(hazard)
    }

    /// S(t), at any time; `None` only when nobody survives until `given`.
    pub fn survival_at(&self, t: f64) -> Option<f64> {
        match self.cumulative_hazard_at(t) {
            Some(hazard) => Some((-hazard).exp()),
            None => {
                let mut evaluator = Evaluator::new(&self.distribution);
                let start = self.hazard_on_data_clock(&mut evaluator, Time::new(self.given));
                start.is_finite().then_some(0.0)
            }
        }
    }

    /// The hazard rate h(t); `None` where it is infinite.
    pub fn hazard_at(&self, t: f64) -> Option<f64> {
        let mut evaluator = Evaluator::new(&self.distribution);
        evaluator.evaluate(&self.parameters, Time::new(self.given + t), Order::Value, true);
        let hazard = evaluator.log_hazard.value.exp();
        hazard.is_finite().then_some(hazard)
    }

    /// ∂H(t)/∂θ; `None` where it is beyond the numbers. Through a recalibration the slope of the map is the one over the
    /// 95 % limits of H.
    pub fn hazard_gradient_at(&self, t: f64) -> Option<Vec<f64>> {
        self.gradient_between(0.0, t)
    }

    fn gradient_between(&self, from: f64, to: f64) -> Option<Vec<f64>> {
        let (distribution, map) = match &self.distribution {
            Distribution::Recalibrated { inner, map } => (&**inner, Some(map)),
            other => (other, None),
        };
        let mut evaluator = Evaluator::new(distribution);
        let mut at = |t: f64| {
            evaluator.evaluate(&self.parameters, Time::new(self.given + t), Order::First, false);
            let mut gradient = evaluator.hazard.gradient.clone();
            if let Some(map) = map {
                let std_error = self.variance_along(&gradient).unwrap_or(0.0).sqrt();
                let slope = map.slope_over(evaluator.hazard.value, std_error);
                gradient.iter_mut().filter(|value| **value != 0.0).for_each(|value| *value *= slope);
            }
            gradient
        };
        let (start, end) = (at(from), at(to));
        let change: Vec<f64> = end.iter().zip(&start).map(|(end, start)| end - start).collect();
        change.iter().all(|value| value.is_finite()).then_some(change)
    }

    /// Variance of ln S(t) by the delta method; `None` when unknown.
    pub fn log_variance_at(&self, t: f64) -> Option<f64> {
        self.log_variance_between(0.0, t)
    }

    /// Variance of ln S(to) − ln S(from) by the delta method; `None` when unknown.
    pub fn log_variance_between(&self, from: f64, to: f64) -> Option<f64> {
        self.variance_along(&self.gradient_between(from, to)?)
    }

    /// Variance of what has this gradient; `None` when unknown.
    fn variance_along(&self, gradient: &[f64]) -> Option<f64> {
        if self.covariance.is_empty() {
            return None;
        }
        let m = gradient.len();
        let product = |row: &[f64]| row.iter().zip(gradient).map(|(a, b)| a * b).sum::<f64>();
        let variance: f64 = self.covariance.chunks_exact(m).zip(gradient).map(|(row, g)| g * product(row)).sum();
        variance.is_finite().then_some(variance.max(0.0))
    }

    /// P(T > `to` | T > `from`).
    ///
    /// # Errors
    /// [`Error::Invalid`] for a window that does not start at 0 or later and end after its start.
    pub fn renewal_probability(&self, from: f64, to: f64) -> Result<Option<f64>> {
        check_window(from, to)?;
        Ok(self.shifted(from).survival_at(to - from))
    }

    /// The same curve for those still there at `given` from now.
    fn shifted(&self, given: f64) -> ParametricCurve {
        ParametricCurve { given: self.given + given, ..self.clone() }
    }

    /// The curve of those still there at `given`, on a clock that starts there; `None` when nobody is.
    pub fn conditional(&self, given: f64) -> Option<ParametricCurve> {
        let rest = self.shifted(given);
        (rest.given.is_finite() && rest.survival_at(0.0).is_some()).then_some(rest)
    }

    /// The time t with S(t) = 1 − p; `None` when the curve never comes down so far (a cured share, or a hazard that
    /// dies out), or only beyond the numbers.
    ///
    /// # Errors
    /// [`Error::Invalid`] unless 0 < p < 1.
    pub fn quantile(&self, p: f64) -> Result<Option<f64>> {
        if !(p > 0.0 && p < 1.0) {
            return Err(Error::invalid(format!("a quantile needs 0 < p < 1, got {p}"), "The median is p => 0.5."));
        }
        Ok(self.time_of_hazard(-(-p).ln_1p()))
    }

    /// The time at which H, counted from `given`, reaches `target` > 0: bisection in ln t with Newton steps where they
    /// stay inside.
    pub(super) fn time_of_hazard(&self, target: f64) -> Option<f64> {
        if let Some(time) = self.renewal_of_hazard(target) {
            return time;
        }
        let mut evaluator = Evaluator::new(&self.distribution);
        let start =
            if self.given > 0.0 { self.hazard_on_data_clock(&mut evaluator, Time::new(self.given)) } else { 0.0 };
        if !start.is_finite() {
            return None;
        }
        let given = self.given;
        // ln(H / target) and its slope in ln t.
        let mut excess = |log: f64| {
            let t = log.exp();
            evaluator.evaluate(&self.parameters, Time::new(given + t), Order::Value, true);
            let hazard = evaluator.hazard.value - start;
            let slope = (evaluator.log_hazard.value + log).exp() / hazard;
            ((hazard / target).ln(), slope)
        };
        let (mut low, mut high) = (-700.0, 700.0);
        if excess(high).0 < 0.0 || excess(low).0 > 0.0 {
            return None;
        }
        let mut at = self.max_followup.max(1e-300).ln().clamp(-690.0, 690.0);
        for _ in 0..200 {
            let (value, slope) = excess(at);
            if value == 0.0 {
                break;
            }
            if value > 0.0 {
                high = at
            } else {
                low = at
            }
            let newton = at - value / slope;
            let next = if newton > low && newton < high { newton } else { f64::midpoint(low, high) };
            let done = (next - at).abs() <= 1e-16 * at.abs().max(1.0) || !(low < next && next < high);
            at = next;
            if done {
                break;
            }
        }
        let t = at.exp();
        (t.is_finite() && t > 0.0).then_some(t)
    }

    /// A grid of times to show the curve at: `count` even steps from 0 to the end of the data; where these have ended
    /// already, to the time by which nine in ten have gone. Empty when there is neither. Of a curve of renewals the
    /// start and the times at which it drops.
    pub fn grid(&self, count: u32) -> Vec<f64> {
        if let Some(mut times) = self.drops(count) {
            times.insert(0, 0.0);
            return times;
        }
        let end = match self.end_of_data() {
            end if end > 0.0 => end,
            _ => self.time_of_hazard(std::f64::consts::LN_10).unwrap_or(0.0),
        };
        if end > 0.0 { (0..=count).map(|i| end * f64::from(i) / f64::from(count)).collect() } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::quadrature;
    use crate::survival::SplineScale;
    use crate::survival::Survival;
    use approx::assert_relative_eq;

    fn curves() -> Vec<ParametricCurve> {
        let curve = |distribution: Distribution, parameters: &[f64]| {
            let m = parameters.len();
            let covariance = (0..m * m).map(|i| if i % (m + 1) == 0 { 0.01 } else { 0.001 }).collect();
            ParametricCurve {
                distribution,
                parameters: parameters.to_vec(),
                covariance,
                max_followup: 12.0,
                given: 0.0,
            }
        };
        let knots = vec![-1.0, 0.5, 1.5, 3.0];
        let breaks = vec![3.0, 8.0];
        let mut curves = vec![
            curve(Distribution::Exponential, &[2.0]),
            curve(Distribution::Weibull, &[2.0, 0.3]),
            curve(Distribution::LogNormal, &[2.0, -0.1]),
            curve(Distribution::LogLogistic, &[2.0, -0.4]),
            curve(Distribution::GeneralizedGamma, &[2.0, -0.2, 0.6]),
            curve(Distribution::GeneralizedGamma, &[2.0, -0.2, -0.4]),
            curve(Distribution::Gompertz, &[-3.0, 0.05]),
            curve(Distribution::Gompertz, &[-1.0, -0.05]),
            curve(Distribution::PiecewiseExponential { breaks }, &[-2.0, 0.5, -0.3]),
        ];
        for scale in [SplineScale::Hazard, SplineScale::Odds, SplineScale::Normal] {
            curves.push(curve(Distribution::Spline { scale, knots: knots.clone() }, &[-2.5, 1.4, 0.05, -0.06]));
        }
        let cured: Vec<ParametricCurve> = curves
            .iter()
            .map(|plain| {
                let distribution = Distribution::Cure(Box::new(plain.distribution.clone()));
                let parameters: Vec<f64> = plain.parameters.iter().copied().chain([-1.0]).collect();
                curve(distribution, &parameters)
            })
            .collect();
        curves.extend(cured);
        curves
    }

    #[test]
    fn derivatives_are_those_of_the_values() {
        for curve in curves() {
            let m = curve.parameters.len();
            let mut evaluator = Evaluator::new(&curve.distribution);
            for t in [0.02, 0.9, 3.0, 7.0, 12.0, 40.0] {
                let time = Time::new(t);
                let mut jets = |parameters: &[f64]| {
                    evaluator.evaluate(parameters, time, Order::Second, true);
                    [evaluator.hazard.clone(), evaluator.log_hazard.clone()]
                };
                let at = jets(&curve.parameters);
                for i in 0..m {
                    let h = 2e-6;
                    let moved = |by: f64| {
                        let mut parameters = curve.parameters.clone();
                        parameters[i] += by;
                        parameters
                    };
                    let (down, up) = (jets(&moved(-h)), jets(&moved(h)));
                    for k in 0..2 {
                        let slope = (up[k].value - down[k].value) / (2.0 * h);
                        let ours = at[k].gradient[i];
                        let close = |a: f64, b: f64| (a - b).abs() <= 2e-7 * (1.0 + a.abs());
                        assert!(close(ours, slope), "{:?} t {t} d{i} of {k}: {ours} {slope}", curve.distribution);
                        for j in 0..m {
                            let slope = (up[k].gradient[j] - down[k].gradient[j]) / (2.0 * h);
                            let ours = at[k].hessian[i * m + j];
                            assert!(
                                close(ours, slope),
                                "{:?} t {t} d{i}{j} of {k}: {ours} {slope}",
                                curve.distribution
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn hazard_survival_quantile_and_area_agree() {
        for plain in curves() {
            for given in [0.0, 5.0] {
                let curve = plain.conditional(given).unwrap();
                assert_eq!(curve.survival_at(0.0), Some(1.0));
                for t in [0.1, 2.9, 9.0, 30.0] {
                    let hazard = curve.cumulative_hazard_at(t).unwrap();
                    let h = 1e-6 * t;
                    let slope = (curve.cumulative_hazard_at(t + h).unwrap()
                        - curve.cumulative_hazard_at(t - h).unwrap())
                        / (2.0 * h);
                    let rate = curve.hazard_at(t).unwrap();
                    assert!(
                        (slope - rate).abs() <= 1e-6 * (rate + 1e-3),
                        "{:?} {t}: {slope} {rate}",
                        curve.distribution
                    );
                    let p = -(-hazard).exp_m1();
                    let back = curve.quantile(p).unwrap().unwrap();
                    assert_relative_eq!(back, t, max_relative = 1e-10);
                    let area = curve.restricted_mean(t).unwrap().unwrap();
                    let numeric = quadrature::integrate(
                        |x| curve.survival_at(x).unwrap(),
                        &[0.0, t / 1e6, t / 1e3, t / 3.0, t],
                        1e-12,
                    );
                    assert_relative_eq!(area, numeric.unwrap(), max_relative = 1e-9);
                }
                if let Some(mean) = curve.mean() {
                    let Some(far) = curve.restricted_mean(1e7).unwrap() else { panic!("{curve:?}") };
                    // Of the log-logistic with its heavy tail, a thousandth is still to come then.
                    assert_relative_eq!(mean, far, max_relative = 2e-3);
                }
                let stored = Survival::Parametric(curve);
                assert_eq!(Survival::decode(&stored.encode()), Ok(stored));
            }
        }
    }
}
