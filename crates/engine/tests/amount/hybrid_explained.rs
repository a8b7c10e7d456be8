//! What a hybrid's value is associated with, against its definition: all orders of the components, and a fine integral
//! along each component's line.

use ltv_engine::amount::{Family, Options, fit};
use ltv_engine::hazard::design::Design;
use ltv_engine::hazard::parametric;
use ltv_engine::model::features::{Feature, Kind, Value};
use ltv_engine::model::hybrid::{Amounts, Component, HybridFit, Role};
use ltv_engine::model::subject::Subject;
use ltv_engine::model::{Fit, Model};
use ltv_engine::survival::Distribution;

use crate::go_on;

const ROLES: [Role; 4] = [Role::Renewal, Role::Expansion, Role::Margin, Role::Cost];
const FEATURES: [&str; 3] = ["usage", "seats", "age"];
/// By role, which of the features it reads.
const READ: [[usize; 2]; 4] = [[0, 1], [0, 2], [1, 2], [0, 1]];

fn data() -> Vec<[f64; 3]> {
    let share = |i: u32, by: u32| f64::from(i * by % 97) / 97.0;
    (0..90).map(|i| [share(i, 31), 5.0 * share(i, 57), share(i, 11) - 0.5]).collect()
}

fn named(fit: impl Into<Fit>, read: [usize; 2]) -> Model {
    let features = read.map(|at| Feature { name: FEATURES[at].into(), kind: Kind::Numeric }).to_vec();
    Model { features, fit: fit.into(), skipped: 0, recalibration: None }
}

fn components() -> Vec<Model> {
    let models = READ.iter().zip(ROLES).map(|(read, role)| {
        let mut design = Design::default();
        for (i, row) in data().iter().enumerate() {
            let x = read.map(|at| row[at]);
            let noise = 0.02 * f64::from(i as u32 * 13 % 7);
            let amount = match role {
                Role::Renewal => {
                    let life = 6.0 * (1.0 + x[0]) + x[1] + f64::from(i as u32 * 17 % 11);
                    design.push(None, life, i % 4 != 0, 1.0, &x).unwrap();
                    continue;
                }
                Role::Expansion => (0.3 * x[0] + 0.5 * x[1] - 2.0).exp() + 0.1 * noise,
                Role::Margin => 0.6 + 0.04 * x[0] - 0.2 * x[1] + noise,
                Role::Cost => 3.0 + 2.0 * x[0] + 0.5 * x[1] + noise,
            };
            design.push_amount(amount, 1.0, 0.0, &x).unwrap();
        }
        match role {
            Role::Renewal => named(parametric::fit(&design, &Distribution::Weibull, &[], &mut go_on).unwrap(), *read),
            Role::Expansion | Role::Cost => {
                named(fit(&design, &Options { family: Family::Gamma, penalty: 0.0 }, &mut go_on).unwrap(), *read)
            }
            Role::Margin => {
                named(fit(&design, &Options { family: Family::Linear, penalty: 0.0 }, &mut go_on).unwrap(), *read)
            }
        }
    });
    models.collect()
}

fn hybrid(models: &[Model]) -> Model {
    let parts = ROLES.iter().zip(models).map(|(role, model)| Component::new(*role, None, model.clone()).unwrap());
    HybridFit::model(parts.collect(), None, None).unwrap()
}

/// What a contract is worth, more crookedly than any terms have it.
fn worth(stays: f64, expansion: f64, margin: f64, cost: f64) -> f64 {
    100.0 * stays * (1.0 + expansion).powi(3) * margin - cost * (0.2 + stays)
}

fn quantity(subject: &Subject, amounts: &Amounts) -> ltv_engine::Result<Option<f64>> {
    let [expansion, margin, cost] = [amounts.expansion, amounts.margin, amounts.cost].map(Option::unwrap);
    let stays = subject.renewal_probability(1.0, 9.0)?;
    Ok(stays.map(|stays| worth(stays, expansion, margin, cost)))
}

/// What a component says at a place.
fn said(model: &Model, role: Role, x: [f64; 2]) -> f64 {
    let values = x.map(Value::Number);
    let mut columns = Vec::new();
    if role == Role::Renewal {
        return model.subject(&values, &mut columns).unwrap().renewal_probability(1.0, 9.0).unwrap().unwrap();
    }
    model.appraise(&values, 0.95, &mut columns).unwrap().unwrap().expectation.value
}

fn orders(left: &[usize]) -> Vec<Vec<usize>> {
    if left.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for next in left {
        let rest: Vec<usize> = left.iter().copied().filter(|other| other != next).collect();
        all.extend(orders(&rest).into_iter().map(|mut order| {
            order.insert(0, *next);
            order
        }));
    }
    all
}

