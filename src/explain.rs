//! What a prediction is associated with, feature by feature, in SQL.

use ltv_engine::Error;
use ltv_engine::hazard::cox::Status;
use ltv_engine::hazard::link::Link;
use ltv_engine::model::amount_explain::AmountScale;
use ltv_engine::model::explain::Allocation;
use ltv_engine::model::features::{Kind, Unscorable, Value};
use ltv_engine::model::subject::Subject;
use ltv_engine::model::{Fit, Model};
use pgrx::prelude::*;

use crate::explain_hybrid;
use crate::pg::call::{Call, Field, ModelBy};
use crate::pg::error::{raise, settle};
use crate::pg::interrupts;
use crate::pg::varlena;
use crate::predict::standing;

const BEYOND: &str = "an amount is beyond the numbers";

/// What is explained.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    EventProbability,
    RenewalProbability,
    LinearPredictor,
    Amount(AmountScale),
}

/// The scale of a model's linear predictor, as `unit` names it.
fn scale(model: &Model) -> Option<&'static str> {
    match &model.fit {
        Fit::Cox(_) | Fit::FineGray(_) | Fit::BoostedHazard(_) => Some("log-hazard"),
        Fit::Renewal(fit) | Fit::DiscreteTime(fit) if fit.link == Link::Cloglog => Some("log-hazard"),
        Fit::Renewal(_) | Fit::DiscreteTime(_) => Some("log-odds"),
        Fit::Parametric(fit) if fit.distribution.has_proportional_hazards() => Some("log-hazard"),
        Fit::Parametric(fit) if fit.distribution.name().starts_with("spline-odds") => Some("log-odds"),
        Fit::Parametric(fit) if fit.distribution.name().starts_with("spline-normal") => Some("probit"),
        Fit::Parametric(_) | Fit::Rule(_) => Some("log-time"),
        Fit::KaplanMeier(_)
        | Fit::Contractual(_)
        | Fit::Transactional(_)
        | Fit::Amount(_)
        | Fit::TwoPart(_)
        | Fit::BoostedValue(_)
        | Fit::Hybrid(_) => None,
        Fit::Segmented(segmented) => scale(&segmented.pooled),
    }
}

fn unit_of(model: &Model, name: &str) -> ltv_engine::Result<Unit> {
    if let Fit::Hybrid(_) = &model.fit {
        return match name {
            "auto" | "amount" => Ok(Unit::Amount(AmountScale::Amount)),
            _ => Err(Error::invalid(
                format!("a hybrid model has no unit \"{name}\""),
                "It tells what a row is worth: unit => 'amount'; hybrid_components names the models that can be explained by themselves.",
            )),
        };
    }
    if let Some(own) = model.amount_scale() {
        return match (name, own) {
            ("auto" | "amount", _) => Ok(Unit::Amount(AmountScale::Amount)),
            ("linear-predictor", _) => Ok(Unit::Amount(own)),
            ("log-amount", AmountScale::Logarithm) => Ok(Unit::Amount(own)),
            _ => Err(Error::invalid(
                format!("a {} model has no unit \"{name}\"", model.algorithm()),
                match own {
                    AmountScale::Logarithm => {
                        "It tells of amounts: unit => 'amount', or 'log-amount', on which features add up."
                    }
                    AmountScale::Amount => "It tells of amounts: unit => 'amount'.",
                },
            )),
        };
    }
    let own = scale(model);
    match name {
        "auto" => Ok(Unit::EventProbability),
        "probability" | "event-probability" => Ok(Unit::EventProbability),
        "renewal-probability" => Ok(Unit::RenewalProbability),
        "linear-predictor" if own.is_some() => Ok(Unit::LinearPredictor),
        _ if own == Some(name) => Ok(Unit::LinearPredictor),
        "linear-predictor" | "log-hazard" | "log-odds" | "log-time" | "probit" => Err(match own {
            Some(own) => Error::invalid(
                format!("a {} model has no unit \"{name}\"", model.algorithm()),
                format!("Its coefficients are on the scale '{own}'; 'probability' works for every model."),
            ),
            None => Error::invalid(
                format!("a {} model has no linear predictor", model.algorithm()),
                "Ask for unit => 'probability'.",
            ),
        }),
        _ => Err(Error::invalid(
            format!("unknown unit \"{name}\""),
            format!("probability, renewal-probability{}.", own.map_or(String::new(), |own| format!(", {own}"))),
        )),
    }
}

