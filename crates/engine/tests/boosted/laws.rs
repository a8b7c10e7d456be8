//! What holds for any data: the order of the rows does not matter, directions are kept, and there is always an answer.

use ltv_engine::boost::Options;
use ltv_engine::boost::hazard::{End, fit};
use ltv_engine::hazard::Design;
use ltv_engine::hazard::design::Row;
use ltv_engine::model::features::Value;
use ltv_engine::model::{Fit, Model};
use ltv_engine::{Error, Result};

use crate::chance::Chance;
use crate::{bent, boosted, go_on, simulated, straight};

#[test]
fn the_same_rows_in_any_order_give_the_same_model_to_the_last_bit() {
    let seen = simulated(3_000, 5, bent);
    let mut chance = Chance::new(9);
    let mut shuffled = seen.rows.clone();
    for at in (1..shuffled.len()).rev() {
        shuffled.swap(at, (chance.uniform() * (at + 1) as f64) as usize);
    }
    let (mut forwards, mut otherwise) = (Design::default(), Design::default());
    // Times in tenths: many are the same.
    let push = |design: &mut Design, row: &([f64; 4], f64, bool)| {
        let exit = (row.1 * 10.0).round() / 10.0;
        let entry = if row.0[3] > 0.7 && exit > 1.0 { 0.5 } else { 0.0 };
        let x = row.0.map(|x| (x * 8.0).round());
        design.push(Some(entry), exit, row.2, 1.0 + (row.0[2] * 3.0).floor(), &x).unwrap();
    };
    seen.rows.iter().for_each(|row| push(&mut forwards, row));
    shuffled.iter().for_each(|row| push(&mut otherwise, row));
    let options = Options { trees: 60, subsample: 0.7, seed: 3, ..Options::default() };
    let one = boosted(&forwards, &options);
    assert_eq!(one, boosted(&otherwise, &options));
    assert_ne!(one.trees, boosted(&forwards, &Options { seed: 4, ..options }).trees);
}

#[test]
fn directions_are_kept_exactly() {
    let seen = simulated(3_000, 6, bent);
    for direction in [1i8, -1] {
        let monotone = vec![direction, 0, -direction, 0];
        let options = Options { trees: 150, depth: 6, min_child_weight: 1.0, monotone, ..Options::default() };
        let fit = boosted(&seen.design, &options);
        assert!(fit.trees.len() > 10);
        let mut chance = Chance::new(11);
        for _ in 0..300 {
            let mut x = [0; 4].map(|_| chance.uniform());
            for (covariate, direction) in [(0, direction), (2, -direction)] {
                let mut before = f64::NEG_INFINITY;
                for step in -2..=102 {
                    x[covariate] = f64::from(step) / 100.0;
                    let now = f64::from(direction) * fit.linear_predictor(&x);
                    assert!(now >= before, "{now} after {before} at {x:?}");
                    before = now;
                }
                x[covariate] = chance.uniform();
            }
        }
    }
}

#[test]
fn growing_stops_where_the_kept_rows_are_told_best() {
    let seen = simulated(1_500, 7, straight);
    let fit = boosted(&seen.design, &Options { trees: 400, learning_rate: 0.3, ..Options::default() });
    assert_eq!(fit.end, End::Early);
    let best = fit.losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(fit.losses[fit.trees.len()], best);
    assert_eq!(fit.losses.len(), fit.trees.len() + 1 + 20);
    assert!((200..400).contains(&fit.kept));
    // Without anything to say, hardly anything is said.
    let noise = simulated(1_500, 8, |_| 0.0);
    let nothing = boosted(&noise.design, &Options::default());
    let said = noise.rows.iter().map(|row| nothing.linear_predictor(&row.0).powi(2)).sum::<f64>() / 1_500.0;
    let everything = boosted(&noise.design, &Options { early_stopping: 0, ..Options::default() });
    let heard = noise.rows.iter().map(|row| everything.linear_predictor(&row.0).powi(2)).sum::<f64>() / 1_500.0;
    assert!(nothing.end == End::Early && said < 0.3 * heard, "{said} of {heard}");
    // To the end when asked.
    let all = boosted(&seen.design, &Options { trees: 50, early_stopping: 0, ..Options::default() });
    assert_eq!((all.end, all.trees.len(), all.kept), (End::Complete, 50, 0));
}

