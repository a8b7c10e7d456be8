//! Newton's method on the levels of the periods and the coefficients together.
//!
//! With a level per period the information is an arrow: a diagonal for the levels, a small square for the p
//! coefficients, and a band between them. Eliminating the levels leaves p equations, so T periods cost T p², not T³.

use crate::hazard::cox::Status;
use crate::hazard::discrete::basis::Basis;
use crate::hazard::discrete::likelihood::{Evaluation, Information, evaluate};
use crate::hazard::discrete::rows::Rows;
use crate::hazard::link::Link;
use crate::hazard::newton::{Progress, Verdict, longest, moving};
use crate::numeric::linear::{RankedCholesky, collinearity_tolerance};
use crate::{Error, Interrupt, Result};

const MAX_ITERATIONS: usize = 60;
const HALVINGS: i32 = 30;
/// A step must raise the log-likelihood by this share of what its slope promises; a good one raises it by half.
const SUFFICIENT_RISE: f64 = 0.1;
/// A log-likelihood that falls by this share of itself has not fallen: that much is rounding.
const ROUNDING: f64 = 1e-12;
/// From so many single decisions on, one in `SAMPLE` of them says where to begin.
const MANY_ROWS: usize = 1 << 16;
const SAMPLE: usize = 16;
/// A last step that promised so little has not moved the information of a logit.
const UNMOVED: f64 = 1e-18;
/// What is added to the diagonal of an information that has become singular, as a share of it.
const DAMPINGS: [f64; 4] = [0.0, 1e-10, 1e-6, 1e-2];
/// A coefficient about which the data tell so much less where it ended than where it began has run off.
const INFORMATION_LOST: f64 = 1e-8;

/// A likelihood, its baseline and its penalty.
pub struct Problem<'a> {
    pub rows: &'a Rows<'a>,
    pub link: Link,
    /// `None`: a level per period.
    pub basis: Option<&'a Basis>,
    /// λ of λ/2 Σ β², the coefficients being per standard deviation.
    pub penalty: f64,
    /// One in so many blocks of rows is looked at.
    pub every: usize,
}

/// Levels, the coefficients of the baseline behind them (none with a level per period), and the scaled coefficients.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    pub levels: Vec<f64>,
    pub baseline: Vec<f64>,
    pub beta: Vec<f64>,
}

#[derive(Clone)]
pub struct Maximum {
    pub point: Point,
    /// Fisher's information there.
    pub evaluation: Evaluation,
    pub active: Vec<usize>,
    /// (q + p)² of the baseline's coefficients and the scaled coefficients, or p² with a level per period.
    pub covariance: Vec<f64>,
    pub log_likelihood_null: f64,
    pub score_test: f64,
    /// β' of the information left for the coefficients, β.
    pub wald_test: f64,
    pub iterations: usize,
    pub status: Status,
}

/// Where a climb ended: the point, the evaluation before the last step, and twice the rise that the step promised.
struct Climbed {
    point: Point,
    now: Evaluation,
    decrement: f64,
    iterations: usize,
    status: Status,
}

