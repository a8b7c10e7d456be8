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

/// The payload of the numeric of so many decimals (at most 6), and its length.
pub fn money(value: Minor, decimals: u32) -> ([u8; 2 + 2 * MOST_GROUPS], usize) {
    let (units, decimals) = (value.units(), decimals.min(6));
    let mut bytes = [0u8; 2 + 2 * MOST_GROUPS];
    let behind_the_point = decimals.div_ceil(4);
    // From the last group to the first.
    let mut groups = [0u16; MOST_GROUPS];
    let mut count = 0;
    let scale = 10u64.pow(4 * behind_the_point - decimals);
    // Most amounts fit 64 bits, whose division is many times as fast.
    let narrow = u64::try_from(units.unsigned_abs()).ok().and_then(|units| units.checked_mul(scale));
    let mut rest = narrow.unwrap_or_else(|| {
        let mut rest = units.unsigned_abs() * u128::from(scale);
        while rest > u128::from(u64::MAX) {
            groups[count] = (rest % 10_000) as u16;
            rest /= 10_000;
            count += 1;
        }
        rest as u64
    });
    while rest > 0 {
        groups[count] = (rest % 10_000) as u16;
        rest /= 10_000;
        count += 1;
    }
    let empty = groups[..count].iter().take_while(|group| **group == 0).count();
    let weight = if count == 0 { 0 } else { count as i32 - 1 - behind_the_point as i32 };
    let sign = if units < 0 { NEGATIVE } else { 0 };
    let header = SHORT | sign | ((decimals as u16) << DECIMALS_AT) | (weight as u16 & WEIGHT);
    bytes[..2].copy_from_slice(&header.to_ne_bytes());
    let written = groups[empty..count].iter().rev();
    for (slot, group) in bytes[2..].chunks_exact_mut(2).zip(written) {
        slot.copy_from_slice(&group.to_ne_bytes());
    }
    (bytes, 2 + 2 * (count - empty))
}
