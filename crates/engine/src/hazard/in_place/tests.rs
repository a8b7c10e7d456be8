//! Rows in their place against rows in order.

use super::*;
use crate::chance::Chance;
use crate::hazard::cox::Ties;
use crate::hazard::partial_likelihood::PartialLikelihood;
use crate::hazard::penalty::Penalty;

/// Rows of whole days.
fn design(rows: usize, p: usize, late: bool, weighted: bool) -> Design {
    let mut chance = Chance::new(1);
    let mut design = Design::default();
    for _ in 0..rows {
        let x: Vec<f64> = (0..p).map(|i| 2.0 * i as f64 + chance.uniform() * (1.0 + i as f64)).collect();
        let exit = (1.0 + 9.0 * chance.uniform() * (1.0 - 0.3 * x[0])).ceil();
        let entry = if late && chance.uniform() < 0.4 { (chance.uniform() * (exit - 1.0)).floor() } else { 0.0 };
        let weight = if weighted { 0.5 + chance.uniform() } else { 1.0 };
        design.push(Some(entry), exit, chance.uniform() < 0.6, weight, &x).expect("a good row");
    }
    design
}

fn assert_close(a: &[f64], b: &[f64], what: &str) {
    let largest = a.iter().chain(b).fold(1.0, |largest: f64, value| largest.max(value.abs()));
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= 1e-12 * largest, "{what}: {a} and {b}");
    }
}

#[test]
fn rows_in_their_place_give_what_sorted_rows_give() {
    for (p, late, weighted, ties) in [
        (1, false, false, Ties::Efron),
        (3, true, false, Ties::Efron),
        (5, true, true, Ties::Breslow),
        (10, true, true, Ties::Efron),
        (13, false, true, Ties::Efron),
        (18, true, false, Ties::Breslow),
    ] {
        let design = design(5_000, p, late, weighted);
        let (sets, sums) = RiskSets::in_place(&design, &mut || Ok(())).expect("no error").expect("few times");
        let sorted = RiskSets::new(&design, &mut || Ok(())).expect("no error");
        assert_eq!(sets.scales, sorted.scales);
        let mut own = PartialLikelihood::in_place(&sets, sums, ties, Penalty::default());
        let mut other = PartialLikelihood::new(&sorted, ties, Penalty::default()).expect("no error");
        for beta in [vec![0.0; p], (0..p).map(|i| 0.2 - 0.05 * i as f64).collect()] {
            let b = other.evaluate(&beta, &mut || Ok(())).expect("no error").expect("finite");
            let (log_likelihood, score) = own.slope(&beta, &mut || Ok(())).expect("no error").expect("finite");
            let a = own.evaluate(&beta, &mut || Ok(())).expect("no error").expect("finite");
            let tolerance = 1e-12 * b.log_likelihood.abs();
            assert!((log_likelihood - b.log_likelihood).abs() <= tolerance);
            assert!((a.log_likelihood - b.log_likelihood).abs() <= tolerance);
            // Scores are differences of sums as large as the events.
            assert_close(
                &score.iter().map(|s| s / 3e3).collect::<Vec<_>>(),
                &b.score.iter().map(|s| s / 3e3).collect::<Vec<_>>(),
                "slope",
            );
            assert_close(
                &a.score.iter().map(|s| s / 3e3).collect::<Vec<_>>(),
                &b.score.iter().map(|s| s / 3e3).collect::<Vec<_>>(),
                "score",
            );
            assert_close(&a.information, &b.information, "information");
            let (mut hazards, mut others) = (Vec::new(), Vec::new());
            own.at_event_times(&beta, &mut || Ok(()), |set, _| hazards.push((set.total, set.total_x[0][0])))
                .expect("no error");
            other
                .at_event_times(&beta, &mut || Ok(()), |set, _| others.push((set.total, set.total_x[0][0])))
                .expect("no error");
            for (a, b) in hazards.iter().zip(&others) {
                // The centres may be a rounding apart.
                assert_close(&[a.0, a.1 / a.0], &[b.0, b.1 / b.0], "risk sets");
            }
        }
    }
}

#[test]
fn too_many_times_are_left_to_sorted_rows() {
    let mut design = Design::default();
    (0..1_000).for_each(|i| design.push(None, f64::from(i), true, 1.0, &[f64::from(i % 7)]).expect("a good row"));
    assert!(RiskSets::in_place(&design, &mut || Ok(())).expect("no error").is_none());
}

#[test]
fn a_sample_leads_to_the_same_maximum() {
    let design = design(ROWS_FOR_SAMPLE + 1_000, 3, true, false);
    let fit = crate::hazard::cox::fit(&design, Ties::Efron, &mut || Ok(())).expect("a fit");
    let sorted = RiskSets::new(&design, &mut || Ok(())).expect("no error");
    let mut likelihood = PartialLikelihood::new(&sorted, Ties::Efron, Penalty::default()).expect("no error");
    let maximum = crate::hazard::newton::maximise(&mut likelihood, &mut || Ok(())).expect("a maximum");
    for (i, beta) in maximum.beta.iter().enumerate() {
        let (ours, theirs) = (fit.coefficients[i].unwrap_or(0.0), beta * sorted.scales[i]);
        let error = fit.standard_error(i).unwrap_or(0.0);
        assert!((ours - theirs).abs() <= 1e-9 * error, "{ours} and {theirs}");
    }
    assert!((fit.log_likelihood / maximum.log_likelihood - 1.0).abs() < 1e-12);
}
