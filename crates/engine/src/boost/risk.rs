//! The partial likelihood of rows whose log-hazards are given, and its slopes in them.
//!
//! With Breslow's ties (1974) the negative log partial likelihood is Σ_t D(t) log S(t) − Σ_events w F, where S(t) is the
//! sum of w e^F over those at risk and D(t) the weight of the events at t. Its derivative in a row's F is
//! w (Λ(exit) − Λ(entry)) e^F − w δ with Breslow's cumulative hazard Λ = Σ D / S (Ridgeway 1999, *The state of boosting*,
//! §4.3): what a Poisson count of events would have with that exposure. Its second derivative as such a count is the
//! first of the two terms.

use crate::boost::bins::ROWS_PER_INTERRUPT;
use crate::boost::histogram::Slopes;
use crate::hazard::timeline::reserve;
use crate::numeric::sum::Sum;
use crate::{Interrupt, Result};

/// Rows on the clock of the event times.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// Distinct, rising.
    pub times: Vec<f64>,
    /// By row, how many of the times are at or before its exit.
    pub at_exit: Vec<u32>,
    /// The same of its entry; empty when nobody enters late.
    pub at_entry: Vec<u32>,
    pub events: Vec<bool>,
    /// Empty when all are 1.
    pub weights: Vec<f64>,
}

/// Some of the rows, who are at risk with each other only.
#[derive(Debug)]
pub(super) struct RiskSet<'a> {
    clock: &'a Clock,
    rows: &'a [u32],
    /// Weight of the events by time.
    deaths: Vec<f64>,
    /// Sum of w F does not depend on S: its rows.
    deaths_total: f64,
    /// By time, the hazard's step, and then its sum up to and without each time.
    hazard: Vec<f64>,
    /// By number of times passed, what leaves.
    leaving: Vec<f64>,
    entering: Vec<f64>,
}

/// The cell that rows were added to last, whose sum has not gone back yet: rows of one time come one after another, and
/// each would wait for the one before to be written and read again.
#[derive(Default)]
struct Running {
    at: usize,
    sum: f64,
}

impl Running {
    #[inline]
    fn add(&mut self, cells: &mut [f64], at: usize, value: f64) {
        if at != self.at {
            self.end(cells);
            *self = Running { at, sum: cells[at] };
        }
        self.sum += value;
    }

    /// Begun with the first cell as it is: empty.
    #[inline]
    fn end(&self, cells: &mut [f64]) {
        cells[self.at] = self.sum;
    }
}

/// A step of Breslow's estimate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub hazard: f64,
    pub variance: f64,
}

impl Clock {
    #[inline]
    pub fn weight(&self, row: u32) -> f64 {
        self.weights.get(row as usize).copied().unwrap_or(1.0)
    }

    #[inline]
    fn entry(&self, row: u32) -> usize {
        self.at_entry.get(row as usize).map_or(0, |entry| *entry as usize)
    }
}

