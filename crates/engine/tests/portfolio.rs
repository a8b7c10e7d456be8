//! Portfolios: the variance of a sum is that of one account when there is one, that of brute force when there are many, and
//! realised values fall into the intervals as often as these say.

use approx::assert_relative_eq;
use ltv_engine::hazard::cox::{self, Ties};
use ltv_engine::hazard::design::Design;
use ltv_engine::hazard::{discrete, parametric};
use ltv_engine::model::errors::of_curve;
use ltv_engine::model::features::{Feature, Kind as FeatureKind, Value};
use ltv_engine::model::{Fit, Model};
use ltv_engine::numeric::tally::Budget;
use ltv_engine::survival::{CurveView, Distribution, Sample, kaplan_meier};
use ltv_engine::value::cash_flow::{Flow, flows};
use ltv_engine::value::outlook::Outlook;
use ltv_engine::value::portfolio::{Kind, Portfolio, Unit};
use ltv_engine::value::run_rate::{Account, PricedLine, run_rate};
use ltv_engine::value::share::{Share, of_months, of_value};
use ltv_engine::value::{TailRule, Terms, Timing, lifetime_value, uncertainty};

/// SplitMix64 (Steele, Lea & Flood 2014), to open (0, 1).
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64 + f64::EPSILON / 4.0
    }
}

fn euro() -> Unit {
    Unit { currency: Some("EUR".into()), digits: 2 }
}

fn add(portfolio: &mut Portfolio, of: &str, shares: Option<Vec<Share>>) {
    portfolio.add(Kind::Value, &euro(), of, shares.unwrap(), Budget::UNLIMITED).unwrap();
}

/// A row of two numbers and the terms of its contract.
struct Customer {
    x: [f64; 2],
    terms: Terms<'static>,
}

/// Prices, ages, terms and horizons of all kinds.
fn customers(count: usize) -> Vec<Customer> {
    (0..count)
        .map(|i| {
            let n = i as f64;
            Customer {
                x: [(n * 0.37).sin(), f64::from(u8::from(i % 3 == 0))],
                terms: Terms {
                    given: (n * 1.7) % 15.0,
                    horizon: 12 + (i as u32 * 7) % 30,
                    term_months: (i % 4 == 0).then_some(6.0),
                    timing: if i % 2 == 0 { Timing::Advance } else { Timing::Middle },
                    cost_to_serve: 5.0,
                    hazard_ratio: if i % 5 == 0 { 0.8 } else { 1.0 },
                    tail: TailRule::ConstantHazard,
                    minor_digits: 6,
                    ..Terms::new(50.0 + 10.0 * (n % 7.0))
                },
            }
        })
        .collect()
}

/// Lifetimes with hazards that depend on two columns, seen for 20 to 40 months.
fn rows(random: &mut Random, count: usize) -> Vec<([f64; 2], f64, bool)> {
    (0..count)
        .map(|_| {
            let x = [2.0 * random.next() - 1.0, f64::from(u8::from(random.next() < 0.3))];
            let rate = 0.03 * (0.5 * x[0] - 0.6 * x[1]).exp();
            let (life, window) = (-random.next().ln() / rate, 20.0 + 20.0 * random.next());
            (x, life.min(window), life <= window)
        })
        .collect()
}

fn design(rows: &[([f64; 2], f64, bool)], period: f64) -> Design {
    let mut design = Design::default();
    for (x, exit, event) in rows {
        let exit = if period > 0.0 { (exit / period).ceil() * period } else { *exit };
        design.push(None, exit, *event, 1.0, x).unwrap();
    }
    design
}

fn model(fit: Fit) -> Model {
    let feature = |name: &str| Feature { name: name.into(), kind: FeatureKind::Numeric };
    Model { features: vec![feature("a"), feature("b")], fit, skipped: 0 }
}

fn cox_of(rows: &[([f64; 2], f64, bool)]) -> Model {
    model(Fit::Cox(Box::new(cox::fit(&design(rows, 0.0), Ties::Efron, &mut || Ok(())).unwrap())))
}

fn weibull_of(rows: &[([f64; 2], f64, bool)]) -> Model {
    let fit = parametric::fit(&design(rows, 0.0), &Distribution::Weibull, &[], &mut || Ok(())).unwrap();
    model(Fit::Parametric(Box::new(fit)))
}

fn periods_of(rows: &[([f64; 2], f64, bool)]) -> Model {
    let fit = discrete::fit(&design(rows, 1.0), &discrete::Options::default(), &mut || Ok(())).unwrap();
    model(Fit::DiscreteTime(Box::new(fit)))
}

