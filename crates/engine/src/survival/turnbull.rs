//! The non-parametric maximum likelihood estimate of a curve from intervals (Peto 1973, Turnbull 1976).
//!
//! The estimate can have mass only in the innermost intervals, from a left end to the next right end with no end in
//! between; where in them it lies the data do not say. With p the masses, P the mass each row's interval covers and W
//! the number of subjects, −Σ w ln P + W Σ p over p >= 0 is convex and smallest where the estimate is, whose masses then
//! add up to 1. It is minimised by Newton's method with the bounds kept: a quadratic programme over the intervals that
//! have mass and those where the likelihood wants more (the constrained Newton method of Wang 2007), by blocks when
//! those are many. The estimate is told by the conditions of Gentleman & Geyer 1994: Σ w/P over the rows that cover an
//! interval is at most W, and equal to it where there is mass.

use nalgebra::{DMatrix, DVector};

use crate::numeric::bounded::bounded_minimum;
use crate::numeric::sum::Sum;
use crate::numeric::tally::Budget;
use crate::survival::curve::{FittedCurve, Tail};
use crate::survival::innermost::{Cover, innermost, tied};
use crate::survival::intervals::IntervalSample;
use crate::{Error, Interrupt, Result};

/// The conditions must hold to this, relative to the number of subjects …
const TOLERANCE: f64 = 1e-8;
/// … and steps go on until they hold to this, or no step improves on it.
const GOAL: f64 = 1e-12;
const MOST_STEPS: usize = 500;
/// Steps without improvement before it is at its best.
const PATIENCE: usize = 6;
/// Intervals of one quadratic programme.
const BLOCK: usize = 400;
/// Before each round of blocks.
const SETTLING_STEPS: usize = 50;
/// Sums of more masses than this are differences of cumulative ones.
const SHORT: usize = 32;

/// An interval that may have mass: from just after `left`, or from `left` on when it is closed, until `right`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Innermost {
    pub left: f64,
    /// Infinite for those whose event has not been seen.
    pub right: f64,
    pub mass: f64,
}

/// The estimate.
#[derive(Debug, Clone, PartialEq)]
pub struct Turnbull {
    /// The intervals with mass, in order; the masses add up to 1.
    pub intervals: Vec<Innermost>,
    /// The largest finite end of an interval.
    pub max_followup: f64,
    /// By how much the conditions of Gentleman & Geyer are missed at most, relative to the number of subjects.
    pub gap: f64,
}

/// The estimate; `None` for an empty sample.
///
/// # Errors
/// [`Error::OutOfRange`] when it cannot be found to the tolerance; [`Error::Memory`]; what `interrupt` says.
pub fn turnbull(sample: &IntervalSample, budget: Budget, interrupt: Interrupt) -> Result<Option<Turnbull>> {
    let rows = tied(sample.sorted());
    if rows.is_empty() {
        return Ok(None);
    }
    // Rows, their ends and covers; a block's matrix and its factor.
    let block = 4 * BLOCK * BLOCK * size_of::<f64>();
    budget.check(16 * size_of_val(rows.as_slice()) + block, "the estimate from intervals")?;
    let (places, covers) = innermost(&rows);
    let mut problem = Problem::new(places.len(), covers);
    let gap = problem.solve(interrupt)?;
    let total: f64 = problem.mass.iter().sum();
    let intervals = places
        .iter()
        .zip(&problem.mass)
        .filter(|(_, mass)| **mass > 0.0)
        .map(|((left, right), mass)| Innermost { left: *left, right: *right, mass: mass / total })
        .collect();
    let ends = rows.iter().flat_map(|row| [row.left, row.right]).filter(|end| end.is_finite());
    Ok(Some(Turnbull { intervals, max_followup: ends.fold(0.0, f64::max), gap }))
}

impl Turnbull {
    /// S at the right end of each interval with mass.
    pub fn survival(&self) -> Vec<f64> {
        let mut tail = Sum::default();
        let mut survival: Vec<f64> = self
            .intervals
            .iter()
            .rev()
            .map(|interval| {
                let after = tail.total();
                tail.add(interval.mass);
                after.clamp(0.0, 1.0)
            })
            .collect();
        survival.reverse();
        survival
    }

