//! One row as a model sees it, and what the model says of it.

use std::borrow::Cow;

use crate::hazard::cox::{CoxFit, Status};
use crate::hazard::discrete::DiscreteFit;
use crate::model::cohorts::Cohort;
use crate::model::features::{Unscorable, Value};
use crate::model::{Fit, Model};
use crate::numeric::normal;
use crate::survival::curve::bad_time;
use crate::survival::{FittedCurve, Steps, Survival};
use crate::{Error, Result};

/// A row that has a curve.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'a> {
    Cox {
        fit: &'a CoxFit,
        covariates: &'a [f64],
        linear_predictor: f64,
    },
    Cohort(&'a Cohort),
    /// The event of the fit is the renewal.
    Renewal {
        fit: &'a DiscreteFit,
        covariates: &'a [f64],
        linear_predictor: f64,
    },
    DiscreteTime {
        fit: &'a DiscreteFit,
        covariates: &'a [f64],
        linear_predictor: f64,
    },
}

/// What a model says of a row: what happens within `horizon` to a contract that has lasted `given`.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlook {
    pub renewal_probability: Option<f64>,
    /// Limits of the renewal probability: the uncertainty of the model, not of the outcome.
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    /// Mean remaining lifetime, the tail included; `None` when it has no end.
    pub expected_lifetime: Option<f64>,
    /// β'(x − mean x); `None` for a model without one.
    pub linear_predictor: Option<f64>,
    /// The window ends beyond what training observed.
    pub extrapolated: bool,
}

impl Model {
    /// The row's subject. `values` are in the order of the features; `columns` is scratch space that the subject borrows.
    ///
    /// A cohort that training never saw is [`Unscorable::Unseen`].
    pub fn subject<'a>(&'a self, values: &[Value], columns: &'a mut Vec<f64>) -> Result<Subject<'a>, Unscorable> {
        match &self.fit {
            Fit::Cox(fit) => {
                if fit.status == Status::NoEvents {
                    return Err(Unscorable::Undefined { reason: "the model saw no events".into() });
                }
                self.encode_row(values, columns)?;
                let linear_predictor = fit.linear_predictor(columns);
                Ok(Subject::Cox { fit, covariates: columns, linear_predictor })
            }
            Fit::Renewal(fit) => {
                if fit.decision(0.0).is_none() {
                    return Err(Unscorable::Undefined { reason: "all decisions of the model were the same".into() });
                }
                self.encode_row(values, columns)?;
                let linear_predictor = fit.linear_predictor(columns);
                Ok(Subject::Renewal { fit, covariates: columns, linear_predictor })
            }
            Fit::DiscreteTime(fit) => {
                if fit.status == Status::NoEvents {
                    return Err(Unscorable::Undefined { reason: "the model saw no events".into() });
                }
                self.encode_row(values, columns)?;
                let linear_predictor = fit.linear_predictor(columns);
                Ok(Subject::DiscreteTime { fit, covariates: columns, linear_predictor })
            }
            Fit::KaplanMeier(cohorts) => {
                let mut levels = Vec::with_capacity(values.len());
                for (feature, value) in self.features.iter().zip(values) {
                    match value {
                        Value::Text(text) => levels.push(*text),
                        _ => return Err(Unscorable::Missing { feature: feature.name.clone() }),
                    }
                }
                cohorts.find(&levels).map(Subject::Cohort).ok_or_else(|| Unscorable::Unseen {
                    feature: self.features.iter().map(|feature| feature.name.as_str()).collect::<Vec<_>>().join(", "),
                    level: levels.join(", "),
                })
            }
        }
    }

    /// The columns of a row's `values`.
    fn encode_row(&self, values: &[Value], columns: &mut Vec<f64>) -> Result<(), Unscorable> {
        columns.clear();
        self.features.iter().zip(values).try_for_each(|(feature, value)| feature.encode(*value, columns))
    }
}

