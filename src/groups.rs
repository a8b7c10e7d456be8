//! Tests between groups in SQL: the samples of groups within strata as a value, and what is asked of it.

use std::ffi::{CStr, CString};

use ltv_engine::numeric::multiple::Adjustment;
use ltv_engine::survival::grouped::{Cell, Grouped, Label};
use ltv_engine::survival::log_rank::{self, LogRank, Weighting};
use ltv_engine::survival::{Sample, Survival, codec, grouped_tests};
use ltv_engine::{Error, Result};
use pgrx::Internal;
use pgrx::prelude::*;
use serde::{Deserialize, Serialize};

use crate::pg::call::{Call, Field};
use crate::pg::error::{raise, settle};
use crate::pg::varlena::{Stored, Value, received};
use crate::pg::{interrupts, settings};
use crate::survival::no_sample;
use crate::text::{self, SurvivalText, Text};
use crate::types;

fn go_on(bytes: usize) -> Result<()> {
    interrupts::check()?;
    settings::budget().check(bytes, "the test's table of times and groups")
}

/// The weights named in arguments 1 to 3; `None` when one is NULL.
fn weighting(call: &Call) -> Option<Weighting> {
    let (name, p, q) = (call.text(1)?, call.float(2)?, call.float(3)?);
    Some(settle(Weighting::from_name(name, p, q)))
}

/// The test, or the one for trend when `trend` (argument 4) or scores (argument 5) ask for it.
fn answer(call: &Call, test: LogRank, scores: Option<Vec<f64>>) -> pg_sys::Datum {
    let steps = || grouped_tests::equal_steps(test.observed.len());
    let scores = scores.or_else(|| call.boolean(4).unwrap_or(false).then(steps));
    let test = match scores {
        Some(scores) => settle(test.with_trend(&scores)),
        None => test,
    };
    call.answer_rows([vec![
        Field::Float(test.chi_squared),
        Field::Int4(i32::try_from(test.df).ok()),
        Field::Float(test.p_value),
    ]])
}

/// `log_rank(curves, weights, p, q, trend, scores)`.
pub fn log_rank_curves(call: &Call) -> pg_sys::Datum {
    let (Some(curves), Some(weighting)) = (call.get::<Vec<Option<Value<Survival>>>>(0), weighting(call)) else {
        return call.answer_rows([]);
    };
    let scores = call.floats(5).map(<[f64]>::to_vec);
    if let Some(scores) = scores.as_ref().filter(|scores| scores.len() != curves.len()) {
        raise(Error::invalid(
            format!("{} scores were given for {} curves", scores.len(), curves.len()),
            "Give one score per curve, in the order of the array.",
        ));
    }
    // The score of a curve that is NULL goes with it.
    let kept = |scores: Vec<f64>| {
        let there = scores.into_iter().zip(&curves).filter(|(_, curve)| curve.is_some());
        there.map(|(score, _)| score).collect::<Vec<f64>>()
    };
    let scores = scores.map(kept);
    let samples: Vec<&Sample> = curves
        .iter()
        .flatten()
        .map(|curve| match &curve.0 {
            Survival::Sample(sample) => sample,
            Survival::Fitted(_) | Survival::Parametric(_) => raise(no_sample("compared")),
        })
        .collect();
    answer(call, settle(log_rank::log_rank_asking(&samples, weighting, go_on)), scores)
}

/// `log_rank(g, weights, p, q, trend, scores)`.
pub fn log_rank_grouped(call: &Call) -> pg_sys::Datum {
    let Some(weighting) = weighting(call) else { return call.answer_rows([]) };
    let test = call.state(0, |grouped: &Grouped| settle(grouped_tests::test(grouped, weighting, go_on)));
    match test {
        Some(test) => answer(call, test, call.floats(5).map(<[f64]>::to_vec)),
        None => call.answer_rows([]),
    }
}

/// `log_rank_groups(g, weights, p, q)`.
pub fn log_rank_groups(call: &Call) -> pg_sys::Datum {
    let Some(weighting) = weighting(call) else { return call.answer_rows([]) };
    let rows = call.state(0, |grouped: &Grouped| {
        let rows = settle(grouped_tests::by_group(grouped, weighting, go_on));
        let fields = rows.into_iter().map(|row| {
            vec![
                Field::Text(row.group.name()),
                Field::Float(Some(row.subjects)),
                Field::Float(Some(row.events)),
                Field::Float(Some(row.observed)),
                Field::Float(Some(row.expected)),
                Field::Float(Some(row.variance)),
                Field::Float(row.over_expected),
                Field::Float(row.over_variance),
            ]
        });
        fields.collect::<Vec<_>>()
    });
    call.answer_rows(rows.unwrap_or_default())
}

