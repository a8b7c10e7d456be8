//! Newton's method on a partial likelihood, with step halving.
//!
//! The partial likelihood is concave however ties are handled, so it has one maximum – or rises for ever
//! along some direction, which is found out and said.

use crate::hazard::cox::Status;
use crate::hazard::head_start::head_start;
use crate::hazard::partial_likelihood::{Evaluation, PartialLikelihood};
use crate::hazard::separation::orders_the_events;
use crate::numeric::linear::{RankedCholesky, collinearity_tolerance};
use crate::{Error, Interrupt, Result};

/// Newton steps after which a fit is given up.
const MAX_ITERATIONS: usize = 50;
/// What is tried in turn when a step leads down: so many halvings with each damping, a share of the null information.
/// The first is too small to be felt unless the information is singular to rounding.
const DAMPINGS: [f64; 4] = [1e-14, 1e-6, 1e-3, 1.0];
const HALVINGS: i32 = 5;
/// The fit has converged when the step ahead raises the log-likelihood by half of this at most: the step is then
/// 10⁻⁸ standard errors long, and the one error left after taking it is of the order of its square.
const CONVERGED_DECREMENT: f64 = 1e-16;
/// A step that promises this little, 10⁻⁹ standard errors long, changes no baseline by more than rounding does.
const CLOSE_DECREMENT: f64 = 1e-18;
/// A step must raise the log-likelihood by this share of what the slope promises; a good one raises it by half.
const SUFFICIENT_RISE: f64 = 0.1;
/// Where no step raises the log-likelihood by this share of what Newton's promises, the numbers have come to their end.
const LEAST_RISE: f64 = 1e-4;
/// A log-likelihood that falls by this share of itself has not fallen: that much is rounding.
const ROUNDING: f64 = 1e-12;
/// Below this decrement a regular fit converges quadratically, so that steps shrink at once …
const QUADRATIC_DECREMENT: f64 = 1e-5;
/// … unless rounding keeps them from it.
const ROUNDING_DECREMENT: f64 = 1e-9;
/// A step that is longer than this share of the one before has not shrunk.
const NOT_SHRUNK: f64 = 0.5;
/// Steps in a row that must not have shrunk for the likelihood to count as monotone.
const STEPS_WITHOUT_SHRINKING: usize = 3;
/// Terms whose last step is this share of the longest one's still run off with it.
const RUNNING_OFF: f64 = 1e-3;
/// Linear predictors further apart than this make hazards whose sum is the larger one of them (ln 10¹⁶): a sign that
/// something may be running off.
pub(super) const HOPELESS_SPREAD: f64 = 37.0;

/// Where Newton's method ended, in scaled units. The log-likelihoods are without the penalty, the information and its
/// inverse with it.
pub(super) struct Maximum {
    pub beta: Vec<f64>,
    /// The coefficients looked at last, where they are as good; what is kept of that look serves the baseline.
    pub beta_seen: Vec<f64>,
    pub active: Vec<usize>,
    pub covariance: Vec<f64>,
    pub information: Vec<f64>,
    pub log_likelihood_null: f64,
    pub log_likelihood: f64,
    pub score_test: f64,
    pub iterations: usize,
    pub status: Status,
}

pub(super) fn maximise(likelihood: &mut PartialLikelihood, interrupt: Interrupt) -> Result<Maximum> {
    let p = likelihood.sets.covariates;
    let mut beta = vec![0.0; p];
    let Some(null) = likelihood.evaluate(&beta, interrupt)? else {
        return Err(Error::OutOfRange("the weights or covariates are too large for a regression".into()));
    };
    let factor = RankedCholesky::above(&null.information, p, collinearity_tolerance(), &null.moments);
    let mut maximum = Maximum {
        beta: Vec::new(),
        beta_seen: Vec::new(),
        active: factor.columns().to_vec(),
        covariance: Vec::new(),
        information: Vec::new(),
        log_likelihood_null: null.log_likelihood,
        log_likelihood: null.log_likelihood,
        score_test: dot(&factor.solve(&null.score), &null.score).max(0.0),
        iterations: 0,
        status: Status::Converged,
    };
    if likelihood.sets.groups.is_empty() {
        maximum.status = Status::NoEvents;
        maximum.active.clear();
    }
    let ridge: Vec<f64> = (0..p).map(|i| null.information[i * (p + 1)]).collect();
    let start = match is_penalised(likelihood) {
        true => None,
        false => head_start(likelihood, &null, &maximum.active, interrupt)?,
    };
    let (mut now, mut progress) = (null, Progress::default());
    if let Some((there, steps)) = start
        && let Some(evaluation) = likelihood.evaluate(&there, interrupt)?
        && evaluation.log_likelihood >= now.log_likelihood
    {
        (beta, now) = (there, evaluation);
        maximum.iterations = steps;
    }
    while !maximum.active.is_empty() {
        let step = damped(&now, &ridge, DAMPINGS[0], &maximum.active).solve(&now.score);
        let decrement = dot(&step, &now.score);
        match progress.next(decrement, longest(&step)) {
            Verdict::GoOn => {}
            Verdict::Converged => {
                if let Some(terms) = separation(likelihood, &[&beta], interrupt)? {
                    maximum.status = Status::Separated { terms };
                } else {
                    if decrement <= CLOSE_DECREMENT {
                        maximum.beta_seen.clone_from(&beta);
                    }
                    beta.iter_mut().zip(&step).for_each(|(beta, step)| *beta += step);
                }
                break;
            }
            Verdict::RunningOff if is_penalised(likelihood) => {}
            Verdict::RunningOff => {
                maximum.status = Status::Separated { terms: moving(&step) };
                break;
            }
        }
        if let Some(terms) = separation(likelihood, &[&beta, &step], interrupt)? {
            maximum.status = Status::Separated { terms };
            break;
        }
        let better = match maximum.iterations {
            MAX_ITERATIONS => None,
            _ => improve(likelihood, &beta, &now, &ridge, &maximum.active, interrupt)?,
        };
        let Some(better) = better else {
            let ordered = !is_penalised(likelihood) && orders_the_events(likelihood, &step, interrupt)?;
            let terms = moving(&step);
            maximum.status = if ordered { Status::Separated { terms } } else { Status::NotConverged };
            break;
        };
        maximum.iterations += 1;
        (beta, now) = better;
    }
    let factor = RankedCholesky::of_columns(&now.information, p, maximum.active.clone());
    maximum.covariance = factor.inverse();
    if factor.rank() < maximum.active.len() && maximum.status == Status::Converged {
        maximum.status = Status::Separated { terms: maximum.active.clone() };
    }
    maximum.log_likelihood = now.log_likelihood + now.penalty;
    maximum.information = now.information;
    if maximum.beta_seen.is_empty() {
        maximum.beta_seen.clone_from(&beta);
    }
    maximum.beta = beta;
    Ok(maximum)
}

