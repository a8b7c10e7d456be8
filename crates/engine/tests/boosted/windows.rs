//! Limits of trees from rows held out keep their promise in any window: simulated.

use ltv_engine::assess::held_out::Seen;
use ltv_engine::boost::Options;
use ltv_engine::hazard::Design;

use crate::chance::Chance;
use crate::held_out::held;
use crate::{bent, boosted, go_on};

/// Ages and horizons.
const WINDOWS: [(f64, f64); 8] =
    [(0.0, 8.0), (0.0, 4.0), (0.0, 16.0), (4.0, 4.0), (4.0, 8.0), (4.0, 16.0), (8.0, 4.0), (8.0, 8.0)];

/// A truth H(t) = e^[`bent`] (t / 10)^shape.
type Shape = fn(&[f64; 4]) -> f64;

/// Hazards that are proportional, as the trees take them to be.
fn one_shape(_: &[f64; 4]) -> f64 {
    2.0
}

/// Hazards that fall for some and rise for others.
fn two_shapes(x: &[f64; 4]) -> f64 {
    if x[3] > 0.5 { 2.0 } else { 0.8 }
}

/// Two of five are watched from a time up to `latest` on only, where that is not 0.
fn drawn(rows: usize, seed: u64, shape: Shape, latest: f64) -> Vec<([f64; 4], Seen)> {
    let mut chance = Chance::new(seed);
    let mut one = || {
        let x = [0; 4].map(|_| chance.uniform());
        let time = (chance.exponential() / bent(&x).exp()).powf(1.0 / shape(&x)) * 10.0;
        let censored = 25.0 * chance.uniform();
        let entry = if latest > 0.0 && chance.uniform() < 0.4 { latest * chance.uniform() } else { 0.0 };
        (x, Seen { entry, duration: time.min(censored), event: time <= censored, linear_predictor: 0.0 })
    };
    std::iter::repeat_with(&mut one).filter(|(_, row)| row.entry < row.duration).take(rows).collect()
}

/// For each window how many groups there were, and in how many the mean truth of rows that nobody has seen, and that last
/// until the age, was between the means of their limits.
fn held_in_windows(books: u64, shape: Shape, latest: f64) -> [[f64; 2]; WINDOWS.len()] {
    let mut counts = WINDOWS.map(|_| [0.0; 2]);
    for seed in 0..books {
        let mut design = Design::default();
        for (x, seen) in drawn(1_000, 10_000 + seed, shape, latest) {
            design.push((latest > 0.0).then_some(seen.entry), seen.duration, seen.event, 1.0, &x).unwrap();
        }
        let trees = boosted(&design, &Options { trees: 60, depth: 3, ..Options::default() });
        let out = drawn(2_500, 20_000 + seed, shape, latest).into_iter();
        let mut out: Vec<Seen> =
            out.map(|(x, seen)| Seen { linear_predictor: trees.linear_predictor(&x), ..seen }).collect();
        let kept = held(&mut out);
        let fresh = drawn(4_000, 30_000 + seed, shape, 0.0);
        for (&(given, horizon), count) in WINDOWS.iter().zip(&mut counts) {
            let baseline = |t: f64| trees.baseline.cumulative_hazard(t);
            let change = baseline(given + horizon) - baseline(given);
            let predicted = |linear_predictor: f64| (-change * linear_predictor.exp()).exp();
            let found = kept.limits(&predicted, given, horizon, 0.95, &mut go_on).unwrap();
            let mut sums = vec![[0.0; 3]; found.groups.len()];
            for (x, _) in &fresh {
                let linear_predictor = trees.linear_predictor(x);
                let Ok(group) = found.group(linear_predictor) else { continue };
                let at = found.groups.iter().position(|other| other.group == *group).unwrap();
                let survival = |t: f64| (-bent(x).exp() * (t / 10.0).powf(shape(x))).exp();
                let (still, said) = (survival(given), predicted(linear_predictor));
                let truth = survival(given + horizon) / still;
                // Each counts as the share of those like it that last until the age.
                for (sum, value) in
                    sums[at].iter_mut().zip([said.powf(group.lower_power), truth, said.powf(group.upper_power)])
                {
                    *sum += still * value;
                }
            }
            for [lower, truth, upper] in sums {
                count[0] += 1.0;
                count[1] += f64::from(u8::from(lower <= truth && truth <= upper));
            }
        }
    }
    counts
}

/// 95 of 100, to three and a half standard errors of a share of as many groups.
fn assert_kept(held: f64, groups: f64) {
    let error = (0.95 * 0.05 / groups).sqrt();
    assert!((held / groups - 0.95).abs() <= 3.5 * error, "{held} of {groups} groups");
}

fn assert_promise(books: u64, shape: Shape, latest: f64) {
    let counts = held_in_windows(books, shape, latest);
    for ((given, horizon), [groups, held]) in WINDOWS.iter().zip(counts) {
        println!("from {given} for {horizon}: {:.4} of {groups}", held / groups);
        assert!(groups >= 2.0 * books as f64, "{groups} groups");
        assert_kept(held, groups);
    }
    let [groups, held] = counts.iter().fold([0.0; 2], |sum, count| [sum[0] + count[0], sum[1] + count[1]]);
    println!("in all: {:.4} of {groups}", held / groups);
    assert_kept(held, groups);
}

#[test]
fn of_trees_the_mean_truth_of_like_rows_is_within_the_mean_limits_in_any_window() {
    assert_promise(20, one_shape, 0.0);
    assert_promise(15, two_shapes, 6.0);
}

#[test]
#[ignore = "minutes: the numbers of docs/boosting.md"]
fn of_many_books_too() {
    assert_promise(400, one_shape, 0.0);
}

#[test]
#[ignore = "minutes: the numbers of docs/boosting.md"]
fn of_many_books_too_where_hazards_are_not_proportional() {
    assert_promise(400, two_shapes, 0.0);
}

#[test]
#[ignore = "minutes: the numbers of docs/boosting.md"]
fn of_many_books_too_where_rows_are_watched_from_later_on() {
    assert_promise(400, one_shape, 6.0);
}
