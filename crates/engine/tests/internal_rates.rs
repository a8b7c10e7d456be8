//! Internal rates: published examples, polynomials with known roots, and laws on random flows.

use approx::assert_relative_eq;
use ltv_engine::value::dated_cash::{DatedCash, Flow};
use ltv_engine::value::day_count::{DayCount, day_number};
use ltv_engine::value::decimal::Decimal;
use ltv_engine::value::internal_rate::{chosen, internal_rates};
use proptest::prelude::*;

fn rates(flows: &[(f64, &str)]) -> Vec<f64> {
    let flows: Vec<(f64, Decimal)> = flows.iter().map(|(t, amount)| (*t, amount.parse().unwrap())).collect();
    internal_rates(&flows, &mut || Ok(())).unwrap()
}

fn periodic(amounts: &[f64]) -> Vec<f64> {
    let flows: Vec<(f64, Decimal)> =
        amounts.iter().enumerate().map(|(k, amount)| (k as f64, format!("{amount}").parse().unwrap())).collect();
    internal_rates(&flows, &mut || Ok(())).unwrap()
}

/// IRR's documentation: after two, four and five years; and XIRR's, by ACT/365F.
#[test]
fn published_examples() {
    let cash = [-70000.0, 12000.0, 15000.0, 18000.0, 21000.0, 26000.0];
    for (years, rate) in [(4, -0.021_244_848), (5, 0.086_630_948), (2, -0.443_506_941)] {
        let found = periodic(&cash[..=years]);
        assert_eq!(found.len(), 1);
        assert_relative_eq!(found[0], rate, epsilon = 5e-10);
    }
    let dated = [
        ("2008-01-01", "-10000"),
        ("2008-03-01", "2750"),
        ("2008-10-30", "4250"),
        ("2009-02-15", "3250"),
        ("2009-04-01", "2750"),
    ];
    let day = |text: &str| day_number(text.parse().unwrap());
    let flows: Vec<(f64, &str)> = dated
        .iter()
        .map(|(date, amount)| (DayCount::Actual365Fixed.years(day("2008-01-01"), day(date)).unwrap(), *amount))
        .collect();
    let found = rates(&flows);
    assert_eq!(found.len(), 1);
    assert_relative_eq!(found[0], 0.373_362_535, epsilon = 5e-9);
}

/// Flows made from their rates: the coefficients of Π (1 + r_k − v (1 + r_k)²…) are those of a polynomial with these roots.
#[test]
fn every_rate_is_found() {
    // Lorie & Savage 1955, the oil pump: −1600, 10000, −10000 has 25 % and 400 %.
    let pump = periodic(&[-1600.0, 10000.0, -10000.0]);
    assert_eq!(pump.len(), 2);
    assert_relative_eq!(pump[0], 0.25, max_relative = 1e-13);
    assert_relative_eq!(pump[1], 4.0, max_relative = 1e-13);
    // −1000, 3600, −4310, 1716: 10, 20 and 30 %, the textbook's three.
    let three = periodic(&[-1000.0, 3600.0, -4310.0, 1716.0]);
    assert_eq!(three.len(), 3);
    for (found, rate) in three.iter().zip([0.1, 0.2, 0.3]) {
        assert_relative_eq!(*found, rate, max_relative = 1e-11);
    }
    // One of each sign and zero: (x − 0.5)(x − 1)(x − 2) in x = 1 + rate.
    let mixed = periodic(&[1.0, -3.5, 3.5, -1.0]);
    assert_eq!(mixed.len(), 3);
    for (found, rate) in mixed.iter().zip([-0.5, 0.0, 1.0]) {
        assert_relative_eq!(*found, rate, epsilon = 1e-13);
    }
    // (x − 1.1)² touches zero: one rate, to half the digits.
    let touched = periodic(&[-1000.0, 2200.0, -1210.0]);
    assert_eq!(touched.len(), 1);
    assert_relative_eq!(touched[0], 0.1, epsilon = 1e-6);
    // x² + 1: no rate.
    assert!(periodic(&[1.0, 0.0, 1.0]).is_empty() && periodic(&[1000.0, -1000.0, 1000.0]).is_empty());
    assert!(periodic(&[]).is_empty() && periodic(&[-5.0]).is_empty() && periodic(&[0.0, 0.0]).is_empty());
}

