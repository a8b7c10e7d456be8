//! Parametric models of time to event: a distribution whose parameters depend on the covariates.
//!
//! Maximum likelihood by Newton's method with exact derivatives, for exact, right-, left- and interval-censored rows and
//! delayed entry. Covariates act on the location of the distribution (see [`Distribution`] for what a coefficient then
//! means) and, where asked for, on one ancillary parameter as well.

use serde::{Deserialize, Serialize};

use crate::hazard::cox::Status;
use crate::hazard::cure::{self, CureFindings};
use crate::hazard::design::Design;
use crate::hazard::parametric_fit::{scaled_covariance, unscale};
use crate::hazard::parametric_likelihood::{Layout, Rows};
use crate::hazard::parametric_newton::{Maximum, maximise};
use crate::hazard::parametric_start::start;
use crate::hazard::sandwich::{self, Clustered};
use crate::numeric::linear::{RankedCholesky, collinearity_tolerance};
use crate::survival::distribution::Distribution;
use crate::{Error, Interrupt, Result};

/// From so many rows on a first fit of every k-th row, about `SAMPLE` of them, gives the start.
pub(super) const MANY: usize = 60_000;
pub(super) const SAMPLE: usize = 15_000;

/// A fitted parametric model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParametricFit {
    pub distribution: Distribution,
    /// Covariates that act on the location, rising: all of them, but for a cure model that says otherwise.
    pub location: Vec<usize>,
    /// Covariates that act on the ancillary parameter [`ancillary_parameter`], rising.
    pub ancillary: Vec<usize>,
    /// Rows fitted.
    pub rows: usize,
    /// Rows with the event, those known to an interval included.
    pub events: usize,
    /// Weighted mean of each covariate.
    pub means: Vec<f64>,
    /// For each parameter its intercept and then its covariates: `location` for the location, `ancillary` for one other
    /// parameter. `None` for a covariate that is constant or a combination of those before it.
    pub coefficients: Vec<Option<f64>>,
    /// Inverse of the observed information, row-major; 0 where there is no coefficient. By clusters where there are errors by
    /// clusters.
    pub covariance: Vec<f64>,
    /// Without covariates.
    pub log_likelihood_null: f64,
    pub log_likelihood: f64,
    /// Estimated numbers: intercepts, ancillary parameters and coefficients of covariates.
    pub parameters: usize,
    pub iterations: usize,
    pub status: Status,
    /// The largest time in the data: what lies beyond is extrapolation.
    pub max_followup: f64,
    /// What was found where a cured share was looked for.
    pub cure: Option<CureFindings>,
    /// Where errors are by clusters. Stored beside the rest (`codec`), as earlier formats know nothing of it.
    #[serde(skip)]
    pub clustered: Option<Clustered>,
}

/// The parameter on which ancillary covariates act: the second (log(scale), the Gompertz shape, gamma1, the first rate
/// ratio), the cured share where there is one. `None` for the exponential, which has no other parameter.
pub fn ancillary_parameter(distribution: &Distribution) -> Option<usize> {
    match distribution {
        Distribution::Cure(_) => Some(distribution.parameters() - 1),
        other => (other.parameters() > 1).then_some(1),
    }
}

/// Fits `distribution` to a design, all covariates on its location; `ancillary` are those (from 0) that act on the
/// ancillary parameter too.
///
/// # Errors
/// As [`fit_terms`].
pub fn fit(
    design: &Design,
    distribution: &Distribution,
    ancillary: &[usize],
    interrupt: Interrupt,
) -> Result<ParametricFit> {
    let location: Vec<usize> = (0..design.covariates()).collect();
    fit_terms(design, distribution, &location, ancillary, interrupt)
}

/// Fits `distribution` to a design; `location` and `ancillary` are the covariates (from 0) that act on the location and on
/// the ancillary parameter. Of a cure model nothing but the inner distribution is left where the data speak for no cured
/// share: see [`CureFindings`].
///
/// # Errors
/// [`Error::Invalid`] for a design without rows, an event at time 0 (it has no density there), a piece of a piecewise
/// exponential without events, covariates that are none; [`Error::OutOfRange`] beyond the numbers or memory there are;
/// whatever `interrupt` returns.
pub fn fit_terms(
    design: &Design,
    distribution: &Distribution,
    location: &[usize],
    ancillary: &[usize],
    interrupt: Interrupt,
) -> Result<ParametricFit> {
    fit_with(design, distribution, location, ancillary, None, interrupt)
}

