//! One order of the rows whatever order they came in, and chance that is the same for the same seed.

use std::cmp::Ordering;

/// A number that looks random, the same for the same parts (the finaliser of SplitMix64: Steele, Lea & Flood 2014).
pub(super) fn mixed(parts: &[u64]) -> u64 {
    parts.iter().fold(0x9e37_79b9_7f4a_7c15, |state, part| {
        let mut z = (state ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

/// Whether the one that these parts name is in a share of all.
pub(super) fn chosen(share: f64, parts: &[u64]) -> bool {
    share >= 1.0 || share_of_one(parts) < share
}

/// A number of [0, 1) that looks random, the same for the same parts.
pub(crate) fn share_of_one(parts: &[u64]) -> f64 {
    // 53 bits are what a double tells apart; a power of two divides without rounding.
    (mixed(parts) >> 11) as f64 / (1u64 << 53) as f64
}

/// What two rows are compared by before their covariates: the first is the outcome.
pub(super) type Key = (u64, u64);

/// The rows in the order of their keys, and of their numbers in `columns` where those are equal. Rows that are still
/// equal are interchangeable. `x` is row-major.
pub(super) fn ordered(keys: Vec<(Key, u32)>, x: &[f64], covariates: usize) -> Vec<u32> {
    let row = |at: u32| &x[at as usize * covariates..(at as usize + 1) * covariates];
    // Most ties of the outcome end with the first column, which lies beside the key: rows lie all over the memory.
    let beside = |(key, at): (Key, u32)| (key, row(at).first().map_or(0, |first| rank(first + 0.0)), at);
    let mut keys: Vec<(Key, i64, u32)> = keys.into_iter().map(beside).collect();
    keys.sort_unstable_by(|(a_key, a_first, a), (b_key, b_first, b)| {
        (a_key, a_first).cmp(&(b_key, b_first)).then_with(|| {
            let mut columns = row(*a).iter().zip(row(*b)).map(|(a, b)| (a + 0.0).total_cmp(&(b + 0.0)));
            columns.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        })
    });
    keys.into_iter().map(|(_, _, row)| row).collect()
}

/// A whole number that is in order as [`f64::total_cmp`] is.
fn rank(x: f64) -> i64 {
    let bits = x.to_bits() as i64;
    bits ^ ((bits >> 63) as u64 >> 1) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_chosen() {
        let count = |share| (0..10_000).filter(|row| chosen(share, &[7, *row])).count();
        assert_eq!((count(0.0), count(1.0)), (0, 10_000));
        assert!((1_900..2_100).contains(&count(0.2)), "{}", count(0.2));
        assert_ne!(mixed(&[1, 2]), mixed(&[2, 1]));
    }

    #[test]
    fn ranks_are_in_order() {
        let values = [f64::NEG_INFINITY, -1e300, -1.0, -5e-324, -0.0, 0.0, 5e-324, 1.0, 1e300, f64::INFINITY, f64::NAN];
        for a in values {
            for b in values {
                assert_eq!(rank(a).cmp(&rank(b)), a.total_cmp(&b), "{a} {b}");
            }
        }
    }

    #[test]
    fn rows_have_one_order() {
        let x = [1.0, 0.0, 0.0, 5.0, -0.0, 5.0, 1.0, -1.0];
        let keys = |rows: [u32; 4]| rows.map(|row| (((row == 0).into(), 0), row)).to_vec();
        let values = |order: Vec<u32>| order.iter().map(|row| x[*row as usize * 2 + 1]).collect::<Vec<_>>();
        let one = values(ordered(keys([0, 1, 2, 3]), &x, 2));
        assert_eq!(one, values(ordered(keys([3, 2, 1, 0]), &x, 2)));
        assert_eq!(one, [5.0, 5.0, -1.0, 0.0]);
    }
}
