//! One row as a model sees it, and what the model says of it.

use std::borrow::Cow;

use crate::hazard::Baseline;
use crate::hazard::cox::{CoxFit, Status};
use crate::hazard::discrete::DiscreteFit;
use crate::hazard::fine_gray::FineGrayFit;
use crate::hazard::parametric::ParametricFit;
use crate::model::cohorts::Cohort;
use crate::model::features::{Kind, Unscorable, Value};
use crate::model::{Fit, Model};
use crate::numeric::normal;
use crate::survival::curve::{Tail, bad_time};
use crate::survival::{FittedCurve, ParametricCurve, Reading, Steps, Survival};
use crate::{Error, Result};

/// A row that has a curve.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'a> {
    Cox {
        fit: &'a CoxFit,
        baseline: &'a Baseline,
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
    /// What is told of is one less the incidence of one cause, from the start on.
    Subdistribution {
        fit: &'a FineGrayFit,
        covariates: &'a [f64],
        linear_predictor: f64,
    },
    Parametric {
        fit: &'a ParametricFit,
        covariates: &'a [f64],
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
                columns.clear();
                let mut baseline = fit.baselines.first();
                for (feature, value) in self.features.iter().zip(values) {
                    feature.encode(*value, columns)?;
                    if let (Kind::Stratum, Value::Text(stratum)) = (&feature.kind, value) {
                        baseline = fit.baseline(Some(stratum));
                        let unseen = || Unscorable::Unseen { feature: feature.name.clone(), level: (*stratum).into() };
                        if baseline.ok_or_else(unseen)?.times.is_empty() {
                            let reason = format!("the model saw no events in {} = {stratum}", feature.name);
                            return Err(Unscorable::Undefined { reason });
                        }
                    }
                }
                let Some(baseline) = baseline else {
                    return Err(Unscorable::Undefined { reason: "the model has no baseline".into() });
                };
                let linear_predictor = fit.linear_predictor(columns);
                Ok(Subject::Cox { fit, baseline, covariates: columns, linear_predictor })
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
            Fit::FineGray(fit) => {
                if fit.status == Status::NoEvents {
                    return Err(Unscorable::Undefined { reason: "the model saw no events".into() });
                }
                columns.clear();
                for (feature, value) in self.features.iter().zip(values) {
                    feature.encode(*value, columns)?;
                }
                let linear_predictor = fit.linear_predictor(columns);
                Ok(Subject::Subdistribution { fit, covariates: columns, linear_predictor })
            }
            Fit::Parametric(fit) => {
                if fit.status == Status::NoEvents {
                    return Err(Unscorable::Undefined { reason: "the model saw no events".into() });
                }
                columns.clear();
                for (feature, value) in self.features.iter().zip(values) {
                    feature.encode(*value, columns)?;
                }
                if fit.bare_curve(columns).validate().is_err() {
                    return Err(Unscorable::Undefined {
                        reason:
                            "the model has no curve for this row: its hazard would be negative or beyond the numbers"
                                .into(),
                    });
                }
                Ok(Subject::Parametric { fit, covariates: columns })
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
            Subject::Parametric { fit, .. } => fit.status == Status::Converged,
            Subject::Cohort(_) => true,
            Subject::Renewal { fit, .. } | Subject::DiscreteTime { fit, .. } => fit.status == Status::Converged,
            Subject::Subdistribution { fit, .. } => fit.status == Status::Converged,
        }
    }

    /// Why the curve is none of how long a contract lasts; `None` when it is one.
    pub fn no_lifetime(&self) -> Option<&'static str> {
        match self {
            Subject::Subdistribution { .. } => Some("the model tells of one cause, not of how long a contract lasts"),
            _ => None,
        }
    }

    /// Why there is no probability for a contract that has lasted `given` until `given` + `horizon`.
    pub fn undefined(&self, given: f64) -> &'static str {
        match self {
            Subject::Subdistribution { .. } if given > 0.0 => {
                "the model tells of contracts from their start: given must be 0"
            }
            Subject::Subdistribution { .. } => "beyond the observed time",
            _ => "no curve at the given age",
        }
    }

    /// The smooth curve of a parametric model's row; `None` for any other.
    pub fn smooth(&self) -> Option<ParametricCurve> {
        match self {
            Subject::Parametric { fit, covariates } => Some(fit.curve(covariates)),
            _ => None,
        }
    }

    /// The row's curve as a value.
    pub fn survival(&self) -> Survival {
        self.smooth().map_or_else(|| Survival::Fitted(self.curve()), Survival::Parametric)
    }

    fn reading(&self) -> Reading {
        self.smooth().map_or_else(|| Reading::Steps(self.steps().into_owned()), Reading::Smooth)
    }

    /// The row's curve at its steps; none at all for a smooth curve (see [`Subject::smooth`]).
    pub fn steps(&self) -> Cow<'_, Steps> {
        match self {
            Subject::Parametric { .. } => Cow::Owned(Steps {
                times: Vec::new(),
                survival: Vec::new(),
                cumulative_hazard: Vec::new(),
                variance: Vec::new(),
                rank: 0,
                loadings: Vec::new(),
                max_followup: 0.0,
                tail: Tail::None,
            }),
            Subject::Cohort(cohort) => Cow::Borrowed(&cohort.curve),
            _ => {
                let curve = Survival::Fitted(self.curve());
                // A fitted curve always has steps.
                Cow::Owned(curve.steps().unwrap_or_else(|| unreachable!("a fitted curve has steps")))
            }
        }
    }

    /// The row's curve as steps with a value of their own; for a smooth curve none (see [`Subject::survival`]).
    pub fn curve(&self) -> FittedCurve {
        match self {
            Subject::Cox { fit, baseline, covariates, .. } => fit.curve(baseline, covariates),
            Subject::Renewal { fit, covariates, .. } => fit.renewal_curve(covariates),
            Subject::DiscreteTime { fit, covariates, .. } => fit.curve(covariates),
            Subject::Subdistribution { fit, covariates, .. } => fit.curve(covariates),
            Subject::Parametric { .. } => FittedCurve {
                times: Vec::new(),
                cumulative_hazard: Vec::new(),
                variance: Vec::new(),
                rank: 0,
                loadings: Vec::new(),
                max_followup: 0.0,
                tail: Tail::None,
            },
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

    /// P(T > given + horizon | T > given); `None` when nobody lasts until `given`. For a subdistribution: the probability
    /// not to have ended by its cause within `horizon`, from the start on; `None` for any other `given`, as those who
    /// have lasted are not known from those who ended by another cause, and beyond the observed time.
    #[inline]
    pub fn renewal_probability(&self, given: f64, horizon: f64) -> Result<Option<f64>> {
        check_window(given, horizon)?;
        match self {
            Subject::Cox { baseline, linear_predictor, .. } => {
                let change = baseline.cumulative_hazard(given + horizon) - baseline.cumulative_hazard(given);
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
            Subject::Subdistribution { fit, linear_predictor, .. } => {
                let incidence = if given > 0.0 { None } else { fit.incidence(horizon, *linear_predictor) };
                Ok(incidence.map(|incidence| 1.0 - incidence))
            }
            Subject::Parametric { fit, covariates } => {
                fit.bare_curve(covariates).renewal_probability(given, given + horizon)
            }
        }
    }

    /// All that `predict` tells.
    pub fn outlook(&self, given: f64, horizon: f64, level: f64) -> Result<Outlook> {
        let z = crate::survival::kaplan_meier::critical_value(level)?;
        let renewal_probability = self.renewal_probability(given, horizon)?;
        let curve = self.reading();
        let limits =
            renewal_probability.and_then(|p| limits(p, curve.log_variance_between(given, given + horizon)?, z));
        Ok(Outlook {
            renewal_probability,
            lower: limits.map(|(lower, _)| lower),
            upper: limits.map(|(_, upper)| upper),
            expected_lifetime: match self.no_lifetime() {
                None => curve.mean_residual_life(given),
                Some(_) => None,
            },
            linear_predictor: match self {
                Subject::Cox { linear_predictor, .. }
                | Subject::Renewal { linear_predictor, .. }
                | Subject::DiscreteTime { linear_predictor, .. }
                | Subject::Subdistribution { linear_predictor, .. } => Some(*linear_predictor),
                Subject::Parametric { fit, covariates } => Some(fit.linear_predictor(covariates)),
                Subject::Cohort(_) => None,
            },
            extrapolated: given + horizon > curve.max_followup()
                && !matches!(&curve, Reading::Steps(steps) if steps.survival_at_end() == 0.0),
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
    /// By the model.
    pub std_error: Option<f64>,
    /// By the robust covariance, where the model has one; all that follows is then made from it.
    pub robust_std_error: Option<f64>,
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
        let (coefficients, covariance, robust) = match &self.fit {
            Fit::Cox(fit) => (&fit.coefficients, &fit.covariance, fit.robust.as_ref().map(|robust| &robust.covariance)),
            Fit::FineGray(fit) => (&fit.coefficients, &fit.naive_covariance, Some(&fit.covariance)),
            Fit::Renewal(fit) | Fit::DiscreteTime(fit) => return self.discrete_coefficients(fit, level).map(Some),
            Fit::Parametric(fit) => return self.parametric_coefficients(fit, level).map(Some),
            Fit::KaplanMeier(_) => return Ok(None),
        };
        let critical = crate::survival::kaplan_meier::critical_value(level)?;
        let columns = coefficients.len();
        let finite = |value: f64| value.is_finite().then_some(value);
        let rows = self.terms().into_iter().enumerate().map(|(i, term)| {
            let estimate = coefficients[i];
            let error = |covariance: &Vec<f64>| {
                estimate.and_then(|_| finite(covariance.get(i * columns + i)?.sqrt())).filter(|se| *se > 0.0)
            };
            let by_the_model = error(covariance);
            let robust_std_error = robust.and_then(error);
            let std_error = robust_std_error.or(by_the_model);
            let z = estimate.zip(std_error).map(|(estimate, se)| estimate / se);
            let limit = |sign: f64| {
                estimate.zip(std_error).and_then(|(estimate, se)| finite((estimate + sign * critical * se).exp()))
            };
            Coefficient {
                term,
                estimate,
                std_error: by_the_model,
                robust_std_error,
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

impl Model {
    /// The intercept first, then the covariates on the location, then each ancillary parameter (its covariates as
    /// `parameter: covariate`). A ratio of hazards only where the coefficients mean one.
    fn parametric_coefficients(&self, fit: &ParametricFit, level: f64) -> Result<Vec<Coefficient>> {
        let critical = crate::survival::kaplan_meier::critical_value(level)?;
        let (terms, parameters) = (self.terms(), fit.distribution.parameter_names());
        let size = fit.coefficients.len();
        let finite = |value: f64| value.is_finite().then_some(value);
        let rows = fit.columns().into_iter().enumerate().map(|(i, (parameter, covariate))| {
            let term = match covariate {
                None => parameters[parameter].clone(),
                Some(covariate) if parameter == 0 => terms[covariate].clone(),
                Some(covariate) => format!("{}: {}", parameters[parameter], terms[covariate]),
            };
            let estimate = fit.coefficients[i];
            let std_error = estimate.and_then(|_| finite(fit.covariance[i * size + i].sqrt())).filter(|se| *se > 0.0);
            let z = estimate.zip(std_error).map(|(estimate, se)| estimate / se);
            let is_ratio = parameter == 0 && covariate.is_some() && fit.distribution.has_proportional_hazards();
            let limit = |sign: f64| {
                let (estimate, se) = estimate.zip(std_error)?;
                finite((estimate + sign * critical * se).exp()).filter(|_| is_ratio)
            };
            Coefficient {
                term,
                estimate,
                std_error,
                robust_std_error: None,
                z,
                p_value: z.map(normal::two_sided_p_value),
                hazard_ratio: estimate.and_then(|estimate| finite(estimate.exp())).filter(|_| is_ratio),
                lower: limit(-1.0),
                upper: limit(1.0),
            }
        });
        Ok(rows.collect())
    }

    /// What tells models of the same rows apart; `None` for one without a likelihood.
    pub fn quality(&self) -> Option<Quality> {
        let (log_likelihood, parameters, rows, events, status) = match &self.fit {
            Fit::Cox(fit) => (fit.log_likelihood, fit.degrees_of_freedom, fit.rows, fit.events, &fit.status),
            Fit::Parametric(fit) => (fit.log_likelihood, fit.parameters, fit.rows, fit.events, &fit.status),
            Fit::Renewal(fit) | Fit::DiscreteTime(fit) => {
                let parameters = fit.degrees_of_freedom + fit.baseline_degrees_of_freedom;
                (fit.log_likelihood, parameters, fit.rows, fit.events, &fit.status)
            }
            Fit::FineGray(fit) => (fit.log_likelihood, fit.degrees_of_freedom, fit.rows, fit.events, &fit.status),
            Fit::KaplanMeier(_) => return None,
        };
        let known = *status != Status::NoEvents;
        let penalised = |penalty: f64| known.then_some(penalty * parameters as f64 - 2.0 * log_likelihood);
        // A partial likelihood counts the events, a full one the rows.
        let size = if matches!(self.fit, Fit::Cox(_) | Fit::FineGray(_)) { events } else { rows };
        Some(Quality {
            log_likelihood: known.then_some(log_likelihood),
            parameters,
            aic: penalised(2.0),
            bic: penalised((size as f64).ln()),
            rows,
            events,
        })
    }
}

/// Log-likelihood and the criteria made of it: AIC = 2k − 2 ln L (Akaike 1974), BIC = k ln n − 2 ln L (Schwarz 1978) with
/// n the rows, for a Cox model the events (Volinsky & Raftery 2000).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    pub log_likelihood: Option<f64>,
    pub parameters: usize,
    pub aic: Option<f64>,
    pub bic: Option<f64>,
    pub rows: usize,
    pub events: usize,
}
