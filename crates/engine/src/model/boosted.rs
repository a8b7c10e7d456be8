//! Boosted models as values: what is to be told of the fit, the gain of each feature, and why a row differs.

use crate::assess::held_out::HeldOut;
use crate::assess::held_out_limits::WindowLimits;
use crate::boost::BoostedValueFit;
use crate::boost::hazard::{BoostedHazardFit, End};
use crate::model::amount::NO_AMOUNTS;
use crate::model::explain::{Allocation, adding_up_to};
use crate::model::features::{Feature, Kind, Value};
use crate::model::scoring::{check_window, lasting};
use crate::model::subject::Subject;
use crate::model::{Fit, Model};
use crate::numeric::sum::Sum;
use crate::{Error, Interrupt, Result};

/// What the splits on one feature gained.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureGain {
    pub feature: String,
    /// By how much they lowered the loss, as the trees were grown.
    pub gain: f64,
    /// Of the gain of all; `None` when there is none.
    pub share: Option<f64>,
    /// How many there are.
    pub splits: u64,
}

/// The step of a linear predictor by which a slope is told where the parts cancel.
const STEP: f64 = 1e-3;

impl Model {
    /// By column the feature it belongs to.
    pub(super) fn owners(&self) -> Vec<usize> {
        self.features.iter().enumerate().flat_map(|(at, feature)| vec![at; feature.columns()]).collect()
    }

    /// The features that a row lacks and no training row did: it goes with the most of these. None for a model that does
    /// not take rows without a value.
    pub fn unlearnt<'a>(&'a self, values: &[Value]) -> Vec<&'a str> {
        let by_trees = match &self.fit {
            Fit::Segmented(segmented) => &segmented.pooled.fit,
            fit => fit,
        };
        if !matches!(by_trees, Fit::BoostedHazard(_) | Fit::BoostedValue(_)) {
            return Vec::new();
        }
        let lacks = |(feature, value): &(&Feature, &Value)| {
            **value == Value::Null && matches!(feature.kind, Kind::Numeric | Kind::Boolean | Kind::Category { .. })
        };
        self.features.iter().zip(values).filter(lacks).map(|(feature, _)| feature.name.as_str()).collect()
    }

    /// The gain of each feature, the largest first; `None` for a model without trees.
    pub fn feature_gains(&self) -> Option<Vec<FeatureGain>> {
        let (gains, trees) = match &self.fit {
            Fit::BoostedHazard(fit) => (&fit.gains, &fit.trees),
            Fit::BoostedValue(fit) => (&fit.gains, &fit.trees),
            _ => return None,
        };
        let total: f64 = gains.iter().copied().collect::<Sum>().total();
        let mut rows: Vec<FeatureGain> = self
            .features
            .iter()
            .map(|feature| FeatureGain { feature: feature.name.clone(), gain: 0.0, share: None, splits: 0 })
            .collect();
        let splits = trees.splits(gains.len());
        for ((owner, gain), splits) in self.owners().into_iter().zip(gains).zip(splits) {
            rows[owner].gain += gain;
            rows[owner].splits += splits;
        }
        for row in &mut rows {
            row.share = (total > 0.0).then(|| row.gain / total);
        }
        rows.sort_by(|a, b| b.gain.total_cmp(&a.gain));
        Some(rows)
    }

    /// The limits of P(T > given + horizon | T > given), of what became of rows held out.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a window that is none, a `level` outside (0, 1), and for a model other than boosted_hazard
    /// with one baseline: of others the order of risk is not the same in every window.
    pub fn window_limits(
        &self,
        held_out: &HeldOut,
        given: f64,
        horizon: f64,
        level: f64,
        interrupt: Interrupt,
    ) -> Result<WindowLimits> {
        check_window(given, horizon)?;
        let (Fit::BoostedHazard(fit), None) = (&self.fit, &self.recalibration) else {
            return Err(Error::invalid(
                format!("rows held out bound what a boosted_hazard model predicts, not a {} model", self.algorithm()),
                "It is as train fits it: without segments, and not recalibrated.",
            ));
        };
        let change = fit.baseline.change(given, horizon);
        held_out.limits(&|linear_predictor| lasting(change, linear_predictor), given, horizon, level, interrupt)
    }

    /// The Shapley values of the features in the score of a row of columns.
    pub(super) fn boosted_parts(&self, fit: &BoostedHazardFit, columns: &[f64]) -> Vec<f64> {
        fit.trees.shapley_values(columns, &self.owners(), self.features.len())
    }

    /// Allocates what `quantity` says of the row beyond what it says of a row whose trees add up to their mean: in
    /// proportion to the Shapley values of the score, through which alone the features act.
    pub(super) fn allocate_boosted(
        &self,
        fit: &BoostedHazardFit,
        columns: &[f64],
        prediction: f64,
        resolution: f64,
        mut quantity: impl FnMut(&Subject) -> Result<Option<f64>>,
    ) -> Result<Option<Allocation>> {
        let mut at =
            |linear_predictor| quantity(&Subject::BoostedHazard { fit, covariates: columns, linear_predictor });
        let Some(baseline) = at(0.0)? else { return Ok(None) };
        let shares = self.boosted_parts(fit, columns);
        let total = shares.iter().copied().collect::<Sum>().total();
        let enough = if resolution > 0.0 { 1e-3 } else { 1e-5 };
        // Where the parts cancel, the chord is lost in rounding and the slope of the curve takes its place.
        let slope = if total.abs() >= enough {
            (prediction - baseline) / total
        } else if shares.iter().all(|share| *share == 0.0) {
            0.0
        } else {
            let (Some(after), Some(before)) = (at(STEP)?, at(-STEP)?) else { return Ok(None) };
            (after - before) / (2.0 * STEP)
        };
        let parts = adding_up_to(prediction - baseline, shares.iter().map(|share| share * slope).collect());
        Ok(parts.iter().all(|part| part.is_finite()).then_some(Allocation { baseline, prediction, parts }))
    }
}

