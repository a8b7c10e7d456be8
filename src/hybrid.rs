//! The hybrid model in SQL: what its components say of a row becomes the terms of one valuation.

use ltv_engine::amount::pooled_degrees_of_freedom;
use ltv_engine::model::features::{Unscorable, Value};
use ltv_engine::model::hybrid::{AmountError, Amounts, Component, HybridFit, Role};
use ltv_engine::model::{Fit, Model};
use ltv_engine::numeric::student;
use ltv_engine::survival::CurveView;
use ltv_engine::survival::kaplan_meier::critical_value;
use ltv_engine::value::lifetime_value::{Status, lifetime_value};
use ltv_engine::value::terms::Terms;
use ltv_engine::value::uncertainty::present_value;
use ltv_engine::value::{ContractTerms, Minor};
use ltv_engine::{Error, Result};
use pgrx::prelude::*;

use crate::pg::call::{Call, Field, ModelBy};
use crate::pg::error::{raise, settle};
use crate::pg::varlena::{self, Stored, decoded};
use crate::predict::status_of;
use crate::terms::of_double;
use crate::value::{Asked, with_terms};

const ROLES: [Role; 4] = [Role::Renewal, Role::Expansion, Role::Margin, Role::Cost];

/// `fit_hybrid(renewal, expansion, margin, cost, terms, revenue, names)` of models as values.
pub fn fit_hybrid(call: &Call) -> pg_sys::Datum {
    let names: Vec<Option<String>> = call.get(6).unwrap_or_default();
    if names.len() > ROLES.len() {
        raise(Error::invalid(
            format!("{} names for at most 4 components", names.len()),
            "In the order renewal, expansion, margin, cost, NULL for one that has none.",
        ));
    }
    let mut components = Vec::new();
    for (place, role) in ROLES.into_iter().enumerate() {
        if let Some(bytes) = call.bytes(place) {
            let name = names.get(place).cloned().flatten();
            components.push(settle(Component::new(role, name, settle(decoded(bytes, Model::decode)))));
        }
    }
    let terms = call.bytes(4).map(|bytes| settle(decoded(bytes, ContractTerms::from_bytes)));
    let model = settle(HybridFit::model(components, terms.as_ref(), call.text(5).map(str::to_owned)));
    call.answer_bytes(&settle(model.encode()))
}

/// The hybrid that a model is.
fn hybrid(model: &Model) -> &HybridFit {
    match &model.fit {
        Fit::Hybrid(fit) => fit,
        _ => raise(Error::invalid(
            format!("a {} model has no component models", model.algorithm()),
            "Give a model of fit_hybrid; lifetime_value takes terms and any model with a curve.",
        )),
    }
}

/// `hybrid_components(model)`: a row per component.
pub fn hybrid_components(call: &Call) -> pg_sys::Datum {
    let Some(bytes) = call.bytes(0) else { return call.answer_rows(Vec::new()) };
    let model = settle(decoded(bytes, Model::decode));
    let rows = hybrid(&model).components.iter().map(|component| {
        let part = settle(component.model());
        vec![
            Field::Name(component.role.name()),
            Field::Text(component.name.clone()),
            Field::Name(part.algorithm()),
            Field::Texts(part.features.iter().map(|feature| feature.name.clone()).collect()),
            Field::Text(Some(status_of(part))),
        ]
    });
    call.answer_rows(rows.collect::<Vec<_>>())
}

/// A row's value and what it is made of.
pub struct Valued {
    pub value: Minor,
    /// What the errors of curve and amounts make uncertain of it, at the level of the terms.
    limits: Option<(Minor, Minor)>,
    terms: ContractTerms,
    renewal_probability: Option<f64>,
    pub status: String,
}

impl Valued {
    fn in_major_units(&self, amount: Minor) -> f64 {
        amount.amount(self.terms.plain.minor_digits)
    }

    pub fn amount(&self) -> f64 {
        self.in_major_units(self.value)
    }

    pub fn limits(&self) -> Option<(f64, f64)> {
        self.limits.map(|(lower, upper)| (self.in_major_units(lower), self.in_major_units(upper)))
    }
}

/// The terms with what the components say of the row in their place, and whether all their fits are to be trusted.
pub fn filled(
    fit: &HybridFit,
    model: &Model,
    values: &[Value],
    given: Option<ContractTerms>,
) -> std::result::Result<(ContractTerms, Amounts), Unscorable> {
    let stored = || {
        settle(fit.terms()).unwrap_or_else(|| {
            raise(Error::invalid(
                "this hybrid model has no terms of its own",
                "Give them: hybrid_value(model, row, contract_terms(revenue, ...)), or store them with fit_hybrid(..., terms => ..., revenue => 'column').",
            ))
        })
    };
    let mut terms = given.unwrap_or_else(stored);
    let amounts = settle(fit.amounts(&model.features, values))?;
    let Amounts { expansion, margin, cost, revenue, .. } = amounts;
    terms.plain.expansion = expansion.unwrap_or(terms.plain.expansion);
    terms.plain.margin = margin.unwrap_or(terms.plain.margin);
    terms.plain.cost_to_serve = cost.unwrap_or(terms.plain.cost_to_serve);
    if let Some(revenue) = revenue {
        terms.revenue = of_double(revenue);
    }
    settle(terms.validate());
    Ok((terms, amounts))
}

