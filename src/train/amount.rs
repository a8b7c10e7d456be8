//! Models of amounts, of renewal decisions and of what others said: how they are fitted, and how good they are.
//!
//! The metrics are made in SQL, by one pass over the rows held out, with the functions that people call.

use ltv_engine::amount::Family;
use ltv_engine::assess::calibration::Calibration;
use ltv_engine::model::features::Feature;
use ltv_engine::model::{Fit, Model};
use ltv_engine::survival::Sample;
use ltv_engine::{Error, Result};

use crate::pg::reader::Reader;
use crate::pg::settings;
use crate::pg::varlena::Value;
use crate::train::Trained;
use crate::train::algorithm::Algorithm;
use crate::train::evaluate::Metric;
use crate::train::fit::{covariates, no_features, no_rows};
use crate::train::request::Request;
use crate::train::source::Source;
use crate::train::statement::number;

/// The model of an algorithm that learns nothing from the rows – a rule, a hybrid –, and in `request` the columns it reads.
pub fn given(reader: &Reader, request: &mut Request) -> Result<Option<Model>> {
    let Some(made) = request.algorithm.without_rows() else { return Ok(None) };
    let made = reader.select(&format!("SELECT {made}"), &[])?.first().get_one::<Value<Model>>()?;
    let Some(Value(model)) = made else { return Err(Error::invalid("there is no such model", "Check the options.")) };
    let names: Vec<String> = model.features.iter().map(|feature| feature.name.clone()).collect();
    if !request.features.is_empty() && request.features != names {
        return Err(Error::invalid(
            match names.is_empty() {
                true => format!("this {} model has no features", model.algorithm()),
                false => format!("this {} model has features of its own: {}", model.algorithm(), names.join(", ")),
            },
            "Leave features out.",
        ));
    }
    if let Fit::Hybrid(fit) = &model.fit {
        // Its components have learnt what a NULL counts as; the price of a row is nobody's but the row's.
        request.may_lack = names.iter().filter(|name| Some(*name) != fit.revenue.as_ref()).cloned().collect();
    }
    request.features = names;
    Ok(Some(model))
}

/// Fits the amounts of the training rows, or counts the rows for a model that is given.
pub fn fit(
    reader: &Reader,
    source: &Source,
    request: &Request,
    features: Vec<Feature>,
    given: Option<Model>,
) -> Result<Trained> {
    let columns = covariates(source, &features);
    if columns.is_empty() && request.algorithm.needs_features() {
        return Err(no_features(request));
    }
    let columns = columns.join(", ");
    let (amount, weight) = (&source.duration, source.weight.as_deref());
    let design = if source.is_incomplete {
        let weight = weight.unwrap_or("1");
        format!("ltv.incomplete_amount_design_agg({amount}, ARRAY[{columns}]::float8[], {weight}, 0)")
    } else {
        let rest = match (weight, &source.cluster) {
            (None, None) => String::new(),
            (Some(weight), None) => format!(", {weight}"),
            (weight, Some(cluster)) => format!(", {}, 0, {cluster}", weight.unwrap_or("1")),
        };
        format!("ltv.amount_design_agg({amount}, ARRAY[{columns}]::float8[]{rest})")
    };
    let fitted = request.algorithm.call(&design, &features)?;
    let query = format!(
        "SELECT count(*), {} FROM {} WHERE {}",
        fitted.as_deref().unwrap_or("NULL::ltv.model"),
        source.from,
        source.training()
    );
    let row = reader.select(&query, &[])?.first();
    let n_rows = row.get::<i64>(1)?.unwrap_or(0);
    if n_rows == 0 {
        return Err(no_rows(source));
    }
    let model = match (given, row.get::<Value<Model>>(2)?) {
        (Some(model), _) => model,
        (None, Some(Value(model))) => model.with_features(features)?,
        (None, None) => return Err(no_rows(source)),
    };
    Ok(Trained { model, pooled: Sample::default(), n_rows, candidates: Vec::new(), horizon: None })
}

/// The expression of what the model `$1` says of a row of [`Source::scored_from`], by `function`, its further arguments in
/// `rest`: of the features alone, as a model may need a row type of its own, and other columns are none of its business.
pub fn said(source: &Source, function: &str, rest: &str) -> String {
    let row = if source.scored().next().is_none() { "ROW()" } else { "ltv_row.*" };
    format!("ltv.{function}($1, {row}{rest})")
}

/// What a row adds to the deviance, of an amount y and its expectation e; `None` where the model has no one deviance.
fn deviance(model: &Model) -> Option<String> {
    Some(match model.amount_family()? {
        Family::Linear => "(y - e) ^ 2".into(),
        Family::Gamma => "2 * ((y - e) / e - ln(y / e))".into(),
        Family::Tweedie { power } => {
            let (one, two) = (number(1.0 - power), number(2.0 - power));
            format!("2 * (y ^ {two} / ({one} * {two}) - y * e ^ {one} / {one} + e ^ {two} / {two})")
        }
    })
}

