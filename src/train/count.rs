//! The first scan: how many rows each purpose gets, and what must be refused.

use ltv_engine::{Error, Result};
use pgrx::prelude::*;

use crate::pg::error::{report, settle};
use crate::pg::reader::Reader;
use crate::train::clauses::{HoldoutRule, NullPolicy};
use crate::train::column::Column;
use crate::train::plan_line::{Line, Verdict, told};
use crate::train::request::Request;
use crate::train::source::{Source, all};
use crate::train::{fit, purchases, values};

/// How many rows each purpose gets.
pub struct Split {
    pub training: i64,
    /// Held out, and nothing that is used is NULL.
    pub holdout: i64,
    /// Held out, those that are dropped included.
    pub held_out: i64,
    /// Something that is used is NULL, whether for training or held out.
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
        if let Some(Unspoken { message, hint, .. }) = self.unspoken(source, request).next() {
            report(PgSqlErrorCode::ERRCODE_NULL_VALUE_NOT_ALLOWED, message, hint);
        }
        Ok(())
    }

    /// The columns with NULLs that nobody has spoken for.
    pub fn unspoken<'a>(&'a self, source: &'a Source, request: &'a Request) -> impl Iterator<Item = Unspoken<'a>> {
        let is_asked = request.null_policy != NullPolicy::Drop;
        let with_nulls = source.used.iter().zip(&self.nulls).filter(move |(_, nulls)| is_asked && **nulls > 0);
        with_nulls.map(|(column, nulls)| Unspoken {
            column: &column.name,
            nulls: *nulls,
            message: format!(
                "column \"{}\" of {} is NULL in {nulls} {}",
                column.name,
                source.display,
                if *nulls == 1 { "row" } else { "rows" }
            ),
            hint: match request.algorithm.is_boosted() {
                _ if source.history.is_some() && request.target.as_ref() == Some(&column.name) => {
                    "Who bought nothing later bought 0: coalesce(later, 0) in a view. Or train with null_policy => 'drop', which leaves these customers out."
                }
                _ if source.history.is_some() => {
                    "Fill it in a view, or train with null_policy => 'drop', which leaves these customers out."
                }
                _ if request.algorithm.without_rows().is_some() => {
                    "Fill it in a view, or train with null_policy => 'drop', which leaves such rows out."
                }
                true => {
                    "Fill it in a view, leave the column out, or train with null_policy => 'drop'; of features trees learn with 'learn', 'impute' and 'indicator' fill them."
                }
                false => {
                    "Fill it in a view, leave the column out, or train with null_policy => 'drop'; 'impute' and 'indicator' fill features."
                }
            },
        })
    }

    /// What is wrong with the values of the rows, as an error.
    pub fn first_fault(&self, reader: &Reader, source: &Source, request: &Request) -> Option<Error> {
        (self.faulty > 0).then(|| settle(values::faults(reader, source, request)).first().map(values::Fault::error))?
    }

    fn knows_too_much(&self, source: &Source, request: &Request) -> Option<Error> {
        purchases::beyond(self.split.cut_off, source, request).or_else(|| self.known_only_later(source, request))
    }

    /// Rows that were known only after the day whose knowledge training has.
    pub fn known_only_later(&self, source: &Source, request: &Request) -> Option<Error> {
        let (known_on, day) = request.known_on.as_ref().zip(request.as_of.as_ref())?;
        let what = format!(
            "as_of {day} cannot be honoured: {} rows of {} were known only later, by {known_on}",
            self.known_later, source.display
        );
        let hint = "Build the source as it was known on that day (ltv.timeline_query and what builds on it take as_of), or filter it.";
        (self.known_later > 0).then(|| Error::invalid(what, hint))
    }
}

/// A column with NULLs that nobody has spoken for, and what is said of it.
pub struct Unspoken<'a> {
    pub column: &'a str,
    pub nulls: i64,
    pub message: String,
    pub hint: &'static str,
}

impl Unspoken<'_> {
    /// The same as a line of the plan.
    pub fn line(&self, item: &'static str) -> Line {
        Line::new(item, told(&self.message, self.hint)).of(self.column).n(self.nulls).is(Verdict::Refused)
    }
}

