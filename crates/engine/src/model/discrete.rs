//! Models of renewal decisions as values: their terms, coefficients, and what is to be told of the fit.

use crate::hazard::discrete::DiscreteFit;
use crate::model::coefficients::Coefficient;
use crate::model::{Fit, Model};
use crate::numeric::normal;
use crate::survival::kaplan_meier::critical_value;
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
