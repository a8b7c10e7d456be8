//! Rows that a model by proportional hazards has not seen, kept with it: who of which risk left when.
//!
//! Under proportional hazards the order of risk is the same in every window, so the rows' linear predictors and times are all
//! it takes to group them by like prediction at any age and for any horizon (see `held_out_limits`). Up to
//! [`RISKS_APART`] different risks and [`TIMES_APART`] times are kept as they are. More are put into bins: of neighbouring risks whose share
//! of the rows and share of the range of the linear predictor add up to at most 1/64, represented by the mean of e^η, so
//! that the mean cumulative hazard is kept in every window; and of neighbouring times with at most 1/128 of the rows, of the
//! events and of the late entries together, within which all are taken to be spread evenly. What is more than that by itself is a bin of its own.

use crate::numeric::tally::Budget;
use crate::{Error, Interrupt, Result};

/// So many different risks are each kept apart.
pub const RISKS_APART: usize = 256;
/// And so many different times.
pub const TIMES_APART: usize = 512;
/// Bins of risks by so many parts of the rows and of the range: at most 3 times as many and one more.
const RISK_PARTS: f64 = 64.0;
/// Bins of times by so many parts of the rows, the events and the late entries: at most 6 times as many and one more.
const TIME_PARTS: f64 = 128.0;
/// Linear predictors are within it by far.
const WIDEST: f64 = 1e3;
/// Counts are whole numbers of doubles.
const MOST_ROWS: u64 = 1 << 53;

/// A row the model has not seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// From when on it was watched; 0 from the start.
    pub entry: f64,
    pub duration: f64,
    pub event: bool,
    pub linear_predictor: f64,
}

/// Times at which rows left or came: one, or several between `from` and `to`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeBin {
    pub from: f64,
    pub to: f64,
}

/// Rows of one linear predictor, or of several between `least` and `greatest`.
#[derive(Debug, Clone, PartialEq)]
pub struct RiskBin {
    pub least: f64,
    /// ln of the mean of e^η.
    pub mean: f64,
    pub greatest: f64,
    /// By rising time.
    pub exits: Vec<Exits>,
    /// By rising time; those who were there from the start are not told.
    pub entries: Vec<Entries>,
}

/// Who of a bin of risks left in a bin of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exits {
    /// The place of the time.
    pub time: u32,
    pub events: u64,
    pub censored: u64,
}

/// Who of a bin of risks came late, in a bin of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entries {
    /// The place of the time.
    pub time: u32,
    pub rows: u64,
}

/// Rows held out, by rising time and rising risk.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldOut {
    times: Vec<TimeBin>,
    risks: Vec<RiskBin>,
}

impl TimeBin {
    fn is_one(&self) -> bool {
        self.from == self.to
    }

    /// Which share of those who left in the bin left after `age`. From the start on (0) it is all.
    pub(super) fn share_after(&self, age: f64) -> f64 {
        if age == 0.0 || self.from > age {
            1.0
        } else if self.to <= age || self.is_one() {
            0.0
        } else {
            (self.to - age) / (self.to - self.from)
        }
    }

    /// Which share left by `until`.
    pub(super) fn share_by(&self, until: f64) -> f64 {
        if self.to <= until {
            1.0
        } else if self.from >= until {
            0.0
        } else {
            (until - self.from) / (self.to - self.from)
        }
    }
}

impl HeldOut {
    /// The same for any order of the rows. `None` without rows.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a duration that is negative or not finite, and a linear predictor beyond ±1000;
    /// [`Error::Memory`] over budget.
    pub fn of(rows: &mut [Seen], budget: Budget, interrupt: Interrupt) -> Result<Option<HeldOut>> {
        let is_odd = |row: &&Seen| {
            !(0.0..f64::INFINITY).contains(&row.duration)
                || !(row.entry == 0.0 || row.entry > 0.0 && row.entry < row.duration)
                || !(-WIDEST..=WIDEST).contains(&row.linear_predictor)
        };
        if let Some(Seen { entry, duration, linear_predictor, .. }) = rows.iter().find(is_odd) {
            return Err(Error::invalid(
                format!("a row with entry {entry}, duration {duration} and linear predictor {linear_predictor}"),
                "Durations are finite and not negative, late entries before them, linear predictors from -1000 to 1000.",
            ));
        }
        if rows.is_empty() {
            return Ok(None);
        }
        budget.check(rows.len().saturating_mul(4 * size_of::<Seen>()), "the rows held out")?;
        interrupt()?;
        let times = time_bins(rows);
        interrupt()?;
        rows.sort_by(|a, b| a.linear_predictor.total_cmp(&b.linear_predictor));
        let mut risks = Vec::new();
        let mut counts = vec![[0; 3]; times.len()];
        for part in risk_bins(rows) {
            interrupt()?;
            counts.fill([0; 3]);
            let place = |time: f64| times.partition_point(|bin| bin.to < time);
            for row in part {
                counts[place(row.duration)][usize::from(!row.event)] += 1;
                if row.entry > 0.0 {
                    counts[place(row.entry)][2] += 1;
                }
            }
            let (least, greatest) = (part[0].linear_predictor, part[part.len() - 1].linear_predictor);
            let risk: f64 = part.iter().map(|row| (row.linear_predictor - greatest).exp()).sum();
            let mean = greatest + (risk / part.len() as f64).ln();
            let mean = if least == greatest { least } else { mean.clamp(least, greatest) };
            let of = || counts.iter().copied().zip(0..);
            let exits = of().map(|([events, censored, _], time)| Exits { time, events, censored });
            let entries = of().map(|([.., rows], time)| Entries { time, rows });
            risks.push(RiskBin {
                least,
                mean,
                greatest,
                exits: exits.filter(|exits| exits.events + exits.censored > 0).collect(),
                entries: entries.filter(|entries| entries.rows > 0).collect(),
            });
        }
        HeldOut::from_parts(times, risks).map(Some)
    }

