//! What segments learn from each other: coefficients drawn to what the segments have in common, each by how uncertain it
//! is.
//!
//! The coefficients of a segment are taken as θ_s ~ N(μ, T) and their estimates as y_s ~ N(θ_s, V_s), T diagonal. The
//! variance between segments is the method of moments of DerSimonian & Laird (1986, *Meta-analysis in clinical trials*,
//! Controlled Clinical Trials 7, formulas 5 to 7), coefficient by coefficient; μ is the random-effects mean with these of
//! all coefficients together, (Σ (T + V_s)⁻¹)⁻¹ Σ (T + V_s)⁻¹ y_s (generalised least squares, as Jackson, White & Thompson
//! 2010, *Extending DerSimonian and Laird's methodology to perform multivariate random effects meta-analyses*, Statistics in
//! Medicine 29): where estimates hang together, as those of r and α of a model of purchases, means one by one would lie
//! where no segment does.
//! The segment's coefficients are then the empirical Bayes estimate μ + T (T + V_s)⁻¹ (y_s − μ) (Morris 1983,
//! *Parametric empirical Bayes inference*, JASA 78; Laird & Ware 1982, *Random-effects models for longitudinal data*,
//! Biometrics 38, formula 3.2), which takes V_s whole, so that an intercept moves with the slopes. Were T known, its
//! covariance would be T − T (T + V_s)⁻¹ T + (I − W) Var(μ) (I − W)', W = T (T + V_s)⁻¹. Of few segments T is not: the
//! covariance is the mean of that over what T may be, and of the square of how far the estimate would then lie from the one
//! that is told. What each diagonal element may be is the posterior of its restricted likelihood, coefficient by coefficient,
//! under the uniform shrinkage prior: s² / (s² + τ²) uniform in (0, 1), s² the harmonic mean of the variances (Strawderman
//! 1971, *Proper Bayes minimax estimators of the multivariate normal mean*, Annals of Mathematical Statistics 42; Daniels
//! 1999, *A prior for the variance in hierarchical models*, Canadian Journal of Statistics 27), which is proper for two
//! segments and hangs on no unit. The mean over all of them is that over a lattice of Korobov (Niederreiter 1992, *Random
//! number generation and quasi-Monte Carlo methods*, section 5.1), each of whose points is as likely.

use nalgebra::{Cholesky, DMatrix, DVector};

use crate::model::segments::Common;
use crate::{Interrupt, Result};

/// Points of the lattice: a prime, so that each coordinate visits every stratum once.
const LATTICE: usize = 127;
/// The lattice's generator, a primitive root of it.
const GENERATOR: usize = 12;
/// Shrinkages at which a posterior is evaluated.
const SHRINKAGES: usize = 1024;

/// The estimates of one segment: `None` for a coefficient that its rows leave open. The covariance is q × q.
#[derive(Debug, Clone)]
pub struct Estimates {
    pub coefficients: Vec<Option<f64>>,
    pub covariance: Vec<f64>,
}

/// What the segments have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct Pooled {
    /// Of each coefficient; `None` for one that fewer than two segments know.
    pub common: Vec<Option<Common>>,
    /// q × q, of the means; 0 for coefficients without one.
    pub covariance: Vec<f64>,
    /// The same with other variances between segments, all as likely given the estimates.
    possible: Vec<Pooled>,
}

/// A segment's coefficients after pooling.
#[derive(Debug, Clone, PartialEq)]
pub struct Shrunken {
    pub coefficients: Vec<Option<f64>>,
    pub covariance: Vec<f64>,
    /// The diagonal of W; 0 where the segment had no estimate.
    pub weights: Vec<f64>,
}

/// Whether a segment knows a coefficient, of so many.
fn knows(segment: &Estimates, at: usize, coefficients: usize) -> Option<(f64, f64)> {
    let variance = segment.covariance[at * (coefficients + 1)];
    segment.coefficients[at].filter(|_| variance > 0.0 && variance.is_finite()).map(|value| (value, variance))
}

/// The variance of a coefficient between the segments; `None` for one that fewer than two of them know.
fn between(segments: &[Estimates], at: usize, coefficients: usize) -> Option<f64> {
    let known: Vec<(f64, f64)> = segments.iter().filter_map(|segment| knows(segment, at, coefficients)).collect();
    if known.len() < 2 {
        return None;
    }
    let total: f64 = known.iter().map(|(_, variance)| 1.0 / variance).sum();
    let mean = known.iter().map(|(value, variance)| value / variance).sum::<f64>() / total;
    let squares: f64 = known.iter().map(|(_, variance)| variance.powi(-2)).sum();
    let q: f64 = known.iter().map(|(value, variance)| (value - mean).powi(2) / variance).sum();
    let between = ((q - (known.len() - 1) as f64) / (total - squares / total)).max(0.0);
    between.is_finite().then_some(between)
}

