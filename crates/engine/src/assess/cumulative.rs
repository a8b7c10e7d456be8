//! Weights by rank whose running totals are read and changed in a few steps.
//!
//! A tree of sixteen branches in which each node holds the running totals of its children (Pibiri & Venturini 2021,
//! *Practical trade-offs for the prefix-sum problem*): a total is one number from each of the few levels, a change adds
//! to a line of cache in each. A Fenwick tree visits four times as many, all over memory.

const BRANCHES: usize = 16;

/// What is counted: rows, or weights.
pub(super) trait Count: Copy + Default {
    fn of(weight: f64) -> Self;
    fn number(self) -> f64;
    fn plus(self, other: Self) -> Self;
    /// Adds `weight` to all that stand after `place`.
    fn add_after(totals: &mut [Self; BRANCHES], place: usize, weight: Self);
}

/// Rows. Taking one away wraps around and comes out right.
impl Count for u32 {
    fn of(weight: f64) -> u32 {
        if weight < 0.0 { ((-weight) as u32).wrapping_neg() } else { weight as u32 }
    }

    fn number(self) -> f64 {
        f64::from(self)
    }

    fn plus(self, other: u32) -> u32 {
        self.wrapping_add(other)
    }

    #[inline(always)]
    fn add_after(totals: &mut [u32; BRANCHES], place: usize, weight: u32) {
        for (total, bits) in totals.iter_mut().zip(&BITS_AFTER[place]) {
            *total = total.wrapping_add(weight & bits);
        }
    }
}

impl Count for f64 {
    fn of(weight: f64) -> f64 {
        weight
    }

    fn number(self) -> f64 {
        self
    }

    fn plus(self, other: f64) -> f64 {
        self + other
    }

    #[inline(always)]
    fn add_after(totals: &mut [f64; BRANCHES], place: usize, weight: f64) {
        for (total, one) in totals.iter_mut().zip(&ONES_AFTER[place]) {
            *total += weight * one;
        }
    }
}

/// For each place, `yes` for those after it: a table takes no branch.
const fn after<C: Copy>(no: C, yes: C) -> [[C; BRANCHES]; BRANCHES] {
    let mut after = [[no; BRANCHES]; BRANCHES];
    let mut place = 0;
    while place < BRANCHES {
        let mut at = place + 1;
        while at < BRANCHES {
            after[place][at] = yes;
            at += 1;
        }
        place += 1;
    }
    after
}

static BITS_AFTER: [[u32; BRANCHES]; BRANCHES] = after(0, u32::MAX);
static ONES_AFTER: [[f64; BRANCHES]; BRANCHES] = after(0.0, 1.0);

/// The weights of the ranks from 0 on.
pub(super) struct CumulativeWeights<C> {
    /// From the leaves up; the last level is one node.
    levels: Vec<Vec<[C; BRANCHES]>>,
    total: C,
}

impl<C: Count> CumulativeWeights<C> {
    pub(super) fn new(ranks: usize) -> Self {
        let mut levels = Vec::new();
        // One more than ranks, so that there is a total of all.
        let mut children = ranks + 1;
        loop {
            let nodes = children.div_ceil(BRANCHES).max(1);
            levels.push(vec![[C::default(); BRANCHES]; nodes]);
            if nodes == 1 {
                break;
            }
            children = nodes;
        }
        CumulativeWeights { levels, total: C::default() }
    }

    #[inline]
    pub(super) fn add(&mut self, rank: u32, weight: f64) {
        let weight = C::of(weight);
        self.total = self.total.plus(weight);
        let mut at = rank as usize;
        for level in &mut self.levels {
            C::add_after(&mut level[at / BRANCHES], at % BRANCHES, weight);
            at /= BRANCHES;
        }
    }

    /// The weight of all ranks below `end`, at most the number of ranks.
    #[inline]
    fn below(&self, end: usize) -> f64 {
        let mut at = end;
        let mut sum = C::default();
        for level in &self.levels {
            sum = sum.plus(level[at / BRANCHES][at % BRANCHES]);
            at /= BRANCHES;
        }
        sum.number()
    }

    /// The weights of the ranks below, at and above `rank`.
    #[inline]
    pub(super) fn around(&self, rank: u32) -> (f64, f64, f64) {
        let rank = rank as usize;
        let lower = self.below(rank);
        let up_to = self.below(rank + 1);
        (lower, up_to - lower, self.total.number() - up_to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn as_sums(ranks in 1usize..600, adds in prop::collection::vec((0u32..600, 1u8..4), 0..200)) {
            let (mut rows, mut weights) = (CumulativeWeights::<u32>::new(ranks), CumulativeWeights::<f64>::new(ranks));
            let mut plain = vec![0.0; ranks];
            for (number, (rank, weight)) in adds.iter().enumerate() {
                let (rank, weight) = (rank % ranks as u32, f64::from(*weight));
                // Every third is taken away again at once, and another time than it came.
                for weight in if number % 3 == 0 { vec![weight, -weight] } else { vec![weight] } {
                    rows.add(rank, weight);
                    weights.add(rank, weight);
                    plain[rank as usize] += weight;
                }
            }
            for rank in 0..ranks {
                let sum = |of: &[f64]| of.iter().sum::<f64>();
                let expected = (sum(&plain[..rank]), plain[rank], sum(&plain[rank + 1..]));
                prop_assert_eq!(rows.around(rank as u32), expected);
                prop_assert_eq!(weights.around(rank as u32), expected);
            }
        }
    }
}
