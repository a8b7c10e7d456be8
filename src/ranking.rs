//! What the order of scores is worth, in SQL: the summary as a value, AUC, lift, thresholds.

use std::ffi::{CStr, CString};

use ltv_engine::assess::calibration::Calibration;
use ltv_engine::assess::ranking::{Ranking, ScoreLevel};
use ltv_engine::assess::thresholds::{Best, Economics, Flagged};
use ltv_engine::survival::kaplan_meier::critical_value;
use ltv_engine::{Error, Result};
use pgrx::Internal;
use pgrx::prelude::*;
use serde::{Deserialize, Serialize};

use crate::pg::call::{Call, Field};
use crate::pg::error::settle;
use crate::pg::varlena::{Stored, Value, received};
use crate::text::{self, Number, Text};
use crate::types;

/// A number of bins or buckets.
pub fn count(number: i32, what: &str) -> usize {
    settle(
        usize::try_from(number).map_err(|_| {
            Error::invalid(format!("the number of {what} must be at least 1, got {number}"), "Ten is usual.")
        }),
    )
}

/// `auc(r)`.
pub fn auc(call: &Call) -> pg_sys::Datum {
    call.answer_float(call.state(0, Ranking::auc).flatten())
}

/// `gini(r)`: 2 AUC − 1.
pub fn gini(call: &Call) -> pg_sys::Datum {
    call.answer_float(call.state(0, Ranking::auc).flatten().map(|auc| 2.0 * auc - 1.0))
}

/// `auc_interval(r, level)`.
pub fn auc_interval(call: &Call) -> pg_sys::Datum {
    let Some(level) = call.float(1) else { return call.null() };
    let z = settle(critical_value(level));
    let Some(area) = call.state(0, Ranking::area).flatten() else { return call.null() };
    let limit = |side: f64| area.std_error.map(|error| (area.auc + side * z * error).clamp(0.0, 1.0));
    let fields = [Some(area.auc), area.std_error, limit(-1.0), limit(1.0)];
    call.answer_tuple(fields.into_iter().map(Field::Float).collect())
}

/// `average_precision(r)`.
pub fn average_precision(call: &Call) -> pg_sys::Datum {
    call.answer_float(call.state(0, Ranking::average_precision).flatten())
}

/// `lift_table(r, buckets)`.
pub fn lift_table(call: &Call) -> pg_sys::Datum {
    let Some(buckets) = call.integer(1) else { return call.answer_rows([]) };
    let buckets = count(buckets, "buckets");
    let rows = call.state(0, |ranking: &Ranking| settle(ranking.lift_table(buckets))).unwrap_or_default();
    call.answer_rows(rows.into_iter().map(|row| {
        vec![
            Field::Int4(Some(row.bucket as i32)),
            Field::Float(Some(row.n)),
            Field::Float(Some(row.score_from)),
            Field::Float(Some(row.score_to)),
            Field::Float(Some(row.positives)),
            Field::Float(Some(row.rate)),
            Field::Float(row.lift),
            Field::Float(Some(row.cumulative_share)),
            Field::Float(row.cumulative_capture),
            Field::Float(row.cumulative_lift),
            Field::Float(row.value),
            Field::Float(row.cumulative_value_share),
        ]
    }))
}

/// `precision_recall(r, at)`.
pub fn precision_recall(call: &Call) -> pg_sys::Datum {
    let at = call.floats(1);
    let rows = call.state(0, |ranking: &Ranking| settle(ranking.precision_recall(at))).unwrap_or_default();
    call.answer_rows(rows.into_iter().map(|row| flagged(Some(row))))
}

/// The columns of what is flagged at a threshold; nobody is without one.
pub fn flagged(at: Option<Flagged>) -> Vec<Field> {
    let counted = |pick: fn(&Flagged) -> f64| Field::Float(Some(at.as_ref().map_or(0.0, pick)));
    let found = |pick: fn(&Flagged) -> Option<f64>| Field::Float(at.as_ref().and_then(pick));
    vec![
        Field::Float(at.map(|at| at.threshold)),
        counted(|at| at.flagged),
        counted(|at| at.true_positives),
        counted(|at| at.false_positives),
        found(|at| at.precision),
        found(|at| at.recall),
        found(|at| at.false_positive_rate),
        found(|at| at.f1),
    ]
}

/// `best_threshold(r, benefit, cost, capacity)`.
pub fn best_threshold(call: &Call) -> pg_sys::Datum {
    let economics = Economics { benefit: call.float(1), cost: call.float(2), capacity: call.float(3) };
    match call.state(0, |ranking: &Ranking| settle(ranking.best_threshold(economics))).flatten() {
        Some(best) => call.answer_tuple(chosen(best)),
        None => call.null(),
    }
}

