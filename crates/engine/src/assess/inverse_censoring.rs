//! Weights by the inverse probability of censoring at a horizon, in one pass over rows that are sorted by time.
//!
//! G is the Kaplan–Meier curve of the censoring, events before censorings at a tie: an event by the horizon weighs
//! 1/G(T−), whoever lasts beyond it 1/G(horizon), and of those censored before nothing is known.
//!
//! One curve for all rows is right where who is censored does not hang on what is known of them (Graf et al. 1999). Where it
//! does, G is to be that given what is known (Gerds & Schumacher 2006): here one curve for each group of like predictions,
//! which is enough where the prediction holds all that tells of both the event and the censoring.

use crate::assess::brier::BrierScore;
use crate::assess::concordance::Outcomes;
use crate::assess::reliability::place_of_quantile;
use crate::assess::survival_calibration::Columns;
use crate::assess::survival_scores::check_horizon;
use crate::assess::truncation_weights;
use crate::numeric::sum::Sum;
use crate::numeric::tally::LARGEST_WEIGHT;
use crate::survival::risk::distinct_times;
use crate::{Error, Interrupt, Result};

/// The most groups of like predictions, and the events by the horizon that each has on average at least.
const MOST_GROUPS: usize = 20;
const EVENTS_PER_GROUP: f64 = 20.0;

/// Whose curve of the censoring a row is weighed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Censoring {
    /// That of all rows (Graf, Schmoor, Sauerbrei & Schumacher 1999).
    Marginal,
    /// That of the rows of a like prediction (Gerds & Schumacher 2006, with a curve per stratum): up to twenty groups of equal
    /// number, equal predictions together, of twenty events each on average. Fewer, down to one, where of a group nobody
    /// is seen beyond the horizon.
    Grouped,
}

impl std::str::FromStr for Censoring {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "marginal" => Ok(Censoring::Marginal),
            "grouped" => Ok(Censoring::Grouped),
            _ => Err(Error::invalid(format!("unknown censoring \"{name}\""), "One of: marginal, grouped.")),
        }
    }
}

/// Rows between two questions whether to go on.
const ROWS_PER_INTERRUPT: usize = 1 << 16;

/// The weights of rows in the order of their [`Columns`].
pub(super) struct InverseWeights {
    /// Of each row that leaves by the horizon: weight / G(T−) with the event, 0 without. The rows that follow last longer.
    pub leaving: Vec<f64>,
    /// G(horizon) of all rows: 0 where censoring lets nobody be seen beyond.
    pub seen_beyond: f64,
    /// Weight / G(horizon) of each row that lasts longer, where that is not the same G for all; else empty.
    staying: Vec<f64>,
    /// The group of like predictions of each row, from 1; empty where all are one.
    group: Vec<usize>,
    /// The Kaplan–Meier estimate at the horizon, and the weight of all rows.
    pub marginal: f64,
    pub total: f64,
}

impl InverseWeights {
    pub fn new(columns: &Columns, horizon: f64, censoring: Censoring, interrupt: Interrupt) -> Result<Self> {
        let marginal = Self::marginal(columns, horizon, interrupt)?;
        if censoring == Censoring::Marginal || marginal.seen_beyond <= 0.0 {
            return Ok(marginal);
        }
        let events: f64 =
            (0..marginal.leaving.len()).filter(|row| columns.events[*row]).map(|row| columns.weight(row)).sum();
        let order = Self::by_prediction(columns);
        for groups in (2..=MOST_GROUPS.min((events / EVENTS_PER_GROUP) as usize)).rev() {
            if let Some(grouped) = Self::grouped(columns, &order, groups, &marginal, horizon, interrupt)? {
                return Ok(grouped);
            }
        }
        Ok(marginal)
    }

    fn by_prediction(columns: &Columns) -> Vec<usize> {
        let mut order: Vec<usize> = (0..columns.len()).collect();
        order.sort_unstable_by(|a, b| columns.survival[*a].total_cmp(&columns.survival[*b]).then(a.cmp(b)));
        order
    }

