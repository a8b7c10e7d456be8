//! Renewal decisions: a binary outcome per period at risk, with a logit or complementary log-log link.
//!
//! Cox (1972, §7), Prentice & Gloeckler (1978), Allison (1982), *Discrete-time methods for the analysis of event
//! histories*, Sociological Methodology 13; one decision per row is logistic regression. The likelihood is that of a
//! binary regression on person-periods, which are never written out: see `likelihood`, and `newton` for how it is
//! maximised.

mod basis;
mod clusters;
mod curve;
mod direction;
mod likelihood;
mod newton;
mod rows;
mod terms;

pub use basis::Shape;
pub use terms::BaselineTerm;

use serde::{Deserialize, Serialize};

use crate::hazard::cox::Status;
use crate::hazard::design::Design;
use crate::hazard::link::Link;
use crate::hazard::penalty::check_ridge;
use crate::hazard::sandwich::{self, Clustered};
use crate::hazard::scaling::units_differ;
use crate::{Error, Interrupt, Result};
use basis::Basis;
use newton::{Maximum, Problem};
use rows::Rows;

/// Beyond this the end of a curve would be no number.
const LONGEST_PERIOD: f64 = 1e15;

/// What a fit may be asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    pub link: Link,
    pub shape: Shape,
    /// Length of a period in the unit of the durations (for single decisions: from one to the next).
    pub period: f64,
    /// λ ≥ 0 of the penalty λ/2 Σ (β s)² on the coefficients per standard deviation s of their covariate (Hoerl & Kennard
    /// 1970; le Cessie & van Houwelingen 1992). Levels and intercept are free.
    pub penalty: f64,
    /// Whether errors are by clusters, a row without one being a cluster of its own; `None`: where a row has one.
    pub robust: Option<bool>,
}

impl Default for Options {
    fn default() -> Self {
        Options { link: Link::Logit, shape: Shape::Period, period: 1.0, penalty: 0.0, robust: None }
    }
}

/// A fitted model of decisions. Vectors and matrices run over all p covariates unless they say otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DiscreteFit {
    pub link: Link,
    pub period: f64,
    pub penalty: f64,
    /// Rows that count, and events among them.
    pub rows: usize,
    pub events: usize,
    /// Periods at risk, summed over rows.
    pub person_periods: u64,
    /// Rows with a time that was not a whole number of periods, and was rounded up.
    pub rounded: u64,
    /// Rows left out because they come and leave within one and the same period.
    pub left_out: u64,
    /// The weighted mean of each covariate over the rows: the row to which the levels belong.
    pub means: Vec<f64>,
    /// Per unit of each covariate; `None` for one that is constant or a combination of those before it.
    pub coefficients: Vec<Option<f64>>,
    /// p × p, row-major: from the inverse of Fisher's information (with a penalty, of the penalised one); 0 for
    /// covariates without a coefficient. By clusters where there are errors by clusters.
    pub covariance: Vec<f64>,
    pub baseline: Baseline,
    /// With all coefficients 0, the baseline fitted.
    pub log_likelihood_null: f64,
    pub log_likelihood: f64,
    /// Chi-squared statistics of the hypothesis that all coefficients are 0.
    pub score_test: f64,
    pub wald_test: f64,
    pub likelihood_ratio_test: f64,
    /// Number of coefficients, and of free parameters of the baseline.
    pub degrees_of_freedom: usize,
    pub baseline_degrees_of_freedom: usize,
    pub iterations: usize,
    pub status: Status,
    /// Where errors are by clusters. Stored beside the rest (`codec`), as earlier formats know nothing of it.
    #[serde(skip)]
    pub clustered: Option<Clustered>,
}

/// The hazard of the average row in each period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    pub shape: Shape,
    /// By weight, per period.
    pub at_risk: Vec<f64>,
    pub deaths: Vec<f64>,
    /// η of the row at the covariates' means in each period; `None` where a level of its own has nothing to say: nobody
    /// at risk or no event (the hazard is 0), or everybody (it is 1).
    pub levels: Vec<Option<f64>>,
    pub uncertainty: Uncertainty,
}

