//! Calibration against R's `glm`, `rank` and `prop.test`, and at its edges.
//!
//! The numbers were computed with R 4.2.2: slope and intercepts by `glm(y ~ qlogis(p), binomial)` and
//! `glm(y ~ offset(qlogis(p)), binomial)` with `epsilon = 1e-15`, areas by `rank`, Wilson's limits by
//! `prop.test(correct = FALSE)`. The first example is also in statistics printed by rms `val.prob`.

use ltv_engine::Error;
use ltv_engine::assess::calibration::Calibration;
use ltv_engine::assess::reliability::{Binning, wilson};
use ltv_engine::numeric::tally::Budget;

fn calibration(rows: &[(f64, bool, f64)]) -> Calibration {
    let mut calibration = Calibration::default();
    for (probability, outcome, weight) in rows {
        calibration.add_weighted(*probability, *outcome, *weight, Budget::UNLIMITED).expect("a valid row");
    }
    calibration
}

fn with_outcomes(probabilities: &[f64], outcomes: &[u8]) -> Calibration {
    let rows: Vec<_> = probabilities.iter().zip(outcomes).map(|(p, outcome)| (*p, *outcome == 1, 1.0)).collect();
    calibration(&rows)
}

fn ten_rows() -> Calibration {
    let logits = [-2.0, -1.0, -0.5, 0.2, 0.7, 1.5, 2.2, -1.5, 0.1, 1.1];
    with_outcomes(&logits.map(|logit: f64| 1.0 / (1.0 + (-logit).exp())), &[0, 0, 1, 0, 1, 1, 1, 0, 1, 0])
}

/// 29 rows in ten tied levels, some with both outcomes.
fn tied_rows() -> Calibration {
    calibration(&[
        (0.1, false, 3.0),
        (0.1, true, 1.0),
        (0.2, false, 4.0),
        (0.3, false, 2.0),
        (0.3, true, 2.0),
        (0.5, true, 5.0),
        (0.7, false, 1.0),
        (0.9, true, 6.0),
        (0.9, true, 2.0),
        (0.97, true, 3.0),
    ])
}

#[track_caller]
fn assert_close(ours: impl Into<Option<f64>>, reference: f64, tolerance: f64) {
    let ours: Option<f64> = ours.into();
    let close = ours.is_some_and(|ours| (ours - reference).abs() <= tolerance * reference.abs().max(1e-3));
    assert!(close, "ours {ours:?}, reference {reference}");
}

/// rms `val.prob` prints Brier .1751454525, slope 1.1654208966, intercept −.1042479778, in the large −.0868805063,
/// C .8, S:z −.1302476289; its `lrm` stops a few units of the seventh digit short of the maximum that `glm` reaches.
#[test]
fn ten_rows_agree_with_r() {
    let rows = ten_rows();
    assert_close(rows.brier(), 0.17514545248141558, 1e-14);
    assert_close(rows.log_loss(), 0.515_523_346_193_155_4, 1e-14);
    assert_close(rows.auc(), 0.8, 1e-15);
    let fit = rows.recalibration(&mut || Ok(())).expect("no interrupt").expect("both outcomes");
    assert_close(fit.slope, 1.165_421_282_643_606, 1e-12);
    assert_close(fit.intercept, -0.10424806049743637, 1e-11);
    assert_close(fit.slope, 1.1654208966, 5e-7);
    assert_close(fit.intercept, -0.1042479778, 1e-6);
    // glm's standard errors are those one step before its last.
    assert_close(fit.slope_std_error, 0.753_412_587_717_994_7, 1e-9);
    assert_close(fit.intercept_std_error, 0.772_851_127_709_563_4, 1e-9);
    let shift = rows.calibration_in_the_large(&mut || Ok(())).expect("no interrupt").expect("both outcomes");
    assert_close(shift.intercept, -0.086_880_506_309_869_17, 1e-12);
    assert_close(shift.std_error, 0.738_501_843_916_103_7, 1e-9);
    let (z, p) = rows.spiegelhalter().expect("it varies");
    assert_close(z, -0.130_247_628_888_808_3, 1e-13);
    assert_close(p, 0.896_370_513_089_916_7, 1e-9);
}

