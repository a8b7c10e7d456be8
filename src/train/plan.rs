//! `train_plan`: what `train` with the same arguments would read, refuse, leave out, fill and cost. It writes nothing.

use ltv_engine::model::features::Feature;
use ltv_engine::{Error, Result};
use pgrx::prelude::*;

use crate::pg::call::{Call, Field};
use crate::pg::error::settle;
use crate::pg::reader::Reader;
use crate::pg::settings;
use crate::pg::subtransaction::attempt;
use crate::pg::varlena::Value;
use crate::train::algorithm::Algorithm;
use crate::train::clauses::{HoldoutRule, NullPolicy};
use crate::train::count::{Counted, count, no_rows, nothing_held_out, too_few_events};
use crate::train::horizon::Horizon;
use crate::train::plan_columns::columns;
use crate::train::plan_line::{Line, Verdict, told};
use crate::train::request::Request;
use crate::train::source::Source;
use crate::train::{amount, causes, direction, fit, leakage, plan_clusters, purchase_plan, remarks, segments, values};

/// Fewer events per coefficient than this and the estimates are unstable (Peduzzi et al. 1995).
const EVENTS_PER_COEFFICIENT: f64 = 10.0;
/// What gathering one number of a row takes, and one product of two in a step of a fit, in seconds: an order of magnitude.
const SECONDS_PER_NUMBER: f64 = 1e-7;
const SECONDS_PER_PRODUCT: f64 = 2e-9;
pub const SECONDS_PER_ROW: f64 = 1e-6;
const STEPS: f64 = 8.0;

