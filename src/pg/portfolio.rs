//! The aggregates of portfolios: their state, transition functions and symbols.

use std::ffi::c_void;

use ltv_engine::Result;
use ltv_engine::value::portfolio::Portfolio;
use pgrx::prelude::*;

use crate::pg::aggregate::{Merge, arguments, combine, finish_state};
use crate::pg::call::{Call, ModelBy};
use crate::pg::expanded::{self, State};
use crate::pg::settings;
use crate::pg::symbols::export;

impl Merge for Portfolio {
    fn take_in(&mut self, other: &Self) -> Result<()> {
        self.merge(other, settings::budget())
    }
}

#[pg_guard]
extern "C-unwind" fn portfolio_size(header: *mut pg_sys::ExpandedObjectHeader) -> pg_sys::Size {
    // SAFETY: reached through METHODS only.
    unsafe { expanded::flat_size::<Portfolio>(header) }
}

#[pg_guard]
extern "C-unwind" fn portfolio_flatten(header: *mut pg_sys::ExpandedObjectHeader, to: *mut c_void, size: pg_sys::Size) {
    // SAFETY: reached through METHODS only.
    unsafe { expanded::flatten_into::<Portfolio>(header, to, size) }
}

static METHODS: pg_sys::ExpandedObjectMethods =
    pg_sys::ExpandedObjectMethods { get_flat_size: Some(portfolio_size), flatten_into: Some(portfolio_flatten) };

impl State for Portfolio {
    const CONTEXT: &'static std::ffi::CStr = c"ltv.portfolio";

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
        Portfolio::decode(bytes)
    }
}

/// A transition function: `add` puts the row of the call into the state.
///
/// # Safety
/// Called by PostgreSQL as a transition function over ltv.portfolio.
unsafe fn add(fcinfo: pg_sys::FunctionCallInfo, add: impl FnOnce(&mut Portfolio, &Call)) -> pg_sys::Datum {
    // SAFETY: passed on from the caller; the call reads the arguments after the state only.
    let (object, call) = unsafe { (expanded::state::<Portfolio>(fcinfo, &arguments(fcinfo, 1)[0]), Call::new(fcinfo)) };
    add(&mut object.state, &call);
    object.datum()
}

export!(portfolio_add_curve, pg_finfo_portfolio_add_curve, |f| add(f, crate::portfolio::add_curve));
export!(portfolio_add_model, pg_finfo_portfolio_add_model, |f| {
    add(f, |portfolio, call| crate::portfolio::add_model(portfolio, call, ModelBy::Value))
});
export!(portfolio_add_name, pg_finfo_portfolio_add_name, |f| {
    add(f, |portfolio, call| crate::portfolio::add_model(portfolio, call, ModelBy::Name))
});
export!(forecast_add_curve, pg_finfo_forecast_add_curve, |f| add(f, crate::portfolio::add_account_by_curve));
export!(forecast_add_model, pg_finfo_forecast_add_model, |f| add(f, crate::portfolio::add_account_by_model));
export!(portfolio_combine, pg_finfo_portfolio_combine, |f| combine::<Portfolio>(f));
export!(portfolio_final, pg_finfo_portfolio_final, |f| finish_state::<Portfolio>(f));

export!(portfolio_value, pg_finfo_portfolio_value, |f| crate::portfolio::portfolio_value(&Call::new(f)));
export!(portfolio_change, pg_finfo_portfolio_change, |f| crate::portfolio::portfolio_change(&Call::new(f)));
export!(portfolio_months, pg_finfo_portfolio_months, |f| crate::portfolio::portfolio_months(&Call::new(f)));
export!(staying_curve, pg_finfo_staying_curve, |f| crate::portfolio::staying_curve(&Call::new(f)));
export!(staying_model, pg_finfo_staying_model, |f| crate::portfolio::staying_model(&Call::new(f)));
