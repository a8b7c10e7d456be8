//! The options of an algorithm: a JSON object of which every key is known.

use ltv_engine::{Error, Result};
use serde_json::{Map, Value};

/// The options given for an algorithm.
pub struct Options<'a> {
    pub algorithm: &'a str,
    pub given: &'a Map<String, Value>,
}

/// Options of which every key is known.
pub struct Known<'a> {
    options: &'a Options<'a>,
    pub allowed: String,
}

impl<'a> Options<'a> {
    pub fn are_among(&'a self, allowed: &[&str]) -> Result<Known<'a>> {
        let hint = match allowed {
            [] => format!("{} takes no options.", self.algorithm),
            _ => format!("{} takes: {}.", self.algorithm, allowed.join(", ")),
        };
        match self.given.keys().find(|key| !allowed.contains(&key.as_str())) {
            Some(unknown) => Err(Error::invalid(format!("{} has no option \"{unknown}\"", self.algorithm), hint)),
            None => Ok(Known { options: self, allowed: hint }),
        }
    }
}

impl<'a> Known<'a> {
    /// The option as `read` has it; an error when it is there and cannot be read.
    pub fn read<T>(&self, key: &str, what: &str, read: impl FnOnce(&'a Value) -> Option<T>) -> Result<Option<T>> {
        let Some(value) = self.options.given.get(key) else { return Ok(None) };
        match read(value) {
            Some(value) => Ok(Some(value)),
            None => Err(Error::invalid(
                format!("the option \"{key}\" of {} must be {what}, got {value}", self.options.algorithm),
                self.allowed.clone(),
            )),
        }
    }

    pub fn text(&self, key: &str) -> Result<Option<&'a str>> {
        self.read(key, "a text", Value::as_str)
    }

    pub fn number(&self, key: &str) -> Result<Option<f64>> {
        self.read(key, "a number", Value::as_f64)
    }

    pub fn integer(&self, key: &str) -> Result<Option<i32>> {
        self.read(key, "a whole number", |value| value.as_i64().and_then(|value| i32::try_from(value).ok()))
    }

    pub fn boolean(&self, key: &str) -> Result<Option<bool>> {
        self.read(key, "true or false", Value::as_bool)
    }

    pub fn texts(&self, key: &str) -> Result<Option<Vec<String>>> {
        let all = |value: &Value| {
            value.as_array()?.iter().map(|value| value.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        };
        self.read(key, "a list of texts", all)
    }

    pub fn numbers(&self, key: &str) -> Result<Option<Vec<f64>>> {
        let all = |value: &Value| value.as_array()?.iter().map(Value::as_f64).collect::<Option<Vec<_>>>();
        self.read(key, "a list of numbers", all)
    }
}