#[test]
fn without_trees_that_matter_the_baseline_is_nelson_and_aalens() {
    // 5 events of 6 at risk …: 1/6, 1/5, 0, 2/3, 1.
    let mut design = Design::default();
    for (exit, event) in [(1.0, true), (2.0, true), (3.0, false), (4.0, true), (4.0, true), (5.0, true)] {
        design.push(None, exit, event, 1.0, &[7.0]).unwrap();
    }
    let fit = boosted(&design, &Options::default());
    assert_eq!(fit.end, End::Exhausted);
    assert_eq!(fit.baseline.times, [1.0, 2.0, 4.0, 5.0]);
    let expected = [1.0 / 6.0, 1.0 / 6.0 + 0.2, 1.0 / 6.0 + 0.2 + 2.0 / 3.0, 1.0 / 6.0 + 0.2 + 2.0 / 3.0 + 1.0];
    for (found, expected) in fit.baseline.cumulative_hazard.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-14, "{found} {expected}");
    }
    // ln L = −ln 6 − ln 5 − 2 ln 3 − ln 1
    assert!((fit.log_likelihood + (6.0f64 * 5.0 * 9.0).ln()).abs() < 1e-12);
}

#[test]
fn there_is_an_answer_for_any_rows() {
    let one = |rows: &[(f64, bool, [f64; 2])], options: &Options| {
        let mut design = Design::default();
        rows.iter().for_each(|(exit, event, x)| design.push(None, *exit, *event, 1.0, x).unwrap());
        let fit = boosted(&design, options);
        fit.validate().unwrap();
        assert!(rows.iter().all(|row| fit.linear_predictor(&row.2).is_finite()));
        assert!(fit.linear_predictor(&[f64::NAN; 2]).is_finite());
        fit
    };
    let loose = Options { min_child_weight: 0.0, l2: 0.0, ..Options::default() };
    for options in [&Options::default(), &loose] {
        assert_eq!(one(&[(1.0, false, [0.0; 2]), (2.0, false, [1.0; 2])], options).end, End::NoEvents);
        one(&[(3.0, true, [1.0, 2.0])], options);
        one(&[(0.0, true, [1.0, 2.0]), (0.0, true, [2.0, 1.0])], options);
        one(&[(5e-324, true, [1.0, 2.0]), (1e308, true, [2.0, 1.0])], options);
        let huge: Vec<_> = (0..60)
            .map(|i| (f64::from(i), i % 3 > 0, [f64::from(i) * 3e306 - 9e307, -f64::from(i) * 1e-320]))
            .collect();
        one(&huge, options);
        // In perfect order.
        let ordered: Vec<_> = (0..200).map(|i| (f64::from(200 - i), true, [f64::from(i), 0.0])).collect();
        let found = one(&ordered, &Options { trees: 5_000, early_stopping: 0, learning_rate: 1.0, ..options.clone() });
        assert!(matches!(found.end, End::Separated | End::Exhausted | End::Complete), "{:?}", found.end);
    }
}

#[test]
fn what_is_missing_goes_where_it_belongs() {
    // Who has no value in the first column has five times the hazard.
    let mut chance = Chance::new(13);
    let mut design = Design::default().taking_missing();
    for at in 0..2_000 {
        let missing = at % 4 == 0;
        let x = [if missing { f64::NAN } else { chance.uniform() }, f64::NAN];
        let time = chance.exponential() / if missing { 5.0 } else { 1.0 };
        design.push(None, time, true, 1.0, &x).unwrap();
    }
    let fit = boosted(&design, &Options::default());
    let gap = fit.linear_predictor(&[f64::NAN, 0.0]) - fit.linear_predictor(&[0.5, f64::NAN]);
    assert!((gap - 5f64.ln()).abs() < 0.25, "{gap}");
    assert_eq!(fit.gains[1], 0.0);
}

