//! The log-likelihood of a parametric model over the rows of a design, with gradient and Hessian in one pass.
//!
//! A row contributes ln h(t) − H(t) for an event at t, −H(t) when censored there, ln(S(l) − S(u)) when the event is known
//! to lie in (l, u], and + H(entry) when it was seen only because it lasted so long (Kalbfleisch & Prentice 2002, ch. 3).
//! The derivatives are exact: those of H and ln h in the parameters of the row, through the linear predictors.

use crate::hazard::design::Design;
use crate::hazard::scaling::out_of_range;
use crate::memory::Room;
use crate::numeric::sum::Sum;
use crate::survival::distribution::Distribution;
use crate::survival::jet::{Evaluator, Jet, Order, Time};
use crate::{Error, Interrupt, Result};

/// Rows that are evaluated together: their covariates stay in the nearest cache. Between two blocks it is asked whether
/// to go on.
const BLOCK: usize = 256;

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
        log_exits.exact_room(n).map_err(|_| Error::NoMemory(format!("no memory is left for {n} times")))?;
        log_exits.extend(design.exits().iter().map(|t| t.ln()));
        let weight = |row: usize| design.weights().get(row).copied().unwrap_or(1.0);
        let (mut means, mut squares, mut total) = (vec![0.0; p], vec![0.0; p], 0.0);
        let mut varies = vec![false; p];
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
                varies[j] |= from != 0.0;
            }
        }
        let mut scales = vec![0.0; p];
        for j in 0..p {
            means[j] /= total;
            let variance = squares[j] / total - means[j] * means[j];
            let too_small = varies[j] && squares[j] / total < f64::MIN_POSITIVE;
            if too_small || !(means[j] + origin[j] + variance).is_finite() {
                return Err(out_of_range(j));
            }
            let noise = 1e-14 * squares[j] / total;
            scales[j] = if variance > noise { variance.sqrt().recip() } else { 0.0 };
            means[j] += origin[j];
        }
        Ok(Rows { design, log_exits, means, scales })
    }

    /// The standardised covariate of the rows at `places`; 1 for none, which is an intercept.
    pub fn fill(&self, column: &mut [f64], places: &[usize], covariate: Option<usize>) {
        let Some(covariate) = covariate else { return column.fill(1.0) };
        let (p, x) = (self.design.covariates(), self.design.x());
        let (mean, scale) = (self.means[covariate], self.scales[covariate]);
        column.iter_mut().zip(places).for_each(|(z, row)| *z = (x[row * p + covariate] - mean) * scale);
    }

    /// The inner products of the standardised covariates `among` with each other, row-major; the lower triangle.
    pub fn gram(&self, among: &[usize], interrupt: Interrupt) -> Result<Vec<f64>> {
        let p = among.len();
        let (mut gram, mut z) = (vec![0.0; p * p], vec![0.0; p * BLOCK]);
        let rows: Vec<usize> = (0..BLOCK).collect();
        for first in (0..self.design.len()).step_by(BLOCK) {
            interrupt()?;
            let places: Vec<usize> =
                rows.iter().map(|row| first + row).filter(|row| *row < self.design.len()).collect();
            for (column, covariate) in z.chunks_exact_mut(BLOCK).zip(among) {
                self.fill(&mut column[..places.len()], &places, Some(*covariate));
            }
            for i in 0..p {
                for j in 0..=i {
                    let part = |k: usize| &z[k * BLOCK..k * BLOCK + places.len()];
                    gram[i * p + j] += dot(part(i), part(j));
                }
            }
        }
        Ok(gram)
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
///
/// Blocks of rows with the covariates as columns: the sums over the rows that make gradient and Hessian then run over
/// memory in order.
pub(super) fn evaluate(
    rows: &Rows,
    distribution: &Distribution,
    layout: &Layout,
    beta: &[f64],
    stride: usize,
    interrupt: Interrupt,
) -> Result<Option<Evaluation>> {
    let (design, m, q) = (rows.design, distribution.parameters(), layout.len());
    let mut terms = RowTerms::new(rows, distribution, design.len() / stride);
    let (mut z, mut theta) = (vec![0.0; q * BLOCK], vec![0.0; m * BLOCK]);
    let (mut g, mut h) = (vec![0.0; m * BLOCK], vec![0.0; m * m * BLOCK]);
    let mut weighted = vec![0.0; BLOCK];
    let mut places = Vec::with_capacity(BLOCK);
    let mut total = Sum::default();
    let mut out = Evaluation { value: 0.0, gradient: vec![0.0; q], hessian: vec![0.0; q * q] };
    let mut next = 0;
    while next < design.len() {
        interrupt()?;
        places.clear();
        places.extend((next..design.len()).step_by(stride).take(BLOCK));
        next = places[places.len() - 1] + stride;
        let size = places.len();
        for (column, covariate) in z.chunks_exact_mut(BLOCK).zip(&layout.columns) {
            rows.fill(&mut column[..size], &places, *covariate);
        }
        for k in 0..m {
            let parameter = &mut theta[k * BLOCK..k * BLOCK + size];
            parameter.fill(0.0);
            for column in layout.starts[k]..layout.starts[k + 1] {
                let (factor, z) = (beta[column], &z[column * BLOCK..column * BLOCK + size]);
                parameter.iter_mut().zip(z).for_each(|(parameter, z)| *parameter += factor * z);
            }
        }
        for (at, row) in places.iter().enumerate() {
            let value = terms.of(*row, at, &theta, &mut g, &mut h);
            if !value.is_finite() {
                return Ok(None);
            }
            total.add(value);
        }
        for k in 0..m {
            let slopes = &g[k * BLOCK..k * BLOCK + size];
            for column in layout.starts[k]..layout.starts[k + 1] {
                let own = &z[column * BLOCK..column * BLOCK + size];
                out.gradient[column] += dot(own, slopes);
                for l in 0..=k {
                    let others = layout.starts[l]..layout.starts[l + 1].min(column + 1);
                    let curvature = &h[(k * m + l) * BLOCK..(k * m + l) * BLOCK + size];
                    let weighted = &mut weighted[..size];
                    weighted.iter_mut().zip(own).zip(curvature).for_each(|((w, z), c)| *w = z * c);
                    for other in others {
                        let sum = dot(weighted, &z[other * BLOCK..other * BLOCK + size]);
                        out.hessian[column * q + other] += sum;
                    }
                }
            }
        }
    }
    out.value = total.total();
    let finite = out.value.is_finite() && out.gradient.iter().chain(&out.hessian).all(|value| value.is_finite());
    Ok(finite.then_some(out))
}

/// The inner product, in eight sums side by side.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (head, tail) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = head.remainder().iter().zip(tail.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in head.zip(tail) {
        for i in 0..8 {
            sums[i] += a[i] * b[i];
        }
    }
    rest + ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]))
}

