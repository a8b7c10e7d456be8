//! Models with errors by clusters are stored exactly, and those of earlier formats are still read.

use ltv_engine::amount::{Family, Options, fit};
use ltv_engine::hazard::design::Row;
use ltv_engine::hazard::discrete::{self, Shape};
use ltv_engine::hazard::{Design, Link, parametric};
use ltv_engine::model::segments::{Segment, Segmented, Standing};
use ltv_engine::model::{Fit, Model};
use ltv_engine::survival::distribution::Distribution;

use crate::go_on;

fn models(clusters: bool) -> Vec<Model> {
    let (mut times, mut amounts) = (Design::default(), Design::default());
    for i in 0..120u32 {
        let name = format!("{}", i % 30);
        let cluster = clusters.then_some(Some(name.as_str()));
        let x = [f64::from(i * 7 % 13) / 6.0, f64::from(i % 3)];
        let exit = f64::from(1 + i * i % 5);
        times.push_row(&Row { exit, event: i % 4 > 1, weight: 1.0, cluster, x: &x, ..Row::default() }).unwrap();
        amounts.push_clustered_amount(1.0 + f64::from(i * i % 17), 1.0, 0.0, cluster, &x).unwrap();
    }
    let options = |link, shape| discrete::Options { link, shape, ..Default::default() };
    let logit = options(Link::Logit, Shape::Period);
    let linear = options(Link::Cloglog, Shape::Linear);
    [
        Fit::renewal(discrete::fit_decisions(&times, &logit, &mut go_on).unwrap()),
        Fit::discrete_time(discrete::fit(&times, &logit, &mut go_on).unwrap()),
        Fit::discrete_time(discrete::fit(&times, &linear, &mut go_on).unwrap()),
        fit(&amounts, &Options { family: Family::Gamma, penalty: 0.0 }, &mut go_on).unwrap().into(),
        parametric::fit(&times, &Distribution::Weibull, &[], &mut go_on).unwrap().into(),
    ]
    .map(|fit| Model::unnamed(fit, 3))
    .into()
}

#[test]
fn models_with_clusters_come_back_as_they_were() {
    for model in models(true) {
        assert_eq!(model.cluster_count(), Some(30));
        let bytes = model.encode().unwrap();
        assert_eq!(bytes[0], 4);
        assert_eq!(Model::decode(&bytes).unwrap(), model);
        assert_eq!(Model::decode(&bytes).unwrap().encode().unwrap(), bytes);
    }
}

#[test]
fn models_without_are_stored_as_before() {
    for model in models(false) {
        assert_eq!(model.cluster_count(), None);
        let bytes = model.encode().unwrap();
        assert_eq!(bytes[0], 2);
        assert_eq!(Model::decode(&bytes).unwrap(), model);
    }
}

#[test]
fn the_models_of_segments_keep_theirs() {
    let [weibull, without] = [true, false].map(|clusters| models(clusters).pop().unwrap());
    let segment =
        |level: &str, standing: Standing| Segment { levels: vec![level.into()], rows: 120, events: 60.0, standing };
    let segments = vec![
        segment("a", Standing::Own(without.clone())),
        segment("b", Standing::Pooled("thin".into())),
        segment("c", Standing::Own(weibull.clone())),
    ];
    let segmented = Segmented { pooled: weibull.clone(), segments, common: Vec::new() };
    let mut features = vec![ltv_engine::model::features::Feature {
        name: "plan".into(),
        kind: ltv_engine::model::features::Kind::Segment,
    }];
    features.extend(weibull.features.clone());
    let model = Model { features, fit: Fit::Segmented(Box::new(segmented)), skipped: 0, recalibration: None };
    model.validate().unwrap();
    let bytes = model.encode().unwrap();
    let back = Model::decode(&bytes).unwrap();
    assert_eq!(back, model);
    assert_eq!(back.of_segment(Some("c")).cluster_count(), Some(30));
    assert_eq!(back.of_segment(Some("a")).cluster_count(), None);
}

#[test]
fn forged_clusters_are_refused_or_sound() {
    for model in models(true) {
        let bytes = model.encode().unwrap();
        for at in 17..bytes.len() {
            for change in [1u8, 0x80, 0xff] {
                let mut forged = bytes.clone();
                forged[at] ^= change;
                let fingerprint = ltv_engine::model::codec::fingerprint(&forged[17..]);
                forged[1..17].copy_from_slice(&fingerprint);
                if let Ok(read) = Model::decode(&forged) {
                    let _ = read.coefficients(0.9);
                    if let Fit::Renewal(fit) | Fit::DiscreteTime(fit) = &read.fit {
                        let curve = fit.curve(&[0.5, 1.0]);
                        assert_eq!(curve.times.len(), curve.variance.len());
                    }
                }
            }
        }
    }
}
