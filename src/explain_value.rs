//! What a value is associated with, feature by feature, in money.

use ltv_engine::model::Fit;
use ltv_engine::model::explain::apportion;
use ltv_engine::model::subject::Subject;
use ltv_engine::value::ContractTerms;
use ltv_engine::value::lifetime_value::lifetime_value;
use ltv_engine::value::money::MAX_DIGITS;
use ltv_engine::value::terms::Terms;
use pgrx::prelude::*;

use crate::explain::{Part, count, culprit, direction, others, told, unexplained};
use crate::explain_hybrid;
use crate::pg::call::{Call, Field, ModelBy};
use crate::pg::error::settle;
use crate::pg::interrupts;
use crate::value::{Asked, asked, missing, stated, with_terms};

/// Where `top` stands behind the money arguments of `explain_value`.
const VALUE_TOP: usize = 21;

/// `explain_value(model, row, revenue, …, as_of, top)`: the same in money, to the minor unit.
pub fn explain_value(call: &Call, by: ModelBy) -> pg_sys::Datum {
    match asked(call, 2) {
        Ok(asked) => explain_worth(call, by, &asked, None, VALUE_TOP),
        Err(name) => without_worth(call, missing(name)),
    }
}

/// `explain_value(model, row, terms, top)`.
pub fn explain_value_terms(call: &Call, by: ModelBy) -> pg_sys::Datum {
    match stated(call, 2) {
        Ok(terms) => explain_worth(call, by, &Asked::of(&terms), Some(&terms), 3),
        Err(why) => without_worth(call, why),
    }
}

/// The columns of `ltv.value_contribution`.
const WIDTH: usize = 9;

fn without_worth(call: &Call, why: String) -> pg_sys::Datum {
    call.answer_rows([unexplained([None, None], why, WIDTH)])
}

fn explain_worth(call: &Call, by: ModelBy, asked: &Asked, stated: Option<&ContractTerms>, top: usize) -> pg_sys::Datum {
    let Some(top) = count(call, top) else { return without_worth(call, missing("top")) };
    let digits = asked.terms.minor_digits;
    let worth = |subject: &Subject, digits: u32| {
        interrupts::check()?;
        with_terms(asked, |terms| {
            let terms = Terms { minor_digits: digits, ..*terms };
            subject.view_for_value(&terms, |curve| lifetime_value(curve, &terms))
        })
    };
    let rows = call.look_typed(by, |model, values, reals| {
        if let Fit::Hybrid(fit) = &model.fit {
            let worth = match stated {
                Some(terms) => explain_hybrid::worth(model, fit, values, Some(terms.clone()), top),
                None => explain_hybrid::worth_as_asked(model, fit, values, asked, top),
            };
            return worth.map_or_else(|(culprit, why)| vec![unexplained(culprit, why, WIDTH)], |worth| worth.money());
        }
        // As finely as money is counted, so that little is lost before the parts are rounded.
        let mut ends = None;
        let allocation = settle(model.allocate(values, 10f64.powi(-(MAX_DIGITS as i32)), |subject| {
            if subject.no_lifetime().is_some() {
                return Ok(None);
            }
            Ok(worth(subject, MAX_DIGITS)?.map(|value| value.ltv.amount(MAX_DIGITS)))
        }));
        let allocation = match allocation {
            Err(why) => return vec![unexplained(culprit(&why), why.to_string(), WIDTH)],
            Ok(None) => {
                let mut columns = Vec::new();
                let why = model.subject(values, &mut columns).ok().and_then(|subject| subject.no_lifetime());
                return vec![unexplained([None, None], why.unwrap_or("no curve at the given age").into(), WIDTH)];
            }
            Ok(Some(allocation)) => allocation,
        };
        let mut columns = Vec::new();
        if let Ok(subject) = model.subject(values, &mut columns) {
            ends = settle(worth(&subject, digits));
        }
        let Some(valuation) = ends else { return Vec::new() };
        let money = |units: i128| {
            let amount = ltv_engine::value::money::Minor::of_units(units);
            Field::Numeric(Some(amount.text(digits)))
        };
        let prediction = valuation.ltv.units();
        let baseline = settle(ltv_engine::value::money::Minor::round(allocation.baseline, digits)).units();
        let parts = told(model, values, reals, allocation, usize::MAX).parts;
        let row = |(at, (part, units)): (usize, (Part, i128))| {
            vec![
                Field::Int4(Some(at as i32 + 1)),
                Field::Text(Some(part.feature)),
                Field::Text(part.value),
                money(units),
                direction(units as f64),
                money(baseline),
                money(prediction),
                Field::Text(asked.currency.clone()),
                Field::Text(Some(valuation.status.name().into())),
            ]
        };
        in_units(parts, prediction - baseline, digits, top).into_iter().enumerate().map(row).collect()
    });
    call.answer_rows(rows.unwrap_or_default())
}

/// The parts in minor units, which add up to `total`; beyond the first `top` they are one. Each is rounded before that, so
/// that a feature has the same amount however many are told.
pub fn in_units(parts: Vec<Part>, total: i128, digits: u32, top: usize) -> Vec<(Part, i128)> {
    let amounts: Vec<f64> = parts.iter().map(|part| part.amount).collect();
    let units = apportion(total, &amounts, 10f64.powi(digits as i32));
    let mut told: Vec<(Part, i128)> = parts.into_iter().zip(units).collect();
    if told.len() > top {
        let rest = told.split_off(top);
        let amount = rest.iter().map(|(part, _)| part.amount).sum();
        let units = rest.iter().map(|(_, units)| units).sum();
        told.push((Part { feature: others(rest.len()), value: None, amount }, units));
    }
    told
}
