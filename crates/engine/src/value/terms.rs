//! What is sold, what it costs and how it is paid for.

use rust_decimal::Decimal;

use crate::Result;
use crate::survival::{CurveView, Decisions};
use crate::value::contract::{Billing, Calendar, Renewals, SAME_DATE, Timing, ValueBasis};
use crate::value::discount::{DiscountCurve, discount_factor};
use crate::value::outlook::TailRule;

/// The longest horizon, in months: a hundred years.
pub const MAX_HORIZON: u32 = 1200;

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
    /// Confidence level of the intervals, in (0, 1).
    pub level: f64,
    /// Which costs are taken off.
    pub basis: ValueBasis,
    /// Every digit of `revenue`, where a double does not hold them; the two must agree.
    pub revenue_exact: Option<Decimal>,
    /// Contracted prices per `period_months` of this contract year and the next ones, the first of them `revenue`;
    /// the last holds on. Empty: `revenue` holds. A contract year begins where the term did, or at age 0 without one.
    pub ramp: &'a [Decimal],
    /// What the revenue of one who stays is expected to be, as a multiple of the price, in each stretch of
    /// `expansion_curve_months` of the valuation; the last holds on. At least 0; empty is 1 throughout.
    pub expansion_curve: &'a [f64],
    pub expansion_curve_months: u32,
    /// How long before leaving notice must be given: whoever has given none by now stays so long, or to the last renewal
    /// date within that time. At least 0.
    pub notice_months: f64,
    /// Whether the contract renews unless notice is given. One that must be signed anew has no notice to miss.
    pub auto_renew: bool,
    /// Share of the customers that break the contract per year within their term, beside those who do not renew; in
    /// [0, 1), with a term only.
    pub early_termination: f64,
    /// Share of the rest of the term's invoices that those go on to owe, when they fall due; in [0, 1].
    pub termination_fee: f64,
    /// Days from an invoice to its payment.
    pub payment_days: u32,
    /// Share of what is invoiced that is never paid; in [0, 1).
    pub bad_debt: f64,
    /// Effective annual zero rates for 1, 2, … years, instead of `discount_rate`; empty for that one.
    pub discount_curve: &'a [f64],
    /// Over how many months before the end of the observed time [`TailRule::RecentHazard`] reads its hazard; without
    /// it, over the last quarter.
    pub tail_months: Option<f64>,
    /// The hazard of leaving, as a multiple of the curve's: 0.9 for a tenth fewer. Greater than 0.
    pub hazard_ratio: f64,
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
            basis: ValueBasis::Contribution,
            revenue_exact: None,
            ramp: &[],
            expansion_curve: &[],
            expansion_curve_months: 12,
            notice_months: 0.0,
            auto_renew: true,
            early_termination: 0.0,
            termination_fee: 0.0,
            payment_days: 0,
            bad_debt: 0.0,
            discount_curve: &[],
            tail_months: None,
            hazard_ratio: 1.0,
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

    /// How many uplifts the price has had by month `start`: at the renewal dates up to then, or every 12 months.
    pub fn uplifts(&self, start: f64) -> f64 {
        match self.renewals() {
            Some(renewals) => renewals.until(start),
            None => (start / 12.0).floor(),
        }
    }

    /// The contract year of month `start`, counted from the present one: 0, 1, …
    pub fn contract_year(&self, start: f64) -> f64 {
        let since = match (self.term_months, self.renewals()) {
            (Some(term), Some(renewals)) => term - renewals.first,
            _ => self.given,
        };
        Renewals::of_age(since, 12.0).until(start)
    }

    /// The decisions of a curve, where the renewal dates are theirs: the term is of whole periods of them.
    pub fn decisions(&self, curve: CurveView<'_>) -> Option<Decisions> {
        let (decisions, every) = (curve.decisions()?, self.term_months?);
        let periods = (every / decisions.period).round();
        (periods >= 1.0 && (every - periods * decisions.period).abs() <= SAME_DATE).then_some(decisions)
    }

    /// The ages at which a curve may be read, the best first: `given`, but where the renewal dates are those of its
    /// decisions. There it is the age nearest to `given` at which both fall together: nobody decides twice at a renewal of
    /// one period, and nobody renews without a decision. Where the curve knows nobody of that age it is the one before, or
    /// `given` after all. The terms must be valid.
    pub fn ages_on(&self, curve: CurveView<'_>) -> [f64; 3] {
        match (self.decisions(curve), self.renewals()) {
            (Some(decisions), Some(renewals)) => {
                let nearest = decisions.age(self.given, renewals.first);
                let before = if nearest >= decisions.first { nearest - decisions.period } else { self.given };
                [nearest, before, self.given]
            }
            _ => [self.given; 3],
        }
    }

    /// What the revenue of one who stays is expected to have grown to by month `start`, over the contract's price.
    pub fn expected_growth(&self, start: f64) -> f64 {
        let mut growth = 1.0;
        if self.expansion != 0.0 {
            growth *= (1.0 + self.expansion).powf(start / 12.0);
        }
        if let Some(last) = self.expansion_curve.len().checked_sub(1) {
            let stretch = (start / f64::from(self.expansion_curve_months)).floor() as usize;
            growth *= self.expansion_curve[stretch.min(last)];
        }
        growth
    }

    /// The value now of 1 that is paid in `years`.
    ///
    /// # Errors
    /// [`Error::OutOfRange`](crate::Error::OutOfRange) when it is too large.
    pub fn discount_factor(&self, years: f64) -> Result<f64> {
        if self.discount_curve.is_empty() {
            return discount_factor(years, self.discount_rate);
        }
        DiscountCurve(self.discount_curve).factor(years)
    }

    /// The one effective annual rate of the valuation: that of the discount curve for the end of the horizon.
    ///
    /// # Errors
    /// As [`Terms::discount_factor`].
    pub fn rate(&self) -> Result<f64> {
        if self.discount_curve.is_empty() {
            return Ok(self.discount_rate);
        }
        let years = f64::from(self.horizon) / 12.0;
        Ok((-self.discount_factor(years)?.ln() / years).exp_m1())
    }

    /// How long it is certain that a contract that has not ended goes on, because notice would have had to be given:
    /// `notice_months`, or the last renewal date within them. The terms must be valid.
    pub fn locked_months(&self) -> f64 {
        match self.renewals() {
            None => self.notice_months,
            Some(renewals) if self.auto_renew => renewals.last(self.notice_months).unwrap_or(0.0),
            Some(_) => 0.0,
        }
    }
}
