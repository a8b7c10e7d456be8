//! What `train` is asked.

use ltv_engine::assess::inverse_censoring::Censoring;
use ltv_engine::{Error, Result};
use pgrx::prelude::*;
use serde_json::{Map, Value};

use crate::pg::call::Call;
use crate::train::algorithm::Algorithm;
use crate::train::clauses::{Era, Holdout, NullPolicy, Pooling, Sign, Unit, era, holdout, options, signs};
use place::{
    AS_OF, CENSORING, ERA, EXPECTED_SIGNS, HALF_LIFE, KNOWN_ON, MIN_EVENTS, POOLING, SEGMENT_BY, STARTED_ON, TARGET,
    UNIT,
};

pub struct Request {
    pub model: String,
    pub source: pg_sys::Oid,
    /// As it was asked for: the version may tell more, such as the best candidate.
    pub algorithm_name: String,
    pub algorithm: Algorithm,
    pub options: Map<String, Value>,
    /// The column of amounts that a model of values explains.
    pub target: Option<String>,
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
    /// Features that a row may lack whatever the policy: what a NULL is there is a matter of a hybrid's components.
    pub may_lack: Vec<String>,
    pub label_policy: Option<String>,
    pub seed: i64,
    pub note: Option<String>,
    pub segment_by: Vec<String>,
    pub pooling: Pooling,
    /// Fewer events and training refuses; in a segment, the segment has the model of all rows.
    pub min_events: Option<i32>,
    /// The day whose knowledge training has, as ISO 8601 writes it.
    pub as_of: Option<String>,
    pub started_on: Option<String>,
    pub known_on: Option<String>,
    pub unit: Unit,
    /// In units of the durations.
    pub half_life: Option<f64>,
    pub era: Option<Era>,
    pub expected_signs: Vec<(String, Sign)>,
    /// Whose probability not to be censored weighs the rows held out.
    pub censoring: Censoring,
}

/// As `ltv.is_model_name`.
fn is_model_name(name: &str) -> bool {
    let is_unseen = |c: char| {
        c.is_control()
            || matches!(
                c,
                '\u{a0}' | '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{1680}' | '\u{17b4}' | '\u{17b5}'
            )
            || matches!(c, '\u{180b}'..='\u{180f}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}')
            || matches!(c, '\u{205f}'..='\u{206f}' | '\u{2800}' | '\u{3000}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}')
            || matches!(c, '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffc}' | '\u{e0000}'..='\u{e0fff}')
    };
    let has_edge = name.starts_with(' ') || name.ends_with(' ');
    let is_long = name.chars().count() > 500;
    !(name.is_empty() || is_long || name == "*" || has_edge || name.chars().any(|c| c == '@' || is_unseen(c)))
}

impl Request {
    /// Whether a row may lack the feature.
    pub fn takes_null_of(&self, feature: &str) -> bool {
        self.null_policy.takes_nulls() || self.may_lack.iter().any(|name| name == feature)
    }

