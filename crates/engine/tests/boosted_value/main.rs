//! Amounts by trees: simulated truth, what must hold for any data, and what no data should do.

#[path = "../chance/mod.rs"]
mod chance;
mod degenerate;
mod forged;
#[path = "../known_features/mod.rs"]
mod known_features;
mod laws;
mod shapley;
mod truth;

use chance::Chance;
use ltv_engine::amount::Family;
use ltv_engine::boost::value::fit;
use ltv_engine::boost::{BoostedValueFit, Options};
use ltv_engine::hazard::Design;

const TWEEDIE: Family = Family::Tweedie { power: 1.5 };

fn go_on() -> ltv_engine::Result<()> {
    Ok(())
}

fn boosted(design: &Design, family: Family, options: &Options) -> BoostedValueFit {
    fit(design, family, options, &mut go_on).unwrap()
}

/// Covariates in (0, 1), the amount and its mean.
type Row = ([f64; 4], f64, f64);

struct Simulated {
    design: Design,
    rows: Vec<Row>,
}

/// Amounts of a family about e^truth, or about the truth: normal ones with a deviation of 1, gammas of shape 2, and a
/// Poisson number – of the mean 2 √μ – of exponentials, whose variance is in proportion to μ^1.5.
fn simulated(rows: usize, seed: u64, family: Family, truth: impl Fn(&[f64; 4]) -> f64) -> Simulated {
    let mut chance = Chance::new(seed);
    let mut made = Simulated { design: Design::default(), rows: Vec::new() };
    for _ in 0..rows {
        let x = [0; 4].map(|_| chance.uniform());
        let mean = family.mean(truth(&x));
        let amount = match family {
            Family::Linear => mean + chance.normal(),
            Family::Gamma => mean * (chance.exponential() + chance.exponential()) / 2.0,
            Family::Tweedie { .. } => {
                let rate = 2.0 * mean.sqrt();
                let (mut total, mut time) = (0.0, chance.exponential());
                while time < rate {
                    total += chance.exponential() * mean / rate;
                    time += chance.exponential();
                }
                total
            }
        };
        made.design.push_amount(amount, 1.0, 0.0, &x).unwrap();
        made.rows.push((x, amount, mean));
    }
    made
}

/// Bent, and with an interaction that no straight line has.
fn bent(x: &[f64; 4]) -> f64 {
    3.0 * (x[0] - 0.5).abs() + if x[1] > 0.5 { 2.0 * x[2] } else { -2.0 * x[2] }
}

fn straight(x: &[f64; 4]) -> f64 {
    x[0] - 2.0 * x[1]
}
