//! Whether some direction among the covariates orders the events so well that the likelihood rises along it for ever.

use std::collections::BinaryHeap;

use crate::hazard::cox::Ties;
use crate::hazard::partial_likelihood::PartialLikelihood;
use crate::hazard::risk_sets::{ROWS_PER_INTERRUPT, RiskSets};
use crate::hazard::timeline::reserve;
use crate::{Interrupt, Result};

/// Differences this small, as a share of the spread of the linear predictor, are rounding.
const TOLERANCE: f64 = 1e-10;

/// Whether at every event time those who die have the largest z = x'`direction` of all at risk (`direction` in scaled
/// units), and at some time a larger one than another at risk. With exact ties they need to be the largest of the
/// others at risk only, in any order among themselves.
///
/// The partial likelihood then rises for ever along `direction`: each of its terms tends to the largest value it can
/// have, and at least one gets there only at infinity (Bryson & Johnson 1981, *The incidence of monotone likelihood in
/// the Cox model*, Technometrics 23).
pub(super) fn orders_the_events(
    likelihood: &PartialLikelihood,
    direction: &[f64],
    interrupt: Interrupt,
) -> Result<bool> {
    let exact = likelihood.ties == Ties::Exact;
    interrupt()?;
    // Asked of few fits, and needs the rows in order.
    let sorted;
    let sets = match &likelihood.sets.place {
        Some(place) => {
            sorted = RiskSets::new(place.design, interrupt)?;
            &sorted
        }
        None => likelihood.sets,
    };
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

    let mut at_risk = AtRisk::default();
    let mut strictly = false;
    for (g, group) in (0u32..).zip(&sets.groups) {
        if group.opens_stratum {
            at_risk = AtRisk::default();
        }
        // With exact ties the deaths are not compared with each other: they come afterwards.
        let rivals = if exact { group.censored..group.end } else { group.first..group.end };
        let rest = if exact { group.first..group.censored } else { 0..0 };
        for row in rivals {
            if row % ROWS_PER_INTERRUPT == 0 {
                interrupt()?;
            }
            at_risk.come(row, z[row], leaves_at[row]);
        }
        let (highest, lowest) = at_risk.limits(g, &leaves_at);
        let deaths = &z[group.first..group.censored];
        if deaths.iter().any(|death| highest - death > tolerance) {
            return Ok(false);
        }
        strictly |= deaths.iter().any(|death| death - lowest > tolerance);
        rest.for_each(|row| at_risk.come(row, z[row], leaves_at[row]));
    }
    Ok(strictly)
}

/// The largest and the smallest z of those at risk. Time falls, so rows come at their exits and leave at their entries.
#[derive(Debug)]
struct AtRisk {
    highest: f64,
    lowest: f64,
    late_highest: BinaryHeap<(Ordered, usize)>,
    late_lowest: BinaryHeap<(Ordered, usize)>,
}

impl Default for AtRisk {
    fn default() -> Self {
        let (late_highest, late_lowest) = (BinaryHeap::new(), BinaryHeap::new());
        AtRisk { highest: f64::NEG_INFINITY, lowest: f64::INFINITY, late_highest, late_lowest }
    }
}

impl AtRisk {
    fn come(&mut self, row: usize, z: f64, leaves_at: u32) {
        if leaves_at == u32::MAX {
            (self.highest, self.lowest) = (self.highest.max(z), self.lowest.min(z));
        } else {
            self.late_highest.push((Ordered(z), row));
            self.late_lowest.push((Ordered(-z), row));
        }
    }

    /// At the event time `g`.
    fn limits(&mut self, g: u32, leaves_at: &[u32]) -> (f64, f64) {
        let top = |heap: &mut BinaryHeap<(Ordered, usize)>| {
            while heap.peek().is_some_and(|(_, row)| leaves_at[*row] <= g) {
                heap.pop();
            }
            heap.peek().map_or(f64::NEG_INFINITY, |(value, _)| value.0)
        };
        let (highest, lowest) = (top(&mut self.late_highest), -top(&mut self.late_lowest));
        (self.highest.max(highest), self.lowest.min(lowest))
    }
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