#[test]
fn tied_and_weighted_rows_agree_with_r() {
    let rows = tied_rows();
    assert_eq!((rows.total(), rows.positives(), rows.negatives()), (29.0, 19.0, 10.0));
    assert_close(rows.brier(), 0.13733448275862067, 1e-14);
    assert_close(rows.brier_of_base_rate(), 190.0 / 841.0, 1e-15);
    assert_close(rows.log_loss(), 0.42194851022745167, 1e-14);
    assert_close(rows.auc(), 0.907_894_736_842_105_3, 1e-15);
    let fit = rows.recalibration(&mut || Ok(())).expect("no interrupt").expect("both outcomes");
    assert_close(fit.intercept, 1.0356338510936574, 1e-11);
    assert_close(fit.slope, 1.3669633935890175, 1e-11);
    assert_close(fit.intercept_std_error, 0.669_616_214_971_655_1, 1e-9);
    assert_close(fit.slope_std_error, 0.544_944_036_016_246_2, 1e-9);
    let shift = rows.calibration_in_the_large(&mut || Ok(())).expect("no interrupt").expect("both outcomes");
    assert_close(shift.intercept, 0.789_778_932_213_803_4, 1e-12);
    assert_close(rows.spiegelhalter().map(|(z, _)| z), -0.11535364411785885, 1e-13);
}

/// Four bins of about a quarter of 29 rows: the tied rows at 0.1 and 0.2, 0.3, 0.5 and 0.7, 0.9 and 0.97 stay together.
#[test]
fn quantile_bins_keep_ties_together() {
    let curve = tied_rows().calibration_curve(4, Binning::Quantile, 0.95).expect("valid arguments");
    let expected = [
        (1, 8.0, 0.15, 0.125, 0.02241749145005667, 0.470_888_182_212_853_4),
        (2, 4.0, 0.3, 0.5, 0.15003898915214955, 0.849_961_010_847_850_5),
        (3, 6.0, 0.533_333_333_333_333_3, 0.833_333_333_333_333_4, 0.436_497_177_813_53, 0.969_946_630_251_693_4),
        (4, 11.0, 0.919_090_909_090_909_1, 1.0, 0.7411670330319684, 1.0),
    ];
    assert_eq!(curve.len(), expected.len());
    for (bin, (number, n, predicted, observed, lower, upper)) in curve.iter().zip(expected) {
        assert_eq!((bin.bin, bin.n), (number, n));
        assert_close(bin.mean_predicted, predicted, 1e-14);
        assert_close(bin.observed, observed, 1e-14);
        assert_close(bin.lower, lower, 1e-12);
        assert_close(bin.upper, upper, 1e-12);
        assert_close(bin.gap, observed - predicted, 1e-12);
    }
    let error = tied_rows().expected_calibration_error(4, Binning::Quantile).expect("valid arguments");
    assert_close(error, 0.12724137931034482, 1e-13);
}

/// With five bins (0, .2] holds 0.1 and 0.2, (.2, .4] 0.3, (.4, .6] 0.5, (.6, .8] 0.7 and (.8, 1] the rest.
#[test]
fn uniform_bins_are_closed_above() {
    let curve = tied_rows().calibration_curve(5, Binning::Uniform, 0.95).expect("valid arguments");
    let sizes: Vec<_> = curve.iter().map(|bin| (bin.bin, bin.n)).collect();
    assert_eq!(sizes, [(1, 8.0), (2, 4.0), (3, 5.0), (4, 1.0), (5, 11.0)]);
    let error = tied_rows().expected_calibration_error(5, Binning::Uniform).expect("valid arguments");
    assert_close(error, 0.17551724137931035, 1e-13);
    // Every edge of a hundred bins, as a user types it, belongs to the bin below it; 0 to the first.
    for edge in 0..=100usize {
        let probability = edge as f64 / 100.0;
        let curve = with_outcomes(&[probability], &[1]).calibration_curve(100, Binning::Uniform, 0.95);
        assert_eq!(curve.expect("valid arguments")[0].bin, edge.max(1), "{probability}");
    }
    // Empty bins are left out.
    let ends = with_outcomes(&[0.05, 0.95], &[0, 1]).calibration_curve(10, Binning::Uniform, 0.95);
    assert_eq!(ends.expect("valid arguments").iter().map(|bin| bin.bin).collect::<Vec<_>>(), [1, 10]);
}

