//! Strata, offsets, rows in parts, exact ties and penalties against R: every case of tests/golden/cox, which tell the
//! rows they were fitted to and the options (see tests/golden/cox.R).

use std::path::PathBuf;

use ltv_engine::hazard::cox::fit_with;
use ltv_engine::hazard::design::Row;
use ltv_engine::hazard::{CoxFit, Design, Options, Penalty, Status, Ties};
use serde_json::Value;

use crate::golden_support::{Table, table, tell};
use crate::{go_on, variance};

/// Closed forms at a point that both have converged to, and what is optimised.
const LIKELIHOOD: f64 = 1e-10;
const OPTIMISED: f64 = 1e-8;

/// glmnet's own precision, for coefficients per standard deviation of their covariate.
const SELECTED: f64 = 1e-6;

/// Where more is allowed than [`OPTIMISED`], and why.
const EXCEPTIONS: &[(&str, &str, f64)] = &[];

struct Case {
    name: String,
    case: Value,
    answer: Value,
}

fn cases() -> Vec<Case> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/cox");
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let read = |path: &PathBuf| {
        let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        Case {
            name: golden["name"].as_str().unwrap().into(),
            case: golden["case"].clone(),
            answer: golden["answer"].clone(),
        }
    };
    files.iter().map(read).collect()
}

fn words(value: &Value) -> Vec<&str> {
    value.as_array().map_or(Vec::new(), |words| words.iter().map(|word| word.as_str().unwrap()).collect())
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        _ => vec![value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))],
    }
}

fn field<'a>(row: &'a Table, at: usize, column: &str) -> Option<&'a str> {
    let text = row[at].get(column).unwrap_or_else(|| panic!("no column {column}")).as_str();
    (!text.is_empty()).then_some(text)
}

/// The column, or 1 and 0 for `column=value`; `None` for an empty field.
fn read(table: &Table, at: usize, word: &str) -> Option<f64> {
    match word.split_once('=') {
        Some((column, value)) => field(table, at, column).map(|text| f64::from(u8::from(text == value))),
        None => field(table, at, word).map(|text| text.parse().unwrap_or_else(|_| panic!("{word}: {text}"))),
    }
}

/// The value of an option that names a column, `absent` where the case has none.
fn role(case: &Value, name: &str, table: &Table, at: usize, absent: f64) -> Option<f64> {
    case[name].as_str().map_or(Some(absent), |word| read(table, at, word))
}

impl Case {
    fn design(&self) -> Design {
        let case = &self.case;
        let table = table(case["csv"].as_str().unwrap());
        let mut design = Design::default();
        for at in 0..table.len() {
            if words(&case["filter"]).iter().any(|filter| read(&table, at, filter) != Some(1.0)) {
                continue;
            }
            let exit = match case["exit"].as_str() {
                Some("1") => Some(1.0),
                _ => role(case, "exit", &table, at, 0.0),
            };
            let x: Option<Vec<f64>> =
                words(&case["covariates"]).into_iter().map(|word| read(&table, at, word)).collect();
            let strata = words(&case["strata"]);
            let stratum: Option<Vec<&str>> = strata.iter().map(|column| field(&table, at, column)).collect();
            let offset = match &case["offset"] {
                Value::Null => Some(0.0),
                offset => read(&table, at, offset["column"].as_str().unwrap())
                    .map(|value| value * offset["factor"].as_f64().unwrap()),
            };
            let entry = role(case, "entry", &table, at, 0.0);
            let (event, weight) = (role(case, "event", &table, at, 0.0), role(case, "weight", &table, at, 1.0));
            let (Some(entry), Some(exit), Some(event), Some(weight), Some(offset), Some(x), Some(stratum)) =
                (entry, exit, event, weight, offset, x, stratum)
            else {
                continue;
            };
            if exit <= entry {
                continue;
            }
            let stratum = (!strata.is_empty()).then(|| stratum.join("|"));
            let event = event == 1.0;
            let row = Row { entry, exit, event, weight, offset, stratum: stratum.as_deref(), x: &x, ..Row::default() };
            design.push_row(&row).unwrap();
        }
        design
    }

