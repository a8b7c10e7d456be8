//! The cumulative hazard and the log hazard of each distribution, with first and second derivatives in its parameters.

use crate::numeric::prentice_table;
use crate::survival::distribution::{Distribution, SplineScale};
use crate::survival::periodic;
use crate::survival::recalibration::RecalibrationMap;

mod families;

/// A number and its derivatives in the m parameters: m of the first order, m × m of the second (row-major, symmetric).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Jet {
    pub value: f64,
    pub gradient: Vec<f64>,
    pub hessian: Vec<f64>,
}

impl Jet {
    fn new(m: usize) -> Jet {
        Jet { value: 0.0, gradient: vec![0.0; m], hessian: vec![0.0; m * m] }
    }

    pub(super) fn clear(&mut self) {
        self.value = 0.0;
        self.gradient.fill(0.0);
        self.hessian.fill(0.0);
    }

    #[inline]
    pub(super) fn set_second(&mut self, i: usize, j: usize, value: f64) {
        let m = self.gradient.len();
        self.hessian[i * m + j] = value;
        self.hessian[j * m + i] = value;
    }
}

/// A time and its logarithm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Time {
    pub t: f64,
    pub log: f64,
}

impl Time {
    pub fn new(t: f64) -> Time {
        Time { t, log: t.ln() }
    }

    pub fn from_log(log: f64) -> Time {
        Time { t: log.exp(), log }
    }
}

/// What is asked for: values only, first derivatives, second derivatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    Value,
    First,
    Second,
}

/// Evaluates one distribution again and again, without allocating.
#[derive(Debug, Clone)]
pub struct Evaluator<'a> {
    distribution: &'a Distribution,
    /// H(t) = −ln S(t).
    pub hazard: Jet,
    /// ln h(t); meaningful when it was asked for. −∞ where there is no density, NaN where the spline falls.
    pub log_hazard: Jet,
    basis: Vec<f64>,
    slopes: Vec<f64>,
    inner: Option<Box<Evaluator<'a>>>,
    /// Of a generalized gamma whose shape stays the same over many times.
    tails: Option<Box<prentice_table::Tails>>,
}

