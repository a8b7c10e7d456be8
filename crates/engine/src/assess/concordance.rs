//! Concordance: how often the one of two subjects with the higher predicted risk has the event first.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::assess::cumulative::{Count, CumulativeWeights};
use crate::numeric::radix::{rising_bits, sort_by_bits, sort_scattered};
use crate::survival::risk::distinct_times;
use crate::{Error, Interrupt, Result};

/// Subjects between two questions whether to go on.
const SUBJECTS_PER_INTERRUPT: usize = 1 << 14;

/// What became of n subjects.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outcomes<'a> {
    /// When each was last seen: finite and not negative.
    pub exits: &'a [f64],
    /// Whether that was by the event.
    pub events: &'a [bool],
    /// When each came under observation, less than its exit, 0 for the start; empty when all were there from the start.
    pub entries: &'a [f64],
    /// Finite and positive; empty when all are 1. A pair counts with the product of its two weights.
    pub weights: &'a [f64],
}

impl Outcomes<'_> {
    pub(super) fn weight(&self, subject: usize) -> f64 {
        self.weights.get(subject).copied().unwrap_or(1.0)
    }
}

/// The share of all pairs below which a count of them, a difference of running totals, may be their rounding alone.
const ROUNDING: f64 = 1e-12;

/// Pairs of subjects of which it is known who had the event first, and those tied; the counts of R's
/// `concordance(Surv ~ risk, reverse = TRUE)`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Concordance {
    /// The one with the higher risk had the event first.
    pub concordant: f64,
    /// The one with the lower risk had the event first.
    pub discordant: f64,
    /// Both have the same risk; the times differ.
    pub tied_x: f64,
    /// Both had the event at the same time; the risks differ.
    pub tied_y: f64,
    /// Both had the event at the same time and have the same risk.
    pub tied_xy: f64,
}

impl Concordance {
    /// Weights that are no whole numbers leave what their running totals are rounded by, where no pair is.
    fn without_rounding(mut self) -> Concordance {
        let least = ROUNDING * (self.concordant + self.discordant + self.tied_x);
        for count in [&mut self.concordant, &mut self.discordant, &mut self.tied_x] {
            if *count < least {
                *count = 0.0;
            }
        }
        self
    }

    /// Harrell's C: the share of concordant pairs among those with different times, ties of risk counting half.
    /// `None` when there is no such pair.
    pub fn estimate(&self) -> Option<f64> {
        let pairs = self.concordant + self.discordant + self.tied_x;
        (pairs > 0.0).then(|| (self.concordant + self.tied_x / 2.0) / pairs)
    }
}

/// Counts the pairs in O(n log n).
///
/// Harrell, Lee & Mark (1996), *Multivariable prognostic models*, Statistics in Medicine 15, §5.5. A subject with an
/// event at `t` is compared with all who are at risk at `t` and leave later; an event comes before a censoring at the
/// same time. At risk at `t` are those with `entry < t <= exit`. Times that differ by rounding only are one time (see
/// [`distinct_times`]); risks are compared as they are.
///
/// # Errors
/// [`Error::Invalid`] when the slices differ in length or a number is outside its domain; whatever `interrupt` returns.
pub fn concordance(outcomes: Outcomes, risks: &[f64], interrupt: Interrupt) -> Result<Concordance> {
    check(outcomes, risks)?;
    let (exits, entries) = tie_times(outcomes);
    let tied = Outcomes { exits: &exits, entries: &entries, ..outcomes };
    Order::new(tied, risks, interrupt)?.concordance(tied, None, interrupt, |_, _, _| {})
}

/// What each pair counts more by the time of its first event; `None` for nothing.
pub(super) type TimeWeight<'a> = Option<&'a dyn Fn(f64) -> f64>;

/// What one subject has to do with others: the weights of those with a lower, the same and a higher risk.
pub(super) type Around = (f64, f64, f64);

/// Subjects by time and by risk.
pub(super) struct Order {
    /// The place of each subject's risk among the distinct ones, and how many these are.
    pub(super) ranks: Vec<u32>,
    pub(super) width: usize,
    /// By falling exit.
    pub(super) by_exit: Vec<u32>,
    /// Those who came late, by falling entry.
    pub(super) by_entry: Vec<u32>,
}

