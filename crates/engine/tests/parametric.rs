//! Parametric fits against the answers of R (tests/golden/parametric.R), one generic test over all cases; and their laws.

#[path = "chance/mod.rs"]
mod chance;

#[path = "golden_support/mod.rs"]
mod golden_support;

use chance::Chance;
use ltv_engine::hazard::Status;
use ltv_engine::hazard::design::{Design, Row};
use ltv_engine::hazard::parametric::{self, ParametricFit};
use ltv_engine::survival::{Distribution, SplineScale};
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().map(|values| values.iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()).unwrap_or_default()
}

fn distribution(golden: &Value) -> Distribution {
    let knots = || numbers(&golden["knots"]);
    let name = golden["distribution"][0].as_str().expect("a distribution");
    match name {
        "exponential" => Distribution::Exponential,
        "weibull" => Distribution::Weibull,
        "lognormal" => Distribution::LogNormal,
        "loglogistic" => Distribution::LogLogistic,
        "generalized-gamma" => Distribution::GeneralizedGamma,
        "gompertz" => Distribution::Gompertz,
        "spline" => Distribution::Spline { scale: SplineScale::Hazard, knots: knots() },
        "spline-odds" => Distribution::Spline { scale: SplineScale::Odds, knots: knots() },
        "spline-normal" => Distribution::Spline { scale: SplineScale::Normal, knots: knots() },
        "piecewise-exponential" => Distribution::PiecewiseExponential { breaks: numbers(&golden["breaks"]) },
        "weibull-cure" => Distribution::Cure(Box::new(Distribution::Weibull)),
        other => panic!("{other}"),
    }
}

fn design(golden: &Value) -> Design {
    let column = |name: &str| numbers(&golden[name]);
    let (entry, exit, upper, event, weight) =
        (column("entry"), column("exit"), column("upper"), column("event"), column("weight"));
    let x: Vec<Vec<f64>> = golden["x"].as_array().map(|rows| rows.iter().map(numbers).collect()).unwrap_or_default();
    let mut design = Design::default();
    for row in 0..exit.len() {
        design
            .push_row(&Row {
                entry: entry.get(row).copied().unwrap_or(0.0),
                exit: exit[row],
                event: event[row] == 1.0,
                upper: upper.get(row).copied().filter(|upper| upper.is_finite()),
                weight: weight.get(row).copied().unwrap_or(1.0),
                x: x.get(row).map_or(&[], Vec::as_slice),
                ..Row::default()
            })
            .expect("a good row");
    }
    design
}

/// R's parameters in our order: the location with its covariates first, then the others.
fn order(golden: &Value, fit: &ParametricFit) -> Vec<usize> {
    let m = fit.distribution.parameters();
    let (p, q) = (fit.covariates(), fit.coefficients.len());
    if golden["case"][0].as_str().is_some_and(|case| case.contains("spline") || case.contains("piecewise")) {
        // Intercept, spline or rates, covariates.
        std::iter::once(0).chain(p + 1..p + m).chain(1..=p).collect()
    } else {
        (0..q).collect()
    }
}

#[test]
fn fits_agree_with_r() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/parametric");
    let mut complaints = Vec::new();
    let mut largest = (0.0f64, String::new());
    let mut files: Vec<_> = std::fs::read_dir(directory).expect("goldens").map(|f| f.expect("a file").path()).collect();
    files.sort();
    for path in files {
        let golden: Value = serde_json::from_str(&std::fs::read_to_string(&path).expect("text")).expect("JSON");
        let case = golden["case"][0].as_str().expect("a name").to_owned();
        let ancillary: Vec<usize> = numbers(&golden["ancillary"]).iter().map(|v| *v as usize).collect();
        let fit = parametric::fit(&design(&golden), &distribution(&golden), &ancillary, &mut || Ok(())).expect("a fit");
        if fit.status != Status::Converged {
            complaints.push(format!("{case}: {:?} after {}", fit.status, fit.iterations));
            continue;
        }
        let tolerance = golden["tolerance"].as_f64().expect("a tolerance");
        let curvature_tolerance = golden["covariance_tolerance"].as_f64().unwrap_or(tolerance);
        let (theirs, places) = (numbers(&golden["estimate"]), order(&golden, &fit));
        let q = theirs.len();
        let covariance: Vec<f64> = match golden["covariance"][0].is_array() {
            true => golden["covariance"].as_array().expect("rows").iter().flat_map(numbers).collect(),
            false => numbers(&golden["covariance"]),
        };
        let mut compare = |quantity: String, ours: f64, reference: f64, scale: f64, tolerance: f64| {
            let difference = (ours - reference).abs() / scale;
            golden_support::tell(&case, &quantity, Some(ours), Some(reference), difference);
            if difference > largest.0 {
                largest = (difference, format!("{case} {quantity}"))
            }
            if difference.is_nan() || difference > tolerance {
                complaints.push(format!(
                    "{case}: {quantity}: ours {ours}, R {reference}, relative difference {difference:e}"
                ));
            }
        };
        let log_likelihood = golden["log_likelihood"].as_f64().expect("a log-likelihood");
        compare("log-likelihood".into(), fit.log_likelihood, log_likelihood, log_likelihood.abs(), 1e-9);
        if let Some(null) = golden["log_likelihood_null"].as_f64() {
            compare("null log-likelihood".into(), fit.log_likelihood_null, null, null.abs(), 1e-9);
        }
        for i in 0..q {
            let se = covariance[i * q + i].sqrt();
            let ours = fit.coefficients[places[i]].unwrap_or(f64::NAN);
            compare(format!("estimate {i}"), ours, theirs[i], theirs[i].abs().max(se), tolerance);
            for j in 0..=i {
                let scale = se * covariance[j * q + j].sqrt();
                let ours = fit.covariance[places[i] * fit.coefficients.len() + places[j]];
                compare(format!("covariance {i} {j}"), ours, covariance[i * q + j], scale, curvature_tolerance);
            }
        }
    }
    println!("largest relative difference {:e}: {}", largest.0, largest.1);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

