//! Newton's method on the logarithms of a few positive parameters.
//!
//! The likelihoods here are not concave away from their maximum, so the step goes along the eigenvectors of the
//! information with the sign of each made positive (Nocedal & Wright 2006, *Numerical Optimization*, §3.4), and is
//! halved until it leads up.

use nalgebra::{DMatrix, SymmetricEigen};

use crate::Result;
use crate::btyd::fit::Status;

const MAX_ITERATIONS: usize = 100;
/// The fit has converged when the step ahead promises half of this: it is then 10⁻⁷ standard errors long, and is still
/// taken, so that what is left is of the order of its square.
const CONVERGED_DECREMENT: f64 = 1e-14;
/// Below this, where no step leads up any more, the numbers have come to their end.
const ROUNDING_DECREMENT: f64 = 1e-7;
/// No parameter changes by more than a factor of e² in one step …
const LONGEST_STEP: f64 = 2.0;
/// … and none is larger than e³⁰ or smaller than its inverse: there the likelihood is at its limit.
const LARGEST_LOG: f64 = 30.0;
const HALVINGS: i32 = 20;
/// A step must raise the log-likelihood by this share of what its slope promises.
const SUFFICIENT_RISE: f64 = 1e-4;
/// A log-likelihood that falls by this share of itself has not fallen: that much is rounding.
const ROUNDING: f64 = 1e-13;
/// Where so many steps in a row each promise less than this and the likelihood is flat to within that error, it is at its
/// limit.
const FLAT_SLOPE: f64 = 1e-4;
const FLAT_STEPS: usize = 4;
/// The data do not tell a parameter that they leave free within a factor of e to this.
const LARGEST_LOG_ERROR: f64 = 10.0;

/// The log-likelihood at some parameters, with its derivatives in them.
#[derive(Debug, Clone, Copy)]
pub struct Evaluation<const N: usize> {
    pub value: f64,
    pub gradient: [f64; N],
    /// Symmetric.
    pub hessian: [[f64; N]; N],
}

impl<const N: usize> Evaluation<N> {
    pub const ZERO: Self = Evaluation { value: 0.0, gradient: [0.0; N], hessian: [[0.0; N]; N] };

    /// The same with derivatives in the logarithms of the parameters.
    fn in_logs(mut self, parameters: &[f64; N]) -> Self {
        for i in 0..N {
            self.gradient[i] *= parameters[i];
            for j in 0..N {
                self.hessian[i][j] *= parameters[i] * parameters[j];
            }
        }
        for i in 0..N {
            self.hessian[i][i] += self.gradient[i];
        }
        self
    }

    fn is_finite(&self) -> bool {
        let hessian = self.hessian.iter().flatten();
        self.value.is_finite() && self.gradient.iter().chain(hessian).all(|number| number.is_finite())
    }
}

/// Where Newton's method ended.
#[derive(Debug, Clone)]
pub struct Maximum<const N: usize> {
    pub parameters: [f64; N],
    /// Of the logarithms of the parameters, row-major; 0 for those that the data do not tell.
    pub covariance: Vec<f64>,
    pub log_likelihood: f64,
    pub iterations: usize,
    pub status: Status,
}

/// The information's eigenvalues and eigenvectors, and the gradient along these.
struct Curvature<const N: usize> {
    values: [f64; N],
    vectors: [[f64; N]; N],
    slopes: [f64; N],
}

impl<const N: usize> Curvature<N> {
    fn of(at: &Evaluation<N>) -> Self {
        let eigen = SymmetricEigen::new(DMatrix::from_fn(N, N, |i, j| -at.hessian[i][j]));
        let vectors: [[f64; N]; N] = std::array::from_fn(|k| std::array::from_fn(|i| eigen.eigenvectors[(i, k)]));
        let slope = |vector: &[f64; N]| vector.iter().zip(&at.gradient).map(|(v, g)| v * g).sum();
        Curvature {
            values: std::array::from_fn(|k| eigen.eigenvalues[k]),
            slopes: vectors.each_ref().map(slope),
            vectors,
        }
    }

