//! The fitted model as a value: encoding of rows, cohorts, storage, and that all its answers agree with each other.

use approx::assert_relative_eq;
use ltv_engine::hazard::cox::{self, Ties};
use ltv_engine::hazard::design::{Design, Row};
use ltv_engine::model::cohorts::Cohorts;
use ltv_engine::model::features::{Feature, Kind, Unscorable, Value};
use ltv_engine::model::scoring::Window;
use ltv_engine::model::{Fit, Model};
use ltv_engine::numeric::tally::Budget;
use ltv_engine::survival::{Sample, Survival};
use proptest::prelude::*;

fn levels(names: &[&str]) -> Kind {
    Kind::Category { levels: names.iter().map(|name| name.to_string()).collect() }
}

fn feature(name: &str, kind: Kind) -> Feature {
    Feature { name: name.into(), kind }
}

/// A Cox model of a number and a category with three levels, on 60 rows with ties and censoring.
fn cox_model() -> Model {
    let mut design = Design::default();
    for i in 0..60u32 {
        let level = i % 3;
        let columns = [f64::from(i * 7 % 10), f64::from(u8::from(level == 1)), f64::from(u8::from(level == 2))];
        let exit = f64::from(1 + i * 13 % 24);
        design.push(None, exit, i % 4 != 0, 1.0, &columns).unwrap();
    }
    let fit = cox::fit(&design, Ties::Efron, &mut || Ok(())).unwrap();
    Model::unnamed(fit, 0)
        .with_features(vec![feature("seats", Kind::Numeric), feature("plan", levels(&["basic", "pro", "team"]))])
        .unwrap()
}

/// As that, with two strata, the second of which has no events.
fn stratified_model() -> Model {
    let mut design = Design::default();
    for i in 0..80u32 {
        let stratum = ["EU", "US", "idle"][(i % 3) as usize];
        let (exit, event) = (f64::from(1 + i * 13 % 24), i % 4 != 0 && stratum != "idle");
        let row =
            Row { exit, event, weight: 1.0, stratum: Some(stratum), x: &[f64::from(i * 7 % 10)], ..Row::default() };
        design.push_row(&row).unwrap();
    }
    let fit = cox::fit(&design, Ties::Efron, &mut || Ok(())).unwrap();
    let features = vec![feature("seats", Kind::Numeric), feature("region", Kind::Stratum)];
    Model::unnamed(fit, 0).with_features(features).unwrap()
}

fn cohort_model() -> Model {
    let mut samples = Vec::new();
    for (shift, name) in [(0.0, "basic"), (5.0, "pro")] {
        let mut sample = Sample::default();
        for i in 0..40u32 {
            sample.add(f64::from(i * 7 % 30) + shift, i % 3 != 0, Budget::UNLIMITED).unwrap();
        }
        samples.push((vec![name.to_string()], sample));
    }
    let features = vec![feature("plan", levels(&["basic", "pro"]))];
    Model { features, fit: Fit::KaplanMeier(Cohorts::fit(samples).unwrap()), skipped: 0, recalibration: None }
}

#[test]
fn categories_are_coded_against_the_first_level() {
    let plan = feature("plan", levels(&["basic", "pro", "team"]));
    assert_eq!(plan.terms(), ["plan=pro", "plan=team"]);
    for (level, coded) in [("basic", [0.0, 0.0]), ("pro", [1.0, 0.0]), ("team", [0.0, 1.0])] {
        let mut columns = Vec::new();
        plan.encode(Value::Text(level), &mut columns).unwrap();
        assert_eq!(columns, coded);
    }
    let unseen = plan.encode(Value::Text("trial"), &mut Vec::new()).unwrap_err();
    assert_eq!(unseen.to_string(), "unseen level: plan = trial");
    let missing = plan.encode(Value::Null, &mut Vec::new()).unwrap_err();
    assert_eq!(missing, Unscorable::Missing { feature: "plan".into() });
    let seats = feature("seats", Kind::Numeric);
    let infinite = seats.encode(Value::Number(f64::INFINITY), &mut Vec::new()).unwrap_err();
    assert_eq!(infinite.to_string(), "not a finite number: seats");
}

