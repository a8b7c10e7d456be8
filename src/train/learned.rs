//! What a model is to know of each feature: its kind, its levels, and what stands in for its NULLs.

use ltv_engine::model::features::{Feature, Filled, Filling, Kind};
use ltv_engine::{Error, Result};

use crate::pg::reader::Reader;
use crate::train::algorithm::Algorithm;
use crate::train::clauses::NullPolicy;
use crate::train::column::Column;
use crate::train::request::Request;
use crate::train::source::Source;

/// More levels than this and the column is an identifier, not a category.
pub const MAX_LEVELS: usize = 200;

/// The features and, for categories, the levels that training rows have.
pub fn features(reader: &Reader, source: &Source, request: &Request) -> Result<Vec<Feature>> {
    let mut features = Vec::with_capacity(source.features.len() + 1);
    for (column, lacks) in source.features.iter().zip(lacking(reader, source, request, &source.features)?) {
        features.push(learned(reader, source, request, column, lacks)?);
    }
    features.extend(source.strata.iter().map(|column| Feature { name: column.name.clone(), kind: Kind::Stratum }));
    Ok(features)
}

pub fn feature(reader: &Reader, source: &Source, request: &Request, column: &Column) -> Result<Feature> {
    let lacks = lacking(reader, source, request, std::slice::from_ref(column))?.contains(&true);
    learned(reader, source, request, column, lacks)
}

/// The feature of a column that some training row `lacks`.
fn learned(reader: &Reader, source: &Source, request: &Request, column: &Column, lacks: bool) -> Result<Feature> {
    let categorical = column.is_text() || matches!(request.algorithm, Algorithm::KaplanMeier);
    let kind = if categorical {
        if !column.is_category() {
            return Err(column
                .unusable("a category", "Categories are text, booleans or whole numbers; band the rest in a view."));
        }
        Kind::Category { levels: levels(reader, source, column)? }
    } else if column.is_boolean() {
        Kind::Boolean
    } else if column.is_number() {
        Kind::Numeric
    } else {
        return Err(column
            .unusable("a feature", "Features are numbers, booleans or text; turn dates into durations in a view."));
    };
    let kind = match request.null_policy {
        NullPolicy::Impute | NullPolicy::Indicator => filled(reader, source, column, kind, request.null_policy)?,
        NullPolicy::Learn if lacks => kind.learnt(),
        _ => kind,
    };
    Ok(Feature { name: column.name.clone(), kind })
}

/// Whether some training row lacks each of the columns: it is NULL, or a number that is none. Asked, of all in one scan,
/// where it matters.
fn lacking(reader: &Reader, source: &Source, request: &Request, columns: &[Column]) -> Result<Vec<bool>> {
    if request.null_policy != NullPolicy::Learn || columns.is_empty() {
        return Ok(vec![false; columns.len()]);
    }
    let lacks = |column: &Column| match column.is_number() {
        true => format!("bool_or(coalesce({}::float8 = 'NaN', true))", column.sql()),
        false => format!("bool_or({} IS NULL)", column.sql()),
    };
    let asked: Vec<String> = columns.iter().map(lacks).collect();
    let query = format!("SELECT {} FROM {} WHERE {}", asked.join(", "), source.from, source.training());
    let row = reader.select(&query, &[])?.first();
    (1..=columns.len()).map(|at| row.get::<bool>(at).map(|found| found.unwrap_or(false))).collect()
}

/// The distinct texts of a category among the training rows, in byte order.
fn levels(reader: &Reader, source: &Source, column: &Column) -> Result<Vec<String>> {
    let query = format!(
        "SELECT DISTINCT {}::text COLLATE \"C\" FROM {} WHERE {} LIMIT {}",
        column.sql(),
        source.from,
        source.training(),
        MAX_LEVELS + 2
    );
    let table = reader.select(&query, &[])?;
    let mut levels = Vec::with_capacity(table.len());
    for row in table {
        levels.extend(row.get::<String>(1)?);
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
fn filled(reader: &Reader, source: &Source, column: &Column, kind: Kind, policy: NullPolicy) -> Result<Kind> {
    let value = column.filled(&kind);
    let middle = match &kind {
        Kind::Numeric => format!("percentile_cont(0.5) WITHIN GROUP (ORDER BY {value})::text"),
        Kind::Boolean => format!("mode() WITHIN GROUP (ORDER BY {value})::text"),
        _ => format!("mode() WITHIN GROUP (ORDER BY {value} COLLATE \"C\")"),
    };
    let query =
        format!("SELECT {middle}, bool_or({} IS NULL) FROM {} WHERE {}", column.sql(), source.from, source.training());
    let row = reader.select(&query, &[])?.first();
    let nothing = || {
        Error::invalid(
            format!("column \"{}\" has no value to fill its NULLs with", column.name),
            "It is NULL in every training row; leave it out.",
        )
    };
    let middle = row.get::<String>(1)?.ok_or_else(nothing)?;
    let has_nulls = row.get::<bool>(2)?.unwrap_or(false);
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
