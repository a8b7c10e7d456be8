//! A model per segment under one name: each segment is fitted as all rows were, and what cannot stand alone has the model
//! of all rows.

use ltv_engine::amount::Family;
use ltv_engine::btyd;
use ltv_engine::hazard::Penalty;
use ltv_engine::hazard::cox::Status;
use ltv_engine::model::features::{Feature, Kind};
use ltv_engine::model::origin;
use ltv_engine::model::segments::{Common, Segment, Segmented, Standing};
use ltv_engine::model::shrinkage::{self, Estimates, Shrunken};
use ltv_engine::model::{Fit, Model};
use ltv_engine::{Error, Result};

use crate::pg::error::settle;
use crate::pg::interrupts;
use crate::pg::reader::Reader;
use crate::pg::subtransaction::attempt;
use crate::pg::varlena::Value;
use crate::predict::{fault_of, status_of};
use crate::train::algorithm::Algorithm;
use crate::train::clauses::Pooling;
use crate::train::request::Request;
use crate::train::source::Source;
use crate::train::statement::number;
use crate::train::{Trained, fit, remarks};

/// More segments than this and the columns are identifiers.
const MAX_SEGMENTS: usize = 500;
/// Fewer events per coefficient than this and a segment does not stand alone.
const EVENTS_PER_COEFFICIENT: usize = 10;
/// Segments that a warning names.
const NAMED: usize = 5;

/// A segment as it is counted.
pub struct Counted {
    pub levels: Vec<String>,
    pub rows: i64,
    pub events: f64,
    /// Of what a fit learns from, each counting once: see [`counts`].
    pub whole_events: i64,
}

/// Fits the segments beside the model of all rows.
pub fn fit(
    reader: &Reader,
    source: &Source,
    request: &Request,
    all: Trained,
    warnings: &mut Vec<String>,
) -> Result<Trained> {
    let needed = needed(request, remarks::estimated(&all.model.fit));
    let mut segments = Vec::new();
    for counted in counted(reader, source, request)? {
        let standing = match counted.whole_events < needed {
            true => Standing::Pooled(format!("{} {}, {needed} needed", counted.whole_events, counts(request))),
            false => alone(reader, &source.of_segment(&counted.levels), request, &all.model)?,
        };
        segments.push(Segment {
            levels: counted.levels,
            rows: counted.rows.unsigned_abs(),
            events: counted.events,
            standing,
        });
    }
    let common = match request.pooling {
        Pooling::None => Vec::new(),
        Pooling::Partial => share(reader, source, &mut segments, &all.model)?,
    };
    let pooled = all.model;
    let by = source.segment_by.iter().map(|column| Feature { name: column.name.clone(), kind: Kind::Segment });
    let features: Vec<Feature> = by.chain(pooled.features.iter().cloned()).collect();
    warnings.extend(told(&segments));
    let skipped = pooled.skipped;
    let fit = Fit::Segmented(Box::new(Segmented { pooled, segments, common }));
    let model = Model { features: Vec::new(), fit, skipped, recalibration: None }.with_features(features)?;
    Ok(Trained { model, ..all })
}

/// What a fit of a segment learns from, of which it needs enough: of decisions the rarer outcome limits what can be told
/// (Peduzzi, Concato, Kemper, Holford & Feinstein 1996), of amounts that may be any every row counts.
pub fn counts(request: &Request) -> &'static str {
    match &request.algorithm {
        Algorithm::Customers(_) => "customers with repeat purchases",
        Algorithm::Renewal { .. } => "decisions of the rarer outcome",
        algorithm if !algorithm.needs_target() => "events",
        algorithm if takes_any_amount(algorithm) => "rows",
        _ => "rows with an amount",
    }
}

fn takes_any_amount(algorithm: &Algorithm) -> bool {
    algorithm.least_amount().is_none_or(|family| family == Family::Linear)
}

/// The SQL of the same, of some rows.
fn counted_by(source: &Source, request: &Request) -> String {
    let events = format!("coalesce(sum(({})::int), 0)::bigint", source.event);
    match &request.algorithm {
        Algorithm::Renewal { .. } => format!("least({events}, count(*) - {events})"),
        algorithm if algorithm.needs_target() && takes_any_amount(algorithm) => "count(*)".into(),
        _ => events,
    }
}

/// The events that a segment needs to have a fit of its own.
pub fn needed(request: &Request, coefficients: usize) -> i64 {
    match request.min_events {
        Some(least) => i64::from(least),
        None => (EVENTS_PER_COEFFICIENT * coefficients.max(1)) as i64,
    }
}

