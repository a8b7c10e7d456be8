//! A hazard that is a baseline times e^F, with F a sum of trees: the proportional hazards of Cox without a straight line.
//!
//! Ridgeway (1999), *The state of boosting*, Computing Science and Statistics 31, §4.3: each tree is a Newton step of the
//! partial likelihood (see `risk`); the baseline is Breslow's (1974).

use serde::{Deserialize, Serialize};

use crate::boost::bins::Bins;
use crate::boost::growing::Growing;
use crate::boost::histogram::{Column, Slopes};
use crate::boost::objective::Objective;
use crate::boost::options::Options;
use crate::boost::order::{chosen, ordered};
use crate::boost::risk::{Clock, RiskSet};
pub use crate::boost::rounds::End;
use crate::boost::rounds::{Rows, boost};
use crate::boost::trees::Trees;
use crate::hazard::cox_baseline::Baseline;
use crate::hazard::design::Design;
use crate::hazard::row_curve::RowCurve;
use crate::hazard::timeline::{Timeline, reserve};
use crate::numeric::sum::Sum;
use crate::survival::curve::FittedCurve;
use crate::{Error, Interrupt, Result};

/// A leaf's own step: e² is as much as one question should tell of a hazard at once (`max_delta_step` of XGBoost).
const LONGEST_STEP: f64 = 2.0;
/// Hazards e^60 apart are certainties.
const WIDEST: f64 = 60.0;
/// Fewer events among the rows kept say nothing of when to stop.
const EVENTS_TO_STOP_BY: f64 = 10.0;
/// Salt of what is left to chance.
const KEPT: u64 = 2;

/// A fitted model. Vectors run over all p covariates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BoostedHazardFit {
    pub options: Options,
    /// Rows fitted.
    pub rows: usize,
    /// Of these, kept to find the number of trees by; the trees are then grown again from all rows.
    pub kept: usize,
    /// Rows with the event.
    pub events: usize,
    /// Sum of their weights.
    pub weighted_events: f64,
    pub trees: Trees,
    /// What the trees add up to on average: the centre of the linear predictor, and the row the baseline belongs to.
    pub centre: f64,
    /// What the splits on each covariate lowered the negative log-likelihood by, as the trees were grown.
    pub gains: Vec<f64>,
    /// The negative log partial likelihood per event among the rows kept: before the first tree, and after each grown.
    pub losses: Vec<f64>,
    /// Breslow's partial likelihood of all rows, without trees.
    pub log_likelihood_null: f64,
    pub log_likelihood: f64,
    pub end: End,
    pub baseline: Baseline,
}

struct Hazard<'a> {
    grown_from: RiskSet<'a>,
    kept: RiskSet<'a>,
}

impl Objective for Hazard<'_> {
    fn slopes(&mut self, scores: &[f64], into: &mut [Slopes], interrupt: Interrupt) -> Result<()> {
        self.grown_from.slopes(scores, into, interrupt)
    }

    fn kept_loss(&mut self, scores: &[f64], interrupt: Interrupt) -> Result<f64> {
        Ok(-self.kept.log_likelihood(scores, interrupt)? / self.kept.events())
    }

    fn longest_step(&self) -> f64 {
        LONGEST_STEP
    }

    fn widest(&self) -> f64 {
        WIDEST
    }
}

/// Bytes that a fit takes beside the design.
pub fn memory_bytes(rows: usize, covariates: usize, options: &Options) -> usize {
    /// Doubles per row: keys, scores three times, slopes, weights, rows four times, the clock, sums by time.
    const NUMBERS_PER_ROW: usize = 20;
    let histograms = Growing::histograms(options.depth) * covariates * size_of::<Column>();
    let leaves = rows.min(1 << options.depth.min(30));
    let trees = Trees::memory_bytes(2 * leaves).saturating_mul(options.trees);
    rows.saturating_mul(2 * covariates + NUMBERS_PER_ROW * size_of::<f64>())
        .saturating_add(histograms)
        .saturating_add(trees)
}

