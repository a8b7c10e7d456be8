//! What is sold, what it costs and how it is paid for.

use crate::survival::kaplan_meier::critical_value;
use crate::value::contract::{Billing, Calendar, Renewals, SAME_DATE, Timing};
use crate::value::discount::check_rate;
use crate::value::money::MAX_DIGITS;
use crate::value::outlook::TailRule;
use crate::{Error, Result};

/// The longest horizon, in months: a hundred years.
pub const MAX_HORIZON: u32 = 1200;

/// A rate above this is a percentage that was meant as one.
const LARGEST_RATE: f64 = 1.0;

/// The shortest contract term, in months: about a day.
pub const MIN_TERM: f64 = 0.03;

/// The terms of one account or cohort. Times are months from the valuation, the unit of the curve included.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// Price per `period_months` at the valuation, in major units; at least 0.
    pub revenue: f64,
    /// The months that `revenue` and `cost_to_serve` are for: 1 for a monthly price, 12 for an annual one.
    pub period_months: f64,
    /// Share of the revenue left after the cost of what is sold; at most 1, negative when sold at a loss.
    pub margin: f64,
    /// Support, success and onboarding per `period_months`, whatever the price; at least 0.
    pub cost_to_serve: f64,
    /// Effective annual rate, above −1.
    pub discount_rate: f64,
    /// Months that are valued: 1 to [`MAX_HORIZON`].
    pub horizon: u32,
    /// Effective annual growth of the revenue, above −1.
    pub expansion: f64,
    /// Share added to the price at each renewal, or each year when there is no term; above −1.
    pub price_uplift: f64,
    pub billing: Billing,
    pub timing: Timing,
    /// Age now, in months: what is known is that the contract has lived so long.
    pub given: f64,
    /// The contract ends at renewal dates only, this many months apart; without it, at any time.
    pub term_months: Option<f64>,
    /// Months to the next renewal date, in (0, term]. Without it the contract has renewed every term since age 0.
    pub months_to_renewal: Option<f64>,
    /// Months from now that are paid for already; less than the horizon. Their revenue and cost count no more: the
    /// first invoice comes after them. 0 counts an invoice that is due now.
    pub paid_months: u32,
    /// Spent now to win the customer, in major units; at least 0.
    pub acquisition_cost: f64,
    /// What to believe beyond the observed time.
    pub tail: TailRule,
    /// The dates of the invoices: with it time is days / 365, without it months / 12.
    pub due_days: Option<Calendar<'a>>,
    /// Decimals of the currency: 0 to 6.
    pub minor_digits: u32,
    /// Confidence level of the interval, in (0, 1).
    pub level: f64,
}

impl Terms<'_> {
    /// A monthly price paid in advance, without cost, over five years at ten percent a year.
    pub fn new(revenue: f64) -> Self {
        Terms {
            revenue,
            period_months: 1.0,
            margin: 1.0,
            cost_to_serve: 0.0,
            discount_rate: 0.10,
            horizon: 60,
            expansion: 0.0,
            price_uplift: 0.0,
            billing: Billing::Monthly,
            timing: Timing::Advance,
            given: 0.0,
            term_months: None,
            months_to_renewal: None,
            paid_months: 0,
            acquisition_cost: 0.0,
            tail: TailRule::None,
            due_days: None,
            minor_digits: 2,
            level: 0.95,
        }
    }

    /// # Errors
    /// [`Error::Invalid`] naming the first term outside its domain, NaN and infinities included.
    pub fn validate(&self) -> Result<()> {
        at_least_zero("revenue", self.revenue, "It is the price of one period.")?;
        if !(self.period_months > 0.0 && self.period_months < f64::INFINITY) {
            return Err(Error::invalid(
                format!("period_months must be finite and greater than 0, got {}", self.period_months),
                "1 for a monthly price, 12 for an annual one.",
            ));
        }
        if !(self.margin > f64::NEG_INFINITY && self.margin <= 1.0) {
            return Err(Error::invalid(
                format!("margin must be finite and at most 1, got {}", self.margin),
                "It is a share of revenue: 0.8 leaves eighty cents of each unit.",
            ));
        }
        at_least_zero("cost_to_serve", self.cost_to_serve, "It is subtracted from the margin of each period.")?;
        check_rate(self.discount_rate)?;
        if !(1..=MAX_HORIZON).contains(&self.horizon) {
            return Err(Error::invalid(
                format!("horizon must be from 1 to {MAX_HORIZON} months, got {}", self.horizon),
                "60 months is the usual cap.",
            ));
        }
        above_minus_one("expansion", self.expansion, "It is a growth per year: 0.05 is five percent.")?;
        above_minus_one("price_uplift", self.price_uplift, "It is added at each renewal: 0.05 is five percent.")?;
        for (name, share) in
            [("discount_rate", self.discount_rate), ("expansion", self.expansion), ("price_uplift", self.price_uplift)]
        {
            if share > LARGEST_RATE {
                return Err(Error::invalid(
                    format!("{name} {share} would be {} percent", share * 100.0),
                    "Rates are shares: 0.10 is ten percent. None above 1 is taken, for it is nearly always a percentage.",
                ));
            }
        }
        at_least_zero("given", self.given, "It is the age now, in months.")?;
        self.validate_renewals()?;
        if self.paid_months >= self.horizon {
            return Err(Error::invalid(
                format!("paid_months {} must be less than the horizon of {} months", self.paid_months, self.horizon),
                "Nothing would be left to value.",
            ));
        }
        at_least_zero("acquisition_cost", self.acquisition_cost, "It is spent now, once.")?;
        if self.minor_digits > MAX_DIGITS {
            return Err(Error::invalid(
                format!("minor_digits must be from 0 to {MAX_DIGITS}, got {}", self.minor_digits),
                "2 for most currencies, 0 for JPY, 3 for KWD.",
            ));
        }
        critical_value(self.level).map(|_| ())
    }

    fn validate_renewals(&self) -> Result<()> {
        let Some(term) = self.term_months else {
            return match self.months_to_renewal {
                None => Ok(()),
                Some(months) => Err(Error::invalid(
                    format!("months_to_renewal {months} is given without term_months"),
                    "Say how long a term is, such as term_months => 12.",
                )),
            };
        };
        if !(MIN_TERM..f64::INFINITY).contains(&term) {
            return Err(Error::invalid(
                format!("term_months must be finite and at least {MIN_TERM}, got {term}"),
                "Leave it out for a contract that can end at any time.",
            ));
        }
        match self.months_to_renewal {
            Some(months) if !(months > 0.0 && months <= term + SAME_DATE) => Err(Error::invalid(
                format!("months_to_renewal must be greater than 0 and at most the term of {term} months, got {months}"),
                "On a renewal date the next one is a full term away.",
            )),
            _ => Ok(()),
        }
    }

    /// When the contract renews; `None` when it can end at any time. The terms must be valid.
    pub fn renewals(&self) -> Option<Renewals> {
        let every = self.term_months?;
        Some(match self.months_to_renewal {
            Some(first) => Renewals { first, every },
            None => Renewals::of_age(self.given, every),
        })
    }

    /// The price at month `start` over the price now: growth by the year, uplifts by the renewal dates up to then.
    pub fn price_growth(&self, start: f64) -> f64 {
        let mut growth = 1.0;
        if self.expansion != 0.0 {
            growth *= (1.0 + self.expansion).powf(start / 12.0);
        }
        if self.price_uplift != 0.0 {
            let uplifts = match self.renewals() {
                Some(renewals) => renewals.until(start),
                None => (start / 12.0).floor(),
            };
            growth *= (1.0 + self.price_uplift).powf(uplifts);
        }
        growth
    }
}

