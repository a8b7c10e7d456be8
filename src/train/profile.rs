//! What the registry keeps of the training rows: how each feature and the predictions were distributed.

use ltv_engine::Result;
use ltv_engine::model::Fit;
use ltv_engine::model::amount_explain::AmountScale;
use ltv_engine::model::segments::Segment;
use pgrx::JsonB;
use pgrx::spi::quote_literal;
use serde_json::json;

use crate::pg::reader::Reader;
use crate::pg::varlena::Value;
use crate::train::Trained;
use crate::train::amount::said;
use crate::train::limits;
use crate::train::places;
use crate::train::request::Request;
use crate::train::source::Source;

/// Rows held out, of a segment with limits of its own, at least: what they cover is then within 90 and 99 %, 95 times of 100.
const LEAST_OF_SEGMENT: usize = 100;

/// The profiles of the training rows, taken in one scan by the aggregate that people call, as JSON for the registry. Rows
/// that were dropped for a NULL count too: later rows come as these came, with their NULLs.
pub fn taken(
    reader: &Reader,
    source: &Source,
    request: &Request,
    trained: &Trained,
    held_out: i64,
) -> Result<Option<JsonB>> {
    let kinds = &trained.model.features;
    let mut inputs = Vec::new();
    for feature in kinds {
        let Some(column) = source.scored().find(|column| column.name == feature.name) else { continue };
        let value = match feature.kind.is_text() {
            true => format!("{}::text", column.sql()),
            false if column.is_boolean() => format!("{}::int4::float8", column.sql()),
            false => format!("{}::float8", column.sql()),
        };
        inputs.push(("feature", feature.name.clone(), None, value));
    }
    inputs.extend(
        source.history.iter().flat_map(|history| history.inputs().into_iter().chain(history.predictions(request))),
    );
    if !request.duration.is_empty() {
        inputs.push(("duration", request.duration.clone(), None, source.duration.clone()));
    }
    let horizon = match &trained.model.of_all().fit {
        Fit::Amount(_) | Fit::TwoPart(_) | Fit::BoostedValue(_) => {
            inputs.push(("prediction", "expected_value".into(), None, said(source, "expected_value", "")));
            None
        }
        Fit::Hybrid(fit) => {
            // What it is worth may need terms that are told when it is asked.
            if fit.terms()?.is_some() {
                inputs.push(("prediction", "expected_value".into(), None, said(source, "expected_value", "")));
            }
            None
        }
        _ if source.history.is_some() => None,
        Fit::Renewal(fit) => Some(fit.period),
        _ => trained.horizon,
    };
    if let Some(horizon) = horizon {
        let value = said(source, "renewal_probability", &format!(", {horizon:?}"));
        inputs.push(("prediction", "event_probability".into(), Some(horizon), format!("1 - {value}")));
    }
    let literals = |texts: Vec<String>| texts.join(", ");
    let query = format!(
        "SELECT jsonb_agg(jsonb_build_object('role', i.role, 'input', i.input, 'horizon', i.horizon, 'profile', i.profile::text) ORDER BY i.place)
         FROM (SELECT ARRAY[{}]::text[] AS roles, ARRAY[{}]::text[] AS inputs, ARRAY[{}]::float8[] AS horizons,
                      ARRAY[{}]::ltv.profile[] AS profiles FROM {} WHERE {}) AS p,
              unnest(p.roles, p.inputs, p.horizons, p.profiles) WITH ORDINALITY AS i (role, input, horizon, profile, place)
         WHERE i.profile IS NOT NULL AND $1 IS NOT NULL",
        literals(inputs.iter().map(|input| quote_literal(input.0)).collect()),
        literals(inputs.iter().map(|input| quote_literal(&input.1)).collect()),
        literals(inputs.iter().map(|input| input.2.map_or("NULL".into(), |horizon| format!("{horizon:?}"))).collect()),
        literals(inputs.iter().map(|input| format!("ltv.profile_agg({})", input.3)).collect()),
        source.scored_from(),
        source.offered(),
    );
    let model = Value(trained.model.clone());
    let mut profiles = reader.select(&query, &[model.into()])?.first().get_one::<JsonB>()?;
    let errors = errors(reader, source, request, trained)?;
    let limits = limits::known(reader, source, request, trained, held_out)?;
    let places = places::known(reader, source, request, trained, held_out)?;
    if let Some(JsonB(serde_json::Value::Array(all))) = &mut profiles {
        all.extend(errors);
        all.extend(limits);
        all.extend(places);
    }
    Ok(profiles)
}

/// How far the expected amounts of the rows held out were from what they were: in units of the expectation where that is
/// greater than 0 by the model, so that intervals made of them are wide where amounts are large. Of all rows, and of each
/// segment that has a model of its own, as each of these errs in its own way (Mondrian conformal prediction: Vovk, Gammerman
/// & Shafer 2005, section 4.5).
fn errors(reader: &Reader, source: &Source, request: &Request, trained: &Trained) -> Result<Vec<serde_json::Value>> {
    let values_rows = match &trained.model.fit {
        Fit::Hybrid(fit) => fit.terms()?.is_some(),
        _ => trained.model.amount_scale().is_some(),
    };
    if !values_rows || request.target.is_none() || request.holdout.is_none() {
        return Ok(Vec::new());
    }
    let (input, error) = match trained.model.amount_scale() {
        Some(AmountScale::Logarithm) => ("relative_error", "abs(y - e) / nullif(e, 0)"),
        _ => ("absolute_error", "abs(y - e)"),
    };
    let (alone, segment) = match &trained.model.fit {
        Fit::Segmented(segmented) => {
            let alone = segmented.segments.iter().filter(|segment| segment.model().is_some());
            (alone.map(Segment::name).collect(), said(source, "segment_of", ""))
        }
        _ => (Vec::new(), "NULL::text".to_owned()),
    };
    let query = format!(
        "SELECT segment, ltv.profile_agg({error})::text FROM (SELECT {} AS y, {} AS e, {segment} AS segment FROM {} WHERE {}) AS q
         WHERE e IS NOT NULL GROUP BY GROUPING SETS ((), (segment))
         HAVING grouping(segment) = 1 OR segment = ANY ($2) AND count({error}) >= {LEAST_OF_SEGMENT} ORDER BY segment COLLATE \"C\" NULLS FIRST",
        source.duration,
        said(source, "expected_value", ""),
        source.scored_from(),
        source.held_out()
    );
    let model = Value(trained.model.clone());
    let mut kept = Vec::new();
    for row in reader.select(&query, &[model.into(), alone.into()])? {
        let (segment, Some(profile)) = (row.get::<String>(1)?, row.get::<String>(2)?) else { continue };
        let mut entry = json!({"role": "error", "input": input, "horizon": null, "profile": profile});
        if let Some(segment) = segment {
            entry["segment"] = segment.into();
        }
        kept.push(entry);
    }
    Ok(kept)
}
