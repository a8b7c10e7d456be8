//! The relation that is trained on: the SQL that reads it.
//!
//! `train` runs with search_path = pg_catalog, so plain names of types and functions are PostgreSQL's own.

use ltv_engine::{Error, Result};
use pgrx::prelude::*;
use pgrx::spi::{quote_identifier, quote_literal};
use serde_json::Value;

use crate::pg::error::report;
use crate::pg::reader::Reader;
use crate::train::causes::Causes;
use crate::train::clauses::NullPolicy;
use crate::train::column::{Column, columns};
use crate::train::holdout::holdout;
use crate::train::knowledge::{decayed, named_era, unknown_stretch, window};
use crate::train::purchases::History;
use crate::train::request::Request;

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
    pub cluster: Option<String>,
    /// Every column that must not be NULL.
    pub used: Vec<Column>,
    /// A condition that is true for the rows held out, never NULL.
    pub holdout: String,
    pub holdout_spec: Value,
    pub duration: String,
    pub event: String,
    /// What the event is one cause of, where there are several: `event` is that it was this one.
    pub causes: Option<Causes>,
    /// The event's column, where it is a number.
    pub outcome: Option<Column>,
    pub entry: Option<String>,
    pub weight: Option<String>,
    /// What a row counts when a model is judged: without the half-life, which is about what to learn from.
    pub judged_weight: Option<String>,
    /// A condition that is true for the rows that had begun on the day of the knowledge, never NULL.
    pub begun: String,
    /// True for those whose outcome lies beyond that day, so that it is not known; `None` where none is cut off.
    pub cut_off: Option<String>,
    /// The column of the durations, where a NULL is a row that goes on on the day of the knowledge.
    pub open_ended: Option<Column>,
    /// True for rows that say that they ended and not when.
    pub untold: Option<String>,
    /// True for those that were known only later.
    pub known_later: Option<String>,
    /// A condition on top of all others: one segment.
    pub segment: Option<String>,
    /// Whether the fit is handed rows that lack a feature.
    pub is_incomplete: bool,
    /// What is read of customers, where these are the rows.
    pub history: Option<History>,
    /// Whether it is known that nothing that is used is NULL, so that nobody need ask again.
    pub has_no_nulls: bool,
}

/// The name of a relation, quoted, with its schema.
pub fn shown(reader: &Reader, source: pg_sys::Oid) -> Result<String> {
    let named = reader.select(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1",
        &[source.into()],
    )?;
    let no_source = || Error::invalid("the source does not exist", "The name of a table or view.");
    if named.is_empty() {
        return Err(no_source());
    }
    named.first().get_one::<String>()?.ok_or_else(no_source)
}

/// A column by its name; an undefined one ends the statement.
pub fn column_of<'a>(columns: &'a [Column], display: &str, name: &str) -> &'a Column {
    columns.iter().find(|column| column.name == name).unwrap_or_else(|| {
        let present: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        report(
            PgSqlErrorCode::ERRCODE_UNDEFINED_COLUMN,
            format!("{display} has no column \"{name}\""),
            format!("It has: {}.", present.join(", ")),
        )
    })
}

