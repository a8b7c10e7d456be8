//! Transactional models in SQL: fits, and what a model says of a customer.

use ltv_engine::btyd::fit::{TransactionalFit, fit_purchases as fit_sample, fit_spend};
use ltv_engine::btyd::history::History;
use ltv_engine::btyd::purchases::{Leaving, PurchaseModel};
use ltv_engine::btyd::sample::{PurchaseSample, SpendSample};
use ltv_engine::model::transactional::Unit;
use ltv_engine::model::{Fit, Model};
use pgrx::prelude::*;

use crate::pg::call::{Call, ModelBy};
use crate::pg::error::settle;
use crate::pg::{interrupts, settings};

/// Bytes of a sample's cell that a fit holds beside the sample: sorted, and once more by those that tell where to begin.
const BYTES_PER_CELL: usize = 72;

fn encoded(fit: Option<TransactionalFit>, skipped: u64) -> Option<Vec<u8>> {
    let model = Model { features: Vec::new(), fit: Fit::from(fit?), skipped, recalibration: None };
    Some(settle(model.encode()))
}

fn answer_model(call: &Call, bytes: Option<Option<Vec<u8>>>) -> pg_sys::Datum {
    bytes.flatten().map_or_else(|| call.null(), |bytes| call.answer_bytes(&bytes))
}

/// `fit_bg_nbd(sample)` and its relatives, and the final functions of the aggregates of those names; NULL for nobody.
pub fn fit_purchases(call: &Call, leaving: Leaving) -> pg_sys::Datum {
    let bytes = call.state(0, |sample: &PurchaseSample| {
        settle(settings::budget().check(sample.memory_bytes() + BYTES_PER_CELL * sample.len(), "the fit"));
        encoded(settle(fit_sample(sample, leaving, &mut interrupts::check)), sample.skipped())
    });
    answer_model(call, bytes)
}

/// `fit_gamma_gamma(sample)`.
pub fn fit_gamma_gamma(call: &Call) -> pg_sys::Datum {
    let bytes = call.state(0, |sample: &SpendSample| {
        settle(settings::budget().check(3 * sample.memory_bytes(), "the fit"));
        encoded(settle(fit_spend(sample, &mut interrupts::check)), sample.skipped())
    });
    answer_model(call, bytes)
}

/// `skipped(sample)`.
pub fn purchases_skipped(call: &Call) -> pg_sys::Datum {
    answer_count(call, call.state(0, PurchaseSample::skipped))
}

/// `skipped(sample)`.
pub fn spend_skipped(call: &Call) -> pg_sys::Datum {
    answer_count(call, call.state(0, SpendSample::skipped))
}

fn answer_count(call: &Call, rows: Option<u64>) -> pg_sys::Datum {
    match rows {
        Some(rows) => pg_sys::Datum::from(i64::try_from(rows).unwrap_or(i64::MAX)),
        None => call.null(),
    }
}

/// The model of purchases that is argument 0, of the segment named in argument `segment`; `None` when it is NULL or
/// nothing could be fitted.
fn purchase_model(call: &Call, by: ModelBy, segment: usize) -> Option<PurchaseModel> {
    let segment = call.text(segment);
    call.model_by(by, 0, |model| settle(model.of_segment(segment).purchases()))?
}

/// Whether one of the first `arguments` is NULL.
fn lacks(call: &Call, arguments: usize) -> bool {
    (0..arguments).any(|at| call.is_null(at))
}

/// The history in arguments from `first` on; `None` when one is NULL.
fn history(call: &Call, first: usize) -> Option<History> {
    let (frequency, recency, age) = (call.float(first)?, call.float(first + 1)?, call.float(first + 2)?);
    Some(settle(History::new(frequency, recency, age)))
}

/// `probability_alive(m, frequency, recency, age, segment)`.
pub fn probability_alive(call: &Call, by: ModelBy) -> pg_sys::Datum {
    if lacks(call, 4) {
        return call.null();
    }
    let customer = history(call, 1);
    let answer = customer.zip(purchase_model(call, by, 4)).map(|(customer, model)| model.probability_alive(&customer));
    call.answer_float(answer)
}

/// `expected_purchases(m, frequency, recency, age, horizon, segment)`.
pub fn expected_purchases(call: &Call, by: ModelBy) -> pg_sys::Datum {
    if lacks(call, 5) {
        return call.null();
    }
    let (Some(customer), Some(horizon)) = (history(call, 1), call.float(4)) else { return call.null() };
    let model = purchase_model(call, by, 5);
    call.answer_float(model.and_then(|model| settle(model.expected_purchases(&customer, horizon))))
}

/// `expected_purchases(m, horizon, segment)`: of a new customer.
pub fn expected_purchases_new(call: &Call, by: ModelBy) -> pg_sys::Datum {
    if lacks(call, 2) {
        return call.null();
    }
    let Some(horizon) = call.float(1) else { return call.null() };
    call.answer_float(purchase_model(call, by, 2).and_then(|model| settle(model.expected_of_new(horizon))))
}

/// `purchase_probability(m, purchases, horizon, segment)`.
pub fn purchase_probability(call: &Call, by: ModelBy) -> pg_sys::Datum {
    if lacks(call, 3) {
        return call.null();
    }
    let (Some(purchases), Some(horizon)) = (call.float(1), call.float(2)) else { return call.null() };
    let probability = |model: PurchaseModel| settle(model.purchase_probability(purchases, horizon));
    call.answer_float(purchase_model(call, by, 3).and_then(probability))
}

/// `discounted_purchases(m, frequency, recency, age, discount_rate, unit, segment)`.
pub fn discounted_purchases(call: &Call, by: ModelBy) -> pg_sys::Datum {
    if lacks(call, 6) {
        return call.null();
    }
    let (Some(customer), Some(annual), Some(unit)) = (history(call, 1), call.float(4), call.text(5)) else {
        return call.null();
    };
    let unit: Unit = settle(unit.parse());
    let rate = settle(unit.continuous_rate(annual));
    let model = purchase_model(call, by, 6);
    call.answer_float(model.and_then(|model| settle(model.discounted_purchases(&customer, rate))))
}

/// `expected_spend(m, frequency, mean_value, segment)`; the mean value may be NULL where the frequency is 0.
pub fn expected_spend(call: &Call, by: ModelBy) -> pg_sys::Datum {
    let Some(frequency) = call.float(1) else { return call.null() };
    let mean = match call.float(2) {
        None if frequency != 0.0 => return call.null(),
        mean => mean.unwrap_or(0.0),
    };
    let segment = call.text(3);
    let expected = |model: &Model| settle(settle(model.of_segment(segment).spend()).expected_spend(frequency, mean));
    call.answer_float(call.model_by(by, 0, expected).flatten())
}
