//! What is read off a fitted Cox model: robust variance, residuals, the test of proportional hazards, concordance.

mod golden;
#[path = "../golden_support/mod.rs"]
mod golden_support;
mod properties;

use ltv_engine::hazard::cox::fit;
use ltv_engine::hazard::robust::robust;
use ltv_engine::hazard::{CoxFit, Design, Ties};

fn go_on() -> ltv_engine::Result<()> {
    Ok(())
}

/// The model as `fit_cox` makes it: with the robust covariance when asked for, or where that is the default.
fn fitted(design: &Design, ties: Ties, asked: Option<bool>) -> CoxFit {
    let mut model = fit(design, ties, &mut go_on).unwrap();
    model.robust = robust(design, &model, asked, &mut go_on).unwrap();
    model
}
