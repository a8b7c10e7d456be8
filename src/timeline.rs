//! Calendar arithmetic and names for contract timelines; all else about them is SQL.

use chrono::{Months, NaiveDate};
use ltv_engine::value::day_count;
use pgrx::datum::Date;
use pgrx::prelude::*;

/// The day as chrono has it; None for infinity and what chrono cannot hold (beyond the year 262142).
fn civil(date: Date) -> Option<NaiveDate> {
    if date.is_infinity() || date.is_neg_infinity() {
        return None;
    }
    day_count::civil(date.to_pg_epoch_days()).ok()
}

/// The same day of the month `months` later or earlier, the last of the month where there is none.
fn shifted(from: NaiveDate, months: i64) -> Option<NaiveDate> {
    let distance = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
    if months < 0 { from.checked_sub_months(distance) } else { from.checked_add_months(distance) }
}

/// Calendar months from one day to another: whole months, as far as the day of the month returns, and of the month that
/// is left the share of its days. A year is 12 whatever its length; never falls as `to` rises.
fn calendar_months(from: NaiveDate, to: NaiveDate) -> Option<f64> {
    use chrono::Datelike;
    let month = |date: NaiveDate| i64::from(date.year()) * 12 + i64::from(date.month0());
    let mut whole = month(to) - month(from);
    if shifted(from, whole)? > to {
        whole -= 1;
    }
    let (start, end) = (shifted(from, whole)?, shifted(from, whole + 1)?);
    let share = (to - start).num_days() as f64 / (end - start).num_days() as f64;
    Some(whole as f64 + share)
}

#[pg_extern(sql = false)]
fn months_between(from_on: Date, to_on: Date) -> Option<f64> {
    calendar_months(civil(from_on)?, civil(to_on)?)
}

/// The distinct trigrams of a name in order, each word padded with two spaces before and one after.
fn trigrams(name: &str) -> Vec<[char; 3]> {
    let mut grams: Vec<[char; 3]> = Vec::new();
    for word in name.split_whitespace() {
        let mut gram = [' '; 3];
        for letter in word.chars().chain([' ']) {
            gram = [gram[1], gram[2], letter];
            grams.push(gram);
        }
    }
    grams.sort_unstable();
    grams.dedup();
    grams
}

#[pg_extern(sql = false)]
fn name_similarity(a: &str, b: &str) -> Option<f64> {
    if a == b {
        return Some(1.0);
    }
    let (a, b) = (trigrams(a), trigrams(b));
    let common = a.iter().filter(|gram| b.binary_search(gram).is_ok()).count();
    let all = a.len() + b.len() - common;
    (all > 0).then(|| common as f64 / all as f64)
}
