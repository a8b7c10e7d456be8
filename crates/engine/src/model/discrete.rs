//! Models of renewal decisions as values: their terms, coefficients, and what is to be told of the fit.

use crate::hazard::discrete::DiscreteFit;
use crate::model::coefficients::Coefficient;
use crate::model::features::{Feature, Kind};
use crate::model::{Fit, Model};
use crate::numeric::normal;
use crate::survival::kaplan_meier::critical_value;
use crate::{Error, Result};

/// Periods that a status names one by one.
const NAMED: usize = 5;

impl Model {
    /// A model of decisions; its covariates are called `names`, or x1, x2, … where there are none.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the names are not one per covariate, distinct and not empty.
    pub fn of_decisions(fit: Fit, names: Option<Vec<String>>, skipped: u64) -> Result<Model> {
        let p = match &fit {
            Fit::Renewal(fit) | Fit::DiscreteTime(fit) => fit.coefficients.len(),
            _ => return Err(Error::malformed("the fit is not one of decisions")),
        };
        let names = names.unwrap_or_else(|| (1..=p).map(|i| format!("x{i}")).collect());
        if names.len() != p {
            return Err(Error::invalid(
                format!("{} names for {p} covariates", names.len()),
                "names => one text per element of the covariates, in their order.",
            ));
        }
        let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
        if distinct.len() < p || names.iter().any(|name| name.is_empty() || name.contains('\0')) {
            return Err(Error::invalid(
                "the names of the covariates must be distinct and not empty",
                "They are the columns that a row must have to be scored.",
            ));
        }
        let features = names.into_iter().map(|name| Feature { name, kind: Kind::Numeric }).collect();
        Ok(Model { features, fit, skipped })
    }

    pub(super) fn validate_discrete(&self, fit: &DiscreteFit) -> Result<()> {
        let columns: usize = self.features.iter().map(Feature::columns).sum();
        let single = matches!(self.fit, Fit::Renewal(_));
        if columns != fit.coefficients.len() || (single && fit.periods() != 1) {
            return Err(Error::malformed("the model's features and coefficients differ in number"));
        }
        fit.validate()
    }

    /// The baseline's terms, then the covariates'.
    pub(super) fn discrete_coefficients(&self, fit: &DiscreteFit, level: f64) -> Result<Vec<Coefficient>> {
        let critical = critical_value(level)?;
        let finite = |value: f64| value.is_finite().then_some(value);
        let row = |term: String, estimate: Option<f64>, std_error: Option<f64>| {
            let std_error = std_error.and_then(finite).filter(|error| *error > 0.0);
            let both = estimate.zip(std_error);
            let limit =
                |sign: f64| both.and_then(|(estimate, error)| finite((estimate + sign * critical * error).exp()));
            let z = both.map(|(estimate, error)| estimate / error);
            Coefficient {
                term,
                estimate,
                std_error,
                robust_std_error: None,
                z,
                p_value: z.map(normal::two_sided_p_value),
                hazard_ratio: estimate.and_then(|estimate| finite(estimate.exp())),
                lower: limit(-1.0),
                upper: limit(1.0),
            }
        };
        let baseline = fit.baseline_terms().into_iter().map(|term| row(term.name, term.estimate, term.std_error));
        let covariates = self.terms().into_iter().enumerate();
        Ok(baseline.chain(covariates.map(|(i, term)| row(term, fit.coefficients[i], fit.standard_error(i)))).collect())
    }

    /// What a reader must know of a converged fit of decisions; empty when there is nothing.
    pub fn remarks(&self) -> Vec<String> {
        let fit = match &self.fit {
            Fit::Renewal(fit) | Fit::DiscreteTime(fit) => fit,
            Fit::Parametric(fit) => return fit.remarks(),
            _ => return Vec::new(),
        };
        let mut remarks = Vec::new();
        let list = |periods: &[usize]| {
            let shown: Vec<String> = periods.iter().take(NAMED).map(usize::to_string).collect();
            let rest =
                if periods.len() > NAMED { format!(" and {} more", periods.len() - NAMED) } else { String::new() };
            let noun = if periods.len() == 1 { "period" } else { "periods" };
            format!("{noun} {}{rest}", shown.join(", "))
        };
        if matches!(self.fit, Fit::DiscreteTime(_)) {
            let (none, all) = fit.infinite_levels();
            if !none.is_empty() {
                remarks.push(format!("no events in {}", list(&none)));
            }
            if !all.is_empty() {
                remarks.push(format!("nobody outlasts {}", list(&all)));
            }
        }
        if fit.rounded > 0 {
            remarks.push(format!("times of {} rows rounded up to whole periods", fit.rounded));
        }
        if fit.left_out > 0 {
            remarks.push(format!("{} rows at risk in no whole period left out", fit.left_out));
        }
        remarks
    }
}
