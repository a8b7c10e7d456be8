//! A model seen through a recalibration, and its rows.

use crate::model::scoring::check_window;
use crate::model::subject::Subject;
use crate::model::{Fit, Model};
use crate::survival::{FittedCurve, Reading, RecalibrationMap, Survival};
use crate::{Error, Result};

impl Model {
    /// The same fit through `map`, in place of any map before; `None` takes it off.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a model of renewals counted or of purchases, which is all formula.
    pub fn recalibrated(mut self, map: Option<RecalibrationMap>) -> Result<Model> {
        if let (Some((message, hint)), Some(_)) = (self.no_recalibration(), &map) {
            return Err(Error::invalid(message, hint));
        }
        self.recalibration = map;
        self.validate()?;
        Ok(self)
    }

    /// Why the model cannot be recalibrated, and what to do instead.
    pub(super) fn no_recalibration(&self) -> Option<(String, String)> {
        match &self.fit {
            Fit::Contractual(_) | Fit::Transactional(_) => Some((
                format!("a {} model cannot be recalibrated", self.algorithm()),
                "It has no features that could mislead it: fit it to later rows.".into(),
            )),
            Fit::Segmented(segmented) if matches!(segmented.pooled.fit, Fit::Transactional(_)) => {
                segmented.pooled.no_recalibration()
            }
            _ => None,
        }
    }
}

impl<'a> Subject<'a> {
    /// The same row through `map`.
    pub fn recalibrated(self, map: &'a RecalibrationMap) -> Subject<'a> {
        Subject::Recalibrated { map, inner: Box::new(self) }
    }

    /// The row before any recalibration.
    pub fn uncalibrated(&self) -> &Subject<'a> {
        match self {
            Subject::Recalibrated { inner, .. } => inner,
            other => other,
        }
    }
}

