//! Stored models that nobody has stored.

use ltv_engine::boost::{Options, Trees};
use ltv_engine::model::Model;
use ltv_engine::model::codec::{HEADER_BYTES, fingerprint};
use ltv_engine::model::features::Value;
use proptest::prelude::*;
use serde_json::json;

use crate::{boosted, simulated, straight};

fn model() -> Model {
    let options = Options { trees: 5, depth: 3, early_stopping: 0, ..Options::default() };
    Model::unnamed(boosted(&simulated(300, 31, straight).design, &options), 0)
}

#[test]
fn trees_that_are_none_are_refused() {
    let read = |nodes: Vec<u32>, covariate: Vec<u16>, threshold: Vec<f64>, value: Vec<f64>| {
        let cover = vec![1.0; value.len()];
        let missing_left = vec![true; threshold.len()];
        let text = json!({"nodes": nodes, "covariate": covariate, "threshold": threshold, "missing_left": missing_left,
            "value": value, "cover": cover});
        serde_json::from_value::<Trees>(text)
    };
    let tree = read(vec![3], vec![2, 0, 0], vec![0.5], vec![-1.0, 1.0]).unwrap();
    assert_eq!((tree.score(&[9.0, 0.5]), tree.score(&[9.0, 0.6]), tree.mean()), (-1.0, 1.0, 0.0));
    assert_eq!(tree.score(&[9.0, f64::NAN]), -1.0);
    assert_eq!((tree.len(), tree.leaves(), tree.covariates()), (1, 2, 2));
    assert_eq!(read(vec![], vec![], vec![], vec![]).unwrap().score(&[]), 0.0);
    // A question without its two children, nodes that belong to no question, two trees as one, no nodes at all.
    assert!(read(vec![1], vec![1], vec![0.5], vec![]).is_err());
    assert!(read(vec![2], vec![1, 0], vec![0.5], vec![1.0]).is_err());
    assert!(read(vec![3], vec![0, 0, 0], vec![], vec![1.0; 3]).is_err());
    assert!(read(vec![3], vec![0, 1, 0], vec![0.5], vec![1.0; 2]).is_err());
    assert!(read(vec![5], vec![1, 1, 1, 0, 0], vec![0.5; 3], vec![1.0; 2]).is_err());
    assert!(read(vec![0], vec![], vec![], vec![]).is_err());
    assert!(read(vec![u32::MAX, 3], vec![1, 0, 0], vec![0.5], vec![1.0; 2]).is_err());
    assert!(read(vec![3], vec![1, 0, 0], vec![], vec![1.0; 2]).is_err());
    assert!(read(vec![3], vec![u16::MAX, 0, 0], vec![0.5], vec![1.0; 2]).is_ok());
    // Deeper than any fit.
    let chain: Vec<u16> = std::iter::once(1).chain((0..20).flat_map(|_| [1, 0])).chain([0, 0]).collect();
    assert!(read(vec![chain.len() as u32], chain, vec![0.5; 21], vec![0.0; 22]).is_err());
}

#[test]
fn a_model_whose_trees_ask_for_more_than_it_has_is_refused() {
    let text = serde_json::to_string(&model()).unwrap();
    let read = |text: String| {
        serde_json::from_str::<Model>(&text)
            .map_err(|e| e.to_string())
            .and_then(|model| model.validate().map_err(|e| e.to_string()))
    };
    assert!(read(text.clone()).is_ok());
    assert!(read(text.replacen("\"covariate\":[2", "\"covariate\":[5", 1)).is_err(), "{text}");
    assert!(read(text.replacen("\"depth\":3", "\"depth\":99", 1)).is_err());
    assert!(read(text.replacen("\"end\":\"complete\"", "\"end\":\"no_events\"", 1)).is_err());
}

proptest! {
    #[test]
    fn bytes_that_were_changed_are_refused_or_answer(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut bytes = model().encode().unwrap();
        for (at, byte) in changes {
            let at = HEADER_BYTES + at.index(bytes.len() - HEADER_BYTES);
            bytes[at] = byte;
        }
        let print = fingerprint(&bytes[HEADER_BYTES..]);
        bytes[1..HEADER_BYTES].copy_from_slice(&print);
        if let Ok(model) = Model::decode(&bytes) {
            let mut columns = Vec::new();
            let values = vec![Value::Number(0.3); model.features.len()];
            if let Ok(subject) = model.subject(&values, &mut columns) {
                let _ = subject.outlook(1.0, 2.0, 0.9);
            }
            let _ = model.allocate_linear_predictor(&values);
            let _ = model.feature_gains();
        }
    }
}
