//! The map from predicted to observed probability that a model is seen through: intercept, logistic, beta, isotonic.
//!
//! Under censoring the rows whose status at a horizon is known stand for those whose status is not, by the inverse of the
//! probability to be still under observation (Graf et al. 1999; van der Laan & Robins 2003), as in the Brier score.

use crate::assess::calibration::{Calibration, Level};
use crate::assess::inverse_censoring::{Censoring, InverseWeights};
use crate::assess::survival_calibration::SurvivalCalibration;
use crate::assess::survival_scores::check_horizon;
use crate::hazard::cox::Status;
use crate::hazard::design::Design;
use crate::hazard::discrete::{self, fit_decisions};
use crate::numeric::sum::Sum;
use crate::numeric::tally::Budget;
use crate::survival::RecalibrationMap;
use crate::survival::recalibration::MOST_KNOTS;
use crate::{Error, Interrupt, Result};

/// Predictions are moved this far inside (0, 1) before they are transformed, as by `recalibration`.
const EDGE: f64 = 1e-8;
const MOST_STEPS: usize = 200;
/// The logarithms of ratios of hazards between which the intercept is searched for.
const FARTHEST: f64 = 40.0;

/// How the map is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// One ratio of the cumulative hazards, by maximum likelihood: ln(−ln(1 − p)) with a shift.
    Intercept,
    /// Logistic regression on the logit of the prediction (Cox 1958; Platt 1999). On this scale, not on ln(−ln(1 − p)),
    /// because that is what the name stands for elsewhere, and it is the beta map with equal coefficients.
    Platt,
    /// Logistic regression on ln p and −ln(1 − p) (Kull, Silva Filho & Flach 2017).
    Beta,
    /// Pool adjacent violators (Zadrozny & Elkan 2002), straight lines between the pools.
    Isotonic,
}

impl std::str::FromStr for Method {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "intercept" => Ok(Method::Intercept),
            "platt" => Ok(Method::Platt),
            "beta" => Ok(Method::Beta),
            "isotonic" => Ok(Method::Isotonic),
            _ => Err(Error::invalid(
                format!("unknown recalibration \"{name}\""),
                "One of: isotonic, platt, beta, intercept.",
            )),
        }
    }
}

impl SurvivalCalibration {
    /// The rows whose status at `horizon` is known – the event by then, or seen beyond – with the probability of the
    /// event, weighed by the inverse of the probability not to be censored so far. `None` where nobody is seen beyond.
    ///
    /// # Errors
    /// As [`SurvivalCalibration::brier`]; over budget.
    pub fn known_at(
        &self,
        horizon: f64,
        censoring: Censoring,
        budget: Budget,
        interrupt: Interrupt,
    ) -> Result<Option<Calibration>> {
        check_horizon(horizon)?;
        let columns = self.columns();
        let weights = InverseWeights::new(&columns, horizon, censoring, interrupt)?;
        if columns.is_empty() || weights.seen_beyond <= 0.0 {
            return Ok(None);
        }
        let mut known = Calibration::default();
        for (row, survival) in columns.survival.iter().enumerate() {
            let weight = weights.of(&columns, row);
            if weight > 0.0 {
                known.add_weighted(1.0 - survival, row < weights.leaving.len(), weight, budget)?;
            }
        }
        Ok(Some(known))
    }

    /// The same rows with their predictions through `map`.
    ///
    /// # Errors
    /// Over budget.
    pub fn recalibrated(&self, map: &RecalibrationMap, budget: Budget) -> Result<SurvivalCalibration> {
        budget.check(2 * self.memory_bytes(), "the recalibrated summary")?;
        let mut columns = self.columns();
        columns.survival.iter_mut().for_each(|survival| *survival = map.survival(*survival).clamp(0.0, 1.0));
        SurvivalCalibration::from_columns(&columns, self.skipped())
    }
}

impl Calibration {
    /// The same outcomes with their predictions through `map`.
    ///
    /// # Errors
    /// Over budget.
    pub fn recalibrated(&self, map: &RecalibrationMap, budget: Budget) -> Result<Calibration> {
        let mut through = Calibration::default();
        for level in self.levels() {
            let p = map.event_probability(level.probability).clamp(0.0, 1.0);
            for (outcome, weight) in [(true, level.positives), (false, level.negatives)] {
                if weight > 0.0 {
                    through.add_weighted(p, outcome, weight, budget)?;
                }
            }
        }
        Calibration::from_parts(through.counts().clone(), self.skipped())
    }

