//! Numbers as they are printed.

use approx::assert_abs_diff_eq;
use ltv_engine::btyd::{ContractualFit, Family};

use crate::{HIGH_END, REGULAR, fit_survivors};

fn parameters(fit: &ContractualFit) -> Vec<f64> {
    fit.parameters.iter().map(|log| log.exp()).collect()
}

fn with(parameters: [f64; 2]) -> ContractualFit {
    let mut fit = fit_survivors(&REGULAR, Family::BetaGeometric);
    fit.parameters = parameters.iter().map(|value| value.ln()).collect();
    fit
}

#[test]
fn fader_and_hardie_2007() {
    // Seven renewals: (.704, 1.182), log-likelihood -1680.27, and (.668, 3.806).
    let regular = fit_survivors(&REGULAR[..8], Family::BetaGeometric);
    let high_end = fit_survivors(&HIGH_END[..8], Family::BetaGeometric);
    for (fit, alpha, beta) in [(&regular, 0.704, 1.182), (&high_end, 0.668, 3.806)] {
        assert_abs_diff_eq!(parameters(fit)[0], alpha, epsilon = 5e-4);
        assert_abs_diff_eq!(parameters(fit)[1], beta, epsilon = 5e-4);
    }
    assert_abs_diff_eq!(regular.log_likelihood, -1680.2652, epsilon = 5e-5);
    // Retention that rises without anyone becoming more loyal, and the projection to year 12.
    let retention = |fit: &ContractualFit| -> Vec<f64> {
        fit.retention(12, 0.95).unwrap().iter().map(|row| row.retention.survival).collect()
    };
    for (found, printed) in retention(&regular).iter().zip([0.6267, 0.7561, 0.8188, 0.8559, 0.8804, 0.8978]) {
        assert_abs_diff_eq!(*found, printed, epsilon = 1e-4);
    }
    for (found, printed) in retention(&high_end).iter().zip([0.8507, 0.8780, 0.8968, 0.9106, 0.9212, 0.9295]) {
        assert_abs_diff_eq!(*found, printed, epsilon = 1e-4);
    }
    let projected = |fit: &ContractualFit| -> Vec<f64> {
        (8..=12).map(|k| fit.conditional_renewal(0.0, f64::from(k)).unwrap()).collect()
    };
    for (found, printed) in projected(&regular).iter().zip([0.2201, 0.2044, 0.1912, 0.1799, 0.1700]) {
        assert_abs_diff_eq!(*found, printed, epsilon = 5e-5);
    }
    for (found, printed) in projected(&high_end).iter().zip([0.4604, 0.4358, 0.4142, 0.3951, 0.3780]) {
        assert_abs_diff_eq!(*found, printed, epsilon = 5e-5);
    }
}

#[test]
fn hardies_guide() {
    let fit = fit_survivors(&[1000.0, 631.0, 468.0, 382.0, 326.0], Family::BetaGeometric);
    assert_abs_diff_eq!(parameters(&fit)[0], 0.764, epsilon = 5e-4);
    assert_abs_diff_eq!(parameters(&fit)[1], 1.296, epsilon = 5e-4);
    assert_abs_diff_eq!(fit.log_likelihood, -1401.56, epsilon = 5e-3);
}

#[test]
fn fader_and_others_2018() {
    let fit = fit_survivors(&HIGH_END[..5], Family::BetaDiscreteWeibull);
    for (found, printed) in parameters(&fit).into_iter().zip([0.259, 1.722, 1.584]) {
        assert_abs_diff_eq!(found, printed, epsilon = 6e-4);
    }
    let fit = fit_survivors(&HIGH_END[..8], Family::BetaDiscreteWeibull);
    for (k, printed) in (8u32..).zip([0.4678, 0.4483, 0.4316, 0.4169, 0.4039]) {
        assert_abs_diff_eq!(fit.conditional_renewal(0.0, f64::from(k)).unwrap(), printed, epsilon = 5e-5);
    }
}

