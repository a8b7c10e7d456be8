//! What must hold of strata, offsets, exact ties and penalties for any data.

use approx::assert_relative_eq;
use ltv_engine::Error;
use ltv_engine::hazard::cox::{fit, fit_with};
use ltv_engine::hazard::design::Row;
use ltv_engine::hazard::{CoxFit, Design, Options, Penalty, Status, Ties};
use proptest::prelude::*;

use crate::go_on;

#[derive(Debug, Clone)]
struct Subject {
    entry: f64,
    exit: f64,
    event: bool,
    offset: f64,
    stratum: &'static str,
    x: [f64; 2],
}

const NAMES: [&str; 3] = ["b", "", "ä"];

fn subjects(late: bool, rows: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Subject>> {
    let parts = (0u8..4, 1u8..9, prop::bool::weighted(0.6), -1.0..1.0f64, 0..3usize, [-2i8..3, -2i8..3]);
    let row = parts.prop_map(move |(entry, stay, event, offset, stratum, x)| {
        let entry = if late { f64::from(entry) } else { 0.0 };
        Subject { entry, exit: entry + f64::from(stay), event, offset, stratum: NAMES[stratum], x: x.map(f64::from) }
    });
    prop::collection::vec(row, rows)
}

fn design(subjects: &[Subject]) -> Design {
    let mut design = Design::default();
    for Subject { entry, exit, event, offset, stratum, x } in subjects {
        let (entry, exit, event, offset) = (*entry, *exit, *event, *offset);
        let row = Row { entry, exit, event, weight: 1.0, offset, stratum: Some(stratum), x, ..Row::default() };
        design.push_row(&row).unwrap();
    }
    design
}

fn exactly(design: &Design) -> CoxFit {
    fit_with(design, &Options { ties: Ties::Exact, penalty: Penalty::default() }, &mut go_on).unwrap()
}

fn ties() -> impl Strategy<Value = Ties> {
    prop_oneof![Just(Ties::Efron), Just(Ties::Breslow), Just(Ties::Exact)]
}

/// ln Σ over all choices of as many rows as died, of the product of their risks: one by one.
fn log_choices(risks: &[f64], deaths: usize) -> f64 {
    let chosen = (0u32..1 << risks.len()).filter(|set| set.count_ones() as usize == deaths);
    let product = |set: u32| (0..risks.len()).filter(|i| set >> i & 1 == 1).map(|i| risks[i]).product::<f64>();
    chosen.map(product).sum::<f64>().ln()
}

/// Cox's discrete likelihood, from its definition.
fn discrete_log_likelihood(subjects: &[Subject], beta: [f64; 2]) -> f64 {
    let predictor = |subject: &Subject| subject.offset + beta[0] * subject.x[0] + beta[1] * subject.x[1];
    let mut sum = 0.0;
    for stratum in NAMES {
        let here: Vec<&Subject> = subjects.iter().filter(|subject| subject.stratum == stratum).collect();
        for time in 1..16 {
            let time = f64::from(time);
            let dies = |subject: &&&Subject| subject.event && subject.exit == time;
            let deaths = here.iter().filter(dies).count();
            if deaths > 0 {
                let at_risk = here.iter().filter(|subject| subject.entry < time && subject.exit >= time);
                let risks: Vec<f64> = at_risk.map(|subject| predictor(subject).exp()).collect();
                sum += here.iter().filter(dies).map(|subject| predictor(subject)).sum::<f64>();
                sum -= log_choices(&risks, deaths);
            }
        }
    }
    sum
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// By definition, with delayed entries, strata and offsets; at the maximum its slopes are 0 and its curvatures the
    /// inverse of the covariance.
    #[test]
    fn exact_ties_are_all_choices(subjects in prop_oneof![subjects(true, 6..14), subjects(false, 6..14)]) {
        let fit = exactly(&design(&subjects));
        prop_assert!((fit.log_likelihood_null - discrete_log_likelihood(&subjects, [0.0; 2])).abs() < 1e-12 * (1.0 + fit.log_likelihood_null.abs()));
        if fit.status == Status::Converged && fit.degrees_of_freedom == 2 {
            let beta = [0, 1].map(|i| fit.coefficients[i].unwrap());
            let top = discrete_log_likelihood(&subjects, beta);
            prop_assert!((fit.log_likelihood - top).abs() < 1e-11 * (1.0 + top.abs()));
            for i in 0..2 {
                let step = 1e-3 * fit.standard_error(i).unwrap();
                let moved = |by: f64| { let mut beta = beta; beta[i] += by; discrete_log_likelihood(&subjects, beta) };
                // A step of a thousandth of a standard error: the slope is at most 1e-4 of one.
                prop_assert!((moved(step) - moved(-step)).abs() < 1e-7);
            }
        }
    }

    /// Where no two deaths of a stratum coincide the three are one.
    #[test]
    fn without_ties_all_handle_them_alike(subjects in subjects(true, 10..40)) {
        let mut untied = subjects;
        for (i, subject) in untied.iter_mut().enumerate() {
            subject.exit += i as f64 / 64.0;
        }
        let design = design(&untied);
        let [efron, breslow, exact] = [Ties::Efron, Ties::Breslow, Ties::Exact].map(|ties| fit(&design, ties, &mut go_on).unwrap());
        prop_assert_eq!(&efron.status, &exact.status);
        prop_assert!((efron.log_likelihood_null - exact.log_likelihood_null).abs() < 1e-10);
        if efron.status == Status::Converged {
            prop_assert!((efron.log_likelihood - breslow.log_likelihood).abs() < 1e-12);
            prop_assert!((efron.log_likelihood - exact.log_likelihood).abs() < 1e-8);
        }
    }

    /// Rows of other strata, and their times, are nobody's business: the log-likelihood is the sum of those of the parts.
    #[test]
    fn strata_do_not_meet(subjects in subjects(true, 10..40), ties in ties()) {
        let whole = fit(&design(&subjects), ties, &mut go_on).unwrap();
        let mut parts = 0.0;
        for name in NAMES {
            let part: Vec<Subject> = subjects.iter().filter(|subject| subject.stratum == name).cloned().collect();
            if !part.is_empty() {
                parts += fit(&design(&part), ties, &mut go_on).unwrap().log_likelihood_null;
            }
        }
        prop_assert!((whole.log_likelihood_null - parts).abs() < 1e-12 * (1.0 + parts.abs()));
        prop_assert!(whole.strata.windows(2).all(|pair| pair[0] < pair[1]));
        prop_assert!(whole.validate().is_ok());
        for baseline in &whole.baselines {
            whole.curve(baseline, &[1.0, -1.0]).validate().unwrap();
        }
    }

    /// One stratum is none; the order of the rows, and so of the strata, does not matter.
    #[test]
    fn one_stratum_is_none(subjects in subjects(true, 12..40), ties in ties()) {
        let mut one = subjects.clone();
        one.iter_mut().for_each(|subject| subject.stratum = "all");
        let mut plain = Design::default();
        for Subject { entry, exit, event, offset, x, .. } in &subjects {
            plain.push_row(&Row { entry: *entry, exit: *exit, event: *event, weight: 1.0, offset: *offset, x, ..Row::default() }).unwrap();
        }
        let [ours, none] = [&design(&one), &plain].map(|design| fit(design, ties, &mut go_on).unwrap());
        prop_assert_eq!(&ours.coefficients, &none.coefficients);
        prop_assert_eq!(&ours.baselines, &none.baselines);
        prop_assert_eq!((ours.strata, none.strata), (vec!["all".to_string()], Vec::new()));

        let reversed: Vec<Subject> = subjects.iter().rev().cloned().collect();
        let [forth, back] = [&subjects, &reversed].map(|subjects| fit(&design(subjects), ties, &mut go_on).unwrap());
        prop_assert_eq!(&forth.strata, &back.strata);
        prop_assert_eq!(&forth.status, &back.status);
        prop_assert!((forth.log_likelihood_null - back.log_likelihood_null).abs() < 1e-12 * (1.0 + back.log_likelihood_null.abs()));
    }

    /// A constant added to the offsets of a stratum moves its baseline and nothing else, however large.
    #[test]
    fn a_constant_offset_moves_the_baseline(subjects in subjects(true, 12..40), constant in prop_oneof![Just(3.5f64), Just(-150.0)]) {
        let mut moved = subjects.clone();
        moved.iter_mut().filter(|subject| subject.stratum == "b").for_each(|subject| subject.offset += constant);
        let [fit, other] = [&subjects, &moved].map(|subjects| fit(&design(subjects), Ties::Efron, &mut go_on).unwrap());
        prop_assert!((fit.log_likelihood_null - other.log_likelihood_null).abs() < 1e-10);
        prop_assert_eq!(&fit.status, &other.status);
        if fit.status == Status::Converged && let (Some(a), Some(b)) = (fit.baseline(Some("b")), other.baseline(Some("b"))) {
            for (a, b) in a.cumulative_hazard.iter().zip(&b.cumulative_hazard) {
                prop_assert!((a - b * constant.exp()).abs() < 1e-6 * a, "{} {}", a, b);
            }
        }
    }

    /// The stronger the penalty the smaller what it charges, and the further from the maximum of the likelihood.
    #[test]
    fn penalties_shrink(subjects in subjects(true, 20..60), ratio in prop_oneof![Just(0.0), Just(0.3), Just(1.0)]) {
        let design = design(&subjects);
        let charged = |strength: f64| {
            let penalty = Penalty::new(strength, ratio).unwrap();
            let fit = fit_with(&design, &Options { ties: Ties::Efron, penalty }, &mut go_on).unwrap();
            assert!(matches!(fit.status, Status::Converged | Status::NoEvents), "{:?}", fit.status);
            let unit = Penalty::new(1.0, ratio).unwrap();
            (unit.of(fit.coefficients.iter().flatten().copied()), fit.log_likelihood)
        };
        let (mut size, mut likelihood) = (f64::INFINITY, f64::INFINITY);
        for strength in [0.1, 0.5, 2.0, 10.0, 1e4] {
            let (now, there) = charged(strength);
            prop_assert!(now <= size + 1e-9 && there <= likelihood + 1e-9, "{} {} {} {}", now, size, there, likelihood);
            (size, likelihood) = (now, there);
        }
        prop_assert!(size < 1e-4);
    }
}

/// Within each stratum whoever has the event has the larger x; all of one stratum have a larger one than those of the other.
#[test]
fn separation_is_told_within_strata_and_with_offsets() {
    for ties in [Ties::Efron, Ties::Breslow, Ties::Exact] {
        let mut design = Design::default();
        for (stratum, origin) in [("a", 0.0), ("b", 5.0)] {
            for i in 0..8 {
                let x = [origin + f64::from(u8::from(i < 3)), f64::from(i * 5 % 7)];
                let offset = f64::from(i % 3) - origin / 2.0;
                let (exit, event, stratum) = (f64::from(1 + i), i < 3, Some(stratum));
                design.push_row(&Row { exit, event, weight: 1.0, offset, stratum, x: &x, ..Row::default() }).unwrap();
            }
        }
        let fit = fit(&design, ties, &mut go_on).unwrap();
        assert!(matches!(&fit.status, Status::Separated { terms } if terms.contains(&0)), "{ties:?} {:?}", fit.status);
    }
}

/// All deaths at one time have larger x than all others: separated for exact ties; for Efron's and Breslow's it is not, as
/// the deaths differ among themselves.
#[test]
fn deaths_of_one_time_need_no_order_among_themselves() {
    let mut design = Design::default();
    for i in 0..12 {
        design.push(None, if i < 4 { 1.0 } else { 2.0 }, i < 4, 1.0, &[f64::from(-i)]).unwrap();
    }
    assert_eq!(exactly(&design).status, Status::Separated { terms: vec![0] });
    assert_eq!(fit(&design, Ties::Breslow, &mut go_on).unwrap().status, Status::Converged);
}

#[test]
fn refusals_say_what_was_asked() {
    let mut design = Design::default();
    for i in 0..60_000u32 {
        let x: Vec<f64> = (2..12).map(|k| f64::from(i % k)).collect();
        design.push(None, f64::from(1 + i % 3), true, 1.0, &x).unwrap();
    }
    let exact = Options { ties: Ties::Exact, penalty: Penalty::default() };
    let error = fit_with(&design, &exact, &mut go_on).unwrap_err();
    assert!(error.to_string().contains("20000 events at one time, 60000 rows, 10 covariates"), "{error}");
    let mut weighted = Design::default();
    weighted.push(None, 1.0, true, 2.0, &[1.0]).unwrap();
    assert!(fit_with(&weighted, &exact, &mut go_on).unwrap_err().to_string().contains("case weights"));
    let mut apart = Design::default();
    for offset in [0.0, 500.0] {
        apart.push_row(&Row { exit: 1.0, event: true, weight: 1.0, offset, x: &[offset], ..Row::default() }).unwrap();
    }
    assert!(fit(&apart, Ties::Efron, &mut go_on).unwrap_err().to_string().contains("from 0 to 500"));
    for (strength, ratio, text) in
        [(-1.0, 0.0, "-1"), (f64::NAN, 0.0, "NaN"), (1.0, 1.5, "1.5"), (1.0, f64::NAN, "NaN")]
    {
        let error = Penalty::new(strength, ratio).unwrap_err();
        assert!(matches!(&error, Error::Invalid { .. }) && error.to_string().contains(text), "{error}");
    }
}

/// Large ties stay within the numbers: the polynomials are held as means. The reference is the hypergeometric form of
/// one covariate of 0 and 1 at one time: C(n1, d1) C(n0, d0) r^d1 over the sum of its like.
#[test]
fn large_ties_stay_within_numbers() {
    let (exposed, others) = ([600, 150], [900, 90]);
    let mut design = Design::default();
    for (x, [rows, deaths]) in [(1.0, exposed), (0.0, others)] {
        for i in 0..rows {
            design.push(None, if i < deaths { 1.0 } else { 2.0 }, i < deaths, 1.0, &[x]).unwrap();
        }
    }
    let fit = exactly(&design);
    assert_eq!(fit.status, Status::Converged);
    let log_choose = |n: i32, k: i32| (1..=k).map(|i| (f64::from(n - k + i) / f64::from(i)).ln()).sum::<f64>();
    let beta = fit.coefficients[0].unwrap();
    let (mut largest, mut terms) = (f64::NEG_INFINITY, Vec::new());
    for k in 0..=240 {
        let term = log_choose(600, k) + log_choose(900, 240 - k) + f64::from(k) * beta;
        largest = f64::max(largest, term);
        terms.push((f64::from(k), term));
    }
    let total: f64 = terms.iter().map(|(_, term)| (term - largest).exp()).sum();
    let mean: f64 = terms.iter().map(|(k, term)| k * (term - largest).exp()).sum::<f64>() / total;
    let square: f64 = terms.iter().map(|(k, term)| k * k * (term - largest).exp()).sum::<f64>() / total;
    assert_relative_eq!(mean, 150.0, max_relative = 1e-10);
    assert_relative_eq!(fit.log_likelihood, 150.0 * beta - largest - total.ln(), max_relative = 1e-11);
    assert_relative_eq!(fit.standard_error(0).unwrap(), 1.0 / (square - mean * mean).sqrt(), max_relative = 1e-9);
}
