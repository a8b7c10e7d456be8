//! What must hold for any data.

use ltv_engine::hazard::discrete::{Options, Shape, fit, fit_decisions};
use ltv_engine::hazard::{Design, DiscreteFit, Link, Status};
use proptest::prelude::*;

use crate::chance::Chance;
use crate::go_on;

#[derive(Debug, Clone)]
struct Subject {
    entry: u32,
    length: u32,
    event: bool,
    weight: u8,
    x: [f64; 2],
}

fn subjects() -> impl Strategy<Value = Vec<Subject>> {
    let one = (0u32..3, 1u32..7, any::<bool>(), 1u8..4, -2.0..2.0f64, 0u8..3).prop_map(
        |(entry, length, event, weight, a, b)| Subject { entry, length, event, weight, x: [a, f64::from(b)] },
    );
    prop::collection::vec(one, 25..60)
}

fn options() -> impl Strategy<Value = Options> {
    let shape = prop::sample::select(vec![Shape::Period, Shape::Linear, Shape::Polynomial { degree: 2 }]);
    (any::<bool>(), shape, prop::sample::select(vec![0.0, 0.7])).prop_map(|(logit, shape, penalty)| Options {
        link: if logit { Link::Logit } else { Link::Cloglog },
        shape,
        penalty,
        period: 1.0,
        robust: None,
    })
}

fn fitted<'a>(rows: impl IntoIterator<Item = (f64, f64, bool, f64, &'a [f64])>, options: &Options) -> DiscreteFit {
    let mut design = Design::default();
    for (entry, exit, event, weight, x) in rows {
        design.push(Some(entry), exit, event, weight, x).unwrap();
    }
    fit(&design, options, &mut go_on).unwrap()
}

fn whole(subject: &Subject) -> (f64, f64, bool, f64, &[f64]) {
    let entry = f64::from(subject.entry);
    (entry, entry + f64::from(subject.length), subject.event, f64::from(subject.weight), &subject.x)
}

