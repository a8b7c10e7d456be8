//! Fits in SQL: from the gathered rows to a model value.

use ltv_engine::hazard::cox::{self, Options, Ties};
use ltv_engine::hazard::design::Design;
use ltv_engine::hazard::robust::robust;
use ltv_engine::hazard::{CoxFit, Penalty};
use ltv_engine::model::features::{Feature, Kind};
use ltv_engine::model::{Fit, Model, naming};
use ltv_engine::{Error, Result};
use pgrx::pg_sys;

use crate::pg::call::{Call, Field};
use crate::pg::error::{raise, settle};
use crate::pg::varlena::decoded;
use crate::pg::{interrupts, settings};

/// The information matrix and its factors are this many squared: beyond it a fit is no longer a matter of seconds.
pub const MOST_COVARIATES: usize = 1000;
/// Matrices of p × p doubles that a fit holds at a time, and vectors as long as the rows.
const SQUARES: usize = 8;
const NUMBERS_PER_ROW: usize = 8;

pub fn too_wide(covariates: usize) -> Error {
    Error::invalid(
        format!("a regression takes at most {MOST_COVARIATES} covariates, got {covariates}"),
        "Choose among the features, or group the levels of a category.",
    )
}

/// The stored bytes of the Cox model of `design`, with the defaults; `None` when every row was left out.
pub fn cox(design: &Design) -> Option<Vec<u8>> {
    fit(design, &Options::default(), None).map(|fit| settle(Model::unnamed(fit, design.skipped()).encode()))
}

/// `wanted`: whether the robust covariance is wanted; `None` for where it is the default.
fn fit(design: &Design, options: &Options, wanted: Option<bool>) -> Option<CoxFit> {
    if design.is_empty() {
        return None;
    }
    let p = design.covariates();
    if p > MOST_COVARIATES {
        raise(too_wide(p));
    }
    // The fit sorts a copy of the rows.
    let needed = design.memory_bytes() + size_of::<f64>() * (design.len() * (p + NUMBERS_PER_ROW) + SQUARES * p * p);
    settle(settings::budget().check(needed, "the fit"));
    let mut fit = settle(cox::fit_with(design, options, &mut interrupts::check));
    fit.robust = settle(robust(design, &fit, wanted, &mut interrupts::check));
    Some(fit)
}

/// `fit_cox(design, names, ties, penalty, l1_ratio, stratum_name, robust)`.
pub fn fit_cox(call: &Call) -> pg_sys::Datum {
    let (Some(ties), Some(penalty), Some(l1_ratio)) = (call.text(2), call.float(3), call.float(4)) else {
        return call.null();
    };
    let options = Options { ties: settle(ties_of(ties)), penalty: settle(Penalty::new(penalty, l1_ratio)) };
    let names: Option<Vec<Option<String>>> = call.get(1);
    let stratum_name = call.text(5).unwrap_or(naming::STRATUM);
    let robust = call.get::<bool>(6);
    let bytes = call.design(0, |design| {
        if design.is_empty() {
            return None;
        }
        // Whatever is wrong with the names is said before the work, not after it.
        let stratum = (!design.strata().is_empty()).then_some(stratum_name);
        let features = settle(naming::features(names.as_deref(), design.covariates(), stratum));
        let fit = Fit::from(fit(design, &options, robust)?);
        Some(settle(Model { features, fit, skipped: design.skipped(), recalibration: None }.encode()))
    });
    match bytes.flatten() {
        Some(bytes) => call.answer_bytes(&bytes),
        None => call.null(),
    }
}

pub fn ties_of(name: &str) -> Result<Ties> {
    match name {
        "efron" => Ok(Ties::Efron),
        "breslow" => Ok(Ties::Breslow),
        "exact" => Ok(Ties::Exact),
        _ => Err(Error::invalid(format!("ties cannot be \"{name}\""), "One of efron, breslow, exact.")),
    }
}

