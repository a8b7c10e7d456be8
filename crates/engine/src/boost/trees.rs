//! Many small trees as a few arrays: what is stored, and what is scored.

use serde::{Deserialize, Serialize};

use crate::boost::options::{DEEPEST, MOST_TREES};
use crate::numeric::sum::Sum;
use crate::{Error, Result};

/// Trees that are walked side by side: their steps do not wait for each other.
const ABREAST: usize = 8;
/// Bound of all nodes: what a model of the most and deepest trees of a fit stays below, and a forged one does not pass.
const MOST_NODES: usize = 1 << 26;

/// A question, or a leaf. A row goes to `left` when its value is at most the threshold, else to the node after that; a
/// leaf leads to itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Node {
    pub threshold: f64,
    pub covariate: u32,
    pub left: u32,
}

/// A sum of regression trees.
///
/// Nodes of a tree are in the order of their level, so the n-th question of a tree leads to its nodes 2n + 1 and 2n + 2.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Trees {
    pub(super) nodes: Vec<Node>,
    /// By node: what a leaf adds.
    pub(super) values: Vec<f64>,
    /// By node: the weight of the rows that grew it.
    pub(super) covers: Vec<f64>,
    /// By node: whether a row without the value goes left.
    pub(super) missing_left: Vec<bool>,
    /// By tree, its first node.
    pub(super) roots: Vec<u32>,
    /// By tree, the most questions on a way through it.
    depths: Vec<u8>,
    /// One more than the highest covariate that is asked for.
    covariates: usize,
}

/// What is stored: the questions of all trees, tree by tree and level by level, and the leaves.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    /// By tree, how many nodes it has.
    nodes: Vec<u32>,
    /// By node: 0 for a leaf, else one more than the covariate that is asked for.
    covariate: Vec<u16>,
    /// By question.
    threshold: Vec<f64>,
    missing_left: Vec<bool>,
    /// By leaf.
    value: Vec<f64>,
    cover: Vec<f64>,
}

/// A node of a tree that is being put together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Part {
    Question { covariate: u32, threshold: f64, missing_left: bool },
    Leaf { value: f64, cover: f64 },
}

impl Trees {
    pub fn len(&self) -> usize {
        self.roots.len()
    }

    pub fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }

    /// How many covariates a row must have at least.
    pub fn covariates(&self) -> usize {
        self.covariates
    }

    pub fn leaves(&self) -> usize {
        (self.nodes.len() + self.len()) / 2
    }

    /// By covariate, how many questions there are about it.
    pub fn splits(&self, covariates: usize) -> Vec<u64> {
        let mut splits = vec![0; covariates.max(self.covariates)];
        let questions = (0..self.nodes.len()).filter(|node| !self.is_leaf(*node));
        questions.for_each(|node| splits[self.nodes[node].covariate as usize] += 1);
        splits
    }

    pub(super) fn is_leaf(&self, node: usize) -> bool {
        self.nodes[node].left as usize == node
    }

    /// Adds a tree: its nodes level by level.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the nodes are not those of one tree that ends, or a number is none.
    pub(super) fn push(&mut self, parts: &[Part]) -> Result<()> {
        let refused = || Error::malformed("the trees of a boosted model contradict themselves");
        let start = self.nodes.len();
        if parts.len().is_multiple_of(2) || self.roots.len() >= MOST_TREES || start + parts.len() > MOST_NODES {
            return Err(refused());
        }
        let mut levels = vec![0u8; parts.len()];
        let mut questions = 0;
        for (at, part) in parts.iter().enumerate() {
            let own = (start + at) as u32;
            // Each question's two children come after it, and each node but the first is the child of one.
            if at > 0 && at > 2 * questions {
                return Err(refused());
            }
            let (node, value, cover, missing) = match *part {
                Part::Question { covariate, threshold, missing_left } => {
                    let child = 2 * questions + 1;
                    questions += 1;
                    if child + 1 >= parts.len()
                        || !threshold.is_finite()
                        || usize::from(levels[at]) >= DEEPEST
                        || covariate >= u32::from(u16::MAX)
                    {
                        return Err(refused());
                    }
                    levels[child] = levels[at] + 1;
                    levels[child + 1] = levels[at] + 1;
                    self.covariates = self.covariates.max(covariate as usize + 1);
                    (Node { threshold, covariate, left: start as u32 + child as u32 }, 0.0, 0.0, missing_left)
                }
                Part::Leaf { value, cover } => {
                    if !(value.is_finite() && cover >= 0.0 && cover.is_finite()) {
                        return Err(refused());
                    }
                    // Nothing is above this threshold, so a walk of any length ends here.
                    (Node { threshold: f64::INFINITY, covariate: 0, left: own }, value, cover, true)
                }
            };
            self.nodes.push(node);
            self.values.push(value);
            self.covers.push(cover);
            self.missing_left.push(missing);
        }
        if parts.len() != 2 * questions + 1 {
            return Err(refused());
        }
        for at in (start..self.nodes.len()).rev() {
            let left = self.nodes[at].left as usize;
            if left != at {
                self.covers[at] = self.covers[left] + self.covers[left + 1];
            }
        }
        if !self.covers[start].is_finite() {
            return Err(refused());
        }
        self.roots.push(start as u32);
        self.depths.push(levels.iter().copied().max().unwrap_or(0));
        Ok(())
    }

    /// Leaves the first `trees`.
    pub(super) fn truncate(&mut self, trees: usize) {
        if let Some(end) = self.roots.get(trees).map(|root| *root as usize) {
            self.nodes.truncate(end);
            self.values.truncate(end);
            self.covers.truncate(end);
            self.missing_left.truncate(end);
            self.roots.truncate(trees);
            self.depths.truncate(trees);
            let asked =
                (0..end).filter(|node| !self.is_leaf(*node)).map(|node| self.nodes[node].covariate as usize + 1);
            self.covariates = asked.max().unwrap_or(0);
        }
    }

    /// What the trees add up to for a row; NaN is a missing value. `x` has at least [`Trees::covariates`] numbers.
    pub fn score(&self, x: &[f64]) -> f64 {
        if x.iter().any(|x| x.is_nan()) {
            return self.roots.iter().fold(0.0, |sum, root| sum + self.values[self.leaf(*root as usize, x)]);
        }
        let mut sum = 0.0;
        let (roots, depths) = (self.roots.chunks_exact(ABREAST), self.depths.chunks_exact(ABREAST));
        let rest = roots.remainder();
        for (roots, depths) in roots.zip(depths) {
            let mut at = [0u32; ABREAST];
            at.copy_from_slice(roots);
            for _ in 0..depths.iter().copied().max().unwrap_or(0) {
                for at in &mut at {
                    let node = self.nodes[*at as usize];
                    *at = node.left.wrapping_add(u32::from(x[node.covariate as usize] > node.threshold));
                }
            }
            // In the order of the trees: the sum is the same however many are walked at once.
            at.iter().for_each(|leaf| sum += self.values[*leaf as usize]);
        }
        rest.iter().fold(sum, |sum, root| sum + self.values[self.leaf(*root as usize, x)])
    }

    /// The leaf of a row in the tree that starts at `node`.
    fn leaf(&self, node: usize, x: &[f64]) -> usize {
        let mut at = node;
        while !self.is_leaf(at) {
            at = self.child(at, x);
        }
        at
    }

    /// Where a question sends a row.
    pub(super) fn child(&self, question: usize, x: &[f64]) -> usize {
        let node = self.nodes[question];
        let value = x[node.covariate as usize];
        let left = if value.is_nan() { self.missing_left[question] } else { value <= node.threshold };
        node.left as usize + usize::from(!left)
    }

    /// The mean of what the trees add up to over the rows that grew them: as each tree has it, by the weights of its own.
    pub fn mean(&self) -> f64 {
        let ends = self.roots.iter().skip(1).map(|root| *root as usize).chain([self.nodes.len()]);
        let tree = |(root, end): (&u32, usize)| {
            let root = *root as usize;
            let sum: Sum = (root..end).map(|node| self.values[node] * self.covers[node]).collect();
            if self.covers[root] > 0.0 { sum.total() / self.covers[root] } else { 0.0 }
        };
        self.roots.iter().zip(ends).map(tree).collect::<Sum>().total()
    }

    /// Bytes held in memory by so many nodes.
    pub fn memory_bytes(nodes: usize) -> usize {
        nodes * (size_of::<Node>() + 2 * size_of::<f64>() + size_of::<bool>())
    }
}

