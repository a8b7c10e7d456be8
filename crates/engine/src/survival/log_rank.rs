//! Tests whether groups share one survival curve: the weighted log-rank family for k groups.

use std::convert::Infallible;

use nalgebra::{DMatrix, DVector};

use crate::numeric::normal;
use crate::survival::risk::RiskTable;
use crate::survival::sample::Sample;
use crate::{Error, Result};

/// What is left of the variance of a correlation matrix below this is 0.
const RANK_TOLERANCE: f64 = 1e-9;

/// Times of pairs of groups between two questions whether to go on.
const TIMES_PER_QUESTION: usize = 1 << 12;

/// The weight each event time gets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Weighting {
    /// 1 (Mantel 1966).
    LogRank,
    /// The number at risk (Gehan 1965, Breslow 1970).
    Wilcoxon,
    /// Its square root (Tarone & Ware 1977).
    TaroneWare,
    /// Peto & Peto's modified estimate of the pooled survival, Π (1 − d/(n+1)).
    Peto,
    /// S(t−)^p (1 − S(t−))^q with the pooled Kaplan–Meier S (Fleming & Harrington 1991, §7.2).
    FlemingHarrington { p: f64, q: f64 },
}

impl Weighting {
    /// By its name in SQL; `p` and `q` matter to `fleming-harrington` only.
    pub fn from_name(name: &str, p: f64, q: f64) -> Result<Self> {
        if !(p >= 0.0 && q >= 0.0 && p.is_finite() && q.is_finite()) {
            return Err(Error::invalid(
                format!("fleming-harrington needs p and q of at least 0, got {p} and {q}"),
                "p => 0, q => 1 weighs late differences.",
            ));
        }
        Ok(match name {
            "log-rank" => Weighting::LogRank,
            "wilcoxon" => Weighting::Wilcoxon,
            "tarone-ware" => Weighting::TaroneWare,
            "peto" => Weighting::Peto,
            "fleming-harrington" => Weighting::FlemingHarrington { p, q },
            _ => {
                return Err(Error::invalid(
                    format!("unknown log-rank weights \"{name}\""),
                    "One of: log-rank, wilcoxon, tarone-ware, peto, fleming-harrington.",
                ));
            }
        })
    }
}

/// The test and what it was made of, per group in the order given.
#[derive(Debug, Clone, PartialEq)]
pub struct LogRank {
    /// `None` when no two groups were at risk together at the time of an event that not all of them had.
    pub chi_squared: Option<f64>,
    pub df: usize,
    pub p_value: Option<f64>,
    pub observed: Vec<f64>,
    pub expected: Vec<f64>,
    /// Groups × groups.
    pub variance: DMatrix<f64>,
}

/// Compares the groups. Delayed entry is honoured: the groups at risk at each event time are those of the risk table.
pub fn log_rank(samples: &[&Sample], weighting: Weighting) -> LogRank {
    let Ok(test) = log_rank_asking(samples, weighting, |_| Ok::<(), Infallible>(()));
    test
}

/// As [`log_rank`], asking now and then, and before it takes so many bytes, whether to go on.
pub fn log_rank_asking<E>(
    samples: &[&Sample],
    weighting: Weighting,
    go_on: impl FnMut(usize) -> Result<(), E>,
) -> Result<LogRank, E> {
    stratified(samples.len(), &[samples.iter().copied().enumerate().collect()], weighting, go_on)
}

/// Compares the groups within strata: the differences and variances of the strata are added up (Klein & Moeschberger
/// 2003, §7.5). Each stratum lists its samples with the places (< `groups`) of their groups, no place twice.
///
/// Weights that depend on the pooled curve or on the number at risk are those of the stratum.
pub fn stratified<E>(
    groups: usize,
    strata: &[Vec<(usize, &Sample)>],
    weighting: Weighting,
    mut go_on: impl FnMut(usize) -> Result<(), E>,
) -> Result<LogRank, E> {
    go_on(groups.saturating_mul(groups).saturating_mul(4 * size_of::<f64>()))?;
    let mut total = Differences {
        observed: DVector::zeros(groups),
        expected: DVector::zeros(groups),
        variance: DMatrix::zeros(groups, groups),
    };
    for stratum in strata {
        total.add(stratum, weighting, &mut go_on)?;
    }
    let Differences { observed, expected, variance } = total;
    let (chi_squared, df) = statistic(&(&observed - &expected), &variance, &mut go_on)?;
    let p_value = chi_squared.map(|chi_squared| normal::chi_squared_upper_tail(chi_squared, df as f64));
    Ok(LogRank {
        chi_squared,
        df,
        p_value,
        observed: observed.as_slice().into(),
        expected: expected.as_slice().into(),
        variance,
    })
}

/// The weighted sums over event times, per group.
struct Differences {
    observed: DVector<f64>,
    expected: DVector<f64>,
    variance: DMatrix<f64>,
}

