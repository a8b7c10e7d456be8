//! The symbols of money on terms that are a value.

use pgrx::prelude::*;

use crate::pg::call::{Call, ModelBy};
use crate::pg::symbols::export;

export!(contract_terms_numeric, pg_finfo_contract_terms_numeric, |f| {
    crate::terms::contract_terms(&Call::new(f), true)
});
export!(contract_terms_float, pg_finfo_contract_terms_float, |f| crate::terms::contract_terms(&Call::new(f), false));
export!(with_changes, pg_finfo_with_changes, |f| crate::terms::with_changes(&Call::new(f)));

export!(lifetime_value_curve_terms, pg_finfo_lifetime_value_curve_terms, |f| {
    crate::value::lifetime_value_curve_terms(&Call::new(f))
});
export!(lifetime_value_model_terms, pg_finfo_lifetime_value_model_terms, |f| {
    crate::value::lifetime_value_model_terms(&Call::new(f), ModelBy::Value)
});
export!(lifetime_value_name_terms, pg_finfo_lifetime_value_name_terms, |f| {
    crate::value::lifetime_value_model_terms(&Call::new(f), ModelBy::Name)
});
export!(cash_flows_curve_terms, pg_finfo_cash_flows_curve_terms, |f| {
    crate::cash_flows::cash_flows_curve_terms(&Call::new(f))
});
export!(cash_flows_model_terms, pg_finfo_cash_flows_model_terms, |f| {
    crate::cash_flows::cash_flows_model_terms(&Call::new(f), ModelBy::Value)
});
export!(cash_flows_name_terms, pg_finfo_cash_flows_name_terms, |f| {
    crate::cash_flows::cash_flows_model_terms(&Call::new(f), ModelBy::Name)
});
export!(lifetime_values_curve, pg_finfo_lifetime_values_curve, |f| crate::value::lifetime_values_curve(&Call::new(f)));
export!(lifetime_values_model, pg_finfo_lifetime_values_model, |f| {
    crate::value::lifetime_values_model(&Call::new(f), ModelBy::Value)
});
export!(lifetime_values_name, pg_finfo_lifetime_values_name, |f| {
    crate::value::lifetime_values_model(&Call::new(f), ModelBy::Name)
});
export!(value_components_curve, pg_finfo_value_components_curve, |f| {
    crate::cash_flows::value_components_curve(&Call::new(f))
});
export!(value_components_model, pg_finfo_value_components_model, |f| {
    crate::cash_flows::value_components_model(&Call::new(f), ModelBy::Value)
});
export!(value_components_name, pg_finfo_value_components_name, |f| {
    crate::cash_flows::value_components_model(&Call::new(f), ModelBy::Name)
});

export!(present_value, pg_finfo_present_value, |f| crate::value::present_value(&Call::new(f)));
