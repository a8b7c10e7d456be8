//! The standard error of a concordance, by the infinitesimal jackknife.
//!
//! Therneau & Watson (2017), *The concordance statistic and the Cox model*, Mayo Clinic technical report 85; as R's
//! `concordance`: how the concordance would change if each subject weighed a little more, squared and summed.

use crate::assess::concordance::{
    Concordance, CumulativeWeights, Outcomes, check, concordance_by, latest_first, ranks, tie_times,
};
use crate::{Error, Interrupt, Result};

/// Subjects between two questions whether to go on.
const SUBJECTS_PER_INTERRUPT: usize = 1 << 14;

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
    estimated_by(outcomes, risks, strata, clusters, &|_| 1.0, interrupt)
}

/// As [`estimated`], each pair counting `time_weight` of the time of its first event more; the weights are taken as
/// known.
pub(super) fn estimated_by(
    outcomes: Outcomes,
    risks: &[f64],
    strata: &[u32],
    clusters: &[Option<u32>],
    time_weight: &dyn Fn(f64) -> f64,
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
    pairs.try_reserve_exact(subjects).map_err(|_| no_memory(subjects))?;
    pairs.resize(subjects, Pairs::default());

    let mut counts = Concordance::default();
    for stratum in members(strata, subjects) {
        interrupt()?;
        let stratum = Columns::of(tied, risks, stratum);
        let found = concordance_by(stratum.outcomes(), &stratum.risks, time_weight, interrupt)?;
        counts.concordant += found.concordant;
        counts.discordant += found.discordant;
        counts.tied_x += found.tied_x;
        counts.tied_y += found.tied_y;
        counts.tied_xy += found.tied_xy;
        stratum.count_pairs(&mut pairs, time_weight, interrupt)?;
    }
    let total = counts.concordant + counts.discordant + counts.tied_x;
    if total == 0.0 {
        return Ok(Estimated { counts, std_error: None });
    }
    let somers = (counts.concordant - counts.discordant) / total;
    let weight = |subject: usize| outcomes.weights.get(subject).copied().unwrap_or(1.0);
    let mut of_clusters = vec![0.0; clusters.iter().flatten().max().map_or(0, |last| *last as usize + 1)];
    let mut variance = 0.0;
    for (subject, pairs) in pairs.iter().enumerate() {
        let all = pairs.concordant + pairs.discordant + pairs.tied;
        let influence = weight(subject) * (pairs.concordant - pairs.discordant - somers * all) / total;
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
fn members(strata: &[u32], subjects: usize) -> Vec<Vec<usize>> {
    if strata.is_empty() {
        return vec![(0..subjects).collect()];
    }
    let mut members = vec![Vec::new(); strata.iter().max().map_or(0, |last| *last as usize + 1)];
    strata.iter().enumerate().for_each(|(subject, stratum)| members[*stratum as usize].push(subject));
    members
}

/// The subjects of one stratum.
struct Columns {
    members: Vec<usize>,
    exits: Vec<f64>,
    events: Vec<bool>,
    entries: Vec<f64>,
    weights: Vec<f64>,
    risks: Vec<f64>,
}

impl Columns {
    fn of(outcomes: Outcomes, risks: &[f64], members: Vec<usize>) -> Columns {
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
            members,
        }
    }

    fn outcomes(&self) -> Outcomes<'_> {
        Outcomes { exits: &self.exits, events: &self.events, entries: &self.entries, weights: &self.weights }
    }

    /// Adds to each subject the pairs in which it had the event first – with all who are still at risk then – and the
    /// pairs in which it is the other one: with the events since it came.
    fn count_pairs(&self, pairs: &mut [Pairs], time_weight: &dyn Fn(f64) -> f64, interrupt: Interrupt) -> Result<()> {
        let ranks = ranks(&self.risks);
        let width = ranks.iter().max().map_or(0, |rank| rank + 1);
        let weight = |subject: usize| self.weights.get(subject).copied().unwrap_or(1.0);
        interrupt()?;
        let by_exit = latest_first(&self.exits, 0.0);
        interrupt()?;
        let by_entry = latest_first(&self.entries, f64::MIN_POSITIVE);
        let mut since_interrupt = 0;
        let mut go_on = |subjects: usize| {
            since_interrupt += subjects;
            if since_interrupt < SUBJECTS_PER_INTERRUPT {
                return Ok(());
            }
            since_interrupt = 0;
            interrupt()
        };

        // Backwards: who is at risk and leaves later.
        let mut at_risk = CumulativeWeights::new(width);
        let mut not_yet = by_entry.iter().peekable();
        for leaving in by_exit.chunk_by(|a, b| self.exits[*a] == self.exits[*b]) {
            go_on(leaving.len())?;
            let time = self.exits[leaving[0]];
            for &subject in leaving.iter().filter(|subject| !self.events[**subject]) {
                at_risk.add(ranks[subject], weight(subject));
            }
            let events = || leaving.iter().filter(|subject| self.events[**subject]);
            if events().next().is_some() {
                while let Some(&subject) = not_yet.next_if(|subject| self.entries[**subject] >= time) {
                    at_risk.add(ranks[subject], -weight(subject));
                }
            }
            let here = time_weight(time);
            for &subject in events() {
                let (lower, equal, higher) = at_risk.around(ranks[subject]);
                pairs[self.members[subject]].add(here, lower, higher, equal);
            }
            events().for_each(|&subject| at_risk.add(ranks[subject], weight(subject)));
        }

        // Forwards: the events up to each exit, less those up to the entry.
        let mut happened = CumulativeWeights::new(width);
        let mut comes = by_entry.iter().rev().peekable();
        let subtract = |happened: &CumulativeWeights, pairs: &mut [Pairs], subject: usize| {
            let (lower, equal, higher) = happened.around(ranks[subject]);
            pairs[self.members[subject]].add(-1.0, higher, lower, equal);
        };
        let rising: Vec<usize> = by_exit.into_iter().rev().collect();
        for leaving in rising.chunk_by(|a, b| self.exits[*a] == self.exits[*b]) {
            go_on(leaving.len())?;
            let time = self.exits[leaving[0]];
            while let Some(&subject) = comes.next_if(|subject| self.entries[**subject] < time) {
                subtract(&happened, pairs, subject);
            }
            let mut add = |happened: &CumulativeWeights, subject: usize| {
                let (lower, equal, higher) = happened.around(ranks[subject]);
                pairs[self.members[subject]].add(1.0, higher, lower, equal);
            };
            leaving.iter().filter(|subject| self.events[**subject]).for_each(|&subject| add(&happened, subject));
            for &subject in leaving.iter().filter(|subject| self.events[**subject]) {
                happened.add(ranks[subject], time_weight(time) * weight(subject));
            }
            leaving.iter().filter(|subject| !self.events[**subject]).for_each(|&subject| add(&happened, subject));
        }
        Ok(())
    }
}

fn no_memory(subjects: usize) -> Error {
    Error::OutOfRange(format!("no memory is left for the pairs of {subjects} subjects"))
}