impl Order {
    /// Of outcomes that have been checked, their times tied.
    pub(super) fn new(outcomes: Outcomes, risks: &[f64], interrupt: Interrupt) -> Result<Order> {
        let (ranks, width) = ranks(risks);
        interrupt()?;
        let by_exit = latest_first(outcomes.exits, 0.0);
        interrupt()?;
        Ok(Order { ranks, width, by_exit, by_entry: latest_first(outcomes.entries, f64::MIN_POSITIVE) })
    }

    /// Counts the pairs from the last exit back; `seen` is told of each subject with the event, the weight of its time and
    /// who was at risk and left later.
    pub(super) fn concordance(
        &self,
        outcomes: Outcomes,
        time_weight: TimeWeight,
        interrupt: Interrupt,
        seen: impl FnMut(usize, f64, Around),
    ) -> Result<Concordance> {
        if outcomes.weights.is_empty() {
            self.concordance_in::<u32>(outcomes, time_weight, interrupt, seen)
        } else {
            self.concordance_in::<f64>(outcomes, time_weight, interrupt, seen).map(Concordance::without_rounding)
        }
    }

    fn concordance_in<C: Count>(
        &self,
        outcomes: Outcomes,
        time_weight: TimeWeight,
        interrupt: Interrupt,
        mut seen: impl FnMut(usize, f64, Around),
    ) -> Result<Concordance> {
        let Outcomes { exits, events, entries, .. } = outcomes;
        let mut not_yet = self.by_entry.iter().map(|subject| *subject as usize).peekable();
        let mut counts = Concordance::default();
        let mut at_risk = CumulativeWeights::<C>::new(self.width);
        let mut deaths: Vec<(u32, usize)> = Vec::new();
        let mut pause = Pause::new(interrupt);
        for leaving in self.by_exit.chunk_by(|a, b| exits[*a as usize] == exits[*b as usize]) {
            pause.after(leaving.len())?;
            deaths.clear();
            for subject in leaving.iter().map(|subject| *subject as usize) {
                if events[subject] {
                    deaths.push((self.ranks[subject], subject));
                } else {
                    at_risk.add(self.ranks[subject], outcomes.weight(subject));
                }
            }
            if deaths.is_empty() {
                continue;
            }
            let time = exits[leaving[0] as usize];
            while let Some(subject) = not_yet.next_if(|subject| entries[*subject] >= time) {
                at_risk.add(self.ranks[subject], -outcomes.weight(subject));
            }
            deaths.sort_unstable();
            let here = time_weight.map_or(1.0, |weight| weight(time));
            let (mut all, mut all_squares) = (0.0, 0.0);
            for tied in deaths.chunk_by(|a, b| a.0 == b.0) {
                let sum: f64 = tied.iter().map(|(_, subject)| outcomes.weight(*subject)).sum();
                let squares: f64 = tied.iter().map(|(_, subject)| outcomes.weight(*subject).powi(2)).sum();
                let (lower, equal, higher) = at_risk.around(tied[0].0);
                tied.iter().for_each(|(_, subject)| seen(*subject, here, (lower, equal, higher)));
                counts.concordant += here * sum * lower;
                counts.tied_x += here * sum * equal;
                counts.discordant += here * sum * higher;
                counts.tied_xy += here * (sum * sum - squares) / 2.0;
                counts.tied_y -= here * (sum * sum - squares) / 2.0;
                (all, all_squares) = (all + sum, all_squares + squares);
            }
            counts.tied_y += here * (all * all - all_squares) / 2.0;
            deaths.iter().for_each(|(rank, subject)| at_risk.add(*rank, outcomes.weight(*subject)));
        }
        Ok(counts)
    }
}

/// Asks now and then whether to go on.
pub(super) struct Pause<'a> {
    interrupt: Interrupt<'a>,
    since: usize,
}

impl<'a> Pause<'a> {
    pub(super) fn new(interrupt: Interrupt<'a>) -> Self {
        Pause { interrupt, since: 0 }
    }

