//! Who was at risk when: the table from which Kaplan–Meier, Nelson–Aalen and the log-rank tests are read.

use std::convert::Infallible;

use smallvec::{SmallVec, smallvec};

use crate::numeric::tally::Cell;
use crate::survival::sample::Sample;

/// Weights below this share of all are the rounding error of a sum.
pub(super) const ROUNDING: f64 = 1e-12;

/// One number per group; a single one needs no memory of its own.
pub type PerGroup = SmallVec<[f64; 1]>;

/// One distinct time.
#[derive(Debug, Clone, PartialEq)]
pub struct RiskRow {
    pub time: f64,
    pub at_risk: PerGroup,
    pub events: PerGroup,
    pub censored: PerGroup,
    pub entered: PerGroup,
}

/// The distinct times of one or more samples in rising order.
#[derive(Debug, Clone, PartialEq)]
pub struct RiskTable {
    pub rows: Vec<RiskRow>,
}

impl RiskTable {
    /// Counts per time and group. At risk at `t` are those with `entry < t <= duration`.
    ///
    /// Times that differ by 1.5e-8 of themselves or less are one time (see [`distinct_times`]), so that durations like
    /// 0.1 + 0.2 and 0.3 tie as they should.
    pub fn new(samples: &[&Sample]) -> Self {
        let Ok(table) = Self::asking(samples, |_| Ok::<(), Infallible>(()));
        table
    }

    /// As [`RiskTable::new`], asking between groups, and before it takes so many bytes, whether to go on.
    pub fn asking<E>(samples: &[&Sample], mut go_on: impl FnMut(usize) -> Result<(), E>) -> Result<Self, E> {
        let groups = samples.len();
        let mut times = Vec::new();
        for sample in samples {
            go_on(2 * size_of_val(times.as_slice()))?;
            times = union(&times, sample.exits().sorted().iter().map(|cell| cell.key));
            times = union(&times, sample.entries().sorted().iter().map(|cell| cell.key));
        }
        let times = distinct_times(&times);
        let on_the_heap = if groups > 1 { 4 * groups * size_of::<f64>() } else { 0 };
        let needed = times.len().saturating_mul(size_of::<RiskRow>() + on_the_heap);
        go_on(needed)?;

        let empty: PerGroup = smallvec![0.0; groups];
        // A question for about every megabyte that is filled.
        let rows_per_question = ((1 << 20) / (4 * groups.max(1) * size_of::<f64>())).max(1);
        let mut rows: Vec<RiskRow> = Vec::with_capacity(times.len());
        for (at, time) in times.into_iter().enumerate() {
            if at % rows_per_question == 0 {
                go_on(needed)?;
            }
            rows.push(RiskRow {
                time,
                at_risk: empty.clone(),
                events: empty.clone(),
                censored: empty.clone(),
                entered: empty.clone(),
            });
        }
        for (group, sample) in samples.iter().enumerate() {
            go_on(needed)?;
            let exits = sample.exits().sorted();
            spread(&mut rows, &exits, |row, counts| {
                row.events[group] += counts[0];
                row.censored[group] += counts[1];
            });
            spread(&mut rows, &sample.entries().sorted(), |row, counts| row.entered[group] += counts[0]);
            let total: f64 = exits.iter().flat_map(|cell| cell.counts).sum();
            let mut staying: f64 = 0.0;
            for row in rows.iter_mut().rev() {
                staying -= row.entered[group];
                // Weights that are no whole numbers add up to nobody only to rounding.
                if staying.abs() <= ROUNDING * total {
                    staying = 0.0;
                }
                staying += row.events[group] + row.censored[group];
                row.at_risk[group] = staying;
            }
        }
        Ok(RiskTable { rows })
    }

    /// The counts of rising cells, each added to the time that stands for its key.
    pub fn gathered<const K: usize>(&self, cells: &[Cell<K>]) -> Vec<[f64; K]> {
        let mut sums = vec![[0.0; K]; self.rows.len()];
        let mut at = 0;
        for cell in cells {
            while at + 1 < self.rows.len() && self.rows[at + 1].time <= cell.key {
                at += 1;
            }
            if let Some(sum) = sums.get_mut(at) {
                *sum = std::array::from_fn(|k| sum[k] + cell.counts[k]);
            }
        }
        sums
    }
}

/// Two rising lists as one.
pub(super) fn union(left: &[f64], right: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut both = Vec::with_capacity(left.len() + right.size_hint().0);
    let mut left = left.iter().copied().peekable();
    for time in right {
        while let Some(before) = left.next_if(|before| *before < time) {
            both.push(before);
        }
        left.next_if(|same| *same == time);
        both.push(time);
    }
    both.extend(left);
    both
}

/// Adds each cell to the row of its time; both rise.
fn spread<const K: usize>(rows: &mut [RiskRow], cells: &[Cell<K>], mut add: impl FnMut(&mut RiskRow, &[f64; K])) {
    let mut at = 0;
    for cell in cells {
        while at + 1 < rows.len() && rows[at + 1].time <= cell.key {
            at += 1;
        }
        add(&mut rows[at], &cell.counts);
    }
}

/// The rising `times` without those that are another one but for rounding: the first of a run stands for it.
///
/// A time is its own measure, 1.5e-8 of it (R's `timefix` has the same share of the *mean* time, or 1.5e-8 itself, and
/// goes on from each time to the next: there one outlier, or a small unit, makes one time of all). So neither the unit
/// nor the other rows matter, a run is never longer than that, and who was at risk for longer was at risk.
pub fn distinct_times(times: &[f64]) -> Vec<f64> {
    let tolerance = f64::EPSILON.sqrt();
    let mut distinct: Vec<f64> = Vec::with_capacity(times.len());
    for time in times {
        if distinct.last().is_none_or(|first| time - first > tolerance * time) {
            distinct.push(*time);
        }
    }
    distinct
}
