//! Cox's proportional hazards model: the hazard of a row is the baseline hazard times e^(β'x).
//!
//! Cox (1972), *Regression models and life-tables*, JRSS B 34. See `partial_likelihood` for the function that is
//! maximised, `newton` for how, and [`Baseline`] for the hazard itself.

use serde::{Deserialize, Serialize};

use crate::hazard::cox_baseline::Baseline;
use crate::hazard::design::Design;
use crate::hazard::newton::maximise;
use crate::hazard::partial_likelihood::PartialLikelihood;
use crate::hazard::penalty::Penalty;
use crate::hazard::proximal;
use crate::hazard::risk_sets::RiskSets;
use crate::hazard::robust::Robust;
use crate::hazard::scaling::units_differ;
use crate::{Error, Interrupt, Result};

/// How deaths at one and the same time share the risk set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ties {
    /// Efron (1977): the risk set loses the tied deaths in equal shares, one after the other.
    #[default]
    Efron,
    /// Breslow (1974): each tied death faces the whole risk set.
    Breslow,
    /// Cox (1972): of all ways to choose so many deaths from the risk set, the one that happened. For times that are
    /// discrete by nature, and for matched sets (conditional logistic regression).
    Exact,
}

/// What a fit is asked beyond the rows.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Options {
    pub ties: Ties,
    pub penalty: Penalty,
}

/// What became of a fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Converged,
    /// Some covariate, or a combination of the covariates `terms` (indices from 0), orders the events perfectly: the
    /// likelihood rises for ever as their coefficients grow. They are as at the last step – large, with a meaningless
    /// covariance – and the predictions are on their way to a limit of 0 or 1.
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
    pub penalty: Penalty,
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
    /// p × p, row-major: the inverse of the information, of which the penalty on the squares is a part (as `var` of R's
    /// `ridge`; an honest variance of the biased estimate where that bias is small); 0 for covariates without a
    /// coefficient. Empty when the penalty selects: the lasso has no standard errors.
    pub covariance: Vec<f64>,
    /// What stands in for the covariance and its tests where it was asked for; see [`robust`](crate::hazard::robust).
    pub robust: Option<Robust>,
    /// With all coefficients 0.
    pub log_likelihood_null: f64,
    /// Of the rows; the penalty is not taken off.
    pub log_likelihood: f64,
    /// Chi-squared statistics of the hypothesis that all coefficients are 0; with a penalty they follow no such law.
    pub score_test: f64,
    pub wald_test: f64,
    pub likelihood_ratio_test: f64,
    /// Number of coefficients.
    pub degrees_of_freedom: usize,
    /// Newton steps taken.
    pub iterations: usize,
    pub status: Status,
    /// The names of the strata, in byte order; empty when there are none.
    pub strata: Vec<String>,
    /// One per stratum; one when there are none.
    pub baselines: Vec<Baseline>,
}

/// Fits the model to a design.
///
/// At risk at `t` are the rows with `entry < t <= exit`; at one and the same time events come before censorings. Times
/// that differ by rounding only are one time, as R's `timefix` has it. Where the design has strata, only rows of the
/// same stratum are compared: each has a baseline of its own, and all share the coefficients. Offsets are part of the
/// linear predictor; the baselines are those of rows whose offset is 0. Covariates are centred and scaled inside, so
/// their origin and unit do not matter. With case weights each of the d terms of an Efron tie carries the mean weight
/// of its deaths, as in R; a weight of 2 is then not quite the same as the row twice (with Breslow's ties it is).
/// The answer agrees with R's `coxph(…, eps = 1e-12)` to 10⁻⁷ or better.
///
/// # Errors
/// As [`fit_with`].
pub fn fit(design: &Design, ties: Ties, interrupt: Interrupt) -> Result<CoxFit> {
    fit_with(design, &Options { ties, penalty: Penalty::default() }, interrupt)
}

