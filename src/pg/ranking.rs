//! `ranking_agg`, and the symbols of what is read off its summaries.

use std::ffi::c_void;

use ltv_engine::Result;
use ltv_engine::assess::ranking::Ranking;
use pgrx::prelude::*;

use crate::pg::aggregate::{Boolean, Integer, Merge, Outcome, arguments, combine, float};
use crate::pg::call::Call;
use crate::pg::error::settle;
use crate::pg::expanded::{self, State};
use crate::pg::settings;
use crate::pg::symbols::export;

/// (score, outcome [, weight [, value]]): a row with a NULL is left out.
///
/// # Safety
/// Called by PostgreSQL as the transition function that is declared so, with `count` arguments, the state included.
#[inline(always)]
unsafe fn add<O: Outcome>(fcinfo: pg_sys::FunctionCallInfo, count: usize) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    let (args, object) = unsafe {
        let args = arguments(fcinfo, count);
        (args, expanded::state::<Ranking>(fcinfo, &args[0]))
    };
    if args[1..].iter().any(|slot| slot.isnull) {
        object.state.skip();
        return object.datum();
    }
    let (score, outcome) = (float(&args[1]), settle(O::read(args[2].value)));
    settle(match args.get(3) {
        None => object.state.add(score, outcome, settings::budget),
        Some(weight) => {
            let value = args.get(4).map_or(0.0, float);
            object.state.add_row(score, outcome, float(weight), value, settings::budget())
        }
    });
    object.datum()
}

impl Merge for Ranking {
    fn take_in(&mut self, other: &Self) -> Result<()> {
        self.merge(other, settings::budget())
    }
}

#[pg_guard]
extern "C-unwind" fn ranking_size(header: *mut pg_sys::ExpandedObjectHeader) -> pg_sys::Size {
    // SAFETY: reached through METHODS only.
    unsafe { expanded::flat_size::<Ranking>(header) }
}

#[pg_guard]
extern "C-unwind" fn ranking_flatten(header: *mut pg_sys::ExpandedObjectHeader, to: *mut c_void, size: pg_sys::Size) {
    // SAFETY: reached through METHODS only.
    unsafe { expanded::flatten_into::<Ranking>(header, to, size) }
}

static METHODS: pg_sys::ExpandedObjectMethods =
    pg_sys::ExpandedObjectMethods { get_flat_size: Some(ranking_size), flatten_into: Some(ranking_flatten) };

impl State for Ranking {
    const CONTEXT: &'static std::ffi::CStr = c"ltv.ranking";

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
        Ranking::decode(bytes)
    }
}

export!(ranking_add_bool, pg_finfo_ranking_add_bool, |f| add::<Boolean>(f, 3));
export!(ranking_add_int, pg_finfo_ranking_add_int, |f| add::<Integer>(f, 3));
export!(ranking_add_weight_bool, pg_finfo_ranking_add_weight_bool, |f| add::<Boolean>(f, 4));
export!(ranking_add_weight_int, pg_finfo_ranking_add_weight_int, |f| add::<Integer>(f, 4));
export!(ranking_add_value_bool, pg_finfo_ranking_add_value_bool, |f| add::<Boolean>(f, 5));
export!(ranking_add_value_int, pg_finfo_ranking_add_value_int, |f| add::<Integer>(f, 5));
export!(ranking_combine, pg_finfo_ranking_combine, |f| combine::<Ranking>(f));

export!(ranking_auc, pg_finfo_ranking_auc, |f| crate::ranking::auc(&Call::new(f)));
export!(ranking_gini, pg_finfo_ranking_gini, |f| crate::ranking::gini(&Call::new(f)));
export!(auc_interval, pg_finfo_auc_interval, |f| crate::ranking::auc_interval(&Call::new(f)));
export!(average_precision, pg_finfo_average_precision, |f| crate::ranking::average_precision(&Call::new(f)));
export!(lift_table, pg_finfo_lift_table, |f| crate::ranking::lift_table(&Call::new(f)));
export!(precision_recall, pg_finfo_precision_recall, |f| crate::ranking::precision_recall(&Call::new(f)));
export!(best_threshold, pg_finfo_best_threshold, |f| crate::ranking::best_threshold(&Call::new(f)));
export!(ranking_skipped, pg_finfo_ranking_skipped, |f| crate::ranking::skipped(&Call::new(f)));
export!(hosmer_lemeshow, pg_finfo_hosmer_lemeshow, |f| crate::ranking::hosmer_lemeshow(&Call::new(f)));
export!(spiegelhalter, pg_finfo_spiegelhalter, |f| crate::ranking::spiegelhalter(&Call::new(f)));
export!(isotonic, pg_finfo_isotonic, |f| crate::ranking::isotonic(&Call::new(f)));
