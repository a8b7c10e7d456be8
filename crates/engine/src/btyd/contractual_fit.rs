//! Maximum likelihood of the contractual models, by Newton's method with exact derivatives.
//!
//! A customer who comes to his k-th renewal makes it with probability r_k = S(k) / S(k − 1), so with n_k coming and d_k
//! leaving the log-likelihood is Σ d_k ln(1 − r_k) + (n_k − d_k) ln r_k. That is the likelihood of Fader & Hardie (2007,
//! eq. 6), Σ d_k ln P(T = k) + n ln S(last), with the survivals multiplied out: cohorts of unequal ages, customers still
//! there and late entries need nothing more.
//!
//! The search is in η = ln(α/β), κ = ln(α + β) and ln c, within bounds far out. At a bound the limiting curve is found:
//! with κ up there the customers do not differ, with κ down there they leave at once or never.

use num_dual::HyperDual64;

use crate::btyd::contractual::{ContractualFit, Family, Status};
use crate::btyd::renewals::Renewals;
use crate::numeric::linear::RankedCholesky;
use crate::numeric::log_beta::Dual;
use crate::survival::periodic::log_renewal;
use crate::{Interrupt, Result};

/// ln 10¹² and ln 10⁶: where α + β counts as infinite, and from where on it is on its way there.
const FAR: f64 = 27.631_021_115_928_547;
const ON_ITS_WAY: f64 = 13.815_510_557_964_274;
/// Of η, κ and ln c (c from 0.02 to 20).
const LOWER: [f64; 3] = [-30.0, -FAR, -3.912_023_005_428_146];
const UPPER: [f64; 3] = [30.0, FAR, 2.995_732_273_553_991];
const MAX_ITERATIONS: usize = 200;
/// Twice the rise that the step ahead promises, below which the step is the last.
const CONVERGED_DECREMENT: f64 = 1e-16;
/// Below this, where no step leads up any more, the numbers have come to their end.
const ROUNDING_DECREMENT: f64 = 1e-7;
const DAMPINGS: [f64; 7] = [0.0, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 1e3];
const HALVINGS: i32 = 6;
/// No step is longer than this in any direction.
const LONGEST_STEP: f64 = 3.0;
/// How many of the starts are followed.
const CLIMBS: usize = 3;

/// Fits one of the two models to counts.
///
/// # Errors
/// [`crate::Error::Invalid`] for a length of a period that is none; whatever `interrupt` returns.
pub fn fit(renewals: Renewals, family: Family, period: f64, interrupt: Interrupt) -> Result<ContractualFit> {
    family.distribution(period).validate()?;
    let churned = renewals.churned();
    let came: f64 = renewals.at_risk.iter().sum();
    let without = if churned == 0.0 {
        Some(Status::NoChurn)
    } else if churned == came {
        Some(Status::NobodyRenews)
    } else if renewals.seen() < family.parameters() {
        Some(Status::TooFewRenewals)
    } else {
        None
    };
    let mut fit = ContractualFit {
        family,
        period,
        renewals,
        parameters: Vec::new(),
        covariance: Vec::new(),
        log_likelihood: 0.0,
        estimated: 0,
        iterations: 0,
        status: without.unwrap_or(Status::Converged),
    };
    if without.is_some() {
        return Ok(fit);
    }
    let mut best: Option<Maximum> = None;
    for start in starts(&fit.renewals, family) {
        let found = climb(&fit.renewals, start, interrupt)?;
        fit.iterations += found.iterations;
        // The first of those as good as each other.
        if best.as_ref().is_none_or(|best| found.value > best.value + 1e-9 * best.value.abs()) {
            best = Some(found);
        }
    }
    let Some(best) = best else { return Ok(ContractualFit { status: Status::NotConverged, ..fit }) };
    let at_end = |i: usize| best.point.get(i).is_some_and(|value| *value <= LOWER[i] || *value >= UPPER[i]);
    fit.status = match best.point[1] {
        _ if !best.converged => Status::NotConverged,
        _ if at_end(2) => Status::ShapeRunsOff,
        log_sum if log_sum >= ON_ITS_WAY => Status::Homogeneous,
        log_sum if log_sum <= -ON_ITS_WAY => Status::Polarised,
        _ => Status::Converged,
    };
    let free: Vec<usize> =
        (0..best.point.len()).filter(|i| !(at_end(*i) || *i == 1 && best.point[1].abs() >= ON_ITS_WAY)).collect();
    fit.estimated = free.len();
    fit.log_likelihood = best.value;
    fit.parameters = logarithms(&best.point);
    fit.covariance = covariance(&best, free).unwrap_or_default();
    Ok(fit)
}

