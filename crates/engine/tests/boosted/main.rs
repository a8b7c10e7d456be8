//! Boosted hazards: simulated truth, what must hold for any data, and what no data should do.

#[path = "../chance/mod.rs"]
mod chance;
mod forged;
mod held_out;
#[path = "../known_features/mod.rs"]
mod known_features;
mod laws;
mod limits;
mod missing;
mod shapley;
mod truth;
mod windows;

use chance::Chance;
use ltv_engine::boost::hazard::fit;
use ltv_engine::boost::{BoostedHazardFit, Options};
use ltv_engine::hazard::Design;

fn go_on() -> ltv_engine::Result<()> {
    Ok(())
}

fn boosted(design: &Design, options: &Options) -> BoostedHazardFit {
    fit(design, options, &mut go_on).unwrap()
}

/// Rows of four covariates in (0, 1), Weibull times with the log hazard `log_hazard`, censored at chance.
struct Simulated {
    design: Design,
    rows: Vec<([f64; 4], f64, bool)>,
}

fn simulated(rows: usize, seed: u64, log_hazard: impl Fn(&[f64; 4]) -> f64) -> Simulated {
    let mut chance = Chance::new(seed);
    let mut made = Simulated { design: Design::default(), rows: Vec::new() };
    for _ in 0..rows {
        let x = [0; 4].map(|_| chance.uniform());
        let time = (chance.exponential() / log_hazard(&x).exp()).sqrt() * 10.0;
        let censored = 25.0 * chance.uniform();
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
