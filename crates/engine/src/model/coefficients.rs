//! What a model's coefficients say, and the numbers that tell models of the same rows apart.

use crate::Result;
use crate::hazard::cox::Status;
use crate::hazard::parametric::ParametricFit;
use crate::model::{Fit, Model};
use crate::numeric::normal;
use crate::survival::kaplan_meier::critical_value;

/// One row of `coefficients(model)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Coefficient {
    pub term: String,
    /// `None` for a column that the others determine.
    pub estimate: Option<f64>,
    /// By the model.
    pub std_error: Option<f64>,
    /// By the robust covariance, where the model has one; all that follows is then made from it.
    pub robust_std_error: Option<f64>,
    pub z: Option<f64>,
    pub p_value: Option<f64>,
    pub hazard_ratio: Option<f64>,
    /// Limits of the hazard ratio.
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

impl Model {
    /// The coefficients in the order of the terms; `None` for a model that has none.
    pub fn coefficients(&self, level: f64) -> Result<Option<Vec<Coefficient>>> {
        let (coefficients, covariance, robust) = match &self.fit {
            Fit::Cox(fit) => (&fit.coefficients, &fit.covariance, fit.robust.as_ref().map(|robust| &robust.covariance)),
            Fit::FineGray(fit) => (&fit.coefficients, &fit.naive_covariance, Some(&fit.covariance)),
            Fit::Renewal(fit) | Fit::DiscreteTime(fit) => return self.discrete_coefficients(fit, level).map(Some),
            Fit::Parametric(fit) => return self.parametric_coefficients(fit, level).map(Some),
            Fit::KaplanMeier(_) => return Ok(None),
        };
        let critical = critical_value(level)?;
        let columns = coefficients.len();
        let finite = |value: f64| value.is_finite().then_some(value);
        let rows = self.terms().into_iter().enumerate().map(|(i, term)| {
            let estimate = coefficients[i];
            let error = |covariance: &Vec<f64>| {
                estimate.and_then(|_| finite(covariance.get(i * columns + i)?.sqrt())).filter(|se| *se > 0.0)
            };
            let by_the_model = error(covariance);
            let robust_std_error = robust.and_then(error);
            let std_error = robust_std_error.or(by_the_model);
            let z = estimate.zip(std_error).map(|(estimate, se)| estimate / se);
            let limit = |sign: f64| {
                estimate.zip(std_error).and_then(|(estimate, se)| finite((estimate + sign * critical * se).exp()))
            };
            Coefficient {
                term,
                estimate,
                std_error: by_the_model,
                robust_std_error,
                z,
                p_value: z.map(normal::two_sided_p_value),
                hazard_ratio: estimate.and_then(|estimate| finite(estimate.exp())),
                lower: limit(-1.0),
                upper: limit(1.0),
            }
        });
        Ok(Some(rows.collect()))
    }
}

impl Model {
    /// The intercept first, then the covariates on the location, then each ancillary parameter (its covariates as
    /// `parameter: covariate`). A ratio of hazards only where the coefficients mean one.
    fn parametric_coefficients(&self, fit: &ParametricFit, level: f64) -> Result<Vec<Coefficient>> {
        let critical = critical_value(level)?;
        let (terms, parameters) = (self.terms(), fit.distribution.parameter_names());
        let size = fit.coefficients.len();
        let finite = |value: f64| value.is_finite().then_some(value);
        let rows = fit.columns().into_iter().enumerate().map(|(i, (parameter, covariate))| {
            let term = match covariate {
                None => parameters[parameter].clone(),
                Some(covariate) if parameter == 0 => terms[covariate].clone(),
                Some(covariate) => format!("{}: {}", parameters[parameter], terms[covariate]),
            };
            let estimate = fit.coefficients[i];
            let std_error = estimate.and_then(|_| finite(fit.covariance[i * size + i].sqrt())).filter(|se| *se > 0.0);
            let z = estimate.zip(std_error).map(|(estimate, se)| estimate / se);
            let is_ratio = parameter == 0 && covariate.is_some() && fit.distribution.has_proportional_hazards();
            let limit = |sign: f64| {
                let (estimate, se) = estimate.zip(std_error)?;
                finite((estimate + sign * critical * se).exp()).filter(|_| is_ratio)
            };
            Coefficient {
                term,
                estimate,
                std_error,
                robust_std_error: None,
                z,
                p_value: z.map(normal::two_sided_p_value),
                hazard_ratio: estimate.and_then(|estimate| finite(estimate.exp())).filter(|_| is_ratio),
                lower: limit(-1.0),
                upper: limit(1.0),
            }
        });
        Ok(rows.collect())
    }

    /// What tells models of the same rows apart; `None` for one without a likelihood.
    pub fn quality(&self) -> Option<Quality> {
        let (log_likelihood, parameters, rows, events, status) = match &self.fit {
            Fit::Cox(fit) => (fit.log_likelihood, fit.degrees_of_freedom, fit.rows, fit.events, &fit.status),
            Fit::Parametric(fit) => (fit.log_likelihood, fit.parameters, fit.rows, fit.events, &fit.status),
            Fit::Renewal(fit) | Fit::DiscreteTime(fit) => {
                let parameters = fit.degrees_of_freedom + fit.baseline_degrees_of_freedom;
                (fit.log_likelihood, parameters, fit.rows, fit.events, &fit.status)
            }
            Fit::FineGray(fit) => (fit.log_likelihood, fit.degrees_of_freedom, fit.rows, fit.events, &fit.status),
            Fit::KaplanMeier(_) => return None,
        };
        let known = *status != Status::NoEvents;
        let penalised = |penalty: f64| known.then_some(penalty * parameters as f64 - 2.0 * log_likelihood);
        // A partial likelihood counts the events, a full one the rows.
        let size = if matches!(self.fit, Fit::Cox(_) | Fit::FineGray(_)) { events } else { rows };
        Some(Quality {
            log_likelihood: known.then_some(log_likelihood),
            parameters,
            aic: penalised(2.0),
            bic: penalised((size as f64).ln()),
            rows,
            events,
        })
    }
}

/// Log-likelihood and the criteria made of it: AIC = 2k − 2 ln L (Akaike 1974), BIC = k ln n − 2 ln L (Schwarz 1978) with
/// n the rows, for a Cox model the events (Volinsky & Raftery 2000).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    pub log_likelihood: Option<f64>,
    pub parameters: usize,
    pub aic: Option<f64>,
    pub bic: Option<f64>,
    pub rows: usize,
    pub events: usize,
}
