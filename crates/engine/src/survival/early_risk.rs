//! The trap of delayed entry: the few who are at risk early may bring the whole curve down.
//!
//! With late entries the risk set begins with whoever was there first. If one of two has the event, half of the curve is
//! gone for ever, however many enter later (Klein & Moeschberger 2003, §4.6; Pan & Chappell 1998).

use crate::survival::risk::RiskTable;
use crate::survival::sample::Sample;

/// A risk set is thin when it is smaller than this …
const THIN: f64 = 20.0;
/// … and is so many times as large later.
const GROWS: f64 = 2.0;
/// Thin risk sets matter when they take this share of the curve.
const SHARE: f64 = 0.1;

/// Thin early risk sets that take a tenth or more of the curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EarlyRisk {
    /// At risk at the time of the largest fall among them.
    pub at_risk: f64,
    pub time: f64,
    /// How many event times they are.
    pub times: usize,
    /// How much of the curve they take together: 1 − Π (1 − d/n).
    pub share: f64,
    /// The last such time; `conditional(s, last)` starts after them.
    pub last: f64,
    pub subjects: f64,
}

/// What is wrong with the beginning of the sample's curve; `None` when nothing is.
pub fn early_risk(sample: &Sample) -> Option<EarlyRisk> {
    if sample.entries().is_empty() {
        return None;
    }
    let table = RiskTable::new(&[sample]);
    // From the end: the largest risk set that is still to come.
    let mut later = 0.0;
    let mut thin = Vec::new();
    for row in table.rows.iter().rev() {
        let (events, at_risk) = (row.events[0], row.at_risk[0]);
        if events > 0.0 && at_risk > 0.0 && at_risk < THIN && GROWS * at_risk <= later {
            thin.push((row.time, at_risk, (events / at_risk).min(1.0)));
        }
        later = f64::max(later, at_risk);
    }
    let share = 1.0 - thin.iter().map(|(_, _, falls)| 1.0 - falls).product::<f64>();
    let worst = thin.iter().max_by(|a, b| a.2.total_cmp(&b.2).then(b.0.total_cmp(&a.0)))?;
    (share >= SHARE).then(|| EarlyRisk {
        at_risk: worst.1,
        time: worst.0,
        times: thin.len(),
        share,
        last: thin[0].0,
        subjects: sample.subjects(),
    })
}

/// The state of a sample's curve in words: `ok`, or what is wrong.
pub fn status(sample: &Sample) -> String {
    if sample.exits().is_empty() {
        return "empty".into();
    }
    let Some(risk) = early_risk(sample) else { return "ok".into() };
    let share = (100.0 * risk.share).floor();
    let EarlyRisk { at_risk, time, times, last, subjects, .. } = risk;
    let advice = format!("conditional(s, {last}) begins after it");
    if times == 1 {
        return format!(
            "early risk set: {at_risk} at risk at t = {time} of {subjects} subjects takes {share} % of the curve; {advice}"
        );
    }
    format!(
        "early risk set: {times} event times up to t = {last}, {at_risk} at risk at t = {time} of {subjects} subjects, take {share} % of the curve; {advice}"
    )
}
