//! Renewal decisions in SQL: one row per decision, and the final functions of the fits.

use ltv_engine::hazard::design::Design;
use pgrx::prelude::*;

use crate::pg::aggregate::{Boolean, Integer, Outcome, arguments, finish_fit, float};
use crate::pg::call::Call;
use crate::pg::error::{raise, settle};
use crate::pg::symbols::export;
use crate::pg::{array, expanded, settings};

/// `fit_renewal`: adds one decision: (renewed, covariates [, weight]).
///
/// # Safety
/// Called by PostgreSQL as the transition function that is declared so, with `count` arguments.
#[inline(always)]
unsafe fn add_decision<O: Outcome>(fcinfo: pg_sys::FunctionCallInfo, count: usize) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    let (args, object) = unsafe {
        let args = arguments(fcinfo, count);
        (args, expanded::state::<Design>(fcinfo, &args[0]))
    };
    let missing = args[1..].iter().any(|slot| slot.isnull);
    // SAFETY: declared float8[], and not NULL here.
    let covariates = if missing { None } else { unsafe { array::floats(args[2].value) } };
    let Some(x) = covariates else {
        object.state.skip();
        return object.datum();
    };
    if x.len() > crate::fit::MOST_COVARIATES {
        raise(crate::fit::too_wide(x.len()));
    }
    let renewed = settle(O::read(args[1].value));
    settle(object.state.push(None, 1.0, renewed, args.get(3).map_or(1.0, float), x));
    if object.state.len().is_multiple_of(1024) {
        settle(settings::budget().check(object.state.memory_bytes(), "the rows of the fit"));
    }
    object.datum()
}

export!(renewal_add_bool, pg_finfo_renewal_add_bool, |f| add_decision::<Boolean>(f, 3));
export!(renewal_add_int, pg_finfo_renewal_add_int, |f| add_decision::<Integer>(f, 3));
export!(renewal_add_weight_bool, pg_finfo_renewal_add_weight_bool, |f| add_decision::<Boolean>(f, 4));
export!(renewal_add_weight_int, pg_finfo_renewal_add_weight_int, |f| add_decision::<Integer>(f, 4));
export!(fit_renewal_final, pg_finfo_fit_renewal_final, |f| finish_fit(f, crate::discrete::renewal));
export!(fit_discrete_time_final, pg_finfo_fit_discrete_time_final, |f| finish_fit(f, crate::discrete::discrete_time));
export!(fit_renewal_design, pg_finfo_fit_renewal_design, |f| crate::discrete::fit_renewal(&Call::new(f)));
export!(fit_discrete_time_design, pg_finfo_fit_discrete_time_design, |f| {
    crate::discrete::fit_discrete_time(&Call::new(f))
});
