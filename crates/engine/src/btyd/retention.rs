//! What a contractual model says of those who are still there: retention by renewal, the probability of the next
//! renewals, and what is still to be expected, discounted or not.

use crate::btyd::contractual::ContractualFit;
use crate::survival::kaplan_meier::{Interval, Transform, critical_value, interval};
use crate::{Error, Result};

/// One renewal in the projection of retention.
#[derive(Debug, Clone, PartialEq)]
pub struct Retention {
    pub period: u32,
    /// Customers who came to this renewal, and who of them left; `None` where nobody was seen.
    pub at_risk: Option<f64>,
    pub lost: Option<f64>,
    /// The share of those that came who renewed, by the data alone.
    pub observed: Option<f64>,
    /// r_k = S(k) / S(k − 1) with its limits.
    pub retention: Interval,
    /// S(k) with its limits.
    pub survival: Interval,
}

impl ContractualFit {
    /// Retention at the renewals 1 to `periods`; empty where there is no curve. Limits on the log-log scale, by the delta
    /// method.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a level outside (0, 1).
    pub fn retention(&self, periods: u32, level: f64) -> Result<Vec<Retention>> {
        let z = critical_value(level)?;
        let (Some(start), curve) = (self.prospect(0.0), self.curve()) else { return Ok(Vec::new()) };
        let row = |period: u32| {
            let k = f64::from(period);
            let before = self.prospect(k - 1.0).unwrap_or(start);
            let limits = |estimate: f64, gradient: &[f64]| {
                let m = gradient.len();
                let product = |row: &[f64]| row.iter().zip(gradient).map(|(a, b)| a * b).sum::<f64>();
                let known = !curve.covariance.is_empty();
                let variance: f64 =
                    curve.covariance.chunks_exact(m).zip(gradient).map(|(row, g)| g * product(row)).sum();
                interval(estimate, Some(variance).filter(|_| known), z, Transform::LogLog)
            };
            let place = period as usize - 1;
            let at_risk = self.renewals.at_risk.get(place).copied().filter(|count| *count > 0.0);
            let lost = at_risk.and_then(|_| self.renewals.lost.get(place).copied());
            Retention {
                period,
                at_risk,
                lost,
                observed: at_risk.zip(lost).map(|(at_risk, lost)| 1.0 - lost / at_risk),
                retention: limits(before.renews(1.0), &before.gradient(1.0)),
                survival: limits(start.renews(k), &start.gradient(k)),
            }
        };
        Ok((1..=periods).map(row).collect())
    }

    /// P(makes `next` further renewals | has made `made`): conditional on being there, never seen from the start.
    /// `None` where there is no curve.
    pub fn conditional_renewal(&self, made: f64, next: f64) -> Option<f64> {
        Some(self.prospect(made)?.renews(next))
    }

    /// Σ_(j ≥ 0) v^j S(made + j) / S(made): the periods, the present one first and whole, that a customer who has made
    /// `made` renewals will pay for, each discounted to the start of the present one. `None` where it is infinite: without
    /// discount when α ≤ 1 (α c ≤ 1).
    ///
    /// # Errors
    /// As [`ContractualFit::discounted_residual_lifetime`].
    pub fn expected_lifetime(&self, made: f64, discount_rate: f64, months: f64) -> Result<Option<f64>> {
        let rate = log_rate(discount_rate, months)?;
        Ok(self.prospect(made).and_then(|prospect| prospect.sum(f64::INFINITY, rate)))
    }

    /// The discounted expected residual lifetime (Fader & Hardie 2010) of a customer who has made `made` renewals and is
    /// about to decide on the next: Σ_(j ≥ 1) v^(j − 1) S(made + j) / S(made), the period that the next renewal buys not
    /// discounted. Of the beta-geometric it is r ₂F₁(1, β + n; α + β + n; v) with n = made + 1 and r = (β + made) / (α + β +
    /// made); it is summed here, which works without discount and with a shape too.
    ///
    /// v = (1 + `discount_rate`)^(−`months` / 12): an annual effective rate, and the length of a period in months.
    ///
    /// # Errors
    /// [`Error::Invalid`] unless the rate is finite and not negative and the months are greater than 0.
    pub fn discounted_residual_lifetime(&self, made: f64, discount_rate: f64, months: f64) -> Result<Option<f64>> {
        let rate = log_rate(discount_rate, months)?;
        let sum = |next| self.prospect(made + 1.0).and_then(|after| Some(next * after.sum(f64::INFINITY, rate)?));
        Ok(self.conditional_renewal(made, 1.0).and_then(sum))
    }
}

/// −ln v of one period.
fn log_rate(discount_rate: f64, months: f64) -> Result<f64> {
    if !(0.0..f64::INFINITY).contains(&discount_rate) {
        return Err(Error::invalid(
            format!("the discount rate must be finite and not negative, got {discount_rate}"),
            "It is effective per year: 0.1 for 10 %.",
        ));
    }
    if !(months > 0.0 && months < f64::INFINITY) {
        return Err(Error::invalid(
            format!("the length of a period must be finite and greater than 0, got {months}"),
            "It is in months: 12 for yearly renewals, 1 for monthly ones.",
        ));
    }
    Ok(discount_rate.ln_1p() * months / 12.0)
}
