//! Limits in any window, of what became of rows held out.

use ltv_engine::Error;
use ltv_engine::assess::held_out::{Entries, Exits, HeldOut, RISKS_APART, RiskBin, Seen, TIMES_APART, TimeBin};
use ltv_engine::assess::held_out_limits::{Unknown, WindowLimits};
use ltv_engine::assess::prediction_limits::{Group, LEAST_EVENTS, MOST_GROUPS, Row, prediction_limits};
use ltv_engine::numeric::tally::Budget;
use ltv_engine::survival::Sample;
use ltv_engine::survival::estimate::{Estimates, Estimator, Variance};
use ltv_engine::survival::kaplan_meier::{Transform, critical_value, interval};
use proptest::prelude::*;

use crate::chance::Chance;
use crate::go_on;

pub fn held(rows: &mut [Seen]) -> HeldOut {
    HeldOut::of(rows, Budget::UNLIMITED, &mut go_on).unwrap().unwrap()
}

/// P(T > given + horizon | T > given) of the hazard 0.1 e^η t.
fn rising(given: f64, horizon: f64) -> impl Fn(f64) -> f64 {
    let change = 0.05 * ((given + horizon).powi(2) - given.powi(2));
    move |linear_predictor: f64| (-change * linear_predictor.exp()).exp()
}

fn limits(held: &HeldOut, given: f64, horizon: f64) -> WindowLimits {
    held.limits(&rising(given, horizon), given, horizon, 0.95, &mut go_on).unwrap()
}

/// Rows with that hazard, censored at chance; times and risks in steps of `step`, as they are where it is 0.
fn rows(count: usize, seed: u64, step: f64) -> Vec<Seen> {
    let mut chance = Chance::new(seed);
    let round = |value: f64| if step > 0.0 { (value / step).ceil() * step } else { value };
    (0..count)
        .map(|_| {
            let linear_predictor = round(3.0 * chance.uniform() - 2.0);
            let time = round((chance.exponential() / (0.05 * linear_predictor.exp())).sqrt());
            let censored = round(15.0 * chance.uniform());
            Seen { entry: 0.0, duration: time.min(censored), event: time <= censored, linear_predictor }
        })
        .collect()
}

/// Those still watched at an age, from then on, as the groups at a fixed horizon take them.
fn from_then_on(rows: &[Seen], given: f64, horizon: f64) -> Vec<Row> {
    let predicted = rising(given, horizon);
    let still = rows.iter().filter(|row| given == 0.0 || row.duration > given);
    still
        .map(|row| Row { duration: row.duration - given, event: row.event, predicted: predicted(row.linear_predictor) })
        .collect()
}

fn assert_near(a: &Group, b: &Group, by: f64) {
    let near = |a: f64, b: f64| (a - b).abs() <= by * a.abs().max(b.abs());
    assert_eq!((a.rows, a.events), (b.rows, b.events));
    for (a, b) in [
        (a.from, b.from),
        (a.to, b.to),
        (a.predicted, b.predicted),
        (a.rate, b.rate),
        (a.lower, b.lower),
        (a.upper, b.upper),
        (a.lower_power, b.lower_power),
        (a.upper_power, b.upper_power),
    ] {
        assert!(near(a, b), "{a} and {b}");
    }
}

#[test]
fn few_different_risks_and_times_give_what_the_rows_themselves_give() {
    let mut seen = rows(3_000, 3, 0.25);
    let kept = held(&mut seen);
    assert!(kept.times().len() < TIMES_APART && kept.risks().len() < RISKS_APART);
    assert!(kept.times().iter().all(|time| time.from == time.to));
    for (given, horizon) in [(0.0, 3.0), (0.0, 1.0), (0.0, 8.1), (2.0, 3.0), (0.25, 0.75), (5.3, 4.0), (1e-9, 3.0)] {
        let found = limits(&kept, given, horizon);
        let of_rows =
            prediction_limits(&mut from_then_on(&seen, given, horizon), horizon, 0.95, Budget::UNLIMITED, &mut go_on);
        let of_rows = of_rows.unwrap();
        assert_eq!(found.groups.len(), of_rows.len(), "from {given} for {horizon}");
        assert!(!of_rows.is_empty());
        for (a, b) in found.groups.iter().zip(&of_rows) {
            assert_near(&a.group, b, 1e-9);
        }
    }
}

/// The same rows, of which some are watched from later on, and only those that last until then.
fn late(rows: Vec<Seen>, seed: u64, until: f64) -> Vec<Seen> {
    let mut chance = Chance::new(seed);
    let mut came = |row: Seen| {
        let entry = (until * chance.uniform() * 4.0).floor() / 4.0;
        if chance.uniform() < 0.4 { Seen { entry, ..row } } else { row }
    };
    rows.into_iter().map(&mut came).filter(|row| row.entry < row.duration).collect()
}

