//! Newton's method on the weighted partial likelihood, which is concave as Cox's is: with step halving.

use crate::hazard::cox::Status;
use crate::hazard::fine_gray_likelihood::{Evaluation, Likelihood};
use crate::numeric::linear::{RankedCholesky, collinearity_tolerance};
use crate::{Error, Interrupt, Result};

const MAX_ITERATIONS: usize = 50;
const HALVINGS: i32 = 20;
/// The fit has converged when the step ahead raises the log-likelihood by half of this at most: the one error left after
/// taking it is of the order of its square.
const CONVERGED_DECREMENT: f64 = 1e-16;
/// Below this a step that no longer helps has come to the end of the numbers.
const ROUNDING_DECREMENT: f64 = 1e-9;
/// A log-likelihood that falls by this share of itself has not fallen: that much is rounding.
const ROUNDING: f64 = 1e-12;
/// Below this decrement a regular fit converges quadratically, so that steps shrink at once; when they do not, some
/// coefficient runs to infinity.
const QUADRATIC_DECREMENT: f64 = 1e-2;
const NOT_SHRUNK: f64 = 0.5;
const STEPS_WITHOUT_SHRINKING: usize = 5;
/// Terms whose last step is this share of the longest one's still run off with it.
const RUNNING_OFF: f64 = 1e-3;

/// Where Newton's method ended, in scaled units.
pub(super) struct Maximum {
    pub beta: Vec<f64>,
    pub active: Vec<usize>,
    /// The inverse of the information.
    pub covariance: Vec<f64>,
    pub log_likelihood_null: f64,
    pub log_likelihood: f64,
    pub iterations: usize,
    pub status: Status,
}

pub(super) fn maximise(likelihood: &mut Likelihood, interrupt: Interrupt) -> Result<Maximum> {
    let p = likelihood.p;
    let mut beta = vec![0.0; p];
    let Some(null) = likelihood.evaluate(&beta, interrupt)? else {
        return Err(Error::OutOfRange("the weights or covariates are too large for a regression".into()));
    };
    let mut maximum = Maximum {
        beta: Vec::new(),
        active: RankedCholesky::above(&null.information, p, collinearity_tolerance(), &null.moments).columns().to_vec(),
        covariance: vec![0.0; p * p],
        log_likelihood_null: null.log_likelihood,
        log_likelihood: null.log_likelihood,
        iterations: 0,
        status: Status::Converged,
    };
    if likelihood.terms.is_empty() {
        maximum.status = Status::NoEvents;
        maximum.active.clear();
        maximum.beta = beta;
        return Ok(maximum);
    }
    let mut now = null;
    let (mut length_before, mut unshrunk) = (f64::INFINITY, 0);
    while !maximum.active.is_empty() {
        let factor = RankedCholesky::of_columns(&now.information, p, maximum.active.clone());
        if factor.rank() < maximum.active.len() {
            maximum.status = Status::Separated { terms: maximum.active.clone() };
            break;
        }
        let step = factor.solve(&now.score);
        let decrement: f64 = step.iter().zip(&now.score).map(|(step, score)| step * score).sum();
        if decrement <= CONVERGED_DECREMENT {
            beta.iter_mut().zip(&step).for_each(|(beta, step)| *beta += step);
            break;
        }
        let length = longest(&step);
        unshrunk =
            if decrement < QUADRATIC_DECREMENT && length > NOT_SHRUNK * length_before { unshrunk + 1 } else { 0 };
        length_before = length;
        let stalled = decrement < ROUNDING_DECREMENT && unshrunk > 1;
        if !stalled && unshrunk >= STEPS_WITHOUT_SHRINKING {
            let terms = (0..p).filter(|term| step[*term].abs() > RUNNING_OFF * length).collect();
            maximum.status = Status::Separated { terms };
            break;
        }
        let better = match maximum.iterations {
            MAX_ITERATIONS => None,
            _ if stalled => None,
            _ => improve(likelihood, &beta, &now, &step, interrupt)?,
        };
        let Some(better) = better else {
            if decrement > ROUNDING_DECREMENT {
                maximum.status = Status::NotConverged;
            }
            break;
        };
        maximum.iterations += 1;
        (beta, now) = better;
    }
    maximum.covariance = RankedCholesky::of_columns(&now.information, p, maximum.active.clone()).inverse();
    maximum.log_likelihood = now.log_likelihood;
    maximum.beta = beta;
    Ok(maximum)
}

/// The first of ever shorter steps that does not lead down.
fn improve(
    likelihood: &mut Likelihood,
    beta: &[f64],
    now: &Evaluation,
    step: &[f64],
    interrupt: Interrupt,
) -> Result<Option<(Vec<f64>, Evaluation)>> {
    for halving in 0..HALVINGS {
        let share = 0.5f64.powi(halving);
        let candidate: Vec<f64> = beta.iter().zip(step).map(|(beta, step)| beta + share * step).collect();
        let Some(evaluation) = likelihood.evaluate(&candidate, interrupt)? else { continue };
        if evaluation.log_likelihood >= now.log_likelihood - ROUNDING * now.log_likelihood.abs() {
            return Ok(Some((candidate, evaluation)));
        }
    }
    Ok(None)
}

fn longest(step: &[f64]) -> f64 {
    step.iter().fold(0.0, |longest, part| longest.max(part.abs()))
}
