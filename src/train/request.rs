//! What `train` is asked.

use ltv_engine::{Error, Result};
use pgrx::prelude::*;
use serde_json::{Map, Value, json};

use crate::pg::call::Call;
use crate::train::algorithm::Algorithm;
use crate::train::source::Source;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NullPolicy {
    Error,
    Drop,
}

/// Which rows are kept for the metrics: those a boolean column marks, by a date from a day on or in its last stretch, or
/// a share by a key's hash.
#[derive(Debug, Clone)]
pub struct Holdout {
    pub by: String,
    pub rule: HoldoutRule,
}

#[derive(Debug, Clone)]
pub enum HoldoutRule {
    Marked,
    From(String),
    Last(String),
    Fraction(f64),
}

pub struct Request {
    pub model: String,
    pub source: pg_sys::Oid,
    /// As it was asked for: the version may tell more, such as the best candidate.
    pub algorithm_name: String,
    pub algorithm: Algorithm,
    pub options: Map<String, Value>,
    pub duration: String,
    pub event: String,
    pub entry: Option<String>,
    pub features: Vec<String>,
    pub strata: Option<String>,
    pub weight: Option<String>,
    pub cluster: Option<String>,
    pub holdout: Option<Holdout>,
    pub horizon: Option<f64>,
    pub null_policy: NullPolicy,
    pub label_policy: Option<String>,
    pub seed: i64,
    pub note: Option<String>,
}

impl Request {
    /// The arguments in the order of the SQL declaration.
    pub fn of(call: &Call) -> Result<Request> {
        let needed = |place: usize, name: &str| {
            let text = call.text(place).map(str::to_owned);
            text.ok_or_else(|| Error::invalid(format!("train needs {name}"), "It must not be NULL."))
        };
        let model = needed(0, "the model's name")?;
        if model.is_empty() || model.contains('@') || model.starts_with(char::is_whitespace) {
            return Err(Error::invalid(
                format!("\"{model}\" cannot be the name of a model"),
                "It must not be empty or contain @.",
            ));
        }
        let algorithm_name = needed(2, "an algorithm")?;
        let options = call.jsonb(13).map(|json| options(&json)).transpose()?.unwrap_or_default();
        let seed = call.get(15).unwrap_or(0);
        let algorithm = Algorithm::of(&algorithm_name, &options)?.seeded(seed);
        let (strata, cluster) = (call.text(7).map(str::to_owned), call.text(9).map(str::to_owned));
        let cox_only = [
            (&strata, "strata are", "Make the column a feature instead."),
            (&cluster, "a cluster is", "Only cox has the robust variance."),
        ];
        if let Some((_, what, hint)) = cox_only.iter().find(|(given, ..)| given.is_some() && !algorithm.is_cox()) {
            return Err(Error::invalid(format!("{what} for cox, not for {algorithm_name}"), *hint));
        }
        let null_policy = match call.text(12) {
            None | Some("error") => NullPolicy::Error,
            Some("drop") => NullPolicy::Drop,
            Some(other) => {
                return Err(Error::invalid(format!("unknown null_policy \"{other}\""), "One of: error, drop."));
            }
        };
        let horizon = call.float(11);
        if horizon.is_some_and(|horizon| !(horizon > 0.0 && horizon < f64::INFINITY)) {
            return Err(Error::invalid(
                "horizon must be finite and greater than 0",
                "It is in the unit of the durations.",
            ));
        }
        let source: Option<pg_sys::Oid> = call.get(1);
        let features: Vec<Option<String>> = call.get(6).unwrap_or_default();
        let features: Vec<String> = features.into_iter().flatten().collect();
        if let Some(name) = features.first().filter(|_| !algorithm.takes_features()) {
            return Err(Error::invalid(
                format!("{algorithm_name} takes no features, got \"{name}\""),
                "Leave features out, or train one model for each cohort; discrete_time has features.",
            ));
        }
        if let Some(twice) = features.iter().enumerate().find(|(at, name)| features[..*at].contains(name)) {
            return Err(Error::invalid(format!("feature \"{}\" is named twice", twice.1), "Name each once."));
        }
        let (duration, event, entry) =
            (needed(3, "the duration column")?, needed(4, "the event column")?, call.text(5).map(str::to_owned));
        if let Some(leak) =
            features.iter().find(|name| **name == duration || **name == event || entry.as_ref() == Some(name))
        {
            return Err(Error::invalid(
                format!("\"{leak}\" cannot be a feature: it is what is to be explained"),
                "Leave it out. A score may use the age: renewal_probability(…, given => age).",
            ));
        }
        if let Some(stratum) = features.iter().find(|name| strata.as_ref() == Some(name)) {
            return Err(Error::invalid(
                format!("\"{stratum}\" cannot be a feature and the stratum"),
                "Within a stratum it does not vary; leave it out of one of the two.",
            ));
        }
        Ok(Request {
            model,
            source: source.ok_or_else(|| Error::invalid("train needs a source", "The name of a table or view."))?,
            algorithm_name,
            algorithm,
            options,
            duration,
            event,
            entry,
            features,
            strata,
            weight: call.text(8).map(str::to_owned),
            cluster,
            holdout: call.jsonb(10).map(|json| holdout(&json)).transpose()?,
            horizon,
            null_policy,
            label_policy: call.text(14).map(str::to_owned),
            seed,
            note: call.text(16).map(str::to_owned),
        })
    }