/// The segments of the training rows, in byte order.
///
/// # Errors
/// [`Error::Invalid`] for more than 500.
pub fn counted(reader: &Reader, source: &Source, request: &Request) -> Result<Vec<Counted>> {
    let levels: Vec<String> =
        source.segment_by.iter().map(|column| format!("{}::text COLLATE \"C\"", column.sql())).collect();
    let width = levels.len();
    let query = format!(
        "SELECT {}, count(*), coalesce(sum({} * ({})::int), 0)::float8, {} FROM {} WHERE {} GROUP BY {} LIMIT {}",
        levels.join(", "),
        source.weight.as_deref().unwrap_or("1"),
        source.event,
        counted_by(source, request),
        source.from,
        source.training(),
        (1..=width).map(|place| place.to_string()).collect::<Vec<_>>().join(", "),
        MAX_SEGMENTS + 1,
    );
    let mut segments = Vec::new();
    for row in reader.select(&query, &[])? {
        let mut levels = Vec::with_capacity(width);
        for place in 1..=width {
            levels.extend(row.get::<String>(place)?);
        }
        segments.push(Counted {
            levels,
            rows: row.get::<i64>(width + 1)?.unwrap_or(0),
            events: row.get::<f64>(width + 2)?.unwrap_or(0.0),
            whole_events: row.get::<i64>(width + 3)?.unwrap_or(0),
        });
    }
    if segments.len() > MAX_SEGMENTS {
        return Err(Error::invalid(
            format!("segment_by makes more than {MAX_SEGMENTS} segments"),
            "It looks like an identifier; group rare values in a view.",
        ));
    }
    segments.sort_by(|a, b| a.levels.cmp(&b.levels));
    if source.history.is_some()
        && let Some(name) = twice(&segments)
    {
        return Err(Error::invalid(
            format!("two segments are called \"{name}\""),
            "Customers find their model by the name of their segment, in which \" / \" stands between the values: write these without it in a view.",
        ));
    }
    Ok(segments)
}

/// A name that more than one segment has.
fn twice(segments: &[Counted]) -> Option<String> {
    let mut names: Vec<String> = segments.iter().map(|segment| segment.levels.join(" / ")).collect();
    names.sort_unstable();
    names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone())
}

/// The segment's own fit, or why it has none.
fn alone(reader: &Reader, source: &Source, request: &Request, pooled: &Model) -> Result<Standing> {
    let features = pooled.features.clone();
    let fitted = attempt(|| settle(fit::fit(reader, source, request, features, None)).model);
    let model = match fitted {
        Ok(model) => model,
        Err(failure) => return Ok(Standing::Pooled(failure.message)),
    };
    let status = status_of(&model);
    // A model of purchases is all parameters: where the data leave one open it says nothing of its own.
    let unsound = match &model.fit {
        Fit::Transactional(_) => status != "ok",
        Fit::Amount(fit) => !fit.is_trustworthy(),
        Fit::TwoPart(fit) => !fit.is_trustworthy(),
        Fit::BoostedValue(fit) => !fit.is_trustworthy(),
        Fit::Renewal(fit) => fit.status != Status::Converged,
        _ => status == "no events" || status == "not converged" || status.starts_with("separated"),
    };
    Ok(match unsound || model.features != pooled.features {
        true => Standing::Pooled(status),
        false => Standing::Own(model),
    })
}

/// The coefficients of a fit that can be drawn to those of others: all of them, with their covariance.
fn estimates(model: &Model, pooled: &Model) -> Option<Estimates> {
    match &model.fit {
        Fit::Renewal(_) | Fit::Amount(_) | Fit::TwoPart(_) | Fit::Parametric(_) => origin::estimates(model, pooled),
        Fit::Cox(fit) if fit.penalty == Penalty::default() => {
            Some(Estimates { coefficients: fit.coefficients.clone(), covariance: fit.uncertainty().to_vec() })
        }
        // By the robust covariance, as its errors are.
        Fit::FineGray(fit) => {
            Some(Estimates { coefficients: fit.coefficients.clone(), covariance: fit.covariance.clone() })
        }
        Fit::Transactional(fit) if fit.status == btyd::fit::Status::Converged => Some(Estimates {
            coefficients: fit.parameters.iter().map(|parameter| Some(parameter.ln())).collect(),
            covariance: fit.covariance.clone(),
        }),
        _ => None,
    }
}

/// Whether the coefficients of two fits mean the same.
fn alike(a: &Model, b: &Model) -> bool {
    match (&a.fit, &b.fit) {
        (Fit::Cox(a), Fit::Cox(b)) => a.coefficients.len() == b.coefficients.len(),
        (Fit::FineGray(a), Fit::FineGray(b)) => a.coefficients.len() == b.coefficients.len(),
        (Fit::Transactional(a), Fit::Transactional(b)) => a.kind == b.kind,
        // Moved to one origin where they are: see origin::estimates.
        (Fit::Renewal(_), Fit::Renewal(_))
        | (Fit::Amount(_), Fit::Amount(_))
        | (Fit::TwoPart(_), Fit::TwoPart(_))
        | (Fit::Parametric(_), Fit::Parametric(_)) => true,
        _ => false,
    }
}

