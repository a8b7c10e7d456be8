//! Risk sets read off the rows where they lie, for designs whose rows share few distinct times.
//!
//! What a partial likelihood asks of the rows are sums over those who leave at one event time, so where there are few
//! of these, rows are added up in whatever order they come: nothing is sorted, nothing copied but a block at a time.
//! A fit then needs 12 bytes per row beyond the design (about 4 more for a row that enters late). Here each row is told
//! its place; [`passes`] reads the rows and adds them up.

use crate::hazard::columns::Columns;
use crate::hazard::design::Design;
use crate::hazard::risk_sets::{Group, LANES, ROWS_PER_INTERRUPT, RiskSets};
use crate::hazard::slot_sums::{Kind, SlotSums};
use crate::hazard::timeline::reserve;
use crate::hazard::times::Times;
use crate::memory::Room;
use crate::numeric::sum::Sum;
use crate::{Error, Interrupt, Result};

mod passes;

/// Rows that are centred and scaled at a time; a multiple of [`LANES`].
const BLOCK: usize = 128;
/// The sums at the event times may take this share of a number per row.
const SHARE_OF_SUMS: usize = 2;
/// Blocks between two that are looked at where a sample will do.
pub(super) const SAMPLE: usize = 16;
/// Fits of fewer rows than this take all of them wherever a sample would do.
pub(super) const ROWS_FOR_SAMPLE: usize = 1 << 16;

/// Where the rows of a design add to, and how to read them.
#[derive(Debug)]
pub(super) struct InPlace<'a> {
    pub design: &'a Design,
    /// Of this many blocks of rows the first is taken: 1 for all rows.
    pub stride: usize,
    pub groups: usize,
    /// Per row kind × groups + group; see [`Kind`]. Beyond them for a row that is at risk at no event time.
    slots: Vec<u32>,
    /// Kinds that are summed by slot.
    pub summed: usize,
    /// Late rows, in their order: the group from which on (time falls) each is no longer there.
    pub entered: Vec<u32>,
    /// Means and scales of the covariates, repeated for as many rows as fill whole vectors.
    means: Vec<f64>,
    scales: Vec<f64>,
}

impl<'a> RiskSets<'a> {
    /// The risk sets of a design without strata and offsets whose rows share few times, with sums for a likelihood;
    /// `None` for any other design.
    pub fn in_place(design: &'a Design, interrupt: Interrupt) -> Result<Option<(RiskSets<'a>, SlotSums)>> {
        if !design.offsets().is_empty() || !design.strata().is_empty() || u32::try_from(design.len()).is_err() {
            return Ok(None);
        }
        let Some((place, groups)) = InPlace::new(design, 1, interrupt)? else { return Ok(None) };
        let columns = Columns::of_places(&place, interrupt)?;
        RiskSets::of_groups(place, groups, columns).map(Some)
    }

    /// One in [`SAMPLE`] blocks of the rows, centred and scaled as they all are.
    pub fn sample(&self, interrupt: Interrupt) -> Result<Option<(RiskSets<'a>, SlotSums)>> {
        let Some(whole) = self.place.as_ref().filter(|place| place.stride == 1) else { return Ok(None) };
        let Some((place, groups)) = InPlace::new(whole.design, SAMPLE, interrupt)? else { return Ok(None) };
        let columns = Columns {
            means: self.means.clone(),
            scales: self.scales.clone(),
            largest: self.largest.clone(),
            death_sum: Vec::new(),
        };
        let (mut sets, sums) = RiskSets::of_groups(place, groups, columns)?;
        sets.death_sum = match &sets.place {
            Some(place) => place.sum_deaths(interrupt)?,
            None => Vec::new(),
        };
        Ok(Some((sets, sums)))
    }

    fn of_groups(mut place: InPlace<'a>, groups: Vec<Group>, columns: Columns) -> Result<(RiskSets<'a>, SlotSums)> {
        let covariates = place.design.covariates();
        place.means = columns.means.repeat(LANES);
        place.scales = columns.scales.repeat(LANES);
        let chunks = covariates.div_ceil(LANES);
        let weight = |group: &Group| group.mean_weight * group.deaths() as f64;
        let mut sets = RiskSets {
            covariates,
            strata: vec![0, groups.len()],
            weighted_events: groups.iter().map(weight).collect::<Sum>().total(),
            groups,
            chunks,
            offset_centres: vec![0.0],
            max_followup: vec![place.design.exits().iter().copied().fold(0.0, f64::max)],
            means: columns.means,
            scales: columns.scales,
            largest: columns.largest,
            death_sum: columns.death_sum,
            ..RiskSets::default()
        };
        let sums = SlotSums::new(&place, chunks)?;
        sets.place = Some(place);
        Ok((sets, sums))
    }
}

