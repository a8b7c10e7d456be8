//! Models of renewal decisions in SQL: logistic regression and discrete-time hazards.

use ltv_engine::Interrupt;
use ltv_engine::hazard::DiscreteFit;
use ltv_engine::hazard::design::Design;
use ltv_engine::hazard::discrete::{self, Options, Shape};
use ltv_engine::model::{Fit, Model, naming};
use pgrx::prelude::*;

use crate::fit::{MOST_COVARIATES, too_wide};
use crate::pg::call::Call;
use crate::pg::error::{raise, settle};
use crate::pg::{interrupts, settings};

/// Months between two renewal decisions unless the caller says otherwise.
const TERM: f64 = 12.0;
/// Matrices of p × p doubles that a fit holds at a time, and bytes per row.
const SQUARES: usize = 8;
const BYTES_PER_ROW: usize = 24;

/// The covariates' names, as an argument has them; `None` where there are none.
type Names = Option<Vec<Option<String>>>;
type FitRows = fn(&Design, &Options, Interrupt) -> ltv_engine::Result<DiscreteFit>;

fn model(
    design: &Design,
    options: &Options,
    names: Names,
    fit: FitRows,
    wrap: fn(DiscreteFit) -> Fit,
) -> Option<Vec<u8>> {
    if design.is_empty() {
        return None;
    }
    let p = design.covariates();
    if p > MOST_COVARIATES {
        raise(too_wide(p));
    }
    let needed = design.memory_bytes() + BYTES_PER_ROW * design.len() + size_of::<f64>() * SQUARES * p * p;
    settle(settings::budget().check(needed, "the fit"));
    let features = settle(naming::features(names.as_deref(), p, None));
    let fit = settle(fit(design, options, &mut interrupts::check));
    let model = Model { features, fit: wrap(fit), skipped: design.skipped(), recalibration: None };
    Some(settle(model.encode()))
}

/// The stored bytes of the logistic regression of `design`; `None` when every row was left out.
pub fn renewal(design: &Design) -> Option<Vec<u8>> {
    let options = Options { period: TERM, ..Options::default() };
    model(design, &options, None, discrete::fit_decisions, Fit::renewal)
}

/// The same with a hazard per period of length 1.
pub fn discrete_time(design: &Design) -> Option<Vec<u8>> {
    model(design, &Options::default(), None, discrete::fit, Fit::discrete_time)
}

/// `fit_renewal(design, link, period, penalty, names, robust)`.
pub fn fit_renewal(call: &Call) -> pg_sys::Datum {
    let (Some(link), Some(period), Some(penalty)) = (call.text(1), call.float(2), call.float(3)) else {
        return call.null();
    };
    let options = Options { link: settle(link.parse()), shape: Shape::Period, period, penalty, robust: call.get(5) };
    let bytes = call.design(0, |design| model(design, &options, call.get(4), discrete::fit_decisions, Fit::renewal));
    answer(call, bytes.flatten())
}

/// `fit_discrete_time(design, link, baseline, degree, period, penalty, names, robust)`.
pub fn fit_discrete_time(call: &Call) -> pg_sys::Datum {
    let (Some(link), Some(baseline), Some(degree)) = (call.text(1), call.text(2), call.integer(3)) else {
        return call.null();
    };
    let (Some(period), Some(penalty)) = (call.float(4), call.float(5)) else { return call.null() };
    let shape = settle(Shape::named(baseline, degree));
    let options = Options { link: settle(link.parse()), shape, period, penalty, robust: call.get(7) };
    let bytes = call.design(0, |design| model(design, &options, call.get(6), discrete::fit, Fit::discrete_time));
    answer(call, bytes.flatten())
}

fn answer(call: &Call, bytes: Option<Vec<u8>>) -> pg_sys::Datum {
    match bytes {
        Some(bytes) => call.answer_bytes(&bytes),
        None => call.null(),
    }
}