pub fn train_plan(call: &Call) -> pg_sys::Datum {
    let lines = match Request::of(call) {
        Ok(mut request) => Spi::connect(|client| settle(plan(&Reader::new(client), &mut request))),
        Err(refusal) => vec![settle(Line::refusal("arguments", refusal))],
    };
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

fn plan(reader: &Reader, request: &mut Request) -> Result<Vec<Line>> {
    // A rule or a hybrid is made before any row is read: its features are those that it names.
    if request.algorithm.without_rows().is_some()
        && let Err(failure) = attempt(|| settle(amount::given(reader, request)))
    {
        let detail = told(&failure.message, &failure.hint);
        return Ok(vec![Line::new("algorithm", detail).is(Verdict::Refused)]);
    }
    let request = &*request;
    let source = match Source::load(reader, request) {
        Ok(source) => source,
        Err(refusal) => return Ok(vec![Line::refusal("arguments", refusal)?]),
    };
    let counted = count(reader, &source, request)?;
    let faults = if counted.faulty > 0 { values::faults(reader, &source, request)? } else { Vec::new() };
    let is_known = !faults.iter().any(|fault| fault.is_of_outcome);
    let mut lines = rows(&source, request, &counted)?;
    lines.extend(faults.into_iter().map(|fault| {
        let detail = told(&fault.message, &fault.hint);
        Line::new("values", detail).of(&fault.column).n(fault.rows).is(Verdict::Refused)
    }));
    if counted.split.training == 0 {
        // Why none is complete, if that is why.
        lines.extend(counted.unspoken(&source, request).map(|null| null.line("column")));
        return Ok(lines);
    }
    // Outcomes that cannot be are compared with nothing.
    let alone = match is_known {
        true => leakage::alone(reader, &source, request, counted.split.training)?,
        false => Vec::new(),
    };
    let features = columns(reader, &source, request, &counted, &alone, &mut lines)?;
    let are_known = features.len() == source.features.len();
    if let Err(refusal) = direction::check(request, &features) {
        lines.push(Line::refusal("expected_signs", refusal)?);
    }
    let mut fitted = source.clone();
    fitted.features.retain(|column| features.iter().any(|feature| feature.name == column.name));
    let coefficients = fit::covariates(&fitted, &features).len();
    let ancillary = match &request.algorithm {
        Algorithm::Parametric { ancillary, .. } => fitted
            .features
            .iter()
            .zip(&features)
            .filter(|(column, _)| ancillary.contains(&column.name))
            .flat_map(|(column, feature)| column.covariates(feature))
            .count(),
        _ => 0,
    };
    let estimated = remarks::to_estimate(&request.algorithm, coefficients, ancillary)?;
    lines.extend(causes::lines(reader, &source)?);
    // Outcomes that cannot be are not counted either.
    let too_few = too_few_events(request, &counted.split).filter(|_| is_known);
    if source.history.is_none() {
        lines.extend(events(request, &counted, estimated, too_few.clone())?);
    }
    lines.extend(plan_clusters::lines(reader, &source, request, coefficients)?);
    if let Some(history) = &source.history {
        lines.extend(purchase_plan::lines(reader, &source, history, request, (&counted.split, too_few))?);
    }
    if !source.segment_by.is_empty() {
        let estimated = source.history.as_ref().map_or(estimated, |history| history.parameters());
        lines.extend(of_segments(reader, &source, request, estimated)?);
    }
    if request.holdout.is_some() || source.history.is_none() {
        lines.extend(holdout(reader, &source, request, &counted, &features)?);
    }
    if is_known {
        lines.extend(horizon(reader, &source, request)?);
    }
    match options(&source, request, &features, coefficients) {
        Ok(line) => lines.push(line),
        Err(refusal) if are_known => lines.push(Line::refusal("algorithm", refusal)?),
        // A feature that was refused would seem to be none.
        Err(_) => {}
    }
    lines.extend(match &source.history {
        Some(history) => purchase_plan::costs(reader, &source, history, &counted)?,
        None => costs(request, &counted, coefficients)?,
    });
    Ok(lines)
}

fn rows(source: &Source, request: &Request, counted: &Counted) -> Result<Vec<Line>> {
    let split = &counted.split;
    let mut lines = vec![
        Line::new("source", format!("{}, read as the caller", source.display)).n(counted.rows),
        Line::new("training rows", "complete, not held out").n(split.training).unless(no_rows(source, split))?,
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
        if let Some(line) = purchase_plan::ages(source, request, split.cut_off)? {
            lines.push(line);
        } else if request.started_on.is_some() {
            let verdict = if split.cut_off > 0 { Verdict::Note } else { Verdict::Ok };
            let detail = format!("censored on {day}: their outcome lies beyond it");
            lines.push(Line::new("outcomes cut off", detail).n(split.cut_off).is(verdict));
        }
        if let Some(column) = &request.known_on {
            let line = Line::new("known later", format!("rows known only after {day}")).of(column);
            lines.push(line.n(counted.known_later).unless(counted.known_only_later(source, request))?);
        }
    }
    if split.dropped > 0 && request.null_policy == NullPolicy::Drop {
        lines
            .push(Line::new("dropped", "rows with a NULL in a column that is used").n(split.dropped).is(Verdict::Note));
    }
    Ok(lines)
}

fn events(request: &Request, counted: &Counted, estimated: usize, refusal: Option<Error>) -> Result<Vec<Line>> {
    if !request.algorithm.tells_of_time() {
        let lines = refusal.map(|refusal| Line::refusal("events", refusal)).transpose()?;
        return Ok(lines.map(|line| line.n(counted.split.events)).into_iter().collect());
    }
    let (events, rows) = (counted.split.events, counted.split.training);
    let share = events as f64 / rows.max(1) as f64;
    let detail = match request.min_events {
        Some(least) => format!("among the training rows; min_events is {least}"),
        None => "among the training rows; value is their share".into(),
    };
    let line = Line::new("events", detail).n(events).value(Some(share));
    let mut lines = vec![line.unless(refusal)?];
    if estimated > 0 {
        let each = events as f64 / estimated as f64;
        let verdict = if each < EVENTS_PER_COEFFICIENT { Verdict::Warning } else { Verdict::Ok };
        let which = match &request.algorithm {
            Algorithm::Parametric { .. } | Algorithm::Best { .. } => "of features and the distribution",
            _ => "of features",
        };
        let detail = format!("{estimated} coefficients {which}; fewer than 10 each are unstable");
        lines.push(Line::new("events per coefficient", detail).n(estimated as i64).value(Some(each)).is(verdict));
    }
    Ok(lines)
}

fn of_segments(reader: &Reader, source: &Source, request: &Request, coefficients: usize) -> Result<Vec<Line>> {
    let needed = segments::needed(request, coefficients);
    let line = |segment: segments::Counted| {
        let alone = segment.whole_events >= needed;
        let how = if alone {
            "a fit of its own".into()
        } else {
            format!("the model of all rows: {needed} {} needed", segments::counts(request))
        };
        Line::new("segment", format!("{}: {how}", segment.levels.join(" / ")))
            .n(segment.rows)
            .value(Some(segment.whole_events as f64))
            .is(if alone { Verdict::Ok } else { Verdict::Warning })
    };
    match segments::counted(reader, source, request) {
        Ok(segments) => Ok(segments.into_iter().map(line).collect()),
        Err(refusal) => Ok(vec![Line::refusal("segment", refusal)?]),
    }
}

fn holdout(
    reader: &Reader,
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
    if let Some(refusal) = nothing_held_out(request, &counted.split) {
        return Ok(vec![Line::refusal("holdout", refusal)?.of(&rule.by).n(0)]);
    }
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
        let unseen = reader.select(&query, &[])?.first().get_one::<i64>()?.unwrap_or(0);
        if unseen > 0 {
            let detail = "held out with a level that no training row has: not scored";
            lines.push(Line::new("unseen levels", detail).of(&feature.name).n(unseen).is(Verdict::Warning));
        }
    }
    Ok(lines)
}

