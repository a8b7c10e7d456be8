//! The baseline of a Cox model, one per stratum: the cumulative hazard of the average row, with what the uncertainty of
//! any row's needs.
//!
//! Breslow (1974) and, for Efron's ties, Therneau & Grambsch (2000), *Modeling Survival Data*, §10.2; the variance is
//! Tsiatis (1981), *A large sample study of Cox's regression model*, Annals of Statistics 9, theorem 4.1.

use serde::{Deserialize, Serialize};

use crate::hazard::cox::CoxFit;
use crate::hazard::partial_likelihood::PartialLikelihood;
use crate::hazard::risk_sets::RiskSets;
use crate::hazard::row_curve::RowCurve;
use crate::hazard::timeline::reserve;
use crate::numeric::linear::RankedCholesky;
use crate::numeric::sum::Sum;
use crate::survival::curve::FittedCurve;
use crate::{Interrupt, Result};

/// Most numbers that the path of means may take.
pub(super) const PATH_LIMIT: usize = 200_000;
/// Linear predictors beyond this make a survival of 0 (or 1) to the last bit, and would make infinities.
const LINEAR_PREDICTOR_LIMIT: f64 = 300.0;
/// Loadings are squared; where they are larger nothing is known of the row.
pub(super) const LOADING_LIMIT: f64 = 1e140;

/// The cumulative hazard Λ of the row at the covariates' means (over all strata) and with an offset of 0, a step function
/// that rises at each event time of the stratum.
///
/// For a row `x` with linear predictor η the cumulative hazard is e^η Λ(t) and its variance
/// e^2η (variance(t) + c' V c), where V is the coefficients' covariance and c = path(t) − (x − means) Λ(t).
///
/// The path is held at every step as long as steps × covariates ≤ 200 000 / number of strata; beyond that at so many
/// evenly spaced steps, the last one always among them, and between these it is taken as linear in Λ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Distinct event times, rising.
    pub times: Vec<f64>,
    /// Λ just after each of the times.
    pub cumulative_hazard: Vec<f64>,
    /// Variance of Λ at each of the times as if the coefficients were known (the martingale part).
    pub variance: Vec<f64>,
    /// ∫ (mean of x over those at risk, weighted by their hazards, − means) dΛ up to each knot: knots × p, row-major.
    pub path: Vec<f64>,
    /// The latest exit of the stratum: the data say nothing beyond it.
    pub max_followup: f64,
}

impl Baseline {
    /// Reads the baselines of all strata off the risk sets at the coefficients `beta` (scaled).
    pub(super) fn of_strata(
        sets: &RiskSets,
        likelihood: &mut PartialLikelihood,
        beta: &[f64],
        interrupt: Interrupt,
    ) -> Result<Vec<Baseline>> {
        let p = sets.covariates;
        let strata = sets.strata.len() - 1;
        let mut baselines = Vec::new();
        reserve(&mut baselines, strata)?;
        for (stratum, followup) in sets.strata.windows(2).zip(&sets.max_followup) {
            baselines.push(Baseline::with_room(stratum[1] - stratum[0], p, strata, *followup)?);
        }
        let (mut next, mut step, mut knot, mut steps, mut knots) = (0, 0, 0, 0, 0);
        let shift = likelihood.at_event_times(beta, interrupt, |set, increment| {
            if set.group.opens_stratum {
                while sets.strata[next + 1] == sets.strata[next] {
                    next += 1;
                }
                steps = sets.strata[next + 1] - sets.strata[next];
                knots = baselines[next].path.len() / p;
                (step, knot) = (steps, knots);
                next += 1;
            }
            step -= 1;
            while knot > 1 && knot_step(knot - 2, knots, steps) >= step {
                knot -= 1;
            }
            let baseline = &mut baselines[next - 1];
            baseline.times.push(set.group.time);
            baseline.cumulative_hazard.push(increment.hazard);
            baseline.variance.push(increment.square);
            let part = &mut baseline.path[knot.saturating_sub(1) * p..];
            let sums = set.total_x.as_flattened().iter().zip(set.deaths_x.as_flattened());
            for (part, (total, deaths)) in part.iter_mut().take(p).zip(sums) {
                *part += increment.square * total - increment.square_spared * deaths;
            }
        })?;
        for (baseline, centre) in baselines.iter_mut().zip(&sets.offset_centres) {
            baseline.cumulate(shift + centre, &sets.scales);
        }
        Ok(baselines)
    }

