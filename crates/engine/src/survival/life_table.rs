//! The rows of `curve(...)`: counts and estimates at each time, or at chosen ones.

use crate::Result;
use crate::survival::CurveView;
use crate::survival::estimate::{Estimate, Estimates, Estimator, Variance};
use crate::survival::kaplan_meier::{Interval, Transform, interval};
use crate::survival::risk::RiskRow;
use crate::survival::sample::Sample;

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
    /// The standard error of the cumulative hazard.
    pub cumulative_hazard_std_error: Option<f64>,
}

/// How a curve is to be read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Manner {
    pub estimator: Estimator,
    pub variance: Variance,
    /// Standard errors on either side of an interval.
    pub z: f64,
    pub transform: Transform,
}

impl Manner {
    pub fn interval(&self, survival: f64, log_variance: Option<f64>) -> Interval {
        interval(survival, log_variance, self.z, self.transform)
    }
}

/// The life table: one row for each distinct time.
///
/// # Errors
/// [`Variance::is_robust_for`].
pub fn curve(sample: &Sample, manner: &Manner) -> Result<Vec<CurveRow>> {
    let Some(estimates) = Estimates::of(sample, manner.estimator, manner.variance)? else { return Ok(Vec::new()) };
    let row = |(row, now): (RiskRow, Estimate)| CurveRow {
        time: row.time,
        at_risk: Some(row.at_risk[0]),
        events: Some(row.events[0]),
        censored: Some(row.censored[0]),
        entered: Some(row.entered[0]),
        estimate: Some(manner.interval(now.survival, Some(now.log_variance))),
        cumulative_hazard: Some(now.cumulative_hazard),
        cumulative_hazard_std_error: Some(now.hazard_variance.sqrt()),
    };
    Ok(estimates.table.rows.into_iter().zip(estimates.at).map(row).collect())
}

/// The life table at chosen times: at risk just before each, the counts since the time before it in the list.
///
/// As R's `summary(fit, times = …)`, but that R counts those who enter before the next exit as at risk already. Times are
/// taken in rising order.
///
/// # Errors
/// [`Variance::is_robust_for`].
pub fn curve_at(sample: &Sample, times: &[f64], manner: &Manner) -> Result<Vec<CurveRow>> {
    let Some(estimates) = Estimates::of(sample, manner.estimator, manner.variance)? else { return Ok(Vec::new()) };
    let start = Estimate { survival: 1.0, log_variance: 0.0, cumulative_hazard: 0.0, hazard_variance: 0.0 };
    let at_end = estimates.at.last().map_or(1.0, |end| end.survival);
    let table = &estimates.table.rows;
    let mut times = times.to_vec();
    times.sort_unstable_by(f64::total_cmp);
    let mut from = 0;
    let row = |time: f64| {
        let until = table.partition_point(|row| row.time <= time).max(from);
        let since = &table[from..until];
        from = until;
        let now = estimates.after(time).copied().unwrap_or(start);
        let observed = time <= estimates.max_followup;
        let sum = |count: fn(&RiskRow) -> f64| Some(since.iter().map(count).sum::<f64>() + 0.0);
        CurveRow {
            time,
            // Nobody leaves or enters between two tabulated times, so the next one's risk set is this one's.
            at_risk: Some(table.get(table.partition_point(|row| row.time < time)).map_or(0.0, |row| row.at_risk[0])),
            events: sum(|row| row.events[0]),
            censored: sum(|row| row.censored[0]),
            entered: sum(|row| row.entered[0]),
            estimate: (observed || at_end == 0.0).then(|| manner.interval(now.survival, Some(now.log_variance))),
            cumulative_hazard: observed.then_some(now.cumulative_hazard),
            cumulative_hazard_std_error: observed.then(|| now.hazard_variance.sqrt()),
        }
    };
    Ok(times.into_iter().map(row).collect())
}

/// The estimates of a model's curve at these times, whose S is exp(−H) by any estimator; of a smooth one beyond the data too.
pub fn model_curve<'a>(curve: impl Into<CurveView<'a>>, times: &[f64], manner: &Manner) -> Vec<CurveRow> {
    let curve = curve.into();
    let mut times = times.to_vec();
    times.sort_unstable_by(f64::total_cmp);
    let row = |time: f64| {
        let log_variance = curve.log_variance_at(time);
        let cumulative_hazard = curve.cumulative_hazard_at(time);
        CurveRow {
            time,
            at_risk: None,
            events: None,
            censored: None,
            entered: None,
            estimate: curve.survival_at(time).map(|survival| manner.interval(survival, log_variance)),
            cumulative_hazard,
            cumulative_hazard_std_error: cumulative_hazard.and(log_variance).map(f64::sqrt),
        }
    };
    times.into_iter().map(row).collect()
}
