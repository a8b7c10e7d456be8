//! A distribution by its name, its knots or breaks placed by the data where none are given; and several compared.

use crate::hazard::design::Design;
use crate::survival::distribution::{Distribution, SplineScale};
use crate::{Error, Result};

/// What may be said of a spline or a piecewise exponential beyond its name. Times are in the unit of the durations.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shape<'a> {
    /// Number of inner knots of a spline, at even quantiles of the log event times (Royston & Parmar 2002); 1 if not said.
    pub knots: Option<i32>,
    /// The inner knots themselves.
    pub knot_times: Option<&'a [f64]>,
    /// Where the hazard of a piecewise exponential changes; the quartiles of the event times if not said.
    pub breaks: Option<&'a [f64]>,
}

/// The names that [`by_name`] knows; each may end in `-cure`.
pub const NAMES: [&str; 10] = [
    "exponential",
    "weibull",
    "lognormal",
    "loglogistic",
    "generalized-gamma",
    "gompertz",
    "spline",
    "spline-odds",
    "spline-normal",
    "piecewise-exponential",
];

/// What is compared when nothing is said.
pub const CANDIDATES: [&str; 6] =
    ["exponential", "weibull", "lognormal", "loglogistic", "generalized-gamma", "gompertz"];

/// The distribution called `name` for the rows of `design`.
///
/// # Errors
/// [`Error::Invalid`] for an unknown name, knots or breaks that are none or do not belong to the distribution, and rows
/// whose event times do not suffice to place them.
pub fn by_name(name: &str, design: &Design, shape: Shape) -> Result<Distribution> {
    if let Some(inner) = name.strip_suffix("-cure") {
        return Ok(Distribution::Cure(Box::new(by_name(inner, design, shape)?)));
    }
    let is_spline = name.starts_with("spline");
    if !is_spline && (shape.knots.is_some() || shape.knot_times.is_some()) {
        return Err(Error::invalid(format!("knots are for splines, not for \"{name}\""), "Leave them out."));
    }
    if name != "piecewise-exponential" && shape.breaks.is_some() {
        return Err(Error::invalid(
            format!("breaks are for the piecewise exponential, not for \"{name}\""),
            "Leave them out.",
        ));
    }
    let spline = |scale| Ok(Distribution::Spline { scale, knots: knots(design, shape)? });
    let distribution = match name {
        "exponential" => Distribution::Exponential,
        "weibull" => Distribution::Weibull,
        "lognormal" => Distribution::LogNormal,
        "loglogistic" => Distribution::LogLogistic,
        "generalized-gamma" => Distribution::GeneralizedGamma,
        "gompertz" => Distribution::Gompertz,
        "spline" => spline(SplineScale::Hazard)?,
        "spline-odds" => spline(SplineScale::Odds)?,
        "spline-normal" => spline(SplineScale::Normal)?,
        "piecewise-exponential" => {
            let breaks = match shape.breaks {
                Some(breaks) => breaks.to_vec(),
                None => {
                    // Of the times themselves: a break that misses one by rounding would move its events.
                    let times = event_times(design);
                    let mut breaks: Vec<f64> = (1..4).filter_map(|i| quantile(&times, f64::from(i) / 4.0)).collect();
                    breaks.dedup();
                    // No event lies beyond the last one.
                    breaks.retain(|start| times.last().is_some_and(|last| start < last));
                    breaks
                }
            };
            Distribution::PiecewiseExponential { breaks }
        }
        other => {
            return Err(Error::invalid(
                format!("unknown distribution \"{other}\""),
                format!("One of: {}; each may end in -cure for a share that never has the event.", NAMES.join(", ")),
            ));
        }
    };
    distribution.validate()?;
    Ok(distribution)
}

/// How many parameters a row of the distribution called `name` has; fewer where the rows let knots or breaks fall together.
///
/// # Errors
/// As [`by_name`], but for what the rows say.
pub fn parameters(name: &str, shape: Shape) -> Result<usize> {
    if let Some(inner) = name.strip_suffix("-cure") {
        return Ok(parameters(inner, shape)? + 1);
    }
    let distribution = by_name(name, &Design::default(), shape)?;
    Ok(match (&distribution, shape.knot_times) {
        (Distribution::Spline { .. }, Some(inner)) => inner.len() + 2,
        (Distribution::Spline { .. }, None) => shape.knots.unwrap_or(1).unsigned_abs() as usize + 2,
        // The pieces between the quartiles.
        (Distribution::PiecewiseExponential { .. }, _) if shape.breaks.is_none() => 4,
        _ => distribution.parameters(),
    })
}

/// Sorted times of the events; of one known to an interval, its middle.
fn event_times(design: &Design) -> Vec<f64> {
    let mut times: Vec<f64> = (0..design.len())
        .filter_map(|row| {
            let exit = design.exits()[row];
            match design.uppers().get(row).copied().filter(|upper| upper.is_finite()) {
                Some(upper) => Some(f64::midpoint(exit, upper)),
                None => design.events()[row].then_some(exit),
            }
        })
        .filter(|t| *t > 0.0)
        .collect();
    times.sort_unstable_by(f64::total_cmp);
    times
}

/// The quantile by linear interpolation of the order statistics (Hyndman & Fan's type 7, the default of R).
fn quantile(sorted: &[f64], p: f64) -> Option<f64> {
    let place = p * sorted.len().checked_sub(1)? as f64;
    let (low, share) = (place.floor() as usize, place.fract());
    let next = sorted.get(low + 1).copied().unwrap_or(sorted[low]);
    Some(sorted[low] + share * (next - sorted[low]))
}

fn knots(design: &Design, shape: Shape) -> Result<Vec<f64>> {
    let count = shape.knots.unwrap_or(1);
    if shape.knot_times.is_none() && !(0..=20).contains(&count) {
        return Err(Error::invalid(
            format!("a spline has between 0 and 20 inner knots, got {count}"),
            "One to three are usual.",
        ));
    }
    let times: Vec<f64> = event_times(design).into_iter().map(f64::ln).collect();
    let (Some(first), Some(last)) = (times.first(), times.last()) else { return Ok(vec![0.0, 1.0]) };
    let mut knots = vec![*first];
    match shape.knot_times {
        Some(inner) => knots.extend(inner.iter().map(|t| t.ln())),
        None => knots.extend((1..=count).filter_map(|i| quantile(&times, f64::from(i) / f64::from(count + 1)))),
    }
    knots.push(*last);
    if knots.windows(2).all(|pair| pair[0] < pair[1]) {
        return Ok(knots);
    }
    Err(Error::invalid(
        "the knots of the spline do not rise between the first and the last event time",
        "Ask for fewer knots, or give knot_times between the first and the last event.",
    ))
}
