//! How the values of one column are distributed, small and mergeable: what a model keeps of its training data, so that
//! later data can be held against it without the old ones.
//!
//! Numbers are counted in [`Bins`], each with its least and greatest value: up to 1024 different numbers are exact, and of
//! more none is further than 1/256 of itself from where it is taken to be. Texts are counted exactly.

use std::collections::BTreeMap;

use crate::assess::bins::{Bin, Bins};
use crate::memory::at_hand;
use crate::numeric::bytes::{Reader, Writer};
use crate::numeric::sum::Sum;
use crate::numeric::tally::Budget;
use crate::{Error, Result};

const VERSION: u8 = 1;
const NUMBERS: u8 = 0;
const TEXTS: u8 = 1;

/// What was counted.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    Numbers(Bins),
    Texts(BTreeMap<String, u64>),
}

/// The distribution of a column (`ltv.profile`).
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    pub values: Values,
    /// Rows in which it was NULL, or no finite number.
    pub nulls: u64,
    /// What the texts take, added up as they come.
    text_bytes: usize,
}

/// What a text takes beside its letters: its place in the tree and its count.
const BYTES_PER_TEXT: usize = 64;
/// The texts are held against the budget whenever they have grown by so much.
const TEXT_STEP: u32 = 20;

/// Counts beyond this are no counts.
const MOST_ROWS: u64 = 1 << 53;

/// Of numbers, until a text comes.
impl Default for Profile {
    fn default() -> Self {
        Profile::numbers()
    }
}

impl Profile {
    pub fn numbers() -> Self {
        Profile { values: Values::Numbers(Bins::default()), nulls: 0, text_bytes: 0 }
    }

    pub fn texts() -> Self {
        Profile { values: Values::Texts(BTreeMap::new()), nulls: 0, text_bytes: 0 }
    }

    /// Adds a number; one that is not finite counts as NULL.
    ///
    /// # Errors
    /// [`Error::Invalid`] in a profile of texts; [`Error::Memory`] over budget.
    pub fn add_number(&mut self, value: f64, budget: Budget) -> Result<()> {
        let Values::Numbers(bins) = &mut self.values else { return Err(two_kinds()) };
        if !value.is_finite() {
            self.nulls += 1;
            return Ok(());
        }
        if bins.add(value) {
            budget.check(self.memory_bytes(), "a profile")?;
        }
        Ok(())
    }

    /// Makes an empty profile one of texts, so that a column of NULLs is of the kind that it is.
    pub fn expect_texts(&mut self) {
        if matches!(&self.values, Values::Numbers(bins) if bins.is_empty()) {
            self.values = Values::Texts(BTreeMap::new());
        }
    }

    /// Adds a text.
    ///
    /// # Errors
    /// [`Error::Invalid`] in a profile of numbers; [`Error::Memory`] over budget.
    pub fn add_text(&mut self, value: &str, budget: Budget) -> Result<()> {
        let Values::Texts(levels) = &mut self.values else { return Err(two_kinds()) };
        match levels.get_mut(value) {
            Some(count) => *count += 1,
            None => {
                let grown = self.text_bytes + value.len() + BYTES_PER_TEXT;
                if grown >> TEXT_STEP > self.text_bytes >> TEXT_STEP {
                    budget.check(grown, "a profile")?;
                    at_hand(value.len() + (2 << TEXT_STEP))?;
                }
                levels.insert(value.into(), 1);
                self.text_bytes = grown;
            }
        }
        Ok(())
    }

    pub fn add_null(&mut self) {
        self.nulls += 1;
    }

    /// Adds all that `other` has counted.
    ///
    /// # Errors
    /// [`Error::Invalid`] for numbers and texts together; [`Error::Memory`] over budget.
    pub fn merge(&mut self, other: &Profile, budget: Budget) -> Result<()> {
        if self.is_empty() {
            at_hand(other.memory_bytes())?;
            self.values = other.values.clone();
            self.text_bytes = other.text_bytes;
        } else {
            at_hand(other.memory_bytes())?;
            self.take_values(other)?;
        }
        self.nulls += other.nulls;
        budget.check(self.memory_bytes(), "a profile")
    }

    fn take_values(&mut self, other: &Profile) -> Result<()> {
        match (&mut self.values, &other.values) {
            (Values::Numbers(bins), Values::Numbers(others)) => bins.merge(others),
            (Values::Texts(levels), Values::Texts(others)) => {
                for (level, count) in others {
                    match levels.get_mut(level) {
                        Some(own) => *own += count,
                        None => {
                            levels.insert(level.clone(), *count);
                            self.text_bytes += level.len() + BYTES_PER_TEXT;
                        }
                    }
                }
            }
            _ if other.is_empty() => {}
            _ => return Err(two_kinds()),
        }
        Ok(())
    }

