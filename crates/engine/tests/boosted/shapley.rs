//! The contributions of trees against their definition: the mean over all orders in which the features become known.

use ltv_engine::boost::Options;
use ltv_engine::model::Model;
use ltv_engine::model::features::{Feature, Kind, Value};
use serde_json::json;

use crate::boosted;
use crate::chance::Chance;
use crate::known_features::Read;
use ltv_engine::hazard::Design;

#[test]
fn contributions_are_shapley_values_with_all_columns_of_a_category_as_one() {
    let mut chance = Chance::new(21);
    let mut design = Design::default().taking_missing();
    for at in 0..1_500 {
        let level = at % 3;
        let x = [
            chance.uniform(),
            f64::from(u8::from(level == 1)),
            f64::from(u8::from(level == 2)),
            (chance.uniform() * 4.0).floor(),
            if at % 5 == 0 { f64::NAN } else { chance.uniform() },
        ];
        let eta = 2.0 * x[0] * x[3] + 1.5 * x[1] - x[2] * x[0] + if x[4].is_nan() { 1.0 } else { x[4] };
        design.push(None, chance.exponential() / eta.exp(), at % 7 > 0, 1.0 + x[1], &x).unwrap();
    }
    let options = Options { trees: 25, depth: 5, min_child_weight: 2.0, ..Options::default() };
    let fit = boosted(&design, &options);
    let read = Read::of(&serde_json::to_value(&fit.trees).unwrap());
    let centre = fit.centre;
    let levels = ["a", "b", "c"].map(String::from).to_vec();
    let feature = |name: &str, kind| Feature { name: name.into(), kind };
    let features = vec![
        feature("x", Kind::Numeric),
        feature("plan", Kind::Category { levels }),
        feature("z", Kind::Numeric),
        feature("age", Kind::Numeric),
    ];
    let model = Model::unnamed(fit, 0).with_features(features).unwrap();
    let owners = [0, 1, 1, 2, 3];
    let mut apart = 0f64;
    for at in 0..60 {
        let row =
            [chance.uniform(), f64::from(u8::from(at % 3 == 1)), f64::from(u8::from(at % 3 == 2)), f64::from(at % 4)];
        let age = if at % 4 == 0 { f64::NAN } else { chance.uniform() };
        let x = [row[0], row[1], row[2], row[3], age];
        let values = [
            Value::Number(x[0]),
            Value::Text(["a", "b", "c"][at as usize % 3]),
            Value::Number(x[3]),
            if age.is_nan() { Value::Null } else { Value::Number(age) },
        ];
        let allocation = model.allocate_linear_predictor(&values).unwrap().unwrap();
        let parts = read.contributions(&x, &owners);
        for (found, expected) in allocation.parts.iter().zip(parts) {
            apart = apart.max((found - expected).abs());
        }
        // They add up, and to what is scored.
        let score = read.worth(&x, &|_| true) - centre;
        assert!((allocation.prediction - score).abs() < 1e-12, "{} {score}", allocation.prediction);
        assert!((read.worth(&x, &|_| false) - centre).abs() < 1e-12);
        let total: f64 = allocation.parts.iter().sum();
        assert!((total - allocation.prediction).abs() < 1e-12);
        // On a probability they add up as well, in the same proportion.
        let probability =
            model.allocate(&values, 0.0, |subject| subject.renewal_probability(0.0, 0.5)).unwrap().unwrap().unwrap();
        let total: f64 = probability.parts.iter().sum();
        assert!((total - (probability.prediction - probability.baseline)).abs() < 1e-12);
        let ratio = probability.parts[0] / probability.parts[2];
        assert!((ratio - allocation.parts[0] / allocation.parts[2]).abs() < 1e-6 * ratio.abs(), "{ratio}");
    }
    assert!(apart < 1e-12, "{apart}");
    assert!(json!(model.feature_gains().unwrap()[0].splits).as_u64() > Some(0));
}