fn decisions_of(rows: &[([f64; 2], f64, bool)]) -> Model {
    let options = discrete::Options { period: 6.0, ..Default::default() };
    let mut design = Design::default();
    for (x, exit, _) in rows {
        design.push(None, *exit, *exit > 6.0, 1.0, x).unwrap();
    }
    model(Fit::Renewal(Box::new(discrete::fit_decisions(&design, &options, &mut || Ok(())).unwrap())))
}

/// The portfolio of the customers, and for each alone its value and the standard error that lifetime_value has for it.
fn valued(model: &Model, customers: &[Customer]) -> (Portfolio, Vec<f64>, Vec<f64>) {
    let mut portfolio = Portfolio::default();
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    let mut columns = Vec::new();
    for customer in customers {
        let subject = model.subject(&customer.x.map(Value::Number), &mut columns).unwrap();
        subject.view(|curve| {
            let terms = &customer.terms;
            add(&mut portfolio, "m", of_value(curve, terms, |exposure| subject.errors(exposure)).unwrap());
            let outlook = Outlook::new(curve, terms).unwrap();
            let flows = flows(&outlook, terms).unwrap();
            errors.push(uncertainty::variance(&outlook, &flows).unwrap().sqrt());
            values.push(flows.iter().map(Flow::present_value).sum());
        });
    }
    (portfolio, values, errors)
}

fn sample() -> Vec<([f64; 2], f64, bool)> {
    rows(&mut Random(11), 400)
}

#[test]
fn one_account_has_the_interval_of_its_value() {
    for model in [cox_of(&sample()), weibull_of(&sample()), periods_of(&sample()), decisions_of(&sample())] {
        for customer in customers(40) {
            let customer = [customer];
            let (portfolio, values, errors) = valued(&model, &customer);
            let total = portfolio.totals()[0];
            assert_relative_eq!(total.mean, values[0], epsilon = 1e-6);
            assert_relative_eq!(total.parameter_std_error.unwrap(), errors[0], max_relative = 1e-9);
        }
    }
}

#[test]
fn the_same_account_many_times_is_off_as_many_times() {
    for model in [cox_of(&sample()), weibull_of(&sample()), periods_of(&sample()), decisions_of(&sample())] {
        let customer = customers(3).pop().unwrap();
        let (once, _, errors) = valued(&model, &[customer]);
        let hundred: Vec<Customer> = (0..100).filter_map(|_| customers(3).pop()).collect();
        let (many, ..) = valued(&model, &hundred);
        assert_relative_eq!(many.totals()[0].parameter_std_error.unwrap(), 100.0 * errors[0], max_relative = 1e-9);
        assert_relative_eq!(
            many.totals()[0].outcome_std_dev,
            10.0 * once.totals()[0].outcome_std_dev,
            max_relative = 1e-9
        );
    }
}

/// √(g' V g) with the gradient of the whole sum by finite differences over the coefficients.
#[test]
fn is_that_of_finite_differences_of_the_sum_over_the_coefficients() {
    let fitted = weibull_of(&sample());
    let customers = customers(60);
    let Fit::Parametric(fit) = &fitted.fit else { unreachable!() };
    let size = fit.coefficients.len();
    let sum = |at: usize, by: f64| -> f64 {
        let mut moved = fit.clone();
        moved.coefficients[at] = moved.coefficients[at].map(|value| value + by);
        valued(&model(Fit::Parametric(moved)), &customers).1.iter().sum()
    };
    let gradient: Vec<f64> = (0..size).map(|at| (sum(at, 1e-5) - sum(at, -1e-5)) / 2e-5).collect();
    let variance: f64 = (0..size * size).map(|at| gradient[at / size] * fit.covariance[at] * gradient[at % size]).sum();
    let (portfolio, _, errors) = valued(&fitted, &customers);
    let found = portfolio.totals()[0].parameter_std_error.unwrap();
    assert_relative_eq!(found, variance.sqrt(), max_relative = 1e-7);
    // Sharing matters: independent errors would be far less.
    let independent = errors.iter().map(|error| error * error).sum::<f64>().sqrt();
    assert!(found > 3.0 * independent, "{found} {independent}");
}

