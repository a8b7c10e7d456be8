//! Regression of a cumulative incidence: the hazard of a cause's subdistribution is a baseline times e^(β'x).
//!
//! Fine & Gray (1999), *A proportional hazards model for the subdistribution of a competing risk*, JASA 94. The share
//! of rows `x` that end by the cause until t is 1 − exp(−e^η Λ(t)); a coefficient says how the *incidence* moves with a
//! covariate, by whatever way – through the hazard of this cause or through those of the others.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use crate::hazard::cox::{Status, Ties};
use crate::hazard::cox_baseline::{Baseline, PATH_LIMIT, bounded, knot_step};
use crate::hazard::design::Design;
use crate::hazard::fine_gray_likelihood::Likelihood;
use crate::hazard::fine_gray_newton::maximise;
use crate::hazard::fine_gray_weights::{End, Places};
use crate::hazard::row_curve::RowCurve;
use crate::hazard::scaling::units_differ;
use crate::numeric::linear::RankedCholesky;
use crate::numeric::sum::Sum;
use crate::survival::curve::FittedCurve;
use crate::survival::incidence::cause_number;
use crate::{Error, Interrupt, Result};

/// A fitted subdistribution model. Vectors and matrices run over all p covariates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FineGrayFit {
    pub ties: Ties,
    /// The cause whose incidence it is.
    pub cause: u8,
    /// Rows fitted, those that ended by the cause, and those that ended by another one.
    pub rows: usize,
    pub events: usize,
    pub competing: usize,
    /// The weighted mean of each covariate: the centre of the linear predictor and the row the baseline belongs to.
    pub means: Vec<f64>,
    /// Log subdistribution hazard ratio per unit; `None` for a covariate that is constant or a combination of those
    /// before it.
    pub coefficients: Vec<Option<f64>>,
    /// p × p, row-major: the robust (sandwich) covariance, each row of the data a cluster; 0 for covariates without a
    /// coefficient.
    pub covariance: Vec<f64>,
    /// As `covariance`: the inverse of the information, which the weighting makes too small or too large.
    pub naive_covariance: Vec<f64>,
    /// Of the weighted partial likelihood, with all coefficients 0 and at the fit.
    pub log_likelihood_null: f64,
    pub log_likelihood: f64,
    /// Chi-squared of the hypothesis that all coefficients are 0, by the robust covariance.
    pub wald_test: f64,
    /// Number of coefficients.
    pub degrees_of_freedom: usize,
    /// Newton steps taken.
    pub iterations: usize,
    pub status: Status,
    /// The cumulative subdistribution hazard of the row at the means.
    pub baseline: Baseline,
}

/// Fits the model of `cause` to a design whose rows have causes.
///
/// Ties are handled as in a Cox regression of rows weighted by their chance to be still observed; the answer agrees with
/// R's `finegray` followed by `coxph(…, weights = fgwt, cluster = id)` to 10⁻⁷ or better. (`cmprsk::crr` lets those who
/// end at a time be at risk of being censored then, and so differs in the third digit where such times tie.) Delayed
/// entry is weighted as by Geskus (2011). A case weight counts the row so often, in the censoring's distribution too.
///
/// # Errors
/// [`Error::Invalid`] for a design without rows, covariates or causes, or a cause outside 1..=255;
/// [`Error::OutOfRange`] when the design is beyond the numbers or the memory there are; whatever `interrupt` returns.
/// Data that leave coefficients undetermined are not errors: see [`Status`].
pub fn fit(design: &Design, cause: i32, ties: Ties, interrupt: Interrupt) -> Result<FineGrayFit> {
    let cause = cause_number(cause, false)? as u8;
    if design.is_empty() {
        return Err(Error::invalid(
            "a regression needs at least one row",
            "Check the filter, and whether every row has a NULL among its features.",
        ));
    }
    if design.covariates() == 0 {
        return Err(Error::invalid("a regression needs at least one covariate", "Name at least one feature."));
    }
    check_causes(design)?;
    let places = Places::new(design, cause, interrupt)?;
    let mut likelihood = Likelihood::new(design, &places, ties, interrupt)?;
    let maximum = maximise(&mut likelihood, interrupt)?;
    let shift = likelihood.sweep(&maximum.beta, interrupt)?;
    let middle = likelihood.squared_contributions(interrupt)?;
    let baseline = baseline(design, &likelihood, shift)?;

    let p = likelihood.p;
    let size = maximum.active.len();
    let picked =
        |matrix: &[f64]| DMatrix::from_fn(size, size, |i, j| matrix[maximum.active[i] * p + maximum.active[j]]);
    let inverse = picked(&maximum.covariance);
    let robust = &inverse * picked(&middle) * &inverse;
    let mut coefficients = vec![None; p];
    let (mut covariance, mut naive_covariance) = (vec![0.0; p * p], vec![0.0; p * p]);
    for (a, &i) in maximum.active.iter().enumerate() {
        coefficients[i] = Some(maximum.beta[i] * likelihood.scales[i]);
        for (b, &j) in maximum.active.iter().enumerate() {
            let unit = likelihood.scales[i] * likelihood.scales[j];
            covariance[i * p + j] = (robust[(a, b)] + robust[(b, a)]) / 2.0 * unit;
            naive_covariance[i * p + j] = inverse[(a, b)] * unit;
        }
    }
    let scaled: Vec<f64> =
        (0..size * size).map(|at| (robust[(at / size, at % size)] + robust[(at % size, at / size)]) / 2.0).collect();
    let beta: Vec<f64> = maximum.active.iter().map(|term| maximum.beta[*term]).collect();
    let solved = RankedCholesky::new(&scaled, size, 0.0).solve(&beta);
    let count = |end: End| places.ends.iter().filter(|of_row| **of_row == end).count();
    let fit = FineGrayFit {
        ties,
        cause,
        rows: design.len(),
        events: count(End::Cause),
        competing: count(End::Other),
        means: likelihood.means.clone(),
        coefficients,
        covariance,
        naive_covariance,
        log_likelihood_null: maximum.log_likelihood_null,
        log_likelihood: maximum.log_likelihood,
        wald_test: beta.iter().zip(&solved).map(|(beta, solved)| beta * solved).sum(),
        degrees_of_freedom: size,
        iterations: maximum.iterations,
        status: maximum.status,
        baseline,
    };
    fit.validate().map_err(|_| units_differ("the covariates"))?;
    Ok(fit)
}

