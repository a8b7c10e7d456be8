//! Does a coefficient hold at all times? The score test of proportional hazards.
//!
//! Grambsch & Therneau (1994), *Proportional hazards tests and diagnostics based on weighted residuals*, Biometrika 81:
//! the model is extended by x g(t), and the test asks whether its coefficients are 0. Here without their approximation
//! that the covariance of x is the same at all event times, as R's `cox.zph` since survival 3.0.

use crate::hazard::cox::{CoxFit, Ties};
use crate::hazard::design::Design;
use crate::hazard::partial_likelihood::PartialLikelihood;
use crate::hazard::residuals::{check_same, scaled_coefficients};
use crate::hazard::risk_sets::RiskSets;
use crate::numeric::linear::{RankedCholesky, collinearity_tolerance};
use crate::survival::risk::distinct_times;
use crate::{Error, Interrupt, Result};

/// What is left of the information on x g(t) once that on x is taken out counts as nothing below this share.
const NOTHING_LEFT: f64 = 1e-12;

/// How the clock of the alternative runs: g(t).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Transform {
    /// 1 − S(t−) by Kaplan–Meier, over all rows and without weights: robust to outlying times.
    #[default]
    KaplanMeier,
    /// The rank of t among all exits.
    Rank,
    Identity,
    Log,
}

impl std::str::FromStr for Transform {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "km" => Transform::KaplanMeier,
            "rank" => Transform::Rank,
            "identity" => Transform::Identity,
            "log" => Transform::Log,
            _ => {
                return Err(Error::invalid(
                    format!("\"{name}\" is not a transform of time"),
                    "One of: km, rank, identity, log.",
                ));
            }
        })
    }
}

/// The test of one term, or of all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TermTest {
    /// `None` where the data cannot tell, as with a single event time.
    pub chi_squared: Option<f64>,
    /// The number of the term's coefficients.
    pub degrees_of_freedom: usize,
}

/// Tests each term, given as its covariates, and last all of them together. `design` is the one that was fitted; in
/// strata the time is the same for all.
///
/// # Errors
/// [`Error::Invalid`] when the fit is not of this design, has exact ties or a penalty, and for the logarithm of an event at time 0; out of memory;
/// whatever `interrupt` returns.
pub fn proportional_hazards_test(
    design: &Design,
    fit: &CoxFit,
    transform: Transform,
    terms: &[Vec<usize>],
    interrupt: Interrupt,
) -> Result<Vec<TermTest>> {
    check_same(design, fit)?;
    if fit.ties == Ties::Exact || !fit.penalty.is_none() {
        return Err(Error::invalid(
            "there is no test of proportional hazards with exact ties or a penalty",
            "The score at its coefficients is not 0: fit with efron or breslow ties and no penalty.",
        ));
    }
    let sets = RiskSets::new(design, interrupt)?;
    let p = sets.covariates;
    let beta = scaled_coefficients(fit, &sets);
    let active = |i: &usize| fit.coefficients.get(*i).is_some_and(Option::is_some);
    let active: Vec<usize> = (0..p).filter(active).collect();
    let clock = clock(design, &sets, transform)?;

    let mut likelihood = PartialLikelihood::new(&sets, fit.ties, fit.penalty)?;
    let mut slopes = |multiplier: &dyn Fn(usize) -> f64| likelihood.weighted(&beta, multiplier, interrupt);
    let (_, own) = slopes(&|_| 1.0)?;
    let (score, mixed) = slopes(&|at| clock[at])?;
    let (_, timed) = slopes(&|at| clock[at] * clock[at])?;

    // What the information on x g(t) is once x itself is allowed for: the Schur complement.
    let factor = RankedCholesky::of_columns(&own, p, active.clone());
    let mut left = timed.clone();
    for j in 0..p {
        interrupt()?;
        let solved = factor.solve(&mixed[j * p..(j + 1) * p]);
        for i in 0..p {
            let explained: f64 = mixed[i * p..(i + 1) * p].iter().zip(&solved).map(|(a, b)| a * b).sum();
            left[i * p + j] -= explained;
        }
    }
    let test = |columns: &[usize]| {
        let columns: Vec<usize> = columns.iter().copied().filter(|column| active.contains(column)).collect();
        let width = columns.len();
        let told = columns.iter().all(|&i| left[i * (p + 1)] > NOTHING_LEFT * timed[i * (p + 1)]);
        let kept: Vec<f64> =
            columns.iter().flat_map(|i| columns.iter().map(move |j| i * p + j)).map(|at| left[at]).collect();
        let scores: Vec<f64> = columns.iter().map(|&i| score[i]).collect();
        let factor = RankedCholesky::new(&kept, width, collinearity_tolerance());
        let chi_squared: f64 = factor.solve(&scores).iter().zip(&scores).map(|(a, b)| a * b).sum();
        let defined = told && width > 0 && factor.rank() == width && chi_squared.is_finite();
        TermTest { chi_squared: defined.then_some(chi_squared), degrees_of_freedom: width }
    };
    Ok(terms.iter().map(|columns| test(columns)).chain([test(&active)]).collect())
}