/// How the growing ended, in words; `ok` when all trees that were asked for have grown. `nothing`, `separated`: what these
/// ends mean; `could_not_stop`: what there were too few of.
fn remark(end: End, trees: usize, could_not_stop: Option<&str>, nothing: &str, separated: &str) -> String {
    let grown = if trees == 1 { "1 tree".to_owned() } else { format!("{trees} trees") };
    match (end, could_not_stop) {
        (End::NoEvents, _) => nothing.into(),
        (End::Early, _) if trees == 0 => "stopped early at 0 trees: the features say nothing of the rows kept".into(),
        (End::Early, _) => format!("stopped early at {grown}"),
        (End::Exhausted, _) => format!("no split gains anything after {grown}"),
        (End::Separated, _) => format!("separated after {grown}: {separated}"),
        (End::Complete, Some(few)) => format!("ok: too few {few} to stop early"),
        (End::Complete, None) => "ok".into(),
    }
}

impl BoostedHazardFit {
    /// How the growing ended, in words; `ok` when all trees that were asked for have grown.
    pub fn remark(&self) -> String {
        let few = (self.options.stops() && !self.could_stop()).then_some("events");
        let separated = "the features order the events perfectly";
        remark(self.end, self.trees.len(), few, "no events", separated)
    }

    /// Whether predictions may be believed as far as the growing goes.
    pub fn is_trustworthy(&self) -> bool {
        !matches!(self.end, End::NoEvents | End::Separated)
    }
}

impl BoostedValueFit {
    /// As of a hazard.
    pub fn remark(&self) -> String {
        let few = (self.options.stops() && !self.could_stop()).then_some("amounts");
        let separated = "the features tell some and no amounts apart perfectly";
        remark(self.end, self.trees.len(), few, NO_AMOUNTS, separated)
    }

    /// Whether what is expected may be believed as far as the growing goes.
    pub fn is_trustworthy(&self) -> bool {
        !matches!(self.end, End::NoEvents | End::Separated)
    }
}
