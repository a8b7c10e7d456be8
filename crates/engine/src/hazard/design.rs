//! The rows of a regression: columns of times, events and covariates, which merge.

use std::collections::TryReserveError;
use std::sync::LazyLock;

use crate::hazard::labels::Labels;
use crate::survival::incidence::cause_number;
use crate::{Error, Result};

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
    /// strata, clusters or causes.
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

    /// Adds one subject. `entry` is when it came under observation if that was later than 0, `exit` when it left, by
    /// the event or else censored; all times are on one clock. `x` holds its covariates.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `exit` is negative or not finite, `entry` is not in `[0, exit)` (0 is no delayed entry and
    /// goes with any `exit`), `weight` is not finite and positive, a covariate is not finite or their number differs from
    /// that of the rows before; [`Error::OutOfRange`] when the memory of the server is exhausted.
    pub fn push(&mut self, entry: Option<f64>, exit: f64, event: bool, weight: f64, x: &[f64]) -> Result<()> {
        let entry = entry.unwrap_or(0.0);
        self.check_row(entry, exit, weight, x)?;
        if !self.causes.is_empty() {
            return Err(some_only("cause"));
        }
        if !self.amounts.is_empty() {
            return Err(some_only("amount"));
        }
        if self.has_extras() {
            return self.push_row(&Row { entry, exit, event, weight, x, ..Row::default() });
        }
        self.reserve(1, x.len(), entry > 0.0, weight != 1.0)?;
        self.append(entry, exit, event, weight, x);
        Ok(())
    }

    /// As [`Design::push`] for a row with more than that.
    ///
    /// # Errors
    /// As [`Design::push`]; also when `upper` is not finite and greater than `exit` or goes with an event, when the
    /// offset is not finite, and when only some rows have a stratum or a cluster.
    pub fn push_row(&mut self, row: &Row) -> Result<()> {
        self.check_row(row.entry, row.exit, row.weight, row.x)?;
        if let Some(upper) = row.upper
            && (row.event || !(upper > row.exit && upper < f64::INFINITY))
        {
            return Err(Error::invalid(
                format!("the event is said to be in ({}, {upper}], which is no interval", row.exit),
                "The upper bound must be finite and greater than the lower one.",
            ));
        }
        check_offset(row.offset)?;
        if !self.causes.is_empty() {
            return Err(some_only("cause"));
        }
        if !self.amounts.is_empty() {
            return Err(some_only("amount"));
        }
        let rows = self.len();
        if rows > 0 && row.stratum.is_some() == self.strata.is_empty() {
            return Err(some_only("stratum"));
        }
        if rows > 0 && row.cluster.is_some() == self.clusters.is_empty() {
            return Err(some_only("cluster"));
        }
        self.reserve(1, row.x.len(), row.entry > 0.0, row.weight != 1.0)?;
        let room = |column: &mut Vec<f64>, wanted: bool| match column.is_empty() && !wanted {
            true => Ok(()),
            false => column.try_reserve(rows + 1 - column.len()),
        };
        room(&mut self.offsets, row.offset != 0.0)
            .and_then(|()| room(&mut self.uppers, row.upper.is_some()))
            .map_err(|_| no_memory(rows + 1, row.x.len()))?;
        if let Some(stratum) = row.stratum {
            self.strata.push(Some(stratum))?;
        }
        if let Some(cluster) = row.cluster {
            self.clusters.push(cluster)?;
        }
        if !self.offsets.is_empty() || row.offset != 0.0 {
            self.offsets.resize(rows, 0.0);
            self.offsets.push(row.offset + 0.0);
        }
        if !self.uppers.is_empty() || row.upper.is_some() {
            self.uppers.resize(rows, f64::INFINITY);
            self.uppers.push(row.upper.unwrap_or(f64::INFINITY));
        }
        self.append(row.entry, row.exit, row.event, row.weight, row.x);
        Ok(())
    }

    /// Adds one subject with what it ended by: a cause from 1 to 255, or 0 when it did not. For everything but a model
    /// of one cause, an ending by any cause is the event.
    ///
    /// # Errors
    /// As [`Design::push`]; also for a cause outside 0..=255, and when the rows before have no causes.
    pub fn push_cause(&mut self, entry: f64, exit: f64, cause: i32, weight: f64, x: &[f64]) -> Result<()> {
        let cause = cause_number(cause, true)?;
        self.check_row(entry, exit, weight, x)?;
        if !self.is_empty() && self.causes.is_empty() {
            return Err(some_only(if self.amounts.is_empty() { "cause" } else { "amount" }));
        }
        self.reserve(1, x.len(), entry > 0.0, weight != 1.0)?;
        self.causes.try_reserve(1).map_err(|_| no_memory(self.len() + 1, x.len()))?;
        self.causes.push(cause as u8);
        self.append(entry, exit, cause > 0, weight, x);
        Ok(())
    }

    /// Adds one row of a model of amounts: `amount` is what is explained, `offset` a part of the linear predictor whose
    /// coefficient is 1.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the amount, the offset or a covariate is not finite, the weight is not finite and positive,
    /// the number of covariates differs from that of the rows before, or these are rows of times; [`Error::OutOfRange`]
    /// when the memory of the server is exhausted.
    pub fn push_amount(&mut self, amount: f64, weight: f64, offset: f64, x: &[f64]) -> Result<()> {
        let rows = self.len();
        if rows > 0 && self.amounts.is_empty() {
            return Err(some_only("amount"));
        }
        if !amount.is_finite() {
            return Err(Error::invalid(
                format!("the amount must be finite, got {amount}"),
                "Leave the row out, or find where the number comes from.",
            ));
        }
        check_offset(offset)?;
        self.check_row(0.0, 0.0, weight, x)?;
        self.reserve(1, x.len(), false, weight != 1.0)?;
        let offsets = if self.offsets.is_empty() && offset == 0.0 { 0 } else { rows + 1 - self.offsets.len() };
        room(&mut self.amounts, 1)
            .and_then(|()| room(&mut self.offsets, offsets))
            .map_err(|_| no_memory(rows + 1, x.len()))?;
        if offsets > 0 {
            self.offsets.resize(rows, 0.0);
            self.offsets.push(offset + 0.0);
        }
        self.amounts.push(amount + 0.0);
        self.append(0.0, 0.0, false, weight, x);
        Ok(())
    }

    /// What each row is to explain; empty when the rows are of times.
    pub fn amounts(&self) -> &[f64] {
        &self.amounts
    }

    /// Adds a row that is known to be good and for which there is room.
    fn append(&mut self, entry: f64, exit: f64, event: bool, weight: f64, x: &[f64]) {
        self.covariates = x.len();
        // Adding 0 turns −0 into 0.
        self.exits.push(exit + 0.0);
        self.events.push(event);
        if self.has_entries() || entry > 0.0 {
            self.entries.resize(self.exits.len() - 1, 0.0);
            self.entries.push(entry + 0.0);
        }
        if self.has_weights() || weight != 1.0 {
            self.weights.resize(self.exits.len() - 1, 1.0);
            self.weights.push(weight);
        }
        self.x.extend_from_slice(x);
    }

    /// Notes a row that was left out because an argument was NULL.
    pub fn skip(&mut self) {
        self.skipped = self.skipped.saturating_add(1);
    }

    /// Appends the rows of `other`.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the two have different numbers of covariates; [`Error::OutOfRange`] when the memory of
    /// the server is exhausted.
    pub fn merge(&mut self, other: &Design) -> Result<()> {
        if !other.is_empty() {
            if !self.is_empty() && self.covariates != other.covariates {
                return Err(different_width(self.covariates, other.covariates));
            }
            if !self.is_empty() && self.strata.is_empty() != other.strata.is_empty() {
                return Err(some_only("stratum"));
            }
            if !self.is_empty() && self.clusters.is_empty() != other.clusters.is_empty() {
                return Err(some_only("cluster"));
            }
            if !self.is_empty() && self.causes.is_empty() != other.causes.is_empty() {
                return Err(some_only("cause"));
            }
            if !self.is_empty() && self.amounts.is_empty() != other.amounts.is_empty() {
                return Err(some_only("amount"));
            }
            let (late, weighted) = (other.has_entries(), other.has_weights());
            room(&mut self.amounts, other.amounts.len()).map_err(|_| no_memory(other.len(), other.covariates))?;
            self.causes.try_reserve(other.causes.len()).map_err(|_| no_memory(other.len(), other.covariates))?;
            self.reserve(other.len(), other.covariates, late, weighted)?;
            let (rows, total) = (self.len(), self.len() + other.len());
            let join = |column: &mut Vec<f64>, more: &[f64], absent: f64| {
                if !column.is_empty() || !more.is_empty() {
                    column.try_reserve(total - column.len())?;
                    column.resize(rows, absent);
                    column.extend_from_slice(more);
                    column.resize(total, absent);
                }
                Ok(())
            };
            join(&mut self.offsets, &other.offsets, 0.0)
                .and_then(|()| join(&mut self.uppers, &other.uppers, f64::INFINITY))
                .map_err(|_: std::collections::TryReserveError| no_memory(total, other.covariates))?;
            self.causes.extend_from_slice(&other.causes);
            self.amounts.extend_from_slice(&other.amounts);
            self.strata.merge(&other.strata)?;
            self.clusters.merge(&other.clusters)?;
            self.covariates = other.covariates;
            if self.has_entries() || late {
                self.entries.resize(self.exits.len(), 0.0);
                self.entries.extend_from_slice(&other.entries);
                self.entries.resize(self.exits.len() + other.len(), 0.0);
            }
            if self.has_weights() || weighted {
                self.weights.resize(self.exits.len(), 1.0);
                self.weights.extend_from_slice(&other.weights);
                self.weights.resize(self.exits.len() + other.len(), 1.0);
            }
            self.exits.extend_from_slice(&other.exits);
            self.events.extend_from_slice(&other.events);
            self.x.extend_from_slice(&other.x);
        }
        self.skipped = self.skipped.saturating_add(other.skipped);
        self.takes_missing |= other.takes_missing;
        Ok(())
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

    #[inline]
    pub(super) fn check_row(&self, entry: f64, exit: f64, weight: f64, x: &[f64]) -> Result<()> {
        let valid = (0.0..f64::INFINITY).contains(&exit)
            && (entry == 0.0 || (entry > 0.0 && entry < exit))
            && (weight > 0.0 && weight < f64::INFINITY)
            && (x.len() == self.covariates || self.is_empty())
            && x.iter()
                .fold(true, |finite, value| finite & (value.is_finite() | (self.takes_missing & value.is_nan())));
        if valid { Ok(()) } else { Err(self.row_error(entry, exit, weight, x)) }
    }

    #[cold]
    fn row_error(&self, entry: f64, exit: f64, weight: f64, x: &[f64]) -> Error {
        if !(0.0..f64::INFINITY).contains(&exit) {
            return Error::invalid(
                format!("duration must be finite and not negative, got {exit}"),
                "Durations are measured from the start of the contract, in any unit.",
            );
        }
        if !(entry == 0.0 || (entry > 0.0 && entry < exit)) {
            return Error::invalid(
                format!("entry {entry} must be at least 0 and less than the duration {exit}"),
                "Both are measured from the same origin: a contract seen from month 3 until month 10 has entry 3 and duration 10.",
            );
        }
        if !(weight > 0.0 && weight < f64::INFINITY) {
            return Error::invalid(
                format!("weight must be finite and greater than 0, got {weight}"),
                "Filter the rows that should not count.",
            );
        }
        if x.len() != self.covariates && !self.is_empty() {
            return different_width(self.covariates, x.len());
        }
        let at = x.iter().position(|value| !value.is_finite()).unwrap_or(0);
        Error::invalid(
            format!("covariate {} must be finite, got {}", at + 1, x[at]),
            "Leave the row out or fill the gap, say with the mean and a 0/1 column that marks the gap.",
        )
    }

    /// Room for `rows` more rows of `covariates`, so that nothing that follows can fail.
    fn reserve(&mut self, rows: usize, covariates: usize, late: bool, weighted: bool) -> Result<()> {
        let total = self.exits.len().saturating_add(rows);
        let optional = |present: bool, length: usize| if present { total - length } else { 0 };
        let entries = optional(late || self.has_entries(), self.entries.len());
        let weights = optional(weighted || self.has_weights(), self.weights.len());
        let reserved = room(&mut self.exits, rows)
            .and_then(|()| room(&mut self.events, rows))
            .and_then(|()| room(&mut self.entries, entries))
            .and_then(|()| room(&mut self.weights, weights))
            .and_then(|()| room(&mut self.x, rows.saturating_mul(covariates)));
        reserved.map_err(|_| no_memory(total, covariates))
    }
}

/// Room for `more` items. Long columns grow by a thirty-second, not to twice their length: the system moves them by their
/// pages, without a copy.
#[inline]
fn room<T>(column: &mut Vec<T>, more: usize) -> std::result::Result<(), TryReserveError> {
    const LONG: usize = 1 << 16;
    if column.capacity() - column.len() >= more {
        return Ok(());
    }
    match column.len() {
        ..LONG => column.try_reserve(more),
        length => column.try_reserve_exact(more.max(length / 32)),
    }
}

fn no_memory(rows: usize, covariates: usize) -> Error {
    Error::OutOfRange(format!("no memory is left for {rows} rows of {covariates} covariates"))
}

fn check_offset(offset: f64) -> Result<()> {
    if offset.is_finite() {
        return Ok(());
    }
    Err(Error::invalid(
        format!("the offset must be finite, got {offset}"),
        "It is added to the linear predictor with coefficient 1.",
    ))
}

fn some_only(what: &str) -> Error {
    Error::invalid(format!("only some of the rows have a {what}"), "Give every row one, or none.")
}

fn different_width(expected: usize, found: usize) -> Error {
    Error::invalid(
        format!("all rows must have the same covariates: {expected} in the rows before, {found} here"),
        "Give every row the same features.",
    )
}