/// As [`fit`], with a penalty. With exact ties the baseline is Breslow's, as in R.
///
/// # Errors
/// [`Error::Invalid`] for a design without rows or covariates, with times known to an interval only, with offsets more
/// than 400 apart, and for exact ties with case weights or of hopeless size; [`Error::OutOfRange`] when the design is beyond the numbers or the
/// memory there are; whatever `interrupt` returns. Data that leave coefficients undetermined are not errors: see
/// [`Status`].
pub fn fit_with(design: &Design, options: &Options, interrupt: Interrupt) -> Result<CoxFit> {
    let penalty = Penalty::new(options.penalty.strength, options.penalty.l1_ratio)?;
    if design.is_empty() {
        return Err(Error::invalid(
            "a regression needs at least one row",
            "Check the filter, and whether every row has a NULL among its features.",
        ));
    }
    if design.covariates() == 0 {
        return Err(Error::invalid("a regression needs at least one covariate", "Name at least one feature."));
    }
    if !design.uppers().is_empty() {
        return Err(Error::invalid(
            "a Cox regression needs exact or right-censored times",
            "For times known to an interval only fit a parametric model.",
        ));
    }
    let in_place = match options.ties {
        Ties::Efron | Ties::Breslow => RiskSets::in_place(design, interrupt)?,
        Ties::Exact => None,
    };
    let sets;
    let mut likelihood = match in_place {
        Some((found, sums)) => {
            sets = found;
            PartialLikelihood::in_place(&sets, sums, options.ties, penalty)
        }
        None => {
            sets = RiskSets::new(design, interrupt)?;
            PartialLikelihood::new(&sets, options.ties, penalty)?
        }
    };
    let maximum = match penalty.selects() {
        true => proximal::maximise(&mut likelihood, &penalty.absolutes(&sets.scales), interrupt)?,
        false => maximise(&mut likelihood, interrupt)?,
    };
    let baselines = Baseline::of_strata(&sets, &mut likelihood, &maximum.beta_seen, interrupt)?;
    let mut strata: Vec<String> = design.strata().names().iter().map(|name| name.to_string()).collect();
    strata.sort_unstable();

    let p = sets.covariates;
    let active = maximum.active.as_slice();
    let mut coefficients = vec![None; p];
    let mut covariance = vec![0.0; if penalty.selects() { 0 } else { p * p }];
    for &i in active {
        coefficients[i] = Some(maximum.beta[i] * sets.scales[i]);
        if penalty.selects() {
            continue;
        }
        for &j in active {
            covariance[i * p + j] = maximum.covariance[i * p + j] * sets.scales[i] * sets.scales[j];
        }
    }
    let fit = CoxFit {
        ties: options.ties,
        penalty,
        rows: design.len(),
        events: design.events().iter().filter(|event| **event).count(),
        weighted_events: sets.weighted_events,
        means: sets.means.clone(),
        coefficients,
        covariance,
        robust: None,
        log_likelihood_null: maximum.log_likelihood_null,
        log_likelihood: maximum.log_likelihood,
        score_test: maximum.score_test,
        wald_test: quadratic_form(&maximum.information, &maximum.beta),
        likelihood_ratio_test: 2.0 * (maximum.log_likelihood - maximum.log_likelihood_null).max(0.0),
        degrees_of_freedom: active.len(),
        iterations: maximum.iterations,
        status: maximum.status,
        strata,
        baselines,
    };
    match fit.validate() {
        Ok(()) => Ok(fit),
        Err(_) => Err(units_differ("the covariates")),
    }
}

impl CoxFit {
    /// The fit with these coefficients, come by elsewhere: its means and baselines are those of `design` at them. The
    /// statistics of the fit itself stay as they are, the robust covariance and all strata but those of `design` go.
    ///
    /// # Errors
    /// As [`fit_with`]; [`Error::Invalid`] unless the design has the covariates of the fit and the covariance their size.
    pub fn at(
        self,
        design: &Design,
        coefficients: Vec<Option<f64>>,
        covariance: Vec<f64>,
        interrupt: Interrupt,
    ) -> Result<CoxFit> {
        design.matches(self.coefficients.len(), &coefficients, &covariance)?;
        let sets = RiskSets::new(design, interrupt)?;
        // A baseline is Breslow's where ties are exact.
        let ties = if self.ties == Ties::Exact { Ties::Breslow } else { self.ties };
        let mut likelihood = PartialLikelihood::new(&sets, ties, Penalty::default())?;
        let scaled: Vec<f64> = coefficients
            .iter()
            .zip(&sets.scales)
            .map(|(beta, scale)| if *scale > 0.0 { beta.unwrap_or(0.0) / scale } else { 0.0 })
            .collect();
        let baselines = Baseline::of_strata(&sets, &mut likelihood, &scaled, interrupt)?;
        let mut strata: Vec<String> = design.strata().names().iter().map(|name| name.to_string()).collect();
        strata.sort_unstable();
        let fit = CoxFit {
            rows: design.len(),
            events: design.events().iter().filter(|event| **event).count(),
            weighted_events: sets.weighted_events,
            means: sets.means.clone(),
            degrees_of_freedom: coefficients.iter().flatten().count(),
            coefficients,
            covariance,
            robust: None,
            strata,
            baselines,
            ..self
        };
        match fit.validate() {
            Ok(()) => Ok(fit),
            Err(_) => Err(Error::OutOfRange("the model's numbers overflow at these coefficients".into())),
        }
    }

