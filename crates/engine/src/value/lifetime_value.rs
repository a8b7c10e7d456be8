//! Lifetime value: the expected discounted margin of a contract over a horizon (Fader & Hardie 2010; Gupta & Lehmann
//! 2003), as the sum of the rows of [`cash_flow`](crate::value::cash_flow).

use crate::Result;
use crate::survival::CurveView;
use crate::survival::kaplan_meier::critical_value;
use crate::value::cash_flow::{Ledger, flows};
use crate::value::money::Minor;
use crate::value::outcome::Outcome;
use crate::value::outlook::{Outlook, Reach};
use crate::value::terms::Terms;
use crate::value::uncertainty;

/// What a contract is worth. Money is in minor units, acquisition cost included wherever cost is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Valuation {
    /// Present value of all margins, less the acquisition cost.
    pub ltv: Minor,
    /// The same at a discount rate of 0: revenue less cost.
    pub undiscounted: Minor,
    pub revenue: Minor,
    pub cost: Minor,
    /// Months that a customer stays on average, of the months of the horizon.
    pub expected_lifetime: f64,
    /// Effective annual; of a discount curve, the rate for the end of the horizon.
    pub discount_rate: f64,
    /// Months.
    pub horizon: u32,
    /// The part of `ltv` from invoices whose probability rests on the curve's tail.
    pub tail_value: Minor,
    /// `tail_value` over `ltv` before the acquisition cost; `None` when that is 0.
    pub tail_share: Option<f64>,
    /// The due date, in months, of the first invoice with which the acquisition cost is earned back at present value;
    /// `None` without acquisition cost, or when it is not within the horizon.
    pub payback_months: Option<f64>,
    /// The same without discounting.
    pub undiscounted_payback_months: Option<f64>,
    /// The interval of `ltv` from the uncertainty of the curve alone; `None` when that is unknown.
    pub lower: Option<Minor>,
    pub upper: Option<Minor>,
    /// The spread of what one customer brings when the curve is true, and between which values that lies at the level.
    pub outcome_std_dev: Minor,
    pub outcome_lower: Minor,
    pub outcome_upper: Minor,
    pub status: Status,
}

/// How far a valuation is to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The curve was observed over the whole horizon.
    Ok,
    /// The horizon runs past the observed time; there the curve's tail counts.
    Extrapolated,
    /// As before, and the tail is more than half of the value: its rule decides, not the data.
    MostlyExtrapolated,
    /// The horizon runs past the observed time; what falls due there is not counted.
    Truncated,
    /// The curve was observed for longer than any contract lasts in months: its unit is probably days.
    CheckUnit,
    /// The curve has nobody of that age, so there is no valuation.
    NoSuchAge,
}

/// Fifty years, in months.
const LONGEST_FOLLOWUP: f64 = 600.0;

impl Status {
    pub fn name(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Extrapolated => "extrapolated",
            Status::MostlyExtrapolated => "mostly extrapolated",
            Status::Truncated => "truncated",
            Status::CheckUnit => "check the unit: the curve must be in months",
            Status::NoSuchAge => "no curve at the given age",
        }
    }
}

impl Status {
    pub(super) fn of(reach: Reach, tail_share: Option<f64>, check_unit: bool) -> Status {
        match reach {
            _ if check_unit => Status::CheckUnit,
            Reach::Observed => Status::Ok,
            Reach::Extrapolated if tail_share.is_some_and(|share| share.abs() > 0.5) => Status::MostlyExtrapolated,
            Reach::Extrapolated => Status::Extrapolated,
            Reach::Truncated => Status::Truncated,
        }
    }
}

/// Whether the curve was observed for so long that its unit is none of months.
pub(super) fn is_check_unit(curve: CurveView) -> bool {
    curve.max_followup() > LONGEST_FOLLOWUP
}

/// The value of a contract of age `terms.given` whose lifetime follows `curve`, both in months.
///
/// `None` (for which [`Status::NoSuchAge`] is the reason) when the curve has nobody left at that age, or does not reach
/// so far and has no tail.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) as [`Terms::validate`], or when the calendar runs backwards;
/// [`Error::OutOfRange`](crate::Error::OutOfRange) when an amount or a discount factor is too large.
pub fn lifetime_value<'a>(curve: impl Into<CurveView<'a>>, terms: &Terms) -> Result<Option<Valuation>> {
    terms.validate()?;
    let curve = curve.into();
    let Some(outlook) = Outlook::new(curve, terms) else { return Ok(None) };
    let flows = flows(&outlook, terms)?;
    let mut ledger = Ledger::new(terms.minor_digits);
    let mut tail_value = Minor::ZERO;
    let (mut payback_months, mut undiscounted_payback_months) = (None, None);
    for flow in &flows {
        let row = ledger.enter(flow)?;
        if row.extrapolated {
            tail_value = tail_value + row.present_value;
        }
        let earned_back =
            |total: Minor| (terms.acquisition_cost > 0.0 && total >= Minor::ZERO).then_some(row.due_months);
        payback_months = payback_months.or_else(|| earned_back(row.cumulative));
        undiscounted_payback_months = undiscounted_payback_months.or_else(|| earned_back(ledger.margin()));
    }
    let ltv = ledger.present_value();
    // What is spent now to win the customer is no part of what the future is worth.
    let earned = ltv + Minor::round(terms.acquisition_cost, terms.minor_digits)?;
    let outcome = Outcome::new(&outlook, &flows);
    let digits = terms.minor_digits;
    let (lower, upper) = match uncertainty::variance(&outlook, &flows) {
        None => (None, None),
        Some(variance) => {
            let width = critical_value(terms.level)? * variance.sqrt();
            let (least, most) = outcome.range();
            let lower = ledger.present_value_shifted(-width)?.max(Minor::round(least, digits)?);
            let upper = ledger.present_value_shifted(width)?.min(Minor::round(most, digits)?);
            (Some(lower.min(ltv)), Some(upper.max(ltv)))
        }
    };
    let (outcome_lower, outcome_upper) = match outcome.is_certain() {
        true => (ltv, ltv),
        false => {
            let (lower, upper) = outcome.interval(terms.level);
            (Minor::round(lower, digits)?, Minor::round(upper, digits)?)
        }
    };
    // No tail of a loss is a share of 0, not of -0.
    let tail_share = (earned != Minor::ZERO).then(|| tail_value.units() as f64 / earned.units() as f64 + 0.0);
    let (expected_lifetime, reach) = outlook.mean_lifetime(f64::from(terms.horizon));
    Ok(Some(Valuation {
        ltv,
        undiscounted: ledger.margin(),
        revenue: ledger.revenue(),
        cost: ledger.revenue() - ledger.margin(),
        expected_lifetime,
        discount_rate: terms.rate()?,
        horizon: terms.horizon,
        tail_value,
        tail_share,
        payback_months,
        undiscounted_payback_months,
        lower,
        upper,
        outcome_std_dev: Minor::round(outcome.std_dev(), digits)?,
        outcome_lower,
        outcome_upper,
        status: Status::of(reach, tail_share, is_check_unit(curve)),
    }))
}
