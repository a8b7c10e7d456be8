//! Every case of `tests/golden/transactional.py`.

use ltv_engine::btyd::fit::TransactionalFit;
use ltv_engine::btyd::gamma_gamma::SpendModel;
use ltv_engine::btyd::purchases::{Leaving, PurchaseModel};
use ltv_engine::btyd::sample::{PurchaseSample, SpendSample};
use serde_json::Value;

use crate::golden_support::{Comparison, numbers};
use crate::{cdnow_customers, fitted, fitted_spend, history, unlimited};

const CASES: [&str; 3] = ["cdnow", "cdnow_weighted", "cdnow_part"];
const MODELS: [&str; 4] = ["bg_nbd", "mbg_nbd", "pareto_nbd", "gamma_gamma"];

fn golden(name: &str) -> Value {
    let path = format!("{}/../../tests/golden/transactional/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap()
}

/// The customers of a case, with their weights.
fn samples(case: &str) -> (PurchaseSample, SpendSample) {
    let (mut purchases, mut spend) = (PurchaseSample::default(), SpendSample::default());
    for (i, [x, recency, age, mean]) in cdnow_customers().into_iter().enumerate() {
        let weight = match case {
            "cdnow_weighted" => 1.0 + (i % 3) as f64 / 2.0,
            "cdnow_part" if i % 3 != 1 => continue,
            _ => 1.0,
        };
        purchases.add(x, recency, age, weight, unlimited).unwrap();
        if mean > 0.0 {
            spend.add(x, mean, weight, unlimited).unwrap();
        }
    }
    (purchases, spend)
}

fn compare_fit(compare: &mut Comparison, name: &str, fit: &TransactionalFit, golden: &Value) {
    compare.check(name, "log likelihood", fit.log_likelihood, golden["log_likelihood"].as_f64());
    let (parameters, errors) = (numbers(&golden["parameters"]), numbers(&golden["std_errors"]));
    for (at, term) in fit.kind.parameter_names().iter().enumerate() {
        let error = fit.log_error(at).map(|error| error * fit.parameters[at]);
        compare.check(name, &format!("parameter [{term}]"), fit.parameters[at], parameters[at]);
        compare.check(name, &format!("std error [{term}]"), error, errors[at]);
    }
}

#[test]
fn fits_are_those_of_an_independent_optimiser() {
    let mut compare = Comparison::with_tolerance(1e-7);
    for case in CASES {
        let (purchases, spend) = samples(case);
        for model in MODELS {
            let fit = match model {
                "bg_nbd" => fitted(&purchases, Leaving::BgNbd),
                "mbg_nbd" => fitted(&purchases, Leaving::MbgNbd),
                "pareto_nbd" => fitted(&purchases, Leaving::ParetoNbd),
                _ => fitted_spend(&spend),
            };
            let name = format!("{case}_{model}");
            assert_eq!(fit.kind.name(), model);
            assert_eq!(fit.remark(), "ok");
            compare_fit(&mut compare, &name, &fit, &golden(&name));
        }
    }
    compare.finish();
}

/// At the reference's own parameters.
#[test]
fn predictions_are_the_closed_forms() {
    let mut compare = Comparison::with_tolerance(1e-9);
    for case in CASES {
        for (model, leaving) in
            [("bg_nbd", Leaving::BgNbd), ("mbg_nbd", Leaving::MbgNbd), ("pareto_nbd", Leaving::ParetoNbd)]
        {
            let name = format!("{case}_{model}");
            let golden = golden(&name);
            let given: Vec<f64> = numbers(&golden["parameters"]).into_iter().flatten().collect();
            let model = PurchaseModel { leaving, parameters: given.try_into().unwrap() };
            let horizons: Vec<f64> = numbers(&golden["horizons"]).into_iter().flatten().collect();
            let delta = golden["delta"].as_f64().unwrap();
            for row in golden["histories"].as_array().unwrap() {
                let known = numbers(&row["history"]);
                let customer = history(known[0].unwrap(), known[1].unwrap(), known[2].unwrap());
                let at = format!("@{}, {}, {}", customer.frequency, customer.recency, customer.age);
                let alive = model.probability_alive(&customer);
                compare.check(&name, &format!("alive {at}"), alive, row["alive"].as_f64());
                for (horizon, expected) in horizons.iter().zip(numbers(&row["expected"])) {
                    let ours = model.expected_purchases(&customer, *horizon).unwrap();
                    compare.check(&name, &format!("expected {at} within {horizon}"), ours, expected);
                }
                let discounted = model.discounted_purchases(&customer, delta).unwrap();
                compare.check(&name, &format!("discounted {at}"), discounted, row["discounted"].as_f64());
            }
            for (horizon, expected) in horizons.iter().zip(numbers(&golden["new"])) {
                let ours = model.expected_of_new(*horizon).unwrap();
                compare.check(&name, &format!("of a new customer @{horizon}"), ours, expected);
            }
            for row in golden["chances"].as_array().unwrap() {
                let row = numbers(row);
                let (x, t) = (row[0].unwrap(), row[1].unwrap());
                let ours = model.purchase_probability(x, t).unwrap();
                compare.check(&name, &format!("chance @{x} within {t}"), ours, row[2]);
            }
        }
        let name = format!("{case}_gamma_gamma");
        let golden = golden(&name);
        let given: Vec<f64> = numbers(&golden["parameters"]).into_iter().flatten().collect();
        let model = SpendModel { parameters: given.try_into().unwrap() };
        for row in golden["spend"].as_array().unwrap() {
            let row = numbers(row);
            let ours = model.expected_spend(row[0].unwrap(), row[1].unwrap()).unwrap();
            compare.check(&name, &format!("spend @{:?}", &row[..2]), ours, row[2]);
        }
    }
    compare.finish();
}
