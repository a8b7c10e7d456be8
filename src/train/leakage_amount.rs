//! Features that know the amount: each is judged alone, by how it orders the amounts and by how much of them it explains.
//! That it tells which amounts are 0 is no reason: who uses nothing pays nothing, and that is no secret.

use std::cmp::Ordering;

use ltv_engine::Result;

use crate::pg::error::settle;
use crate::pg::interrupts;
use crate::pg::reader::Reader;
use crate::train::column::Column;
use crate::train::leakage::Alone;
use crate::train::source::Source;

/// A single feature that orders the amounts this well (Spearman's rank correlation), or explains that share of their
/// variance in rows that it was not fitted to, is the amount, or nearly all of it. Prices and quantities, the strongest of
/// honest features, stay below: each leaves open what the other says.
const SUSPICIOUS: f64 = 0.98;
/// Fewer rows, and chance orders them.
const LEAST_ROWS: usize = 20;
/// A row is predicted by the other parts of the rows.
const PARTS: usize = 5;

/// What a feature says by itself of the amounts; `None` where that is undefined.
#[derive(Clone, Default)]
pub struct Told {
    /// Spearman's; of numbers and booleans its size.
    pub correlation: Option<f64>,
    /// 1 − the sum of squares that is left / that about the mean.
    explained: Option<f64>,
}

impl Told {
    /// Why `what` is suspected, if it is.
    pub fn suspicion(&self, what: &str) -> Option<String> {
        let reasons = [
            (self.correlation, "orders the amounts with a rank correlation of"),
            (self.explained, "explains the amounts with an R2 of"),
        ];
        let (found, how) = reasons.into_iter().find(|(found, _)| found.is_some_and(|found| found >= SUSPICIOUS))?;
        Some(format!("{what} {how} {:.3}", found.unwrap_or_default()))
    }

    fn strongest(&self) -> f64 {
        [self.correlation, self.explained].into_iter().flatten().fold(0.0, f64::max)
    }
}

/// What each feature says by itself of the amounts of the rows that `query` gives: the amount, then `columns`. A feature
/// that some rows lack is judged also by that it is NULL; of a category a NULL is a level.
pub fn alone(reader: &Reader, query: &str, columns: &[&Column]) -> Result<Vec<Alone>> {
    let mut amounts = Vec::new();
    let mut numbers: Vec<Vec<Option<f64>>> = vec![Vec::new(); columns.len()];
    let mut texts: Vec<Vec<Option<String>>> = vec![Vec::new(); columns.len()];
    for row in reader.select(query, &[])? {
        let Some(amount) = row.get::<f64>(1)?.filter(|amount| amount.is_finite()) else { continue };
        amounts.push(amount);
        for (at, column) in columns.iter().enumerate() {
            match column.is_text() {
                true => texts[at].push(row.get::<String>(at + 2)?),
                false => numbers[at].push(row.get::<f64>(at + 2)?.filter(|value| value.is_finite())),
            }
        }
    }
    let judged = columns.iter().enumerate().map(|(at, column)| {
        settle(interrupts::check());
        let (told, by_absence) = match column.is_text() {
            true => {
                let means = level_means(&texts[at], &amounts);
                (judge(&means, &means, &amounts, true), false)
            }
            false => number(&numbers[at], &amounts),
        };
        Alone::of_amount(&column.name, told, by_absence)
    });
    Ok(judged.collect())
}

/// The rows' amounts as the query names them, with what is looked at.
pub fn query(source: &Source, values: &str, chosen: &str) -> String {
    format!("SELECT {}, {values} FROM {} WHERE {}{chosen}", source.duration, source.from, source.training())
}

/// By the value, or by that it is NULL where only that is suspicious.
fn number(values: &[Option<f64>], amounts: &[f64]) -> (Told, bool) {
    let (present, theirs): (Vec<f64>, Vec<f64>) =
        values.iter().zip(amounts).filter_map(|(value, amount)| value.map(|value| (value, *amount))).unzip();
    let by_value = judge(&present, &line(&present, &theirs), &theirs, false);
    if present.is_empty() || present.len() == values.len() {
        return (by_value, false);
    }
    let absent: Vec<f64> = values.iter().map(|value| f64::from(u8::from(value.is_none()))).collect();
    let by_absence = judge(&absent, &line(&absent, amounts), amounts, false);
    let telling = by_absence.strongest() >= SUSPICIOUS && by_absence.strongest() > by_value.strongest();
    if telling { (by_absence, true) } else { (by_value, false) }
}

