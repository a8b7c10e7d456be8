//! The symbols of `sql/46_unit_economics.sql`.

use pgrx::prelude::*;

use crate::pg::call::Call;
use crate::pg::symbols::export;
use crate::unit_economics;

export!(simple_ltv, pg_finfo_simple_ltv, |f| unit_economics::simple_ltv(&Call::new(f)));
export!(cac_payback, pg_finfo_cac_payback, |f| unit_economics::cac_payback(&Call::new(f)));
export!(ltv_to_cac, pg_finfo_ltv_to_cac, |f| unit_economics::ltv_to_cac(&Call::new(f)));
export!(value_at_risk, pg_finfo_value_at_risk, |f| unit_economics::value_at_risk(&Call::new(f)));
export!(max_spend, pg_finfo_max_spend, |f| unit_economics::max_spend(&Call::new(f)));
