//! The stored forms of a portfolio: one record, as bytes (postcard behind a version byte) and, in the face, as JSON.

use serde::{Deserialize, Serialize};

use crate::numeric::sum::Sum;
use crate::value::money::MAX_DIGITS;
use crate::value::portfolio::{Kind, Line, Portfolio, Source, Unit};
use crate::{Error, Result};

const VERSION: u8 = 1;
/// As many lines as run-rates may have: a century of months, and now.
const MAX_LINES: usize = 1201;
/// No sum of money is larger.
const LARGEST: f64 = 1e40;

/// A portfolio as a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    kind: Kind,
    unit: Option<Unit>,
    accounts: u64,
    unvalued: u64,
    unsure: u64,
    lines: Vec<LineRecord>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LineRecord {
    mean: f64,
    beside: f64,
    lost: f64,
    outcome_variance: f64,
    errors: Vec<ErrorRecord>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ErrorRecord {
    source: Source,
    moves: Vec<f64>,
}

impl Portfolio {
    pub fn record(&self) -> Record {
        let line = |line: &Line| LineRecord {
            mean: line.mean.total(),
            beside: line.beside.total(),
            lost: line.lost.total(),
            outcome_variance: line.outcome_variance.total(),
            errors: line
                .errors
                .iter()
                .map(|(source, moves)| ErrorRecord { source: source.clone(), moves: moves.clone() })
                .collect(),
        };
        Record {
            kind: self.kind,
            unit: self.unit.clone(),
            accounts: self.accounts,
            unvalued: self.unvalued,
            unsure: self.unsure,
            lines: self.lines.iter().map(line).collect(),
        }
    }

    /// # Errors
    /// [`Error::Malformed`] for a record that no portfolio has.
    pub fn of_record(record: Record) -> Result<Portfolio> {
        let broken = |what: &str| Err(Error::malformed(format!("this is no portfolio: {what}")));
        let valued = record.accounts.checked_sub(record.unvalued);
        if !valued.is_some_and(|valued| record.unsure <= valued && (valued > 0) == record.unit.is_some()) {
            return broken("its numbers of accounts contradict each other");
        }
        let lines = match (record.kind, &record.unit) {
            (_, None) => 0..=0,
            (Kind::Value, _) => 1..=1,
            (Kind::RunRate, _) => 1..=MAX_LINES,
        };
        if !lines.contains(&record.lines.len()) {
            return broken("it has another number of lines");
        }
        if record.unit.as_ref().is_some_and(|unit| unit.digits > MAX_DIGITS) {
            return broken("no currency has so many decimals");
        }
        let mut portfolio = Portfolio {
            kind: record.kind,
            unit: record.unit,
            lines: Vec::new(),
            accounts: record.accounts,
            unvalued: record.unvalued,
            unsure: record.unsure,
        };
        for line in record.lines {
            let sums = [line.mean, line.beside, line.lost];
            let moves = || line.errors.iter().flat_map(|error| &error.moves);
            if !sums.iter().chain(moves()).all(|value| value.abs() <= LARGEST)
                || !(0.0..=LARGEST * LARGEST).contains(&line.outcome_variance)
            {
                return broken("an amount is out of range");
            }
            if !line.errors.windows(2).all(|pair| pair[0].source < pair[1].source) {
                return broken("its sources of error are not in order");
            }
            let sum = |value: f64| [value].into_iter().collect::<Sum>();
            portfolio.lines.push(Line {
                mean: sum(line.mean),
                beside: sum(line.beside),
                lost: sum(line.lost),
                outcome_variance: sum(line.outcome_variance),
                errors: line.errors.into_iter().map(|error| (error.source, error.moves)).collect(),
            });
        }
        Ok(portfolio)
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        // A record of numbers and text can always be written.
        bytes.extend(postcard::to_stdvec(&self.record()).unwrap_or_default());
        bytes
    }

    /// # Errors
    /// [`Error::Malformed`] for anything that [`Portfolio::encode`] could not have written.
    pub fn decode(bytes: &[u8]) -> Result<Portfolio> {
        let (version, payload) =
            bytes.split_first().ok_or_else(|| Error::malformed("a stored portfolio ends too early"))?;
        if *version != VERSION {
            return Err(Error::malformed(format!(
                "format version {version} of ltv.portfolio is not known to this release"
            )));
        }
        let unreadable = |e| Error::malformed(format!("a stored portfolio cannot be read: {e}"));
        let (record, rest) = postcard::take_from_bytes::<Record>(payload).map_err(unreadable)?;
        if !rest.is_empty() {
            return Err(Error::malformed("bytes follow the end of a stored portfolio"));
        }
        Portfolio::of_record(record)
    }
}
