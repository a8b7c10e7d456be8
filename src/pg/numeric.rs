//! Money as PostgreSQL's numeric, written down directly: a valuation has a dozen of them, and reading each from its digits
//! costs more than the valuation.
//!
//! The form is that of numbers on disk (`NumericShort` in numeric.c), which pg_upgrade keeps from release to release: two
//! bytes of sign, decimals and weight, then digits to the base 10000, the decimal point between two of them.

use ltv_engine::value::Minor;

const SHORT: u16 = 0x8000;
const NEGATIVE: u16 = 0x2000;
const DECIMALS_AT: u32 = 7;
const WEIGHT: u16 = 0x7f;

/// Groups of four digits of the largest number of minor units, and one for the point.
const MOST_GROUPS: usize = 11;
/// Bytes of the longest payload.
pub const LONGEST: usize = 2 + 2 * MOST_GROUPS;
const MOST_DECIMALS: u32 = 6;
/// By decimals, what makes the last group a whole one.
const SCALES: [u64; MOST_DECIMALS as usize + 1] = [1, 1000, 100, 10, 1, 1000, 100];

/// The payload of the numeric of so many decimals (at most 6), and its length.
#[inline]
pub fn money(value: Minor, decimals: u32) -> ([u8; LONGEST], usize) {
    let (units, decimals) = (value.units(), decimals.min(MOST_DECIMALS));
    let scale = SCALES[decimals as usize];
    // From the first group to the last, which lies in the middle, lest the first eleven have an end.
    let mut groups = [0u16; 2 * MOST_GROUPS];
    let mut first = MOST_GROUPS;
    let mut push = |group: u16| {
        first = first.saturating_sub(1);
        groups[first] = group;
    };
    // Most amounts fit 64 bits, whose division is many times as fast.
    let narrow = u64::try_from(units.unsigned_abs()).ok().and_then(|units| units.checked_mul(scale));
    let mut rest = narrow.unwrap_or_else(|| {
        let mut rest = units.unsigned_abs() * u128::from(scale);
        while rest > u128::from(u64::MAX) {
            push((rest % 10_000) as u16);
            rest /= 10_000;
        }
        rest as u64
    });
    while rest > 0 {
        push((rest % 10_000) as u16);
        rest /= 10_000;
    }
    let mut count = MOST_GROUPS - first;
    let behind_the_point = decimals.div_ceil(4) as usize;
    let weight = if count == 0 { 0 } else { count as i32 - 1 - behind_the_point as i32 };
    while count > 0 && groups[first + count - 1] == 0 {
        count -= 1;
    }
    let sign = if units < 0 { NEGATIVE } else { 0 };
    let header = SHORT | sign | ((decimals as u16) << DECIMALS_AT) | (weight as u16 & WEIGHT);
    let mut bytes = [0u8; LONGEST];
    bytes[..2].copy_from_slice(&header.to_ne_bytes());
    // So many moves and no loop: what is behind the length is nothing.
    for (slot, group) in bytes[2..].as_chunks_mut::<2>().0.iter_mut().zip(&groups[first..first + MOST_GROUPS]) {
        *slot = group.to_ne_bytes();
    }
    (bytes, 2 + 2 * count)
}
