//! The mergeable heart of every summary here: exact counts per distinct number.
//!
//! A `Tally<K>` holds, for each distinct key, `K` counts (events and censorings, or positives and negatives). Whole
//! keys of single rows – days, months, periods – go to a dense grid once there are enough rows to pay for one; all
//! other rows go to a short list that is sorted into the cells when it has grown as long as they are. Adding is so
//! a few instructions for calendar data and amortised O(log n) for anything else, and a group of a hundred rows
//! costs a hundred rows' memory. Merging is addition, so order, workers and shards do not matter: counts of single
//! rows are exact to the last bit, weights to rounding.

use crate::{Error, Result};

/// Whole keys from here on are never kept on the grid.
const GRID_LIMIT: usize = 1 << 16;
/// A grid may be this many keys long for each row seen: what a list of the rows would take.
const GRID_KEYS_PER_ROW: usize = 2;
/// The list is sorted into the cells when it is this long and as long as they are.
const LIST_LIMIT: usize = 64;

/// A count beyond this is none of ours: sums and products of counts stay far within the range of a double.
pub(super) const LARGEST_COUNT: f64 = 1e120;
/// No single weight may be larger, so that no number of rows adds up to [`LARGEST_COUNT`].
pub const LARGEST_WEIGHT: f64 = 1e90;

/// One distinct key and its counts (sums of weights).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell<const K: usize> {
    pub key: f64,
    pub counts: [f64; K],
}

#[derive(Debug, Clone, Copy)]
struct Row {
    key: f64,
    weight: f64,
    column: u8,
}

/// How many bytes a summary may take before [`Error::Memory`].
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    pub bytes: usize,
}

impl Budget {
    pub const UNLIMITED: Budget = Budget { bytes: usize::MAX };

    pub fn check(self, bytes: usize, what: &str) -> Result<()> {
        if bytes <= self.bytes {
            return Ok(());
        }
        Err(Error::Memory { what: what.into(), limit_mb: self.bytes >> 20 })
    }
}

#[derive(Debug, Clone)]
pub struct Tally<const K: usize> {
    grid: Vec<[u32; K]>,
    /// Rows the grid can still take before one of its counters could overflow.
    grid_room: u32,
    /// Keys of single rows that wait to be sorted, by column: eight bytes each, where a weighted row takes three times
    /// that.
    singles: [Vec<f64>; K],
    /// Weighted rows that wait to be sorted.
    list: Vec<Row>,
    cells: Vec<Cell<K>>,
    rows: usize,
}

impl<const K: usize> Default for Tally<K> {
    fn default() -> Self {
        Tally {
            grid: Vec::new(),
            grid_room: u32::MAX,
            singles: [const { Vec::new() }; K],
            list: Vec::new(),
            cells: Vec::new(),
            rows: 0,
        }
    }
}

/// Two tallies are equal when they count the same, however they got there.
impl<const K: usize> PartialEq for Tally<K> {
    fn eq(&self, other: &Self) -> bool {
        self.sorted() == other.sorted()
    }
}

impl<const K: usize> Tally<K> {
    /// Counts one row of weight 1 under `key` (finite and not negative) in `column` (< K).
    #[inline(always)]
    pub fn add(&mut self, key: f64, column: usize, budget: Budget) -> Result<()> {
        self.add_asking(key, column, || budget)
    }

    /// As [`Tally::add`], asking for the budget only when memory may grow.
    #[inline(always)]
    pub fn add_asking(&mut self, key: f64, column: usize, budget: impl FnOnce() -> Budget) -> Result<()> {
        let whole = key as u32 as usize;
        if whole < self.grid.len() && whole as f64 == key && self.grid_room > 0 {
            self.grid[whole][column] += 1;
            self.grid_room -= 1;
            self.rows += 1;
            return Ok(());
        }
        self.add_slowly(key, column, budget())
    }

    /// The first rows, keys off the grid, and a full grid.
    #[inline(never)]
    fn add_slowly(&mut self, key: f64, column: usize, budget: Budget) -> Result<()> {
        if self.grid_room == 0 {
            let counted = self.sorted();
            *self = Tally { rows: self.rows, cells: counted, ..Tally::default() };
        }
        let whole = key as u32 as usize;
        let allowed = GRID_LIMIT.min(self.rows.saturating_mul(GRID_KEYS_PER_ROW));
        if whole as f64 == key && whole < allowed {
            if whole >= self.grid.len() {
                let length = (whole + 1).next_power_of_two().clamp(LIST_LIMIT, GRID_LIMIT);
                self.grid.resize(length, [0; K]);
            }
            self.grid[whole][column] += 1;
            self.grid_room -= 1;
            self.rows += 1;
            return Ok(());
        }
        self.make_room(budget)?;
        self.singles[column].push(key + 0.0);
        self.rows += 1;
        Ok(())
    }

