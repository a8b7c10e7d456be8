//! What is fitted: one pass over the rows, in which the aggregates that people call do the work.

use ltv_engine::model::cohorts::Cohorts;
use ltv_engine::model::features::{Feature, Kind};
use ltv_engine::model::{Fit, Model};
use ltv_engine::survival::{Sample, Survival};
use ltv_engine::{Error, Result};
use pgrx::spi::quote_literal;

use crate::pg::reader::Reader;
use crate::pg::settings;
use crate::pg::varlena::Value;
use crate::train::algorithm::Algorithm;
use crate::train::column::Column;
use crate::train::request::Request;
use crate::train::source::Source;
use crate::train::statement::{number, texts};
use crate::train::{Candidate, Trained, amount, purchases};

/// One pass: the algorithm's aggregate and the pooled curve side by side.
pub fn fit(
    reader: &Reader,
    source: &Source,
    request: &Request,
    features: Vec<Feature>,
    given: Option<Model>,
) -> Result<Trained> {
    if let Some(history) = &source.history {
        return purchases::fit(reader, source, history);
    }
    if !request.algorithm.tells_of_time() {
        return amount::fit(reader, source, request, features, given);
    }
    let pooled = format!("ltv.survival_agg({})", source.survival_arguments());
    let trained = match request.algorithm {
        Algorithm::KaplanMeier => fit_cohorts(reader, source, &pooled, features)?,
        _ => fit_rows(reader, source, request, &pooled, features)?,
    };
    if trained.pooled.events() == 0.0 {
        return Err(no_events(trained.n_rows));
    }
    Ok(trained)
}

pub fn no_rows(source: &Source) -> Error {
    Error::invalid(
        format!("{} has no complete training rows", source.display),
        "Check NULLs, the holdout, and the filter of the view.",
    )
}

pub fn no_events(rows: i64) -> Error {
    Error::invalid(
        format!("there are no events among the {rows} training rows"),
        "Check the coding of the event column and the holdout.",
    )
}

pub fn no_features(request: &Request) -> Error {
    Error::invalid(
        format!("{} needs at least one feature that varies", request.algorithm_name),
        match request.algorithm.takes_durations() {
            true => "Name some in features => ARRAY[...], or use the algorithm kaplan_meier.",
            false => {
                "Name some in features => ARRAY[...], or use the algorithm linear, which without any tells the mean."
            }
        },
    )
}

/// The rows are gathered as a design, and the fit reads it where the aggregate has left it.
fn fit_rows(
    reader: &Reader,
    source: &Source,
    request: &Request,
    pooled: &str,
    mut features: Vec<Feature>,
) -> Result<Trained> {
    let columns = covariates(source, &features);
    if columns.is_empty() && request.algorithm.needs_features() {
        return Err(no_features(request));
    }
    let units = match request.algorithm.standardizes() {
        true => deviations(reader, source, &columns)?,
        false => vec![1.0; columns.len()],
    };
    let scaled = |(column, unit): (String, &f64)| match *unit == 1.0 {
        true => column,
        false => format!("({column} / {})", number(*unit)),
    };
    let columns: Vec<String> = columns.into_iter().zip(&units).map(scaled).collect();
    let design = source.design(&columns.join(", "));
    let model = match request.algorithm.call_on_curve(pooled) {
        Some(model) => Some(model),
        None => request.algorithm.call(&design, &features)?,
    };
    let Some(model) = model else {
        return fit_candidates(reader, source, request, pooled, &design, features);
    };
    // Compared within eras, scored by the baseline of all.
    let model = match source.era {
        Some(_) => format!("ltv.fit_baseline({}, {model})", source.design_of_all(&columns.join(", "))),
        None => model,
    };
    let query = format!("SELECT count(*), {pooled}, {model} FROM {} WHERE {}", source.from, source.training());
    let row = reader.select(&query, &[])?.first();
    let n_rows = row.get::<i64>(1)?.unwrap_or(0);
    let (Some(Value(Survival::Sample(pooled))), Some(Value(model))) =
        (row.get::<Value<Survival>>(2)?, row.get::<Value<Model>>(3)?)
    else {
        return Err(no_rows(source));
    };
    let model = match model.fit {
        Fit::Cox(fit) if request.algorithm.standardizes() => Model { fit: Fit::from(fit.in_units_of(&units)), ..model },
        fit => Model { fit, ..model },
    };
    // One stratum without a name is none.
    if matches!(&model.fit, Fit::Cox(fit) if fit.strata.is_empty()) {
        features.retain(|feature| feature.kind != Kind::Stratum);
    }
    let model = if matches!(model.fit, Fit::Rule(_)) { model } else { model.with_features(features)? };
    Ok(Trained { model, pooled, n_rows, candidates: Vec::new(), horizon: None })
}

