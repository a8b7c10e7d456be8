//! The aggregate of competing risks: its state, its transition functions and the symbols of its accessors.

use std::ffi::c_void;

use ltv_engine::Result;
use ltv_engine::survival::Incidence;
use ltv_engine::survival::incidence::cause_number;
use pgrx::prelude::*;

use crate::pg::aggregate::{self, Merge, Places, arguments, finish_state, float};
use crate::pg::call::Call;
use crate::pg::error::settle;
use crate::pg::expanded::{self, State};
use crate::pg::symbols::export;
use crate::pg::{packed, settings};

const fn places(entry: Option<usize>, duration: usize, weight: Option<usize>) -> Places {
    Places { entry, duration, event: duration + 1, covariates: None, weight }
}

const DURATION: Places = places(None, 1, None);
const DURATION_WEIGHT: Places = places(None, 1, Some(3));
const ENTRY_DURATION_WEIGHT: Places = places(Some(1), 2, Some(4));

fn cause(datum: pg_sys::Datum) -> i32 {
    datum.value() as i32
}

/// `incidence_agg` in all its forms: adds one row to the counts.
///
/// # Safety
/// Called by PostgreSQL as the transition function whose SQL declaration has its arguments at `places`.
#[inline(always)]
unsafe fn add(fcinfo: pg_sys::FunctionCallInfo, count: usize, places: Places) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    let args = unsafe { arguments(fcinfo, count) };
    if places.weight.is_none() {
        let read = |datum| cause_number(cause(datum), true).map(|cause| cause as u8);
        // SAFETY: as above.
        if let Some(answer) = unsafe { packed::add(fcinfo, args, places, read) } {
            return answer;
        }
    }
    // SAFETY: as above.
    let object = unsafe { expanded::state::<Incidence>(fcinfo, &args[0]) };
    if args[1..].iter().any(|slot| slot.isnull) {
        object.state.skip();
        return object.datum();
    }
    let (duration, cause) = (float(&args[places.duration]), cause(args[places.event].value));
    match places.weight {
        None => settle(object.state.add_asking(duration, cause, settings::budget)),
        Some(weight) => {
            let entry = places.entry.map_or(0.0, |place| float(&args[place]));
            settle(object.state.add_row(entry, duration, cause, float(&args[weight]), settings::budget()));
        }
    }
    object.datum()
}

impl Merge for Incidence {
    fn take_in(&mut self, other: &Self) -> Result<()> {
        self.merge(other, settings::budget())
    }
}

#[pg_guard]
extern "C-unwind" fn incidence_size(header: *mut pg_sys::ExpandedObjectHeader) -> pg_sys::Size {
    // SAFETY: reached through METHODS only.
    unsafe { expanded::flat_size::<Incidence>(header) }
}

#[pg_guard]
extern "C-unwind" fn incidence_flatten(header: *mut pg_sys::ExpandedObjectHeader, to: *mut c_void, size: pg_sys::Size) {
    // SAFETY: reached through METHODS only.
    unsafe { expanded::flatten_into::<Incidence>(header, to, size) }
}

static METHODS: pg_sys::ExpandedObjectMethods =
    pg_sys::ExpandedObjectMethods { get_flat_size: Some(incidence_size), flatten_into: Some(incidence_flatten) };

impl State for Incidence {
    const CONTEXT: &'static std::ffi::CStr = c"ltv.incidence";

    fn methods() -> &'static pg_sys::ExpandedObjectMethods {
        &METHODS
    }

    fn flatten(&self) -> Vec<u8> {
        self.encode()
    }

    fn bytes(&self) -> usize {
        self.memory_bytes()
    }

    fn unflatten(bytes: &[u8]) -> Result<Self> {
        Incidence::decode(bytes)
    }
}

export!(incidence_add, pg_finfo_incidence_add, |f| add(f, 3, DURATION));
export!(incidence_add_weight, pg_finfo_incidence_add_weight, |f| add(f, 4, DURATION_WEIGHT));
export!(incidence_add_entry_weight, pg_finfo_incidence_add_entry_weight, |f| add(f, 5, ENTRY_DURATION_WEIGHT));
export!(incidence_combine, pg_finfo_incidence_combine, |f| aggregate::combine::<Incidence>(f));
export!(incidence_final, pg_finfo_incidence_final, |f| finish_state::<Incidence>(f));

export!(incidence_curve, pg_finfo_incidence_curve, |f| crate::incidence::incidence_curve(&Call::new(f)));
export!(incidence_at, pg_finfo_incidence_at, |f| crate::incidence::incidence_at(&Call::new(f)));
export!(time_lost, pg_finfo_time_lost, |f| crate::incidence::time_lost(&Call::new(f)));
export!(time_lost_interval, pg_finfo_time_lost_interval, |f| crate::incidence::time_lost_interval(&Call::new(f)));
