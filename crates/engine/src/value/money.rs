//! Money as whole minor units, and rounding under which rows add up to their total.

use std::iter::Sum as IterSum;
use std::ops::{Add, Neg, Sub};

use crate::numeric::sum::Sum;
use crate::{Error, Result};

/// The most decimals an amount may have. Currencies of ISO 4217 have 0 (JPY), 2, 3 (KWD) or 4 (CLF).
pub const MAX_DIGITS: u32 = 6;

/// No amount is larger than this many minor units, so that a hundred million of them can be added without overflow.
const LIMIT: f64 = 1e30;

/// Below this many minor units a double has bits to spare for what is beyond the minor unit.
const FINE: f64 = (1u64 << 40) as f64;

/// An exact amount of money in minor units (cents, yen, fils). It does not know its currency's number of decimals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minor(i128);

impl Minor {
    pub const ZERO: Minor = Minor(0);

    /// `amount` in major units, rounded to `digits` decimals, halves away from zero.
    ///
    /// A decimal half such as 1.005 is rarely a double; what is within four units in the last place of a half counts
    /// as one, so that the result is that of decimal arithmetic. Never falls as `amount` rises.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] when the amount is NaN, infinite or beyond 10^30 minor units.
    pub fn round(amount: f64, digits: u32) -> Result<Minor> {
        let scaled = amount * 10f64.powi(digits.min(MAX_DIGITS) as i32);
        let nudged = if scaled.abs() < FINE { scaled * (1.0 + 4.0 * f64::EPSILON) } else { scaled };
        let whole = nudged.round();
        if whole.abs() <= LIMIT {
            return Ok(Minor(whole as i128));
        }
        Err(Error::OutOfRange(format!("the amount {amount} is out of the range of money")))
    }

    /// So many minor units.
    pub fn of_units(units: i128) -> Minor {
        Minor(units)
    }

    /// The number of minor units.
    pub fn units(self) -> i128 {
        self.0
    }

    /// The nearest double in major units.
    pub fn amount(self, digits: u32) -> f64 {
        self.0 as f64 / 10f64.powi(digits.min(MAX_DIGITS) as i32)
    }

    /// The exact decimal in major units with `digits` decimals, as PostgreSQL's `numeric` reads it: `-12.50`.
    pub fn text(self, digits: u32) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let units = self.0.unsigned_abs();
        let digits = digits.min(MAX_DIGITS);
        if digits == 0 {
            return format!("{sign}{units}");
        }
        let scale = 10u128.pow(digits);
        format!("{sign}{}.{:0width$}", units / scale, units % scale, width = digits as usize)
    }
}

impl Add for Minor {
    type Output = Minor;

    fn add(self, other: Minor) -> Minor {
        Minor(self.0 + other.0)
    }
}

impl Sub for Minor {
    type Output = Minor;

    fn sub(self, other: Minor) -> Minor {
        Minor(self.0 - other.0)
    }
}

impl Neg for Minor {
    type Output = Minor;

    fn neg(self) -> Minor {
        Minor(-self.0)
    }
}

impl IterSum for Minor {
    fn sum<I: Iterator<Item = Minor>>(amounts: I) -> Minor {
        amounts.fold(Minor::ZERO, Add::add)
    }
}

/// Rounds a column of amounts so that the rows add up to the rounded total: row k is round(a₁ + … + a_k) less the rows
/// before it. Each row is within one minor unit of its amount, each running total within half of one.
#[derive(Debug, Clone, Copy)]
pub struct CumulativeRounding {
    digits: u32,
    exact: Sum,
    rounded: Minor,
}

impl CumulativeRounding {
    pub fn new(digits: u32) -> Self {
        CumulativeRounding { digits, exact: Sum::default(), rounded: Minor::ZERO }
    }

    /// The next row of the column.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] as in [`Minor::round`].
    pub fn add(&mut self, amount: f64) -> Result<Minor> {
        self.exact.add(amount);
        let before = std::mem::replace(&mut self.rounded, Minor::round(self.exact.total(), self.digits)?);
        Ok(self.rounded - before)
    }

    /// The rows so far, added up.
    pub fn total(&self) -> Minor {
        self.rounded
    }

    /// The amounts so far, added up before rounding.
    pub fn exact(&self) -> f64 {
        self.exact.total()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(amount: f64, digits: u32) -> i128 {
        Minor::round(amount, digits).unwrap().units()
    }

    #[test]
    fn halves_go_away_from_zero() {
        assert_eq!([units(0.125, 2), units(-0.125, 2), units(2.5, 0), units(-2.5, 0)], [13, -13, 3, -3]);
        // None of these is exactly a half as a double.
        assert_eq!([units(1.005, 2), units(0.285, 2), units(-1.0005, 3), units(2.675, 2)], [101, 29, -1001, 268]);
        assert_eq!([units(1.00499, 2), units(0.28499999, 2), units(-0.0, 2)], [100, 28, 0]);
    }

    #[test]
    fn large_amounts_keep_their_units() {
        assert_eq!(units(9_007_199_254_740.11, 2), 900_719_925_474_011);
        assert_eq!(units(1e15, 3), 10i128.pow(18));
        assert_eq!(units(1e28, 2), Minor::round(1e28, 2).unwrap().units());
    }

    #[test]
    fn what_is_no_amount_is_out_of_range() {
        for amount in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e29, -1e300] {
            assert!(matches!(Minor::round(amount, 2), Err(Error::OutOfRange(_))), "{amount}");
        }
    }

    #[test]
    fn text_is_exact() {
        assert_eq!(Minor(-1250).text(2), "-12.50");
        assert_eq!(Minor(-5).text(2), "-0.05");
        assert_eq!(Minor(7).text(3), "0.007");
        assert_eq!(Minor(1200).text(0), "1200");
        assert_eq!(Minor(0).text(2), "0.00");
        assert_eq!(Minor(-1250).amount(2), -12.5);
    }

    #[test]
    fn rows_add_up_to_the_rounded_total() {
        let mut column = CumulativeRounding::new(2);
        let rows: Vec<i128> = (0..3).map(|_| column.add(100.0 / 3.0).unwrap().units()).collect();
        assert_eq!(rows, [3333, 3334, 3333]);
        assert_eq!(column.total(), Minor(10000));
        let mut yen = CumulativeRounding::new(0);
        let rows: Vec<i128> = (0..5).map(|_| yen.add(0.4).unwrap().units()).collect();
        assert_eq!(rows, [0, 1, 0, 1, 0]);
    }
}
