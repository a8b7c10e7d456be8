//! Stored models and portfolios that nobody has stored: they are refused, or they answer.

#[path = "chance/mod.rs"]
mod chance;

use chance::Chance;
use ltv_engine::hazard::cox::{self, Ties};
use ltv_engine::hazard::design::{Design, Row};
use ltv_engine::hazard::parametric;
use ltv_engine::model::codec::{HEADER_BYTES, fingerprint};
use ltv_engine::model::cohorts::Cohorts;
use ltv_engine::model::features::{Feature, Kind, Value};
use ltv_engine::model::hybrid::Role;
use ltv_engine::model::{Fit, Model};
use ltv_engine::numeric::tally::Budget;
use ltv_engine::survival::{Distribution, Sample};
use ltv_engine::value::contract_terms::ContractTerms;
use serde::Serialize;
use serde_json::{Value as Json, json};

fn design(strata: bool) -> Design {
    let mut design = Design::default();
    for i in 0..60u32 {
        let stratum = strata.then_some(["EU", "US"][(i % 2) as usize]);
        let x = [f64::from(i * 7 % 10), f64::from(i % 3)];
        let (exit, event) = (f64::from(1 + i * 13 % 24), i % 4 != 0);
        design.push_row(&Row { exit, event, weight: 1.0, stratum, x: &x, ..Row::default() }).unwrap();
    }
    design
}

fn models() -> Vec<Model> {
    let mut sample = Sample::default();
    (0..40u32).for_each(|i| sample.add(f64::from(i * 7 % 30), i % 3 != 0, Budget::UNLIMITED).unwrap());
    let cohorts = Cohorts::fit(vec![(Vec::new(), sample)]).unwrap();
    let weibull = parametric::fit(&design(false), &Distribution::Weibull, &[], &mut || Ok(())).unwrap();
    vec![
        Model::unnamed(cox::fit(&design(false), Ties::Efron, &mut || Ok(())).unwrap(), 0),
        Model::unnamed(cox::fit(&design(true), Ties::Efron, &mut || Ok(())).unwrap(), 3),
        Model { features: Vec::new(), fit: Fit::KaplanMeier(cohorts), skipped: 0, recalibration: None },
        Model::unnamed(weibull, 0),
    ]
}

/// Changes one place of a document.
fn change(json: &mut Json, chance: &mut Chance) {
    match json {
        Json::Array(parts) if !parts.is_empty() && chance.below(6) > 0 => {
            let at = chance.below(parts.len());
            change(&mut parts[at], chance);
        }
        Json::Object(parts) if !parts.is_empty() && chance.below(9) > 0 => {
            let at = chance.below(parts.len());
            parts.values_mut().nth(at).into_iter().for_each(|part| change(part, chance));
        }
        Json::Array(parts) => match chance.below(4) {
            0 => parts.clear(),
            1 => drop(parts.pop()),
            2 => parts.extend(parts.first().cloned()),
            _ => parts.reverse(),
        },
        Json::Object(parts) => {
            let key = parts.keys().nth(chance.below(parts.len())).cloned();
            key.into_iter().for_each(|key| drop(parts.remove(&key)));
        }
        Json::Bool(flag) => *flag = !*flag,
        Json::String(text) => *text = ["", "x1", "converged", "no_events", "efron"][chance.below(5)].into(),
        _ => {
            let odd =
                [json!(0), json!(-1), json!(1e308), json!(-1e308), json!(1e-320), json!(0.5), json!(3), json!(null)];
            let large = [json!(u64::MAX), json!(u32::MAX), json!(i64::MIN), json!(1e300), json!([]), json!({})];
            let all = [&odd[..], &large[..]].concat();
            *json = all[chance.below(all.len())].clone();
        }
    }
}

