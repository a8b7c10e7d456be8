//! Tree after tree, until there are enough or more of them do no good.

use serde::{Deserialize, Serialize};

use crate::boost::bins::Bins;
use crate::boost::growing::{Ground, Growing, Tree};
use crate::boost::objective::Objective;
use crate::boost::options::Options;
use crate::boost::order::chosen;
use crate::boost::trees::Trees;
use crate::hazard::timeline::reserve;
use crate::{Interrupt, Result};

/// Why there are no more trees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// As many as were asked for.
    Complete,
    /// The rows kept for it were told best by these; those after were thrown away.
    Early,
    /// No split gains anything any more.
    Exhausted,
    /// The scores have come so far apart that they are on their way to certainty.
    Separated,
    /// There was nothing to fit.
    NoEvents,
}

/// The rows, by their numbers in the one order.
pub(super) struct Rows {
    pub grown_from: Vec<u32>,
    /// To stop by; empty when trees are grown to the end.
    pub kept: Vec<u32>,
}

/// What boosting came to.
pub(super) struct Boosted {
    pub trees: Trees,
    /// By covariate, what the splits on it gained.
    pub gains: Vec<f64>,
    /// By row, what the trees add up to, and what it had at the start.
    pub scores: Vec<f64>,
    /// Of the rows kept: before the first tree, and after each.
    pub losses: Vec<f64>,
    pub end: End,
}

/// Salt of what is left to chance.
const SUBSAMPLE: u64 = 1;

pub(super) fn boost(
    bins: &Bins,
    weights: &[f64],
    rows: &Rows,
    start: Vec<f64>,
    options: &Options,
    objective: &mut impl Objective,
    interrupt: Interrupt,
) -> Result<Boosted> {
    let (mut scores, n) = (start, bins.rows());
    let (mut slopes, mut sample, mut best_scores) = (Vec::new(), Vec::new(), Vec::new());
    reserve(&mut slopes, n)?;
    slopes.resize(n, [0.0; 2]);
    reserve(&mut sample, rows.grown_from.len())?;
    let stops = options.early_stopping > 0 && !rows.kept.is_empty();
    let (mut losses, mut best) = (Vec::new(), 0);
    if stops {
        losses.push(objective.kept_loss(&scores, interrupt)?);
        reserve(&mut best_scores, n)?;
        best_scores.extend_from_slice(&scores);
    }
    let mut gains_by_tree: Vec<Vec<f64>> = Vec::new();
    let (mut trees, mut growing, mut end) = (Trees::default(), Growing::new(bins.covariates), End::Complete);
    let mut others: Vec<u32> = Vec::new();
    reserve(&mut others, n)?;
    let longest_step = objective.longest_step();
    for round in 0..options.trees {
        objective.slopes(&scores, &mut slopes, interrupt)?;
        let sees =
            |row: &u32| chosen(options.subsample, &[SUBSAMPLE, options.seed as u64, round as u64, u64::from(*row)]);
        sample.clear();
        others.clear();
        others.extend_from_slice(&rows.kept);
        if options.subsample >= 1.0 {
            sample.extend_from_slice(&rows.grown_from);
        } else {
            for row in &rows.grown_from {
                if sees(row) { sample.push(*row) } else { others.push(*row) }
            }
        }
        let ground = Ground { bins, slopes: &slopes, weights, options, longest_step };
        let mut gains = vec![0.0; bins.covariates];
        let tree: Tree = growing.tree(&ground, &mut sample, &mut scores, &mut gains, interrupt)?;
        tree.add_to(bins, &others, &mut scores, interrupt)?;
        trees.push(&tree.parts())?;
        gains_by_tree.push(gains);
        let spread = scores
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), score| (low.min(*score), high.max(*score)));
        if stops {
            let loss = objective.kept_loss(&scores, interrupt)?;
            losses.push(loss);
            if loss < losses[best] {
                best = trees.len();
                best_scores.copy_from_slice(&scores);
            }
            if trees.len() - best >= options.early_stopping {
                end = End::Early;
                break;
            }
        }
        if tree.is_single() && options.subsample >= 1.0 {
            // The next tree would be a constant too.
            end = End::Exhausted;
            break;
        }
        if spread.1 - spread.0 > objective.widest() {
            end = End::Separated;
            break;
        }
    }
    if stops {
        // What the kept rows do not bear out is thrown away, whatever ended the growing.
        if best < trees.len() && end == End::Complete {
            end = End::Early;
        }
        trees.truncate(best);
        scores = best_scores;
    }
    let mut gains = vec![0.0; bins.covariates];
    for tree in gains_by_tree.iter().take(trees.len()) {
        gains.iter_mut().zip(tree).for_each(|(gain, more)| *gain += more);
    }
    Ok(Boosted { trees, gains, scores, losses, end })
}
