//! Limits of what trees predict, in any window, of the rows that training held out, in SQL.

use ltv_engine::assess::held_out::{Entries, Exits, HeldOut, RiskBin, TimeBin};
use ltv_engine::assess::held_out_limits::RiskGroup;
use ltv_engine::{Error, Result};
use pgrx::pg_sys;
use serde::{Deserialize, Serialize};

use crate::pg::call::{Call, Field};
use crate::pg::error::settle;
use crate::text::{self, Number, Text};

const NAME: &str = "rows held out";

/// Parallel arrays by time and by risk; the ends of bins only where there are some.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeldOutText {
    version: u32,
    /// The last of each bin of times.
    time: Vec<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time_from: Option<Vec<Number>>,
    /// The linear predictor of each bin of risks.
    risk: Vec<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    risk_from: Option<Vec<Number>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    risk_to: Option<Vec<Number>>,
    /// Of each bin of risks: the place of a time, events and censored; and so on.
    exits: Vec<Vec<u64>>,
    /// Of each: the place of a time and who came late; and so on. Missing where nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entries: Option<Vec<Vec<u64>>>,
}

impl Text for HeldOut {
    fn to_text(&self) -> Result<String> {
        let numbers = |values: Vec<f64>| values.into_iter().map(Number).collect::<Vec<Number>>();
        let times = |end: fn(&TimeBin) -> f64| numbers(self.times().iter().map(end).collect());
        let risks = |end: fn(&RiskBin) -> f64| numbers(self.risks().iter().map(end).collect());
        let is_binned = self.times().iter().any(|time| time.from < time.to);
        let is_mixed = self.risks().iter().any(|risk| risk.least < risk.greatest);
        let exits = |one: &Exits| [u64::from(one.time), one.events, one.censored];
        let entries = |one: &Entries| [u64::from(one.time), one.rows];
        let is_late = self.risks().iter().any(|risk| !risk.entries.is_empty());
        text::print(&HeldOutText {
            version: text::VERSION,
            time: times(|time| time.to),
            time_from: is_binned.then(|| times(|time| time.from)),
            risk: risks(|risk| risk.mean),
            risk_from: is_mixed.then(|| risks(|risk| risk.least)),
            risk_to: is_mixed.then(|| risks(|risk| risk.greatest)),
            exits: self.risks().iter().map(|risk| risk.exits.iter().flat_map(exits).collect()).collect(),
            entries: is_late
                .then(|| self.risks().iter().map(|risk| risk.entries.iter().flat_map(entries).collect()).collect()),
        })
    }

    fn from_text(form: &str) -> Result<Self> {
        let read: HeldOutText = text::parse(form, NAME)?;
        text::known(read.version, NAME)?;
        let lengths = [&read.time_from].into_iter().flatten().all(|from| from.len() == read.time.len())
            && [&read.risk_from, &read.risk_to].into_iter().flatten().all(|ends| ends.len() == read.risk.len());
        let risks = read.risk.len();
        if !lengths || read.exits.len() != risks || read.entries.as_ref().is_some_and(|late| late.len() != risks) {
            return Err(Error::malformed("the arrays of rows held out differ in length"));
        }
        let end = |ends: &Option<Vec<Number>>, at: usize, else_: f64| ends.as_ref().map_or(else_, |ends| ends[at].0);
        let times = read.time.iter().enumerate();
        let times = times.map(|(at, to)| TimeBin { from: end(&read.time_from, at, to.0), to: to.0 }).collect();
        let mut risks = Vec::new();
        for (at, (mean, exits)) in read.risk.iter().zip(&read.exits).enumerate() {
            let (triples, rest) = exits.as_chunks::<3>();
            if !rest.is_empty() {
                return Err(Error::malformed("exits of rows held out are three numbers each"));
            }
            let late = read.entries.as_ref().map_or(&[][..], |late| &late[at]);
            let (pairs, rest) = late.as_chunks::<2>();
            if !rest.is_empty() {
                return Err(Error::malformed("late entries of rows held out are two numbers each"));
            }
            let place =
                |time: &u64| u32::try_from(*time).map_err(|_| Error::malformed(format!("no time has place {time}")));
            let one = |[time, events, censored]: &[u64; 3]| {
                Ok(Exits { time: place(time)?, events: *events, censored: *censored })
            };
            let came = |[time, rows]: &[u64; 2]| Ok(Entries { time: place(time)?, rows: *rows });
            let (least, greatest) = (end(&read.risk_from, at, mean.0), end(&read.risk_to, at, mean.0));
            let exits = triples.iter().map(one).collect::<Result<_>>()?;
            let entries = pairs.iter().map(came).collect::<Result<_>>()?;
            risks.push(RiskBin { least, mean: mean.0, greatest, exits, entries });
        }
        HeldOut::from_parts(times, risks)
    }
}

