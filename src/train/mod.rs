//! `train`: from named columns of a relation to a registered version.
//!
//! The data never come here: the rows are gathered by the same aggregates that people call (so parallel query, foreign
//! tables and partitions do their part), and only the holdout's few columns are read row by row.

mod algorithm;
mod amount;
mod clauses;
mod column;
mod evaluate;
mod fit;
pub mod fitting;
mod growth;
mod holdout;
mod knowledge;
mod leakage;
mod limits;
mod options;
pub mod plan;
mod plan_columns;
mod plan_line;
mod profile;
mod remarks;
mod request;
mod sanity;
mod segments;
mod source;
mod spec;
mod statement;
mod values;

use std::time::Instant;

use ltv_engine::model::features::{Feature, Filled, Filling, Kind};
use ltv_engine::model::{Fit, Model};
use ltv_engine::survival::Sample;
use ltv_engine::{Error, Result};
use pgrx::prelude::*;
use pgrx::spi::SpiClient;

use crate::pg::call::{Call, Field};
use crate::pg::error::{report, settle};
use crate::pg::function;
use crate::pg::varlena::Value;
use algorithm::Algorithm;
use clauses::NullPolicy;
use column::Column;
use evaluate::Metric;
use request::Request;
use source::Source;

/// More levels than this and the column is an identifier, not a category.
const MAX_LEVELS: usize = 200;

/// What the fit saw and made.
struct Trained {
    model: Model,
    /// All training rows as one curve: the naive baseline.
    pooled: Sample,
    n_rows: i64,
    /// Where several were fitted, how each did.
    candidates: Vec<Candidate>,
}

impl Trained {
    /// Of a model of amounts, the rows with one.
    fn events(&self) -> f64 {
        match &self.model.fit {
            Fit::Amount(_) | Fit::TwoPart(_) | Fit::BoostedValue(_) => {
                self.model.quality().map_or(0.0, |quality| quality.events as f64)
            }
            _ => self.pooled.events(),
        }
    }
}

/// One of several distributions that were fitted.
struct Candidate {
    distribution: String,
    /// AIC or BIC.
    criterion: Option<f64>,
    status: String,
}

/// How many rows each purpose gets.
struct Split {
    training: i64,
    holdout: i64,
    dropped: i64,
    /// Training rows with the event, each counting once.
    events: i64,
    /// Begun after the day of the knowledge, and left out.
    later: i64,
    /// Training rows whose outcome lies beyond that day, and is censored.
    cut_off: i64,
}

pub fn train(call: &Call) -> pg_sys::Datum {
    function::require_writable(c"ltv.train()");
    let mut request = settle(Request::of(call));
    let started = Instant::now();
    let rows = Spi::connect_mut(|client| {
        let given = settle(amount::given(client, &mut request));
        let source = settle(Source::load(client, &request));
        let counted = settle(count(client, &source, &request));
        settle(counted.accept(&source, &request));
        if let Some(fault) = counted.first_fault(client, &source, &request) {
            settle(Err(fault))
        }
        let split = counted.split;
        settle(enough(&request, &split));
        let features = match &given {
            Some(model) => model.features.clone(),
            None => settle(features(client, &source, &request)),
        };
        let trained = settle(fit::fit(client, &source, &request, features, given));
        if trained.n_rows != split.training {
            report(
                PgSqlErrorCode::ERRCODE_T_R_SERIALIZATION_FAILURE,
                format!(
                    "{} changed while it was read: {} rows, then {}",
                    source.display, split.training, trained.n_rows
                ),
                "Train in a transaction of its own, or in one that is REPEATABLE READ.",
            );
        }
        let mut warnings = remarks::of_knowledge(&request, &split);
        warnings.extend(remarks::warnings(&request, &trained));
        let trained = match request.segment_by.is_empty() {
            true => trained,
            false => settle(segments::fit(client, &source, &request, trained, &mut warnings)),
        };
        warnings.extend(settle(sanity::warnings(client, &source, &request, &trained)));
        let mut metrics = settle(evaluate::metrics(client, &source, &request, &trained, split.holdout, &mut warnings));
        metrics.extend(remarks::comparison(&request, &trained));
        let version = settle(register(client, &source, &request, &trained, &split, &metrics, &warnings));
        let fit_ms = started.elapsed().as_secs_f64() * 1e3;
        let events = trained.events();
        let row = |metric: Option<&Metric>| {
            vec![
                Field::Text(Some(request.model.clone())),
                Field::Int4(Some(version)),
                Field::Text(Some("candidate".into())),
                Field::Integer(Some(trained.n_rows)),
                Field::Float(Some(events)),
                Field::Integer(Some(split.dropped)),
                Field::Integer(Some(split.holdout)),
                Field::Text(metric.map(|metric| metric.name.clone())),
                Field::Float(metric.and_then(|metric| metric.value)),
                Field::Text(metric.and_then(|metric| metric.named).map(str::to_owned)),
                Field::Float(metric.and_then(|metric| metric.baseline)),
                Field::Float(metric.and_then(Metric::skill)),
                Field::Texts(warnings.clone()),
                Field::Float(Some(fit_ms)),
            ]
        };
        match metrics.is_empty() {
            true => vec![row(None)],
            false => metrics.iter().map(|metric| row(Some(metric))).collect(),
        }
    });
    call.answer_rows(rows)
}

