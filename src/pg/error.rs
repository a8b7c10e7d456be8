//! Engine errors as PostgreSQL errors: SQLSTATE, message, HINT.

use ltv_engine::Error;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

/// What to do where `ltv.max_memory_mb` is too little.
pub const MORE_MEMORY: &str =
    "Raise ltv.max_memory_mb, round the times to fewer distinct ones, or aggregate fewer rows.";

/// Ends the statement with the error's SQLSTATE, text and hint.
pub fn raise(error: Error) -> ! {
    let message = error.to_string();
    match error {
        Error::Invalid { hint, .. } => report(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, message, hint),
        Error::Malformed(_) => report(
            PgSqlErrorCode::ERRCODE_INVALID_TEXT_REPRESENTATION,
            message,
            "Only values that ltv has printed or stored can be read back. To use a model by its name, give it a row too: lifetime_value('name', t, …).",
        ),
        Error::OutOfRange(_) => report(PgSqlErrorCode::ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, message, ""),
        Error::Memory { .. } => report(PgSqlErrorCode::ERRCODE_OUT_OF_MEMORY, message, MORE_MEMORY),
        Error::NoMemory(_) => report(
            PgSqlErrorCode::ERRCODE_OUT_OF_MEMORY,
            message,
            "Round the times to fewer distinct ones, aggregate fewer rows, or run fewer statements at a time.",
        ),
        Error::Canceled => report(PgSqlErrorCode::ERRCODE_QUERY_CANCELED, message, ""),
        _ => report(PgSqlErrorCode::ERRCODE_INTERNAL_ERROR, message, ""),
    }
}

/// Ends the statement with an error of the face itself.
pub fn report(code: PgSqlErrorCode, message: impl Into<String>, hint: impl Into<String>) -> ! {
    let (message, hint): (String, String) = (message.into(), hint.into());
    let report = ErrorReport::new(code, message, "ltv");
    let report = if hint.is_empty() { report } else { report.set_hint(hint) };
    report.report(PgLogLevel::ERROR);
    unreachable!("a report at level ERROR does not return")
}

/// The value, or the end of the statement.
pub fn settle<T>(result: Result<T, Error>) -> T {
    result.unwrap_or_else(|error| raise(error))
}