// The laws: what a fit must do whatever the data.

fn all() -> Vec<Distribution> {
    let (knots, breaks) = (vec![-1.5, 1.0, 2.5], vec![2.0, 5.0]);
    vec![
        Distribution::Exponential,
        Distribution::Weibull,
        Distribution::LogNormal,
        Distribution::LogLogistic,
        Distribution::GeneralizedGamma,
        Distribution::Gompertz,
        Distribution::Spline { scale: SplineScale::Hazard, knots: knots.clone() },
        Distribution::Spline { scale: SplineScale::Odds, knots: knots.clone() },
        Distribution::Spline { scale: SplineScale::Normal, knots },
        Distribution::PiecewiseExponential { breaks },
    ]
}

/// Pseudo-random rows, the same every time: (entry, exit, event, weight, x).
type Rows = Vec<(f64, f64, bool, f64, Vec<f64>)>;

fn rows() -> Rows {
    let mut chance = Chance::new(12345);
    (0..150)
        .map(|i| {
            let x = vec![f64::from(i % 2), chance.uniform()];
            let exit = chance.exponential().powf(0.7) * 6.0 * (0.4 * x[0]).exp() + 0.05;
            let entry = if i % 5 == 0 { 0.3 * exit } else { 0.0 };
            (entry, exit, chance.uniform() < 0.75, f64::from(1 + i % 3), x)
        })
        .collect()
}

fn of(rows: &Rows) -> Design {
    let mut design = Design::default();
    for (entry, exit, event, weight, x) in rows {
        design.push(Some(*entry), *exit, *event, *weight, x).expect("a good row");
    }
    design
}

fn fitted(rows: &Rows, distribution: &Distribution) -> ParametricFit {
    let fit = parametric::fit(&of(rows), distribution, &[], &mut || Ok(())).expect("a fit");
    assert_eq!(fit.status, Status::Converged, "{distribution:?}");
    fit
}

/// Estimates and log-likelihoods agree to `tolerance` standard errors, and relatively.
fn same(a: &ParametricFit, b: &ParametricFit, tolerance: f64) {
    assert!((a.log_likelihood - b.log_likelihood).abs() <= 1e-10 * a.log_likelihood.abs(), "{:?}", a.distribution);
    let size = a.coefficients.len();
    for i in 0..size {
        let se = a.covariance[i * (size + 1)].sqrt();
        let (left, right) = (a.coefficients[i].expect("an estimate"), b.coefficients[i].expect("an estimate"));
        assert!((left - right).abs() <= tolerance * se, "{:?} {i}: {left} {right} (se {se})", a.distribution);
    }
}

#[test]
fn order_weights_and_merging_do_not_matter() {
    let rows = rows();
    let backwards: Rows = rows.iter().rev().cloned().collect();
    let repeated: Rows = rows
        .iter()
        .flat_map(|row| std::iter::repeat_n((row.0, row.1, row.2, 1.0, row.4.clone()), row.3 as usize))
        .collect();
    for distribution in all() {
        let fit = fitted(&rows, &distribution);
        same(&fit, &fitted(&backwards, &distribution), 1e-7);
        same(&fit, &fitted(&repeated, &distribution), 1e-7);
        let (first, second) = rows.split_at(70);
        let mut merged = of(&first.to_vec());
        merged.merge(&of(&second.to_vec())).expect("a merge");
        same(&fit, &parametric::fit(&merged, &distribution, &[], &mut || Ok(())).expect("a fit"), 1e-7);
    }
}

