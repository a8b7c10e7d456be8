//! Newton's method for a model of amounts.
//!
//! With these links every family's quasi-log-likelihood is concave, so a maximum is the only one. Linear models take one
//! step and refine it; of a Tweedie model rows without an amount may have no maximum: their level falls for ever.

use crate::amount::Family;
use crate::amount::rows::{Information, Look, Rows, too_large};
use crate::hazard::cox::Status;
use crate::hazard::newton::{Progress, Verdict, longest, moving};
use crate::numeric::linear::{RankedCholesky, collinearity_tolerance};
use crate::{Interrupt, Result};

const MAX_ITERATIONS: usize = 100;
const HALVINGS: i32 = 20;
/// A step must raise the value by this share of what its slope promises.
const SUFFICIENT_RISE: f64 = 0.1;
/// A value that falls by this share of itself has not fallen: that much is rounding.
const ROUNDING: f64 = 1e-12;
/// Solutions of a linear model: the first, and what is left of its rounding errors.
const REFINEMENTS: usize = 3;
/// A coefficient about which the data tell so much less where it ended than where it began has run off.
const INFORMATION_LOST: f64 = 1e-8;

/// Where it ended; vectors and matrices begin with the intercept.
pub(super) struct Maximum {
    pub theta: Vec<f64>,
    /// Covariates that have a coefficient.
    pub active: Vec<usize>,
    /// Of the expected information; without the dispersion.
    pub covariance: Vec<f64>,
    pub iterations: usize,
    pub status: Status,
}

/// Maximises over the intercept and, unless `null`, the covariates.
pub(super) fn maximise(rows: &Rows, null: bool, interrupt: Interrupt) -> Result<Maximum> {
    let size = if null { 1 } else { 1 + rows.scales.len() };
    let mut theta = vec![0.0; size];
    let average = rows.total / rows.weight;
    theta[0] = if rows.family.has_log_link() { average.ln() } else { average };
    let mut now = rows.look(&theta, Information::Observed, interrupt)?.ok_or_else(too_large)?;
    let columns = RankedCholesky::new(&now.information, size, collinearity_tolerance()).columns().to_vec();
    let at_start = RankedCholesky::of_columns(&now.information, size, columns.clone()).inverse();
    let (mut iterations, mut status, mut progress) = (0, Status::Converged, Progress::default());
    loop {
        let factor = RankedCholesky::of_columns(&now.information, size, columns.clone());
        let step = factor.solve(&now.score);
        let decrement = dot(&step, &now.score);
        if rows.family == Family::Linear {
            theta.iter_mut().zip(&step).for_each(|(theta, step)| *theta += step);
            iterations += 1;
            if iterations == REFINEMENTS {
                break;
            }
            now = rows.look(&theta, Information::Observed, interrupt)?.ok_or_else(too_large)?;
            continue;
        }
        if factor.rank() < columns.len() {
            status = Status::NotConverged;
            break;
        }
        match progress.next(decrement, longest(&step)) {
            Verdict::GoOn => {}
            Verdict::Converged => {
                theta.iter_mut().zip(&step).for_each(|(theta, step)| *theta += step);
                break;
            }
            Verdict::RunningOff => {
                status = separated(moving(&step));
                break;
            }
        }
        let better = if iterations == MAX_ITERATIONS { None } else { improve(rows, &theta, &now, &step, interrupt)? };
        let Some(better) = better else {
            status = Status::NotConverged;
            break;
        };
        (theta, now) = better;
        iterations += 1;
    }
    let expected = rows.look(&theta, Information::Expected, interrupt)?.ok_or_else(too_large)?;
    let factor = RankedCholesky::of_columns(&expected.information, size, columns.clone());
    let covariance = factor.inverse();
    if status == Status::Converged && rows.family.has_log_link() {
        let singular = factor.rank() < columns.len();
        let lost = |i: &usize| singular || INFORMATION_LOST * covariance[i * (size + 1)] > at_start[i * (size + 1)];
        let terms: Vec<usize> = columns.iter().copied().filter(lost).collect();
        if !terms.is_empty() {
            status = separated(terms);
        }
    }
    let active = columns.iter().filter_map(|column| column.checked_sub(1)).collect();
    Ok(Maximum { theta, active, covariance, iterations, status })
}

/// Of columns, the first being the intercept.
fn separated(columns: Vec<usize>) -> Status {
    Status::Separated { terms: columns.into_iter().filter_map(|column| column.checked_sub(1)).collect() }
}

/// The step or the first of its halves that raises the value by a fair share of what its slope promises.
fn improve(
    rows: &Rows,
    theta: &[f64],
    now: &Look,
    step: &[f64],
    interrupt: Interrupt,
) -> Result<Option<(Vec<f64>, Look)>> {
    let promised = dot(step, &now.score);
    for halving in 0..HALVINGS {
        let share = 0.5f64.powi(halving);
        let candidate: Vec<f64> = theta.iter().zip(step).map(|(theta, step)| theta + share * step).collect();
        let Some(look) = rows.look(&candidate, Information::Observed, interrupt)? else { continue };
        if look.value - now.value + ROUNDING * now.value.abs() >= SUFFICIENT_RISE * share * promised {
            return Ok(Some((candidate, look)));
        }
    }
    Ok(None)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
