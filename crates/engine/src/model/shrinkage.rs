//! What segments learn from each other: coefficients drawn to what the segments have in common, each by how uncertain it
//! is.
//!
//! The coefficients of a segment are taken as θ_s ~ N(μ, T) and their estimates as y_s ~ N(θ_s, V_s), T diagonal. The
//! variance between segments is the method of moments of DerSimonian & Laird (1986, *Meta-analysis in clinical trials*,
//! Controlled Clinical Trials 7, formulas 5 to 7), coefficient by coefficient; μ is the random-effects mean with these.
//! The segment's coefficients are then the empirical Bayes estimate μ + T (T + V_s)⁻¹ (y_s − μ) (Morris 1983,
//! *Parametric empirical Bayes inference*, JASA 78; Laird & Ware 1982, *Random-effects models for longitudinal data*,
//! Biometrics 38, formula 3.2), which takes V_s whole, so that an intercept moves with the slopes. Its covariance is
//! T − T (T + V_s)⁻¹ T + (I − W) Var(μ) (I − W)', W = T (T + V_s)⁻¹, as if T were known.

use nalgebra::{Cholesky, DMatrix, DVector};

use crate::model::segments::Common;

/// The estimates of one segment: `None` for a coefficient that its rows leave open. The covariance is q × q.
#[derive(Debug, Clone)]
pub struct Estimates {
    pub coefficients: Vec<Option<f64>>,
    pub covariance: Vec<f64>,
}

/// A segment's coefficients after pooling.
#[derive(Debug, Clone, PartialEq)]
pub struct Shrunken {
    pub coefficients: Vec<Option<f64>>,
    pub covariance: Vec<f64>,
    /// The diagonal of W; 0 where the segment had no estimate.
    pub weights: Vec<f64>,
}

/// Mean and variance of each coefficient among the segments; `None` for one that fewer than two of them know.
pub fn common(segments: &[Estimates], coefficients: usize) -> Vec<Option<Common>> {
    let one = |at: usize| {
        let known: Vec<(f64, f64)> = segments
            .iter()
            .filter_map(|segment| Some((segment.coefficients[at]?, segment.covariance[at * (coefficients + 1)])))
            .filter(|(_, variance)| *variance > 0.0 && variance.is_finite())
            .collect();
        if known.len() < 2 {
            return None;
        }
        let weighted = |extra: f64| {
            let total: f64 = known.iter().map(|(_, variance)| 1.0 / (variance + extra)).sum();
            let mean = known.iter().map(|(value, variance)| value / (variance + extra)).sum::<f64>() / total;
            (mean, total)
        };
        let (mean, total) = weighted(0.0);
        let squares: f64 = known.iter().map(|(_, variance)| variance.powi(-2)).sum();
        let q: f64 = known.iter().map(|(value, variance)| (value - mean).powi(2) / variance).sum();
        let between = ((q - (known.len() - 1) as f64) / (total - squares / total)).max(0.0);
        let (mean, total) = weighted(between);
        let common = Common { mean, variance: 1.0 / total, between };
        [common.mean, common.variance, common.between].iter().all(|number| number.is_finite()).then_some(common)
    };
    (0..coefficients).map(one).collect()
}

/// The segment drawn to what is common; `None` when its covariance is no covariance.
pub fn shrink(segment: &Estimates, common: &[Option<Common>]) -> Option<Shrunken> {
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
    let of_means = DMatrix::from_diagonal(&DVector::from_iterator(n, known.iter().map(|at| of(*at).variance)));
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

    fn alone(value: f64, variance: f64) -> Estimates {
        Estimates { coefficients: vec![Some(value)], covariance: vec![variance] }
    }

    #[test]
    fn one_coefficient_by_hand() {
        // y = 0, 1, 3 with variances 0.5, 0.25, 0.5: weights 2, 4, 2, mean 10/8, Q = 2·25/16 + 4/16 + 2·49/16 = 9.5,
        // C = 8 − 24/8 = 5, so τ² = (9.5 − 2) / 5 = 1.5; then weights 1/2, 4/7, 1/2.
        let segments = [alone(0.0, 0.5), alone(1.0, 0.25), alone(3.0, 0.5)];
        let common = common(&segments, 1);
        let found = common[0].unwrap();
        assert!((found.between - 1.5).abs() < 1e-14, "{found:?}");
        let total = 0.5 + 4.0 / 7.0 + 0.5;
        let mean = (4.0 / 7.0 + 1.5) / total;
        assert!((found.mean - mean).abs() < 1e-14 && (found.variance - 1.0 / total).abs() < 1e-14);
        let shrunken = shrink(&segments[2], &common).unwrap();
        // W = 1.5 / 2.0; the variance 1.5 − 0.75 · 1.5 + 0.25² / total.
        assert!((shrunken.weights[0] - 0.75).abs() < 1e-14);
        assert!((shrunken.coefficients[0].unwrap() - (mean + 0.75 * (3.0 - mean))).abs() < 1e-14);
        assert!((shrunken.covariance[0] - (0.375 + 0.0625 / total)).abs() < 1e-14);
    }

    #[test]
    fn segments_alike_share_one_coefficient_and_far_apart_keep_their_own() {
        let alike = [alone(1.0, 0.5), alone(1.1, 0.5), alone(0.9, 0.5)];
        let found = common(&alike, 1);
        assert_eq!(found[0].unwrap().between, 0.0);
        let shrunken = shrink(&alike[1], &found).unwrap();
        assert!((shrunken.coefficients[0].unwrap() - 1.0).abs() < 1e-14 && shrunken.weights[0] == 0.0);
        let apart = [alone(-100.0, 0.5), alone(0.0, 0.5), alone(100.0, 0.5)];
        let shrunken = shrink(&apart[2], &common(&apart, 1)).unwrap();
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
        let found = common(&segments, 2);
        assert!(found[0].is_some() && found[1].is_none());
        let open = shrink(&segments[2], &found).unwrap();
        assert_eq!(open.coefficients, [Some(found[0].unwrap().mean), None]);
        let only = shrink(&segments[1], &found).unwrap();
        assert_eq!((only.coefficients[1], only.weights[1]), (Some(2.0), 1.0));
    }

    #[test]
    fn with_a_slope_moves_what_goes_with_it() {
        // The two estimates are strongly correlated; only the first varies between segments.
        let both =
            |a: f64, b: f64| Estimates { coefficients: vec![Some(a), Some(b)], covariance: vec![1.0, -0.9, -0.9, 1.0] };
        let segments = [both(-6.0, 1.0), both(0.0, 1.0), both(6.0, 1.0)];
        let found = common(&segments, 2);
        assert_eq!(found[1].unwrap().between, 0.0);
        let shrunken = shrink(&segments[2], &found).unwrap();
        // T (T + V)⁻¹ with T = diag(τ², 0): the first row is τ² (1, 0.9) / ((τ² + 1) − 0.81).
        let tau = found[0].unwrap().between;
        let expected = tau * 6.0 / (tau + 1.0 - 0.81);
        assert!((shrunken.coefficients[0].unwrap() - expected).abs() < 1e-12, "{shrunken:?}");
    }
}
