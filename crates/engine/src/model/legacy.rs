//! Models as version 1 stored them: Cox models without strata and penalties.

use serde::Deserialize;

use crate::Result;
use crate::hazard::cox::{CoxFit, Status, Ties};
use crate::hazard::{Baseline, Penalty};
use crate::model::cohorts::Cohorts;
use crate::model::features::Feature;
use crate::model::{Fit, Model};

#[derive(Debug, Deserialize)]
pub struct Version1 {
    features: Vec<Feature>,
    fit: Fit1,
    skipped: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Fit1 {
    Cox(Box<Cox1>),
    KaplanMeier(Cohorts),
}

#[derive(Debug, Deserialize)]
struct Cox1 {
    ties: Ties,
    rows: usize,
    events: usize,
    weighted_events: f64,
    means: Vec<f64>,
    coefficients: Vec<Option<f64>>,
    covariance: Vec<f64>,
    log_likelihood_null: f64,
    log_likelihood: f64,
    score_test: f64,
    wald_test: f64,
    likelihood_ratio_test: f64,
    degrees_of_freedom: usize,
    iterations: usize,
    status: Status,
    baseline: Baseline,
}

impl Version1 {
    /// The same model in today's form.
    ///
    /// # Errors
    /// [`crate::Error::Malformed`] when its parts do not fit each other.
    pub fn into_model(self) -> Result<Model> {
        let fit = match self.fit {
            Fit1::KaplanMeier(cohorts) => Fit::KaplanMeier(cohorts),
            Fit1::Cox(fit) => Fit::Cox(Box::new(CoxFit {
                ties: fit.ties,
                penalty: Penalty::default(),
                rows: fit.rows,
                events: fit.events,
                weighted_events: fit.weighted_events,
                means: fit.means,
                coefficients: fit.coefficients,
                covariance: fit.covariance,
                robust: None,
                log_likelihood_null: fit.log_likelihood_null,
                log_likelihood: fit.log_likelihood,
                score_test: fit.score_test,
                wald_test: fit.wald_test,
                likelihood_ratio_test: fit.likelihood_ratio_test,
                degrees_of_freedom: fit.degrees_of_freedom,
                iterations: fit.iterations,
                status: fit.status,
                strata: Vec::new(),
                baselines: vec![fit.baseline],
            })),
        };
        let model = Model { features: self.features, fit, skipped: self.skipped, recalibration: None };
        model.validate()?;
        Ok(model)
    }
}
