//! Parametric models of time to event: a distribution whose parameters depend on the covariates.
//!
//! Maximum likelihood by Newton's method with exact derivatives, for exact, right-, left- and interval-censored rows and
//! delayed entry. Covariates act on the location of the distribution (see [`Distribution`] for what a coefficient then
//! means) and, where asked for, on one ancillary parameter as well.

use serde::{Deserialize, Serialize};

use crate::hazard::cox::Status;
use crate::hazard::design::Design;
use crate::hazard::parametric_likelihood::{Evaluation, Layout, Rows, evaluate};
use crate::numeric::linear::{RankedCholesky, collinearity_tolerance};
use crate::survival::distribution::{Distribution, SplineScale};
use crate::survival::parametric::ParametricCurve;
use crate::{Error, Interrupt, Result};

const MAX_ITERATIONS: usize = 100;
/// Twice the rise that the step ahead promises, below which a fit has converged: the step is 10⁻⁷ standard errors long
/// and is still taken, so that what is left is of the order of its square.
const CONVERGED_DECREMENT: f64 = 1e-14;
/// Below this, where no step leads up any more, the numbers have come to their end.
const ROUNDING_DECREMENT: f64 = 1e-7;
/// Below this a regular fit converges quadratically; one whose steps do not shrink runs off.
const QUADRATIC_DECREMENT: f64 = 1e-4;
/// What is added to the diagonal of the information in turn when a step leads down.
const DAMPINGS: [f64; 7] = [0.0, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 1e3];
const HALVINGS: i32 = 4;
/// From so many rows on a first fit of every k-th row, about `SAMPLE` of them, gives the start.
const MANY: usize = 60_000;
const SAMPLE: usize = 15_000;

/// A fitted parametric model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParametricFit {
    pub distribution: Distribution,
    /// Covariates that act on the ancillary parameter [`ancillary_parameter`] too, rising.
    pub ancillary: Vec<usize>,
    /// Rows fitted.
    pub rows: usize,
    /// Rows with the event, those known to an interval included.
    pub events: usize,
    /// Weighted mean of each covariate.
    pub means: Vec<f64>,
    /// For each parameter its intercept and then its covariates: all of them for the location, `ancillary` for one other
    /// parameter. `None` for a covariate that is constant or a combination of those before it.
    pub coefficients: Vec<Option<f64>>,
    /// Inverse of the observed information, row-major; 0 where there is no coefficient.
    pub covariance: Vec<f64>,
    /// Without covariates.
    pub log_likelihood_null: f64,
    pub log_likelihood: f64,
    /// Estimated numbers: intercepts, ancillary parameters and coefficients of covariates.
    pub parameters: usize,
    pub iterations: usize,
    pub status: Status,
    /// The largest time in the data: what lies beyond is extrapolation.
    pub max_followup: f64,
}

/// The parameter on which ancillary covariates act: the second (log(scale), the Gompertz shape, gamma1, the first rate
/// ratio), the cured share where there is one. `None` for the exponential, which has no other parameter.
pub fn ancillary_parameter(distribution: &Distribution) -> Option<usize> {
    match distribution {
        Distribution::Cure(_) => Some(distribution.parameters() - 1),
        other => (other.parameters() > 1).then_some(1),
    }
}

