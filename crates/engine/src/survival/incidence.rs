//! Competing risks: exact counts of endings by cause, of censorings and of late entries per distinct time, which merge.

use crate::numeric::bytes::{Reader, Writer};
use crate::numeric::tally::{Budget, Cell, Tally};
use crate::survival::codec::{PACKED, VERSION};
use crate::survival::packed;
use crate::survival::sample::{Sample, check_duration, check_row};
use crate::{Error, Result};

/// Causes are numbered from 1 to this; 0 is none.
pub const MOST_CAUSES: usize = 255;
const COUNTS: u8 = 0;
const FRACTIONAL: u8 = 1;

/// The sufficient statistic of the cumulative incidences: of several things that may end a contract, the first one does.
///
/// At risk, entries and ties are as in [`Sample`]: at risk at `t` when `entry < t <= duration`, and at one and the same
/// time endings come before censorings. There is one tally for each cause, so that a cause costs what its own rows do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Incidence {
    /// By cause, 0 being censored. The last one is never empty.
    exits: Vec<Tally<1>>,
    entries: Tally<1>,
    skipped: u64,
    /// Some weight was no whole number, so that weights are no repetitions.
    fractional: bool,
}

impl Incidence {
    /// Adds one subject of weight 1 that was at risk from the start; `cause` 0 is censored.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `duration` is negative, NaN or infinite or `cause` is not in 0..=255; [`Error::Memory`]
    /// over budget.
    pub fn add(&mut self, duration: f64, cause: i32, budget: Budget) -> Result<()> {
        self.add_asking(duration, cause, || budget)
    }

    /// As [`Incidence::add`], asking for the budget only when memory may grow.
    #[inline(always)]
    pub fn add_asking(&mut self, duration: f64, cause: i32, budget: impl FnOnce() -> Budget) -> Result<()> {
        check_duration(duration)?;
        let at = self.place(cause)?;
        let (before, from) = self.exits.split_at_mut(at);
        let Some((own, after)) = from.split_first_mut() else { return Ok(()) };
        let mut allowed = Budget::UNLIMITED;
        let left = || {
            allowed = budget();
            let others = before.iter().chain(after.iter()).map(bytes).sum::<usize>() + self.entries.memory_bytes();
            beside(allowed, others)
        };
        own.add_asking(duration, 0, left).map_err(|error| of_all(error, allowed))
    }

    /// Adds one subject with any weight and, if it was observed only from `entry` on, its delayed entry.
    ///
    /// # Errors
    /// As [`Incidence::add`] and [`Sample::add_row`].
    pub fn add_row(&mut self, entry: f64, duration: f64, cause: i32, weight: f64, budget: Budget) -> Result<()> {
        check_row(entry, duration, weight).map_err(|error| told_of_entries(error, weight))?;
        self.fractional |= weight.fract() != 0.0;
        let at = self.place(cause)?;
        let all = self.memory_bytes();
        let own = &mut self.exits[at];
        let left = beside(budget, all - bytes(own));
        let added = match weight == 1.0 {
            true => own.add(duration, 0, left),
            false => own.add_weighted(duration, 0, weight, left),
        };
        added.map_err(|error| of_all(error, budget))?;
        if entry == 0.0 {
            return Ok(());
        }
        let left = beside(budget, self.exits.iter().map(bytes).sum());
        let added = match weight == 1.0 {
            true => self.entries.add(entry, 0, left),
            false => self.entries.add_weighted(entry, 0, weight, left),
        };
        added.map_err(|error| of_all(error, budget))
    }

    #[inline(always)]
    fn place(&mut self, cause: i32) -> Result<usize> {
        let at = cause as u32 as usize;
        if at >= self.exits.len() {
            self.make_room(cause)?;
        }
        Ok(at)
    }

    #[cold]
    fn make_room(&mut self, cause: i32) -> Result<()> {
        let at = cause_number(cause, true)?;
        self.exits.resize(at + 1, Tally::default());
        Ok(())
    }

    /// Notes a row that was left out because an argument was NULL.
    pub fn skip(&mut self) {
        self.skip_many(1);
    }

    pub(super) fn skip_many(&mut self, rows: u64) {
        self.skipped = self.skipped.saturating_add(rows);
    }

