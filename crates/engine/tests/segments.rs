//! Segments of decisions and of amounts: drawn together at one origin, whose choice of 0 is nobody's.

use ltv_engine::amount::{self, AmountFit, Family, fit_two_part};
use ltv_engine::hazard::design::Design;
use ltv_engine::hazard::discrete::{self, fit_decisions};
use ltv_engine::hazard::link::Link;
use ltv_engine::hazard::parametric;
use ltv_engine::model::features::{Feature, Kind, Value};
use ltv_engine::model::origin;
use ltv_engine::model::segments::{Segment, Segmented, Standing};
use ltv_engine::model::shrinkage::{Estimates, Shrunken, common, shrink};
use ltv_engine::model::{Fit, Model};
use ltv_engine::survival::distribution::Distribution;

mod chance;

use chance::Chance;

fn go_on() -> ltv_engine::Result<()> {
    Ok(())
}

/// Row i of a segment: x, whether it renewed, and its amount.
fn row(segment: usize, i: usize) -> (f64, bool, f64) {
    let x = ((i * 7 + segment * 3) % 11) as f64 / 2.0 + 4.0 * segment as f64;
    let noise = ((i * 13 + 5 * segment) % 17) as f64 / 17.0;
    let renewed = noise + 0.05 * (x - 4.0 * segment as f64) * (1.0 + segment as f64) > 0.55;
    (x, renewed, if renewed { (0.2 * x + noise).exp() } else { 0.0 })
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum What {
    Decision(Link),
    Amount(Family),
    TwoPart,
    /// With covariates on the second parameter too.
    Duration(bool),
}

/// The fit of some segments, x measured from `shift`.
fn fitted(what: What, segments: &[usize], rows: usize, shift: f64) -> Model {
    let mut design = Design::default();
    for segment in segments {
        for i in 0..rows * (1 + segment) {
            let (x, renewed, amount) = row(*segment, i);
            let x = [x + shift];
            match what {
                What::Decision(_) => design.push(None, 1.0, renewed, 1.0, &x).unwrap(),
                What::Duration(_) => design.push(None, 2.0 + amount, i % 4 != 0, 1.0, &x).unwrap(),
                What::Amount(Family::Gamma) if amount == 0.0 => {}
                _ => design.push_amount(amount, 1.0, 0.0, &x).unwrap(),
            }
        }
    }
    let fit: Fit = match what {
        What::Decision(link) => {
            let options = discrete::Options { link, period: 12.0, ..discrete::Options::default() };
            Fit::renewal(fit_decisions(&design, &options, &mut go_on).unwrap())
        }
        What::Amount(family) => {
            amount::fit(&design, &amount::Options { family, penalty: 0.0 }, &mut go_on).unwrap().into()
        }
        What::Duration(both) => {
            let ancillary: &[usize] = if both { &[0] } else { &[] };
            parametric::fit(&design, &Distribution::Weibull, ancillary, &mut go_on).unwrap().into()
        }
        What::TwoPart => {
            let options = amount::Options { family: Family::Gamma, penalty: 0.0 };
            fit_two_part(&design, &options, 0.0, &mut go_on).unwrap().into()
        }
    };
    Model::unnamed(fit, 0)
}

const ALL: [What; 8] = [
    What::Decision(Link::Logit),
    What::Decision(Link::Cloglog),
    What::Amount(Family::Linear),
    What::Amount(Family::Gamma),
    What::Amount(Family::Tweedie { power: 1.5 }),
    What::TwoPart,
    What::Duration(false),
    What::Duration(true),
];

/// What a model says of x, with limits.
fn said(model: &Model, x: f64) -> [f64; 3] {
    let mut columns = Vec::new();
    let values = [Value::Number(x)];
    if model.check_amounts().is_ok() {
        let found = model.appraise(&values, 0.9, &mut columns).unwrap().unwrap().expectation;
        return [found.value, found.lower.unwrap(), found.upper.unwrap()];
    }
    let subject = model.subject(&values, &mut columns).unwrap();
    let found = subject.outlook(0.0, 12.0, 0.9).unwrap();
    [found.renewal_probability.unwrap(), found.lower.unwrap(), found.upper.unwrap()]
}

/// The models of the segments after they were drawn together.
fn drawn(what: What, shift: f64) -> (Vec<Model>, Vec<Vec<f64>>) {
    let pooled = fitted(what, &[0, 1, 2], 40, shift);
    let models: Vec<Model> = (0..3).map(|segment| fitted(what, &[segment], 40, shift)).collect();
    let all: Vec<_> = models.iter().map(|model| origin::estimates(model, &pooled).unwrap()).collect();
    let shared = common(&all, all[0].coefficients.len(), &mut go_on).unwrap().unwrap();
    let mut weights = Vec::new();
    let moved = models.iter().zip(&all).map(|(model, estimates)| {
        let shrunken = shrink(estimates, &shared).unwrap();
        weights.push(shrunken.weights.clone());
        origin::at(model, &pooled, &shrunken).unwrap()
    });
    let moved = moved.collect();
    (moved, weights)
}

fn near(a: [f64; 3], b: [f64; 3], within: f64) -> bool {
    a.iter().zip(&b).all(|(a, b)| (a - b).abs() <= within * b.abs().max(1.0))
}

#[test]
fn what_is_moved_to_another_row_and_back_says_the_same() {
    for what in ALL {
        let (pooled, own) = (fitted(what, &[0, 1, 2], 40, 0.0), fitted(what, &[1], 40, 0.0));
        let estimates = origin::estimates(&own, &pooled).unwrap();
        let size = estimates.coefficients.len();
        let kept = Shrunken {
            coefficients: estimates.coefficients.clone(),
            covariance: estimates.covariance.clone(),
            weights: vec![1.0; size],
        };
        let back = origin::at(&own, &pooled, &kept).unwrap();
        for x in [-3.0, 0.0, 5.0, 9.5] {
            assert!(
                near(said(&back, x), said(&own, x), 1e-9),
                "{what:?} {x}: {:?} {:?}",
                said(&back, x),
                said(&own, x)
            );
        }
        // The level at the row where the model of all rows has its own, with the error that a prediction there has.
        let before = said(&own, 1.0);
        assert!(before[1] < before[0] && before[0] < before[2], "{what:?} {before:?}");
    }
}

#[test]
fn a_covariate_measured_from_another_zero_changes_nothing() {
    for what in ALL {
        let ((here, own), (there, same)) = (drawn(what, 0.0), drawn(what, 1000.0));
        for (a, b) in here.iter().zip(&there) {
            for x in [0.0, 4.0, 9.5] {
                let (a, b) = (said(a, x), said(b, x + 1000.0));
                assert!(near(a, b, 1e-5), "{what:?} {x}: {a:?} {b:?}");
            }
        }
        for (a, b) in own.iter().flatten().zip(same.iter().flatten()) {
            assert!((a - b).abs() < 1e-5, "{what:?}: {own:?} {same:?}");
        }
    }
}

/// A linear model without covariates is a mean.
fn mean(amounts: &[f64]) -> (Model, f64, f64) {
    let mut design = Design::default();
    amounts.iter().for_each(|amount| design.push_amount(*amount, 1.0, 0.0, &[]).unwrap());
    let options = amount::Options { family: Family::Linear, penalty: 0.0 };
    let fit: AmountFit = amount::fit(&design, &options, &mut go_on).unwrap();
    let n = amounts.len() as f64;
    let mean = amounts.iter().sum::<f64>() / n;
    let variance = amounts.iter().map(|amount| (amount - mean).powi(2)).sum::<f64>() / (n - 1.0) / n;
    (Model::unnamed(fit, 0), mean, variance)
}

#[test]
fn two_means_are_drawn_together_by_hand() {
    // Means 2 and 8 with variances 1/3 and 4/3: w = 3, 3/4; mean 12/3.75, Q = 36 · 3 · 0.75 / 3.75 = 21.6,
    // C = 3.75 − (9 + 9/16) / 3.75 = 1.2, τ² = 20.6 / 1.2.
    let ((a, first, of_first), (b, second, of_second)) = (mean(&[1.0, 2.0, 3.0]), mean(&[6.0, 8.0, 10.0]));
    let pooled = mean(&[1.0, 2.0, 3.0, 6.0, 8.0, 10.0]).0;
    assert!((first - 2.0).abs() < 1e-14 && (of_first - 1.0 / 3.0).abs() < 1e-14);
    assert!((second - 8.0).abs() < 1e-14 && (of_second - 4.0 / 3.0).abs() < 1e-14);
    let all = [origin::estimates(&a, &pooled).unwrap(), origin::estimates(&b, &pooled).unwrap()];
    let shared = common(&all, 1, &mut go_on).unwrap().unwrap();
    let between = 20.6 / 1.2;
    assert!((shared.common[0].unwrap().between - between).abs() < 1e-9);
    let (one, other) = (1.0 / (between + 1.0 / 3.0), 1.0 / (between + 4.0 / 3.0));
    let middle = (2.0 * one + 8.0 * other) / (one + other);
    let weight = between / (between + 4.0 / 3.0);
    let shrunken = shrink(&all[1], &shared).unwrap();
    assert!((shrunken.weights[0] - weight).abs() < 1e-12);
    let moved = origin::at(&b, &pooled, &shrunken).unwrap();
    let expected = middle + weight * (8.0 - middle);
    // Its error is by hand in the tests of `shrinkage`; here it is that of the model.
    let variance = shrunken.covariance[0];
    let found = moved.appraise(&[], 0.95, &mut Vec::new()).unwrap().unwrap().expectation;
    assert!((found.value - expected).abs() < 1e-12);
    assert!((found.std_error.unwrap() - variance.sqrt()).abs() < 1e-12);
    // The scatter of single amounts is the segment's own.
    let Fit::Amount(fit) = &moved.fit else { panic!() };
    assert!((fit.dispersion.unwrap() - 4.0).abs() < 1e-12);
}

#[test]
fn a_row_has_the_answer_of_its_segment_to_the_bit() {
    for what in ALL {
        let (pooled, own) = (fitted(what, &[0, 1, 2], 40, 0.0), fitted(what, &[1], 40, 0.0));
        let segment = |level: &str, standing| Segment { levels: vec![level.into()], rows: 1, events: 1.0, standing };
        let segments =
            vec![segment("a", Standing::Own(own.clone())), segment("b", Standing::Pooled("too few".to_owned()))];
        let fit = Fit::Segmented(Box::new(Segmented { pooled: pooled.clone(), segments, common: Vec::new() }));
        let by = Feature { name: "by".into(), kind: Kind::Segment };
        let features = std::iter::once(by).chain(pooled.features.iter().cloned()).collect();
        let model =
            Model { features: Vec::new(), fit, skipped: 0, recalibration: None }.with_features(features).unwrap();
        let again = Model::decode(&model.encode().unwrap()).unwrap();
        assert_eq!(model, again);
        for (level, alone) in [(Value::Text("a"), &own), (Value::Text("b"), &pooled), (Value::Null, &pooled)] {
            let (values, plain, mut columns) = ([level, Value::Number(3.5)], [Value::Number(3.5)], Vec::new());
            assert_eq!(model.pooled_because(&values).is_none(), level == Value::Text("a"));
            if model.check_amounts().is_err() {
                let one = model.subject(&values, &mut columns).unwrap().renewal_probability(0.0, 12.0).unwrap();
                let mut columns = Vec::new();
                let other = alone.subject(&plain, &mut columns).unwrap().renewal_probability(0.0, 12.0).unwrap();
                assert_eq!(one, other, "{what:?}");
                continue;
            }
            let mut scratch = Vec::new();
            assert_eq!(model.appraise(&values, 0.9, &mut columns), alone.appraise(&plain, 0.9, &mut scratch));
            assert_eq!(model.outcomes(&values, 0.9, &mut columns), alone.outcomes(&plain, 0.9, &mut scratch));
            let of = |model: &Model, values: &[Value]| model.amount_deviance(values, 2.5, &mut Vec::new()).unwrap();
            assert_eq!(of(&model, &values), of(alone, &plain), "{what:?}");
            let scale = model.amount_scale().unwrap();
            let whole = model.allocate_amount(&values, scale).unwrap().unwrap().unwrap();
            let part = alone.allocate_amount(&plain, scale).unwrap().unwrap().unwrap();
            assert_eq!((whole.baseline, whole.prediction), (part.baseline, part.prediction));
            assert_eq!(whole.parts, [&[0.0], &part.parts[..]].concat());
        }
        // Of amounts no horizon, and of decisions any.
        assert_eq!(model.horizon(None).unwrap().is_none(), model.check_amounts().is_ok());
        assert_eq!(model.check_age(3.0).is_err(), model.check_amounts().is_ok());
    }
}

#[test]
fn limits_of_segments_hold_about_as_often_as_they_say() {
    // Few segments, whose variance is not known well: as if it were, 85, 95 and 87 % of limits of 95 % would hold here.
    for (spread, least, most) in [(0.3, 0.94, 0.985), (0.0, 0.97, 1.0), (1.0, 0.89, 0.95)] {
        let mut chance = Chance::new(7);
        let variances = [0.05_f64, 0.2, 0.5, 0.5];
        let (mut held, samples) = (0, 3000);
        for _ in 0..samples {
            let truth: Vec<f64> = variances.iter().map(|_| 5.0 + spread * chance.normal()).collect();
            let estimates: Vec<Estimates> = truth
                .iter()
                .zip(variances)
                .map(|(truth, variance)| Estimates {
                    coefficients: vec![Some(truth + variance.sqrt() * chance.normal())],
                    covariance: vec![variance],
                })
                .collect();
            let pooled = common(&estimates, 1, &mut go_on).unwrap().unwrap();
            for (truth, estimates) in truth.iter().zip(&estimates) {
                let shrunken = shrink(estimates, &pooled).unwrap();
                let apart = shrunken.coefficients[0].unwrap() - truth;
                held += usize::from(apart.abs() <= 1.96 * shrunken.covariance[0].sqrt());
            }
        }
        let share = held as f64 / (4 * samples) as f64;
        assert!((least..=most).contains(&share), "{spread}: {share}");
    }
}
