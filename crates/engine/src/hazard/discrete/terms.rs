//! The baseline in plain terms: what a printed regression calls the intercept, or a level per period.

use crate::hazard::discrete::{DiscreteFit, Shape, Uncertainty};

/// A term of the baseline at covariates of 0.
#[derive(Debug, Clone, PartialEq)]
pub struct BaselineTerm {
    pub name: String,
    /// `None` for a period whose own level is infinite.
    pub estimate: Option<f64>,
    pub std_error: Option<f64>,
}

impl DiscreteFit {
    /// The intercept of single decisions, the level of each period (R's `factor(period) - 1`), or the coefficients of a
    /// smooth baseline; all where every covariate is 0.
    pub fn baseline_terms(&self) -> Vec<BaselineTerm> {
        let p = self.coefficients.len();
        let coefficient = |i: usize| self.coefficients[i].unwrap_or(0.0);
        let at_zero: f64 = (0..p).map(|i| coefficient(i) * self.means[i]).sum();
        let variance_of = |distance: &[f64]| -> f64 {
            let row = |i: usize| (0..p).map(|j| self.covariance[i * p + j] * distance[j]).sum::<f64>();
            (0..p).map(|i| distance[i] * row(i)).sum()
        };
        let name = |period: usize| match self.periods() {
            1 => "(intercept)".to_owned(),
            _ => format!("period {}", period + 1),
        };
        let finite = |variance: f64| Some(variance.sqrt()).filter(|error| error.is_finite() && *error > 0.0);
        match &self.baseline.uncertainty {
            Uncertainty::Levels { information, means } => {
                let term = |(period, level): (usize, &Option<f64>)| {
                    let distance: Vec<f64> = (0..p).map(|i| self.means[i] + means[period * p + i]).collect();
                    let error = level.and_then(|_| finite(1.0 / information[period] + variance_of(&distance)));
                    BaselineTerm { name: name(period), estimate: level.map(|level| level - at_zero), std_error: error }
                };
                self.baseline.levels.iter().enumerate().map(term).collect()
            }
            Uncertainty::Joint { means, covariance } => {
                let (q, size) = (self.periods(), self.periods() + p);
                let term = |(period, level): (usize, &Option<f64>)| {
                    let mut direction = vec![0.0; size];
                    direction[period] = 1.0;
                    (0..p).for_each(|i| direction[q + i] = -self.means[i] - means[period * p + i]);
                    let row = |a: usize| (0..size).map(|b| covariance[a * size + b] * direction[b]).sum::<f64>();
                    let variance = (0..size).filter(|a| direction[*a] != 0.0).map(|a| direction[a] * row(a)).sum();
                    let error = level.and_then(|_| finite(variance));
                    BaselineTerm { name: name(period), estimate: level.map(|level| level - at_zero), std_error: error }
                };
                self.baseline.levels.iter().enumerate().map(term).collect()
            }
            Uncertainty::Smooth { coefficients, to_plain, covariance, .. } => {
                let (q, size) = (coefficients.len(), coefficients.len() + p);
                let term = |(i, name): (usize, String)| {
                    // The plain term as a combination of all that was fitted.
                    let mut direction = vec![0.0; size];
                    direction[..q].copy_from_slice(&to_plain[i * q..(i + 1) * q]);
                    let mut estimate: f64 = (0..q).map(|j| direction[j] * coefficients[j]).sum();
                    if i == 0 {
                        estimate -= at_zero;
                        (0..p).for_each(|j| direction[q + j] = -self.means[j]);
                    }
                    let row = |a: usize| (0..size).map(|b| covariance[a * size + b] * direction[b]).sum::<f64>();
                    let variance = (0..size).map(|a| direction[a] * row(a)).sum();
                    BaselineTerm { name, estimate: Some(estimate), std_error: finite(variance) }
                };
                Shape::terms(self.baseline.shape).into_iter().enumerate().map(term).collect()
            }
        }
    }
}
