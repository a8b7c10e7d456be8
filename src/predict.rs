//! What a model says of a row, in SQL.

use ltv_engine::hazard::cox::Status;
use ltv_engine::model::features::{self, Unscorable};
use ltv_engine::model::{Fit, Model};
use ltv_engine::numeric::normal;
use pgrx::prelude::*;

use crate::pg::call::{Call, Field, ModelBy};
use crate::pg::error::settle;
use crate::pg::varlena::Value;
use crate::pg::varlena::decoded;

/// `renewal_probability(model, row, horizon, given)`: the number that fits a SELECT list.
#[inline(always)]
pub fn renewal_probability(call: &Call, by: ModelBy) -> pg_sys::Datum {
    let (Some(horizon), Some(given)) = (call.float(2), call.float(3)) else { return call.null() };
    call.answer_float(call.renewal_probability(by, given, horizon))
}

/// `predict(model, row, horizon, given, level)`.
pub fn predict(call: &Call, by: ModelBy) -> pg_sys::Datum {
    let (Some(given), Some(level)) = (call.float(3), call.float(4)) else { return call.null() };
    let horizon = call.horizon(2, by);
    let outlook = call.look(by, |model, values| {
        settle(model.check_lifetimes());
        let mut columns = Vec::new();
        let horizon = horizon.or_else(|| settle(model.horizon(None))).unwrap_or_default();
        model.subject(values, &mut columns).map(|subject| {
            let outlook = settle(subject.outlook(given, horizon, level));
            let status = match outlook.renewal_probability {
                None => subject.undefined(given).to_owned(),
                Some(_) => standing(model, values, subject.is_trustworthy(), outlook.extrapolated),
            };
            (status, outlook)
        })
    });
    match outlook {
        None => call.null(),
        Some(Err(why)) => call.answer_tuple(unscored(&why)),
        Some(Ok((status, outlook))) => call.answer_tuple(vec![
            Field::Float(outlook.renewal_probability.map(|p| 1.0 - p)),
            Field::Float(outlook.renewal_probability),
            Field::Float(outlook.lower),
            Field::Float(outlook.upper),
            Field::Float(outlook.expected_lifetime),
            Field::Float(outlook.linear_predictor),
            Field::Text(Some(status)),
        ]),
    }
}

/// What is to be said of the score of a row that has one.
pub fn standing(model: &Model, values: &[features::Value], trustworthy: bool, extrapolated: bool) -> String {
    if !trustworthy {
        return "the fit is not to be trusted: see model_status".into();
    }
    let pooled = model.pooled_because(values).map(|why| format!("pooled: {why}"));
    let beyond = extrapolated.then(|| "extrapolated".to_owned());
    let told: Vec<String> = pooled.into_iter().chain(unlearnt(model, values)).chain(beyond).collect();
    if told.is_empty() { "ok".into() } else { told.join("; ") }
}

/// Which features the row lacks although no training row did.
pub fn unlearnt(model: &Model, values: &[features::Value]) -> Option<String> {
    let names = model.unlearnt(values);
    (!names.is_empty()).then(|| format!("unseen NULL: {}", names.join(", ")))
}

fn unscored(why: &Unscorable) -> Vec<Field> {
    let mut fields: Vec<Field> = (0..6).map(|_| Field::Float(None)).collect();
    fields.push(Field::Text(Some(why.to_string())));
    fields
}

/// `predict_curve(model, row)`; NULL for a row that has no score.
pub fn predict_curve(call: &Call, by: ModelBy) -> pg_sys::Datum {
    let curve = call.score(by, |subject| subject.ok().map(|subject| subject.survival().encode()));
    match curve.flatten() {
        Some(bytes) => call.answer_bytes(&bytes),
        None => call.null(),
    }
}

