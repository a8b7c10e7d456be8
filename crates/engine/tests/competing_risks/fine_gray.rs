//! Subdistribution and cause-specific regressions of every set, and what must hold for any rows.

use ltv_engine::Result;
use ltv_engine::hazard::{Design, FineGrayFit, Status, Ties, cox, fine_gray};
use ltv_engine::survival::Survival;
use proptest::prelude::*;

use crate::golden_support::Comparison;
use crate::sets::{Set, floats, sets};

const TOLERANCE: f64 = 1e-7;

fn carry_on() -> Result<()> {
    Ok(())
}

fn design(set: &Set) -> Design {
    let mut design = Design::default();
    for (row, x) in set.x.iter().enumerate() {
        let entry = set.entry.get(row).copied().unwrap_or(0.0);
        let weight = set.weight.get(row).copied().unwrap_or(1.0);
        design.push_cause(entry, set.time[row], set.cause[row], weight, x).expect("a valid row");
    }
    design
}

fn fit(design: &Design, cause: i32, ties: Ties) -> FineGrayFit {
    fine_gray::fit(design, cause, ties, &mut carry_on).expect("a fit")
}

#[test]
fn subdistributions_agree_with_finegray_and_coxph() {
    let mut comparison = Comparison::with_tolerance(TOLERANCE);
    for set in sets() {
        let design = design(&set);
        for reference in set.golden["fine_gray"].as_array().into_iter().flatten() {
            let cause = reference["cause"].as_i64().expect("a cause") as i32;
            for (name, ties) in [("efron", Ties::Efron), ("breslow", Ties::Breslow)] {
                let Some(reference) = reference.get(name) else { continue };
                let fit = fit(&design, cause, ties);
                assert_eq!(fit.status, Status::Converged, "{}: cause {cause}, {name}", set.name);
                let place = |quantity: &str, at: usize| format!("{quantity} @ cause {cause}, {name}, {at}");
                let p = fit.coefficients.len();
                let error = |covariance: &[f64], at: usize| covariance[at * (p + 1)].sqrt();
                let list = |quantity: &str| floats(&reference[quantity]);
                for (at, coefficient) in list("coef").into_iter().enumerate() {
                    comparison.check(&set.name, &place("coefficient", at), fit.coefficients[at], Some(coefficient));
                }
                for (at, expected) in list("robust_se").into_iter().enumerate() {
                    comparison.check(&set.name, &place("robust error", at), error(&fit.covariance, at), Some(expected));
                }
                for (at, expected) in list("naive_se").into_iter().enumerate() {
                    let ours = error(&fit.naive_covariance, at);
                    comparison.check(&set.name, &place("naive error", at), ours, Some(expected));
                }
                if let [null, fitted] = list("loglik")[..] {
                    comparison.check(&set.name, &place("null likelihood", 0), fit.log_likelihood_null, Some(null));
                    comparison.check(&set.name, &place("likelihood", 0), fit.log_likelihood, Some(fitted));
                }
                if let Some(wald) = reference["wald"].as_f64() {
                    comparison.check(&set.name, &place("wald", 0), fit.wald_test, Some(wald));
                }
                compare_profiles(&mut comparison, &set.name, &place("", 0), &fit, reference);
            }
        }
    }
    comparison.finish();
}

/// The incidences of the average and of the first row.
fn compare_profiles(
    comparison: &mut Comparison,
    set: &str,
    place: &str,
    fit: &FineGrayFit,
    reference: &serde_json::Value,
) {
    let rows = |quantity: &str| reference[quantity].as_array().cloned().unwrap_or_default();
    let times = floats(&reference["times"]);
    for (number, profile) in rows("profile").iter().enumerate() {
        let x = floats(profile);
        let steps = Survival::Fitted(fit.curve(&x)).steps().expect("a curve");
        let (incidence, errors) = (floats(&rows("incidence")[number]), floats(&rows("log_std_err")[number]));
        for (at, t) in times.iter().enumerate().filter(|(_, t)| **t <= fit.baseline.max_followup) {
            let eta = fit.linear_predictor(&x);
            let name = |quantity: &str| format!("{quantity} {place} @ profile {number}, time {t}");
            comparison.check(set, &name("incidence"), fit.incidence(*t, eta), Some(incidence[at]));
            let survival = steps.survival_at(*t).expect("within the observed time");
            comparison.check(set, &name("one less the curve"), 1.0 - survival, Some(incidence[at]));
            let error = steps.log_variance_at(*t).map(f64::sqrt);
            comparison.check(set, &name("error of the log"), error, Some(errors[at]));
        }
    }
}

