//! An amount by trees: its mean, or the logarithm of its mean, is a sum of them.
//!
//! Friedman (2001), *Greedy function approximation*, with the loss of a generalised linear model: half the deviance of
//! the normal, the gamma or a Tweedie law, the latter two with the logarithm as the link (Yang, Qian & Zou 2018,
//! *Insurance premium prediction via gradient tree-boosted Tweedie compound Poisson models*, JBES 36). At the end the
//! level is moved so that what is expected of all rows adds up to what they had: trees alone do not see to that (the
//! balance property of Wüthrich 2020, *Bias regularization in neural network models for general insurance pricing*).

use serde::{Deserialize, Serialize};

use crate::amount::{Expectation, Family};
use crate::boost::bins::Bins;
use crate::boost::deviance::{Deviance, WIDEST};
use crate::boost::options::Options;
use crate::boost::order::{chosen, mixed, ordered};
pub use crate::boost::rounds::End;
use crate::boost::rounds::{Rows, boost};
use crate::boost::trees::Trees;
use crate::hazard::design::Design;
use crate::hazard::timeline::reserve;
use crate::numeric::sum::Sum;
use crate::{Error, Interrupt, Result};

pub use crate::boost::hazard::memory_bytes;

/// Fewer rows with an amount say nothing of when to stop.
const ROWS_TO_STOP_BY: usize = 10;
/// Salt of what is left to chance.
const KEPT: u64 = 2;

/// A fitted model. Vectors run over all p covariates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BoostedValueFit {
    pub options: Options,
    /// Whose deviance is the loss; with it the link.
    pub family: Family,
    /// Rows fitted.
    pub rows: usize,
    /// Of these, kept to find the number of trees by; the trees are then grown again from all rows.
    pub kept: usize,
    /// Rows with an amount greater than 0.
    pub positive: usize,
    /// Sum of the weights.
    pub weight: f64,
    /// The linear predictor, on the scale of the link, of a row whose trees add up to 0.
    pub level: f64,
    /// What one unit of the trees is worth: the amounts' standard deviation, or 1 with the logarithm.
    pub scale: f64,
    pub trees: Trees,
    /// What the splits on each covariate lowered half the deviance by, in the units of the trees, as these were grown.
    pub gains: Vec<f64>,
    /// The deviance per row kept: before the first tree, and after each grown.
    pub losses: Vec<f64>,
    /// Of all rows, when all are expected to have the mean.
    pub null_deviance: f64,
    pub deviance: f64,
    pub end: End,
}

/// Amounts in the units of the trees, in the one order of the rows.
struct Amounts {
    /// (y − offset − centre) / unit, or y / unit with the logarithm.
    values: Vec<f64>,
    centre: f64,
    unit: f64,
    weight: f64,
}

