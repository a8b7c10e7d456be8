//! The symbols of `sql/44_discounting.sql`: cash by date as an aggregate's state, and what is read off it.

use std::ffi::c_void;

use ltv_engine::Result;
use ltv_engine::value::dated_cash::DatedCash;
use ltv_engine::value::decimal::Decimal;
use ltv_engine::value::packed_cash;
use pgrx::prelude::*;

use crate::discounting;
use crate::pg::aggregate::{Merge, arguments, combine, finish_state, float};
use crate::pg::call::Call;
use crate::pg::error::settle;
use crate::pg::expanded::{self, State};
use crate::pg::flat;
use crate::pg::settings;
use crate::pg::symbols::export;
use crate::pg::varlena;

/// A numeric argument.
///
/// # Safety
/// `slot` is that of an argument declared numeric, and not NULL.
#[inline(always)]
pub unsafe fn amount(slot: &pg_sys::NullableDatum) -> (Decimal, u8) {
    // SAFETY: a numeric is a varlena.
    settle(crate::decimal::read(unsafe { varlena::payload(slot.value) }))
}

/// Where the arguments of a form of the aggregate stand (0 is the state).
#[derive(Clone, Copy)]
struct Places {
    rate: Option<usize>,
    amount: usize,
    as_of: Option<usize>,
}

/// Adds one payment: (amount, date) with a rate before them and a valuation date after, or without. Rows with a NULL are
/// left out and counted.
///
/// # Safety
/// Called by PostgreSQL as the transition function that is declared so, with `count` arguments.
#[inline(always)]
unsafe fn add(fcinfo: pg_sys::FunctionCallInfo, count: usize, places: Places) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    let args = unsafe { arguments(fcinfo, count) };
    let row = if args[1..].iter().any(|slot| slot.isnull) {
        None
    } else {
        Some(Row {
            rate: places.rate.map(|place| float(&args[place])),
            as_of: places.as_of.map(|place| args[place].value.value() as i32),
            // SAFETY: declared numeric, and not NULL here.
            amount: unsafe { amount(&args[places.amount]) }.0,
            date: args[places.amount + 1].value.value() as i32,
        })
    };
    // SAFETY: passed on.
    if let Some(answer) = unsafe { add_packed(fcinfo, &args[0], row.as_ref()) } {
        return answer;
    }
    // SAFETY: passed on.
    let object = unsafe { expanded::state::<DatedCash>(fcinfo, &args[0]) };
    match row {
        None => object.state.skip(),
        Some(row) => {
            settle(object.state.agree(row.rate, row.as_of));
            settle(object.state.add(row.date, row.amount, settings::budget));
        }
    }
    object.datum()
}

struct Row {
    rate: Option<f64>,
    as_of: Option<i32>,
    amount: Decimal,
    date: i32,
}

/// Adds the row to a packed state; `None` when the state is none, or has no room left.
///
/// # Safety
/// As [`add`], of whose arguments `state` is the first.
#[inline(always)]
unsafe fn add_packed(
    fcinfo: pg_sys::FunctionCallInfo,
    state: &pg_sys::NullableDatum,
    row: Option<&Row>,
) -> Option<pg_sys::Datum> {
    let put = |bytes: &mut [u8]| match row {
        None => {
            packed_cash::skip(bytes, 1);
            true
        }
        Some(row) => {
            settle(packed_cash::agree(bytes, row.rate, row.as_of));
            settle(packed_cash::add(bytes, row.date, row.amount))
        }
    };
    if state.isnull {
        // SAFETY: passed on.
        unsafe { flat::require_aggregate(fcinfo) };
        let mut bytes = packed_cash::start();
        put(&mut bytes);
        return Some(varlena::to_datum(&bytes));
    }
    // SAFETY: passed on.
    let bytes = unsafe { packed(fcinfo, state) }?;
    if put(bytes) {
        return Some(state.value);
    }
    let mut more = packed_cash::grown(bytes)?;
    put(&mut more);
    Some(varlena::to_datum(&more))
}

/// The bytes of a packed state that may be changed in place.
///
/// # Safety
/// `state` is the state argument of a transition or combine function with this `fcinfo`, and not NULL.
#[inline(always)]
unsafe fn packed<'a>(fcinfo: pg_sys::FunctionCallInfo, state: &pg_sys::NullableDatum) -> Option<&'a mut [u8]> {
    // SAFETY: a non-NULL state is a varlena; a plain one has a four-byte header, its low bits 00 on little-endian machines,
    // and as much payload as that says. In an aggregate it is the aggregate's own copy, which its transition function may
    // change in place (xaggr in the manual).
    let bytes = unsafe {
        let start = state.value.cast_mut_ptr::<pg_sys::varlena>();
        if cfg!(target_endian = "big") || *start.cast::<u8>() & 0x03 != 0 {
            return None;
        }
        flat::require_aggregate(fcinfo);
        let length = pgrx::varlena::varsize_4b(start) - pg_sys::VARHDRSZ;
        std::slice::from_raw_parts_mut(start.cast::<u8>().add(pg_sys::VARHDRSZ), length)
    };
    packed_cash::is_packed(bytes).then_some(bytes)
}

