//! Cash by date of a small group: plain bytes that are changed in place, without an object for each group.
//!
//! The form is: version, capacity, count, what is told (bit 0 a rate, bit 1 a valuation date), rows left out (8 bytes), rate
//! (8), valuation date (4), then cells of a date (4) and a sum (16), all little-endian. [`DatedCash::decode`] reads it.

use super::dated_cash::{DatedCash, Flow};
use super::decimal::Decimal;
use crate::{Error, Result};

pub const VERSION: u8 = 2;

const HEADER: usize = 24;
const CELL: usize = 20;
const FIRST: u8 = 4;

/// Groups with more dates are kept as an object.
const MOST: u8 = 64;

/// The state before the first row.
pub fn start() -> Vec<u8> {
    let mut bytes = vec![0; HEADER + CELL * usize::from(FIRST)];
    bytes[0] = VERSION;
    bytes[1] = FIRST;
    bytes
}

pub fn is_packed(bytes: &[u8]) -> bool {
    matches!(bytes, [VERSION, capacity, count, ..] if count <= capacity && bytes.len() == HEADER + CELL * usize::from(*capacity))
}

fn read<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..at + N).and_then(|bytes| bytes.try_into().ok()).unwrap_or([0; N])
}

fn write(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at + value.len()) {
        place.copy_from_slice(value);
    }
}

/// Counts rows that are left out.
pub fn skip(bytes: &mut [u8], rows: u64) {
    let skipped = u64::from_le_bytes(read(bytes, 4)).saturating_add(rows);
    write(bytes, 4, &skipped.to_le_bytes());
}

fn told(bytes: &[u8]) -> (Option<f64>, Option<i32>) {
    let flags = bytes.get(3).copied().unwrap_or(0);
    let rate = (flags & 1 == 1).then(|| f64::from_le_bytes(read(bytes, 12)));
    let as_of = (flags & 2 == 2).then(|| i32::from_le_bytes(read(bytes, 20)));
    (rate, as_of)
}

/// Keeps the rate and the valuation date of a row.
///
/// # Errors
/// As [`DatedCash::agree`].
#[inline]
pub fn agree(bytes: &mut [u8], rate: Option<f64>, as_of: Option<i32>) -> Result<()> {
    let before = told(bytes);
    if (rate.is_none() || rate == before.0) && (as_of.is_none() || as_of == before.1) {
        return Ok(());
    }
    let mut known = DatedCash::default();
    known.agree(before.0, before.1)?;
    known.agree(rate, as_of)?;
    bytes[3] = u8::from(known.rate().is_some()) | u8::from(known.as_of().is_some()) << 1;
    write(bytes, 12, &known.rate().unwrap_or(0.0).to_le_bytes());
    write(bytes, 20, &known.as_of().unwrap_or(0).to_le_bytes());
    Ok(())
}

/// Adds one payment; false when there is no room for its date.
///
/// # Errors
/// As [`DatedCash::add`].
#[inline]
pub fn add(bytes: &mut [u8], date: i32, amount: Decimal) -> Result<bool> {
    let count = usize::from(bytes[2]);
    let (header, cells) = bytes.split_at_mut(HEADER);
    let (cells, _) = cells.as_chunks_mut::<CELL>();
    let day = date.to_le_bytes();
    // Rows often come in the order of their dates.
    if let Some(cell) = cells.iter_mut().take(count).rev().find(|cell| cell[..4] == day) {
        let sum = Decimal::from_units(i128::from_le_bytes(read(cell, 4)))?.plus(amount)?;
        write(cell, 4, &sum.units().to_le_bytes());
        return Ok(true);
    }
    let Some(cell) = cells.get_mut(count) else { return Ok(false) };
    super::day_count::civil(date)?;
    write(cell, 0, &day);
    write(cell, 4, &amount.units().to_le_bytes());
    header[2] += 1;
    Ok(true)
}

/// The same state with room for twice as many dates; `None` when an object is to be made of it.
pub fn grown(bytes: &[u8]) -> Option<Vec<u8>> {
    let capacity = bytes[1].checked_mul(2).filter(|capacity| *capacity <= MOST)?;
    let mut more = bytes.to_vec();
    more.resize(HEADER + CELL * usize::from(capacity), 0);
    more[1] = capacity;
    Some(more)
}

