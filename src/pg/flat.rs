//! Aggregate states of a few fixed bytes: a plain varlena in the aggregate's own memory, changed in place.
//!
//! Against an expanded object there is nothing to create for each group, and nothing to drop.

use ltv_engine::Result;
use pgrx::pg_sys;

use crate::pg::error::{report, settle};
use crate::pg::varlena;

/// Changes the state in place, or makes it: `change` gets the bytes of the state, if there is one, and returns those of a
/// new one, if there is none. `read` judges bytes that this aggregate has not made itself.
///
/// # Safety
/// Called from a transition or combine function with its `fcinfo`; `slot` is its state argument, declared a varlena.
#[inline(always)]
pub unsafe fn update<const N: usize>(
    fcinfo: pg_sys::FunctionCallInfo,
    slot: &pg_sys::NullableDatum,
    read: impl FnOnce(&[u8]) -> Result<[u8; N]>,
    change: impl FnOnce(Option<&mut [u8; N]>) -> Option<[u8; N]>,
) -> pg_sys::Datum {
    if slot.isnull {
        // SAFETY: passed on.
        unsafe { require_aggregate(fcinfo) };
        return change(None).map_or(slot.value, |state| varlena::to_datum(&state));
    }
    // SAFETY: a non-NULL state is a varlena; a plain one has a four-byte header with the low bits 00 on little-endian
    // machines, and is `N` bytes of payload when its header says so.
    let own = unsafe {
        let start = slot.value.cast_mut_ptr::<pg_sys::varlena>();
        let plain = cfg!(target_endian = "little") && *start.cast::<u8>() & 0x03 == 0;
        (plain && pgrx::varlena::varsize_4b(start) == N + pg_sys::VARHDRSZ)
            .then(|| start.cast::<u8>().add(pg_sys::VARHDRSZ))
    };
    // SAFETY: passed on.
    unsafe { require_aggregate(fcinfo) };
    let mut copy = match own {
        Some(start) => {
            // SAFETY: in an aggregate the state is the aggregate's own copy, which its transition function may change in
            // place (xaggr in the manual); it is N bytes long. Checked all the same: a combine function may be handed one
            // that crossed processes.
            let state = unsafe { &mut *start.cast::<[u8; N]>() };
            *state = settle(read(state));
            change(Some(state));
            return slot.value;
        }
        // SAFETY: any other varlena.
        None => settle(read(unsafe { varlena::payload(slot.value) })),
    };
    change(Some(&mut copy));
    varlena::to_datum(&copy)
}

/// Ends the statement when the function is not called by its aggregate: elsewhere its argument may be a stored value,
/// which nothing may change.
///
/// # Safety
/// `fcinfo` is PostgreSQL's.
#[inline(always)]
pub unsafe fn require_aggregate(fcinfo: pg_sys::FunctionCallInfo) {
    // SAFETY: the function only reads `fcinfo`; it takes a null pointer for the context.
    if unsafe { pg_sys::AggCheckCallContext(fcinfo, std::ptr::null_mut()) } == 0 {
        report(
            pgrx::PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            "this function may only be called by its aggregate",
            "Call the aggregate instead.",
        );
    }
}