/// (ln α, ln β[, ln c]) of (η, κ[, ln c]).
fn logarithms<D: Dual>(point: &[D]) -> Vec<D> {
    let softplus = |x: D| if x.re() > 0.0 { x + (-x).exp().ln_1p() } else { x.exp().ln_1p() };
    let (eta, sum) = (point[0], point[1]);
    let mut logs = vec![sum - softplus(-eta), sum - softplus(eta)];
    logs.extend(point.get(2));
    logs
}

fn log_likelihood<D: Dual>(renewals: &Renewals, point: &[D]) -> D {
    let parameters = logarithms(point);
    let mut total = D::from(0.0);
    for (k, (at_risk, lost)) in (1u32..).zip(renewals.at_risk.iter().zip(&renewals.lost)) {
        if *at_risk > 0.0 {
            let log_renewal = log_renewal(&parameters, f64::from(k));
            if *lost > 0.0 {
                total += (-log_renewal.exp_m1()).ln() * *lost;
            }
            if at_risk > lost {
                total += log_renewal * (at_risk - lost);
            }
        }
    }
    total
}

struct Evaluation {
    gradient: Vec<f64>,
    hessian: Vec<f64>,
}

fn derivatives(renewals: &Renewals, point: &[f64]) -> Evaluation {
    let q = point.len();
    let mut found = Evaluation { gradient: vec![0.0; q], hessian: vec![0.0; q * q] };
    for i in 0..q {
        for j in 0..=i {
            let seed = |(at, value): (usize, &f64)| {
                let number = HyperDual64::from(*value);
                let number = if at == i { number.derivative1() } else { number };
                if at == j { number.derivative2() } else { number }
            };
            let seeds: Vec<HyperDual64> = point.iter().enumerate().map(seed).collect();
            let value = log_likelihood(renewals, &seeds);
            found.gradient[i] = value.eps1;
            found.hessian[i * q + j] = value.eps1eps2;
            found.hessian[j * q + i] = value.eps1eps2;
        }
    }
    found
}

/// The most promising of a grid of points.
fn starts(renewals: &Renewals, family: Family) -> Vec<Vec<f64>> {
    let first = renewals.at_risk.iter().zip(&renewals.lost).find(|(at_risk, _)| **at_risk > 0.0);
    let (at_risk, lost) = first.map_or((1.0, 0.5), |(at_risk, lost)| (*at_risk, *lost));
    let eta = ((lost + 0.5) / (at_risk - lost + 0.5)).ln().clamp(-20.0, 20.0);
    let shapes: &[f64] = if family == Family::BetaGeometric { &[0.0] } else { &[-0.5, 0.0, 0.6, 1.2] };
    let mut points = Vec::new();
    for log_sum in [-2.0, 0.0, 1.5, 3.0, 6.0] {
        for shape in shapes {
            let mut point = vec![eta, log_sum, *shape];
            point.truncate(family.parameters());
            let value = log_likelihood(renewals, &point);
            points.push((if value.is_finite() { value } else { f64::NEG_INFINITY }, point));
        }
    }
    points.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    points.truncate(CLIMBS);
    points.into_iter().map(|(_, point)| point).collect()
}

struct Maximum {
    point: Vec<f64>,
    value: f64,
    evaluation: Evaluation,
    iterations: usize,
    converged: bool,
}

