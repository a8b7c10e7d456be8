//! A line of the plan.

use ltv_engine::{Error, Result};

use crate::pg::error::MORE_MEMORY;

/// What a row of the plan says of its item.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Ok,
    /// To be known.
    Note,
    /// `train` would warn, or should be thought about.
    Warning,
    /// `train` would end with an error.
    Refused,
}

impl Verdict {
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Note => "note",
            Verdict::Warning => "warning",
            Verdict::Refused => "refused",
        }
    }
}

pub struct Line {
    pub item: &'static str,
    pub column: Option<String>,
    pub detail: String,
    pub n: Option<i64>,
    pub value: Option<f64>,
    pub verdict: Verdict,
}

impl Line {
    pub fn new(item: &'static str, detail: impl Into<String>) -> Line {
        Line { item, column: None, detail: detail.into(), n: None, value: None, verdict: Verdict::Ok }
    }

    /// What `train` would end with, and the way to mend it; what is no fault of the request is an error here too.
    pub fn refusal(item: &'static str, error: Error) -> Result<Line> {
        let detail = match error {
            Error::Invalid { message, hint } => told(&message, &hint),
            Error::Memory { .. } => told(&error.to_string(), MORE_MEMORY),
            other => return Err(other),
        };
        Ok(Line::new(item, detail).is(Verdict::Refused))
    }

    /// What `train` would end with in place of what the line says; `None` leaves it as it is.
    pub fn unless(self, refusal: Option<Error>) -> Result<Line> {
        let Some(refusal) = refusal else { return Ok(self) };
        let refused = Line::refusal(self.item, refusal)?;
        Ok(Line { detail: refused.detail, verdict: refused.verdict, ..self })
    }

    /// A verdict beside the one that there is: the graver one counts.
    pub fn and_is(self, verdict: Verdict) -> Line {
        let graver = self.verdict.max(verdict);
        self.is(graver)
    }

    pub fn of(mut self, column: &str) -> Line {
        self.column = Some(column.to_owned());
        self
    }

    pub fn n(mut self, n: i64) -> Line {
        self.n = Some(n);
        self
    }

    pub fn value(mut self, value: Option<f64>) -> Line {
        self.value = value;
        self
    }

    pub fn is(mut self, verdict: Verdict) -> Line {
        self.verdict = verdict;
        self
    }
}

/// A message and its hint in one.
pub fn told(message: &str, hint: &str) -> String {
    if hint.is_empty() { message.to_owned() } else { format!("{message}. {hint}") }
}
