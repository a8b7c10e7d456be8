//! Calling a SQL function of our own.

use std::ffi::CStr;

use pgrx::pg_sys;
use pgrx::prelude::*;

/// The result of the function with this signature, fully qualified, for one text argument; it must not be NULL.
///
/// The function is strict, STABLE and written in PL/pgSQL, so that it reads with the snapshot of the calling statement.
pub fn call_with_text(signature: &CStr, argument: &str) -> pg_sys::Datum {
    // SAFETY: regprocedurein takes a C string and raises when there is no such function; OidFunctionCall1Coll raises when
    // the result is NULL; the argument is a fresh text datum.
    unsafe {
        let signature = Some(pg_sys::Datum::from(signature.as_ptr()));
        let function = pgrx::direct_function_call::<pg_sys::Oid>(pg_sys::regprocedurein, &[signature]);
        let argument = argument.into_datum().unwrap_or(pg_sys::Datum::from(0usize));
        pg_sys::OidFunctionCall1Coll(function.unwrap_or(pg_sys::InvalidOid), pg_sys::DEFAULT_COLLATION_OID, argument)
    }
}

/// Ends the statement unless this session may write now; `command` names it in the error (25006).
pub fn require_writable(command: &CStr) {
    // SAFETY: both take a C string and raise, or do nothing.
    unsafe {
        pg_sys::PreventCommandDuringRecovery(command.as_ptr());
        pg_sys::PreventCommandIfReadOnly(command.as_ptr());
    }
}
