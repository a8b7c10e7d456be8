//! What an account that is there today will pay per month, month by month: its contracted run-rate times the probability
//! that it is still there.
//!
//! A line is there in month k when it has begun and is not known to have ended by then, and the account has stayed: S(k)
//! of [`Outlook`] at the account's age, so a line with a committed term is certain until its renewal date and hangs on
//! whole terms from there on; one without a term may end at any time. All lines of an account hang on the one lifetime of
//! the account: of two, the one that is read at the later date is there only if the other is, so the covariance of their
//! outcomes is a b (min(S_a, S_b) − S_a S_b).

use crate::Result;
use crate::survival::CurveView;
use crate::value::contract::SAME_DATE;
use crate::value::exposure::{Exposure, exposure};
use crate::value::outlook::{Outlook, Point, TailRule};
use crate::value::terms::Terms;

/// The term of a line of which only the end is known, in months.
const USUAL_TERM: f64 = 12.0;

/// One priced line. Months are counted from now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PricedLine {
    /// Per month.
    pub amount: f64,
    /// When it begins; at or before 0 it has begun.
    pub begins: f64,
    /// When it is known to end.
    pub ends: Option<f64>,
    /// When its committed term ends: in the past for one that has been renewed since, for a term as long as the last.
    /// `None` for one that may end at any time.
    pub renewal: Option<f64>,
    /// How long the terms after that are; a year when it is not known.
    pub term: Option<f64>,
}

/// An account as it stands now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Account<'a> {
    /// Its age in months.
    pub given: f64,
    pub lines: &'a [PricedLine],
    /// Effective annual growth of what those who stay pay.
    pub expansion: f64,
}

/// The expected run-rate of one month.
#[derive(Debug, Clone, PartialEq)]
pub struct Month {
    pub mean: f64,
    /// The part within committed terms, or until a known end if that is before: nobody can leave it yet. Now it is all.
    pub certain: f64,
    /// What is expected to have ended since the month before.
    pub lost: f64,
    pub outcome_variance: f64,
    pub exposure: Option<Exposure>,
}

/// The months 0 (now), 1, …, `months`; `None` when the curve has nobody of that age.
///
/// # Errors
/// As [`Terms::validate`].
pub fn run_rate<'a>(curve: impl Into<CurveView<'a>>, account: &Account, months: u32) -> Result<Option<Vec<Month>>> {
    let curve = curve.into();
    let mut seen = Vec::with_capacity(account.lines.len());
    for line in account.lines {
        let every = line.renewal.map(|_| line.term.unwrap_or(USUAL_TERM));
        let mut terms = Terms {
            given: account.given,
            term_months: every,
            tail: TailRule::ConstantHazard,
            expansion: account.expansion,
            horizon: months.max(1),
            ..Terms::new(line.amount)
        };
        terms.validate()?;
        // A line whose term is over has been renewed; one that is still to begin may be further from its renewal than a
        // term is long.
        terms.months_to_renewal = line.renewal.zip(every).map(|(first, every)| match first {
            first if first > SAME_DATE => first,
            passed => every - (-passed).max(0.0) % every,
        });
        let Some(outlook) = Outlook::new(curve, &terms) else { return Ok(None) };
        seen.push((line, terms, outlook));
    }
    let mut rows = Vec::with_capacity(months as usize + 1);
    let mut before: Vec<(f64, f64)> = Vec::new();
    for month in 0..=months {
        let t = f64::from(month);
        let mut parts: Vec<Option<(f64, Point)>> = Vec::with_capacity(seen.len());
        for (line, terms, outlook) in &seen {
            let there = line.begins <= t && line.ends.is_none_or(|ends| ends > t);
            let amount = if there { line.amount * terms.expected_growth(t) } else { 0.0 };
            parts.push(outlook.at(t).map(|point| (amount, point)));
        }
        let now: Vec<(f64, f64)> = parts.iter().map(|part| part.map_or((0.0, 0.0), |(a, p)| (a, p.survival))).collect();
        let mean = now.iter().map(|(amount, survival)| amount * survival).sum();
        let committed = |part: &&Option<(f64, Point)>| part.is_some_and(|(_, point)| point.elapsed == 0.0);
        let certain = parts.iter().filter(committed).flatten().map(|(amount, _)| amount).sum();
        let lost = before
            .iter()
            .zip(&now)
            .zip(&seen)
            .map(|(((amount, then), (_, survival)), (line, ..))| {
                let ended = line.ends.is_some_and(|ends| ends <= t);
                amount * if ended { *then } else { then - survival }
            })
            .sum();
        let mut outcome_variance = 0.0;
        for (a, first) in &now {
            for (b, second) in &now {
                outcome_variance += a * b * (first.min(*second) - first * second);
            }
        }
        rows.push(Month { mean, certain, lost, outcome_variance, exposure: sum_of_exposures(curve, &seen, &parts) });
        before = now;
    }
    Ok(Some(rows))
}

fn sum_of_exposures(
    curve: CurveView,
    seen: &[(&PricedLine, Terms, Outlook)],
    parts: &[Option<(f64, Point)>],
) -> Option<Exposure> {
    let mut total = Exposure::Certain;
    for ((_, terms, outlook), part) in seen.iter().zip(parts) {
        let Some((amount, point)) = part else { continue };
        let own = exposure(curve, terms, outlook, &[(amount * point.survival, *point)])?;
        total = match (total, own) {
            (Exposure::Certain, other) | (other, Exposure::Certain) => other,
            (Exposure::Steps { own, shared }, Exposure::Steps { own: more, shared: others }) => {
                Exposure::Steps { own: add(own, &more), shared: add(shared, &others) }
            }
            (Exposure::Parameters(gradient), Exposure::Parameters(more)) => Exposure::Parameters(add(gradient, &more)),
            _ => return None,
        };
    }
    Some(total)
}

fn add(mut sums: Vec<f64>, more: &[f64]) -> Vec<f64> {
    sums.iter_mut().zip(more).for_each(|(sum, value)| *sum += value);
    sums
}
