//! Data that has little to say, or that no family can have.

use approx::assert_relative_eq;
use ltv_engine::Error;
use ltv_engine::amount::{Family, Options, fit, fit_tweedie, fit_two_part};
use ltv_engine::hazard::{Design, Status};
use ltv_engine::model::features::Value;
use ltv_engine::model::hybrid::{Component, HybridFit, Role};
use ltv_engine::model::{Fit, Model};

use crate::go_on;

const GAMMA: Options = Options { family: Family::Gamma, penalty: 0.0 };
const LINEAR: Options = Options { family: Family::Linear, penalty: 0.0 };
const TWEEDIE: Options = Options { family: Family::Tweedie { power: 1.5 }, penalty: 0.0 };

fn design(rows: &[(f64, &[f64])]) -> Design {
    let mut design = Design::default();
    rows.iter().for_each(|(amount, x)| design.push_amount(*amount, 1.0, 0.0, x).unwrap());
    design
}

fn refused<T: std::fmt::Debug>(result: ltv_engine::Result<T>, expected: &str) {
    match result {
        Err(Error::Invalid { message, hint }) => {
            assert_eq!(message, expected);
            assert!(!hint.is_empty());
        }
        other => panic!("{expected}: {other:?}"),
    }
}

#[test]
fn amounts_that_a_family_cannot_have_are_refused() {
    let negative = design(&[(1.0, &[1.0]), (-2.5, &[2.0])]);
    refused(fit(&negative, &GAMMA, &mut go_on), "a gamma model needs amounts greater than 0, got -2.5");
    refused(fit(&negative, &TWEEDIE, &mut go_on), "a Tweedie model needs amounts of at least 0, got -2.5");
    refused(fit_tweedie(&negative, 0.0, &mut go_on), "a Tweedie model needs amounts of at least 0, got -2.5");
    let two_part = fit_two_part(&negative, &GAMMA, 0.0, &mut go_on);
    refused(two_part, "a two-part model needs amounts of at least 0, got -2.5");
    assert!(fit(&negative, &LINEAR, &mut go_on).is_ok());
    for amount in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let pushed = Design::default().push_amount(amount, 1.0, 0.0, &[1.0]);
        refused(pushed, &format!("the amount must be finite, got {amount}"));
    }
    refused(Design::default().push_amount(1.0, 0.0, 0.0, &[]), "weight must be finite and greater than 0, got 0");
    refused(Design::default().push_amount(1.0, 1.0, f64::NAN, &[]), "the offset must be finite, got NaN");
    refused(Design::default().push_amount(1.0, 1.0, 0.0, &[f64::NAN]), "covariate 1 must be finite, got NaN");
    let bad = Options { family: Family::Tweedie { power: 2.0 }, penalty: 0.0 };
    let message = "the power of a Tweedie model must be greater than 1 and less than 2, got 2";
    refused(fit(&design(&[(1.0, &[])]), &bad, &mut go_on), message);
    refused(fit(&Design::default(), &LINEAR, &mut go_on), "a regression needs at least one row");
}

/// A covariate that is a hundred times as large in one row draws its mean far from its amount: that is a poor fit, not one
/// whose numbers overflow.
#[test]
fn an_amount_far_below_its_mean_has_a_deviance() {
    let mut rows: Vec<(f64, [f64; 1])> = (0..2000)
        .map(|i| {
            let x = f64::from(i % 101) / 25.0 - 2.0;
            ((1.0 + 0.3 * x).exp() * (0.3 + f64::from(i * 37 % 97) / 70.0), [x])
        })
        .collect();
    rows.push((1.0, [400.0]));
    let rows: Vec<(f64, &[f64])> = rows.iter().map(|(y, x)| (*y, x.as_slice())).collect();
    let fit = fit(&design(&rows), &GAMMA, &mut go_on).unwrap();
    assert_eq!(fit.status, Status::Converged);
    let eta = |x: &[f64]| fit.linear_predictor(x);
    assert!(eta(&[400.0]) > 37.0, "the mean of the last row is {}", eta(&[400.0]));
    // Both derivatives of Σ −y/μ − ln μ vanish.
    let excess = |y: f64, x: &[f64]| y * (-eta(x)).exp() - 1.0;
    assert!(rows.iter().map(|(y, x)| excess(*y, x)).sum::<f64>().abs() < 1e-6);
    assert!(rows.iter().map(|(y, x)| excess(*y, x) * x[0]).sum::<f64>().abs() < 1e-6);
    let deviance = rows.iter().map(|(y, x)| 2.0 * (excess(*y, x) - y.ln() + eta(x))).sum::<f64>();
    assert_relative_eq!(fit.deviance, deviance, max_relative = 1e-12);
}

