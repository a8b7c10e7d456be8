//! Money as whole minor units, and rounding under which rows add up to their total.
//!
//! What a contract says is decimal arithmetic ([`Amount::exact`]); what is expected of it – a probability, a growth, a
//! discount factor – is a double. A sum keeps the two apart until it is rounded, once.

use std::iter::Sum as IterSum;
use std::ops::{Add, Neg, Sub};

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

use crate::numeric::sum::Sum;
use crate::{Error, Result};

/// The most decimals an amount may have. Currencies of ISO 4217 have 0 (JPY), 2, 3 (KWD) or 4 (CLF).
pub const MAX_DIGITS: u32 = 6;

/// No amount is larger than this many minor units, so that a hundred million of them can be added without overflow.
const LIMIT: f64 = 1e30;

/// Below this many minor units a double has bits to spare for what is beyond the minor unit.
const FINE: f64 = (1u64 << 40) as f64;

/// Below this a double holds halves.
const EXACT: f64 = (1u64 << 52) as f64;

/// Below this a whole number fits 64 bits.
const WORD: f64 = (1u64 << 62) as f64;

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
        round_units(amount * scale(digits)).map(Minor).ok_or_else(|| no_money(amount))
    }

    /// The sum of what is exact and what is expected, rounded to `digits` decimals, halves away from zero.
    fn round_sum(exact: Decimal, expected: f64, digits: u32) -> Result<Minor> {
        let digits = digits.min(MAX_DIGITS);
        let scale = Decimal::from(10u64.pow(digits));
        let units = |amount: Decimal| amount.checked_mul(scale).and_then(|units| units.to_i128());
        let whole = |rounding| units(exact.round_dp_with_strategy(digits, rounding));
        if expected == 0.0
            && let Some(units) = whole(RoundingStrategy::MidpointAwayFromZero)
        {
            return Ok(Minor(units));
        }
        let Some(whole) = whole(RoundingStrategy::ToZero) else {
            return Minor::round(double(exact) + expected, digits);
        };
        let part = exact - exact.round_dp_with_strategy(digits, RoundingStrategy::ToZero);
        let rest = double(part * scale) + expected * self::scale(digits);
        // A half goes away from the zero of the whole sum, not of what is left of it here.
        let lent = match whole as f64 + rest {
            total if total > 0.0 && rest < 0.0 => rest.floor(),
            total if total < 0.0 && rest > 0.0 => rest.ceil(),
            _ => 0.0,
        };
        let units = round_units(rest - lent).zip(round_units(lent)).map(|(rest, lent)| Minor(whole + rest + lent));
        units.ok_or_else(|| no_money(double(exact) + expected))
    }

    /// So many minor units.
    pub fn of_units(units: i128) -> Minor {
        Minor(units)
    }

    /// The number of minor units.
    pub fn units(self) -> i128 {
        self.0
    }

    /// The nearest double to the number of minor units.
    #[inline]
    pub fn float(self) -> f64 {
        // What fits 64 bits is converted by the machine itself.
        i64::try_from(self.0).map_or_else(|_| self.0 as f64, |units| units as f64)
    }

    /// The nearest double in major units.
    pub fn amount(self, digits: u32) -> f64 {
        self.float() / scale(digits)
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

/// The nearest whole number, halves away from zero; `None` beyond what money can be.
fn round_units(scaled: f64) -> Option<i128> {
    let nudged = if scaled.abs() < FINE { scaled * (1.0 + 4.0 * f64::EPSILON) } else { scaled };
    if nudged.abs() < EXACT {
        // Conversion cuts off, which leaves the rest exact; rounding takes a call of a function.
        let whole = nudged as i64;
        let rest = nudged - whole as f64;
        return Some(i128::from(whole + i64::from(rest >= 0.5) - i64::from(rest <= -0.5)));
    }
    let whole = nudged.round();
    // What fits 64 bits is converted by the machine itself.
    if whole.abs() < WORD {
        return Some(i128::from(whole as i64));
    }
    (whole.abs() <= LIMIT).then_some(whole as i128)
}

/// 10^digits, digits beyond [`MAX_DIGITS`] as those.
pub(super) fn scale(digits: u32) -> f64 {
    const SCALES: [f64; MAX_DIGITS as usize + 1] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6];
    SCALES[digits.min(MAX_DIGITS) as usize]
}

fn no_money(amount: f64) -> Error {
    Error::OutOfRange(format!("the amount {amount} is out of the range of money"))
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

/// An amount in major units: the nearest double and, where it is contractual and therefore certain, every digit.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Amount {
    pub float: f64,
    pub exact: Option<Decimal>,
}

impl Amount {
    /// An amount that is expected, not certain.
    pub fn expected(float: f64) -> Amount {
        Amount { float, exact: None }
    }
}

