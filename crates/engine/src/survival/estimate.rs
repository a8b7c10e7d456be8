//! The estimates at each time of a sample: three estimators of one curve, and two ways to their variance.
//!
//! Per time, n are at risk and D of them, of weight d together, have the event.
//!
//! | estimator | S | H | var ln S | var H |
//! |---|---|---|---|---|
//! | Kaplan–Meier 1958 | Π (1 − d/n) | Σ d/n | Σ d / (n (n − d)), Greenwood 1926 | Σ d/n² |
//! | Nelson 1972, Aalen 1978 | exp(−H) | Σ d/n | that of H | Σ d/n², Aalen 1978 |
//! | Fleming & Harrington 1984 | exp(−H) | Σ Σ m / (n − k m), k < D | that of H | Σ Σ m / (n − k m)² |
//!
//! with m = d/D, the mean weight of an event. The last takes tied events one after the other.
//!
//! The robust variance is the infinitesimal jackknife (Jaeckel 1972; Therneau & Grambsch 2000, §7): Σ w² U² over the
//! rows, U the derivative of the estimate by the row's weight. By each time a row at risk then has moved the estimate by
//! b, and one with the event then by a − b; so all rows that leave at one time share one U, and sums of squared weights
//! per time are all that is needed – unless some rows entered late.

use crate::survival::curve::{Steps, Tail};
use crate::survival::risk::RiskTable;
use crate::survival::sample::Sample;
use crate::{Error, Result};

/// Sums of so many terms are added up one by one, the rest by the Euler–Maclaurin formula.
const DIRECT_TERMS: f64 = 64.0;

/// How the curve is estimated from the counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Estimator {
    #[default]
    KaplanMeier,
    NelsonAalen,
    FlemingHarrington,
}

impl std::str::FromStr for Estimator {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "kaplan-meier" => Estimator::KaplanMeier,
            "nelson-aalen" => Estimator::NelsonAalen,
            "fleming-harrington" => Estimator::FlemingHarrington,
            _ => {
                return Err(Error::invalid(
                    format!("unknown estimator \"{name}\""),
                    "One of: kaplan-meier, nelson-aalen, fleming-harrington.",
                ));
            }
        })
    }
}

/// What the standard errors take the weights for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Variance {
    /// Robust when some weight is no whole number and nobody entered late.
    #[default]
    Auto,
    /// Repetitions: the variance of the model (Greenwood, Aalen).
    Greenwood,
    /// Sampling weights: the infinitesimal jackknife.
    Robust,
}

impl std::str::FromStr for Variance {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "auto" => Variance::Auto,
            "greenwood" => Variance::Greenwood,
            "robust" => Variance::Robust,
            _ => {
                return Err(Error::invalid(
                    format!("unknown variance \"{name}\""),
                    "One of: auto (robust when some weight is not whole), greenwood, robust.",
                ));
            }
        })
    }
}

impl Variance {
    /// Whether it is the robust one that this sample gets.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the robust one is asked of a sample with late entries: who entered when and left when is
    /// not in it.
    pub fn is_robust_for(self, sample: &Sample) -> Result<bool> {
        let entries = !sample.entries().is_empty();
        match self {
            Variance::Greenwood => Ok(false),
            Variance::Auto => Ok(!entries && sample.weights().is_some_and(|weights| weights.is_fractional())),
            Variance::Robust if entries => Err(Error::invalid(
                "the robust variance is not known where some entered late",
                "A curve keeps when subjects entered and when they left, not which did both: variance => 'greenwood'.",
            )),
            Variance::Robust => Ok(true),
        }
    }
}

/// The running estimates just after a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    pub survival: f64,
    /// Of ln S; infinite once S is 0.
    pub log_variance: f64,
    pub cumulative_hazard: f64,
    pub hazard_variance: f64,
}

/// By how much one more unit of weight at a time moves ln S or H: `event` with the event, less `at_risk` in any case.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Push {
    pub event: f64,
    pub at_risk: f64,
}

impl Push {
    /// Kaplan–Meier: −d ln(1 − d/n).
    pub fn of_survival(events: f64, at_risk: f64) -> Push {
        let left = (at_risk - events).max(0.0);
        Push { event: 1.0 / left, at_risk: events / (at_risk * left) }
    }

