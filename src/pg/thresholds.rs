//! The symbols of thresholds under censoring.

use pgrx::prelude::*;

use crate::pg::call::Call;
use crate::pg::symbols::export;
use crate::thresholds as answers;

export!(survival_precision_recall, pg_finfo_survival_precision_recall, |f| answers::precision_recall(&Call::new(f)));
export!(survival_best_threshold, pg_finfo_survival_best_threshold, |f| answers::best_threshold(&Call::new(f)));
