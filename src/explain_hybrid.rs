//! What a hybrid's value of a row is associated with, feature by feature across its components, in money.

use ltv_engine::model::Model;
use ltv_engine::model::features::Value;
use ltv_engine::model::hybrid::{Amounts, HybridFit};
use ltv_engine::model::subject::Subject;
use ltv_engine::value::ContractTerms;
use ltv_engine::value::Minor;
use ltv_engine::value::lifetime_value::{Status, Valuation, lifetime_value};
use ltv_engine::value::money::MAX_DIGITS;
use ltv_engine::value::terms::Terms;

use crate::explain::{Part, culprit, direction, told};
use crate::explain_value::in_units;
use crate::hybrid::{filled, standing};
use crate::pg::call::Field;
use crate::pg::error::settle;
use crate::pg::interrupts;
use crate::value::{Asked, with_terms};

/// A row's value, the average row's, and the features' parts of the difference, in whole minor units.
pub struct Worth {
    pub parts: Vec<(Part, i128)>,
    baseline: i128,
    prediction: i128,
    digits: u32,
    currency: Option<String>,
    status: String,
}

/// Why there is none: a feature and its value, and the reason.
pub type Unworthy = ([Option<String>; 2], String);

/// The value under the terms that are stored in the hybrid, or under those that are given.
pub fn worth(
    model: &Model,
    fit: &HybridFit,
    values: &[Value],
    given: Option<ContractTerms>,
    top: usize,
) -> Result<Worth, Unworthy> {
    let (terms, _) = filled(fit, model, values, given).map_err(|why| (culprit(&why), why.to_string()))?;
    worth_as_asked(model, fit, values, &Asked::of(&terms), top)
}

/// The same under the arguments of a call; what the components say takes the place of what these say of it.
pub fn worth_as_asked(
    model: &Model,
    fit: &HybridFit,
    values: &[Value],
    asked: &Asked,
    top: usize,
) -> Result<Worth, Unworthy> {
    // As finely as money is counted, so that little is lost before the parts are rounded.
    let allocation = settle(model.allocate_hybrid(values, 10f64.powi(-(MAX_DIGITS as i32)), |subject, amounts| {
        Ok(valuation(subject, asked, amounts, MAX_DIGITS)?.map(|value| value.ltv.amount(MAX_DIGITS)))
    }));
    let no_age = || ([None, None], Status::NoSuchAge.name().to_owned());
    let allocation = allocation.map_err(|why| (culprit(&why), why.to_string()))?.ok_or_else(no_age)?;
    let amounts = settle(fit.amounts(&model.features, values)).map_err(|why| (culprit(&why), why.to_string()))?;
    let digits = asked.terms.minor_digits;
    let looked = settle(fit.subject(&model.features, values, |subject| {
        let subject = subject.ok()?;
        Some((settle(valuation(&subject, asked, &amounts, digits))?, subject.is_trustworthy()))
    }));
    let (valued, curve_is_trustworthy) = looked.ok_or_else(no_age)?;
    let prediction = valued.ltv.units();
    let baseline = settle(Minor::round(allocation.baseline, digits)).units();
    let parts = told(model, values, &[], allocation, usize::MAX).parts;
    let is_trustworthy = amounts.is_trustworthy && curve_is_trustworthy;
    Ok(Worth {
        parts: in_units(parts, prediction - baseline, digits, top),
        baseline,
        prediction,
        digits,
        currency: asked.currency.clone(),
        status: standing(fit, model, values, is_trustworthy, valued.status),
    })
}

fn valuation(
    subject: &Subject,
    asked: &Asked,
    amounts: &Amounts,
    digits: u32,
) -> ltv_engine::Result<Option<Valuation>> {
    interrupts::check()?;
    with_terms(asked, |terms| {
        let terms = Terms {
            minor_digits: digits,
            expansion: amounts.expansion.unwrap_or(terms.expansion),
            margin: amounts.margin.unwrap_or(terms.margin),
            cost_to_serve: amounts.cost.unwrap_or(terms.cost_to_serve),
            revenue: amounts.revenue.unwrap_or(terms.revenue),
            ..*terms
        };
        subject.view_for_value(&terms, |curve| lifetime_value(curve, &terms))
    })
}

impl Worth {
    fn in_major_units(&self, units: i128) -> f64 {
        Minor::of_units(units).amount(self.digits)
    }

    fn each(&self, row: impl Fn(usize, &Part, i128) -> Vec<Field>) -> Vec<Vec<Field>> {
        self.parts.iter().enumerate().map(|(at, (part, units))| row(at, part, *units)).collect()
    }

    /// The columns of `explain`.
    pub fn contributions(&self) -> Vec<Vec<Field>> {
        self.each(|at, part, units| {
            vec![
                Field::Int4(Some(at as i32 + 1)),
                Field::Text(Some(part.feature.clone())),
                Field::Text(part.value.clone()),
                Field::Float(Some(self.in_major_units(units))),
                direction(units as f64),
                Field::Float(Some(self.in_major_units(self.baseline))),
                Field::Float(Some(self.in_major_units(self.prediction))),
                Field::Text(Some(self.status.clone())),
            ]
        })
    }

    /// The columns of `explain_amount`: a value adds up by itself, on no other scale.
    pub fn amounts(&self) -> Vec<Vec<Field>> {
        self.each(|at, part, units| {
            let amount = self.in_major_units(units);
            vec![
                Field::Int4(Some(at as i32 + 1)),
                Field::Text(Some(part.feature.clone())),
                Field::Text(part.value.clone()),
                Field::Float(Some(amount)),
                Field::Float(None),
                Field::Float(Some(amount)),
                direction(units as f64),
                Field::Float(Some(self.in_major_units(self.baseline))),
                Field::Float(Some(self.in_major_units(self.prediction))),
                Field::Name("amount"),
                Field::Text(Some(self.status.clone())),
            ]
        })
    }

    /// The columns of `ltv.value_contribution`.
    pub fn money(&self) -> Vec<Vec<Field>> {
        let money = |units: i128| Field::Numeric(Some(Minor::of_units(units).text(self.digits)));
        self.each(|at, part, units| {
            vec![
                Field::Int4(Some(at as i32 + 1)),
                Field::Text(Some(part.feature.clone())),
                Field::Text(part.value.clone()),
                money(units),
                direction(units as f64),
                money(self.baseline),
                money(self.prediction),
                Field::Text(self.currency.clone()),
                Field::Text(Some(self.status.clone())),
            ]
        })
    }
}
