//! Samples from known laws: estimates are near the truth, and intervals cover it as often as they say.

use ltv_engine::amount::{Family, Options, fit, fit_tweedie, fit_two_part};
use ltv_engine::hazard::Design;
use ltv_engine::numeric::normal;

use crate::chance::Chance;
use crate::go_on;

const X: [f64; 2] = [0.8, 1.0];
const ROWS: usize = 250;
const SAMPLES: usize = 400;

/// How often, of all samples, the interval of the expected amount at [`X`] covers the truth, and the mean estimate.
fn coverage(truth: f64, mut value: impl FnMut(&mut Chance) -> (f64, f64, f64)) -> (f64, f64) {
    let mut chance = Chance::new(7);
    let (mut covered, mut sum) = (0, 0.0);
    for _ in 0..SAMPLES {
        let (value, lower, upper) = value(&mut chance);
        sum += value;
        covered += usize::from(lower <= truth && truth <= upper);
    }
    (covered as f64 / SAMPLES as f64, sum / SAMPLES as f64)
}

fn sample(chance: &mut Chance, mut amount: impl FnMut(&mut Chance, f64) -> f64) -> Design {
    let mut design = Design::default();
    for _ in 0..ROWS {
        let x = [2.0 * chance.uniform() - 1.0, f64::from(u8::from(chance.uniform() < 0.4))];
        let eta = 1.0 + 0.7 * x[0] - 0.5 * x[1];
        let amount = amount(chance, eta);
        design.push_amount(amount, 1.0, 0.0, &x).unwrap();
    }
    design
}

#[test]
fn intervals_cover_the_truth_as_often_as_they_say() {
    let eta = 1.0 + 0.7 * X[0] - 0.5 * X[1];
    // With so many samples a coverage of 95% is within 0.92 and 0.98 in 99.4% of the cases.
    let check = |name: &str, truth: f64, (covered, mean): (f64, f64)| {
        println!("{name}: covered {covered}, mean {mean} for {truth}");
        assert!((0.92..=0.98).contains(&covered), "{name}: {covered}");
        assert!((mean / truth - 1.0).abs() < 0.02, "{name}: {mean} for {truth}");
    };
    let z = normal::quantile(0.975);
    let one = |design: &Design, family: Family| {
        let said = fit(design, &Options { family, penalty: 0.0 }, &mut go_on).unwrap().expectation(&X, z).unwrap();
        (said.value, said.lower.unwrap(), said.upper.unwrap())
    };
    let linear = coverage(eta, |chance| {
        one(&sample(chance, |chance, eta| eta + 1.5 * normal::quantile(chance.uniform())), Family::Linear)
    });
    check("linear", eta, linear);
    let gamma = coverage(eta.exp(), |chance| {
        one(&sample(chance, |chance, eta| eta.exp() * chance.gamma(1.5) / 1.5), Family::Gamma)
    });
    check("gamma", eta.exp(), gamma);
    let tweedie = coverage(eta.exp(), |chance| {
        let family = Family::Tweedie { power: 1.6 };
        one(&sample(chance, |chance, eta| chance.tweedie(eta.exp(), 1.2, 1.6)), family)
    });
    check("tweedie", eta.exp(), tweedie);
    let p = 1.0 / (1.0 + (-eta).exp());
    let two_part = coverage(p * eta.exp(), |chance| {
        let design = sample(chance, |chance, eta| match chance.uniform() < 1.0 / (1.0 + (-eta).exp()) {
            true => eta.exp() * chance.gamma(2.0) / 2.0,
            false => 0.0,
        });
        let gamma = Options { family: Family::Gamma, penalty: 0.0 };
        let said = fit_two_part(&design, &gamma, 0.0, &mut go_on).unwrap().expectation(&X, z).unwrap();
        (said.value, said.lower.unwrap(), said.upper.unwrap())
    });
    check("two-part", p * eta.exp(), two_part);
}

#[test]
fn the_power_is_found_again() {
    for power in [1.25, 1.6] {
        let mut chance = Chance::new(11);
        let mut design = Design::default();
        for _ in 0..1500 {
            let x = 2.0 * chance.uniform() - 1.0;
            let amount = chance.tweedie((1.0 + 0.7 * x).exp(), 1.2, power);
            design.push_amount(amount, 1.0, 0.0, &[x]).unwrap();
        }
        let found = fit_tweedie(&design, 0.0, &mut go_on).unwrap();
        let Family::Tweedie { power: estimate } = found.family else { panic!() };
        println!("power {estimate} for {power}");
        assert!((estimate - power).abs() < 0.05, "{estimate} for {power}");
        assert!((found.coefficients[0].unwrap() - 0.7).abs() < 3.0 * found.standard_error(0).unwrap());
        // No other power is more likely.
        for other in [estimate - 0.02, estimate + 0.02] {
            let options = Options { family: Family::Tweedie { power: other }, penalty: 0.0 };
            let other = fit(&design, &options, &mut go_on).unwrap();
            assert!(other.log_likelihood.unwrap() < found.log_likelihood.unwrap());
        }
    }
}
