//! What the order of the scores is worth: area under the ROC curve, lift, precision and recall, the best threshold.

use crate::assess::ranking::{Ranking, ScoreLevel};
use crate::numeric::sum::Sum;
use crate::{Error, Result};

/// The area under the ROC curve with its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    /// How often a row with the outcome has a higher score than one without, ties counting half.
    pub auc: f64,
    /// DeLong, DeLong & Clarke-Pearson (1988); `None` with fewer than two rows of either outcome.
    pub std_error: Option<f64>,
}

/// Rows of neighbouring scores, the highest first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LiftBucket {
    /// From 1 (the highest scores); buckets without rows are left out.
    pub bucket: usize,
    pub n: f64,
    /// The lowest and the highest score in it.
    pub score_from: f64,
    pub score_to: f64,
    pub positives: f64,
    /// positives / n.
    pub rate: f64,
    /// rate / overall rate; `None` when the outcome never happened.
    pub lift: Option<f64>,
    /// Of all rows, those in this and the higher buckets.
    pub cumulative_share: f64,
    /// Of all positives likewise.
    pub cumulative_capture: Option<f64>,
    /// cumulative_capture / cumulative_share.
    pub cumulative_lift: Option<f64>,
    /// Value of its positives; `None` where rows have no value.
    pub value: Option<f64>,
    /// Of the value of all positives, that in this and the higher buckets.
    pub cumulative_value_share: Option<f64>,
}

/// What is right and wrong when rows with a score of at least `threshold` are flagged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flagged {
    pub threshold: f64,
    pub flagged: f64,
    pub true_positives: f64,
    pub false_positives: f64,
    /// Of the flagged, those with the outcome; `None` where none is flagged.
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

impl Ranking {
    /// `None` when there are no positives or no negatives.
    ///
    /// The standard error is that of two-sample U statistics, exact with ties: with placements V₁₀ of the m positives
    /// and V₀₁ of the n negatives, √(var V₁₀ / m + var V₀₁ / n). Weights count as repetitions.
    pub fn area(&self) -> Option<Area> {
        let levels = self.levels();
        let (positives, negatives) = totals(&levels);
        if !(positives > 0.0 && negatives > 0.0) {
            return None;
        }
        let mut won = Sum::default();
        let mut below = 0.0;
        for level in &levels {
            won.add(level.positives * (below + level.negatives / 2.0));
            below += level.negatives;
        }
        let auc = won.total() / positives / negatives;
        let (mut of_positives, mut of_negatives) = (Sum::default(), Sum::default());
        let (mut negatives_below, mut positives_below) = (0.0, 0.0);
        for level in &levels {
            let placed = (negatives_below + level.negatives / 2.0) / negatives;
            let beaten = (positives - positives_below - level.positives / 2.0) / positives;
            of_positives.add(level.positives * (placed - auc) * (placed - auc));
            of_negatives.add(level.negatives * (beaten - auc) * (beaten - auc));
            negatives_below += level.negatives;
            positives_below += level.positives;
        }
        let variance = |squares: Sum, n: f64| (n > 1.0).then(|| squares.total() / (n - 1.0) / n);
        let variances = variance(of_positives, positives).zip(variance(of_negatives, negatives));
        let std_error = variances.map(|(a, b)| (a + b).sqrt()).filter(|error| error.is_finite());
        auc.is_finite().then_some(Area { auc, std_error })
    }

    /// Buckets of about equal numbers of rows, the highest scores first; equal scores share a bucket: it goes by the
    /// rank of the middle of its rows.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `buckets` is 0.
    pub fn lift_table(&self, buckets: usize) -> Result<Vec<LiftBucket>> {
        if buckets == 0 {
            return Err(Error::invalid("the number of buckets must be at least 1, got 0", "10 is the usual number."));
        }
        let levels = self.levels();
        let (positives, negatives) = totals(&levels);
        let total = positives + negatives;
        let worth: Sum = levels.iter().map(|level| level.value_of_positives).collect();
        let share = |part: f64, of: f64| (of > 0.0).then(|| part / of);
        let mut filled: Vec<LiftBucket> = Vec::new();
        let (mut rows, mut captured, mut value) = (0.0, 0.0, Sum::default());
        for level in levels.iter().rev() {
            let below = (rows + level.rows() / 2.0) * buckets as f64 / total;
            let number = (below as usize).min(buckets - 1) + 1;
            rows += level.rows();
            captured += level.positives;
            value.add(level.value_of_positives);
            if filled.last().is_none_or(|bucket| bucket.bucket != number) {
                filled.push(LiftBucket {
                    bucket: number,
                    n: 0.0,
                    score_from: level.score,
                    score_to: level.score,
                    positives: 0.0,
                    rate: 0.0,
                    lift: None,
                    cumulative_share: 0.0,
                    cumulative_capture: None,
                    cumulative_lift: None,
                    value: self.has_values().then_some(0.0),
                    cumulative_value_share: None,
                });
            }
            if let Some(bucket) = filled.last_mut() {
                bucket.n += level.rows();
                bucket.score_from = level.score;
                bucket.positives += level.positives;
                bucket.rate = bucket.positives / bucket.n;
                bucket.lift = share(bucket.rate, positives / total);
                bucket.cumulative_share = rows / total;
                bucket.cumulative_capture = share(captured, positives);
                bucket.cumulative_lift = bucket.cumulative_capture.map(|capture| capture / bucket.cumulative_share);
                bucket.value = bucket.value.map(|before| before + level.value_of_positives);
                bucket.cumulative_value_share =
                    if self.has_values() { share(value.total(), worth.total()) } else { None };
            }
        }
        Ok(filled)
    }

