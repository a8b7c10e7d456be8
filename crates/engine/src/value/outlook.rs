//! Who will still be there: the survival that a valuation reads.
//!
//! S(t) = P(T > given + t | T > given), as [`Steps::renewal_probability`]. With a term nobody leaves between renewal
//! dates, so S(t) is that of the last renewal date up to t and 1 before the first. Durations must then be counted to
//! the renewal at which a customer left (24, not 24.02 months), or the drop is seen a term late. A curve of decisions, which
//! knows how many are survived and not when they fall, is read at the age at which they fall on the renewal dates
//! ([`Terms::ages_on`]).
//!
//! - Notice: what has to be decided by now has been, as a renewal that is due now has. Who has given no notice is known
//!   to stay for the notice period, or to the last renewal date within it, so the condition is T > given + that.
//! - Early termination: within terms, a share e per year breaks the contract beside: S(t) · (1 − e)^(t/12).
//! - Hazard ratio: S(t)^ratio, every hazard multiplied.

use crate::numeric::sum::Sum;
use crate::survival::CurveView;
use crate::value::contract::{Renewals, SAME_DATE};
use crate::value::smooth_view::SmoothView;
use crate::value::step_view::StepView;
use crate::value::terms::Terms;
use crate::{Error, Result};

/// What to believe beyond the observed time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TailRule {
    /// Nothing: what would fall due later is not counted, even if the curve has a tail.
    None,
    /// The curve's own tail – of a parametric curve its formula –, or else its average hazard for ever
    /// ([`Tail::average_hazard`](crate::survival::Tail::average_hazard)).
    ConstantHazard,
    /// The average hazard of the last quarter of the observed time, or of its last
    /// [`tail_months`](Terms::tail_months). A smooth curve goes on by its formula.
    RecentHazard,
}

impl TailRule {
    pub fn name(self) -> &'static str {
        match self {
            TailRule::None => "none",
            TailRule::ConstantHazard => "constant-hazard",
            TailRule::RecentHazard => "recent-hazard",
        }
    }
}

impl std::str::FromStr for TailRule {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "none" => TailRule::None,
            "constant-hazard" | "constant_hazard" => TailRule::ConstantHazard,
            "recent-hazard" | "recent_hazard" => TailRule::RecentHazard,
            _ => {
                return Err(Error::invalid(
                    format!("unknown tail rule \"{name}\""),
                    "One of: none, constant-hazard, recent-hazard.",
                ));
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
    /// The same at the start of the term that this time lies in: those who left since then left early.
    pub entered: f64,
    /// Months from the first time at which one can leave to the time at which the curve was read; 0 before.
    pub elapsed: f64,
    /// How many of the curve's steps are at or before that time; 0 for a smooth curve.
    pub steps: usize,
    /// Months of that time that lie beyond the observed time and after the valuation.
    pub beyond: f64,
}

/// A curve seen from the age of the valuation.
#[derive(Debug, Clone, Copy)]
pub struct Outlook<'a> {
    pub(super) view: View<'a>,
    renewals: Option<Renewals>,
    /// Months that are certain, as no notice was given.
    locked: f64,
    /// The rate of breaking a contract, per month.
    early: f64,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum View<'a> {
    Steps(StepView<'a>),
    Smooth(SmoothView<'a>),
}

impl<'a> Outlook<'a> {
    /// `None` when the curve has nobody left at the age at which one can first leave, or does not reach so far and has
    /// no tail. The terms must be valid.
    pub fn new(curve: impl Into<CurveView<'a>>, terms: &Terms) -> Option<Self> {
        let curve = curve.into();
        let locked = terms.locked_months();
        let seen_from = |from: f64| match curve {
            CurveView::Steps(steps) => StepView::new(steps, terms, from).map(View::Steps),
            CurveView::Smooth(curve) => SmoothView::new(curve, terms, from).map(View::Smooth),
        };
        let view = terms.ages_on(curve).into_iter().find_map(|age| seen_from(age + locked))?;
        let early = -(-terms.early_termination).ln_1p() / 12.0;
        Some(Outlook { view, renewals: terms.renewals(), locked, early })
    }

    /// S at month `t` (≥ 0) of the valuation; `None` where nothing is known.
    pub fn at(&self, t: f64) -> Option<Point> {
        let Some(renewals) = self.renewals else { return self.read(t) };
        let date = renewals.last(t).unwrap_or(0.0);
        let mut point = self.read(date)?;
        if self.early > 0.0 {
            point.entered *= self.unbroken(date);
            point.survival *= self.unbroken(t);
        }
        Some(point)
    }

    /// The share that has not broken its contract by month `t`.
    pub fn unbroken(&self, t: f64) -> f64 {
        (-self.early * t).exp()
    }

    /// The last renewal date up to month `t`, or 0.
    pub fn term_start(&self, t: f64) -> f64 {
        self.renewals.and_then(|renewals| renewals.last(t)).unwrap_or(0.0)
    }

    fn read(&self, t: f64) -> Option<Point> {
        let elapsed = if t <= self.locked + SAME_DATE { 0.0 } else { t - self.locked };
        match &self.view {
            View::Steps(view) => view.read(elapsed),
            View::Smooth(view) => view.read(elapsed),
        }
    }

    /// The months that a customer stays on average, of the next `horizon`: the area under S, and how far it was known.
    /// What is not known counts as gone.
    pub fn mean_lifetime(&self, horizon: f64) -> (f64, Reach) {
        if let Some(renewals) = self.renewals {
            return self.area_by_term(renewals, horizon);
        }
        if horizon <= self.locked {
            return (horizon, Reach::Observed);
        }
        let (area, reach) = match &self.view {
            View::Steps(view) => view.area(horizon - self.locked),
            View::Smooth(view) => view.area(horizon - self.locked),
        };
        (self.locked + area, reach)
    }

    fn area_by_term(&self, renewals: Renewals, horizon: f64) -> (f64, Reach) {
        let mut area = Sum::default();
        // The area under (1 − e)^(t/12) from one date to another.
        let unbroken = |from: f64, to: f64| {
            if self.early == 0.0 {
                to - from
            } else {
                self.unbroken(from) * -(-self.early * (to - from)).exp_m1() / self.early
            }
        };
        area.add(unbroken(0.0, renewals.first.min(horizon)));
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
            area.add(unbroken(date, horizon.min(date + renewals.every)) * point.survival);
            count += 1.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::survival::{Steps, Tail};

    #[test]
    fn names_are_those_of_sql() {
        for name in ["constant-hazard", "constant_hazard"] {
            assert_eq!(name.parse(), Ok(TailRule::ConstantHazard));
        }
        for rule in [TailRule::None, TailRule::ConstantHazard, TailRule::RecentHazard] {
            assert_eq!(rule.name().parse(), Ok(rule));
        }
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
            decisions: None,
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