/// Draws the segments' own coefficients to what they have in common.
fn share(reader: &Reader, source: &Source, segments: &mut [Segment], of_all: &Model) -> Result<Vec<Option<Common>>> {
    let own: Vec<(usize, Estimates)> = segments
        .iter()
        .enumerate()
        .filter_map(|(at, segment)| {
            let model = segment.model().filter(|model| alike(model, of_all))?;
            Some((at, estimates(model, of_all)?))
        })
        .collect();
    if own.len() < 2 {
        return Ok(Vec::new());
    }
    let all: Vec<Estimates> = own.iter().map(|(_, estimates)| estimates.clone()).collect();
    let pooled = shrinkage::common(&all, all[0].coefficients.len(), &mut interrupts::check)?;
    let Some(pooled) = pooled else { return Ok(Vec::new()) };
    for (at, estimates) in own {
        interrupts::check()?;
        let Some(shrunken) = shrinkage::shrink(&estimates, &pooled) else { continue };
        let segment = &mut segments[at];
        let Standing::Own(model) = &segment.standing else { continue };
        let moved = match moved(reader, &source.of_segment(&segment.levels), model, of_all, &shrunken)? {
            Ok(moved) => moved,
            Err(why) => {
                segment.standing = Standing::Pooled(why);
                continue;
            }
        };
        segment.standing = Standing::Shrunken { model: moved, own: estimates.coefficients, weights: shrunken.weights };
    }
    Ok(pooled.common)
}

/// The model at the shrunken coefficients; the baseline of a Cox or Fine–Gray model is found anew.
fn moved(
    reader: &Reader,
    source: &Source,
    model: &Model,
    of_all: &Model,
    shrunken: &Shrunken,
) -> Result<Result<Model, String>> {
    if matches!(model.fit, Fit::Renewal(_) | Fit::Amount(_) | Fit::TwoPart(_) | Fit::Parametric(_)) {
        let moved = origin::at(model, of_all, shrunken);
        return Ok(moved.ok_or_else(|| "the coefficients drawn to those of others are beyond the numbers".into()));
    }
    let mut model = model.clone();
    if let Fit::Transactional(fit) = &mut model.fit {
        fit.parameters = shrunken.coefficients.iter().flatten().map(|logarithm| logarithm.exp()).collect();
        fit.covariance.clone_from(&shrunken.covariance);
        return Ok(model.validate().map(|()| model).map_err(|error| error.to_string()));
    }
    let design = source.design_of_all(&fit::covariates(source, &model.features).join(", "));
    let list = |values: &mut dyn Iterator<Item = f64>| values.map(number).collect::<Vec<_>>().join(", ");
    let query = format!(
        "SELECT ltv.fit_baseline({design}, $1, ARRAY[{}]::float8[], ARRAY[{}]::float8[]) FROM {} WHERE {}",
        list(&mut shrunken.coefficients.iter().map(|value| value.unwrap_or(f64::NAN))),
        list(&mut shrunken.covariance.iter().copied()),
        source.from,
        source.training(),
    );
    let features = model.features.clone();
    let moved = attempt(|| {
        let table = settle(reader.select(&query, &[Value(model).into()]));
        settle(table.first().get_one::<Value<Model>>())
    });
    Ok(match moved {
        Ok(Some(Value(moved))) => Ok(moved.with_features(features)?),
        Ok(None) => Err("no rows".into()),
        Err(failure) => Err(failure.message),
    })
}

/// What a reader must know of the segments.
fn told(segments: &[Segment]) -> Vec<String> {
    let mut told = Vec::new();
    let pooled: Vec<String> = segments
        .iter()
        .filter_map(|segment| match &segment.standing {
            Standing::Pooled(why) => Some(format!("{} ({why})", segment.name())),
            _ => None,
        })
        .collect();
    if !pooled.is_empty() {
        let rest = if pooled.len() > NAMED { format!(" and {} more", pooled.len() - NAMED) } else { String::new() };
        let named = pooled.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        told.push(format!("the model of all rows for {} of {} segments: {named}{rest}", pooled.len(), segments.len()));
    }
    for segment in segments {
        if let Some(fault) = segment.model().and_then(fault_of)
            && !matches!(segment.standing, Standing::Shrunken { .. })
        {
            told.push(format!("segment {}: {fault}", segment.name()));
        }
    }
    let shrunken: Vec<f64> = segments
        .iter()
        .filter(|segment| matches!(segment.standing, Standing::Shrunken { .. }))
        .map(Segment::weight)
        .collect();
    if !shrunken.is_empty() {
        let mean = shrunken.iter().sum::<f64>() / shrunken.len() as f64;
        told.push(format!(
            "the coefficients of {} segments are drawn together and keep {:.0} % of their own on average: see model_segments",
            shrunken.len(),
            100.0 * mean
        ));
    }
    told
}
