//! Regression of one cause's incidence in SQL.

use ltv_engine::Error;
use ltv_engine::hazard::cox::Ties;
use ltv_engine::hazard::design::Design;
use ltv_engine::hazard::fine_gray;
use ltv_engine::model::Model;
use pgrx::prelude::*;

use crate::fit::{MOST_COVARIATES, too_wide};
use crate::pg::call::Call;
use crate::pg::error::{raise, settle};
use crate::pg::{interrupts, settings};

/// What a fit holds beside the rows: so many doubles per row and covariate, per row, and per pair of covariates.
const NUMBERS_PER_VALUE: usize = 8;
const NUMBERS_PER_ROW: usize = 16;
const SQUARES: usize = 8;

/// Bytes of a fit, and of a baseline, with the rows.
pub fn needed(design: &Design) -> usize {
    let p = design.covariates();
    let per_row = NUMBERS_PER_VALUE * p + NUMBERS_PER_ROW;
    design.memory_bytes() + size_of::<f64>() * (design.len() * per_row + SQUARES * p * p)
}

/// The stored bytes of the subdistribution model of `design`; `None` when every row was left out.
pub fn fitted(design: &Design, cause: i32, ties: Ties) -> Option<Vec<u8>> {
    if design.is_empty() {
        return None;
    }
    let p = design.covariates();
    if p > MOST_COVARIATES {
        raise(too_wide(p));
    }
    settle(settings::budget().check(needed(design), "the fit"));
    let fit = settle(fine_gray::fit(design, cause, ties, &mut interrupts::check));
    Some(settle(Model::unnamed(fit, design.skipped()).encode()))
}

/// `fit_fine_gray(design, cause, ties)`.
pub fn fit_fine_gray(call: &Call) -> pg_sys::Datum {
    let (Some(cause), Some(ties)) = (call.integer(1), call.text(2)) else { return call.null() };
    let ties = match ties {
        "efron" => Ties::Efron,
        "breslow" => Ties::Breslow,
        other => raise(Error::invalid(
            format!("unknown ties \"{other}\" of a Fine-Gray regression"),
            "One of: efron, breslow.",
        )),
    };
    match call.design(0, |design| fitted(design, cause, ties)).flatten() {
        Some(bytes) => call.answer_bytes(&bytes),
        None => call.null(),
    }
}
