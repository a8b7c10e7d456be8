//! What must hold for any rows, and rows from which next to nothing can be read.

use ltv_engine::Error;
use ltv_engine::assess::concordance::{Outcomes, concordance};
use ltv_engine::assess::concordance_error::estimated;
use ltv_engine::hazard::cox::fit;
use ltv_engine::hazard::design::Row;
use ltv_engine::hazard::proportionality::{Transform, proportional_hazards_test};
use ltv_engine::hazard::residuals::{Residual, residuals};
use ltv_engine::hazard::robust::robust;
use ltv_engine::hazard::{CoxFit, Design, Status, Ties};
use ltv_engine::model::Model;
use proptest::prelude::*;

use crate::{fitted, go_on};

#[derive(Debug, Clone)]
struct Subject {
    entry: f64,
    exit: f64,
    event: bool,
    weight: f64,
    offset: f64,
    stratum: &'static str,
    cluster: usize,
    x: [f64; 2],
}

fn subject() -> impl Strategy<Value = Subject> {
    let times = (0..4u8, 1..8u8, prop::bool::weighted(0.7));
    let labels = (prop::sample::select(vec!["a", "b"]), 0..6usize);
    (times, 1..5u8, -4..5i8, labels, (-3.0..3.0f64, prop::bool::ANY)).prop_map(
        |((entry, stay, event), weight, offset, (stratum, cluster), (x, flag))| Subject {
            entry: f64::from(entry),
            exit: f64::from(entry) + f64::from(stay),
            event,
            weight: f64::from(weight) / 2.0,
            offset: f64::from(offset) / 10.0,
            stratum,
            cluster,
            x: [(x * 100.0).round() / 100.0, f64::from(u8::from(flag))],
        },
    )
}

fn design(subjects: &[Subject]) -> Design {
    let mut design = Design::default();
    for subject in subjects {
        let cluster = subject.cluster.to_string();
        let row = Row {
            entry: subject.entry,
            exit: subject.exit,
            event: subject.event,
            weight: subject.weight,
            offset: subject.offset,
            stratum: Some(subject.stratum),
            cluster: Some(Some(&cluster)),
            x: &subject.x,
            ..Row::default()
        };
        design.push_row(&row).unwrap();
    }
    design
}

fn close(a: f64, b: f64, unit: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(unit)
}

fn all_close(a: &[f64], b: &[f64]) -> bool {
    let unit = a.iter().chain(b).fold(0.0, |largest: f64, value| largest.max(value.abs()));
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| close(*a, *b, unit))
}

/// A fit of which more can be said: it converged, and its likelihood is not so flat that its curvature is rounding.
fn regular(fit: &CoxFit) -> bool {
    fit.status == Status::Converged
        && fit.degrees_of_freedom == 2
        && (0..2).all(|i| fit.standard_error(i).is_some_and(|error| error < 100.0))
}