fn judge(scores: &[f64], fitted: &[f64], amounts: &[f64], is_signed: bool) -> Told {
    if scores.len() < LEAST_ROWS {
        return Told::default();
    }
    let found = correlation(&ranks(scores), &ranks(amounts));
    Told {
        correlation: found.map(|found| if is_signed { found } else { found.abs() }),
        explained: explained(fitted, amounts),
    }
}

/// Ranks from 1 on; those that are equal share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for equal in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let rank = before as f64 + (equal.len() as f64 + 1.0) / 2.0;
        equal.iter().for_each(|at| ranks[*at] = rank);
        before += equal.len();
    }
    ranks
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Pearson's correlation.
fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let (centre_a, centre_b) = (mean(a), mean(b));
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a - centre_a, b - centre_b);
        aa += a * a;
        bb += b * b;
        ab += a * b;
    }
    Some(ab / (aa * bb).sqrt()).filter(|found| found.is_finite())
}

fn explained(fitted: &[f64], amounts: &[f64]) -> Option<f64> {
    let centre = mean(amounts);
    let square = |amount: f64, from: f64| (amount - from) * (amount - from);
    let all: f64 = amounts.iter().map(|amount| square(*amount, centre)).sum();
    let left: f64 = amounts.iter().zip(fitted).map(|(amount, fitted)| square(*amount, *fitted)).sum();
    Some(1.0 - left / all).filter(|found| found.is_finite())
}

/// The part that each row is of: every fifth in the order of `compare`, the same for any order of the rows.
fn parts(rows: usize, mut compare: impl FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows).collect();
    order.sort_unstable_by(|a, b| compare(*a, *b));
    let mut parts = vec![0; rows];
    order.iter().enumerate().for_each(|(place, at)| parts[*at] = place % PARTS);
    parts
}

/// Each amount by the straight line through the other parts of the rows.
fn line(scores: &[f64], amounts: &[f64]) -> Vec<f64> {
    let part =
        parts(scores.len(), |a, b| scores[a].total_cmp(&scores[b]).then_with(|| amounts[a].total_cmp(&amounts[b])));
    let (x0, y0) = (mean(scores), mean(amounts));
    // Of each part: rows, sums of x and y, of x² and xy.
    let mut sums = [[0.0; 5]; PARTS];
    for (at, part) in part.iter().enumerate() {
        let (x, y) = (scores[at] - x0, amounts[at] - y0);
        sums[*part].iter_mut().zip([1.0, x, y, x * x, x * y]).for_each(|(sum, term)| *sum += term);
    }
    let lines = sums.map(|own| {
        let [n, x, y, xx, xy]: [f64; 5] =
            std::array::from_fn(|at| sums.iter().map(|part| part[at]).sum::<f64>() - own[at]);
        let spread = xx - x * x / n;
        let slope = if spread > 0.0 { (xy - x * y / n) / spread } else { 0.0 };
        (slope, y / n - slope * x / n)
    });
    scores.iter().zip(part).map(|(x, part)| y0 + lines[part].1 + lines[part].0 * (x - x0)).collect()
}

/// The mean amount of the rows of the same level in the other parts of the rows, drawn towards that of all rows by as much
/// as one row weighs.
fn level_means(levels: &[Option<String>], amounts: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..levels.len()).collect();
    order.sort_unstable_by(|a, b| levels[*a].cmp(&levels[*b]).then_with(|| amounts[*a].total_cmp(&amounts[*b])));
    let overall = mean(amounts);
    let mut means = vec![overall; levels.len()];
    for level in order.chunk_by(|a, b| levels[*a] == levels[*b]) {
        let (mut rows, mut sums) = ([0.0; PARTS], [0.0; PARTS]);
        for (place, at) in level.iter().enumerate() {
            rows[place % PARTS] += 1.0;
            sums[place % PARTS] += amounts[*at] - overall;
        }
        let (all_rows, total) = (rows.iter().sum::<f64>(), sums.iter().sum::<f64>());
        for (place, at) in level.iter().enumerate() {
            let part = place % PARTS;
            means[*at] = overall + (total - sums[part]) / (all_rows - rows[part] + 1.0);
        }
    }
    means
}
