//! The first scan: how many rows each purpose gets, and what must be refused.

use ltv_engine::{Error, Result};
use pgrx::prelude::*;
use pgrx::spi::SpiClient;

use crate::pg::error::{report, settle};
use crate::train::clauses::NullPolicy;
use crate::train::request::Request;
use crate::train::source::Source;
use crate::train::{purchases, spi, values};

/// How many rows each purpose gets.
pub struct Split {
    pub training: i64,
    pub holdout: i64,
    pub dropped: i64,
    /// Training rows with the event, each counting once.
    pub events: i64,
    /// Begun after the day of the knowledge, and left out.
    pub later: i64,
    /// Training rows whose outcome lies beyond that day, and is censored.
    pub cut_off: i64,
}

/// What one scan of the source finds.
pub struct Counted {
    pub rows: i64,
    pub split: Split,
    /// NULLs by column that must have none.
    pub nulls: Vec<i64>,
    /// Rows that were known only after the day of the knowledge.
    pub known_later: i64,
    /// Rows with a value that cannot be learnt from.
    pub faulty: i64,
}

impl Counted {
    /// Refuses what cannot be learnt from: rows that know too much, and NULLs that nobody has spoken for.
    pub fn accept(&self, source: &Source, request: &Request) -> Result<()> {
        if let Some(refusal) = self.knows_too_much(source, request) {
            return Err(refusal);
        }
        let null = source.used.iter().zip(&self.nulls).find(|(_, nulls)| **nulls > 0);
        if let (Some((column, nulls)), true) = (null, request.null_policy != NullPolicy::Drop) {
            report(
                PgSqlErrorCode::ERRCODE_NULL_VALUE_NOT_ALLOWED,
                format!("column \"{}\" of {} is NULL in {nulls} rows", column.name, source.display),
                match request.algorithm.is_boosted() {
                    _ if source.history.is_some() && request.target.as_ref() == Some(&column.name) => {
                        "Who bought nothing later bought 0: coalesce(later, 0) in a view. Or train with null_policy => 'drop', which leaves these customers out."
                    }
                    _ if source.history.is_some() => {
                        "Fill it in a view, or train with null_policy => 'drop', which leaves these customers out."
                    }
                    true => {
                        "Fill it in a view, leave the column out, or train with null_policy => 'drop'; of features trees learn with 'learn', 'impute' and 'indicator' fill them."
                    }
                    false => {
                        "Fill it in a view, leave the column out, or train with null_policy => 'drop'; 'impute' and 'indicator' fill features."
                    }
                },
            );
        }
        Ok(())
    }

    /// What is wrong with the values of the rows, as an error.
    pub fn first_fault(&self, client: &SpiClient, source: &Source, request: &Request) -> Option<Error> {
        (self.faulty > 0).then(|| settle(values::faults(client, source, request)).first().map(values::Fault::error))?
    }

    pub fn knows_too_much(&self, source: &Source, request: &Request) -> Option<Error> {
        if let Some(refusal) = purchases::beyond(self.split.cut_off, source, request) {
            return Some(refusal);
        }
        let (known_on, day) = request.known_on.as_ref().zip(request.as_of.as_ref())?;
        let what = format!(
            "as_of {day} cannot be honoured: {} rows of {} were known only later, by {known_on}",
            self.known_later, source.display
        );
        let hint = "Build the source as it was known on that day (ltv.timeline_query and what builds on it take as_of), or filter it.";
        (self.known_later > 0).then(|| Error::invalid(what, hint))
    }
}

/// Counts the rows.
pub fn count(client: &SpiClient, source: &Source, request: &Request) -> Result<Counted> {
    let nulls: String = source
        .used
        .iter()
        .map(|column| format!(", count(*) FILTER (WHERE {} AND {})", source.begun, source.lacks(column)))
        .collect();
    let or_none = |condition: &Option<String>| condition.clone().unwrap_or_else(|| "false".to_owned());
    let query = format!(
        "SELECT count(*) FILTER (WHERE {holdout} AND {begun}), count(*) FILTER (WHERE {begun} AND NOT ({complete})),
                count(*) FILTER (WHERE {training}), count(*) FILTER (WHERE NOT {begun}),
                count(*) FILTER (WHERE {training} AND {cut_off}), count(*) FILTER (WHERE {later}),
                coalesce(sum(CASE WHEN {training} THEN ({event})::int END), 0)::bigint, count(*),
                count(*) FILTER (WHERE {faulty}){nulls} FROM {from}",
        holdout = source.holdout,
        begun = source.begun,
        complete = source.complete(),
        training = source.training(),
        cut_off = or_none(&source.cut_off),
        later = or_none(&source.known_later),
        event = source.event,
        faulty = values::any(source, request)?,
        from = source.from,
    );
    let row = spi(client.select(&query, None, &[]))?.first();
    let number = |at: usize| spi(row.get::<i64>(at)).map(|count| count.unwrap_or(0));
    let nulls = (0..source.used.len()).map(|at| number(at + 10)).collect::<Result<Vec<_>>>()?;
    Ok(Counted {
        rows: number(8)?,
        nulls,
        known_later: number(6)?,
        faulty: number(9)?,
        split: Split {
            training: number(3)?,
            holdout: number(1)?,
            dropped: number(2)?,
            events: number(7)?,
            later: number(4)?,
            cut_off: number(5)?,
        },
    })
}

/// Refuses what has too few events to learn from.
pub fn enough(request: &Request, split: &Split) -> Result<()> {
    match request.min_events {
        Some(least) if split.events < i64::from(least) => Err(Error::invalid(
            format!(
                "{} {} among {} training rows, but min_events is {least}",
                split.events,
                if request.algorithm.customers().is_some() { "customers with repeat purchases" } else { "events" },
                split.training
            ),
            "Wait for more, take a longer period or a coarser segment, or lower min_events.",
        )),
        _ => Ok(()),
    }
}
