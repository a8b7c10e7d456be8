//! A sample of durations: exact counts of events, censorings and late entries per distinct time, which merge.

use crate::numeric::bytes::{Reader, Writer};
use crate::numeric::tally::{Budget, LARGEST_WEIGHT, Tally};
use crate::survival::risk::RiskTable;
use crate::survival::weights::Weights;
use crate::{Error, Result};

pub(super) const EVENT: usize = 0;
pub(super) const CENSORED: usize = 1;

/// The sufficient statistic of every non-parametric estimator here.
///
/// A subject is at risk at `t` when `entry < t <= duration`; subjects without a delayed entry are at risk from the
/// start, an event at time 0 included. At one and the same time events come before censorings.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample {
    /// Columns: events, censored.
    exits: Tally<2>,
    /// Late entries.
    entries: Tally<1>,
    /// What robust variances need of the weights, once one of them is not 1.
    weights: Option<Box<Weights>>,
    /// Rows that were left out because an argument was NULL.
    skipped: u64,
}

impl Sample {
    /// Adds one subject of weight 1 that was at risk from the start.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `duration` is negative, NaN or infinite; [`Error::Memory`] over budget.
    pub fn add(&mut self, duration: f64, event: bool, budget: Budget) -> Result<()> {
        self.add_asking(duration, event, || budget)
    }

    /// As [`Sample::add`], asking for the budget only when memory may grow.
    #[inline(always)]
    pub fn add_asking(&mut self, duration: f64, event: bool, budget: impl FnOnce() -> Budget) -> Result<()> {
        check_duration(duration)?;
        if self.weights.is_some() {
            return self.add_weighted(duration, event, 1.0, budget());
        }
        self.exits.add_asking(duration, if event { EVENT } else { CENSORED }, budget)
    }

    /// A sample of subjects of weight 1 that were at risk from the start, by the durations of those with the event and of
    /// those without.
    ///
    /// # Errors
    /// As [`Sample::add`].
    pub(super) fn of_durations(events: Vec<f64>, censored: Vec<f64>) -> Result<Sample> {
        events.iter().chain(&censored).try_for_each(|duration| check_duration(*duration))?;
        Ok(Sample { exits: Tally::of_singles([events, censored]), ..Sample::default() })
    }

    #[inline(never)]
    fn add_weighted(&mut self, duration: f64, event: bool, weight: f64, budget: Budget) -> Result<()> {
        if self.weights.is_none() {
            self.weights = Some(Box::new(Weights::of_single_rows(&self.exits)?));
        }
        if let Some(weights) = &mut self.weights {
            weights.add(duration, event, weight, budget)?;
        }
        let column = if event { EVENT } else { CENSORED };
        match weight == 1.0 {
            true => self.exits.add(duration, column, budget),
            false => self.exits.add_weighted(duration, column, weight, budget),
        }
    }

    /// Adds one subject with any weight and, if it was observed only from `entry` on, its delayed entry.
    ///
    /// # Errors
    /// As [`Sample::add`]; also when `entry` is not in `[0, duration)`, or within it only by rounding (1.5e-8 of it, as
    /// tied times), and when `weight` is not positive or beyond [`LARGEST_WEIGHT`]. An entry of 0 is no delayed entry, so it
    /// goes with a duration of 0.
    pub fn add_row(&mut self, entry: f64, duration: f64, event: bool, weight: f64, budget: Budget) -> Result<()> {
        check_row(entry, duration, weight)?;
        if weight == 1.0 {
            self.add(duration, event, budget)?;
            if entry > 0.0 { self.entries.add(entry, 0, budget) } else { Ok(()) }
        } else {
            self.add_weighted(duration, event, weight, budget)?;
            if entry > 0.0 { self.entries.add_weighted(entry, 0, weight, budget) } else { Ok(()) }
        }
    }

    /// Notes a row that was left out because an argument was NULL.
    pub fn skip(&mut self) {
        self.skip_many(1);
    }

    pub(super) fn skip_many(&mut self, rows: u64) {
        self.skipped = self.skipped.saturating_add(rows);
    }

    /// Adds everything that `other` has seen.
    pub fn merge(&mut self, other: &Sample, budget: Budget) -> Result<()> {
        if self.weights.is_some() || other.weights.is_some() {
            let mut ours = self.take_weights()?;
            match &other.weights {
                Some(theirs) => ours.merge(theirs, budget)?,
                None => ours.merge(&Weights::of_single_rows(&other.exits)?, budget)?,
            }
            self.weights = Some(ours);
        }
        self.exits.merge(&other.exits, budget)?;
        self.entries.merge(&other.entries, budget)?;
        self.skipped = self.skipped.saturating_add(other.skipped);
        Ok(())
    }

    fn take_weights(&mut self) -> Result<Box<Weights>> {
        match self.weights.take() {
            Some(weights) => Ok(weights),
            None => Ok(Box::new(Weights::of_single_rows(&self.exits)?)),
        }
    }

