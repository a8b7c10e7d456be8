//! Memory that grows with the rows: asked for, so that a refusal ends the statement and nothing more.
//!
//! Rust ends the process when the system refuses memory that was not asked for with `try_reserve`. Whatever is as long as
//! the data therefore asks: a buffer that grows by [`Room`], and before a computation whose buffers are many and each
//! bounded by what it reads, [`at_hand`] asks once for all of them.

use std::collections::{HashMap, TryReserveError};
use std::hash::{BuildHasher, Hash};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{Error, Result};

/// Less is not asked for beforehand: it is what any statement takes.
const WORTH_ASKING: usize = 1 << 20;

static ASKING: AtomicBool = AtomicBool::new(false);

/// Whether the allocation under way is one that may be refused. An allocator that cannot return a refusal to anybody else
/// looks here.
pub fn is_asking() -> bool {
    ASKING.load(Ordering::Relaxed)
}

/// Runs an allocation that may be refused.
#[inline]
pub fn asking<T>(allocate: impl FnOnce() -> T) -> T {
    ASKING.store(true, Ordering::Relaxed);
    let answer = allocate();
    ASKING.store(false, Ordering::Relaxed);
    answer
}

/// Collections that ask for room.
pub trait Room {
    /// Room for `more` items, and for as many again as there are: a loop that adds one at a time asks seldom.
    fn room(&mut self, more: usize) -> std::result::Result<(), TryReserveError>;
    /// Room for `more` items and no others.
    fn exact_room(&mut self, more: usize) -> std::result::Result<(), TryReserveError>;
}

impl<T> Room for Vec<T> {
    #[inline]
    fn room(&mut self, more: usize) -> std::result::Result<(), TryReserveError> {
        if self.capacity() - self.len() >= more {
            return Ok(());
        }
        asking(|| self.try_reserve(more))
    }

    #[inline]
    fn exact_room(&mut self, more: usize) -> std::result::Result<(), TryReserveError> {
        asking(|| self.try_reserve_exact(more))
    }
}

impl<K: Eq + Hash, V, S: BuildHasher> Room for HashMap<K, V, S> {
    #[inline]
    fn room(&mut self, more: usize) -> std::result::Result<(), TryReserveError> {
        asking(|| self.try_reserve(more))
    }

    #[inline]
    fn exact_room(&mut self, more: usize) -> std::result::Result<(), TryReserveError> {
        self.room(more)
    }
}

/// Whether so many bytes could be had now, for a computation that takes no more than that in all.
///
/// # Errors
/// [`Error::NoMemory`] when the system refuses them.
pub fn at_hand(bytes: usize) -> Result<()> {
    if bytes < WORTH_ASKING {
        return Ok(());
    }
    // Taken and given back untouched: no page of it is ever mapped.
    let mut room: Vec<u8> = Vec::new();
    let answer = room.exact_room(bytes.min(isize::MAX as usize));
    std::hint::black_box(&room);
    answer.map_err(|_| no_memory(bytes))
}

#[cold]
pub(crate) fn no_memory(bytes: usize) -> Error {
    Error::NoMemory(format!("no memory is left for {} MB", bytes.div_ceil(1 << 20)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_machine_has_is_refused() {
        assert!(matches!(at_hand(1 << 60), Err(Error::NoMemory(_))));
        assert!(matches!(at_hand(usize::MAX), Err(Error::NoMemory(_))));
        at_hand(0).unwrap();
        at_hand(2 * WORTH_ASKING).unwrap();
        assert!(Vec::<u64>::new().room(usize::MAX).is_err());
    }

    #[test]
    fn room_doubles() {
        let mut items = Vec::new();
        let mut times = 0;
        for item in 0..10_000 {
            let before = items.capacity();
            items.room(1).unwrap();
            times += usize::from(items.capacity() != before);
            items.push(item);
        }
        assert!(times < 20, "grown {times} times");
    }
}
