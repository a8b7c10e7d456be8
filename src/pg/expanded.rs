//! Aggregate states as expanded objects: a Rust value that PostgreSQL carries by pointer and flattens when it must.
//!
//! The state type is the summary type itself (`ltv.survival`, …), never `internal`, so that partial states cross worker
//! processes, foreign servers and shards as ordinary values. Inside one aggregate the transition function finds its own
//! read/write pointer and changes the value in place.

use std::ffi::{CStr, c_void};

use ltv_engine::Result;
use ltv_engine::memory::at_hand;
use pgrx::pg_sys;

use crate::pg::varlena;
use crate::pg::{allocator, error};

/// A Rust value that is an aggregate's state and, flattened, a SQL value.
pub trait State: Default + 'static {
    /// Shown in pg_backend_memory_contexts.
    const CONTEXT: &'static CStr;
    fn methods() -> &'static pg_sys::ExpandedObjectMethods;
    /// The stored bytes; call it by [`flattened`].
    fn flatten(&self) -> Vec<u8>;
    /// What it takes, to the order of magnitude.
    fn bytes(&self) -> usize;
    /// Validates: a flat state may be a stored summary or one that SQL made up.
    fn unflatten(bytes: &[u8]) -> Result<Self>;
}

/// What reading a state may take for each byte of it: rows that wait are sorted into cells three times as large beside a
/// copy of them, and the answer is put together from these.
const BYTES_PER_BYTE: usize = 6;

/// The stored bytes of a state; the end of the statement when the system has no memory for them.
pub fn flattened<S: State>(state: &S) -> Vec<u8> {
    error::settle(at_hand(state.bytes().saturating_mul(BYTES_PER_BYTE)));
    state.flatten()
}

#[repr(C)]
pub struct Expanded<S> {
    header: pg_sys::ExpandedObjectHeader,
    pub state: S,
    /// The flat form between the two calls by which PostgreSQL asks for it.
    flat: Vec<u8>,
}

impl<S: State> Expanded<S> {
    /// A new object in a memory context of its own below `parent`; the Rust value is dropped with it.
    ///
    /// # Safety
    /// `parent` is a valid memory context that lives as long as the object is needed.
    unsafe fn create(parent: pg_sys::MemoryContext, state: S) -> *mut Self {
        // SAFETY: all memory is palloc'd in the new context, written before it is read, and the reset callback – whose
        // memory is in the same context – drops the Rust value exactly once.
        unsafe {
            let context = pg_sys::AllocSetContextCreateInternal(parent, S::CONTEXT.as_ptr(), 0, 512, 8192);
            let object = pg_sys::MemoryContextAllocZero(context, size_of::<Self>()).cast::<Self>();
            pg_sys::EOH_init_header(&raw mut (*object).header, S::methods(), context);
            std::ptr::write(&raw mut (*object).state, state);
            std::ptr::write(&raw mut (*object).flat, Vec::new());
            let callback = pg_sys::MemoryContextAllocZero(context, size_of::<pg_sys::MemoryContextCallback>())
                .cast::<pg_sys::MemoryContextCallback>();
            (*callback).func = Some(drop_state::<S>);
            (*callback).arg = object.cast();
            pg_sys::MemoryContextRegisterResetCallback(context, callback);
            object
        }
    }

    /// The datum by which the object may be changed in place.
    pub fn datum(&mut self) -> pg_sys::Datum {
        pg_sys::Datum::from(self.header.eoh_rw_ptr.as_mut_ptr())
    }
}

unsafe extern "C-unwind" fn drop_state<S: State>(object: *mut c_void) {
    if allocator::is_leaving() {
        return;
    }
    // SAFETY: registered for exactly this object, called once when its context goes.
    unsafe {
        let object = object.cast::<Expanded<S>>();
        std::ptr::drop_in_place(&raw mut (*object).state);
        std::ptr::drop_in_place(&raw mut (*object).flat);
    }
}

/// Size of the flat form, for `get_flat_size`.
///
/// # Safety
/// `header` is that of an `Expanded<S>`.
pub unsafe fn flat_size<S: State>(header: *mut pg_sys::ExpandedObjectHeader) -> pg_sys::Size {
    // SAFETY: the methods table that led here belongs to `Expanded<S>` alone, whose first field is the header.
    let object = unsafe { &mut *header.cast::<Expanded<S>>() };
    let flat = flattened(&object.state);
    let size = varlena::size_of_varlena(flat.len());
    object.flat = flat;
    size
}