/// The value of a row under its terms: the renewal model's curve, the other components in the terms. At `level`, where
/// one is given, and not that of the terms.
pub fn valued(
    fit: &HybridFit,
    model: &Model,
    values: &[Value],
    given: Option<ContractTerms>,
    level: Option<f64>,
) -> std::result::Result<Valued, Unscorable> {
    let (mut terms, amounts) = filled(fit, model, values, given)?;
    terms.plain.level = level.unwrap_or(terms.plain.level);
    settle(critical_value(terms.plain.level));
    let asked = Asked::of(&terms);
    let (age, horizon) = (terms.plain.given, f64::from(terms.plain.horizon));
    let looked = settle(fit.subject(&model.features, values, |subject| {
        let subject = subject?;
        let looked = with_terms(&asked, |terms| {
            subject.view_for_value(terms, |curve| {
                let valuation = settle(lifetime_value(curve, terms))?;
                Some((valuation, settle(variance(curve, terms, &amounts))))
            })
        });
        Ok((looked, settle(subject.renewal_probability(age, horizon)), subject.is_trustworthy()))
    }));
    let (looked, renewal_probability, curve_is_trustworthy) = looked?;
    let Some((valuation, variance)) = looked else {
        return Err(Unscorable::Undefined { reason: Status::NoSuchAge.name().into() });
    };
    let digits = terms.plain.minor_digits;
    let limits = variance.map(|(variance, freedom)| {
        let width = student::critical_value(terms.plain.level, freedom) * variance.sqrt();
        let width = settle(Minor::round(width, digits));
        (valuation.ltv - width, valuation.ltv + width)
    });
    let is_trustworthy = amounts.is_trustworthy && curve_is_trustworthy;
    let status = standing(fit, model, values, is_trustworthy, valuation.status);
    Ok(Valued { value: valuation.ltv, limits, terms, renewal_probability, status })
}

/// What is to be known of a value.
pub fn standing(fit: &HybridFit, model: &Model, values: &[Value], is_trustworthy: bool, status: Status) -> String {
    let plain = status.name();
    let pooled = settle(fit.pooled_because(&model.features, values));
    match (is_trustworthy, pooled) {
        (false, _) => "a component is not to be trusted: see hybrid_components".into(),
        (true, Some(why)) if plain == "ok" => format!("pooled: {why}"),
        (true, Some(why)) => format!("pooled: {why}; {plain}"),
        (true, None) => plain.into(),
    }
}

/// The variance of a value by the delta method: that by the curve, and for each model of an amount the square of its error
/// times the slope of the value in it. Models are fitted each by itself, so that their errors are taken to be
/// independent; one model in two roles errs in both at once. With the degrees of freedom of the sum, in which the variance
/// by the curve counts as known. `None` where one of them is unknown.
fn variance(curve: CurveView, terms: &Terms, amounts: &Amounts) -> Result<Option<(f64, f64)>> {
    let Some((_, Some(by_curve))) = present_value(curve, terms)? else { return Ok(None) };
    let mut moves: Vec<(Role, f64, f64)> = Vec::new();
    for AmountError { role, std_error, degrees_of_freedom, source } in amounts.errors.iter().flatten() {
        let Some(error) = std_error else { return Ok(None) };
        let Some(slope) = slope(curve, terms, *role, *error)? else { return Ok(None) };
        match moves.iter_mut().find(|(other, ..)| other == source) {
            Some((_, sum, _)) => *sum += slope * error,
            None => moves.push((*source, slope * error, *degrees_of_freedom)),
        }
    }
    let by_amounts = moves.iter().map(|(_, by, freedom)| (by * by, *freedom));
    let total = by_curve + by_amounts.clone().map(|(variance, _)| variance).sum::<f64>();
    let freedom = pooled_degrees_of_freedom(by_amounts.chain([(by_curve, f64::INFINITY)]));
    Ok(total.is_finite().then_some((total, freedom)))
}

