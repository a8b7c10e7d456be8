//! Parametric models in SQL: fits by name, the best of several, and what compares them.

use ltv_engine::hazard::cox::Status;
use ltv_engine::hazard::design::Design;
use ltv_engine::hazard::parametric;
use ltv_engine::hazard::parametric_choice::{CANDIDATES, Shape, by_name};
use ltv_engine::model::{Fit, Model, naming};
use ltv_engine::{Error, Result};
use pgrx::pg_sys;

use crate::fit::{MOST_COVARIATES, too_wide};
use crate::pg::call::{Call, Field, ModelBy};
use crate::pg::error::settle;
use crate::pg::varlena::decoded;
use crate::pg::{interrupts, settings};

/// Squares of the number of coefficients that a fit holds at a time, and vectors as long as the rows.
const SQUARES: usize = 12;
const NUMBERS_PER_ROW: usize = 2;

fn budget(design: &Design) -> Result<()> {
    let p = design.covariates();
    if p > MOST_COVARIATES {
        return Err(too_wide(p));
    }
    let needed = size_of::<f64>() * (design.len() * NUMBERS_PER_ROW + SQUARES * (2 * p + 32) * (2 * p + 32));
    settings::budget().check(design.memory_bytes() + needed, "the fit")
}

/// What the caller said beside the rows.
#[derive(Default)]
struct Options<'a> {
    names: Option<Vec<Option<String>>>,
    /// Those on the location; all where nothing is said.
    location: Option<Vec<String>>,
    ancillary: Vec<String>,
    shape: Shape<'a>,
    /// Whether errors are by clusters; `None`: where a row has one.
    robust: Option<bool>,
}

impl Options<'_> {
    fn fit(&self, design: &Design, distribution: &str) -> Result<Model> {
        budget(design)?;
        let features = naming::features(self.names.as_deref(), design.covariates(), None)?;
        let chosen = |names: &[String]| {
            let place = |name: &String| {
                features.iter().position(|feature| feature.name == *name).ok_or_else(|| {
                    Error::invalid(
                        format!("\"{name}\" is none of the covariates"),
                        "Use their names, or x1, x2, … where they have none.",
                    )
                })
            };
            let mut places = names.iter().map(place).collect::<Result<Vec<usize>>>()?;
            places.sort_unstable();
            Ok::<_, Error>(places)
        };
        let location = match &self.location {
            Some(names) => chosen(names)?,
            None => (0..design.covariates()).collect(),
        };
        let ancillary = chosen(&self.ancillary)?;
        let distribution = by_name(distribution, design, self.shape)?;
        let check = &mut interrupts::check;
        let fit = parametric::fit_with(design, &distribution, &location, &ancillary, self.robust, check)?;
        Ok(Model { features, fit: Fit::from(fit), skipped: design.skipped(), recalibration: None })
    }
}

/// The stored bytes of the plain model of an aggregate; `None` when every row was left out.
pub fn plain(design: &Design, distribution: &str) -> Option<Vec<u8>> {
    if design.is_empty() {
        return None;
    }
    let options = Options::default();
    Some(settle(settle(options.fit(design, distribution)).encode()))
}

/// `fit_parametric(design, distribution, names, ancillary, knots, knot_times, breaks, robust)`.
pub fn fit_parametric(call: &Call) -> pg_sys::Datum {
    let Some(distribution) = call.text(1) else { return call.null() };
    let options = Options {
        names: call.get(2),
        location: None,
        ancillary: call.texts(3).unwrap_or_default(),
        shape: Shape { knots: call.integer(4), knot_times: call.floats(5), breaks: call.floats(6) },
        robust: call.get(7),
    };
    answer_fit(call, &options, distribution)
}

/// `fit_cure(design, distribution, names, cured, location, knots, knot_times, breaks, robust)`.
pub fn fit_cure(call: &Call) -> pg_sys::Datum {
    let Some(distribution) = call.text(1) else { return call.null() };
    let options = Options {
        names: call.get(2),
        location: call.texts(4),
        ancillary: call.texts(3).unwrap_or_default(),
        shape: Shape { knots: call.integer(5), knot_times: call.floats(6), breaks: call.floats(7) },
        robust: call.get(8),
    };
    let plain = distribution.strip_suffix("-cure").unwrap_or(distribution);
    answer_fit(call, &options, &format!("{plain}-cure"))
}

/// The model of the design that is argument 0; NULL when it is empty.
fn answer_fit(call: &Call, options: &Options, distribution: &str) -> pg_sys::Datum {
    let bytes = call.design(0, |design| match design.is_empty() {
        true => None,
        false => Some(settle(settle(options.fit(design, distribution)).encode())),
    });
    bytes.flatten().map_or_else(|| call.null(), |bytes| call.answer_bytes(&bytes))
}

/// `cured_share(model, row, given)`.
pub fn cured_share(call: &Call, by: ModelBy) -> pg_sys::Datum {
    let Some(given) = call.float(2) else { return call.null() };
    let share = call.score(by, |subject| match subject {
        Ok(subject) => settle(subject.cured_share(given)),
        Err(_) => None,
    });
    call.answer_float(share.flatten())
}

/// A candidate: its name, and its model or why there is none.
type Candidate = (String, Result<Model>);

