//! The first rows of a group as plain bytes, changed where they lie.
//!
//! A sample of its own – grid, list, cells – does not pay for a cohort of a few dozen rows, and ten thousand cohorts at
//! a time are ten thousand of them. So a group begins as a packed list with room to spare, and becomes a [`Sample`]
//! when it has outgrown that. Layout: version, kind, count (u16), rows left out (u32), then slots of nine bytes, the
//! duration as a little-endian double and the event as 0 or 1 (or the cause of an [`Incidence`], 0 for none); unused
//! slots are zero.

use crate::numeric::tally::Budget;
use crate::survival::codec::{PACKED, VERSION};
use crate::survival::incidence::Incidence;
use crate::survival::sample::{Sample, check_duration};
use crate::{Error, Result};

const HEADER: usize = 8;
const SLOT: usize = 9;
const FIRST_SLOTS: usize = 8;
const MOST_SLOTS: usize = 128;

/// An empty list.
pub fn start() -> Vec<u8> {
    let mut bytes = vec![0; HEADER + FIRST_SLOTS * SLOT];
    (bytes[0], bytes[1]) = (VERSION, PACKED);
    bytes
}

/// Whether these bytes are a packed list.
#[inline(always)]
pub fn is_packed(bytes: &[u8]) -> bool {
    bytes.len() >= HEADER && bytes[0] == VERSION && bytes[1] == PACKED
}

fn count(bytes: &[u8]) -> usize {
    usize::from(u16::from_le_bytes([bytes[2], bytes[3]]))
}

/// Adds a row of weight 1 that was at risk from the start; false when there is no room left.
///
/// # Errors
/// As [`Sample::add`].
#[inline]
pub fn add(bytes: &mut [u8], duration: f64, event: bool) -> Result<bool> {
    add_cause(bytes, duration, u8::from(event))
}

/// As [`add`], with the cause of the event, 0 for none.
///
/// # Errors
/// As [`Sample::add`].
#[inline]
pub fn add_cause(bytes: &mut [u8], duration: f64, cause: u8) -> Result<bool> {
    check_duration(duration)?;
    let row = count(bytes);
    let Some(slot) = bytes.get_mut(HEADER + row * SLOT..HEADER + (row + 1) * SLOT) else { return Ok(false) };
    slot[..8].copy_from_slice(&(duration + 0.0).to_le_bytes());
    slot[8] = cause;
    bytes[2..4].copy_from_slice(&(row as u16 + 1).to_le_bytes());
    Ok(true)
}

/// Notes a row that was left out because an argument was NULL.
pub fn skip(bytes: &mut [u8]) {
    let skipped = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
    bytes[4..8].copy_from_slice(&skipped.saturating_add(1).to_le_bytes());
}

/// The same list with four times the room; `None` when it is time for a [`Sample`].
pub fn grown(bytes: &[u8]) -> Option<Vec<u8>> {
    let slots = (bytes.len() - HEADER) / SLOT * 4;
    if slots > MOST_SLOTS {
        return None;
    }
    let mut more = bytes.to_vec();
    more.resize(HEADER + slots * SLOT, 0);
    Some(more)
}

/// The sample that the list holds.
///
/// # Errors
/// [`Error::Malformed`] for bytes that no group of ours began with.
pub fn sample(bytes: &[u8]) -> Result<Sample> {
    let (mut events, mut censored) = (Vec::new(), Vec::new());
    let skipped = rows(bytes, |duration, event| {
        match event {
            0 => censored.push(duration + 0.0),
            1 => events.push(duration + 0.0),
            _ => return Err(refused()),
        }
        Ok(())
    })?;
    let mut sample = Sample::of_durations(events, censored).map_err(|_| refused())?;
    sample.skip_many(skipped);
    Ok(sample)
}

/// The counts by cause that the list holds.
///
/// # Errors
/// As [`sample`].
pub fn incidence(bytes: &[u8]) -> Result<Incidence> {
    let mut incidence = Incidence::default();
    let skipped = rows(bytes, |duration, cause| incidence.add(duration, i32::from(cause), Budget::UNLIMITED))?;
    incidence.skip_many(skipped);
    Ok(incidence)
}

/// Calls `add` with each row; the answer is the number of rows left out.
fn rows(bytes: &[u8], mut add: impl FnMut(f64, u8) -> Result<()>) -> Result<u64> {
    let rows = bytes.get(HEADER..HEADER + count(bytes) * SLOT).ok_or_else(refused)?;
    if !(bytes.len() - HEADER).is_multiple_of(SLOT) || bytes.len() > HEADER + MOST_SLOTS * SLOT {
        return Err(refused());
    }
    for slot in rows.chunks_exact(SLOT) {
        let (duration, code) = slot.split_first_chunk::<8>().ok_or_else(refused)?;
        add(f64::from_le_bytes(*duration), code[0]).map_err(|_| refused())?;
    }
    Ok(u64::from(u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]])))
}

fn refused() -> Error {
    Error::malformed("a packed group of rows is damaged")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::survival::Survival;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_packed_group_is_the_sample_of_its_rows(rows in prop::collection::vec((0u16..200, any::<bool>()), 0..128), left_out in 0u8..5) {
            let mut packed = start();
            let mut direct = Sample::default();
            for (duration, event) in rows {
                let duration = f64::from(duration) / 4.0;
                if !add(&mut packed, duration, event).unwrap() {
                    packed = grown(&packed).unwrap();
                    prop_assert!(add(&mut packed, duration, event).unwrap());
                }
                direct.add(duration, event, Budget::UNLIMITED).unwrap();
            }
            for _ in 0..left_out {
                skip(&mut packed);
                direct.skip();
            }
            prop_assert_eq!(Survival::decode(&packed).unwrap(), Survival::Sample(direct));
        }

        #[test]
        fn changed_bytes_are_refused_or_a_sample(at in 0usize..80, byte in any::<u8>(), length in 0usize..80) {
            let mut packed = start();
            for i in 0..8u8 {
                add(&mut packed, f64::from(i), i % 2 == 0).unwrap();
            }
            let _ = Survival::decode(&packed[..length]);
            packed[at] = byte;
            let _ = Survival::decode(&packed);
        }
    }

    #[test]
    fn it_is_full_after_a_hundred_and_twenty_eight_rows() {
        let mut packed = start();
        let mut rows = 0;
        loop {
            if add(&mut packed, 1.0, true).unwrap() {
                rows += 1;
            } else if let Some(more) = grown(&packed) {
                packed = more;
            } else {
                break;
            }
        }
        assert_eq!(rows, MOST_SLOTS);
    }
}
