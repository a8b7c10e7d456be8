//! One row as a model sees it, and what the model says of it.

use crate::Result;
use crate::boost::BoostedHazardFit;
use crate::btyd::ContractualFit;
use crate::hazard::Baseline;
use crate::hazard::cox::{CoxFit, Status};
use crate::hazard::discrete::DiscreteFit;
use crate::hazard::fine_gray::FineGrayFit;
use crate::hazard::parametric::ParametricFit;
use crate::model::cohorts::Cohort;
use crate::model::scoring::{check_window, proportional};
use crate::survival::curve::bad_time;
use crate::survival::{CurveView, FittedCurve, RecalibrationMap, Survival};

/// A row that has a curve.
#[derive(Debug, Clone)]
pub enum Subject<'a> {
    Cox {
        fit: &'a CoxFit,
        baseline: &'a Baseline,
        covariates: &'a [f64],
        linear_predictor: f64,
    },
    Cohort(&'a Cohort),
    /// The event of the fit is the renewal.
    Renewal {
        fit: &'a DiscreteFit,
        covariates: &'a [f64],
        linear_predictor: f64,
    },
    DiscreteTime {
        fit: &'a DiscreteFit,
        covariates: &'a [f64],
        linear_predictor: f64,
    },
    /// What is told of is one less the incidence of one cause, from the start on.
    Subdistribution {
        fit: &'a FineGrayFit,
        covariates: &'a [f64],
        linear_predictor: f64,
    },
    Parametric {
        fit: &'a ParametricFit,
        covariates: &'a [f64],
    },
    Contractual(&'a ContractualFit),
    /// Any of the others, seen through a map of its probabilities.
    Recalibrated {
        map: &'a RecalibrationMap,
        inner: Box<Subject<'a>>,
    },
    /// A covariate that is NaN is missing.
    BoostedHazard {
        fit: &'a BoostedHazardFit,
        covariates: &'a [f64],
        linear_predictor: f64,
    },
}

/// What a model says of a row: what happens within `horizon` to a contract that has lasted `given`.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlook {
    pub renewal_probability: Option<f64>,
    /// Limits of the renewal probability: the uncertainty of the model, not of the outcome.
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    /// Mean remaining lifetime, the tail included; `None` when it has no end.
    pub expected_lifetime: Option<f64>,
    /// β'(x − mean x); `None` for a model without one.
    pub linear_predictor: Option<f64>,
    /// The window ends beyond what training observed.
    pub extrapolated: bool,
}

impl<'a> Subject<'a> {
    /// The numbers that the fit sees of the row; none for a cohort and for counts without features.
    pub fn covariates(&self) -> &'a [f64] {
        match self {
            Subject::Cox { covariates, .. }
            | Subject::Renewal { covariates, .. }
            | Subject::DiscreteTime { covariates, .. }
            | Subject::Subdistribution { covariates, .. }
            | Subject::Parametric { covariates, .. }
            | Subject::BoostedHazard { covariates, .. } => covariates,
            Subject::Cohort(_) | Subject::Contractual(_) => &[],
            Subject::Recalibrated { inner, .. } => inner.covariates(),
        }
    }

    /// The same with other covariates; a cohort, and counts without features, stay as they are.
    pub fn moved<'b>(&self, columns: &'b [f64]) -> Subject<'b>
    where
        'a: 'b,
    {
        match *self {
            Subject::Cox { fit, baseline, .. } => {
                Subject::Cox { fit, baseline, covariates: columns, linear_predictor: fit.linear_predictor(columns) }
            }
            Subject::Renewal { fit, .. } => {
                Subject::Renewal { fit, covariates: columns, linear_predictor: fit.linear_predictor(columns) }
            }
            Subject::DiscreteTime { fit, .. } => {
                Subject::DiscreteTime { fit, covariates: columns, linear_predictor: fit.linear_predictor(columns) }
            }
            Subject::Subdistribution { fit, .. } => {
                Subject::Subdistribution { fit, covariates: columns, linear_predictor: fit.linear_predictor(columns) }
            }
            Subject::BoostedHazard { fit, .. } => {
                Subject::BoostedHazard { fit, covariates: columns, linear_predictor: fit.linear_predictor(columns) }
            }
            Subject::Parametric { fit, .. } => Subject::Parametric { fit, covariates: columns },
            Subject::Cohort(cohort) => Subject::Cohort(cohort),
            Subject::Contractual(fit) => Subject::Contractual(fit),
            Subject::Recalibrated { map, ref inner } => inner.moved(columns).recalibrated(map),
        }
    }
}