#[test]
fn the_scalar_the_curve_and_the_outlook_agree() {
    let models = [cox_model(), cohort_model(), stratified_model()];
    let rows: [&[Value]; 3] =
        [&[Value::Number(3.0), Value::Text("pro")], &[Value::Text("pro")], &[Value::Number(3.0), Value::Text("US")]];
    for (model, row) in models.iter().zip(rows) {
        let mut scratch = Vec::new();
        let subject = model.subject(row, &mut scratch).unwrap();
        let curve = subject.survival();
        let steps = curve.steps().unwrap();
        for given in [0.0, 4.0, 11.5, 23.0, 24.0, 40.0] {
            for horizon in [0.5, 6.0, 12.0, 60.0] {
                let scalar = subject.renewal_probability(given, horizon).unwrap();
                let by_curve = steps.renewal_probability(given, given + horizon).unwrap();
                let outlook = subject.outlook(given, horizon, 0.95).unwrap();
                assert_eq!(outlook.renewal_probability, scalar, "{} {given} {horizon}", model.algorithm());
                let (Some(scalar), Some(by_curve)) = (scalar, by_curve) else {
                    assert_eq!(scalar, by_curve, "{} {given} {horizon}", model.algorithm());
                    continue;
                };
                assert_relative_eq!(scalar, by_curve, max_relative = 1e-12);
                if let (Some(lower), Some(upper)) = (outlook.lower, outlook.upper) {
                    assert!(lower <= scalar && scalar <= upper, "{lower} {scalar} {upper}");
                }
            }
        }
    }
}

#[test]
fn rows_of_numbers_take_the_short_way_to_the_same_score() {
    let model = cox_model();
    assert!(!model.is_of_numbers() && !cohort_model().is_of_numbers() && !stratified_model().is_of_numbers());
    let features = ["seats", "pro", "team"].map(|name| feature(name, Kind::Numeric)).to_vec();
    let model = model.with_features(features).unwrap();
    assert!(model.is_of_numbers());
    let (mut window, mut columns) = (Window::default(), Vec::new());
    for (seats, given, horizon) in
        [(0.0, 0.0, 6.0), (9.0, 0.0, 6.0), (9.0, 3.0, 6.0), (-4.5, 3.0, 40.0), (9.0, 0.0, 6.0)]
    {
        let values = [Value::Number(seats), Value::Number(1.0), Value::Number(0.0)];
        let long = model.subject(&values, &mut columns).unwrap().renewal_probability(given, horizon).unwrap();
        let numbers = [seats, 1.0, 0.0];
        let subject = model.subject_of_numbers(&numbers).unwrap();
        assert_eq!(subject.renewal_probability_in(given, horizon, &mut window).unwrap(), long);
        for (given, horizon) in [(-1.0, 6.0), (f64::NAN, 6.0), (0.0, 0.0), (0.0, f64::INFINITY)] {
            assert!(subject.renewal_probability_in(given, horizon, &mut window).is_err(), "{given} {horizon}");
        }
    }
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(model.subject_of_numbers(&[1.0, bad, 0.0]).is_none());
    }
}

#[test]
fn the_limits_of_a_cohort_are_those_of_its_conditional_curve() {
    use ltv_engine::survival::kaplan_meier::{Transform, critical_value, interval};
    let mut sample = Sample::default();
    for i in 0..50u32 {
        sample.add(f64::from(i * 11 % 37), i % 4 != 0, Budget::UNLIMITED).unwrap();
    }
    let steps = Survival::Sample(sample.clone()).steps().unwrap();
    let z = critical_value(0.95).unwrap();
    for (given, horizon) in [(0.0, 10.0), (5.0, 12.0), (9.5, 20.0)] {
        let rest = Survival::Sample(sample.conditional(given).unwrap()).steps().unwrap();
        let here = steps.log_variance_between(given, given + horizon).unwrap();
        let there = rest.log_variance_at(horizon).unwrap();
        assert_relative_eq!(here, there, max_relative = 1e-12);
        let survival = rest.survival_at(horizon).unwrap();
        assert!(interval(survival, Some(here), z, Transform::LogLog).lower.is_some());
    }
}

#[test]
fn mean_residual_life_of_a_constant_hazard_is_its_inverse() {
    // Steps of an exponential curve, fine enough for the area to come out to a thousandth.
    let times: Vec<f64> = (1..=20_000).map(|i| f64::from(i) / 1000.0).collect();
    let hazard = 0.1;
    let curve = ltv_engine::survival::FittedCurve {
        cumulative_hazard: times.iter().map(|t| hazard * t).collect(),
        variance: Vec::new(),
        rank: 0,
        loadings: Vec::new(),
        max_followup: 20.0,
        tail: ltv_engine::survival::Tail::average_hazard(2.0, 20.0),
        decisions: None,
        times,
    };
    let steps = Survival::Fitted(curve).steps().unwrap();
    for given in [0.0, 7.0, 19.0, 20.0, 50.0] {
        assert_relative_eq!(steps.mean_residual_life(given).unwrap(), 10.0, max_relative = 1e-3);
    }
}

