//! When rows are at risk of a cause's subdistribution, and with what weight.
//!
//! A row that ended by another cause can no longer end by this one, but stays in the risk set as if it could, with the
//! chance that it would still be observed: G(t−) H(t−) / G(T−) H(T−) at t after its end T, where G is the survival of
//! the censoring time and H the distribution of the entry time (Fine & Gray 1999, §4; Geskus 2011, *Cause-specific
//! cumulative incidence estimation and the Fine and Gray model under both left truncation and right censoring*,
//! Biometrics 67). Censorings come after endings at the same time, so that those who end then are not at risk of them.

use crate::hazard::design::Design;
use crate::hazard::risk_sets::ROWS_PER_INTERRUPT;
use crate::hazard::timeline::reserve;
use crate::survival::risk::distinct_times;
use crate::{Error, Interrupt, Result};

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Censored,
    Cause,
    Other,
}

/// Where each row stands among the event times of the cause.
#[derive(Debug)]
pub(super) struct Places {
    /// Distinct times at which the cause ended something, rising.
    pub event_times: Vec<f64>,
    /// G(t−) H(t−) at each event time.
    pub observed: Vec<f64>,
    /// Per row the number of event times at or before its entry: it is at risk from the next one on.
    pub first: Vec<u32>,
    /// Per row the number of event times at or before its exit.
    pub last: Vec<u32>,
    pub ends: Vec<End>,
    /// Per row that ended by another cause 1 / G(T−) H(T−); 0 for all others.
    pub share: Vec<f64>,
}

/// A row's exit, or its delayed entry.
#[derive(Debug, Clone, Copy)]
struct Moment {
    time: f64,
    row: u32,
    exit: bool,
}

impl Places {
    /// # Errors
    /// [`Error::Invalid`] where delayed entries leave nobody at risk for a while, so that the weights are undefined;
    /// [`Error::OutOfRange`] when memory is exhausted; whatever `interrupt` returns.
    pub fn new(design: &Design, cause: u8, interrupt: Interrupt) -> Result<Places> {
        let rows = design.len();
        if u32::try_from(rows).is_err() {
            return Err(Error::OutOfRange(format!("{rows} rows are more than one fit can take")));
        }
        let mut ends = Vec::new();
        reserve(&mut ends, rows)?;
        ends.extend(design.causes().iter().map(|of_row| match *of_row {
            0 => End::Censored,
            of_row if of_row == cause => End::Cause,
            _ => End::Other,
        }));
        let moments = moments(design, interrupt)?;
        let slots = slots(&moments);
        let (mut first, mut last, mut share) = (Vec::new(), Vec::new(), Vec::new());
        for column in [&mut first, &mut last] {
            reserve(column, rows)?;
            column.resize(rows, 0u32);
        }
        reserve(&mut share, rows)?;
        share.resize(rows, 0.0);
        let mut places = Places { event_times: Vec::new(), observed: Vec::new(), first, last, ends, share };
        let entered = places.entered_before(design, &moments, &slots, interrupt)?;
        places.walk(design, &moments, &slots, &entered, interrupt)?;
        Ok(places)
    }

    /// H(t−) at each slot: the product over later entry times of the share of those there who had come before.
    fn entered_before(
        &self,
        design: &Design,
        moments: &[Moment],
        slots: &[Slot],
        interrupt: Interrupt,
    ) -> Result<Vec<f64>> {
        let mut entered = Vec::new();
        reserve(&mut entered, slots.len())?;
        entered.resize(slots.len(), 1.0);
        if design.entries().is_empty() {
            return Ok(entered);
        }
        let (mut before, mut there) = (1.0, 0.0);
        for (at, slot) in slots.iter().enumerate().rev() {
            if at % ROWS_PER_INTERRUPT == 0 {
                interrupt()?;
            }
            // `there` holds those who leave later and have come by now.
            let coming: f64 = moments[slot.range()].iter().filter(|m| !m.exit).map(|m| weight(design, m.row)).sum();
            let leaving: f64 = moments[slot.range()].iter().filter(|m| m.exit).map(|m| weight(design, m.row)).sum();
            if coming > 0.0 {
                before *= if there - coming > 1e-12 * there { 1.0 - coming / there } else { 0.0 };
                there -= coming;
            }
            there += leaving;
            entered[at] = before;
        }
        Ok(entered)
    }

