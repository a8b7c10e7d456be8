//! The Gamma-Gamma model of what a purchase is worth.
//!
//! The value of a purchase is gamma distributed with shape p and a rate of the customer's own, which is gamma
//! distributed (shape q, rate γ); values do not depend on how often the customer buys. Of x purchases with the mean z̄
//! (Fader & Hardie 2013, *The Gamma-Gamma model of monetary value*, equation 1a):
//!
//! ```text
//! L = Γ(px+q) / (Γ(px) Γ(q)) · γ^q z̄^(px−1) x^(px) / (γ + x z̄)^(px+q)
//! ```

use crate::btyd::counts::Cell;
use crate::btyd::maximise::Evaluation;
use crate::btyd::sample::check_spend;
use crate::numeric::gamma::{log_gamma, log_gamma_ratio};
use crate::{Interrupt, Result};

/// Cells between two looks at the interrupt.
const CELLS_PER_LOOK: usize = 1 << 14;

/// p, q and γ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpendModel {
    pub parameters: [f64; 3],
}

impl SpendModel {
    /// The expected mean value of the purchases of a customer with so many repeat purchases of this mean value
    /// (equation 5): the weighted mean of theirs and all customers'. With frequency 0 the mean value is not looked at.
    ///
    /// `None` when it does not exist: pγ / (q − 1) of a customer without repeat purchases only where q > 1, and
    /// p (γ + x z̄) / (px + q − 1) only where px + q > 1.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] as [`check_spend`], for a frequency above 0.
    pub fn expected_spend(&self, frequency: f64, mean_value: f64) -> Result<Option<f64>> {
        let [p, q, gamma] = self.parameters;
        if frequency == 0.0 {
            return Ok((q > 1.0).then(|| p * gamma / (q - 1.0)));
        }
        check_spend(frequency, mean_value)?;
        let shape = p * frequency + q - 1.0;
        Ok((shape > 0.0).then(|| p * (gamma + frequency * mean_value) / shape))
    }

    /// Whether the mean over all customers exists.
    pub fn has_mean(&self) -> bool {
        self.parameters[1] > 1.0
    }
}

/// The log-likelihood of the cells (frequency, mean value) with its derivatives in p, q, γ.
pub(super) fn evaluate(cells: &[Cell<2>], [p, q, gamma]: [f64; 3], interrupt: Interrupt) -> Result<Evaluation<3>> {
    let mut sum = Evaluation::<3>::ZERO;
    let of_q = log_gamma(q);
    let mut of_x = (f64::NAN, [0.0; 3], [0.0; 3], 0.0);
    for chunk in cells.chunks(CELLS_PER_LOOK) {
        interrupt()?;
        for Cell { key: [x, mean], weight } in chunk {
            let (x, mean, w) = (*x, *mean, *weight);
            if of_x.0 != x {
                of_x = (x, log_gamma(p * x + q), log_gamma(p * x), log_gamma_ratio(p * x, q));
            }
            let (_, all, own, log_ratio) = of_x;
            let total = x * mean;
            let (less, more) = ((gamma / total).ln_1p(), (total / gamma).ln_1p());
            let g = 1.0 / (gamma + total);
            sum.value += w * (log_ratio - of_q[0] - q * more - p * x * less - mean.ln());
            sum.gradient[0] += w * x * (all[1] - own[1] - less);
            sum.gradient[1] += w * (all[1] - of_q[1] - more);
            // q/γ − (px + q)/(γ + x z̄)
            sum.gradient[2] += w * g * (q * total / gamma - p * x);
            sum.hessian[0][0] += w * x * x * (all[2] - own[2]);
            sum.hessian[0][1] += w * x * all[2];
            sum.hessian[0][2] -= w * x * g;
            sum.hessian[1][1] += w * (all[2] - of_q[2]);
            sum.hessian[1][2] += w * g * total / gamma;
            sum.hessian[2][2] += w * ((p * x + q) * g * g - q / (gamma * gamma));
        }
    }
    for i in 0..3 {
        for j in 0..i {
            sum.hessian[i][j] = sum.hessian[j][i];
        }
    }
    Ok(sum)
}
