//! The distinct times of rows that come in any order.

use rustc_hash::FxHashMap;

use crate::survival::risk::distinct_times;

/// Distinct times, numbered in the order in which they were met.
#[derive(Debug, Default)]
pub(super) struct Times {
    /// The bits of each: as times are not negative, these are in the order of their values.
    bits: Vec<u64>,
    numbers: FxHashMap<u64, u32>,
}

impl Times {
    pub fn len(&self) -> usize {
        self.bits.len()
    }

    #[inline]
    pub fn number(&mut self, time: f64) -> u32 {
        // Adding 0 turns −0 into 0.
        let bits = (time + 0.0).to_bits();
        let next = self.bits.len() as u32;
        let number = *self.numbers.entry(bits).or_insert(next);
        if number == next {
            self.bits.push(bits);
        }
        number
    }

    /// The times in order, those that differ by rounding taken as one, and the place of each number among them.
    pub fn in_order(&self) -> (Vec<f64>, Vec<u32>) {
        let mut order: Vec<u32> = (0..self.bits.len() as u32).collect();
        order.sort_unstable_by_key(|number| self.bits[*number as usize]);
        let times: Vec<f64> = order.iter().map(|number| f64::from_bits(self.bits[*number as usize])).collect();
        let distinct = distinct_times(&times);
        let mut places = vec![0; order.len()];
        let mut now = 0;
        for (number, time) in order.iter().zip(&times) {
            while distinct.get(now + 1).is_some_and(|next| next <= time) {
                now += 1;
            }
            places[*number as usize] = now as u32;
        }
        (distinct, places)
    }
}
