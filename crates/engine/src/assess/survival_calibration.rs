//! Predicted survival against what became of the subjects, some of them censored: the mergeable rows behind every score
//! of a survival forecast.
//!
//! Under censoring no table of counts per prediction is enough – the observed rate of any group of rows is the
//! Kaplan–Meier curve of their times – so the rows themselves are kept, 16 bytes each, in no order that matters:
//! [`SurvivalCalibration::columns`] sorts them, and every score is computed from that.

use crate::assess::concordance::Outcomes;
use crate::memory::Room;
use crate::numeric::bytes::{Reader, Writer};
use crate::numeric::radix::{sort_by_bits, sort_scattered};
use crate::numeric::tally::{Budget, LARGEST_WEIGHT};
use crate::{Error, Result};

const VERSION: u8 = 1;
/// The kind byte: one predicted survival per row. Others may follow.
const SINGLE: u8 = 0;
/// Flags of the stored form.
const WEIGHTED: u8 = 1;
const EVENT: u8 = 1;

/// Rows of predicted survival, duration and event.
#[derive(Debug, Clone, Default)]
pub struct SurvivalCalibration {
    rows: Vec<Row>,
    /// Empty while all are 1. A weight is a number of repetitions.
    weights: Vec<f64>,
    /// Rows that were left out because an argument was NULL.
    skipped: u64,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    survival: f64,
    /// The sign tells the event from a censoring, so that a row has 16 bytes.
    time: f64,
}

/// The rows by rising duration, events before censorings, then by prediction and weight.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Columns {
    pub survival: Vec<f64>,
    pub exits: Vec<f64>,
    pub events: Vec<bool>,
    /// Empty when all are 1.
    pub weights: Vec<f64>,
}

impl Columns {
    pub fn outcomes(&self) -> Outcomes<'_> {
        Outcomes { exits: &self.exits, events: &self.events, entries: &[], weights: &self.weights }
    }

    pub fn len(&self) -> usize {
        self.exits.len()
    }

    pub fn is_empty(&self) -> bool {
        self.exits.is_empty()
    }

    pub fn weight(&self, row: usize) -> f64 {
        self.weights.get(row).copied().unwrap_or(1.0)
    }
}

/// Two summaries are equal when they hold the same rows, however they got there.
impl PartialEq for SurvivalCalibration {
    fn eq(&self, other: &Self) -> bool {
        self.skipped == other.skipped && self.columns() == other.columns()
    }
}

impl SurvivalCalibration {
    /// Adds one row.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `survival` is not in [0, 1], `duration` is negative or not finite, or `weight` is not
    /// positive or beyond [`LARGEST_WEIGHT`]; [`Error::Memory`] over budget.
    #[inline]
    pub fn add(
        &mut self,
        survival: f64,
        duration: f64,
        event: bool,
        weight: f64,
        budget: impl FnOnce() -> Budget,
    ) -> Result<()> {
        if !((0.0..=1.0).contains(&survival) && (0.0..f64::INFINITY).contains(&duration)) {
            return Err(bad_row(survival, duration));
        }
        if !(weight > 0.0 && weight <= LARGEST_WEIGHT) {
            return Err(bad_weight(weight));
        }
        if self.rows.len() == self.rows.capacity() {
            self.grow(budget())?;
        }
        if weight != 1.0 && self.weights.is_empty() {
            self.weights.resize(self.rows.len(), 1.0);
            self.weights.push(weight);
        } else if !self.weights.is_empty() {
            self.weights.push(weight);
        }
        // Adding 0 turns −0 into 0.
        let (survival, duration) = (survival + 0.0, duration + 0.0);
        self.rows.push(Row { survival, time: if event { -duration } else { duration } });
        Ok(())
    }

    #[cold]
    fn grow(&mut self, budget: Budget) -> Result<()> {
        let more = self.rows.len().max(64);
        let bytes = (self.rows.len() + more) * size_of::<Row>() + self.weights.capacity() * size_of::<f64>();
        budget.check(bytes, "the summary")?;
        self.rows.exact_room(more).map_err(|_| no_memory(bytes))?;
        // The weights, if there are any, are as many.
        self.weights.exact_room(if self.weights.is_empty() { 0 } else { more }).map_err(|_| no_memory(bytes))
    }

    /// Notes a row that was left out because an argument was NULL.
    pub fn skip(&mut self) {
        self.skipped = self.skipped.saturating_add(1);
    }

