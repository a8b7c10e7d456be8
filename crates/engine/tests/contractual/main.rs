//! The contractual models: reference numbers, published numbers, laws, degenerate input.

#[path = "../chance/mod.rs"]
mod chance;
mod degenerate;
mod golden;
#[path = "../golden_support/mod.rs"]
mod golden_support;
mod properties;
mod published;

use ltv_engine::btyd::renewals::Survivors;
use ltv_engine::btyd::{ContractualFit, Family, Renewals, fit_contractual};
use ltv_engine::numeric::tally::Budget;
use ltv_engine::survival::Sample;

fn go_on() -> ltv_engine::Result<()> {
    Ok(())
}

fn fit(renewals: Renewals, family: Family) -> ContractualFit {
    let fit = fit_contractual(renewals, family, 1.0, &mut go_on).unwrap();
    fit.validate().unwrap();
    fit
}

/// The fit to one cohort's table of survivors, from period 0 on.
fn fit_survivors(survivors: &[f64], family: Family) -> ContractualFit {
    fit(of_survivors(survivors).unwrap(), family)
}

fn of_survivors(survivors: &[f64]) -> ltv_engine::Result<Renewals> {
    let row =
        |(period, survivors): (u32, &f64)| Survivors { cohort: None, period: f64::from(period), survivors: *survivors };
    let mut rows: Vec<Survivors> = (0..).zip(survivors).map(row).collect();
    Renewals::of_survivors(&mut rows)
}

/// A sample of (entry, duration, churned, weight).
fn sample(rows: &[(f64, f64, bool, f64)]) -> Sample {
    let mut sample = Sample::default();
    for (entry, duration, churned, weight) in rows {
        sample.add_row(*entry, *duration, *churned, *weight, Budget::UNLIMITED).unwrap();
    }
    sample
}

/// Fader & Hardie 2007, table 1: of 1000 customers, after 0 to 12 years.
const REGULAR: [f64; 13] = [1000.0, 631.0, 468.0, 382.0, 326.0, 289.0, 262.0, 241.0, 223.0, 207.0, 194.0, 183.0, 173.0];
const HIGH_END: [f64; 13] =
    [1000.0, 869.0, 743.0, 653.0, 593.0, 551.0, 517.0, 491.0, 468.0, 445.0, 427.0, 409.0, 394.0];
