//! Cox's model on data small enough to work by hand, and against mistakes that other software makes.

use approx::assert_relative_eq;
use ltv_engine::hazard::{Design, Status, Ties};

use crate::cases::design;
use crate::{fit_cox, row, variance};

// Therneau & Grambsch (2000), appendix E.1; further digits from R survival 3.5-3 with eps = 1e-14.

fn test_data_1() -> Design {
    let mut design = Design::default();
    let rows = [(1.0, 1, 1.0), (1.0, 0, 1.0), (6.0, 1, 1.0), (6.0, 1, 0.0), (8.0, 0, 0.0), (9.0, 1, 0.0)];
    rows.iter().for_each(|&(exit, event, x)| row(&mut design, 0.0, exit, event, 1.0, &[x]));
    design
}

#[test]
fn test_data_1_breslow() {
    let fit = fit_cox(&test_data_1(), Ties::Breslow);
    let beta = ((3.0 + 33f64.sqrt()) / 2.0).ln();
    assert_relative_eq!(fit.coefficients[0].unwrap(), beta, max_relative = 1e-13);
    assert_relative_eq!(fit.log_likelihood_null, -4.564348191467837, max_relative = 1e-14);
    assert_relative_eq!(fit.log_likelihood, -3.824749505002865, max_relative = 1e-13);
    assert_relative_eq!(fit.score_test, 1.6, max_relative = 1e-13);
    assert_relative_eq!(fit.standard_error(0).unwrap(), 1.2557343930105462, max_relative = 1e-9);
    // Events less expected events, worked in the book.
    let residuals = [0.728714, -0.271286, -0.457427, 0.666667, -0.333333, -0.333333];
    let design = test_data_1();
    for (i, residual) in residuals.into_iter().enumerate() {
        let expected = fit.baselines[0].cumulative_hazard_of(design.exits()[i], fit.linear_predictor(&[design.x()[i]]));
        assert_relative_eq!(f64::from(u8::from(design.events()[i])) - expected, residual, epsilon = 1e-6);
    }
    let curve = fit.curve(&fit.baselines[0], &[0.0]);
    for (time, expected) in [(1.0, 0.007870818), (6.0, 0.111111111), (9.0, 1.111111111)] {
        assert_relative_eq!(variance(&curve, time), expected, max_relative = 1e-6);
    }
}

#[test]
fn test_data_1_efron() {
    let fit = fit_cox(&test_data_1(), Ties::Efron);
    assert_relative_eq!(fit.coefficients[0].unwrap(), 1.676857485592897, max_relative = 1e-12);
    assert_relative_eq!(fit.log_likelihood_null, -4.276666119, max_relative = 1e-9);
    assert_relative_eq!(fit.log_likelihood, -3.35897484, max_relative = 1e-9);
    assert_relative_eq!(fit.score_test, 2.036144578, max_relative = 1e-9);
    // Of the martingale residuals only those of the censored need nothing but the hazard.
    for (time, x, residual) in [(1.0, 1.0, -0.280829), (8.0, 0.0, -0.365543)] {
        assert_relative_eq!(
            -fit.baselines[0].cumulative_hazard_of(time, fit.linear_predictor(&[x])),
            residual,
            epsilon = 1e-6
        );
    }
}

// Appendix E.2: (start, stop].

fn test_data_2() -> Design {
    let mut design = Design::default();
    let rows = [
        (1.0, 2.0, 1, 1.0),
        (2.0, 3.0, 1, 0.0),
        (5.0, 6.0, 1, 0.0),
        (2.0, 7.0, 1, 1.0),
        (1.0, 8.0, 1, 0.0),
        (7.0, 9.0, 1, 1.0),
        (3.0, 9.0, 1, 1.0),
        (4.0, 9.0, 0, 1.0),
        (8.0, 14.0, 0, 0.0),
        (8.0, 17.0, 0, 0.0),
    ];
    rows.iter().for_each(|&(entry, exit, event, x)| row(&mut design, entry, exit, event, 1.0, &[x]));
    design
}

