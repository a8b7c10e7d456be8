//! For how long ahead a model answers. A horizon or an age that would not count is refused, never passed over.

use crate::model::scoring::check_window;
use crate::model::segments::Standing;
use crate::model::{Fit, Model};
use crate::{Error, Result};

/// The horizon of a call that names none, in the unit of the durations.
const USUAL: f64 = 12.0;

impl Model {
    /// The horizon for which the model answers when it is `asked` for one, or for none: that, or 12, in the unit of the
    /// durations; of a hybrid the months of its own terms; `None` for amounts, and for a hybrid without terms.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a horizon that is not finite and above 0, one that is not that of the hybrid, and any for a
    /// model of amounts.
    pub fn horizon(&self, asked: Option<f64>) -> Result<Option<f64>> {
        if let Some(asked) = asked {
            check_window(0.0, asked)?;
        }
        match (&self.of_all().fit, asked) {
            (Fit::Hybrid(fit), asked) => {
                let own = fit.terms()?.map(|terms| f64::from(terms.plain.horizon));
                match (own, asked) {
                    (Some(own), Some(asked)) if own != asked => Err(Error::invalid(
                        format!("this hybrid model values the next {own} months, as its terms say, not {asked}"),
                        "Leave the horizon out, or value rows under terms with another one: hybrid_value(model, row, contract_terms(...)).",
                    )),
                    (own, _) => Ok(own),
                }
            }
            (Fit::Amount(_) | Fit::TwoPart(_) | Fit::BoostedValue(_), Some(asked)) => Err(Error::invalid(
                format!("a {} model tells of amounts and has no horizon, got {asked}", self.algorithm()),
                "Leave the horizon out: the amount is the one that it was trained on.",
            )),
            (Fit::Amount(_) | Fit::TwoPart(_) | Fit::BoostedValue(_), None) => Ok(None),
            (_, asked) => Ok(Some(asked.unwrap_or(USUAL))),
        }
    }

    /// Until when the incidence of a model of one cause is known, of one with segments in the longest of them: nobody has a
    /// score beyond. `None` for all other models.
    pub fn known_until(&self) -> Option<f64> {
        match &self.fit {
            Fit::FineGray(fit) => Some(fit.baseline.max_followup),
            Fit::Segmented(segmented) => {
                let own = segmented.segments.iter().filter_map(|segment| match &segment.standing {
                    Standing::Own(model) => Some(model),
                    _ => None,
                });
                own.chain([&segmented.pooled]).filter_map(Model::known_until).reduce(f64::max)
            }
            _ => None,
        }
    }

    /// Whether the model can be asked of a contract that has lasted `given`; 0 is what a call says that names no age.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an age that is not finite or below 0, and one above 0 for a model that knows none, or that is
    /// not the age in the terms of a hybrid.
    pub fn check_age(&self, given: f64) -> Result<()> {
        check_window(given, USUAL)?;
        let own = match &self.of_all().fit {
            Fit::Hybrid(fit) => fit.terms()?.map_or(0.0, |terms| terms.plain.given),
            Fit::Amount(_) | Fit::TwoPart(_) | Fit::BoostedValue(_) => 0.0,
            _ => return Ok(()),
        };
        if given == 0.0 || given == own {
            return Ok(());
        }
        Err(match &self.fit {
            Fit::Hybrid(_) => Error::invalid(
                format!("this hybrid model values a contract of age {own}, as its terms say, not {given}"),
                "Leave given out, or value rows under terms with another age: hybrid_value(model, row, contract_terms(..., given => ...)).",
            ),
            _ => Error::invalid(
                format!("a {} model knows no age: given must be left out, got {given}", self.algorithm()),
                "An age that matters is a feature of a model of amounts.",
            ),
        })
    }
}
