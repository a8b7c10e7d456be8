//! What a model says of a row, in SQL.

use ltv_engine::hazard::cox::Status;
use ltv_engine::model::features::Unscorable;
use ltv_engine::model::{Fit, Model};
use ltv_engine::numeric::normal;
use ltv_engine::survival::Survival;
use pgrx::prelude::*;

use crate::pg::call::{Call, Field, ModelBy};
use crate::pg::error::settle;
use crate::pg::varlena::Value;

/// `renewal_probability(model, row, horizon, given)`: the number that fits a SELECT list.
#[inline(always)]
pub fn renewal_probability(call: &Call, by: ModelBy) -> pg_sys::Datum {
    let (Some(horizon), Some(given)) = (call.float(2), call.float(3)) else { return call.null() };
    let probability = call.score(by, |subject| match subject {
        Ok(subject) => settle(subject.renewal_probability(given, horizon)),
        Err(_) => None,
    });
    call.answer_float(probability.flatten())
}

/// `predict(model, row, horizon, given, level)`.
pub fn predict(call: &Call, by: ModelBy) -> pg_sys::Datum {
    let (Some(horizon), Some(given), Some(level)) = (call.float(2), call.float(3), call.float(4)) else {
        return call.null();
    };
    let outlook = call.score(by, |subject| {
        subject.map(|subject| (subject.is_trustworthy(), settle(subject.outlook(given, horizon, level))))
    });
    match outlook {
        None => call.null(),
        Some(Err(why)) => call.answer_tuple(unscored(&why)),
        Some(Ok((trustworthy, outlook))) => {
            let status = match (outlook.renewal_probability, outlook.extrapolated) {
                (None, _) => "no curve at the given age",
                (Some(_), _) if !trustworthy => "the fit is not to be trusted: see model_status",
                (Some(_), true) => "extrapolated",
                (Some(_), false) => "ok",
            };
            call.answer_tuple(vec![
                Field::Float(outlook.renewal_probability.map(|p| 1.0 - p)),
                Field::Float(outlook.renewal_probability),
                Field::Float(outlook.lower),
                Field::Float(outlook.upper),
                Field::Float(outlook.expected_lifetime),
                Field::Float(outlook.linear_predictor),
                Field::Text(Some(status.into())),
            ])
        }
    }
}

fn unscored(why: &Unscorable) -> Vec<Field> {
    let mut fields: Vec<Field> = (0..6).map(|_| Field::Float(None)).collect();
    fields.push(Field::Text(Some(why.to_string())));
    fields
}

/// `predict_curve(model, row)`; NULL for a row that has no score.
pub fn predict_curve(call: &Call, by: ModelBy) -> pg_sys::Datum {
    let curve = call.score(by, |subject| subject.ok().map(|subject| Survival::Fitted(subject.curve()).encode()));
    match curve.flatten() {
        Some(bytes) => call.answer_bytes(&bytes),
        None => call.null(),
    }
}

/// `coefficients(model, level)`: a row per term.
pub fn coefficients(call: &Call) -> pg_sys::Datum {
    let (Some(bytes), Some(level)) = (call.bytes(0), call.float(1)) else { return call.answer_rows(Vec::new()) };
    let model = settle(Model::decode(bytes));
    let rows = settle(model.coefficients(level)).unwrap_or_default();
    call.answer_rows(rows.into_iter().map(|row| {
        vec![
            Field::Text(Some(row.term)),
            Field::Float(row.estimate),
            Field::Float(row.std_error),
            Field::Float(row.robust_std_error),
            Field::Float(row.z),
            Field::Float(row.p_value),
            Field::Float(row.hazard_ratio),
            Field::Float(row.lower),
            Field::Float(row.upper),
        ]
    }))
}

/// `model_test(model)`: does the model as a whole say anything?
pub fn model_test(call: &Call) -> pg_sys::Datum {
    let Some(bytes) = call.bytes(0) else { return call.answer_rows(Vec::new()) };
    let model = settle(Model::decode(bytes));
    let mut tests = Vec::new();
    // With a penalty the statistics follow no chi-squared law.
    if let Fit::Cox(fit) = &model.fit
        && fit.degrees_of_freedom > 0
        && fit.penalty.is_none()
    {
        let (df, robust) = (fit.degrees_of_freedom, fit.robust.as_ref());
        tests.push(("likelihood ratio", fit.likelihood_ratio_test, df));
        tests.push(("wald", robust.map_or(fit.wald_test, |robust| robust.wald_test), df));
        tests.push(("score", fit.score_test, df));
        tests.extend(robust.map(|robust| ("robust score", robust.score_test, df)));
    }
    call.answer_rows(tests.into_iter().map(|(test, chi_squared, df)| {
        vec![
            Field::Text(Some(test.into())),
            Field::Float(Some(chi_squared)),
            Field::Int4(Some(df as i32)),
            Field::Float(Some(normal::chi_squared_upper_tail(chi_squared, df as f64))),
        ]
    }))
}

/// Whether the fit may be believed, in words; `ok` when nothing is wrong.
pub fn status_of(model: &Model) -> String {
    let Fit::Cox(fit) = &model.fit else { return "ok".into() };
    let terms = model.terms();
    let named = |columns: &[usize]| columns.iter().map(|at| terms[*at].as_str()).collect::<Vec<_>>().join(", ");
    match &fit.status {
        Status::NoEvents => "no events".into(),
        Status::NotConverged => "not converged".into(),
        Status::Separated { terms } => format!("separated: {}", named(terms)),
        Status::Converged => {
            let aliased: Vec<usize> =
                (0..fit.coefficients.len()).filter(|at| fit.coefficients[*at].is_none()).collect();
            if aliased.is_empty() { "ok".into() } else { format!("determined by other terms: {}", named(&aliased)) }
        }
    }
}

#[pg_extern(sql = false)]
fn model_status(m: Value<Model>) -> String {
    status_of(&m.0)
}

#[pg_extern(sql = false)]
fn model_algorithm(m: Value<Model>) -> &'static str {
    m.0.algorithm()
}

#[pg_extern(sql = false)]
fn model_features(m: Value<Model>) -> Vec<String> {
    m.0.features.into_iter().map(|feature| feature.name).collect()
}