/// The shortest decimal that reads as this double – what was written, when it was written with up to 15 digits; `None`
/// when it has no decimal of 28 digits.
pub fn decimal(amount: f64) -> Option<Decimal> {
    let parts = (amount * 1e4).round();
    if parts.abs() < 1e15 && parts / 1e4 == amount {
        return Some(Decimal::new(parts as i64, 4).normalize());
    }
    if amount.is_finite() { Decimal::from_str_exact(&amount.to_string()).ok() } else { None }
}

/// The double nearest to a decimal.
pub fn double(amount: Decimal) -> f64 {
    let mantissa = amount.mantissa();
    // Both are exact doubles, so the quotient is rounded once.
    if mantissa.unsigned_abs() < 1 << 53 && amount.scale() <= 22 {
        return mantissa as f64 / 10f64.powi(amount.scale() as i32);
    }
    amount.to_string().parse().unwrap_or(f64::NAN)
}

/// Rounds a column of amounts so that the rows add up to the rounded total: row k is round(a₁ + … + a_k) less the rows
/// before it. Each row is within one minor unit of its amount, each running total within half of one.
#[derive(Debug, Clone, Copy)]
pub struct CumulativeRounding {
    digits: u32,
    exact: Decimal,
    expected: Sum,
    rounded: Minor,
}

impl CumulativeRounding {
    pub fn new(digits: u32) -> Self {
        CumulativeRounding { digits, exact: Decimal::ZERO, expected: Sum::default(), rounded: Minor::ZERO }
    }

    /// The next row of the column.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] as in [`Minor::round`].
    pub fn add(&mut self, amount: Amount) -> Result<Minor> {
        match amount.exact.and_then(|exact| self.exact.checked_add(exact)) {
            Some(sum) => self.exact = sum,
            None => self.expected.add(amount.float),
        }
        let rounded = self.shifted(0.0)?;
        Ok(rounded - std::mem::replace(&mut self.rounded, rounded))
    }

    /// The rows so far, added up.
    pub fn total(&self) -> Minor {
        self.rounded
    }

    /// The amounts so far plus `by`, rounded.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] as in [`Minor::round`].
    pub fn shifted(&self, by: f64) -> Result<Minor> {
        let mut expected = self.expected;
        expected.add(by);
        Minor::round_sum(self.exact, expected.total(), self.digits)
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
        let rows: Vec<i128> = (0..3).map(|_| column.add(Amount::expected(100.0 / 3.0)).unwrap().units()).collect();
        assert_eq!(rows, [3333, 3334, 3333]);
        assert_eq!(column.total(), Minor(10000));
        let mut yen = CumulativeRounding::new(0);
        let rows: Vec<i128> = (0..5).map(|_| yen.add(Amount::expected(0.4)).unwrap().units()).collect();
        assert_eq!(rows, [0, 1, 0, 1, 0]);
    }

    #[test]
    fn decimals_and_doubles_meet() {
        for written in ["0.1", "123456789012.34", "33.3333333333333", "5", "-0.07", "1e-7", "99999999999999.9"] {
            let double_of: f64 = written.parse().unwrap();
            let found = decimal(double_of).unwrap();
            assert_eq!(found, Decimal::from_str_exact(&double_of.to_string()).unwrap(), "{written}");
            assert_eq!(double(found), double_of, "{written}");
        }
        assert_eq!(decimal(1e300), None);
        assert_eq!(decimal(f64::NAN), None);
        assert_eq!(double(Decimal::MAX), 79_228_162_514_264_337_593_543_950_335.0);
    }

    #[test]
    fn certain_amounts_lose_no_cent() {
        let mut column = CumulativeRounding::new(2);
        let exact = |digits: &str| {
            let exact = Decimal::from_str_exact(digits).unwrap();
            Amount { float: double(exact), exact: Some(exact) }
        };
        // A double of this size knows neither cents nor, a thousand times added, units.
        for _ in 0..1000 {
            assert_eq!(column.add(exact("12345678901234567.89")).unwrap(), Minor(1_234_567_890_123_456_789));
        }
        assert_eq!(column.total(), Minor(1_234_567_890_123_456_789_000));
        assert_eq!(column.add(exact("0.005")).unwrap(), Minor(1));
        assert_eq!(column.add(Amount::expected(-0.01)).unwrap(), Minor(-1));
        assert_eq!(column.shifted(0.5).unwrap(), Minor(1_234_567_890_123_456_789_050));
        let mut third = CumulativeRounding::new(2);
        assert_eq!([third.add(exact("0.1")).unwrap(), third.add(exact("0.2")).unwrap()], [Minor(10), Minor(20)]);
    }
}