impl From<Trees> for Stored {
    fn from(trees: Trees) -> Stored {
        let ends = trees.roots.iter().skip(1).copied().chain([trees.nodes.len() as u32]);
        let nodes = trees.roots.iter().zip(ends).map(|(root, end)| end - root).collect();
        let mut stored = Stored {
            nodes,
            covariate: Vec::with_capacity(trees.nodes.len()),
            threshold: Vec::new(),
            missing_left: Vec::new(),
            value: Vec::new(),
            cover: Vec::new(),
        };
        for (at, node) in trees.nodes.iter().enumerate() {
            if trees.is_leaf(at) {
                stored.covariate.push(0);
                stored.value.push(trees.values[at]);
                stored.cover.push(trees.covers[at]);
            } else {
                stored.covariate.push(node.covariate as u16 + 1);
                stored.threshold.push(node.threshold);
                stored.missing_left.push(trees.missing_left[at]);
            }
        }
        stored
    }
}

impl TryFrom<Stored> for Trees {
    type Error = Error;

    fn try_from(stored: Stored) -> Result<Trees> {
        let refused = || Error::malformed("the arrays of a boosted model differ in length");
        let leaves = stored.covariate.iter().filter(|covariate| **covariate == 0).count();
        let questions = stored.covariate.len() - leaves;
        let total: u64 = stored.nodes.iter().map(|nodes| u64::from(*nodes)).sum();
        if total != stored.covariate.len() as u64
            || [stored.threshold.len(), stored.missing_left.len()] != [questions; 2]
            || [stored.value.len(), stored.cover.len()] != [leaves; 2]
        {
            return Err(refused());
        }
        let (mut trees, mut start, mut question, mut leaf) = (Trees::default(), 0, 0, 0);
        let mut parts = Vec::new();
        for nodes in stored.nodes {
            let end = start + nodes as usize;
            parts.clear();
            for covariate in &stored.covariate[start..end] {
                parts.push(match covariate.checked_sub(1) {
                    Some(covariate) => {
                        question += 1;
                        Part::Question {
                            covariate: covariate.into(),
                            threshold: stored.threshold[question - 1],
                            missing_left: stored.missing_left[question - 1],
                        }
                    }
                    None => {
                        leaf += 1;
                        Part::Leaf { value: stored.value[leaf - 1], cover: stored.cover[leaf - 1] }
                    }
                });
            }
            trees.push(&parts)?;
            start = end;
        }
        Ok(trees)
    }
}
