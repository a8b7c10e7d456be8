//! What must hold of any rows.

use ltv_engine::amount::{AmountFit, Family, Options, fit_tweedie_with, fit_two_part, fit_with};
use ltv_engine::hazard::design::Row;
use ltv_engine::hazard::discrete::{self, Shape};
use ltv_engine::hazard::sandwich::Clustered;
use ltv_engine::hazard::{Design, DiscreteFit, Link, ParametricFit, Status, parametric};
use ltv_engine::survival::distribution::Distribution;
use proptest::prelude::*;

use crate::go_on;

/// Outcome, weight, covariates, cluster.
type Decision = (bool, u8, [f64; 2], Option<u8>);

fn decision() -> impl Strategy<Value = Decision> {
    let cluster = prop_oneof![4 => (0u8..12).prop_map(Some), 1 => Just(None)];
    (any::<bool>(), 1u8..4, -2.0f64..2.0, any::<bool>(), cluster).prop_map(|(event, weight, x, group, cluster)| {
        // Those of one cluster are alike: its number moves the outcome.
        let event = event ^ cluster.is_some_and(|cluster| cluster % 4 == 0 && x > -1.0);
        (event, weight, [x, f64::from(u8::from(group))], cluster)
    })
}

fn named(cluster: Option<u8>) -> Option<String> {
    cluster.map(|cluster| format!("account {cluster}"))
}

/// The rows as times, whose event is the outcome, or as amounts.
fn gathered<'a>(rows: impl IntoIterator<Item = &'a (Decision, f64)>, amounts: bool) -> Design {
    let mut design = Design::default();
    for (at, ((event, weight, x, cluster), weight_of_one)) in rows.into_iter().enumerate() {
        let (name, weight) = (named(*cluster), f64::from(*weight) * weight_of_one);
        let exit = 1.0 + (x[0].abs() * 3.0).floor();
        match amounts {
            true => {
                let amount = if *event { exit + 0.25 * x[1] } else { 0.5 + x[0] * x[0] };
                design.push_clustered_amount(amount, weight, 0.0, Some(name.as_deref()), x).unwrap();
            }
            false => {
                let row = Row { exit, event: *event, weight, cluster: Some(name.as_deref()), x, ..Row::default() };
                design.push_row(&row).unwrap();
            }
        }
        assert_eq!(design.len(), at + 1);
    }
    design
}

fn once(rows: &[Decision]) -> Vec<(Decision, f64)> {
    rows.iter().map(|row| (*row, 1.0)).collect()
}

/// What is compared of a fit: its status, the covariance with what surrounds it, and what is kept beside.
struct Seen {
    status: Status,
    covariance: Vec<f64>,
    of_a_row: f64,
    clustered: Option<Clustered>,
}

const X: [f64; 2] = [0.3, 1.0];

fn decisions(fit: &DiscreteFit) -> Seen {
    let curve = if fit.periods() == 1 { fit.renewal_curve(&X) } else { fit.curve(&X) };
    let of_a_row = curve.std_error(curve.times.len() - 1).unwrap_or(0.0);
    Seen { status: fit.status.clone(), covariance: fit.covariance.clone(), of_a_row, clustered: fit.clustered.clone() }
}

fn amounts(fit: &AmountFit) -> Seen {
    let of_a_row = fit.variance(&X).unwrap_or(0.0).sqrt();
    Seen { status: fit.status.clone(), covariance: fit.covariance.clone(), of_a_row, clustered: fit.clustered.clone() }
}

fn times(fit: &ParametricFit) -> Seen {
    let of_a_row = fit.curve(&X).covariance.first().map_or(0.0, |variance| variance.sqrt());
    Seen { status: fit.status.clone(), covariance: fit.covariance.clone(), of_a_row, clustered: fit.clustered.clone() }
}

fn options(link: Link, shape: Shape, robust: Option<bool>) -> discrete::Options {
    discrete::Options { link, shape, robust, ..Default::default() }
}

/// Every kind of fit of the same rows; none where the rows are none that it can have.
fn all(times_of: &Design, amounts_of: &Design, robust: Option<bool>) -> Vec<Seen> {
    let mut seen = Vec::new();
    for link in [Link::Logit, Link::Cloglog] {
        let single = options(link, Shape::Period, robust);
        seen.extend(discrete::fit_decisions(times_of, &single, &mut go_on).map(|fit| decisions(&fit)));
        for shape in [Shape::Period, Shape::Linear] {
            let several = options(link, shape, robust);
            seen.extend(discrete::fit(times_of, &several, &mut go_on).map(|fit| decisions(&fit)));
        }
    }
    for family in [Family::Linear, Family::Gamma, Family::Tweedie { power: 1.4 }] {
        let of = Options { family, penalty: 0.0 };
        seen.extend(fit_with(amounts_of, &of, robust, &mut go_on).map(|fit| amounts(&fit)));
    }
    let weibull = parametric::fit_with(times_of, &Distribution::Weibull, &[0, 1], &[], robust, &mut go_on);
    seen.extend(weibull.map(|fit| times(&fit)));
    seen
}

