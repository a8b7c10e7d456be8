//! The linear predictor of a model that a golden file describes by its terms, as R names them.

use std::collections::HashMap;

use serde_json::Value;

use crate::golden_support::{number, numbers};

pub struct Design {
    columns: Vec<String>,
    terms: Vec<String>,
    coefficients: Vec<f64>,
}

impl Design {
    /// From the right-hand side of `formula` and the `terms` and `coef` of a fit.
    pub fn new(formula: &str, fit: &Value) -> Self {
        let right = formula.rsplit('~').next().expect("a formula");
        let columns = right.split('+').map(|column| column.trim().to_owned()).collect();
        let terms =
            fit["terms"].as_array().expect("terms").iter().map(|term| term.as_str().expect("a name").to_owned());
        let coefficients = numbers(&fit["coef"]).into_iter().map(|value| value.expect("a number")).collect();
        Design { columns, terms: terms.collect(), coefficients }
    }

    pub fn is_complete(&self, row: &HashMap<String, String>) -> bool {
        self.columns.iter().all(|column| !row[column].is_empty())
    }

    pub fn linear_predictor(&self, row: &HashMap<String, String>) -> f64 {
        self.terms.iter().zip(&self.coefficients).map(|(term, coefficient)| self.term(row, term) * coefficient).sum()
    }

    /// A number column's value, or whether a text column has the level that the term's name ends with.
    fn term(&self, row: &HashMap<String, String>, term: &str) -> f64 {
        if term == "(Intercept)" {
            return 1.0;
        }
        if row.contains_key(term) {
            return number(row, term);
        }
        let named = self.columns.iter().find(|column| term.starts_with(column.as_str()));
        let column = named.unwrap_or_else(|| panic!("no column for the term {term}"));
        f64::from(u8::from(row[column] == term[column.len()..]))
    }
}