/// A value as people write it; a `real` with the digits that tell it from other reals.
fn shown(value: &Value, kind: &Kind, is_real: bool) -> Option<String> {
    match (value, kind) {
        (Value::Null, _) => Some(match kind.filling() {
            Some(filling) => format!("null, taken as {}", shown(&filling.value(), kind, false)?),
            // Trees go their way without.
            None => "null".into(),
        }),
        (Value::Number(number), kind) if kind.is_boolean() => {
            Some(if *number == 0.0 { "false" } else { "true" }.into())
        }
        // Not with hundreds of zeros.
        (Value::Number(number), _) if *number != 0.0 && !(1e-4..1e15).contains(&number.abs()) => {
            Some(if is_real { format!("{:e}", *number as f32) } else { format!("{number:e}") })
        }
        (Value::Number(number), _) => Some(match is_real {
            true => (*number as f32 + 0.0).to_string(),
            false => (number + 0.0).to_string(),
        }),
        (Value::Text(text), _) => Some((*text).into()),
    }
}

/// What a difference has to do with one feature, or with all that are not named.
pub struct Part {
    pub feature: String,
    pub value: Option<String>,
    pub amount: f64,
}

/// The features that matter most, each at most once; the last part is that of all others, so that all add up.
pub struct Told {
    pub parts: Vec<Part>,
    baseline: f64,
    prediction: f64,
}

/// Parts in falling size; strata and features without a coefficient are of size 0 and told last. `reals` says which of the
/// values are of columns of type real.
pub fn told(model: &Model, values: &[Value], reals: &[bool], allocation: Allocation, top: usize) -> Told {
    let price = match &model.fit {
        Fit::Hybrid(fit) => fit.revenue.as_deref(),
        _ => None,
    };
    let is_price = |name: &str| price == Some(name);
    let mut parts: Vec<Part> = model
        .features
        .iter()
        .zip(values.iter().zip(reals.iter().copied().chain(std::iter::repeat(false))))
        .zip(&allocation.parts)
        // A group of one component may be a feature of another; the price that a hybrid reads is neither.
        .filter(|((feature, _), part)| !(feature.kind.is_group() || is_price(&feature.name)) || **part != 0.0)
        .map(|((feature, (value, is_real)), amount)| Part {
            feature: feature.name.clone(),
            value: shown(value, &feature.kind, is_real),
            // A zero has no sign.
            amount: *amount + 0.0,
        })
        .collect();
    parts.sort_by(|a, b| b.amount.abs().total_cmp(&a.amount.abs()));
    if parts.len() > top {
        let rest = parts.split_off(top);
        parts.push(Part {
            feature: others(rest.len()),
            value: None,
            amount: rest.iter().map(|part| part.amount).sum::<f64>() + 0.0,
        });
    }
    Told { parts, baseline: allocation.baseline, prediction: allocation.prediction }
}

pub fn others(count: usize) -> String {
    if count == 1 { "(1 other)".into() } else { format!("({count} others)") }
}

pub fn direction(sign: f64) -> Field {
    let word = match sign {
        sign if sign > 0.0 => "higher",
        sign if sign < 0.0 => "lower",
        _ => "none",
    };
    Field::Text(Some(word.into()))
}

/// The feature that keeps a row from having a score, and its value.
pub fn culprit(why: &Unscorable) -> [Option<String>; 2] {
    match why {
        Unscorable::Missing { feature } | Unscorable::NotFinite { feature } => [Some(feature.clone()), None],
        Unscorable::Unseen { feature, level } => [Some(feature.clone()), Some(level.clone())],
        Unscorable::Undefined { .. } => [None, None],
    }
}

pub fn count(call: &Call, place: usize) -> Option<usize> {
    let top = call.integer(place)?;
    Some(settle(usize::try_from(top).map_err(|_| {
        Error::invalid(format!("top must not be negative, got {top}"), "How many features are told one by one.")
    })))
}

