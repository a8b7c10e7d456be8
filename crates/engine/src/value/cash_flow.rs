//! The invoices that a valuation adds up, one row per billing period.
//!
//! Conventions, for a period from month a to month b of the valuation:
//! - The valuation is made just before an invoice that is due now, so that one is counted, with probability 1.
//! - In advance: due at a, paid with probability S(a). In arrears: due at b, paid by those there at a. Mid-period: due
//!   and paid at (a + b) / 2. S is that of [`Outlook`]: with a term it falls at
//!   renewal dates only.
//! - Periods follow one another from `paid_months` on; the last is cut off at the horizon and its price with it.
//! - Price: revenue per month · (1 + expansion)^(a/12) · (1 + price_uplift)^(renewals up to and including a); without
//!   a term the price is lifted every 12 months of the valuation.
//! - Cost: (1 − margin) · revenue + cost_to_serve of the months covered; it falls due with the invoice.
//! - Discounting: effective annual rate over due months / 12, or over days / 365 (ACT/365 fixed) with a calendar; the
//!   middle of a period is then the whole day at or before its middle.
//! - Acquisition cost is row 0: due now, certain.
//! - Rounding: revenue, margin and present value are rounded cumulatively, so that each column adds up to its rounded
//!   total; cost is what lies between revenue and margin. At a rate of 0 present value and margin are the same.

use crate::Result;
use crate::survival::CurveView;
use crate::value::contract::Timing;
use crate::value::discount::{DAYS_PER_YEAR, discount_factor};
use crate::value::money::{CumulativeRounding, Minor};
use crate::value::outlook::{Outlook, Point};
use crate::value::terms::Terms;

/// One expected invoice, in whole minor units. Margin is revenue less cost, exactly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CashFlow {
    /// 1, 2, …; 0 is the acquisition, which is there only when it costs something.
    pub period: u32,
    /// Months from the valuation to the due date.
    pub due_months: f64,
    /// Days from the valuation to the due date, when there is a calendar.
    pub due_days: Option<i64>,
    /// The probability that the invoice is paid; `None` beyond what the curve knows, where nothing is counted.
    pub survival: Option<f64>,
    /// Whether that probability rests on the tail.
    pub extrapolated: bool,
    pub revenue: Minor,
    pub cost: Minor,
    pub margin: Minor,
    pub discount_factor: f64,
    pub present_value: Minor,
    /// Present values up to and including this row.
    pub cumulative: Minor,
}

/// One expected invoice before rounding.
#[derive(Debug, Clone, Copy)]
pub struct Flow {
    pub period: u32,
    pub due_months: f64,
    pub due_days: Option<i64>,
    /// Where on the curve it stands.
    pub point: Option<Point>,
    pub revenue: f64,
    pub margin: f64,
    pub discount_factor: f64,
}

impl Flow {
    pub fn present_value(&self) -> f64 {
        self.margin * self.discount_factor
    }
}

/// The rows behind [`lifetime_value`](crate::value::lifetime_value()), which adds up exactly these; `None` when it is.
///
/// # Errors
/// As there.
pub fn cash_flows<'a>(curve: impl Into<CurveView<'a>>, terms: &Terms) -> Result<Option<Vec<CashFlow>>> {
    terms.validate()?;
    let Some(outlook) = Outlook::new(curve, terms) else { return Ok(None) };
    let mut ledger = Ledger::new(terms.minor_digits);
    let flows = flows(&outlook, terms)?;
    flows.iter().map(|flow| ledger.enter(flow)).collect::<Result<_>>().map(Some)
}

/// The invoices in the order of their due dates. The terms must be valid.
///
/// # Errors
/// [`Error::OutOfRange`](crate::Error::OutOfRange) when a discount factor is, [`Error::Invalid`](crate::Error::Invalid)
/// for a calendar that runs backwards.
pub fn flows(outlook: &Outlook, terms: &Terms) -> Result<Vec<Flow>> {
    let every = terms.billing.months();
    let periods = (terms.horizon - terms.paid_months).div_ceil(every);
    let mut flows = Vec::with_capacity(periods as usize + 1);
    if terms.acquisition_cost > 0.0 {
        flows.push(Flow {
            period: 0,
            due_months: 0.0,
            due_days: terms.due_days.map(|_| 0),
            point: outlook.at(0.0),
            revenue: 0.0,
            margin: -terms.acquisition_cost,
            discount_factor: 1.0,
        });
    }
    for period in 1..=periods {
        let start = terms.paid_months + (period - 1) * every;
        let end = terms.horizon.min(start + every);
        flows.push(invoice(outlook, terms, period, start, end)?);
    }
    Ok(flows)
}

fn invoice(outlook: &Outlook, terms: &Terms, period: u32, start: u32, end: u32) -> Result<Flow> {
    let days = terms.due_days.map(|calendar| calendar.period(start, end)).transpose()?;
    let (from, to) = (f64::from(start), f64::from(end));
    let (due_months, decided, due_days) = match terms.timing {
        Timing::Advance => (from, from, days.map(|(from, _)| from)),
        Timing::Arrears => (to, from, days.map(|(_, to)| to)),
        Timing::Middle => ((from + to) / 2.0, (from + to) / 2.0, days.map(|(from, to)| from + (to - from) / 2)),
    };
    let years = due_days.map_or(due_months / 12.0, |days| days as f64 / DAYS_PER_YEAR);
    let point = outlook.at(decided);
    let (mut revenue, mut margin) = (0.0, 0.0);
    if let Some(point) = point {
        let covered = (to - from) / terms.period_months;
        let price = terms.revenue * covered * terms.price_growth(from);
        revenue = point.survival * price;
        margin = point.survival * (terms.margin * price - terms.cost_to_serve * covered);
    }
    let discount_factor = discount_factor(years, terms.discount_rate)?;
    Ok(Flow { period, due_months, due_days, point, revenue, margin, discount_factor })
}

/// Turns flows into rows of whole minor units that add up.
#[derive(Debug, Clone, Copy)]
pub struct Ledger {
    revenue: CumulativeRounding,
    margin: CumulativeRounding,
    present_value: CumulativeRounding,
}

impl Ledger {
    pub fn new(digits: u32) -> Self {
        let column = CumulativeRounding::new(digits);
        Ledger { revenue: column, margin: column, present_value: column }
    }

    /// # Errors
    /// [`Error::OutOfRange`](crate::Error::OutOfRange) when an amount has left the range of money.
    pub fn enter(&mut self, flow: &Flow) -> Result<CashFlow> {
        let revenue = self.revenue.add(flow.revenue)?;
        let margin = self.margin.add(flow.margin)?;
        let present_value = self.present_value.add(flow.present_value())?;
        Ok(CashFlow {
            period: flow.period,
            due_months: flow.due_months,
            due_days: flow.due_days,
            survival: flow.point.map(|point| point.survival),
            extrapolated: flow.point.is_some_and(|point| point.beyond > 0.0),
            revenue,
            cost: revenue - margin,
            margin,
            discount_factor: flow.discount_factor,
            present_value,
            cumulative: self.present_value.total(),
        })
    }

    /// The sum of the revenues entered.
    pub fn revenue(&self) -> Minor {
        self.revenue.total()
    }

    /// The sum of the margins entered.
    pub fn margin(&self) -> Minor {
        self.margin.total()
    }

    /// The sum of the present values entered.
    pub fn present_value(&self) -> Minor {
        self.present_value.total()
    }

    /// The sum of the present values before rounding.
    pub fn exact_present_value(&self) -> f64 {
        self.present_value.exact()
    }
}
