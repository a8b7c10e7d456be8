//! `train_plan`: what `train` with the same arguments would read, refuse, leave out, fill and cost. It writes nothing.

use ltv_engine::Result;
use ltv_engine::model::features::{Feature, Filling, Kind};
use pgrx::prelude::*;
use pgrx::spi::SpiClient;

use crate::pg::call::{Call, Field};
use crate::pg::error::settle;
use crate::pg::settings;
use crate::pg::varlena::Value;
use crate::train::algorithm::Algorithm;
use crate::train::evaluate::median_event_time;
use crate::train::request::{HoldoutRule, NullPolicy, Request};
use crate::train::source::{Column, Source};
use crate::train::{Counted, count, feature, fit, sanity, segments, spi};

/// Fewer events per coefficient than this and the estimates are unstable (Peduzzi et al. 1995).
const EVENTS_PER_COEFFICIENT: f64 = 10.0;
/// Levels that a row names.
const NAMED: usize = 6;
/// What gathering one number of a row takes, and one product of two in a step of a fit, in seconds: an order of magnitude.
const SECONDS_PER_NUMBER: f64 = 1e-7;
const SECONDS_PER_PRODUCT: f64 = 2e-9;
const SECONDS_PER_ROW: f64 = 1e-6;
const STEPS: f64 = 8.0;

/// What a row of the plan says of its item.
#[derive(Clone, Copy)]
enum Verdict {
    Ok,
    /// To be known.
    Note,
    /// `train` would warn, or should be thought about.
    Warning,
    /// `train` would end with an error.
    Refused,
}

impl Verdict {
    fn name(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Note => "note",
            Verdict::Warning => "warning",
            Verdict::Refused => "refused",
        }
    }
}

struct Line {
    item: &'static str,
    column: Option<String>,
    detail: String,
    n: Option<i64>,
    value: Option<f64>,
    verdict: Verdict,
}

impl Line {
    fn new(item: &'static str, detail: impl Into<String>) -> Line {
        Line { item, column: None, detail: detail.into(), n: None, value: None, verdict: Verdict::Ok }
    }

    fn of(mut self, column: &str) -> Line {
        self.column = Some(column.to_owned());
        self
    }

    fn n(mut self, n: i64) -> Line {
        self.n = Some(n);
        self
    }

    fn value(mut self, value: Option<f64>) -> Line {
        self.value = value;
        self
    }

    fn is(mut self, verdict: Verdict) -> Line {
        self.verdict = verdict;
        self
    }
}

pub fn train_plan(call: &Call) -> pg_sys::Datum {
    let request = settle(Request::of(call));
    let lines = Spi::connect(|client| settle(plan(client, &request)));
    call.answer_rows(lines.into_iter().map(|line| {
        vec![
            Field::Text(Some(line.item.into())),
            Field::Text(line.column),
            Field::Text(Some(line.detail)),
            Field::Integer(line.n),
            Field::Float(line.value),
            Field::Name(line.verdict.name()),
        ]
    }))
}

fn plan(client: &SpiClient, request: &Request) -> Result<Vec<Line>> {
    let source = Source::load(client, request)?;
    let counted = count(client, &source)?;
    let mut lines = rows(&source, request, &counted);
    if counted.split.training == 0 {
        lines.push(Line::new("training rows", "there are no complete training rows").n(0).is(Verdict::Refused));
        return Ok(lines);
    }
    let features = columns(client, &source, request, &counted, &mut lines)?;
    let mut fitted = source.clone();
    fitted.features.retain(|column| features.iter().any(|feature| feature.name == column.name));
    let coefficients = fit::covariates(&fitted, &features).len();
    lines.extend(events(request, &counted, coefficients));
    if !source.segment_by.is_empty() {
        lines.extend(of_segments(client, &source, request, coefficients)?);
    }
    lines.extend(holdout(client, &source, request, &counted, &features)?);
    lines.extend(horizon(client, &source, request)?);
    lines.push(options(request, &features)?);
    lines.extend(costs(request, &counted, coefficients));
    Ok(lines)
}

