//! Who will still be there: the survival that a valuation reads.
//!
//! S(t) = P(T > given + t | T > given), as [`Steps::renewal_probability`]. With a term nobody leaves between renewal
//! dates, so S(t) is that of the last renewal date up to t and 1 before the first. Durations must then be counted to
//! the renewal at which a customer left (24, not 24.02 months), or the drop is seen a term late.

use crate::numeric::sum::Sum;
use crate::survival::{Steps, Tail};
use crate::value::contract::{Renewals, SAME_DATE};
use crate::value::terms::Terms;
use crate::{Error, Result};

/// What to believe beyond the observed time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TailRule {
    /// Nothing: what would fall due later is not counted, even if the curve has a tail.
    None,
    /// The curve's own tail, or else its average hazard for ever ([`Tail::average_hazard`]).
    ConstantHazard,
}

impl std::str::FromStr for TailRule {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "none" => TailRule::None,
            "constant-hazard" | "constant_hazard" => TailRule::ConstantHazard,
            _ => {
                return Err(Error::invalid(format!("unknown tail rule \"{name}\""), "One of: none, constant-hazard."));
            }
        })
    }
}

/// How far the curve carries a valuation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The whole horizon was observed.
    Observed,
    /// The horizon's end rests on the tail.
    Extrapolated,
    /// Beyond the observed time nothing is known.
    Truncated,
}

/// S at one time and what it was read from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub survival: f64,
    /// Months from the valuation to the time at which the curve was read; 0 before the first renewal.
    pub elapsed: f64,
    /// How many of the curve's steps are at or before that time.
    pub steps: usize,
    /// Months of that time that lie beyond the observed time and after the valuation.
    pub beyond: f64,
}

/// A curve seen from the age of the valuation.
#[derive(Debug, Clone, Copy)]
pub struct Outlook<'a> {
    curve: &'a Steps,
    /// The hazard rate beyond the observed time, when anything is believed there.
    rate: Option<f64>,
    given: f64,
    survival_now: f64,
    steps_now: usize,
    renewals: Option<Renewals>,
}

impl<'a> Outlook<'a> {
    /// `None` when the curve has nobody left at `given`, or does not reach so far and has no tail. The terms must be
    /// valid.
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
        (reached && survival_now > 0.0).then(|| Outlook {
            curve,
            rate,
            given: terms.given,
            survival_now,
            steps_now,
            renewals: terms.renewals(),
        })
    }

    pub fn curve(&self) -> &'a Steps {
        self.curve
    }

    /// How many of the curve's steps lie in the past.
    pub fn steps_now(&self) -> usize {
        self.steps_now
    }

    /// The tail's hazard rate.
    pub fn rate(&self) -> Option<f64> {
        self.rate
    }

    /// S at month `t` (≥ 0) of the valuation; `None` where nothing is known.
    pub fn at(&self, t: f64) -> Option<Point> {
        match self.renewals {
            None => self.read(t),
            Some(renewals) => self.read(renewals.last(t).unwrap_or(0.0)),
        }
    }

    fn read(&self, elapsed: f64) -> Option<Point> {
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

    /// The months that a customer stays on average, of the next `horizon`: the area under S, and how far it was known.
    /// What is not known counts as gone.
    pub fn mean_lifetime(&self, horizon: f64) -> (f64, Reach) {
        match self.renewals {
            None => self.area(horizon),
            Some(renewals) => self.area_by_term(renewals, horizon),
        }
    }

    fn area(&self, horizon: f64) -> (f64, Reach) {
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

    fn area_by_term(&self, renewals: Renewals, horizon: f64) -> (f64, Reach) {
        let mut area = Sum::default();
        area.add(renewals.first.min(horizon));
        let mut reach = Reach::Observed;
        let mut count = 0.0;
        loop {
            let date = renewals.first + count * renewals.every;
            if date >= horizon - SAME_DATE {
                return (area.total(), reach);
            }
            let Some(point) = self.read(date) else { return (area.total(), Reach::Truncated) };
            if point.beyond > 0.0 {
                reach = Reach::Extrapolated;
            }
            area.add(renewals.every.min(horizon - date) * point.survival);
            count += 1.0;
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_sql() {
        for name in ["constant-hazard", "constant_hazard"] {
            assert_eq!(name.parse(), Ok(TailRule::ConstantHazard));
        }
        assert_eq!("none".parse(), Ok(TailRule::None));
        assert!("forever".parse::<TailRule>().is_err_and(|error| error.to_string().contains("forever")));
    }

    #[test]
    fn agrees_with_the_curves_own_accessors() {
        let (survival, tail) = (vec![0.9, 0.7, 0.4], Tail::ConstantHazard { rate: 0.05 });
        let curve = Steps {
            times: vec![3.0, 7.0, 11.0],
            cumulative_hazard: survival.iter().map(|survival: &f64| -survival.ln()).collect(),
            survival,
            variance: vec![],
            rank: 0,
            loadings: vec![],
            max_followup: 14.0,
            tail,
        };
        for given in [0.0, 3.0, 5.5, 14.0, 20.0] {
            let terms = Terms { given, tail: TailRule::ConstantHazard, ..Terms::new(1.0) };
            let outlook = Outlook::new(&curve, &terms).unwrap();
            for t in 0..40 {
                let expected = curve.renewal_probability(given, given + f64::from(t)).unwrap().unwrap();
                let found = outlook.at(f64::from(t)).unwrap().survival;
                assert!((found - expected).abs() < 1e-15, "{given} {t}: {found} {expected}");
            }
        }
        let (mean, reach) = Outlook::new(&curve, &Terms { tail: TailRule::ConstantHazard, ..Terms::new(1.0) })
            .unwrap()
            .mean_lifetime(30.0);
        assert!((mean - curve.restricted_mean(30.0).unwrap().unwrap()).abs() < 1e-12);
        assert_eq!(reach, Reach::Extrapolated);
    }
}
