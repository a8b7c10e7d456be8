//! The allocation of a prediction to the features: it adds up, and it is what its definition says – against closed forms,
//! a fine integral along the line, and Shapley values over all orders of the features.

use std::sync::LazyLock;

use ltv_engine::hazard::cox::{self, Ties};
use ltv_engine::hazard::design::Design;
use ltv_engine::hazard::discrete;
use ltv_engine::hazard::parametric;
use ltv_engine::model::cohorts::Cohorts;
use ltv_engine::model::explain::{Allocation, apportion};
use ltv_engine::model::features::{Feature, Kind, Unscorable, Value};
use ltv_engine::model::subject::Subject;
use ltv_engine::model::{Fit, Model};
use ltv_engine::numeric::tally::Budget;
use ltv_engine::survival::{Distribution, Sample, SplineScale};
use proptest::prelude::*;

const HORIZON: f64 = 7.0;

fn levels(names: &[&str]) -> Kind {
    Kind::Category { levels: names.iter().map(|name| name.to_string()).collect() }
}

fn features() -> Vec<Feature> {
    let feature = |name: &str, kind| Feature { name: name.into(), kind };
    vec![
        feature("seats", Kind::Numeric),
        feature("plan", levels(&["basic", "pro", "team"])),
        feature("partner", Kind::Boolean),
    ]
}

fn design() -> Design {
    let mut design = Design::default();
    for i in 0..120u32 {
        let level = i * 5 % 7 % 3;
        let flag = |yes: bool| f64::from(u8::from(yes));
        let columns = [f64::from(i * 7 % 10), flag(level == 1), flag(level == 2), flag(i * 11 % 13 < 6)];
        design.push(None, f64::from(1 + i * 13 % 24) + 0.25 * columns[0], i % 4 != 0, 1.0, &columns).unwrap();
    }
    design
}

/// Models with one linear predictor, all of the same features.
fn single_index() -> Vec<Model> {
    let (design, go_on) = (design(), &mut || Ok(()));
    let forms = [
        Distribution::Weibull,
        Distribution::LogNormal,
        Distribution::Gompertz,
        Distribution::Spline { scale: SplineScale::Odds, knots: vec![0.0, 2.0, 3.2] },
        Distribution::PiecewiseExponential { breaks: vec![6.0, 14.0] },
    ];
    let mut fits = vec![Fit::Cox(Box::new(cox::fit(&design, Ties::Efron, go_on).unwrap()))];
    let options = discrete::Options::default();
    fits.push(Fit::DiscreteTime(Box::new(discrete::fit(&design, &options, go_on).unwrap())));
    fits.push(Fit::Renewal(Box::new(discrete::fit_decisions(&design, &options, go_on).unwrap())));
    for form in forms {
        fits.push(Fit::Parametric(Box::new(parametric::fit(&design, &form, &[], go_on).unwrap())));
    }
    fits.into_iter().map(|fit| Model { features: features(), fit, skipped: 0, recalibration: None }).collect()
}

/// Fitted once for all the rows that are tried.
static MODELS: LazyLock<Vec<Model>> = LazyLock::new(|| single_index().into_iter().chain([two_indices()]).collect());

fn two_indices() -> Model {
    let fit = parametric::fit(&design(), &Distribution::Weibull, &[0, 3], &mut || Ok(())).unwrap();
    Model { features: features(), fit: Fit::Parametric(Box::new(fit)), skipped: 0, recalibration: None }
}

fn renewal(subject: &Subject) -> ltv_engine::Result<Option<f64>> {
    subject.renewal_probability(2.0, HORIZON)
}

fn allocated(model: &Model, row: &[Value]) -> Allocation {
    model.allocate(row, 0.0, renewal).unwrap().unwrap().unwrap()
}

fn sum(parts: &[f64]) -> f64 {
    parts.iter().sum()
}

proptest! {
    #[test]
    fn the_parts_add_up(seats in -20.0..40.0f64, plan in 0usize..3, partner in any::<bool>()) {
        let plan = ["basic", "pro", "team"][plan];
        let row = [Value::Number(seats), Value::Text(plan), Value::Number(f64::from(u8::from(partner)))];
        for model in MODELS.iter() {
            let told = allocated(model, &row);
            prop_assert!((sum(&told.parts) - (told.prediction - told.baseline)).abs() < 1e-13, "{}", model.algorithm());
            let line = model.allocate_linear_predictor(&row).unwrap().unwrap();
            prop_assert!((sum(&line.parts) - line.prediction).abs() < 1e-12 * (1.0 + line.prediction.abs()));
        }
    }
}