    fn with_room(steps: usize, p: usize, strata: usize, max_followup: f64) -> Result<Baseline> {
        let (mut times, mut cumulative_hazard, mut variance) = (Vec::new(), Vec::new(), Vec::new());
        reserve(&mut times, steps)?;
        reserve(&mut cumulative_hazard, steps)?;
        reserve(&mut variance, steps)?;
        let path = vec![0.0; knots(steps, p, strata) * p];
        Ok(Baseline { times, cumulative_hazard, variance, path, max_followup })
    }

    /// Turns increments in falling order of time and in units of e^−shift into what rises with time.
    fn cumulate(&mut self, shift: f64, scales: &[f64]) {
        self.times.reverse();
        cumulate_reversed(&mut self.cumulative_hazard, (-shift).exp());
        cumulate_reversed(&mut self.variance, (-2.0 * shift).exp());
        for (i, scale) in scales.iter().enumerate() {
            let unit = if *scale == 0.0 { 0.0 } else { (-shift).exp() / scale };
            let mut sum = Sum::default();
            for part in self.path.iter_mut().skip(i).step_by(scales.len()) {
                sum.add(*part * unit);
                *part = sum.total();
            }
        }
    }

    /// Λ(t): right-continuous, 0 before the first event; beyond the latest exit it goes on with its average hazard,
    /// the exponential tail of Brown, Hollander & Korwar (1974).
    pub fn cumulative_hazard(&self, t: f64) -> f64 {
        // The start, which most questions are asked from, needs no search.
        if self.times.first().is_none_or(|first| t < *first) && t <= self.max_followup {
            return 0.0;
        }
        let step = self.times.partition_point(|time| *time <= t).checked_sub(1);
        let hazard = step.and_then(|step| self.cumulative_hazard.get(step)).copied().unwrap_or(0.0);
        if t > self.max_followup && self.max_followup > 0.0 { hazard * (t / self.max_followup) } else { hazard }
    }

    /// Λ(given + horizon) − Λ(given).
    pub fn change(&self, given: f64, horizon: f64) -> f64 {
        self.cumulative_hazard(given + horizon) - self.cumulative_hazard(given)
    }

    /// H(t | x) = e^η Λ(t) of a row with the linear predictor `eta` (see [`CoxFit::linear_predictor`]).
    pub fn cumulative_hazard_of(&self, t: f64, eta: f64) -> f64 {
        (bounded(eta).exp() * self.cumulative_hazard(t)).min(f64::MAX)
    }

    pub(crate) fn is_valid(&self, p: usize, strata: usize) -> bool {
        let rises = |values: &[f64]| values.windows(2).all(|pair| pair[0] <= pair[1]);
        let finite = |values: &[f64]| values.iter().all(|value| value.is_finite() && *value >= 0.0);
        let steps = self.times.len();
        self.cumulative_hazard.len() == steps
            && self.variance.len() == steps
            && self.path.len() == knots(steps, p, strata) * p
            && self.path.iter().all(|value| value.is_finite())
            && self.times.windows(2).all(|pair| pair[0] < pair[1])
            && [&self.times, &self.cumulative_hazard, &self.variance]
                .iter()
                .all(|values| finite(values) && rises(values))
            && self.max_followup.is_finite()
            && self.times.last().is_none_or(|last| *last <= self.max_followup)
    }

