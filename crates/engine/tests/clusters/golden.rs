//! Every case of `tests/golden/clusters.py`.

use std::collections::HashMap;

use ltv_engine::amount::{Family, Options, fit_with};
use ltv_engine::hazard::design::Row;
use ltv_engine::hazard::discrete::{self, Shape};
use ltv_engine::hazard::{Design, DiscreteFit, Link, parametric};
use ltv_engine::model::coefficients::Coefficient;
use ltv_engine::model::{Fit, Model};
use ltv_engine::survival::distribution::Distribution;
use serde_json::Value;

use crate::go_on;
use crate::golden_support::{Comparison, table};

type Record = HashMap<String, String>;

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap_or_default()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn flag(is: bool) -> f64 {
    f64::from(u8::from(is))
}

fn covariate(row: &Record, column: &str) -> f64 {
    match column {
        "annual" => flag(row["billing_frequency"] == "annual"),
        "enterprise" => flag(row["plan_tier"] == "Enterprise"),
        "female" => flag(row["sex"] == "f"),
        other => row[other].parse().unwrap(),
    }
}

/// The rows of a case, in the order of the file.
fn design(case: &Value) -> Design {
    let mut design = Design::default();
    for (i, row) in table(text(case, "csv")).iter().enumerate() {
        let columns = case["columns"].as_array().unwrap();
        let x: Vec<f64> = columns.iter().map(|column| covariate(row, column.as_str().unwrap())).collect();
        let weighted = case["weighted"] == true;
        let weight = if weighted { 1.0 + (i % 3) as f64 } else { 1.0 };
        let offset = if weighted && text(case, "kind") != "parametric" { 0.1 * (i % 5) as f64 } else { 0.0 };
        let cluster = match text(case, "cluster") {
            "" => None,
            column => Some(row[column].as_str()),
        };
        let one = |exit: f64, event: bool| Row {
            exit,
            event,
            weight,
            offset,
            cluster: Some(cluster),
            x: &x,
            ..Row::default()
        };
        let number = |column: &str| row[column].parse::<f64>().unwrap();
        match text(case, "kind") {
            "renewal" => design.push_row(&one(1.0, row["churn_flag"] != "True")).unwrap(),
            "discrete_time" => design.push_row(&one(number("futime"), row["status"] == "1")).unwrap(),
            "parametric" => design.push_row(&one(number(text(case, "time")), row["status"] == "1")).unwrap(),
            _ => {
                let nothing = text(case, "family") == "tweedie" && i % 3 == 0;
                let amount = if nothing { 0.0 } else { number("bili") };
                design.push_clustered_amount(amount, weight, offset, Some(cluster), &x).unwrap();
            }
        }
    }
    design
}

fn options(case: &Value) -> discrete::Options {
    let link = if text(case, "link") == "logit" { Link::Logit } else { Link::Cloglog };
    let shape = if text(case, "baseline") == "linear" { Shape::Linear } else { Shape::Period };
    let period = case["period"].as_f64().unwrap_or(1.0);
    // Where no row has a cluster it must be asked for: White's errors.
    discrete::Options {
        link,
        shape,
        period,
        robust: text(case, "cluster").is_empty().then_some(true),
        ..Default::default()
    }
}

fn fitted(case: &Value, design: &Design) -> Model {
    let model = |fit: Fit| Model::unnamed(fit, 0);
    match text(case, "kind") {
        "renewal" => model(Fit::renewal(discrete::fit_decisions(design, &options(case), &mut go_on).unwrap())),
        "discrete_time" => model(Fit::discrete_time(discrete::fit(design, &options(case), &mut go_on).unwrap())),
        "parametric" => model(parametric::fit(design, &Distribution::Weibull, &[], &mut go_on).unwrap().into()),
        _ => {
            let family = match text(case, "family") {
                "linear" => Family::Linear,
                "gamma" => Family::Gamma,
                _ => Family::Tweedie { power: 1.5 },
            };
            model(fit_with(design, &Options { family, penalty: 0.0 }, None, &mut go_on).unwrap().into())
        }
    }
}

