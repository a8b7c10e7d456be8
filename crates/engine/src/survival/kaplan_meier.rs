//! The product-limit estimator (Kaplan & Meier 1958), its variance (Greenwood 1926) and intervals.

use crate::numeric::normal;
use crate::survival::curve::{Steps, Tail};
use crate::survival::parametric::ParametricCurve;
use crate::survival::risk::{RiskRow, RiskTable};
use crate::survival::sample::Sample;
use crate::{Error, Result};

/// One row of `curve(...)`: the counts at a time and the estimates just after it.
///
/// A fitted curve has no counts; beyond the observed time the estimates are undefined.
#[derive(Debug, Clone, PartialEq)]
pub struct CurveRow {
    pub time: f64,
    pub at_risk: Option<f64>,
    pub events: Option<f64>,
    pub censored: Option<f64>,
    pub entered: Option<f64>,
    pub estimate: Option<Interval>,
    pub cumulative_hazard: Option<f64>,
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
        at_risk: Some(row.at_risk[0]),
        events: Some(row.events[0]),
        censored: Some(row.censored[0]),
        entered: Some(row.entered[0]),
        estimate: Some(interval(now.survival, Some(now.log_variance), z, transform)),
        cumulative_hazard: Some(now.cumulative_hazard),
    })
    .collect()
}

/// The life table at chosen times: at risk just before each, the counts since the time before it in the list.
///
/// As R's `summary(fit, times = …)`, but that R counts those who enter before the next exit as at risk already. Times are
/// taken in rising order.
pub fn curve_at(sample: &Sample, times: &[f64], z: f64, transform: Transform) -> Vec<CurveRow> {
    let Some(steps) = steps(sample) else { return Vec::new() };
    let table = RiskTable::new(&[sample]).rows;
    let mut times = times.to_vec();
    times.sort_unstable_by(f64::total_cmp);
    let mut from = 0;
    let row = |time: f64| {
        let until = table.partition_point(|row| row.time <= time).max(from);
        let since = &table[from..until];
        from = until;
        // Nobody leaves or enters between two tabulated times, so the next one's risk set is this one's.
        let at_risk = table.get(table.partition_point(|row| row.time < time)).map_or(0.0, |row| row.at_risk[0]);
        CurveRow { at_risk: Some(at_risk), ..fitted_row(&steps, time, z, transform) }.with_counts(since)
    };
    times.into_iter().map(row).collect()
}

/// The estimates of any curve at its steps, or at chosen times.
pub fn fitted_curve(steps: &Steps, times: Option<&[f64]>, z: f64, transform: Transform) -> Vec<CurveRow> {
    let mut times = times.unwrap_or(&steps.times).to_vec();
    times.sort_unstable_by(f64::total_cmp);
    times.into_iter().map(|time| fitted_row(steps, time, z, transform)).collect()
}

/// The estimates of a smooth curve at chosen times, beyond the data too.
pub fn smooth_curve(curve: &ParametricCurve, times: &[f64], z: f64, transform: Transform) -> Vec<CurveRow> {
    let mut times = times.to_vec();
    times.sort_unstable_by(f64::total_cmp);
    let row = |time: f64| CurveRow {
        time,
        at_risk: None,
        events: None,
        censored: None,
        entered: None,
        estimate: curve.survival_at(time).map(|survival| interval(survival, curve.log_variance_at(time), z, transform)),
        cumulative_hazard: curve.cumulative_hazard_at(time),
    };
    times.into_iter().map(row).collect()
}

fn fitted_row(steps: &Steps, time: f64, z: f64, transform: Transform) -> CurveRow {
    let estimate = |survival| interval(survival, steps.log_variance_at(time), z, transform);
    CurveRow {
        time,
        at_risk: None,
        events: None,
        censored: None,
        entered: None,
        estimate: steps.survival_at(time).map(estimate),
        cumulative_hazard: steps.cumulative_hazard_at(time),
    }
}

impl CurveRow {
    fn with_counts(mut self, rows: &[RiskRow]) -> CurveRow {
        self.events = Some(rows.iter().map(|row| row.events[0]).sum::<f64>() + 0.0);
        self.censored = Some(rows.iter().map(|row| row.censored[0]).sum::<f64>() + 0.0);
        self.entered = Some(rows.iter().map(|row| row.entered[0]).sum::<f64>() + 0.0);
        self
    }
}
