//! Portfolios: the variance of a sum is that of one account when there is one, that of brute force when there are many, and
//! realised values fall into the intervals as often as these say.

use approx::assert_relative_eq;
use chance::Chance;
use ltv_engine::hazard::cox::{self, Ties};
use ltv_engine::hazard::design::Design;
use ltv_engine::hazard::{discrete, parametric};
use ltv_engine::model::errors::of_curve;
use ltv_engine::model::features::{Feature, Kind as FeatureKind, Value};
use ltv_engine::model::{Fit, Model};
use ltv_engine::numeric::tally::Budget;
use ltv_engine::survival::{CurveView, Distribution, Sample, kaplan_meier};
use ltv_engine::value::cash_flow::{Flow, flows};
use ltv_engine::value::outlook::Outlook;
use ltv_engine::value::portfolio::{Kind, Portfolio, Unit};
use ltv_engine::value::run_rate::{Account, PricedLine, run_rate};
use ltv_engine::value::share::{Share, of_months, of_value};
use ltv_engine::value::{TailRule, Terms, Timing, lifetime_value, uncertainty};

#[path = "../chance/mod.rs"]
mod chance;
mod run_rates;
mod simulation;
mod values;

fn euro() -> Unit {
    Unit { currency: Some("EUR".into()), digits: 2 }
}

fn add(portfolio: &mut Portfolio, of: &str, shares: Option<Vec<Share>>) {
    portfolio.add(Kind::Value, &euro(), of, shares.unwrap(), Budget::UNLIMITED).unwrap();
}

/// A row of two numbers and the terms of its contract.
struct Customer {
    x: [f64; 2],
    terms: Terms<'static>,
}

/// Prices, ages, terms and horizons of all kinds.
fn customers(count: usize) -> Vec<Customer> {
    (0..count)
        .map(|i| {
            let n = i as f64;
            Customer {
                x: [(n * 0.37).sin(), f64::from(u8::from(i % 3 == 0))],
                terms: Terms {
                    given: (n * 1.7) % 15.0,
                    horizon: 12 + (i as u32 * 7) % 30,
                    term_months: (i % 4 == 0).then_some(6.0),
                    timing: if i % 2 == 0 { Timing::Advance } else { Timing::Middle },
                    cost_to_serve: 5.0,
                    hazard_ratio: if i % 5 == 0 { 0.8 } else { 1.0 },
                    tail: TailRule::ConstantHazard,
                    minor_digits: 6,
                    ..Terms::new(50.0 + 10.0 * (n % 7.0))
                },
            }
        })
        .collect()
}

/// Lifetimes with hazards that depend on two columns, seen for 20 to 40 months.
fn rows(chance: &mut Chance, count: usize) -> Vec<([f64; 2], f64, bool)> {
    (0..count)
        .map(|_| {
            let x = [2.0 * chance.uniform() - 1.0, f64::from(u8::from(chance.uniform() < 0.3))];
            let rate = 0.03 * (0.5 * x[0] - 0.6 * x[1]).exp();
            let (life, window) = (chance.exponential() / rate, 20.0 + 20.0 * chance.uniform());
            (x, life.min(window), life <= window)
        })
        .collect()
}

fn design(rows: &[([f64; 2], f64, bool)], period: f64) -> Design {
    let mut design = Design::default();
    for (x, exit, event) in rows {
        let exit = if period > 0.0 { (exit / period).ceil() * period } else { *exit };
        design.push(None, exit, *event, 1.0, x).unwrap();
    }
    design
}

fn model(fit: Fit) -> Model {
    let feature = |name: &str| Feature { name: name.into(), kind: FeatureKind::Numeric };
    Model { features: vec![feature("a"), feature("b")], fit, skipped: 0, recalibration: None }
}

fn cox_of(rows: &[([f64; 2], f64, bool)]) -> Model {
    model(Fit::Cox(Box::new(cox::fit(&design(rows, 0.0), Ties::Efron, &mut || Ok(())).unwrap())))
}

fn weibull_of(rows: &[([f64; 2], f64, bool)]) -> Model {
    let fit = parametric::fit(&design(rows, 0.0), &Distribution::Weibull, &[], &mut || Ok(())).unwrap();
    model(Fit::Parametric(Box::new(fit)))
}

fn periods_of(rows: &[([f64; 2], f64, bool)]) -> Model {
    let fit = discrete::fit(&design(rows, 1.0), &discrete::Options::default(), &mut || Ok(())).unwrap();
    model(Fit::DiscreteTime(Box::new(fit)))
}

fn decisions_of(rows: &[([f64; 2], f64, bool)]) -> Model {
    let options = discrete::Options { period: 6.0, ..Default::default() };
    let mut design = Design::default();
    for (x, exit, _) in rows {
        design.push(None, *exit, *exit > 6.0, 1.0, x).unwrap();
    }
    model(Fit::Renewal(Box::new(discrete::fit_decisions(&design, &options, &mut || Ok(())).unwrap())))
}

/// The portfolio of the customers, and for each alone its value and the standard error that lifetime_value has for it.
fn valued(model: &Model, customers: &[Customer]) -> (Portfolio, Vec<f64>, Vec<f64>) {
    let mut portfolio = Portfolio::default();
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    let mut columns = Vec::new();
    for customer in customers {
        let subject = model.subject(&customer.x.map(Value::Number), &mut columns).unwrap();
        subject.view(|curve| {
            let terms = &customer.terms;
            add(&mut portfolio, "m", of_value(curve, terms, |exposure| subject.errors(exposure)).unwrap());
            let outlook = Outlook::new(curve, terms).unwrap();
            let flows = flows(&outlook, terms).unwrap();
            errors.push(uncertainty::variance(&outlook, &flows).unwrap().sqrt());
            values.push(flows.iter().map(Flow::present_value).sum());
        });
    }
    (portfolio, values, errors)
}

fn sample() -> Vec<([f64; 2], f64, bool)> {
    rows(&mut Chance::new(11), 400)
}