/// Fits `distribution` to a design; `ancillary` are the covariates (from 0) that act on the ancillary parameter too.
///
/// # Errors
/// [`Error::Invalid`] for a design without rows, an event at time 0 (it has no density there), a piece of a piecewise
/// exponential without events, ancillary covariates that are none; [`Error::OutOfRange`] beyond the numbers or memory
/// there are; whatever `interrupt` returns.
pub fn fit(
    design: &Design,
    distribution: &Distribution,
    ancillary: &[usize],
    interrupt: Interrupt,
) -> Result<ParametricFit> {
    distribution.validate()?;
    check(design, distribution, ancillary)?;
    let (m, p) = (distribution.parameters(), design.covariates());
    let target = ancillary_parameter(distribution).unwrap_or(m);
    let rows = Rows::new(design, interrupt)?;
    let upper = |row: usize| design.uppers().get(row).copied().filter(|upper| upper.is_finite());
    let events = (0..design.len()).filter(|row| design.events()[*row] || upper(*row).is_some()).count();
    let last = design.exits().iter().chain(design.uppers()).filter(|t| t.is_finite()).fold(0.0, |a, b| f64::max(a, *b));
    let full = Layout::new(m, &(0..p).collect::<Vec<_>>(), target, ancillary);
    let mut fit = ParametricFit {
        distribution: distribution.clone(),
        ancillary: ancillary.to_vec(),
        rows: design.len(),
        events,
        means: rows.means.clone(),
        coefficients: vec![None; full.len()],
        covariance: vec![0.0; full.len() * full.len()],
        log_likelihood_null: 0.0,
        log_likelihood: 0.0,
        parameters: 0,
        iterations: 0,
        status: Status::NoEvents,
        max_followup: last,
    };
    if events == 0 {
        return Ok(fit);
    }
    let kept = independent(&rows);
    let location: Vec<usize> = (0..p).filter(|covariate| kept.contains(covariate)).collect();
    let others: Vec<usize> = ancillary.iter().copied().filter(|covariate| kept.contains(covariate)).collect();
    let layout = Layout::new(m, &location, target, &others);
    let alone = Layout::new(m, &[], target, &[]);

    let strides = if design.len() >= MANY { vec![design.len() / SAMPLE, 1] } else { vec![1] };
    let begin = start(&rows, distribution, interrupt)?;
    let mut null: Option<Maximum> = None;
    let mut best: Option<Maximum> = None;
    for stride in strides {
        let from = match &null {
            Some(maximum) if maximum.status == Status::Converged => maximum.beta.clone(),
            _ => begin.clone(),
        };
        let found = maximise(&rows, distribution, &alone, from, stride, interrupt)?;
        let from = match &best {
            Some(maximum) if maximum.status == Status::Converged => maximum.beta.clone(),
            _ => {
                let mut beta = vec![0.0; layout.len()];
                layout.starts[..m].iter().zip(&found.beta).for_each(|(place, value)| beta[*place] = *value);
                beta
            }
        };
        best = Some(match layout == alone {
            true => found.clone(),
            false => maximise(&rows, distribution, &layout, from, stride, interrupt)?,
        });
        null = Some(found);
    }
    let (Some(null), Some(best)) = (null, best) else { return Ok(fit) };
    fit.log_likelihood_null = null.evaluation.value;
    fit.log_likelihood = best.evaluation.value;
    fit.iterations = best.iterations;
    fit.status = best.status.clone();
    fit.parameters = layout.len();
    unscale(&mut fit, &rows, &layout, &full, &best);
    match fit.validate() {
        Ok(()) => Ok(fit),
        Err(_) => Err(Error::OutOfRange(
            "the model's numbers overflow: the units of the covariates differ too much, or the data lie on the edge of \
             what the distribution can be"
                .into(),
        )),
    }
}

