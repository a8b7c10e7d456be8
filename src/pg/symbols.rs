//! The symbols that `sql/` names: each is a few lines of glue from PostgreSQL's calling convention to a safe function.

use std::ffi::c_void;

use ltv_engine::assess::calibration::Calibration;
use ltv_engine::hazard::design::Design;
use ltv_engine::survival::Sample;
use pgrx::prelude::*;

use crate::pg::aggregate::{self, Boolean, Integer, Places};
use crate::pg::call::{Call, ModelBy};
use crate::pg::expanded::{self, State};

/// Exports a version-1 function: the symbol, its info record, and its body.
macro_rules! export {
    ($name:ident, $info:ident, |$fcinfo:ident| $body:expr) => {
        // SAFETY: the names are our own and stand in sql/ once.
        #[unsafe(no_mangle)]
        #[pg_guard]
        pub extern "C-unwind" fn $name(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
            #[inline(always)]
            fn body($fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
                // SAFETY: PostgreSQL calls the symbol with the arguments that its SQL declaration names; each body
                // relies on that and nothing else.
                unsafe { $body }
            }
            body(fcinfo)
        }

        // SAFETY: as above.
        #[unsafe(no_mangle)]
        pub extern "C" fn $info() -> *const pg_sys::Pg_finfo_record {
            const VERSION_1: pg_sys::Pg_finfo_record = pg_sys::Pg_finfo_record { api_version: 1 };
            &VERSION_1
        }
    };
}
pub(super) use export;

const fn places(entry: Option<usize>, duration: usize, covariates: Option<usize>, weight: Option<usize>) -> Places {
    Places { entry, duration, event: duration + 1, covariates, weight }
}

const DURATION: Places = places(None, 1, None, None);
const DURATION_WEIGHT: Places = places(None, 1, None, Some(3));
const ENTRY_DURATION: Places = places(Some(1), 2, None, None);
const ENTRY_DURATION_WEIGHT: Places = places(Some(1), 2, None, Some(4));

export!(survival_add_bool, pg_finfo_survival_add_bool, |f| aggregate::add_duration::<Boolean>(f, 3, DURATION));
export!(survival_add_int, pg_finfo_survival_add_int, |f| aggregate::add_duration::<Integer>(f, 3, DURATION));
export!(survival_add_weight_bool, pg_finfo_survival_add_weight_bool, |f| {
    aggregate::add_duration::<Boolean>(f, 4, DURATION_WEIGHT)
});
export!(survival_add_weight_int, pg_finfo_survival_add_weight_int, |f| {
    aggregate::add_duration::<Integer>(f, 4, DURATION_WEIGHT)
});
export!(survival_add_entry_bool, pg_finfo_survival_add_entry_bool, |f| {
    aggregate::add_duration::<Boolean>(f, 4, ENTRY_DURATION)
});
export!(survival_add_entry_weight_bool, pg_finfo_survival_add_entry_weight_bool, |f| {
    aggregate::add_duration::<Boolean>(f, 5, ENTRY_DURATION_WEIGHT)
});
export!(survival_add_entry_weight_int, pg_finfo_survival_add_entry_weight_int, |f| {
    aggregate::add_duration::<Integer>(f, 5, ENTRY_DURATION_WEIGHT)
});
export!(survival_combine, pg_finfo_survival_combine, |f| aggregate::combine::<Sample>(f));

const FIT: Places = places(None, 1, Some(3), None);
const FIT_WEIGHT: Places = places(None, 1, Some(3), Some(4));
const FIT_ENTRY: Places = places(Some(1), 2, Some(4), None);
const FIT_ENTRY_WEIGHT: Places = places(Some(1), 2, Some(4), Some(5));

export!(fit_add_bool, pg_finfo_fit_add_bool, |f| aggregate::add_regression_row::<Boolean>(f, 4, FIT));
export!(fit_add_int, pg_finfo_fit_add_int, |f| aggregate::add_regression_row::<Integer>(f, 4, FIT));
export!(fit_add_weight_bool, pg_finfo_fit_add_weight_bool, |f| {
    aggregate::add_regression_row::<Boolean>(f, 5, FIT_WEIGHT)
});
export!(fit_add_weight_int, pg_finfo_fit_add_weight_int, |f| aggregate::add_regression_row::<Integer>(
    f, 5, FIT_WEIGHT
));
export!(fit_add_entry_bool, pg_finfo_fit_add_entry_bool, |f| aggregate::add_regression_row::<Boolean>(f, 5, FIT_ENTRY));
export!(fit_add_entry_int, pg_finfo_fit_add_entry_int, |f| aggregate::add_regression_row::<Integer>(f, 5, FIT_ENTRY));
export!(fit_add_entry_weight_bool, pg_finfo_fit_add_entry_weight_bool, |f| {
    aggregate::add_regression_row::<Boolean>(f, 6, FIT_ENTRY_WEIGHT)
});
export!(fit_add_entry_weight_int, pg_finfo_fit_add_entry_weight_int, |f| {
    aggregate::add_regression_row::<Integer>(f, 6, FIT_ENTRY_WEIGHT)
});
export!(fit_combine, pg_finfo_fit_combine, |f| aggregate::combine::<Design>(f));

