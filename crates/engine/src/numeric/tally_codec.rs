//! Tallies as bytes: keys as differences or runs, counts as short as they are small.

use super::bytes::{EXACT_LIMIT, Reader, Writer};
use super::tally::{Cell, LARGEST_COUNT, Tally};
use crate::{Error, Result};

const WHOLE_KEYS: u8 = 1;
const WHOLE_COUNTS: u8 = 2;
/// Keys as runs of whole numbers that follow one another: a curve over every day of ten years is one run.
const RUNS: u8 = 4;

impl<const K: usize> Tally<K> {
    /// Bytes: flags (1 whole keys, 2 whole counts, 4 keys in runs), number of cells, then each cell's key – whole keys
    /// as differences – and counts; whole numbers as LEB128, others as little-endian doubles. Where runs of consecutive
    /// whole keys are shorter, their gaps and lengths stand before each run's counts instead of the keys.
    pub fn write(&self, out: &mut Writer) {
        let cells = self.sorted();
        let is_whole = |value: f64| value.fract() == 0.0 && value < EXACT_LIMIT;
        let whole_keys = cells.iter().all(|cell| is_whole(cell.key));
        let whole_counts = cells.iter().all(|cell| cell.counts.iter().all(|count| is_whole(*count)));
        let follow = |a: &Cell<K>, b: &Cell<K>| b.key - a.key == 1.0;
        // A run costs at least two bytes, a key one.
        let in_runs = whole_keys && 2 * cells.chunk_by(follow).count() < cells.len();
        let flag = |holds: bool, bit: u8| if holds { bit } else { 0 };
        out.byte(flag(whole_keys, WHOLE_KEYS) | flag(whole_counts, WHOLE_COUNTS) | flag(in_runs, RUNS));
        out.whole(cells.len() as u64);
        let mut before = 0.0;
        let write_counts = |cell: &Cell<K>, out: &mut Writer| {
            for count in cell.counts {
                if whole_counts { out.whole(count as u64) } else { out.float(count) }
            }
        };
        if in_runs {
            for run in cells.chunk_by(follow) {
                out.whole((run[0].key - before) as u64);
                out.whole(run.len() as u64);
                before = run[run.len() - 1].key;
                run.iter().for_each(|cell| write_counts(cell, out));
            }
            return;
        }
        for cell in &cells {
            if whole_keys {
                out.whole((cell.key - before) as u64);
                before = cell.key;
            } else {
                out.float(cell.key);
            }
            write_counts(cell, out);
        }
    }

    pub fn read(from: &mut Reader) -> Result<Self> {
        Self::read_up_to(from, LARGEST_COUNT)
    }

    /// As [`Tally::read`], for sums that may be as large as `largest`.
    pub fn read_up_to(from: &mut Reader, largest: f64) -> Result<Self> {
        let flags = from.byte()?;
        let has = |bit: u8| flags & bit != 0;
        if flags > (WHOLE_KEYS | WHOLE_COUNTS | RUNS) || has(RUNS) && !has(WHOLE_KEYS) {
            return Err(Error::malformed(format!("unknown flags {flags} in a stored summary")));
        }
        let bytes_of_key = if has(RUNS) {
            0
        } else if has(WHOLE_KEYS) {
            1
        } else {
            8
        };
        let count = from.count(bytes_of_key + K * if has(WHOLE_COUNTS) { 1 } else { 8 })?;
        let mut cells = Vec::with_capacity(count);
        let (mut key, mut run_left) = (0.0, 0);
        for place in 0..count {
            if run_left > 0 {
                key += 1.0;
            } else {
                key = if has(WHOLE_KEYS) { key + exact(from.whole()?)? } else { from.float()? };
                run_left = if has(RUNS) { from.whole()? } else { 1 };
                if run_left == 0 || run_left > (count - place) as u64 {
                    return Err(Error::malformed(format!("a run of {run_left} keys in a stored summary of {count}")));
                }
            }
            run_left -= 1;
            let mut counts = [0.0; K];
            for slot in &mut counts {
                *slot = if has(WHOLE_COUNTS) { exact(from.whole()?)? } else { from.float()? };
            }
            if has(WHOLE_KEYS) && key >= EXACT_LIMIT {
                return Err(beyond(key));
            }
            cells.push(Cell { key, counts });
        }
        Self::from_sorted_up_to(cells, largest)
    }
}

