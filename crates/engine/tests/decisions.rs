//! Values by curves that drop where a contract is renewed or not: the contract says when, the curve says how many last.

use approx::assert_relative_eq;
use ltv_engine::survival::{Decisions, Distribution, FittedCurve, ParametricCurve, Survival, Tail};
use ltv_engine::value::{TailRule, Terms, Valuation, cash_flows, lifetime_value};

const YEAR: f64 = 12.0;

/// Each renewal with its own probability, as so many decisions a `period` apart; all errors are shared.
fn renewals(period: f64, renewal: impl Fn(u32) -> f64) -> Survival {
    let hazards: Vec<f64> = (1..=60)
        .scan(0.0, |sum, decision| {
            *sum -= renewal(decision).ln();
            Some(*sum)
        })
        .collect();
    Survival::Fitted(FittedCurve {
        times: (1..=60).map(|decision| f64::from(decision) * period).collect(),
        loadings: hazards.iter().map(|hazard| hazard / 10.0).collect(),
        variance: vec![0.0; 60],
        rank: 1,
        max_followup: 60.0 * period,
        tail: Tail::None,
        decisions: Some(Decisions::every(period)),
        cumulative_hazard: hazards,
    })
}

/// Fader & Hardie's high-end customers, a renewal a year.
fn beta_geometric() -> Survival {
    Survival::Parametric(ParametricCurve {
        distribution: Distribution::BetaGeometric { period: YEAR },
        parameters: vec![0.668f64.ln(), 3.806f64.ln()],
        covariance: vec![0.01, 0.002, 0.002, 0.02],
        max_followup: 144.0,
        given: 0.0,
    })
}

fn terms(given: f64, months_to_renewal: Option<f64>) -> Terms<'static> {
    Terms {
        given,
        months_to_renewal,
        term_months: Some(YEAR),
        discount_rate: 0.1,
        horizon: 60,
        tail: TailRule::ConstantHazard,
        ..Terms::new(100.0)
    }
}

fn value(curve: &Survival, terms: &Terms) -> Valuation {
    lifetime_value(curve.clone().reading().unwrap().view(), terms).unwrap().unwrap()
}

fn survivals(curve: &Survival, terms: &Terms) -> Vec<f64> {
    let flows = cash_flows(curve.clone().reading().unwrap().view(), terms).unwrap().unwrap();
    flows.iter().map(|flow| flow.survival.unwrap()).collect()
}

#[test]
fn the_next_renewal_is_a_decision_whatever_the_age() {
    let curve = renewals(YEAR, |_| 0.7);
    for given in [0.0, 2.5, 7.0, 9.0, 14.0, 26.0] {
        for first in [0.5, 3.0, 8.0, 12.0] {
            for (month, survival) in survivals(&curve, &terms(given, Some(first))).into_iter().enumerate() {
                let decided = ((month as f64 - first) / YEAR + 1.0).floor().max(0.0);
                assert_relative_eq!(survival, 0.7f64.powf(decided), max_relative = 1e-12);
            }
        }
    }
    // A contract of two years has two decisions at each of its ends.
    let two = Terms { term_months: Some(24.0), ..terms(7.0, Some(3.0)) };
    let found = survivals(&curve, &two);
    for (month, decided) in [(2, 0), (3, 1), (26, 1), (27, 3), (51, 5)] {
        assert_relative_eq!(found[month], 0.7f64.powi(decided), max_relative = 1e-12);
    }
    // And it can have passed more of them than one.
    let long = survivals(&curve, &Terms { months_to_renewal: Some(20.0), ..two });
    assert_relative_eq!(long[20], 0.7f64.powi(2), max_relative = 1e-12);
    assert_eq!(long[19], 1.0);
}

#[test]
fn an_age_out_of_step_is_the_nearest_in_step() {
    for curve in [renewals(YEAR, |decision| 0.6 + 0.005 * f64::from(decision)), beta_geometric()] {
        for (given, first, age) in [
            (7.0, 3.0, 9.0),
            (13.0, 3.0, 9.0),
            (16.0, 3.0, 21.0),
            (7.0, 12.0, 12.0),
            (5.0, 12.0, 0.0),
            (24.02, 0.1, 23.9),
            (0.0, 3.0, 9.0),
        ] {
            for notice_months in [0.0, 4.0] {
                let terms = |given| Terms { notice_months, ..terms(given, Some(first)) };
                let (found, expected) = (value(&curve, &terms(given)), value(&curve, &terms(age)));
                assert_eq!(found.ltv, expected.ltv, "{given} {first}");
                assert_eq!((found.lower, found.upper), (expected.lower, expected.upper), "{given} {first}");
                assert!(found.lower.is_some());
            }
        }
        // In step it is the age that is given, to the last bit.
        for given in [0.1, 9.3, 30.0] {
            let (told, follows) = (terms(given, Some(YEAR - given % YEAR)), terms(given, None));
            assert_eq!(value(&curve, &told), value(&curve, &follows));
        }
    }
}

