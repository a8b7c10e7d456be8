//! How a column is distributed, and how far it has gone from how it was, in SQL.

use std::ffi::{CStr, CString};

use ltv_engine::assess::bins::Bin;
use ltv_engine::assess::profile::{Profile, Values};
use ltv_engine::assess::profile_distance::{distances, poisson_interval, weighted_poisson_interval};
use ltv_engine::{Error, Result};
use pgrx::Internal;
use pgrx::prelude::*;
use serde::{Deserialize, Serialize};

use crate::pg::call::{Call, Field};
use crate::pg::error::settle;
use crate::pg::varlena::decoded;
use crate::pg::varlena::{Stored, Value, received};
use crate::text::{self, Number, Text};
use crate::types;

impl Stored for Profile {
    const SQL_NAME: &'static str = "ltv.profile";

    fn to_bytes(&self) -> Vec<u8> {
        self.encode()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Profile::decode(bytes)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum ProfileText {
    Numbers { version: u32, dropped_bits: u8, count: Vec<u64>, least: Vec<Number>, greatest: Vec<Number>, nulls: u64 },
    Texts { version: u32, count: Vec<u64>, level: Vec<String>, nulls: u64 },
}

impl Text for Profile {
    fn to_text(&self) -> Result<String> {
        let (version, nulls) = (text::VERSION, self.nulls);
        text::print(&match &self.values {
            Values::Numbers(bins) => ProfileText::Numbers {
                version,
                dropped_bits: bins.dropped(),
                count: bins.iter().map(|bin| bin.count).collect(),
                least: bins.iter().map(|bin| Number(bin.least)).collect(),
                greatest: bins.iter().map(|bin| Number(bin.greatest)).collect(),
                nulls,
            },
            Values::Texts(levels) => ProfileText::Texts {
                version,
                count: levels.values().copied().collect(),
                level: levels.keys().cloned().collect(),
                nulls,
            },
        })
    }

    fn from_text(form: &str) -> Result<Self> {
        const NAME: &str = "ltv.profile";
        let uneven = || Error::malformed("the arrays of a summary differ in length");
        match text::parse(form, NAME)? {
            ProfileText::Numbers { version, dropped_bits, count, least, greatest, nulls } => {
                text::known(version, NAME)?;
                if count.len() != least.len() || count.len() != greatest.len() {
                    return Err(uneven());
                }
                let ends = least.into_iter().zip(greatest);
                let bin = |(count, (least, greatest)): (u64, (Number, Number))| Bin {
                    count,
                    least: least.0 + 0.0,
                    greatest: greatest.0 + 0.0,
                };
                Profile::of_bins(dropped_bits, count.into_iter().zip(ends).map(bin).collect(), nulls)
            }
            ProfileText::Texts { version, count, level, nulls } => {
                text::known(version, NAME)?;
                if count.len() != level.len() {
                    return Err(uneven());
                }
                Profile::of_levels(level.into_iter().zip(count).collect(), nulls)
            }
        }
    }
}

#[pg_extern(sql = false)]
fn profile_in(text: &CStr) -> Value<Profile> {
    types::read(text)
}

#[pg_extern(sql = false)]
fn profile_out(value: Value<Profile>) -> CString {
    types::print(&value.0)
}

#[pg_extern(sql = false)]
fn profile_recv(message: Internal) -> Value<Profile> {
    received(message)
}

#[pg_extern(sql = false)]
fn profile_send(value: Value<Profile>) -> Vec<u8> {
    value.0.to_bytes()
}

/// `profile_rank(p, value)`.
pub fn rank(call: &Call) -> pg_sys::Datum {
    let Some(value) = call.float(1) else { return call.null() };
    call.answer_float(call.profile(0, |profile| profile.rank(value)).flatten())
}

/// `profile_quantile(p, q)`.
pub fn quantile(call: &Call) -> pg_sys::Datum {
    let Some(q) = call.float(1) else { return call.null() };
    call.answer_float(call.profile(0, |profile| settle(profile.quantile(q))).flatten())
}

/// `conformal_margin(errors, level)` of errors in a profile.
pub fn conformal_margin(call: &Call) -> pg_sys::Datum {
    let Some(level) = call.float(1) else { return call.null() };
    let margin = call.profile(0, |errors| settle(errors.conformal_margin(level)));
    call.answer_float(margin.flatten())
}

/// `poisson_interval(count, level)`.
pub fn poisson(call: &Call) -> pg_sys::Datum {
    let (Some(count), Some(level)) = (call.float(0), call.float(1)) else { return call.null() };
    let (lower, upper) = settle(poisson_interval(count, level));
    call.answer_tuple(vec![Field::Float(Some(lower)), Field::Float(Some(upper))])
}

/// `weighted_poisson_interval(total, sum_of_squares, heaviest, level)`.
pub fn weighted_poisson(call: &Call) -> pg_sys::Datum {
    let (Some(total), Some(squares), Some(greatest), Some(level)) =
        (call.float(0), call.float(1), call.float(2), call.float(3))
    else {
        return call.null();
    };
    let (lower, upper) = settle(weighted_poisson_interval(total, squares, greatest, level));
    call.answer_tuple(vec![Field::Float(Some(lower)), Field::Float(Some(upper))])
}

fn whole(count: u64) -> Field {
    Field::Integer(i64::try_from(count).ok())
}

/// `profile_summary(p)`.
pub fn summary(call: &Call) -> pg_sys::Datum {
    let Some(bytes) = call.bytes(0) else { return call.null() };
    let profile = settle(decoded(bytes, Profile::decode));
    let quantile = |q: f64| Field::Float(settle(profile.quantile(q)));
    let range = profile.range();
    let (kind, levels) = match &profile.values {
        Values::Numbers(_) => ("numbers", Field::Integer(None)),
        Values::Texts(levels) => ("texts", whole(levels.len() as u64)),
    };
    call.answer_tuple(vec![
        Field::Text(Some(kind.into())),
        whole(profile.count()),
        whole(profile.nulls),
        Field::Float(profile.null_rate()),
        levels,
        Field::Float(range.map(|range| range.0)),
        quantile(0.25),
        quantile(0.5),
        quantile(0.75),
        Field::Float(range.map(|range| range.1)),
        Field::Float(profile.mean()),
        Field::Float(profile.std_dev()),
    ])
}

/// `profile_levels(p)`: a row per text, the most frequent first.
pub fn levels(call: &Call) -> pg_sys::Datum {
    let Some(bytes) = call.bytes(0) else { return call.answer_rows(Vec::new()) };
    let profile = settle(decoded(bytes, Profile::decode));
    let Values::Texts(levels) = &profile.values else { return call.answer_rows(Vec::new()) };
    let total = profile.count() as f64;
    let mut rows: Vec<(&String, &u64)> = levels.iter().collect();
    rows.sort_by(|a, b| b.1.cmp(a.1));
    call.answer_rows(rows.into_iter().map(|(level, count)| {
        vec![Field::Text(Some(level.clone())), whole(*count), Field::Float(Some(*count as f64 / total))]
    }))
}

/// `profile_distance(base, now)`.
pub fn distance(call: &Call) -> pg_sys::Datum {
    let (Some(base), Some(now)) = (call.bytes(0), call.bytes(1)) else { return call.answer_rows(Vec::new()) };
    let (base, now) = (settle(Profile::decode(base)), settle(Profile::decode(now)));
    call.answer_rows(settle(distances(&base, &now)).into_iter().map(|distance| {
        vec![
            Field::Text(Some(distance.metric.into())),
            Field::Float(Some(distance.value)),
            Field::Float(distance.chance),
        ]
    }))
}
