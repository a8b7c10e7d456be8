//! What must hold of Cox's model, of its design and of concordance for any data.

use crate::chance::Chance;
use ltv_engine::assess::concordance::{Concordance, Outcomes, concordance};
use ltv_engine::hazard::cox::fit;
use ltv_engine::hazard::{CoxFit, Design, Status, Ties};
use proptest::prelude::*;

#[derive(Debug, Clone, PartialEq)]
struct Subject {
    entry: f64,
    exit: f64,
    event: bool,
    weight: f64,
    x: Vec<f64>,
}

/// Few distinct times, so that there are ties; `late` and `weighted` say whether some enter late or weigh more.
fn subjects(late: bool, weighted: bool, covariates: usize) -> impl Strategy<Value = Vec<Subject>> {
    let x = prop::collection::vec(prop_oneof![(-3i8..4).prop_map(f64::from), -2.0..2.0f64], covariates);
    let row =
        (0u8..4, 1u8..12, prop::bool::weighted(0.7), 1u8..4, x).prop_map(move |(entry, stay, event, weight, x)| {
            let entry = if late { f64::from(entry) } else { 0.0 };
            let weight = if weighted { f64::from(weight) } else { 1.0 };
            Subject { entry, exit: entry + f64::from(stay), event, weight, x }
        });
    prop::collection::vec(row, 12..60)
}

fn design(subjects: &[Subject]) -> Design {
    let mut design = Design::default();
    for Subject { entry, exit, event, weight, x } in subjects {
        design.push(Some(*entry), *exit, *event, *weight, x).unwrap();
    }
    design
}

fn fit_cox(subjects: &[Subject], ties: Ties) -> CoxFit {
    crate::fit_cox(&design(subjects), ties)
}

fn ties() -> impl Strategy<Value = Ties> {
    prop_oneof![Just(Ties::Efron), Just(Ties::Breslow)]
}

/// Coefficients relative to their standard errors, everything else relative to itself. The tolerance is for a dozen
/// rows that are all but separated; see `order_does_not_matter_to_real_data` for what holds of data worth a model.
fn same(a: &CoxFit, b: &CoxFit, tolerance: f64) -> Result<(), TestCaseError> {
    let near = |a: f64, b: f64, unit: f64| (a - b).abs() <= tolerance * (1.0 + b.abs().max(unit));
    prop_assert_eq!(&a.status, &b.status);
    prop_assert!(near(a.log_likelihood_null, b.log_likelihood_null, 0.0));
    prop_assert_eq!(a.degrees_of_freedom, b.degrees_of_freedom);
    if a.status != Status::Converged {
        // Where the coefficients have no limit it is a matter of rounding at which step that is noticed.
        return Ok(());
    }
    prop_assert!(near(a.log_likelihood, b.log_likelihood, 0.0), "{} {}", a.log_likelihood, b.log_likelihood);
    for (i, (ours, other)) in a.coefficients.iter().zip(&b.coefficients).enumerate() {
        let error = b.standard_error(i).unwrap_or(0.0);
        prop_assert!(near(ours.unwrap_or(0.0), other.unwrap_or(0.0), error), "{ours:?} {other:?}");
        prop_assert!(near(a.standard_error(i).unwrap_or(0.0), error, error));
    }
    prop_assert_eq!(&a.baselines[0].times, &b.baselines[0].times);
    for (ours, other) in a.baselines[0].cumulative_hazard.iter().zip(&b.baselines[0].cumulative_hazard) {
        prop_assert!(near(*ours, *other, 0.0));
    }
    for (ours, other) in a.baselines[0].variance.iter().zip(&b.baselines[0].variance) {
        prop_assert!(near(*ours, *other, 0.0));
    }
    Ok(())
}

