//! The robust covariance of a Cox model's coefficients: right also where rows belong together or weights are not
//! counts.
//!
//! Lin & Wei (1989), *The robust inference for the Cox proportional hazards model*, JASA 84: with U the rows' parts of
//! the score, weighted and summed within each cluster, V (Σ U U') V.

use serde::{Deserialize, Serialize};

use crate::hazard::cox::{CoxFit, Ties};
use crate::hazard::design::Design;
use crate::hazard::partial_likelihood::PartialLikelihood;
use crate::hazard::residuals::{check_same, scaled_coefficients};
use crate::hazard::risk_sets::RiskSets;
use crate::hazard::sandwich::{add_square, product};
use crate::hazard::score_parts::{Part, ScoreParts, rows_per_interrupt};
use crate::hazard::timeline::reserve;
use crate::numeric::linear::{RankedCholesky, collinearity_tolerance};
use crate::{Error, Interrupt, Result};

/// A coefficient whose variance, given those before it, is this share of what it is alone is determined by them.
const NOTHING_LEFT: f64 = 1e-10;

/// What takes the place of the model's own covariance and tests when rows are not independent, or the model is not
/// quite true.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Robust {
    /// p × p, row-major; 0 for covariates without a coefficient.
    pub covariance: Vec<f64>,
    /// Chi-squared statistics of the hypothesis that all coefficients are 0.
    pub wald_test: f64,
    pub score_test: f64,
    /// Clusters; a row without a cluster is one of its own.
    pub clusters: usize,
}

/// Whether R's `coxph` would take the robust variance by itself: rows have clusters, or weights that cannot be counts.
fn is_default(design: &Design) -> bool {
    !design.clusters().is_empty() || design.weights().iter().any(|weight| weight.fract() != 0.0)
}

/// The robust covariance of `fit`, which was fitted to `design`, if it is `wanted` or, with `None`, where it is the
/// default and there is one: not with exact ties, nor with a penalty. `None` also for a fit without coefficients, or
/// where the numbers overflow, as those of a separated fit may.
///
/// # Errors
/// [`Error::Invalid`] when it is wanted of a fit that has none, or the fit is not of this design; out of memory;
/// whatever `interrupt` returns.
pub fn robust(design: &Design, fit: &CoxFit, wanted: Option<bool>, interrupt: Interrupt) -> Result<Option<Robust>> {
    let available = fit.ties != Ties::Exact && fit.penalty.is_none();
    if !wanted.unwrap_or_else(|| available && is_default(design)) {
        return Ok(None);
    }
    if !available {
        return Err(Error::invalid(
            "there is no robust variance with exact ties or a penalty",
            "Use efron or breslow ties and no penalty, or robust => false.",
        ));
    }
    check_same(design, fit)?;
    if fit.degrees_of_freedom == 0 {
        return Ok(None);
    }
    let (sets, places) = RiskSets::with_rows(design, interrupt)?;
    let beta = scaled_coefficients(fit, &sets);
    let p = beta.len();
    let mut likelihood = PartialLikelihood::new(&sets, fit.ties, fit.penalty)?;
    let meat = Meat::new(design, &ScoreParts::new(&mut likelihood, &places, &beta, interrupt)?, p, interrupt)?;
    let origin = vec![0.0; p];
    let null = Meat::new(design, &ScoreParts::new(&mut likelihood, &places, &origin, interrupt)?, p, interrupt)?;
    let active: Vec<usize> = (0..p).filter(|&i| fit.coefficients[i].is_some() && sets.scales[i] != 0.0).collect();

    // In scaled units, so that the tests do not depend on the units of the covariates; and at the coefficients
    // themselves, where the fit's own covariance is that of the step before.
    let (_, information) = likelihood.weighted(&beta, &|_| 1.0, interrupt)?;
    let bread = RankedCholesky::of_columns(&information, p, active.clone()).inverse();
    let scaled = product(&bread, &product(&meat.matrix, &bread, p, interrupt)?, p, interrupt)?;
    let mut covariance = vec![0.0; p * p];
    for &i in &active {
        for &j in &active {
            let both = scaled[i * p + j] + scaled[j * p + i];
            covariance[i * p + j] = both / 2.0 * sets.scales[i] * sets.scales[j];
        }
    }
    let robust = Robust {
        covariance,
        wald_test: chi_squared(&scaled, &beta, &active),
        score_test: chi_squared(&null.matrix, &null.total, &active),
        clusters: meat.clusters,
    };
    let finite = robust.is_valid(p);
    Ok(finite.then_some(robust))
}

