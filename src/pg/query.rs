//! The text of a query, read by PostgreSQL's own grammar: where its statements begin and end, comments and strings included.

use std::ffi::CStr;
use std::panic::AssertUnwindSafe;

use pgrx::pg_sys::panic::CaughtError;
use pgrx::prelude::*;

use crate::pg::call::Call;
use crate::pg::symbols::export;

/// A statement of a text.
pub struct Statement {
    /// In bytes.
    pub begin: usize,
    /// Up to its semicolon, or to the end of the text.
    pub end: usize,
    /// SELECT, VALUES or TABLE, perhaps after WITH.
    pub is_query: bool,
}

/// The statements of a text, or what the grammar has against it.
pub fn statements(text: &CStr) -> Result<Vec<Statement>, String> {
    // The parser only allocates memory: nothing has to be undone when it gives up.
    PgTryBuilder::new(AssertUnwindSafe(|| Ok(parsed(text))))
        .catch_when(PgSqlErrorCode::ERRCODE_SYNTAX_ERROR, |caught| match &caught {
            CaughtError::PostgresError(report) | CaughtError::ErrorReport(report) => Err(report.message().to_owned()),
            _ => caught.rethrow(),
        })
        .execute()
}

fn parsed(text: &CStr) -> Vec<Statement> {
    let length = text.count_bytes();
    // SAFETY: the parser reads a C string and answers with a list of RawStmt nodes in the current memory context, or with
    // none at all.
    let nodes = unsafe {
        let list = pg_sys::raw_parser(text.as_ptr(), pg_sys::RawParseMode::RAW_PARSE_DEFAULT);
        match list.is_null() {
            true => &[][..],
            false => std::slice::from_raw_parts((*list).elements, usize::try_from((*list).length).unwrap_or(0)),
        }
    };
    let statement = |cell: &pg_sys::ListCell| {
        // SAFETY: as above; every statement has a node.
        let (raw, tag) = unsafe {
            let raw = &*cell.ptr_value.cast::<pg_sys::RawStmt>();
            (raw, (*raw.stmt).type_)
        };
        let begin = usize::try_from(raw.stmt_location).unwrap_or(0).min(length);
        let end = match usize::try_from(raw.stmt_len) {
            Ok(0) | Err(_) => length,
            Ok(own) => (begin + own).min(length),
        };
        Statement { begin, end, is_query: tag == pg_sys::NodeTag::T_SelectStmt }
    };
    nodes.iter().map(statement).collect()
}

export!(single_query, pg_finfo_single_query, |f| crate::query::single_query(&Call::new(f)));