/// Fader & Hardie 2010, table 3: the discounted expected residual lifetime before the n-th renewal, 10 % a period.
#[test]
fn fader_and_hardie_2010() {
    let cases = [
        ([3.8, 15.2], [3.31, 3.45, 3.59, 3.72, 3.84], [3.309_818, 3.451_000, 3.586_544, 3.716_812, 3.842_134], 1e-6),
        ([1.0 / 15.0, 4.0 / 15.0], [7.68, 9.46, 9.86, 10.06, 10.19], [7.6815, 9.4620, 9.8560, 10.0605, 10.1924], 6e-5),
    ];
    for (parameters, printed, exact, tolerance) in cases {
        let fit = with(parameters);
        for (made, (printed, exact)) in (0u32..).zip(printed.into_iter().zip(exact)) {
            let derl = fit.discounted_residual_lifetime(f64::from(made), 0.1, 12.0).unwrap().unwrap();
            assert_abs_diff_eq!(derl, printed, epsilon = 6e-3);
            assert_abs_diff_eq!(derl, exact, epsilon = tolerance);
            // The elasticity of retention: the value of one who has just renewed.
            let elasticity = fit.expected_lifetime(f64::from(made) + 1.0, 0.1, 12.0).unwrap().unwrap();
            let renews = fit.conditional_renewal(f64::from(made), 1.0).unwrap();
            assert_abs_diff_eq!(derl, renews * elasticity, epsilon = 1e-12);
        }
    }
    let lifetimes = [4.0089, 4.1373, 4.2605, 4.3789, 4.4928];
    for (made, printed) in (0u32..).zip(lifetimes) {
        let found = with([3.8, 15.2]).expected_lifetime(f64::from(made), 0.1, 12.0).unwrap().unwrap();
        assert_abs_diff_eq!(found, printed, epsilon = 5e-5);
    }
    // Without discount in closed form where it is finite, else never ending.
    let endless = with([0.704, 1.182]).expected_lifetime(0.0, 0.0, 12.0).unwrap();
    assert_eq!(endless, None);
    let lasting = with([3.8, 15.2]).expected_lifetime(0.0, 0.0, 12.0).unwrap().unwrap();
    assert_abs_diff_eq!(lasting, 18.0 / 2.8, epsilon = 1e-11);
}

/// What a well-known package answers is the survival from acquisition, .5619, to the question whether a customer who
/// has made four renewals makes the fifth: .9212, and the fifth and sixth: .8562.
#[test]
fn a_customer_who_is_there_is_not_one_who_begins() {
    let fit = with([0.668, 3.806]);
    assert_abs_diff_eq!(fit.conditional_renewal(4.0, 1.0).unwrap(), 0.9212, epsilon = 5e-5);
    assert_abs_diff_eq!(fit.conditional_renewal(4.0, 2.0).unwrap(), 0.8562, epsilon = 5e-5);
    assert_abs_diff_eq!(fit.conditional_renewal(0.0, 5.0).unwrap(), 0.5619, epsilon = 5e-5);
    let curve = fit.curve();
    assert_abs_diff_eq!(curve.renewal_probability(4.0, 6.0).unwrap().unwrap(), 0.8562, epsilon = 5e-5);
}

/// An annual rate is compounded over the period: monthly renewals at 10 % a year are discounted by 1.1^(1/12), not by 1.1.
#[test]
fn a_year_has_twelve_months() {
    let fit = with([3.8, 150.0]);
    let monthly = fit.discounted_residual_lifetime(0.0, 0.1, 1.0).unwrap().unwrap();
    let by_hand: f64 = (1..100_000)
        .map(|j| 1.1f64.powf(-f64::from(j - 1) / 12.0) * fit.conditional_renewal(0.0, f64::from(j)).unwrap())
        .sum();
    assert_abs_diff_eq!(monthly, by_hand, epsilon = 1e-9);
    assert!(monthly > 2.0 * fit.discounted_residual_lifetime(0.0, 0.1, 12.0).unwrap().unwrap());
}
