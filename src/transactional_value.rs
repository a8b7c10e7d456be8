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
use crate::pg::error::settle;

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
}

/// A call of the money functions, understood.
struct Asked {
    customer: Customer,
    terms: PurchaseTerms,
    currency: Option<String>,
    /// The models may be believed.
    trusted: bool,
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
    let converged = |model: &Model| match &model.fit {
        Fit::Transactional(fit) => fit.status == Status::Converged,
        _ => false,
    };
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
    let purchases = call.model_by(by, place::PURCHASES, |model| (settle(model.purchases()), converged(model)));
    let (purchases, first) = purchases.ok_or_else(missing)?;
    let purchases = purchases.ok_or("the model saw no repeat purchases")?;
    let spend = call.model_by(by, place::SPEND, |model| {
        (settle(settle(model.spend()).expected_spend(frequency, mean)), converged(model))
    });
    let (spend, second) = spend.ok_or_else(missing)?;
    let spend = spend.ok_or("the mean value of a purchase does not exist: q of the spend model is not above 1")?;
    Ok(Asked { customer: Customer { purchases, history, spend }, terms, currency, trusted: first && second })
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
    let status = if asked.trusted { "ok" } else { "the fit is not to be trusted: see model_status" };
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
        Field::Text(Some(status.into())),
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
