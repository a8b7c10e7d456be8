//! PostgreSQL's numeric, written down and read directly: a valuation has a dozen amounts of money, and reading each from
//! its digits costs more than the valuation; and a feature of that type goes through its digits to become a float.
//!
//! The form is that of numbers on disk (`NumericShort` in numeric.c), which pg_upgrade keeps from release to release: two
//! bytes of sign, decimals and weight, then digits to the base 10000, the decimal point between two of them.

use ltv_engine::value::Minor;

const SHORT: u16 = 0x8000;
/// Of these bits the short form has the first alone.
const SPECIAL: u16 = 0xc000;
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

/// Powers of ten that are doubles.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];
/// Whole numbers up to this one are doubles.
const LARGEST_WHOLE: u64 = 1 << 53;
/// Groups that 64 bits hold.
const FEW_GROUPS: usize = 4;

/// The double nearest to the numeric of this payload, as `float8(numeric)` gives it; `None` where it takes PostgreSQL to
/// tell. The digits as a whole number and the power of ten are doubles, so that one operation rounds, and rightly
/// (Clinger 1990, "How to read floating point numbers accurately", §4).
#[inline]
pub fn to_float(payload: &[u8]) -> Option<f64> {
    let (header, groups) = payload.split_first_chunk::<2>()?;
    let header = u16::from_ne_bytes(*header);
    let (groups, []) = groups.as_chunks::<2>() else { return None };
    // Neither of the long form nor NaN or infinite.
    if header & SPECIAL != SHORT || groups.len() > FEW_GROUPS {
        return None;
    }
    let whole = groups.iter().fold(0, |whole, group| 10_000 * whole + u64::from(u16::from_ne_bytes(*group)));
    if whole > LARGEST_WHOLE {
        return None;
    }
    // The sign of the weight is its highest bit.
    let weight = i32::from(((header & WEIGHT) << 9) as i16 >> 9);
    let exponent = 4 * (weight + 1 - groups.len() as i32);
    let ten = *TENS.get(exponent.unsigned_abs() as usize)?;
    let size = if exponent < 0 { whole as f64 / ten } else { whole as f64 * ten };
    Some(if header & NEGATIVE != 0 { -size } else { size })
}
