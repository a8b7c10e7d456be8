//! Weights by the inverse probability to be seen, where rows are censored and some were there only from an entry on.
//!
//! Whoever ends before the entry is never seen, so that those who end early are too few. A row that ends at T is seen with
//! a probability in proportion to G(T−) H(T−), one that lasts beyond the horizon h is there with G(h) H(h): G is the survival
//! of the censoring time, H the distribution of the entry time, both by product limits over the rows (Geskus 2011,
//! *Cause-specific cumulative incidence estimation and the Fine and Gray model under both left truncation and right censoring*,
//! Biometrics 67, formulas 6 to 8). The share of a cause among rows that are weighed by their inverses is the Aalen–Johansen
//! estimate, exactly. What is assumed is that neither entry nor censoring hangs on the end or on what predicts it.

use crate::assess::concordance::{Outcomes, tie_times};
use crate::numeric::sum::Sum;
use crate::{Interrupt, Result};

/// Rows between two questions whether to go on.
const ROWS_PER_INTERRUPT: usize = 1 << 16;
/// A share of those at risk below which nobody is left.
const NOBODY: f64 = 1e-12;

#[derive(Clone, Copy)]
struct Moment {
    time: f64,
    row: usize,
    is_exit: bool,
}

/// The share that is left when `gone` of `there` go.
fn left(there: f64, gone: f64) -> f64 {
    if there - gone > NOBODY * there { 1.0 - gone / there } else { 0.0 }
}

/// The weight of each row, in the order given: 0 for one of which nothing is known at the horizon, as it was censored before
/// or came later. They add up to the weight of all rows that were ever there. `None` where nobody is seen beyond the horizon,
/// and where for a time before it nobody is there.
pub(super) fn weights(outcomes: Outcomes, horizon: f64, interrupt: Interrupt) -> Result<Option<Vec<f64>>> {
    let (exits, entries) = tie_times(outcomes);
    let rows = exits.len();
    // At risk when entry < t ≤ exit; who comes and goes at one time never is.
    let is_ever_there = |row: &usize| entries[*row] == 0.0 || entries[*row] < exits[*row];
    let mut moments = Vec::with_capacity(2 * rows);
    for row in (0..rows).filter(is_ever_there) {
        moments.push(Moment { time: exits[row], row, is_exit: true });
        if entries[row] > 0.0 {
            moments.push(Moment { time: entries[row], row, is_exit: false });
        }
    }
    interrupt()?;
    // The order of the rows at a time is that of their numbers, so that sums do not depend on the sort.
    moments.sort_unstable_by(|a, b| a.time.total_cmp(&b.time).then(a.row.cmp(&b.row)));
    interrupt()?;
    let slots: Vec<&[Moment]> = moments.chunk_by(|a, b| a.time == b.time).collect();
    let entered = entered(outcomes, &slots);
    let mut told = vec![0.0; rows];
    let mut at_risk: f64 =
        (0..rows).filter(|row| entries[*row] == 0.0).map(|row| outcomes.weight(row)).collect::<Sum>().total();
    let mut uncensored = 1.0;
    let mut beyond = entered.first().map_or(1.0, |(before, _)| *before);
    for (at, (slot, (before, after))) in slots.iter().zip(&entered).enumerate() {
        if at % ROWS_PER_INTERRUPT == ROWS_PER_INTERRUPT - 1 {
            interrupt()?;
        }
        if slot[0].time > horizon {
            break;
        }
        let seen = uncensored * before;
        let (mut ended, mut censored, mut came) = (0.0, 0.0, 0.0);
        for moment in *slot {
            let weight = outcomes.weight(moment.row);
            match (moment.is_exit, outcomes.events[moment.row]) {
                (false, _) => came += weight,
                (true, false) => censored += weight,
                (true, true) => {
                    if seen <= 0.0 {
                        return Ok(None);
                    }
                    ended += weight;
                    told[moment.row] = weight / seen;
                }
            }
        }
        if censored > 0.0 {
            uncensored *= left(at_risk - ended, censored);
        }
        at_risk += came - ended - censored;
        beyond = uncensored * after;
    }
    if beyond <= 0.0 {
        return Ok(None);
    }
    for row in (0..rows).filter(is_ever_there) {
        if exits[row] > horizon && entries[row] <= horizon {
            told[row] = outcomes.weight(row) / beyond;
        }
    }
    let of_all = (0..rows).filter(is_ever_there).map(|row| outcomes.weight(row)).collect::<Sum>().total();
    let total = told.iter().copied().collect::<Sum>().total();
    if !(total > 0.0 && total.is_finite()) {
        return Ok(None);
    }
    told.iter_mut().for_each(|weight| *weight *= of_all / total);
    Ok(Some(told))
}