/// A robust covariance that is more than rounding: the scores of one cluster add up to nothing, those of two lie on a line.
fn has_a_sandwich(fit: &CoxFit) -> bool {
    let (robust, naive) = (&fit.robust.as_ref().unwrap().covariance, &fit.covariance);
    let determinant = robust[0] * robust[3] - robust[1] * robust[2];
    robust[0] > 1e-6 * naive[0] && robust[3] > 1e-6 * naive[3] && determinant > 1e-6 * robust[0] * robust[3]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn residuals_balance_within_strata_and_do_not_depend_on_the_order_of_rows(
        subjects in prop::collection::vec(subject(), 12..40), shift in 1..11usize, breslow in prop::bool::ANY,
    ) {
        let ties = if breslow { Ties::Breslow } else { Ties::Efron };
        let first = design(&subjects);
        let model = fitted(&first, ties, Some(true));
        prop_assume!(regular(&model));
        let martingale = residuals(&first, &model, Residual::Martingale, &mut go_on).unwrap();
        for stratum in ["a", "b"] {
            let of_stratum = subjects.iter().zip(&martingale.values).filter(|(subject, _)| subject.stratum == stratum);
            let sum: f64 = of_stratum.map(|(subject, residual)| subject.weight * residual).sum();
            prop_assert!(sum.abs() < 1e-9, "martingale residuals of {stratum} sum to {sum}");
        }
        let score = residuals(&first, &model, Residual::Score, &mut go_on).unwrap();
        for column in 0..2 {
            let sum: f64 = subjects.iter().zip(score.values.chunks(2)).map(|(subject, row)| subject.weight * row[column]).sum();
            prop_assert!(sum.abs() < 1e-6, "score residuals sum to {sum}");
        }

        let mut turned = subjects.clone();
        turned.rotate_left(shift % subjects.len());
        let second = design(&turned);
        let again = fitted(&second, ties, Some(true));
        let (one, other) = (model.robust.as_ref().unwrap(), again.robust.as_ref().unwrap());
        prop_assume!(has_a_sandwich(&model));
        prop_assert!(all_close(&one.covariance, &other.covariance));
        prop_assert!(close(one.wald_test, other.wald_test, 1e-6) && close(one.score_test, other.score_test, 1e-6));
        let mut dfbeta = residuals(&first, &model, Residual::Dfbeta, &mut go_on).unwrap().values;
        dfbeta.rotate_left(2 * (shift % subjects.len()));
        prop_assert!(all_close(&dfbeta, &residuals(&second, &again, Residual::Dfbeta, &mut go_on).unwrap().values));
        let mut rows = [&first, &second].map(|rows| Model::unnamed(model.clone(), 0).concordance(rows, &mut go_on).unwrap());
        let errors = rows.each_mut().map(|row| row.std_error.take().unwrap_or(0.0));
        prop_assert!(close(errors[0], errors[1], 1e-12));
        prop_assert_eq!(rows[0], rows[1]);
    }

    #[test]
    fn a_weight_of_two_in_a_cluster_is_the_row_twice_in_it(subjects in prop::collection::vec(subject(), 12..30)) {
        let mut heavy = subjects.clone();
        heavy.iter_mut().enumerate().for_each(|(i, subject)| (subject.weight, subject.cluster) = (2.0, i));
        let twice: Vec<Subject> =
            heavy.iter().flat_map(|subject| vec![Subject { weight: 1.0, ..subject.clone() }; 2]).collect();
        let (heavy, twice) = (design(&heavy), design(&twice));
        let (one, other) = (fitted(&heavy, Ties::Breslow, None), fitted(&twice, Ties::Breslow, None));
        prop_assume!(regular(&one) && has_a_sandwich(&one));
        let (robust, of_twice) = (one.robust.as_ref().unwrap(), other.robust.as_ref().unwrap());
        prop_assert!(all_close(&robust.covariance, &of_twice.covariance));
        prop_assert_eq!(robust.clusters, of_twice.clusters);
        prop_assert!(close(robust.score_test, of_twice.score_test, 1e-6));
    }

    /// The test is the score test at (β̂, 0) of rows that are cut at every event time, with x g(t) beside x: the score
    /// test of a model whose offset is β̂x.
    #[test]
    fn the_test_of_proportional_hazards_is_a_score_test_of_rows_in_pieces(
        subjects in prop::collection::vec(subject(), 12..30), breslow in prop::bool::ANY, log in prop::bool::ANY,
    ) {
        let ties = if breslow { Ties::Breslow } else { Ties::Efron };
        let whole = design(&subjects);
        let model = fit(&whole, ties, &mut go_on).unwrap();
        prop_assume!(regular(&model));
        let beta: Vec<f64> = model.coefficients.iter().map(|b| b.unwrap()).collect();
        let mut times: Vec<f64> = subjects.iter().filter(|subject| subject.event).map(|subject| subject.exit).collect();
        times.sort_unstable_by(f64::total_cmp);
        times.dedup();
        let mut pieces = Design::default();
        for subject in &subjects {
            let mut entry = subject.entry;
            for &time in times.iter().filter(|time| subject.entry < **time && **time <= subject.exit) {
                let clock = if log { time.ln() } else { time } - 4.0;
                let [a, b] = subject.x;
                let row = Row {
                    entry,
                    exit: time,
                    event: subject.event && time == subject.exit,
                    weight: subject.weight,
                    offset: subject.offset + beta[0] * a + beta[1] * b,
                    stratum: Some(subject.stratum),
                    x: &[a, b, a * clock, b * clock],
                    ..Row::default()
                };
                pieces.push_row(&row).unwrap();
                entry = time;
            }
        }
        let transform = if log { Transform::Log } else { Transform::Identity };
        let tests = proportional_hazards_test(&whole, &model, transform, &[vec![0], vec![1]], &mut go_on).unwrap();
        let extended = fit(&pieces, ties, &mut go_on).unwrap();
        match tests[2].chi_squared {
            Some(ours) if extended.degrees_of_freedom == 4 => {
                prop_assert!((ours - extended.score_test).abs() < 1e-6 * (1.0 + ours), "{ours} but {}", extended.score_test);
            }
            _ => {}
        }
    }

    #[test]
    fn a_concordance_varies_as_its_weights_do(subjects in prop::collection::vec(subject(), 5..25)) {
        let column = |value: fn(&Subject) -> f64| subjects.iter().map(value).collect::<Vec<f64>>();
        let exits = column(|s| s.exit);
        let events: Vec<bool> = subjects.iter().map(|subject| subject.event).collect();
        let (entries, weights) = (column(|s| s.entry), column(|s| s.weight));
        let risks = column(|s| s.x[0].round());
        let outcomes = Outcomes { exits: &exits, events: &events, entries: &entries, weights: &weights };
        let ours = estimated(outcomes, &risks, &[], &[], &mut go_on).unwrap();
        let counts = concordance(outcomes, &risks, &mut go_on).unwrap();
        prop_assert_eq!(ours.counts, counts);
        let Some(_) = counts.estimate() else {
            prop_assert_eq!(ours.std_error, None);
            return Ok(());
        };
        let step = 1e-4;
        let variance: f64 = (0..subjects.len()).map(|subject| {
            let with = |share: f64| {
                let mut weights = weights.clone();
                weights[subject] *= 1.0 + share;
                concordance(Outcomes { weights: &weights, ..outcomes }, &risks, &mut go_on).unwrap().estimate().unwrap()
            };
            ((with(step) - with(-step)) / (2.0 * step)).powi(2)
        }).sum();
        prop_assert!((ours.std_error.unwrap() - variance.sqrt()).abs() < 1e-6);

        // All in one cluster weigh more together: nothing changes.
        let together = estimated(outcomes, &risks, &[], &vec![Some(0); exits.len()], &mut go_on).unwrap();
        prop_assert!(together.std_error.unwrap() < 1e-12);
    }

    #[test]
    fn tests_do_not_depend_on_the_unit_of_time(subjects in prop::collection::vec(subject(), 12..30)) {
        let mut longer = subjects.clone();
        longer.iter_mut().for_each(|subject| (subject.entry, subject.exit) = (subject.entry * 7.0, subject.exit * 7.0));
        let (one, other) = (design(&subjects), design(&longer));
        let model = fit(&one, Ties::Efron, &mut go_on).unwrap();
        prop_assume!(regular(&model));
        for transform in [Transform::KaplanMeier, Transform::Rank, Transform::Identity, Transform::Log] {
            let test = |design| proportional_hazards_test(design, &model, transform, &[vec![0, 1]], &mut go_on).unwrap();
            let (one, other) = (test(&one), test(&other));
            prop_assert_eq!(one[0].chi_squared.is_some(), other[0].chi_squared.is_some());
            prop_assert!((one[0].chi_squared.unwrap_or(0.0) - other[0].chi_squared.unwrap_or(0.0)).abs() < 1e-7);
            prop_assert_eq!(one[0], one[1]);
        }
    }
}

