//! What must hold for any rows.

use proptest::prelude::*;

use ltv_engine::numeric::tally::Budget;
use ltv_engine::survival::aalen_johansen::{self, IncidenceRow, Variance};
use ltv_engine::survival::gray::gray_test;
use ltv_engine::survival::kaplan_meier::{self, Transform};
use ltv_engine::survival::{Incidence, Sample, packed};

use crate::incidence::go_on;

const UNLIMITED: Budget = Budget::UNLIMITED;

#[derive(Debug, Clone, Copy)]
struct Row {
    entry: f64,
    time: f64,
    cause: i32,
    weight: f64,
}

fn row() -> impl Strategy<Value = Row> {
    let times = prop_oneof![(0u32..40).prop_map(f64::from), (0u32..320).prop_map(|eighths| f64::from(eighths) / 8.0)];
    let weight = prop_oneof![3 => Just(1.0), 1 => (1u8..5).prop_map(f64::from)];
    (times.clone(), times, prop_oneof![4 => 0i32..4, 1 => Just(255)], weight).prop_map(|(a, b, cause, weight)| {
        let (entry, time) = if a < b { (a, b) } else { (0.0, a) };
        Row { entry, time, cause, weight }
    })
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec(row(), 1..120)
}

fn gathered(rows: &[Row]) -> Incidence {
    let mut incidence = Incidence::default();
    for row in rows {
        incidence.add_row(row.entry, row.time, row.cause, row.weight, UNLIMITED).expect("a valid row");
    }
    incidence
}

