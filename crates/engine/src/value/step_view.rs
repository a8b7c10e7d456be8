//! A curve of steps seen from the age of a valuation.

use crate::numeric::sum::Sum;
use crate::survival::{CurveView, Decisions, Steps, Tail};
use crate::value::contract::SAME_DATE;
use crate::value::outlook::{Point, Reach, TailRule};
use crate::value::terms::Terms;

#[derive(Debug, Clone, Copy)]
pub(super) struct StepView<'a> {
    pub curve: &'a Steps,
    /// What is believed beyond the observed time, if anything.
    pub tail: Option<TailView>,
    given: f64,
    survival_now: f64,
    /// Where the tail is measured from, when nobody leaves but where the curve has its decisions: the last of them that is
    /// past, or within the observed time.
    last_decision: Option<f64>,
    /// How many of the curve's steps lie in the past.
    pub steps_now: usize,
    pub hazard_ratio: f64,
}

/// The hazard rate beyond the observed time.
#[derive(Debug, Clone, Copy)]
pub(super) struct TailView {
    pub rate: f64,
    /// Its derivative by the increments of the cumulative hazard from step `from` on; `None` when that is unknown.
    pub by_hazard: Option<f64>,
    pub from: usize,
}

impl TailView {
    fn new(curve: &Steps, terms: &Terms) -> Option<TailView> {
        let hazard = -curve.survival_at_end().ln();
        let own = match (terms.tail, curve.tail) {
            (TailRule::None, _) => return None,
            (TailRule::RecentHazard, _) => return TailView::recent(curve, hazard, terms.tail_months),
            (TailRule::ConstantHazard, Tail::None) => Tail::average_hazard(hazard, curve.max_followup),
            (TailRule::ConstantHazard, own) => own,
        };
        let Tail::ConstantHazard { rate } = own else { return None };
        // However the rate was read off the curve, it is off by the same proportion as the whole hazard.
        Some(TailView { rate, by_hazard: (hazard > 0.0).then(|| rate / hazard), from: 0 })
    }

    /// The average hazard of the last `months`.
    fn recent(curve: &Steps, hazard: f64, months: Option<f64>) -> Option<TailView> {
        let window = months.unwrap_or(curve.max_followup / 4.0).min(curve.max_followup);
        let from = steps_until(curve, curve.max_followup - window);
        let before = if from == 0 { 0.0 } else { -curve.survival[from - 1].ln() };
        let rate = (hazard - before) / window;
        (rate.is_finite() && rate >= 0.0).then_some(TailView {
            rate,
            by_hazard: (rate > 0.0).then_some(1.0 / window),
            from,
        })
    }
}

impl<'a> StepView<'a> {
    /// The view from age `given`.
    pub fn new(curve: &'a Steps, terms: &Terms, given: f64) -> Option<Self> {
        let tail = TailView::new(curve, terms);
        let steps_now = steps_until(curve, given);
        let survival_now = if steps_now == 0 { 1.0 } else { curve.survival[steps_now - 1] };
        let reached = tail.is_some() || given <= latest(curve);
        let hazard_ratio = terms.hazard_ratio;
        let last = |decisions: Decisions| decisions.last(given.max(curve.max_followup));
        (reached && survival_now > 0.0).then_some(StepView {
            curve,
            tail,
            given,
            last_decision: terms.decisions(CurveView::Steps(curve)).map(last),
            survival_now,
            steps_now,
            hazard_ratio,
        })
    }

    /// The share of those here now that S = `then` leaves.
    fn share(&self, then: f64) -> f64 {
        let share = (then / self.survival_now).min(1.0);
        if self.hazard_ratio == 1.0 { share } else { share.powf(self.hazard_ratio) }
    }

    fn rate(&self) -> Option<f64> {
        self.tail.map(|tail| tail.rate * self.hazard_ratio)
    }

    fn point(survival: f64, elapsed: f64, steps: usize, beyond: f64) -> Option<Point> {
        Some(Point { survival, entered: survival, elapsed, steps, beyond })
    }

    pub fn read(&self, elapsed: f64) -> Option<Point> {
        if elapsed == 0.0 {
            return Self::point(1.0, elapsed, self.steps_now, 0.0);
        }
        let age = self.given + elapsed;
        if age <= latest(self.curve) {
            let steps = steps_until(self.curve, age);
            let then = if steps == 0 { 1.0 } else { self.curve.survival[steps - 1] };
            return Self::point(self.share(then), elapsed, steps, 0.0);
        }
        let steps = self.curve.times.len();
        let end = self.curve.survival_at_end();
        if end == 0.0 {
            return Self::point(0.0, elapsed, steps, 0.0);
        }
        // From an age beyond the observed time only the tail counts; a quotient of survivals could underflow.
        let beyond = match self.last_decision {
            Some(last) => age - last,
            None => elapsed.min(age - self.curve.max_followup),
        };
        let survival = self.share(end) * (-self.rate()? * beyond).exp();
        Self::point(survival, elapsed, steps, beyond)
    }

    /// The area under S over the next `horizon` months.
    pub fn area(&self, horizon: f64) -> (f64, Reach) {
        let curve = self.curve;
        let observed = horizon.min(curve.max_followup - self.given).max(0.0);
        let mut area = Sum::default();
        let (mut before, mut height) = (0.0, 1.0);
        for (time, survival) in curve.times.iter().zip(&curve.survival).skip(self.steps_now) {
            let elapsed = time - self.given;
            if elapsed >= observed {
                break;
            }
            area.add((elapsed - before) * height);
            (before, height) = (elapsed, self.share(*survival));
        }
        area.add((observed - before) * height);
        if self.given + horizon <= latest(curve) || curve.survival_at_end() == 0.0 {
            return (area.total(), Reach::Observed);
        }
        let Some(rate) = self.rate() else { return (area.total(), Reach::Truncated) };
        let beyond = horizon - observed;
        let mean_beyond = if rate > 0.0 { -(-rate * beyond).exp_m1() / rate } else { beyond };
        area.add(self.share(curve.survival_at_end()) * mean_beyond);
        (area.total(), Reach::Extrapolated)
    }
}

/// How many steps are at or before an age; an age is a sum and may miss its step by a rounding error.
fn steps_until(curve: &Steps, age: f64) -> usize {
    let nearly = age + SAME_DATE;
    curve.times.partition_point(|time| *time <= nearly)
}

/// The last age that counts as observed.
fn latest(curve: &Steps) -> f64 {
    curve.max_followup + SAME_DATE
}
