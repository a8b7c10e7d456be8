//! A curve of steps seen from the age of a valuation.

use crate::numeric::sum::Sum;
use crate::survival::{Steps, Tail};
use crate::value::contract::SAME_DATE;
use crate::value::outlook::{Point, Reach, TailRule};
use crate::value::terms::Terms;

#[derive(Debug, Clone, Copy)]
pub(super) struct StepView<'a> {
    pub curve: &'a Steps,
    /// The hazard rate beyond the observed time, when anything is believed there.
    pub rate: Option<f64>,
    given: f64,
    survival_now: f64,
    /// How many of the curve's steps lie in the past.
    pub steps_now: usize,
}

impl<'a> StepView<'a> {
    pub fn new(curve: &'a Steps, terms: &Terms) -> Option<Self> {
        let tail = match (terms.tail, curve.tail) {
            (TailRule::None, _) => Tail::None,
            (TailRule::ConstantHazard, Tail::None) => {
                Tail::average_hazard(-curve.survival_at_end().ln(), curve.max_followup)
            }
            (TailRule::ConstantHazard, own) => own,
        };
        let rate = match tail {
            Tail::None => None,
            Tail::ConstantHazard { rate } => Some(rate),
        };
        let steps_now = steps_until(curve, terms.given);
        let survival_now = if steps_now == 0 { 1.0 } else { curve.survival[steps_now - 1] };
        let reached = rate.is_some() || terms.given <= latest(curve);
        let given = terms.given;
        (reached && survival_now > 0.0).then_some(StepView { curve, rate, given, survival_now, steps_now })
    }

    pub fn read(&self, elapsed: f64) -> Option<Point> {
        if elapsed == 0.0 {
            return Some(Point { survival: 1.0, elapsed, steps: self.steps_now, beyond: 0.0 });
        }
        let age = self.given + elapsed;
        if age <= latest(self.curve) {
            let steps = steps_until(self.curve, age);
            let then = if steps == 0 { 1.0 } else { self.curve.survival[steps - 1] };
            return Some(Point { survival: (then / self.survival_now).min(1.0), elapsed, steps, beyond: 0.0 });
        }
        let steps = self.curve.times.len();
        let end = self.curve.survival_at_end();
        if end == 0.0 {
            return Some(Point { survival: 0.0, elapsed, steps, beyond: 0.0 });
        }
        // From an age beyond the observed time only the tail counts; a quotient of survivals could underflow.
        let beyond = elapsed.min(age - self.curve.max_followup);
        let survival = (end / self.survival_now).min(1.0) * (-self.rate? * beyond).exp();
        Some(Point { survival, elapsed, steps, beyond })
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
            (before, height) = (elapsed, survival / self.survival_now);
        }
        area.add((observed - before) * height);
        if self.given + horizon <= latest(curve) || curve.survival_at_end() == 0.0 {
            return (area.total(), Reach::Observed);
        }
        let Some(rate) = self.rate else { return (area.total(), Reach::Truncated) };
        let beyond = horizon - observed;
        let mean_beyond = if rate > 0.0 { -(-rate * beyond).exp_m1() / rate } else { beyond };
        area.add((curve.survival_at_end() / self.survival_now).min(1.0) * mean_beyond);
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