/// RMSE, MAE, bias and deviance of the expected amounts on the rows held out, beside those of the training rows' mean.
pub fn metrics(
    reader: &Reader,
    source: &Source,
    request: &Request,
    trained: &Trained,
    warnings: &mut Vec<String>,
) -> Result<Vec<Metric>> {
    if request.target.is_none() {
        warnings.push("no target: nothing here says how well it predicts".into());
        return Ok(Vec::new());
    }
    let weight = source.weight.as_deref().unwrap_or("1::float8");
    let y = &source.duration;
    let mean = format!("SELECT sum({weight} * {y}) / sum({weight}) FROM {} WHERE {}", source.from, source.training());
    let mean = reader.select(&mean, &[])?.first().get_one::<f64>()?;
    let Some(mean) = mean.filter(|mean| mean.is_finite()) else { return Ok(Vec::new()) };
    let held_out = if request.holdout.is_some() { source.held_out() } else { source.training() };
    let mut sums = vec![
        "sqrt(sum(w * (y - e) ^ 2) / sum(w))".to_owned(),
        "sum(w * abs(y - e)) / sum(w)".to_owned(),
        "sum(w * (e - y)) / sum(w)".to_owned(),
    ];
    // A holdout may have amounts that the family cannot have.
    let family = trained.model.amount_family();
    let positive = family == Some(Family::Gamma);
    let least = if positive { "bool_and(y > 0)" } else { "bool_and(y >= 0)" };
    let any = family == Some(Family::Linear);
    let least = if any { "true" } else { least };
    sums.extend(deviance(&trained.model).map(|term| format!("CASE WHEN {least} THEN sum(w * {term}) / sum(w) END")));
    // The baseline is judged by the rows that the model has a value for.
    let expected = said(source, "expected_value", "");
    let of = |judged: &str| {
        format!(
            "WITH said AS MATERIALIZED (SELECT {y} AS y, {weight} AS w, {expected} AS said FROM {} WHERE {held_out})
             SELECT {}, count(*), (SELECT count(*) FROM said WHERE said IS NULL) FROM (SELECT y, w, {judged} AS e FROM said WHERE said IS NOT NULL) AS judged",
            source.scored_from(),
            sums.join(", ")
        )
    };
    let model = || Value(trained.model.clone());
    let own = reader.select(&of("said"), &[model().into()])?.first();
    let naive = reader.select(&of(&number(mean)), &[model().into()])?.first();
    let count = |at: usize| own.get::<i64>(at).map(|count| count.unwrap_or(0));
    let (rows, unscored) = (count(sums.len() + 1)?, count(sums.len() + 2)?);
    if unscored > 0 {
        let rows = if request.holdout.is_some() { "rows held out" } else { "rows" };
        warnings.push(format!("{unscored} {rows} could not be scored"));
    }
    let mut place = "";
    if request.holdout.is_none() {
        warnings.push("no holdout: nothing here says how well it predicts".into());
        place = " in sample";
    } else if rows == 0 {
        warnings.push("the holdout is empty".into());
        return Ok(Vec::new());
    }
    let mut metrics = Vec::new();
    for (at, name) in ["rmse", "mae", "bias", "deviance"].into_iter().enumerate().take(sums.len()) {
        metrics.push(Metric {
            name: format!("{name}{place}"),
            value: own.get::<f64>(at + 1)?,
            baseline: naive.get::<f64>(at + 1)?,
            named: Some("mean"),
            is_loss: name != "bias",
        });
    }
    Ok(metrics)
}

/// Log loss, Brier score and AUC of the probability to renew on the rows held out, beside the training rows' rate.
pub fn renewal_metrics(
    reader: &Reader,
    source: &Source,
    request: &Request,
    trained: &Trained,
    warnings: &mut Vec<String>,
) -> Result<Vec<Metric>> {
    let Algorithm::Renewal { period, .. } = request.algorithm else { return Ok(Vec::new()) };
    let weight = source.weight.as_deref().unwrap_or("1");
    let probability = said(source, "renewal_probability", &format!(", {}", number(period)));
    let held_out = if request.holdout.is_some() { source.held_out() } else { source.training() };
    let query = format!(
        "SELECT ltv.calibration_agg({probability}, {}, {weight}), count(*) FROM {} WHERE {held_out}",
        source.event,
        source.scored_from()
    );
    let model = Value(trained.model.clone());
    let row = reader.select(&query, &[model.into()])?.first();
    let found = row.get::<Value<Calibration>>(1)?;
    let mut place = "";
    if request.holdout.is_none() {
        warnings.push("no holdout: nothing here says how well it predicts".into());
        place = " in sample";
    }
    let Some(Value(found)) = found.filter(|found| !found.0.is_empty()) else {
        warnings.push("the holdout is empty".into());
        return Ok(Vec::new());
    };
    if found.skipped() > 0 {
        warnings.push(format!("{} rows held out could not be scored", found.skipped()));
    }
    let rate = trained.pooled.events() / trained.pooled.subjects();
    let mut naive = Calibration::default();
    for (outcome, weight) in [(true, found.positives()), (false, found.negatives())] {
        if weight > 0.0 {
            naive.add_weighted(rate, outcome, weight, settings::budget())?;
        }
    }
    let metric = |name: &str, value, (baseline, named), is_loss| Metric {
        name: format!("{name}{place}"),
        value,
        baseline,
        named: Some(named),
        is_loss,
    };
    Ok(vec![
        metric("log loss", found.log_loss(), (naive.log_loss(), "event rate"), true),
        metric("brier", found.brier(), (naive.brier(), "event rate"), true),
        metric("auc", found.auc(), (Some(0.5), "chance"), false),
    ])
}
