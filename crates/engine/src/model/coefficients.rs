//! What a model's coefficients say, and the numbers that tell models of the same rows apart.

use crate::Result;
use crate::hazard::cox::Status;
use crate::hazard::parametric::ParametricFit;
use crate::hazard::sandwich::errors;
use crate::model::contractual::{contractual_coefficients, contractual_quality};
use crate::model::{Fit, Model, amount, transactional};
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
    /// Estimate over standard error; a t where a dispersion was estimated.
    pub z: Option<f64>,
    pub p_value: Option<f64>,
    pub hazard_ratio: Option<f64>,
    /// Limits of the hazard ratio.
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

impl Coefficient {
    /// From the model's own and the robust standard error; an error that is 0 or none counts as unknown. `is_ratio` when
    /// e to the estimate is a ratio of hazards or odds.
    pub(super) fn new(
        term: String,
        estimate: Option<f64>,
        [by_the_model, robust]: [Option<f64>; 2],
        critical: f64,
        is_ratio: bool,
    ) -> Coefficient {
        let finite = |value: f64| value.is_finite().then_some(value);
        let known = |error: Option<f64>| estimate.and(error).and_then(finite).filter(|error| *error > 0.0);
        let (std_error, robust_std_error) = (known(by_the_model), known(robust));
        let both = estimate.zip(robust_std_error.or(std_error));
        let z = both.map(|(estimate, error)| estimate / error);
        let ratio = |value: f64| finite(value.exp()).filter(|_| is_ratio);
        Coefficient {
            term,
            estimate,
            std_error,
            robust_std_error,
            z,
            p_value: z.map(normal::two_sided_p_value),
            hazard_ratio: estimate.and_then(ratio),
            lower: both.and_then(|(estimate, error)| ratio(estimate - critical * error)),
            upper: both.and_then(|(estimate, error)| ratio(estimate + critical * error)),
        }
    }
}

impl Model {
    /// The coefficients in the order of the terms; `None` for a model that has none.
    pub fn coefficients(&self, level: f64) -> Result<Option<Vec<Coefficient>>> {
        if matches!(self.fit, Fit::KaplanMeier(_) | Fit::BoostedHazard(_) | Fit::BoostedValue(_)) {
            return Ok(None);
        }
        let critical = critical_value(level)?;
        let (coefficients, covariance, robust) = match &self.fit {
            Fit::Cox(fit) => (&fit.coefficients, &fit.covariance, fit.robust.as_ref().map(|robust| &robust.covariance)),
            Fit::FineGray(fit) => (&fit.coefficients, &fit.naive_covariance, Some(&fit.covariance)),
            Fit::Renewal(fit) | Fit::DiscreteTime(fit) => return Ok(Some(self.discrete_coefficients(fit, critical))),
            Fit::Parametric(fit) | Fit::Rule(fit) => {
                return Ok(Some(self.parametric_coefficients(fit, critical)));
            }
            Fit::Contractual(fit) => return Ok(Some(contractual_coefficients(fit, critical))),
            Fit::Transactional(fit) => return Ok(Some(transactional::coefficients(fit, critical))),
            Fit::Segmented(segmented) => return segmented.coefficients(level),
            Fit::Amount(fit) => return Ok(Some(amount::coefficients(fit, &self.terms(), level))),
            Fit::TwoPart(fit) => return Ok(Some(amount::two_part_coefficients(self, fit, level))),
            Fit::KaplanMeier(_) | Fit::BoostedHazard(_) | Fit::BoostedValue(_) | Fit::Hybrid(_) => return Ok(None),
        };
        let diagonal = coefficients.len() + 1;
        let error = |covariance: &Vec<f64>, i: usize| covariance.get(i * diagonal).map(|variance| variance.sqrt());
        let rows = self.terms().into_iter().enumerate().map(|(i, term)| {
            let errors = [error(covariance, i), robust.and_then(|robust| error(robust, i))];
            Coefficient::new(term, coefficients[i], errors, critical, true)
        });
        Ok(Some(rows.collect()))
    }

    /// The intercept first, then the covariates on the location, then each ancillary parameter (its covariates as
    /// `parameter: covariate`). A ratio of hazards only where the coefficients mean one.
    fn parametric_coefficients(&self, fit: &ParametricFit, critical: f64) -> Vec<Coefficient> {
        let (terms, parameters) = (self.terms(), fit.distribution.parameter_names());
        let diagonal = fit.coefficients.len() + 1;
        let row = |(i, (parameter, covariate)): (usize, (usize, Option<usize>))| {
            let term = match covariate {
                None => parameters[parameter].clone(),
                Some(covariate) if parameter == 0 => terms[covariate].clone(),
                Some(covariate) => format!("{}: {}", parameters[parameter], terms[covariate]),
            };
            let is_ratio = parameter == 0 && covariate.is_some() && fit.distribution.has_proportional_hazards();
            let error = fit.covariance[i * diagonal].sqrt();
            let errors = errors(fit.clustered.as_ref(), i, Some(error));
            Coefficient::new(term, fit.coefficients[i], errors, critical, is_ratio)
        };
        fit.columns().into_iter().enumerate().map(row).collect()
    }

    /// What tells models of the same rows apart; `None` for one without a likelihood.
    pub fn quality(&self) -> Option<Quality> {
        if let Fit::Contractual(fit) = &self.fit {
            return Some(contractual_quality(fit));
        }
        let (log_likelihood, parameters, rows, events, status) = match &self.fit {
            Fit::Cox(fit) => (fit.log_likelihood, fit.degrees_of_freedom, fit.rows, fit.events, &fit.status),
            Fit::Parametric(fit) => (fit.log_likelihood, fit.parameters, fit.rows, fit.events, &fit.status),
            Fit::Renewal(fit) | Fit::DiscreteTime(fit) => {
                let parameters = fit.degrees_of_freedom + fit.baseline_degrees_of_freedom;
                (fit.log_likelihood, parameters, fit.rows, fit.events, &fit.status)
            }
            Fit::FineGray(fit) => (fit.log_likelihood, fit.degrees_of_freedom, fit.rows, fit.events, &fit.status),
            Fit::Transactional(fit) => return Some(transactional::quality(fit)),
            Fit::BoostedHazard(fit) => {
                // Trees have no number of parameters that a criterion could count.
                let known = fit.events > 0;
                return Some(Quality {
                    log_likelihood: known.then_some(fit.log_likelihood),
                    parameters: fit.trees.leaves(),
                    aic: None,
                    bic: None,
                    rows: fit.rows,
                    events: fit.events,
                });
            }
            Fit::Amount(_) | Fit::TwoPart(_) | Fit::BoostedValue(_) => return amount::quality(self),
            // The likelihoods of the segments are of different rows: ask each.
            Fit::Segmented(segmented) => {
                let own = segmented.segments.iter().filter_map(|segment| segment.model()?.quality());
                let pooled = segmented.pooled.quality()?;
                let parameters = own.map(|own| own.parameters).sum::<usize>() + pooled.parameters;
                return Some(Quality { log_likelihood: None, parameters, aic: None, bic: None, ..pooled });
            }
            Fit::KaplanMeier(_) | Fit::Contractual(_) | Fit::Rule(_) | Fit::Hybrid(_) => return None,
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