/// As [`fit_terms`]; `robust`: whether errors are by clusters, a row without one being a cluster of its own, with `None`
/// where a row has one. They are R's `survreg(…, cluster =)`.
///
/// # Errors
/// As [`fit_terms`].
pub fn fit_with(
    design: &Design,
    distribution: &Distribution,
    location: &[usize],
    ancillary: &[usize],
    robust: Option<bool>,
    interrupt: Interrupt,
) -> Result<ParametricFit> {
    let by_clusters = sandwich::wanted(design, robust, 0.0)?;
    distribution.validate()?;
    check(design, distribution, location, ancillary)?;
    let rows = Rows::new(design, interrupt)?;
    let upper = |row: usize| design.uppers().get(row).copied().filter(|upper| upper.is_finite());
    let events = (0..design.len()).filter(|row| design.events()[*row] || upper(*row).is_some()).count();
    let last = design.exits().iter().chain(design.uppers()).filter(|t| t.is_finite()).fold(0.0, |a, b| f64::max(a, *b));
    let full = layout_of(distribution, location, ancillary);
    let mut fit = ParametricFit {
        distribution: distribution.clone(),
        location: location.to_vec(),
        ancillary: ancillary.to_vec(),
        rows: design.len(),
        events,
        means: rows.means.clone(),
        coefficients: vec![None; full.len()],
        covariance: vec![0.0; full.len() * full.len()],
        log_likelihood_null: 0.0,
        log_likelihood: 0.0,
        parameters: 0,
        iterations: 0,
        status: Status::NoEvents,
        max_followup: last,
        cure: None,
        clustered: None,
    };
    if events == 0 {
        return Ok(fit);
    }
    let (location, others) =
        (independent(&rows, location, &mut *interrupt)?, independent(&rows, ancillary, &mut *interrupt)?);
    let search = match distribution {
        Distribution::Cure(inner) => {
            let (search, findings) = cure::search(&rows, distribution, inner, &location, &others, &mut *interrupt)?;
            fit.cure = Some(findings);
            search
        }
        _ => search(&rows, distribution, &location, &others, &mut *interrupt)?,
    };
    if let (Distribution::Cure(inner), false) = (distribution, fit.cure.is_none_or(|findings| findings.found)) {
        fit.distribution = (**inner).clone();
        fit.ancillary.clear();
    }
    let full = layout_of(&fit.distribution, &fit.location, &fit.ancillary);
    fit.coefficients = vec![None; full.len()];
    fit.covariance = vec![0.0; full.len() * full.len()];
    fit.log_likelihood_null = search.null.evaluation.value;
    fit.log_likelihood = search.best.evaluation.value;
    fit.iterations = search.best.iterations;
    fit.status = search.best.status.clone();
    fit.parameters = search.layout.len();
    unscale(&mut fit, &rows, &search.layout, &full, &search.best, &scaled_covariance(&search.best));
    if by_clusters {
        fit.take_clusters(&rows, &search, &full, interrupt)?;
    }
    if let (Distribution::Cure(inner), Some(findings)) = (&fit.distribution, fit.cure) {
        let unfinished = cure::unfinished(inner, &fit.row_parameters(&fit.means), last);
        fit.cure = Some(CureFindings { unfinished, ..findings });
    }
    match fit.validate() {
        Ok(()) => Ok(fit),
        Err(_) => Err(Error::OutOfRange(
            "the model's numbers overflow: the units of the covariates differ too much, or the data lie on the edge of \
             what the distribution can be"
                .into(),
        )),
    }
}

/// The columns of a fit with these covariates on location and ancillary parameter.
pub(super) fn layout_of(distribution: &Distribution, location: &[usize], ancillary: &[usize]) -> Layout {
    let m = distribution.parameters();
    Layout::new(m, location, ancillary_parameter(distribution).unwrap_or(m), ancillary)
}

/// The maxima without and with covariates, and the columns of the latter.
pub(super) struct Search {
    pub null: Maximum,
    pub best: Maximum,
    pub layout: Layout,
}

