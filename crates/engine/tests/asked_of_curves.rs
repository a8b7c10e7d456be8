//! A row that is asked little is told what its whole curve says, to the last bit.

use ltv_engine::Result;
use ltv_engine::boost::hazard as boosted;
use ltv_engine::boost::options::Options as Growth;
use ltv_engine::hazard::cox::{self, Ties};
use ltv_engine::hazard::design::Design;
use ltv_engine::hazard::{discrete, fine_gray};
use ltv_engine::model::features::{Feature, Kind, Value};
use ltv_engine::model::subject::Subject;
use ltv_engine::model::{Fit, Model};
use ltv_engine::survival::{CurveView, RecalibrationMap};
use ltv_engine::value::{TailRule, Terms, lifetime_value};

fn go_on() -> Result<()> {
    Ok(())
}

/// A row with its exit, and of what it ended: 0 when it was still there.
fn rows() -> impl Iterator<Item = ([f64; 2], f64, i32)> {
    (0..240u32).map(|i| {
        let x = [f64::from(i * 7 % 10), f64::from(i % 2)];
        (x, f64::from(1 + i * 13 % 24) + 0.25 * x[0], [1, 1, 2, 0][(i % 4) as usize])
    })
}

fn models() -> Vec<Model> {
    let (mut design, mut causes) = (Design::default(), Design::default());
    for (x, exit, cause) in rows() {
        design.push(None, exit, cause != 0, 1.0, &x).unwrap();
        causes.push_cause(0.0, exit, cause, 1.0, &x).unwrap();
    }
    let growth = Growth { trees: 5, ..Growth::default() };
    let fits = [
        Fit::Cox(Box::new(cox::fit(&design, Ties::Efron, &mut go_on).unwrap())),
        Fit::BoostedHazard(Box::new(boosted::fit(&design, &growth, &mut go_on).unwrap())),
        Fit::from(fine_gray::fit(&causes, 1, Ties::Efron, &mut go_on).unwrap()),
        Fit::DiscreteTime(Box::new(discrete::fit(&design, &discrete::Options::default(), &mut go_on).unwrap())),
    ];
    let features: Vec<Feature> = ["seats", "old"].map(|name| Feature { name: name.into(), kind: Kind::Numeric }).into();
    let plain = fits.map(|fit| Model { features: features.clone(), fit, skipped: 0, recalibration: None });
    let maps = [
        RecalibrationMap::Intercept { log_ratio: -0.4 },
        RecalibrationMap::Beta { intercept: -0.2, event: 0.7, survival: 0.7 },
        RecalibrationMap::Isotonic { predicted: vec![0.1, 0.4, 0.8], recalibrated: vec![0.0, 0.2, 0.9] },
    ];
    let mapped = |model: &Model| maps.clone().map(|map| model.clone().recalibrated(Some(map)).unwrap());
    plain.iter().flat_map(mapped).chain(plain.clone()).collect()
}

/// Calls `check` with the subjects of ordinary rows, and of rows at risks beyond all bounds.
fn each(mut check: impl FnMut(&str, &Subject)) {
    for model in models() {
        for x in [[6.0, 1.0], [0.0, 0.0], [2e3, 1.0], [-2e3, 0.0], [1e6, 0.0]] {
            let mut columns = Vec::new();
            let subject = model.subject(&x.map(Value::Number), &mut columns).unwrap();
            check(&format!("{} {x:?} {:?}", model.algorithm(), model.recalibration), &subject);
        }
    }
}

const TIMES: [f64; 8] = [0.0, 0.5, 3.0, 7.25, 20.0, 26.0, 26.25, 60.0];

#[test]
fn a_prediction_is_that_of_the_whole_curve() {
    let (mut limits, mut lifetimes) = (0, 0);
    each(|what, subject| {
        for given in TIMES {
            for horizon in [0.25, 3.0, 12.0, 40.0] {
                let told = subject.outlook(given, horizon, 0.95).unwrap();
                let (lifetime, extrapolated, variance) = subject.view(|curve| {
                    let until = given + horizon;
                    let beyond = until > curve.max_followup() && !curve.is_over();
                    (curve.mean_residual_life(given), beyond, curve.log_variance_between(given, until))
                });
                let lifetime = lifetime.filter(|_| subject.no_lifetime().is_none());
                assert_eq!(
                    (told.expected_lifetime, told.extrapolated),
                    (lifetime, extrapolated),
                    "{what} {given} {horizon}"
                );
                // An estimate of no error says nothing of it.
                let variance = variance.filter(|variance| *variance > 0.0);
                let interval = told.renewal_probability.zip(variance).and_then(|(p, variance)| interval(p, variance));
                if let Subject::Recalibrated { inner, .. } = subject {
                    // Those of the row before the map, through it: none where that has none.
                    let inner = inner.outlook(given, horizon, 0.95).unwrap();
                    assert!(told.lower.is_none() || inner.lower.is_some(), "{what} {given} {horizon}");
                    let p = told.renewal_probability.unwrap_or(f64::NAN);
                    let around = |(lower, upper): (f64, f64)| lower <= p && p <= upper && 0.0 <= lower && upper <= 1.0;
                    assert!(told.lower.zip(told.upper).is_none_or(around), "{what} {given} {horizon}: {told:?}");
                } else {
                    assert_eq!(told.lower.zip(told.upper), interval, "{what} {given} {horizon}");
                }
                limits += usize::from(told.lower.is_some());
                lifetimes += usize::from(lifetime.is_some());
            }
        }
        let end = subject.view(|curve| (curve.max_followup(), curve.is_over()));
        assert_eq!(subject.end(), end, "{what}");
    });
    assert!(limits > 200 && lifetimes > 500, "{limits} limits and {lifetimes} lifetimes are no test");
}

/// The interval on the log-log scale.
fn interval(probability: f64, variance: f64) -> Option<(f64, f64)> {
    use ltv_engine::survival::kaplan_meier::{Transform, critical_value, interval};
    let limits = interval(probability, Some(variance), critical_value(0.95).unwrap(), Transform::LogLog);
    limits.lower.zip(limits.upper)
}

#[test]
fn a_valuation_is_that_of_the_whole_curve() {
    let mut limits = 0;
    each(|what, subject| {
        for given in TIMES {
            for (tail, term_months, hazard_ratio) in [
                (TailRule::ConstantHazard, None, 1.0),
                (TailRule::None, Some(6.0), 0.8),
                (TailRule::RecentHazard, Some(12.0), 1.2),
            ] {
                let terms = Terms { given, tail, term_months, hazard_ratio, horizon: 36, ..Terms::new(100.0) };
                let whole = subject.view(|curve| lifetime_value(curve, &terms)).unwrap();
                let asked = subject.view_for_value(&terms, |curve| lifetime_value(curve, &terms)).unwrap();
                assert_eq!(asked, whole, "{what} {given}");
                limits += usize::from(whole.is_some_and(|value| value.lower < value.upper));
            }
        }
        let survivals = |curve: CurveView| TIMES.map(|time| curve.survival_at(time));
        assert_eq!(subject.view_survival(survivals), subject.view(survivals), "{what}");
    });
    assert!(limits > 100, "{limits} limits are no test");
}