    /// Adds everything that `other` has seen.
    ///
    /// # Errors
    /// [`Error::Memory`] over budget.
    pub fn merge(&mut self, other: &Incidence, budget: Budget) -> Result<()> {
        if self.exits.len() < other.exits.len() {
            self.exits.resize(other.exits.len(), Tally::default());
        }
        let mut all = self.memory_bytes();
        for (own, others) in self.exits.iter_mut().zip(&other.exits) {
            let before = bytes(own);
            own.merge(others, beside(budget, all - before)).map_err(|error| of_all(error, budget))?;
            all = all - before + bytes(own);
        }
        let left = beside(budget, all - self.entries.memory_bytes());
        self.entries.merge(&other.entries, left).map_err(|error| of_all(error, budget))?;
        self.skipped = self.skipped.saturating_add(other.skipped);
        self.fractional |= other.fractional;
        Ok(())
    }

    pub fn subjects(&self) -> f64 {
        self.exits.iter().map(total).sum::<f64>() + 0.0
    }

    /// Endings by any cause.
    pub fn events(&self) -> f64 {
        self.exits.iter().skip(1).map(total).sum::<f64>() + 0.0
    }

    pub fn censored(&self) -> f64 {
        self.exits.first().map_or(0.0, total)
    }

    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// The causes that have ended something, rising.
    pub fn causes(&self) -> impl Iterator<Item = usize> {
        (1..self.exits.len()).filter(|cause| !self.exits[*cause].is_empty())
    }

    /// The largest duration, of an ending or a censoring; `None` when nothing was added.
    pub fn max_followup(&self) -> Option<f64> {
        self.exits.iter().filter_map(|tally| Some(tally.sorted().last()?.key)).reduce(f64::max)
    }

    /// The counts by cause, 0 being censored; those after the last are empty.
    pub fn exits(&self) -> &[Tally<1>] {
        &self.exits
    }

    pub fn entries(&self) -> &Tally<1> {
        &self.entries
    }

    pub fn memory_bytes(&self) -> usize {
        self.exits.iter().map(bytes).sum::<usize>() + self.entries.memory_bytes()
    }

    /// Whether some weight was no whole number.
    pub fn is_fractional(&self) -> bool {
        self.fractional
    }

    /// The sample in which an ending by any cause is the event: survival is to be still there.
    ///
    /// # Errors
    /// [`Error::Invalid`] when some weight was no whole number: the robust errors of a curve need squares of weights,
    /// which are not kept here.
    pub fn event_free(&self) -> Result<Sample> {
        self.sample(|cause| cause > 0)
    }

    /// The sample in which endings by `cause` are the events and all others censorings: what the hazard of this cause
    /// is read from. One less its survival is *not* the incidence of the cause, but what that would be if nothing else
    /// could end a contract and the causes had nothing to do with each other.
    ///
    /// # Errors
    /// As [`Incidence::event_free`]; [`Error::Invalid`] for a cause outside 1..=255.
    pub fn of_cause(&self, cause: i32) -> Result<Sample> {
        let wanted = cause_number(cause, false)?;
        self.sample(|cause| cause == wanted)
    }

    fn sample(&self, is_event: impl Fn(usize) -> bool) -> Result<Sample> {
        if self.fractional {
            return Err(Error::invalid(
                "counts by cause with weights that are not whole do not keep what the errors of a curve need",
                "survival_agg(duration, cause > 0, weight) does: gather the curve from the rows.",
            ));
        }
        let mut exits = Tally::<2>::default();
        for (cause, tally) in self.exits.iter().enumerate() {
            let counts = |count: f64| if is_event(cause) { [count, 0.0] } else { [0.0, count] };
            let cells = tally.sorted().into_iter().map(|cell| Cell { key: cell.key, counts: counts(cell.counts[0]) });
            exits.merge(&Tally::from_sorted(cells.collect())?, Budget::UNLIMITED)?;
        }
        Sample::from_parts(exits, self.entries.clone(), None, self.skipped)
    }

