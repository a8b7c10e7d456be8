//! For which horizon and age each kind of model answers, and which it refuses.

use ltv_engine::amount::{Family, Options, fit};
use ltv_engine::hazard::design::Design;
use ltv_engine::hazard::{Ties, fine_gray, parametric};
use ltv_engine::model::features::{Feature, Kind};
use ltv_engine::model::hybrid::{Component, HybridFit, Role};
use ltv_engine::model::{Fit, Model};
use ltv_engine::survival::Distribution;
use ltv_engine::value::ContractTerms;
use rust_decimal::Decimal;

use crate::go_on;

fn model(fit: impl Into<Fit>) -> Model {
    let features = vec![Feature { name: "usage".into(), kind: Kind::Numeric }];
    Model { features, fit: fit.into(), skipped: 0, recalibration: None }
}

fn lasting() -> Model {
    let mut design = Design::default();
    for i in 0..40u32 {
        design.push(None, f64::from(1 + i % 13), i % 3 != 0, 1.0, &[f64::from(i % 7)]).unwrap();
    }
    model(parametric::fit(&design, &Distribution::Weibull, &[], &mut go_on).unwrap())
}

fn of_one_cause() -> Model {
    let mut design = Design::default();
    for i in 0..40u32 {
        design.push_cause(0.0, f64::from(1 + i % 13), (i % 3) as i32, 1.0, &[f64::from(i % 7)]).unwrap();
    }
    model(fine_gray::fit(&design, 1, Ties::Efron, &mut go_on).unwrap())
}

fn spent() -> Model {
    let mut design = Design::default();
    for i in 0..40u32 {
        design.push_amount(f64::from(1 + i % 13), 1.0, 0.0, &[f64::from(i % 7)]).unwrap();
    }
    model(fit(&design, &Options { family: Family::Linear, penalty: 0.0 }, &mut go_on).unwrap())
}

fn hybrid(own: Option<(u32, f64)>) -> Model {
    let terms = own.map(|(horizon, given)| {
        let mut terms = ContractTerms::new(Decimal::TEN);
        (terms.plain.horizon, terms.plain.given) = (horizon, given);
        terms
    });
    let renewal = Component::new(Role::Renewal, None, lasting()).unwrap();
    HybridFit::model(vec![renewal], terms.as_ref(), None).unwrap()
}

fn refused<T: std::fmt::Debug>(answer: ltv_engine::Result<T>, naming: &[&str]) {
    let said = answer.unwrap_err().to_string();
    assert!(naming.iter().all(|part| said.contains(part)), "{said}");
}

#[test]
fn a_model_of_durations_has_any_horizon_and_age() {
    for model in [lasting(), of_one_cause()] {
        assert_eq!(model.horizon(None).unwrap(), Some(12.0));
        assert_eq!(model.horizon(Some(3.5)).unwrap(), Some(3.5));
        assert!(model.check_age(7.0).is_ok());
    }
}

#[test]
fn a_hybrid_has_that_of_its_terms_alone() {
    let own = hybrid(Some((24, 6.0)));
    assert_eq!(own.horizon(None).unwrap(), Some(24.0));
    assert_eq!(own.horizon(Some(24.0)).unwrap(), Some(24.0));
    refused(own.horizon(Some(12.0)), &["24", "12"]);
    assert!(own.check_age(0.0).is_ok() && own.check_age(6.0).is_ok());
    refused(own.check_age(7.0), &["6", "7"]);
    let bare = hybrid(None);
    assert_eq!(bare.horizon(Some(12.0)).unwrap(), None);
    assert!(bare.check_age(0.0).is_ok());
}

#[test]
fn amounts_have_neither() {
    assert_eq!(spent().horizon(None).unwrap(), None);
    refused(spent().horizon(Some(12.0)), &["linear", "12"]);
    assert!(spent().check_age(0.0).is_ok());
    refused(spent().check_age(3.0), &["linear", "3"]);
}

#[test]
fn no_number_is_refused_by_all() {
    for model in [lasting(), of_one_cause(), spent(), hybrid(Some((24, 0.0))), hybrid(None)] {
        for horizon in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            refused(model.horizon(Some(horizon)), &["horizon", &horizon.to_string()]);
        }
        for given in [-1.0, f64::NAN, f64::INFINITY] {
            refused(model.check_age(given), &["given", &given.to_string()]);
        }
    }
}

#[test]
fn an_incidence_is_known_until_the_longest_duration() {
    assert_eq!(of_one_cause().known_until(), Some(13.0));
    assert!([lasting(), spent(), hybrid(None)].iter().all(|model| model.known_until().is_none()));
}