/// Finds the maxima of a distribution that Newton's method climbs from one start.
pub(super) fn search(
    rows: &Rows,
    distribution: &Distribution,
    location: &[usize],
    ancillary: &[usize],
    interrupt: Interrupt,
) -> Result<Search> {
    let begin = start(rows, distribution, interrupt)?;
    let layout = layout_of(distribution, location, ancillary);
    let alone = layout_of(distribution, &[], &[]);
    let climb = |from: Option<&Search>, stride: usize, interrupt: Interrupt| {
        let settled = |maximum: &Maximum| maximum.status == Status::Converged;
        let from_null = from.map(|from| &from.null).filter(|null| settled(null));
        let begin = from_null.map_or_else(|| begin.clone(), |null| null.beta.clone());
        let null = maximise(rows, distribution, &alone, begin, stride, interrupt)?;
        let from_best = from.map(|from| &from.best).filter(|best| settled(best));
        let begin = from_best.map_or_else(|| layout.spread(&null.beta), |best| best.beta.clone());
        let best = match layout == alone {
            true => null.clone(),
            false => maximise(rows, distribution, &layout, begin, stride, interrupt)?,
        };
        Ok(Search { null, best, layout: layout.clone() })
    };
    match rows.design.len() {
        many if many >= MANY => {
            let sampled = climb(None, many / SAMPLE, interrupt)?;
            climb(Some(&sampled), 1, interrupt)
        }
        _ => climb(None, 1, interrupt),
    }
}

fn check(design: &Design, distribution: &Distribution, location: &[usize], ancillary: &[usize]) -> Result<()> {
    if design.is_empty() {
        return Err(Error::invalid(
            "a regression needs at least one row",
            "Check the filter, and whether every row has a NULL among its features.",
        ));
    }
    if (0..design.len()).any(|row| design.events()[row] && design.exits()[row] <= 0.0) {
        return Err(Error::invalid(
            "a row has its event at duration 0, where a parametric model has no density",
            "Durations of events must be greater than 0: add half a unit, or give the event as an interval \
             (interval_design_agg with left 0).",
        ));
    }
    if !design.strata().is_empty() {
        return Err(Error::invalid(
            "a parametric model has no strata",
            "Give the stratum as a covariate, and as an ancillary one where the shape should differ too.",
        ));
    }
    let are_none = |chosen: &[usize]| {
        chosen.iter().any(|covariate| *covariate >= design.covariates())
            || chosen.windows(2).any(|pair| pair[0] >= pair[1])
    };
    if are_none(location) || are_none(ancillary) {
        return Err(Error::invalid(
            format!("the covariates of a parameter must be distinct and among the {} covariates", design.covariates()),
            "Name each of them once.",
        ));
    }
    if !ancillary.is_empty() && ancillary_parameter(distribution).is_none() {
        return Err(Error::invalid(
            "an exponential distribution has no ancillary parameter",
            "Leave the ancillary covariates out, or fit a Weibull distribution.",
        ));
    }
    if let Distribution::PiecewiseExponential { breaks } = distribution {
        let pieces = (0..=breaks.len()).map(|i| {
            let from = if i == 0 { 0.0 } else { breaks[i - 1] };
            (from, breaks.get(i).copied().unwrap_or(f64::INFINITY))
        });
        for (from, to) in pieces {
            let inside = |row: usize| {
                let exit = design.exits()[row];
                let upper = design.uppers().get(row).copied().unwrap_or(f64::INFINITY);
                (design.events()[row] && exit > from && exit <= to) || (upper.is_finite() && exit < to && upper > from)
            };
            let any = (0..design.len()).any(|row| design.events()[row]) || !design.uppers().is_empty();
            if any && !(0..design.len()).any(inside) {
                return Err(Error::invalid(
                    format!("no event lies between the breaks {from} and {to}: the hazard there cannot be estimated"),
                    "Choose other breaks.",
                ));
            }
        }
    }
    Ok(())
}

/// Those of `among` that are not constant nor combinations of those before them.
fn independent(rows: &Rows, among: &[usize], interrupt: Interrupt) -> Result<Vec<usize>> {
    let gram = rows.gram(among, interrupt)?;
    let ranked = RankedCholesky::new(&gram, among.len(), collinearity_tolerance());
    Ok(ranked.columns().iter().map(|column| among[*column]).collect())
}
