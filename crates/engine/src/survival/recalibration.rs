//! Recalibrated curves: a rising map of the probability of the event, from the probability that a model tells to the one
//! that was observed. It acts on all times of a curve alike and leaves 0 and 1 where they are, so a curve stays one.

use serde::{Deserialize, Serialize};

use crate::numeric::bytes::{Reader, Writer};
use crate::survival::curve::{FittedCurve, Survival, Tail};
use crate::survival::distribution::Distribution;
use crate::survival::parametric::ParametricCurve;
use crate::{Error, Result};

/// Parameters beyond this are none that a fit gives.
const LARGEST_PARAMETER: f64 = 500.0;
/// More knots than this have no place in a map.
pub const MOST_KNOTS: usize = 10_000;
const LARGEST_LOADING: f64 = 1e149;
/// The standard errors within which 95 % lie: the width over which a map's slope is taken.
const LIMIT: f64 = 1.959963984540054;
/// Limits closer than this have no slope between them to see.
const NARROWEST: f64 = 1e-6;
/// e^−700 is 0 for every purpose, and 700 is still a number.
const LARGEST_HAZARD: f64 = 700.0;

/// From the probability p of the event by some time, p = 1 − S = 1 − e^(−H), to the recalibrated one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecalibrationMap {
    /// H' = e^`log_ratio` H: one ratio of all hazards, at every age.
    Intercept { log_ratio: f64 },
    /// logit p' = `intercept` + `event` ln p − `survival` ln(1 − p), both coefficients greater than 0: the beta map of
    /// Kull, Silva Filho & Flach (2017); with equal coefficients the logistic one of Platt (1999).
    Beta { intercept: f64, event: f64, survival: f64 },
    /// Straight lines from (0, 0) through the points (`predicted`, `recalibrated`) to (1, 1).
    Isotonic { predicted: Vec<f64>, recalibrated: Vec<f64> },
}

impl RecalibrationMap {
    /// # Errors
    /// [`Error::Malformed`] for a map that falls somewhere, or moves 0 or 1.
    pub fn validate(&self) -> Result<()> {
        let bounded = |value: f64| value.abs() <= LARGEST_PARAMETER;
        let holds = match self {
            RecalibrationMap::Intercept { log_ratio } => bounded(*log_ratio),
            RecalibrationMap::Beta { intercept, event, survival } => {
                bounded(*intercept) && bounded(*event) && bounded(*survival) && *event > 0.0 && *survival > 0.0
            }
            RecalibrationMap::Isotonic { predicted, recalibrated } => {
                predicted.len() == recalibrated.len()
                    && predicted.len() <= MOST_KNOTS
                    && predicted.iter().all(|p| *p > 0.0 && *p < 1.0)
                    && predicted.windows(2).all(|pair| pair[0] < pair[1])
                    && recalibrated.iter().all(|p| (0.0..=1.0).contains(p))
                    && recalibrated.windows(2).all(|pair| pair[0] <= pair[1])
            }
        };
        match holds {
            true => Ok(()),
            false => Err(Error::malformed("a recalibration must rise from 0 to 1 by finite parameters")),
        }
    }

