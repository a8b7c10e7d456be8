//! Models by trees in SQL.

use ltv_engine::boost::hazard::{fit, memory_bytes};
use ltv_engine::boost::options::Options;
use ltv_engine::hazard::design::Design;
use ltv_engine::model::features::Feature;
use ltv_engine::model::{Fit, Model, naming};
use ltv_engine::{Error, Result};
use pgrx::pg_sys;
use serde_json::Value;

use crate::fit::{MOST_COVARIATES, too_wide};
use crate::pg::call::{Call, Field};
use crate::pg::error::{raise, settle};
use crate::pg::{interrupts, settings};

/// The options from argument 2 on, with the constraints as they were given; `None` when one that has a default is NULL.
fn options(call: &Call) -> Option<(Options, Option<String>)> {
    let count = |place: usize, name: &str| {
        let given = call.integer(place)?;
        Some(settle(usize::try_from(given).map_err(|_| {
            Error::invalid(format!("{name} cannot be {given}"), "It is a number of trees, questions or rounds.")
        })))
    };
    let options = Options {
        trees: count(2, "trees")?,
        depth: count(3, "depth")?,
        learning_rate: call.float(4)?,
        min_child_weight: call.float(5)?,
        l2: call.float(6)?,
        gamma: call.float(7)?,
        subsample: call.float(8)?,
        monotone: Vec::new(),
        early_stopping: count(10, "early_stopping")?,
        validation: call.float(11)?,
        seed: call.get(12)?,
    };
    Some((options, call.jsonb(9)))
}

/// The directions of the covariates, by name: `{"price": 1}`.
fn directions(json: &str, features: &[Feature]) -> Result<Vec<i8>> {
    let hint = r#"A JSON object of names and 1 (rises), -1 (falls) or 0, as {"price": 1}."#;
    let json: Value = serde_json::from_str(json)
        .map_err(|error| Error::invalid(format!("monotone cannot be read: {error}"), hint))?;
    let object = json.as_object().ok_or_else(|| Error::invalid("monotone must be a JSON object", hint))?;
    let mut directions = vec![0; features.len()];
    for (name, direction) in object {
        let Some(at) = features.iter().position(|feature| feature.name == *name) else {
            let known: Vec<&str> = features.iter().map(|feature| feature.name.as_str()).collect();
            return Err(Error::invalid(
                format!("monotone names \"{name}\", which is no covariate"),
                format!("They are: {}.", known.join(", ")),
            ));
        };
        directions[at] = direction
            .as_i64()
            .and_then(|direction| i8::try_from(direction).ok())
            .filter(|direction| (-1..=1).contains(direction))
            .ok_or_else(|| Error::invalid(format!("the direction of \"{name}\" cannot be {direction}"), hint))?;
    }
    Ok(directions)
}

/// `fit_boosted_hazard(design, names, trees, depth, learning_rate, min_child_weight, l2, gamma, subsample, monotone,
/// early_stopping, validation, seed)`.
pub fn fit_boosted_hazard(call: &Call) -> pg_sys::Datum {
    let Some((mut options, monotone)) = options(call) else { return call.null() };
    let names: Option<Vec<Option<String>>> = call.get(1);
    let bytes = call.incomplete_design(0, |design: &Design| {
        if design.is_empty() {
            return None;
        }
        if design.covariates() > MOST_COVARIATES {
            raise(too_wide(design.covariates()));
        }
        let features = settle(naming::features(names.as_deref(), design.covariates(), None));
        if let Some(monotone) = &monotone {
            options.monotone = settle(directions(monotone, &features));
        }
        settle(options.check(design.covariates()));
        let needed = design.memory_bytes() + memory_bytes(design.len(), design.covariates(), &options);
        settle(settings::budget().check(needed, "the fit"));
        let fit = Fit::from(settle(fit(design, &options, &mut interrupts::check)));
        Some(settle(Model { features, fit, skipped: design.skipped(), recalibration: None }.encode()))
    });
    match bytes.flatten() {
        Some(bytes) => call.answer_bytes(&bytes),
        None => call.null(),
    }
}

/// `feature_gain(model)`: a row per feature of a boosted model.
pub fn feature_gain(call: &Call) -> pg_sys::Datum {
    let gains = call.model(0, |model| model.feature_gains()).flatten().unwrap_or_default();
    call.answer_rows(gains.into_iter().map(|row| {
        vec![
            Field::Text(Some(row.feature)),
            Field::Float(Some(row.gain)),
            Field::Float(row.share),
            Field::Integer(Some(row.splits as i64)),
        ]
    }))
}

/// `boosting_path(model)`: the loss on the rows kept to stop by, before the first tree and after each.
pub fn boosting_path(call: &Call) -> pg_sys::Datum {
    let path = call.model(0, |model| match &model.fit {
        Fit::BoostedHazard(fit) => (fit.losses.clone(), fit.trees.len()),
        _ => (Vec::new(), 0),
    });
    let (losses, used) = path.unwrap_or_default();
    call.answer_rows(losses.into_iter().enumerate().map(|(trees, loss)| {
        vec![Field::Int4(Some(trees as i32)), Field::Float(Some(loss)), Field::Bool(trees == used)]
    }))
}
