//! Sorting by a key of 64 bits without comparing.
//!
//! A million keys in no order cost a comparison sort twenty million guesses of the branch predictor, half of them wrong.
//! Here they are dealt out by their digits, the last digit first (Knuth, The Art of Computer Programming 3, §5.2.5); a
//! digit that all keys share is passed over.

use crate::memory::Room;

const DIGIT_BITS: u32 = 11;
const DIGITS: usize = 64usize.div_ceil(DIGIT_BITS as usize);
const VALUES: usize = 1 << DIGIT_BITS;

/// Below this many rows comparing is the shorter way.
const FEW: usize = 1 << 11;

/// Sorts `rows` by their keys; rows with the same key keep their order.
pub fn sort_by_bits<T: Copy>(rows: &mut Vec<T>, key: impl Fn(&T) -> u64) {
    let mut other: Vec<T> = Vec::new();
    if rows.len() < FEW || u32::try_from(rows.len()).is_err() || other.exact_room(rows.len()).is_err() {
        rows.sort_by_key(key);
        return;
    }
    let mut counts = vec![[0u32; VALUES]; DIGITS];
    let mut is_rising = true;
    let mut before = 0;
    for row in rows.iter() {
        let key = key(row);
        is_rising &= before <= key;
        before = key;
        for (place, counts) in counts.iter_mut().enumerate() {
            counts[digit(key, place)] += 1;
        }
    }
    if is_rising {
        return;
    }
    other.extend_from_slice(rows);
    for (place, counts) in counts.iter_mut().enumerate() {
        if counts[digit(before, place)] as usize == rows.len() {
            continue;
        }
        let mut start = 0;
        for count in counts.iter_mut() {
            start += std::mem::replace(count, start);
        }
        for row in rows.iter() {
            let next = &mut counts[digit(key(row), place)];
            other[*next as usize] = *row;
            *next += 1;
        }
        std::mem::swap(rows, &mut other);
    }
}

/// Digits by which [`sort_scattered`] deals out.
const FIRST_DIGITS: usize = 3;

/// Sorts `rows` by keys that are mostly different, as a million scores or amounts are: then most of them differ in the
/// first 33 bits that are not common to all, and only the few that do not are compared. Rows with the same key keep their
/// order.
pub fn sort_scattered<T: Copy>(rows: &mut Vec<T>, key: impl Fn(&T) -> u64) {
    let mut other: Vec<T> = Vec::new();
    if rows.len() < FEW || u32::try_from(rows.len()).is_err() || other.exact_room(rows.len()).is_err() {
        rows.sort_by_key(key);
        return;
    }
    let (least, most) = rows.iter().map(&key).fold((u64::MAX, 0), |(least, most), key| (least.min(key), most.max(key)));
    let differing = u64::BITS - (least ^ most).leading_zeros();
    let rest = differing.saturating_sub(DIGIT_BITS * FIRST_DIGITS as u32);
    let mut counts = vec![[0u32; VALUES]; FIRST_DIGITS];
    for row in rows.iter() {
        let first = key(row) >> rest;
        for (place, counts) in counts.iter_mut().enumerate() {
            counts[digit(first, place)] += 1;
        }
    }
    other.extend_from_slice(rows);
    for (place, counts) in counts.iter_mut().enumerate() {
        if counts[digit(least >> rest, place)] as usize == rows.len() {
            continue;
        }
        let mut start = 0;
        for count in counts.iter_mut() {
            start += std::mem::replace(count, start);
        }
        for row in rows.iter() {
            let next = &mut counts[digit(key(row) >> rest, place)];
            other[*next as usize] = *row;
            *next += 1;
        }
        std::mem::swap(rows, &mut other);
    }
    if rest > 0 {
        for alike in rows.chunk_by_mut(|a, b| key(a) >> rest == key(b) >> rest) {
            if alike.len() > 1 {
                alike.sort_by_key(&key);
            }
        }
    }
}

#[inline(always)]
fn digit(key: u64, place: usize) -> usize {
    (key >> (DIGIT_BITS * place as u32)) as usize % VALUES
}

/// Bits in the order of the numbers: smaller numbers have smaller ones.
#[inline(always)]
pub fn rising_bits(number: f64) -> u64 {
    let bits = number.to_bits();
    // A negative number's bits rise with its size; a positive one's must follow them all.
    bits ^ (((bits as i64) >> 63) as u64 | 1 << 63)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn as_a_stable_sort(keys in prop::collection::vec(prop_oneof![any::<u64>(), 0u64..50], FEW - 50..FEW + 50)) {
            let mut rows: Vec<(u64, usize)> = keys.into_iter().zip(0..).collect();
            let mut expected = rows.clone();
            expected.sort_by_key(|row| row.0);
            sort_by_bits(&mut rows, |row| row.0);
            prop_assert_eq!(rows, expected);
        }

        #[test]
        fn as_a_stable_sort_of_scattered_keys(
            keys in prop::collection::vec(prop_oneof![any::<u64>(), 0u64..50, (0u64..4).prop_map(|n| n << 62 | n)], FEW - 50..FEW + 50),
            shift in 0u32..64,
        ) {
            let mut rows: Vec<(u64, usize)> = keys.into_iter().map(|key| key >> shift).zip(0..).collect();
            let mut expected = rows.clone();
            expected.sort_by_key(|row| row.0);
            sort_scattered(&mut rows, |row| row.0);
            prop_assert_eq!(rows, expected);
        }

        #[test]
        fn bits_rise_with_numbers(a in any::<f64>(), b in any::<f64>()) {
            prop_assert_eq!(rising_bits(a).cmp(&rising_bits(b)), a.total_cmp(&b));
        }
    }
}
