//! The sandwich: the covariance of estimates by maximum likelihood whose rows are not independent.
//!
//! V = B (Σ u u') B, B the inverse of the observed information and u the sum of the scores of the rows of one cluster
//! (Huber 1967; White 1982, *Maximum likelihood estimation of misspecified models*, Econometrica 50; Liang & Zeger 1986,
//! *Longitudinal data analysis using generalized linear models*, Biometrika 73, §2, independence being the working
//! correlation). There is no correction for small samples, as there is none in [`robust`](crate::hazard::robust) of a Cox
//! model nor in R's `coxph` and `survreg` with `cluster`: what statsmodels' `cov_type="cluster"` is with
//! `use_correction=False`. (Where link and family are not each other's own, R's package sandwich has Fisher's information
//! in B.) A row of weight w is w rows of its cluster.

use serde::{Deserialize, Serialize};

use crate::hazard::design::Design;
use crate::hazard::labels::Labels;
use crate::hazard::score_parts::rows_per_interrupt;
use crate::hazard::timeline::reserve;
use crate::numeric::linear::{RankedCholesky, collinearity_tolerance};
use crate::{Error, Interrupt, Result};

/// A coefficient whose variance, given those before it, is this share of what it is alone is determined by them.
const NOTHING_LEFT: f64 = 1e-10;

/// What a fit whose errors are by clusters keeps beside them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Clustered {
    /// A row without a cluster is one of its own.
    pub clusters: usize,
    /// Standard errors by the model, of everything that is told of as a coefficient, in its order; 0 where there is none.
    pub own: Vec<f64>,
    /// The same by clusters, where their covariance has not full rank – too few clusters, or a covariate of one of them
    /// alone – and what is said of rows keeps the model's own. Empty where the fit's covariance is that by clusters.
    pub aside: Vec<f64>,
}

impl Clustered {
    /// Whether the covariance of the fit is that by clusters.
    pub fn is_used(&self) -> bool {
        self.aside.is_empty()
    }

    pub(crate) fn is_valid(&self, told: usize) -> bool {
        let sound = |errors: &[f64]| errors.iter().all(|error| *error >= 0.0 && error.is_finite());
        self.own.len() == told
            && (self.aside.is_empty() || self.aside.len() == told)
            && self.clusters > 0
            && sound(&self.own)
            && sound(&self.aside)
    }
}

/// The standard errors of what is told at place `at` by the model and by clusters, `of_fit` being the one of the fit's
/// covariance.
pub(crate) fn errors(clustered: Option<&Clustered>, at: usize, of_fit: Option<f64>) -> [Option<f64>; 2] {
    match clustered {
        None => [of_fit, None],
        Some(clustered) if clustered.is_used() => [clustered.own.get(at).copied(), of_fit],
        Some(clustered) => [of_fit, clustered.aside.get(at).copied()],
    }
}

/// Whether errors are to be by clusters: if asked for, or with `None`, where a row has a cluster.
///
/// # Errors
/// [`Error::Invalid`] with a penalty, whose bias no covariance tells.
pub(crate) fn wanted(design: &Design, robust: Option<bool>, penalty: f64) -> Result<bool> {
    let wanted = robust.unwrap_or(!design.clusters().names().is_empty());
    if wanted && penalty > 0.0 {
        return Err(Error::invalid(
            "there is no robust variance with a penalty",
            "Use no penalty, or robust => false and no cluster.",
        ));
    }
    Ok(wanted)
}

/// Σ u u' over the clusters, and how many there are; `add` adds the score of a row to a vector of so many numbers.
pub(crate) fn meat(
    labels: &Labels,
    rows: usize,
    size: usize,
    interrupt: Interrupt,
    mut add: impl FnMut(usize, &mut [f64]),
) -> Result<(Vec<f64>, usize)> {
    let order = by_cluster(labels, rows)?;
    let mut clusters = labels.names().len();
    let (mut meat, mut sum) = (vec![0.0; size * size], vec![0.0; size]);
    let stride = rows_per_interrupt(size);
    for (at, row) in order.iter().enumerate() {
        if at % stride == 0 {
            interrupt()?;
        }
        add(*row, &mut sum);
        let own = labels.get(*row);
        clusters += usize::from(own.is_none());
        let is_last = own.is_none() || order.get(at + 1).is_none_or(|next| labels.get(*next) != own);
        if is_last {
            add_square(&mut meat, &sum);
            sum.fill(0.0);
        }
    }
    for i in 0..size {
        for j in 0..i {
            meat[j * size + i] = meat[i * size + j];
        }
    }
    Ok((meat, clusters))
}

