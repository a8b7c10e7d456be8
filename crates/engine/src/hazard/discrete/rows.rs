//! The rows of a design on a clock of whole periods, without writing them out as person-periods.

use crate::hazard::design::Design;
use crate::hazard::scaling::out_of_range;
use crate::hazard::timeline::reserve;
use crate::numeric::sum::Sum;
use crate::{Error, Interrupt, Result};

/// Most periods, and most numbers that the means of the covariates per period may take.
pub const MOST_PERIODS: usize = 10_000;
pub const MOST_MEANS: usize = 1_000_000;
/// Times this close to a whole number of periods, as a share of it, are that number.
const WHOLE: f64 = 1e-9;
const ROWS_PER_INTERRUPT: usize = 1 << 14;

/// The periods in which each row is at risk: `first..end`, the event in the last of them where there is one.
pub struct Rows<'a> {
    pub covariates: usize,
    /// Rows × covariates, row-major.
    pub x: &'a [f64],
    pub weights: &'a [f64],
    pub offsets: &'a [f64],
    pub events: std::borrow::Cow<'a, [bool]>,
    /// Empty when all rows are at risk from the first period.
    pub firsts: Vec<u32>,
    /// Empty when all rows leave after the first period.
    pub ends: Vec<u32>,
    /// Weighted mean of each covariate over the rows.
    pub means: Vec<f64>,
    /// The inverse of its standard deviation; 0 for a constant.
    pub scales: Vec<f64>,
    /// By weight, per period.
    pub at_risk: Vec<f64>,
    pub deaths: Vec<f64>,
    /// Whether everybody at risk in a period has the event in it.
    pub sure: Vec<bool>,
    /// Rows with a time that was not a whole number of periods.
    pub rounded: u64,
    /// Rows that come and leave within one and the same period.
    pub left_out: u64,
    /// Rows that count, events among them, and the periods they sum to.
    pub used: usize,
    pub used_events: usize,
    pub person_periods: u64,
}

