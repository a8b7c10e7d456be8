//! Weighted sums of x and of x x' over many rows, in blocks: what an information matrix is made of.

use crate::hazard::increment::Increment;
use crate::hazard::risk_sets::{LANES, Lanes};
use crate::hazard::slot_sums::row;
use crate::hazard::sweep::RiskSet;

/// Rows that are summed before their sums are added to the total, so that rounding does not grow with their number.
pub(super) const BLOCK: usize = 1024;

#[inline(always)]
fn add_first(chunks: usize, sums: &mut [Lanes], x: &[f64], p: usize, weights: &[f64]) {
    let sums = &mut sums[..chunks];
    for (i, weight) in weights.iter().enumerate() {
        for (sums, x) in sums.iter_mut().zip(row(x, i * p, chunks)) {
            (0..LANES).for_each(|lane| sums[lane] += weight * x[lane]);
        }
    }
}

/// Weighted sums of x and of the lower triangle of x x'.
#[derive(Debug)]
pub(super) struct Moments {
    chunks: usize,
    pub first: Vec<Lanes>,
    /// Covariates × chunks; the row of a covariate is filled up to its own chunk.
    second: Vec<Lanes>,
    /// Rows and weights that wait until a block is full.
    waiting: Vec<Lanes>,
    waiting_weights: Vec<f64>,
}

impl Moments {
    pub fn new(chunks: usize, covariates: usize) -> Self {
        let zero = [0.0; LANES];
        let (first, second) = (vec![zero; chunks], vec![zero; covariates * chunks]);
        Moments { chunks, first, second, waiting: Vec::new(), waiting_weights: Vec::new() }
    }

    /// Adds what one event time takes off the information: Σ over the terms of its tie of m u u' with u the mean of x.
    ///
    /// With s = Σ r x over the risk set and d over the deaths that is a ss' − b (sd' + ds') + c dd' for the increments
    /// a, b, c, or a (s − b/a d)(s − b/a d)' + (c − b²/a) dd'.
    pub fn add_means(&mut self, set: &RiskSet, increment: &Increment) {
        let share = increment.square_spared / increment.square;
        if share > 0.0 {
            for (total, deaths) in set.total_x.iter().zip(set.deaths_x) {
                self.waiting.push(std::array::from_fn(|lane| total[lane] - share * deaths[lane]));
            }
            self.waiting.extend_from_slice(set.deaths_x);
            let rest = increment.square_spared_twice - share * increment.square_spared;
            self.waiting_weights.extend([increment.square, rest]);
        } else {
            self.waiting.extend_from_slice(set.total_x);
            self.waiting_weights.push(increment.square);
        }
        if self.waiting_weights.len() + 2 > BLOCK {
            self.add_waiting();
        }
    }

    pub fn add_waiting(&mut self) {
        let (mut rows, mut weights) = (std::mem::take(&mut self.waiting), std::mem::take(&mut self.waiting_weights));
        self.add_rows(&rows, &weights);
        rows.clear();
        weights.clear();
        (self.waiting, self.waiting_weights) = (rows, weights);
    }

    pub fn add_rows(&mut self, x: &[Lanes], weights: &[f64]) {
        for (x, weights) in x.chunks(BLOCK * self.chunks).zip(weights.chunks(BLOCK)) {
            let mut block = Moments::new(self.chunks, self.second.len() / self.chunks);
            match self.chunks {
                1 => block.add_block::<1>(x, weights),
                2 => block.add_block::<2>(x, weights),
                3 => block.add_block::<3>(x, weights),
                4 => block.add_block::<4>(x, weights),
                _ => block.add_wide_block(x, weights),
            }
            self.take_in(&mut block);
        }
    }

    /// Adds the sums of a block and clears them.
    pub fn take_in(&mut self, block: &mut Moments) {
        let sums = self.first.iter_mut().chain(&mut self.second).flatten();
        let terms = block.first.iter_mut().chain(&mut block.second).flatten();
        for (sum, term) in sums.zip(terms) {
            *sum += std::mem::take(term);
        }
    }

    /// The first moments only.
    pub fn add_first(&mut self, x: &[f64], p: usize, weights: &[f64]) {
        match self.chunks {
            1 => add_first(1, &mut self.first, x, p, weights),
            2 => add_first(2, &mut self.first, x, p, weights),
            3 => add_first(3, &mut self.first, x, p, weights),
            4 => add_first(4, &mut self.first, x, p, weights),
            chunks => add_first(chunks, &mut self.first, x, p, weights),
        }
    }