/// The rows, those of one cluster together.
fn by_cluster(labels: &Labels, rows: usize) -> Result<Vec<usize>> {
    let mut order = Vec::new();
    reserve(&mut order, rows)?;
    order.extend(0..rows);
    if !labels.names().is_empty() {
        let mut starts: Vec<usize> = Vec::new();
        let named = labels.names().len();
        reserve(&mut starts, named + 1)?;
        starts.resize(named + 1, 0);
        let place = |row: usize| labels.get(row).map_or(named, |code| code as usize);
        (0..rows).for_each(|row| starts[place(row)] += 1);
        let mut before = 0;
        for start in &mut starts {
            before += std::mem::replace(start, before);
        }
        for row in 0..rows {
            let start = &mut starts[place(row)];
            order[*start] = row;
            *start += 1;
        }
    }
    Ok(order)
}

/// B M B, symmetric to the last bit.
pub(crate) fn sandwich(bread: &[f64], meat: &[f64], size: usize, interrupt: Interrupt) -> Result<Vec<f64>> {
    let inner = product(meat, bread, size, interrupt)?;
    let mut whole = product(bread, &inner, size, interrupt)?;
    for i in 0..size {
        for j in 0..i {
            let both = (whole[i * size + j] + whole[j * size + i]) / 2.0;
            (whole[i * size + j], whole[j * size + i]) = (both, both);
        }
        // A variance of 0 may come out below it by rounding.
        whole[i * (size + 1)] = whole[i * (size + 1)].max(0.0);
    }
    Ok(whole)
}

/// Whether no combination of the columns is without variance.
pub(crate) fn has_full_rank(covariance: &[f64], size: usize, columns: &[usize]) -> bool {
    let factor = RankedCholesky::of_columns(covariance, size, columns.to_vec());
    let (rank, lower) = (factor.rank(), factor.lower());
    let left = |(k, column): (usize, &usize)| lower[k * (rank + 1)].powi(2) / covariance[column * (size + 1)];
    rank == columns.len() && columns.iter().enumerate().map(left).all(|left| left > NOTHING_LEFT)
}

/// Wald's statistic β' V⁻¹ β of the coefficients at `columns`, whatever their units; combinations without variance are
/// left out.
pub(crate) fn wald_test(covariance: &[f64], coefficients: &[f64], columns: &[usize]) -> f64 {
    let size = coefficients.len();
    let error = |i: usize| covariance[i * (size + 1)].sqrt();
    let known: Vec<usize> = columns.iter().copied().filter(|i| error(*i) > 0.0).collect();
    let pairs = known.iter().flat_map(|i| known.iter().map(move |j| (*i, *j)));
    let correlations: Vec<f64> = pairs.map(|(i, j)| covariance[i * size + j] / (error(i) * error(j))).collect();
    let z: Vec<f64> = known.iter().map(|i| coefficients[*i] / error(*i)).collect();
    let solved = RankedCholesky::new(&correlations, known.len(), collinearity_tolerance()).solve(&z);
    solved.iter().zip(&z).map(|(a, b)| a * b).sum::<f64>().max(0.0)
}

/// Adds the lower triangle of u u'.
pub(super) fn add_square(matrix: &mut [f64], u: &[f64]) {
    for (i, row) in matrix.chunks_exact_mut(u.len().max(1)).enumerate().filter(|(i, _)| u[*i] != 0.0) {
        let scale = u[i];
        row.iter_mut().zip(&u[..=i]).for_each(|(sum, value)| *sum += scale * value);
    }
}

/// The product of two p × p matrices.
pub(super) fn product(a: &[f64], b: &[f64], p: usize, interrupt: Interrupt) -> Result<Vec<f64>> {
    let mut product = vec![0.0; p * p];
    for (row, a) in product.chunks_exact_mut(p.max(1)).zip(a.chunks_exact(p.max(1))) {
        interrupt()?;
        for (a, b) in a.iter().zip(b.chunks_exact(p)) {
            row.iter_mut().zip(b).for_each(|(sum, b)| *sum += a * b);
        }
    }
    Ok(product)
}
