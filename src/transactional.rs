//! Transactional models in SQL: samples as values, fits, and what a model says of a customer.

use std::ffi::{CStr, CString};

use ltv_engine::btyd::counts::Cell;
use ltv_engine::btyd::fit::{TransactionalFit, fit_purchases as fit_sample, fit_spend};
use ltv_engine::btyd::history::History;
use ltv_engine::btyd::purchases::{Leaving, PurchaseModel};
use ltv_engine::btyd::sample::{PurchaseSample, Purchases, SpendSample};
use ltv_engine::model::transactional::Unit;
use ltv_engine::model::{Fit, Model};
use ltv_engine::{Error, Result};
use pgrx::Internal;
use pgrx::prelude::*;
use serde::{Deserialize, Serialize};

use crate::pg::call::{Call, ModelBy};
use crate::pg::error::settle;
use crate::pg::varlena::{Stored, Value, received};
use crate::pg::{interrupts, settings};
use crate::text::{self, Number, Text};
use crate::types;

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

/// The model of purchases that is argument 0; `None` when it is NULL or nothing could be fitted.
fn purchase_model(call: &Call, by: ModelBy) -> Option<PurchaseModel> {
    call.model_by(by, 0, |model| settle(model.purchases()))?
}

/// The history in arguments from `first` on; `None` when one is NULL.
fn history(call: &Call, first: usize) -> Option<History> {
    let (frequency, recency, age) = (call.float(first)?, call.float(first + 1)?, call.float(first + 2)?);
    Some(settle(History::new(frequency, recency, age)))
}

/// `probability_alive(m, frequency, recency, age)`.
pub fn probability_alive(call: &Call, by: ModelBy) -> pg_sys::Datum {
    let customer = history(call, 1);
    let answer = purchase_model(call, by).zip(customer).map(|(model, customer)| model.probability_alive(&customer));
    call.answer_float(answer)
}

/// `expected_purchases(m, frequency, recency, age, horizon)`.
pub fn expected_purchases(call: &Call, by: ModelBy) -> pg_sys::Datum {
    let (Some(customer), Some(horizon)) = (history(call, 1), call.float(4)) else { return call.null() };
    call.answer_float(purchase_model(call, by).and_then(|model| settle(model.expected_purchases(&customer, horizon))))
}

/// `expected_purchases(m, horizon)`: of a new customer.
pub fn expected_purchases_new(call: &Call, by: ModelBy) -> pg_sys::Datum {
    let Some(horizon) = call.float(1) else { return call.null() };
    call.answer_float(purchase_model(call, by).and_then(|model| settle(model.expected_of_new(horizon))))
}

/// `purchase_probability(m, purchases, horizon)`.
pub fn purchase_probability(call: &Call, by: ModelBy) -> pg_sys::Datum {
    let (Some(purchases), Some(horizon)) = (call.float(1), call.float(2)) else { return call.null() };
    let probability = |model: PurchaseModel| settle(model.purchase_probability(purchases, horizon));
    call.answer_float(purchase_model(call, by).and_then(probability))
}

/// `discounted_purchases(m, frequency, recency, age, discount_rate, unit)`.
pub fn discounted_purchases(call: &Call, by: ModelBy) -> pg_sys::Datum {
    let (Some(customer), Some(annual), Some(unit)) = (history(call, 1), call.float(4), call.text(5)) else {
        return call.null();
    };
    let unit: Unit = settle(unit.parse());
    let rate = settle(unit.continuous_rate(annual));
    call.answer_float(purchase_model(call, by).and_then(|model| settle(model.discounted_purchases(&customer, rate))))
}

/// `expected_spend(m, frequency, mean_value)`; the mean value may be NULL where the frequency is 0.
pub fn expected_spend(call: &Call, by: ModelBy) -> pg_sys::Datum {
    let Some(frequency) = call.float(1) else { return call.null() };
    let mean = match call.float(2) {
        None if frequency != 0.0 => return call.null(),
        mean => mean.unwrap_or(0.0),
    };
    let spend = call.model_by(by, 0, |model| settle(settle(model.spend()).expected_spend(frequency, mean)));
    call.answer_float(spend.flatten())
}

impl Stored for PurchaseSample {
    const SQL_NAME: &'static str = "ltv.purchase_sample";

    fn to_bytes(&self) -> Vec<u8> {
        self.encode()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        PurchaseSample::decode(bytes)
    }
}