/// Decisions: η_i moves by the level and by each coefficient around the means of the fit.
#[test]
fn decisions_share_the_level_and_the_coefficients() {
    let fitted = decisions_of(&sample());
    let customers = customers(60);
    let Fit::Renewal(fit) = &fitted.fit else { unreachable!() };
    let discrete::Uncertainty::Levels { information, means } = &fit.baseline.uncertainty else { unreachable!() };
    let sum = |level: f64, at: Option<usize>, by: f64| -> f64 {
        let mut moved = fit.clone();
        let shift = at.map_or(0.0, |at| by * means[at]);
        moved.baseline.levels[0] = moved.baseline.levels[0].map(|value| value + level - shift);
        if let Some(at) = at {
            moved.coefficients[at] = moved.coefficients[at].map(|value| value + by);
        }
        valued(&model(Fit::Renewal(moved)), &customers).1.iter().sum()
    };
    let by_level = (sum(1e-5, None, 0.0) - sum(-1e-5, None, 0.0)) / 2e-5;
    let gradient: Vec<f64> = (0..2).map(|at| (sum(0.0, Some(at), 1e-5) - sum(0.0, Some(at), -1e-5)) / 2e-5).collect();
    let mut variance = by_level * by_level / information[0];
    variance += (0..4).map(|at| gradient[at / 2] * fit.covariance[at] * gradient[at % 2]).sum::<f64>();
    let found = valued(&fitted, &customers).0.totals()[0].parameter_std_error.unwrap();
    assert_relative_eq!(found, variance.sqrt(), max_relative = 1e-7);
}

/// Brute force: the same customers valued by models of many samples.
#[test]
fn is_the_spread_of_the_sum_over_samples() {
    const SAMPLES: usize = 150;
    let mut random = Random(5);
    let mut customers = customers(50);
    for customer in &mut customers {
        customer.terms.horizon = customer.terms.horizon.min(20);
        customer.terms.given = customer.terms.given.min(8.0);
    }
    for of in [cox_of, weibull_of, periods_of] {
        let (mut sums, mut reported, mut independent) = (Vec::new(), 0.0, 0.0);
        for _ in 0..SAMPLES {
            let (portfolio, values, errors) = valued(&of(&rows(&mut random, 250)), &customers);
            sums.push(values.iter().sum::<f64>());
            reported += portfolio.totals()[0].parameter_std_error.unwrap() / SAMPLES as f64;
            independent += errors.iter().map(|error| error * error).sum::<f64>().sqrt() / SAMPLES as f64;
        }
        let mean = sums.iter().sum::<f64>() / SAMPLES as f64;
        let spread = (sums.iter().map(|sum| (sum - mean) * (sum - mean)).sum::<f64>() / (SAMPLES as f64 - 1.0)).sqrt();
        // Of 150 samples the spread is known to 6 %.
        assert!((reported / spread - 1.0).abs() < 0.15, "spread {spread}, reported {reported}");
        assert!(independent < 0.5 * spread, "spread {spread}, as if independent {independent}");
    }
}

