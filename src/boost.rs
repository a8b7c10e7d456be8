//! Models by trees in SQL.

use ltv_engine::amount::Family;
use ltv_engine::boost::hazard::{fit, memory_bytes};
use ltv_engine::boost::options::Options;
use ltv_engine::boost::value;
use ltv_engine::hazard::design::Design;
use ltv_engine::model::features::{Feature, Kind};
use ltv_engine::model::{Fit, Model, naming};
use ltv_engine::{Error, Result};
use pgrx::pg_sys;
use serde_json::Value;

use crate::fit::{MOST_COVARIATES, too_wide};
use crate::pg::call::{Call, Field};
use crate::pg::error::{raise, settle};
use crate::pg::{interrupts, settings};

/// The options from argument `first` on, with the constraints as they were given; `None` when one that has a default is
/// NULL.
fn options(call: &Call, first: usize) -> Option<(Options, Option<String>)> {
    let count = |place: usize, name: &str| {
        let given = call.integer(first + place)?;
        Some(settle(usize::try_from(given).map_err(|_| {
            Error::invalid(format!("{name} cannot be {given}"), "It is a number of trees, questions or rounds.")
        })))
    };
    let options = Options {
        trees: count(0, "trees")?,
        depth: count(1, "depth")?,
        learning_rate: call.float(first + 2)?,
        min_child_weight: call.float(first + 3)?,
        l2: call.float(first + 4)?,
        gamma: call.float(first + 5)?,
        subsample: call.float(first + 6)?,
        monotone: Vec::new(),
        early_stopping: count(8, "early_stopping")?,
        validation: call.float(first + 9)?,
        seed: call.get(first + 10)?,
    };
    Some((options, call.jsonb(first + 7)))
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

/// The model that `fitted` makes of a design, whose covariates are named at `names`; `None` without rows.
fn model(
    call: &Call,
    design: &Design,
    names: usize,
    (mut options, monotone): (Options, Option<String>),
    fitted: impl FnOnce(&Options) -> Result<Fit>,
) -> Option<Vec<u8>> {
    if design.is_empty() {
        return None;
    }
    if design.covariates() > MOST_COVARIATES {
        raise(too_wide(design.covariates()));
    }
    let names: Option<Vec<Option<String>>> = call.get(names);
    let mut features = settle(naming::features(names.as_deref(), design.covariates(), None));
    for (at, feature) in features.iter_mut().enumerate() {
        if design.x().iter().skip(at).step_by(design.covariates()).any(|x| x.is_nan()) {
            feature.kind = std::mem::replace(&mut feature.kind, Kind::Numeric).learnt();
        }
    }
    if let Some(monotone) = &monotone {
        options.monotone = settle(directions(monotone, &features));
    }
    settle(options.check(design.covariates()));
    let needed = design.memory_bytes() + memory_bytes(design.len(), design.covariates(), &options);
    settle(settings::budget().check(needed, "the fit"));
    let fit = settle(fitted(&options));
    Some(settle(Model { features, fit, skipped: design.skipped(), recalibration: None }.encode()))
}

/// `fit_boosted_hazard(design, names, trees, depth, learning_rate, min_child_weight, l2, gamma, subsample, monotone,
/// early_stopping, validation, seed)`.
pub fn fit_boosted_hazard(call: &Call) -> pg_sys::Datum {
    let Some(options) = options(call, 2) else { return call.null() };
    let bytes = call.incomplete_design(0, |design: &Design| {
        model(call, design, 1, options, |options| fit(design, options, &mut interrupts::check).map(Fit::from))
    });
    match bytes.flatten() {
        Some(bytes) => call.answer_bytes(&bytes),
        None => call.null(),
    }
}

/// The law whose deviance is the loss called `name`.
pub fn loss(name: &str, power: f64) -> Result<Family> {
    match name {
        "squared" => Ok(Family::Linear),
        "gamma" => Ok(Family::Gamma),
        "tweedie" => Ok(Family::Tweedie { power }),
        other => Err(Error::invalid(
            format!("unknown loss \"{other}\""),
            "One of: squared (any amounts), gamma (greater than 0), tweedie (some of them 0).",
        )),
    }
}

/// `fit_boosted_value(design, names, loss, power, trees, …)`, the rest as of `fit_boosted_hazard`.
pub fn fit_boosted_value(call: &Call) -> pg_sys::Datum {
    let (Some(name), Some(power), Some(options)) = (call.text(2), call.float(3), options(call, 4)) else {
        return call.null();
    };
    let family = settle(loss(name, power));
    let bytes = call.state(0, |design: &Design| {
        let fitted = |options: &Options| value::fit(design, family, options, &mut interrupts::check).map(Fit::from);
        model(call, design, 1, options, fitted)
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
        Fit::BoostedValue(fit) => (fit.losses.clone(), fit.trees.len()),
        _ => (Vec::new(), 0),
    });
    let (losses, used) = path.unwrap_or_default();
    call.answer_rows(losses.into_iter().enumerate().map(|(trees, loss)| {
        vec![Field::Int4(Some(trees as i32)), Field::Float(Some(loss)), Field::Bool(trees == used)]
    }))
}
