//! Covariates as few numbers: each value becomes the number of the bin it lies in.

use crate::memory::Room;
use crate::{Error, Interrupt, Result};

/// Bins of values, so that with one for what is missing a number fits a byte.
const MOST_BINS: usize = 254;
/// Rows from which the cut points are read; more of them are sampled evenly.
const SAMPLE: usize = 200_000;
pub(super) const ROWS_PER_INTERRUPT: usize = 1 << 16;
/// Rows that are looked up together.
const BLOCK: usize = 128;

/// The cut points of a covariate.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Cuts {
    /// Rising; a value lies in the bin of the first threshold that is not below it, or in the last bin.
    pub thresholds: Vec<f64>,
    /// Whether a value is missing in some row: NaN, in the bin after the last.
    pub missing: bool,
}

impl Cuts {
    /// Bins, that of the missing included.
    pub fn bins(&self) -> usize {
        self.thresholds.len() + 1 + usize::from(self.missing)
    }

    pub fn bin(&self, x: f64) -> u8 {
        if x.is_nan() { self.thresholds.len() as u8 + 1 } else { self.thresholds.partition_point(|t| *t < x) as u8 }
    }
}

/// All covariates of all rows.
#[derive(Debug)]
pub(super) struct Bins {
    pub covariates: usize,
    /// Rows × covariates, row-major.
    pub codes: Vec<u8>,
    /// The same column by column: who looks at one covariate of many rows has the others out of the way.
    columns: Vec<u8>,
    pub cuts: Vec<Cuts>,
}

impl Bins {
    /// Of the rows `order` of `x`, in that order; NaN is missing.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] when there is no memory; those of `interrupt`.
    pub fn new(x: &[f64], covariates: usize, order: &[u32], interrupt: Interrupt) -> Result<Bins> {
        let no_memory = |_| Error::NoMemory(format!("no memory is left for the bins of {} rows", order.len()));
        let stride = order.len().div_ceil(SAMPLE).max(1);
        let mut cuts = Vec::with_capacity(covariates);
        let mut values: Vec<f64> = Vec::new();
        values.exact_room(order.len().div_ceil(stride)).map_err(no_memory)?;
        for covariate in 0..covariates {
            interrupt()?;
            values.clear();
            let column = |row: &u32| x[*row as usize * covariates + covariate] + 0.0;
            values.extend(order.iter().step_by(stride).map(column).filter(|value| !value.is_nan()));
            values.sort_unstable_by(f64::total_cmp);
            cuts.push(Cuts { thresholds: thresholds(&values), missing: false });
        }
        let (mut codes, mut columns) = (Vec::new(), Vec::new());
        for codes in [&mut codes, &mut columns] {
            codes.exact_room(order.len() * covariates).map_err(no_memory)?;
        }
        columns.resize(order.len() * covariates, 0);
        let mut here = Vec::with_capacity(BLOCK * covariates);
        for (block, rows) in order.chunks(BLOCK).enumerate() {
            if block % (ROWS_PER_INTERRUPT / BLOCK) == 0 {
                interrupt()?;
            }
            // Rows lie all over the memory: they are all asked for before any is waited for.
            here.clear();
            rows.iter().for_each(|row| here.extend_from_slice(&x[*row as usize * covariates..][..covariates]));
            let begin = codes.len();
            for x in here.chunks_exact(covariates.max(1)) {
                codes.extend(x.iter().zip(&mut cuts).map(|(x, cuts)| {
                    cuts.missing |= x.is_nan();
                    cuts.bin(x + 0.0)
                }));
            }
            for (covariate, column) in columns.chunks_exact_mut(order.len().max(1)).enumerate() {
                let codes = codes[begin..].iter().skip(covariate).step_by(covariates);
                column[block * BLOCK..].iter_mut().zip(codes).for_each(|(to, code)| *to = *code);
            }
        }
        Ok(Bins { covariates, codes, columns, cuts })
    }

    pub fn rows(&self) -> usize {
        self.codes.len() / self.covariates.max(1)
    }

    /// The codes of one covariate, by row.
    pub fn column(&self, covariate: usize) -> &[u8] {
        let rows = self.rows();
        &self.columns[covariate * rows..][..rows]
    }

    #[inline]
    pub fn row(&self, row: u32) -> &[u8] {
        &self.codes[row as usize * self.covariates..][..self.covariates]
    }
}

/// Between all distinct values when these are few, else so that the bins have about as many rows each.
fn thresholds(sorted: &[f64]) -> Vec<f64> {
    let runs: Vec<(f64, usize)> = sorted.chunk_by(|a, b| a == b).map(|run| (run[0], run.len())).collect();
    let mut cuts = Vec::new();
    let (mut left, mut taken) = (sorted.len(), 0);
    for pair in runs.windows(2) {
        let ((below, count), (above, _)) = (pair[0], pair[1]);
        taken += count;
        let bins = MOST_BINS - cuts.len();
        if bins > 1 && (runs.len() <= MOST_BINS || taken * bins >= left) {
            let middle = below / 2.0 + above / 2.0;
            cuts.push(if below <= middle && middle < above { middle } else { below });
            (left, taken) = (left - taken, 0);
        }
    }
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Bins {
        let order: Vec<u32> = (0..values.len() as u32).collect();
        Bins::new(values, 1, &order, &mut || Ok(())).unwrap()
    }

    #[test]
    fn few_values_have_a_bin_each_and_the_missing_one_of_their_own() {
        let bins = of(&[3.0, 1.0, f64::NAN, 1.0, 2.0, -0.0, 0.0]);
        assert_eq!(bins.cuts[0], Cuts { thresholds: vec![0.5, 1.5, 2.5], missing: true });
        assert_eq!(bins.codes, [3, 1, 4, 1, 2, 0, 0]);
    }

    #[test]
    fn many_values_share_bins_of_about_one_size() {
        let values: Vec<f64> = (0..100_000).map(|i| f64::from(i).powi(3)).collect();
        let bins = of(&values);
        assert_eq!(bins.cuts[0].bins(), MOST_BINS);
        let mut sizes = [0; MOST_BINS];
        bins.codes.iter().for_each(|code| sizes[usize::from(*code)] += 1);
        assert!(sizes.iter().all(|size| (390..=400).contains(size)), "{sizes:?}");
    }

    #[test]
    fn thresholds_tell_their_neighbours_apart_however_large_or_close() {
        for (a, b) in [(f64::MIN, f64::MAX), (1.0, 1.0f64.next_up()), (0.0, 5e-324), (-5e-324, 0.0), (1e308, f64::MAX)]
        {
            let bins = of(&[b, a]);
            assert_eq!(bins.codes, [1, 0], "{a} {b}");
            assert!(bins.cuts[0].thresholds[0].is_finite());
        }
        assert_eq!(of(&[7.0, 7.0]).cuts[0].bins(), 1);
        assert_eq!(of(&[f64::NAN]).cuts[0], Cuts { thresholds: vec![], missing: true });
    }
}
