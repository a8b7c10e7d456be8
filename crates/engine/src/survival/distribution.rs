//! The parametric distributions of time to event: what they are called and what their parameters mean.

use serde::{Deserialize, Serialize};

use crate::survival::recalibration::RecalibrationMap;
use crate::{Error, Result};

/// More knots or breaks than this have no place in a curve.
const MOST_KNOTS: usize = 100;
/// Lengths of periods that any unit of time could give.
const SHORTEST_PERIOD: f64 = 1e-6;
const LONGEST_PERIOD: f64 = 1e6;

/// A distribution of time, by its form; the parameters stand beside it, on a scale where every number is allowed.
///
/// The first parameter of each is its location, on which covariates act. Below, σ > 0 is `exp` of the second parameter
/// and Φ the normal distribution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// (μ): ln H(t) = ln t − μ; e^μ is the mean. A covariate's coefficient is a log time ratio.
    Exponential,
    /// (μ, ln σ): ln H(t) = (ln t − μ) / σ; the shape is 1/σ. A coefficient is a log time ratio (and −1/σ times it the
    /// log hazard ratio).
    Weibull,
    /// (μ, ln σ): S(t) = 1 − Φ((ln t − μ) / σ). A coefficient is a log time ratio.
    LogNormal,
    /// (μ, ln σ): the odds (1 − S) / S are e^((ln t − μ) / σ). A coefficient is a log time ratio.
    LogLogistic,
    /// (μ, ln σ, q): (ln t − μ) / σ has the log-gamma distribution of Prentice (1974) with shape q; q = 1 is Weibull,
    /// 0 log-normal, σ gamma. A coefficient is a log time ratio.
    GeneralizedGamma,
    /// (ln b, a): h(t) = b e^(a t). A coefficient is a log hazard ratio. With a < 0 a share e^(b/a) never has the event.
    Gompertz,
    /// (γ0, γ1, …): Royston & Parmar (2002), a natural cubic spline of ln t through the given knots (of ln t, rising,
    /// the boundary knots first and last). A coefficient is a log ratio of cumulative hazards, of odds, or a shift in
    /// probits, by `scale`.
    Spline { scale: SplineScale, knots: Vec<f64> },
    /// (ln λ, ln λ₂/λ, ln λ₃/λ, …): a constant hazard between consecutive breaks (rising, greater than 0), given as the
    /// first and the ratios of the others to it. A coefficient is a log hazard ratio.
    PiecewiseExponential { breaks: Vec<f64> },
    /// (…, logit π): a share π never has the event; the others follow the inner distribution, whose parameters come
    /// first (mixture cure: Boag 1949, Farewell 1982).
    Cure(#[serde(deserialize_with = "plain")] Box<Distribution>),
    /// (ln α, ln β): shifted-beta-geometric, drops at the ends of periods of length `period` (see
    /// [`periodic`](crate::survival::periodic)). Neither location nor covariates.
    BetaGeometric { period: f64 },
    /// (ln α, ln β, ln c): beta-discrete-Weibull, the same with a shape.
    BetaDiscreteWeibull { period: f64 },
    /// (…): the inner distribution seen through a recalibration. It does not nest, and renewals have none.
    Recalibrated {
        #[serde(deserialize_with = "unmapped")]
        inner: Box<Distribution>,
        map: RecalibrationMap,
    },
}

/// The distributions without a cured share, in the same order: what may stand inside one. Read in its place, so that a
/// forged value cannot nest.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Plain {
    Exponential,
    Weibull,
    LogNormal,
    LogLogistic,
    GeneralizedGamma,
    Gompertz,
    Spline { scale: SplineScale, knots: Vec<f64> },
    PiecewiseExponential { breaks: Vec<f64> },
}

fn plain<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Box<Distribution>, D::Error> {
    Ok(Box::new(match Plain::deserialize(from)? {
        Plain::Exponential => Distribution::Exponential,
        Plain::Weibull => Distribution::Weibull,
        Plain::LogNormal => Distribution::LogNormal,
        Plain::LogLogistic => Distribution::LogLogistic,
        Plain::GeneralizedGamma => Distribution::GeneralizedGamma,
        Plain::Gompertz => Distribution::Gompertz,
        Plain::Spline { scale, knots } => Distribution::Spline { scale, knots },
        Plain::PiecewiseExponential { breaks } => Distribution::PiecewiseExponential { breaks },
    }))
}

/// As [`Plain`], with a cured share perhaps.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Unmapped {
    Exponential,
    Weibull,
    LogNormal,
    LogLogistic,
    GeneralizedGamma,
    Gompertz,
    Spline { scale: SplineScale, knots: Vec<f64> },
    PiecewiseExponential { breaks: Vec<f64> },
    Cure(#[serde(deserialize_with = "plain")] Box<Distribution>),
}

