//! How good a model of one cause's incidence is on the rows held out, beside the Aalen–Johansen curve that knows no features.

use ltv_engine::Result;
use ltv_engine::assess::cause_scores::{CauseOutcomes, cause_brier, cause_concordance};
use ltv_engine::assess::concordance::Outcomes;

use crate::pg::interrupts;
use crate::pg::reader::Reader;
use crate::train::causes::Causes;
use crate::train::evaluate::{Metric, Scored};
use crate::train::source::Source;
use crate::train::statement::number;

/// Whoever ended by another cause is known not to end by this one; only those who still ran are censored.
pub fn metrics(
    reader: &Reader,
    source: &Source,
    causes: &Causes,
    scored: &Scored,
    horizon: f64,
    warnings: &mut Vec<String>,
) -> Result<Vec<Metric>> {
    let ended: Vec<bool> =
        scored.events.iter().zip(&scored.ended_otherwise).map(|(event, otherwise)| *event || *otherwise).collect();
    let ended =
        Outcomes { exits: &scored.durations, events: &ended, entries: &scored.entries, weights: &scored.weights };
    let outcomes = CauseOutcomes { ended, by_cause: &scored.events };
    let mut metrics = Vec::new();
    let query = format!(
        "SELECT {} FROM {} WHERE {}",
        causes.incidence(source, &number(horizon)),
        source.from,
        source.training()
    );
    let incidence = reader.select(&query, &[])?.first().get_one::<f64>()?;
    let of = |survival: &[f64]| cause_brier(outcomes, survival, horizon, &mut interrupts::check);
    let brier = of(&scored.survival)?;
    if brier.is_none() {
        let gap = if source.entry.is_some() { ", or for a time before it none was" } else { "" };
        warnings.push(format!(
            "no row held out was observed until {horizon}{gap}: no Brier score; choose a shorter horizon"
        ));
    }
    let baseline = match incidence {
        Some(incidence) => of(&vec![1.0 - incidence.clamp(0.0, 1.0); scored.survival.len()])?,
        None => None,
    };
    metrics.push(Metric {
        name: format!("brier at {horizon}"),
        value: brier,
        baseline,
        named: Some("Aalen-Johansen of all rows"),
        is_loss: true,
    });
    let risks: Vec<f64> = scored.survival.iter().map(|survival| -survival).collect();
    metrics.push(Metric {
        name: "concordance".into(),
        value: cause_concordance(outcomes, &risks, &mut interrupts::check)?.estimate(),
        baseline: Some(0.5),
        named: Some("chance"),
        is_loss: false,
    });
    Ok(metrics)
}
