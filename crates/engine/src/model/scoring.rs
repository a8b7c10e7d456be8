//! Row after row through one model: the short way for rows that are numbers, and what one question has in common for all.

use crate::hazard::Baseline;
use crate::hazard::cox::Status;
use crate::model::features::Kind;
use crate::model::subject::Subject;
use crate::model::{Fit, Model};
use crate::survival::curve::bad_time;
use crate::{Error, Result};

/// What rows that are asked the same question have in common: by how much the baseline's hazard rises meanwhile. It
/// belongs to one model as long as that stays where it is.
#[derive(Debug, Clone, Default)]
pub struct Window {
    asked: Option<Asked>,
    change: f64,
}

/// From when, for how long, and of which baseline of the model.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Asked {
    given: u64,
    horizon: u64,
    baseline: usize,
}

/// What one number of a row adds to the linear predictor: as much as it is beyond the mean, times the coefficient.
#[derive(Debug, Clone, Copy)]
pub struct Term {
    mean: f64,
    coefficient: f64,
}

impl Term {
    /// What `number` adds to the linear predictor.
    #[inline(always)]
    pub fn of(&self, number: f64) -> f64 {
        (number - self.mean) * self.coefficient
    }
}

/// The shortest way through a model all of whose rows share one baseline: a row is told by its linear predictor alone.
#[derive(Debug, Clone)]
pub struct Proportional {
    /// One for each feature.
    pub terms: Vec<Term>,
}

impl Proportional {
    /// `None` for a model that this is no way through.
    pub fn of(model: &Model) -> Option<Proportional> {
        let Fit::Cox(fit) = &model.fit else { return None };
        let has_one_curve = fit.status != Status::NoEvents && fit.strata.is_empty() && model.recalibration.is_none();
        let fits = model.is_of_numbers() && model.features.len() == fit.coefficients.len();
        let terms = fit.means.iter().zip(&fit.coefficients);
        let terms = terms.map(|(mean, coefficient)| Term { mean: *mean, coefficient: coefficient.unwrap_or(0.0) });
        (has_one_curve && fits).then(|| Proportional { terms: terms.collect() })
    }

    /// [`Subject::renewal_probability_in`] of a row of `model` with this linear predictor. `None` where that is no number:
    /// [`Model::subject`] says why.
    ///
    /// # Errors
    /// As [`Subject::renewal_probability`].
    #[inline]
    pub fn renewal_probability_in(
        model: &Model,
        linear_predictor: f64,
        given: f64,
        horizon: f64,
        window: &mut Window,
    ) -> Result<Option<f64>> {
        match &model.fit {
            // A number that is not finite leaves its mark on every sum.
            Fit::Cox(fit) if linear_predictor.is_finite() => match fit.baselines.first() {
                Some(baseline) => Ok(Some(lasting(window.change(baseline, given, horizon)?, linear_predictor))),
                None => Ok(None),
            },
            _ => Ok(None),
        }
    }
}

impl Window {
    /// By how much the hazard of `baseline` rises meanwhile, found once for rows that are asked the same.
    #[inline(always)]
    fn change(&mut self, baseline: &Baseline, given: f64, horizon: f64) -> Result<f64> {
        let baseline_at = std::ptr::from_ref(baseline).addr();
        let asked = Asked { given: given.to_bits(), horizon: horizon.to_bits(), baseline: baseline_at };
        if self.asked != Some(asked) {
            check_window(given, horizon)?;
            *self = Window { asked: Some(asked), change: baseline.change(given, horizon) };
        }
        Ok(self.change)
    }
}

impl Model {
    /// Whether each feature is one number as it is, so that [`Model::subject_of_numbers`] may have an answer.
    pub fn is_of_numbers(&self) -> bool {
        let numbers = self.features.iter().all(|feature| matches!(feature.kind, Kind::Numeric | Kind::Boolean));
        numbers && matches!(self.fit, Fit::Cox(_) | Fit::Renewal(_) | Fit::DiscreteTime(_))
    }

    /// [`Model::subject`] of a row of numbers in the order of the features, by a model that [is of such](Self::is_of_numbers).
    /// `None` where the row may have no score: [`Model::subject`] says why.
    #[inline]
    pub fn subject_of_numbers<'a>(&'a self, numbers: &'a [f64]) -> Option<Subject<'a>> {
        if numbers.iter().fold(false, |bad, number| bad | !number.is_finite()) {
            return None;
        }
        let subject = match &self.fit {
            Fit::Cox(fit) if fit.status != Status::NoEvents && fit.strata.is_empty() => Subject::Cox {
                fit,
                baseline: fit.baselines.first()?,
                covariates: numbers,
                linear_predictor: fit.linear_predictor(numbers),
            },
            Fit::Renewal(fit) if fit.decision(0.0).is_some() => {
                Subject::Renewal { fit, covariates: numbers, linear_predictor: fit.linear_predictor(numbers) }
            }
            Fit::DiscreteTime(fit) if fit.status != Status::NoEvents => {
                Subject::DiscreteTime { fit, covariates: numbers, linear_predictor: fit.linear_predictor(numbers) }
            }
            _ => return None,
        };
        Some(match &self.recalibration {
            None => subject,
            Some(map) => subject.recalibrated(map),
        })
    }
}

impl Subject<'_> {
    /// [`Subject::renewal_probability`] where the same question is asked of many rows: the search for the times in a
    /// baseline, which takes longer than the rest, is made once.
    ///
    /// # Errors
    /// As [`Subject::renewal_probability`].
    #[inline]
    pub fn renewal_probability_in(&self, given: f64, horizon: f64, window: &mut Window) -> Result<Option<f64>> {
        let (baseline, linear_predictor) = match self {
            Subject::Cox { baseline, linear_predictor, .. } => (*baseline, *linear_predictor),
            Subject::BoostedHazard { fit, linear_predictor, .. } => (&fit.baseline, *linear_predictor),
            _ => return self.renewal_probability(given, horizon),
        };
        Ok(Some(lasting(window.change(baseline, given, horizon)?, linear_predictor)))
    }
}

/// P(T > given + horizon | T > given) under a hazard that is the baseline's times e^η.
#[inline]
pub(super) fn proportional(baseline: &Baseline, linear_predictor: f64, given: f64, horizon: f64) -> f64 {
    lasting(baseline.change(given, horizon), linear_predictor)
}

/// The same where the baseline rises by `change`.
#[inline]
pub(super) fn lasting(change: f64, linear_predictor: f64) -> f64 {
    // No hazard is none however high the risk: 0 times an overflowed e^η must not be NaN.
    if change > 0.0 { (-change * linear_predictor.exp()).exp() } else { 1.0 }
}

pub(super) fn check_window(given: f64, horizon: f64) -> Result<()> {
    if !(0.0..f64::INFINITY).contains(&given) {
        return Err(bad_time("given", given));
    }
    if !(horizon > 0.0 && horizon < f64::INFINITY) {
        return Err(Error::invalid(
            format!("the horizon must be finite and greater than 0, got {horizon}"),
            "It is in the unit of the durations the model was trained on.",
        ));
    }
    Ok(())
}