/// `explain(model, row, top, horizon, given, unit)`.
pub fn explain(call: &Call, by: ModelBy) -> pg_sys::Datum {
    let (Some(top), Some(given), Some(unit)) = (count(call, 2), call.float(4), call.text(5)) else {
        return call.answer_rows(Vec::new());
    };
    let asked = call.horizon(3, by);
    let rows = call.look_typed(by, |model, values, reals| {
        let unit = settle(unit_of(model, unit));
        let horizon = settle(model.horizon(asked)).unwrap_or_default();
        settle(model.check_age(given));
        if let Fit::Hybrid(fit) = &model.fit {
            return match explain_hybrid::worth(model, fit, values, None, top) {
                Ok(worth) => worth.contributions(),
                Err((culprit, why)) => vec![unexplained(culprit, why, 8)],
            };
        }
        let allocation = match unit {
            Unit::Amount(scale) => settle(model.allocate_amount(values, scale)),
            Unit::LinearPredictor => model.allocate_linear_predictor(values),
            _ => settle(model.allocate(values, 0.0, |subject| {
                interrupts::check()?;
                let renewal = subject.renewal_probability(given, horizon)?;
                Ok(renewal.map(|renewal| if unit == Unit::EventProbability { 1.0 - renewal } else { renewal }))
            })),
        };
        match allocation {
            Err(why) => vec![unexplained(culprit(&why), why.to_string(), 8)],
            Ok(None) if matches!(unit, Unit::Amount(_)) => vec![unexplained([None, None], BEYOND.into(), 8)],
            Ok(None) => {
                let mut columns = Vec::new();
                let why = model.subject(values, &mut columns).map(|subject| subject.undefined(given).to_owned());
                vec![unexplained([None, None], why.unwrap_or_else(|why| why.to_string()), 8)]
            }
            Ok(Some(allocation)) => {
                let told = told(model, values, reals, allocation, top);
                let status = match unit {
                    Unit::Amount(_) => trust_amount(model, values),
                    _ => trust(model, values, given + horizon),
                };
                let row = |(at, part): (usize, &Part)| {
                    vec![
                        Field::Int4(Some(at as i32 + 1)),
                        Field::Text(Some(part.feature.clone())),
                        Field::Text(part.value.clone()),
                        Field::Float(Some(part.amount)),
                        direction(part.amount),
                        Field::Float(Some(told.baseline)),
                        Field::Float(Some(told.prediction)),
                        Field::Text(Some(status.clone())),
                    ]
                };
                told.parts.iter().enumerate().map(row).collect()
            }
        }
    });
    call.answer_rows(rows.unwrap_or_default())
}

/// `model_horizon(model, horizon)`: NULL for a model that has none.
pub fn model_horizon(call: &Call) -> pg_sys::Datum {
    let horizon = call.model(0, |model| settle(model.horizon(call.float(1))));
    call.answer_float(horizon.flatten())
}

/// Why none of many rows has a score.
#[pg_extern(sql = false)]
fn unscored_status(m: varlena::Value<Model>, horizon: f64) -> String {
    match m.0.known_until().filter(|until| horizon > *until) {
        Some(until) => format!("no row could be scored: the incidence is known until {until}"),
        None => "no row could be scored".into(),
    }
}

/// A feature, its value in the row, and its part on the scale on which features add up and of the amount.
type Both = (String, Option<String>, f64, f64);

