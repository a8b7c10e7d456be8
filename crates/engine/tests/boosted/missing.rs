//! Features that training rows lacked: what a model says of rows without them, and how it is stored.

use ltv_engine::boost::Options;
use ltv_engine::hazard::Design;
use ltv_engine::model::features::{Feature, Kind, Learnt, Unscorable, Value};
use ltv_engine::model::{Fit, Model};

use crate::boosted;
use crate::chance::Chance;

fn named(name: &str, kind: Kind) -> Feature {
    Feature { name: name.into(), kind }
}

fn category(levels: &[&str]) -> Kind {
    Kind::Category { levels: levels.iter().map(|level| (*level).to_owned()).collect() }
}

/// Who has no coupon leaves five times as fast; the plan says nothing and is always known.
fn model() -> Model {
    let (mut chance, mut design) = (Chance::new(8), Design::default());
    design.take_missing();
    for at in 0..2_000 {
        let (coupon, plan) = (if at % 2 == 0 { f64::NAN } else { 1.0 }, chance.uniform());
        let time = chance.exponential() * if at % 2 == 0 { 2.0 } else { 10.0 };
        design.push(None, time.min(12.0), time <= 12.0, 1.0, &[coupon, plan]).unwrap();
    }
    let fit = boosted(&design, &Options { trees: 40, early_stopping: 0, ..Options::default() });
    let features = vec![named("coupon", category(&["spring"]).learnt()), named("plan", Kind::Numeric)];
    Model { features, fit: Fit::from(fit), skipped: 0, recalibration: None }
}

#[test]
fn the_only_level_has_a_column_where_rows_lack_it() {
    assert_eq!(named("coupon", category(&["spring"])).columns(), 0);
    let coupon = named("coupon", category(&["spring"]).learnt());
    assert_eq!((coupon.columns(), coupon.terms()), (1, vec!["coupon=spring".to_owned()]));
    let plan = named("plan", category(&["a", "b", "c"]).learnt());
    assert_eq!(plan.terms(), ["plan=b", "plan=c"]);
    let encoded = |feature: &Feature, value| {
        let mut columns = Vec::new();
        feature.encode_or_missing(value, &mut columns).map(|()| columns)
    };
    assert_eq!(encoded(&coupon, Value::Text("spring")), Ok(vec![1.0]));
    assert!(encoded(&coupon, Value::Null).unwrap()[0].is_nan());
    assert_eq!(encoded(&plan, Value::Text("c")), Ok(vec![0.0, 1.0]));
    assert!(encoded(&plan, Value::Null).unwrap().iter().all(|column| column.is_nan()));
    assert_eq!(encoded(&plan, Value::Text("d")), Err(Unscorable::Unseen { feature: "plan".into(), level: "d".into() }));
    // A number that is none is missing where numbers were; an infinite one is no number anywhere.
    let price = named("price", Kind::Learnt(Learnt::Number));
    assert!(encoded(&price, Value::Number(f64::NAN)).unwrap()[0].is_nan());
    assert!(encoded(&price, Value::Number(f64::INFINITY)).is_err());
    assert!(encoded(&named("price", Kind::Numeric), Value::Number(f64::NAN)).is_err());
}

#[test]
fn rows_that_lack_a_feature_are_told_apart_by_it() {
    let model = model();
    model.validate().unwrap();
    let renewal = |coupon, plan| {
        let mut columns = Vec::new();
        model.subject(&[coupon, plan], &mut columns).unwrap().renewal_probability(0.0, 2.0).unwrap().unwrap()
    };
    // Of any plan: one of them alone may have met a leaf of a few rows.
    let mean =
        |coupon| (0..100).map(|at| renewal(coupon, Value::Number((f64::from(at) + 0.5) / 100.0))).sum::<f64>() / 100.0;
    // e^(-2/10) and e^(-2/2).
    assert!((mean(Value::Text("spring")) - 0.819).abs() < 0.02);
    assert!((mean(Value::Null) - 0.368).abs() < 0.02);
    let plan = Value::Number(0.5);
    assert!(model.unlearnt(&[Value::Null, plan]).is_empty());
    assert_eq!(model.unlearnt(&[Value::Null, Value::Null]), ["plan"]);
    assert!(renewal(Value::Null, Value::Null) > 0.0);
}

#[test]
fn what_was_learnt_of_is_stored() {
    let model = model();
    assert_eq!(Model::decode(&model.encode().unwrap()).unwrap(), model);
    let text = serde_json::to_string(&model).unwrap();
    assert!(text.contains(r#"{"name":"coupon","kind":{"learnt":{"level":{"levels":["spring"]}}}}"#), "{text}");
    assert_eq!(serde_json::from_str::<Model>(&text).unwrap(), model);
    let unordered = text.replace(r#"["spring"]"#, r#"["spring","autumn"]"#);
    assert!(serde_json::from_str::<Model>(&unordered).unwrap().validate().is_err());
    for kind in [Learnt::Number, Learnt::Boolean] {
        let mut other = model.clone();
        other.features[0].kind = Kind::Learnt(kind);
        assert_eq!(Model::decode(&other.encode().unwrap()).unwrap(), other);
    }
}

#[test]
fn what_a_row_lacks_is_told_of_trees_only() {
    let mut chance = Chance::new(9);
    let mut design = Design::default();
    for _ in 0..100 {
        design.push(None, chance.exponential(), true, 1.0, &[chance.uniform()]).unwrap();
    }
    let cox = ltv_engine::hazard::cox::fit(&design, ltv_engine::hazard::cox::Ties::Efron, &mut crate::go_on).unwrap();
    let model =
        Model { features: vec![named("x", Kind::Numeric)], fit: Fit::from(cox), skipped: 0, recalibration: None };
    assert!(model.unlearnt(&[Value::Null]).is_empty());
    assert!(model.subject(&[Value::Null], &mut Vec::new()).is_err());
}
