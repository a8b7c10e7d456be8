//! What the registry keeps of a request.

use ltv_engine::assess::inverse_censoring::Censoring;
use serde_json::{Value, json};

use crate::train::clauses::Pooling;
use crate::train::customers::Customers;
use crate::train::request::Request;
use crate::train::source::Source;

impl Request {
    /// What the registry keeps of the request, the holdout's cut-off resolved.
    pub fn spec(&self, source: &Source) -> Value {
        let named = |name: &String| (!name.is_empty()).then(|| name.clone());
        let mut spec = json!({
            "source": source.display,
            "algorithm": self.algorithm_name,
            "options": self.options,
            "duration": named(&self.duration),
            "event": named(&self.event),
            "entry": self.entry,
            "features": self.features,
            "strata": self.strata,
            "weight": self.weight,
            "cluster": self.cluster,
            "holdout": source.holdout_spec,
            "horizon": self.horizon,
            "null_policy": self.null_policy.name(),
            "label_policy": self.label_policy,
            "seed": self.seed,
        });
        // What was not asked for is not told, so that versions differ only in what differs.
        let mut tell = |key: &str, value: Value| {
            if let (Some(spec), false) = (spec.as_object_mut(), value.is_null()) {
                spec.insert(key.into(), value);
            }
        };
        tell("columns", json!(self.algorithm.customers().map(Customers::spec)));
        tell("target", json!(self.target));
        if !self.segment_by.is_empty() {
            tell("segment_by", json!(self.segment_by));
            tell(
                "pooling",
                json!(match self.pooling {
                    Pooling::None => "none",
                    Pooling::Partial => "partial",
                }),
            );
        }
        if self.censoring == Censoring::Grouped {
            tell("censoring", json!("grouped"));
        }
        tell("min_events", json!(self.min_events));
        tell("as_of", json!(self.as_of));
        tell("started_on", json!(self.started_on));
        tell("known_on", json!(self.known_on));
        if self.started_on.is_some() {
            tell("unit", json!(self.unit.name()));
        }
        tell("half_life", json!(self.half_life));
        if let Some(era) = &self.era {
            tell("era", json!({"by": era.by, "stretch": era.stretch}));
        }
        if !self.expected_signs.is_empty() {
            let signs = self.expected_signs.iter().map(|(name, sign)| (name.clone(), json!(sign.name())));
            tell("expected_signs", Value::Object(signs.collect()));
        }
        spec
    }
}
