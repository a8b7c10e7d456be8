//! Discounting at an effective annual rate: 0.10 means that 1.10 in a year is worth 1.00 now.
//!
//! Part years compound too, so a month is worth (1 + rate)^(1/12), not 1 + rate/12.
//!
//! A discount curve is a list of such rates, the k-th for what is due in k years (zero rates). Its factor in k years is
//! (1 + rate_k)^−k; between two of them the logarithm of the factor is linear, so that each year has one forward rate,
//! and the forward rate of the last year goes on beyond it (flat forward).

use crate::{Error, Result};

/// Days of a year in the day count ACT/365 fixed, which spreadsheets use in XNPV.
pub const DAYS_PER_YEAR: f64 = 365.0;

/// # Errors
/// [`Error::Invalid`] when `annual_rate` is not finite or not above −1.
pub fn check_rate(annual_rate: f64) -> Result<()> {
    if annual_rate > -1.0 && annual_rate < f64::INFINITY {
        return Ok(());
    }
    Err(Error::invalid(
        format!("the discount rate must be finite and greater than -1, got {annual_rate}"),
        "It is an effective annual rate: 0.10 is ten percent a year.",
    ))
}

/// The value now of 1 that is paid in `t_years`: (1 + rate)^−t. A negative time looks back and so adds interest.
///
/// # Errors
/// [`Error::Invalid`] for a rate as in [`check_rate`] or a time that is not finite; [`Error::OutOfRange`] when the
/// factor is too large for a double.
pub fn discount_factor(t_years: f64, annual_rate: f64) -> Result<f64> {
    check_rate(annual_rate)?;
    if !t_years.is_finite() {
        return Err(Error::invalid(
            format!("the time to discount over must be finite, got {t_years}"),
            "It is in years.",
        ));
    }
    let factor = (1.0 + annual_rate).powf(-t_years);
    if factor.is_finite() {
        return Ok(factor);
    }
    Err(Error::OutOfRange(format!("the discount factor over {t_years} years at the rate {annual_rate} is too large")))
}

/// Effective annual zero rates for 1, 2, … years.
#[derive(Debug, Clone, Copy)]
pub struct DiscountCurve<'a>(pub &'a [f64]);

impl DiscountCurve<'_> {
    /// The value now of 1 that is paid in `t_years`. The rates must be valid and not none; the time not negative.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] when the factor is too large for a double.
    pub fn factor(self, t_years: f64) -> Result<f64> {
        let last = self.0.len();
        let logarithm = |year: usize| if year == 0 { 0.0 } else { -(year as f64) * self.0[year - 1].ln_1p() };
        // The year that the time lies in, the last one for all that is later.
        let year = (t_years.ceil().max(1.0) as usize).min(last);
        let (before, forward) = (logarithm(year - 1), logarithm(year) - logarithm(year - 1));
        let factor = if t_years == year as f64 {
            (1.0 + self.0[year - 1]).powi(-(year as i32))
        } else {
            (before + forward * (t_years - (year - 1) as f64)).exp()
        };
        if factor.is_finite() {
            return Ok(factor);
        }
        Err(Error::OutOfRange(format!("the discount factor over {t_years} years of the discount curve is too large")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn part_years_compound() {
        assert_eq!(discount_factor(0.0, 0.1).unwrap(), 1.0);
        assert_relative_eq!(discount_factor(1.0, 0.1).unwrap(), 1.0 / 1.1, max_relative = 1e-15);
        assert_relative_eq!(discount_factor(1.0 / 12.0, 0.1).unwrap().powi(12), 1.0 / 1.1, max_relative = 1e-14);
        assert_eq!(discount_factor(7.5, 0.0).unwrap(), 1.0);
        assert_relative_eq!(discount_factor(2.0, -0.5).unwrap(), 4.0);
        assert_relative_eq!(discount_factor(-1.0, 0.1).unwrap(), 1.1);
    }

    #[test]
    fn refuses_what_has_no_value() {
        for rate in [-1.0, -2.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(matches!(discount_factor(1.0, rate), Err(Error::Invalid { .. })), "{rate}");
        }
        assert!(matches!(discount_factor(f64::NAN, 0.1), Err(Error::Invalid { .. })));
        assert!(matches!(discount_factor(100.0, -0.999_999_9), Err(Error::OutOfRange(_))));
    }

    #[test]
    fn a_curve_has_one_forward_rate_a_year() {
        let flat = DiscountCurve(&[0.1, 0.1, 0.1]);
        for years in [0.0, 0.25, 1.0, 1.7, 3.0, 8.5] {
            assert_relative_eq!(
                flat.factor(years).unwrap(),
                discount_factor(years, 0.1).unwrap(),
                max_relative = 1e-14
            );
        }
        // 1.03 and 1.04² / 1.03 are the forward rates of the two years.
        let curve = DiscountCurve(&[0.03, 0.04]);
        let forward = 1.04f64.powi(2) / 1.03;
        assert_relative_eq!(curve.factor(0.5).unwrap(), 1.03f64.powf(-0.5), max_relative = 1e-15);
        assert_relative_eq!(curve.factor(1.0).unwrap(), 1.0 / 1.03, max_relative = 1e-15);
        assert_relative_eq!(curve.factor(1.5).unwrap(), forward.powf(-0.5) / 1.03, max_relative = 1e-15);
        assert_relative_eq!(curve.factor(2.0).unwrap(), 1.04f64.powi(-2), max_relative = 1e-15);
        assert_relative_eq!(curve.factor(4.0).unwrap(), 1.04f64.powi(-2) * forward.powi(-2), max_relative = 1e-14);
        assert!(matches!(DiscountCurve(&[0.0, -0.999]).factor(200.0), Err(Error::OutOfRange(_))));
    }
}