    /// Counts one row of any positive weight up to [`LARGEST_WEIGHT`].
    pub fn add_weighted(&mut self, key: f64, column: usize, weight: f64, budget: Budget) -> Result<()> {
        self.make_room(budget)?;
        self.list.push(Row { key: key + 0.0, weight, column: column as u8 });
        self.rows += 1;
        Ok(())
    }

    /// Sorts what waits when it has grown as long as what is sorted.
    #[inline]
    fn make_room(&mut self, budget: Budget) -> Result<()> {
        let waiting = self.list.len() + self.singles.iter().map(Vec::len).sum::<usize>();
        if waiting >= LIST_LIMIT.max(self.cells.len()) {
            self.compact();
            // The next list will be as long as the cells are now.
            budget.check(self.memory_bytes() + self.cells.len() * size_of::<Row>(), "the summary")?;
        }
        Ok(())
    }

    /// Counts everything that `other` has counted.
    pub fn merge(&mut self, other: &Self, budget: Budget) -> Result<()> {
        let theirs = other.sorted();
        // A few cells wait in the list as rows do, so that many small summaries do not each copy a large one.
        if theirs.len() < self.cells.len() / 8 {
            for cell in &theirs {
                for (column, weight) in cell.counts.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
                    self.add_weighted(cell.key, column, *weight, budget)?;
                }
            }
            self.rows += other.rows.saturating_sub(theirs.len());
            return Ok(());
        }
        self.compact();
        budget.check(self.memory_bytes() + size_of_val(theirs.as_slice()), "the summary")?;
        self.cells = merged(&self.cells, &theirs);
        self.rows += other.rows;
        Ok(())
    }

    /// The cells in rising order of their keys.
    pub fn sorted(&self) -> Vec<Cell<K>> {
        let on_grid: Vec<Cell<K>> = self
            .grid
            .iter()
            .enumerate()
            .filter(|(_, counts)| counts.iter().any(|count| *count > 0))
            .map(|(key, counts)| Cell { key: key as f64, counts: counts.map(f64::from) })
            .collect();
        let waiting = gathered(self.list.clone(), self.singles.clone());
        let off_grid = if self.cells.is_empty() { waiting } else { merged(&self.cells, &waiting) };
        if on_grid.is_empty() { off_grid } else { merged(&off_grid, &on_grid) }
    }

    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub fn memory_bytes(&self) -> usize {
        self.grid.capacity() * size_of::<[u32; K]>()
            + self.list.capacity() * size_of::<Row>()
            + self.singles.iter().map(Vec::capacity).sum::<usize>() * size_of::<f64>()
            + self.cells.capacity() * size_of::<Cell<K>>()
    }

    fn compact(&mut self) {
        let (list, singles) = (std::mem::take(&mut self.list), self.singles.each_mut().map(std::mem::take));
        self.cells = merged(&self.cells, &gathered(list, singles));
    }

    /// The cells whose keys are at least `from`, counted from `origin` (not after `from`) on.
    pub fn since(&self, from: f64, origin: f64) -> Self {
        let mut cells: Vec<Cell<K>> = Vec::new();
        for cell in self.sorted().into_iter().filter(|cell| cell.key >= from) {
            let key = cell.key - origin;
            match cells.last_mut() {
                // Neighbouring doubles may become one.
                Some(last) if last.key == key => {
                    last.counts = std::array::from_fn(|k| last.counts[k] + cell.counts[k]);
                }
                _ => cells.push(Cell { key, counts: cell.counts }),
            }
        }
        Tally { rows: cells.len(), cells, ..Tally::default() }
    }

    /// A tally that has counted single rows: their keys (finite and not negative) by column.
    pub fn of_singles(singles: [Vec<f64>; K]) -> Self {
        let rows = singles.iter().map(Vec::len).sum();
        Tally { cells: gathered(Vec::new(), singles), rows, ..Tally::default() }
    }

    /// A tally that has counted these cells.
    ///
    /// # Errors
    /// [`Error::Malformed`] unless the keys are finite, not negative and rise strictly, and each cell counts something,
    /// none of it absurdly often.
    pub fn from_sorted(cells: Vec<Cell<K>>) -> Result<Self> {
        Self::from_sorted_up_to(cells, LARGEST_COUNT)
    }

    /// As [`Tally::from_sorted`], for sums that may be as large as `largest`.
    pub fn from_sorted_up_to(cells: Vec<Cell<K>>, largest: f64) -> Result<Self> {
        let mut before = None;
        for cell in &cells {
            if !(0.0..f64::INFINITY).contains(&cell.key) {
                return Err(Error::malformed(format!("key {} must be finite and not negative", cell.key)));
            }
            if let Some(before) = before.filter(|before| cell.key <= *before) {
                return Err(Error::malformed(format!("key {} does not follow {before} in rising order", cell.key)));
            }
            if cell.counts.iter().any(|count| !(0.0..=largest).contains(count)) {
                return Err(Error::malformed(format!("counts at {} must be from 0 to {largest:e}", cell.key)));
            }
            if cell.counts.iter().all(|count| *count == 0.0) {
                return Err(Error::malformed(format!("nothing is counted at {}", cell.key)));
            }
            before = Some(cell.key);
        }
        // Rows are only a guide to the grid's length, so cells stand for them.
        Ok(Tally { rows: cells.len(), cells, ..Tally::default() })
    }
}

