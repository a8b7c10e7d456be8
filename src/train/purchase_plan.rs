//! What the plan says of customers.

use ltv_engine::{Error, Result};

use crate::pg::reader::Reader;
use crate::pg::settings;
use crate::train::count::{Counted, Split};
use crate::train::plan::SECONDS_PER_ROW;
use crate::train::plan_line::{Line, Verdict};
use crate::train::purchases::{History, beyond};
use crate::train::request::Request;
use crate::train::source::Source;

/// Fewer customers with repeat purchases per parameter than this and the estimates are unstable.
const PER_PARAMETER: i64 = 10;
/// What the sample and the fit hold of each history that differs from others.
const BYTES_PER_HISTORY: f64 = 160.0;
/// What a fit takes for each of these, in seconds: an order of magnitude.
const SECONDS_PER_HISTORY: f64 = 2e-5;

/// Whether the ages are those of the day of the knowledge.
pub fn ages(source: &Source, request: &Request, rows: i64) -> Result<Option<Line>> {
    let dated = request.started_on.as_ref().and(request.as_of.as_ref());
    let Some((customers, day)) = request.algorithm.customers().zip(dated) else { return Ok(None) };
    let Some((_, age)) = customers.columns.get(2) else {
        let detail = format!("mean values have no age: they are taken as known on {day}");
        return Ok(Some(Line::new("knowledge", detail).is(Verdict::Warning)));
    };
    let line = Line::new("knowledge", format!("no age ends after {day}")).of(age).n(rows);
    Ok(Some(line.unless(beyond(rows, source, request))?))
}

/// Who came again, and what the model is held against.
pub fn lines(
    reader: &Reader,
    source: &Source,
    history: &History,
    request: &Request,
    (split, too_few): (&Split, Option<Error>),
) -> Result<Vec<Line>> {
    let (again, rows) = (split.events, split.training);
    let parameters = history.parameters() as i64;
    let detail = match request.min_events {
        Some(least) => format!("customers with repeat purchases; min_events is {least}"),
        None => "customers with repeat purchases among the training rows; value is their share".into(),
    };
    let line = Line::new("events", detail).n(again).value(Some(again as f64 / rows.max(1) as f64));
    let mut lines = vec![line.unless(too_few)?];
    lines.push(
        Line::new(
            "events per coefficient",
            format!("{parameters} parameters; fewer than 10 customers with repeat purchases each are unstable"),
        )
        .n(parameters)
        .value(Some(again as f64 / parameters as f64))
        .is(if again < PER_PARAMETER * parameters { Verdict::Warning } else { Verdict::Ok }),
    );
    if history.customers.is_of_spend() {
        let [frequency, mean] = &history.numbers[..] else { return Ok(lines) };
        let query = format!(
            "SELECT corr({frequency}, {mean}) FROM {} WHERE {} AND {frequency} > 0 AND {mean} < 'Infinity'",
            source.from,
            source.training()
        );
        let found = reader.select(&query, &[])?.first().get_one::<f64>()?;
        let detail = "correlation of frequency and mean value, which the model takes to be independent";
        let verdict = if found.is_some() { Verdict::Note } else { Verdict::Ok };
        lines.push(Line::new("independence", detail).value(found).is(verdict));
        if again < rows {
            let detail = "customers without a repeat purchase: left out of the fit";
            lines.push(Line::new("left out", detail).n(rows - again).is(Verdict::Note));
        }
    }
    lines.push(match (&request.target, &request.holdout) {
        (None, _) => Line::new("holdout", "no target: nothing will say how well it predicts")
            .n(split.holdout)
            .is(Verdict::Warning),
        (Some(target), None) => {
            let detail =
                "none: judged on the customers that it is fitted to, in the time after, of which the fit knows nothing";
            Line::new("holdout", detail).of(target).n(0).is(Verdict::Note)
        }
        (Some(target), Some(_)) => Line::new("target", "held against what is expected of the rows held out").of(target),
    });
    if let Some(horizon) = request.horizon {
        lines.push(
            Line::new("horizon", "of the expected purchases, from the age on and in its unit").value(Some(horizon)),
        );
    }
    Ok(lines)
}

/// Histories that are the same are counted, not kept: they are looked for only where it matters.
pub fn costs(reader: &Reader, source: &Source, history: &History, counted: &Counted) -> Result<Vec<Line>> {
    let mut histories = counted.split.training as f64;
    let too_much = |histories: f64| settings::budget().check((histories * BYTES_PER_HISTORY) as usize, "the fit").err();
    if too_much(histories).is_some() {
        let query = format!(
            "SELECT count(*) FROM (SELECT DISTINCT {} FROM {} WHERE {}) q",
            history.arguments(),
            source.from,
            source.training()
        );
        let distinct = reader.select(&query, &[])?.first().get_one::<i64>()?;
        histories = distinct.unwrap_or(0) as f64;
    }
    let megabytes = (histories * BYTES_PER_HISTORY / 1_048_576.0).max(1.0).round();
    let seconds = counted.rows as f64 * SECONDS_PER_ROW + histories * SECONDS_PER_HISTORY;
    Ok(vec![
        Line::new("memory", "MB for the histories and the fit, at most; ltv.max_memory_mb bounds it")
            .value(Some(megabytes))
            .unless(too_much(histories))?,
        Line::new("time", "seconds, by order of magnitude").value(Some((seconds * 100.0).ceil() / 100.0)),
    ])
}
