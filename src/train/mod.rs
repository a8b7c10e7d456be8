//! `train`: from named columns of a relation to a registered version.
//!
//! The data never come here: the rows are gathered by the same aggregates that people call (so parallel query, foreign
//! tables and partitions do their part), and only the holdout's few columns are read row by row.

mod algorithm;
mod amount;
mod cause_metrics;
mod causes;
mod clauses;
mod column;
mod count;
mod customers;
mod direction;
mod evaluate;
mod fit;
pub mod fitting;
mod growth;
pub mod holdout;
mod horizon;
mod knowledge;
mod leakage;
mod leakage_amount;
mod learned;
mod limits;
mod options;
mod places;
pub mod plan;
mod plan_clusters;
mod plan_columns;
mod plan_line;
mod profile;
mod purchase_plan;
mod purchase_values;
mod purchases;
mod remarks;
mod request;
mod sanity;
mod segments;
mod source;
mod spec;
mod statement;
mod values;

use std::time::Instant;

use ltv_engine::model::{Fit, Model};
use ltv_engine::survival::Sample;
use ltv_engine::{Error, Result};
use pgrx::prelude::*;
use pgrx::spi::SpiClient;

use crate::pg::call::{Call, Field};
use crate::pg::error::{report, settle};
use crate::pg::function;
use crate::pg::reader::Reader;
use crate::pg::varlena::Value;
use count::{Split, count, enough};
use evaluate::Metric;
use horizon::Horizon;
use learned::features;
use request::Request;
use source::Source;

/// What the fit saw and made.
struct Trained {
    model: Model,
    /// All training rows as one curve: the naive baseline.
    pooled: Sample,
    n_rows: i64,
    /// Where several were fitted, how each did.
    candidates: Vec<Candidate>,
    /// At which it is judged: asked for, or chosen; `None` for what knows no time, and without events.
    horizon: Option<f64>,
}

impl Trained {
    /// Of a model of amounts, the rows with one; of customers, those who came again.
    fn events(&self) -> f64 {
        match &self.model.of_all().fit {
            Fit::Amount(_) | Fit::TwoPart(_) | Fit::BoostedValue(_) => {
                self.model.quality().map_or(0.0, |quality| quality.events as f64)
            }
            Fit::Transactional(_) => purchases::came_again(&self.model),
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

pub fn train(call: &Call) -> pg_sys::Datum {
    function::require_writable(c"ltv.train()");
    let mut request = settle(Request::of(call));
    let started = Instant::now();
    let rows = Spi::connect_mut(|client| {
        let reader = &Reader::new(client);
        settle(reader.select("SELECT ltv.check_may_train($1)", &[request.model.as_str().into()]));
        let given = settle(amount::given(reader, &mut request));
        let mut source = settle(Source::load(reader, &request));
        let counted = settle(count(reader, &source, &request));
        settle(counted.accept(&source, &request));
        if let Some(fault) = counted.first_fault(reader, &source, &request) {
            settle(Err(fault))
        }
        let split = counted.split;
        settle(causes::found(reader, &source, &split));
        source.has_no_nulls = split.dropped == 0;
        settle(enough(&source, &request, &split));
        let features = match &given {
            Some(model) => model.features.clone(),
            None => settle(features(reader, &source, &request)),
        };
        settle(direction::check(&request, &features));
        let trained = settle(fit::fit(reader, &source, &request, features, given));
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
        warnings.extend(source.history.iter().flat_map(|history| purchases::remarks(history, &request)));
        warnings.extend(remarks::warnings(&request, &trained));
        let mut trained = match request.segment_by.is_empty() {
            true => trained,
            false => settle(segments::fit(reader, &source, &request, trained, &mut warnings)),
        };
        let horizon = settle(Horizon::of(reader, &source, &request, &trained.pooled));
        trained.horizon = horizon.value;
        warnings.extend(horizon.remark);
        warnings.extend(settle(sanity::warnings(reader, &source, &request, &trained)));
        let mut metrics = settle(evaluate::metrics(reader, &source, &request, &trained, split.holdout, &mut warnings));
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
    let reader = &Reader::new(client);
    let profiles = profile::taken(reader, source, request, trained, split.holdout)?;
    // Read like all else: writing takes a snapshot of its own, which may see what the fit did not.
    let lineage = reader.select(
        "SELECT ltv.source_lineage($1::regclass, $2)",
        &[request.source.into(), pgrx::JsonB(request.spec(source)).into()],
    )?;
    let lineage = lineage.first().get_one::<pgrx::JsonB>()?;
    let written = spi(client.update(
        "SELECT ltv.register_version($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, profiles => $13)",
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
            lineage.into(),
            profiles.into(),
        ],
    ))?;
    spi(written.first().get_one::<i32>())?.ok_or_else(|| Error::OutOfRange("the version has no number".into()))
}
