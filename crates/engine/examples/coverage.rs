//! How often do the 95 % intervals hold the truth? A simulation for the night: `make coverage`.
//!
//! Each scenario draws its data from a known law, asks for an interval and counts. Between 94 and 96 % is what a good
//! interval gives at these sizes; the last column is the error of the simulation itself (two standard deviations).
//! A second table is of D-calibration (Haider et al. 2020) of the true curves: how often it finds fault with them at 5 %.
//!
//! `coverage [trials [part of a name]]`: 4000 trials of each scenario, or of those whose interval or test is called so.

#[path = "../tests/chance/mod.rs"]
mod chance;

use chance::Chance;
use ltv_engine::assess::survival_calibration::SurvivalCalibration;
use ltv_engine::hazard::cox::{self, Ties};
use ltv_engine::hazard::design::Design;
use ltv_engine::hazard::parametric;
use ltv_engine::numeric::tally::Budget;
use ltv_engine::survival::estimate::Variance;
use ltv_engine::survival::kaplan_meier::{self, Transform};
use ltv_engine::survival::restricted_mean::restricted_mean;
use ltv_engine::survival::{Distribution, Sample, Survival};

type Answer<T> = Result<T, Box<dyn std::error::Error>>;

/// A row of a book of contracts: seen late by chance, watched until the window closes.
struct Contract {
    entry: f64,
    duration: f64,
    churned: bool,
    x: [f64; 2],
}

/// What the data are drawn from.
#[derive(Clone, Copy)]
struct Law {
    rows: usize,
    shape: f64,
    /// Share of contracts of which only those that lasted are seen.
    late: f64,
    /// Durations in whole months, so that there are ties.
    rounded: bool,
}

const SCALE: f64 = 30.0;
const WINDOW: (f64, f64) = (12.0, 48.0);
const BETA: [f64; 2] = [0.5, -0.7];

fn book(chance: &mut Chance, law: Law, beta: [f64; 2]) -> Vec<Contract> {
    let mut rows = Vec::with_capacity(law.rows);
    while rows.len() < law.rows {
        let x = [chance.normal(), f64::from(u8::from(chance.uniform() < 0.5))];
        let risk = (beta[0] * x[0] + beta[1] * x[1]).exp();
        let life = chance.weibull(law.shape, SCALE * risk.powf(-1.0 / law.shape));
        let life = if law.rounded { life.ceil() } else { life };
        let window = WINDOW.0 + (WINDOW.1 - WINDOW.0) * chance.uniform();
        let window = if law.rounded { window.ceil() } else { window };
        let entry = if chance.uniform() < law.late { (12.0 * chance.uniform()).floor() } else { 0.0 };
        if life > entry && window > entry {
            rows.push(Contract { entry, duration: life.min(window), churned: life <= window, x });
        }
    }
    rows
}

fn sample(rows: &[Contract]) -> Answer<Sample> {
    let mut sample = Sample::default();
    for row in rows {
        sample.add_row(row.entry, row.duration, row.churned, 1.0, Budget::UNLIMITED)?;
    }
    Ok(sample)
}

fn design(rows: &[Contract]) -> Answer<Design> {
    let mut design = Design::default();
    for row in rows {
        design.push(Some(row.entry), row.duration, row.churned, 1.0, &row.x)?;
    }
    Ok(design)
}

/// The true S(t): of whole months S is that of the month.
fn survival(law: Law, t: f64) -> f64 {
    let t = if law.rounded { t.floor() } else { t };
    (-(t / SCALE).powf(law.shape)).exp()
}

/// ∫ S up to τ by the midpoint rule, or the sum over whole months.
fn true_mean(law: Law, tau: f64) -> f64 {
    let pieces = if law.rounded { tau as usize } else { 200_000 };
    let width = tau / pieces as f64;
    (0..pieces).map(|i| width * survival(law, (i as f64 + if law.rounded { 0.0 } else { 0.5 }) * width)).sum()
}

