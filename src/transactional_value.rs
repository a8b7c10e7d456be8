//! What the purchases of a customer are worth, in SQL: a model of how many, one of how much, and the terms.

use ltv_engine::btyd::fit::Status;
use ltv_engine::btyd::history::History;
use ltv_engine::model::transactional::{Customer, PurchaseTerms};
use ltv_engine::model::{Fit, Model};
use ltv_engine::value::money::Minor;
use ltv_engine::{Error, Result};
use pgrx::prelude::*;

use crate::currency::digits_of;
use crate::pg::call::{Call, Field, ModelBy};
use crate::pg::error::{raise, settle};

/// Where each argument of the money functions stands.
mod place {
    pub const PURCHASES: usize = 0;
    pub const SPEND: usize = 1;
    pub const FREQUENCY: usize = 2;
    pub const RECENCY: usize = 3;
    pub const AGE: usize = 4;
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

/// The arguments that are NULL and must not be, in their order; the mean value may be where nothing was bought again.
fn lacking(call: &Call) -> Vec<&'static str> {
    let bought_again = call.float(place::FREQUENCY) != Some(0.0);
    let needed = [
        (place::PURCHASES, "purchases", true),
        (place::SPEND, "spend", true),
        (place::FREQUENCY, "frequency", true),
        (place::RECENCY, "recency", true),
        (place::AGE, "age", true),
        (place::MEAN_VALUE, "mean_value", bought_again),
        (place::MARGIN, "margin", true),
        (place::DISCOUNT_RATE, "discount_rate", true),
        (place::HORIZON, "horizon", true),
        (place::UNIT, "unit", true),
        (place::TIMING, "timing", true),
    ];
    needed.into_iter().filter(|(at, _, needed)| *needed && call.is_null(*at)).map(|(_, name, _)| name).collect()
}

/// What the call asks for; in words why it cannot be answered.
fn asked(call: &Call, by: ModelBy) -> Result<Asked, String> {
    let missing = || format!("missing: {}", lacking(call).join(", "));
    let float = |at: usize| call.float(at).ok_or_else(missing);
    if !lacking(call).is_empty() {
        return Err(missing());
    }
    let frequency = float(place::FREQUENCY)?;
    let history = settle(History::new(frequency, float(place::RECENCY)?, float(place::AGE)?));
    let mean = call.float(place::MEAN_VALUE).unwrap_or(0.0);
    let horizon = call.integer(place::HORIZON).ok_or_else(missing)?;
    let currency = call.text(place::CURRENCY).map(str::to_owned);
    let terms = PurchaseTerms {
        margin: float(place::MARGIN)?,
        discount_rate: float(place::DISCOUNT_RATE)?,
        horizon: settle(u32::try_from(horizon).map_err(|_| {
            Error::invalid(format!("horizon must not be negative, got {horizon}"), "It is a number of months.")
        })),
        unit: settle(call.text(place::UNIT).ok_or_else(missing)?.parse()),
        timing: settle(call.text(place::TIMING).ok_or_else(missing)?.parse()),
        minor_digits: settle(digits_of(currency.as_deref())),
    };
    let segment = call.text(place::SEGMENT);
    let purchases =
        call.model_by(by, place::PURCHASES, |model| Part::of(model, segment, |own| settle(own.purchases())));
    let purchases = purchases.ok_or_else(missing)?;
    let model = purchases.says.ok_or("the model saw no repeat purchases")?;
    let spend = call.model_by(by, place::SPEND, |model| {
        Part::of(model, segment, |own| settle(settle(own.spend()).expected_spend(frequency, mean)))
    });
    let spend = spend.ok_or_else(missing)?;
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