#[test]
fn with_one_linear_predictor_the_parts_are_its_shares() {
    for model in single_index() {
        let row = [Value::Number(9.0), Value::Text("team"), Value::Number(1.0)];
        let (told, line) = (allocated(&model, &row), model.allocate_linear_predictor(&row).unwrap().unwrap());
        let total = sum(&line.parts);
        for (part, share) in told.parts.iter().zip(&line.parts) {
            let expected = share / total * (told.prediction - told.baseline);
            assert!((part - expected).abs() < 1e-13, "{}: {part} {expected}", model.algorithm());
        }
    }
}

#[test]
fn a_cox_model_is_told_by_hand() {
    let model = single_index().swap_remove(0);
    let Fit::Cox(fit) = &model.fit else { panic!("a Cox model") };
    let row = [Value::Number(4.0), Value::Text("pro"), Value::Number(0.0)];
    let line = model.allocate_linear_predictor(&row).unwrap().unwrap();
    let beta = |at: usize| fit.coefficients[at].unwrap();
    let mean = |at: usize| fit.means[at];
    let expected = [beta(0) * (4.0 - mean(0)), beta(1) * (1.0 - mean(1)) - beta(2) * mean(2), -beta(3) * mean(3)];
    for (part, expected) in line.parts.iter().zip(expected) {
        assert!((part - expected).abs() < 1e-14);
    }
    let told = allocated(&model, &row);
    let baseline = &fit.baselines[0];
    let hazard = baseline.cumulative_hazard(9.0) - baseline.cumulative_hazard(2.0);
    assert!((told.baseline - (-hazard).exp()).abs() < 1e-15);
    assert!((told.prediction - (-hazard * line.prediction.exp()).exp()).abs() < 1e-15);
}

/// ∫ ∂F/∂x_j (x_j − mean_j) along the line, by the midpoint rule and differences of its own.
fn integrated_gradients(model: &Model, row: &[Value], means: &[f64]) -> Vec<f64> {
    let mut columns = Vec::new();
    let subject = model.subject(row, &mut columns).unwrap();
    let at = |line: f64, column: usize, shift: f64| {
        let x: Vec<f64> = (0..means.len())
            .map(|i| means[i] + (line + if i == column { shift } else { 0.0 }) * (subject.covariates()[i] - means[i]))
            .collect();
        renewal(&subject.moved(&x)).unwrap().unwrap()
    };
    const PANELS: usize = 400;
    let column = |column: usize| -> f64 {
        let slope = |panel: usize| {
            let (line, step) = ((panel as f64 + 0.5) / PANELS as f64, 1e-5);
            (at(line, column, step) - at(line, column, -step)) / (2.0 * step)
        };
        (0..PANELS).map(slope).sum::<f64>() / PANELS as f64
    };
    vec![column(0), column(1) + column(2), column(3)]
}

#[test]
fn the_parts_are_integrals_along_the_line() {
    let row = [Value::Number(9.0), Value::Text("pro"), Value::Number(1.0)];
    for model in single_index().iter().chain([&two_indices()]) {
        let means = match &model.fit {
            Fit::Cox(fit) => &fit.means,
            Fit::DiscreteTime(fit) | Fit::Renewal(fit) => &fit.means,
            Fit::Parametric(fit) => &fit.means,
            _ => unreachable!(),
        };
        let told = allocated(model, &row);
        for (part, expected) in told.parts.iter().zip(integrated_gradients(model, &row, means)) {
            assert!((part - expected).abs() < 2e-8, "{}: {part} {expected}", model.algorithm());
        }
    }
}

/// A row whose parts cancel: the chord is no help there, the slope is.
#[test]
fn parts_that_cancel_keep_their_sizes() {
    let model = single_index().swap_remove(0);
    let at = |seats: f64| [Value::Number(seats), Value::Text("team"), Value::Number(1.0)];
    let line = |seats: f64| model.allocate_linear_predictor(&at(seats)).unwrap().unwrap();
    let (zero, one) = (line(0.0).prediction, line(1.0).prediction);
    let neutral = zero / (zero - one);
    for offset in [0.0, 1e-9, 1e-5, 1e-3] {
        let row = at(neutral + offset);
        let (told, line) = (allocated(&model, &row), model.allocate_linear_predictor(&row).unwrap().unwrap());
        // −H e^η dη: the derivative of exp(−H e^η) at η = 0, near which the row is.
        let hazard = -told.baseline.ln();
        let slope = -hazard * told.baseline;
        for (part, share) in told.parts.iter().zip(&line.parts) {
            assert!((part - share * slope).abs() < 1e-10 + offset, "{offset}: {part} {}", share * slope);
        }
        assert!((sum(&told.parts) - (told.prediction - told.baseline)).abs() < 1e-14);
    }
}

