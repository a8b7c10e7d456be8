//! Every case of `tests/golden/groups/*.json`, which `tests/golden/groups.R` has computed.

use serde_json::Value;

use ltv_engine::numeric::multiple::Adjustment;
use ltv_engine::numeric::tally::Budget;
use ltv_engine::survival::Grouped;
use ltv_engine::survival::grouped::{LabelRef, Row};
use ltv_engine::survival::grouped_tests::{by_group, equal_steps, pairs, test};
use ltv_engine::survival::log_rank::{LogRank, Weighting};

use crate::golden_support::{Comparison, golden, number, numbers, table};

const TOLERANCE: f64 = 1e-9;
const FILES: [(&str, usize); 3] = [("groups/plain", 12), ("groups/stratified", 9), ("groups/entries_and_weights", 8)];
const FAMILIES: [(&str, Weighting); 7] = [
    ("log-rank", Weighting::LogRank),
    ("wilcoxon", Weighting::Wilcoxon),
    ("tarone-ware", Weighting::TaroneWare),
    ("peto", Weighting::Peto),
    ("fh10", Weighting::FlemingHarrington { p: 1.0, q: 0.0 }),
    ("fh01", Weighting::FlemingHarrington { p: 0.0, q: 1.0 }),
    ("fh11", Weighting::FlemingHarrington { p: 1.0, q: 1.0 }),
];

fn cases() -> Vec<Value> {
    let mut cases = Vec::new();
    for (file, count) in FILES {
        let read = golden(file)["cases"].as_array().expect("cases").clone();
        assert_eq!(read.len(), count, "{file}");
        cases.extend(read);
    }
    cases
}

/// The rows of a case as `groups.R` takes them: complete ones, whose weights, if any, are 1, 2, 3, 1, 2, 3 … by their
/// place among those that the filter leaves.
fn grouped(case: &Value) -> Grouped {
    let column = |role: &str| case[role].as_str();
    let (time, group) = (column("time").expect("a time"), column("group").expect("a group"));
    let pair = |role: &str| {
        let words: Vec<&str> = case[role].as_array()?.iter().filter_map(Value::as_str).collect();
        Some((words[0].to_owned(), words[1].to_owned()))
    };
    let (event, filter) = (pair("event").expect("an event"), pair("filter"));
    let mut grouped = Grouped::default();
    let rows = table(case["csv"].as_str().expect("a file"));
    let kept = rows.iter().filter(|row| filter.as_ref().is_none_or(|(column, value)| row[column] == *value));
    for (place, row) in kept.enumerate() {
        let there = |column: &str| !row[column].is_empty() && row[column] != "NA";
        let strata = column("strata");
        if !there(time) || !there(group) || strata.is_some_and(|column| !there(column)) {
            continue;
        }
        let entry = column("start").map_or(0.0, |start| number(row, start));
        let duration = number(row, time);
        if column("start").is_some() && entry >= duration {
            continue;
        }
        let weight = if case["weighted"] == true { (place % 3 + 1) as f64 } else { 1.0 };
        let row = Row {
            stratum: strata.map_or(LabelRef::None, |column| LabelRef::Text(row[column].as_bytes())),
            group: LabelRef::Text(row[group].as_bytes()),
            entry,
            duration,
            event: row[&event.0] == event.1,
            weight,
        };
        grouped.add(&row, || Budget::UNLIMITED).expect("a valid row");
    }
    grouped
}

