//! What must hold for every summary of groups and every test on it.

use proptest::prelude::*;

use ltv_engine::Error;
use ltv_engine::numeric::multiple::{Adjustment, adjusted};
use ltv_engine::numeric::tally::Budget;
use ltv_engine::survival::grouped::{Grouped, Label, LabelRef, MOST_CELLS, Row};
use ltv_engine::survival::grouped_tests::{by_group, equal_steps, pairs, test};
use ltv_engine::survival::log_rank::{LogRank, Weighting, log_rank};
use ltv_engine::survival::{Sample, codec};

const FAMILIES: [Weighting; 5] = [
    Weighting::LogRank,
    Weighting::Wilcoxon,
    Weighting::TaroneWare,
    Weighting::Peto,
    Weighting::FlemingHarrington { p: 0.5, q: 1.0 },
];

#[derive(Debug, Clone)]
struct Subject {
    stratum: Option<String>,
    group: Name,
    entry: f64,
    duration: f64,
    event: bool,
    weight: f64,
}

#[derive(Debug, Clone)]
enum Name {
    Text(String),
    Number(i64),
}

fn subject() -> impl Strategy<Value = Subject> {
    let group = prop_oneof![
        4 => "[ab]".prop_map(Name::Text),
        1 => "(ü|a){0,12}".prop_map(Name::Text),
        1 => (-1i64..2).prop_map(Name::Number),
    ];
    let stratum = prop_oneof![Just(None), Just(Some(String::new())), "[xy]".prop_map(Some)];
    let weight = prop_oneof![3 => Just(1.0), 1 => (1u8..5).prop_map(f64::from)];
    (stratum, group, 0u32..20, 0u32..20, any::<bool>(), weight).prop_map(|(stratum, group, a, b, event, weight)| {
        let (entry, duration) = if a < b { (a, b) } else { (0, a) };
        Subject { stratum, group, entry: f64::from(entry) / 2.0, duration: f64::from(duration) / 2.0, event, weight }
    })
}

fn add(grouped: &mut Grouped, subject: &Subject) {
    let row = Row {
        stratum: subject.stratum.as_ref().map_or(LabelRef::None, |name| LabelRef::Text(name.as_bytes())),
        group: match &subject.group {
            Name::Text(name) => LabelRef::Text(name.as_bytes()),
            Name::Number(value) => LabelRef::Integer(*value),
        },
        entry: subject.entry,
        duration: subject.duration,
        event: subject.event,
        weight: subject.weight,
    };
    grouped.add(&row, || Budget::UNLIMITED).expect("a valid row");
}

fn grouped<'a>(subjects: impl IntoIterator<Item = &'a Subject>) -> Grouped {
    let mut grouped = Grouped::default();
    subjects.into_iter().for_each(|subject| add(&mut grouped, subject));
    grouped
}

fn tested(grouped: &Grouped, weighting: Weighting) -> LogRank {
    test(grouped, weighting, |_| Ok(())).expect("no budget")
}