impl<'a> InPlace<'a> {
    /// `None` where the rows' times are too many.
    fn new(design: &'a Design, stride: usize, interrupt: Interrupt) -> Result<Option<(InPlace<'a>, Vec<Group>)>> {
        let mut place = InPlace {
            design,
            stride,
            groups: 0,
            slots: Vec::new(),
            summed: 2,
            entered: Vec::new(),
            means: Vec::new(),
            scales: Vec::new(),
        };
        let width = design.covariates().next_multiple_of(LANES) + 1;
        let most_times = design.len() / SHARE_OF_SUMS / 3 / width;
        let rows = place.blocks().map(|rows| rows.len()).sum();
        reserve(&mut place.slots, rows)?;
        let mut times = Times::default();
        // First by the number under which each time was met …
        for (block, rows) in place.blocks().enumerate() {
            if block % (ROWS_PER_INTERRUPT / BLOCK) == 0 {
                interrupt()?;
            }
            place.slots.extend(design.exits()[rows.clone()].iter().map(|exit| times.number(*exit)));
            for entry in design.entries().get(rows).unwrap_or(&[]).iter().filter(|entry| **entry > 0.0) {
                if place.entered.len() == place.entered.capacity() {
                    place.entered.room(1 + place.entered.len() / 8).map_err(|_| no_memory(design.len()))?;
                }
                place.entered.push(times.number(*entry));
            }
            if times.len() > most_times {
                return Ok(None);
            }
        }
        // … then by the number of event times at or before it.
        let (distinct, places) = times.in_order();
        let mut has_event = vec![false; distinct.len()];
        for (row, slot) in place.rows_of_design().zip(&place.slots) {
            has_event[places[*slot as usize] as usize] |= design.events()[row];
        }
        let event_times: Vec<f64> =
            distinct.iter().zip(&has_event).filter(|(_, event)| **event).map(|(time, _)| *time).collect();
        let mut passed = Vec::with_capacity(distinct.len());
        let mut count = 0u32;
        for event in &has_event {
            count += u32::from(*event);
            passed.push(count);
        }
        let groups = event_times.len();
        place.groups = groups;
        let passed_at = |number: u32| passed[places[number as usize] as usize];

        let (mut deaths, mut weights, mut others) =
            (vec![0usize; groups], vec![Sum::default(); groups], vec![0; groups]);
        let (mut came, mut late) = (0, 0);
        let blocks = place.blocks();
        for (at, row) in blocks.flatten().enumerate() {
            if at % ROWS_PER_INTERRUPT == 0 {
                interrupt()?;
            }
            let event = design.events()[row];
            let exit = passed_at(place.slots[at]);
            let mut entry = 0;
            if design.entries().get(row).is_some_and(|entry| *entry > 0.0) {
                entry = passed_at(place.entered[came]);
                came += 1;
            }
            // As in `Timeline`: nobody dies without having been at risk.
            if event && entry == exit {
                entry -= 1;
            }
            if exit <= entry {
                place.slots[at] = (Kind::ALL * groups) as u32;
                continue;
            }
            let group = groups - exit as usize;
            let mut kind = if event { Kind::DEATH } else { Kind::OTHER };
            if entry > 0 {
                kind += Kind::LATE_DEATH;
                place.entered[late] = groups as u32 - entry;
                late += 1;
            }
            place.slots[at] = (kind * groups + group) as u32;
            if event {
                deaths[group] += 1;
                if !design.weights().is_empty() {
                    weights[group].add(design.weights()[row]);
                }
            } else {
                others[group] += 1;
            }
        }
        place.entered.truncate(late);
        if late > 0 {
            place.summed = 3;
        }
        let mut first = 0;
        let list = (0..groups)
            .map(|g| {
                let (censored, end) = (first + deaths[g], first + deaths[g] + others[g]);
                let weight = weights[g].total() / deaths[g] as f64;
                let group = Group {
                    time: event_times[groups - 1 - g],
                    opens_stratum: g == 0,
                    first,
                    censored,
                    end,
                    late_end: 0,
                    mean_weight: if design.weights().is_empty() { 1.0 } else { weight },
                };
                first = end;
                group
            })
            .collect();
        Ok(Some((place, list)))
    }

    pub fn rows(&self) -> usize {
        self.slots.len()
    }

    /// The blocks of rows that are taken, as places in the design.
    fn blocks(&self) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
        let rows = self.design.len();
        (0..rows).step_by(BLOCK * self.stride).map(move |start| start..rows.min(start + BLOCK))
    }

    fn rows_of_design(&self) -> impl Iterator<Item = usize> + use<> {
        self.blocks().flatten()
    }
}

fn no_memory(rows: usize) -> Error {
    Error::NoMemory(format!("no memory is left for {rows} rows of a regression"))
}

#[cfg(test)]
mod tests;
