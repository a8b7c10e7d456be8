//! Where to draw the line: precision and recall at every threshold, and the one that earns most.
//!
//! Under censoring the outcome of some rows at the horizon is not known. Those that are known weigh one over the probability
//! not to be censored so far (Uno, Cai, Tian & Wei 2007), so that with one curve of the censoring all positives add up to
//! n (1 − S), S being the Kaplan–Meier curve, and shares never leave 0 to 1 or fall as more rows are flagged. How many rows
//! are flagged is a plain count.

use crate::assess::inverse_censoring::{Censoring, InverseWeights};
use crate::assess::ranking::Ranking;
use crate::assess::survival_calibration::SurvivalCalibration;
use crate::assess::survival_scores::check_horizon;
use crate::{Error, Interrupt, Result};

/// What is right and wrong when rows with a score of at least `threshold` are flagged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flagged {
    pub threshold: f64,
    /// Rows of at least the threshold. Under censoring true and false positives estimate what becomes of them: those whose
    /// outcome is known, weighed to stand for the others, so that their sum is about this number.
    pub flagged: f64,
    pub true_positives: f64,
    pub false_positives: f64,
    /// Of the flagged whose outcome is known, those with the outcome; `None` where there are none.
    pub precision: Option<f64>,
    /// Of those with the outcome, the flagged; `None` when it never happened.
    pub recall: Option<f64>,
    /// Of those without the outcome, the flagged; `None` when it always happened.
    pub false_positive_rate: Option<f64>,
    /// The harmonic mean of precision and recall; `None` where either is undefined, 0 where both are 0.
    pub f1: Option<f64>,
}

/// What acting brings and what limits it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Economics {
    /// Gained by acting on a row that would have the outcome. `None` with `cost`: fill the capacity.
    pub benefit: Option<f64>,
    /// Spent on each row acted on.
    pub cost: Option<f64>,
    /// Rows that can be acted on at most.
    pub capacity: Option<f64>,
}

/// Where to draw the line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Best {
    /// `None` when flagging nobody is best.
    pub flagged: Option<Flagged>,
    /// benefit · true positives − cost · flagged; `None` where the two were not given.
    pub profit: Option<f64>,
    /// Whether more would have been worth flagging than the capacity allows.
    pub is_limited: bool,
}

/// The rows of one score.
struct Step {
    score: f64,
    rows: f64,
    positives: f64,
    negatives: f64,
}

impl Ranking {
    /// At each of the thresholds `at`, or at each distinct score; the highest first.
    ///
    /// # Errors
    /// [`Error::Invalid`] when a threshold is not finite.
    pub fn precision_recall(&self, at: Option<&[f64]>) -> Result<Vec<Flagged>> {
        flagged_at(&self.steps(), at)
    }

    /// The threshold with the greatest profit; of several the one that flags the fewest. Without benefit and cost the
    /// lowest that flags no more than the capacity. `None` for no rows.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a number that is negative or not finite, a benefit without a cost or the other way
    /// round, and for nothing given at all.
    pub fn best_threshold(&self, economics: Economics) -> Result<Option<Best>> {
        best_of_steps(&self.steps(), economics)
    }

    /// From the lowest score up.
    fn steps(&self) -> Vec<Step> {
        let step = |level: &crate::assess::ranking::ScoreLevel| Step {
            score: level.score,
            rows: level.rows(),
            positives: level.positives,
            negatives: level.negatives,
        };
        self.levels().iter().map(step).collect()
    }
}

impl SurvivalCalibration {
    /// As [`Ranking::precision_recall`] of the probability of the event by `horizon`, 1 − survival, the positives being the
    /// rows with the event by then. Nothing where nobody is seen beyond the horizon.
    ///
    /// # Errors
    /// As [`Ranking::precision_recall`] and [`SurvivalCalibration::brier`].
    pub fn precision_recall(
        &self,
        horizon: f64,
        at: Option<&[f64]>,
        censoring: Censoring,
        interrupt: Interrupt,
    ) -> Result<Vec<Flagged>> {
        flagged_at(&self.steps(horizon, censoring, interrupt)?, at)
    }

    /// As [`Ranking::best_threshold`] for the event by `horizon`. The capacity and the cost are of rows flagged, the benefit
    /// of true positives. `None` where nobody is seen beyond the horizon.
    ///
    /// # Errors
    /// As [`Ranking::best_threshold`] and [`SurvivalCalibration::brier`].
    pub fn best_threshold(
        &self,
        horizon: f64,
        economics: Economics,
        censoring: Censoring,
        interrupt: Interrupt,
    ) -> Result<Option<Best>> {
        best_of_steps(&self.steps(horizon, censoring, interrupt)?, economics)
    }

