//! The rows of a regression whose endings have causes, as they come from SQL, and the final function of its fit.

use ltv_engine::hazard::Ties;
use ltv_engine::hazard::design::Design;
use pgrx::prelude::*;

use crate::pg::aggregate::{Places, arguments, finish_fit, float};
use crate::pg::call::Call;
use crate::pg::error::{raise, settle};
use crate::pg::expanded;
use crate::pg::symbols::export;
use crate::pg::{array, settings};

const fn places(entry: Option<usize>, duration: usize, weight: Option<usize>) -> Places {
    Places { entry, duration, event: duration + 1, covariates: Some(duration + 2), weight }
}

const DURATION: Places = places(None, 1, None);
const DURATION_WEIGHT: Places = places(None, 1, Some(4));
const ENTRY_DURATION_WEIGHT: Places = places(Some(1), 2, Some(5));

/// `cause_design_agg` and `fit_fine_gray`: adds one row to the design.
///
/// # Safety
/// Called by PostgreSQL as the transition function whose SQL declaration has its arguments at `places`.
#[inline(always)]
unsafe fn add(fcinfo: pg_sys::FunctionCallInfo, count: usize, places: Places) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    let (args, object) = unsafe {
        let args = arguments(fcinfo, count);
        (args, expanded::state::<Design>(fcinfo, &args[0]))
    };
    let missing = args[1..].iter().any(|slot| slot.isnull);
    // SAFETY: declared float8[], and not NULL here.
    let covariates = if missing { None } else { unsafe { array::floats(args[places.event + 1].value) } };
    let Some(x) = covariates else {
        object.state.skip();
        return object.datum();
    };
    if x.len() > crate::fit::MOST_COVARIATES {
        raise(crate::fit::too_wide(x.len()));
    }
    let cause = args[places.event].value.value() as i32;
    let entry = places.entry.map_or(0.0, |place| float(&args[place]));
    let weight = places.weight.map_or(1.0, |place| float(&args[place]));
    settle(object.state.push_cause(entry, float(&args[places.duration]), cause, weight, x));
    if object.state.len().is_multiple_of(1024) {
        settle(settings::budget().check(object.state.memory_bytes(), "the rows of the fit"));
    }
    object.datum()
}

export!(cause_design_add, pg_finfo_cause_design_add, |f| add(f, 4, DURATION));
export!(cause_design_add_weight, pg_finfo_cause_design_add_weight, |f| add(f, 5, DURATION_WEIGHT));
export!(cause_design_add_entry_weight, pg_finfo_cause_design_add_entry_weight, |f| add(f, 6, ENTRY_DURATION_WEIGHT));
export!(fit_fine_gray_final, pg_finfo_fit_fine_gray_final, |f| {
    finish_fit(f, |design| crate::fine_gray::fitted(design, 1, Ties::Efron))
});
export!(fit_fine_gray, pg_finfo_fit_fine_gray, |f| crate::fine_gray::fit_fine_gray(&Call::new(f)));
