//! `interval_survival_agg` and `interval_agg`: rows whose event is known to lie between two looks.

use std::ffi::c_void;

use ltv_engine::Result;
use ltv_engine::survival::intervals::IntervalSample;
use pgrx::prelude::*;

use crate::pg::aggregate::{Merge, arguments, combine, float};
use crate::pg::call::Call;
use crate::pg::error::settle;
use crate::pg::expanded::{self, State};
use crate::pg::settings;
use crate::pg::symbols::export;

/// (left, right [, weight]): a NULL right is an event that has not been seen, any other NULL leaves the row out.
///
/// # Safety
/// Called by PostgreSQL as the transition function that is declared so, with `count` arguments, the state included.
#[inline(always)]
unsafe fn add(fcinfo: pg_sys::FunctionCallInfo, count: usize) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    let (args, object) = unsafe {
        let args = arguments(fcinfo, count);
        (args, expanded::state::<IntervalSample>(fcinfo, &args[0]))
    };
    if args[1].isnull || args.get(3).is_some_and(|weight| weight.isnull) {
        object.state.skip();
        return object.datum();
    }
    let right = if args[2].isnull { f64::INFINITY } else { float(&args[2]) };
    let weight = args.get(3).map_or(1.0, float);
    settle(object.state.add(float(&args[1]), right, weight, settings::budget));
    object.datum()
}

impl Merge for IntervalSample {
    fn take_in(&mut self, other: &Self) -> Result<()> {
        self.merge(other, settings::budget())
    }
}

#[pg_guard]
extern "C-unwind" fn intervals_size(header: *mut pg_sys::ExpandedObjectHeader) -> pg_sys::Size {
    // SAFETY: reached through INTERVALS only.
    unsafe { expanded::flat_size::<IntervalSample>(header) }
}

#[pg_guard]
extern "C-unwind" fn intervals_flatten(header: *mut pg_sys::ExpandedObjectHeader, to: *mut c_void, size: pg_sys::Size) {
    // SAFETY: reached through INTERVALS only.
    unsafe { expanded::flatten_into::<IntervalSample>(header, to, size) }
}

static INTERVALS: pg_sys::ExpandedObjectMethods =
    pg_sys::ExpandedObjectMethods { get_flat_size: Some(intervals_size), flatten_into: Some(intervals_flatten) };

impl State for IntervalSample {
    const CONTEXT: &'static std::ffi::CStr = c"ltv.interval_sample";

    fn methods() -> &'static pg_sys::ExpandedObjectMethods {
        &INTERVALS
    }

    fn flatten(&self) -> Vec<u8> {
        self.encode()
    }

    fn bytes(&self) -> usize {
        self.memory_bytes()
    }

    fn unflatten(bytes: &[u8]) -> Result<Self> {
        IntervalSample::decode(bytes)
    }
}

export!(intervals_add, pg_finfo_intervals_add, |f| add(f, 3));
export!(intervals_add_weight, pg_finfo_intervals_add_weight, |f| add(f, 4));
export!(intervals_combine, pg_finfo_intervals_combine, |f| combine::<IntervalSample>(f));
export!(turnbull, pg_finfo_turnbull, |f| crate::intervals::turnbull(&Call::new(f)));
export!(turnbull_intervals, pg_finfo_turnbull_intervals, |f| crate::intervals::turnbull_intervals(&Call::new(f)));
export!(intervals_skipped, pg_finfo_intervals_skipped, |f| crate::intervals::skipped(&Call::new(f)));
