//! Named features of a row and the columns of numbers that a fit sees.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What kind of thing a feature is and so how it becomes numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One column, as it is.
    Numeric,
    /// One column: true is 1, false 0.
    Boolean,
    /// Treatment coding: the first level (in byte order) is the reference, each other level a 0/1 column.
    Category { levels: Vec<String> },
    /// No column: the stratum, one of those the fit knows, whose baseline the row has.
    Stratum,
}

impl Kind {
    /// Whether its values are texts, not numbers.
    pub fn is_text(&self) -> bool {
        matches!(self, Kind::Category { .. } | Kind::Stratum)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    pub name: String,
    pub kind: Kind,
}

/// The value of one feature in one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    Null,
    Number(f64),
    Text(&'a str),
}

/// Why a row has no score.
#[derive(Debug, Clone, PartialEq)]
pub enum Unscorable {
    /// A feature is NULL.
    Missing { feature: String },
    /// A category that training never saw.
    Unseen { feature: String, level: String },
    /// A number that is NaN or infinite.
    NotFinite { feature: String },
    /// The model itself has no curve for this row.
    Undefined { reason: String },
}

impl std::fmt::Display for Unscorable {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unscorable::Missing { feature } => write!(out, "missing feature: {feature}"),
            Unscorable::Unseen { feature, level } => write!(out, "unseen level: {feature} = {level}"),
            Unscorable::NotFinite { feature } => write!(out, "not a finite number: {feature}"),
            Unscorable::Undefined { reason } => out.write_str(reason),
        }
    }
}

impl Feature {
    /// # Errors
    /// [`Error::Malformed`] for a nameless feature or levels that are not distinct and in byte order.
    pub fn validate(&self) -> Result<()> {
        let levels: &[String] = if let Kind::Category { levels } = &self.kind { levels } else { &[] };
        if self.name.is_empty() || levels.iter().chain([&self.name]).any(|name| name.contains('\0')) {
            return Err(Error::malformed("a feature or level of the model has no proper name"));
        }
        match &self.kind {
            Kind::Category { levels } if !levels.windows(2).all(|pair| pair[0] < pair[1]) => {
                Err(Error::malformed(format!("the levels of feature {} are not in order", self.name)))
            }
            _ => Ok(()),
        }
    }

    pub fn columns(&self) -> usize {
        match &self.kind {
            Kind::Numeric | Kind::Boolean => 1,
            Kind::Category { levels } => levels.len().saturating_sub(1),
            Kind::Stratum => 0,
        }
    }

    /// The names of its columns: the feature's own, or `feature=level`.
    pub fn terms(&self) -> Vec<String> {
        match &self.kind {
            Kind::Numeric | Kind::Boolean => vec![self.name.clone()],
            Kind::Category { levels } => levels.iter().skip(1).map(|level| format!("{}={level}", self.name)).collect(),
            Kind::Stratum => Vec::new(),
        }
    }

    /// As [`Feature::encode`] for a model that takes what is missing: NULL is NaN in each of the columns.
    pub fn encode_or_missing(&self, value: Value, columns: &mut Vec<f64>) -> Result<(), Unscorable> {
        match value {
            Value::Null => {
                columns.extend(std::iter::repeat_n(f64::NAN, self.columns()));
                Ok(())
            }
            present => self.encode(present, columns),
        }
    }

    /// Appends the columns of `value`.
    #[inline]
    pub fn encode(&self, value: Value, columns: &mut Vec<f64>) -> Result<(), Unscorable> {
        match (&self.kind, value) {
            (Kind::Numeric | Kind::Boolean, Value::Number(number)) if number.is_finite() => {
                columns.push(number);
                Ok(())
            }
            _ => self.encode_other(value, columns),
        }
    }

    #[inline(never)]
    fn encode_other(&self, value: Value, columns: &mut Vec<f64>) -> Result<(), Unscorable> {
        let missing = || Unscorable::Missing { feature: self.name.clone() };
        match (&self.kind, value) {
            (_, Value::Null) => Err(missing()),
            (Kind::Category { levels }, Value::Text(text)) => {
                let found = levels.binary_search_by(|level| level.as_str().cmp(text));
                let Ok(found) = found else {
                    return Err(Unscorable::Unseen { feature: self.name.clone(), level: text.into() });
                };
                columns.extend((1..levels.len()).map(|column| if column == found { 1.0 } else { 0.0 }));
                Ok(())
            }
            (Kind::Stratum, Value::Text(_)) => Ok(()),
            _ => Err(Unscorable::NotFinite { feature: self.name.clone() }),
        }
    }
}
