//! The coefficients of regressions whose level stands at the means of their own rows, at one origin for all segments.
//!
//! Segments are drawn together by what their coefficients mean, and a level means something only with the row to which it
//! belongs: each fit has its own at the means of its own rows. All are moved to the means of the model of all rows, c, and
//! back: with d = c − mean the level there is a + d'β, and the covariance of (level, β) is A C A' with A = [1 d'; 0 I]. That
//! is linear and exact, and as c moves with the covariates a covariate measured from another zero changes nothing. (At
//! covariates of 0 it would: the variance of intercepts between segments depends on where 0 is.)
//!
//! A dispersion stays the segment's own. It is the scatter of the amounts around their mean, which the segment's own maximum
//! estimates (McCullagh & Nelder 1989, section 8.3.6); around the coefficients drawn to those of others, Pearson's statistic
//! would add how far they were drawn. Its degrees of freedom stay with it. Coefficients of a log mean are the same thing
//! whatever the power of the variance, so Tweedie models need not have one power. Where errors are by clusters, that
//! covariance is the one by which segments are drawn together.
//!
//! A distribution of durations has its parameters at covariates of 0: those on which covariates act, its location and where
//! asked for one other, are moved to the same means and back.

use nalgebra::{Cholesky, DMatrix, DVector};

use crate::amount::{AmountFit, TwoPartFit};
use crate::hazard::cox::Status;
use crate::hazard::discrete::{DiscreteFit, Uncertainty};
use crate::hazard::parametric::ParametricFit;
use crate::model::shrinkage::{Estimates, Shrunken};
use crate::model::{Fit, Model};

/// The level at an origin, the coefficients, and the covariance of both.
struct Line {
    level: f64,
    coefficients: Vec<Option<f64>>,
    covariance: DMatrix<f64>,
}

/// The level and the coefficients of a model at the means of `pooled`, the model of all rows: of decisions and amounts, one
/// after the other of two parts, in the order of their terms; of a distribution its parameters there. `None` for a fit that
/// tells no covariance of an unpenalised maximum, of another kind than `pooled`, and where it leaves another coefficient
/// open than it: at another row than its own the level is then not known.
pub fn estimates(model: &Model, pooled: &Model) -> Option<Estimates> {
    if let (Fit::Parametric(fit), Fit::Parametric(pooled)) = (&model.fit, &pooled.fit) {
        let alike = fit.distribution == pooled.distribution
            && (&fit.location, &fit.ancillary) == (&pooled.location, &pooled.ancillary)
            && leave_the_same_open(&fit.coefficients, &pooled.coefficients);
        return alike.then(|| turned(fit, &pooled.means, 1.0, &fit.coefficients, &fit.covariance));
    }
    let lines = match (&model.fit, &pooled.fit) {
        (Fit::Renewal(fit), Fit::Renewal(pooled)) => vec![decisions(fit, pooled)?],
        (Fit::Amount(fit), Fit::Amount(pooled)) => vec![amounts(fit, pooled)?],
        (Fit::TwoPart(fit), Fit::TwoPart(pooled)) => {
            vec![
                decisions(&fit.occurrence, &pooled.occurrence)?,
                amounts(fit.amount.as_ref()?, pooled.amount.as_ref()?)?,
            ]
        }
        _ => return None,
    };
    let size: usize = lines.iter().map(|line| line.coefficients.len() + 1).sum();
    let mut found = Estimates { coefficients: Vec::with_capacity(size), covariance: vec![0.0; size * size] };
    for line in lines {
        // The parts share no parameter: each is as if alone.
        let first = found.coefficients.len();
        let own = line.coefficients.len() + 1;
        for i in 0..own {
            for j in 0..own {
                found.covariance[(first + i) * size + first + j] = line.covariance[(i, j)];
            }
        }
        found.coefficients.push(Some(line.level));
        found.coefficients.extend(line.coefficients);
    }
    Some(found)
}

