//! Time in the rows: what was known on a day, how old a row is, and the era that it is of.

use ltv_engine::{Error, Result};
use pgrx::spi::quote_literal;

use crate::pg::reader::Reader;
use crate::train::clauses::{Era, Unit};
use crate::train::column::Column;
use crate::train::request::Request;
use crate::train::statement;

/// What of the outcomes was known on the day of the knowledge.
pub struct Window {
    pub begun: String,
    pub cut_off: Option<String>,
    pub duration: String,
    pub event: String,
    /// True for rows that say that they ended and not when; `None` where every row must say how long it lasted.
    pub untold: Option<String>,
}

/// Rows begin at most on that day, and what lasts beyond it is censored there. So is what says nothing of an end: its
/// duration is NULL, or a number that is none, and goes on.
pub fn window(
    request: &Request,
    started: Option<&str>,
    entry: Option<&str>,
    (duration, event): (String, String),
    boolean: bool,
) -> Window {
    let (Some(day), Some(started)) = (&request.as_of, started) else {
        return Window { begun: "true".into(), cut_off: None, duration, event, untold: None };
    };
    let day = format!("CAST({} AS date)", quote_literal(day));
    let age = age(started, &day, request.unit);
    // Who entered later was not yet watched.
    let watched = entry.map(|entry| format!(" AND coalesce({entry} < {age}, true)")).unwrap_or_default();
    let untold =
        format!("(coalesce({duration}, 'NaN') IN ('NaN', 'Infinity') AND coalesce(({event})::int = 1, false))");
    let duration = format!("coalesce({duration}, 'Infinity')");
    Window {
        untold: Some(untold),
        begun: format!("(coalesce({started} <= {day}, true){watched})"),
        cut_off: Some(format!("coalesce({duration} > {age}, false)")),
        event: match boolean {
            true => format!("({event} AND {duration} <= {age})"),
            false => format!("(CASE WHEN {duration} <= {age} THEN {event} ELSE 0 END)"),
        },
        duration: format!("least({duration}, {age})"),
    }
}

/// From one day to another in a unit of durations.
fn age(from: &str, to: &str, unit: Unit) -> String {
    match unit {
        Unit::Day => format!("({to} - {from})::float8"),
        Unit::Week => format!("(({to} - {from}) / 7::float8)"),
        Unit::Month => format!("ltv.months_between({from}, {to})"),
        Unit::Year => format!("(ltv.months_between({from}, {to}) / 12)"),
    }
}

/// Weights that halve with every `half_life` that a row began earlier.
pub fn decayed(
    reader: &Reader,
    from: &str,
    weight: Option<String>,
    started: &str,
    half_life: f64,
    request: &Request,
) -> Result<String> {
    let latest = match &request.as_of {
        Some(day) => Some(day.clone()),
        None => reader.select(&format!("SELECT max({started})::text FROM {from}"), &[])?.first().get_one()?,
    };
    let latest = latest.ok_or_else(|| {
        Error::invalid("no row says when it began", "Check the column started_on; every value is NULL.")
    })?;
    let age = age(started, &format!("CAST({} AS date)", quote_literal(latest)), request.unit);
    let halved = format!("power(2::float8, -greatest({age}, 0) / {})", statement::number(half_life));
    Ok(match weight {
        Some(weight) => format!("({weight} * {halved})"),
        None => halved,
    })
}
/// Why `column:stretch` is no era, where there is such a column but no such stretch.
pub fn unknown_stretch(era: &Era, columns: &[Column]) -> Option<Error> {
    let is_column = |name: &str| columns.iter().any(|column| column.name == name);
    let (by, stretch) = era.by.rsplit_once(':').filter(|(by, _)| !is_column(&era.by) && is_column(by))?;
    Some(Error::invalid(
        format!("an era cannot be a {stretch} of \"{by}\""),
        "One of :year, :quarter and :month; for any other stretch make a column in a view: to_char(signed_on, 'IYYY-IW').",
    ))
}

/// The SQL of the name of the era.
pub fn named_era(era: &Era, column: &Column) -> Result<String> {
    match era.stretch {
        None if column.is_category() => Ok(format!("{}::text", column.sql())),
        None => Err(column.unusable(
            "an era",
            "Eras are text, booleans, whole numbers, or stretches of a date: 'signed_on:year', :quarter or :month.",
        )),
        Some(stretch) => {
            let form = match stretch {
                "year" => "YYYY",
                "quarter" => "YYYY-\"Q\"Q",
                _ => "YYYY-MM",
            };
            Ok(format!("to_char({}, {})", column.day("an era")?, quote_literal(form)))
        }
    }
}
