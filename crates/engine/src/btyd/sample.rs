//! What the models are fitted to: customers counted by their purchases, or by their repeat purchases' mean value.

use crate::btyd::counts::{Cell, Counts};
use crate::btyd::history::{History, MOST_PURCHASES};
use crate::numeric::bytes::{Reader, Writer};
use crate::numeric::tally::Budget;
use crate::{Error, Result};

const VERSION: u8 = 1;
/// Amounts beyond these are no money.
const VALUES: std::ops::RangeInclusive<f64> = 1e-30..=1e30;

/// Customers by (frequency, age, recency): a sufficient statistic of the models of purchases.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PurchaseSample {
    counts: Counts<3>,
    skipped: u64,
}

/// Customers with repeat purchases by (frequency, mean value): a sufficient statistic of the Gamma-Gamma model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SpendSample {
    counts: Counts<2>,
    skipped: u64,
}

/// A history, and how many customers have it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Purchases {
    pub history: History,
    pub weight: f64,
}

/// # Errors
/// [`Error::Invalid`] unless the frequency is a whole number from 1 and the mean value a positive amount.
pub fn check_spend(frequency: f64, mean_value: f64) -> Result<()> {
    if !(f64::from(frequency as u32) == frequency && (1.0..=MOST_PURCHASES).contains(&frequency)) {
        return Err(Error::invalid(
            format!("frequency must be a whole number from 0 to {MOST_PURCHASES}, got {frequency}"),
            "It is the number of repeat purchases over which mean_value is the mean.",
        ));
    }
    if !VALUES.contains(&mean_value) {
        return Err(Error::invalid(
            format!("mean_value must be finite and greater than 0, got {mean_value}"),
            "It is the mean value of a purchase. The model has no place for purchases of nothing: filter customers whose purchases were free or all returned.",
        ));
    }
    Ok(())
}

impl PurchaseSample {
    /// Adds `weight` customers of one history.
    ///
    /// # Errors
    /// As [`History::new`] and [`Counts::add`].
    #[inline(always)]
    pub fn add(
        &mut self,
        frequency: f64,
        recency: f64,
        age: f64,
        weight: f64,
        budget: impl FnOnce() -> Budget,
    ) -> Result<()> {
        let history = History::new(frequency, recency, age)?;
        self.counts.add([history.frequency, history.age, history.recency], weight, budget)
    }

    /// Notes a row that was left out because an argument was NULL.
    pub fn skip(&mut self) {
        self.skipped = self.skipped.saturating_add(1);
    }

    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Adds everything that `other` has seen.
    pub fn merge(&mut self, other: &Self, budget: impl Fn() -> Budget) -> Result<()> {
        self.counts.merge(&other.counts, budget)?;
        self.skipped = self.skipped.saturating_add(other.skipped);
        Ok(())
    }

    /// By frequency, then age, then recency.
    pub fn sorted(&self) -> Vec<Purchases> {
        let history = |[frequency, age, recency]: [f64; 3]| History { frequency, recency, age };
        self.counts.sorted().into_iter().map(|c| Purchases { history: history(c.key), weight: c.weight }).collect()
    }

    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Distinct histories.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    pub fn memory_bytes(&self) -> usize {
        self.counts.memory_bytes()
    }

    /// # Errors
    /// [`Error::Malformed`] unless the histories rise by frequency, age, recency, and each could have been added.
    pub fn from_sorted(cells: Vec<Purchases>, skipped: u64) -> Result<Self> {
        let cell =
            |p: Purchases| Cell { key: [p.history.frequency, p.history.age, p.history.recency], weight: p.weight };
        let counts = Counts::from_sorted(cells.into_iter().map(cell).collect(), check_history)?;
        Ok(PurchaseSample { counts, skipped })
    }

    /// Bytes: version, skipped, then the cells with frequency, age, recency, weight.
    pub fn encode(&self) -> Vec<u8> {
        encode(&self.counts, self.skipped)
    }

    /// # Errors
    /// [`Error::Malformed`] for anything that [`PurchaseSample::encode`] could not have written.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let (counts, skipped) = decode(bytes, "ltv.purchase_sample", check_history)?;
        Ok(PurchaseSample { counts, skipped })
    }
}

fn check_history([frequency, age, recency]: &[f64; 3]) -> Result<()> {
    History::new(*frequency, *recency, *age).map(|_| ())
}

impl SpendSample {
    /// Adds `weight` customers of one frequency and mean value; one without repeat purchases is left out.
    ///
    /// # Errors
    /// As [`check_spend`] and [`Counts::add`].
    #[inline]
    pub fn add(&mut self, frequency: f64, mean_value: f64, weight: f64, budget: impl FnOnce() -> Budget) -> Result<()> {
        check_spend(frequency, mean_value)?;
        self.counts.add([frequency, mean_value], weight, budget)
    }

    /// Notes a row that was left out: an argument was NULL, or there were no repeat purchases.
    pub fn skip(&mut self) {
        self.skipped = self.skipped.saturating_add(1);
    }

    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Adds everything that `other` has seen.
    pub fn merge(&mut self, other: &Self, budget: impl Fn() -> Budget) -> Result<()> {
        self.counts.merge(&other.counts, budget)?;
        self.skipped = self.skipped.saturating_add(other.skipped);
        Ok(())
    }

    /// By frequency, then mean value.
    pub fn sorted(&self) -> Vec<Cell<2>> {
        self.counts.sorted()
    }

    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    pub fn memory_bytes(&self) -> usize {
        self.counts.memory_bytes()
    }

    /// # Errors
    /// [`Error::Malformed`] unless the cells rise by frequency and mean value, and each could have been added.
    pub fn from_sorted(cells: Vec<Cell<2>>, skipped: u64) -> Result<Self> {
        Ok(SpendSample { counts: Counts::from_sorted(cells, |[x, mean]| check_spend(*x, *mean))?, skipped })
    }

    /// Bytes: version, skipped, then the cells with frequency, mean value, weight.
    pub fn encode(&self) -> Vec<u8> {
        encode(&self.counts, self.skipped)
    }

    /// # Errors
    /// [`Error::Malformed`] for anything that [`SpendSample::encode`] could not have written.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let (counts, skipped) = decode(bytes, "ltv.spend_sample", |[x, mean]| check_spend(*x, *mean))?;
        Ok(SpendSample { counts, skipped })
    }
}

fn encode<const K: usize>(counts: &Counts<K>, skipped: u64) -> Vec<u8> {
    let mut out = Writer::default();
    out.byte(VERSION);
    out.whole(skipped);
    counts.write(&mut out);
    out.bytes
}

fn decode<const K: usize>(
    bytes: &[u8],
    type_name: &str,
    check: impl Fn(&[f64; K]) -> Result<()>,
) -> Result<(Counts<K>, u64)> {
    let mut from = Reader::new(bytes);
    let version = from.byte()?;
    if version != VERSION {
        return Err(Error::malformed(format!("format version {version} of {type_name} is not known to this release")));
    }
    let skipped = from.whole()?;
    let counts = Counts::read(&mut from, check)?;
    from.finish()?;
    Ok((counts, skipped))
}