/// The model with what [`estimates`] tells replaced by `shrunken`; `None` where that has no such form.
pub fn at(model: &Model, pooled: &Model, shrunken: &Shrunken) -> Option<Model> {
    let mut moved = model.clone();
    let p = model.fit.covariates();
    match (&mut moved.fit, &pooled.fit) {
        (Fit::Parametric(fit), Fit::Parametric(pooled)) => {
            let back = turned(fit, &pooled.means, -1.0, &shrunken.coefficients, &shrunken.covariance);
            fit.clustered.take_if(|clustered| !clustered.is_used());
            (fit.coefficients, fit.covariance) = (back.coefficients, back.covariance);
        }
        (Fit::Renewal(fit), Fit::Renewal(pooled)) => decide(fit, &pooled.means, line(shrunken, 0, p)?)?,
        (Fit::Amount(fit), Fit::Amount(pooled)) => amount(fit, &pooled.means, line(shrunken, 0, p)?)?,
        (Fit::TwoPart(fit), Fit::TwoPart(pooled)) => {
            let TwoPartFit { occurrence, amount: Some(size) } = &mut **fit else { return None };
            decide(occurrence, &pooled.occurrence.means, line(shrunken, 0, p)?)?;
            amount(size, &pooled.amount.as_ref()?.means, line(shrunken, p + 1, p)?)?;
        }
        _ => return None,
    }
    moved.validate().is_ok().then_some(moved)
}

/// That of `shrunken` which begins at `first`, of p covariates.
fn line(shrunken: &Shrunken, first: usize, p: usize) -> Option<Line> {
    let size = shrunken.coefficients.len();
    Some(Line {
        level: (*shrunken.coefficients.get(first)?)?,
        coefficients: shrunken.coefficients.get(first + 1..=first + p)?.to_vec(),
        covariance: DMatrix::from_fn(p + 1, p + 1, |i, j| shrunken.covariance[(first + i) * size + first + j]),
    })
}

impl Line {
    /// The same with the level at `to` instead of `from`.
    fn moved(self, from: &[f64], to: &[f64]) -> Line {
        let distance: Vec<f64> = to.iter().zip(from).map(|(to, from)| to - from).collect();
        let changes = distance.iter().zip(&self.coefficients).map(|(d, beta)| d * beta.unwrap_or(0.0));
        let mut turn = DMatrix::identity(distance.len() + 1, distance.len() + 1);
        for (i, d) in distance.iter().enumerate() {
            turn[(0, i + 1)] = *d;
        }
        Line {
            level: self.level + changes.sum::<f64>(),
            covariance: &turn * self.covariance * turn.transpose(),
            coefficients: self.coefficients,
        }
    }
}

fn leave_the_same_open(a: &[Option<f64>], b: &[Option<f64>]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.is_some() == b.is_some())
}

/// The parameters that covariates act on, moved from covariates of 0 to `sign` times these means, the others as they are.
fn turned(
    fit: &ParametricFit,
    means: &[f64],
    sign: f64,
    coefficients: &[Option<f64>],
    covariance: &[f64],
) -> Estimates {
    let columns = fit.columns();
    let size = columns.len();
    let mut turn = DMatrix::identity(size, size);
    for (i, (parameter, _)) in columns.iter().enumerate().filter(|(_, (_, covariate))| covariate.is_none()) {
        for (j, (_, covariate)) in columns.iter().enumerate().filter(|(_, (of, _))| of == parameter) {
            if let Some(covariate) = covariate {
                turn[(i, j)] = sign * means[*covariate];
            }
        }
    }
    let values = DVector::from_iterator(size, coefficients.iter().map(|value| value.unwrap_or(0.0)));
    let moved = &turn * values;
    let variance = &turn * DMatrix::from_row_slice(size, size, covariance) * turn.transpose();
    Estimates {
        coefficients: coefficients.iter().zip(moved.iter()).map(|(value, moved)| value.map(|_| *moved)).collect(),
        covariance: (0..size * size).map(|at| variance[(at / size, at % size)]).collect(),
    }
}

