//! Fits in SQL: from the gathered rows to a model value.

use ltv_engine::Error;
use ltv_engine::hazard::cox::{self, Ties};
use ltv_engine::hazard::design::Design;
use ltv_engine::hazard::robust;
use ltv_engine::model::Model;

use crate::pg::error::{raise, settle};
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

/// The stored bytes of the Cox model of `design`; `None` when every row was left out.
pub fn cox(design: &Design) -> Option<Vec<u8>> {
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
    let mut fit = settle(cox::fit(design, Ties::Efron, &mut interrupts::check));
    if robust::is_default(design) {
        fit.robust = settle(robust::robust(design, &fit, &mut interrupts::check));
    }
    Some(settle(Model::unnamed_cox(fit, design.skipped()).encode()))
}
