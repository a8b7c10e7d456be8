//! What the numbers of the rows must be, before they are fitted: the column is named, and how many rows it is about.

use ltv_engine::amount::Family;
use ltv_engine::{Error, Result};

use crate::pg::reader::Reader;
use crate::train::algorithm::Algorithm;
use crate::train::causes::Causes;
use crate::train::clauses::NullPolicy;
use crate::train::column::Column;
use crate::train::purchase_values;
use crate::train::request::Request;
use crate::train::source::{Source, all};
use crate::train::statement::number;

const FEATURE: &str = "feature";
const DURATION: &str = "duration";

/// A condition that no row may meet.
pub struct Ban {
    pub column: String,
    /// What the column is: feature, duration, ...
    pub role: &'static str,
    /// True for the rows that meet it.
    pub condition: String,
    /// "is NaN", as the message goes on.
    pub said: String,
    /// $1 stands for the value that is told.
    pub hint: String,
    /// Of these the least as text is told.
    pub shown: Option<String>,
    /// Rows held out must not meet it either.
    pub is_of_all: bool,
}

/// What is wrong with the values of a column.
pub struct Fault {
    pub column: String,
    pub rows: i64,
    pub message: String,
    pub hint: String,
    /// Whether nothing can be said of the outcomes as long as it is.
    pub is_of_outcome: bool,
}

impl Fault {
    pub fn error(&self) -> Error {
        Error::invalid(self.message.clone(), self.hint.clone())
    }
}

/// The condition under which a row has a value that cannot be learnt from, in one expression for the scan that counts rows.
/// Most rows have none, and of those it asks nothing more.
pub fn any(source: &Source, request: &Request) -> Result<String> {
    let bans = bans(source, request)?;
    let measured = request.algorithm.takes_durations();
    // Neither NaN, which is greater than infinity, nor infinite, nor negative.
    let duration = format!("NOT ({0} >= 0 AND {0} < 'Infinity')", source.duration);
    let met = |is_of_all: bool, rows: String| {
        let features = numbers(source, request).filter(|_| !is_of_all).map(|column| no_number(column, request));
        let others = bans.iter().filter(|ban| ban.role != FEATURE && ban.is_of_all == is_of_all);
        let others = others.filter(|ban| !(is_of_all && ban.role == DURATION)).map(|ban| ban.condition.clone());
        let duration = (is_of_all && measured).then(|| duration.clone());
        let untold = source.untold.clone().filter(|_| is_of_all && measured);
        let conditions: Vec<String> = features.chain(duration).chain(untold).chain(others).collect();
        (!conditions.is_empty()).then(|| format!("(({}) AND {rows})", conditions.join(" OR ")))
    };
    let each = [met(true, all([source.within(), source.complete()])), met(false, source.training())];
    let each: Vec<String> = each.into_iter().flatten().collect();
    Ok(if each.is_empty() { "false".into() } else { each.join(" OR ") })
}

/// The features that may be something else than a number, and must not be.
fn numbers<'a>(source: &'a Source, request: &Request) -> impl Iterator<Item = &'a Column> {
    let asked = !matches!(request.algorithm, Algorithm::KaplanMeier);
    source.features.iter().filter(move |column| asked && column.is_number() && column.is_inexact())
}

/// What [`bans`] say of a feature in one condition: it is NaN, which is greater than infinity, or infinite.
fn no_number(column: &Column, request: &Request) -> String {
    let value = format!("{}::float8", column.sql());
    match request.null_policy {
        // A number that is none is lacking to trees.
        NullPolicy::Learn => format!("{value} IN ('Infinity', '-Infinity')"),
        _ => format!("NOT ({value} > '-Infinity' AND {value} < 'Infinity')"),
    }
}

