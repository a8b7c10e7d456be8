//! Curves in SQL: the accessors of `ltv.survival` and the tests between curves.

use ltv_engine::survival::kaplan_meier::{self, Transform};
use ltv_engine::survival::log_rank::{self, Weighting};
use ltv_engine::survival::{Reading, Sample, Survival, curve};
use ltv_engine::{Error, Result};
use pgrx::prelude::*;

use crate::pg::call::{Call, Field};
use crate::pg::error::{raise, settle};
use crate::pg::varlena::Value;
use crate::pg::{interrupts, settings};

/// The sample in stored bytes; a fitted curve is none and does not merge.
pub fn sample_of(bytes: &[u8]) -> Result<Sample> {
    match Survival::decode(bytes)? {
        Survival::Sample(sample) => Ok(sample),
        Survival::Fitted(_) | Survival::Parametric(_) => Err(no_sample("rolled up")),
    }
}

fn no_sample(what: &str) -> Error {
    Error::invalid(
        format!("a fitted curve has no subjects and cannot be {what}"),
        "Only curves made by survival_agg (or conditional of one) hold a sample.",
    )
}

/// Even steps at which a smooth curve is shown when no times are asked for.
pub const GRID: u32 = 100;

fn time(name: &str, t: f64) -> f64 {
    if !(0.0..f64::INFINITY).contains(&t) {
        raise(curve::bad_time(name, t));
    }
    t
}

fn with_sample<T>(s: &Value<Survival>, read: impl FnOnce(&Sample) -> T) -> Option<T> {
    match &s.0 {
        Survival::Sample(sample) => Some(read(sample)),
        Survival::Fitted(_) | Survival::Parametric(_) => None,
    }
}

/// An accessor of a curve and one number.
fn read(call: &Call, read: impl FnOnce(&Reading, f64) -> Option<f64>) -> pg_sys::Datum {
    let Some(argument) = call.float(1) else { return call.null() };
    call.answer_float(call.curve(|curve| read(curve, argument)).flatten())
}

/// `survival_at(s, t)`.
pub fn survival_at(call: &Call) -> pg_sys::Datum {
    read(call, |curve, t| curve.survival_at(time("t", t)))
}

/// `cumulative_hazard_at(s, t)`.
pub fn cumulative_hazard_at(call: &Call) -> pg_sys::Datum {
    read(call, |curve, t| curve.cumulative_hazard_at(time("t", t)))
}

/// `quantile(s, p)`.
pub fn quantile(call: &Call) -> pg_sys::Datum {
    read(call, |curve, p| settle(curve.quantile(p)))
}

/// `rmst(s, tau)`.
pub fn rmst(call: &Call) -> pg_sys::Datum {
    read(call, |curve, tau| settle(curve.restricted_mean(tau)))
}

/// `renewal_probability(s, from_t, to_t)`.
pub fn renewal_probability(call: &Call) -> pg_sys::Datum {
    let Some(to) = call.float(2) else { return call.null() };
    read(call, |curve, from| settle(curve.renewal_probability(from, to)))
}

#[pg_extern(sql = false)]
fn conditional(s: Value<Survival>, given: f64) -> Option<Value<Survival>> {
    settle(s.0.conditional(given)).map(Value)
}

#[pg_extern(sql = false)]
fn subjects(s: Value<Survival>) -> Option<f64> {
    with_sample(&s, Sample::subjects)
}

#[pg_extern(sql = false)]
fn events(s: Value<Survival>) -> Option<f64> {
    with_sample(&s, Sample::events)
}

#[pg_extern(sql = false)]
fn censored(s: Value<Survival>) -> Option<f64> {
    with_sample(&s, Sample::censored)
}

#[pg_extern(sql = false)]
fn skipped(s: Value<Survival>) -> Option<i64> {
    with_sample(&s, |sample| i64::try_from(sample.skipped()).unwrap_or(i64::MAX))
}

#[pg_extern(sql = false)]
fn max_followup(s: Value<Survival>) -> Option<f64> {
    match s.0 {
        Survival::Sample(sample) => sample.max_followup(),
        Survival::Fitted(curve) => Some(curve.max_followup),
        Survival::Parametric(curve) => Some(curve.end_of_data()),
    }
}

