//! Models of amounts in SQL: fits, what they expect of a row, and rules.

use ltv_engine::amount::{Family, Options, fit_tweedie_with, fit_two_part as fit_both, fit_with};
use ltv_engine::hazard::design::Design;
use ltv_engine::model::features::{Unscorable, Value};
use ltv_engine::model::{Fit, Model, naming};
use ltv_engine::{Error, Interrupt, Result};
use pgrx::prelude::*;
use serde_json::Value as Json;

use crate::fit::{MOST_COVARIATES, too_wide};
use crate::pg::call::{Call, Field, ModelBy};
use crate::pg::error::{raise, settle};
use crate::pg::varlena::decoded;
use crate::pg::{interrupts, settings};

/// Matrices of p × p doubles that a fit holds at a time, and bytes per row beside the design.
const SQUARES: usize = 8;
const BYTES_PER_ROW: usize = 24;

/// # Errors
/// For rows of amounts where those of times are asked for.
pub fn check_times(design: &Design) -> Result<()> {
    if design.amounts().is_empty() {
        return Ok(());
    }
    Err(Error::invalid(
        "these are rows of amounts, not of times",
        "Fit them with fit_linear, fit_gamma, fit_tweedie, fit_two_part or fit_boosted_value; design_agg gathers times and events.",
    ))
}

/// The model that `fitted` makes of the design of argument 0, whose covariates are named at `names`; NULL without rows.
/// `copies`: how often the rows are held at a time.
fn model(
    call: &Call,
    names: usize,
    copies: usize,
    fitted: impl FnOnce(&Design, Interrupt) -> Result<Fit>,
) -> pg_sys::Datum {
    let names: Option<Vec<Option<String>>> = call.get(names);
    let made = call.state(0, |design: &Design| {
        if design.is_empty() {
            return None;
        }
        settle(design.check_complete());
        let p = design.covariates();
        if p > MOST_COVARIATES {
            raise(too_wide(p));
        }
        let rows = copies * design.memory_bytes() + BYTES_PER_ROW * design.len();
        let needed = rows + size_of::<f64>() * SQUARES * (p + 1) * (p + 1);
        settle(settings::budget().check(needed, "the fit"));
        let features = settle(naming::features(names.as_deref(), p, None));
        let fit = settle(fitted(design, &mut interrupts::check));
        Some(settle(Model { features, fit, skipped: design.skipped(), recalibration: None }.encode()))
    });
    match made.flatten() {
        Some(bytes) => call.answer_bytes(&bytes),
        None => call.null(),
    }
}

/// `fit_linear(design, penalty, names, robust)` and `fit_gamma(…)`.
pub fn fit_family(call: &Call, family: Family) -> pg_sys::Datum {
    let Some(penalty) = call.float(1) else { return call.null() };
    model(call, 2, 1, |design, interrupt| {
        fit_with(design, &Options { family, penalty }, call.get(3), interrupt).map(Fit::from)
    })
}

/// `fit_tweedie(design, power, penalty, names, robust)`.
pub fn fit_tweedie(call: &Call) -> pg_sys::Datum {
    let (power, Some(penalty)) = (call.float(1), call.float(2)) else { return call.null() };
    model(call, 3, 1, |design, interrupt| {
        let robust: Option<bool> = call.get(4);
        let fit = match power {
            Some(power) => fit_with(design, &Options { family: Family::Tweedie { power }, penalty }, robust, interrupt),
            None => fit_tweedie_with(design, penalty, robust, interrupt),
        };
        fit.map(Fit::from)
    })
}

/// The family of the amounts of a two-part model.
///
/// # Errors
/// [`Error::Invalid`] for another name.
pub fn second_part(name: &str) -> Result<Family> {
    match name {
        "gamma" => Ok(Family::Gamma),
        "linear" => Ok(Family::Linear),
        other => Err(Error::invalid(
            format!("unknown model of amounts \"{other}\""),
            "Amounts greater than 0 are gamma or linear.",
        )),
    }
}