fn check(design: &Design, distribution: &Distribution, ancillary: &[usize]) -> Result<()> {
    if design.is_empty() {
        return Err(Error::invalid(
            "a regression needs at least one row",
            "Check the filter, and whether every row has a NULL among its features.",
        ));
    }
    if (0..design.len()).any(|row| design.events()[row] && design.exits()[row] <= 0.0) {
        return Err(Error::invalid(
            "a row has its event at duration 0, where a parametric model has no density",
            "Durations of events must be greater than 0: add half a unit, or give the event as an interval \
             (interval_design_agg with left 0).",
        ));
    }
    if !design.strata().is_empty() {
        return Err(Error::invalid(
            "a parametric model has no strata",
            "Give the stratum as a covariate, and as an ancillary one where the shape should differ too.",
        ));
    }
    if ancillary.iter().any(|covariate| *covariate >= design.covariates())
        || ancillary.windows(2).any(|pair| pair[0] >= pair[1])
    {
        return Err(Error::invalid(
            format!("the ancillary covariates must be distinct and among the {} covariates", design.covariates()),
            "They count from 1 in the order of the covariates.",
        ));
    }
    if !ancillary.is_empty() && ancillary_parameter(distribution).is_none() {
        return Err(Error::invalid(
            "an exponential distribution has no ancillary parameter",
            "Leave the ancillary covariates out, or fit a Weibull distribution.",
        ));
    }
    if let Distribution::PiecewiseExponential { breaks } = distribution {
        let pieces = (0..=breaks.len()).map(|i| {
            let from = if i == 0 { 0.0 } else { breaks[i - 1] };
            (from, breaks.get(i).copied().unwrap_or(f64::INFINITY))
        });
        for (from, to) in pieces {
            let inside = |row: usize| {
                let exit = design.exits()[row];
                let upper = design.uppers().get(row).copied().unwrap_or(f64::INFINITY);
                (design.events()[row] && exit > from && exit <= to) || (upper.is_finite() && exit < to && upper > from)
            };
            let any = (0..design.len()).any(|row| design.events()[row]) || !design.uppers().is_empty();
            if any && !(0..design.len()).any(inside) {
                return Err(Error::invalid(
                    format!("no event lies between the breaks {from} and {to}: the hazard there cannot be estimated"),
                    "Choose other breaks.",
                ));
            }
        }
    }
    Ok(())
}

/// The covariates that are not constant nor combinations of those before them.
fn independent(rows: &Rows) -> Vec<usize> {
    let p = rows.design.covariates();
    let mut gram = vec![0.0; p * p];
    let mut z = vec![0.0; p];
    for row in 0..rows.design.len() {
        z.iter_mut().enumerate().for_each(|(j, z)| *z = rows.standardised(row, j));
        for i in 0..p {
            for j in 0..=i {
                gram[i * p + j] += z[i] * z[j];
            }
        }
    }
    RankedCholesky::new(&gram, p, collinearity_tolerance()).columns().to_vec()
}

/// Parameters from which Newton's method finds the maximum without covariates.
fn start(rows: &Rows, distribution: &Distribution, interrupt: Interrupt) -> Result<Vec<f64>> {
    let design = rows.design;
    let (mut events, mut exposure) = (0.0, 0.0);
    for row in 0..design.len() {
        let weight = design.weights().get(row).copied().unwrap_or(1.0);
        let entry = design.entries().get(row).copied().unwrap_or(0.0);
        let upper = design.uppers().get(row).copied().filter(|upper| upper.is_finite());
        let offset = design.offsets().get(row).copied().unwrap_or(0.0);
        let scale = if distribution.is_accelerated() { (-offset).exp() } else { offset.exp() };
        events += if design.events()[row] || upper.is_some() { weight } else { 0.0 };
        exposure += weight
            * scale
            * (upper.map_or(design.exits()[row], |upper| f64::midpoint(upper, design.exits()[row])) - entry);
    }
    let log_rate = (events / exposure).ln();
    let alone = |distribution: &Distribution, from: Vec<f64>, interrupt: Interrupt| {
        let m = distribution.parameters();
        let stride = if design.len() >= MANY { design.len() / SAMPLE } else { 1 };
        maximise(rows, distribution, &Layout::new(m, &[], m, &[]), from, stride, interrupt)
    };
    Ok(match distribution {
        Distribution::Exponential => vec![-log_rate],
        Distribution::Weibull | Distribution::LogNormal | Distribution::LogLogistic => vec![-log_rate - 0.2, -0.1],
        Distribution::GeneralizedGamma => {
            let from = vec![-log_rate - 0.2, -0.1];
            let normal = alone(&Distribution::LogNormal, from.clone(), interrupt)?;
            let weibull = alone(&Distribution::Weibull, from, interrupt)?;
            let (maximum, q) =
                if normal.evaluation.value > weibull.evaluation.value { (normal, 0.0) } else { (weibull, 1.0) };
            vec![maximum.beta[0], maximum.beta[1], q]
        }
        Distribution::Gompertz => vec![log_rate, 0.0],
        Distribution::PiecewiseExponential { breaks } => {
            let mut from = vec![log_rate];
            from.resize(breaks.len() + 1, 0.0);
            from
        }
        Distribution::Spline { scale, knots } => {
            let plain = match scale {
                SplineScale::Hazard => Distribution::Weibull,
                SplineScale::Odds => Distribution::LogLogistic,
                SplineScale::Normal => Distribution::LogNormal,
            };
            let maximum = alone(&plain, vec![-log_rate - 0.2, -0.1], interrupt)?;
            let slope = (-maximum.beta[1]).exp();
            let mut from = vec![0.0; knots.len()];
            (from[0], from[1]) = (-maximum.beta[0] * slope, slope);
            from
        }
        Distribution::Cure(inner) => {
            let mut from = start(rows, inner, interrupt)?;
            // Half of those who have not had the event never will; the others have it about so much faster.
            let total: f64 = (0..design.len()).map(|row| design.weights().get(row).copied().unwrap_or(1.0)).sum();
            let cured = (0.5 * (1.0 - events / total)).clamp(0.02, 0.9);
            let faster = -(1.0 - cured).ln();
            from[0] += if inner.is_accelerated() { -faster } else { faster };
            from.push((cured / (1.0 - cured)).ln());
            from
        }
    })
}