/// H just before each time and after it: the product over the later entries of the share of those there who had come before.
fn entered(outcomes: Outcomes, slots: &[&[Moment]]) -> Vec<(f64, f64)> {
    let mut entered = vec![(1.0, 1.0); slots.len()];
    let (mut before, mut there) = (1.0, 0.0);
    for (slot, told) in slots.iter().zip(&mut entered).rev() {
        let sum = |is_exit: bool| -> f64 {
            let of = slot.iter().filter(|moment| moment.is_exit == is_exit);
            of.map(|moment| outcomes.weight(moment.row)).sum()
        };
        // `there` holds those who leave later and have come by now.
        let (coming, leaving) = (sum(false), sum(true));
        told.1 = before;
        if coming > 0.0 {
            before *= left(there, coming);
            there -= coming;
        }
        there += leaving;
        told.0 = before;
    }
    entered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(rows: &[(f64, f64, bool)], horizon: f64) -> Option<Vec<f64>> {
        let (entries, exits): (Vec<f64>, Vec<f64>) = rows.iter().map(|(entry, exit, _)| (*entry, *exit)).unzip();
        let events: Vec<bool> = rows.iter().map(|(.., event)| *event).collect();
        let outcomes = Outcomes { exits: &exits, events: &events, entries: &entries, weights: &[] };
        weights(outcomes, horizon, &mut || Ok(())).unwrap()
    }

    #[test]
    fn by_hand() {
        // At risk 2 at 1, then one more comes at 2: 2 at 3, of whom one ends; the one left is censored at 5.
        // H(1−) = 1/2 (one of two who are there after 2 had come before), S = 1/2 · 1/2.
        let told = found(&[(0.0, 1.0, true), (0.0, 3.0, true), (2.0, 5.0, false)], 4.0).unwrap();
        // 1/(1/2), 1, 1 are 4: of a total of 3 that is 3/2, 3/4, 3/4. Ended by 1: 1/2, by 3: 3/4.
        for (told, by_hand) in told.iter().zip([1.5, 0.75, 0.75]) {
            assert!((told - by_hand).abs() < 1e-15, "{told} {by_hand}");
        }
        // Who comes after the horizon says nothing at it.
        let told = found(&[(0.0, 1.0, true), (0.0, 3.0, true), (2.0, 5.0, false)], 1.5).unwrap();
        assert_eq!(told, [1.5, 1.5, 0.0]);
    }

    #[test]
    fn gaps_and_ends_have_no_weights() {
        assert_eq!(found(&[(0.0, 1.0, true), (2.0, 3.0, true)], 2.5), None);
        assert_eq!(found(&[(0.0, 1.0, true), (0.0, 2.0, false)], 2.5), None);
        assert_eq!(found(&[], 1.0), None);
        // Who comes and goes at one time is never there.
        assert_eq!(found(&[(0.0, 1.0, true), (0.0, 4.0, false), (2.0, 2.0, true)], 3.0), Some(vec![1.0, 1.0, 0.0]));
    }
}
