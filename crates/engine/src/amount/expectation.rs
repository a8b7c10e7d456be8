//! What a model of amounts expects of a row, and how sure it is.
//!
//! Where the dispersion was estimated the limits are Student's, with the degrees of freedom that it was estimated with: exact
//! for a linear model (R's `predict.lm(interval = "confidence")`), and for the others what R's `summary.glm` tests with.

use crate::amount::{AmountFit, Family, TwoPartFit};
use crate::hazard::cox::Status;
use crate::hazard::discrete::{DiscreteFit, Uncertainty};
use crate::numeric::student;

const TOO_FEW: &str = "too few rows for limits";

/// An expected amount with limits: the uncertainty of the model, not of the outcome.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expectation {
    pub value: f64,
    /// By the delta method on the scale of the value; `None` when it is unknown.
    pub std_error: Option<f64>,
    /// Those of Student's law that the limits are by; infinite for the normal law.
    pub degrees_of_freedom: f64,
    /// Both are known, or none.
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

/// direction' matrix direction.
pub(super) fn quadratic(matrix: &[f64], direction: &[f64]) -> f64 {
    let size = direction.len();
    let row = |i: usize| (0..size).map(|j| matrix[i * size + j] * direction[j]).sum::<f64>();
    (0..size).map(|i| direction[i] * row(i)).sum::<f64>().max(0.0)
}

/// The degrees of freedom of a sum of independent variances, each with its own (Satterthwaite 1946, *An approximate
/// distribution of estimates of variance components*; Welch 1947): infinite for one that is known.
pub fn pooled_degrees_of_freedom(parts: impl IntoIterator<Item = (f64, f64)>) -> f64 {
    let (mut total, mut spread, mut least) = (0.0, 0.0, f64::INFINITY);
    for (variance, freedom) in parts {
        total += variance;
        if variance > 0.0 {
            spread += variance * variance / freedom;
            least = freedom.min(least);
        }
    }
    // Variances beyond the range of their squares have at least the degrees of freedom of the least sure.
    Some(total * total / spread).filter(|freedom| !freedom.is_nan()).unwrap_or(least).max(least)
}

impl Expectation {
    /// By the delta method on the scale of the value, or on that of its logarithm, where limits stay above 0.
    fn of(value: f64, deviation: Option<f64>, freedom: f64, level: f64, on_log_scale: bool) -> Expectation {
        let critical = student::critical_value(level, freedom);
        let limit = |direction: f64| {
            let move_by = direction * critical * deviation?;
            let limit = if on_log_scale { value * move_by.exp() } else { value + move_by };
            limit.is_finite().then_some(limit)
        };
        let std_error = deviation.map(|deviation| if on_log_scale { value * deviation } else { deviation });
        let std_error = std_error.filter(|error| error.is_finite());
        let (lower, upper) = limit(-1.0).zip(limit(1.0)).unzip();
        Expectation { value, std_error, degrees_of_freedom: freedom, lower, upper }
    }

    fn without_limits_where(self, unknown: bool) -> Expectation {
        if unknown { Expectation { lower: None, upper: None, ..self } } else { self }
    }
}

impl AmountFit {
    pub fn is_trustworthy(&self) -> bool {
        self.status == Status::Converged
    }

    /// Why nothing is known of limits: there is next to nothing, or no scatter, from which to estimate the dispersion.
    pub fn no_limits(&self) -> Option<&'static str> {
        let has_likelihood = self.log_likelihood.is_some() || matches!(self.family, Family::Tweedie { .. });
        match self.dispersion {
            None => Some(TOO_FEW),
            Some(_) if self.degrees_of_freedom() < 1.0 => Some(TOO_FEW),
            Some(dispersion) if dispersion > 0.0 && has_likelihood => None,
            Some(_) => Some("every row is met exactly, which tells of no limits"),
        }
    }

    /// The expected amount of a row without an offset, with limits at `level`, in (0, 1), on the scale of the linear
    /// predictor; `None` when the fit has nothing to say or the amount overflows.
    pub fn expectation(&self, x: &[f64], level: f64) -> Option<Expectation> {
        if self.status == Status::NoEvents {
            return None;
        }
        let value = self.family.mean(self.linear_predictor(x));
        let deviation = self.variance(x).map(f64::sqrt);
        let freedom = self.law_of_errors();
        let said = || Expectation::of(value, deviation, freedom, level, self.family.has_log_link());
        value.is_finite().then(|| said().without_limits_where(self.no_limits().is_some()))
    }
}

impl TwoPartFit {
    pub fn is_trustworthy(&self) -> bool {
        self.amount.as_ref().is_some_and(AmountFit::is_trustworthy)
            && (self.always() || self.occurrence.status == Status::Converged)
    }

    /// P(amount > 0) for a row.
    pub fn probability(&self, x: &[f64]) -> Option<f64> {
        if self.always() {
            return Some(1.0);
        }
        self.occurrence.decision(self.occurrence.linear_predictor(x))
    }

    /// −ln P(amount > 0) for a row, or −ln P(amount = 0).
    pub fn loss_of_occurrence(&self, x: &[f64], is_positive: bool) -> Option<f64> {
        if self.always() {
            return Some(if is_positive { 0.0 } else { f64::INFINITY });
        }
        self.occurrence.decision_loss(self.occurrence.linear_predictor(x), is_positive)
    }

    /// P(amount > 0) × the expected amount when there is one. The parts are independent, so that their variances add on
    /// the log scale: (1 − p)² of the log odds, and the amount's. The first is known, the second estimated: together they
    /// have the degrees of freedom of [`pooled_degrees_of_freedom`].
    pub fn expectation(&self, x: &[f64], level: f64) -> Option<Expectation> {
        let amount = self.amount.as_ref()?;
        let (p, mean) = (self.probability(x)?, amount.family.mean(amount.linear_predictor(x)));
        let log = amount.family.has_log_link();
        let variance = self.variance_of_log_odds(x).zip(amount.variance(x));
        let parts = variance.map(|(odds, eta)| {
            let by_odds = (1.0 - p) * (1.0 - p) * odds;
            (if log { by_odds } else { by_odds * mean * mean }, eta)
        });
        let deviation = parts.map(|(odds, eta)| (odds + eta).sqrt() * if log { 1.0 } else { p });
        let freedom = parts.map_or(f64::INFINITY, |(odds, eta)| {
            pooled_degrees_of_freedom([(odds, f64::INFINITY), (eta, amount.law_of_errors())])
        });
        let value = p * mean;
        let said = || Expectation::of(value, deviation, freedom, level, log);
        value.is_finite().then(|| said().without_limits_where(amount.no_limits().is_some()))
    }

    fn variance_of_log_odds(&self, x: &[f64]) -> Option<f64> {
        if self.always() { Some(0.0) } else { variance_of_decision(&self.occurrence, x) }
    }
}

/// The variance of the linear predictor of a decision: its level's and the coefficients'.
fn variance_of_decision(fit: &DiscreteFit, x: &[f64]) -> Option<f64> {
    let Uncertainty::Levels { information, means } = &fit.baseline.uncertainty else { return None };
    let level = information.first().filter(|information| **information > 0.0)?;
    let distance: Vec<f64> = (0..x.len()).map(|i| x[i] - fit.means[i] - means[i]).collect();
    Some(1.0 / level + quadratic(&fit.covariance, &distance))
}
