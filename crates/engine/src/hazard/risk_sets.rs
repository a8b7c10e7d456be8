//! Who is at risk at each event time: a design sorted, centred and scaled so that one sweep over it meets every risk
//! set.

use crate::hazard::design::Design;
use crate::hazard::in_place::InPlace;
use crate::hazard::scaling::centre_and_scale;
use crate::hazard::sweep::dot;
use crate::hazard::timeline::{Order, Timeline, reserve};
use crate::numeric::sum::Sum;
use crate::{Error, Interrupt, Result};

/// Covariates are kept in groups of this many, the last one padded with zeros, for the sake of vector instructions.
pub(super) const LANES: usize = 4;
pub(super) type Lanes = [f64; LANES];

/// Offsets further apart than this within a stratum make hazards whose ratio is beyond the numbers there are.
const WIDEST_OFFSETS: f64 = 400.0;

/// Rows between two questions whether to go on.
pub(crate) const ROWS_PER_INTERRUPT: usize = 1 << 16;

/// The rows of a design that are at risk at some event time: stratum by stratum, and in each the latest exit first.
///
/// Only the order of times matters to a partial likelihood, so each row is known by the last event time at or before
/// its exit and, if it enters late, at or before its entry.
#[derive(Debug, Default)]
pub(super) struct RiskSets<'a> {
    pub covariates: usize,
    /// Event times, falling within each stratum, each with the rows that leave from it on (and before the next).
    pub groups: Vec<Group>,
    /// Where the event times of each stratum start; one more at the end.
    pub strata: Vec<usize>,
    /// Where the rows are when they have not been copied; then there are no `x`, `weights` and `late`, and the groups tell
    /// how many rows there are but not where.
    pub place: Option<InPlace<'a>>,
    /// Kept rows × `chunks`: covariates less `means`, times `scales`.
    pub x: Vec<Lanes>,
    /// Groups of covariates per row.
    pub chunks: usize,
    /// Weights of the kept rows; empty when all are 1.
    pub weights: Vec<f64>,
    /// Weights × e^offset of the kept rows, the offsets less their stratum's centre; empty when nobody has an offset.
    pub(super) offset_weights: Vec<f64>,
    /// What was taken off the offsets of each stratum, lest their exponentials leave the numbers.
    pub offset_centres: Vec<f64>,
    /// The latest exit of each stratum.
    pub max_followup: Vec<f64>,
    /// Late entries in the order in which a sweep of falling time meets them.
    pub late: Vec<Late>,
    /// The same in the order of the rows.
    pub late_by_row: Vec<Late>,
    /// Weighted mean of each covariate over all rows.
    pub means: Vec<f64>,
    /// Powers of two that bring the covariates to a common scale without rounding; 0 for a constant one.
    pub scales: Vec<f64>,
    /// Largest absolute value of each covariate, in centred and scaled units.
    pub largest: Vec<f64>,
    /// Σ w x over the deaths, in centred and scaled units.
    pub death_sum: Vec<f64>,
    /// Σ w (offset − centre) over the deaths.
    pub death_offset: f64,
    /// Σ w over the deaths.
    pub weighted_events: f64,
}

/// One event time: rows `first..censored` die at it, rows `censored..end` leave at it or before the next event time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    pub time: f64,
    /// The latest event time of its stratum: nobody is at risk before its own rows come.
    pub opens_stratum: bool,
    pub first: usize,
    pub censored: usize,
    pub end: usize,
    /// Late rows that enter at or after this event time: `late[..late_end]`.
    pub late_end: usize,
    /// Mean weight of the deaths.
    pub mean_weight: f64,
}

impl Group {
    pub fn deaths(&self) -> usize {
        self.censored - self.first
    }
}

/// A kept row that is not at risk at its `group` (an index into the falling event times) and later groups' times.
#[derive(Debug, Clone, Copy)]
pub(super) struct Late {
    pub row: u32,
    pub group: u32,
}