fn rows(source: &Source, request: &Request, counted: &Counted) -> Vec<Line> {
    let split = &counted.split;
    let mut lines = vec![
        Line::new("source", format!("{}, read as the caller", source.display)).n(counted.rows),
        Line::new("training rows", "complete, not held out").n(split.training),
    ];
    if let Some(day) = &request.as_of {
        let begun = if request.started_on.is_some() { Verdict::Note } else { Verdict::Warning };
        lines.push(match &request.started_on {
            Some(column) => Line::new("begun later", format!("left out: begun after {day}")).of(column).n(split.later),
            None => Line::new("knowledge", format!("no started_on: outcomes are taken as known on {day}")),
        });
        if let Some(line) = lines.last_mut().filter(|_| split.later > 0 || request.started_on.is_none()) {
            line.verdict = begun;
        }
        if request.started_on.is_some() {
            let verdict = if split.cut_off > 0 { Verdict::Note } else { Verdict::Ok };
            let detail = format!("censored on {day}: their outcome lies beyond it");
            lines.push(Line::new("outcomes cut off", detail).n(split.cut_off).is(verdict));
        }
        if let Some(column) = &request.known_on {
            let verdict = if counted.known_later > 0 { Verdict::Refused } else { Verdict::Ok };
            lines.push(
                Line::new("known later", format!("rows known only after {day}"))
                    .of(column)
                    .n(counted.known_later)
                    .is(verdict),
            );
        }
    }
    if split.dropped > 0 && request.null_policy == NullPolicy::Drop {
        lines
            .push(Line::new("dropped", "rows with a NULL in a column that is used").n(split.dropped).is(Verdict::Note));
    }
    lines
}

/// A line per column, and the features that can be used.
fn columns(
    client: &SpiClient,
    source: &Source,
    request: &Request,
    counted: &Counted,
    lines: &mut Vec<Line>,
) -> Result<Vec<Feature>> {
    let is_feature = |column: &Column| source.features.iter().any(|feature| feature.name == column.name);
    let of_nulls = |nulls: i64| match (nulls, request.null_policy) {
        (0, _) => Verdict::Ok,
        (_, NullPolicy::Drop) => Verdict::Note,
        _ => Verdict::Refused,
    };
    for (column, nulls) in source.used.iter().zip(&counted.nulls).filter(|(column, _)| !is_feature(column)) {
        let detail = format!("{}, {}", role(request, column), column.type_name);
        let nulls_told = if *nulls > 0 { ", has NULLs" } else { "" };
        lines.push(Line::new("column", detail + nulls_told).of(&column.name).n(*nulls).is(of_nulls(*nulls)));
    }
    let alone = sanity::concordances(client, source, request, counted.split.training)?;
    let mut features = Vec::new();
    for column in &source.features {
        let nulls = match source.used.iter().position(|used| used.name == column.name) {
            Some(at) => counted.nulls[at],
            None => nulls_of(client, source, column)?,
        };
        let concordance = alone.iter().find(|(name, _)| *name == column.name).and_then(|(_, found)| *found);
        let found = match feature(client, source, request, column) {
            Ok(found) => found,
            Err(refusal) => {
                lines.push(Line::new("feature", refusal.to_string()).of(&column.name).n(nulls).is(Verdict::Refused));
                continue;
            }
        };
        let (mut detail, varies) = shape(client, source, column, &found)?;
        let mut verdict = Verdict::Ok;
        if nulls > 0 && request.null_policy.fills() {
            verdict = Verdict::Note;
        } else if nulls > 0 {
            verdict = of_nulls(nulls);
            detail += ", has NULLs";
        }
        if !varies {
            detail += ", always the same: says nothing";
            verdict = Verdict::Warning;
        }
        if concordance.is_some_and(|found| found >= sanity::SUSPICIOUS_CONCORDANCE) {
            detail += ", leakage suspect: it alone orders the outcomes";
            verdict = Verdict::Warning;
        }
        let silent = silent_levels(client, source, request, column, &found)?;
        if !silent.is_empty() {
            detail += &format!(", levels without an event: {}", listed(&silent));
            verdict = Verdict::Warning;
        }
        lines.push(Line::new("feature", detail).of(&column.name).n(nulls).value(concordance).is(verdict));
        features.push(found);
    }
    Ok(features)
}

fn role(request: &Request, column: &Column) -> String {
    let name = Some(column.name.as_str());
    let roles = [
        (Some(request.duration.as_str()), "duration"),
        (Some(request.event.as_str()), "event"),
        (request.entry.as_deref(), "entry"),
        (request.weight.as_deref(), "weight"),
        (request.strata.as_deref(), "stratum"),
        (request.started_on.as_deref(), "begin"),
        (request.era.as_ref().map(|era| era.by.as_str()), "era"),
        (request.target.as_deref(), "target"),
    ];
    let mut own: Vec<&str> = roles.iter().filter(|(named, _)| *named == name).map(|(_, role)| *role).collect();
    if request.segment_by.contains(&column.name) {
        own.push("segment");
    }
    own.join(" and ")
}

fn nulls_of(client: &SpiClient, source: &Source, column: &Column) -> Result<i64> {
    let query =
        format!("SELECT count(*) FROM {} WHERE {} AND {} IS NULL", source.from, source.training(), column.sql());
    Ok(spi(spi(client.select(&query, None, &[]))?.first().get_one::<i64>())?.unwrap_or(0))
}

