//! The invoices that a valuation adds up, one row per billing period.
//!
//! Conventions, for a period from month a to month b of the valuation:
//! - The valuation is made just before an invoice that is due now, so that one is counted, with probability 1.
//! - In advance: invoiced at a to those there at a: S(a). In arrears: invoiced at b to those there at a. Mid-period: at
//!   (a + b) / 2, to those there then. S is that of [`Outlook`]: with a term it falls at renewal dates only, but for
//!   early termination; notice that was not given holds it at 1.
//! - An invoice is paid `payment_days` after its date; that day is when it is due in the rows. A share `bad_debt` of it
//!   is never paid.
//! - Periods follow one another from `paid_months` on; the last is cut off at the horizon and its price with it.
//! - Price: revenue per month · (1 + price_uplift)^(renewals up to and including a); without a term the price is lifted
//!   every 12 months of the valuation. With a ramp, its step for the contract year that a lies in takes the place of
//!   the revenue.
//! - Expected of those who stay: price · (1 + expansion)^(a/12) · expansion_curve[⌊a / expansion_curve_months⌋].
//! - Early termination: who broke the contract since the term began owes `termination_fee` of each invoice left in it,
//!   when it falls due, and costs nothing any more.
//! - Cost, by the value basis: (1 − margin) · price and cost_to_serve of the months covered; it falls due with the
//!   invoice, whether that is paid or not.
//! - Discounting: effective annual rate, or discount curve, over due months / 12, or over days / 365 (ACT/365 fixed)
//!   with a calendar; the middle of a period is then the whole day at or before its middle. Days of payment are 1/365
//!   of a year in both.
//! - Acquisition cost is row 0: due now, certain.
//! - Exactness: what is certain and contracted – S = 1, no expansion – is decimal arithmetic ([`Prices`]); so is its
//!   present value when its discount factor is 1.
//! - Rounding: revenue, margin and present value are rounded cumulatively, so that each column adds up to its rounded
//!   total; cost is what lies between revenue and margin. At a rate of 0 present value and margin are the same.

use crate::Result;
use crate::survival::CurveView;
use crate::value::contract::Timing;
use crate::value::discount::DAYS_PER_YEAR;
use crate::value::money::{Amount, CumulativeRounding, Minor, decimal};
use crate::value::outlook::{Outlook, Point};
use crate::value::prices::Prices;
use crate::value::terms::Terms;

/// One expected invoice, in whole minor units. Margin is revenue less cost, exactly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CashFlow {
    /// 1, 2, …; 0 is the acquisition, which is there only when it costs something.
    pub period: u32,
    /// Months from the valuation to the due date; a day of payment is 12/365 of one.
    pub due_months: f64,
    /// Days from the valuation to the due date, when there is a calendar.
    pub due_days: Option<i64>,
    /// The probability that the customer is there to be invoiced; `None` beyond what the curve knows, where nothing is counted.
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
    /// Months from the valuation to the time at which the customer is there or not.
    pub decided: f64,
    /// Where on the curve it stands.
    pub point: Option<Point>,
    pub revenue: Amount,
    pub margin: Amount,
    pub discount_factor: f64,
    pub parts: Parts,
}

/// What an invoice is made of, in major units, undiscounted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parts {
    /// At the price of today.
    pub at_first_price: f64,
    /// At the price of its time.
    pub price: f64,
    /// With the growth that is expected of those who stay.
    pub grown: f64,
    /// The margin, when the customer is there.
    pub if_there: f64,
    /// What one owes who has broken the contract of this term.
    pub if_broken: f64,
    /// Cost to serve, when the customer is there.
    pub serving: f64,
}

impl Flow {
    pub fn present_value(&self) -> f64 {
        self.margin.float * self.discount_factor
    }

    fn discounted(&self) -> Amount {
        if self.discount_factor == 1.0 { self.margin } else { Amount::expected(self.present_value()) }
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
        let exact = decimal(terms.acquisition_cost).map(|cost| -cost);
        flows.push(Flow {
            period: 0,
            due_months: 0.0,
            due_days: terms.due_days.map(|_| 0),
            decided: 0.0,
            point: outlook.at(0.0),
            revenue: Amount { float: 0.0, exact: exact.map(|_| Default::default()) },
            margin: Amount { float: -terms.acquisition_cost, exact },
            discount_factor: 1.0,
            parts: Parts::default(),
        });
    }
    let mut prices = Prices::new(terms);
    for period in 1..=periods {
        let start = terms.paid_months + (period - 1) * every;
        let end = terms.horizon.min(start + every);
        flows.push(invoice(outlook, terms, &mut prices, period, start, end)?);
    }
    Ok(flows)
}

fn invoice(outlook: &Outlook, terms: &Terms, prices: &mut Prices, period: u32, start: u32, end: u32) -> Result<Flow> {
    let days = terms.due_days.map(|calendar| calendar.period(start, end)).transpose()?;
    let (from, to) = (f64::from(start), f64::from(end));
    let (invoiced, decided, days) = match terms.timing {
        Timing::Advance => (from, from, days.map(|(from, _)| from)),
        Timing::Arrears => (to, from, days.map(|(_, to)| to)),
        Timing::Middle => ((from + to) / 2.0, (from + to) / 2.0, days.map(|(from, to)| from + (to - from) / 2)),
    };
    let delay = f64::from(terms.payment_days) / DAYS_PER_YEAR;
    let years = days.map_or(invoiced / 12.0, |days| days as f64 / DAYS_PER_YEAR) + delay;
    let asked = prices.invoice(start, end);
    let growth = terms.expected_growth(from);
    let grown = asked.price * growth;
    let parts = Parts {
        at_first_price: terms.revenue * (to - from) / terms.period_months,
        price: asked.price,
        grown,
        if_there: prices.margin_share() * grown - asked.serving,
        if_broken: terms.termination_fee * (1.0 - terms.bad_debt) * grown,
        serving: asked.serving,
    };
    let point = outlook.at(decided);
    let (revenue, margin) = match point {
        None => Default::default(),
        Some(point) if point.survival == 1.0 && growth == 1.0 => (asked.revenue, asked.margin),
        Some(point) => {
            let broken = (point.entered - point.survival).max(0.0) * parts.if_broken;
            let revenue = point.survival * (1.0 - terms.bad_debt) * grown + broken;
            (Amount::expected(revenue), Amount::expected(point.survival * parts.if_there + broken))
        }
    };
    Ok(Flow {
        period,
        due_months: invoiced + 12.0 * delay,
        due_days: days.map(|days| days.saturating_add(i64::from(terms.payment_days))),
        decided,
        point,
        revenue,
        margin,
        discount_factor: terms.discount_factor(years)?,
        parts,
    })
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
        let present_value = self.present_value.add(flow.discounted())?;
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

    /// The sum of the present values plus `by`.
    ///
    /// # Errors
    /// [`Error::OutOfRange`](crate::Error::OutOfRange) when that has left the range of money.
    pub fn present_value_shifted(&self, by: f64) -> Result<Minor> {
        self.present_value.shifted(by)
    }
}