#[test]
fn test_data_2_counting_process() {
    let fit = fit_cox(&test_data_2(), Ties::Breslow);
    assert_relative_eq!(fit.coefficients[0].unwrap(), -0.08452608066130916, max_relative = 1e-9);
    assert_relative_eq!(fit.standard_error(0).unwrap(), 0.7938172774855354, max_relative = 1e-9);
    assert_relative_eq!(fit.log_likelihood_null, -9.392661929, max_relative = 1e-9);
    assert_relative_eq!(fit.log_likelihood, -9.387015118, max_relative = 1e-9);
    let fit = fit_cox(&test_data_2(), Ties::Efron);
    assert_relative_eq!(fit.coefficients[0].unwrap(), -0.021105209580175213, max_relative = 1e-9);
    assert_relative_eq!(fit.log_likelihood_null, -9.169518377, max_relative = 1e-9);
    assert_relative_eq!(fit.log_likelihood, -9.169166465, max_relative = 1e-9);
}

// Appendix E.3: case weights.

fn test_data_3() -> Design {
    let mut design = Design::default();
    let rows = [
        (1.0, 1, 1.0, 2.0),
        (1.0, 0, 2.0, 0.0),
        (2.0, 1, 3.0, 1.0),
        (2.0, 1, 4.0, 1.0),
        (2.0, 1, 3.0, 0.0),
        (2.0, 0, 2.0, 1.0),
        (3.0, 0, 1.0, 0.0),
        (4.0, 1, 2.0, 1.0),
        (5.0, 0, 1.0, 0.0),
    ];
    rows.iter().for_each(|&(exit, event, weight, x)| row(&mut design, 0.0, exit, event, weight, &[x]));
    design
}

#[test]
fn test_data_3_weights() {
    let fit = fit_cox(&test_data_3(), Ties::Breslow);
    assert_eq!((fit.events, fit.weighted_events), (5, 13.0));
    assert_relative_eq!(fit.coefficients[0].unwrap(), 0.8595574445, max_relative = 1e-9);
    assert_relative_eq!(fit.standard_error(0).unwrap(), 0.7130941996, max_relative = 1e-9);
    assert_relative_eq!(fit.log_likelihood_null, -32.86755078, max_relative = 1e-9);
    assert_relative_eq!(fit.log_likelihood, -32.02104628, max_relative = 1e-9);
    let fit = fit_cox(&test_data_3(), Ties::Efron);
    assert_relative_eq!(fit.coefficients[0].unwrap(), 0.8726042464, max_relative = 1e-9);
    assert_relative_eq!(fit.log_likelihood_null, -30.29217961, max_relative = 1e-9);
    assert_relative_eq!(fit.log_likelihood, -29.4167846, max_relative = 1e-9);
}

