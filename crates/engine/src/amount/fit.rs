//! A generalised linear model of an amount: what it is fitted from, and what is kept of it.

use serde::{Deserialize, Serialize};

use crate::amount::newton::{Maximum, maximise};
use crate::amount::rows::Rows;
use crate::amount::tweedie::{self, Densities};
use crate::amount::{Family, expectation};
use crate::hazard::cox::Status;
use crate::hazard::design::Design;
use crate::hazard::penalty::check_ridge;
use crate::hazard::sandwich::{self, Clustered};
use crate::hazard::scaling::units_differ;
use crate::numeric::gamma::log_gamma;
use crate::numeric::sum::Sum;
use crate::{Error, Interrupt, Result};

/// A mean unit deviance of a Tweedie model that is this share of its scale is none.
const MET: f64 = 1e-12;

/// What a fit may be asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    pub family: Family,
    /// λ ≥ 0 of the penalty λ/2 Σ (β s)² on the coefficients per standard deviation s of their covariate (Hoerl & Kennard
    /// 1970), against half the deviance. The intercept is free.
    pub penalty: f64,
}

/// A fitted model. Vectors run over all p covariates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AmountFit {
    pub family: Family,
    pub penalty: f64,
    pub rows: usize,
    /// Rows with an amount greater than 0.
    pub positive: usize,
    /// Sum of the weights: rows count by their weight as if repeated.
    pub weight: f64,
    /// Weighted mean of the amounts, and of each covariate: the row to which `level` belongs.
    pub mean: f64,
    pub means: Vec<f64>,
    /// The linear predictor of the row at the covariates' means, without an offset.
    pub level: f64,
    /// Per unit of each covariate; `None` for one that is constant or a combination of those before it.
    pub coefficients: Vec<Option<f64>>,
    /// (1 + p)², row-major, of level and coefficients: inverse of Fisher's information (with a penalty, of the penalised
    /// one) with φ = 1; 0 where there is no coefficient. Where errors are by clusters it is their covariance itself.
    pub covariance: Vec<f64>,
    /// φ by Pearson's statistic over its degrees of freedom; `None` when there are none.
    pub dispersion: Option<f64>,
    pub deviance: f64,
    /// With the intercept (and offsets) only.
    pub null_deviance: f64,
    /// `None` where the likelihood has no maximum in φ: all rows are met exactly.
    pub log_likelihood: Option<f64>,
    /// Coefficients, the intercept among them.
    pub rank: usize,
    /// The Tweedie power was estimated.
    pub power_estimated: bool,
    pub iterations: usize,
    pub status: Status,
    /// Where errors are by clusters. Stored beside the rest (`codec`), as earlier formats know nothing of it.
    #[serde(skip)]
    pub clustered: Option<Clustered>,
}

/// Fits the model by Newton's method; agrees with R's `glm` (gaussian, Gamma(log), statmod's tweedie(p, 0)) at a tight
/// tolerance to 10⁻⁸, weights taken as repetitions: the dispersion divides by Σ weight − rank.
///
/// The log-likelihood has φ at its maximum for linear (R's `logLik`) and Tweedie models; for gamma, as R's `glm`, φ is
/// deviance / Σ weight.
///
/// # Errors
/// [`Error::Invalid`] for a design without rows or of times, an amount outside the family's domain, a bad penalty or
/// power; [`Error::OutOfRange`] beyond the numbers or memory there are; whatever `interrupt` returns. All other findings
/// are in the [`Status`]: [`Status::NoEvents`] when no amount of a Tweedie model is greater than 0.
pub fn fit(design: &Design, options: &Options, interrupt: Interrupt) -> Result<AmountFit> {
    fit_with(design, options, None, interrupt)
}

