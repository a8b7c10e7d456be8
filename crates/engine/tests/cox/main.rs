//! Cox's model against R's survival, against hand-worked examples, and against what must hold for any data.

#[path = "../chance/mod.rs"]
mod chance;
#[path = "../golden_support/mod.rs"]
mod golden_support;

mod cases;
mod cases_of_r;
mod golden;
mod properties;
mod strata;
mod undetermined;
mod worked;

use ltv_engine::hazard::cox::fit;
use ltv_engine::hazard::{CoxFit, Design, Ties};
use ltv_engine::survival::FittedCurve;

fn go_on() -> ltv_engine::Result<()> {
    Ok(())
}

fn fit_cox(design: &Design, ties: Ties) -> CoxFit {
    fit(design, ties, &mut go_on).unwrap()
}

fn row(design: &mut Design, entry: f64, exit: f64, event: i32, weight: f64, x: &[f64]) {
    design.push(Some(entry), exit, event == 1, weight, x).unwrap();
}

/// Variance of the cumulative hazard at the last step at or before `time`: 0 before the first.
fn variance(curve: &FittedCurve, time: f64) -> f64 {
    let Some(step) = curve.times.partition_point(|step| *step <= time).checked_sub(1) else { return 0.0 };
    let shared = &curve.loadings[step * curve.rank..(step + 1) * curve.rank];
    curve.variance[step] + shared.iter().map(|loading| loading * loading).sum::<f64>()
}