/// The scores of single rows.
pub(super) struct Scores<'a> {
    terms: RowTerms<'a>,
    layout: &'a Layout,
    beta: &'a [f64],
    z: Vec<f64>,
    /// As [`evaluate`]'s, of which one place is used.
    theta: Vec<f64>,
    slopes: Vec<f64>,
    curvatures: Vec<f64>,
}

impl<'a> Scores<'a> {
    pub fn new(rows: &'a Rows<'a>, distribution: &'a Distribution, layout: &'a Layout, beta: &'a [f64]) -> Scores<'a> {
        let m = distribution.parameters();
        Scores {
            terms: RowTerms::new(rows, distribution, rows.design.len()),
            layout,
            beta,
            z: vec![0.0; layout.len()],
            theta: vec![0.0; m * BLOCK],
            slopes: vec![0.0; m * BLOCK],
            curvatures: vec![0.0; m * m * BLOCK],
        }
    }

    /// Adds the weighted derivatives of a row's log-likelihood by the columns to `sum`.
    pub fn add(&mut self, row: usize, sum: &mut [f64]) {
        let starts = &self.layout.starts;
        for (z, covariate) in self.z.iter_mut().zip(&self.layout.columns) {
            self.terms.rows.fill(std::slice::from_mut(z), &[row], *covariate);
        }
        for (k, range) in starts.windows(2).map(|pair| pair[0]..pair[1]).enumerate() {
            self.theta[k * BLOCK] = range.map(|column| self.beta[column] * self.z[column]).sum();
        }
        self.terms.of(row, 0, &self.theta, &mut self.slopes, &mut self.curvatures);
        for (k, range) in starts.windows(2).map(|pair| pair[0]..pair[1]).enumerate() {
            range.for_each(|column| sum[column] += self.slopes[k * BLOCK] * self.z[column]);
        }
    }
}

/// What one row adds: its log-likelihood and the derivatives in the parameters of its distribution.
struct RowTerms<'a> {
    rows: &'a Rows<'a>,
    evaluator: Evaluator<'a>,
    at_lower: Jet,
    theta: Vec<f64>,
    gradient: Vec<f64>,
    hessian: Vec<f64>,
    /// Of a Weibull row that was there from the start, and is exact or right-censored, the terms are written out.
    is_weibull: bool,
    /// The last log(scale) of these and 1 / scale.
    scale: (f64, f64),
}