    /// Rows that lie one after the other without gaps, with room behind the last: what is read of the next row ends up
    /// beyond the covariates.
    pub fn add_loose_rows(&mut self, x: &[f64], weights: &[f64]) {
        match self.chunks {
            1 => self.add_loose_chunks::<1>(x, weights),
            2 => self.add_loose_chunks::<2>(x, weights),
            3 => self.add_loose_chunks::<3>(x, weights),
            4 => self.add_loose_chunks::<4>(x, weights),
            _ => {
                let p = self.second.len() / self.chunks;
                for (i, weights) in weights.chunks(4).enumerate() {
                    let at = |j: usize| row(x, (4 * i + if j < weights.len() { j } else { 0 }) * p, self.chunks);
                    let weight = |j: usize| weights.get(j).copied().unwrap_or(0.0);
                    self.add_four([at(0), at(1), at(2), at(3)], [weight(0), weight(1), weight(2), weight(3)]);
                }
            }
        }
    }

    fn add_loose_chunks<const CHUNKS: usize>(&mut self, x: &[f64], weights: &[f64]) {
        let p = self.second.len() / CHUNKS;
        let zero = [[0.0; LANES]; CHUNKS];
        let at = |i: usize| row(x, i * p, CHUNKS).first_chunk::<CHUNKS>().unwrap_or(&zero);
        let (fours, rest) = weights.as_chunks::<4>();
        for (i, weights) in fours.iter().enumerate() {
            self.add_four([at(4 * i), at(4 * i + 1), at(4 * i + 2), at(4 * i + 3)], *weights);
        }
        for (i, weight) in rest.iter().enumerate() {
            self.add_four([at(4 * fours.len() + i); 4], [*weight, 0.0, 0.0, 0.0]);
        }
    }

    fn add_block<const CHUNKS: usize>(&mut self, x: &[Lanes], weights: &[f64]) {
        let (rows, _) = x.as_chunks::<CHUNKS>();
        let (fours, rest) = rows.as_chunks::<4>();
        let (weight_fours, weight_rest) = weights.as_chunks::<4>();
        for (rows, weights) in fours.iter().zip(weight_fours) {
            self.add_four([&rows[0], &rows[1], &rows[2], &rows[3]], *weights);
        }
        for (row, weight) in rest.iter().zip(weight_rest) {
            self.add_four([row; 4], [*weight, 0.0, 0.0, 0.0]);
        }
    }

    fn add_wide_block(&mut self, x: &[Lanes], weights: &[f64]) {
        for (rows, weights) in x.chunks(4 * self.chunks).zip(weights.chunks(4)) {
            let row = |i: usize| rows.get(i * self.chunks..(i + 1) * self.chunks).unwrap_or(&rows[..self.chunks]);
            let weight = |i: usize| weights.get(i).copied().unwrap_or(0.0);
            self.add_four([row(0), row(1), row(2), row(3)], [weight(0), weight(1), weight(2), weight(3)]);
        }
    }

    /// Four rows at a time, so that the sums are loaded and stored once for four.
    #[inline(always)]
    fn add_four<Row: AsRef<[Lanes]> + ?Sized>(&mut self, rows: [&Row; 4], weights: [f64; 4]) {
        let [a, b, c, d] = rows.map(|row| row.as_ref());
        let four = |scale: [f64; 4], at: usize, lane: usize| {
            (scale[0] * a[at][lane] + scale[1] * b[at][lane]) + (scale[2] * c[at][lane] + scale[3] * d[at][lane])
        };
        for (at, sums) in self.first.iter_mut().enumerate() {
            (0..LANES).for_each(|lane| sums[lane] += four(weights, at, lane));
        }
        for (i, sums) in self.second.chunks_exact_mut(a.len()).enumerate() {
            let (chunk, lane) = (i / LANES, i % LANES);
            let scale = [
                weights[0] * a[chunk][lane],
                weights[1] * b[chunk][lane],
                weights[2] * c[chunk][lane],
                weights[3] * d[chunk][lane],
            ];
            for (at, sums) in sums.iter_mut().take(chunk + 1).enumerate() {
                (0..LANES).for_each(|lane| sums[lane] += four(scale, at, lane));
            }
        }
    }

    /// Σ w x² of each covariate.
    pub fn diagonal(&self, covariates: usize) -> Vec<f64> {
        let (width, second) = (self.chunks * LANES, self.second.as_flattened());
        (0..covariates).map(|i| second[i * width + i]).collect()
    }

    /// Own second moments less `other`'s: symmetric, p × p, row-major.
    pub fn difference(&self, other: &Moments, covariates: usize) -> Vec<f64> {
        let width = self.chunks * LANES;
        let (own, others) = (self.second.as_flattened(), other.second.as_flattened());
        let mut matrix = vec![0.0; covariates * covariates];
        for i in 0..covariates {
            for j in 0..=i {
                let value = own[i * width + j] - others[i * width + j];
                matrix[i * covariates + j] = value;
                matrix[j * covariates + i] = value;
            }
        }
        matrix
    }
}
