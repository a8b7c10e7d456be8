//! The log-likelihood of a parametric model over the rows of a design, with gradient and Hessian in one pass.
//!
//! A row contributes ln h(t) − H(t) for an event at t, −H(t) when censored there, ln(S(l) − S(u)) when the event is known
//! to lie in (l, u], and + H(entry) when it was seen only because it lasted so long (Kalbfleisch & Prentice 2002, ch. 3).
//! The derivatives are exact: those of H and ln h in the parameters of the row, through the linear predictors.

use crate::hazard::design::Design;
use crate::numeric::sum::Sum;
use crate::survival::distribution::Distribution;
use crate::survival::jet::{Evaluator, Jet, Order, Time};
use crate::{Error, Interrupt, Result};

/// Rows between two questions whether to go on.
const BLOCK: usize = 1024;

/// The columns that belong to each parameter: an intercept, then covariates (by their index).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    /// For each column the covariate, `None` for an intercept.
    pub columns: Vec<Option<usize>>,
    /// For each parameter its first column; one more at the end.
    pub starts: Vec<usize>,
}

impl Layout {
    /// `location` are the covariates of parameter 0, `ancillary` those of parameter `target`.
    pub fn new(parameters: usize, location: &[usize], target: usize, ancillary: &[usize]) -> Layout {
        let (mut columns, mut starts) = (Vec::new(), vec![0]);
        for parameter in 0..parameters {
            columns.push(None);
            let covariates: &[usize] = match parameter {
                0 => location,
                other if other == target => ancillary,
                _ => &[],
            };
            columns.extend(covariates.iter().map(|covariate| Some(*covariate)));
            starts.push(columns.len());
        }
        Layout { columns, starts }
    }

    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// The parameters of a row as the columns of a model: its intercepts, the covariates without effect.
    pub fn spread(&self, parameters: &[f64]) -> Vec<f64> {
        let mut beta = vec![0.0; self.len()];
        self.starts.iter().zip(parameters).for_each(|(place, value)| beta[*place] = *value);
        beta
    }
}

/// The rows in the form in which the likelihood reads them. Covariates are centred and scaled.
pub(super) struct Rows<'a> {
    pub design: &'a Design,
    log_exits: Vec<f64>,
    pub means: Vec<f64>,
    /// 1 / standard deviation; 0 for a constant.
    pub scales: Vec<f64>,
}

