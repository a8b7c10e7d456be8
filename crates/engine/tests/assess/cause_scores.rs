//! Every case of `tests/golden/cause_scores.R`, and what must hold for any rows.

use serde_json::Value;

use ltv_engine::assess::brier::brier_score;
use ltv_engine::assess::cause_scores::{CauseOutcomes, cause_brier, cause_concordance};
use ltv_engine::assess::concordance::{Outcomes, concordance};
use ltv_engine::numeric::tally::Budget;
use ltv_engine::survival::Incidence;
use ltv_engine::survival::aalen_johansen::incidence_at;
use proptest::prelude::*;

use crate::golden_support::{Comparison, numbers};

fn go_on() -> ltv_engine::Result<()> {
    Ok(())
}

#[derive(Debug, Default)]
struct Rows {
    exits: Vec<f64>,
    entries: Vec<f64>,
    weights: Vec<f64>,
    causes: Vec<i32>,
    predicted: Vec<f64>,
}

impl Rows {
    fn brier(&self, cause: i32, horizon: f64) -> ltv_engine::Result<Option<f64>> {
        let (ended, by_cause) = self.endings(cause);
        let ended = Outcomes { exits: &self.exits, events: &ended, entries: &self.entries, weights: &self.weights };
        cause_brier(CauseOutcomes { ended, by_cause: &by_cause }, &self.predicted, horizon, &mut go_on)
    }

    fn concordance(&self, cause: i32) -> Option<f64> {
        let (ended, by_cause) = self.endings(cause);
        let ended = Outcomes { exits: &self.exits, events: &ended, entries: &self.entries, weights: &self.weights };
        let risks: Vec<f64> = self.predicted.iter().map(|predicted| -predicted).collect();
        let found = cause_concordance(CauseOutcomes { ended, by_cause: &by_cause }, &risks, &mut go_on);
        found.expect("pairs").estimate()
    }

    fn endings(&self, cause: i32) -> (Vec<bool>, Vec<bool>) {
        (self.causes.iter().map(|of_row| *of_row > 0).collect(), self.causes.iter().map(|of| *of == cause).collect())
    }
}

#[test]
fn scores_agree_with_what_is_written_out_after_the_papers() {
    let mut comparison = Comparison::with_tolerance(1e-9);
    for case in ["mgus2", "transplant", "weighted", "late"] {
        let path = format!("{}/../../tests/golden/cause_scores/{case}.json", env!("CARGO_MANIFEST_DIR"));
        let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("a file")).expect("JSON");
        let column = |name: &str| numbers(&golden[name]).into_iter().flatten().collect::<Vec<f64>>();
        let rows = Rows {
            exits: column("time"),
            entries: if case == "late" { column("entry") } else { Vec::new() },
            weights: column("weight"),
            causes: column("cause").into_iter().map(|cause| cause as i32).collect(),
            predicted: column("incidence").into_iter().map(|incidence| 1.0 - incidence).collect(),
        };
        for scores in golden["scores"].as_array().expect("scores") {
            let cause = scores["cause"].as_i64().expect("a cause") as i32;
            let name = |score: &str| format!("{score} of cause {cause}");
            comparison.check(case, &name("concordance"), rows.concordance(cause), scores["concordance"].as_f64());
            for (horizon, brier) in numbers(&scores["horizons"]).into_iter().zip(numbers(&scores["brier"])) {
                let ours = rows.brier(cause, horizon.expect("a horizon")).expect("a score");
                comparison.check(case, &name("brier"), ours, brier);
            }
        }
    }
    comparison.finish();
}

