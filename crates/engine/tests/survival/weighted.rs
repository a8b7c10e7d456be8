//! What must hold of weights, estimators and all that is read off a curve; the two traps that have a function of their own.

use proptest::prelude::*;

use ltv_engine::numeric::tally::Budget;
use ltv_engine::survival::comparison::{Time, rmst_difference, rmst_ratio, survival_difference};
use ltv_engine::survival::early_risk::{early_risk, status};
use ltv_engine::survival::estimate::{Estimator, Variance};
use ltv_engine::survival::kaplan_meier::{Transform, critical_value};
use ltv_engine::survival::kernel::Kernel;
use ltv_engine::survival::life_table::curve;
use ltv_engine::survival::quantile::quantile_interval;
use ltv_engine::survival::restricted_mean::restricted_mean;
use ltv_engine::survival::smooth_hazard::{SmoothHazard, smooth_hazard};
use ltv_engine::survival::{FittedCurve, Sample, Survival, Tail};

use crate::samples::{assert_close, close, reading, sample};

const ESTIMATORS: [Estimator; 3] = [Estimator::KaplanMeier, Estimator::NelsonAalen, Estimator::FlemingHarrington];
const TRANSFORMS: [Transform; 5] =
    [Transform::LogLog, Transform::Log, Transform::Plain, Transform::Logit, Transform::Arcsine];
const UNLIMITED: Budget = Budget::UNLIMITED;

/// Duration, event, weight.
type Row = (f64, bool, f64);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let time = prop_oneof![(0u32..30).prop_map(f64::from), (0u32..240).prop_map(|eighths| f64::from(eighths) / 8.0)];
    let weight =
        prop_oneof![2 => Just(1.0), 1 => Just(2.0), 2 => (1u32..40).prop_map(|tenths| f64::from(tenths) / 10.0)];
    prop::collection::vec((time, any::<bool>(), weight), 1..80)
}

fn sample_of(rows: &[Row]) -> Sample {
    let mut sample = Sample::default();
    for (time, event, weight) in rows {
        sample.add_row(0.0, *time, *event, *weight, UNLIMITED).expect("a valid row");
    }
    sample
}

fn smooth(curve: &Survival, times: Option<&[f64]>, bandwidth: Option<f64>) -> Vec<SmoothHazard> {
    smooth_hazard(curve, times, bandwidth, Kernel::Epanechnikov, 1.96, &mut || Ok(())).expect("valid")
}