/// R, by hand: chi-squared 3.9391 over the four bins; p on 4 degrees of freedom, and on 2 for a model fitted here.
#[test]
fn hosmer_lemeshow_counts_its_degrees_of_freedom() {
    let unseen = tied_rows().hosmer_lemeshow(4, false).expect("valid arguments").expect("defined");
    assert_close(unseen.chi_squared, 3.9391114754507153, 1e-12);
    assert_eq!(unseen.df, 4);
    assert_close(unseen.p_value, 0.41430892848570944, 1e-12);
    let fitted = tied_rows().hosmer_lemeshow(4, true).expect("valid arguments").expect("defined");
    assert_eq!((fitted.chi_squared, fitted.df), (unseen.chi_squared, 2));
    assert_close(fitted.p_value, 0.139_518_825_399_473_7, 1e-12);
    assert_eq!(tied_rows().hosmer_lemeshow(2, true), Ok(None), "no degree of freedom is left");
    let certain_and_wrong = with_outcomes(&[0.0, 0.0, 0.5, 0.5], &[0, 1, 0, 1]);
    assert_eq!(certain_and_wrong.hosmer_lemeshow(2, false), Ok(None), "the statistic is infinite");
    let certain_and_right = with_outcomes(&[0.0, 0.0, 0.5, 0.5], &[0, 0, 0, 1]);
    let fit = certain_and_right.hosmer_lemeshow(2, false).expect("valid arguments").expect("defined");
    assert_eq!((fit.chi_squared, fit.df), (0.0, 2));
}

/// R `prop.test(x, n, correct = FALSE)`; Wilson's limits at 0 and at n touch the ends exactly.
#[test]
fn wilson_limits() {
    let z = 1.959963984540054;
    let (lower, upper) = wilson(0.0, 10.0, z);
    assert_eq!(lower, 0.0);
    assert_close(upper, 0.27753279986288, 1e-12);
    let (lower, upper) = wilson(10.0, 10.0, z);
    assert_close(lower, 0.72246720013712, 1e-12);
    assert_eq!(upper, 1.0);
}

#[test]
fn predictions_of_zero_and_one() {
    let right = with_outcomes(&[0.0, 1.0], &[0, 1]);
    assert_eq!((right.brier(), right.log_loss(), right.auc()), (Some(0.0), Some(0.0), Some(1.0)));
    assert_eq!(right.spiegelhalter(), None, "the score could not have varied");
    // The loss of a certain and wrong prediction is infinite, so there is no number for it.
    let wrong = with_outcomes(&[0.0, 0.5], &[1, 0]);
    assert_eq!((wrong.brier(), wrong.log_loss(), wrong.auc()), (Some(0.625), None, Some(0.0)));
    // R's glm of the ten rows and two of 0 and 1 that are both positive, limited to [1e-8, 1 − 1e-8].
    let mut rows = ten_rows();
    rows.add(0.0, true, Budget::UNLIMITED).expect("a valid row");
    rows.add(1.0, true, Budget::UNLIMITED).expect("a valid row");
    let fit = rows.recalibration(&mut || Ok(())).expect("no interrupt").expect("both outcomes");
    assert_close(fit.intercept, 0.33717624073752706, 1e-10);
    assert_close(fit.slope, 0.021155578177011303, 1e-9);
    assert_close(fit.slope_std_error, 0.078_270_038_782_801_45, 1e-9);
}

