//! Transactional models against published numbers, an independent implementation, and laws.

#[path = "../chance/mod.rs"]
mod chance;
mod golden;
#[path = "../golden_support/mod.rs"]
mod golden_support;
mod properties;
mod published;

use std::collections::BTreeMap;

use golden_support::{number, table};
use ltv_engine::btyd::fit::{TransactionalFit, fit_purchases, fit_spend};
use ltv_engine::btyd::history::History;
use ltv_engine::btyd::purchases::Leaving;
use ltv_engine::btyd::sample::{PurchaseSample, SpendSample};
use ltv_engine::numeric::tally::Budget;

pub fn go_on() -> ltv_engine::Result<()> {
    Ok(())
}

pub fn unlimited() -> Budget {
    Budget::UNLIMITED
}

/// The customers of the CDNOW sample (times in weeks, to two decimals).
pub fn cdnow() -> (PurchaseSample, SpendSample) {
    let (mut purchases, mut spend) = (PurchaseSample::default(), SpendSample::default());
    for row in table("cdnow_customers.csv") {
        let [x, recency, age, mean] = ["x", "t_x", "t_obs", "zbar"].map(|column| number(&row, column));
        purchases.add(x, recency, age, 1.0, unlimited).unwrap();
        if x > 0.0 {
            spend.add(x, mean, 1.0, unlimited).unwrap();
        }
    }
    (purchases, spend)
}

pub fn fitted(sample: &PurchaseSample, leaving: Leaving) -> TransactionalFit {
    fit_purchases(sample, leaving, &mut go_on).unwrap().unwrap()
}

pub fn fitted_spend(sample: &SpendSample) -> TransactionalFit {
    fit_spend(sample, &mut go_on).unwrap().unwrap()
}

pub fn history(frequency: f64, recency: f64, age: f64) -> History {
    History::new(frequency, recency, age).unwrap()
}

/// x, t_x, T and the mean value of repeat purchases of the same customers from their transactions, in exact weeks:
/// purchases of one day are one, seen until 1997-09-30.
pub fn cdnow_customers() -> Vec<[f64; 4]> {
    let mut customers: BTreeMap<u64, BTreeMap<i64, f64>> = BTreeMap::new();
    let end = day("1997-09-30");
    for row in table("cdnow_transactions.csv") {
        let bought = day(&row["date"]);
        if bought <= end {
            let days = customers.entry(row["customer_id"].parse().unwrap()).or_default();
            *days.entry(bought).or_default() += number(&row, "amount");
        }
    }
    let customer = |days: &BTreeMap<i64, f64>| {
        let (first, last) = (*days.keys().next().unwrap(), *days.keys().last().unwrap());
        let weeks = |days: i64| days as f64 / 7.0;
        let x = days.len() as f64 - 1.0;
        let mean = if x > 0.0 { days.values().skip(1).sum::<f64>() / x } else { 0.0 };
        [x, weeks(last - first), weeks(end - first), mean]
    };
    customers.values().map(customer).collect()
}

/// The same as samples.
pub fn cdnow_transactions() -> (PurchaseSample, SpendSample) {
    let (mut purchases, mut spend) = (PurchaseSample::default(), SpendSample::default());
    for [x, recency, age, mean] in cdnow_customers() {
        purchases.add(x, recency, age, 1.0, unlimited).unwrap();
        if mean > 0.0 {
            spend.add(x, mean, 1.0, unlimited).unwrap();
        }
    }
    (purchases, spend)
}

/// Days since some day, for dates of 1997 and 1998.
fn day(date: &str) -> i64 {
    let parts: Vec<i64> = date.split('-').map(|part| part.parse().unwrap()).collect();
    let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][parts[1] as usize - 1];
    (parts[0] - 1997) * 365 + before + parts[2]
}
