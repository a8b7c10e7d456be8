//! Discounting and trends against tests/golden/discounting.py: one generic test over all cases.

use ltv_engine::trend::{MovingAverage, Slope};
use ltv_engine::value::contract::Timing;
use ltv_engine::value::dated_cash::{DatedCash, Flow};
use ltv_engine::value::day_count::{DayCount, day_number};
use ltv_engine::value::decimal::Decimal;
use ltv_engine::value::internal_rate::internal_rates;
use ltv_engine::value::present_value::{npv, xnpv};
use serde_json::Value;

const CLOSED_FORM: f64 = 1e-9;

/// The largest relative difference of each kind so far.
#[derive(Default)]
struct Compared(std::collections::BTreeMap<&'static str, (usize, f64)>);

impl Compared {
    fn near(&mut self, what: &'static str, ours: f64, theirs: f64, size: f64) {
        let difference = (ours - theirs).abs() / size;
        let (count, worst) = self.0.entry(what).or_default();
        *count += 1;
        *worst = worst.max(difference);
        assert!(difference <= CLOSED_FORM, "{what}: ltv {ours:e}, reference {theirs:e}");
    }
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

fn floats(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn amounts(value: &Value) -> Vec<Decimal> {
    texts(value).iter().map(|text| text.parse().unwrap()).collect()
}

fn day(text: &str) -> i32 {
    day_number(text.parse().unwrap())
}

fn cash_of(case: &Value) -> DatedCash {
    let dates = texts(&case["dates"]);
    let flows = dates.iter().zip(amounts(&case["cash"]));
    DatedCash::from_flows(flows.map(|(date, amount)| Flow { date: day(date), amount })).unwrap()
}

fn size(amounts: &[Decimal]) -> f64 {
    amounts.iter().map(|amount| amount.to_f64().abs()).fold(1.0, f64::max)
}

fn rates(flows: &[(f64, Decimal)]) -> Vec<f64> {
    internal_rates(flows, &mut || Ok(())).unwrap()
}

fn dated(case: &Value, compared: &mut Compared) {
    let (cash, rate) = (cash_of(case), case["rate"].as_f64().unwrap());
    let day_count: DayCount = case["day_count"].as_str().unwrap().parse().unwrap();
    let start = day(texts(&case["dates"])[0]);
    let theirs = case["xnpv"].as_f64().unwrap();
    let ours: f64 = xnpv(&cash, rate, start, day_count, 6).unwrap().unwrap().parse().unwrap();
    // Printed with six decimals.
    let scale = size(&amounts(&case["cash"])).max(theirs.abs()).max(1e3);
    compared.near("xnpv", ours, theirs, scale);
    if let Some(theirs) = case.get("xirr").and_then(Value::as_f64) {
        let flows: Vec<(f64, Decimal)> =
            cash.sorted().iter().map(|flow| (day_count.years(start, flow.date).unwrap(), flow.amount)).collect();
        let found = rates(&flows);
        assert_eq!(found.len(), 1, "{case}");
        compared.near("xirr", found[0], theirs, 1.0 + theirs.abs());
    }
}

fn periods(case: &Value, compared: &mut Compared) {
    let (cash, rate) = (amounts(&case["cash"]), case["rate"].as_f64().unwrap());
    for name in ["advance", "mid-period", "arrears"] {
        let timing: Timing = name.parse().unwrap();
        let ours: f64 = npv(&cash, rate, timing, 6).unwrap().unwrap().parse().unwrap();
        compared.near("npv", ours, case[name].as_f64().unwrap(), size(&cash).max(1e3));
    }
    if case["rates"].is_array() {
        let flows: Vec<(f64, Decimal)> = cash.iter().enumerate().map(|(k, amount)| (k as f64, *amount)).collect();
        let (ours, theirs) = (rates(&flows), floats(&case["rates"]));
        assert_eq!(ours.len(), theirs.len(), "{case}: {ours:?}");
        for (ours, theirs) in ours.iter().zip(theirs) {
            compared.near("irr", *ours, theirs, 1.0 + theirs.abs());
        }
    }
}

fn trends(case: &Value, compared: &mut Compared) {
    let (mut slope, mut average) = (Slope::default(), MovingAverage::default());
    for (t, x) in floats(&case["t"]).into_iter().zip(floats(&case["x"])) {
        slope.add(t, x).unwrap();
        average.add(t, x, case["half_life"].as_f64().unwrap()).unwrap();
    }
    let expected = |name: &str| case[name].as_f64().unwrap();
    compared.near("slope", slope.slope().unwrap(), expected("slope"), expected("slope").abs());
    compared.near("average", average.average().unwrap(), expected("average"), expected("average").abs());
}

#[test]
fn discounting_is_that_of_the_reference() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/discounting/discounting.json");
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = |name: &str| golden[name].as_array().unwrap();
    let mut compared = Compared::default();
    for case in cases("published") {
        let (rate, value) = (case["rate"].as_f64().unwrap(), case["value"].as_str().map(str::to_owned));
        let ours = match case.get("dates") {
            Some(dates) => xnpv(&cash_of(case), rate, day(texts(dates)[0]), DayCount::default(), 2).unwrap(),
            None => {
                let timing = case.get("timing").and_then(Value::as_str).unwrap_or("arrears").parse().unwrap();
                npv(&amounts(&case["cash"]), rate, timing, 2).unwrap()
            }
        };
        assert_eq!(ours, value, "{}", case["what"]);
    }
    cases("dated").iter().for_each(|case| dated(case, &mut compared));
    cases("periods").iter().for_each(|case| periods(case, &mut compared));
    cases("trends").iter().for_each(|case| trends(case, &mut compared));
    for case in cases("days") {
        for (name, years) in case["years"].as_object().unwrap() {
            let count: DayCount = name.parse().unwrap();
            let ours = count.years(day(case["from"].as_str().unwrap()), day(case["to"].as_str().unwrap())).unwrap();
            compared.near("years", ours, years.as_f64().unwrap(), years.as_f64().unwrap().max(1.0));
        }
    }
    for (what, (count, worst)) in &compared.0 {
        println!("{what}: {count} numbers, largest relative difference {worst:.1e}");
    }
    assert!(compared.0.len() == 7 && compared.0.values().all(|(count, _)| *count >= 40), "{:?}", compared.0);
}
