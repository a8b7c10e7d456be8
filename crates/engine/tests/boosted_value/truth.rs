//! The truth that made the data is found again: nearly as well as by a straight line where it is one, and better where
//! it is not.

use ltv_engine::amount::{self, Family};
use ltv_engine::boost::Options;

use crate::{TWEEDIE, bent, boosted, go_on, simulated, straight};

/// Root mean squared distances from the true means of fresh rows, by trees and by the line; and of the true means from
/// their own mean.
fn compared(family: Family, truth: fn(&[f64; 4]) -> f64) -> [f64; 3] {
    let (seen, fresh) = (simulated(4_000, 1, family, truth), simulated(4_000, 2, family, truth));
    let trees = boosted(&seen.design, family, &Options { trees: 300, ..Options::default() });
    let line = amount::fit(&seen.design, &amount::Options { family, penalty: 0.0 }, &mut go_on).unwrap();
    let mean = fresh.rows.iter().map(|row| row.2).sum::<f64>() / fresh.rows.len() as f64;
    let error = |said: &dyn Fn(&[f64; 4]) -> f64| {
        let squares = fresh.rows.iter().map(|(x, _, mean)| (said(x) - mean) * (said(x) - mean));
        (squares.sum::<f64>() / fresh.rows.len() as f64).sqrt()
    };
    let by_line = error(&|x| line.expectation(x, 0.95).unwrap().value);
    [error(&|x| trees.expectation(x).unwrap().value), by_line, error(&|_| mean)]
}

#[test]
fn a_bent_truth_with_an_interaction_is_found_where_a_line_has_none() {
    for (family, share) in [(Family::Linear, 0.4), (Family::Gamma, 0.5), (TWEEDIE, 0.6)] {
        let [trees, line, spread] = compared(family, bent);
        println!("bent {family:?}: {trees} by trees, {line} by the line, {spread} in all");
        assert!(trees < share * line && line < spread, "{family:?}: {trees} by trees, {line} by the line");
    }
}

#[test]
fn a_straight_truth_is_found_nearly_as_well_as_by_a_line() {
    for family in [Family::Linear, Family::Gamma, TWEEDIE] {
        let [trees, line, spread] = compared(family, straight);
        println!("straight {family:?}: {trees} by trees, {line} by the line, {spread} in all");
        assert!(line < 0.15 * spread && trees < 0.3 * spread, "{family:?}: {trees} by trees, {line}, {spread}");
    }
}

#[test]
fn the_gain_is_where_the_truth_is() {
    for family in [Family::Linear, Family::Gamma, TWEEDIE] {
        let fit = boosted(&simulated(4_000, 3, family, bent).design, family, &Options::default());
        let total: f64 = fit.gains.iter().sum();
        assert!(fit.gains[3] < 0.05 * total, "{family:?} {:?}", fit.gains);
        assert!(fit.gains[..3].iter().all(|gain| *gain > 0.05 * total), "{family:?} {:?}", fit.gains);
    }
}
