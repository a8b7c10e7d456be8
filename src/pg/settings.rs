//! The extension's settings. None of them changes a number.

use ltv_engine::numeric::tally::Budget;
use pgrx::prelude::*;
use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting};

static MAX_MEMORY_MB: GucSetting<i32> = GucSetting::<i32>::new(1024);

pub fn register() {
    GucRegistry::define_int_guc(
        c"ltv.max_memory_mb",
        c"Memory that one summary or one fit may take, in megabytes.",
        c"Beyond it the statement ends with an error and a hint instead of exhausting the server.",
        &MAX_MEMORY_MB,
        1,
        1_048_576,
        GucContext::Userset,
        GucFlags::default(),
    );
    // SAFETY: called from _PG_init with a static string; the prefix is ours.
    unsafe { pg_sys::MarkGUCPrefixReserved(c"ltv".as_ptr()) };
    // pgrx puts a backtrace into the DETAIL of every error when the postmaster happens to run with RUST_BACKTRACE set;
    // that is no business of the client's.
    // SAFETY: a backend has one thread, and nothing else is reading the environment while the library loads.
    unsafe { std::env::set_var("RUST_LIB_BACKTRACE", "0") };
}

/// What a summary may take now.
pub fn budget() -> Budget {
    Budget { bytes: (MAX_MEMORY_MB.get() as usize) << 20 }
}
