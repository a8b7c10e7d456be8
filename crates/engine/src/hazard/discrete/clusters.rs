//! The errors of a fit of decisions by clusters: several decisions of one account tell less than as many of others.
//!
//! See [`sandwich`](mod@crate::hazard::sandwich). Levels are those of the row at the mean of the covariates in their period,
//! weighted by information: by the model's own covariance they are then independent of the coefficients, and of each
//! other, so that the bread has no blocks but the coefficients'. That of single decisions with errors by clusters has the
//! same form around another row.

use crate::hazard::discrete::curve::bounded;
use crate::hazard::discrete::rows::Rows;
use crate::hazard::discrete::{DiscreteFit, Uncertainty};
use crate::hazard::labels::Labels;
use crate::hazard::sandwich::{Clustered, has_full_rank, meat, sandwich, wald_test};
use crate::numeric::linear::RankedCholesky;
use crate::{Error, Interrupt, Result};

/// Levels and coefficients of several periods whose covariance is kept whole; a curve has so many loadings per period.
const MOST_TERMS: usize = 300;

impl DiscreteFit {
    /// Makes the errors those by clusters; `observed` is the same fit with the errors of the information that was observed.
    /// Where their covariance has not full rank it is kept aside, and a fit without finite errors, as one that is separated
    /// may be, stays as it is.
    pub(super) fn take_clusters(
        &mut self,
        observed: DiscreteFit,
        rows: &Rows,
        labels: &Labels,
        interrupt: Interrupt,
    ) -> Result<()> {
        let (p, bread, kept) = (self.means.len(), observed.bread()?, observed.kept());
        let size = bread.len().isqrt();
        let q = size - p;
        let add = |row: usize, sum: &mut [f64]| observed.add_score(rows, row, q, sum);
        let (meat, clusters) = meat(labels, rows.len(), size, &mut *interrupt, add)?;
        let covariance = sandwich(&bread, &meat, size, interrupt)?;
        if covariance.iter().any(|value| !value.is_finite()) {
            return Ok(());
        }
        let (own, mut by_clusters) = (self.told_errors(), observed);
        by_clusters.take_covariance(covariance.clone(), q);
        let columns: Vec<usize> = kept.iter().filter_map(|column| column.checked_sub(q)).collect();
        let coefficients: Vec<f64> = self.coefficients.iter().map(|coefficient| coefficient.unwrap_or(0.0)).collect();
        by_clusters.wald_test = wald_test(&by_clusters.covariance, &coefficients, &columns);
        let errors = by_clusters.told_errors();
        if has_full_rank(&covariance, size, &kept) {
            *self = by_clusters;
            if self.periods() == 1 {
                self.decorrelate();
            }
            self.clustered = Some(Clustered { clusters, own, aside: Vec::new() });
        } else {
            self.wald_test = by_clusters.wald_test;
            self.clustered = Some(Clustered { clusters, own, aside: errors });
        }
        Ok(())
    }

    /// The model's own covariance of levels (or the coefficients of a smooth baseline) and coefficients.
    fn bread(&self) -> Result<Vec<f64>> {
        let p = self.means.len();
        match &self.baseline.uncertainty {
            Uncertainty::Levels { information, .. } => {
                let q = information.len();
                let size = q + p;
                if q > 1 && size > MOST_TERMS {
                    return Err(Error::invalid(
                        format!("{q} periods and {p} coefficients are too many for errors by clusters"),
                        format!(
                            "At most {MOST_TERMS} together: choose a smooth baseline, as linear or spline, or a longer period."
                        ),
                    ));
                }
                let mut bread = vec![0.0; size * size];
                for (period, information) in information.iter().enumerate().filter(|(_, known)| **known > 0.0) {
                    bread[period * (size + 1)] = 1.0 / information;
                }
                for (i, row) in self.covariance.chunks_exact(p.max(1)).enumerate() {
                    bread[(q + i) * size + q..][..p].copy_from_slice(row);
                }
                Ok(bread)
            }
            Uncertainty::Smooth { covariance, .. } | Uncertainty::Joint { covariance, .. } => Ok(covariance.clone()),
        }
    }

