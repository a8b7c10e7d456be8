//! Present values of given cash flows, as spreadsheets define NPV and XNPV, rounded once at the end.

use super::contract::Timing;
use super::dated_cash::DatedCash;
use super::day_count::DayCount;
use super::decimal::Decimal;
use super::discount::{check_rate, discount_factor};
use super::money::{MAX_DIGITS, Minor};
use crate::numeric::sum::Sum;
use crate::{Error, Result};

/// A sum that is exact as long as nothing in it is discounted.
#[derive(Debug, Default)]
struct Total {
    exact: Decimal,
    discounted: Sum,
    is_exact: bool,
}

impl Total {
    fn of(parts: impl Iterator<Item = Result<(Decimal, f64)>>) -> Result<Self> {
        let mut total = Total { is_exact: true, ..Total::default() };
        for part in parts {
            let (amount, factor) = part?;
            if factor == 1.0 {
                total.exact = total.exact.plus(amount)?;
            } else {
                total.discounted.add(amount.to_f64() * factor);
                total.is_exact = false;
            }
        }
        Ok(total)
    }

    fn rounded(&self, digits: u32) -> Result<String> {
        if self.is_exact {
            return Ok(self.exact.rounded(digits));
        }
        let mut sum = self.discounted;
        sum.add(self.exact.to_f64());
        Ok(Minor::round(sum.total(), digits)?.text(digits))
    }
}

/// # Errors
/// [`Error::Invalid`] when there are more decimals than amounts may have.
pub fn check_digits(digits: i32) -> Result<u32> {
    u32::try_from(digits).ok().filter(|digits| *digits <= MAX_DIGITS).ok_or_else(|| {
        Error::invalid(
            format!("digits must be from 0 to {MAX_DIGITS}, got {digits}"),
            "The decimals of the result: 2 are cents.",
        )
    })
}

/// The present value of one flow in each period at `rate` a period: Σ cash_k (1 + rate)^−t_k, where t_k for the k-th flow
/// (from 1) is k in arrears – the spreadsheets' NPV –, k − 1 in advance and k − ½ in the middle. `None` for no flows.
///
/// # Errors
/// [`Error::Invalid`] for the rate; [`Error::OutOfRange`] when the value is too large.
pub fn npv(cash: &[Decimal], rate: f64, timing: Timing, digits: u32) -> Result<Option<String>> {
    check_rate(rate)?;
    if cash.is_empty() {
        return Ok(None);
    }
    let shift = match timing {
        Timing::Advance => 0.0,
        Timing::Middle => 0.5,
        Timing::Arrears => 1.0,
    };
    let parts = cash.iter().enumerate().map(|(k, amount)| Ok((*amount, discount_factor(k as f64 + shift, rate)?)));
    Total::of(parts)?.rounded(digits).map(Some)
}

/// The present value on `as_of` of dated flows at an effective annual rate: Σ amount (1 + rate)^−years(as_of, date).
/// Flows before `as_of` earn interest. `None` for no flows.
///
/// # Errors
/// As [`npv`].
pub fn xnpv(cash: &DatedCash, rate: f64, as_of: i32, day_count: DayCount, digits: u32) -> Result<Option<String>> {
    check_rate(rate)?;
    if cash.is_empty() {
        return Ok(None);
    }
    // In the order of the dates, so that the sum does not depend on that of the rows.
    let flows = cash.sorted();
    let parts = flows.iter().map(|flow| Ok((flow.amount, discount_factor(day_count.years(as_of, flow.date)?, rate)?)));
    Total::of(parts)?.rounded(digits).map(Some)
}
