//! `profile_agg`: how a column is distributed.

use std::ffi::c_void;

use ltv_engine::Result;
use ltv_engine::assess::profile::Profile;
use pgrx::prelude::*;

use crate::pg::aggregate::{Merge, arguments, combine, float};
use crate::pg::call::Call;
use crate::pg::error::{report, settle};
use crate::pg::expanded::{self, State};
use crate::pg::symbols::export;
use crate::pg::{settings, varlena};

/// Adds a number, or a NULL.
///
/// # Safety
/// Called by PostgreSQL as the transition function over double precision.
#[inline(always)]
unsafe fn add_number(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    let (args, object) = unsafe {
        let args = arguments(fcinfo, 2);
        (args, expanded::state::<Profile>(fcinfo, &args[0]))
    };
    match args[1].isnull {
        true => object.state.add_null(),
        false => settle(object.state.add_number(float(&args[1]), settings::budget())),
    }
    object.datum()
}

/// Adds a text, or a NULL.
///
/// # Safety
/// Called by PostgreSQL as the transition function over text.
#[inline(always)]
unsafe fn add_text(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    let (args, object) = unsafe {
        let args = arguments(fcinfo, 2);
        (args, expanded::state::<Profile>(fcinfo, &args[0]))
    };
    object.state.expect_texts();
    if args[1].isnull {
        object.state.add_null();
        return object.datum();
    }
    // SAFETY: declared text, and not NULL.
    let Ok(text) = std::str::from_utf8(unsafe { varlena::payload(args[1].value) }) else {
        report(PgSqlErrorCode::ERRCODE_CHARACTER_NOT_IN_REPERTOIRE, "a text is not valid UTF-8", "")
    };
    settle(object.state.add_text(text, settings::budget()));
    object.datum()
}

impl Merge for Profile {
    fn take_in(&mut self, other: &Self) -> Result<()> {
        self.merge(other, settings::budget())
    }
}

#[pg_guard]
extern "C-unwind" fn profile_size(header: *mut pg_sys::ExpandedObjectHeader) -> pg_sys::Size {
    // SAFETY: reached through PROFILE only.
    unsafe { expanded::flat_size::<Profile>(header) }
}

#[pg_guard]
extern "C-unwind" fn profile_flatten(header: *mut pg_sys::ExpandedObjectHeader, to: *mut c_void, size: pg_sys::Size) {
    // SAFETY: reached through PROFILE only.
    unsafe { expanded::flatten_into::<Profile>(header, to, size) }
}

static PROFILE: pg_sys::ExpandedObjectMethods =
    pg_sys::ExpandedObjectMethods { get_flat_size: Some(profile_size), flatten_into: Some(profile_flatten) };

impl State for Profile {
    const CONTEXT: &'static std::ffi::CStr = c"ltv.profile";

    fn methods() -> &'static pg_sys::ExpandedObjectMethods {
        &PROFILE
    }

    fn flatten(&self) -> Vec<u8> {
        self.encode()
    }

    fn bytes(&self) -> usize {
        self.memory_bytes()
    }

    fn unflatten(bytes: &[u8]) -> Result<Self> {
        Profile::decode(bytes)
    }
}

export!(profile_add_number, pg_finfo_profile_add_number, |f| add_number(f));
export!(profile_add_text, pg_finfo_profile_add_text, |f| add_text(f));
export!(profile_combine, pg_finfo_profile_combine, |f| combine::<Profile>(f));
export!(profile_rank, pg_finfo_profile_rank, |f| crate::profile::rank(&Call::new(f)));
export!(profile_quantile, pg_finfo_profile_quantile, |f| crate::profile::quantile(&Call::new(f)));
export!(profile_conformal_margin, pg_finfo_profile_conformal_margin, |f| {
    crate::profile::conformal_margin(&Call::new(f))
});
export!(profile_summary, pg_finfo_profile_summary, |f| crate::profile::summary(&Call::new(f)));
export!(profile_levels, pg_finfo_profile_levels, |f| crate::profile::levels(&Call::new(f)));
export!(poisson_interval, pg_finfo_poisson_interval, |f| crate::profile::poisson(&Call::new(f)));
export!(weighted_poisson_interval, pg_finfo_weighted_poisson_interval, |f| {
    crate::profile::weighted_poisson(&Call::new(f))
});
export!(profile_distance, pg_finfo_profile_distance, |f| crate::profile::distance(&Call::new(f)));
