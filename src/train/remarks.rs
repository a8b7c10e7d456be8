//! What is to be told of a version beside its metrics.

use ltv_engine::Result;
use ltv_engine::btyd::contractual;
use ltv_engine::hazard::parametric_choice::{self, CANDIDATES, Shape};
use ltv_engine::model::Fit;
use ltv_engine::survival::early_risk;

use crate::train::algorithm::Algorithm;
use crate::train::count::Split;
use crate::train::evaluate::Metric;
use crate::train::request::Request;
use crate::train::{Candidate, Trained};

/// Fewer events per coefficient than this and the estimates are unstable (Peduzzi et al. 1995).
const EVENTS_PER_COEFFICIENT: f64 = 10.0;

/// How many numbers the events have to tell.
pub fn estimated(fit: &Fit) -> usize {
    match fit {
        Fit::Cox(fit) => fit.coefficients.iter().flatten().count(),
        Fit::Renewal(fit) | Fit::DiscreteTime(fit) => fit.coefficients.iter().flatten().count(),
        Fit::FineGray(fit) => fit.coefficients.iter().flatten().count(),
        // The parameters of the distribution are learnt from the same events.
        Fit::Parametric(fit) => fit.parameters,
        Fit::Contractual(fit) => fit.estimated,
        Fit::Transactional(fit) => fit.parameters.len(),
        Fit::Amount(fit) => fit.rank,
        Fit::TwoPart(fit) => fit.occurrence.degrees_of_freedom + 1,
        Fit::KaplanMeier(_) | Fit::BoostedHazard(_) | Fit::BoostedValue(_) | Fit::Rule(_) | Fit::Hybrid(_) => 0,
        Fit::Segmented(segmented) => estimated(&segmented.pooled.fit),
    }
}

/// The same before there is a fit, of so many covariates, `ancillary` of them on a second parameter too: as if the rows left
/// none of them open. Of candidates the largest.
pub fn to_estimate(algorithm: &Algorithm, covariates: usize, ancillary: usize) -> Result<usize> {
    Ok(match algorithm {
        Algorithm::Parametric { distribution, knots, knot_times, breaks, .. } => {
            let shape = Shape { knots: *knots, knot_times: knot_times.as_deref(), breaks: breaks.as_deref() };
            parametric_choice::parameters(distribution, shape)? + covariates + ancillary
        }
        Algorithm::Best { candidates, .. } => {
            let all = match candidates {
                Some(candidates) => candidates.iter().map(String::as_str).collect(),
                None => CANDIDATES.to_vec(),
            };
            let largest = all.into_iter().map(|name| parametric_choice::parameters(name, Shape::default()));
            largest.collect::<Result<Vec<_>>>()?.into_iter().max().unwrap_or(0) + covariates
        }
        // The intercept is learnt from the same rows.
        Algorithm::Amount { .. } => covariates + 1,
        Algorithm::Contractual { function: "fit_sbg", .. } => contractual::Family::BetaGeometric.parameters(),
        Algorithm::Contractual { .. } => contractual::Family::BetaDiscreteWeibull.parameters(),
        Algorithm::KaplanMeier | Algorithm::BoostedHazard(_) | Algorithm::BoostedValue { .. } => 0,
        _ => covariates,
    })
}

/// How the candidates did, as metrics: the least first.
pub fn comparison(request: &Request, trained: &Trained) -> Vec<Metric> {
    let Algorithm::Best { criterion, .. } = &request.algorithm else { return Vec::new() };
    let of = |candidate: &Candidate| {
        Metric::plain(format!("{criterion} of {}", candidate.distribution.replace('-', "_")), candidate.criterion)
    };
    trained.candidates.iter().map(of).collect()
}

/// What the day of the knowledge, and the weights, made of the rows.
pub fn of_knowledge(request: &Request, split: &Split) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(day) = &request.as_of {
        let rows = |count: i64| if count == 1 { "1 row".to_owned() } else { format!("{count} rows") };
        if split.later > 0 {
            remarks.push(format!("as of {day}: {} begun or watched only later left out", rows(split.later)));
        }
        if split.cut_off > 0 {
            remarks.push(format!("as of {day}: {} with outcomes beyond it censored there", rows(split.cut_off)));
        }
        if request.started_on.is_none() {
            remarks.push(format!("as of {day}: no started_on, so outcomes are taken as known on that day"));
        }
    }
    remarks
}

/// What a reader must know before the version is believed; empty when there is nothing.
pub fn warnings(request: &Request, trained: &Trained) -> Vec<String> {
    let mut warnings: Vec<String> = crate::predict::fault_of(&trained.model).into_iter().collect();
    for candidate in trained.candidates.iter().skip(1).filter(|candidate| candidate.status != "ok") {
        warnings.push(format!("{}: {}", candidate.distribution.replace('-', "_"), candidate.status));
    }
    let estimated = estimated(&trained.model.fit);
    let per_coefficient = trained.events() / estimated.max(1) as f64;
    if estimated > 0 && per_coefficient < EVENTS_PER_COEFFICIENT {
        let what = match request.algorithm.customers() {
            Some(_) => "customers with repeat purchases per parameter",
            None if request.algorithm.tells_of_time() => "events per coefficient",
            None => "amounts per coefficient",
        };
        warnings.push(format!("only {per_coefficient:.1} {what}"));
    }
    if let Some(clusters) = trained.model.cluster_count().filter(|_| trained.model.keeps_own_errors()) {
        warnings.push(format!(
            "{clusters} clusters leave a combination of coefficients without variance: what is said of rows keeps the model's own errors"
        ));
    }
    if let Fit::Cox(fit) = &trained.model.fit {
        let silent = fit.baselines.iter().filter(|baseline| baseline.times.is_empty()).count();
        if silent > 0 {
            warnings.push(format!("no events in {silent} of {} strata: their rows have no score", fit.baselines.len()));
        }
    }
    if !request.algorithm.takes_durations() {
        return warnings;
    }
    let early = early_risk::status(&trained.pooled);
    if early != "ok" {
        warnings.push(format!("the curve of all rows: {early}"));
    }
    let last = trained.pooled.max_followup();
    if let Some((horizon, last)) = request.horizon.zip(last).filter(|(horizon, last)| horizon > last) {
        let what = if matches!(request.algorithm, Algorithm::FineGray(_)) {
            "no row has a score there"
        } else {
            "extrapolated"
        };
        warnings.push(format!("the horizon {horizon} lies beyond the last time observed, {last}: {what}"));
    }
    warnings
}