/// Which columns they are, in a second look at the rows.
pub fn faults(reader: &Reader, source: &Source, request: &Request) -> Result<Vec<Fault>> {
    let bans = bans(source, request)?;
    let columns: Vec<String> = bans
        .iter()
        .map(|ban| {
            let (condition, shown) = (ban.scoped(source), ban.shown.as_deref().unwrap_or("NULL::text"));
            format!("count(*) FILTER (WHERE {condition}), min({shown}) FILTER (WHERE {condition})")
        })
        .collect();
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let row = reader.select(&format!("SELECT {} FROM {}", columns.join(", "), source.from), &[])?.first();
    let mut faults = Vec::new();
    for (at, ban) in bans.into_iter().enumerate() {
        let rows = row.get::<i64>(2 * at + 1)?.unwrap_or(0);
        if rows == 0 {
            continue;
        }
        let found = row.get::<String>(2 * at + 2)?.unwrap_or_default();
        let shown = if found.is_empty() { String::new() } else { format!(", such as {found}") };
        let in_rows = if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
        faults.push(Fault {
            message: format!("{} {} {} in {in_rows}{shown}", ban.role, ban.column, ban.said),
            is_of_outcome: ban.role != FEATURE,
            column: ban.column,
            rows,
            hint: ban.hint.replace("$1", &found),
        });
    }
    Ok(faults)
}

impl Ban {
    /// The condition, for the rows that are used.
    fn scoped(&self, source: &Source) -> String {
        let rows = if self.is_of_all { all([source.within(), source.complete()]) } else { source.training() };
        format!("({} AND {rows})", self.condition)
    }
}

fn bans(source: &Source, request: &Request) -> Result<Vec<Ban>> {
    if let Some(history) = &source.history {
        return Ok(purchase_values::bans(source, history, request));
    }
    let mut bans = Vec::new();
    if let Some(column) = &source.outcome {
        of_event(column, &mut bans);
    }
    if let Some((column, condition, said, hint)) = source.causes.as_ref().and_then(Causes::ban) {
        bans.push(Ban {
            column: column.name.clone(),
            role: "event",
            condition,
            said: said.into(),
            hint: hint.into(),
            shown: Some(format!("{}::text", column.sql())),
            is_of_all: true,
        });
    }
    let hint = match request.algorithm.is_boosted() {
        true => "Make it NULL in a view and train with null_policy => 'learn', or leave the rows out.",
        false => {
            "Make it NULL in a view and train with null_policy => 'impute' or 'drop', or leave the rows or the column out."
        }
    };
    for column in numbers(source, request) {
        let mut ban = |condition: String, said: &str| {
            bans.push(Ban {
                column: column.name.clone(),
                role: FEATURE,
                condition,
                said: said.into(),
                hint: hint.into(),
                shown: None,
                is_of_all: false,
            });
        };
        let value = format!("{}::float8", column.sql());
        if request.null_policy != NullPolicy::Learn {
            ban(format!("{value} = 'NaN'"), "is NaN");
        }
        ban(format!("{value} IN ('Infinity', '-Infinity')"), "is infinite");
    }
    of_measures(source, request, &mut bans);
    Ok(bans)
}

fn of_event(column: &Column, bans: &mut Vec<Ban>) {
    bans.push(Ban {
        column: column.name.clone(),
        role: "event",
        condition: format!("{} NOT IN (0, 1)", column.sql()),
        said: "is neither 1 nor 0".into(),
        hint: format!(
            "1 means that it happened, 0 that it had not yet (censored). Of any other coding make a boolean in a view: ({} = $1) AS happened.",
            column.sql().trim_start_matches("s.")
        ),
        shown: Some(format!("{}::text", column.sql())),
        is_of_all: true,
    });
}