    /// Whether no row had a value; unlike [`Profile::count`] at no cost.
    fn is_empty(&self) -> bool {
        match &self.values {
            Values::Numbers(bins) => bins.is_empty(),
            Values::Texts(levels) => levels.is_empty(),
        }
    }

    pub fn memory_bytes(&self) -> usize {
        match &self.values {
            Values::Numbers(bins) => bins.memory_bytes(),
            Values::Texts(_) => self.text_bytes,
        }
    }

    /// Rows with a value.
    pub fn count(&self) -> u64 {
        match &self.values {
            Values::Numbers(bins) => bins.iter().map(|bin| bin.count).sum(),
            Values::Texts(levels) => levels.values().sum(),
        }
    }

    /// NULLs as a share of all rows; `None` without rows.
    pub fn null_rate(&self) -> Option<f64> {
        let rows = self.count() + self.nulls;
        (rows > 0).then(|| self.nulls as f64 / rows as f64)
    }

    fn bins(&self) -> impl DoubleEndedIterator<Item = &Bin> {
        let bins = match &self.values {
            Values::Numbers(bins) => Some(bins.iter()),
            Values::Texts(_) => None,
        };
        bins.into_iter().flatten()
    }

    /// The least and the greatest number, exactly.
    pub fn range(&self) -> Option<(f64, f64)> {
        let first = self.bins().next()?.least;
        self.bins().last().map(|last| (first, last.greatest))
    }

    /// The mean of the numbers, to the width of the bins.
    pub fn mean(&self) -> Option<f64> {
        let count = self.bins().map(|bin| bin.count).sum::<u64>();
        let total: Sum = self.bins().map(|bin| bin.count as f64 * (bin.middle() / count as f64)).collect();
        // Not beyond the numbers by rounding, so that those that are all alike have no deviation.
        self.range().map(|(least, greatest)| total.total().clamp(least, greatest))
    }

    /// The standard deviation (n − 1) of the numbers, to the width of the bins; `None` for fewer than two.
    pub fn std_dev(&self) -> Option<f64> {
        let mean = self.mean()?;
        let count = self.count();
        let squares: Sum = self.bins().map(|bin| bin.count as f64 * (bin.middle() - mean).powi(2)).collect();
        (count > 1).then(|| (squares.total() / (count - 1) as f64).sqrt()).filter(|value| value.is_finite())
    }

    /// The share of numbers below `value`, those equal to it by half (Parzen's mid-distribution function); within a bin
    /// in a straight line.
    pub fn rank(&self, value: f64) -> Option<f64> {
        let count = self.bins().map(|bin| bin.count).sum::<u64>();
        if count == 0 || value.is_nan() {
            return None;
        }
        let mut below = 0.0;
        for bin in self.bins() {
            let within = if value < bin.least {
                break;
            } else if value > bin.greatest {
                1.0
            } else if bin.least == bin.greatest {
                0.5
            } else {
                ((value - bin.least) / (bin.greatest - bin.least)).clamp(0.0, 1.0)
            };
            below += within * bin.count as f64;
        }
        Some((below / count as f64).min(1.0))
    }

    /// A number that at least `place` of all do not exceed: the greatest of the bin in which the `place`-th smallest is,
    /// that number itself as long as each has a bin. `None` unless there are so many.
    pub fn not_exceeded_by(&self, place: u64) -> Option<f64> {
        let mut below = 0;
        let bin = self.bins().find(|bin| {
            below += bin.count;
            place > 0 && below >= place
        });
        bin.map(|bin| bin.greatest)
    }

    /// The error that a further row exceeds with a probability of at most 1 − `level`, of a profile of errors: the
    /// ⌈(n + 1) level⌉-th smallest of n (split conformal prediction: Vovk, Gammerman & Shafer 2005; Lei, G'Sell, Rinaldo,
    /// Tibshirani & Wasserman 2018), or what is next above it at the end of its bin. `None` when there are too few.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a level outside (0, 1), and for an error below 0.
    pub fn conformal_margin(&self, level: f64) -> Result<Option<f64>> {
        if !(level > 0.0 && level < 1.0) {
            return Err(Error::invalid(format!("the level must be between 0 and 1, got {level}"), "0.9 is usual."));
        }
        if let Some((least, _)) = self.range().filter(|(least, _)| *least < 0.0) {
            return Err(Error::invalid(
                format!("errors must not be negative, and one is {least}"),
                "profile_agg(abs(observed - predicted)) over the rows held out.",
            ));
        }
        let n = self.bins().map(|bin| bin.count).sum::<u64>();
        let place = ((n as f64 + 1.0) * level - 1e-9).ceil();
        Ok(if place <= n as f64 { self.not_exceeded_by(place as u64) } else { None })
    }