/// Where Newton's method ended, in scaled units.
#[derive(Debug, Clone)]
struct Maximum {
    beta: Vec<f64>,
    evaluation: Evaluation,
    iterations: usize,
    status: Status,
}

fn maximise(
    rows: &Rows,
    distribution: &Distribution,
    layout: &Layout,
    mut beta: Vec<f64>,
    stride: usize,
    interrupt: Interrupt,
) -> Result<Maximum> {
    let mut at = |beta: &[f64]| evaluate(rows, distribution, layout, beta, stride, interrupt);
    let Some(mut now) = at(&beta)? else {
        return Err(Error::OutOfRange("the times, weights or covariates are too large for a parametric model".into()));
    };
    let (mut iterations, mut before, mut unshrunk) = (0, f64::INFINITY, 0);
    let status = loop {
        // Away from the maximum the information need not be positive definite: then only damped steps lead up.
        let newton = newton_step(&now, 0.0);
        if let Some((step, decrement)) = &newton {
            if *decrement <= CONVERGED_DECREMENT {
                beta.iter_mut().zip(step).for_each(|(beta, step)| *beta += step);
                break Status::Converged;
            }
            let length = step.iter().fold(0.0, |longest: f64, part| longest.max(part.abs()));
            unshrunk = if *decrement < QUADRATIC_DECREMENT && length > 0.5 * before { unshrunk + 1 } else { 0 };
            before = length;
            if unshrunk >= 3 && *decrement > ROUNDING_DECREMENT * 1e-3 {
                let moving = |column: &usize| step[*column].abs() > 1e-3 * length;
                let terms: Vec<usize> =
                    (0..layout.len()).filter(moving).filter_map(|column| layout.columns[column]).collect();
                break if terms.is_empty() { Status::NotConverged } else { Status::Separated { terms } };
            }
        }
        if iterations == MAX_ITERATIONS {
            break Status::NotConverged;
        }
        let mut better = None;
        'search: for damping in DAMPINGS {
            let Some((step, decrement)) = newton_step(&now, damping) else { continue };
            for halving in 0..HALVINGS {
                let share = 0.5f64.powi(halving);
                let candidate: Vec<f64> = beta.iter().zip(&step).map(|(beta, step)| beta + share * step).collect();
                let Some(found) = at(&candidate)? else { continue };
                let rise = found.value - now.value + 1e-13 * now.value.abs();
                if rise >= 0.05 * share * decrement {
                    better = Some((candidate, found));
                    break 'search;
                }
            }
        }
        match better {
            Some((candidate, found)) => (beta, now) = (candidate, found),
            None if newton.is_some_and(|(_, decrement)| decrement <= ROUNDING_DECREMENT) => break Status::Converged,
            None => break Status::NotConverged,
        }
        iterations += 1;
    };
    Ok(Maximum { beta, evaluation: now, iterations, status })
}

