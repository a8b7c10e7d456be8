//! The best question to ask at a node.
//!
//! A leaf with sums G and H of first and second derivatives takes the step w = −G / (H + λ), which lowers the loss by
//! −(G w + (H + λ) w² / 2); a split gains what its children lower it by more than their parent (Chen & Guestrin 2016,
//! §2.2). Steps are kept within bounds; those of the children of a split on a covariate with a direction lie on either
//! side of the middle of their own two steps, so that no split below can turn the direction round. Missing values go to
//! the side on which they gain more (*ibid.*, algorithm 3).

use crate::boost::bins::Cuts;
use crate::boost::histogram::{Histogram, Slopes};
use crate::boost::options::Options;

/// A gain below this share of what it is the difference of is rounding.
const ROUNDING: f64 = 1e-12;

/// The steps that a node may take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bounds {
    pub lower: f64,
    pub upper: f64,
}

impl Bounds {
    /// The step of a leaf with these sums.
    pub fn step(&self, [first, second]: Slopes, l2: f64) -> f64 {
        let curvature = second + l2;
        let step = if curvature > 0.0 { -first / curvature } else { 0.0 };
        // Neither 0 / 0 nor an overflow is a step.
        if step.is_nan() { 0.0 } else { step.clamp(self.lower, self.upper) }
    }

    /// By how much a step within the bounds lowers the loss.
    fn gain(&self, sums: Slopes, l2: f64) -> f64 {
        let step = self.step(sums, l2);
        -(sums[0] * step + 0.5 * (sums[1] + l2) * step * step)
    }

    /// The bounds of the two children of a split in this direction.
    pub fn children(self, split: &Split, direction: i8, l2: f64) -> [Bounds; 2] {
        let middle = 0.5 * (self.step(split.left, l2) + self.step(split.right, l2));
        let (below, above) = (Bounds { upper: middle, ..self }, Bounds { lower: middle, ..self });
        match direction {
            0 => [self, self],
            direction if direction > 0 => [below, above],
            _ => [above, below],
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Split {
    pub covariate: usize,
    /// The last bin that goes left.
    pub bin: u8,
    pub missing_left: bool,
    pub gain: f64,
    pub left: Slopes,
    pub right: Slopes,
}

/// The split that gains most; of equals the first.
pub(super) fn best(
    histogram: &Histogram,
    cuts: &[Cuts],
    sums: Slopes,
    bounds: Bounds,
    options: &Options,
) -> Option<Split> {
    let own = bounds.gain(sums, options.l2);
    let mut best: Option<Split> = None;
    for (covariate, (column, cuts)) in histogram.columns.iter().zip(cuts).enumerate() {
        let direction = options.direction(covariate);
        let missing = if cuts.missing { column[cuts.bins() - 1] } else { [0.0; 2] };
        let none_here = missing[1] <= ROUNDING * sums[1] && missing[0].abs() <= ROUNDING * sums[0].abs().max(sums[1]);
        let mut so_far = [0.0; 2];
        for (bin, cell) in column[..cuts.thresholds.len()].iter().enumerate() {
            so_far = [so_far[0] + cell[0], so_far[1] + cell[1]];
            for missing_left in [false, true] {
                if missing_left && none_here {
                    continue;
                }
                let left = if missing_left { [so_far[0] + missing[0], so_far[1] + missing[1]] } else { so_far };
                let right = [sums[0] - left[0], sums[1] - left[1]];
                if left[1] < options.min_child_weight || right[1] < options.min_child_weight {
                    continue;
                }
                let (lowered, raised) = (bounds.gain(left, options.l2), bounds.gain(right, options.l2));
                let gain = lowered + raised - own;
                let least = options.gamma + ROUNDING * (lowered.abs() + raised.abs() + own.abs());
                if !(gain > least && best.is_none_or(|best| gain > best.gain)) {
                    continue;
                }
                let rise = bounds.step(right, options.l2) - bounds.step(left, options.l2);
                if f64::from(direction) * rise < 0.0 {
                    continue;
                }
                // Where nothing was missing there is nothing to learn: it goes with the most.
                let missing_left = if none_here { left[1] >= right[1] } else { missing_left };
                best = Some(Split { covariate, bin: bin as u8, missing_left, gain, left, right });
            }
        }
        // Those who are missing against all others.
        if cuts.missing && !none_here && direction == 0 {
            let left = [sums[0] - missing[0], sums[1] - missing[1]];
            if left[1] >= options.min_child_weight && missing[1] >= options.min_child_weight {
                let (lowered, raised) = (bounds.gain(left, options.l2), bounds.gain(missing, options.l2));
                let gain = lowered + raised - own;
                let least = options.gamma + ROUNDING * (lowered.abs() + raised.abs() + own.abs());
                if gain > least && best.is_none_or(|best| gain > best.gain) {
                    let bin = cuts.thresholds.len() as u8;
                    best = Some(Split { covariate, bin, missing_left: false, gain, left, right: missing });
                }
            }
        }
    }
    best
}