/// The standard deviation of each column among the training rows, each counting once; 1 where it does not vary.
fn deviations(reader: &Reader, source: &Source, columns: &[String]) -> Result<Vec<f64>> {
    let all: Vec<String> = columns.iter().map(|column| format!("stddev_pop({column})")).collect();
    let query = format!("SELECT ARRAY[{}]::float8[] FROM {} WHERE {}", all.join(", "), source.from, source.training());
    let found = reader.select(&query, &[])?.first().get_one::<Vec<Option<f64>>>()?.unwrap_or_default();
    let unit = |deviation: Option<f64>| deviation.filter(|unit| *unit > 0.0 && unit.is_finite()).unwrap_or(1.0);
    Ok((0..columns.len()).map(|at| unit(found.get(at).copied().flatten())).collect())
}

/// The columns of numbers that the fit sees.
pub fn covariates(source: &Source, features: &[Feature]) -> Vec<String> {
    source.features.iter().zip(features).flat_map(|(column, feature)| column.covariates(feature)).collect()
}

/// As [`fit_rows`] for the best of several.
fn fit_candidates(
    reader: &Reader,
    source: &Source,
    request: &Request,
    pooled: &str,
    design: &str,
    features: Vec<Feature>,
) -> Result<Trained> {
    let Algorithm::Best { candidates, criterion } = &request.algorithm else {
        return Err(Error::invalid("there are no candidates", "Name them in the options."));
    };
    let named = candidates.as_ref().map_or_else(|| "NULL".to_owned(), |names| texts(names));
    // The best is the first, and the curve of all rows comes with it only.
    let query = format!(
        "SELECT q.n, CASE WHEN c.place = 1 THEN q.pooled END, c.m, c.distribution, c.criterion, c.status
         FROM (SELECT count(*) AS n, {pooled} AS pooled, {design} AS d FROM {} WHERE {}) q,
              LATERAL ltv.fit_candidates(q.d, {named}, {}) WITH ORDINALITY AS c (distribution, m, criterion, status, place) ORDER BY c.place",
        source.from,
        source.training(),
        quote_literal(criterion),
    );
    let (mut best, mut candidates) = (None, Vec::new());
    for row in reader.select(&query, &[])? {
        // What is said of each is said by the names of the features.
        let model =
            row.get::<Value<Model>>(3)?.map(|Value(model)| model.with_features(features.clone())).transpose()?;
        candidates.push(Candidate {
            distribution: row.get::<String>(4)?.unwrap_or_default(),
            criterion: row.get::<f64>(5)?,
            status: match &model {
                Some(model) => crate::predict::status_of(model),
                None => row.get::<String>(6)?.unwrap_or_default(),
            },
        });
        if let (Some(Value(Survival::Sample(pooled))), Some(model)) = (row.get::<Value<Survival>>(2)?, model) {
            best = Some((row.get::<i64>(1)?.unwrap_or(0), pooled, model));
        }
    }
    let Some((n_rows, pooled, model)) = best else { return Err(no_rows(source)) };
    Ok(Trained { model, pooled, n_rows, candidates, horizon: None })
}

fn fit_cohorts(reader: &Reader, source: &Source, pooled: &str, features: Vec<Feature>) -> Result<Trained> {
    let level = |(column, feature): (&Column, &Feature)| format!(", {} COLLATE \"C\"", column.filled(&feature.kind));
    let levels: String = source.features.iter().zip(&features).map(level).collect();
    let places: Vec<String> = (3..3 + features.len()).map(|place| place.to_string()).collect();
    let group_by = if places.is_empty() { String::new() } else { format!(" GROUP BY {}", places.join(", ")) };
    let query = format!("SELECT count(*), {pooled}{levels} FROM {} WHERE {}{group_by}", source.from, source.training());
    let mut samples = Vec::new();
    let (mut all, mut n_rows) = (Sample::default(), 0);
    for row in reader.select(&query, &[])? {
        let Some(Value(Survival::Sample(sample))) = row.get::<Value<Survival>>(2)? else { continue };
        n_rows += row.get::<i64>(1)?.unwrap_or(0);
        all.merge(&sample, settings::budget())?;
        let mut levels = Vec::with_capacity(features.len());
        for place in 0..features.len() {
            levels.extend(row.get::<String>(place + 3)?);
        }
        samples.push((levels, sample));
    }
    if samples.is_empty() {
        return Err(no_rows(source));
    }
    let model = Model { features, fit: Fit::KaplanMeier(Cohorts::fit(samples)?), skipped: 0, recalibration: None };
    Ok(Trained { model, pooled: all, n_rows, candidates: Vec::new(), horizon: None })
}
