//! Features that know the outcome: each is judged alone, by how it orders the times and by how it tells who had the event.

use std::cmp::Ordering;

use ltv_engine::Result;
use ltv_engine::assess::concordance::{Concordance, Outcomes, concordance};
use pgrx::pg_sys;

use crate::pg::interrupts;
use crate::pg::reader::Reader;
use crate::train::column::Column;
use crate::train::leakage_amount::{self, Told};
use crate::train::request::Request;
use crate::train::source::Source;

/// A single feature that orders the outcomes this well knows them.
const SUSPICIOUS_CONCORDANCE: f64 = 0.95;
/// A single feature that parts the rows with the event from those without this well knows them. Less than 0.95, which is
/// what a flag set on 95 % of the ones and 5 % of the others has on average, so that every second sample of it has less;
/// and far from what an honest feature reaches: whole models of churn have 0.7 to 0.85.
const SUSPICIOUS_AUC: f64 = 0.9;
/// Fewer rows with the event, or without it, and chance parts them.
const LEAST_OF_EACH: usize = 10;
/// Rows that one look at the features reads; more tell no more.
const LOOKED_AT: i64 = 20_000;
/// A category's rows are scored by the other parts of the rows.
const PARTS: usize = 5;

/// What a feature says by itself.
#[derive(Clone, Default)]
pub struct Alone {
    pub name: String,
    /// Harrell's C; of numbers and booleans the greater of the two directions.
    pub concordance: Option<f64>,
    /// P(the feature is greater for a row with the event than for one that was seen without it for longer).
    auc: Option<f64>,
    /// Whether the AUC is the feature's own doing, not that of how long its rows were watched.
    is_own: bool,
    /// That it is NULL tells this, not what it is.
    by_absence: bool,
    /// Of a model of amounts, instead.
    amount: Option<Told>,
}

impl Alone {
    /// Why it, called so, is suspected of knowing the outcome, if it is.
    pub fn suspicion(&self, called: &str) -> Option<String> {
        let what = if self.by_absence { format!("that {called} is NULL") } else { format!("{called} alone") };
        if let Some(told) = &self.amount {
            return told.suspicion(&what);
        }
        if let Some(found) = self.concordance.filter(|found| *found >= SUSPICIOUS_CONCORDANCE) {
            return Some(format!("{what} orders the outcomes with a concordance of {found:.3}"));
        }
        let auc = self.auc.filter(|found| *found >= SUSPICIOUS_AUC && self.is_own)?;
        Some(format!("{what} tells the rows with the event from those without, with an AUC of {auc:.3}"))
    }

    /// What a feature says of amounts, by its value or by that it is NULL.
    pub fn of_amount(name: &str, told: Told, by_absence: bool) -> Alone {
        Alone { name: name.to_owned(), by_absence, amount: Some(told), ..Alone::default() }
    }

    /// How well it orders the outcomes: a concordance, or of amounts a rank correlation.
    pub fn order(&self) -> Option<f64> {
        self.amount.as_ref().map_or(self.concordance, |told| told.correlation)
    }

    fn is_suspect(&self) -> bool {
        self.suspicion("").is_some()
    }

    /// From all pairs of rows of which it is known who had the event first, and those of them in which both had it.
    fn of(name: &str, all: &Concordance, both: &Concordance, is_signed: bool) -> Alone {
        let one = Concordance {
            concordant: all.concordant - both.concordant,
            discordant: all.discordant - both.discordant,
            tied_x: all.tied_x - both.tied_x,
            ..Concordance::default()
        };
        let pairs = |found: &Concordance| found.concordant + found.discordant + found.tied_x;
        let (found, auc) = (all.estimate(), one.estimate());
        // The direction that says more: of the scores of categories it is given.
        let extreme = |value: Option<f64>| value.map_or(0.0, |value| (value - 0.5).abs());
        let lead = if extreme(auc) > extreme(found) { auc } else { found };
        let turned = !is_signed && lead.is_some_and(|lead| lead < 0.5);
        let along = |value: Option<f64>| value.map(|value| if turned { 1.0 - value } else { value });
        // Where a feature only tells how long a row was watched, it orders nothing: rows watched for longer have the event
        // more often, but not sooner, and over all pairs the concordance is 0.5. Where it tells the event itself, the pairs
        // of two events have 0.5 and the others the AUC. It is its own doing when the concordance is nearer to the latter.
        let share = pairs(&one) / pairs(all);
        let is_own = along(found)
            .zip(along(auc))
            .is_some_and(|(found, auc)| found - 0.5 >= share * (auc - 0.5) / 2.0 && found > 0.5);
        let concordance = match is_signed {
            true => found,
            false => found.map(|found| found.max(1.0 - found)),
        };
        Alone { name: name.to_owned(), concordance, auc: along(auc), is_own, ..Alone::default() }
    }

