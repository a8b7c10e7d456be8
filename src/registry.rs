//! Reading the registry, whose tables and rules are SQL (`sql/50_registry.sql`).

use pgrx::prelude::*;

use crate::pg::call::Call;
use crate::pg::error::report;

/// The stored bytes of the model called `name` (`name`, `name@alias` or `name@version`), as `ltv.model(name)` finds it.
pub fn model_bytes(name: &str) -> Vec<u8> {
    let found = Spi::connect(|client| {
        let table = client.select("SELECT ltv.model_send(ltv.model($1))", None, &[name.into()])?;
        table.first().get_one::<Vec<u8>>()
    });
    match found {
        Ok(Some(bytes)) => bytes,
        Ok(None) => report(PgSqlErrorCode::ERRCODE_NO_DATA_FOUND, format!("there is no model \"{name}\""), ""),
        Err(error) => report(PgSqlErrorCode::ERRCODE_INTERNAL_ERROR, error.to_string(), ""),
    }
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