/// As [`fit`]; `robust`: whether errors are by clusters, a row without one being a cluster of its own, with `None` where a
/// row has one. They agree with statsmodels' `GLM(…).fit(cov_type="cluster")` without a correction.
///
/// # Errors
/// As [`fit`]; [`Error::Invalid`] for errors by clusters with a penalty.
pub fn fit_with(design: &Design, options: &Options, robust: Option<bool>, interrupt: Interrupt) -> Result<AmountFit> {
    options.family.validate()?;
    let by_clusters = sandwich::wanted(design, robust, options.penalty)?;
    let rows = checked(design, options, &mut *interrupt)?;
    let (mut fit, maximum) = fitted(&rows, options, &mut *interrupt)?;
    if let Some(maximum) = maximum {
        fit.log_likelihood = match fit.family {
            // What is met exactly has a density without bound.
            Family::Tweedie { power } if fit.deviance <= MET * fit.weight * fit.mean.powf(2.0 - power) => None,
            Family::Tweedie { power } => match densities(&rows, power, &maximum, &mut *interrupt)? {
                Some(mut densities) => {
                    densities.maximum_over_dispersion(fit.dispersion.unwrap_or(1.0), &mut *interrupt)?
                }
                None => None,
            },
            _ => likelihood(&rows, &fit, &maximum, &mut *interrupt)?,
        };
        if by_clusters {
            fit.take_clusters(&rows, &maximum, interrupt)?;
        }
    }
    fit.sound()
}

/// A Tweedie model whose power is the most likely one in [1.05, 1.95], to three digits: the exact likelihood (the series
/// of Dunn & Smyth 2005, *Series evaluation of Tweedie exponential dispersion model densities*, Statistics and Computing
/// 15) is profiled over a grid and then between its best neighbours, the dispersion at its maximum for each power.
///
/// # Errors
/// As [`fit`].
pub fn fit_tweedie(design: &Design, penalty: f64, interrupt: Interrupt) -> Result<AmountFit> {
    fit_tweedie_with(design, penalty, None, interrupt)
}

/// As [`fit_tweedie`], errors as in [`fit_with`]: the power counts as known.
///
/// # Errors
/// As [`fit_with`].
pub fn fit_tweedie_with(
    design: &Design,
    penalty: f64,
    robust: Option<bool>,
    interrupt: Interrupt,
) -> Result<AmountFit> {
    sandwich::wanted(design, robust, penalty)?;
    let at = |power: f64| Options { family: Family::Tweedie { power }, penalty };
    let mut rows = checked(design, &at(1.5), &mut *interrupt)?;
    let mut dispersion = 1.0;
    let mut profile = |power: f64| -> Result<f64> {
        rows.family = Family::Tweedie { power };
        let Some(maximum) = fitted(&rows, &at(power), &mut *interrupt)?.1 else { return Ok(f64::NEG_INFINITY) };
        let densities = densities(&rows, power, &maximum, &mut *interrupt)?;
        let Some(mut densities) = densities else { return Ok(f64::NEG_INFINITY) };
        let found = densities.maximum_over_dispersion(dispersion, &mut *interrupt)?;
        dispersion = densities.dispersion();
        Ok(found.unwrap_or(f64::NEG_INFINITY))
    };
    let power = tweedie::most_likely_power(&mut profile)?;
    let mut fit = fit_with(design, &at(power), robust, interrupt)?;
    fit.power_estimated = true;
    Ok(fit)
}

fn checked<'a>(design: &'a Design, options: &Options, interrupt: Interrupt) -> Result<Rows<'a>> {
    check_ridge(options.penalty)?;
    check_amounts(design)?;
    Rows::new(design, options.family, options.penalty, interrupt)
}

/// # Errors
/// [`Error::Invalid`] unless the design has rows, and of amounts.
pub(super) fn check_amounts(design: &Design) -> Result<()> {
    if design.is_empty() {
        return Err(Error::invalid(
            "a regression needs at least one row",
            "Check the filter, and whether every row has a NULL among its features.",
        ));
    }
    if design.amounts().is_empty() {
        return Err(Error::invalid(
            "these are rows of times, not of amounts",
            "Gather them with amount_design_agg(amount, ARRAY[covariates]).",
        ));
    }
    Ok(())
}

