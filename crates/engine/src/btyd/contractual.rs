//! The fitted shifted-beta-geometric (Fader & Hardie 2007) and beta-discrete-Weibull (Fader, Hardie, Liu, Davin &
//! Steenburgh 2018): see [`periodic`](crate::survival::periodic) for what they say of a customer.

use serde::{Deserialize, Serialize};

use crate::btyd::renewals::Renewals;
use crate::survival::periodic::Prospect;
use crate::survival::{Distribution, ParametricCurve};
use crate::{Error, Result};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    BetaGeometric,
    BetaDiscreteWeibull,
}

impl Family {
    pub fn parameters(self) -> usize {
        match self {
            Family::BetaGeometric => 2,
            Family::BetaDiscreteWeibull => 3,
        }
    }

    pub fn distribution(self, period: f64) -> Distribution {
        match self {
            Family::BetaGeometric => Distribution::BetaGeometric { period },
            Family::BetaDiscreteWeibull => Distribution::BetaDiscreteWeibull { period },
        }
    }
}

/// How a fit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Converged,
    NotConverged,
    /// Nobody left: there is nothing to fit.
    NoChurn,
    /// Nobody renewed.
    NobodyRenews,
    /// Fewer renewals were seen than there are parameters.
    TooFewRenewals,
    /// α + β runs to infinity: the customers do not differ.
    Homogeneous,
    /// α + β runs to 0: customers either leave at the first renewal or never.
    Polarised,
    /// The shape c runs to an end of what is looked at.
    ShapeRunsOff,
}

/// A fitted model of renewals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContractualFit {
    pub family: Family,
    /// The length of a period, in the unit in which predictions are asked.
    pub period: f64,
    pub renewals: Renewals,
    /// (ln α, ln β[, ln c]); empty where there is no curve. Where α + β runs off they give the limiting curve.
    pub parameters: Vec<f64>,
    /// Theirs, row-major, from the observed information; of rank one less for each that runs off. Empty when unknown.
    pub covariance: Vec<f64>,
    pub log_likelihood: f64,
    /// Estimated numbers that do not run off.
    pub estimated: usize,
    pub iterations: usize,
    pub status: Status,
}

impl ContractualFit {
    /// Whether it says anything of a customer.
    pub fn has_curve(&self) -> bool {
        !self.parameters.is_empty()
    }

    pub fn algorithm(&self) -> &'static str {
        self.family.distribution(self.period).algorithm()
    }

    /// The curve of a customer at the start.
    pub fn curve(&self) -> ParametricCurve {
        ParametricCurve { covariance: self.covariance.clone(), ..self.bare_curve() }
    }

    /// As [`ContractualFit::curve`] without the covariance.
    pub fn bare_curve(&self) -> ParametricCurve {
        ParametricCurve {
            distribution: self.family.distribution(self.period),
            parameters: self.parameters.clone(),
            covariance: Vec::new(),
            max_followup: self.renewals.at_risk.len() as f64 * self.period,
            given: 0.0,
        }
    }

    /// A customer who has made so many renewals; `None` where there is no curve.
    pub fn prospect(&self, made: f64) -> Option<Prospect<'_>> {
        self.has_curve().then_some(Prospect { parameters: &self.parameters, made })
    }

    /// Whether the curve may be believed: that of a limit too, which the data speak for.
    pub fn is_trustworthy(&self) -> bool {
        matches!(self.status, Status::Converged | Status::Homogeneous | Status::Polarised)
    }

    /// The names of the parameters.
    pub fn terms(&self) -> &'static [&'static str] {
        match self.family {
            Family::BetaGeometric => &["alpha", "beta"],
            Family::BetaDiscreteWeibull => &["alpha", "beta", "c"],
        }
    }

    /// The logarithm of a parameter and its standard error; `None` where it runs off or there is none.
    pub fn log_estimate(&self, place: usize) -> Option<(f64, Option<f64>)> {
        let runs_off = match self.status {
            Status::Homogeneous | Status::Polarised => place < 2,
            Status::ShapeRunsOff => true,
            _ => false,
        };
        let value = self.parameters.get(place).filter(|_| !runs_off)?;
        let variance = self.covariance.get(place * (self.parameters.len() + 1));
        Some((*value, variance.map(|variance| variance.sqrt())))
    }

    /// Whether the fit may be believed, in words; `ok` when nothing is wrong.
    pub fn remark(&self) -> String {
        let status = match self.status {
            Status::Converged => "",
            Status::NotConverged => "not converged",
            Status::NoChurn => "no churn: nobody left, so there is no curve",
            Status::NobodyRenews => "nobody renewed, so there is no curve",
            Status::TooFewRenewals if self.family == Family::BetaGeometric => {
                "one renewal seen: alpha and beta cannot be told apart"
            }
            Status::TooFewRenewals => "fewer than three renewals seen: alpha, beta and c cannot be told apart",
            Status::Homogeneous if self.family == Family::BetaGeometric => {
                "homogeneous: alpha and beta run to infinity, the customers do not differ, and all renew at one rate"
            }
            Status::Homogeneous => "homogeneous: alpha and beta run to infinity, the customers do not differ",
            Status::Polarised => "polarised: alpha and beta run to 0, who renews once never leaves",
            Status::ShapeRunsOff => "the shape c runs off: fit_sbg, or more renewals",
        };
        let moved = match self.renewals.moved {
            0.0 => String::new(),
            moved => format!(
                "{moved} left between renewals and count at the next: risks are too high where others were last seen between"
            ),
        };
        match (status.is_empty(), moved.is_empty()) {
            (true, true) => "ok".into(),
            (false, true) => status.into(),
            (true, false) => moved,
            (false, false) => format!("{status}; {moved}"),
        }
    }

    /// The same model with periods of another length.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a length that is none.
    pub fn with_period(mut self, period: f64) -> Result<ContractualFit> {
        self.family.distribution(period).validate()?;
        self.period = period;
        Ok(self)
    }

    /// Checks a fit that came from outside; every other function takes one that holds together for granted.
    ///
    /// # Errors
    /// [`Error::Malformed`] when its parts do not fit each other.
    pub fn validate(&self) -> Result<()> {
        self.renewals.validate()?;
        self.family.distribution(self.period).validate().map_err(|error| Error::malformed(error.to_string()))?;
        let without = matches!(self.status, Status::NoChurn | Status::NobodyRenews | Status::TooFewRenewals);
        let holds = self.log_likelihood.is_finite()
            && self.estimated <= self.family.parameters()
            && without != self.has_curve()
            && (self.has_curve() || self.covariance.is_empty());
        if !holds {
            return Err(Error::malformed("the parts of a model of renewals contradict each other"));
        }
        if self.has_curve() { self.curve().validate() } else { Ok(()) }
    }
}
