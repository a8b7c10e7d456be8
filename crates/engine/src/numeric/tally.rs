//! The mergeable heart of every summary here: exact counts per distinct number.
//!
//! A `Tally<K>` holds, for each distinct key, `K` counts (events and censorings, or positives and negatives). Whole
//! keys of single rows – days, months, periods – go to a dense grid once there are enough rows to pay for one; all
//! other rows go to a short list that is sorted into the cells when it has grown as long as they are. Adding is so
//! a few instructions for calendar data and amortised O(log n) for anything else, and a group of a hundred rows
//! costs a hundred rows' memory. Merging is addition, so order, workers and shards do not matter: counts of single
//! rows are exact to the last bit, weights to rounding.

use crate::memory::{Room, at_hand, no_memory};
use crate::numeric::rising::Together;
use crate::numeric::singles::{COLUMNS, Singles};
use crate::{Error, Result};

/// Whole keys from here on are never kept on the grid.
const GRID_LIMIT: usize = 1 << 16;
/// A grid may be this many keys long for each row seen: what a list of the rows would take.
const GRID_KEYS_PER_ROW: usize = 2;
/// The list is sorted into the cells when it is this long and as long as they are.
const LIST_LIMIT: usize = 64;
/// Single rows alone wait until they take as much memory as the cells: sorting so four times as many each time.
const SINGLES_PER_CELL: usize = size_of::<Row>() / size_of::<u64>();

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
    /// Single rows that wait to be sorted: eight bytes each, where a weighted row takes three times that.
    singles: Singles,
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
            singles: Singles::default(),
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
        if whole as f64 == key {
            if whole < self.grid.len() && self.grid_room > 0 {
                self.grid[whole][column] += 1;
                self.grid_room -= 1;
                self.rows += 1;
                return Ok(());
            }
            return self.add_whole(key, column, budget());
        }
        if self.singles.is_full() || column >= COLUMNS {
            return self.add_slowly(key, column, budget());
        }
        self.singles.push(key, column);
        self.rows += 1;
        Ok(())
    }

    /// The first rows of whole keys, keys off the grid, and a full grid.
    #[inline(never)]
    fn add_whole(&mut self, key: f64, column: usize, budget: Budget) -> Result<()> {
        if self.grid_room == 0 {
            let counted = self.sorted();
            *self = Tally { rows: self.rows, cells: counted, ..Tally::default() };
        }
        let whole = key as u32 as usize;
        let allowed = GRID_LIMIT.min(self.rows.saturating_mul(GRID_KEYS_PER_ROW));
        if whole < allowed {
            if whole >= self.grid.len() {
                let length = (whole + 1).next_power_of_two().clamp(LIST_LIMIT, GRID_LIMIT);
                let more = length - self.grid.len();
                self.grid.room(more).map_err(|_| no_memory(length * size_of::<[u32; K]>()))?;
                self.grid.resize(length, [0; K]);
            }
            self.grid[whole][column] += 1;
            self.grid_room -= 1;
            self.rows += 1;
            return Ok(());
        }
        self.add_slowly(key, column, budget)
    }

    /// A row that waits, where there may be no room for it.
    #[inline(never)]
    fn add_slowly(&mut self, key: f64, column: usize, budget: Budget) -> Result<()> {
        if column >= COLUMNS {
            return self.add_weighted(key, column, 1.0, budget);
        }
        if self.singles.is_full() {
            self.make_room(budget)?;
            self.singles.grow(self.patience(budget))?;
        }
        self.singles.push(key, column);
        self.rows += 1;
        Ok(())
    }

    /// Counts one row of any positive weight up to [`LARGEST_WEIGHT`].
    pub fn add_weighted(&mut self, key: f64, column: usize, weight: f64, budget: Budget) -> Result<()> {
        self.make_room(budget)?;
        self.list.room(1).map_err(|_| no_memory(2 * self.list.len() * size_of::<Row>()))?;
        self.list.push(Row { key: key + 0.0, weight, column: column as u8 });
        self.rows += 1;
        Ok(())
    }

    /// Sorts what waits when it is time.
    #[inline]
    fn make_room(&mut self, budget: Budget) -> Result<()> {
        if self.list.len() + self.singles.len() >= self.patience(budget) {
            self.compact()?;
            // The next list may take what the cells take now.
            budget.check(self.memory_bytes() + self.cells.len() * size_of::<Row>(), "the summary")?;
        }
        Ok(())
    }

    /// How many rows may wait: as many as there are cells, and more where they are small and sorting takes a small part of
    /// the budget.
    fn patience(&self, budget: Budget) -> usize {
        let is_small = self.list.is_empty() && size_of_val(self.cells.as_slice()).saturating_mul(8) <= budget.bytes;
        LIST_LIMIT.max(if is_small { SINGLES_PER_CELL * self.cells.len() } else { self.cells.len() })
    }

    /// Counts everything that `other` has counted.
    pub fn merge(&mut self, other: &Self, budget: Budget) -> Result<()> {
        at_hand(other.sorting_bytes())?;
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
        self.compact()?;
        budget.check(self.memory_bytes() + size_of_val(theirs.as_slice()), "the summary")?;
        at_hand((self.cells.len() + theirs.len()) * size_of::<Cell<K>>())?;
        self.cells = collected(Together::new(self.cells.iter().copied(), theirs.into_iter()));
        self.rows += other.rows;
        Ok(())
    }

    /// The cells in rising order of their keys.
    pub fn sorted(&self) -> Vec<Cell<K>> {
        let off_grid = gathered(&self.cells, self.list.clone(), self.singles.clone());
        if self.grid.is_empty() {
            return off_grid;
        }
        let on_grid = self.grid.iter().enumerate().filter(|(_, counts)| counts.iter().any(|count| *count > 0));
        let on_grid = on_grid.map(|(key, counts)| Cell { key: key as f64, counts: counts.map(f64::from) });
        let on_grid: Vec<Cell<K>> = on_grid.collect();
        collected(Together::new(off_grid.into_iter(), on_grid.into_iter()))
    }

    /// Calls `visit` with the cells in rising order of their keys; those of single rows need no memory then.
    pub fn for_each(&self, visit: impl FnMut(Cell<K>)) {
        if self.grid.is_empty() && self.list.is_empty() {
            return Together::new(self.cells.iter().copied(), self.singles.clone().counted()).for_each(visit);
        }
        self.sorted().into_iter().for_each(visit);
    }

    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub fn memory_bytes(&self) -> usize {
        self.grid.capacity() * size_of::<[u32; K]>()
            + self.list.capacity() * size_of::<Row>()
            + self.singles.memory_bytes()
            + self.cells.capacity() * size_of::<Cell<K>>()
    }

    /// What [`Tally::sorted`] may take at the same time: copies of what waits, and for each of these, and of all that is
    /// counted already, a cell.
    fn sorting_bytes(&self) -> usize {
        let waiting = self.list.len() * size_of::<Row>() + self.singles.len() * size_of::<u64>();
        let cells = self.cells.len() + 2 * self.list.len() + self.singles.len() + self.grid.len();
        2 * waiting + cells * size_of::<Cell<K>>()
    }

    fn compact(&mut self) -> Result<()> {
        at_hand(self.sorting_bytes())?;
        let (list, singles) = (std::mem::take(&mut self.list), std::mem::take(&mut self.singles));
        self.cells = gathered(&self.cells, list, singles);
        Ok(())
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
    pub fn of_singles(columns: [Vec<f64>; COLUMNS]) -> Self {
        let rows = columns.iter().map(Vec::len).sum();
        let by_column = columns.into_iter().enumerate();
        let singles = by_column.flat_map(|(column, keys)| keys.into_iter().map(move |key| (key, column))).collect();
        Tally { cells: gathered(&[], Vec::new(), singles), rows, ..Tally::default() }
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

/// The cells and the rows that have waited, together in rising order.
fn gathered<const K: usize>(cells: &[Cell<K>], list: Vec<Row>, singles: Singles) -> Vec<Cell<K>> {
    let (cells, singles) = (cells.iter().copied(), singles.counted());
    match list.is_empty() {
        true => collected(Together::new(cells, singles)),
        false => collected(Together::new(cells, Together::new(weighted(list).into_iter(), singles))),
    }
}

fn collected<const K: usize>(cells: impl Iterator<Item = Cell<K>>) -> Vec<Cell<K>> {
    let mut all = Vec::with_capacity(cells.size_hint().1.unwrap_or(0));
    cells.for_each(|cell| all.push(cell));
    all
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