    /// The sample of those still at risk just after `given`, on a clock that starts there.
    ///
    /// Greenwood's formula on it gives the variance of the conditional survival.
    pub fn conditional(&self, given: f64) -> Result<Sample> {
        // A time that ties with `given` has passed, though rounding may have put it just after.
        let mut times = RiskTable::new(&[self]).rows.into_iter().map(|row| row.time);
        let Some(next) = times.find(|time| *time > given) else {
            return Ok(Sample { skipped: self.skipped, ..Sample::default() });
        };
        Ok(Sample {
            exits: self.exits.since(next, given),
            entries: self.entries.since(next, given),
            weights: self.weights.as_ref().map(|weights| Box::new(weights.since(next, given))),
            skipped: self.skipped,
        })
    }

    pub fn subjects(&self) -> f64 {
        self.exits.sorted().iter().map(|cell| cell.counts[EVENT] + cell.counts[CENSORED]).sum::<f64>() + 0.0
    }

    pub fn events(&self) -> f64 {
        self.exits.sorted().iter().map(|cell| cell.counts[EVENT]).sum::<f64>() + 0.0
    }

    pub fn censored(&self) -> f64 {
        self.exits.sorted().iter().map(|cell| cell.counts[CENSORED]).sum::<f64>() + 0.0
    }

    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// The largest duration, event or censoring; `None` for an empty sample.
    pub fn max_followup(&self) -> Option<f64> {
        self.exits.sorted().last().map(|cell| cell.key)
    }

    pub fn exits(&self) -> &Tally<2> {
        &self.exits
    }

    pub fn entries(&self) -> &Tally<1> {
        &self.entries
    }

    /// What is known of the weights; `None` when all are 1.
    pub fn weights(&self) -> Option<&Weights> {
        self.weights.as_deref()
    }

    pub fn memory_bytes(&self) -> usize {
        let weights = self.weights.as_ref().map_or(0, |weights| weights.memory_bytes());
        self.exits.memory_bytes() + self.entries.memory_bytes() + weights
    }

    /// A sample from its parts, as text or bytes carry them.
    ///
    /// # Errors
    /// [`Error::Malformed`] when more subjects have left than have entered at some time, and when the weights are not
    /// those of the counts.
    pub fn from_parts(exits: Tally<2>, entries: Tally<1>, weights: Option<Weights>, skipped: u64) -> Result<Self> {
        if let Some(weights) = &weights {
            weights.validate(&exits)?;
        }
        let sample = Sample { exits, entries, weights: weights.map(Box::new), skipped };
        if sample.entries.is_empty() {
            return Ok(sample);
        }
        let table = RiskTable::new(&[&sample]);
        let total = sample.subjects();
        match table.rows.iter().position(|row| row.events[0] + row.censored[0] > row.at_risk[0] + 1e-9 * total) {
            Some(at) => Err(Error::malformed(format!("more leave than are at risk at time {}", table.rows[at].time))),
            None => Ok(sample),
        }
    }

    pub fn write(&self, out: &mut Writer) {
        self.exits.write(out);
        self.entries.write(out);
        out.whole(self.skipped);
        if let Some(weights) = &self.weights {
            weights.write(out);
        }
    }

    /// Reads to the end: the weights are the last field, and left out when all are 1.
    pub fn read(from: &mut Reader) -> Result<Self> {
        let (exits, entries, skipped) = (Tally::read(from)?, Tally::read(from)?, from.whole()?);
        let weights = if from.is_at_end() { None } else { Some(Weights::read(from)?) };
        Self::from_parts(exits, entries, weights, skipped)
    }
}

/// What [`Sample::add_row`] says of a row.
pub(super) fn check_row(entry: f64, duration: f64, weight: f64) -> Result<()> {
    check_duration(duration)?;
    // An entry that ties with the exit but for rounding would leave the subject never at risk.
    let shortest = f64::EPSILON.sqrt() * duration;
    if !(entry == 0.0 || (entry > 0.0 && duration - entry > shortest)) {
        return Err(Error::invalid(
            format!("entry {entry} must be at least 0 and less than the duration {duration}, by more than rounding"),
            "Both are measured from the same origin: a contract seen from month 3 until month 10 has entry 3 and duration 10.",
        ));
    }
    if !(weight > 0.0 && weight <= LARGEST_WEIGHT) {
        return Err(Error::invalid(
            format!("weight must be greater than 0 and at most {LARGEST_WEIGHT:e}, got {weight}"),
            "Filter the rows that should not count.",
        ));
    }
    Ok(())
}

/// A duration is finite and not negative.
#[inline(always)]
pub(super) fn check_duration(duration: f64) -> Result<()> {
    if (0.0..f64::INFINITY).contains(&duration) { Ok(()) } else { Err(bad_duration(duration)) }
}

#[cold]
fn bad_duration(duration: f64) -> Error {
    Error::invalid(
        format!("duration must be finite and not negative, got {duration}"),
        "Did it end before it started? A running contract is a censored row: its duration so far with event false.",
    )
}