fn at_least_zero(name: &str, value: f64, hint: &str) -> Result<()> {
    if (0.0..f64::INFINITY).contains(&value) {
        return Ok(());
    }
    Err(Error::invalid(format!("{name} must be finite and not negative, got {value}"), hint))
}

fn above_minus_one(name: &str, value: f64, hint: &str) -> Result<()> {
    if value > -1.0 && value < f64::INFINITY {
        return Ok(());
    }
    Err(Error::invalid(format!("{name} must be finite and greater than -1, got {value}"), hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_term_outside_its_domain_is_named() {
        let good = Terms { term_months: Some(12.0), ..Terms::new(100.0) };
        let bad: Vec<(&str, Terms)> = [f64::NAN, f64::INFINITY, -1.5]
            .into_iter()
            .flat_map(|x| {
                [
                    ("revenue", Terms { revenue: x, ..good }),
                    ("period_months", Terms { period_months: x, ..good }),
                    ("cost_to_serve", Terms { cost_to_serve: x, ..good }),
                    ("discount rate", Terms { discount_rate: x, ..good }),
                    ("expansion", Terms { expansion: x, ..good }),
                    ("price_uplift", Terms { price_uplift: x, ..good }),
                    ("given", Terms { given: x, ..good }),
                    ("term_months", Terms { term_months: Some(x), ..good }),
                    ("months_to_renewal", Terms { months_to_renewal: Some(x), ..good }),
                    ("acquisition_cost", Terms { acquisition_cost: x, ..good }),
                    ("level", Terms { level: x, ..good }),
                ]
            })
            .chain([
                ("margin", Terms { margin: f64::NAN, ..good }),
                ("margin", Terms { margin: 1.01, ..good }),
                ("period_months", Terms { period_months: 0.0, ..good }),
                ("horizon", Terms { horizon: 0, ..good }),
                ("horizon", Terms { horizon: 1201, ..good }),
                ("term_months", Terms { term_months: Some(0.0), ..good }),
                ("months_to_renewal", Terms { months_to_renewal: Some(0.0), ..good }),
                ("months_to_renewal", Terms { months_to_renewal: Some(13.0), ..good }),
                ("months_to_renewal", Terms { term_months: None, months_to_renewal: Some(3.0), ..good }),
                ("paid_months", Terms { paid_months: 60, ..good }),
                ("minor_digits", Terms { minor_digits: 7, ..good }),
            ])
            .collect();
        for (name, terms) in bad {
            match terms.validate() {
                Err(Error::Invalid { message, .. }) => assert!(message.contains(name), "{name}: {message}"),
                other => panic!("{name}: {other:?}"),
            }
        }
        assert!(good.validate().is_ok());
    }
}
