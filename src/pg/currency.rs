//! `sum_money`: the state as a few bytes that are changed in place, so that a million groups are no burden.

use pgrx::prelude::*;

use crate::currency::sum;
use crate::pg::aggregate::arguments;
use crate::pg::call::Call;
use crate::pg::discounting::amount;
use crate::pg::error::{report, settle};
use crate::pg::flat;
use crate::pg::symbols::export;
use crate::pg::varlena;

/// Adds one amount (argument 1) of a currency (argument 2). Rows without an amount are left out; an amount without a
/// currency ends the statement, for its sum would be of nobody knows what.
///
/// # Safety
/// Called by PostgreSQL as the transition function declared (bytea, numeric, text).
unsafe fn add(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    let args = unsafe { arguments(fcinfo, 3) };
    if args[1].isnull {
        // SAFETY: `fcinfo` is ours to answer through.
        unsafe { (*fcinfo).isnull = args[0].isnull };
        return args[0].value;
    }
    if args[2].isnull {
        report(
            PgSqlErrorCode::ERRCODE_NULL_VALUE_NOT_ALLOWED,
            "an amount has no currency",
            "Leave such rows out with FILTER (WHERE currency IS NOT NULL), or say which it is with coalesce.",
        );
    }
    // SAFETY: declared numeric and text, and not NULL here.
    let ((amount, scale), letters) = unsafe { (amount(&args[1]), varlena::payload(args[2].value)) };
    let currency = String::from_utf8_lossy(letters);
    // SAFETY: passed on.
    unsafe {
        flat::update(fcinfo, &args[0], sum::read, |state: Option<&mut [u8; sum::BYTES]>| match state {
            Some(state) => {
                settle(sum::add(state, amount, scale, &currency));
                None
            }
            None => {
                let mut state = settle(sum::start(&currency));
                settle(sum::add(&mut state, amount, scale, &currency));
                Some(state)
            }
        })
    }
}

/// # Safety
/// Called by PostgreSQL as the combine function over two states.
unsafe fn combine(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    let args = unsafe { arguments(fcinfo, 2) };
    if args[1].isnull {
        // SAFETY: `fcinfo` is ours to answer through.
        unsafe { (*fcinfo).isnull = args[0].isnull };
        return args[0].value;
    }
    // SAFETY: declared bytea, and not NULL here.
    let other = settle(sum::read(unsafe { varlena::payload(args[1].value) }));
    // SAFETY: passed on.
    unsafe {
        flat::update(fcinfo, &args[0], sum::read, |state: Option<&mut [u8; sum::BYTES]>| match state {
            Some(state) => {
                settle(sum::merge(state, &other));
                None
            }
            None => Some(other),
        })
    }
}

fn total(call: &Call) -> pg_sys::Datum {
    let total = call.bytes(0).map(|bytes| settle(sum::read(bytes).and_then(|state| sum::total(&state))));
    crate::discounting::answer_amount(call, total)
}

export!(sum_money_add, pg_finfo_sum_money_add, |f| add(f));
export!(sum_money_combine, pg_finfo_sum_money_combine, |f| combine(f));
export!(sum_money_final, pg_finfo_sum_money_final, |f| total(&Call::new(f)));
