//! The errors of a model of amounts by clusters: several amounts of one account tell less than as many of others.
//!
//! See [`sandwich`](mod@crate::hazard::sandwich). The scores are those of the quasi-likelihood with φ = 1, as is the bread:
//! φ cancels, and so the covariance by clusters is not to be multiplied by it. Its tests and limits are by the normal law.

use crate::amount::newton::Maximum;
use crate::amount::rows::{Information, Rows};
use crate::amount::{AmountFit, Family};
use crate::hazard::cox::Status;
use crate::hazard::sandwich::{Clustered, has_full_rank, meat, sandwich};
use crate::numeric::linear::RankedCholesky;
use crate::{Interrupt, Result};

impl AmountFit {
    /// Makes the errors those by clusters. Where their covariance has not full rank it is kept aside; a fit without finite
    /// errors or of rows that are met exactly stays as it is.
    pub(super) fn take_clusters(&mut self, rows: &Rows, maximum: &Maximum, interrupt: Interrupt) -> Result<()> {
        let exactly = self.log_likelihood.is_none() && !matches!(self.family, Family::Tweedie { .. });
        if self.status == Status::NoEvents || exactly {
            return Ok(());
        }
        let size = maximum.theta.len();
        let labels = rows.design.clusters();
        let mut z = vec![1.0; size];
        let (meat, clusters) = meat(labels, rows.len(), size, &mut *interrupt, |row, sum| {
            let slope = rows.slope(row, &maximum.theta, &mut z);
            sum.iter_mut().zip(&z).for_each(|(sum, z)| *sum += slope * z);
        })?;
        let Some(observed) = rows.look(&maximum.theta, Information::Observed, &mut *interrupt)? else { return Ok(()) };
        let kept: Vec<usize> = std::iter::once(0).chain(maximum.active.iter().map(|i| 1 + i)).collect();
        let bread = RankedCholesky::of_columns(&observed.information, size, kept.clone()).inverse();
        let mut covariance = sandwich(&bread, &meat, size, interrupt)?;
        let unit = |i: usize| {
            let stretch = if self.family.has_log_link() { 1.0 } else { rows.unit };
            stretch * if i == 0 { 1.0 } else { rows.scales[i - 1] }
        };
        (0..size * size).for_each(|at| covariance[at] *= unit(at / size) * unit(at % size));
        if covariance.iter().any(|value| !value.is_finite()) {
            return Ok(());
        }
        let own = self.told_errors();
        let full = has_full_rank(&covariance, size, &kept);
        let aside = std::mem::replace(&mut self.covariance, covariance);
        self.clustered = Some(Clustered { clusters, own, aside: Vec::new() });
        if !full {
            let errors = self.told_errors();
            self.covariance = aside;
            self.clustered.iter_mut().for_each(|clustered| clustered.aside.clone_from(&errors));
        }
        Ok(())
    }

    /// The standard errors of the intercept and the coefficients, 0 where there is none.
    fn told_errors(&self) -> Vec<f64> {
        let coefficients = (0..self.means.len()).map(|i| self.standard_error(i));
        let all = std::iter::once(self.intercept().1).chain(coefficients);
        all.map(|error| error.filter(|error| error.is_finite()).unwrap_or(0.0)).collect()
    }
}