    /// From its parts, as text or bytes carry them: the counts by cause, 0 being censored.
    ///
    /// # Errors
    /// [`Error::Malformed`] for too many causes, a last one without a row, or more leaving than have entered.
    pub fn from_parts(exits: Vec<Tally<1>>, entries: Tally<1>, skipped: u64, fractional: bool) -> Result<Self> {
        if exits.len() > MOST_CAUSES + 1 || exits.last().is_some_and(Tally::is_empty) {
            return Err(Error::malformed("the causes of a summary of incidences are none of ours"));
        }
        // As if all weights were whole, for the check that nobody leaves who has not entered.
        let incidence = Incidence { exits, entries, skipped, fractional: false };
        if !incidence.entries.is_empty() {
            incidence.event_free()?;
        }
        Ok(Incidence { fractional, ..incidence })
    }

    /// Bytes: version, kind, the number of tallies (censored, cause 1, …), each of them, late entries, rows left out, and a
    /// 1 when some weight was not whole.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.byte(VERSION);
        out.byte(COUNTS);
        out.whole(self.exits.len() as u64);
        self.exits.iter().for_each(|tally| tally.write(&mut out));
        self.entries.write(&mut out);
        out.whole(self.skipped);
        if self.fractional {
            out.byte(FRACTIONAL);
        }
        out.bytes
    }

    /// # Errors
    /// [`Error::Malformed`] for anything that neither [`Incidence::encode`] nor a packed group could have left.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        if packed::is_packed(bytes) {
            return packed::incidence(bytes);
        }
        let mut from = Reader::new(bytes);
        let (version, kind) = (from.byte()?, from.byte()?);
        if version != VERSION || kind == PACKED || kind != COUNTS {
            return Err(Error::malformed(format!(
                "format version {version}, kind {kind} of ltv.incidence is not known to this release"
            )));
        }
        // An empty tally takes two bytes.
        let tallies = from.count(2)?;
        let exits = (0..tallies).map(|_| Tally::read(&mut from)).collect::<Result<Vec<_>>>()?;
        let (entries, skipped) = (Tally::read(&mut from)?, from.whole()?);
        let fractional = !from.is_at_end();
        if fractional && from.byte()? != FRACTIONAL {
            return Err(Error::malformed("a summary of incidences has an unknown last byte"));
        }
        from.finish()?;
        Self::from_parts(exits, entries, skipped, fractional)
    }
}

fn bytes(tally: &Tally<1>) -> usize {
    size_of::<Tally<1>>() + tally.memory_bytes()
}

/// What is left of a budget beside what others have taken.
fn beside(budget: Budget, others: usize) -> Budget {
    Budget { bytes: budget.bytes.saturating_sub(others) }
}

/// A refusal names what the whole summary may take, not what one cause was left.
#[cold]
fn of_all(error: Error, budget: Budget) -> Error {
    match error {
        Error::Memory { what, .. } => Error::Memory { what, limit_mb: budget.bytes >> 20 },
        other => other,
    }
}

fn total(tally: &Tally<1>) -> f64 {
    tally.sorted().iter().map(|cell| cell.counts[0]).sum::<f64>() + 0.0
}

/// (entry, duration, cause) without a weight is read as (duration, cause, weight), and whoever still runs then weighs
/// nothing: to leave those rows out, as the usual hint says, would be the one thing not to do.
#[cold]
fn told_of_entries(error: Error, weight: f64) -> Error {
    match error {
        Error::Invalid { message, .. } if weight == 0.0 => Error::invalid(
            message,
            "Of three numbers the last is the weight. With a delayed entry give four: (entry, duration, cause, 1).",
        ),
        other => other,
    }
}

/// A cause from 1 to 255, or 0 where that is allowed.
///
/// # Errors
/// [`Error::Invalid`] for any other number.
pub fn cause_number(cause: i32, none_allowed: bool) -> Result<usize> {
    let number = usize::try_from(cause).ok().filter(|cause| *cause <= MOST_CAUSES && (none_allowed || *cause > 0));
    number.ok_or_else(|| {
        let first = if none_allowed { "0 (not ended yet) or 1" } else { "1" };
        Error::invalid(
            format!("a cause must be from {first} to {MOST_CAUSES}, got {cause}"),
            "Number the causes 1, 2, ...; 0 says that the contract still ran when it was last seen.",
        )
    })
}