/// What the variance of a row's curve needs beside the coefficients' covariance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Uncertainty {
    /// Per period the information about its level, and (periods × p) the mean of the covariates weighted by
    /// information, less `means`.
    Levels { information: Vec<f64>, means: Vec<f64> },
    /// The q orthogonal columns over the periods (periods × q) of a smooth baseline, their coefficients, what turns these
    /// into those of the plain terms (q × q), and the covariance of both (q + p)².
    Smooth { columns: Vec<f64>, coefficients: Vec<f64>, to_plain: Vec<f64>, covariance: Vec<f64> },
    /// Levels of several periods whose errors belong together: `means` as with levels, and the covariance of the levels of
    /// the rows at these and the coefficients, (periods + p)².
    Joint { means: Vec<f64>, covariance: Vec<f64> },
}

/// Fits the hazard of the event in each period at risk. Times are divided by `period` and rounded up: a row is at risk
/// from the period after its entry to that of its exit, and a censored row has survived its last one. Rows that adjoin
/// are one subject whose covariates change.
///
/// Agrees with R's `glm(…, binomial(link))` on the person-periods to 10⁻⁹, and its errors by clusters with statsmodels'
/// `GLM(…).fit(cov_type="cluster")` without a correction.
///
/// # Errors
/// [`Error::Invalid`] for a design without rows or with strata or intervals, for a bad period or penalty, for too many
/// periods, for errors by clusters with a penalty or of more than 300 levels and coefficients; [`Error::OutOfRange`] beyond
/// the numbers or the memory there are; whatever `interrupt` returns.
pub fn fit(design: &Design, options: &Options, interrupt: Interrupt) -> Result<DiscreteFit> {
    let rows = Rows::periods(design, options.period, interrupt)?;
    fit_rows(rows, design, options, interrupt)
}

/// Fits the probability of the event as the one decision of each row; times are not looked at.
///
/// # Errors
/// As [`fit`].
pub fn fit_decisions(design: &Design, options: &Options, interrupt: Interrupt) -> Result<DiscreteFit> {
    check_term(options.period)?;
    let rows = Rows::decisions(design, interrupt)?;
    fit_rows(rows, design, &Options { shape: Shape::Period, ..*options }, interrupt)
}

/// # Errors
/// [`Error::Invalid`] for a period of [`fit`] that is none.
pub fn check_length(period: f64) -> Result<()> {
    check_period(period, "It is the length of a period in the unit of the durations: 30 for days in months.")
}

/// # Errors
/// [`Error::Invalid`] for a time between two decisions, of [`fit_decisions`], that is none.
pub fn check_term(period: f64) -> Result<()> {
    check_period(period, "It is the time from one renewal decision to the next.")
}

fn check_period(period: f64, hint: &str) -> Result<()> {
    if period > 0.0 && period <= LONGEST_PERIOD {
        return Ok(());
    }
    let message = format!("the period must be greater than 0 and at most {LONGEST_PERIOD:e}, got {period}");
    Err(Error::invalid(message, hint))
}

fn fit_rows(mut rows: Rows, design: &Design, options: &Options, interrupt: Interrupt) -> Result<DiscreteFit> {
    check_ridge(options.penalty)?;
    let by_clusters = sandwich::wanted(design, options.robust, options.penalty)?;
    let (events, shape) = (rows.used_events, options.shape);
    let basis = match shape {
        Shape::Period => None,
        _ => Some(Basis::new(shape, &rows.deaths)?),
    };
    let no_level: Vec<bool> =
        rows.deaths.iter().zip(&rows.sure).map(|(deaths, sure)| basis.is_none() && (*deaths == 0.0 || *sure)).collect();
    let nothing_to_fit = events == 0 || no_level.iter().all(|none| *none);
    if basis.is_none() {
        rows.take_out_sure();
    }
    let problem =
        Problem { rows: &rows, link: options.link, basis: basis.as_ref(), penalty: options.penalty, every: 1 };
    let p = rows.covariates;
    let maximum = if nothing_to_fit { None } else { Some(problem.maximise(&mut *interrupt)?) };
    let mut fit = DiscreteFit {
        link: options.link,
        period: options.period,
        penalty: options.penalty,
        rows: rows.used,
        events,
        person_periods: rows.person_periods,
        rounded: rows.rounded,
        left_out: rows.left_out,
        means: rows.means.clone(),
        coefficients: vec![None; p],
        covariance: vec![0.0; p * p],
        baseline: Baseline {
            shape,
            levels: vec![None; rows.at_risk.len()],
            uncertainty: Uncertainty::Levels {
                information: vec![0.0; rows.at_risk.len()],
                means: vec![0.0; rows.at_risk.len() * p],
            },
            at_risk: rows.at_risk.clone(),
            deaths: rows.deaths.clone(),
        },
        log_likelihood_null: 0.0,
        log_likelihood: 0.0,
        score_test: 0.0,
        wald_test: 0.0,
        likelihood_ratio_test: 0.0,
        degrees_of_freedom: 0,
        baseline_degrees_of_freedom: 0,
        iterations: 0,
        status: Status::NoEvents,
        clustered: None,
    };
    if let Some(maximum) = maximum {
        fit.baseline.shape = shape;
        fit.take(&problem, &maximum, &no_level);
        if by_clusters && let Some(observed) = problem.observed(&maximum, &mut *interrupt)? {
            let mut by_the_rows = fit.clone();
            by_the_rows.take(&problem, &observed, &no_level);
            fit.take_clusters(by_the_rows, &rows, design.clusters(), interrupt)?;
        }
    } else {
        fit.baseline.shape = Shape::Period;
    }
    match fit.validate() {
        Ok(()) => Ok(fit),
        Err(_) => Err(units_differ("the covariates")),
    }
}