impl<'a> RowTerms<'a> {
    fn new(rows: &'a Rows<'a>, distribution: &'a Distribution, count: usize) -> RowTerms<'a> {
        let m = distribution.parameters();
        RowTerms {
            rows,
            evaluator: Evaluator::for_rows(distribution, count),
            at_lower: Jet { value: 0.0, gradient: vec![0.0; m], hessian: vec![0.0; m * m] },
            theta: vec![0.0; m],
            gradient: vec![0.0; m],
            hessian: vec![0.0; m * m],
            is_weibull: *distribution == Distribution::Weibull && rows.design.uppers().is_empty(),
            scale: (0.0, 1.0),
        }
    }

    /// The weighted log-likelihood of `row`; its derivatives go to place `at` of the block's columns `g` and `h`.
    #[inline]
    fn of(&mut self, row: usize, at: usize, theta: &[f64], g: &mut [f64], h: &mut [f64]) -> f64 {
        let design = self.rows.design;
        let offset = design.offsets().get(row).copied().unwrap_or(0.0);
        let weight = design.weights().get(row).copied().unwrap_or(1.0);
        let entry = design.entries().get(row).copied().filter(|entry| *entry > 0.0);
        if self.is_weibull && entry.is_none() {
            let (location, log_scale) = (theta[at] + offset, theta[BLOCK + at]);
            if log_scale != self.scale.0 {
                self.scale = (log_scale, (-log_scale).exp());
            }
            let (log, inverse) = (self.rows.log_exits[row], self.scale.1);
            let event = if design.events()[row] { 1.0 } else { 0.0 };
            // w = (ln t − μ) / σ; the row adds δ (w − ln σ − ln t) − e^w. At time 0 nothing has happened yet.
            let w = (log - location) * inverse;
            let hazard = w.exp();
            let (w, known) = if log == f64::NEG_INFINITY { (0.0, 0.0) } else { (w, event * (w - log_scale - log)) };
            let excess = hazard - event;
            let (slope, share) = (weight * inverse, weight * excess);
            g[at] = slope * excess;
            g[BLOCK + at] = share * w - weight * event;
            h[at] = -slope * inverse * hazard;
            h[2 * BLOCK + at] = -slope * (hazard * w + excess);
            h[3 * BLOCK + at] = -(weight * hazard * w + share) * w;
            return weight * (known - hazard);
        }
        let value = self.in_general(row, at, theta, offset, entry);
        let m = self.theta.len();
        for k in 0..m {
            g[k * BLOCK + at] = weight * self.gradient[k];
        }
        for pair in 0..m * m {
            h[pair * BLOCK + at] = weight * self.hessian[pair];
        }
        weight * value
    }

    /// As [`RowTerms::of`] for any row: leaves value, gradient and Hessian in the fields.
    fn in_general(&mut self, row: usize, at: usize, theta: &[f64], offset: f64, entry: Option<f64>) -> f64 {
        let design = self.rows.design;
        let m = self.theta.len();
        self.theta.iter_mut().enumerate().for_each(|(k, parameter)| *parameter = theta[k * BLOCK + at]);
        self.theta[0] += offset;
        let RowTerms { evaluator, at_lower, theta, gradient: g, hessian: h, .. } = self;
        let upper = design.uppers().get(row).copied().filter(|upper| upper.is_finite());
        let event = design.events()[row];
        evaluator.evaluate(theta, self.rows.time(row), Order::Second, event);
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
            evaluator.evaluate(theta, Time::new(upper), Order::Second, false);
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
        if let Some(entry) = entry {
            evaluator.evaluate(theta, Time::new(entry), Order::Second, false);
            value += evaluator.hazard.value;
            g.iter_mut().zip(&evaluator.hazard.gradient).for_each(|(g, d)| *g += d);
            h.iter_mut().zip(&evaluator.hazard.hessian).for_each(|(h, d)| *h += d);
        }
        value
    }
}