/// `survival_interval(s, t, level, transform)`.
pub fn survival_interval(call: &Call) -> pg_sys::Datum {
    let (Some(bytes), Some(t)) = (call.bytes(0), call.float(1)) else { return call.null() };
    let (Some(level), Some(transform)) = (call.float(2), call.text(3)) else { return call.null() };
    let survival = settle(Survival::decode(bytes));
    let z = settle(kaplan_meier::critical_value(level));
    let transform: Transform = settle(transform.parse());
    let t = time("t", t);
    let curve = survival.reading();
    let found = curve.as_ref().and_then(|curve| Some((curve.survival_at(t)?, curve.log_variance_at(t))));
    let Some((estimate, log_variance)) = found else { return call.null() };
    let interval = kaplan_meier::interval(estimate, log_variance, z, transform);
    call.answer_tuple(vec![
        Field::Float(Some(interval.survival)),
        Field::Float(interval.std_error),
        Field::Float(interval.lower),
        Field::Float(interval.upper),
    ])
}

/// `curve(s, at, level, transform)`: the life table, or the estimates at chosen times.
pub fn curve(call: &Call) -> pg_sys::Datum {
    let (Some(bytes), Some(level), Some(transform)) = (call.bytes(0), call.float(2), call.text(3)) else {
        return call.answer_rows(Vec::new());
    };
    let survival = settle(Survival::decode(bytes));
    let z = settle(kaplan_meier::critical_value(level));
    let transform: Transform = settle(transform.parse());
    let rows = match (&survival, call.floats(1)) {
        (Survival::Sample(sample), None) => kaplan_meier::curve(sample, z, transform),
        (Survival::Sample(sample), Some(times)) => kaplan_meier::curve_at(sample, &checked(times), z, transform),
        (Survival::Fitted(_), times) => {
            let steps = survival.steps();
            let times = times.map(checked);
            steps.map(|steps| kaplan_meier::fitted_curve(&steps, times.as_deref(), z, transform)).unwrap_or_default()
        }
        (Survival::Parametric(curve), times) => {
            let times = times.map_or_else(|| curve.grid(GRID), checked);
            kaplan_meier::smooth_curve(curve, &times, z, transform)
        }
    };
    call.answer_rows(rows.into_iter().map(|row| {
        vec![
            Field::Float(Some(row.time)),
            Field::Float(row.at_risk),
            Field::Float(row.events),
            Field::Float(row.censored),
            Field::Float(row.entered),
            Field::Float(row.estimate.map(|estimate| estimate.survival)),
            Field::Float(row.estimate.and_then(|estimate| estimate.std_error)),
            Field::Float(row.estimate.and_then(|estimate| estimate.lower)),
            Field::Float(row.estimate.and_then(|estimate| estimate.upper)),
            Field::Float(row.cumulative_hazard),
        ]
    }))
}

fn checked(times: &[f64]) -> Vec<f64> {
    times.iter().map(|t| time("at", *t)).collect()
}

#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
fn log_rank(
    curves: Array<Value<Survival>>,
    weights: &str,
    p: f64,
    q: f64,
) -> TableIterator<'static, (name!(chi_squared, Option<f64>), name!(df, i32), name!(p_value, Option<f64>))> {
    let weighting = settle(Weighting::from_name(weights, p, q));
    let curves: Vec<Survival> = curves.iter().flatten().map(|curve| curve.0).collect();
    let samples: Vec<&Sample> = curves
        .iter()
        .map(|curve| match curve {
            Survival::Sample(sample) => sample,
            Survival::Fitted(_) | Survival::Parametric(_) => raise(no_sample("compared")),
        })
        .collect();
    let go_on = |bytes| {
        interrupts::check()?;
        settings::budget().check(bytes, "the test's table of times and cohorts")
    };
    let test = settle(log_rank::log_rank_asking(&samples, weighting, go_on));
    TableIterator::once((test.chi_squared, test.df as i32, test.p_value))
}
