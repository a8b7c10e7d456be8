//! `ltv.terms`: the terms of a contract as a value, made from named arguments and changed by JSON.

use std::ffi::{CStr, CString};

use chrono::NaiveDate;
use ltv_engine::value::day_count::civil;
use ltv_engine::value::money::decimal;
use ltv_engine::value::{ContractTerms, Terms};
use ltv_engine::{Error, Result};
use pgrx::prelude::*;
use pgrx::{AnyNumeric, Internal};
use rust_decimal::Decimal;

use crate::currency::digits_of;
use crate::pg::call::Call;
use crate::pg::error::{raise, settle};
use crate::pg::varlena::decoded;
use crate::pg::varlena::{Stored, Value, received};
use crate::terms_text::{Members, set_all};
use crate::types::{print, read};

impl Stored for ContractTerms {
    const SQL_NAME: &'static str = "ltv.terms";

    fn to_bytes(&self) -> Vec<u8> {
        self.encode()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let terms = ContractTerms::decode(bytes)?;
        if terms.plain.minor_digits != digits_of(terms.currency.as_deref())? {
            return Err(Error::malformed("the decimals of these terms are not those of their currency"));
        }
        terms.as_of.map(stated_on).transpose()?;
        Ok(terms)
    }
}

#[pg_extern(sql = false)]
fn terms_in(text: &CStr) -> Value<ContractTerms> {
    read(text)
}

#[pg_extern(sql = false)]
fn terms_out(value: Value<ContractTerms>) -> CString {
    print(&value.0)
}

#[pg_extern(sql = false)]
fn terms_recv(message: Internal) -> Value<ContractTerms> {
    received(message)
}

#[pg_extern(sql = false)]
fn terms_send(value: Value<ContractTerms>) -> Vec<u8> {
    value.0.to_bytes()
}

/// The day on which a value is stated.
pub fn stated_on(days: i32) -> Result<NaiveDate> {
    civil(days)
        .map_err(|_| Error::invalid("as_of is out of range", "The day on which the value is stated, a finite date."))
}

/// `with_changes(terms, changes)`.
pub fn with_changes(call: &Call) -> pg_sys::Datum {
    let (Some(bytes), Some(changes)) = (call.bytes(0), call.jsonb(1)) else { return call.null() };
    let mut terms = settle(decoded(bytes, ContractTerms::from_bytes));
    let members = serde_json::from_str::<Members>(&changes).map_err(|_| {
        Error::invalid(
            "the changes are no JSON object",
            "Such as {\"discount_rate\": 0.12, \"revenue\": {\"times\": 0.9}}.",
        )
    });
    let Members(members) = settle(members);
    settle(set_all(&mut terms, &members, true));
    call.answer_bytes(&terms.encode())
}

/// `contract_terms(revenue, …)`, the revenue numeric or double precision.
pub fn contract_terms(call: &Call, exact: bool) -> pg_sys::Datum {
    match made(call, exact) {
        Some(terms) => {
            settle(terms.validate());
            call.answer_bytes(&terms.encode())
        }
        None => call.null(),
    }
}

/// `None` when an argument is NULL that must be known.
fn made(call: &Call, exact: bool) -> Option<ContractTerms> {
    let whole = |place: usize, name: &str, unit: &str| -> Option<u32> {
        let value = call.integer(place)?;
        Some(settle(u32::try_from(value).map_err(|_| {
            Error::invalid(format!("{name} must not be negative, got {value}"), format!("It is a number of {unit}."))
        })))
    };
    let ramp = call.get::<Vec<Option<AnyNumeric>>>(19).unwrap_or_default();
    let ramp: Vec<Decimal> = ramp.into_iter().map(|price| of_numeric(price, "a price of the ramp")).collect();
    let revenue = match (call.is_null(0), exact) {
        (true, _) => *ramp.first()?,
        (false, true) => of_numeric(call.get(0), "revenue"),
        (false, false) => of_double(call.float(0)?),
    };
    let currency = call.text(16).map(str::to_owned);
    Some(ContractTerms {
        plain: Terms {
            margin: call.float(1)?,
            cost_to_serve: call.float(2)?,
            discount_rate: call.float(3)?,
            horizon: whole(4, "horizon", "months")?,
            expansion: call.float(5)?,
            price_uplift: call.float(6)?,
            period_months: call.float(7)?,
            billing: settle(call.text(8)?.parse()),
            timing: settle(call.text(9)?.parse()),
            given: call.float(10)?,
            term_months: call.float(11),
            months_to_renewal: call.float(12),
            paid_months: whole(13, "paid_months", "months")?,
            acquisition_cost: call.float(14)?,
            tail: settle(call.text(15)?.parse()),
            minor_digits: settle(digits_of(currency.as_deref())),
            level: call.float(17)?,
            basis: settle(call.text(20)?.parse()),
            expansion_curve_months: whole(22, "expansion_curve_months", "months")?,
            notice_months: call.float(23)?,
            auto_renew: call.boolean(24)?,
            early_termination: call.float(25)?,
            termination_fee: call.float(26)?,
            payment_days: whole(27, "payment_days", "days")?,
            bad_debt: call.float(28)?,
            tail_months: call.float(30),
            hazard_ratio: call.float(31)?,
            ..Terms::new(0.0)
        },
        revenue,
        ramp,
        expansion_curve: call.floats(21).unwrap_or_default().to_vec(),
        discount_curve: call.floats(29).unwrap_or_default().to_vec(),
        currency,
        as_of: call.integer(18).inspect(|days| {
            settle(stated_on(*days));
        }),
    })
}

/// A numeric as a decimal, rounded where it has more than 28 digits.
fn of_numeric(value: Option<AnyNumeric>, name: &str) -> Decimal {
    let digits = value.map_or("NULL".into(), |value| value.to_string());
    match digits.parse::<Decimal>() {
        Ok(amount) => amount.normalize(),
        Err(_) if digits.starts_with(|first: char| first.is_ascii_digit() || first == '-') => {
            raise(Error::OutOfRange(format!("{name} {digits} is out of the range of money")))
        }
        Err(_) => raise(Error::invalid(
            format!("{name} must be finite and not negative, got {digits}"),
            "It is the price of one period.",
        )),
    }
}

/// A price in double precision, as the decimal that it was written as.
pub fn of_double(value: f64) -> Decimal {
    match decimal(value) {
        Some(amount) => amount,
        None if value.is_finite() => raise(Error::OutOfRange(format!("revenue {value} is out of the range of money"))),
        None => raise(Error::invalid(
            format!("revenue must be finite and not negative, got {value}"),
            "It is the price of one period.",
        )),
    }
}