    /// Calls `visit` with each step, Λ and the path there.
    pub(super) fn walk(&self, p: usize, mut visit: impl FnMut(usize, f64, &[f64])) {
        let steps = self.times.len();
        let knots = self.path.len() / p.max(1);
        let (mut knot, mut hazard_before) = (0, 0.0);
        let (mut path_before, mut path_now) = (vec![0.0; p], vec![0.0; p]);
        for (step, hazard) in self.cumulative_hazard.iter().enumerate() {
            while knot + 1 < knots && knot_step(knot, knots, steps) < step {
                let at = knot_step(knot, knots, steps);
                hazard_before = self.cumulative_hazard[at];
                path_before.copy_from_slice(&self.path[knot * p..(knot + 1) * p]);
                knot += 1;
            }
            let Some(path) = self.path.get(knot * p..(knot + 1) * p) else { return };
            let end = self.cumulative_hazard.get(knot_step(knot, knots, steps)).copied().unwrap_or(*hazard);
            let width = end - hazard_before;
            let share = if width > 0.0 { ((hazard - hazard_before) / width).min(1.0) } else { 1.0 };
            for ((now, before), after) in path_now.iter_mut().zip(&path_before).zip(path) {
                *now = if share == 1.0 { *after } else { before + share * (after - before) };
            }
            visit(step, *hazard, &path_now);
        }
    }

    /// The path at one step, as [`Baseline::walk`] has it.
    pub(super) fn path_at(&self, step: usize, path_now: &mut [f64]) {
        let (p, steps) = (path_now.len(), self.times.len());
        let knots = self.path.len() / p.max(1);
        if knots == 0 {
            return;
        }
        // The first knot that is not before the step.
        let knot = ((step + 1) * knots).div_ceil(steps).clamp(1, knots) - 1;
        let hazard = self.cumulative_hazard[step];
        let path = &self.path[knot * p..(knot + 1) * p];
        let before =
            knot.checked_sub(1).map(|before| (knot_step(before, knots, steps), &self.path[before * p..knot * p]));
        let hazard_before = before.map_or(0.0, |(step, _)| self.cumulative_hazard[step]);
        let width = self.cumulative_hazard[knot_step(knot, knots, steps)] - hazard_before;
        let share = if width > 0.0 { ((hazard - hazard_before) / width).min(1.0) } else { 1.0 };
        for (i, (now, after)) in path_now.iter_mut().zip(path).enumerate() {
            let before = before.map_or(0.0, |(_, path)| path[i]);
            *now = if share == 1.0 { *after } else { before + share * (after - before) };
        }
    }
}

impl CoxFit {
    /// The factor of the covariance of the coefficients that they enter a curve's uncertainty with: the robust one where
    /// there is one, as R's `survfit.coxph` has it, unless there are too few clusters for it to have full rank.
    fn uncertainty_factor(&self) -> RankedCholesky {
        let p = self.coefficients.len();
        let mut columns: Vec<usize> = (0..p).filter(|&i| self.coefficients[i].is_some()).collect();
        if self.penalty.selects() {
            columns.clear();
        }
        let robust = self.robust.as_ref().and_then(|robust| robust.factor(p, &columns));
        robust.unwrap_or_else(|| RankedCholesky::of_columns(&self.covariance, p, columns))
    }

    /// The survival curve of the row `x`, p finite covariates, over a baseline of this fit.
    ///
    /// Its uncertainty is in two parts: what the steps contribute one by one, and what the coefficients contribute to
    /// all of them together, as loadings e^η L'c with V = L L'. With a penalty that selects there is none.
    pub fn curve(&self, baseline: &Baseline, x: &[f64]) -> FittedCurve {
        self.row_curve(baseline, x).whole()
    }