#[test]
fn rows_of_times_and_of_amounts_do_not_mix() {
    let mut times = Design::default();
    times.push(None, 3.0, true, 1.0, &[1.0]).unwrap();
    refused(fit(&times, &LINEAR, &mut go_on), "these are rows of times, not of amounts");
    let message = "only some of the rows have an amount";
    let mut amounts = design(&[(1.0, &[1.0])]);
    for result in [times.clone().push_amount(1.0, 1.0, 0.0, &[1.0]), amounts.push(None, 1.0, true, 1.0, &[1.0])] {
        refused(result, message);
    }
    refused(amounts.merge(&times), message);
    refused(times.merge(&amounts), message);
}

#[test]
fn nothing_to_say_is_said() {
    let none = design(&[(0.0, &[1.0]), (0.0, &[2.0])]);
    let tweedie = fit(&none, &TWEEDIE, &mut go_on).unwrap();
    assert_eq!(tweedie.status, Status::NoEvents);
    assert!(tweedie.expectation(&[1.0], 0.95).is_none());
    let estimated = fit_tweedie(&none, 0.0, &mut go_on).unwrap();
    assert_eq!(estimated.status, Status::NoEvents);
    let two_part = fit_two_part(&none, &GAMMA, 0.0, &mut go_on).unwrap();
    assert!(two_part.amount.is_none() && two_part.expectation(&[1.0], 0.95).is_none());
    let model = Model::unnamed(two_part, 0);
    assert_eq!(model.amount_status().unwrap(), "no amount is greater than 0");
    let linear = fit(&none, &LINEAR, &mut go_on).unwrap();
    let said = linear.expectation(&[5.0], 0.95).unwrap();
    assert_eq!((said.value, linear.log_likelihood), (0.0, None));
}

#[test]
fn one_row_is_met_without_errors() {
    for options in [LINEAR, GAMMA, TWEEDIE] {
        let one = fit(&design(&[(7.0, &[3.0])]), &options, &mut go_on).unwrap();
        assert_eq!((one.rank, one.dispersion), (1, None), "{options:?}");
        let said = one.expectation(&[100.0], 0.95).unwrap();
        assert!((said.value - 7.0).abs() < 1e-12 && said.lower.is_none() && said.upper.is_none());
        assert_eq!(one.coefficients, [None]);
        let model = Model::unnamed(one, 0);
        let status = model.amount_status().unwrap();
        assert_eq!(status, "determined by other terms: x1; no standard errors: as many coefficients as rows");
    }
}

#[test]
fn a_group_without_amounts_runs_off() {
    let rows: Vec<(f64, [f64; 1])> = (0..40)
        .map(|i| {
            let group = f64::from(i % 2);
            (if group == 1.0 { 0.0 } else { f64::from(1 + i % 5) }, [group])
        })
        .collect();
    let mut all = Design::default();
    rows.iter().for_each(|(amount, x)| all.push_amount(*amount, 1.0, 0.0, x).unwrap());
    let fit = fit(&all, &TWEEDIE, &mut go_on).unwrap();
    assert_eq!(fit.status, Status::Separated { terms: vec![0] });
    let two_part = fit_two_part(&all, &GAMMA, 0.0, &mut go_on).unwrap();
    let status = Model::unnamed(two_part, 0).amount_status().unwrap();
    assert_eq!(
        status,
        "separated: occurrence: x1; amount: determined by other terms: x1"
            .replace("amount: determined by other terms: x1", "determined by other terms: amount: x1")
    );
}

