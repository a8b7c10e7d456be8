//! The estimate from intervals against an independent iteration in R, published numbers, and its own conditions.

#[path = "../golden_support/mod.rs"]
mod golden_support;

mod golden;
mod properties;
mod worked;

use ltv_engine::numeric::tally::Budget;
use ltv_engine::survival::intervals::IntervalSample;
use ltv_engine::survival::turnbull::{Turnbull, turnbull};

pub fn sample(rows: impl IntoIterator<Item = (f64, f64, f64)>) -> IntervalSample {
    let mut sample = IntervalSample::default();
    for (left, right, weight) in rows {
        sample.add(left, right, weight, || Budget::UNLIMITED).expect("a valid row");
    }
    sample
}

pub fn estimate(sample: &IntervalSample) -> Turnbull {
    turnbull(sample, Budget::UNLIMITED, &mut || Ok(())).expect("an estimate").expect("rows")
}

/// Whether an event at `t` (infinite: never) agrees with the row.
pub fn allows(row: &(f64, f64, f64), t: f64) -> bool {
    let (left, right, _) = *row;
    if left == right { t == left } else { t <= right && (t > left || (left == 0.0 && t == 0.0 && right.is_finite())) }
}

/// Gentleman & Geyer's conditions, from the rows themselves: at every end of a row as a place for mass, Σ w/P over the
/// rows that allow it is at most W, and where the estimate has mass it is W. The largest miss, relative to W.
pub fn missed(rows: &[(f64, f64, f64)], estimate: &Turnbull) -> f64 {
    // Infinite times stand for themselves; an interval of the estimate is told by its right end.
    let probability = |row: &(f64, f64, f64)| -> f64 {
        estimate.intervals.iter().filter(|place| allows(row, place.right)).map(|place| place.mass).sum()
    };
    let total: f64 = rows.iter().map(|row| row.2).sum();
    let shares: Vec<f64> = rows.iter().map(|row| row.2 / probability(row)).collect();
    let gain = |t: f64| -> f64 {
        let there = rows.iter().zip(&shares).filter(|(row, _)| allows(row, t));
        there.map(|(_, share)| share).sum::<f64>() / total - 1.0
    };
    let anywhere = rows.iter().map(|row| gain(row.1)).fold(0.0, f64::max);
    let with_mass = estimate.intervals.iter().map(|place| gain(place.right).abs());
    with_mass.fold(anywhere, f64::max)
}
