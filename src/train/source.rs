//! The relation that is trained on: its columns, and the SQL that reads them.
//!
//! `train` runs with search_path = pg_catalog, so plain names of types and functions are PostgreSQL's own.

use ltv_engine::model::features::{Feature, Kind};
use ltv_engine::{Error, Result};
use pgrx::prelude::*;
use pgrx::spi::{SpiClient, quote_identifier, quote_literal};
use serde_json::{Value, json};

use crate::pg::error::report;
use crate::train::request::{Holdout, HoldoutRule, Request};
use crate::train::spi;

/// A column of the source, of its base type's category (numbers N, booleans B, text S, enums E, dates D).
#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    type_name: String,
    category: String,
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
        match &feature.kind {
            Kind::Numeric => vec![format!("{}::float8", self.sql())],
            Kind::Boolean => vec![format!("{}::int4::float8", self.sql())],
            Kind::Category { levels } => {
                let is = |level: &String| {
                    format!("({}::text = {} COLLATE \"C\")::int4::float8", self.sql(), quote_literal(level))
                };
                levels.iter().skip(1).map(is).collect()
            }
            Kind::Stratum => Vec::new(),
        }
    }

    fn number(&self, role: &str) -> Result<String> {
        if self.is_number() {
            return Ok(format!("{}::float8", self.sql()));
        }
        Err(self.unusable(
            role,
            "It must be a number, all in one unit; make it in a view: (ended_on - started_on) / 30.4375.",
        ))
    }

    fn outcome(&self) -> Result<String> {
        if self.is_boolean() {
            return Ok(self.sql());
        }
        if ["smallint", "integer", "bigint"].contains(&self.type_name.as_str()) {
            return Ok(format!("{}::int4", self.sql()));
        }
        Err(self
            .unusable("the event", "It must be a boolean, or 1 and 0; make it in a view: (churn = 'Yes') AS churned."))
    }
}

pub struct Source {
    /// Quoted, with its schema.
    pub display: String,
    /// The FROM item, with the alias s.
    pub from: String,
    pub features: Vec<Column>,
    pub strata: Option<Column>,
    /// The SQL of the cluster's name.
    cluster: Option<String>,
    /// Every column that must not be NULL.
    pub used: Vec<Column>,
    /// A condition that is true for the rows held out, never NULL.
    pub holdout: String,
    pub holdout_spec: Value,
    pub duration: String,
    pub event: String,
    pub entry: Option<String>,
    pub weight: Option<String>,
}

impl Source {
    pub fn load(client: &SpiClient, request: &Request) -> Result<Source> {
        let named = spi(client.select(
            "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1",
            None,
            &[request.source.into()],
        ))?;
        let no_source = || Error::invalid("the source does not exist", "The name of a table or view.");
        if named.is_empty() {
            return Err(no_source());
        }
        let display = spi(named.first().get_one::<String>())?.ok_or_else(no_source)?;
        let columns = columns(client, request.source)?;
        let find = |name: &str| match columns.iter().find(|column| column.name == name) {
            Some(column) => column.clone(),
            None => {
                let present: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
                report(
                    PgSqlErrorCode::ERRCODE_UNDEFINED_COLUMN,
                    format!("{display} has no column \"{name}\""),
                    format!("It has: {}.", present.join(", ")),
                )
            }
        };
        let (duration, event) = (find(&request.duration), find(&request.event));
        let entry = request.entry.as_deref().map(find);
        let weight = request.weight.as_deref().map(find);
        let strata = request.strata.as_deref().map(find);
        let cluster = request.cluster.as_deref().map(find);
        let features: Vec<Column> = request.features.iter().map(|name| find(name)).collect();
        let mut used = vec![duration.clone(), event.clone()];
        // A row without a cluster is one of its own.
        used.extend(entry.iter().chain(&weight).chain(&features).chain(&strata).cloned());
        if let Some(stratum) = strata.iter().find(|column| !column.is_category()) {
            return Err(
                stratum.unusable("a stratum", "Strata are text, booleans or whole numbers; band the rest in a view.")
            );
        }
        let from = format!("{display} s");
        let (holdout, holdout_spec) = match &request.holdout {
            None => ("false".to_owned(), Value::Null),
            Some(rule) => holdout(client, &from, rule, &find(&rule.by), request.seed)?,
        };
        Ok(Source {
            duration: duration.number("the duration")?,
            event: event.outcome()?,
            entry: entry.map(|column| column.number("the entry")).transpose()?,
            weight: weight.map(|column| column.number("the weight")).transpose()?,
            display,
            from,
            features,
            cluster: cluster.map(|column| format!("{}::text", column.sql())),
            strata,
            used,
            holdout,
            holdout_spec,
        })
    }

