//! The one curve type: a cohort's sample and a single account's fitted curve answer the same questions.

use serde::{Deserialize, Serialize};

use crate::survival::decisions::Decisions;
use crate::survival::estimate::{Estimates, Estimator, Variance};
use crate::survival::kaplan_meier;
use crate::survival::parametric::ParametricCurve;
use crate::survival::reading::Reading;
use crate::survival::sample::Sample;
use crate::{Error, Result};

/// Loadings are squared; beyond this they are none of ours.
const LARGEST_LOADING: f64 = 1e150;

/// A survival curve as SQL carries it (`ltv.survival`).
#[derive(Debug, Clone, PartialEq)]
pub enum Survival {
    /// Exact counts per distinct time, mergeable.
    Sample(Sample),
    /// What a model says of one row, as steps.
    Fitted(FittedCurve),
    /// What a parametric model says of one row: smooth, and beyond the data too.
    Parametric(ParametricCurve),
}

/// What a curve says beyond the last observed time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub enum Tail {
    /// Nothing: undefined.
    #[default]
    None,
    /// S(t) = S(m) exp(−rate (t − m)) beyond the last observed time m.
    ConstantHazard { rate: f64 },
}

impl Tail {
    /// The exponential through the last point: the hazard averaged over the whole observed time goes on for ever
    /// (Brown, Hollander & Korwar 1974). Where hazards fall with age this errs on the safe
    /// side; where they rise, it promises too much.
    pub fn average_hazard(cumulative_hazard: f64, max_followup: f64) -> Tail {
        let rate = cumulative_hazard / max_followup;
        let tail = Tail::ConstantHazard { rate };
        if tail.is_valid() { tail } else { Tail::None }
    }

    /// A rate is finite and not negative.
    pub fn is_valid(self) -> bool {
        match self {
            Tail::None => true,
            Tail::ConstantHazard { rate } => rate.is_finite() && rate >= 0.0,
        }
    }
}

/// A step function of the cumulative hazard, with what its uncertainty needs.
///
/// All vectors run over the same strictly rising `times`; `loadings` has `rank` numbers per time. The covariance of the
/// cumulative hazard at steps j and k is `variance[min(j, k)] + loadings[j] · loadings[k]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FittedCurve {
    pub times: Vec<f64>,
    /// H(t) = −ln S(t), right-continuous, never falling; infinite where S is 0.
    #[serde(with = "crate::numeric::extended")]
    pub cumulative_hazard: Vec<f64>,
    /// Cumulative variance of H by the martingale part; empty when unknown.
    #[serde(with = "crate::numeric::extended")]
    pub variance: Vec<f64>,
    pub rank: usize,
    /// Steps × rank, a row per step: the part of the uncertainty that all steps share (coefficients).
    pub loadings: Vec<f64>,
    /// Largest observed time; the steps say nothing beyond it.
    pub max_followup: f64,
    pub tail: Tail,
    /// Of a curve that drops where a contract is renewed or not, and nowhere else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decisions: Option<Decisions>,
}

impl FittedCurve {
    /// # Errors
    /// [`Error::Malformed`] when lengths differ, times do not rise or the cumulative hazard falls.
    pub fn validate(&self) -> Result<()> {
        let steps = self.times.len();
        let shaped = self.cumulative_hazard.len() == steps
            && (self.variance.is_empty() || self.variance.len() == steps)
            && steps.checked_mul(self.rank) == Some(self.loadings.len());
        if !shaped {
            return Err(Error::malformed("the parts of a fitted curve differ in length"));
        }
        self.decisions.map_or(Ok(()), Decisions::validate)?;
        let times_rise = self.times.windows(2).all(|pair| pair[0] < pair[1])
            && self.times.iter().all(|time| time.is_finite() && *time >= 0.0)
            && self.max_followup.is_finite()
            && self.max_followup >= 0.0
            && self.tail.is_valid()
            && self.times.last().is_none_or(|last| *last <= self.max_followup);
        let hazard_rises = self.cumulative_hazard.windows(2).all(|pair| pair[0] <= pair[1])
            && self.cumulative_hazard.iter().all(|hazard| *hazard >= 0.0);
        let variance_rises = self.variance.windows(2).all(|pair| pair[0] <= pair[1] || pair[1].is_infinite())
            && self.variance.iter().all(|variance| *variance >= 0.0);
        if times_rise
            && hazard_rises
            && variance_rises
            && self.loadings.iter().all(|value| value.abs() < LARGEST_LOADING)
        {
            Ok(())
        } else {
            Err(Error::malformed("a fitted curve must have rising times and a cumulative hazard that never falls"))
        }
    }
}

