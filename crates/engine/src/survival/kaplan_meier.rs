//! The product-limit estimator (Kaplan & Meier 1958), its variance (Greenwood 1926) and intervals.

use crate::numeric::normal;
use crate::survival::curve::Steps;
use crate::survival::estimate::{Estimates, Estimator, Variance};
use crate::survival::sample::Sample;
use crate::{Error, Result};

/// An estimate of S with its pointwise interval; parts that are undefined (S = 0) are `None`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    pub survival: f64,
    pub std_error: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

/// The scale on which the interval is symmetric (Kalbfleisch & Prentice 2002, §1.4; Borgan & Liestøl 1990).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transform {
    LogLog,
    Log,
    Plain,
    Logit,
    Arcsine,
}

impl std::str::FromStr for Transform {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "log-log" => Transform::LogLog,
            "log" => Transform::Log,
            "plain" => Transform::Plain,
            "logit" => Transform::Logit,
            "arcsine" | "arcsin" => Transform::Arcsine,
            _ => {
                return Err(Error::invalid(
                    format!("unknown interval transform \"{name}\""),
                    "One of: log-log, log, plain, logit, arcsine.",
                ));
            }
        })
    }
}

/// The two-sided normal quantile of a confidence level.
pub fn critical_value(level: f64) -> Result<f64> {
    if !(level > 0.0 && level < 1.0) {
        return Err(Error::invalid(
            format!("a confidence level needs 0 < level < 1, got {level}"),
            "0.95 is the usual one.",
        ));
    }
    Ok(normal::quantile(0.5 + level / 2.0))
}

/// The interval of S from the variance of ln S, `z` standard errors wide on the scale of `transform`.
///
/// Clipped to [0, 1]. Where S is 0 the variance of ln S is undefined and so are standard error and limits; where nothing
/// has happened yet (variance 0) the limits are S itself.
pub fn interval(survival: f64, log_variance: Option<f64>, z: f64, transform: Transform) -> Interval {
    let unknown = Interval { survival, std_error: None, lower: None, upper: None };
    let Some(spread) = log_variance.filter(|variance| variance.is_finite()).map(f64::sqrt) else { return unknown };
    if survival <= 0.0 {
        return unknown;
    }
    let std_error = survival * spread;
    // A map that makes several hazards 0 leaves none of what is not known of them.
    if survival >= 1.0 && spread > f64::EPSILON.sqrt() {
        return unknown;
    }
    if spread == 0.0 || survival >= 1.0 {
        return Interval { survival, std_error: Some(std_error), lower: Some(survival), upper: Some(survival) };
    }
    let (lower, upper) = match transform {
        Transform::Plain => (survival - z * std_error, survival + z * std_error),
        Transform::Log => (survival * (-z * spread).exp(), survival * (z * spread).exp()),
        Transform::LogLog => {
            let log = survival.ln();
            let width = z * spread / log.abs();
            ((log * width.exp()).exp(), (log * (-width).exp()).exp())
        }
        Transform::Logit => {
            let centre = (survival / (1.0 - survival)).ln();
            let width = z * spread / (1.0 - survival);
            (1.0 / (1.0 + (width - centre).exp()), 1.0 / (1.0 + (-width - centre).exp()))
        }
        Transform::Arcsine => {
            let centre = survival.sqrt().asin();
            let width = z * spread * (survival / (1.0 - survival)).sqrt() / 2.0;
            let quarter = std::f64::consts::FRAC_PI_2;
            ((centre - width).max(0.0).sin().powi(2), (centre + width).min(quarter).sin().powi(2))
        }
    };
    Interval { survival, std_error: Some(std_error), lower: Some(lower.max(0.0)), upper: Some(upper.min(1.0)) }
}

/// The interval of an estimate S of 1 or 0, of which Greenwood's variance tells nothing; `None` for any other.
///
/// Without an event until t, with m rows at risk at t, it is [(α/2)^(1/m), 1]: the limit of Clopper & Pearson (1934) for
/// none of m, since all m were seen to last until t, and under censoring the beta product confidence procedure of Fay,
/// Brittain & Proschan (2013). With S = 0 it is [0, 1 − (α/2)^(1/d)] with the d rows that had the event: that of
/// Clopper & Pearson without censoring, and wider with it, as what rows tell that were censored before is left out.
pub fn edge_interval(survival: f64, at_risk: f64, events: f64, z: f64) -> Option<Interval> {
    let limit = |rows: f64| (normal::two_sided_p_value(z) / 2.0).powf(rows.recip());
    let (lower, upper) = match survival {
        _ if survival >= 1.0 && at_risk > 0.0 => (limit(at_risk), 1.0),
        _ if survival <= 0.0 && events > 0.0 => (0.0, 1.0 - limit(events)),
        _ => return None,
    };
    Some(Interval { survival, std_error: None, lower: Some(lower), upper: Some(upper) })
}

/// The sample's curve as steps, one for each time with an event, with Greenwood's variance; `None` for an empty sample.
pub fn steps(sample: &Sample) -> Option<Steps> {
    // Only the robust variance can be refused.
    Estimates::of(sample, Estimator::KaplanMeier, Variance::Greenwood).ok()?.map(|estimates| estimates.steps())
}