    /// True for rows in which nothing that is used is NULL.
    pub fn complete(&self) -> String {
        let present: Vec<String> = self.used.iter().map(|column| format!("{} IS NOT NULL", column.sql())).collect();
        present.join(" AND ")
    }

    pub fn training(&self) -> String {
        format!("NOT {} AND {}", self.holdout, self.complete())
    }

    /// The arguments of `survival_agg`.
    pub fn survival_arguments(&self) -> String {
        let entry = self.entry.as_deref().unwrap_or("0");
        match (&self.entry, &self.weight) {
            (None, None) => format!("{}, {}", self.duration, self.event),
            (None, Some(weight)) => format!("{}, {}, {weight}", self.duration, self.event),
            (Some(_), weight) => {
                format!("{entry}, {}, {}, {}", self.duration, self.event, weight.as_deref().unwrap_or("1"))
            }
        }
    }

    /// The columns that a row must have to be scored, in the order of the model's features.
    pub fn scored(&self) -> impl Iterator<Item = &Column> {
        self.features.iter().chain(&self.strata)
    }

    /// The rows as a design with these covariates.
    pub fn design(&self, covariates: &str) -> String {
        let Source { duration, event, .. } = self;
        let x = format!("ARRAY[{covariates}]::float8[]");
        let (entry, weight) = (self.entry.as_deref(), self.weight.as_deref());
        if self.strata.is_none() && self.cluster.is_none() {
            let entry = entry.map(|entry| format!("{entry}, ")).unwrap_or_default();
            let weight = weight.map(|weight| format!(", {weight}")).unwrap_or_default();
            return format!("ltv.design_agg({entry}{duration}, {event}, {x}{weight})");
        }
        let stratum = self.strata.as_ref().map_or_else(|| "''".to_owned(), |column| format!("{}::text", column.sql()));
        let cluster = self.cluster.as_ref().map(|cluster| format!(", {cluster}")).unwrap_or_default();
        let (entry, weight) = (entry.unwrap_or("0"), weight.unwrap_or("1"));
        format!("ltv.design_agg({entry}, {duration}, {event}, {x}, {weight}, {stratum}{cluster})")
    }
}

fn columns(client: &SpiClient, source: pg_sys::Oid) -> Result<Vec<Column>> {
    let table = spi(client.select(
        "WITH RECURSIVE based AS (
             SELECT a.attnum, a.attname, a.atttypid AS type FROM pg_attribute a
             WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
             UNION ALL
             SELECT b.attnum, b.attname, t.typbasetype FROM based b JOIN pg_type t ON t.oid = b.type WHERE t.typtype = 'd')
         SELECT b.attname::text, format_type(t.oid, NULL), t.typcategory::text
         FROM based b JOIN pg_type t ON t.oid = b.type WHERE t.typtype <> 'd' ORDER BY b.attnum",
        None,
        &[source.into()],
    ))?;
    let mut columns = Vec::with_capacity(table.len());
    for row in table {
        let text = |at: usize| spi(row.get::<String>(at)).map(Option::unwrap_or_default);
        columns.push(Column { name: text(1)?, type_name: text(2)?, category: text(3)? });
    }
    Ok(columns)
}

/// The condition of the holdout and how the registry tells it.
fn holdout(client: &SpiClient, from: &str, holdout: &Holdout, by: &Column, seed: i64) -> Result<(String, Value)> {
    let (column, type_name) = (by.sql(), by.type_name.as_str());
    let cut_off = |operator: &str, at: &str| {
        format!("coalesce({column} {operator} CAST({} AS {type_name}), false)", quote_literal(at))
    };
    if matches!(holdout.rule, HoldoutRule::Marked) && !by.is_boolean() {
        return Err(by.unusable("a holdout's mark", "Use a boolean column, or add \"from\", \"last\" or \"fraction\"."));
    }
    if matches!(holdout.rule, HoldoutRule::From(_) | HoldoutRule::Last(_)) && by.category != "D" {
        return Err(
            by.unusable("a holdout's date", "Use a date or timestamp column, or {\"by\": key, \"fraction\": 0.2}.")
        );
    }
    match &holdout.rule {
        HoldoutRule::Marked => Ok((format!("coalesce({column}, false)"), json!({"by": by.name}))),
        HoldoutRule::From(at) => Ok((cut_off(">=", at), json!({"by": by.name, "from": at}))),
        HoldoutRule::Last(stretch) => {
            let query = format!(
                "SELECT CAST(max({column}) - CAST({} AS interval) AS {type_name})::text FROM {from}",
                quote_literal(stretch)
            );
            let at = spi(spi(client.select(&query, None, &[]))?.first().get_one::<String>())?;
            let at = at.ok_or_else(|| {
                Error::invalid(format!("column \"{}\" has no dates", by.name), "Every value is NULL.")
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