    /// Nelson–Aalen: d(d/n).
    pub fn of_hazard(events: f64, at_risk: f64) -> Push {
        Push { event: 1.0 / at_risk, at_risk: events / at_risk / at_risk }
    }

    pub fn scaled(self, by: f64) -> Push {
        // A curve that has come down to 0 moves no more, however large the push.
        let scale = |push: f64| if by == 0.0 { 0.0 } else { push * by };
        Push { event: scale(self.event), at_risk: scale(self.at_risk) }
    }
}

/// Rows that leave at one time, and those that leave later: with events, events' and others' squared weights.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Squares {
    pub event_rows: f64,
    pub events: f64,
    pub censored: f64,
    pub later: f64,
}

/// Per row of the table of one sample; without weights every row counts 1.
pub fn squares(sample: &Sample, table: &RiskTable) -> Vec<Squares> {
    let sums: Vec<[f64; 3]> = match sample.weights() {
        Some(weights) => table.gathered(&weights.cells().sorted()),
        None => table.rows.iter().map(|row| [row.events[0], row.events[0], row.censored[0]]).collect(),
    };
    let mut later = 0.0;
    let mut squares: Vec<Squares> = sums
        .into_iter()
        .rev()
        .map(|[event_rows, events, censored]| {
            let row = Squares { event_rows, events, censored, later };
            later += events + censored;
            row
        })
        .collect();
    squares.reverse();
    squares
}

/// Σ w² U² while the times rise.
#[derive(Debug, Clone, Copy, Default)]
pub struct Jackknife {
    /// What all who are at risk still share.
    drift: f64,
    /// Of the rows that have left.
    left: f64,
}

impl Jackknife {
    /// Goes past a time; `push` when it has events. The variance just after it.
    pub fn pass(&mut self, push: Option<Push>, squares: &Squares) -> f64 {
        let event = match push {
            Some(push) => {
                self.drift += push.at_risk;
                push.event
            }
            None => 0.0,
        };
        self.left += squares.events * (event - self.drift).powi(2) + squares.censored * self.drift * self.drift;
        self.left + squares.later * self.drift * self.drift
    }
}

/// A sample's estimates, one for each row of its risk table.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimates {
    pub table: RiskTable,
    pub at: Vec<Estimate>,
    pub max_followup: f64,
}

impl Estimates {
    /// `None` for an empty sample.
    ///
    /// # Errors
    /// [`Variance::is_robust_for`].
    pub fn of(sample: &Sample, estimator: Estimator, variance: Variance) -> Result<Option<Estimates>> {
        let robust = variance.is_robust_for(sample)?;
        let Some(max_followup) = sample.max_followup() else { return Ok(None) };
        let table = RiskTable::new(&[sample]);
        // Whole weights are repetitions, so that each of them is a row.
        let as_rows = sample.weights().is_some_and(|weights| weights.is_fractional());
        let squares = if robust || as_rows { squares(sample, &table) } else { Vec::new() };
        let at = running(&table, estimator, &squares, robust);
        Ok(Some(Estimates { table, at, max_followup }))
    }

    /// The curve as steps, one for each time with an event.
    pub fn steps(&self) -> Steps {
        let mut steps = Steps {
            times: Vec::new(),
            survival: Vec::new(),
            cumulative_hazard: Vec::new(),
            variance: Vec::new(),
            rank: 0,
            loadings: Vec::new(),
            max_followup: self.max_followup,
            tail: Tail::None,
            decisions: None,
        };
        for (row, now) in self.table.rows.iter().zip(&self.at) {
            if row.events[0] > 0.0 {
                steps.times.push(row.time);
                steps.survival.push(now.survival);
                steps.cumulative_hazard.push(now.cumulative_hazard);
                steps.variance.push(now.log_variance);
            }
        }
        steps
    }

    /// The estimates just after `t`; `None` before the first time in the sample.
    pub fn after(&self, t: f64) -> Option<&Estimate> {
        self.at.get(self.table.rows.partition_point(|row| row.time <= t).checked_sub(1)?)
    }
}