/// An SPI failure as the engine's error; PostgreSQL's own errors have already ended the statement.
fn spi<T>(result: pgrx::spi::Result<T>) -> Result<T> {
    result.map_err(|error| Error::OutOfRange(error.to_string()))
}

/// What one scan of the source finds.
struct Counted {
    rows: i64,
    split: Split,
    /// NULLs by column that must have none.
    nulls: Vec<i64>,
    /// Rows that were known only after the day of the knowledge.
    known_later: i64,
    /// Rows with a value that cannot be learnt from.
    faulty: i64,
}

impl Counted {
    /// Refuses what cannot be learnt from: rows that know too much, and NULLs that nobody has spoken for.
    fn accept(&self, source: &Source, request: &Request) -> Result<()> {
        if let Some(refusal) = self.knows_too_much(source, request) {
            return Err(refusal);
        }
        let null = source.used.iter().zip(&self.nulls).find(|(_, nulls)| **nulls > 0);
        if let (Some((column, nulls)), true) = (null, request.null_policy != NullPolicy::Drop) {
            report(
                PgSqlErrorCode::ERRCODE_NULL_VALUE_NOT_ALLOWED,
                format!("column \"{}\" of {} is NULL in {nulls} rows", column.name, source.display),
                match request.algorithm.is_boosted() {
                    true => {
                        "Fill it in a view, leave the column out, or train with null_policy => 'drop'; of features trees learn with 'learn', 'impute' and 'indicator' fill them."
                    }
                    false => {
                        "Fill it in a view, leave the column out, or train with null_policy => 'drop'; 'impute' and 'indicator' fill features."
                    }
                },
            );
        }
        Ok(())
    }

    /// What is wrong with the values of the rows, as an error.
    fn first_fault(&self, client: &SpiClient, source: &Source, request: &Request) -> Option<Error> {
        (self.faulty > 0).then(|| settle(values::faults(client, source, request)).first().map(values::Fault::error))?
    }

    fn knows_too_much(&self, source: &Source, request: &Request) -> Option<Error> {
        let (known_on, day) = request.known_on.as_ref().zip(request.as_of.as_ref())?;
        let what = format!(
            "as_of {day} cannot be honoured: {} rows of {} were known only later, by {known_on}",
            self.known_later, source.display
        );
        let hint = "Build the source as it was known on that day (ltv.timeline_query and what builds on it take as_of), or filter it.";
        (self.known_later > 0).then(|| Error::invalid(what, hint))
    }
}