#[test]
fn who_comes_late_is_at_risk_from_then_on() {
    let mut seen = late(rows(3_000, 8, 0.25), 9, 4.0);
    let kept = held(&mut seen);
    for (given, horizon) in [(0.0, 3.0), (0.0, 8.1), (2.0, 3.0), (0.3, 0.75), (5.3, 4.0)] {
        let found = limits(&kept, given, horizon);
        assert!(found.groups.len() > 1);
        let predicted = rising(given, horizon);
        for one in &found.groups {
            let of = seen.iter().filter(|row| (one.least_risk..=one.greatest_risk).contains(&row.linear_predictor));
            let of: Vec<&Seen> = of.filter(|row| given == 0.0 || row.duration > given).collect();
            let mut sample = Sample::default();
            for row in &of {
                let entry = (row.entry - given).max(0.0);
                sample.add_row(entry, row.duration - given, row.event, 1.0, Budget::UNLIMITED).unwrap();
            }
            let estimates = Estimates::of(&sample, Estimator::KaplanMeier, Variance::Greenwood).unwrap().unwrap();
            let last = estimates.after(horizon).unwrap();
            let z = critical_value(0.95).unwrap();
            let told = interval(last.survival, Some(last.log_variance), z, Transform::LogLog);
            let there: Vec<f64> =
                of.iter().filter(|row| row.entry <= given).map(|row| predicted(row.linear_predictor)).collect();
            let mean = |power: f64| there.iter().map(|p| p.powf(power)).sum::<f64>() / there.len() as f64;
            let group = &one.group;
            assert_eq!(group.rows, there.len() as u64);
            assert!(group.rows >= LEAST_EVENTS && group.events >= LEAST_EVENTS);
            for (told, own) in [
                (group.rate, last.survival),
                (group.lower, told.lower.unwrap()),
                (group.upper, told.upper.unwrap()),
                (group.predicted, mean(1.0)),
                (group.lower, mean(group.lower_power)),
                (group.upper, mean(group.upper_power)),
            ] {
                assert!((told - own).abs() < 1e-10, "{told} and {own}, from {given} for {horizon}");
            }
        }
    }
    // Nobody from the start on.
    for row in &mut seen {
        row.entry = row.entry.max(0.125);
    }
    seen.retain(|row| row.entry < row.duration);
    assert_eq!(limits(&held(&mut seen), 0.0, 3.0).group(-0.5), Err(Unknown::FewRows(0, 0.0)));
    assert!(limits(&held(&mut seen), 0.125, 3.0).group(-0.5).is_ok());
}

#[test]
fn bins_of_many_risks_and_times_tell_nearly_what_the_rows_do() {
    let mut seen = rows(6_000, 4, 0.0);
    let kept = held(&mut seen);
    assert!(kept.times().len() <= 513 && kept.risks().len() <= 193);
    assert_eq!(kept.rows(), 6_000);
    let (mut furthest, mut total, mut count) = (0.0_f64, 0.0, 0.0);
    for (given, horizon) in [(0.0, 3.0), (0.0, 6.0), (2.0, 3.0), (4.03, 2.51)] {
        let found = limits(&kept, given, horizon);
        let mut still = from_then_on(&seen, given, horizon);
        assert!((found.rows - still.len() as f64).abs() < 20.0);
        for group in &found.groups {
            // The same group of the rows themselves.
            let within = |row: &&Row| (group.group.from..=group.group.to).contains(&row.predicted);
            let of: Vec<Row> = still.iter().filter(within).copied().collect();
            let mean = |power: f64| of.iter().map(|row| row.predicted.powf(power)).sum::<f64>() / of.len() as f64;
            let mut sample = Sample::default();
            for row in &of {
                sample.add(row.duration, row.event, Budget::UNLIMITED).unwrap();
            }
            let estimates = Estimates::of(&sample, Estimator::KaplanMeier, Variance::Greenwood).unwrap().unwrap();
            let last = estimates.after(horizon).unwrap();
            let z = critical_value(0.95).unwrap();
            let told = interval(last.survival, Some(last.log_variance), z, Transform::LogLog);
            for (binned, own) in [
                (group.group.rate, last.survival),
                (group.group.lower, told.lower.unwrap()),
                (group.group.upper, told.upper.unwrap()),
                (mean(group.group.lower_power), told.lower.unwrap()),
                (mean(group.group.upper_power), told.upper.unwrap()),
                (group.group.predicted, mean(1.0)),
            ] {
                let error = (binned - own).abs() / (told.upper.unwrap() - told.lower.unwrap());
                furthest = furthest.max(error);
                total += error;
                count += 1.0;
            }
        }
        let at_rows = prediction_limits(&mut still, horizon, 0.95, Budget::UNLIMITED, &mut go_on).unwrap();
        assert_eq!(at_rows.len(), found.groups.len());
    }
    // A row more or less at the ends of a window that are within a bin.
    assert!(furthest < 0.06 && total / count < 0.01, "{furthest} of the width, on average {}", total / count);
}

