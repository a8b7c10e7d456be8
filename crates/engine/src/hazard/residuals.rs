//! Residuals of a fitted Cox model: which rows it does not explain, and which rows made it what it is.
//!
//! Therneau, Grambsch & Fleming (1990), *Martingale-based residuals for survival models*, Biometrika 77; Schoenfeld
//! (1982), *Partial residuals for the proportional hazards regression model*, Biometrika 69; Grambsch & Therneau (1994),
//! *Proportional hazards tests and diagnostics based on weighted residuals*, Biometrika 81.

use crate::hazard::cox::{CoxFit, Ties};
use crate::hazard::design::Design;
use crate::hazard::partial_likelihood::PartialLikelihood;
use crate::hazard::risk_sets::RiskSets;
use crate::hazard::score_parts::{ScoreParts, rows_per_interrupt};
use crate::hazard::timeline::reserve;
use crate::{Error, Interrupt, Result};

/// What to ask of each row; as `residuals.coxph` of R's survival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Residual {
    /// Events less the events the model expected of the row.
    Martingale,
    /// The martingale residual made symmetric: its square is the row's share of the deviance.
    Deviance,
    /// The row's part of the score, one per covariate; not weighted.
    Score,
    /// At an event: the covariates less their mean over those at risk.
    Schoenfeld,
    /// Schoenfeld's residual in the unit of the coefficient, around which it lies: how the coefficient moves with time.
    ScaledSchoenfeld,
    /// By how much, to first order, the coefficients would fall if the row (with its weight) were left out.
    Dfbeta,
    /// The same in standard errors of the model.
    Dfbetas,
}

impl std::str::FromStr for Residual {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "martingale" => Residual::Martingale,
            "deviance" => Residual::Deviance,
            "score" => Residual::Score,
            "schoenfeld" => Residual::Schoenfeld,
            "scaled-schoenfeld" => Residual::ScaledSchoenfeld,
            "dfbeta" => Residual::Dfbeta,
            "dfbetas" => Residual::Dfbetas,
            _ => {
                return Err(Error::invalid(
                    format!("\"{name}\" is not a kind of residual"),
                    "One of: martingale, deviance, score, schoenfeld, scaled-schoenfeld, dfbeta, dfbetas.",
                ));
            }
        })
    }
}

impl Residual {
    /// One per covariate, not one per row.
    pub fn is_per_term(self) -> bool {
        !matches!(self, Residual::Martingale | Residual::Deviance)
    }

    fn needs_covariance(self) -> bool {
        matches!(self, Residual::ScaledSchoenfeld | Residual::Dfbeta | Residual::Dfbetas)
    }
}

/// The residuals of some rows of a design.
#[derive(Debug, Clone, PartialEq)]
pub struct Residuals {
    /// Places in the design, rising: all rows, or those with the event.
    pub rows: Vec<usize>,
    /// Numbers per row: 1, or p.
    pub columns: usize,
    /// Rows × columns, row-major. Of a covariate without a coefficient they mean nothing.
    pub values: Vec<f64>,
}

