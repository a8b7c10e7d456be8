//! Samples at the edge: what R `survival` 3.5-3 answers for them, and where we answer otherwise on purpose.

use ltv_engine::Error;
use ltv_engine::numeric::tally::Budget;
use ltv_engine::survival::kaplan_meier::{Interval, Transform};
use ltv_engine::survival::log_rank::{Weighting, log_rank};
use ltv_engine::survival::{FittedCurve, Sample, Survival, Tail};

use crate::samples::{assert_close, interval_at, life_table, sample, steps};

const UNLIMITED: Budget = Budget::UNLIMITED;

#[test]
fn nothing_at_all_has_no_curve() {
    let empty = Sample::default();
    assert!(Survival::Sample(empty.clone()).steps().is_none());
    assert_eq!((empty.subjects(), empty.events(), empty.censored(), empty.max_followup()), (0.0, 0.0, 0.0, None));
    assert!(life_table(&empty, Transform::Log).is_empty());
    assert_eq!(Survival::Sample(empty).conditional(1.0), Ok(None));
}

/// R: S = 1, median NA, restricted mean 3 with standard error 0.
#[test]
fn all_censored() {
    let sample = sample("1+ 2+ 3+");
    let steps = steps(&sample);
    for t in [0.0, 1.5, 3.0] {
        let expected = Interval { survival: 1.0, std_error: Some(0.0), lower: Some(1.0), upper: Some(1.0) };
        assert_eq!(interval_at(&steps, t, Transform::LogLog), Some(expected));
    }
    assert_eq!(steps.survival_at(3.1), None, "nothing is known beyond the last follow-up");
    assert_eq!(steps.quantile(0.5), Ok(None));
    assert_eq!(steps.restricted_mean(3.0), Ok(Some(3.0)));
    assert_eq!(steps.restricted_mean(4.0), Ok(None));
}

/// R prints chi-squared 0 on −1 degrees of freedom and p = NA; lifelines p = 1. Without events there is no test.
#[test]
fn no_test_without_events_or_without_groups() {
    let (a, b) = (sample("1+ 2+"), sample("3+ 4+"));
    let test = log_rank(&[&a, &b], Weighting::LogRank);
    assert_eq!((test.chi_squared, test.df, test.p_value), (None, 0, None));
    let alone = log_rank(&[&sample("1 2 3+")], Weighting::LogRank);
    assert_eq!((alone.chi_squared, alone.df, alone.p_value), (None, 0, None));
    let none = log_rank(&[], Weighting::LogRank);
    assert_eq!((none.chi_squared, none.df, none.p_value), (None, 0, None));
    // A group that has left before the first event is no group of the test, as in R.
    let early = log_rank(&[&sample("1+ 1+"), &sample("2 5 9+"), &sample("3 4 8 9+")], Weighting::LogRank);
    assert_eq!((early.df, early.expected[0]), (1, 0.0));
}

/// Two groups share the first event, a third is alone at the second: one comparison, whatever the order of the groups.
#[test]
fn groups_never_at_risk_together_are_not_compared() {
    let (a, b) = (sample("11+ 11+"), sample("0"));
    let mut c = Sample::default();
    c.add_row(11.0, 17.0, true, 1.0, UNLIMITED).expect("a valid row");
    // O − E = 2/3 with variance 2/9.
    for order in [[&a, &b, &c], [&c, &a, &b], [&b, &c, &a]] {
        let test = log_rank(&order, Weighting::LogRank);
        assert_close(test.chi_squared, 2.0, 1e-14);
        assert_eq!(test.df, 1);
    }
    let apart = log_rank(&[&b, &c], Weighting::LogRank);
    assert_eq!((apart.chi_squared, apart.df, apart.p_value), (None, 0, None));
}

