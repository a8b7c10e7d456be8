//! Every golden file with a `km` block: overall and per group, and the tests between the groups.
//!
//! The references are R 4.2.2 with survival 3.5-3; see the `software` field of each file.

use serde_json::Value;

use ltv_engine::survival::Sample;
use ltv_engine::survival::kaplan_meier::Transform;
use ltv_engine::survival::log_rank::{LogRank, Weighting, log_rank};

use crate::golden_support::{Case, Comparison, Subject, case, golden, names, numbers};
use crate::samples::{LifeRow, interval_at, life_table, sample_of, steps};

const TOLERANCE: f64 = 1e-9;
const TRANSFORMS: [(&str, Transform); 3] =
    [("log", Transform::Log), ("log_log", Transform::LogLog), ("plain", Transform::Plain)];

fn cases() -> Vec<Case> {
    names().into_iter().filter(|name| golden(name).get("km").is_some()).map(|name| case(&name)).collect()
}

#[test]
fn curves_agree_with_r() {
    let mut comparison = Comparison::with_tolerance(TOLERANCE);
    let cases = cases();
    assert!(cases.len() >= 25, "only {} golden files have a km block", cases.len());
    for case in cases {
        let subjects = case.subjects();
        compare_curve(&mut comparison, &case.name, &sample_of(&subjects), &case.golden["km"]);
        assert_risk_sets_are_counted(&case.name, &subjects);
        let Some(groups) = case.golden.get("km_by_group").and_then(Value::as_object) else { continue };
        for (group, reference) in groups {
            let members = subjects.iter().filter(|subject| subject.group.as_ref() == Some(group));
            compare_curve(&mut comparison, &format!("{}/{group}", case.name), &sample_of(members), reference);
        }
    }
    comparison.finish();
}

fn compare_curve(comparison: &mut Comparison, name: &str, sample: &Sample, reference: &Value) {
    comparison.check(name, "n", sample.subjects(), reference["n"].as_f64());
    comparison.check(name, "events", sample.events(), reference["events"].as_f64());
    compare_at_times(comparison, name, sample, &reference["at"]);
    compare_summaries(comparison, name, sample, reference);
    if let Some(full) = reference.get("curve") {
        compare_steps(comparison, name, sample, full);
    }
    if let Some(digest) = reference.get("curve_digest") {
        compare_digest(comparison, name, sample, digest);
    }
}

/// Subjects at risk when somebody next leaves, at or after `t`: what R's `summary(survfit, times)` calls `n.risk`.
///
/// It counts those who enter between `t` and then; without delayed entry it is the number at risk at `t`.
fn at_risk(sample: &Sample, t: f64) -> f64 {
    let rows = life_table(sample, Transform::Log);
    rows.iter().find(|row| row.time >= t && row.has_exits()).map_or(0.0, |row| row.at_risk)
}

/// At every distinct time: at risk are those with `start < time <= stop`, and those from the start on.
fn assert_risk_sets_are_counted(name: &str, subjects: &[Subject]) {
    let rows = life_table(&sample_of(subjects), Transform::Log);
    for row in rows.iter().step_by(1 + rows.len() / 50) {
        let is_at_risk = |s: &&Subject| s.time >= row.time && (s.start < row.time || s.start == 0.0);
        let counted = subjects.iter().filter(is_at_risk).count() as f64;
        assert_eq!(row.at_risk, counted, "{name}: at risk at {}", row.time);
    }
}

fn compare_at_times(comparison: &mut Comparison, name: &str, sample: &Sample, at: &Value) {
    let steps = steps(sample);
    let column = |quantity: &str| numbers(&at[quantity]);
    let (survival, std_error) = (column("surv"), column("std_err_greenwood"));
    for (i, t) in column("times").into_iter().enumerate() {
        let t = t.expect("a time");
        let place = |quantity: &str| format!("{quantity} @ {t}");
        comparison.check(name, &place("at risk"), at_risk(sample, t), column("n_risk")[i]);
        // R carries the last value on for ever (`extend = TRUE`). We say nothing beyond the observed time, so there R's
        // numbers must be ours at its end.
        let observed = t.min(steps.max_followup);
        if observed < t && steps.survival_at_end() > 0.0 {
            assert_eq!(steps.survival_at(t), None, "{name}: S({t}) lies beyond the observed time");
        }
        for (label, transform) in TRANSFORMS {
            let ours = interval_at(&steps, observed, transform).expect("observed");
            comparison.check(name, &place("survival"), ours.survival, survival[i]);
            comparison.check(name, &place("Greenwood std error"), ours.std_error, std_error[i]);
            for (side, ours) in [("lower", ours.lower), ("upper", ours.upper)] {
                let limit = column(&format!("{side}_95_{label}"))[i];
                comparison.check(name, &place(&format!("{side} {label}")), ours, limit);
            }
        }
        let hazard = steps.cumulative_hazard_at(observed);
        comparison.check(name, &place("Nelson-Aalen"), hazard, column("nelson_aalen_cumhaz")[i]);
    }
}