/// The log partial likelihood and its gradient, term by term as the papers write them.
fn by_definition(subjects: &[Subject], ties: Ties, beta: &[f64]) -> (f64, Vec<f64>) {
    let eta = |subject: &Subject| subject.x.iter().zip(beta).map(|(x, beta)| x * beta).sum::<f64>();
    let mut times: Vec<f64> = subjects.iter().filter(|subject| subject.event).map(|subject| subject.exit).collect();
    times.sort_unstable_by(f64::total_cmp);
    times.dedup();
    let (mut log_likelihood, mut score) = (0.0, vec![0.0; beta.len()]);
    for time in times {
        let dies = |subject: &&Subject| subject.event && subject.exit == time;
        let deaths: Vec<&Subject> = subjects.iter().filter(dies).collect();
        let mean_weight = deaths.iter().map(|death| death.weight).sum::<f64>() / deaths.len() as f64;
        for (l, death) in deaths.iter().enumerate() {
            let gone = if ties == Ties::Efron { l as f64 / deaths.len() as f64 } else { 0.0 };
            let (mut total, mut total_x) = (0.0, vec![0.0; beta.len()]);
            for subject in subjects.iter().filter(|subject| subject.entry < time && time <= subject.exit) {
                let share = if dies(&subject) { 1.0 - gone } else { 1.0 };
                let risk = subject.weight * share * eta(subject).exp();
                total += risk;
                total_x.iter_mut().zip(&subject.x).for_each(|(sum, x)| *sum += risk * x);
            }
            log_likelihood += death.weight * eta(death) - mean_weight * total.ln();
            for (i, part) in score.iter_mut().enumerate() {
                *part += death.weight * death.x[i] - mean_weight * total_x[i] / total;
            }
        }
    }
    (log_likelihood, score)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_maximum_is_one_by_definition(subjects in subjects(true, true, 2), ties in ties()) {
        let fit = fit_cox(&subjects, ties);
        let zeros = [0.0; 2];
        let (null, _) = by_definition(&subjects, ties, &zeros);
        prop_assert!((fit.log_likelihood_null - null).abs() <= 1e-11 * (1.0 + null.abs()));
        let beta: Vec<f64> = fit.coefficients.iter().map(|beta| beta.unwrap_or(0.0)).collect();
        let (log_likelihood, score) = by_definition(&subjects, ties, &beta);
        prop_assert!((fit.log_likelihood - log_likelihood).abs() <= 1e-9 * (1.0 + null.abs()));
        prop_assert!(fit.status != Status::NotConverged);
        if fit.status == Status::Converged {
            // The step that is left is far below a standard error.
            for i in 0..2 {
                let step: f64 = (0..2).map(|j| fit.covariance[i * 2 + j] * score[j]).sum();
                prop_assert!(step.abs() <= 1e-9 * fit.standard_error(i).unwrap_or(1.0), "step {step}");
            }
        }
    }

    /// Eighteen covariates on a few dozen rows: often separated, sometimes beyond all numbers, never wrong.
    #[test]
    fn wide_rows_are_no_different(subjects in subjects(true, true, 18), ties in ties()) {
        let fit = fit_cox(&subjects, ties);
        fit.curve(&fit.baselines[0], &subjects[0].x).validate().unwrap();
        let beta: Vec<f64> = fit.coefficients.iter().map(|beta| beta.unwrap_or(0.0)).collect();
        let within_numbers = subjects.iter().all(|subject| fit.linear_predictor(&subject.x).abs() < 15.0);
        if fit.status == Status::Converged && within_numbers {
            let (log_likelihood, score) = by_definition(&subjects, ties, &beta);
            prop_assert!((fit.log_likelihood - log_likelihood).abs() <= 1e-10 * (1.0 + log_likelihood.abs()));
            for i in 0..18 {
                let step: f64 = (0..18).map(|j| fit.covariance[i * 18 + j] * score[j]).sum();
                prop_assert!(step.abs() <= 1e-7 * fit.standard_error(i).unwrap_or(1.0), "step {step}");
            }
        }
    }

    #[test]
    fn order_does_not_matter(subjects in subjects(true, true, 3), ties in ties(), seed in any::<u64>()) {
        let mut shuffled = subjects.clone();
        Chance::new(seed).shuffle(&mut shuffled);
        same(&fit_cox(&shuffled, ties), &fit_cox(&subjects, ties), 1e-7)?;
    }

    #[test]
    fn parts_merge_to_the_whole(subjects in subjects(true, true, 2), cut in 0usize..60, weighted in any::<bool>()) {
        let mut subjects = subjects;
        let cut = cut.min(subjects.len());
        // One part without late entries, and perhaps without weights.
        for subject in &mut subjects[..cut] {
            subject.entry = 0.0;
            subject.weight = if weighted { subject.weight } else { 1.0 };
        }
        let whole = design(&subjects);
        for (first, second) in [(0..cut, cut..subjects.len()), (cut..subjects.len(), 0..cut)] {
            let (mut merged, second) = (design(&subjects[first]), design(&subjects[second]));
            merged.skip();
            merged.merge(&second).unwrap();
            prop_assert_eq!(merged.len(), whole.len());
            prop_assert_eq!(merged.skipped(), 1);
            let fits = [&merged, &whole].map(|design| fit(design, Ties::Efron, &mut || Ok(())).unwrap());
            same(&fits[0], &fits[1], 1e-7)?;
        }
    }

    /// With Efron's ties and weights R's convention differs: each term of a tie carries the mean weight.
    #[test]
    fn a_whole_weight_is_repetition_under_breslow(subjects in subjects(true, true, 2)) {
        let repeated: Vec<Subject> = subjects
            .iter()
            .flat_map(|subject| std::iter::repeat_n(Subject { weight: 1.0, ..subject.clone() }, subject.weight as usize))
            .collect();
        same(&fit_cox(&subjects, Ties::Breslow), &fit_cox(&repeated, Ties::Breslow), 1e-7)?;
    }

    #[test]
    fn the_unit_of_time_does_not_matter(subjects in subjects(true, false, 2), ties in ties()) {
        let scale = |unit: f64| -> Vec<Subject> {
            let scaled = |s: &Subject| Subject { entry: s.entry * unit, exit: s.exit * unit, ..s.clone() };
            subjects.iter().map(scaled).collect()
        };
        let (days, years) = (fit_cox(&subjects, ties), fit_cox(&scale(1.0 / 365.25), ties));
        prop_assert_eq!(days.coefficients, years.coefficients);
        prop_assert_eq!(&days.baselines[0].cumulative_hazard, &years.baselines[0].cumulative_hazard);
    }

    #[test]
    fn entry_at_the_origin_is_no_entry(subjects in subjects(false, true, 2), ties in ties()) {
        let mut without = Design::default();
        for Subject { exit, event, weight, x, .. } in &subjects {
            without.push(None, *exit, *event, *weight, x).unwrap();
        }
        prop_assert_eq!(fit_cox(&subjects, ties), fit(&without, ties, &mut || Ok(())).unwrap());
        // An entry before the first event is none either, though the sums then go by another way.
        let early: Vec<Subject> = subjects.iter().map(|s| Subject { entry: 0.5, ..s.clone() }).collect();
        same(&fit_cox(&early, ties), &fit_cox(&subjects, ties), 1e-7)?;
    }

    #[test]
    fn the_origin_of_a_covariate_does_not_matter(subjects in subjects(true, true, 2), shift in -1e3..1e3f64) {
        let moved: Vec<Subject> =
            subjects.iter().map(|s| Subject { x: vec![s.x[0] + shift, s.x[1]], ..s.clone() }).collect();
        let (moved, fit) = (fit_cox(&moved, Ties::Efron), fit_cox(&subjects, Ties::Efron));
        same(&moved, &fit, 1e-6)?;
    }

    #[test]
    fn a_design_survives_its_stored_form(late in any::<bool>(), weighted in any::<bool>(), seed in any::<u64>()) {
        let mut design = Design::default();
        for i in 0..seed % 5 {
            let (entry, weight) = (if late { 0.5 } else { 0.0 }, if weighted { 2.5 } else { 1.0 });
            design.push(Some(entry), 1.0 + i as f64, i % 2 == 0, weight, &[0.1 * i as f64, -0.0]).unwrap();
        }
        (0..seed % 3).for_each(|_| design.skip());
        prop_assert_eq!(Design::decode(&design.encode()).unwrap(), design);
    }

    #[test]
    fn no_bytes_make_a_panic(subjects in subjects(true, true, 2), at in any::<usize>(), byte in any::<u8>(), cut in any::<usize>()) {
        let whole = design(&subjects).encode();
        let mut changed = whole.clone();
        changed[at % whole.len()] = byte;
        for bytes in [&changed[..], &whole[..cut % whole.len()], &changed[..cut % whole.len()]] {
            if let Ok(design) = Design::decode(bytes) {
                prop_assert_eq!(Design::decode(&design.encode()).unwrap(), design);
            }
        }
        prop_assert!(Design::decode(&whole[..whole.len() - 1]).is_err());
    }

    #[test]
    fn concordance_counts_each_pair_once(subjects in subjects(true, true, 1)) {
        let column = |of: fn(&Subject) -> f64| subjects.iter().map(of).collect::<Vec<f64>>();
        let (exits, entries) = (column(|s| s.exit), column(|s| s.entry));
        let (weights, risks) = (column(|s| s.weight), column(|s| s.x[0].round()));
        let events: Vec<bool> = subjects.iter().map(|s| s.event).collect();
        let outcomes = Outcomes { exits: &exits, events: &events, entries: &entries, weights: &weights };
        let ours = concordance(outcomes, &risks, &mut || Ok(())).unwrap();
        let mut expected = Concordance::default();
        for (i, first) in subjects.iter().enumerate().filter(|(_, first)| first.event) {
            for (j, second) in subjects.iter().enumerate() {
                let weight = first.weight * second.weight;
                let both = second.event && second.exit == first.exit;
                if both && i < j {
                    *(if risks[i] == risks[j] { &mut expected.tied_xy } else { &mut expected.tied_y }) += weight;
                } else if !both && second.entry < first.exit && first.exit <= second.exit {
                    let count = match risks[i].partial_cmp(&risks[j]).unwrap() {
                        std::cmp::Ordering::Greater => &mut expected.concordant,
                        std::cmp::Ordering::Less => &mut expected.discordant,
                        std::cmp::Ordering::Equal => &mut expected.tied_x,
                    };
                    *count += weight;
                }
            }
        }
        prop_assert_eq!(ours, expected);
    }
}