export!(survival_final, pg_finfo_survival_final, |f| aggregate::finish_state::<Sample>(f));
export!(fit_cox_final, pg_finfo_fit_cox_final, |f| aggregate::finish_fit(f, crate::fit::cox));

export!(calibration_add_bool, pg_finfo_calibration_add_bool, |f| aggregate::add_prediction::<Boolean>(f, 3));
export!(calibration_add_int, pg_finfo_calibration_add_int, |f| aggregate::add_prediction::<Integer>(f, 3));
export!(calibration_add_weight_bool, pg_finfo_calibration_add_weight_bool, |f| {
    aggregate::add_prediction::<Boolean>(f, 4)
});
export!(calibration_add_weight_int, pg_finfo_calibration_add_weight_int, |f| {
    aggregate::add_prediction::<Integer>(f, 4)
});
export!(calibration_combine, pg_finfo_calibration_combine, |f| aggregate::combine::<Calibration>(f));

export!(predict_model, pg_finfo_predict_model, |f| crate::predict::predict(&Call::new(f), ModelBy::Value));
export!(predict_name, pg_finfo_predict_name, |f| crate::predict::predict(&Call::new(f), ModelBy::Name));
export!(predict_curve_model, pg_finfo_predict_curve_model, |f| {
    crate::predict::predict_curve(&Call::new(f), ModelBy::Value)
});
export!(predict_curve_name, pg_finfo_predict_curve_name, |f| {
    crate::predict::predict_curve(&Call::new(f), ModelBy::Name)
});
export!(renewal_probability_model, pg_finfo_renewal_probability_model, |f| {
    crate::predict::renewal_probability(&Call::new(f), ModelBy::Value)
});
export!(renewal_probability_name, pg_finfo_renewal_probability_name, |f| {
    crate::predict::renewal_probability(&Call::new(f), ModelBy::Name)
});
export!(model_by_literal, pg_finfo_model_by_literal, |f| crate::registry::model_by_literal(&Call::new(f)));
export!(train, pg_finfo_train, |f| crate::train::train(&Call::new(f)));
export!(version_stands, pg_finfo_version_stands, |f| crate::registry::version_stands(&Call::new(f)));
export!(made_of, pg_finfo_made_of, |f| crate::registry::made_of(&Call::new(f)));
export!(holdout_condition, pg_finfo_holdout_condition, |f| crate::train::holdout::holdout_condition(&Call::new(f)));
export!(fit_statement, pg_finfo_fit_statement, |f| crate::train::fitting::fit_statement(&Call::new(f)));
export!(train_plan, pg_finfo_train_plan, |f| crate::train::plan::train_plan(&Call::new(f)));
export!(model_test, pg_finfo_model_test, |f| crate::predict::model_test(&Call::new(f)));
export!(coefficients, pg_finfo_coefficients, |f| crate::predict::coefficients(&Call::new(f)));

export!(survival_at, pg_finfo_survival_at, |f| crate::survival::survival_at(&Call::new(f)));
export!(cumulative_hazard_at, pg_finfo_cumulative_hazard_at, |f| {
    crate::survival::cumulative_hazard_at(&Call::new(f))
});
export!(quantile, pg_finfo_quantile, |f| crate::survival::quantile(&Call::new(f)));
export!(rmst, pg_finfo_rmst, |f| crate::survival::rmst(&Call::new(f)));
export!(renewal_probability_curve, pg_finfo_renewal_probability_curve, |f| {
    crate::survival::renewal_probability(&Call::new(f))
});
export!(curve, pg_finfo_curve, |f| crate::survival::curve(&Call::new(f)));
export!(survival_interval, pg_finfo_survival_interval, |f| crate::survival::survival_interval(&Call::new(f)));
export!(calibration_curve, pg_finfo_calibration_curve, |f| crate::calibration::calibration_curve(&Call::new(f)));