/// Weights, delayed entry, ties and two covariates at once; reference: coxph and survfit of R survival 3.5-3 with
/// robust = FALSE, at the profile x = (0.5, 1).
#[test]
fn weights_and_delayed_entry_together() {
    let mut design = Design::default();
    let rows = [
        (0.0, 1.0, 1, 1.0, 1.5, 0.0),
        (1.0, 2.0, 1, 2.0, 0.8, 1.0),
        (0.0, 2.0, 0, 0.5, 0.8, 1.0),
        (2.0, 3.0, 1, 1.0, 1.7, 0.0),
        (0.0, 3.0, 1, 3.0, 1.1, 1.0),
        (1.0, 4.0, 0, 1.0, 0.0, 0.0),
        (3.0, 5.0, 1, 2.0, 0.5, 0.0),
        (0.0, 5.0, 1, 1.5, 0.9, 1.0),
        (4.0, 6.0, 1, 1.0, 0.2, 0.0),
        (2.0, 7.0, 0, 2.0, 2.0, 1.0),
    ];
    rows.iter().for_each(|&(entry, exit, event, weight, x, z)| row(&mut design, entry, exit, event, weight, &[x, z]));
    let check = |ties, expected: &Expected| {
        let fit = fit_cox(&design, ties);
        let curve = fit.curve(&fit.baselines[0], &[0.5, 1.0]);
        curve.validate().unwrap();
        let coefficients: Vec<f64> = fit.coefficients.iter().map(|coefficient| coefficient.unwrap()).collect();
        assert_relative_eq!(coefficients.as_slice(), expected.coefficients.as_slice(), max_relative = 1e-9);
        assert_relative_eq!(fit.covariance.as_slice(), expected.covariance.as_slice(), max_relative = 1e-8);
        assert_relative_eq!(fit.log_likelihood_null, expected.log_likelihoods[0], max_relative = 1e-12);
        assert_relative_eq!(fit.log_likelihood, expected.log_likelihoods[1], max_relative = 1e-12);
        assert_relative_eq!(fit.score_test, expected.tests[0], max_relative = 1e-9);
        assert_relative_eq!(fit.wald_test, expected.tests[1], max_relative = 1e-8);
        assert_eq!(curve.times, [1.0, 2.0, 3.0, 5.0, 6.0]);
        assert_relative_eq!(curve.cumulative_hazard.as_slice(), expected.hazards.as_slice(), max_relative = 1e-9);
        let errors: Vec<f64> = curve.times.iter().map(|time| variance(&curve, *time).sqrt()).collect();
        assert_relative_eq!(errors.as_slice(), expected.errors.as_slice(), max_relative = 1e-8);
    };
    check(
        Ties::Efron,
        &Expected {
            coefficients: [-0.1621532760499204, -0.5900216848169866],
            covariance: [0.3768774599087845, -0.3483134355326778, -0.3483134355326778, 0.7149605416880432],
            log_likelihoods: [-21.07539841321081, -20.36565716163962],
            tests: [1.518826446021191, 1.462555142041877],
            hazards: [
                0.1629218347754514,
                0.3991790497426994,
                0.9024034192377738,
                1.402047289778318,
                1.6908861302681617,
            ],
            errors: [0.1860803895105652, 0.2839121486285752, 0.5783009477120957, 0.911794112036649, 1.1345908397718008],
        },
    );
    check(
        Ties::Breslow,
        &Expected {
            coefficients: [-0.1791117642973528, -0.5610672072452502],
            covariance: [0.3757598873816592, -0.3114882282277207, -0.3114882282277207, 0.6552127433330921],
            log_likelihoods: [-22.16082711439649, -21.50188973427084],
            tests: [1.398932844456888, 1.353506080846388],
            hazards: [
                0.1658484870598606,
                0.4046100708581576,
                0.8515508938168492,
                1.2742838488082606,
                1.570309766481318,
            ],
            errors: [0.1877471216227735, 0.284277236915486, 0.5336806088018197, 0.7943204949569921, 1.0196508552072006],
        },
    );
}

struct Expected {
    coefficients: [f64; 2],
    covariance: [f64; 4],
    log_likelihoods: [f64; 2],
    tests: [f64; 2],
    hazards: [f64; 5],
    errors: [f64; 5],
}

// Mistakes that other software makes.

/// A baseline that ignores delayed entry gives 0.731 at day 50. Reference: survfit of R survival 3.5-3.
#[test]
fn the_baseline_honours_delayed_entry() {
    let fit = fit_cox(&design("heart"), Ties::Efron);
    let profile = [0.0, 3.0, 0.0, 1.0];
    let curve = fit.curve(&fit.baselines[0], &profile);
    let expected = [
        (50.0, 0.638469380530517, 0.0791182514934587),
        (100.0, 0.431308418904887, 0.0757473760558059),
        (365.0, 0.245737511305134, 0.059823246747254),
        (1000.0, 0.144938665690752, 0.05097650672125),
    ];
    for (time, survival, error) in expected {
        let ours = (-fit.baselines[0].cumulative_hazard_of(time, fit.linear_predictor(&profile))).exp();
        assert_relative_eq!(ours, survival, max_relative = 1e-9);
        assert_relative_eq!(ours * variance(&curve, time).sqrt(), error, max_relative = 1e-8);
    }
}

