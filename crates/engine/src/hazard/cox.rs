//! Cox's proportional hazards model: the hazard of a row is the baseline hazard times e^(β'x).
//!
//! Cox (1972), *Regression models and life-tables*, JRSS B 34. The fit is by Newton's method with step halving; the
//! partial likelihood is concave with Breslow's and with Efron's ties, so it has one maximum or runs off to infinity.

use serde::{Deserialize, Serialize};

use crate::hazard::cox_baseline::Baseline;
use crate::hazard::design::Design;
use crate::hazard::partial_likelihood::{Evaluation, PartialLikelihood};
use crate::hazard::risk_sets::RiskSets;
use crate::numeric::linear::{RankedCholesky, collinearity_tolerance};
use crate::{Error, Interrupt, Result};

/// Newton steps after which a fit is given up.
const MAX_ITERATIONS: usize = 60;
/// Halvings of one step after which a fit is given up.
const MAX_HALVINGS: usize = 40;
/// The fit has converged when the step ahead raises the log-likelihood by half of this at most: the step is then
/// 10⁻⁸ standard errors long, and the one error left after taking it is of the order of its square.
const CONVERGED_DECREMENT: f64 = 1e-22;
/// A log-likelihood that falls by this share of itself has not fallen: that much is rounding.
const ROUNDING: f64 = 1e-12;
/// Below this decrement a regular fit converges quadratically, so that steps shrink at once …
const QUADRATIC_DECREMENT: f64 = 1e-5;
/// … unless rounding keeps them from it.
const ROUNDING_DECREMENT: f64 = 1e-9;
/// A step that is longer than this share of the one before has not shrunk.
const NOT_SHRUNK: f64 = 0.5;
/// Steps in a row that must not have shrunk for the likelihood to count as monotone.
const STEPS_WITHOUT_SHRINKING: usize = 3;
/// Terms whose last step is this share of the longest one's still run off with it.
const RUNNING_OFF: f64 = 1e-3;

/// How deaths at one and the same time share the risk set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ties {
    /// Efron (1977): the risk set loses the tied deaths in equal shares, one after the other.
    #[default]
    Efron,
    /// Breslow (1974): each tied death faces the whole risk set.
    Breslow,
}

/// What became of a fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Converged,
    /// Some covariate, or a combination of the covariates `terms` (indices from 0), orders the events perfectly: the
    /// likelihood rises for ever as their coefficients grow. They are as at the last step – very large, with a
    /// meaningless covariance; the predictions are near their limit.
    Separated {
        terms: Vec<usize>,
    },
    /// No row had the event: there is nothing to fit.
    NoEvents,
    /// The coefficients are as at the last good step.
    NotConverged,
}

/// A fitted Cox model. Vectors and matrices run over all p covariates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CoxFit {
    pub ties: Ties,
    /// Rows fitted.
    pub rows: usize,
    /// Rows with the event.
    pub events: usize,
    /// Sum of their weights.
    pub weighted_events: f64,
    /// The weighted mean of each covariate: the centre of the linear predictor and the row the baseline belongs to.
    pub means: Vec<f64>,
    /// Log hazard ratio per unit of each covariate; `None` for one that is constant or a combination of those before it.
    pub coefficients: Vec<Option<f64>>,
    /// p × p, row-major: the inverse of the information; 0 for covariates without a coefficient.
    pub covariance: Vec<f64>,
    /// With all coefficients 0.
    pub log_likelihood_null: f64,
    pub log_likelihood: f64,
    /// Chi-squared statistics of the hypothesis that all coefficients are 0.
    pub score_test: f64,
    pub wald_test: f64,
    pub likelihood_ratio_test: f64,
    /// Number of coefficients.
    pub degrees_of_freedom: usize,
    /// Newton steps taken.
    pub iterations: usize,
    pub status: Status,
    pub baseline: Baseline,
}