impl FineGrayFit {
    /// The fit with these coefficients, come by elsewhere: its means and baseline are those of `design` at them. The
    /// covariance is that of the coefficients given, in place of both of the fit; its statistics stay as they are.
    ///
    /// # Errors
    /// As [`fit`]; [`Error::Invalid`] unless the design has the covariates of the fit and the covariance their size.
    pub fn at(
        self,
        design: &Design,
        coefficients: Vec<Option<f64>>,
        covariance: Vec<f64>,
        interrupt: Interrupt,
    ) -> Result<FineGrayFit> {
        design.matches(self.coefficients.len(), &coefficients, &covariance)?;
        check_causes(design)?;
        let places = Places::new(design, self.cause, interrupt)?;
        let mut likelihood = Likelihood::new(design, &places, self.ties, interrupt)?;
        let scaled: Vec<f64> = coefficients
            .iter()
            .zip(&likelihood.scales)
            .map(|(beta, scale)| if *scale > 0.0 { beta.unwrap_or(0.0) / scale } else { 0.0 })
            .collect();
        let shift = likelihood.sweep(&scaled, interrupt)?;
        let count = |end: End| places.ends.iter().filter(|of_row| **of_row == end).count();
        let fit = FineGrayFit {
            rows: design.len(),
            events: count(End::Cause),
            competing: count(End::Other),
            means: likelihood.means.clone(),
            degrees_of_freedom: coefficients.iter().flatten().count(),
            coefficients,
            naive_covariance: covariance.clone(),
            covariance,
            baseline: baseline(design, &likelihood, shift)?,
            ..self
        };
        fit.validate().map_err(|_| Error::OutOfRange("the model's numbers overflow at these coefficients".into()))?;
        Ok(fit)
    }
}

fn check_causes(design: &Design) -> Result<()> {
    match design.causes().is_empty() {
        false => Ok(()),
        true => Err(Error::invalid(
            "a subdistribution needs the cause of each ending, and these rows tell only whether there was one",
            "Gather them with cause_design_agg(duration, cause, covariates).",
        )),
    }
}

