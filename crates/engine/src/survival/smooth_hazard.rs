//! The hazard itself: the jumps of the cumulative hazard, smoothed by a kernel (Ramlau-Hansen 1983), with Müller & Wang's
//! (1994) kernels near both ends of the observed time.

use crate::survival::curve::{Steps, Survival, bad_time};
use crate::survival::estimate::{Jackknife, Push, Squares, Variance, squares};
use crate::survival::kernel::Kernel;
use crate::survival::risk::RiskTable;
use crate::survival::sample::Sample;
use crate::{Error, Interrupt, Result};

/// Times of the grid that is answered when none are chosen, its ends among them.
const GRID_TIMES: usize = 101;
/// The interquartile range of a normal distribution of standard deviation 1.
const NORMAL_QUARTILES: f64 = 1.349;

/// The hazard at one time, per unit of time; `None` beyond the observed time. The interval is symmetric in its logarithm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SmoothHazard {
    pub time: f64,
    pub hazard: Option<f64>,
    pub std_error: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

/// What is smoothed: one entry per time.
struct Jumps {
    times: Vec<f64>,
    /// Of the cumulative hazard.
    hazard: Vec<f64>,
    spread: Spread,
    /// Events with the time of each, for the default bandwidth.
    events: Vec<f64>,
    /// The hazard is smoothed from 0 to here.
    end: f64,
    /// And goes on with this rate.
    tail: Option<f64>,
}

enum Spread {
    Unknown,
    /// Independent variances of the jumps, and the jumps of what all share, `rank` numbers each.
    Increments {
        variance: Vec<f64>,
        rank: usize,
        loadings: Vec<f64>,
    },
    Robust {
        pushes: Vec<Option<Push>>,
        squares: Vec<Squares>,
    },
}

impl Jumps {
    fn of_sample(sample: &Sample) -> Result<Option<Jumps>> {
        let Some(end) = sample.max_followup() else { return Ok(None) };
        let table = RiskTable::new(&[sample]);
        let is_event = |events: f64, at_risk: f64| events > 0.0 && at_risk > 0.0;
        let per_row = |value: fn(f64, f64) -> f64| -> Vec<f64> {
            let of = |row: &crate::survival::risk::RiskRow| {
                let (events, at_risk) = (row.events[0], row.at_risk[0]);
                if is_event(events, at_risk) { value(events, at_risk) } else { 0.0 }
            };
            table.rows.iter().map(of).collect()
        };
        let spread = if Variance::Auto.is_robust_for(sample)? {
            let push = |row: &crate::survival::risk::RiskRow| {
                let (events, at_risk) = (row.events[0], row.at_risk[0]);
                is_event(events, at_risk).then(|| Push::of_hazard(events, at_risk))
            };
            Spread::Robust { pushes: table.rows.iter().map(push).collect(), squares: squares(sample, &table) }
        } else {
            let variance = per_row(|events, at_risk| events / at_risk / at_risk);
            Spread::Increments { variance, rank: 0, loadings: Vec::new() }
        };
        // Whole weights are events each; other weights count their rows.
        let events = match sample.weights().filter(|weights| weights.is_fractional()) {
            Some(weights) => table.gathered(&weights.cells().sorted()).into_iter().map(|[rows, ..]| rows).collect(),
            None => table.rows.iter().map(|row| row.events[0]).collect(),
        };
        Ok(Some(Jumps {
            hazard: per_row(|events, at_risk| events / at_risk),
            times: table.rows.iter().map(|row| row.time).collect(),
            spread,
            events,
            end,
            tail: None,
        }))
    }

    /// A model's curve; each step counts as an event.
    fn of_steps(steps: &Steps) -> Jumps {
        let finite = steps.cumulative_hazard.partition_point(|hazard| hazard.is_finite());
        let all = finite == steps.times.len();
        let since_before = |values: &[f64], stride: usize| -> Vec<f64> {
            (0..values.len()).map(|i| values[i] - if i < stride { 0.0 } else { values[i - stride] }).collect()
        };
        let hazard = since_before(&steps.cumulative_hazard[..finite], 1);
        let spread = match steps.variance.get(..finite) {
            Some(variance) if finite > 0 && variance.iter().all(|variance| variance.is_finite()) => {
                let loadings = since_before(&steps.loadings[..finite * steps.rank], steps.rank.max(1));
                Spread::Increments { variance: since_before(variance, 1), rank: steps.rank, loadings }
            }
            _ => Spread::Unknown,
        };
        Jumps {
            times: steps.times[..finite].to_vec(),
            events: hazard.iter().map(|jump| if *jump > 0.0 { 1.0 } else { 0.0 }).collect(),
            hazard,
            spread,
            // Where a model's curve comes down to 0, its hazard ends.
            end: if all { steps.max_followup } else { steps.times[finite] },
            tail: if all { steps.tail_hazard() } else { None },
        }
    }

