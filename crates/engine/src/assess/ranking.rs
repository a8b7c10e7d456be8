//! Scores against what happened, where only their order counts: the mergeable summary behind AUC, lift and thresholds.
//!
//! [`Ranking`] keeps, for each distinct score, how many rows had the outcome and how many had not, and – where rows have
//! a value – how much that was. Every accessor is exact, and the order of rows, workers and shards does not matter.

use crate::numeric::bytes::{Reader, Writer};
use crate::numeric::tally::{Budget, Cell, LARGEST_WEIGHT, Tally};
use crate::{Error, Result};

const VERSION: u8 = 1;
/// The kind byte: scores against 0/1 outcomes. Others may follow.
const BINARY: u8 = 0;

const POSITIVE: usize = 0;
const NEGATIVE: usize = 1;

/// Exact counts of outcomes per distinct score, and sums of value.
///
/// A weight is a number of repetitions: a row of weight 3 counts as three rows, in standard errors too. A value is what
/// a row is worth, in money; it takes part in value shares only.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ranking {
    counts: Signed,
    /// Empty when no row has a value other than 0. Its scores are among those of `counts`.
    values: Signed,
    /// Rows that were left out because an argument was NULL.
    skipped: u64,
}

/// Two columns, positives and negatives, by numbers of either sign: a tally has keys from 0 on.
#[derive(Debug, Clone, Default, PartialEq)]
struct Signed {
    /// Keys are −score.
    below_zero: Tally<2>,
    from_zero: Tally<2>,
}

/// All rows with one score.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ScoreLevel {
    pub score: f64,
    pub positives: f64,
    pub negatives: f64,
    /// Value of the rows with the outcome, and of those without.
    pub value_of_positives: f64,
    pub value_of_negatives: f64,
}

impl ScoreLevel {
    pub fn rows(self) -> f64 {
        self.positives + self.negatives
    }
}

impl Signed {
    #[inline(always)]
    fn add(&mut self, key: f64, column: usize, budget: impl FnOnce() -> Budget) -> Result<()> {
        if key < 0.0 {
            return self.below_zero.add_asking(-key, column, budget);
        }
        self.from_zero.add_asking(key, column, budget)
    }

    fn add_weighted(&mut self, key: f64, column: usize, weight: f64, budget: Budget) -> Result<()> {
        if key < 0.0 {
            return self.below_zero.add_weighted(-key, column, weight, budget);
        }
        self.from_zero.add_weighted(key, column, weight, budget)
    }

    fn merge(&mut self, other: &Signed, budget: Budget) -> Result<()> {
        self.below_zero.merge(&other.below_zero, budget)?;
        self.from_zero.merge(&other.from_zero, budget)
    }

    /// In rising order.
    fn sorted(&self) -> Vec<Cell<2>> {
        let mut cells = self.below_zero.sorted();
        cells.reverse();
        cells.iter_mut().for_each(|cell| cell.key = -cell.key);
        cells.extend(self.from_zero.sorted());
        cells
    }

    /// In rising order.
    fn for_each(&self, mut visit: impl FnMut([f64; 2])) {
        self.below_zero.sorted().iter().rev().for_each(|cell| visit(cell.counts));
        self.from_zero.for_each(|cell| visit(cell.counts));
    }

    fn from_sorted(cells: &[Cell<2>]) -> Result<Self> {
        let zero = cells.partition_point(|cell| cell.key < 0.0);
        let below = cells[..zero].iter().rev().map(|cell| Cell { key: -cell.key, ..*cell }).collect();
        let from = cells[zero..].iter().map(|cell| Cell { key: cell.key + 0.0, ..*cell }).collect();
        Ok(Signed { below_zero: Tally::from_sorted(below)?, from_zero: Tally::from_sorted(from)? })
    }

    fn memory_bytes(&self) -> usize {
        self.below_zero.memory_bytes() + self.from_zero.memory_bytes()
    }

    fn is_empty(&self) -> bool {
        self.below_zero.is_empty() && self.from_zero.is_empty()
    }

    fn write(&self, out: &mut Writer) {
        self.below_zero.write(out);
        self.from_zero.write(out);
    }

    fn read(from: &mut Reader) -> Result<Self> {
        let below_zero = Tally::read(from)?;
        if below_zero.sorted().first().is_some_and(|cell| cell.key == 0.0) {
            return Err(Error::malformed("a score below zero is zero"));
        }
        Ok(Signed { below_zero, from_zero: Tally::read(from)? })
    }
}

impl Ranking {
    /// Adds one row of weight 1 without a value.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `score` is not finite; [`Error::Memory`] over budget.
    #[inline(always)]
    pub fn add(&mut self, score: f64, outcome: bool, budget: impl FnOnce() -> Budget) -> Result<()> {
        if !score.is_finite() {
            return Err(bad_score(score));
        }
        self.counts.add(score, column(outcome), budget)
    }

