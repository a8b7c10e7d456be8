//! What the registry keeps of the rows held out, so that a model by trees has limits of its probabilities.

use ltv_engine::Result;
use ltv_engine::assess::held_out::{HeldOut, Seen};
use ltv_engine::assess::prediction_limits::{Row, prediction_limits};
use ltv_engine::assess::profile::Profile;
use ltv_engine::model::Fit;
use serde_json::{Value, json};

use crate::pg::reader::Reader;
use crate::pg::{interrupts, settings};
use crate::text::Text;
use crate::train::Trained;
use crate::train::algorithm::Algorithm;
use crate::train::evaluate::{BYTES_PER_ROW, Scored, score};
use crate::train::request::Request;
use crate::train::source::Source;

/// The level of the limits that `score` tells.
const LEVEL: f64 = 0.95;

/// Groups of like prediction among the rows held out, at the horizon of the evaluation, and the rows themselves for any
/// other window. `None` for other models, which tell their error themselves; without a holdout; with weights, of which the
/// rows of a group are no plain sample; and where the rows do not fit into memory, of which the metrics warn.
pub fn known(
    reader: &Reader,
    source: &Source,
    request: &Request,
    trained: &Trained,
    held_out: i64,
) -> Result<Option<Value>> {
    let is_boosted = matches!(request.algorithm, Algorithm::BoostedHazard(_));
    if !is_boosted || request.holdout.is_none() || source.weight.is_some() {
        return Ok(None);
    }
    let needed = usize::try_from(held_out).unwrap_or(usize::MAX).saturating_mul(BYTES_PER_ROW);
    let Some(horizon) = trained.horizon.filter(|_| settings::budget().check(needed, "the holdout").is_ok()) else {
        return Ok(None);
    };
    let scored = score(reader, source, trained, horizon)?;
    let outcomes = scored.durations.iter().zip(&scored.events).zip(&scored.survival);
    let mut rows: Vec<Row> = outcomes
        .map(|((duration, event), survival)| Row {
            duration: *duration,
            event: *event,
            predicted: survival.clamp(0.0, 1.0),
        })
        .collect();
    // Who was not watched from the start on is no row of the groups that are kept; he counts in any window asked for.
    let groups = match source.entry {
        Some(_) => Vec::new(),
        None => prediction_limits(&mut rows, horizon, LEVEL, settings::budget(), &mut interrupts::check)?,
    };
    let kept = kept(trained, &scored)?;
    if rows.is_empty() || groups.is_empty() && kept.is_none() {
        return Ok(None);
    }
    let mut predictions = Profile::numbers();
    for row in &rows {
        predictions.add_number(row.predicted, settings::budget())?;
    }
    let groups: Vec<Value> = groups
        .iter()
        .map(|group| {
            json!({"from": group.from, "to": group.to, "rows": group.rows, "events": group.events, "predicted": group.predicted,
                   "rate": group.rate, "lower": group.lower, "upper": group.upper,
                   "lower_power": group.lower_power, "upper_power": group.upper_power})
        })
        .collect();
    let mut known = json!({"role": "limit", "input": "renewal_probability", "horizon": horizon,
                           "profile": predictions.to_text()?});
    if !groups.is_empty() {
        known["groups"] = groups.into();
    }
    if let Some(kept) = kept {
        known["held_out"] = kept.to_text()?.into();
    }
    Ok(Some(known))
}

/// Who of which risk left when. `None` with segments: each has a baseline of its own, and the order of risk differs between
/// windows.
fn kept(trained: &Trained, scored: &Scored) -> Result<Option<HeldOut>> {
    if !matches!(trained.model.fit, Fit::BoostedHazard(_)) {
        return Ok(None);
    }
    let outcomes = scored.durations.iter().zip(&scored.events).zip(&scored.linear_predictors);
    let seen = outcomes.zip(&scored.entries).map(|(((duration, event), linear_predictor), entry)| Seen {
        entry: entry.max(0.0),
        duration: *duration,
        event: *event,
        linear_predictor: *linear_predictor,
    });
    // Who comes no earlier than he leaves is never at risk.
    let seen = seen.filter(|row| row.entry == 0.0 || row.entry < row.duration);
    HeldOut::of(&mut seen.collect::<Vec<Seen>>(), settings::budget(), &mut interrupts::check)
}
