//! Every set's incidences, variances, limits, time lost and Gray tests.

use serde_json::Value;

use ltv_engine::Result;
use ltv_engine::numeric::tally::Budget;
use ltv_engine::survival::Incidence;
use ltv_engine::survival::aalen_johansen::{self, Variance};
use ltv_engine::survival::gray::gray_test;
use ltv_engine::survival::kaplan_meier::{self, Transform};

use crate::golden_support::Comparison;
use crate::sets::{Set, floats, sets};

const TOLERANCE: f64 = 1e-9;

pub fn go_on(_: usize) -> Result<()> {
    Ok(())
}

#[test]
fn incidences_agree_with_r() {
    let mut comparison = Comparison::with_tolerance(TOLERANCE);
    for set in sets() {
        compare(&mut comparison, &set);
    }
    comparison.finish();
}

fn compare(comparison: &mut Comparison, set: &Set) {
    let reference = &set.golden["incidence"];
    let incidence = set.incidence();
    let name = &set.name;
    comparison.check(name, "subjects", incidence.subjects(), reference["subjects"].as_f64());
    let counts = floats(&reference["events"]);
    comparison.check(name, "censored", incidence.censored(), Some(counts[0]));
    comparison.check(name, "events", incidence.events(), Some(counts[1..].iter().sum()));
    let causes: Vec<usize> = floats(&reference["causes"]).into_iter().map(|cause| cause as usize).collect();
    assert_eq!(incidence.causes().collect::<Vec<_>>(), causes, "{name}: causes");

    let times = floats(&reference["times"]);
    let z = kaplan_meier::critical_value(0.95).expect("a level");
    let curve = |variance| {
        let options = (z, Transform::LogLog, variance);
        aalen_johansen::curve(&incidence, &causes, Some(&times), options, &mut go_on).expect("a curve")
    };
    let rows = curve(Variance::Greenwood).into_iter().zip(curve(Variance::Aalen));
    for (at, (row, aalen)) in rows.enumerate() {
        let (time, cause) = (at / causes.len(), at % causes.len());
        let place = |quantity: &str| format!("{quantity} @ {} cause {}", row.time, row.cause);
        let of = |quantity: &str| reference[quantity][cause][time].as_f64();
        comparison.check(name, &place("at risk"), row.at_risk, reference["at_risk"][time].as_f64());
        let estimate = row.estimate.expect("within the observed time");
        comparison.check(name, &place("incidence"), estimate.survival, of("incidence"));
        if !set.entry.is_empty() {
            // With delayed entry R's jackknife needs to know which entry goes with which exit; counts do not.
            continue;
        }
        comparison.check(name, &place("standard error"), estimate.std_error, of("std_err"));
        let aalen = aalen.estimate.expect("within the observed time");
        comparison.check(name, &place("standard error by Aalen"), aalen.std_error, of("std_err_aalen"));
        // R has no limits before the first event of a cause; ours are 0.
        let limit = |quantity: &str| of(quantity).or((estimate.survival == 0.0).then_some(0.0));
        comparison.check(name, &place("lower limit"), estimate.lower, limit("lower_log_log"));
        comparison.check(name, &place("upper limit"), estimate.upper, limit("upper_log_log"));
        let cause = row.cause as i32;
        let direct = aalen_johansen::incidence_at(&incidence, row.time, cause, &mut go_on).expect("an incidence");
        assert_eq!(direct, Some(estimate.survival), "{name}: incidence_at and curve");
    }
    let event_free = kaplan_meier::steps(&incidence.event_free().expect("a sample")).expect("a curve");
    for (t, expected) in times.iter().zip(floats(&reference["event_free"])) {
        comparison.check(name, &format!("event-free survival @ {t}"), event_free.survival_at(*t), Some(expected));
    }
    if !set.entry.is_empty() {
        return;
    }
    let tau = reference["tau"].as_f64().expect("tau");
    let (means, errors) = (floats(&reference["mean_time"]), floats(&reference["mean_time_se"]));
    let rmst = event_free.restricted_mean(tau).expect("a tau");
    comparison.check(name, "restricted mean", rmst, Some(means[0]));
    let mut total = rmst.expect("within the observed time");
    for (at, cause) in causes.iter().enumerate() {
        let lost = aalen_johansen::time_lost(&incidence, tau, *cause as i32, &mut go_on).expect("a time");
        let (lost, error) = lost.expect("within the observed time");
        comparison.check(name, &format!("time lost @ cause {cause}"), lost, Some(means[at + 1]));
        comparison.check(name, &format!("its standard error @ cause {cause}"), error, Some(errors[at + 1]));
        total += lost;
    }
    comparison.check(name, "all of the time", total, Some(tau));
}

#[test]
fn gray_tests_agree_with_cmprsk() {
    let mut comparison = Comparison::with_tolerance(TOLERANCE);
    for set in sets().iter().filter(|set| !set.group.is_empty()) {
        let groups = set.groups();
        let groups: Vec<_> = groups.iter().collect();
        for reference in set.golden["gray"].as_array().expect("tests") {
            let rho = reference["rho"].as_f64().expect("rho");
            let list = |quantity: &str| match &reference[quantity] {
                Value::Array(values) => values.clone(),
                value => vec![value.clone()],
            };
            for (at, cause) in list("cause").iter().enumerate() {
                let cause = cause.as_i64().expect("a cause") as i32;
                let test = gray_test(&groups, cause, rho, &mut go_on).expect("a test");
                let place = |quantity: &str| format!("{quantity} @ cause {cause}, rho {rho}");
                comparison.check(&set.name, &place("chi squared"), test.chi_squared, list("chi_squared")[at].as_f64());
                comparison.check(&set.name, &place("df"), test.df as f64, list("df")[at].as_f64());
                // R takes the upper tail as 1 - pchisq: 1e-16 absolute, not relative.
                let p_value = list("p_value")[at].as_f64().filter(|p| *p > 1e-7).or(test.p_value);
                comparison.check(&set.name, &place("p value"), test.p_value, p_value);
            }
        }
    }
    comparison.finish();
}

#[test]
fn the_budget_is_for_all_causes_together() {
    let budget = Budget { bytes: 1 << 20 };
    let mut incidence = Incidence::default();
    let added = (0..200_000).try_for_each(|row| incidence.add(f64::from(row) / 7.0, row % 50, budget));
    assert_eq!(added.unwrap_err().to_string(), "the summary needs more than the 1 MB that ltv.max_memory_mb allows");
    assert!(incidence.memory_bytes() < 2 << 20, "{}", incidence.memory_bytes());
    let mut merged = incidence.clone();
    let mut shifted = Incidence::default();
    (0..30_000).for_each(|row| shifted.add(f64::from(row) / 11.0, row % 50, Budget::UNLIMITED).unwrap());
    assert!(matches!(merged.merge(&shifted, budget), Err(ltv_engine::Error::Memory { limit_mb: 1, .. })));
}
