//! The SQL that fits an algorithm.

use std::fmt::Write;

use ltv_engine::model::features::Feature;
use ltv_engine::{Error, Result};
use pgrx::spi::quote_literal;

use crate::train::algorithm::Algorithm;
use crate::train::growth::growth_arguments;

impl Algorithm {
    /// The SQL expression of a model that learns nothing from rows.
    pub fn without_rows(&self) -> Option<String> {
        match self {
            Algorithm::Rule { json } => Some(format!("ltv.rule({}::jsonb)", quote_literal(json))),
            Algorithm::Hybrid { arguments } => Some(format!("ltv.fit_hybrid({arguments})")),
            _ => None,
        }
    }

    /// The SQL expression of the model of a curve of all rows; `None` for one that reads the rows themselves.
    pub fn call_on_curve(&self, curve: &str) -> Option<String> {
        match self {
            Algorithm::Contractual { function, period } => {
                Some(format!("ltv.{function}({curve}, period => {})", number(*period)))
            }
            _ => None,
        }
    }

    /// The SQL expression of the best of several models of a design; `None` where there are not several.
    pub fn call_on_candidates(&self, design: &str) -> Option<String> {
        let Algorithm::Best { candidates, criterion } = self else { return None };
        let named = candidates.as_ref().map_or_else(|| "NULL".to_owned(), |names| texts(names));
        Some(format!("ltv.fit_best({design}, candidates => {named}, criterion => {})", quote_literal(criterion)))
    }

    /// The SQL expression of the model of a design; `None` where it takes more than one function: cohorts, candidates.
    pub fn call(&self, design: &str, features: &[Feature]) -> Result<Option<String>> {
        Ok(match self {
            Algorithm::KaplanMeier
            | Algorithm::Best { .. }
            | Algorithm::Contractual { .. }
            | Algorithm::Customers(_)
            | Algorithm::Hybrid { .. } => None,
            Algorithm::Rule { .. } => self.without_rows(),
            Algorithm::Amount { function, arguments, robust, .. } => {
                Some(format!("ltv.{function}({design}{arguments}{})", robust_of(*robust)))
            }
            Algorithm::Renewal { link, period, penalty, robust } => Some(format!(
                "ltv.fit_renewal({design}, link => {}, period => {}, penalty => {}{})",
                quote_literal(link),
                number(*period),
                number(*penalty),
                robust_of(*robust),
            )),
            Algorithm::FineGray(causes) => Some(causes.call(design)),
            Algorithm::Cox { ties, penalty, robust, .. } => Some(format!(
                "ltv.fit_cox({design}, ties => {}, penalty => {}, l1_ratio => {}, robust => {})",
                quote_literal(ties),
                number(penalty.strength),
                number(penalty.l1_ratio),
                robust.map_or_else(|| "NULL".to_owned(), |robust| robust.to_string()),
            )),
            Algorithm::Parametric { distribution, ancillary, knots, knot_times, breaks, robust } => {
                let mut call = format!("ltv.fit_parametric({design}, {}", quote_literal(distribution));
                if !ancillary.is_empty() {
                    let columns = columns_of(ancillary, features)?;
                    let _ = write!(call, ", ancillary => {}", texts(&columns));
                }
                if let Some(knots) = knots {
                    let _ = write!(call, ", knots => {knots}");
                }
                if let Some(times) = knot_times {
                    let _ = write!(call, ", knot_times => {}", numbers(times));
                }
                if let Some(breaks) = breaks {
                    let _ = write!(call, ", breaks => {}", numbers(breaks));
                }
                Some(call + &robust_of(*robust) + ")")
            }
            Algorithm::BoostedHazard(growth) => {
                Some(format!("ltv.fit_boosted_hazard({design}, {})", growth_arguments(growth, features)?))
            }
            Algorithm::BoostedValue { loss, power, growth } => Some(format!(
                "ltv.fit_boosted_value({design}, loss => {}, power => {}, {})",
                quote_literal(loss),
                number(*power),
                growth_arguments(growth, features)?,
            )),
            Algorithm::DiscreteTime { link, baseline, degree, period, penalty, robust } => Some(format!(
                "ltv.fit_discrete_time({design}, link => {}, baseline => {}, degree => {degree}, period => {}, penalty => {}{})",
                quote_literal(link),
                quote_literal(baseline),
                number(*period),
                number(*penalty),
                robust_of(*robust),
            )),
        })
    }
}

/// Whether errors are by clusters, as a named argument where something was said.
fn robust_of(robust: Option<bool>) -> String {
    robust.map(|robust| format!(", robust => {robust}")).unwrap_or_default()
}

/// What the fit calls the columns of these features: x1, x2, … (the features' own names come with the registered model).
pub fn columns_of(names: &[String], features: &[Feature]) -> Result<Vec<String>> {
    let mut columns = Vec::new();
    for name in names {
        let Some(at) = features.iter().position(|feature| feature.name == *name) else {
            let known: Vec<&str> = features.iter().map(|feature| feature.name.as_str()).collect();
            return Err(Error::invalid(
                format!("the ancillary feature \"{name}\" is none of the features"),
                match known.is_empty() {
                    true => "Name it among the features as well.".to_owned(),
                    false => format!("Name it among the features as well; they are: {}.", known.join(", ")),
                },
            ));
        };
        let before: usize = features[..at].iter().map(Feature::columns).sum();
        columns.extend((before + 1..=before + features[at].columns()).map(|column| format!("x{column}")));
    }
    Ok(columns)
}

pub fn number(value: f64) -> String {
    format!("'{value:?}'::float8")
}

fn numbers(values: &[f64]) -> String {
    format!("ARRAY[{}]::float8[]", values.iter().map(|value| number(*value)).collect::<Vec<_>>().join(", "))
}

pub fn texts(values: &[String]) -> String {
    format!("ARRAY[{}]::text[]", values.iter().map(quote_literal).collect::<Vec<_>>().join(", "))
}
