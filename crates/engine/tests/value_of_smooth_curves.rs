//! Money on curves that are formulas: the same conventions as on steps, and the closed forms where there are some.

use approx::assert_relative_eq;
use ltv_engine::survival::{Distribution, ParametricCurve};
use ltv_engine::value::{Status, TailRule, Terms, Timing, cash_flows, lifetime_value};

/// A Weibull curve by its location (log scale) and log of 1/shape, with a covariance.
fn weibull(scale: f64, shape: f64, max_followup: f64) -> ParametricCurve {
    ParametricCurve {
        distribution: Distribution::Weibull,
        parameters: vec![scale.ln(), -shape.ln()],
        covariance: vec![4e-3, -1e-3, -1e-3, 6e-3],
        max_followup,
        given: 0.0,
    }
}

fn survival(t: f64, scale: f64, shape: f64) -> f64 {
    (-(t / scale).powf(shape)).exp()
}

fn terms() -> Terms<'static> {
    Terms { horizon: 36, discount_rate: 0.12, tail: TailRule::ConstantHazard, minor_digits: 6, ..Terms::new(100.0) }
}

#[test]
fn adds_up_the_formula_invoice_by_invoice() {
    for (given, timing) in [(0.0, Timing::Advance), (7.5, Timing::Arrears), (40.0, Timing::Middle)] {
        let terms = Terms { given, timing, margin: 0.8, cost_to_serve: 5.0, ..terms() };
        let curve = weibull(30.0, 1.4, 24.0);
        let flows = cash_flows(&curve, &terms).unwrap().unwrap();
        let valuation = lifetime_value(&curve, &terms).unwrap().unwrap();
        let mut total = 0.0;
        for (k, flow) in flows.iter().enumerate() {
            let start = k as f64;
            let (due, decided) = match timing {
                Timing::Advance => (start, start),
                Timing::Arrears => (start + 1.0, start),
                Timing::Middle => (start + 0.5, start + 0.5),
            };
            let alive = survival(given + decided, 30.0, 1.4) / survival(given, 30.0, 1.4);
            assert_relative_eq!(flow.survival.unwrap(), alive, max_relative = 1e-12);
            assert_eq!(flow.extrapolated, decided > 0.0 && given + decided > 24.0);
            total += alive * 75.0 / 1.12f64.powf(due / 12.0);
        }
        assert_relative_eq!(valuation.ltv.amount(6), total, max_relative = 1e-9);
        let cumulative = flows.last().unwrap().cumulative;
        assert_eq!(cumulative, valuation.ltv);
    }
}

#[test]
fn what_lies_beyond_the_data_counts_only_if_it_is_believed() {
    let curve = weibull(30.0, 1.4, 12.0);
    let believed = lifetime_value(&curve, &terms()).unwrap().unwrap();
    assert!(matches!(believed.status, Status::Extrapolated | Status::MostlyExtrapolated));
    assert!(believed.tail_share.unwrap() > 0.3);
    let cut = lifetime_value(&curve, &Terms { tail: TailRule::None, ..terms() }).unwrap().unwrap();
    assert_eq!(cut.status, Status::Truncated);
    assert!(cut.ltv < believed.ltv);
    let within = lifetime_value(&weibull(30.0, 1.4, 60.0), &terms()).unwrap().unwrap();
    assert_eq!((within.status, within.tail_share), (Status::Ok, Some(0.0)));
    assert_eq!(within.ltv, believed.ltv);
    let too_old = Terms { given: 13.0, tail: TailRule::None, ..terms() };
    assert_eq!(lifetime_value(&curve, &too_old).unwrap(), None);
}

#[test]
fn the_expected_lifetime_is_the_area_under_the_curve() {
    let terms = Terms { given: 5.0, ..terms() };
    let found = lifetime_value(&weibull(30.0, 1.4, 60.0), &terms).unwrap().unwrap().expected_lifetime;
    let pieces = 200_000;
    let width = 36.0 / f64::from(pieces);
    let area: f64 = (0..pieces).map(|i| width * survival(5.0 + (f64::from(i) + 0.5) * width, 30.0, 1.4)).sum();
    assert_relative_eq!(found, area / survival(5.0, 30.0, 1.4), max_relative = 1e-9);
}

