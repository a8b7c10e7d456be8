//! What two independent cohorts differ by: in restricted means, and in survival at one time.

use crate::Result;
use crate::numeric::normal;
use crate::survival::curve::{Steps, Survival};
use crate::survival::estimate::{Estimator, Variance};
use crate::survival::kaplan_meier::Transform;
use crate::survival::restricted_mean::{RestrictedMean, restricted_mean};

/// a − b with its standard error, the test that it is 0, and a normal interval.
///
/// Parts are `None` where a variance is unknown, z and p also where it is 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    pub difference: f64,
    pub std_error: Option<f64>,
    pub z: Option<f64>,
    pub p_value: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

impl Difference {
    fn of(difference: f64, variance: Option<f64>, critical: f64) -> Self {
        let std_error = variance.map(f64::sqrt);
        let z = std_error.filter(|std_error| *std_error > 0.0).map(|std_error| difference / std_error);
        Difference {
            difference,
            std_error,
            z,
            p_value: z.map(normal::two_sided_p_value),
            lower: std_error.map(|std_error| difference - critical * std_error),
            upper: std_error.map(|std_error| difference + critical * std_error),
        }
    }
}

/// a / b with its interval and the test that it is 1, both on the scale of its logarithm (delta method).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratio {
    pub ratio: f64,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    pub p_value: Option<f64>,
}

/// Which mean is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// Restricted mean survival time, the mean of min(T, τ).
    Kept,
    /// Restricted mean time lost, τ less that.
    Lost,
}

/// Two curves of one model share its coefficients and its baseline, so nothing is known here of how they differ.
fn are_cohorts(a: &Survival, b: &Survival) -> bool {
    matches!((a, b), (Survival::Sample(_), Survival::Sample(_)))
}

fn both(a: &Survival, b: &Survival, tau: f64) -> Result<Option<[RestrictedMean; 2]>> {
    let known = are_cohorts(a, b);
    let mean = |curve| -> Result<Option<RestrictedMean>> {
        let mean = restricted_mean(curve, tau, Variance::Auto)?;
        Ok(mean.map(|mean| RestrictedMean { variance: mean.variance.filter(|_| known), ..mean }))
    };
    Ok(mean(a)?.zip(mean(b)?).map(|(a, b)| [a, b]))
}

/// The difference of the restricted means (Royston & Parmar 2013; Uno et al. 2014); `None` when one of them is undefined.
///
/// # Errors
/// [`Steps::restricted_mean`].
pub fn rmst_difference(a: &Survival, b: &Survival, tau: f64, critical: f64) -> Result<Option<Difference>> {
    let difference = |[a, b]: [RestrictedMean; 2]| {
        let variance = a.variance.zip(b.variance).map(|(a, b)| a + b);
        Difference::of(a.mean - b.mean, variance, critical)
    };
    Ok(both(a, b, tau)?.map(difference))
}

/// The ratio of the restricted means, or of the restricted times lost (Uno et al. 2014); `None` when one of them is
/// undefined or not positive.
///
/// # Errors
/// [`Steps::restricted_mean`].
pub fn rmst_ratio(a: &Survival, b: &Survival, tau: f64, of: Time, critical: f64) -> Result<Option<Ratio>> {
    let Some(means) = both(a, b, tau)? else { return Ok(None) };
    let [a, b] = means.map(|at| match of {
        Time::Kept => at,
        Time::Lost => RestrictedMean { mean: tau - at.mean, ..at },
    });
    if !(a.mean > 0.0 && b.mean > 0.0) {
        return Ok(None);
    }
    let relative = |of: RestrictedMean| of.variance.map(|variance| variance / of.mean / of.mean);
    let log = Difference::of((a.mean / b.mean).ln(), relative(a).zip(relative(b)).map(|(a, b)| a + b), critical);
    Ok(Some(Ratio {
        ratio: a.mean / b.mean,
        lower: log.lower.map(f64::exp),
        upper: log.upper.map(f64::exp),
        p_value: log.p_value,
    }))
}

/// S of a less S of b at one time, and the test that they are equal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SurvivalDifference {
    pub difference: f64,
    pub std_error: Option<f64>,
    pub chi_squared: Option<f64>,
    pub p_value: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

/// Compares two cohorts at one time (Klein, Logan, Harhoff & Andersen 2007): χ² = (φ(Sa) − φ(Sb))² / Σ φ′(S)² Var S.
///
/// The difference, its standard error and limits are on the scale of S; φ, the transform, is that of the test. `None` when
/// one of them is undefined at `t`; the test is `None` where φ is (S of 0 or 1).
///
/// # Errors
/// None of the arguments' own.
pub fn survival_difference(
    a: &Survival,
    b: &Survival,
    t: f64,
    transform: Transform,
    critical: f64,
) -> Result<Option<SurvivalDifference>> {
    let at = |curve: &Survival| -> Result<Option<(f64, Option<f64>)>> {
        let steps = curve.steps_by(Estimator::KaplanMeier, Variance::Auto)?;
        let read = |steps: Steps| Some((steps.survival_at(t)?, steps.log_variance_at(t)));
        Ok(steps.and_then(read))
    };
    let (Some((a_survival, a_variance)), Some((b_survival, b_variance))) = (at(a)?, at(b)?) else { return Ok(None) };
    let known = are_cohorts(a, b);
    // Of ln S to that of S; unknown where S is 0.
    let of_survival = |survival: f64, variance: Option<f64>| {
        variance.filter(|_| known && survival > 0.0).map(|variance| survival * survival * variance)
    };
    let variances = of_survival(a_survival, a_variance).zip(of_survival(b_survival, b_variance));
    let plain = Difference::of(a_survival - b_survival, variances.map(|(a, b)| a + b), critical);
    let z = variances.and_then(|(a_variance, b_variance)| {
        let (a_value, a_slope) = transformed(a_survival, transform)?;
        let (b_value, b_slope) = transformed(b_survival, transform)?;
        let variance = a_slope * a_slope * a_variance + b_slope * b_slope * b_variance;
        (variance > 0.0).then(|| (a_value - b_value) / variance.sqrt())
    });
    Ok(Some(SurvivalDifference {
        difference: plain.difference,
        std_error: plain.std_error,
        chi_squared: z.map(|z| z * z),
        p_value: z.map(normal::two_sided_p_value),
        lower: plain.lower,
        upper: plain.upper,
    }))
}

/// φ(S) and φ′(S); `None` where they are infinite.
fn transformed(survival: f64, transform: Transform) -> Option<(f64, f64)> {
    let (value, slope) = match transform {
        Transform::Plain => (survival, 1.0),
        Transform::Log => (survival.ln(), 1.0 / survival),
        Transform::LogLog => ((-survival.ln()).ln(), 1.0 / (survival * survival.ln())),
        Transform::Logit => ((survival / (1.0 - survival)).ln(), 1.0 / (survival * (1.0 - survival))),
        Transform::Arcsine => (survival.sqrt().asin(), 0.5 / (survival * (1.0 - survival)).sqrt()),
    };
    (value.is_finite() && slope.is_finite()).then_some((value, slope))
}
