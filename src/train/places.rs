//! What the registry keeps of the rows held out, so that a single lifetime can be bounded: where each stands in its own
//! curve when it leaves, or is seen last.

use std::collections::BTreeMap;

use ltv_engine::Result;
use ltv_engine::assess::places::drawn;
use ltv_engine::model::Fit;
use ltv_engine::model::features::Value as Cell;
use ltv_engine::survival::{Sample, Survival};
use serde_json::{Value as Json, json};

use crate::pg::reader::Reader;
use crate::pg::{interrupts, settings};
use crate::text::Text;
use crate::train::Trained;
use crate::train::evaluate::BYTES_PER_ROW;
use crate::train::request::Request;
use crate::train::source::Source;

/// Rows kept of all that were held out: of more, as many are drawn.
const MOST: u64 = 2000;
/// Rows kept of those who lasted beyond an age.
const MOST_BEYOND: u64 = 500;
/// Rows kept of a segment at least, where there are as many.
const LEAST_OF_SEGMENT: u64 = 100;

/// Rows of one kind, gathered for the registry.
struct Gathered<'a> {
    rows: &'a Sample,
    /// They all lasted longer.
    given: f64,
    /// The columns that tell their segment, and what these have; empty for all rows.
    by: &'a [&'a str],
    levels: &'a [String],
    most: u64,
}

impl Gathered<'_> {
    fn entry(&self, request: &Request) -> Result<Option<Json>> {
        let kept = drawn(self.rows, self.most, request.seed.cast_unsigned(), &mut interrupts::check)?;
        if kept.exits().is_empty() {
            return Ok(None);
        }
        let segment = if self.by.is_empty() { Json::Null } else { json!(self.levels.join(" / ")) };
        Ok(Some(
            json!({"role": "place", "input": request.duration, "horizon": null, "given": self.given, "rows": self.rows.subjects(),
                       "segment": segment, "by": self.by, "levels": self.levels, "places": Survival::Sample(kept).to_text()?}),
        ))
    }
}

/// The places of the rows held out: of all; of those who lasted beyond an age, for some ages, each in its curve from that
/// age on; and of each segment that has a model of its own, from the start on, as each of these errs in its own way. Nothing
/// for models without durations or of one cause among several, without a holdout, and with weights or delayed entries, of
/// which the rows are no plain sample; and where the rows do not fit into memory, of which the metrics warn.
pub fn known(
    reader: &Reader,
    source: &Source,
    request: &Request,
    trained: &Trained,
    held_out: i64,
) -> Result<Vec<Json>> {
    let is_plain = source.entry.is_none() && source.weight.is_none() && source.causes.is_none();
    let needed = usize::try_from(held_out).unwrap_or(usize::MAX).saturating_mul(BYTES_PER_ROW);
    let fits = settings::budget().check(needed, "the holdout").is_ok();
    if request.duration.is_empty() || request.holdout.is_none() || !is_plain || !fits {
        return Ok(Vec::new());
    }
    let ages = ages(reader, source)?;
    let Found { beyond, segments } = found(reader, source, trained, &ages)?;
    let mut kept = Vec::new();
    for (rows, given) in beyond.iter().zip([0.0].into_iter().chain(ages)) {
        let most = if given > 0.0 { MOST_BEYOND } else { MOST };
        kept.extend(Gathered { rows, given, by: &[], levels: &[], most }.entry(request)?);
    }
    if let Fit::Segmented(segmented) = &trained.model.fit {
        let alone = |levels: &[String]| {
            let levels: Vec<&str> = levels.iter().map(String::as_str).collect();
            segmented.find(&levels).is_some_and(|segment| segment.model().is_some())
        };
        let by: Vec<&str> = source.segment_by.iter().map(|column| column.name.as_str()).collect();
        let own: Vec<_> = segments.iter().filter(|(levels, _)| alone(levels)).collect();
        let most = (MOST / own.len().max(1) as u64).max(LEAST_OF_SEGMENT);
        for (levels, rows) in own {
            kept.extend(Gathered { rows, given: 0.0, by: &by, levels, most }.entry(request)?);
        }
    }
    Ok(kept)
}

/// Places of the rows held out.
struct Found {
    /// From the start on, and of those who lasted beyond each age.
    beyond: Vec<Sample>,
    /// From the start on, by what tells the segment.
    segments: BTreeMap<Vec<String>, Sample>,
}

fn found(reader: &Reader, source: &Source, trained: &Trained, ages: &[f64]) -> Result<Found> {
    let features = &trained.model.features;
    let columns: String = source
        .scored()
        .zip(features)
        .map(|(column, feature)| match feature.kind.is_text() {
            true => format!(", {}::text", column.sql()),
            false if column.is_boolean() => format!(", {}::int4::float8", column.sql()),
            false => format!(", {}::float8", column.sql()),
        })
        .collect();
    let query = format!(
        "SELECT {}, ({})::int4{columns} FROM {} WHERE {}",
        source.duration,
        source.event,
        source.from,
        source.held_out()
    );
    let (budget, width) = (settings::budget(), source.segment_by.len());
    let mut found = Found { beyond: vec![Sample::default(); ages.len() + 1], segments: BTreeMap::new() };
    let mut scratch = Vec::new();
    for row in reader.select(&query, &[])? {
        let (Some(duration), Some(event)) = (row.get::<f64>(1)?, row.get::<i32>(2)?) else { continue };
        let mut texts = Vec::with_capacity(features.len());
        let mut numbers = Vec::with_capacity(features.len());
        for (at, feature) in features.iter().enumerate() {
            let is_text = feature.kind.is_text();
            texts.push(if is_text { row.get::<String>(at + 3)? } else { None });
            numbers.push(if is_text { None } else { row.get::<f64>(at + 3)? });
        }
        let values: Vec<Cell> = texts
            .iter()
            .zip(&numbers)
            .map(|(text, number)| match (text, number) {
                (Some(text), _) => Cell::Text(text),
                (None, Some(number)) => Cell::Number(*number),
                (None, None) => Cell::Null,
            })
            .collect();
        let Ok(subject) = trained.model.subject(&values, &mut scratch) else { continue };
        for (at, given) in [0.0].iter().chain(ages).enumerate() {
            if at > 0 && duration <= *given {
                break;
            }
            let stays = if duration > 0.0 { subject.renewal_probability(*given, duration - given)? } else { Some(1.0) };
            let Some(stays) = stays else { continue };
            found.beyond[at].add(1.0 - stays, event == 1, budget)?;
            if at == 0 && width > 0 {
                let levels = texts[..width].iter().flatten().cloned().collect();
                found.segments.entry(levels).or_default().add(1.0 - stays, event == 1, budget)?;
            }
        }
    }
    Ok(found)
}

/// The deciles of how long the rows held out were observed.
fn ages(reader: &Reader, source: &Source) -> Result<Vec<f64>> {
    let query = format!(
        "SELECT percentile_disc(ARRAY[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]) WITHIN GROUP (ORDER BY {}) FROM {} WHERE {}",
        source.duration,
        source.from,
        source.held_out()
    );
    let found = reader.select(&query, &[])?.first().get_one::<Vec<f64>>()?;
    let mut ages: Vec<f64> =
        found.unwrap_or_default().into_iter().filter(|age| *age > 0.0 && age.is_finite()).collect();
    ages.dedup();
    Ok(ages)
}