impl Robust {
    /// The factor of the covariance over `columns`; `None` when it is not of full rank, as with fewer clusters than
    /// columns.
    pub(super) fn factor(&self, p: usize, columns: &[usize]) -> Option<RankedCholesky> {
        let factor = RankedCholesky::of_columns(&self.covariance, p, columns.to_vec());
        let (rank, lower) = (factor.rank(), factor.lower());
        let left = |(k, column): (usize, &usize)| lower[k * (rank + 1)].powi(2) / self.covariance[column * (p + 1)];
        let full = rank == columns.len() && columns.iter().enumerate().map(left).all(|left| left > NOTHING_LEFT);
        full.then_some(factor)
    }

    pub(super) fn is_valid(&self, p: usize) -> bool {
        let numbers = self.covariance.iter().chain([&self.wald_test, &self.score_test]);
        p.checked_mul(p) == Some(self.covariance.len()) && numbers.into_iter().all(|number| number.is_finite())
    }
}

/// u' A⁻¹ u over some rows and columns; those of them that the others determine are left out.
fn chi_squared(matrix: &[f64], vector: &[f64], columns: &[usize]) -> f64 {
    let p = vector.len();
    let kept: Vec<f64> = columns.iter().flat_map(|i| columns.iter().map(move |j| matrix[i * p + j])).collect();
    let vector: Vec<f64> = columns.iter().map(|i| vector[*i]).collect();
    let solved = RankedCholesky::new(&kept, columns.len(), collinearity_tolerance()).solve(&vector);
    solved.iter().zip(&vector).map(|(a, b)| a * b).sum()
}

/// Σ U U' over the clusters, and Σ U.
struct Meat {
    matrix: Vec<f64>,
    total: Vec<f64>,
    clusters: usize,
}

impl Meat {
    fn new(design: &Design, parts: &ScoreParts, p: usize, interrupt: Interrupt) -> Result<Meat> {
        let labels = design.clusters();
        let named = labels.names().len();
        let mut sums: Vec<f64> = Vec::new();
        reserve(&mut sums, named.saturating_mul(p))?;
        sums.resize(named * p, 0.0);
        let mut meat = Meat { matrix: vec![0.0; p * p], total: vec![0.0; p], clusters: named };
        parts.each(interrupt, |part: &Part| {
            meat.total.iter_mut().zip(part.score).for_each(|(total, score)| *total += score);
            match labels.get(part.place) {
                Some(cluster) => {
                    let sums = &mut sums[cluster as usize * p..(cluster as usize + 1) * p];
                    sums.iter_mut().zip(part.score).for_each(|(sum, score)| *sum += score);
                }
                None => add_square(&mut meat.matrix, part.score),
            }
            Ok(())
        })?;
        let stride = rows_per_interrupt(p);
        for (i, sum) in sums.chunks_exact(p).enumerate() {
            if i % stride == 0 {
                interrupt()?;
            }
            add_square(&mut meat.matrix, sum);
        }
        for i in 0..p {
            for j in 0..i {
                meat.matrix[j * p + i] = meat.matrix[i * p + j];
            }
        }
        meat.clusters += (0..design.len()).filter(|row| labels.get(*row).is_none()).count();
        Ok(meat)
    }
}
