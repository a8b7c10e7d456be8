//! The Kaplan–Meier model: one observed curve per combination of categories, the honest baseline.

use serde::{Deserialize, Serialize};

use crate::survival::{Sample, Steps, kaplan_meier};
use crate::{Error, Result};

/// One cohort: the levels of the model's features, in their order, and its curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cohort {
    pub levels: Vec<String>,
    pub subjects: f64,
    pub events: f64,
    pub curve: Steps,
}

/// The cohorts in byte order of their levels. Without features there is one, of all rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cohorts {
    pub cohorts: Vec<Cohort>,
}

impl Cohorts {
    /// Reads the curve off each sample; beyond its observed time a cohort goes on with its average hazard.
    pub fn fit(samples: Vec<(Vec<String>, Sample)>) -> Result<Cohorts> {
        let mut cohorts = Vec::with_capacity(samples.len());
        for (levels, sample) in samples {
            let (subjects, events) = (sample.subjects(), sample.events());
            if let Some(steps) = kaplan_meier::steps(&sample) {
                cohorts.push(Cohort { levels, subjects, events, curve: steps.with_average_tail() });
            }
        }
        if cohorts.is_empty() {
            return Err(Error::invalid("there are no rows to fit", "Check the filter of the source and its NULLs."));
        }
        cohorts.sort_by(|a, b| a.levels.cmp(&b.levels));
        Ok(Cohorts { cohorts })
    }

    /// The cohort of these levels, if training saw it.
    pub fn find(&self, levels: &[&str]) -> Option<&Cohort> {
        let order = |cohort: &Cohort| cohort.levels.iter().map(String::as_str).cmp(levels.iter().copied());
        self.cohorts.binary_search_by(order).ok().map(|at| &self.cohorts[at])
    }

    pub fn validate(&self, features: usize) -> Result<()> {
        let sorted = self.cohorts.windows(2).all(|pair| pair[0].levels < pair[1].levels);
        let counted = |count: f64| count.is_finite() && count >= 0.0;
        let shaped = self.cohorts.iter().all(|cohort| {
            cohort.levels.len() == features
                && cohort.curve.rank == 0
                && counted(cohort.subjects)
                && counted(cohort.events)
                && cohort.levels.iter().all(|level| !level.contains('\0'))
        });
        if !(sorted && shaped && !self.cohorts.is_empty()) {
            return Err(Error::malformed("the cohorts of a Kaplan–Meier model do not fit its features"));
        }
        self.cohorts.iter().try_for_each(|cohort| cohort.curve.validate())
    }
}

impl Steps {
    /// # Errors
    /// [`Error::Malformed`] unless lengths agree, times rise, survival falls within [0, 1].
    pub fn validate(&self) -> Result<()> {
        let steps = self.times.len();
        let shaped = self.survival.len() == steps
            && self.cumulative_hazard.len() == steps
            && (self.variance.is_empty() || self.variance.len() == steps)
            && steps.checked_mul(self.rank) == Some(self.loadings.len());
        let ordered = self.times.windows(2).all(|pair| pair[0] < pair[1])
            && self.times.first().is_none_or(|first| *first >= 0.0)
            && self.times.last().is_none_or(|last| *last <= self.max_followup)
            && self.max_followup.is_finite()
            && self.max_followup >= 0.0
            && self.survival.windows(2).all(|pair| pair[0] >= pair[1])
            && self.survival.iter().all(|survival| (0.0..=1.0).contains(survival))
            && self.cumulative_hazard.iter().all(|hazard| *hazard >= 0.0)
            && self.variance.iter().all(|variance| *variance >= 0.0);
        if shaped && ordered && self.tail.is_valid() {
            Ok(())
        } else {
            Err(Error::malformed("a stored curve is not a survival curve"))
        }
    }
}
