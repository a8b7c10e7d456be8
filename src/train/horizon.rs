//! The horizon at which a version is judged, and for which it answers when nothing else is asked.

use ltv_engine::Result;
use ltv_engine::numeric::readable::{readable, readable_below};
use ltv_engine::survival::Sample;

use crate::pg::reader::Reader;
use crate::train::algorithm::Algorithm;
use crate::train::request::Request;
use crate::train::source::Source;

/// The share of the rows held out that must be seen beyond a horizon: where fewer are left a curve says little, and the few
/// stand for all in weights for the censoring. Pocock, Clayton & Altman 2002 (Lancet 359) end curves at 10 to 20 %.
const SEEN: f64 = 0.1;

/// A horizon, and how it came about.
#[derive(Default)]
pub struct Horizon {
    pub value: Option<f64>,
    /// In words, for train_plan.
    pub how: &'static str,
    /// What a reader must know of a horizon that the rows held out forced.
    pub remark: Option<String>,
}

impl Horizon {
    /// As asked, or the median time of the events of the training rows (`sample`) – at most the last time up to which a
    /// tenth of the rows held out are seen, or the Brier score would stand on few or none. Two digits of it: it is a choice.
    pub fn of(reader: &Reader, source: &Source, request: &Request, sample: &Sample) -> Result<Horizon> {
        if let Algorithm::Renewal { period, .. } = request.algorithm {
            return Ok(Horizon { value: Some(period), how: "the period of the decisions", remark: None });
        }
        if request.horizon.is_some() {
            return Ok(Horizon { value: request.horizon, how: "as asked", remark: None });
        }
        let how = "the median time of the events";
        let Some(median) = median_event_time(sample).filter(|median| *median > 0.0) else {
            return Ok(Horizon { value: None, how, remark: None });
        };
        let usual = match sample.max_followup() {
            Some(last) if readable(median) > last => readable_below(median),
            _ => readable(median),
        };
        match seen_until(reader, source, request)?.filter(|seen| *seen < usual).map(readable_below) {
            None => Ok(Horizon { value: Some(usual), how, remark: None }),
            Some(value) => Ok(Horizon {
                value: Some(value),
                how: "as far as the rows held out are seen",
                remark: Some(format!(
                    "no horizon was given: judged at {value}, not at the median time of the events, {usual}, beyond which fewer than a tenth of the rows held out are seen"
                )),
            }),
        }
    }
}

/// The last observed time beyond which at least a tenth of the rows held out are seen; `None` where nothing binds.
fn seen_until(reader: &Reader, source: &Source, request: &Request) -> Result<Option<f64>> {
    // Decisions have no horizon; with delayed entry there is no Brier score that could want for rows.
    if request.holdout.is_none() || source.entry.is_some() || !request.algorithm.takes_durations() {
        return Ok(None);
    }
    let query = format!(
        "SELECT max(h.d) FROM (SELECT {0} AS d FROM {1} WHERE {2}) AS h,
                (SELECT percentile_disc({SEEN}) WITHIN GROUP (ORDER BY h.d DESC) AS d FROM (SELECT {0} AS d FROM {1} WHERE {2}) AS h WHERE h.d IS NOT NULL) AS longest
         WHERE h.d > 0 AND h.d < longest.d",
        source.duration,
        source.from,
        source.held_out(),
    );
    reader.select(&query, &[])?.first().get_one::<f64>()
}

/// The time by which half of the events had happened.
fn median_event_time(sample: &Sample) -> Option<f64> {
    let half = sample.events() / 2.0;
    let mut events = 0.0;
    sample
        .exits()
        .sorted()
        .iter()
        .find(|cell| {
            events += cell.counts[0];
            events >= half
        })
        .map(|cell| cell.key)
}
