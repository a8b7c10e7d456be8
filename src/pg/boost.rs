//! Rows whose covariates may be missing, and the symbols of models by trees.

use std::borrow::Cow;

use ltv_engine::hazard::design::Design;
use pgrx::prelude::*;

use crate::pg::aggregate::{Boolean, Integer, Outcome, arguments, float};
use crate::pg::call::Call;
use crate::pg::error::{raise, settle};
use crate::pg::expanded;
use crate::pg::symbols::export;
use crate::pg::{array, settings};

/// The elements of a float8[], NaN for those that are NULL.
///
/// # Safety
/// `array` is a float8[], not NULL, and lives as long as the answer is used.
unsafe fn covariates<'a>(array: pg_sys::Datum) -> Cow<'a, [f64]> {
    // SAFETY: passed on from the caller.
    let x = match unsafe { array::floats(array) } {
        Some(x) => Cow::Borrowed(x),
        None => {
            // SAFETY: as above.
            let elements = unsafe { Vec::<Option<f64>>::from_datum(array, false) };
            Cow::Owned(elements.unwrap_or_default().into_iter().map(|x| x.unwrap_or(f64::NAN)).collect())
        }
    };
    if x.len() > crate::fit::MOST_COVARIATES {
        raise(crate::fit::too_wide(x.len()));
    }
    x
}

/// `incomplete_design_agg`: (entry, duration, event, covariates, weight), in which elements of covariates may be NULL.
///
/// # Safety
/// Called by PostgreSQL as the transition function that is declared so.
unsafe fn add<O: Outcome>(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    let (args, object) = unsafe {
        let args = arguments(fcinfo, 6);
        (args, expanded::state::<Design>(fcinfo, &args[0]))
    };
    if args[1..].iter().any(|slot| slot.isnull) {
        object.state.skip();
        return object.datum();
    }
    // SAFETY: declared float8[], and not NULL here.
    let x = unsafe { covariates(args[4].value) };
    object.state.take_missing();
    settle(object.state.push(
        Some(float(&args[1])),
        float(&args[2]),
        settle(O::read(args[3].value)),
        float(&args[5]),
        &x,
    ));
    if object.state.len().is_multiple_of(1024) {
        settle(settings::budget().check(object.state.memory_bytes(), "the rows of the fit"));
    }
    object.datum()
}

/// `incomplete_amount_design_agg`: (amount, covariates, weight, offset), in which elements of covariates may be NULL.
///
/// # Safety
/// Called by PostgreSQL as the transition function that is declared so.
unsafe fn add_amount(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    let (args, object) = unsafe {
        let args = arguments(fcinfo, 5);
        (args, expanded::state::<Design>(fcinfo, &args[0]))
    };
    if args[1..].iter().any(|slot| slot.isnull) {
        object.state.skip();
        return object.datum();
    }
    // SAFETY: declared float8[], and not NULL here.
    let x = unsafe { covariates(args[2].value) };
    object.state.take_missing();
    settle(object.state.push_amount(float(&args[1]), float(&args[3]), float(&args[4]), &x));
    if object.state.len().is_multiple_of(1024) {
        settle(settings::budget().check(object.state.memory_bytes(), "the rows of the fit"));
    }
    object.datum()
}

export!(incomplete_amount_add, pg_finfo_incomplete_amount_add, |f| add_amount(f));
export!(incomplete_design_add_bool, pg_finfo_incomplete_design_add_bool, |f| add::<Boolean>(f));
export!(incomplete_design_add_int, pg_finfo_incomplete_design_add_int, |f| add::<Integer>(f));
export!(fit_boosted_hazard, pg_finfo_fit_boosted_hazard, |f| crate::boost::fit_boosted_hazard(&Call::new(f)));
export!(fit_boosted_value, pg_finfo_fit_boosted_value, |f| crate::boost::fit_boosted_value(&Call::new(f)));
export!(feature_gain, pg_finfo_feature_gain, |f| crate::boost::feature_gain(&Call::new(f)));
export!(boosting_path, pg_finfo_boosting_path, |f| crate::boost::boosting_path(&Call::new(f)));
