//! What the rows of a design say of each covariate, in one pass over them.

use crate::hazard::design::Design;
use crate::hazard::in_place::{InPlace, ROWS_FOR_SAMPLE, SAMPLE};
use crate::hazard::risk_sets::{LANES, ROWS_PER_INTERRUPT};
use crate::hazard::scaling::scales;
use crate::numeric::sum::Sum;
use crate::{Interrupt, Result};

/// Rows whose sums are added to the total at once.
const BLOCK: usize = 128;

/// As [`RiskSets`](crate::hazard::risk_sets::RiskSets) has them.
pub(super) struct Columns {
    pub means: Vec<f64>,
    pub scales: Vec<f64>,
    pub largest: Vec<f64>,
    pub death_sum: Vec<f64>,
}

impl Columns {
    /// Of many rows a sample tells the scales: which power of two it is matters to rounding only.
    pub fn of_places(place: &InPlace, interrupt: Interrupt) -> Result<Columns> {
        let design = place.design;
        let p = design.covariates();
        // So many rows fill whole vectors. Sums are over what is above the first row, lest a common level of thousands
        // of standard deviations swallow the differences.
        let width = p * LANES;
        let first = design.x()[..p].repeat(LANES);
        let (mut lowest, mut highest) = (vec![f64::INFINITY; width], vec![f64::NEG_INFINITY; width]);
        let (mut terms, mut at_deaths) = (vec![0.0; width], vec![0.0; p]);
        let (mut sums, mut death_sums) = (vec![Sum::default(); p], vec![Sum::default(); p]);
        let (mut total, mut dead) = (Sum::default(), Sum::default());
        for (block, x) in design.x().chunks(BLOCK * p).enumerate() {
            if block % (ROWS_PER_INTERRUPT / BLOCK) == 0 {
                interrupt()?;
            }
            let weights = design.weights().get(block * BLOCK..).unwrap_or(&[]);
            for x in x.chunks(width) {
                let columns = x.iter().zip(&first).zip(&mut lowest).zip(&mut highest).zip(&mut terms);
                for ((((x, first), lowest), highest), term) in columns {
                    *lowest = if x < lowest { *x } else { *lowest };
                    *highest = if x > highest { *x } else { *highest };
                    *term += x - first;
                }
            }
            if !weights.is_empty() {
                terms.fill(0.0);
            }
            let (mut here, mut dead_here) = (0.0, 0.0);
            for (i, (x, dies)) in x.chunks_exact(p).zip(place.dies(block * BLOCK)).enumerate() {
                let weight = weights.get(i).copied().unwrap_or(1.0);
                here += weight;
                if !weights.is_empty() {
                    let columns = terms.iter_mut().zip(x).zip(&first);
                    columns.for_each(|((term, x), first)| *term += weight * (x - first));
                }
                let weight = if dies { weight } else { 0.0 };
                dead_here += weight;
                let columns = at_deaths.iter_mut().zip(x).zip(&first);
                columns.for_each(|((term, x), first)| *term += weight * (x - first));
            }
            total.add(here);
            dead.add(dead_here);
            for terms in terms.chunks_exact_mut(p) {
                sums.iter_mut().zip(terms).for_each(|(sum, term)| sum.add(std::mem::take(term)));
            }
            death_sums.iter_mut().zip(&mut at_deaths).for_each(|(sum, term)| sum.add(std::mem::take(term)));
        }
        let fold = |extremes: &[f64], of: fn(f64, f64) -> f64| -> Vec<f64> {
            (0..p).map(|i| extremes.iter().skip(i).step_by(p).copied().reduce(of).unwrap_or(0.0)).collect()
        };
        let (lowest, highest) = (fold(&lowest, f64::min), fold(&highest, f64::max));
        let above: Vec<f64> = sums.iter().map(|sum| sum.total() / total.total()).collect();
        let means: Vec<f64> = above.iter().zip(&first).map(|(above, first)| first + above).collect();
        let varies = || lowest.iter().zip(&highest).map(|(low, high)| low != high);
        let sampled = if design.len() < ROWS_FOR_SAMPLE { 1 } else { SAMPLE };
        let mut deviations = mean_deviations(design, &means, sampled, interrupt)?;
        if varies().zip(&deviations).any(|(varies, deviation)| varies && *deviation == 0.0) {
            deviations = mean_deviations(design, &means, 1, interrupt)?;
        }
        let scales = scales(&means, &deviations)?;
        let reach = means.iter().zip(&scales).zip(lowest.iter().zip(&highest));
        let largest = reach.map(|((mean, scale), (low, high))| f64::max(high - mean, mean - low) * scale).collect();
        // Relative to the rounded mean, as the rows will be.
        let centre = death_sums.iter().zip(means.iter().zip(&first)).zip(&scales);
        let death_sum =
            centre.map(|((sum, (mean, first)), scale)| (sum.total() - dead.total() * (mean - first)) * scale).collect();
        Ok(Columns { means, scales, largest, death_sum })
    }
}

/// Mean absolute deviations over one in `stride` blocks of the rows.
fn mean_deviations(design: &Design, means: &[f64], stride: usize, interrupt: Interrupt) -> Result<Vec<f64>> {
    let p = means.len();
    let (mut sums, mut total) = (vec![Sum::default(); p], Sum::default());
    let mut terms = vec![0.0; p];
    for (i, x) in design.x().chunks(BLOCK * p).enumerate().step_by(stride) {
        if i % (ROWS_PER_INTERRUPT / BLOCK) == 0 {
            interrupt()?;
        }
        let mut weights = 0.0;
        for (at, row) in x.chunks_exact(p).enumerate() {
            let weight = design.weights().get(i * BLOCK + at).copied().unwrap_or(1.0);
            weights += weight;
            for ((term, value), mean) in terms.iter_mut().zip(row).zip(means) {
                *term += weight * (value - mean).abs();
            }
        }
        total.add(weights);
        sums.iter_mut().zip(&mut terms).for_each(|(sum, term)| sum.add(std::mem::take(term)));
    }
    Ok(sums.iter().map(|sum| sum.total() / total.total()).collect())
}
