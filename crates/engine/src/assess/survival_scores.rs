//! Scores of a survival forecast under censoring.

use crate::assess::brier::{BrierScore, CensoringCurve};
use crate::assess::concordance_error::{Estimated, estimated_by};
use crate::assess::inverse_censoring::{Censoring, InverseWeights};
use crate::assess::reliability::{Binning, GoodnessOfFit, place_of_quantile, place_of_uniform};
use crate::assess::survival_calibration::{Columns, SurvivalCalibration};
use crate::numeric::normal;
use crate::numeric::sum::Sum;
use crate::numeric::tally::Budget;
use crate::survival::kaplan_meier::{Transform, edge_interval, interval, steps};
use crate::survival::{Sample, curve};
use crate::{Error, Interrupt, Result};

/// Rows between two questions whether to go on.
const ROWS_PER_INTERRUPT: usize = 1 << 16;

/// How pairs are weighed in a concordance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairWeights {
    /// All the same: Harrell's C (Harrell, Lee & Mark 1996). Its limit depends on the censoring.
    Harrell,
    /// One over the squared probability of being still under observation, 1/G(t−)²: Uno's C (Uno, Cai, Pencina,
    /// D'Agostino & Wei 2011). Its limit does not.
    Uno,
}

impl std::str::FromStr for PairWeights {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "harrell" => Ok(PairWeights::Harrell),
            "uno" => Ok(PairWeights::Uno),
            _ => Err(Error::invalid(format!("unknown concordance \"{name}\""), "One of: harrell, uno.")),
        }
    }
}

/// One group of similar predictions and its observed survival.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SurvivalBin {
    /// From 1 (the lowest predictions); bins without rows are left out.
    pub bin: usize,
    pub n: f64,
    /// Events until the horizon, and rows censored until then.
    pub events: f64,
    pub censored: f64,
    pub mean_predicted: f64,
    /// Kaplan–Meier within the bin; `None` where nobody in it was observed until the horizon.
    pub observed: Option<f64>,
    /// By Greenwood's variance on the log-log scale; by [`edge_interval`] where nobody had the event or nobody is left.
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    /// Observed less predicted: positive where the forecast was too low.
    pub gap: Option<f64>,
}

/// One bin of the distribution of the predicted survival at the own time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DistributionBin {
    pub bin: usize,
    pub from: f64,
    pub to: f64,
    /// Rows in it, those that are censored in parts.
    pub n: f64,
    pub expected: f64,
}

impl SurvivalCalibration {
    /// The censoring-weighted Brier score at `horizon` (see [`brier_score`](crate::assess::brier::brier_score)).
    ///
    /// # Errors
    /// [`Error::Invalid`] for a horizon that is negative or not finite; what `interrupt` returns.
    pub fn brier(&self, horizon: f64, censoring: Censoring, interrupt: Interrupt) -> Result<Option<BrierScore>> {
        check_horizon(horizon)?;
        let columns = self.columns();
        Ok(InverseWeights::new(&columns, horizon, censoring, interrupt)?.brier(&columns))
    }

    /// Concordance of the predictions with who had the event first; pairs whose first event is after `until` do not
    /// count. As R's `concordance(Surv ~ survival, timewt = "n" | "n/G2")`, with its infinitesimal jackknife, in which
    /// the censoring curve is taken as known.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a bad `until`; what `interrupt` returns.
    pub fn concordance(&self, by: PairWeights, until: Option<f64>, interrupt: Interrupt) -> Result<Estimated> {
        if let Some(odd) = until.filter(|until| !(0.0..f64::INFINITY).contains(until)) {
            return Err(curve::bad_time("until", odd));
        }
        let mut columns = self.columns();
        let risks: Vec<f64> = columns.survival.iter().map(|survival| -survival).collect();
        let censoring = match by {
            PairWeights::Harrell => None,
            PairWeights::Uno => Some(CensoringCurve::new(&sample(&columns, 0..columns.len(), interrupt)?)),
        };
        if let Some(until) = until {
            columns.events.iter_mut().zip(&columns.exits).for_each(|(event, exit)| *event &= *exit <= until);
        }
        let weight = censoring.map(|curve| move |time: f64| curve.before(time).powi(-2));
        let weight = weight.as_ref().map(|weight| weight as &dyn Fn(f64) -> f64);
        estimated_by(columns.outcomes(), &risks, &[], &[], weight, interrupt)
    }

    /// The cumulative/dynamic area under the ROC curve at `horizon`: how often one who had the event by then had been
    /// given a lower survival than one who had not, ties counting half; those with the event are weighed by 1/G(T−) (Uno,
    /// Cai, Tian & Wei 2007; Hung & Chiang 2010). `None` when there are none of either kind.
    ///
    /// # Errors
    /// As [`SurvivalCalibration::brier`].
    pub fn area(&self, horizon: f64, censoring: Censoring, interrupt: Interrupt) -> Result<Option<f64>> {
        check_horizon(horizon)?;
        let columns = self.columns();
        InverseWeights::new(&columns, horizon, censoring, interrupt)?.area(&columns, interrupt)
    }

