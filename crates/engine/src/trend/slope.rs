//! The least-squares slope of x over t, from moments about the mean.
//!
//! Rows are added by the updating formulas of Youngs & Cramer (1971) and Welford (1962), partial states merged by those
//! of Chan, Golub & LeVeque (1983), equation 2.1 and its analogue for products: neither loses digits when times are far
//! from zero, as timestamps are.

use crate::{Error, Result};

/// Rows, means, and sums of squares and products about the means.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Slope {
    rows: f64,
    mean_t: f64,
    mean_x: f64,
    squares: f64,
    products: f64,
}

/// The numbers of a state.
pub const NUMBERS: usize = 5;

impl Slope {
    /// # Errors
    /// [`Error::Invalid`] when a number is not finite; [`Error::OutOfRange`] when the squares are too large for a double.
    pub fn add(&mut self, t: f64, x: f64) -> Result<()> {
        check(t, x)?;
        self.merge(&Slope { rows: 1.0, mean_t: t, mean_x: x, ..Slope::default() })
    }

    /// # Errors
    /// [`Error::OutOfRange`] as [`Slope::add`].
    pub fn merge(&mut self, other: &Slope) -> Result<()> {
        if other.rows == 0.0 {
            return Ok(());
        }
        if self.rows == 0.0 {
            *self = *other;
            return Ok(());
        }
        let rows = self.rows + other.rows;
        let (dt, dx) = (other.mean_t - self.mean_t, other.mean_x - self.mean_x);
        let (share, both) = (other.rows / rows, self.rows * (other.rows / rows));
        let merged = Slope {
            rows,
            mean_t: self.mean_t + dt * share,
            mean_x: self.mean_x + dx * share,
            squares: self.squares + other.squares + dt * dt * both,
            products: self.products + other.products + dt * dx * both,
        };
        if !merged.numbers().iter().all(|number| number.is_finite()) {
            return Err(Error::OutOfRange("the times and values of a slope are too large".into()));
        }
        *self = merged;
        Ok(())
    }

    /// x per unit of t; `None` when there are fewer than two distinct times.
    pub fn slope(&self) -> Option<f64> {
        (self.squares > 0.0).then(|| self.products / self.squares).filter(|slope| slope.is_finite())
    }

    pub fn numbers(&self) -> [f64; NUMBERS] {
        [self.rows, self.mean_t, self.mean_x, self.squares, self.products]
    }

    /// # Errors
    /// [`Error::Malformed`] when they are those of no state.
    pub fn from_numbers(numbers: &[f64]) -> Result<Slope> {
        let &[rows, mean_t, mean_x, squares, products] = numbers else {
            return Err(Error::malformed("the state of a slope has five numbers"));
        };
        let finite = numbers.iter().all(|number| number.is_finite());
        let rows_fit =
            rows >= 0.0 && rows.fract() == 0.0 && (rows > 0.0 || numbers.iter().all(|number| *number == 0.0));
        if !finite || squares < 0.0 || !rows_fit {
            return Err(Error::malformed("these are not the numbers of a slope"));
        }
        Ok(Slope { rows, mean_t, mean_x, squares, products })
    }
}

/// # Errors
/// [`Error::Invalid`] when the time or the value is not finite.
pub fn check(t: f64, x: f64) -> Result<()> {
    if t.is_finite() && x.is_finite() {
        return Ok(());
    }
    let (what, number) = if t.is_finite() { ("value", x) } else { ("time", t) };
    Err(Error::invalid(
        format!("the {what} of a trend must be finite, got {number}"),
        "Leave such rows out with FILTER (WHERE …).",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use proptest::prelude::*;

    fn of(rows: &[(f64, f64)]) -> Slope {
        let mut slope = Slope::default();
        rows.iter().for_each(|(t, x)| slope.add(*t, *x).unwrap());
        slope
    }

    #[test]
    fn a_line_has_its_slope() {
        assert_relative_eq!(of(&[(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)]).slope().unwrap(), 2.0, max_relative = 1e-15);
        // In exact fractions.
        let steam = of(&[(35.3, 10.98), (29.7, 11.13), (30.8, 12.51), (58.8, 8.40)]);
        assert_relative_eq!(steam.slope().unwrap(), -0.116_893_572_105_837_5, max_relative = 1e-13);
        assert_eq!([of(&[]).slope(), of(&[(1.0, 2.0)]).slope(), of(&[(1.0, 2.0), (1.0, 5.0)]).slope()], [None; 3]);
    }

    #[test]
    fn times_far_from_zero_lose_nothing() {
        let near: Vec<(f64, f64)> = (0..500).map(|i| (f64::from(i), f64::from(i * i % 17))).collect();
        let far: Vec<(f64, f64)> = near.iter().map(|(t, x)| (t + 1e6, x + 1e6)).collect();
        assert_relative_eq!(of(&far).slope().unwrap(), of(&near).slope().unwrap(), max_relative = 1e-8);
        let days: Vec<(f64, f64)> = near.iter().map(|(t, x)| (t + 9000.0, *x)).collect();
        assert_relative_eq!(of(&days).slope().unwrap(), of(&near).slope().unwrap(), max_relative = 1e-11);
    }

    #[test]
    fn refuses_what_is_no_number_and_what_is_no_state() {
        for (t, x) in [(f64::NAN, 1.0), (1.0, f64::INFINITY)] {
            assert!(matches!(Slope::default().add(t, x), Err(Error::Invalid { .. })));
        }
        let mut large = of(&[(1e300, 1.0)]);
        assert!(matches!(large.add(-1e300, 2.0), Err(Error::OutOfRange(_))));
        for numbers in [
            &[][..],
            &[1.0; 4],
            &[-1.0, 0.0, 0.0, 0.0, 0.0],
            &[0.5; 5],
            &[2.0, 0.0, 0.0, -1.0, 0.0],
            &[0.0, 1.0, 0.0, 0.0, 0.0],
            &[1.0, f64::NAN, 0.0, 0.0, 0.0],
        ] {
            assert!(matches!(Slope::from_numbers(numbers), Err(Error::Malformed(_))), "{numbers:?}");
        }
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same(rows in prop::collection::vec((-1e3..1e3f64, -1e3..1e3f64), 3..40), cut in 0usize..40) {
            let whole = of(&rows);
            let (left, right) = rows.split_at(cut.min(rows.len()));
            let mut merged = of(right);
            merged.merge(&of(left)).unwrap();
            let (whole, merged) = (whole.slope().unwrap(), merged.slope().unwrap());
            prop_assert!((whole - merged).abs() <= 1e-9 * whole.abs().max(1e-3));
            prop_assert_eq!(Slope::from_numbers(&of(&rows).numbers()).unwrap(), of(&rows));
        }
    }
}