impl FittedCurve {
    /// The standard error of the cumulative hazard at a step; `None` when it is unknown.
    pub fn std_error(&self, step: usize) -> Option<f64> {
        let shared = self.loadings.get(step * self.rank..(step + 1) * self.rank)?;
        let variance = self.variance.get(step)? + shared.iter().map(|loading| loading * loading).sum::<f64>();
        variance.is_finite().then(|| variance.sqrt())
    }
}

impl Survival {
    /// The curve as steps, by Kaplan–Meier for a sample; `None` when the sample is empty and for a smooth curve, which
    /// has none (see [`Survival::reading`]).
    pub fn steps(&self) -> Option<Steps> {
        match self {
            Survival::Sample(sample) => kaplan_meier::steps(sample),
            Survival::Fitted(curve) => Some(curve.clone().into_steps()),
            Survival::Parametric(_) => None,
        }
    }

    /// The curve in the form in which it answers questions; `None` when it is an empty sample.
    pub fn reading(self) -> Option<Reading> {
        match self {
            Survival::Parametric(curve) => Some(Reading::Smooth(curve)),
            other => other.steps().map(Reading::Steps),
        }
    }

    /// The curve as steps by another estimator or with another variance; a model's curve is the same by all.
    ///
    /// # Errors
    /// [`Variance::is_robust_for`].
    pub fn steps_by(&self, estimator: Estimator, variance: Variance) -> Result<Option<Steps>> {
        match self {
            Survival::Sample(sample) => {
                Ok(Estimates::of(sample, estimator, variance)?.map(|estimates| estimates.steps()))
            }
            _ => Ok(self.steps()),
        }
    }

    /// The curve of those still there at `given`, on a clock that starts there; `None` when nobody is.
    pub fn conditional(&self, given: f64) -> Result<Option<Survival>> {
        if !(0.0..f64::INFINITY).contains(&given) {
            return Err(bad_time("given", given));
        }
        match self {
            Survival::Sample(sample) => {
                let rest = sample.conditional(given)?;
                Ok(if rest.exits().is_empty() { None } else { Some(Survival::Sample(rest)) })
            }
            Survival::Fitted(curve) => Ok(curve.conditional(given).map(Survival::Fitted)),
            Survival::Parametric(curve) => Ok(curve.conditional(given).map(Survival::Parametric)),
        }
    }
}

impl FittedCurve {
    /// S at the steps, and all else as it is.
    pub fn into_steps(self) -> Steps {
        Steps {
            survival: self.cumulative_hazard.iter().map(|hazard| (-hazard).exp()).collect(),
            cumulative_hazard: self.cumulative_hazard,
            times: self.times,
            variance: self.variance,
            rank: self.rank,
            loadings: self.loadings,
            max_followup: self.max_followup,
            tail: self.tail,
            decisions: self.decisions,
        }
    }

    fn conditional(&self, given: f64) -> Option<FittedCurve> {
        if given >= self.max_followup {
            // Nothing but the tail is left, and of its uncertainty nothing is known here.
            let rate = match self.tail {
                Tail::ConstantHazard { rate } if self.cumulative_hazard.last().is_none_or(|end| end.is_finite()) => {
                    rate
                }
                _ => return None,
            };
            return Some(FittedCurve {
                times: Vec::new(),
                cumulative_hazard: Vec::new(),
                variance: Vec::new(),
                rank: 0,
                loadings: Vec::new(),
                max_followup: 0.0,
                tail: Tail::ConstantHazard { rate },
                decisions: self.decisions.map(|decisions| decisions.conditional(given)),
            });
        }
        let before = self.times.partition_point(|time| *time <= given);
        let hazard_then = if before == 0 { 0.0 } else { self.cumulative_hazard[before - 1] };
        if hazard_then.is_infinite() {
            return None;
        }
        let variance_then = if before == 0 || self.variance.is_empty() { 0.0 } else { self.variance[before - 1] };
        let since = |variance: &f64| if variance.is_finite() { variance - variance_then } else { *variance };
        // Without an earlier step nothing is taken off; a stored curve without steps may claim any rank.
        let loadings_then = match before {
            0 => &[],
            _ => &self.loadings[(before - 1) * self.rank..before * self.rank],
        };
        let rest = before * self.rank..;
        Some(FittedCurve {
            times: self.times[before..].iter().map(|time| time - given).collect(),
            cumulative_hazard: self.cumulative_hazard[before..].iter().map(|hazard| hazard - hazard_then).collect(),
            variance: self.variance.get(before..).unwrap_or(&[]).iter().map(since).collect(),
            rank: self.rank,
            loadings: self.loadings[rest]
                .iter()
                .enumerate()
                .map(|(i, loading)| loading - loadings_then.get(i % self.rank).unwrap_or(&0.0))
                .collect(),
            max_followup: self.max_followup - given,
            tail: self.tail,
            decisions: self.decisions.map(|decisions| decisions.conditional(given)),
        })
    }
}