/// The negative Hessian with unit diagonal and what it was divided by; `None` when the diagonal is not positive.
fn scaled_information(now: &Evaluation) -> (Vec<f64>, Vec<f64>) {
    let q = now.gradient.len();
    let roots: Vec<f64> = (0..q).map(|i| now.hessian[i * (q + 1)].abs().max(1e-300).sqrt().recip()).collect();
    let mut scaled = vec![0.0; q * q];
    for i in 0..q {
        for j in 0..=i {
            scaled[i * q + j] = -now.hessian[i * q + j] * roots[i] * roots[j];
            scaled[j * q + i] = scaled[i * q + j];
        }
    }
    (scaled, roots)
}

/// Newton's step and twice the rise that it promises; `None` when the damped information is not positive definite.
fn newton_step(now: &Evaluation, damping: f64) -> Option<(Vec<f64>, f64)> {
    let q = now.gradient.len();
    let (mut scaled, roots) = scaled_information(now);
    (0..q).for_each(|i| scaled[i * (q + 1)] += damping);
    let factor = RankedCholesky::of_columns(&scaled, q, (0..q).collect());
    if factor.rank() < q {
        return None;
    }
    let right: Vec<f64> = now.gradient.iter().zip(&roots).map(|(g, r)| g * r).collect();
    let step: Vec<f64> = factor.solve(&right).iter().zip(&roots).map(|(s, r)| s * r).collect();
    let decrement: f64 = step.iter().zip(&now.gradient).map(|(s, g)| s * g).sum();
    (decrement >= 0.0 && step.iter().all(|value| value.is_finite())).then_some((step, decrement))
}

/// Writes estimates and covariance in the units of the covariates.
fn unscale(fit: &mut ParametricFit, rows: &Rows, layout: &Layout, full: &Layout, best: &Maximum) {
    let q = layout.len();
    let (scaled, roots) = scaled_information(&best.evaluation);
    let inverse = RankedCholesky::of_columns(&scaled, q, (0..q).collect()).inverse();
    // coefficients = transform · beta: a covariate's by its scale, an intercept less the means.
    let mut transform = vec![0.0; q * q];
    for k in 0..layout.starts.len() - 1 {
        let first = layout.starts[k];
        transform[first * q + first] = 1.0;
        for column in first + 1..layout.starts[k + 1] {
            let covariate = layout.columns[column].unwrap_or(0);
            transform[column * q + column] = rows.scales[covariate];
            transform[first * q + column] = -rows.means[covariate] * rows.scales[covariate];
        }
    }
    let place: Vec<usize> = (0..q)
        .map(|column| {
            let k = layout.starts.partition_point(|start| *start <= column) - 1;
            let range = full.starts[k]..full.starts[k + 1];
            range.clone().find(|other| full.columns[*other] == layout.columns[column]).unwrap_or(range.start)
        })
        .collect();
    let half: Vec<f64> = (0..q * q)
        .map(|at| {
            let (i, j) = (at / q, at % q);
            (0..q).map(|k| transform[i * q + k] * roots[k] * inverse[k * q + j] * roots[j]).sum()
        })
        .collect();
    let size = full.len();
    for i in 0..q {
        let value: f64 = (0..q).map(|k| transform[i * q + k] * best.beta[k]).sum();
        fit.coefficients[place[i]] = Some(value);
        for j in 0..=i {
            let value: f64 = (0..q).map(|k| half[i * q + k] * transform[j * q + k]).sum();
            fit.covariance[place[i] * size + place[j]] = value;
            fit.covariance[place[j] * size + place[i]] = value;
        }
    }
}

impl ParametricFit {
    fn layout(&self) -> Layout {
        let m = self.distribution.parameters();
        let p: Vec<usize> = (0..self.means.len()).collect();
        Layout::new(m, &p, ancillary_parameter(&self.distribution).unwrap_or(m), &self.ancillary)
    }

    /// Number of covariates.
    pub fn covariates(&self) -> usize {
        self.means.len()
    }

    /// For each coefficient its parameter and its covariate (`None` for an intercept).
    pub fn columns(&self) -> Vec<(usize, Option<usize>)> {
        let layout = self.layout();
        let parameter = |column: usize| layout.starts.partition_point(|start| *start <= column) - 1;
        (0..layout.len()).map(|column| (parameter(column), layout.columns[column])).collect()
    }

