//! What must hold for every sample of intervals.

use proptest::prelude::*;

use ltv_engine::numeric::tally::Budget;
use ltv_engine::survival::intervals::IntervalSample;
use ltv_engine::survival::turnbull::turnbull;

use crate::{allows, estimate, missed, sample};

type Row = (f64, f64, f64);

fn row() -> impl Strategy<Value = Row> {
    let ends = prop_oneof![(0u32..12, 0u32..12), (0u32..200, 0u32..200)];
    (ends, 0u8..4, 1u8..4).prop_map(|((a, b), kind, weight)| {
        let (left, right) = (f64::from(a.min(b)), f64::from(a.max(b)));
        let (left, right) = match kind {
            0 => (right, right),
            1 => (right, f64::INFINITY),
            _ => (left, right),
        };
        (left, right, f64::from(weight))
    })
}

/// −Σ w ln P of an estimate, from the rows.
fn surprise(rows: &[Row], place: &[(f64, f64)]) -> f64 {
    let probability = |row: &Row| place.iter().filter(|(t, _)| allows(row, *t)).map(|(_, mass)| mass).sum::<f64>();
    rows.iter().map(|row| -row.2 * probability(row).ln()).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_estimate_meets_its_conditions(rows in prop_oneof![prop::collection::vec(row(), 1..12), prop::collection::vec(row(), 1..120)], scale in prop_oneof![Just(8.0), Just(0.25)]) {
        let ours = estimate(&sample(rows.iter().copied()));
        prop_assert!(missed(&rows, &ours) <= 1e-8, "{} {:?}", missed(&rows, &ours), ours);
        prop_assert!((ours.intervals.iter().map(|place| place.mass).sum::<f64>() - 1.0).abs() <= 1e-12);
        prop_assert!(ours.intervals.windows(2).all(|pair| pair[0].right <= pair[1].left));
        ours.curve().validate().unwrap();
        let survival = ours.survival();
        prop_assert!(survival.windows(2).all(|pair| pair[0] >= pair[1]) && survival.iter().all(|s| (0.0..=1.0).contains(s)));
        // Times may be stretched, weights split into rows.
        let same = |other: Vec<Row>| {
            let other = estimate(&sample(other.iter().copied()));
            let place = |estimate: &ltv_engine::survival::turnbull::Turnbull| estimate.intervals.iter().map(|place| (place.right, place.mass)).collect::<Vec<_>>();
            (place(&other), place(&ours))
        };
        let (stretched, plain) = same(rows.iter().map(|(a, b, w)| (a * scale, b * scale, *w)).collect());
        let unstretched: Vec<(f64, f64)> = stretched.iter().map(|(right, mass)| (right / scale, *mass)).collect();
        let worth = surprise(&rows, &plain);
        prop_assert!((surprise(&rows, &unstretched) - worth).abs() <= 1e-8 * worth.abs().max(1.0));
        let (repeated, _) = same(rows.iter().flat_map(|(a, b, w)| vec![(*a, *b, 1.0); *w as usize]).collect());
        prop_assert!((surprise(&rows, &repeated) - worth).abs() <= 1e-8 * worth.abs().max(1.0));
    }

    #[test]
    fn order_split_and_bytes_do_not_matter(rows in prop::collection::vec(row(), 0..300), cut in any::<prop::sample::Index>(), left_out in 0u8..3) {
        let mut whole = sample(rows.iter().copied());
        prop_assert_eq!(sample(rows.iter().rev().copied()).encode(), whole.encode());
        let cut = cut.index(rows.len() + 1);
        let mut first = sample(rows[..cut].iter().copied());
        first.merge(&sample(rows[cut..].iter().copied()), Budget::UNLIMITED).unwrap();
        prop_assert_eq!(first.encode(), whole.encode());
        for _ in 0..left_out { whole.skip(); }
        prop_assert_eq!(IntervalSample::decode(&whole.encode()).unwrap(), whole);
    }

    #[test]
    fn damaged_bytes_never_panic(rows in prop::collection::vec(row(), 0..12), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut in any::<prop::sample::Index>(), truncate in any::<bool>()) {
        let mut bytes = sample(rows).encode();
        for (at, byte) in changes { let at = at.index(bytes.len()); bytes[at] = byte; }
        if truncate { bytes.truncate(cut.index(bytes.len() + 1)); }
        let Ok(accepted) = IntervalSample::decode(&bytes) else { return Ok(()) };
        prop_assert_eq!(IntervalSample::decode(&accepted.encode()), Ok(accepted.clone()));
        // Weights may be absurd; then there may be no estimate, but never one that is none.
        if let Ok(Some(estimate)) = turnbull(&accepted, Budget::UNLIMITED, &mut || Ok(())) {
            estimate.curve().validate().unwrap();
        }
    }
}
