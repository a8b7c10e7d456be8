//! The contributions of trees against their definition: the mean over all orders in which the features become known.

use ltv_engine::boost::Options;
use ltv_engine::model::Model;
use ltv_engine::model::features::{Feature, Kind, Value};
use serde_json::{Value as Json, json};

use crate::boosted;
use crate::chance::Chance;
use ltv_engine::hazard::Design;

/// A node as it is stored: one more than its covariate (0: a leaf), threshold, whether the missing go left, value, cover.
type Node = (usize, f64, bool, f64, f64);

/// The trees of the stored text, read by other code.
struct Read {
    trees: Vec<Vec<Node>>,
}

impl Read {
    fn of(trees: &Json) -> Read {
        let numbers =
            |key: &str| trees[key].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect::<Vec<_>>();
        let missing: Vec<bool> =
            trees["missing_left"].as_array().unwrap().iter().map(|v| v.as_bool().unwrap()).collect();
        let (covariate, threshold) = (numbers("covariate"), numbers("threshold"));
        let (value, cover) = (numbers("value"), numbers("cover"));
        let (mut at, mut question, mut leaf) = (0, 0, 0);
        let mut read = Read { trees: Vec::new() };
        for nodes in numbers("nodes") {
            let mut tree = Vec::new();
            for _ in 0..nodes as usize {
                if covariate[at] == 0.0 {
                    tree.push((0, 0.0, false, value[leaf], cover[leaf]));
                    leaf += 1;
                } else {
                    tree.push((covariate[at] as usize, threshold[question], missing[question], 0.0, 0.0));
                    question += 1;
                }
                at += 1;
            }
            read.trees.push(tree);
        }
        read
    }

    /// What the tree says, and how many rows were there, of those who share what is known of `x`.
    fn known(tree: &[Node], at: usize, x: &[f64], known: &dyn Fn(usize) -> bool) -> (f64, f64) {
        let (covariate, threshold, missing_left, value, cover) = tree[at];
        if covariate == 0 {
            return (value, cover);
        }
        let before = tree[..at].iter().filter(|node| node.0 > 0).count();
        let [left, right] = [2 * before + 1, 2 * before + 2].map(|child| Read::known(tree, child, x, known));
        let x = x[covariate - 1];
        let goes_left = if x.is_nan() { missing_left } else { x <= threshold };
        let cover = left.1 + right.1;
        let value = match (known(covariate - 1), goes_left) {
            (true, true) => left.0,
            (true, false) => right.0,
            (false, _) => (left.0 * left.1 + right.0 * right.1) / cover,
        };
        (value, cover)
    }

    fn worth(&self, x: &[f64], known: &dyn Fn(usize) -> bool) -> f64 {
        self.trees.iter().map(|tree| Read::known(tree, 0, x, known).0).sum()
    }
}

fn orders(features: usize) -> Vec<Vec<usize>> {
    if features == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(features - 1);
    (0..features)
        .flat_map(|at| {
            shorter.iter().map(move |order| {
                let mut order = order.clone();
                order.insert(at.min(order.len()), features - 1);
                order
            })
        })
        .collect()
}

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
    let all = orders(4);
    assert_eq!(all.len(), 24);
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
        let mut parts = [0.0; 4];
        for order in &all {
            for place in 0..4 {
                let before = read.worth(&x, &|column| order[..place].contains(&owners[column]));
                let after = read.worth(&x, &|column| order[..=place].contains(&owners[column]));
                parts[order[place]] += (after - before) / all.len() as f64;
            }
        }
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