fn curve(incidence: &Incidence, variance: Variance) -> Vec<IncidenceRow> {
    let causes: Vec<usize> = incidence.causes().collect();
    aalen_johansen::curve(incidence, &causes, None, (1.96, Transform::LogLog, variance), &mut go_on).expect("a curve")
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-12 + 1e-10 * b.abs()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn order_split_and_storage_do_not_matter(rows in rows(), cut in 0usize..120) {
        let whole = gathered(&rows);
        let backwards: Vec<Row> = rows.iter().rev().copied().collect();
        prop_assert_eq!(&gathered(&backwards), &whole);
        let cut = cut.min(rows.len());
        for (first, second) in [(&rows[..cut], &rows[cut..]), (&rows[cut..], &rows[..cut])] {
            let mut merged = gathered(first);
            merged.merge(&gathered(second), UNLIMITED).unwrap();
            prop_assert_eq!(&merged, &whole);
        }
        prop_assert_eq!(&Incidence::decode(&whole.encode()).unwrap(), &whole);
        let parts = Incidence::from_parts(whole.exits().to_vec(), whole.entries().clone(), whole.skipped(), false);
        prop_assert_eq!(parts.unwrap(), whole);
    }

    #[test]
    fn fractional_weights_are_remembered_and_no_curve_forgets_them(rows in rows(), weight in 0.1f64..0.9) {
        let mut incidence = gathered(&rows);
        incidence.add_row(0.0, 3.0, 1, weight, UNLIMITED).unwrap();
        let mut merged = Incidence::default();
        merged.merge(&Incidence::decode(&incidence.encode()).unwrap(), UNLIMITED).unwrap();
        prop_assert!(merged.is_fractional() && merged == incidence);
        prop_assert!(merged.event_free().is_err() && merged.of_cause(1).is_err());
        prop_assert!(!curve(&merged, Variance::Greenwood).is_empty());
    }

    #[test]
    fn damaged_bytes_are_refused_or_counts(rows in rows(), at in 0usize..2000, byte in any::<u8>()) {
        let mut bytes = gathered(&rows).encode();
        let at = at % bytes.len();
        let _ = Incidence::decode(&bytes[..at]);
        bytes[at] = byte;
        if let Ok(incidence) = Incidence::decode(&bytes) {
            curve(&incidence, Variance::Greenwood);
        }
    }

    #[test]
    fn a_packed_group_is_its_rows(rows in prop::collection::vec((0u16..60, 0u8..4), 0..8)) {
        let (mut bytes, mut direct) = (packed::start(), Incidence::default());
        for (time, cause) in rows {
            assert!(packed::add_cause(&mut bytes, f64::from(time) / 4.0, cause).unwrap());
            direct.add(f64::from(time) / 4.0, i32::from(cause), UNLIMITED).unwrap();
        }
        packed::skip(&mut bytes);
        direct.skip();
        prop_assert_eq!(Incidence::decode(&bytes).unwrap(), direct);
    }

    #[test]
    fn incidences_and_survival_add_up_to_one(rows in rows()) {
        let incidence = gathered(&rows);
        let Some(event_free) = kaplan_meier::steps(&incidence.event_free().unwrap()) else { return Ok(()) };
        let rows = curve(&incidence, Variance::Greenwood);
        for at_once in rows.chunk_by(|a, b| a.time == b.time) {
            let Some(alive) = event_free.survival_at(at_once[0].time) else { continue };
            let ended: f64 = at_once.iter().filter_map(|row| Some(row.estimate?.survival)).sum();
            prop_assert!(close(ended + alive, 1.0), "{} + {} at {}", ended, alive, at_once[0].time);
        }
        for (row, aalen) in rows.iter().zip(curve(&incidence, Variance::Aalen)) {
            for row in [row, &aalen] {
                let Some(estimate) = row.estimate else { continue };
                prop_assert!((0.0..=1.0).contains(&estimate.survival));
                if let (Some(lower), Some(upper)) = (estimate.lower, estimate.upper) {
                    prop_assert!(lower <= estimate.survival && estimate.survival <= upper);
                }
            }
        }
        let tau = event_free.max_followup;
        if tau > 0.0 {
            let mut total = event_free.restricted_mean(tau).unwrap().unwrap();
            for cause in incidence.causes() {
                total += aalen_johansen::time_lost(&incidence, tau, cause as i32, &mut go_on).unwrap().unwrap().0;
            }
            prop_assert!(close(total, tau));
        }
    }

    #[test]
    fn one_cause_is_the_complement_of_kaplan_meier(mut rows in rows()) {
        rows.iter_mut().for_each(|row| row.cause = row.cause.min(1));
        let incidence = gathered(&rows);
        let mut sample = Sample::default();
        for row in &rows {
            sample.add_row(row.entry, row.time, row.cause == 1, row.weight, UNLIMITED).unwrap();
        }
        // Whole weights are repetitions, whose squares only a sample keeps.
        for counts in [incidence.event_free().unwrap(), incidence.of_cause(1).unwrap()] {
            prop_assert_eq!((counts.exits(), counts.entries()), (sample.exits(), sample.entries()));
        }
        let Some(steps) = kaplan_meier::steps(&sample) else { return Ok(()) };
        for row in curve(&incidence, Variance::Greenwood) {
            let alive = steps.survival_at(row.time).unwrap();
            let estimate = row.estimate.unwrap();
            prop_assert!(close(estimate.survival, 1.0 - alive));
            if let Some(log_variance) = steps.log_variance_at(row.time) {
                prop_assert!(close(estimate.std_error.unwrap(), alive * log_variance.sqrt()));
            }
        }
    }

    #[test]
    fn weights_are_repetitions_and_the_unit_of_time_is_free(rows in rows(), scale in 1u8..60) {
        let repeated: Vec<Row> =
            rows.iter().flat_map(|row| vec![Row { weight: 1.0, ..*row }; row.weight as usize]).collect();
        prop_assert_eq!(gathered(&repeated), gathered(&rows));
        let scale = f64::from(scale) / 8.0;
        let stretched: Vec<Row> =
            rows.iter().map(|row| Row { entry: row.entry * scale, time: row.time * scale, ..*row }).collect();
        let (one, other) = (curve(&gathered(&rows), Variance::Aalen), curve(&gathered(&stretched), Variance::Aalen));
        prop_assert_eq!(one.len(), other.len());
        for (one, other) in one.iter().zip(&other) {
            prop_assert_eq!((one.time * scale, one.estimate, one.events), (other.time, other.estimate, other.events));
        }
    }

    #[test]
    fn grays_test_knows_no_order_of_groups(rows in rows(), others in rows()) {
        let from_start = |rows: &[Row]| gathered(&rows.iter().map(|row| Row { entry: 0.0, ..*row }).collect::<Vec<_>>());
        let (a, b) = (from_start(&rows), from_start(&others));
        let test = |groups: &[&Incidence], rho| gray_test(groups, 1, rho, &mut go_on).unwrap();
        for rho in [0.0, 1.0, -1.0] {
            let (one, other) = (test(&[&a, &b], rho), test(&[&b, &a], rho));
            prop_assert_eq!(one.df, other.df);
            if let (Some(one), Some(other)) = (one.chi_squared, other.chi_squared) {
                prop_assert!((one - other).abs() <= 1e-9 * one.max(1.0), "{} {}", one, other);
                prop_assert!(one >= 0.0);
            }
        }
    }
}

