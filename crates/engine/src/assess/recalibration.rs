//! Cox's recalibration (1958): the logistic regression of the outcome on the logit of the prediction.

use crate::assess::calibration::{Calibration, Level};
use crate::numeric::sum::Sum;
use crate::{Interrupt, Result};

/// Predictions are moved this far inside (0, 1) before their logit is taken.
const EDGE: f64 = 1e-8;
const MOST_STEPS: usize = 100;
const MOST_HALVINGS: usize = 40;
/// Levels between two questions whether to go on.
const LEVELS_PER_INTERRUPT: usize = 1 << 16;

/// P(yes) = 1 / (1 + exp(−(intercept + slope · logit(prediction)))): intercept 0 and slope 1 for a perfect forecast, a
/// slope below 1 for one that is too sure of itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogisticRecalibration {
    pub intercept: f64,
    pub slope: f64,
    pub intercept_std_error: f64,
    pub slope_std_error: f64,
}

/// The shift of all logits, slope held at 1, after which the mean prediction is the observed rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationInTheLarge {
    pub intercept: f64,
    pub std_error: f64,
}

/// A level on the logit scale.
struct Point {
    logit: f64,
    positives: f64,
    weight: f64,
}

impl Calibration {
    /// Intercept and slope of Cox's (1958) recalibration by maximum likelihood, with their standard errors.
    ///
    /// Predictions are first limited to [1e-8, 1 − 1e-8], for 0 and 1 have no logit: the limit of the software to Van
    /// Calster et al. (2016). A row that was certain and wrong so pulls the slope down hard, without making it undefined.
    /// `None` when the maximum is not finite or not unique: no rows, a single outcome, a single prediction, or outcomes
    /// that some cut of the predictions separates (Albert & Anderson 1984).
    ///
    /// # Errors
    /// What `interrupt` returns.
    pub fn recalibration(&self, interrupt: Interrupt) -> Result<Option<LogisticRecalibration>> {
        let levels = self.levels();
        if is_separated(&levels) {
            return Ok(None);
        }
        let mut points = on_logit_scale(&levels);
        let centre = weighted_mean(&points);
        for point in &mut points {
            point.logit -= centre;
        }
        let start = [log_odds(&points), 0.0];
        let Some((found, [waa, wab, wbb])) = maximise(&points, start, Model::InterceptAndSlope, interrupt)? else {
            return Ok(None);
        };
        let determinant = waa * wbb - wab * wab;
        let variance_of_intercept = (wbb + 2.0 * centre * wab + centre * centre * waa) / determinant;
        let fit = LogisticRecalibration {
            intercept: found[0] - found[1] * centre,
            slope: found[1],
            intercept_std_error: variance_of_intercept.sqrt(),
            slope_std_error: (waa / determinant).sqrt(),
        };
        Ok(Some(fit).filter(|fit| fit.intercept_std_error.is_finite() && fit.slope_std_error.is_finite()))
    }

    /// Calibration in the large: the intercept with the slope held at 1 (Cox 1958; Van Calster et al. 2016).
    ///
    /// Positive when the forecast was too low on the whole. Predictions are limited as in
    /// [`Calibration::recalibration`]. `None` for no rows or a single outcome.
    ///
    /// # Errors
    /// What `interrupt` returns.
    pub fn calibration_in_the_large(&self, interrupt: Interrupt) -> Result<Option<CalibrationInTheLarge>> {
        let levels = self.levels();
        let has_positives = levels.iter().any(|level| level.positives > 0.0);
        let has_negatives = levels.iter().any(|level| level.negatives > 0.0);
        if !(has_positives && has_negatives) {
            return Ok(None);
        }
        let points = on_logit_scale(&levels);
        let start = [log_odds(&points) - weighted_mean(&points), 1.0];
        let found = maximise(&points, start, Model::InterceptOnly, interrupt)?;
        Ok(found.map(|(found, [information, ..])| CalibrationInTheLarge {
            intercept: found[0],
            std_error: 1.0 / information.sqrt(),
        }))
    }
}

/// Whether some cut of the predictions has all positives on one side and all negatives on the other, ties allowed.
fn is_separated(levels: &[Level]) -> bool {
    let clipped = |level: &Level| level.probability.clamp(EDGE, 1.0 - EDGE);
    let ends = |has: fn(&Level) -> bool| {
        let mut with = levels.iter().filter(move |level| has(level)).map(clipped);
        let first = with.next()?;
        Some((first, with.next_back().unwrap_or(first)))
    };
    match (ends(|level| level.positives > 0.0), ends(|level| level.negatives > 0.0)) {
        (Some((lowest_yes, highest_yes)), Some((lowest_no, highest_no))) => {
            highest_no <= lowest_yes || highest_yes <= lowest_no
        }
        _ => true,
    }
}