    /// The step uphill, and its slope.
    fn step(&self) -> ([f64; N], f64) {
        let largest = self.values.iter().fold(f64::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
        let (mut step, mut slope) = ([0.0; N], 0.0);
        for k in 0..N {
            let along = self.slopes[k] / self.values[k].abs().max(1e-14 * largest);
            slope += along * self.slopes[k];
            (0..N).for_each(|i| step[i] += along * self.vectors[k][i]);
        }
        (step, slope)
    }

    /// Whether this may be a maximum: the information has no direction in which it is negative beyond rounding.
    fn is_positive(&self) -> bool {
        let largest = self.values.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
        self.values.iter().all(|value| *value > -1e-9 * largest)
    }

    /// Whether some direction is as good as free.
    fn is_flat(&self) -> bool {
        self.values.iter().any(|value| *value < 1.0 / (LARGEST_LOG_ERROR * LARGEST_LOG_ERROR))
    }

    fn inverse(&self) -> Vec<f64> {
        let part = |i: usize, j: usize, k: usize| self.vectors[k][i] * self.vectors[k][j] / self.values[k].max(0.0);
        (0..N * N).map(|at| (0..N).map(|k| part(at / N, at % N, k)).sum()).collect()
    }
}

/// The maximum of a log-likelihood of positive parameters; `evaluate` may be asked anywhere.
pub fn maximise<const N: usize>(
    mut evaluate: impl FnMut(&[f64; N]) -> Result<Evaluation<N>>,
    start: [f64; N],
) -> Result<Maximum<N>> {
    let mut at = |logs: &[f64; N]| -> Result<Evaluation<N>> {
        let parameters = logs.map(f64::exp);
        Ok(evaluate(&parameters)?.in_logs(&parameters))
    };
    let mut logs = start.map(f64::ln);
    let mut now = at(&logs)?;
    let (mut iterations, mut flat) = (0, 0);
    let mut status = Status::NotConverged;
    let mut curvature = Curvature::of(&now);
    while now.is_finite() {
        let (step, slope) = curvature.step();
        if slope <= CONVERGED_DECREMENT && curvature.is_positive() {
            let settled: [f64; N] = std::array::from_fn(|i| logs[i] + step[i]);
            let there = at(&settled)?;
            if there.is_finite() && step.iter().all(|step| step.abs() <= LONGEST_STEP) {
                (logs, now) = (settled, there);
                curvature = Curvature::of(&now);
            }
            status = Status::Converged;
            break;
        }
        flat = if slope <= FLAT_SLOPE && curvature.is_flat() { flat + 1 } else { 0 };
        if flat >= FLAT_STEPS || logs.iter().any(|log| log.abs() >= LARGEST_LOG) {
            status = Status::Converged;
            break;
        }
        if iterations >= MAX_ITERATIONS {
            break;
        }
        let longest = step.iter().fold(LONGEST_STEP, |longest, step| longest.max(step.abs()));
        let shortened = LONGEST_STEP / longest;
        let mut found = None;
        for halving in 0..HALVINGS {
            let share = shortened * 0.5f64.powi(halving);
            let candidate: [f64; N] =
                std::array::from_fn(|i| (logs[i] + share * step[i]).clamp(-LARGEST_LOG, LARGEST_LOG));
            let there = at(&candidate)?;
            let rise = there.value - now.value + ROUNDING * now.value.abs();
            if there.is_finite() && rise >= SUFFICIENT_RISE * share * slope {
                found = Some((candidate, there));
                break;
            }
        }
        let Some((candidate, there)) = found else {
            if slope <= ROUNDING_DECREMENT && curvature.is_positive() {
                status = Status::Converged;
            }
            break;
        };
        (logs, now) = (candidate, there);
        curvature = Curvature::of(&now);
        iterations += 1;
    }
    let mut covariance = curvature.inverse();
    if status == Status::Converged {
        let told = |i: &usize| covariance[i * (N + 1)] <= LARGEST_LOG_ERROR * LARGEST_LOG_ERROR;
        let parameters: Vec<usize> = (0..N).filter(|i| !told(i) || logs[*i].abs() >= LARGEST_LOG).collect();
        if !parameters.is_empty() {
            status = Status::Undetermined { parameters };
        }
    }
    let known = |i: usize| match &status {
        Status::Converged => true,
        Status::Undetermined { parameters } => !parameters.contains(&i),
        _ => false,
    };
    for (at, number) in covariance.iter_mut().enumerate() {
        if !(known(at / N) && known(at % N) && number.is_finite()) {
            *number = 0.0;
        }
    }
    Ok(Maximum { parameters: logs.map(f64::exp), covariance, log_likelihood: now.value, iterations, status })
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    /// n ln λ − λ Σ t: exponential lifetimes.
    fn exponential(parameters: &[f64; 1]) -> Result<Evaluation<1>> {
        let (n, sum, rate) = (10.0, 40.0, parameters[0]);
        Ok(Evaluation {
            value: n * rate.ln() - rate * sum,
            gradient: [n / rate - sum],
            hessian: [[-n / (rate * rate)]],
        })
    }

    #[test]
    fn an_exponential_rate_is_found_from_far_away() {
        for start in [1e-9, 1.0, 1e9] {
            let maximum = maximise(exponential, [start]).unwrap();
            assert_eq!(maximum.status, Status::Converged);
            assert_relative_eq!(maximum.parameters[0], 0.25, max_relative = 1e-12);
            // The variance of the logarithm of a rate from n events is 1 / n.
            assert_relative_eq!(maximum.covariance[0], 0.1, max_relative = 1e-9);
        }
    }

    #[test]
    fn a_likelihood_that_rises_for_ever_tells_nothing() {
        let rising = |parameters: &[f64; 1]| {
            let x = parameters[0];
            Ok(Evaluation { value: -1.0 / x, gradient: [1.0 / (x * x)], hessian: [[-2.0 / (x * x * x)]] })
        };
        let maximum = maximise(rising, [1.0]).unwrap();
        assert_eq!(maximum.status, Status::Undetermined { parameters: vec![0] });
        assert_eq!(maximum.covariance, [0.0]);
    }
}