    /// The least number that a share `p` of all does not exceed, within a bin in a straight line.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a `p` outside [0, 1].
    pub fn quantile(&self, p: f64) -> Result<Option<f64>> {
        if !(0.0..=1.0).contains(&p) {
            return Err(Error::invalid(format!("p must be between 0 and 1, got {p}"), "0.5 is the median."));
        }
        let count = self.bins().map(|bin| bin.count).sum::<u64>();
        let wanted = p * count as f64;
        let mut below = 0.0;
        for bin in self.bins() {
            let bins = bin.count as f64;
            if below + bins >= wanted {
                let within = if bins > 1.0 { ((wanted - below - 0.5) / (bins - 1.0)).clamp(0.0, 1.0) } else { 0.5 };
                let width = bin.greatest - bin.least;
                return Ok(Some(if width.is_finite() { bin.least + within * width } else { bin.middle() }));
            }
            below += bins;
        }
        Ok(self.range().map(|(_, greatest)| greatest))
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.byte(VERSION);
        out.byte(if matches!(self.values, Values::Numbers(_)) { NUMBERS } else { TEXTS });
        out.whole(self.nulls);
        match &self.values {
            Values::Numbers(bins) => {
                out.byte(bins.dropped());
                out.whole(bins.len() as u64);
                for bin in bins.iter() {
                    out.whole(bin.count);
                    out.float(bin.least);
                    out.float(bin.greatest);
                }
            }
            Values::Texts(levels) => {
                out.whole(levels.len() as u64);
                for (level, count) in levels {
                    out.whole(*count);
                    out.whole(level.len() as u64);
                    out.bytes.extend_from_slice(level.as_bytes());
                }
            }
        }
        out.bytes
    }

    /// # Errors
    /// [`Error::Malformed`] for bytes that [`Profile::encode`] does not make.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut from = Reader::new(bytes);
        let version = from.byte()?;
        if version != VERSION {
            return Err(Error::malformed(format!(
                "format version {version} of ltv.profile is not known to this release"
            )));
        }
        let kind = from.byte()?;
        let nulls = from.whole()?;
        let profile = match kind {
            NUMBERS => {
                let (dropped, mut bins) = (from.byte()?, Vec::new());
                for _ in 0..from.count(17)? {
                    bins.push(Bin { count: from.whole()?, least: from.float()?, greatest: from.float()? });
                }
                Profile::of_bins(dropped, bins, nulls)?
            }
            TEXTS => {
                let mut levels = Vec::new();
                for _ in 0..from.count(2)? {
                    let count = from.whole()?;
                    let mut text = Vec::new();
                    for _ in 0..from.count(1)? {
                        text.push(from.byte()?);
                    }
                    let text = String::from_utf8(text).map_err(|_| Error::malformed("a level is not UTF-8"))?;
                    levels.push((text, count));
                }
                Profile::of_levels(levels, nulls)?
            }
            _ => return Err(Error::malformed(format!("a profile of kind {kind} is not known"))),
        };
        from.finish()?;
        Ok(profile)
    }

    /// From its bins in rising order, and how many bits of a double are not told apart in them.
    ///
    /// # Errors
    /// [`Error::Malformed`] unless each bin is one and all rise.
    pub fn of_bins(dropped: u8, bins: Vec<Bin>, nulls: u64) -> Result<Self> {
        total(bins.iter().map(|bin| bin.count).chain([nulls]))?;
        Ok(Profile { values: Values::Numbers(Bins::of(dropped, bins)?), nulls, text_bytes: 0 })
    }

    /// From its levels in byte order.
    ///
    /// # Errors
    /// [`Error::Malformed`] unless all are distinct, in order and counted.
    pub fn of_levels(levels: Vec<(String, u64)>, nulls: u64) -> Result<Self> {
        let rising = levels.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let counted = levels.iter().all(|(level, count)| (1..=MOST_ROWS).contains(count) && !level.contains('\0'));
        if !(rising && counted && nulls <= MOST_ROWS) {
            return Err(Error::malformed("the levels of a profile are not distinct, in order and counted"));
        }
        total(levels.iter().map(|(_, count)| *count))?;
        let text_bytes = levels.iter().map(|(level, _)| level.len() + BYTES_PER_TEXT).sum();
        Ok(Profile { values: Values::Texts(levels.into_iter().collect()), nulls, text_bytes })
    }
}

fn total(counts: impl Iterator<Item = u64>) -> Result<u64> {
    let mut counts = counts;
    let sum = counts.try_fold(0u64, u64::checked_add).filter(|sum| *sum <= MOST_ROWS);
    sum.ok_or_else(|| Error::malformed("a profile counts more rows than there can be"))
}

pub(super) fn two_kinds() -> Error {
    Error::invalid(
        "a profile of numbers and one of texts have nothing in common",
        "Cast the column the same way in both.",
    )
}