    /// What the registry keeps of the request, the holdout's cut-off resolved.
    pub fn spec(&self, source: &Source) -> Value {
        json!({
            "source": source.display,
            "algorithm": self.algorithm_name,
            "options": self.options,
            "duration": self.duration,
            "event": self.event,
            "entry": self.entry,
            "features": self.features,
            "strata": self.strata,
            "weight": self.weight,
            "cluster": self.cluster,
            "holdout": source.holdout_spec,
            "horizon": self.horizon,
            "null_policy": match self.null_policy { NullPolicy::Error => "error", NullPolicy::Drop => "drop" },
            "label_policy": self.label_policy,
            "seed": self.seed,
        })
    }
}

fn options(json: &str) -> Result<Map<String, Value>> {
    let hint = r#"A JSON object, as {"ties": "breslow"}."#;
    match serde_json::from_str(json) {
        Ok(Value::Object(options)) => Ok(options),
        Ok(_) => Err(Error::invalid("options must be a JSON object", hint)),
        Err(error) => Err(Error::invalid(format!("options cannot be read: {error}"), hint)),
    }
}

fn holdout(json: &str) -> Result<Holdout> {
    let hint = r#"{"by": "held_out"}, {"by": "signed_on", "from": "2024-01-01"}, {"by": "signed_on", "last": "3 months"} or {"by": "customer_id", "fraction": 0.2}."#;
    let refused = |what: String| Error::invalid(what, hint);
    let json: Value =
        serde_json::from_str(json).map_err(|error| refused(format!("holdout cannot be read: {error}")))?;
    let object = json.as_object().ok_or_else(|| refused("holdout must be a JSON object".into()))?;
    if let Some(unknown) = object.keys().find(|key| !["by", "from", "last", "fraction"].contains(&key.as_str())) {
        return Err(refused(format!("holdout has an unknown key \"{unknown}\"")));
    }
    let text = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
    let by = text("by").ok_or_else(|| refused("holdout needs \"by\", the name of a column".into()))?;
    let fraction = object.get("fraction").map(|value| value.as_f64().unwrap_or(f64::NAN));
    let rule = match (text("from"), text("last"), fraction) {
        (None, None, None) => HoldoutRule::Marked,
        (Some(from), None, None) => HoldoutRule::From(from),
        (None, Some(last), None) => HoldoutRule::Last(last),
        (None, None, Some(fraction)) if fraction > 0.0 && fraction < 1.0 => HoldoutRule::Fraction(fraction),
        (None, None, Some(_)) => return Err(refused("the fraction held out must be between 0 and 1".into())),
        _ => return Err(refused("holdout takes one of \"from\", \"last\" and \"fraction\"".into())),
    };
    Ok(Holdout { by, rule })
}