/// The duration, the entry and the weight, or the amount.
fn of_measures(source: &Source, request: &Request, bans: &mut Vec<Ban>) {
    let mut ban = |column: &str, role: &'static str, condition: String, said: &str, hint: &str, is_of_all: bool| {
        bans.push(Ban {
            column: column.to_owned(),
            role,
            condition,
            said: said.into(),
            hint: hint.into(),
            shown: None,
            is_of_all,
        });
    };
    let none = |value: &str| format!("{value} = 'NaN'");
    let endless = |value: &str| format!("{value} IN ('Infinity', '-Infinity')");
    let duration = source.duration.as_str();
    if request.algorithm.takes_durations() {
        let endless_hint =
            "A running contract is a censored row: its duration until it was last seen, with event false.";
        let negative_hint =
            "Did it end before it started? A running contract is a censored row: its duration so far with event false.";
        for (condition, said, hint) in [
            (none(duration), "is NaN", endless_hint),
            (endless(duration), "is infinite", endless_hint),
            (format!("{duration} < 0"), "is negative", negative_hint),
        ] {
            ban(&request.duration, DURATION, condition, said, hint, true);
        }
        let at_once = format!("({duration} = 0 AND ({})::int = 1)", source.event);
        if let Some(untold) = &source.untold {
            let hint = "Say when: a row with the event needs its duration; one that goes on has none, and event false.";
            ban(&request.duration, "duration", untold.clone(), "is not told of an event", hint, true);
        }
        match request.algorithm {
            Algorithm::Parametric { .. } | Algorithm::Best { .. } => ban(
                &request.duration,
                DURATION,
                at_once,
                "is 0 with the event, where a parametric model has no density,",
                "Durations of events must be greater than 0: add half a unit in a view, or take cox, kaplan_meier or boosted_hazard.",
                false,
            ),
            Algorithm::Contractual { .. } => ban(
                &request.duration,
                DURATION,
                at_once,
                "is 0 with the event, before the first renewal,",
                "The duration of who left is the number of the renewal that was not made, 1 for the first (times the length of a period).",
                false,
            ),
            _ => {}
        }
    } else if let Some(target) = &request.target {
        let hint = "Make it NULL in a view and train with null_policy => 'drop', or leave the rows out.";
        ban(target, "target", none(duration), "is NaN", hint, true);
        ban(target, "target", endless(duration), "is infinite", hint, true);
        let mend = match request.algorithm {
            Algorithm::BoostedValue { .. } => {
                ("loss => 'tweedie' in the options", "take loss => 'squared' in the options")
            }
            _ => ("two_part or tweedie", "take linear"),
        };
        match request.algorithm.least_amount() {
            Some(Family::Gamma) => {
                let hint = format!(
                    "For amounts that are sometimes 0 take {}, for negative ones {}.",
                    mend.0,
                    mend.1.trim_start_matches("take ")
                );
                ban(target, "target", format!("{duration} <= 0"), "is not greater than 0", &hint, false);
            }
            Some(Family::Tweedie { .. }) => {
                let hint = format!("For amounts that may be negative {}.", mend.1);
                ban(target, "target", format!("{duration} < 0"), "is negative", &hint, false);
            }
            _ => {}
        }
    }
    if let Some((name, entry)) = request.entry.as_ref().zip(source.entry.as_deref()) {
        let hint = "An entry is the time after the start from which a row was watched: finite and not negative.";
        for (condition, said) in
            [(none(entry), "is NaN"), (endless(entry), "is infinite"), (format!("{entry} < 0"), "is negative")]
        {
            ban(name, "entry", condition, said, hint, true);
        }
        if request.algorithm.takes_durations() {
            // As `Sample::add_row` has it: what ties but for rounding was never at risk.
            let shortest = number(f64::EPSILON.sqrt());
            let met = format!("({entry} > 0 AND NOT {duration} - {entry} > {shortest} * {duration})");
            let hint = "Both are measured from the same origin: a contract seen from month 3 until month 10 has entry 3 and duration 10. Who leaves no later than he comes was never watched: leave him out.";
            ban(name, "entry", met, "is not less than the duration", hint, false);
        }
    }
    if let Some((name, weight)) = request.weight.as_ref().zip(source.weight.as_deref()) {
        let hint = "A weight is finite and greater than 0; leave rows of no weight out.";
        for (condition, said) in [
            (none(weight), "is NaN"),
            (endless(weight), "is infinite"),
            (format!("{weight} <= 0"), "is not greater than 0"),
        ] {
            ban(name, "weight", condition, said, hint, false);
        }
    }
}
