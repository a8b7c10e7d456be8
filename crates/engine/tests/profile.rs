//! Profiles: mergeable in any order, read back as they were written, and distances that are what their definitions say.

use approx::assert_relative_eq;
use ltv_engine::assess::profile::{Bin, Profile};
use ltv_engine::assess::profile_distance::{Distance, distances, poisson_interval};
use ltv_engine::numeric::tally::Budget;
use proptest::prelude::*;

fn of(values: &[f64]) -> Profile {
    let mut profile = Profile::numbers();
    values.iter().for_each(|value| profile.add_number(*value, Budget::UNLIMITED).unwrap());
    profile
}

fn texts(levels: &[(&str, u64)]) -> Profile {
    Profile::of_levels(levels.iter().map(|(level, count)| (level.to_string(), *count)).collect(), 0).unwrap()
}

fn find(distances: &[Distance], metric: &str) -> Distance {
    distances.iter().find(|distance| distance.metric == metric).cloned().unwrap()
}

proptest! {
    #[test]
    fn any_split_is_the_same(values in prop::collection::vec(-1e9..1e9f64, 0..200), cut in 0usize..200, nulls in 0u64..5) {
        let cut = cut.min(values.len());
        let (mut a, mut b) = (of(&values[..cut]), of(&values[cut..]));
        (0..nulls).for_each(|_| b.add_null());
        let mut whole = of(&values.iter().rev().copied().collect::<Vec<_>>());
        (0..nulls).for_each(|_| whole.add_null());
        let other = a.clone();
        a.merge(&b, Budget::UNLIMITED).unwrap();
        b.merge(&other, Budget::UNLIMITED).unwrap();
        prop_assert_eq!(&a, &whole);
        prop_assert_eq!(&b, &whole);
        prop_assert_eq!(Profile::decode(&whole.encode()).unwrap(), whole);
    }

    #[test]
    fn ranks_and_quantiles_are_near_those_of_the_sample(mut values in prop::collection::vec(0.01..1e6f64, 20..200)) {
        let profile = of(&values);
        values.sort_by(f64::total_cmp);
        prop_assert_eq!(profile.range(), Some((values[0], values[values.len() - 1])));
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        prop_assert!((profile.mean().unwrap() / mean - 1.0).abs() < 1.0 / 256.0);
        for q in [0.1, 0.5, 0.9] {
            let exact = values[((q * values.len() as f64).ceil() as usize).clamp(1, values.len()) - 1];
            prop_assert!((profile.quantile(q).unwrap().unwrap() / exact - 1.0).abs() < 1.0 / 64.0);
        }
        prop_assert_eq!(profile.rank(values[0] - 1e-3), Some(0.0));
        prop_assert_eq!(profile.rank(values[values.len() - 1] + 1.0), Some(1.0));
    }

    #[test]
    fn bytes_are_checked(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(profile) = Profile::decode(&bytes) {
            prop_assert_eq!(Profile::decode(&profile.encode()).unwrap(), profile);
        }
    }
}

#[test]
fn whole_numbers_are_exact() {
    let values: Vec<f64> = (-256..=256).map(f64::from).collect();
    let profile = of(&values);
    assert_eq!(profile.quantile(0.5).unwrap(), Some(0.0));
    assert_eq!((profile.mean(), profile.rank(0.0)), (Some(0.0), Some(0.5)));
    assert_eq!(profile.rank(100.0), Some((356.0 + 0.5) / 513.0));
    let variance = values.iter().map(|value| value * value).sum::<f64>() / 512.0;
    assert_relative_eq!(profile.std_dev().unwrap(), variance.sqrt(), max_relative = 1e-14);
}