impl Subject<'_> {
    /// The row's curve through `map`: of a model of single decisions, each decision through it.
    pub(super) fn recalibrated_survival(&self, map: &RecalibrationMap) -> Survival {
        match (self, self.survival()) {
            (Subject::Renewal { .. }, Survival::Fitted(curve)) => Survival::Fitted(curve.recalibrated_by_decision(map)),
            (_, curve) => curve.recalibrated(map),
        }
    }

    /// The same, ready to answer.
    pub(super) fn recalibrated_reading(&self, map: &RecalibrationMap) -> Reading {
        match self.recalibrated_survival(map) {
            Survival::Parametric(curve) => Reading::Smooth(curve),
            Survival::Fitted(curve) => Reading::Steps(curve.into_steps()),
            // No row's curve is a sample.
            Survival::Sample(_) => Reading::Steps(FittedCurve::default().into_steps()),
        }
    }

    /// P(T > given + horizon | T > given) of the curve g(S): g at the end over g at the start.
    pub(super) fn recalibrated_probability(
        &self,
        map: &RecalibrationMap,
        given: f64,
        horizon: f64,
    ) -> Result<Option<f64>> {
        check_window(given, horizon)?;
        if let RecalibrationMap::Intercept { log_ratio } = map {
            // One ratio of hazards: however few are left at `given`, nothing underflows.
            return Ok(self.renewal_probability(given, horizon)?.map(|p| p.powf(log_ratio.exp())));
        }
        if let (Subject::Subdistribution { .. }, true) = (self, given > 0.0) {
            return Ok(None);
        }
        let Some(before) = self.recalibrated_hazard(map, given)? else { return Ok(None) };
        let Some(after) = self.recalibrated_hazard(map, given + horizon)? else { return Ok(None) };
        Ok(before.is_finite().then(|| (before - after).min(0.0).exp()))
    }

    /// The limits of P(T > given + horizon | T > given) through `map`, of the row before it: the map of the limits, as a
    /// rising map carries those of an interval exactly. How many are left at `given` is taken as known, and so is the map.
    /// `None` without limits before it, and where it makes both 0 or both 1: an estimate of no error at all says nothing.
    pub(super) fn recalibrated_limits(
        &self,
        map: &RecalibrationMap,
        given: f64,
        horizon: f64,
        z: f64,
    ) -> Result<Option<(f64, f64)>> {
        let Some((lower, upper)) = self.limits_between(given, horizon, z)? else { return Ok(None) };
        let Some(probability) = self.recalibrated_probability(map, given, horizon)? else { return Ok(None) };
        if let Subject::Renewal { fit, .. } = self {
            let decisions = fit.decisions_until(given + horizon) - fit.decisions_until(given);
            let through = |limit: f64| match decisions > 0.0 {
                true => (-decisions * map.hazard(-limit.ln() / decisions).0).exp(),
                false => limit,
            };
            let (lower, upper) = (through(lower).min(probability), through(upper).max(probability));
            return Ok(Some((lower, upper)).filter(|(lower, upper)| *lower < 1.0 && *upper > 0.0));
        }
        let start = match given > 0.0 {
            true => self.renewal_probability(0.0, given)?.map_or(f64::INFINITY, |left| -left.ln()),
            false => 0.0,
        };
        let Some(before) = self.recalibrated_hazard(map, given)? else { return Ok(None) };
        // A tail is an average hazard: its limits are in proportion to those at the end of the steps.
        let until = given + horizon;
        let stretch = self.tail_start().filter(|end| until > *end && *end > 0.0).map_or(1.0, |end| until / end);
        let through = |limit: f64| match map {
            RecalibrationMap::Intercept { log_ratio } => limit.powf(log_ratio.exp()),
            _ => (before - map.hazard((start - limit.ln()) / stretch).0 * stretch).min(0.0).exp(),
        };
        let (lower, upper) = (through(lower).min(probability), through(upper).max(probability));
        Ok(Some((lower, upper)).filter(|(lower, upper)| *lower < 1.0 && *upper > 0.0))
    }

    /// H'(t); beyond the observed time of steps it goes on with its average.
    fn recalibrated_hazard(&self, map: &RecalibrationMap, t: f64) -> Result<Option<f64>> {
        if let Subject::Renewal { fit, linear_predictor, .. } = self {
            let decisions = fit.decisions_until(t);
            let each = map.hazard(fit.decision_hazard(*linear_predictor)).0;
            return Ok(Some(if decisions > 0.0 { decisions * each } else { 0.0 }));
        }
        let end = self.tail_start().filter(|end| t > *end && *end > 0.0);
        let until = end.unwrap_or(t);
        if until <= 0.0 {
            return Ok(Some(0.0));
        }
        let survival = self.renewal_probability(0.0, until)?;
        Ok(survival.map(|survival| map.hazard(-survival.ln() + 0.0).0 * end.map_or(1.0, |end| t / end)))
    }

    /// Where steps end and their tail begins; `None` for a curve without.
    fn tail_start(&self) -> Option<f64> {
        match self {
            Subject::Cox { baseline, .. } => Some(baseline.max_followup),
            Subject::BoostedHazard { fit, .. } => Some(fit.baseline.max_followup),
            Subject::Cohort(cohort) => cohort.curve.tail_hazard().map(|_| cohort.curve.max_followup),
            Subject::DiscreteTime { fit, .. } => Some(fit.max_followup()),
            Subject::Recalibrated { inner, .. } => inner.tail_start(),
            Subject::Renewal { .. }
            | Subject::Subdistribution { .. }
            | Subject::Parametric { .. }
            | Subject::Contractual(_) => None,
        }
    }

    /// P(never | T > given): the map of the share that never has the event, over that of those left.
    pub(super) fn recalibrated_cured_share(&self, map: &RecalibrationMap, given: f64) -> Result<Option<f64>> {
        let Some(share) = self.cured_share(0.0)? else { return Ok(None) };
        let left = match given > 0.0 {
            true => self.renewal_probability(0.0, given)?,
            false => Some(1.0),
        };
        Ok(left.and_then(|left| {
            let (cured, left) = (map.survival(share), map.survival(left.max(share)));
            Some(cured / left).filter(|share| share.is_finite())
        }))
    }
}
