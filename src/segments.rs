//! What is read off a model of segments, in SQL.

use ltv_engine::Error;
use ltv_engine::model::coefficients::Coefficient;
use ltv_engine::model::origin;
use ltv_engine::model::segments::{Segment, Segmented, Standing};
use ltv_engine::model::{Fit, Model};
use pgrx::pg_sys;

use crate::pg::call::{Call, Field, ModelBy};
use crate::pg::error::{raise, settle};
use crate::predict::status_of;

const INTERCEPT: &str = "(intercept)";

fn segmented(model: &Model) -> Option<&Segmented> {
    match &model.fit {
        Fit::Segmented(segmented) => Some(segmented),
        _ => None,
    }
}

/// `segment_of(model, row)`: the segment by which the row finds its model.
pub fn segment_of(call: &Call, by: ModelBy) -> pg_sys::Datum {
    match call.look(by, |model, values| model.segment_name(values)).flatten() {
        Some(name) => call.answer_bytes(name.as_bytes()),
        None => call.null(),
    }
}

/// `model_segments(model)`: a row per segment.
pub fn model_segments(call: &Call) -> pg_sys::Datum {
    let rows = call.model(0, |model| {
        let Some(segmented) = segmented(model) else { return Vec::new() };
        let row = |segment: &Segment| {
            let (status, reason) = match &segment.standing {
                Standing::Own(model) => ("own", Some(status_of(model)).filter(|status| status != "ok")),
                Standing::Shrunken { .. } => ("shrunken", None),
                Standing::Pooled(why) => ("pooled", Some(why.clone())),
            };
            vec![
                Field::Text(Some(segment.name())),
                Field::Integer(i64::try_from(segment.rows).ok()),
                Field::Float(Some(segment.events)),
                Field::Name(status),
                Field::Float(Some(segment.weight())),
                Field::Text(reason),
            ]
        };
        segmented.segments.iter().map(row).collect()
    });
    call.answer_rows(rows.unwrap_or_default())
}

/// `segment_coefficients(model)`: a row per segment and coefficient, before and after they were drawn together.
pub fn coefficients(call: &Call) -> pg_sys::Datum {
    let rows = call.model(0, |model| {
        let Some(segmented) = segmented(model) else { return Vec::new() };
        let mut rows = Vec::new();
        for segment in &segmented.segments {
            let Some(model) = segment.model() else { continue };
            let mut found = settle(model.coefficients(0.95)).unwrap_or_default();
            if matches!(segment.standing, Standing::Shrunken { .. }) {
                at_one_origin(&mut found, model, &segmented.pooled);
            }
            rows.extend(found.into_iter().enumerate().map(|(at, found)| told(segmented, segment, at, found)));
        }
        rows
    });
    call.answer_rows(rows.unwrap_or_default())
}

/// Regressions are drawn together with their levels at the means of all rows, not at 0; of a distribution these are the
/// parameters on which covariates act.
fn at_one_origin(found: &mut [Coefficient], model: &Model, pooled: &Model) {
    let Some(estimates) = origin::estimates(model, pooled) else { return };
    let diagonal = estimates.coefficients.len() + 1;
    let columns = match &model.fit {
        Fit::Parametric(fit) => fit.columns(),
        _ => Vec::new(),
    };
    let is_level = |at: usize, term: &str| match columns.get(at) {
        Some((parameter, None)) => columns.iter().any(|(of, covariate)| of == parameter && covariate.is_some()),
        Some(_) => false,
        None => term.ends_with(INTERCEPT),
    };
    for (at, row) in found.iter_mut().enumerate() {
        if !is_level(at, &row.term) {
            continue;
        }
        row.term = match columns.get(at) {
            Some((0, _)) => "(level at the means)".into(),
            Some(_) => format!("{} (at the means)", row.term),
            None => row.term.replace(INTERCEPT, "(level at the means)"),
        };
        row.estimate = estimates.coefficients.get(at).copied().flatten();
        row.std_error = estimates.covariance.get(at * diagonal).map(|variance| variance.sqrt());
        row.robust_std_error = None;
    }
}

fn told(segmented: &Segmented, segment: &Segment, at: usize, found: Coefficient) -> Vec<Field> {
    // Of purchases the logarithms of the parameters are drawn together.
    let is_logarithm = matches!(segmented.pooled.fit, Fit::Transactional(_));
    let of = |value: f64| if is_logarithm { value.exp() } else { value };
    let (own, weight, common) = match &segment.standing {
        Standing::Shrunken { own, weights, .. } => {
            let common = segmented.common.get(at).copied().flatten();
            (own.get(at).copied().flatten().map(of), weights.get(at).copied(), common)
        }
        Standing::Own(_) | Standing::Pooled(_) => (found.estimate, Some(1.0), None),
    };
    vec![
        Field::Text(Some(segment.name())),
        Field::Text(Some(found.term)),
        Field::Float(own),
        Field::Float(common.map(|common| of(common.mean))),
        Field::Float(common.map(|common| common.between.sqrt())),
        Field::Float(weight),
        Field::Float(found.estimate),
        Field::Float(found.robust_std_error.or(found.std_error)),
    ]
}

/// `segment_model(model, segment)`: the model by which rows of that segment are scored; without one, that of all rows.
pub fn segment_model(call: &Call) -> pg_sys::Datum {
    let name = call.text(1).map(str::to_owned);
    let bytes = call.model(0, |model| {
        let Some(segmented) = segmented(model) else {
            raise(Error::invalid(
                format!("this {} model has no segments", model.algorithm()),
                "Train one with segment_by => ARRAY[...].",
            ))
        };
        let found = match &name {
            None => Some(&segmented.pooled),
            Some(name) => {
                let segment = segmented.segments.iter().find(|segment| segment.name() == *name);
                segment.map(|segment| segment.model().unwrap_or(&segmented.pooled))
            }
        };
        let found = found.unwrap_or_else(|| {
            let known: Vec<String> =
                segmented.segments.iter().map(|segment| format!("\"{}\"", segment.name())).collect();
            raise(Error::invalid(
                format!("the model has no segment \"{}\"", name.unwrap_or_default()),
                format!("It has: {}.", known.join(", ")),
            ))
        });
        settle(found.encode())
    });
    match bytes {
        Some(bytes) => call.answer_bytes(&bytes),
        None => call.null(),
    }
}