#[test]
fn tests_between_groups_agree_with_r() {
    let mut comparison = Comparison::with_tolerance(TOLERANCE);
    for case in cases() {
        let name = case["name"].as_str().expect("a name");
        let grouped = grouped(&case);
        let groups: Vec<Option<String>> = grouped.groups().into_iter().map(|group| group.name()).collect();
        let theirs: Vec<Option<String>> =
            case["groups"].as_array().expect("groups").iter().map(|group| group.as_str().map(Into::into)).collect();
        assert_eq!(groups, theirs, "{name}: groups");
        let scores: Vec<f64> = numbers(&case["scores"]).into_iter().flatten().collect();
        for (family, weighting) in FAMILIES {
            let reference = &case["families"][family];
            let all = test(&grouped, weighting, |_| Ok(())).expect("no budget");
            let name = format!("{name}/{family}");
            compare(&mut comparison, &name, &all, reference);
            for (quantity, scores) in [("trend", &equal_steps(groups.len())), ("trend_scores", &scores)] {
                let trend = all.clone().with_trend(scores).expect("valid scores");
                comparison.check(&name, quantity, trend.chi_squared, reference[quantity].as_f64());
                assert_eq!(trend.df, usize::from(trend.chi_squared.is_some()), "{name}");
            }
        }
        let all = test(&grouped, Weighting::LogRank, |_| Ok(())).expect("no budget");
        comparison.check(name, "p-value", all.p_value, case["p_value"].as_f64());
        let rows = by_group(&grouped, Weighting::LogRank, |_| Ok(())).expect("no budget");
        let subjects = numbers(&case["subjects"]);
        for (at, row) in rows.iter().enumerate() {
            comparison.check(name, &format!("subjects [{at}]"), row.subjects, subjects[at]);
            let square = (row.observed - row.expected).powi(2);
            comparison.check(name, &format!("over E [{at}]"), row.over_expected, Some(square / row.expected));
        }
        compare_pairs(&mut comparison, name, &grouped, &case["pairwise"]);
    }
    comparison.finish();
}

fn compare(comparison: &mut Comparison, name: &str, ours: &LogRank, reference: &Value) {
    comparison.check(name, "chi-squared", ours.chi_squared, reference["chisq"].as_f64());
    comparison.check(name, "df", ours.df as f64, reference["df"].as_f64());
    let (observed, expected) = (numbers(&reference["observed"]), numbers(&reference["expected"]));
    for group in 0..observed.len() {
        comparison.check(name, &format!("observed [{group}]"), ours.observed[group], observed[group]);
        comparison.check(name, &format!("expected [{group}]"), ours.expected[group], expected[group]);
        for (other, variance) in numbers(&reference["variance"][group]).into_iter().enumerate() {
            let place = format!("variance [{group}][{other}]");
            comparison.check(name, &place, ours.variance[(group, other)], variance);
        }
    }
}

fn compare_pairs(comparison: &mut Comparison, name: &str, grouped: &Grouped, reference: &Value) {
    for adjust in ["none", "holm", "bonferroni", "benjamini-hochberg"] {
        let adjustment: Adjustment = adjust.parse().expect("a known adjustment");
        let ours = pairs(grouped, Weighting::LogRank, adjustment, |_| Ok(())).expect("no budget");
        // A single pair is no JSON array.
        let theirs = match reference[adjust].as_array() {
            Some(array) => array.iter().map(Value::as_f64).collect(),
            None => vec![reference[adjust].as_f64()],
        };
        assert_eq!(ours.len(), theirs.len(), "{name}: pairs");
        for (at, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
            comparison.check(name, &format!("pairwise {adjust} [{at}]"), ours.adjusted_p_value, theirs);
        }
    }
}

/// Klein & Moeschberger 2003, example 7.4 (larynx): the trend over stages 1 to 4 has Z = 3.72.
#[test]
fn the_trend_of_the_textbook() {
    let cases = cases();
    let larynx = cases.iter().find(|case| case["name"] == "larynx by stage").expect("larynx");
    let trend =
        test(&grouped(larynx), Weighting::LogRank, |_| Ok(())).expect("no budget").with_trend(&[1.0, 2.0, 3.0, 4.0]);
    let z = trend.expect("valid scores").chi_squared.expect("comparable").sqrt();
    assert!((z - 3.72).abs() < 0.005, "{z}");
}