/// A curve evaluated at its steps: what all accessors and all money functions read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Steps {
    pub times: Vec<f64>,
    pub survival: Vec<f64>,
    /// Nelson–Aalen for a sample, −ln S for a fitted curve.
    pub cumulative_hazard: Vec<f64>,
    /// Cumulative variance of ln S (Greenwood's sum), empty when unknown.
    #[serde(with = "crate::numeric::extended")]
    pub variance: Vec<f64>,
    pub rank: usize,
    pub loadings: Vec<f64>,
    pub max_followup: f64,
    pub tail: Tail,
    /// As of a [`FittedCurve`]; the curves that are stored have none.
    #[serde(skip)]
    pub decisions: Option<Decisions>,
}

impl Steps {
    /// Index of the last step at or before `t`.
    pub fn step(&self, t: f64) -> Option<usize> {
        self.times.partition_point(|time| *time <= t).checked_sub(1)
    }

    /// S at the last observed time.
    pub fn survival_at_end(&self) -> f64 {
        self.survival.last().copied().unwrap_or(1.0)
    }

    /// The hazard rate of the tail; `None` when there is no tail.
    pub fn tail_hazard(&self) -> Option<f64> {
        match self.tail {
            Tail::ConstantHazard { rate } => Some(rate),
            Tail::None => None,
        }
    }

    /// The same curve that goes on with its average hazard beyond the observed time, unless it has a tail already.
    pub fn with_average_tail(mut self) -> Steps {
        if self.tail == Tail::None {
            self.tail = Tail::average_hazard(-self.survival_at_end().ln(), self.max_followup);
        }
        self
    }

    /// S(t), right-continuous; 1 before the first step; `None` beyond the observed time unless S is 0 or a tail says.
    pub fn survival_at(&self, t: f64) -> Option<f64> {
        if t <= self.max_followup || self.survival_at_end() == 0.0 {
            return Some(self.step(t).map_or(1.0, |at| self.survival[at]));
        }
        self.tail_hazard().map(|rate| self.survival_at_end() * (-rate * (t - self.max_followup)).exp())
    }

    /// H(t): Nelson–Aalen for a sample; `None` beyond the observed time unless a tail says, and where it is infinite.
    pub fn cumulative_hazard_at(&self, t: f64) -> Option<f64> {
        let hazard = if t <= self.max_followup {
            self.step(t).map_or(0.0, |at| self.cumulative_hazard[at])
        } else {
            let end = self.cumulative_hazard.last().copied().unwrap_or(0.0);
            end + self.tail_hazard()? * (t - self.max_followup)
        };
        hazard.is_finite().then_some(hazard)
    }

    /// Variance of ln S(t), both parts; `None` when unknown or S(t) is 0.
    pub fn log_variance_at(&self, t: f64) -> Option<f64> {
        if self.variance.is_empty() && !self.times.is_empty() {
            return None;
        }
        let Some(at) = self.step(t) else { return (t <= self.max_followup).then_some(0.0) };
        // The tail's rate was read off the curve, so it is off by the same proportion as the curve at its end.
        let scale = if t <= self.max_followup {
            1.0
        } else {
            let end = -self.survival_at_end().ln();
            if end > 0.0 { 1.0 + self.tail_hazard()? * (t - self.max_followup) / end } else { 1.0 }
        };
        let shared: f64 = self.loadings[at * self.rank..(at + 1) * self.rank].iter().map(|l| l * l).sum();
        let variance = (self.variance[at] + shared) * scale * scale;
        variance.is_finite().then_some(variance)
    }