impl Subject<'_> {
    /// Whether the fit came to an end: not one whose coefficients run to infinity or never settled.
    pub fn is_trustworthy(&self) -> bool {
        match self {
            Subject::Cox { fit, .. } => fit.status == Status::Converged,
            Subject::Cohort(_) => true,
            Subject::Renewal { fit, .. } | Subject::DiscreteTime { fit, .. } => fit.status == Status::Converged,
        }
    }

    /// The row's curve at its steps.
    pub fn steps(&self) -> Cow<'_, Steps> {
        match self {
            Subject::Cohort(cohort) => Cow::Borrowed(&cohort.curve),
            _ => {
                let curve = Survival::Fitted(self.curve());
                // A fitted curve always has steps.
                Cow::Owned(curve.steps().unwrap_or_else(|| unreachable!("a fitted curve has steps")))
            }
        }
    }

    /// The row's curve as a value of its own.
    pub fn curve(&self) -> FittedCurve {
        match self {
            Subject::Cox { fit, covariates, .. } => fit.curve(covariates),
            Subject::Renewal { fit, covariates, .. } => fit.renewal_curve(covariates),
            Subject::DiscreteTime { fit, covariates, .. } => fit.curve(covariates),
            Subject::Cohort(cohort) => FittedCurve {
                times: cohort.curve.times.clone(),
                cumulative_hazard: cohort.curve.survival.iter().map(|survival| -survival.ln() + 0.0).collect(),
                variance: cohort.curve.variance.clone(),
                rank: 0,
                loadings: Vec::new(),
                max_followup: cohort.curve.max_followup,
                tail: cohort.curve.tail,
            },
        }
    }

    /// P(T > given + horizon | T > given); `None` when nobody lasts until `given`.
    #[inline]
    pub fn renewal_probability(&self, given: f64, horizon: f64) -> Result<Option<f64>> {
        check_window(given, horizon)?;
        match self {
            Subject::Cox { fit, linear_predictor, .. } => {
                let change = fit.baseline.cumulative_hazard(given + horizon) - fit.baseline.cumulative_hazard(given);
                // No hazard is none however high the risk: 0 times an overflowed e^η must not be NaN.
                Ok(Some(if change > 0.0 { (-change * linear_predictor.exp()).exp() } else { 1.0 }))
            }
            Subject::Cohort(cohort) => cohort.curve.renewal_probability(given, given + horizon),
            Subject::Renewal { fit, linear_predictor, .. } => {
                let until = |t: f64| fit.renewal_hazard(t, *linear_predictor);
                Ok(Some((until(given) - until(given + horizon)).min(0.0).exp()))
            }
            Subject::DiscreteTime { fit, linear_predictor, .. } => {
                let until = |t: f64| fit.cumulative_hazard(t, *linear_predictor);
                let (before, after) = (until(given), until(given + horizon));
                // Nobody lasts beyond a period in which everybody left.
                Ok(before.is_finite().then(|| (before - after).min(0.0).exp()))
            }
        }
    }

    /// All that `predict` tells.
    pub fn outlook(&self, given: f64, horizon: f64, level: f64) -> Result<Outlook> {
        let z = crate::survival::kaplan_meier::critical_value(level)?;
        let renewal_probability = self.renewal_probability(given, horizon)?;
        let steps = self.steps();
        let limits =
            renewal_probability.and_then(|p| limits(p, steps.log_variance_between(given, given + horizon)?, z));
        Ok(Outlook {
            renewal_probability,
            lower: limits.map(|(lower, _)| lower),
            upper: limits.map(|(_, upper)| upper),
            expected_lifetime: steps.mean_residual_life(given),
            linear_predictor: match self {
                Subject::Cox { linear_predictor, .. }
                | Subject::Renewal { linear_predictor, .. }
                | Subject::DiscreteTime { linear_predictor, .. } => Some(*linear_predictor),
                Subject::Cohort(_) => None,
            },
            extrapolated: given + horizon > steps.max_followup && steps.survival_at_end() > 0.0,
        })
    }
}

/// The log-log interval of a conditional survival.
fn limits(probability: f64, log_variance: f64, z: f64) -> Option<(f64, f64)> {
    use crate::survival::kaplan_meier::{Transform, interval};
    let limits = interval(probability, Some(log_variance), z, Transform::LogLog);
    limits.lower.zip(limits.upper)
}

fn check_window(given: f64, horizon: f64) -> Result<()> {
    if !(0.0..f64::INFINITY).contains(&given) {
        return Err(bad_time("given", given));
    }
    if !(horizon > 0.0 && horizon < f64::INFINITY) {
        return Err(Error::invalid(
            format!("the horizon must be finite and greater than 0, got {horizon}"),
            "It is in the unit of the durations the model was trained on.",
        ));
    }
    Ok(())
}

