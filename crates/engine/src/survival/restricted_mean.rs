//! The restricted mean survival time with its variance, and what two cohorts differ by in it.
//!
//! An event at t moves the area under the curve up to τ by the area from t on, A(t), so that
//! Var = Σ A(t)² d / (n (n − d)) (Irwin 1949; Klein & Moeschberger 2003, §4.5; Royston & Parmar 2013).

use crate::Result;
use crate::numeric::sum::Sum;
use crate::survival::curve::{Steps, Survival};
use crate::survival::estimate::{Estimates, Estimator, Jackknife, Push, Variance, squares};
use crate::survival::sample::Sample;

/// An estimate and its variance; `None` where nothing is known of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RestrictedMean {
    pub mean: f64,
    pub variance: Option<f64>,
}

/// The mean of min(T, τ); `None` beyond the observed time, unless the curve has come down to 0 or a tail says.
///
/// # Errors
/// [`Steps::restricted_mean`] and [`Variance::is_robust_for`].
pub fn restricted_mean(survival: &Survival, tau: f64, variance: Variance) -> Result<Option<RestrictedMean>> {
    let Some(steps) = survival.steps() else { return Ok(None) };
    let Some(mean) = steps.restricted_mean(tau)? else { return Ok(None) };
    let variance = match survival {
        Survival::Sample(sample) if variance.is_robust_for(sample)? => Some(robust_variance(sample, &steps, tau)?),
        _ => steps.restricted_mean_variance(tau),
    };
    Ok(Some(RestrictedMean { mean, variance: variance.filter(|variance| variance.is_finite()) }))
}

impl Steps {
    /// The area under the curve from each step on up to `tau`; 0 for steps at or after it.
    ///
    /// Beyond the observed time it is how far the area moves with ln S at its end: the tail's rate was read off the
    /// curve, so that H beyond is off by the same proportion.
    fn areas_after(&self, tau: f64) -> Vec<f64> {
        let beyond = tau - self.max_followup;
        let mut area = Sum::default();
        if let (true, Some(rate)) = (beyond > 0.0, self.tail_hazard()) {
            area.add(self.survival_at_end() * tail_moments(rate, beyond, -self.survival_at_end().ln()));
        }
        let mut until = tau.min(self.max_followup);
        let mut areas = vec![0.0; self.times.len()];
        for at in (0..self.times.len()).rev().filter(|at| self.times[*at] < tau) {
            area.add(self.survival[at] * (until - self.times[at]));
            until = self.times[at];
            areas[at] = area.total();
        }
        areas
    }

    /// Variance of the restricted mean; `None` when the variance of the curve is unknown.
    pub fn restricted_mean_variance(&self, tau: f64) -> Option<f64> {
        if self.times.is_empty() {
            return (tau <= self.max_followup).then_some(0.0);
        }
        if self.variance.is_empty() {
            return None;
        }
        let areas = self.areas_after(tau);
        let mut sum = Sum::default();
        let mut before = 0.0;
        for (area, variance) in areas.iter().zip(&self.variance) {
            // Where the curve has come down to 0 its variance is infinite and the area is none.
            if *area > 0.0 {
                sum.add(area * area * (variance - before));
                before = *variance;
            }
        }
        for column in 0..self.rank {
            let mut shared = Sum::default();
            let mut before = 0.0;
            for (at, area) in areas.iter().enumerate() {
                let loading = self.loadings[at * self.rank + column];
                shared.add(area * (loading - before));
                before = loading;
            }
            sum.add(shared.total().powi(2));
        }
        Some(sum.total()).filter(|variance| variance.is_finite() && *variance >= 0.0)
    }
}

/// ∫ e^(−rate u) (1 + rate u / H) du from 0 to `x`, H the cumulative hazard at the end of the observed time.
fn tail_moments(rate: f64, x: f64, hazard: f64) -> f64 {
    if rate <= 0.0 {
        return x;
    }
    let gone = -(-rate * x).exp_m1();
    let first = gone / rate;
    if hazard > 0.0 { first + (gone - rate * x * (-rate * x).exp()) / rate / hazard } else { first }
}

fn robust_variance(sample: &Sample, steps: &Steps, tau: f64) -> Result<f64> {
    let Some(estimates) = Estimates::of(sample, Estimator::KaplanMeier, Variance::Greenwood)? else { return Ok(0.0) };
    let squares = squares(sample, &estimates.table);
    let mut areas = steps.areas_after(tau).into_iter();
    let mut jackknife = Jackknife::default();
    let mut variance = 0.0;
    for (row, squares) in estimates.table.rows.iter().zip(&squares) {
        let (events, at_risk) = (row.events[0], row.at_risk[0]);
        let area = if events > 0.0 { areas.next() } else { None };
        variance = jackknife.pass(area.map(|area| Push::of_survival(events, at_risk).scaled(area)), squares);
    }
    Ok(variance)
}
