//! What must hold of any data: weights are repetitions, the order of rows says nothing, parts merge, stored forms are
//! exact, forged ones are refused or sound.

use ltv_engine::amount::{AmountFit, Family, Options, fit, fit_two_part};
use ltv_engine::hazard::{Design, Status};
use ltv_engine::model::features::Value;
use ltv_engine::model::{Fit, Model};
use proptest::prelude::*;

use crate::go_on;

type Row = (f64, u8, [f64; 2]);

fn row() -> impl Strategy<Value = Row> {
    let amount = prop_oneof![Just(0.0), 0.1f64..50.0, 0.1f64..50.0];
    (amount, 1u8..4, -2.0f64..2.0, prop::bool::ANY)
        .prop_map(|(amount, weight, x, group)| (amount, weight, [x, f64::from(u8::from(group))]))
}

fn design(rows: &[Row], repeated: bool) -> Design {
    let mut design = Design::default();
    for (amount, weight, x) in rows {
        for _ in 0..if repeated { *weight } else { 1 } {
            let weight = if repeated { 1.0 } else { f64::from(*weight) };
            design.push_amount(*amount, weight, 0.0, x).unwrap();
        }
    }
    design
}

fn families(rows: &[Row]) -> Vec<Family> {
    let mut families = vec![Family::Linear, Family::Tweedie { power: 1.3 }, Family::Tweedie { power: 1.7 }];
    if rows.iter().all(|(amount, ..)| *amount > 0.0) {
        families.push(Family::Gamma);
    }
    families
}

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * (1.0 + a.abs().max(b.abs()))
}

