//! The JSON of `ltv.terms`: names and values, exact to the last digit, and changes of them.

use std::fmt;

use ltv_engine::value::contract::{Billing, Timing, ValueBasis};
use ltv_engine::value::day_count::{civil, day_number};
use ltv_engine::value::money::{decimal, double};
use ltv_engine::value::{ContractTerms, TailRule};
use ltv_engine::{Error, Result};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::currency::digits_of;
use crate::text::{Text, parse};

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
                    Some(date) => Some(date.parse().ok().map(day_number)?),
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
pub(crate) struct Members<'a>(pub Vec<(String, &'a RawValue)>);

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
pub(crate) fn set_all(terms: &mut ContractTerms, members: &[(String, &RawValue)], changes: bool) -> Result<()> {
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