/// `explain_amount(model, row, top)`: on the scale on which the features add up, and as much of the amount.
pub fn explain_amount(call: &Call, by: ModelBy) -> pg_sys::Datum {
    const WIDTH: usize = 11;
    let Some(top) = count(call, 2) else { return call.answer_rows(Vec::new()) };
    let rows = call.look_typed(by, |model, values, reals| {
        if let Fit::Hybrid(fit) = &model.fit {
            return match explain_hybrid::worth(model, fit, values, None, top) {
                Ok(worth) => worth.amounts(),
                Err((culprit, why)) => vec![unexplained(culprit, why, WIDTH)],
            };
        }
        settle(unit_of(model, "auto").and_then(|_| model.check_amounts()));
        let own = model.amount_scale().unwrap_or(AmountScale::Amount);
        let of = |scale| match settle(model.allocate_amount(values, scale)) {
            Err(why) => Err(vec![unexplained(culprit(&why), why.to_string(), WIDTH)]),
            Ok(None) => Err(vec![unexplained([None, None], BEYOND.into(), WIDTH)]),
            Ok(Some(allocation)) => Ok(allocation),
        };
        let (link, amount) = match (of(own), of(AmountScale::Amount)) {
            (Ok(link), Ok(amount)) => (link, amount),
            (Err(why), _) | (_, Err(why)) => return why,
        };
        let status = trust_amount(model, values);
        // The amounts say which features are told: those of a row are in one order on both scales but for two parts that
        // pull in different directions.
        let amounts = told(model, values, reals, amount, usize::MAX);
        let links = told(model, values, reals, link, usize::MAX);
        let mut rows: Vec<Both> = amounts
            .parts
            .into_iter()
            .map(|part| {
                let same = links.parts.iter().find(|other| other.feature == part.feature);
                (part.feature, part.value, same.map_or(0.0, |other| other.amount), part.amount)
            })
            .collect();
        if rows.len() > top {
            let rest = rows.split_off(top);
            let sum = |of: fn(&Both) -> f64| rest.iter().map(of).sum::<f64>();
            rows.push((others(rest.len()), None, sum(|row| row.2), sum(|row| row.3)));
        }
        let (baseline, prediction) = (amounts.baseline, amounts.prediction);
        let row = |(at, (feature, value, link, amount)): (usize, (String, Option<String>, f64, f64))| {
            vec![
                Field::Int4(Some(at as i32 + 1)),
                Field::Text(Some(feature)),
                Field::Text(value),
                Field::Float(Some(link)),
                Field::Float((own == AmountScale::Logarithm).then(|| link.exp())),
                Field::Float(Some(amount)),
                direction(amount),
                Field::Float(Some(baseline)),
                Field::Float(Some(prediction)),
                Field::Name(own.name()),
                Field::Text(Some(status.clone())),
            ]
        };
        rows.into_iter().enumerate().map(row).collect()
    });
    call.answer_rows(rows.unwrap_or_default())
}

/// `expected_events(model, row, until, since, ended)`: NULL for a row that has no score, or was not watched.
pub fn expected_events(call: &Call, by: ModelBy) -> pg_sys::Datum {
    let (Some(until), Some(since), Some(ended)) = (call.float(2), call.float(3), call.boolean(4)) else {
        return call.null();
    };
    if until == f64::INFINITY {
        raise(Error::invalid(
            "a duration must be finite, got inf",
            "A running contract is a censored row: its duration until it was last seen, with event false.",
        ));
    }
    let expected = call.score(by, |subject| match subject {
        Ok(subject) if until >= since => settle(subject.expected_events(since, until, ended)),
        _ => None,
    });
    call.answer_float(expected.flatten())
}

/// As `expected_value_interval` says it of the same row.
fn trust_amount(model: &Model, values: &[Value]) -> String {
    let appraisal = settle(model.appraise(values, 0.95, &mut Vec::new()));
    let is_trustworthy = appraisal.is_ok_and(|appraisal| appraisal.is_trustworthy);
    // What is known of limits is not asked here.
    let known = crate::amount::standing(model, values, is_trustworthy);
    match known.strip_suffix(crate::amount::NO_LIMITS) {
        Some(known) => known.trim_end_matches([':', ';', ' ']).into(),
        None => known,
    }
}

/// As `predict` says it of the same row.
fn trust(model: &Model, values: &[Value], until: f64) -> String {
    let mut columns = Vec::new();
    let (trustworthy, extrapolated) = match model.subject(values, &mut columns) {
        // Its curve may have a step for each event of the training rows: none is made where nobody asks.
        Ok(Subject::Cox { fit, baseline, .. }) if fit.status == Status::Converged && until <= baseline.max_followup => {
            (true, false)
        }
        Ok(subject) => {
            let (observed, is_over) = subject.end();
            (subject.is_trustworthy(), until > observed && !is_over)
        }
        Err(_) => (true, false),
    };
    standing(model, values, trustworthy, extrapolated)
}

/// The one row that says why there is nothing else; `width` columns, the first the rank, the last the status.
pub fn unexplained([feature, value]: [Option<String>; 2], why: String, width: usize) -> Vec<Field> {
    let mut fields = vec![Field::Int4(None), Field::Text(feature), Field::Text(value)];
    fields.extend((3..width - 1).map(|_| Field::Text(None)));
    fields.push(Field::Text(Some(why)));
    fields
}
