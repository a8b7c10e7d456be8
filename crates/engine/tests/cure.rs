//! The laws of mixture cure models: what is put in comes out, and where there is no cured share it is said.

#[path = "chance/mod.rs"]
mod chance;

use chance::Chance;
use ltv_engine::hazard::design::{Design, Row};
use ltv_engine::hazard::parametric::{self, ParametricFit};
use ltv_engine::hazard::{Design as Rows, Status};
use ltv_engine::survival::Distribution;

/// Rows with logit π = -0.5 + x₁ and Weibull times with μ = 1 + 0.5 x₂, σ = 0.7, censored evenly until `end`.
fn simulated(n: u32, end: f64, cured: bool) -> Vec<(f64, bool, [f64; 2])> {
    let mut chance = Chance::new(7);
    (0..n)
        .map(|i| {
            let x = [f64::from(i % 2), 2.0 * chance.uniform() - 1.0];
            let never = chance.uniform() < 1.0 / (1.0 + (0.5 - x[0]).exp());
            let time = chance.exponential().powf(0.7) * (1.0 + 0.5 * x[1]).exp();
            let time = if cured && never { f64::INFINITY } else { time };
            let censored = end * chance.uniform();
            (time.min(censored), time <= censored, x)
        })
        .collect()
}

fn design<'a>(rows: impl IntoIterator<Item = &'a (f64, bool, [f64; 2])>) -> Design {
    let mut design = Rows::default();
    for (exit, event, x) in rows {
        design.push_row(&Row { exit: *exit, event: *event, weight: 1.0, x, ..Row::default() }).expect("a good row");
    }
    design
}

fn cure() -> Distribution {
    Distribution::Cure(Box::new(Distribution::Weibull))
}

fn fit(rows: &[(f64, bool, [f64; 2])], location: &[usize], cured: &[usize]) -> ParametricFit {
    parametric::fit_terms(&design(rows), &cure(), location, cured, &mut || Ok(())).expect("a fit")
}

#[test]
fn a_simulation_gives_back_its_truth() {
    let rows = simulated(8000, 40.0, true);
    let fit = fit(&rows, &[1], &[0]);
    assert_eq!(fit.status, Status::Converged);
    let size = fit.coefficients.len();
    for (i, truth) in [1.0, 0.5, 0.7f64.ln(), -0.5, 1.0].into_iter().enumerate() {
        let (estimate, se) = (fit.coefficients[i].expect("one"), fit.covariance[i * (size + 1)].sqrt());
        assert!((estimate - truth).abs() < 3.0 * se && se < 0.07, "{i}: {estimate} ({se}) for {truth}");
    }
    assert!(fit.remarks().is_empty(), "{:?}", fit.remarks());
    let share = |x: f64, given: f64| fit.cured_share(&[x, 0.0], given).expect("a share");
    assert!((share(0.0, 0.0) - 0.3775).abs() < 0.05 && (share(1.0, 0.0) - 0.6225).abs() < 0.05);
    // Who is still there is the more likely to stay for ever, in the end certain to.
    assert!(share(0.0, 5.0) > share(0.0, 0.0) && (share(0.0, 1e6) - 1.0).abs() < 1e-9);
}

#[test]
fn no_cured_share_is_an_answer() {
    let rows = simulated(600, 1e3, false);
    for (location, cured) in [(&[0usize, 1][..], &[][..]), (&[1], &[])] {
        let found = fit(&rows, location, cured);
        let plain =
            parametric::fit_terms(&design(&rows), &Distribution::Weibull, location, &[], &mut || Ok(())).unwrap();
        assert_eq!(found.remarks(), ["no cured share found"]);
        assert_eq!((&found.coefficients, &found.status), (&plain.coefficients, &Status::Converged));
        assert_eq!(found.cured_share(&[1.0, 0.5], 0.0), Some(0.0));
        assert_eq!(plain.cured_share(&[1.0, 0.5], 0.0), None);
    }
}

#[test]
fn a_short_follow_up_is_told() {
    // Watched until 3, when half of those who will have the event have not had it.
    let rows: Vec<_> = simulated(3000, 40.0, true)
        .into_iter()
        .map(|(exit, event, x)| (exit.min(3.0), event && exit <= 3.0, x))
        .collect();
    let fit = fit(&rows, &[], &[]);
    assert!(fit.cure.is_some_and(|findings| findings.found), "{fit:?}");
    assert!(fit.remarks()[0].starts_with("follow-up may be too short"), "{:?}", fit.remarks());
}

#[test]
fn order_weights_and_time_units_do_not_matter() {
    let rows = simulated(400, 20.0, true);
    let one = fit(&rows, &[0, 1], &[0]);
    let backwards: Vec<_> = rows.iter().rev().copied().collect();
    let slower: Vec<_> = rows.iter().map(|(exit, event, x)| (exit * 30.0, *event, *x)).collect();
    let mut twice = Design::default();
    for (exit, event, x) in &rows {
        twice.push(None, *exit, *event, 2.0, x).expect("a good row");
    }
    let twice = parametric::fit_terms(&twice, &cure(), &[0, 1], &[0], &mut || Ok(())).expect("a fit");
    let repeated: Vec<_> = rows.iter().chain(&rows).copied().collect();
    let repeated = fit(&repeated, &[0, 1], &[0]);
    let close = |a: f64, b: f64| assert!((a - b).abs() <= 1e-8 * (1.0 + a.abs()), "{a} {b}");
    for (a, b) in [(&one, &fit(&backwards, &[0, 1], &[0])), (&one, &fit(&slower, &[0, 1], &[0])), (&twice, &repeated)] {
        for i in 0..a.coefficients.len() {
            let moved =
                if std::ptr::eq(a, b) || i > 0 { 0.0 } else { b.coefficients[0].unwrap() - a.coefficients[0].unwrap() };
            assert!(moved.abs() < 1e-8 || (moved - 30f64.ln()).abs() < 1e-8, "{moved}");
            close(a.coefficients[i].unwrap() + moved, b.coefficients[i].unwrap());
        }
    }
    close(twice.cure.unwrap().follow_up, repeated.cure.unwrap().follow_up);
}

#[test]
fn what_cannot_be_is_told() {
    let rows = simulated(100, 20.0, true);
    assert!(parametric::fit_terms(&design(&rows), &cure(), &[0, 2], &[], &mut || Ok(())).is_err());
    assert!(parametric::fit_terms(&design(&rows), &cure(), &[], &[1, 0], &mut || Ok(())).is_err());
    let none: Vec<_> = rows.iter().map(|(exit, _, x)| (*exit, false, *x)).collect();
    assert_eq!(fit(&none, &[], &[]).status, Status::NoEvents);
    // Nobody is left: nobody is cured.
    let all: Vec<_> = rows.iter().map(|(exit, _, x)| (*exit, true, *x)).collect();
    assert_eq!(fit(&all, &[], &[]).remarks(), ["no cured share found"]);
    let mut forged = fit(&rows, &[], &[]);
    forged.cure.as_mut().unwrap().follow_up = 2.0;
    assert!(forged.validate().is_err());
}