    pub(super) fn after(&mut self, subjects: usize) -> Result<()> {
        self.since += subjects;
        if self.since < SUBJECTS_PER_INTERRUPT {
            return Ok(());
        }
        self.since = 0;
        (self.interrupt)()
    }
}

/// The subjects whose time is `from` or later, in falling order of time.
fn latest_first(times: &[f64], from: f64) -> Vec<u32> {
    let mut order: Vec<(u64, u32)> =
        times.iter().zip(0..).filter(|(time, _)| **time >= from).map(|(time, at)| (!rising_bits(*time), at)).collect();
    // What comes sorted by time is so already, backwards.
    if order.is_sorted_by(|a, b| a.0 >= b.0) {
        return order.into_iter().rev().map(|(_, subject)| subject).collect();
    }
    sort_by_bits(&mut order, |row| row.0);
    order.into_iter().map(|(_, subject)| subject).collect()
}

/// The place of each risk among the distinct ones, and how many there are.
fn ranks(risks: &[f64]) -> (Vec<u32>, usize) {
    // Adding 0 turns −0 into 0.
    let mut order: Vec<(u64, u32)> = risks.iter().map(|risk| rising_bits(risk + 0.0)).zip(0..).collect();
    sort_scattered(&mut order, |row| row.0);
    let mut ranks = vec![0; risks.len()];
    let mut width = 0;
    for (rank, tied) in (0..).zip(order.chunk_by(|a, b| a.0 == b.0)) {
        tied.iter().for_each(|(_, subject)| ranks[*subject as usize] = rank);
        width = rank as usize + 1;
    }
    (ranks, width)
}

/// Exits and entries with times that differ by rounding only made equal.
pub(super) fn tie_times<'a>(outcomes: Outcomes<'a>) -> (Cow<'a, [f64]>, Cow<'a, [f64]>) {
    let mut times: Vec<f64> = outcomes.exits.iter().chain(outcomes.entries).copied().collect();
    if !times.is_sorted() {
        times.sort_unstable_by(f64::total_cmp);
    }
    times.dedup();
    let distinct = distinct_times(&times);
    if distinct.len() == times.len() {
        return (outcomes.exits.into(), outcomes.entries.into());
    }
    let tie = |time: &f64| {
        let at = distinct.partition_point(|distinct| distinct <= time);
        at.checked_sub(1).map_or(*time, |at| distinct[at])
    };
    (outcomes.exits.iter().map(tie).collect(), outcomes.entries.iter().map(tie).collect())
}

pub(super) fn check(outcomes: Outcomes, risks: &[f64]) -> Result<()> {
    let subjects = outcomes.exits.len();
    if u32::try_from(subjects).is_err() {
        return Err(Error::OutOfRange(format!("{subjects} subjects are more than a concordance can be counted of")));
    }
    let lengths = [outcomes.events.len(), risks.len()].into_iter();
    let optional = [outcomes.entries.len(), outcomes.weights.len()].into_iter().filter(|length| *length > 0);
    if let Some(length) = lengths.chain(optional).find(|length| *length != subjects) {
        return Err(Error::invalid(
            format!("{subjects} exit times but {length} of another column"),
            "Each subject needs one value of each.",
        ));
    }
    if let Some(risk) = risks.iter().find(|risk| risk.is_nan()) {
        return Err(Error::invalid(format!("a risk must be a number, got {risk}"), "Leave out rows without a score."));
    }
    for (i, exit) in outcomes.exits.iter().enumerate() {
        let entry = outcomes.entries.get(i).copied().unwrap_or(0.0);
        let weight = outcomes.weights.get(i).copied().unwrap_or(1.0);
        if !((0.0..f64::INFINITY).contains(exit) && (entry == 0.0 || (entry > 0.0 && entry < *exit))) {
            return Err(Error::invalid(
                format!("entry {entry} and exit {exit} must be finite, not negative and in this order"),
                "Both are measured from the same origin.",
            ));
        }
        if !(weight > 0.0 && weight < f64::INFINITY) {
            return Err(Error::invalid(
                format!("weight must be finite and greater than 0, got {weight}"),
                "Filter the rows that should not count.",
            ));
        }
    }
    Ok(())
}
