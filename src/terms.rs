//! `ltv.terms`: the terms of a contract as a value, made from named arguments, printed as JSON, changed by JSON.

use std::ffi::{CStr, CString};
use std::fmt;

use chrono::{Days, NaiveDate};
use ltv_engine::value::contract::{Billing, Timing, ValueBasis};
use ltv_engine::value::money::{decimal, double};
use ltv_engine::value::{ContractTerms, TailRule, Terms};
use ltv_engine::{Error, Result};
use pgrx::prelude::*;
use pgrx::{AnyNumeric, Internal};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::pg::call::Call;
use crate::pg::error::{raise, settle};
use crate::pg::varlena::{Stored, Value, received};
use crate::text::{Text, parse};
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
        terms.as_of.map(civil).transpose()?;
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

/// The decimals of amounts in a currency, by ISO 4217; two without one.
pub fn digits_of(code: Option<&str>) -> Result<u32> {
    let Some(code) = code else { return Ok(2) };
    let currency = iso_currency::Currency::from_code(code).ok_or_else(|| {
        Error::invalid(format!("unknown currency \"{code}\""), "An ISO 4217 code in capitals, such as EUR, USD or JPY.")
    })?;
    Ok(currency.exponent().map_or(2, u32::from))
}

fn epoch() -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(2000, 1, 1)
}

/// The date `days` after 2000-01-01, PostgreSQL's epoch.
pub fn civil(days: i32) -> Result<NaiveDate> {
    let shifted = epoch().and_then(|epoch| {
        let distance = Days::new(u64::from(days.unsigned_abs()));
        if days < 0 { epoch.checked_sub_days(distance) } else { epoch.checked_add_days(distance) }
    });
    shifted
        .ok_or_else(|| Error::invalid("as_of is out of range", "The day on which the value is stated, a finite date."))
}

/// The days since 2000-01-01.
pub fn days_of(date: NaiveDate) -> Option<i32> {
    i32::try_from((date - epoch()?).num_days()).ok()
}

