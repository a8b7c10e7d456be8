//! Whether predicted survival came true, in SQL: the rows as a value, and the scores under censoring.

use std::ffi::{CStr, CString};

use ltv_engine::assess::brier::BrierScore;
use ltv_engine::assess::calibration::Calibration;
use ltv_engine::assess::inverse_censoring::Censoring;
use ltv_engine::assess::smoothed_error::SmoothedError;
use ltv_engine::assess::survival_calibration::{Columns, SurvivalCalibration};
use ltv_engine::assess::survival_scores::integrated;
use ltv_engine::survival::kaplan_meier::critical_value;
use ltv_engine::{Error, Result};
use pgrx::Internal;
use pgrx::prelude::*;
use serde::{Deserialize, Serialize};

use crate::pg::call::{Call, Field};
use crate::pg::error::{raise, settle};
use crate::pg::varlena::{Stored, Value, received};
use crate::pg::{interrupts, settings};
use crate::ranking::count;
use crate::text::{self, Number, Text};
use crate::types;

/// A tuple of numbers, or NULL.
fn tuple<const N: usize>(call: &Call, fields: Option<[Option<f64>; N]>) -> pg_sys::Datum {
    match fields {
        Some(fields) => call.answer_tuple(fields.into_iter().map(Field::Float).collect()),
        None => call.null(),
    }
}

fn scores(score: BrierScore) -> [Option<f64>; 3] {
    [Some(score.brier), Some(score.reference), score.skill]
}

/// How censoring is weighed for, by the argument at `place`; `None` for NULL.
fn censoring(call: &Call, place: usize) -> Option<Censoring> {
    call.text(place).map(|name| settle(name.parse()))
}

/// `brier_score(s, horizon, censoring)`.
pub fn brier_score(call: &Call) -> pg_sys::Datum {
    let (Some(horizon), Some(censoring)) = (call.float(1), censoring(call, 2)) else { return call.null() };
    let score = call.state(0, |s: &SurvivalCalibration| settle(s.brier(horizon, censoring, &mut interrupts::check)));
    tuple(call, score.flatten().map(scores))
}

/// `integrated_brier_score(s[], horizons, censoring)`.
pub fn integrated_brier_score(call: &Call) -> pg_sys::Datum {
    let (Some(horizons), Some(censoring)) = (call.floats(1), censoring(call, 2)) else { return call.null() };
    let Some(summaries) = call.get::<Vec<Option<Value<SurvivalCalibration>>>>(0) else { return call.null() };
    if summaries.len() != horizons.len() {
        raise(Error::invalid(
            format!("{} summaries and {} horizons do not belong together", summaries.len(), horizons.len()),
            "One summary for each horizon, in the same order.",
        ));
    }
    let score = |(summary, horizon): (Option<Value<SurvivalCalibration>>, &f64)| {
        summary.and_then(|summary| settle(summary.0.brier(*horizon, censoring, &mut interrupts::check)))
    };
    let brier: Vec<Option<BrierScore>> = summaries.into_iter().zip(horizons).map(score).collect();
    tuple(call, settle(integrated(horizons, &brier)).map(scores))
}

/// `concordance(s, method, until, level)`.
pub fn concordance(call: &Call) -> pg_sys::Datum {
    let (Some(method), Some(level)) = (call.text(1), call.float(3)) else { return call.null() };
    let (method, z, until) = (settle(method.parse()), settle(critical_value(level)), call.float(2));
    let found = |s: &SurvivalCalibration| settle(s.concordance(method, until, &mut interrupts::check));
    let Some(found) = call.state(0, found) else { return call.null() };
    let estimate = found.counts.estimate();
    let limit = |side: f64| {
        estimate.zip(found.std_error).map(|(estimate, error)| (estimate + side * z * error).clamp(0.0, 1.0))
    };
    let pairs = found.counts;
    tuple(
        call,
        Some([
            estimate,
            found.std_error,
            limit(-1.0),
            limit(1.0),
            Some(pairs.concordant),
            Some(pairs.discordant),
            Some(pairs.tied_x),
            Some(pairs.tied_y),
            Some(pairs.tied_xy),
        ]),
    )
}

/// `auc(s, horizon, censoring)`.
pub fn auc(call: &Call) -> pg_sys::Datum {
    let (Some(horizon), Some(censoring)) = (call.float(1), censoring(call, 2)) else { return call.null() };
    let area = |s: &SurvivalCalibration| settle(s.area(horizon, censoring, &mut interrupts::check));
    call.answer_float(call.state(0, area).flatten())
}

/// `calibration_curve(s, horizon, bins, method, level)`.
pub fn calibration_curve(call: &Call) -> pg_sys::Datum {
    let (Some(horizon), Some(bins), Some(method), Some(level)) =
        (call.float(1), call.integer(2), call.text(3), call.float(4))
    else {
        return call.answer_rows([]);
    };
    let (bins, method, z) = (count(bins, "bins"), settle(method.parse()), settle(critical_value(level)));
    let rows = call.state(0, |s: &SurvivalCalibration| {
        settle(s.calibration_curve(horizon, bins, method, z, &mut interrupts::check))
    });
    call.answer_rows(rows.unwrap_or_default().into_iter().map(|row| {
        vec![
            Field::Int4(i32::try_from(row.bin).ok()),
            Field::Float(Some(row.n)),
            Field::Float(Some(row.events)),
            Field::Float(Some(row.censored)),
            Field::Float(Some(row.mean_predicted)),
            Field::Float(row.observed),
            Field::Float(row.lower),
            Field::Float(row.upper),
            Field::Float(row.gap),
        ]
    }))
}