fn plain(rows: &[(f64, bool, f64)]) -> Design {
    let mut design = Design::default();
    rows.iter().for_each(|(exit, event, x)| design.push(None, *exit, *event, 1.0, &[*x]).unwrap());
    design
}

#[test]
fn next_to_nothing_is_read_off_next_to_no_rows() {
    // No events: no residual but 0, no test, no concordance.
    let rows = plain(&[(1.0, false, 1.0), (2.0, false, 2.0)]);
    let model = fitted(&rows, Ties::Efron, Some(true));
    assert_eq!((model.robust.as_ref(), &model.status), (None, &Status::NoEvents));
    for kind in [Residual::Martingale, Residual::Deviance, Residual::Dfbeta, Residual::Dfbetas] {
        assert_eq!(residuals(&rows, &model, kind, &mut go_on).unwrap().values, [0.0, 0.0]);
    }
    let none = residuals(&rows, &model, Residual::Schoenfeld, &mut go_on).unwrap();
    assert!(none.rows.is_empty() && none.values.is_empty());
    let test = proportional_hazards_test(&rows, &model, Transform::KaplanMeier, &[vec![0]], &mut go_on).unwrap();
    assert!(test.iter().all(|test| test.chi_squared.is_none() && test.degrees_of_freedom == 0));
    let ordered = Model::unnamed(model, 0).concordance(&rows, &mut go_on).unwrap();
    assert_eq!((ordered.counts.estimate(), ordered.std_error), (None, None));

    // One event time: whether anything changes with time cannot be told.
    let rows = plain(&[(1.0, true, 1.0), (1.0, true, 0.0), (2.0, false, 0.5), (2.0, false, 2.0)]);
    let model = fitted(&rows, Ties::Efron, Some(true));
    let test = proportional_hazards_test(&rows, &model, Transform::Rank, &[vec![0]], &mut go_on).unwrap();
    assert_eq!(test[0].chi_squared, None);

    // A constant covariate has no coefficient, and no residual.
    let rows = plain(&[(1.0, true, 3.0), (2.0, true, 3.0), (3.0, false, 3.0)]);
    let model = fitted(&rows, Ties::Efron, Some(true));
    assert_eq!(model.robust, None);
    assert_eq!(residuals(&rows, &model, Residual::ScaledSchoenfeld, &mut go_on).unwrap().values, [0.0, 0.0]);
}