    /// The same coefficients with all that is known of their error, and the means and baselines of `design` at them.
    ///
    /// # Errors
    /// As [`CoxFit::at`].
    pub fn on(mut self, design: &Design, interrupt: Interrupt) -> Result<CoxFit> {
        let robust = self.robust.take();
        let (coefficients, covariance) = (self.coefficients.clone(), self.covariance.clone());
        Ok(CoxFit { robust, ..self.at(design, coefficients, covariance, interrupt)? })
    }

    /// The same model of covariates in the units that it was fitted in multiplied by `units`: what was fitted to x / unit
    /// tells of x.
    pub fn in_units_of(mut self, units: &[f64]) -> CoxFit {
        let p = self.coefficients.len();
        let unit = |at: usize| units.get(at).copied().unwrap_or(1.0);
        let covariances = [Some(&mut self.covariance), self.robust.as_mut().map(|robust| &mut robust.covariance)];
        for covariance in covariances.into_iter().flatten() {
            for (at, value) in covariance.iter_mut().enumerate() {
                *value /= unit(at / p) * unit(at % p);
            }
        }
        for at in 0..p {
            self.means[at] *= unit(at);
            self.coefficients[at] = self.coefficients[at].map(|coefficient| coefficient / unit(at));
        }
        for baseline in &mut self.baselines {
            for (at, part) in baseline.path.iter_mut().enumerate() {
                *part *= unit(at % p);
            }
        }
        self
    }

    /// β'(x − means): the log hazard relative to the average row. `x` holds the p covariates of a row.
    #[inline]
    pub fn linear_predictor(&self, x: &[f64]) -> f64 {
        let centred = x.iter().zip(&self.means).map(|(x, mean)| x - mean);
        centred.zip(&self.coefficients).map(|(x, coefficient)| x * coefficient.unwrap_or(0.0)).sum()
    }

    /// The baseline of a stratum, if training saw it; that of all rows where there are no strata.
    pub fn baseline(&self, stratum: Option<&str>) -> Option<&Baseline> {
        let found = match (stratum, self.strata.is_empty()) {
            (_, true) => Ok(0),
            (Some(name), false) => self.strata.binary_search_by(|stratum| stratum.as_str().cmp(name)),
            (None, false) => return None,
        };
        found.ok().and_then(|at| self.baselines.get(at))
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
            && Penalty::new(self.penalty.strength, self.penalty.l1_ratio).is_ok()
            && (if self.penalty.selects() { Some(0) } else { p.checked_mul(p) }) == Some(self.covariance.len())
            && self.coefficients.iter().flatten().count() == self.degrees_of_freedom
            && self.events <= self.rows
            && terms_exist
            && self.robust.as_ref().is_none_or(|robust| robust.is_valid(p))
            && numbers.into_iter().all(|number| number.is_finite())
            && self.baselines.len() == self.strata.len().max(1)
            && self.strata.windows(2).all(|pair| pair[0] < pair[1])
            && self.strata.iter().all(|stratum| !stratum.contains('\0'))
            && self.baselines.iter().all(|baseline| baseline.is_valid(p, self.baselines.len()));
        if holds { Ok(()) } else { Err(Error::malformed("the parts of a Cox model contradict each other")) }
    }

    /// The covariance from which intervals and tests of the coefficients are made: the robust one where there is one.
    pub fn uncertainty(&self) -> &[f64] {
        self.robust.as_ref().map_or(&self.covariance, |robust| &robust.covariance)
    }

    /// The standard error of a coefficient by the model; `None` where there is no coefficient.
    pub fn standard_error(&self, covariate: usize) -> Option<f64> {
        (*self.coefficients.get(covariate)?)?;
        let at = covariate.checked_mul(self.coefficients.len() + 1)?;
        self.covariance.get(at).map(|variance| variance.sqrt())
    }
}

/// β' A β
fn quadratic_form(matrix: &[f64], beta: &[f64]) -> f64 {
    let product = |row: &[f64]| row.iter().zip(beta).map(|(a, b)| a * b).sum::<f64>();
    matrix.chunks_exact(beta.len().max(1)).zip(beta).map(|(row, b)| b * product(row)).sum()
}
