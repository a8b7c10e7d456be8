//! The many ways to quote one rate, and what they say of a payment later.
//!
//! Every quotation is turned into the force of interest δ, the logarithm of a year's growth, and back.

use std::str::FromStr;

use crate::{Error, Result};

/// How a rate is quoted. `Nominal(12)` at 0.12 is one percent a month; `Per(12)` at 0.01 is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compounding {
    /// A year's rate, added so many times a year in equal parts. With 1 it is the effective annual rate.
    Nominal(u16),
    /// The effective rate of one of so many periods of a year.
    Per(u16),
    /// The force of interest.
    Continuous,
    /// Without interest on interest: growth over t years is 1 + rate·t. It has no rate of its own for all times.
    Simple,
}

impl FromStr for Compounding {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "annual" => Compounding::Nominal(1),
            "semiannual" => Compounding::Nominal(2),
            "quarterly" => Compounding::Nominal(4),
            "monthly" => Compounding::Nominal(12),
            "weekly" => Compounding::Nominal(52),
            "daily" => Compounding::Nominal(365),
            "per-quarter" => Compounding::Per(4),
            "per-month" => Compounding::Per(12),
            "per-week" => Compounding::Per(52),
            "per-day" => Compounding::Per(365),
            "continuous" => Compounding::Continuous,
            "simple" => Compounding::Simple,
            _ => {
                return Err(Error::invalid(
                    format!("unknown compounding \"{name}\""),
                    "annual is the effective rate; semiannual, quarterly, monthly, weekly and daily are nominal rates a year; per-quarter, per-month, per-week and per-day are effective rates of that period; or continuous or simple.",
                ));
            }
        })
    }
}

impl Compounding {
    /// The force of interest of a rate quoted so.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the rate is not finite, loses all in a period, or is a simple one.
    pub fn force(self, rate: f64) -> Result<f64> {
        let (periods, each) = match self {
            Compounding::Nominal(periods) => (periods, rate / f64::from(periods)),
            Compounding::Per(periods) => (periods, rate),
            Compounding::Continuous => (1, 0.0),
            Compounding::Simple => return Err(simple()),
        };
        if !rate.is_finite() || each <= -1.0 {
            return Err(bad_rate(rate));
        }
        Ok(if self == Compounding::Continuous { rate } else { f64::from(periods) * each.ln_1p() })
    }

    /// The rate that quotes a force of interest so.
    fn quoted(self, force: f64) -> Result<f64> {
        let rate = match self {
            Compounding::Nominal(periods) => f64::from(periods) * (force / f64::from(periods)).exp_m1(),
            Compounding::Per(periods) => (force / f64::from(periods)).exp_m1(),
            Compounding::Continuous => force,
            Compounding::Simple => return Err(simple()),
        };
        if rate.is_finite() { Ok(rate) } else { Err(Error::OutOfRange("the rate is too large".into())) }
    }

    /// The value now of 1 that is paid in `years`.
    ///
    /// # Errors
    /// As [`Compounding::force`]; [`Error::Invalid`] for a time that is not finite, and for a simple rate by which the
    /// debt is gone before; [`Error::OutOfRange`] when the factor is too large for a double.
    pub fn discount_factor(self, years: f64, rate: f64) -> Result<f64> {
        if !years.is_finite() {
            return Err(Error::invalid(
                format!("the time to discount over must be finite, got {years}"),
                "It is in years: year_fraction(from, to, day_count).",
            ));
        }
        let factor = match self {
            Compounding::Simple if !rate.is_finite() || 1.0 + rate * years <= 0.0 => return Err(bad_rate(rate)),
            Compounding::Simple => 1.0 / (1.0 + rate * years),
            Compounding::Nominal(1) => return super::discount::discount_factor(years, rate),
            _ => (-self.force(rate)? * years).exp(),
        };
        if factor.is_finite() {
            return Ok(factor);
        }
        Err(Error::OutOfRange(format!("the discount factor over {years} years at the rate {rate} is too large")))
    }
}

fn simple() -> Error {
    Error::invalid(
        "a simple rate cannot be converted: it says another effective rate for each time",
        "Use discount_factor(years, rate, 'simple').",
    )
}

fn bad_rate(rate: f64) -> Error {
    Error::invalid(
        format!("a rate must be finite and lose less than everything in a period, got {rate}"),
        "0.10 is ten percent.",
    )
}

/// The same rate quoted another way.
///
/// # Errors
/// As [`Compounding::force`]; [`Error::OutOfRange`] when it is too large so quoted.
pub fn convert_rate(rate: f64, from: Compounding, to: Compounding) -> Result<f64> {
    let force = from.force(rate)?;
    if from == to { Ok(rate) } else { to.quoted(force) }
}

