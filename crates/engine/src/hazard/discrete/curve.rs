//! The survival curve of a row: a drop at the end of each period, or at each renewal.

use crate::hazard::discrete::{DiscreteFit, Uncertainty};
use crate::numeric::linear::RankedCholesky;
use crate::survival::Decisions;
use crate::survival::curve::{FittedCurve, Tail};

/// Linear predictors beyond this make probabilities of 0 or 1 to the last bit.
const LINEAR_PREDICTOR_LIMIT: f64 = 300.0;
/// Loadings are squared; where they are larger nothing is known of the row.
const LOADING_LIMIT: f64 = 1e140;
/// The curve of a single decision's model shows one by one the renewals of so much time (50 years of months), so many
/// at least and at most.
const SHOWN: f64 = 600.0;
const FEWEST: f64 = 10.0;
const MOST: f64 = 100.0;

pub(super) fn bounded(eta: f64) -> f64 {
    eta.clamp(-LINEAR_PREDICTOR_LIMIT, LINEAR_PREDICTOR_LIMIT)
}

fn loading(value: f64) -> f64 {
    value.clamp(-LOADING_LIMIT, LOADING_LIMIT)
}

impl DiscreteFit {
    /// −ln of the probability to survive the period (from 0), and its derivative in η, for a row with the linear
    /// predictor `eta`; infinite where everybody had the event.
    fn increment(&self, period: usize, eta: f64) -> (f64, f64) {
        match self.baseline.levels[period] {
            Some(level) => self.link.hazard(bounded(level + eta)),
            None if self.baseline.deaths[period] > 0.0 => (f64::INFINITY, 0.0),
            None => (0.0, 0.0),
        }
    }

    /// The last observed time: the end of the last period.
    pub fn max_followup(&self) -> f64 {
        self.end_of(self.periods() - 1)
    }

    fn end_of(&self, period: usize) -> f64 {
        (period + 1) as f64 * self.period
    }

    /// H(t | x) = −ln S(t | x) of a row with the linear predictor `eta`; it rises at the end of each period, and beyond
    /// the last one goes on with its average.
    pub fn cumulative_hazard(&self, t: f64, eta: f64) -> f64 {
        let mut hazard = 0.0;
        for period in 0..self.periods() {
            if self.end_of(period) > t {
                return hazard;
            }
            hazard += self.increment(period, eta).0;
        }
        let end = self.max_followup();
        if t > end { hazard * (t / end) } else { hazard }
    }

    /// The survival curve of the row `x`: p finite covariates.
    ///
    /// The variance of H(t) is by the delta method. With a level per period it is in two parts, as in Cox's model: what
    /// the levels contribute one by one, Σ (∂H/∂η)² / information, and what the coefficients contribute to all periods
    /// together, as loadings L'c with V = L L' and c = Σ ∂H/∂η (x − mean x in that period). With errors by clusters the
    /// levels belong together as well, and all is in the loadings.
    pub fn curve(&self, x: &[f64]) -> FittedCurve {
        let p = self.coefficients.len();
        let eta = self.linear_predictor(x);
        let centred: Vec<f64> = x.iter().zip(&self.means).map(|(x, mean)| x - mean).collect();
        let kept = (0..p).filter(|&i| self.coefficients[i].is_some());
        let (factor, q) = match &self.baseline.uncertainty {
            Uncertainty::Levels { .. } => (RankedCholesky::of_columns(&self.covariance, p, kept.collect()), 0),
            Uncertainty::Smooth { coefficients, covariance, .. } => {
                let q = coefficients.len();
                let columns = (0..q).chain(kept.map(|i| q + i)).collect();
                (RankedCholesky::of_columns(covariance, q + p, columns), q)
            }
            Uncertainty::Joint { covariance, .. } => {
                let q = self.periods();
                let known = |column: &usize| covariance[column * (q + p + 1)] > 0.0;
                let columns = (0..q).filter(known).chain(kept.map(|i| q + i)).collect();
                (RankedCholesky::of_columns(covariance, q + p, columns), q)
            }
        };
        let (rank, lower) = (factor.rank(), factor.lower());
        let mut curve = FittedCurve {
            times: Vec::new(),
            cumulative_hazard: Vec::new(),
            variance: Vec::new(),
            rank,
            loadings: Vec::new(),
            max_followup: self.max_followup(),
            tail: Tail::None,
            decisions: Some(Decisions::every(self.period)),
        };
        let (mut hazard, mut variance) = (0.0, 0.0);
        let mut gradient = vec![0.0; q + p];
        for period in 0..self.periods() {
            let (increment, slope) = self.increment(period, eta);
            if increment == 0.0 && slope == 0.0 {
                continue;
            }
            hazard += increment;
            match &self.baseline.uncertainty {
                Uncertainty::Levels { information, means } => {
                    if information[period] > 0.0 {
                        variance += slope * slope / information[period];
                    }
                    let means = &means[period * p..(period + 1) * p];
                    for ((gradient, x), mean) in gradient.iter_mut().zip(&centred).zip(means) {
                        *gradient += slope * (x - mean);
                    }
                }
                Uncertainty::Smooth { columns, .. } => {
                    let columns = &columns[period * q..(period + 1) * q];
                    for (gradient, value) in gradient.iter_mut().zip(columns.iter().chain(&centred)) {
                        *gradient += slope * value;
                    }
                }
                Uncertainty::Joint { means, .. } => {
                    let (levels, coefficients) = gradient.split_at_mut(q);
                    levels[period] += slope;
                    let means = &means[period * p..(period + 1) * p];
                    for ((gradient, x), mean) in coefficients.iter_mut().zip(&centred).zip(means) {
                        *gradient += slope * (x - mean);
                    }
                }
            }
            curve.times.push(self.end_of(period));
            curve.cumulative_hazard.push(hazard.max(0.0));
            curve.variance.push(if hazard.is_finite() { variance.min(f64::MAX) } else { f64::INFINITY });
            for k in 0..rank {
                let value: f64 = (k..rank).map(|i| lower[i * rank + k] * gradient[factor.columns()[i]]).sum();
                curve.loadings.push(loading(value));
            }
            if hazard.is_infinite() {
                // Nobody is left for the periods after this one.
                curve.max_followup = self.end_of(period);
                return curve;
            }
        }
        curve.tail = Tail::average_hazard(hazard, curve.max_followup);
        curve
    }