fn on_logit_scale(levels: &[Level]) -> Vec<Point> {
    let point = |level: &Level| {
        let p = level.probability.clamp(EDGE, 1.0 - EDGE);
        Point { logit: p.ln() - (-p).ln_1p(), positives: level.positives, weight: level.weight() }
    };
    levels.iter().map(point).collect()
}

fn weighted_mean(points: &[Point]) -> f64 {
    let (mut sum, mut total) = (Sum::default(), 0.0);
    for point in points {
        sum.add(point.logit * point.weight);
        total += point.weight;
    }
    sum.total() / total
}

/// The log odds of a positive, whatever the prediction.
fn log_odds(points: &[Point]) -> f64 {
    let positives: f64 = points.iter().map(|point| point.positives).sum();
    let negatives: f64 = points.iter().map(|point| point.weight - point.positives).sum();
    (positives / negatives).ln()
}

#[derive(Clone, Copy, PartialEq)]
enum Model {
    InterceptOnly,
    InterceptAndSlope,
}

/// The log-likelihood at `[intercept, slope]`.
#[derive(Clone, Copy)]
struct Likelihood {
    value: f64,
    gradient: [f64; 2],
    /// By intercept twice, by both, by slope twice.
    information: [f64; 3],
}

impl Likelihood {
    fn at([intercept, slope]: [f64; 2], points: &[Point], interrupt: &mut dyn FnMut() -> Result<()>) -> Result<Self> {
        let mut value = Sum::default();
        let mut gradient = [Sum::default(); 2];
        let mut information = [Sum::default(); 3];
        for chunk in points.chunks(LEVELS_PER_INTERRUPT) {
            interrupt()?;
            for point in chunk {
                let predictor = intercept + slope * point.logit;
                let probability = 1.0 / (1.0 + (-predictor).exp());
                let softplus = predictor.max(0.0) + (-predictor.abs()).exp().ln_1p();
                value.add(point.positives * predictor - point.weight * softplus);
                let residual = point.positives - point.weight * probability;
                gradient[0].add(residual);
                gradient[1].add(residual * point.logit);
                let spread = point.weight * probability * (1.0 - probability);
                information[0].add(spread);
                information[1].add(spread * point.logit);
                information[2].add(spread * point.logit * point.logit);
            }
        }
        Ok(Likelihood {
            value: value.total(),
            gradient: gradient.map(|sum| sum.total()),
            information: information.map(|sum| sum.total()),
        })
    }

    /// The step to the top of the parabola that touches here; not finite when there is none.
    fn newton_step(&self, model: Model) -> [f64; 2] {
        let ([a, b], [aa, ab, bb]) = (self.gradient, self.information);
        match model {
            Model::InterceptOnly => [a / aa, 0.0],
            Model::InterceptAndSlope => {
                let determinant = aa * bb - ab * ab;
                [(bb * a - ab * b) / determinant, (aa * b - ab * a) / determinant]
            }
        }
    }
}

/// Newton's method with step halving: the maximum and the information there; `None` when it does not settle.
fn maximise(
    points: &[Point],
    start: [f64; 2],
    model: Model,
    interrupt: Interrupt,
) -> Result<Option<([f64; 2], [f64; 3])>> {
    let mut at = start;
    let mut here = Likelihood::at(at, points, interrupt)?;
    for _ in 0..MOST_STEPS {
        let step = here.newton_step(model);
        if !(step[0].is_finite() && step[1].is_finite()) {
            return Ok(None);
        }
        let slack = 1e-12 * here.value.abs();
        let mut share = 1.0;
        for halving in 0.. {
            let next = [at[0] + share * step[0], at[1] + share * step[1]];
            let there = Likelihood::at(next, points, interrupt)?;
            if there.value >= here.value - slack {
                (at, here) = (next, there);
                break;
            }
            if halving == MOST_HALVINGS {
                return Ok(None);
            }
            share /= 2.0;
        }
        let small = |step: f64, at: f64| step.abs() <= 1e-10 * (1.0 + at.abs());
        // Newton's error squares itself: a step this small has landed on the maximum to rounding.
        if share == 1.0 && small(step[0], at[0]) && small(step[1], at[1]) {
            return Ok(Some((at, here.information)));
        }
    }
    Ok(None)
}
