//! Which fits of a model have errors by clusters.

use crate::hazard::sandwich::Clustered;
use crate::model::segments::Standing;
use crate::model::{Fit, Model};
use crate::{Error, Result};

impl Model {
    /// How many clusters its standard errors take rows together by; `None` where these count as independent. Of a model
    /// with segments that of all rows.
    pub fn cluster_count(&self) -> Option<usize> {
        match &self.fit {
            Fit::Cox(fit) => fit.robust.as_ref().map(|robust| robust.clusters),
            _ => self.clusters().into_iter().next().flatten().map(|clustered| clustered.clusters),
        }
    }

    /// Whether what it says of rows keeps the model's own errors because those by clusters have not full rank. (A Cox model
    /// sees to that itself.)
    pub fn keeps_own_errors(&self) -> bool {
        self.clusters().into_iter().next().flatten().is_some_and(|clustered| !clustered.is_used())
    }

    /// What each fit tells of clusters that is not stored with it: its own, or of a model with segments that of all rows,
    /// then those of the segments with a model of their own.
    pub fn clusters(&self) -> Vec<Option<&Clustered>> {
        match &self.fit {
            Fit::Renewal(fit) | Fit::DiscreteTime(fit) => vec![fit.clustered.as_ref()],
            Fit::Parametric(fit) => vec![fit.clustered.as_ref()],
            Fit::Amount(fit) => vec![fit.clustered.as_ref()],
            Fit::Segmented(segmented) => {
                let own = segmented.segments.iter().filter_map(|segment| segment.model());
                std::iter::once(&segmented.pooled).chain(own).flat_map(Model::clusters).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Puts what [`Model::clusters`] told back in its place.
    ///
    /// # Errors
    /// [`Error::Malformed`] when there is more or less of it than there are fits.
    pub fn take_clusters(&mut self, clusters: Vec<Option<Clustered>>) -> Result<()> {
        let differ = || Error::malformed("the fits of a model and what is told of their clusters differ in number");
        let mut rest = clusters.into_iter();
        self.each_fit(&mut |place| {
            *place = rest.next().ok_or_else(differ)?;
            Ok(())
        })?;
        if rest.next().is_none() { Ok(()) } else { Err(differ()) }
    }

    fn each_fit(&mut self, take: &mut dyn FnMut(&mut Option<Clustered>) -> Result<()>) -> Result<()> {
        match &mut self.fit {
            Fit::Renewal(fit) | Fit::DiscreteTime(fit) => take(&mut fit.clustered),
            Fit::Parametric(fit) => take(&mut fit.clustered),
            Fit::Amount(fit) => take(&mut fit.clustered),
            Fit::Segmented(segmented) => {
                segmented.pooled.each_fit(take)?;
                for segment in &mut segmented.segments {
                    if let Standing::Own(model) | Standing::Shrunken { model, .. } = &mut segment.standing {
                        model.each_fit(take)?;
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