/// Counts the rows.
fn count(client: &SpiClient, source: &Source, request: &Request) -> Result<Counted> {
    let nulls: String = source
        .used
        .iter()
        .map(|column| format!(", count(*) FILTER (WHERE {} AND {} IS NULL)", source.begun, column.sql()))
        .collect();
    let or_none = |condition: &Option<String>| condition.clone().unwrap_or_else(|| "false".to_owned());
    let query = format!(
        "SELECT count(*) FILTER (WHERE {holdout} AND {begun}), count(*) FILTER (WHERE {begun} AND NOT ({complete})),
                count(*) FILTER (WHERE {training}), count(*) FILTER (WHERE NOT {begun}),
                count(*) FILTER (WHERE {training} AND {cut_off}), count(*) FILTER (WHERE {later}),
                coalesce(sum(CASE WHEN {training} THEN ({event})::int END), 0)::bigint, count(*),
                count(*) FILTER (WHERE {faulty}){nulls} FROM {from}",
        holdout = source.holdout,
        begun = source.begun,
        complete = source.complete(),
        training = source.training(),
        cut_off = or_none(&source.cut_off),
        later = or_none(&source.known_later),
        event = source.event,
        faulty = values::any(source, request)?,
        from = source.from,
    );
    let row = spi(client.select(&query, None, &[]))?.first();
    let number = |at: usize| spi(row.get::<i64>(at)).map(|count| count.unwrap_or(0));
    let nulls = (0..source.used.len()).map(|at| number(at + 10)).collect::<Result<Vec<_>>>()?;
    Ok(Counted {
        rows: number(8)?,
        nulls,
        known_later: number(6)?,
        faulty: number(9)?,
        split: Split {
            training: number(3)?,
            holdout: number(1)?,
            dropped: number(2)?,
            events: number(7)?,
            later: number(4)?,
            cut_off: number(5)?,
        },
    })
}

/// Refuses what has too few events to learn from.
fn enough(request: &Request, split: &Split) -> Result<()> {
    match request.min_events {
        Some(least) if split.events < i64::from(least) => Err(Error::invalid(
            format!("{} events among {} training rows, but min_events is {least}", split.events, split.training),
            "Wait for more, take a longer period or a coarser segment, or lower min_events.",
        )),
        _ => Ok(()),
    }
}

/// The features and, for categories, the levels that training rows have.
fn features(client: &SpiClient, source: &Source, request: &Request) -> Result<Vec<Feature>> {
    let mut features = Vec::with_capacity(source.features.len() + 1);
    for column in &source.features {
        features.push(feature(client, source, request, column)?);
    }
    features.extend(source.strata.iter().map(|column| Feature { name: column.name.clone(), kind: Kind::Stratum }));
    Ok(features)
}

fn feature(client: &SpiClient, source: &Source, request: &Request, column: &Column) -> Result<Feature> {
    let categorical = column.is_text() || matches!(request.algorithm, Algorithm::KaplanMeier);
    let kind = if categorical {
        if !column.is_category() {
            return Err(column
                .unusable("a category", "Categories are text, booleans or whole numbers; band the rest in a view."));
        }
        Kind::Category { levels: levels(client, source, column)? }
    } else if column.is_boolean() {
        Kind::Boolean
    } else if column.is_number() {
        Kind::Numeric
    } else {
        return Err(column
            .unusable("a feature", "Features are numbers, booleans or text; turn dates into durations in a view."));
    };
    let kind = match request.null_policy {
        NullPolicy::Impute | NullPolicy::Indicator => filled(client, source, column, kind, request.null_policy)?,
        NullPolicy::Learn if is_lacking(client, source, column)? => kind.learnt(),
        _ => kind,
    };
    Ok(Feature { name: column.name.clone(), kind })
}

/// Whether some training row lacks the column: it is NULL, or a number that is none.
fn is_lacking(client: &SpiClient, source: &Source, column: &Column) -> Result<bool> {
    let none = match column.is_number() {
        true => format!("coalesce({0}::float8 = 'NaN', true)", column.sql()),
        false => format!("{} IS NULL", column.sql()),
    };
    let query = format!("SELECT bool_or({none}) FROM {} WHERE {}", source.from, source.training());
    Ok(spi(spi(client.select(&query, None, &[]))?.first().get_one::<bool>())?.unwrap_or(false))
}

