//! Late entries of subdistributions: what comes and goes again leaves no trace in the sums, however large it was.

use ltv_engine::hazard::{Design, FineGrayFit, Status, Ties, fine_gray};
use proptest::prelude::*;

#[derive(Debug, Clone)]
struct Row {
    entry: f64,
    exit: f64,
    cause: i32,
    weight: f64,
    x: Vec<f64>,
}

fn fit(rows: &[Row], ties: Ties) -> ltv_engine::Result<FineGrayFit> {
    let mut design = Design::default();
    for row in rows {
        design.push_cause(row.entry, row.exit, row.cause, row.weight, &row.x).unwrap();
    }
    fine_gray::fit(&design, 1, ties, &mut || Ok(()))
}

/// `spread` covariates: the larger, the nearer to a separation.
fn rows(spread: f64) -> impl Strategy<Value = Vec<Row>> {
    let x = prop::collection::vec(prop_oneof![(-3i8..4).prop_map(f64::from), -2.0..2.0f64], 2);
    let row = (0u8..6, 1u8..12, 0i32..4, 1u8..4, x).prop_map(move |(entry, stay, cause, weight, mut x)| {
        // Who comes late has the greater risk.
        x[0] += spread * f64::from(entry);
        let (entry, stay) = (f64::from(entry), f64::from(stay));
        Row { entry, exit: entry + stay, cause: cause.min(2), weight: f64::from(weight), x }
    });
    prop::collection::vec(row, 15..60)
}

fn shuffled(rows: &[Row], seed: u64) -> Vec<Row> {
    let (mut rows, mut state) = (rows.to_vec(), seed | 1);
    for i in (1..rows.len()).rev() {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        rows.swap(i, (state >> 33) as usize % (i + 1));
    }
    rows
}

/// Coefficients relative to their standard errors, errors relative to themselves.
fn same(a: &FineGrayFit, b: &FineGrayFit, tolerance: f64) -> Result<(), TestCaseError> {
    prop_assert_eq!(&a.status, &b.status);
    if a.status != Status::Converged {
        return Ok(());
    }
    let p = a.coefficients.len();
    let error = |covariance: &[f64], at: usize| covariance[at * (p + 1)].max(0.0).sqrt();
    for at in 0..p {
        let (Some(ours), Some(other)) = (a.coefficients[at], b.coefficients[at]) else {
            prop_assert_eq!(a.coefficients[at], b.coefficients[at]);
            continue;
        };
        let naive = error(&b.naive_covariance, at);
        prop_assert!((ours - other).abs() <= tolerance * naive, "{ours} {other} of an error of {naive}");
        prop_assert!((error(&a.naive_covariance, at) - naive).abs() <= tolerance * naive);
        let robust = error(&b.covariance, at);
        prop_assert!((error(&a.covariance, at) - robust).abs() <= tolerance * (robust + naive), "robust {robust}");
    }
    let near = |a: f64, b: f64| (a - b).abs() <= tolerance * (1.0 + b.abs());
    prop_assert!(near(a.log_likelihood, b.log_likelihood) && near(a.log_likelihood_null, b.log_likelihood_null));
    for (ours, other) in a.baseline.cumulative_hazard.iter().zip(&b.baseline.cumulative_hazard) {
        prop_assert!((ours - other).abs() <= tolerance * (ours + other), "{ours} {other}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_does_not_matter_with_late_entries(rows in rows(0.0), breslow in any::<bool>(), seed in any::<u64>()) {
        let ties = if breslow { Ties::Breslow } else { Ties::Efron };
        // Where nobody is at risk for a while there are no weights, in any order.
        let (Ok(one), Ok(other)) = (fit(&rows, ties), fit(&shuffled(&rows, seed), ties)) else { return Ok(()) };
        same(&one, &other, 1e-7)?;
    }

    #[test]
    fn nor_next_to_a_separation(rows in rows(6.0), seed in any::<u64>()) {
        let (Ok(one), Ok(other)) = (fit(&rows, Ties::Efron), fit(&shuffled(&rows, seed), Ties::Efron)) else { return Ok(()) };
        same(&one, &other, 1e-6)?;
    }
}

/// Two books that never meet: the risk of the later one is only relative to itself, so that a constant in its covariate says
/// nothing. Here it says a factor of e⁴⁰ or so, whose rounding would drown the earlier book.
#[test]
fn a_constant_in_the_covariate_of_a_later_book_says_nothing() {
    let books = |constant: f64| -> Vec<Row> {
        let mut rows = Vec::new();
        for i in 0..60u32 {
            let x = f64::from(i * 7 % 11) / 4.0;
            // Who has more of x tends to leave sooner.
            let stay = 1.0 + f64::from(i * 5 % 23) / (1.0 + x);
            let second = vec![f64::from(i % 3)];
            let of = |entry: f64, cause: u32, x: f64| Row {
                entry,
                exit: entry + stay,
                cause: cause as i32,
                weight: 1.0 + f64::from(i % 2),
                x: [vec![x], second.clone()].concat(),
            };
            rows.push(of(0.0, u32::from(i % 4 > 0), x));
            rows.push(of(50.0, [1, 2, 1, 0, 1][i as usize % 5], x + constant));
        }
        rows
    };
    for ties in [Ties::Efron, Ties::Breslow] {
        let plain = fit(&books(0.0), ties).unwrap();
        let slope = plain.coefficients[0].unwrap();
        assert!(slope > 0.3, "{slope}");
        for exponent in [10.0, 25.0, 40.0] {
            let moved = fit(&books(exponent / slope), ties).unwrap();
            assert_eq!(moved.status, Status::Converged);
            for (at, (ours, other)) in moved.coefficients.iter().zip(&plain.coefficients).enumerate() {
                let error = plain.naive_covariance[at * 3].sqrt();
                let difference = (ours.unwrap() - other.unwrap()).abs() / error;
                assert!(difference < 1e-7, "{exponent}: coefficient {at} is off by {difference:e} errors");
                for (ours, other) in
                    [(&moved.covariance, &plain.covariance), (&moved.naive_covariance, &plain.naive_covariance)]
                {
                    let (ours, other) = (ours[at * 3].sqrt(), other[at * 3].sqrt());
                    assert!((ours / other - 1.0).abs() < 1e-6, "{exponent}: error {at}: {ours} {other}");
                }
            }
            assert!((moved.log_likelihood - plain.log_likelihood).abs() < 1e-9 * plain.log_likelihood.abs());
        }
    }
}