/// Writes the flat form, for `flatten_into`, which PostgreSQL calls right after `get_flat_size`.
///
/// # Safety
/// As [`flat_size`]; `result` has `size` bytes.
pub unsafe fn flatten_into<S: State>(
    header: *mut pg_sys::ExpandedObjectHeader,
    result: *mut c_void,
    size: pg_sys::Size,
) {
    // SAFETY: as in `flat_size`; `size` is what that returned, so header and payload fill the buffer exactly.
    unsafe {
        let object = &mut *header.cast::<Expanded<S>>();
        let flat = std::mem::take(&mut object.flat);
        assert_eq!(flat.len() + pg_sys::VARHDRSZ, size, "the state changed while it was flattened");
        pgrx::varlena::set_varsize_4b(result.cast(), size as i32);
        std::ptr::copy_nonoverlapping(flat.as_ptr(), result.cast::<u8>().add(pg_sys::VARHDRSZ), flat.len());
    }
}

#[cfg(target_endian = "little")]
const EXTERNAL: u8 = 0x01;
#[cfg(target_endian = "big")]
const EXTERNAL: u8 = 0x80;
const EXPANDED_READ_ONLY: u8 = 2;
const EXPANDED_READ_WRITE: u8 = 3;

/// The object behind a read/write pointer, if `datum` is one.
///
/// # Safety
/// `datum` is a non-NULL varlena of the SQL type whose expanded objects are all `Expanded<S>`.
#[inline(always)]
pub unsafe fn read_write<'a, S: State>(datum: pg_sys::Datum) -> Option<&'a mut Expanded<S>> {
    let start = datum.cast_mut_ptr::<u8>();
    // SAFETY: a varlena has at least its header byte, and a tag byte when that says EXTERNAL; an expanded pointer holds
    // the (unaligned) address of the header from byte 2 on.
    unsafe {
        if *start == EXTERNAL && *start.add(1) == EXPANDED_READ_WRITE {
            Some(&mut *start.add(2).cast::<*mut Expanded<S>>().read_unaligned())
        } else {
            None
        }
    }
}

/// Reads a state wherever it is: in place behind an expanded pointer of either kind, or unflattened.
///
/// # Safety
/// As [`read_write`]; nothing else changes the object meanwhile.
pub unsafe fn with_state<S: State, R>(datum: pg_sys::Datum, read: impl FnOnce(&S) -> R) -> R {
    let start = datum.cast_mut_ptr::<u8>();
    // SAFETY: as in `read_write`.
    unsafe {
        if *start == EXTERNAL && matches!(*start.add(1), EXPANDED_READ_ONLY | EXPANDED_READ_WRITE) {
            let state = &(*start.add(2).cast::<*mut Expanded<S>>().read_unaligned()).state;
            error::settle(at_hand(state.bytes().saturating_mul(BYTES_PER_BYTE)));
            return read(state);
        }
    }
    // SAFETY: any other varlena.
    read(&error::settle(varlena::decoded(unsafe { varlena::payload(datum) }, S::unflatten)))
}

/// The state in `slot`: changed in place when it is ours to change, else a fresh object in the aggregate's context.
///
/// # Safety
/// Called from a transition or combine function with its `fcinfo`; `slot` is its state argument.
#[inline(always)]
pub unsafe fn state<'a, S: State>(
    fcinfo: pg_sys::FunctionCallInfo,
    slot: &pg_sys::NullableDatum,
) -> &'a mut Expanded<S> {
    if !slot.isnull {
        // SAFETY: the state argument has the aggregate's state type.
        if let Some(object) = unsafe { read_write::<S>(slot.value) } {
            return object;
        }
    }
    // SAFETY: passed on.
    unsafe { new_state(fcinfo, slot) }
}

#[inline(never)]
unsafe fn new_state<'a, S: State>(
    fcinfo: pg_sys::FunctionCallInfo,
    slot: &pg_sys::NullableDatum,
) -> &'a mut Expanded<S> {
    let mut context = std::ptr::null_mut();
    // SAFETY: `fcinfo` is PostgreSQL's; the function only reads it and writes `context`.
    if unsafe { pg_sys::AggCheckCallContext(fcinfo, &raw mut context) } == 0 {
        error::report(
            pgrx::PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            "this function may only be called by its aggregate",
            "Call the aggregate instead.",
        );
    }
    let state = if slot.isnull {
        S::default()
    } else {
        // SAFETY: a non-NULL value of the state type is a varlena.
        error::settle(varlena::decoded(unsafe { varlena::payload(slot.value) }, S::unflatten))
    };
    // SAFETY: the aggregate's context outlives the state.
    unsafe { &mut *Expanded::create(context, state) }
}
