//! Sums of first and second derivatives by bin, of the rows of a node.

use crate::boost::bins::{Bins, Cuts};

/// First and second derivative of the loss in a row's prediction, or sums of them.
pub(super) type Slopes = [f64; 2];

/// As many cells as a byte has values, so that no code is outside.
pub(super) type Column = [Slopes; 256];

/// Rows that are added to one group of columns after another, and columns that fit the nearest cache together.
const BLOCK: usize = 256;
const COLUMNS: usize = 5;

/// Of one node, a column per covariate.
#[derive(Debug, Clone)]
pub(super) struct Histogram {
    pub columns: Vec<Column>,
}

impl Histogram {
    pub fn new(covariates: usize) -> Histogram {
        Histogram { columns: vec![[[0.0; 2]; 256]; covariates] }
    }

    /// Of these rows.
    pub fn fill(&mut self, bins: &Bins, rows: &[u32], slopes: &[Slopes]) {
        for (column, cuts) in self.columns.iter_mut().zip(&bins.cuts) {
            column[..cuts.bins()].fill([0.0; 2]);
        }
        let mut here = [[0.0; 2]; BLOCK];
        for rows in rows.chunks(BLOCK) {
            here.iter_mut().zip(rows).for_each(|(here, row)| *here = slopes[*row as usize]);
            for (group, columns) in self.columns.chunks_mut(COLUMNS).enumerate() {
                for (row, [first, second]) in rows.iter().zip(&here) {
                    for (column, code) in columns.iter_mut().zip(&bins.row(*row)[group * COLUMNS..]) {
                        let cell = &mut column[usize::from(*code)];
                        cell[0] += first;
                        cell[1] += second;
                    }
                }
            }
        }
    }

    /// What is left of a node without one of its two children.
    pub fn take(&mut self, child: &Histogram, cuts: &[Cuts]) {
        for ((mine, theirs), cuts) in self.columns.iter_mut().zip(&child.columns).zip(cuts) {
            for (mine, theirs) in mine[..cuts.bins()].iter_mut().zip(theirs) {
                mine[0] -= theirs[0];
                mine[1] -= theirs[1];
            }
        }
    }
}
