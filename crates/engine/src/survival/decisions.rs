//! Curves that drop where something is decided: whether a contract is renewed.
//!
//! Such a curve tells how many decisions are survived, not when within a term they fall: that is a matter of the contract.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Times closer than this are one: they are sums that a double holds only nearly.
const SAME_TIME: f64 = 1e-9;

/// When the decisions are of a curve that drops nowhere else: at `first`, and every `period` after it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Decisions {
    /// From the start of the curve's clock; greater than 0, at most a period.
    pub first: f64,
    pub period: f64,
}

impl Decisions {
    /// Those of a curve from the start on.
    pub fn every(period: f64) -> Decisions {
        Decisions { first: period, period }
    }

    /// # Errors
    /// [`Error::Malformed`] for a period that is none, or a first decision that is not the next one.
    pub fn validate(self) -> Result<()> {
        match self.period.is_finite() && self.first > 0.0 && self.first <= self.period {
            true => Ok(()),
            false => {
                Err(Error::malformed("the decisions of a curve have a period, and the first of them lies within it"))
            }
        }
    }

    /// The same on a clock that starts at `given`. A decision at that time is taken.
    pub fn conditional(self, given: f64) -> Decisions {
        let taken = ((given - self.first) / self.period).floor().max(-1.0) + 1.0;
        let first = self.first + taken * self.period - given;
        // The quotient may be a rounding off; one that is taken at this time has the next a period later.
        Decisions { first: if first > 0.0 { first.min(self.period) } else { self.period }, ..self }
    }

    /// The last decision up to `t`; of none, where the one before the first would be.
    pub fn last(self, t: f64) -> f64 {
        self.first + ((t + SAME_TIME - self.first) / self.period).floor() * self.period
    }

    /// The age nearest to `given` at which decisions lie where those of a contract do, of which one comes in `next`: where
    /// they agree already, `given` itself. It is less than 0 where the contract's comes later than that of the curve.
    pub fn age(self, given: f64, next: f64) -> f64 {
        // There are so many decisions before that of the contract at least.
        let before = ((next - SAME_TIME) / self.period).floor().max(0.0);
        let nearest = ((given + next - self.first) / self.period).round().max(before);
        let age = self.first + nearest * self.period - next;
        // Beside a time beyond all periods there is no place.
        if (age - given).abs() < SAME_TIME || !age.is_finite() { given } else { age }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_those_at_which_the_decisions_are_the_contracts() {
        let yearly = Decisions::every(12.0);
        // Nine months old and three to go, however long ago.
        for (given, next, age) in [
            (9.0, 3.0, 9.0),
            (21.0, 3.0, 21.0),
            (0.0, 12.0, 0.0),
            (12.0, 12.0, 12.0),
            (14.5, 9.5, 14.5),
            // Out of step: the nearest age that is not before the start.
            (7.0, 3.0, 9.0),
            (7.0, 12.0, 12.0),
            (5.0, 12.0, 0.0),
            (0.0, 3.0, 9.0),
            (24.02, 0.1, 23.9),
            (13.0, 3.0, 9.0),
            (16.0, 3.0, 21.0),
            // A term of two periods: the decision within it is taken too.
            (7.0, 17.0, 7.0),
            (7.0, 15.0, 9.0),
            (0.0, 24.0, 0.0),
        ] {
            let found = yearly.age(given, next);
            assert!((found - age).abs() < 1e-12, "{given} {next}: {found} for {age}");
        }
        // To the last bit where they agree.
        let age = (0..90).fold(0.0, |sum, _| sum + 0.1);
        assert_eq!(yearly.age(age, 3.0).to_bits(), f64::to_bits(age));
        // On a later clock.
        let later = yearly.conditional(9.0);
        assert_eq!(later, Decisions { first: 3.0, period: 12.0 });
        assert_eq!(later.age(0.0, 3.0), 0.0);
        assert_eq!(later.age(0.0, 5.0), -2.0);
        assert_eq!(later.age(0.0, 1.0), 2.0);
    }

    #[test]
    fn the_last_decision_may_be_that_before_the_first() {
        let decisions = Decisions { first: 2.0, period: 5.0 };
        for (t, last) in [(0.0, -3.0), (1.9, -3.0), (2.0, 2.0), (6.0, 2.0), (0.1 + 6.9, 7.0), (13.0, 12.0)] {
            assert!((decisions.last(t) - last).abs() < 1e-12, "{t}");
        }
    }

    #[test]
    fn a_later_clock_has_the_same_decisions() {
        let decisions = Decisions { first: 2.0, period: 5.0 };
        for (given, first) in [(0.0, 2.0), (1.5, 0.5), (2.0, 5.0), (6.9, 0.1), (7.0, 5.0), (8.0, 4.0)] {
            let later = decisions.conditional(given);
            assert!((later.first - first).abs() < 1e-12 && later.validate().is_ok(), "{given}: {later:?}");
        }
        // A period that is lost beside the time.
        for given in [1.0, 0.3, 1e9, 1e300] {
            let later = Decisions::every(1e-20).conditional(given);
            assert!(later.validate().is_ok() && later.age(given, 12.0).is_finite(), "{given}: {later:?}");
        }
        for wrong in [(0.0, 5.0), (6.0, 5.0), (f64::NAN, 5.0), (1.0, f64::INFINITY), (-1.0, 5.0)] {
            assert!(Decisions { first: wrong.0, period: wrong.1 }.validate().is_err());
        }
    }
}