    fn steps(&self, horizon: f64, censoring: Censoring, interrupt: Interrupt) -> Result<Vec<Step>> {
        check_horizon(horizon)?;
        let columns = self.columns();
        let weights = InverseWeights::new(&columns, horizon, censoring, interrupt)?;
        if weights.seen_beyond <= 0.0 {
            return Ok(Vec::new());
        }
        let mut order: Vec<usize> = (0..columns.len()).collect();
        interrupt()?;
        order.sort_unstable_by(|a, b| columns.survival[*b].total_cmp(&columns.survival[*a]).then(a.cmp(b)));
        interrupt()?;
        let step = |tied: &[usize]| {
            let mut step = Step { score: 1.0 - columns.survival[tied[0]], rows: 0.0, positives: 0.0, negatives: 0.0 };
            for row in tied {
                step.rows += columns.weight(*row);
                let known = weights.of(&columns, *row);
                if *row < weights.leaving.len() { step.positives += known } else { step.negatives += known }
            }
            step
        };
        // Two survivals may be one score.
        Ok(order.chunk_by(|a, b| 1.0 - columns.survival[*a] == 1.0 - columns.survival[*b]).map(step).collect())
    }
}

fn flagged_at(steps: &[Step], at: Option<&[f64]>) -> Result<Vec<Flagged>> {
    if let Some(odd) = at.unwrap_or_default().iter().find(|threshold| !threshold.is_finite()) {
        return Err(Error::invalid(
            format!("a threshold must be finite, got {odd}"),
            "Rows with a score of at least the threshold are flagged.",
        ));
    }
    if steps.is_empty() {
        return Ok(Vec::new());
    }
    // What is flagged by so many of the highest scores: nobody by none.
    let mut from_here = Vec::with_capacity(steps.len() + 1);
    let (mut rows, mut hit, mut missed) = (0.0, 0.0, 0.0);
    from_here.push((rows, hit, missed));
    for step in steps.iter().rev() {
        rows += step.rows;
        hit += step.positives;
        missed += step.negatives;
        from_here.push((rows, hit, missed));
    }
    // What all add up to in that order, so that shares end at 1 and not a rounding error beside it.
    let flagged = |threshold: f64, above: usize| Flagged::new(threshold, from_here[above], hit, missed);
    let Some(at) = at else {
        return Ok(steps.iter().rev().enumerate().map(|(above, step)| flagged(step.score, above + 1)).collect());
    };
    let mut thresholds = at.to_vec();
    thresholds.sort_unstable_by(|a, b| b.total_cmp(a));
    let above = |threshold: f64| steps.len() - steps.partition_point(|step| step.score < threshold);
    Ok(thresholds.into_iter().map(|threshold| flagged(threshold, above(threshold))).collect())
}

fn best_of_steps(steps: &[Step], economics: Economics) -> Result<Option<Best>> {
    let Economics { benefit, cost, capacity } = economics;
    for (name, given) in [("benefit", benefit), ("cost", cost), ("capacity", capacity)] {
        if let Some(odd) = given.filter(|given| !(0.0..f64::INFINITY).contains(given)) {
            return Err(Error::invalid(
                format!("{name} must be finite and not negative, got {odd}"),
                "benefit and cost are per row acted on, capacity is a number of rows.",
            ));
        }
    }
    if benefit.is_some() != cost.is_some() || (benefit.is_none() && capacity.is_none()) {
        return Err(Error::invalid(
            "best_threshold needs a benefit and a cost, or a capacity",
            "benefit: gained by acting on a row that would have the outcome; cost: spent on each row acted on; capacity: rows that can be acted on.",
        ));
    }
    let profit =
        |at: &Flagged| benefit.zip(cost).map(|(benefit, cost)| benefit * at.true_positives - cost * at.flagged);
    let all = flagged_at(steps, None)?;
    if all.is_empty() {
        return Ok(None);
    }
    let possible = all.iter().filter(|at| capacity.is_none_or(|capacity| at.flagged <= capacity));
    let unlimited = best_of(all.iter(), profit);
    let best = best_of(possible, profit);
    let profit = benefit.map(|_| best.and_then(profit).unwrap_or(0.0));
    Ok(Some(Best { flagged: best.copied(), profit, is_limited: best != unlimited }))
}

/// The first with the greatest profit above 0, or without profits the last.
fn best_of<'a>(
    candidates: impl Iterator<Item = &'a Flagged>,
    profit: impl Fn(&Flagged) -> Option<f64>,
) -> Option<&'a Flagged> {
    let mut best: Option<(&Flagged, f64)> = None;
    for at in candidates {
        match profit(at) {
            None => best = Some((at, 0.0)),
            Some(profit) if profit > best.map_or(0.0, |(_, most)| most) => best = Some((at, profit)),
            Some(_) => {}
        }
    }
    best.map(|(at, _)| at)
}

impl Flagged {
    fn new(
        threshold: f64,
        (flagged, true_positives, false_positives): (f64, f64, f64),
        positives: f64,
        negatives: f64,
    ) -> Flagged {
        let share = |part: f64, of: f64| (of > 0.0).then(|| part / of);
        let known = true_positives + false_positives;
        let (precision, recall) = (share(true_positives, known), share(true_positives, positives));
        Flagged {
            threshold,
            flagged,
            true_positives,
            false_positives,
            precision,
            recall,
            false_positive_rate: share(false_positives, negatives),
            f1: precision.and(recall).map(|_| 2.0 * true_positives / (known + positives)),
        }
    }
}