#[test]
fn a_term_moves_the_drops_to_renewal_dates() {
    let terms = Terms { term_months: Some(12.0), given: 3.0, ..terms() };
    let flows = cash_flows(&weibull(30.0, 1.4, 60.0), &terms).unwrap().unwrap();
    let alive = |t: f64| survival(3.0 + t, 30.0, 1.4) / survival(3.0, 30.0, 1.4);
    assert_eq!(flows[8].survival, Some(1.0));
    assert_relative_eq!(flows[9].survival.unwrap(), alive(9.0), max_relative = 1e-12);
    assert_relative_eq!(flows[20].survival.unwrap(), alive(9.0), max_relative = 1e-12);
    assert_relative_eq!(flows[21].survival.unwrap(), alive(21.0), max_relative = 1e-12);
}

#[test]
fn the_interval_is_that_of_finite_differences() {
    let (scale, shape) = (30.0f64, 1.4f64);
    let terms = Terms { given: 6.0, ..terms() };
    let value = |location: f64, log_inverse: f64| {
        let curve = ParametricCurve { parameters: vec![location, log_inverse], ..weibull(scale, shape, 60.0) };
        lifetime_value(&curve, &terms).unwrap().unwrap().ltv.amount(6)
    };
    let (at, step) = ((scale.ln(), -shape.ln()), 1e-4);
    let gradient = [
        (value(at.0 + step, at.1) - value(at.0 - step, at.1)) / (2.0 * step),
        (value(at.0, at.1 + step) - value(at.0, at.1 - step)) / (2.0 * step),
    ];
    let c = weibull(scale, shape, 60.0).covariance;
    let variance = gradient[0].powi(2) * c[0] + 2.0 * gradient[0] * gradient[1] * c[1] + gradient[1].powi(2) * c[3];
    let valuation = lifetime_value(&weibull(scale, shape, 60.0), &terms).unwrap().unwrap();
    let width = valuation.upper.unwrap().amount(6) - valuation.ltv.amount(6);
    assert_relative_eq!(width, 1.959_963_984_540_054 * variance.sqrt(), max_relative = 1e-5);
}

#[test]
fn a_hazard_ratio_is_another_scale_of_a_weibull() {
    // S^ratio of a Weibull is that of the scale · ratio^(−1/shape), at every age.
    for (given, ratio) in [(0.0, 0.8), (7.5, 0.8), (40.0, 1.7), (12.0, 3.0)] {
        let scaled = Terms { given, hazard_ratio: ratio, ..terms() };
        let shape: f64 = 1.4;
        let found = lifetime_value(&weibull(30.0, shape, 24.0), &scaled).unwrap().unwrap();
        let other = Terms { given, ..terms() };
        let expected = lifetime_value(&weibull(30.0 * ratio.powf(-1.0 / shape), shape, 24.0), &other).unwrap().unwrap();
        assert_relative_eq!(found.ltv.amount(6), expected.ltv.amount(6), max_relative = 1e-9);
        assert_relative_eq!(found.expected_lifetime, expected.expected_lifetime, max_relative = 1e-9);
        assert_eq!(found.outcome_lower.amount(2), expected.outcome_lower.amount(2));
        assert!(found.lower.is_some());
    }
}

#[test]
fn the_interval_of_a_hazard_ratio_is_that_of_finite_differences() {
    let valued = |parameters: [f64; 2]| {
        let curve = ParametricCurve { parameters: parameters.to_vec(), ..weibull(30.0, 1.4, 24.0) };
        let terms = Terms { given: 6.0, hazard_ratio: 0.7, notice_months: 2.0, minor_digits: 6, ..terms() };
        lifetime_value(&curve, &terms).unwrap().unwrap()
    };
    let at = [30f64.ln(), -(1.4f64.ln())];
    let gradient = [0, 1].map(|i| {
        let moved = |by: f64| {
            let mut at = at;
            at[i] += by;
            valued(at).ltv.amount(6)
        };
        (moved(1e-4) - moved(-1e-4)) / 2e-4
    });
    let variance = 4e-3 * gradient[0].powi(2) - 2e-3 * gradient[0] * gradient[1] + 6e-3 * gradient[1].powi(2);
    let found = valued(at);
    let half = (found.upper.unwrap().amount(6) - found.lower.unwrap().amount(6)) / 2.0;
    assert_relative_eq!(half, 1.959_963_984_540_054 * variance.sqrt(), max_relative = 1e-5);
}
