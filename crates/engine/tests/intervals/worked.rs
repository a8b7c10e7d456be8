//! Published numbers and odd input.

use ltv_engine::Error;
use ltv_engine::numeric::tally::Budget;
use ltv_engine::survival::Survival;
use ltv_engine::survival::intervals::IntervalSample;
use ltv_engine::survival::turnbull::turnbull;

use crate::{estimate, missed, sample};

const NEVER: f64 = f64::INFINITY;

fn masses(rows: &[(f64, f64)]) -> Vec<f64> {
    let estimate = estimate(&sample(rows.iter().map(|(left, right)| (*left, *right, 1.0))));
    estimate.intervals.iter().map(|interval| interval.mass).collect()
}

fn assert_close(ours: &[f64], reference: &[f64], tolerance: f64) {
    assert_eq!(ours.len(), reference.len(), "{ours:?}");
    assert!(ours.iter().zip(reference).all(|(a, b)| (a - b).abs() <= tolerance), "{ours:?} {reference:?}");
}

/// Turnbull 1974: .538 .295 .210 .095 (more digits from R's survfit, which stops early; time 1 to 4, so many exact, right- and left-censored).
#[test]
fn turnbulls_own_table() {
    let counts = [[12.0, 3.0, 2.0], [6.0, 2.0, 4.0], [2.0, 0.0, 2.0], [3.0, 3.0, 5.0]];
    let mut rows = Vec::new();
    for (at, [exact, right, left]) in counts.into_iter().enumerate() {
        let t = (at + 1) as f64;
        rows.extend([(t, t, exact), (t, NEVER, right), (0.0, t, left)].into_iter().filter(|row| row.2 > 0.0));
    }
    let survival = estimate(&sample(rows)).survival();
    assert_close(&survival[..4], &[0.537_567_7, 0.294_594_0, 0.209_760_2, 0.094_845_8], 2e-7);
}

/// lifelines' test_npmle closes intervals on the left, where ours are open: (7, 8] does not hold an event at 7, so
/// its masses .16667 .33333 .125 .375 are those of lefts moved back by less than any gap.
#[test]
fn closed_intervals_are_open_ones_moved_back() {
    let back = |left: f64| left - 1e-3;
    let lefts = [1.0, 8.0, 8.0, 7.0, 7.0, 17.0, 37.0, 46.0, 46.0, 45.0];
    let rights = [7.0, 8.0, 10.0, 16.0, 14.0, NEVER, 44.0, NEVER, NEVER, NEVER];
    let rows: Vec<(f64, f64)> = lefts.iter().zip(rights).map(|(left, right)| (back(*left), right)).collect();
    assert_close(&masses(&rows), &[1.0 / 6.0, 1.0 / 3.0, 0.125, 0.375], 1e-10);
    let weights = [2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
    let weighted = estimate(&sample(rows.iter().zip(weights).map(|((left, right), weight)| (*left, *right, weight))));
    let weighted: Vec<f64> = weighted.intervals.iter().map(|interval| interval.mass).collect();
    assert_close(&weighted, &[0.205_128_2, 0.410_256_4, 0.096_153_9, 0.288_461_5], 1e-7);
    // icenReg's six: S is .75 at 1 and 2, .5 before 4 and anything from 0 to .375 at 6.
    let six = [(0.0, 1.0), (4.0, 6.0), (2.0, 6.0), (0.0, 3.0), (2.0, 4.0), (5.0, 7.0)];
    let six =
        sample(six.iter().map(|(left, right): &(f64, f64)| (if *left > 0.0 { back(*left) } else { 0.0 }, *right, 1.0)));
    let steps = Survival::Fitted(estimate(&six).curve()).steps().expect("steps");
    for (t, survival) in [(1.0, 0.75), (2.0, 0.75), (3.9, 0.5)] {
        assert_close(&[steps.survival_at(t).expect("observed")], &[survival], 1e-10);
    }
    assert!(steps.survival_at(6.0).is_some_and(|survival| survival <= 0.375));
}

#[test]
fn odd_samples() {
    assert_eq!(turnbull(&IntervalSample::default(), Budget::UNLIMITED, &mut || Ok(())), Ok(None));
    // Nobody seen gone: flat until the last look, unknown after it.
    let censored = estimate(&sample([(3.0, NEVER, 1.0), (5.0, NEVER, 2.0)]));
    let steps = Survival::Fitted(censored.curve()).steps().expect("steps");
    assert_eq!((steps.survival_at(5.0), steps.survival_at(5.1)), (Some(1.0), None));
    // All at one time; at the start; between the start and a look, an event at the start included.
    assert_eq!(masses(&[(2.0, 2.0)]), [1.0]);
    assert_eq!(masses(&[(0.0, 0.0), (0.0, 4.0)]), [1.0]);
    // An interval whose ends are one but for rounding is a time.
    assert_eq!(masses(&[(0.1 + 0.2, 0.3), (0.3, 0.3)].map(|(a, b): (f64, f64)| (a.min(b), a.max(b)))), [1.0]);
    // Open on the left: an event at 2 was not in (2, 3].
    assert_close(&masses(&[(2.0, 2.0), (2.0, 3.0)]), &[0.5, 0.5], 1e-15);
    let refused = [(f64::NAN, 1.0), (1.0, f64::NAN), (-1.0, 2.0), (3.0, 2.0), (NEVER, NEVER)];
    for (left, right) in refused {
        let mut sample = IntervalSample::default();
        let error = sample.add(left, right, 1.0, || Budget::UNLIMITED);
        assert!(matches!(error, Err(Error::Invalid { .. })), "{left} {right}");
    }
    for weight in [0.0, -1.0, f64::NAN, NEVER, 1e91] {
        assert!(IntervalSample::default().add(1.0, 2.0, weight, || Budget::UNLIMITED).is_err());
    }
}

#[test]
fn a_cancelled_estimate_ends() {
    let sample = sample((0..200).map(|i| (f64::from(i % 17), f64::from(i % 17 + 1 + i % 5), 1.0)));
    let stopped = turnbull(&sample, Budget::UNLIMITED, &mut || Err(Error::Canceled));
    assert_eq!(stopped, Err(Error::Canceled));
    let refused = turnbull(&sample, Budget { bytes: 1000 }, &mut || Ok(()));
    assert!(matches!(refused, Err(Error::Memory { .. })));
}

/// Exact and right-censored rows only: the product-limit estimate, also when there are more times than one block takes.
#[test]
fn without_intervals_it_is_kaplan_meier() {
    for times in [20, 1500] {
        let rows: Vec<(f64, bool)> = (0..2 * times)
            .map(|i: i32| (f64::from(i * 7919 % times), i % 3 != 0 || i * 7919 % times == times - 1))
            .collect();
        let mut exact = ltv_engine::survival::Sample::default();
        rows.iter().for_each(|(time, event)| exact.add(*time, *event, Budget::UNLIMITED).expect("a valid row"));
        let exact = Survival::Sample(exact).steps().expect("rows");
        let intervals: Vec<(f64, f64, f64)> =
            rows.iter().map(|(time, event)| (*time, if *event { *time } else { NEVER }, 1.0)).collect();
        let ours = estimate(&sample(intervals.iter().copied()));
        assert!(missed(&intervals, &ours) <= 1e-8);
        let ours = Survival::Fitted(ours.curve()).steps().expect("rows");
        for t in 0..times {
            let (a, b) =
                (ours.survival_at(f64::from(t)).expect("observed"), exact.survival_at(f64::from(t)).expect("observed"));
            assert!((a - b).abs() <= 1e-9, "{times}: S({t}) {a} {b}");
        }
    }
}
