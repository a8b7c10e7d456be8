//! A valuation per unit of revenue: what contracts that differ in nothing but their price have in common.
//!
//! A present value is revenue · a − b: the price is a factor of all invoices, the cost to serve is none of its business.
//! So are revenue and margin; variances are revenue² · v − 2 revenue · c + w. With a, b, v, c and w at hand a contract costs
//! a few multiplications instead of a sum over its invoices.
//!
//! The answers are those of [`lifetime_value`](crate::value::lifetime_value()), to the minor unit: where the product lies so
//! near to half a unit that the order of summation could decide, there is no answer here and the long way is taken. The
//! same where a price changes which customers bring more: when an invoice would not earn its cost to serve.

use crate::Result;
use crate::numeric::sum::Sum;
use crate::survival::CurveView;
use crate::survival::kaplan_meier::critical_value;
use crate::value::cash_flow::{Flow, flows};
use crate::value::lifetime_value::{Status, Valuation, is_check_unit};
use crate::value::money::{Amount, Minor, scale};
use crate::value::outcome::Outcome;
use crate::value::outlook::{Outlook, Reach};
use crate::value::terms::Terms;
use crate::value::uncertainty;

/// Sums over up to 1200 invoices and a product are off by less than this share of what was added up.
const ROUNDING: f64 = 1e-12;

/// From here on all doubles are whole.
const LARGE: f64 = (1u64 << 52) as f64;

/// revenue · `price` − `cost`.
#[derive(Debug, Clone, Copy, Default)]
struct Line {
    price: f64,
    cost: f64,
}

impl Line {
    fn of(flows: &[Split], weigh: impl Fn(&Split) -> f64) -> Line {
        let sum = |of: fn(&Split) -> f64| flows.iter().map(|flow| of(flow) * weigh(flow)).collect::<Sum>().total();
        Line { price: sum(|flow| flow.price), cost: sum(|flow| flow.cost) }
    }

    fn at(self, revenue: f64) -> Near {
        let (price, cost) = (self.price * revenue, self.cost);
        Near { value: price - cost, error: ROUNDING * (price.abs() + cost.abs()) }
    }
}

/// revenue² · `price` − 2 revenue · `both` + `cost`.
#[derive(Debug, Clone, Copy, Default)]
struct Square {
    price: f64,
    both: f64,
    cost: f64,
}

impl Square {
    /// From the variances of the prices, of the costs, and of prices less costs at this revenue.
    fn of(price: f64, cost: f64, difference: f64, revenue: f64) -> Square {
        Square { price, both: (price * revenue * revenue + cost - difference) / (2.0 * revenue), cost }
    }

    /// The square root.
    fn root_at(self, revenue: f64) -> Near {
        let (price, both) = (self.price * revenue * revenue, 2.0 * revenue * self.both);
        let value = (price - both + self.cost).max(0.0).sqrt();
        let error = ROUNDING * (price + both.abs() + self.cost);
        // What is off by e in the square is off by e / 2√ in the root.
        Near { value, error: if value > 0.0 { error / value } else { error.sqrt() } }
    }
}

/// A number and how far it may be off.
#[derive(Debug, Clone, Copy)]
struct Near {
    value: f64,
    error: f64,
}

impl Near {
    fn shifted(self, by: f64, other: Near) -> Near {
        Near { value: self.value + by * other.value, error: self.error + by.abs() * other.error }
    }

    /// The number rounded as [`Minor::round`] does; `None` when what it is off by could decide, as it always could where
    /// all doubles are whole.
    #[inline]
    fn round(self, digits: u32) -> Option<Minor> {
        let scale = scale(digits);
        let scaled = (self.value * scale).abs();
        // Cutting off is rounding down here, and takes no call of a function.
        let whole = scaled as i64;
        let over_half = scaled - whole as f64 - 0.5;
        if !(scaled < LARGE && over_half.abs() > self.error * scale + ROUNDING) {
            return None;
        }
        let units = whole + i64::from(over_half > 0.0);
        Some(Minor::of_units(i128::from(if self.value < 0.0 { -units } else { units })))
    }
}

/// An invoice's margin per unit of revenue and its cost to serve, expected, and its discount factor.
#[derive(Debug, Clone, Copy)]
struct Split {
    price: f64,
    cost: f64,
    /// The same when the customer is there.
    price_there: f64,
    cost_there: f64,
    revenue: f64,
    discount_factor: f64,
    extrapolated: bool,
}

/// What all prices have in common under terms and a curve.
#[derive(Debug, Clone)]
pub struct UnitValuation {
    present_value: Line,
    /// The same up to the first invoice that rests on the tail.
    observed: Line,
    margin: Line,
    revenue: Line,
    /// Half the width of the interval over the critical value; `None` when it is unknown.
    spread: Option<Square>,
    /// Whether any invoice depends on who stays.
    depends: bool,
    critical_value: f64,
    outcome: Square,
    outcome_limits: (Line, Line),
    /// The least and the most that any customer can bring.
    range: (Line, Line),
    /// There is one outcome only.
    is_certain: bool,
    /// Below this revenue some invoice does not earn its cost to serve.
    least_revenue: f64,
    expected_lifetime: f64,
    discount_rate: f64,
    horizon: u32,
    digits: u32,
    reach: Reach,
    check_unit: bool,
}

