//! One sweep over the rows, from the latest exit to the earliest, that meets the risk set of every event time.

use std::ops::Range;

use crate::hazard::increment::Tie;
use crate::hazard::risk_sets::{Group, LANES, Lanes, ROWS_PER_INTERRUPT, RiskSets};
use crate::numeric::sum::{Sum, two_sum};
use crate::{Interrupt, Result};

/// What a sweep knows at one event time, all in units of e^shift: Σ r and Σ r x over the risk set, and over the deaths.
#[derive(Debug)]
pub(super) struct RiskSet<'a> {
    pub group: &'a Group,
    pub total: f64,
    pub total_x: &'a [Lanes],
    pub deaths: f64,
    pub deaths_x: &'a [Lanes],
}

impl RiskSet<'_> {
    pub fn tie(&self) -> Tie {
        let (deaths, mean_weight) = (self.group.deaths(), self.group.mean_weight);
        Tie { total: self.total, dying: self.deaths, deaths, mean_weight }
    }
}

impl RiskSets<'_> {
    /// Visits the risk sets of all event times, the latest of each stratum first, at the coefficients `beta` (padded,
    /// scaled).
    ///
    /// Fills `risk` with r = w e^(offset + βx − shift) per row. The running sums carry their rounding errors, so that what late
    /// entries add and take away again leaves no trace.
    pub fn sweep(
        &self,
        beta: &[Lanes],
        shift: f64,
        risk: &mut [f64],
        interrupt: Interrupt,
        mut visit: impl FnMut(&RiskSet, Interrupt) -> Result<()>,
    ) -> Result<()> {
        let zero = vec![[0.0; LANES]; self.chunks];
        let (mut total, mut total_x) = (Sum::default(), RunningSums::new(self.chunks));
        let mut leaving = Leaving { rows: 0, total: 0.0, x: zero.clone() };
        let (mut deaths_x, mut now_x) = (zero.clone(), zero);
        let mut late_done = 0;
        for group in &self.groups {
            if group.opens_stratum {
                total = Sum::default();
                total_x.clear();
            }
            leaving.clear();
            self.accumulate(group.first..group.censored, beta, shift, risk, interrupt, &mut leaving)?;
            let deaths = leaving.total;
            deaths_x.copy_from_slice(&leaving.x);
            self.accumulate(group.censored..group.end, beta, shift, risk, interrupt, &mut leaving)?;
            if self.late.is_empty() {
                total.add(leaving.total);
                total_x.add(1.0, &leaving.x);
            } else {
                // What is to be taken away must have been added one by one.
                let comes = (group.first..group.end).map(|row| (row, risk[row]));
                let goes = self.late[late_done..group.late_end].iter().map(|late| late.row as usize);
                let goes = goes.map(|row| (row, -risk[row]));
                for (i, (row, r)) in comes.chain(goes).enumerate() {
                    if i % ROWS_PER_INTERRUPT == ROWS_PER_INTERRUPT - 1 {
                        interrupt()?;
                    }
                    total.add(r);
                    total_x.add(r, self.row(row));
                }
                late_done = group.late_end;
            }
            total_x.read(&mut now_x);
            visit(&RiskSet { group, total: total.total(), total_x: &now_x, deaths, deaths_x: &deaths_x }, interrupt)?;
        }
        Ok(())
    }

    /// Adds the rows `rows` to `leaving`; the common widths are compiled on their own, so that the sums stay in
    /// registers.
    fn accumulate(
        &self,
        rows: Range<usize>,
        beta: &[Lanes],
        shift: f64,
        risk: &mut [f64],
        interrupt: Interrupt,
        leaving: &mut Leaving,
    ) -> Result<()> {
        let mut start = rows.start;
        while start < rows.end {
            let end = rows.end.min(start + (ROWS_PER_INTERRUPT - leaving.rows));
            let x = &self.x[start * self.chunks..end * self.chunks];
            let weights = self.multipliers().get(start..end).unwrap_or(&[]);
            let risk = &mut risk[start..end];
            match self.chunks {
                1 => leaving.add_rows::<1>(x, weights, beta, shift, risk),
                2 => leaving.add_rows::<2>(x, weights, beta, shift, risk),
                3 => leaving.add_rows::<3>(x, weights, beta, shift, risk),
                4 => leaving.add_rows::<4>(x, weights, beta, shift, risk),
                _ => leaving.add_wide_rows(x, weights, beta, shift, risk),
            }
            leaving.rows += end - start;
            if leaving.rows == ROWS_PER_INTERRUPT {
                interrupt()?;
                leaving.rows = 0;
            }
            start = end;
        }
        Ok(())
    }
}