    /// The map from the predictions to what was observed.
    ///
    /// # Errors
    /// [`Error::Invalid`] with one outcome only, when the likelihood has no finite maximum, and when the best map falls
    /// with the prediction, so that it is none; what `interrupt` returns.
    pub fn recalibration_map(&self, method: Method, interrupt: Interrupt) -> Result<RecalibrationMap> {
        let levels = self.levels();
        let some = |count: fn(&Level) -> f64| levels.iter().any(|level| count(level) > 0.0);
        if !(some(|level| level.positives) && some(|level| level.negatives)) {
            return Err(Error::invalid(
                "all outcomes are the same, which says nothing about the size of probabilities",
                "Use more rows or another horizon: some must have had the event and some not.",
            ));
        }
        let map = match method {
            Method::Intercept => intercept(&levels, interrupt)?,
            Method::Platt => {
                let fit = self.recalibration(interrupt)?.ok_or_else(no_maximum)?;
                if fit.slope <= 0.0 {
                    return Err(falling(&format!("slope {}", fit.slope)));
                }
                RecalibrationMap::Beta { intercept: fit.intercept, event: fit.slope, survival: fit.slope }
            }
            Method::Beta => beta(&levels, interrupt)?,
            Method::Isotonic => isotonic(self)?,
        };
        map.validate().map(|()| map).map_err(|_| no_maximum())
    }
}

fn no_maximum() -> Error {
    Error::invalid(
        "the likelihood of the recalibration has no finite maximum",
        "The predictions are all the same, or separate the outcomes; use more rows, or 'intercept'.",
    )
}

fn falling(what: &str) -> Error {
    Error::invalid(
        format!("the best map would not rise with the prediction ({what})"),
        "Use 'platt' for 'beta', 'intercept' for both, or train again: the model may order the rows the wrong way.",
    )
}

/// Where Σ events H / (e^(kH) − 1) = Σ others H, which falls in k.
fn intercept(levels: &[Level], interrupt: Interrupt) -> Result<RecalibrationMap> {
    let hazards: Vec<(f64, Level)> =
        levels.iter().map(|level| (-(-level.probability.clamp(EDGE, 1.0 - EDGE)).ln_1p(), *level)).collect();
    let lost: Sum = hazards.iter().map(|(hazard, level)| level.negatives * hazard).collect();
    let lost = lost.total();
    // The excess, and its slope in ln k.
    let score = |log: f64| {
        let k = log.exp();
        let (mut value, mut slope) = (Sum::default(), 0.0);
        for (hazard, level) in hazards.iter().filter(|(_, level)| level.positives > 0.0) {
            let rate = hazard / (k * hazard).exp_m1();
            value.add(level.positives * rate);
            slope -= level.positives * rate * k * (hazard + rate);
        }
        value.add(-lost);
        (value.total(), slope)
    };
    let (mut low, mut high) = (-FARTHEST, FARTHEST);
    let mut at = 0.0;
    for _ in 0..MOST_STEPS {
        interrupt()?;
        let (value, slope) = score(at);
        if value > 0.0 {
            low = at;
        } else {
            high = at;
        }
        let newton = at - value / slope;
        let next = if newton > low && newton < high { newton } else { f64::midpoint(low, high) };
        let done = (next - at).abs() <= 1e-14 * (1.0 + at.abs());
        at = next;
        if done {
            break;
        }
    }
    if at.abs() >= FARTHEST - 1.0 {
        return Err(no_maximum());
    }
    Ok(RecalibrationMap::Intercept { log_ratio: at })
}

fn beta(levels: &[Level], interrupt: Interrupt) -> Result<RecalibrationMap> {
    let mut design = Design::default();
    for level in levels {
        let p = level.probability.clamp(EDGE, 1.0 - EDGE);
        for (event, weight) in [(true, level.positives), (false, level.negatives)] {
            if weight > 0.0 {
                design.push(None, 1.0, event, weight, &[p.ln(), -(-p).ln_1p()])?;
            }
        }
    }
    let fit = fit_decisions(&design, &discrete::Options::default(), interrupt)?;
    let (Status::Converged, Some(Some(level)), [Some(event), Some(survival)]) =
        (&fit.status, fit.baseline.levels.first(), fit.coefficients.as_slice())
    else {
        return Err(no_maximum());
    };
    if *event <= 0.0 || *survival <= 0.0 {
        return Err(falling(&format!("coefficients {event} of ln p and {survival} of -ln(1 - p)")));
    }
    let centred: f64 = fit.means.iter().zip([event, survival]).map(|(mean, beta)| mean * beta).sum();
    Ok(RecalibrationMap::Beta { intercept: level - centred, event: *event, survival: *survival })
}

fn isotonic(outcomes: &Calibration) -> Result<RecalibrationMap> {
    let (mut predicted, mut recalibrated) = (Vec::new(), Vec::new());
    for step in outcomes.isotonic() {
        for (at, p) in [step.from, step.to].into_iter().enumerate() {
            // 0 and 1 stay where they are.
            if p > 0.0 && p < 1.0 && (at == 0 || step.to > step.from) {
                predicted.push(p);
                recalibrated.push(step.recalibrated.clamp(0.0, 1.0));
            }
        }
    }
    if predicted.len() > MOST_KNOTS {
        return Err(Error::invalid(
            format!("the isotonic map has {} points, more than {MOST_KNOTS}", predicted.len()),
            "Use 'platt' or 'beta' for so many different predictions.",
        ));
    }
    Ok(RecalibrationMap::Isotonic { predicted, recalibrated })
}