/// `expected_calibration_error(s, horizon, bins, method)`.
pub fn expected_calibration_error(call: &Call) -> pg_sys::Datum {
    let (Some(horizon), Some(bins), Some(method)) = (call.float(1), call.integer(2), call.text(3)) else {
        return call.null();
    };
    let (bins, method) = (count(bins, "bins"), settle(method.parse()));
    let found =
        |s: &SurvivalCalibration| settle(s.expected_calibration_error(horizon, bins, method, &mut interrupts::check));
    call.answer_float(call.state(0, found).flatten())
}

fn errors(call: &Call, found: Option<SmoothedError>) -> pg_sys::Datum {
    tuple(call, found.map(|found| [found.ici, found.e50, found.e90, found.e_max].map(Some)))
}

/// `integrated_calibration_index(s, horizon)`.
pub fn integrated_calibration_index(call: &Call) -> pg_sys::Datum {
    let Some(horizon) = call.float(1) else { return call.null() };
    let found = |s: &SurvivalCalibration| settle(s.smoothed_error(horizon, settings::budget(), &mut interrupts::check));
    errors(call, call.state(0, found).flatten())
}

/// `integrated_calibration_index(c)`.
pub fn integrated_calibration_index_binary(call: &Call) -> pg_sys::Datum {
    let found = |c: &Calibration| settle(c.smoothed_error(settings::budget(), &mut interrupts::check));
    errors(call, call.state(0, found).flatten())
}

/// `d_calibration(s, bins)`.
pub fn d_calibration(call: &Call) -> pg_sys::Datum {
    let Some(bins) = call.integer(1) else { return call.null() };
    let bins = count(bins, "bins");
    let Some(test) = call.state(0, |s: &SurvivalCalibration| settle(s.d_calibration(bins))).flatten() else {
        return call.null();
    };
    call.answer_tuple(vec![
        Field::Float(Some(test.chi_squared)),
        Field::Int4(i32::try_from(test.df).ok()),
        Field::Float(Some(test.p_value)),
    ])
}

/// `d_calibration_table(s, bins)`.
pub fn d_calibration_table(call: &Call) -> pg_sys::Datum {
    let Some(bins) = call.integer(1) else { return call.answer_rows([]) };
    let bins = count(bins, "bins");
    let rows = call.state(0, |s: &SurvivalCalibration| settle(s.distribution(bins))).unwrap_or_default();
    call.answer_rows(rows.into_iter().map(|row| {
        let mut fields = vec![Field::Int4(i32::try_from(row.bin).ok())];
        fields.extend([row.from, row.to, row.n, row.expected].map(|number| Field::Float(Some(number))));
        fields
    }))
}

/// `skipped(s)`.
pub fn skipped(call: &Call) -> pg_sys::Datum {
    match call.state(0, SurvivalCalibration::skipped) {
        Some(rows) => pg_sys::Datum::from(i64::try_from(rows).unwrap_or(i64::MAX)),
        None => call.null(),
    }
}

impl Stored for SurvivalCalibration {
    const SQL_NAME: &'static str = "ltv.survival_calibration";

    fn to_bytes(&self) -> Vec<u8> {
        self.encode()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        SurvivalCalibration::decode(bytes)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum SurvivalCalibrationText {
    SurvivalCalibration {
        version: u32,
        survival: Vec<Number>,
        duration: Vec<Number>,
        event: Vec<u8>,
        /// Left out when all are 1.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        weight: Vec<Number>,
        skipped: u64,
    },
}

impl Text for SurvivalCalibration {
    fn to_text(&self) -> Result<String> {
        let columns = self.columns();
        let numbers = |column: Vec<f64>| column.into_iter().map(Number).collect();
        text::print(&SurvivalCalibrationText::SurvivalCalibration {
            version: text::VERSION,
            survival: numbers(columns.survival),
            duration: numbers(columns.exits),
            event: columns.events.into_iter().map(u8::from).collect(),
            weight: numbers(columns.weights),
            skipped: self.skipped(),
        })
    }

    fn from_text(text: &str) -> Result<Self> {
        let SurvivalCalibrationText::SurvivalCalibration { version, survival, duration, event, weight, skipped } =
            text::parse(text, "ltv.survival_calibration")?;
        text::known(version, "ltv.survival_calibration")?;
        if let Some(odd) = event.iter().find(|event| **event > 1) {
            return Err(Error::malformed(format!("an event must be 0 or 1, got {odd}")));
        }
        let numbers = |column: Vec<Number>| column.into_iter().map(|number| number.0).collect();
        let columns = Columns {
            survival: numbers(survival),
            exits: numbers(duration),
            events: event.into_iter().map(|event| event == 1).collect(),
            weights: numbers(weight),
        };
        SurvivalCalibration::from_columns(&columns, skipped)
    }
}

#[pg_extern(sql = false)]
fn survival_calibration_in(text: &CStr) -> Value<SurvivalCalibration> {
    types::read(text)
}

#[pg_extern(sql = false)]
fn survival_calibration_out(value: Value<SurvivalCalibration>) -> CString {
    types::print(&value.0)
}

#[pg_extern(sql = false)]
fn survival_calibration_recv(message: Internal) -> Value<SurvivalCalibration> {
    received(message)
}

#[pg_extern(sql = false)]
fn survival_calibration_send(value: Value<SurvivalCalibration>) -> Vec<u8> {
    value.0.to_bytes()
}
