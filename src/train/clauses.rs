//! The clauses of a request: policies, units and what is written as JSON.

use ltv_engine::{Error, Result};
use serde_json::{Map, Value};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NullPolicy {
    Error,
    Drop,
    /// A feature that is NULL counts as the median, or the most frequent value, of the training rows.
    Impute,
    /// The same, and a term of its own tells that it was NULL.
    Indicator,
    /// The trees learn which way a row goes that lacks it.
    Learn,
}

impl NullPolicy {
    pub fn name(self) -> &'static str {
        match self {
            NullPolicy::Error => "error",
            NullPolicy::Drop => "drop",
            NullPolicy::Impute => "impute",
            NullPolicy::Indicator => "indicator",
            NullPolicy::Learn => "learn",
        }
    }

    /// Whether a row may lack a feature.
    pub fn takes_nulls(self) -> bool {
        self.fills() || self == NullPolicy::Learn
    }

    /// Whether something stands in for a NULL.
    pub fn fills(self) -> bool {
        matches!(self, NullPolicy::Impute | NullPolicy::Indicator)
    }
}

/// How much the segments of a segmented model learn from each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// Each segment by itself; one that cannot stand alone has the model of all rows.
    None,
    /// Coefficients are drawn to what the segments have in common, by how uncertain they are.
    Partial,
}

/// The unit of the durations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Day,
    Week,
    Month,
    Year,
}

impl Unit {
    pub fn name(self) -> &'static str {
        match self {
            Unit::Day => "day",
            Unit::Week => "week",
            Unit::Month => "month",
            Unit::Year => "year",
        }
    }
}

/// Which rows are kept for the metrics: those a boolean column marks, by a date from a day on or in its last stretch, or
/// a share by a key's hash.
#[derive(Debug, Clone)]
pub struct Holdout {
    pub by: String,
    pub rule: HoldoutRule,
}

#[derive(Debug, Clone)]
pub enum HoldoutRule {
    Marked,
    From(String),
    Last(String),
    Fraction(f64),
}
/// What a row was made under: a category, or the stretch of time that a date falls into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Era {
    pub by: String,
    /// year, quarter or month.
    pub stretch: Option<&'static str>,
}

/// What the coefficients of a feature are expected to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    Positive,
    Negative,
}

impl Sign {
    pub fn name(self) -> &'static str {
        match self {
            Sign::Positive => "+",
            Sign::Negative => "-",
        }
    }
}
/// `column`, or `column:year` (quarter, month) of a date.
pub fn era(text: &str) -> Era {
    let stretch = |name: &str| ["year", "quarter", "month"].into_iter().find(|known| *known == name);
    match text.rsplit_once(':').and_then(|(by, name)| Some((by, stretch(name)?))) {
        Some((by, stretch)) => Era { by: by.into(), stretch: Some(stretch) },
        None => Era { by: text.into(), stretch: None },
    }
}

pub fn signs(json: &str, features: &[String]) -> Result<Vec<(String, Sign)>> {
    let hint = r#"A JSON object with a sign for features, as {"price": "+", "tenure_discount": "-"}."#;
    let json: Value = serde_json::from_str(json)
        .map_err(|error| Error::invalid(format!("expected_signs cannot be read: {error}"), hint))?;
    let object = json.as_object().ok_or_else(|| Error::invalid("expected_signs must be a JSON object", hint))?;
    let sign = |(name, value): (&String, &Value)| {
        if !features.contains(name) {
            let known = format!("The features are: {}.", features.join(", "));
            return Err(Error::invalid(format!("expected_signs names \"{name}\", which is no feature"), known));
        }
        match value.as_str() {
            Some("+") => Ok((name.clone(), Sign::Positive)),
            Some("-") => Ok((name.clone(), Sign::Negative)),
            _ => Err(Error::invalid(format!("the expected sign of \"{name}\" must be + or -, got {value}"), hint)),
        }
    };
    object.iter().map(sign).collect()
}

pub fn options(json: &str) -> Result<Map<String, Value>> {
    let hint = r#"A JSON object, as {"ties": "breslow"}."#;
    match serde_json::from_str(json) {
        Ok(Value::Object(options)) => Ok(options),
        Ok(_) => Err(Error::invalid("options must be a JSON object", hint)),
        Err(error) => Err(Error::invalid(format!("options cannot be read: {error}"), hint)),
    }
}

pub fn holdout(json: &str) -> Result<Holdout> {
    let hint = r#"{"by": "held_out"}, {"by": "signed_on", "from": "2024-01-01"}, {"by": "signed_on", "last": "3 months"} or {"by": "customer_id", "fraction": 0.2}."#;
    let refused = |what: String| Error::invalid(what, hint);
    let json: Value =
        serde_json::from_str(json).map_err(|error| refused(format!("holdout cannot be read: {error}")))?;
    let object = json.as_object().ok_or_else(|| refused("holdout must be a JSON object".into()))?;
    if let Some(unknown) = object.keys().find(|key| !["by", "from", "last", "fraction"].contains(&key.as_str())) {
        return Err(refused(format!("holdout has an unknown key \"{unknown}\"")));
    }
    let text = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
    let by = text("by").ok_or_else(|| refused("holdout needs \"by\", the name of a column".into()))?;
    let fraction = object.get("fraction").map(|value| value.as_f64().unwrap_or(f64::NAN));
    let rule = match (text("from"), text("last"), fraction) {
        (None, None, None) => HoldoutRule::Marked,
        (Some(from), None, None) => HoldoutRule::From(from),
        (None, Some(last), None) => HoldoutRule::Last(last),
        (None, None, Some(fraction)) if fraction > 0.0 && fraction < 1e-6 => {
            return Err(refused(format!("the fraction held out, {fraction}, is less than one row in a million")));
        }
        (None, None, Some(fraction)) if fraction > 0.0 && fraction < 1.0 => HoldoutRule::Fraction(fraction),
        (None, None, Some(_)) => return Err(refused("the fraction held out must be between 0 and 1".into())),
        _ => return Err(refused("holdout takes one of \"from\", \"last\" and \"fraction\"".into())),
    };
    Ok(Holdout { by, rule })
}
