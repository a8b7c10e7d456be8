//! What the contract says an invoice comes to: decimal arithmetic, as long as 28 digits hold it.

use rust_decimal::Decimal;

use crate::value::contract::ValueBasis;
use crate::value::money::{Amount, decimal};
use crate::value::terms::Terms;

/// The contracted prices of a valuation, in the order of its invoices.
#[derive(Debug, Clone)]
pub(super) struct Prices<'a> {
    terms: &'a Terms<'a>,
    /// Shares that are taken of each price, and the cost of each period, as decimals; `None` when one is none.
    exact: Option<Exact>,
    /// The uplifts that `lifted` holds.
    uplifts: f64,
    lifted: Option<Decimal>,
    margin_share: f64,
    cost_to_serve: f64,
}

#[derive(Debug, Clone, Copy)]
struct Exact {
    revenue: Decimal,
    period_months: Decimal,
    uplift: Decimal,
    paid: Decimal,
    margin_share: Decimal,
    cost_to_serve: Decimal,
}

/// One invoice if the customer is there, and certain to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Invoice {
    /// What is written on it.
    pub price: f64,
    /// What is paid of it.
    pub revenue: Amount,
    /// What is left after the costs of the basis.
    pub margin: Amount,
    /// The cost to serve of the months covered; 0 on a basis that does not count it.
    pub serving: f64,
}

impl<'a> Prices<'a> {
    pub fn new(terms: &'a Terms<'a>) -> Self {
        let sells = if terms.basis == ValueBasis::Revenue { 1.0 } else { terms.margin };
        let cost_to_serve = if terms.basis == ValueBasis::Contribution { terms.cost_to_serve } else { 0.0 };
        let exact = || {
            let bad_debt = decimal(terms.bad_debt)?;
            Some(Exact {
                revenue: terms.revenue_exact.or_else(|| decimal(terms.revenue))?,
                period_months: decimal(terms.period_months)?,
                uplift: decimal(terms.price_uplift)?.checked_add(Decimal::ONE)?,
                paid: Decimal::ONE.checked_sub(bad_debt)?,
                margin_share: decimal(sells)?.checked_sub(bad_debt)?,
                cost_to_serve: decimal(cost_to_serve)?,
            })
        };
        Prices {
            terms,
            exact: exact(),
            uplifts: 0.0,
            lifted: Some(Decimal::ONE),
            margin_share: sells - terms.bad_debt,
            cost_to_serve,
        }
    }

    /// The share of a price that is left after what is not paid and the cost of what is sold.
    pub fn margin_share(&self) -> f64 {
        self.margin_share
    }

    /// The invoice for the months from `start` to `end`. Invoices must be asked for in their order.
    pub fn invoice(&mut self, start: u32, end: u32) -> Invoice {
        let terms = self.terms;
        let (from, months) = (f64::from(start), end - start);
        let uplifts = if terms.price_uplift == 0.0 { 0.0 } else { terms.uplifts(from) };
        let step = terms.ramp.len().checked_sub(1).map(|last| (terms.contract_year(from) as usize).min(last));
        let covered = f64::from(months) / terms.period_months;
        let unit = step.map_or(terms.revenue, |step| crate::value::money::double(terms.ramp[step]));
        let price = unit * covered * (1.0 + terms.price_uplift).powf(uplifts);
        let serving = self.cost_to_serve * covered;
        let exact = self.exact(months, uplifts, step);
        Invoice {
            price,
            revenue: Amount { float: price * (1.0 - terms.bad_debt), exact: exact.map(|(revenue, _)| revenue) },
            margin: Amount { float: self.margin_share * price - serving, exact: exact.map(|(_, margin)| margin) },
            serving,
        }
    }

    fn exact(&mut self, months: u32, uplifts: f64, step: Option<usize>) -> Option<(Decimal, Decimal)> {
        let exact = self.exact?;
        while self.uplifts < uplifts {
            self.lifted = self.lifted?.checked_mul(exact.uplift);
            self.uplifts += 1.0;
        }
        let unit = step.map_or(exact.revenue, |step| self.terms.ramp[step]);
        let months = Decimal::from(months);
        let over_periods = |amount: Decimal| amount.checked_mul(months)?.checked_div(exact.period_months);
        // Divided last: a year of twelfths is the year.
        let price = unit.checked_mul(self.lifted?)?;
        let revenue = over_periods(price.checked_mul(exact.paid)?)?;
        let margin = over_periods(price.checked_mul(exact.margin_share)?.checked_sub(exact.cost_to_serve)?)?;
        Some((revenue, margin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contract_is_decimal_arithmetic() {
        let terms = Terms { margin: 0.7, cost_to_serve: 0.1, price_uplift: 0.05, ..Terms::new(123_456_789_012.34) };
        let mut prices = Prices::new(&terms);
        let first = prices.invoice(0, 1);
        assert_eq!(first.revenue.exact.unwrap().to_string(), "123456789012.34");
        assert_eq!(first.margin.exact.unwrap().to_string(), "86419752308.538");
        // Two uplifts of five percent: 1.1025.
        let third_year = prices.invoice(24, 36);
        assert_eq!(third_year.revenue.exact.unwrap().normalize().to_string(), "1633333318633.2582");
        assert!((third_year.revenue.float / 1_633_333_318_633.258_2 - 1.0).abs() < 1e-15);
    }

    #[test]
    fn what_is_no_decimal_is_left_to_doubles() {
        let terms = Terms { revenue: 1e25, price_uplift: 1.0, ..Terms::new(1.0) };
        let mut prices = Prices::new(&terms);
        assert!(prices.invoice(0, 1).revenue.exact.is_some());
        let late = prices.invoice(600, 601);
        assert_eq!((late.revenue.exact, late.revenue.float), (None, 1e25 * 2f64.powi(50)));
    }
}