    /// At each of the thresholds `at`, or at each distinct score; the highest first.
    ///
    /// # Errors
    /// [`Error::Invalid`] when a threshold is not finite.
    pub fn precision_recall(&self, at: Option<&[f64]>) -> Result<Vec<Flagged>> {
        if let Some(odd) = at.unwrap_or_default().iter().find(|threshold| !threshold.is_finite()) {
            return Err(Error::invalid(
                format!("a threshold must be finite, got {odd}"),
                "Rows with a score of at least the threshold are flagged.",
            ));
        }
        let levels = self.levels();
        let (positives, negatives) = totals(&levels);
        if positives + negatives == 0.0 {
            return Ok(Vec::new());
        }
        let flagged = |threshold, true_positives, false_positives| {
            Flagged::new(threshold, true_positives, false_positives, positives, negatives)
        };
        let Some(at) = at else {
            let (mut hit, mut missed) = (0.0, 0.0);
            let rows = levels.iter().rev().map(|level| {
                hit += level.positives;
                missed += level.negatives;
                flagged(level.score, hit, missed)
            });
            return Ok(rows.collect());
        };
        // At the lowest level first: what is flagged there is all.
        let mut from_here = Vec::with_capacity(levels.len() + 1);
        let (mut hit, mut missed) = (0.0, 0.0);
        from_here.push((0.0, 0.0));
        for level in levels.iter().rev() {
            hit += level.positives;
            missed += level.negatives;
            from_here.push((hit, missed));
        }
        let mut thresholds = at.to_vec();
        thresholds.sort_unstable_by(|a, b| b.total_cmp(a));
        let rows = thresholds.into_iter().map(|threshold| {
            let above = levels.len() - levels.partition_point(|level| level.score < threshold);
            let (hit, missed) = from_here[above];
            flagged(threshold, hit, missed)
        });
        Ok(rows.collect())
    }

    /// Σ (Rₖ − Rₖ₋₁) Pₖ over the distinct scores from the highest on, as scikit-learn's `average_precision_score`.
    /// `None` when there are no positives.
    pub fn average_precision(&self) -> Option<f64> {
        let levels = self.levels();
        let (positives, _) = totals(&levels);
        let (mut hit, mut flagged, mut sum) = (0.0, 0.0, Sum::default());
        for level in levels.iter().rev() {
            hit += level.positives;
            flagged += level.rows();
            sum.add(level.positives * (hit / flagged));
        }
        (positives > 0.0).then(|| sum.total() / positives)
    }

    /// The threshold with the greatest profit; of several the one that flags the fewest. Without benefit and cost the
    /// lowest that flags no more than the capacity. `None` for no rows.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a number that is negative or not finite, a benefit without a cost or the other way
    /// round, and for nothing given at all.
    pub fn best_threshold(&self, economics: Economics) -> Result<Option<Best>> {
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
        let all = self.precision_recall(None)?;
        if all.is_empty() {
            return Ok(None);
        }
        let possible = all.iter().filter(|at| capacity.is_none_or(|capacity| at.flagged <= capacity));
        let unlimited = best_of(all.iter(), profit);
        let best = best_of(possible, profit);
        let profit = benefit.map(|_| best.and_then(profit).unwrap_or(0.0));
        Ok(Some(Best { flagged: best.copied(), profit, is_limited: best != unlimited }))
    }
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
    fn new(threshold: f64, true_positives: f64, false_positives: f64, positives: f64, negatives: f64) -> Flagged {
        let share = |part: f64, of: f64| (of > 0.0).then(|| part / of);
        let flagged = true_positives + false_positives;
        let (precision, recall) = (share(true_positives, flagged), share(true_positives, positives));
        Flagged {
            threshold,
            flagged,
            true_positives,
            false_positives,
            precision,
            recall,
            false_positive_rate: share(false_positives, negatives),
            f1: precision.and(recall).map(|_| 2.0 * true_positives / (flagged + positives)),
        }
    }
}

fn totals(levels: &[ScoreLevel]) -> (f64, f64) {
    (levels.iter().map(|level| level.positives).sum(), levels.iter().map(|level| level.negatives).sum())
}
