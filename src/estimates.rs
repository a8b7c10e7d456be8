//! What is read off a curve beyond its values, in SQL: intervals, comparisons, the smoothed hazard, the curve's state.

use ltv_engine::Result;
use ltv_engine::survival::comparison::{self, Time};
use ltv_engine::survival::estimate::{Estimator, Variance};
use ltv_engine::survival::kaplan_meier::{Transform, critical_value};
use ltv_engine::survival::kernel::Kernel;
use ltv_engine::survival::quantile::quantile_interval as interval_of_quantile;
use ltv_engine::survival::restricted_mean::restricted_mean;
use ltv_engine::survival::smooth_hazard::{self, SmoothHazard};
use ltv_engine::survival::{Survival, curve, early_risk};
use pgrx::prelude::*;

use crate::pg::call::{Call, Field};
use crate::pg::error::{raise, settle};
use crate::pg::interrupts;
use crate::pg::varlena::decoded;

fn survival(call: &Call, place: usize) -> Option<Survival> {
    call.bytes(place).map(|bytes| settle(decoded(bytes, Survival::decode)))
}

/// The option with this name in SQL.
fn named<T: std::str::FromStr<Err = ltv_engine::Error>>(call: &Call, place: usize) -> Option<T> {
    call.text(place).map(|name| settle(name.parse()))
}

fn critical(call: &Call, place: usize) -> Option<f64> {
    call.float(place).map(|level| settle(critical_value(level)))
}

fn tuple(call: &Call, fields: Option<Vec<Option<f64>>>) -> pg_sys::Datum {
    match fields {
        Some(fields) => call.answer_tuple(fields.into_iter().map(Field::Float).collect()),
        None => call.null(),
    }
}

/// `quantile_interval(s, p, level, transform, variance)`.
pub fn quantile_interval(call: &Call) -> pg_sys::Datum {
    let answer = || {
        let (survival, p, z) = (survival(call, 0)?, call.float(1)?, critical(call, 2)?);
        let (transform, variance): (Transform, Variance) = (named(call, 3)?, named(call, 4)?);
        let steps = settle(survival.steps_by(Estimator::KaplanMeier, variance))?;
        let found = settle(interval_of_quantile(&steps, p, z, transform));
        Some(vec![found.quantile, found.lower, found.upper])
    };
    tuple(call, answer())
}

/// `rmst_interval(s, tau, level, variance)`.
pub fn rmst_interval(call: &Call) -> pg_sys::Datum {
    let answer = || {
        let (survival, tau, z, variance) = (survival(call, 0)?, call.float(1)?, critical(call, 2)?, named(call, 3)?);
        let found = settle(restricted_mean(&survival, tau, variance))?;
        let std_error = found.variance.map(f64::sqrt);
        let at = |side: f64| std_error.map(|std_error| found.mean + side * z * std_error);
        Some(vec![Some(found.mean), std_error, at(-1.0), at(1.0)])
    };
    tuple(call, answer())
}

/// `rmst_difference(a, b, tau, level)`.
pub fn rmst_difference(call: &Call) -> pg_sys::Datum {
    let answer = || {
        let (a, b, tau, z) = (survival(call, 0)?, survival(call, 1)?, call.float(2)?, critical(call, 3)?);
        let found = settle(comparison::rmst_difference(&a, &b, tau, z))?;
        Some(vec![Some(found.difference), found.std_error, found.z, found.p_value, found.lower, found.upper])
    };
    tuple(call, answer())
}

/// `rmst_ratio(a, b, tau, level)` and `rmtl_ratio`.
pub fn rmst_ratio(call: &Call, of: Time) -> pg_sys::Datum {
    let answer = || {
        let (a, b, tau, z) = (survival(call, 0)?, survival(call, 1)?, call.float(2)?, critical(call, 3)?);
        let found = settle(comparison::rmst_ratio(&a, &b, tau, of, z))?;
        Some(vec![Some(found.ratio), found.lower, found.upper, found.p_value])
    };
    tuple(call, answer())
}

/// `survival_difference(a, b, t, transform, level)`.
pub fn survival_difference(call: &Call) -> pg_sys::Datum {
    let answer = || {
        let (a, b, t) = (survival(call, 0)?, survival(call, 1)?, call.float(2)?);
        let (transform, z) = (named(call, 3)?, critical(call, 4)?);
        if !(0.0..f64::INFINITY).contains(&t) {
            raise(curve::bad_time("t", t));
        }
        let found = settle(comparison::survival_difference(&a, &b, t, transform, z))?;
        Some(vec![Some(found.difference), found.std_error, found.chi_squared, found.p_value, found.lower, found.upper])
    };
    tuple(call, answer())
}

fn smoothed(call: &Call, times: Option<&[f64]>, bandwidth: Option<f64>, kernel: Kernel, z: f64) -> Vec<SmoothHazard> {
    let Some(survival) = survival(call, 0) else { return Vec::new() };
    let rows: Result<Vec<SmoothHazard>> =
        smooth_hazard::smooth_hazard(&survival, times, bandwidth, kernel, z, &mut interrupts::check);
    settle(rows)
}

/// `smooth_hazard(s, at, bandwidth, kernel, level)`.
pub fn smooth_hazard(call: &Call) -> pg_sys::Datum {
    let rows = match (named(call, 3), critical(call, 4)) {
        (Some(kernel), Some(z)) => smoothed(call, call.floats(1), call.float(2), kernel, z),
        _ => Vec::new(),
    };
    call.answer_rows(rows.into_iter().map(|row| {
        vec![
            Field::Float(Some(row.time)),
            Field::Float(row.hazard),
            Field::Float(row.std_error),
            Field::Float(row.lower),
            Field::Float(row.upper),
        ]
    }))
}

/// `hazard_at(s, t)`: the smoothed hazard with the defaults.
pub fn hazard_at(call: &Call) -> pg_sys::Datum {
    let Some(t) = call.float(1) else { return call.null() };
    if !(0.0..f64::INFINITY).contains(&t) {
        raise(curve::bad_time("t", t));
    }
    let rows = smoothed(call, Some(&[t]), None, Kernel::default(), 0.0);
    call.answer_float(rows.first().and_then(|row| row.hazard))
}

/// `curve_status(s)`.
#[pg_extern(sql = false)]
fn curve_status(s: crate::pg::varlena::Value<Survival>) -> Option<String> {
    match &s.0 {
        Survival::Sample(sample) => Some(early_risk::status(sample)),
        _ => None,
    }
}
