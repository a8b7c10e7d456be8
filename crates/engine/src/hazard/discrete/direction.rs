//! Which errors of a fit of single decisions a row's probability has, for sums over rows.

use crate::hazard::discrete::{DiscreteFit, Uncertainty};
use crate::numeric::whitened::whitened;

impl DiscreteFit {
    /// The error of the linear predictor of row `x` among independent sources: the level's, then those of the
    /// coefficients. Of length 1, or all 0 where nothing is known of the errors; the same sources for every row.
    pub fn renewal_direction(&self, x: &[f64]) -> Vec<f64> {
        let p = self.coefficients.len();
        let mut moves = vec![0.0; 1];
        if let Uncertainty::Levels { information, means } = &self.baseline.uncertainty {
            if information[0] > 0.0 {
                moves[0] = (1.0 / information[0]).sqrt();
            }
            let distance: Vec<f64> = (0..p).map(|i| x[i] - self.means[i] - means[i]).collect();
            moves.extend(whitened(&distance, &self.covariance));
        }
        let length = moves.iter().map(|value| value * value).sum::<f64>().sqrt();
        if length > 0.0 {
            moves.iter_mut().for_each(|value| *value /= length);
        }
        moves
    }
}
