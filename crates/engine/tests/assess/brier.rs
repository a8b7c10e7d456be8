//! The Brier score under censoring by hand, against R, and at its edges.

use ltv_engine::Error;
use ltv_engine::assess::brier::{BrierScore, CensoringCurve, brier_score};
use ltv_engine::assess::concordance::Outcomes;
use ltv_engine::numeric::tally::Budget;
use ltv_engine::survival::Sample;

const DURATIONS: [f64; 12] = [2.0, 3.0, 3.0, 3.0, 5.0, 6.0, 6.0, 8.0, 9.0, 10.0, 12.0, 12.0];
const EVENTS: [bool; 12] = [true, false, true, false, true, true, false, false, true, false, true, false];
const SURVIVAL: [f64; 12] = [0.3, 0.8, 0.4, 0.6, 0.5, 0.2, 0.7, 0.9, 0.55, 0.8, 0.65, 0.75];

fn subjects<'a>(exits: &'a [f64], events: &'a [bool]) -> Outcomes<'a> {
    Outcomes { exits, events, ..Outcomes::default() }
}

fn score(durations: &[f64], events: &[bool], survival: &[f64], horizon: f64) -> Option<BrierScore> {
    brier_score(subjects(durations, events), survival, horizon, &mut || Ok(())).expect("valid arguments")
}

#[track_caller]
fn assert_close(ours: f64, reference: f64, tolerance: f64) {
    assert!((ours - reference).abs() <= tolerance * reference.abs(), "ours {ours}, reference {reference}");
}

/// Without censoring before the horizon it is the plain Brier score, and the reference is S (1 − S).
#[test]
fn nothing_censored_is_the_plain_score() {
    let ours = score(&[1.0, 2.0, 3.0, 4.0], &[true; 4], &[0.1, 0.4, 0.7, 0.9], 2.5).expect("defined");
    assert_close(ours.brier, (0.01 + 0.16 + 0.09 + 0.01) / 4.0, 1e-15);
    assert_close(ours.reference, 0.25, 1e-15);
    assert_close(ours.skill.expect("a reference"), 1.0 - 0.0675 / 0.25, 1e-15);
}

/// Five subjects 1 2+ 3 4+ 5 at 3.5: G(1−) = 1, G falls at 2 to 3/4, so G(3−) = G(3.5) = 3/4; S(3.5) = 4/5 · 2/3 = 8/15.
#[test]
fn five_subjects_by_hand() {
    let durations = [1.0, 2.0, 3.0, 4.0, 5.0];
    let events = [true, false, true, false, true];
    let survival = [0.5, 0.5, 0.6, 0.7, 0.9];
    let ours = score(&durations, &events, &survival, 3.5).expect("defined");
    let weighted = 0.5f64.powi(2) + (0.6f64.powi(2) + 0.3f64.powi(2) + 0.1f64.powi(2)) / 0.75;
    assert_close(ours.brier, weighted / 5.0, 1e-14);
    let marginal = 8.0f64 / 15.0;
    let weighted = marginal.powi(2) + (marginal.powi(2) + 2.0 * (1.0 - marginal).powi(2)) / 0.75;
    assert_close(ours.reference, weighted / 5.0, 1e-14);
}

/// R 4.2.2 with survival 3.5-3: G as the Kaplan–Meier curve of the censorings, each moved 1e-6 later so that events at
/// the same time come first; `findInterval` just before an event's time, and at the horizon for survivors.
#[test]
fn ties_and_horizons_agree_with_r() {
    for (horizon, brier, reference) in [
        (3.0, 0.16848958333333333, 0.13888888888888887),
        (6.0, 0.10572916666666665, 0.234375),
        (8.0, 0.11783854166666664, 0.234375),
        (9.5, 0.13346354166666666, 0.24902343749999997),
        (11.0, 0.14166666666666666, 0.24902343749999997),
    ] {
        let ours = score(&DURATIONS, &EVENTS, &SURVIVAL, horizon).expect("defined");
        assert_close(ours.brier, brier, 1e-14);
        assert_close(ours.reference, reference, 1e-14);
        assert_close(ours.skill.expect("a reference"), 1.0 - brier / reference, 1e-12);
    }
}