fn cohorts() -> Model {
    let mut samples = Vec::new();
    for (i, region) in ["EU", "US"].into_iter().enumerate() {
        for (j, plan) in ["basic", "pro", "team"].into_iter().enumerate() {
            for (k, partner) in ["false", "true"].into_iter().enumerate() {
                if (i, j, k) == (1, 2, 0) {
                    continue;
                }
                let mut sample = Sample::default();
                for n in 0..(20 + 7 * i + 5 * j + 11 * k) {
                    let exit = (n * 7 % 30) as f64 + (3 * i + 2 * j * j + k) as f64;
                    sample.add(exit, n % 3 != 0, Budget::UNLIMITED).unwrap();
                }
                samples.push((vec![region.into(), plan.into(), partner.into()], sample));
            }
        }
    }
    let feature = |name: &str, names: &[&str]| Feature { name: name.into(), kind: levels(names) };
    let features = vec![
        feature("region", &["EU", "US"]),
        feature("plan", &["basic", "pro", "team"]),
        feature("partner", &["false", "true"]),
    ];
    Model { features, fit: Fit::KaplanMeier(Cohorts::fit(samples).unwrap()), skipped: 0, recalibration: None }
}

#[test]
fn cohorts_have_their_shapley_values() {
    let model = cohorts();
    let Fit::KaplanMeier(all) = &model.fit else { panic!("cohorts") };
    let row = ["US", "team", "true"];
    let told = allocated(&model, &row.map(Value::Text));
    let worth = |set: &[usize]| {
        let (mut subjects, mut total) = (0.0, 0.0);
        for cohort in all.cohorts.iter().filter(|cohort| set.iter().all(|at| cohort.levels[*at] == row[*at])) {
            subjects += cohort.subjects;
            total += cohort.subjects * renewal(&Subject::Cohort(cohort)).unwrap().unwrap();
        }
        total / subjects
    };
    let mut expected = [0.0; 3];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        for place in 0..3 {
            expected[order[place]] += (worth(&order[..=place]) - worth(&order[..place])) / 6.0;
        }
    }
    assert!((told.baseline - worth(&[])).abs() < 1e-15);
    for (part, expected) in told.parts.iter().zip(expected) {
        assert!((part - expected).abs() < 1e-14, "{part} {expected}");
    }
    assert!(model.allocate_linear_predictor(&row.map(Value::Text)).unwrap().is_none());
}

#[test]
fn a_row_without_a_score_names_the_feature() {
    let model = single_index().swap_remove(0);
    let row = [Value::Number(1.0), Value::Text("trial"), Value::Number(1.0)];
    let why = model.allocate(&row, 0.0, renewal).unwrap().unwrap_err();
    assert_eq!(why, Unscorable::Unseen { feature: "plan".into(), level: "trial".into() });
}

#[test]
fn too_many_categories_are_refused() {
    let mut sample = Sample::default();
    sample.add(10.0, true, Budget::UNLIMITED).unwrap();
    let fit = Fit::KaplanMeier(Cohorts::fit(vec![(vec!["a".to_string(); 17], sample)]).unwrap());
    let features = (0..17).map(|i| Feature { name: format!("f{i}"), kind: levels(&["a"]) }).collect();
    let model = Model { features, fit, skipped: 0, recalibration: None };
    let error = model.allocate(&[Value::Text("a"); 17], 0.0, renewal).unwrap_err();
    assert_eq!(error.to_string(), "a Kaplan–Meier model of 17 features cannot be explained");
}

proptest! {
    #[test]
    fn money_adds_up_to_the_unit(parts in prop::collection::vec(-1e6..1e6f64, 1..9)) {
        let total = (parts.iter().sum::<f64>() * 100.0).round() as i128;
        let units = apportion(total, &parts, 100.0);
        prop_assert_eq!(units.iter().sum::<i128>(), total);
        for (units, part) in units.iter().zip(&parts) {
            prop_assert!((*units as f64 - part * 100.0).abs() <= 1.0 + 1e-6);
        }
    }
}
