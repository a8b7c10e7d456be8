//! The domain of each term.

use crate::survival::kaplan_meier::critical_value;
use crate::value::contract::SAME_DATE;
use crate::value::discount::check_rate;
use crate::value::money::{MAX_DIGITS, double};
use crate::value::outlook::TailRule;
use crate::value::terms::{MAX_HORIZON, MIN_TERM, Terms};
use crate::{Error, Result};

/// A rate above this is a percentage that was meant as one.
const LARGEST_RATE: f64 = 1.0;

/// No list of prices, growths or rates is longer: one for each month of the longest horizon.
pub const MAX_LIST: usize = MAX_HORIZON as usize;

/// Ten years.
const MAX_PAYMENT_DAYS: u32 = 3650;

/// No share of a revenue and no ratio of hazards is larger.
const LARGEST_RATIO: f64 = 1e6;

impl Terms<'_> {
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
            not_a_percentage(name, share)?;
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
        self.validate_prices()?;
        self.validate_leaving()?;
        self.validate_payment()?;
        critical_value(self.level).map(|_| ())
    }

    fn validate_prices(&self) -> Result<()> {
        if self.revenue_exact.is_some_and(|exact| double(exact) != self.revenue) {
            return Err(Error::malformed("the two forms of the revenue differ"));
        }
        length("ramp", self.ramp.len())?;
        for price in self.ramp {
            at_least_zero("a price of the ramp", double(*price), "Each is the price of one period.")?;
        }
        if let Some(first) = self.ramp.first().filter(|first| double(**first) != self.revenue) {
            return Err(Error::invalid(
                format!("the ramp begins with {first}, the revenue is {}", self.revenue),
                "The first step of a ramp is the price now: leave the revenue out, or make it the same.",
            ));
        }
        length("expansion_curve", self.expansion_curve.len())?;
        for index in self.expansion_curve {
            if !(0.0..=LARGEST_RATIO).contains(index) {
                return Err(Error::invalid(
                    format!("expansion_curve must be finite, not negative and at most {LARGEST_RATIO}, got {index}"),
                    "Each is a multiple of the price: 1.1 for a tenth more than now.",
                ));
            }
        }
        if !(1..=MAX_HORIZON).contains(&self.expansion_curve_months) {
            return Err(Error::invalid(
                format!("expansion_curve_months must be from 1 to {MAX_HORIZON}, got {}", self.expansion_curve_months),
                "12 when the curve is by year, 1 when it is by month.",
            ));
        }
        Ok(())
    }

    fn validate_leaving(&self) -> Result<()> {
        if !(0.0..=f64::from(MAX_HORIZON)).contains(&self.notice_months) {
            return Err(Error::invalid(
                format!("notice_months must be from 0 to {MAX_HORIZON}, got {}", self.notice_months),
                "It is how long before the end notice must be given: 3 for a quarter.",
            ));
        }
        if !(0.0..1.0).contains(&self.early_termination) {
            return Err(Error::invalid(
                format!("early_termination must be at least 0 and less than 1, got {}", self.early_termination),
                "It is the share that breaks the contract per year within its term.",
            ));
        }
        share("termination_fee", self.termination_fee, "It is a share of the invoices left in the term.")?;
        if self.term_months.is_none() && (self.early_termination > 0.0 || self.termination_fee > 0.0) {
            return Err(Error::invalid(
                "early_termination and termination_fee are given without term_months",
                "Without a term a customer can leave at any time, as the curve says. Say how long a term is, such as term_months => 12.",
            ));
        }
        if !(self.hazard_ratio > 0.0 && self.hazard_ratio <= LARGEST_RATIO) {
            return Err(Error::invalid(
                format!("hazard_ratio must be greater than 0 and at most {LARGEST_RATIO}, got {}", self.hazard_ratio),
                "It multiplies the hazard of leaving: 0.9 for a tenth fewer.",
            ));
        }
        match self.tail_months {
            Some(months) if self.tail != TailRule::RecentHazard => Err(Error::invalid(
                format!("tail_months {months} is given without tail => 'recent-hazard'"),
                "It is the time over which that rule reads the hazard.",
            )),
            Some(months) if !(months > 0.0 && months < f64::INFINITY) => Err(Error::invalid(
                format!("tail_months must be finite and greater than 0, got {months}"),
                "It is the time over which the hazard is read, back from the end of the observed time.",
            )),
            _ => Ok(()),
        }
    }

    fn validate_payment(&self) -> Result<()> {
        if self.payment_days > MAX_PAYMENT_DAYS {
            return Err(Error::invalid(
                format!("payment_days must be at most {MAX_PAYMENT_DAYS}, got {}", self.payment_days),
                "It is the time from an invoice to its payment: 30 for net 30.",
            ));
        }
        if !(0.0..1.0).contains(&self.bad_debt) {
            return Err(Error::invalid(
                format!("bad_debt must be at least 0 and less than 1, got {}", self.bad_debt),
                "It is the share of what is invoiced that is never paid: 0.01 is one percent.",
            ));
        }
        length("discount_curve", self.discount_curve.len())?;
        for rate in self.discount_curve {
            check_rate(*rate)?;
            not_a_percentage("a rate of the discount_curve", *rate)?;
        }
        Ok(())
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
}

