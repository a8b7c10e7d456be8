//! How good the new version is on the rows held out, beside a Kaplan–Meier curve that knows no features.

use ltv_engine::assess::brier::brier_score;
use ltv_engine::assess::concordance::{Outcomes, concordance};
use ltv_engine::assess::inverse_censoring::{Censoring, censoring_weights};
use ltv_engine::model::Fit;
use ltv_engine::model::features::Value;
use ltv_engine::numeric::sum::Sum;
use ltv_engine::survival::{Steps, kaplan_meier};
use ltv_engine::{Error, Result};
use serde_json::json;

use crate::pg::reader::Reader;
use crate::pg::{interrupts, settings};
use crate::train::causes::{Causes, OTHER_CAUSE};
use crate::train::request::Request;
use crate::train::source::Source;
use crate::train::{Trained, amount, cause_metrics, purchases};

/// What a row held out takes while it is scored, PostgreSQL's copy of it included.
pub const BYTES_PER_ROW: usize = 400;

/// One number about the version and the same about the baseline.
pub struct Metric {
    pub name: String,
    pub value: Option<f64>,
    pub baseline: Option<f64>,
    /// What the baseline is.
    pub named: Option<&'static str>,
    /// Less is better, and 0 is perfect: skill = 1 − value / baseline.
    pub is_loss: bool,
}

impl Metric {
    /// A number beside which no baseline stands.
    pub fn plain(name: String, value: Option<f64>) -> Metric {
        Metric { name, value, baseline: None, named: None, is_loss: false }
    }

    pub fn skill(&self) -> Option<f64> {
        let (value, baseline) = (self.value?, self.baseline?);
        (self.is_loss && baseline > 0.0).then(|| 1.0 - value / baseline)
    }

    pub fn to_json(&self) -> serde_json::Value {
        let (value, baseline, skill) = (self.value, self.baseline, self.skill());
        json!({"metric": self.name, "value": value, "baseline": self.named, "baseline_value": baseline, "skill": skill})
    }
}

/// The rows held out, scored.
#[derive(Default)]
pub struct Scored {
    pub durations: Vec<f64>,
    pub events: Vec<bool>,
    pub weights: Vec<f64>,
    pub entries: Vec<f64>,
    /// P(T > horizon) by the model.
    pub survival: Vec<f64>,
    /// P(T > entry + horizon | T > entry), where rows enter late; `None` where the model lets nobody last until then.
    pub survival_from_entry: Vec<Option<f64>>,
    /// Of a model that has one.
    pub linear_predictors: Vec<f64>,
    /// Whether another cause than that of interest ended it; empty where there is one event.
    pub ended_otherwise: Vec<bool>,
    unscorable: usize,
    /// For how long ahead.
    horizon: f64,
}

/// Rows that enter late, from their entries on.
struct FromEntries {
    durations: Vec<f64>,
    events: Vec<bool>,
    weights: Vec<f64>,
    survival: Vec<f64>,
    /// By the curve that knows no features.
    marginal: Vec<f64>,
}

impl Scored {
    /// Those that have a prediction from the entry on, which is how evaluate judges them.
    fn since_entries(&self, pooled: Option<&Steps>) -> FromEntries {
        let with = |(row, survival): (usize, &Option<f64>)| survival.map(|survival| (row, survival));
        let (rows, survival): (Vec<usize>, Vec<f64>) =
            self.survival_from_entry.iter().enumerate().filter_map(with).unzip();
        FromEntries {
            durations: rows.iter().map(|row| self.durations[*row] - self.entries[*row]).collect(),
            events: rows.iter().map(|row| self.events[*row]).collect(),
            weights: rows.iter().map(|row| self.weights[*row]).collect(),
            marginal: rows.iter().map(|row| self.marginal(pooled, *row)).collect(),
            survival,
        }
    }

    fn marginal(&self, pooled: Option<&Steps>, row: usize) -> f64 {
        let at = |time: f64| pooled.and_then(|steps| steps.survival_at(time)).unwrap_or(1.0);
        let there = at(self.entries[row]);
        if there > 0.0 { (at(self.entries[row] + self.horizon) / there).clamp(0.0, 1.0) } else { 0.0 }
    }
}

