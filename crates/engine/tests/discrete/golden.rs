//! Every case of `tests/golden/discrete.R`.

use ltv_engine::hazard::design::Row;
use ltv_engine::hazard::discrete::{Options, Shape, fit, fit_decisions};
use ltv_engine::hazard::{Design, DiscreteFit, Status};
use serde_json::Value;

use crate::go_on;
use crate::golden_support::{Comparison, numbers, table};

const CASES: [&str; 26] = [
    "renewal_telco",
    "renewal_telco_cloglog",
    "renewal_iranian",
    "renewal_iranian_offset",
    "renewal_iranian_cloglog_offset",
    "renewal_lung_ridge",
    "renewal_lung_collinear",
    "telco_logit",
    "telco_quarters_cloglog",
    "telco_spline",
    "rossi_logit",
    "rossi_cloglog",
    "rossi_linear",
    "rossi_polynomial",
    "lung_months",
    "lung_log",
    "veteran_logit",
    "veteran_ridge",
    "unemployment_logit",
    "unemployment_cloglog_offset",
    "heart_entry",
    "heart_entry_spline",
    "gbsg2_quarters",
    "mgus2_years",
    "colon_polynomial",
    "km_channing_entry",
];

fn golden(name: &str) -> Value {
    let path = format!("{}/../../tests/golden/discrete/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap()
}

/// The rows of a case: those of the CSV file without a gap among the covariates.
fn design(case: &Value) -> Design {
    let mut design = Design::default();
    let text = |key: &str| case[key].as_str();
    for (i, row) in (1..).zip(table(text("csv").unwrap())) {
        let value = |column: &str| row[column].parse::<f64>().ok();
        let covariates = case["covariates"].as_array().unwrap().iter();
        let x: Option<Vec<f64>> = covariates
            .map(|covariate| {
                let column = covariate["column"].as_str().unwrap();
                match covariate["level"].as_str() {
                    Some(level) => Some(f64::from(u8::from(row[column] == level))),
                    None => value(column),
                }
            })
            .collect();
        let Some(x) = x else { continue };
        let flag = |key: &str| case[key].as_bool().unwrap_or(false);
        let one = Row {
            entry: text("entry").map_or(0.0, |column| value(column).unwrap()),
            exit: text("time").map_or(1.0, |column| value(column).unwrap()),
            event: row[text("event").unwrap()] == text("event_is").unwrap(),
            weight: if flag("weights") { 1.0 + f64::from(i % 3) / 2.0 } else { 1.0 },
            offset: if flag("offsets") { 0.1 * f64::from(i % 5) } else { 0.0 },
            x: &x,
            ..Row::default()
        };
        if one.entry < one.exit || one.entry == 0.0 {
            design.push_row(&one).unwrap();
        }
    }
    design
}

fn fitted(case: &Value, design: &Design) -> DiscreteFit {
    let degree = case["degree"].as_i64().unwrap_or(3) as i32;
    let options = Options {
        link: case["link"].as_str().unwrap().parse().unwrap(),
        shape: Shape::named(case["baseline"].as_str().unwrap_or("period"), degree).unwrap(),
        period: case["period"].as_f64().unwrap(),
        penalty: case["penalty"].as_f64().unwrap_or(0.0),
        robust: None,
    };
    let fit = if case["time"].is_null() { fit_decisions } else { fit };
    fit(design, &options, &mut go_on).unwrap()
}

#[test]
fn fits_agree_with_glm() {
    let mut comparison = Comparison::with_tolerance(1e-9);
    for name in CASES {
        let case = golden(name);
        let design = design(&case);
        let fit = fitted(&case, &design);
        assert_eq!(fit.status, Status::Converged, "{name}");
        assert_eq!(design.len() as u64, case["rows"].as_u64().unwrap(), "{name}");
        assert_eq!(fit.person_periods, case["person_periods"].as_u64().unwrap(), "{name}");
        assert_eq!(fit.periods() as u64, case["periods"].as_u64().unwrap(), "{name}");
        let mut check = |quantity: &str, ours: Option<f64>, reference: Option<f64>| {
            comparison.check(name, quantity, ours, reference);
        };
        let errors = numbers(&case["se"]);
        for (i, reference) in numbers(&case["coefficients"]).into_iter().enumerate() {
            check(&format!("coefficient[{i}]"), fit.coefficients[i], reference);
            check(&format!("standard error[{i}]"), fit.standard_error(i), errors[i]);
        }
        check("log-likelihood", Some(fit.log_likelihood), case["log_likelihood"].as_f64());
        check("log-likelihood null", Some(fit.log_likelihood_null), case["log_likelihood_null"].as_f64());
        check("wald", Some(fit.wald_test), case["wald"].as_f64());
        check("score", Some(fit.score_test), case["score"].as_f64());
        let terms = fit.baseline_terms();
        for (ours, theirs) in [("intercept", "intercept_se"), ("levels", "levels_se")] {
            if case[ours].is_null() {
                continue;
            }
            let errors = numbers(&case[theirs]);
            assert_eq!(errors.len(), terms.len(), "{name}");
            for (i, reference) in numbers(&case[ours]).into_iter().enumerate() {
                check(&format!("{ours}[{i}]"), terms[i].estimate, reference);
                check(&format!("{theirs}[{i}]"), terms[i].std_error, errors[i]);
            }
        }
        let x: Vec<f64> = numbers(&case["x"]).into_iter().flatten().collect();
        let curve = fit.curve(&x);
        let variances = numbers(&case["variance"]);
        let eta = fit.linear_predictor(&x);
        for (period, reference) in numbers(&case["cumulative_hazard"]).into_iter().enumerate() {
            let t = (period + 1) as f64 * fit.period;
            let at = curve.times.partition_point(|time| *time <= t);
            let hazard = if at == 0 { 0.0 } else { curve.cumulative_hazard[at - 1] };
            check(&format!("cumulative hazard[{period}]"), Some(hazard), reference);
            check(&format!("cumulative hazard at[{period}]"), Some(fit.cumulative_hazard(t, eta)), reference);
            let variance = if at == 0 {
                0.0
            } else {
                let loadings = &curve.loadings[(at - 1) * curve.rank..at * curve.rank];
                curve.variance[at - 1] + loadings.iter().map(|l| l * l).sum::<f64>()
            };
            check(&format!("variance[{period}]"), Some(variance), variances[period]);
        }
    }
    comparison.finish();
}