/// Variances between the segments that the estimates of a coefficient leave possible: the middles of [`LATTICE`] strata of
/// their posterior, rising.
fn possible(segments: &[Estimates], at: usize, coefficients: usize) -> Vec<f64> {
    let known: Vec<(f64, f64)> = segments.iter().filter_map(|segment| knows(segment, at, coefficients)).collect();
    let usual = known.len() as f64 / known.iter().map(|(_, variance)| 1.0 / variance).sum::<f64>();
    // From much to little shrinkage.
    let between = |place: usize| {
        let shrinkage = 1.0 - (place as f64 + 0.5) / SHRINKAGES as f64;
        usual * (1.0 - shrinkage) / shrinkage
    };
    let likelihoods: Vec<f64> = (0..SHRINKAGES)
        .map(|place| {
            let precise = |(_, variance): &(f64, f64)| 1.0 / (variance + between(place));
            let total: f64 = known.iter().map(precise).sum();
            let mean = known.iter().map(|one| one.0 * precise(one)).sum::<f64>() / total;
            let each = known.iter().map(|one| precise(one).ln() - precise(one) * (one.0 - mean).powi(2));
            0.5 * (each.sum::<f64>() - total.ln())
        })
        .collect();
    let greatest = likelihoods.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let shares: Vec<f64> = likelihoods.iter().map(|likelihood| (likelihood - greatest).exp()).collect();
    let step = shares.iter().sum::<f64>() / LATTICE as f64;
    let (mut found, mut sum) = (Vec::with_capacity(LATTICE), 0.0);
    for (place, share) in shares.iter().enumerate() {
        sum += share;
        while found.len() < LATTICE && (found.len() as f64 + 0.5) * step <= sum {
            found.push(between(place));
        }
    }
    found.resize(LATTICE, between(SHRINKAGES - 1));
    found
}

/// Mean and variance of each coefficient among the segments; `None` where the estimates have no mean.
///
/// # Errors
/// Whatever `interrupt` returns.
pub fn common(segments: &[Estimates], coefficients: usize, interrupt: Interrupt) -> Result<Option<Pooled>> {
    let between: Vec<Option<f64>> = (0..coefficients).map(|at| between(segments, at, coefficients)).collect();
    let Some(mut pooled) = with(segments, &between) else { return Ok(None) };
    let possible: Vec<Option<Vec<f64>>> =
        between.iter().enumerate().map(|(at, between)| between.map(|_| possible(segments, at, coefficients))).collect();
    for point in 0..LATTICE {
        interrupt()?;
        let mut stride = 1;
        let at = possible.iter().map(|strata| {
            let stratum = (point * stride) % LATTICE;
            stride = stride * GENERATOR % LATTICE;
            strata.as_ref().map(|strata| strata[stratum])
        });
        pooled.possible.extend(with(segments, &at.collect::<Vec<_>>()));
    }
    Ok(Some(pooled))
}

/// The means with these variances between the segments.
fn with(segments: &[Estimates], between: &[Option<f64>]) -> Option<Pooled> {
    let coefficients = between.len();
    let shared: Vec<usize> = (0..coefficients).filter(|at| between[*at].is_some()).collect();
    let n = shared.len();
    let (mut total, mut weighted) = (DMatrix::<f64>::zeros(n, n), DVector::<f64>::zeros(n));
    for segment in segments {
        let known: Vec<usize> = (0..n).filter(|place| knows(segment, shared[*place], coefficients).is_some()).collect();
        let spread = |i: usize, j: usize| if i == j { between[shared[i]].unwrap_or(0.0) } else { 0.0 };
        let variance = DMatrix::from_fn(known.len(), known.len(), |i, j| {
            segment.covariance[shared[known[i]] * coefficients + shared[known[j]]] + spread(known[i], known[j])
        });
        let Some(factor) = Cholesky::new(variance) else { continue };
        let values = known.iter().map(|place| segment.coefficients[shared[*place]].unwrap_or(0.0));
        let pulled = factor.solve(&DVector::from_iterator(known.len(), values));
        let inverse = factor.inverse();
        for (i, place) in known.iter().enumerate() {
            weighted[*place] += pulled[i];
            for (j, other) in known.iter().enumerate() {
                total[(*place, *other)] += inverse[(i, j)];
            }
        }
    }
    let factor = Cholesky::new(total)?;
    let (mean, variance) = (factor.solve(&weighted), factor.inverse());
    let mut pooled = Pooled {
        common: vec![None; coefficients],
        covariance: vec![0.0; coefficients * coefficients],
        possible: Vec::new(),
    };
    for (i, at) in shared.iter().enumerate() {
        let between = between[*at].unwrap_or(0.0);
        pooled.common[*at] = Some(Common { mean: mean[i], variance: variance[(i, i)], between });
        for (j, other) in shared.iter().enumerate() {
            // Symmetric but for rounding.
            pooled.covariance[at * coefficients + other] = 0.5 * (variance[(i, j)] + variance[(j, i)]);
        }
    }
    mean.iter().chain(&variance).all(|number| number.is_finite()).then_some(pooled)
}

