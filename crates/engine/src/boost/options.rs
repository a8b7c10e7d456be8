//! What a boosted fit is asked, and the bounds of sense.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Most trees of a model; with [`DEEPEST`] the bound of what a stored value may hold.
pub const MOST_TREES: usize = 10_000;
pub const DEEPEST: usize = 16;

/// How the trees grow and when they stop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// Trees at most.
    pub trees: usize,
    /// Questions on the way to a leaf, at most.
    pub depth: usize,
    /// The share of a leaf's own step that is taken.
    pub learning_rate: f64,
    /// The second derivatives a leaf must have: for a hazard, the events expected of its rows.
    pub min_child_weight: f64,
    /// Added to the second derivatives of a leaf: the ridge penalty on its step.
    pub l2: f64,
    /// What a split must gain.
    pub gamma: f64,
    /// The share of the rows that each tree sees.
    pub subsample: f64,
    /// By covariate: 1 when the prediction must not fall with it, −1 when it must not rise, else 0. Empty: none.
    pub monotone: Vec<i8>,
    /// Rounds without a better loss on the rows kept for it after which no more trees are grown; 0: never stop early.
    pub early_stopping: usize,
    /// The share of rows kept for that.
    pub validation: f64,
    /// Of which rows these are, and which a tree sees.
    pub seed: i64,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            trees: 200,
            depth: 4,
            learning_rate: 0.1,
            min_child_weight: 20.0,
            l2: 1.0,
            gamma: 0.0,
            subsample: 1.0,
            monotone: Vec::new(),
            early_stopping: 20,
            validation: 0.2,
            seed: 0,
        }
    }
}

impl Options {
    /// # Errors
    /// [`Error::Invalid`] for an option outside its bounds, or constraints that are not one for each of `covariates`.
    pub fn check(&self, covariates: usize) -> Result<()> {
        let refused = |name: &str, value: String, hint: &str| {
            Err(Error::invalid(format!("{name} cannot be {value}"), hint.to_owned()))
        };
        if !(1..=MOST_TREES).contains(&self.trees) {
            return refused("trees", self.trees.to_string(), "It is how many trees are grown at most: 1 to 10000.");
        }
        if !(1..=DEEPEST).contains(&self.depth) {
            return refused("depth", self.depth.to_string(), "It is how many questions lead to a leaf: 1 to 16.");
        }
        if !(self.learning_rate > 0.0 && self.learning_rate <= 1.0) {
            return refused("learning_rate", self.learning_rate.to_string(), "It is above 0 and at most 1.");
        }
        if !(self.subsample > 0.0 && self.subsample <= 1.0) {
            return refused(
                "subsample",
                self.subsample.to_string(),
                "It is a share of the rows: above 0 and at most 1.",
            );
        }
        if !(0.0..1.0).contains(&self.validation) {
            return refused(
                "validation",
                self.validation.to_string(),
                "It is a share of the rows: at least 0, below 1.",
            );
        }
        for (name, value) in [("min_child_weight", self.min_child_weight), ("l2", self.l2), ("gamma", self.gamma)] {
            if !(0.0..f64::INFINITY).contains(&value) {
                return refused(name, value.to_string(), "It is finite and not negative.");
            }
        }
        if !(self.monotone.is_empty() || self.monotone.len() == covariates) {
            return Err(Error::invalid(
                format!("{} directions for {covariates} covariates", self.monotone.len()),
                "Give one of 1, 0 and -1 for each.",
            ));
        }
        match self.monotone.iter().find(|direction| !(-1..=1).contains(*direction)) {
            Some(direction) => refused("a direction", direction.to_string(), "One of 1 (rises), -1 (falls) and 0."),
            None => Ok(()),
        }
    }

    /// Whether rows are to be kept to stop by.
    pub fn stops(&self) -> bool {
        self.early_stopping > 0 && self.validation > 0.0
    }

    /// Which way the prediction may go with a covariate.
    pub(super) fn direction(&self, covariate: usize) -> i8 {
        self.monotone.get(covariate).copied().unwrap_or(0)
    }
}
