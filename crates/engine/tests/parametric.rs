//! Parametric fits against the answers of R (tests/golden/parametric.R), one generic test over all cases; and their laws.

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
        let (theirs, places) = (numbers(&golden["estimate"]), order(&golden, &fit));
        let q = theirs.len();
        let covariance: Vec<f64> = match golden["covariance"][0].is_array() {
            true => golden["covariance"].as_array().expect("rows").iter().flat_map(numbers).collect(),
            false => numbers(&golden["covariance"]),
        };
        let mut compare = |quantity: String, ours: f64, reference: f64, scale: f64, tolerance: f64| {
            let difference = (ours - reference).abs() / scale;
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
                compare(format!("covariance {i} {j}"), ours, covariance[i * q + j], scale, tolerance.max(1e-7) * 10.0);
            }
        }
    }
    println!("largest relative difference {:e}: {}", largest.0, largest.1);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
