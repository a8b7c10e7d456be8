//! Single rows that wait to be counted, key and column in eight bytes.
//!
//! A key is not negative, so that its sign says nothing: its bits move up by one and the column takes the lowest. In the
//! order of these numbers the keys rise, and rows of one key lie together.

use crate::Result;
use crate::memory::{Room, no_memory};
use crate::numeric::radix::sort_scattered;
use crate::numeric::tally::Cell;

/// Columns that a row may be of.
pub(super) const COLUMNS: usize = 2;

#[derive(Debug, Clone, Default)]
pub(super) struct Singles {
    rows: Vec<u64>,
}

impl Singles {
    /// `key` is finite and not negative, `column` less than [`COLUMNS`].
    #[inline(always)]
    pub fn push(&mut self, key: f64, column: usize) {
        self.rows.push(key.to_bits() << 1 | column as u64);
    }

    /// Whether the next row takes more memory.
    #[inline(always)]
    pub fn is_full(&self) -> bool {
        self.rows.len() == self.rows.capacity()
    }

    /// Makes room for more rows: as many again, but not more than `most` in all.
    ///
    /// # Errors
    /// [`crate::Error::NoMemory`] when the system has no more.
    pub fn grow(&mut self, most: usize) -> Result<()> {
        let more = self.rows.len().max(4).min(most.saturating_sub(self.rows.len())).max(1);
        self.rows.exact_room(more).map_err(|_| no_memory((self.rows.len() + more) * size_of::<u64>()))
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn memory_bytes(&self) -> usize {
        self.rows.capacity() * size_of::<u64>()
    }

    /// The rows as cells in rising order.
    pub fn counted<const K: usize>(mut self) -> Counted<K> {
        sort_scattered(&mut self.rows, |row| *row);
        let keys = self.rows.chunk_by(|a, b| a >> 1 == b >> 1).count();
        Counted { rows: self.rows, at: 0, keys }
    }
}

impl FromIterator<(f64, usize)> for Singles {
    fn from_iter<T: IntoIterator<Item = (f64, usize)>>(rows: T) -> Self {
        let mut singles = Singles::default();
        rows.into_iter().for_each(|(key, column)| singles.push(key, column));
        singles
    }
}

/// Rising cells of sorted rows.
pub(super) struct Counted<const K: usize> {
    rows: Vec<u64>,
    at: usize,
    /// Keys from there on.
    keys: usize,
}

impl<const K: usize> Iterator for Counted<K> {
    type Item = Cell<K>;

    #[inline]
    fn next(&mut self) -> Option<Cell<K>> {
        let key = self.rows.get(self.at)? >> 1;
        let mut counts = [0.0; K];
        while let Some(row) = self.rows.get(self.at).filter(|row| **row >> 1 == key) {
            counts[(row & 1) as usize] += 1.0;
            self.at += 1;
        }
        self.keys -= 1;
        Some(Cell { key: f64::from_bits(key), counts })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.keys, Some(self.keys))
    }
}
