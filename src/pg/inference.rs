//! The symbols of `sql/36_cox_inference.sql`.

use pgrx::prelude::*;

use crate::pg::call::Call;
use crate::pg::symbols::export;

export!(cox_residuals, pg_finfo_cox_residuals, |f| crate::inference::cox_residuals(&Call::new(f)));
export!(proportional_hazards_test, pg_finfo_proportional_hazards_test, |f| {
    crate::inference::proportional_hazards_test(&Call::new(f))
});
export!(model_concordance, pg_finfo_model_concordance, |f| crate::inference::concordance(&Call::new(f)));