    /// The weights within each of so many groups of like predictions; `None` where of one nobody is seen beyond the
    /// horizon.
    fn grouped(
        columns: &Columns,
        order: &[usize],
        groups: usize,
        marginal: &InverseWeights,
        horizon: f64,
        interrupt: Interrupt,
    ) -> Result<Option<Self>> {
        let mut group = vec![0; columns.len()];
        let mut before = 0.0;
        for tied in order.chunk_by(|a, b| columns.survival[*a] == columns.survival[*b]) {
            let weight: f64 = tied.iter().map(|row| columns.weight(*row)).sum();
            let at = place_of_quantile(before + weight / 2.0, marginal.total, groups);
            before += weight;
            tied.iter().for_each(|row| group[*row] = at);
        }
        // Times that are one among all rows are one in each group.
        let mut times = columns.exits.clone();
        times.dedup();
        let distinct = distinct_times(&times);
        let time =
            |row: usize| distinct[distinct.partition_point(|time| *time <= columns.exits[row]).saturating_sub(1)];
        let until = marginal.leaving.len();
        let mut found = InverseWeights {
            leaving: vec![0.0; until],
            seen_beyond: marginal.seen_beyond,
            staying: vec![0.0; columns.len() - until],
            group: Vec::new(),
            marginal: 0.0,
            total: marginal.total,
        };
        let mut survivors = Sum::default();
        for at in 1..=groups {
            let rows: Vec<usize> = (0..columns.len()).filter(|row| group[*row] == at).collect();
            if rows.is_empty() {
                continue;
            }
            let part = Columns {
                survival: Vec::new(),
                exits: rows.iter().map(|row| time(*row)).collect(),
                events: rows.iter().map(|row| columns.events[*row]).collect(),
                weights: rows.iter().map(|row| columns.weight(*row)).collect(),
            };
            let weights = Self::marginal(&part, horizon, interrupt)?;
            if weights.seen_beyond <= 0.0 {
                return Ok(None);
            }
            survivors.add(weights.total * weights.marginal);
            for (place, row) in rows.into_iter().enumerate() {
                match weights.leaving.get(place) {
                    Some(weight) => found.leaving[row] = *weight,
                    None => found.staying[row - until] = part.weight(place) / weights.seen_beyond,
                }
            }
        }
        found.marginal = survivors.total() / found.total;
        found.group = group;
        Ok(Some(found))
    }

    /// The weight of a row, 0 where its status at the horizon is not known.
    pub fn of(&self, columns: &Columns, row: usize) -> f64 {
        match self.leaving.get(row) {
            Some(weight) => *weight,
            None => match self.staying.get(row - self.leaving.len()) {
                Some(weight) => *weight,
                None => columns.weight(row) / self.seen_beyond,
            },
        }
    }

    fn marginal(columns: &Columns, horizon: f64, interrupt: Interrupt) -> Result<Self> {
        let mut times = columns.exits.clone();
        times.dedup();
        let distinct = distinct_times(&times);
        let until = distinct.partition_point(|time| *time <= horizon);
        let total: Sum = (0..columns.len()).map(|row| columns.weight(row)).collect();
        let mut at_risk = total;
        let (mut seen, mut marginal) = (1.0, 1.0);
        let mut leaving = Vec::with_capacity(columns.len());
        let mut next_interrupt = 0;
        for step in 0..until {
            if leaving.len() >= next_interrupt {
                interrupt()?;
                next_interrupt = leaving.len() + ROWS_PER_INTERRUPT;
            }
            let end = distinct.get(step + 1).copied().unwrap_or(f64::INFINITY);
            let (mut died, mut lost) = (Sum::default(), Sum::default());
            while let Some(exit) = columns.exits.get(leaving.len()).filter(|exit| **exit < end) {
                debug_assert!(*exit >= distinct[step]);
                let row = leaving.len();
                let weight = columns.weight(row);
                if columns.events[row] {
                    died.add(weight);
                    leaving.push(weight / seen);
                } else {
                    lost.add(weight);
                    leaving.push(0.0);
                }
            }
            marginal *= (1.0 - died.total() / at_risk.total()).max(0.0);
            at_risk.take_sum(died);
            if lost.total() > 0.0 && at_risk.total() > 0.0 {
                seen *= (at_risk.total() - lost.total()).max(0.0) / at_risk.total();
            }
            at_risk.take_sum(lost);
        }
        let (staying, group) = (Vec::new(), Vec::new());
        Ok(InverseWeights { leaving, seen_beyond: seen, staying, group, marginal, total: total.total() })
    }