    /// The same, of which as much is made as is asked for.
    pub(crate) fn row_curve<'a>(&self, baseline: &'a Baseline, x: &[f64]) -> RowCurve<'a> {
        let centred = self.means.iter().zip(x).map(|(mean, x)| x - mean).collect();
        let curve = RowCurve::new(baseline, self.linear_predictor(x));
        let curve = curve.with_coefficients(&self.uncertainty_factor(), centred);
        // Without the coefficients' part the uncertainty is not known.
        if self.penalty.selects() { curve } else { curve.varied() }
    }
}

pub(crate) fn bounded(eta: f64) -> f64 {
    eta.clamp(-LINEAR_PREDICTOR_LIMIT, LINEAR_PREDICTOR_LIMIT)
}

/// The number of steps at which the path is held.
fn knots(steps: usize, p: usize, strata: usize) -> usize {
    steps.min((PATH_LIMIT / p.max(1) / strata.max(1)).max(1))
}

/// The step at which the `knot`-th of `knots` knots lies: every step when there are as many knots as steps.
pub(super) fn knot_step(knot: usize, knots: usize, steps: usize) -> usize {
    ((knot + 1) * steps / knots).saturating_sub(1)
}

/// Turns increments in falling order of time into running sums in rising order, times `unit`.
fn cumulate_reversed(increments: &mut [f64], unit: f64) {
    increments.reverse();
    let mut sum = Sum::default();
    for increment in increments {
        sum.add(*increment * unit);
        *increment = sum.total();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knots_are_evenly_spaced_and_end_at_the_last_step() {
        let at = |knots, steps| (0..knots).map(|knot| knot_step(knot, knots, steps)).collect::<Vec<_>>();
        assert_eq!(at(3, 10), [2, 5, 9]);
        assert_eq!(at(4, 4), [0, 1, 2, 3]);
        assert_eq!(knots(1_000_000, 10, 1), 20_000);
        assert_eq!(knots(5, 300_000, 1), 1);
        assert_eq!(knots(0, 3, 1), 0);
        assert_eq!(knots(1_000, 10, 50_000), 1);
    }

    #[test]
    fn the_path_at_one_step_is_that_of_the_walk() {
        for steps in 1..40_usize {
            for knots in 1..=steps {
                // Some steps without a rise.
                let cumulative_hazard = (0..steps).map(|step| (step / 3) as f64 * 0.37).collect();
                let path = (0..knots * 2).map(|i| (i as f64 * 1.7).sin()).collect();
                let times: Vec<f64> = (0..steps).map(|step| step as f64).collect();
                let baseline = Baseline { variance: times.clone(), times, path, max_followup: 40.0, cumulative_hazard };
                baseline.walk(2, |step, _, path| {
                    let mut alone = [f64::NAN; 2];
                    baseline.path_at(step, &mut alone);
                    assert_eq!(alone, path, "step {step} of {steps}, {knots} knots");
                });
            }
        }
    }

    #[test]
    fn between_knots_the_path_is_linear_in_the_hazard() {
        let cumulative_hazard: Vec<f64> = (1..=10).map(|step| f64::from(step).sqrt()).collect();
        // Two covariates whose paths are 3Λ and −Λ, held at steps 2, 5 and 9 only.
        let path =
            [2, 5, 9].into_iter().flat_map(|step: usize| [3.0, -1.0].map(|slope| slope * cumulative_hazard[step]));
        let path = path.collect();
        let times: Vec<f64> = (1..=10).map(f64::from).collect();
        let baseline = Baseline { times, variance: vec![0.0; 10], path, max_followup: 10.0, cumulative_hazard };
        let mut steps = 0;
        baseline.walk(2, |step, hazard, path| {
            assert_eq!((step, hazard), (steps, baseline.cumulative_hazard[step]));
            assert!((path[0] - 3.0 * hazard).abs() < 1e-14 && (path[1] + hazard).abs() < 1e-14);
            let mut alone = [0.0; 2];
            baseline.path_at(step, &mut alone);
            assert_eq!(alone, path);
            steps += 1;
        });
        assert_eq!(steps, 10);
    }
}