/// Counts the rows.
pub fn count(reader: &Reader, source: &Source, request: &Request) -> Result<Counted> {
    // Nothing is counted of a condition that no row meets, and where all rows are for training the dropped are the rest.
    let rows = |condition: String| match condition.as_str() {
        "false" => "0::bigint".to_owned(),
        "true" => "count(*)".to_owned(),
        _ => format!("count(*) FILTER (WHERE {condition})"),
    };
    let in_training = |condition: &Option<String>| {
        condition.as_ref().map_or_else(|| "false".to_owned(), |met| all([source.training(), met.clone()]))
    };
    let holds_out = source.holdout != "false";
    let (begun, begins_later) = (&source.begun, source.begun != "true");
    let training = rows(source.training());
    let query = format!(
        "SELECT {held_out}, {complete}, {training}, {begun_later}, {cut_off}, {known_later},
                coalesce(sum(({event})::int) FILTER (WHERE {is_training}), 0)::bigint, count(*), {faulty} FROM {from}",
        held_out = rows(if holds_out { all([source.holdout.clone(), begun.clone()]) } else { "false".into() }),
        complete = if holds_out { rows(all([begun.clone(), source.complete()])) } else { training.clone() },
        begun_later = rows(if begins_later { format!("NOT {begun}") } else { "false".into() }),
        cut_off = rows(in_training(&source.cut_off)),
        known_later = rows(source.known_later.clone().unwrap_or_else(|| "false".into())),
        event = source.event,
        is_training = source.training(),
        faulty = rows(values::any(source, request)?),
        from = source.from,
    );
    let row = reader.select(&query, &[])?.first();
    let number = |at: usize| row.get::<i64>(at).map(|count| count.unwrap_or(0));
    let (rows, later) = (number(8)?, number(4)?);
    let (complete, training) = (number(2)?, number(3)?);
    let dropped = rows - later - complete;
    Ok(Counted {
        rows,
        nulls: if dropped > 0 { nulls(reader, source)? } else { vec![0; source.used.len()] },
        known_later: number(6)?,
        faulty: number(9)?,
        split: Split {
            training,
            holdout: complete - training,
            held_out: number(1)?,
            dropped,
            events: number(7)?,
            later,
            cut_off: number(5)?,
        },
    })
}

/// How many rows lack each column, in a second look at the rows.
fn nulls(reader: &Reader, source: &Source) -> Result<Vec<i64>> {
    let lacks = |column: &Column| format!("count(*) FILTER (WHERE {} AND {})", source.begun, source.lacks(column));
    let columns: Vec<String> = source.used.iter().map(lacks).collect();
    let row = reader.select(&format!("SELECT {} FROM {}", columns.join(", "), source.from), &[])?.first();
    (1..=columns.len()).map(|at| row.get::<i64>(at).map(|count| count.unwrap_or(0))).collect()
}

/// What a holdout by time comes to that no row is in: it was to judge, and cannot.
pub fn nothing_held_out(request: &Request, split: &Split) -> Option<Error> {
    let holdout = request.holdout.as_ref().filter(|_| split.held_out == 0)?;
    matches!(holdout.rule, HoldoutRule::From(_) | HoldoutRule::Last(_)).then(|| {
        Error::invalid(
            format!("no row would be held out by \"{}\": nothing of that time can be judged", holdout.by),
            "Hold out from an earlier day or for longer; leave the holdout out to train without one.",
        )
    })
}

/// Refuses what has no rows or too few events to learn from, or nothing to judge it by where that was asked for.
pub fn enough(source: &Source, request: &Request, split: &Split) -> Result<()> {
    let refusal = no_rows(source, split).or_else(|| nothing_held_out(request, split));
    refusal.or_else(|| too_few_events(request, split)).map_or(Ok(()), Err)
}

/// Without a row nothing is learnt.
pub fn no_rows(source: &Source, split: &Split) -> Option<Error> {
    (split.training == 0).then(|| fit::no_rows(source))
}

/// Fewer events than were asked for, or none where the model is of events.
pub fn too_few_events(request: &Request, split: &Split) -> Option<Error> {
    match request.min_events {
        Some(least) if split.events < i64::from(least) => Some(Error::invalid(
            format!(
                "{} {} among {} training rows, but min_events is {least}",
                split.events,
                if request.algorithm.customers().is_some() { "customers with repeat purchases" } else { "events" },
                split.training
            ),
            "Wait for more, take a longer period or a coarser segment, or lower min_events.",
        )),
        _ if split.events > 0 => None,
        _ if request.algorithm.customers().is_some() => Some(purchases::nobody_came_again(split.training)),
        _ if request.algorithm.tells_of_time() => Some(fit::no_events(split.training)),
        _ => None,
    }
}