impl DiscreteFit {
    /// Takes over what the maximum says, in the covariates' own units.
    fn take(&mut self, problem: &Problem, maximum: &Maximum, no_level: &[bool]) {
        let (p, scales) = (self.means.len(), &problem.rows.scales);
        let q = problem.basis.map_or(0, |basis| basis.terms);
        let size = q + p;
        let unit = |i: usize| if i < q { 1.0 } else { scales[i - q] };
        for &i in &maximum.active {
            self.coefficients[i] = Some(maximum.point.beta[i] * scales[i]);
            for &j in &maximum.active {
                self.covariance[i * p + j] = maximum.covariance[(q + i) * size + q + j] * scales[i] * scales[j];
            }
        }
        let penalty = |beta: &[f64]| problem.penalty / 2.0 * beta.iter().map(|beta| beta * beta).sum::<f64>();
        self.log_likelihood = maximum.evaluation.log_likelihood + penalty(&maximum.point.beta);
        self.log_likelihood_null = maximum.log_likelihood_null;
        self.likelihood_ratio_test = 2.0 * (self.log_likelihood - self.log_likelihood_null).max(0.0);
        (self.score_test, self.wald_test) = (maximum.score_test, maximum.wald_test);
        (self.iterations, self.status) = (maximum.iterations, maximum.status.clone());
        self.degrees_of_freedom = maximum.active.len();
        let levels = maximum.point.levels.iter().zip(no_level);
        self.baseline.levels = levels.map(|(level, none)| (!none).then_some(*level)).collect();
        self.baseline_degrees_of_freedom = if q > 0 { q } else { no_level.iter().filter(|none| !**none).count() };
        self.baseline.uncertainty = match problem.basis {
            None => {
                let information = maximum.evaluation.level_information.clone();
                let mut means = maximum.evaluation.cross.clone();
                for (means, information) in means.chunks_exact_mut(p.max(1)).zip(&information) {
                    for (mean, scale) in means.iter_mut().zip(scales) {
                        let divisor = information * scale;
                        *mean = if divisor > 0.0 { *mean / divisor } else { 0.0 };
                    }
                }
                Uncertainty::Levels { information, means }
            }
            Some(basis) => Uncertainty::Smooth {
                columns: basis.columns.clone(),
                coefficients: maximum.point.baseline.clone(),
                to_plain: basis.to_plain.clone(),
                covariance: (0..size * size)
                    .map(|at| maximum.covariance[at] * unit(at / size) * unit(at % size))
                    .collect(),
            },
        };
    }

    /// Number of periods.
    pub fn periods(&self) -> usize {
        self.baseline.levels.len()
    }

    /// β'(x − means).
    #[inline]
    pub fn linear_predictor(&self, x: &[f64]) -> f64 {
        let centred = x.iter().zip(&self.means).map(|(x, mean)| x - mean);
        centred.zip(&self.coefficients).map(|(x, coefficient)| x * coefficient.unwrap_or(0.0)).sum()
    }

    /// The standard error of a coefficient; `None` where there is no coefficient.
    pub fn standard_error(&self, covariate: usize) -> Option<f64> {
        (*self.coefficients.get(covariate)?)?;
        let at = covariate.checked_mul(self.coefficients.len() + 1)?;
        self.covariance.get(at).map(|variance| variance.sqrt())
    }

