//! Predicted probabilities against what happened: the mergeable summary behind every score of a yes-or-no forecast.
//!
//! [`Calibration`] keeps, for each distinct probability, how many outcomes were yes and how many were no. That is all
//! that proper scores, the ROC curve, reliability diagrams (`reliability`) and recalibration (`recalibration`) need, so
//! none of them is approximate and the order of rows, workers and shards does not matter.

use crate::numeric::bytes::{Reader, Writer};
use crate::numeric::sum::Sum;
use crate::numeric::tally::{Budget, LARGEST_WEIGHT, Tally};
use crate::{Error, Result};

const VERSION: u8 = 1;
/// The kind byte: probabilities against 0/1 outcomes. Others may follow.
const BINARY: u8 = 0;

const POSITIVE: usize = 0;
const NEGATIVE: usize = 1;

/// Exact counts of outcomes per distinct predicted probability.
///
/// A weight is a number of repetitions: a row of weight 3 counts as three rows, in intervals and tests too. To weigh
/// rows by money, scale the weights so that they add up to the number of rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Calibration {
    /// Key: the probability, in [0, 1]. Columns: positives, negatives.
    counts: Tally<2>,
    /// Rows that were left out because an argument was NULL.
    skipped: u64,
}

/// All rows with one predicted probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Level {
    pub probability: f64,
    pub positives: f64,
    pub negatives: f64,
}

impl Level {
    pub fn weight(self) -> f64 {
        self.positives + self.negatives
    }
}

impl Calibration {
    /// Adds one row of weight 1.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `probability` is not in [0, 1]; [`Error::Memory`] over budget.
    #[inline(always)]
    pub fn add(&mut self, probability: f64, outcome: bool, budget: Budget) -> Result<()> {
        if !(0.0..=1.0).contains(&probability) {
            return Err(bad_probability(probability));
        }
        self.counts.add(probability, column(outcome), budget)
    }

    /// Adds one row of any weight.
    ///
    /// # Errors
    /// As [`Calibration::add`]; also when `weight` is not positive or beyond [`LARGEST_WEIGHT`].
    pub fn add_weighted(&mut self, probability: f64, outcome: bool, weight: f64, budget: Budget) -> Result<()> {
        if !(weight > 0.0 && weight <= LARGEST_WEIGHT) {
            return Err(Error::invalid(
                format!("weight must be greater than 0 and at most {LARGEST_WEIGHT:e}, got {weight}"),
                "Filter the rows that should not count.",
            ));
        }
        if weight == 1.0 {
            return self.add(probability, outcome, budget);
        }
        if !(0.0..=1.0).contains(&probability) {
            return Err(bad_probability(probability));
        }
        self.counts.add_weighted(probability, column(outcome), weight, budget)
    }

    /// Notes a row that was left out because an argument was NULL.
    pub fn skip(&mut self) {
        self.skipped = self.skipped.saturating_add(1);
    }

    /// Adds everything that `other` has seen.
    ///
    /// # Errors
    /// [`Error::Memory`] over budget.
    pub fn merge(&mut self, other: &Calibration, budget: Budget) -> Result<()> {
        self.counts.merge(&other.counts, budget)?;
        self.skipped = self.skipped.saturating_add(other.skipped);
        Ok(())
    }

    /// A summary from its parts, as text or bytes carry them.
    ///
    /// # Errors
    /// [`Error::Malformed`] when a probability is greater than 1.
    pub fn from_parts(counts: Tally<2>, skipped: u64) -> Result<Self> {
        match counts.sorted().last() {
            Some(cell) if cell.key > 1.0 => {
                Err(Error::malformed(format!("probability {} is greater than 1", cell.key)))
            }
            _ => Ok(Calibration { counts, skipped }),
        }
    }

    pub fn counts(&self) -> &Tally<2> {
        &self.counts
    }

    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    pub fn memory_bytes(&self) -> usize {
        self.counts.memory_bytes()
    }

    /// Rows counted, or the sum of their weights.
    pub fn total(&self) -> f64 {
        self.positives() + self.negatives()
    }

    pub fn positives(&self) -> f64 {
        self.counts.sorted().iter().map(|cell| cell.counts[POSITIVE]).sum()
    }

