//! Transactional models in SQL: fits, and what a model says of a customer.

use ltv_engine::btyd::fit::{Status, TransactionalFit, fit_purchases as fit_sample, fit_spend};
use ltv_engine::btyd::history::History;
use ltv_engine::btyd::purchases::{Leaving, PurchaseModel};
use ltv_engine::btyd::sample::{PurchaseSample, SpendSample};
use ltv_engine::model::transactional::{Customer, PurchaseTerms, Unit};
use ltv_engine::model::{Fit, Model};
use ltv_engine::value::money::Minor;
use ltv_engine::{Error, Result};
use pgrx::prelude::*;

use crate::currency::digits_of;
use crate::pg::call::{Call, Field, ModelBy};
use crate::pg::error::{raise, settle};
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

/// Where each argument of the money functions stands.
mod place {
    pub const PURCHASES: usize = 0;
    pub const SPEND: usize = 1;
    pub const FREQUENCY: usize = 2;
    pub const MEAN_VALUE: usize = 5;
    pub const MARGIN: usize = 6;
    pub const DISCOUNT_RATE: usize = 7;
    pub const HORIZON: usize = 8;
    pub const UNIT: usize = 9;
    pub const TIMING: usize = 10;
    pub const CURRENCY: usize = 11;
    pub const SEGMENT: usize = 12;
}

/// A call of the money functions, understood.
struct Asked {
    customer: Customer,
    terms: PurchaseTerms,
    currency: Option<String>,
    /// What is to be said of the answer; `ok` when nothing is.
    status: String,
}

/// A model of the call, as its segment has it.
struct Part<T> {
    says: T,
    trusted: bool,
    pooled: Option<String>,
    /// The columns that tell its segments.
    by: Vec<String>,
}

impl<T> Part<T> {
    fn of(model: &Model, segment: Option<&str>, read: impl FnOnce(&Model) -> T) -> Part<T> {
        let own = model.of_segment(segment);
        Part {
            says: read(own),
            trusted: matches!(&own.fit, Fit::Transactional(fit) if fit.status == Status::Converged),
            pooled: model.segment_pooled_because(segment),
            by: model.features.iter().map(|feature| feature.name.clone()).collect(),
        }
    }
}

/// One name cannot tell the segments of two models that are told by different columns.
fn told_apart<A, B>(purchases: &Part<A>, spend: &Part<B>) {
    if !purchases.by.is_empty() && !spend.by.is_empty() && purchases.by != spend.by {
        raise(Error::invalid(
            format!(
                "the segments of the two models are not the same: those of purchases are by {}, those of spend by {}",
                purchases.by.join(", "),
                spend.by.join(", ")
            ),
            "Give the models as values, each of its segment: ltv.segment_model(ltv.model('name'), 'segment').",
        ))
    }
}

/// What the call asks for; in words why it cannot be answered.
fn asked(call: &Call, by: ModelBy) -> Result<Asked, String> {
    let missing = |name: &str| format!("missing: {name}");
    let float = |at: usize, name: &str| call.float(at).ok_or_else(|| missing(name));
    let frequency = float(place::FREQUENCY, "frequency")?;
    let (recency, age) = (float(place::FREQUENCY + 1, "recency")?, float(place::FREQUENCY + 2, "age")?);
    let history = settle(History::new(frequency, recency, age));
    let mean = match call.float(place::MEAN_VALUE) {
        None if frequency != 0.0 => return Err(missing("mean_value")),
        mean => mean.unwrap_or(0.0),
    };
    let horizon = call.integer(place::HORIZON).ok_or_else(|| missing("horizon"))?;
    let currency = call.text(place::CURRENCY).map(str::to_owned);
    let terms = PurchaseTerms {
        margin: float(place::MARGIN, "margin")?,
        discount_rate: float(place::DISCOUNT_RATE, "discount_rate")?,
        horizon: settle(u32::try_from(horizon).map_err(|_| {
            Error::invalid(format!("horizon must not be negative, got {horizon}"), "It is a number of months.")
        })),
        unit: settle(call.text(place::UNIT).ok_or_else(|| missing("unit"))?.parse()),
        timing: settle(call.text(place::TIMING).ok_or_else(|| missing("timing"))?.parse()),
        minor_digits: settle(digits_of(currency.as_deref())),
    };
    let segment = call.text(place::SEGMENT);
    let purchases =
        call.model_by(by, place::PURCHASES, |model| Part::of(model, segment, |own| settle(own.purchases())));
    let purchases = purchases.ok_or_else(|| missing("purchases"))?;
    let model = purchases.says.ok_or("the model saw no repeat purchases")?;
    let spend = call.model_by(by, place::SPEND, |model| {
        Part::of(model, segment, |own| settle(settle(own.spend()).expected_spend(frequency, mean)))
    });
    let spend = spend.ok_or_else(|| missing("spend"))?;
    told_apart(&purchases, &spend);
    let value = spend.says.ok_or("the mean value of a purchase does not exist: q of the spend model is not above 1")?;
    let status = match (purchases.trusted && spend.trusted, purchases.pooled, spend.pooled) {
        (false, ..) => "the fit is not to be trusted: see model_status".into(),
        (true, None, None) => "ok".into(),
        (true, Some(why), Some(other)) if why == other => format!("pooled: {why}"),
        (true, why, other) => {
            let why = why.map(|why| format!("purchases pooled: {why}"));
            why.into_iter().chain(other.map(|why| format!("spend pooled: {why}"))).collect::<Vec<_>>().join("; ")
        }
    };
    Ok(Asked { customer: Customer { purchases: model, history, spend: value }, terms, currency, status })
}

/// `transactional_value(purchases, spend, frequency, recency, age, mean_value, …)`.
pub fn transactional_value(call: &Call, by: ModelBy) -> pg_sys::Datum {
    let asked = match asked(call, by) {
        Ok(asked) => asked,
        Err(why) => {
            let mut fields: Vec<Field> = (0..9).map(|_| Field::Text(None)).collect();
            fields.push(Field::Text(Some(why)));
            return call.answer_tuple(fields);
        }
    };
    let value = settle(asked.customer.value(&asked.terms));
    let money = |amount: Minor| Field::Numeric(Some(amount.text(asked.terms.minor_digits)));
    call.answer_tuple(vec![
        money(value.ltv),
        money(value.undiscounted),
        money(value.revenue),
        Field::Float(Some(value.probability_alive)),
        Field::Float(Some(value.expected_purchases)),
        Field::Float(Some(asked.customer.spend)),
        Field::Float(Some(asked.terms.discount_rate)),
        Field::Int4(Some(asked.terms.horizon as i32)),
        Field::Text(asked.currency),
        Field::Text(Some(asked.status)),
    ])
}

/// `transactional_cash_flows(…)`: no rows for what has no value.
pub fn transactional_cash_flows(call: &Call, by: ModelBy) -> pg_sys::Datum {
    let Ok(asked) = asked(call, by) else { return call.answer_rows(Vec::new()) };
    let money = |amount: Minor| Field::Numeric(Some(amount.text(asked.terms.minor_digits)));
    let rows = settle(asked.customer.flows(&asked.terms));
    call.answer_rows(rows.iter().map(|row| {
        vec![
            Field::Int4(Some(row.flow.period as i32)),
            Field::Float(Some(row.flow.due_months)),
            Field::Float(Some(row.purchases)),
            money(row.flow.revenue),
            money(row.flow.cost),
            money(row.flow.margin),
            Field::Float(Some(row.flow.discount_factor)),
            money(row.flow.present_value),
            money(row.flow.cumulative),
        ]
    }))
}