#[test]
fn a_curve_from_an_age_on_has_the_same_decisions() {
    for curve in [renewals(YEAR, |decision| 0.6 + 0.005 * f64::from(decision)), beta_geometric()] {
        for (given, first) in [(9.0, 3.0), (9.0, 5.0), (9.0, 1.0), (20.0, 9.0), (24.0, 12.0)] {
            let later = curve.conditional(given).unwrap().unwrap();
            let (from_then, from_start) = (terms(0.0, Some(first)), terms(given, Some(first)));
            let pairs = survivals(&later, &from_then).into_iter().zip(survivals(&curve, &from_start));
            pairs.for_each(|(one, other)| assert_relative_eq!(one, other, max_relative = 1e-12));
        }
    }
}

#[test]
fn beyond_the_data_the_next_renewal_is_a_decision_too() {
    // Five years of data; from then on each year is as the average of these.
    let Survival::Fitted(whole) = renewals(YEAR, |_| 0.8) else { unreachable!() };
    let short = FittedCurve {
        times: whole.times[..5].to_vec(),
        cumulative_hazard: whole.cumulative_hazard[..5].to_vec(),
        variance: whole.variance[..5].to_vec(),
        loadings: whole.loadings[..5].to_vec(),
        max_followup: 60.0,
        tail: Tail::average_hazard(whole.cumulative_hazard[4], 60.0),
        ..whole.clone()
    };
    let short = Survival::Fitted(short);
    for (given, first) in [(54.0, 6.0), (60.0, 12.0), (66.0, 6.0), (69.0, 3.0), (71.0, 1.0), (66.0, 2.0), (200.0, 4.0)]
    {
        let expected = survivals(&Survival::Fitted(whole.clone()), &terms(given, Some(first)));
        let conditional = short.conditional(given).unwrap().unwrap();
        let found = [survivals(&short, &terms(given, Some(first))), survivals(&conditional, &terms(0.0, Some(first)))];
        for found in found {
            for (month, (found, expected)) in found.iter().zip(&expected).enumerate() {
                assert!((found - expected).abs() < 1e-12, "{given} {first}, month {month}: {found} for {expected}");
            }
        }
        // What is not certain has limits; the tail's error is in proportion to its hazard.
        let limits = |curve: &Survival| {
            let found = value(curve, &terms(given, Some(first)));
            (found.lower.unwrap(), found.upper.unwrap())
        };
        assert_eq!(limits(&short), limits(&Survival::Fitted(whole.clone())), "{given} {first}");
    }
}

#[test]
fn an_age_at_which_nobody_is_known_gives_way() {
    // Data of five years without a tail, and a curve that is over after three.
    let Survival::Fitted(mut curve) = renewals(YEAR, |decision| if decision == 3 { 1e-300 } else { 0.8 }) else {
        unreachable!()
    };
    curve.times.truncate(5);
    curve.cumulative_hazard.truncate(5);
    curve.variance.truncate(5);
    curve.loadings.truncate(5);
    curve.max_followup = 60.0;
    let over =
        FittedCurve { cumulative_hazard: vec![0.2, 0.5, f64::INFINITY, f64::INFINITY, f64::INFINITY], ..curve.clone() };
    for (curve, given, first, age) in [(&curve, 58.0, 10.5, 49.5), (&over, 34.0, 9.0, 27.0), (&over, 10.0, 9.0, 15.0)] {
        let curve = Survival::Fitted(curve.clone());
        let terms = |given| Terms { tail: TailRule::None, horizon: 24, ..terms(given, Some(first)) };
        assert_eq!(value(&curve, &terms(given)).ltv, value(&curve, &terms(age)).ltv, "{given} {first}");
    }
}

#[test]
fn other_curves_and_contracts_are_read_by_the_age() {
    let curve = renewals(YEAR, |_| 0.7);
    // No renewal dates, or dates that the decisions do not fall on: the next decision is that of the age.
    for term_months in [None, Some(1.0), Some(5.0), Some(18.0)] {
        let months_to_renewal = term_months.map(|_| 1.0);
        let found = survivals(&curve, &Terms { term_months, months_to_renewal, ..terms(7.0, None) });
        let first = found.iter().position(|survival| *survival < 1.0).unwrap();
        let on_date = |month: f64| term_months.is_none_or(|term| ((month - 1.0) / term).fract() == 0.0);
        let expected = (5..).find(|month| on_date(f64::from(*month))).unwrap();
        assert_eq!(first, expected as usize, "{term_months:?}");
    }
    let Survival::Fitted(mut plain) = curve else { unreachable!() };
    plain.decisions = None;
    assert_eq!(survivals(&Survival::Fitted(plain), &terms(7.0, Some(3.0)))[3], 1.0);
}

#[test]
fn bytes_hold_the_decisions_and_refuse_what_is_none() {
    let curve = renewals(3.0, |_| 0.9);
    assert_eq!(Survival::decode(&curve.encode()).unwrap(), curve);
    let later = curve.conditional(4.0).unwrap().unwrap();
    assert_eq!(Survival::decode(&later.encode()).unwrap(), later);
    let bytes = curve.encode();
    let first = bytes.len() - 16;
    for forged in [0.0, -1.0, 3.5, f64::NAN, f64::INFINITY] {
        let mut bytes = bytes.clone();
        bytes[first..first + 8].copy_from_slice(&forged.to_le_bytes());
        assert!(Survival::decode(&bytes).is_err(), "{forged}");
    }
}
