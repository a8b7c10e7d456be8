//! Models of renewal decisions as values: their terms, coefficients, and what is to be told of the fit.

use crate::hazard::discrete::DiscreteFit;
use crate::hazard::sandwich::errors;
use crate::model::coefficients::Coefficient;
use crate::model::{Fit, Model};
use crate::{Error, Result};

/// Periods that a status names one by one.
const NAMED: usize = 5;

impl Model {
    pub(super) fn validate_discrete(&self, fit: &DiscreteFit) -> Result<()> {
        if matches!(self.fit, Fit::Renewal(_)) && fit.periods() != 1 {
            return Err(Error::malformed("a model of single decisions has one period"));
        }
        fit.validate()
    }

    /// The baseline's terms, then the covariates'.
    pub(super) fn discrete_coefficients(&self, fit: &DiscreteFit, critical: f64) -> Vec<Coefficient> {
        let baseline = fit.baseline_terms().into_iter().map(|term| (term.name, term.estimate, term.std_error));
        let covariates = self.terms().into_iter().enumerate();
        let covariates = covariates.map(|(i, term)| (term, fit.coefficients[i], fit.standard_error(i)));
        let all = baseline.chain(covariates).enumerate();
        all.map(|(at, (term, estimate, error))| {
            Coefficient::new(term, estimate, errors(fit.clustered.as_ref(), at, error), critical, true)
        })
        .collect()
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
            remarks.push(format!(
                "times of {} rows rounded up to whole periods: risks are too low where these were censored",
                fit.rounded
            ));
        }
        if fit.left_out > 0 {
            remarks.push(format!("{} rows at risk in no whole period left out", fit.left_out));
        }
        remarks
    }
}