#[test]
fn events_come_before_censorings_at_a_tie() {
    let mut sample = Sample::default();
    for (duration, event) in [(1.0, true), (1.0, false), (2.0, true), (3.0, false)] {
        sample.add(duration, event, Budget::UNLIMITED).expect("a valid row");
    }
    let censoring = CensoringCurve::new(&sample);
    // At 1 one of the three that the event leaves is censored; at 3 the last one.
    let at = [0.0, 0.9, 1.0, 2.5, 3.0, 9.0].map(|t| censoring.at(t));
    let expected = [1.0, 1.0, 2.0 / 3.0, 2.0 / 3.0, 0.0, 0.0];
    for (ours, reference) in at.into_iter().zip(expected) {
        assert!((ours - reference).abs() < 1e-15, "{at:?}");
    }
    assert_eq!((censoring.before(1.0), censoring.before(2.0)), (1.0, 2.0 / 3.0));
}

/// 0.1 + 0.2 and 0.3 are one time, here as in the Kaplan–Meier curve.
#[test]
fn times_that_differ_by_rounding_are_ties() {
    let (events, survival) = ([true, false, true, true], [0.2, 0.5, 0.6, 0.9]);
    let exact = score(&[0.3, 0.3, 0.3, 1.0], &events, &survival, 0.3);
    let rounded = score(&[0.1 + 0.2, 0.3, 0.1 + 0.2, 1.0], &events, &survival, 0.3);
    assert_eq!(exact, rounded);
    assert!(exact.is_some());
}

#[test]
fn beyond_what_censoring_lets_us_see_it_is_undefined() {
    // The last subject is censored at 12: nobody can be known to live to 12, or beyond.
    assert_eq!(score(&DURATIONS, &EVENTS, &SURVIVAL, 12.0), None);
    assert_eq!(score(&DURATIONS, &EVENTS, &SURVIVAL, 100.0), None);
    assert_eq!(score(&[], &[], &[], 1.0), None);
    assert_eq!(score(&[1.0, 2.0], &[false, false], &[0.5, 0.5], 2.0), None);
    // Where the last had the event everything is known for ever; a perfect reference leaves no skill to have.
    let ours = score(&[1.0, 2.0, 3.0], &[true, false, true], &[0.1, 0.2, 0.0], 50.0).expect("defined");
    assert_eq!((ours.reference, ours.skill), (0.0, None));
    assert_close(ours.brier, 0.01 / 3.0, 1e-14);
}

#[test]
fn bad_arguments_are_refused() {
    let invalid = |result: Result<Option<BrierScore>, Error>, text: &str| match result {
        Err(Error::Invalid { message, hint }) => {
            assert!(message.contains(text), "{message}");
            assert!(!hint.is_empty());
        }
        other => panic!("{other:?}"),
    };
    let score =
        |outcomes: Outcomes, survival: &[f64], horizon: f64| brier_score(outcomes, survival, horizon, &mut || Ok(()));
    let one = subjects(&[1.0], &[true]);
    invalid(score(subjects(&[1.0], &[true, false]), &[0.5], 1.0), "1 durations, 2 events");
    invalid(score(one, &[], 1.0), "0 predictions");
    invalid(score(Outcomes { weights: &[1.0, 2.0], ..one }, &[0.5], 1.0), "2 weights");
    invalid(score(Outcomes { weights: &[-2.0], ..one }, &[0.5], 1.0), "-2");
    invalid(score(Outcomes { entries: &[0.5], ..one }, &[0.5], 1.0), "0.5");
    invalid(score(subjects(&[-1.0], &[true]), &[0.5], 1.0), "-1");
    invalid(score(one, &[1.5], 1.0), "1.5");
    invalid(score(one, &[f64::NAN], 1.0), "NaN");
    invalid(score(one, &[0.5], -3.0), "-3");
    invalid(score(one, &[0.5], f64::INFINITY), "inf");
    assert!(score(Outcomes { entries: &[0.0], ..one }, &[0.5], 0.5).is_ok(), "an entry at the start is not late");
}

#[test]
fn an_interrupt_ends_the_count() {
    let canceled = brier_score(subjects(&DURATIONS, &EVENTS), &SURVIVAL, 3.0, &mut || Err(Error::Canceled));
    assert_eq!(canceled, Err(Error::Canceled));
}