    /// How much it says.
    fn weight(&self) -> (bool, f64) {
        let strongest = [self.concordance, self.auc.filter(|_| self.is_own)].into_iter().flatten().fold(0.0, f64::max);
        (self.is_suspect(), strongest)
    }
}

/// The outcomes of the rows that are looked at.
#[derive(Default)]
struct Rows {
    exits: Vec<f64>,
    events: Vec<bool>,
    entries: Vec<f64>,
}

/// What each feature says by itself of the outcomes of the training rows, of about 20,000 of them, chosen by a hash of what
/// they hold. Categories are judged by how often the rows of their level have the event; a feature that some rows lack also
/// by that it is NULL. Of models of amounts it is told of these; nothing of a hybrid, whose components were trained before.
pub fn alone(reader: &Reader, source: &Source, request: &Request, rows: i64) -> Result<Vec<Alone>> {
    let looked_at: Vec<&Column> =
        source.features.iter().filter(|column| column.is_number() || column.is_boolean() || column.is_text()).collect();
    let of_amounts = request.algorithm.needs_target();
    if !(request.algorithm.tells_of_time() || of_amounts) || looked_at.is_empty() {
        return Ok(Vec::new());
    }
    let value = |column: &&Column| match (column.is_text(), column.is_boolean()) {
        (true, _) => format!("{}::text COLLATE \"C\"", column.sql()),
        (false, true) => format!("{}::int4::float8", column.sql()),
        (false, false) => format!("{}::float8", column.sql()),
    };
    let values = looked_at.iter().map(value).collect::<Vec<_>>().join(", ");
    let share = (LOOKED_AT as f64 / rows.max(1) as f64).min(1.0);
    let chosen = match share < 1.0 {
        true => format!(
            " AND ({} & 9223372036854775807) % 1000000 < {}",
            row_hash(&format!("{}, {values}", source.duration), looked_at.len() + 1),
            (share * 1e6) as i64
        ),
        false => String::new(),
    };
    if of_amounts {
        return leakage_amount::alone(reader, &leakage_amount::query(source, &values, &chosen), &looked_at);
    }
    let query = format!(
        "SELECT {}, ({})::int4, {}, {values} FROM {} WHERE {}{chosen}",
        // Whoever ended by another cause is still there to be compared with, however late the event.
        source.causes.as_ref().map_or_else(|| source.duration.clone(), |causes| causes.at_risk_until(&source.duration)),
        source.event,
        source.entry.as_deref().unwrap_or("0::float8"),
        source.from,
        source.training(),
    );
    let mut seen = Rows::default();
    let mut numbers: Vec<Vec<Option<f64>>> = vec![Vec::new(); looked_at.len()];
    let mut texts: Vec<Vec<Option<String>>> = vec![Vec::new(); looked_at.len()];
    for row in reader.select(&query, &[])? {
        let (exit, entry) = (row.get::<f64>(1)?.unwrap_or(0.0), row.get::<f64>(3)?.unwrap_or(0.0));
        // Who had left before being seen is compared with nobody.
        if entry >= exit {
            continue;
        }
        seen.exits.push(exit);
        seen.events.push(row.get::<i32>(2)? == Some(1));
        seen.entries.push(entry);
        for (at, column) in looked_at.iter().enumerate() {
            match column.is_text() {
                true => texts[at].push(row.get::<String>(at + 4)?),
                false => numbers[at].push(row.get::<f64>(at + 4)?.filter(|value| value.is_finite())),
            }
        }
    }
    let mut found = Vec::with_capacity(looked_at.len());
    for (at, column) in looked_at.iter().enumerate() {
        found.push(match column.is_text() {
            true => seen.judge_category(&column.name, &texts[at])?,
            false => seen.judge_number(&column.name, &numbers[at])?,
        });
    }
    Ok(found)
}

