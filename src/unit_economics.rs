//! Unit economics in SQL.

use ltv_engine::survival::Survival;
use ltv_engine::value::money::Minor;
use ltv_engine::value::unit_economics::{self, Payback, SimpleValue};
use pgrx::AnyNumeric;
use pgrx::prelude::*;

use crate::discounting::{amount, answer_amount, digits};
use crate::pg::call::{Call, Field};
use crate::pg::error::settle;
use crate::pg::varlena::decoded;

fn money(call: &Call, place: usize) -> Option<f64> {
    call.get::<AnyNumeric>(place).map(|numeric| amount(&numeric).to_f64())
}

fn rounded(amount: f64, digits: u32) -> String {
    settle(Minor::round(amount, digits)).text(digits)
}

fn missing(name: &str) -> String {
    format!("missing: {name}")
}

/// `simple_ltv(arpa, churn, margin, discount_rate, currency, digits)`.
pub fn simple_ltv(call: &Call) -> pg_sys::Datum {
    let answer = || -> Result<SimpleValue, &'static str> {
        let (arpa, churn) = (money(call, 0).ok_or("arpa")?, call.float(1).ok_or("churn")?);
        let (margin, rate) = (call.float(2).ok_or("margin")?, call.float(3).ok_or("discount_rate")?);
        Ok(settle(unit_economics::simple_ltv(arpa, churn, margin, rate)))
    };
    let method = Field::Text(Some("arpa x margin / churn".into()));
    call.answer_tuple(match answer() {
        Ok(value) => vec![
            Field::Numeric(value.ltv.map(|ltv| rounded(ltv, digits(call, 4, 5)))),
            Field::Float(value.lifetime_months),
            method,
            Field::Text(Some(value.status.into())),
        ],
        Err(name) => vec![Field::Numeric(None), Field::Float(None), method, Field::Text(Some(missing(name)))],
    })
}

/// `cac_payback(cac, new_mrr, margin, discount_rate, curve, horizon)`.
pub fn cac_payback(call: &Call) -> pg_sys::Datum {
    let answer = || -> Result<Payback, &'static str> {
        let (cac, mrr) = (money(call, 0).ok_or("cac")?, money(call, 1).ok_or("new_mrr")?);
        let (margin, rate) = (call.float(2).ok_or("margin")?, call.float(3).ok_or("discount_rate")?);
        let horizon = call.integer(5).ok_or("horizon")?;
        let curve = call.bytes(4).and_then(|bytes| settle(decoded(bytes, Survival::decode)).reading());
        let months = |alive: Option<&dyn Fn(f64) -> Option<f64>>| {
            settle(unit_economics::cac_payback(cac, mrr * margin, rate, alive, horizon))
        };
        Ok(match &curve {
            Some(curve) => months(Some(&|t| curve.view().survival_at(t))),
            None => months(None),
        })
    };
    let payback = answer().unwrap_or_else(|name| Payback { status: missing(name), ..Payback::default() });
    call.answer_tuple(vec![
        Field::Float(payback.plain),
        Field::Float(payback.discounted),
        Field::Float(payback.survival_weighted),
        Field::Text(Some(payback.status)),
    ])
}

/// `ltv_to_cac(ltv, cac)`.
pub fn ltv_to_cac(call: &Call) -> pg_sys::Datum {
    let ratio = || settle(unit_economics::ltv_to_cac(money(call, 0)?, money(call, 1)?));
    call.answer_float(ratio())
}

/// `value_at_risk(ltv, p_churn, currency, digits)`.
pub fn value_at_risk(call: &Call) -> pg_sys::Datum {
    let value = || Some(settle(unit_economics::value_at_risk(money(call, 0)?, call.float(1)?)));
    answer_amount(call, value().map(|value| rounded(value, digits(call, 2, 3))))
}

/// `max_spend(value, uplift, required_return, currency, digits)`.
pub fn max_spend(call: &Call) -> pg_sys::Datum {
    let spend = || Some(settle(unit_economics::max_spend(money(call, 0)?, call.float(1)?, call.float(2)?)));
    answer_amount(call, spend().map(|spend| rounded(spend, digits(call, 3, 4))))
}