/// Fits the model to a design.
///
/// At risk at `t` are the rows with `entry < t <= exit`; at one and the same time events come before censorings. Times
/// that differ by rounding only are one time, as R's `timefix` has it. Covariates are centred and scaled inside, so
/// their origin and unit do not matter. With case weights each of the d terms of an Efron tie carries the mean weight
/// of its deaths, as in R; a weight of 2 is then not quite the same as the row twice (with Breslow's ties it is).
/// The answer agrees with R's `coxph(…, eps = 1e-12)` to 10⁻⁷ or better.
///
/// # Errors
/// [`Error::Invalid`] for a design without rows; [`Error::OutOfRange`] when the design is beyond the numbers or the
/// memory there are; whatever `interrupt` returns. Data that leave coefficients undetermined are not errors: see
/// [`Status`].
pub fn fit(design: &Design, ties: Ties, interrupt: Interrupt) -> Result<CoxFit> {
    if design.is_empty() {
        return Err(Error::invalid(
            "a regression needs at least one row",
            "Check the filter, and whether every row has a NULL among its features.",
        ));
    }
    let sets = RiskSets::new(design, interrupt)?;
    let mut likelihood = PartialLikelihood::new(&sets, ties)?;
    let maximum = maximise(&mut likelihood, sets.covariates, interrupt)?;
    let baseline = Baseline::new(design, &sets, &mut likelihood, &maximum.beta, interrupt)?;

    let p = sets.covariates;
    let active = maximum.active.as_slice();
    let mut coefficients = vec![None; p];
    let mut covariance = vec![0.0; p * p];
    for &i in active {
        coefficients[i] = Some(maximum.beta[i] * sets.scales[i]);
        for &j in active {
            covariance[i * p + j] = maximum.covariance[i * p + j] * sets.scales[i] * sets.scales[j];
        }
    }
    let fit = CoxFit {
        ties,
        rows: design.len(),
        events: design.events().iter().filter(|event| **event).count(),
        weighted_events: sets.weighted_events,
        means: sets.means.clone(),
        coefficients,
        covariance,
        log_likelihood_null: maximum.log_likelihood_null,
        log_likelihood: maximum.log_likelihood,
        score_test: maximum.score_test,
        wald_test: quadratic_form(&maximum.information, &maximum.beta),
        likelihood_ratio_test: 2.0 * (maximum.log_likelihood - maximum.log_likelihood_null).max(0.0),
        degrees_of_freedom: active.len(),
        iterations: maximum.iterations,
        status: maximum.status,
        baseline,
    };
    match fit.validate() {
        Ok(()) => Ok(fit),
        Err(_) => Err(Error::OutOfRange(
            "the units of the covariates differ so much that the model's numbers overflow".into(),
        )),
    }
}

impl CoxFit {
    /// β'(x − means): the log hazard relative to the average row. `x` holds the p covariates of a row.
    pub fn linear_predictor(&self, x: &[f64]) -> f64 {
        let centred = x.iter().zip(&self.means).map(|(x, mean)| x - mean);
        centred.zip(&self.coefficients).map(|(x, coefficient)| x * coefficient.unwrap_or(0.0)).sum()
    }

    /// Checks a fit that came from outside; every other function here takes one that holds together for granted.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the parts differ in length, a number is not finite, times do not rise or a cumulative
    /// hazard falls.
    pub fn validate(&self) -> Result<()> {
        let p = self.coefficients.len();
        let statistics = [self.log_likelihood_null, self.log_likelihood, self.score_test, self.wald_test];
        let numbers = statistics.iter().chain([&self.likelihood_ratio_test, &self.weighted_events]);
        let numbers = numbers.chain(&self.means).chain(&self.covariance).chain(self.coefficients.iter().flatten());
        let terms_exist = match &self.status {
            Status::Separated { terms } => terms.iter().all(|term| *term < p),
            Status::Converged | Status::NoEvents | Status::NotConverged => true,
        };
        let holds = p > 0
            && self.means.len() == p
            && p.checked_mul(p) == Some(self.covariance.len())
            && self.coefficients.iter().flatten().count() == self.degrees_of_freedom
            && self.events <= self.rows
            && terms_exist
            && numbers.into_iter().all(|number| number.is_finite())
            && self.baseline.is_valid(p);
        if holds { Ok(()) } else { Err(Error::malformed("the parts of a Cox model contradict each other")) }
    }

    /// The standard error of a coefficient; `None` where there is no coefficient.
    pub fn standard_error(&self, covariate: usize) -> Option<f64> {
        (*self.coefficients.get(covariate)?)?;
        let at = covariate.checked_mul(self.coefficients.len() + 1)?;
        self.covariance.get(at).map(|variance| variance.sqrt())
    }
}

