//! What the covariates of a fit are called, and with them the columns that a row must have to be scored.

use crate::boost::{BoostedHazardFit, BoostedValueFit};
use crate::hazard::cox::CoxFit;
use crate::hazard::discrete::DiscreteFit;
use crate::hazard::fine_gray::FineGrayFit;
use crate::hazard::parametric::ParametricFit;
use crate::model::features::{Feature, Kind};
use crate::model::{Fit, Model};
use crate::{Error, Result};

/// The column of the stratum where it has no other name.
pub const STRATUM: &str = "stratum";

/// The covariates under their names, in their order, or x1, x2, … where they have none; then the stratum, if there is one.
///
/// # Errors
/// [`Error::Invalid`] unless there is one name per covariate and all, the stratum's among them, are distinct and not
/// empty: a row is searched for them.
pub fn features(names: Option<&[Option<String>]>, covariates: usize, stratum: Option<&str>) -> Result<Vec<Feature>> {
    let unnamed: Vec<Option<String>>;
    let names = match names {
        Some(names) => names,
        None => {
            unnamed = (1..=covariates).map(|i| Some(format!("x{i}"))).collect();
            &unnamed
        }
    };
    one_each(names.len(), covariates)?;
    let mut features: Vec<Feature> = Vec::with_capacity(names.len() + 1);
    let mut known = std::collections::BTreeSet::new();
    let kinds = names.iter().map(|name| (name.as_deref().unwrap_or_default(), Kind::Numeric));
    for (name, kind) in kinds.chain(stratum.map(|name| (name, Kind::Stratum))) {
        if name.is_empty() || name.contains('\0') {
            return Err(Error::invalid(
                "a name is missing or empty",
                "Name each covariate as the column that holds it.",
            ));
        }
        if !known.insert(name) {
            return Err(Error::invalid(
                format!("the name \"{name}\" is given twice"),
                "predict finds each covariate, and the stratum, in a column of its own.",
            ));
        }
        features.push(Feature { name: name.into(), kind });
    }
    Ok(features)
}

/// # Errors
/// [`Error::Invalid`] unless there are as many names as covariates.
pub fn one_each(names: usize, covariates: usize) -> Result<()> {
    if names == covariates {
        return Ok(());
    }
    Err(Error::invalid(
        format!("{names} names for {covariates} covariates"),
        "Name each element of the array of covariates, in its order.",
    ))
}

impl Model {
    /// A model whose covariates have no names but x1, x2, …, and whose stratum, if it has strata, is called `stratum`.
    pub fn unnamed(fit: impl Into<Fit>, skipped: u64) -> Model {
        let fit = fit.into();
        let stratum = matches!(&fit, Fit::Cox(fit) if !fit.strata.is_empty()).then_some(STRATUM);
        // Names that are made here are as many as needed, and distinct.
        let features = features(None, fit.covariates(), stratum).unwrap_or_default();
        Model { features, fit, skipped, recalibration: None }
    }
}

impl Fit {
    /// How many numbers of a row the fit sees; cohorts see none.
    pub fn covariates(&self) -> usize {
        match self {
            Fit::Cox(fit) => fit.coefficients.len(),
            Fit::Renewal(fit) | Fit::DiscreteTime(fit) => fit.coefficients.len(),
            Fit::FineGray(fit) => fit.coefficients.len(),
            Fit::Parametric(fit) | Fit::Rule(fit) => fit.covariates(),
            Fit::BoostedHazard(fit) => fit.gains.len(),
            Fit::BoostedValue(fit) => fit.gains.len(),
            Fit::Amount(fit) => fit.coefficients.len(),
            Fit::TwoPart(fit) => fit.occurrence.coefficients.len(),
            Fit::KaplanMeier(_) | Fit::Contractual(_) | Fit::Transactional(_) | Fit::Hybrid(_) => 0,
            Fit::Segmented(segmented) => segmented.pooled.fit.covariates(),
        }
    }

    /// Of a fit of one decision per row.
    pub fn renewal(fit: DiscreteFit) -> Fit {
        Fit::Renewal(Box::new(fit))
    }

    /// Of a fit of a hazard per period.
    pub fn discrete_time(fit: DiscreteFit) -> Fit {
        Fit::DiscreteTime(Box::new(fit))
    }
}

impl From<CoxFit> for Fit {
    fn from(fit: CoxFit) -> Fit {
        Fit::Cox(Box::new(fit))
    }
}

impl From<FineGrayFit> for Fit {
    fn from(fit: FineGrayFit) -> Fit {
        Fit::FineGray(Box::new(fit))
    }
}

impl From<ParametricFit> for Fit {
    fn from(fit: ParametricFit) -> Fit {
        Fit::Parametric(Box::new(fit))
    }
}

impl From<BoostedHazardFit> for Fit {
    fn from(fit: BoostedHazardFit) -> Fit {
        Fit::BoostedHazard(Box::new(fit))
    }
}

impl From<BoostedValueFit> for Fit {
    fn from(fit: BoostedValueFit) -> Fit {
        Fit::BoostedValue(Box::new(fit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<Option<String>> {
        names.iter().map(|name| Some((*name).to_owned())).collect()
    }

    #[test]
    fn covariates_have_their_names_or_numbers() {
        let called = |features: Vec<Feature>| features.into_iter().map(|f| f.name).collect::<Vec<_>>().join(" ");
        assert_eq!(called(features(None, 2, Some("plan")).unwrap()), "x1 x2 plan");
        assert_eq!(called(features(Some(&names(&["b", "a"])), 2, None).unwrap()), "b a");
        assert_eq!(called(features(None, 0, None).unwrap()), "");
    }

    #[test]
    fn names_that_no_row_could_have_are_refused() {
        let refused = |given: &[Option<String>], covariates, stratum, message: &str| match features(
            Some(given),
            covariates,
            stratum,
        ) {
            Err(Error::Invalid { message: said, .. }) => assert_eq!(said, message),
            other => panic!("{other:?}"),
        };
        refused(&names(&["a"]), 2, None, "1 names for 2 covariates");
        refused(&names(&["a", "a"]), 2, None, "the name \"a\" is given twice");
        refused(&names(&["a"]), 1, Some("a"), "the name \"a\" is given twice");
        refused(&names(&["a", ""]), 2, None, "a name is missing or empty");
        refused(&[None], 1, None, "a name is missing or empty");
        refused(&names(&["a\0b"]), 1, None, "a name is missing or empty");
        refused(&names(&["a"]), 1, Some(""), "a name is missing or empty");
    }
}
