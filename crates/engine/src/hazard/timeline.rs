//! The event times of a design, and how many of them each row has passed when it comes and when it leaves.

use crate::hazard::design::Design;
use crate::hazard::risk_sets::ROWS_PER_INTERRUPT;
use crate::survival::risk::distinct_times;
use crate::{Error, Interrupt, Result};

/// The distinct event times, with times closer than rounding taken as one (see [`distinct_times`]), and where on them
/// each row comes and leaves.
#[derive(Debug)]
pub(super) struct Timeline {
    /// Rising.
    pub event_times: Vec<f64>,
    /// Per row the number of event times at or before its exit.
    pub passed_at_exit: Vec<u32>,
    /// Per row the number of event times at or before its entry, 0 for those who were there from the start; empty when
    /// nobody enters late.
    pub passed_at_entry: Vec<u32>,
}

/// Rows that are at risk at some event time, in the order of a sweep: latest exit first, at each event time the deaths
/// before those who leave later.
#[derive(Debug)]
pub(super) struct Order {
    pub rows: Vec<u32>,
    /// Where the deaths (2g) and the others (2g + 1) of the g-th latest event time start; one more at the end.
    pub starts: Vec<usize>,
}

/// A row's exit, or its delayed entry.
#[derive(Debug, Clone, Copy)]
struct Moment {
    /// Of the time: as times are not negative, their bits are in the order of their values.
    bits: u64,
    row: u32,
    exit: bool,
}

impl Timeline {
    pub fn new(design: &Design, interrupt: Interrupt) -> Result<Timeline> {
        let rows = design.len();
        let mut moments = moments(design)?;
        interrupt()?;
        moments.sort_unstable_by_key(|moment| moment.bits);
        interrupt()?;
        let mut times: Vec<f64> = Vec::new();
        for moments in moments.chunk_by(|a, b| a.bits == b.bits) {
            times.push(f64::from_bits(moments[0].bits));
        }
        let distinct = distinct_times(&times);
        drop(times);

        let mut event_times = Vec::new();
        let (mut passed_at_exit, mut passed_at_entry) = (Vec::new(), Vec::new());
        reserve(&mut passed_at_exit, rows)?;
        passed_at_exit.resize(rows, 0);
        if moments.len() > rows {
            reserve(&mut passed_at_entry, rows)?;
            passed_at_entry.resize(rows, 0);
        }
        interrupt()?;
        let (mut rest, mut seen) = (moments.as_slice(), 0);
        for (i, time) in distinct.iter().enumerate() {
            let next = distinct.get(i + 1).map_or(u64::MAX, |next| next.to_bits());
            let (here, after) = rest.split_at(rest.iter().take_while(|moment| moment.bits < next).count());
            rest = after;
            seen += here.len();
            if seen >= ROWS_PER_INTERRUPT {
                interrupt()?;
                seen = 0;
            }
            if here.iter().any(|moment| moment.exit && design.events()[moment.row as usize]) {
                event_times.push(*time);
            }
            for moment in here {
                let passed = if moment.exit { &mut passed_at_exit } else { &mut passed_at_entry };
                passed[moment.row as usize] = event_times.len() as u32;
            }
        }
        // An entry so close before the row's own event that both count as one time leaves the row at risk there:
        // nobody dies without having been at risk.
        for ((entry, exit), event) in passed_at_entry.iter_mut().zip(&passed_at_exit).zip(design.events()) {
            if *event && *entry == *exit {
                *entry -= 1;
            }
        }
        interrupt()?;
        Ok(Timeline { event_times, passed_at_exit, passed_at_entry })
    }

    /// Sorts the rows by counting.
    pub fn order(&self, events: &[bool], interrupt: Interrupt) -> Result<Order> {
        let event_times = self.event_times.len();
        let slot = |row: usize| {
            let (exit, entry) = (self.passed_at_exit[row], self.passed_at_entry.get(row).copied().unwrap_or(0));
            (exit > entry).then(|| 2 * (event_times - exit as usize) + usize::from(!events[row]))
        };
        let mut starts = vec![0usize; 2 * event_times + 1];
        for slot in (0..events.len()).filter_map(slot) {
            starts[slot + 1] += 1;
        }
        for slot in 0..2 * event_times {
            starts[slot + 1] += starts[slot];
        }
        let kept = starts.last().copied().unwrap_or(0);
        let mut rows: Vec<u32> = Vec::new();
        reserve(&mut rows, kept)?;
        rows.resize(kept, 0);
        let mut next = starts.clone();
        for row in 0..events.len() {
            if row % ROWS_PER_INTERRUPT == 0 {
                interrupt()?;
            }
            if let Some(slot) = slot(row) {
                rows[next[slot]] = row as u32;
                next[slot] += 1;
            }
        }
        Ok(Order { rows, starts })
    }
}

fn moments(design: &Design) -> Result<Vec<Moment>> {
    let late = design.entries().iter().filter(|entry| **entry > 0.0).count();
    let mut moments = Vec::new();
    reserve(&mut moments, design.len() + late)?;
    // Adding 0 turns −0 into 0.
    let exits = design.exits().iter().zip(0..);
    moments.extend(exits.map(|(time, row)| Moment { bits: (time + 0.0).to_bits(), row, exit: true }));
    let entries = design.entries().iter().zip(0..).filter(|(time, _)| **time > 0.0);
    moments.extend(entries.map(|(time, row)| Moment { bits: time.to_bits(), row, exit: false }));
    Ok(moments)
}

/// Room for `length` items, or a clean error.
pub(super) fn reserve<T>(items: &mut Vec<T>, length: usize) -> Result<()> {
    items
        .try_reserve_exact(length)
        .map_err(|_| Error::OutOfRange(format!("no memory is left for {length} items of a regression")))
}
