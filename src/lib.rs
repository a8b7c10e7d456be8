//! `ltv`: the PostgreSQL face. Each file takes Datums apart, calls the engine and puts the answer together; the SQL that
//! users see is written out in `sql/`.

mod calibration;
mod discrete;
mod estimates;
mod fine_gray;
mod fit;
mod groups;
mod incidence;
mod inference;
mod intervals;
mod parametric;
mod pg;
mod plot;
mod portfolio;
mod predict;
mod registry;
mod survival;
mod terms;
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
extension_sql_file!("../sql/22_estimates.sql", name = "estimates", requires = ["survival"]);
extension_sql_file!("../sql/22_groups.sql", name = "groups", requires = ["estimates"]);
extension_sql_file!("../sql/24_incidence.sql", name = "incidence", requires = ["groups"]);
extension_sql_file!("../sql/24_intervals.sql", name = "intervals", requires = ["incidence"]);
extension_sql_file!("../sql/30_models.sql", name = "models", requires = ["intervals"]);
extension_sql_file!("../sql/32_designs.sql", name = "designs", requires = ["models"]);
extension_sql_file!("../sql/33_parametric.sql", name = "parametric", requires = ["designs"]);
extension_sql_file!("../sql/34_cox.sql", name = "cox", requires = ["parametric"]);
extension_sql_file!("../sql/34_fine_gray.sql", name = "fine_gray", requires = ["cox"]);
extension_sql_file!("../sql/35_discrete.sql", name = "discrete", requires = ["fine_gray"]);
extension_sql_file!("../sql/36_cox_inference.sql", name = "cox_inference", requires = ["discrete"]);
extension_sql_file!("../sql/37_cure.sql", name = "cure", requires = ["cox_inference"]);
extension_sql_file!("../sql/40_value.sql", name = "value", requires = ["cure"]);
extension_sql_file!("../sql/41_terms.sql", name = "terms", requires = ["value"]);
extension_sql_file!("../sql/42_timeline.sql", name = "timeline", requires = ["terms"]);
extension_sql_file!("../sql/49_portfolio.sql", name = "portfolio", requires = ["timeline"]);
extension_sql_file!("../sql/49_scenarios.sql", name = "scenarios", requires = ["portfolio"]);
extension_sql_file!("../sql/50_registry.sql", name = "registry", requires = ["scenarios"]);
extension_sql_file!("../sql/60_calibration.sql", name = "calibration", requires = ["registry"]);
extension_sql_file!("../sql/70_train.sql", name = "train", requires = ["calibration"]);
extension_sql_file!("../sql/80_views.sql", name = "views", requires = ["train"]);
