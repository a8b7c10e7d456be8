//! When a contract is invoiced and when it can end: billing, timing, renewal dates, calendar.

use crate::{Error, Result};

/// Dates closer than this, in months, are one date: dates are sums of months that a double holds only nearly.
pub const SAME_DATE: f64 = 1e-9;

/// How often an invoice is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Billing {
    Monthly,
    Quarterly,
    Semiannual,
    Annual,
}

impl Billing {
    pub fn name(self) -> &'static str {
        match self {
            Billing::Monthly => "monthly",
            Billing::Quarterly => "quarterly",
            Billing::Semiannual => "semiannual",
            Billing::Annual => "annual",
        }
    }

    /// Months that an invoice covers.
    pub fn months(self) -> u32 {
        match self {
            Billing::Monthly => 1,
            Billing::Quarterly => 3,
            Billing::Semiannual => 6,
            Billing::Annual => 12,
        }
    }
}

impl std::str::FromStr for Billing {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "monthly" => Billing::Monthly,
            "quarterly" => Billing::Quarterly,
            "semiannual" => Billing::Semiannual,
            "annual" => Billing::Annual,
            _ => {
                return Err(Error::invalid(
                    format!("unknown billing \"{name}\""),
                    "One of: monthly, quarterly, semiannual, annual.",
                ));
            }
        })
    }
}

/// What a value is a value of: which costs are taken off the revenue. The acquisition cost is, on every basis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueBasis {
    /// No other cost.
    Revenue,
    /// The cost of what is sold.
    GrossMargin,
    /// That and the cost to serve.
    Contribution,
}

impl ValueBasis {
    pub fn name(self) -> &'static str {
        match self {
            ValueBasis::Revenue => "revenue",
            ValueBasis::GrossMargin => "gross-margin",
            ValueBasis::Contribution => "contribution",
        }
    }
}

impl std::str::FromStr for ValueBasis {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "revenue" => ValueBasis::Revenue,
            "gross-margin" => ValueBasis::GrossMargin,
            "contribution" => ValueBasis::Contribution,
            _ => {
                return Err(Error::invalid(
                    format!("unknown value_basis \"{name}\""),
                    "One of: revenue, gross-margin, contribution.",
                ));
            }
        })
    }
}

/// When within its period an invoice falls due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// At the start, paid by those there at the start.
    Advance,
    /// At the end, paid by those there at the start: what was ordered is owed.
    Arrears,
    /// In the middle, paid by those there in the middle: for cash that comes evenly over the period.
    Middle,
}

impl Timing {
    pub fn name(self) -> &'static str {
        match self {
            Timing::Advance => "advance",
            Timing::Arrears => "arrears",
            Timing::Middle => "mid-period",
        }
    }
}

impl std::str::FromStr for Timing {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "advance" => Timing::Advance,
            "arrears" => Timing::Arrears,
            "mid-period" => Timing::Middle,
            _ => {
                return Err(Error::invalid(
                    format!("unknown timing \"{name}\""),
                    "One of: advance, arrears, mid-period.",
                ));
            }
        })
    }
}

/// The renewal dates of a contract, in months from the valuation: `first`, `first + every`, …
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Renewals {
    pub first: f64,
    pub every: f64,
}

impl Renewals {
    /// The dates of a contract of `term` months that is `given` months old and was never out of step.
    pub fn of_age(given: f64, term: f64) -> Renewals {
        let into = given % term;
        let left = term - into;
        let at_renewal = into < SAME_DATE || left < SAME_DATE;
        Renewals { first: if at_renewal { term } else { left }, every: term }
    }

    /// How many renewal dates there are up to and including month `t`.
    pub fn until(self, t: f64) -> f64 {
        if t < self.first - SAME_DATE {
            return 0.0;
        }
        ((t - self.first + SAME_DATE) / self.every).floor() + 1.0
    }

    /// The last renewal date up to and including month `t`; `None` before the first.
    pub fn last(self, t: f64) -> Option<f64> {
        let count = self.until(t);
        if count > 0.0 { Some(self.first + (count - 1.0) * self.every) } else { None }
    }
}

/// The days from the valuation date to the date so many whole months later, by the caller's calendar.
///
/// Must be 0 for 0 months and never fall. With PostgreSQL dates: `(as_of + months * '1 month') - as_of`.
#[derive(Clone, Copy)]
pub struct Calendar<'a>(pub &'a dyn Fn(u32) -> i64);

impl std::fmt::Debug for Calendar<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Calendar")
    }
}

impl Calendar<'_> {
    /// Days to the start and to the end of the period between two months.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the calendar runs backwards.
    pub fn period(&self, start: u32, end: u32) -> Result<(i64, i64)> {
        let (from, to) = ((self.0)(start), (self.0)(end));
        if (0..=to).contains(&from) {
            return Ok((from, to));
        }
        Err(Error::invalid(
            format!("the calendar runs backwards: month {start} is day {from}, month {end} is day {to}"),
            "Days count from the valuation date.",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewal_dates_follow_from_the_age() {
        assert_eq!(Renewals::of_age(0.0, 12.0).first, 12.0);
        assert_eq!(Renewals::of_age(14.0, 12.0).first, 10.0);
        assert_eq!(Renewals::of_age(36.0, 12.0).first, 12.0);
        // 0.1 added up 120 times is not 12.
        let age = (0..120).fold(0.0, |sum, _| sum + 0.1);
        assert_ne!(age, 12.0);
        assert_eq!(Renewals::of_age(age, 12.0).first, 12.0);
    }

    #[test]
    fn renewals_are_counted_on_their_date() {
        let renewals = Renewals { first: 3.0, every: 12.0 };
        let counts = [0.0, 2.9, 3.0, 14.9, 15.0, 27.0].map(|t| renewals.until(t));
        assert_eq!(counts, [0.0, 0.0, 1.0, 1.0, 2.0, 3.0]);
        assert_eq!([renewals.last(2.0), renewals.last(14.0), renewals.last(20.0)], [None, Some(3.0), Some(15.0)]);
        let nearly = Renewals { first: 0.1 + 0.2, every: 0.1 };
        assert_eq!(nearly.until(0.3), 1.0);
        assert_eq!(nearly.until(0.4), 2.0);
    }

    #[test]
    fn names_are_those_of_sql() {
        for billing in [Billing::Monthly, Billing::Quarterly, Billing::Semiannual, Billing::Annual] {
            assert_eq!(billing.name().parse(), Ok(billing));
        }
        for timing in [Timing::Advance, Timing::Arrears, Timing::Middle] {
            assert_eq!(timing.name().parse(), Ok(timing));
        }
        for basis in [ValueBasis::Revenue, ValueBasis::GrossMargin, ValueBasis::Contribution] {
            assert_eq!(basis.name().parse(), Ok(basis));
        }
        assert!("profit".parse::<ValueBasis>().is_err_and(|error| error.to_string().contains("profit")));
        assert!("weekly".parse::<Billing>().is_err_and(|error| error.to_string().contains("weekly")));
        assert!("Advance".parse::<Timing>().is_err());
    }

    #[test]
    fn a_calendar_that_runs_backwards_is_refused() {
        let backwards = |months: u32| -i64::from(months);
        assert!(matches!(Calendar(&backwards).period(0, 1), Err(Error::Invalid { .. })));
        let forwards = |months: u32| i64::from(months) * 30;
        assert_eq!(Calendar(&forwards).period(1, 3), Ok((30, 90)));
    }
}