/// The segment drawn to what is common; `None` when its covariance is no covariance.
pub fn shrink(segment: &Estimates, pooled: &Pooled) -> Option<Shrunken> {
    let mut shrunken = drawn(segment, pooled)?;
    let others: Vec<Shrunken> = pooled.possible.iter().filter_map(|pooled| drawn(segment, pooled)).collect();
    if others.is_empty() {
        return Some(shrunken);
    }
    let size = shrunken.coefficients.len();
    let told = |of: &Shrunken, at: usize| of.coefficients[at].unwrap_or(0.0);
    for i in 0..size {
        for j in 0..size {
            let each = others.iter().map(|other| {
                let apart = |at: usize| told(other, at) - told(&shrunken, at);
                other.covariance[i * size + j] + apart(i) * apart(j)
            });
            shrunken.covariance[i * size + j] = each.sum::<f64>() / others.len() as f64;
        }
    }
    shrunken.covariance.iter().all(|number| number.is_finite()).then_some(shrunken)
}

/// The same with the variances between the segments as if they were known.
fn drawn(segment: &Estimates, pooled: &Pooled) -> Option<Shrunken> {
    let common = &pooled.common;
    let size = common.len();
    let known: Vec<usize> =
        (0..size).filter(|at| segment.coefficients[*at].is_some() && common[*at].is_some()).collect();
    let of = |at: usize| common[at].unwrap_or(Common { mean: 0.0, variance: 0.0, between: 0.0 });
    let mut shrunken = Shrunken {
        coefficients: (0..size).map(|at| common[at].map(|common| common.mean).or(segment.coefficients[at])).collect(),
        covariance: vec![0.0; size * size],
        weights: vec![0.0; size],
    };
    for (at, found) in common.iter().enumerate() {
        (shrunken.weights[at], shrunken.covariance[at * (size + 1)]) = match found {
            Some(common) => (0.0, common.between + common.variance),
            None if segment.coefficients[at].is_some() => (1.0, segment.covariance[at * (size + 1)]),
            None => (0.0, 0.0),
        };
    }
    let n = known.len();
    let between = DMatrix::from_diagonal(&DVector::from_iterator(n, known.iter().map(|at| of(*at).between)));
    let of_means = DMatrix::from_fn(n, n, |i, j| pooled.covariance[known[i] * size + known[j]]);
    let within = DMatrix::from_fn(n, n, |i, j| segment.covariance[known[i] * size + known[j]]);
    let factor = Cholesky::new(&between + within)?;
    // W' = (T + V)⁻¹ T, both symmetric.
    let weight = factor.solve(&between).transpose();
    let apart = known.iter().map(|at| segment.coefficients[*at].unwrap_or(0.0) - of(*at).mean);
    let moved = &weight * DVector::from_iterator(n, apart);
    let kept = DMatrix::identity(n, n) - &weight;
    let covariance = &between - &weight * &between + &kept * of_means * kept.transpose();
    for (i, at) in known.iter().enumerate() {
        shrunken.coefficients[*at] = Some(of(*at).mean + moved[i]);
        shrunken.weights[*at] = weight[(i, i)];
        for (j, other) in known.iter().enumerate() {
            // Symmetric but for rounding.
            shrunken.covariance[at * size + other] = 0.5 * (covariance[(i, j)] + covariance[(j, i)]);
        }
        let diagonal = &mut shrunken.covariance[at * (size + 1)];
        *diagonal = diagonal.max(0.0);
    }
    let numbers = shrunken.coefficients.iter().flatten().chain(&shrunken.covariance).chain(&shrunken.weights);
    numbers.into_iter().all(|number| number.is_finite()).then_some(shrunken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn common(segments: &[Estimates], coefficients: usize) -> Option<Pooled> {
        super::common(segments, coefficients, &mut || Ok(())).unwrap()
    }

    fn alone(value: f64, variance: f64) -> Estimates {
        Estimates { coefficients: vec![Some(value)], covariance: vec![variance] }
    }

    #[test]
    fn one_coefficient_by_hand() {
        // y = 0, 1, 3 with variances 0.5, 0.25, 0.5: weights 2, 4, 2, mean 10/8, Q = 2·25/16 + 4/16 + 2·49/16 = 9.5,
        // C = 8 − 24/8 = 5, so τ² = (9.5 − 2) / 5 = 1.5; then weights 1/2, 4/7, 1/2.
        let segments = [alone(0.0, 0.5), alone(1.0, 0.25), alone(3.0, 0.5)];
        let pooled = common(&segments, 1).unwrap();
        let found = pooled.common[0].unwrap();
        assert!((found.between - 1.5).abs() < 1e-14, "{found:?}");
        let total = 0.5 + 4.0 / 7.0 + 0.5;
        let mean = (4.0 / 7.0 + 1.5) / total;
        assert!((found.mean - mean).abs() < 1e-14 && (found.variance - 1.0 / total).abs() < 1e-14);
        let shrunken = drawn(&segments[2], &pooled).unwrap();
        // W = 1.5 / 2.0; the variance 1.5 − 0.75 · 1.5 + 0.25² / total.
        assert!((shrunken.weights[0] - 0.75).abs() < 1e-14);
        assert!((shrunken.coefficients[0].unwrap() - (mean + 0.75 * (3.0 - mean))).abs() < 1e-14);
        assert!((shrunken.covariance[0] - (0.375 + 0.0625 / total)).abs() < 1e-14);
        // As the variance between segments is not known: the integral over its posterior, on a fine grid. The harmonic mean of
        // the variances is 3/8.
        let (mut weights, mut sum) = (0.0, 0.0);
        for i in 0..200_000 {
            let shrinkage = (f64::from(i) + 0.5) / 200_000.0;
            let tau = 0.375 * (1.0 - shrinkage) / shrinkage;
            let w: Vec<f64> = [0.5, 0.25, 0.5].iter().map(|v| 1.0 / (v + tau)).collect();
            let total: f64 = w.iter().sum();
            let mean = (w[1] + 3.0 * w[2]) / total;
            let ssq: f64 = [0.0, 1.0, 3.0].iter().zip(&w).map(|(y, w)| w * (y - mean).powi(2)).sum();
            let likelihood = (w.iter().product::<f64>() / total).sqrt() * (-0.5 * ssq).exp();
            let kept = 0.5 * w[2];
            let estimate = mean + (1.0 - kept) * (3.0 - mean);
            let apart = estimate - shrunken.coefficients[0].unwrap();
            weights += likelihood;
            sum += likelihood * (tau * kept + kept.powi(2) / total + apart.powi(2));
        }
        let told = shrink(&segments[2], &pooled).unwrap();
        assert_eq!((&told.coefficients, &told.weights), (&shrunken.coefficients, &shrunken.weights));
        let by_hand = sum / weights;
        assert!((told.covariance[0] / by_hand - 1.0).abs() < 2e-3, "{} {by_hand}", told.covariance[0]);
    }

    #[test]
    fn segments_alike_share_one_coefficient_and_far_apart_keep_their_own() {
        let alike = [alone(1.0, 0.5), alone(1.1, 0.5), alone(0.9, 0.5)];
        let found = common(&alike, 1).unwrap();
        assert_eq!(found.common[0].unwrap().between, 0.0);
        let shrunken = shrink(&alike[1], &found).unwrap();
        assert!((shrunken.coefficients[0].unwrap() - 1.0).abs() < 1e-14 && shrunken.weights[0] == 0.0);
        let apart = [alone(-100.0, 0.5), alone(0.0, 0.5), alone(100.0, 0.5)];
        let shrunken = shrink(&apart[2], &common(&apart, 1).unwrap()).unwrap();
        assert!(shrunken.weights[0] > 0.9999 && (shrunken.coefficients[0].unwrap() - 100.0).abs() < 0.02);
    }

    #[test]
    fn what_a_segment_leaves_open_is_the_common_one_and_what_only_one_knows_stays() {
        let pair = |a: Option<f64>, b: Option<f64>| Estimates {
            coefficients: vec![a, b],
            covariance: vec![
                if a.is_some() { 0.1 } else { 0.0 },
                if a.is_some() && b.is_some() { 0.05 } else { 0.0 },
                if a.is_some() && b.is_some() { 0.05 } else { 0.0 },
                if b.is_some() { 0.1 } else { 0.0 },
            ],
        };
        let segments = [pair(Some(1.0), None), pair(Some(3.0), Some(2.0)), pair(None, None)];
        let found = common(&segments, 2).unwrap();
        assert!(found.common[0].is_some() && found.common[1].is_none());
        let open = shrink(&segments[2], &found).unwrap();
        assert_eq!(open.coefficients, [Some(found.common[0].unwrap().mean), None]);
        let only = shrink(&segments[1], &found).unwrap();
        assert_eq!((only.coefficients[1], only.weights[1]), (Some(2.0), 1.0));
    }

    #[test]
    fn with_a_slope_moves_what_goes_with_it() {
        // The two estimates are strongly correlated; only the first varies between segments.
        let both =
            |a: f64, b: f64| Estimates { coefficients: vec![Some(a), Some(b)], covariance: vec![1.0, -0.9, -0.9, 1.0] };
        let segments = [both(-6.0, 1.0), both(0.0, 1.0), both(6.0, 1.0)];
        let found = common(&segments, 2).unwrap();
        assert_eq!(found.common[1].unwrap().between, 0.0);
        let shrunken = shrink(&segments[2], &found).unwrap();
        // T (T + V)⁻¹ with T = diag(τ², 0): the first row is τ² (1, 0.9) / ((τ² + 1) − 0.81).
        let tau = found.common[0].unwrap().between;
        let expected = tau * 6.0 / (tau + 1.0 - 0.81);
        assert!((shrunken.coefficients[0].unwrap() - expected).abs() < 1e-12, "{shrunken:?}");
    }

    #[test]
    fn means_of_estimates_that_hang_together_are_found_together() {
        // Two segments alike but for chance, by hand: precisions of V1 = [[1, 0.8], [0.8, 1]] and V2 = [[4, 0], [0, 1]] are
        // [[1, -0.8], [-0.8, 1]] / 0.36 and diag(1/4, 1); with y1 = (0, 0) and y2 = (1, 0.5) T is 0.
        let first = Estimates { coefficients: vec![Some(0.0), Some(0.0)], covariance: vec![1.0, 0.8, 0.8, 1.0] };
        let second = Estimates { coefficients: vec![Some(1.0), Some(0.5)], covariance: vec![4.0, 0.0, 0.0, 1.0] };
        let pooled = common(&[first.clone(), second], 2).unwrap();
        assert!(pooled.common.iter().flatten().all(|common| common.between == 0.0));
        let (a, b, c) = (1.0 / 0.36 + 0.25, -0.8 / 0.36, 1.0 / 0.36 + 1.0);
        let determinant = a * c - b * b;
        let mean = [(c * 0.25 - b * 0.5) / determinant, (a * 0.5 - b * 0.25) / determinant];
        for (common, by_hand) in pooled.common.iter().zip(&mean) {
            assert!((common.unwrap().mean - by_hand).abs() < 1e-14, "{pooled:?}");
        }
        let covariance = [c / determinant, -b / determinant, -b / determinant, a / determinant];
        for (found, by_hand) in pooled.covariance.iter().zip(&covariance) {
            assert!((found - by_hand).abs() < 1e-14);
        }
        // Where nothing differs the segment has the mean, and would have its covariance if that were known.
        let shrunken = drawn(&first, &pooled).unwrap();
        for (found, by_hand) in shrunken.covariance.iter().zip(&covariance) {
            assert!((found - by_hand).abs() < 1e-14);
        }
        assert!((shrunken.coefficients[0].unwrap() - mean[0]).abs() < 1e-14);
        let told = shrink(&first, &pooled).unwrap();
        assert!(told.covariance[0] > shrunken.covariance[0] && told.covariance[3] > shrunken.covariance[3]);
        assert!(told.covariance[0] < 1.0 && told.covariance[0] * told.covariance[3] > told.covariance[1].powi(2));
    }

    #[test]
    fn a_unit_changes_nothing_but_the_unit() {
        let of = |unit: f64| {
            let segments = [(0.3, 0.5), (1.0, 0.25), (3.0, 0.5)]
                .map(|(value, variance)| alone(value * unit, variance * unit * unit));
            shrink(&segments[2], &common(&segments, 1).unwrap()).unwrap().covariance[0]
        };
        assert!((of(1024.0) / of(1.0) / 1024.0_f64.powi(2) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn estimates_without_a_covariance_have_no_mean() {
        let broken = Estimates { coefficients: vec![Some(0.0), Some(0.0)], covariance: vec![1.0, 2.0, 2.0, 1.0] };
        assert_eq!(common(&[broken.clone(), broken], 2), None);
        assert_eq!(common(&[], 0).map(|pooled| pooled.common.len()), Some(0));
    }
}
