//! The exponentially weighted average: a row half a half-life old counts 2^−½ of one now.
//!
//! The average is Σ w x / Σ w with w = 2^{t / half-life}: whichever moment "now" is, it is the same, for it cancels. Sums
//! are kept relative to a whole multiple of 64 half-lives, so that moving on is a multiplication by a power of two and
//! rounds nothing: order and grouping do not matter.

use crate::numeric::sum::Sum;
use crate::{Error, Result};

/// Half-lives from one reference to the next.
const STEP: f64 = 64.0;

/// Sums older than so many steps weigh less than a last digit, whatever they are.
const FORGOTTEN: f64 = 40.0;

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct MovingAverage {
    half_life: f64,
    /// The reference time is this times 64 half-lives.
    step: f64,
    weighted: Sum,
    weights: Sum,
}

/// The numbers of a state.
pub const NUMBERS: usize = 6;

impl MovingAverage {
    /// # Errors
    /// [`Error::Invalid`] when a number is not finite, or the half-life is not above 0 or not the same as before;
    /// [`Error::OutOfRange`] when there are too many half-lives to count, or the sums are too large.
    pub fn add(&mut self, t: f64, x: f64, half_life: f64) -> Result<()> {
        super::slope::check(t, x)?;
        if !(half_life > 0.0 && half_life.is_finite()) {
            return Err(Error::invalid(
                format!("half_life must be finite and greater than 0, got {half_life}"),
                "The time after which a row counts half, in the unit of t; in days for dates and timestamps.",
            ));
        }
        let ages = t / half_life;
        if ages.abs() > 1e12 {
            return Err(Error::OutOfRange(format!("a half-life of {half_life} is too short for the time {t}")));
        }
        let step = (ages / STEP).floor();
        // Between 0 and 64, exactly.
        let weight = (ages - step * STEP).exp2();
        let mut one = MovingAverage { half_life, step, ..MovingAverage::default() };
        one.weighted.add(weight * x);
        one.weights.add(weight);
        self.merge(&one)
    }

    /// # Errors
    /// As [`MovingAverage::add`].
    pub fn merge(&mut self, other: &MovingAverage) -> Result<()> {
        if other.half_life == 0.0 {
            return Ok(());
        }
        if self.half_life == 0.0 {
            *self = *other;
            return self.check_size();
        }
        if self.half_life != other.half_life {
            let (least, most) = (self.half_life.min(other.half_life), self.half_life.max(other.half_life));
            return Err(Error::invalid(
                format!("half_life must be the same in all rows of a group, got {least} and {most}"),
                "GROUP BY it too.",
            ));
        }
        let step = self.step.max(other.step);
        let (mine, theirs) = (self.moved_to(step), other.moved_to(step));
        self.step = step;
        (self.weighted, self.weights) = mine;
        self.weighted.add_sum(theirs.0);
        self.weights.add_sum(theirs.1);
        self.check_size()
    }

    fn moved_to(&self, step: f64) -> (Sum, Sum) {
        let steps = step - self.step;
        if steps == 0.0 {
            return (self.weighted, self.weights);
        }
        let factor = if steps > FORGOTTEN { 0.0 } else { (-STEP * steps).exp2() };
        (self.weighted.scaled(factor), self.weights.scaled(factor))
    }

    fn check_size(&self) -> Result<()> {
        if self.weighted.total().is_finite() && self.weights.total().is_finite() {
            return Ok(());
        }
        Err(Error::OutOfRange("the values of an average are too large".into()))
    }

    /// `None` without rows.
    pub fn average(&self) -> Option<f64> {
        let average = self.weighted.total() / self.weights.total();
        (self.half_life > 0.0 && average.is_finite()).then_some(average)
    }

    pub fn numbers(&self) -> [f64; NUMBERS] {
        let ([weighted, weighted_error], [weights, weights_error]) = (self.weighted.parts(), self.weights.parts());
        [self.half_life, self.step, weighted, weighted_error, weights, weights_error]
    }

