//! Whether predicted probabilities came true, in SQL.

use ltv_engine::Error;
use ltv_engine::assess::calibration::Calibration;
use ltv_engine::assess::reliability::Binning;
use pgrx::prelude::*;

use crate::pg::call::{Call, Field};
use crate::pg::error::settle;
use crate::pg::interrupts;
use crate::pg::varlena::Value;
use crate::pg::varlena::decoded;

#[pg_extern(sql = false)]
fn brier(c: Value<Calibration>) -> Option<f64> {
    c.0.brier()
}

#[pg_extern(sql = false)]
fn log_loss(c: Value<Calibration>) -> Option<f64> {
    c.0.log_loss()
}

#[pg_extern(sql = false)]
fn auc(c: Value<Calibration>) -> Option<f64> {
    c.0.auc()
}

#[pg_extern(sql = false)]
fn calibration_slope(c: Value<Calibration>) -> Option<f64> {
    settle(c.0.recalibration(&mut interrupts::check)).map(|fit| fit.slope)
}

#[pg_extern(sql = false)]
fn calibration_intercept(c: Value<Calibration>) -> Option<f64> {
    settle(c.0.recalibration(&mut interrupts::check)).map(|fit| fit.intercept)
}

#[pg_extern(sql = false)]
fn expected_calibration_error(c: Value<Calibration>, bins: i32, method: &str) -> Option<f64> {
    let method: Binning = settle(method.parse());
    settle(c.0.expected_calibration_error(bin_count(bins), method))
}

fn bin_count(bins: i32) -> usize {
    settle(
        usize::try_from(bins)
            .map_err(|_| Error::invalid(format!("the number of bins must be at least 1, got {bins}"), "Ten is usual.")),
    )
}

/// `calibration_curve(c, bins, method, level)`.
pub fn calibration_curve(call: &Call) -> pg_sys::Datum {
    let (Some(bytes), Some(bins), Some(method), Some(level)) =
        (call.bytes(0), call.integer(1), call.text(2), call.float(3))
    else {
        return call.answer_rows(Vec::new());
    };
    let method: Binning = settle(method.parse());
    let calibration = settle(decoded(bytes, Calibration::decode));
    let rows = settle(calibration.calibration_curve(bin_count(bins), method, level));
    call.answer_rows(rows.into_iter().map(|row| {
        vec![
            Field::Int4(Some(row.bin as i32)),
            Field::Float(Some(row.n)),
            Field::Float(Some(row.mean_predicted)),
            Field::Float(Some(row.observed)),
            Field::Float(Some(row.lower)),
            Field::Float(Some(row.upper)),
            Field::Float(Some(row.gap)),
        ]
    }))
}