    /// Predicted against observed survival at `horizon`, bin by bin of the predictions in rising order. Equal
    /// predictions share a bin, as in [`Calibration::calibration_curve`](crate::assess::calibration::Calibration).
    ///
    /// # Errors
    /// As [`SurvivalCalibration::brier`]; also when `bins` is 0.
    pub fn calibration_curve(
        &self,
        horizon: f64,
        bins: usize,
        method: Binning,
        z: f64,
        interrupt: Interrupt,
    ) -> Result<Vec<SurvivalBin>> {
        check_horizon(horizon)?;
        check_bins(bins)?;
        let columns = self.columns();
        let mut order: Vec<usize> = (0..columns.len()).collect();
        order.sort_unstable_by(|a, b| columns.survival[*a].total_cmp(&columns.survival[*b]).then(a.cmp(b)));
        let total: f64 = order.iter().map(|row| columns.weight(*row)).sum();
        let mut found: Vec<(usize, Vec<usize>)> = Vec::new();
        let mut before = 0.0;
        for tied in order.chunk_by(|a, b| columns.survival[*a] == columns.survival[*b]) {
            let weight: f64 = tied.iter().map(|row| columns.weight(*row)).sum();
            let bin = match method {
                Binning::Quantile => place_of_quantile(before + weight / 2.0, total, bins),
                Binning::Uniform => place_of_uniform(columns.survival[tied[0]], bins),
            };
            before += weight;
            match found.last_mut() {
                Some((last, rows)) if *last == bin => rows.extend_from_slice(tied),
                _ => found.push((bin, tied.to_vec())),
            }
        }
        found.into_iter().map(|(bin, rows)| columns.bin(bin, rows, horizon, z, interrupt)).collect()
    }

    /// The expected calibration error (Naeini, Cooper & Hauskrecht 2015) at `horizon`: the mean distance of predicted from
    /// observed survival over the bins of [`SurvivalCalibration::calibration_curve`], weighted by their numbers, observed
    /// by Kaplan–Meier within the bin. Of the probability of the event it is the same. `None` without rows, and where
    /// nobody of a bin was observed until the horizon.
    ///
    /// # Errors
    /// As [`SurvivalCalibration::calibration_curve`].
    pub fn expected_calibration_error(
        &self,
        horizon: f64,
        bins: usize,
        method: Binning,
        interrupt: Interrupt,
    ) -> Result<Option<f64>> {
        let bins = self.calibration_curve(horizon, bins, method, 1.0, interrupt)?;
        let total: Sum = bins.iter().map(|bin| bin.n).collect();
        let gaps: Option<Sum> = bins.iter().map(|bin| bin.gap.map(|gap| bin.n * gap.abs())).collect();
        Ok(gaps.map(|gaps| gaps.total() / total.total()).filter(|error| error.is_finite()))
    }

    /// D-calibration (Haider, Hoehn, Davis & Greiner 2020): where the rows hold the survival predicted at their own
    /// duration, the numbers of these in `bins` of equal width, a censored row spread evenly over what lies below it.
    /// Each bin should have as many.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `bins` is 0.
    pub fn distribution(&self, bins: usize) -> Result<Vec<DistributionBin>> {
        check_bins(bins)?;
        let columns = self.columns();
        // As quotients, which is what a user would type.
        let edge = |at: usize| at as f64 / bins as f64;
        let mut numbers = vec![Sum::default(); bins];
        for row in 0..columns.len() {
            let (survival, weight) = (columns.survival[row], columns.weight(row));
            // [0, 1/k), [1/k, 2/k), …, the last with its end; the product may round across an edge.
            let mut at = ((survival * bins as f64) as usize).min(bins - 1);
            if at + 1 < bins && survival >= edge(at + 1) {
                at += 1;
            } else if survival < edge(at) {
                at -= 1;
            }
            if columns.events[row] || survival == 0.0 {
                numbers[at].add(weight);
                continue;
            }
            numbers[at].add(weight * ((survival - edge(at)) / survival).clamp(0.0, 1.0));
            numbers[..at].iter_mut().for_each(|number| number.add(weight / (survival * bins as f64)));
        }
        let total: f64 = (0..columns.len()).map(|row| columns.weight(row)).sum();
        let bin = |(at, number): (usize, &Sum)| DistributionBin {
            bin: at + 1,
            from: edge(at),
            to: edge(at + 1),
            n: number.total(),
            expected: total / bins as f64,
        };
        Ok(if columns.is_empty() { Vec::new() } else { numbers.iter().enumerate().map(bin).collect() })
    }