impl Problem<'_> {
    fn evaluate(
        &self,
        point: &Point,
        with_coefficients: bool,
        which: Information,
        interrupt: Interrupt,
    ) -> Result<Option<Evaluation>> {
        let beta = with_coefficients.then_some(point.beta.as_slice());
        let mut evaluation = evaluate(self.rows, self.every, self.link, &point.levels, beta, which, interrupt)?;
        if let (Some(evaluation), true) = (&mut evaluation, self.penalty > 0.0) {
            let p = evaluation.score.len();
            for (i, beta) in point.beta.iter().enumerate().take(p) {
                evaluation.log_likelihood -= self.penalty / 2.0 * beta * beta;
                evaluation.score[i] -= self.penalty * beta;
                evaluation.information[i * (p + 1)] += self.penalty;
            }
        }
        Ok(evaluation)
    }

    /// The equations for the coefficients (after those of a smooth baseline's), levels eliminated.
    fn reduced(&self, at: &Evaluation) -> (Vec<f64>, Vec<f64>) {
        let p = at.score.len();
        let q = self.basis.map_or(0, |basis| basis.terms);
        let size = q + p;
        let (mut matrix, mut right) = (vec![0.0; size * size], vec![0.0; size]);
        for i in 0..p {
            right[q + i] = at.score[i];
            matrix[(q + i) * size + q..][..p].copy_from_slice(&at.information[i * p..(i + 1) * p]);
        }
        for (period, information) in at.level_information.iter().enumerate() {
            let (cross, score) = (&at.cross[period * p..(period + 1) * p], at.level_score[period]);
            match self.basis {
                None if *information > 0.0 => {
                    for i in 0..p {
                        let share = cross[i] / information;
                        right[i] -= share * score;
                        matrix[i * p..(i + 1) * p].iter_mut().zip(cross).for_each(|(m, c)| *m -= share * c);
                    }
                }
                None => {}
                Some(basis) => {
                    let columns = &basis.columns[period * q..(period + 1) * q];
                    for (i, column) in columns.iter().enumerate() {
                        right[i] += column * score;
                        for (j, other) in columns.iter().enumerate() {
                            matrix[i * size + j] += column * information * other;
                        }
                        for (j, cross) in cross.iter().enumerate() {
                            matrix[i * size + q + j] += column * cross;
                            matrix[(q + j) * size + i] += column * cross;
                        }
                    }
                }
            }
        }
        (matrix, right)
    }

    /// The step that solves the equations at an evaluation, and twice the rise it promises.
    fn step(&self, at: &Evaluation, active: &[usize], damping: f64) -> Option<(Point, f64)> {
        let p = at.score.len();
        let q = self.basis.map_or(0, |basis| basis.terms);
        let (mut matrix, right) = self.reduced(at);
        let size = q + p;
        (0..size).for_each(|i| matrix[i * (size + 1)] *= 1.0 + damping);
        let columns: Vec<usize> = (0..q).chain(active.iter().map(|i| q + i)).collect();
        let factor = RankedCholesky::of_columns(&matrix, size, columns.clone());
        if factor.rank() < columns.len() {
            return None;
        }
        let solution = factor.solve(&right);
        let mut decrement: f64 = solution.iter().zip(&right).map(|(a, b)| a * b).sum();
        let beta = solution[q..].to_vec();
        let levels = match self.basis {
            Some(basis) => basis.levels(&solution[..q]),
            None => {
                let parts = at.level_score.iter().zip(&at.level_information).enumerate();
                let levels = parts.map(|(period, (score, information))| {
                    if *information > 0.0 {
                        decrement += score * score / information;
                        let cross = &at.cross[period * p..(period + 1) * p];
                        (score - cross.iter().zip(&beta).map(|(c, b)| c * b).sum::<f64>()) / information
                    } else {
                        0.0
                    }
                });
                levels.collect()
            }
        };
        Some((Point { levels, baseline: solution[..q].to_vec(), beta }, decrement))
    }

    /// Climbs from `point`, where the evaluation is `now`, until there is nothing left to gain.
    fn climb(&self, mut point: Point, mut now: Evaluation, active: &[usize], interrupt: Interrupt) -> Result<Climbed> {
        let with_coefficients = !now.score.is_empty();
        let mut progress = Progress::default();
        let mut iterations = 0;
        loop {
            let Some((step, decrement)) = DAMPINGS.iter().find_map(|damping| self.step(&now, active, *damping)) else {
                return Ok(Climbed { point, now, decrement: f64::NAN, iterations, status: Status::NotConverged });
            };
            let length = longest(&step.beta).max(longest(&step.levels));
            match progress.next(decrement, length) {
                Verdict::GoOn => {}
                Verdict::Converged => {
                    let (point, status) = (point.moved(&step, 1.0), Status::Converged);
                    return Ok(Climbed { point, now, decrement, iterations, status });
                }
                Verdict::RunningOff => {
                    let terms = if longest(&step.beta) > 1e-3 * length { moving(&step.beta) } else { Vec::new() };
                    let status = Status::Separated { terms };
                    return Ok(Climbed { point, now, decrement, iterations, status });
                }
            }
            let mut better = None;
            for halving in 0..HALVINGS {
                let share = 0.5f64.powi(halving);
                let candidate = point.moved(&step, share);
                let evaluation = self.evaluate(&candidate, with_coefficients, Information::Observed, interrupt)?;
                let Some(evaluation) = evaluation else { continue };
                let rise = evaluation.log_likelihood - now.log_likelihood + ROUNDING * now.log_likelihood.abs();
                if rise >= SUFFICIENT_RISE * share * decrement {
                    better = Some((candidate, evaluation));
                    break;
                }
            }
            match better {
                Some(better) if iterations < MAX_ITERATIONS => (point, now) = better,
                _ => return Ok(Climbed { point, now, decrement, iterations, status: Status::NotConverged }),
            }
            iterations += 1;
        }
    }

    pub fn maximise(&self, interrupt: Interrupt) -> Result<Maximum> {
        let p = self.rows.covariates;
        let overflow = || Error::OutOfRange("the weights or covariates are too large for a regression".into());
        let (mut null, mut null_status) = (self.start(), Status::Converged);
        // Without offsets a level per period is where its rate is.
        if self.basis.is_some() || !self.rows.offsets.is_empty() {
            let first = self.evaluate(&null, false, Information::Observed, interrupt)?.ok_or_else(overflow)?;
            let climbed = self.climb(null, first, &[], interrupt)?;
            (null, null_status) = (climbed.point, climbed.status);
        }
        let null = Point { beta: vec![0.0; p], ..null };
        let at_null = self.evaluate(&null, true, Information::Expected, interrupt)?.ok_or_else(overflow)?;
        let log_likelihood_null = at_null.log_likelihood;
        let q = self.basis.map_or(0, |basis| basis.terms);

        let (matrix, right) = self.reduced(&at_null);
        let factor = RankedCholesky::new(&matrix, q + p, collinearity_tolerance());
        let active: Vec<usize> = factor.columns().iter().filter_map(|column| column.checked_sub(q)).collect();
        let score_test = factor.solve(&right).iter().zip(&right).map(|(a, b)| a * b).sum::<f64>().max(0.0);
        let variances_null = diagonal(&factor.inverse(), q, p);

        let (start, at_start) = match self.near_start(&null, &at_null, &active, interrupt)? {
            Some(near) => near,
            None => (null, at_null),
        };
        let Climbed { point, now, decrement, iterations, mut status } =
            self.climb(start, at_start, &active, interrupt)?;
        let evaluation = if self.link == Link::Logit && status == Status::Converged && decrement <= UNMOVED {
            now
        } else {
            self.evaluate(&point, true, Information::Expected, interrupt)?.ok_or_else(overflow)?
        };
        let (matrix, _) = self.reduced(&evaluation);
        let columns: Vec<usize> = (0..q).chain(active.iter().map(|i| q + i)).collect();
        let factor = RankedCholesky::of_columns(&matrix, q + p, columns.clone());
        let covariance = factor.inverse();
        if status == Status::Converged {
            let variances = diagonal(&covariance, q, p);
            let singular = factor.rank() < columns.len();
            let lost = |i: &usize| singular || INFORMATION_LOST * variances[*i] > variances_null[*i];
            let terms: Vec<usize> = active.iter().copied().filter(lost).collect();
            if !terms.is_empty() {
                status = Status::Separated { terms };
            }
        }
        if status == Status::Converged && null_status != Status::Converged {
            status = null_status;
        }
        let wald_test = wald(&covariance, &point.beta, q, &active);
        Ok(Maximum {
            point,
            evaluation,
            active,
            covariance,
            log_likelihood_null,
            score_test,
            wald_test,
            iterations,
            status,
        })
    }

    /// The maximum with the information that was observed in place of Fisher's; `None` where it is not positive definite.
    pub fn observed(&self, maximum: &Maximum, interrupt: Interrupt) -> Result<Option<Maximum>> {
        if self.link == Link::Logit {
            return Ok(Some(maximum.clone()));
        }
        let Some(evaluation) = self.evaluate(&maximum.point, true, Information::Observed, interrupt)? else {
            return Ok(None);
        };
        let q = self.basis.map_or(0, |basis| basis.terms);
        let (matrix, _) = self.reduced(&evaluation);
        let columns: Vec<usize> = (0..q).chain(maximum.active.iter().map(|i| q + i)).collect();
        let factor = RankedCholesky::of_columns(&matrix, q + self.rows.covariates, columns.clone());
        let covariance = factor.inverse();
        Ok((factor.rank() == columns.len()).then(|| Maximum { evaluation, covariance, ..maximum.clone() }))
    }

    /// Where a sample of very many decisions has its maximum, if that is a good place to begin.
    fn near_start(
        &self,
        null: &Point,
        at_null: &Evaluation,
        active: &[usize],
        interrupt: Interrupt,
    ) -> Result<Option<(Point, Evaluation)>> {
        if self.rows.len() < MANY_ROWS || !self.rows.ends.is_empty() {
            return Ok(None);
        }
        let sample = Problem { every: SAMPLE, penalty: self.penalty / SAMPLE as f64, ..*self };
        let Some(first) = sample.evaluate(null, true, Information::Observed, interrupt)? else { return Ok(None) };
        let near = sample.climb(null.clone(), first, active, interrupt)?;
        if near.status != Status::Converged {
            return Ok(None);
        }
        let at_near = self.evaluate(&near.point, true, Information::Observed, interrupt)?;
        let Some(at_near) = at_near.filter(|at| at.log_likelihood > at_null.log_likelihood) else { return Ok(None) };
        let bent = match self.bent_step(&sample, &near.point, &at_near, active, interrupt)? {
            Some(point) => self.evaluate(&point, true, Information::Observed, interrupt)?.map(|at| (point, at)),
            None => None,
        };
        let bent = bent.filter(|(_, at)| at.log_likelihood > at_near.log_likelihood);
        Ok(Some(bent.unwrap_or((near.point, at_near))))
    }

    /// Where Newton's step from `point` leads, and on by what the curvature changes on the way. Newton's method takes it for
    /// constant; a sample tells how far its score is off its own tangent at the end of the step, and thereby, to a
    /// hundredth, how far that of all rows is.
    fn bent_step(
        &self,
        sample: &Problem,
        point: &Point,
        at: &Evaluation,
        active: &[usize],
        interrupt: Interrupt,
    ) -> Result<Option<Point>> {
        let Some((step, _)) = self.step(at, active, DAMPINGS[0]) else { return Ok(None) };
        let straight = point.moved(&step, 1.0);
        let here = sample.evaluate(point, true, Information::Observed, interrupt)?;
        let there = sample.evaluate(&straight, true, Information::Observed, interrupt)?;
        let Some((here, there)) = here.zip(there) else { return Ok(None) };
        let (p, share) = (here.score.len(), sample.every as f64);
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let (level, cross) = (step.levels[0], &here.cross);
        let off_level =
            there.level_score[0] - here.level_score[0] + here.level_information[0] * level + dot(cross, &step.beta);
        let off = |i: usize| {
            there.score[i] - here.score[i] + cross[i] * level + dot(&here.information[i * p..][..p], &step.beta)
        };
        let remainder = Evaluation {
            log_likelihood: 0.0,
            level_score: vec![share * off_level],
            level_information: at.level_information.clone(),
            cross: at.cross.clone(),
            score: (0..p).map(|i| share * off(i)).collect(),
            information: at.information.clone(),
        };
        Ok(self.step(&remainder, active, DAMPINGS[0]).map(|(more, _)| straight.moved(&more, 1.0)))
    }

    /// The hazard of each period as it is without covariates and offsets.
    fn start(&self) -> Point {
        let raw = self.rows.deaths.iter().zip(&self.rows.at_risk).zip(&self.rows.sure);
        let levels: Vec<f64> = match self.basis {
            None => raw
                .map(|((deaths, at_risk), sure)| match *deaths > 0.0 && !sure {
                    true => self.link.linear_predictor((deaths / at_risk).min(1.0 - f64::EPSILON)),
                    false => f64::NEG_INFINITY,
                })
                .collect(),
            Some(basis) => {
                let (deaths, at_risk): (f64, f64) = (self.rows.deaths.iter().sum(), self.rows.at_risk.iter().sum());
                let level = self.link.linear_predictor((deaths / at_risk).clamp(1e-12, 1.0 - 1e-6));
                // The first column is a constant.
                let mut baseline = vec![0.0; basis.terms];
                baseline[0] = level / basis.columns[0];
                return Point { levels: basis.levels(&baseline), baseline, beta: Vec::new() };
            }
        };
        Point { levels, baseline: Vec::new(), beta: Vec::new() }
    }
}

impl Point {
    fn moved(&self, step: &Point, share: f64) -> Point {
        let moved = |from: &[f64], step: &[f64]| from.iter().zip(step).map(|(a, b)| a + share * b).collect();
        Point {
            levels: moved(&self.levels, &step.levels),
            baseline: moved(&self.baseline, &step.baseline),
            beta: moved(&self.beta, &step.beta),
        }
    }
}

fn diagonal(matrix: &[f64], skip: usize, p: usize) -> Vec<f64> {
    (skip..skip + p).map(|i| matrix[i * (skip + p + 1)]).collect()
}

/// β' V⁻¹ β over the coefficients that there are.
fn wald(covariance: &[f64], beta: &[f64], q: usize, active: &[usize]) -> f64 {
    let size = q + beta.len();
    let block: Vec<f64> =
        active.iter().flat_map(|i| active.iter().map(move |j| covariance[(q + i) * size + q + j])).collect();
    let factor = RankedCholesky::of_columns(&block, active.len(), (0..active.len()).collect());
    let beta: Vec<f64> = active.iter().map(|i| beta[*i]).collect();
    factor.solve(&beta).iter().zip(&beta).map(|(a, b)| a * b).sum()
}
