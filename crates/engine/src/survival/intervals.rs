//! A sample of events whose times are known only to lie between two looks: the distinct intervals, which merge.

use crate::memory::{Room, at_hand, no_memory};
use crate::numeric::bytes::{Reader, Writer};
use crate::numeric::tally::{Budget, LARGEST_WEIGHT};
use crate::{Error, Result};

const VERSION: u8 = 1;
/// The list is sorted into the cells when it is this long and as long as they are.
const LIST_LIMIT: usize = 64;
/// A sum of weights beyond this is none of ours.
const LARGEST_COUNT: f64 = 1e120;

/// The event was in (left, right]; at exactly `left` when both are the same; some time after `left` when `right` is
/// infinite; by `right`, the start included, when `left` is 0 and `right` is finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    pub left: f64,
    pub right: f64,
    /// How many subjects have it (sum of weights).
    pub weight: f64,
}

/// Distinct intervals with their weights; the order of the rows does not matter.
#[derive(Debug, Clone, Default)]
pub struct IntervalSample {
    list: Vec<Interval>,
    /// In rising order of left, then right.
    cells: Vec<Interval>,
    /// Rows left out because an argument was NULL.
    skipped: u64,
}

impl PartialEq for IntervalSample {
    fn eq(&self, other: &Self) -> bool {
        self.skipped == other.skipped && self.sorted() == other.sorted()
    }
}

impl IntervalSample {
    /// Adds one row; `right` is infinite when the event has not been seen.
    ///
    /// # Errors
    /// [`Error::Invalid`] unless 0 <= left <= right, left is finite and the weight positive; [`Error::Memory`].
    pub fn add(&mut self, left: f64, right: f64, weight: f64, budget: impl FnOnce() -> Budget) -> Result<()> {
        if !((0.0..f64::INFINITY).contains(&left) && right >= left) {
            return Err(bad_interval(left, right));
        }
        if !(weight > 0.0 && weight <= LARGEST_WEIGHT) {
            return Err(Error::invalid(
                format!("weight must be greater than 0 and at most {LARGEST_WEIGHT:e}, got {weight}"),
                "Filter the rows that should not count.",
            ));
        }
        if self.list.len() >= LIST_LIMIT.max(self.cells.len()) {
            self.compact()?;
            let more = self.cells.len() * size_of::<Interval>();
            budget().check(self.memory_bytes() + more, "the summary")?;
        }
        self.list.room(1).map_err(|_| no_memory(2 * self.list.len() * size_of::<Interval>()))?;
        self.list.push(Interval { left: left + 0.0, right: right + 0.0, weight });
        Ok(())
    }

    /// Notes a row that was left out because an argument was NULL.
    pub fn skip(&mut self) {
        self.skipped = self.skipped.saturating_add(1);
    }

    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Adds everything that `other` has seen.
    pub fn merge(&mut self, other: &Self, budget: Budget) -> Result<()> {
        at_hand(2 * other.memory_bytes())?;
        let theirs = other.sorted();
        budget.check(self.memory_bytes() + 2 * size_of_val(theirs.as_slice()), "the summary")?;
        self.list.exact_room(theirs.len()).map_err(|_| no_memory(2 * size_of_val(theirs.as_slice())))?;
        self.list.extend(theirs);
        self.compact()?;
        self.skipped = self.skipped.saturating_add(other.skipped);
        Ok(())
    }

    fn compact(&mut self) -> Result<()> {
        if !self.list.is_empty() {
            // All of them, and half as many again to sort them stably.
            at_hand(2 * (self.cells.len() + self.list.len()) * size_of::<Interval>())?;
            self.cells = self.sorted();
            self.list = Vec::new();
        }
        Ok(())
    }

    /// The distinct intervals in rising order of left, then right.
    pub fn sorted(&self) -> Vec<Interval> {
        let mut all: Vec<Interval> = self.cells.iter().chain(&self.list).copied().collect();
        // Stable, so that weights of one interval are added in the order in which they came.
        all.sort_by(|a, b| a.left.total_cmp(&b.left).then(a.right.total_cmp(&b.right)));
        all.dedup_by(|next, first| {
            let same = next.left == first.left && next.right == first.right;
            if same {
                first.weight += next.weight;
            }
            same
        });
        all
    }

    pub fn is_empty(&self) -> bool {
        self.cells.is_empty() && self.list.is_empty()
    }

    pub fn memory_bytes(&self) -> usize {
        (self.list.capacity() + self.cells.capacity()) * size_of::<Interval>()
    }

    /// A sample of these intervals.
    ///
    /// # Errors
    /// [`Error::Malformed`] unless they rise strictly and each is one that [`IntervalSample::add`] takes.
    pub fn from_sorted(cells: Vec<Interval>, skipped: u64) -> Result<Self> {
        for cell in &cells {
            let valid = (0.0..f64::INFINITY).contains(&cell.left)
                && cell.right >= cell.left
                && cell.weight > 0.0
                && cell.weight <= LARGEST_COUNT;
            if !valid {
                return Err(Error::malformed(format!("no interval: {} to {}", cell.left, cell.right)));
            }
        }
        if cells.windows(2).any(|pair| (pair[0].left, pair[0].right) >= (pair[1].left, pair[1].right)) {
            return Err(Error::malformed("the intervals of a summary must rise"));
        }
        Ok(IntervalSample { list: Vec::new(), cells, skipped })
    }

    /// Bytes: version, skipped, number of intervals, then left, right (may be infinite) and weight of each.
    pub fn encode(&self) -> Vec<u8> {
        let cells = self.sorted();
        let mut out = Writer::default();
        out.byte(VERSION);
        out.whole(self.skipped);
        out.whole(cells.len() as u64);
        for cell in cells {
            out.float(cell.left);
            out.float(cell.right);
            out.float(cell.weight);
        }
        out.bytes
    }

    /// # Errors
    /// [`Error::Malformed`] for anything that [`IntervalSample::encode`] could not have written.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut from = Reader::new(bytes);
        let version = from.byte()?;
        if version != VERSION {
            return Err(Error::malformed(format!(
                "format version {version} of ltv.interval_sample is not known to this release"
            )));
        }
        let skipped = from.whole()?;
        let count = from.count(24)?;
        let mut cell = || Ok(Interval { left: from.float()?, right: from.float()?, weight: from.float()? });
        let cells = (0..count).map(|_| cell()).collect::<Result<Vec<_>>>()?;
        from.finish()?;
        Self::from_sorted(cells, skipped)
    }
}

#[cold]
fn bad_interval(left: f64, right: f64) -> Error {
    Error::invalid(
        format!("an interval needs 0 <= left <= right and a finite left, got {left} to {right}"),
        "left: last seen alive; right: first seen gone, NULL when not yet; both the same for an exact time; left 0 when it may have been at any time before right.",
    )
}