/// The rows that have waited as cells in rising order.
fn gathered<const K: usize>(list: Vec<Row>, singles: [Vec<f64>; K]) -> Vec<Cell<K>> {
    let mut cells = weighted(list);
    for (column, mut keys) in singles.into_iter().enumerate() {
        keys.sort_unstable_by_key(|key| key.to_bits()); // the order of numbers that are not negative
        let counted = keys.chunk_by(|a, b| a == b).map(|same| {
            let mut counts = [0.0; K];
            counts[column] = same.len() as f64;
            Cell { key: same[0], counts }
        });
        let counted: Vec<Cell<K>> = counted.collect();
        cells = if cells.is_empty() { counted } else { merged(&cells, &counted) };
    }
    cells
}

fn weighted<const K: usize>(mut list: Vec<Row>) -> Vec<Cell<K>> {
    list.sort_unstable_by(|a, b| a.key.total_cmp(&b.key));
    let mut cells: Vec<Cell<K>> = Vec::with_capacity(list.len().min(1024));
    for row in list {
        match cells.last_mut() {
            Some(last) if last.key == row.key => last.counts[row.column as usize] += row.weight,
            _ => {
                let mut counts = [0.0; K];
                counts[row.column as usize] = row.weight;
                cells.push(Cell { key: row.key, counts });
            }
        }
    }
    cells
}

/// The sum of two rising lists of cells.
fn merged<const K: usize>(left: &[Cell<K>], right: &[Cell<K>]) -> Vec<Cell<K>> {
    if left.is_empty() || right.is_empty() {
        return [left, right].concat();
    }
    let mut sum = Vec::with_capacity(left.len() + right.len());
    let (mut i, mut j) = (0, 0);
    while i < left.len() && j < right.len() {
        let (a, b) = (left[i], right[j]);
        if a.key < b.key {
            sum.push(a);
            i += 1;
        } else if b.key < a.key {
            sum.push(b);
            j += 1;
        } else {
            sum.push(Cell { key: a.key, counts: std::array::from_fn(|k| a.counts[k] + b.counts[k]) });
            i += 1;
            j += 1;
        }
    }
    sum.extend_from_slice(&left[i..]);
    sum.extend_from_slice(&right[j..]);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counted(rows: &[(f64, usize, f64)]) -> Tally<2> {
        let mut tally = Tally::default();
        for (key, column, weight) in rows {
            let added = if *weight == 1.0 {
                tally.add(*key, *column, Budget::UNLIMITED)
            } else {
                tally.add_weighted(*key, *column, *weight, Budget::UNLIMITED)
            };
            added.unwrap();
        }
        tally
    }

    fn rows() -> impl Strategy<Value = Vec<(f64, usize, f64)>> {
        let key =
            prop_oneof![(0u32..500).prop_map(f64::from), (0u32..4_000).prop_map(|k| f64::from(k) / 8.0), Just(1e300)];
        prop::collection::vec((key, 0usize..2, prop_oneof![Just(1.0), (1u8..5).prop_map(f64::from)]), 0..700)
    }

    proptest! {
        #[test]
        fn order_and_split_do_not_matter(rows in rows(), cut in 0usize..700) {
            let whole = counted(&rows);
            let backwards: Vec<_> = rows.iter().rev().copied().collect();
            prop_assert_eq!(&whole, &counted(&backwards));
            let cut = cut.min(rows.len());
            let mut merged = counted(&rows[..cut]);
            merged.merge(&counted(&rows[cut..]), Budget::UNLIMITED).unwrap();
            prop_assert_eq!(&whole, &merged);
            let mut direct = std::collections::BTreeMap::<u64, [f64; 2]>::new();
            for (key, column, weight) in &rows { direct.entry(key.to_bits()).or_default()[*column] += weight; }
            let direct: Vec<_> = direct.into_iter().map(|(key, counts)| Cell { key: f64::from_bits(key), counts }).collect();
            prop_assert_eq!(whole.sorted(), direct);
        }
    }

    #[test]
    fn a_small_budget_is_an_error_not_a_crash() {
        let mut tally = Tally::<2>::default();
        let budget = Budget { bytes: 10_000 };
        let refused = (0..100_000).find_map(|i| tally.add(f64::from(i) + 0.5, 0, budget).err());
        assert!(matches!(refused, Some(Error::Memory { .. })), "{refused:?}");
    }
}