fn not_a_percentage(name: &str, rate: f64) -> Result<()> {
    if rate <= LARGEST_RATE {
        return Ok(());
    }
    Err(Error::invalid(
        format!("{name} {rate} would be {} percent", rate * 100.0),
        "Rates are shares: 0.10 is ten percent. None above 1 is taken, for it is nearly always a percentage.",
    ))
}

fn share(name: &str, value: f64, hint: &str) -> Result<()> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(Error::invalid(format!("{name} must be from 0 to 1, got {value}"), hint))
}

fn length(name: &str, length: usize) -> Result<()> {
    if length <= MAX_LIST {
        return Ok(());
    }
    Err(Error::invalid(
        format!("{name} has {length} elements, more than {MAX_LIST}"),
        "There is one for each year or period of the horizon.",
    ))
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
    use rust_decimal::Decimal;

    use super::*;

    #[test]
    fn every_term_outside_its_domain_is_named() {
        let good = Terms { term_months: Some(12.0), ..Terms::new(100.0) };
        let lists: [&[f64]; 4] = [&[0.1, f64::NAN], &[f64::INFINITY], &[1.0, -2.0], &[1.0; MAX_LIST + 1]];
        let ramp = [Decimal::from(90), Decimal::from(120)];
        let negative = [Decimal::from(100), Decimal::from(-1)];
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
                    ("notice_months", Terms { notice_months: x, ..good }),
                    ("early_termination", Terms { early_termination: x, ..good }),
                    ("termination_fee", Terms { termination_fee: x, ..good }),
                    ("bad_debt", Terms { bad_debt: x, ..good }),
                    ("hazard_ratio", Terms { hazard_ratio: x, ..good }),
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
                ("ramp begins with 90, the revenue is 100", Terms { ramp: &ramp, ..good }),
                ("a price of the ramp", Terms { ramp: &negative, ..good }),
                ("revenue differ", Terms { revenue_exact: Some(Decimal::from(99)), ..good }),
                ("expansion_curve_months", Terms { expansion_curve_months: 0, ..good }),
                ("without term_months", Terms { term_months: None, early_termination: 0.1, ..good }),
                ("without term_months", Terms { term_months: None, termination_fee: 0.1, ..good }),
                ("early_termination", Terms { early_termination: 1.0, ..good }),
                ("termination_fee", Terms { termination_fee: 1.1, ..good }),
                ("payment_days", Terms { payment_days: 3651, ..good }),
                ("bad_debt", Terms { bad_debt: 1.0, ..good }),
                ("hazard_ratio", Terms { hazard_ratio: 0.0, ..good }),
                ("without tail => 'recent-hazard'", Terms { tail_months: Some(12.0), ..good }),
                ("tail_months", Terms { tail: TailRule::RecentHazard, tail_months: Some(0.0), ..good }),
                ("discount_curve 1.2", Terms { discount_curve: &[0.1, 1.2], ..good }),
            ])
            .chain(lists.iter().flat_map(|list| {
                [
                    ("expansion_curve", Terms { expansion_curve: list, ..good }),
                    ("discount", Terms { discount_curve: list, ..good }),
                ]
            }))
            .collect();
        for (name, terms) in bad {
            match terms.validate() {
                Err(Error::Invalid { message, .. } | Error::Malformed(message)) => {
                    assert!(message.contains(name), "{name}: {message}")
                }
                other => panic!("{name}: {other:?}"),
            }
        }
        assert!(good.validate().is_ok());
    }
}
