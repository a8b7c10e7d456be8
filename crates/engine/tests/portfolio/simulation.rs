//! Brute force: the spread over samples, and how often realised values lie where they should.

use super::*;
use crate::chance::Chance;

/// Brute force: the same customers valued by models of many samples.
#[test]
fn is_the_spread_of_the_sum_over_samples() {
    const SAMPLES: usize = 300;
    let mut chance = Chance::new(5);
    let mut customers = customers(50);
    for customer in &mut customers {
        customer.terms.horizon = customer.terms.horizon.min(20);
        customer.terms.given = customer.terms.given.min(8.0);
    }
    for of in [cox_of, weibull_of, periods_of] {
        let (mut sums, mut reported, mut independent) = (Vec::new(), 0.0, 0.0);
        for _ in 0..SAMPLES {
            let (portfolio, values, errors) = valued(&of(&rows(&mut chance, 250)), &customers);
            sums.push(values.iter().sum::<f64>());
            reported += portfolio.totals()[0].parameter_std_error.unwrap() / SAMPLES as f64;
            independent += errors.iter().map(|error| error * error).sum::<f64>().sqrt() / SAMPLES as f64;
        }
        let mean = sums.iter().sum::<f64>() / SAMPLES as f64;
        let spread = (sums.iter().map(|sum| (sum - mean) * (sum - mean)).sum::<f64>() / (SAMPLES as f64 - 1.0)).sqrt();
        // Of 300 samples the spread is known to 4 %.
        assert!((reported / spread - 1.0).abs() < 0.12, "spread {spread}, reported {reported}");
        assert!(independent < 0.5 * spread, "spread {spread}, as if independent {independent}");
    }
}

#[test]
fn realised_values_lie_in_the_total_interval_as_often_as_it_says() {
    const SAMPLES: usize = 1500;
    let mut chance = Chance::new(3);
    let terms = Terms { horizon: 18, ..Terms::new(100.0) };
    let (mut covered, mut by_outcome, mut by_curve) = (0, 0, 0);
    for _ in 0..SAMPLES {
        let mut sample = Sample::default();
        for _ in 0..200 {
            let (life, window) = (chance.exponential() / 0.04, 20.0 + 20.0 * chance.uniform());
            sample.add(life.min(window), life <= window, Budget::UNLIMITED).unwrap();
        }
        let steps = kaplan_meier::steps(&sample).unwrap();
        let curve = CurveView::Steps(&steps);
        let mut portfolio = Portfolio::default();
        let mut realised = 0.0;
        for _ in 0..150 {
            add(&mut portfolio, "c", of_value(curve, &terms, |exposure| of_curve(curve, exposure)).unwrap());
            let life = chance.exponential() / 0.04;
            realised += (0..18)
                .filter(|month| life > f64::from(*month))
                .map(|month| 100.0 * 1.1f64.powf(-f64::from(month) / 12.0))
                .sum::<f64>();
        }
        let total = portfolio.totals()[0];
        let within = |deviation: f64| usize::from((realised - total.mean).abs() <= 1.959_963_985 * deviation);
        covered += within(total.std_dev().unwrap());
        by_outcome += within(total.outcome_std_dev);
        by_curve += within(total.parameter_std_error.unwrap());
    }
    let share = |count: usize| count as f64 / SAMPLES as f64;
    // Known to 0.6 points.
    assert!((0.93..0.97).contains(&share(covered)), "{}", share(covered));
    assert!(share(by_outcome) < 0.90 && share(by_curve) < 0.90, "{} {}", share(by_outcome), share(by_curve));
}
