//! One tree: the best split of each node in turn, until none gains.

use crate::boost::bins::{Bins, ROWS_PER_INTERRUPT};
use crate::boost::histogram::{Histogram, Slopes};
use crate::boost::options::Options;
use crate::boost::split::{Bounds, Split, best};
use crate::boost::trees::Part;
use crate::{Interrupt, Result};

/// What a tree is grown from.
pub(super) struct Ground<'a> {
    pub bins: &'a Bins,
    /// By row, the derivatives of the loss.
    pub slopes: &'a [Slopes],
    /// By row, its weight; empty when all are 1.
    pub weights: &'a [f64],
    pub options: &'a Options,
    /// The bound of a leaf's own step, either way.
    pub longest_step: f64,
}

/// A node while the tree is grown: where its children are, and its question by the number of a bin.
#[derive(Debug, Clone, Copy)]
struct Grown {
    part: Part,
    bin: u8,
    left: u32,
}

/// A tree that is grown.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: Vec<Grown>,
}

/// Memory that one tree after another is grown in.
pub(super) struct Growing {
    /// Histograms that nobody needs at present.
    spare: Vec<Histogram>,
    scratch: Vec<u32>,
    covariates: usize,
}

/// The node that is worked on.
struct Place {
    node: usize,
    level: usize,
    sums: Slopes,
    bounds: Bounds,
}

impl Growing {
    pub fn new(covariates: usize) -> Growing {
        Growing { spare: Vec::new(), scratch: Vec::new(), covariates }
    }

    /// Histograms that are held at once when trees are `depth` deep.
    pub fn histograms(depth: usize) -> usize {
        depth + 2
    }

    /// A tree of these rows, whose order is lost; what each split gained is added to `gains`, and what each row's leaf is
    /// worth to its score.
    pub fn tree(
        &mut self,
        ground: &Ground,
        rows: &mut [u32],
        scores: &mut [f64],
        gains: &mut [f64],
        interrupt: Interrupt,
    ) -> Result<Tree> {
        let mut sums = [0.0; 2];
        for row in rows.iter() {
            let [first, second] = ground.slopes[*row as usize];
            sums = [sums[0] + first, sums[1] + second];
        }
        let mut histogram = self.histogram();
        interrupt()?;
        histogram.fill(ground.bins, rows, ground.slopes);
        let mut tree = Tree { nodes: vec![Grown { part: Part::Leaf { value: 0.0, cover: 0.0 }, bin: 0, left: 0 }] };
        let bounds = Bounds { lower: -ground.longest_step, upper: ground.longest_step };
        let place = Place { node: 0, level: 0, sums, bounds };
        self.grow(ground, &mut tree, place, rows, histogram, scores, gains, interrupt)?;
        Ok(tree)
    }

    fn histogram(&mut self) -> Histogram {
        self.spare.pop().unwrap_or_else(|| Histogram::new(self.covariates))
    }

