//! `ltv`: the PostgreSQL face. Each file takes Datums apart, calls one engine function and puts the answer together;
//! the SQL that users see is written out in `sql/`.
use pgrx::prelude::*;

pg_module_magic!();

#[pg_extern(sql = false)]
fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

extension_sql_file!("../sql/00_types.sql", name = "types", finalize);