fn compare_summaries(comparison: &mut Comparison, name: &str, sample: &Sample, reference: &Value) {
    let steps = steps(sample);
    let quantiles = &reference["quantiles"];
    for (p, time) in numbers(&quantiles["p"]).into_iter().zip(numbers(&quantiles["time"])) {
        let p = p.expect("a probability");
        comparison.check(name, &format!("quantile @ {p}"), steps.quantile(p).expect("a valid p"), time);
    }
    let (tau, estimate) = (reference["rmst"]["tau"].as_f64(), reference["rmst"]["estimate"].as_f64());
    let (Some(tau), Some(estimate)) = (tau, estimate) else { return };
    match steps.restricted_mean(tau).expect("a valid tau") {
        Some(ours) => comparison.check(name, "rmst", ours, Some(estimate)),
        None => {
            // R draws the last value on to tau; we leave the area undefined there.
            assert!(tau > steps.max_followup, "{name}: rmst({tau}) is undefined within the observed time");
            let observed = steps.restricted_mean(steps.max_followup).expect("a valid tau").expect("observed");
            let flat = steps.survival_at_end() * (tau - steps.max_followup);
            comparison.check(name, "rmst beyond the last time", observed + flat, Some(estimate));
        }
    }
}

fn compare_steps(comparison: &mut Comparison, name: &str, sample: &Sample, reference: &Value) {
    let rows: Vec<_> = life_table(sample, Transform::LogLog).into_iter().filter(LifeRow::has_exits).collect();
    let column = |quantity: &str| numbers(&reference[quantity]);
    let times = column("time");
    assert_eq!(rows.len(), times.len(), "{name}: distinct times");
    let (n_risk, n_event, n_censor) = (column("n_risk"), column("n_event"), column("n_censor"));
    let (survival, cumulative_hazard) = (column("surv"), column("cumhaz"));
    let log_std_error = column("std_err_of_log_surv");
    for (i, row) in rows.iter().enumerate() {
        let place = |quantity: &str| format!("{quantity} [{i}]");
        comparison.check(name, &place("curve: time"), row.time, times[i]);
        comparison.check(name, &place("curve: at risk"), row.at_risk, n_risk[i]);
        comparison.check(name, &place("curve: events"), row.events, n_event[i]);
        comparison.check(name, &place("curve: censored"), row.censored, n_censor[i]);
        comparison.check(name, &place("curve: survival"), row.estimate.survival, survival[i]);
        comparison.check(name, &place("curve: Nelson-Aalen"), row.cumulative_hazard, cumulative_hazard[i]);
        let ours = row.estimate.std_error.map(|std_error| std_error / row.estimate.survival);
        comparison.check(name, &place("curve: std error of log S"), ours, log_std_error[i]);
    }
}

fn compare_digest(comparison: &mut Comparison, name: &str, sample: &Sample, digest: &Value) {
    let rows = life_table(sample, Transform::LogLog);
    let survival: Vec<f64> = rows.iter().filter(|row| row.has_exits()).map(|row| row.estimate.survival).collect();
    comparison.check(name, "digest: times", survival.len() as f64, digest["unique_times"].as_f64());
    comparison.check(name, "digest: sum of S", survival.iter().sum::<f64>(), digest["sum_surv"].as_f64());
    comparison.check(name, "digest: last S", survival.last().copied(), digest["last_surv"].as_f64());
}

#[test]
fn log_rank_tests_agree_with_r() {
    let mut comparison = Comparison::with_tolerance(TOLERANCE);
    for case in cases() {
        for (block, weighting) in
            [("logrank", Weighting::LogRank), ("peto_peto_rho1", Weighting::FlemingHarrington { p: 1.0, q: 0.0 })]
        {
            let Some(reference) = case.golden.get(block) else { continue };
            let subjects = case.subjects();
            let groups: Vec<&str> =
                reference["groups"].as_array().expect("groups").iter().filter_map(Value::as_str).collect();
            let samples: Vec<Sample> = groups
                .iter()
                .map(|group| sample_of(subjects.iter().filter(|subject| subject.group.as_deref() == Some(group))))
                .collect();
            let test = log_rank(&samples.iter().collect::<Vec<_>>(), weighting);
            compare_test(&mut comparison, &format!("{}/{block}", case.name), &test, reference);
        }
    }
    comparison.finish();
}

fn compare_test(comparison: &mut Comparison, name: &str, test: &LogRank, reference: &Value) {
    comparison.check(name, "chi-squared", test.chi_squared, reference["chisq"].as_f64());
    comparison.check(name, "df", test.df as f64, reference["df"].as_f64());
    comparison.check(name, "p-value", test.p_value, reference["p"].as_f64());
    let (observed, expected) = (numbers(&reference["observed"]), numbers(&reference["expected"]));
    for group in 0..observed.len() {
        comparison.check(name, &format!("observed [{group}]"), test.observed[group], observed[group]);
        comparison.check(name, &format!("expected [{group}]"), test.expected[group], expected[group]);
        let row = numbers(&reference["variance"][group]);
        for (other, variance) in row.into_iter().enumerate() {
            let place = format!("variance [{group}][{other}]");
            comparison.check(name, &place, test.variance[(group, other)], variance);
        }
    }
}