impl UnitValuation {
    /// Whether contracts under these terms have something in common but for their price.
    pub fn is_for(terms: &Terms) -> bool {
        terms.ramp.is_empty() && terms.acquisition_cost == 0.0 && terms.early_termination == 0.0
    }

    /// Whether two terms are the same but for revenue and age. Both are without lists and without a calendar of their own,
    /// which are for the caller to compare.
    pub fn share(a: &Terms, b: &Terms) -> bool {
        let Terms {
            revenue: _,
            revenue_exact: _,
            given: _,
            due_days: _,
            ramp,
            expansion_curve,
            discount_curve,
            period_months,
            margin,
            cost_to_serve,
            discount_rate,
            horizon,
            expansion,
            price_uplift,
            billing,
            timing,
            term_months,
            months_to_renewal,
            paid_months,
            acquisition_cost,
            tail,
            minor_digits,
            level,
            basis,
            expansion_curve_months,
            notice_months,
            auto_renew,
            early_termination,
            termination_fee,
            payment_days,
            bad_debt,
            tail_months,
            hazard_ratio,
        } = *a;
        margin == b.margin
            && discount_rate == b.discount_rate
            && horizon == b.horizon
            && cost_to_serve == b.cost_to_serve
            && period_months == b.period_months
            && expansion == b.expansion
            && price_uplift == b.price_uplift
            && billing == b.billing
            && timing == b.timing
            && term_months == b.term_months
            && months_to_renewal == b.months_to_renewal
            && paid_months == b.paid_months
            && acquisition_cost == b.acquisition_cost
            && tail == b.tail
            && minor_digits == b.minor_digits
            && level == b.level
            && basis == b.basis
            && expansion_curve_months == b.expansion_curve_months
            && notice_months == b.notice_months
            && auto_renew == b.auto_renew
            && early_termination == b.early_termination
            && termination_fee == b.termination_fee
            && payment_days == b.payment_days
            && bad_debt == b.bad_debt
            && tail_months == b.tail_months
            && hazard_ratio == b.hazard_ratio
            && [ramp.len(), expansion_curve.len(), discount_curve.len()] == [0; 3]
            && [b.ramp.len(), b.expansion_curve.len(), b.discount_curve.len()] == [0; 3]
    }

