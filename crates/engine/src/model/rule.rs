//! A rule: a churn rate that somebody wrote down, as a model that others are compared with and fallen back to.

use crate::hazard::cox::Status;
use crate::hazard::parametric::ParametricFit;
use crate::model::features::{Feature, Kind};
use crate::model::{Fit, Model};
use crate::survival::distribution::Distribution;
use crate::{Error, Result};

/// What is said of months holds for fifty years: beyond that a curve counts as one in another unit.
const HOLDS_FOR: f64 = 600.0;

impl Model {
    /// Everybody leaves at the same rate: the share `churn` of those who are there leaves in each unit of time.
    ///
    /// # Errors
    /// [`Error::Invalid`] unless 0 < `churn` < 1.
    pub fn rule(churn: f64) -> Result<Model> {
        made(Vec::new(), &[("", churn)])
    }

    /// Each level of the column `by` has a churn of its own; a level that is not named is unseen.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no level, a level named twice, and a churn outside (0, 1).
    pub fn rule_by(by: &str, mut churn: Vec<(String, f64)>) -> Result<Model> {
        churn.sort_by(|a, b| a.0.cmp(&b.0));
        if let Some(twice) = churn.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(Error::invalid(format!("the rule names \"{}\" twice", twice[0].0), "One churn per level."));
        }
        if churn.is_empty() || by.is_empty() || by.contains('\0') {
            return Err(Error::invalid("the rule names no level", r#"As {"by": "plan", "churn": {"basic": 0.05}}."#));
        }
        let levels = churn.iter().map(|(level, _)| level.clone()).collect();
        let feature = Feature { name: by.into(), kind: Kind::Category { levels } };
        let churn: Vec<(&str, f64)> = churn.iter().map(|(level, churn)| (level.as_str(), *churn)).collect();
        made(vec![feature], &churn)
    }
}

/// An exponential model whose coefficients are given and known for sure: log mean lifetimes, the first the reference.
fn made(features: Vec<Feature>, churn: &[(&str, f64)]) -> Result<Model> {
    let mut levels = Vec::with_capacity(churn.len());
    for (level, churn) in churn {
        if !(*churn > 0.0 && *churn < 1.0) {
            let whose = if level.is_empty() { String::new() } else { format!(" of \"{level}\"") };
            return Err(Error::invalid(
                format!("the churn{whose} must be greater than 0 and less than 1, got {churn}"),
                "The share of the customers that leaves in a unit of time, a month say: 0.03 is three percent.",
            ));
        }
        levels.push(-(-(-churn).ln_1p()).ln());
    }
    let covariates = levels.len() - 1;
    let reference = levels[0];
    let others = levels[1..].iter().map(|level| Some(level - reference));
    let fit = ParametricFit {
        distribution: Distribution::Exponential,
        location: (0..covariates).collect(),
        ancillary: Vec::new(),
        rows: 0,
        events: 0,
        // As if each level were met as often.
        means: vec![1.0 / levels.len() as f64; covariates],
        coefficients: std::iter::once(Some(reference)).chain(others).collect(),
        covariance: vec![0.0; levels.len() * levels.len()],
        log_likelihood_null: 0.0,
        log_likelihood: 0.0,
        parameters: 0,
        iterations: 0,
        status: Status::Converged,
        max_followup: HOLDS_FOR,
        cure: None,
        clustered: None,
    };
    let model = Model { features, fit: Fit::Rule(Box::new(fit)), skipped: 0, recalibration: None };
    model
        .validate()
        .map_err(|error| Error::invalid(format!("this is no rule: {error}"), "Name columns and levels."))?;
    Ok(model)
}
