//! The standard error of a concordance, by the infinitesimal jackknife.
//!
//! Therneau & Watson (2017), *The concordance statistic and the Cox model*, Mayo Clinic technical report 85; as R's
//! `concordance`: how the concordance would change if each subject weighed a little more, squared and summed.

use crate::assess::concordance::{Concordance, Order, Outcomes, Pause, TimeWeight, check, tie_times};
use crate::assess::cumulative::{Count, CumulativeWeights};
use crate::memory::Room;
use crate::{Error, Interrupt, Result};

/// A concordance within strata, and how far it may be off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimated {
    /// Summed over the strata: only subjects of the same one are compared.
    pub counts: Concordance,
    /// Of [`Concordance::estimate`]; `None` where that is.
    pub std_error: Option<f64>,
}

/// The concordance of `risks` with what became of the subjects, in O(n log n).
///
/// `strata` and `clusters` have a number per subject, or are empty. Subjects of one cluster count together in the
/// standard error; one without a cluster is one of its own.
///
/// # Errors
/// As [`concordance`].
pub fn estimated(
    outcomes: Outcomes,
    risks: &[f64],
    strata: &[u32],
    clusters: &[Option<u32>],
    interrupt: Interrupt,
) -> Result<Estimated> {
    estimated_by(outcomes, risks, strata, clusters, None, interrupt)
}

/// As [`estimated`], each pair counting `time_weight` (finite, not negative) of the time of its first event more; the
/// weights are taken as known.
pub(super) fn estimated_by(
    outcomes: Outcomes,
    risks: &[f64],
    strata: &[u32],
    clusters: &[Option<u32>],
    time_weight: TimeWeight,
    interrupt: Interrupt,
) -> Result<Estimated> {
    check(outcomes, risks)?;
    if let Some(length) = [strata.len(), clusters.len()].into_iter().find(|length| ![0, risks.len()].contains(length)) {
        return Err(Error::invalid(
            format!("{} subjects but {length} strata or clusters", risks.len()),
            "Each subject needs one of each, or none at all.",
        ));
    }
    let (exits, entries) = tie_times(outcomes);
    let tied = Outcomes { exits: &exits, entries: &entries, ..outcomes };
    let subjects = risks.len();
    let mut pairs = Vec::new();
    pairs.exact_room(subjects).map_err(|_| no_memory(subjects))?;
    pairs.resize(subjects, Pairs::default());

    let mut counts = Concordance::default();
    if strata.is_empty() {
        counts = count_pairs(tied, risks, &mut pairs, time_weight, interrupt)?;
    } else {
        for members in members(strata) {
            interrupt()?;
            let stratum = Columns::of(tied, risks, &members);
            let mut within = vec![Pairs::default(); members.len()];
            let found = count_pairs(stratum.outcomes(), &stratum.risks, &mut within, time_weight, interrupt)?;
            members.iter().zip(within).for_each(|(subject, found)| pairs[*subject] = found);
            counts.concordant += found.concordant;
            counts.discordant += found.discordant;
            counts.tied_x += found.tied_x;
            counts.tied_y += found.tied_y;
            counts.tied_xy += found.tied_xy;
        }
    }
    let total = counts.concordant + counts.discordant + counts.tied_x;
    if total == 0.0 {
        return Ok(Estimated { counts, std_error: None });
    }
    let somers = (counts.concordant - counts.discordant) / total;
    let mut of_clusters = vec![0.0; clusters.iter().flatten().max().map_or(0, |last| *last as usize + 1)];
    let mut variance = 0.0;
    for (subject, pairs) in pairs.iter().enumerate() {
        let all = pairs.concordant + pairs.discordant + pairs.tied;
        let influence = outcomes.weight(subject) * (pairs.concordant - pairs.discordant - somers * all) / total;
        match clusters.get(subject).copied().flatten() {
            Some(cluster) => of_clusters[cluster as usize] += influence,
            None => variance += influence * influence,
        }
    }
    variance += of_clusters.iter().map(|influence| influence * influence).sum::<f64>();
    // Somers' d runs from −1 to 1, the concordance from 0 to 1.
    let std_error = variance.sqrt() / 2.0;
    Ok(Estimated { counts, std_error: std_error.is_finite().then_some(std_error) })
}