fn horizon(reader: &Reader, source: &Source, request: &Request) -> Result<Vec<Line>> {
    if !request.algorithm.tells_of_time() {
        return Ok(Vec::new());
    }
    let query = format!(
        "SELECT ltv.survival_agg({}) FROM {} WHERE {}",
        source.survival_arguments(),
        source.from,
        source.training()
    );
    let found = reader.select(&query, &[])?.first().get_one::<Value<ltv_engine::survival::Survival>>()?;
    let Some(Value(ltv_engine::survival::Survival::Sample(sample))) = found else { return Ok(Vec::new()) };
    // A decision is made once.
    let last = sample.max_followup().filter(|_| request.algorithm.takes_durations());
    let Horizon { value: horizon, how, remark } = Horizon::of(reader, source, request, &sample)?;
    let beyond = horizon.zip(last).is_some_and(|(horizon, last)| horizon > last);
    let detail = match last {
        Some(last) => format!("of the metrics: {how}; observed until {last}"),
        None => format!("of the metrics: {how}"),
    };
    let verdict = if beyond || remark.is_some() { Verdict::Warning } else { Verdict::Ok };
    Ok(vec![Line::new("horizon", detail).value(horizon).is(verdict)])
}

fn options(source: &Source, request: &Request, features: &[Feature], coefficients: usize) -> Result<Line> {
    if request.algorithm.needs_features() && coefficients == 0 {
        return Err(fit::no_features(request));
    }
    let of_customers = source.history.as_ref().map(|history| history.call(source));
    let call = match of_customers.or_else(|| request.algorithm.call_on_curve("curve")) {
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

fn costs(request: &Request, counted: &Counted, coefficients: usize) -> Result<Vec<Line>> {
    let (rows, p) = (counted.split.training as f64, coefficients as f64);
    let gathers = !matches!(request.algorithm, Algorithm::KaplanMeier | Algorithm::Contractual { .. });
    // The rows as they are gathered, the fit's sorted copy, and its matrices.
    let numbers = if gathers { rows * (p + 3.0) + rows * (p + 8.0) + 8.0 * p * p } else { 0.0 };
    let megabytes = (numbers * 8.0 / 1_048_576.0).max(1.0);
    let needed = (numbers * 8.0) as usize;
    let too_much = settings::budget().check(needed, "the fit").err();
    let products = if gathers { STEPS * rows * (p * p / 2.0 + p) } else { 0.0 };
    let seconds =
        counted.rows as f64 * SECONDS_PER_ROW + rows * p * SECONDS_PER_NUMBER + products * SECONDS_PER_PRODUCT;
    Ok(vec![
        Line::new("memory", "MB for the rows and the fit, at most; ltv.max_memory_mb bounds it")
            .value(Some(megabytes.round()))
            .unless(too_much)?,
        Line::new("time", "seconds, by order of magnitude").value(Some((seconds * 100.0).ceil() / 100.0)),
    ])
}
