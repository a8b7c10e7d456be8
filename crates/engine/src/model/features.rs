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
    /// One that may be NULL: then it counts as the value that the training rows had in the middle, or most often.
    Filled(Filled),
    /// No column: a part of what tells the row's segment, and so its model; see [`Segmented`](super::segments::Segmented).
    Segment,
    /// One that some training rows lacked: a model by trees has learnt which way a row goes that lacks it.
    Learnt(Learnt),
}

/// A feature that may be NULL, in a model that has learnt what that tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Learnt {
    Number,
    Boolean,
    /// As a category; the only level has a column too, which a row without the value lacks.
    Level {
        levels: Vec<String>,
    },
}

/// What stands in for a NULL.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filled {
    pub by: Filling,
    /// Whether a last column of its own is 1 for a NULL, else 0.
    pub indicator: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filling {
    Number(f64),
    Boolean(bool),
    /// One of the levels, in byte order.
    Level {
        levels: Vec<String>,
        at: usize,
    },
}

impl Filling {
    fn columns(&self) -> usize {
        match self {
            Filling::Number(_) | Filling::Boolean(_) => 1,
            Filling::Level { levels, .. } => levels.len().saturating_sub(1),
        }
    }

    /// As a value of a row.
    pub fn value(&self) -> Value<'_> {
        match self {
            Filling::Number(number) => Value::Number(*number),
            Filling::Boolean(truth) => Value::Number(f64::from(u8::from(*truth))),
            Filling::Level { levels, at } => levels.get(*at).map_or(Value::Null, |level| Value::Text(level)),
        }
    }
}

impl Kind {
    /// Whether its values are texts, not numbers.
    pub fn is_text(&self) -> bool {
        match self {
            Kind::Category { .. } | Kind::Stratum | Kind::Segment => true,
            Kind::Filled(filled) => matches!(filled.by, Filling::Level { .. }),
            Kind::Learnt(learnt) => matches!(learnt, Learnt::Level { .. }),
            Kind::Numeric | Kind::Boolean => false,
        }
    }

    /// Whether its numbers are true and false.
    pub fn is_boolean(&self) -> bool {
        matches!(
            self,
            Kind::Boolean | Kind::Filled(Filled { by: Filling::Boolean(_), .. }) | Kind::Learnt(Learnt::Boolean)
        )
    }

    /// Whether it tells whose baseline, or model, a row has and is itself none of what the fit sees.
    pub fn is_group(&self) -> bool {
        matches!(self, Kind::Stratum | Kind::Segment)
    }

    /// The levels of a category, in byte order.
    pub fn levels(&self) -> Option<&[String]> {
        match self {
            Kind::Category { levels }
            | Kind::Filled(Filled { by: Filling::Level { levels, .. }, .. })
            | Kind::Learnt(Learnt::Level { levels }) => Some(levels),
            _ => None,
        }
    }

    /// The levels that have a column.
    pub fn coded_levels(&self) -> Option<&[String]> {
        match self {
            Kind::Learnt(Learnt::Level { levels }) if levels.len() == 1 => Some(levels),
            _ => self.levels().map(|levels| levels.get(1..).unwrap_or_default()),
        }
    }

    /// The same of training rows some of which lack it.
    #[must_use]
    pub fn learnt(self) -> Kind {
        match self {
            Kind::Numeric => Kind::Learnt(Learnt::Number),
            Kind::Boolean => Kind::Learnt(Learnt::Boolean),
            Kind::Category { levels } => Kind::Learnt(Learnt::Level { levels }),
            other => other,
        }
    }

    /// What stands in for a NULL.
    pub fn filling(&self) -> Option<&Filling> {
        match self {
            Kind::Filled(filled) => Some(&filled.by),
            _ => None,
        }
    }