    fn walk(
        &mut self,
        design: &Design,
        moments: &[Moment],
        slots: &[Slot],
        entered: &[f64],
        interrupt: Interrupt,
    ) -> Result<()> {
        let from_start = |row: &u32| design.entries().get(*row as usize).is_none_or(|entry| *entry == 0.0);
        let rows = 0..design.len() as u32;
        let mut at_risk: f64 = rows.filter(from_start).map(|row| weight(design, row)).sum();
        let mut uncensored = 1.0;
        for (at, (slot, entered)) in slots.iter().zip(entered).enumerate() {
            if at % ROWS_PER_INTERRUPT == 0 {
                interrupt()?;
            }
            let here = &moments[slot.range()];
            let observed = uncensored * entered;
            let end = |moment: &Moment| self.ends[moment.row as usize];
            if here.iter().any(|moment| moment.exit && end(moment) == End::Cause) {
                self.event_times.push(slot.time);
                self.observed.push(observed);
            }
            let (mut ended, mut censored, mut came) = (0.0, 0.0, 0.0);
            let passed = self.event_times.len() as u32;
            for moment in here {
                let (row, weight) = (moment.row as usize, weight(design, moment.row));
                if !moment.exit {
                    self.first[row] = passed;
                    came += weight;
                    continue;
                }
                self.last[row] = passed;
                match self.ends[row] {
                    End::Censored => censored += weight,
                    End::Cause => ended += weight,
                    End::Other => {
                        ended += weight;
                        self.share[row] = 1.0 / observed;
                        if observed <= 0.0 {
                            return Err(unobservable(slot.time));
                        }
                    }
                }
            }
            let exposed = at_risk - ended;
            if censored > 0.0 {
                uncensored *= if exposed - censored > 1e-12 * exposed { 1.0 - censored / exposed } else { 0.0 };
            }
            at_risk += came - ended - censored;
        }
        // An entry that counts as one time with the row's own ending leaves it at risk there.
        for ((first, last), end) in self.first.iter_mut().zip(&self.last).zip(&self.ends) {
            if *end == End::Cause && first == last {
                *first -= 1;
            }
        }
        Ok(())
    }
}

fn unobservable(time: f64) -> Error {
    Error::invalid(
        format!("an ending at {time} by another cause has no weight, as at some time about it nobody was at risk"),
        "Delayed entries leave a gap there. Leave out the rows before it.",
    )
}

fn weight(design: &Design, row: u32) -> f64 {
    design.weights().get(row as usize).copied().unwrap_or(1.0)
}

/// A distinct time and the moments that belong to it.
#[derive(Debug, Clone, Copy)]
struct Slot {
    time: f64,
    start: usize,
    end: usize,
}

impl Slot {
    fn range(&self) -> std::ops::Range<usize> {
        self.start..self.end
    }
}

fn moments(design: &Design, interrupt: Interrupt) -> Result<Vec<Moment>> {
    let late = design.entries().iter().filter(|entry| **entry > 0.0).count();
    let mut moments = Vec::new();
    reserve(&mut moments, design.len() + late)?;
    moments.extend(design.exits().iter().zip(0..).map(|(time, row)| Moment { time: *time, row, exit: true }));
    let entries = design.entries().iter().zip(0..).filter(|(time, _)| **time > 0.0);
    moments.extend(entries.map(|(time, row)| Moment { time: *time, row, exit: false }));
    interrupt()?;
    // The order of the rows at a time is that of their numbers, so that sums do not depend on the sort.
    moments.sort_unstable_by(|a, b| a.time.total_cmp(&b.time).then(a.row.cmp(&b.row)));
    interrupt()?;
    Ok(moments)
}

/// Times that differ by rounding only are one.
fn slots(moments: &[Moment]) -> Vec<Slot> {
    let mut times: Vec<f64> = moments.iter().map(|moment| moment.time).collect();
    times.dedup();
    let times = distinct_times(&times);
    let mut start = 0;
    times
        .iter()
        .enumerate()
        .map(|(at, time)| {
            let next = times.get(at + 1).copied().unwrap_or(f64::INFINITY);
            let end = start + moments[start..].partition_point(|moment| moment.time < next);
            let slot = Slot { time: *time, start, end };
            start = end;
            slot
        })
        .collect()
}
