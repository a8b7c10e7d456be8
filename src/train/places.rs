//! What the registry keeps of the rows held out, so that a single lifetime can be bounded: where each stands in its own
//! curve when it leaves, or is seen last.

use ltv_engine::Result;
use ltv_engine::assess::places::drawn;
use ltv_engine::model::Fit;
use ltv_engine::survival::{Sample, Survival};
use pgrx::spi::SpiClient;
use serde_json::{Value as Json, json};

use crate::pg::varlena::Value;
use crate::pg::{interrupts, settings};
use crate::text::Text;
use crate::train::amount::said;
use crate::train::request::Request;
use crate::train::source::Source;
use crate::train::{Trained, spi};

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
        Ok(Some(json!({"role": "place", "input": request.duration, "horizon": null, "given": self.given, "rows": self.rows.subjects(),
                       "segment": segment, "by": self.by, "levels": self.levels, "places": Survival::Sample(kept).to_text()?})))
    }
}

/// The places of the rows held out: of all; of those who lasted beyond an age, for some ages, each in its curve from that
/// age on; and of each segment that has a model of its own, from the start on, as each of these errs in its own way. Nothing
/// for models without durations or of one cause among several, without a holdout, and with weights or delayed entries, of
/// which the rows are no plain sample.
pub fn known(client: &SpiClient, source: &Source, request: &Request, trained: &Trained) -> Result<Vec<Json>> {
    let is_plain = source.entry.is_none() && source.weight.is_none() && source.causes.is_none();
    if request.duration.is_empty() || request.holdout.is_none() || !is_plain {
        return Ok(Vec::new());
    }
    let (duration, event) = (&source.duration, &source.event);
    let ages = ages(client, source)?;
    let mut columns: Vec<String> =
        source.segment_by.iter().map(|column| format!("{}::text COLLATE \"C\"", column.sql())).collect();
    let width = columns.len();
    let stays = said(source, "renewal_probability", &format!(", {duration}"));
    columns.push(format!("ltv.survival_agg(CASE WHEN {duration} > 0 THEN 1 - {stays} ELSE 0 END, {event})"));
    columns.extend(ages.iter().map(|age| {
        let stays = said(source, "renewal_probability", &format!(", {duration} - {age:?}, {age:?}"));
        format!("ltv.survival_agg(1 - {stays}, {event}) FILTER (WHERE {duration} > {age:?})")
    }));
    let grouped = match width {
        0 => String::new(),
        _ => format!(" GROUP BY {}", (1..=width).map(|at| at.to_string()).collect::<Vec<_>>().join(", ")),
    };
    let query = format!(
        "SELECT {} FROM {} WHERE {}{grouped}",
        columns.join(", "),
        source.scored_from(),
        source.held_out()
    );
    let mut segments = Vec::new();
    let mut beyond = vec![Sample::default(); ages.len() + 1];
    for row in spi(client.select(&query, None, &[Value(trained.model.clone()).into()]))? {
        let levels: Vec<Option<String>> = (1..=width).map(|at| spi(row.get::<String>(at))).collect::<Result<_>>()?;
        for (at, all) in beyond.iter_mut().enumerate() {
            let Some(Value(Survival::Sample(sample))) = spi(row.get::<Value<Survival>>(width + 1 + at))? else { continue };
            all.merge(&sample, settings::budget())?;
            if at == 0 && width > 0 {
                segments.push((levels.iter().flatten().cloned().collect::<Vec<String>>(), sample));
            }
        }
    }
    let mut kept = Vec::new();
    for (rows, given) in beyond.iter().zip([0.0].into_iter().chain(ages)) {
        let most = if given > 0.0 { MOST_BEYOND } else { MOST };
        kept.extend(Gathered { rows, given, by: &[], levels: &[], most }.entry(request)?);
    }
    if let Fit::Segmented(segmented) = &trained.model.fit {
        segments.retain(|(levels, _)| {
            let levels: Vec<&str> = levels.iter().map(String::as_str).collect();
            segmented.find(&levels).is_some_and(|segment| segment.model().is_some())
        });
        segments.sort_by(|a, b| a.0.cmp(&b.0));
        let by: Vec<&str> = source.segment_by.iter().map(|column| column.name.as_str()).collect();
        let most = (MOST / segments.len().max(1) as u64).max(LEAST_OF_SEGMENT);
        for (levels, rows) in &segments {
            kept.extend(Gathered { rows, given: 0.0, by: &by, levels, most }.entry(request)?);
        }
    }
    Ok(kept)
}

/// The deciles of how long the rows held out were observed.
fn ages(client: &SpiClient, source: &Source) -> Result<Vec<f64>> {
    let query = format!(
        "SELECT percentile_disc(ARRAY[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]) WITHIN GROUP (ORDER BY {}) FROM {} WHERE {}",
        source.duration,
        source.from,
        source.held_out()
    );
    let found = spi(spi(client.select(&query, None, &[]))?.first().get_one::<Vec<f64>>())?;
    let mut ages: Vec<f64> = found.unwrap_or_default().into_iter().filter(|age| *age > 0.0 && age.is_finite()).collect();
    ages.dedup();
    Ok(ages)
}
