//! Discounting in SQL: present values, internal rates, day counts and rates.

use std::ffi::{CStr, CString};
use std::str::FromStr;

use ltv_engine::value::contract::Timing;
use ltv_engine::value::dated_cash::{DatedCash, Flow};
use ltv_engine::value::day_count::{self, DayCount};
use ltv_engine::value::decimal::Decimal;
use ltv_engine::value::internal_rate::{chosen, internal_rates};
use ltv_engine::value::present_value;
use ltv_engine::value::rates::{self, Compounding};
use ltv_engine::{Error, Result};
use pgrx::datum::Date;
use pgrx::prelude::*;
use pgrx::{AnyNumeric, Internal, IntoDatum};
use serde::{Deserialize, Serialize};

use crate::currency;
use crate::pg::call::{Call, Field};
use crate::pg::error::{raise, report, settle};
use crate::pg::interrupts;
use crate::pg::varlena::{Stored, Value, received};
use crate::text::{self, Text};
use crate::types;

/// The option with this name in SQL.
fn named<T: FromStr<Err = Error>>(call: &Call, place: usize) -> Option<T> {
    call.text(place).map(|name| settle(name.parse()))
}

/// An exact decimal as numeric.
pub fn answer_amount(call: &Call, amount: Option<String>) -> pg_sys::Datum {
    let numeric = amount.map(|digits| AnyNumeric::try_from(digits.as_str()));
    match numeric {
        None => call.null(),
        Some(Ok(numeric)) => numeric.into_datum().unwrap_or_else(|| call.null()),
        Some(Err(_)) => report(PgSqlErrorCode::ERRCODE_INTERNAL_ERROR, "the amount is no number", ""),
    }
}

/// The decimals of the result: as told, or else those of the currency, or else two.
pub fn digits(call: &Call, currency: usize, digits: usize) -> u32 {
    match (call.integer(digits), call.text(currency)) {
        (Some(digits), _) => settle(present_value::check_digits(digits)),
        (None, Some(code)) => settle(currency::minor_digits(code, currency::Convention::Iso)).unwrap_or(2),
        (None, None) => 2,
    }
}

fn elements<T: FromDatum>(call: &Call, place: usize, name: &str) -> Option<Vec<T>>
where
    Vec<Option<T>>: FromDatum,
{
    let elements: Vec<Option<T>> = call.get(place)?;
    let known = |(at, element): (usize, Option<T>)| {
        element.unwrap_or_else(|| {
            report(
                PgSqlErrorCode::ERRCODE_NULL_VALUE_NOT_ALLOWED,
                format!("{name}[{}] is NULL", at + 1),
                "Leave out what is not paid, or write 0: a flow that is skipped moves those after it to other periods.",
            )
        })
    };
    Some(elements.into_iter().enumerate().map(known).collect())
}

pub fn amount(numeric: &AnyNumeric) -> Decimal {
    settle(numeric.to_string().parse())
}

/// The numeric[] of argument `place`.
fn cash(call: &Call, place: usize) -> Option<Vec<Decimal>> {
    let cash: Vec<AnyNumeric> = elements(call, place, "cash")?;
    Some(cash.iter().map(amount).collect())
}

/// The flows of arguments 0 and 1, and the first date as it stands.
fn dated(call: &Call) -> Option<(DatedCash, Option<i32>)> {
    let (cash, dates) = (cash(call, 0)?, elements::<Date>(call, 1, "dates")?);
    if cash.len() != dates.len() {
        raise(Error::invalid(
            format!("there must be as many dates as amounts, got {} and {}", dates.len(), cash.len()),
            "Each flow has one date.",
        ));
    }
    let dates: Vec<i32> = dates.iter().map(Date::to_pg_epoch_days).collect();
    let flows = dates.iter().zip(cash).map(|(date, amount)| Flow { date: *date, amount });
    Some((settle(DatedCash::from_flows(flows)), dates.first().copied()))
}

/// `npv(cash, rate, timing, currency, digits)`.
pub fn npv(call: &Call) -> pg_sys::Datum {
    let value = || {
        let (cash, rate, timing): (_, _, Timing) = (cash(call, 0)?, call.float(1)?, named(call, 2)?);
        settle(present_value::npv(&cash, rate, timing, digits(call, 3, 4)))
    };
    answer_amount(call, value())
}

fn periods(cash: Vec<Decimal>) -> Vec<(f64, Decimal)> {
    cash.into_iter().enumerate().map(|(period, amount)| (period as f64, amount)).collect()
}

fn rates_of(flows: &[(f64, Decimal)]) -> Vec<f64> {
    settle(internal_rates(flows, &mut interrupts::check))
}

fn answer_rates(call: &Call, rates: Option<Vec<f64>>) -> pg_sys::Datum {
    call.answer_rows(
        (1..)
            .zip(rates.unwrap_or_default())
            .map(|(root, rate)| vec![Field::Int4(Some(root)), Field::Float(Some(rate))]),
    )
}

