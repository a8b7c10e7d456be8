//! Amounts as a loss: half the deviance of the law they are taken to have, and its slopes in the scores of the rows.

use crate::amount::Family;
use crate::boost::bins::ROWS_PER_INTERRUPT;
use crate::boost::histogram::Slopes;
use crate::boost::objective::Objective;
use crate::boost::rounds::Rows;
use crate::numeric::sum::Sum;
use crate::{Interrupt, Result};

/// A leaf's own step on the log scale, as of a hazard; amounts themselves need no bound.
const LONGEST_STEP: f64 = 2.0;
/// Amounts e^60 apart are some and none.
pub(super) const WIDEST: f64 = 60.0;

/// The loss of some rows whose amounts are in the units of the trees.
pub(super) struct Deviance<'a> {
    pub family: Family,
    pub amounts: &'a [f64],
    /// Empty when all are 1.
    pub weights: &'a [f64],
    pub rows: &'a Rows,
}

impl Deviance<'_> {
    fn weight(&self, row: u32) -> f64 {
        self.weights.get(row as usize).copied().unwrap_or(1.0)
    }

    /// Σ weight · deviance of these rows, and Σ weight.
    pub fn of(&self, rows: &[u32], scores: &[f64], shift: f64, interrupt: Interrupt) -> Result<[f64; 2]> {
        let (mut sum, mut weight) = (Sum::default(), Sum::default());
        for rows in rows.chunks(ROWS_PER_INTERRUPT) {
            interrupt()?;
            for row in rows {
                let mean = self.family.mean(scores[*row as usize] + shift);
                sum.add(self.weight(*row) * self.family.deviance(self.amounts[*row as usize], mean));
                weight.add(self.weight(*row));
            }
        }
        Ok([sum.total(), weight.total()])
    }
}

/// First and second derivative, in the score F, of half the deviance of a row: (y − F)² / 2; y e^−F + F;
/// y e^((1−p)F) / (p − 1) + e^((2−p)F) / (2 − p).
fn slopes_of(family: Family, y: f64, score: f64) -> Slopes {
    match family {
        Family::Linear => [score - y, 1.0],
        Family::Gamma => {
            let ratio = y * (-score).exp();
            [1.0 - ratio, ratio]
        }
        Family::Tweedie { power: p } => {
            let (up, down) = (y * ((1.0 - p) * score).exp(), ((2.0 - p) * score).exp());
            [down - up, (p - 1.0) * up + (2.0 - p) * down]
        }
    }
}

impl Objective for Deviance<'_> {
    fn slopes(&mut self, scores: &[f64], into: &mut [Slopes], interrupt: Interrupt) -> Result<()> {
        for rows in self.rows.grown_from.chunks(ROWS_PER_INTERRUPT) {
            interrupt()?;
            for row in rows {
                let (at, weight) = (*row as usize, self.weight(*row));
                into[at] = slopes_of(self.family, self.amounts[at], scores[at]).map(|slope| weight * slope);
            }
        }
        Ok(())
    }

    fn kept_loss(&mut self, scores: &[f64], interrupt: Interrupt) -> Result<f64> {
        let [deviance, weight] = self.of(&self.rows.kept, scores, 0.0, interrupt)?;
        Ok(deviance / weight)
    }

    fn longest_step(&self) -> f64 {
        if self.family.has_log_link() { LONGEST_STEP } else { f64::INFINITY }
    }

    fn widest(&self) -> f64 {
        if self.family.has_log_link() { WIDEST } else { f64::INFINITY }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slopes_are_the_derivatives_of_half_the_deviance() {
        for family in [Family::Linear, Family::Gamma, Family::Tweedie { power: 1.2 }, Family::Tweedie { power: 1.8 }] {
            for (y, score) in [(0.7, 0.3), (2.5, -0.9), (0.1, 1.4), (0.0, 0.6)] {
                if y == 0.0 && family == Family::Gamma {
                    continue;
                }
                let loss = |at: f64| family.deviance(y, family.mean(at)) / 2.0;
                let first = |at: f64| slopes_of(family, y, at)[0];
                // Central differences of two widths, extrapolated.
                let derivative = |of: &dyn Fn(f64) -> f64| {
                    let [wide, narrow] = [2e-3, 1e-3].map(|step| (of(score + step) - of(score - step)) / (2.0 * step));
                    (4.0 * narrow - wide) / 3.0
                };
                let [slope, curvature] = slopes_of(family, y, score);
                assert!((slope - derivative(&loss)).abs() < 1e-10, "{family:?} {y}: {slope} {}", derivative(&loss));
                assert!((curvature - derivative(&first)).abs() < 1e-10, "{family:?} {y}: {curvature}");
                assert!(curvature > 0.0);
            }
        }
    }
}
