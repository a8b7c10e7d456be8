//! The rows of a regression: columns of times, events and covariates, which merge.

use crate::numeric::bytes::{Reader, Writer};
use crate::{Error, Result};

const VERSION: u8 = 1;
const HAS_ENTRIES: u8 = 1;
const HAS_WEIGHTS: u8 = 2;

/// The rows from which a model of time to event is fitted: exit, event, entry, weight and p covariates each.
///
/// A subject is at risk at `t` when `entry < t <= exit`; a subject without a delayed entry is at risk from the start,
/// an event at time 0 included. Rows are kept in the order in which they came; no fit depends on it beyond rounding.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Design {
    covariates: usize,
    exits: Vec<f64>,
    events: Vec<bool>,
    /// Empty when nobody enters late; otherwise 0 for those who do not.
    entries: Vec<f64>,
    /// Empty when all weights are 1.
    weights: Vec<f64>,
    /// Rows × covariates, row-major.
    x: Vec<f64>,
    skipped: u64,
}

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
        self.reserve(1, x.len(), entry > 0.0, weight != 1.0)?;
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
        Ok(())
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
            let (late, weighted) = (other.has_entries(), other.has_weights());
            self.reserve(other.len(), other.covariates, late, weighted)?;
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

    /// The covariates: rows × covariates, row-major.
    pub fn x(&self) -> &[f64] {
        &self.x
    }

    /// Memory held, in bytes.
    pub fn memory_bytes(&self) -> usize {
        let floats = self.exits.capacity() + self.entries.capacity() + self.weights.capacity() + self.x.capacity();
        floats.saturating_mul(size_of::<f64>()).saturating_add(self.events.capacity())
    }

    /// The stored form: version, flags, numbers of covariates, skipped rows and rows; then the columns exit, event,
    /// entry and weight (where flagged) and the covariates row by row. Whole numbers as LEB128, floats little-endian.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        let floats = self.exits.len() + self.entries.len() + self.weights.len() + self.x.len();
        out.bytes.reserve_exact(floats * 8 + self.events.len() + 32);
        out.byte(VERSION);
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        out.byte(flag(self.has_entries(), HAS_ENTRIES) | flag(self.has_weights(), HAS_WEIGHTS));
        out.whole(self.covariates as u64);
        out.whole(self.skipped);
        out.whole(self.exits.len() as u64);
        self.exits.iter().for_each(|exit| out.float(*exit));
        self.events.iter().for_each(|event| out.byte(u8::from(*event)));
        self.entries.iter().for_each(|entry| out.float(*entry));
        self.weights.iter().for_each(|weight| out.float(*weight));
        self.x.iter().for_each(|value| out.float(*value));
        out.bytes
    }

    /// # Errors
    /// [`Error::Malformed`] for anything that [`Design::encode`] could not have written.
    pub fn decode(bytes: &[u8]) -> Result<Design> {
        let mut from = Reader::new(bytes);
        let version = from.byte()?;
        if version != VERSION {
            return Err(Error::malformed(format!("format version {version} of a design is not known to this release")));
        }
        let flags = from.byte()?;
        if flags & !(HAS_ENTRIES | HAS_WEIGHTS) != 0 {
            return Err(Error::malformed(format!("unknown flags {flags} of a design")));
        }
        let covariates = usize::try_from(from.whole()?).map_err(|_| inconsistent())?;
        let skipped = from.whole()?;
        let columns = 1 + flags.count_ones() as usize;
        let bytes_per_row =
            covariates.checked_add(columns).and_then(|floats| floats.checked_mul(8)).ok_or_else(inconsistent)?;
        let rows = from.count(bytes_per_row.saturating_add(1))?;
        if (rows == 0) != (covariates == 0) || (rows == 0 && flags != 0) {
            return Err(inconsistent());
        }
        let exits = column(&mut from, rows)?;
        let events = (0..rows).map(|_| flag(&mut from)).collect::<Result<Vec<bool>>>()?;
        let entries = column(&mut from, if flags & HAS_ENTRIES != 0 { rows } else { 0 })?;
        let weights = column(&mut from, if flags & HAS_WEIGHTS != 0 { rows } else { 0 })?;
        let x = column(&mut from, rows.checked_mul(covariates).ok_or_else(inconsistent)?)?;
        from.finish()?;
        let design = Design { covariates, exits, events, entries, weights, x, skipped };
        design.validate()?;
        Ok(design)
    }

    fn validate(&self) -> Result<()> {
        for (i, exit) in self.exits.iter().enumerate() {
            let entry = self.entries.get(i).copied().unwrap_or(0.0);
            let weight = self.weights.get(i).copied().unwrap_or(1.0);
            let x = &self.x[i * self.covariates..(i + 1) * self.covariates];
            self.check_row(entry, *exit, weight, x).map_err(|error| Error::malformed(error.to_string()))?;
        }
        Ok(())
    }

    fn has_entries(&self) -> bool {
        !self.entries.is_empty()
    }

    fn has_weights(&self) -> bool {
        !self.weights.is_empty()
    }

    #[inline]
    fn check_row(&self, entry: f64, exit: f64, weight: f64, x: &[f64]) -> Result<()> {
        let valid = (0.0..f64::INFINITY).contains(&exit)
            && (entry == 0.0 || (entry > 0.0 && entry < exit))
            && (weight > 0.0 && weight < f64::INFINITY)
            && !x.is_empty()
            && (x.len() == self.covariates || self.is_empty())
            && x.iter().fold(true, |finite, value| finite & value.is_finite());
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
        if x.is_empty() {
            return Error::invalid("a regression needs at least one covariate", "Name at least one feature.");
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
        let reserved = self
            .exits
            .try_reserve(rows)
            .and_then(|()| self.events.try_reserve(rows))
            .and_then(|()| self.entries.try_reserve(entries))
            .and_then(|()| self.weights.try_reserve(weights))
            .and_then(|()| self.x.try_reserve(rows.saturating_mul(covariates)));
        reserved
            .map_err(|_| Error::OutOfRange(format!("no memory is left for {total} rows of {covariates} covariates")))
    }
}

fn different_width(expected: usize, found: usize) -> Error {
    Error::invalid(
        format!("all rows must have the same covariates: {expected} in the rows before, {found} here"),
        "Give every row the same features.",
    )
}

fn column(from: &mut Reader, length: usize) -> Result<Vec<f64>> {
    (0..length).map(|_| from.float()).collect()
}

fn flag(from: &mut Reader) -> Result<bool> {
    match from.byte()? {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(Error::malformed(format!("event flag {other} of a design is neither 0 nor 1"))),
    }
}

fn inconsistent() -> Error {
    Error::malformed("the counts of a design contradict each other")
}