/// Then nothing rises for ever: the squares grow faster than any likelihood.
fn is_penalised(likelihood: &PartialLikelihood) -> bool {
    likelihood.squares.iter().any(|square| *square > 0.0)
}

/// What the length of a step and its decrement (twice the rise it promises) say about those to come.
pub(crate) enum Verdict {
    GoOn,
    Converged,
    RunningOff,
}

/// The step before, and how many in a row have not been shorter than the one before them.
pub(crate) struct Progress {
    decrement: f64,
    length: f64,
    unshrunk: usize,
}

impl Default for Progress {
    fn default() -> Self {
        Progress { decrement: f64::INFINITY, length: f64::INFINITY, unshrunk: 0 }
    }
}

impl Progress {
    pub fn next(&mut self, decrement: f64, length: f64) -> Verdict {
        let stalled = decrement <= ROUNDING_DECREMENT && decrement > self.decrement / 4.0;
        let shrunk = length <= NOT_SHRUNK * self.length;
        let unshrunk = if shrunk || decrement > QUADRATIC_DECREMENT { 0 } else { self.unshrunk + 1 };
        *self = Progress { decrement, length, unshrunk };
        if decrement <= CONVERGED_DECREMENT {
            Verdict::Converged
        } else if unshrunk >= STEPS_WITHOUT_SHRINKING {
            Verdict::RunningOff
        } else if stalled {
            Verdict::Converged
        } else {
            Verdict::GoOn
        }
    }
}

/// The terms of the first of `directions` that orders the events, asked only when linear predictors are far apart.
fn separation(
    likelihood: &PartialLikelihood,
    directions: &[&[f64]],
    interrupt: Interrupt,
) -> Result<Option<Vec<usize>>> {
    let Some(beta) = directions.first() else { return Ok(None) };
    if is_penalised(likelihood) || likelihood.sets.linear_predictor_bound(beta) <= HOPELESS_SPREAD / 2.0 {
        return Ok(None);
    }
    for direction in directions {
        if orders_the_events(likelihood, direction, interrupt)? {
            return Ok(Some(moving(direction)));
        }
    }
    Ok(None)
}

/// The terms that a step still moves, or that a direction is made of.
pub(crate) fn moving(step: &[f64]) -> Vec<usize> {
    let longest = longest(step);
    (0..step.len()).filter(|&i| step[i].abs() > RUNNING_OFF * longest).collect()
}

pub(crate) fn longest(step: &[f64]) -> f64 {
    step.iter().fold(0.0, |longest, part| longest.max(part.abs()))
}

/// The factor of the information with `damping` × `ridge` added to its diagonal (Levenberg 1944, Marquardt 1963).
fn damped(now: &Evaluation, ridge: &[f64], damping: f64, active: &[usize]) -> RankedCholesky {
    let p = ridge.len();
    let mut information = now.information.clone();
    (0..p).for_each(|i| information[i * (p + 1)] += damping * ridge[i]);
    RankedCholesky::of_columns(&information, p, active.to_vec())
}

/// Takes the first of ever shorter steps that raises the likelihood by a fair share of what its slope promises
/// (Armijo 1966): Newton's step and its halves, then the same with more damping, which turns it uphill. `None` when
/// all lead down, or next to nowhere.
fn improve(
    likelihood: &mut PartialLikelihood,
    beta: &[f64],
    now: &Evaluation,
    ridge: &[f64],
    active: &[usize],
    interrupt: Interrupt,
) -> Result<Option<(Vec<f64>, Evaluation)>> {
    let mut least = 0.0;
    for damping in DAMPINGS {
        let step = damped(now, ridge, damping, active).solve(&now.score);
        let promised = dot(&step, &now.score);
        least = f64::max(least, LEAST_RISE * promised);
        for halving in 0..HALVINGS {
            let share = 0.5f64.powi(halving);
            let candidate: Vec<f64> = beta.iter().zip(&step).map(|(beta, step)| beta + share * step).collect();
            let Some(evaluation) = likelihood.evaluate(&candidate, interrupt)? else { continue };
            let rise = evaluation.log_likelihood - now.log_likelihood + ROUNDING * now.log_likelihood.abs();
            if rise >= f64::max(least, SUFFICIENT_RISE * share * promised) {
                return Ok(Some((candidate, evaluation)));
            }
        }
    }
    Ok(None)
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