pub fn metrics(
    reader: &Reader,
    source: &Source,
    request: &Request,
    trained: &Trained,
    held_out: i64,
    warnings: &mut Vec<String>,
) -> Result<Vec<Metric>> {
    if let Some(history) = &source.history {
        return purchases::metrics(reader, source, history, request, trained, warnings);
    }
    if !request.algorithm.tells_of_time() {
        return amount::metrics(reader, source, request, trained, warnings);
    }
    if !request.algorithm.takes_durations() {
        return amount::renewal_metrics(reader, source, request, trained, warnings);
    }
    let mut metrics = Vec::new();
    if request.holdout.is_none() {
        warnings.push("no holdout: nothing here says how well it predicts".into());
        let known = trained.model.quality().and_then(|quality| quality.log_likelihood);
        if let Some((value, baseline)) = known.zip(null_log_likelihood(&trained.model.fit)) {
            metrics.push(Metric {
                name: "log_likelihood in sample".into(),
                value: Some(value),
                baseline: Some(baseline),
                named: Some("the same without features"),
                is_loss: false,
            });
        }
        return Ok(metrics);
    }
    let Some(horizon) = trained.horizon else { return Ok(metrics) };
    let needed = usize::try_from(held_out).unwrap_or(usize::MAX).saturating_mul(BYTES_PER_ROW);
    if settings::budget().check(needed, "the holdout").is_err() {
        warnings.push(format!("no metrics: {held_out} rows held out need more than ltv.max_memory_mb allows"));
        return Ok(metrics);
    }
    let scored = score(reader, source, trained, horizon)?;
    if scored.unscorable > 0 {
        warnings.push(format!("{} rows held out could not be scored", scored.unscorable));
    }
    if scored.durations.is_empty() {
        warnings.push("the holdout is empty".into());
        return Ok(metrics);
    }
    if let Some(causes) = &source.causes {
        metrics.extend(cause_metrics::metrics(reader, source, causes, &scored, horizon, warnings)?);
        return Ok(metrics);
    }
    let pooled = kaplan_meier::steps(&trained.pooled).map(Steps::with_average_tail);
    let naive = pooled.as_ref().and_then(|steps| steps.survival_at(horizon)).unwrap_or(1.0);
    let outcomes = Outcomes {
        exits: &scored.durations,
        events: &scored.events,
        entries: &scored.entries,
        weights: &scored.weights,
    };
    let seen = source.entry.as_ref().map(|_| scored.since_entries(pooled.as_ref()));
    let (judged, predicted, marginal) = match &seen {
        None => (outcomes, &scored.survival, vec![naive; scored.survival.len()]),
        Some(seen) => {
            let from_entry =
                Outcomes { exits: &seen.durations, events: &seen.events, entries: &[], weights: &seen.weights };
            (from_entry, &seen.survival, seen.marginal.clone())
        }
    };
    // The baseline is weighed as the model is.
    let known = match request.censoring {
        Censoring::Marginal => None,
        Censoring::Grouped => censoring_weights(judged, predicted, horizon, &mut interrupts::check)?,
    };
    let of = |survival: &[f64]| -> Result<Option<f64>> {
        Ok(match &known {
            Some(known) => weighted_brier(judged, survival, known, horizon),
            None => brier_score(judged, survival, horizon, &mut interrupts::check)?.map(|score| score.brier),
        })
    };
    let brier = of(predicted)?;
    let since = if seen.is_some() { " after its entry" } else { "" };
    if brier.is_none() {
        warnings.push(format!(
            "no row held out was observed until {horizon}{since}: no Brier score; choose a shorter horizon"
        ));
    } else if seen.is_some() {
        warnings.push("with delayed entry the Brier score counts from the entry of each row, as in evaluate".into());
    }
    metrics.push(Metric {
        name: format!("brier at {horizon}"),
        value: brier,
        baseline: of(&marginal)?,
        named: Some("Kaplan-Meier of all rows"),
        is_loss: true,
    });
    let risks: Vec<f64> = scored.survival.iter().map(|survival| -survival).collect();
    metrics.push(Metric {
        name: "concordance".into(),
        value: concordance(outcomes, &risks, &mut interrupts::check)?.estimate(),
        baseline: Some(0.5),
        named: Some("chance"),
        is_loss: false,
    });
    Ok(metrics)
}

