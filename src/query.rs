//! Queries that come as texts: what is to stand in parentheses within another one.

use std::ffi::CString;

use ltv_engine::Error;
use pgrx::pg_sys;

use crate::pg::call::Call;
use crate::pg::error::raise;
use crate::pg::query::statements;

/// `single_query(query)`: the one SELECT of a text, without what ends it; NULL for a NULL.
pub fn single_query(call: &Call) -> pg_sys::Datum {
    let Some(text) = call.text(0) else { return call.null() };
    let Ok(terminated) = CString::new(text) else { return call.null() };
    let hint = "One SELECT, with or without a semicolon at its end.";
    let found = match statements(&terminated) {
        Ok(found) => found,
        Err(why) => raise(Error::invalid(format!("the text of a query cannot be read: {why}"), hint)),
    };
    let [only] = &found[..] else {
        let count = if found.is_empty() { "no statement".to_owned() } else { format!("{} statements", found.len()) };
        raise(Error::invalid(format!("the text of a query has {count}, not one"), hint))
    };
    if !only.is_query {
        raise(Error::invalid("the text of a query is no SELECT", hint))
    }
    let query = text[only.begin..only.end].trim();
    // A comment may run to the end of its line, and what follows must not be in it.
    let line_end = if query.contains("--") { "\n" } else { "" };
    call.answer_bytes(format!("{query}{line_end}").as_bytes())
}