    /// 2.34 s d^(−1/5) for Epanechnikov's kernel, s the smaller of the standard deviation and IQR/1.349 of the d event
    /// times: best for a normal density of them (Silverman 1986, §3.4).
    fn default_bandwidth(&self, kernel: Kernel) -> f64 {
        let total: f64 = self.events.iter().sum();
        let widest = self.end / 2.0;
        if total <= 1.0 {
            return widest;
        }
        let weighted = |value: &dyn Fn(f64) -> f64| -> f64 {
            self.times.iter().zip(&self.events).map(|(time, events)| events / total * value(*time)).sum()
        };
        let mean = weighted(&|time| time);
        let deviation = (weighted(&|time| (time - mean).powi(2)) * (total / (total - 1.0))).sqrt();
        let quantile = |p: f64| {
            let mut seen = 0.0;
            let reached = |(_, events): &(&f64, &f64)| {
                seen += **events;
                seen >= p * total
            };
            self.times.iter().zip(&self.events).find(reached).map_or(self.end, |(time, _)| *time)
        };
        let quartiles = (quantile(0.75) - quantile(0.25)) / NORMAL_QUARTILES;
        let spread = if quartiles > 0.0 { deviation.min(quartiles) } else { deviation };
        let bandwidth = kernel.normal_scale() * spread * total.powf(-0.2);
        if bandwidth > 0.0 { bandwidth.min(widest) } else { widest }
    }

    fn at(&self, t: f64, bandwidth: f64, kernel: Kernel, z: f64) -> SmoothHazard {
        let nothing = SmoothHazard { time: t, hazard: None, std_error: None, lower: None, upper: None };
        if t > self.end || self.end == 0.0 {
            return SmoothHazard { hazard: self.tail.filter(|_| t >= self.end), ..nothing };
        }
        let window = self.times.partition_point(|time| *time < t - bandwidth)
            ..self.times.partition_point(|time| *time <= t + bandwidth);
        // No bandwidth is more than half of the observed time, so that at most one end is near.
        let weight = |time: f64| {
            let x = (t - time) / bandwidth;
            if t < bandwidth {
                kernel.at(x, t / bandwidth)
            } else if self.end - t < bandwidth {
                kernel.at(-x, (self.end - t) / bandwidth)
            } else {
                kernel.at(x, 1.0)
            }
        };
        let weights: Vec<f64> = self.times[window.clone()].iter().map(|time| weight(*time) / bandwidth).collect();
        let sum = |values: &[f64]| weights.iter().zip(values).map(|(weight, value)| weight * value).sum::<f64>();
        // Boundary kernels are negative in places; a hazard is not.
        let hazard = sum(&self.hazard[window.clone()]).max(0.0);
        let variance = match &self.spread {
            Spread::Unknown => None,
            Spread::Increments { variance, rank, loadings } => {
                let own: f64 =
                    weights.iter().zip(&variance[window.clone()]).map(|(weight, v)| weight * weight * v).sum();
                let shared = |column: usize| {
                    let loading = |(at, weight): (usize, &f64)| weight * loadings[at * rank + column];
                    window.clone().zip(&weights).map(loading).sum::<f64>()
                };
                Some(own + (0..*rank).map(|column| shared(column).powi(2)).sum::<f64>())
            }
            Spread::Robust { pushes, squares } => {
                let mut jackknife = Jackknife::default();
                let pushed = |(at, weight): (usize, &f64)| {
                    jackknife.pass(pushes[at].map(|push| push.scaled(*weight)), &squares[at])
                };
                Some(window.clone().zip(&weights).map(pushed).last().unwrap_or(0.0))
            }
        };
        let std_error = variance.filter(|variance| variance.is_finite()).map(f64::sqrt);
        let width = std_error.filter(|_| hazard > 0.0).map(|std_error| (z * std_error / hazard).exp());
        SmoothHazard {
            time: t,
            hazard: Some(hazard),
            std_error,
            lower: width.map(|width| hazard / width),
            upper: width.map(|width| hazard * width).filter(|upper| upper.is_finite()),
        }
    }
}

/// The smoothed hazard at chosen times, in rising order, or at 101 times from 0 to the end of the observed time.
///
/// A bandwidth of more than half of the observed time is cut to that; without one, it is Silverman's for the event times.
/// A model's curve is smoothed likewise and goes on with its tail. Nothing for an empty cohort.
///
/// # Errors
/// [`Error::Invalid`] for a time or a bandwidth that is none.
pub fn smooth_hazard(
    survival: &Survival,
    times: Option<&[f64]>,
    bandwidth: Option<f64>,
    kernel: Kernel,
    z: f64,
    interrupt: Interrupt,
) -> Result<Vec<SmoothHazard>> {
    if let Some(width) = bandwidth.filter(|width| !(*width > 0.0 && *width < f64::INFINITY)) {
        return Err(Error::invalid(
            format!("bandwidth must be finite and greater than 0, got {width}"),
            "It is in the unit of the durations: events so far away still count. NULL chooses one.",
        ));
    }
    if let Some(bad) = times.unwrap_or(&[]).iter().find(|t| !(0.0..f64::INFINITY).contains(*t)) {
        return Err(bad_time("at", *bad));
    }
    let jumps = match survival {
        Survival::Sample(sample) => Jumps::of_sample(sample)?,
        _ => survival.steps().map(|steps| Jumps::of_steps(&steps)),
    };
    let Some(jumps) = jumps else { return Ok(Vec::new()) };
    let bandwidth = bandwidth.unwrap_or_else(|| jumps.default_bandwidth(kernel)).min(jumps.end / 2.0);
    let mut times = match times {
        Some(times) => times.to_vec(),
        None => (0..GRID_TIMES).map(|i| jumps.end * i as f64 / (GRID_TIMES - 1) as f64).collect(),
    };
    times.sort_unstable_by(f64::total_cmp);
    let mut rows = Vec::with_capacity(times.len());
    for t in times {
        interrupt()?;
        rows.push(jumps.at(t, bandwidth, kernel, z));
    }
    Ok(rows)
}
