//! Laws: order, merging and weights; derivatives; what can be no probability; truth found again; extreme input.

use ltv_engine::Error;
use ltv_engine::btyd::fit::{Status, fit_purchases, fit_spend};
use ltv_engine::btyd::gamma_gamma::SpendModel;
use ltv_engine::btyd::history::History;
use ltv_engine::btyd::purchases::{Leaving, PurchaseModel};
use ltv_engine::btyd::sample::{PurchaseSample, SpendSample};
use ltv_engine::numeric::tally::Budget;
use proptest::prelude::*;

use crate::chance::Chance;
use crate::{fitted, fitted_spend, go_on, history, unlimited};

const LEAVING: [Leaving; 3] = [Leaving::BgNbd, Leaving::MbgNbd, Leaving::ParetoNbd];

fn sample(rows: &[(History, f64)]) -> PurchaseSample {
    let mut sample = PurchaseSample::default();
    for (customer, weight) in rows {
        sample.add(customer.frequency, customer.recency, customer.age, *weight, unlimited).unwrap();
    }
    sample
}

fn any_history() -> impl Strategy<Value = History> {
    (0u32..12, 0u32..=40, 0u32..40).prop_map(|(x, recency, since)| {
        let recency = if x == 0 { 0.0 } else { f64::from(recency) };
        history(f64::from(x), recency, recency + f64::from(since))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn parts_merge_to_the_whole_in_any_order(rows in prop::collection::vec((any_history(), 1u8..4), 30..120), cut in 0usize..120) {
        let rows: Vec<(History, f64)> = rows.into_iter().map(|(row, weight)| (row, f64::from(weight))).collect();
        let whole = sample(&rows);
        let cut = cut.min(rows.len());
        let (mut left, right) = (sample(&rows[cut..]), sample(&rows[..cut]));
        left.merge(&right, unlimited).unwrap();
        prop_assert_eq!(&left, &whole);
        // A weight is so many rows.
        let repeated: Vec<(History, f64)> =
            rows.iter().rev().flat_map(|(row, weight)| vec![(*row, 1.0); *weight as usize]).collect();
        prop_assert_eq!(&sample(&repeated), &whole);
        prop_assert_eq!(left.encode(), whole.encode());
        prop_assert_eq!(&PurchaseSample::decode(&whole.encode()).unwrap(), &whole);
        for leaving in LEAVING {
            let [one, other] = [&whole, &left].map(|sample| fit_purchases(sample, leaving, &mut go_on).unwrap());
            prop_assert_eq!(one, other);
        }
    }

    #[test]
    fn changed_bytes_are_refused_or_a_sample(at in 0usize..200, byte in any::<u8>(), length in 0usize..200) {
        let bytes = sample(&[(history(0.0, 0.0, 3.0), 1.0), (history(2.0, 1.5, 3.0), 7.0), (history(5.0, 2.0, 9.0), 0.5)]).encode();
        let _ = PurchaseSample::decode(&bytes[..length.min(bytes.len())]);
        let mut changed = bytes.clone();
        let last = bytes.len() - 1;
        changed[at.min(last)] = byte;
        if let Ok(sample) = PurchaseSample::decode(&changed)
            && let Ok(Some(fit)) = fit_purchases(&sample, Leaving::ParetoNbd, &mut go_on)
        {
            fit.validate().unwrap();
        }
    }

    #[test]
    fn chances_add_up_to_one_and_to_the_mean(logs in prop::array::uniform4(-1.0f64..2.0), horizon in 0.1f64..20.0) {
        for leaving in LEAVING {
            let model = PurchaseModel { leaving, parameters: logs.map(f64::exp) };
            let (mut sum, mut mean) = (0.0, 0.0);
            for x in 0..3000 {
                let chance = model.purchase_probability(f64::from(x), horizon).unwrap().unwrap();
                prop_assert!((0.0..=1.0).contains(&chance));
                sum += chance;
                mean += f64::from(x) * chance;
                if sum > 1.0 - 1e-13 {
                    break;
                }
            }
            let expected = model.expected_of_new(horizon).unwrap().unwrap();
            prop_assert!((sum - 1.0).abs() < 1e-9, "{leaving:?}: the chances add up to {sum}");
            prop_assert!((mean - expected).abs() < 1e-6 * expected.max(1.0), "{leaving:?}: mean {mean}, {expected} expected");
        }
    }
}

proptest! {
    /// Whatever the parameters and the history: probabilities and finite numbers, more of them in more time.
    #[test]
    fn predictions_are_numbers(
        logs in prop::array::uniform4(-12.0f64..12.0), x in 0u32..5000, recency in -3.0f64..6.0, since in -6.0f64..6.0, horizon in -6.0f64..6.0,
    ) {
        let parameters = logs.map(f64::exp);
        let recency = if x == 0 { 0.0 } else { 10f64.powf(recency) };
        let customer = history(f64::from(x), recency, recency + 10f64.powf(since));
        let horizon = 10f64.powf(horizon);
        for leaving in LEAVING {
            let model = PurchaseModel { leaving, parameters };
            let alive = model.probability_alive(&customer);
            prop_assert!((0.0..=1.0).contains(&alive), "{leaving:?} alive {alive}");
            let soon = model.expected_purchases(&customer, horizon / 2.0).unwrap().unwrap();
            let later = model.expected_purchases(&customer, horizon).unwrap().unwrap();
            prop_assert!(soon.is_finite() && soon >= 0.0 && later >= soon * (1.0 - 1e-9), "{leaving:?} {soon} {later}");
            // Never more than those of a customer who does not leave.
            let most = (parameters[0] + customer.frequency) / (parameters[1] + customer.age) * horizon;
            prop_assert!(later <= most * (1.0 + 1e-9), "{leaving:?} {later} of {most}");
            let new = model.expected_of_new(horizon).unwrap().unwrap();
            prop_assert!(new.is_finite() && new >= 0.0);
            let discounted = model.discounted_purchases(&customer, 0.01).unwrap().unwrap();
            prop_assert!(discounted.is_finite() && discounted >= 0.0, "{leaving:?} {discounted}");
        }
    }
}

/// A change of the unit of time changes α and β (or only α) and nothing else.
#[test]
fn the_unit_of_time_does_not_matter() {
    let rows = crate::cdnow_customers();
    let of = |unit: f64| {
        let rows: Vec<(History, f64)> =
            rows.iter().map(|[x, recency, age, _]| (history(*x, recency * unit, age * unit), 1.0)).collect();
        sample(&rows)
    };
    for leaving in LEAVING {
        let (weeks, days) = (fitted(&of(1.0), leaving), fitted(&of(7.0), leaving));
        let scale = if leaving == Leaving::ParetoNbd { [1.0, 7.0, 1.0, 7.0] } else { [1.0, 7.0, 1.0, 1.0] };
        for (at, scale) in scale.into_iter().enumerate() {
            let ratio = days.parameters[at] / weeks.parameters[at] / scale;
            assert!((ratio - 1.0).abs() < 1e-9, "{leaving:?} parameter {at}: {ratio}");
        }
        let constant = weeks.log_likelihood - days.log_likelihood - weeks.purchases * 7f64.ln();
        assert!(constant.abs() < 1e-6, "{constant}");
    }
}

/// The known errors of other programs.
#[test]
fn what_is_certain_and_what_is_not() {
    let never = history(0.0, 0.0, 100.0);
    let parameters = [0.243, 4.414, 0.793, 2.426];
    let of = |leaving, parameters| PurchaseModel { leaving, parameters };
    assert_eq!(of(Leaving::BgNbd, parameters).probability_alive(&never), 1.0);
    assert!(of(Leaving::MbgNbd, parameters).probability_alive(&never) < 0.9);
    assert!(of(Leaving::ParetoNbd, parameters).probability_alive(&never) < 0.9);
    // Long gone, and thousands of purchases: a small probability, not 0, 1 or NaN.
    for leaving in LEAVING {
        let gone = of(leaving, parameters).probability_alive(&history(300.0, 100.0, 200.0));
        assert!(gone > 0.0 && gone < 1e-80, "{leaving:?} {gone}");
        let frequent = of(leaving, parameters).probability_alive(&history(100_000.0, 1000.0, 1000.01));
        assert!(frequent > 0.3 && frequent < 1.0, "{leaving:?} {frequent}");
    }
    // a = 1 is no singularity: between its neighbours.
    let expected = |a: f64| {
        let model = of(Leaving::BgNbd, [0.25, 4.0, a, 2.5]);
        model.expected_purchases(&history(2.0, 30.0, 39.0), 39.0).unwrap().unwrap()
    };
    assert!(expected(1.0) < expected(1.0 - 1e-9) && expected(1.0) > expected(1.0 + 1e-9));
    assert!((expected(1.0) / expected(1.0 + 1e-9) - 1.0).abs() < 1e-8);
    // So is s = 1.
    let expected = |s: f64| of(Leaving::ParetoNbd, [0.5, 10.0, s, 11.0]).expected_of_new(52.0).unwrap().unwrap();
    assert!((expected(1.0) / expected(1.0 + 1e-9) - 1.0).abs() < 1e-8);
    // q below 1 has no mean over all customers; with purchases there is one.
    let spend = SpendModel { parameters: [6.0, 0.8, 15.0] };
    assert_eq!(spend.expected_spend(0.0, 0.0).unwrap(), None);
    assert!(spend.expected_spend(1.0, 20.0).unwrap().unwrap() > 0.0);
    assert_eq!(SpendModel { parameters: [0.1, 0.8, 15.0] }.expected_spend(1.0, 20.0).unwrap(), None);
    // Without discounting there is an end only where customers leave often enough.
    for (leaving, finite) in [(Leaving::BgNbd, [0.3, 4.0, 2.0, 3.0]), (Leaving::ParetoNbd, [0.3, 4.0, 1.5, 3.0])] {
        assert!(of(leaving, finite).discounted_purchases(&never, 0.0).unwrap().is_some());
        assert_eq!(of(leaving, parameters.map(|p| p.min(0.9))).discounted_purchases(&never, 0.0).unwrap(), None);
        // And the limit of a small rate is it.
        let ratio = of(leaving, finite).discounted_purchases(&never, 1e-9).unwrap().unwrap()
            / of(leaving, finite).discounted_purchases(&never, 0.0).unwrap().unwrap();
        assert!(ratio < 1.0 && ratio > 0.95, "{leaving:?} {ratio}");
    }
}

#[test]
fn impossible_rows_are_refused() {
    let mut purchases = PurchaseSample::default();
    for (x, recency, age, weight) in [
        (-1.0, 0.0, 1.0, 1.0),
        (0.5, 0.0, 1.0, 1.0),
        (1e7, 0.0, 1.0, 1.0),
        (f64::NAN, 0.0, 1.0, 1.0),
        (f64::INFINITY, 0.0, 1.0, 1.0),
        (1.0, -1.0, 1.0, 1.0),
        (1.0, 2.0, 1.0, 1.0),
        (1.0, f64::NAN, 1.0, 1.0),
        (1.0, 1.0, f64::NAN, 1.0),
        (1.0, 1.0, f64::INFINITY, 1.0),
        (0.0, 1.0, 2.0, 1.0),
        (1.0, 1.0, 2.0, 0.0),
        (1.0, 1.0, 2.0, f64::NAN),
        (1.0, 1.0, 2.0, f64::INFINITY),
    ] {
        let refused = purchases.add(x, recency, age, weight, unlimited);
        assert!(matches!(refused, Err(Error::Invalid { .. })), "{x} {recency} {age} {weight}: {refused:?}");
    }
    let mut spend = SpendSample::default();
    for (x, mean) in [(1.0, 0.0), (1.0, -5.0), (1.0, f64::NAN), (1.0, f64::INFINITY), (0.0, 5.0), (1.5, 5.0)] {
        assert!(matches!(spend.add(x, mean, 1.0, unlimited), Err(Error::Invalid { .. })), "{x} {mean}");
    }
    assert!(purchases.is_empty() && spend.is_empty());
    let model = PurchaseModel { leaving: Leaving::BgNbd, parameters: [1.0; 4] };
    for horizon in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(model.expected_of_new(horizon).is_err());
    }
    assert!(model.discounted_purchases(&history(0.0, 0.0, 1.0), -0.1).is_err());
}

#[test]
fn nothing_to_fit_is_said() {
    assert_eq!(fit_purchases(&PurchaseSample::default(), Leaving::BgNbd, &mut go_on).unwrap(), None);
    assert_eq!(fit_spend(&SpendSample::default(), &mut go_on).unwrap(), None);
    let new: Vec<(History, f64)> = (1..20).map(|age| (history(0.0, 0.0, f64::from(age)), 1.0)).collect();
    for leaving in LEAVING {
        let fit = fitted(&sample(&new), leaving);
        assert_eq!((fit.status.clone(), fit.remark()), (Status::NoRepeats, "no repeat purchases".into()));
        assert!(fit.purchases().is_none() && fit.validate().is_ok());
    }
    // Nobody ever stops: that customers leave, the data do not tell.
    let regular: Vec<(History, f64)> =
        (10..60).map(|x| (history(f64::from(x), 50.0, 50.0 + 50.0 / f64::from(x) / 10.0), 1.0)).collect();
    for leaving in LEAVING {
        let fit = fitted(&sample(&regular), leaving);
        assert!(matches!(fit.status, Status::Undetermined { .. }), "{leaving:?} {fit:?}");
        assert!(fit.remark().contains("not determined by the data"));
        let alive = fit.purchases().unwrap().probability_alive(&regular[20].0);
        assert!(alive > 0.99 && alive <= 1.0, "{alive}");
    }
    // Age that ends with the last purchase.
    let wrong: Vec<(History, f64)> =
        (1..30).map(|x| (history(f64::from(x % 4), f64::from(x % 4 * x), f64::from(x % 4 * x)), 1.0)).collect();
    assert!(fitted(&sample(&wrong), Leaving::BgNbd).remark().contains("age ends at the last purchase"));
}

#[test]
fn extreme_samples_end_in_numbers_or_an_error() {
    let cases: [&[(f64, f64, f64, f64)]; 7] = [
        &[(1.0, 1.0, 1.0, 1.0)],
        &[(1_000_000.0, 1e15, 1e15, 1e90), (0.0, 0.0, 5e-324, 1e-300)],
        &[(2.0, 1e-300, 1e-299, 1.0), (0.0, 0.0, 1e-299, 5.0), (5.0, 5e-300, 1e-299, 2.0)],
        &[(3.0, 0.0, 0.0, 1.0), (1.0, 0.0, 0.0, 1.0)],
        &[(3.0, 0.0, 10.0, 1.0), (1.0, 0.0, 10.0, 1.0), (0.0, 0.0, 10.0, 1.0)],
        &[(5000.0, 99.0, 100.0, 1.0), (1.0, 1.0, 100.0, 1.0), (0.0, 0.0, 100.0, 3.0)],
        &[(1.0, 1.0, 3.0, 1e-200), (4.0, 2.0, 3.0, 1e80)],
    ];
    for rows in cases {
        let mut purchases = PurchaseSample::default();
        for (x, recency, age, weight) in rows {
            purchases.add(*x, *recency, *age, *weight, unlimited).unwrap();
        }
        for leaving in LEAVING {
            match fit_purchases(&purchases, leaving, &mut go_on) {
                Ok(fit) => fit.unwrap().validate().unwrap(),
                Err(error) => assert!(matches!(error, Error::OutOfRange(_)), "{error}"),
            }
        }
    }
    for rows in
        [&[(1.0, 1e-30), (2.0, 1e30)][..], &[(1.0, 5.0)], &[(1_000_000.0, 1e30), (1.0, 2.0)], &[(3.0, 7.0), (5.0, 7.0)]]
    {
        let mut spend = SpendSample::default();
        rows.iter().for_each(|(x, mean)| spend.add(*x, *mean, 1.0, unlimited).unwrap());
        match fit_spend(&spend, &mut go_on) {
            Ok(fit) => fit.unwrap().validate().unwrap(),
            Err(error) => assert!(matches!(error, Error::OutOfRange(_)), "{error}"),
        }
    }
}

#[test]
fn memory_is_bounded_and_a_fit_can_be_stopped() {
    let mut purchases = PurchaseSample::default();
    let small = || Budget { bytes: 1 << 20 };
    let full = (0..1_000_000).find_map(|i| purchases.add(1.0, f64::from(i), f64::from(i) + 1.0, 1.0, small).err());
    assert!(matches!(full, Some(Error::Memory { .. })));
    assert!(purchases.memory_bytes() <= 1 << 20);
    let stop = fit_purchases(&purchases, Leaving::ParetoNbd, &mut || Err(Error::Canceled));
    assert_eq!(stop, Err(Error::Canceled));
}

/// A customer of the model, seen for `age`: purchases at exponential distances until they leave. The second number is of
/// purchases in the `horizon` after it.
fn simulated(chance: &mut Chance, model: &PurchaseModel, age: f64, horizon: f64) -> (History, f64) {
    let [r, alpha, a, b] = model.parameters;
    let rate = chance.gamma(r) / alpha;
    let (mut leaves_after, mut leaves_at) = (0.0, f64::INFINITY);
    match model.leaving {
        Leaving::ParetoNbd => leaves_at = chance.exponential() * b / chance.gamma(a),
        _ => {
            let (one, other) = (chance.gamma(a), chance.gamma(b));
            leaves_after = one / (one + other);
        }
    }
    let (mut x, mut recency, mut later, mut at) = (0.0, 0.0, 0.0, 0.0);
    if model.leaving == Leaving::MbgNbd && chance.uniform() < leaves_after {
        return (history(0.0, 0.0, age), 0.0);
    }
    loop {
        at += chance.exponential() / rate;
        if at > (age + horizon).min(leaves_at) {
            return (history(x, recency, age), later);
        }
        if at <= age {
            (x, recency) = (x + 1.0, at);
        } else {
            later += 1.0;
        }
        if chance.uniform() < leaves_after {
            return (history(x, recency, age), later);
        }
    }
}

#[test]
fn simulated_truth_is_found_again() {
    for (leaving, parameters) in [
        (Leaving::BgNbd, [0.8, 6.0, 1.2, 3.0]),
        (Leaving::MbgNbd, [0.8, 6.0, 1.2, 3.0]),
        (Leaving::ParetoNbd, [0.8, 6.0, 1.5, 30.0]),
    ] {
        let truth = PurchaseModel { leaving, parameters };
        let mut chance = Chance::new(20_240_229);
        let customers: Vec<(History, f64)> =
            (0..20_000).map(|i| simulated(&mut chance, &truth, 20.0 + f64::from(i % 30), 26.0)).collect();
        let rows: Vec<(History, f64)> = customers.iter().map(|(row, _)| (*row, 1.0)).collect();
        let fit = fitted(&sample(&rows), leaving);
        assert_eq!(fit.status, Status::Converged);
        for (at, parameter) in parameters.into_iter().enumerate() {
            let z = (fit.parameters[at] / parameter).ln() / fit.log_error(at).unwrap();
            assert!(z.abs() < 3.5, "{leaving:?} parameter {at}: {} of {parameter}, z = {z}", fit.parameters[at]);
        }
        // What is expected happens, in all and of those who have not bought for long.
        let model = fit.purchases().unwrap();
        for quiet in [0.0, 15.0] {
            let chosen = || customers.iter().filter(|(row, _)| row.frequency > 0.0 && row.age - row.recency >= quiet);
            let errors: Vec<f64> =
                chosen().map(|(row, later)| later - model.expected_purchases(row, 26.0).unwrap().unwrap()).collect();
            // A customer's error is of mean 0, and of any spread.
            let z = errors.iter().sum::<f64>() / errors.iter().map(|error| error * error).sum::<f64>().sqrt();
            assert!(errors.len() > 500 && z.abs() < 3.5, "{leaving:?} {quiet}: z = {z} of {}", errors.len());
        }
    }
}

#[test]
fn simulated_spending_is_found_again() {
    let [p, q, gamma] = [4.0, 3.0, 20.0];
    let mut chance = Chance::new(7);
    let mut spend = SpendSample::default();
    for i in 0..20_000 {
        let x = 1 + i % 5;
        let rate = chance.gamma(q) / gamma;
        let mean = (0..x).map(|_| chance.gamma(p) / rate).sum::<f64>() / f64::from(x);
        spend.add(f64::from(x), mean, 1.0, unlimited).unwrap();
    }
    let fit = fitted_spend(&spend);
    assert_eq!(fit.status, Status::Converged);
    for (at, truth) in [p, q, gamma].into_iter().enumerate() {
        let z = (fit.parameters[at] / truth).ln() / fit.log_error(at).unwrap();
        assert!(z.abs() < 3.5, "parameter {at}: {} of {truth}, z = {z}", fit.parameters[at]);
    }
    // In a currency of a thousandth: the same but for γ.
    let mut small = SpendSample::default();
    for cell in spend.sorted() {
        small.add(cell.key[0], cell.key[1] / 1000.0, cell.weight, unlimited).unwrap();
    }
    let other = fitted_spend(&small);
    for (at, scale) in [1.0, 1.0, 1000.0].into_iter().enumerate() {
        let ratio = fit.parameters[at] / other.parameters[at] / scale;
        assert!((ratio - 1.0).abs() < 1e-8, "{ratio}");
    }
}
