//! The columns of the relation that is trained on, and what each may be.

use ltv_engine::model::features::{Feature, Filling, Kind};
use ltv_engine::{Error, Result};
use pgrx::prelude::*;
use pgrx::spi::{quote_identifier, quote_literal};

use crate::pg::reader::Reader;
use crate::train::statement;

/// A column of the source, of its base type's category (numbers N, booleans B, text S, enums E, dates D).
#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    pub type_name: String,
    pub category: String,
}

impl Column {
    pub fn sql(&self) -> String {
        format!("s.{}", quote_identifier(&self.name))
    }

    pub fn is_number(&self) -> bool {
        self.category == "N"
            && !self.type_name.starts_with("reg")
            && self.type_name != "oid"
            && self.type_name != "money"
    }

    /// Whether it may be NaN or infinite.
    pub fn is_inexact(&self) -> bool {
        ["real", "double precision", "numeric"].contains(&self.type_name.as_str())
    }

    pub fn is_boolean(&self) -> bool {
        self.category == "B"
    }

    pub fn is_text(&self) -> bool {
        matches!(self.category.as_str(), "S" | "E")
    }

    /// Whether its text is the same in every session: levels must not depend on DateStyle, TimeZone or the like.
    pub fn is_category(&self) -> bool {
        let whole = ["smallint", "integer", "bigint", "numeric"].contains(&self.type_name.as_str());
        self.is_text() || self.is_boolean() || whole
    }

    pub fn unusable(&self, role: &str, hint: &str) -> Error {
        Error::invalid(format!("column \"{}\" of type {} cannot be {role}", self.name, self.type_name), hint)
    }

    /// The columns of numbers that the fit sees, as [`Feature::encode`] makes them when a row is scored.
    pub fn covariates(&self, feature: &Feature) -> Vec<String> {
        let value = self.filled(&feature.kind);
        let mut columns: Vec<String> = match feature.kind.coded_levels() {
            Some(levels) => {
                let is = |level: &String| format!("({value} = {} COLLATE \"C\")::int4::float8", quote_literal(level));
                levels.iter().map(is).collect()
            }
            None if feature.kind.is_group() => Vec::new(),
            None => vec![value],
        };
        if matches!(&feature.kind, Kind::Filled(filled) if filled.indicator) {
            columns.push(format!("({} IS NULL)::int4::float8", self.sql()));
        }
        columns
    }

    /// Its value as a number, or as the text of a category, with what stands in for a NULL.
    pub fn filled(&self, kind: &Kind) -> String {
        let plain = match kind.is_text() {
            true => format!("{}::text", self.sql()),
            false if self.is_boolean() => format!("{}::int4::float8", self.sql()),
            false => format!("{}::float8", self.sql()),
        };
        match kind.filling() {
            None => plain,
            Some(Filling::Number(number)) => format!("coalesce({plain}, {})", statement::number(*number)),
            Some(Filling::Boolean(truth)) => format!("coalesce({plain}, {}::float8)", u8::from(*truth)),
            Some(Filling::Level { levels, at }) => {
                let level = levels.get(*at).map_or("NULL".to_owned(), quote_literal);
                format!("coalesce({plain}, {level})")
            }
        }
    }

    /// A day; what is read in the session's time zone is refused.
    pub fn day(&self, role: &str) -> Result<String> {
        if ["date", "timestamp without time zone"].contains(&self.type_name.as_str()) {
            return Ok(format!("{}::date", self.sql()));
        }
        Err(self.unusable(
            role,
            "It must be a date, the same in every session; make it in a view: (at AT TIME ZONE 'UTC')::date.",
        ))
    }

    pub fn number(&self, role: &str) -> Result<String> {
        if self.is_number() {
            return Ok(format!("{}::float8", self.sql()));
        }
        Err(self.unusable(
            role,
            "It must be a number, all in one unit; make it in a view: (ended_on - started_on) / 30.4375.",
        ))
    }

    pub fn outcome(&self) -> Result<String> {
        if self.is_boolean() {
            return Ok(self.sql());
        }
        if ["smallint", "integer"].contains(&self.type_name.as_str()) {
            return Ok(format!("{}::int4", self.sql()));
        }
        if self.is_number() {
            // What is neither is counted and refused by its name, not rounded.
            return Ok(format!("(CASE {} WHEN 1 THEN 1 WHEN 0 THEN 0 ELSE -1 END)", self.sql()));
        }
        Err(self
            .unusable("the event", "It must be a boolean, or 1 and 0; make it in a view: (churn = 'Yes') AS churned."))
    }
}
pub fn columns(reader: &Reader, source: pg_sys::Oid) -> Result<Vec<Column>> {
    let table = reader.select(
        "WITH RECURSIVE based AS (
             SELECT a.attnum, a.attname, a.atttypid AS type FROM pg_attribute a
             WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
             UNION ALL
             SELECT b.attnum, b.attname, t.typbasetype FROM based b JOIN pg_type t ON t.oid = b.type WHERE t.typtype = 'd')
         SELECT b.attname::text, format_type(t.oid, NULL), t.typcategory::text
         FROM based b JOIN pg_type t ON t.oid = b.type WHERE t.typtype <> 'd' ORDER BY b.attnum",
        &[source.into()],
    )?;
    let mut columns = Vec::with_capacity(table.len());
    for row in table {
        let text = |at: usize| row.get::<String>(at).map(Option::unwrap_or_default);
        columns.push(Column { name: text(1)?, type_name: text(2)?, category: text(3)? });
    }
    Ok(columns)
}
