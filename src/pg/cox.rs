//! The symbols of Cox models fitted from designs.

use pgrx::prelude::*;

use crate::pg::call::Call;
use crate::pg::symbols::export;

export!(fit_cox_design, pg_finfo_fit_cox_design, |f| crate::fit::fit_cox(&Call::new(f)));
export!(cox_baseline, pg_finfo_cox_baseline, |f| crate::fit::baseline(&Call::new(f)));
export!(fit_baseline, pg_finfo_fit_baseline, |f| crate::fit::fit_baseline(&Call::new(f)));