impl Source {
    pub fn load(reader: &Reader, request: &Request) -> Result<Source> {
        let display = shown(reader, request.source)?;
        let columns = columns(reader, request.source)?;
        let find = |name: &str| column_of(&columns, &display, name).clone();
        let some = |name: &String| (!name.is_empty()).then(|| find(name));
        let history = request
            .algorithm
            .customers()
            .map(|customers| History::load(customers, &request.segment_by, find))
            .transpose()?;
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
        if let Some(unknown) = request.era.as_ref().and_then(|era| unknown_stretch(era, &columns)) {
            return Err(unknown);
        }
        let era = request.era.as_ref().map(|era| (era, find(&era.by)));
        let started_on = request.started_on.as_deref().map(find);
        let known_on = request.known_on.as_deref().map(find);
        let open_ended = duration.clone().filter(|_| request.as_of.is_some() && started_on.is_some());
        let ended = duration.iter().filter(|_| open_ended.is_none());
        let causes = Causes::of(reader, &display, event.as_ref(), &request.algorithm)?;
        // A row without the name of a cause may be one that still ran.
        let told = event.iter().filter(|_| !causes.as_ref().is_some_and(Causes::may_be_null));
        let mut used: Vec<Column> = ended.chain(told).cloned().collect();
        used.extend(history.iter().flat_map(|history| history.columns.clone()));
        // Who bought nothing later has no later mean value: such a row is fitted all the same.
        if !history.as_ref().is_some_and(|history| history.customers.is_of_spend()) {
            used.extend(target.clone());
        }
        // A row without a cluster is one of its own.
        used.extend(entry.iter().chain(&weight).chain(&strata).chain(&segment_by).chain(&started_on).cloned());
        used.extend(era.iter().map(|(_, column)| column.clone()));
        used.extend(features.iter().filter(|column| !request.takes_null_of(&column.name)).cloned());
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
        let judged_weight = weight.clone();
        let weight = match (&request.half_life, &started) {
            (Some(half_life), Some(started)) => Some(decayed(reader, &from, weight, started, *half_life, request)?),
            _ => weight,
        };
        // Of a decision the duration is one; of an amount it is the amount, and the event that there is one.
        let measured = match (&duration, &target) {
            (Some(duration), _) => duration.number("the duration")?,
            (None, Some(target)) => target.number("the target")?,
            (None, None) => "1::float8".into(),
        };
        let happened = match (&event, &target) {
            (Some(_), _) if causes.is_some() => causes.iter().map(|causes| causes.code.clone()).collect(),
            (Some(event), _) => event.outcome()?,
            (None, _) if history.is_some() => history.iter().map(History::came_again).collect(),
            (None, Some(_)) => format!("({measured} <> 0)"),
            (None, None) => "false".into(),
        };
        let is_boolean = causes.is_none() && event.as_ref().is_none_or(Column::is_boolean);
        let window = match &history {
            Some(history) => history.window(request, started.as_deref(), (measured, happened)),
            None => window(request, started.as_deref(), entry.as_deref(), (measured, happened), is_boolean),
        };
        let causes = causes.map(|causes| causes.known(&window.event));
        let day = request.as_of.as_ref().map(|day| format!("CAST({} AS date)", quote_literal(day)));
        let (holdout, holdout_spec) = match &request.holdout {
            None => ("false".to_owned(), Value::Null),
            Some(rule) => holdout(
                reader,
                &format!("{from} WHERE {}", window.begun),
                rule,
                &find(&rule.by),
                request.seed,
                request.as_of.as_deref(),
            )?,
        };
        Ok(Source {
            duration: window.duration,
            event: causes.as_ref().map_or(window.event, Causes::happened),
            outcome: event.filter(|event| !event.is_boolean() && causes.is_none()),
            causes,
            begun: window.begun,
            cut_off: window.cut_off,
            untold: window.untold,
            open_ended,
            known_later: known.zip(day).map(|(known, day)| format!("coalesce({known} > {day}, false)")),
            segment: None,
            is_incomplete: request.null_policy == NullPolicy::Learn,
            history,
            has_no_nulls: false,
            era: era.map(|(era, column)| named_era(era, &column)).transpose()?,
            segment_by,
            entry,
            weight,
            judged_weight,
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
        match self.has_no_nulls {
            true => "true".into(),
            false => all(self.used.iter().map(|column| match self.may_lack(column) {
                None => format!("{} IS NOT NULL", column.sql()),
                Some(may) => format!("({} IS NOT NULL OR {may})", column.sql()),
            })),
        }
    }

    /// True for rows in which a column that is used is NULL and must not be.
    pub fn lacks(&self, column: &Column) -> String {
        match self.may_lack(column) {
            None => format!("{} IS NULL", column.sql()),
            Some(may) => format!("{} IS NULL AND NOT {may}", column.sql()),
        }
    }

    fn may_lack(&self, column: &Column) -> Option<String> {
        self.history.as_ref()?.may_lack(column)
    }

    /// True for rows that could be known on the day of the knowledge and are of the segment, if there is one.
    pub fn within(&self) -> String {
        all([self.begun.clone()].into_iter().chain(self.segment.clone()))
    }

    /// True for rows that are not held out.
    pub fn kept(&self) -> String {
        if self.holdout == "false" { "true".into() } else { format!("NOT {}", self.holdout) }
    }

    pub fn training(&self) -> String {
        all([self.kept(), self.within(), self.complete()])
    }

    /// True for the rows that training was offered: those that it drops too.
    pub fn offered(&self) -> String {
        all([self.kept(), self.within()])
    }

    pub fn held_out(&self) -> String {
        all([self.holdout.clone(), self.within(), self.complete()])
    }

    /// The rows, and beside each one what a model scores of it, by the names that the model knows: the row `ltv_row`.
    pub fn scored_from(&self) -> String {
        let columns: Vec<String> = self.scored().map(|column| column.sql()).collect();
        let names: Vec<String> = self.scored().map(|column| quote_identifier(&column.name)).collect();
        match columns.is_empty() {
            true => self.from.clone(),
            false => {
                format!("{}, LATERAL (SELECT {}) AS ltv_row ({})", self.from, columns.join(", "), names.join(", "))
            }
        }
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
        if let Some(causes) = &self.causes {
            return causes.design(duration, &x, entry, weight);
        }
        if self.is_incomplete {
            let (entry, weight) = (entry.unwrap_or("0"), weight.unwrap_or("1"));
            return format!("ltv.incomplete_design_agg({entry}, {duration}, {event}, {x}, {weight})");
        }
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

/// All of these conditions in one; those that are always true need not be said.
pub fn all(conditions: impl IntoIterator<Item = String>) -> String {
    let said: Vec<String> = conditions.into_iter().filter(|condition| condition != "true").collect();
    if said.is_empty() { "true".into() } else { said.join(" AND ") }
}
