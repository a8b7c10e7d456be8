//! Cash by the day it is paid: the exact sum of each date, which merges in any order.

use crate::memory::{Room, asking};
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::decimal::Decimal;
use crate::numeric::bytes::{Reader, Writer};
use crate::numeric::tally::Budget;
use crate::{Error, Result};

const VERSION: u8 = 1;

/// So many dates are looked through one by one, the last first; beyond them an index finds a date.
const SHORT: usize = 16;

/// What one date takes, with its place in the index.
const BYTES_PER_DATE: usize = size_of::<Flow>() + 16;

/// All that is paid on one date, a day number since 2000-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    pub date: i32,
    pub amount: Decimal,
}

/// Payments added up by date. A one-step aggregate keeps the rate and the valuation date of its rows here too: they must
/// be the same in all.
#[derive(Debug, Clone, Default)]
pub struct DatedCash {
    flows: Vec<Flow>,
    index: HashMap<i32, u32, FxBuildHasher>,
    skipped: u64,
    rate: Option<f64>,
    as_of: Option<i32>,
}

impl DatedCash {
    pub fn memory_bytes(&self) -> usize {
        self.flows.capacity() * size_of::<Flow>() + self.index.allocation_size()
    }

    /// Flows in any order; more than one on a date are added up.
    ///
    /// # Errors
    /// As [`DatedCash::add`].
    pub fn from_flows(flows: impl IntoIterator<Item = Flow>) -> Result<Self> {
        let mut cash = DatedCash::default();
        for flow in flows {
            cash.add(flow.date, flow.amount, || Budget::UNLIMITED)?;
        }
        Ok(cash)
    }

    /// Adds one payment.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an infinite date; [`Error::OutOfRange`] for a sum that is too large; [`Error::Memory`]
    /// beyond the budget.
    #[inline]
    pub fn add(&mut self, date: i32, amount: Decimal, budget: impl FnOnce() -> Budget) -> Result<()> {
        let place = if self.flows.len() <= SHORT {
            self.flows.iter().rposition(|flow| flow.date == date)
        } else {
            self.index.get(&date).map(|place| *place as usize)
        };
        if let Some(flow) = place.and_then(|place| self.flows.get_mut(place)) {
            flow.amount = flow.amount.plus(amount)?;
            return Ok(());
        }
        self.add_date(date, amount, budget())
    }

    #[inline(never)]
    fn add_date(&mut self, date: i32, amount: Decimal, budget: Budget) -> Result<()> {
        super::day_count::civil(date)?;
        let length = self.flows.len();
        if length == self.flows.capacity() {
            // A vector doubles, and so does the index.
            budget.check(2 * (length + 1) * BYTES_PER_DATE, "cash by date")?;
        }
        let no_memory = || Error::NoMemory(format!("no memory is left for the cash of {} days", length + 1));
        self.flows.room(1).map_err(|_| no_memory())?;
        self.flows.push(Flow { date, amount });
        if length == SHORT {
            asking(|| self.index.try_reserve(2 * SHORT)).map_err(|_| no_memory())?;
            self.index.extend(self.flows.iter().zip(0u32..).map(|(flow, place)| (flow.date, place)));
        } else if length > SHORT {
            asking(|| self.index.try_reserve(1)).map_err(|_| no_memory())?;
            // There are fewer than 2^32 dates.
            self.index.insert(date, length as u32);
        }
        Ok(())
    }

    /// Counts a row that was left out because something in it was NULL.
    pub fn skip(&mut self) {
        self.skipped = self.skipped.saturating_add(1);
    }

    /// Adds another summary of other rows.
    ///
    /// # Errors
    /// As [`DatedCash::add`], and as [`DatedCash::agree`].
    pub fn merge(&mut self, other: &DatedCash, budget: Budget) -> Result<()> {
        self.agree(other.rate, other.as_of)?;
        for flow in &other.flows {
            self.add(flow.date, flow.amount, || budget)?;
        }
        self.skipped = self.skipped.saturating_add(other.skipped);
        Ok(())
    }

    /// Keeps the rate and the valuation date of a row.
    ///
    /// # Errors
    /// [`Error::Invalid`] when another row of the group has others, or they are none.
    #[inline]
    pub fn agree(&mut self, rate: Option<f64>, as_of: Option<i32>) -> Result<()> {
        if (rate.is_none() || self.rate == rate) && (as_of.is_none() || self.as_of == as_of) {
            return Ok(());
        }
        self.agree_slowly(rate, as_of)
    }