/// What a feature is, in words, and whether it varies.
fn shape(client: &SpiClient, source: &Source, column: &Column, feature: &Feature) -> Result<(String, bool)> {
    let mut varies = feature.columns() > 0;
    let mut told = match feature.kind.levels() {
        Some(levels) => format!("{}, category of {} levels: {}", column.type_name, levels.len(), listed(levels)),
        None if feature.kind.is_boolean() => column.type_name.clone(),
        None => {
            let value = format!("{}::float8", column.sql());
            let query = format!("SELECT min({value}), max({value}) FROM {} WHERE {}", source.from, source.training());
            let row = spi(client.select(&query, None, &[]))?.first();
            let (least, greatest) = (spi(row.get::<f64>(1))?, spi(row.get::<f64>(2))?);
            match least.zip(greatest) {
                Some((least, greatest)) if least == greatest => {
                    varies = false;
                    format!("{}, {least}", column.type_name)
                }
                Some((least, greatest)) => format!("{}, from {least} to {greatest}", column.type_name),
                None => column.type_name.clone(),
            }
        }
    };
    if let Some(filling) = feature.kind.filling() {
        let by = match filling {
            Filling::Number(number) => number.to_string(),
            Filling::Boolean(truth) => truth.to_string(),
            Filling::Level { levels, at } => levels.get(*at).cloned().unwrap_or_default(),
        };
        told += &format!(", NULLs taken as {by}");
        if matches!(&feature.kind, Kind::Filled(filled) if filled.indicator) {
            told += " with an indicator";
        }
    }
    Ok((told, varies))
}

fn listed(names: &[String]) -> String {
    let rest = if names.len() > NAMED { format!(" and {} more", names.len() - NAMED) } else { String::new() };
    names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ") + &rest
}

/// Levels whose rows never have the event: their coefficients run away.
fn silent_levels(
    client: &SpiClient,
    source: &Source,
    request: &Request,
    column: &Column,
    feature: &Feature,
) -> Result<Vec<String>> {
    if feature.kind.levels().is_none() || !request.algorithm.tells_of_time() {
        return Ok(Vec::new());
    }
    let query = format!(
        "SELECT {} COLLATE \"C\" FROM {} WHERE {} GROUP BY 1 HAVING max(({})::int) = 0 ORDER BY 1",
        column.filled(&feature.kind),
        source.from,
        source.training(),
        source.event
    );
    let mut silent = Vec::new();
    for row in spi(client.select(&query, None, &[]))? {
        silent.extend(spi(row.get::<String>(1))?);
    }
    Ok(silent)
}

fn events(request: &Request, counted: &Counted, coefficients: usize) -> Vec<Line> {
    if !request.algorithm.tells_of_time() {
        return Vec::new();
    }
    let (events, rows) = (counted.split.events, counted.split.training);
    let share = events as f64 / rows.max(1) as f64;
    let too_few = request.min_events.is_some_and(|least| events < i64::from(least));
    let detail = match request.min_events {
        Some(least) => format!("among the training rows; min_events is {least}"),
        None => "among the training rows; value is their share".into(),
    };
    let verdict = if too_few || events == 0 { Verdict::Refused } else { Verdict::Ok };
    let mut lines = vec![Line::new("events", detail).n(events).value(Some(share)).is(verdict)];
    if !matches!(request.algorithm, Algorithm::KaplanMeier) && coefficients > 0 {
        let each = events as f64 / coefficients as f64;
        let verdict = if each < EVENTS_PER_COEFFICIENT { Verdict::Warning } else { Verdict::Ok };
        let detail = format!("{coefficients} coefficients of features; fewer than 10 each are unstable");
        lines.push(Line::new("events per coefficient", detail).n(coefficients as i64).value(Some(each)).is(verdict));
    }
    lines
}

fn of_segments(client: &SpiClient, source: &Source, request: &Request, coefficients: usize) -> Result<Vec<Line>> {
    let needed = segments::needed(request, coefficients);
    let line = |segment: segments::Counted| {
        let alone = segment.whole_events >= needed;
        let how =
            if alone { "a fit of its own".into() } else { format!("the model of all rows: {needed} events needed") };
        Line::new("segment", format!("{}: {how}", segment.levels.join(" / ")))
            .n(segment.rows)
            .value(Some(segment.whole_events as f64))
            .is(if alone { Verdict::Ok } else { Verdict::Warning })
    };
    match segments::counted(client, source) {
        Ok(segments) => Ok(segments.into_iter().map(line).collect()),
        Err(refusal) => Ok(vec![Line::new("segment", refusal.to_string()).is(Verdict::Refused)]),
    }
}

