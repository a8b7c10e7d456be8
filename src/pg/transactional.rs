//! `purchase_agg`, `spend_agg` and the fits of transactional models: rows, and the states that gather them.

use std::ffi::c_void;

use ltv_engine::Result;
use ltv_engine::btyd::purchases::Leaving;
use ltv_engine::btyd::sample::{PurchaseSample, SpendSample};
use pgrx::prelude::*;

use crate::pg::aggregate::{Merge, arguments, combine, float};
use crate::pg::call::{Call, ModelBy};
use crate::pg::error::settle;
use crate::pg::expanded::{self, State};
use crate::pg::settings;
use crate::pg::symbols::export;
use crate::transactional as face;
use crate::transactional_value as worth;

/// (frequency, recency, age [, weight]): a NULL leaves the row out.
///
/// # Safety
/// Called by PostgreSQL as the transition function that is declared so, with `count` arguments, the state included.
#[inline(always)]
unsafe fn add_purchases(fcinfo: pg_sys::FunctionCallInfo, count: usize) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    let (args, object) = unsafe {
        let args = arguments(fcinfo, count);
        (args, expanded::state::<PurchaseSample>(fcinfo, &args[0]))
    };
    if args[1..].iter().any(|slot| slot.isnull) {
        object.state.skip();
        return object.datum();
    }
    let weight = args.get(4).map_or(1.0, float);
    settle(object.state.add(float(&args[1]), float(&args[2]), float(&args[3]), weight, settings::budget));
    object.datum()
}

/// (frequency, mean_value [, weight]): a NULL, or a frequency of 0, leaves the row out.
///
/// # Safety
/// As [`add_purchases`].
#[inline(always)]
unsafe fn add_spend(fcinfo: pg_sys::FunctionCallInfo, count: usize) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    let (args, object) = unsafe {
        let args = arguments(fcinfo, count);
        (args, expanded::state::<SpendSample>(fcinfo, &args[0]))
    };
    if args[1..].iter().any(|slot| slot.isnull) || float(&args[1]) == 0.0 {
        object.state.skip();
        return object.datum();
    }
    let weight = args.get(3).map_or(1.0, float);
    settle(object.state.add(float(&args[1]), float(&args[2]), weight, settings::budget));
    object.datum()
}

impl Merge for PurchaseSample {
    fn take_in(&mut self, other: &Self) -> Result<()> {
        self.merge(other, settings::budget)
    }
}

impl Merge for SpendSample {
    fn take_in(&mut self, other: &Self) -> Result<()> {
        self.merge(other, settings::budget)
    }
}

#[pg_guard]
extern "C-unwind" fn purchases_size(header: *mut pg_sys::ExpandedObjectHeader) -> pg_sys::Size {
    // SAFETY: reached through PURCHASES only.
    unsafe { expanded::flat_size::<PurchaseSample>(header) }
}

#[pg_guard]
extern "C-unwind" fn purchases_flatten(header: *mut pg_sys::ExpandedObjectHeader, to: *mut c_void, size: pg_sys::Size) {
    // SAFETY: reached through PURCHASES only.
    unsafe { expanded::flatten_into::<PurchaseSample>(header, to, size) }
}

static PURCHASES: pg_sys::ExpandedObjectMethods =
    pg_sys::ExpandedObjectMethods { get_flat_size: Some(purchases_size), flatten_into: Some(purchases_flatten) };

impl State for PurchaseSample {
    const CONTEXT: &'static std::ffi::CStr = c"ltv.purchase_sample";

    fn methods() -> &'static pg_sys::ExpandedObjectMethods {
        &PURCHASES
    }

    fn flatten(&self) -> Vec<u8> {
        self.encode()
    }

    fn bytes(&self) -> usize {
        self.memory_bytes()
    }

    fn unflatten(bytes: &[u8]) -> Result<Self> {
        PurchaseSample::decode(bytes)
    }
}

#[pg_guard]
extern "C-unwind" fn spend_size(header: *mut pg_sys::ExpandedObjectHeader) -> pg_sys::Size {
    // SAFETY: reached through SPEND only.
    unsafe { expanded::flat_size::<SpendSample>(header) }
}

#[pg_guard]
extern "C-unwind" fn spend_flatten(header: *mut pg_sys::ExpandedObjectHeader, to: *mut c_void, size: pg_sys::Size) {
    // SAFETY: reached through SPEND only.
    unsafe { expanded::flatten_into::<SpendSample>(header, to, size) }
}

