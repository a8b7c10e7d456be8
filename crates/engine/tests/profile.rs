//! Profiles: mergeable in any order, read back as they were written, and distances that are what their definitions say.

#[path = "chance/mod.rs"]
mod chance;

use approx::assert_relative_eq;
use chance::Chance;
use ltv_engine::assess::bins::Bin;
use ltv_engine::assess::profile::Profile;
use ltv_engine::assess::profile_distance::{Distance, distances, poisson_interval, weighted_poisson_interval};
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

/// Numbers that are spread evenly over 0 to 1.
fn noise(seed: u64, n: u64) -> Vec<f64> {
    let mut chance = Chance::new(seed);
    (0..n).map(|_| chance.uniform()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

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
    fn any_split_is_the_same_beyond_what_is_exact(seed in any::<u64>(), cut in 0usize..2000, offset in -1e6..1e6f64) {
        let values = noise(seed, 2000).into_iter().map(|x| offset + x).collect::<Vec<_>>();
        let (mut a, b) = (of(&values[..cut]), of(&values[cut..]));
        let whole = of(&values.iter().rev().copied().collect::<Vec<_>>());
        a.merge(&b, Budget::UNLIMITED).unwrap();
        prop_assert_eq!(&a, &whole);
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

/// Years, and numbers far from zero, are not told apart by their first bits alone.
#[test]
fn numbers_far_from_zero() {
    let base = of(&(0..800).map(|i| f64::from(2016 + i % 8)).collect::<Vec<_>>());
    let now = of(&(0..700).map(|i| f64::from(2017 + i % 7)).collect::<Vec<_>>());
    let found = distances(&base, &now).unwrap();
    assert_relative_eq!(find(&found, "kolmogorov_smirnov").value, 0.125, max_relative = 1e-12);
    // The distribution functions differ by 1/8, 1/8 - 1/56, …, 1/56 in the seven years.
    let sd = (800.0f64 / 799.0 * 63.0 / 12.0).sqrt();
    assert_relative_eq!(find(&found, "wasserstein").value, 0.5 / sd, max_relative = 1e-12);
    assert_relative_eq!(base.std_dev().unwrap(), sd, max_relative = 1e-12);
    let alike = of(&[2016.1; 7]);
    assert_eq!((alike.mean(), alike.std_dev()), (Some(2016.1), Some(0.0)));

    let mut values: Vec<f64> = noise(1, 20_000).iter().map(|x| 1000.0 + x).collect();
    let (base, now) = (of(&values[..10_000]), of(&values[10_000..]));
    for distance in distances(&base, &now).unwrap() {
        assert!(distance.value <= distance.chance.unwrap(), "{distance:?}");
    }
    assert_relative_eq!(base.std_dev().unwrap(), 1.0 / 12f64.sqrt(), max_relative = 0.02);
    values.sort_by(f64::total_cmp);
    assert!((base.quantile(0.3).unwrap().unwrap() - 1000.3).abs() < 0.02);
}

/// What a thousand pairs of samples of one law exceed once is within the bound, and the bound not far beyond it.
#[test]
fn chance_of_the_area_and_of_the_largest_share() {
    let mut areas = Vec::new();
    let mut bound = 0.0;
    for seed in 0..1000 {
        let values = noise(seed, 300);
        let found = distances(&of(&values[..200]), &of(&values[200..])).unwrap();
        let area = find(&found, "wasserstein");
        areas.push(area.value);
        bound = f64::max(bound, area.chance.unwrap());
    }
    areas.sort_by(f64::total_cmp);
    assert!(areas[998] < bound && bound < 1.6 * areas[998], "{} against {bound}", areas[998]);
    // Two levels of a half each: z(1 - 0.0005 / 2) √(0.25 · 0.02).
    let found = distances(&texts(&[("a", 50), ("b", 50)]), &texts(&[("a", 50), ("b", 50)])).unwrap();
    assert_relative_eq!(
        find(&found, "l_infinity").chance.unwrap(),
        3.480_756_404 * (0.25f64 * 0.02).sqrt(),
        max_relative = 1e-9
    );
}

/// A row costs the same whatever has been counted.
#[test]
fn many_levels() {
    let mut profile = Profile::numbers();
    for row in 0..200_000 {
        profile.expect_texts();
        profile.add_text(&format!("{}", row % 100_000), Budget::UNLIMITED).unwrap();
    }
    assert_eq!((profile.count(), profile.memory_bytes() > 100_000 * 64), (200_000, true));
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
    assert!(Profile::of_bins(45, vec![bin(2, 1.0, 1.001), bin(1, 5.0, 5.0)], 0).is_ok());
    for bins in [
        vec![bin(0, 1.0, 1.0)],
        vec![bin(2, 1.0, 2.0)],
        vec![bin(2, 1.001, 1.0)],
        vec![bin(1, f64::NAN, f64::NAN)],
        vec![bin(1, 5.0, 5.0), bin(1, 1.0, 1.0)],
        vec![bin(1, 1.0, 1.001)],
        vec![bin(1 << 53, 1.0, 1.0), bin(1 << 53, 5.0, 5.0)],
    ] {
        assert!(Profile::of_bins(45, bins.clone(), 0).is_err(), "{bins:?}");
    }
    assert!(Profile::of_bins(46, vec![bin(1, 1.0, 1.0)], 0).is_err());
    assert!(Profile::of_bins(0, vec![bin(2, 1.0, 1.001)], 0).is_err());
    let many = |dropped| Profile::of_bins(dropped, (0..1025).map(|i| bin(1, f64::from(i), f64::from(i))).collect(), 0);
    assert!(many(0).is_err() && many(45).is_err());
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

#[test]
fn the_budget_of_texts_holds_to_a_megabyte() {
    let budget = Budget { bytes: 4 << 20 };
    let mut profile = Profile::texts();
    let refused = (0..1_000_000).find(|row| profile.add_text(&format!("level {row}"), budget).is_err());
    assert!(refused.is_some());
    assert!((3 << 20..=5 << 20).contains(&profile.memory_bytes()), "{}", profile.memory_bytes());
    let mut merged = Profile::texts();
    merged.merge(&profile, Budget::UNLIMITED).unwrap();
    merged.merge(&profile, Budget::UNLIMITED).unwrap();
    assert_eq!(merged.memory_bytes(), profile.memory_bytes());
    assert_eq!(Profile::decode(&profile.encode()).unwrap(), profile);
}

/// By hand: three events of weight 1 and two of weight 6 have the sum 15 and the squares 75; the limits are 75 / 30 times the
/// quantile of χ² at 6 degrees, and 111 / 42 times that at 2 · 21² / 111, the quantiles of which are from the series of the
/// incomplete gamma function in 60 digits.
#[test]
fn intervals_of_weighted_counts_are_those_of_fay_and_feuer() {
    for ([total, squares, greatest], level, [lower, upper]) in WEIGHTED {
        let found = weighted_poisson_interval(total, squares, greatest, level).unwrap();
        assert_relative_eq!(found.0, lower, max_relative = 1e-9);
        assert_relative_eq!(found.1, upper, max_relative = 1e-9);
        // In another unit they are others in that measure.
        let scaled = weighted_poisson_interval(7.0 * total, 49.0 * squares, 7.0 * greatest, level).unwrap();
        assert_relative_eq!(scaled.0, 7.0 * lower, max_relative = 1e-9);
        assert_relative_eq!(scaled.1, 7.0 * upper, max_relative = 1e-9);
    }
}

/// Their sum, the sum of their squares, the greatest; the level; the limits.
const WEIGHTED: [([f64; 3], f64, [f64; 2]); 4] = [
    ([15.0, 75.0, 6.0], 0.95, [3.093_360_614_478_006, 46.126_330_072_418_4]),
    ([0.0, 0.0, 6.0], 0.95, [0.0, 22.133_276_724_683_62]),
    ([12.5, 31.25, 4.0], 0.99, [2.694_820_601_630_798_7, 39.472_265_605_764_91]),
    ([542.0, 1444.0, 6.0], 0.99, [449.124_810_050_149, 652.159_385_637_887_4]),
];

#[test]
fn counts_that_weigh_one_have_the_exact_interval_to_the_bit() {
    for count in (0..=5000).chain([12_345, 1_000_000, 987_654_321]) {
        let count = f64::from(count);
        for level in [0.9, 0.95, 0.99] {
            let weighted = weighted_poisson_interval(count, count, 1.0, level).unwrap();
            assert_eq!(weighted, poisson_interval(count, level).unwrap());
        }
    }
}

#[test]
fn weighted_intervals_hold_the_mean_as_often_as_they_say() {
    let mut chance = Chance::new(20_260_101);
    // Means of the counts, and what each weighs.
    let cells = [(6.0_f64, 1.0_f64), (4.0, 3.0), (2.0, 8.0)];
    let mean: f64 = cells.iter().map(|(mean, weight)| mean * weight).sum();
    let mut held = 0;
    for _ in 0..4000 {
        let (mut total, mut squares) = (0.0, 0.0);
        for (mean, weight) in cells {
            let count = chance.poisson(mean);
            total += count * weight;
            squares += count * weight * weight;
        }
        let (lower, upper) = weighted_poisson_interval(total, squares, 8.0, 0.9).unwrap();
        held += i32::from(lower <= mean && mean <= upper);
    }
    // At least nine of ten; three standard errors of that share are 1.4 %.
    assert!(f64::from(held) / 4000.0 >= 0.9 - 0.014, "{held}");
}

#[test]
fn sums_that_no_weights_have_are_refused() {
    for (total, squares, greatest) in [
        (-1.0, 1.0, 1.0),
        (1.0, 0.0, 1.0),
        (0.0, 1.0, 1.0),
        (1.0, 2.0, 5.0),
        (10.0, 60.0, 5.0),
        (1.0, 1.0, 0.0),
        (1.0, 1.0, f64::INFINITY),
        (f64::NAN, 1.0, 1.0),
        (1.0, f64::NAN, 1.0),
        (1.0, 1.0, f64::NAN),
        (f64::INFINITY, 1.0, 1.0),
        (2e12, 2e12, 1.0),
        (15.0, 1e-300, 6.0),
    ] {
        assert!(weighted_poisson_interval(total, squares, greatest, 0.95).is_err(), "{total} {squares} {greatest}");
    }
    assert!(weighted_poisson_interval(1.0, 1.0, 1.0, 1.0).is_err());
    let extreme = weighted_poisson_interval(1e308, 1e308 * 1e-300, 1e-300, 0.95);
    assert!(extreme.is_err() || extreme.is_ok_and(|limits| limits.0.is_finite() && limits.1.is_finite()));
}
