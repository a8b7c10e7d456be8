//! What the numbers of customers must be: those of which the fits and the predictions know what to make.

use ltv_engine::btyd::history::{LONGEST_TIME, MOST_PURCHASES};

use crate::train::purchases::History;
use crate::train::request::Request;
use crate::train::source::Source;
use crate::train::statement::number;
use crate::train::values::Ban;

const MISTAKEN_RECENCY: &str = "recency is the age at the last purchase - the time from the first to the last one -, not the time since then: for that, take age - recency. ltv.purchase_summary makes them.";

const NO_TIME: &str = "It is the time from the first purchase until the day of the data: 0 on the day itself, when nobody has come again, and greater than 0 of those who have. ltv.purchase_summary makes it.";
/// Purchases per time of a shorter age would leave the numbers.
const SHORTEST_TIME: &str = "1e-30";

/// The conditions that no row may meet, held out or not: all are to be scored.
pub fn bans(source: &Source, history: &History, request: &Request) -> Vec<Ban> {
    let mut bans = Vec::new();
    let mut ban = |at: usize, condition: String, said: &str, hint: &str| {
        let (role, column) = &history.customers.columns[at];
        let value = &history.numbers[at];
        bans.push(Ban {
            column: column.clone(),
            role: if role == column { "column" } else { spoken(role) },
            condition: format!("coalesce({condition}, false)"),
            said: said.into(),
            hint: hint.into(),
            shown: Some(format!("{value}::text")),
            is_of_all: true,
        });
    };
    let frequency = history.frequency();
    let whole =
        "It is the number of repeat purchases: all but the first, those of one day (or other unit) counted once.";
    ban(0, format!("{frequency} < 0"), "is negative", whole);
    ban(
        0,
        format!("{frequency} >= 0 AND NOT {frequency} <= {}", number(MOST_PURCHASES)),
        "is NaN, or more purchases than anybody makes,",
        whole,
    );
    ban(0, format!("{frequency} <> trunc({frequency})"), "is not a whole number", whole);
    match &history.numbers[..] {
        [_, mean] => {
            let hint = "It is the mean value of the repeat purchases. The model has no place for purchases of nothing: leave out customers whose purchases were free or all returned.";
            let again = history.came_again();
            ban(1, format!("{again} AND {mean} <= 0"), "is not greater than 0 with repeat purchases", hint);
            ban(
                1,
                format!("{again} AND ({mean} > 0 AND {mean} < 1e-30 OR NOT {mean} <= 1e30)"),
                "is NaN or no amount of money",
                hint,
            );
        }
        [_, recency, age, ..] => {
            let longest = number(LONGEST_TIME);
            let clock = "It is the time from the first purchase until the day of the data, finite and in one unit with recency.";
            ban(2, format!("{age} < 0"), "is negative", clock);
            ban(2, format!("{age} >= 0 AND NOT {age} <= {longest}"), "is NaN or without end", clock);
            ban(2, format!("{frequency} > 0 AND {age} = 0"), "is 0 with repeat purchases", NO_TIME);
            ban(
                2,
                format!("{age} > 0 AND {age} < {SHORTEST_TIME}"),
                "is greater than 0, but next to no time,",
                NO_TIME,
            );
            ban(1, format!("{recency} < 0"), "is negative", MISTAKEN_RECENCY);
            ban(1, format!("{recency} = 'NaN'"), "is NaN", MISTAKEN_RECENCY);
            ban(1, format!("{recency} > {age} AND {recency} <> 'NaN'"), "is greater than the age", MISTAKEN_RECENCY);
            ban(
                1,
                format!("{frequency} = 0 AND {recency} > 0 AND {recency} <> 'NaN'"),
                "is greater than 0 without a repeat purchase",
                MISTAKEN_RECENCY,
            );
        }
        _ => {}
    }
    of_target(source, history, request, &mut bans);
    of_weight(source, request, &mut bans);
    bans
}

fn spoken(role: &'static str) -> &'static str {
    if role == "mean_value" { "mean value" } else { role }
}

fn of_target(source: &Source, history: &History, request: &Request, bans: &mut Vec<Ban>) {
    let Some(target) = &request.target else { return };
    let value = &source.duration;
    let is_of_spend = history.customers.is_of_spend();
    let mut ban = |condition: String, said: &str| {
        bans.push(Ban {
            column: target.clone(),
            role: "target",
            condition: format!("coalesce({condition}, false)"),
            said: said.into(),
            hint: match is_of_spend {
                true => {
                    "It is the mean value of the purchases that came later; of a customer who made none it is NULL."
                }
                false => {
                    "It is the number of purchases within the horizon after the age, 0 of a customer who made none."
                }
            }
            .into(),
            shown: Some(format!("{value}::text")),
            is_of_all: true,
        });
    };
    ban(format!("{value} IN ('NaN', 'Infinity', '-Infinity')"), "is NaN or infinite");
    match is_of_spend {
        true => ban(format!("{value} <= 0"), "is not greater than 0"),
        false => {
            ban(format!("{value} < 0 AND {value} > '-Infinity'"), "is negative");
            ban(format!("abs({value}) < 'Infinity' AND {value} <> trunc({value})"), "is not a whole number");
        }
    }
}

fn of_weight(source: &Source, request: &Request, bans: &mut Vec<Ban>) {
    let Some((name, weight)) = request.weight.as_ref().zip(source.weight.as_ref()) else { return };
    for (condition, said) in [
        (format!("{weight} IN ('NaN', 'Infinity', '-Infinity')"), "is NaN or infinite"),
        (format!("{weight} <= 0 AND {weight} > '-Infinity'"), "is not greater than 0"),
    ] {
        bans.push(Ban {
            column: name.clone(),
            role: "weight",
            condition,
            said: said.into(),
            hint: "A weight is finite and greater than 0; leave rows of no weight out.".into(),
            shown: None,
            is_of_all: false,
        });
    }
}