#[test]
fn limits_hold_the_group_and_rows_are_found_in_it() {
    let kept = held(&mut rows(4_000, 5, 0.0));
    for (given, horizon) in [(0.0, 2.0), (1.0, 4.0), (6.0, 1.5)] {
        let found = limits(&kept, given, horizon);
        assert!((1..=MOST_GROUPS).contains(&found.groups.len()));
        for (at, one) in found.groups.iter().enumerate() {
            let Group { from, to, events, predicted, rate, lower, upper, lower_power, upper_power, .. } = one.group;
            assert!(lower < rate && rate < upper && upper_power < lower_power && events >= LEAST_EVENTS);
            assert!(from <= predicted && predicted <= to && one.least_risk <= one.greatest_risk);
            for risk in [one.least_risk, one.greatest_risk] {
                assert_eq!(found.group(risk), Ok(&one.group));
            }
            // Between two groups a row belongs to the one of more risk.
            if at > 0 {
                assert!(found.groups[at - 1].least_risk > one.greatest_risk);
                let between = (found.groups[at - 1].least_risk + one.greatest_risk) / 2.0;
                assert_eq!(found.group(between), Ok(&found.groups[at - 1].group));
            }
        }
        let (first, last) = (found.groups[0], found.groups[found.groups.len() - 1]);
        for beyond in [first.greatest_risk + 1e-9, last.least_risk - 1e-9] {
            assert_eq!(found.group(beyond), Err(Unknown::Beyond));
        }
    }
}

#[test]
fn where_the_rows_tell_nothing_it_is_said_why() {
    let kept = held(&mut rows(500, 6, 0.25));
    let of = |given, horizon| limits(&kept, given, horizon).group(-0.5).copied();
    assert!(of(0.0, 2.0).is_ok());
    assert_eq!(of(100.0, 2.0), Err(Unknown::NotWatchedUntil(102.0)));
    assert_eq!(of(1.0, 99.0), Err(Unknown::NotWatchedUntil(100.0)));
    let few = of(0.0, 0.25).unwrap_err();
    assert!(matches!(few, Unknown::FewEvents(events) if events < LEAST_EVENTS), "{few:?}");
    assert!(few.to_string().ends_with("left within this window, fewer than 20"), "{few}");
    // All left, and predictions that are all 1.
    let seen = |duration| Seen { entry: 0.0, duration, event: true, linear_predictor: 0.0 };
    let gone = held(&mut (0..50).map(|at| seen(1.0 + f64::from(at))).collect::<Vec<_>>());
    assert_eq!(limits(&gone, 0.0, 50.0).group(0.0), Err(Unknown::NoRate));
    let certain = gone.limits(&|_| 1.0, 0.0, 25.0, 0.95, &mut go_on).unwrap();
    assert_eq!(certain.group(0.0), Err(Unknown::NoRate));
    assert!(gone.limits(&|_| 0.5, 0.0, 25.0, 1.0, &mut go_on).is_err());
}