    fn has_indicator(&self) -> bool {
        matches!(self, Kind::Filled(filled) if filled.indicator)
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
    /// [`Error::Malformed`] for a nameless feature, levels that are not distinct and in byte order, or a filling that is
    /// no value.
    pub fn validate(&self) -> Result<()> {
        let levels = self.kind.levels().unwrap_or_default();
        if self.name.is_empty() || levels.iter().chain([&self.name]).any(|name| name.contains('\0')) {
            return Err(Error::malformed("a feature or level of the model has no proper name"));
        }
        if !levels.windows(2).all(|pair| pair[0] < pair[1]) {
            return Err(Error::malformed(format!("the levels of feature {} are not in order", self.name)));
        }
        match self.kind.filling().map(Filling::value) {
            Some(Value::Null) => Err(Error::malformed(format!("feature {} has no filling", self.name))),
            Some(Value::Number(number)) if !number.is_finite() => {
                Err(Error::malformed(format!("the filling of feature {} is no finite number", self.name)))
            }
            _ => Ok(()),
        }
    }

    pub fn columns(&self) -> usize {
        match &self.kind {
            Kind::Numeric | Kind::Boolean => 1,
            Kind::Learnt(Learnt::Number | Learnt::Boolean) => 1,
            Kind::Category { .. } | Kind::Learnt(_) => self.kind.coded_levels().map_or(0, <[String]>::len),
            Kind::Filled(filled) => filled.by.columns() + usize::from(filled.indicator),
            Kind::Stratum | Kind::Segment => 0,
        }
    }

    /// The names of its columns: the feature's own, or `feature=level`; that of an indicator is `feature is null`.
    pub fn terms(&self) -> Vec<String> {
        if self.kind.is_group() {
            return Vec::new();
        }
        let mut terms = match self.kind.coded_levels() {
            Some(levels) => levels.iter().map(|level| format!("{}={level}", self.name)).collect(),
            None => vec![self.name.clone()],
        };
        if self.kind.has_indicator() {
            terms.push(format!("{} is null", self.name));
        }
        terms
    }

    /// As [`Feature::encode`] for a model that takes what is missing: NULL is NaN in each of the columns, and so is the
    /// NaN of a number that training rows lacked.
    pub fn encode_or_missing(&self, value: Value, columns: &mut Vec<f64>) -> Result<(), Unscorable> {
        let missing = match value {
            Value::Null => self.kind.filling().is_none(),
            Value::Number(number) => number.is_nan() && matches!(self.kind, Kind::Learnt(_)),
            Value::Text(_) => false,
        };
        match value {
            _ if missing => {
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
        if let Kind::Filled(filled) = &self.kind {
            let missing = value == Value::Null;
            self.encode_known(if missing { filled.by.value() } else { value }, columns)?;
            if filled.indicator {
                columns.push(f64::from(u8::from(missing)));
            }
            return Ok(());
        }
        self.encode_known(value, columns)
    }

    fn encode_known(&self, value: Value, columns: &mut Vec<f64>) -> Result<(), Unscorable> {
        match (value, self.kind.levels()) {
            (Value::Null, _) if self.kind == Kind::Segment => Ok(()),
            (Value::Null, _) => Err(Unscorable::Missing { feature: self.name.clone() }),
            (Value::Text(text), Some(levels)) => {
                let found = levels.binary_search_by(|level| level.as_str().cmp(text));
                let Ok(found) = found else {
                    return Err(Unscorable::Unseen { feature: self.name.clone(), level: text.into() });
                };
                let first = levels.len() - self.kind.coded_levels().map_or(0, <[String]>::len);
                columns.extend((first..levels.len()).map(|column| if column == found { 1.0 } else { 0.0 }));
                Ok(())
            }
            (Value::Text(_), None) if self.kind.is_group() => Ok(()),
            (Value::Number(number), None) if number.is_finite() && !self.kind.is_group() => {
                columns.push(number);
                Ok(())
            }
            _ => Err(Unscorable::NotFinite { feature: self.name.clone() }),
        }
    }
}