fn rows() -> impl Strategy<Value = Rows> {
    let row = (1u32..30, 0i32..3, 0u32..11, 1u32..4);
    prop::collection::vec(row, 5..60).prop_map(|rows| {
        let mut all = Rows::default();
        for (time, cause, predicted, weight) in rows {
            all.exits.push(f64::from(time));
            all.causes.push(cause);
            all.predicted.push(f64::from(predicted) / 10.0);
            all.weights.push(f64::from(weight));
        }
        all
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn one_cause_alone_scores_as_an_event(mut rows in rows(), horizon in 1u32..30) {
        rows.causes.iter_mut().for_each(|cause| *cause = (*cause).min(1));
        let horizon = f64::from(horizon);
        let (events, _) = rows.endings(1);
        let outcomes = Outcomes { exits: &rows.exits, events: &events, entries: &[], weights: &rows.weights };
        let plain = brier_score(outcomes, &rows.predicted, horizon, &mut go_on).unwrap();
        let ours = rows.brier(1, horizon).unwrap();
        prop_assert_eq!(ours.is_some(), plain.is_some());
        prop_assert!(ours.zip(plain).is_none_or(|(a, b)| (a - b.brier).abs() < 1e-12), "{ours:?} {plain:?}");
        let risks: Vec<f64> = rows.predicted.iter().map(|predicted| -predicted).collect();
        prop_assert_eq!(rows.concordance(1), concordance(outcomes, &risks, &mut go_on).unwrap().estimate());
    }

    /// Of predictions that are the same for all, the best is the Aalen–Johansen estimate, and its score is F (1 − F).
    #[test]
    fn the_best_constant_is_the_aalen_johansen_estimate(mut rows in rows(), horizon in 1u32..30) {
        let horizon = f64::from(horizon);
        let mut incidence = Incidence::default();
        for ((exit, cause), weight) in rows.exits.iter().zip(&rows.causes).zip(&rows.weights) {
            incidence.add_row(0.0, *exit, *cause, *weight, Budget::UNLIMITED).unwrap();
        }
        let share = incidence_at(&incidence, horizon, 1, &mut |_| Ok(())).unwrap();
        rows.predicted.fill(1.0 - share.unwrap_or(0.0));
        if let (Some(share), Some(brier)) = (share, rows.brier(1, horizon).unwrap()) {
            prop_assert!((brier - share * (1.0 - share)).abs() < 1e-10, "{brier} {share}");
        }
    }

    #[test]
    fn other_causes_are_one_and_their_rows_stay_at_risk_for_ever(rows in rows(), horizon in 1u32..30) {
        let renamed = Rows { causes: rows.causes.iter().map(|cause| if *cause == 2 { 7 } else { *cause }).collect(), ..Rows {
            exits: rows.exits.clone(), weights: rows.weights.clone(), predicted: rows.predicted.clone(), ..Rows::default() } };
        prop_assert_eq!(rows.brier(1, f64::from(horizon)).unwrap(), renamed.brier(1, f64::from(horizon)).unwrap());
        prop_assert_eq!(rows.concordance(1), renamed.concordance(1));
        let mut later = renamed;
        let moved = later.exits.iter_mut().zip(&later.causes).filter(|(_, cause)| **cause == 7);
        moved.for_each(|(exit, _)| *exit += 100.0);
        prop_assert_eq!(rows.concordance(1), later.concordance(1));
    }
}

#[test]
fn odd_outcomes_are_refused() {
    let rows = |entries: Vec<f64>, causes: Vec<i32>, predicted: Vec<f64>| Rows {
        exits: vec![1.0, 2.0, 3.0],
        entries,
        weights: Vec::new(),
        causes,
        predicted,
    };
    let of = |rows: &Rows| rows.brier(1, 2.5).map_err(|error| error.to_string());
    assert_eq!(of(&rows(vec![0.0, 1.0, 0.0], vec![1, 2, 0], vec![0.5; 3])), Ok(Some(0.25)));
    assert!(of(&rows(vec![0.0, 2.5, 0.0], vec![1, 2, 0], vec![0.5; 3])).is_err(), "a row that ends before it enters");
    assert!(of(&rows(vec![0.0, f64::NAN, 0.0], vec![1, 2, 0], vec![0.5; 3])).is_err());
    assert!(of(&rows(Vec::new(), vec![1, 2, 0], vec![0.5, 2.0, 0.5])).unwrap_err().contains("between 0 and 1"));
    assert!(of(&rows(Vec::new(), vec![1, 2], vec![0.5; 3])).is_err());
    assert_eq!(of(&rows(Vec::new(), vec![1, 2, 0], vec![0.5; 3])), Ok(Some(0.25)));
    let ended = Outcomes { exits: &[1.0], events: &[false], entries: &[], weights: &[] };
    let odd = CauseOutcomes { ended, by_cause: &[true] };
    assert!(cause_brier(odd, &[0.5], 1.0, &mut go_on).is_err() && cause_concordance(odd, &[0.5], &mut go_on).is_err());
    for exit in [-1.0, f64::NAN, f64::INFINITY] {
        let ended = Outcomes { exits: &[exit], events: &[true], entries: &[], weights: &[] };
        let odd = CauseOutcomes { ended, by_cause: &[false] };
        assert!(cause_concordance(odd, &[0.5], &mut go_on).is_err());
    }
}
