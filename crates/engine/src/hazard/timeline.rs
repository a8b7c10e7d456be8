//! The event times of a design, stratum by stratum, and how many of them each row has passed when it comes and when it
//! leaves.

use crate::hazard::design::Design;
use crate::hazard::risk_sets::ROWS_PER_INTERRUPT;
use crate::memory::Room;
use crate::survival::risk::distinct_times;
use crate::{Error, Interrupt, Result};

/// The distinct event times of each stratum, with times closer than rounding taken as one (see [`distinct_times`], over
/// all strata), and where on them each row comes and leaves.
#[derive(Debug)]
pub(crate) struct Timeline {
    /// One stratum after another, in the byte order of their names; rising within each.
    pub event_times: Vec<f64>,
    /// Where the event times of each stratum start; one more at the end.
    pub starts: Vec<usize>,
    /// Per row the number of its stratum's event times at or before its exit.
    pub passed_at_exit: Vec<u32>,
    /// Per row the number of its stratum's event times at or before its entry, 0 for those who were there from the
    /// start; empty when nobody enters late.
    pub passed_at_entry: Vec<u32>,
    /// Per row its stratum; empty when there are none.
    stratum: Vec<u32>,
}

/// Rows that are at risk at some event time, in the order of a sweep: latest exit first, at each event time the deaths
/// before those who leave later.
#[derive(Debug)]
pub(crate) struct Order {
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
        let stratum = strata_by_name(design)?;
        merge_times(&mut moments, &distinct);
        if !stratum.is_empty() {
            interrupt()?;
            moments.sort_unstable_by_key(|moment| (stratum[moment.row as usize], moment.bits));
        }

        let (mut event_times, mut starts) = (Vec::new(), vec![0]);
        let (mut passed_at_exit, mut passed_at_entry) = (Vec::new(), Vec::new());
        reserve(&mut passed_at_exit, rows)?;
        passed_at_exit.resize(rows, 0);
        if moments.len() > rows {
            reserve(&mut passed_at_entry, rows)?;
            passed_at_entry.resize(rows, 0);
        }
        interrupt()?;
        let stratum_of = |moment: &Moment| stratum.get(moment.row as usize).copied().unwrap_or(0);
        let mut seen = 0;
        for moments in moments.chunk_by(|a, b| stratum_of(a) == stratum_of(b)) {
            starts.resize(stratum_of(&moments[0]) as usize + 1, event_times.len());
            let start = event_times.len();
            for here in moments.chunk_by(|a, b| a.bits == b.bits) {
                seen += here.len();
                if seen >= ROWS_PER_INTERRUPT {
                    interrupt()?;
                    seen = 0;
                }
                if here.iter().any(|moment| moment.exit && design.events()[moment.row as usize]) {
                    event_times.push(f64::from_bits(here[0].bits));
                }
                for moment in here {
                    let passed = if moment.exit { &mut passed_at_exit } else { &mut passed_at_entry };
                    passed[moment.row as usize] = (event_times.len() - start) as u32;
                }
            }
        }
        starts.resize(design.strata().names().len().max(1) + 1, event_times.len());
        // An entry so close before the row's own event that both count as one time leaves the row at risk there:
        // nobody dies without having been at risk.
        for ((entry, exit), event) in passed_at_entry.iter_mut().zip(&passed_at_exit).zip(design.events()) {
            if *event && *entry == *exit {
                *entry -= 1;
            }
        }
        interrupt()?;
        Ok(Timeline { event_times, starts, passed_at_exit, passed_at_entry, stratum })
    }

    pub fn stratum(&self, row: usize) -> usize {
        self.stratum.get(row).map_or(0, |stratum| *stratum as usize)
    }

    /// The event time that is the last of so many passed, as a place in the order of the strata and, within each, of
    /// falling time.
    pub fn group(&self, row: usize, passed: u32) -> usize {
        self.starts[self.stratum(row) + 1] - passed as usize
    }

    /// Sorts the rows by counting.
    pub fn order(&self, events: &[bool], interrupt: Interrupt) -> Result<Order> {
        let event_times = self.event_times.len();
        let slot = |row: usize| {
            let (exit, entry) = (self.passed_at_exit[row], self.passed_at_entry.get(row).copied().unwrap_or(0));
            (exit > entry).then(|| 2 * self.group(row, exit) + usize::from(!events[row]))
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

/// Gives times that count as one the same bits. `moments` are in the order of their bits.
fn merge_times(moments: &mut [Moment], distinct: &[f64]) {
    let mut now = 0;
    for moment in moments {
        while distinct.get(now + 1).is_some_and(|next| next.to_bits() <= moment.bits) {
            now += 1;
        }
        moment.bits = distinct[now].to_bits();
    }
}

/// The place of each row's stratum in the byte order of the names; empty when there are none.
fn strata_by_name(design: &Design) -> Result<Vec<u32>> {
    let labels = design.strata();
    let mut codes: Vec<u32> = (0..labels.names().len() as u32).collect();
    codes.sort_unstable_by_key(|code| &labels.names()[*code as usize]);
    let mut places = vec![0; codes.len()];
    (0u32..).zip(&codes).for_each(|(place, code)| places[*code as usize] = place);
    let mut strata = Vec::new();
    reserve(&mut strata, labels.len())?;
    strata.extend((0..labels.len()).map(|row| labels.get(row).map_or(0, |code| places[code as usize])));
    Ok(strata)
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
pub(crate) fn reserve<T>(items: &mut Vec<T>, length: usize) -> Result<()> {
    items
        .exact_room(length)
        .map_err(|_| Error::NoMemory(format!("no memory is left for {length} items of a regression")))
}
