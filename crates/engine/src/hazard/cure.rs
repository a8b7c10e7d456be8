//! The search for a cured share: mixture cure models S(t) = π + (1 − π) S₀(t) (Boag 1949; Berkson & Gage 1952) with the
//! logit of π and the location of S₀ linear in covariates (Farewell 1982, *The use of mixture models for the analysis of
//! survival data with long-term survivors*, Biometrics 38).
//!
//! The likelihood may have several maxima, and its best value may lie at π = 0, which no logit reaches. So Newton's method
//! starts from several shares, and what it finds is held against the fit without a cured share.

use serde::{Deserialize, Serialize};

use crate::hazard::cox::Status;
use crate::hazard::link::Link;
use crate::hazard::parametric::{MANY, SAMPLE, Search, layout_of, search as search_plain};
use crate::hazard::parametric_likelihood::{Layout, Rows};
use crate::hazard::parametric_newton::{Maximum, maximise};
use crate::numeric::sum::Sum;
use crate::survival::distribution::Distribution;
use crate::survival::jet::{Evaluator, Order, Time};
use crate::{Error, Interrupt, Result};

/// The cured among the censored where the search starts.
const STARTS: [f64; 4] = [0.9, 0.6, 0.3, 0.05];
/// A share that lifts the log-likelihood by less than this, relative to it, is none: it is within rounding of π = 0.
const RISE: f64 = 1e-11;
/// Above this the follow-up counts as too short (Maller & Zhou 1996, section 4.3).
const TOO_SHORT: f64 = 0.05;

/// What was found where a cured share was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CureFindings {
    /// Whether the likelihood has its maximum at a cured share above 0. If not, the fit is that without one.
    pub found: bool,
    /// The log-likelihood without a cured share.
    pub log_likelihood_uncured: f64,
    /// The α of Maller & Zhou (1992, *Estimating the proportion of immunes in a censored sample*, Biometrika 79): small
    /// when events had ceased long before the end of the follow-up. With t* the last event and t the longest time,
    /// (1 − N/n)ⁿ for N events in (2t* − t, t*] among n rows.
    pub follow_up: f64,
    /// The share of those not cured that by the model, for the mean row, is still to have the event at the end of the
    /// follow-up: what the cured share rests on there is the form of the distribution. 0 where none was found.
    pub unfinished: f64,
}

impl CureFindings {
    /// Whether findings that came from outside can be those of a fit.
    pub(super) fn holds(&self, is_cure: bool) -> bool {
        let shares = [self.follow_up, self.unfinished];
        self.found == is_cure
            && self.log_likelihood_uncured.is_finite()
            && shares.iter().all(|share| (0.0..=1.0).contains(share))
    }

    /// What is to be said of them; `None` when a cured share was found and may be believed.
    pub fn remark(&self) -> Option<String> {
        if !self.found {
            return Some("no cured share found".into());
        }
        // Each sees what the other does not: α is noisy, being made of the few last events (Shen 2000).
        let reasons = [
            (self.unfinished > TOO_SHORT)
                .then(|| format!("at its end {:.0} % of those not cured are still to go", 100.0 * self.unfinished)),
            (self.follow_up > TOO_SHORT).then(|| format!("Maller-Zhou alpha {:.2}", self.follow_up)),
        ];
        let reasons: Vec<String> = reasons.into_iter().flatten().collect();
        let remark = || format!("follow-up may be too short to tell a cured share: {}", reasons.join(", "));
        (!reasons.is_empty()).then(remark)
    }
}

/// [`CureFindings::unfinished`] of a cure model with these parameters at its longest time.
pub(super) fn unfinished(inner: &Distribution, parameters: &[f64], last: f64) -> f64 {
    let mut evaluator = Evaluator::new(inner);
    evaluator.evaluate(&parameters[..inner.parameters()], Time::new(last), Order::Value, false);
    Some((-evaluator.hazard.value).exp()).filter(|share| share.is_finite()).map_or(0.0, |share| share.clamp(0.0, 1.0))
}

