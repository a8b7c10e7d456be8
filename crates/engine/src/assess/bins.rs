//! How numbers are distributed, in bins that depend on what was counted and never on its order.
//!
//! A bin holds the numbers that agree in the leading bits of a double: sign, exponent, fraction. While there are few
//! different numbers all 64 bits count and each has a bin of its own; when there are more than [`MOST_BINS`], as many of
//! the last bits are dropped as it takes, but at most [`MOST_DROPPED`], which leaves 7 bits of the fraction: no bin is
//! wider than 1/128 of its numbers. How many bits are dropped follows from the set of numbers alone, since more numbers
//! never need fewer bins: any order and any split end in the same bins.

use std::collections::BTreeMap;

use crate::{Error, Result};

/// So many different numbers are kept exactly.
pub const MOST_BINS: usize = 1024;

/// Bits of a double that may be within a bin.
pub const MOST_DROPPED: u8 = 45;

/// The numbers of a bin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    pub count: u64,
    pub least: f64,
    pub greatest: f64,
}

impl Bin {
    /// Where its numbers are taken to be.
    pub(super) fn middle(&self) -> f64 {
        self.least.midpoint(self.greatest)
    }

    fn take(&mut self, other: &Bin) {
        self.count += other.count;
        self.least = self.least.min(other.least);
        self.greatest = self.greatest.max(other.greatest);
    }
}

/// No numbers: a slot that is free.
const FREE: Bin = Bin { count: 0, least: 0.0, greatest: 0.0 };

/// Bins in rising order.
#[derive(Debug, Clone, Default)]
pub struct Bins {
    dropped: u8,
    /// A hash table of the bits that the numbers of a bin share, which [`Bins::slot`] finds by looking at one slot, seldom
    /// at more: at most half of the slots are taken, and their number is 0 or a power of two.
    slots: Vec<Bin>,
    /// The slot of each bin by those bits, for whatever asks for an order.
    order: BTreeMap<u64, u32>,
}

impl PartialEq for Bins {
    fn eq(&self, other: &Self) -> bool {
        self.dropped == other.dropped && self.iter().eq(other.iter())
    }
}

