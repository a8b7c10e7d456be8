//! Stored models that nobody has stored.

use ltv_engine::boost::Options;
use ltv_engine::model::Model;
use ltv_engine::model::codec::{HEADER_BYTES, fingerprint};
use ltv_engine::model::features::Value;
use proptest::prelude::*;

use crate::{TWEEDIE, boosted, simulated, straight};

fn model() -> Model {
    let options = Options { trees: 5, depth: 3, early_stopping: 0, ..Options::default() };
    Model::unnamed(boosted(&simulated(300, 31, TWEEDIE, straight).design, TWEEDIE, &options), 3)
}

#[test]
fn bytes_and_text_hold_all_of_it() {
    let model = model();
    assert_eq!(Model::decode(&model.encode().unwrap()).unwrap(), model);
    let text = serde_json::to_string(&model).unwrap();
    assert_eq!(serde_json::from_str::<Model>(&text).unwrap(), model);
    assert!(text.contains("\"boosted_value\":{\"options\""), "{text}");
}

#[test]
fn parts_that_contradict_each_other_are_refused() {
    let text = serde_json::to_string(&model()).unwrap();
    let read = |from: &str, to: &str| {
        let forged = text.replacen(from, to, 1);
        assert_ne!(forged, text, "{from}");
        serde_json::from_str::<Model>(&forged).is_ok_and(|model| model.validate().is_ok())
    };
    assert!(serde_json::from_str::<Model>(&text).unwrap().validate().is_ok());
    assert!(!read("\"covariate\":[2", "\"covariate\":[5"));
    assert!(!read("\"depth\":3", "\"depth\":99"));
    assert!(!read("\"end\":\"complete\"", "\"end\":\"no_events\""));
    assert!(!read("\"power\":1.5", "\"power\":2.5"));
    assert!(!read("\"scale\":1.0", "\"scale\":2.0"));
    assert!(!read("\"scale\":1.0", "\"scale\":-1.0"));
    assert!(!read("\"trees\":5", "\"trees\":4"));
    assert!(!read("\"rows\":300", "\"rows\":3"));
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
            let values = vec![Value::Number(0.3); model.features.len()];
            if model.check_amounts().is_ok()
                && let Ok(Ok(appraisal)) = model.appraise(&values, 0.9, &mut Vec::new())
            {
                prop_assert!(appraisal.expectation.value.is_finite());
            }
            let _ = (model.feature_gains(), model.amount_parts(), model.quality(), model.amount_status());
        }
    }
}
