//! The stored bytes of `ltv.survival`: a version byte, a kind byte, then the fields. See docs/storage.md.

use crate::numeric::bytes::{Reader, Writer};
use crate::survival::curve::{FittedCurve, Survival, Tail};
use crate::survival::decisions::Decisions;
use crate::survival::distribution::{Distribution, SplineScale};
use crate::survival::packed;
use crate::survival::parametric::ParametricCurve;
use crate::survival::recalibration::RecalibrationMap;
use crate::survival::sample::Sample;
use crate::{Error, Result};

pub(super) const VERSION: u8 = 1;
const SAMPLE: u8 = 0;
const FITTED: u8 = 1;
pub(super) const PACKED: u8 = 2;
const PARAMETRIC: u8 = 3;
/// A fitted curve that drops where decisions are taken.
const DECIDED: u8 = 4;

impl Survival {
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Survival::Sample(sample) => encode_sample(sample),
            Survival::Fitted(curve) => {
                let mut out = Writer::default();
                out.byte(VERSION);
                out.byte(if curve.decisions.is_some() { DECIDED } else { FITTED });
                out.floats(&curve.times);
                out.floats(&curve.cumulative_hazard);
                out.floats(&curve.variance);
                out.whole(curve.rank as u64);
                out.floats(&curve.loadings);
                out.float(curve.max_followup);
                match curve.tail {
                    Tail::None => out.byte(0),
                    Tail::ConstantHazard { rate } => {
                        out.byte(1);
                        out.float(rate);
                    }
                }
                if let Some(Decisions { first, period }) = curve.decisions {
                    out.float(first);
                    out.float(period);
                }
                out.bytes
            }
            Survival::Parametric(curve) => {
                let mut out = Writer::default();
                out.byte(VERSION);
                out.byte(PARAMETRIC);
                write_distribution(&curve.distribution, &mut out);
                out.floats(&curve.parameters);
                out.floats(&curve.covariance);
                out.float(curve.max_followup);
                out.float(curve.given);
                out.bytes
            }
        }
    }

    /// # Errors
    /// [`Error::Malformed`] for anything that [`Survival::encode`] could not have written.
    pub fn decode(bytes: &[u8]) -> Result<Survival> {
        let mut from = Reader::new(bytes);
        let version = from.byte()?;
        if version != VERSION {
            return Err(Error::malformed(format!(
                "format version {version} of ltv.survival is not known to this release"
            )));
        }
        if packed::is_packed(bytes) {
            return Ok(Survival::Sample(packed::sample(bytes)?));
        }
        let survival = match from.byte()? {
            SAMPLE => Survival::Sample(Sample::read(&mut from)?),
            kind @ (FITTED | DECIDED) => {
                let (times, cumulative_hazard, variance) = (from.floats()?, from.floats()?, from.floats()?);
                let rank = usize::try_from(from.whole()?).map_err(|_| Error::malformed("rank out of range"))?;
                let (loadings, max_followup) = (from.floats()?, from.float()?);
                let tail = match from.byte()? {
                    0 => Tail::None,
                    1 => Tail::ConstantHazard { rate: from.float()? },
                    other => return Err(Error::malformed(format!("unknown tail {other} of a fitted curve"))),
                };
                let decisions = match kind {
                    DECIDED => Some(Decisions { first: from.float()?, period: from.float()? }),
                    _ => None,
                };
                let curve =
                    FittedCurve { times, cumulative_hazard, variance, rank, loadings, max_followup, tail, decisions };
                curve.validate()?;
                Survival::Fitted(curve)
            }
            PARAMETRIC => {
                let distribution = read_distribution(&mut from)?;
                let (parameters, covariance) = (from.floats()?, from.floats()?);
                let (max_followup, given) = (from.float()?, from.float()?);
                let curve = ParametricCurve { distribution, parameters, covariance, max_followup, given };
                curve.validate()?;
                Survival::Parametric(curve)
            }
            other => return Err(Error::malformed(format!("unknown kind {other} of ltv.survival"))),
        };
        from.finish()?;
        Ok(survival)
    }
}

