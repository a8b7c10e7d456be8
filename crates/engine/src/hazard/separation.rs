//! Whether some direction among the covariates orders the events so well that the likelihood rises along it for ever.

use std::collections::BinaryHeap;

use crate::hazard::risk_sets::{ROWS_PER_INTERRUPT, RiskSets};
use crate::hazard::timeline::reserve;
use crate::{Interrupt, Result};

/// Differences this small, as a share of the spread of the linear predictor, are rounding.
const TOLERANCE: f64 = 1e-10;

/// Whether at every event time those who die have the largest z = x'`direction` of all at risk (`direction` in scaled
/// units), and at some time a larger one than another at risk.
///
/// The partial likelihood then rises for ever along `direction`: each of its terms tends to the largest value it can
/// have, and at least one gets there only at infinity (Bryson & Johnson 1981, *The incidence of monotone likelihood in
/// the Cox model*, Technometrics 23).
pub(super) fn orders_the_events(sets: &RiskSets, direction: &[f64], interrupt: Interrupt) -> Result<bool> {
    interrupt()?;
    let mut z = Vec::new();
    reserve(&mut z, sets.rows())?;
    z.extend(sets.linear_predictors(direction));
    let largest = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let smallest = z.iter().copied().fold(f64::INFINITY, f64::min);
    let tolerance = TOLERANCE * (largest - smallest);
    if !(tolerance > 0.0 && tolerance < f64::INFINITY) {
        return Ok(false);
    }
    let mut leaves_at = Vec::new();
    reserve(&mut leaves_at, z.len())?;
    leaves_at.resize(z.len(), u32::MAX);
    sets.late.iter().for_each(|late| leaves_at[late.row as usize] = late.group);

    // Time falls, so rows come into the risk sets at their exits and leave them at their entries.
    let (mut highest, mut lowest) = (f64::NEG_INFINITY, f64::INFINITY);
    let (mut late_highest, mut late_lowest) = (BinaryHeap::new(), BinaryHeap::new());
    let mut strictly = false;
    for (g, group) in (0u32..).zip(&sets.groups) {
        if group.opens_stratum {
            (highest, lowest) = (f64::NEG_INFINITY, f64::INFINITY);
            late_highest.clear();
            late_lowest.clear();
        }
        for row in group.first..group.end {
            if row % ROWS_PER_INTERRUPT == 0 {
                interrupt()?;
            }
            if leaves_at[row] == u32::MAX {
                (highest, lowest) = (f64::max(highest, z[row]), f64::min(lowest, z[row]));
            } else {
                late_highest.push((Ordered(z[row]), row));
                late_lowest.push((Ordered(-z[row]), row));
            }
        }
        let top = |heap: &mut BinaryHeap<(Ordered, usize)>| {
            while heap.peek().is_some_and(|(_, row)| leaves_at[*row] <= g) {
                heap.pop();
            }
            heap.peek().map_or(f64::NEG_INFINITY, |(value, _)| value.0)
        };
        let highest_now = highest.max(top(&mut late_highest));
        let lowest_now = lowest.min(-top(&mut late_lowest));
        let deaths = &z[group.first..group.censored];
        if deaths.iter().any(|death| highest_now - death > tolerance) {
            return Ok(false);
        }
        strictly |= deaths.iter().any(|death| death - lowest_now > tolerance);
    }
    Ok(strictly)
}

/// A finite number, in order.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ordered(f64);

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}