    /// As [`brier_score`](crate::assess::brier::brier_score).
    pub fn brier(&self, columns: &Columns) -> Option<BrierScore> {
        if !(self.seen_beyond > 0.0 && self.total > 0.0) {
            return None;
        }
        let (mut model, mut gone, mut staying) = (Sum::default(), Sum::default(), Sum::default());
        for (weight, survival) in self.leaving.iter().zip(&columns.survival) {
            model.add(weight * survival * survival);
            gone.add(*weight);
        }
        for row in self.leaving.len()..columns.len() {
            let (weight, miss) = (self.of(columns, row), 1.0 - columns.survival[row]);
            model.add(weight * miss * miss);
            staying.add(weight);
        }
        let miss = 1.0 - self.marginal;
        let brier = model.total() / self.total;
        let reference = (gone.total() * self.marginal * self.marginal + staying.total() * miss * miss) / self.total;
        let skill = (reference > 0.0).then(|| 1.0 - brier / reference);
        (brier.is_finite() && reference.is_finite()).then_some(BrierScore { brier, reference, skill })
    }

    /// The cumulative/dynamic area under the ROC curve.
    pub fn area(&self, columns: &Columns, interrupt: Interrupt) -> Result<Option<f64>> {
        // Prediction, weight as a case, weight as a control.
        let mut rows: Vec<(f64, f64, f64)> = Vec::with_capacity(columns.len());
        let cases = self.leaving.iter().zip(&columns.survival).filter(|(weight, _)| **weight > 0.0);
        rows.extend(cases.map(|(weight, survival)| (*survival, *weight, 0.0)));
        // One G for all controls cancels out.
        let control = |row: usize| if self.staying.is_empty() { columns.weight(row) } else { self.of(columns, row) };
        let controls = self.leaving.len()..columns.len();
        rows.extend(controls.map(|row| (columns.survival[row], 0.0, control(row))));
        interrupt()?;
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        interrupt()?;
        let (mut won, mut all_cases, mut all_controls) = (Sum::default(), Sum::default(), Sum::default());
        for tied in rows.chunk_by(|a, b| a.0 == b.0) {
            let (mut with, mut without) = (0.0, 0.0);
            for (_, case, control) in tied {
                with += case;
                without += control;
            }
            // Those with the event so far have a lower survival.
            won.add(without * (all_cases.total() + with / 2.0));
            all_cases.add(with);
            all_controls.add(without);
        }
        Ok(Some(won.total() / all_cases.total() / all_controls.total()).filter(|area| area.is_finite()))
    }
}

/// The weight of each row at `horizon`, in the order given: its own (1 without weights) over the probability not to be
/// censored so far for those with the event by the horizon and those who last beyond it, and 0 for those censored before.
/// They add up to the weight of all rows. With `survival`, what was predicted for each row, the probability is that of its
/// group of like predictions ([`Censoring::Grouped`]); with none given one curve is that of all. `None` for no rows and
/// where nobody is seen beyond the horizon. Where some entered late, and without `survival`, the probability is that to be
/// seen: [`truncation_weights`].
///
/// # Errors
/// [`Error::Invalid`] when the slices differ in length, somebody entered late and there is `survival`, or a number is out of
/// its domain; what `interrupt` returns.
pub fn censoring_weights(
    outcomes: Outcomes,
    survival: &[f64],
    horizon: f64,
    interrupt: Interrupt,
) -> Result<Option<Vec<f64>>> {
    if survival.is_empty() && !outcomes.entries.is_empty() {
        check_entries(outcomes)?;
    }
    if survival.is_empty() && outcomes.entries.iter().any(|entry| *entry != 0.0) {
        sorted(Outcomes { entries: &[], ..outcomes }, survival, horizon)?;
        return truncation_weights::weights(outcomes, horizon, interrupt);
    }
    let (order, columns) = sorted(outcomes, survival, horizon)?;
    let censoring = if survival.is_empty() { Censoring::Marginal } else { Censoring::Grouped };
    let found = InverseWeights::new(&columns, horizon, censoring, interrupt)?;
    if columns.is_empty() || found.seen_beyond <= 0.0 {
        return Ok(None);
    }
    let mut told = vec![0.0; columns.len()];
    order.into_iter().enumerate().for_each(|(place, row)| told[row] = found.of(&columns, place));
    Ok(Some(told))
}

