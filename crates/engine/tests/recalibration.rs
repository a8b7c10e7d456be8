//! Recalibration: the maps against scikit-learn and statsmodels, and that a model seen through one tells one curve in all
//! its answers.

use std::path::PathBuf;

use ltv_engine::assess::calibration::Calibration;
use ltv_engine::assess::inverse_censoring::Censoring;
use ltv_engine::assess::recalibration_fit::Method;
use ltv_engine::assess::survival_calibration::SurvivalCalibration;
use ltv_engine::hazard::cox::{self, Ties};
use ltv_engine::hazard::design::Design;
use ltv_engine::hazard::{discrete, fine_gray, parametric};
use ltv_engine::model::cohorts::Cohorts;
use ltv_engine::model::features::{Feature, Kind, Value};
use ltv_engine::model::{Fit, Model};
use ltv_engine::numeric::tally::Budget;
use ltv_engine::survival::kaplan_meier::{self, Transform};
use ltv_engine::survival::{Distribution, RecalibrationMap, Sample, SplineScale, Survival};
use proptest::prelude::*;

fn go_on() -> ltv_engine::Result<()> {
    Ok(())
}

fn features() -> Vec<Feature> {
    ["seats", "old"].map(|name| Feature { name: name.into(), kind: Kind::Numeric }).into()
}

fn rows() -> impl Iterator<Item = ([f64; 2], f64, bool)> {
    (0..160u32).map(|i| {
        let x = [f64::from(i * 7 % 10), f64::from(i % 2)];
        (x, f64::from(1 + i * 13 % 24) + 0.25 * x[0], i % 4 != 0)
    })
}

fn models() -> Vec<Model> {
    let mut design = Design::default();
    rows().for_each(|(x, exit, event)| design.push(None, exit, event, 1.0, &x).unwrap());
    let options = discrete::Options::default();
    let mut fits = vec![
        Fit::Cox(Box::new(cox::fit(&design, Ties::Efron, &mut go_on).unwrap())),
        Fit::DiscreteTime(Box::new(discrete::fit(&design, &options, &mut go_on).unwrap())),
        Fit::Renewal(Box::new(discrete::fit_decisions(&design, &options, &mut go_on).unwrap())),
    ];
    let forms = [
        Distribution::Weibull,
        Distribution::LogNormal,
        Distribution::LogLogistic,
        Distribution::Gompertz,
        Distribution::Spline { scale: SplineScale::Odds, knots: vec![0.0, 2.0, 3.2] },
        Distribution::PiecewiseExponential { breaks: vec![6.0, 14.0] },
        Distribution::Cure(Box::new(Distribution::Weibull)),
    ];
    for form in forms {
        fits.push(Fit::Parametric(Box::new(parametric::fit(&design, &form, &[], &mut go_on).unwrap())));
    }
    let mut models: Vec<Model> =
        fits.into_iter().map(|fit| Model { features: features(), fit, skipped: 0, recalibration: None }).collect();
    let mut sample = Sample::default();
    rows().for_each(|(_, exit, event)| sample.add(exit, event, Budget::UNLIMITED).unwrap());
    let fit = Fit::KaplanMeier(Cohorts::fit(vec![(Vec::new(), sample)]).unwrap());
    models.push(Model { features: Vec::new(), fit, skipped: 0, recalibration: None });
    models
}

fn maps() -> Vec<RecalibrationMap> {
    vec![
        RecalibrationMap::Intercept { log_ratio: -0.4 },
        RecalibrationMap::Beta { intercept: 0.3, event: 1.3, survival: 0.8 },
        RecalibrationMap::Beta { intercept: -0.2, event: 0.7, survival: 0.7 },
        RecalibrationMap::Isotonic {
            predicted: vec![0.1, 0.25, 0.4, 0.6, 0.8],
            recalibrated: vec![0.0, 0.2, 0.2, 0.5, 0.9],
        },
    ]
}

