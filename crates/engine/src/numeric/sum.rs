//! Compensated summation.

/// A running sum that carries its rounding error (Neumaier 1974), so that the order of the terms hardly matters.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sum {
    total: f64,
    error: f64,
}

impl Sum {
    #[inline]
    pub fn add(&mut self, term: f64) {
        let sum = self.total + term;
        self.error +=
            if self.total.abs() >= term.abs() { (self.total - sum) + term } else { (term - sum) + self.total };
        self.total = sum;
    }

    #[inline]
    pub fn total(&self) -> f64 {
        self.total + self.error
    }
}