#[test]
fn groups_that_are_the_same_do_not_differ() {
    let rows: Vec<Row> =
        (0..60).map(|i| Row { entry: 0.0, time: f64::from(i % 17), cause: i % 3, weight: 1.0 }).collect();
    let group = gathered(&rows);
    let test = gray_test(&[&group, &group, &group], 1, 0.0, &mut go_on).unwrap();
    assert!(test.chi_squared.unwrap() < 1e-20 && test.df == 2 && test.p_value.unwrap() > 1.0 - 1e-12);
}

#[test]
fn odd_input_is_refused_in_words_or_undefined() {
    let empty = Incidence::default();
    assert_eq!(aalen_johansen::incidence_at(&empty, 1.0, 1, &mut go_on).unwrap(), None);
    assert_eq!(aalen_johansen::time_lost(&empty, 1.0, 1, &mut go_on).unwrap(), None);
    assert!(curve(&empty, Variance::Greenwood).is_empty());
    assert_eq!(gray_test(&[], 1, 0.0, &mut go_on).unwrap().chi_squared, None);
    assert_eq!(gray_test(&[&empty, &empty], 1, 0.0, &mut go_on).unwrap().chi_squared, None);
    let mut one = Incidence::default();
    one.add(3.0, 2, UNLIMITED).unwrap();
    assert_eq!(aalen_johansen::incidence_at(&one, 2.0, 1, &mut go_on).unwrap(), Some(0.0));
    // Nobody is left: what has been stays for ever.
    assert_eq!(aalen_johansen::incidence_at(&one, 99.0, 2, &mut go_on).unwrap(), Some(1.0));
    one.add(5.0, 0, UNLIMITED).unwrap();
    assert_eq!(aalen_johansen::incidence_at(&one, 5.0, 2, &mut go_on).unwrap(), Some(0.5));
    assert_eq!(aalen_johansen::incidence_at(&one, 5.5, 2, &mut go_on).unwrap(), None);
    for cause in [-1, 0, 256, i32::MAX, i32::MIN] {
        assert!(aalen_johansen::incidence_at(&one, 1.0, cause, &mut go_on).is_err());
        assert!(one.of_cause(cause).is_err());
        assert!(gray_test(&[&one], cause, 0.0, &mut go_on).is_err());
        assert_eq!(one.clone().add(1.0, cause, UNLIMITED).is_err(), cause != 0);
    }
    for t in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(aalen_johansen::incidence_at(&one, t, 1, &mut go_on).is_err());
        assert!(aalen_johansen::time_lost(&one, t, 1, &mut go_on).is_err());
        assert!(one.clone().add(t, 1, UNLIMITED).is_err());
    }
    assert!(gray_test(&[&one, &one], 1, f64::NAN, &mut go_on).is_err());
    one.add_row(1.0, 2.0, 1, 1.0, UNLIMITED).unwrap();
    assert!(
        gray_test(&[&one, &one], 1, 0.0, &mut go_on).unwrap_err().to_string().contains("observed from their start")
    );
    assert!("exact".parse::<Variance>().is_err());
}
