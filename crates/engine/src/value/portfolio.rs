//! Many accounts together: what they are worth, or what they will pay month by month, and how sure the sum is.
//!
//! Two things are uncertain, and they add up differently. Which account stays is a matter of each: the variances of the
//! outcomes add up. Where the curve lies is one matter for all accounts that are valued by it: their moves by each
//! source of its error add up first and are squared then (see [`exposure`](crate::value::exposure)). So the outcome's share
//! of the total falls with the number of accounts, the curve's does not.
//!
//! Curves and models are told apart by a fingerprint of their bytes: those of different fingerprints count as
//! independent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::errors::Errors;
use crate::numeric::sum::Sum;
use crate::numeric::tally::Budget;
use crate::{Error, Result};

/// What one account brings to one line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Share {
    /// What is expected.
    pub mean: f64,
    /// Of a value: undiscounted. Of a month: the part that does not depend on who stays.
    pub beside: f64,
    /// Of a month: what is expected to end since the month before.
    pub lost: f64,
    /// Variance of the outcome when the curve is true.
    pub outcome_variance: f64,
    /// `None` when the errors of the curve are unknown.
    pub errors: Option<Errors>,
}

/// Sums over accounts: the value, or one month.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Line {
    pub mean: Sum,
    pub beside: Sum,
    pub lost: Sum,
    pub outcome_variance: Sum,
    /// Moves by independent sources of error, by the curve or model and what of it has these sources.
    pub errors: BTreeMap<Source, Vec<f64>>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Source {
    /// Fingerprint of the curve or model, in hexadecimal digits.
    pub of: String,
    pub part: String,
}

/// What the lines of a portfolio are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One line: lifetime values.
    #[default]
    Value,
    /// A line for now and for each month from now.
    RunRate,
}

/// The currency of a portfolio: a code, or none was named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    pub currency: Option<String>,
    pub digits: u32,
}

/// The accounts of a portfolio, added up (`ltv.portfolio`).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Portfolio {
    pub kind: Kind,
    /// `None` before the first account with a value.
    pub unit: Option<Unit>,
    pub(super) lines: Vec<Line>,
    /// All accounts.
    pub accounts: u64,
    /// Those without a value: no curve, no terms, nobody of that age.
    pub unvalued: u64,
    /// Those with a value whose curve's errors are unknown.
    pub unsure: u64,
}

/// A sum and how sure it is, in major units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Total {
    pub mean: f64,
    pub beside: f64,
    pub lost: f64,
    /// By the errors of curves and models; `None` when those of some account are unknown.
    pub parameter_std_error: Option<f64>,
    /// By who stays, when the curves are true.
    pub outcome_std_dev: f64,
}

impl Total {
    /// Of the realised sum: both together.
    pub fn std_dev(&self) -> Option<f64> {
        self.parameter_std_error.map(|error| error.hypot(self.outcome_std_dev))
    }
}

impl Portfolio {
    /// Adds an account that has no value.
    pub fn add_unvalued(&mut self) {
        self.accounts += 1;
        self.unvalued += 1;
    }

    /// Adds an account by its share in each line. `of` is the fingerprint of its curve or model.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a second currency, another kind or number of lines; [`Error::OutOfRange`] when a share is not
    /// finite; [`Error::Memory`] beyond the budget.
    pub fn add(&mut self, kind: Kind, unit: &Unit, of: &str, shares: Vec<Share>, budget: Budget) -> Result<()> {
        self.agree(kind, unit, shares.len())?;
        let finite = |share: &Share| {
            [share.mean, share.beside, share.lost, share.outcome_variance].iter().all(|value| value.is_finite())
        };
        if !shares.iter().all(finite) {
            return Err(Error::OutOfRange("the value of an account is out of the range of money".into()));
        }
        self.accounts += 1;
        self.unsure += u64::from(shares.iter().any(|share| share.errors.is_none()));
        let mut grown = false;
        for (line, share) in self.lines.iter_mut().zip(shares) {
            line.mean.add(share.mean);
            line.beside.add(share.beside);
            line.lost.add(share.lost);
            line.outcome_variance.add(share.outcome_variance);
            for (part, moves) in share.errors.unwrap_or_default() {
                let source = Source { of: of.to_owned(), part };
                grown |= !line.errors.contains_key(&source);
                add_moves(line.errors.entry(source).or_default(), &moves);
            }
        }
        if grown { self.within(budget) } else { Ok(()) }
    }

