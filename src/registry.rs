//! Reading the registry, whose tables and rules are SQL (`sql/50_registry.sql`).

use pgrx::prelude::*;

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