/// Ten equal groups of the base; the later data have 20 % in the first and 0 % in the last.
#[test]
fn the_index_of_numbers_by_hand() {
    let base = of(&(0..100).map(f64::from).collect::<Vec<_>>());
    let now = of(&(0..100).map(|i| f64::from(if i >= 90 { i - 90 } else { i })).collect::<Vec<_>>());
    let found = distances(&base, &now).unwrap();
    let expected = 0.1 * 2f64.ln() + (0.005 - 0.1) * (0.005f64 / 0.1).ln();
    assert_relative_eq!(find(&found, "psi").value, expected, max_relative = 1e-13);
    // Half of each: KL(p | m) for shares .1/.2 and .1/0.
    let bits = |p: f64, q: f64| if p > 0.0 { p * (p / ((p + q) / 2.0)).log2() } else { 0.0 };
    let expected = (bits(0.1, 0.2) + bits(0.2, 0.1) + bits(0.1, 0.0)) / 2.0;
    assert_relative_eq!(find(&found, "jensen_shannon").value, expected, max_relative = 1e-13);
    assert_relative_eq!(find(&found, "kolmogorov_smirnov").value, 0.1, max_relative = 1e-13);
    // Ten of a hundred moved by 90.
    let sd = (100.0f64 * 101.0 / 12.0).sqrt();
    assert_relative_eq!(find(&found, "wasserstein").value, 9.0 / sd, max_relative = 1e-12);
    // The chi-squared quantile of nine degrees of freedom at .999 is 27.87716487 (R: qchisq).
    assert_relative_eq!(find(&found, "psi").chance.unwrap(), 27.877_164_871_256_57 * 0.02, max_relative = 1e-11);
    assert_eq!(find(&found, "null_rate").value, 0.0);
}

#[test]
fn texts_by_hand() {
    let found = distances(&texts(&[("a", 60), ("b", 40)]), &texts(&[("a", 30), ("b", 60), ("c", 10)])).unwrap();
    let index =
        (0.3 - 0.6) * (0.3f64 / 0.6).ln() + (0.6 - 0.4) * (0.6f64 / 0.4).ln() + (0.1 - 0.005) * (0.1f64 / 0.005).ln();
    assert_relative_eq!(find(&found, "psi").value, index, max_relative = 1e-13);
    assert_relative_eq!(find(&found, "l_infinity").value, 0.3, max_relative = 1e-13);
    assert_relative_eq!(find(&found, "unseen_rate").value, 0.1, max_relative = 1e-13);
}

#[test]
fn the_same_data_are_at_no_distance() {
    let base = of(&(0..500).map(|i| f64::from(i).sqrt()).collect::<Vec<_>>());
    assert!(distances(&base, &base).unwrap().iter().all(|distance| distance.value == 0.0));
    let level = texts(&[("only", 7)]);
    assert!(distances(&level, &level).unwrap().iter().all(|distance| distance.value == 0.0));
}

#[test]
fn what_has_no_values_has_null_rates_only() {
    let mut empty = Profile::numbers();
    empty.add_null();
    empty.add_number(f64::NAN, Budget::UNLIMITED).unwrap();
    let found = distances(&of(&[1.0]), &empty).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].metric, found[0].value), ("null_rate", 1.0));
    assert!(distances(&of(&[1.0]), &texts(&[("a", 1)])).is_err());
    let mut mixed = of(&[1.0]);
    assert!(mixed.merge(&texts(&[("a", 1)]), Budget::UNLIMITED).is_err());
}

#[test]
fn forged_bins_are_refused() {
    let bin = |count, least, greatest| Bin { count, least, greatest };
    assert!(Profile::of_bins(vec![bin(2, 1.0, 1.001), bin(1, 5.0, 5.0)], 0).is_ok());
    for bins in [
        vec![bin(0, 1.0, 1.0)],
        vec![bin(2, 1.0, 2.0)],
        vec![bin(2, 1.001, 1.0)],
        vec![bin(1, f64::NAN, f64::NAN)],
        vec![bin(1, 5.0, 5.0), bin(1, 1.0, 1.0)],
        vec![bin(1, 1.0, 1.001)],
        vec![bin(1 << 53, 1.0, 1.0), bin(1 << 53, 5.0, 5.0)],
    ] {
        assert!(Profile::of_bins(bins.clone(), 0).is_err(), "{bins:?}");
    }
}

/// R: poisson.test(10)$conf.int, poisson.test(0)$conf.int, poisson.test(250, conf.level = 0.99)$conf.int.
#[test]
fn exact_poisson_intervals_are_those_of_r() {
    for (count, level, lower, upper) in POISSON {
        let found = poisson_interval(count, level).unwrap();
        assert_relative_eq!(found.0, lower, max_relative = 1e-9);
        assert_relative_eq!(found.1, upper, max_relative = 1e-9);
    }
    assert!(poisson_interval(-1.0, 0.95).is_err() && poisson_interval(1.0, 1.0).is_err());
}

const POISSON: [(f64, f64, f64, f64); 3] = [
    (10.0, 0.95, 4.79538869613243, 18.3903560420178),
    (0.0, 0.95, 0.0, 3.68887945411394),
    (250.0, 0.99, 211.151682431164, 293.68468832743),
];