    /// H' = φ(H) and its slope φ'(H), from 0 to infinity.
    pub fn hazard(&self, hazard: f64) -> (f64, f64) {
        match self {
            RecalibrationMap::Intercept { log_ratio } => {
                let ratio = log_ratio.exp();
                (if hazard > 0.0 { ratio * hazard } else { 0.0 }, ratio)
            }
            _ if hazard <= 0.0 => (0.0, self.slope_at_zero()),
            RecalibrationMap::Beta { intercept, event, survival } => {
                if hazard == f64::INFINITY {
                    return (f64::INFINITY, *survival);
                }
                // ln p = ln(1 − e^−H), from the side on which it is exact.
                let log_event = if hazard > std::f64::consts::LN_2 {
                    (-(-hazard).exp()).ln_1p()
                } else {
                    (-(-hazard).exp_m1()).ln()
                };
                let logit = intercept + event * log_event + survival * hazard;
                let small = (-logit.abs()).exp();
                let recalibrated = small.ln_1p() + logit.max(0.0);
                let failed = if logit > 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) };
                let slope = failed * (event / hazard.exp_m1() + survival);
                (recalibrated, if slope.is_finite() { slope } else { f64::MAX })
            }
            RecalibrationMap::Isotonic { predicted, recalibrated } => {
                let p = -(-hazard).exp_m1();
                let above = predicted.partition_point(|knot| *knot <= p);
                let (x0, y0) = match above.checked_sub(1) {
                    Some(below) => (predicted[below], recalibrated[below]),
                    None => (0.0, 0.0),
                };
                if above == predicted.len() {
                    // On the last line 1 − p' is in proportion to 1 − p, however small that is.
                    let shift = (-x0).ln_1p() - (-y0).ln_1p();
                    return (f64::max(hazard + shift, 0.0), if y0 < 1.0 { 1.0 } else { 0.0 });
                }
                let slope = (recalibrated[above] - y0) / (predicted[above] - x0);
                let observed = y0 + slope * (p - x0);
                if observed >= 1.0 {
                    return (f64::INFINITY, 0.0);
                }
                (-(-observed).ln_1p(), slope * (-hazard).exp() / (1.0 - observed))
            }
        }
    }

    /// By how much a standard error of H is multiplied on its way through the map: on the logarithmic scale of H, on which
    /// its limits lie evenly, by the farther of the two that the map makes of the 95 % limits. So limits by the result hold
    /// the map of the limits. The slope at H alone would be 0 on the flat pieces of an isotonic map and enormous at its
    /// jumps, whatever the limits.
    pub(crate) fn slope_over(&self, hazard: f64, std_error: f64) -> f64 {
        let (through, slope) = self.hazard(hazard);
        let width = LIMIT * std_error / hazard;
        let has_limits = hazard > 0.0 && width > NARROWEST && width.is_finite() && through.is_finite();
        if matches!(self, RecalibrationMap::Intercept { .. }) || !has_limits {
            return slope;
        }
        let spread = width.exp();
        let upper =
            self.hazard((hazard * spread).min(LARGEST_HAZARD)).0.clamp(through, f64::max(through, LARGEST_HAZARD));
        if through <= 0.0 {
            return upper / (LIMIT * std_error);
        }
        let lower = self.hazard(hazard / spread).0;
        // A lower limit of 0 is no distance on this scale.
        let below = if lower > 0.0 { (through / lower).ln() } else { 0.0 };
        through * f64::max((upper / through).ln(), below) / (LIMIT * std_error)
    }

    fn slope_at_zero(&self) -> f64 {
        match self {
            RecalibrationMap::Intercept { log_ratio } => log_ratio.exp(),
            RecalibrationMap::Beta { .. } => 0.0,
            RecalibrationMap::Isotonic { predicted, recalibrated } => match (predicted.first(), recalibrated.first()) {
                (Some(x), Some(y)) => y / x,
                _ => 1.0,
            },
        }
    }

    /// The recalibrated probability of the event.
    pub fn event_probability(&self, p: f64) -> f64 {
        -(-self.hazard(-(-p).ln_1p()).0).exp_m1()
    }

    /// The recalibrated probability of no event.
    pub fn survival(&self, survival: f64) -> f64 {
        (-self.hazard(-survival.ln()).0).exp()
    }

    /// What its parameters are called, or its knots as `p => p'`, for people.
    pub fn name(&self) -> &'static str {
        match self {
            RecalibrationMap::Intercept { .. } => "intercept",
            RecalibrationMap::Beta { event, survival, .. } if event == survival => "platt",
            RecalibrationMap::Beta { .. } => "beta",
            RecalibrationMap::Isotonic { .. } => "isotonic",
        }
    }

    /// The hazards at which the map bends.
    pub(super) fn kinks(&self) -> Vec<f64> {
        match self {
            RecalibrationMap::Isotonic { predicted, .. } => predicted.iter().map(|p| -(-p).ln_1p()).collect(),
            _ => Vec::new(),
        }
    }

    pub(super) fn write(&self, out: &mut Writer) {
        match self {
            RecalibrationMap::Intercept { log_ratio } => {
                out.byte(0);
                out.float(*log_ratio);
            }
            RecalibrationMap::Beta { intercept, event, survival } => {
                out.byte(1);
                [intercept, event, survival].into_iter().for_each(|value| out.float(*value));
            }
            RecalibrationMap::Isotonic { predicted, recalibrated } => {
                out.byte(2);
                out.floats(predicted);
                out.floats(recalibrated);
            }
        }
    }

    pub(super) fn read(from: &mut Reader) -> Result<RecalibrationMap> {
        Ok(match from.byte()? {
            0 => RecalibrationMap::Intercept { log_ratio: from.float()? },
            1 => RecalibrationMap::Beta { intercept: from.float()?, event: from.float()?, survival: from.float()? },
            2 => RecalibrationMap::Isotonic { predicted: from.floats()?, recalibrated: from.floats()? },
            other => return Err(Error::malformed(format!("unknown kind {other} of recalibration"))),
        })
    }
}

