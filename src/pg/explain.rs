//! The symbols of what a prediction is associated with.

use pgrx::prelude::*;

use crate::pg::call::{Call, ModelBy};
use crate::pg::symbols::export;

export!(explain_model, pg_finfo_explain_model, |f| crate::explain::explain(&Call::new(f), ModelBy::Value));
export!(explain_name, pg_finfo_explain_name, |f| crate::explain::explain(&Call::new(f), ModelBy::Name));
export!(model_horizon, pg_finfo_model_horizon, |f| crate::explain::model_horizon(&Call::new(f)));
export!(explain_amount_model, pg_finfo_explain_amount_model, |f| {
    crate::explain::explain_amount(&Call::new(f), ModelBy::Value)
});
export!(explain_amount_name, pg_finfo_explain_amount_name, |f| {
    crate::explain::explain_amount(&Call::new(f), ModelBy::Name)
});
export!(explain_value_model, pg_finfo_explain_value_model, |f| {
    crate::explain_value::explain_value(&Call::new(f), ModelBy::Value)
});
export!(explain_value_name, pg_finfo_explain_value_name, |f| {
    crate::explain_value::explain_value(&Call::new(f), ModelBy::Name)
});
export!(explain_value_model_terms, pg_finfo_explain_value_model_terms, |f| {
    crate::explain_value::explain_value_terms(&Call::new(f), ModelBy::Value)
});
export!(explain_value_name_terms, pg_finfo_explain_value_name_terms, |f| {
    crate::explain_value::explain_value_terms(&Call::new(f), ModelBy::Name)
});
export!(expected_events_model, pg_finfo_expected_events_model, |f| {
    crate::explain::expected_events(&Call::new(f), ModelBy::Value)
});
export!(expected_events_name, pg_finfo_expected_events_name, |f| {
    crate::explain::expected_events(&Call::new(f), ModelBy::Name)
});