/// The share lost over `periods` of what loses `churn` in each: 1 − (1 − churn)^periods. Periods below 1 turn a year's
/// churn into a month's. Never churn × periods.
///
/// # Errors
/// [`Error::Invalid`] when churn is not finite or above 1; it may be negative, as that of net revenue.
pub fn compound_churn(churn: f64, periods: f64) -> Result<f64> {
    if !churn.is_finite() || churn > 1.0 {
        return Err(Error::invalid(
            format!("churn must be a share, at most 1, got {churn}"),
            "0.02 is two percent; divide by 100 what is in percent.",
        ));
    }
    let lost = -(periods * (-churn).ln_1p()).exp_m1();
    if lost.is_finite() {
        Ok(lost)
    } else {
        Err(Error::OutOfRange(format!("churn of {churn} over {periods} periods is too large")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    const ANNUAL: Compounding = Compounding::Nominal(1);

    /// EFFECT(5.25 %, 4) and NOMINAL(5.3543 %, 4) of the spreadsheets' documentation; continuous by hand.
    #[test]
    fn published_values() {
        assert_relative_eq!(
            convert_rate(0.0525, Compounding::Nominal(4), ANNUAL).unwrap(),
            0.053_542_7,
            epsilon = 5e-8
        );
        assert_relative_eq!(
            convert_rate(0.053_543, ANNUAL, Compounding::Nominal(4)).unwrap(),
            0.052_500_32,
            epsilon = 5e-9
        );
        assert_relative_eq!(
            convert_rate(0.10, Compounding::Continuous, ANNUAL).unwrap(),
            0.105_170_918_075_647_6,
            max_relative = 1e-15
        );
        assert_relative_eq!(
            convert_rate(0.10, ANNUAL, Compounding::Per(12)).unwrap(),
            0.007_974_140_428_903_741,
            max_relative = 1e-14
        );
        assert_relative_eq!(
            convert_rate(0.12, Compounding::Nominal(12), Compounding::Per(12)).unwrap(),
            0.01,
            max_relative = 1e-15
        );
    }

    #[test]
    fn every_quotation_says_the_same() {
        let all = [
            "annual",
            "semiannual",
            "quarterly",
            "monthly",
            "weekly",
            "daily",
            "per-quarter",
            "per-month",
            "per-week",
            "per-day",
            "continuous",
        ];
        for rate in [-0.3, -1e-9, 0.0, 1e-12, 0.1, 2.0] {
            for name in all {
                let way: Compounding = name.parse().unwrap();
                let quoted = convert_rate(rate, ANNUAL, way).unwrap();
                assert_relative_eq!(
                    convert_rate(quoted, way, ANNUAL).unwrap(),
                    rate,
                    max_relative = 1e-12,
                    epsilon = 1e-15
                );
                assert_relative_eq!(
                    way.discount_factor(2.5, quoted).unwrap(),
                    ANNUAL.discount_factor(2.5, rate).unwrap(),
                    max_relative = 1e-13
                );
            }
        }
        assert_eq!(Compounding::Simple.discount_factor(0.5, 0.1).unwrap(), 1.0 / 1.05);
    }

    #[test]
    fn churn_compounds() {
        assert_relative_eq!(compound_churn(0.02, 12.0).unwrap(), 1.0 - 0.98f64.powi(12), max_relative = 1e-14);
        assert_relative_eq!(
            compound_churn(compound_churn(0.02, 12.0).unwrap(), 1.0 / 12.0).unwrap(),
            0.02,
            max_relative = 1e-13
        );
        assert_eq!([compound_churn(0.0, 12.0).unwrap(), compound_churn(1.0, 12.0).unwrap()], [0.0, 1.0]);
        assert_relative_eq!(compound_churn(-0.01, 12.0).unwrap(), 1.0 - 1.01f64.powi(12), max_relative = 1e-14);
        assert!(compound_churn(1.5, 12.0).is_err() && compound_churn(f64::NAN, 12.0).is_err());
    }

    #[test]
    fn refuses_what_has_no_value() {
        for rate in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(ANNUAL.force(rate).is_err() && Compounding::Continuous.force(f64::NAN).is_err(), "{rate}");
        }
        assert!(Compounding::Nominal(12).force(-12.0).is_err());
        assert!(convert_rate(0.1, Compounding::Simple, ANNUAL).is_err());
        assert!(Compounding::Simple.discount_factor(20.0, -0.1).is_err());
        assert!(Compounding::Continuous.discount_factor(f64::INFINITY, 0.1).is_err());
        assert!(matches!(Compounding::Continuous.discount_factor(1e4, -1.0), Err(Error::OutOfRange(_))));
        assert!("yearly".parse::<Compounding>().is_err());
    }
}