/// One [`Sum`] per covariate, laid out for vector instructions.
#[derive(Debug)]
pub(super) struct RunningSums {
    totals: Vec<Lanes>,
    errors: Vec<Lanes>,
}

impl RunningSums {
    pub fn new(chunks: usize) -> Self {
        RunningSums { totals: vec![[0.0; LANES]; chunks], errors: vec![[0.0; LANES]; chunks] }
    }

    pub fn clear(&mut self) {
        self.totals.fill([0.0; LANES]);
        self.errors.fill([0.0; LANES]);
    }

    pub fn add(&mut self, scale: f64, terms: &[Lanes]) {
        self.add_at(0, scale, terms);
    }

    /// Adds to the sums from the place `at` on.
    #[inline(always)]
    pub fn add_at(&mut self, at: usize, scale: f64, terms: &[Lanes]) {
        let sums = self.totals[at..].iter_mut().zip(&mut self.errors[at..]);
        for ((totals, errors), terms) in sums.zip(terms) {
            for lane in 0..LANES {
                let (sum, error) = two_sum(totals[lane], scale * terms[lane]);
                totals[lane] = sum;
                errors[lane] += error;
            }
        }
    }

    /// Adds those of `other`'s sums that start at `at`, with their rounding errors.
    pub fn add_sums(&mut self, sign: f64, other: &RunningSums, at: usize) {
        let (end, errors) = (at + self.totals.len(), &mut self.errors);
        errors
            .as_flattened_mut()
            .iter_mut()
            .zip(other.errors[at..end].as_flattened())
            .for_each(|(to, from)| *to += sign * from);
        self.add(sign, &other.totals[at..end]);
    }

    pub fn read(&self, into: &mut [Lanes]) {
        for ((into, totals), errors) in into.iter_mut().zip(&self.totals).zip(&self.errors) {
            *into = std::array::from_fn(|lane| totals[lane] + errors[lane]);
        }
    }
}

/// Sums over the rows that leave between two event times: r and r x.
#[derive(Debug)]
struct Leaving {
    /// Rows since the last question whether to go on.
    rows: usize,
    total: f64,
    x: Vec<Lanes>,
}

impl Leaving {
    fn clear(&mut self) {
        self.total = 0.0;
        self.x.fill([0.0; LANES]);
    }

    fn add_rows<const CHUNKS: usize>(
        &mut self,
        x: &[Lanes],
        weights: &[f64],
        beta: &[Lanes],
        shift: f64,
        risk: &mut [f64],
    ) {
        let (rows, _) = x.as_chunks::<CHUNKS>();
        let (Some(beta), Some(sums)) = (beta.first_chunk::<CHUNKS>(), self.x.first_chunk_mut::<CHUNKS>()) else {
            return;
        };
        let mut sums_now = *sums;
        for (i, (row, risk)) in rows.iter().zip(risk).enumerate() {
            let r = weights.get(i).copied().unwrap_or(1.0) * (dot(row, beta) - shift).exp();
            *risk = r;
            self.total += r;
            for (sums, values) in sums_now.iter_mut().zip(row) {
                (0..LANES).for_each(|lane| sums[lane] += r * values[lane]);
            }
        }
        *sums = sums_now;
    }

    fn add_wide_rows(&mut self, x: &[Lanes], weights: &[f64], beta: &[Lanes], shift: f64, risk: &mut [f64]) {
        for (i, (row, risk)) in x.chunks_exact(beta.len()).zip(risk).enumerate() {
            let r = weights.get(i).copied().unwrap_or(1.0) * (dot(row, beta) - shift).exp();
            *risk = r;
            self.total += r;
            for (sums, values) in self.x.iter_mut().zip(row) {
                (0..LANES).for_each(|lane| sums[lane] += r * values[lane]);
            }
        }
    }
}

#[inline(always)]
pub(super) fn dot(a: &[Lanes], b: &[Lanes]) -> f64 {
    let mut sums = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        (0..LANES).for_each(|lane| sums[lane] += a[lane] * b[lane]);
    }
    (sums[0] + sums[2]) + (sums[1] + sums[3])
}