    /// The location's linear predictor relative to the mean row.
    pub fn linear_predictor(&self, x: &[f64]) -> f64 {
        let centred = x.iter().zip(&self.means).map(|(x, mean)| x - mean);
        centred.zip(self.coefficients.iter().skip(1)).map(|(x, coefficient)| x * coefficient.unwrap_or(0.0)).sum()
    }

    /// The distribution's parameters for a row.
    pub fn row_parameters(&self, x: &[f64]) -> Vec<f64> {
        let mut parameters = vec![0.0; self.distribution.parameters()];
        for ((parameter, covariate), coefficient) in self.columns().into_iter().zip(&self.coefficients) {
            parameters[parameter] += coefficient.unwrap_or(0.0) * covariate.map_or(1.0, |covariate| x[covariate]);
        }
        parameters
    }

    /// The curve of a row with covariates `x`.
    pub fn curve(&self, x: &[f64]) -> ParametricCurve {
        let m = self.distribution.parameters();
        let columns = self.columns();
        let size = columns.len();
        let value = |covariate: Option<usize>| covariate.map_or(1.0, |covariate| x[covariate]);
        let mut covariance = vec![0.0; m * m];
        for (i, (row, a)) in columns.iter().enumerate() {
            for (j, (column, b)) in columns.iter().enumerate() {
                covariance[row * m + column] += self.covariance[i * size + j] * value(*a) * value(*b);
            }
        }
        // A variance of 0 may come out below it by rounding.
        (0..m).for_each(|i| covariance[i * (m + 1)] = covariance[i * (m + 1)].max(0.0));
        if covariance.iter().any(|value| !value.is_finite()) {
            covariance.clear();
        }
        ParametricCurve {
            distribution: self.distribution.clone(),
            parameters: self.row_parameters(x),
            covariance,
            max_followup: self.max_followup,
            given: 0.0,
        }
    }

    /// As [`ParametricFit::curve`] without the covariance.
    pub fn bare_curve(&self, x: &[f64]) -> ParametricCurve {
        ParametricCurve {
            distribution: self.distribution.clone(),
            parameters: self.row_parameters(x),
            covariance: Vec::new(),
            max_followup: self.max_followup,
            given: 0.0,
        }
    }

    /// Twice the rise of the log-likelihood by the covariates, and the number of their coefficients.
    pub fn likelihood_ratio_test(&self) -> (f64, usize) {
        let estimated = self.coefficients.iter().flatten().count();
        let statistic = 2.0 * (self.log_likelihood - self.log_likelihood_null).max(0.0);
        (statistic, estimated.saturating_sub(self.distribution.parameters()))
    }

    /// Checks a fit that came from outside; every other function takes one that holds together for granted.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the parts differ in length or a number is not finite.
    pub fn validate(&self) -> Result<()> {
        let broken = || Error::malformed("the parts of a parametric model contradict each other");
        self.distribution.validate().map_err(|error| Error::malformed(error.to_string()))?;
        let p = self.means.len();
        let ancillary_exist = self.ancillary.iter().all(|covariate| *covariate < p)
            && self.ancillary.windows(2).all(|pair| pair[0] < pair[1])
            && (self.ancillary.is_empty() || ancillary_parameter(&self.distribution).is_some());
        if !ancillary_exist {
            return Err(broken());
        }
        let size = self.coefficients.len();
        let terms_exist = match &self.status {
            Status::Separated { terms } => terms.iter().all(|term| *term < p),
            Status::Converged | Status::NoEvents | Status::NotConverged => true,
        };
        let numbers = [self.log_likelihood, self.log_likelihood_null, self.max_followup];
        let mut numbers =
            numbers.iter().chain(&self.means).chain(&self.covariance).chain(self.coefficients.iter().flatten());
        let holds = self.layout().len() == size
            && size.checked_mul(size) == Some(self.covariance.len())
            && self.events <= self.rows
            && self.parameters <= size
            && self.max_followup >= 0.0
            && terms_exist
            && numbers.all(|number| number.is_finite());
        if holds { Ok(()) } else { Err(broken()) }
    }
}