/// The hash of a row of so many values; it is the same whether or not they are too many for the arguments of a function.
fn row_hash(values: &str, count: usize) -> String {
    match count <= pg_sys::FUNC_MAX_ARGS as usize {
        true => format!("ltv.row_hash({values})"),
        false => format!("hash_record_extended(ROW({values}), 0)"),
    }
}

impl Rows {
    fn judge_number(&self, name: &str, values: &[Option<f64>]) -> Result<Alone> {
        let by_value = self.judge(name, values, false)?;
        if values.iter().all(Option::is_some) || values.iter().all(Option::is_none) {
            return Ok(by_value);
        }
        let absent: Vec<Option<f64>> = values.iter().map(|value| Some(f64::from(u8::from(value.is_none())))).collect();
        let by_absence = Alone { by_absence: true, ..self.judge(name, &absent, false)? };
        Ok(match by_absence.is_suspect() && by_absence.weight() > by_value.weight() {
            true => by_absence,
            false => by_value,
        })
    }

    /// A NULL is a level too.
    fn judge_category(&self, name: &str, levels: &[Option<String>]) -> Result<Alone> {
        self.judge(name, &shares(levels, &self.exits, &self.events), true)
    }

    fn judge(&self, name: &str, scores: &[Option<f64>], is_signed: bool) -> Result<Alone> {
        let (mut all, mut both) = ((Rows::default(), Vec::new()), (Rows::default(), Vec::new()));
        for (at, score) in scores.iter().enumerate() {
            let Some(score) = score else { continue };
            for (rows, scores) in [Some(&mut all), self.events[at].then_some(&mut both)].into_iter().flatten() {
                rows.exits.push(self.exits[at]);
                rows.events.push(self.events[at]);
                rows.entries.push(self.entries[at]);
                scores.push(*score);
            }
        }
        let judged = Alone::of(name, &pairs(&all.0, &all.1)?, &pairs(&both.0, &both.1)?, is_signed);
        let (events, rows) = (both.1.len(), all.1.len());
        Ok(match events < LEAST_OF_EACH || rows - events < LEAST_OF_EACH {
            true => Alone { auc: None, ..judged },
            false => judged,
        })
    }
}

fn pairs(rows: &Rows, scores: &[f64]) -> Result<Concordance> {
    let outcomes = Outcomes { exits: &rows.exits, events: &rows.events, entries: &rows.entries, weights: &[] };
    concordance(outcomes, scores, &mut interrupts::check)
}

/// The share of rows with the event among those of the same level in the other parts of the rows, drawn towards that of all
/// rows by as much as one row weighs: what is true of the row itself is not in its score, so that many small levels say
/// nothing by chance.
fn shares(levels: &[Option<String>], exits: &[f64], events: &[bool]) -> Vec<Option<f64>> {
    let mut order: Vec<usize> = (0..levels.len()).collect();
    order.sort_unstable_by(|a, b| {
        let times = || exits[*a].total_cmp(&exits[*b]);
        levels[*a].cmp(&levels[*b]).then_with(times).then_with(|| match (events[*a], events[*b]) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            _ => Ordering::Equal,
        })
    });
    let overall = events.iter().filter(|event| **event).count() as f64 / events.len().max(1) as f64;
    let mut scores = vec![None; levels.len()];
    for level in order.chunk_by(|a, b| levels[*a] == levels[*b]) {
        let (mut rows, mut happened) = ([0.0; PARTS], [0.0; PARTS]);
        for (place, at) in level.iter().enumerate() {
            rows[place % PARTS] += 1.0;
            happened[place % PARTS] += f64::from(u8::from(events[*at]));
        }
        let (all_rows, all_happened) = (rows.iter().sum::<f64>(), happened.iter().sum::<f64>());
        for (place, at) in level.iter().enumerate() {
            let part = place % PARTS;
            scores[*at] = Some((all_happened - happened[part] + overall) / (all_rows - rows[part] + 1.0));
        }
    }
    scores
}