/// Fits trees to the amounts of a design; a covariate that is NaN is missing.
///
/// Weights count as repetitions. Offsets are part of the linear predictor: with the logarithm that of an exposure. How
/// many trees there are to be is found with some rows kept to stop by; they are then grown again from all rows. Amounts
/// are taken in units of their mean (with the identity link: less their mean, in standard deviations), so that the
/// second derivatives that a leaf must have are about its rows.
///
/// # Errors
/// [`Error::Invalid`] for options out of bounds, a design without rows or covariates or of times, an amount that the
/// family cannot have, offsets of logarithms more than 60 apart; [`Error::OutOfRange`] beyond the numbers or memory
/// there are; whatever `interrupt` returns.
pub fn fit(design: &Design, family: Family, options: &Options, interrupt: Interrupt) -> Result<BoostedValueFit> {
    check(design, family, options)?;
    let (n, p) = (design.len(), design.covariates());
    let offset = |row: u32| design.offsets().get(row as usize).copied().unwrap_or(0.0);
    let mut keys = Vec::new();
    reserve(&mut keys, n)?;
    for row in 0..n as u32 {
        let weight = design.weights().get(row as usize).copied().unwrap_or(1.0);
        let by = mixed(&[weight.to_bits(), offset(row).to_bits()]);
        keys.push(((rising(design.amounts()[row as usize]), by), row));
    }
    interrupt()?;
    let order = ordered(keys, design.x(), p);
    interrupt()?;
    let bins = Bins::new(design.x(), p, &order, interrupt)?;
    let column = |values: &[f64]| -> Result<Vec<f64>> {
        let mut column = Vec::new();
        if !values.is_empty() {
            reserve(&mut column, n)?;
            column.extend(order.iter().map(|row| values[*row as usize]));
        }
        Ok(column)
    };
    let (weights, offsets) = (column(design.weights())?, column(design.offsets())?);
    let amounts = in_units(column(design.amounts())?, &offsets, &weights, family)?;
    drop(order);
    let mut start = Vec::new();
    reserve(&mut start, n)?;
    match family.has_log_link() && !offsets.is_empty() {
        true => start.extend_from_slice(&offsets),
        false => start.resize(n, 0.0),
    }
    let positive = design.amounts().iter().filter(|amount| **amount > 0.0).count();
    let mut fit = BoostedValueFit {
        options: options.clone(),
        family,
        rows: n,
        kept: 0,
        positive,
        weight: amounts.weight,
        level: if family.has_log_link() { 0.0 } else { amounts.centre },
        scale: if family.has_log_link() { 1.0 } else { amounts.unit },
        trees: Trees::default(),
        gains: vec![0.0; p],
        losses: Vec::new(),
        null_deviance: 0.0,
        deviance: 0.0,
        end: End::NoEvents,
    };
    if family.has_log_link() && positive == 0 {
        return Ok(fit);
    }
    let says_something = |row: u32| !family.has_log_link() || amounts.values[row as usize] > 0.0;
    let rows = kept_and_others(n, says_something, options);
    fit.kept = rows.kept.len();
    let all = Rows { grown_from: (0..n as u32).collect(), kept: Vec::new() };
    let whole = Deviance { family, amounts: &amounts.values, weights: &weights, rows: &all };
    let again = if rows.kept.is_empty() { Vec::new() } else { start.clone() };
    let [null_deviance, _] = whole.of(&all.grown_from, &start, 0.0, interrupt)?;
    let grow = |rows: &Rows, start, options: &Options, interrupt: Interrupt| {
        let mut loss = Deviance { family, amounts: &amounts.values, weights: &weights, rows };
        boost(&bins, &weights, rows, start, options, &mut loss, interrupt).map_err(|error| match error {
            // Trees of numbers that are none.
            Error::Malformed(_) => too_large(),
            other => other,
        })
    };
    let mut boosted = grow(&rows, start, options, interrupt)?;
    if !boosted.trees.is_empty() && !rows.kept.is_empty() && boosted.end != End::Separated {
        // The rows that were kept have told how many trees there are to be; now they help to grow them.
        let (losses, end) = (boosted.losses, boosted.end);
        let options = Options { trees: boosted.trees.len(), early_stopping: 0, ..options.clone() };
        boosted = grow(&all, again, &options, interrupt)?;
        boosted.losses = losses;
        if boosted.end == End::Complete {
            boosted.end = end;
        }
    }
    let balance = balance(family, &amounts.values, &weights, &boosted.scores);
    let [deviance, _] = whole.of(&all.grown_from, &boosted.scores, balance, interrupt)?;
    fit.level = match family.has_log_link() {
        true => amounts.unit.ln() + balance,
        false => amounts.centre + amounts.unit * balance,
    };
    // What a deviance in the units of the trees is in those of the amounts.
    let unit = amounts.unit.powf(2.0 - family.power());
    (fit.null_deviance, fit.deviance) = (unit * null_deviance, unit * deviance);
    (fit.trees, fit.gains, fit.end) = (boosted.trees, boosted.gains, boosted.end);
    fit.losses = boosted.losses.into_iter().map(|loss| unit * loss).collect();
    fit.validate().map_err(|_| too_large())?;
    Ok(fit)
}