/// The fit but for its log-likelihood; without a maximum when there is no amount to speak of.
fn fitted(rows: &Rows, options: &Options, interrupt: Interrupt) -> Result<(AmountFit, Option<Maximum>)> {
    let p = rows.scales.len();
    let mut fit = AmountFit {
        family: rows.family,
        penalty: options.penalty,
        rows: rows.len(),
        positive: rows.positive,
        weight: rows.weight,
        mean: rows.total / rows.weight * rows.unit,
        means: rows.means.clone(),
        level: 0.0,
        coefficients: vec![None; p],
        covariance: vec![0.0; (p + 1) * (p + 1)],
        dispersion: None,
        deviance: 0.0,
        null_deviance: 0.0,
        log_likelihood: None,
        rank: 0,
        power_estimated: false,
        iterations: 0,
        status: Status::NoEvents,
        clustered: None,
    };
    if rows.family.has_log_link() && rows.positive == 0 {
        return Ok((fit, None));
    }
    let null = maximise(rows, true, &mut *interrupt)?;
    let maximum = maximise(rows, false, &mut *interrupt)?;
    fit.null_deviance = rows.residuals(&null.theta, &mut *interrupt)?.deviance;
    let residuals = rows.residuals(&maximum.theta, interrupt)?;
    fit.deviance = residuals.deviance;
    fit.rank = 1 + maximum.active.len();
    let freedom = rows.weight - fit.rank as f64;
    fit.dispersion = (freedom > 0.0).then_some(residuals.pearson / freedom);
    // The unit shifts a log link and stretches the other; information about θ goes with the amounts to the power 2 − p.
    let log = rows.family.has_log_link();
    let stretch = if log { 1.0 } else { rows.unit };
    let shrunk = if log { rows.unit.powf(rows.family.power() - 2.0) } else { 1.0 };
    fit.level = if log { maximum.theta[0] + rows.unit.ln() } else { maximum.theta[0] * rows.unit };
    for &i in &maximum.active {
        fit.coefficients[i] = Some(maximum.theta[1 + i] * rows.scales[i] * stretch);
    }
    let scale = |i: usize| if i == 0 { 1.0 } else { rows.scales[i - 1] };
    for i in 0..=p {
        for j in 0..=p {
            fit.covariance[i * (p + 1) + j] = maximum.covariance[i * (p + 1) + j] * scale(i) * scale(j) * shrunk;
        }
    }
    fit.iterations = maximum.iterations;
    fit.status = maximum.status.clone();
    Ok((fit, Some(maximum)))
}

/// The log-likelihood of a linear or gamma model.
fn likelihood(rows: &Rows, fit: &AmountFit, maximum: &Maximum, interrupt: Interrupt) -> Result<Option<f64>> {
    let dispersion = fit.deviance / fit.weight;
    // What is met exactly has a density without bound.
    let exact = f64::EPSILON * f64::EPSILON * if fit.family == Family::Linear { rows.unit * rows.unit } else { 1.0 };
    if dispersion <= exact {
        return Ok(None);
    }
    if fit.family == Family::Linear {
        return Ok(Some(-fit.weight / 2.0 * ((std::f64::consts::TAU * dispersion).ln() + 1.0)));
    }
    let shape = 1.0 / dispersion;
    let constant = shape * shape.ln() - log_gamma(shape)[0];
    let mut sum = Sum::default();
    rows.for_each_mean(&maximum.theta, interrupt, |y, mean, weight| {
        sum.add(weight * (constant + shape * (y.ln() - mean.ln() - y / mean) - y.ln()));
        Ok(())
    })?;
    Ok(Some(sum.total()))
}

/// The rows as the Tweedie density sees them; `None` when a mean has left the numbers.
fn densities(rows: &Rows, power: f64, maximum: &Maximum, interrupt: Interrupt) -> Result<Option<Densities>> {
    let mut densities = Densities::new(power, rows.unit);
    let no_memory = |_| Error::NoMemory(format!("no memory is left for the densities of {} rows", rows.positive));
    densities.reserve(rows.positive).map_err(no_memory)?;
    rows.for_each_mean(&maximum.theta, interrupt, |y, mean, weight| {
        densities.add(y, mean, weight);
        Ok(())
    })?;
    Ok(densities.is_sound().then_some(densities))
}

impl AmountFit {
    /// The linear predictor of a row without an offset.
    pub fn linear_predictor(&self, x: &[f64]) -> f64 {
        self.level + self.effects(x).sum::<f64>()
    }

