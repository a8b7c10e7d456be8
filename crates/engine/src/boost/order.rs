//! One order of the rows whatever order they came in, and chance that is the same for the same seed.

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
    // 53 bits are what a double tells apart.
    share >= 1.0 || ((mixed(parts) >> 11) as f64) < share * (1u64 << 53) as f64
}

/// What two rows are compared by before their covariates: the first is the outcome.
pub(super) type Key = (u64, u64);

/// The rows in the order of their keys, and of their numbers in `columns` where those are equal. Rows that are still
/// equal are interchangeable. `x` is row-major.
pub(super) fn ordered(keys: Vec<(Key, u32)>, x: &[f64], covariates: usize) -> Vec<u32> {
    let mut keys = keys;
    let row = |at: u32| &x[at as usize * covariates..(at as usize + 1) * covariates];
    keys.sort_unstable_by(|(a_key, a), (b_key, b)| {
        a_key.cmp(b_key).then_with(|| {
            let differing = row(*a).iter().zip(row(*b)).map(|(a, b)| (a + 0.0).total_cmp(&(b + 0.0)));
            differing.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
        })
    });
    keys.into_iter().map(|(_, row)| row).collect()
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
    fn rows_have_one_order() {
        let x = [1.0, 0.0, 0.0, 5.0, -0.0, 5.0, 1.0, -1.0];
        let keys = |rows: [u32; 4]| rows.map(|row| (((row == 0).into(), 0), row)).to_vec();
        let values = |order: Vec<u32>| order.iter().map(|row| x[*row as usize * 2 + 1]).collect::<Vec<_>>();
        let one = values(ordered(keys([0, 1, 2, 3]), &x, 2));
        assert_eq!(one, values(ordered(keys([3, 2, 1, 0]), &x, 2)));
        assert_eq!(one, [5.0, 5.0, -1.0, 0.0]);
    }
}
