//! What the registry keeps of the rows held out, so that a model by trees has limits of its probabilities.

use ltv_engine::Result;
use ltv_engine::assess::prediction_limits::{Row, prediction_limits};
use ltv_engine::assess::profile::Profile;
use pgrx::spi::SpiClient;
use serde_json::{Value, json};

use crate::pg::{interrupts, settings};
use crate::text::Text;
use crate::train::Trained;
use crate::train::algorithm::Algorithm;
use crate::train::evaluate::{BYTES_PER_ROW, score};
use crate::train::request::Request;
use crate::train::source::Source;

/// The level of the limits that `score` tells.
const LEVEL: f64 = 0.95;

/// Groups of like prediction among the rows held out, at the horizon of the evaluation. `None` for other models, which tell
/// their error themselves; without a holdout, and with too few events in it; with weights or a delayed entry, of which the
/// rows of a group are no plain sample; and where the rows do not fit into memory, of which the metrics warn.
pub fn known(
    client: &SpiClient,
    source: &Source,
    request: &Request,
    trained: &Trained,
    held_out: i64,
) -> Result<Option<Value>> {
    let is_boosted = matches!(request.algorithm, Algorithm::BoostedHazard(_));
    if !is_boosted || request.holdout.is_none() || source.entry.is_some() || source.weight.is_some() {
        return Ok(None);
    }
    let needed = usize::try_from(held_out).unwrap_or(usize::MAX).saturating_mul(BYTES_PER_ROW);
    let Some(horizon) = trained.horizon.filter(|_| settings::budget().check(needed, "the holdout").is_ok()) else {
        return Ok(None);
    };
    let scored = score(client, source, trained, horizon)?;
    let outcomes = scored.durations.iter().zip(&scored.events).zip(&scored.survival);
    let mut rows: Vec<Row> = outcomes
        .map(|((duration, event), survival)| Row {
            duration: *duration,
            event: *event,
            predicted: survival.clamp(0.0, 1.0),
        })
        .collect();
    let groups = prediction_limits(&mut rows, horizon, LEVEL, settings::budget(), &mut interrupts::check)?;
    if groups.is_empty() {
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
    Ok(Some(json!({"role": "limit", "input": "renewal_probability", "horizon": horizon, "groups": groups,
                   "profile": predictions.to_text()?})))
}