    /// # Errors
    /// [`Error::Malformed`] when they are those of no state.
    pub fn from_numbers(numbers: &[f64]) -> Result<MovingAverage> {
        let &[half_life, step, weighted, weighted_error, weights, weights_error] = numbers else {
            return Err(Error::malformed("the state of an average has six numbers"));
        };
        let state = MovingAverage {
            half_life,
            step,
            weighted: Sum::from_parts([weighted, weighted_error]),
            weights: Sum::from_parts([weights, weights_error]),
        };
        let empty = state == MovingAverage::default();
        let whole = step.fract() == 0.0 && step.abs() <= 1e12;
        if !numbers.iter().all(|number| number.is_finite()) || !(empty || half_life > 0.0 && whole && weights > 0.0) {
            return Err(Error::malformed("these are not the numbers of an average"));
        }
        Ok(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use proptest::prelude::*;

    fn of(rows: &[(f64, f64)], half_life: f64) -> MovingAverage {
        let mut average = MovingAverage::default();
        rows.iter().for_each(|(t, x)| average.add(*t, *x, half_life).unwrap());
        average
    }

    /// The definition.
    fn direct(rows: &[(f64, f64)], half_life: f64) -> f64 {
        let now = rows.iter().map(|(t, _)| *t).fold(f64::MIN, f64::max);
        let weight = |t: f64| (-(now - t) / half_life).exp2();
        let (above, below) = rows.iter().fold((0.0, 0.0), |(a, b), (t, x)| (a + weight(*t) * x, b + weight(*t)));
        above / below
    }

    #[test]
    fn one_half_life_counts_half() {
        // (1 · 0 + 2 · 3) / 3
        assert_relative_eq!(of(&[(0.0, 0.0), (30.0, 3.0)], 30.0).average().unwrap(), 2.0, max_relative = 1e-15);
        assert_eq!(of(&[(5.0, 7.5)], 30.0).average(), Some(7.5));
        assert_eq!(MovingAverage::default().average(), None);
        // What is a thousand half-lives old is forgotten, and the far past alone still has an average.
        assert_eq!(of(&[(-1e6, 5.0), (1e6, 1.0)], 1.0).average(), Some(1.0));
        assert_eq!(of(&[(-1e6, 5.0)], 1.0).average(), Some(5.0));
    }

    #[test]
    fn refuses_what_has_no_average() {
        let add = |t, x, half_life| MovingAverage::default().add(t, x, half_life);
        for half_life in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(add(1.0, 1.0, half_life), Err(Error::Invalid { .. })), "{half_life}");
        }
        assert!(add(f64::NAN, 1.0, 1.0).is_err() && add(1.0, f64::NEG_INFINITY, 1.0).is_err());
        assert!(matches!(add(1e15, 1.0, 1.0), Err(Error::OutOfRange(_))));
        assert!(matches!(add(63.0, 1e300, 1.0), Err(Error::OutOfRange(_))));
        assert!(of(&[(1.0, 1.0)], 2.0).merge(&of(&[(1.0, 1.0)], 3.0)).is_err());
        for numbers in [
            &[][..],
            &[1.0; 5],
            &[-1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
            &[1.0, 0.5, 0.0, 0.0, 1.0, 0.0],
            &[1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            &[1.0, 0.0, f64::NAN, 0.0, 1.0, 0.0],
        ] {
            assert!(matches!(MovingAverage::from_numbers(numbers), Err(Error::Malformed(_))), "{numbers:?}");
        }
    }

    proptest! {
        #[test]
        fn any_order_and_split_is_the_definition(
            rows in prop::collection::vec((-400.0..400.0f64, -1e3..1e3f64), 1..60), cut in 0usize..60, half_life in 0.5..90.0f64,
        ) {
            let expected = direct(&rows, half_life);
            let mut backwards = rows.clone();
            backwards.reverse();
            let (left, right) = rows.split_at(cut.min(rows.len()));
            let mut merged = of(right, half_life);
            merged.merge(&of(left, half_life)).unwrap();
            let scale = rows.iter().map(|(_, x)| x.abs()).fold(1e-3, f64::max);
            for state in [of(&rows, half_life), of(&backwards, half_life), merged] {
                prop_assert!((state.average().unwrap() - expected).abs() <= 1e-11 * scale);
                prop_assert_eq!(MovingAverage::from_numbers(&state.numbers()).unwrap(), state);
            }
            let (forth, back) = (of(&rows, half_life).average().unwrap(), of(&backwards, half_life).average().unwrap());
            prop_assert!((forth - back).abs() <= 1e-12 * scale);
        }
    }
}