static SPEND: pg_sys::ExpandedObjectMethods =
    pg_sys::ExpandedObjectMethods { get_flat_size: Some(spend_size), flatten_into: Some(spend_flatten) };

impl State for SpendSample {
    const CONTEXT: &'static std::ffi::CStr = c"ltv.spend_sample";

    fn methods() -> &'static pg_sys::ExpandedObjectMethods {
        &SPEND
    }

    fn flatten(&self) -> Vec<u8> {
        self.encode()
    }

    fn bytes(&self) -> usize {
        self.memory_bytes()
    }

    fn unflatten(bytes: &[u8]) -> Result<Self> {
        SpendSample::decode(bytes)
    }
}

export!(purchases_add, pg_finfo_purchases_add, |f| add_purchases(f, 4));
export!(purchases_add_weight, pg_finfo_purchases_add_weight, |f| add_purchases(f, 5));
export!(purchases_combine, pg_finfo_purchases_combine, |f| combine::<PurchaseSample>(f));
export!(spend_add, pg_finfo_spend_add, |f| add_spend(f, 3));
export!(spend_add_weight, pg_finfo_spend_add_weight, |f| add_spend(f, 4));
export!(spend_combine, pg_finfo_spend_combine, |f| combine::<SpendSample>(f));
export!(purchases_skipped, pg_finfo_purchases_skipped, |f| face::purchases_skipped(&Call::new(f)));
export!(spend_skipped, pg_finfo_spend_skipped, |f| face::spend_skipped(&Call::new(f)));
export!(fit_bg_nbd, pg_finfo_fit_bg_nbd, |f| face::fit_purchases(&Call::new(f), Leaving::BgNbd));
export!(fit_mbg_nbd, pg_finfo_fit_mbg_nbd, |f| face::fit_purchases(&Call::new(f), Leaving::MbgNbd));
export!(fit_pareto_nbd, pg_finfo_fit_pareto_nbd, |f| face::fit_purchases(&Call::new(f), Leaving::ParetoNbd));
export!(fit_gamma_gamma, pg_finfo_fit_gamma_gamma, |f| face::fit_gamma_gamma(&Call::new(f)));
export!(probability_alive, pg_finfo_probability_alive, |f| face::probability_alive(&Call::new(f), ModelBy::Value));
export!(probability_alive_name, pg_finfo_probability_alive_name, |f| face::probability_alive(
    &Call::new(f),
    ModelBy::Name
));
export!(expected_purchases, pg_finfo_expected_purchases, |f| face::expected_purchases(&Call::new(f), ModelBy::Value));
export!(expected_purchases_name, pg_finfo_expected_purchases_name, |f| face::expected_purchases(
    &Call::new(f),
    ModelBy::Name
));
export!(expected_purchases_new, pg_finfo_expected_purchases_new, |f| face::expected_purchases_new(
    &Call::new(f),
    ModelBy::Value
));
export!(expected_purchases_new_name, pg_finfo_expected_purchases_new_name, |f| face::expected_purchases_new(
    &Call::new(f),
    ModelBy::Name
));
export!(purchase_probability, pg_finfo_purchase_probability, |f| face::purchase_probability(
    &Call::new(f),
    ModelBy::Value
));
export!(purchase_probability_name, pg_finfo_purchase_probability_name, |f| face::purchase_probability(
    &Call::new(f),
    ModelBy::Name
));
export!(discounted_purchases, pg_finfo_discounted_purchases, |f| face::discounted_purchases(
    &Call::new(f),
    ModelBy::Value
));
export!(discounted_purchases_name, pg_finfo_discounted_purchases_name, |f| face::discounted_purchases(
    &Call::new(f),
    ModelBy::Name
));
export!(expected_spend, pg_finfo_expected_spend, |f| face::expected_spend(&Call::new(f), ModelBy::Value));
export!(expected_spend_name, pg_finfo_expected_spend_name, |f| face::expected_spend(&Call::new(f), ModelBy::Name));
export!(transactional_value, pg_finfo_transactional_value, |f| worth::transactional_value(
    &Call::new(f),
    ModelBy::Value
));
export!(transactional_value_name, pg_finfo_transactional_value_name, |f| worth::transactional_value(
    &Call::new(f),
    ModelBy::Name
));
export!(transactional_cash_flows, pg_finfo_transactional_cash_flows, |f| worth::transactional_cash_flows(
    &Call::new(f),
    ModelBy::Value
));
export!(transactional_cash_flows_name, pg_finfo_transactional_cash_flows_name, |f| worth::transactional_cash_flows(
    &Call::new(f),
    ModelBy::Name
));
