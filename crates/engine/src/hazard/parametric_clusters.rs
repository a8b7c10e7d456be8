//! The errors of a parametric model by clusters: rows of one account tell less than as many of others.
//!
//! See [`sandwich`](mod@crate::hazard::sandwich); R's `survreg(…, cluster =)`, whose residuals of type `dfbeta` are the
//! scores times the model's own covariance.

use crate::hazard::cox::Status;
use crate::hazard::parametric::{ParametricFit, Search};
use crate::hazard::parametric_fit::{scaled_covariance, unscale};
use crate::hazard::parametric_likelihood::{Layout, Rows, Scores};
use crate::hazard::sandwich::{Clustered, has_full_rank, meat, sandwich};
use crate::{Interrupt, Result};

impl ParametricFit {
    /// Makes the errors those by clusters. Where their covariance has not full rank it is kept aside, and a fit without
    /// finite errors, as one that is separated may be, stays as it is.
    pub(super) fn take_clusters(
        &mut self,
        rows: &Rows,
        search: &Search,
        full: &Layout,
        interrupt: Interrupt,
    ) -> Result<()> {
        if self.status == Status::NoEvents {
            return Ok(());
        }
        let distribution = self.distribution.clone();
        let (size, labels) = (search.layout.len(), rows.design.clusters());
        let mut scores = Scores::new(rows, &distribution, &search.layout, &search.best.beta);
        let (meat, clusters) = meat(labels, rows.design.len(), size, &mut *interrupt, |row, sum| scores.add(row, sum))?;
        let covariance = sandwich(&scaled_covariance(&search.best), &meat, size, interrupt)?;
        let mut by_clusters = self.clone();
        unscale(&mut by_clusters, rows, &search.layout, full, &search.best, &covariance);
        if by_clusters.covariance.iter().any(|value| !value.is_finite()) {
            return Ok(());
        }
        let (own, errors) = (self.told_errors(), by_clusters.told_errors());
        if has_full_rank(&covariance, size, &(0..size).collect::<Vec<usize>>()) {
            *self = by_clusters;
            self.clustered = Some(Clustered { clusters, own, aside: Vec::new() });
        } else {
            self.clustered = Some(Clustered { clusters, own, aside: errors });
        }
        Ok(())
    }

    /// The standard errors of the coefficients, 0 where there is none.
    fn told_errors(&self) -> Vec<f64> {
        let size = self.coefficients.len();
        let errors = (0..size).map(|i| self.covariance[i * (size + 1)].sqrt());
        errors.map(|error| if error.is_finite() { error } else { 0.0 }).collect()
    }
}
