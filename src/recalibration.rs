//! Maps from predicted to observed probability, in SQL: fitted, shown as JSON, applied to summaries and to models.

use ltv_engine::assess::calibration::Calibration;
use ltv_engine::assess::survival_calibration::SurvivalCalibration;
use ltv_engine::model::Model;
use ltv_engine::survival::RecalibrationMap;
use ltv_engine::{Error, Result};
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::pg::error::settle;
use crate::pg::varlena::Value;
use crate::pg::{interrupts, settings};

fn shown(map: &RecalibrationMap) -> JsonB {
    let json = serde_json::to_value(map).map_err(|e| Error::malformed(format!("the map cannot be shown: {e}")));
    JsonB(settle(json))
}

fn read(map: JsonB) -> RecalibrationMap {
    let hint = "As fit_recalibration gives it: {\"beta\": {\"intercept\": 0.1, \"event\": 0.9, \"survival\": 0.9}}.";
    let parsed: Result<RecalibrationMap> =
        serde_json::from_value(map.0).map_err(|e| Error::invalid(format!("this is no recalibration: {e}"), hint));
    let map = settle(parsed);
    settle(map.validate().map_err(|error| Error::invalid(error.to_string(), hint)));
    map
}

#[pg_extern(sql = false)]
fn fit_recalibration(c: Value<Calibration>, method: &str) -> JsonB {
    let method = settle(method.parse());
    shown(&settle(c.0.recalibration_map(method, &mut interrupts::check)))
}

#[pg_extern(sql = false)]
fn calibration_at(s: Value<SurvivalCalibration>, horizon: f64) -> Option<Value<Calibration>> {
    settle(s.0.known_at(horizon, settings::budget(), &mut interrupts::check)).map(Value)
}

#[pg_extern(sql = false)]
fn recalibrated_calibration(c: Value<Calibration>, map: JsonB) -> Value<Calibration> {
    Value(settle(c.0.recalibrated(&read(map), settings::budget())))
}

#[pg_extern(sql = false)]
fn recalibrated_survival_calibration(s: Value<SurvivalCalibration>, map: JsonB) -> Value<SurvivalCalibration> {
    Value(settle(s.0.recalibrated(&read(map), settings::budget())))
}

#[pg_extern(sql = false)]
fn recalibrated_probability(probability: f64, map: JsonB) -> f64 {
    if !(0.0..=1.0).contains(&probability) {
        settle(Err::<(), _>(Error::invalid(
            format!("a probability must be between 0 and 1, got {probability}"),
            "It is the probability of the event, not of the survival.",
        )));
    }
    read(map).event_probability(probability).clamp(0.0, 1.0)
}

#[pg_extern(sql = false)]
fn recalibrated_model(m: Value<Model>, map: Option<JsonB>) -> Value<Model> {
    Value(settle(m.0.recalibrated(map.map(read))))
}

#[pg_extern(sql = false)]
fn model_recalibration(m: Value<Model>) -> Option<JsonB> {
    m.0.recalibration.as_ref().map(shown)
}
