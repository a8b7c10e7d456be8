//! The origin and the unit in which a regression sees its covariates.

use crate::hazard::design::Design;
use crate::hazard::risk_sets::ROWS_PER_INTERRUPT;
use crate::numeric::sum::Sum;
use crate::{Error, Interrupt, Result};

/// How a covariate is brought where it can be computed with.
const RESCALE: &str = "Give it in another unit: divide it, in a view, by a number of its own size.";

/// The covariate (from 0) varies, and its squares are 0 or infinite to a computer.
pub(crate) fn out_of_range(covariate: usize) -> Error {
    Error::invalid(
        format!(
            "the scale of covariate {} is out of range: its values are too small or too large to be computed with",
            covariate + 1
        ),
        RESCALE,
    )
}

/// What is estimated of some covariate is 0 or infinite to a computer; `what` has the units: "the covariates".
pub(crate) fn units_differ(what: &str) -> Error {
    Error::invalid(format!("the units of {what} differ so much that the model's numbers overflow"), RESCALE)
}

/// The weighted mean of each covariate, and the power of two nearest to the inverse of its mean absolute deviation.
pub(crate) fn centre_and_scale(design: &Design, interrupt: Interrupt) -> Result<(Vec<f64>, Vec<f64>)> {
    let covariates = design.covariates();
    let total = match design.weights() {
        [] => design.len() as f64,
        weights => weights.iter().copied().collect::<Sum>().total(),
    };
    let first = &design.x()[..covariates];
    let mut varies = vec![false; covariates];
    let means = weighted_means(design, total, interrupt, |terms, weight, x| {
        for (((term, value), first), varies) in terms.iter_mut().zip(x).zip(first).zip(&mut varies) {
            *term += weight * value;
            *varies |= value != first;
        }
    })?;
    // The mean of a constant is that constant, not something one rounding away from it.
    let exact = |((mean, varies), first): ((f64, &bool), &f64)| if *varies { mean } else { *first };
    let means: Vec<f64> = means.into_iter().zip(&varies).zip(first).map(exact).collect();
    let deviations = weighted_means(design, total, interrupt, |terms, weight, x| {
        for ((term, value), mean) in terms.iter_mut().zip(x).zip(&means) {
            *term += weight * (value - mean).abs();
        }
    })?;
    let scales = scales(&means, &deviations)?;
    Ok((means, scales))
}

/// The power of two nearest to the inverse of each deviation.
pub(super) fn scales(means: &[f64], deviations: &[f64]) -> Result<Vec<f64>> {
    if let Some(at) = means.iter().zip(deviations).position(|(mean, deviation)| !(mean + deviation).is_finite()) {
        return Err(out_of_range(at));
    }
    let scale = |deviation: &f64| match *deviation {
        0.0 => 0.0,
        deviation => (-deviation.log2().round()).clamp(-1000.0, 1000.0).exp2(),
    };
    Ok(deviations.iter().map(scale).collect())
}

/// Means over rows of what `add` adds to a block's terms; blocks are summed with their rounding errors.
fn weighted_means(
    design: &Design,
    total: f64,
    interrupt: Interrupt,
    mut add: impl FnMut(&mut [f64], f64, &[f64]),
) -> Result<Vec<f64>> {
    const BLOCK: usize = 1024;
    let covariates = design.covariates();
    let mut sums = vec![Sum::default(); covariates];
    let mut terms = vec![0.0; covariates];
    for (block, x) in design.x().chunks(BLOCK * covariates).enumerate() {
        if block % (ROWS_PER_INTERRUPT / BLOCK) == 0 {
            interrupt()?;
        }
        terms.fill(0.0);
        for (i, row) in x.chunks_exact(covariates).enumerate() {
            let weight = design.weights().get(block * BLOCK + i).copied().unwrap_or(1.0);
            add(&mut terms, weight, row);
        }
        sums.iter_mut().zip(&terms).for_each(|(sum, term)| sum.add(*term));
    }
    Ok(sums.iter().map(|sum| sum.total() / total).collect())
}