export!(lifetime_value_curve, pg_finfo_lifetime_value_curve, |f| crate::value::lifetime_value_curve(&Call::new(f)));
export!(lifetime_value_model, pg_finfo_lifetime_value_model, |f| {
    crate::value::lifetime_value_model(&Call::new(f), ModelBy::Value)
});
export!(lifetime_value_name, pg_finfo_lifetime_value_name, |f| {
    crate::value::lifetime_value_model(&Call::new(f), ModelBy::Name)
});
export!(cash_flows_curve, pg_finfo_cash_flows_curve, |f| crate::cash_flows::cash_flows_curve(&Call::new(f)));
export!(cash_flows_model, pg_finfo_cash_flows_model, |f| {
    crate::cash_flows::cash_flows_model(&Call::new(f), ModelBy::Value)
});
export!(cash_flows_name, pg_finfo_cash_flows_name, |f| crate::cash_flows::cash_flows_model(
    &Call::new(f),
    ModelBy::Name
));

#[pg_guard]
extern "C-unwind" fn sample_size(header: *mut pg_sys::ExpandedObjectHeader) -> pg_sys::Size {
    // SAFETY: reached through SAMPLE only.
    unsafe { expanded::flat_size::<Sample>(header) }
}

#[pg_guard]
extern "C-unwind" fn sample_flatten(header: *mut pg_sys::ExpandedObjectHeader, to: *mut c_void, size: pg_sys::Size) {
    // SAFETY: reached through SAMPLE only.
    unsafe { expanded::flatten_into::<Sample>(header, to, size) }
}

static SAMPLE: pg_sys::ExpandedObjectMethods =
    pg_sys::ExpandedObjectMethods { get_flat_size: Some(sample_size), flatten_into: Some(sample_flatten) };

impl State for Sample {
    const CONTEXT: &'static std::ffi::CStr = c"ltv.survival";

    fn methods() -> &'static pg_sys::ExpandedObjectMethods {
        &SAMPLE
    }

    fn flatten(&self) -> Vec<u8> {
        ltv_engine::survival::codec::encode_sample(self)
    }

    fn bytes(&self) -> usize {
        self.memory_bytes()
    }

    fn unflatten(bytes: &[u8]) -> ltv_engine::Result<Self> {
        crate::survival::sample_of(bytes)
    }
}

#[pg_guard]
extern "C-unwind" fn design_size(header: *mut pg_sys::ExpandedObjectHeader) -> pg_sys::Size {
    // SAFETY: reached through DESIGN only.
    unsafe { expanded::flat_size::<Design>(header) }
}

#[pg_guard]
extern "C-unwind" fn design_flatten(header: *mut pg_sys::ExpandedObjectHeader, to: *mut c_void, size: pg_sys::Size) {
    // SAFETY: reached through DESIGN only.
    unsafe { expanded::flatten_into::<Design>(header, to, size) }
}

static DESIGN: pg_sys::ExpandedObjectMethods =
    pg_sys::ExpandedObjectMethods { get_flat_size: Some(design_size), flatten_into: Some(design_flatten) };

impl State for Design {
    const CONTEXT: &'static std::ffi::CStr = c"ltv.design";

    fn methods() -> &'static pg_sys::ExpandedObjectMethods {
        &DESIGN
    }

    fn flatten(&self) -> Vec<u8> {
        self.encode()
    }

    fn bytes(&self) -> usize {
        self.memory_bytes()
    }

    fn unflatten(bytes: &[u8]) -> ltv_engine::Result<Self> {
        Design::decode(bytes)
    }
}

#[pg_guard]
extern "C-unwind" fn calibration_size(header: *mut pg_sys::ExpandedObjectHeader) -> pg_sys::Size {
    // SAFETY: reached through CALIBRATION only.
    unsafe { expanded::flat_size::<Calibration>(header) }
}

#[pg_guard]
extern "C-unwind" fn calibration_flatten(
    header: *mut pg_sys::ExpandedObjectHeader,
    to: *mut c_void,
    size: pg_sys::Size,
) {
    // SAFETY: reached through CALIBRATION only.
    unsafe { expanded::flatten_into::<Calibration>(header, to, size) }
}

static CALIBRATION: pg_sys::ExpandedObjectMethods =
    pg_sys::ExpandedObjectMethods { get_flat_size: Some(calibration_size), flatten_into: Some(calibration_flatten) };

impl State for Calibration {
    const CONTEXT: &'static std::ffi::CStr = c"ltv.calibration";

    fn methods() -> &'static pg_sys::ExpandedObjectMethods {
        &CALIBRATION
    }

    fn flatten(&self) -> Vec<u8> {
        self.encode()
    }

    fn bytes(&self) -> usize {
        self.memory_bytes()
    }

    fn unflatten(bytes: &[u8]) -> ltv_engine::Result<Self> {
        Calibration::decode(bytes)
    }
}