/// Var(level) = 1 / information + m'Vm and Cov(level, β) = −Vm, where the information about the level is at its means + m.
fn decisions(fit: &DiscreteFit, pooled: &DiscreteFit) -> Option<Line> {
    let Uncertainty::Levels { information, means } = &fit.baseline.uncertainty else { return None };
    let sound = fit.status == Status::Converged && fit.penalty == 0.0 && fit.periods() == 1 && fit.link == pooled.link;
    let information = *information.first().filter(|information| **information > 0.0)?;
    if !(sound && leave_the_same_open(&fit.coefficients, &pooled.coefficients)) {
        return None;
    }
    let p = fit.means.len();
    let variance = DMatrix::from_row_slice(p, p, &fit.covariance);
    let m = DVector::from_column_slice(means);
    let across = -(&variance * &m);
    let mut covariance = DMatrix::zeros(p + 1, p + 1);
    covariance[(0, 0)] = 1.0 / information - m.dot(&across);
    for i in 0..p {
        (covariance[(0, i + 1)], covariance[(i + 1, 0)]) = (across[i], across[i]);
        (0..p).for_each(|j| covariance[(i + 1, j + 1)] = variance[(i, j)]);
    }
    let level = fit.baseline.levels.first().copied().flatten()?;
    let line = Line { level, coefficients: fit.coefficients.clone(), covariance };
    Some(line.moved(&fit.means, &pooled.means))
}

fn decide(fit: &mut DiscreteFit, origin: &[f64], line: Line) -> Option<()> {
    let line = line.moved(origin, &fit.means);
    let p = fit.means.len();
    let known: Vec<usize> = (0..p).filter(|i| line.coefficients[*i].is_some()).collect();
    let n = known.len();
    let variance = DMatrix::from_fn(n, n, |i, j| line.covariance[(known[i] + 1, known[j] + 1)]);
    let across = DVector::from_fn(n, |i, _| line.covariance[(0, known[i] + 1)]);
    let m = if n > 0 { -Cholesky::new(variance)?.solve(&across) } else { across.clone() };
    let alone = line.covariance[(0, 0)] + m.dot(&across);
    if !(alone > 0.0 && alone.is_finite()) {
        return None;
    }
    let mut means = vec![0.0; p];
    known.iter().zip(m.iter()).for_each(|(at, m)| means[*at] = *m);
    fit.clustered.take_if(|clustered| !clustered.is_used());
    fit.baseline.levels = vec![Some(line.level)];
    fit.baseline.uncertainty = Uncertainty::Levels { information: vec![1.0 / alone], means };
    for i in 0..p {
        (0..p).for_each(|j| fit.covariance[i * p + j] = line.covariance[(i + 1, j + 1)]);
    }
    fit.coefficients = line.coefficients;
    Some(())
}

fn amounts(fit: &AmountFit, pooled: &AmountFit) -> Option<Line> {
    let alike =
        fit.family.name() == pooled.family.name() && leave_the_same_open(&fit.coefficients, &pooled.coefficients);
    fit.dispersion.filter(|dispersion| *dispersion > 0.0)?;
    if !(alike && fit.status == Status::Converged && fit.penalty == 0.0) {
        return None;
    }
    let size = fit.means.len() + 1;
    let covariance = DMatrix::from_row_slice(size, size, &fit.covariance) * fit.scale()?;
    let line = Line { level: fit.level, coefficients: fit.coefficients.clone(), covariance };
    Some(line.moved(&fit.means, &pooled.means))
}

fn amount(fit: &mut AmountFit, origin: &[f64], line: Line) -> Option<()> {
    let line = line.moved(origin, &fit.means);
    fit.clustered.take_if(|clustered| !clustered.is_used());
    let scale = fit.scale().filter(|scale| *scale > 0.0)?;
    let size = fit.means.len() + 1;
    fit.level = line.level;
    fit.coefficients = line.coefficients;
    for i in 0..size {
        (0..size).for_each(|j| fit.covariance[i * size + j] = line.covariance[(i, j)] / scale);
    }
    Some(())
}