impl Differences {
    fn add<E>(
        &mut self,
        stratum: &[(usize, &Sample)],
        weighting: Weighting,
        go_on: &mut impl FnMut(usize) -> Result<(), E>,
    ) -> Result<(), E> {
        let samples: Vec<&Sample> = stratum.iter().map(|(_, sample)| *sample).collect();
        let table = RiskTable::asking(&samples, &mut *go_on)?;
        // A time costs the square of the groups.
        let times_per_question = (TIMES_PER_QUESTION / (samples.len() * samples.len()).max(1)).max(1);
        let (mut pooled, mut peto) = (1.0, 1.0);
        for (at, row) in table.rows.iter().enumerate() {
            if at % times_per_question == 0 {
                go_on(0)?;
            }
            let events: f64 = row.events.iter().sum();
            let at_risk: f64 = row.at_risk.iter().sum();
            if events <= 0.0 || at_risk <= 0.0 {
                continue;
            }
            peto *= 1.0 - events / (at_risk + 1.0);
            let weight = match weighting {
                Weighting::LogRank => 1.0,
                Weighting::Wilcoxon => at_risk,
                Weighting::TaroneWare => at_risk.sqrt(),
                Weighting::Peto => peto,
                Weighting::FlemingHarrington { p, q } => f64::powf(pooled, p) * f64::powf(1.0 - pooled, q),
            };
            pooled *= 1.0 - events / at_risk;
            // The hypergeometric variance; a single subject left at risk has none.
            let spread = if at_risk > 1.0 { events * (at_risk - events) / (at_risk - 1.0) } else { 0.0 };
            for (j, (group, _)) in stratum.iter().enumerate() {
                let share = row.at_risk[j] / at_risk;
                self.observed[*group] += weight * row.events[j];
                if share == 0.0 {
                    continue;
                }
                self.expected[*group] += weight * events * share;
                for (k, (other, _)) in stratum.iter().enumerate() {
                    let same = if j == k { 1.0 } else { 0.0 };
                    let part = weight * weight * spread * share * (same - row.at_risk[k] / at_risk);
                    self.variance[(*group, *other)] += part;
                }
            }
        }
        Ok(())
    }
}

impl LogRank {
    /// The test for trend: does the hazard rise or fall with the groups' scores (Tarone 1975; Klein & Moeschberger 2003,
    /// §7.4)? (Σ c (O − E))² / c' V c on 1 degree of freedom; only the proportions of the differences between scores
    /// matter. Undefined, chi-squared is `None`, when no groups of different scores were at risk together.
    ///
    /// # Errors
    /// [`Error::Invalid`] unless there is one finite score per group and they are not all the same.
    pub fn with_trend(mut self, scores: &[f64]) -> Result<LogRank> {
        if scores.len() != self.observed.len() {
            return Err(Error::invalid(
                format!("{} scores were given for {} groups", scores.len(), self.observed.len()),
                "Give one score per group, in the order of the groups.",
            ));
        }
        let (least, most) = scores.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), c| (a.min(*c), b.max(*c)));
        if !(least < most && scores.iter().all(|score| score.is_finite())) && scores.len() > 1 {
            return Err(Error::invalid(
                format!("the scores of a trend must be finite and differ, got {scores:?}"),
                "For equal steps leave them out: 1, 2, 3 … in the order of the groups.",
            ));
        }
        // Rows of V and the differences add up to 0, so scores may be moved: about 0 they cancel least.
        let (middle, half) = (least / 2.0 + most / 2.0, (most / 2.0 - least / 2.0).max(f64::MIN_POSITIVE));
        let scores = DVector::from_iterator(scores.len(), scores.iter().map(|score| (score - middle) / half));
        let difference = DVector::from_iterator(
            scores.len(),
            self.observed.iter().zip(&self.expected).map(|(observed, expected)| observed - expected),
        );
        let variance = scores.dot(&(&self.variance * &scores));
        let size = self.variance.diagonal().iter().zip(scores.iter()).map(|(v, c)| v * c * c).sum::<f64>();
        let slope = scores.dot(&difference);
        let chi_squared =
            (variance > RANK_TOLERANCE * size).then(|| slope * slope / variance).filter(|value| value.is_finite());
        self.df = usize::from(chi_squared.is_some());
        self.p_value = chi_squared.map(|chi_squared| normal::chi_squared_upper_tail(chi_squared, 1.0));
        self.chi_squared = chi_squared;
        Ok(self)
    }
}

/// (O − E)' V⁻ (O − E) with a generalised inverse of V, and the rank of V; `score` is O − E.
///
/// The rank is one less than the number of groups, unless some groups were never at risk together with others, which
/// compares nothing. V is first scaled to correlations, so that small groups count like large ones, then factored by
/// Cholesky's method with the largest pivot first: as O − E is a combination of the columns of V, every generalised
/// inverse gives the same. A pivot costs the square of the groups, so there is a question before each.
pub(super) fn statistic<E>(
    score: &DVector<f64>,
    variance: &DMatrix<f64>,
    go_on: &mut (impl FnMut(usize) -> Result<(), E> + ?Sized),
) -> Result<(Option<f64>, usize), E> {
    let compared: Vec<usize> = (0..score.len()).filter(|group| variance[(*group, *group)] > 0.0).collect();
    let scale: Vec<f64> = compared.iter().map(|group| variance[(*group, *group)].sqrt()).collect();
    let groups = compared.len();
    let mut difference = DVector::from_fn(groups, |i, _| score[compared[i]] / scale[i]);
    let mut left =
        DMatrix::from_fn(groups, groups, |i, j| variance[(compared[i], compared[j])] / (scale[i] * scale[j]));
    if groups < 2 || left.iter().any(|value| !value.is_finite()) {
        return Ok((None, 0));
    }
    let (mut chi_squared, mut rank) = (0.0, 0);
    while rank < groups {
        go_on(0)?;
        let (pivot, largest) = left.diagonal().argmax();
        if largest <= RANK_TOLERANCE {
            break;
        }
        let column = left.column(pivot) / largest.sqrt();
        let explained = difference[pivot] / largest.sqrt();
        left.ger(-1.0, &column, &column, 1.0);
        difference.axpy(-explained, &column, 1.0);
        // Rounding leaves next to nothing here; it must not be taken for a pivot again.
        left.row_mut(pivot).fill(0.0);
        left.column_mut(pivot).fill(0.0);
        chi_squared += explained * explained;
        rank += 1;
    }
    Ok((Some(chi_squared).filter(|value| value.is_finite()), rank))
}
