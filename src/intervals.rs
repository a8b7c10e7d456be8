//! Curves from intervals in SQL: the sample as a value, and the estimate.

use std::ffi::{CStr, CString};

use ltv_engine::survival::Survival;
use ltv_engine::survival::intervals::{Interval, IntervalSample};
use ltv_engine::survival::turnbull::{self, Turnbull};
use ltv_engine::{Error, Result};
use pgrx::Internal;
use pgrx::prelude::*;
use serde::{Deserialize, Serialize};

use crate::pg::call::{Call, Field};
use crate::pg::error::settle;
use crate::pg::varlena::{Stored, Value, received};
use crate::pg::{interrupts, settings};
use crate::text::{self, Number, Text};
use crate::types;

fn estimate(call: &Call) -> Option<Turnbull> {
    let of = |sample: &IntervalSample| settle(turnbull::turnbull(sample, settings::budget(), &mut interrupts::check));
    call.state(0, of).flatten()
}

/// `turnbull(i)`, and the final function of `interval_survival_agg`: the curve; NULL when there are no rows.
pub fn turnbull(call: &Call) -> pg_sys::Datum {
    match estimate(call) {
        Some(estimate) => call.answer_bytes(&Survival::Fitted(estimate.curve()).encode()),
        None => call.null(),
    }
}

/// `turnbull_intervals(i)`: where the masses are.
pub fn turnbull_intervals(call: &Call) -> pg_sys::Datum {
    let Some(estimate) = estimate(call) else { return call.answer_rows([]) };
    let survival = estimate.survival();
    // An end at infinity is none: a field that is not finite is NULL.
    call.answer_rows(estimate.intervals.iter().zip(survival).map(|(interval, survival)| {
        vec![
            Field::Float(Some(interval.left)),
            Field::Float(Some(interval.right)),
            Field::Float(Some(interval.mass)),
            Field::Float(Some(survival).filter(|_| interval.right.is_finite())),
        ]
    }))
}

/// `skipped(i)`.
pub fn skipped(call: &Call) -> pg_sys::Datum {
    match call.state(0, IntervalSample::skipped) {
        Some(rows) => pg_sys::Datum::from(i64::try_from(rows).unwrap_or(i64::MAX)),
        None => call.null(),
    }
}

impl Stored for IntervalSample {
    const SQL_NAME: &'static str = "ltv.interval_sample";

    fn to_bytes(&self) -> Vec<u8> {
        self.encode()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        IntervalSample::decode(bytes)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum IntervalText {
    /// A right end of null is infinite.
    IntervalSample { version: u32, left: Vec<Number>, right: Vec<Option<Number>>, weight: Vec<Number>, skipped: u64 },
}

impl Text for IntervalSample {
    fn to_text(&self) -> Result<String> {
        let cells = self.sorted();
        text::print(&IntervalText::IntervalSample {
            version: text::VERSION,
            left: cells.iter().map(|cell| Number(cell.left)).collect(),
            right: cells.iter().map(|cell| cell.right.is_finite().then_some(Number(cell.right))).collect(),
            weight: cells.iter().map(|cell| Number(cell.weight)).collect(),
            skipped: self.skipped(),
        })
    }

    fn from_text(form: &str) -> Result<Self> {
        const NAME: &str = "ltv.interval_sample";
        let IntervalText::IntervalSample { version, left, right, weight, skipped } = text::parse(form, NAME)?;
        text::known(version, NAME)?;
        if left.len() != right.len() || left.len() != weight.len() {
            return Err(Error::malformed("the arrays of a summary differ in length"));
        }
        let ends = left.into_iter().zip(right).zip(weight);
        let cell = |((left, right), weight): ((Number, Option<Number>), Number)| Interval {
            left: left.0,
            right: right.map_or(f64::INFINITY, |right| right.0),
            weight: weight.0,
        };
        IntervalSample::from_sorted(ends.map(cell).collect(), skipped)
    }
}

#[pg_extern(sql = false)]
fn interval_sample_in(text: &CStr) -> Value<IntervalSample> {
    types::read(text)
}

#[pg_extern(sql = false)]
fn interval_sample_out(value: Value<IntervalSample>) -> CString {
    types::print(&value.0)
}

#[pg_extern(sql = false)]
fn interval_sample_recv(message: Internal) -> Value<IntervalSample> {
    received(message)
}

#[pg_extern(sql = false)]
fn interval_sample_send(value: Value<IntervalSample>) -> Vec<u8> {
    value.0.to_bytes()
}