const ROW: [Value; 2] = [Value::Number(6.0), Value::Number(1.0)];

fn values(model: &Model) -> &'static [Value<'static>] {
    if model.features.is_empty() { &[] } else { &ROW }
}

/// Does `check` with each model, its recalibrated self and the map.
fn each(mut check: impl FnMut(&Model, &Model, &RecalibrationMap)) {
    for model in models() {
        for map in maps() {
            check(&model, &model.clone().recalibrated(Some(map.clone())).unwrap(), &map);
        }
    }
}

fn close(ours: f64, theirs: f64, tolerance: f64, what: &str) {
    assert!((ours - theirs).abs() <= tolerance * theirs.abs().max(1.0), "{what}: {ours} instead of {theirs}");
}

#[test]
fn all_answers_are_of_one_curve() {
    each(|plain, model, map| {
        let what = format!("{} through {}", model.algorithm(), map.name());
        let (mut a, mut b) = (Vec::new(), Vec::new());
        let before = plain.subject(values(plain), &mut a).unwrap();
        let subject = model.subject(values(model), &mut b).unwrap();
        let curve = subject.survival().reading().unwrap();
        let until = curve.view().max_followup();
        for t in [0.25, 1.0, 3.5, 7.25, 12.0, 17.0, 24.0].into_iter().filter(|t| *t <= until) {
            let p = subject.renewal_probability(0.0, t).unwrap().unwrap();
            let (expected, roundings) = match &plain.fit {
                // Each decision through the map, which was learnt of one; a power has as many roundings.
                Fit::Renewal(fit) => {
                    let one = before.renewal_probability(0.0, fit.period).unwrap().unwrap();
                    let decisions = (t / fit.period).floor();
                    (map.survival(one).powf(decisions), decisions.max(1.0))
                }
                _ => (map.survival(before.renewal_probability(0.0, t).unwrap().unwrap()), 1.0),
            };
            close(p, expected, 1e-14 * roundings, &what);
            close(curve.view().survival_at(t).unwrap(), p, 1e-12, &what);
            let seen = subject.view(|curve| curve.renewal_probability(2.0, t + 2.0)).unwrap().unwrap();
            close(subject.renewal_probability(2.0, t).unwrap().unwrap(), seen, 1e-12, &what);
        }
        // Beyond the data both go on alike.
        let seen = subject.view(|curve| curve.renewal_probability(20.0, until + 9.0)).unwrap().unwrap();
        let said = subject.renewal_probability(20.0, until + 9.0 - 20.0).unwrap().unwrap();
        close(said, seen, 1e-12, &format!("{what} beyond"));
        let rises = (0..200).map(|i| subject.renewal_probability(0.0, 0.2 * f64::from(i + 1)).unwrap().unwrap());
        assert!(rises.collect::<Vec<f64>>().windows(2).all(|pair| pair[0] >= pair[1]), "{what} rises");
    });
}