/// The state as an object.
///
/// # Errors
/// [`Error::Malformed`] for bytes that are no such state.
pub fn unpacked(bytes: &[u8]) -> Result<DatedCash> {
    if !is_packed(bytes) || bytes[3] > 3 || bytes[1] > MOST {
        return Err(Error::malformed("these bytes are not packed cash"));
    }
    let mut flows = Vec::with_capacity(usize::from(bytes[2]));
    for cell in bytes[HEADER..].as_chunks::<CELL>().0.iter().take(usize::from(bytes[2])) {
        let amount = Decimal::from_units(i128::from_le_bytes(read(cell, 4)));
        flows.push(Flow {
            date: i32::from_le_bytes(read(cell, 0)),
            amount: amount.map_err(|_| Error::malformed("an amount of dated cash is too large"))?,
        });
    }
    flows.sort_unstable_by_key(|flow| flow.date);
    let (rate, as_of) = told(bytes);
    DatedCash::from_parts(flows, rate, as_of, u64::from_le_bytes(read(bytes, 4)))
}

/// Another summary's rows and what it tells, one payment at a time; false when there was no room, and then nothing is to be
/// made of `bytes` any more.
///
/// # Errors
/// As [`DatedCash::merge`].
pub fn merge(bytes: &mut Vec<u8>, other: &DatedCash) -> Result<bool> {
    agree(bytes, other.rate(), other.as_of())?;
    for flow in other.sorted() {
        if !add(bytes, flow.date, flow.amount)? {
            let Some(more) = grown(bytes) else { return Ok(false) };
            *bytes = more;
            add(bytes, flow.date, flow.amount)?;
        }
    }
    skip(bytes, other.skipped());
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::tally::Budget;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn packed_and_object_are_the_same(rows in prop::collection::vec((-40i32..40, -1000i64..1000), 0..150), rate in proptest::option::of(0.0..1.0f64)) {
            let amount = |units: i64| Decimal::from_units(i128::from(units)).unwrap();
            let (mut bytes, mut object) = (start(), DatedCash::default());
            let mut fits = true;
            for (date, units) in &rows {
                object.agree(rate, Some(7)).unwrap();
                object.add(*date, amount(*units), || Budget::UNLIMITED).unwrap();
                agree(&mut bytes, rate, Some(7)).unwrap();
                if fits && !add(&mut bytes, *date, amount(*units)).unwrap() {
                    match grown(&bytes) {
                        Some(more) => { bytes = more; prop_assert!(add(&mut bytes, *date, amount(*units)).unwrap()); }
                        None => fits = false,
                    }
                }
            }
            skip(&mut bytes, 2);
            object.skip();
            object.skip();
            if fits {
                prop_assert_eq!(&DatedCash::decode(&bytes).unwrap(), &object);
                let mut merged = start();
                prop_assert!(merge(&mut merged, &object).unwrap());
                prop_assert_eq!(&DatedCash::decode(&merged).unwrap(), &object);
            } else {
                prop_assert!(!merge(&mut start(), &object).unwrap());
            }
        }

        #[test]
        fn any_bytes_are_refused_or_read(mut bytes in prop::collection::vec(any::<u8>(), 0..120), capacity in 0u8..6) {
            if let Some(first) = bytes.first_mut() { *first = VERSION; }
            bytes.resize(HEADER + CELL * usize::from(capacity), 0);
            bytes[1] = capacity;
            if let Ok(cash) = DatedCash::decode(&bytes) {
                prop_assert_eq!(DatedCash::decode(&cash.encode()).unwrap(), cash);
            }
        }
    }

    #[test]
    fn rows_that_disagree_are_refused() {
        let mut bytes = start();
        agree(&mut bytes, Some(0.1), None).unwrap();
        assert!(agree(&mut bytes, Some(0.2), None).is_err() && agree(&mut bytes, Some(-2.0), None).is_err());
        assert!(agree(&mut bytes, None, Some(3)).is_ok() && agree(&mut bytes, None, Some(4)).is_err());
        assert!(add(&mut bytes, i32::MAX, Decimal::ZERO).is_err());
    }
}