/// The bytes of a sample, without owning it: what an aggregate state flattens to.
pub fn encode_sample(sample: &Sample) -> Vec<u8> {
    let mut out = Writer::default();
    out.byte(VERSION);
    out.byte(SAMPLE);
    sample.write(&mut out);
    out.bytes
}

/// Marks a distribution with a cured share; the inner one follows.
const CURE: u8 = 128;
/// Marks a recalibrated distribution; the map and the inner one follow.
const RECALIBRATED: u8 = 64;
const BETA_GEOMETRIC: u8 = 10;
const BETA_DISCRETE_WEIBULL: u8 = 11;

fn write_distribution(distribution: &Distribution, out: &mut Writer) {
    match distribution {
        Distribution::Exponential => out.byte(0),
        Distribution::Weibull => out.byte(1),
        Distribution::LogNormal => out.byte(2),
        Distribution::LogLogistic => out.byte(3),
        Distribution::GeneralizedGamma => out.byte(4),
        Distribution::Gompertz => out.byte(5),
        Distribution::Spline { scale, knots } => {
            out.byte(match scale {
                SplineScale::Hazard => 6,
                SplineScale::Odds => 7,
                SplineScale::Normal => 8,
            });
            out.floats(knots);
        }
        Distribution::PiecewiseExponential { breaks } => {
            out.byte(9);
            out.floats(breaks);
        }
        Distribution::BetaGeometric { period } => {
            out.byte(BETA_GEOMETRIC);
            out.float(*period);
        }
        Distribution::BetaDiscreteWeibull { period } => {
            out.byte(BETA_DISCRETE_WEIBULL);
            out.float(*period);
        }
        Distribution::Cure(inner) => {
            out.byte(CURE);
            write_distribution(inner, out);
        }
        Distribution::Recalibrated { inner, map } => {
            out.byte(RECALIBRATED);
            map.write(out);
            write_distribution(inner, out);
        }
    }
}

fn read_distribution(from: &mut Reader) -> Result<Distribution> {
    Ok(match from.byte()? {
        RECALIBRATED => {
            let map = RecalibrationMap::read(from)?;
            let inner = match from.byte()? {
                CURE => Distribution::Cure(Box::new(read_plain(from.byte()?, from)?)),
                plain => read_plain(plain, from)?,
            };
            Distribution::Recalibrated { inner: Box::new(inner), map }
        }
        CURE => match from.byte()? {
            CURE => return Err(Error::malformed("a cured share cannot have a cured share of its own")),
            inner => Distribution::Cure(Box::new(read_plain(inner, from)?)),
        },
        BETA_GEOMETRIC => Distribution::BetaGeometric { period: from.float()? },
        BETA_DISCRETE_WEIBULL => Distribution::BetaDiscreteWeibull { period: from.float()? },
        plain => read_plain(plain, from)?,
    })
}

fn read_plain(kind: u8, from: &mut Reader) -> Result<Distribution> {
    Ok(match kind {
        0 => Distribution::Exponential,
        1 => Distribution::Weibull,
        2 => Distribution::LogNormal,
        3 => Distribution::LogLogistic,
        4 => Distribution::GeneralizedGamma,
        5 => Distribution::Gompertz,
        6 => Distribution::Spline { scale: SplineScale::Hazard, knots: from.floats()? },
        7 => Distribution::Spline { scale: SplineScale::Odds, knots: from.floats()? },
        8 => Distribution::Spline { scale: SplineScale::Normal, knots: from.floats()? },
        9 => Distribution::PiecewiseExponential { breaks: from.floats()? },
        other => return Err(Error::malformed(format!("unknown distribution {other} of a parametric curve"))),
    })
}
