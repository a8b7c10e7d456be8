//! The rows of a fit in the units in which it is made, and one look at all of them.

use crate::amount::Family;
use crate::hazard::design::Design;
use crate::hazard::scaling::centre_and_scale;
use crate::numeric::sum::Sum;
use crate::{Error, Interrupt, Result};

/// Rows whose sums are added to the total at once.
const BLOCK: usize = 256;
/// Blocks between two looks at whether to go on.
const BLOCKS_PER_INTERRUPT: usize = 64;

/// Covariates less their means and times a power of two; amounts over a power of two near their size.
pub(super) struct Rows<'a> {
    pub design: &'a Design,
    pub family: Family,
    pub means: Vec<f64>,
    pub scales: Vec<f64>,
    /// A power of two; 1 when all amounts are 0.
    pub unit: f64,
    /// Half of what each scaled coefficient's square costs, twice: λ (s · scale)², s the standard deviation.
    pub ridge: Vec<f64>,
    /// Σ weight, Σ weight · y / unit, and rows with an amount greater than 0.
    pub weight: f64,
    pub total: f64,
    pub positive: usize,
}

/// The quasi-log-likelihood with φ = 1, less the penalty, and its derivatives; the intercept comes first.
#[derive(Debug, Clone)]
pub(super) struct Look {
    pub value: f64,
    pub score: Vec<f64>,
    pub information: Vec<f64>,
}

/// Which second derivatives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Information {
    Observed,
    Expected,
}

/// Sums over the rows at the estimates, in the units of the amounts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Residuals {
    pub deviance: f64,
    /// Σ weight (y − μ)² / μ^p
    pub pearson: f64,
}