fn same(one: &AmountFit, other: &AmountFit) -> Result<(), TestCaseError> {
    prop_assert_eq!(&one.status, &other.status);
    if one.status != Status::Converged {
        return Ok(());
    }
    prop_assert!(close(one.level, other.level, 1e-7), "{} {}", one.level, other.level);
    for i in 0..2 {
        match (one.coefficients[i], other.coefficients[i]) {
            (Some(a), Some(b)) => prop_assert!(close(a, b, 1e-7), "{a} {b}"),
            (None, None) => {}
            differ => prop_assert!(false, "{differ:?}"),
        }
        if let (Some(a), Some(b)) = (one.standard_error(i), other.standard_error(i)) {
            prop_assert!(close(a, b, 1e-6), "{a} {b}");
        }
    }
    prop_assert!(close(one.deviance, other.deviance, 1e-9));
    prop_assert!(close(one.null_deviance, other.null_deviance, 1e-9));
    if let (Some(a), Some(b)) = (one.log_likelihood, other.log_likelihood) {
        // Where next to nothing is left to explain, the likelihood has no bound.
        let met = one.deviance <= 1e-9 * one.null_deviance;
        prop_assert!(met || close(a, b, 1e-6), "{a} {b}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn weights_are_repetitions_and_the_order_says_nothing(rows in prop::collection::vec(row(), 8..24)) {
        let mut turned = rows.clone();
        turned.reverse();
        for family in families(&rows) {
            let options = Options { family, penalty: 0.0 };
            let weighted = fit(&design(&rows, false), &options, &mut go_on).unwrap();
            same(&weighted, &fit(&design(&rows, true), &options, &mut go_on).unwrap())?;
            same(&weighted, &fit(&design(&turned, false), &options, &mut go_on).unwrap())?;
        }
    }

    #[test]
    fn what_the_rows_add_is_the_deviance_of_the_fit(rows in prop::collection::vec(row(), 8..24)) {
        let all = design(&rows, false);
        let summed = |model: &Model| {
            let mut sum = 0.0;
            for (amount, weight, x) in &rows {
                let values = x.map(Value::Number);
                sum += f64::from(*weight) * model.amount_deviance(&values, *amount, &mut Vec::new()).unwrap()?;
            }
            Some(sum)
        };
        for family in families(&rows) {
            let found = fit(&all, &Options { family, penalty: 0.3 }, &mut go_on).unwrap();
            let (status, deviance) = (found.status.clone(), found.deviance);
            if status == Status::Converged {
                let sum = summed(&Model::unnamed(found, 0)).unwrap();
                prop_assert!(close(sum, deviance, 1e-9), "{family:?}: {sum} {deviance}");
            }
        }
        // Of two parts it is the deviance of whether there is an amount, and of how much in units of its dispersion.
        let gamma = Options { family: Family::Gamma, penalty: 0.3 };
        let found = fit_two_part(&all, &gamma, 0.3, &mut go_on).unwrap();
        let parts = found.amount.clone().filter(|_| !found.always()).and_then(|part| Some((part.deviance, part.dispersion?)));
        let decisions = -2.0 * found.occurrence.log_likelihood;
        let is_fitted = found.is_trustworthy();
        if let Some((deviance, dispersion)) = parts.filter(|(_, dispersion)| is_fitted && *dispersion > 1e-6) {
            let sum = summed(&Model::unnamed(found, 0)).unwrap();
            let reference = decisions + deviance / dispersion;
            prop_assert!(close(sum, reference, 1e-9), "{sum} {reference}");
        }
    }

    #[test]
    fn designs_merge_and_are_stored_exactly(rows in prop::collection::vec(row(), 0..30), at in 0usize..30) {
        let at = at.min(rows.len());
        let whole = design(&rows, false);
        let mut merged = design(&rows[..at], false);
        merged.merge(&design(&rows[at..], false)).unwrap();
        prop_assert_eq!(&merged, &whole);
        prop_assert_eq!(&Design::decode(&whole.encode()).unwrap(), &whole);
    }

    #[test]
    fn models_are_stored_exactly(rows in prop::collection::vec(row(), 3..12)) {
        let all = design(&rows, false);
        let mut fits: Vec<Fit> = Vec::new();
        for family in families(&rows) {
            fits.push(fit(&all, &Options { family, penalty: 0.5 }, &mut go_on).unwrap().into());
        }
        let gamma = Options { family: Family::Gamma, penalty: 0.0 };
        fits.push(fit_two_part(&all, &gamma, 0.0, &mut go_on).unwrap().into());
        for fit in fits {
            let model = Model::unnamed(fit, 0);
            prop_assert_eq!(&Model::decode(&model.encode().unwrap()).unwrap(), &model);
            let text = serde_json::to_string(&model).unwrap();
            prop_assert_eq!(serde_json::from_str::<Model>(&text).unwrap(), model);
        }
    }
}

#[test]
fn forged_designs_are_refused_or_sound() {
    let rows: Vec<Row> = (0..6).map(|i| (f64::from(i), 1 + (i % 3) as u8, [0.5 * f64::from(i), 1.0])).collect();
    let bytes = design(&rows, false).encode();
    for length in 0..bytes.len() {
        assert!(Design::decode(&bytes[..length]).is_err());
    }
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut forged = bytes.clone();
            forged[at] ^= 1 << bit;
            if let Ok(read) = Design::decode(&forged) {
                assert!(read.amounts().iter().chain(read.x()).all(|number| number.is_finite()));
                assert!(read.amounts().is_empty() || read.amounts().len() == read.len());
            }
        }
    }
}

#[test]
fn forged_models_are_refused() {
    let rows: Vec<Row> = (0..9).map(|i| (f64::from(i % 4), 1, [f64::from(i), f64::from(i % 2)])).collect();
    let fit = fit(&design(&rows, false), &Options { family: Family::Tweedie { power: 1.5 }, penalty: 0.0 }, &mut go_on);
    let fit = fit.unwrap();
    let forge = |change: fn(&mut AmountFit)| {
        let mut forged = fit.clone();
        change(&mut forged);
        assert!(Model::decode(&Model::unnamed(forged, 0).encode().unwrap()).is_err());
    };
    forge(|fit| fit.level = f64::NAN);
    forge(|fit| fit.covariance[0] = -1.0);
    forge(|fit| fit.covariance.truncate(8));
    forge(|fit| fit.dispersion = Some(f64::INFINITY));
    forge(|fit| fit.family = Family::Tweedie { power: 2.5 });
    forge(|fit| fit.rank = 7);
    forge(|fit| fit.positive = fit.rows + 1);
    forge(|fit| fit.weight = 0.0);
    forge(|fit| fit.status = Status::Separated { terms: vec![9] });
}