    #[cold]
    fn agree_slowly(&mut self, rate: Option<f64>, as_of: Option<i32>) -> Result<()> {
        if let Some(rate) = rate {
            super::discount::check_rate(rate)?;
            if let Some(before) = self.rate.filter(|before| *before != rate) {
                return Err(Error::invalid(
                    format!(
                        "the rate must be the same in all rows of a group, got {} and {}",
                        before.min(rate),
                        before.max(rate)
                    ),
                    "GROUP BY the rate too, or discount each row: amount * discount_factor(years, rate).",
                ));
            }
            self.rate = Some(rate);
        }
        if let Some(as_of) = as_of {
            let day = super::day_count::civil(as_of)?;
            if let Some(before) = self.as_of.filter(|before| *before != as_of) {
                let before = super::day_count::civil(before)?;
                return Err(Error::invalid(
                    format!(
                        "as_of must be the same in all rows of a group, got {} and {}",
                        before.min(day),
                        before.max(day)
                    ),
                    "GROUP BY as_of too.",
                ));
            }
            self.as_of = Some(as_of);
        }
        Ok(())
    }

    pub fn rate(&self) -> Option<f64> {
        self.rate
    }

    pub fn as_of(&self) -> Option<i32> {
        self.as_of
    }

    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    pub fn is_empty(&self) -> bool {
        self.flows.is_empty()
    }

    /// The flows in the order of their dates, one for each.
    pub fn sorted(&self) -> Vec<Flow> {
        let mut flows = self.flows.clone();
        flows.sort_unstable_by_key(|flow| flow.date);
        flows
    }

    /// # Errors
    /// [`Error::OutOfRange`] when it is too large.
    pub fn total(&self) -> Result<Decimal> {
        self.flows.iter().try_fold(Decimal::ZERO, |sum, flow| sum.plus(flow.amount))
    }

    /// The first date by which the total so far has reached `threshold`; `None` when it never does.
    ///
    /// # Errors
    /// As [`DatedCash::total`].
    pub fn reached_on(&self, threshold: Decimal) -> Result<Option<i32>> {
        let mut total = Decimal::ZERO;
        for flow in self.sorted() {
            total = total.plus(flow.amount)?;
            if total >= threshold {
                return Ok(Some(flow.date));
            }
        }
        Ok(None)
    }

    /// Version, rows left out, rate, valuation date, then each date and its sum.
    pub fn encode(&self) -> Vec<u8> {
        let mut to = Writer::default();
        to.byte(VERSION);
        to.whole(self.skipped);
        to.byte(u8::from(self.rate.is_some()) | u8::from(self.as_of.is_some()) << 1);
        if let Some(rate) = self.rate {
            to.float(rate);
        }
        let day = |to: &mut Writer, day: i32| to.bytes.extend_from_slice(&day.to_le_bytes());
        if let Some(as_of) = self.as_of {
            day(&mut to, as_of);
        }
        let flows = self.sorted();
        to.whole(flows.len() as u64);
        for flow in flows {
            day(&mut to, flow.date);
            to.bytes.extend_from_slice(&flow.amount.units().to_le_bytes());
        }
        to.bytes
    }

    /// # Errors
    /// [`Error::Malformed`] for anything that is neither written by [`DatedCash::encode`] nor packed.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        fn take<const N: usize>(from: &mut Reader) -> Result<[u8; N]> {
            let mut taken = [0; N];
            for byte in &mut taken {
                *byte = from.byte()?;
            }
            Ok(taken)
        }
        let mut from = Reader::new(bytes);
        let version = from.byte()?;
        if version == super::packed_cash::VERSION {
            return super::packed_cash::unpacked(bytes);
        }
        if version != VERSION {
            return Err(Error::malformed(format!(
                "format version {version} of dated cash is not known to this release"
            )));
        }
        let skipped = from.whole()?;
        let told = from.byte()?;
        if told > 3 {
            return Err(Error::malformed("dated cash says more than a rate and a date"));
        }
        let rate = if told & 1 == 1 { Some(from.float()?) } else { None };
        let as_of = if told & 2 == 2 { Some(i32::from_le_bytes(take(&mut from)?)) } else { None };
        let count = from.count(20)?;
        let mut flows = Vec::with_capacity(count);
        for _ in 0..count {
            let date = i32::from_le_bytes(take(&mut from)?);
            let amount = Decimal::from_units(i128::from_le_bytes(take(&mut from)?));
            flows.push(Flow {
                date,
                amount: amount.map_err(|_| Error::malformed("an amount of dated cash is too large"))?,
            });
        }
        from.finish()?;
        Self::from_parts(flows, rate, as_of, skipped)
    }

    /// The parts of a stored summary, its dates in order.
    ///
    /// # Errors
    /// [`Error::Malformed`] when they are those of no summary.
    pub fn from_parts(flows: Vec<Flow>, rate: Option<f64>, as_of: Option<i32>, skipped: u64) -> Result<Self> {
        let malformed = |e: Error| Error::malformed(e.to_string());
        if !flows.is_sorted_by(|a, b| a.date < b.date) {
            return Err(Error::malformed("the dates of dated cash are out of order"));
        }
        let mut cash = DatedCash::from_flows(flows).map_err(malformed)?;
        cash.agree(rate, as_of).map_err(malformed)?;
        cash.total().map_err(malformed)?;
        cash.skipped = skipped;
        Ok(cash)
    }
}

impl PartialEq for DatedCash {
    fn eq(&self, other: &Self) -> bool {
        self.encode() == other.encode()
    }
}
