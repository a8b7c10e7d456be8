//! Maps from predicted to observed probability, in SQL: fitted, shown as JSON, applied to summaries and to models.

use ltv_engine::assess::calibration::Calibration;
use ltv_engine::assess::survival_calibration::SurvivalCalibration;
use ltv_engine::model::Model;
use ltv_engine::survival::RecalibrationMap;
use ltv_engine::{Error, Result};
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::pg::call::Call;
use crate::pg::error::{raise, settle};
use crate::pg::varlena::Value;
use crate::pg::varlena::decoded;
use crate::pg::{interrupts, settings};

fn shown(map: &RecalibrationMap) -> JsonB {
    let json = serde_json::to_value(map).map_err(|e| Error::malformed(format!("the map cannot be shown: {e}")));
    JsonB(settle(json))
}

/// The map of an argument, `None` when it is NULL. Read from its text: a number that is beyond ours is no map.
fn map_of(call: &Call, place: usize) -> Option<RecalibrationMap> {
    let hint = "As fit_recalibration gives it: {\"beta\": {\"intercept\": 0.1, \"event\": 0.9, \"survival\": 0.9}}.";
    let text = call.jsonb(place)?;
    let parsed: Result<RecalibrationMap> =
        serde_json::from_str(&text).map_err(|e| Error::invalid(format!("this is no recalibration: {e}"), hint));
    let map = settle(parsed);
    settle(map.validate().map_err(|error| Error::invalid(error.to_string(), hint)));
    Some(map)
}

#[pg_extern(sql = false)]
fn fit_recalibration(c: Value<Calibration>, method: &str) -> JsonB {
    let method = settle(method.parse());
    shown(&settle(c.0.recalibration_map(method, &mut interrupts::check)))
}

#[pg_extern(sql = false)]
fn calibration_at(s: Value<SurvivalCalibration>, horizon: f64, censoring: &str) -> Option<Value<Calibration>> {
    let censoring = settle(censoring.parse());
    settle(s.0.known_at(horizon, censoring, settings::budget(), &mut interrupts::check)).map(Value)
}

/// `recalibrated(c, map)` of a calibration.
pub fn of_calibration(call: &Call) -> pg_sys::Datum {
    let (Some(bytes), Some(map)) = (call.bytes(0), map_of(call, 1)) else { return call.null() };
    let calibration = settle(decoded(bytes, Calibration::decode));
    call.answer_bytes(&settle(calibration.recalibrated(&map, settings::budget())).encode())
}

/// `recalibrated(s, map)` of a survival calibration.
pub fn of_survival_calibration(call: &Call) -> pg_sys::Datum {
    let Some(map) = map_of(call, 1) else { return call.null() };
    let through = call.state(0, |s: &SurvivalCalibration| settle(s.recalibrated(&map, settings::budget())).encode());
    through.map_or_else(|| call.null(), |bytes| call.answer_bytes(&bytes))
}

/// `recalibrated(m, map)` of a model.
pub fn of_model(call: &Call) -> pg_sys::Datum {
    let Some(bytes) = call.bytes(0) else { return call.null() };
    let model = settle(decoded(bytes, Model::decode));
    call.answer_bytes(&settle(settle(model.recalibrated(map_of(call, 1))).encode()))
}

/// `recalibrated_probability(probability, map)`.
pub fn of_probability(call: &Call) -> pg_sys::Datum {
    let (Some(probability), Some(map)) = (call.float(0), map_of(call, 1)) else { return call.null() };
    if !(0.0..=1.0).contains(&probability) {
        raise(Error::invalid(
            format!("a probability must be between 0 and 1, got {probability}"),
            "It is the probability of the event, not of the survival.",
        ));
    }
    call.answer_float(Some(map.event_probability(probability).clamp(0.0, 1.0)))
}

#[pg_extern(sql = false)]
fn model_recalibration(m: Value<Model>) -> Option<JsonB> {
    m.0.recalibration.as_ref().map(shown)
}
