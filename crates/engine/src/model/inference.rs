//! What is read off a fitted model together with the rows it was fitted to, or with others like them.

use crate::assess::concordance::Outcomes;
use crate::assess::concordance_error::{Estimated, estimated};
use crate::hazard::cox::CoxFit;
use crate::hazard::design::Design;
use crate::hazard::proportionality::{TermTest, Transform, proportional_hazards_test};
use crate::hazard::residuals::{Residual, Residuals, residuals};
use crate::memory::Room;
use crate::model::{Fit, Model, naming};
use crate::{Error, Interrupt, Result};

impl Model {
    fn cox(&self, what: &str) -> Result<&CoxFit> {
        match &self.fit {
            Fit::Cox(fit) => Ok(fit),
            _ => Err(Error::invalid(
                format!("a {} model has no {what}", self.algorithm()),
                "Only a Cox model has: see fit_cox.",
            )),
        }
    }

    /// The residuals of the rows to which the model was fitted; see [`residuals`].
    pub fn cox_residuals(&self, design: &Design, kind: Residual, interrupt: Interrupt) -> Result<Residuals> {
        residuals(design, self.cox("residuals")?, kind, interrupt)
    }

    /// The test of proportional hazards of each term and of all together, under the name `GLOBAL`.
    ///
    /// The columns of one feature are one term; with `names`, one per column, those of one name are. A term without
    /// coefficients is left out.
    pub fn proportional_hazards_test(
        &self,
        design: &Design,
        transform: Transform,
        names: Option<&[String]>,
        interrupt: Interrupt,
    ) -> Result<Vec<(String, TermTest)>> {
        let fit = self.cox("test of proportional hazards")?;
        let features = || self.features.iter().flat_map(|feature| vec![feature.name.clone(); feature.columns()]);
        let of_columns = names.map_or_else(|| features().collect(), <[String]>::to_vec);
        naming::one_each(of_columns.len(), fit.coefficients.len())?;
        let mut terms: Vec<(String, Vec<usize>)> = Vec::new();
        for (column, name) in of_columns.into_iter().enumerate() {
            if fit.coefficients[column].is_none() {
                continue;
            }
            match terms.iter_mut().find(|(known, _)| *known == name) {
                Some((_, columns)) => columns.push(column),
                None => terms.push((name, vec![column])),
            }
        }
        let (mut names, columns): (Vec<String>, Vec<Vec<usize>>) = terms.into_iter().unzip();
        names.push("GLOBAL".into());
        let tests = proportional_hazards_test(design, fit, transform, &columns, interrupt)?;
        Ok(names.into_iter().zip(tests).collect())
    }

    /// How well the model orders the rows of a design by who has the event first; with a standard error that counts the
    /// rows of a cluster together. The design may be another than the one that was fitted.
    pub fn concordance(&self, design: &Design, interrupt: Interrupt) -> Result<Estimated> {
        let fit = self.cox("linear predictor")?;
        if design.covariates() != fit.coefficients.len() || !design.uppers().is_empty() {
            return Err(Error::invalid(
                format!(
                    "the model has {} covariates, the design {}",
                    fit.coefficients.len(),
                    if design.uppers().is_empty() { design.covariates().to_string() } else { "intervals".into() }
                ),
                "Give a design with the covariates of the model in their order, and exact or right-censored times.",
            ));
        }
        let rows = design.len();
        let (mut risks, mut strata, mut clusters) = (Vec::new(), Vec::new(), Vec::new());
        let no_memory = |_| Error::NoMemory(format!("no memory is left for the risks of {rows} rows"));
        risks.exact_room(rows).map_err(no_memory)?;
        strata.exact_room(design.strata().len()).map_err(no_memory)?;
        clusters.exact_room(design.clusters().len()).map_err(no_memory)?;
        let offset = |row: usize| design.offsets().get(row).copied().unwrap_or(0.0);
        let x = design.x().chunks_exact(design.covariates().max(1));
        risks.extend(x.enumerate().map(|(row, x)| fit.linear_predictor(x) + offset(row)));
        strata.extend((0..design.strata().len()).map(|row| design.strata().get(row).unwrap_or(0)));
        clusters.extend((0..design.clusters().len()).map(|row| design.clusters().get(row)));
        let outcomes = Outcomes {
            exits: design.exits(),
            events: design.events(),
            entries: design.entries(),
            weights: design.weights(),
        };
        estimated(outcomes, &risks, &strata, &clusters, interrupt)
    }
}
