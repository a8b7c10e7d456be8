//! Boosted hazards: simulated truth, what must hold for any data, and what no data should do.

mod forged;
mod laws;
mod limits;
mod missing;
mod shapley;
mod truth;

use ltv_engine::boost::hazard::fit;
use ltv_engine::boost::{BoostedHazardFit, Options};
use ltv_engine::hazard::Design;

fn go_on() -> ltv_engine::Result<()> {
    Ok(())
}

fn boosted(design: &Design, options: &Options) -> BoostedHazardFit {
    fit(design, options, &mut go_on).unwrap()
}

/// Numbers between 0 and 1, the same each time (Knuth's MMIX generator, its upper bits).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    fn exponential(&mut self) -> f64 {
        -self.next().ln()
    }
}

/// Rows of four covariates in (0, 1), Weibull times with the log hazard `log_hazard`, censored at random.
struct Simulated {
    design: Design,
    rows: Vec<([f64; 4], f64, bool)>,
}

fn simulated(rows: usize, seed: u64, log_hazard: impl Fn(&[f64; 4]) -> f64) -> Simulated {
    let mut chance = Chance(seed);
    let mut made = Simulated { design: Design::default(), rows: Vec::new() };
    for _ in 0..rows {
        let x = [0; 4].map(|_| chance.next());
        let time = (chance.exponential() / log_hazard(&x).exp()).sqrt() * 10.0;
        let censored = 25.0 * chance.next();
        made.design.push(None, time.min(censored), time <= censored, 1.0, &x).unwrap();
        made.rows.push((x, time.min(censored), time <= censored));
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
