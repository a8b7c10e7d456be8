//! `survival_calibration_agg`, and the symbols of what is read off its summaries.

use std::ffi::c_void;

use ltv_engine::Result;
use ltv_engine::assess::survival_calibration::SurvivalCalibration;
use pgrx::prelude::*;

use crate::pg::aggregate::{Boolean, Integer, Merge, Outcome, arguments, combine, float};
use crate::pg::call::Call;
use crate::pg::error::settle;
use crate::pg::expanded::{self, State};
use crate::pg::settings;
use crate::pg::symbols::export;

/// (predicted_survival, duration, event [, weight]): a row with a NULL is left out.
///
/// # Safety
/// Called by PostgreSQL as the transition function that is declared so, with `count` arguments, the state included.
#[inline(always)]
unsafe fn add<O: Outcome>(fcinfo: pg_sys::FunctionCallInfo, count: usize) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    let (args, object) = unsafe {
        let args = arguments(fcinfo, count);
        (args, expanded::state::<SurvivalCalibration>(fcinfo, &args[0]))
    };
    if args[1..].iter().any(|slot| slot.isnull) {
        object.state.skip();
        return object.datum();
    }
    let event = settle(O::read(args[3].value));
    let weight = args.get(4).map_or(1.0, float);
    settle(object.state.add(float(&args[1]), float(&args[2]), event, weight, settings::budget));
    object.datum()
}

impl Merge for SurvivalCalibration {
    fn take_in(&mut self, other: &Self) -> Result<()> {
        self.merge(other, settings::budget())
    }
}

#[pg_guard]
extern "C-unwind" fn survival_calibration_size(header: *mut pg_sys::ExpandedObjectHeader) -> pg_sys::Size {
    // SAFETY: reached through METHODS only.
    unsafe { expanded::flat_size::<SurvivalCalibration>(header) }
}

#[pg_guard]
extern "C-unwind" fn survival_calibration_flatten(
    header: *mut pg_sys::ExpandedObjectHeader,
    to: *mut c_void,
    size: pg_sys::Size,
) {
    // SAFETY: reached through METHODS only.
    unsafe { expanded::flatten_into::<SurvivalCalibration>(header, to, size) }
}

static METHODS: pg_sys::ExpandedObjectMethods = pg_sys::ExpandedObjectMethods {
    get_flat_size: Some(survival_calibration_size),
    flatten_into: Some(survival_calibration_flatten),
};

impl State for SurvivalCalibration {
    const CONTEXT: &'static std::ffi::CStr = c"ltv.survival_calibration";

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
        SurvivalCalibration::decode(bytes)
    }
}

export!(survival_calibration_add_bool, pg_finfo_survival_calibration_add_bool, |f| add::<Boolean>(f, 4));
export!(survival_calibration_add_int, pg_finfo_survival_calibration_add_int, |f| add::<Integer>(f, 4));
export!(survival_calibration_add_weight_bool, pg_finfo_survival_calibration_add_weight_bool, |f| add::<Boolean>(f, 5));
export!(survival_calibration_add_weight_int, pg_finfo_survival_calibration_add_weight_int, |f| add::<Integer>(f, 5));
export!(survival_calibration_combine, pg_finfo_survival_calibration_combine, |f| combine::<SurvivalCalibration>(f));

export!(survival_brier_score, pg_finfo_survival_brier_score, |f| crate::survival_calibration::brier_score(&Call::new(
    f
)));
export!(integrated_brier_score, pg_finfo_integrated_brier_score, |f| {
    crate::survival_calibration::integrated_brier_score(&Call::new(f))
});
export!(survival_concordance, pg_finfo_survival_concordance, |f| crate::survival_calibration::concordance(&Call::new(
    f
)));
export!(survival_auc, pg_finfo_survival_auc, |f| crate::survival_calibration::auc(&Call::new(f)));
export!(survival_calibration_curve, pg_finfo_survival_calibration_curve, |f| {
    crate::survival_calibration::calibration_curve(&Call::new(f))
});
export!(survival_expected_calibration_error, pg_finfo_survival_expected_calibration_error, |f| {
    crate::survival_calibration::expected_calibration_error(&Call::new(f))
});
export!(survival_calibration_index, pg_finfo_survival_calibration_index, |f| {
    crate::survival_calibration::integrated_calibration_index(&Call::new(f))
});
export!(binary_calibration_index, pg_finfo_binary_calibration_index, |f| {
    crate::survival_calibration::integrated_calibration_index_binary(&Call::new(f))
});
export!(d_calibration, pg_finfo_d_calibration, |f| crate::survival_calibration::d_calibration(&Call::new(f)));
export!(d_calibration_table, pg_finfo_d_calibration_table, |f| crate::survival_calibration::d_calibration_table(
    &Call::new(f)
));
export!(survival_calibration_skipped, pg_finfo_survival_calibration_skipped, |f| crate::survival_calibration::skipped(
    &Call::new(f)
));
