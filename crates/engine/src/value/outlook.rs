//! Who will still be there: the survival that a valuation reads.
//!
//! S(t) = P(T > given + t | T > given), as [`Steps::renewal_probability`]. With a term nobody leaves between renewal
//! dates, so S(t) is that of the last renewal date up to t and 1 before the first. Durations must then be counted to
//! the renewal at which a customer left (24, not 24.02 months), or the drop is seen a term late.

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
}

#[derive(Debug, Clone, Copy)]
pub(super) enum View<'a> {
    Steps(StepView<'a>),
    Smooth(SmoothView<'a>),
}

impl<'a> Outlook<'a> {
    /// `None` when the curve has nobody left at `given`, or does not reach so far and has no tail. The terms must be
    /// valid.
    pub fn new(curve: impl Into<CurveView<'a>>, terms: &Terms) -> Option<Self> {
        let view = match curve.into() {
            CurveView::Steps(steps) => View::Steps(StepView::new(steps, terms)?),
            CurveView::Smooth(curve) => View::Smooth(SmoothView::new(curve, terms)?),
        };
        Some(Outlook { view, renewals: terms.renewals() })
    }

    /// S at month `t` (≥ 0) of the valuation; `None` where nothing is known.
    pub fn at(&self, t: f64) -> Option<Point> {
        match self.renewals {
            None => self.read(t),
            Some(renewals) => self.read(renewals.last(t).unwrap_or(0.0)),
        }
    }

    fn read(&self, elapsed: f64) -> Option<Point> {
        match &self.view {
            View::Steps(view) => view.read(elapsed),
            View::Smooth(view) => view.read(elapsed),
        }
    }

    /// The months that a customer stays on average, of the next `horizon`: the area under S, and how far it was known.
    /// What is not known counts as gone.
    pub fn mean_lifetime(&self, horizon: f64) -> (f64, Reach) {
        match (self.renewals, &self.view) {
            (Some(renewals), _) => self.area_by_term(renewals, horizon),
            (None, View::Steps(view)) => view.area(horizon),
            (None, View::Smooth(view)) => view.area(horizon),
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::survival::{Steps, Tail};

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
