//! What a version must be suspected of: coefficients with a sign that nobody expects, features that know the outcome.

use ltv_engine::Result;
use ltv_engine::model::features::Feature;
use ltv_engine::model::{Fit, Model};

use crate::pg::reader::Reader;
use crate::train::clauses::Sign;
use crate::train::request::Request;
use crate::train::source::Source;
use crate::train::{Trained, direction, leakage};

/// Signs that are not as expected, by model and segment; leakage suspects.
pub fn warnings(reader: &Reader, source: &Source, request: &Request, trained: &Trained) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    match &trained.model.fit {
        Fit::Segmented(segmented) => {
            unexpected(request, &segmented.pooled, "", &mut warnings)?;
            warnings.extend(direction::unexpected(reader, source, request, trained, &segmented.pooled, "")?);
            for segment in &segmented.segments {
                if let Some(model) = segment.model() {
                    let (place, rows) = (format!("segment {}: ", segment.name()), source.of_segment(&segment.levels));
                    unexpected(request, model, &place, &mut warnings)?;
                    warnings.extend(direction::unexpected(reader, &rows, request, trained, model, &place)?);
                }
            }
        }
        _ => {
            unexpected(request, &trained.model, "", &mut warnings)?;
            warnings.extend(direction::unexpected(reader, source, request, trained, &trained.model, "")?);
        }
    }
    for feature in leakage::alone(reader, source, request, trained.n_rows)? {
        warnings.extend(feature.suspicion(&feature.name).map(|why| format!("leakage suspect: {why}")));
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
    // A model of two parts has two coefficients of each term, under the names of the parts.
    let parts: &[&str] = if matches!(model.fit, Fit::TwoPart(_)) { &["occurrence: ", "amount: "] } else { &[""] };
    for (name, sign) in &request.expected_signs {
        let own: Vec<String> = model
            .features
            .iter()
            .filter(|feature| feature.name == *name)
            .flat_map(Feature::terms)
            .filter(|term| !term.ends_with(" is null"))
            .flat_map(|term| parts.iter().map(move |part| format!("{part}{term}")))
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
