//! The cash flows and components that a lifetime value is the sum of, in SQL.

use chrono::Days;
use ltv_engine::survival::CurveView;
use ltv_engine::value::cash_flow::{self, CashFlow};
use ltv_engine::value::components::{Component, components};
use ltv_engine::value::day_count::day_number;
use ltv_engine::value::{Minor, Terms};
use pgrx::prelude::*;

use crate::pg::call::{Call, Field, ModelBy};
use crate::pg::error::settle;
use crate::value::{Asked, asked, missing, stated, with_curve, with_model, with_terms};

/// `cash_flows(curve, …)`.
pub fn cash_flows_curve(call: &Call) -> pg_sys::Datum {
    rows_curve(call, asked(call, 1).map_err(missing))
}

/// `cash_flows(curve, terms)`.
pub fn cash_flows_curve_terms(call: &Call) -> pg_sys::Datum {
    let terms = stated(call, 1);
    rows_curve(call, terms.as_ref().map(Asked::of).map_err(String::clone))
}

/// `cash_flows(model, row, …)`.
pub fn cash_flows_model(call: &Call, by: ModelBy) -> pg_sys::Datum {
    rows_model(call, by, asked(call, 2).map_err(missing))
}

/// `cash_flows(model, row, terms)`.
pub fn cash_flows_model_terms(call: &Call, by: ModelBy) -> pg_sys::Datum {
    let terms = stated(call, 2);
    rows_model(call, by, terms.as_ref().map(Asked::of).map_err(String::clone))
}

fn rows_curve(call: &Call, asked: Result<Asked, String>) -> pg_sys::Datum {
    let rows = asked.and_then(|asked| {
        let rows = |curve: CurveView| with_terms(&asked, |terms| settle(cash_flow::cash_flows(curve, terms)));
        Ok((with_curve(call, rows)?, asked))
    });
    answer_cash_flows(call, rows)
}

fn rows_model(call: &Call, by: ModelBy, asked: Result<Asked, String>) -> pg_sys::Datum {
    let rows = asked.and_then(|asked| {
        let rows = |terms: &Terms, curve: CurveView| settle(cash_flow::cash_flows(curve, terms));
        Ok((with_model(call, by, &asked, rows)?, asked))
    });
    answer_cash_flows(call, rows)
}

/// No rows for what has no value: `lifetime_value` of the same arguments says why.
fn answer_cash_flows(call: &Call, rows: Result<(Option<Vec<CashFlow>>, Asked), String>) -> pg_sys::Datum {
    let Ok((Some(rows), asked)) = rows else { return call.answer_rows(Vec::new()) };
    let money = |amount: Minor| Field::Money(Some(amount), asked.terms.minor_digits);
    let due_on = |row: &CashFlow| {
        Some(day_number(asked.as_of?.checked_add_days(Days::new(u64::try_from(row.due_days?).ok()?))?))
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

/// `value_components(curve, terms)`.
pub fn value_components_curve(call: &Call) -> pg_sys::Datum {
    let found = stated(call, 1).and_then(|terms| {
        let asked = Asked::of(&terms);
        let found = with_curve(call, |curve| with_terms(&asked, |terms| settle(components(curve, terms))))?;
        Ok((found, terms.plain.minor_digits))
    });
    answer_components(call, found)
}

/// `value_components(model, row, terms)`.
pub fn value_components_model(call: &Call, by: ModelBy) -> pg_sys::Datum {
    let found = stated(call, 2).and_then(|terms| {
        let asked = Asked::of(&terms);
        let found = with_model(call, by, &asked, |terms, curve| settle(components(curve, terms)))?;
        Ok((found, terms.plain.minor_digits))
    });
    answer_components(call, found)
}

fn answer_components(call: &Call, found: Result<(Option<Vec<Component>>, u32), String>) -> pg_sys::Datum {
    let Ok((Some(found), digits)) = found else { return call.answer_rows(Vec::new()) };
    call.answer_rows((1..).zip(found).map(|(step, component)| {
        vec![
            Field::Int4(Some(step)),
            Field::Text(Some(component.name.into())),
            Field::Float(component.factor),
            Field::Numeric(Some(component.amount.text(digits))),
            Field::Numeric(Some(component.running.text(digits))),
        ]
    }))
}
