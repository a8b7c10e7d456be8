//! Sums over the risk sets of a subdistribution, from the last event time back.

use crate::Result;
use crate::hazard::timeline::reserve;
use crate::numeric::sum::two_sum;

/// Per event time Σ r and Σ r x over the rows that are there: first what leaves after it (less what comes), then, summed
/// from the end, what is at risk.
///
/// Who comes late is added by when he leaves and taken away again by when he came. The greater his risk beside that of
/// those who were there before, the more his rounding would be all that is left of them: with late entries the sums carry
/// their rounding errors.
#[derive(Debug)]
pub(super) struct RiskSums {
    width: usize,
    totals: Vec<f64>,
    /// Empty when nobody comes late.
    errors: Vec<f64>,
}

impl RiskSums {
    /// # Errors
    /// [`crate::Error::OutOfRange`] when memory is exhausted.
    pub fn new(cells: usize, width: usize, is_late: bool) -> Result<RiskSums> {
        let room = |length: usize| {
            let mut column = Vec::new();
            reserve(&mut column, length)?;
            column.resize(length, 0.0);
            Ok::<Vec<f64>, crate::Error>(column)
        };
        Ok(RiskSums { width, totals: room(cells)?, errors: room(if is_late { cells } else { 0 })? })
    }

    pub fn clear(&mut self) {
        self.totals.fill(0.0);
        self.errors.fill(0.0);
    }

    /// Adds r and r x to what leaves after an event time and before the next.
    #[inline]
    pub fn add(&mut self, at: usize, r: f64, x: &[f64]) {
        let cells = at * self.width..(at + 1) * self.width;
        match self.errors.get_mut(cells.clone()) {
            None => add(&mut self.totals[cells], r, x),
            Some(errors) => {
                let terms = std::iter::once(r).chain(x.iter().map(|x| r * x));
                carry(&mut self.totals[cells], errors, terms);
            }
        }
    }

    /// What leaves after a time was at risk at it and before.
    pub fn accumulate(&mut self) {
        let width = self.width;
        for at in (width..self.totals.len()).step_by(width).rev() {
            let (earlier, later) = self.totals.split_at_mut(at);
            let (to, from) = (&mut earlier[at - width..], &later[..width]);
            if self.errors.is_empty() {
                to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
                continue;
            }
            let (earlier, later) = self.errors.split_at_mut(at);
            let errors = &mut earlier[at - width..];
            carry(to, errors, from.iter().copied());
            errors.iter_mut().zip(&later[..width]).for_each(|(to, from)| *to += from);
        }
        self.totals.iter_mut().zip(&self.errors).for_each(|(total, error)| *total += error);
    }

    /// Σ r and Σ r x at an event time.
    pub fn of(&self, at: usize) -> &[f64] {
        &self.totals[at * self.width..(at + 1) * self.width]
    }

    pub fn of_mut(&mut self, at: usize) -> &mut [f64] {
        &mut self.totals[at * self.width..(at + 1) * self.width]
    }
}

/// Adds with the rounding errors.
#[inline]
fn carry(totals: &mut [f64], errors: &mut [f64], terms: impl Iterator<Item = f64>) {
    for ((total, error), term) in totals.iter_mut().zip(errors).zip(terms) {
        let (sum, rounded) = two_sum(*total, term);
        *total = sum;
        *error += rounded;
    }
}

/// Adds r and r x to sums of 1 + p numbers.
#[inline]
pub(super) fn add(sums: &mut [f64], r: f64, x: &[f64]) {
    if let Some((total, sums)) = sums.split_first_mut() {
        *total += r;
        sums.iter_mut().zip(x).for_each(|(sum, x)| *sum += r * x);
    }
}
