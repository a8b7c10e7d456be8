//! An event that is one cause among several: how its column is read, and what is told of the causes that it holds.

use ltv_engine::{Error, Result};
use pgrx::spi::quote_literal;
use serde_json::Value;

use crate::fit::ties_of;
use crate::pg::reader::Reader;
use crate::train::algorithm::Algorithm;
use crate::train::column::Column;
use crate::train::count::Split;
use crate::train::options;
use crate::train::plan_line::{Line, Verdict, told};
use crate::train::source::Source;

/// [`Causes::status`] of a row that another cause ended.
pub const OTHER_CAUSE: i32 = 2;
/// Causes that a message or a plan names.
const NAMED: usize = 20;
/// Longer than any time: until when a row is at risk that can no longer have the event.
const FOR_EVER: &str = "'1e300'::float8";

/// How an event column calls a cause.
#[derive(Debug, Clone, PartialEq)]
enum Cause {
    Number(i32),
    Name(String),
}

/// The options of a regression of one cause's incidence.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    cause: Option<Cause>,
    /// The name that rows have which still ran.
    censored: Option<String>,
    ties: String,
}

pub fn options(options: &options::Options) -> Result<Options> {
    let options = options.are_among(&["cause", "censored", "ties"])?;
    let ties = options.text("ties")?.unwrap_or("efron").to_owned();
    ties_of(&ties)?;
    if ties == "exact" {
        return Err(Error::invalid("unknown ties \"exact\" of a Fine-Gray regression", "One of: efron, breslow."));
    }
    let cause = options.read("cause", "a name, or a number from 1 to 255", |value| match value {
        Value::String(name) if !name.is_empty() => Some(Cause::Name(name.clone())),
        // 1.0 is jsonb's 1.
        _ => value
            .as_f64()
            .filter(|number| (1.0..=255.0).contains(number) && number.fract() == 0.0)
            .map(|number| Cause::Number(number as i32)),
    })?;
    let censored = options.text("censored")?.map(str::to_owned);
    if let (Some(Cause::Name(cause)), Some(censored)) = (&cause, &censored)
        && cause == censored
    {
        return Err(Error::invalid(
            format!("\"{cause}\" cannot be the cause of interest and what rows have that still ran"),
            "cause names what ended a row; censored, if need be, what stands where nothing did.",
        ));
    }
    Ok(Options { cause, censored, ties })
}

impl Options {
    /// Which of the numbers that [`Causes::code`] gives is of interest.
    fn number(&self) -> i32 {
        match self.cause {
            Some(Cause::Number(number)) => number,
            _ => 1,
        }
    }

    /// The SQL expression of the model of a design.
    pub fn call(&self, design: &str) -> String {
        format!("ltv.fit_fine_gray({design}, cause => {}, ties => {})", self.number(), quote_literal(&self.ties))
    }
}

/// The event column, where it tells what ended a row.
#[derive(Clone)]
pub struct Causes {
    /// The cause as `cause_design_agg` takes it: 0 for a row that still ran, or whose end was not yet known.
    pub code: String,
    /// That of interest.
    number: i32,
    name: String,
    column: Column,
    /// Of names, the one of rows that still ran; `None`: these have a NULL.
    censored: Option<String>,
}

