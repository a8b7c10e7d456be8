//! `ltv`: the PostgreSQL face. Each file takes Datums apart, calls the engine and puts the answer together; the SQL that
//! users see is written out in `sql/`.

mod calibration;
mod fit;
mod parametric;
mod pg;
mod plot;
mod predict;
mod registry;
mod survival;
mod text;
mod train;
mod types;
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

extension_sql_file!("../sql/00_guard.sql", name = "guard", bootstrap);
extension_sql_file!("../sql/10_types.sql", name = "types", requires = ["guard"]);
extension_sql_file!("../sql/20_survival.sql", name = "survival", requires = ["types"]);
extension_sql_file!("../sql/30_models.sql", name = "models", requires = ["survival"]);
extension_sql_file!("../sql/32_designs.sql", name = "designs", requires = ["models"]);
extension_sql_file!("../sql/33_parametric.sql", name = "parametric", requires = ["designs"]);
extension_sql_file!("../sql/40_value.sql", name = "value", requires = ["parametric"]);
extension_sql_file!("../sql/50_registry.sql", name = "registry", requires = ["value"]);
extension_sql_file!("../sql/60_calibration.sql", name = "calibration", requires = ["registry"]);
extension_sql_file!("../sql/70_train.sql", name = "train", requires = ["calibration"]);
extension_sql_file!("../sql/80_views.sql", name = "views", requires = ["train"]);