    /// The curve with each mass at the right end of its interval: the largest that the data allow within the intervals,
    /// and the estimate everywhere else. It has no standard error: the usual theory does not hold (the estimate
    /// converges with the cube root of the sample).
    pub fn curve(&self) -> FittedCurve {
        let steps = self.intervals.iter().zip(self.survival()).filter(|(interval, _)| interval.right.is_finite());
        let (times, cumulative_hazard) =
            steps.map(|(interval, survival)| (interval.right, (-survival.ln()).max(0.0))).unzip();
        FittedCurve {
            times,
            cumulative_hazard,
            variance: Vec::new(),
            rank: 0,
            loadings: Vec::new(),
            max_followup: self.max_followup,
            tail: Tail::None,
            decisions: None,
        }
    }
}

struct Problem {
    covers: Vec<Cover>,
    /// W.
    total: f64,
    /// Per innermost interval.
    mass: Vec<f64>,
}

impl Problem {
    /// Starts with equal masses on a few intervals that together every row covers one of.
    fn new(places: usize, covers: Vec<Cover>) -> Self {
        let mut mass = vec![0.0; places];
        let mut by_last: Vec<&Cover> = covers.iter().collect();
        by_last.sort_by_key(|cover| cover.last);
        let (mut reached, mut chosen) = (None, 0.0);
        for cover in by_last {
            if reached.is_none_or(|reached| reached < cover.first) {
                reached = Some(cover.last);
                mass[cover.last] = 1.0;
                chosen += 1.0;
            }
        }
        mass.iter_mut().for_each(|mass| *mass /= chosen);
        let total = covers.iter().map(|cover| cover.weight).collect::<Sum>().total();
        Problem { covers, total, mass }
    }

    /// P of every cover.
    fn probabilities(&self, mass: &[f64]) -> Vec<f64> {
        let mut cumulative = Vec::with_capacity(mass.len() + 1);
        let mut sum = Sum::default();
        cumulative.push(0.0);
        for mass in mass {
            sum.add(*mass);
            cumulative.push(sum.total());
        }
        let probability = |cover: &Cover| match cover.last - cover.first {
            0..SHORT => mass[cover.first..=cover.last].iter().sum(),
            _ => cumulative[cover.last + 1] - cumulative[cover.first],
        };
        self.covers.iter().map(probability).collect()
    }

    /// Σ w/P over the rows that cover each interval, less W: what a little more mass there would gain.
    fn gains(&self, probabilities: &[f64]) -> Vec<f64> {
        let mut changes = vec![(0.0, 0.0); self.mass.len() + 1];
        for (cover, probability) in self.covers.iter().zip(probabilities) {
            let share = cover.weight / probability;
            changes[cover.first].0 += share;
            changes[cover.last + 1].1 += share;
        }
        let mut sum = Sum::default();
        sum.add(-self.total);
        let gain = |(more, less): &(f64, f64)| {
            sum.add(-less);
            sum.add(*more);
            sum.total()
        };
        changes[..self.mass.len()].iter().map(gain).collect()
    }

    /// The largest gain anywhere, and the largest in size where there is mass, relative to W.
    fn gap(&self, gains: &[f64]) -> f64 {
        let missed = |(gain, mass): (&f64, &f64)| if *mass > 0.0 { gain.abs() } else { gain.max(0.0) };
        gains.iter().zip(&self.mass).map(missed).fold(0.0, f64::max) / self.total
    }

    fn solve(&mut self, interrupt: Interrupt) -> Result<f64> {
        let mut best = (f64::INFINITY, self.mass.clone());
        let mut waited = 0;
        for _ in 0..MOST_STEPS {
            interrupt()?;
            let probabilities = self.probabilities(&self.mass);
            let gains = self.gains(&probabilities);
            let gap = self.gap(&gains);
            if gap < best.0 / 2.0 {
                waited = 0;
            } else {
                waited += 1;
            }
            if gap < best.0 {
                best = (gap, self.mass.clone());
            }
            if gap <= GOAL || (waited >= PATIENCE && best.0 <= TOLERANCE) {
                break;
            }
            let candidates = self.candidates(&gains);
            if candidates.len() <= BLOCK {
                self.step(&candidates, &probabilities, &gains, interrupt)?;
                continue;
            }
            // Steps of expectation and maximisation settle the masses of the blocks against each other.
            for _ in 0..SETTLING_STEPS {
                interrupt()?;
                let gains = self.gains(&self.probabilities(&self.mass));
                self.mass.iter_mut().zip(gains).for_each(|(mass, gain)| *mass *= (1.0 + gain / self.total).max(0.0));
            }
            let candidates = self.candidates(&self.gains(&self.probabilities(&self.mass)));
            // Blocks alternate in their borders, so that mass can move over them.
            let offset = if waited % 2 == 0 { BLOCK } else { BLOCK / 2 };
            let (head, rest) = candidates.split_at(offset.min(candidates.len()));
            for block in std::iter::once(head).chain(rest.chunks(BLOCK)) {
                let probabilities = self.probabilities(&self.mass);
                let gains = self.gains(&probabilities);
                self.step(block, &probabilities, &gains, interrupt)?;
            }
        }
        let (gap, mass) = best;
        self.mass = mass;
        if gap <= TOLERANCE { Ok(gap) } else { Err(no_estimate(gap)) }
    }

