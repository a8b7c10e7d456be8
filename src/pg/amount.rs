//! The symbols of models of amounts and of hybrids.

use ltv_engine::amount::Family;
use ltv_engine::hazard::design::Design;
use pgrx::prelude::*;

use crate::pg::aggregate::{arguments, float};
use crate::pg::call::{Call, ModelBy};
use crate::pg::design::text;
use crate::pg::error::{raise, settle};
use crate::pg::symbols::export;
use crate::pg::{array, expanded, settings};

/// `amount_design_agg`: adds one row: (amount, covariates [, weight [, offset [, cluster]]]). A row without a cluster is one
/// of its own; any other NULL leaves the row out.
///
/// # Safety
/// Called by PostgreSQL as the transition function that is declared so, with `count` arguments.
unsafe fn add(fcinfo: pg_sys::FunctionCallInfo, count: usize) -> pg_sys::Datum {
    const CLUSTER: usize = 5;
    // SAFETY: passed on from the caller.
    let (args, object) = unsafe {
        let args = arguments(fcinfo, count);
        (args, expanded::state::<Design>(fcinfo, &args[0]))
    };
    let missing = args.iter().enumerate().skip(1).any(|(place, slot)| slot.isnull && place != CLUSTER);
    // SAFETY: declared float8[], and not NULL here.
    let covariates = if missing { None } else { unsafe { array::floats(args[2].value) } };
    let Some(x) = covariates else {
        object.state.skip();
        return object.datum();
    };
    if x.len() > crate::fit::MOST_COVARIATES {
        raise(crate::fit::too_wide(x.len()));
    }
    let (weight, offset) = (args.get(3).map_or(1.0, float), args.get(4).map_or(0.0, float));
    let cluster = args.get(CLUSTER).map(|slot| match slot.isnull {
        true => None,
        // SAFETY: declared text, and not NULL here.
        false => Some(unsafe { text(slot.value) }),
    });
    settle(object.state.push_clustered_amount(float(&args[1]), weight, offset, cluster, x));
    if object.state.len().is_multiple_of(1024) {
        settle(settings::budget().check(object.state.memory_bytes(), "the rows of the fit"));
    }
    object.datum()
}

export!(amount_add, pg_finfo_amount_add, |f| add(f, 3));
export!(amount_add_weight, pg_finfo_amount_add_weight, |f| add(f, 4));
export!(amount_add_offset, pg_finfo_amount_add_offset, |f| add(f, 5));
export!(amount_add_cluster, pg_finfo_amount_add_cluster, |f| add(f, 6));
export!(fit_linear, pg_finfo_fit_linear, |f| crate::amount::fit_family(&Call::new(f), Family::Linear));
export!(fit_gamma, pg_finfo_fit_gamma, |f| crate::amount::fit_family(&Call::new(f), Family::Gamma));
export!(fit_tweedie, pg_finfo_fit_tweedie, |f| crate::amount::fit_tweedie(&Call::new(f)));
export!(fit_two_part, pg_finfo_fit_two_part, |f| crate::amount::fit_two_part(&Call::new(f)));
export!(amount_fit, pg_finfo_amount_fit, |f| crate::amount::amount_fit(&Call::new(f)));
export!(amount_deviance, pg_finfo_amount_deviance, |f| crate::amount::amount_deviance(&Call::new(f)));
export!(expected_value_model, pg_finfo_expected_value_model, |f| {
    crate::amount::expected_value(&Call::new(f), ModelBy::Value)
});
export!(expected_value_name, pg_finfo_expected_value_name, |f| {
    crate::amount::expected_value(&Call::new(f), ModelBy::Name)
});
export!(expected_value_interval_model, pg_finfo_expected_value_interval_model, |f| {
    crate::amount::expected_value_interval(&Call::new(f), ModelBy::Value)
});
export!(expected_value_interval_name, pg_finfo_expected_value_interval_name, |f| {
    crate::amount::expected_value_interval(&Call::new(f), ModelBy::Name)
});
export!(outcome_interval_model, pg_finfo_outcome_interval_model, |f| {
    crate::amount::outcome_interval(&Call::new(f), ModelBy::Value)
});
export!(outcome_interval_name, pg_finfo_outcome_interval_name, |f| {
    crate::amount::outcome_interval(&Call::new(f), ModelBy::Name)
});
export!(rule_model, pg_finfo_rule_model, |f| crate::amount::rule(&Call::new(f)));
export!(fit_hybrid, pg_finfo_fit_hybrid, |f| crate::hybrid::fit_hybrid(&Call::new(f)));
export!(hybrid_components, pg_finfo_hybrid_components, |f| crate::hybrid::hybrid_components(&Call::new(f)));
export!(hybrid_value_model, pg_finfo_hybrid_value_model, |f| {
    crate::hybrid::hybrid_value(&Call::new(f), ModelBy::Value)
});
export!(hybrid_value_name, pg_finfo_hybrid_value_name, |f| {
    crate::hybrid::hybrid_value(&Call::new(f), ModelBy::Name)
});
export!(hybrid_own_terms, pg_finfo_hybrid_own_terms, |f| crate::hybrid::hybrid_own_terms(&Call::new(f)));
export!(hybrid_terms, pg_finfo_hybrid_terms, |f| crate::hybrid::hybrid_terms(&Call::new(f)));
export!(hybrid_curve, pg_finfo_hybrid_curve, |f| crate::hybrid::hybrid_curve(&Call::new(f)));
