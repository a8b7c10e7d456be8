//! Small groups: the state as plain bytes in the aggregate's own memory, without a context for each group.

use ltv_engine::Result;
use ltv_engine::survival::packed;
use pgrx::pg_sys;

use crate::pg::aggregate::{Places, float};
use crate::pg::error::settle;
use crate::pg::varlena;

/// How the event, or its cause, is told.
pub type ReadCause = fn(pg_sys::Datum) -> Result<u8>;

/// Adds the row to a packed state; `None` when the state is none, or has no room left.
///
/// # Safety
/// Called from the transition function of `survival_agg` or `incidence_agg` without weights and entries, with its
/// arguments.
#[inline(always)]
pub unsafe fn add(
    fcinfo: pg_sys::FunctionCallInfo,
    args: &[pg_sys::NullableDatum],
    places: Places,
    read: ReadCause,
) -> Option<pg_sys::Datum> {
    let state = &args[0];
    if !state.isnull {
        // SAFETY: a non-NULL state is a varlena; a plain one has a four-byte header, its low bits 00 here.
        let plain = cfg!(target_endian = "little") && unsafe { *state.value.cast_mut_ptr::<u8>() } & 0x03 == 0;
        if !plain {
            return None;
        }
    }
    // SAFETY: passed on.
    unsafe { add_slowly(fcinfo, args, places, read) }
}

#[inline(never)]
unsafe fn add_slowly(
    fcinfo: pg_sys::FunctionCallInfo,
    args: &[pg_sys::NullableDatum],
    places: Places,
    read: ReadCause,
) -> Option<pg_sys::Datum> {
    let state = &args[0];
    let mut context = std::ptr::null_mut();
    // SAFETY: `fcinfo` is PostgreSQL's; the function reads it and writes `context`.
    if unsafe { pg_sys::AggCheckCallContext(fcinfo, &raw mut context) } == 0 {
        return None;
    }
    let skipped = args[1..].iter().any(|slot| slot.isnull);
    let row = |bytes: &mut [u8]| {
        if skipped {
            packed::skip(bytes);
            return true;
        }
        let cause = settle(read(args[places.event].value));
        settle(packed::add_cause(bytes, float(&args[places.duration]), cause))
    };
    if state.isnull {
        let mut bytes = packed::start();
        row(&mut bytes);
        return Some(varlena::to_datum(&bytes));
    }
    // SAFETY: plain, as `add` has seen. In an aggregate the state is the aggregate's own copy, which its transition
    // function may change in place (xaggr in the manual).
    let bytes = unsafe {
        let start = state.value.cast_mut_ptr::<pg_sys::varlena>();
        let length = pgrx::varlena::varsize_4b(start) - pg_sys::VARHDRSZ;
        std::slice::from_raw_parts_mut(start.cast::<u8>().add(pg_sys::VARHDRSZ), length)
    };
    if !packed::is_packed(bytes) {
        return None;
    }
    if row(bytes) {
        return Some(state.value);
    }
    let mut more = packed::grown(bytes)?;
    row(&mut more);
    Some(varlena::to_datum(&more))
}