    /// # Errors
    /// [`Error::Malformed`] for what [`HeldOut::of`] does not make.
    pub fn from_parts(times: Vec<TimeBin>, risks: Vec<RiskBin>) -> Result<HeldOut> {
        let is_time = |time: &TimeBin| time.from >= 0.0 && time.from <= time.to && time.to < f64::INFINITY;
        let is_risk = |risk: &RiskBin| {
            -WIDEST <= risk.least && risk.least <= risk.mean && risk.mean <= risk.greatest && risk.greatest <= WIDEST
        };
        let in_order = times.iter().all(is_time)
            && times.windows(2).all(|pair| pair[0].to < pair[1].from)
            && risks.iter().all(is_risk)
            && risks.windows(2).all(|pair| pair[0].greatest < pair[1].least);
        if !in_order || risks.is_empty() {
            return Err(Error::malformed("the times and risks of rows held out rise"));
        }
        let mut total: u64 = 0;
        for risk in &risks {
            let rises = risk.exits.windows(2).all(|pair| pair[0].time < pair[1].time);
            let last = risk.exits.last().map(|exits| exits.time as usize);
            if !rises || last.is_none_or(|last| last >= times.len()) {
                return Err(Error::malformed("rows held out left at known times, by rising time"));
            }
            let before = total;
            for exits in &risk.exits {
                let rows = exits.events.checked_add(exits.censored).filter(|rows| *rows > 0);
                total = rows
                    .and_then(|rows| total.checked_add(rows))
                    .filter(|total| *total <= MOST_ROWS)
                    .ok_or_else(|| Error::malformed("counts of rows held out are greater than 0, and below 2^53"))?;
            }
            // Who came is one of those who left, no earlier.
            let rises = risk.entries.windows(2).all(|pair| pair[0].time < pair[1].time);
            let came =
                risk.entries.iter().try_fold(0_u64, |sum, one| sum.checked_add(one.rows).filter(|_| one.rows > 0));
            let last_came = risk.entries.last().map(|entries| entries.time as usize);
            if !rises || came.is_none_or(|came| came > total - before) || last_came > last {
                return Err(Error::malformed("rows held out came late at known times, by rising time, and left later"));
            }
        }
        Ok(HeldOut { times, risks })
    }

    pub fn times(&self) -> &[TimeBin] {
        &self.times
    }

    pub fn risks(&self) -> &[RiskBin] {
        &self.risks
    }

    /// How many they are.
    pub fn rows(&self) -> u64 {
        self.risks.iter().flat_map(|risk| &risk.exits).map(|exits| exits.events + exits.censored).sum()
    }
}

fn time_bins(rows: &[Seen]) -> Vec<TimeBin> {
    let events = rows.iter().filter(|row| row.event).count().max(1) as f64;
    let late = || rows.iter().filter(|row| row.entry > 0.0);
    // Each time with its share of the rows and the events, or of the late entries.
    let (exit, entry) = (1.0 / rows.len() as f64, 1.0 / late().count().max(1) as f64);
    let exits = rows.iter().map(|row| (row.duration, if row.event { exit + 1.0 / events } else { exit }));
    let mut times: Vec<(f64, f64)> = exits.chain(late().map(|row| (row.entry, entry))).collect();
    times.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let apart = || times.chunk_by(|a, b| a.0 == b.0);
    let is_apart = apart().count() <= TIMES_APART;
    let mut bins: Vec<TimeBin> = Vec::new();
    let mut held = f64::INFINITY;
    for same in apart() {
        let time = same[0].0;
        let share: f64 = same.iter().map(|(_, share)| share).sum();
        match bins.last_mut() {
            Some(bin) if !is_apart && (held + share) * TIME_PARTS <= 1.0 => {
                bin.to = time;
                held += share;
            }
            _ => {
                bins.push(TimeBin { from: time, to: time });
                held = share;
            }
        }
    }
    bins
}

/// Parts of rows by rising linear predictor.
fn risk_bins(rows: &[Seen]) -> Vec<&[Seen]> {
    let n = rows.len() as f64;
    let apart = || rows.chunk_by(|a, b| a.linear_predictor == b.linear_predictor);
    if apart().count() <= RISKS_APART {
        return apart().collect();
    }
    let range = rows[rows.len() - 1].linear_predictor - rows[0].linear_predictor;
    let mut bins = Vec::new();
    let (mut begin, mut end) = (0, 0);
    for same in apart() {
        let width = (same[0].linear_predictor - rows[begin].linear_predictor) / range;
        if end > begin && ((end - begin + same.len()) as f64 / n + width) * RISK_PARTS > 1.0 {
            bins.push(&rows[begin..end]);
            begin = end;
        }
        end += same.len();
    }
    bins.push(&rows[begin..]);
    bins
}
