//! One account has the interval of its value, many that of the sum; stored, merged, refused.

use super::*;

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
