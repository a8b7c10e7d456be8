//! The symbols of `sql/22_estimates.sql`.

use ltv_engine::survival::comparison::Time;
use pgrx::prelude::*;

use crate::estimates;
use crate::pg::call::Call;
use crate::pg::symbols::export;

export!(quantile_interval, pg_finfo_quantile_interval, |f| estimates::quantile_interval(&Call::new(f)));
export!(rmst_interval, pg_finfo_rmst_interval, |f| estimates::rmst_interval(&Call::new(f)));
export!(rmst_difference, pg_finfo_rmst_difference, |f| estimates::rmst_difference(&Call::new(f)));
export!(rmst_ratio, pg_finfo_rmst_ratio, |f| estimates::rmst_ratio(&Call::new(f), Time::Kept));
export!(rmtl_ratio, pg_finfo_rmtl_ratio, |f| estimates::rmst_ratio(&Call::new(f), Time::Lost));
export!(survival_difference, pg_finfo_survival_difference, |f| estimates::survival_difference(&Call::new(f)));
export!(smooth_hazard, pg_finfo_smooth_hazard, |f| estimates::smooth_hazard(&Call::new(f)));
export!(hazard_at, pg_finfo_hazard_at, |f| estimates::hazard_at(&Call::new(f)));