/// The Brier score of rows that weigh `known`, 0 where the status at the horizon is not known.
fn weighted_brier(outcomes: Outcomes, survival: &[f64], known: &[f64], horizon: f64) -> Option<f64> {
    let (mut missed, mut total) = (Sum::default(), Sum::default());
    for (row, weight) in known.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
        let stays = if outcomes.exits[row] > horizon { 1.0 } else { 0.0 };
        missed.add(weight * (survival[row] - stays).powi(2));
        total.add(*weight);
    }
    Some(missed.total() / total.total()).filter(|brier| brier.is_finite())
}

/// Without the features; `None` for cohorts.
fn null_log_likelihood(fit: &Fit) -> Option<f64> {
    match fit {
        Fit::Cox(fit) => Some(fit.log_likelihood_null),
        Fit::Renewal(fit) | Fit::DiscreteTime(fit) => Some(fit.log_likelihood_null),
        Fit::FineGray(fit) => Some(fit.log_likelihood_null),
        Fit::Parametric(fit) => Some(fit.log_likelihood_null),
        Fit::BoostedHazard(fit) => Some(fit.log_likelihood_null),
        // Nothing that train fits to durations.
        _ => None,
    }
}

pub fn score(reader: &Reader, source: &Source, trained: &Trained, horizon: f64) -> Result<Scored> {
    let categorical: Vec<bool> = trained.model.features.iter().map(|feature| feature.kind.is_text()).collect();
    let columns: String = source
        .scored()
        .zip(&categorical)
        .map(|(column, categorical)| match categorical {
            true => format!(", {}::text", column.sql()),
            false if column.is_boolean() => format!(", {}::int4::float8", column.sql()),
            false => format!(", {}::float8", column.sql()),
        })
        .collect();
    let query = format!(
        "SELECT {}, ({})::int4, {}, {}{columns} FROM {} WHERE {}",
        source.duration,
        source.causes.as_ref().map_or_else(|| source.event.clone(), Causes::status),
        source.judged_weight.as_deref().unwrap_or("1::float8"),
        source.entry.as_deref().unwrap_or("0::float8"),
        source.from,
        source.held_out(),
    );
    let mut scored = Scored { horizon, ..Scored::default() };
    let mut scratch = Vec::new();
    for row in reader.select(&query, &[])? {
        let (duration, event) = (row.get::<f64>(1)?, row.get::<i32>(2)?);
        let (weight, entry) = (row.get::<f64>(3)?.unwrap_or(1.0), row.get::<f64>(4)?.unwrap_or(0.0));
        let mut texts = Vec::with_capacity(categorical.len());
        let mut numbers = Vec::with_capacity(categorical.len());
        for (at, categorical) in categorical.iter().enumerate() {
            texts.push(if *categorical { row.get::<String>(at + 5)? } else { None });
            numbers.push(if *categorical { None } else { row.get::<f64>(at + 5)? });
        }
        let values: Vec<Value> = texts
            .iter()
            .zip(&numbers)
            .map(|(text, number)| match (text, number) {
                (Some(text), _) => Value::Text(text),
                (None, Some(number)) => Value::Number(*number),
                (None, None) => Value::Null,
            })
            .collect();
        let is_late = source.entry.is_some() && source.causes.is_none();
        let (survival, from_entry, linear_predictor) = match trained.model.subject(&values, &mut scratch) {
            Ok(subject) => {
                let from_entry = if is_late { subject.renewal_probability(entry, horizon)? } else { None };
                (subject.renewal_probability(0.0, horizon)?, from_entry, subject.linear_predictor())
            }
            Err(_) => (None, None, None),
        };
        let (Some(duration), Some(event), Some(survival)) = (duration, event, survival) else {
            scored.unscorable += 1;
            continue;
        };
        let most = if source.causes.is_some() { OTHER_CAUSE } else { 1 };
        if !(0.0..f64::INFINITY).contains(&duration) || !(0..=most).contains(&event) {
            return Err(Error::invalid(
                format!("a row held out has duration {duration} and event {event}"),
                "Durations are finite and not negative, events 1 or 0.",
            ));
        }
        scored.durations.push(duration);
        scored.events.push(event == 1);
        if source.causes.is_some() {
            scored.ended_otherwise.push(event == OTHER_CAUSE);
        }
        scored.weights.push(weight);
        scored.entries.push(entry);
        scored.survival.push(survival);
        if is_late {
            scored.survival_from_entry.push(from_entry);
        }
        scored.linear_predictors.extend(linear_predictor);
    }
    Ok(scored)
}
