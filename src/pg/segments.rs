//! The symbols of segmented models.

use pgrx::prelude::*;

use crate::pg::call::{Call, ModelBy};
use crate::pg::symbols::export;

export!(model_segments, pg_finfo_model_segments, |f| crate::segments::model_segments(&Call::new(f)));
export!(segment_coefficients, pg_finfo_segment_coefficients, |f| crate::segments::coefficients(&Call::new(f)));
export!(segment_model, pg_finfo_segment_model, |f| crate::segments::segment_model(&Call::new(f)));
export!(segment_of_model, pg_finfo_segment_of_model, |f| crate::segments::segment_of(&Call::new(f), ModelBy::Value));
export!(segment_of_name, pg_finfo_segment_of_name, |f| crate::segments::segment_of(&Call::new(f), ModelBy::Name));