    fn fit(&self, design: &Design) -> CoxFit {
        let ties = match self.case["ties"].as_str().unwrap() {
            "efron" => Ties::Efron,
            "breslow" => Ties::Breslow,
            "exact" => Ties::Exact,
            other => panic!("ties {other}"),
        };
        let number = |name: &str| self.case[name].as_f64().unwrap_or(0.0);
        let penalty = Penalty::new(number("theta"), number("l1_ratio")).unwrap();
        fit_with(design, &Options { ties, penalty }, &mut go_on).unwrap()
    }
}

#[derive(Default)]
struct Ledger {
    compared: usize,
    worst: f64,
    worst_at: String,
    failures: Vec<String>,
}

impl Ledger {
    /// Relative to the larger of the reference and `unit`.
    fn check(&mut self, case: &str, quantity: &str, ours: f64, reference: f64, unit: f64, tolerance: f64) {
        let allowed = EXCEPTIONS.iter().find(|(name, what, _)| *name == case && quantity.starts_with(what));
        let tolerance = allowed.map_or(tolerance, |(_, _, tolerance)| *tolerance);
        let difference = (ours - reference).abs() / reference.abs().max(unit);
        let difference = if ours == reference { 0.0 } else { difference };
        tell(case, quantity, Some(ours), Some(reference), difference);
        self.compared += 1;
        if difference > self.worst {
            (self.worst, self.worst_at) = (difference, format!("{case} {quantity}"));
        }
        if difference > tolerance || difference.is_nan() {
            self.failures.push(format!("{case}: {quantity}: ours {ours:e}, R {reference:e}, off by {difference:.1e}"));
        }
    }
}

#[test]
fn agrees_with_r_under_every_option() {
    let mut ledger = Ledger::default();
    for case in cases() {
        let (name, answer) = (case.name.as_str(), &case.answer);
        let design = case.design();
        let fit = case.fit(&design);
        assert_eq!(fit.status, Status::Converged, "{name}");
        assert_eq!(fit.rows as u64, answer["rows"].as_u64().unwrap(), "{name}: rows");
        assert_eq!(fit.events as u64, answer["events"].as_u64().unwrap(), "{name}: events");
        if fit.penalty.selects() {
            check_selection(&mut ledger, name, &design, &fit, answer);
            continue;
        }
        let (coefficients, vcov) = (numbers(&answer["coef"]), numbers(&answer["vcov"]));
        let p = coefficients.len();
        let errors: Vec<f64> = (0..p).map(|i| vcov[i * p + i].sqrt()).collect();
        for i in 0..p {
            let ours = fit.coefficients[i].unwrap();
            ledger.check(name, &format!("coef {i}"), ours, coefficients[i], errors[i], OPTIMISED);
            ledger.check(name, &format!("se {i}"), fit.standard_error(i).unwrap(), errors[i], 0.0, OPTIMISED);
        }
        for (i, value) in vcov.iter().enumerate() {
            let unit = errors[i / p] * errors[i % p];
            ledger.check(name, &format!("vcov {i}"), fit.covariance[i], *value, unit, OPTIMISED);
        }
        let statistics = [
            ("loglik_null", fit.log_likelihood_null, LIKELIHOOD),
            ("loglik", fit.log_likelihood, LIKELIHOOD),
            ("score", fit.score_test, OPTIMISED),
            ("wald", fit.wald_test, OPTIMISED),
        ];
        for (what, ours, tolerance) in statistics {
            if let Some(reference) = answer[what].as_f64() {
                ledger.check(name, what, ours, reference, 0.0, tolerance);
            }
        }
        for curve in answer["curves"].as_array().into_iter().flatten() {
            check_curve(&mut ledger, name, &fit, &numbers(&answer["profile"]), curve);
        }
    }
    println!("{} numbers compared, worst {:.1e} at {}", ledger.compared, ledger.worst, ledger.worst_at);
    assert!(ledger.compared > 1000);
    assert!(ledger.failures.is_empty(), "{} differ:\n{}", ledger.failures.len(), ledger.failures.join("\n"));
}