impl<'a> RiskSet<'a> {
    pub fn new(clock: &'a Clock, rows: &'a [u32]) -> Result<RiskSet<'a>> {
        let (mut deaths, mut hazard, mut leaving, mut entering) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let times = clock.times.len();
        for column in [&mut deaths, &mut hazard, &mut leaving, &mut entering] {
            reserve(column, times + 1)?;
            column.resize(times + 1, 0.0);
        }
        let mut total = Sum::default();
        for row in rows.iter().filter(|row| clock.events[**row as usize]) {
            // The event is at the last of the times passed.
            if let Some(at) = clock.at_exit[*row as usize].checked_sub(1) {
                deaths[at as usize] += clock.weight(*row);
                total.add(clock.weight(*row));
            }
        }
        Ok(RiskSet { clock, rows, deaths, deaths_total: total.total(), hazard, leaving, entering })
    }

    /// Weight of all events.
    pub fn events(&self) -> f64 {
        self.deaths_total
    }

    /// Calls `visit` with each time at which there are events, the latest first, the weight of the events and the sum of
    /// w `risk` over those at risk, where `risk` is e^(F − shift) of a row.
    fn sweep(
        &mut self,
        mut risk: impl FnMut(u32) -> f64,
        interrupt: Interrupt,
        mut visit: impl FnMut(&mut Vec<f64>, usize, f64, f64),
    ) -> Result<()> {
        self.leaving.fill(0.0);
        self.entering.fill(0.0);
        let (mut leaving, mut entering) = (Running::default(), Running::default());
        for rows in self.rows.chunks(ROWS_PER_INTERRUPT) {
            interrupt()?;
            for row in rows {
                let (entry, exit) = (self.clock.entry(*row), self.clock.at_exit[*row as usize] as usize);
                let risk = risk(*row);
                if exit > entry {
                    let risk = self.clock.weight(*row) * risk;
                    leaving.add(&mut self.leaving, exit, risk);
                    entering.add(&mut self.entering, entry, risk);
                }
            }
        }
        leaving.end(&mut self.leaving);
        entering.end(&mut self.entering);
        interrupt()?;
        let mut at_risk = Sum::default();
        for at in (0..self.clock.times.len()).rev() {
            // At risk at a time are those who pass it before they leave, and had not passed it when they came.
            at_risk.add(self.leaving[at + 1]);
            at_risk.add(-self.entering[at + 1]);
            if self.deaths[at] > 0.0 {
                // No less than rounding leaves.
                visit(&mut self.hazard, at, self.deaths[at], at_risk.total().max(f64::MIN_POSITIVE));
            }
        }
        Ok(())
    }

    /// The largest score: sums are of numbers of at most 1.
    fn shift(&self, scores: &[f64]) -> f64 {
        self.rows.iter().map(|row| scores[*row as usize]).fold(f64::NEG_INFINITY, f64::max)
    }

    /// First and second derivative of the negative log partial likelihood in each row's score; the other rows' are left.
    pub fn slopes(&mut self, scores: &[f64], into: &mut [Slopes], interrupt: Interrupt) -> Result<()> {
        let shift = self.shift(scores);
        self.hazard.fill(0.0);
        // Exponentials are dear: they lie where the slopes will be.
        let risk = |row: u32| {
            let risk = (scores[row as usize] - shift).exp();
            into[row as usize][1] = risk;
            risk
        };
        self.sweep(risk, interrupt, |hazard, at, deaths, at_risk| hazard[at] = deaths / at_risk)?;
        let mut sum = Sum::default();
        for hazard in &mut self.hazard {
            let step = *hazard;
            *hazard = sum.total();
            sum.add(step);
        }
        for rows in self.rows.chunks(ROWS_PER_INTERRUPT) {
            interrupt()?;
            for row in rows {
                let (at, weight) = (*row as usize, self.clock.weight(*row));
                let (entry, exit) = (self.clock.entry(*row), self.clock.at_exit[at] as usize);
                let exposure = self.hazard[exit.max(entry)] - self.hazard[entry];
                let expected = weight * exposure * into[at][1];
                into[at] = [expected - if self.clock.events[at] { weight } else { 0.0 }, expected];
            }
        }
        Ok(())
    }

    /// The log partial likelihood.
    pub fn log_likelihood(&mut self, scores: &[f64], interrupt: Interrupt) -> Result<f64> {
        let shift = self.shift(scores);
        let mut sum = Sum::default();
        let risk = |row: u32| (scores[row as usize] - shift).exp();
        self.sweep(risk, interrupt, |_, _, deaths, at_risk| sum.add(-deaths * at_risk.ln()))?;
        for row in self.rows.iter().filter(|row| self.clock.events[**row as usize]) {
            if self.clock.at_exit[*row as usize] > 0 {
                sum.add(self.clock.weight(*row) * (scores[*row as usize] - shift));
            }
        }
        Ok(sum.total())
    }

    /// Breslow's estimate for a row whose score is `centre`: the steps at the event times, in their order.
    pub fn steps(&mut self, scores: &[f64], centre: f64, interrupt: Interrupt) -> Result<Vec<(f64, Step)>> {
        let shift = self.shift(scores);
        let unit = (centre - shift).exp();
        let mut steps: Vec<(usize, Step)> = Vec::new();
        let risk = |row: u32| (scores[row as usize] - shift).exp();
        self.sweep(risk, interrupt, |_, at, deaths, at_risk| {
            let hazard = unit * (deaths / at_risk);
            steps.push((at, Step { hazard, variance: hazard * (unit / at_risk) }));
        })?;
        steps.reverse();
        Ok(steps.into_iter().map(|(at, step)| (self.clock.times[at], step)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Late entries, ties and weights.
    fn clock() -> Clock {
        Clock {
            times: vec![1.0, 2.0, 4.0],
            at_exit: vec![1, 1, 2, 2, 3, 3, 3, 2],
            at_entry: vec![0, 0, 0, 1, 0, 2, 1, 2],
            events: vec![true, false, true, true, true, false, true, false],
            weights: vec![1.0, 2.0, 0.5, 1.0, 3.0, 1.0, 1.0, 1.0],
        }
    }

    const SCORES: [f64; 8] = [0.3, -1.0, 0.7, 0.0, 1.5, -0.2, 0.9, 4.0];
    const ROWS: [u32; 8] = [0, 1, 2, 3, 4, 5, 6, 7];

    #[test]
    fn the_likelihood_is_what_its_definition_says() {
        let (clock, e) = (clock(), SCORES.map(f64::exp));
        // At risk at 1: rows 0 to 2 and 4; at 2: 2, 3, 4, 6; at 4: 4, 5, 6. Row 7 comes and goes between two events.
        let at_1 = e[0] + 2.0 * e[1] + 0.5 * e[2] + 3.0 * e[4];
        let at_2 = 0.5 * e[2] + e[3] + 3.0 * e[4] + e[6];
        let at_4 = 3.0 * e[4] + e[5] + e[6];
        let expected = 0.3 - at_1.ln() + 0.5 * 0.7 - 1.5 * at_2.ln() + 3.0 * 1.5 + 0.9 - 4.0 * at_4.ln();
        let mut set = RiskSet::new(&clock, &ROWS).unwrap();
        let found = set.log_likelihood(&SCORES, &mut || Ok(())).unwrap();
        assert!((found - expected).abs() < 1e-13, "{found} {expected}");
        let steps = set.steps(&SCORES, 0.5, &mut || Ok(())).unwrap();
        for ((time, step), (at, hazard)) in steps.iter().zip([(1.0, 1.0 / at_1), (2.0, 1.5 / at_2), (4.0, 4.0 / at_4)])
        {
            assert_eq!(*time, at);
            assert!((step.hazard - hazard * 0.5f64.exp()).abs() < 1e-15 * (1.0 + hazard), "{} {hazard}", step.hazard);
        }
    }

    #[test]
    fn the_slopes_are_the_derivatives() {
        let clock = clock();
        let mut set = RiskSet::new(&clock, &ROWS).unwrap();
        let mut slopes = [[0.0; 2]; 8];
        set.slopes(&SCORES, &mut slopes, &mut || Ok(())).unwrap();
        for row in 0..8 {
            let mut at = |shift: f64| {
                let mut scores = SCORES;
                scores[row] += shift;
                -set.log_likelihood(&scores, &mut || Ok(())).unwrap()
            };
            // Central differences of two widths, extrapolated.
            let [wide, narrow] = [2e-3, 1e-3].map(|step| (at(step) - at(-step)) / (2.0 * step));
            let slope = (4.0 * narrow - wide) / 3.0;
            assert!((slopes[row][0] - slope).abs() < 1e-10, "{row}: {} {slope}", slopes[row][0]);
            let event = if clock.events[row] { clock.weights[row] } else { 0.0 };
            assert!((slopes[row][1] - (slopes[row][0] + event)).abs() < 1e-14);
        }
        assert!(slopes[7] == [0.0; 2], "who is never at risk says nothing");
    }
}