    /// What contracts under `terms`, whatever their revenue, have in common; `None` when there is no value.
    ///
    /// # Errors
    /// As [`lifetime_value`](crate::value::lifetime_value()).
    pub fn new<'a>(curve: impl Into<CurveView<'a>>, terms: &Terms) -> Result<Option<UnitValuation>> {
        let terms = &Terms { revenue: 1.0, revenue_exact: None, ..*terms };
        terms.validate()?;
        let curve = curve.into();
        let Some(outlook) = Outlook::new(curve, terms) else { return Ok(None) };
        let flows_at = |cost_to_serve: f64| flows(&outlook, &Terms { cost_to_serve, ..*terms });
        let flows = flows_at(terms.cost_to_serve)?;
        // Of a price of 1 little is left beside a large cost, and adding the cost again does not bring it back.
        let free = if terms.cost_to_serve == 0.0 { flows.clone() } else { flows_at(0.0)? };
        let splits: Vec<Split> = free.iter().zip(&flows).map(|(free, flow)| split(free, flow)).collect();
        let first_beyond = splits.iter().position(|flow| flow.extrapolated).unwrap_or(splits.len());
        let earns = |split: &Split| match (split.price_there, split.cost_there) {
            (price, 0.0) if price >= 0.0 => 0.0,
            (price, cost) if price > 0.0 => cost / price,
            _ => f64::INFINITY,
        };
        let least_revenue = splits.iter().map(earns).fold(0.0, f64::max);
        // Where prices and costs are of one size, their covariance is not lost in the variance of the larger.
        let even = if least_revenue > 0.0 { least_revenue.log2().round().clamp(-300.0, 300.0).exp2() } else { 1.0 };
        let weighed = |price: f64, cost: f64| -> Vec<Flow> {
            let one = |(flow, split): (&Flow, &Split)| {
                let margin = Amount::expected(price * split.price + cost * split.cost);
                let mut one = Flow { margin, ..*flow };
                one.parts.if_there = price * split.price_there + cost * split.cost_there;
                one
            };
            flows.iter().zip(&splits).map(one).collect()
        };
        let (prices, costs, margins) = (weighed(1.0, 0.0), weighed(0.0, 1.0), weighed(even, -1.0));
        let variance = |flows: &[Flow]| uncertainty::variance_if_any(&outlook, flows);
        let spread = || Some(Square::of(variance(&prices)?, variance(&costs)?, variance(&margins)?, even));
        let depends = uncertainty::depends_on_who_stays(&flows);
        let (price, cost, both) =
            (Outcome::new(&outlook, &prices), Outcome::new(&outlook, &costs), Outcome::new(&outlook, &margins));
        let variances = [&price, &cost, &both].map(|outcome| outcome.std_dev().powi(2));
        let limits = both.limits_by_time(terms.level);
        let limit = |at: usize| Line { price: price.value(at), cost: cost.value(at) };
        let (expected_lifetime, reach) = outlook.mean_lifetime(f64::from(terms.horizon));
        Ok(Some(UnitValuation {
            present_value: Line::of(&splits, |flow| flow.discount_factor),
            observed: Line::of(&splits[..first_beyond], |flow| flow.discount_factor),
            margin: Line::of(&splits, |_| 1.0),
            revenue: Line { price: splits.iter().map(|flow| flow.revenue).collect::<Sum>().total(), cost: 0.0 },
            spread: if depends { spread() } else { Some(Square::default()) },
            depends,
            critical_value: critical_value(terms.level)?,
            outcome: Square::of(variances[0], variances[1], variances[2], even),
            outcome_limits: (limit(limits.0), limit(limits.1)),
            // Where every invoice earns its cost to serve, who stays longer brings more.
            range: (
                Line { price: price.range().0, cost: cost.range().0 },
                Line { price: price.range().1, cost: cost.range().1 },
            ),
            is_certain: both.has_one_point(),
            least_revenue,
            expected_lifetime,
            discount_rate: terms.rate()?,
            horizon: terms.horizon,
            digits: terms.minor_digits,
            reach,
            check_unit: is_check_unit(curve),
        }))
    }

    /// The `ltv` of the valuation alone; `None` when the long way has to say.
    pub fn ltv(&self, revenue: f64) -> Option<Minor> {
        self.present_value.at(revenue).round(self.digits)
    }

    /// The valuation of a contract at this revenue; `None` when the long way has to say.
    pub fn at(&self, revenue: f64) -> Option<Valuation> {
        // A little more than the least, for that is a quotient; an unknown one is not less than any.
        if revenue.is_nan() || revenue <= self.least_revenue * (1.0 + 1e-9) {
            return None;
        }
        let digits = self.digits;
        let present_value = self.present_value.at(revenue);
        let ltv = present_value.round(digits)?;
        let tail_value = ltv - self.observed.at(revenue).round(digits)?;
        let tail_share = (ltv != Minor::ZERO).then(|| tail_value.float() / ltv.float() + 0.0);
        let paid = self.revenue.at(revenue).round(digits)?;
        let margin = self.margin.at(revenue).round(digits)?;
        let (lower, upper) = match self.spread.map(|spread| spread.root_at(revenue)) {
            None => (None, None),
            // Whether an estimate of next to nothing is one at all is for the long way to say.
            Some(spread) if self.depends && spread.value <= spread.error => return None,
            Some(spread) => {
                let limit = |by: f64| present_value.shifted(by, spread).round(digits);
                let (least, most) = (self.range.0.at(revenue).round(digits)?, self.range.1.at(revenue).round(digits)?);
                let (lower, upper) = (limit(-self.critical_value)?.max(least), limit(self.critical_value)?.min(most));
                (Some(lower.min(ltv)), Some(upper.max(ltv)))
            }
        };
        let (outcome_std_dev, outcome_lower, outcome_upper) = if self.is_certain {
            (Minor::ZERO, ltv, ltv)
        } else {
            let (lower, upper) = self.outcome_limits;
            let rounded = |line: Line| line.at(revenue).round(digits);
            (self.outcome.root_at(revenue).round(digits)?, rounded(lower)?, rounded(upper)?)
        };
        Some(Valuation {
            ltv,
            undiscounted: margin,
            revenue: paid,
            cost: paid - margin,
            expected_lifetime: self.expected_lifetime,
            discount_rate: self.discount_rate,
            horizon: self.horizon,
            tail_value,
            tail_share,
            payback_months: None,
            undiscounted_payback_months: None,
            lower,
            upper,
            outcome_std_dev,
            outcome_lower,
            outcome_upper,
            status: Status::of(self.reach, tail_share, self.check_unit),
        })
    }
}

/// `free`: the same invoice without a cost to serve.
fn split(free: &Flow, flow: &Flow) -> Split {
    Split {
        price: free.margin.float,
        cost: flow.point.map_or(0.0, |point| point.survival) * flow.parts.serving,
        price_there: free.parts.if_there,
        cost_there: flow.parts.serving,
        revenue: flow.revenue.float,
        discount_factor: flow.discount_factor,
        extrapolated: flow.point.is_some_and(|point| point.beyond > 0.0),
    }
}