/// In SQL `''` stands for no stratum, where something that comes after it is to be told.
#[test]
fn a_stratum_without_a_name_is_none() {
    let mut rows = Design::default();
    for i in 0..12u32 {
        let x = [f64::from(i * 5 % 7)];
        let cluster = (i % 5).to_string();
        let (stratum, cluster) = (Some(""), Some(Some(cluster.as_str())));
        let row = Row { exit: f64::from(i), event: true, weight: 1.0, stratum, cluster, x: &x, ..Row::default() };
        rows.push_row(&row).unwrap();
    }
    let model = fitted(&rows, Ties::Efron, None);
    assert!(rows.strata().is_empty() && model.strata.is_empty() && model.robust.is_some());
    assert_eq!(Model::unnamed(model, 0).features.len(), 1);
    let row = Row { exit: 3.0, weight: 1.0, stratum: Some("a"), cluster: Some(None), x: &[1.0], ..Row::default() };
    rows.push_row(&row).unwrap();
    assert_eq!((rows.strata().len(), rows.strata().names().len()), (13, 2));
}

#[test]
fn a_separated_fit_is_read_without_infinities() {
    let rows: Vec<(f64, bool, f64)> = (1..=6).map(|i| (f64::from(i), i < 4, f64::from(i32::from(i < 4)))).collect();
    let rows = plain(&rows);
    let model = fitted(&rows, Ties::Efron, Some(true));
    assert!(matches!(model.status, Status::Separated { .. }));
    for kind in ["martingale", "deviance", "score", "schoenfeld", "scaled-schoenfeld", "dfbeta", "dfbetas"] {
        let values = residuals(&rows, &model, kind.parse().unwrap(), &mut go_on).unwrap().values;
        assert!(values.iter().all(|value| value.is_finite()), "{kind}: {values:?}");
    }
    assert!(Model::unnamed(model, 0).validate().is_ok());
}