    /// The arguments in the order of the SQL declaration.
    pub fn of(call: &Call) -> Result<Request> {
        let needed = |place: usize, name: &str| {
            let text = call.text(place).map(str::to_owned);
            text.ok_or_else(|| Error::invalid(format!("train needs {name}"), "It must not be NULL."))
        };
        let model = needed(0, "the model's name")?;
        if !is_model_name(&model) {
            return Err(Error::invalid(
                format!("\"{model}\" cannot be the name of a model"),
                "It must not be empty or longer than 500 characters, begin or end with a space, contain @ or a character that cannot be seen, or be *, which means all models.",
            ));
        }
        let algorithm_name = needed(2, "an algorithm")?;
        let options = call.jsonb(13).map(|json| options(&json)).transpose()?.unwrap_or_default();
        let seed = call.get(15).unwrap_or(0);
        let mut algorithm = Algorithm::of(&algorithm_name, &options)?.seeded(seed);
        if let Some(customers) = algorithm.customers() {
            customers.refuse(&algorithm_name, call)?;
        }
        let (strata, cluster) = (call.text(7).map(str::to_owned), call.text(9).map(str::to_owned));
        if strata.is_some() && !algorithm.is_cox() {
            let refused = format!("strata are for cox, not for {algorithm_name}");
            return Err(Error::invalid(refused, "Make the column a feature instead."));
        }
        if cluster.is_some() {
            algorithm = algorithm.clustered(&algorithm_name)?;
        }
        let null_policy = match call.text(12) {
            None | Some("error") => NullPolicy::Error,
            Some("drop") => NullPolicy::Drop,
            Some("impute") => NullPolicy::Impute,
            Some("indicator") => NullPolicy::Indicator,
            Some("learn") => NullPolicy::Learn,
            Some(other) => {
                return Err(Error::invalid(
                    format!("unknown null_policy \"{other}\""),
                    "One of: error, drop, impute, indicator; of boosted models also learn.",
                ));
            }
        };
        if null_policy == NullPolicy::Learn && !algorithm.is_boosted() {
            return Err(Error::invalid(
                format!("null_policy 'learn' is for boosted models, not for {algorithm_name}"),
                "Trees learn which way a row goes that lacks a feature; here 'impute' or 'indicator' fill it, 'drop' leaves the row out.",
            ));
        }
        let horizon = call.float(11);
        if horizon.is_some_and(|horizon| !(horizon > 0.0 && horizon < f64::INFINITY)) {
            return Err(Error::invalid(
                "horizon must be finite and greater than 0",
                "It is in the unit of the durations.",
            ));
        }
        let source: Option<pg_sys::Oid> = call.get(1);
        let features: Vec<Option<String>> = call.get(6).unwrap_or_default();
        let features = features.into_iter().collect::<Option<Vec<String>>>().ok_or_else(|| {
            Error::invalid("a feature's name is NULL", "The names of columns, as features => ARRAY['plan', 'price'].")
        })?;
        if let Some(name) = features.first().filter(|_| !algorithm.takes_features()) {
            return Err(Error::invalid(
                format!("{algorithm_name} takes no features, got \"{name}\""),
                "Leave features out, or train one model for each cohort; discrete_time has features.",
            ));
        }
        if let Some(twice) = features.iter().enumerate().find(|(at, name)| features[..*at].contains(name)) {
            return Err(Error::invalid(format!("feature \"{}\" is named twice", twice.1), "Name each once."));
        }
        let target = call.text(TARGET).map(str::to_owned);
        if let Some(target) = target.as_ref().filter(|_| algorithm.tells_of_time()) {
            return Err(Error::invalid(
                format!("{algorithm_name} takes no target, got \"{target}\""),
                "It explains a duration and an event; a target is the amount that a model of values explains.",
            ));
        }
        if target.is_none() && algorithm.needs_target() {
            return Err(Error::invalid(
                format!("{algorithm_name} needs a target"),
                "The column of the amount to be explained: target => 'expansion'.",
            ));
        }
        let of_time = |place: usize, what: &str, is_asked: bool| match (is_asked, call.text(place)) {
            (true, _) => needed(place, what),
            (false, None) => Ok(String::new()),
            (false, Some(given)) => Err(Error::invalid(
                format!("{algorithm_name} takes no {}, got \"{given}\"", what.trim_start_matches("the ")),
                match algorithm.tells_of_time() {
                    true => "A row is one decision: the event is that it was renewed.",
                    false => "It explains the amount in target => ...",
                },
            )),
        };
        match (&algorithm, horizon) {
            (Algorithm::Renewal { period, .. }, Some(asked)) if asked != *period => {
                return Err(Error::invalid(
                    format!("a renewal model is judged at its decision, after {period}, not at a horizon of {asked}"),
                    "Leave the horizon out: predict and score take any. options => '{\"period\": 24}' says how far apart decisions are.",
                ));
            }
            (_, Some(_)) if algorithm.needs_target() || matches!(algorithm, Algorithm::Hybrid { .. }) => {
                return Err(Error::invalid(
                    format!("{algorithm_name} takes no horizon"),
                    "An amount has none; that of a hybrid is one of its terms.",
                ));
            }
            _ => {}
        }
        let duration = of_time(3, "the duration column", algorithm.takes_durations())?;
        let event = of_time(4, "the event column", algorithm.tells_of_time())?;
        let entry = call.text(5).map(str::to_owned);
        let of_durations = [(entry.is_some(), "an entry"), (!call.is_null(STARTED_ON), "started_on")];
        if !call.is_null(SEGMENT_BY) && !algorithm.takes_segments() {
            return Err(Error::invalid(
                format!("{algorithm_name} takes no segments"),
                "Its components have theirs: train these with segment_by.",
            ));
        }
        if let Some((_, what)) = of_durations.iter().find(|(given, _)| *given && !algorithm.has_beginnings()) {
            return Err(Error::invalid(
                format!("{algorithm_name} takes no {}", what.trim_start_matches("an ")),
                "That is for models of durations; filter the source, or make the column a feature.",
            ));
        }
        let outcomes = [Some(&duration), Some(&event), entry.as_ref(), target.as_ref()];
        if let Some(leak) = features.iter().find(|name| outcomes.contains(&Some(name))) {
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
        let segment_by = segments(call.texts(SEGMENT_BY).unwrap_or_default(), &features, strata.as_deref())?;
        if let Some(leak) = segment_by.iter().find(|name| outcomes.contains(&Some(name))) {
            return Err(Error::invalid(
                format!("\"{leak}\" cannot be a segment: it is what is to be explained"),
                "Of a row that is scored it is not known yet; segment by what is.",
            ));
        }
        let pooling = match call.text(POOLING) {
            None | Some("partial") => Pooling::Partial,
            Some("none") => Pooling::None,
            Some(other) => {
                return Err(Error::invalid(format!("unknown pooling \"{other}\""), "One of: partial, none."));
            }
        };
        let min_events = call.integer(MIN_EVENTS);
        if let Some(least) = min_events.filter(|least| *least < 1) {
            return Err(Error::invalid(format!("min_events must be at least 1, got {least}"), "A number of events."));
        }
        let unit = match call.text(UNIT) {
            None | Some("month") => Unit::Month,
            Some("day") => Unit::Day,
            Some("week") => Unit::Week,
            Some("year") => Unit::Year,
            Some(other) => {
                return Err(Error::invalid(format!("unknown unit \"{other}\""), "One of: day, week, month, year."));
            }
        };
        let half_life = call.float(HALF_LIFE);
        if half_life.is_some_and(|half_life| !(half_life > 0.0 && half_life < f64::INFINITY)) {
            return Err(Error::invalid(
                "half_life must be finite and greater than 0",
                "It is in the unit of the durations.",
            ));
        }
        let era = call.text(ERA).map(era);
        let censoring = match call.text(CENSORING) {
            None => Censoring::Marginal,
            Some(name) => name.parse()?,
        };
        if censoring != Censoring::Marginal
            && (!algorithm.takes_durations() || matches!(algorithm, Algorithm::FineGray(_)))
        {
            let hint = match algorithm.takes_durations() {
                true => "Leave it out: with several causes rows are weighed by the censoring of all of them.",
                false => "Leave it out: of decisions, purchases and amounts none is censored.",
            };
            return Err(Error::invalid(format!("{algorithm_name} takes no censoring"), hint));
        }
        let expected_signs = call.jsonb(EXPECTED_SIGNS).map(|json| signs(&json, &features)).transpose()?;
        let as_of = as_of(call)?;
        let (started_on, known_on) = (call.text(STARTED_ON).map(str::to_owned), call.text(KNOWN_ON).map(str::to_owned));
        if as_of.is_some() && started_on.is_none() && known_on.is_none() {
            return Err(Error::invalid(
                "as_of cannot be honoured: nothing says when a row began, or when it was known",
                "Name the date column: started_on => 'signed_on' (outcomes after as_of are then censored), or known_on.",
            ));
        }
        if as_of.is_none() && known_on.is_some() {
            return Err(Error::invalid("known_on needs as_of", "The day whose knowledge the rows may hold."));
        }
        if half_life.is_some() && started_on.is_none() {
            return Err(Error::invalid("half_life needs started_on", "The date column that tells how old a row is."));
        }
        if era.is_some() && !algorithm.is_cox() {
            return Err(Error::invalid(
                format!("an era is for cox, not for {algorithm_name}"),
                "Make it a feature instead; a row of an era to come then needs a value that training saw.",
            ));
        }
        if era.is_some() && strata.is_some() {
            return Err(Error::invalid(
                "a model has strata or eras, not both",
                "Strata have baselines of their own; rows of all eras are scored by one.",
            ));
        }
        if null_policy == NullPolicy::Indicator && matches!(algorithm, Algorithm::KaplanMeier) {
            return Err(Error::invalid(
                "kaplan_meier has no terms, so none for NULLs",
                "Use null_policy => 'impute', or make the NULLs a level in a view: coalesce(plan, '?').",
            ));
        }
        if null_policy.fills() && algorithm.without_rows().is_some() {
            return Err(Error::invalid(
                format!("a {algorithm_name} learns nothing from rows, so nothing that could stand for their NULLs"),
                match algorithm {
                    Algorithm::Hybrid { .. } => {
                        "What a NULL counts as is a matter of its components: train these with null_policy, and leave it out here."
                    }
                    _ => "Fill it in a view, or train with null_policy => 'drop', which leaves such rows out.",
                },
            ));
        }
        let label_policy = call.text(14).map(str::to_owned);
        if label_policy.as_deref().is_some_and(|words| words.trim().is_empty()) {
            return Err(Error::invalid(
                "label_policy says nothing",
                "Say in your words what counts as the event, as 'Cancelled, or no invoice paid for 30 days.', or leave it out.",
            ));
        }
        Ok(Request {
            target,
            segment_by,
            pooling,
            min_events,
            as_of,
            started_on,
            known_on,
            unit,
            half_life,
            era,
            expected_signs: expected_signs.unwrap_or_default(),
            censoring,
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
            may_lack: Vec::new(),
            label_policy,
            seed,
            note: call.text(16).map(str::to_owned),
        })
    }
}

/// Where the arguments stand, in the order of the SQL declaration.
pub mod place {
    pub const DURATION: usize = 3;
    pub const EVENT: usize = 4;
    pub const ENTRY: usize = 5;
    pub const FEATURES: usize = 6;
    pub const STRATA: usize = 7;
    pub const CLUSTER: usize = 9;
    pub const HORIZON: usize = 11;
    pub const NULL_POLICY: usize = 12;
    pub const TARGET: usize = 17;
    pub const SEGMENT_BY: usize = 18;
    pub const POOLING: usize = 19;
    pub const MIN_EVENTS: usize = 20;
    pub const AS_OF: usize = 21;
    pub const STARTED_ON: usize = 22;
    pub const KNOWN_ON: usize = 23;
    pub const UNIT: usize = 24;
    pub const HALF_LIFE: usize = 25;
    pub const ERA: usize = 26;
    pub const EXPECTED_SIGNS: usize = 27;
    pub const CENSORING: usize = 28;
}

fn segments(segment_by: Vec<String>, features: &[String], strata: Option<&str>) -> Result<Vec<String>> {
    for (at, name) in segment_by.iter().enumerate() {
        if segment_by[..at].contains(name) {
            return Err(Error::invalid(format!("segment_by names \"{name}\" twice"), "Name each once."));
        }
        if features.contains(name) || strata == Some(name) {
            return Err(Error::invalid(
                format!("\"{name}\" cannot be a feature, or the stratum, and a segment"),
                "Within a segment it does not vary; leave it out of one of the two.",
            ));
        }
    }
    Ok(segment_by)
}
fn as_of(call: &Call) -> Result<Option<String>> {
    // -infinity and infinity are the least and the greatest number of days.
    match call.integer(AS_OF) {
        None => Ok(None),
        Some(i32::MIN | i32::MAX) => Err(Error::invalid("as_of must be a finite day", "The day of the knowledge.")),
        Some(_) => Ok(call.get::<pgrx::datum::Date>(AS_OF).map(|day| day.to_iso_string())),
    }
}