/// Fits trees and a baseline to a design; a covariate that is NaN is missing.
///
/// At risk at `t` are the rows with `entry < t <= exit`; times that differ by rounding only are one time. Offsets are
/// part of the linear predictor; the baseline is that of a row whose offset is 0 and whose trees add up to their mean.
/// How many trees there are to be is found with some rows kept to stop by; they are then grown again from all rows.
///
/// # Errors
/// [`Error::Invalid`] for options out of bounds, a design without rows or covariates, with strata, or with times known to
/// an interval only, with offsets more than 60 apart; [`Error::OutOfRange`] when there is no memory; whatever
/// `interrupt` returns.
pub fn fit(design: &Design, options: &Options, interrupt: Interrupt) -> Result<BoostedHazardFit> {
    check(design, options)?;
    let p = design.covariates();
    let n = design.len();
    let timeline = Timeline::new(design, interrupt)?;
    let offset = |row: u32| design.offsets().get(row as usize).copied().unwrap_or(0.0);
    let weight = |row: u32| design.weights().get(row as usize).copied().unwrap_or(1.0);
    let entry = |row: u32| timeline.passed_at_entry.get(row as usize).copied().unwrap_or(0);
    let mut keys = Vec::new();
    reserve(&mut keys, n)?;
    for row in 0..n as u32 {
        let at = row as usize;
        let outcome =
            u64::from(timeline.passed_at_exit[at]) << 33 | u64::from(design.events()[at]) << 32 | u64::from(entry(row));
        // Rows that differ in weight or offset are rare: which comes first must only be told by them, not in order.
        keys.push(((outcome, crate::boost::order::mixed(&[weight(row).to_bits(), offset(row).to_bits()])), row));
    }
    interrupt()?;
    let order = ordered(keys, design.x(), p);
    interrupt()?;
    let bins = Bins::new(design.x(), p, &order, interrupt)?;

    let mut clock = Clock { times: timeline.event_times.clone(), ..Clock::default() };
    let places = |column: &[u32], into: &mut Vec<u32>| -> Result<()> {
        if !column.is_empty() {
            reserve(into, n)?;
            into.extend(order.iter().map(|row| column[*row as usize]));
        }
        Ok(())
    };
    places(&timeline.passed_at_exit, &mut clock.at_exit)?;
    places(&timeline.passed_at_entry, &mut clock.at_entry)?;
    drop(timeline);
    clock.events = order.iter().map(|row| design.events()[*row as usize]).collect();
    if !design.weights().is_empty() {
        reserve(&mut clock.weights, n)?;
        clock.weights.extend(order.iter().map(|row| weight(*row)));
    }
    let mut start = Vec::new();
    reserve(&mut start, n)?;
    start.extend(order.iter().map(|row| offset(*row)));
    drop(order);

    let all: Vec<u32> = (0..n as u32).collect();
    let rows = kept_and_others(&clock, &all, options);
    let mut whole = RiskSet::new(&clock, &all)?;
    let log_likelihood_null = whole.log_likelihood(&start, interrupt)?;
    let events = clock.events.iter().filter(|event| **event).count();
    let mut fit = BoostedHazardFit {
        options: options.clone(),
        rows: n,
        kept: rows.kept.len(),
        events,
        weighted_events: whole.events(),
        trees: Trees::default(),
        centre: 0.0,
        gains: vec![0.0; p],
        losses: Vec::new(),
        log_likelihood_null,
        log_likelihood: log_likelihood_null,
        end: End::NoEvents,
        baseline: Baseline {
            times: Vec::new(),
            cumulative_hazard: Vec::new(),
            variance: Vec::new(),
            path: Vec::new(),
            max_followup: design.exits().iter().copied().fold(0.0, f64::max),
        },
    };
    if events == 0 {
        return Ok(fit);
    }
    let mut objective =
        Hazard { grown_from: RiskSet::new(&clock, &rows.grown_from)?, kept: RiskSet::new(&clock, &rows.kept)? };
    let again = if rows.kept.is_empty() { Vec::new() } else { start.clone() };
    let mut boosted = boost(&bins, &clock.weights, &rows, start, options, &mut objective, interrupt)?;
    if !boosted.trees.is_empty() && !rows.kept.is_empty() && boosted.end != End::Separated {
        // The rows that were kept have told how many trees there are to be; now they help to grow them.
        let (losses, end) = (boosted.losses, boosted.end);
        let options = Options { trees: boosted.trees.len(), early_stopping: 0, ..options.clone() };
        let mut objective = Hazard { grown_from: RiskSet::new(&clock, &all)?, kept: RiskSet::new(&clock, &[])? };
        let rows = Rows { grown_from: all.clone(), kept: Vec::new() };
        boosted = boost(&bins, &clock.weights, &rows, again, &options, &mut objective, interrupt)?;
        boosted.losses = losses;
        if boosted.end == End::Complete {
            boosted.end = end;
        }
    }
    fit.centre = boosted.trees.mean();
    fit.log_likelihood = whole.log_likelihood(&boosted.scores, interrupt)?;
    let (mut hazard, mut variance) = (Sum::default(), Sum::default());
    for (time, step) in whole.steps(&boosted.scores, fit.centre, interrupt)? {
        hazard.add(step.hazard);
        variance.add(step.variance);
        fit.baseline.times.push(time);
        fit.baseline.cumulative_hazard.push(hazard.total());
        fit.baseline.variance.push(variance.total());
    }
    (fit.trees, fit.gains, fit.losses, fit.end) = (boosted.trees, boosted.gains, boosted.losses, boosted.end);
    match fit.validate() {
        Ok(()) => Ok(fit),
        Err(_) => Err(Error::OutOfRange("the weights of the rows differ so much that the model overflows".into())),
    }
}