/// glmnet stops at about 1e-8; the conditions of Karush, Kuhn and Tucker tell how near the maximum we are.
fn check_selection(ledger: &mut Ledger, name: &str, design: &Design, fit: &CoxFit, answer: &Value) {
    let (coefficients, spreads) = (numbers(&answer["coef"]), numbers(&answer["spread"]));
    for (i, (reference, spread)) in coefficients.iter().zip(spreads).enumerate() {
        ledger.check(name, &format!("coef {i}"), fit.coefficients[i].unwrap(), *reference, 1.0 / spread, SELECTED);
        assert!(fit.standard_error(i).is_none());
    }
    let (slopes, curvatures) = slopes(design, fit);
    let Penalty { strength, l1_ratio } = fit.penalty;
    for (i, beta) in fit.coefficients.iter().map(|beta| beta.unwrap()).enumerate() {
        let slope = slopes[i] - strength * (1.0 - l1_ratio) * beta;
        let most = strength * l1_ratio;
        // In units of the slope's own standard deviation, the root of the information.
        let off = if beta == 0.0 { (slope.abs() - most).max(0.0) } else { slope - most * beta.signum() };
        ledger.check(name, &format!("condition {i}"), off / curvatures[i].sqrt(), 0.0, 1.0, 1e-8);
    }
}

/// The slope of Breslow's log-likelihood along each covariate, and its curvature, summed term by term.
fn slopes(design: &Design, fit: &CoxFit) -> (Vec<f64>, Vec<f64>) {
    let p = design.covariates();
    let x = |row: usize| &design.x()[row * p..(row + 1) * p];
    let entry = |row: usize| design.entries().get(row).copied().unwrap_or(0.0);
    let offset = |row: usize| design.offsets().get(row).copied().unwrap_or(0.0);
    let risk: Vec<f64> = (0..design.len()).map(|row| (fit.linear_predictor(x(row)) + offset(row)).exp()).collect();
    let (mut slopes, mut curvatures) = (vec![0.0; p], vec![0.0; p]);
    for death in (0..design.len()).filter(|row| design.events()[*row]) {
        let time = design.exits()[death];
        let (mut total, mut first, mut second) = (0.0, vec![0.0; p], vec![0.0; p]);
        let together = |row: usize| design.strata().get(row) == design.strata().get(death);
        for row in (0..design.len()).filter(|&row| entry(row) < time && design.exits()[row] >= time && together(row)) {
            total += risk[row];
            for i in 0..p {
                first[i] += risk[row] * x(row)[i];
                second[i] += risk[row] * x(row)[i].powi(2);
            }
        }
        for i in 0..p {
            slopes[i] += x(death)[i] - first[i] / total;
            curvatures[i] += second[i] / total - (first[i] / total).powi(2);
        }
    }
    (slopes, curvatures)
}

fn check_curve(ledger: &mut Ledger, name: &str, fit: &CoxFit, profile: &[f64], reference: &Value) {
    let stratum = reference["stratum"].as_str();
    let baseline = fit.baseline(stratum).unwrap_or_else(|| panic!("{name}: no stratum {stratum:?}"));
    let curve = fit.curve(baseline, profile);
    curve.validate().unwrap();
    let eta = fit.linear_predictor(profile);
    let (hazards, errors) = (numbers(&reference["cumhaz"]), numbers(&reference["std_err"]));
    for ((time, hazard), error) in numbers(&reference["time"]).into_iter().zip(hazards).zip(errors) {
        let what = format!("{}H({time})", stratum.map_or(String::new(), |stratum| format!("{stratum}: ")));
        ledger.check(name, &what, baseline.cumulative_hazard_of(time, eta), hazard, 0.0, OPTIMISED);
        ledger.check(name, &format!("SE {what}"), variance(&curve, time).sqrt(), error, 0.0, OPTIMISED);
    }
}