fn close(a: f64, b: f64, scale: f64) -> bool {
    (a - b).abs() <= 1e-6 * (scale + a.abs().max(b.abs()))
}

fn same(one: &[Seen], other: &[Seen]) -> Result<(), TestCaseError> {
    prop_assert_eq!(one.len(), other.len());
    for (one, other) in one.iter().zip(other) {
        if one.status != Status::Converged || other.status != Status::Converged {
            continue;
        }
        prop_assert_eq!(one.clustered.is_some(), other.clustered.is_some());
        // At the edge of full rank rounding may decide.
        let used = |seen: &Seen| seen.clustered.as_ref().is_none_or(Clustered::is_used);
        if used(one) != used(other) {
            continue;
        }
        let scale = one.covariance.iter().fold(0.0, |a: f64, b| a.max(b.abs()));
        for (a, b) in one.covariance.iter().zip(&other.covariance) {
            prop_assert!(close(*a, *b, scale), "{a} {b} of {scale}");
        }
        prop_assert!(close(one.of_a_row, other.of_a_row, scale.sqrt()), "{} {}", one.of_a_row, other.of_a_row);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_weight_is_so_many_rows_of_the_cluster(rows in prop::collection::vec(decision(), 40..90)) {
        // A row without a cluster is one, whatever its weight: those have weight 1.
        let rows: Vec<Decision> = rows.into_iter().map(|(e, w, x, c)| (e, if c.is_none() { 1 } else { w }, x, c)).collect();
        let repeated: Vec<(Decision, f64)> = rows
            .iter()
            .flat_map(|(event, weight, x, cluster)| vec![((*event, 1, *x, *cluster), 1.0); usize::from(*weight)])
            .collect();
        let weighted = once(&rows);
        let one = all(&gathered(&weighted, false), &gathered(&weighted, true), None);
        let other = all(&gathered(&repeated, false), &gathered(&repeated, true), None);
        same(&one, &other)?;
    }

    #[test]
    fn neither_the_order_nor_the_parts_matter(rows in prop::collection::vec(decision(), 40..90), cut in 1usize..39) {
        let rows = once(&rows);
        let whole = all(&gathered(&rows, false), &gathered(&rows, true), None);
        let merged = |amounts: bool| {
            let mut parts = gathered(rows[cut..].iter().rev(), amounts);
            parts.merge(&gathered(&rows[..cut], amounts)).unwrap();
            // As the bytes of which it is made on the way.
            Design::decode(&parts.encode()).unwrap()
        };
        same(&whole, &all(&merged(false), &merged(true), None))?;
    }

    #[test]
    fn rows_that_are_their_own_clusters_have_whites_errors(rows in prop::collection::vec(decision(), 40..90)) {
        // By name, by having none, and by asking for it without clusters.
        let own: Vec<(Decision, f64)> =
            (0u8..).zip(&rows).map(|(at, (event, weight, x, _))| ((*event, *weight, *x, Some(at)), 1.0)).collect();
        let none: Vec<(Decision, f64)> = rows.iter().map(|(event, weight, x, _)| ((*event, *weight, *x, None), 1.0)).collect();
        let one = all(&gathered(&own, false), &gathered(&own, true), None);
        let other = all(&gathered(&none, false), &gathered(&none, true), Some(true));
        for (one, other) in one.iter().zip(&other) {
            prop_assert_eq!(one.clustered.as_ref().map(|c| c.clusters), other.clustered.as_ref().map(|c| c.clusters));
        }
        same(&one, &other)?;
        // Without being asked nothing is by clusters where no row has one.
        let unasked = all(&gathered(&none, false), &gathered(&none, true), None);
        prop_assert!(unasked.iter().all(|seen| seen.clustered.is_none()));
        let refused = all(&gathered(&own, false), &gathered(&own, true), Some(false));
        same(&unasked, &refused)?;
    }

    #[test]
    fn rows_told_twice_in_a_cluster_tell_nothing_new(rows in prop::collection::vec(decision(), 40..90)) {
        // Each row twice in a cluster of its own: no news, so that the errors by clusters are those of the rows once.
        let once: Vec<(Decision, f64)> = (0u8..).zip(&rows).map(|(at, (e, _, x, _))| ((*e, 1, *x, Some(at)), 1.0)).collect();
        let twice: Vec<(Decision, f64)> = once.iter().flat_map(|row| [*row, *row]).collect();
        same(&all(&gathered(&once, false), &gathered(&once, true), None), &all(&gathered(&twice, false), &gathered(&twice, true), None))?;
    }
}

fn of(clusters: &[Option<u8>]) -> Vec<(Decision, f64)> {
    let one = |(i, cluster): (usize, &Option<u8>)| {
        let x = [(i * 7 % 11) as f64 / 5.0 - 1.0, f64::from(u8::from(i % 3 == 0))];
        (((i * 5) % 7 < 3, 1, x, *cluster), 1.0)
    };
    clusters.iter().enumerate().map(one).collect()
}

#[test]
fn fewer_clusters_than_coefficients_leave_what_is_said_of_rows_to_the_model() {
    let rows = of(&(0..60u8).map(|i| Some(i % 2)).collect::<Vec<_>>());
    let (times_of, amounts_of) = (gathered(&rows, false), gathered(&rows, true));
    let (by, without) = (all(&times_of, &amounts_of, None), all(&times_of, &amounts_of, Some(false)));
    assert_eq!(by.len(), 10);
    for (by, without) in by.iter().zip(&without) {
        let clustered = by.clustered.as_ref().unwrap();
        assert!(!clustered.is_used() && clustered.clusters == 2);
        assert!(clustered.aside.iter().any(|error| *error > 0.0));
        assert_eq!((&by.covariance, by.of_a_row), (&without.covariance, without.of_a_row));
    }
}

#[test]
fn what_has_no_errors_by_clusters_says_so() {
    let rows = of(&(0..60u8).map(|i| Some(i % 9)).collect::<Vec<_>>());
    let (times_of, amounts_of) = (gathered(&rows, false), gathered(&rows, true));
    let message = |said: String| assert!(said.contains("no robust variance"), "{said}");
    let ridge = discrete::Options { penalty: 1.0, ..Default::default() };
    message(discrete::fit_decisions(&times_of, &ridge, &mut go_on).unwrap_err().to_string());
    message(discrete::fit(&times_of, &ridge, &mut go_on).unwrap_err().to_string());
    let penalised = Options { family: Family::Gamma, penalty: 1.0 };
    message(fit_with(&amounts_of, &penalised, None, &mut go_on).unwrap_err().to_string());
    message(fit_tweedie_with(&amounts_of, 1.0, None, &mut go_on).unwrap_err().to_string());
    let plain = Options { family: Family::Gamma, penalty: 0.0 };
    message(fit_two_part(&amounts_of, &plain, 0.0, &mut go_on).unwrap_err().to_string());
    // A penalty is no matter where errors are not to be by clusters.
    assert!(
        discrete::fit_decisions(&times_of, &discrete::Options { robust: Some(false), ..ridge }, &mut go_on).is_ok()
    );
    assert!(fit_with(&amounts_of, &penalised, Some(false), &mut go_on).is_ok());
}

#[test]
fn a_joint_covariance_of_very_many_periods_is_refused() {
    let mut design = Design::default();
    for i in 0..400u32 {
        let name = format!("{}", i % 40);
        let x = [f64::from(i % 7)];
        let row = Row {
            exit: f64::from(i + 1),
            event: i % 2 == 0,
            cluster: Some(Some(&name)),
            weight: 1.0,
            x: &x,
            ..Row::default()
        };
        design.push_row(&row).unwrap();
    }
    let said = discrete::fit(&design, &options(Link::Logit, Shape::Period, None), &mut go_on).unwrap_err().to_string();
    assert!(said.contains("too many for errors by clusters"), "{said}");
    let smooth = discrete::fit(&design, &options(Link::Logit, Shape::Linear, None), &mut go_on).unwrap();
    assert_eq!(smooth.clustered.unwrap().clusters, 40);
}

#[test]
fn some_rows_of_amounts_with_a_cluster_are_an_error() {
    let mut design = Design::default();
    design.push_amount(1.0, 1.0, 0.0, &[1.0]).unwrap();
    assert!(design.push_clustered_amount(1.0, 1.0, 0.0, Some(None), &[1.0]).is_err());
    let mut clustered = Design::default();
    clustered.push_clustered_amount(1.0, 1.0, 0.0, Some(None), &[1.0]).unwrap();
    assert!(clustered.push_amount(1.0, 1.0, 0.0, &[1.0]).is_err());
    assert!(clustered.merge(&design).is_err());
}
