//! Concordance: how often the one of two subjects with the higher predicted risk has the event first.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

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
    concordance_by(outcomes, risks, &|_| 1.0, interrupt)
}

/// As [`concordance`], each pair counting `time_weight` (finite, not negative) of the time of its first event more.
pub(super) fn concordance_by(
    outcomes: Outcomes,
    risks: &[f64],
    time_weight: &dyn Fn(f64) -> f64,
    interrupt: Interrupt,
) -> Result<Concordance> {
    check(outcomes, risks)?;
    let (exits, entries) = tie_times(outcomes);
    let ranks = ranks(risks);
    let weight = |subject: usize| outcomes.weights.get(subject).copied().unwrap_or(1.0);
    interrupt()?;
    let by_exit = latest_first(&exits, 0.0);
    interrupt()?;
    let mut not_yet = latest_first(&entries, f64::MIN_POSITIVE).into_iter().peekable();

    let mut counts = Concordance::default();
    let mut at_risk = CumulativeWeights::new(ranks.iter().max().map_or(0, |rank| rank + 1));
    let mut deaths: Vec<usize> = Vec::new();
    let mut since_interrupt = 0;
    for leaving in by_exit.chunk_by(|a, b| exits[*a] == exits[*b]) {
        deaths.clear();
        for &subject in leaving {
            if outcomes.events[subject] { deaths.push(subject) } else { at_risk.add(ranks[subject], weight(subject)) }
        }
        if deaths.is_empty() {
            continue;
        }
        let time = exits[leaving[0]];
        while let Some(subject) = not_yet.next_if(|subject| entries[*subject] >= time) {
            at_risk.add(ranks[subject], -weight(subject));
        }
        deaths.sort_unstable_by_key(|subject| ranks[*subject]);
        let here = time_weight(time);
        let (mut all, mut all_squares) = (0.0, 0.0);
        for tied in deaths.chunk_by(|a, b| ranks[*a] == ranks[*b]) {
            since_interrupt += tied.len();
            if since_interrupt >= SUBJECTS_PER_INTERRUPT {
                interrupt()?;
                since_interrupt = 0;
            }
            let sum: f64 = tied.iter().map(|subject| weight(*subject)).sum();
            let squares: f64 = tied.iter().map(|subject| weight(*subject).powi(2)).sum();
            let (lower, equal, higher) = at_risk.around(ranks[tied[0]]);
            counts.concordant += here * sum * lower;
            counts.tied_x += here * sum * equal;
            counts.discordant += here * sum * higher;
            counts.tied_xy += here * (sum * sum - squares) / 2.0;
            counts.tied_y -= here * (sum * sum - squares) / 2.0;
            (all, all_squares) = (all + sum, all_squares + squares);
        }
        counts.tied_y += here * (all * all - all_squares) / 2.0;
        deaths.iter().for_each(|subject| at_risk.add(ranks[*subject], weight(*subject)));
    }
    Ok(counts)
}

/// Weights by rank whose running totals are read and changed in O(log n) (Fenwick 1994).
pub(super) struct CumulativeWeights {
    tree: Vec<f64>,
    total: f64,
}

impl CumulativeWeights {
    pub(super) fn new(ranks: usize) -> Self {
        CumulativeWeights { tree: vec![0.0; ranks], total: 0.0 }
    }

    pub(super) fn add(&mut self, rank: usize, weight: f64) {
        self.total += weight;
        let mut at = rank;
        while let Some(node) = self.tree.get_mut(at) {
            *node += weight;
            at |= at + 1;
        }
    }

    /// The weight of all ranks below `end`.
    fn below(&self, end: usize) -> f64 {
        let (mut sum, mut at) = (0.0, end);
        while at > 0 {
            sum += self.tree[at - 1];
            at &= at - 1;
        }
        sum
    }

    /// The weights of the ranks below, at and above `rank`.
    pub(super) fn around(&self, rank: usize) -> (f64, f64, f64) {
        let (lower, up_to) = (self.below(rank), self.below(rank + 1));
        (lower, up_to - lower, self.total - up_to)
    }
}

/// The subjects whose time is `from` or later, in falling order of time.
pub(super) fn latest_first(times: &[f64], from: f64) -> Vec<usize> {
    // The times themselves are sorted, not places where they stand: that is kinder to the cache.
    let mut order: Vec<(f64, usize)> = times.iter().copied().zip(0..).filter(|(time, _)| *time >= from).collect();
    order.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    order.into_iter().map(|(_, subject)| subject).collect()
}

/// The place of each risk among the distinct ones.
pub(super) fn ranks(risks: &[f64]) -> Vec<usize> {
    // Adding 0 turns −0 into 0.
    let mut order: Vec<(f64, usize)> = risks.iter().map(|risk| risk + 0.0).zip(0..).collect();
    order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut ranks = vec![0; risks.len()];
    for (rank, tied) in order.chunk_by(|a, b| a.0 == b.0).enumerate() {
        tied.iter().for_each(|(_, subject)| ranks[*subject] = rank);
    }
    ranks
}

/// Exits and entries with times that differ by rounding only made equal.
pub(super) fn tie_times<'a>(outcomes: Outcomes<'a>) -> (Cow<'a, [f64]>, Cow<'a, [f64]>) {
    let mut times: Vec<f64> = outcomes.exits.iter().chain(outcomes.entries).copied().collect();
    times.sort_unstable_by(f64::total_cmp);
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