/// The baseline at the coefficients of the last sweep, whose sums are in units of e^`shift`.
fn baseline(design: &Design, likelihood: &Likelihood, shift: f64) -> Result<Baseline> {
    let (p, steps) = (likelihood.p, likelihood.terms.len());
    let unit = (-shift).exp();
    let cumulated = |of: &dyn Fn(usize) -> f64| {
        let mut sum = Sum::default();
        let step = |at: usize| {
            sum.add(of(at));
            sum.total()
        };
        (0..steps).map(step).collect::<Vec<f64>>()
    };
    let knots = steps.min((PATH_LIMIT / p).max(1));
    let means = likelihood.mean_path(false)?;
    let mut path = Vec::with_capacity(knots * p);
    for knot in 0..knots {
        let after = knot_step(knot, knots, steps) + 1;
        let part = &means[after * p..(after + 1) * p];
        let scaled = part.iter().zip(&likelihood.scales);
        path.extend(scaled.map(|(part, scale)| if *scale == 0.0 { 0.0 } else { part.total() * unit / scale }));
    }
    Ok(Baseline {
        times: likelihood.places.event_times.clone(),
        cumulative_hazard: cumulated(&|at| likelihood.terms[at].hazard * unit),
        variance: cumulated(&|at| likelihood.terms[at].square * unit * unit),
        path,
        max_followup: design.exits().iter().copied().fold(0.0, f64::max),
    })
}

impl FineGrayFit {
    /// β'(x − means): the log subdistribution hazard relative to the average row.
    pub fn linear_predictor(&self, x: &[f64]) -> f64 {
        let centred = x.iter().zip(&self.means).map(|(x, mean)| x - mean);
        centred.zip(&self.coefficients).map(|(x, coefficient)| x * coefficient.unwrap_or(0.0)).sum()
    }

    /// The share of rows with the linear predictor `eta` that end by the cause until `t`; `None` beyond the observed
    /// time, where nothing is known of the other causes.
    pub fn incidence(&self, t: f64, eta: f64) -> Option<f64> {
        let known = t <= self.baseline.max_followup;
        known.then(|| -(-(bounded(eta).exp() * self.baseline.cumulative_hazard(t)).min(f64::MAX)).exp_m1())
    }

    /// One less the incidence of the row `x` (p finite covariates), as a curve that ends with the observed time.
    ///
    /// Its uncertainty is in two parts, as that of a Cox model: the steps', and the coefficients' by their robust
    /// covariance; the weights are taken as known.
    pub fn curve(&self, x: &[f64]) -> FittedCurve {
        self.row_curve(x).whole()
    }

    /// The same, of which as much is made as is asked for.
    pub(crate) fn row_curve(&self, x: &[f64]) -> RowCurve<'_> {
        let p = self.coefficients.len();
        let columns = (0..p).filter(|&i| self.coefficients[i].is_some()).collect();
        let factor = RankedCholesky::of_columns(&self.covariance, p, columns);
        let centred = self.means.iter().zip(x).map(|(mean, x)| x - mean).collect();
        let curve = RowCurve::new(&self.baseline, self.linear_predictor(x));
        curve.with_coefficients(&factor, centred).varied().without_tail()
    }

    /// Checks a fit that came from outside.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the parts differ in length, a number is not finite, times do not rise or a cumulative
    /// hazard falls.
    pub fn validate(&self) -> Result<()> {
        let p = self.coefficients.len();
        let numbers = [self.log_likelihood_null, self.log_likelihood, self.wald_test];
        let numbers = numbers.iter().chain(&self.means).chain(&self.covariance).chain(&self.naive_covariance);
        let numbers = numbers.chain(self.coefficients.iter().flatten()).chain(&self.baseline.path);
        let terms_exist = match &self.status {
            Status::Separated { terms } => terms.iter().all(|term| *term < p),
            _ => true,
        };
        let baseline = &self.baseline;
        let steps = baseline.times.len();
        let rises = |values: &[f64]| {
            values.len() == steps
                && values.windows(2).all(|pair| pair[0] <= pair[1])
                && values.iter().all(|value| value.is_finite() && *value >= 0.0)
        };
        let holds = p > 0
            && self.cause > 0
            && self.means.len() == p
            && p.checked_mul(p) == Some(self.covariance.len())
            && self.naive_covariance.len() == self.covariance.len()
            && self.coefficients.iter().flatten().count() == self.degrees_of_freedom
            && self.events.checked_add(self.competing).is_some_and(|ended| ended <= self.rows)
            && terms_exist
            && numbers.into_iter().all(|number| number.is_finite())
            && rises(&baseline.times)
            && baseline.times.windows(2).all(|pair| pair[0] < pair[1])
            && rises(&baseline.cumulative_hazard)
            && rises(&baseline.variance)
            && baseline.path.len() == steps.min((PATH_LIMIT / p).max(1)) * p
            && baseline.max_followup.is_finite()
            && baseline.times.last().is_none_or(|last| *last <= baseline.max_followup);
        if holds { Ok(()) } else { Err(Error::malformed("the parts of a subdistribution model contradict each other")) }
    }
}