    /// The columns of the bread of which something is known.
    fn kept(&self) -> Vec<usize> {
        let of_coefficients = |q: usize| {
            self.coefficients.iter().enumerate().filter(|(_, known)| known.is_some()).map(move |(i, _)| q + i)
        };
        match &self.baseline.uncertainty {
            Uncertainty::Levels { information, .. } => {
                let levels = (0..information.len()).filter(|period| information[*period] > 0.0);
                levels.chain(of_coefficients(information.len())).collect()
            }
            Uncertainty::Smooth { coefficients, .. } => {
                (0..coefficients.len()).chain(of_coefficients(coefficients.len())).collect()
            }
            Uncertainty::Joint { .. } => Vec::new(),
        }
    }

    /// Adds what a row adds to the derivatives of the log-likelihood by the columns of the bread.
    fn add_score(&self, rows: &Rows, row: usize, q: usize, sum: &mut [f64]) {
        let p = self.means.len();
        let x = &rows.x[row * p..][..p];
        let eta = self.linear_predictor(x) + rows.offsets.get(row).copied().unwrap_or(0.0);
        let (first, end) = rows.span(row);
        for period in first..end {
            let Some(level) = self.baseline.levels[period] else { continue };
            let happens = rows.events[row] && period + 1 == end;
            let at = bounded(level + eta);
            let slope = if happens { -self.link.failure_hazard(at).1 } else { -self.link.hazard(at).1 };
            let residual = rows.weight(row) * slope;
            let (levels, coefficients) = sum.split_at_mut(q);
            let centred = x.iter().zip(&self.means).map(|(x, mean)| x - mean);
            match &self.baseline.uncertainty {
                Uncertainty::Levels { means, .. } | Uncertainty::Joint { means, .. } => {
                    levels[period] += residual;
                    let distances = centred.zip(&means[period * p..]).map(|(x, mean)| x - mean);
                    coefficients.iter_mut().zip(distances).for_each(|(sum, x)| *sum += residual * x);
                }
                Uncertainty::Smooth { columns, .. } => {
                    let columns = &columns[period * q..][..q];
                    levels.iter_mut().zip(columns).for_each(|(sum, column)| *sum += residual * column);
                    coefficients.iter_mut().zip(centred).for_each(|(sum, x)| *sum += residual * x);
                }
            }
        }
    }

    /// Puts another covariance of the columns of the bread in the place of the model's own.
    fn take_covariance(&mut self, joint: Vec<f64>, q: usize) {
        let p = self.means.len();
        let size = q + p;
        for (i, row) in self.covariance.chunks_exact_mut(p.max(1)).enumerate() {
            row.copy_from_slice(&joint[(q + i) * size + q..][..p]);
        }
        match &mut self.baseline.uncertainty {
            Uncertainty::Smooth { covariance, .. } | Uncertainty::Joint { covariance, .. } => *covariance = joint,
            Uncertainty::Levels { means, .. } => {
                let means = std::mem::take(means);
                self.baseline.uncertainty = Uncertainty::Joint { means, covariance: joint };
            }
        }
    }

    /// Of a single decision: the row whose level is independent of the coefficients, found by completing the square.
    fn decorrelate(&mut self) {
        let p = self.means.len();
        let Uncertainty::Joint { means, covariance } = &self.baseline.uncertainty else { return };
        let with_level = &covariance[1..=p];
        let active = (0..p).filter(|i| self.coefficients[*i].is_some()).collect();
        let shift = RankedCholesky::of_columns(&self.covariance, p, active).solve(with_level);
        let explained: f64 = shift.iter().zip(with_level).map(|(a, b)| a * b).sum();
        let means = means.iter().zip(&shift).map(|(mean, shift)| mean - shift).collect();
        self.baseline.uncertainty = Uncertainty::Levels { information: vec![1.0 / (covariance[0] - explained)], means };
    }

    /// The standard errors of the terms of the baseline and the coefficients, 0 where there is none.
    fn told_errors(&self) -> Vec<f64> {
        let baseline = self.baseline_terms().into_iter().map(|term| term.std_error);
        let coefficients = (0..self.means.len()).map(|i| self.standard_error(i));
        baseline.chain(coefficients).map(|error| error.filter(|error| error.is_finite()).unwrap_or(0.0)).collect()
    }
}
