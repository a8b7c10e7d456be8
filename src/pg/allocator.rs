//! What happens when the system refuses memory that nobody asked for with leave to refuse it.
//!
//! Whatever grows with the rows asks (`ltv_engine::memory`), and its refusal is an ERROR like any other. What does not ask is
//! small; but on a machine that has nothing left any allocation may be the one. Rust would abort the process then, on which
//! the postmaster ends every other session too and replays the log. Here the one session ends, with FATAL and 53200.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, Ordering};

use ltv_engine::memory;
use pgrx::pg_sys;
use pgrx::prelude::*;

/// PostgreSQL's own functions without the guard that others are called behind: that one allocates and may unwind.
mod unguarded {
    use std::ffi::{c_char, c_int};

    unsafe extern "C-unwind" {
        pub fn errstart(level: c_int, domain: *const c_char) -> bool;
        pub fn errcode(sqlstate: c_int) -> c_int;
        pub fn errmsg_internal(format: *const c_char, ...) -> c_int;
        pub fn errdetail_internal(format: *const c_char, ...) -> c_int;
        pub fn errfinish(file: *const c_char, line: c_int, function: *const c_char);
    }
}

/// The system's allocator, and an end of the session for a refusal that cannot be returned to anybody.
struct Allocator;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

static LEAVING: AtomicBool = AtomicBool::new(false);

/// Whether the session ends because memory was refused: the values of Rust are then left as they lie, since some may be
/// half changed further up the stack.
pub fn is_leaving() -> bool {
    LEAVING.load(Ordering::Relaxed)
}

// SAFETY: every request goes to the system's allocator as it is. Between that and the answer nothing unwinds: a refusal is
// returned, or the process exits.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: passed on.
        told(unsafe { System.alloc(layout) }, layout.size())
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: passed on.
        told(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    #[inline]
    unsafe fn realloc(&self, start: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: passed on.
        told(unsafe { System.realloc(start, layout, size) }, size)
    }

    #[inline]
    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        // SAFETY: passed on.
        unsafe { System.dealloc(start, layout) }
    }
}

#[inline(always)]
fn told(start: *mut u8, size: usize) -> *mut u8 {
    if start.is_null() {
        refused(size);
    }
    start
}

/// Ends the session; returns where the refusal is for the caller, and where there is no session to end.
#[cold]
fn refused(size: usize) {
    // SAFETY: variables of a process of one thread. ExitOnAnyError makes a FATAL of any error on the way out, and without
    // callbacks nothing foreign runs before proc_exit: errfinish at FATAL ends in that and neither returns nor jumps. The
    // message is built in ErrorContext, of which PostgreSQL keeps 8 kB back.
    unsafe {
        if memory::is_asking() || !pg_sys::IsUnderPostmaster || LEAVING.swap(true, Ordering::Relaxed) {
            return;
        }
        pg_sys::ExitOnAnyError = true;
        pg_sys::error_context_stack = std::ptr::null_mut();
        if unguarded::errstart(pg_sys::FATAL as i32, std::ptr::null()) {
            unguarded::errcode(PgSqlErrorCode::ERRCODE_OUT_OF_MEMORY as i32);
            unguarded::errmsg_internal(c"out of memory".as_ptr());
            unguarded::errdetail_internal(c"Failed on request of size %zu by ltv.".as_ptr(), size);
            unguarded::errfinish(c"allocator.rs".as_ptr(), line!() as i32, c"refused".as_ptr());
        }
    }
}
