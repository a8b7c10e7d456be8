//! Which rows are held out.

use ltv_engine::{Error, Result};
use pgrx::prelude::*;
use pgrx::spi::quote_literal;
use serde_json::{Value, json};

use crate::pg::call::Call;
use crate::pg::error::settle;
use crate::pg::reader::Reader;
use crate::pg::subtransaction::attempt;
use crate::train::clauses;
use crate::train::clauses::{Holdout, HoldoutRule};
use crate::train::column::{Column, columns};
use crate::train::source::{column_of, shown};

/// `holdout_condition(source, holdout, seed)`: for those who read the rows that `train` would fit, and no other.
pub fn holdout_condition(call: &Call) -> pg_sys::Datum {
    let (Some(source), Some(json)) = (call.get::<pg_sys::Oid>(0), call.jsonb(1)) else { return call.null() };
    let rule = settle(clauses::holdout(&json));
    let seed = call.get(2).unwrap_or(0);
    let condition = Spi::connect(|client| {
        let reader = &Reader::new(client);
        let display = settle(shown(reader, source));
        let columns = settle(columns(reader, source));
        let by = column_of(&columns, &display, &rule.by);
        settle(holdout(reader, &format!("{display} s"), &rule, by, seed, None)).0
    });
    call.answer_bytes(condition.as_bytes())
}

/// The condition of the holdout and how the registry tells it.
pub fn holdout(
    reader: &Reader,
    from: &str,
    holdout: &Holdout,
    by: &Column,
    seed: i64,
    as_of: Option<&str>,
) -> Result<(String, Value)> {
    let (column, type_name) = (by.sql(), by.type_name.as_str());
    let cut_off = |operator: &str, at: &str| {
        format!("coalesce({column} {operator} CAST({} AS {type_name}), false)", quote_literal(at))
    };
    if matches!(holdout.rule, HoldoutRule::Marked) && !by.is_boolean() {
        return Err(by.unusable("a holdout's mark", "Use a boolean column, or add \"from\", \"last\" or \"fraction\"."));
    }
    if matches!(holdout.rule, HoldoutRule::From(_) | HoldoutRule::Last(_))
        && !["date", "timestamp without time zone", "timestamp with time zone"].contains(&type_name)
    {
        return Err(
            by.unusable("a holdout's date", "Use a date or timestamp column, or {\"by\": key, \"fraction\": 0.2}.")
        );
    }
    match &holdout.rule {
        HoldoutRule::Marked => Ok((format!("coalesce({column}, false)"), json!({"by": by.name}))),
        HoldoutRule::From(at) => {
            readable(reader, at, type_name, "a date", "As {\"by\": \"signed_on\", \"from\": \"2024-01-01\"}.")?;
            let at = &resolved(reader, &format!("SELECT CAST({} AS {type_name}) AS at", quote_literal(at)))?
                .ok_or_else(|| {
                    Error::invalid(format!("the holdout's \"{at}\" is no day"), "A finite date, as 2024-01-01.")
                })?;
            if let Some(day) = as_of {
                let query =
                    format!("SELECT CAST({} AS {type_name}) > CAST({} AS date)", quote_literal(at), quote_literal(day));
                if reader.select(&query, &[])?.first().get_one::<bool>()?.unwrap_or(false) {
                    return Err(Error::invalid(
                        format!("the holdout begins on {at}, after as_of {day}: it would be empty, or know more"),
                        "Hold out from an earlier day, or give a later as_of.",
                    ));
                }
            }
            Ok((cut_off(">=", at), json!({"by": by.name, "from": at})))
        }
        HoldoutRule::Last(stretch) => {
            let hint = "As {\"by\": \"signed_on\", \"last\": \"3 months\"}: a number and day, week, month or year.";
            let length = readable(reader, stretch, "interval", "a stretch of time", hint)?;
            if !length {
                return Err(Error::invalid(format!("the holdout's \"{stretch}\" is not longer than nothing"), hint));
            }
            let query = format!(
                "SELECT CAST(max({column}) FILTER (WHERE isfinite({column})) - CAST({} AS interval) AS {type_name}) AS at FROM {from}",
                quote_literal(stretch)
            );
            let at = attempt(|| settle(resolved(reader, &query))).map_err(|_| {
                Error::invalid(format!("the holdout's \"{stretch}\" leads beyond the dates there are"), hint)
            })?;
            let at = at.ok_or_else(|| {
                Error::invalid(format!("column \"{}\" has no dates", by.name), "Every value is NULL or infinite.")
            })?;
            Ok((cut_off(">", &at), json!({"by": by.name, "last": stretch, "after": at})))
        }
        HoldoutRule::Fraction(fraction) => {
            if !(by.is_category() || by.type_name == "uuid") {
                return Err(by.unusable("a holdout's key", "Use a key that is text, a whole number or a uuid."));
            }
            let share = (fraction * 1e6) as i64;
            let hash = format!("(hashtextextended({column}::text, {seed}) & 9223372036854775807) % 1000000");
            Ok((format!("coalesce({hash} < {share}, false)"), json!({"by": by.name, "fraction": fraction})))
        }
    }
}

/// The only value of a query, a moment, as every session reads it: ISO 8601, of a time zone with its offset, whatever
/// DateStyle and TimeZone are. `None` for NULL and what is not finite.
fn resolved(reader: &Reader, query: &str) -> Result<Option<String>> {
    let query = format!("SELECT to_json(at) #>> '{{}}' FROM ({query}) AS moment WHERE isfinite(at)");
    reader.select(&query, &[])?.first().get_one::<String>()
}

/// Whether a text that the type must be able to read is one that is greater than nothing, of a stretch of time.
fn readable(reader: &Reader, text: &str, type_name: &str, what: &str, hint: &str) -> Result<bool> {
    let positive = if type_name == "interval" { " > interval '0'" } else { " IS NOT NULL" };
    let query = format!("SELECT CAST({} AS {type_name}){positive}", quote_literal(text));
    attempt(|| settle(settle(reader.select(&query, &[])).first().get_one::<bool>()).unwrap_or(false))
        .map_err(|_| Error::invalid(format!("the holdout's \"{text}\" is not {what}"), hint))
}