    /// The probability that a row with the linear predictor `eta` has the event at one decision (of a fit of single
    /// decisions, where the event is the renewal).
    pub fn decision(&self, eta: f64) -> Option<f64> {
        self.baseline.levels.first().copied().flatten().map(|level| self.link.probability(bounded(level + eta)))
    }

    /// −ln of the probability of what such a decision came to, also where [`DiscreteFit::decision`] is rounded to 0 or 1.
    pub fn decision_loss(&self, eta: f64, had: bool) -> Option<f64> {
        let level = self.baseline.levels.first().copied().flatten()?;
        let eta = bounded(level + eta);
        Some(if had { self.link.failure_hazard(eta).0 } else { self.link.hazard(eta).0 })
    }

    pub(crate) fn renewals_shown(&self) -> f64 {
        (SHOWN / self.period).floor().clamp(FEWEST, MOST)
    }

    /// Renewals decided up to and including `t`.
    fn decisions(&self, t: f64) -> f64 {
        let count = (t / self.period).floor();
        // The same comparison with the times of the curve's steps.
        match ((count + 1.0) * self.period <= t, count * self.period <= t) {
            (true, _) => count + 1.0,
            (false, true) => count,
            (false, false) => count - 1.0,
        }
    }

    /// How many decisions the curve of [`DiscreteFit::renewal_curve`] counts up to `t`: beyond those that it shows, parts of
    /// them too.
    pub(crate) fn decisions_until(&self, t: f64) -> f64 {
        if t > self.renewals_shown() * self.period { t / self.period } else { self.decisions(t) }
    }

    /// −ln P(renewed) at each decision.
    pub(crate) fn decision_hazard(&self, eta: f64) -> f64 {
        self.baseline.levels[0].map_or(0.0, |level| self.link.failure_hazard(bounded(level + eta)).0)
    }

    /// −ln P(renewed at every decision up to `t`): the curve of [`DiscreteFit::renewal_curve`] at one point.
    pub fn renewal_hazard(&self, t: f64, eta: f64) -> f64 {
        self.decision_hazard(eta) * self.decisions_until(t)
    }

    /// The curve of a row whose every renewal has the probability of the one that was fitted: it drops at each
    /// `period`, and stays at 1 where the fit has no level.
    pub fn renewal_curve(&self, x: &[f64]) -> FittedCurve {
        let level = self.baseline.levels[0].unwrap_or(LINEAR_PREDICTOR_LIMIT);
        let p = self.coefficients.len();
        let (each, slope) = self.link.failure_hazard(bounded(level + self.linear_predictor(x)));
        let mut variance = 0.0;
        if let Uncertainty::Levels { information, means } = &self.baseline.uncertainty {
            let distance: Vec<f64> = (0..p).map(|i| x[i] - self.means[i] - means[i]).collect();
            if information[0] > 0.0 {
                variance = 1.0 / information[0];
            }
            for (i, a) in distance.iter().enumerate() {
                variance += distance.iter().zip(&self.covariance[i * p..]).map(|(b, v)| a * b * v).sum::<f64>();
            }
        }
        let shown = self.renewals_shown();
        let each_loading = loading(slope * variance.max(0.0).sqrt());
        let renewals = || (1..=shown as u32).map(f64::from);
        let max_followup = shown * self.period;
        FittedCurve {
            times: renewals().map(|k| k * self.period).collect(),
            cumulative_hazard: renewals().map(|k| k * each).collect(),
            variance: vec![0.0; shown as usize],
            rank: 1,
            loadings: renewals().map(|k| k * each_loading).collect(),
            max_followup,
            tail: Tail::average_hazard(shown * each, max_followup),
            decisions: Some(Decisions::every(self.period)),
        }
    }
}
