//! What the plan says of each column.

use ltv_engine::Result;
use ltv_engine::model::features::{Feature, Filling, Kind};

use crate::pg::reader::Reader;
use crate::train::column::Column;
use crate::train::count::{Counted, Unspoken};
use crate::train::leakage::Alone;
use crate::train::learned::feature;
use crate::train::plan_line::{Line, Verdict};
use crate::train::request::Request;
use crate::train::source::Source;

/// Levels that a row names.
const NAMED: usize = 6;

/// A line per column, and the features that can be used.
pub fn columns(
    reader: &Reader,
    source: &Source,
    request: &Request,
    counted: &Counted,
    alone: &[Alone],
    lines: &mut Vec<Line>,
) -> Result<Vec<Feature>> {
    let is_feature = |column: &Column| source.features.iter().any(|feature| feature.name == column.name);
    // As `train` ends, where nobody has spoken for the NULLs.
    let unspoken: Vec<Unspoken> = counted.unspoken(source, request).collect();
    let with_nulls = |line: Line, nulls: i64, column: &Column| match nulls {
        0 => line,
        _ => match unspoken.iter().find(|null| null.column == column.name) {
            None => Line { detail: line.detail + ", has NULLs", ..line }.is(Verdict::Note),
            Some(null) => {
                Line { detail: format!("{}: {}", line.detail, null.line("").detail), ..line }.is(Verdict::Refused)
            }
        },
    };
    if let Some((column, day)) = source.open_ended.as_ref().zip(request.as_of.as_ref()) {
        let nulls = nulls_of(reader, source, column)?;
        let goes_on = if nulls > 0 { format!(", NULL: goes on on {day}") } else { String::new() };
        let detail = format!("{}, {}{goes_on}", role(request, column), column.type_name);
        let verdict = if nulls > 0 { Verdict::Note } else { Verdict::Ok };
        lines.push(Line::new("column", detail).of(&column.name).n(nulls).is(verdict));
    }
    for (column, nulls) in source.used.iter().zip(&counted.nulls).filter(|(column, _)| !is_feature(column)) {
        let detail = format!("{}, {}", role(request, column), column.type_name);
        lines.push(with_nulls(Line::new("column", detail).of(&column.name).n(*nulls), *nulls, column));
    }
    let mut features = Vec::new();
    for column in &source.features {
        let nulls = match source.used.iter().position(|used| used.name == column.name) {
            Some(at) => counted.nulls[at],
            None => nulls_of(reader, source, column)?,
        };
        let alone = alone.iter().find(|alone| alone.name == column.name).cloned().unwrap_or_default();
        let found = match feature(reader, source, request, column) {
            Ok(found) => found,
            Err(refusal) => {
                lines.push(Line::refusal("feature", refusal)?.of(&column.name).n(nulls));
                continue;
            }
        };
        let (mut detail, varies) = shape(reader, source, column, &found)?;
        let takes_nulls = request.takes_null_of(&column.name);
        let mut verdict = if nulls > 0 && takes_nulls { Verdict::Note } else { Verdict::Ok };
        if !varies {
            detail += ", always the same: says nothing";
            verdict = Verdict::Warning;
        }
        if let Some(why) = alone.suspicion("it") {
            detail += &format!(", leakage suspect: {why}");
            verdict = Verdict::Warning;
        }
        let silent = silent_levels(reader, source, request, column, &found)?;
        if !silent.is_empty() {
            detail += &format!(", levels without an event: {}", listed(&silent));
            verdict = Verdict::Warning;
        }
        let line = Line::new("feature", detail).of(&column.name).n(nulls).value(alone.order());
        let line = if takes_nulls { line } else { with_nulls(line, nulls, column) };
        lines.push(line.and_is(verdict));
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
    own.extend(request.algorithm.customers().and_then(|customers| customers.role(&column.name)));
    if request.segment_by.contains(&column.name) {
        own.push("segment");
    }
    own.join(" and ")
}

fn nulls_of(reader: &Reader, source: &Source, column: &Column) -> Result<i64> {
    let query =
        format!("SELECT count(*) FROM {} WHERE {} AND {} IS NULL", source.from, source.training(), column.sql());
    Ok(reader.select(&query, &[])?.first().get_one::<i64>()?.unwrap_or(0))
}

/// What a feature is, in words, and whether it varies.
fn shape(reader: &Reader, source: &Source, column: &Column, feature: &Feature) -> Result<(String, bool)> {
    let mut varies = feature.columns() > 0;
    let mut told = match feature.kind.levels() {
        Some(levels) => format!("{}, category of {} levels: {}", column.type_name, levels.len(), listed(levels)),
        None if feature.kind.is_boolean() => column.type_name.clone(),
        None => {
            let value = format!("{}::float8", column.sql());
            let query = format!("SELECT min({value}), max({value}) FROM {} WHERE {}", source.from, source.training());
            let row = reader.select(&query, &[])?.first();
            let (least, greatest) = (row.get::<f64>(1)?, row.get::<f64>(2)?);
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
    if matches!(feature.kind, Kind::Learnt(_)) {
        // That it is NULL tells something too.
        varies = true;
        told += ", the trees learn of its NULLs";
    }
    Ok((told, varies))
}

fn listed(names: &[String]) -> String {
    let rest = if names.len() > NAMED { format!(" and {} more", names.len() - NAMED) } else { String::new() };
    names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ") + &rest
}

/// Levels whose rows never have the event: their coefficients run away.
fn silent_levels(
    reader: &Reader,
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
    for row in reader.select(&query, &[])? {
        silent.extend(row.get::<String>(1)?);
    }
    Ok(silent)
}