    /// Adds another portfolio.
    ///
    /// # Errors
    /// As [`Portfolio::add`].
    pub fn merge(&mut self, other: &Portfolio, budget: Budget) -> Result<()> {
        if let Some(unit) = &other.unit {
            self.agree(other.kind, unit, other.lines.len())?;
        }
        self.accounts += other.accounts;
        self.unvalued += other.unvalued;
        self.unsure += other.unsure;
        for (line, other) in self.lines.iter_mut().zip(&other.lines) {
            line.mean.add_sum(other.mean);
            line.beside.add_sum(other.beside);
            line.lost.add_sum(other.lost);
            line.outcome_variance.add_sum(other.outcome_variance);
            for (source, moves) in &other.errors {
                add_moves(line.errors.entry(source.clone()).or_default(), moves);
            }
        }
        self.within(budget)
    }

    fn agree(&mut self, kind: Kind, unit: &Unit, lines: usize) -> Result<()> {
        let Some(own) = &self.unit else {
            self.unit = Some(unit.clone());
            self.kind = kind;
            self.lines.resize_with(lines, Line::default);
            return Ok(());
        };
        if own.currency != unit.currency {
            let name = |unit: &Unit| unit.currency.clone().unwrap_or_else(|| "no currency".into());
            return Err(Error::invalid(
                format!("a portfolio in {} cannot take in an account in {}", name(own), name(unit)),
                "Group by currency, or convert the amounts first.",
            ));
        }
        if self.kind != kind || self.lines.len() != lines {
            return Err(Error::invalid(
                format!("a portfolio of {} lines cannot take in one of {lines}", self.lines.len()),
                "Values and run-rates over the same number of months do not mix with others: keep them in portfolios of their own.",
            ));
        }
        Ok(())
    }

    fn within(&self, budget: Budget) -> Result<()> {
        budget.check(self.memory_bytes(), "the portfolio")
    }

    pub fn memory_bytes(&self) -> usize {
        let numbers: usize = self.lines.iter().flat_map(|line| line.errors.values()).map(Vec::len).sum();
        8 * numbers
    }

    /// One for each line: of values there is one, of run-rates one for now and one for each month.
    pub fn totals(&self) -> Vec<Total> {
        let total = |line: &Line| Total {
            mean: line.mean.total(),
            beside: line.beside.total(),
            lost: line.lost.total(),
            parameter_std_error: (self.unsure == 0).then(|| length(line.errors.values().flatten().copied())),
            outcome_std_dev: line.outcome_variance.total().max(0.0).sqrt(),
        };
        self.lines.iter().map(total).collect()
    }

    /// The first line less that of `base`, with the standard error that is left when both are off by the same errors.
    ///
    /// # Errors
    /// [`Error::Invalid`] for two currencies or kinds.
    pub fn change_from(&self, base: &Portfolio) -> Result<Option<(f64, Option<f64>)>> {
        let (Some(unit), Some(line), Some(from)) = (&self.unit, self.lines.first(), base.lines.first()) else {
            return Ok(None);
        };
        base.clone().agree(self.kind, unit, self.lines.len())?;
        let mut moved = line.errors.clone();
        for (source, moves) in &from.errors {
            let negative: Vec<f64> = moves.iter().map(|value| -value).collect();
            add_moves(moved.entry(source.clone()).or_default(), &negative);
        }
        let known = self.unsure == 0 && base.unsure == 0;
        let mut change = line.mean;
        change.take_sum(from.mean);
        Ok(Some((change.total(), known.then(|| length(moved.values().flatten().copied())))))
    }
}

fn add_moves(sums: &mut Vec<f64>, moves: &[f64]) {
    if sums.len() < moves.len() {
        sums.resize(moves.len(), 0.0);
    }
    sums.iter_mut().zip(moves).for_each(|(sum, value)| *sum += value);
}

/// √Σ x², without overflow on the way.
fn length(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = values.clone().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    if largest == 0.0 {
        0.0
    } else {
        largest * values.map(|value| (value / largest).powi(2)).collect::<Sum>().total().sqrt()
    }
}