#[test]
fn limits_and_means_are_of_the_recalibrated_curve() {
    each(|plain, model, map| {
        let what = format!("{} through {}", model.algorithm(), map.name());
        let (mut a, mut b) = (Vec::new(), Vec::new());
        let before = plain.subject(values(plain), &mut a).unwrap();
        let subject = model.subject(values(model), &mut b).unwrap();
        let told = subject.outlook(0.0, 12.0, 0.95).unwrap();
        let first = before.outlook(0.0, 12.0, 0.95).unwrap();
        assert_eq!(told.linear_predictor, first.linear_predictor, "{what}");
        assert_eq!(told.extrapolated, first.extrapolated, "{what}");
        // A rising map carries the limits of an interval, whatever its slope.
        let through = |limit: f64| match &plain.fit {
            Fit::Renewal(fit) => {
                let decisions = (12.0 / fit.period).floor();
                map.survival(limit.powf(1.0 / decisions)).powf(decisions)
            }
            _ => map.survival(limit),
        };
        let limits = first.lower.zip(first.upper).map(|(lower, upper)| (through(lower), through(upper)));
        let limits = limits.filter(|(lower, upper)| *lower < 1.0 && *upper > 0.0);
        assert_eq!((told.lower.is_some(), told.upper.is_some()), (limits.is_some(), limits.is_some()), "{what}");
        if let Some((lower, upper)) = limits {
            close(told.lower.unwrap(), lower, 1e-12, &what);
            close(told.upper.unwrap(), upper, 1e-12, &what);
            // Those of its curve, which has one standard error for both sides, hold them.
            let (p, variance) = subject.view(|c| (c.survival_at(12.0).unwrap(), c.log_variance_at(12.0).unwrap()));
            let of_curve = kaplan_meier::interval(p, Some(variance), 1.959963984540054, Transform::LogLog);
            if p < 1.0 {
                assert!(of_curve.lower.unwrap() <= lower + 1e-9, "{what}: {of_curve:?} and {lower}");
                assert!(upper == 1.0 || of_curve.upper.unwrap() >= upper - 1e-9, "{what}: {of_curve:?} and {upper}");
            } else {
                assert_eq!((of_curve.lower, of_curve.upper), (None, None), "{what}");
            }
        }
        // Given an age, p' = g(S(given) p) / g(S(given)) of each limit p.
        for (given, horizon) in [(3.0, 6.0), (9.0, 12.0)] {
            let first = before.outlook(given, horizon, 0.9).unwrap();
            let told = subject.outlook(given, horizon, 0.9).unwrap();
            let left = before.renewal_probability(0.0, given).unwrap().unwrap();
            let (Some(lower), Some(upper)) = (first.lower, first.upper) else { continue };
            let (Some(ours_lower), Some(ours_upper)) = (told.lower, told.upper) else { continue };
            if let Fit::Renewal(fit) = &plain.fit {
                let decisions = ((given + horizon) / fit.period).floor() - (given / fit.period).floor();
                let through = |limit: f64| map.survival(limit.powf(1.0 / decisions)).powf(decisions);
                close(ours_lower, through(lower), 1e-9, &what);
                close(ours_upper, through(upper), 1e-9, &what);
                continue;
            }
            close(ours_lower, map.survival(left * lower) / map.survival(left), 1e-9, &what);
            close(ours_upper, map.survival(left * upper) / map.survival(left), 1e-9, &what);
        }
        // Beyond the observed time the limits are there too, around the probability.
        let far = subject.outlook(2.0, 60.0, 0.95).unwrap();
        let p = far.renewal_probability.unwrap();
        assert!(
            far.lower.is_none_or(|lower| lower <= p) && far.upper.is_none_or(|upper| upper >= p),
            "{what}: {far:?}"
        );
        let area = subject.view(|curve| curve.restricted_mean(20.0)).unwrap().unwrap();
        let steps = 10_000;
        let sum: f64 = (0..steps)
            .map(|i| subject.renewal_probability(0.0, 20.0 * (f64::from(i) + 0.5) / f64::from(steps)).unwrap().unwrap())
            .sum();
        close(area, sum * 20.0 / f64::from(steps), 4e-4, &what);
    });
}

#[test]
fn values_survive_storage_and_earlier_formats_stay() {
    each(|plain, model, map| {
        let bytes = model.encode().unwrap();
        assert_eq!((plain.encode().unwrap()[0], bytes[0]), (2, 3));
        assert_eq!(&Model::decode(&bytes).unwrap(), model);
        assert_eq!(model.clone().recalibrated(None).unwrap().encode().unwrap(), plain.encode().unwrap());
        let mut columns = Vec::new();
        let curve = model.subject(values(model), &mut columns).unwrap().survival();
        assert_eq!(Survival::decode(&curve.encode()).unwrap(), curve, "{}", map.name());
    });
    let fall = RecalibrationMap::Isotonic { predicted: vec![0.1, 0.2], recalibrated: vec![0.5, 0.4] };
    assert!(models().remove(0).recalibrated(Some(fall)).is_err());
    let text = serde_json::to_string(&Distribution::Recalibrated {
        inner: Box::new(Distribution::Recalibrated { inner: Box::new(Distribution::Weibull), map: maps().remove(0) }),
        map: maps().remove(0),
    });
    assert!(serde_json::from_str::<Distribution>(&text.unwrap()).is_err(), "a nested map must not be read");
}