#[test]
fn the_hazard_of_a_cause_is_a_cox_model_whose_event_it_is() {
    let mut comparison = Comparison::with_tolerance(TOLERANCE);
    for set in sets() {
        for reference in set.golden["cause_specific"].as_array().into_iter().flatten() {
            let cause = reference["cause"].as_i64().expect("a cause") as i32;
            let mut design = Design::default();
            for (row, x) in set.x.iter().enumerate() {
                let entry = set.entry.get(row).copied();
                let weight = set.weight.get(row).copied().unwrap_or(1.0);
                design.push(entry, set.time[row], set.cause[row] == cause, weight, x).expect("a valid row");
            }
            let fit = cox::fit(&design, Ties::Efron, &mut carry_on).expect("a fit");
            for (at, expected) in floats(&reference["coef"]).into_iter().enumerate() {
                let place = |quantity: &str| format!("{quantity} @ cause {cause}, {at}");
                comparison.check(&set.name, &place("cause-specific"), fit.coefficients[at], Some(expected));
                let error = floats(&reference["se"])[at];
                comparison.check(&set.name, &place("its error"), fit.standard_error(at), Some(error));
            }
        }
    }
    comparison.finish();
}

/// `crr` lets those who end at a time be at risk of being censored then: another weight, told in the documentation.
#[test]
fn crr_differs_by_its_censoring_ties_only() {
    for set in sets() {
        for reference in set.golden["fine_gray"].as_array().into_iter().flatten() {
            let (ours, crr) = (&reference["breslow"], &reference["crr"]);
            if crr.is_null() {
                continue;
            }
            let errors = floats(&ours["robust_se"]);
            for ((ours, theirs), error) in floats(&ours["coef"]).iter().zip(floats(&crr["coef"])).zip(errors) {
                assert!((ours - theirs).abs() < 0.2 * error, "{}: {ours} and {theirs}", set.name);
            }
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Row {
    time: u32,
    cause: i32,
    x: [i32; 2],
    weight: u32,
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (1u32..30, 0i32..3, [-4i32..5, 0i32..2], 1u32..4).prop_map(|(time, cause, x, weight)| Row {
        time,
        cause,
        x,
        weight,
    });
    prop::collection::vec(row, 30..80)
}

fn gathered(rows: &[Row], weighted: bool) -> Design {
    let mut design = Design::default();
    for row in rows {
        let weight = if weighted { f64::from(row.weight) } else { 1.0 };
        design.push_cause(0.0, f64::from(row.time), row.cause, weight, &row.x.map(f64::from)).unwrap();
    }
    design
}

fn close(a: &FineGrayFit, b: &FineGrayFit) -> bool {
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-7 * (1.0 + b.abs());
    a.coefficients.iter().zip(&b.coefficients).all(|(a, b)| match (a, b) {
        (Some(a), Some(b)) => near(*a, *b),
        (a, b) => a.is_none() && b.is_none(),
    }) && near(a.log_likelihood, b.log_likelihood)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn order_parts_and_storage_do_not_matter(rows in rows(), cut in 0usize..30) {
        let whole = gathered(&rows, true);
        let fitted = fit(&whole, 1, Ties::Efron);
        prop_assume!(fitted.status == Status::Converged);
        let backwards: Vec<Row> = rows.iter().rev().copied().collect();
        prop_assert!(close(&fit(&gathered(&backwards, true), 1, Ties::Efron), &fitted));
        let mut parts = gathered(&rows[..cut], true);
        parts.merge(&gathered(&rows[cut..], true)).unwrap();
        prop_assert_eq!(&parts, &whole);
        prop_assert_eq!(&Design::decode(&whole.encode()).unwrap(), &whole);
    }

    #[test]
    fn weights_are_repetitions_with_breslows_ties(rows in rows()) {
        let repeated: Vec<Row> = rows.iter().flat_map(|row| vec![*row; row.weight as usize]).collect();
        let (weighted, repeated) = (fit(&gathered(&rows, true), 1, Ties::Breslow), fit(&gathered(&repeated, false), 1, Ties::Breslow));
        prop_assume!(weighted.status == Status::Converged);
        prop_assert!(close(&weighted, &repeated));
    }

    #[test]
    fn without_other_causes_it_is_a_cox_model(mut rows in rows()) {
        rows.iter_mut().for_each(|row| row.cause = row.cause.min(1));
        let mut design = Design::default();
        for row in &rows {
            design.push(None, f64::from(row.time), row.cause == 1, 1.0, &row.x.map(f64::from)).unwrap();
        }
        for ties in [Ties::Efron, Ties::Breslow] {
            let (subdistribution, cox) = (fit(&gathered(&rows, false), 1, ties), cox::fit(&design, ties, &mut carry_on).unwrap());
            prop_assume!(cox.status == Status::Converged);
            for (a, b) in subdistribution.coefficients.iter().zip(&cox.coefficients) {
                prop_assert!((a.unwrap() - b.unwrap()).abs() < 1e-8);
            }
            for (a, b) in subdistribution.naive_covariance.iter().zip(&cox.covariance) {
                prop_assert!((a - b).abs() < 1e-7 * (1.0 + b.abs()));
            }
        }
    }

    #[test]
    fn damaged_bytes_are_refused_or_rows(rows in rows(), at in 0usize..4000, byte in any::<u8>()) {
        let mut bytes = gathered(&rows, false).encode();
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = Design::decode(&bytes);
    }
}

#[test]
fn odd_designs_are_refused_or_said_to_be_odd() {
    let mut plain = Design::default();
    plain.push(None, 1.0, true, 1.0, &[1.0]).unwrap();
    assert!(fine_gray::fit(&plain, 1, Ties::Efron, &mut carry_on).unwrap_err().to_string().contains("cause"));
    assert!(plain.push_cause(0.0, 1.0, 1, 1.0, &[1.0]).is_err());
    let mut causes = Design::default();
    for (time, cause, x) in [(1.0, 1, 0.0), (2.0, 2, 1.0), (3.0, 0, 2.0), (4.0, 1, 3.0)] {
        causes.push_cause(0.0, time, cause, 1.0, &[x, 2.0 * x, 5.0]).unwrap();
    }
    assert!(causes.push(None, 1.0, true, 1.0, &[1.0, 2.0, 5.0]).is_err());
    assert!(causes.push_cause(0.0, 1.0, 256, 1.0, &[1.0, 2.0, 5.0]).is_err());
    assert!(causes.clone().merge(&plain).is_err());
    for cause in [-1, 0, 256] {
        assert!(fine_gray::fit(&causes, cause, Ties::Efron, &mut carry_on).is_err());
    }
    let fitted = fit(&causes, 1, Ties::Efron);
    assert_eq!(fitted.coefficients[1..], [None, None]);
    let none = fit(&causes, 7, Ties::Efron);
    assert_eq!((none.status, none.events, none.competing), (Status::NoEvents, 0, 3));
    // A covariate that orders the endings: the likelihood rises for ever.
    let mut separated = Design::default();
    for (time, cause, x) in [(1.0, 1, 3.0), (2.0, 1, 2.0), (3.0, 2, 1.0), (4.0, 0, 0.0)] {
        separated.push_cause(0.0, time, cause, 1.0, &[x]).unwrap();
    }
    let status = fit(&separated, 1, Ties::Efron).status;
    assert!(matches!(status, Status::Separated { .. }), "{status:?}");
    assert!(fine_gray::fit(&Design::default(), 1, Ties::Efron, &mut carry_on).is_err());
    let mut stop = || Err(ltv_engine::Error::Canceled);
    assert_eq!(fine_gray::fit(&causes, 1, Ties::Efron, &mut stop), Err(ltv_engine::Error::Canceled));
}
