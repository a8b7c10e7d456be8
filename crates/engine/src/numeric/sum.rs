//! Compensated summation.

/// The rounded sum of two numbers and what the rounding took away, exactly (Knuth, *The Art of Computer Programming* 2,
/// §4.2.2, theorem B).
#[inline(always)]
pub fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_seen = sum - a;
    (sum, (a - (sum - b_seen)) + (b - b_seen))
}

/// A running sum that carries its rounding error, so that the order of the terms hardly matters (Neumaier 1974).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sum {
    total: f64,
    error: f64,
}

impl Sum {
    #[inline]
    pub fn add(&mut self, term: f64) {
        let (total, error) = two_sum(self.total, term);
        self.total = total;
        self.error += error;
    }

    /// Adds another sum with its rounding error.
    #[inline]
    pub fn add_sum(&mut self, other: Sum) {
        self.add(other.total);
        self.error += other.error;
    }

    /// Takes another sum away with its rounding error.
    #[inline]
    pub fn take_sum(&mut self, other: Sum) {
        self.add(-other.total);
        self.error -= other.error;
    }

    /// This sum less another, to the accuracy of the terms that they do not share.
    #[inline]
    pub fn less(&self, other: Sum) -> f64 {
        (self.total - other.total) + (self.error - other.error)
    }

    /// Times a power of two, which rounds nothing unless it leaves the range of doubles.
    pub fn scaled(&self, power_of_two: f64) -> Sum {
        Sum { total: self.total * power_of_two, error: self.error * power_of_two }
    }

    /// The sum and its rounding error, for a stored form.
    pub fn parts(&self) -> [f64; 2] {
        [self.total, self.error]
    }

    pub fn from_parts([total, error]: [f64; 2]) -> Sum {
        Sum { total, error }
    }

    #[inline]
    pub fn total(&self) -> f64 {
        self.total + self.error
    }
}

impl FromIterator<f64> for Sum {
    fn from_iter<I: IntoIterator<Item = f64>>(terms: I) -> Self {
        let mut sum = Sum::default();
        terms.into_iter().for_each(|term| sum.add(term));
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::Sum;

    #[test]
    fn what_was_added_can_be_taken_away_again() {
        let mut sum = Sum::default();
        for term in [1e16, 1.0, 1e-8, -1e16] {
            sum.add(term);
        }
        assert_eq!(sum.total(), 1.0 + 1e-8);
        assert_eq!((0..10).map(|_| 0.1).collect::<Sum>().total(), 1.0);
    }
}
