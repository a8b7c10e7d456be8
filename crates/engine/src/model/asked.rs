//! What a row's curve is asked, of which only as much is made as the question reads.
//!
//! A curve over a baseline may have a step for each event of the training rows, and all its uncertainty costs p² operations
//! a step: too much for every row that is scored. All answers are those of [`Subject::view`], to the last bit.

use crate::Result;
use crate::hazard::row_curve::RowCurve;
use crate::model::subject::{Outlook, Subject};
use crate::survival::curve::Steps;
use crate::survival::kaplan_meier::{Transform, critical_value, interval};
use crate::survival::{CurveView, RecalibrationMap};
use crate::value::Terms;
use crate::value::uncertainty::steps_read;

impl Subject<'_> {
    /// The row's curve where it is a multiple of a baseline, and the map that it is seen through.
    fn over_baseline(&self) -> Option<(RowCurve<'_>, Option<&RecalibrationMap>)> {
        Some(match self {
            Subject::Cox { fit, baseline, covariates, .. } => (fit.row_curve(baseline, covariates), None),
            Subject::Subdistribution { fit, covariates, .. } => (fit.row_curve(covariates), None),
            Subject::BoostedHazard { fit, linear_predictor, .. } => (fit.row_curve(*linear_predictor), None),
            Subject::Recalibrated { map, inner } => match inner.over_baseline()? {
                (curve, None) => (curve, Some(map)),
                _ => return None,
            },
            _ => return None,
        })
    }

    /// Looks at the row's curve, of which nothing is asked but how many are left.
    pub fn view_survival<R>(&self, look: impl FnOnce(CurveView<'_>) -> R) -> R {
        self.view_steps(|_| Vec::new(), look)
    }

    /// Looks at the row's curve for a valuation under these terms.
    pub fn view_for_value<R>(&self, terms: &Terms, look: impl FnOnce(CurveView<'_>) -> R) -> R {
        self.view_steps(|steps| steps_read(steps, terms), look)
    }

    /// Looks at the row's curve, of which the loadings of the `wanted` steps alone are asked for: those of others may be 0.
    fn view_steps<R>(&self, wanted: impl FnOnce(&Steps) -> Vec<usize>, look: impl FnOnce(CurveView<'_>) -> R) -> R {
        let Some((curve, map)) = self.over_baseline() else { return self.view(look) };
        let fitted = curve.without_loadings();
        let own = if map.is_some() { fitted.variance.clone() } else { Vec::new() };
        let mut steps = match map {
            Some(map) => fitted.recalibrated(map).into_steps(),
            None => fitted.into_steps(),
        };
        let wanted = wanted(&steps);
        let rank = curve.rank();
        if rank > 0 && !wanted.is_empty() {
            // Zeros of the system's: what is not written costs nothing.
            let mut loadings = vec![0.0; steps.times.len() * rank];
            for (step, of_step) in wanted.iter().zip(curve.loadings_at(&wanted).chunks_exact_mut(rank)) {
                if let Some(map) = map {
                    let at = |variance: &[f64]| variance.get(*step).copied().unwrap_or(0.0);
                    map.scale_loadings(curve.hazard_at(*step), at(&own), at(&steps.variance), of_step);
                }
                loadings[step * rank..(step + 1) * rank].copy_from_slice(of_step);
            }
            (steps.rank, steps.loadings) = (rank, loadings);
        }
        look(CurveView::Steps(&steps))
    }

    /// Where the data of the row's curve end, and whether it has come down to 0 by then.
    pub fn end(&self) -> (f64, bool) {
        match self.over_baseline() {
            Some((curve, None)) => {
                let end = curve.thinned(&[]);
                (end.max_followup, CurveView::Steps(&end).is_over())
            }
            _ => self.view_survival(|curve| (curve.max_followup(), curve.is_over())),
        }
    }

    /// All that `predict` tells.
    pub fn outlook(&self, given: f64, horizon: f64, level: f64) -> Result<Outlook> {
        let z = critical_value(level)?;
        let renewal_probability = self.renewal_probability(given, horizon)?;
        let linear_predictor = self.linear_predictor();
        let until = given + horizon;
        let tell = |curve: CurveView, limits: Option<(f64, f64)>, lifetime: &dyn Fn() -> Option<f64>| Outlook {
            renewal_probability,
            lower: limits.map(|(lower, _)| lower),
            upper: limits.map(|(_, upper)| upper),
            expected_lifetime: match self.no_lifetime() {
                None => lifetime(),
                Some(_) => None,
            },
            linear_predictor,
            extrapolated: until > curve.max_followup() && !curve.is_over(),
        };
        let limits = |curve: CurveView| limits(renewal_probability?, log_variance(curve, given, until)?, z);
        if let Subject::Recalibrated { map, inner } = self {
            let limits = inner.recalibrated_limits(map, given, horizon, z)?;
            return Ok(self.view_survival(|curve| tell(curve, limits, &|| curve.mean_residual_life(given))));
        }
        if let Some((curve, None)) = self.over_baseline() {
            let thinned = curve.thinned(&[given, until]);
            let view = CurveView::Steps(&thinned);
            return Ok(tell(view, limits(view), &|| curve.mean_residual_life(given)));
        }
        Ok(self.view(|curve| tell(curve, limits(curve), &|| curve.mean_residual_life(given))))
    }

    /// The limits of the renewal probability of a row without a recalibration.
    pub(super) fn limits_between(&self, given: f64, horizon: f64, z: f64) -> Result<Option<(f64, f64)>> {
        let Some(probability) = self.renewal_probability(given, horizon)? else { return Ok(None) };
        let until = given + horizon;
        let variance = match self.over_baseline() {
            Some((curve, None)) => log_variance(CurveView::Steps(&curve.thinned(&[given, until])), given, until),
            _ => self.view(|curve| log_variance(curve, given, until)),
        };
        Ok(variance.and_then(|variance| limits(probability, variance, z)))
    }
}

/// An estimate of no error at all – nobody was seen to leave, or nothing was estimated – says nothing of it.
fn log_variance(curve: CurveView, given: f64, until: f64) -> Option<f64> {
    curve.log_variance_between(given, until).filter(|variance| *variance > 0.0)
}

/// The log-log interval of a conditional survival.
fn limits(probability: f64, log_variance: f64, z: f64) -> Option<(f64, f64)> {
    let limits = interval(probability, Some(log_variance), z, Transform::LogLog);
    limits.lower.zip(limits.upper)
}
