//! Expected signs of a model that has no coefficients: which may be asked, and which way its predictions go.
//!
//! Trees are asked by partial dependence (Friedman 2001): the mean prediction of training rows if each had the value of a
//! decile of the feature, from the lowest to the highest.

use ltv_engine::model::features::Feature;
use ltv_engine::model::{Fit, Model};
use ltv_engine::{Error, Result};
use pgrx::spi::quote_identifier;

use crate::pg::reader::Reader;
use crate::pg::varlena::Value;
use crate::train::Trained;
use crate::train::algorithm::Algorithm;
use crate::train::amount::said;
use crate::train::clauses::Sign;
use crate::train::request::Request;
use crate::train::source::Source;

/// Rows are asked as many times as there are deciles; the mean of so many is known well enough for its direction.
const ROWS: usize = 1000;

/// Refuses signs that no fit of this algorithm can have, before anything is fitted.
///
/// # Errors
/// [`Error::Invalid`] for an algorithm in which no feature raises or lowers anything, a category by trees, and a monotone
/// constraint against the sign.
pub fn check(request: &Request, features: &[Feature]) -> Result<()> {
    let Some((first, _)) = request.expected_signs.first() else { return Ok(()) };
    let refused = |why: &str, hint: &str| {
        let name = &request.algorithm_name;
        Err(Error::invalid(format!("expected_signs cannot be checked of {name}: {why}"), hint))
    };
    let growth = match &request.algorithm {
        Algorithm::KaplanMeier => {
            return refused(
                &format!("\"{first}\" makes groups, between which nothing rises or falls"),
                "Use cox or another model with coefficients, or leave expected_signs out.",
            );
        }
        Algorithm::Rule { .. } => {
            return refused("it says what was written down", "Read the rule; leave expected_signs out.");
        }
        Algorithm::Hybrid { .. } => {
            return refused(
                "its components were trained before",
                "Give them when the components are trained; leave them out here.",
            );
        }
        Algorithm::BoostedHazard(growth) | Algorithm::BoostedValue { growth, .. } => growth,
        _ => return Ok(()),
    };
    for (name, sign) in &request.expected_signs {
        if features.iter().any(|feature| feature.name == *name && feature.kind.is_text()) {
            return refused(
                &format!("\"{name}\" is a category: nothing rises or falls with it"),
                "Trees take a sign for a number or a boolean; partial_dependence tells of a category.",
            );
        }
        if let Some((_, direction)) =
            growth.directions().find(|(of, direction)| of == name && sign.is_against(*direction))
        {
            return Err(Error::invalid(
                format!("monotone makes \"{name}\" {direction:+}, expected_signs expects {}", sign.name()),
                "One of the two is wrong: 1 is +, -1 is -.",
            ));
        }
    }
    Ok(())
}

/// Signs of trees that are not as expected, of which `source` has the rows.
pub fn unexpected(
    reader: &Reader,
    source: &Source,
    request: &Request,
    trained: &Trained,
    model: &Model,
    place: &str,
) -> Result<Vec<String>> {
    let said = match &model.fit {
        Fit::BoostedValue(_) => said(source, "expected_value", ""),
        Fit::BoostedHazard(_) => {
            let horizon = trained.horizon;
            let Some(horizon) = horizon.filter(|horizon| *horizon > 0.0) else { return Ok(Vec::new()) };
            format!("1 - {}", said(source, "renewal_probability", &format!(", {horizon:?}")))
        }
        _ => return Ok(Vec::new()),
    };
    let mut warnings = Vec::new();
    for (name, sign) in request.expected_signs.iter().filter(|(name, _)| model.features.iter().any(|f| f.name == *name))
    {
        let at = dependence(reader, source, model, name, &said)?;
        let expected = sign.name();
        match change(&at) {
            None => {}
            Some(0.0) => {
                warnings.push(format!("sanity: {place}{name} has no effect on what is predicted, expected {expected}"));
            }
            Some(change) if sign.is_against(if change > 0.0 { 1 } else { -1 }) => {
                warnings.push(format!(
                    "sanity: {place}the partial dependence on {name} is {change:.4}, expected {expected}"
                ));
            }
            Some(_) => {}
        }
    }
    Ok(warnings)
}

/// The mean prediction at each decile of a feature, from the lowest value to the highest.
fn dependence(reader: &Reader, source: &Source, model: &Model, name: &str, said: &str) -> Result<Vec<f64>> {
    let columns: Vec<_> = source.scored().collect();
    let Some(own) = columns.iter().find(|column| column.name == name) else { return Ok(Vec::new()) };
    let (own_name, type_name) = (quote_identifier(name), &own.type_name);
    let row: Vec<String> = columns
        .iter()
        .map(|column| match column.name == name {
            true => format!("d.x AS {own_name}"),
            false => format!("r.{}", quote_identifier(&column.name)),
        })
        .collect();
    // The rows are drawn by what they hold, so that their order does not matter.
    let query = format!(
        "WITH r AS MATERIALIZED (SELECT ltv_row.* FROM {} WHERE {} ORDER BY md5(ltv_row::text) LIMIT {ROWS}),
              d AS MATERIALIZED (SELECT q.at, CAST(q.x AS {type_name}) AS x FROM (SELECT percentile_disc(ARRAY[0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]) WITHIN GROUP (ORDER BY r.{own_name}) AS xs FROM r WHERE r.{own_name} IS NOT NULL) AS p,
                                 unnest(p.xs) WITH ORDINALITY AS q (x, at))
         SELECT CASE WHEN (SELECT count(DISTINCT d.x) FROM d) > 1 THEN array_agg(m.mean ORDER BY m.at) END FROM (SELECT d.at, avg(({said})::float8) AS mean FROM d CROSS JOIN r CROSS JOIN LATERAL (SELECT {}) AS ltv_row GROUP BY d.at) AS m
         WHERE $1 IS NOT NULL AND m.mean IS NOT NULL",
        source.scored_from(),
        source.training(),
        row.join(", "),
    );
    let found = reader.select(&query, &[Value(model.clone()).into()])?;
    Ok(found.first().get_one::<Vec<f64>>()?.unwrap_or_default())
}

/// By how much it rises from the first decile to the last, by the straight line through all of them (least squares); 0
/// where it stays the same. `None` without values.
fn change(at: &[f64]) -> Option<f64> {
    let n = at.len() as f64;
    let (lowest, highest) = (at.iter().copied().reduce(f64::min)?, at.iter().copied().reduce(f64::max)?);
    // Means of the same numbers in another order differ in the last digits.
    if highest - lowest <= 1e-12 * highest.abs().max(lowest.abs()) {
        return Some(0.0);
    }
    let middle = (n - 1.0) / 2.0;
    let places = || (0..at.len()).map(|i| i as f64 - middle);
    let spread: f64 = places().map(|place| place * place).sum();
    Some(places().zip(at).map(|(place, value)| place * value).sum::<f64>() / spread * (n - 1.0))
}

impl Sign {
    /// Whether a rise (1) or a fall (−1) is the other way; neither is against any.
    fn is_against(self, direction: i8) -> bool {
        match self {
            Sign::Positive => direction < 0,
            Sign::Negative => direction > 0,
        }
    }
}