/// The combine function: packed states stay so as long as there is room.
///
/// # Safety
/// Called by PostgreSQL as a combine or transition function over two values of the state type.
unsafe fn merge(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    let args = unsafe { arguments(fcinfo, 2) };
    if !args[1].isnull {
        let own = match args[0].isnull {
            true => Some(packed_cash::start()),
            // SAFETY: passed on.
            false => unsafe { packed(fcinfo, &args[0]) }.map(|bytes| bytes.to_vec()),
        };
        if let Some(mut bytes) = own {
            // SAFETY: not NULL, of the state type, and only read.
            let fits = unsafe {
                flat::require_aggregate(fcinfo);
                expanded::with_state::<DatedCash, _>(args[1].value, |other| {
                    settle(packed_cash::merge(&mut bytes, other))
                })
            };
            if fits {
                return varlena::to_datum(&bytes);
            }
        }
    }
    // SAFETY: passed on.
    unsafe { combine::<DatedCash>(fcinfo) }
}

impl Merge for DatedCash {
    fn take_in(&mut self, other: &Self) -> Result<()> {
        self.merge(other, settings::budget())
    }
}

#[pg_guard]
extern "C-unwind" fn dated_cash_size(header: *mut pg_sys::ExpandedObjectHeader) -> pg_sys::Size {
    // SAFETY: reached through DATED_CASH only.
    unsafe { expanded::flat_size::<DatedCash>(header) }
}

#[pg_guard]
extern "C-unwind" fn dated_cash_flatten(
    header: *mut pg_sys::ExpandedObjectHeader,
    to: *mut c_void,
    size: pg_sys::Size,
) {
    // SAFETY: reached through DATED_CASH only.
    unsafe { expanded::flatten_into::<DatedCash>(header, to, size) }
}

static DATED_CASH: pg_sys::ExpandedObjectMethods =
    pg_sys::ExpandedObjectMethods { get_flat_size: Some(dated_cash_size), flatten_into: Some(dated_cash_flatten) };

impl State for DatedCash {
    const CONTEXT: &'static std::ffi::CStr = c"ltv.dated_cash";

    fn methods() -> &'static pg_sys::ExpandedObjectMethods {
        &DATED_CASH
    }

    fn flatten(&self) -> Vec<u8> {
        self.encode()
    }

    fn bytes(&self) -> usize {
        self.memory_bytes()
    }

    fn unflatten(bytes: &[u8]) -> Result<Self> {
        DatedCash::decode(bytes)
    }
}

const CASH: Places = Places { rate: None, amount: 1, as_of: None };
const RATED: Places = Places { rate: Some(1), amount: 2, as_of: None };
const RATED_AS_OF: Places = Places { rate: Some(1), amount: 2, as_of: Some(4) };

export!(dated_cash_add, pg_finfo_dated_cash_add, |f| add(f, 3, CASH));
export!(dated_cash_add_rate, pg_finfo_dated_cash_add_rate, |f| add(f, 4, RATED));
export!(dated_cash_add_rate_as_of, pg_finfo_dated_cash_add_rate_as_of, |f| add(f, 5, RATED_AS_OF));
export!(dated_cash_combine, pg_finfo_dated_cash_combine, |f| merge(f));
export!(dated_cash_final, pg_finfo_dated_cash_final, |f| finish_state::<DatedCash>(f));
export!(xnpv_final, pg_finfo_xnpv_final, |f| discounting::xnpv_final(&Call::new(f)));
export!(xirr_final, pg_finfo_xirr_final, |f| discounting::xirr_cash(&Call::new(f)));
export!(xnpv_cash, pg_finfo_xnpv_cash, |f| discounting::xnpv_cash(&Call::new(f)));
export!(xirr_cash, pg_finfo_xirr_cash, |f| discounting::xirr_cash(&Call::new(f)));
export!(xirr_rates_cash, pg_finfo_xirr_rates_cash, |f| discounting::xirr_rates_cash(&Call::new(f)));
export!(dated_cash_total, pg_finfo_dated_cash_total, |f| discounting::total(&Call::new(f)));
export!(dated_cash_reached_on, pg_finfo_dated_cash_reached_on, |f| discounting::reached_on(&Call::new(f)));
export!(dated_cash_flows, pg_finfo_dated_cash_flows, |f| discounting::flows(&Call::new(f)));
export!(dated_cash_skipped, pg_finfo_dated_cash_skipped, |f| discounting::skipped(&Call::new(f)));
export!(npv_array, pg_finfo_npv_array, |f| discounting::npv(&Call::new(f)));
export!(irr_array, pg_finfo_irr_array, |f| discounting::irr(&Call::new(f)));
export!(irr_rates_array, pg_finfo_irr_rates_array, |f| discounting::irr_rates(&Call::new(f)));
export!(xnpv_array, pg_finfo_xnpv_array, |f| discounting::xnpv_array(&Call::new(f)));
export!(xirr_array, pg_finfo_xirr_array, |f| discounting::xirr_array(&Call::new(f)));
export!(xirr_rates_array, pg_finfo_xirr_rates_array, |f| discounting::xirr_rates_array(&Call::new(f)));
export!(year_fraction, pg_finfo_year_fraction, |f| discounting::year_fraction(&Call::new(f)));
export!(discount_factor, pg_finfo_discount_factor, |f| discounting::discount_factor(&Call::new(f)));
export!(convert_rate, pg_finfo_convert_rate, |f| discounting::convert_rate(&Call::new(f)));
export!(annual_churn, pg_finfo_annual_churn, |f| discounting::compound_churn(&Call::new(f), 12.0));
export!(monthly_churn, pg_finfo_monthly_churn, |f| discounting::compound_churn(&Call::new(f), 1.0 / 12.0));