/// The derivative of the value in the amount of a role: exact for margin and cost, in which it is a straight line.
fn slope(curve: CurveView, terms: &Terms, role: Role, error: f64) -> Result<Option<f64>> {
    let now = match role {
        Role::Expansion => terms.expansion,
        Role::Margin => terms.margin,
        Role::Cost => terms.cost_to_serve,
        Role::Renewal => return Ok(Some(0.0)),
    };
    let at = |amount: f64| {
        let mut terms = *terms;
        match role {
            Role::Expansion => terms.expansion = amount,
            Role::Margin => terms.margin = amount,
            _ => terms.cost_to_serve = amount,
        }
        Ok(present_value(curve, &terms)?.map(|(value, _)| value))
    };
    if error == 0.0 {
        return Ok(Some(0.0));
    }
    // Within what terms may be; an amount that the features tell exactly has an error too small to be felt as a step.
    let step = match role {
        Role::Expansion => (1e-4 * (1.0 + now.abs())).min((1.0 + now) / 2.0),
        _ => error.max(1e-4 * (1.0 + now.abs())),
    };
    let (low, high) = match role {
        Role::Margin => (now - step, now),
        Role::Cost => (now, now + step),
        _ => (now - step, now + step),
    };
    let (Some(before), Some(after)) = (at(low)?, at(high)?) else { return Ok(None) };
    Ok(Some((after - before) / (high - low)))
}

fn given(call: &Call) -> Option<ContractTerms> {
    call.bytes(2).map(|bytes| settle(decoded(bytes, ContractTerms::from_bytes)))
}

/// `hybrid_value(model, row, terms)`.
pub fn hybrid_value(call: &Call, by: ModelBy) -> pg_sys::Datum {
    let given = given(call);
    let answer = call.look(by, |model, values| valued(hybrid(model), model, values, given, None));
    call.answer_tuple(match answer {
        None => return call.null(),
        Some(Ok(Valued { value, limits, terms, renewal_probability, status })) => {
            let plain = &terms.plain;
            vec![
                Field::Money(Some(value), plain.minor_digits),
                Field::Float(renewal_probability),
                Field::Float(Some(plain.expansion)),
                Field::Float(Some(plain.margin)),
                Field::Float(Some(plain.cost_to_serve)),
                Field::Int4(Some(plain.horizon as i32)),
                Field::Text(terms.currency),
                Field::Text(Some(status)),
                Field::Money(limits.map(|(lower, _)| lower), plain.minor_digits),
                Field::Money(limits.map(|(_, upper)| upper), plain.minor_digits),
            ]
        }
        Some(Err(why)) => {
            let mut fields: Vec<Field> = (0..7).map(|_| Field::Text(None)).collect();
            fields.push(Field::Text(Some(why.to_string())));
            fields.extend([Field::Text(None), Field::Text(None)]);
            fields
        }
    })
}

/// `hybrid_own_terms(model)`: those that are stored in it; NULL without.
pub fn hybrid_own_terms(call: &Call) -> pg_sys::Datum {
    let terms = call.model(0, |model| settle(hybrid(model).terms()).map(|terms| terms.encode()));
    match terms.flatten() {
        Some(bytes) => call.answer_bytes(&bytes),
        None => call.null(),
    }
}

/// The column of a row's price; NULL without.
#[pg_extern(sql = false)]
fn hybrid_revenue(m: varlena::Value<Model>) -> Option<String> {
    hybrid(&m.0).revenue.clone()
}

/// `hybrid_terms(model, row, terms)`; NULL for a row that has none.
pub fn hybrid_terms(call: &Call) -> pg_sys::Datum {
    let given = given(call);
    let terms = call.look(ModelBy::Value, |model, values| filled(hybrid(model), model, values, given));
    match terms.and_then(std::result::Result::ok) {
        Some((terms, _)) => call.answer_bytes(&terms.encode()),
        None => call.null(),
    }
}

/// `hybrid_curve(model, row)`; NULL for a row that has none.
pub fn hybrid_curve(call: &Call) -> pg_sys::Datum {
    let curve = call.look(ModelBy::Value, |model, values| -> Result<Option<Vec<u8>>> {
        hybrid(model)
            .subject(&model.features, values, |subject| subject.ok().map(|subject| subject.survival().encode()))
    });
    match curve.and_then(settle) {
        Some(bytes) => call.answer_bytes(&bytes),
        None => call.null(),
    }
}

/// What is to be known of the components' fits; `ok` when nothing is wrong.
pub fn status_of_components(fit: &HybridFit) -> String {
    told_of_components(fit, |model| Some(status_of(model)).filter(|status| status != "ok"))
        .unwrap_or_else(|| "ok".into())
}

/// What `told` has to say of the components, each under its name; `None` when it is nothing.
pub fn told_of_components(fit: &HybridFit, told: impl Fn(&Model) -> Option<String>) -> Option<String> {
    let told = fit.components.iter().filter_map(|component| {
        let said = told(settle(component.model()))?;
        Some(format!("{}: {said}", component.role.name()))
    });
    let told: Vec<String> = told.collect();
    (!told.is_empty()).then(|| told.join("; "))
}
