//! What is left of a curve at some age: the variance over a window, and the mean remaining lifetime.

use crate::survival::curve::Steps;

impl Steps {
    /// Variance of ln S(to) − ln S(from), both parts; `None` when unknown.
    pub fn log_variance_between(&self, from: f64, to: f64) -> Option<f64> {
        if self.variance.is_empty() && !self.times.is_empty() {
            return None;
        }
        let (start, end) = (self.step(from), self.step(to));
        let at = |step: Option<usize>, of: &dyn Fn(usize) -> f64| step.map_or(0.0, of);
        // Beyond the observed time the rate is off by the same proportion as the whole curve at its end.
        let log_end = -self.survival_at_end().ln();
        let beyond = |t: f64| match self.tail_hazard() {
            Some(rate) if t > self.max_followup && log_end > 0.0 => rate * (t - self.max_followup) / log_end,
            _ => 0.0,
        };
        let stretch = beyond(to) - beyond(from);
        let last = self.times.len().checked_sub(1);
        let independent = |i: usize| self.variance[i];
        let (early, late, whole) = (at(start, &independent), at(end, &independent), at(last, &independent));
        // Increments up to `from` and after `to` enter through the rate only, those between also directly.
        let between = late - early;
        let through_rate = if stretch > 0.0 { stretch.powi(2) * (whole - between) } else { 0.0 };
        let mut variance = (1.0 + stretch).powi(2) * between + through_rate;
        for k in 0..self.rank {
            let loading = |i: usize| self.loadings[i * self.rank + k];
            let change = at(end, &loading) - at(start, &loading) + stretch * at(last, &loading);
            variance += change * change;
        }
        variance.is_finite().then_some(variance)
    }

    /// Mean remaining lifetime at age `given`; `None` when nobody lasts so long or it has no end.
    pub fn mean_residual_life(&self, given: f64) -> Option<f64> {
        if given >= self.max_followup {
            let rate = self.tail_hazard().filter(|rate| *rate > 0.0 && self.survival_at_end() > 0.0)?;
            return Some(1.0 / rate);
        }
        let alive = self.survival_at(given).filter(|survival| *survival > 0.0)?;
        let until_end = self.restricted_mean(self.max_followup).ok()??;
        let until_given = if given > 0.0 { self.restricted_mean(given).ok()?? } else { 0.0 };
        let end = self.survival_at_end();
        let beyond = match self.tail_hazard() {
            _ if end == 0.0 => 0.0,
            Some(rate) if rate > 0.0 => end / rate,
            _ => return None,
        };
        Some((until_end - until_given + beyond) / alive)
    }
}
