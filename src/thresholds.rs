//! Thresholds of forecasts under censoring, and the weights behind them, in SQL.

use ltv_engine::assess::concordance::Outcomes;
use ltv_engine::assess::inverse_censoring::{self, Censoring, censoring_weights};
use ltv_engine::assess::survival_calibration::SurvivalCalibration;
use ltv_engine::assess::thresholds::Economics;
use pgrx::prelude::*;

use crate::pg::call::Call;
use crate::pg::error::{report, settle};
use crate::pg::interrupts;
use crate::ranking::{chosen, flagged};

/// `precision_recall(s, horizon, at, censoring)`.
pub fn precision_recall(call: &Call) -> pg_sys::Datum {
    let (Some(horizon), Some(censoring)) = (call.float(1), censoring(call, 3)) else { return call.answer_rows([]) };
    let at = call.floats(2);
    let found = |s: &SurvivalCalibration| settle(s.precision_recall(horizon, at, censoring, &mut interrupts::check));
    let rows = call.state(0, found).unwrap_or_default();
    call.answer_rows(rows.into_iter().map(|row| flagged(Some(row))))
}

/// `best_threshold(s, horizon, benefit, cost, capacity, censoring)`.
pub fn best_threshold(call: &Call) -> pg_sys::Datum {
    let (Some(horizon), Some(censoring)) = (call.float(1), censoring(call, 5)) else { return call.null() };
    let economics = Economics { benefit: call.float(2), cost: call.float(3), capacity: call.float(4) };
    let found =
        |s: &SurvivalCalibration| settle(s.best_threshold(horizon, economics, censoring, &mut interrupts::check));
    match call.state(0, found).flatten() {
        Some(best) => call.answer_tuple(chosen(best)),
        None => call.null(),
    }
}

fn censoring(call: &Call, place: usize) -> Option<Censoring> {
    call.text(place).map(|name| settle(name.parse()))
}

/// The values of an array without NULLs.
fn all<T>(values: Vec<Option<T>>, what: &str) -> Vec<T> {
    let found: Option<Vec<T>> = values.into_iter().collect();
    found.unwrap_or_else(|| {
        let code = PgSqlErrorCode::ERRCODE_NULL_VALUE_NOT_ALLOWED;
        report(code, format!("{what} is NULL"), "Leave out rows with a NULL.")
    })
}

#[pg_extern(sql = false)]
fn inverse_censoring_weights(
    durations: Option<Vec<Option<f64>>>,
    events: Option<Vec<Option<bool>>>,
    horizon: Option<f64>,
    weights: Option<Vec<Option<f64>>>,
    entries: Option<Vec<Option<f64>>>,
) -> Option<Vec<f64>> {
    let (durations, events) = (all(durations?, "a duration"), all(events?, "an event"));
    let (weights, entries) =
        (all(weights.unwrap_or_default(), "a weight"), all(entries.unwrap_or_default(), "an entry"));
    let outcomes = Outcomes { exits: &durations, events: &events, entries: &entries, weights: &weights };
    settle(censoring_weights(outcomes, &[], horizon?, &mut interrupts::check))
}

#[pg_extern(sql = false)]
fn censoring_groups(
    predicted: Option<Vec<Option<f64>>>,
    durations: Option<Vec<Option<f64>>>,
    events: Option<Vec<Option<bool>>>,
    horizon: Option<f64>,
    weights: Option<Vec<Option<f64>>>,
) -> Option<Vec<i32>> {
    let predicted = all(predicted?, "a prediction");
    let (durations, events) = (all(durations?, "a duration"), all(events?, "an event"));
    let weights = all(weights.unwrap_or_default(), "a weight");
    let outcomes = Outcomes { exits: &durations, events: &events, entries: &[], weights: &weights };
    let groups = settle(inverse_censoring::censoring_groups(outcomes, &predicted, horizon?, &mut interrupts::check));
    // Twenty at most.
    Some(groups.into_iter().map(|group| i32::try_from(group).unwrap_or(i32::MAX)).collect())
}
