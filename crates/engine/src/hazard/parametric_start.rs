//! Where the search for the best parameters begins.

use crate::hazard::parametric::{MANY, SAMPLE};
use crate::hazard::parametric_likelihood::{Layout, Rows};
use crate::hazard::parametric_newton::maximise;
use crate::survival::distribution::{Distribution, SplineScale};
use crate::{Error, Interrupt, Result};

/// Parameters from which Newton's method finds the maximum without covariates.
pub(super) fn start(rows: &Rows, distribution: &Distribution, interrupt: Interrupt) -> Result<Vec<f64>> {
    let design = rows.design;
    let (mut events, mut exposure) = (0.0, 0.0);
    for row in 0..design.len() {
        let weight = design.weights().get(row).copied().unwrap_or(1.0);
        let entry = design.entries().get(row).copied().unwrap_or(0.0);
        let upper = design.uppers().get(row).copied().filter(|upper| upper.is_finite());
        let offset = design.offsets().get(row).copied().unwrap_or(0.0);
        let scale = if distribution.is_accelerated() { (-offset).exp() } else { offset.exp() };
        events += if design.events()[row] || upper.is_some() { weight } else { 0.0 };
        exposure += weight
            * scale
            * (upper.map_or(design.exits()[row], |upper| f64::midpoint(upper, design.exits()[row])) - entry);
    }
    let log_rate = (events / exposure).ln();
    let alone = |distribution: &Distribution, from: Vec<f64>, interrupt: Interrupt| {
        let m = distribution.parameters();
        let stride = if design.len() >= MANY { design.len() / SAMPLE } else { 1 };
        maximise(rows, distribution, &Layout::new(m, &[], m, &[]), from, stride, interrupt)
    };
    Ok(match distribution {
        Distribution::Exponential => vec![-log_rate],
        Distribution::Weibull | Distribution::LogNormal | Distribution::LogLogistic => vec![-log_rate - 0.2, -0.1],
        Distribution::GeneralizedGamma => {
            let from = vec![-log_rate - 0.2, -0.1];
            let normal = alone(&Distribution::LogNormal, from.clone(), interrupt)?;
            let weibull = alone(&Distribution::Weibull, from, interrupt)?;
            let (maximum, q) =
                if normal.evaluation.value > weibull.evaluation.value { (normal, 0.0) } else { (weibull, 1.0) };
            vec![maximum.beta[0], maximum.beta[1], q]
        }
        Distribution::Gompertz => vec![log_rate, 0.0],
        Distribution::PiecewiseExponential { breaks } => {
            let mut from = vec![log_rate];
            from.resize(breaks.len() + 1, 0.0);
            from
        }
        Distribution::Spline { scale, knots } => {
            let plain = match scale {
                SplineScale::Hazard => Distribution::Weibull,
                SplineScale::Odds => Distribution::LogLogistic,
                SplineScale::Normal => Distribution::LogNormal,
            };
            let maximum = alone(&plain, vec![-log_rate - 0.2, -0.1], interrupt)?;
            let slope = (-maximum.beta[1]).exp();
            let mut from = vec![0.0; knots.len()];
            (from[0], from[1]) = (-maximum.beta[0] * slope, slope);
            from
        }
        Distribution::BetaGeometric { .. } | Distribution::BetaDiscreteWeibull { .. } => {
            return Err(Error::invalid(
                format!("a {} model has no covariates and no continuous times", distribution.name()),
                "It is fitted by fit_sbg or fit_bdw.",
            ));
        }
        Distribution::Recalibrated { .. } => {
            return Err(Error::invalid(
                "a recalibrated distribution is not fitted",
                "Fit the inner one, then recalibrate.",
            ));
        }
        // The search for a cured share has starts of its own around these.
        Distribution::Cure(inner) => {
            let mut from = start(rows, inner, interrupt)?;
            from.push(0.0);
            from
        }
    })
}
