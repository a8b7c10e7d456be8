//! The curve of one row over a baseline, in as much of it as is asked for.
//!
//! A baseline may have a step for each event of the training rows. A question that is about a few times reads a few of
//! the steps: only a whole curve has what the coefficients' errors do at all of them, p² operations at each.

use crate::hazard::Baseline;
use crate::hazard::cox_baseline::{LOADING_LIMIT, bounded};
use crate::numeric::linear::RankedCholesky;
use crate::numeric::sum::Sum;
use crate::survival::curve::{FittedCurve, Steps, Tail};

/// H(t | x) = e^η Λ(t), with its uncertainty.
#[derive(Debug, Clone)]
pub struct RowCurve<'a> {
    baseline: &'a Baseline,
    /// e^η.
    risk: f64,
    /// Whether the variance of the steps is known.
    is_varied: bool,
    tail: Tail,
    coefficients: Coefficients,
}

/// The part of the uncertainty that all steps share: V = L L', and how far the row is from the means.
#[derive(Debug, Clone, Default)]
struct Coefficients {
    columns: Vec<usize>,
    /// L: rank × rank, row-major.
    lower: Vec<f64>,
    centred: Vec<f64>,
}

impl<'a> RowCurve<'a> {
    /// Of a row with the linear predictor `eta`, of whose uncertainty nothing is known; it goes on with its average
    /// hazard.
    pub(crate) fn new(baseline: &'a Baseline, eta: f64) -> Self {
        let risk = bounded(eta).exp();
        let end = baseline.cumulative_hazard.last().map_or(0.0, |end| (risk * end).min(f64::MAX));
        let tail = Tail::average_hazard(end, baseline.max_followup);
        RowCurve { baseline, risk, is_varied: false, tail, coefficients: Coefficients::default() }
    }

    /// The same with the factor of the covariance of the coefficients and the row's covariates less the means.
    pub(super) fn with_coefficients(self, factor: &RankedCholesky, centred: Vec<f64>) -> Self {
        let coefficients = Coefficients { columns: factor.columns().to_vec(), lower: factor.lower(), centred };
        RowCurve { coefficients, ..self }
    }

    /// The same with the uncertainty of the steps.
    pub(super) fn varied(self) -> Self {
        RowCurve { is_varied: true, ..self }
    }

    /// The same, of which nothing is known beyond the observed time.
    pub(super) fn without_tail(self) -> Self {
        RowCurve { tail: Tail::None, ..self }
    }

    fn hazard(&self, hazard: f64) -> f64 {
        (self.risk * hazard).min(f64::MAX)
    }

    fn variance(&self, variance: f64) -> f64 {
        (self.risk * self.risk * variance).min(f64::MAX)
    }

    /// H just after a step.
    pub(crate) fn hazard_at(&self, step: usize) -> f64 {
        self.hazard(self.baseline.cumulative_hazard[step])
    }

    /// How many loadings a step has.
    pub(crate) fn rank(&self) -> usize {
        self.coefficients.columns.len()
    }

    /// The loadings e^η L'c of a step: c is the path there less (x − means) Λ.
    fn loadings<'b>(&'b self, hazard: f64, path: &'b [f64]) -> impl Iterator<Item = f64> + 'b {
        let Coefficients { columns, lower, centred } = &self.coefficients;
        let rank = columns.len();
        (0..rank).map(move |k| {
            let part = |i: usize| lower[i * rank + k] * (path[columns[i]] - centred[columns[i]] * hazard);
            let loading: f64 = (k..rank).map(part).sum();
            (self.risk * loading).clamp(-LOADING_LIMIT, LOADING_LIMIT)
        })
    }

    /// The loadings of some of the steps, a row per step.
    pub(crate) fn loadings_at(&self, steps: &[usize]) -> Vec<f64> {
        if self.rank() == 0 {
            return Vec::new();
        }
        let mut loadings = Vec::with_capacity(steps.len() * self.rank());
        let mut path = vec![0.0; self.coefficients.centred.len()];
        for step in steps {
            self.baseline.path_at(*step, &mut path);
            loadings.extend(self.loadings(self.baseline.cumulative_hazard[*step], &path));
        }
        loadings
    }

