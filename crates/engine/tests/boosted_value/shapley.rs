//! The contributions to an amount against their definition.

use ltv_engine::amount::Family;
use ltv_engine::boost::{BoostedValueFit, Options};
use ltv_engine::hazard::Design;
use ltv_engine::model::Model;
use ltv_engine::model::amount_explain::AmountScale;
use ltv_engine::model::explain::Allocation;
use ltv_engine::model::features::Value;

use crate::chance::Chance;
use crate::known_features::Read;
use crate::{TWEEDIE, bent, boosted, simulated};

fn allocated(model: &Model, x: &[f64], scale: AmountScale) -> Allocation {
    let values: Vec<Value> = x.iter().map(|x| if x.is_nan() { Value::Null } else { Value::Number(*x) }).collect();
    model.allocate_amount(&values, scale).unwrap().unwrap().unwrap()
}

/// The scale on which features add up without a mean of any kind.
fn own_scale(fit: &BoostedValueFit) -> AmountScale {
    if fit.family.has_log_link() { AmountScale::Logarithm } else { AmountScale::Amount }
}

#[test]
fn contributions_are_shapley_values_beside_the_mean_of_the_trees() {
    for family in [Family::Linear, Family::Gamma, TWEEDIE] {
        let seen = simulated(1_200, 31, family, bent);
        // Of unlike weights, and some lack a value.
        let mut design = Design::default().taking_missing();
        for (at, (x, amount, _)) in seen.rows.iter().enumerate() {
            let x = [x[0], x[1], if at % 6 == 0 { f64::NAN } else { x[2] }, x[3]];
            design.push_amount(*amount, 1.0 + 2.0 * x[1], 0.0, &x).unwrap();
        }
        let fit = boosted(&design, family, &Options { trees: 40, depth: 4, early_stopping: 0, ..Options::default() });
        let read = Read::of(&serde_json::to_value(&fit.trees).unwrap());
        let (level, unit, scale) = (fit.level, fit.scale, own_scale(&fit));
        let model = Model::unnamed(fit, 0);
        let mut chance = Chance::new(32);
        let mut told = [0; 2];
        for at in 0..40 {
            let mut x = [0; 4].map(|_| chance.uniform());
            if at % 5 == 0 {
                x[2] = f64::NAN;
            }
            let found = allocated(&model, &x, scale);
            let baseline = level + unit * read.worth(&x, &|_| false);
            assert!((found.baseline - baseline).abs() < 1e-12 * (1.0 + baseline.abs()), "{family:?} {found:?}");
            for (part, expected) in found.parts.iter().zip(read.contributions(&x, &[0, 1, 2, 3])) {
                assert!((part - unit * expected).abs() < 1e-12, "{family:?}: {part} {}", unit * expected);
                told[usize::from(*part > 0.0)] += 1;
            }
            // In the amount itself they have the same order and signs, and add up to the amount beyond that of the average.
            let amount = allocated(&model, &x, AmountScale::Amount);
            let beyond: f64 = amount.parts.iter().sum();
            assert!((amount.baseline + beyond - amount.prediction).abs() < 1e-12 * (1.0 + amount.prediction.abs()));
            assert!((amount.baseline - family.mean(baseline)).abs() < 1e-12 * (1.0 + amount.baseline.abs()));
            assert!(amount.parts.iter().zip(&found.parts).all(|(amount, part)| amount * part >= 0.0));
        }
        // What raises and what lowers is about as frequent.
        assert!(told.iter().all(|count| *count > 40), "{family:?} {told:?}");
    }
}

#[test]
fn contributions_of_the_rows_fitted_average_to_nothing() {
    for family in [Family::Linear, Family::Gamma, TWEEDIE] {
        let seen = simulated(1_500, 33, family, bent);
        let fit = boosted(&seen.design, family, &Options { trees: 60, early_stopping: 0, ..Options::default() });
        let scale = own_scale(&fit);
        let model = Model::unnamed(fit, 0);
        let (mut total, mut size) = (0.0, 0.0);
        for (x, ..) in &seen.rows {
            let found = allocated(&model, x, scale);
            total += found.prediction - found.baseline;
            size += (found.prediction - found.baseline).abs();
        }
        assert!(total.abs() < 1e-10 * size, "{family:?}: {total} of {size}");
    }
}
