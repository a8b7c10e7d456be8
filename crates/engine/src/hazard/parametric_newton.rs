//! Newton's method on the likelihood of a parametric model, damped where the likelihood is not concave.

use crate::hazard::cox::Status;
use crate::hazard::parametric_likelihood::{Evaluation, Layout, Rows, evaluate};
use crate::numeric::linear::RankedCholesky;
use crate::survival::distribution::Distribution;
use crate::{Error, Interrupt, Result};

const MAX_ITERATIONS: usize = 100;
/// Twice the rise that the step ahead promises, below which a fit has converged: the step is 10⁻⁷ standard errors long
/// and is still taken, so that what is left is of the order of its square.
const CONVERGED_DECREMENT: f64 = 1e-14;
/// Below this the curvature before the last step is that after it.
const SETTLED_DECREMENT: f64 = 1e-21;
/// Below this, where no step leads up any more, the numbers have come to their end.
const ROUNDING_DECREMENT: f64 = 1e-7;
/// Below this a regular fit converges quadratically; one whose steps do not shrink runs off.
const QUADRATIC_DECREMENT: f64 = 1e-4;
/// What is added to the diagonal of the information in turn when a step leads down.
const DAMPINGS: [f64; 7] = [0.0, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 1e3];
const HALVINGS: i32 = 4;
/// Where Newton's method ended, in scaled units.
#[derive(Debug, Clone)]
pub(super) struct Maximum {
    pub beta: Vec<f64>,
    pub evaluation: Evaluation,
    pub iterations: usize,
    pub status: Status,
}

pub(super) fn maximise(
    rows: &Rows,
    distribution: &Distribution,
    layout: &Layout,
    mut beta: Vec<f64>,
    stride: usize,
    interrupt: Interrupt,
) -> Result<Maximum> {
    let mut at = |beta: &[f64]| evaluate(rows, distribution, layout, beta, stride, interrupt);
    let Some(mut now) = at(&beta)? else {
        return Err(Error::OutOfRange("the times, weights or covariates are too large for a parametric model".into()));
    };
    let (mut iterations, mut before, mut unshrunk) = (0, f64::INFINITY, 0);
    let status = loop {
        // Away from the maximum the information need not be positive definite: then only damped steps lead up.
        let newton = newton_step(&now, 0.0);
        if let Some((step, decrement)) = &newton {
            if *decrement <= CONVERGED_DECREMENT {
                beta.iter_mut().zip(step).for_each(|(beta, step)| *beta += step);
                // Where a standard error is large, the curvature is another one even after so short a step.
                if *decrement > SETTLED_DECREMENT
                    && let Some(found) = at(&beta)?
                {
                    now = found;
                }
                break Status::Converged;
            }
            let length = step.iter().fold(0.0, |longest: f64, part| longest.max(part.abs()));
            unshrunk = if *decrement < QUADRATIC_DECREMENT && length > 0.5 * before { unshrunk + 1 } else { 0 };
            before = length;
            if unshrunk >= 3 && *decrement > ROUNDING_DECREMENT * 1e-3 {
                let moving = |column: &usize| step[*column].abs() > 1e-3 * length;
                let terms: Vec<usize> =
                    (0..layout.len()).filter(moving).filter_map(|column| layout.columns[column]).collect();
                break if terms.is_empty() { Status::NotConverged } else { Status::Separated { terms } };
            }
        }
        if iterations == MAX_ITERATIONS {
            break Status::NotConverged;
        }
        let mut better = None;
        'search: for damping in DAMPINGS {
            let Some((step, decrement)) = newton_step(&now, damping) else { continue };
            for halving in 0..HALVINGS {
                let share = 0.5f64.powi(halving);
                let candidate: Vec<f64> = beta.iter().zip(&step).map(|(beta, step)| beta + share * step).collect();
                let Some(found) = at(&candidate)? else { continue };
                let rise = found.value - now.value + 1e-13 * now.value.abs();
                if rise >= 0.05 * share * decrement {
                    better = Some((candidate, found));
                    break 'search;
                }
            }
        }
        match better {
            Some((candidate, found)) => (beta, now) = (candidate, found),
            None if newton.is_some_and(|(_, decrement)| decrement <= ROUNDING_DECREMENT) => break Status::Converged,
            None => break Status::NotConverged,
        }
        iterations += 1;
    };
    Ok(Maximum { beta, evaluation: now, iterations, status })
}

/// The negative Hessian with unit diagonal and what it was divided by; `None` when the diagonal is not positive.
pub(super) fn scaled_information(now: &Evaluation) -> (Vec<f64>, Vec<f64>) {
    let q = now.gradient.len();
    let roots: Vec<f64> = (0..q).map(|i| now.hessian[i * (q + 1)].abs().max(1e-300).sqrt().recip()).collect();
    let mut scaled = vec![0.0; q * q];
    for i in 0..q {
        for j in 0..=i {
            scaled[i * q + j] = -now.hessian[i * q + j] * roots[i] * roots[j];
            scaled[j * q + i] = scaled[i * q + j];
        }
    }
    (scaled, roots)
}

/// Newton's step and twice the rise that it promises; `None` when the damped information is not positive definite.
fn newton_step(now: &Evaluation, damping: f64) -> Option<(Vec<f64>, f64)> {
    let q = now.gradient.len();
    let (mut scaled, roots) = scaled_information(now);
    (0..q).for_each(|i| scaled[i * (q + 1)] += damping);
    let factor = RankedCholesky::of_columns(&scaled, q, (0..q).collect());
    if factor.rank() < q {
        return None;
    }
    let right: Vec<f64> = now.gradient.iter().zip(&roots).map(|(g, r)| g * r).collect();
    let step: Vec<f64> = factor.solve(&right).iter().zip(&roots).map(|(s, r)| s * r).collect();
    let decrement: f64 = step.iter().zip(&now.gradient).map(|(s, g)| s * g).sum();
    (decrement >= 0.0 && step.iter().all(|value| value.is_finite())).then_some((step, decrement))
}