/// Coefficients and curve differ by rounding at most.
fn same(a: &DiscreteFit, b: &DiscreteFit) -> Result<(), TestCaseError> {
    prop_assert_eq!(&a.status, &b.status);
    if a.status != Status::Converged {
        return Ok(());
    }
    for i in 0..2 {
        prop_assert_eq!(a.coefficients[i].is_some(), b.coefficients[i].is_some());
        let error = a.standard_error(i).unwrap_or(0.0);
        let difference = a.coefficients[i].unwrap_or(0.0) - b.coefficients[i].unwrap_or(0.0);
        prop_assert!(difference.abs() <= 1e-7 * error, "{difference} {error}");
    }
    let x = [0.3, 1.0];
    for t in 1..=9 {
        let hazard = |fit: &DiscreteFit| fit.cumulative_hazard(f64::from(t), fit.linear_predictor(&x));
        let (ours, theirs) = (hazard(a), hazard(b));
        prop_assert!(ours == theirs || (ours - theirs).abs() <= 1e-7 * (1.0 + ours), "{t}: {ours} {theirs}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn order_weights_and_splits_do_not_matter(rows in subjects(), options in options()) {
        let one = fitted(rows.iter().map(whole), &options);
        one.validate().unwrap();
        same(&one, &fitted(rows.iter().rev().map(whole), &options))?;
        // A weight is so many rows.
        let repeated = rows.iter().flat_map(|subject| {
            std::iter::repeat_n((whole(subject).0, whole(subject).1, subject.event, 1.0, whole(subject).4), usize::from(subject.weight))
        });
        same(&one, &fitted(repeated, &options))?;
        // A subject is the rows of its periods. The spread behind a penalty is over rows, so there it is not the same.
        if options.penalty == 0.0 {
            let split = rows.iter().flat_map(|subject| {
                let (entry, exit, event, weight, x) = whole(subject);
                (0..subject.length).map(move |i| {
                    let start = entry + f64::from(i);
                    (start, start + 1.0, event && start + 1.0 == exit, weight, x)
                })
            });
            same(&one, &fitted(split, &options))?;
        }
    }

    #[test]
    fn units_do_not_matter(rows in subjects(), options in options()) {
        let one = fitted(rows.iter().map(whole), &options);
        let moved: Vec<[f64; 2]> = rows.iter().map(|row| [1000.0 * row.x[0] - 77.0, row.x[1] / 64.0]).collect();
        let scaled = rows.iter().zip(&moved).map(|(row, x)| {
            let (entry, exit, event, weight, _) = whole(row);
            (30.0 * entry, 30.0 * exit, event, weight, x.as_slice())
        });
        let other = fitted(scaled, &Options { period: 30.0, ..options });
        prop_assert_eq!(&one.status, &other.status);
        if one.status == Status::Converged {
            for (i, unit) in [1000.0, 1.0 / 64.0].into_iter().enumerate() {
                let (ours, theirs) = (one.coefficients[i].unwrap_or(0.0), unit * other.coefficients[i].unwrap_or(0.0));
                prop_assert!((ours - theirs).abs() <= 1e-7 * one.standard_error(i).unwrap_or(0.0), "{ours} {theirs}");
            }
        }
    }

    #[test]
    fn the_score_is_zero_at_the_maximum(rows in subjects(), logit in any::<bool>()) {
        let options = Options { link: if logit { Link::Logit } else { Link::Cloglog }, ..Options::default() };
        let mut design = Design::default();
        for row in &rows {
            design.push(None, 1.0, row.event, f64::from(row.weight), &row.x).unwrap();
        }
        let fit = fit_decisions(&design, &options, &mut go_on).unwrap();
        prop_assume!(fit.status == Status::Converged);
        // With a logit the fitted probabilities add up to the events (the intercept's score).
        if logit {
            let sums = rows.iter().map(|row| {
                let p = fit.decision(fit.linear_predictor(&row.x)).unwrap();
                f64::from(row.weight) * (p - f64::from(u8::from(row.event)))
            });
            prop_assert!(sums.sum::<f64>().abs() < 1e-9);
        }
        // Its curve drops by the probability at each renewal, here once per unit of time.
        let x = rows[0].x;
        let p = fit.decision(fit.linear_predictor(&x)).unwrap();
        let curve = fit.renewal_curve(&x);
        curve.validate().unwrap();
        for k in [1usize, 2, 7] {
            prop_assert!(((-curve.cumulative_hazard[k - 1]).exp() - p.powi(k as i32)).abs() < 1e-12);
            prop_assert!((fit.renewal_hazard(k as f64, fit.linear_predictor(&x)) - curve.cumulative_hazard[k - 1]).abs() < 1e-12);
        }
    }
}

/// So many rows that the fit begins with a sample of them; sorted, so that the sample is of a kind.
#[test]
fn many_rows_give_what_their_weights_give() {
    let mut chance = Chance::new(7);
    let mut rows: Vec<(f64, f64, bool)> = (0..70_000)
        .map(|_| {
            let (a, b) = ((4.0 * chance.uniform()).floor(), (3.0 * chance.uniform()).floor());
            (a, b, chance.uniform() < 1.0 / (1.0 + (1.0 - 0.5 * a + 0.3 * b).exp()))
        })
        .collect();
    rows.sort_by(|a, b| a.partial_cmp(b).unwrap());
    let (mut all, mut distinct) = (Design::default(), Design::default());
    rows.iter().for_each(|(a, b, event)| all.push(None, 1.0, *event, 1.0, &[*a, *b]).unwrap());
    for same in rows.chunk_by(|a, b| a == b) {
        let (a, b, event) = same[0];
        distinct.push(None, 1.0, event, same.len() as f64, &[a, b]).unwrap();
    }
    for options in [Link::Logit, Link::Cloglog].map(|link| Options { link, ..Options::default() }) {
        let [many, few] = [&all, &distinct].map(|design| fit_decisions(design, &options, &mut go_on).unwrap());
        assert_eq!(many.status, Status::Converged);
        for i in 0..2 {
            let [ours, theirs] = [&many, &few].map(|fit| fit.coefficients[i].unwrap());
            assert!((ours - theirs).abs() < 1e-11, "{ours} {theirs}");
            let [ours, theirs] = [&many, &few].map(|fit| fit.standard_error(i).unwrap());
            assert!((ours / theirs - 1.0).abs() < 1e-10, "{ours} {theirs}");
        }
        let apart = [many.log_likelihood / few.log_likelihood - 1.0, many.score_test / few.score_test - 1.0];
        assert!(apart.iter().all(|apart| apart.abs() < 1e-12), "{apart:?}");
    }
}