/// R: at S = 0 the standard error is NaN and the limits NA; 0.2722, [0.2995, 1] and [0.0673, 1] before.
#[test]
fn the_curve_comes_down_to_zero() {
    let steps = steps(&sample("1 2 3"));
    let before = interval_at(&steps, 1.0, Transform::Log).expect("observed");
    assert_close(before.std_error, 0.272_165_526_975_908_7, 1e-14);
    assert_close(before.lower, 0.299_507_130_359_022_3, 1e-14);
    assert_eq!(before.upper, Some(1.0));
    assert_close(interval_at(&steps, 2.0, Transform::Log).expect("observed").lower, 0.067_278_390_851_922_28, 1e-14);
    let undefined = Interval { survival: 0.0, std_error: None, lower: None, upper: None };
    for t in [3.0, 100.0] {
        assert_eq!(interval_at(&steps, t, Transform::Log), Some(undefined), "dead is dead, beyond follow-up too");
    }
    assert_eq!(steps.restricted_mean(3.0), Ok(Some(2.0)));
    assert_eq!(steps.restricted_mean(50.0), Ok(Some(2.0)));
    assert_eq!(steps.renewal_probability(2.0, 9.0), Ok(Some(0.0)));
    assert_eq!(steps.renewal_probability(3.0, 9.0), Ok(None), "nobody is there to renew");
}

/// R: S(7) = 0, median 7, restricted mean 7.
#[test]
fn a_single_row() {
    let event = steps(&sample("7"));
    assert_eq!((event.survival_at(6.9), event.survival_at(7.0)), (Some(1.0), Some(0.0)));
    assert_eq!((event.quantile(0.5), event.restricted_mean(7.0)), (Ok(Some(7.0)), Ok(Some(7.0))));
    assert_eq!(event.cumulative_hazard_at(7.0), Some(1.0));
    let censored = steps(&sample("7+"));
    assert_eq!((censored.survival_at(7.0), censored.quantile(0.5)), (Some(1.0), Ok(None)));
}

/// R: times 0 1 2, at risk 4 2 1, S .75 .375 .375, standard error .2165 .2864 .2864.
#[test]
fn an_event_at_time_zero_counts() {
    let sample = sample("0 0+ 1 2+");
    let rows = life_table(&sample, Transform::Log);
    let risk_sets: Vec<_> = rows.iter().map(|row| (row.time, row.at_risk, row.events)).collect();
    assert_eq!(risk_sets, [(0.0, 4.0, 1.0), (1.0, 2.0, 1.0), (2.0, 1.0, 0.0)]);
    for (row, (survival, std_error)) in
        rows.iter().zip([(0.75, 0.21650635094610965), (0.375, 0.28641098093474004), (0.375, 0.28641098093474004)])
    {
        assert_eq!(row.estimate.survival, survival);
        assert_close(row.estimate.std_error, std_error, 1e-14);
    }
    assert_eq!(steps(&sample).survival_at(0.0), Some(0.75));
}

/// Entries 0 3 3 3, exits 2 5 6 7: the risk set empties at 2, and S stays 0 for ever, as in R.
#[test]
fn the_risk_set_empties_early() {
    let mut sample = Sample::default();
    for (entry, exit) in [(0.0, 2.0), (3.0, 5.0), (3.0, 6.0), (3.0, 7.0)] {
        sample.add_row(entry, exit, true, 1.0, UNLIMITED).expect("a valid row");
    }
    let rows = life_table(&sample, Transform::Log);
    let exits: Vec<_> = rows
        .iter()
        .filter(|row| row.has_exits())
        .map(|row| (row.time, row.at_risk, row.estimate.survival, row.cumulative_hazard))
        .collect();
    let expected =
        [(2.0, 1.0, 0.0, 1.0), (5.0, 3.0, 0.0, 4.0 / 3.0), (6.0, 2.0, 0.0, 11.0 / 6.0), (7.0, 1.0, 0.0, 17.0 / 6.0)];
    for (ours, reference) in exits.iter().zip(expected) {
        assert_eq!((ours.0, ours.1, ours.2), (reference.0, reference.1, reference.2));
        assert_close(ours.3, reference.3, 1e-15);
    }
    // From 3 on the curve starts anew for those who are there then.
    let later = Survival::Sample(sample).conditional(2.5).expect("a valid time").expect("three are to come");
    assert_eq!(later.steps().expect("rows").survival_at(2.5), Some(2.0 / 3.0));
}

