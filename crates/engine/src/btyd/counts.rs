//! How many customers have the same few numbers: the mergeable heart of the transactional samples.

use hashbrown::HashTable;

use crate::memory::asking;
use crate::numeric::bytes::{Reader, Writer};
use crate::numeric::tally::{Budget, LARGEST_WEIGHT};
use crate::{Error, Result};

/// A sum of weights beyond this is none of ours.
const LARGEST_COUNT: f64 = 1e120;

/// Customers who have the same numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell<const K: usize> {
    pub key: [f64; K],
    /// How many they are (sum of weights).
    pub weight: f64,
}

/// Distinct keys (finite, not negative) with their weights. Merging is addition, so the order of the rows does not
/// matter.
#[derive(Debug, Clone)]
pub struct Counts<const K: usize> {
    cells: HashTable<Cell<K>>,
}

impl<const K: usize> Default for Counts<K> {
    fn default() -> Self {
        Counts { cells: HashTable::new() }
    }
}

impl<const K: usize> PartialEq for Counts<K> {
    fn eq(&self, other: &Self) -> bool {
        self.sorted() == other.sorted()
    }
}

/// The two halves of a product, folded: whole numbers have all their bits at the upper end of a double, and a plain
/// product would leave them there.
#[inline(always)]
fn hash_of<const K: usize>(key: &[f64; K]) -> u64 {
    let mut hash = 0x9e37_79b9_7f4a_7c15;
    for part in key {
        let product = u128::from(hash ^ part.to_bits()).wrapping_mul(0xa076_1d64_78bd_642f_e703_7ed1_a0b4_28db);
        hash = (product as u64) ^ (product >> 64) as u64;
    }
    hash
}

impl<const K: usize> Counts<K> {
    /// Counts `weight` customers under `key`, whose zeros are positive.
    ///
    /// # Errors
    /// [`Error::Invalid`] unless the weight is positive and at most [`LARGEST_WEIGHT`]; [`Error::Memory`].
    #[inline(always)]
    pub fn add(&mut self, key: [f64; K], weight: f64, budget: impl FnOnce() -> Budget) -> Result<()> {
        if !(weight > 0.0 && weight <= LARGEST_WEIGHT) {
            return Err(bad_weight(weight));
        }
        self.count(key, weight, budget)
    }

    #[inline(always)]
    fn count(&mut self, key: [f64; K], weight: f64, budget: impl FnOnce() -> Budget) -> Result<()> {
        let hash = hash_of(&key);
        if let Some(cell) = self.cells.find_mut(hash, |cell| cell.key == key) {
            cell.weight += weight;
            return Ok(());
        }
        if self.cells.len() == self.cells.capacity() {
            self.grow(budget())?;
        }
        self.cells.insert_unique(hash, Cell { key, weight }, |cell| hash_of(&cell.key));
        Ok(())
    }

    #[inline(never)]
    fn grow(&mut self, budget: Budget) -> Result<()> {
        // While it grows, the old table is there beside one of twice its size.
        budget.check(3 * self.cells.allocation_size(), "the summary")?;
        asking(|| self.cells.try_reserve(self.cells.len().max(1), |cell| hash_of(&cell.key)))
            .map_err(|_| Error::NoMemory("no memory is left for the summary".into()))
    }

    /// Counts everything that `other` has counted.
    pub fn merge(&mut self, other: &Self, budget: impl Fn() -> Budget) -> Result<()> {
        other.cells.iter().try_for_each(|cell| self.count(cell.key, cell.weight, &budget))
    }

    /// The cells in rising order of their keys.
    pub fn sorted(&self) -> Vec<Cell<K>> {
        let mut cells: Vec<Cell<K>> = self.cells.iter().copied().collect();
        // The bits of numbers that are not negative rise with them.
        cells.sort_unstable_by_key(|cell| cell.key.map(f64::to_bits));
        cells
    }

    pub fn len(&self) -> usize {
        self.cells.len()
    }

    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    pub fn memory_bytes(&self) -> usize {
        self.cells.allocation_size()
    }

    /// # Errors
    /// [`Error::Malformed`] unless keys rise strictly, pass `check`, and are each counted a sane number of times.
    pub fn from_sorted(cells: Vec<Cell<K>>, check: impl Fn(&[f64; K]) -> Result<()>) -> Result<Self> {
        let mut counts = Counts { cells: HashTable::with_capacity(cells.len()) };
        let mut before: Option<[u64; K]> = None;
        for cell in cells {
            check(&cell.key).map_err(|error| Error::malformed(error.to_string()))?;
            let key = cell.key.map(|part| (part + 0.0).to_bits());
            if before.is_some_and(|before| key <= before) {
                return Err(Error::malformed("the customers of a summary must be in rising order"));
            }
            if !(cell.weight > 0.0 && cell.weight <= LARGEST_COUNT) {
                return Err(Error::malformed(format!("a count must be from 0 to {LARGEST_COUNT:e}")));
            }
            before = Some(key);
            let cell = Cell { key: key.map(f64::from_bits), ..cell };
            counts.cells.insert_unique(hash_of(&cell.key), cell, |cell| hash_of(&cell.key));
        }
        Ok(counts)
    }

    /// Bytes: number of cells, then each key and its weight in rising order of the keys.
    pub fn write(&self, out: &mut Writer) {
        let cells = self.sorted();
        out.whole(cells.len() as u64);
        for cell in cells {
            cell.key.iter().for_each(|part| out.float(*part));
            out.float(cell.weight);
        }
    }

    /// # Errors
    /// As [`Counts::from_sorted`].
    pub fn read(from: &mut Reader, check: impl Fn(&[f64; K]) -> Result<()>) -> Result<Self> {
        let count = from.count(8 * (K + 1))?;
        let mut cells = Vec::with_capacity(count);
        for _ in 0..count {
            let mut key = [0.0; K];
            for part in &mut key {
                *part = from.float()?;
            }
            cells.push(Cell { key, weight: from.float()? });
        }
        Self::from_sorted(cells, check)
    }
}

#[cold]
fn bad_weight(weight: f64) -> Error {
    Error::invalid(
        format!("weight must be greater than 0 and at most {LARGEST_WEIGHT:e}, got {weight}"),
        "It is the number of customers that a row stands for; filter the rows that should not count.",
    )
}