    #[allow(clippy::too_many_arguments)]
    fn grow(
        &mut self,
        ground: &Ground,
        tree: &mut Tree,
        place: Place,
        rows: &mut [u32],
        mut histogram: Histogram,
        scores: &mut [f64],
        gains: &mut [f64],
        interrupt: Interrupt,
    ) -> Result<()> {
        interrupt()?;
        let (bins, options) = (ground.bins, ground.options);
        let split = match place.level < options.depth {
            true => best(&histogram, &bins.cuts, place.sums, place.bounds, options),
            false => None,
        };
        let divided = split.map(|split| (split, self.divide(bins, &split, rows)));
        let Some((split, middle)) = divided.filter(|(_, middle)| (1..rows.len()).contains(middle)) else {
            self.spare.push(histogram);
            let value = options.learning_rate * place.bounds.step(place.sums, options.l2);
            let cover = match ground.weights {
                [] => rows.len() as f64,
                weights => rows.iter().map(|row| weights[*row as usize]).sum(),
            };
            tree.nodes[place.node].part = Part::Leaf { value, cover };
            rows.iter().for_each(|row| scores[*row as usize] += value);
            return Ok(());
        };
        gains[split.covariate] += split.gain;
        let left = tree.nodes.len();
        let thresholds = &bins.cuts[split.covariate].thresholds;
        let part = Part::Question {
            covariate: split.covariate as u32,
            // All that is there against what is missing.
            threshold: thresholds.get(usize::from(split.bin)).copied().unwrap_or(f64::MAX),
            missing_left: split.missing_left,
        };
        tree.nodes[place.node] = Grown { part, bin: split.bin, left: left as u32 };
        let empty = Grown { part: Part::Leaf { value: 0.0, cover: 0.0 }, bin: 0, left: 0 };
        tree.nodes.extend([empty, empty]);
        let children = place.bounds.children(&split, options.direction(split.covariate), options.l2);
        let (left_rows, right_rows) = rows.split_at_mut(middle);
        let level = place.level + 1;
        let left_place = Place { node: left, level, sums: split.left, bounds: children[0] };
        let right_place = Place { node: left + 1, level, sums: split.right, bounds: children[1] };
        if level >= options.depth {
            // Leaves have no need of histograms.
            let other = self.histogram();
            self.grow(ground, tree, left_place, left_rows, other, scores, gains, interrupt)?;
            return self.grow(ground, tree, right_place, right_rows, histogram, scores, gains, interrupt);
        }
        let mut smaller = self.histogram();
        let left_is_smaller = left_rows.len() <= right_rows.len();
        smaller.fill(bins, if left_is_smaller { left_rows } else { right_rows }, ground.slopes);
        histogram.take(&smaller, &bins.cuts);
        let (of_left, of_right) = if left_is_smaller { (smaller, histogram) } else { (histogram, smaller) };
        self.grow(ground, tree, left_place, left_rows, of_left, scores, gains, interrupt)?;
        self.grow(ground, tree, right_place, right_rows, of_right, scores, gains, interrupt)
    }

    /// Brings the rows that go left before the others, each in their order; how many these are.
    fn divide(&mut self, bins: &Bins, split: &Split, rows: &mut [u32]) -> usize {
        let missing = (bins.cuts[split.covariate].thresholds.len() + 1) as u8;
        self.scratch.resize(rows.len().max(self.scratch.len()), 0);
        let (mut left, mut right) = (0, 0);
        let codes = bins.column(split.covariate);
        for at in 0..rows.len() {
            let row = rows[at];
            let code = codes[row as usize];
            // Where a row goes is a toss: it is written to both sides, and one of them moves on.
            let goes = goes_left(code, split.bin, missing, split.missing_left);
            rows[left] = row;
            self.scratch[right] = row;
            left += usize::from(goes);
            right += usize::from(!goes);
        }
        rows[left..].copy_from_slice(&self.scratch[..right]);
        left
    }
}

#[inline]
fn goes_left(code: u8, last: u8, missing: u8, missing_left: bool) -> bool {
    ((code == missing) & missing_left) | ((code != missing) & (code <= last))
}

impl Tree {
    /// Adds what the tree says of other rows to their scores.
    pub fn add_to(&self, bins: &Bins, rows: &[u32], scores: &mut [f64], interrupt: Interrupt) -> Result<()> {
        for rows in rows.chunks(ROWS_PER_INTERRUPT) {
            interrupt()?;
            for row in rows {
                let codes = bins.row(*row);
                let mut at = 0;
                scores[*row as usize] += loop {
                    let node = &self.nodes[at];
                    match node.part {
                        Part::Leaf { value, .. } => break value,
                        Part::Question { covariate, missing_left, .. } => {
                            let missing = (bins.cuts[covariate as usize].thresholds.len() + 1) as u8;
                            let left = goes_left(codes[covariate as usize], node.bin, missing, missing_left);
                            at = node.left as usize + usize::from(!left);
                        }
                    }
                };
            }
        }
        Ok(())
    }

    /// Whether it says nothing that depends on the row.
    pub fn is_single(&self) -> bool {
        self.nodes.len() == 1
    }

    /// The nodes level by level.
    pub fn parts(&self) -> Vec<Part> {
        let mut places = vec![0];
        let mut parts = Vec::with_capacity(self.nodes.len());
        let mut next = 0;
        while let Some(at) = places.get(next).copied() {
            let node = &self.nodes[at];
            if matches!(node.part, Part::Question { .. }) {
                places.extend([node.left as usize, node.left as usize + 1]);
            }
            parts.push(node.part);
            next += 1;
        }
        parts
    }
}