fn running(table: &RiskTable, estimator: Estimator, squares: &[Squares], robust: bool) -> Vec<Estimate> {
    let mut now = Estimate { survival: 1.0, log_variance: 0.0, cumulative_hazard: 0.0, hazard_variance: 0.0 };
    let (mut of_survival, mut of_hazard) = (Jackknife::default(), Jackknife::default());
    let next = |(at, row): (usize, &crate::survival::risk::RiskRow)| {
        let (events, at_risk) = (row.events[0], row.at_risk[0]);
        let mut pushes = None;
        if events > 0.0 && at_risk > 0.0 {
            let left = (at_risk - events).max(0.0);
            let (push, hazard, hazard_variance) = match estimator {
                Estimator::KaplanMeier | Estimator::NelsonAalen => {
                    (Push::of_hazard(events, at_risk), events / at_risk, events / at_risk / at_risk)
                }
                Estimator::FlemingHarrington => {
                    let rows = squares.get(at).map_or(events, |squares| squares.event_rows).max(1.0);
                    let weight = events / rows;
                    let [reciprocals, their_squares] = reciprocals(at_risk / weight, rows);
                    let push =
                        Push { event: at_risk / events * (their_squares / weight), at_risk: their_squares / weight };
                    (push, reciprocals, their_squares / weight)
                }
            };
            now.cumulative_hazard += hazard;
            now.hazard_variance += hazard_variance;
            let survival_push = match estimator {
                Estimator::KaplanMeier => {
                    now.survival *= left / at_risk;
                    now.log_variance += events / (at_risk * left);
                    Push::of_survival(events, at_risk)
                }
                _ => {
                    now.survival = (-now.cumulative_hazard).exp();
                    now.log_variance = now.hazard_variance;
                    push
                }
            };
            pushes = Some((survival_push, push));
        }
        if !robust {
            return now;
        }
        let log_variance = of_survival.pass(pushes.map(|pushes| pushes.0), &squares[at]);
        now.log_variance = if now.survival > 0.0 { log_variance } else { f64::INFINITY };
        now.hazard_variance = of_hazard.pass(pushes.map(|pushes| pushes.1), &squares[at]);
        now
    };
    table.rows.iter().enumerate().map(next).collect()
}

/// Σ 1 / (y − k) and Σ 1 / (y − k)² over k = 0 … terms − 1, for y of at least `terms`.
fn reciprocals(y: f64, terms: f64) -> [f64; 2] {
    let (mut sum, mut squares) = (0.0, 0.0);
    let mut add = |x: f64| {
        sum += 1.0 / x;
        squares += 1.0 / x / x;
    };
    if terms <= DIRECT_TERMS {
        for k in 0..terms as usize {
            add((y - k as f64).max(1.0));
        }
        return [sum, squares];
    }
    // The small ones, where the terms change fastest, one by one.
    let mut from = (y - terms).max(0.0) + 1.0;
    while from < DIRECT_TERMS && from <= y - 1.0 {
        add(from);
        from += 1.0;
    }
    // Euler & Maclaurin: the integral, half of both ends, and the derivatives' differences.
    let (a, b) = (1.0 / from, 1.0 / y);
    let log = if from > y / 2.0 { -(-(y - from) / y).ln_1p() } else { (y / from).ln() };
    sum += log + (a + b) / 2.0 + (a * a - b * b) / 12.0 - (a.powi(4) - b.powi(4)) / 120.0
        + (a.powi(6) - b.powi(6)) / 252.0;
    squares += (a - b) + (a * a + b * b) / 2.0 + (a.powi(3) - b.powi(3)) / 6.0 - (a.powi(5) - b.powi(5)) / 30.0
        + (a.powi(7) - b.powi(7)) / 42.0;
    [sum, squares]
}

#[cfg(test)]
mod tests {
    use super::reciprocals;
    use approx::assert_relative_eq;

    #[test]
    fn long_sums_of_reciprocals_are_those_of_their_terms() {
        for (y, terms) in [(3.0, 3), (64.0, 64), (65.0, 65), (1000.25, 1000), (5000.0, 70), (1e6, 12_345)] {
            let direct = (0..terms).map(|k| 1.0 / (y - f64::from(k)));
            let [sum, squares] = reciprocals(y, f64::from(terms));
            assert_relative_eq!(sum, direct.clone().rev().sum::<f64>(), max_relative = 1e-13);
            assert_relative_eq!(squares, direct.rev().map(|term| term * term).sum::<f64>(), max_relative = 1e-13);
        }
        let [sum, squares] = reciprocals(1e90, 1e90);
        assert!(sum.is_finite() && squares.is_finite());
    }
}
