//! Money in SQL: lifetime value and the cash flows it is the sum of.

use chrono::{Days, Months, NaiveDate};
use ltv_engine::Error;
use ltv_engine::survival::CurveView;
use ltv_engine::value::cash_flow::{self, CashFlow};
use ltv_engine::value::contract::Calendar;
use ltv_engine::value::lifetime_value::{self, Status, Valuation};
use ltv_engine::value::terms::Terms;
use pgrx::prelude::*;

use crate::pg::call::{Call, Field, ModelBy};
use crate::pg::error::settle;

/// Where each money argument stands, counted from the first of them.
mod place {
    pub const REVENUE: usize = 0;
    pub const MARGIN: usize = 1;
    pub const COST_TO_SERVE: usize = 2;
    pub const DISCOUNT_RATE: usize = 3;
    pub const HORIZON: usize = 4;
    pub const EXPANSION: usize = 5;
    pub const PRICE_UPLIFT: usize = 6;
    pub const PERIOD_MONTHS: usize = 7;
    pub const BILLING: usize = 8;
    pub const TIMING: usize = 9;
    pub const GIVEN: usize = 10;
    pub const TERM_MONTHS: usize = 11;
    pub const MONTHS_TO_RENEWAL: usize = 12;
    pub const PAID_MONTHS: usize = 13;
    pub const ACQUISITION_COST: usize = 14;
    pub const TAIL: usize = 15;
    pub const CURRENCY: usize = 16;
    pub const LEVEL: usize = 17;
    pub const AS_OF: usize = 18;
}

/// The money arguments of a call; the error names the first that is NULL and must not be.
struct Asked<'a> {
    terms: Terms<'a>,
    as_of: Option<NaiveDate>,
    currency: Option<String>,
}

fn asked<'a>(call: &Call, first: usize) -> Result<Asked<'a>, &'static str> {
    let float = |place: usize, name| call.float(first + place).ok_or(name);
    let text = |place: usize, name| call.text(first + place).ok_or(name);
    let whole = |place: usize, name| -> Result<u32, &'static str> {
        let value = call.integer(first + place).ok_or(name)?;
        Ok(settle(u32::try_from(value).map_err(|_| {
            Error::invalid(format!("{name} must not be negative, got {value}"), "It is a number of months.")
        })))
    };
    let currency = call.text(first + place::CURRENCY).map(str::to_owned);
    let as_of = call.integer(first + place::AS_OF).map(|days| settle(civil(days)));
    let terms = Terms {
        revenue: float(place::REVENUE, "revenue")?,
        margin: float(place::MARGIN, "margin")?,
        cost_to_serve: float(place::COST_TO_SERVE, "cost_to_serve")?,
        discount_rate: float(place::DISCOUNT_RATE, "discount_rate")?,
        horizon: whole(place::HORIZON, "horizon")?,
        expansion: float(place::EXPANSION, "expansion")?,
        price_uplift: float(place::PRICE_UPLIFT, "price_uplift")?,
        period_months: float(place::PERIOD_MONTHS, "period_months")?,
        billing: settle(text(place::BILLING, "billing")?.parse()),
        timing: settle(text(place::TIMING, "timing")?.parse()),
        given: float(place::GIVEN, "given")?,
        term_months: call.float(first + place::TERM_MONTHS),
        months_to_renewal: call.float(first + place::MONTHS_TO_RENEWAL),
        paid_months: whole(place::PAID_MONTHS, "paid_months")?,
        acquisition_cost: float(place::ACQUISITION_COST, "acquisition_cost")?,
        tail: settle(text(place::TAIL, "tail")?.parse()),
        due_days: None,
        minor_digits: currency.as_deref().map_or(2, |code| settle(minor_digits(code))),
        level: float(place::LEVEL, "level")?,
    };
    Ok(Asked { terms, as_of, currency })
}

/// The decimals of a currency by ISO 4217.
pub(crate) fn minor_digits(code: &str) -> ltv_engine::Result<u32> {
    let currency = iso_currency::Currency::from_code(code).ok_or_else(|| {
        Error::invalid(format!("unknown currency \"{code}\""), "An ISO 4217 code in capitals, such as EUR, USD or JPY.")
    })?;
    Ok(currency.exponent().map_or(2, u32::from))
}

/// The date `days` after 2000-01-01, PostgreSQL's epoch.
fn civil(days: i32) -> ltv_engine::Result<NaiveDate> {
    let epoch = NaiveDate::from_ymd_opt(2000, 1, 1);
    let shifted = epoch.and_then(|epoch| {
        let distance = Days::new(u64::from(days.unsigned_abs()));
        if days < 0 { epoch.checked_sub_days(distance) } else { epoch.checked_add_days(distance) }
    });
    shifted
        .ok_or_else(|| Error::invalid("as_of is out of range", "The day on which the value is stated, a finite date."))
}

/// Days from `as_of` to the same day `months` later, the last of the month where there is none.
fn days_after(as_of: NaiveDate, months: u32) -> i64 {
    as_of.checked_add_months(Months::new(months)).map_or(i64::MAX, |due| (due - as_of).num_days())
}

/// Runs `value` with the terms, dated when the call says as of when.
fn with_terms<R>(asked: &Asked, value: impl FnOnce(&Terms) -> R) -> R {
    match asked.as_of {
        None => value(&asked.terms),
        Some(as_of) => {
            let due = |months| days_after(as_of, months);
            value(&Terms { due_days: Some(Calendar(&due)), ..asked.terms })
        }
    }
}

