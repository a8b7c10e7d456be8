//! What trees are grown for.

use crate::boost::histogram::Slopes;
use crate::{Interrupt, Result};

pub(super) trait Objective {
    /// The derivatives of the loss in the scores of the rows that trees are grown from.
    fn slopes(&mut self, scores: &[f64], into: &mut [Slopes], interrupt: Interrupt) -> Result<()>;

    /// The loss on the rows kept to stop by.
    fn kept_loss(&mut self, scores: &[f64], interrupt: Interrupt) -> Result<f64>;

    /// The bound of a leaf's step, either way, before the learning rate.
    fn longest_step(&self) -> f64;

    /// Scores further apart than this leave the numbers.
    fn widest(&self) -> f64;
}