/// Whether one interval holds the truth, for each quantity of a scenario.
type Trial = Box<dyn Fn(&mut Chance) -> Answer<Vec<(&'static str, bool)>>>;

fn of_curve(law: Law) -> Trial {
    const T: f64 = 10.0;
    const TAU: f64 = 24.0;
    Box::new(move |chance| {
        let sample = sample(&book(chance, law, [0.0; 2]))?;
        let z = kaplan_meier::critical_value(0.95)?;
        let steps = kaplan_meier::steps(&sample).ok_or("no rows")?;
        let at = steps.survival_at(T).ok_or("beyond the data")?;
        let limits = kaplan_meier::interval(at, steps.log_variance_at(T), z, Transform::LogLog);
        let holds = |lower: Option<f64>, upper: Option<f64>, truth: f64| {
            lower.zip(upper).is_some_and(|(lower, upper)| (lower..=upper).contains(&truth))
        };
        let survived = holds(limits.lower, limits.upper, survival(law, T));
        let mean = restricted_mean(&Survival::Sample(sample), TAU, Variance::Greenwood)?.ok_or("beyond the data")?;
        let width = z * mean.variance.ok_or("no variance")?.sqrt();
        let restricted = holds(Some(mean.mean - width), Some(mean.mean + width), true_mean(law, TAU));
        Ok(vec![("kaplan-meier, S(10), log-log", survived), ("restricted mean, 24 months", restricted)])
    })
}

fn of_cox(law: Law, ties: Ties) -> Trial {
    Box::new(move |chance| {
        let fit = cox::fit(&design(&book(chance, law, BETA))?, ties, &mut || Ok(()))?;
        let z = kaplan_meier::critical_value(0.95)?;
        let holds = |i: usize| -> Answer<bool> {
            let (estimate, error) = fit.coefficients[i].zip(fit.standard_error(i)).ok_or("no estimate")?;
            Ok((estimate - BETA[i]).abs() <= z * error)
        };
        Ok(vec![("cox, coefficient of a number", holds(0)?), ("cox, coefficient of a group", holds(1)?)])
    })
}

/// An accelerated failure time: what multiplies the hazard by e^β divides the time by e^(β / shape).
fn of_weibull(law: Law) -> Trial {
    Box::new(move |chance| {
        let design = design(&book(chance, law, BETA))?;
        let fit = parametric::fit(&design, &Distribution::Weibull, &[], &mut || Ok(()))?;
        let z = kaplan_meier::critical_value(0.95)?;
        let size = fit.coefficients.len();
        let holds = |i: usize| -> Answer<bool> {
            let estimate = fit.coefficients[i + 1].ok_or("no estimate")?;
            let error = fit.covariance[(i + 1) * (size + 1)].sqrt();
            Ok((estimate + BETA[i] / law.shape).abs() <= z * error)
        };
        Ok(vec![("weibull, log time ratio of a number", holds(0)?), ("weibull, log time ratio of a group", holds(1)?)])
    })
}

/// What D-calibration says of the true curves of 1,000 contracts, each at its own duration, of which some are censored.
struct Judged {
    censored: f64,
    chi_squared: f64,
    /// Whether p < 0.05.
    faulted: bool,
}

fn judged(chance: &mut Chance, law: Law, window: Option<(f64, f64)>) -> Answer<Judged> {
    const ROWS: usize = 1000;
    const BINS: usize = 10;
    let (mut rows, mut censored) = (SurvivalCalibration::default(), 0);
    for _ in 0..ROWS {
        let life = chance.weibull(law.shape, SCALE);
        let seen = window.map_or(f64::INFINITY, |(from, to)| from + (to - from) * chance.uniform());
        let (duration, churned) = (life.min(seen), life <= seen);
        rows.add(survival(law, duration), duration, churned, 1.0, || Budget::UNLIMITED)?;
        censored += usize::from(!churned);
    }
    let test = rows.d_calibration(BINS)?.ok_or("no rows")?;
    let censored = censored as f64 / ROWS as f64;
    Ok(Judged { censored, chi_squared: test.chi_squared, faulted: test.p_value < 0.05 })
}

fn of_d_calibration(law: Law, trials: usize) -> Answer<()> {
    println!("\n{:<20} {:>12} {:>12} {:>8} {:>8}", "d-calibration of", "chi-squared", "expected", "p < 0.05", "± by");
    for window in [None, Some((30.0, 120.0)), Some((12.0, 48.0)), Some((3.0, 24.0))] {
        let mut chance = Chance::new(20_261_123);
        let (mut censored, mut chi_squared, mut faulted) = (0.0, 0.0, 0);
        for _ in 0..trials {
            let found = judged(&mut chance, law, window)?;
            censored += found.censored;
            chi_squared += found.chi_squared;
            faulted += usize::from(found.faulted);
        }
        let n = trials as f64;
        let share = faulted as f64 / n;
        let error = 2.0 * (share * (1.0 - share) / n).sqrt();
        println!(
            "{:<20} {:>12.2} {:>12} {:>7.1}% {:>7.1}%",
            format!("{:.0} % censored", 100.0 * censored / n),
            chi_squared / n,
            9,
            100.0 * share,
            100.0 * error
        );
    }
    Ok(())
}

fn main() -> Answer<()> {
    let trials: usize = std::env::args().nth(1).map_or(Ok(4000), |count| count.parse())?;
    let named = std::env::args().nth(2).unwrap_or_default();
    let law = Law { rows: 300, shape: 1.3, late: 0.0, rounded: false };
    let late = Law { late: 0.4, ..law };
    let scenarios: Vec<(&str, Trial)> = vec![
        ("300 contracts", of_curve(law)),
        ("in whole months", of_curve(Law { rounded: true, ..law })),
        ("delayed entry", of_curve(late)),
        ("falling hazard", of_curve(Law { shape: 0.7, ..law })),
        ("300 contracts", of_cox(law, Ties::Efron)),
        ("delayed entry", of_cox(late, Ties::Efron)),
        ("300 contracts", of_weibull(law)),
        ("delayed entry", of_weibull(late)),
    ];
    println!("{:<20} {:<36} {:>8} {:>8}", "data", "interval", "covers", "± by");
    for (data, trial) in scenarios {
        // What it asks is known by asking once.
        if !trial(&mut Chance::new(1))?.iter().any(|(interval, _)| interval.contains(&named)) {
            continue;
        }
        let mut chance = Chance::new(20_261_122);
        let mut covered: Vec<(&str, usize)> = Vec::new();
        for _ in 0..trials {
            for (at, (name, holds)) in trial(&mut chance)?.into_iter().enumerate() {
                if covered.len() <= at {
                    covered.push((name, 0));
                }
                covered[at].1 += usize::from(holds);
            }
        }
        let error = 2.0 * (0.95 * 0.05 / trials as f64).sqrt();
        for (name, count) in covered {
            let share = count as f64 / trials as f64;
            println!("{data:<20} {name:<36} {:>7.1}% {:>7.1}%", 100.0 * share, 100.0 * error);
        }
    }
    if "d-calibration".contains(&named) { of_d_calibration(law, trials) } else { Ok(()) }
}