/// Where Newton's method ended, in scaled units.
struct Maximum {
    beta: Vec<f64>,
    active: Vec<usize>,
    covariance: Vec<f64>,
    information: Vec<f64>,
    log_likelihood_null: f64,
    log_likelihood: f64,
    score_test: f64,
    iterations: usize,
    status: Status,
}

fn maximise(likelihood: &mut PartialLikelihood, p: usize, interrupt: Interrupt) -> Result<Maximum> {
    let mut beta = vec![0.0; p];
    let Some(null) = likelihood.evaluate(&beta, interrupt)? else {
        return Err(Error::OutOfRange("the weights or covariates are too large for a regression".into()));
    };
    let factor = RankedCholesky::new(&null.information, p, collinearity_tolerance());
    let active = factor.columns().to_vec();
    let mut step = factor.solve(&null.score);
    let mut maximum = Maximum {
        beta: Vec::new(),
        active,
        covariance: factor.inverse(),
        information: Vec::new(),
        log_likelihood_null: null.log_likelihood,
        log_likelihood: null.log_likelihood,
        score_test: dot(&step, &null.score).max(0.0),
        iterations: 0,
        status: Status::Converged,
    };
    if likelihood.event_times() == 0 {
        maximum.status = Status::NoEvents;
        maximum.active.clear();
    }
    let (mut now, mut length_before, mut decrement_before, mut unshrunk) = (null, f64::INFINITY, f64::INFINITY, 0);
    while !maximum.active.is_empty() {
        let decrement = dot(&step, &now.score);
        let length = step.iter().fold(0.0, |longest: f64, part| longest.max(part.abs()));
        let stalled = decrement <= ROUNDING_DECREMENT && decrement > decrement_before / 4.0;
        let shrunk = length <= NOT_SHRUNK * length_before;
        unshrunk = if shrunk || decrement > QUADRATIC_DECREMENT { 0 } else { unshrunk + 1 };
        if decrement > CONVERGED_DECREMENT && unshrunk >= STEPS_WITHOUT_SHRINKING {
            let terms = maximum.active.iter().copied().filter(|&i| step[i].abs() > RUNNING_OFF * length).collect();
            maximum.status = Status::Separated { terms };
            break;
        }
        if decrement <= CONVERGED_DECREMENT || stalled {
            beta.iter_mut().zip(&step).for_each(|(beta, step)| *beta += step);
            break;
        }
        let improved = if maximum.iterations < MAX_ITERATIONS {
            improve(likelihood, &beta, &now, &step, &maximum.active, interrupt)?
        } else {
            None
        };
        let Some(better) = improved else {
            maximum.status = Status::NotConverged;
            break;
        };
        maximum.iterations += 1;
        (length_before, decrement_before) = (length, decrement);
        (beta, now) = (better.beta, better.evaluation);
        step = better.factor.solve(&now.score);
        maximum.covariance = better.factor.inverse();
    }
    maximum.log_likelihood = now.log_likelihood;
    maximum.information = now.information;
    maximum.beta = beta;
    Ok(maximum)
}

/// A point at which the likelihood is no lower than at the one before.
struct Better {
    beta: Vec<f64>,
    evaluation: Evaluation,
    factor: RankedCholesky,
}

/// Goes along `step`, half as far each time until the likelihood does not fall; `None` when it always does.
fn improve(
    likelihood: &mut PartialLikelihood,
    beta: &[f64],
    now: &Evaluation,
    step: &[f64],
    active: &[usize],
    interrupt: Interrupt,
) -> Result<Option<Better>> {
    let enough = now.log_likelihood - ROUNDING * now.log_likelihood.abs();
    for halving in 0..MAX_HALVINGS {
        let share = (-(halving as f64)).exp2();
        let candidate: Vec<f64> = beta.iter().zip(step).map(|(beta, step)| beta + share * step).collect();
        let Some(evaluation) = likelihood.evaluate(&candidate, interrupt)? else { continue };
        let factor = RankedCholesky::of_columns(&evaluation.information, candidate.len(), active.to_vec());
        if evaluation.log_likelihood >= enough && factor.rank() == active.len() {
            return Ok(Some(Better { beta: candidate, evaluation, factor }));
        }
    }
    Ok(None)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// β' A β
fn quadratic_form(matrix: &[f64], beta: &[f64]) -> f64 {
    matrix.chunks_exact(beta.len().max(1)).zip(beta).map(|(row, b)| b * dot(row, beta)).sum()
}
