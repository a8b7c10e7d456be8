//! What one account adds to a portfolio.

use crate::Result;
use crate::model::errors::{Errors, known};
use crate::survival::CurveView;
use crate::value::cash_flow::{Ledger, flows};
use crate::value::exposure::{Exposure, of_flows};
use crate::value::outcome::Outcome;
use crate::value::outlook::Outlook;
pub use crate::value::portfolio::Share;
use crate::value::run_rate::{Account, Month, run_rate};
use crate::value::terms::Terms;

/// The lifetime value of an account, to the minor unit: one share; `None` when the curve has nobody of its age. `errors`
/// tells which sources of error the curve has.
///
/// # Errors
/// As [`lifetime_value`](crate::value::lifetime_value()).
pub fn of_value(
    curve: CurveView,
    terms: &Terms,
    errors: impl FnOnce(Exposure) -> Errors,
) -> Result<Option<Vec<Share>>> {
    terms.validate()?;
    let Some(outlook) = Outlook::new(curve, terms) else { return Ok(None) };
    let flows = flows(&outlook, terms)?;
    let mut ledger = Ledger::new(terms.minor_digits);
    for flow in &flows {
        ledger.enter(flow)?;
    }
    let deviation = Outcome::new(&outlook, &flows).std_dev();
    Ok(Some(vec![Share {
        mean: ledger.present_value().amount(terms.minor_digits),
        beside: ledger.margin().amount(terms.minor_digits),
        lost: 0.0,
        outcome_variance: deviation * deviation,
        errors: known(of_flows(curve, terms, &outlook, &flows), errors),
    }]))
}

/// The run-rate of an account now and in each of the next `months`; `None` as in [`of_value`].
///
/// # Errors
/// As [`run_rate`].
pub fn of_months(
    curve: CurveView,
    account: &Account,
    months: u32,
    errors: &mut dyn FnMut(Exposure) -> Errors,
) -> Result<Option<Vec<Share>>> {
    // A month before which nobody was seen to leave has no error of its own; a curve that nobody was seen to leave has none
    // that could be told.
    let told = match curve {
        CurveView::Steps(steps) => steps.variance.last().is_some_and(|variance| *variance > 0.0) || steps.rank > 0,
        CurveView::Smooth(curve) => !curve.covariance.is_empty(),
    };
    let Some(rows) = run_rate(curve, account, months)? else { return Ok(None) };
    let share = |month: Month| Share {
        mean: month.mean,
        beside: month.certain,
        lost: month.lost,
        outcome_variance: month.outcome_variance,
        errors: month.exposure.filter(|exposure| told || *exposure == Exposure::Certain).map(&mut *errors),
    };
    Ok(Some(rows.into_iter().map(share).collect()))
}