/// The weights of those who enter at 5 and 6 and of those who leave add up to nobody at 0, but only to rounding.
#[test]
fn fractional_weights_add_up_to_nobody() {
    let unit = 23.554640606032624;
    let mut sample = Sample::default();
    for (entry, time, event, weight) in [(5.0, 6.0, false, 2.0), (6.0, 6.125, false, 1.0), (0.0, 0.0, true, 1.0)] {
        sample.add_row(entry, time, event, weight * unit, UNLIMITED).expect("a valid row");
    }
    let steps = steps(&sample);
    assert_eq!(
        interval_at(&steps, 0.0, Transform::LogLog).map(|interval| (interval.survival, interval.upper)),
        Some((0.0, None))
    );
}

/// A model may say that nobody survives: the cumulative hazard is then infinite, which is no number.
#[test]
fn an_infinite_cumulative_hazard_is_undefined() {
    let curve = FittedCurve {
        times: vec![1.0, 2.0],
        cumulative_hazard: vec![0.5, f64::INFINITY],
        variance: Vec::new(),
        rank: 0,
        loadings: Vec::new(),
        max_followup: 3.0,
        tail: Tail::ConstantHazard { rate: 0.25 },
        decisions: None,
    };
    assert_eq!(curve.validate(), Ok(()));
    let steps = Survival::Fitted(curve).steps().expect("steps");
    assert_eq!((steps.cumulative_hazard_at(1.0), steps.cumulative_hazard_at(2.0)), (Some(0.5), None));
    assert_eq!((steps.cumulative_hazard_at(9.0), steps.survival_at(9.0)), (None, Some(0.0)));
}

#[test]
fn stored_times_are_not_negative() {
    let bytes = Survival::Sample(sample("0.5")).encode();
    let at = bytes.windows(8).position(|window| window == 0.5f64.to_le_bytes()).expect("the time");
    for time in [-0.5f64, -5.0, f64::NAN, f64::INFINITY] {
        let mut bytes = bytes.clone();
        bytes[at..at + 8].copy_from_slice(&time.to_le_bytes());
        assert!(matches!(Survival::decode(&bytes), Err(Error::Malformed(_))), "{time}");
    }
}

/// R: the middle of a stretch where S is exactly 1 − p, up to the last follow-up when no event ends it.
#[test]
fn quantiles_of_flat_stretches() {
    for (durations, quantiles) in [
        ("1 2 3 4", [Some(1.5), Some(2.5), Some(3.5)]),
        ("1 2 3+ 4+", [Some(1.5), Some(3.0), None]),
        ("1 2 2.5+ 3 4", [Some(2.0), Some(3.0), Some(4.0)]),
        ("1 2+", [Some(1.0), Some(1.5), None]),
        ("2 2+", [Some(2.0), Some(2.0), None]),
        ("2 2 4+ 4+", [Some(2.0), Some(3.0), None]),
        ("3 3 3+", [Some(3.0), Some(3.0), None]),
        ("0 0 1 2", [Some(0.0), Some(0.5), Some(1.5)]),
        ("5", [Some(5.0), Some(5.0), Some(5.0)]),
        ("5+", [None, None, None]),
    ] {
        let steps = steps(&sample(durations));
        let ours = [0.25, 0.5, 0.75].map(|p| steps.quantile(p).expect("a valid p"));
        assert_eq!(ours, quantiles, "{durations}");
    }
}

/// R's `timefix`: 0.1 + 0.2 and 0.3 are one time, three at risk and two events.
#[test]
fn times_that_differ_by_rounding_are_ties() {
    let mut sample = Sample::default();
    for (time, event) in [(0.1 + 0.2, true), (0.3, true), (1.0, false)] {
        sample.add(time, event, UNLIMITED).expect("a valid row");
    }
    let rows = life_table(&sample, Transform::Log);
    let counts: Vec<_> = rows.iter().map(|row| (row.time, row.at_risk, row.events)).collect();
    assert_eq!(counts, [(0.3, 3.0, 2.0), (1.0, 1.0, 0.0)]);
    // Nobody who left at 0.1 + 0.2 is left after 0.3.
    let rest = sample.conditional(0.3).expect("a valid time");
    assert_eq!((rest.subjects(), rest.events()), (1.0, 0.0));
}