/// `coefficients(model, level)`: a row per term.
pub fn coefficients(call: &Call) -> pg_sys::Datum {
    let (Some(bytes), Some(level)) = (call.bytes(0), call.float(1)) else { return call.answer_rows(Vec::new()) };
    let model = settle(decoded(bytes, Model::decode));
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
    let model = settle(decoded(bytes, Model::decode));
    let three = |lr: f64, wald: f64, score: f64, df: usize| {
        vec![("likelihood ratio", lr, df), ("wald", wald, df), ("score", score, df)]
    };
    let tests = match &model.fit {
        // With a penalty the statistics follow no chi-squared law.
        Fit::Cox(fit) if !fit.penalty.is_none() => Vec::new(),
        Fit::Cox(fit) => {
            let (df, robust) = (fit.degrees_of_freedom, fit.robust.as_ref());
            let wald = robust.map_or(fit.wald_test, |robust| robust.wald_test);
            let mut tests = three(fit.likelihood_ratio_test, wald, fit.score_test, df);
            tests.extend(robust.map(|robust| ("robust score", robust.score_test, df)));
            tests
        }
        Fit::Renewal(fit) | Fit::DiscreteTime(fit) => {
            three(fit.likelihood_ratio_test, fit.wald_test, fit.score_test, fit.degrees_of_freedom)
        }
        Fit::FineGray(fit) => vec![("wald", fit.wald_test, fit.degrees_of_freedom)],
        Fit::Parametric(fit) if fit.status == Status::NoEvents => Vec::new(),
        Fit::Parametric(fit) => {
            let (statistic, df) = fit.likelihood_ratio_test();
            vec![("likelihood ratio", statistic, df)]
        }
        Fit::KaplanMeier(_)
        | Fit::Contractual(_)
        | Fit::Transactional(_)
        | Fit::BoostedHazard(_)
        | Fit::Segmented(_)
        | Fit::Amount(_)
        | Fit::TwoPart(_)
        | Fit::BoostedValue(_)
        | Fit::Rule(_)
        | Fit::Hybrid(_) => Vec::new(),
    };
    call.answer_rows(tests.into_iter().filter(|(_, _, df)| *df > 0).map(|(test, chi_squared, df)| {
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
    let (status, coefficients) = match &model.fit {
        Fit::Cox(fit) => (&fit.status, &fit.coefficients[..]),
        Fit::Renewal(fit) | Fit::DiscreteTime(fit) => (&fit.status, &fit.coefficients[..]),
        Fit::FineGray(fit) => (&fit.status, &fit.coefficients[..]),
        // The location's coefficients, after its intercept.
        Fit::Parametric(fit) => (&fit.status, &fit.coefficients[1..=fit.location.len()]),
        Fit::Contractual(fit) => return fit.remark(),
        Fit::KaplanMeier(_) | Fit::Rule(_) => return "ok".into(),
        Fit::Amount(_) | Fit::TwoPart(_) | Fit::BoostedValue(_) => return model.amount_status().unwrap_or_default(),
        Fit::Hybrid(fit) => return crate::hybrid::status_of_components(fit),
        Fit::Transactional(fit) => return fit.remark(),
        Fit::BoostedHazard(fit) => return fit.remark(),
        Fit::Segmented(segmented) => return status_of(&segmented.pooled),
    };
    let terms = match &model.fit {
        Fit::Parametric(fit) if fit.status == Status::Converged => {
            let all = model.terms();
            fit.location.iter().map(|covariate| all[*covariate].clone()).collect()
        }
        _ => model.terms(),
    };
    let named = |columns: &[usize]| columns.iter().map(|at| terms[*at].as_str()).collect::<Vec<_>>().join(", ");
    match status {
        Status::NoEvents if matches!(model.fit, Fit::Renewal(_)) => "all decisions are the same".into(),
        Status::NoEvents => "no events".into(),
        Status::NotConverged => "not converged".into(),
        Status::Separated { terms } if terms.is_empty() => "separated: the baseline".into(),
        Status::Separated { terms } => format!("separated: {}", named(terms)),
        Status::Converged => {
            let aliased: Vec<usize> = (0..coefficients.len()).filter(|at| coefficients[*at].is_none()).collect();
            let mut remarks = model.remarks();
            if !aliased.is_empty() {
                // Without an intercept and another coefficient there is nothing that could determine them.
                let alone = aliased.len() == coefficients.len() && matches!(model.fit, Fit::Cox(_) | Fit::FineGray(_));
                let remark = if alone { "undetermined" } else { "determined by other terms" };
                remarks.insert(0, format!("{remark}: {}", named(&aliased)));
            }
            if remarks.is_empty() { "ok".into() } else { remarks.join("; ") }
        }
    }
}

/// What is wrong with a fit, in words. That boosting stopped early is how it ends, and no fault.
pub fn fault_of(model: &Model) -> Option<String> {
    let status = match &model.fit {
        Fit::Hybrid(fit) => return crate::hybrid::told_of_components(fit, fault_of),
        _ => status_of(model),
    };
    (status != "ok" && !status.starts_with("stopped early at")).then_some(status)
}

#[pg_extern(sql = false)]
fn model_status(m: Value<Model>) -> String {
    status_of(&m.0)
}

#[pg_extern(sql = false)]
fn model_clusters(m: Value<Model>) -> Option<i64> {
    m.0.cluster_count().map(|clusters| clusters as i64)
}

#[pg_extern(sql = false)]
fn model_algorithm(m: Value<Model>) -> &'static str {
    m.0.algorithm()
}

#[pg_extern(sql = false)]
fn feature_levels(m: Value<Model>, feature: &str) -> Option<Vec<String>> {
    settle(m.0.levels(feature))
}

#[pg_extern(sql = false)]
fn model_features(m: Value<Model>) -> Vec<String> {
    m.0.features.into_iter().map(|feature| feature.name).collect()
}
