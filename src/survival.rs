//! Curves in SQL: the accessors of `ltv.survival` and the tests between curves.

use ltv_engine::survival::estimate::{Estimator, Variance};
use ltv_engine::survival::kaplan_meier::critical_value;
use ltv_engine::survival::life_table::{self, Manner};
use ltv_engine::survival::{CurveView, Reading, Sample, Survival, curve};
use ltv_engine::{Error, Result};
use pgrx::prelude::*;

use crate::pg::call::{Call, Field};
use crate::pg::error::{raise, settle};
use crate::pg::varlena::Value;
use crate::pg::varlena::decoded;

/// The sample in stored bytes; a fitted curve is none and does not merge.
pub fn sample_of(bytes: &[u8]) -> Result<Sample> {
    match decoded(bytes, Survival::decode)? {
        Survival::Sample(sample) => Ok(sample),
        Survival::Fitted(_) | Survival::Parametric(_) => Err(no_sample("rolled up")),
    }
}

pub fn no_sample(what: &str) -> Error {
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
fn read(call: &Call, read: impl FnOnce(CurveView, f64) -> Option<f64>) -> pg_sys::Datum {
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

/// How the curve is to be read: level, transform, estimator and variance from this argument on.
fn manner(call: &Call, from: usize) -> Option<Manner> {
    let (level, transform) = (call.float(from)?, call.text(from + 1)?);
    let (estimator, variance) = (call.text(from + 2)?, call.text(from + 3)?);
    Some(Manner {
        z: settle(critical_value(level)),
        transform: settle(transform.parse()),
        estimator: settle(estimator.parse::<Estimator>()),
        variance: settle(variance.parse::<Variance>()),
    })
}

/// `survival_interval(s, t, level, transform, estimator, variance)`.
pub fn survival_interval(call: &Call) -> pg_sys::Datum {
    let (Some(bytes), Some(t), Some(manner)) = (call.bytes(0), call.float(1), manner(call, 2)) else {
        return call.null();
    };
    let survival = settle(decoded(bytes, Survival::decode));
    let t = time("t", t);
    let curve = match survival {
        Survival::Parametric(curve) => Some(Reading::Smooth(curve)),
        steps => settle(steps.steps_by(manner.estimator, manner.variance)).map(Reading::Steps),
    };
    let found =
        curve.as_ref().map(Reading::view).and_then(|curve| Some((curve.survival_at(t)?, curve.log_variance_at(t))));
    let Some((estimate, log_variance)) = found else { return call.null() };
    let interval = manner.interval(estimate, log_variance);
    call.answer_tuple(vec![
        Field::Float(Some(interval.survival)),
        Field::Float(interval.std_error),
        Field::Float(interval.lower),
        Field::Float(interval.upper),
    ])
}

/// `curve(s, at, level, transform, estimator, variance)`: the life table, or the estimates at chosen times.
pub fn curve(call: &Call) -> pg_sys::Datum {
    let (Some(bytes), Some(manner)) = (call.bytes(0), manner(call, 2)) else { return call.answer_rows(Vec::new()) };
    let survival = settle(decoded(bytes, Survival::decode));
    let rows = match (&survival, call.floats(1)) {
        (Survival::Sample(sample), None) => settle(life_table::curve(sample, &manner)),
        (Survival::Sample(sample), Some(times)) => settle(life_table::curve_at(sample, &checked(times), &manner)),
        (Survival::Fitted(curve), times) => {
            let steps = curve.clone().into_steps();
            life_table::model_curve(&steps, &times.map_or_else(|| steps.times.clone(), checked), &manner)
        }
        (Survival::Parametric(curve), times) => {
            life_table::model_curve(curve, &times.map_or_else(|| curve.grid(GRID), checked), &manner)
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
            Field::Float(row.cumulative_hazard_std_error),
        ]
    }))
}

fn checked(times: &[f64]) -> Vec<f64> {
    times.iter().map(|t| time("at", *t)).collect()
}