/// Where R's `timefix` makes one time of all: beside one outlier, in a small unit, in a long run of near times.
#[test]
fn neither_an_outlier_nor_the_unit_nor_a_run_makes_one_time_of_all() {
    let times = |of: &dyn Fn(f64) -> f64, last: Option<f64>| {
        let mut sample = Sample::default();
        for i in 1..=100u8 {
            sample.add(of(f64::from(i)), true, UNLIMITED).expect("a valid row");
        }
        if let Some(last) = last {
            sample.add(last, false, UNLIMITED).expect("a valid row");
        }
        life_table(&sample, Transform::Log).len()
    };
    assert_eq!(times(&|i| i, Some(1e11)), 101);
    assert_eq!(times(&|i| i * 1e-9, None), 100);
    assert_eq!(times(&|i| i * 1e-300, None), 100);
    // A run of times 0.25e-8 apart is cut, six or seven times to a piece.
    assert!((14..=17).contains(&times(&|i| 1.0 + i * 0.25e-8, None)));
    let mut sample = Sample::default();
    sample.add_row(1e-9, 2e-9, true, 1.0, UNLIMITED).expect("half of its time at risk");
    assert_eq!((sample.subjects(), sample.events()), (1.0, 1.0));
}

/// Neighbouring doubles may become one when a time is taken off both.
#[test]
fn conditioning_may_round_two_times_into_one() {
    let (first, second) = (1.0 + 2.0 * f64::EPSILON, 1.0 + 3.0 * f64::EPSILON);
    let given = f64::EPSILON / 2.0;
    assert_eq!(first - given, second - given);
    let mut sample = Sample::default();
    for time in [first, second, 5.0] {
        sample.add(time, true, UNLIMITED).expect("a valid row");
    }
    let rest = sample.conditional(given).expect("a valid time");
    assert_eq!((rest.subjects(), rest.events()), (3.0, 3.0));
    assert_eq!(Survival::decode(&Survival::Sample(rest.clone()).encode()), Ok(Survival::Sample(rest)));
}

#[test]
fn bad_rows_are_refused_with_their_value() {
    let mut sample = Sample::default();
    let invalid = |result: Result<(), Error>, value: &str| match result {
        Err(Error::Invalid { message, hint }) => {
            assert!(message.contains(value), "{message}");
            assert!(!hint.is_empty());
        }
        other => panic!("{other:?}"),
    };
    invalid(sample.add(-1.0, true, UNLIMITED), "-1");
    invalid(sample.add(f64::NAN, true, UNLIMITED), "NaN");
    invalid(sample.add(f64::INFINITY, false, UNLIMITED), "inf");
    invalid(sample.add_row(5.0, 5.0, true, 1.0, UNLIMITED), "5");
    invalid(sample.add_row(6.0, 5.0, true, 1.0, UNLIMITED), "6");
    invalid(sample.add_row(-1.0, 5.0, true, 1.0, UNLIMITED), "-1");
    invalid(sample.add_row(f64::NAN, 5.0, true, 1.0, UNLIMITED), "NaN");
    // R: "an interval has effective length 0".
    invalid(sample.add_row(0.3, 0.1 + 0.2, true, 1.0, UNLIMITED), "0.3");
    for weight in [0.0, -2.0, 1e300, f64::NAN, f64::INFINITY] {
        invalid(sample.add_row(0.0, 5.0, true, weight, UNLIMITED), &weight.to_string());
    }
    assert!(sample.exits().is_empty(), "a refused row leaves nothing behind");
    let steps = steps(&crate::samples::sample("1 2+"));
    for p in [0.0, 1.0, -0.5, f64::NAN] {
        assert!(matches!(steps.quantile(p), Err(Error::Invalid { .. })));
    }
    assert!(matches!(steps.restricted_mean(0.0), Err(Error::Invalid { .. })));
    assert!(matches!(steps.renewal_probability(3.0, 2.0), Err(Error::Invalid { .. })));
}
