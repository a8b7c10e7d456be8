//! Linear algebra of symmetric matrices that may not have full rank.

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

/// R's tolerance for a column to count as a combination of those before it: ε^¾ of the largest diagonal.
pub fn collinearity_tolerance() -> f64 {
    f64::EPSILON.powf(0.75)
}

/// What is left of a difference of two sums may be rounding if it is this share of them. A covariate that varies less
/// than that among those who are compared, a spread of 3·10⁻⁷ of its spread among all, cannot be told from a constant.
pub const ROUNDING_OF_A_DIFFERENCE: f64 = 1e-13;

/// The Cholesky factor of the columns of a symmetric matrix that do not depend linearly on those before them.
///
/// A column whose pivot falls below a tolerance is left out, as if its row and column were not there; solutions and
/// the inverse hold 0 in its place. Columns are taken in the order given, so the first of two collinear ones stays
/// (as in `coxph` of R's survival).
#[derive(Debug, Clone)]
pub struct RankedCholesky {
    size: usize,
    columns: Vec<usize>,
    factor: Option<Cholesky<f64, Dyn>>,
}

impl RankedCholesky {
    /// Factors the symmetric `matrix` (`size` × `size`, row-major, only the lower triangle is read); pivots not above
    /// `tolerance` × the largest diagonal element are left out.
    pub fn new(matrix: &[f64], size: usize, tolerance: f64) -> Self {
        Self::above(matrix, size, tolerance, &[])
    }

    /// The same of a difference of sums, each diagonal element of which was as large as `scales` (none: 0) before the
    /// subtraction: a pivot that is rounding of it ([`ROUNDING_OF_A_DIFFERENCE`]) is left out, too.
    pub fn above(matrix: &[f64], size: usize, tolerance: f64, scales: &[f64]) -> Self {
        let diagonal = (0..size).map(|i| matrix[i * size + i]);
        let threshold = tolerance * diagonal.fold(0.0, f64::max);
        let mut columns: Vec<usize> = Vec::with_capacity(size);
        // Row i of the lower factor over the columns kept so far; the pivot is what is left of the diagonal.
        let mut rows: Vec<Vec<f64>> = Vec::with_capacity(size);
        for i in 0..size {
            let mut row: Vec<f64> = Vec::with_capacity(columns.len());
            for (k, &column) in columns.iter().enumerate() {
                let known: f64 = row.iter().zip(&rows[k]).map(|(a, b)| a * b).sum();
                row.push((matrix[i * size + column] - known) / rows[k][k]);
            }
            let pivot = matrix[i * size + i] - row.iter().map(|value| value * value).sum::<f64>();
            let rounding = scales.get(i).map_or(0.0, |scale| ROUNDING_OF_A_DIFFERENCE * scale);
            if pivot > f64::max(threshold, rounding) && pivot.is_finite() {
                row.push(pivot.sqrt());
                columns.push(i);
                rows.push(row);
            }
        }
        Self::of_columns(matrix, size, columns)
    }

    /// Factors the rows and columns `columns` of `matrix`; all are left out when they are not positive definite.
    pub fn of_columns(matrix: &[f64], size: usize, columns: Vec<usize>) -> Self {
        let kept = DMatrix::from_fn(columns.len(), columns.len(), |i, j| {
            let (row, column) = (columns[i.max(j)], columns[i.min(j)]);
            matrix[row * size + column]
        });
        match Cholesky::new(kept) {
            Some(factor) => RankedCholesky { size, columns, factor: Some(factor) },
            None => RankedCholesky { size, columns: Vec::new(), factor: None },
        }
    }

    /// The columns that were kept, rising.
    pub fn columns(&self) -> &[usize] {
        &self.columns
    }

    pub fn rank(&self) -> usize {
        self.columns.len()
    }

    /// The lower factor over the kept columns: `rank` × `rank`, row-major.
    pub fn lower(&self) -> Vec<f64> {
        match &self.factor {
            Some(factor) => factor.l().transpose().as_slice().to_vec(),
            None => Vec::new(),
        }
    }

    /// The solution of `matrix · solution = right`, 0 for the columns left out.
    pub fn solve(&self, right: &[f64]) -> Vec<f64> {
        let mut solution = vec![0.0; self.size];
        if let Some(factor) = &self.factor {
            let kept = DVector::from_iterator(self.rank(), self.columns.iter().map(|&column| right[column]));
            let solved = factor.solve(&kept);
            self.columns.iter().zip(solved.iter()).for_each(|(&column, value)| solution[column] = *value);
        }
        solution
    }

    /// The inverse, `size` × `size` row-major, 0 in the rows and columns left out.
    pub fn inverse(&self) -> Vec<f64> {
        let mut inverse = vec![0.0; self.size * self.size];
        if let Some(factor) = &self.factor {
            let kept = factor.inverse();
            for (i, &row) in self.columns.iter().enumerate() {
                for (j, &column) in self.columns.iter().enumerate() {
                    // The factorisation is not symmetric to the last bit; the answer is.
                    inverse[row * self.size + column] = (kept[(i, j)] + kept[(j, i)]) / 2.0;
                }
            }
        }
        inverse
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn a_column_that_repeats_another_is_left_out() {
        // Columns 0 and 2 span the matrix of (2, 1; 1, 3); column 1 is twice column 0.
        let matrix = [2.0, 4.0, 1.0, 4.0, 8.0, 2.0, 1.0, 2.0, 3.0];
        let factor = RankedCholesky::new(&matrix, 3, collinearity_tolerance());
        assert_eq!(factor.columns(), [0, 2]);
        let inverse = factor.inverse();
        for (value, expected) in inverse.iter().zip([0.6, 0.0, -0.2, 0.0, 0.0, 0.0, -0.2, 0.0, 0.4]) {
            assert_relative_eq!(*value, expected, epsilon = 1e-15);
        }
        let solution = factor.solve(&[3.0, 6.0, 4.0]);
        for (value, expected) in solution.iter().zip([1.0, 0.0, 1.0]) {
            assert_relative_eq!(*value, expected, epsilon = 1e-14);
        }
        let lower = factor.lower();
        assert_relative_eq!(lower[0], 2f64.sqrt(), epsilon = 1e-15);
        assert_relative_eq!(lower[2], 0.5f64.sqrt(), epsilon = 1e-15);
        assert_eq!(lower[1], 0.0);
    }

    #[test]
    fn nothing_is_left_of_a_matrix_of_zeros_or_nan() {
        for value in [0.0, f64::NAN, f64::INFINITY] {
            let factor = RankedCholesky::new(&[value; 4], 2, 0.0);
            assert_eq!(factor.rank(), 0);
            assert_eq!(factor.inverse(), [0.0; 4]);
            assert_eq!(factor.solve(&[1.0, 1.0]), [0.0, 0.0]);
        }
    }
}
