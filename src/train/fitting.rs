//! The SQL of a fit for those who bring rows of their own: comparisons and backtests read options as `train` does.

use ltv_engine::model::features::{Feature, Kind};
use ltv_engine::{Error, Result};
use pgrx::pg_sys;

use crate::pg::call::{Call, Field};
use crate::pg::error::settle;
use crate::train::algorithm::Algorithm;
use crate::train::clauses;
use crate::train::learned::MAX_LEVELS;

/// `fit_statement(algorithm, options, features, levels)`.
pub fn fit_statement(call: &Call) -> pg_sys::Datum {
    let Some(name) = call.text(0) else { return call.null() };
    let options = call.jsonb(1).map(|json| settle(clauses::options(&json))).unwrap_or_default();
    let names = call.texts(2).unwrap_or_default();
    let levels: Vec<Option<i32>> = call.get(3).unwrap_or_default();
    settle(check(&names, &levels));
    let features: Vec<Feature> = names.into_iter().enumerate().map(|(at, name)| feature(name, &levels, at)).collect();
    let algorithm = settle(Algorithm::of(name, &options));
    let statement = settle(statement(name, &algorithm, &features));
    call.answer_tuple(vec![Field::Text(Some(statement)), Field::Bool(algorithm.standardizes())])
}

fn check(names: &[String], levels: &[Option<i32>]) -> Result<()> {
    if levels.len() > names.len() {
        return Err(Error::invalid(
            format!("{} numbers of levels for {} features", levels.len(), names.len()),
            "One for each of the features, NULL for a number or a boolean.",
        ));
    }
    let is_none = |levels: i32| !usize::try_from(levels).is_ok_and(|levels| (1..=MAX_LEVELS).contains(&levels));
    match names.iter().zip(levels).find(|(_, levels)| levels.is_some_and(is_none)) {
        Some((name, levels)) => Err(Error::invalid(
            format!("\"{name}\" cannot have {} levels", levels.unwrap_or(0)),
            format!("A category has 1 to {MAX_LEVELS} levels; NULL stands for a number or a boolean."),
        )),
        None => Ok(()),
    }
}

/// A category is known by how many levels it has, whatever these are called.
fn feature(name: String, levels: &[Option<i32>], at: usize) -> Feature {
    let kind = match levels.get(at).copied().flatten().and_then(|levels| usize::try_from(levels).ok()) {
        None => Kind::Numeric,
        Some(levels) => {
            Kind::Category { levels: (0..levels.min(MAX_LEVELS)).map(|level| format!("{level:04}")).collect() }
        }
    };
    Feature { name, kind }
}

fn statement(name: &str, algorithm: &Algorithm, features: &[Feature]) -> Result<String> {
    let refused = |what: &str, hint: &str| Err(Error::invalid(format!("{name} {what}"), hint));
    match algorithm {
        Algorithm::KaplanMeier => {
            refused("is not compared", "It is the baseline beside which every algorithm is judged.")
        }
        Algorithm::Renewal { .. }
        | Algorithm::Amount { .. }
        | Algorithm::BoostedValue { .. }
        | Algorithm::Hybrid { .. } => refused(
            "tells of no durations, by which algorithms are compared",
            "Compare models of how long a contract lasts: cox, boosted_hazard, discrete_time, weibull, best, ...; train judges the others on a holdout.",
        ),
        Algorithm::Customers(_) => refused(
            "tells of purchases, not of durations, by which algorithms are compared",
            "Compare their likelihoods (model_fit), or what train says of each: train(..., target => 'later', horizon => 39) holds them against what came.",
        ),
        Algorithm::FineGray(_) => refused(
            "is of one cause among several, and rows here tell only whether there was an event",
            "Train it with ltv.train and judge it on its holdout with ltv.evaluate; what is compared here are models of the hazard of one cause, such as cox with the event (cause = 'price').",
        ),
        Algorithm::Rule { json } if !crate::amount::rule_of(json)?.features.is_empty() => refused(
            "by a column is not compared",
            "Give one rate for all: {\"rule\": {\"monthly_churn\": 0.03}}; train judges a rule by a column on a holdout.",
        ),
        Algorithm::Best { .. } => {
            algorithm.call_on_candidates("$1").map_or_else(|| refused("has no candidates", ""), Ok)
        }
        _ => match algorithm.call_on_curve("$2") {
            Some(statement) => Ok(statement),
            None => algorithm.call("$1", features)?.map_or_else(|| refused("is not compared", "Name another."), Ok),
        },
    }
}