/// A term's place in the terms, by its kind.
enum Slot<'a> {
    Price(&'a mut Decimal),
    Prices(&'a mut Vec<Decimal>),
    Number(&'a mut f64),
    MaybeNumber(&'a mut Option<f64>),
    Numbers(&'a mut Vec<f64>),
    Whole(&'a mut u32),
    Flag(&'a mut bool),
    Billing(&'a mut Billing),
    Timing(&'a mut Timing),
    Tail(&'a mut TailRule),
    Basis(&'a mut ValueBasis),
    Code(&'a mut Option<String>),
    Day(&'a mut Option<i32>),
}

/// The names of all terms, in the order in which they are arguments and are printed; and which are always printed.
const NAMES: [(&str, bool); 32] = [
    ("revenue", true),
    ("margin", true),
    ("cost_to_serve", false),
    ("discount_rate", true),
    ("horizon", true),
    ("expansion", false),
    ("price_uplift", false),
    ("period_months", true),
    ("billing", true),
    ("timing", true),
    ("given", false),
    ("term_months", false),
    ("months_to_renewal", false),
    ("paid_months", false),
    ("acquisition_cost", false),
    ("tail", true),
    ("currency", false),
    ("level", false),
    ("as_of", false),
    ("value_basis", false),
    ("ramp", false),
    ("expansion_curve", false),
    ("expansion_curve_months", false),
    ("notice_months", false),
    ("auto_renew", false),
    ("early_termination", false),
    ("termination_fee", false),
    ("payment_days", false),
    ("bad_debt", false),
    ("discount_curve", false),
    ("tail_months", false),
    ("hazard_ratio", false),
];

fn slot<'a>(terms: &'a mut ContractTerms, name: &str) -> Option<Slot<'a>> {
    let plain = &mut terms.plain;
    Some(match name {
        "revenue" => Slot::Price(&mut terms.revenue),
        "margin" => Slot::Number(&mut plain.margin),
        "cost_to_serve" => Slot::Number(&mut plain.cost_to_serve),
        "discount_rate" => Slot::Number(&mut plain.discount_rate),
        "horizon" => Slot::Whole(&mut plain.horizon),
        "expansion" => Slot::Number(&mut plain.expansion),
        "price_uplift" => Slot::Number(&mut plain.price_uplift),
        "period_months" => Slot::Number(&mut plain.period_months),
        "billing" => Slot::Billing(&mut plain.billing),
        "timing" => Slot::Timing(&mut plain.timing),
        "given" => Slot::Number(&mut plain.given),
        "term_months" => Slot::MaybeNumber(&mut plain.term_months),
        "months_to_renewal" => Slot::MaybeNumber(&mut plain.months_to_renewal),
        "paid_months" => Slot::Whole(&mut plain.paid_months),
        "acquisition_cost" => Slot::Number(&mut plain.acquisition_cost),
        "tail" => Slot::Tail(&mut plain.tail),
        "currency" => Slot::Code(&mut terms.currency),
        "level" => Slot::Number(&mut plain.level),
        "as_of" => Slot::Day(&mut terms.as_of),
        "value_basis" => Slot::Basis(&mut plain.basis),
        "ramp" => Slot::Prices(&mut terms.ramp),
        "expansion_curve" => Slot::Numbers(&mut terms.expansion_curve),
        "expansion_curve_months" => Slot::Whole(&mut plain.expansion_curve_months),
        "notice_months" => Slot::Number(&mut plain.notice_months),
        "auto_renew" => Slot::Flag(&mut plain.auto_renew),
        "early_termination" => Slot::Number(&mut plain.early_termination),
        "termination_fee" => Slot::Number(&mut plain.termination_fee),
        "payment_days" => Slot::Whole(&mut plain.payment_days),
        "bad_debt" => Slot::Number(&mut plain.bad_debt),
        "discount_curve" => Slot::Numbers(&mut terms.discount_curve),
        "tail_months" => Slot::MaybeNumber(&mut plain.tail_months),
        "hazard_ratio" => Slot::Number(&mut plain.hazard_ratio),
        _ => return None,
    })
}

impl Slot<'_> {
    /// The term as JSON. A double is printed in as many digits as it takes to read it back.
    fn json(&self) -> String {
        fn list<T: fmt::Display>(values: &[T]) -> String {
            let values: Vec<String> = values.iter().map(T::to_string).collect();
            format!("[{}]", values.join(", "))
        }
        match self {
            Slot::Price(value) => value.to_string(),
            Slot::Prices(values) => list(values),
            Slot::Number(value) => value.to_string(),
            Slot::MaybeNumber(value) => value.map_or("null".into(), |value| value.to_string()),
            Slot::Numbers(values) => list(values),
            Slot::Whole(value) => value.to_string(),
            Slot::Flag(value) => value.to_string(),
            Slot::Billing(value) => format!("\"{}\"", value.name()),
            Slot::Timing(value) => format!("\"{}\"", value.name()),
            Slot::Tail(value) => format!("\"{}\"", value.name()),
            Slot::Basis(value) => format!("\"{}\"", value.name()),
            Slot::Code(value) => value.as_ref().map_or("null".into(), |code| format!("\"{code}\"")),
            Slot::Day(value) => {
                value.and_then(|days| civil(days).ok()).map_or("null".into(), |date| format!("\"{date}\""))
            }
        }
    }

    /// Sets the term from JSON; `None` when that is of the wrong kind.
    fn set(self, json: &str) -> Option<Result<()>> {
        fn of<'a, T: Deserialize<'a>>(json: &'a str) -> Option<T> {
            serde_json::from_str(json).ok()
        }
        fn named<T: std::str::FromStr<Err = Error>>(to: &mut T, json: &str) -> Option<Result<()>> {
            Some(of::<String>(json)?.parse().map(|value| *to = value))
        }
        match self {
            Slot::Price(value) => *value = amount(json)?,
            Slot::Prices(values) => {
                *values = match of::<Option<Vec<&RawValue>>>(json)? {
                    None => Vec::new(),
                    Some(list) => list.into_iter().map(|json| amount(json.get())).collect::<Option<_>>()?,
                }
            }
            Slot::Number(value) => *value = of(json)?,
            Slot::MaybeNumber(value) => *value = of(json)?,
            Slot::Numbers(values) => *values = of::<Option<Vec<f64>>>(json)?.unwrap_or_default(),
            Slot::Whole(value) => *value = of(json)?,
            Slot::Flag(value) => *value = of(json)?,
            Slot::Billing(value) => return named(value, json),
            Slot::Timing(value) => return named(value, json),
            Slot::Tail(value) => return named(value, json),
            Slot::Basis(value) => return named(value, json),
            Slot::Code(value) => *value = of(json)?,
            Slot::Day(value) => {
                *value = match of::<Option<String>>(json)? {
                    None => None,
                    Some(date) => Some(date.parse().ok().and_then(days_of)?),
                }
            }
        }
        Some(Ok(()))
    }

    /// Multiplies the term, or each of its elements, and adds to it, in decimals; `None` when it is no number.
    fn change(self, by: &Change) -> Option<Result<()>> {
        let refused = || Error::OutOfRange("a changed term is out of range".into());
        let moved = |value: f64| match decimal(value).and_then(|value| by.of(value)) {
            Some(moved) => double(moved),
            None => value * double(by.times) + double(by.plus),
        };
        match self {
            Slot::Price(value) => {
                *value = match by.of(*value) {
                    Some(moved) => moved.normalize(),
                    None => return Some(Err(refused())),
                }
            }
            Slot::Prices(values) => {
                for value in values {
                    match by.of(*value) {
                        Some(moved) => *value = moved.normalize(),
                        None => return Some(Err(refused())),
                    }
                }
            }
            Slot::Number(value) => *value = moved(*value),
            Slot::MaybeNumber(value) => *value = value.map(moved),
            Slot::Numbers(values) => values.iter_mut().for_each(|value| *value = moved(*value)),
            Slot::Whole(value) => {
                let changed = moved(f64::from(*value));
                if changed.fract() != 0.0 || !(0.0..=f64::from(u32::MAX)).contains(&changed) {
                    return Some(Err(Error::invalid(
                        format!("{value} would become {changed}, which is no whole number"),
                        "Give the new number itself.",
                    )));
                }
                *value = changed as u32;
            }
            _ => return None,
        }
        Some(Ok(()))
    }
}

/// A number of JSON, to the last digit; `None` when it is none of 28 digits.
fn amount(json: &str) -> Option<Decimal> {
    if !json.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        return None;
    }
    let plain = Decimal::from_str_exact(json).or_else(|_| Decimal::from_scientific(json));
    plain.ok().map(|amount| amount.normalize())
}

/// `{"times": 0.9}`, `{"plus": 100}` or both: first multiplied, then added to.
struct Change {
    times: Decimal,
    plus: Decimal,
}

impl Change {
    fn of(&self, value: Decimal) -> Option<Decimal> {
        value.checked_mul(self.times)?.checked_add(self.plus)
    }

    fn parse(json: &str) -> Option<Change> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Json<'a> {
            #[serde(borrow)]
            times: Option<&'a RawValue>,
            #[serde(borrow)]
            plus: Option<&'a RawValue>,
        }
        let json: Json = serde_json::from_str(json).ok()?;
        let number = |json: Option<&RawValue>, usual| json.map_or(Some(usual), |json| amount(json.get()));
        json.times.or(json.plus)?;
        Some(Change { times: number(json.times, Decimal::ONE)?, plus: number(json.plus, Decimal::ZERO)? })
    }
}

/// The members of a JSON object in their order.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
                out.write_str("an object of terms")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
                let mut members: Vec<(String, &'de RawValue)> = Vec::new();
                while let Some(member) = map.next_entry::<String, &'de RawValue>()? {
                    if members.iter().any(|(name, _)| *name == member.0) {
                        return Err(serde::de::Error::custom(format!("\"{}\" is there twice", member.0)));
                    }
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        from.deserialize_map(Object)
    }
}

fn unknown(name: &str) -> Error {
    let mut near: Vec<(f64, &str)> = NAMES
        .iter()
        .map(|(known, _)| (strsim::jaro_winkler(name, known), *known))
        .filter(|(like, _)| *like > 0.75)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    let hint = if near.is_empty() {
        let all: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
        format!("The terms are: {}.", all.join(", "))
    } else {
        let near: Vec<&str> = near.into_iter().take(3).map(|(_, name)| name).collect();
        format!("Did you mean {}?", near.join(" or "))
    };
    Error::invalid(format!("unknown term \"{name}\""), hint)
}

fn wrong_kind(name: &str, json: &str) -> Error {
    let wanted = match slot(&mut ContractTerms::new(Decimal::ZERO), name) {
        Some(Slot::Price(_) | Slot::Number(_) | Slot::MaybeNumber(_)) => "a number",
        Some(Slot::Prices(_) | Slot::Numbers(_)) => "an array of numbers",
        Some(Slot::Whole(_)) => "a whole number, not negative",
        Some(Slot::Flag(_)) => "true or false",
        Some(Slot::Day(_)) => "a date such as \"2024-01-31\"",
        _ => "a string",
    };
    let shown: String = json.chars().take(60).collect();
    Error::invalid(format!("{name} must be {wanted}, got {shown}"), "See the comment of contract_terms for each term.")
}

/// Sets what the members say. `changes` may be relative and may take a term back to what is usual by null.
fn set_all(terms: &mut ContractTerms, members: &[(String, &RawValue)], changes: bool) -> Result<()> {
    let says = |wanted: &str| members.iter().any(|(name, _)| name == wanted);
    for (name, json) in members {
        let json = json.get();
        let place = slot(terms, name).ok_or_else(|| unknown(name))?;
        if changes && json.starts_with('{') {
            let by = Change::parse(json).ok_or_else(|| {
                Error::invalid(
                    format!("{json} is no change of {name}"),
                    "A new value, or {\"times\": 0.9}, {\"plus\": 100} or both.",
                )
            })?;
            place.change(&by).unwrap_or_else(|| Err(wrong_kind(name, json)))?;
            // One lever moves all that it stands for.
            match name.as_str() {
                "revenue" if !says("ramp") => Slot::Prices(&mut terms.ramp).change(&by).unwrap_or(Ok(()))?,
                "discount_rate" if !says("discount_curve") => {
                    Slot::Numbers(&mut terms.discount_curve).change(&by).unwrap_or(Ok(()))?;
                }
                _ => (),
            }
            continue;
        }
        let usual = slot(&mut ContractTerms::new(Decimal::ZERO), name).map(|slot| slot.json()).unwrap_or_default();
        let new = if changes && json == "null" && name != "revenue" { usual.as_str() } else { json };
        place.set(new).unwrap_or_else(|| Err(wrong_kind(name, json)))?;
        if changes && name == "discount_rate" && !says("discount_curve") {
            terms.discount_curve.clear();
        }
    }
    if let (true, false, Some(first)) = (says("ramp"), says("revenue"), terms.ramp.first()) {
        terms.revenue = *first;
    }
    terms.plain.minor_digits = digits_of(terms.currency.as_deref())?;
    terms.validate()
}

impl Text for ContractTerms {
    fn to_text(&self) -> Result<String> {
        let mut terms = self.clone();
        let mut usual = ContractTerms::new(self.revenue);
        let members = NAMES.iter().filter_map(|(name, always)| {
            let json = slot(&mut terms, name)?.json();
            let differs = *always || slot(&mut usual, name)?.json() != json;
            differs.then(|| format!("\"{name}\": {json}"))
        });
        Ok(format!("{{{}}}", members.collect::<Vec<_>>().join(", ")))
    }

    fn from_text(text: &str) -> Result<Self> {
        let Members(members) = parse(text, "ltv.terms")?;
        if !members.iter().any(|(name, _)| name == "revenue" || name == "ramp") {
            // An unknown name is the likelier mistake.
            members.iter().try_for_each(|(name, _)| match NAMES.iter().any(|(known, _)| known == name) {
                true => Ok(()),
                false => Err(unknown(name)),
            })?;
            return Err(Error::invalid("terms without a revenue", "Say at least {\"revenue\": 100}."));
        }
        let mut terms = ContractTerms::new(Decimal::ZERO);
        set_all(&mut terms, &members, false)?;
        Ok(terms)
    }
}

/// `with_changes(terms, changes)`.
pub fn with_changes(call: &Call) -> pg_sys::Datum {
    let (Some(bytes), Some(changes)) = (call.bytes(0), call.jsonb(1)) else { return call.null() };
    let mut terms = settle(ContractTerms::from_bytes(bytes));
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
            settle(civil(*days));
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