/// direction' matrix direction.
fn quadratic(case: &Value, direction: &[f64]) -> f64 {
    let rows: Vec<Vec<f64>> = case["covariance"].as_array().unwrap().iter().map(numbers).collect();
    let row = |row: &Vec<f64>| row.iter().zip(direction).map(|(a, b)| a * b).sum::<f64>();
    rows.iter().zip(direction).map(|(matrix, at)| row(matrix) * at).sum()
}

/// The standard error of −ln S after each step of a curve, and that of the case's covariance.
fn of_curve(case: &Value, fit: &DiscreteFit, x: &[f64], see: &mut impl FnMut(usize, f64, f64)) {
    let curve = fit.curve(x);
    let eta = fit.linear_predictor(x);
    let known: Vec<f64> = fit.baseline.levels.iter().flatten().copied().collect();
    let q = if text(case, "baseline") == "linear" { 2 } else { known.len() };
    let mut gradient = vec![0.0; q + x.len()];
    for (at, level) in known.iter().enumerate() {
        let slope = fit.link.hazard(level + eta).1;
        if q == known.len() {
            gradient[at] += slope;
        } else {
            gradient[0] += slope;
            gradient[1] += slope * (at + 1) as f64;
        }
        (0..x.len()).for_each(|i| gradient[q + i] += slope * x[i]);
        see(at, curve.std_error(at).unwrap(), quadratic(case, &gradient).sqrt());
    }
}

#[test]
fn errors_by_clusters_are_those_of_statsmodels() {
    let path = format!("{}/../../tests/golden/clusters/statsmodels.json", env!("CARGO_MANIFEST_DIR"));
    let cases: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(cases.len(), 20);
    let mut comparison = Comparison::with_tolerance(1e-8);
    for (i, case) in cases.iter().enumerate() {
        let model = fitted(case, &design(case));
        let name = format!("{i} {} {} {}", text(case, "kind"), text(case, "link"), text(case, "family"));
        assert_eq!(model.cluster_count().unwrap() as u64, case["clusters"].as_u64().unwrap(), "{name}");
        // Of a smooth baseline, of a period without events: neither has an estimate.
        let told: Vec<Coefficient> =
            model.coefficients(0.95).unwrap().unwrap().into_iter().filter(|row| row.estimate.is_some()).collect();
        let expected = ["estimate", "std_error", "robust_std_error"].map(|key| numbers(&case[key]));
        // R and statsmodels tell the levels first; ours of a parametric model the scale last as well.
        assert_eq!(told.len(), expected[0].len(), "{name}");
        for (at, row) in told.iter().enumerate() {
            comparison.check(&name, &format!("estimate[{}]", row.term), row.estimate, Some(expected[0][at]));
            comparison.check(&name, &format!("std_error[{}]", row.term), row.std_error, Some(expected[1][at]));
            comparison.check(&name, &format!("robust[{}]", row.term), row.robust_std_error, Some(expected[2][at]));
            let z = expected[0][at] / expected[2][at];
            comparison.check(&name, &format!("z[{}]", row.term), row.z, Some(z));
        }
        let x: Vec<f64> = (0..case["columns"].as_array().unwrap().len()).map(|i| 1.0 + 0.5 * i as f64).collect();
        let with_one: Vec<f64> = std::iter::once(1.0).chain(x.iter().copied()).collect();
        let mut see = |at: usize, ours: f64, reference: f64| {
            comparison.check(&name, &format!("of a row[{at}]"), ours, Some(reference));
        };
        match &model.fit {
            Fit::Renewal(fit) => {
                let eta = fit.baseline.levels[0].unwrap() + fit.linear_predictor(&x);
                let slope = fit.link.failure_hazard(eta).1.abs();
                let curve = fit.renewal_curve(&x);
                see(0, curve.std_error(0).unwrap(), slope * quadratic(case, &with_one).sqrt());
            }
            Fit::Amount(fit) => see(0, fit.variance(&x).unwrap().sqrt(), quadratic(case, &with_one).sqrt()),
            Fit::DiscreteTime(fit) => of_curve(case, fit, &x, &mut see),
            Fit::Parametric(fit) => {
                let all = case["covariance"].as_array().unwrap().iter().flat_map(numbers);
                fit.covariance
                    .iter()
                    .zip(all)
                    .enumerate()
                    .for_each(|(at, (ours, reference))| see(at, *ours, reference));
            }
            _ => unreachable!(),
        }
    }
    comparison.finish();
}