/// The residuals of `design`, to which `fit` was fitted.
///
/// They agree with R's of the same name, with its defaults: dfbeta and dfbetas are weighted, the others are not.
///
/// # Errors
/// [`Error::Invalid`] when the fit is not of this design or does not have such residuals; [`Error::OutOfRange`] when
/// memory is exhausted; whatever `interrupt` returns.
pub fn residuals(design: &Design, fit: &CoxFit, kind: Residual, interrupt: Interrupt) -> Result<Residuals> {
    check_same(design, fit)?;
    if kind.is_per_term() && fit.ties == Ties::Exact {
        return Err(Error::invalid(
            "with exact ties there are martingale and deviance residuals only",
            "Fit with efron or breslow ties.",
        ));
    }
    if kind.needs_covariance() && fit.penalty.selects() {
        return Err(Error::invalid(
            "a penalty that selects leaves no covariance to scale residuals with",
            "Ask for score or schoenfeld residuals, or fit without the lasso.",
        ));
    }
    let (sets, places) = RiskSets::with_rows(design, interrupt)?;
    let beta = scaled_coefficients(fit, &sets);
    // With exact ties the hazard is Breslow's, as in R.
    let ties = if fit.ties == Ties::Exact { Ties::Breslow } else { fit.ties };
    let mut likelihood = PartialLikelihood::new(&sets, ties, fit.penalty)?;
    let parts = ScoreParts::new(&mut likelihood, &places, &beta, interrupt)?;
    let p = sets.covariates;
    let columns = if kind.is_per_term() { p } else { 1 };
    // In the units of the covariates; a constant covariate has no scale and no residual.
    let units: Vec<f64> = sets.scales.iter().map(|scale| if *scale == 0.0 { 0.0 } else { 1.0 / scale }).collect();

    let mut values: Vec<f64> = Vec::new();
    reserve(&mut values, design.len().saturating_mul(columns))?;
    values.resize(design.len() * columns, 0.0);
    if matches!(kind, Residual::Schoenfeld | Residual::ScaledSchoenfeld) {
        parts.each_death(interrupt, |place, difference| {
            let values = &mut values[place * p..(place + 1) * p];
            for ((value, difference), unit) in values.iter_mut().zip(difference).zip(&units) {
                *value = difference * unit;
            }
        })?;
        let rows: Vec<usize> = (0..design.len()).filter(|row| design.events()[*row]).collect();
        for (i, &row) in rows.iter().enumerate() {
            values.copy_within(row * p..(row + 1) * p, i * p);
        }
        values.truncate(rows.len() * p);
        if kind == Residual::ScaledSchoenfeld {
            transform(&mut values, &fit.covariance, p, interrupt, |_, value, column| {
                value * rows.len() as f64 + fit.coefficients[column].unwrap_or(0.0)
            })?;
        }
        return Ok(Residuals { rows, columns, values });
    }
    parts.each(interrupt, |part| {
        let values = &mut values[part.place * columns..(part.place + 1) * columns];
        match values {
            [value] if kind == Residual::Deviance => {
                *value =
                    deviance(part.martingale / part.weight, design.events()[part.place], part.expected / part.weight);
            }
            [value] if !kind.is_per_term() => *value = part.martingale / part.weight,
            _ => {
                for ((value, score), unit) in values.iter_mut().zip(part.score).zip(&units) {
                    *value = score / part.weight * unit;
                }
            }
        }
        Ok(())
    })?;
    match kind {
        Residual::Dfbeta | Residual::Dfbetas => {
            let weight = |row: usize| design.weights().get(row).copied().unwrap_or(1.0);
            transform(&mut values, &fit.covariance, p, interrupt, |row, value, column| match kind {
                Residual::Dfbeta => value * weight(row),
                // A covariate without a coefficient has a variance of 0.
                _ => match fit.covariance[column * (p + 1)].sqrt() {
                    0.0 => 0.0,
                    std_error => value * weight(row) / std_error,
                },
            })?;
        }
        _ => {}
    }
    Ok(Residuals { rows: (0..design.len()).collect(), columns, values })
}

/// sign(M) √(−2 (M + δ ln(δ − M))), where δ − M is the hazard `expected`: taken as it is, for beside an event of a tiny
/// hazard the residual is 1 and says nothing of it.
fn deviance(martingale: f64, event: bool, expected: f64) -> f64 {
    let log = if event { expected.ln() } else { 0.0 };
    (-2.0 * (martingale + log)).max(0.0).sqrt().copysign(martingale)
}

/// Multiplies each row of `values` by the p × p matrix, and finishes each number with `finish(row, value, column)`.
fn transform(
    values: &mut [f64],
    matrix: &[f64],
    p: usize,
    interrupt: Interrupt,
    finish: impl Fn(usize, f64, usize) -> f64,
) -> Result<()> {
    let (mut product, stride) = (vec![0.0; p], rows_per_interrupt(p));
    for (i, row) in values.chunks_exact_mut(p).enumerate() {
        if i % stride == 0 {
            interrupt()?;
        }
        product.fill(0.0);
        for (value, matrix) in row.iter().zip(matrix.chunks_exact(p)) {
            product.iter_mut().zip(matrix).for_each(|(sum, element)| *sum += value * element);
        }
        for (column, (value, product)) in row.iter_mut().zip(&product).enumerate() {
            *value = finish(i, *product, column);
        }
    }
    Ok(())
}

/// The coefficients in the units of the risk sets, 0 for covariates without one.
pub(super) fn scaled_coefficients(fit: &CoxFit, sets: &RiskSets) -> Vec<f64> {
    let scaled = |(coefficient, scale): (&Option<f64>, &f64)| match coefficient {
        Some(coefficient) if *scale != 0.0 => coefficient / scale,
        _ => 0.0,
    };
    fit.coefficients.iter().zip(&sets.scales).map(scaled).collect()
}

/// # Errors
/// [`Error::Invalid`] for a design that cannot be the one that was fitted.
pub(super) fn check_same(design: &Design, fit: &CoxFit) -> Result<()> {
    let events = design.events().iter().filter(|event| **event).count();
    let found = (design.len(), events, design.covariates());
    let fitted = (fit.rows, fit.events, fit.coefficients.len());
    if found == fitted && design.uppers().is_empty() {
        return Ok(());
    }
    Err(Error::invalid(
        format!(
            "the model was fitted to {} rows with {} events and {} covariates, the design has {} with {} and {}",
            fitted.0, fitted.1, fitted.2, found.0, found.1, found.2
        ),
        "Give the design from which the model was fitted.",
    ))
}