fn check(design: &Design, options: &Options) -> Result<()> {
    let invalid = |what: &str, hint: &str| Err(Error::invalid(what, hint));
    if design.is_empty() {
        return invalid(
            "a boosted model needs at least one row",
            "Check the filter, and whether every row has a NULL among its features.",
        );
    }
    if design.covariates() == 0 {
        return invalid("a boosted model needs at least one covariate", "Name at least one feature.");
    }
    options.check(design.covariates())?;
    if !design.uppers().is_empty() {
        return invalid(
            "a boosted hazard needs exact or right-censored times",
            "For times known to an interval only fit a parametric model.",
        );
    }
    if !design.strata().is_empty() {
        return invalid(
            "a boosted hazard has no strata",
            "Make the stratum a feature: the trees find what is different in it.",
        );
    }
    let (low, high) = design.offsets().iter().fold((0.0f64, 0.0f64), |(low, high), x| (low.min(*x), high.max(*x)));
    if high - low > WIDEST {
        return invalid(
            &format!("the offsets are {} apart", high - low),
            "They are on the scale of the log of the hazard: at most 60 apart.",
        );
    }
    Ok(())
}

/// Which rows are kept to stop by: none where they would hold too few events, or leave too few.
fn kept_and_others(clock: &Clock, all: &[u32], options: &Options) -> Rows {
    let is_kept = |row: &u32| chosen(options.validation, &[KEPT, options.seed as u64, u64::from(*row)]);
    let grow_from_all = || Rows { grown_from: all.to_vec(), kept: Vec::new() };
    if options.early_stopping == 0 || options.validation == 0.0 {
        return grow_from_all();
    }
    let (kept, grown_from): (Vec<u32>, Vec<u32>) = all.iter().copied().partition(is_kept);
    let events = |rows: &[u32]| rows.iter().filter(|row| clock.events[**row as usize]).count() as f64;
    if events(&kept) < EVENTS_TO_STOP_BY || events(&grown_from) < EVENTS_TO_STOP_BY {
        return grow_from_all();
    }
    Rows { grown_from, kept }
}

impl BoostedHazardFit {
    /// F(x) less its mean: the log hazard relative to the baseline. `x` holds the p covariates of a row; NaN is missing.
    pub fn linear_predictor(&self, x: &[f64]) -> f64 {
        self.trees.score(x) - self.centre
    }

    /// The survival curve of a row with this linear predictor. Its uncertainty is not known.
    pub fn curve(&self, linear_predictor: f64) -> FittedCurve {
        self.row_curve(linear_predictor).whole()
    }

    /// The same, of which as much is made as is asked for.
    pub(crate) fn row_curve(&self, linear_predictor: f64) -> RowCurve<'_> {
        RowCurve::new(&self.baseline, linear_predictor)
    }

    /// Whether there were rows to stop by.
    pub fn could_stop(&self) -> bool {
        !self.losses.is_empty()
    }

    /// Checks a fit that came from outside.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the parts do not fit each other or a number is not finite.
    pub fn validate(&self) -> Result<()> {
        let numbers = [self.centre, self.log_likelihood, self.log_likelihood_null, self.weighted_events];
        let holds = !self.gains.is_empty()
            && self.options.check(self.gains.len()).is_ok()
            && self.trees.covariates() <= self.gains.len()
            && self.trees.len() <= self.options.trees
            && self.events <= self.rows
            && self.kept <= self.rows
            && self.losses.len() <= self.options.trees + 1
            && numbers.iter().chain(&self.gains).chain(&self.losses).all(|number| number.is_finite())
            && self.gains.iter().all(|gain| *gain >= 0.0)
            && (self.end == End::NoEvents) == (self.events == 0)
            && self.baseline.is_valid(0, 1);
        if holds { Ok(()) } else { Err(Error::malformed("the parts of a boosted model contradict each other")) }
    }
}
