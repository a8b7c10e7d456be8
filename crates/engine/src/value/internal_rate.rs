//! Internal rates of return: all rates at which given flows are worth nothing.
//!
//! With δ = ln(1 + rate) the present value is Σ a_k e^{−δ t_k}. For δ > 0 times are counted from the first flow, for δ < 0
//! back from the last, so that every exponential is at most 1 and the anchor's is 1. On such a half-line the positive and
//! the negative flows are each a falling function of δ: their values at the ends of an interval bound the present value and
//! its slope within it. An interval is dropped when the bounds exclude zero, searched when they make the slope keep its
//! sign, and halved otherwise (branch and bound; Moore, Kearfott & Cloud 2009, *Introduction to Interval Analysis*,
//! chapter 8). So no rate is missed and none depends on a guess.

use super::decimal::Decimal;
use crate::{Interrupt, Result};

/// Rates are sought up to e^700 − 1 a year and down to e^−36 − 1, where 1 + rate is no longer told from 0.
const MOST: [f64; 2] = [700.0, 36.0];

/// Intervals of this width are not halved again: nearer roots are one, as where the curve only touches zero.
const NARROW: f64 = 1e-8;

/// Below this share of the flows' size a value is taken for zero where the curve only touches it.
const TOUCH: f64 = 1e-13;

/// The flows as one half-line sees them: time from the anchor, amount.
struct HalfLine {
    terms: Vec<(f64, f64)>,
    /// Whether the flows add up to exactly nothing, so that δ = 0 is a root already known.
    balanced: bool,
}

/// The positive and the negative part of the value and of its slope, as falling functions.
#[derive(Clone, Copy)]
struct Look {
    at: f64,
    inflow: f64,
    outflow: f64,
    inflow_moment: f64,
    outflow_moment: f64,
}

impl Look {
    fn value(self) -> f64 {
        self.inflow - self.outflow
    }

    /// The slope with its sign turned.
    fn fall(self) -> f64 {
        self.inflow_moment - self.outflow_moment
    }

    fn size(self) -> f64 {
        self.inflow + self.outflow
    }
}

impl HalfLine {
    fn look(&self, at: f64) -> Look {
        let mut look = Look { at, inflow: 0.0, outflow: 0.0, inflow_moment: 0.0, outflow_moment: 0.0 };
        for &(time, amount) in &self.terms {
            let part = amount * (-at * time).exp();
            if part > 0.0 {
                look.inflow += part;
                look.inflow_moment += part * time;
            } else {
                look.outflow -= part;
                look.outflow_moment -= part * time;
            }
        }
        if at == 0.0 && self.balanced {
            look.outflow = look.inflow;
        }
        look
    }

    /// From here on the anchor outweighs all others, so there is no root.
    fn end(&self, most: f64) -> f64 {
        let Some((&(_, anchor), others)) = self.terms.split_first() else { return 0.0 };
        let Some(&(nearest, _)) = others.first() else { return 0.0 };
        let outweighed =
            |at: f64| others.iter().map(|(time, amount)| amount.abs() * (-at * time).exp()).sum::<f64>() < anchor.abs();
        let mut end = (1.0 / nearest).min(1.0);
        while end < most && !outweighed(end) {
            end *= 2.0;
        }
        end.min(most)
    }

    fn roots(&self, most: f64, interrupt: Interrupt) -> Result<Vec<f64>> {
        let mut roots = Vec::new();
        let mut open = vec![(self.look(0.0), self.look(self.end(most)))];
        while let Some((low, high)) = open.pop() {
            interrupt()?;
            let value = [high.inflow - low.outflow, low.inflow - high.outflow];
            if value[0] > 0.0 || value[1] < 0.0 {
                continue;
            }
            let fall = [high.inflow_moment - low.outflow_moment, low.inflow_moment - high.outflow_moment];
            if fall[0] > 0.0 || fall[1] < 0.0 {
                roots.extend(self.only_root(low, high, interrupt)?);
                continue;
            }
            let middle = self.look(0.5 * (low.at + high.at));
            let half = 0.5 * (high.at - low.at);
            if middle.value().abs() > half * fall[0].abs().max(fall[1].abs()) {
                continue;
            }
            if half < NARROW * middle.at.max(1.0) {
                let touches = middle.value().abs() <= TOUCH * middle.size();
                if touches || low.value() * high.value() < 0.0 {
                    roots.push(middle.at);
                }
                continue;
            }
            open.push((middle, high));
            open.push((low, middle));
        }
        // One root that is touched may lie in several narrow neighbours.
        roots.sort_unstable_by(f64::total_cmp);
        roots.dedup_by(|next, kept| *next - *kept <= 16.0 * NARROW * kept.max(1.0));
        // The root at 0 is counted by the caller.
        roots.retain(|root| !self.balanced || *root > 16.0 * NARROW);
        Ok(roots)
    }