/// An event that the model thought all but impossible: its martingale residual is 1 to the last digit, its deviance
/// residual is √(2 (H − 1 − ln H)) all the same.
#[test]
fn the_deviance_of_an_event_of_a_tiny_hazard_is_finite() {
    let mut rows = Design::default();
    for i in 1..=8u32 {
        let offset = if i == 2 { -60.0 } else { 0.0 };
        let x = [f64::from(i * 5 % 7)];
        let row = Row { exit: f64::from(i), event: i % 3 > 0, weight: 1.0, offset, x: &x, ..Row::default() };
        rows.push_row(&row).unwrap();
    }
    let model = fitted(&rows, Ties::Efron, Some(false));
    let martingale = residuals(&rows, &model, Residual::Martingale, &mut go_on).unwrap().values;
    assert_eq!(martingale[1].to_bits(), 1.0f64.to_bits());
    let deviance = residuals(&rows, &model, Residual::Deviance, &mut go_on).unwrap().values;
    assert!((10.0..12.0).contains(&deviance[1]), "{deviance:?}");
}

#[test]
fn fewer_clusters_than_covariates_leave_predictions_the_covariance_of_the_model() {
    let mut rows = Design::default();
    for i in 0..30u32 {
        let x = [f64::from(i * 7 % 11), f64::from(i * 5 % 13), f64::from(i % 3)];
        let cluster = if i % 2 == 0 { "odd" } else { "even" };
        let exit = f64::from(1 + i * 17 % 31);
        let row = Row { exit, event: i % 4 > 0, weight: 1.0, cluster: Some(Some(cluster)), x: &x, ..Row::default() };
        rows.push_row(&row).unwrap();
    }
    let (model, robust) = (fitted(&rows, Ties::Efron, Some(false)), fitted(&rows, Ties::Efron, None));
    assert_eq!(robust.robust.as_ref().unwrap().clusters, 2);
    let x = [1.0, 2.0, 0.0];
    assert_eq!(model.curve(&model.baselines[0], &x).loadings, robust.curve(&robust.baselines[0], &x).loadings);

    // With clusters enough the robust one is taken.
    let enough = fitted(&rows, Ties::Efron, Some(false));
    let mut free = Design::default();
    for (i, x) in rows.x().chunks(3).enumerate() {
        free.push(None, rows.exits()[i], rows.events()[i], 1.0, x).unwrap();
    }
    let free = fitted(&free, Ties::Efron, Some(true));
    assert_ne!(enough.curve(&enough.baselines[0], &x).loadings, free.curve(&free.baselines[0], &x).loadings);
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let rows = plain(&[(1.0, true, 1.0), (2.0, true, 0.0), (3.0, false, 0.5), (4.0, true, 2.0)]);
    let model = fitted(&rows, Ties::Efron, None);
    let other = plain(&[(1.0, true, 1.0), (2.0, true, 0.0), (3.0, false, 0.5)]);
    let refused = |result: ltv_engine::Result<()>, words: &str| match result {
        Err(Error::Invalid { message, .. }) => assert!(message.contains(words), "{message}"),
        other => panic!("{other:?} instead of \"{words}\""),
    };
    refused(residuals(&other, &model, Residual::Score, &mut go_on).map(drop), "fitted to 4 rows with 3 events");
    refused(robust(&other, &model, Some(true), &mut go_on).map(drop), "fitted to 4 rows");
    refused(proportional_hazards_test(&other, &model, Transform::Log, &[], &mut go_on).map(drop), "fitted to 4 rows");
    refused("dfbeat".parse::<Residual>().map(drop), "\"dfbeat\" is not a kind of residual");
    refused("sqrt".parse::<Transform>().map(drop), "\"sqrt\" is not a transform");

    let at_zero = plain(&[(0.0, true, 1.0), (2.0, true, 0.0), (3.0, true, 0.5), (4.0, false, 2.0)]);
    let fit = fitted(&at_zero, Ties::Efron, None);
    refused(proportional_hazards_test(&at_zero, &fit, Transform::Log, &[], &mut go_on).map(drop), "time 0");

    let model = Model::unnamed(model, 0);
    let named = model.proportional_hazards_test(&rows, Transform::Rank, Some(&["a".into(), "b".into()]), &mut go_on);
    refused(named.map(drop), "2 names for 1 covariates");
    let mut wide = Design::default();
    wide.push(None, 1.0, true, 1.0, &[1.0, 2.0]).unwrap();
    refused(model.concordance(&wide, &mut go_on).map(drop), "the model has 1 covariates, the design 2");
    // Another design with the same covariates is welcome.
    assert!(model.concordance(&other, &mut go_on).unwrap().counts.estimate().is_some());
}