/// `baseline(model, centered)`: the steps of each stratum's baseline.
pub fn baseline(call: &Call) -> pg_sys::Datum {
    let (Some(bytes), Some(centered)) = (call.bytes(0), call.get::<bool>(1)) else {
        return call.answer_rows(Vec::new());
    };
    let model = settle(decoded(bytes, Model::decode));
    let Fit::Cox(fit) = &model.fit else { return call.answer_rows(Vec::new()) };
    let x = if centered { fit.means.clone() } else { vec![0.0; fit.means.len()] };
    let rows = fit.baselines.iter().enumerate().flat_map(|(at, baseline)| {
        let curve = fit.curve(baseline, &x);
        let stratum = fit.strata.get(at).cloned();
        let mut before = 0.0;
        (0..curve.times.len()).map(move |step| {
            let hazard = curve.cumulative_hazard[step];
            let increment = hazard - before;
            before = hazard;
            vec![
                Field::Text(stratum.clone()),
                Field::Float(Some(curve.times[step])),
                Field::Float(Some(increment)),
                Field::Float(Some(hazard)),
                Field::Float(Some((-hazard).exp())),
                Field::Float(curve.std_error(step)),
            ]
        })
    });
    call.answer_rows(rows)
}

/// `fit_baseline(design, model, coefficients, covariance)`: a Cox or Fine–Gray model with the baseline of these rows at
/// coefficients that are given, by default its own. NaN stands for a coefficient that there is none of.
pub fn fit_baseline(call: &Call) -> pg_sys::Datum {
    let (Some(bytes), false) = (call.bytes(1), call.is_null(0)) else { return call.null() };
    let model = settle(decoded(bytes, Model::decode));
    let (own, own_covariance) = match &model.fit {
        Fit::Cox(fit) => (&fit.coefficients, fit.uncertainty()),
        Fit::FineGray(fit) => (&fit.coefficients, &fit.covariance[..]),
        _ => raise(Error::invalid(
            format!("a {} model has no baseline beside its coefficients", model.algorithm()),
            "Only a Cox model and one of Fine and Gray have: see fit_cox and fit_fine_gray.",
        )),
    };
    let coefficients = match call.floats(2) {
        Some(given) => given.iter().map(|value| (!value.is_nan()).then_some(*value)).collect(),
        None => own.clone(),
    };
    let covariance = call.floats(3).unwrap_or(own_covariance).to_vec();
    let is_own = call.is_null(2) && call.is_null(3);
    let bytes = call.design(0, |design| {
        if design.is_empty() {
            return None;
        }
        let p = design.covariates();
        let needed = match &model.fit {
            Fit::FineGray(_) => crate::fine_gray::needed(design),
            _ => design.memory_bytes() + size_of::<f64>() * design.len() * (p + NUMBERS_PER_ROW),
        };
        settle(settings::budget().check(needed, "the baseline"));
        let Model { features, fit, .. } = model;
        let fit = match fit {
            Fit::Cox(fit) => fit,
            Fit::FineGray(fit) => {
                let fit = settle(fit.at(design, coefficients, covariance, &mut interrupts::check));
                let model = Model { features, fit: Fit::from(fit), skipped: design.skipped(), recalibration: None };
                return Some(settle(model.encode()));
            }
            _ => return None,
        };
        let fit = settle(match is_own {
            true => fit.on(design, &mut interrupts::check),
            false => fit.at(design, coefficients, covariance, &mut interrupts::check),
        });
        let stratum = features.iter().find(|feature| feature.kind == Kind::Stratum).cloned();
        let mut features: Vec<Feature> = features.into_iter().filter(|f| f.kind != Kind::Stratum).collect();
        if !fit.strata.is_empty() {
            let unnamed = || Feature { name: naming::STRATUM.into(), kind: Kind::Stratum };
            features.push(stratum.unwrap_or_else(unnamed));
        }
        let model = Model { features, fit: Fit::from(fit), skipped: design.skipped(), recalibration: None };
        settle(model.validate());
        Some(settle(model.encode()))
    });
    match bytes.flatten() {
        Some(bytes) => call.answer_bytes(&bytes),
        None => call.null(),
    }
}
