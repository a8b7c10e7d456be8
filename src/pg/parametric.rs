//! The symbols of the parametric models.

use pgrx::prelude::*;

use crate::pg::aggregate::finish_fit;
use crate::pg::call::{Call, ModelBy};
use crate::pg::symbols::export;

/// Final function of the `fit_` aggregates of one distribution.
///
/// # Safety
/// As [`finish_fit`].
unsafe fn fit_plain(fcinfo: pg_sys::FunctionCallInfo, distribution: &str) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    unsafe { finish_fit(fcinfo, |design| crate::parametric::plain(design, distribution)) }
}

export!(fit_exponential_final, pg_finfo_fit_exponential_final, |f| fit_plain(f, "exponential"));
export!(fit_weibull_final, pg_finfo_fit_weibull_final, |f| fit_plain(f, "weibull"));
export!(fit_lognormal_final, pg_finfo_fit_lognormal_final, |f| fit_plain(f, "lognormal"));
export!(fit_loglogistic_final, pg_finfo_fit_loglogistic_final, |f| fit_plain(f, "loglogistic"));
export!(fit_generalized_gamma_final, pg_finfo_fit_generalized_gamma_final, |f| fit_plain(f, "generalized-gamma"));
export!(fit_gompertz_final, pg_finfo_fit_gompertz_final, |f| fit_plain(f, "gompertz"));
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
