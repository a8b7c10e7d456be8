//! Currencies in SQL: decimals, minor units, and sums that refuse to mix.

use ltv_engine::value::decimal::Decimal;
use ltv_engine::{Error, Result};
use pgrx::prelude::*;

use crate::pg::error::settle;

/// Whose word on the decimals of a currency is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Convention {
    /// ISO 4217.
    Iso,
    /// The amounts of Stripe's API: https://docs.stripe.com/currencies.
    Stripe,
}

impl std::str::FromStr for Convention {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "iso" => Ok(Convention::Iso),
            "stripe" => Ok(Convention::Stripe),
            _ => Err(Error::invalid(format!("unknown convention \"{name}\""), "One of: iso, stripe.")),
        }
    }
}

/// Stripe's zero-decimal currencies but UGX, which its API takes and gives with two, as it does ISK.
const STRIPE_WHOLE: [&str; 15] =
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"];
const STRIPE_THOUSANDTHS: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];

/// The currency of a code; XXX, no currency, and XTS, for tests, are codes of none.
fn currency(code: &str) -> Option<iso_currency::Currency> {
    if matches!(code, "XXX" | "XTS") { None } else { iso_currency::Currency::from_code(code) }
}

#[pg_extern(sql = false)]
fn is_currency(code: &str) -> bool {
    currency(code).is_some()
}

/// The decimals of a currency; `None` for what has no minor unit, such as gold.
///
/// # Errors
/// [`Error::Invalid`] for what is no code of ISO 4217 in capitals.
pub fn minor_digits(code: &str, convention: Convention) -> Result<Option<u32>> {
    let currency = currency(code).ok_or_else(|| {
        let capitals = code.to_ascii_uppercase();
        let hint = match currency(&capitals) {
            Some(_) => format!("Codes are in capitals: upper(currency) is {capitals}."),
            None => "An ISO 4217 code in capitals, such as EUR, USD or JPY.".into(),
        };
        Error::invalid(format!("unknown currency \"{code:.20}\""), hint)
    })?;
    Ok(match convention {
        Convention::Iso => currency.exponent().map(u32::from),
        Convention::Stripe if STRIPE_WHOLE.contains(&code) => Some(0),
        Convention::Stripe if STRIPE_THOUSANDTHS.contains(&code) => Some(3),
        Convention::Stripe => Some(2),
    })
}

/// The decimals of amounts in a currency, by ISO 4217; two without one.
pub fn digits_of(code: Option<&str>) -> Result<u32> {
    code.map_or(Ok(2), |code| Ok(minor_digits(code, Convention::Iso)?.unwrap_or(2)))
}

#[pg_extern(sql = false, name = "minor_digits")]
fn sql_minor_digits(currency: &str, convention: &str) -> Option<i32> {
    settle(convention.parse().and_then(|convention| minor_digits(currency, convention))).map(|digits| digits as i32)
}

/// A sum of one currency: code, amount, the most decimals that a row was written with.
///
/// It is 21 bytes, changed in place: version, three letters, one byte of decimals, sixteen of the sum.
pub mod sum {
    use super::*;

    pub const BYTES: usize = 21;
    const VERSION: u8 = 1;

    /// The state after a first row.
    pub fn start(currency: &str) -> Result<[u8; BYTES]> {
        let letters = currency.as_bytes();
        if letters.len() != 3 || !letters.iter().all(u8::is_ascii_uppercase) {
            return Err(not_a_code(currency));
        }
        let mut state = [0; BYTES];
        state[0] = VERSION;
        state[1..4].copy_from_slice(letters);
        Ok(state)
    }

    #[cold]
    fn not_a_code(currency: &str) -> Error {
        Error::invalid(
            format!("a currency must be three capital letters, got \"{currency:.20}\""),
            "An ISO 4217 code such as EUR: upper(currency).",
        )
    }

    /// Adds one row.
    #[inline]
    pub fn add(state: &mut [u8; BYTES], amount: Decimal, scale: u8, currency: &str) -> Result<()> {
        if state[1..4] != *currency.as_bytes() {
            return Err(differs(state, currency));
        }
        let sum = units(state)?.plus(amount)?;
        state[4] = state[4].max(scale);
        state[5..].copy_from_slice(&sum.units().to_le_bytes());
        Ok(())
    }

    #[cold]
    fn differs(state: &[u8; BYTES], currency: &str) -> Error {
        if let Err(error) = start(currency) {
            return error;
        }
        let mut both = [code(state), currency];
        both.sort_unstable();
        Error::invalid(
            format!("amounts of two currencies cannot be added: {} and {}", both[0], both[1]),
            "GROUP BY currency, or convert them first: ltv.convert(amount, currency, 'EUR', day, 'rates').",
        )
    }

    fn code(state: &[u8; BYTES]) -> &str {
        std::str::from_utf8(&state[1..4]).unwrap_or("???")
    }

    fn units(state: &[u8; BYTES]) -> Result<Decimal> {
        let (_, sum) = state.split_at(5);
        Decimal::from_units(i128::from_le_bytes(sum.try_into().unwrap_or_default()))
    }

    /// Adds another sum of other rows.
    pub fn merge(state: &mut [u8; BYTES], other: &[u8; BYTES]) -> Result<()> {
        add(state, units(other)?, other[4], code(other))
    }

    /// The state in bytes that may have come from anywhere.
    pub fn read(bytes: &[u8]) -> Result<[u8; BYTES]> {
        let malformed = || Error::malformed("these bytes are not the state of sum_money");
        let state: [u8; BYTES] = bytes.try_into().map_err(|_| malformed())?;
        if state[0] != VERSION || start(code(&state)).is_err() || units(&state).is_err() {
            return Err(malformed());
        }
        Ok(state)
    }

    /// The sum with as many decimals as its rows had, sixteen at most.
    pub fn total(state: &[u8; BYTES]) -> Result<String> {
        Ok(units(state)?.rounded(u32::from(state[4])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_by_iso_and_by_stripe() {
        let digits = |code, convention| minor_digits(code, convention).unwrap();
        let both = |code| (digits(code, Convention::Iso), digits(code, Convention::Stripe));
        assert_eq!(
            [both("USD"), both("JPY"), both("KWD")],
            [(Some(2), Some(2)), (Some(0), Some(0)), (Some(3), Some(3))]
        );
    }
}
