//! A fitted parametric model read: its coefficients in the units of the covariates, its curves, its soundness.

use crate::hazard::cox::Status;
use crate::hazard::cure::CureFindings;
use crate::hazard::link::Link;
use crate::hazard::parametric::{ParametricFit, ancillary_parameter, layout_of};
use crate::hazard::parametric_likelihood::{Layout, Rows};
use crate::hazard::parametric_newton::{Maximum, scaled_information};
use crate::numeric::linear::RankedCholesky;
use crate::survival::distribution::Distribution;
use crate::survival::parametric::ParametricCurve;
use crate::{Error, Result};

/// The inverse of the observed information, in scaled units.
pub(super) fn scaled_covariance(best: &Maximum) -> Vec<f64> {
    let (scaled, roots) = scaled_information(&best.evaluation);
    let q = roots.len();
    let mut covariance = RankedCholesky::of_columns(&scaled, q, (0..q).collect()).inverse();
    (0..q * q).for_each(|at| covariance[at] *= roots[at / q] * roots[at % q]);
    covariance
}

/// Writes estimates and covariance, here in scaled units, in the units of the covariates.
pub(super) fn unscale(
    fit: &mut ParametricFit,
    rows: &Rows,
    layout: &Layout,
    full: &Layout,
    best: &Maximum,
    covariance: &[f64],
) {
    let q = layout.len();
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
            (0..q).map(|k| transform[i * q + k] * covariance[k * q + j]).sum()
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
        layout_of(&self.distribution, &self.location, &self.ancillary)
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
        let centred = self.location.iter().map(|covariate| x[*covariate] - self.means[*covariate]);
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

    /// The share of rows with covariates `x` that never have the event, among those that have not had it by `given`: 0
    /// where none was found, `None` for a model that knows of none.
    pub fn cured_share(&self, x: &[f64], given: f64) -> Option<f64> {
        if !matches!(self.distribution, Distribution::Cure(_)) {
            return self.cure.map(|_| 0.0);
        }
        let odds = *self.row_parameters(x).last()?;
        let share = Link::Logit.probability(odds);
        let left = if given > 0.0 { self.bare_curve(x).survival_at(given)? } else { 1.0 };
        // At the end only the cured are left, whose survival may fall below their share by rounding.
        Some(share / left.max(share)).filter(|share| share.is_finite())
    }

    /// What is to be said of a fit that has converged.
    pub fn remarks(&self) -> Vec<String> {
        self.cure.iter().filter_map(CureFindings::remark).collect()
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
        let exist = |chosen: &[usize]| {
            chosen.iter().all(|covariate| *covariate < p) && chosen.windows(2).all(|pair| pair[0] < pair[1])
        };
        if self.distribution.period().is_some() {
            return Err(broken());
        }
        let is_cure = matches!(self.distribution, Distribution::Cure(_));
        let covariates_exist = exist(&self.location)
            && exist(&self.ancillary)
            && (self.ancillary.is_empty() || ancillary_parameter(&self.distribution).is_some());
        if !covariates_exist {
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
            && self.cure.is_none_or(|findings| findings.holds(is_cure))
            && self.clustered.as_ref().is_none_or(|clustered| clustered.is_valid(size))
            && numbers.all(|number| number.is_finite());
        if holds { Ok(()) } else { Err(broken()) }
    }
}