#[test]
fn what_is_undefined_is_none() {
    let go_on = &mut || Ok(());
    let empty = Calibration::default();
    assert!(empty.is_empty());
    assert_eq!((empty.brier(), empty.log_loss(), empty.auc(), empty.brier_of_base_rate()), (None, None, None, None));
    assert_eq!(empty.calibration_curve(10, Binning::Quantile, 0.95), Ok(Vec::new()));
    assert_eq!(empty.expected_calibration_error(10, Binning::Uniform), Ok(None));
    assert_eq!(empty.hosmer_lemeshow(10, false), Ok(None));
    assert_eq!((empty.recalibration(go_on), empty.calibration_in_the_large(go_on)), (Ok(None), Ok(None)));
    for (why, probabilities, outcomes) in [
        ("one outcome", [0.2, 0.4, 0.6, 0.8], [1, 1, 1, 1]),
        ("one prediction", [0.3, 0.3, 0.3, 0.3], [0, 1, 0, 1]),
        ("separated", [0.2, 0.4, 0.6, 0.8], [0, 0, 1, 1]),
        ("separated the wrong way round", [0.2, 0.4, 0.6, 0.8], [1, 1, 0, 0]),
        ("separated but for a tie", [0.2, 0.5, 0.5, 0.8], [0, 0, 1, 1]),
    ] {
        assert_eq!(with_outcomes(&probabilities, &outcomes).recalibration(go_on), Ok(None), "{why}");
    }
    assert_eq!(with_outcomes(&[0.2, 0.4], &[1, 1]).auc(), None);
    assert_eq!(with_outcomes(&[0.2, 0.4], &[1, 1]).calibration_in_the_large(go_on), Ok(None));
    let same = with_outcomes(&[0.3, 0.3, 0.3, 0.3], &[0, 1, 0, 1]).calibration_in_the_large(go_on);
    assert_close(same.expect("no interrupt").map(|shift| shift.intercept), (0.7f64 / 0.3).ln(), 1e-13);
}

#[test]
fn bad_arguments_are_refused_with_their_value() {
    let mut rows = Calibration::default();
    for probability in [-0.1, 1.5, 70.0, f64::NAN, f64::INFINITY] {
        for result in [
            rows.add(probability, true, Budget::UNLIMITED),
            rows.add_weighted(probability, true, 2.0, Budget::UNLIMITED),
        ] {
            let Err(Error::Invalid { message, hint }) = result else { panic!("{result:?}") };
            assert!(message.contains(&probability.to_string()) && !hint.is_empty(), "{message}");
        }
    }
    for weight in [0.0, -1.0, 1e300, f64::NAN, f64::INFINITY] {
        let result = rows.add_weighted(0.5, true, weight, Budget::UNLIMITED);
        assert!(matches!(&result, Err(Error::Invalid { message, .. }) if message.contains(&weight.to_string())));
    }
    assert!(rows.is_empty(), "a refused row leaves nothing behind");
    assert!(matches!(ten_rows().calibration_curve(0, Binning::Quantile, 0.95), Err(Error::Invalid { .. })));
    assert!(matches!(ten_rows().calibration_curve(10, Binning::Quantile, 1.0), Err(Error::Invalid { .. })));
    assert!(matches!("deciles".parse::<Binning>(), Err(Error::Invalid { .. })));
    let memory =
        (0..1_000_000).find_map(|i| rows.add(f64::from(i) / 1e6 + 1e-9, true, Budget { bytes: 1 << 16 }).err());
    assert!(matches!(memory, Some(Error::Memory { .. })), "{memory:?}");
}

#[test]
fn an_interrupt_ends_the_fit() {
    let canceled = ten_rows().recalibration(&mut || Err(Error::Canceled));
    assert_eq!(canceled, Err(Error::Canceled));
}