    /// Periods in which nobody at risk had the event, though others had it earlier or later, and those in which
    /// everybody had (counted from 1): their own levels are infinite, and left out.
    pub fn infinite_levels(&self) -> (Vec<usize>, Vec<usize>) {
        let none = |(_, level): &(usize, &Option<f64>)| level.is_none();
        let at = |which: &dyn Fn(usize) -> bool| {
            let periods = self.baseline.levels.iter().enumerate().filter(none).map(|(period, _)| period);
            periods.filter(|period| which(*period)).map(|period| period + 1).collect::<Vec<_>>()
        };
        let Baseline { at_risk, deaths, .. } = &self.baseline;
        (at(&|period| deaths[period] == 0.0 && at_risk[period] > 0.0), at(&|period| deaths[period] > 0.0))
    }

    /// Checks a fit that came from outside; every other function here takes one that holds together for granted.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the parts differ in length or a number is not finite.
    pub fn validate(&self) -> Result<()> {
        let (p, periods) = (self.coefficients.len(), self.periods());
        let statistics = [
            self.log_likelihood_null,
            self.log_likelihood,
            self.score_test,
            self.wald_test,
            self.likelihood_ratio_test,
        ];
        let numbers = statistics.iter().chain(&self.means).chain(&self.covariance);
        let numbers = numbers.chain(self.coefficients.iter().flatten()).chain(self.baseline.levels.iter().flatten());
        let terms_exist = match &self.status {
            Status::Separated { terms } => terms.iter().all(|term| *term < p),
            Status::Converged | Status::NoEvents | Status::NotConverged => true,
        };
        let counts = self.baseline.at_risk.iter().chain(&self.baseline.deaths);
        let holds = self.means.len() == p
            && p.checked_mul(p) == Some(self.covariance.len())
            && (0..p).all(|i| self.covariance[i * (p + 1)] >= 0.0)
            && self.coefficients.iter().flatten().count() == self.degrees_of_freedom
            && self.events <= self.rows
            && (1..=rows::MOST_PERIODS).contains(&periods)
            && self.baseline.at_risk.len() == periods
            && self.baseline.deaths.len() == periods
            && self.period > 0.0
            && self.period <= LONGEST_PERIOD
            && self.penalty >= 0.0
            && self.penalty < f64::INFINITY
            && terms_exist
            && numbers.into_iter().all(|number| number.is_finite())
            && counts.into_iter().all(|count| *count >= 0.0 && count.is_finite())
            && self.baseline.uncertainty.is_valid(self.baseline.shape, periods, p)
            && self.clustered.as_ref().is_none_or(|clustered| clustered.is_valid(self.baseline.terms() + p));
        if holds { Ok(()) } else { Err(Error::malformed("the parts of a discrete-time model contradict each other")) }
    }
}

impl Baseline {
    /// How many terms are told of it.
    fn terms(&self) -> usize {
        match self.shape {
            Shape::Period => self.levels.len(),
            smooth => smooth.terms().len(),
        }
    }
}

impl Uncertainty {
    fn is_valid(&self, shape: Shape, periods: usize, p: usize) -> bool {
        let finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
        match self {
            Uncertainty::Levels { information, means } => {
                shape == Shape::Period
                    && information.len() == periods
                    && periods.checked_mul(p) == Some(means.len())
                    && finite(information)
                    && information.iter().all(|information| *information >= 0.0)
                    && finite(means)
            }
            Uncertainty::Smooth { columns, coefficients, to_plain, covariance } => {
                let q = coefficients.len();
                let squared = |n: usize| n.checked_mul(n);
                shape != Shape::Period
                    && q == shape.terms().len()
                    && columns.len() == periods * q
                    && squared(q) == Some(to_plain.len())
                    && squared(q + p) == Some(covariance.len())
                    && [columns, coefficients, to_plain, covariance].iter().all(|part| finite(part))
            }
            Uncertainty::Joint { means, covariance } => {
                let size = periods.saturating_add(p);
                shape == Shape::Period
                    && periods > 1
                    && periods.checked_mul(p) == Some(means.len())
                    && size.checked_mul(size) == Some(covariance.len())
                    && finite(means)
                    && finite(covariance)
                    && (0..size).all(|i| covariance[i * (size + 1)] >= 0.0)
            }
        }
    }
}
