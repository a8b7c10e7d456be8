//! Does 70 % happen 70 times in a hundred? Reliability diagrams, their summary numbers and tests.

use crate::assess::calibration::Calibration;
use crate::numeric::normal;
use crate::numeric::sum::Sum;
use crate::survival::kaplan_meier::critical_value;
use crate::{Error, Result};

/// How rows are put into bins. Rows with equal probabilities always share a bin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binning {
    /// About as many rows in each bin: a row goes by the rank of the middle of the rows that share its probability.
    Quantile,
    /// Bins of equal width, (0, 1/k], (1/k, 2/k] … with 0 in the first (Guo et al. 2017, §2).
    Uniform,
}

impl std::str::FromStr for Binning {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "quantile" => Ok(Binning::Quantile),
            "uniform" => Ok(Binning::Uniform),
            _ => Err(Error::invalid(format!("unknown binning method \"{name}\""), "One of: quantile, uniform.")),
        }
    }
}

/// One point of the reliability diagram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationBin {
    /// From 1 to the number of bins asked for; bins without rows are left out.
    pub bin: usize,
    /// Rows, or the sum of their weights.
    pub n: f64,
    pub mean_predicted: f64,
    pub observed: f64,
    /// Wilson's limits of the observed rate.
    pub lower: f64,
    pub upper: f64,
    /// Observed less predicted: positive where the forecast was too low.
    pub gap: f64,
}

/// A chi-squared goodness of fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GoodnessOfFit {
    pub chi_squared: f64,
    pub df: usize,
    pub p_value: f64,
}

/// A bin while it is filled.
#[derive(Debug, Clone, Copy)]
struct Bin {
    number: usize,
    weight: f64,
    positives: f64,
    predicted: Sum,
}

impl Calibration {
    /// Mean prediction against observed rate, bin by bin in rising order; empty for no rows.
    ///
    /// The limits are Wilson's (1927) at confidence `level`: they stay within [0, 1] and are never empty.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `bins` is 0 or `level` is not between 0 and 1.
    pub fn calibration_curve(&self, bins: usize, method: Binning, level: f64) -> Result<Vec<CalibrationBin>> {
        let z = critical_value(level)?;
        let points = self.bins(bins, method)?.into_iter().map(|bin| {
            let mean_predicted = bin.predicted.total() / bin.weight;
            let observed = bin.positives / bin.weight;
            let (lower, upper) = wilson(bin.positives, bin.weight, z);
            let gap = observed - mean_predicted;
            CalibrationBin { bin: bin.number, n: bin.weight, mean_predicted, observed, lower, upper, gap }
        });
        Ok(points.collect())
    }

    /// The mean distance of observed rate and mean prediction over the bins, weighted by their rows (Naeini, Cooper &
    /// Hauskrecht 2015; Guo et al. 2017). `None` for no rows.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `bins` is 0.
    pub fn expected_calibration_error(&self, bins: usize, method: Binning) -> Result<Option<f64>> {
        let (mut sum, mut total) = (Sum::default(), 0.0);
        for bin in self.bins(bins, method)? {
            sum.add((bin.positives - bin.predicted.total()).abs());
            total += bin.weight;
        }
        Ok((total > 0.0).then(|| sum.total() / total))
    }

    /// Pearson's chi-squared over bins of equal size (Hosmer & Lemeshow 1980).
    ///
    /// Degrees of freedom: the bins with rows, less two when `fitted_here`, i.e. when the model learnt from these very
    /// rows; for rows it has not seen nothing is lost (Hosmer, Lemeshow & Sturdivant 2013, §5.2.2). `None` when no
    /// degree is left, and when a bin was certain and wrong.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `bins` is 0.
    pub fn hosmer_lemeshow(&self, bins: usize, fitted_here: bool) -> Result<Option<GoodnessOfFit>> {
        let bins = self.bins(bins, Binning::Quantile)?;
        let df = bins.len().saturating_sub(if fitted_here { 2 } else { 0 });
        let mut chi_squared = Sum::default();
        for bin in &bins {
            let expected = bin.predicted.total();
            let difference = bin.positives - expected;
            if difference != 0.0 {
                chi_squared.add(difference * difference / (expected * (1.0 - expected / bin.weight)));
            }
        }
        let chi_squared = chi_squared.total();
        Ok((df > 0 && chi_squared.is_finite() && chi_squared >= 0.0).then(|| GoodnessOfFit {
            chi_squared,
            df,
            p_value: normal::chi_squared_upper_tail(chi_squared, df as f64),
        }))
    }