/// g at each event time of the risk sets, centred and scaled, which no test depends on.
fn clock(design: &Design, sets: &RiskSets, transform: Transform) -> Result<Vec<f64>> {
    let times = || sets.groups.iter().map(|group| group.time);
    let mut clock: Vec<f64> = match transform {
        Transform::Identity => times().collect(),
        Transform::Log => {
            if times().any(|time| time <= 0.0) {
                return Err(Error::invalid(
                    "an event at time 0 has no logarithm",
                    "Choose another transform, such as km, or leave the row out.",
                ));
            }
            times().map(f64::ln).collect()
        }
        Transform::Rank | Transform::KaplanMeier => {
            let table = Exits::new(design);
            let at = |time| if transform == Transform::Rank { table.rank(time) } else { table.failed_before(time) };
            times().map(at).collect()
        }
    };
    let events = sets.weighted_events;
    let weight = |at: usize| sets.groups[at].mean_weight * sets.groups[at].deaths() as f64;
    let centre = clock.iter().enumerate().map(|(at, value)| weight(at) * value).sum::<f64>() / events;
    let largest = clock.iter().fold(0.0, |largest: f64, value| largest.max((value - centre).abs()));
    let unit = if largest > 0.0 { 1.0 / largest } else { 0.0 };
    clock.iter_mut().for_each(|value| *value = (*value - centre) * unit);
    Ok(clock)
}

/// The distinct times of a design, all strata together, with what happened at each.
struct Exits {
    times: Vec<f64>,
    /// Exits before the time, and at it.
    before: Vec<(f64, f64)>,
    /// 1 − S(t−)
    failed: Vec<f64>,
}

impl Exits {
    fn new(design: &Design) -> Exits {
        let mut times: Vec<f64> = design.exits().iter().chain(design.entries()).map(|time| time + 0.0).collect();
        times.sort_unstable_by(f64::total_cmp);
        times.dedup();
        let times = distinct_times(&times);
        let place = |time: f64| times.partition_point(|distinct| *distinct <= time).saturating_sub(1);
        let (mut exits, mut deaths) = (vec![0.0; times.len()], vec![0.0; times.len()]);
        let mut entries = vec![0.0; times.len()];
        for (exit, event) in design.exits().iter().zip(design.events()) {
            exits[place(*exit)] += 1.0;
            deaths[place(*exit)] += f64::from(u8::from(*event));
        }
        for entry in design.entries().iter().filter(|entry| **entry > 0.0) {
            entries[place(*entry)] += 1.0;
        }
        let late: f64 = entries.iter().sum();
        let (mut gone, mut at_risk, mut alive) = (0.0, design.len() as f64 - late, 1.0);
        let (mut before, mut failed) = (Vec::with_capacity(times.len()), Vec::with_capacity(times.len()));
        for at in 0..times.len() {
            before.push((gone, exits[at]));
            failed.push(1.0 - alive);
            if deaths[at] > 0.0 {
                alive *= 1.0 - deaths[at] / at_risk;
            }
            gone += exits[at];
            at_risk += entries[at] - exits[at];
        }
        Exits { times, before, failed }
    }

    fn place(&self, time: f64) -> usize {
        self.times.partition_point(|distinct| *distinct <= time).saturating_sub(1)
    }

    /// The mean rank of those who leave at `time` among all.
    fn rank(&self, time: f64) -> f64 {
        self.before.get(self.place(time)).map_or(0.0, |(before, at)| before + (at + 1.0) / 2.0)
    }

    fn failed_before(&self, time: f64) -> f64 {
        self.failed.get(self.place(time)).copied().unwrap_or(0.0)
    }
}
