//! The relation that is trained on: its columns, and the SQL that reads them.
//!
//! `train` runs with search_path = pg_catalog, so plain names of types and functions are PostgreSQL's own.

use ltv_engine::model::features::{Feature, Filling, Kind};
use ltv_engine::{Error, Result};
use pgrx::prelude::*;
use pgrx::spi::{SpiClient, quote_identifier, quote_literal};
use serde_json::{Value, json};

use crate::pg::error::report;
use crate::train::request::{Era, Holdout, HoldoutRule, Request, Unit};
use crate::train::{algorithm, spi};

/// A column of the source, of its base type's category (numbers N, booleans B, text S, enums E, dates D).
#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    pub type_name: String,
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
        let value = self.filled(&feature.kind);
        let mut columns: Vec<String> = match feature.kind.levels() {
            Some(levels) => {
                let is = |level: &String| format!("({value} = {} COLLATE \"C\")::int4::float8", quote_literal(level));
                levels.iter().skip(1).map(is).collect()
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
            Some(Filling::Number(number)) => format!("coalesce({plain}, {})", algorithm::number(*number)),
            Some(Filling::Boolean(truth)) => format!("coalesce({plain}, {}::float8)", u8::from(*truth)),
            Some(Filling::Level { levels, at }) => {
                let level = levels.get(*at).map_or("NULL".to_owned(), quote_literal);
                format!("coalesce({plain}, {level})")
            }
        }
    }

    /// A day; what is read in the session's time zone is refused.
    fn day(&self, role: &str) -> Result<String> {
        if ["date", "timestamp without time zone"].contains(&self.type_name.as_str()) {
            return Ok(format!("{}::date", self.sql()));
        }
        Err(self.unusable(
            role,
            "It must be a date, the same in every session; make it in a view: (at AT TIME ZONE 'UTC')::date.",
        ))
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

#[derive(Clone)]
pub struct Source {
    /// Quoted, with its schema.
    pub display: String,
    /// The FROM item, with the alias s.
    pub from: String,
    pub features: Vec<Column>,
    pub strata: Option<Column>,
    pub segment_by: Vec<Column>,
    /// The SQL of the era's name.
    pub era: Option<String>,
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
    /// A condition that is true for the rows that had begun on the day of the knowledge, never NULL.
    pub begun: String,
    /// True for those whose outcome lies beyond that day, so that it is not known; `None` where none is cut off.
    pub cut_off: Option<String>,
    /// True for those that were known only later.
    pub known_later: Option<String>,
    /// A condition on top of all others: one segment.
    pub segment: Option<String>,
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
        let some = |name: &String| (!name.is_empty()).then(|| find(name));
        let (duration, event, target) =
            (some(&request.duration), some(&request.event), request.target.as_deref().map(find));
        let entry = request.entry.as_deref().map(find);
        let weight = request.weight.as_deref().map(find);
        let strata = request.strata.as_deref().map(find);
        let cluster = request.cluster.as_deref().map(find);
        let features: Vec<Column> = request.features.iter().map(|name| find(name)).collect();
        let segment_by: Vec<Column> = request.segment_by.iter().map(|name| find(name)).collect();
        if let Some(segment) = segment_by.iter().find(|column| !column.is_category()) {
            return Err(
                segment.unusable("a segment", "Segments are text, booleans or whole numbers; band the rest in a view.")
            );
        }
        let era = request.era.as_ref().map(|era| (era, find(&era.by)));
        let started_on = request.started_on.as_deref().map(find);
        let known_on = request.known_on.as_deref().map(find);
        let mut used: Vec<Column> = duration.iter().chain(&event).chain(&target).cloned().collect();
        // A row without a cluster is one of its own.
        used.extend(entry.iter().chain(&weight).chain(&strata).chain(&segment_by).chain(&started_on).cloned());
        used.extend(era.iter().map(|(_, column)| column.clone()));
        if !request.null_policy.fills() {
            used.extend(features.iter().cloned());
        }
        if let Some(stratum) = strata.iter().find(|column| !column.is_category()) {
            return Err(
                stratum.unusable("a stratum", "Strata are text, booleans or whole numbers; band the rest in a view.")
            );
        }
        let from = format!("{display} s");
        let started = started_on.as_ref().map(|column| column.day("the day on which rows begin")).transpose()?;
        let known = known_on.as_ref().map(|column| column.day("the day on which rows were known")).transpose()?;
        let entry = entry.map(|column| column.number("the entry")).transpose()?;
        let weight = weight.map(|column| column.number("the weight")).transpose()?;
        let weight = match (&request.half_life, &started) {
            (Some(half_life), Some(started)) => Some(decayed(client, &from, weight, started, *half_life, request)?),
            _ => weight,
        };
        // Of a decision the duration is one; of an amount it is the amount, and the event that there is one.
        let measured = match (&duration, &target) {
            (Some(duration), _) => duration.number("the duration")?,
            (None, Some(target)) => target.number("the target")?,
            (None, None) => "1::float8".into(),
        };
        let happened = match (&event, &target) {
            (Some(event), _) => event.outcome()?,
            (None, Some(_)) => format!("({measured} <> 0)"),
            (None, None) => "false".into(),
        };
        let is_boolean = event.as_ref().is_none_or(Column::is_boolean);
        let window = window(request, started.as_deref(), entry.as_deref(), (measured, happened), is_boolean);
        let day = request.as_of.as_ref().map(|day| format!("CAST({} AS date)", quote_literal(day)));
        let (holdout, holdout_spec) = match &request.holdout {
            None => ("false".to_owned(), Value::Null),
            Some(rule) => holdout(client, &format!("{from} WHERE {}", window.begun), rule, &find(&rule.by), request)?,
        };
        Ok(Source {
            duration: window.duration,
            event: window.event,
            begun: window.begun,
            cut_off: window.cut_off,
            known_later: known.zip(day).map(|(known, day)| format!("coalesce({known} > {day}, false)")),
            segment: None,
            era: era.map(|(era, column)| named_era(era, &column)).transpose()?,
            segment_by,
            entry,
            weight,
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
        if present.is_empty() { "true".into() } else { present.join(" AND ") }
    }

    /// True for rows that could be known on the day of the knowledge and are of the segment, if there is one.
    pub fn within(&self) -> String {
        match &self.segment {
            None => self.begun.clone(),
            Some(segment) => format!("{} AND {segment}", self.begun),
        }
    }

    pub fn training(&self) -> String {
        format!("NOT {} AND {} AND {}", self.holdout, self.within(), self.complete())
    }

    pub fn held_out(&self) -> String {
        format!("{} AND {} AND {}", self.holdout, self.within(), self.complete())
    }

    /// The same rows of one segment.
    pub fn of_segment(&self, levels: &[String]) -> Source {
        let is = |(column, level): (&Column, &String)| {
            format!("{}::text = {} COLLATE \"C\"", column.sql(), quote_literal(level))
        };
        let conditions: Vec<String> = self.segment_by.iter().zip(levels).map(is).collect();
        Source { segment: Some(conditions.join(" AND ")), ..self.clone() }
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
        self.segment_by.iter().chain(&self.features).chain(&self.strata)
    }

    /// The rows as a design with these covariates, compared within eras where there are any.
    pub fn design(&self, covariates: &str) -> String {
        match (&self.era, &self.strata) {
            (Some(era), _) => self.design_by(covariates, Some(era)),
            (None, Some(column)) => self.design_by(covariates, Some(&format!("{}::text", column.sql()))),
            (None, None) => self.design_by(covariates, None),
        }
    }

    /// The same rows, all eras together.
    pub fn design_of_all(&self, covariates: &str) -> String {
        let stratum = self.strata.as_ref().map(|column| format!("{}::text", column.sql()));
        self.design_by(covariates, stratum.as_deref())
    }

    fn design_by(&self, covariates: &str, stratum: Option<&str>) -> String {
        let Source { duration, event, .. } = self;
        let x = format!("ARRAY[{covariates}]::float8[]");
        let (entry, weight) = (self.entry.as_deref(), self.weight.as_deref());
        if stratum.is_none() && self.cluster.is_none() {
            let entry = entry.map(|entry| format!("{entry}, ")).unwrap_or_default();
            let weight = weight.map(|weight| format!(", {weight}")).unwrap_or_default();
            return format!("ltv.design_agg({entry}{duration}, {event}, {x}{weight})");
        }
        let stratum = stratum.unwrap_or("''");
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

/// What of the outcomes was known on the day of the knowledge.
struct Window {
    begun: String,
    cut_off: Option<String>,
    duration: String,
    event: String,
}

/// Rows begin at most on that day, and what lasts beyond it is censored there.
fn window(
    request: &Request,
    started: Option<&str>,
    entry: Option<&str>,
    (duration, event): (String, String),
    boolean: bool,
) -> Window {
    let (Some(day), Some(started)) = (&request.as_of, started) else {
        return Window { begun: "true".into(), cut_off: None, duration, event };
    };
    let day = format!("CAST({} AS date)", quote_literal(day));
    let age = age(started, &day, request.unit);
    // Who entered later was not yet watched.
    let watched = entry.map(|entry| format!(" AND coalesce({entry} < {age}, true)")).unwrap_or_default();
    Window {
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
fn decayed(
    client: &SpiClient,
    from: &str,
    weight: Option<String>,
    started: &str,
    half_life: f64,
    request: &Request,
) -> Result<String> {
    let latest = match &request.as_of {
        Some(day) => Some(day.clone()),
        None => {
            spi(spi(client.select(&format!("SELECT max({started})::text FROM {from}"), None, &[]))?.first().get_one())?
        }
    };
    let latest = latest.ok_or_else(|| {
        Error::invalid("no row says when it began", "Check the column started_on; every value is NULL.")
    })?;
    let age = age(started, &format!("CAST({} AS date)", quote_literal(latest)), request.unit);
    let halved = format!("power(2::float8, -greatest({age}, 0) / {})", algorithm::number(half_life));
    Ok(match weight {
        Some(weight) => format!("({weight} * {halved})"),
        None => halved,
    })
}

fn named_era(era: &Era, column: &Column) -> Result<String> {
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

/// The condition of the holdout and how the registry tells it.
fn holdout(
    client: &SpiClient,
    from: &str,
    holdout: &Holdout,
    by: &Column,
    request: &Request,
) -> Result<(String, Value)> {
    let seed = request.seed;
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
        HoldoutRule::From(at) => {
            if let Some(day) = &request.as_of {
                let query =
                    format!("SELECT CAST({} AS {type_name}) > CAST({} AS date)", quote_literal(at), quote_literal(day));
                if spi(spi(client.select(&query, None, &[]))?.first().get_one::<bool>())?.unwrap_or(false) {
                    return Err(Error::invalid(
                        format!("the holdout begins on {at}, after as_of {day}: it would be empty, or know more"),
                        "Hold out from an earlier day, or give a later as_of.",
                    ));
                }
            }
            Ok((cut_off(">=", at), json!({"by": by.name, "from": at})))
        }
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
