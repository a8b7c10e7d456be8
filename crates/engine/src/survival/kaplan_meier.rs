//! The product-limit estimator (Kaplan & Meier 1958), its variance (Greenwood 1926) and intervals.

use crate::numeric::normal;
use crate::survival::curve::{Steps, Tail};
use crate::survival::risk::RiskTable;
use crate::survival::sample::Sample;
use crate::{Error, Result};

/// One row of `curve(...)`: the counts at a time and the estimates just after it.
#[derive(Debug, Clone, PartialEq)]
pub struct CurveRow {
    pub time: f64,
    pub at_risk: f64,
    pub events: f64,
    pub censored: f64,
    pub entered: f64,
    pub estimate: Interval,
    pub cumulative_hazard: f64,
}

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

/// The running estimates at each row of a risk table of one group.
struct Running {
    survival: f64,
    /// Greenwood's sum, the variance of ln S; infinite once S is 0.
    log_variance: f64,
    /// Nelson–Aalen.
    cumulative_hazard: f64,
}

fn running(table: &RiskTable) -> impl Iterator<Item = Running> + '_ {
    let (mut survival, mut log_variance, mut cumulative_hazard) = (1.0, 0.0, 0.0);
    table.rows.iter().map(move |row| {
        let (events, at_risk) = (row.events[0], row.at_risk[0]);
        if events > 0.0 && at_risk > 0.0 {
            let left = (at_risk - events).max(0.0);
            survival *= left / at_risk;
            log_variance += events / (at_risk * left);
            cumulative_hazard += events / at_risk;
        }
        Running { survival, log_variance, cumulative_hazard }
    })
}

/// The sample's curve as steps, one for each time with an event; `None` for an empty sample.
pub fn steps(sample: &Sample) -> Option<Steps> {
    let max_followup = sample.max_followup()?;
    let table = RiskTable::new(&[sample]);
    let mut steps = Steps {
        times: Vec::new(),
        survival: Vec::new(),
        cumulative_hazard: Vec::new(),
        variance: Vec::new(),
        rank: 0,
        loadings: Vec::new(),
        max_followup,
        tail: Tail::None,
    };
    for (row, now) in table.rows.iter().zip(running(&table)) {
        if row.events[0] > 0.0 {
            steps.times.push(row.time);
            steps.survival.push(now.survival);
            steps.cumulative_hazard.push(now.cumulative_hazard);
            steps.variance.push(now.log_variance);
        }
    }
    Some(steps)
}

/// The life table: one row for each distinct time.
pub fn curve(sample: &Sample, z: f64, transform: Transform) -> Vec<CurveRow> {
    let table = RiskTable::new(&[sample]);
    let estimates: Vec<Running> = running(&table).collect();
    let rows = table.rows.into_iter().zip(estimates);
    rows.map(|(row, now)| CurveRow {
        time: row.time,
        at_risk: row.at_risk[0],
        events: row.events[0],
        censored: row.censored[0],
        entered: row.entered[0],
        estimate: interval(now.survival, Some(now.log_variance), z, transform),
        cumulative_hazard: now.cumulative_hazard,
    })
    .collect()
}
