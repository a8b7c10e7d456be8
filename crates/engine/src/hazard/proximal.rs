//! Maximises a partial likelihood less a penalty on the absolute values of the coefficients.
//!
//! Newton's quadratic model plus the penalty is maximised by coordinate ascent (Friedman, Hastie & Tibshirani 2010; Simon
//! et al. 2011, *Regularization paths for Cox's proportional hazards model via coordinate descent*, J. Stat. Software 39),
//! with the whole information, not its diagonal, so that each step is a full proximal Newton step (Lee, Sun & Saunders
//! 2014, SIAM J. Optimization 24) and convergence is quadratic.

use crate::hazard::cox::Status;
use crate::hazard::newton::Maximum;
use crate::hazard::partial_likelihood::{Evaluation, PartialLikelihood};
use crate::numeric::linear::{ROUNDING_OF_A_DIFFERENCE, RankedCholesky, collinearity_tolerance};
use crate::{Error, Interrupt, Result};

const MAX_ITERATIONS: usize = 100;
const HALVINGS: i32 = 30;
const SUFFICIENT_RISE: f64 = 0.1;
/// As in `newton`: the squared length, in standard errors, of the step after which nothing is left to do …
const CONVERGED: f64 = 1e-17;
/// … or below which rounding may keep the objective from rising.
const ROUNDING_LENGTH: f64 = 1e-9;
const ROUNDING: f64 = 1e-12;
/// Rounds of coordinate ascent for one quadratic model.
const ROUNDS: usize = 20_000;
/// A round that moves so little, in squared standard errors, is the last.
const SETTLED: f64 = 1e-26;
/// Rounds between attempts to solve for the coefficients that are not 0 at once.
const ROUNDS_PER_SOLUTION: usize = 10;

/// `absolutes` are the factors of |β| (scaled). The likelihood's own penalty on the squares is kept.
pub(super) fn maximise(likelihood: &mut PartialLikelihood, absolutes: &[f64], interrupt: Interrupt) -> Result<Maximum> {
    let p = likelihood.sets.covariates;
    let mut beta = vec![0.0; p];
    let Some(mut now) = likelihood.evaluate(&beta, interrupt)? else {
        return Err(Error::OutOfRange("the weights or covariates are too large for a regression".into()));
    };
    let largest = (0..p).map(|i| now.information[i * (p + 1)]).fold(0.0, f64::max);
    let varies = |i: &usize| {
        let rounding = ROUNDING_OF_A_DIFFERENCE * now.moments[*i];
        now.information[i * (p + 1)] > f64::max(collinearity_tolerance() * largest, rounding)
    };
    let mut maximum = Maximum {
        beta: Vec::new(),
        beta_seen: Vec::new(),
        active: (0..p).filter(varies).collect(),
        covariance: vec![0.0; p * p],
        information: Vec::new(),
        log_likelihood_null: now.log_likelihood,
        log_likelihood: now.log_likelihood,
        score_test: 0.0,
        iterations: 0,
        status: Status::Converged,
    };
    if likelihood.sets.groups.is_empty() {
        maximum.status = Status::NoEvents;
        maximum.active.clear();
    }
    while !maximum.active.is_empty() {
        let target = quadratic_maximum(&now, &beta, absolutes, &maximum.active, interrupt)?;
        let step: Vec<f64> = target.iter().zip(&beta).map(|(target, beta)| target - beta).collect();
        let length: f64 = (0..p).map(|i| step[i] * dot(&now.information[i * p..(i + 1) * p], &step)).sum();
        if length <= CONVERGED {
            beta = target;
            break;
        }
        let charge = |beta: &[f64]| -> f64 { beta.iter().zip(absolutes).map(|(beta, by)| beta.abs() * by).sum() };
        let promised = dot(&step, &now.score) - (charge(&target) - charge(&beta));
        let mut better = None;
        for halving in 0..if maximum.iterations < MAX_ITERATIONS { HALVINGS } else { 0 } {
            let share = 0.5f64.powi(halving);
            let candidate: Vec<f64> = match halving {
                0 => target.clone(),
                _ => beta.iter().zip(&step).map(|(beta, step)| beta + share * step).collect(),
            };
            let Some(there) = likelihood.evaluate(&candidate, interrupt)? else { continue };
            let rise = there.log_likelihood - charge(&candidate) - (now.log_likelihood - charge(&beta));
            if rise + ROUNDING * now.log_likelihood.abs() >= SUFFICIENT_RISE * share * promised {
                better = Some((candidate, there));
                break;
            }
        }
        let Some(better) = better else {
            if length > ROUNDING_LENGTH {
                maximum.status = Status::NotConverged;
            }
            break;
        };
        maximum.iterations += 1;
        (beta, now) = better;
    }
    maximum.log_likelihood = now.log_likelihood + now.penalty;
    maximum.information = now.information;
    maximum.beta_seen.clone_from(&beta);
    maximum.beta = beta;
    Ok(maximum)
}

/// The maximum over b of s'(b − β) − ½ (b − β)'H(b − β) − Σ absolutes |b|, the columns not in `active` left as they are.
fn quadratic_maximum(
    now: &Evaluation,
    beta: &[f64],
    absolutes: &[f64],
    active: &[usize],
    interrupt: Interrupt,
) -> Result<Vec<f64>> {
    let p = beta.len();
    let (mut target, mut slope) = (beta.to_vec(), now.score.clone());
    for round in 0..ROUNDS {
        interrupt()?;
        let mut moved = 0.0;
        for &i in active {
            let curvature = now.information[i * (p + 1)];
            let before = target[i];
            let free = curvature * before + slope[i];
            target[i] = free.signum() * (free.abs() - absolutes[i]).max(0.0) / curvature;
            let change = target[i] - before;
            if change != 0.0 {
                moved += change * change * curvature;
                for (slope, h) in slope.iter_mut().zip(&now.information[i * p..(i + 1) * p]) {
                    *slope -= change * h;
                }
            }
        }
        if moved <= SETTLED {
            break;
        }
        if round % ROUNDS_PER_SOLUTION == ROUNDS_PER_SOLUTION - 1
            && let Some(solution) = solution(now, beta, &target, absolutes, active)
        {
            return Ok(solution);
        }
    }
    Ok(solution(now, beta, &target, absolutes, active).unwrap_or(target))
}

/// The maximum among coefficients that have the signs of `target`, if it is the maximum of all: no sign changes, and
/// none of those that are 0 would leave it.
fn solution(now: &Evaluation, beta: &[f64], target: &[f64], absolutes: &[f64], active: &[usize]) -> Option<Vec<f64>> {
    let p = beta.len();
    let chosen: Vec<usize> = active.iter().copied().filter(|&i| target[i] != 0.0).collect();
    let factor = RankedCholesky::of_columns(&now.information, p, chosen.clone());
    if factor.rank() < chosen.len() {
        return None;
    }
    let row = |i: usize| &now.information[i * p..(i + 1) * p];
    let right: Vec<f64> =
        (0..p).map(|i| now.score[i] + dot(row(i), beta) - target[i].signum() * absolutes[i]).collect();
    let solved = factor.solve(&right);
    let same_signs = chosen.iter().all(|&i| solved[i] * target[i] > 0.0);
    let step: Vec<f64> = solved.iter().zip(beta).map(|(solved, beta)| solved - beta).collect();
    let stays = |&i: &usize| solved[i] != 0.0 || (now.score[i] - dot(row(i), &step)).abs() <= absolutes[i];
    (same_signs && active.iter().all(stays)).then_some(solved)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
