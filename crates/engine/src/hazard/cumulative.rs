//! Hazards from the start up to each event time, of which late entries need differences.

use crate::Result;
use crate::hazard::timeline::reserve;
use crate::numeric::sum::Sum;

/// Running sums over event times, one or several beside each other, with their rounding errors.
///
/// Where next to nobody was at risk early on, the hazard up to there is huge beside the one that a later entrant is under
/// from then on: one row of risk e⁻²⁰ makes a hazard of e²⁰, of which the next row's is a difference. It has the accuracy
/// of the terms between only if the sums carry their rounding errors.
#[derive(Debug, Default)]
pub(super) struct Cumulative {
    width: usize,
    /// Event times × width.
    sums: Vec<Sum>,
}

impl Cumulative {
    /// Sums of rows of `width` increments, latest event time first, from the earliest one on; each of the `strata`
    /// (bounds in rows) on its own.
    ///
    /// # Errors
    /// [`crate::Error::OutOfRange`] when memory is exhausted.
    pub fn from_the_end(increments: &[f64], width: usize, strata: &[usize]) -> Result<Cumulative> {
        let mut sums = Vec::new();
        reserve(&mut sums, increments.len())?;
        sums.resize(increments.len(), Sum::default());
        let mut running = vec![Sum::default(); width];
        for stratum in strata.windows(2) {
            running.fill(Sum::default());
            let rows = stratum[0] * width..stratum[1] * width;
            let rows = sums[rows.clone()].chunks_exact_mut(width).zip(increments[rows].chunks_exact(width));
            for (sums, increments) in rows.rev() {
                for ((sum, running), increment) in sums.iter_mut().zip(&mut running).zip(increments) {
                    running.add(*increment);
                    *sum = *running;
                }
            }
        }
        Ok(Cumulative { width, sums })
    }

    /// A column's sum from the event time after `before` (from the start, if `None`) up to that of `row`.
    #[inline]
    pub fn between(&self, before: Option<usize>, row: usize, column: usize) -> f64 {
        let upto = |row: usize| self.sums[row * self.width + column];
        before.map_or(upto(row).total(), |before| upto(row).less(upto(before)))
    }
}

#[cfg(test)]
mod tests {
    use super::Cumulative;

    #[test]
    fn what_came_before_leaves_no_trace() {
        // Latest first: a hazard of 10¹⁷ at the earliest time of the second stratum.
        let sums = Cumulative::from_the_end(&[3.0, 2.0, 0.1, 0.7, 1e17], 1, &[0, 2, 5]).unwrap();
        assert_eq!([0, 1, 4].map(|row| sums.between(None, row, 0)), [5.0, 2.0, 1e17]);
        assert_eq!(sums.between(Some(4), 3, 0), 0.7);
        assert_eq!(sums.between(Some(4), 2, 0), 0.7 + 0.1);
        let beside = Cumulative::from_the_end(&[3.0, 1.0, 2.0, 5.0], 2, &[0, 2]).unwrap();
        assert_eq!([0, 1].map(|column| beside.between(None, 0, column)), [5.0, 6.0]);
    }
}