#[test]
fn extremes() {
    assert_eq!(rates(&[(0.0, "-100"), (1.0, "100")]), [0.0]);
    // A day's loss of nearly all, and a day's gain of 1 %, a year's of 3678 %.
    assert_relative_eq!(rates(&[(0.0, "-100"), (1.0, "0.01")])[0], -0.9999, epsilon = 1e-12);
    assert_relative_eq!(
        rates(&[(0.0, "-100"), (1.0 / 365.0, "101")])[0],
        1.01f64.powi(365) - 1.0,
        max_relative = 1e-11
    );
    // Beyond any rate there is: not found rather than infinite.
    assert!(rates(&[(0.0, "-0.01"), (1.0 / 365.0, "1000000")]).is_empty());
    // A hundred years of cents on a large amount.
    let long: Vec<f64> = std::iter::once(-1e12).chain((0..1200).map(|_| 1e10)).collect();
    let found = periodic(&long);
    assert_eq!(found.len(), 1);
    assert!(found[0] > 0.0099 && found[0] < 0.01);
}

#[test]
fn one_of_several_is_chosen_by_a_guess_only() {
    assert_eq!(chosen(&[0.25, 4.0], None), None);
    assert_eq!(
        [chosen(&[0.25, 4.0], Some(0.1)), chosen(&[0.25, 4.0], Some(9.0)), chosen(&[0.25], Some(9.0))],
        [Some(0.25), Some(4.0), Some(0.25)]
    );
    assert_eq!(chosen(&[], Some(0.1)), None);
}

fn value(amounts: &[f64], rate: f64) -> (f64, f64) {
    let parts = amounts.iter().enumerate().map(|(k, amount)| amount * (1.0 + rate).powi(-(k as i32)));
    parts.fold((0.0, 0.0), |(sum, size), part| (sum + part, size + part.abs()))
}

proptest! {
    /// Each rate found is one; Descartes: no more than changes of sign, and as many of them as they are but for pairs.
    #[test]
    fn rates_are_roots_and_obey_the_rule_of_signs(cents in prop::collection::vec(-100_000i32..100_000, 2..14)) {
        let amounts: Vec<f64> = cents.iter().map(|cents| f64::from(*cents) / 100.0).collect();
        let found = periodic(&amounts);
        for rate in &found {
            let (sum, size) = value(&amounts, *rate);
            prop_assert!(sum.abs() <= 1e-9 * size, "{rate}: {sum} of {size}");
        }
        prop_assert!(found.is_sorted());
        let signs: Vec<bool> = amounts.iter().filter(|amount| **amount != 0.0).map(|amount| *amount > 0.0).collect();
        let changes = signs.windows(2).filter(|pair| pair[0] != pair[1]).count();
        prop_assert!(found.len() <= changes);
        if changes == 1 {
            prop_assert_eq!(found.len(), 1);
        }
        // A grid finds no change of sign that was missed.
        let grid: Vec<f64> = (1..400).map(|k| -0.95 + f64::from(k) * 0.01).collect();
        for pair in grid.windows(2) {
            let crosses = value(&amounts, pair[0]).0 * value(&amounts, pair[1]).0 < 0.0;
            if crosses {
                prop_assert!(found.iter().any(|rate| pair[0] <= *rate && *rate <= pair[1]), "missed in {pair:?}");
            }
        }
    }

    #[test]
    fn sums_by_date_merge_in_any_order(
        rows in prop::collection::vec((-500i32..500, -1_000_000i64..1_000_000), 0..200), cut in 0usize..200,
    ) {
        let flow = |(date, cents): &(i32, i64)| Flow { date: *date, amount: Decimal::from_units(i128::from(*cents) * 100_000_000_000_000).unwrap() };
        let whole = DatedCash::from_flows(rows.iter().map(flow)).unwrap();
        let (left, right) = rows.split_at(cut.min(rows.len()));
        let mut merged = DatedCash::from_flows(right.iter().rev().map(flow)).unwrap();
        merged.merge(&DatedCash::from_flows(left.iter().map(flow)).unwrap(), ltv_engine::numeric::tally::Budget::UNLIMITED).unwrap();
        prop_assert_eq!(&whole, &merged);
        prop_assert_eq!(&DatedCash::decode(&whole.encode()).unwrap(), &whole);
        let cents: i64 = rows.iter().map(|(_, cents)| cents).sum();
        prop_assert_eq!(whole.total().unwrap().units(), i128::from(cents) * 100_000_000_000_000);
    }

    #[test]
    fn bytes_from_anywhere_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(cash) = DatedCash::decode(&bytes) {
            prop_assert_eq!(DatedCash::decode(&cash.encode()).unwrap(), cash);
        }
    }
}