/// The bits of a finite number in an order that is that of the numbers.
fn rising(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

impl Bins {
    /// From bins in rising order, of which each is one.
    ///
    /// # Errors
    /// [`Error::Malformed`] for anything else.
    pub fn of(dropped: u8, bins: Vec<Bin>) -> Result<Self> {
        let key = |value: f64| rising(value) >> dropped.min(MOST_DROPPED);
        let proper = |bin: &Bin| {
            bin.count >= 1
                && bin.least.is_finite()
                && bin.greatest.is_finite()
                && bin.least <= bin.greatest
                && key(bin.least) == key(bin.greatest)
                && (bin.count > 1 || bin.least == bin.greatest)
        };
        let in_order = bins.windows(2).all(|pair| key(pair[0].least) < key(pair[1].least));
        let as_fine = dropped == MOST_DROPPED || (dropped < MOST_DROPPED && bins.len() <= MOST_BINS);
        if !(as_fine && in_order && bins.iter().all(proper)) {
            return Err(Error::malformed("the bins of a profile are none, or not in order"));
        }
        let mut found = Bins { dropped, ..Bins::default() };
        found.make_room(bins.len());
        for bin in bins {
            found.take(key(bin.least), bin);
        }
        Ok(found)
    }

    /// Adds a finite number; whether it made a new bin.
    #[inline]
    pub fn add(&mut self, value: f64) -> bool {
        let value = value + 0.0;
        let key = rising(value) >> self.dropped;
        let slot = self.slot(key);
        match self.slots.get_mut(slot) {
            Some(bin) if bin.count > 0 => {
                *bin = Bin { count: bin.count + 1, least: bin.least.min(value), greatest: bin.greatest.max(value) };
                false
            }
            _ => {
                self.take(key, Bin { count: 1, least: value, greatest: value });
                self.fit();
                true
            }
        }
    }

    /// The slot in which the numbers that share these bits are, or else the free one in which they would be.
    #[inline]
    fn slot(&self, key: u64) -> usize {
        // Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4): the leading bits of a product.
        let (last, bits) = (self.slots.len().wrapping_sub(1), self.slots.len().trailing_zeros());
        let mut slot = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - bits)) as usize;
        while let Some(bin) = self.slots.get(slot)
            && bin.count > 0
            && rising(bin.least) >> self.dropped != key
        {
            slot = (slot + 1) & last;
        }
        slot
    }

    /// Slots for so many bins.
    fn make_room(&mut self, bins: usize) {
        if self.slots.len() >= 2 * bins {
            return;
        }
        let before = std::mem::replace(&mut self.slots, vec![FREE; (2 * bins).next_power_of_two().max(8)]);
        for bin in before.into_iter().filter(|bin| bin.count > 0) {
            let key = rising(bin.least) >> self.dropped;
            let slot = self.slot(key);
            self.slots[slot] = bin;
            self.order.insert(key, slot as u32);
        }
    }

    /// Takes numbers in that share these bits.
    fn take(&mut self, key: u64, bin: Bin) {
        self.make_room(self.order.len() + 1);
        let slot = self.slot(key);
        match &mut self.slots[slot] {
            own if own.count > 0 => own.take(&bin),
            free => {
                *free = bin;
                self.order.insert(key, slot as u32);
            }
        }
    }

    pub fn merge(&mut self, other: &Bins) {
        self.drop_bits(other.dropped.max(self.dropped));
        let shift = self.dropped - other.dropped;
        for (key, slot) in &other.order {
            self.take(key >> shift, other.slots[*slot as usize]);
        }
        self.fit();
    }

    /// Drops as few bits as leave no more than [`MOST_BINS`] bins.
    fn fit(&mut self) {
        if self.order.len() <= MOST_BINS {
            return;
        }
        let bins = |dropped: u8| {
            let (shift, mut bins, mut last) = (dropped - self.dropped, 0, None);
            for key in self.order.keys().map(|key| Some(key >> shift)) {
                bins += usize::from(key != last);
                last = key;
            }
            bins
        };
        let enough = (self.dropped..MOST_DROPPED).find(|dropped| bins(*dropped) <= MOST_BINS);
        self.drop_bits(enough.unwrap_or(MOST_DROPPED));
    }

    fn drop_bits(&mut self, dropped: u8) {
        let shift = dropped - self.dropped;
        if shift == 0 {
            return;
        }
        self.dropped = dropped;
        let (order, bins) = (std::mem::take(&mut self.order), std::mem::take(&mut self.slots));
        for (key, slot) in order {
            self.take(key >> shift, bins[slot as usize]);
        }
    }

    /// Of each bin of either, in rising order, the bin of the first and that of the second: as fine as both are.
    pub(super) fn side_by_side(&self, other: &Bins) -> Vec<[Option<Bin>; 2]> {
        let mut pairs: BTreeMap<u64, [Option<Bin>; 2]> = BTreeMap::new();
        let dropped = self.dropped.max(other.dropped);
        for (at, side) in [self, other].into_iter().enumerate() {
            for (key, slot) in &side.order {
                let pair = pairs.entry(key >> (dropped - side.dropped)).or_default();
                let bin = &side.slots[*slot as usize];
                match &mut pair[at] {
                    Some(own) => own.take(bin),
                    none => *none = Some(*bin),
                }
            }
        }
        pairs.into_values().collect()
    }

    /// Bits of a double that are not told apart.
    pub fn dropped(&self) -> u8 {
        self.dropped
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Bin> {
        self.order.values().map(|slot| &self.slots[*slot as usize])
    }

    pub fn len(&self) -> usize {
        self.order.len()
    }

    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    pub fn memory_bytes(&self) -> usize {
        self.slots.len() * size_of::<Bin>() + self.order.len() * 24
    }
}
