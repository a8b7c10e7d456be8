//! The symbols of what is seen through a recalibration.

use pgrx::prelude::*;

use crate::pg::call::Call;
use crate::pg::symbols::export;
use crate::recalibration as answers;

export!(recalibrated_calibration, pg_finfo_recalibrated_calibration, |f| answers::of_calibration(&Call::new(f)));
export!(recalibrated_survival_calibration, pg_finfo_recalibrated_survival_calibration, |f| {
    answers::of_survival_calibration(&Call::new(f))
});
export!(recalibrated_model, pg_finfo_recalibrated_model, |f| answers::of_model(&Call::new(f)));
export!(recalibrated_probability, pg_finfo_recalibrated_probability, |f| answers::of_probability(&Call::new(f)));
