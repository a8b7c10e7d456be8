//! How rows come into a design: checked, and with room made first, so that an error leaves it as it was.

use crate::memory::Room;
use std::collections::TryReserveError;

use super::{Design, Row};
use crate::survival::incidence::cause_number;
use crate::{Error, Result};

impl Design {
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
            false => column.room(rows + 1 - column.len()),
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
        self.causes.room(1).map_err(|_| no_memory(self.len() + 1, x.len()))?;
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
        self.push_clustered_amount(amount, weight, offset, None, x)
    }

    /// As [`Design::push_amount`] with the row's cluster; `None` in a design without clusters, `Some(None)` is a cluster of
    /// its own.
    ///
    /// # Errors
    /// As [`Design::push_amount`]; also when only some rows have a cluster.
    pub fn push_clustered_amount(
        &mut self,
        amount: f64,
        weight: f64,
        offset: f64,
        cluster: Option<Option<&str>>,
        x: &[f64],
    ) -> Result<()> {
        let rows = self.len();
        if rows > 0 && self.amounts.is_empty() {
            return Err(some_only("amount"));
        }
        if rows > 0 && cluster.is_some() == self.clusters.is_empty() {
            return Err(some_only("cluster"));
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
        if let Some(cluster) = cluster {
            self.clusters.push(cluster)?;
        }
        if offsets > 0 {
            self.offsets.resize(rows, 0.0);
            self.offsets.push(offset + 0.0);
        }
        self.amounts.push(amount + 0.0);
        self.append(0.0, 0.0, false, weight, x);
        Ok(())
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
            self.causes.room(other.causes.len()).map_err(|_| no_memory(other.len(), other.covariates))?;
            self.reserve(other.len(), other.covariates, late, weighted)?;
            let (rows, total) = (self.len(), self.len() + other.len());
            let join = |column: &mut Vec<f64>, more: &[f64], absent: f64| {
                if !column.is_empty() || !more.is_empty() {
                    column.room(total - column.len())?;
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

    #[inline]
    pub(in crate::hazard) fn check_row(&self, entry: f64, exit: f64, weight: f64, x: &[f64]) -> Result<()> {
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
        ..LONG => column.room(more),
        length => column.exact_room(more.max(length / 32)),
    }
}

fn no_memory(rows: usize, covariates: usize) -> Error {
    Error::NoMemory(format!("no memory is left for {rows} rows of {covariates} covariates"))
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
    let article = if what.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    Error::invalid(format!("only some of the rows have {article} {what}"), "Give every row one, or none.")
}

fn different_width(expected: usize, found: usize) -> Error {
    Error::invalid(
        format!("all rows must have the same covariates: {expected} in the rows before, {found} here"),
        "Give every row the same features.",
    )
}