/// Asks a model whatever can be asked of one.
fn ask(model: &Model) {
    let _ = (model.algorithm(), model.terms(), model.quality(), model.coefficients(0.95), model.feature_gains());
    let _ = (model.amount_status(), model.check_lifetimes(), model.check_amounts());
    assert_eq!(&Model::decode(&model.encode().unwrap()).unwrap(), model);
    let text = |feature: &Feature| feature.kind.is_text() || matches!(feature.kind, Kind::Stratum);
    for number in [0.3, -1e300] {
        let value = |feature: &Feature| if text(feature) { Value::Text("EU") } else { Value::Number(number) };
        let values: Vec<Value> = model.features.iter().map(value).collect();
        let mut columns = Vec::new();
        let _ = model.allocate_linear_predictor(&values);
        let Ok(subject) = model.subject(&values, &mut columns) else { continue };
        let curve = subject.survival();
        for at in [0.0, 1.5, 24.0, 1e12] {
            let _ = (subject.outlook(at, 2.0, 0.9), subject.cured_share(at), subject.undefined(at));
            let _ = (subject.expected_events(at, at + 3.0, false), subject.expected_events(at, at + 3.0, true));
            if let Ok(Some(probability)) = subject.renewal_probability(at, 2.0) {
                assert!((0.0..=1.0).contains(&probability), "{probability}");
            }
            if let Some(steps) = curve.steps() {
                let _ = (steps.renewal_probability(at, at + 2.0), steps.mean_residual_life(at));
                assert!(steps.survival_at(at).is_none_or(|s| (0.0..=1.0).contains(&s)));
            }
        }
    }
}

#[test]
fn text_that_was_changed_is_refused_or_answers() {
    let mut chance = Chance::new(20);
    let mut accepted = 0;
    for model in models() {
        let whole = serde_json::to_value(&model).unwrap();
        ask(&model);
        for _ in 0..250 {
            let mut forged = whole.clone();
            (0..=chance.below(2)).for_each(|_| change(&mut forged, &mut chance));
            let Ok(model) = serde_json::from_value::<Model>(forged) else { continue };
            if model.validate().is_ok() {
                accepted += 1;
                ask(&model);
            }
        }
    }
    assert!(accepted > 40, "{accepted}");
}

#[test]
fn bytes_that_were_changed_are_refused_or_answer() {
    let mut chance = Chance::new(21);
    for model in models() {
        let whole = model.encode().unwrap();
        for _ in 0..250 {
            let mut bytes = whole.clone();
            for _ in 0..=chance.below(3) {
                let at = HEADER_BYTES + chance.below(bytes.len() - HEADER_BYTES);
                bytes[at] = [0, 1, 0x7f, 0x80, 0xff, chance.below(256) as u8][chance.below(6)];
            }
            let print = fingerprint(&bytes[HEADER_BYTES..]);
            bytes[1..HEADER_BYTES].copy_from_slice(&print);
            if let Ok(model) = Model::decode(&bytes) {
                ask(&model);
            }
        }
    }
}

#[test]
fn changed_terms_are_refused_or_read() {
    let mut chance = Chance::new(22);
    let whole = ContractTerms::new(rust_decimal::Decimal::new(12345, 2)).encode();
    for _ in 0..5000 {
        let mut bytes = whole.clone();
        for _ in 0..=chance.below(3) {
            let at = chance.below(bytes.len());
            bytes[at] = chance.below(256) as u8;
        }
        bytes.truncate(bytes.len() - chance.below(3) / 2 * chance.below(bytes.len()));
        if let Ok(terms) = ContractTerms::decode(&bytes) {
            terms.validate().unwrap();
            assert_eq!(ContractTerms::decode(&terms.encode()).unwrap().encode(), terms.encode());
        }
    }
}

/// As [`Model`] is stored: a hybrid of one renewal model that is a segmented one whose pooled model is a hybrid again.
#[derive(Serialize)]
struct Hybrid {
    components: Vec<(Role, Option<String>, Vec<u8>)>,
    terms: Vec<u8>,
    revenue: Option<String>,
}

#[test]
fn models_within_models_end() {
    let (segmented, hybrid) = (9u8, 13u8);
    let plain = models().remove(0);
    let features = postcard::to_stdvec(&plain.features).unwrap();
    let segment = Feature { name: "plan".into(), kind: Kind::Segment };
    let mut both = vec![segment];
    both.extend(plain.features.iter().cloned());
    let both = postcard::to_stdvec(&both).unwrap();
    let mut stored = plain.encode().unwrap();
    let seal = |payload: &[u8]| [&[2][..], &fingerprint(payload)[..], payload].concat();
    for depth in 0..600 {
        let inner = Hybrid { components: vec![(Role::Renewal, None, stored)], terms: Vec::new(), revenue: None };
        let inner = postcard::to_stdvec(&inner).unwrap();
        // Features, the fit, rows left out; of the segments: the pooled model, no segment, nothing in common.
        let model = [&features[..], &[hybrid], &inner, &[0]].concat();
        if depth == 0 {
            assert!(Model::decode(&seal(&model)).is_ok());
        }
        stored = seal(&[&both[..], &[segmented], &model, &[0, 0], &[0]].concat());
    }
    assert!(Model::decode(&stored).is_err());
}