/// # Errors
/// [`Error::Invalid`] unless there is an entry for each row, finite, not negative and not after its exit.
fn check_entries(outcomes: Outcomes) -> Result<()> {
    let Outcomes { exits, entries, .. } = outcomes;
    if entries.len() != exits.len() {
        return Err(Error::invalid(
            format!("{} durations and {} entries do not belong together", exits.len(), entries.len()),
            "One of each per row, 0 for who was there from the start; none at all when all were.",
        ));
    }
    match entries.iter().zip(exits).find(|(entry, exit)| !(0.0 <= **entry && *entry <= *exit)) {
        Some((entry, exit)) => Err(Error::invalid(
            format!(
                "an entry must not be negative or after the end of its row, got {entry} of a row that ends at {exit}"
            ),
            "Rows that were never observed are to be left out.",
        )),
        None => Ok(()),
    }
}

/// The group of like predictions that each row is in, in the order given and from 1 (the lowest predictions): those by
/// whose curves [`Censoring::Grouped`] weighs. All are 1 where the events are too few for two groups, or nobody is seen
/// beyond the horizon.
///
/// # Errors
/// As [`censoring_weights`]; also for predictions that are not probabilities or not one per row.
pub fn censoring_groups(
    outcomes: Outcomes,
    survival: &[f64],
    horizon: f64,
    interrupt: Interrupt,
) -> Result<Vec<usize>> {
    if survival.len() != outcomes.exits.len() {
        return Err(of_different_lengths(outcomes, survival));
    }
    let (order, columns) = sorted(outcomes, survival, horizon)?;
    let found = InverseWeights::new(&columns, horizon, Censoring::Grouped, interrupt)?;
    let mut told = vec![1; columns.len()];
    found.group.iter().zip(order).for_each(|(group, row)| told[row] = *group);
    Ok(told)
}

/// The rows by rising duration, and which place each had.
fn sorted(outcomes: Outcomes, survival: &[f64], horizon: f64) -> Result<(Vec<usize>, Columns)> {
    check_horizon(horizon)?;
    let Outcomes { exits, events, entries, weights } = outcomes;
    let fits = |length: usize| length == 0 || length == exits.len();
    if events.len() != exits.len() || !fits(weights.len()) || !fits(survival.len()) {
        return Err(of_different_lengths(outcomes, survival));
    }
    if let Some(odd) = entries.iter().find(|entry| **entry != 0.0) {
        return Err(Error::invalid(
            format!("weights for censoring are not defined with delayed entry, and one entry is {odd}"),
            "Count durations from the entry.",
        ));
    }
    if let Some(odd) = exits.iter().find(|exit| !(0.0..f64::INFINITY).contains(*exit)) {
        return Err(Error::invalid(
            format!("duration must be finite and not negative, got {odd}"),
            "It is the time that a row was seen for.",
        ));
    }
    if let Some(odd) = weights.iter().find(|weight| !(**weight > 0.0 && **weight <= LARGEST_WEIGHT)) {
        return Err(Error::invalid(
            format!("weight must be greater than 0 and at most {LARGEST_WEIGHT:e}, got {odd}"),
            "Filter the rows that should not count.",
        ));
    }
    if let Some(odd) = survival.iter().find(|survival| !(0.0..=1.0).contains(*survival)) {
        return Err(Error::invalid(
            format!("a predicted survival must be between 0 and 1, got {odd}"),
            "It is the probability of no event until the horizon, not of the event.",
        ));
    }
    let mut order: Vec<usize> = (0..exits.len()).collect();
    order.sort_by(|a, b| exits[*a].total_cmp(&exits[*b]));
    let of = |column: &[f64]| order.iter().filter_map(|row| column.get(*row).copied()).collect();
    let columns = Columns {
        survival: of(survival),
        exits: of(exits),
        events: order.iter().map(|row| events[*row]).collect(),
        weights: of(weights),
    };
    Ok((order, columns))
}

#[cold]
fn of_different_lengths(outcomes: Outcomes, survival: &[f64]) -> Error {
    let Outcomes { exits, events, weights, .. } = outcomes;
    let predictions = match survival.len() {
        0 => String::new(),
        more => format!(", {more} predictions"),
    };
    Error::invalid(
        format!(
            "{} durations, {} events{predictions} and {} weights do not belong together",
            exits.len(),
            events.len(),
            weights.len()
        ),
        "One of each per row, in the same order; no weights at all when all are 1.",
    )
}