#[test]
fn an_identity_changes_nothing_and_causes_have_no_age() {
    for model in models() {
        let same = RecalibrationMap::Beta { intercept: 0.0, event: 1.0, survival: 1.0 };
        let through = model.clone().recalibrated(Some(same)).unwrap();
        let (mut a, mut b) = (Vec::new(), Vec::new());
        let (ours, theirs) =
            (through.subject(values(&through), &mut a).unwrap(), model.subject(values(&model), &mut b).unwrap());
        for (given, horizon) in [(0.0, 5.0), (3.0, 12.0), (20.0, 40.0)] {
            let told = theirs.renewal_probability(given, horizon).unwrap().unwrap();
            close(ours.renewal_probability(given, horizon).unwrap().unwrap(), told, 1e-10, model.algorithm());
        }
        assert_eq!(ours.cured_share(4.0).unwrap().is_some(), theirs.cured_share(4.0).unwrap().is_some());
    }
    let mut design = Design::default();
    rows().enumerate().for_each(|(i, (x, exit, event))| {
        let cause = i32::from(event) * (1 + i32::from(i % 3 == 0));
        design.push_cause(0.0, exit, cause, 1.0, &x).unwrap();
    });
    let fit = fine_gray::fit(&design, 1, Ties::Efron, &mut go_on).unwrap();
    let model = Model { features: features(), fit: Fit::from(fit), skipped: 0, recalibration: None };
    for map in maps() {
        let through = model.clone().recalibrated(Some(map)).unwrap();
        let mut columns = Vec::new();
        let subject = through.subject(&ROW, &mut columns).unwrap();
        assert!(subject.renewal_probability(0.0, 6.0).unwrap().is_some());
        assert_eq!(subject.renewal_probability(2.0, 6.0).unwrap(), None);
    }
}

#[test]
fn explanations_add_up_through_a_map() {
    each(|_, model, map| {
        let told = model.allocate(values(model), 0.0, |subject| subject.renewal_probability(2.0, 9.0));
        let told = told.unwrap().unwrap().unwrap();
        let sum: f64 = told.parts.iter().sum();
        close(sum, told.prediction - told.baseline, 1e-12, map.name());
    });
}