/// The distinct texts of a category among the training rows, in byte order.
fn levels(client: &SpiClient, source: &Source, column: &Column) -> Result<Vec<String>> {
    let query = format!(
        "SELECT DISTINCT {}::text COLLATE \"C\" FROM {} WHERE {} LIMIT {}",
        column.sql(),
        source.from,
        source.training(),
        MAX_LEVELS + 2
    );
    let table = spi(client.select(&query, None, &[]))?;
    let mut levels = Vec::with_capacity(table.len());
    for row in table {
        levels.extend(spi(row.get::<String>(1))?);
    }
    if levels.len() > MAX_LEVELS {
        return Err(Error::invalid(
            format!("column \"{}\" has more than {MAX_LEVELS} levels", column.name),
            "It looks like an identifier; group rare levels in a view, or leave it out.",
        ));
    }
    levels.sort_unstable();
    Ok(levels)
}

/// The feature with what stands in for its NULLs: the median of a number, the most frequent of the rest (of several the
/// first in byte order, or false).
fn filled(client: &SpiClient, source: &Source, column: &Column, kind: Kind, policy: NullPolicy) -> Result<Kind> {
    let value = column.filled(&kind);
    let middle = match &kind {
        Kind::Numeric => format!("percentile_cont(0.5) WITHIN GROUP (ORDER BY {value})::text"),
        Kind::Boolean => format!("mode() WITHIN GROUP (ORDER BY {value})::text"),
        _ => format!("mode() WITHIN GROUP (ORDER BY {value} COLLATE \"C\")"),
    };
    let query =
        format!("SELECT {middle}, bool_or({} IS NULL) FROM {} WHERE {}", column.sql(), source.from, source.training());
    let row = spi(client.select(&query, None, &[]))?.first();
    let nothing = || {
        Error::invalid(
            format!("column \"{}\" has no value to fill its NULLs with", column.name),
            "It is NULL in every training row; leave it out.",
        )
    };
    let middle = spi(row.get::<String>(1))?.ok_or_else(nothing)?;
    let has_nulls = spi(row.get::<bool>(2))?.unwrap_or(false);
    let by = match kind {
        Kind::Numeric => {
            Filling::Number(middle.parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(nothing)?)
        }
        Kind::Boolean => Filling::Boolean(middle != "0"),
        Kind::Category { levels } => {
            let at = levels.binary_search(&middle).map_err(|_| nothing())?;
            Filling::Level { levels, at }
        }
        other => return Ok(other),
    };
    Ok(Kind::Filled(Filled { by, indicator: has_nulls && policy == NullPolicy::Indicator }))
}

/// Writes the version and its audit row, with where its data came from.
fn register(
    client: &mut SpiClient,
    source: &Source,
    request: &Request,
    trained: &Trained,
    split: &Split,
    metrics: &[Metric],
    warnings: &[String],
) -> Result<i32> {
    let profiles = profile::taken(client, source, request, trained, split.holdout)?;
    let written = spi(client.update(
        "SELECT ltv.register_version($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, ltv.source_lineage($12::regclass, $4), profiles => $13)",
        None,
        &[
            request.model.as_str().into(),
            trained.model.algorithm().into(),
            Value(trained.model.clone()).into(),
            pgrx::JsonB(request.spec(source)).into(),
            trained.n_rows.into(),
            trained.events().into(),
            split.dropped.into(),
            split.holdout.into(),
            pgrx::JsonB(serde_json::Value::Array(metrics.iter().map(Metric::to_json).collect())).into(),
            warnings.to_vec().into(),
            request.note.as_deref().into(),
            request.source.into(),
            profiles.into(),
        ],
    ))?;
    spi(written.first().get_one::<i32>())?.ok_or_else(|| Error::OutOfRange("the version has no number".into()))
}
