//! The fitted model as an ordinary value: named features, the fit, and what it says of one row.
//!
//! A score depends on the model and the row only.

pub mod amount;
pub mod amount_explain;
mod asked;
mod boosted;
mod clusters;
pub mod codec;
pub mod coefficients;
pub mod cohorts;
mod contractual;
mod discrete;
pub mod errors;
pub mod expected_events;
pub mod explain;
pub mod features;
mod horizon;
pub mod hybrid;
pub mod hybrid_explain;
pub mod inference;
pub mod legacy;
mod levels;
pub mod naming;
pub mod origin;
mod recalibrated;
mod row;
mod rule;
pub mod scoring;
pub mod segments;
pub mod shrinkage;
pub mod subject;
pub mod transactional;

use serde::{Deserialize, Serialize};

use crate::amount::{AmountFit, TwoPartFit};
use crate::boost::{BoostedHazardFit, BoostedValueFit};
use crate::btyd::ContractualFit;
use crate::btyd::fit::TransactionalFit;
use crate::hazard::cox::CoxFit;
use crate::hazard::discrete::DiscreteFit;
use crate::hazard::fine_gray::FineGrayFit;
use crate::hazard::parametric::ParametricFit;
use crate::survival::RecalibrationMap;
use crate::{Error, Result};
use cohorts::Cohorts;
use features::{Feature, Kind};
use hybrid::HybridFit;
use segments::Segmented;

/// What was fitted. Every kind but the transactional, models of amounts and the hybrid yields a curve for a row: of its
/// survival, or of one less the incidence of one cause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    Cox(Box<CoxFit>),
    KaplanMeier(Cohorts),
    /// One decision per row; the event of the fit is the renewal.
    Renewal(Box<DiscreteFit>),
    DiscreteTime(Box<DiscreteFit>),
    FineGray(Box<FineGrayFit>),
    Parametric(Box<ParametricFit>),
    /// Counts of renewals, without features.
    Contractual(Box<ContractualFit>),
    /// Purchases, or their value, of customers who are never known to have left.
    Transactional(Box<TransactionalFit>),
    /// A hazard by trees; a row may lack any of its features.
    BoostedHazard(Box<BoostedHazardFit>),
    /// A model per segment, and one of all rows for those that have none.
    Segmented(Box<Segmented>),
    /// An amount given features.
    Amount(Box<AmountFit>),
    /// Whether there is an amount, and how much.
    TwoPart(Box<TwoPartFit>),
    /// Rates that were written down, not fitted.
    Rule(Box<ParametricFit>),
    /// A value made of what other models say.
    Hybrid(Box<HybridFit>),
    /// An amount by trees; a row may lack any of its features.
    BoostedValue(Box<BoostedValueFit>),
}

/// A fitted model (`ltv.model`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    pub features: Vec<Feature>,
    pub fit: Fit,
    /// Rows that training left out because a value was NULL.
    pub skipped: u64,
    /// What its curves are seen through. Stored beside the rest (`codec`), as earlier formats know nothing of it.
    #[serde(skip)]
    pub recalibration: Option<RecalibrationMap>,
}

impl Model {
    pub fn algorithm(&self) -> &'static str {
        match &self.fit {
            Fit::Cox(_) => "cox",
            Fit::KaplanMeier(_) => "kaplan_meier",
            Fit::Renewal(_) => "renewal",
            Fit::DiscreteTime(_) => "discrete_time",
            Fit::FineGray(_) => "fine_gray",
            Fit::Parametric(fit) => fit.distribution.algorithm(),
            Fit::Contractual(fit) => fit.algorithm(),
            Fit::Transactional(fit) => fit.kind.name(),
            Fit::BoostedHazard(_) => "boosted_hazard",
            Fit::Segmented(segmented) => segmented.pooled.algorithm(),
            Fit::Amount(fit) => fit.family.name(),
            Fit::TwoPart(_) => "two_part",
            Fit::Rule(_) => "rule",
            Fit::Hybrid(_) => "hybrid",
            Fit::BoostedValue(_) => "boosted_value",
        }
    }

    /// The names of the columns that the fit sees.
    pub fn terms(&self) -> Vec<String> {
        self.features.iter().flat_map(Feature::terms).collect()
    }

    /// # Errors
    /// [`Error::Malformed`] when the parts do not fit each other: what stored or received values are checked for.
    pub fn validate(&self) -> Result<()> {
        if let Some(map) = &self.recalibration {
            map.validate()?;
            if let Some((message, _)) = self.no_recalibration() {
                return Err(Error::malformed(message));
            }
        }
        self.features.iter().try_for_each(Feature::validate)?;
        let columns: usize = self.features.iter().map(Feature::columns).sum();
        // Cohorts see no columns, and segments look to their own models.
        let counted = !matches!(self.fit, Fit::KaplanMeier(_) | Fit::Segmented(_) | Fit::Hybrid(_));
        if counted && columns != self.fit.covariates() {
            return Err(Error::malformed("the model's features and coefficients differ in number"));
        }
        match &self.fit {
            Fit::Cox(fit) => {
                let strata = self.features.iter().filter(|feature| feature.kind == Kind::Stratum).count();
                if strata != usize::from(!fit.strata.is_empty()) {
                    return Err(Error::malformed("a model with strata needs one feature that tells the stratum"));
                }
                fit.validate()
            }
            Fit::KaplanMeier(_) if self.features.iter().any(|feature| feature.kind == Kind::Stratum) => {
                Err(Error::malformed("a Kaplan–Meier model has cohorts, not strata"))
            }
            Fit::KaplanMeier(cohorts) => cohorts.validate(self.features.len()),
            Fit::Renewal(fit) | Fit::DiscreteTime(fit) => self.validate_discrete(fit),
            Fit::FineGray(fit) => fit.validate(),
            Fit::Parametric(fit) | Fit::Rule(fit) => fit.validate(),
            Fit::Contractual(fit) => fit.validate(),
            Fit::Transactional(fit) => fit.validate(),
            Fit::BoostedHazard(_) | Fit::BoostedValue(_)
                if self.features.iter().any(|feature| feature.kind == Kind::Stratum) =>
            {
                Err(Error::malformed("a boosted model has no strata"))
            }
            Fit::BoostedHazard(fit) => fit.validate(),
            Fit::BoostedValue(fit) => fit.validate(),
            Fit::Segmented(segmented) => segmented.validate(&self.features),
            Fit::Amount(fit) => fit.validate(),
            Fit::TwoPart(fit) => fit.validate(),
            Fit::Hybrid(fit) => fit.validate(&self.features),
        }
    }

    /// The value with other features over the same fit: how `train` gives `fit_cox`'s covariates their names.
    pub fn with_features(mut self, features: Vec<Feature>) -> Result<Model> {
        self.features = features;
        self.validate()?;
        Ok(self)
    }
}