#[test]
fn realised_values_lie_in_the_total_interval_as_often_as_it_says() {
    const SAMPLES: usize = 800;
    let mut random = Random(3);
    let terms = Terms { horizon: 18, ..Terms::new(100.0) };
    let (mut covered, mut by_outcome, mut by_curve) = (0, 0, 0);
    for _ in 0..SAMPLES {
        let mut sample = Sample::default();
        for _ in 0..200 {
            let (life, window) = (-random.next().ln() / 0.04, 20.0 + 20.0 * random.next());
            sample.add(life.min(window), life <= window, Budget::UNLIMITED).unwrap();
        }
        let steps = kaplan_meier::steps(&sample).unwrap();
        let curve = CurveView::Steps(&steps);
        let mut portfolio = Portfolio::default();
        let mut realised = 0.0;
        for _ in 0..150 {
            add(&mut portfolio, "c", of_value(curve, &terms, |exposure| of_curve(curve, exposure)).unwrap());
            let life = -random.next().ln() / 0.04;
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
    // Known to 0.8 points.
    assert!((0.93..0.97).contains(&share(covered)), "{}", share(covered));
    assert!(share(by_outcome) < 0.90 && share(by_curve) < 0.90, "{} {}", share(by_outcome), share(by_curve));
}

#[test]
fn is_stored_merged_and_refused() {
    let fitted = cox_of(&sample());
    let all = customers(30);
    let (whole, ..) = valued(&fitted, &all);
    let (mut left, ..) = valued(&fitted, &all[..11]);
    let (right, ..) = valued(&fitted, &all[11..]);
    left.merge(&right, Budget::UNLIMITED).unwrap();
    left.add_unvalued();
    assert_eq!((left.accounts, left.unvalued), (31, 1));
    assert_relative_eq!(left.totals()[0].mean, whole.totals()[0].mean, max_relative = 1e-14);
    assert_relative_eq!(
        left.totals()[0].parameter_std_error.unwrap(),
        whole.totals()[0].parameter_std_error.unwrap(),
        max_relative = 1e-12
    );
    let bytes = whole.encode();
    assert_eq!(Portfolio::decode(&bytes).unwrap().encode(), bytes);
    for cut in 0..bytes.len().min(400) {
        assert!(Portfolio::decode(&bytes[..cut]).is_err(), "{cut}");
    }
    assert!(Portfolio::decode(&[&bytes[..], &[0]].concat()).is_err());
    let dollars = Unit { currency: Some("USD".into()), digits: 2 };
    let share = Share { mean: 1.0, errors: Some(Vec::new()), ..Share::default() };
    let error = left.add(Kind::Value, &dollars, "m", vec![share.clone()], Budget::UNLIMITED).unwrap_err();
    assert!(error.to_string().contains("EUR") && error.to_string().contains("USD"), "{error}");
    assert!(left.add(Kind::RunRate, &euro(), "m", vec![share.clone()], Budget::UNLIMITED).is_err());
    let endless = Share { mean: f64::INFINITY, ..share };
    assert!(left.add(Kind::Value, &euro(), "m", vec![endless], Budget::UNLIMITED).is_err());
    assert!(left.merge(&whole, Budget { bytes: 16 }).is_err());
    let unsure = Share { mean: 1.0, errors: None, ..Share::default() };
    left.add(Kind::Value, &euro(), "m", vec![unsure], Budget::UNLIMITED).unwrap();
    assert_eq!(left.totals()[0].parameter_std_error, None);
}

#[test]
fn a_change_is_surer_than_two_values() {
    let fitted = cox_of(&sample());
    let base = customers(30);
    let mut dearer = customers(30);
    dearer.iter_mut().for_each(|customer| customer.terms.revenue *= 1.1);
    let ((base, ..), (dearer, ..)) = (valued(&fitted, &base), valued(&fitted, &dearer));
    let (change, error) = dearer.change_from(&base).unwrap().unwrap();
    let (before, after) = (base.totals()[0], dearer.totals()[0]);
    assert_relative_eq!(change, after.mean - before.mean, max_relative = 1e-12);
    // A tenth more of the price is a tenth more of all that hangs on it, but for the cost to serve.
    let free = 0.1 * (before.parameter_std_error.unwrap() + 30.0);
    assert!(error.unwrap() < 1.2 * free && error.unwrap() > 0.08 * before.parameter_std_error.unwrap());
    let nothing = base.change_from(&base).unwrap().unwrap();
    assert_eq!(nothing, (0.0, Some(0.0)));
}

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
    let mut random = Random(8);
    let mut sample = Sample::default();
    for _ in 0..4000 {
        let (life, window) = (-random.next().ln() / 0.03, 40.0 + 20.0 * random.next());
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
    const WORLDS: usize = 1000;
    let (mut sums, mut squares) = (vec![0.0; 19], vec![0.0; 19]);
    for _ in 0..WORLDS {
        let mut world = [0.0; 19];
        for (given, first, renewal, second) in &book {
            let left = steps.renewal_probability(0.0, *given).unwrap().unwrap() * random.next();
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
        assert!((deviation - total.outcome_std_dev).abs() <= 0.08 * deviation + 1e-3, "{month} {deviation} {total:?}");
        assert_relative_eq!(
            total.mean,
            if month == 0 { totals[0].mean } else { totals[month - 1].mean - total.lost },
            max_relative = 1e-12
        );
    }
}

#[test]
fn a_value_without_errors_is_unsure() {
    let mut sample = Sample::default();
    sample.add(30.0, false, Budget::UNLIMITED).unwrap();
    let steps = kaplan_meier::steps(&sample).unwrap();
    let curve = CurveView::Steps(&steps);
    let terms = Terms { horizon: 12, ..Terms::new(100.0) };
    let mut portfolio = Portfolio::default();
    add(&mut portfolio, "c", of_value(curve, &terms, |exposure| of_curve(curve, exposure)).unwrap());
    assert_eq!((portfolio.unsure, portfolio.totals()[0].parameter_std_error), (1, None));
    assert_eq!(lifetime_value(&steps, &terms).unwrap().unwrap().lower, None);
}
