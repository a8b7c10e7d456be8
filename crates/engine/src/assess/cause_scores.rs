//! Scores of a predicted incidence: how likely a subject is to end by one cause until a horizon, when others may come first.
//!
//! A subject that ended by another cause is not lost from view. It is known that it does not end by this one, at the
//! horizon and for ever: it scores as one without the event, and stays to be compared with those who have it.

use crate::assess::brier;
use crate::assess::concordance::{self, Concordance, Outcomes, tie_times};
use crate::assess::inverse_censoring::censoring_weights;
use crate::numeric::sum::Sum;
use crate::{Error, Interrupt, Result};

/// What became of n subjects.
#[derive(Debug, Clone, Copy, Default)]
pub struct CauseOutcomes<'a> {
    /// With an event for whoever ended, by whatever cause: the others are censored.
    pub ended: Outcomes<'a>,
    /// Whether the cause of interest ended it; never where nothing did.
    pub by_cause: &'a [bool],
}

impl CauseOutcomes<'_> {
    fn check(&self) -> Result<()> {
        let (ended, by_cause) = (self.ended.events, self.by_cause);
        if ended.len() != by_cause.len() || ended.iter().zip(by_cause).any(|(ended, by_cause)| *by_cause && !ended) {
            return Err(Error::invalid(
                format!("{} endings and {} causes do not belong together", ended.len(), by_cause.len()),
                "Only what ended has a cause.",
            ));
        }
        Ok(())
    }
}

/// The Brier score of `predicted` (the probability not to have ended by the cause until `horizon`) under censoring and
/// competing risks, over subjects who were all there from the start (Gerds & Schumacher 2006, *Consistent estimation of the
/// expected Brier score*, Biometrical Journal 48; of an incidence Schoop, Beyersmann, Schumacher & Binder 2011, *Quantifying
/// the predictive accuracy of time-to-event models in the presence of competing risks*, Biometrical Journal 53):
///
/// BS(h) = 1/n Σ [ (1{T ≤ h, cause} − F)² · 1{T ≤ h, ended} / G(T−) + F² · 1{T > h} / G(h) ],
///
/// F = 1 − `predicted`, G the Kaplan–Meier curve of the censoring, endings before censorings at a tie. A subject of weight
/// w counts w times. Where some entered late, G is the probability to be seen, and those who come after the horizon say
/// nothing (Geskus 2011; `truncation_weights`). `None` for no subjects, and where nobody is seen beyond the horizon.
///
/// # Errors
/// [`Error::Invalid`] when the slices do not belong together or a number is outside its domain; what `interrupt` returns.
pub fn cause_brier(
    outcomes: CauseOutcomes,
    predicted: &[f64],
    horizon: f64,
    interrupt: Interrupt,
) -> Result<Option<f64>> {
    outcomes.check()?;
    brier::check(Outcomes { entries: &[], ..outcomes.ended }, predicted, horizon)?;
    let Some(weights) = censoring_weights(outcomes.ended, &[], horizon, interrupt)? else { return Ok(None) };
    // A time that is another one but for rounding is on the same side of the horizon, as it is for the weights.
    let (exits, _) = tie_times(outcomes.ended);
    let (mut squares, mut total) = (Sum::default(), Sum::default());
    for (subject, weight) in weights.iter().enumerate() {
        total.add(*weight);
        if *weight == 0.0 {
            continue;
        }
        // Those of a weight were seen beyond the horizon, or ended by then.
        let happened = outcomes.by_cause[subject] && exits[subject] <= horizon;
        let error = predicted[subject] - if happened { 0.0 } else { 1.0 };
        squares.add(weight * error * error);
    }
    Ok(Some(squares.total() / total.total()))
}

/// How often the one of two subjects with the higher `risks` ends by the cause first, or alone (Wolbers, Koller, Witteman &
/// Steyerberg 2009, *Prognostic models with competing risks*, Epidemiology 20): Harrell's pairs, in which whoever ended by
/// another cause stays at risk of this one for ever.
///
/// # Errors
/// As [`concordance`](concordance::concordance); [`Error::Invalid`] when endings and causes do not belong together.
pub fn cause_concordance(outcomes: CauseOutcomes, risks: &[f64], interrupt: Interrupt) -> Result<Concordance> {
    outcomes.check()?;
    let ended = outcomes.ended;
    concordance::check(ended, risks)?;
    let rows = ended.exits.iter().zip(ended.events).zip(outcomes.by_cause);
    let exits: Vec<f64> =
        rows.map(|((exit, ended), by_cause)| if *ended && !by_cause { f64::MAX } else { *exit }).collect();
    concordance::concordance(Outcomes { exits: &exits, events: outcomes.by_cause, ..ended }, risks, interrupt)
}