/// A whole number that a double holds exactly, as all are that are written as such.
fn exact(whole: u64) -> Result<f64> {
    let number = whole as f64;
    if number < EXACT_LIMIT { Ok(number) } else { Err(beyond(number)) }
}

fn beyond(number: f64) -> Error {
    Error::malformed(format!("the whole number {number} in a stored summary is beyond those that are written"))
}

#[cfg(test)]
mod tests {
    use super::super::tally::Budget;
    use super::*;
    use proptest::prelude::*;

    fn written<const K: usize>(tally: &Tally<K>) -> Vec<u8> {
        let mut out = Writer::default();
        tally.write(&mut out);
        out.bytes
    }

    fn read(bytes: &[u8]) -> Result<Tally<2>> {
        let mut reader = Reader::new(bytes);
        let tally = Tally::read(&mut reader)?;
        reader.finish()?;
        Ok(tally)
    }

    fn tally() -> impl Strategy<Value = Tally<2>> {
        let keys = prop_oneof![
            prop::collection::vec((0u32..500).prop_map(f64::from), 0..700),
            prop::collection::vec((0u32..4_000).prop_map(|key| f64::from(key) / 8.0), 0..700),
            prop::collection::vec(prop_oneof![(0u32..9).prop_map(f64::from), Just(1e300)], 0..20),
        ];
        (keys, prop_oneof![Just(1.0), Just(3.0), Just(0.25)]).prop_map(|(keys, weight)| {
            let mut tally = Tally::default();
            for (row, key) in keys.iter().enumerate() {
                tally.add_weighted(*key, row % 2, weight, Budget::UNLIMITED).unwrap();
            }
            tally
        })
    }

    proptest! {
        #[test]
        fn bytes_round_trip_and_garbage_is_refused(tally in tally(), at in 0usize..10_000, byte in any::<u8>()) {
            let mut bytes = written(&tally);
            prop_assert_eq!(&read(&bytes).unwrap(), &tally);
            let at = at % bytes.len();
            prop_assert!(read(&bytes[..at]).is_err());
            bytes[at] = byte;
            let _ = read(&bytes);
        }
    }

    #[test]
    fn whole_numbers_that_no_double_holds_are_refused() {
        for (keys, counts) in
            [([1 << 53, 1], [1, 1]), ([(1 << 53) - 1, 1], [1, 1]), ([2, 1], [1, u64::MAX]), ([u64::MAX, 1], [1, 1])]
        {
            let mut out = Writer::default();
            out.byte(WHOLE_KEYS | WHOLE_COUNTS);
            out.whole(2);
            for (key, count) in keys.into_iter().zip(counts) {
                [key, count, 0].into_iter().for_each(|whole| out.whole(whole));
            }
            assert!(read(&out.bytes).is_err(), "{keys:?} {counts:?}");
        }
    }

    #[test]
    fn consecutive_keys_take_no_bytes() {
        let mut tally = Tally::<2>::default();
        for day in 0..3_650u32 {
            for row in 0..274 {
                tally.add(f64::from(day), row % 2, Budget::UNLIMITED).unwrap();
            }
        }
        // Flags, number of cells, one run from 0 on; 137 takes two bytes.
        assert_eq!(written(&tally).len(), 1 + 2 + 1 + 2 + 3_650 * 4);
    }

    #[test]
    fn a_run_is_within_its_cells() {
        let cell = [1, 0];
        assert!(read(&[&[7, 2, 5, 2][..], &cell, &cell].concat()).is_ok());
        for (length, bytes) in [(0, &[7, 2, 5, 0][..]), (3, &[7, 2, 5, 3])] {
            let forged = read(&[bytes, &cell, &cell].concat());
            assert!(forged.is_err_and(|error| error.to_string().contains(&format!("a run of {length}"))));
        }
        assert!(read(&[6, 0]).is_err(), "runs are of whole keys");
    }
}