fn by_definition(models: &[Model], row: [f64; 3]) -> [f64; 3] {
    let rows = data();
    let mean: [f64; 3] = std::array::from_fn(|at| rows.iter().map(|row| row[at]).sum::<f64>() / rows.len() as f64);
    let at = |component: usize, x: [f64; 2]| said(&models[component], ROLES[component], x);
    let place = |component: usize, from: [f64; 3]| READ[component].map(|at| from[at]);
    let mut parts = [0.0; 3];
    let orders = orders(&[0, 1, 2, 3]);
    for component in 0..4 {
        // By share of the line and feature: the derivative of what the component says, times the way.
        let steps = 64;
        let mut line = Vec::new();
        for step in 0..=steps {
            let share = f64::from(step) / f64::from(steps);
            let (from, to) = (place(component, mean), place(component, row));
            let here: [f64; 2] = std::array::from_fn(|at| from[at] + share * (to[at] - from[at]));
            let slopes: [f64; 2] = std::array::from_fn(|feature| {
                let moved = |by: f64| {
                    let mut x = here;
                    x[feature] += by * (to[feature] - from[feature]);
                    at(component, x)
                };
                let h = 2e-3;
                (8.0 * (moved(h) - moved(-h)) - moved(2.0 * h) + moved(-2.0 * h)) / (12.0 * h)
            });
            let simpson = if step == 0 || step == steps { 1.0 } else { 2.0 + 2.0 * f64::from(step % 2) };
            line.push((simpson / (3.0 * f64::from(steps)), at(component, here), slopes));
        }
        for order in &orders {
            let before = order.iter().take_while(|other| **other != component);
            let mut ends: [f64; 4] = std::array::from_fn(|other| at(other, place(other, mean)));
            before.for_each(|other| ends[*other] = at(*other, place(*other, row)));
            for (weight, own, slopes) in &line {
                let with = |value: f64| {
                    let mut all = ends;
                    all[component] = value;
                    worth(all[0], all[1], all[2], all[3])
                };
                // Of a polynomial of the third degree at most.
                let h = 1e-2;
                let slope =
                    (8.0 * (with(own + h) - with(own - h)) - with(own + 2.0 * h) + with(own - 2.0 * h)) / (12.0 * h);
                for (feature, own) in READ[component].iter().zip(slopes) {
                    parts[*feature] += weight * slope * own / orders.len() as f64;
                }
            }
        }
    }
    parts
}

#[test]
fn parts_are_those_of_all_orders_and_of_the_line() {
    let models = components();
    let hybrid = hybrid(&models);
    assert_eq!(hybrid.features.iter().map(|feature| &feature.name[..]).collect::<Vec<_>>(), FEATURES);
    // Where the margin is that of the average row, though its features are not: there the slope takes over.
    let Fit::Amount(margin) = &models[2].fit else { panic!() };
    let ratio = margin.coefficients[0].unwrap() / margin.coefficients[1].unwrap();
    let rows = data();
    let mean = |at: usize| rows.iter().map(|row| row[at]).sum::<f64>() / rows.len() as f64;
    let level = [0.9, mean(1) + 0.7, mean(2) - 0.7 * ratio];
    let Fit::Amount(growth) = &models[1].fit else { panic!() };
    let ratio = growth.coefficients[0].unwrap() / growth.coefficients[1].unwrap();
    let grown = [mean(0) + 0.3, 1.0, mean(2) - 0.3 * ratio];
    for row in [[0.9, 4.0, 0.4], [0.1, 0.3, -0.5], [0.5, 4.9, 0.1], level, grown] {
        let found = hybrid.allocate_hybrid(&row.map(Value::Number), 0.0, quantity).unwrap().unwrap().unwrap();
        let own: Vec<f64> = (0..4).map(|at| said(&models[at], ROLES[at], READ[at].map(|at| row[at]))).collect();
        assert!((found.prediction - worth(own[0], own[1], own[2], own[3])).abs() < 1e-12 * found.prediction.abs());
        let sum: f64 = found.parts.iter().sum();
        assert!((sum - (found.prediction - found.baseline)).abs() < 1e-11, "{sum}");
        let expected = by_definition(&models, row);
        for (part, expected) in found.parts.iter().zip(expected) {
            assert!((part - expected).abs() < 1e-9 * (1.0 + expected.abs()), "{row:?}: {part} is not {expected}");
        }
    }
}

#[test]
fn a_component_alone_explains_itself() {
    let models = components();
    let alone = Component::new(Role::Renewal, None, models[0].clone()).unwrap();
    let hybrid = HybridFit::model(vec![alone], None, None).unwrap();
    let row = [Value::Number(0.2), Value::Number(3.0)];
    let seen = |subject: &Subject| subject.renewal_probability(0.0, 9.0);
    let found = hybrid.allocate_hybrid(&row, 0.0, |subject, _| seen(subject)).unwrap().unwrap().unwrap();
    assert_eq!(found, models[0].allocate(&row, 0.0, seen).unwrap().unwrap().unwrap());
}

#[test]
fn what_has_no_value_has_no_parts() {
    let models = components();
    let hybrid = hybrid(&models);
    let told = |row: [Value; 3]| hybrid.allocate_hybrid(&row, 0.0, quantity).unwrap();
    let number = Value::Number;
    assert_eq!(told([number(0.1), Value::Null, number(0.1)]).unwrap_err().to_string(), "missing feature: seats");
    let why = told([number(0.1), number(0.2), number(-9.0)]).unwrap_err().to_string();
    assert!(why.starts_with("the margin of this row must be at most 1, and is 2."), "{why}");
    let nothing = hybrid.allocate_hybrid(&[0.1, 0.2, 0.3].map(number), 0.0, |_, _| Ok(None)).unwrap().unwrap();
    assert!(nothing.is_none());
    assert!(models[0].allocate_hybrid(&[0.1, 0.2].map(number), 0.0, quantity).is_err());
}