/// `irr(cash, guess)`.
pub fn irr(call: &Call) -> pg_sys::Datum {
    call.answer_float(cash(call, 0).and_then(|cash| chosen(&rates_of(&periods(cash)), call.float(1))))
}

/// `irr_rates(cash)`.
pub fn irr_rates(call: &Call) -> pg_sys::Datum {
    answer_rates(call, cash(call, 0).map(|cash| rates_of(&periods(cash))))
}

/// `xnpv(cash, dates, rate, as_of, day_count, currency, digits)`.
pub fn xnpv_array(call: &Call) -> pg_sys::Datum {
    let value = || {
        let ((cash, first), rate, day_count): (_, _, DayCount) = (dated(call)?, call.float(2)?, named(call, 4)?);
        let as_of = call.integer(3).or(first)?;
        settle(present_value::xnpv(&cash, rate, as_of, day_count, digits(call, 5, 6)))
    };
    answer_amount(call, value())
}

/// Years from the first date, by date, of what is paid then.
fn years(cash: &DatedCash, day_count: DayCount) -> Vec<(f64, Decimal)> {
    let flows = cash.sorted();
    let start = flows.first().map_or(0, |flow| flow.date);
    let mut years: Vec<(f64, Decimal)> = Vec::with_capacity(flows.len());
    for flow in flows {
        let time = settle(day_count.years(start, flow.date));
        match years.last_mut() {
            // Two dates may be the same time in months of 30 days.
            Some((last, amount)) if *last >= time => *amount = settle(amount.plus(flow.amount)),
            _ => years.push((time, flow.amount)),
        }
    }
    years
}

/// `xirr(cash, dates, day_count, guess)`.
pub fn xirr_array(call: &Call) -> pg_sys::Datum {
    let rate = || {
        let ((cash, _), day_count) = (dated(call)?, named(call, 2)?);
        chosen(&rates_of(&years(&cash, day_count)), call.float(3))
    };
    call.answer_float(rate())
}

/// `xirr_rates(cash, dates, day_count)`.
pub fn xirr_rates_array(call: &Call) -> pg_sys::Datum {
    let rates = || {
        let ((cash, _), day_count) = (dated(call)?, named(call, 2)?);
        Some(rates_of(&years(&cash, day_count)))
    };
    answer_rates(call, rates())
}

/// The valuation date when none is given: the earliest, since rows have no order.
fn earliest(cash: &DatedCash) -> i32 {
    cash.sorted().first().map_or(0, |flow| flow.date)
}

/// The final function of the aggregate `xnpv`: by ACT/365F, to two decimals.
pub fn xnpv_final(call: &Call) -> pg_sys::Datum {
    let value = |cash: &DatedCash| {
        let as_of = cash.as_of().unwrap_or_else(|| earliest(cash));
        // Rows without a rate were left out, so where there is none there are no flows.
        settle(present_value::xnpv(cash, cash.rate().unwrap_or(0.0), as_of, DayCount::default(), 2))
    };
    answer_amount(call, call.state(0, value).flatten())
}

/// `xnpv(cash, rate, as_of, day_count, currency, digits)`.
pub fn xnpv_cash(call: &Call) -> pg_sys::Datum {
    let value = || {
        let (rate, day_count): (_, DayCount) = (call.float(1)?, named(call, 3)?);
        let digits = digits(call, 4, 5);
        let value = |cash: &DatedCash| {
            let as_of = call.integer(2).or(cash.as_of()).unwrap_or_else(|| earliest(cash));
            settle(present_value::xnpv(cash, rate, as_of, day_count, digits))
        };
        call.state(0, value).flatten()
    };
    answer_amount(call, value())
}

/// `xirr(cash, day_count, guess)`, and with the cash alone the final function of the aggregate `xirr`.
pub fn xirr_cash(call: &Call) -> pg_sys::Datum {
    let day_count = named(call, 1).unwrap_or_default();
    let rate = |cash: &DatedCash| chosen(&rates_of(&years(cash, day_count)), call.float(2));
    call.answer_float(call.state(0, rate).flatten())
}

/// `xirr_rates(cash, day_count)`.
pub fn xirr_rates_cash(call: &Call) -> pg_sys::Datum {
    let rates =
        named(call, 1).and_then(|day_count| call.state(0, |cash: &DatedCash| rates_of(&years(cash, day_count))));
    answer_rates(call, rates)
}

/// `total(cash)`.
pub fn total(call: &Call) -> pg_sys::Datum {
    let total = |cash: &DatedCash| (!cash.is_empty()).then(|| settle(cash.total()).to_string());
    answer_amount(call, call.state(0, total).flatten())
}

