//! `ltv`: the PostgreSQL face. Each file takes Datums apart, calls the engine and puts the answer together; the SQL that
//! users see is written out in `sql/`.

mod ages;
mod calibration;
mod contractual;
mod currency;
mod decimal;
mod discounting;
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
mod ranking;
mod registry;
mod survival;
mod survival_calibration;
mod terms;
mod terms_text;
mod text;
mod timeline;
mod train;
mod transactional;
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
extension_sql_file!("../sql/38_contractual.sql", name = "contractual", requires = ["cure"]);
extension_sql_file!("../sql/39_transactional.sql", name = "transactional", requires = ["contractual"]);
extension_sql_file!("../sql/40_value.sql", name = "value", requires = ["transactional"]);
extension_sql_file!("../sql/41_terms.sql", name = "terms", requires = ["value"]);
extension_sql_file!("../sql/42_timeline.sql", name = "timeline", requires = ["terms"]);
extension_sql_file!("../sql/43_timeline_accounts.sql", name = "timeline_accounts", requires = ["timeline"]);
extension_sql_file!("../sql/43_timeline_asof.sql", name = "timeline_asof", requires = ["timeline_accounts"]);
extension_sql_file!("../sql/43_timeline_checks.sql", name = "timeline_checks", requires = ["timeline_asof"]);
extension_sql_file!("../sql/43_timeline_entities.sql", name = "timeline_entities", requires = ["timeline_checks"]);
extension_sql_file!("../sql/43_timeline_features.sql", name = "timeline_features", requires = ["timeline_entities"]);
extension_sql_file!("../sql/43_timeline_labels.sql", name = "timeline_labels", requires = ["timeline_features"]);
extension_sql_file!("../sql/43_timeline_lifetimes.sql", name = "timeline_lifetimes", requires = ["timeline_labels"]);
extension_sql_file!("../sql/43_timeline_renewals.sql", name = "timeline_renewals", requires = ["timeline_lifetimes"]);
extension_sql_file!("../sql/44_discounting.sql", name = "discounting", requires = ["timeline_renewals"]);
extension_sql_file!("../sql/45_currency.sql", name = "currency", requires = ["discounting"]);
extension_sql_file!("../sql/46_unit_economics.sql", name = "unit_economics", requires = ["currency"]);
extension_sql_file!("../sql/47_mapping_hubspot.sql", name = "mapping_hubspot", requires = ["unit_economics"]);
extension_sql_file!("../sql/47_mapping_salesforce.sql", name = "mapping_salesforce", requires = ["mapping_hubspot"]);
extension_sql_file!("../sql/47_mapping_stripe.sql", name = "mapping_stripe", requires = ["mapping_salesforce"]);
extension_sql_file!("../sql/47_mapping_versions.sql", name = "mapping_versions", requires = ["mapping_stripe"]);
extension_sql_file!("../sql/47_mapping_zuora.sql", name = "mapping_zuora", requires = ["mapping_versions"]);
extension_sql_file!("../sql/47_trends.sql", name = "trends", requires = ["mapping_zuora"]);
extension_sql_file!("../sql/48_historical_value.sql", name = "historical_value", requires = ["trends"]);
extension_sql_file!("../sql/48_mapping.sql", name = "mapping", requires = ["historical_value"]);
extension_sql_file!("../sql/48_movements.sql", name = "movements", requires = ["mapping"]);
extension_sql_file!("../sql/48_renewal_rate.sql", name = "renewal_rate", requires = ["movements"]);
extension_sql_file!("../sql/48_retention.sql", name = "retention", requires = ["renewal_rate"]);
extension_sql_file!("../sql/49_payments.sql", name = "payments", requires = ["retention"]);
extension_sql_file!("../sql/49_portfolio.sql", name = "portfolio", requires = ["payments"]);
extension_sql_file!("../sql/49_scenarios.sql", name = "scenarios", requires = ["portfolio"]);
extension_sql_file!("../sql/50_registry.sql", name = "registry", requires = ["scenarios"]);
extension_sql_file!("../sql/51_rights.sql", name = "rights", requires = ["registry"]);
extension_sql_file!("../sql/52_versions.sql", name = "versions", requires = ["rights"]);
extension_sql_file!("../sql/53_lifecycle.sql", name = "lifecycle", requires = ["versions"]);
extension_sql_file!("../sql/54_documents.sql", name = "documents", requires = ["lifecycle"]);
extension_sql_file!("../sql/60_calibration.sql", name = "calibration", requires = ["documents"]);
extension_sql_file!("../sql/61_ranking.sql", name = "ranking", requires = ["calibration"]);
extension_sql_file!("../sql/62_survival_calibration.sql", name = "survival_calibration", requires = ["ranking"]);
extension_sql_file!("../sql/70_train.sql", name = "train", requires = ["survival_calibration"]);
extension_sql_file!("../sql/72_demo.sql", name = "demo", requires = ["train"]);
extension_sql_file!("../sql/73_demo_load.sql", name = "demo_load", requires = ["demo"]);
extension_sql_file!("../sql/75_evaluate.sql", name = "evaluate", requires = ["demo_load"]);
extension_sql_file!("../sql/80_views.sql", name = "views", requires = ["evaluate"]);