/// `fit_two_part(design, amounts, penalty, names)`.
pub fn fit_two_part(call: &Call) -> pg_sys::Datum {
    let (Some(amounts), Some(penalty)) = (call.text(1), call.float(2)) else { return call.null() };
    let family = settle(second_part(amounts));
    model(call, 3, 3, |design, interrupt| {
        fit_both(design, &Options { family, penalty }, penalty, interrupt).map(Fit::from)
    })
}

/// `amount_fit(model)`: a row for each fit that a model of amounts is made of.
pub fn amount_fit(call: &Call) -> pg_sys::Datum {
    let Some(bytes) = call.bytes(0) else { return call.answer_rows(Vec::new()) };
    let parts = settle(decoded(bytes, Model::decode)).amount_parts();
    call.answer_rows(parts.into_iter().map(|part| {
        let explained = (part.null_deviance > 0.0).then(|| 1.0 - part.deviance / part.null_deviance);
        vec![
            Field::Name(part.part),
            Field::Name(part.family),
            Field::Name(part.link),
            Field::Float(part.power),
            Field::Integer(Some(part.rows as i64)),
            Field::Float(part.degrees_of_freedom),
            Field::Float(part.dispersion),
            Field::Float(Some(part.deviance)),
            Field::Float(Some(part.null_deviance)),
            Field::Float(explained),
            Field::Float(part.log_likelihood),
            Field::Float(part.aic),
            Field::Int4(Some(part.iterations as i32)),
        ]
    }))
}

/// The expected value of a row, its limits, and whether to believe it.
struct Told {
    value: f64,
    lower: Option<f64>,
    upper: Option<f64>,
    status: String,
}

/// What is to be said of the expected amount of a row that has one.
pub fn standing(model: &Model, values: &[Value], is_trustworthy: bool) -> String {
    let (own, rest) = model.of_row(values);
    let said = match (is_trustworthy, &own.fit) {
        (false, _) => "the fit is not to be trusted: see model_status".into(),
        (true, Fit::BoostedValue(_)) => match crate::predict::unlearnt(own, rest) {
            None => format!("ok: {NO_LIMITS}"),
            Some(unlearnt) => format!("{unlearnt}; {NO_LIMITS}"),
        },
        (true, _) => "ok".into(),
    };
    match model.pooled_because(values) {
        None => said,
        Some(why) if said == "ok" => format!("pooled: {why}"),
        Some(why) => format!("pooled: {why}; {}", said.strip_prefix("ok: ").unwrap_or(&said)),
    }
}

/// What is known of limits where there are none.
pub const NO_LIMITS: &str = "no limits are known of trees, see conformal_interval";

fn told(call: &Call, by: ModelBy, level: f64) -> Option<std::result::Result<Told, Unscorable>> {
    call.look(by, |model, values| {
        if let Fit::Hybrid(fit) = &model.fit {
            let valued = crate::hybrid::valued(fit, model, values, None, Some(level))?;
            return Ok(Told {
                value: valued.amount(),
                lower: valued.limits().map(|(lower, _)| lower),
                upper: valued.limits().map(|(_, upper)| upper),
                status: valued.status,
            });
        }
        let appraisal = settle(model.appraise(values, level, &mut Vec::new()))?;
        let said = appraisal.expectation;
        let status = match (standing(model, values, appraisal.is_trustworthy), model.of_row(values).0.no_limits()) {
            (status, Some(why)) if said.lower.is_none() && status == "ok" => format!("ok: {why}"),
            (status, _) => status,
        };
        Ok(Told { value: said.value, lower: said.lower, upper: said.upper, status })
    })
}

/// `expected_value(model, row)`: the number that fits a SELECT list.
pub fn expected_value(call: &Call, by: ModelBy) -> pg_sys::Datum {
    let told = told(call, by, 0.95);
    call.answer_float(told.and_then(std::result::Result::ok).map(|told| told.value))
}