/// `reached_on(cash, threshold)`.
pub fn reached_on(call: &Call) -> pg_sys::Datum {
    let Some(threshold) = call.get::<AnyNumeric>(1) else { return call.null() };
    let threshold = amount(&threshold);
    match call.state(0, |cash: &DatedCash| settle(cash.reached_on(threshold))).flatten() {
        Some(day) => pg_sys::Datum::from(day),
        None => call.null(),
    }
}

/// `flows(cash)`.
pub fn flows(call: &Call) -> pg_sys::Datum {
    let flows = call.state(0, DatedCash::sorted).unwrap_or_default();
    call.answer_rows(
        flows.into_iter().map(|flow| vec![Field::Int4(Some(flow.date)), Field::Numeric(Some(flow.amount.to_string()))]),
    )
}

/// `skipped(cash)`.
pub fn skipped(call: &Call) -> pg_sys::Datum {
    match call.state(0, DatedCash::skipped) {
        Some(rows) => pg_sys::Datum::from(i64::try_from(rows).unwrap_or(i64::MAX)),
        None => call.null(),
    }
}

/// `year_fraction(from, to, day_count)`.
pub fn year_fraction(call: &Call) -> pg_sys::Datum {
    let years = || {
        let (from, to, day_count): (_, _, DayCount) = (call.integer(0)?, call.integer(1)?, named(call, 2)?);
        Some(settle(day_count.years(from, to)))
    };
    call.answer_float(years())
}

/// `discount_factor(years, rate, compounding)`.
pub fn discount_factor(call: &Call) -> pg_sys::Datum {
    let factor = || {
        let (years, rate, compounding): (_, _, Compounding) = (call.float(0)?, call.float(1)?, named(call, 2)?);
        Some(settle(compounding.discount_factor(years, rate)))
    };
    call.answer_float(factor())
}

/// `convert_rate(rate, from, to)`.
pub fn convert_rate(call: &Call) -> pg_sys::Datum {
    let rate = || {
        let (rate, from, to) = (call.float(0)?, named(call, 1)?, named(call, 2)?);
        Some(settle(rates::convert_rate(rate, from, to)))
    };
    call.answer_float(rate())
}

/// `annual_churn(monthly)` and `monthly_churn(annual)`.
pub fn compound_churn(call: &Call, periods: f64) -> pg_sys::Datum {
    call.answer_float(call.float(0).map(|churn| settle(rates::compound_churn(churn, periods))))
}

impl Stored for DatedCash {
    const SQL_NAME: &'static str = "ltv.dated_cash";

    fn to_bytes(&self) -> Vec<u8> {
        self.encode()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        DatedCash::decode(bytes)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum CashText {
    /// Amounts are text, for JSON's numbers are doubles to many readers.
    DatedCash {
        version: u32,
        date: Vec<String>,
        amount: Vec<String>,
        skipped: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rate: Option<f64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        as_of: Option<String>,
    },
}

fn written(day: i32) -> Result<String> {
    day_count::civil(day).map(|date| date.to_string())
}

fn read_date(text: &str) -> Result<i32> {
    let date =
        text.parse().map_err(|_| Error::malformed(format!("\"{text:.20}\" is no date of the form 2024-01-31")))?;
    Ok(day_count::day_number(date))
}

impl Text for DatedCash {
    fn to_text(&self) -> Result<String> {
        let flows = self.sorted();
        text::print(&CashText::DatedCash {
            version: text::VERSION,
            date: flows.iter().map(|flow| written(flow.date)).collect::<Result<_>>()?,
            amount: flows.iter().map(|flow| flow.amount.to_string()).collect(),
            skipped: self.skipped(),
            rate: self.rate(),
            as_of: self.as_of().map(written).transpose()?,
        })
    }

    fn from_text(form: &str) -> Result<Self> {
        const NAME: &str = "ltv.dated_cash";
        let CashText::DatedCash { version, date, amount, skipped, rate, as_of } = text::parse(form, NAME)?;
        text::known(version, NAME)?;
        if date.len() != amount.len() {
            return Err(Error::malformed("the arrays of a summary differ in length"));
        }
        let flow = |(date, amount): (&String, &String)| {
            let amount = amount.parse().map_err(|e: Error| Error::malformed(e.to_string()))?;
            Ok(Flow { date: read_date(date)?, amount })
        };
        let flows = date.iter().zip(&amount).map(flow).collect::<Result<_>>()?;
        DatedCash::from_parts(flows, rate, as_of.as_deref().map(read_date).transpose()?, skipped)
    }
}

#[pg_extern(sql = false)]
fn dated_cash_in(text: &CStr) -> Value<DatedCash> {
    types::read(text)
}

#[pg_extern(sql = false)]
fn dated_cash_out(value: Value<DatedCash>) -> CString {
    types::print(&value.0)
}

#[pg_extern(sql = false)]
fn dated_cash_recv(message: Internal) -> Value<DatedCash> {
    received(message)
}

#[pg_extern(sql = false)]
fn dated_cash_send(value: Value<DatedCash>) -> Vec<u8> {
    value.0.to_bytes()
}