fn holdout(
    client: &SpiClient,
    source: &Source,
    request: &Request,
    counted: &Counted,
    features: &[Feature],
) -> Result<Vec<Line>> {
    let Some(rule) = &request.holdout else {
        return Ok(vec![Line::new("holdout", "none: nothing will say how well it predicts").n(0).is(Verdict::Warning)]);
    };
    let (how, verdict) = match &rule.rule {
        HoldoutRule::From(from) => (format!("from {from} on"), Verdict::Ok),
        HoldoutRule::Last(stretch) => {
            let after = source.holdout_spec["after"].as_str().unwrap_or_default().to_owned();
            (format!("the last {stretch}: after {after}"), Verdict::Ok)
        }
        HoldoutRule::Marked => ("the rows that are marked".into(), Verdict::Ok),
        HoldoutRule::Fraction(_) => {
            ("chosen by a hash: it says how well the same time is predicted, not the future".into(), Verdict::Note)
        }
    };
    let verdict = if counted.split.holdout == 0 { Verdict::Warning } else { verdict };
    let mut lines = vec![Line::new("holdout", how).of(&rule.by).n(counted.split.holdout).is(verdict)];
    for feature in features {
        let Some((levels, column)) =
            feature.kind.levels().zip(source.features.iter().find(|column| column.name == feature.name))
        else {
            continue;
        };
        let known: Vec<String> = levels.iter().map(pgrx::spi::quote_literal).collect();
        let query = format!(
            "SELECT count(*) FROM {} WHERE {} AND {} <> ALL (ARRAY[{}]::text[])",
            source.from,
            source.held_out(),
            column.filled(&feature.kind),
            known.join(", ")
        );
        let unseen = spi(spi(client.select(&query, None, &[]))?.first().get_one::<i64>())?.unwrap_or(0);
        if unseen > 0 {
            let detail = "held out with a level that no training row has: not scored";
            lines.push(Line::new("unseen levels", detail).of(&feature.name).n(unseen).is(Verdict::Warning));
        }
    }
    Ok(lines)
}

fn horizon(client: &SpiClient, source: &Source, request: &Request) -> Result<Vec<Line>> {
    if !request.algorithm.tells_of_time() {
        return Ok(Vec::new());
    }
    let query = format!(
        "SELECT ltv.survival_agg({}) FROM {} WHERE {}",
        source.survival_arguments(),
        source.from,
        source.training()
    );
    let found = spi(spi(client.select(&query, None, &[]))?.first().get_one::<Value<ltv_engine::survival::Survival>>())?;
    let Some(Value(ltv_engine::survival::Survival::Sample(sample))) = found else { return Ok(Vec::new()) };
    let last = sample.max_followup();
    let (horizon, how) = match request.horizon {
        Some(horizon) => (Some(horizon), "as asked"),
        None => (median_event_time(&sample), "the median time of the events"),
    };
    let beyond = horizon.zip(last).is_some_and(|(horizon, last)| horizon > last);
    let detail = match last {
        Some(last) => format!("of the metrics: {how}; observed until {last}"),
        None => format!("of the metrics: {how}"),
    };
    let verdict = if beyond { Verdict::Warning } else { Verdict::Ok };
    Ok(vec![Line::new("horizon", detail).value(horizon).is(verdict)])
}

fn options(request: &Request, features: &[Feature]) -> Result<Line> {
    let call = match request.algorithm.call_on_curve("curve") {
        Some(call) => Some(call),
        None => request.algorithm.call("rows", features)?,
    };
    Ok(Line::new(
        "algorithm",
        match call {
            Some(call) => format!("{}: {call}", request.algorithm_name),
            None => request.algorithm_name.clone(),
        },
    ))
}

fn costs(request: &Request, counted: &Counted, coefficients: usize) -> Vec<Line> {
    let (rows, p) = (counted.split.training as f64, coefficients as f64);
    let gathers = !matches!(request.algorithm, Algorithm::KaplanMeier | Algorithm::Contractual { .. });
    // The rows as they are gathered, the fit's sorted copy, and its matrices.
    let numbers = if gathers { rows * (p + 3.0) + rows * (p + 8.0) + 8.0 * p * p } else { 0.0 };
    let megabytes = (numbers * 8.0 / 1_048_576.0).max(1.0);
    let needed = (numbers * 8.0) as usize;
    let fits = settings::budget().check(needed, "the fit").is_ok();
    let products = if gathers { STEPS * rows * (p * p / 2.0 + p) } else { 0.0 };
    let seconds =
        counted.rows as f64 * SECONDS_PER_ROW + rows * p * SECONDS_PER_NUMBER + products * SECONDS_PER_PRODUCT;
    let verdict = if fits { Verdict::Ok } else { Verdict::Refused };
    vec![
        Line::new("memory", "MB for the rows and the fit, at most; ltv.max_memory_mb bounds it")
            .value(Some(megabytes.round()))
            .is(verdict),
        Line::new("time", "seconds, by order of magnitude").value(Some((seconds * 100.0).ceil() / 100.0)),
    ]
}