impl<'a> Rows<'a> {
    pub fn new(design: &'a Design, interrupt: Interrupt) -> Result<Rows<'a>> {
        let (n, p) = (design.len(), design.covariates());
        let mut log_exits = Vec::new();
        log_exits.try_reserve_exact(n).map_err(|_| Error::OutOfRange(format!("no memory is left for {n} times")))?;
        log_exits.extend(design.exits().iter().map(|t| t.ln()));
        let weight = |row: usize| design.weights().get(row).copied().unwrap_or(1.0);
        let (mut means, mut squares, mut total) = (vec![0.0; p], vec![0.0; p], 0.0);
        let origin = design.x().get(..p).unwrap_or(&[]).to_vec();
        for (row, x) in design.x().chunks_exact(p.max(1)).enumerate() {
            if row % BLOCK == 0 {
                interrupt()?;
            }
            let w = weight(row);
            total += w;
            // Relative to the first row, so that a far origin costs no digits.
            for j in 0..p {
                let from = x[j] - origin[j];
                means[j] += w * from;
                squares[j] += w * from * from;
            }
        }
        let mut scales = vec![0.0; p];
        for j in 0..p {
            means[j] /= total;
            let variance = squares[j] / total - means[j] * means[j];
            let noise = 1e-14 * squares[j] / total;
            scales[j] = if variance > noise && variance.is_finite() { variance.sqrt().recip() } else { 0.0 };
            means[j] += origin[j];
        }
        if means.iter().any(|mean| !mean.is_finite()) {
            return Err(Error::OutOfRange("the covariates are too large for a regression".into()));
        }
        Ok(Rows { design, log_exits, means, scales })
    }

    pub fn standardised(&self, row: usize, covariate: usize) -> f64 {
        let p = self.design.covariates();
        (self.design.x()[row * p + covariate] - self.means[covariate]) * self.scales[covariate]
    }

    fn time(&self, row: usize) -> Time {
        Time { t: self.design.exits()[row], log: self.log_exits[row] }
    }
}

/// Log-likelihood, gradient (columns) and Hessian (columns², row-major, only the lower triangle).
#[derive(Debug, Clone)]
pub(super) struct Evaluation {
    pub value: f64,
    pub gradient: Vec<f64>,
    pub hessian: Vec<f64>,
}

/// Evaluates at `beta` over every `stride`-th row; `None` where the likelihood is 0 or beyond the numbers.
pub(super) fn evaluate(
    rows: &Rows,
    distribution: &Distribution,
    layout: &Layout,
    beta: &[f64],
    stride: usize,
    interrupt: Interrupt,
) -> Result<Option<Evaluation>> {
    let (design, m, q) = (rows.design, distribution.parameters(), layout.len());
    let mut evaluator = Evaluator::new(distribution);
    let mut at_lower = Jet { value: 0.0, gradient: vec![0.0; m], hessian: vec![0.0; m * m] };
    let (mut theta, mut z, mut factors) = (vec![0.0; m], vec![0.0; q], vec![0.0; m]);
    let (mut g, mut h) = (vec![0.0; m], vec![0.0; m * m]);
    let mut total = Sum::default();
    let mut out = Evaluation { value: 0.0, gradient: vec![0.0; q], hessian: vec![0.0; q * q] };
    for (count, row) in (0..design.len()).step_by(stride).enumerate() {
        if count % BLOCK == 0 {
            interrupt()?;
        }
        for (slot, column) in z.iter_mut().zip(&layout.columns) {
            *slot = column.map_or(1.0, |covariate| rows.standardised(row, covariate));
        }
        for (k, parameter) in theta.iter_mut().enumerate() {
            let range = layout.starts[k]..layout.starts[k + 1];
            *parameter = z[range.clone()].iter().zip(&beta[range]).map(|(z, b)| z * b).sum();
        }
        theta[0] += design.offsets().get(row).copied().unwrap_or(0.0);
        let upper = design.uppers().get(row).copied().filter(|upper| upper.is_finite());
        let event = design.events()[row];
        evaluator.evaluate(&theta, rows.time(row), Order::Second, event);
        let hazard = &evaluator.hazard;
        let mut value = -hazard.value;
        g.iter_mut().zip(&hazard.gradient).for_each(|(g, d)| *g = -d);
        h.iter_mut().zip(&hazard.hessian).for_each(|(h, d)| *h = -d);
        if event {
            let density = &evaluator.log_hazard;
            value += density.value;
            g.iter_mut().zip(&density.gradient).for_each(|(g, d)| *g += d);
            h.iter_mut().zip(&density.hessian).for_each(|(h, d)| *h += d);
        } else if let Some(upper) = upper {
            at_lower.clone_from(&evaluator.hazard);
            evaluator.evaluate(&theta, Time::new(upper), Order::Second, false);
            // ln(1 − e^(−D)) with D the hazard between the bounds.
            let rise = evaluator.hazard.value - at_lower.value;
            let odds = rise.exp_m1().recip();
            value += if rise > 1.0 { (-(-rise).exp()).ln_1p() } else { (-(-rise).exp_m1()).ln() };
            for i in 0..m {
                let di = evaluator.hazard.gradient[i] - at_lower.gradient[i];
                g[i] += odds * di;
                for j in 0..m {
                    let dj = evaluator.hazard.gradient[j] - at_lower.gradient[j];
                    let second = evaluator.hazard.hessian[i * m + j] - at_lower.hessian[i * m + j];
                    h[i * m + j] += odds * second - odds * (1.0 + odds) * di * dj;
                }
            }
        }
        if let Some(entry) = design.entries().get(row).copied().filter(|entry| *entry > 0.0) {
            evaluator.evaluate(&theta, Time::new(entry), Order::Second, false);
            value += evaluator.hazard.value;
            g.iter_mut().zip(&evaluator.hazard.gradient).for_each(|(g, d)| *g += d);
            h.iter_mut().zip(&evaluator.hazard.hessian).for_each(|(h, d)| *h += d);
        }
        if !value.is_finite() {
            return Ok(None);
        }
        let weight = design.weights().get(row).copied().unwrap_or(1.0);
        total.add(weight * value);
        for k in 0..m {
            for column in layout.starts[k]..layout.starts[k + 1] {
                let share = weight * z[column];
                out.gradient[column] += share * g[k];
                factors.iter_mut().zip(&h[k * m..(k + 1) * m]).for_each(|(factor, h)| *factor = share * h);
                let sums = &mut out.hessian[column * q..column * q + column + 1];
                for (other, factor) in factors.iter().enumerate().take(k + 1) {
                    let range = layout.starts[other]..layout.starts[other + 1].min(column + 1);
                    for (sum, z) in sums[range.clone()].iter_mut().zip(&z[range]) {
                        *sum += factor * z;
                    }
                }
            }
        }
    }
    out.value = total.total();
    let finite = out.value.is_finite() && out.gradient.iter().chain(&out.hessian).all(|value| value.is_finite());
    Ok(finite.then_some(out))
}