impl<'a> Rows<'a> {
    pub fn new(design: &'a Design, family: Family, penalty: f64, interrupt: Interrupt) -> Result<Rows<'a>> {
        let p = design.covariates();
        let (means, scales) = match p {
            0 => (Vec::new(), Vec::new()),
            _ => centre_and_scale(design, interrupt)?,
        };
        let mut rows = Rows {
            design,
            family,
            means,
            scales,
            unit: 1.0,
            ridge: vec![0.0; p],
            weight: 0.0,
            total: 0.0,
            positive: 0,
        };
        let (mut weight, mut size) = (Sum::default(), Sum::default());
        let mut squares = vec![Sum::default(); if penalty > 0.0 { p } else { 0 }];
        for row in 0..design.len() {
            if row % (BLOCK * BLOCKS_PER_INTERRUPT) == 0 {
                interrupt()?;
            }
            let (y, w) = (design.amounts()[row], rows.weight_of(row));
            family.check(y)?;
            rows.positive += usize::from(y > 0.0);
            weight.add(w);
            size.add(w * y.abs());
            for (at, square) in squares.iter_mut().enumerate() {
                let z = (design.x()[row * p + at] - rows.means[at]) * rows.scales[at];
                square.add(w * z * z);
            }
        }
        rows.weight = weight.total();
        let size = size.total() / rows.weight;
        if !size.is_finite() {
            return Err(too_large());
        }
        if size > 0.0 {
            rows.unit = size.log2().round().clamp(-1000.0, 1000.0).exp2();
        }
        rows.total = (0..design.len()).map(|row| rows.weight_of(row) * rows.y(row)).collect::<Sum>().total();
        // The deviance is in units to the power 2 − p; with the identity link the squared coefficients are as well.
        let unit = if family.has_log_link() { rows.unit.powf(2.0 - family.power()) } else { 1.0 };
        for (ridge, square) in rows.ridge.iter_mut().zip(&squares) {
            *ridge = penalty * square.total() / (rows.weight * unit);
        }
        Ok(rows)
    }

    pub fn len(&self) -> usize {
        self.design.len()
    }

    fn weight_of(&self, row: usize) -> f64 {
        self.design.weights().get(row).copied().unwrap_or(1.0)
    }

    fn y(&self, row: usize) -> f64 {
        self.design.amounts()[row] / self.unit
    }

    fn offset(&self, row: usize) -> f64 {
        let offset = self.design.offsets().get(row).copied().unwrap_or(0.0);
        if self.family.has_log_link() { offset } else { offset / self.unit }
    }

    /// The quasi-log-likelihood of an amount at a linear predictor, its slope in this and its curvature.
    #[inline(always)]
    fn terms(&self, y: f64, eta: f64, which: Information) -> (f64, f64, f64) {
        match self.family {
            Family::Linear => (-(y - eta) * (y - eta) / 2.0, y - eta, 1.0),
            Family::Gamma => {
                let ratio = y * (-eta).exp();
                let curvature = if which == Information::Observed { ratio } else { 1.0 };
                (-ratio - eta, ratio - 1.0, curvature)
            }
            Family::Tweedie { power } => {
                let (up, down) = (y * ((1.0 - power) * eta).exp(), ((2.0 - power) * eta).exp());
                let observed = (power - 1.0) * up + (2.0 - power) * down;
                let curvature = if which == Information::Observed { observed } else { down };
                (up / (1.0 - power) - down / (2.0 - power), up - down, curvature)
            }
        }
    }

    /// The weighted slope of a row in its linear predictor, and in `z` its scaled covariates behind 1.
    pub fn slope(&self, row: usize, theta: &[f64], z: &mut [f64]) -> f64 {
        let x = &self.design.x()[row * self.scales.len()..];
        for (((z, x), mean), scale) in z[1..].iter_mut().zip(x).zip(&self.means).zip(&self.scales) {
            *z = (x - mean) * scale;
        }
        let eta = z.iter().zip(theta).map(|(z, theta)| z * theta).sum::<f64>() + self.offset(row);
        self.weight_of(row) * self.terms(self.y(row), eta, Information::Expected).1
    }

    /// One look: `theta` is the intercept and, but for the null model, the scaled coefficients. `None` when the numbers
    /// overflow.
    pub fn look(&self, theta: &[f64], which: Information, interrupt: Interrupt) -> Result<Option<Look>> {
        let (p, size) = (self.scales.len(), theta.len());
        let used = size - 1;
        let mut value = Sum::default();
        let (mut score, mut information) = (vec![Sum::default(); size], vec![Sum::default(); size * size]);
        let (mut part, mut square) = (vec![0.0; size], vec![0.0; size * size]);
        let mut z = vec![1.0; size];
        for (block, first) in (0..self.len()).step_by(BLOCK).enumerate() {
            if block % BLOCKS_PER_INTERRUPT == 0 {
                interrupt()?;
            }
            part.fill(0.0);
            square.fill(0.0);
            for row in first..(first + BLOCK).min(self.len()) {
                let x = &self.design.x()[row * p..][..used];
                for (((z, x), mean), scale) in z[1..].iter_mut().zip(x).zip(&self.means).zip(&self.scales) {
                    *z = (x - mean) * scale;
                }
                let eta = z.iter().zip(theta).map(|(z, theta)| z * theta).sum::<f64>() + self.offset(row);
                let (y, w) = (self.y(row), self.weight_of(row));
                let (gain, slope, curvature) = self.terms(y, eta, which);
                value.add(w * gain);
                let (slope, curvature) = (w * slope, w * curvature);
                for i in 0..size {
                    part[i] += slope * z[i];
                    let along = curvature * z[i];
                    square[i * size..=i * size + i].iter_mut().zip(&z).for_each(|(sum, z)| *sum += along * z);
                }
            }
            score.iter_mut().zip(&part).for_each(|(sum, part)| sum.add(*part));
            information.iter_mut().zip(&square).for_each(|(sum, part)| sum.add(*part));
        }
        let mut look = Look {
            value: value.total(),
            score: score.iter().map(Sum::total).collect(),
            information: information.iter().map(Sum::total).collect(),
        };
        for (i, ridge) in (1..size).zip(&self.ridge) {
            look.value -= ridge / 2.0 * theta[i] * theta[i];
            look.score[i] -= ridge * theta[i];
            look.information[i * (size + 1)] += ridge;
        }
        for i in 0..size {
            for j in 0..i {
                look.information[j * size + i] = look.information[i * size + j];
            }
        }
        let finite =
            look.value.is_finite() && look.score.iter().chain(&look.information).all(|value| value.is_finite());
        Ok(finite.then_some(look))
    }

    /// The mean of each row at `theta`, in the units of the amounts.
    pub fn for_each_mean(
        &self,
        theta: &[f64],
        interrupt: Interrupt,
        mut take: impl FnMut(f64, f64, f64) -> Result<()>,
    ) -> Result<()> {
        let p = self.scales.len();
        for row in 0..self.len() {
            if row % (BLOCK * BLOCKS_PER_INTERRUPT) == 0 {
                interrupt()?;
            }
            let x = self.design.x()[row * p..][..theta.len() - 1].iter();
            let parts = x.zip(&self.means).zip(&self.scales).zip(&theta[1..]);
            let eta = theta[0] + parts.map(|(((x, m), s), b)| (x - m) * s * b).sum::<f64>() + self.offset(row);
            take(self.design.amounts()[row], self.family.mean(eta) * self.unit, self.weight_of(row))?;
        }
        Ok(())
    }

    pub fn residuals(&self, theta: &[f64], interrupt: Interrupt) -> Result<Residuals> {
        let (mut deviance, mut pearson) = (Sum::default(), Sum::default());
        let power = self.family.power();
        self.for_each_mean(theta, interrupt, |y, mean, weight| {
            deviance.add(weight * self.family.deviance(y, mean));
            pearson.add(weight * (y - mean) * (y - mean) / mean.powf(power));
            Ok(())
        })?;
        Ok(Residuals { deviance: deviance.total(), pearson: pearson.total() })
    }
}

pub(super) fn too_large() -> Error {
    Error::OutOfRange("the amounts, weights or covariates are too large for a regression".into())
}