impl Causes {
    /// `None` for an algorithm of one event.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the cause of interest is not told, with those there are, or told in another way than the
    /// column tells it.
    pub fn of(
        reader: &Reader,
        display: &str,
        column: Option<&Column>,
        algorithm: &Algorithm,
    ) -> Result<Option<Causes>> {
        let (Algorithm::FineGray(options), Some(column)) = (algorithm, column) else { return Ok(None) };
        if !(column.is_text() || column.is_number()) {
            return Err(column.unusable(
                "a cause",
                "It tells what ended a row: a name (NULL where it still ran), or a number from 1 to 255 (0 where it still ran). Of one event alone: cox.",
            ));
        }
        let Some(cause) = &options.cause else {
            let example = if column.is_text() { r#"{"cause": "price"}"# } else { r#"{"cause": 1}"# };
            return Err(Error::invalid(
                format!("fine_gray needs the cause of interest, one of those in \"{}\"", column.name),
                format!("options => '{example}'. {}", causes_of(reader, &format!("{display} s"), column)?),
            ));
        };
        let sql = column.sql();
        let (code, name) = match cause {
            Cause::Name(name) if column.is_text() => {
                let censored = match &options.censored {
                    Some(censored) => format!("WHEN {} THEN 0", quote_literal(censored)),
                    None => String::new(),
                };
                let without = if options.censored.is_some() { "NULL" } else { "0" };
                let code = format!(
                    "(CASE WHEN {sql} IS NULL THEN {without} ELSE CASE {sql}::text WHEN {} THEN 1 {censored} ELSE {OTHER_CAUSE} END END)",
                    quote_literal(name)
                );
                (code, name.clone())
            }
            Cause::Number(number) if column.is_number() => {
                if options.censored.is_some() {
                    return Err(Error::invalid(
                        format!("\"{}\" holds numbers, where 0 is a row that still ran", column.name),
                        "The option \"censored\" is for names.",
                    ));
                }
                (format!("(CASE WHEN {} THEN -1 ELSE {sql}::int4 END)", no_number(&sql)), number.to_string())
            }
            Cause::Name(name) => {
                return Err(Error::invalid(
                    format!("the cause \"{name}\" is a name, but \"{}\" holds numbers", column.name),
                    format!("options => '{{\"cause\": 1}}'. {}", causes_of(reader, &format!("{display} s"), column)?),
                ));
            }
            Cause::Number(number) => {
                return Err(Error::invalid(
                    format!("the cause {number} is a number, but \"{}\" holds names", column.name),
                    format!(
                        "options => '{{\"cause\": \"{number}\"}}'. {}",
                        causes_of(reader, &format!("{display} s"), column)?
                    ),
                ));
            }
        };
        let censored = options.censored.clone();
        Ok(Some(Causes { code, number: options.number(), name, column: column.clone(), censored }))
    }

    /// The same of what was known on a day: `code` is 0 where the end was not.
    pub fn known(self, code: &str) -> Causes {
        Causes { code: code.to_owned(), ..self }
    }

    /// Whether a row with a NULL is one that still ran.
    pub fn may_be_null(&self) -> bool {
        self.column.is_text() && self.censored.is_none()
    }

    /// Whether the cause of interest ended the row.
    pub fn happened(&self) -> String {
        format!("({} = {})", self.code, self.number)
    }

    /// 0 where the row still ran, 1 where the cause of interest ended it, 2 where another one did.
    pub fn status(&self) -> String {
        format!("(CASE {} WHEN 0 THEN 0 WHEN {} THEN 1 ELSE {OTHER_CAUSE} END)", self.code, self.number)
    }

    /// Until when the row is at risk of the cause: for ever when another one ended it.
    pub fn at_risk_until(&self, duration: &str) -> String {
        format!("(CASE WHEN {} NOT IN (0, {}) THEN {FOR_EVER} ELSE {duration} END)", self.code, self.number)
    }

    /// The rows with their causes.
    pub fn design(&self, duration: &str, x: &str, entry: Option<&str>, weight: Option<&str>) -> String {
        let code = &self.code;
        match (entry, weight) {
            (None, None) => format!("ltv.cause_design_agg({duration}, {code}, {x})"),
            (None, Some(weight)) => format!("ltv.cause_design_agg({duration}, {code}, {x}, {weight})"),
            (Some(entry), weight) => {
                format!("ltv.cause_design_agg({entry}, {duration}, {code}, {x}, {})", weight.unwrap_or("1"))
            }
        }
    }

    /// The Aalen–Johansen estimate at `horizon` of all training rows.
    pub fn incidence(&self, source: &Source, horizon: &str) -> String {
        let Source { duration, .. } = source;
        let (entry, weight) = (source.entry.as_deref().unwrap_or("0"), source.weight.as_deref().unwrap_or("1"));
        format!("ltv.incidence_at(ltv.incidence_agg({entry}, {duration}, {}, {weight}), {horizon}, 1)", self.status())
    }

    /// Values that are no cause: the condition, what they are, and what to do.
    pub fn ban(&self) -> Option<(&Column, String, &'static str, &'static str)> {
        let sql = self.column.sql();
        if !self.column.is_text() {
            let hint = "Causes are numbered from 1 to 255, as you like; 0 is a row that still ran.";
            return Some((&self.column, format!("coalesce({}, false)", no_number(&sql)), "is no cause", hint));
        }
        let hint = r#"If such rows still ran, say so in the options, {"censored": ""}, or make it NULL in a view: nullif(cause, '')."#;
        let empty = format!("coalesce({sql}::text = '', false)");
        self.censored.as_deref().is_none_or(|censored| !censored.is_empty()).then_some((
            &self.column,
            empty,
            "is an empty name",
            hint,
        ))
    }
}

/// True for a number that cannot be a cause.
fn no_number(sql: &str) -> String {
    format!("({sql} NOT BETWEEN 0 AND 255 OR {sql}::numeric <> trunc({sql}::numeric))")
}

/// Refuses training rows of which none ended by the cause.
pub fn found(reader: &Reader, source: &Source, split: &Split) -> Result<()> {
    match &source.causes {
        Some(causes) if split.events == 0 && split.training > 0 => Err(absent(reader, source, causes)?),
        _ => Ok(()),
    }
}

fn absent(reader: &Reader, source: &Source, causes: &Causes) -> Result<Error> {
    let from = format!("{} WHERE {}", source.from, source.training());
    let column = &causes.column;
    Ok(Error::invalid(
        format!("no training row ended by the cause {}, as \"{}\" has it", causes.name, column.name),
        causes_of(reader, &from, column)?,
    ))
}

/// The causes that a column holds, as a hint says it.
fn causes_of(reader: &Reader, from: &str, column: &Column) -> Result<String> {
    let sql = column.sql();
    let none = if column.is_text() { String::new() } else { format!(" WHERE {sql} <> 0") };
    let query = format!(
        "SELECT {sql}::text COLLATE \"C\" FROM (SELECT {sql} FROM {from}) s{none} GROUP BY {sql} HAVING {sql} IS NOT NULL ORDER BY count(*) DESC, {sql}::text COLLATE \"C\" LIMIT {}",
        NAMED + 1
    );
    let mut names = Vec::new();
    for row in reader.select(&query, &[])? {
        names.extend(row.get::<String>(1)?);
    }
    let more = if names.len() > NAMED { ", ..." } else { "" };
    names.truncate(NAMED);
    Ok(match names.is_empty() {
        true => "There is none: every row still ran.".into(),
        false => format!("The causes found: {}{more}.", names.join(", ")),
    })
}

/// What the plan tells of the causes: a line for each, the most frequent first.
pub fn lines(reader: &Reader, source: &Source) -> Result<Vec<Line>> {
    let Some(causes) = &source.causes else { return Ok(Vec::new()) };
    let (code, sql) = (&causes.code, causes.column.sql());
    let query = format!(
        "SELECT q.* FROM (SELECT {}, CASE WHEN {code} <> 0 THEN {sql}::text END COLLATE \"C\", count(*), (sum(count(*)) OVER ())::float8
                          FROM {} WHERE {} GROUP BY 1, 2) AS q (status, name, n, total)
         ORDER BY q.status <> 1, q.status = 0, q.n DESC, q.name LIMIT {}",
        causes.status(),
        source.from,
        source.training(),
        NAMED + 2
    );
    let (mut lines, mut is_there) = (Vec::new(), false);
    for row in reader.select(&query, &[])? {
        let (status, name) = (row.get::<i32>(1)?.unwrap_or(0), row.get::<String>(2)?.unwrap_or_default());
        let (n, all) = (row.get::<i64>(3)?.unwrap_or(0), row.get::<f64>(4)?.unwrap_or(1.0));
        is_there |= status == 1;
        let detail = match status {
            0 if causes.may_be_null() => "none: still ran, or its end is not known; censored".to_owned(),
            0 => "still ran, or its end was not yet known; censored".to_owned(),
            1 => format!("{name}: the cause of interest"),
            _ => format!("{name}: another cause, after which this one can no longer come"),
        };
        lines.push(Line::new("cause", detail).of(&causes.column.name).n(n).value(Some(n as f64 / all)));
    }
    if !is_there && let Error::Invalid { message, hint } = absent(reader, source, causes)? {
        lines.push(Line::new("cause", told(&message, &hint)).of(&causes.column.name).n(0).is(Verdict::Refused));
    }
    Ok(lines)
}