/// The columns of a threshold that was chosen.
pub fn chosen(best: Best) -> Vec<Field> {
    let status = match (best.flagged, best.is_limited) {
        (None, true) => "the capacity is smaller than the group of the highest score",
        (None, false) => "nobody is worth the cost",
        (Some(_), true) => "limited by the capacity",
        (Some(_), false) => "ok",
    };
    let mut fields = flagged(best.flagged);
    fields.push(Field::Float(best.profit));
    fields.push(Field::Text(Some(status.into())));
    fields
}

/// `skipped(r)`.
pub fn skipped(call: &Call) -> pg_sys::Datum {
    match call.state(0, Ranking::skipped) {
        Some(rows) => pg_sys::Datum::from(i64::try_from(rows).unwrap_or(i64::MAX)),
        None => call.null(),
    }
}

/// `hosmer_lemeshow(c, bins, fitted_here)`.
pub fn hosmer_lemeshow(call: &Call) -> pg_sys::Datum {
    let (Some(bins), Some(fitted_here)) = (call.integer(1), call.boolean(2)) else { return call.null() };
    let bins = count(bins, "bins");
    let test = |c: &Calibration| settle(c.hosmer_lemeshow(bins, fitted_here));
    let Some(test) = call.state(0, test).flatten() else { return call.null() };
    call.answer_tuple(vec![
        Field::Float(Some(test.chi_squared)),
        Field::Int4(i32::try_from(test.df).ok()),
        Field::Float(Some(test.p_value)),
    ])
}

/// `spiegelhalter(c)`.
pub fn spiegelhalter(call: &Call) -> pg_sys::Datum {
    let Some((z, p_value)) = call.state(0, Calibration::spiegelhalter).flatten() else { return call.null() };
    call.answer_tuple(vec![Field::Float(Some(z)), Field::Float(Some(p_value))])
}

/// `isotonic(c)`.
pub fn isotonic(call: &Call) -> pg_sys::Datum {
    let steps = call.state(0, Calibration::isotonic).unwrap_or_default();
    call.answer_rows(steps.into_iter().map(|step| {
        [step.from, step.to, step.n, step.recalibrated].into_iter().map(|number| Field::Float(Some(number))).collect()
    }))
}

impl Stored for Ranking {
    const SQL_NAME: &'static str = "ltv.ranking";

    fn to_bytes(&self) -> Vec<u8> {
        self.encode()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Ranking::decode(bytes)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum RankingText {
    Ranking {
        version: u32,
        score: Vec<Number>,
        positive: Vec<Number>,
        negative: Vec<Number>,
        /// Both are left out where rows have no value.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        positive_value: Vec<Number>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        negative_value: Vec<Number>,
        skipped: u64,
    },
}

impl Text for Ranking {
    fn to_text(&self) -> Result<String> {
        let levels = self.levels();
        let column = |pick: fn(&ScoreLevel) -> f64| levels.iter().map(|level| Number(pick(level))).collect();
        let value = |pick: fn(&ScoreLevel) -> f64| if self.has_values() { column(pick) } else { Vec::<Number>::new() };
        text::print(&RankingText::Ranking {
            version: text::VERSION,
            score: column(|level| level.score),
            positive: column(|level| level.positives),
            negative: column(|level| level.negatives),
            positive_value: value(|level| level.value_of_positives),
            negative_value: value(|level| level.value_of_negatives),
            skipped: self.skipped(),
        })
    }

    fn from_text(text: &str) -> Result<Self> {
        let RankingText::Ranking { version, score, positive, negative, positive_value, negative_value, skipped } =
            text::parse(text, "ltv.ranking")?;
        text::known(version, "ltv.ranking")?;
        let fits = |column: &[Number]| column.len() == score.len();
        let values_fit = (positive_value.is_empty() && negative_value.is_empty())
            || (fits(&positive_value) && fits(&negative_value));
        if !(fits(&positive) && fits(&negative) && values_fit) {
            return Err(Error::malformed("the arrays of a summary differ in length"));
        }
        let at = |column: &[Number], at: usize| column.get(at).map_or(0.0, |number| number.0);
        let level = |place: usize| ScoreLevel {
            score: score[place].0,
            positives: positive[place].0,
            negatives: negative[place].0,
            value_of_positives: at(&positive_value, place),
            value_of_negatives: at(&negative_value, place),
        };
        Ranking::from_levels(&(0..score.len()).map(level).collect::<Vec<_>>(), skipped)
    }
}

#[pg_extern(sql = false)]
fn ranking_in(text: &CStr) -> Value<Ranking> {
    types::read(text)
}

#[pg_extern(sql = false)]
fn ranking_out(value: Value<Ranking>) -> CString {
    types::print(&value.0)
}

#[pg_extern(sql = false)]
fn ranking_recv(message: Internal) -> Value<Ranking> {
    received(message)
}

#[pg_extern(sql = false)]
fn ranking_send(value: Value<Ranking>) -> Vec<u8> {
    value.0.to_bytes()
}
