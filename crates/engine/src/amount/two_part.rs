//! The two-part model: whether there is an amount, and how much when there is.

use serde::{Deserialize, Serialize};

use crate::amount::fit::check_amounts;
use crate::amount::{AmountFit, Family, Options, fit};
use crate::hazard::design::Design;
use crate::hazard::discrete::{self, DiscreteFit};
use crate::hazard::link::Link;
use crate::{Error, Interrupt, Result};

/// The two fits; they share no parameter, so each is as if alone (Duan, Manning, Morris & Newhouse 1983, *A comparison of
/// alternative models for the demand for medical care*, Journal of Business & Economic Statistics 1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TwoPartFit {
    /// Logistic regression of amount > 0, the event.
    pub occurrence: DiscreteFit,
    /// Of the amounts greater than 0; `None` when there are none.
    pub amount: Option<AmountFit>,
}

/// Fits both parts: the logit of amount > 0 over all rows, and `amounts` (gamma or linear) over those where it is.
///
/// # Errors
/// As [`fit`]; [`Error::Invalid`] for negative amounts, for offsets, and for a Tweedie part.
pub fn fit_two_part(design: &Design, amounts: &Options, penalty: f64, interrupt: Interrupt) -> Result<TwoPartFit> {
    check_amounts(design)?;
    if matches!(amounts.family, Family::Tweedie { .. }) {
        return Err(Error::invalid("the second part cannot be a tweedie model", "The amounts are gamma or linear."));
    }
    if !design.clusters().names().is_empty() {
        return Err(Error::invalid(
            "a two-part model has no robust variance by clusters",
            "By clusters the errors of its parts would belong together, and what is expected is their product: fit the parts themselves, fit_renewal of amount > 0 and fit_gamma of the amounts that are; fit_tweedie knows clusters.",
        ));
    }
    if !design.offsets().is_empty() {
        return Err(Error::invalid(
            "a two-part model takes no offset",
            "The chance of an amount does not grow with exposure as its size does: make the exposure a covariate, or use fit_tweedie.",
        ));
    }
    if let Some(amount) = design.amounts().iter().find(|amount| **amount < 0.0) {
        return Err(Error::invalid(
            format!("a two-part model needs amounts of at least 0, got {amount}"),
            "For amounts that may be negative use fit_linear.",
        ));
    }
    let p = design.covariates();
    let (mut decisions, mut some) = (Design::default(), Design::default());
    for (row, amount) in design.amounts().iter().enumerate() {
        if row % (1 << 14) == 0 {
            interrupt()?;
        }
        let (x, weight) = (&design.x()[row * p..][..p], design.weights().get(row).copied().unwrap_or(1.0));
        decisions.push(None, 1.0, *amount > 0.0, weight, x)?;
        if *amount > 0.0 {
            some.push_amount(*amount, weight, 0.0, x)?;
        }
    }
    let options = discrete::Options { link: Link::Logit, penalty, ..discrete::Options::default() };
    let occurrence = discrete::fit_decisions(&decisions, &options, interrupt)?;
    drop(decisions);
    let amount = if some.is_empty() { None } else { Some(fit(&some, amounts, interrupt)?) };
    Ok(TwoPartFit { occurrence, amount })
}

impl TwoPartFit {
    /// Every row had an amount.
    pub fn always(&self) -> bool {
        self.occurrence.rows > 0 && self.occurrence.events == self.occurrence.rows
    }

    /// # Errors
    /// [`Error::Malformed`] when the parts contradict themselves or each other.
    pub fn validate(&self) -> Result<()> {
        self.occurrence.validate()?;
        let p = self.occurrence.coefficients.len();
        let agrees = |amount: &AmountFit| {
            amount.validate().is_ok()
                && amount.coefficients.len() == p
                && !matches!(amount.family, Family::Tweedie { .. })
                && amount.rows == self.occurrence.events
        };
        let holds = self.occurrence.periods() == 1
            && self.occurrence.link == Link::Logit
            && match &self.amount {
                Some(amount) => agrees(amount),
                None => self.occurrence.events == 0,
            };
        if holds { Ok(()) } else { Err(Error::malformed("the parts of a two-part model contradict each other")) }
    }
}
