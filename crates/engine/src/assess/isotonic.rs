//! Isotonic regression of the outcome on the prediction: the best forecast that keeps the order of the predictions.
//!
//! Pool adjacent violators (Ayer, Brunk, Ewing, Reid & Silverman 1955); as a recalibration Zadrozny & Elkan (2002).

use crate::assess::calibration::Calibration;

/// Neighbouring predictions that share one recalibrated probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The lowest and the highest prediction of the step.
    pub from: f64,
    pub to: f64,
    /// Rows, or the sum of their weights.
    pub n: f64,
    /// The observed rate of the step; rises from step to step.
    pub recalibrated: f64,
}

struct Block {
    from: f64,
    to: f64,
    positives: f64,
    weight: f64,
}

impl Calibration {
    /// The recalibration map as steps in rising order; empty for no rows. Between two steps scikit-learn's
    /// `IsotonicRegression` interpolates linearly, below the first and above the last it goes on flat.
    pub fn isotonic(&self) -> Vec<Step> {
        let mut blocks: Vec<Block> = Vec::new();
        for level in self.levels() {
            let p = level.probability;
            let mut block = Block { from: p, to: p, positives: level.positives, weight: level.weight() };
            while let Some(before) =
                blocks.pop_if(|before| before.positives * block.weight >= block.positives * before.weight)
            {
                block.from = before.from;
                block.positives += before.positives;
                block.weight += before.weight;
            }
            blocks.push(block);
        }
        let step = |block: Block| Step {
            from: block.from,
            to: block.to,
            n: block.weight,
            recalibrated: block.positives / block.weight,
        };
        blocks.into_iter().map(step).collect()
    }
}