/// Bits that rise with the number.
fn rising(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

fn too_large() -> Error {
    Error::OutOfRange("the amounts or weights are too large, or too far apart, for a boosted model".into())
}

fn check(design: &Design, family: Family, options: &Options) -> Result<()> {
    let invalid = |what: &str, hint: &str| Err(Error::invalid(what, hint));
    if design.is_empty() {
        return invalid(
            "a boosted model needs at least one row",
            "Check the filter, and whether every row has a NULL among its features.",
        );
    }
    if design.amounts().is_empty() {
        return invalid(
            "these are rows of times, not of amounts",
            "Gather the rows with amount_design_agg; of times there is fit_boosted_hazard.",
        );
    }
    if design.covariates() == 0 {
        return invalid("a boosted model needs at least one covariate", "Name at least one feature.");
    }
    options.check(design.covariates())?;
    if let Family::Tweedie { power } = family
        && !(power > 1.0 && power < 2.0)
    {
        return Err(Error::invalid(
            format!("the power of a Tweedie deviance must be greater than 1 and less than 2, got {power}"),
            "The variance is proportional to the mean to this power; fit_tweedie estimates it, and 2 is loss => 'gamma'.",
        ));
    }
    let refused = |amount: &f64| match family {
        Family::Linear => false,
        Family::Gamma => *amount <= 0.0,
        Family::Tweedie { .. } => *amount < 0.0,
    };
    if let Some(amount) = design.amounts().iter().find(|amount| refused(amount)) {
        let (what, hint) = match family {
            Family::Gamma => (
                "a gamma deviance needs amounts greater than 0",
                "For amounts that are sometimes 0 take loss => 'tweedie', for negative ones loss => 'squared'.",
            ),
            _ => ("a Tweedie deviance needs amounts of at least 0", "For negative amounts take loss => 'squared'."),
        };
        return Err(Error::invalid(format!("{what}, got {amount}"), hint));
    }
    let (low, high) = design.offsets().iter().fold((0.0f64, 0.0f64), |(low, high), x| (low.min(*x), high.max(*x)));
    if family.has_log_link() && high - low > WIDEST {
        return invalid(
            &format!("the offsets are {} apart", high - low),
            "They are on the scale of the log of the amount: at most 60 apart.",
        );
    }
    Ok(())
}

fn in_units(mut values: Vec<f64>, offsets: &[f64], weights: &[f64], family: Family) -> Result<Amounts> {
    let weight = |row: usize| weights.get(row).copied().unwrap_or(1.0);
    let offset = |row: usize| offsets.get(row).copied().unwrap_or(0.0);
    let total = (0..values.len()).map(weight).collect::<Sum>().total();
    let mean =
        |of: &dyn Fn(usize) -> f64| (0..values.len()).map(|row| weight(row) * of(row)).collect::<Sum>().total() / total;
    // Sums are of numbers of at most 1.
    let size = (0..values.len()).map(|row| values[row].abs() + offset(row).abs()).fold(0.0, f64::max);
    let size = if size > 0.0 { size } else { 1.0 };
    let (centre, unit) = match family.has_log_link() {
        true => {
            let largest = values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
            // Nothing above 0 has no unit.
            let unit = largest * (mean(&|row| values[row] / largest) / mean(&|row| offset(row).exp()));
            (0.0, if unit > 0.0 { unit } else { 1.0 })
        }
        false => {
            let own = |row: usize| values[row] / size - offset(row) / size;
            let centre = mean(&own);
            let deviation = mean(&|row| (own(row) - centre) * (own(row) - centre)).sqrt();
            // What differs by rounding only does not differ.
            let unit = if deviation > 1e-14 * centre.abs() { deviation * size } else { 1.0 };
            (centre * size, unit)
        }
    };
    for (row, value) in values.iter_mut().enumerate() {
        let own = if family.has_log_link() { *value } else { *value - offset(row) - centre };
        *value = own / unit;
    }
    if !(total.is_finite() && unit.is_finite() && values.iter().all(|value| value.is_finite())) {
        return Err(too_large());
    }
    Ok(Amounts { values, centre, unit, weight: total })
}

/// What the scores lack for the expected amounts to add up to those there are.
fn balance(family: Family, amounts: &[f64], weights: &[f64], scores: &[f64]) -> f64 {
    let weight = |row: usize| weights.get(row).copied().unwrap_or(1.0);
    let sum = |of: &dyn Fn(usize) -> f64| (0..amounts.len()).map(|row| weight(row) * of(row)).collect::<Sum>().total();
    match family.has_log_link() {
        true => (sum(&|row| amounts[row]) / sum(&|row| scores[row].exp())).ln(),
        false => sum(&|row| amounts[row] - scores[row]) / sum(&|_| 1.0),
    }
}

/// Which rows are kept to stop by: none where they would say too little, or leave too few.
fn kept_and_others(rows: usize, says_something: impl Fn(u32) -> bool, options: &Options) -> Rows {
    let all: Vec<u32> = (0..rows as u32).collect();
    if !options.stops() {
        return Rows { grown_from: all, kept: Vec::new() };
    }
    let is_kept = |row: &u32| chosen(options.validation, &[KEPT, options.seed as u64, u64::from(*row)]);
    let (kept, grown_from): (Vec<u32>, Vec<u32>) = all.iter().copied().partition(is_kept);
    let enough = |rows: &[u32]| rows.iter().filter(|row| says_something(**row)).count() >= ROWS_TO_STOP_BY;
    match enough(&kept) && enough(&grown_from) {
        true => Rows { grown_from, kept },
        false => Rows { grown_from: all, kept: Vec::new() },
    }
}

impl BoostedValueFit {
    /// What the trees say of a row on the scale of the link. `x` holds its p covariates; NaN is missing.
    pub fn linear_predictor(&self, x: &[f64]) -> f64 {
        self.level + self.scale * self.trees.score(x)
    }

    /// The expected amount of a row without an offset; `None` when the fit has nothing to say or the amount overflows.
    /// Its uncertainty is not known.
    pub fn expectation(&self, x: &[f64]) -> Option<Expectation> {
        let value = self.family.mean(self.linear_predictor(x));
        let known = self.end != End::NoEvents && value.is_finite();
        known.then_some(Expectation {
            value,
            std_error: None,
            degrees_of_freedom: f64::INFINITY,
            lower: None,
            upper: None,
        })
    }

    /// Whether there were rows to stop by.
    pub fn could_stop(&self) -> bool {
        !self.losses.is_empty()
    }

    /// Checks a fit that came from outside.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the parts do not fit each other or a number is not finite.
    pub fn validate(&self) -> Result<()> {
        let numbers = [self.level, self.scale, self.weight, self.null_deviance, self.deviance];
        let log = self.family.has_log_link();
        let holds = !self.gains.is_empty()
            && self.family.validate().is_ok()
            && self.options.check(self.gains.len()).is_ok()
            && self.trees.covariates() <= self.gains.len()
            && self.trees.len() <= self.options.trees
            && self.positive <= self.rows
            && self.kept <= self.rows
            && self.losses.len() <= self.options.trees + 1
            && numbers.iter().chain(&self.gains).chain(&self.losses).all(|number| number.is_finite())
            && self.gains.iter().all(|gain| *gain >= 0.0)
            && self.weight > 0.0
            && self.scale > 0.0
            && (!log || self.scale == 1.0)
            && (self.end == End::NoEvents) == (log && self.positive == 0);
        if holds { Ok(()) } else { Err(Error::malformed("the parts of a boosted model contradict each other")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_rise_with_numbers() {
        let numbers = [f64::MIN, -1.0, -5e-324, 0.0, 5e-324, 1.0, f64::MAX];
        assert!(numbers.windows(2).all(|pair| rising(pair[0]) < rising(pair[1])));
        assert_eq!(rising(-0.0), rising(0.0));
    }
}