/// The candidates with their models, the best first by `score`; those that are not to be trusted last.
fn ranked(
    design: &Design,
    options: &Options,
    candidates: &[String],
    score: impl Fn(&Model) -> Option<f64>,
) -> Vec<Candidate> {
    let mut fits: Vec<Candidate> = Vec::with_capacity(candidates.len());
    for name in candidates {
        let fit = options.fit(design, name);
        if let Err(error @ (Error::Canceled | Error::Memory { .. })) = fit {
            crate::pg::error::raise(error);
        }
        fits.push((name.clone(), fit));
    }
    let place = |candidate: &Candidate| match &candidate.1 {
        Ok(model) => (unsoundness(model), score(model).unwrap_or(f64::INFINITY)),
        Err(_) => (3, f64::INFINITY),
    };
    fits.sort_by(|a, b| {
        let ((bad, first), (worse, second)) = (place(a), place(b));
        bad.cmp(&worse).then(first.total_cmp(&second))
    });
    fits
}

/// 0 for a fit whose likelihood may be compared; that of a separated one is of coefficients that run to infinity.
fn unsoundness(model: &Model) -> u8 {
    match &model.fit {
        Fit::Parametric(fit) => match fit.status {
            Status::Converged => 0,
            Status::Separated { .. } => 1,
            Status::NotConverged | Status::NoEvents => 2,
        },
        _ => 2,
    }
}

fn candidates(call: &Call, place: usize) -> Vec<String> {
    call.texts(place).unwrap_or_else(|| CANDIDATES.iter().map(|name| (*name).to_owned()).collect())
}

fn criterion_of(criterion: &str) -> impl Fn(&Model) -> Option<f64> {
    let by_bic = match criterion {
        "aic" => false,
        "bic" => true,
        other => crate::pg::error::raise(Error::invalid(format!("unknown criterion \"{other}\""), "One of: aic, bic.")),
    };
    move |model| model.quality().and_then(|quality| if by_bic { quality.bic } else { quality.aic })
}

fn status(fit: &Result<Model>) -> String {
    match fit {
        Ok(model) => crate::predict::status_of(model),
        Err(error) => error.to_string(),
    }
}

/// `fit_candidates(design, candidates, criterion)`: how each did, with its model, the best first.
pub fn fit_candidates(call: &Call) -> pg_sys::Datum {
    let Some(criterion) = call.text(2) else { return call.answer_rows(Vec::new()) };
    let score = criterion_of(criterion);
    let options = Options::default();
    let candidates = candidates(call, 1);
    let fits = call.design(0, |design| match design.is_empty() {
        true => Vec::new(),
        false => ranked(design, &options, &candidates, &score),
    });
    call.answer_rows(fits.unwrap_or_default().into_iter().enumerate().map(|(place, (name, fit))| {
        let (status, criterion) = (status(&fit), fit.as_ref().ok().and_then(&score));
        vec![
            Field::Text(Some(name)),
            match (place, fit) {
                (0, fit) => Field::Bytes(settle(settle(fit).encode())),
                (_, Ok(model)) => Field::Bytes(settle(model.encode())),
                (_, Err(_)) => Field::Text(None),
            },
            Field::Float(criterion),
            Field::Text(Some(status)),
        ]
    }))
}

/// `fit_best(design, names, candidates, criterion)`: the model with the least AIC or BIC.
pub fn fit_best(call: &Call) -> pg_sys::Datum {
    let Some(criterion) = call.text(3) else { return call.null() };
    let score = criterion_of(criterion);
    let options = Options { names: call.get(1), ..Options::default() };
    let candidates = candidates(call, 2);
    let best = call.design(0, |design| {
        if design.is_empty() {
            return None;
        }
        let best = ranked(design, &options, &candidates, &score).into_iter().next();
        Some(match best {
            Some((_, model)) => settle(settle(model).encode()),
            None => {
                crate::pg::error::raise(Error::invalid("there are no candidates to choose from", "Name at least one."))
            }
        })
    });
    best.flatten().map_or_else(|| call.null(), |bytes| call.answer_bytes(&bytes))
}

/// `compare_distributions(design, candidates)`: one row for each, the least AIC first.
pub fn compare_distributions(call: &Call) -> pg_sys::Datum {
    let options = Options::default();
    let candidates = candidates(call, 1);
    let fits = call.design(0, |design| match design.is_empty() {
        true => Vec::new(),
        false => ranked(design, &options, &candidates, |model| model.quality().and_then(|q| q.aic)),
    });
    let fits = fits.unwrap_or_default();
    let aic = |fit: &Result<Model>| fit.as_ref().ok().and_then(|model| model.quality()?.aic);
    let least = fits.first().and_then(|(_, fit)| aic(fit));
    call.answer_rows(fits.iter().map(|(name, fit)| {
        let quality = fit.as_ref().ok().and_then(Model::quality);
        vec![
            Field::Text(Some(name.clone())),
            Field::Float(quality.and_then(|q| q.log_likelihood)),
            Field::Int4(quality.map(|q| q.parameters as i32)),
            Field::Float(quality.and_then(|q| q.aic)),
            Field::Float(quality.and_then(|q| q.bic)),
            Field::Float(aic(fit).zip(least).map(|(aic, least)| aic - least)),
            Field::Text(Some(status(fit))),
        ]
    }))
}

/// `model_fit(model)`: what compares models of the same rows.
pub fn model_fit(call: &Call) -> pg_sys::Datum {
    let Some(bytes) = call.bytes(0) else { return call.null() };
    let Some(quality) = settle(decoded(bytes, Model::decode)).quality() else { return call.null() };
    call.answer_tuple(vec![
        Field::Float(quality.log_likelihood),
        Field::Int4(Some(quality.parameters as i32)),
        Field::Float(quality.aic),
        Field::Float(quality.bic),
        Field::Integer(Some(quality.rows as i64)),
        Field::Integer(Some(quality.events as i64)),
    ])
}