    /// β (x − mean) by covariate.
    pub fn effects<'a>(&'a self, x: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        let centred = x.iter().zip(&self.means).map(|(x, mean)| x - mean);
        centred.zip(&self.coefficients).map(|(x, coefficient)| x * coefficient.unwrap_or(0.0))
    }

    /// The variance of the linear predictor of a row; `None` without a dispersion.
    pub fn variance(&self, x: &[f64]) -> Option<f64> {
        let mut direction = vec![1.0];
        direction.extend(x.iter().zip(&self.means).map(|(x, mean)| x - mean));
        Some(self.scale()? * expectation::quadratic(&self.covariance, &direction))
    }

    /// The linear predictor where every covariate is 0, with its standard error.
    pub fn intercept(&self) -> (f64, Option<f64>) {
        let zeros = vec![0.0; self.means.len()];
        (self.linear_predictor(&zeros), self.variance(&zeros).map(f64::sqrt))
    }

    /// The standard error of a coefficient; `None` where there is no coefficient, or no dispersion.
    pub fn standard_error(&self, covariate: usize) -> Option<f64> {
        (*self.coefficients.get(covariate)?)?;
        let at = (covariate + 1).checked_mul(self.means.len() + 2)?;
        Some((self.covariance.get(at)? * self.scale()?).sqrt())
    }

    /// What the covariance is to be multiplied by: the dispersion, if the model's own; `None` where that is unknown.
    pub fn scale(&self) -> Option<f64> {
        match &self.clustered {
            Some(clustered) if clustered.is_used() => Some(1.0),
            _ => self.dispersion,
        }
    }

    /// The degrees of freedom of Student's law by which tests and limits of what is expected are: infinite for the normal
    /// law, by which errors by clusters are.
    pub fn law_of_errors(&self) -> f64 {
        match &self.clustered {
            Some(clustered) if clustered.is_used() => f64::INFINITY,
            _ => self.degrees_of_freedom(),
        }
    }

    /// Those with which the dispersion was estimated: rows, each counted as often as its weight says, less coefficients.
    pub fn degrees_of_freedom(&self) -> f64 {
        self.weight - self.rank as f64
    }

    /// Coefficients, the dispersion, and the power where it was estimated.
    pub fn parameters(&self) -> usize {
        self.rank + 1 + usize::from(self.power_estimated)
    }

    fn sound(self) -> Result<Self> {
        match self.validate() {
            Ok(()) => Ok(self),
            Err(_) => Err(units_differ("the amounts and covariates")),
        }
    }

    /// Checks a fit that came from outside.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the parts differ in length, contradict each other, or a number is not finite.
    pub fn validate(&self) -> Result<()> {
        let p = self.coefficients.len();
        let statistics = [self.level, self.mean, self.deviance, self.null_deviance];
        let numbers = statistics.iter().chain(&self.means).chain(&self.covariance).chain(&self.dispersion);
        let numbers = numbers.chain(&self.log_likelihood).chain(self.coefficients.iter().flatten());
        let terms_exist = match &self.status {
            Status::Separated { terms } => terms.iter().all(|term| *term < p),
            Status::Converged | Status::NoEvents | Status::NotConverged => true,
        };
        let empty = self.status == Status::NoEvents;
        let holds = self.family.validate().is_ok()
            && self.means.len() == p
            && (p + 1).checked_mul(p + 1) == Some(self.covariance.len())
            && (0..=p).all(|i| self.covariance[i * (p + 2)] >= 0.0)
            && self.rank == if empty { 0 } else { 1 + self.coefficients.iter().flatten().count() }
            && self.positive <= self.rows
            && self.weight > 0.0
            && self.weight < f64::INFINITY
            && (0.0..f64::INFINITY).contains(&self.penalty)
            && self.deviance >= 0.0
            && self.null_deviance >= 0.0
            && self.dispersion.is_none_or(|dispersion| dispersion >= 0.0)
            && terms_exist
            && self.clustered.as_ref().is_none_or(|clustered| clustered.is_valid(1 + p))
            && numbers.into_iter().all(|number| number.is_finite());
        if holds { Ok(()) } else { Err(Error::malformed("the parts of a model of amounts contradict each other")) }
    }
}