fn unmapped<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Box<Distribution>, D::Error> {
    Ok(Box::new(match Unmapped::deserialize(from)? {
        Unmapped::Exponential => Distribution::Exponential,
        Unmapped::Weibull => Distribution::Weibull,
        Unmapped::LogNormal => Distribution::LogNormal,
        Unmapped::LogLogistic => Distribution::LogLogistic,
        Unmapped::GeneralizedGamma => Distribution::GeneralizedGamma,
        Unmapped::Gompertz => Distribution::Gompertz,
        Unmapped::Spline { scale, knots } => Distribution::Spline { scale, knots },
        Unmapped::PiecewiseExponential { breaks } => Distribution::PiecewiseExponential { breaks },
        Unmapped::Cure(inner) => Distribution::Cure(inner),
    }))
}

/// What a Royston–Parmar spline is a function of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplineScale {
    /// ln H(t); proportional hazards.
    Hazard,
    /// ln((1 − S) / S); proportional odds.
    Odds,
    /// −Φ⁻¹(S); probit.
    Normal,
}

impl Distribution {
    /// The name by which SQL knows it.
    pub fn name(&self) -> String {
        match self {
            Distribution::Exponential => "exponential".into(),
            Distribution::Weibull => "weibull".into(),
            Distribution::LogNormal => "lognormal".into(),
            Distribution::LogLogistic => "loglogistic".into(),
            Distribution::GeneralizedGamma => "generalized-gamma".into(),
            Distribution::Gompertz => "gompertz".into(),
            Distribution::Spline { scale: SplineScale::Hazard, .. } => "spline".into(),
            Distribution::Spline { scale: SplineScale::Odds, .. } => "spline-odds".into(),
            Distribution::Spline { scale: SplineScale::Normal, .. } => "spline-normal".into(),
            Distribution::PiecewiseExponential { .. } => "piecewise-exponential".into(),
            Distribution::Cure(inner) => format!("{}-cure", inner.name()),
            Distribution::BetaGeometric { .. } => "beta-geometric".into(),
            Distribution::BetaDiscreteWeibull { .. } => "beta-discrete-weibull".into(),
            Distribution::Recalibrated { inner, .. } => format!("{}-recalibrated", inner.name()),
        }
    }