    /// The intervals with mass, and between any two of them the one that would gain most from some.
    fn candidates(&self, gains: &[f64]) -> Vec<usize> {
        let mut chosen = Vec::new();
        let mut most: Option<usize> = None;
        for place in 0..gains.len() {
            if self.mass[place] > 0.0 {
                chosen.extend(most.take());
                chosen.push(place);
            } else if gains[place] > 0.0 && most.is_none_or(|most| gains[place] > gains[most]) {
                most = Some(place);
            }
        }
        chosen.extend(most);
        chosen
    }

    /// Towards the minimum of the quadratic that touches at the masses of `block`, as far as it leads down.
    fn step(&mut self, block: &[usize], probabilities: &[f64], gains: &[f64], interrupt: Interrupt) -> Result<()> {
        let curvature = self.curvature(block, probabilities);
        let gains = DVector::from_iterator(block.len(), block.iter().map(|place| gains[*place]));
        let mass = DVector::from_iterator(block.len(), block.iter().map(|place| self.mass[*place]));
        let target = bounded_minimum(&curvature, &gains, &mass, interrupt)?;
        let slope = -gains.dot(&(&target - &mass));
        let size: f64 =
            self.covers.iter().zip(probabilities).map(|(cover, p)| cover.weight * (1.0 + p.ln().abs())).sum();
        // A difference of sums of so many terms is not told below this.
        let rounding = 1e-14 * size;
        let mut share = 1.0;
        while share > 1e-12 {
            let mut moved = self.mass.clone();
            for (at, place) in block.iter().enumerate() {
                moved[*place] = if share == 1.0 { target[at] } else { mass[at] + share * (target[at] - mass[at]) };
            }
            if let Some(rise) = self.rise(probabilities, &moved)
                && rise <= 1e-4 * share * slope + rounding
            {
                self.mass = moved;
                return Ok(());
            }
            share /= 2.0;
        }
        Ok(())
    }

    /// By how much −Σ w ln P + W Σ p rises from the masses to others; `None` when a row would be impossible.
    fn rise(&self, probabilities: &[f64], moved: &[f64]) -> Option<f64> {
        let mut rise = Sum::default();
        for ((cover, before), after) in self.covers.iter().zip(probabilities).zip(self.probabilities(moved)) {
            if after.is_nan() || after <= 0.0 {
                return None;
            }
            rise.add(-cover.weight * ((after - before) / before).ln_1p());
        }
        for (before, after) in self.mass.iter().zip(moved) {
            rise.add(self.total * (after - before));
        }
        Some(rise.total())
    }

    /// Σ w/P² over the rows that cover both of two intervals of the block.
    fn curvature(&self, block: &[usize], probabilities: &[f64]) -> DMatrix<f64> {
        let size = block.len();
        let mut matrix = DMatrix::zeros(size, size);
        for (cover, probability) in self.covers.iter().zip(probabilities) {
            let first = block.partition_point(|place| *place < cover.first);
            let after = block.partition_point(|place| *place <= cover.last);
            if first < after {
                matrix[(first, after - 1)] += cover.weight / (probability * probability);
            }
        }
        // A row that covers the block from j' to k' covers all j, k with j' <= j and k <= k'.
        for k in 0..size {
            for j in 1..size {
                matrix[(j, k)] += matrix[(j - 1, k)];
            }
        }
        for j in 0..size {
            for k in (0..size - 1).rev() {
                matrix[(j, k)] += matrix[(j, k + 1)];
            }
        }
        for j in 0..size {
            for k in 0..j {
                matrix[(j, k)] = matrix[(k, j)];
            }
        }
        matrix
    }
}

fn no_estimate(gap: f64) -> Error {
    Error::OutOfRange(format!(
        "the estimate from intervals is found only to {gap:.0e} of the subjects; round the times to fewer distinct ones"
    ))
}
