//! What the deaths of one event time add to a partial likelihood and to the cumulative hazard.

use crate::hazard::cox::Ties;
use crate::hazard::risk_sets::ROWS_PER_INTERRUPT;
use crate::{Interrupt, Result};

/// Terms of a tie whose logarithm is taken at once, of their product.
const LOGARITHMS_AT_ONCE: usize = 16;

/// The deaths of one event time among their risk set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tie {
    /// Σ r over the risk set.
    pub total: f64,
    /// Σ r over the deaths.
    pub dying: f64,
    pub deaths: usize,
    pub mean_weight: f64,
}

/// The d terms of one event time, summed: with S the risk set's Σ r, D the deaths' Σ r, m their mean weight and
/// f = 0, 1/d … (d−1)/d (Efron) or 0 throughout (Breslow), each is a sum over f.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Increment {
    /// Σ m ln(S − fD)
    pub log: f64,
    /// Σ m / (S − fD): the increment of the cumulative hazard.
    pub hazard: f64,
    /// Σ f m / (S − fD): what the deaths themselves are spared of it.
    pub spared: f64,
    /// Σ m / (S − fD)²: the variance of the hazard's increment.
    pub square: f64,
    /// Σ f m / (S − fD)²
    pub square_spared: f64,
    /// Σ f² m / (S − fD)²
    pub square_spared_twice: f64,
}

impl Increment {
    /// # Errors
    /// Whatever `interrupt` returns.
    pub fn new(tie: Tie, ties: Ties, interrupt: Interrupt) -> Result<Increment> {
        let Tie { total, dying, deaths, mean_weight } = tie;
        if ties != Ties::Efron || deaths == 1 {
            let weight = mean_weight * deaths as f64;
            let inverse = 1.0 / total;
            let (hazard, square) = (weight * inverse, weight * inverse * inverse);
            return Ok(Increment { log: weight * total.ln(), hazard, square, ..Increment::default() });
        }
        let mut sums = Increment::default();
        // As shares of the whole, none smaller than one in `deaths`, so that no product leaves the numbers.
        let (whole, mut product) = (1.0 / total, 1.0);
        for death in 0..deaths {
            if death % ROWS_PER_INTERRUPT == ROWS_PER_INTERRUPT - 1 {
                interrupt()?;
            }
            let fraction = death as f64 / deaths as f64;
            let denominator = total - fraction * dying;
            let inverse = 1.0 / denominator;
            let (spared, square) = (fraction * inverse, inverse * inverse);
            product *= denominator * whole;
            if death % LOGARITHMS_AT_ONCE == LOGARITHMS_AT_ONCE - 1 {
                sums.log += std::mem::replace(&mut product, 1.0).ln();
            }
            sums.hazard += inverse;
            sums.spared += spared;
            sums.square += square;
            sums.square_spared += spared * inverse;
            sums.square_spared_twice += spared * spared;
        }
        Ok(Increment {
            log: mean_weight * (sums.log + product.ln() + deaths as f64 * total.ln()),
            hazard: mean_weight * sums.hazard,
            spared: mean_weight * sums.spared,
            square: mean_weight * sums.square,
            square_spared: mean_weight * sums.square_spared,
            square_spared_twice: mean_weight * sums.square_spared_twice,
        })
    }

    /// As if there were so many of its event time.
    pub fn times(&self, multiplier: f64) -> Increment {
        Increment {
            log: multiplier * self.log,
            hazard: multiplier * self.hazard,
            spared: multiplier * self.spared,
            square: multiplier * self.square,
            square_spared: multiplier * self.square_spared,
            square_spared_twice: multiplier * self.square_spared_twice,
        }
    }
}