    pub fn negatives(&self) -> f64 {
        self.counts.sorted().iter().map(|cell| cell.counts[NEGATIVE]).sum()
    }

    /// The distinct probabilities in rising order.
    pub(super) fn levels(&self) -> Vec<Level> {
        let cells = self.counts.sorted();
        cells
            .into_iter()
            .map(|cell| Level {
                probability: cell.key,
                positives: cell.counts[POSITIVE],
                negatives: cell.counts[NEGATIVE],
            })
            .collect()
    }

    /// The mean squared error of the probabilities (Brier 1950); `None` for no rows.
    pub fn brier(&self) -> Option<f64> {
        self.mean(|level| {
            let p = level.probability;
            level.positives * (1.0 - p) * (1.0 - p) + level.negatives * p * p
        })
    }

    /// The Brier score of saying the overall rate y̅ for every row, y̅ (1 − y̅); `None` for no rows.
    pub fn brier_of_base_rate(&self) -> Option<f64> {
        let (positives, total) = (self.positives(), self.total());
        (total > 0.0).then(|| (positives / total) * ((total - positives) / total))
    }

    /// The mean of −ln(probability given to what happened) (Good 1952).
    ///
    /// `None` for no rows, and when something happened that had been given probability 0: the loss is then infinite. No
    /// probability is clipped, so a finite answer is the exact one.
    pub fn log_loss(&self) -> Option<f64> {
        self.mean(|level| {
            let yes = if level.positives > 0.0 { -level.positives * level.probability.ln() } else { 0.0 };
            let no = if level.negatives > 0.0 { -level.negatives * (-level.probability).ln_1p() } else { 0.0 };
            yes + no
        })
    }

    /// The mean over all rows of what each level adds; `None` for no rows or an infinite mean.
    fn mean(&self, loss: impl Fn(Level) -> f64) -> Option<f64> {
        let (mut sum, mut total) = (Sum::default(), Sum::default());
        for level in self.levels() {
            let loss = loss(level);
            if !loss.is_finite() {
                return None;
            }
            sum.add(loss);
            total.add(level.weight());
        }
        Some(sum.total() / total.total()).filter(|mean| mean.is_finite())
    }

    /// The area under the ROC curve: how often a positive row was given more than a negative one, ties counting one half
    /// (Mann & Whitney 1947; Hanley & McNeil 1982). `None` when there are no positives or no negatives.
    pub fn auc(&self) -> Option<f64> {
        let (mut won, mut below, mut positives) = (Sum::default(), 0.0, 0.0);
        for level in self.levels() {
            won.add(level.positives * (below + level.negatives / 2.0));
            below += level.negatives;
            positives += level.positives;
        }
        Some(won.total() / positives / below).filter(|area| area.is_finite())
    }

    /// Fields: the counts, then the rows skipped.
    pub fn write(&self, out: &mut Writer) {
        self.counts.write(out);
        out.whole(self.skipped);
    }

    /// # Errors
    /// [`Error::Malformed`] for anything that [`Calibration::write`] could not have written.
    pub fn read(from: &mut Reader) -> Result<Self> {
        Self::from_parts(Tally::read(from)?, from.whole()?)
    }

    /// The stored bytes of `ltv.calibration`: a version byte, a kind byte, then the fields. See docs/storage.md.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.byte(VERSION);
        out.byte(BINARY);
        self.write(&mut out);
        out.bytes
    }

    /// # Errors
    /// [`Error::Malformed`] for anything that [`Calibration::encode`] could not have written.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut from = Reader::new(bytes);
        match (from.byte()?, from.byte()?) {
            (VERSION, BINARY) => {}
            (VERSION, kind) => return Err(Error::malformed(format!("unknown kind {kind} of ltv.calibration"))),
            (version, _) => {
                return Err(Error::malformed(format!(
                    "format version {version} of ltv.calibration is not known to this release"
                )));
            }
        }
        let calibration = Self::read(&mut from)?;
        from.finish()?;
        Ok(calibration)
    }
}

fn column(outcome: bool) -> usize {
    if outcome { POSITIVE } else { NEGATIVE }
}

#[cold]
fn bad_probability(probability: f64) -> Error {
    Error::invalid(
        format!("a probability must be between 0 and 1, got {probability}"),
        "Percentages need dividing by 100.",
    )
}
