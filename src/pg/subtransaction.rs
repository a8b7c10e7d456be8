//! Work that may fail without ending the statement.

use std::panic::AssertUnwindSafe;

use pgrx::pg_sys::panic::CaughtError;
use pgrx::prelude::*;

/// What the statement would have ended with.
pub struct Failure {
    pub message: String,
    pub hint: String,
}

/// Does `work` in a subtransaction, as PL/pgSQL does a block with an EXCEPTION clause. An error about the data (class 22
/// as our fits and the reading of dates raise it, or that there is no such model) undoes the work and comes back as its message; any other ends the statement.
pub fn attempt<R>(work: impl FnOnce() -> R) -> Result<R, Failure> {
    // SAFETY: the calls are those of plpgsql's exec_stmt_block in its order: the memory context and the resource owner
    // are put back, and the subtransaction is ended one way or the other before anything else happens.
    unsafe {
        let context = pg_sys::CurrentMemoryContext;
        let owner = pg_sys::CurrentResourceOwner;
        pg_sys::BeginInternalSubTransaction(std::ptr::null());
        pg_sys::MemoryContextSwitchTo(context);
        let result =
            PgTryBuilder::new(AssertUnwindSafe(|| Ok(work()))).catch_others(|caught| Err(Box::new(caught))).execute();
        match &result {
            Ok(_) => pg_sys::ReleaseCurrentSubTransaction(),
            Err(_) => pg_sys::RollbackAndReleaseCurrentSubTransaction(),
        }
        pg_sys::MemoryContextSwitchTo(context);
        pg_sys::CurrentResourceOwner = owner;
        result.map_err(|caught| match failure(&caught) {
            Some(failure) => failure,
            None => caught.rethrow(),
        })
    }
}

/// That of an error about the data.
fn failure(caught: &CaughtError) -> Option<Failure> {
    let (CaughtError::PostgresError(report) | CaughtError::ErrorReport(report)) = caught else { return None };
    let about_data = matches!(
        report.sql_error_code(),
        PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE
            | PgSqlErrorCode::ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE
            | PgSqlErrorCode::ERRCODE_INVALID_DATETIME_FORMAT
            | PgSqlErrorCode::ERRCODE_DATETIME_FIELD_OVERFLOW
            | PgSqlErrorCode::ERRCODE_INTERVAL_FIELD_OVERFLOW
            | PgSqlErrorCode::ERRCODE_NO_DATA_FOUND
    );
    about_data.then(|| Failure {
        message: report.message().to_owned(),
        hint: report.hint().map(str::to_owned).unwrap_or_default(),
    })
}
