//! The symbols of the parametric models.

use ltv_engine::hazard::design::Design;
use pgrx::prelude::*;

use crate::pg::aggregate::arguments;
use crate::pg::call::{Call, ModelBy};
use crate::pg::symbols::export;
use crate::pg::{expanded, varlena};

/// Final function of the `fit_` aggregates of one distribution: the model of the rows; NULL when there are none.
///
/// # Safety
/// Called by PostgreSQL with a design as its only argument.
unsafe fn finish(fcinfo: pg_sys::FunctionCallInfo, distribution: &str) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    let state = unsafe { &arguments(fcinfo, 1)[0] };
    let model = if state.isnull {
        None
    } else {
        let fit = |design: &Design| crate::parametric::plain(design, distribution);
        // SAFETY: not NULL, and a design; fitting reads it only.
        unsafe { expanded::with_state::<Design, _>(state.value, fit) }
    };
    match model {
        Some(bytes) => varlena::to_datum(&bytes),
        None => {
            // SAFETY: `fcinfo` is ours to answer through.
            unsafe { (*fcinfo).isnull = true };
            pg_sys::Datum::from(0usize)
        }
    }
}

export!(fit_exponential_final, pg_finfo_fit_exponential_final, |f| finish(f, "exponential"));
export!(fit_weibull_final, pg_finfo_fit_weibull_final, |f| finish(f, "weibull"));
export!(fit_lognormal_final, pg_finfo_fit_lognormal_final, |f| finish(f, "lognormal"));
export!(fit_loglogistic_final, pg_finfo_fit_loglogistic_final, |f| finish(f, "loglogistic"));
export!(fit_generalized_gamma_final, pg_finfo_fit_generalized_gamma_final, |f| finish(f, "generalized-gamma"));
export!(fit_gompertz_final, pg_finfo_fit_gompertz_final, |f| finish(f, "gompertz"));
export!(fit_parametric, pg_finfo_fit_parametric, |f| crate::parametric::fit_parametric(&Call::new(f)));
export!(fit_best, pg_finfo_fit_best, |f| crate::parametric::fit_best(&Call::new(f)));
export!(fit_candidates, pg_finfo_fit_candidates, |f| crate::parametric::fit_candidates(&Call::new(f)));
export!(compare_distributions, pg_finfo_compare_distributions, |f| {
    crate::parametric::compare_distributions(&Call::new(f))
});
export!(model_fit, pg_finfo_model_fit, |f| crate::parametric::model_fit(&Call::new(f)));
export!(fit_cure, pg_finfo_fit_cure, |f| crate::parametric::fit_cure(&Call::new(f)));
export!(cured_share_model, pg_finfo_cured_share_model, |f| {
    crate::parametric::cured_share(&Call::new(f), ModelBy::Value)
});
export!(cured_share_name, pg_finfo_cured_share_name, |f| {
    crate::parametric::cured_share(&Call::new(f), ModelBy::Name)
});