    /// P(T > `to` | T > `from`).
    pub fn renewal_probability(&self, from: f64, to: f64) -> Result<Option<f64>> {
        check_window(from, to)?;
        // A ratio of hazards, not of survivals, where both ends lie in the tail: the survivals may underflow.
        if let (true, Some(rate)) = (from >= self.max_followup, self.tail_hazard()) {
            return Ok(Some((-rate * (to - from)).exp()));
        }
        Ok(match (self.survival_at(from), self.survival_at(to)) {
            (Some(start), Some(end)) if start > 0.0 => Some((end / start).min(1.0)),
            _ => None,
        })
    }

    /// The time by which a share `p` has had the event: the first t with S(t) ≤ 1 − p.
    ///
    /// Where the curve is flat at exactly 1 − p the quantile is the middle of the flat stretch, as in R; a stretch that no
    /// step ends, ends with the observed time. `None` when the curve does not come down so far and no tail says when it
    /// would.
    pub fn quantile(&self, p: f64) -> Result<Option<f64>> {
        if !(p > 0.0 && p < 1.0) {
            return Err(Error::invalid(format!("a quantile needs 0 < p < 1, got {p}"), "The median is p => 0.5."));
        }
        let tolerance = f64::EPSILON.sqrt();
        let target = 1.0 - p;
        let Some(first) = self.survival.iter().position(|survival| *survival <= target + tolerance) else {
            let rate = self.tail_hazard().filter(|rate| *rate > 0.0);
            let time = rate.map(|rate| self.max_followup + (self.survival_at_end() / target).ln() / rate);
            return Ok(time.filter(|time| time.is_finite()));
        };
        if (self.survival[first] - target).abs() > tolerance {
            return Ok(Some(self.times[first]));
        }
        let drop = self.survival[first..].iter().position(|survival| *survival < self.survival[first] - tolerance);
        let end_of_flat = drop.map_or(self.max_followup, |after| self.times[first + after]);
        Ok(Some((self.times[first] + end_of_flat) / 2.0))
    }

    /// Restricted mean survival time: the area under S up to `tau` (> 0). `None` beyond the observed time unless S has
    /// come down to 0 or a tail says.
    pub fn restricted_mean(&self, tau: f64) -> Result<Option<f64>> {
        if !(tau > 0.0 && tau < f64::INFINITY) {
            return Err(Error::invalid(
                format!("tau must be finite and greater than 0, got {tau}"),
                "It is in the unit of the durations.",
            ));
        }
        let end = tau.min(self.max_followup);
        let mut area = crate::numeric::sum::Sum::default();
        let (mut before, mut height) = (0.0, 1.0);
        for (time, survival) in self.times.iter().zip(&self.survival) {
            if *time >= end {
                break;
            }
            area.add((time - before) * height);
            (before, height) = (*time, *survival);
        }
        area.add((end - before) * height);
        if tau <= self.max_followup || self.survival_at_end() == 0.0 {
            return Ok(Some(area.total()));
        }
        Ok(self.tail_hazard().map(|rate| {
            let beyond = tau - self.max_followup;
            let mean_beyond = if rate > 0.0 { -(-rate * beyond).exp_m1() / rate } else { beyond };
            area.add(self.survival_at_end() * mean_beyond);
            area.total()
        }))
    }
}

/// # Errors
/// [`Error::Invalid`] unless 0 ≤ `from` ≤ `to`, both finite.
pub(super) fn check_window(from: f64, to: f64) -> Result<()> {
    if !(0.0..f64::INFINITY).contains(&from) {
        return Err(bad_time("from", from));
    }
    if !(from..f64::INFINITY).contains(&to) {
        return Err(Error::invalid(
            format!("the end {to} of the renewal window must be finite and not before its start {from}"),
            "Both ends are measured from the start of the contract.",
        ));
    }
    Ok(())
}

/// A time argument outside `[0, ∞)`.
pub fn bad_time(name: &str, t: f64) -> Error {
    Error::invalid(
        format!("{name} must be finite and not negative, got {t}"),
        "Times are durations since the start of the contract.",
    )
}