#[test]
fn amounts_of_any_size_are_fitted_alike() {
    let rows = |unit: f64| {
        let mut design = Design::default();
        for i in 0..30 {
            let x = f64::from(i % 6);
            let amount = if i % 5 == 0 { 0.0 } else { (0.3 * x).exp() * (1.0 + 0.2 * f64::from(i % 4)) };
            design.push_amount(amount * unit, 1.0, 0.0, &[x]).unwrap();
        }
        design
    };
    let plain = fit(&rows(1.0), &TWEEDIE, &mut go_on).unwrap();
    for unit in [1e-9, 1e9, 1e100] {
        let other = fit(&rows(unit), &TWEEDIE, &mut go_on).unwrap();
        let slope = |fit: &ltv_engine::amount::AmountFit| fit.coefficients[0].unwrap();
        assert!((slope(&other) - slope(&plain)).abs() < 1e-12);
        let ratio = other.standard_error(0).unwrap() / plain.standard_error(0).unwrap();
        assert!((ratio - 1.0).abs() < 1e-10, "{unit}: {ratio}");
        let dispersion = other.dispersion.unwrap() / plain.dispersion.unwrap();
        assert!((dispersion / unit.sqrt() - 1.0).abs() < 1e-10);
        // f(c y) = f(y) / c, for each of the 24 rows that have an amount.
        let moved = plain.log_likelihood.unwrap() - 24.0 * unit.ln();
        assert!((other.log_likelihood.unwrap() - moved).abs() < 1e-8 * moved.abs());
    }
}

fn model(fit: impl Into<Fit>) -> Model {
    Model::unnamed(fit, 0)
}

#[test]
fn hybrids_hold_models_of_their_kinds_only_and_never_each_other() {
    let amounts = model(fit(&design(&[(1.0, &[1.0]), (2.0, &[2.0]), (2.5, &[3.0])]), &LINEAR, &mut go_on).unwrap());
    let rule = Model::rule(0.03).unwrap();
    let component = |role, model: &Model| Component::new(role, Some("one@1".into()), model.clone());
    assert!(component(Role::Renewal, &amounts).is_err() && component(Role::Cost, &rule).is_err());
    let parts = vec![component(Role::Margin, &amounts).unwrap(), component(Role::Renewal, &rule).unwrap()];
    let hybrid = HybridFit::model(parts, None, Some("price".into())).unwrap();
    let names: Vec<&str> = hybrid.features.iter().map(|feature| feature.name.as_str()).collect();
    assert_eq!(names, ["x1", "price"]);
    assert!(component(Role::Renewal, &hybrid).is_err());
    assert!(HybridFit::model(vec![component(Role::Cost, &amounts).unwrap()], None, None).is_err());
    let twice = vec![component(Role::Renewal, &rule).unwrap(), component(Role::Renewal, &rule).unwrap()];
    assert!(HybridFit::model(twice, None, None).is_err());
    let bytes = hybrid.encode().unwrap();
    let read = Model::decode(&bytes).unwrap();
    assert_eq!(read, hybrid);
    let text = serde_json::to_string(&hybrid).unwrap();
    assert_eq!(serde_json::from_str::<Model>(&text).unwrap(), hybrid);
    let Fit::Hybrid(fit) = &read.fit else { panic!() };
    let said = fit.amounts(&read.features, &[Value::Number(1.0), Value::Number(12.5)]).unwrap();
    assert_eq!(said.unwrap_err().to_string(), "the margin of this row must be at most 1, and is 1.0833333333333335");
    let said = fit.amounts(&read.features, &[Value::Number(0.5), Value::Number(12.5)]).unwrap().unwrap();
    assert!((said.margin.unwrap() - 0.708_333_333_333_333_4).abs() < 1e-12 && said.revenue == Some(12.5));
    let said = fit.amounts(&read.features, &[Value::Null, Value::Number(12.5)]).unwrap();
    assert_eq!(said.unwrap_err().to_string(), "missing feature: x1");
}

#[test]
fn a_rule_keeps_its_rates() {
    let rule = Model::rule_by("plan", vec![("pro".into(), 0.02), ("basic".into(), 0.05)]).unwrap();
    let mut columns = Vec::new();
    for (plan, churn) in [("basic", 0.05f64), ("pro", 0.02)] {
        let subject = rule.subject(&[Value::Text(plan)], &mut columns).unwrap();
        for months in [1, 12, 60] {
            let stays = subject.renewal_probability(0.0, f64::from(months)).unwrap().unwrap();
            assert!((stays - (1.0 - churn).powi(months)).abs() < 1e-14);
        }
    }
    let unseen = rule.subject(&[Value::Text("team")], &mut columns).unwrap_err();
    assert_eq!(unseen.to_string(), "unseen level: plan = team");
    for churn in [0.0, 1.0, -0.1, f64::NAN] {
        assert!(Model::rule(churn).is_err());
    }
    refused(Model::rule_by("plan", vec![("a".into(), 0.1), ("a".into(), 0.2)]), "the rule names \"a\" twice");
    assert_eq!(Model::decode(&rule.encode().unwrap()).unwrap(), rule);
}