/// Where an isotonic map is flat its slope is 0, where it jumps enormous: the limits are neither 0 nor 1 apart.
#[test]
fn limits_on_flat_pieces_and_at_jumps_are_those_of_the_model() {
    let model = &models()[0];
    let mut columns = Vec::new();
    let first = model.subject(&ROW, &mut columns).unwrap().outlook(0.0, 12.0, 0.95).unwrap();
    let [p, lower, upper] = [first.renewal_probability, first.lower, first.upper].map(Option::unwrap);
    let q = 1.0 - p;
    let told = |predicted: Vec<f64>, recalibrated: Vec<f64>| {
        let map = RecalibrationMap::Isotonic { predicted, recalibrated };
        let through = model.clone().recalibrated(Some(map.clone())).unwrap();
        let mut columns = Vec::new();
        (through.subject(&ROW, &mut columns).unwrap().outlook(0.0, 12.0, 0.95).unwrap(), map)
    };
    let reach = (upper - lower) / 100.0;
    // A short flat piece: the limits lie beyond it.
    let (flat, map) = told(vec![q - reach, q + reach, 0.999], vec![q, q, 0.9991]);
    close(flat.lower.unwrap(), map.survival(lower), 1e-12, "flat");
    close(flat.upper.unwrap(), map.survival(upper), 1e-12, "flat");
    assert!(flat.upper.unwrap() - flat.lower.unwrap() > 0.1 * (upper - lower));
    // A jump by a tenth at the prediction widens the limits by no more than about that.
    let (jump, map) = told(vec![q - 1e-9, q + 1e-9], vec![q * 0.95, q * 1.05]);
    close(jump.lower.unwrap(), map.survival(lower), 1e-12, "jump");
    close(jump.upper.unwrap(), map.survival(upper), 1e-12, "jump");
    assert!(jump.upper.unwrap() - jump.lower.unwrap() < upper - lower + 0.2 * q);
    // All of it in one pool: both limits are the probability, for the map is taken as known.
    let (pool, _) = told(vec![1e-6, 1.0 - 1e-6], vec![0.3, 0.3]);
    close(pool.lower.unwrap(), 0.7, 1e-12, "pool");
    close(pool.upper.unwrap(), 0.7, 1e-12, "pool");
    // A pool at 0 or 1 says nothing of how sure it is.
    let (none, _) = told(vec![1e-6, 1.0 - 1e-6], vec![0.0, 0.0]);
    assert_eq!((none.renewal_probability, none.lower, none.upper), (Some(1.0), None, None));
    let (all, _) = told(vec![1e-6, 1.0 - 1e-6], vec![1.0, 1.0]);
    assert_eq!((all.renewal_probability, all.lower, all.upper), (Some(0.0), None, None));
}