    fn curve(&self, times: Vec<f64>, cumulative_hazard: Vec<f64>, variance: Vec<f64>) -> FittedCurve {
        FittedCurve {
            times,
            cumulative_hazard,
            variance,
            rank: 0,
            loadings: Vec::new(),
            max_followup: self.baseline.max_followup,
            tail: self.tail,
            decisions: None,
        }
    }

    /// All steps, without what the coefficients' errors do to them.
    pub(crate) fn without_loadings(&self) -> FittedCurve {
        let of = |values: &[f64], scale: &dyn Fn(f64) -> f64| values.iter().map(|value| scale(*value)).collect();
        let variance = if self.is_varied { &self.baseline.variance[..] } else { &[] };
        self.curve(
            self.baseline.times.clone(),
            of(&self.baseline.cumulative_hazard, &|hazard| self.hazard(hazard)),
            of(variance, &|variance| self.variance(variance)),
        )
    }

    /// The whole curve.
    pub(crate) fn whole(&self) -> FittedCurve {
        let mut loadings = Vec::with_capacity(self.baseline.times.len() * self.rank());
        if self.rank() > 0 {
            let p = self.coefficients.centred.len();
            self.baseline.walk(p, |_, hazard, path| loadings.extend(self.loadings(hazard, path)));
        }
        FittedCurve { rank: self.rank(), loadings, ..self.without_loadings() }
    }

    /// The curve at the steps that are the last before some `times`, and at the last of all: what any of these times and
    /// the end is asked, it answers as the whole curve does.
    pub(crate) fn thinned(&self, times: &[f64]) -> Steps {
        let baseline = self.baseline;
        let before = |time: &f64| baseline.times.partition_point(|step| step <= time).checked_sub(1);
        let mut steps: Vec<usize> =
            times.iter().filter_map(before).chain(baseline.times.len().checked_sub(1)).collect();
        steps.sort_unstable();
        steps.dedup();
        let at = |values: &[f64]| steps.iter().map(|step| values[*step]).collect::<Vec<f64>>();
        let hazards = at(&baseline.cumulative_hazard).into_iter().map(|hazard| self.hazard(hazard)).collect();
        let variances = if self.is_varied { at(&baseline.variance) } else { Vec::new() };
        let variances = variances.into_iter().map(|variance| self.variance(variance)).collect();
        let curve = self.curve(at(&baseline.times), hazards, variances);
        FittedCurve { rank: self.rank(), loadings: self.loadings_at(&steps), ..curve }.into_steps()
    }

    /// [`Steps::mean_residual_life`] of the whole curve, in one pass that keeps nothing.
    pub(crate) fn mean_residual_life(&self, given: f64) -> Option<f64> {
        let baseline = self.baseline;
        let max_followup = baseline.max_followup;
        let survival = |hazard: f64| (-self.hazard(hazard)).exp();
        let end = baseline.cumulative_hazard.last().map_or(1.0, |hazard| survival(*hazard));
        let rate = match self.tail {
            Tail::ConstantHazard { rate } => Some(rate).filter(|rate| *rate > 0.0),
            Tail::None => None,
        };
        if given >= max_followup {
            return rate.filter(|_| end > 0.0).map(|rate| 1.0 / rate);
        }
        let beyond = if end == 0.0 { 0.0 } else { end / rate? };
        // The area under S until `given`, known once the steps have passed it; an area until 0 is none.
        let mut until_given = (given <= 0.0).then_some(0.0);
        let mut area = Sum::default();
        let (mut before, mut height) = (0.0, 1.0);
        let until = |area: &Sum, before: f64, height: f64| {
            let mut area = *area;
            area.add((given - before) * height);
            area.total()
        };
        for (time, hazard) in baseline.times.iter().zip(&baseline.cumulative_hazard) {
            if *time >= given && until_given.is_none() {
                until_given = Some(until(&area, before, height));
            }
            // Nothing adds to the area where nobody is left.
            if *time >= max_followup || height == 0.0 {
                break;
            }
            area.add((*time - before) * height);
            (before, height) = (*time, survival(*hazard));
        }
        let until_given = until_given.unwrap_or_else(|| until(&area, before, height));
        area.add((max_followup - before) * height);
        let step = baseline.times.partition_point(|time| *time <= given).checked_sub(1);
        let alive = step.map_or(1.0, |step| survival(baseline.cumulative_hazard[step]));
        (alive > 0.0).then(|| (area.total() - until_given + beyond) / alive)
    }
}
