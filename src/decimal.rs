//! PostgreSQL's `numeric` as the engine's exact decimal.

use ltv_engine::value::decimal::Decimal;
use ltv_engine::{Error, Result};

/// The amount in the payload of a `numeric`, and how many decimals it was written with.
///
/// The layout is that of `numeric.c`: a header word, in the long form a second one with the weight, then digits in base
/// 10 000. It has not changed since PostgreSQL 8.3 (pg_upgrade keeps it on disk).
///
/// # Errors
/// [`Error::Invalid`] for NaN and the infinities; [`Error::OutOfRange`] from 10^20 on.
#[inline]
pub fn read(payload: &[u8]) -> Result<(Decimal, u8)> {
    let word = |at: usize| payload.get(at..at + 2).map(|bytes| u16::from_ne_bytes([bytes[0], bytes[1]]));
    let header = word(0).unwrap_or(SPECIAL);
    let (negative, weight, scale, start) = match header & SPECIAL {
        SPECIAL => return Err(not_finite()),
        // The short form: sign, decimals, weight (seven bits with a sign) in one word.
        0x8000 => {
            let weight = i32::from(header & 0x3f) - if header & 0x40 == 0 { 0 } else { 0x40 };
            (header & 0x2000 != 0, weight, header >> 7 & 0x3f, 2)
        }
        sign => (sign == 0x4000, i32::from(word(2).unwrap_or(0) as i16), header & 0x3fff, 4),
    };
    let digits = payload.get(start..).unwrap_or_default().as_chunks::<2>().0;
    let amount = Decimal::from_base_10000(negative, weight, digits.iter().map(|digit| u16::from_ne_bytes(*digit)))?;
    Ok((amount, scale.min(255) as u8))
}

const SPECIAL: u16 = 0xc000;

#[cold]
fn not_finite() -> Error {
    Error::invalid("an amount must be finite, got NaN or infinity", "Leave such rows out with FILTER (WHERE …).")
}