/// Two rows of estimates, but for rounding.
fn agree(a: &Sample, b: &Sample, variance: Variance) -> Result<(), TestCaseError> {
    for estimator in ESTIMATORS {
        let by = |sample: &Sample| curve(sample, &reading(estimator, variance, Transform::LogLog)).unwrap();
        let (a, b) = (by(a), by(b));
        prop_assert_eq!(a.len(), b.len());
        for (a, b) in a.iter().zip(&b) {
            let numbers = |row: &ltv_engine::survival::life_table::CurveRow| {
                let estimate = row.estimate.unwrap();
                let hazard = [row.cumulative_hazard, row.cumulative_hazard_std_error];
                [Some(estimate.survival), estimate.std_error, estimate.lower, estimate.upper, hazard[0], hazard[1]]
            };
            for (ours, theirs) in numbers(a).into_iter().zip(numbers(b)) {
                match (ours, theirs) {
                    // Next to S = 1 or 0 a rounding error of S is one of the limits.
                    (Some(ours), Some(theirs)) => prop_assert!(close(ours, theirs, 1e-8), "{} {}", ours, theirs),
                    (ours, theirs) => prop_assert_eq!(ours, theirs),
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn neither_order_nor_splits_matter_to_weights(rows in rows(), cut in 0usize..80, keys in prop::collection::vec(any::<u32>(), 80)) {
        let whole = sample_of(&rows);
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|i| keys[*i]);
        let shuffled: Vec<Row> = order.iter().map(|i| rows[*i]).collect();
        agree(&whole, &sample_of(&shuffled), Variance::Robust)?;
        let (left, right) = shuffled.split_at(cut.min(rows.len()));
        let mut merged = sample_of(left);
        merged.merge(&sample_of(right), UNLIMITED).unwrap();
        prop_assert_eq!(merged.weights().is_some(), whole.weights().is_some());
        agree(&whole, &merged, Variance::Robust)?;
        agree(&whole, &merged, Variance::Auto)?;
    }

    #[test]
    fn robust_errors_depend_on_proportions_only(rows in rows(), factor in prop_oneof![Just(0.125), Just(8.0), Just(1024.0)]) {
        let scaled: Vec<Row> = rows.iter().map(|(time, event, weight)| (*time, *event, weight * factor)).collect();
        agree(&sample_of(&rows), &sample_of(&scaled), Variance::Robust)?;
    }

    #[test]
    fn without_weights_the_jackknife_is_greenwood(rows in rows()) {
        let single: Vec<Row> = rows.iter().map(|(time, event, _)| (*time, *event, 1.0)).collect();
        let curve = |variance| {
            Survival::Sample(sample_of(&single)).steps_by(Estimator::KaplanMeier, variance).unwrap().unwrap()
        };
        let (greenwood, robust) = (curve(Variance::Greenwood), curve(Variance::Robust));
        for (greenwood, robust) in greenwood.variance.iter().zip(&robust.variance) {
            prop_assert!(greenwood == robust || close(*robust, *greenwood, 1e-9), "{} {}", robust, greenwood);
        }
        let tau = greenwood.max_followup;
        if tau > 0.0 {
            let mean = |variance| {
                restricted_mean(&Survival::Sample(sample_of(&single)), tau, variance).unwrap().unwrap().variance.unwrap()
            };
            let (greenwood, robust) = (mean(Variance::Greenwood), mean(Variance::Robust));
            prop_assert!((greenwood - robust).abs() <= 1e-9 * greenwood.max(1e-9), "{} {}", robust, greenwood);
        }
    }

    #[test]
    fn bytes_carry_the_weights_and_garbage_is_refused(rows in rows(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let sample = Survival::Sample(sample_of(&rows));
        let mut bytes = sample.encode();
        prop_assert_eq!(&Survival::decode(&bytes).unwrap(), &sample);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        // Refused or a sample, whose robust errors are numbers.
        if let Ok(forged @ Survival::Sample(_)) = Survival::decode(&bytes) {
            let _ = forged.steps_by(Estimator::FlemingHarrington, Variance::Robust);
        }
        let _ = Survival::decode(&bytes[..at]);
    }

    #[test]
    fn intervals_hold_their_estimates(rows in rows(), p in 0.05f64..0.95, tau in 0.5f64..30.0) {
        let curve = Survival::Sample(sample_of(&rows));
        let z = critical_value(0.9).unwrap();
        for estimator in ESTIMATORS {
            let steps = curve.steps_by(estimator, Variance::Auto).unwrap().unwrap();
            for transform in TRANSFORMS {
                let found = quantile_interval(&steps, p, z, transform).unwrap();
                prop_assert!(found.lower.zip(found.quantile).is_none_or(|(lower, quantile)| lower <= quantile));
                prop_assert!(found.quantile.zip(found.upper).is_none_or(|(quantile, upper)| quantile <= upper));
                prop_assert!(found.quantile.is_none() || found.lower.is_some() || steps.survival_at_end() == 0.0);
            }
        }
        if let Some(mean) = restricted_mean(&curve, tau, Variance::Auto).unwrap() {
            prop_assert!(mean.mean > 0.0 && mean.mean <= tau && mean.variance.is_some_and(|variance| variance >= 0.0));
        }
        for row in smooth(&curve, None, None) {
            if let (Some(hazard), Some(lower), Some(upper)) = (row.hazard, row.lower, row.upper) {
                prop_assert!(lower <= hazard && hazard <= upper);
            }
        }
    }

    #[test]
    fn the_unit_of_time_is_free(rows in rows(), factor in prop_oneof![Just(0.25), Just(16.0)]) {
        let scaled: Vec<Row> = rows.iter().map(|(time, event, weight)| (time * factor, *event, *weight)).collect();
        let (plain, scaled) = (Survival::Sample(sample_of(&rows)), Survival::Sample(sample_of(&scaled)));
        for (plain, scaled) in smooth(&plain, None, None).iter().zip(smooth(&scaled, None, None)) {
            prop_assert_eq!(plain.hazard.is_some(), scaled.hazard.is_some());
            if let (Some(plain), Some(scaled)) = (plain.hazard, scaled.hazard) {
                prop_assert!((scaled * factor - plain).abs() <= 1e-9 * plain.max(1e-6), "{} {}", scaled * factor, plain);
            }
        }
        let variance = |curve: &Survival, tau: f64| restricted_mean(curve, tau, Variance::Auto).unwrap().and_then(|mean| mean.variance);
        match (variance(&plain, 7.0), variance(&scaled, 7.0 * factor)) {
            (Some(plain), Some(scaled)) => prop_assert!((scaled / factor / factor - plain).abs() <= 1e-9 * plain.max(1e-9)),
            (plain, scaled) => prop_assert_eq!(plain, scaled),
        }
    }

    #[test]
    fn comparisons_turn_round_with_their_cohorts(a in rows(), b in rows(), t in 0.0f64..20.0) {
        let (a, b) = (Survival::Sample(sample_of(&a)), Survival::Sample(sample_of(&b)));
        let z = 1.96;
        let (there, back) = (rmst_difference(&a, &b, t + 0.5, z).unwrap(), rmst_difference(&b, &a, t + 0.5, z).unwrap());
        prop_assert_eq!(there.map(|d| (d.difference, d.p_value)), back.map(|d| (-d.difference, d.p_value)));
        let (there, back) = (survival_difference(&a, &b, t, Transform::LogLog, z).unwrap(), survival_difference(&b, &a, t, Transform::LogLog, z).unwrap());
        prop_assert_eq!(there.map(|d| d.difference), back.map(|d| -d.difference));
        if let (Some(there), Some(back)) = (there.and_then(|d| d.chi_squared), back.and_then(|d| d.chi_squared)) {
            prop_assert!((there - back).abs() <= 1e-9 * back.max(1e-6), "{} {}", there, back);
        }
        let same = rmst_difference(&a, &a, t + 0.5, z).unwrap();
        prop_assert!(same.is_none_or(|same| same.difference == 0.0 && same.p_value.is_none_or(|p| p == 1.0)));
    }
}

/// A value of before weights were kept, with and without fractions, is read as single rows and merges with new ones.
#[test]
fn samples_without_weights_still_merge() {
    for (events, censored) in [(2.0, 1.0), (0.5, 0.25), (2.5, 7.75)] {
        let old = ltv_engine::numeric::tally::Tally::from_sorted(vec![ltv_engine::numeric::tally::Cell {
            key: 3.0,
            counts: [events, censored],
        }]);
        let mut merged = Sample::from_parts(old.unwrap(), Default::default(), None, 0).unwrap();
        assert_eq!(merged.weights(), None);
        merged.merge(&sample_of(&[(3.0, true, 1.5), (4.0, false, 1.0)]), UNLIMITED).unwrap();
        assert!(merged.weights().is_some_and(|weights| weights.is_fractional()));
        let merged = Survival::Sample(merged);
        assert_eq!(Survival::decode(&merged.encode()).unwrap(), merged);
    }
}

#[test]
fn the_robust_variance_is_unknown_with_late_entries() {
    let mut late = Sample::default();
    for (entry, time, weight) in [(0.0, 3.0, 0.5), (1.0, 4.0, 1.5), (2.0, 9.0, 0.7)] {
        late.add_row(entry, time, true, weight, UNLIMITED).unwrap();
    }
    let curve = Survival::Sample(late);
    let by = |variance| curve.steps_by(Estimator::KaplanMeier, variance);
    assert_eq!(by(Variance::Auto).unwrap(), by(Variance::Greenwood).unwrap());
    assert!(by(Variance::Robust).unwrap_err().to_string().contains("late"));
}

#[test]
fn a_thin_early_risk_set_is_told() {
    let of = |rows: &[(f64, f64)]| {
        let mut sample = Sample::default();
        for (entry, time) in rows {
            sample.add_row(*entry, *time, true, 1.0, UNLIMITED).unwrap();
        }
        sample
    };
    // R's curve is 0 from t = 2 on, without a word (statistics.md, section 3.2).
    let trap = of(&[(0.0, 2.0), (3.0, 5.0), (3.0, 6.0), (3.0, 7.0)]);
    let risk = early_risk(&trap).expect("a trap");
    assert_eq!((risk.at_risk, risk.time, risk.share, risk.last, risk.times), (1.0, 2.0, 1.0, 2.0, 1));
    assert_eq!(
        status(&trap),
        "early risk set: 1 at risk at t = 2 of 4 subjects takes 100 % of the curve; conditional(s, 2) begins after it"
    );
    let rest = trap.conditional(risk.last).unwrap();
    assert_eq!(status(&rest), "ok");
    // Two of three, then one of two: half of a half of what they take.
    let mut rows = vec![(0.0, 1.0), (0.0, 2.0), (0.0, 3.0)];
    rows.extend((0..40).map(|i| (4.0, 10.0 + f64::from(i))));
    assert_eq!(
        status(&of(&rows)),
        "early risk set: 3 event times up to t = 3, 1 at risk at t = 3 of 43 subjects, take 100 % of the curve; conditional(s, 3) begins after it"
    );
    // Nobody entered late: few at risk are so at the end only.
    assert_eq!((status(&sample("1 2 3 4+")), status(&Sample::default())), ("ok".into(), "empty".into()));
}

#[test]
fn curves_of_models_answer_too() {
    // H = t / 10 at 1 … 20 with independent increments of variance 0.01 and one shared coefficient.
    let count = 20;
    let times: Vec<f64> = (1..=count).map(f64::from).collect();
    let model = |tail| {
        Survival::Fitted(FittedCurve {
            cumulative_hazard: times.iter().map(|t| t / 10.0).collect(),
            variance: times.iter().map(|t| t / 100.0).collect(),
            rank: 1,
            loadings: times.iter().map(|t| t / 50.0).collect(),
            max_followup: 20.0,
            times: times.clone(),
            tail,
            decisions: None,
        })
    };
    let curve = model(Tail::None);
    let all: Vec<_> = ESTIMATORS.map(|estimator| curve.steps_by(estimator, Variance::Robust).unwrap()).into();
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "exp(−H) by any estimator");
    // By definition: Σ over pairs of steps of S S' Cov(H, H').
    let tau = 12.5;
    let width = |t: f64| (t + 1.0).min(tau) - t;
    let within = times.iter().filter(|t| **t < tau);
    let covariance = |a: f64, b: f64| a.min(b) / 100.0 + a * b / 2500.0;
    let of = |t: f64| (-t / 10.0).exp() * width(t);
    let direct: f64 =
        within.clone().flat_map(|a| within.clone().map(move |b| of(*a) * of(*b) * covariance(*a, *b))).sum();
    assert_close(restricted_mean(&curve, tau, Variance::Auto).unwrap().unwrap().variance, direct, 1e-12);
    // Far from the ends, the hazard is a tenth; beyond the observed time the tail's rate, or nothing.
    let at = [10.0, 25.0];
    assert_close(smooth(&curve, Some(&at), Some(5.0))[0].hazard, 0.1, 0.05);
    assert_eq!(smooth(&curve, Some(&at), Some(5.0))[1].hazard, None);
    let tailed = model(Tail::ConstantHazard { rate: 0.1 });
    assert_eq!(smooth(&tailed, Some(&at), None)[1].hazard, Some(0.1));
    let steps = tailed.steps().unwrap();
    let found = quantile_interval(&steps, 0.9, 1.0, Transform::LogLog).unwrap();
    // H = ln 10 in the tail, its limits where H exp(±z se/H) is; se/H is constant there.
    assert_close(found.quantile, 10.0 * 10f64.ln(), 1e-12);
    let share = (0.2f64 + 0.16).sqrt() / 2.0;
    assert_close(found.upper, 10.0 * 10f64.ln() * share.exp(), 1e-12);
    // The variance in the tail, against a fine grid of it.
    let fine = restricted_mean(&tailed, 30.0, Variance::Auto).unwrap().unwrap();
    let (end, points) = (20.0, 200_000);
    let tail_weight: f64 = (0..points)
        .map(|i| (f64::from(i) + 0.5) * 10.0 / f64::from(points))
        .map(|x| (-(end + x) / 10.0).exp() * (end + x) / end * 10.0 / f64::from(points))
        .sum();
    let weight = |t: f64| if t < end { (-t / 10.0).exp() } else { tail_weight };
    let direct: f64 = times
        .iter()
        .flat_map(|a| times.iter().map(move |b| (*a, *b)))
        .map(|(a, b)| weight(a) * weight(b) * covariance(a, b))
        .sum();
    assert_close(fine.variance, direct, 1e-8);
    // How two curves of a model differ is not known from the curves.
    let difference = rmst_difference(&curve, &tailed, 10.0, 1.96).unwrap().unwrap();
    assert_eq!((difference.difference, difference.std_error, difference.p_value), (0.0, None, None));
    let ratio = rmst_ratio(&curve, &tailed, 10.0, Time::Kept, 1.96).unwrap().unwrap();
    assert_eq!((ratio.ratio, ratio.lower, ratio.p_value), (1.0, None, None));
    // An unknown variance stays unknown.
    let Survival::Fitted(mut bare) = curve else { unreachable!() };
    (bare.variance, bare.rank, bare.loadings) = (Vec::new(), 0, Vec::new());
    let bare = Survival::Fitted(bare);
    assert_eq!(restricted_mean(&bare, 5.0, Variance::Auto).unwrap().unwrap().variance, None);
    assert_eq!(smooth(&bare, Some(&[10.0]), None)[0].std_error, None);
}

#[test]
fn odd_arguments_are_refused_and_odd_samples_answer() {
    let curve = Survival::Sample(sample("1 2+ 3"));
    for bandwidth in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let refused = smooth_hazard(&curve, None, Some(bandwidth), Kernel::Uniform, 1.0, &mut || Ok(()));
        assert!(refused.unwrap_err().to_string().contains("bandwidth"));
    }
    assert!(smooth_hazard(&curve, Some(&[-1.0]), None, Kernel::Uniform, 1.0, &mut || Ok(())).is_err());
    assert!(
        "KM".parse::<Estimator>().is_err()
            && "iid".parse::<Variance>().is_err()
            && "gaussian".parse::<Kernel>().is_err()
    );
    assert_eq!(smooth(&Survival::Sample(Sample::default()), None, None), vec![]);
    // All at time 0: there is no stretch to smooth over.
    let at_once = Survival::Sample(sample("0 0+"));
    assert!(smooth(&at_once, None, None).iter().all(|row| row.hazard.is_none()));
    // Nobody had the event: the hazard is 0, and so is its error.
    let all_stay = smooth(&Survival::Sample(sample("4+ 5+")), Some(&[2.0]), None)[0];
    assert_eq!((all_stay.hazard, all_stay.std_error, all_stay.lower), (Some(0.0), Some(0.0), None));
    let nothing = restricted_mean(&curve, 9.0, Variance::Auto).unwrap();
    assert_eq!(nothing.map(|mean| mean.mean), Some(1.0 + 2.0 * 2.0 / 3.0));
    // S is 0 from 3 on: no test there, a difference all the same.
    let other = Survival::Sample(sample("2 5 9+"));
    let gone = survival_difference(&curve, &other, 4.0, Transform::LogLog, 1.96).unwrap().unwrap();
    assert_close(gone.difference, -2.0 / 3.0, 1e-14);
    assert_eq!((gone.std_error, gone.chi_squared), (None, None));
}