fn near(a: Option<f64>, b: Option<f64>, tolerance: f64) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= tolerance * b.abs().max(1e-3),
        (a, b) => a == b,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn order_split_and_bytes_do_not_matter(rows in prop::collection::vec(subject(), 0..60), cut in any::<prop::sample::Index>(), left_out in 0u8..3) {
        let mut whole = grouped(&rows);
        let backwards = grouped(rows.iter().rev());
        prop_assert_eq!(&whole, &backwards);
        prop_assert_eq!(whole.encode(), backwards.encode());
        let cut = cut.index(rows.len() + 1);
        let (mut first, second) = (grouped(&rows[..cut]), grouped(&rows[cut..]));
        first.merge(&second, Budget::UNLIMITED).unwrap();
        prop_assert_eq!(first.encode(), whole.encode());
        for _ in 0..left_out { whole.skip(); }
        let back = Grouped::decode(&whole.encode()).unwrap();
        prop_assert_eq!(&back, &whole);
        prop_assert_eq!(back.skipped(), u64::from(left_out));
        // Each cell is the sample that survival_agg would have made.
        for cell in whole.sorted() {
            let mut sample = Sample::default();
            let of_the_cell = |subject: &&Subject| {
                let name = match &subject.group { Name::Text(name) => Label::Text(name.as_str().into()), Name::Number(value) => Label::Integer(*value) };
                let stratum = subject.stratum.as_ref().map_or(Label::None, |name| Label::Text(name.as_str().into()));
                name == cell.group && stratum == cell.stratum
            };
            for row in rows.iter().filter(of_the_cell) {
                sample.add_row(row.entry, row.duration, row.event, row.weight, Budget::UNLIMITED).unwrap();
            }
            prop_assert_eq!(codec::encode_sample(&cell.sample), codec::encode_sample(&sample));
        }
    }

    #[test]
    fn damaged_bytes_never_panic(rows in prop::collection::vec(subject(), 0..20), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5), cut in any::<prop::sample::Index>(), truncate in any::<bool>()) {
        let mut bytes = grouped(&rows).encode();
        for (at, byte) in changes { let at = at.index(bytes.len()); bytes[at] = byte; }
        if truncate { bytes.truncate(cut.index(bytes.len() + 1)); }
        let Ok(accepted) = Grouped::decode(&bytes) else { return Ok(()) };
        prop_assert_eq!(Grouped::decode(&accepted.encode()), Ok(accepted.clone()));
        for weighting in FAMILIES {
            let test = tested(&accepted, weighting);
            prop_assert!(test.chi_squared.is_none_or(f64::is_finite) && test.p_value.is_none_or(f64::is_finite));
            let groups = accepted.groups().len();
            if groups > 1 {
                let trend = test.with_trend(&equal_steps(groups)).unwrap();
                prop_assert!(trend.chi_squared.is_none_or(f64::is_finite));
            }
        }
        by_group(&accepted, Weighting::LogRank, |_| Ok(())).unwrap();
        pairs(&accepted, Weighting::LogRank, Adjustment::Holm, |_| Ok(())).unwrap();
    }

    #[test]
    fn tests_keep_their_laws(rows in prop::collection::vec(subject(), 1..40)) {
        let whole = grouped(&rows);
        let stretched: Vec<Subject> = rows.iter().cloned().map(|row| Subject { entry: row.entry * 8.0, duration: row.duration * 8.0, ..row }).collect();
        let repeated: Vec<Subject> =
            rows.iter().flat_map(|row| vec![Subject { weight: 1.0, ..row.clone() }; row.weight as usize]).collect();
        let one_stratum: Vec<Subject> = rows.iter().cloned().map(|row| Subject { stratum: None, ..row }).collect();
        for weighting in FAMILIES {
            let test = tested(&whole, weighting);
            let total = |values: &[f64]| values.iter().sum::<f64>();
            prop_assert!((total(&test.observed) - total(&test.expected)).abs() <= 1e-9 * total(&test.observed).max(1.0));
            for other in [tested(&grouped(&stretched), weighting), tested(&grouped(&repeated), weighting)] {
                prop_assert!(near(other.chi_squared, test.chi_squared, 1e-7), "{:?} {:?}", other, test);
                prop_assert_eq!(other.df, test.df);
            }
            // Without strata it is the test of the curves.
            let flat = grouped(&one_stratum);
            let curves: Vec<&Sample> = flat.sorted().into_iter().map(|cell| &cell.sample).collect();
            prop_assert!(near(tested(&flat, weighting).chi_squared, log_rank(&curves, weighting).chi_squared, 1e-9));
            if test.observed.len() > 1 {
                let steps = equal_steps(test.observed.len());
                let moved: Vec<f64> = steps.iter().map(|step| 2000.0 - 7.0 * step).collect();
                let (plain, moved) = (test.clone().with_trend(&steps).unwrap(), test.clone().with_trend(&moved).unwrap());
                prop_assert!(near(moved.chi_squared, plain.chi_squared, 1e-7), "{:?} {:?}", moved.chi_squared, plain.chi_squared);
                // One direction cannot explain more than all of them.
                if let (Some(trend), Some(all)) = (plain.chi_squared, test.chi_squared) { prop_assert!(trend <= all * (1.0 + 1e-7) + 1e-9); }
                if test.observed.len() == 2 { prop_assert!(near(plain.chi_squared, test.chi_squared, 1e-7)); }
            }
        }
    }

    #[test]
    fn adjusted_p_values_are_no_smaller(p_values in prop::collection::vec(0.0f64..=1.0, 0..20)) {
        let [holm, bonferroni, rate] = [Adjustment::Holm, Adjustment::Bonferroni, Adjustment::BenjaminiHochberg].map(|how| adjusted(&p_values, how));
        for at in 0..p_values.len() {
            let slack = 1e-15;
            prop_assert!(p_values[at] <= rate[at] + slack && rate[at] <= holm[at] + slack && holm[at] <= bonferroni[at] + slack && bonferroni[at] <= 1.0);
        }
    }
}

#[test]
fn an_identifier_is_no_group() {
    let mut grouped = Grouped::default();
    let mut add = |at: i64| {
        let row = Row {
            stratum: LabelRef::None,
            group: LabelRef::Integer(at),
            entry: 0.0,
            duration: 1.0,
            event: true,
            weight: 1.0,
        };
        grouped.add(&row, || Budget::UNLIMITED)
    };
    for at in 0..MOST_CELLS as i64 {
        add(at).unwrap();
    }
    add(7).unwrap();
    let refused = add(-1).unwrap_err();
    assert!(matches!(&refused, Error::Invalid { hint, .. } if hint.contains("identifier")), "{refused:?}");
}

#[test]
fn scores_must_fit() {
    let sample = Sample::default();
    let test = log_rank(&[&sample, &sample], Weighting::LogRank);
    for scores in [&[1.0][..], &[1.0, 1.0], &[1.0, f64::NAN], &[1.0, f64::INFINITY], &[f64::NAN, f64::NAN]] {
        assert!(matches!(test.clone().with_trend(scores), Err(Error::Invalid { .. })), "{scores:?}");
    }
    let trend = test.with_trend(&[-1.7e308, 1.7e308]).unwrap();
    assert_eq!((trend.chi_squared, trend.df, trend.p_value), (None, 0, None));
}

#[test]
fn a_small_budget_is_an_error_not_a_crash() {
    let mut grouped = Grouped::default();
    let budget = || Budget { bytes: 200_000 };
    let add = |grouped: &mut Grouped, at: i64| {
        let row = Row {
            stratum: LabelRef::None,
            group: LabelRef::Integer(at % 50),
            entry: 0.0,
            duration: at as f64 + 0.5,
            event: true,
            weight: 1.0,
        };
        grouped.add(&row, budget)
    };
    let refused = (0..100_000).find_map(|at| add(&mut grouped, at).err());
    assert!(matches!(refused, Some(Error::Memory { .. })), "{refused:?}");
    assert!(grouped.memory_bytes() < 800_000);
}
