//! `ltv`: the PostgreSQL face. Each file takes Datums apart, calls the engine and puts the answer together; the SQL that
//! users see is written out in `sql/`.

mod ages;
mod amount;
mod boost;
mod calibration;
mod cash_flows;
mod contractual;
mod currency;
mod decimal;
mod discounting;
mod discrete;
mod estimates;
mod explain;
mod explain_hybrid;
mod explain_value;
mod fine_gray;
mod fit;
mod groups;
mod held_out;
mod hybrid;
mod incidence;
mod inference;
mod intervals;
mod parametric;
mod pg;
mod plot;
mod portfolio;
mod predict;
mod profile;
mod purchase_samples;
mod query;
mod ranking;
mod recalibration;
mod registry;
mod script;
mod segments;
mod survival;
mod survival_calibration;
mod terms;
mod terms_text;
mod text;
mod text_model;
mod thresholds;
mod timeline;
mod train;
mod transactional;
mod transactional_value;
mod types;
mod unit_economics;
mod value;

use pgrx::prelude::*;

pg_module_magic!();

#[pg_guard]
pub extern "C-unwind" fn _PG_init() {
    pg::settings::register();
    pg::relations::watch();
}

#[pg_extern(sql = false)]
fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
