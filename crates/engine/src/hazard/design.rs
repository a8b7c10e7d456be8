//! The rows of a regression: columns of times, events and covariates, which merge.

use std::sync::LazyLock;

use crate::hazard::labels::Labels;
use crate::{Error, Result};

mod filling;

/// The rows from which a model of time to event is fitted: exit, event, entry, weight and p covariates each; where a
/// model asks for them also a stratum, a cluster, an offset, and an upper bound of a time known to an interval only.
///
/// A subject is at risk at `t` when `entry < t <= exit`; a subject without a delayed entry is at risk from the start,
/// an event at time 0 included. Rows are kept in the order in which they came; no fit depends on it beyond rounding.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Design {
    pub(super) covariates: usize,
    pub(super) exits: Vec<f64>,
    pub(super) events: Vec<bool>,
    /// Empty when nobody enters late; otherwise 0 for those who do not.
    pub(super) entries: Vec<f64>,
    /// Empty when all weights are 1.
    pub(super) weights: Vec<f64>,
    /// Empty when all are 0.
    pub(super) offsets: Vec<f64>,
    /// Empty when no time is known to an interval only; otherwise infinite for the other rows.
    pub(super) uppers: Vec<f64>,
    /// Empty when the rows have none; then every row has one.
    pub(super) strata: Labels,
    /// Empty when the rows have none; a row without a label is a cluster of its own.
    pub(super) clusters: Labels,
    /// Empty when endings have no causes; otherwise 0 for the rows without an event. Rows with causes have no offsets,
    /// upper bounds, strata or clusters.
    pub(super) causes: Vec<u8>,
    /// Empty when the rows are of times; otherwise what is explained, and the rows have no times, events, upper bounds,
    /// strata or causes.
    pub(super) amounts: Vec<f64>,
    /// Rows × covariates, row-major.
    pub(super) x: Vec<f64>,
    pub(super) skipped: u64,
    /// Whether a covariate may be NaN, which is a value that is missing. Only trees know what to do with it.
    pub(super) takes_missing: bool,
}

/// One subject with everything a model may want to know of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Row<'a> {
    /// When it came under observation, if that was later than 0.
    pub entry: f64,
    /// When it left; of a time known to an interval only, the lower bound.
    pub exit: f64,
    /// The event happened at `exit`.
    pub event: bool,
    /// The event happened after `exit` and at or before this; `None` for every other row.
    pub upper: Option<f64>,
    pub weight: f64,
    /// A part of the linear predictor whose coefficient is 1.
    pub offset: f64,
    /// `None` in a design without strata.
    pub stratum: Option<&'a str>,
    /// `None` in a design without clusters; `Some(None)` is a cluster of its own.
    pub cluster: Option<Option<&'a str>>,
    pub x: &'a [f64],
}

impl Design {
    /// The same, in which a covariate of a row may be missing: NaN.
    pub fn taking_missing(mut self) -> Design {
        self.take_missing();
        self
    }

    /// From now on a covariate of a row may be missing: NaN.
    pub fn take_missing(&mut self) {
        self.takes_missing = true;
    }

    /// # Errors
    /// [`Error::Invalid`] when a covariate may be missing: what every fit but that of trees must ask first.
    pub fn check_complete(&self) -> Result<()> {
        if !self.takes_missing || self.x.iter().all(|x| x.is_finite()) {
            return Ok(());
        }
        Err(Error::invalid(
            "the rows have covariates that are missing",
            "Only boosted models take them: gather the rows with design_agg, which leaves such rows out, or fill the values in.",
        ))
    }

    /// What each row is to explain; empty when the rows are of times.
    pub fn amounts(&self) -> &[f64] {
        &self.amounts
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.exits.len()
    }

    pub fn is_empty(&self) -> bool {
        self.exits.is_empty()
    }

    /// Number of covariates per row; 0 as long as there is no row.
    pub fn covariates(&self) -> usize {
        self.covariates
    }

    /// Whether coefficients come by elsewhere can stand beside a fit of `fitted` ones on this design.
    ///
    /// # Errors
    /// [`Error::Invalid`] without rows, and unless all have the covariates of the design and the covariance their size.
    pub fn matches(&self, fitted: usize, coefficients: &[Option<f64>], covariance: &[f64]) -> Result<()> {
        let p = self.covariates();
        if self.is_empty() || coefficients.len() != p || fitted != p || covariance.len() != p * p {
            return Err(Error::invalid(
                format!("{} coefficients for {p} covariates of {} rows", coefficients.len(), self.len()),
                "Give the rows of the same covariates, in their order.",
            ));
        }
        Ok(())
    }

    /// Rows left out because an argument was NULL.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// The exit times, in the order of the rows.
    pub fn exits(&self) -> &[f64] {
        &self.exits
    }

    /// Whether each row left by the event.
    pub fn events(&self) -> &[bool] {
        &self.events
    }

    /// The entry time of each row, 0 where it was not delayed; empty when nobody enters late.
    pub fn entries(&self) -> &[f64] {
        &self.entries
    }

    /// The weight of each row; empty when all are 1.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// What is added to the linear predictor of each row; empty when it is 0 for all.
    pub fn offsets(&self) -> &[f64] {
        &self.offsets
    }

    /// The upper bound of each row whose event is known to have been in `(exit, upper]`, infinite for all other rows;
    /// empty when there is no such row.
    pub fn uppers(&self) -> &[f64] {
        &self.uppers
    }

    /// The stratum of each row; empty when there are none, or none but the one without a name.
    pub fn strata(&self) -> &Labels {
        static NONE: LazyLock<Labels> = LazyLock::new(Labels::default);
        match self.strata.names() {
            [name] if name.is_empty() => &NONE,
            _ => &self.strata,
        }
    }

    /// The cluster of each row; empty when there are none.
    pub fn clusters(&self) -> &Labels {
        &self.clusters
    }

    /// What each row ended by, 0 where it did not; empty when endings have no causes.
    pub fn causes(&self) -> &[u8] {
        &self.causes
    }

    /// The covariates: rows × covariates, row-major.
    pub fn x(&self) -> &[f64] {
        &self.x
    }

    /// Memory held, in bytes.
    pub fn memory_bytes(&self) -> usize {
        let columns = [&self.exits, &self.entries, &self.weights, &self.offsets, &self.uppers, &self.amounts, &self.x];
        let floats: usize = columns.iter().map(|column| column.capacity()).sum();
        floats.saturating_mul(size_of::<f64>()).saturating_add(self.events.capacity() + self.causes.capacity())
            + self.strata.memory_bytes()
            + self.clusters.memory_bytes()
    }

    fn has_entries(&self) -> bool {
        !self.entries.is_empty()
    }

    fn has_weights(&self) -> bool {
        !self.weights.is_empty()
    }

    pub(super) fn has_extras(&self) -> bool {
        !(self.offsets.is_empty() && self.uppers.is_empty() && self.strata.is_empty() && self.clusters.is_empty())
    }
}