fn climb(renewals: &Renewals, mut point: Vec<f64>, interrupt: Interrupt) -> Result<Maximum> {
    let q = point.len();
    let mut value = log_likelihood(renewals, &point);
    let mut evaluation = derivatives(renewals, &point);
    let mut iterations = 0;
    let converged = loop {
        interrupt()?;
        // Held at a bound that the likelihood still rises towards.
        let pushed = |i: &usize| {
            let gradient = evaluation.gradient[*i];
            (point[*i] <= LOWER[*i] && gradient <= 0.0) || (point[*i] >= UPPER[*i] && gradient >= 0.0)
        };
        let free: Vec<usize> = (0..q).filter(|i| !pushed(i)).collect();
        let newton = step(&evaluation, &free, 0.0);
        let moved = |step: &[f64], share: f64| -> Vec<f64> {
            let length = step.iter().fold(LONGEST_STEP, |longest: f64, part| longest.max(part.abs()));
            let share = share * LONGEST_STEP / length;
            (0..q).map(|i| (point[i] + share * step[i]).clamp(LOWER[i], UPPER[i])).collect()
        };
        if let Some((step, decrement)) = &newton
            && *decrement <= CONVERGED_DECREMENT
        {
            point = moved(step, 1.0);
            value = log_likelihood(renewals, &point);
            evaluation = derivatives(renewals, &point);
            break true;
        }
        if iterations == MAX_ITERATIONS {
            break false;
        }
        let mut better = None;
        'search: for damping in DAMPINGS {
            let Some((step, decrement)) = step(&evaluation, &free, damping) else { continue };
            for halving in 0..HALVINGS {
                let candidate = moved(&step, 0.5f64.powi(halving));
                let found = log_likelihood(renewals, &candidate);
                let promised: f64 =
                    (0..q).map(|i| evaluation.gradient[i] * (candidate[i] - point[i])).sum::<f64>().min(decrement);
                if found.is_finite() && found - value + 1e-14 * value.abs() >= 0.05 * promised && candidate != point {
                    better = Some((candidate, found));
                    break 'search;
                }
            }
        }
        match better {
            Some((candidate, found)) => (point, value) = (candidate, found),
            None => break newton.is_none_or(|(_, decrement)| decrement <= ROUNDING_DECREMENT),
        }
        evaluation = derivatives(renewals, &point);
        iterations += 1;
    };
    Ok(Maximum { point, value, evaluation, iterations, converged })
}

/// The rows and columns `free` of the negative Hessian, with a unit diagonal, and what they were multiplied by.
fn scaled(evaluation: &Evaluation, free: &[usize]) -> (Vec<f64>, Vec<f64>) {
    let q = evaluation.gradient.len();
    let roots: Vec<f64> =
        free.iter().map(|i| evaluation.hessian[i * (q + 1)].abs().max(1e-300).sqrt().recip()).collect();
    let mut matrix = Vec::with_capacity(free.len() * free.len());
    for (i, a) in free.iter().zip(&roots) {
        matrix.extend(free.iter().zip(&roots).map(|(j, b)| -evaluation.hessian[i * q + j] * a * b));
    }
    (matrix, roots)
}

/// Newton's step and the decrement; `None` when the damped information is not positive definite.
fn step(evaluation: &Evaluation, free: &[usize], damping: f64) -> Option<(Vec<f64>, f64)> {
    let n = free.len();
    let mut step = vec![0.0; evaluation.gradient.len()];
    let (mut matrix, roots) = scaled(evaluation, free);
    (0..n).for_each(|i| matrix[i * (n + 1)] += damping);
    let factor = RankedCholesky::of_columns(&matrix, n, (0..n).collect());
    if factor.rank() < n {
        return None;
    }
    let right: Vec<f64> = free.iter().zip(&roots).map(|(i, root)| evaluation.gradient[*i] * root).collect();
    for ((i, root), part) in free.iter().zip(&roots).zip(factor.solve(&right)) {
        step[*i] = part * root;
    }
    let decrement: f64 = step.iter().zip(&evaluation.gradient).map(|(step, gradient)| step * gradient).sum();
    (decrement >= 0.0 && step.iter().all(|part| part.is_finite())).then_some((step, decrement))
}

/// The covariance of the logarithms of the parameters from that of the coordinates that are free.
fn covariance(best: &Maximum, free: Vec<usize>) -> Option<Vec<f64>> {
    let (n, m) = (free.len(), best.point.len());
    let (matrix, roots) = scaled(&best.evaluation, &free);
    let factor = RankedCholesky::of_columns(&matrix, n, (0..n).collect());
    if factor.rank() < n || n == 0 {
        return None;
    }
    let inverse = factor.inverse();
    // ∂(ln α, ln β, ln c) / ∂(η, κ, ln c), with the mean α / (α + β).
    let mean = (1.0 + (-best.point[0]).exp()).recip();
    let rows = [[1.0 - mean, 1.0, 0.0], [-mean, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let mut covariance = vec![0.0; m * m];
    for i in 0..m {
        for j in 0..m {
            for (a, from) in free.iter().enumerate() {
                for (b, to) in free.iter().enumerate() {
                    covariance[i * m + j] += rows[i][*from] * roots[a] * inverse[a * n + b] * roots[b] * rows[j][*to];
                }
            }
        }
    }
    covariance.iter().all(|value| value.is_finite()).then_some(covariance)
}
