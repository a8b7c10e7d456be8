//! `tests/golden/intervals/npmle.json`, which `tests/golden/intervals.R` has computed.

use ltv_engine::survival::Survival;

use crate::golden_support::{Comparison, golden, numbers};
use crate::{estimate, missed, sample};

const TOLERANCE: f64 = 1e-9;

/// (case, how far R's survfit, which stops at 1e-4, may be off)
const CASES: [(&str, f64); 11] = [
    ("Turnbull 1974 (G30)", 1e-6),
    ("lifelines' ten (G31)", 1e-4),
    ("lifelines' ten, weighted", 1e-4),
    ("icenReg's six (G32)", 1e-4),
    ("diabetes", 1e-6),
    ("diabetes, men", 1e-5),
    ("diabetes, women", 1e-6),
    ("veteran seen every 30 days", 1e-9),
    ("lung seen every 60 days", 1e-9),
    ("lung, a third exactly", 1e-3),
    ("300 random intervals", 1e-2),
];

#[test]
fn estimates_agree_with_the_textbook_iteration() {
    let mut comparison = Comparison::with_tolerance(TOLERANCE);
    let golden = golden("intervals/npmle");
    let cases = golden["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), CASES.len());
    for (case, (name, off)) in cases.iter().zip(CASES) {
        assert_eq!(case["name"], name);
        let column = |name: &str| numbers(&case[name]);
        let rows: Vec<(f64, f64, f64)> = column("left")
            .into_iter()
            .zip(column("right"))
            .zip(column("weight"))
            .map(|((left, right), weight)| {
                (left.expect("a left end"), right.unwrap_or(f64::INFINITY), weight.expect("a weight"))
            })
            .collect();
        let estimate = estimate(&sample(rows.iter().copied()));
        assert!(estimate.gap <= 1e-11, "{name}: gap {}", estimate.gap);
        let missed = missed(&rows, &estimate);
        assert!(missed <= 1e-8, "{name}: the conditions are missed by {missed}");
        let curve = Survival::Fitted(estimate.curve());
        let steps = curve.steps().expect("steps");
        for ((to, survival), survfit) in column("to").into_iter().zip(column("survival")).zip(column("survfit")) {
            let to = to.expect("a time");
            let ours = steps.survival_at(to).expect("observed");
            // Survival of 0 but for the rounding of a sum is compared absolutely.
            let reference = survival.expect("a number");
            let reference = if reference < 1e-12 { 0.0 } else { reference };
            comparison.check(name, &format!("survival @ {to}"), ours, Some(reference));
            let difference = (ours - survfit.expect("a number")).abs();
            assert!(difference <= off, "{name}: survfit at {to} is off by {difference}");
        }
    }
    comparison.finish();
}
