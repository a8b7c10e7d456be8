//! What a version must be suspected of: coefficients with a sign that nobody expects, features that know the outcome.

use ltv_engine::Result;
use ltv_engine::assess::concordance::{Outcomes, concordance};
use ltv_engine::model::features::Feature;
use ltv_engine::model::{Fit, Model};
use pgrx::spi::SpiClient;

use crate::pg::interrupts;
use crate::train::clauses::Sign;
use crate::train::column::Column;
use crate::train::request::Request;
use crate::train::source::Source;
use crate::train::{Trained, spi};

/// A single feature that orders the outcomes this well knows them.
pub const SUSPICIOUS_CONCORDANCE: f64 = 0.95;
/// Rows that one look at a feature reads; more tell no more.
pub const LOOKED_AT: i64 = 20_000;

/// Signs that are not as expected, by model and segment; leakage suspects.
pub fn warnings(client: &SpiClient, source: &Source, request: &Request, trained: &Trained) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    match &trained.model.fit {
        Fit::Segmented(segmented) => {
            unexpected(request, &segmented.pooled, "", &mut warnings)?;
            for segment in &segmented.segments {
                if let Some(model) = segment.model() {
                    unexpected(request, model, &format!("segment {}: ", segment.name()), &mut warnings)?;
                }
            }
        }
        _ => unexpected(request, &trained.model, "", &mut warnings)?,
    }
    for (name, concordance) in concordances(client, source, request, trained.n_rows)? {
        if let Some(concordance) = concordance.filter(|found| *found >= SUSPICIOUS_CONCORDANCE) {
            warnings.push(format!(
                "leakage suspect: {name} alone orders the outcomes with a concordance of {concordance:.3}"
            ));
        }
    }
    Ok(warnings)
}

/// Whether a greater coefficient means a greater risk, a shorter life; of a model of time ratios it is the other way
/// round and the sign expected is that of the coefficient as it is printed.
fn unexpected(request: &Request, model: &Model, place: &str, warnings: &mut Vec<String>) -> Result<()> {
    if request.expected_signs.is_empty() {
        return Ok(());
    }
    let Some(coefficients) = model.coefficients(0.95)? else { return Ok(()) };
    for (name, sign) in &request.expected_signs {
        let own: Vec<String> = model
            .features
            .iter()
            .filter(|feature| feature.name == *name)
            .flat_map(Feature::terms)
            .filter(|term| !term.ends_with(" is null"))
            .collect();
        for row in coefficients.iter().filter(|row| own.contains(&row.term)) {
            let Some(estimate) = row.estimate else { continue };
            let as_expected = match sign {
                Sign::Positive => estimate >= 0.0,
                Sign::Negative => estimate <= 0.0,
            };
            if !as_expected {
                warnings.push(format!(
                    "sanity: {place}the coefficient of {} is {estimate:.4}, expected {}",
                    row.term,
                    sign.name()
                ));
            }
        }
    }
    Ok(())
}

/// How well each number alone orders the outcomes of the training rows (Harrell's C, the greater of the two directions),
/// of about so many of them, chosen by a hash of what they hold. `None` where nothing can be compared.
pub fn concordances(
    client: &SpiClient,
    source: &Source,
    request: &Request,
    rows: i64,
) -> Result<Vec<(String, Option<f64>)>> {
    let numbers: Vec<&Column> =
        source.features.iter().filter(|column| column.is_number() || column.is_boolean()).collect();
    if !request.algorithm.tells_of_time() || numbers.is_empty() {
        return Ok(Vec::new());
    }
    let values: Vec<String> = numbers
        .iter()
        .map(|column| match column.is_boolean() {
            true => format!("{}::int4::float8", column.sql()),
            false => format!("{}::float8", column.sql()),
        })
        .collect();
    let values = values.join(", ");
    let share = (LOOKED_AT as f64 / rows.max(1) as f64).min(1.0);
    let chosen = match share < 1.0 {
        true => format!(
            " AND (hash_record_extended(ROW({}, {values}), 0) & 9223372036854775807) % 1000000 < {}",
            source.duration,
            (share * 1e6) as i64
        ),
        false => String::new(),
    };
    let query = format!(
        "SELECT {}, ({})::int4, {}, {values} FROM {} WHERE {}{chosen}",
        source.duration,
        source.event,
        source.entry.as_deref().unwrap_or("0::float8"),
        source.from,
        source.training(),
    );
    let (mut exits, mut events, mut entries) = (Vec::new(), Vec::new(), Vec::new());
    let mut columns: Vec<Vec<Option<f64>>> = vec![Vec::new(); numbers.len()];
    for row in spi(client.select(&query, None, &[]))? {
        exits.push(spi(row.get::<f64>(1))?.unwrap_or(0.0));
        events.push(spi(row.get::<i32>(2))? == Some(1));
        entries.push(spi(row.get::<f64>(3))?.unwrap_or(0.0));
        for (at, column) in columns.iter_mut().enumerate() {
            column.push(spi(row.get::<f64>(at + 4))?.filter(|value| value.is_finite()));
        }
    }
    let one = |values: &Vec<Option<f64>>| -> Result<Option<f64>> {
        // Who had left before being seen is compared with nobody.
        let known: Vec<usize> =
            (0..exits.len()).filter(|at| values[*at].is_some() && entries[*at] < exits[*at]).collect();
        let pick = |from: &[f64]| known.iter().map(|at| from[*at]).collect::<Vec<f64>>();
        let (exits, entries) = (pick(&exits), pick(&entries));
        let events: Vec<bool> = known.iter().map(|at| events[*at]).collect();
        let risks: Vec<f64> = known.iter().filter_map(|at| values[*at]).collect();
        let outcomes = Outcomes { exits: &exits, events: &events, entries: &entries, weights: &[] };
        let found = concordance(outcomes, &risks, &mut interrupts::check)?.estimate();
        Ok(found.map(|found| found.max(1.0 - found)))
    };
    numbers.iter().zip(&columns).map(|(column, values)| Ok((column.name.clone(), one(values)?))).collect()
}