    /// Adds one row of any weight and value.
    ///
    /// # Errors
    /// As [`Ranking::add`]; also when `weight` is not positive or `value` is negative, and when either is beyond
    /// [`LARGEST_WEIGHT`].
    pub fn add_row(&mut self, score: f64, outcome: bool, weight: f64, value: f64, budget: Budget) -> Result<()> {
        if !score.is_finite() {
            return Err(bad_score(score));
        }
        if !(weight > 0.0 && weight <= LARGEST_WEIGHT) {
            return Err(Error::invalid(
                format!("weight must be greater than 0 and at most {LARGEST_WEIGHT:e}, got {weight}"),
                "Filter the rows that should not count.",
            ));
        }
        if !(0.0..=LARGEST_WEIGHT).contains(&value) {
            return Err(Error::invalid(
                format!("value must be from 0 to {LARGEST_WEIGHT:e}, got {value}"),
                "It is what the row is worth, as its annual revenue: a share of it cannot be told with negative ones.",
            ));
        }
        let column = column(outcome);
        if weight == 1.0 {
            self.counts.add(score, column, || budget)?;
        } else {
            self.counts.add_weighted(score, column, weight, budget)?;
        }
        let worth = weight * value;
        if worth > LARGEST_WEIGHT {
            return Err(Error::invalid(
                format!("weight times value must be at most {LARGEST_WEIGHT:e}, got {worth:e}"),
                "Use a larger unit.",
            ));
        }
        if worth > 0.0 { self.values.add_weighted(score, column, worth, budget) } else { Ok(()) }
    }

    /// Notes a row that was left out because an argument was NULL.
    pub fn skip(&mut self) {
        self.skipped = self.skipped.saturating_add(1);
    }

    /// Adds everything that `other` has seen.
    ///
    /// # Errors
    /// [`Error::Memory`] over budget.
    pub fn merge(&mut self, other: &Ranking, budget: Budget) -> Result<()> {
        self.counts.merge(&other.counts, budget)?;
        if !other.values.is_empty() {
            self.values.merge(&other.values, budget)?;
        }
        self.skipped = self.skipped.saturating_add(other.skipped);
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    pub fn has_values(&self) -> bool {
        !self.values.is_empty()
    }

    pub fn memory_bytes(&self) -> usize {
        self.counts.memory_bytes() + self.values.memory_bytes()
    }

    /// Calls `visit` with the positives and negatives of each distinct score in rising order.
    pub(super) fn for_each_score(&self, mut visit: impl FnMut(f64, f64)) {
        self.counts.for_each(|counts| visit(counts[POSITIVE], counts[NEGATIVE]));
    }

    /// The distinct scores in rising order.
    pub fn levels(&self) -> Vec<ScoreLevel> {
        let values = self.values.sorted();
        let mut values = values.iter().peekable();
        let level = |cell: Cell<2>| {
            let value = values.next_if(|value| value.key == cell.key).map_or([0.0; 2], |value| value.counts);
            ScoreLevel {
                score: cell.key,
                positives: cell.counts[POSITIVE],
                negatives: cell.counts[NEGATIVE],
                value_of_positives: value[POSITIVE],
                value_of_negatives: value[NEGATIVE],
            }
        };
        self.counts.sorted().into_iter().map(level).collect()
    }

    /// A summary from its levels in rising order, as text carries them.
    ///
    /// # Errors
    /// [`Error::Malformed`] unless scores are finite and rise, counts and values are neither negative nor absurd, each
    /// level counts something and only rows that are there have a value.
    pub fn from_levels(levels: &[ScoreLevel], skipped: u64) -> Result<Self> {
        if let Some(level) = levels.iter().find(|level| !level.score.is_finite()) {
            return Err(Error::malformed(format!("score {} must be finite", level.score)));
        }
        let counts: Vec<Cell<2>> =
            levels.iter().map(|level| Cell { key: level.score, counts: [level.positives, level.negatives] }).collect();
        let valued = levels.iter().filter(|level| level.value_of_positives != 0.0 || level.value_of_negatives != 0.0);
        let values: Vec<Cell<2>> = valued
            .map(|level| Cell { key: level.score, counts: [level.value_of_positives, level.value_of_negatives] })
            .collect();
        let ranking = Ranking { counts: Signed::from_sorted(&counts)?, values: Signed::from_sorted(&values)?, skipped };
        ranking.check_values()?;
        Ok(ranking)
    }

    fn check_values(&self) -> Result<()> {
        let counts = self.counts.sorted();
        for value in self.values.sorted() {
            let at = counts.binary_search_by(|cell| cell.key.total_cmp(&value.key)).ok();
            let there = at.map_or([0.0; 2], |at| counts[at].counts);
            if (0..2).any(|column| value.counts[column] > 0.0 && there[column] == 0.0) {
                return Err(Error::malformed(format!("a value at score {} belongs to no row", value.key)));
            }
        }
        Ok(())
    }

    /// The stored bytes of `ltv.ranking`: a version byte, a kind byte, then counts, values and the rows skipped.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.byte(VERSION);
        out.byte(BINARY);
        self.counts.write(&mut out);
        self.values.write(&mut out);
        out.whole(self.skipped);
        out.bytes
    }

    /// # Errors
    /// [`Error::Malformed`] for anything that [`Ranking::encode`] could not have written.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut from = Reader::new(bytes);
        match (from.byte()?, from.byte()?) {
            (VERSION, BINARY) => {}
            (VERSION, kind) => return Err(Error::malformed(format!("unknown kind {kind} of ltv.ranking"))),
            (version, _) => {
                return Err(Error::malformed(format!(
                    "format version {version} of ltv.ranking is not known to this release"
                )));
            }
        }
        let (counts, values) = (Signed::read(&mut from)?, Signed::read(&mut from)?);
        let ranking = Ranking { counts, values, skipped: from.whole()? };
        from.finish()?;
        ranking.check_values()?;
        Ok(ranking)
    }
}

fn column(outcome: bool) -> usize {
    if outcome { POSITIVE } else { NEGATIVE }
}

#[cold]
fn bad_score(score: f64) -> Error {
    Error::invalid(format!("a score must be finite, got {score}"), "Leave rows without a score out, or make it NULL.")
}