impl<'a> RiskSets<'a> {
    /// # Errors
    /// [`Error::OutOfRange`] for more rows than 2³² or when memory is exhausted; whatever `interrupt` returns.
    pub fn new(design: &Design, interrupt: Interrupt) -> Result<RiskSets<'a>> {
        RiskSets::with_rows(design, interrupt).map(|(sets, _)| sets)
    }

    /// Also the row of the design that each kept row was.
    pub fn with_rows(design: &Design, interrupt: Interrupt) -> Result<(RiskSets<'a>, Vec<u32>)> {
        if u32::try_from(design.len()).is_err() {
            return Err(Error::OutOfRange(format!("{} rows are more than one fit can take", design.len())));
        }
        let (means, scales) = centre_and_scale(design, interrupt)?;
        let timeline = Timeline::new(design, interrupt)?;
        let order = timeline.order(design.events(), interrupt)?;
        interrupt()?;
        let covariates = design.covariates();
        let chunks = covariates.div_ceil(LANES);
        let mut sets = RiskSets {
            covariates,
            groups: groups(design, &timeline, &order),
            strata: timeline.starts.clone(),
            place: None,
            x: Vec::new(),
            chunks,
            weights: Vec::new(),
            offset_weights: Vec::new(),
            offset_centres: vec![0.0; timeline.starts.len() - 1],
            max_followup: vec![0.0; timeline.starts.len() - 1],
            late: Vec::new(),
            late_by_row: Vec::new(),
            means,
            scales,
            largest: vec![0.0; covariates],
            death_sum: vec![0.0; covariates],
            death_offset: 0.0,
            weighted_events: 0.0,
        };
        sets.gather(design, &order.rows, interrupt)?;
        sets.multiply(design, &order.rows)?;
        if !timeline.passed_at_entry.is_empty() {
            sets.find_late(&order.rows, &timeline)?;
        }
        sets.sum_deaths(interrupt)?;
        for (row, exit) in design.exits().iter().enumerate() {
            let followup = &mut sets.max_followup[timeline.stratum(row)];
            *followup = f64::max(*followup, *exit);
        }
        Ok((sets, order.rows))
    }

    /// Copies the kept rows in their new order, centred and scaled.
    fn gather(&mut self, design: &Design, rows: &[u32], interrupt: Interrupt) -> Result<()> {
        const BLOCK: usize = 64;
        reserve(&mut self.x, rows.len().saturating_mul(self.chunks))?;
        let (full, part) = (self.covariates / LANES, self.covariates % LANES);
        for (i, block) in rows.chunks(BLOCK).enumerate() {
            if i % (ROWS_PER_INTERRUPT / BLOCK) == 0 {
                interrupt()?;
            }
            let start = self.x.len();
            // A copy that does nothing else lets the processor fetch many rows at once.
            for &row in block {
                let at = row as usize * self.covariates;
                let (lanes, rest) = design.x()[at..at + self.covariates].as_chunks::<LANES>();
                self.x.extend_from_slice(&lanes[..full]);
                if part > 0 {
                    let mut last = [0.0; LANES];
                    last[..part].copy_from_slice(rest);
                    self.x.push(last);
                }
            }
            for row in self.x[start..].chunks_exact_mut(self.chunks) {
                let columns =
                    row.as_flattened_mut().iter_mut().zip(&self.means).zip(&self.scales).zip(&mut self.largest);
                for (((value, mean), scale), largest) in columns {
                    *value = (*value - mean) * scale;
                    *largest = largest.max(value.abs());
                }
            }
        }
        if !design.weights().is_empty() {
            reserve(&mut self.weights, rows.len())?;
            self.weights.extend(rows.iter().map(|&row| design.weights()[row as usize]));
        }
        Ok(())
    }

    /// Weights times e^offset. Within a stratum only the differences of offsets matter, so they are centred there.
    fn multiply(&mut self, design: &Design, rows: &[u32]) -> Result<()> {
        if design.offsets().is_empty() {
            return Ok(());
        }
        let offset = |at: usize| design.offsets()[rows[at] as usize];
        reserve(&mut self.offset_weights, rows.len())?;
        let mut at_deaths = Sum::default();
        for (stratum, centre) in self.strata.windows(2).zip(&mut self.offset_centres) {
            let groups = &self.groups[stratum[0]..stratum[1]];
            let (Some(latest), Some(earliest)) = (groups.first(), groups.last()) else { continue };
            let (mut lowest, mut highest) = (f64::INFINITY, f64::NEG_INFINITY);
            for at in latest.first..earliest.end {
                (lowest, highest) = (lowest.min(offset(at)), highest.max(offset(at)));
            }
            if highest - lowest > WIDEST_OFFSETS {
                return Err(Error::invalid(
                    format!("the offsets run from {lowest} to {highest}: more than {WIDEST_OFFSETS} apart"),
                    "An offset is on the scale of the log hazard: give the logarithm of an exposure, not the exposure.",
                ));
            }
            *centre = lowest + (highest - lowest) / 2.0;
            let weight = |at: usize| self.weights.get(at).copied().unwrap_or(1.0);
            self.offset_weights
                .extend((latest.first..earliest.end).map(|at| weight(at) * (offset(at) - *centre).exp()));
            for group in groups {
                (group.first..group.censored).for_each(|at| at_deaths.add(weight(at) * (offset(at) - *centre)));
            }
        }
        self.death_offset = at_deaths.total();
        Ok(())
    }

    fn find_late(&mut self, rows: &[u32], timeline: &Timeline) -> Result<()> {
        let late = |(at, &row): (usize, &u32)| {
            let passed = timeline.passed_at_entry[row as usize];
            (passed > 0).then(|| Late { row: at as u32, group: timeline.group(row as usize, passed) as u32 })
        };
        reserve(&mut self.late, rows.len())?;
        self.late.extend(rows.iter().enumerate().filter_map(late));
        reserve(&mut self.late_by_row, self.late.len())?;
        self.late_by_row.extend_from_slice(&self.late);
        self.late.sort_unstable_by_key(|late| (late.group, late.row));
        let mut end = 0;
        for (i, group) in self.groups.iter_mut().enumerate() {
            while self.late.get(end).is_some_and(|late| late.group as usize <= i) {
                end += 1;
            }
            group.late_end = end;
        }
        Ok(())
    }

    fn sum_deaths(&mut self, interrupt: Interrupt) -> Result<()> {
        let mut sums = vec![Sum::default(); self.death_sum.len()];
        for group in &self.groups {
            for row in group.first..group.censored {
                if row % ROWS_PER_INTERRUPT == 0 {
                    interrupt()?;
                }
                let weight = self.weight(row);
                let x = self.row(row).as_flattened();
                sums.iter_mut().zip(x).for_each(|(sum, value)| sum.add(weight * value));
            }
        }
        self.death_sum = sums.iter().map(Sum::total).collect();
        let weight = |group: &Group| group.mean_weight * group.deaths() as f64;
        self.weighted_events = self.groups.iter().map(weight).collect::<Sum>().total();
        Ok(())
    }

    /// Number of kept rows.
    pub fn rows(&self) -> usize {
        self.place.as_ref().map_or_else(|| self.x.len() / self.chunks, InPlace::rows)
    }

    /// What e^(βx) of each kept row is multiplied by: its weight × e^offset; empty when all are 1.
    pub fn multipliers(&self) -> &[f64] {
        if self.offset_weights.is_empty() { &self.weights } else { &self.offset_weights }
    }

    pub fn weight(&self, row: usize) -> f64 {
        self.weights.get(row).copied().unwrap_or(1.0)
    }

    pub fn row(&self, row: usize) -> &[Lanes] {
        &self.x[row * self.chunks..(row + 1) * self.chunks]
    }

    /// The coefficients `beta` in the layout of the rows.
    pub fn padded(&self, beta: &[f64]) -> Vec<Lanes> {
        let mut padded = vec![[0.0; LANES]; self.chunks];
        padded.as_flattened_mut().iter_mut().zip(beta).for_each(|(to, beta)| *to = *beta);
        padded
    }

    /// βx of each kept row.
    pub fn linear_predictors(&self, beta: &[f64]) -> impl Iterator<Item = f64> {
        let padded = self.padded(beta);
        self.x.chunks_exact(self.chunks).map(move |row| dot(row, &padded))
    }

    /// No |βx| is larger than this.
    pub fn linear_predictor_bound(&self, beta: &[f64]) -> f64 {
        beta.iter().zip(&self.largest).map(|(beta, x)| beta.abs() * x).sum()
    }
}

/// The groups of rows by falling event time, stratum by stratum.
fn groups(design: &Design, timeline: &Timeline, order: &Order) -> Vec<Group> {
    let falling = timeline.starts.windows(2).flat_map(|stratum| {
        let times = timeline.event_times[stratum[0]..stratum[1]].iter().rev().enumerate();
        times.map(|(place, time)| (place == 0, time))
    });
    falling
        .enumerate()
        .map(|(g, (opens_stratum, time))| {
            let (first, censored, end) = (order.starts[2 * g], order.starts[2 * g + 1], order.starts[2 * g + 2]);
            let deaths = &order.rows[first..censored];
            let mean_weight = if design.weights().is_empty() {
                1.0
            } else {
                let sum: Sum = deaths.iter().map(|&row| design.weights()[row as usize]).collect();
                sum.total() / deaths.len() as f64
            };
            Group { time: *time, opens_stratum, first, censored, end, late_end: 0, mean_weight }
        })
        .collect()
}