#[test]
fn a_null_is_scored_and_a_level_that_was_never_seen_is_not() {
    let model = Model::unnamed(boosted(&simulated(500, 14, bent).design, &Options::default()), 0);
    let mut columns = Vec::new();
    let number = Value::Number(0.4);
    assert!(model.subject(&[Value::Null, number, number, Value::Null], &mut columns).is_ok());
    assert!(model.subject(&[Value::Number(f64::NAN), number, number, number], &mut columns).is_err());
    assert!(model.subject(&[Value::Text("a"), number, number, number], &mut columns).is_err());
}

#[test]
fn what_makes_no_sense_is_refused() {
    let message = |answer: Result<_>| match answer.map(|_: ltv_engine::boost::BoostedHazardFit| ()) {
        Err(Error::Invalid { message, .. }) => message,
        other => panic!("{other:?}"),
    };
    let seen = simulated(50, 15, bent);
    let with = |options: Options| message(fit(&seen.design, &options, &mut go_on));
    let default = Options::default;
    assert_eq!(with(Options { trees: 0, ..default() }), "trees cannot be 0");
    assert_eq!(with(Options { depth: 17, ..default() }), "depth cannot be 17");
    assert_eq!(with(Options { learning_rate: f64::NAN, ..default() }), "learning_rate cannot be NaN");
    assert_eq!(with(Options { l2: -1.0, ..default() }), "l2 cannot be -1");
    assert_eq!(with(Options { validation: 1.0, ..default() }), "validation cannot be 1");
    assert_eq!(with(Options { monotone: vec![1], ..default() }), "1 directions for 4 covariates");
    assert_eq!(with(Options { monotone: vec![1, 2, 0, 0], ..default() }), "a direction cannot be 2");
    let of = |row: Row| {
        let mut design = Design::default();
        design.push_row(&row).unwrap();
        message(fit(&design, &default(), &mut go_on))
    };
    let row = || Row { exit: 1.0, event: true, weight: 1.0, x: &[1.0], ..Row::default() };
    assert_eq!(of(Row { stratum: Some("a"), ..row() }), "a boosted hazard has no strata");
    assert_eq!(
        of(Row { upper: Some(2.0), event: false, ..row() }),
        "a boosted hazard needs exact or right-censored times"
    );
    assert_eq!(of(Row { offset: 61.0, ..row() }), "the offsets are 61 apart");
    assert_eq!(message(fit(&Design::default(), &default(), &mut go_on)), "a boosted model needs at least one row");
}

#[test]
fn it_can_be_stopped() {
    let seen = simulated(500, 16, bent);
    for allowed in [0, 5, 50, 500] {
        let mut asked = 0;
        let answer = fit(&seen.design, &Options::default(), &mut || {
            asked += 1;
            if asked > allowed { Err(Error::Canceled) } else { Ok(()) }
        });
        assert_eq!(answer.err(), Some(Error::Canceled));
    }
}

#[test]
fn a_model_goes_through_bytes_and_text_unchanged() {
    let fit = boosted(&simulated(800, 17, bent).design, &Options::default());
    let model = Model::unnamed(fit, 3);
    assert_eq!(Model::decode(&model.encode().unwrap()).unwrap(), model);
    let text = serde_json::to_string(&model).unwrap();
    assert_eq!(serde_json::from_str::<Model>(&text).unwrap(), model);
    let Fit::BoostedHazard(fit) = &model.fit else { panic!("boosted") };
    assert!(fit.trees.len() > 20);
}
