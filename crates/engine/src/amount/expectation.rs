//! What a model of amounts expects of a row, and how sure it is.

use crate::amount::{AmountFit, TwoPartFit};
use crate::hazard::cox::Status;
use crate::hazard::discrete::{DiscreteFit, Uncertainty};

/// An expected amount with limits: the uncertainty of the model, not of the outcome.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expectation {
    pub value: f64,
    /// By the delta method on the scale of the value; `None` when it is unknown.
    pub std_error: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

/// direction' matrix direction.
pub(super) fn quadratic(matrix: &[f64], direction: &[f64]) -> f64 {
    let size = direction.len();
    let row = |i: usize| (0..size).map(|j| matrix[i * size + j] * direction[j]).sum::<f64>();
    (0..size).map(|i| direction[i] * row(i)).sum::<f64>().max(0.0)
}

impl Expectation {
    /// By the delta method on the scale of the value, or on that of its logarithm, where limits stay above 0.
    fn of(value: f64, deviation: Option<f64>, z: f64, on_log_scale: bool) -> Expectation {
        let limit = |direction: f64| {
            let move_by = direction * z * deviation?;
            let limit = if on_log_scale { value * move_by.exp() } else { value + move_by };
            limit.is_finite().then_some(limit)
        };
        let std_error = deviation.map(|deviation| if on_log_scale { value * deviation } else { deviation });
        let std_error = std_error.filter(|error| error.is_finite());
        Expectation { value, std_error, lower: limit(-1.0), upper: limit(1.0) }
    }
}

impl AmountFit {
    pub fn is_trustworthy(&self) -> bool {
        self.status == Status::Converged
    }

    /// The expected amount of a row without an offset, with limits `z` standard errors away on the scale of the linear
    /// predictor; `None` when the fit has nothing to say or the amount overflows.
    pub fn expectation(&self, x: &[f64], z: f64) -> Option<Expectation> {
        if self.status == Status::NoEvents {
            return None;
        }
        let value = self.family.mean(self.linear_predictor(x));
        let deviation = self.variance(x).map(f64::sqrt);
        value.is_finite().then(|| Expectation::of(value, deviation, z, self.family.has_log_link()))
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

    /// P(amount > 0) × the expected amount when there is one. The parts are independent, so that their variances add on
    /// the log scale: (1 − p)² of the log odds, and the amount's.
    pub fn expectation(&self, x: &[f64], z: f64) -> Option<Expectation> {
        let amount = self.amount.as_ref()?;
        let (p, mean) = (self.probability(x)?, amount.expectation(x, z)?.value);
        let log = amount.family.has_log_link();
        let variance = self.variance_of_log_odds(x).zip(amount.variance(x));
        let deviation = variance.map(|(odds, eta)| {
            let by_odds = (1.0 - p) * (1.0 - p) * odds;
            if log { (by_odds + eta).sqrt() } else { p * (by_odds * mean * mean + eta).sqrt() }
        });
        let value = p * mean;
        value.is_finite().then(|| Expectation::of(value, deviation, z, log))
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