    /// The root of an interval on which the value only falls or only rises, by Newton's method kept within its bracket.
    fn only_root(&self, mut low: Look, mut high: Look, interrupt: Interrupt) -> Result<Option<f64>> {
        if high.value() == 0.0 {
            return Ok(Some(high.at));
        }
        if low.value() == 0.0 || low.value().signum() == high.value().signum() {
            return Ok(None);
        }
        let mut guess = 0.5 * (low.at + high.at);
        for _ in 0..200 {
            interrupt()?;
            let look = self.look(guess);
            if look.value() == 0.0 || high.at - low.at <= f64::EPSILON * high.at {
                return Ok(Some(guess));
            }
            if look.value().signum() == low.value().signum() {
                low = look
            } else {
                high = look
            }
            let step = guess + look.value() / look.fall();
            let next = if step > low.at && step < high.at { step } else { 0.5 * (low.at + high.at) };
            if next == guess {
                break;
            }
            guess = next;
        }
        Ok(Some(guess))
    }
}

/// All rates per unit of time at which the flows – time and amount, the times distinct and in order – have a present value
/// of zero, in rising order. None when no flow is against the others, or there is none that is not zero.
///
/// # Errors
/// [`crate::Error::Canceled`] by the callback; [`crate::Error::OutOfRange`] when the sum of the flows is too large.
pub fn internal_rates(flows: &[(f64, Decimal)], interrupt: Interrupt) -> Result<Vec<f64>> {
    let flows: Vec<(f64, Decimal)> = flows.iter().copied().filter(|(_, amount)| !amount.is_zero()).collect();
    let rising = |(_, amount): &(f64, Decimal)| *amount > Decimal::ZERO;
    let (Some(&(first, _)), Some(&(last, _))) = (flows.first(), flows.last()) else { return Ok(Vec::new()) };
    if flows.iter().all(rising) || !flows.iter().any(rising) {
        return Ok(Vec::new());
    }
    let balanced = flows.iter().try_fold(Decimal::ZERO, |sum, (_, amount)| sum.plus(*amount))?.is_zero();
    let largest = flows.iter().map(|(_, amount)| amount.to_f64().abs()).fold(0.0, f64::max);
    let scaled = |amount: Decimal| amount.to_f64() / largest;
    let above =
        HalfLine { terms: flows.iter().map(|(time, amount)| (time - first, scaled(*amount))).collect(), balanced };
    let below =
        HalfLine { terms: flows.iter().rev().map(|(time, amount)| (last - time, scaled(*amount))).collect(), balanced };
    let mut rates: Vec<f64> =
        below.roots(MOST[1], interrupt)?.into_iter().rev().map(|force| (-force).exp_m1()).collect();
    rates.extend(balanced.then_some(0.0));
    rates.extend(above.roots(MOST[0], interrupt)?.into_iter().map(f64::exp_m1));
    Ok(rates)
}

/// The one rate; of several the nearest to a guess, and none without one.
pub fn chosen(rates: &[f64], guess: Option<f64>) -> Option<f64> {
    match (rates, guess) {
        ([rate], _) => Some(*rate),
        (_, Some(guess)) => rates.iter().copied().min_by(|a, b| (a - guess).abs().total_cmp(&(b - guess).abs())),
        _ => None,
    }
}
