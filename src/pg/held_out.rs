//! The symbols of limits from rows held out.

use pgrx::prelude::*;

use crate::pg::call::Call;
use crate::pg::symbols::export;

export!(held_out_summary, pg_finfo_held_out_summary, |f| crate::held_out::summary(&Call::new(f)));
export!(held_out_limits, pg_finfo_held_out_limits, |f| crate::held_out::limits(&Call::new(f)));
export!(held_out_interval, pg_finfo_held_out_interval, |f| crate::held_out::interval(&Call::new(f)));
