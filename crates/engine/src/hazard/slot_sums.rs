//! The sums over rows that lie where they are, by when they leave: what a sweep over event times then reads.

use crate::Result;
use crate::hazard::in_place::InPlace;
use crate::hazard::risk_sets::{LANES, Lanes};
use crate::hazard::sweep::RunningSums;
use crate::hazard::timeline::reserve;
use crate::numeric::sum::Sum;

/// The kinds of rows that leave at an event time (or before the next): those who die, the others, and the same of the
/// late ones, whose sums must be taken away again.
pub(super) struct Kind;

impl Kind {
    pub const DEATH: usize = 0;
    pub const OTHER: usize = 1;
    pub const LATE_DEATH: usize = 2;
    pub const LATE_OTHER: usize = 3;
    pub const ALL: usize = 4;

    pub fn dies(kind: usize) -> bool {
        matches!(kind, Kind::DEATH | Kind::LATE_DEATH)
    }
}

/// Sums over the rows at some coefficients, and what they are made of.
#[derive(Debug)]
pub(super) struct SlotSums {
    /// Σ r per slot.
    pub totals: Vec<f64>,
    /// Σ r over the late rows of each group, by when they come and by when they go: what is to be taken away must have
    /// been added with its rounding errors.
    pub comes: Vec<Sum>,
    pub goes: Vec<Sum>,
    /// Σ r x per summed slot …
    pub x: Vec<Lanes>,
    /// … and over the late rows.
    pub comes_x: RunningSums,
    pub goes_x: RunningSums,
    /// r per row.
    pub risk: Vec<f64>,
    /// The coefficients and the shift that all of it but the sums of x belongs to; `None` for none yet.
    pub at: Option<(Vec<Lanes>, f64)>,
    /// Whether the sums of x belong to them, too.
    pub has_x: bool,
}

impl SlotSums {
    pub fn new(place: &InPlace, chunks: usize) -> Result<SlotSums> {
        let slots = (place.summed * place.groups + 1) * chunks;
        let late = if place.entered.is_empty() { 0 } else { place.groups };
        let mut sums = SlotSums {
            totals: vec![0.0; Kind::ALL * place.groups + 1],
            comes: vec![Sum::default(); late],
            goes: vec![Sum::default(); late],
            x: Vec::new(),
            comes_x: RunningSums::new(late * chunks),
            goes_x: RunningSums::new(late * chunks),
            risk: Vec::new(),
            at: None,
            has_x: false,
        };
        reserve(&mut sums.x, slots)?;
        sums.x.resize(slots, [0.0; LANES]);
        reserve(&mut sums.risk, place.rows())?;
        sums.risk.resize(place.rows(), 0.0);
        Ok(sums)
    }
}

/// As many whole vectors as cover a row; what they hold of the next row must count for nothing.
#[inline(always)]
pub(super) fn row(x: &[f64], start: usize, chunks: usize) -> &[Lanes] {
    x[start..start + chunks * LANES].as_chunks::<LANES>().0
}

/// A block of rows on its way into the sums of x.
pub(super) struct Block<'a> {
    pub x: &'a [f64],
    pub p: usize,
    pub groups: usize,
    pub slots: &'a [u32],
    pub risk: &'a [f64],
    /// Of the late rows from this block on.
    pub entered: &'a [u32],
}

impl Block<'_> {
    /// The common widths are compiled on their own.
    #[inline(always)]
    pub fn add_up(&self, chunks: usize, sums: &mut [Lanes], late: (&mut RunningSums, &mut RunningSums)) {
        let mut entered = self.entered.iter();
        for (i, (r, slot)) in self.risk.iter().zip(self.slots).enumerate() {
            let slot = *slot as usize;
            let x = row(self.x, i * self.p, chunks);
            if slot >= Kind::LATE_DEATH * self.groups {
                if slot == Kind::ALL * self.groups {
                    continue;
                }
                late.0.add_at(slot % self.groups * chunks, *r, x);
                if let Some(group) = entered.next() {
                    late.1.add_at(*group as usize * chunks, *r, x);
                }
                if slot >= Kind::LATE_OTHER * self.groups {
                    continue;
                }
            }
            let sums = &mut sums[slot * chunks..(slot + 1) * chunks];
            for (sums, values) in sums.iter_mut().zip(x) {
                (0..LANES).for_each(|lane| sums[lane] += r * values[lane]);
            }
        }
    }
}