/// Applies `value` to the curve of argument 0; the reason when there is none.
fn with_curve<R>(call: &Call, value: impl FnOnce(CurveView) -> R) -> Result<R, String> {
    call.curve(value).ok_or_else(|| if call.bytes(0).is_none() { "no curve" } else { "the curve is empty" }.into())
}

/// `lifetime_value(curve, …)`.
pub fn lifetime_value_curve(call: &Call) -> pg_sys::Datum {
    let valued = asked(call, 1).map_err(missing).and_then(|asked| {
        let value = |curve: CurveView| with_terms(&asked, |terms| settle(lifetime_value::lifetime_value(curve, terms)));
        Ok((with_curve(call, value)?, asked))
    });
    answer_valuation(call, valued)
}

/// `lifetime_value(model, row, …)`.
pub fn lifetime_value_model(call: &Call, by: ModelBy) -> pg_sys::Datum {
    let valued = asked(call, 2).map_err(missing).and_then(|asked| {
        let value = call.score(by, |subject| {
            let subject = subject.map_err(|why| why.to_string())?;
            subject.no_lifetime().map_or(Ok(()), |why| Err(why.to_string()))?;
            Ok::<_, String>(with_terms(&asked, |terms| {
                settle(subject.view(|curve| lifetime_value::lifetime_value(curve, terms)))
            }))
        });
        Ok((value.ok_or("no model or no row")??, asked))
    });
    answer_valuation(call, valued)
}

fn missing(name: &'static str) -> String {
    format!("missing: {name}")
}

fn answer_valuation(call: &Call, valued: Result<(Option<Valuation>, Asked), String>) -> pg_sys::Datum {
    let (valuation, asked) = match valued {
        Ok((Some(valuation), asked)) => (valuation, asked),
        Ok((None, _)) => return call.answer_tuple(unvalued(Status::NoSuchAge.name().into())),
        Err(why) => return call.answer_tuple(unvalued(why)),
    };
    let money = |amount: ltv_engine::value::money::Minor| Field::Numeric(Some(amount.text(asked.terms.minor_digits)));
    let limit = |amount: Option<_>| amount.map_or(Field::Numeric(None), money);
    call.answer_tuple(vec![
        money(valuation.ltv),
        money(valuation.undiscounted),
        money(valuation.revenue),
        money(valuation.cost),
        Field::Float(Some(valuation.expected_lifetime)),
        Field::Float(Some(valuation.discount_rate)),
        Field::Int4(Some(valuation.horizon as i32)),
        money(valuation.tail_value),
        Field::Float(valuation.tail_share),
        Field::Float(valuation.payback_months),
        limit(valuation.lower),
        limit(valuation.upper),
        Field::Text(asked.currency),
        Field::Text(Some(valuation.status.name().into())),
    ])
}

fn unvalued(why: String) -> Vec<Field> {
    let mut fields: Vec<Field> = (0..13).map(|_| Field::Text(None)).collect();
    fields.push(Field::Text(Some(why)));
    fields
}

/// `cash_flows(curve, …)`.
pub fn cash_flows_curve(call: &Call) -> pg_sys::Datum {
    let rows = asked(call, 1).map_err(missing).and_then(|asked| {
        let rows = |curve: CurveView| with_terms(&asked, |terms| settle(cash_flow::cash_flows(curve, terms)));
        Ok((with_curve(call, rows)?, asked))
    });
    answer_cash_flows(call, rows)
}

/// `cash_flows(model, row, …)`.
pub fn cash_flows_model(call: &Call, by: ModelBy) -> pg_sys::Datum {
    let rows = asked(call, 2).map_err(missing).and_then(|asked| {
        let rows = call.score(by, |subject| {
            let subject = subject.map_err(|why| why.to_string())?;
            subject.no_lifetime().map_or(Ok(()), |why| Err(why.to_string()))?;
            Ok::<_, String>(with_terms(&asked, |terms| {
                settle(subject.view(|curve| cash_flow::cash_flows(curve, terms)))
            }))
        });
        Ok((rows.ok_or("no model or no row")??, asked))
    });
    answer_cash_flows(call, rows)
}

/// No rows for what has no value: `lifetime_value` of the same arguments says why.
fn answer_cash_flows(call: &Call, rows: Result<(Option<Vec<CashFlow>>, Asked), String>) -> pg_sys::Datum {
    let Ok((Some(rows), asked)) = rows else { return call.answer_rows(Vec::new()) };
    let money = |amount: ltv_engine::value::money::Minor| Field::Numeric(Some(amount.text(asked.terms.minor_digits)));
    let due_on = |row: &CashFlow| {
        let due = asked.as_of?.checked_add_days(Days::new(u64::try_from(row.due_days?).ok()?))?;
        let epoch = NaiveDate::from_ymd_opt(2000, 1, 1)?;
        i32::try_from((due - epoch).num_days()).ok()
    };
    call.answer_rows(rows.iter().map(|row| {
        vec![
            Field::Int4(Some(row.period as i32)),
            Field::Float(Some(row.due_months)),
            Field::Int4(due_on(row)),
            Field::Float(row.survival),
            money(row.revenue),
            money(row.cost),
            money(row.margin),
            Field::Float(Some(row.discount_factor)),
            money(row.present_value),
            money(row.cumulative),
        ]
    }))
}
