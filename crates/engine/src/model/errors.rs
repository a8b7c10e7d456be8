//! Which errors the rows of one model share.
//!
//! The coefficients of a model are off for all its rows at once. So is each step of a baseline for all rows of its
//! stratum – by as many times as their hazard is the baseline's –, and each cohort's curve for its rows alone.

use crate::model::subject::Subject;
use crate::numeric::whitened::whitened;
use crate::survival::CurveView;
use crate::value::exposure::Exposure;

/// Moves of a sum of money by independent sources of error, by what has these sources.
pub type Errors = Vec<(String, Vec<f64>)>;

/// The source of all coefficients together.
const COEFFICIENTS: &str = "coefficients";
const STEPS: &str = "steps";

/// The errors that an exposure comes to; `None` when they are unknown. An estimate without any error is none: nobody was
/// seen to leave, or nobody to stay.
pub fn known(exposure: Option<Exposure>, errors: impl FnOnce(Exposure) -> Errors) -> Option<Errors> {
    let exposure = exposure?;
    let certain = exposure == Exposure::Certain;
    let errors = errors(exposure);
    let sound = errors.iter().flat_map(|(_, moves)| moves).all(|value| value.is_finite());
    (sound && (certain || !errors.is_empty())).then_some(errors)
}

/// The errors of a curve that is a value of its own.
pub fn of_curve(curve: CurveView, exposure: Exposure) -> Errors {
    match (exposure, curve) {
        (Exposure::Certain, _) => Vec::new(),
        (Exposure::Steps { own, shared }, _) => by_part(STEPS.into(), own, shared),
        (Exposure::Parameters(gradient), CurveView::Smooth(curve)) => {
            by_part(String::new(), Vec::new(), whitened(&gradient, &curve.covariance))
        }
        (Exposure::Parameters(_), CurveView::Steps(_)) => Vec::new(),
    }
}

fn by_part(name: String, own: Vec<f64>, shared: Vec<f64>) -> Errors {
    let mut errors = vec![(name, own)];
    if !shared.is_empty() {
        errors.push((COEFFICIENTS.into(), shared));
    }
    errors.retain(|(_, moves)| moves.iter().any(|value| *value != 0.0));
    errors
}

impl Subject<'_> {
    /// The errors of a row's curve by the sources that it has in common with other rows of the model.
    pub fn errors(&self, exposure: Exposure) -> Errors {
        match (self, exposure) {
            (_, Exposure::Certain) => Vec::new(),
            // The same steps, parameters and directions, by what they do through the map.
            (Subject::Recalibrated { inner, .. }, exposure) => inner.errors(exposure),
            (Subject::Cox { fit, baseline, .. }, Exposure::Steps { own, shared }) => {
                let stratum = fit.baselines.iter().position(|other| std::ptr::eq(other, *baseline)).unwrap_or(0);
                by_part(format!("{STEPS} of stratum {stratum}"), own, shared)
            }
            (Subject::Cohort(cohort), Exposure::Steps { own, shared }) => {
                by_part(format!("{STEPS} of {:?}", cohort.levels), own, shared)
            }
            (Subject::Renewal { fit, covariates, .. }, Exposure::Steps { shared, .. }) => {
                // The row's one factor is a direction among the sources of the fit.
                let along = shared.iter().sum::<f64>();
                let moves: Vec<f64> = fit.renewal_direction(covariates).into_iter().map(|part| along * part).collect();
                by_part(STEPS.into(), Vec::new(), moves)
            }
            (_, Exposure::Steps { own, shared }) => by_part(STEPS.into(), own, shared),
            (Subject::Parametric { fit, covariates }, Exposure::Parameters(gradient)) => {
                let by_coefficient: Vec<f64> = fit
                    .columns()
                    .into_iter()
                    .map(|(parameter, covariate)| {
                        gradient[parameter] * covariate.map_or(1.0, |covariate| covariates[covariate])
                    })
                    .collect();
                by_part(String::new(), Vec::new(), whitened(&by_coefficient, &fit.covariance))
            }
            // One curve for all rows, and all its parameters are off together.
            (Subject::Contractual(fit), Exposure::Parameters(gradient)) => {
                by_part(String::new(), Vec::new(), whitened(&gradient, &fit.curve().covariance))
            }
            (_, Exposure::Parameters(_)) => Vec::new(),
        }
    }
}