fn whole(count: u64) -> Field {
    Field::Integer(i64::try_from(count).ok())
}

/// `held_out_summary(held_out)`.
pub fn summary(call: &Call) -> pg_sys::Datum {
    let Some(text) = call.text(0) else { return call.null() };
    let held_out = settle(HeldOut::from_text(text));
    let events = held_out.risks().iter().flat_map(|risk| &risk.exits).map(|exits| exits.events).sum();
    let is_exact = held_out.times().iter().all(|time| time.from == time.to)
        && held_out.risks().iter().all(|risk| risk.least == risk.greatest);
    call.answer_tuple(vec![
        whole(held_out.rows()),
        whole(events),
        Field::Int4(i32::try_from(held_out.times().len()).ok()),
        Field::Int4(i32::try_from(held_out.risks().len()).ok()),
        Field::Float(held_out.times().last().map(|time| time.to)),
        Field::Bool(is_exact),
    ])
}

/// `held_out_limits(m, held_out, horizon, given)`: a row per group, the least predictions first.
pub fn limits(call: &Call) -> pg_sys::Datum {
    let (Some(horizon), Some(given)) = (call.float(2), call.float(3)) else { return call.answer_rows(Vec::new()) };
    let groups = call.window_limits(given, horizon, |_, limits| limits.groups.clone()).unwrap_or_default();
    call.answer_rows(groups.into_iter().zip(1..).map(|(RiskGroup { group, .. }, place)| {
        let mut row = vec![Field::Int4(Some(place))];
        row.extend([group.from, group.to].map(|end| Field::Float(Some(end))));
        row.extend([group.rows, group.events].map(whole));
        let told = [group.predicted, group.rate, group.lower, group.upper, group.lower_power, group.upper_power];
        row.extend(told.map(|number| Field::Float(Some(number))));
        row
    }))
}

/// `held_out_interval(m, held_out, p_renew, linear_predictor, horizon, given)`.
pub fn interval(call: &Call) -> pg_sys::Datum {
    let (Some(predicted), Some(linear_predictor)) = (call.float(2), call.float(3)) else { return call.null() };
    let (Some(horizon), Some(given)) = (call.float(4), call.float(5)) else { return call.null() };
    if !(0.0..=1.0).contains(&predicted) {
        settle(Err::<(), Error>(Error::invalid(
            format!("p_renew must be a probability from 0 to 1, got {predicted}"),
            "It is what the model predicts of the row in this window.",
        )));
    }
    let row = call.window_limits(given, horizon, |_, limits| {
        let rows = Field::Integer(Some(limits.rows.round() as i64));
        match limits.group(linear_predictor) {
            Ok(group) => {
                let (lower, upper) = group.limits(predicted);
                vec![
                    Field::Float(Some(lower)),
                    Field::Float(Some(upper)),
                    whole(group.rows),
                    rows,
                    Field::Text(Some("ok".into())),
                ]
            }
            Err(why) => {
                vec![
                    Field::Float(None),
                    Field::Float(None),
                    Field::Integer(None),
                    rows,
                    Field::Text(Some(why.to_string())),
                ]
            }
        }
    });
    row.map_or_else(|| call.null(), |row| call.answer_tuple(row))
}