impl Subject<'_> {
    /// Whether the fit came to an end: not one whose coefficients run to infinity or never settled.
    pub fn is_trustworthy(&self) -> bool {
        match self {
            Subject::Cox { fit, .. } => fit.status == Status::Converged,
            Subject::Parametric { fit, .. } => fit.status == Status::Converged,
            Subject::Cohort(_) => true,
            Subject::Contractual(fit) => fit.is_trustworthy(),
            Subject::Renewal { fit, .. } | Subject::DiscreteTime { fit, .. } => fit.status == Status::Converged,
            Subject::Subdistribution { fit, .. } => fit.status == Status::Converged,
            Subject::Recalibrated { inner, .. } => inner.is_trustworthy(),
            Subject::BoostedHazard { fit, .. } => fit.is_trustworthy(),
        }
    }

    /// Why the curve is none of how long a contract lasts; `None` when it is one.
    pub fn no_lifetime(&self) -> Option<&'static str> {
        match self {
            Subject::Subdistribution { .. } => Some("the model tells of one cause, not of how long a contract lasts"),
            Subject::Recalibrated { inner, .. } => inner.no_lifetime(),
            _ => None,
        }
    }

    /// Why there is no probability for a contract that has lasted `given` until `given` + `horizon`.
    pub fn undefined(&self, given: f64) -> &'static str {
        match self {
            Subject::Subdistribution { .. } if given > 0.0 => {
                "the model tells of contracts from their start: given must be 0"
            }
            Subject::Subdistribution { .. } => "beyond the observed time",
            Subject::Recalibrated { inner, .. } => inner.undefined(given),
            _ => "no curve at the given age",
        }
    }

    /// Looks at the row's curve.
    pub fn view<R>(&self, look: impl FnOnce(CurveView<'_>) -> R) -> R {
        match self {
            Subject::Parametric { fit, covariates } => look(CurveView::Smooth(&fit.curve(covariates))),
            Subject::Cohort(cohort) => look(CurveView::Steps(&cohort.curve)),
            Subject::Contractual(fit) => look(CurveView::Smooth(&fit.curve())),
            Subject::Cox { fit, baseline, covariates, .. } => look_at_steps(fit.curve(baseline, covariates), look),
            Subject::Renewal { fit, covariates, .. } => look_at_steps(fit.renewal_curve(covariates), look),
            Subject::DiscreteTime { fit, covariates, .. } => look_at_steps(fit.curve(covariates), look),
            Subject::Subdistribution { fit, covariates, .. } => look_at_steps(fit.curve(covariates), look),
            Subject::Recalibrated { map, inner } => look(inner.recalibrated_reading(map).view()),
            Subject::BoostedHazard { fit, linear_predictor, .. } => look_at_steps(fit.curve(*linear_predictor), look),
        }
    }

    /// The row's curve as a value of its own.
    pub fn survival(&self) -> Survival {
        Survival::Fitted(match self {
            Subject::Parametric { fit, covariates } => return Survival::Parametric(fit.curve(covariates)),
            Subject::Contractual(fit) => return Survival::Parametric(fit.curve()),
            Subject::Cox { fit, baseline, covariates, .. } => fit.curve(baseline, covariates),
            Subject::Renewal { fit, covariates, .. } => fit.renewal_curve(covariates),
            Subject::DiscreteTime { fit, covariates, .. } => fit.curve(covariates),
            Subject::Subdistribution { fit, covariates, .. } => fit.curve(covariates),
            Subject::Recalibrated { map, inner } => return inner.recalibrated_survival(map),
            Subject::BoostedHazard { fit, linear_predictor, .. } => fit.curve(*linear_predictor),
            Subject::Cohort(cohort) => FittedCurve {
                times: cohort.curve.times.clone(),
                cumulative_hazard: cohort.curve.survival.iter().map(|survival| -survival.ln() + 0.0).collect(),
                variance: cohort.curve.variance.clone(),
                rank: 0,
                loadings: Vec::new(),
                max_followup: cohort.curve.max_followup,
                tail: cohort.curve.tail,
                decisions: None,
            },
        })
    }

    /// P(T > given + horizon | T > given); `None` when nobody lasts until `given`. For a subdistribution: the probability
    /// not to have ended by its cause within `horizon`, from the start on; `None` for any other `given`, as those who
    /// have lasted are not known from those who ended by another cause, and beyond the observed time.
    #[inline]
    pub fn renewal_probability(&self, given: f64, horizon: f64) -> Result<Option<f64>> {
        check_window(given, horizon)?;
        match self {
            Subject::Cox { baseline, linear_predictor, .. } => {
                Ok(Some(proportional(baseline, *linear_predictor, given, horizon)))
            }
            Subject::BoostedHazard { fit, linear_predictor, .. } => {
                Ok(Some(proportional(&fit.baseline, *linear_predictor, given, horizon)))
            }
            Subject::Cohort(cohort) => cohort.curve.renewal_probability(given, given + horizon),
            Subject::Renewal { fit, linear_predictor, .. } => {
                let until = |t: f64| fit.renewal_hazard(t, *linear_predictor);
                Ok(Some((until(given) - until(given + horizon)).min(0.0).exp()))
            }
            Subject::DiscreteTime { fit, linear_predictor, .. } => {
                let until = |t: f64| fit.cumulative_hazard(t, *linear_predictor);
                let (before, after) = (until(given), until(given + horizon));
                // Nobody lasts beyond a period in which everybody left.
                Ok(before.is_finite().then(|| (before - after).min(0.0).exp()))
            }
            Subject::Subdistribution { fit, linear_predictor, .. } => {
                let incidence = if given > 0.0 { None } else { fit.incidence(horizon, *linear_predictor) };
                Ok(incidence.map(|incidence| 1.0 - incidence))
            }
            Subject::Contractual(fit) => fit.bare_curve().renewal_probability(given, given + horizon),
            Subject::Parametric { fit, covariates } => {
                fit.bare_curve(covariates).renewal_probability(given, given + horizon)
            }
            Subject::Recalibrated { map, inner } => inner.recalibrated_probability(map, given, horizon),
        }
    }

    /// P(never | T > given) by a cure model; `None` for a model that knows of no cured share.
    pub fn cured_share(&self, given: f64) -> Result<Option<f64>> {
        if !(0.0..f64::INFINITY).contains(&given) {
            return Err(bad_time("given", given));
        }
        Ok(match self {
            Subject::Parametric { fit, covariates } => fit.cured_share(covariates, given),
            Subject::Recalibrated { map, inner } => return inner.recalibrated_cured_share(map, given),
            _ => None,
        })
    }

    /// Of the model before any recalibration; `None` for one that has none.
    pub fn linear_predictor(&self) -> Option<f64> {
        match self {
            Subject::Cox { linear_predictor, .. }
            | Subject::Renewal { linear_predictor, .. }
            | Subject::DiscreteTime { linear_predictor, .. }
            | Subject::Subdistribution { linear_predictor, .. }
            | Subject::BoostedHazard { linear_predictor, .. } => Some(*linear_predictor),
            Subject::Parametric { fit, covariates } => Some(fit.linear_predictor(covariates)),
            Subject::Cohort(_) | Subject::Contractual(_) => None,
            Subject::Recalibrated { inner, .. } => inner.linear_predictor(),
        }
    }
}

fn look_at_steps<R>(curve: FittedCurve, look: impl FnOnce(CurveView<'_>) -> R) -> R {
    look(CurveView::Steps(&curve.into_steps()))
}
