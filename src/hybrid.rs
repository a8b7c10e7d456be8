//! The hybrid model in SQL: what its components say of a row becomes the terms of one valuation.

use ltv_engine::model::features::{Unscorable, Value};
use ltv_engine::model::hybrid::{Amounts, Component, HybridFit, Role};
use ltv_engine::model::{Fit, Model};
use ltv_engine::value::lifetime_value::{Status, lifetime_value};
use ltv_engine::value::{ContractTerms, Minor};
use ltv_engine::{Error, Result};
use pgrx::prelude::*;

use crate::pg::call::{Call, Field, ModelBy};
use crate::pg::error::{raise, settle};
use crate::pg::varlena::Stored;
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
            components.push(settle(Component::new(role, name, settle(Model::decode(bytes)))));
        }
    }
    let terms = call.bytes(4).map(|bytes| settle(ContractTerms::from_bytes(bytes)));
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
    let model = settle(Model::decode(bytes));
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
    terms: ContractTerms,
    renewal_probability: Option<f64>,
    pub status: &'static str,
}

impl Valued {
    /// In major units.
    pub fn amount(&self) -> f64 {
        self.value.amount(self.terms.plain.minor_digits)
    }
}

/// The terms with what the components say of the row in their place, and whether all their fits are to be trusted.
fn filled(
    fit: &HybridFit,
    model: &Model,
    values: &[Value],
    given: Option<ContractTerms>,
) -> std::result::Result<(ContractTerms, bool), Unscorable> {
    let stored = || {
        settle(fit.terms()).unwrap_or_else(|| {
            raise(Error::invalid(
                "this hybrid model has no terms of its own",
                "Give them: hybrid_value(model, row, contract_terms(revenue, ...)), or store them with fit_hybrid(..., terms => ..., revenue => 'column').",
            ))
        })
    };
    let mut terms = given.unwrap_or_else(stored);
    let Amounts { expansion, margin, cost, revenue, is_trustworthy } = settle(fit.amounts(&model.features, values))?;
    terms.plain.expansion = expansion.unwrap_or(terms.plain.expansion);
    terms.plain.margin = margin.unwrap_or(terms.plain.margin);
    terms.plain.cost_to_serve = cost.unwrap_or(terms.plain.cost_to_serve);
    if let Some(revenue) = revenue {
        terms.revenue = of_double(revenue);
    }
    settle(terms.validate());
    Ok((terms, is_trustworthy))
}

/// The value of a row under its terms: the renewal model's curve, the other components in the terms.
pub fn valued(
    fit: &HybridFit,
    model: &Model,
    values: &[Value],
    given: Option<ContractTerms>,
) -> std::result::Result<Valued, Unscorable> {
    let (terms, is_trustworthy) = filled(fit, model, values, given)?;
    let asked = Asked::of(&terms);
    let (age, horizon) = (terms.plain.given, f64::from(terms.plain.horizon));
    let looked = settle(fit.subject(&model.features, values, |subject| {
        let subject = subject?;
        let valuation =
            with_terms(&asked, |terms| subject.view_for_value(terms, |curve| settle(lifetime_value(curve, terms))));
        Ok((valuation, settle(subject.renewal_probability(age, horizon)), subject.is_trustworthy()))
    }));
    let (valuation, renewal_probability, curve_is_trustworthy) = looked?;
    let Some(valuation) = valuation else {
        return Err(Unscorable::Undefined { reason: Status::NoSuchAge.name().into() });
    };
    let status = match is_trustworthy && curve_is_trustworthy {
        true => valuation.status.name(),
        false => "a component is not to be trusted: see hybrid_components",
    };
    Ok(Valued { value: valuation.ltv, terms, renewal_probability, status })
}

fn given(call: &Call) -> Option<ContractTerms> {
    call.bytes(2).map(|bytes| settle(ContractTerms::from_bytes(bytes)))
}

/// `hybrid_value(model, row, terms)`.
pub fn hybrid_value(call: &Call, by: ModelBy) -> pg_sys::Datum {
    let given = given(call);
    let answer = call.look(by, |model, values| valued(hybrid(model), model, values, given));
    call.answer_tuple(match answer {
        None => return call.null(),
        Some(Ok(Valued { value, terms, renewal_probability, status })) => {
            let plain = &terms.plain;
            vec![
                Field::Money(Some(value), plain.minor_digits),
                Field::Float(renewal_probability),
                Field::Float(Some(plain.expansion)),
                Field::Float(Some(plain.margin)),
                Field::Float(Some(plain.cost_to_serve)),
                Field::Int4(Some(plain.horizon as i32)),
                Field::Text(terms.currency),
                Field::Name(status),
            ]
        }
        Some(Err(why)) => {
            let mut fields: Vec<Field> = (0..7).map(|_| Field::Text(None)).collect();
            fields.push(Field::Text(Some(why.to_string())));
            fields
        }
    })
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
    let told = fit.components.iter().filter_map(|component| {
        let status = status_of(settle(component.model()));
        (status != "ok").then(|| format!("{}: {status}", component.role.name()))
    });
    let told: Vec<String> = told.collect();
    if told.is_empty() { "ok".into() } else { told.join("; ") }
}