    /// Adds everything that `other` has seen.
    ///
    /// # Errors
    /// [`Error::Memory`] over budget.
    pub fn merge(&mut self, other: &SurvivalCalibration, budget: Budget) -> Result<()> {
        let bytes = self.memory_bytes() + other.memory_bytes();
        budget.check(bytes, "the summary")?;
        self.rows.room(other.rows.len()).map_err(|_| no_memory(bytes))?;
        if !(self.weights.is_empty() && other.weights.is_empty()) {
            let weights = self.rows.len() - self.weights.len() + other.rows.len();
            self.weights.room(weights).map_err(|_| no_memory(bytes))?;
            self.weights.resize(self.rows.len(), 1.0);
            self.weights.extend_from_slice(&other.weights);
            self.weights.resize(self.rows.len() + other.rows.len(), 1.0);
        }
        self.rows.extend_from_slice(&other.rows);
        self.skipped = self.skipped.saturating_add(other.skipped);
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    pub fn memory_bytes(&self) -> usize {
        self.rows.capacity() * size_of::<Row>() + self.weights.capacity() * size_of::<f64>()
    }

    /// The rows in their one order.
    pub fn columns(&self) -> Columns {
        let mut columns = Columns::default();
        columns.survival.reserve_exact(self.rows.len());
        columns.exits.reserve_exact(self.rows.len());
        columns.events.reserve_exact(self.rows.len());
        let mut push = |row: &Row| {
            columns.survival.push(row.survival);
            columns.exits.push(row.time.abs());
            columns.events.push(row.time.is_sign_negative());
        };
        if self.weights.is_empty() {
            let mut rows = self.rows.clone();
            sort_rows(&mut rows, |row| *row);
            rows.iter().for_each(&mut push);
        } else {
            let mut rows: Vec<(Row, f64)> = self.rows.iter().copied().zip(self.weights.iter().copied()).collect();
            sort_by_bits(&mut rows, |(_, weight)| weight.to_bits());
            sort_rows(&mut rows, |(row, _)| *row);
            rows.iter().for_each(|(row, _)| push(row));
            columns.weights = rows.iter().map(|(_, weight)| *weight).collect();
        }
        columns
    }

    /// A summary from its columns, as text carries them.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the columns differ in length or hold what [`SurvivalCalibration::add`] refuses.
    pub fn from_columns(columns: &Columns, skipped: u64) -> Result<Self> {
        let Columns { survival, exits, events, weights } = columns;
        let rows = exits.len();
        if survival.len() != rows || events.len() != rows || !(weights.is_empty() || weights.len() == rows) {
            return Err(Error::malformed("the arrays of a summary differ in length"));
        }
        let mut summary = SurvivalCalibration { skipped, ..SurvivalCalibration::default() };
        for row in 0..rows {
            summary
                .add(survival[row], exits[row], events[row], columns.weight(row), || Budget::UNLIMITED)
                .map_err(|error| Error::malformed(error.to_string()))?;
        }
        Ok(summary)
    }

    /// The stored bytes of `ltv.survival_calibration`: a version byte, a kind byte, flags (1: weights), the rows skipped,
    /// the number of rows, then each row's prediction, duration, event and weight.
    pub fn encode(&self) -> Vec<u8> {
        let columns = self.columns();
        let mut out = Writer::default();
        out.byte(VERSION);
        out.byte(SINGLE);
        out.byte(if columns.weights.is_empty() { 0 } else { WEIGHTED });
        out.whole(self.skipped);
        out.whole(columns.len() as u64);
        for row in 0..columns.len() {
            out.float(columns.survival[row]);
            out.float(columns.exits[row]);
            out.byte(u8::from(columns.events[row]) * EVENT);
            if let Some(weight) = columns.weights.get(row) {
                out.float(*weight);
            }
        }
        out.bytes
    }

    /// # Errors
    /// [`Error::Malformed`] for anything that [`SurvivalCalibration::encode`] could not have written.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut from = Reader::new(bytes);
        match (from.byte()?, from.byte()?) {
            (VERSION, SINGLE) => {}
            (VERSION, kind) => {
                return Err(Error::malformed(format!("unknown kind {kind} of ltv.survival_calibration")));
            }
            (version, _) => {
                return Err(Error::malformed(format!(
                    "format version {version} of ltv.survival_calibration is not known to this release"
                )));
            }
        }
        let flags = from.byte()?;
        if flags & !WEIGHTED != 0 {
            return Err(Error::malformed(format!("unknown flags {flags} in a stored summary")));
        }
        let weighted = flags & WEIGHTED != 0;
        let skipped = from.whole()?;
        let rows = from.count(if weighted { 25 } else { 17 })?;
        let mut columns = Columns::default();
        for _ in 0..rows {
            columns.survival.push(from.float()?);
            columns.exits.push(from.float()?);
            columns.events.push(match from.byte()? {
                0 => false,
                EVENT => true,
                other => return Err(Error::malformed(format!("{other} is no event"))),
            });
            if weighted {
                columns.weights.push(from.float()?);
            }
        }
        from.finish()?;
        Self::from_columns(&columns, skipped)
    }
}

/// By time, events first, then by prediction. No number here is negative, so bits are in the order of the numbers.
fn sort_rows<T: Copy>(rows: &mut Vec<T>, row: impl Fn(&T) -> Row) {
    sort_scattered(rows, |of| row(of).survival.to_bits());
    // The sign of the time moves to its other end.
    sort_by_bits(rows, |of| row(of).time.abs().to_bits() << 1 | u64::from(row(of).time.is_sign_positive()));
}

#[cold]
fn bad_row(survival: f64, duration: f64) -> Error {
    if (0.0..=1.0).contains(&survival) {
        return Error::invalid(
            format!("duration must be finite and not negative, got {duration}"),
            "It is the time from the moment of the prediction to the event, or to when the row was last seen.",
        );
    }
    Error::invalid(
        format!("a predicted survival must be between 0 and 1, got {survival}"),
        "It is the probability of no event until the horizon, not of the event.",
    )
}

#[cold]
fn bad_weight(weight: f64) -> Error {
    Error::invalid(
        format!("weight must be greater than 0 and at most {LARGEST_WEIGHT:e}, got {weight}"),
        "Filter the rows that should not count.",
    )
}

fn no_memory(bytes: usize) -> Error {
    Error::NoMemory(format!("the server has no {} MB left for the rows of the summary", bytes >> 20))
}