#[test]
fn the_unit_of_time_moves_the_location_only() {
    let rows = rows();
    let scaled: Rows = rows.iter().map(|r| (r.0 * 30.0, r.1 * 30.0, r.2, r.3, r.4.clone())).collect();
    for distribution in &all()[..5] {
        let (a, b) = (fitted(&rows, distribution), fitted(&scaled, distribution));
        let shift = b.coefficients[0].expect("one") - a.coefficients[0].expect("one");
        assert!((shift - 30f64.ln()).abs() < 1e-7, "{distribution:?} {shift}");
        for i in 1..a.coefficients.len() {
            assert!(
                (a.coefficients[i].expect("one") - b.coefficients[i].expect("one")).abs() < 1e-7,
                "{distribution:?} {i}"
            );
        }
    }
}

#[test]
fn families_contain_their_members() {
    let rows = rows();
    let close = |a: f64, b: f64| assert!((a - b).abs() <= 1e-9 * a.abs(), "{a} {b}");
    let weibull = fitted(&rows, &Distribution::Weibull);
    let spline = fitted(&rows, &Distribution::Spline { scale: SplineScale::Hazard, knots: vec![-1.0, 2.0] });
    close(weibull.log_likelihood, spline.log_likelihood);
    // A Weibull's log hazard ratio is minus its log time ratio over the scale.
    let scale = weibull.coefficients[3].expect("log(scale)").exp();
    for i in 1..3 {
        close(spline.coefficients[i].expect("one"), -weibull.coefficients[i].expect("one") / scale);
    }
    let exponential = fitted(&rows, &Distribution::Exponential);
    let pieces = fitted(&rows, &Distribution::PiecewiseExponential { breaks: Vec::new() });
    close(exponential.log_likelihood, pieces.log_likelihood);
    for i in 0..3 {
        close(exponential.coefficients[i].expect("one"), -pieces.coefficients[i].expect("one"));
    }
    let odds = fitted(&rows, &Distribution::Spline { scale: SplineScale::Odds, knots: vec![-1.0, 2.0] });
    close(odds.log_likelihood, fitted(&rows, &Distribution::LogLogistic).log_likelihood);
    let normal = fitted(&rows, &Distribution::Spline { scale: SplineScale::Normal, knots: vec![-1.0, 2.0] });
    close(normal.log_likelihood, fitted(&rows, &Distribution::LogNormal).log_likelihood);
    // The generalized gamma curve with shape 1 and 0 is a Weibull's and a log-normal's.
    let curve = |distribution, parameters: &[f64]| ltv_engine::survival::ParametricCurve {
        distribution,
        parameters: parameters.to_vec(),
        covariance: Vec::new(),
        max_followup: 9.0,
        given: 0.0,
    };
    for t in [0.01, 1.0, 5.0, 40.0] {
        let at =
            |distribution, parameters: &[f64]| curve(distribution, parameters).cumulative_hazard_at(t).expect("one");
        close(at(Distribution::Weibull, &[1.5, -0.3]), at(Distribution::GeneralizedGamma, &[1.5, -0.3, 1.0]));
        close(at(Distribution::LogNormal, &[1.5, -0.3]), at(Distribution::GeneralizedGamma, &[1.5, -0.3, 0.0]));
        close(at(Distribution::Weibull, &[1.5, 0.0]), at(Distribution::Exponential, &[1.5]));
    }
}

#[test]
fn what_cannot_be_fitted_is_told() {
    let fit = |rows: &Rows, distribution: &Distribution| parametric::fit(&of(rows), distribution, &[], &mut || Ok(()));
    let one = |exit: f64, event: bool, x: f64| (0.0, exit, event, 1.0, vec![x]);
    let censored: Rows = (1..9).map(|i| one(f64::from(i), false, f64::from(i % 3))).collect();
    assert_eq!(fit(&censored, &Distribution::Weibull).expect("told").status, Status::NoEvents);
    assert!(fit(&vec![one(0.0, true, 1.0), one(1.0, true, 2.0)], &Distribution::Weibull).is_err());
    assert!(fit(&Vec::new(), &Distribution::Weibull).is_err());
    let apart: Rows = (1..30).map(|i| one(f64::from(i), i % 2 == 0, f64::from(i % 2))).collect();
    assert!(matches!(fit(&apart, &Distribution::Weibull).expect("told").status, Status::Separated { .. }));
    // The second column says what the first does.
    let twice: Rows =
        (1..30).map(|i| (0.0, f64::from(i), i % 3 > 0, 1.0, vec![f64::from(i % 2), f64::from(i % 2) * 2.0])).collect();
    let twice = fit(&twice, &Distribution::LogNormal).expect("a fit");
    assert_eq!((twice.status.clone(), twice.coefficients[2]), (Status::Converged, None));
    let canceled = parametric::fit(&of(&rows()), &Distribution::Weibull, &[], &mut || Err(ltv_engine::Error::Canceled));
    assert_eq!(canceled, Err(ltv_engine::Error::Canceled));
}