impl Steps {
    /// Variance of ln S(to) − ln S(from), both parts; `None` when unknown.
    pub fn log_variance_between(&self, from: f64, to: f64) -> Option<f64> {
        if self.variance.is_empty() && !self.times.is_empty() {
            return None;
        }
        let (start, end) = (self.step(from), self.step(to));
        let at = |step: Option<usize>, of: &dyn Fn(usize) -> f64| step.map_or(0.0, of);
        // Beyond the observed time the rate is off by the same proportion as the whole curve at its end.
        let log_end = -self.survival_at_end().ln();
        let beyond = |t: f64| match self.tail_hazard() {
            Some(rate) if t > self.max_followup && log_end > 0.0 => rate * (t - self.max_followup) / log_end,
            _ => 0.0,
        };
        let stretch = beyond(to) - beyond(from);
        let last = self.times.len().checked_sub(1);
        let independent = |i: usize| self.variance[i];
        let (early, late, whole) = (at(start, &independent), at(end, &independent), at(last, &independent));
        // Increments up to `from` and after `to` enter through the rate only, those between also directly.
        let between = late - early;
        let through_rate = if stretch > 0.0 { stretch.powi(2) * (whole - between) } else { 0.0 };
        let mut variance = (1.0 + stretch).powi(2) * between + through_rate;
        for k in 0..self.rank {
            let loading = |i: usize| self.loadings[i * self.rank + k];
            let change = at(end, &loading) - at(start, &loading) + stretch * at(last, &loading);
            variance += change * change;
        }
        variance.is_finite().then_some(variance)
    }

    /// Mean remaining lifetime at age `given`; `None` when nobody lasts so long or it has no end.
    pub fn mean_residual_life(&self, given: f64) -> Option<f64> {
        if given >= self.max_followup {
            let rate = self.tail_hazard().filter(|rate| *rate > 0.0 && self.survival_at_end() > 0.0)?;
            return Some(1.0 / rate);
        }
        let alive = self.survival_at(given).filter(|survival| *survival > 0.0)?;
        let until_end = self.restricted_mean(self.max_followup).ok()??;
        let until_given = if given > 0.0 { self.restricted_mean(given).ok()?? } else { 0.0 };
        let end = self.survival_at_end();
        let beyond = match self.tail_hazard() {
            _ if end == 0.0 => 0.0,
            Some(rate) if rate > 0.0 => end / rate,
            _ => return None,
        };
        Some((until_end - until_given + beyond) / alive)
    }
}

/// One row of `coefficients(model)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Coefficient {
    pub term: String,
    /// `None` for a column that the others determine.
    pub estimate: Option<f64>,
    pub std_error: Option<f64>,
    pub z: Option<f64>,
    pub p_value: Option<f64>,
    pub hazard_ratio: Option<f64>,
    /// Limits of the hazard ratio.
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

impl Model {
    /// The coefficients in the order of the terms; `None` for a model that has none.
    pub fn coefficients(&self, level: f64) -> Result<Option<Vec<Coefficient>>> {
        let fit = match &self.fit {
            Fit::Cox(fit) => fit,
            Fit::Renewal(fit) | Fit::DiscreteTime(fit) => return self.discrete_coefficients(fit, level).map(Some),
            Fit::KaplanMeier(_) => return Ok(None),
        };
        let critical = crate::survival::kaplan_meier::critical_value(level)?;
        let columns = fit.coefficients.len();
        let finite = |value: f64| value.is_finite().then_some(value);
        let rows = self.terms().into_iter().enumerate().map(|(i, term)| {
            let estimate = fit.coefficients[i];
            let std_error =
                estimate.and_then(|_| finite(fit.covariance[i * columns + i].sqrt())).filter(|se| *se > 0.0);
            let z = estimate.zip(std_error).map(|(estimate, se)| estimate / se);
            let limit = |sign: f64| {
                estimate.zip(std_error).and_then(|(estimate, se)| finite((estimate + sign * critical * se).exp()))
            };
            Coefficient {
                term,
                estimate,
                std_error,
                z,
                p_value: z.map(normal::two_sided_p_value),
                hazard_ratio: estimate.and_then(|estimate| finite(estimate.exp())),
                lower: limit(-1.0),
                upper: limit(1.0),
            }
        });
        Ok(Some(rows.collect()))
    }
}