/// `pairwise_log_rank(g, weights, p, q, adjust)`.
pub fn pairwise_log_rank(call: &Call) -> pg_sys::Datum {
    let (Some(weighting), Some(adjust)) = (weighting(call), call.text(4)) else { return call.answer_rows([]) };
    let adjustment: Adjustment = settle(adjust.parse());
    let rows = call.state(0, |grouped: &Grouped| {
        let rows = settle(grouped_tests::pairs(grouped, weighting, adjustment, go_on));
        let fields = rows.into_iter().map(|row| {
            vec![
                Field::Text(row.group_a.name()),
                Field::Text(row.group_b.name()),
                Field::Float(row.chi_squared),
                Field::Float(row.p_value),
                Field::Float(row.adjusted_p_value),
            ]
        });
        fields.collect::<Vec<_>>()
    });
    call.answer_rows(rows.unwrap_or_default())
}

/// `curves(g)`: the sample of each group within each stratum.
pub fn curves(call: &Call) -> pg_sys::Datum {
    let rows = call.state(0, |grouped: &Grouped| {
        let fields = grouped.sorted().into_iter().map(|cell| {
            let curve = codec::encode_sample(&cell.sample);
            vec![Field::Text(cell.stratum.name()), Field::Text(cell.group.name()), Field::Bytes(curve)]
        });
        fields.collect::<Vec<_>>()
    });
    call.answer_rows(rows.unwrap_or_default())
}

/// `skipped(g)`.
pub fn skipped(call: &Call) -> pg_sys::Datum {
    match call.state(0, Grouped::skipped) {
        Some(rows) => pg_sys::Datum::from(i64::try_from(rows).unwrap_or(i64::MAX)),
        None => call.null(),
    }
}

impl Stored for Grouped {
    const SQL_NAME: &'static str = "ltv.grouped_survival";

    fn to_bytes(&self) -> Vec<u8> {
        self.encode()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Grouped::decode(bytes)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum GroupedText {
    GroupedSurvival { version: u32, groups: Vec<CellText>, skipped: u64 },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CellText {
    stratum: Option<LabelText>,
    group: LabelText,
    curve: SurvivalText,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum LabelText {
    Integer(i64),
    Text(String),
}

impl LabelText {
    fn of(label: &Label) -> Option<Self> {
        match label {
            Label::None => None,
            Label::Integer(value) => Some(LabelText::Integer(*value)),
            Label::Text(text) => Some(LabelText::Text(text.to_string())),
        }
    }

    fn label(self) -> Label {
        match self {
            LabelText::Integer(value) => Label::Integer(value),
            LabelText::Text(text) => Label::Text(text.into()),
        }
    }
}

impl Text for Grouped {
    fn to_text(&self) -> Result<String> {
        // Every group has a name.
        let cell = |cell: &Cell| {
            let (stratum, group) = (LabelText::of(&cell.stratum), LabelText::of(&cell.group)?);
            Some(CellText { stratum, group, curve: SurvivalText::of_sample(&cell.sample) })
        };
        let groups = self.sorted().into_iter().filter_map(cell).collect();
        text::print(&GroupedText::GroupedSurvival { version: text::VERSION, groups, skipped: self.skipped() })
    }

    fn from_text(form: &str) -> Result<Self> {
        const NAME: &str = "ltv.grouped_survival";
        let GroupedText::GroupedSurvival { version, groups, skipped } = text::parse(form, NAME)?;
        text::known(version, NAME)?;
        let cell = |cell: CellText| match cell.curve.survival()? {
            Survival::Sample(sample) => Ok(Cell {
                stratum: cell.stratum.map_or(Label::None, LabelText::label),
                group: cell.group.label(),
                sample,
            }),
            Survival::Fitted(_) | Survival::Parametric(_) => {
                Err(Error::malformed("a group of a summary must be a sample"))
            }
        };
        Grouped::from_cells(groups.into_iter().map(cell).collect::<Result<_>>()?, skipped)
    }
}

#[pg_extern(sql = false)]
fn grouped_survival_in(text: &CStr) -> Value<Grouped> {
    types::read(text)
}

#[pg_extern(sql = false)]
fn grouped_survival_out(value: Value<Grouped>) -> CString {
    types::print(&value.0)
}

#[pg_extern(sql = false)]
fn grouped_survival_recv(message: Internal) -> Value<Grouped> {
    received(message)
}

#[pg_extern(sql = false)]
fn grouped_survival_send(value: Value<Grouped>) -> Vec<u8> {
    value.0.to_bytes()
}
