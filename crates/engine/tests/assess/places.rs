//! Drawing some of the rows held out: as many as asked for, each as likely as any other, in whatever order they came.

use ltv_engine::Result;
use ltv_engine::assess::places::drawn;
use ltv_engine::numeric::tally::Budget;
use ltv_engine::survival::Sample;
use proptest::prelude::*;

fn go_on() -> Result<()> {
    Ok(())
}

fn sample(rows: &[(f64, bool)]) -> Sample {
    let mut sample = Sample::default();
    for (place, event) in rows {
        sample.add(*place, *event, Budget::UNLIMITED).unwrap();
    }
    sample
}

/// Place, losses, censorings.
fn cells(sample: &Sample) -> Vec<(f64, f64, f64)> {
    sample.exits().sorted().iter().map(|cell| (cell.key, cell.counts[0], cell.counts[1])).collect()
}

#[test]
fn each_row_is_drawn_as_often_as_any_other() {
    let rows: Vec<(f64, bool)> = (0..20).map(|i| (f64::from(i / 2) / 10.0, i % 3 == 0)).collect();
    let all = sample(&rows);
    let mut seen = std::collections::BTreeMap::new();
    let draws = 4000;
    for seed in 0..draws {
        let some = drawn(&all, 5, seed, &mut go_on).unwrap();
        assert_eq!(some.subjects(), 5.0);
        for (place, losses, censored) in cells(&some) {
            let of = seen.entry(place.to_bits()).or_insert([0.0; 2]);
            *of = [of[0] + losses, of[1] + censored];
        }
    }
    // A quarter of the draws for each row; four standard deviations of a binomial count.
    for (place, losses, censored) in cells(&all) {
        let found = seen[&place.to_bits()];
        for (rows, found) in [(losses, found[0]), (censored, found[1])] {
            let (mean, deviation) = (rows * draws as f64 / 4.0, (rows * draws as f64 * 0.25 * 0.75).sqrt());
            assert!((found - mean).abs() <= 4.0 * deviation, "{place}: {found} for {mean}");
        }
    }
}

#[test]
fn what_is_no_plain_sample_is_refused() {
    let mut halves = Sample::default();
    halves.add_row(0.0, 0.5, true, 0.5, Budget::UNLIMITED).unwrap();
    assert!(drawn(&halves, 5, 0, &mut go_on).is_err());
    let mut late = Sample::default();
    late.add_row(0.25, 0.5, true, 1.0, Budget::UNLIMITED).unwrap();
    assert!(drawn(&late, 5, 0, &mut go_on).is_err());
    assert_eq!(drawn(&Sample::default(), 5, 0, &mut go_on).unwrap().subjects(), 0.0);
    assert_eq!(drawn(&sample(&[(0.5, true)]), 0, 0, &mut go_on).unwrap().subjects(), 0.0);
}

proptest! {
    #[test]
    fn the_rows_drawn_are_some_of_them_in_any_order(
        rows in prop::collection::vec((0u32..40, any::<bool>()), 0..80), most in 0u64..90, seed in any::<u64>(), turn in 0usize..80,
    ) {
        let mut rows: Vec<(f64, bool)> = rows.into_iter().map(|(place, event)| (f64::from(place) / 40.0, event)).collect();
        let all = sample(&rows);
        let some = drawn(&all, most, seed, &mut go_on).unwrap();
        prop_assert_eq!(some.subjects(), all.subjects().min(most as f64));
        let of = cells(&all);
        for (place, losses, censored) in cells(&some) {
            let cell = of.iter().find(|cell| cell.0 == place).unwrap();
            prop_assert!(losses <= cell.1 && censored <= cell.2);
        }
        let at = turn.min(rows.len());
        rows.rotate_left(at);
        prop_assert_eq!(&drawn(&sample(&rows), most, seed, &mut go_on).unwrap(), &some);
        if most as usize >= rows.len() {
            prop_assert_eq!(cells(&some), of);
        }
    }
}
