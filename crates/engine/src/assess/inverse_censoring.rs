//! Weights by the inverse probability of censoring at a horizon, in one pass over rows that are sorted by time.
//!
//! G is the Kaplan–Meier curve of the censoring, events before censorings at a tie: an event by the horizon weighs
//! 1/G(T−), whoever lasts beyond it 1/G(horizon), and of those censored before nothing is known.

use crate::assess::brier::BrierScore;
use crate::assess::survival_calibration::Columns;
use crate::numeric::sum::Sum;
use crate::survival::risk::distinct_times;
use crate::{Interrupt, Result};

/// Rows between two questions whether to go on.
const ROWS_PER_INTERRUPT: usize = 1 << 16;

/// The weights of rows in the order of their [`Columns`].
pub(super) struct InverseWeights {
    /// Of each row that leaves by the horizon: weight / G(T−) with the event, 0 without. The rows that follow last longer.
    pub leaving: Vec<f64>,
    /// G(horizon): 0 where censoring lets nobody be seen beyond.
    pub seen_beyond: f64,
    /// The Kaplan–Meier estimate at the horizon, and the weight of all rows.
    pub marginal: f64,
    pub total: f64,
}

impl InverseWeights {
    pub fn new(columns: &Columns, horizon: f64, interrupt: Interrupt) -> Result<Self> {
        let mut times = columns.exits.clone();
        times.dedup();
        let distinct = distinct_times(&times);
        let until = distinct.partition_point(|time| *time <= horizon);
        let total: Sum = (0..columns.len()).map(|row| columns.weight(row)).collect();
        let mut at_risk = total;
        let (mut seen, mut marginal) = (1.0, 1.0);
        let mut leaving = Vec::with_capacity(columns.len());
        let mut next_interrupt = 0;
        for step in 0..until {
            if leaving.len() >= next_interrupt {
                interrupt()?;
                next_interrupt = leaving.len() + ROWS_PER_INTERRUPT;
            }
            let end = distinct.get(step + 1).copied().unwrap_or(f64::INFINITY);
            let (mut died, mut lost) = (Sum::default(), Sum::default());
            while let Some(exit) = columns.exits.get(leaving.len()).filter(|exit| **exit < end) {
                debug_assert!(*exit >= distinct[step]);
                let row = leaving.len();
                let weight = columns.weight(row);
                if columns.events[row] {
                    died.add(weight);
                    leaving.push(weight / seen);
                } else {
                    lost.add(weight);
                    leaving.push(0.0);
                }
            }
            marginal *= (1.0 - died.total() / at_risk.total()).max(0.0);
            at_risk.take_sum(died);
            if lost.total() > 0.0 && at_risk.total() > 0.0 {
                seen *= (at_risk.total() - lost.total()).max(0.0) / at_risk.total();
            }
            at_risk.take_sum(lost);
        }
        Ok(InverseWeights { leaving, seen_beyond: seen, marginal, total: total.total() })
    }

    /// As [`brier_score`](crate::assess::brier::brier_score).
    pub fn brier(&self, columns: &Columns) -> Option<BrierScore> {
        if !(self.seen_beyond > 0.0 && self.total > 0.0) {
            return None;
        }
        let (mut model, mut gone, mut staying) = (Sum::default(), Sum::default(), Sum::default());
        for (weight, survival) in self.leaving.iter().zip(&columns.survival) {
            model.add(weight * survival * survival);
            gone.add(*weight);
        }
        for row in self.leaving.len()..columns.len() {
            let (weight, miss) = (columns.weight(row) / self.seen_beyond, 1.0 - columns.survival[row]);
            model.add(weight * miss * miss);
            staying.add(weight);
        }
        let miss = 1.0 - self.marginal;
        let brier = model.total() / self.total;
        let reference = (gone.total() * self.marginal * self.marginal + staying.total() * miss * miss) / self.total;
        let skill = (reference > 0.0).then(|| 1.0 - brier / reference);
        (brier.is_finite() && reference.is_finite()).then_some(BrierScore { brier, reference, skill })
    }

    /// The cumulative/dynamic area under the ROC curve.
    pub fn area(&self, columns: &Columns, interrupt: Interrupt) -> Result<Option<f64>> {
        // Prediction, weight as a case, weight as a control.
        let mut rows: Vec<(f64, f64, f64)> = Vec::with_capacity(columns.len());
        let cases = self.leaving.iter().zip(&columns.survival).filter(|(weight, _)| **weight > 0.0);
        rows.extend(cases.map(|(weight, survival)| (*survival, *weight, 0.0)));
        let controls = self.leaving.len()..columns.len();
        rows.extend(controls.map(|row| (columns.survival[row], 0.0, columns.weight(row))));
        interrupt()?;
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        interrupt()?;
        let (mut won, mut all_cases, mut all_controls) = (Sum::default(), Sum::default(), Sum::default());
        for tied in rows.chunk_by(|a, b| a.0 == b.0) {
            let (mut with, mut without) = (0.0, 0.0);
            for (_, case, control) in tied {
                with += case;
                without += control;
            }
            // Those with the event so far have a lower survival.
            won.add(without * (all_cases.total() + with / 2.0));
            all_cases.add(with);
            all_controls.add(without);
        }
        Ok(Some(won.total() / all_cases.total() / all_controls.total()).filter(|area| area.is_finite()))
    }
}