    /// The name of the algorithm that fits it.
    pub fn algorithm(&self) -> &'static str {
        match self {
            Distribution::Exponential => "exponential",
            Distribution::Weibull => "weibull",
            Distribution::LogNormal => "lognormal",
            Distribution::LogLogistic => "loglogistic",
            Distribution::GeneralizedGamma => "generalized_gamma",
            Distribution::Gompertz => "gompertz",
            Distribution::Spline { scale: SplineScale::Hazard, .. } => "spline",
            Distribution::Spline { scale: SplineScale::Odds, .. } => "spline_odds",
            Distribution::Spline { scale: SplineScale::Normal, .. } => "spline_normal",
            Distribution::PiecewiseExponential { .. } => "piecewise_exponential",
            Distribution::BetaGeometric { .. } => "sbg",
            Distribution::BetaDiscreteWeibull { .. } => "bdw",
            Distribution::Recalibrated { inner, .. } => inner.algorithm(),
            Distribution::Cure(inner) => match **inner {
                Distribution::Exponential => "exponential_cure",
                Distribution::Weibull => "weibull_cure",
                Distribution::LogNormal => "lognormal_cure",
                Distribution::LogLogistic => "loglogistic_cure",
                Distribution::GeneralizedGamma => "generalized_gamma_cure",
                Distribution::Gompertz => "gompertz_cure",
                Distribution::Spline { scale: SplineScale::Hazard, .. } => "spline_cure",
                Distribution::Spline { scale: SplineScale::Odds, .. } => "spline_odds_cure",
                Distribution::Spline { scale: SplineScale::Normal, .. } => "spline_normal_cure",
                Distribution::PiecewiseExponential { .. } => "piecewise_exponential_cure",
                // A cured share does not nest, and renewals have none.
                Distribution::Cure(_)
                | Distribution::BetaGeometric { .. }
                | Distribution::BetaDiscreteWeibull { .. }
                | Distribution::Recalibrated { .. } => "cure",
            },
        }
    }

    /// How many parameters a row has.
    pub fn parameters(&self) -> usize {
        match self {
            Distribution::Exponential => 1,
            Distribution::Weibull | Distribution::LogNormal | Distribution::LogLogistic | Distribution::Gompertz => 2,
            Distribution::GeneralizedGamma | Distribution::BetaDiscreteWeibull { .. } => 3,
            Distribution::BetaGeometric { .. } => 2,
            Distribution::Spline { knots, .. } => knots.len(),
            Distribution::PiecewiseExponential { breaks } => breaks.len() + 1,
            Distribution::Cure(inner) => inner.parameters() + 1,
            Distribution::Recalibrated { inner, .. } => inner.parameters(),
        }
    }

    /// The names of the parameters, the location (called `intercept`, which is what it is with covariates) first.
    pub fn parameter_names(&self) -> Vec<String> {
        let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        match self {
            Distribution::Exponential => named(&["intercept"]),
            Distribution::Weibull | Distribution::LogNormal | Distribution::LogLogistic => {
                named(&["intercept", "log(scale)"])
            }
            Distribution::GeneralizedGamma => named(&["intercept", "log(scale)", "shape"]),
            Distribution::Gompertz => named(&["intercept", "shape"]),
            Distribution::BetaGeometric { .. } => named(&["log(alpha)", "log(beta)"]),
            Distribution::BetaDiscreteWeibull { .. } => named(&["log(alpha)", "log(beta)", "log(c)"]),
            Distribution::Spline { knots, .. } => {
                let spline = (1..knots.len()).map(|i| format!("gamma{i}"));
                std::iter::once("intercept".to_owned()).chain(spline).collect()
            }
            Distribution::PiecewiseExponential { breaks } => {
                let ratios = breaks.iter().map(|start| format!("log(rate ratio) from {start}"));
                std::iter::once("intercept".to_owned()).chain(ratios).collect()
            }
            Distribution::Cure(inner) => {
                let mut names = inner.parameter_names();
                names.push("logit(cured share)".into());
                names
            }
            Distribution::Recalibrated { inner, .. } => inner.parameter_names(),
        }
    }

    /// The length of the periods at whose ends the curve drops; `None` for a smooth one.
    pub fn period(&self) -> Option<f64> {
        match self {
            Distribution::BetaGeometric { period } | Distribution::BetaDiscreteWeibull { period } => Some(*period),
            _ => None,
        }
    }

    /// Whether a coefficient on the location is the logarithm of a ratio of times.
    pub fn is_accelerated(&self) -> bool {
        match self {
            Distribution::Exponential
            | Distribution::Weibull
            | Distribution::LogNormal
            | Distribution::LogLogistic
            | Distribution::GeneralizedGamma => true,
            Distribution::Gompertz
            | Distribution::Spline { .. }
            | Distribution::PiecewiseExponential { .. }
            | Distribution::BetaGeometric { .. }
            | Distribution::BetaDiscreteWeibull { .. } => false,
            Distribution::Cure(inner) => inner.is_accelerated(),
            Distribution::Recalibrated { .. } => false,
        }
    }

    /// Whether a coefficient on the location is the logarithm of a ratio of hazards.
    pub fn has_proportional_hazards(&self) -> bool {
        matches!(
            self,
            Distribution::Gompertz
                | Distribution::PiecewiseExponential { .. }
                | Distribution::Spline { scale: SplineScale::Hazard, .. }
        )
    }

    /// # Errors
    /// [`Error::Invalid`] for knots or breaks that do not rise strictly, are not finite or too many, and for a cure
    /// within a cure.
    pub fn validate(&self) -> Result<()> {
        let rises = |values: &[f64]| {
            values.len() <= MOST_KNOTS
                && values.iter().all(|value| value.is_finite())
                && values.windows(2).all(|pair| pair[0] < pair[1])
        };
        match self {
            Distribution::Spline { knots, .. } if !(rises(knots) && knots.len() >= 2) => Err(Error::invalid(
                "the knots of a spline must be finite and rise strictly, with the two boundary knots among them",
                format!("At most {MOST_KNOTS} knots, of the logarithm of time."),
            )),
            Distribution::PiecewiseExponential { breaks }
                if !(rises(breaks) && breaks.first().is_none_or(|first| *first > 0.0)) =>
            {
                Err(Error::invalid(
                    "the breaks of a piecewise exponential must be greater than 0, finite and rise strictly",
                    format!("At most {MOST_KNOTS} breaks, in the unit of the durations."),
                ))
            }
            Distribution::BetaGeometric { period } | Distribution::BetaDiscreteWeibull { period }
                if !(SHORTEST_PERIOD..=LONGEST_PERIOD).contains(period) =>
            {
                Err(Error::invalid(
                    format!(
                        "the length of a period must be from {SHORTEST_PERIOD:e} to {LONGEST_PERIOD:e}, got {period}"
                    ),
                    "It is in the unit of the durations: 12 for yearly renewals in months.",
                ))
            }
            Distribution::Cure(inner) => match **inner {
                Distribution::Cure(_) => {
                    Err(Error::invalid("a cured share cannot have a cured share of its own", "Leave one out."))
                }
                Distribution::BetaGeometric { .. } | Distribution::BetaDiscreteWeibull { .. } => {
                    Err(Error::invalid("a model of renewals has no cured share", "Leave it out."))
                }
                Distribution::Recalibrated { .. } => {
                    Err(Error::invalid("a cured share stands inside a recalibration", "Turn the two around."))
                }
                _ => inner.validate(),
            },
            Distribution::Recalibrated { inner, map } => match **inner {
                Distribution::Recalibrated { .. } => {
                    Err(Error::invalid("a recalibration does not nest", "Recalibrate the model it was made from."))
                }
                Distribution::BetaGeometric { .. } | Distribution::BetaDiscreteWeibull { .. } => {
                    Err(Error::invalid("a model of renewals has no recalibration", "Fit it to later renewals."))
                }
                _ => map.validate().and_then(|()| inner.validate()),
            },
            _ => Ok(()),
        }
    }
}
