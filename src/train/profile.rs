//! What the registry keeps of the training rows: how each feature and the predictions were distributed.

use ltv_engine::Result;
use pgrx::JsonB;
use pgrx::spi::{SpiClient, quote_identifier, quote_literal};

use crate::pg::varlena::Value;
use crate::train::evaluate::median_event_time;
use crate::train::request::Request;
use crate::train::source::{Column, Source};
use crate::train::{Trained, spi};

/// The profiles of the training rows, taken in one scan by the aggregate that people call, as JSON for the registry.
pub fn taken(client: &SpiClient, source: &Source, request: &Request, trained: &Trained) -> Result<Option<JsonB>> {
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
    inputs.push(("duration", request.duration.clone(), None, source.duration.clone()));
    let horizon = request.horizon.or_else(|| median_event_time(&trained.pooled)).filter(|horizon| *horizon > 0.0);
    if let Some(horizon) = horizon {
        // The features alone: a model may need a row type of its own, and other columns are none of its business. `q.*` is
        // the row also where a column is called q.
        let row: Vec<String> = source.scored().map(|column: &Column| column.sql()).collect();
        let value = match row.is_empty() {
            true => format!("ltv.renewal_probability($1, ROW(), {horizon:?})"),
            false => format!(
                "(SELECT ltv.renewal_probability($1, q.*, {horizon:?}) FROM (SELECT {}) AS q ({}))",
                row.join(", "),
                source.scored().map(|column| quote_identifier(&column.name)).collect::<Vec<_>>().join(", ")
            ),
        };
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
        source.from,
        source.training(),
    );
    let model = Value(trained.model.clone());
    spi(spi(client.select(&query, None, &[model.into()]))?.first().get_one::<JsonB>())
}
