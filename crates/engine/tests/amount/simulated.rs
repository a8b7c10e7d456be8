//! Samples from known laws: estimates are near the truth, and intervals cover it as often as they say.

use ltv_engine::amount::{Family, Options, fit, fit_tweedie, fit_two_part};
use ltv_engine::hazard::Design;
use ltv_engine::numeric::normal;

use crate::go_on;

/// A small generator (SplitMix64), so that samples are the same everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64 + f64::EPSILON / 4.0
    }

    pub fn normal(&mut self) -> f64 {
        normal::quantile(self.uniform())
    }

    /// Marsaglia & Tsang (2000), for any shape.
    pub fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let lift = self.uniform().powf(1.0 / shape);
            return self.gamma(shape + 1.0) * lift;
        }
        let d = shape - 1.0 / 3.0;
        loop {
            let x = normal::quantile(self.uniform());
            let v = (1.0 + x / (9.0 * d).sqrt()).powi(3);
            if v > 0.0 && self.uniform().ln() < x * x / 2.0 + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }

    fn poisson(&mut self, mean: f64) -> u32 {
        let (mut count, mut product) = (0, self.uniform());
        while product > (-mean).exp() {
            count += 1;
            product *= self.uniform();
        }
        count
    }

    /// A Poisson number of gammas with mean μ and variance φ μ^p.
    fn tweedie(&mut self, mean: f64, dispersion: f64, p: f64) -> f64 {
        let count = self.poisson(mean.powf(2.0 - p) / (dispersion * (2.0 - p)));
        let scale = dispersion * (p - 1.0) * mean.powf(p - 1.0);
        (0..count).map(|_| self.gamma((2.0 - p) / (p - 1.0)) * scale).sum()
    }
}

const X: [f64; 2] = [0.8, 1.0];
const ROWS: usize = 250;
const SAMPLES: usize = 400;

/// How often, of all samples, the interval of the expected amount at [`X`] covers the truth, and the mean estimate.
fn coverage(truth: f64, mut value: impl FnMut(&mut Random) -> (f64, f64, f64)) -> (f64, f64) {
    let mut random = Random(7);
    let (mut covered, mut sum) = (0, 0.0);
    for _ in 0..SAMPLES {
        let (value, lower, upper) = value(&mut random);
        sum += value;
        covered += usize::from(lower <= truth && truth <= upper);
    }
    (covered as f64 / SAMPLES as f64, sum / SAMPLES as f64)
}

fn sample(random: &mut Random, mut amount: impl FnMut(&mut Random, f64) -> f64) -> Design {
    let mut design = Design::default();
    for _ in 0..ROWS {
        let x = [2.0 * random.uniform() - 1.0, f64::from(u8::from(random.uniform() < 0.4))];
        let eta = 1.0 + 0.7 * x[0] - 0.5 * x[1];
        let amount = amount(random, eta);
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
    let one = |design: &Design, family: Family| {
        let said = fit(design, &Options { family, penalty: 0.0 }, &mut go_on).unwrap().expectation(&X, 0.95).unwrap();
        (said.value, said.lower.unwrap(), said.upper.unwrap())
    };
    let linear = coverage(eta, |random| {
        one(&sample(random, |random, eta| eta + 1.5 * normal::quantile(random.uniform())), Family::Linear)
    });
    check("linear", eta, linear);
    let gamma = coverage(eta.exp(), |random| {
        one(&sample(random, |random, eta| eta.exp() * random.gamma(1.5) / 1.5), Family::Gamma)
    });
    check("gamma", eta.exp(), gamma);
    let tweedie = coverage(eta.exp(), |random| {
        let family = Family::Tweedie { power: 1.6 };
        one(&sample(random, |random, eta| random.tweedie(eta.exp(), 1.2, 1.6)), family)
    });
    check("tweedie", eta.exp(), tweedie);
    let p = 1.0 / (1.0 + (-eta).exp());
    let two_part = coverage(p * eta.exp(), |random| {
        let design = sample(random, |random, eta| match random.uniform() < 1.0 / (1.0 + (-eta).exp()) {
            true => eta.exp() * random.gamma(2.0) / 2.0,
            false => 0.0,
        });
        let gamma = Options { family: Family::Gamma, penalty: 0.0 };
        let said = fit_two_part(&design, &gamma, 0.0, &mut go_on).unwrap().expectation(&X, 0.95).unwrap();
        (said.value, said.lower.unwrap(), said.upper.unwrap())
    });
    check("two-part", p * eta.exp(), two_part);
}

#[test]
fn the_power_is_found_again() {
    for power in [1.25, 1.6] {
        let mut random = Random(11);
        let mut design = Design::default();
        for _ in 0..1500 {
            let x = 2.0 * random.uniform() - 1.0;
            let amount = random.tweedie((1.0 + 0.7 * x).exp(), 1.2, power);
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
