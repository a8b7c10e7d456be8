//! How each data set becomes a regression: the R formulas of tests/golden as Rust.

use std::collections::HashMap;

use ltv_engine::hazard::Design;

use crate::golden_support::case;

type Row = HashMap<String, String>;
type Columns = Vec<Option<f64>>;

/// A Cox regression of a golden file.
pub struct Case {
    pub set: &'static str,
    /// Where the reference answer is: a block per kind of ties, or one Efron block.
    pub at: &'static str,
    /// The columns of time and event where they are not those of the golden file, and the value of an event.
    outcome: Option<[&'static str; 3]>,
    /// The covariates; `None` where the field is empty, which leaves the row out.
    covariates: fn(&Row) -> Columns,
    /// The covariates of the `prediction`, where there is one.
    pub profile: &'static [f64],
}

impl Case {
    pub fn design(&self) -> Design {
        let case = case(self.set);
        let mut design = Design::default();
        for (row, subject) in case.table.iter().zip(case.subjects()) {
            let Some(x) = (self.covariates)(row).into_iter().collect::<Option<Vec<f64>>>() else { continue };
            let (exit, event) = match self.outcome {
                Some([exit, event, value]) => (row[exit].parse().unwrap(), row[event] == value),
                None => (subject.time, subject.event),
            };
            design.push(Some(subject.start), exit, event, 1.0, &x).unwrap();
        }
        design
    }
}

fn number(row: &Row, column: &str) -> Option<f64> {
    let text = &row[column];
    (!text.is_empty()).then(|| text.parse().unwrap_or_else(|_| panic!("{text} in column {column} is not a number")))
}

/// 1 where the column holds `value`, else 0.
fn is(row: &Row, column: &str, value: &str) -> Option<f64> {
    let text = &row[column];
    (!text.is_empty()).then(|| f64::from(u8::from(text == value)))
}

fn columns(row: &Row, names: &[&str]) -> Columns {
    names.iter().map(|name| number(row, name)).collect()
}

/// One column per value after the reference.
fn dummies(row: &Row, column: &str, values: &[&str]) -> Columns {
    values.iter().map(|value| is(row, column, value)).collect()
}

fn colon(row: &Row) -> Columns {
    let arms = dummies(row, "rx", &["Lev", "Lev+5FU"]);
    [arms, columns(row, &["sex", "age", "obstruct", "nodes", "differ"])].concat()
}

fn larynx(row: &Row) -> Columns {
    [dummies(row, "stage", &["2", "3", "4"]), columns(row, &["age"])].concat()
}

fn veteran(row: &Row) -> Columns {
    let cells = dummies(row, "celltype", &["large", "smallcell", "squamous"]);
    [columns(row, &["trt"]), cells, columns(row, &["karno", "diagtime", "age", "prior"])].concat()
}

fn telco(row: &Row) -> Columns {
    let flags = [
        ("contract", "One year"),
        ("contract", "Two year"),
        ("internet_service", "Fiber optic"),
        ("internet_service", "No"),
        ("payment_method", "Electronic check"),
        ("paperless_billing", "Yes"),
        ("online_security", "Yes"),
        ("tech_support", "Yes"),
        ("partner", "Yes"),
        ("senior_citizen", "1"),
    ];
    flags.iter().map(|(column, value)| is(row, column, value)).collect()
}

fn ravenstack(row: &Row) -> Columns {
    let seats = number(row, "seats").map(f64::ln);
    let flags =
        [is(row, "is_trial", "True"), is(row, "billing_frequency", "annual"), is(row, "auto_renew_flag", "True")];
    [dummies(row, "plan_tier", &["Pro", "Enterprise"]), vec![seats], flags.to_vec()].concat()
}

fn gbsg2(row: &Row) -> Columns {
    let first = vec![is(row, "hor_th", "yes"), number(row, "age"), is(row, "menostat", "Pre"), number(row, "tsize")];
    [first, dummies(row, "tgrade", &["II", "III"]), columns(row, &["pnodes", "progrec", "estrec"])].concat()
}

fn mgus2(row: &Row) -> Columns {
    let first = vec![number(row, "age"), is(row, "sex", "M")];
    [first, columns(row, &["hgb", "creat", "mspike"])].concat()
}

fn mgus2_cause(row: &Row) -> Columns {
    vec![number(row, "age"), is(row, "sex", "M"), number(row, "mspike")]
}

fn unemployment(row: &Row) -> Columns {
    let first = vec![number(row, "age"), is(row, "ui", "yes")];
    [first, columns(row, &["reprate", "disrate", "logwage", "tenure"])].concat()
}

fn unemployment_cause(row: &Row) -> Columns {
    vec![is(row, "ui", "yes"), number(row, "logwage")]
}

fn regimes(row: &Row) -> Columns {
    let continents = dummies(row, "un_continent_name", &["Americas", "Asia", "Europe", "Oceania"]);
    [vec![is(row, "democracy", "Democracy")], continents].concat()
}

fn saas(row: &Row) -> Columns {
    let counts = [
        "csat_score",
        "articles_viewed",
        "smartphone_notifications_viewed",
        "marketing_emails_clicked",
        "social_media_ads_viewed",
        "minutes_customer_support",
    ];
    let products = [is(row, "product_accounting", "Active"), is(row, "product_payroll", "Active")];
    [columns(row, &counts), products.to_vec()].concat()
}

const fn plain(set: &'static str, covariates: fn(&Row) -> Columns) -> Case {
    Case { set, at: "/cox", outcome: None, covariates, profile: &[] }
}

const fn predicted(set: &'static str, covariates: fn(&Row) -> Columns, profile: &'static [f64]) -> Case {
    Case { profile, ..plain(set, covariates) }
}

const fn cause(
    set: &'static str,
    at: &'static str,
    outcome: [&'static str; 3],
    covariates: fn(&Row) -> Columns,
) -> Case {
    Case { at, outcome: Some(outcome), ..plain(set, covariates) }
}

const CAUSE_1: &str = "/competing_risks/cause_1/cause_specific_cox_efron";
const CAUSE_2: &str = "/competing_risks/cause_2/cause_specific_cox_efron";
const CAUSE_3: &str = "/competing_risks/cause_3/cause_specific_cox_efron";

pub const CASES: &[Case] = &[
    predicted("lung", |row| columns(row, &["age", "sex", "ph_ecog"]), &[60.0, 1.0, 1.0]),
    predicted("veteran", veteran, &[1.0, 0.0, 0.0, 1.0, 60.0, 7.0, 69.0, 0.0]),
    predicted("km_larynx", larynx, &[0.0, 1.0, 0.0, 60.0]),
    predicted(
        "rossi",
        |row| columns(row, &["fin", "age", "race", "wexp", "mar", "paro", "prio"]),
        &[0.0, 24.0, 1.0, 1.0, 0.0, 1.0, 3.0],
    ),
    plain("ovarian", |row| columns(row, &["age", "resid_ds", "rx", "ecog_ps"])),
    plain("heart", |row| columns(row, &["age", "year", "surgery", "transplant"])),
    plain("jasa", |row| columns(row, &["age", "surgery", "transplant"])),
    plain("telco_customer_churn", telco),
    plain("chicago_food_licences", |row| {
        columns(row, &["food", "tobacco", "package_goods", "tavern", "outdoor_patio"])
    }),
    plain("ravenstack_subscriptions", ravenstack),
    plain("gbsg2", gbsg2),
    plain("mgus2", mgus2),
    cause("mgus2", CAUSE_1, ["etime", "event_type", "1"], mgus2_cause),
    cause("mgus2", CAUSE_2, ["etime", "event_type", "2"], mgus2_cause),
    plain("colon_death", colon),
    plain("colon_recurrence", colon),
    plain("bladder2", |row| columns(row, &["rx", "number", "size"])),
    plain("kidney_transplant_lifelines", |row| columns(row, &["age", "black_male", "white_male", "black_female"])),
    plain("km_channing", |row| vec![is(row, "gender", "1")]),
    plain("aml", |row| vec![is(row, "x", "Nonmaintained")]),
    plain("gehan", |row| vec![is(row, "treat", "control")]),
    plain("waltons", |row| vec![is(row, "group", "miR-137")]),
    plain("stanford2", |row| vec![number(row, "age"), number(row, "age").map(|age| age * age)]),
    plain("dd_regimes", regimes),
    plain("iranian_churn", |row| {
        columns(row, &["call_failure", "complains", "charge_amount", "frequency_of_use", "status"])
    }),
    plain("pysurvival_saas_churn", saas),
    plain("unemp_dur_mccall", unemployment),
    cause("unemp_dur_mccall", CAUSE_1, ["spell", "censor1", "1"], unemployment_cause),
    cause("unemp_dur_mccall", CAUSE_2, ["spell", "censor2", "1"], unemployment_cause),
    cause("unemp_dur_mccall", CAUSE_3, ["spell", "censor3", "1"], unemployment_cause),
];

/// The design of the plain case of a set.
pub fn design(set: &str) -> Design {
    CASES.iter().find(|case| case.set == set && case.at == "/cox").unwrap().design()
}