#[test]
fn predictions_are_steps() {
    let fit = fit_cox(&design("heart"), Ties::Efron);
    let times = &fit.baselines[0].times;
    for pair in times.windows(2) {
        let [before, middle] =
            [pair[0], (pair[0] + pair[1]) / 2.0].map(|time| fit.baselines[0].cumulative_hazard_of(time, 0.0));
        assert_eq!(before, middle);
        assert!(fit.baselines[0].cumulative_hazard_of(pair[1], 0.0) > middle);
    }
    assert_eq!(fit.baselines[0].cumulative_hazard_of(times[0] - 1e-9, 0.0), 0.0);
}

#[test]
fn beyond_the_data_the_average_hazard_goes_on() {
    let fit = fit_cox(&design("heart"), Ties::Efron);
    let end = fit.baselines[0].max_followup;
    assert_eq!(end, 1800.0);
    assert_relative_eq!(
        fit.baselines[0].cumulative_hazard_of(2.0 * end, 0.3),
        2.0 * fit.baselines[0].cumulative_hazard_of(end, 0.3),
        max_relative = 1e-14
    );
}

/// The hazard at the means and at x = 0; reference: basehaz of R survival 3.5-3 (eps = 1e-14).
#[test]
fn the_baseline_belongs_to_the_means() {
    let fit = fit_cox(&design("lung"), Ties::Efron);
    assert_relative_eq!(fit.baselines[0].cumulative_hazard_of(5.0, 0.0), 0.003963022464810923, max_relative = 1e-9);
    let origin = fit.linear_predictor(&[0.0; 3]);
    assert_relative_eq!(fit.baselines[0].cumulative_hazard_of(5.0, origin), 0.002762815067626703, max_relative = 1e-9);
}

#[test]
fn a_prediction_depends_on_its_row_alone() {
    let design = design("heart");
    let fit = fit_cox(&design, Ties::Efron);
    let together: Vec<f64> = design.x().chunks(4).map(|x| fit.linear_predictor(x)).collect();
    let last = design.x().chunks(4).next_back().unwrap();
    assert_eq!(fit.linear_predictor(last).to_bits(), together.last().unwrap().to_bits());
    assert_eq!(fit.curve(&fit.baselines[0], last), fit.curve(&fit.baselines[0], last));
}

#[test]
fn times_that_differ_by_rounding_are_tied() {
    let tied = [0.3, 0.3, 0.5, 0.7, 0.9];
    let rounded = [0.1 + 0.2, 0.3, 0.5, 0.7, 0.9];
    let fits = [tied, rounded].map(|times| {
        let mut design = Design::default();
        for (i, (time, x)) in times.into_iter().zip([1.0, 0.0, 2.0, 0.5, 1.0]).enumerate() {
            row(&mut design, 0.0, time, i32::from(i != 2), 1.0, &[x]);
        }
        fit_cox(&design, Ties::Efron)
    });
    assert_eq!(fits[0].baselines[0].times.len(), 3);
    assert_eq!(fits[0].coefficients, fits[1].coefficients);
    assert_eq!(fits[0].log_likelihood, fits[1].log_likelihood);
}

/// An interval shorter than the tolerance of ties: its subject dies at risk all the same.
#[test]
fn nobody_dies_without_having_been_at_risk() {
    let mut design = test_data_2();
    row(&mut design, 9.0 - 1e-9, 9.0, 1, 1.0, &[0.0]);
    row(&mut design, 9.0 - 1e-9, 9.0, 0, 1.0, &[0.0]);
    let fit = fit_cox(&design, Ties::Efron);
    assert_eq!((fit.status, fit.events), (Status::Converged, 8));
    assert!(fit.log_likelihood.is_finite());
}