fn numbers(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[test]
fn maps_are_those_of_the_peers() {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/recalibration");
    let mut worst: f64 = 0.0;
    for name in ["small", "tilted", "weighted", "censored"] {
        let text = std::fs::read_to_string(directory.join(format!("{name}.json"))).unwrap();
        let case: serde_json::Value = serde_json::from_str(&text).unwrap();
        let summary = if name == "censored" {
            let mut rows = SurvivalCalibration::default();
            let events = case["event"].as_array().unwrap();
            for ((survival, time), event) in numbers(&case["survival"]).iter().zip(numbers(&case["time"])).zip(events) {
                rows.add(*survival, time, event.as_bool().unwrap(), 1.0, || Budget::UNLIMITED).unwrap();
            }
            let horizon = case["horizon"].as_f64().unwrap();
            let known = rows.known_at(horizon, Censoring::Marginal, Budget::UNLIMITED, &mut go_on).unwrap().unwrap();
            close(known.total(), case["known"].as_f64().unwrap(), 1e-12, "weight");
            close(known.positives(), case["positives"].as_f64().unwrap(), 1e-12, "events");
            known
        } else {
            let mut rows = Calibration::default();
            let columns = ["probability", "outcome", "weight"].map(|column| numbers(&case[column]));
            for (row, p) in columns[0].iter().enumerate() {
                rows.add_weighted(*p, columns[1][row] == 1.0, columns[2][row], Budget::UNLIMITED).unwrap();
            }
            rows
        };
        let map = |method| summary.recalibration_map(method, &mut go_on);
        let mut same = |ours: &[f64], theirs: &[f64]| {
            assert_eq!(ours.len(), theirs.len());
            for (ours, theirs) in ours.iter().zip(theirs) {
                worst = worst.max((ours - theirs).abs());
                close(*ours, *theirs, 1e-8, name);
            }
        };
        let RecalibrationMap::Beta { intercept, event, survival } = map(Method::Platt).unwrap() else { panic!() };
        same(&[intercept, event], &numbers(&case["platt"]));
        assert_eq!(event, survival);
        // Platt's targets are ours where each row is a little of the other outcome too.
        let [no, yes] = ["no", "yes"].map(|target| case["smoothed"][target].as_f64().unwrap());
        let mut smoothed = Calibration::default();
        if name != "censored" {
            let columns = ["probability", "outcome", "weight"].map(|column| numbers(&case[column]));
            for (row, p) in columns[0].iter().enumerate() {
                let target = if columns[1][row] == 1.0 { yes } else { no };
                for (outcome, share) in [(true, target), (false, 1.0 - target)] {
                    smoothed.add_weighted(*p, outcome, share * columns[2][row], Budget::UNLIMITED).unwrap();
                }
            }
            let map = smoothed.recalibration_map(Method::Platt, &mut go_on).unwrap();
            let RecalibrationMap::Beta { intercept, event, .. } = map else { panic!() };
            same(&[intercept, event], &numbers(&case["smoothed"]["coefficients"]));
        }
        let theirs = numbers(&case["beta"]);
        match map(Method::Beta) {
            Ok(RecalibrationMap::Beta { intercept, event, survival }) => same(&[intercept, event, survival], &theirs),
            Err(_) => assert!(theirs[1] <= 0.0 || theirs[2] <= 0.0, "{name}"),
            Ok(other) => panic!("{other:?}"),
        }
        let RecalibrationMap::Intercept { log_ratio } = map(Method::Intercept).unwrap() else { panic!() };
        same(&[log_ratio], &numbers(&case["intercept"]));
        let isotonic = map(Method::Isotonic).unwrap();
        let ours: Vec<f64> = numbers(&case["isotonic"]["at"]).iter().map(|p| isotonic.event_probability(*p)).collect();
        same(&ours, &numbers(&case["isotonic"]["observed"]));
    }
    println!("largest difference of a map from its peer: {worst:e}");
    assert!(worst < 1e-8, "{worst}");
}

#[test]
fn what_cannot_be_fitted_is_refused() {
    let of = |rows: &[(f64, bool)]| {
        let mut summary = Calibration::default();
        rows.iter().for_each(|(p, outcome)| summary.add(*p, *outcome, Budget::UNLIMITED).unwrap());
        summary
    };
    let all = [Method::Intercept, Method::Platt, Method::Beta, Method::Isotonic];
    for method in all {
        assert!(of(&[]).recalibration_map(method, &mut go_on).is_err());
        assert!(of(&[(0.2, true), (0.9, true)]).recalibration_map(method, &mut go_on).is_err());
    }
    let wrong = of(&[(0.9, false), (0.8, false), (0.2, true), (0.3, true), (0.25, false), (0.85, true), (0.7, false)]);
    assert!(wrong.recalibration_map(Method::Platt, &mut go_on).is_err(), "a map that falls is none");
    assert!(wrong.recalibration_map(Method::Isotonic, &mut go_on).is_ok());
    let none = SurvivalCalibration::default();
    assert!(none.known_at(3.0, Censoring::Marginal, Budget::UNLIMITED, &mut go_on).unwrap().is_none());
    let separated = of(&[(0.2, false), (0.3, false), (0.8, true)]);
    assert!(separated.recalibration_map(Method::Platt, &mut go_on).is_err());
}

proptest! {
    #[test]
    fn a_map_rises_from_0_to_infinity(which in 0usize..4, low in 0.0f64..30.0, width in 1e-6f64..20.0) {
        let map = &maps()[which];
        prop_assert_eq!(map.hazard(0.0).0, 0.0);
        prop_assert_eq!(map.hazard(f64::INFINITY).0, f64::INFINITY);
        let (before, after) = (map.hazard(low).0, map.hazard(low + width).0);
        prop_assert!(before <= after && before >= 0.0 && before.is_finite());
        let (_, slope) = map.hazard(low + 1e-3);
        let difference = (map.hazard(low + 1e-3 + 1e-7).0 - map.hazard(low + 1e-3 - 1e-7).0) / 2e-7;
        // But where a line begins.
        let bent = matches!(map, RecalibrationMap::Isotonic { predicted, .. }
            if predicted.iter().any(|p| (-(-p).ln_1p() - low - 1e-3).abs() < 1e-6));
        prop_assert!(bent || (slope - difference).abs() < 1e-5 * (1.0 + slope), "{slope} {difference}");
    }
}
