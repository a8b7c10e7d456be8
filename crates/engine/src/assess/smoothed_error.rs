//! How far predictions are from a smooth curve of what was observed at them: ICI, E50, E90.
//!
//! Austin & Steyerberg (2019), *The integrated calibration index (ICI) and related metrics*, Statistics in Medicine 38;
//! under censoring Austin, Harrell & van Klaveren (2020), *Graphical calibration curves and the integrated calibration
//! index (ICI) for survival models*, Statistics in Medicine 39. The smoother is the latter's: the transformed prediction
//! as a restricted cubic spline with three knots at its quantiles 0.1, 0.5 and 0.9 – of log(−log S) in a Cox regression
//! of the times, and of the logit in a logistic regression where outcomes are known.

use crate::assess::calibration::{Calibration, Level};
use crate::assess::survival_calibration::{Columns, SurvivalCalibration};
use crate::assess::survival_scores::{check_horizon, sample};
use crate::hazard::cox::{self, Status, Ties};
use crate::hazard::design::Design;
use crate::hazard::discrete::{self, fit_decisions};
use crate::numeric::sum::Sum;
use crate::numeric::tally::Budget;
use crate::survival::kaplan_meier::steps;
use crate::{Interrupt, Result};

/// Predictions are moved this far inside (0, 1) before they are transformed, as for the recalibration.
const EDGE: f64 = 1e-8;
const KNOTS: [f64; 3] = [0.1, 0.5, 0.9];
/// A linear predictor farther from that of the average row than this is a coefficient on its way to infinity, as where
/// the highest predictions never have the event; the curved term is left out then.
const FARTHEST: f64 = 50.0;
/// What the fit needs for each row, roughly: the design, its sorted copy, a few vectors.
const BYTES_PER_ROW: usize = 160;

/// Distances |smoothed observed rate − prediction| over the rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SmoothedError {
    /// The mean: the integrated calibration index.
    pub ici: f64,
    /// The median and the ninth decile, by R's default rule (type 7).
    pub e50: f64,
    pub e90: f64,
    pub e_max: f64,
}

impl SurvivalCalibration {
    /// `None` for no rows, without an event, when nobody was observed until `horizon`, and when the smoother does not
    /// converge.
    ///
    /// # Errors
    /// [`Error`](crate::Error) for a bad horizon, over budget, and what `interrupt` returns.
    pub fn smoothed_error(&self, horizon: f64, budget: Budget, interrupt: Interrupt) -> Result<Option<SmoothedError>> {
        check_horizon(horizon)?;
        budget.check(self.len().saturating_mul(BYTES_PER_ROW), "the smoothed calibration curve")?;
        let columns = self.columns();
        let last = columns.exits.last().copied();
        if !(columns.events.contains(&true) && last.is_some_and(|last| last >= horizon)) {
            return Ok(None);
        }
        let Some(observed) = smoothed_survival(&columns, horizon, interrupt)? else { return Ok(None) };
        let weight = |row: usize| columns.weight(row);
        let errors = observed.iter().zip(&columns.survival).enumerate();
        Ok(Some(summary(errors.map(|(row, (observed, said))| ((observed - said).abs(), weight(row))).collect())))
    }
}

/// The smoothed survival at `horizon` of each row.
fn smoothed_survival(columns: &Columns, horizon: f64, interrupt: Interrupt) -> Result<Option<Vec<f64>>> {
    let transformed: Vec<f64> =
        columns.survival.iter().map(|survival| (-survival.clamp(EDGE, 1.0 - EDGE).ln()).ln()).collect();
    let weighted = transformed.iter().enumerate().map(|(row, x)| (*x, columns.weight(row))).collect();
    let Some(spline) = Spline::new(weighted) else {
        // One and the same prediction: what was observed is one number too.
        let all = steps(&sample(columns, 0..columns.len(), interrupt)?);
        let survival = all.and_then(|steps| steps.survival_at(horizon));
        return Ok(survival.map(|survival| vec![survival; columns.len()]));
    };
    for spline in [spline, Spline { knots: None }] {
        let mut design = Design::default();
        for (row, x) in transformed.iter().enumerate() {
            let x = spline.columns(*x);
            design.push(None, columns.exits[row], columns.events[row], columns.weight(row), &x[..spline.width()])?;
        }
        let fit = cox::fit(&design, Ties::Efron, interrupt)?;
        let predictor = |x: &f64| fit.linear_predictor(&spline.columns(*x)[..spline.width()]);
        let (Status::Converged, Some(baseline)) = (&fit.status, fit.baselines.first()) else { continue };
        if transformed.iter().any(|x| predictor(x).abs() > FARTHEST) {
            continue;
        }
        let survival = |x: &f64| (-baseline.cumulative_hazard_of(horizon, predictor(x))).exp();
        return Ok(Some(transformed.iter().map(survival).collect()));
    }
    Ok(None)
}

