//! What a fit charges for large coefficients.
//!
//! Maximised is log L(β) − strength · ((1 − l1_ratio)/2 Σ β² + l1_ratio Σ |β|), over coefficients in the units of the
//! covariates: Hoerl & Kennard (1970) for the squares (ridge; R's `ridge(…, theta = strength, scale = FALSE)`), Tibshirani
//! (1997), *The lasso method for variable selection in the Cox model*, Statistics in Medicine 16, for the absolute
//! values, Zou & Hastie (2005) for both (elastic net; glmnet's `lambda` is strength / rows, with `standardize = FALSE`).

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Penalty {
    /// 0 for none.
    pub strength: f64,
    /// The share of the absolute values, from 0 (ridge) to 1 (lasso).
    pub l1_ratio: f64,
}

/// Of a fit whose penalty is on coefficients per standard deviation.
///
/// # Errors
/// [`Error::Invalid`] unless it is finite and not negative.
pub fn check_ridge(penalty: f64) -> Result<()> {
    if (0.0..f64::INFINITY).contains(&penalty) {
        return Ok(());
    }
    Err(Error::invalid(
        format!("the penalty must be finite and not negative, got {penalty}"),
        "It is half the factor of the sum of the squared coefficients per standard deviation; 0 is none.",
    ))
}

impl Penalty {
    /// # Errors
    /// [`Error::Invalid`] unless `strength` is finite and not negative and `l1_ratio` in [0, 1].
    pub fn new(strength: f64, l1_ratio: f64) -> Result<Penalty> {
        if !(0.0..f64::INFINITY).contains(&strength) {
            return Err(Error::invalid(
                format!("the penalty must be finite and not negative, got {strength}"),
                "0 is no penalty; 1 takes half the squared coefficients off the log-likelihood.",
            ));
        }
        if !(0.0..=1.0).contains(&l1_ratio) {
            return Err(Error::invalid(
                format!("l1_ratio must be between 0 and 1, got {l1_ratio}"),
                "0 is ridge, 1 the lasso, anything between the elastic net.",
            ));
        }
        Ok(Penalty { strength, l1_ratio })
    }

    pub fn is_none(&self) -> bool {
        self.strength == 0.0
    }

    /// Whether coefficients may be exactly 0, and have no standard errors.
    pub fn selects(&self) -> bool {
        self.strength * self.l1_ratio > 0.0
    }

    /// The factor of β²/2 for each scaled coefficient: with β = scale × scaled β.
    pub(super) fn squares(&self, scales: &[f64]) -> Vec<f64> {
        scales.iter().map(|scale| self.strength * (1.0 - self.l1_ratio) * scale * scale).collect()
    }

    /// The factor of |β| for each scaled coefficient.
    pub(super) fn absolutes(&self, scales: &[f64]) -> Vec<f64> {
        scales.iter().map(|scale| self.strength * self.l1_ratio * scale).collect()
    }

    /// What is taken off the log-likelihood at these coefficients.
    pub fn of(&self, coefficients: impl IntoIterator<Item = f64>) -> f64 {
        let (mut squares, mut absolutes) = (0.0, 0.0);
        for beta in coefficients {
            squares += beta * beta;
            absolutes += beta.abs();
        }
        self.strength * ((1.0 - self.l1_ratio) / 2.0 * squares + self.l1_ratio * absolutes)
    }
}