#[test]
fn bytes_round_trip_and_any_change_is_noticed() {
    for model in [cox_model(), cohort_model(), stratified_model()] {
        let bytes = model.encode().unwrap();
        assert_eq!(Model::decode(&bytes).unwrap(), model);
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x40;
            assert!(Model::decode(&changed).is_err(), "byte {at} of {}", model.algorithm());
        }
        for length in 0..bytes.len() {
            assert!(Model::decode(&bytes[..length]).is_err());
        }
    }
}

#[test]
fn json_round_trips_exactly() {
    for model in [cox_model(), cohort_model(), stratified_model()] {
        let text = serde_json::to_string(&model).unwrap();
        assert_eq!(serde_json::from_str::<Model>(&text).unwrap(), model);
    }
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let model = cox_model();
    assert!(model.clone().with_features(vec![feature("seats", Kind::Numeric)]).is_err());
    let unordered = vec![feature("seats", Kind::Numeric), feature("plan", levels(&["pro", "basic", "team"]))];
    assert!(model.clone().with_features(unordered).is_err());
    assert!(Cohorts::fit(Vec::new()).is_err());
}

#[test]
fn a_row_has_the_baseline_of_its_stratum() {
    let model = stratified_model();
    let mut scratch = Vec::new();
    let mut at = |region| {
        let row = [Value::Number(3.0), region];
        model.subject(&row, &mut scratch).map(|subject| subject.renewal_probability(0.0, 6.0).unwrap().unwrap())
    };
    let (europe, america) = (at(Value::Text("EU")).unwrap(), at(Value::Text("US")).unwrap());
    assert!((europe - america).abs() > 1e-3);
    assert_eq!(at(Value::Text("APAC")).unwrap_err().to_string(), "unseen level: region = APAC");
    assert_eq!(at(Value::Text("idle")).unwrap_err().to_string(), "the model saw no events in region = idle");
    assert_eq!(at(Value::Null).unwrap_err().to_string(), "missing feature: region");
    assert_eq!(at(Value::Number(1.0)).unwrap_err().to_string(), "not a finite number: region");
    // The stratum is no term, and a model with strata needs it.
    assert_eq!(model.terms(), ["seats"]);
    assert!(model.clone().with_features(vec![feature("seats", Kind::Numeric)]).is_err());
    let twice = vec![feature("seats", Kind::Numeric), feature("a", Kind::Stratum), feature("b", Kind::Stratum)];
    assert!(model.with_features(twice).is_err());
}

/// Stored by the release before: models of version 1 are today's, without strata and penalty.
#[test]
fn models_of_version_1_are_read() {
    let stored = include_str!("fixtures/models_v1.hex").lines();
    for (hex, model) in stored.zip([cox_model(), cohort_model()]) {
        let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
        assert_eq!(bytes[0], 1);
        let old = Model::decode(&bytes).unwrap();
        assert_eq!((&old.features, old.terms()), (&model.features, model.terms()));
        if let (Fit::Cox(old), Fit::Cox(new)) = (&old.fit, &model.fit) {
            assert_relative_eq!(old.coefficients[0].unwrap(), new.coefficients[0].unwrap(), max_relative = 1e-9);
            assert_eq!(old.baselines[0].times, new.baselines[0].times);
            assert!(old.strata.is_empty() && old.penalty.is_none());
        }
        assert_eq!(Model::decode(&old.encode().unwrap()).unwrap(), old);
        assert!(Model::decode(&bytes[..bytes.len() - 1]).is_err());
    }
}

proptest! {
    #[test]
    fn a_score_is_a_probability_and_falls_with_the_horizon(seats in -1e3f64..1e3, given in 0.0f64..60.0, horizon in 0.01f64..60.0) {
        let model = cox_model();
        let mut scratch = Vec::new();
        let subject = model.subject(&[Value::Number(seats), Value::Text("team")], &mut scratch).unwrap();
        let near = subject.renewal_probability(given, horizon).unwrap().unwrap();
        let far = subject.renewal_probability(given, horizon * 2.0).unwrap().unwrap();
        prop_assert!((0.0..=1.0).contains(&near) && far <= near, "{near} {far}");
    }
}
