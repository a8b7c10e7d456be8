//! What training saw in the columns that a model reads as texts.

use crate::Result;
use crate::model::features::{Feature, Kind};
use crate::model::{Fit, Model};

impl Model {
    /// The texts that training saw in a column, in byte order, of a hybrid those of all components; `None` for a column that
    /// is no text to it.
    ///
    /// # Errors
    /// [`crate::Error::Malformed`] for a hybrid whose components are no models.
    pub fn levels(&self, name: &str) -> Result<Option<Vec<String>>> {
        if !self.features.iter().any(|feature| feature.name == name && feature.kind.is_text()) {
            return Ok(None);
        }
        let mut found = Vec::new();
        let mut all = |model: &Model| {
            found
                .extend(model.features.iter().filter(|feature| feature.name == name).flat_map(|one| texts(model, one)));
        };
        match &self.fit {
            Fit::Hybrid(hybrid) => {
                for component in &hybrid.components {
                    all(component.model()?);
                }
            }
            _ => all(self),
        }
        found.sort_unstable();
        found.dedup();
        Ok(Some(found))
    }
}

/// What a model that is no hybrid has seen in a column that it reads as a text.
pub(super) fn texts(model: &Model, feature: &Feature) -> Vec<String> {
    match (&feature.kind, &model.fit) {
        (Kind::Stratum, Fit::Cox(fit)) => fit.strata.clone(),
        (Kind::Segment, Fit::Segmented(segmented)) => {
            let at = model.features.iter().position(|other| other.name == feature.name).unwrap_or(0);
            segmented.segments.iter().filter_map(|segment| segment.levels.get(at).cloned()).collect()
        }
        (kind, _) => kind.levels().unwrap_or_default().to_vec(),
    }
}
