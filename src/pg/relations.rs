//! Notice of changed relations: a row type keeps its OID over ALTER TABLE, but not its columns.

use std::sync::atomic::{AtomicU64, Ordering};

use pgrx::prelude::*;

/// How many times any relation has changed in the eyes of this backend.
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// The current state; what was looked up under another one must be looked up again.
#[inline]
pub fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

/// Asks PostgreSQL to tell of every change from now on.
pub fn watch() {
    // SAFETY: called once, from _PG_init; the callback only counts.
    unsafe { pg_sys::CacheRegisterRelcacheCallback(Some(changed), pg_sys::Datum::from(0usize)) };
}

unsafe extern "C-unwind" fn changed(_argument: pg_sys::Datum, _relation: pg_sys::Oid) {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}