impl<'a> Evaluator<'a> {
    pub fn new(distribution: &'a Distribution) -> Evaluator<'a> {
        let m = distribution.parameters();
        let terms = if let Distribution::Spline { .. } = distribution { m } else { 0 };
        let inner = match distribution {
            Distribution::Cure(inner) | Distribution::Recalibrated { inner, .. } => {
                Some(Box::new(Evaluator::new(inner)))
            }
            _ => None,
        };
        Evaluator {
            distribution,
            hazard: Jet::new(m),
            log_hazard: Jet::new(m),
            basis: vec![0.0; terms],
            slopes: vec![0.0; terms],
            inner,
            tails: None,
        }
    }

    /// As [`Evaluator::new`] for the rows of one evaluation of a likelihood, where only the location and the second
    /// parameter differ from row to row: what depends on the others alone is then shared among `count` rows.
    pub fn for_rows(distribution: &'a Distribution, count: usize) -> Evaluator<'a> {
        let mut evaluator = Evaluator::new(distribution);
        let many = count >= prentice_table::MANY;
        match distribution {
            Distribution::GeneralizedGamma if many => evaluator.tails = Some(Box::default()),
            Distribution::Cure(inner) => evaluator.inner = Some(Box::new(Evaluator::for_rows(inner, count))),
            _ => {}
        }
        evaluator
    }

    /// Sets `hazard`, and `log_hazard` when `density` asks for it, to those of `parameters` at `time`.
    pub fn evaluate(&mut self, parameters: &[f64], time: Time, order: Order, density: bool) {
        if time.t <= 0.0 && time.log == f64::NEG_INFINITY {
            self.hazard.clear();
            if density {
                self.log_hazard.clear();
                self.log_hazard.value = self.log_hazard_at_zero(parameters);
            }
            return;
        }
        match self.distribution {
            Distribution::Exponential => self.exponential(parameters, time),
            Distribution::Weibull => self.location_scale(SplineScale::Hazard, parameters, time),
            Distribution::LogNormal => self.location_scale(SplineScale::Normal, parameters, time),
            Distribution::LogLogistic => self.location_scale(SplineScale::Odds, parameters, time),
            Distribution::GeneralizedGamma => self.generalized_gamma(parameters, time, order, density),
            Distribution::Gompertz => self.gompertz(parameters, time),
            Distribution::Spline { scale, knots } => {
                self.spline(*scale, knots, parameters, time, order);
            }
            Distribution::PiecewiseExponential { breaks } => self.piecewise(breaks, parameters, time, order),
            Distribution::BetaGeometric { period } | Distribution::BetaDiscreteWeibull { period } => {
                periodic::evaluate(parameters, *period, time.t, order > Order::Value, &mut self.hazard);
                // All of it falls at the ends of periods: there is no density.
                self.log_hazard.value = f64::NAN;
            }
            Distribution::Cure(_) => self.cure(parameters, time, order, density),
            Distribution::Recalibrated { map, .. } => self.recalibrated(map, parameters, time, order, density),
        }
    }

    /// Of the cumulative hazard the value and the first derivatives, of the log hazard the value alone: no recalibrated
    /// curve is fitted by likelihood.
    fn recalibrated(&mut self, map: &RecalibrationMap, parameters: &[f64], time: Time, order: Order, density: bool) {
        let Some(inner) = &mut self.inner else { return };
        inner.evaluate(parameters, time, order, density);
        let (hazard, slope) = map.hazard(inner.hazard.value);
        self.hazard.clear();
        self.log_hazard.clear();
        self.hazard.value = hazard;
        if order > Order::Value {
            for (ours, theirs) in self.hazard.gradient.iter_mut().zip(&inner.hazard.gradient) {
                *ours = if *theirs == 0.0 { 0.0 } else { slope * theirs };
            }
        }
        self.log_hazard.value = inner.log_hazard.value + slope.ln();
    }

    /// The limit of ln h(t) as t falls to 0.
    fn log_hazard_at_zero(&self, parameters: &[f64]) -> f64 {
        // h ~ t^(power − 1): falls to 0, starts somewhere, or comes down from infinity.
        let by_power = |power: f64, start: f64| match power.total_cmp(&1.0) {
            std::cmp::Ordering::Greater => f64::NEG_INFINITY,
            std::cmp::Ordering::Equal => start,
            std::cmp::Ordering::Less => f64::INFINITY,
        };
        match self.distribution {
            Distribution::Exponential => -parameters[0],
            Distribution::Weibull | Distribution::LogLogistic => {
                by_power((-parameters[1]).exp(), -parameters[0] - parameters[1])
            }
            Distribution::LogNormal => f64::NEG_INFINITY,
            Distribution::GeneralizedGamma => {
                let q = parameters[2];
                let start = || {
                    let k = (q * q).recip();
                    k * k.ln() + q.ln() - statrs::function::gamma::ln_gamma(k) - parameters[0] - parameters[1]
                };
                if q > 0.0 { by_power((-parameters[1]).exp() / q, start()) } else { f64::NEG_INFINITY }
            }
            Distribution::Gompertz | Distribution::PiecewiseExponential { .. } => parameters[0],
            Distribution::BetaGeometric { .. } | Distribution::BetaDiscreteWeibull { .. } => f64::NEG_INFINITY,
            Distribution::Spline { scale: SplineScale::Normal, .. } => f64::NEG_INFINITY,
            Distribution::Spline { .. } => by_power(parameters[1], parameters[0] + parameters[1].ln()),
            Distribution::Cure(_) => match &self.inner {
                Some(inner) => {
                    let m = parameters.len() - 1;
                    inner.log_hazard_at_zero(&parameters[..m]) - SplineScale::Odds.link(parameters[m]).0[0]
                }
                None => f64::NEG_INFINITY,
            },
            // By the hazard of a moment.
            Distribution::Recalibrated { .. } => {
                let mut near = Evaluator::new(self.distribution);
                near.evaluate(parameters, Time::new(1e-200), Order::Value, true);
                near.log_hazard.value
            }
        }
    }
}