#[test]
fn odd_rows_and_forged_evidence_are_refused() {
    let seen = |duration, linear_predictor| Seen { entry: 0.0, duration, event: true, linear_predictor };
    for odd in [seen(f64::NAN, 0.0), seen(-1.0, 0.0), seen(f64::INFINITY, 0.0), seen(1.0, f64::NAN), seen(1.0, 1e4)] {
        assert!(matches!(HeldOut::of(&mut [odd], Budget::UNLIMITED, &mut go_on), Err(Error::Invalid { .. })));
    }
    for entry in [-1.0, 1.0, 2.0, f64::NAN] {
        let odd = Seen { entry, ..seen(1.0, 0.0) };
        assert!(matches!(HeldOut::of(&mut [odd], Budget::UNLIMITED, &mut go_on), Err(Error::Invalid { .. })));
    }
    assert_eq!(HeldOut::of(&mut [], Budget::UNLIMITED, &mut go_on).unwrap(), None);
    let time = |from, to| TimeBin { from, to };
    let exits = |time, events, censored| Exits { time, events, censored };
    let good = [exits(0, 1, 0), exits(1, 0, 2)];
    let late = |time, rows| Entries { time, rows };
    let risk = |least, mean, greatest, exits: &[Exits]| RiskBin {
        least,
        mean,
        greatest,
        exits: exits.to_vec(),
        entries: Vec::new(),
    };
    let with = |entries: &[Entries]| RiskBin { entries: entries.to_vec(), ..risk(0.0, 0.0, 0.0, &good) };
    let whole = || vec![time(0.0, 0.0), time(1.0, 2.0)];
    assert!(HeldOut::from_parts(whole(), vec![risk(0.0, 0.5, 1.0, &good)]).is_ok());
    assert!(HeldOut::from_parts(whole(), vec![with(&[late(0, 1), late(1, 2)])]).is_ok());
    for (times, risks) in [
        (whole(), vec![]),
        (vec![time(1.0, 2.0), time(2.0, 3.0)], vec![risk(0.0, 0.0, 0.0, &good)]),
        (vec![time(1.0, 0.5), time(2.0, 3.0)], vec![risk(0.0, 0.0, 0.0, &good)]),
        (vec![time(-1.0, 0.5), time(2.0, f64::INFINITY)], vec![risk(0.0, 0.0, 0.0, &good)]),
        (vec![time(0.0, f64::NAN)], vec![risk(0.0, 0.0, 0.0, &good[..1])]),
        (whole(), vec![risk(0.0, 1.5, 1.0, &good)]),
        (whole(), vec![risk(f64::NAN, 0.5, 1.0, &good)]),
        (whole(), vec![risk(0.0, 0.5, 2e3, &good)]),
        (whole(), vec![risk(0.0, 0.5, 1.0, &good), risk(1.0, 1.0, 1.0, &good)]),
        (whole(), vec![risk(0.0, 0.5, 1.0, &[])]),
        (whole(), vec![risk(0.0, 0.5, 1.0, &[exits(2, 1, 1)])]),
        (whole(), vec![risk(0.0, 0.5, 1.0, &[exits(1, 1, 1), exits(0, 1, 1)])]),
        (whole(), vec![risk(0.0, 0.5, 1.0, &[exits(0, 0, 0)])]),
        (whole(), vec![risk(0.0, 0.5, 1.0, &[exits(0, u64::MAX, 1)])]),
        (whole(), vec![risk(0.0, 0.5, 1.0, &[exits(0, 1 << 53, 1)])]),
        (whole(), vec![with(&[late(0, 4)])]),
        (whole(), vec![with(&[late(2, 1)])]),
        (whole(), vec![with(&[late(1, 1), late(0, 1)])]),
        (whole(), vec![with(&[late(1, 0)])]),
        (whole(), vec![with(&[late(0, u64::MAX), late(1, 1)])]),
    ] {
        assert!(HeldOut::from_parts(times, risks).is_err());
    }
}

proptest! {
    /// Any order of any rows gives the same, and any window an answer that can be.
    #[test]
    fn any_rows_in_any_order(
        times in prop::collection::vec((0u16..400, any::<bool>(), -300i16..300), 1..900),
        given in 0u16..50, horizon in 1u16..300, scale in 1u16..1000, late in 0u16..4,
    ) {
        let row = |(time, event, risk): &(u16, bool, i16)| Seen {
            entry: if late > 0 && time % late == 0 { f64::from(time / 2) / f64::from(scale) } else { 0.0 },
            duration: f64::from(*time) / f64::from(scale),
            event: *event,
            linear_predictor: f64::from(*risk) / f64::from(scale),
        };
        let mut seen: Vec<Seen> = times.iter().map(row).collect();
        let kept = held(&mut seen);
        seen.reverse();
        prop_assert_eq!(&kept, &held(&mut seen));
        prop_assert_eq!(kept.rows(), seen.len() as u64);
        let again = HeldOut::from_parts(kept.times().to_vec(), kept.risks().to_vec()).unwrap();
        prop_assert_eq!(&kept, &again);
        let (given, horizon) = (f64::from(given) / f64::from(scale), f64::from(horizon) / f64::from(scale));
        let found = limits(&kept, given, horizon);
        prop_assert!(found.rows <= seen.len() as f64 + 1e-9 && (late > 0 || found.events <= found.rows + 1e-9));
        let grouped: u64 = found.groups.iter().map(|group| group.group.rows).sum();
        prop_assert!(found.groups.is_empty() || (grouped as f64 - found.rows).abs() <= found.groups.len() as f64);
        for one in &found.groups {
            let group = &one.group;
            prop_assert!(0.0 <= group.lower && group.lower <= group.rate && group.rate <= group.upper && group.upper <= 1.0);
            prop_assert!(group.upper_power > 0.0 && group.upper_power <= group.lower_power && group.lower_power < 1e15);
            let (lower, upper) = group.limits(group.predicted);
            prop_assert!(lower <= group.predicted && group.predicted <= upper);
        }
        for row in &seen {
            if let Err(why) = found.group(row.linear_predictor) {
                prop_assert!(!why.to_string().is_empty());
            }
        }
    }
}
