//! Reading the registry, whose tables and rules are SQL (`sql/50_registry.sql`).

use pgrx::prelude::*;

use crate::pg::call::Call;
use crate::pg::function;
use crate::pg::varlena;

/// The stored bytes of the model called `name` (`name`, `name@alias` or `name@version`), as `ltv.model(name)` finds it
/// – or ends the statement when it finds none.
///
/// The function is called directly, not through a query of ours: it reads without a command of its own, so this works
/// in parallel workers of a transaction that has written, and on a standby.
pub fn model_bytes(name: &str) -> Vec<u8> {
    varlena::copied(function::call_with_text(c"ltv.model(pg_catalog.text)", name))
}

/// For how long ahead the version called `name` answers when it is asked for nothing else, as `ltv.model_horizon(name)` tells
/// it; of a model that has a horizon.
pub fn model_horizon(name: &str) -> f64 {
    let found = function::call_with_text(c"ltv.model_horizon(pg_catalog.text)", name);
    // SAFETY: the function is declared to return double precision, and its result was not NULL.
    unsafe { f64::from_datum(found, false) }.unwrap_or_default()
}

/// `ltv.model('churn')` with a plain literal, which PostgreSQL passes untyped.
///
/// Without this overload the parser would take the call for a cast to the type of the same name.
pub fn model_by_literal(call: &Call) -> pg_sys::Datum {
    match call.literal(0) {
        Some(name) => call.answer_bytes(&model_bytes(&name)),
        None => call.null(),
    }
}
