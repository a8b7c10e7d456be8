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
const MOST: u64 = 1000;
/// Rows kept of a segment at least, where there are as many.
const LEAST_OF_SEGMENT: u64 = 100;

/// The places of the rows held out, and of each segment that has a model of its own once more by themselves: each of these
/// models errs in its own way. Nothing for models without durations or of one cause among several, without a holdout, and
/// with weights or delayed entries, of which the rows are no plain sample.
pub fn known(client: &SpiClient, source: &Source, request: &Request, trained: &Trained) -> Result<Vec<Json>> {
    let is_plain = source.entry.is_none() && source.weight.is_none() && source.causes.is_none();
    if request.duration.is_empty() || request.holdout.is_none() || !is_plain {
        return Ok(Vec::new());
    }
    let (duration, event) = (&source.duration, &source.event);
    let stays = said(source, "renewal_probability", &format!(", {duration}"));
    let levels: Vec<String> =
        source.segment_by.iter().map(|column| format!("{}::text COLLATE \"C\"", column.sql())).collect();
    let width = levels.len();
    let listed: String = levels.iter().map(|level| format!("{level}, ")).collect();
    let grouped = match width {
        0 => String::new(),
        _ => format!(" GROUP BY {}", (1..=width).map(|at| at.to_string()).collect::<Vec<_>>().join(", ")),
    };
    let query = format!(
        "SELECT {listed}ltv.survival_agg(CASE WHEN {duration} > 0 THEN 1 - {stays} ELSE 0 END, {event}) FROM {} WHERE {}{grouped}",
        source.scored_from(),
        source.held_out(),
    );
    let mut groups = Vec::new();
    for row in spi(client.select(&query, None, &[Value(trained.model.clone()).into()]))? {
        let told: Vec<Option<String>> = (1..=width).map(|at| spi(row.get::<String>(at))).collect::<Result<_>>()?;
        let Some(Value(Survival::Sample(sample))) = spi(row.get::<Value<Survival>>(width + 1))? else { continue };
        groups.push((told.into_iter().flatten().collect::<Vec<String>>(), sample));
    }
    groups.sort_by(|a, b| a.0.cmp(&b.0));
    let mut all = Sample::default();
    for (_, sample) in &groups {
        all.merge(sample, settings::budget())?;
    }
    let seed = request.seed.cast_unsigned();
    let entry = |rows: &Sample, most: u64, by: &[&str], levels: &[String]| -> Result<Option<Json>> {
        let kept = drawn(rows, most, seed, &mut interrupts::check)?;
        if kept.exits().is_empty() {
            return Ok(None);
        }
        let segment = if by.is_empty() { Json::Null } else { json!(levels.join(" / ")) };
        Ok(Some(json!({"role": "place", "input": request.duration, "horizon": null, "rows": rows.subjects(), "segment": segment,
                       "by": by, "levels": levels, "places": Survival::Sample(kept).to_text()?})))
    };
    let mut kept: Vec<Json> = entry(&all, MOST, &[], &[])?.into_iter().collect();
    if let Fit::Segmented(segmented) = &trained.model.fit {
        let alone = |levels: &[String]| {
            let levels: Vec<&str> = levels.iter().map(String::as_str).collect();
            segmented.find(&levels).is_some_and(|segment| segment.model().is_some())
        };
        let by: Vec<&str> = source.segment_by.iter().map(|column| column.name.as_str()).collect();
        let own: Vec<_> = groups.iter().filter(|(levels, _)| alone(levels)).collect();
        let most = (MOST / own.len().max(1) as u64).max(LEAST_OF_SEGMENT);
        for (levels, sample) in own {
            kept.extend(entry(sample, most, &by, levels)?);
        }
    }
    Ok(kept)
}
