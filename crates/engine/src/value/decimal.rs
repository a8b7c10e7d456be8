//! Amounts as exact decimals: what is owed is added up without a rounding, in any order.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// Decimals that are kept. PostgreSQL divides to sixteen significant digits, and no price has more decimals.
pub const SCALE: u32 = 16;

const UNIT: i128 = 10i128.pow(SCALE);

/// Amounts are below 10^20, so that ten quadrillion of them can be added.
const LIMIT: i128 = 10i128.pow(20) * UNIT;

/// An exact decimal with sixteen decimals; what has more is rounded to them, halves away from zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal(i128);

impl Decimal {
    pub const ZERO: Decimal = Decimal(0);

    /// A number in base 10 000, the highest digit first and worth 10000^`weight`: how PostgreSQL writes `numeric`.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] from 10^20 on.
    #[inline]
    pub fn from_base_10000(negative: bool, weight: i32, digits: impl Iterator<Item = u16>) -> Result<Decimal> {
        // The place of a digit, counted so that the last one kept has place 0.
        let mut place = weight + SCALE as i32 / 4;
        let mut units = 0i128;
        if place > 9 {
            return Err(out_of_range());
        }
        for digit in digits {
            if place < 0 {
                units += i128::from(place == -1 && digit >= 5000);
                place = -1;
                break;
            }
            units = units * 10_000 + i128::from(digit);
            place -= 1;
        }
        // `place` is now that of the next digit: zeros stand for the places that are left.
        if place >= 0 {
            units *= 10_000i128.pow(place as u32 + 1);
        }
        Decimal::within(if negative { -units } else { units })
    }

    fn within(units: i128) -> Result<Decimal> {
        if units.abs() < LIMIT { Ok(Decimal(units)) } else { Err(out_of_range()) }
    }

    /// The number of units of 10^−16.
    pub fn units(self) -> i128 {
        self.0
    }

    /// # Errors
    /// [`Error::OutOfRange`] beyond what a sum may be.
    pub fn from_units(units: i128) -> Result<Decimal> {
        if units.unsigned_abs() <= i128::MAX as u128 / 4 { Ok(Decimal(units)) } else { Err(out_of_range()) }
    }

    /// # Errors
    /// [`Error::OutOfRange`] when the sum is too large, which takes quadrillions of amounts.
    #[inline]
    pub fn plus(self, other: Decimal) -> Result<Decimal> {
        Decimal::from_units(self.0.checked_add(other.0).ok_or_else(out_of_range)?)
    }

    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The nearest double for up to four decimals and fifteen digits, else within one unit in its last place.
    pub fn to_f64(self) -> f64 {
        // Whole numbers below 2^53 and powers of ten up to 10^22 are doubles, so that one division rounds once.
        let step = 10i128.pow(SCALE - 4);
        if self.0 % step == 0 { (self.0 / step) as f64 / 1e4 } else { self.0 as f64 / UNIT as f64 }
    }

    /// The decimal with `digits` decimals, halves away from zero.
    pub fn rounded(self, digits: u32) -> String {
        let digits = digits.min(SCALE);
        let step = 10u128.pow(SCALE - digits);
        let units = (self.0.unsigned_abs() + step / 2) / step;
        let sign = if self.0 < 0 && units > 0 { "-" } else { "" };
        let scale = 10u128.pow(digits);
        match digits {
            0 => format!("{sign}{units}"),
            _ => format!("{sign}{}.{:0width$}", units / scale, units % scale, width = digits as usize),
        }
    }
}

#[cold]
fn out_of_range() -> Error {
    Error::OutOfRange("the amount is out of the range of money: it must be less than 10^20".into())
}

/// Exact, without trailing zeros.
impl fmt::Display for Decimal {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.rounded(SCALE);
        to.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl FromStr for Decimal {
    type Err = Error;

    /// A sign, digits, and decimals after a point.
    fn from_str(text: &str) -> Result<Decimal> {
        let not_an_amount = || {
            Error::invalid(
                format!("an amount must be a finite number, got \"{text:.40}\""),
                "Digits and a decimal point.",
            )
        };
        let plain = text.strip_prefix('-').unwrap_or(text);
        let (whole, part) = plain.split_once('.').unwrap_or((plain, ""));
        let is_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + part.len() == 0 || !is_digits(whole) || !is_digits(part) {
            return Err(not_an_amount());
        }
        if whole.trim_start_matches('0').len() > 20 {
            return Err(out_of_range());
        }
        let kept = &part[..part.len().min(SCALE as usize)];
        let units: i128 = format!("{whole}{kept:0<16}").parse().map_err(|_| not_an_amount())?;
        let up = part.as_bytes().get(SCALE as usize).is_some_and(|digit| *digit >= b'5');
        let units = units + i128::from(up);
        Decimal::from_units(if text.starts_with('-') { -units } else { units })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn text_is_exact_both_ways() {
        for text in
            ["0", "1", "-1", "0.01", "-12.5", "99999999999999999999", "0.0000000000000001", "1200.0000000000000001"]
        {
            assert_eq!(read(text).to_string(), text);
        }
        assert_eq!(read("1.10").to_string(), "1.1");
        assert_eq!(read("-0.00").to_string(), "0");
        assert_eq!(read(".5"), read("0.50"));
        for text in ["", "-", ".", "NaN", "1e5", "Infinity", "1.2.3", " 1", "+1"] {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
        assert!(matches!("100000000000000000000000".parse::<Decimal>(), Err(Error::OutOfRange(_))));
    }

    #[test]
    fn rounds_halves_away_from_zero() {
        assert_eq!(
            ["1.005", "-1.005", "0.004", "-0.004"].map(|text| read(text).rounded(2)),
            ["1.01", "-1.01", "0.00", "0.00"]
        );
        assert_eq!(read("2.5").rounded(0), "3");
        assert_eq!(read("0.00000000000000005"), read("0.0000000000000001"));
        assert_eq!(read("-0.00000000000000004999"), Decimal::ZERO);
    }

    #[test]
    fn reads_base_10000() {
        let base =
            |negative, weight, digits: &[u16]| Decimal::from_base_10000(negative, weight, digits.iter().copied());
        assert_eq!(base(false, 0, &[1200]).unwrap(), read("1200"));
        assert_eq!(base(true, 1, &[12, 3456, 7000]).unwrap(), read("-123456.7"));
        assert_eq!(base(false, -1, &[50]).unwrap(), read("0.005"));
        assert_eq!(base(false, 2, &[1]).unwrap(), read("100000000"));
        assert_eq!(base(false, 0, &[]).unwrap(), Decimal::ZERO);
        assert_eq!(base(false, -4, &[1, 5000]).unwrap(), read("0.0000000000000002"));
        assert_eq!(base(false, -5, &[4999, 9999]).unwrap(), Decimal::ZERO);
        assert_eq!(base(false, -6, &[9999]).unwrap(), Decimal::ZERO);
        assert_eq!(base(false, 4, &[9999]).unwrap(), read("99990000000000000000"));
        for weight in [5, 6, 1000] {
            assert!(matches!(base(false, weight, &[1]), Err(Error::OutOfRange(_))), "{weight}");
        }
    }

    #[test]
    fn the_nearest_double() {
        assert_eq!(read("0.1").to_f64(), 0.1);
        assert_eq!(read("-123456789.123").to_f64(), -123456789.123);
    }
}
