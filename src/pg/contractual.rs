//! The symbols of the contractual cohort models.

use ltv_engine::btyd::Family;
use ltv_engine::hazard::design::Design;
use ltv_engine::survival::Sample;
use pgrx::prelude::*;

use crate::pg::aggregate::{arguments, finish_fit};
use crate::pg::call::Call;
use crate::pg::error::settle;
use crate::pg::expanded;
use crate::pg::symbols::export;
use crate::pg::{settings, varlena};

/// `fit_sbg([cohort,] period, survivors)` and its like: adds one number of a table of survivors.
///
/// # Safety
/// Called by PostgreSQL as the transition function that is declared so, with `count` arguments, the state included.
unsafe fn add(fcinfo: pg_sys::FunctionCallInfo, count: usize) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    let (args, object) = unsafe {
        let args = arguments(fcinfo, count);
        (args, expanded::state::<Design>(fcinfo, &args[0]))
    };
    if args[1..].iter().any(|slot| slot.isnull) {
        object.state.skip();
        return object.datum();
    }
    // SAFETY: with four arguments the first after the state is declared text, and not NULL.
    let cohort = (count == 4).then(|| unsafe { varlena::payload(args[1].value) });
    let cohort = cohort.map(|bytes| {
        std::str::from_utf8(bytes).unwrap_or_else(|_| {
            crate::pg::error::report(
                PgSqlErrorCode::ERRCODE_CHARACTER_NOT_IN_REPERTOIRE,
                "the cohort is not valid UTF-8",
                "",
            )
        })
    });
    let (period, survivors) = (args[count - 2].value.value() as i32, args[count - 1].value.value() as i64);
    settle(crate::contractual::add_survivors(&mut object.state, cohort, period, survivors));
    settle(settings::budget().check(object.state.memory_bytes(), "the table of survivors"));
    object.datum()
}

/// Final function of `fit_sbg(duration, churned)` and its like.
///
/// # Safety
/// Called by PostgreSQL with a survival curve as its only argument.
unsafe fn finish_sample(fcinfo: pg_sys::FunctionCallInfo, family: Family) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    let state = unsafe { &arguments(fcinfo, 1)[0] };
    let fit = |sample: &Sample| crate::contractual::of_sample(sample, family, 1.0);
    // SAFETY: not NULL, and a sample; fitting reads it only.
    let model = (!state.isnull).then(|| unsafe { expanded::with_state::<Sample, _>(state.value, fit) });
    match model.flatten() {
        Some(bytes) => varlena::to_datum(&bytes),
        None => {
            // SAFETY: `fcinfo` is ours to answer through.
            unsafe { (*fcinfo).isnull = true };
            pg_sys::Datum::from(0usize)
        }
    }
}

export!(survivors_add, pg_finfo_survivors_add, |f| add(f, 3));
export!(survivors_add_cohort, pg_finfo_survivors_add_cohort, |f| add(f, 4));
export!(fit_sbg_survivors_final, pg_finfo_fit_sbg_survivors_final, |f| {
    finish_fit(f, |design| crate::contractual::of_survivors(design, Family::BetaGeometric))
});
export!(fit_bdw_survivors_final, pg_finfo_fit_bdw_survivors_final, |f| {
    finish_fit(f, |design| crate::contractual::of_survivors(design, Family::BetaDiscreteWeibull))
});
export!(fit_sbg_final, pg_finfo_fit_sbg_final, |f| finish_sample(f, Family::BetaGeometric));
export!(fit_bdw_final, pg_finfo_fit_bdw_final, |f| finish_sample(f, Family::BetaDiscreteWeibull));
export!(fit_sbg_curve, pg_finfo_fit_sbg_curve, |f| {
    crate::contractual::fit_curve(&Call::new(f), Family::BetaGeometric)
});
export!(fit_bdw_curve, pg_finfo_fit_bdw_curve, |f| {
    crate::contractual::fit_curve(&Call::new(f), Family::BetaDiscreteWeibull)
});
export!(with_period, pg_finfo_with_period, |f| crate::contractual::with_period(&Call::new(f)));
export!(retention, pg_finfo_retention, |f| crate::contractual::retention(&Call::new(f)));
export!(conditional_renewal_probability, pg_finfo_conditional_renewal_probability, |f| {
    crate::contractual::conditional_renewal_probability(&Call::new(f))
});
export!(derl, pg_finfo_derl, |f| crate::contractual::derl(&Call::new(f)));
export!(expected_lifetime, pg_finfo_expected_lifetime, |f| crate::contractual::expected_lifetime(&Call::new(f)));
