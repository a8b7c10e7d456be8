//! The stored bytes of `ltv.survival`: a version byte, a kind byte, then the fields. See docs/storage.md.

use crate::numeric::bytes::{Reader, Writer};
use crate::survival::curve::{FittedCurve, Survival, Tail};
use crate::survival::packed;
use crate::survival::sample::Sample;
use crate::{Error, Result};

pub(super) const VERSION: u8 = 1;
const SAMPLE: u8 = 0;
const FITTED: u8 = 1;
pub(super) const PACKED: u8 = 2;

impl Survival {
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Survival::Sample(sample) => encode_sample(sample),
            Survival::Fitted(curve) => {
                let mut out = Writer::default();
                out.byte(VERSION);
                out.byte(FITTED);
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
            FITTED => {
                let (times, cumulative_hazard, variance) = (from.floats()?, from.floats()?, from.floats()?);
                let rank = usize::try_from(from.whole()?).map_err(|_| Error::malformed("rank out of range"))?;
                let (loadings, max_followup) = (from.floats()?, from.float()?);
                let tail = match from.byte()? {
                    0 => Tail::None,
                    1 => Tail::ConstantHazard { rate: from.float()? },
                    other => return Err(Error::malformed(format!("unknown tail {other} of a fitted curve"))),
                };
                let curve = FittedCurve { times, cumulative_hazard, variance, rank, loadings, max_followup, tail };
                curve.validate()?;
                Survival::Fitted(curve)
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
