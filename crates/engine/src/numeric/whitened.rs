//! From errors that hang together to independent ones.

use nalgebra::{DMatrix, SymmetricEigen};

/// The moves by independent sources of standard deviation 1, for a gradient by parameters of this covariance (m × m,
/// row-major): Λ^½ Q' g where V = Q Λ Q'. The same matrix always has the same sources.
pub fn whitened(gradient: &[f64], covariance: &[f64]) -> Vec<f64> {
    let m = gradient.len();
    if m == 0 {
        return Vec::new();
    }
    let eigen = SymmetricEigen::new(DMatrix::from_row_slice(m, m, covariance));
    (0..m)
        .map(|k| {
            let along: f64 = (0..m).map(|i| eigen.eigenvectors[(i, k)] * gradient[i]).sum();
            along * eigen.eigenvalues[k].max(0.0).sqrt()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::whitened;

    #[test]
    fn no_parameters_have_no_sources() {
        assert_eq!(whitened(&[], &[]), Vec::<f64>::new());
        assert_eq!(whitened(&[2.0], &[9.0]).into_iter().map(f64::abs).collect::<Vec<_>>(), [6.0]);
    }
}
