//! Competing risks in SQL: the type `ltv.incidence`, its accessors, and Gray's test.

use std::ffi::{CStr, CString};

use ltv_engine::Result;
use ltv_engine::survival::aalen_johansen::{self, Variance};
use ltv_engine::survival::curve::bad_time;
use ltv_engine::survival::gray;
use ltv_engine::survival::kaplan_meier::{self, Transform};
use ltv_engine::survival::{Incidence, Survival};
use pgrx::Internal;
use pgrx::prelude::*;

use crate::pg::call::{Call, Field};
use crate::pg::error::{raise, settle};
use crate::pg::varlena::decoded;
use crate::pg::varlena::{Stored, Value, received};
use crate::pg::{interrupts, settings};
use crate::types::{print, read};

impl Stored for Incidence {
    const SQL_NAME: &'static str = "ltv.incidence";

    fn to_bytes(&self) -> Vec<u8> {
        self.encode()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Incidence::decode(bytes)
    }
}

#[pg_extern(sql = false)]
fn incidence_in(text: &CStr) -> Value<Incidence> {
    read(text)
}

#[pg_extern(sql = false)]
fn incidence_out(value: Value<Incidence>) -> CString {
    print(&value.0)
}

#[pg_extern(sql = false)]
fn incidence_recv(message: Internal) -> Value<Incidence> {
    received(message)
}

#[pg_extern(sql = false)]
fn incidence_send(value: Value<Incidence>) -> Vec<u8> {
    value.0.to_bytes()
}

fn go_on(bytes: usize) -> Result<()> {
    interrupts::check()?;
    settings::budget().check(bytes, "the table of times and causes")
}

/// `incidence_curve(i, at, level, transform, variance)`.
pub fn incidence_curve(call: &Call) -> pg_sys::Datum {
    let (Some(bytes), Some(level)) = (call.bytes(0), call.float(2)) else { return call.answer_rows(Vec::new()) };
    let (Some(transform), Some(variance)) = (call.text(3), call.text(4)) else { return call.answer_rows(Vec::new()) };
    let incidence = settle(decoded(bytes, Incidence::decode));
    let z = settle(kaplan_meier::critical_value(level));
    let transform: Transform = settle(transform.parse());
    let variance: Variance = settle(variance.parse());
    let times = call.floats(1);
    if let Some(t) = times.and_then(|times| times.iter().find(|t| !(0.0..f64::INFINITY).contains(*t))) {
        raise(bad_time("at", *t));
    }
    let causes: Vec<usize> = incidence.causes().collect();
    let rows = settle(aalen_johansen::curve(&incidence, &causes, times, (z, transform, variance), &mut go_on));
    call.answer_rows(rows.into_iter().map(|row| {
        vec![
            Field::Float(Some(row.time)),
            Field::Int4(Some(row.cause as i32)),
            Field::Float(Some(row.at_risk)),
            Field::Float(Some(row.events)),
            Field::Float(row.estimate.map(|estimate| estimate.survival)),
            Field::Float(row.estimate.and_then(|estimate| estimate.std_error)),
            Field::Float(row.estimate.and_then(|estimate| estimate.lower)),
            Field::Float(row.estimate.and_then(|estimate| estimate.upper)),
        ]
    }))
}

/// `incidence_at(i, t, cause)`.
pub fn incidence_at(call: &Call) -> pg_sys::Datum {
    let (Some(bytes), Some(t), Some(cause)) = (call.bytes(0), call.float(1), call.integer(2)) else {
        return call.null();
    };
    let incidence = settle(decoded(bytes, Incidence::decode));
    call.answer_float(settle(aalen_johansen::incidence_at(&incidence, t, cause, &mut go_on)))
}

fn lost(call: &Call) -> Option<(f64, f64)> {
    let (bytes, tau, cause) = (call.bytes(0)?, call.float(1)?, call.integer(2)?);
    let incidence = settle(decoded(bytes, Incidence::decode));
    settle(aalen_johansen::time_lost(&incidence, tau, cause, &mut go_on))
}

/// `time_lost(i, tau, cause)`.
pub fn time_lost(call: &Call) -> pg_sys::Datum {
    call.answer_float(lost(call).map(|(mean, _)| mean))
}

/// `time_lost_interval(i, tau, cause, level)`.
pub fn time_lost_interval(call: &Call) -> pg_sys::Datum {
    let Some(level) = call.float(3) else { return call.null() };
    let z = settle(kaplan_meier::critical_value(level));
    let (Some((mean, std_error)), Some(tau)) = (lost(call), call.float(1)) else { return call.null() };
    call.answer_tuple(vec![
        Field::Float(Some(mean)),
        Field::Float(Some(std_error)),
        Field::Float(Some((mean - z * std_error).max(0.0))),
        Field::Float(Some((mean + z * std_error).min(tau))),
    ])
}

#[pg_extern(sql = false)]
fn event_free_survival(i: Value<Incidence>) -> Value<Survival> {
    Value(Survival::Sample(settle(i.0.event_free())))
}

#[pg_extern(sql = false)]
fn cause_survival(i: Value<Incidence>, cause: i32) -> Value<Survival> {
    Value(Survival::Sample(settle(i.0.of_cause(cause))))
}

#[pg_extern(sql = false)]
fn causes(i: Value<Incidence>) -> Vec<i32> {
    i.0.causes().map(|cause| cause as i32).collect()
}

#[pg_extern(sql = false)]
fn incidence_subjects(i: Value<Incidence>) -> f64 {
    i.0.subjects()
}

#[pg_extern(sql = false)]
fn incidence_events(i: Value<Incidence>) -> f64 {
    i.0.events()
}

#[pg_extern(sql = false)]
fn incidence_events_of(i: Value<Incidence>, cause: i32) -> f64 {
    settle(i.0.of_cause(cause)).events()
}

#[pg_extern(sql = false)]
fn incidence_censored(i: Value<Incidence>) -> f64 {
    i.0.censored()
}

#[pg_extern(sql = false)]
fn incidence_skipped(i: Value<Incidence>) -> i64 {
    i64::try_from(i.0.skipped()).unwrap_or(i64::MAX)
}

#[pg_extern(sql = false)]
fn incidence_max_followup(i: Value<Incidence>) -> Option<f64> {
    i.0.max_followup()
}

#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
fn gray_test(
    cohorts: Array<Value<Incidence>>,
    cause: i32,
    rho: f64,
) -> TableIterator<'static, (name!(chi_squared, Option<f64>), name!(df, i32), name!(p_value, Option<f64>))> {
    let cohorts: Vec<Incidence> = cohorts.iter().flatten().map(|cohort| cohort.0).collect();
    let cohorts: Vec<&Incidence> = cohorts.iter().collect();
    let test = settle(gray::gray_test(&cohorts, cause, rho, &mut go_on));
    TableIterator::once((test.chi_squared, test.df as i32, test.p_value))
}
