//! What the robust variance needs of weights beyond their sums: how many rows had an event, and sums of squares.

use crate::numeric::bytes::{Reader, Writer};
use crate::numeric::tally::{Budget, Cell, Tally};
use crate::survival::sample::{CENSORED, EVENT};
use crate::{Error, Result};

/// Sums of squares of weights of at most [`crate::numeric::tally::LARGEST_WEIGHT`], however many.
const LARGEST_SQUARE: f64 = 1e240;
/// Sums of weights are right to rounding.
const ROUNDING: f64 = 1e-9;

const EVENT_ROWS: usize = 0;
const EVENT_SQUARES: usize = 1;
const CENSORED_SQUARES: usize = 2;

const ALL_WHOLE: u8 = 1;
const SOME_FRACTIONAL: u8 = 2;

/// The weights of a sample of which one at least is not 1. Its keys are the sample's durations.
///
/// A sample of whole weights keeps it too: whether they are repetitions or sampling weights is known only when all rows
/// have been seen, on every worker.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// Columns: rows with an event, the sum of their squared weights, that of the censored ones.
    cells: Tally<3>,
    /// Some weight is no whole number.
    fractional: bool,
}

impl Weights {
    /// The weights of rows of weight 1.
    ///
    /// Counts that are not whole are those of a value that was stored before weights were kept: so many rows as there
    /// must have been at least.
    pub(super) fn of_single_rows(exits: &Tally<2>) -> Result<Self> {
        let mut fractional = false;
        let cell = |cell: Cell<2>| {
            let [events, censored] = cell.counts;
            fractional |= events.fract() != 0.0 || censored.fract() != 0.0;
            let square = |count: f64| if count > 0.0 { count.min(count * count).max(f64::MIN_POSITIVE) } else { 0.0 };
            Cell { key: cell.key, counts: [events.ceil(), square(events), square(censored)] }
        };
        crate::memory::at_hand(12 * exits.memory_bytes())?;
        let cells = exits.sorted().into_iter().map(cell).collect();
        Ok(Weights { cells: Tally::from_sorted_up_to(cells, LARGEST_SQUARE)?, fractional })
    }

    pub(super) fn add(&mut self, duration: f64, event: bool, weight: f64, budget: Budget) -> Result<()> {
        self.fractional |= weight.fract() != 0.0;
        // The square of a very small weight is 0, which would be no row.
        let square = (weight * weight).max(f64::MIN_POSITIVE);
        if event {
            self.cells.add_weighted(duration, EVENT_ROWS, 1.0, budget)?;
            self.cells.add_weighted(duration, EVENT_SQUARES, square, budget)
        } else {
            self.cells.add_weighted(duration, CENSORED_SQUARES, square, budget)
        }
    }

    pub(super) fn merge(&mut self, other: &Weights, budget: Budget) -> Result<()> {
        self.fractional |= other.fractional;
        self.cells.merge(&other.cells, budget)
    }

    pub(super) fn since(&self, from: f64, origin: f64) -> Self {
        Weights { cells: self.cells.since(from, origin), fractional: self.fractional }
    }

    /// Whether some weight is no whole number, so that weights cannot be repetitions.
    pub fn is_fractional(&self) -> bool {
        self.fractional
    }

    /// Per duration: rows with an event, the sum of their squared weights, that of the censored ones.
    pub fn cells(&self) -> &Tally<3> {
        &self.cells
    }

    pub(super) fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.cells.memory_bytes()
    }

    /// Weights from their parts, as text or bytes carry them; [`Weights::validate`] is the sample's.
    pub fn from_parts(cells: Vec<Cell<3>>, fractional: bool) -> Result<Self> {
        Ok(Weights { cells: Tally::from_sorted_up_to(cells, LARGEST_SQUARE)?, fractional })
    }

    /// # Errors
    /// [`Error::Malformed`] when no weights have these sums and these squares.
    pub(super) fn validate(&self, exits: &Tally<2>) -> Result<()> {
        let (exits, cells) = (exits.sorted(), self.cells.sorted());
        let same_keys = exits.len() == cells.len() && exits.iter().zip(&cells).all(|(a, b)| a.key == b.key);
        if !same_keys {
            return Err(Error::malformed("the weights are of other durations than the counts"));
        }
        // Cauchy & Schwarz: with r weights, (Σw)² lies between Σw² and r Σw².
        let agrees = |sum: f64, squares: f64, rows: f64| {
            if sum == 0.0 || squares == 0.0 {
                return sum == squares;
            }
            // Below this, squares are 0 or cut off.
            let tiny = sum < 1e-150;
            let square = sum * sum;
            tiny || (square <= squares * rows * (1.0 + ROUNDING) && square >= squares * (1.0 - ROUNDING))
        };
        for (exit, cell) in exits.iter().zip(&cells) {
            let [rows, events, censored] = cell.counts;
            let counted = rows.fract() == 0.0 && (rows > 0.0) == (exit.counts[EVENT] > 0.0);
            if !(counted
                && agrees(exit.counts[EVENT], events, rows)
                && agrees(exit.counts[CENSORED], censored, f64::INFINITY))
            {
                return Err(Error::malformed(format!("no weights have the sums and squares at {}", exit.key)));
            }
        }
        Ok(())
    }

    pub(super) fn write(&self, out: &mut Writer) {
        out.byte(if self.fractional { SOME_FRACTIONAL } else { ALL_WHOLE });
        self.cells.write(out);
    }

    pub(super) fn read(from: &mut Reader) -> Result<Self> {
        let fractional = match from.byte()? {
            ALL_WHOLE => false,
            SOME_FRACTIONAL => true,
            other => return Err(Error::malformed(format!("unknown kind {other} of weights"))),
        };
        Ok(Weights { cells: Tally::read_up_to(from, LARGEST_SQUARE)?, fractional })
    }
}
