//! How trees are to grow: the options of boosted models.

use ltv_engine::boost;
use ltv_engine::model::features::Feature;
use ltv_engine::{Error, Result};
use pgrx::spi::quote_literal;
use serde_json::{Map, Value};

use crate::train::options::Known;
use crate::train::statement::{columns_of, number};

/// How trees are to grow.
#[derive(Debug, Clone, PartialEq)]
pub struct Growth {
    pub options: Box<boost::Options>,
    /// By feature, which way the prediction may go with it.
    monotone: Vec<(String, i8)>,
}
/// The options of trees.
pub const GROWTH: [&str; 10] = [
    "trees",
    "depth",
    "learning_rate",
    "min_child_weight",
    "l2",
    "gamma",
    "subsample",
    "monotone",
    "early_stopping",
    "validation",
];

pub fn growth(options: &Known) -> Result<Growth> {
    let defaults = boost::Options::default();
    let count = |key: &str, default: usize| -> Result<usize> {
        let given = options.integer(key)?.map(|given| (given, usize::try_from(given)));
        match given {
            None => Ok(default),
            Some((_, Ok(given))) => Ok(given),
            Some((given, Err(_))) => Err(Error::invalid(format!("{key} cannot be {given}"), options.allowed.clone())),
        }
    };
    let number = |key: &str, default: f64| Ok::<f64, Error>(options.number(key)?.unwrap_or(default));
    let found = boost::Options {
        trees: count("trees", defaults.trees)?,
        depth: count("depth", defaults.depth)?,
        learning_rate: number("learning_rate", defaults.learning_rate)?,
        min_child_weight: number("min_child_weight", defaults.min_child_weight)?,
        l2: number("l2", defaults.l2)?,
        gamma: number("gamma", defaults.gamma)?,
        subsample: number("subsample", defaults.subsample)?,
        monotone: Vec::new(),
        early_stopping: count("early_stopping", defaults.early_stopping)?,
        validation: number("validation", defaults.validation)?,
        seed: defaults.seed,
    };
    found.check(0)?;
    let directions = |value: &Value| {
        let direction = |(name, value): (&String, &Value)| {
            let direction = value.as_i64().and_then(|direction| i8::try_from(direction).ok())?;
            (-1..=1).contains(&direction).then(|| (name.clone(), direction))
        };
        value.as_object()?.iter().map(direction).collect::<Option<Vec<_>>>()
    };
    let monotone = options.read("monotone", r#"an object such as {"price": 1}, of 1, 0 and -1"#, directions)?;
    Ok(Growth { options: Box::new(found), monotone: monotone.unwrap_or_default() })
}

impl Growth {
    /// The features whose effect may go one way only, and which: 1, −1, or 0 for either.
    pub fn directions(&self) -> impl Iterator<Item = (&str, i8)> {
        self.monotone.iter().map(|(name, direction)| (name.as_str(), *direction))
    }
}

/// As named arguments.
pub fn growth_arguments(Growth { options, monotone }: &Growth, features: &[Feature]) -> Result<String> {
    let mut directions = Map::new();
    for (name, direction) in monotone {
        let known = || features.iter().map(|feature| feature.name.as_str()).collect::<Vec<_>>().join(", ");
        let Some(feature) = features.iter().find(|feature| feature.name == *name) else {
            return Err(Error::invalid(
                format!("monotone names \"{name}\", which is none of the features"),
                format!("They are: {}.", known()),
            ));
        };
        if feature.kind.is_text() {
            return Err(Error::invalid(
                format!("\"{name}\" is a category: nothing rises or falls with it"),
                "A direction needs a number or a boolean.",
            ));
        }
        // The value's own column: nothing rises or falls with the indicator that it is NULL.
        for column in columns_of(std::slice::from_ref(name), features)?.into_iter().take(1) {
            directions.insert(column, Value::from(*direction));
        }
    }
    let boost::Options { trees, depth, early_stopping, seed, .. } = &**options;
    Ok(format!(
        "trees => {trees}, depth => {depth}, learning_rate => {}, min_child_weight => {}, l2 => {}, gamma => {}, subsample => {}, monotone => {}::jsonb, early_stopping => {early_stopping}, validation => {}, seed => '{seed}'::bigint",
        number(options.learning_rate),
        number(options.min_child_weight),
        number(options.l2),
        number(options.gamma),
        number(options.subsample),
        quote_literal(Value::Object(directions).to_string()),
        number(options.validation),
    ))
}
