//! What the order of the scores is worth: area under the ROC curve, lift.

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

/// The area below the curve, score by score in rising order.
#[derive(Default)]
struct Below {
    positives: f64,
    negatives: f64,
    /// Pairs of a row with the outcome and one without, of which the former has the higher score.
    won: Sum,
}

impl Below {
    #[inline(always)]
    fn add(&mut self, positives: f64, negatives: f64) {
        self.won.add(positives * (self.negatives + negatives / 2.0));
        self.positives += positives;
        self.negatives += negatives;
    }

    fn area(&self) -> Option<f64> {
        let has_both = self.positives > 0.0 && self.negatives > 0.0;
        let area = has_both.then(|| self.won.total() / self.positives / self.negatives);
        area.filter(|area| area.is_finite())
    }
}

impl Ranking {
    /// [`Area::auc`] alone; `None` when there are no positives or no negatives.
    pub fn auc(&self) -> Option<f64> {
        let mut below = Below::default();
        self.for_each_score(|positives, negatives| below.add(positives, negatives));
        below.area()
    }

    /// `None` when there are no positives or no negatives.
    ///
    /// The standard error is that of two-sample U statistics, exact with ties: with placements V₁₀ of the m positives
    /// and V₀₁ of the n negatives, √(var V₁₀ / m + var V₀₁ / n). Weights count as repetitions.
    pub fn area(&self) -> Option<Area> {
        let levels = self.levels();
        let mut below = Below::default();
        levels.iter().for_each(|level| below.add(level.positives, level.negatives));
        let auc = below.area()?;
        let Below { positives, negatives, .. } = below;
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
        Some(Area { auc, std_error })
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
}

fn totals(levels: &[ScoreLevel]) -> (f64, f64) {
    (levels.iter().map(|level| level.positives).sum(), levels.iter().map(|level| level.negatives).sum())
}