    /// Spiegelhalter's (1986) test of the Brier score, without bins: z and its two-sided p-value.
    ///
    /// z is standard normal when every probability is right. `None` when the score could not have varied: no rows, or
    /// all probabilities 0, ½ or 1.
    pub fn spiegelhalter(&self) -> Option<(f64, f64)> {
        let (mut excess, mut variance) = (Sum::default(), Sum::default());
        for level in self.levels() {
            let p = level.probability;
            let slope = 1.0 - 2.0 * p;
            excess.add(slope * (level.positives * (1.0 - p) - level.negatives * p));
            variance.add(slope * slope * p * (1.0 - p) * level.weight());
        }
        let variance = variance.total();
        (variance > 0.0).then(|| excess.total() / variance.sqrt()).map(|z| (z, normal::two_sided_p_value(z)))
    }

    /// The bins that have rows, in rising order.
    fn bins(&self, bins: usize, method: Binning) -> Result<Vec<Bin>> {
        if bins == 0 {
            return Err(Error::invalid("the number of bins must be at least 1, got 0", "10 is the usual number."));
        }
        let levels = self.levels();
        let total: f64 = levels.iter().map(|level| level.weight()).sum();
        let mut filled: Vec<Bin> = Vec::new();
        let mut before = 0.0;
        for level in &levels {
            let number = match method {
                Binning::Quantile => place_of_quantile(before + level.weight() / 2.0, total, bins),
                Binning::Uniform => place_of_uniform(level.probability, bins),
            };
            before += level.weight();
            if filled.last().is_none_or(|bin| bin.number != number) {
                filled.push(Bin { number, weight: 0.0, positives: 0.0, predicted: Sum::default() });
            }
            if let Some(bin) = filled.last_mut() {
                bin.weight += level.weight();
                bin.positives += level.positives;
                bin.predicted.add(level.probability * level.weight());
            }
        }
        Ok(filled)
    }
}

/// The bin, from 1, of rows in whose middle `middle` of the `total` weight lies below.
pub(super) fn place_of_quantile(middle: f64, total: f64, bins: usize) -> usize {
    let below = (middle * bins as f64 / total) as usize;
    below.min(bins - 1) + 1
}

/// The bin, from 1, whose interval ((b − 1)/bins, b/bins] holds `probability`.
pub(super) fn place_of_uniform(probability: f64, bins: usize) -> usize {
    let width = bins as f64;
    // The product may round across an edge that the quotient, which is what a user would type, does not cross.
    let guess = ((probability * width).ceil() as usize).clamp(1, bins);
    if guess > 1 && probability <= (guess - 1) as f64 / width {
        guess - 1
    } else if guess < bins && probability > guess as f64 / width {
        guess + 1
    } else {
        guess
    }
}

/// Wilson's score interval (Wilson 1927) of `positives` in `n` (> 0), `z` standard errors wide.
pub fn wilson(positives: f64, n: f64, z: f64) -> (f64, f64) {
    let (rate, z2) = (positives / n, z * z);
    let centre = (positives + z2 / 2.0) / (n + z2);
    let half = z / (n + z2) * (positives * (1.0 - rate) + z2 / 4.0).max(0.0).sqrt();
    let lower = if rate <= 0.0 { 0.0 } else { (centre - half).max(0.0) };
    let upper = if rate >= 1.0 { 1.0 } else { (centre + half).min(1.0) };
    (lower, upper)
}