impl Stored for SpendSample {
    const SQL_NAME: &'static str = "ltv.spend_sample";

    fn to_bytes(&self) -> Vec<u8> {
        self.encode()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        SpendSample::decode(bytes)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum SampleText {
    PurchaseSample {
        version: u32,
        frequency: Vec<Number>,
        recency: Vec<Number>,
        age: Vec<Number>,
        customers: Vec<Number>,
        skipped: u64,
    },
    SpendSample {
        version: u32,
        frequency: Vec<Number>,
        mean_value: Vec<Number>,
        customers: Vec<Number>,
        skipped: u64,
    },
}

const DIFFERENT_LENGTHS: &str = "the arrays of a summary differ in length";

impl Text for PurchaseSample {
    fn to_text(&self) -> Result<String> {
        let cells = self.sorted();
        let column = |pick: fn(&Purchases) -> f64| cells.iter().map(|cell| Number(pick(cell))).collect();
        text::print(&SampleText::PurchaseSample {
            version: text::VERSION,
            frequency: column(|cell| cell.history.frequency),
            recency: column(|cell| cell.history.recency),
            age: column(|cell| cell.history.age),
            customers: column(|cell| cell.weight),
            skipped: self.skipped(),
        })
    }

    fn from_text(form: &str) -> Result<Self> {
        const NAME: &str = "ltv.purchase_sample";
        let SampleText::PurchaseSample { version, frequency, recency, age, customers, skipped } =
            text::parse(form, NAME)?
        else {
            return Err(Error::malformed(format!("invalid input syntax for type {NAME}")));
        };
        text::known(version, NAME)?;
        if [&recency, &age, &customers].iter().any(|column| column.len() != frequency.len()) {
            return Err(Error::malformed(DIFFERENT_LENGTHS));
        }
        let cell = |at: usize| Purchases {
            history: History { frequency: frequency[at].0, recency: recency[at].0, age: age[at].0 },
            weight: customers[at].0,
        };
        PurchaseSample::from_sorted((0..frequency.len()).map(cell).collect(), skipped)
    }
}

impl Text for SpendSample {
    fn to_text(&self) -> Result<String> {
        let cells = self.sorted();
        let column = |pick: fn(&Cell<2>) -> f64| cells.iter().map(|cell| Number(pick(cell))).collect();
        text::print(&SampleText::SpendSample {
            version: text::VERSION,
            frequency: column(|cell| cell.key[0]),
            mean_value: column(|cell| cell.key[1]),
            customers: column(|cell| cell.weight),
            skipped: self.skipped(),
        })
    }

    fn from_text(form: &str) -> Result<Self> {
        const NAME: &str = "ltv.spend_sample";
        let SampleText::SpendSample { version, frequency, mean_value, customers, skipped } = text::parse(form, NAME)?
        else {
            return Err(Error::malformed(format!("invalid input syntax for type {NAME}")));
        };
        text::known(version, NAME)?;
        if [&mean_value, &customers].iter().any(|column| column.len() != frequency.len()) {
            return Err(Error::malformed(DIFFERENT_LENGTHS));
        }
        let cell = |at: usize| Cell { key: [frequency[at].0, mean_value[at].0], weight: customers[at].0 };
        SpendSample::from_sorted((0..frequency.len()).map(cell).collect(), skipped)
    }
}

#[pg_extern(sql = false)]
fn purchase_sample_in(text: &CStr) -> Value<PurchaseSample> {
    types::read(text)
}

#[pg_extern(sql = false)]
fn purchase_sample_out(value: Value<PurchaseSample>) -> CString {
    types::print(&value.0)
}

#[pg_extern(sql = false)]
fn purchase_sample_recv(message: Internal) -> Value<PurchaseSample> {
    received(message)
}

#[pg_extern(sql = false)]
fn purchase_sample_send(value: Value<PurchaseSample>) -> Vec<u8> {
    value.0.to_bytes()
}

#[pg_extern(sql = false)]
fn spend_sample_in(text: &CStr) -> Value<SpendSample> {
    types::read(text)
}

#[pg_extern(sql = false)]
fn spend_sample_out(value: Value<SpendSample>) -> CString {
    types::print(&value.0)
}

#[pg_extern(sql = false)]
fn spend_sample_recv(message: Internal) -> Value<SpendSample> {
    received(message)
}

#[pg_extern(sql = false)]
fn spend_sample_send(value: Value<SpendSample>) -> Vec<u8> {
    value.0.to_bytes()
}