impl FittedCurve {
    /// The same curve, recalibrated at every step. The standard error of H at each step is scaled by what the map makes of
    /// its 95 % limits ([`RecalibrationMap::slope_over`]), the steps' own part by those of that part alone. As this cannot
    /// fall with time, it stays at its largest so far; the loadings make up the rest. A tail is again the average hazard of the observed time.
    pub fn recalibrated(mut self, map: &RecalibrationMap) -> FittedCurve {
        let mut largest = 0.0;
        for (step, hazard) in self.cumulative_hazard.iter_mut().enumerate() {
            let (before, value) = (*hazard, map.hazard(*hazard).0);
            *hazard = value;
            let own = self.variance.get(step).copied().unwrap_or(0.0);
            let slope = map.slope_over(before, own.sqrt());
            let scaled = if value.is_infinite() { f64::INFINITY } else { own * slope * slope };
            largest = f64::max(largest, if scaled.is_nan() { f64::INFINITY } else { scaled });
            if let Some(variance) = self.variance.get_mut(step) {
                *variance = largest;
            }
            map.scale_loadings(before, own, largest, &mut self.loadings[step * self.rank..(step + 1) * self.rank]);
        }
        if let (Tail::ConstantHazard { .. }, Some(end)) = (self.tail, self.cumulative_hazard.last()) {
            self.tail = Tail::average_hazard(*end, self.max_followup);
        }
        self
    }

    /// A curve whose decisions are all alike, each of them recalibrated: the map, which was learnt of one, is that of one.
    pub fn recalibrated_by_decision(mut self, map: &RecalibrationMap) -> FittedCurve {
        let Some(before) = self.cumulative_hazard.first().copied() else { return self };
        let each = map.hazard(before).0;
        let mut loadings = self.loadings[..self.rank].to_vec();
        map.scale_loadings(before, 0.0, 0.0, &mut loadings);
        for (step, hazard) in self.cumulative_hazard.iter_mut().enumerate() {
            let decisions = (step + 1) as f64;
            *hazard = decisions * each;
            let own = &mut self.loadings[step * self.rank..(step + 1) * self.rank];
            own.iter_mut().zip(&loadings).for_each(|(own, one)| *own = decisions * one);
        }
        if let Some(end) = self.cumulative_hazard.last() {
            self.tail = Tail::average_hazard(*end, self.max_followup);
        }
        self
    }
}

impl RecalibrationMap {
    /// What the map makes of the loadings of a step with cumulative `hazard`, whose own part of the variance is `own`, and
    /// `through` behind the map: so much that both together are what it makes of the whole.
    pub(crate) fn scale_loadings(&self, hazard: f64, own: f64, through: f64, loadings: &mut [f64]) {
        let shared: f64 = loadings.iter().map(|loading| loading * loading).sum();
        if shared <= 0.0 {
            return;
        }
        let whole = self.slope_over(hazard, (own + shared).sqrt()).powi(2) * (own + shared);
        let slope = (f64::max(whole - through, 0.0) / shared).sqrt();
        for loading in loadings {
            let scaled = *loading * slope;
            *loading = if scaled.is_nan() { 0.0 } else { scaled.clamp(-LARGEST_LOADING, LARGEST_LOADING) };
        }
    }
}

impl Survival {
    /// The same curve through `map`; a sample, which is no forecast, as it is.
    pub fn recalibrated(self, map: &RecalibrationMap) -> Survival {
        match self {
            Survival::Fitted(curve) => Survival::Fitted(curve.recalibrated(map)),
            Survival::Parametric(curve) => Survival::Parametric(curve.recalibrated(map)),
            Survival::Sample(sample) => Survival::Sample(sample),
        }
    }
}

impl ParametricCurve {
    /// The same curve, recalibrated at every time; a curve of renewals, which has none, as it is.
    pub fn recalibrated(self, map: &RecalibrationMap) -> ParametricCurve {
        if self.distribution.period().is_some() {
            return self;
        }
        ParametricCurve {
            distribution: Distribution::Recalibrated { inner: Box::new(self.distribution), map: map.clone() },
            ..self
        }
    }
}