    /// Pearson's test of the even distribution, with one degree of freedom less than bins; `None` for no rows or one bin.
    ///
    /// # Errors
    /// As [`SurvivalCalibration::distribution`].
    pub fn d_calibration(&self, bins: usize) -> Result<Option<GoodnessOfFit>> {
        let bins = self.distribution(bins)?;
        let chi_squared: Sum = bins.iter().map(|bin| (bin.n - bin.expected).powi(2) / bin.expected).collect();
        let (chi_squared, df) = (chi_squared.total(), bins.len().saturating_sub(1));
        let test =
            || GoodnessOfFit { chi_squared, df, p_value: normal::chi_squared_upper_tail(chi_squared, df as f64) };
        Ok((df > 0 && chi_squared.is_finite()).then(test))
    }
}

/// The Brier score over a stretch of horizons by the trapezoid rule, divided by its length (Graf et al. 1999), as
/// scikit-survival's `integrated_brier_score`: of the forecast and of the marginal curve. `None` when a score is.
///
/// # Errors
/// [`Error::Invalid`] for fewer than two horizons, and ones that do not rise.
pub fn integrated(horizons: &[f64], scores: &[Option<BrierScore>]) -> Result<Option<BrierScore>> {
    if horizons.len() != scores.len() {
        return Err(Error::invalid(
            format!("{} summaries and {} horizons do not belong together", scores.len(), horizons.len()),
            "One summary for each horizon, in the same order.",
        ));
    }
    if horizons.len() < 2 || horizons.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Err(Error::invalid(
            "an integrated Brier score needs two horizons at least, in rising order",
            "array_agg(… ORDER BY horizon) for both.",
        ));
    }
    let Some(scores) = scores.iter().copied().collect::<Option<Vec<BrierScore>>>() else { return Ok(None) };
    let mean = |pick: fn(&BrierScore) -> f64| {
        let panel = |at: usize| (horizons[at + 1] - horizons[at]) * (pick(&scores[at]) + pick(&scores[at + 1])) / 2.0;
        let area: Sum = (0..horizons.len() - 1).map(panel).collect();
        area.total() / (horizons[horizons.len() - 1] - horizons[0])
    };
    let (brier, reference) = (mean(|score| score.brier), mean(|score| score.reference));
    Ok(Some(BrierScore { brier, reference, skill: (reference > 0.0).then(|| 1.0 - brier / reference) }))
}

impl Columns {
    fn bin(&self, bin: usize, mut rows: Vec<usize>, horizon: f64, z: f64, interrupt: Interrupt) -> Result<SurvivalBin> {
        // The order of the columns, so that sums do not depend on how rows came.
        rows.sort_unstable();
        let sum = |counts: &dyn Fn(usize) -> f64| rows.iter().map(|row| counts(*row)).collect::<Sum>().total();
        let until = |row: usize, event: bool| self.events[row] == event && self.exits[row] <= horizon;
        let n = sum(&|row| self.weight(row));
        let events = sum(&|row| if until(row, true) { self.weight(row) } else { 0.0 });
        let censored = sum(&|row| if until(row, false) { self.weight(row) } else { 0.0 });
        let at_risk = sum(&|row| if self.exits[row] >= horizon { self.weight(row) } else { 0.0 });
        let mean_predicted = sum(&|row| self.weight(row) * self.survival[row]) / n;
        let steps = steps(&sample(self, rows.iter().copied(), interrupt)?);
        let survival = steps.as_ref().and_then(|steps| steps.survival_at(horizon));
        let found = survival.map(|survival| {
            let variance = steps.as_ref().and_then(|steps| steps.log_variance_at(horizon));
            edge_interval(survival, at_risk, events, z)
                .unwrap_or_else(|| interval(survival, variance, z, Transform::LogLog))
        });
        Ok(SurvivalBin {
            bin,
            n,
            events,
            censored,
            mean_predicted,
            observed: survival,
            lower: found.and_then(|found| found.lower),
            upper: found.and_then(|found| found.upper),
            gap: survival.map(|survival| survival - mean_predicted),
        })
    }
}

/// The times of some of the rows.
pub(super) fn sample(columns: &Columns, rows: impl Iterator<Item = usize>, interrupt: Interrupt) -> Result<Sample> {
    let mut sample = Sample::default();
    for (at, row) in rows.enumerate() {
        if at % ROWS_PER_INTERRUPT == 0 {
            interrupt()?;
        }
        sample.add_row(0.0, columns.exits[row], columns.events[row], columns.weight(row), Budget::UNLIMITED)?;
    }
    Ok(sample)
}

pub(super) fn check_horizon(horizon: f64) -> Result<()> {
    if (0.0..f64::INFINITY).contains(&horizon) { Ok(()) } else { Err(curve::bad_time("horizon", horizon)) }
}

fn check_bins(bins: usize) -> Result<()> {
    /// The work and the memory are in proportion.
    const MOST: usize = 100_000;
    if (1..=MOST).contains(&bins) {
        return Ok(());
    }
    Err(Error::invalid(format!("the number of bins must be from 1 to {MOST}, got {bins}"), "10 is the usual number."))
}
