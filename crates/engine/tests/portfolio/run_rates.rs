//! Run-rates by hand, and those of a simulated book.

use super::*;
use crate::chance::Chance;

/// A fifth leaves at the end of each year.
fn yearly() -> Sample {
    let mut sample = Sample::default();
    for k in 1..=30 {
        let weight = 1000.0 * 0.8f64.powi(k - 1) * if k < 30 { 0.2 } else { 1.0 };
        sample.add_row(0.0, 12.0 * f64::from(k), k < 30, weight, Budget::UNLIMITED).unwrap();
    }
    sample
}

#[test]
fn run_rates_by_hand() {
    let steps = kaplan_meier::steps(&yearly()).unwrap();
    let line = |amount, begins, ends, renewal, term| PricedLine { amount, begins, ends, renewal, term };
    // Of age 16: the year is over in 8 months, that of the add-on in 2 and, as another 12 later, in 14.
    let lines = [
        line(1200.0, 0.0, None, Some(8.0), Some(12.0)),
        line(600.0, 0.0, None, Some(2.0), Some(12.0)),
        line(360.0, 3.0, Some(5.0), None, None),
    ];
    let account = Account { given: 16.0, lines: &lines, expansion: 0.0 };
    let months = run_rate(&steps, &account, 15).unwrap().unwrap();
    let means: Vec<f64> = months.iter().map(|month| month.mean).collect();
    // Age 18 has lost nobody since 16; age 24 a fifth; age 30 (month 14) a fifth.
    let expected = [
        1800.0, 1800.0, 1800.0, 2160.0, 2160.0, 1800.0, 1800.0, 1800.0, 1560.0, 1560.0, 1560.0, 1560.0, 1560.0, 1560.0,
        1440.0, 1440.0,
    ];
    means.iter().zip(expected).for_each(|(mean, expected)| assert_relative_eq!(*mean, expected, max_relative = 1e-12));
    let certain: Vec<f64> = months.iter().map(|month| month.certain).collect();
    assert_eq!(certain[..10], [1800.0, 1800.0, 1200.0, 1200.0, 1200.0, 1200.0, 1200.0, 1200.0, 0.0, 0.0]);
    let lost: Vec<f64> = months.iter().map(|month| month.lost).collect();
    assert_relative_eq!(lost[5], 360.0);
    assert_relative_eq!(lost[8], 240.0, max_relative = 1e-12);
    // Month 8: 1200 is there with 0.8, 600 for certain. Month 15: both hang on the same age 24 or on 30, where nobody else leaves.
    assert_relative_eq!(months[8].outcome_variance, 1200.0 * 1200.0 * 0.16, max_relative = 1e-12);
    assert_relative_eq!(months[15].outcome_variance, 1800.0 * 1800.0 * 0.16, max_relative = 1e-12);
    // A term that is over has been renewed for as long again: two months ago, so the next date is in ten.
    let renewed = [line(1200.0, 0.0, None, Some(-2.0), Some(12.0))];
    let account = Account { given: 14.0, lines: &renewed, expansion: 0.1 };
    let months = run_rate(&steps, &account, 12).unwrap().unwrap();
    assert_relative_eq!(months[9].mean, 1200.0 * 1.1f64.powf(0.75), max_relative = 1e-12);
    assert_relative_eq!(months[10].mean, 960.0 * 1.1f64.powf(10.0 / 12.0), max_relative = 1e-12);
    let gone = Account { given: 1000.0, lines: &renewed, expansion: 0.0 };
    assert!(run_rate(&steps, &gone, 3).unwrap().is_some_and(|months| months[0].mean == 1200.0));
}

/// A book of accounts on annual terms: the mean of what happens is what was expected, and its spread that of the interval.
#[test]
fn run_rates_are_those_of_a_simulated_book() {
    let mut chance = Chance::new(8);
    let mut sample = Sample::default();
    for _ in 0..4000 {
        let (life, window) = (chance.exponential() / 0.03, 40.0 + 20.0 * chance.uniform());
        sample.add(life.min(window), life <= window, Budget::UNLIMITED).unwrap();
    }
    let steps = kaplan_meier::steps(&sample).unwrap();
    let curve = CurveView::Steps(&steps);
    let mut portfolio = Portfolio::default();
    // Accounts with two lines: (age, first amount and months to its renewal, second amount at any time).
    let book: Vec<(f64, f64, f64, f64)> = (0..120)
        .map(|i| {
            let n = f64::from(i);
            (n % 20.0, 100.0 + n, 1.0 + (n * 5.0) % 12.0, 30.0 + (n * 3.0) % 40.0)
        })
        .collect();
    for (given, first, renewal, second) in &book {
        let lines = [
            PricedLine { amount: *first, begins: 0.0, ends: None, renewal: Some(*renewal), term: Some(12.0) },
            PricedLine { amount: *second, begins: 0.0, ends: None, renewal: None, term: None },
        ];
        let account = Account { given: *given, lines: &lines, expansion: 0.0 };
        let shares = of_months(curve, &account, 18, &mut |exposure| of_curve(curve, exposure)).unwrap().unwrap();
        portfolio.add(Kind::RunRate, &euro(), "c", shares, Budget::UNLIMITED).unwrap();
    }
    let totals = portfolio.totals();
    // What happens to each by the curve itself, so that its error does not matter here.
    const WORLDS: usize = 3000;
    let (mut sums, mut squares) = (vec![0.0; 19], vec![0.0; 19]);
    for _ in 0..WORLDS {
        let mut world = [0.0; 19];
        for (given, first, renewal, second) in &book {
            let left = steps.renewal_probability(0.0, *given).unwrap().unwrap() * chance.uniform();
            for (month, sum) in world.iter_mut().enumerate() {
                let t = month as f64;
                let there = |elapsed: f64| {
                    elapsed == 0.0 || steps.renewal_probability(0.0, given + elapsed).unwrap().unwrap() > left
                };
                let date = if t < *renewal { 0.0 } else { renewal + ((t - renewal) / 12.0).floor() * 12.0 };
                *sum += first * f64::from(u8::from(there(date))) + second * f64::from(u8::from(there(t)));
            }
        }
        for (month, value) in world.iter().enumerate() {
            sums[month] += value;
            squares[month] += value * value;
        }
    }
    for month in [0, 1, 5, 9, 12, 18] {
        let mean = sums[month] / WORLDS as f64;
        let deviation = (squares[month] / WORLDS as f64 - mean * mean).max(0.0).sqrt();
        let total = totals[month];
        assert!(
            (mean - total.mean).abs() <= 4.0 * deviation / (WORLDS as f64).sqrt() + 1e-6,
            "{month} {mean} {total:?}"
        );
        assert!((deviation - total.outcome_std_dev).abs() <= 0.06 * deviation + 1e-3, "{month} {deviation} {total:?}");
        assert_relative_eq!(
            total.mean,
            if month == 0 { totals[0].mean } else { totals[month - 1].mean - total.lost },
            max_relative = 1e-12
        );
    }
}