/// The weights of those with whom one subject makes a pair.
#[derive(Debug, Clone, Copy, Default)]
struct Pairs {
    concordant: f64,
    discordant: f64,
    tied: f64,
}

impl Pairs {
    fn add(&mut self, sign: f64, concordant: f64, discordant: f64, tied: f64) {
        self.concordant += sign * concordant;
        self.discordant += sign * discordant;
        self.tied += sign * tied;
    }
}

/// The subjects of each stratum.
fn members(strata: &[u32]) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); strata.iter().max().map_or(0, |last| *last as usize + 1)];
    strata.iter().enumerate().for_each(|(subject, stratum)| members[*stratum as usize].push(subject));
    members
}

/// The subjects of one stratum.
struct Columns {
    exits: Vec<f64>,
    events: Vec<bool>,
    entries: Vec<f64>,
    weights: Vec<f64>,
    risks: Vec<f64>,
}

impl Columns {
    fn of(outcomes: Outcomes, risks: &[f64], members: &[usize]) -> Columns {
        let floats = |column: &[f64]| match column {
            [] => Vec::new(),
            column => members.iter().map(|&subject| column[subject]).collect(),
        };
        Columns {
            exits: floats(outcomes.exits),
            events: members.iter().map(|&subject| outcomes.events[subject]).collect(),
            entries: floats(outcomes.entries),
            weights: floats(outcomes.weights),
            risks: floats(risks),
        }
    }

    fn outcomes(&self) -> Outcomes<'_> {
        Outcomes { exits: &self.exits, events: &self.events, entries: &self.entries, weights: &self.weights }
    }
}

/// Adds to each subject the pairs in which it had the event first – with all who are still at risk then – and the pairs in
/// which it is the other one: with the events since it came.
fn count_pairs(
    outcomes: Outcomes,
    risks: &[f64],
    pairs: &mut [Pairs],
    time_weight: TimeWeight,
    interrupt: Interrupt,
) -> Result<Concordance> {
    let order = Order::new(outcomes, risks, interrupt)?;
    let counts = order.concordance(outcomes, time_weight, interrupt, |subject, here, (lower, equal, higher)| {
        pairs[subject].add(here, lower, higher, equal);
    })?;
    if outcomes.weights.is_empty() && time_weight.is_none() {
        order.count_earlier::<u32>(outcomes, pairs, time_weight, interrupt)?;
    } else {
        order.count_earlier::<f64>(outcomes, pairs, time_weight, interrupt)?;
    }
    Ok(counts)
}

impl Order {
    /// Forwards: the events up to each exit, less those up to the entry.
    fn count_earlier<C: Count>(
        &self,
        outcomes: Outcomes,
        pairs: &mut [Pairs],
        time_weight: TimeWeight,
        interrupt: Interrupt,
    ) -> Result<()> {
        let Outcomes { exits, events, entries, .. } = outcomes;
        let mut happened = CumulativeWeights::<C>::new(self.width);
        let mut comes = self.by_entry.iter().rev().map(|subject| *subject as usize).peekable();
        let mut count = |happened: &CumulativeWeights<C>, subject: usize, sign: f64| {
            let (lower, equal, higher) = happened.around(self.ranks[subject]);
            pairs[subject].add(sign, higher, lower, equal);
        };
        let mut pause = Pause::new(interrupt);
        for leaving in self.by_exit.chunk_by(|a, b| exits[*a as usize] == exits[*b as usize]).rev() {
            pause.after(leaving.len())?;
            let time = exits[leaving[0] as usize];
            while let Some(subject) = comes.next_if(|subject| entries[*subject] < time) {
                count(&happened, subject, -1.0);
            }
            let there = |with: bool| leaving.iter().map(|at| *at as usize).filter(move |at| events[*at] == with);
            there(true).for_each(|subject| count(&happened, subject, 1.0));
            let here = time_weight.map_or(1.0, |weight| weight(time));
            there(true).for_each(|subject| happened.add(self.ranks[subject], here * outcomes.weight(subject)));
            there(false).for_each(|subject| count(&happened, subject, 1.0));
        }
        Ok(())
    }
}

fn no_memory(subjects: usize) -> Error {
    Error::NoMemory(format!("no memory is left for the pairs of {subjects} subjects"))
}
