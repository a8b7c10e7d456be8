//! Serde for vectors that may hold infinities: text forms such as JSON have no number for them.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Extended {
    Finite(f64),
    Named(String),
}

/// As numbers; an infinity is the string `"Infinity"` in a text form.
pub fn serialize<S: Serializer>(values: &[f64], to: S) -> Result<S::Ok, S::Error> {
    if !to.is_human_readable() {
        return values.serialize(to);
    }
    let named = |value: &f64| match value.is_finite() {
        true => Extended::Finite(*value),
        false => Extended::Named("Infinity".into()),
    };
    to.collect_seq(values.iter().map(named))
}

pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f64>, D::Error> {
    if !from.is_human_readable() {
        return Vec::deserialize(from);
    }
    let named = |value| match value {
        Extended::Finite(value) => Ok(value),
        Extended::Named(name) if name == "Infinity" => Ok(f64::INFINITY),
        Extended::Named(name) => Err(D::Error::custom(format!("\"{name}\" is not a number"))),
    };
    Vec::<Extended>::deserialize(from)?.into_iter().map(named).collect()
}