impl Calibration {
    /// `None` for no rows or one outcome only, and when the smoother does not converge.
    ///
    /// # Errors
    /// [`Error`](crate::Error) over budget, and what `interrupt` returns.
    pub fn smoothed_error(&self, budget: Budget, interrupt: Interrupt) -> Result<Option<SmoothedError>> {
        let levels = self.levels();
        budget.check(levels.len().saturating_mul(2 * BYTES_PER_ROW), "the smoothed calibration curve")?;
        let (positives, negatives) = (self.positives(), self.negatives());
        if !(positives > 0.0 && negatives > 0.0) {
            return Ok(None);
        }
        let logit = |p: f64| {
            let p = p.clamp(EDGE, 1.0 - EDGE);
            p.ln() - (-p).ln_1p()
        };
        let weighted = levels.iter().map(|level| (logit(level.probability), level.weight())).collect();
        let observed = match Spline::new(weighted) {
            None => Some(vec![positives / (positives + negatives); levels.len()]),
            Some(spline) => {
                let logits: Vec<f64> = levels.iter().map(|level| logit(level.probability)).collect();
                match smoothed_rates(&levels, &logits, &spline, interrupt)? {
                    None => smoothed_rates(&levels, &logits, &Spline { knots: None }, interrupt)?,
                    rates => rates,
                }
            }
        };
        let Some(observed) = observed else { return Ok(None) };
        let errors = observed.iter().zip(&levels);
        let errors = errors.map(|(observed, level)| ((observed - level.probability).abs(), level.weight()));
        Ok(Some(summary(errors.collect())))
    }
}

/// The smoothed rate at each level; `None` when the fit does not converge or runs off.
fn smoothed_rates(levels: &[Level], logits: &[f64], spline: &Spline, interrupt: Interrupt) -> Result<Option<Vec<f64>>> {
    let mut design = Design::default();
    for (level, logit) in levels.iter().zip(logits) {
        let x = spline.columns(*logit);
        for (event, weight) in [(true, level.positives), (false, level.negatives)] {
            if weight > 0.0 {
                design.push(None, 1.0, event, weight, &x[..spline.width()])?;
            }
        }
    }
    let fit = fit_decisions(&design, &discrete::Options::default(), interrupt)?;
    let (Status::Converged, Some(Some(intercept))) = (&fit.status, fit.baseline.levels.first()) else {
        return Ok(None);
    };
    let predictor = |logit: &f64| intercept + fit.linear_predictor(&spline.columns(*logit)[..spline.width()]);
    if logits.iter().any(|logit| predictor(logit).abs() > FARTHEST) {
        return Ok(None);
    }
    Ok(Some(logits.iter().map(|logit| 1.0 / (1.0 + (-predictor(logit)).exp())).collect()))
}

/// A restricted cubic spline with three knots: the variable itself and one curved term (Harrell 2015, §2.4.5), which
/// is left out where two knots are one.
struct Spline {
    knots: Option<[f64; 3]>,
}

impl Spline {
    /// `None` when all values are the same.
    fn new(mut weighted: Vec<(f64, f64)>) -> Option<Spline> {
        weighted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        if weighted.first().map(|first| first.0) == weighted.last().map(|last| last.0) {
            return None;
        }
        let knots = KNOTS.map(|p| quantile(&weighted, p));
        Some(Spline { knots: (knots[0] < knots[1] && knots[1] < knots[2]).then_some(knots) })
    }

    fn width(&self) -> usize {
        if self.knots.is_some() { 2 } else { 1 }
    }

    /// The first [`Spline::width`] of them count.
    fn columns(&self, x: f64) -> [f64; 2] {
        let Some([first, middle, last]) = self.knots else { return [x, 0.0] };
        let cube = |knot: f64| (x - knot).max(0.0).powi(3);
        let curved = cube(first) - cube(middle) * (last - first) / (last - middle)
            + cube(last) * (middle - first) / (last - middle);
        [x, curved / ((last - first) * (last - first))]
    }
}

/// Type 7 of Hyndman & Fan (1996) of values in rising order, each repeated weight times.
fn quantile(weighted: &[(f64, f64)], p: f64) -> f64 {
    let total: f64 = weighted.iter().map(|(_, weight)| weight).sum();
    let place = ((total - 1.0) * p).max(0.0);
    let whole = place.floor();
    let (mut lower, mut upper) = (None, None);
    let mut before = 0.0;
    for (value, weight) in weighted {
        before += weight;
        if lower.is_none() && before > whole {
            lower = Some(*value);
        }
        if before > whole + 1.0 {
            upper = Some(*value);
            break;
        }
    }
    let last = weighted.last().map_or(0.0, |last| last.0);
    let lower = lower.unwrap_or(last);
    lower + (place - whole) * (upper.unwrap_or(last) - lower)
}

/// Of errors with their weights, at least one.
fn summary(mut errors: Vec<(f64, f64)>) -> SmoothedError {
    errors.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = errors.iter().map(|(_, weight)| weight).sum();
    let sum: Sum = errors.iter().map(|(error, weight)| error * weight).collect();
    SmoothedError {
        ici: sum.total() / total,
        e50: quantile(&errors, 0.5),
        e90: quantile(&errors, 0.9),
        e_max: errors.last().map_or(0.0, |last| last.0),
    }
}
