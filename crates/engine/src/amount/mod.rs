//! Models of an amount given covariates: what a customer expands by, costs to serve, or leaves as margin.
//!
//! Generalised linear models (Nelder & Wedderburn 1972; McCullagh & Nelder 1989) of three families – normal errors with
//! the identity link, gamma and Tweedie (Jørgensen 1987) with the logarithm – and the two-part model of an amount that is
//! often none (Cragg 1971; Duan et al. 1983): the probability of any times what there is when there is some.

mod clusters;
mod expectation;
mod fit;
mod newton;
mod outcome;
mod rows;
pub mod tweedie;
mod two_part;

pub use expectation::{Expectation, pooled_degrees_of_freedom};
pub use fit::{AmountFit, Options, fit, fit_tweedie, fit_tweedie_with, fit_with};
pub use outcome::Outcomes;
pub use two_part::{TwoPartFit, fit_two_part};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How an amount varies about its mean μ: with variance φ μ^p / weight.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// p = 0 with the identity link: any amount.
    Linear,
    /// p = 2 with the log link: amounts greater than 0.
    Gamma,
    /// 1 < p < 2 with the log link: amounts of at least 0, some of them exactly 0 – a Poisson number of gammas.
    Tweedie { power: f64 },
}

impl Family {
    /// p of the variance.
    pub fn power(self) -> f64 {
        match self {
            Family::Linear => 0.0,
            Family::Gamma => 2.0,
            Family::Tweedie { power } => power,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Family::Linear => "linear",
            Family::Gamma => "gamma",
            Family::Tweedie { .. } => "tweedie",
        }
    }

    pub fn has_log_link(self) -> bool {
        self != Family::Linear
    }

    /// The mean at a linear predictor.
    pub fn mean(self, eta: f64) -> f64 {
        if self.has_log_link() { eta.exp() } else { eta }
    }

    /// # Errors
    /// [`Error::Invalid`] for a Tweedie power outside (1, 2).
    pub fn validate(self) -> Result<()> {
        match self {
            Family::Tweedie { power } if !(power > 1.0 && power < 2.0) => Err(Error::invalid(
                format!("the power of a Tweedie model must be greater than 1 and less than 2, got {power}"),
                "The variance is proportional to the mean to this power. Leave it NULL to have it estimated; 2 is fit_gamma.",
            )),
            _ => Ok(()),
        }
    }

    /// # Errors
    /// [`Error::Invalid`] for an amount that this family cannot have.
    pub(crate) fn check(self, amount: f64) -> Result<()> {
        match self {
            Family::Gamma if amount <= 0.0 => Err(Error::invalid(
                format!("a gamma model needs amounts greater than 0, got {amount}"),
                "For amounts that are sometimes 0 use fit_two_part or fit_tweedie, for negative ones fit_linear.",
            )),
            Family::Tweedie { .. } if amount < 0.0 => Err(Error::invalid(
                format!("a Tweedie model needs amounts of at least 0, got {amount}"),
                "For amounts that may be negative use fit_linear.",
            )),
            _ => Ok(()),
        }
    }

    /// What a row adds to the deviance: twice what the log-likelihood lacks of that of μ = y, times φ.
    pub(crate) fn deviance(self, y: f64, mean: f64) -> f64 {
        match self {
            Family::Linear => (y - mean) * (y - mean),
            Family::Gamma => {
                let excess = (y - mean) / mean;
                // The difference is for amounts near their mean; far below it only the logarithms tell it from -1.
                let log_ratio = if excess.abs() < 0.5 { excess.ln_1p() } else { y.ln() - mean.ln() };
                2.0 * (excess - log_ratio)
            }
            Family::Tweedie { power: p } => {
                let own = if y > 0.0 { y.powf(2.0 - p) / ((1.0 - p) * (2.0 - p)) } else { 0.0 };
                let deviance = own - y * mean.powf(1.0 - p) / (1.0 - p) + mean.powf(2.0 - p) / (2.0 - p);
                2.0 * deviance.max(0.0)
            }
        }
    }
}