impl<'a> Rows<'a> {
    /// One decision per row: the first and only period, whatever the times are.
    pub fn decisions(design: &'a Design, interrupt: Interrupt) -> Result<Rows<'a>> {
        let mut rows = Self::of(design, interrupt)?;
        rows.used = design.len();
        rows.used_events = design.events().iter().filter(|event| **event).count();
        rows.person_periods = rows.used as u64;
        match rows.weights {
            // What the sums below come to, for counts are whole.
            [] => {
                (rows.at_risk, rows.deaths) = (vec![rows.used as f64], vec![rows.used_events as f64]);
                rows.sure = vec![rows.used == rows.used_events];
            }
            _ => rows.count(1),
        }
        Ok(rows)
    }

    /// Times divided by `period` and rounded up.
    pub fn periods(design: &'a Design, period: f64, interrupt: Interrupt) -> Result<Rows<'a>> {
        super::check_length(period)?;
        let mut rows = Self::of(design, interrupt)?;
        let n = design.len();
        reserve(&mut rows.ends, n)?;
        if !design.entries().is_empty() {
            reserve(&mut rows.firsts, n)?;
        }
        for (i, exit) in design.exits().iter().enumerate() {
            if i % ROWS_PER_INTERRUPT == 0 {
                interrupt()?;
            }
            let entry = design.entries().get(i).copied().unwrap_or(0.0);
            let ((end, end_is_whole), (first, first_is_whole)) = (whole(*exit, period)?, whole(entry, period)?);
            // An event at the very start is one of the first period.
            let end = if end == 0 && design.events()[i] { 1 } else { end };
            rows.rounded += u64::from(!(end_is_whole && first_is_whole));
            if end > first {
                rows.used += 1;
                rows.used_events += usize::from(design.events()[i]);
                rows.person_periods += u64::from(end - first);
            } else {
                rows.left_out += 1;
            }
            rows.ends.push(end.max(first));
            if !design.entries().is_empty() {
                rows.firsts.push(first);
            }
        }
        let periods = rows.ends.iter().copied().max().unwrap_or(0) as usize;
        if periods == 0 || rows.used == 0 {
            return Err(Error::invalid(
                "no row lasts a whole period",
                "Check the length of the period against the unit of the durations.",
            ));
        }
        if periods > MOST_PERIODS || periods.saturating_mul(rows.covariates) > MOST_MEANS {
            return Err(Error::invalid(
                format!("{periods} periods with {} covariates are too many", rows.covariates),
                format!(
                    "At most {MOST_PERIODS} periods, and {MOST_MEANS} periods times covariates: choose a longer period, as 30 for days in months."
                ),
            ));
        }
        rows.count(periods);
        Ok(rows)
    }

    fn of(design: &'a Design, interrupt: Interrupt) -> Result<Rows<'a>> {
        if design.is_empty() {
            return Err(Error::invalid(
                "a regression needs at least one row",
                "Check the filter, and whether every row has a NULL among its features.",
            ));
        }
        if !design.uppers().is_empty() {
            return Err(Error::invalid(
                "this regression needs exact or right-censored times",
                "For times known to an interval only fit a parametric model.",
            ));
        }
        if !design.strata().is_empty() && design.strata().names().len() > 1 {
            return Err(Error::invalid(
                "this regression has no strata",
                "Add the strata to the covariates as 0/1 columns, or fit a model per stratum with GROUP BY.",
            ));
        }
        let (means, scales) = centre_and_scale(design, interrupt)?;
        Ok(Rows {
            covariates: design.covariates(),
            x: design.x(),
            weights: design.weights(),
            offsets: design.offsets(),
            events: design.events().into(),
            firsts: Vec::new(),
            ends: Vec::new(),
            means,
            scales,
            at_risk: Vec::new(),
            deaths: Vec::new(),
            sure: Vec::new(),
            rounded: 0,
            left_out: 0,
            used: 0,
            used_events: 0,
            person_periods: 0,
        })
    }

    /// Counts who is at risk and who has the event in each period.
    fn count(&mut self, periods: usize) {
        let (mut change, mut deaths) = (vec![Sum::default(); periods + 1], vec![Sum::default(); periods]);
        // The same in rows: those who leave less those who come, and those who leave alive.
        let mut leavers = vec![0i64; periods + 1];
        let mut died = vec![0i64; periods];
        for row in 0..self.len() {
            let (first, end) = self.span(row);
            if end > first {
                let weight = self.weight(row);
                // Who leaves after a period; the sum over all later ones is at risk in it.
                change[end].add(weight);
                change[first].add(-weight);
                leavers[end] += 1;
                leavers[first] -= 1;
                if self.events[row] {
                    deaths[end - 1].add(weight);
                    died[end - 1] += 1;
                }
            }
        }
        self.deaths = deaths.iter().map(Sum::total).collect();
        let (mut at_risk, mut rows) = (Sum::default(), 0);
        self.at_risk = vec![0.0; periods];
        self.sure = vec![false; periods];
        for period in (0..periods).rev() {
            at_risk.add(change[period + 1].total());
            rows += leavers[period + 1];
            // Rounding must not leave someone at risk where the last has gone.
            self.at_risk[period] = if rows == died[period] { self.deaths[period] } else { at_risk.total() };
            self.sure[period] = rows > 0 && rows == died[period];
        }
    }

    /// Takes out the periods in which everybody at risk has the event: their hazard is 1 whatever the coefficients,
    /// and for the others these rows are survivors.
    pub fn take_out_sure(&mut self) {
        if !self.sure.contains(&true) {
            return;
        }
        if self.ends.is_empty() {
            self.ends = vec![1; self.len()];
        }
        for row in 0..self.len() {
            let (first, end) = self.span(row);
            if end > first && self.sure[end - 1] {
                self.ends[row] -= 1;
                self.events.to_mut()[row] = false;
            }
        }
    }

    pub fn len(&self) -> usize {
        self.events.len()
    }

    #[inline]
    pub fn span(&self, row: usize) -> (usize, usize) {
        (self.firsts.get(row).map_or(0, |first| *first as usize), self.ends.get(row).map_or(1, |end| *end as usize))
    }

    #[inline]
    pub fn weight(&self, row: usize) -> f64 {
        self.weights.get(row).copied().unwrap_or(1.0)
    }
}

/// `time` in periods, rounded up, and whether it was a whole number.
fn whole(time: f64, period: f64) -> Result<(u32, bool)> {
    let periods = time / period;
    let nearest = periods.round();
    let is_whole = (periods - nearest).abs() <= WHOLE * nearest.max(1.0);
    let rounded = if is_whole { nearest } else { periods.ceil() };
    if rounded > f64::from(u32::MAX) {
        return Err(Error::invalid(
            format!("{time} is more periods of {period} than can be counted"),
            "Choose a longer period.",
        ));
    }
    Ok((rounded as u32, is_whole))
}

/// The weighted mean of each covariate and the inverse of its standard deviation (by the sum of the weights).
fn centre_and_scale(design: &Design, interrupt: Interrupt) -> Result<(Vec<f64>, Vec<f64>)> {
    const BLOCK: usize = 1024;
    let p = design.covariates();
    if p == 0 {
        return Ok((Vec::new(), Vec::new()));
    }
    // Distances to the first row are exact for a constant, and small beside the squares of the spread for anything else.
    let origin = &design.x()[..p];
    let mut total = Sum::default();
    let (mut sums, mut squares) = (vec![Sum::default(); p], vec![Sum::default(); p]);
    let (mut sum, mut square, mut varies) = (vec![0.0; p], vec![0.0; p], vec![false; p]);
    for (block, x) in design.x().chunks(BLOCK * p).enumerate() {
        if block % (ROWS_PER_INTERRUPT / BLOCK) == 0 {
            interrupt()?;
        }
        sum.fill(0.0);
        square.fill(0.0);
        let mut weights = 0.0;
        for (i, row) in x.chunks_exact(p).enumerate() {
            let weight = design.weights().get(block * BLOCK + i).copied().unwrap_or(1.0);
            weights += weight;
            for ((((sum, square), value), origin), varies) in
                sum.iter_mut().zip(&mut square).zip(row).zip(origin).zip(&mut varies)
            {
                let distance = value - origin;
                *varies |= distance != 0.0;
                *sum += weight * distance;
                *square += weight * distance * distance;
            }
        }
        total.add(weights);
        sums.iter_mut().zip(&sum).for_each(|(sums, sum)| sums.add(*sum));
        squares.iter_mut().zip(&square).for_each(|(squares, square)| squares.add(*square));
    }
    let total = total.total();
    let mut scales = Vec::with_capacity(p);
    let mut means = Vec::with_capacity(p);
    for (i, ((sum, square), origin)) in sums.iter().zip(&squares).zip(origin).enumerate() {
        let shift = sum.total() / total;
        let variance = square.total() / total - shift * shift;
        let too_small = varies[i] && square.total() / total < f64::MIN_POSITIVE;
        if too_small || !(origin + shift + variance).is_finite() {
            return Err(out_of_range(i));
        }
        means.push(origin + shift);
        scales.push(if variance > 0.0 { 1.0 / variance.sqrt() } else { 0.0 });
    }
    Ok((means, scales))
}
