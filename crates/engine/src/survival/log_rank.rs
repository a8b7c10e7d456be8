//! Tests whether groups share one survival curve: the weighted log-rank family for k groups.

use nalgebra::{DMatrix, DVector};

use crate::numeric::normal;
use crate::survival::risk::RiskTable;
use crate::survival::sample::Sample;
use crate::{Error, Result};

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
    /// `None` when fewer than two groups have any expected events.
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
    let groups = samples.len();
    let table = RiskTable::new(samples);
    let mut observed = DVector::zeros(groups);
    let mut expected = DVector::zeros(groups);
    let mut variance = DMatrix::zeros(groups, groups);
    let (mut pooled, mut peto) = (1.0, 1.0);
    for row in &table.rows {
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
        for j in 0..groups {
            let share = row.at_risk[j] / at_risk;
            observed[j] += weight * row.events[j];
            expected[j] += weight * events * share;
            for k in 0..groups {
                let same = if j == k { 1.0 } else { 0.0 };
                variance[(j, k)] += weight * weight * spread * share * (same - row.at_risk[k] / at_risk);
            }
        }
    }
    let (chi_squared, df) = statistic(&observed, &expected, &variance);
    let p_value = chi_squared.map(|chi_squared| normal::chi_squared_upper_tail(chi_squared, df as f64));
    LogRank {
        chi_squared,
        df,
        p_value,
        observed: observed.as_slice().into(),
        expected: expected.as_slice().into(),
        variance,
    }
}

/// (O − E)' V⁻ (O − E) over the groups that could have had an event, all but one of them (they sum to zero).
fn statistic(observed: &DVector<f64>, expected: &DVector<f64>, variance: &DMatrix<f64>) -> (Option<f64>, usize) {
    let compared: Vec<usize> = (0..expected.len()).filter(|group| expected[*group] > 0.0).collect();
    let Some((_, free)) = compared.split_last() else { return (None, 0) };
    if free.is_empty() {
        return (None, 0);
    }
    let difference = DVector::from_iterator(free.len(), free.iter().map(|group| observed[*group] - expected[*group]));
    let spread = DMatrix::from_fn(free.len(), free.len(), |i, j| variance[(free[i], free[j])]);
    let chi_squared = spread.cholesky().map(|factor| difference.dot(&factor.solve(&difference)));
    (chi_squared.filter(|value| value.is_finite()), free.len())
}