/// `amount_deviance(model, row, amount)`.
pub fn amount_deviance(call: &Call) -> pg_sys::Datum {
    let Some(amount) = call.float(2) else { return call.null() };
    let found =
        call.look(ModelBy::Value, |model, values| settle(model.amount_deviance(values, amount, &mut Vec::new())));
    call.answer_float(found.flatten())
}

/// `expected_value_interval(model, row, level)`.
pub fn expected_value_interval(call: &Call, by: ModelBy) -> pg_sys::Datum {
    let Some(level) = call.float(2) else { return call.null() };
    call.answer_tuple(match told(call, by, level) {
        None => return call.null(),
        Some(Ok(told)) => vec![
            Field::Float(Some(told.value)),
            Field::Float(told.lower),
            Field::Float(told.upper),
            Field::Text(Some(told.status)),
        ],
        Some(Err(why)) => {
            vec![Field::Float(None), Field::Float(None), Field::Float(None), Field::Text(Some(why.to_string()))]
        }
    })
}

/// `outcome_interval(model, row, level)`: limits of one amount by the law of the model.
pub fn outcome_interval(call: &Call, by: ModelBy) -> pg_sys::Datum {
    let Some(level) = call.float(2) else { return call.null() };
    let found = call.look(by, |model, values| {
        settle(model.check_amounts());
        let mut columns = Vec::new();
        let appraisal = settle(model.appraise(values, level, &mut columns))?;
        let outcomes = settle(model.outcomes(values, level, &mut columns));
        Ok((outcomes, standing(model, values, appraisal.is_trustworthy)))
    });
    let none = || vec![Field::Float(None), Field::Float(None), Field::Text(None)];
    let said = |mut fields: Vec<Field>, status: String| {
        fields.push(Field::Text(Some(status)));
        fields
    };
    call.answer_tuple(match found {
        None => return call.null(),
        Some(Ok((Some(found), status))) => {
            said(vec![Field::Float(Some(found.lower)), Field::Float(Some(found.upper)), Field::Name(found.law)], status)
        }
        Some(Ok((None, _))) => said(none(), "no law is known of one amount: see conformal_interval".into()),
        Some(Err(why)) => said(none(), Unscorable::to_string(&why)),
    })
}

/// `rule(jsonb)`.
pub fn rule(call: &Call) -> pg_sys::Datum {
    let Some(json) = call.jsonb(0) else { return call.null() };
    let model = settle(rule_of(&json));
    call.answer_bytes(&settle(model.encode()))
}

/// The model of a rule's JSON.
pub fn rule_of(json: &str) -> Result<Model> {
    let hint = r#"As {"monthly_churn": 0.03}, or {"by": "plan", "monthly_churn": {"basic": 0.05, "pro": 0.02}}."#;
    let refused = |what: String| Error::invalid(what, hint);
    let json: Json =
        serde_json::from_str(json).map_err(|error| refused(format!("the rule cannot be read: {error}")))?;
    let object = json.as_object().ok_or_else(|| refused("the rule must be a JSON object".into()))?;
    if let Some(unknown) = object.keys().find(|key| !["by", "monthly_churn"].contains(&key.as_str())) {
        return Err(refused(format!("the rule has an unknown key \"{unknown}\"")));
    }
    let number = |value: &Json| {
        value.as_f64().ok_or_else(|| refused(format!("the churn of a rule must be a number, got {value}")))
    };
    match (object.get("by"), object.get("monthly_churn")) {
        (None, Some(Json::Object(_))) => Err(refused("a rule by level must name its column in \"by\"".into())),
        (None, Some(churn)) => Model::rule(number(churn)?),
        (Some(Json::String(by)), Some(Json::Object(levels))) => {
            let levels = levels.iter().map(|(level, churn)| Ok((level.clone(), number(churn)?)));
            Model::rule_by(by, levels.collect::<Result<Vec<_>>>()?)
        }
        (Some(_), Some(_)) => Err(refused("a rule by level needs \"by\", a column, and a churn for each level".into())),
        (_, None) => Err(refused("the rule tells no monthly_churn".into())),
    }
}