/// Finds the best cure model, or that its cured share is 0: then the search is that of `inner`.
pub(super) fn search(
    rows: &Rows,
    distribution: &Distribution,
    inner: &Distribution,
    location: &[usize],
    cured: &[usize],
    interrupt: Interrupt,
) -> Result<(Search, CureFindings)> {
    let uncured = search_plain(rows, inner, location, &[], interrupt)?;
    let (layout, alone) = (layout_of(distribution, location, cured), layout_of(distribution, &[], &[]));
    let begins = starts(rows, inner, &uncured.null);
    let many = rows.design.len() >= MANY;
    let stride = if many { rows.design.len() / SAMPLE } else { 1 };
    let null = best_of(rows, distribution, &alone, &begins, stride, interrupt)?;
    let best = if layout == alone {
        null.clone()
    } else {
        let mut begins: Vec<Vec<f64>> = null.iter().map(|null| layout.spread(&null.beta)).collect();
        // The times of those who are not cured as the covariates order them without a cured share.
        for begin in starts(rows, inner, &uncured.best) {
            let mut beta = vec![0.0; layout.len()];
            let (share, times) = (begin[begin.len() - 1], &begin[..begin.len() - 1]);
            beta[..times.len()].copy_from_slice(times);
            beta[layout.starts[distribution.parameters() - 1]] = share;
            begins.push(beta);
        }
        best_of(rows, distribution, &layout, &begins, stride, interrupt)?
    };
    let again = |maximum: Option<Maximum>, layout, interrupt: Interrupt| match maximum {
        Some(maximum) if many => best_of(rows, distribution, layout, &[maximum.beta], 1, interrupt),
        maximum => Ok(maximum),
    };
    let null = again(null, &alone, &mut *interrupt)?;
    let best = again(best, &layout, &mut *interrupt)?;
    let higher = |maximum: &Maximum, than: &Maximum| {
        maximum.evaluation.value > than.evaluation.value + RISE * than.evaluation.value.abs()
    };
    let mut findings = CureFindings {
        found: false,
        log_likelihood_uncured: uncured.best.evaluation.value,
        follow_up: follow_up(rows),
        unfinished: 0.0,
    };
    // Without a cured share the model would be the plain one, whatever its status.
    match best.filter(|best| higher(best, &uncured.best)) {
        Some(best) => {
            findings.found = true;
            let null = null.filter(|null| higher(null, &uncured.null)).unwrap_or(uncured.null);
            Ok((Search { null, best, layout }, findings))
        }
        None => Ok((uncured, findings)),
    }
}

/// Parameters to start from: the plain ones of `found` moved by what is gone with the cured, and the logit of their share.
fn starts(rows: &Rows, inner: &Distribution, found: &Maximum) -> Vec<Vec<f64>> {
    let design = rows.design;
    let weight = |row: usize| design.weights().get(row).copied().unwrap_or(1.0);
    let had = |row: usize| design.events()[row] || design.uppers().get(row).is_some_and(|upper| upper.is_finite());
    let total: f64 = (0..design.len()).map(weight).sum();
    let censored: f64 = (0..design.len()).filter(|row| !had(*row)).map(weight).sum();
    STARTS
        .iter()
        .map(|part| {
            let share = (part * censored / total).clamp(0.002, 0.95);
            let faster = -(1.0 - share).ln();
            let mut from = found.beta.clone();
            from[0] += if inner.is_accelerated() { -faster } else { faster };
            from.push(Link::Logit.linear_predictor(share));
            from
        })
        .collect()
}

/// The highest maximum from several starts; a converged one before others as high. `None` when no start has a likelihood.
fn best_of(
    rows: &Rows,
    distribution: &Distribution,
    layout: &Layout,
    begins: &[Vec<f64>],
    stride: usize,
    interrupt: Interrupt,
) -> Result<Option<Maximum>> {
    let mut best: Option<Maximum> = None;
    for begin in begins {
        let found = match maximise(rows, distribution, layout, begin.clone(), stride, interrupt) {
            Ok(found) => found,
            Err(Error::OutOfRange(_)) => continue,
            Err(other) => return Err(other),
        };
        let better = best.as_ref().is_none_or(|best| {
            let margin = RISE * best.evaluation.value.abs();
            let rise = found.evaluation.value - best.evaluation.value;
            let settles = found.status == Status::Converged && best.status != Status::Converged;
            rise > margin || (settles && rise >= -margin)
        });
        if better {
            best = Some(found);
        }
    }
    Ok(best)
}

/// The α of [`CureFindings::follow_up`]; an event known to an interval counts at its end.
fn follow_up(rows: &Rows) -> f64 {
    let design = rows.design;
    let event_time = |row: usize| match design.uppers().get(row).copied().filter(|upper| upper.is_finite()) {
        Some(upper) => Some(upper),
        None => design.events()[row].then(|| design.exits()[row]),
    };
    let last_event = (0..design.len()).filter_map(event_time).fold(0.0, f64::max);
    let last = design.exits().iter().copied().fold(last_event, f64::max);
    let (mut late, mut total) = (Sum::default(), Sum::default());
    for row in 0..design.len() {
        let weight = design.weights().get(row).copied().unwrap_or(1.0);
        total.add(weight);
        if event_time(row).is_some_and(|t| t > 2.0 * last_event - last) {
            late.add(weight);
        }
    }
    let share = (late.total() / total.total()).clamp(0.0, 1.0);
    // An event that is itself the longest time: nothing was seen to cease.
    if last_event >= last { 1.0 } else { (total.total() * (-share).ln_1p()).exp() }
}