#[test]
fn published_likelihoods_of_other_programs() {
    let path = |case: &str| {
        let name = format!("../../tests/golden/parametric/{case}.json");
        let text =
            std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect("a golden");
        serde_json::from_str::<Value>(&text).expect("JSON")
    };
    let ovarian = path("ovarian_weibull");
    let (exit, event) = (numbers(&ovarian["exit"]), numbers(&ovarian["event"]));
    let rx: Vec<f64> = ovarian["x"].as_array().expect("rows").iter().map(|row| numbers(row)[1]).collect();
    let log_likelihood = |distribution: &Distribution, x: &[f64]| {
        let mut design = Design::default();
        for row in 0..exit.len() {
            let covariates = x.get(row..row + 1).unwrap_or(&[]);
            design.push(None, exit[row], event[row] == 1.0, 1.0, covariates).expect("a good row");
        }
        parametric::fit(&design, distribution, &[], &mut || Ok(())).expect("a fit").log_likelihood
    };
    // The tests of flexsurv 2.3: its log-normal and its Weibull with rx, on the ovarian data.
    assert!((log_likelihood(&Distribution::LogNormal, &[]) + 97.121_742_042_656_8).abs() < 1e-8);
    assert!((log_likelihood(&Distribution::Weibull, &rx) + 97.364_150_664_586_9).abs() < 1e-8);
    // Its gamma is a generalized gamma whose shape is its scale: at R's maximum of dgamma and pgamma it has flexsurv's
    // log-likelihood, and the generalized gamma does not do worse.
    let (shape, log_rate) = (0.206_471_842_082_118_f64.exp(), -6.854_056_978_115_568);
    let curve = ltv_engine::survival::ParametricCurve {
        distribution: Distribution::GeneralizedGamma,
        parameters: vec![shape.ln() - log_rate, -0.5 * shape.ln(), shape.sqrt().recip()],
        covariance: Vec::new(),
        max_followup: 2000.0,
        given: 0.0,
    };
    let gamma: f64 = (0..exit.len())
        .map(|row| {
            let density = if event[row] == 1.0 { curve.hazard_at(exit[row]).expect("a hazard").ln() } else { 0.0 };
            density - curve.cumulative_hazard_at(exit[row]).expect("a hazard")
        })
        .sum();
    assert!((gamma + 97.863_797_234_530_11).abs() < 1e-9, "{gamma}");
    assert!(log_likelihood(&Distribution::GeneralizedGamma, &[]) > gamma);
    // lifelines (from flexsurv): the interval-censored diabetes data.
    let diabetes = path("diabetes_weibull");
    let fit = parametric::fit(&design(&diabetes), &Distribution::Weibull, &[], &mut || Ok(())).expect("a fit");
    assert!((fit.log_likelihood + 2027.196).abs() < 1e-3, "{}", fit.log_likelihood);
}

#[test]
fn stored_models_are_read_back_and_forged_ones_refused() {
    use ltv_engine::model::{Fit, Model};
    let rows = rows();
    for inner in all() {
        let fit = fitted(&rows, &inner);
        let model = Model::unnamed(fit, 3);
        let bytes = model.encode().expect("bytes");
        assert_eq!(Model::decode(&bytes), Ok(model.clone()));
        let text = serde_json::to_string(&model).expect("text");
        assert_eq!(serde_json::from_str::<Model>(&text).expect("a model"), model);
        let forge = |change: &dyn Fn(&mut ParametricFit)| {
            let mut forged = model.clone();
            let Fit::Parametric(fit) = &mut forged.fit else { unreachable!() };
            change(fit);
            Model::decode(&forged.encode().expect("bytes"))
        };
        assert!(forge(&|fit| fit.coefficients.truncate(1)).is_err());
        assert!(forge(&|fit| fit.ancillary = vec![7]).is_err());
        assert!(forge(&|fit| fit.covariance[0] = f64::NAN).is_err());
        let cure = |inner: Distribution| Distribution::Cure(Box::new(inner));
        assert!(forge(&|fit| fit.distribution = cure(cure(Distribution::Weibull))).is_err());
    }
    let cured = Distribution::Cure(Box::new(Distribution::PiecewiseExponential { breaks: vec![1.0] }));
    let text = serde_json::to_string(&cured).expect("text");
    assert_eq!(serde_json::from_str::<Distribution>(&text).expect("one"), cured);
}
