//! What each row contributes to the score of a partial likelihood, and its martingale residual: the ground of the
//! residuals and of the robust variance.
//!
//! Therneau, Grambsch & Fleming (1990), *Martingale-based residuals for survival models*, Biometrika 77; with Efron's
//! ties as Therneau & Grambsch (2000), *Modeling Survival Data*, §4.2 and appendix D: each of the d terms of a tie has
//! a mean and a hazard of its own, and a row that dies in it takes part in them by the share for which it still counts.

use crate::hazard::cumulative::Cumulative;
use crate::hazard::partial_likelihood::PartialLikelihood;
use crate::hazard::risk_sets::{ROWS_PER_INTERRUPT, RiskSets};
use crate::hazard::timeline::reserve;
use crate::{Interrupt, Result};

/// Multiplications between two questions whether to go on, when each row costs the square of its width.
const WORK_PER_INTERRUPT: usize = 1 << 22;

/// A row that was there from the start.
const NOT_LATE: usize = usize::MAX;

/// Sums over the event times from which every row's part follows in O(p): all of it takes O((rows + event times) p).
#[derive(Debug)]
pub(super) struct ScoreParts<'a> {
    sets: &'a RiskSets<'a>,
    /// The place in the design of each kept row.
    places: &'a [u32],
    /// Per kept row w e^(offset + βx − shift).
    risk: &'a [f64],
    /// Per event time the hazard from the start up to it, and what of its own those who die are spared.
    hazard: Cumulative,
    spared: Vec<f64>,
    /// The same of ∫ (mean of x) dΛ: event times × p.
    path: Cumulative,
    spared_path: Vec<f64>,
    /// Mean of x over those at risk, averaged over the terms of the tie: event times × p.
    means: Vec<f64>,
    /// Per kept row the event time from which back it was not yet there; empty when nobody enters late.
    entered: Vec<usize>,
}

/// One kept row's part, in centred and scaled units and times the row's weight.
#[derive(Debug)]
pub(super) struct Part<'a> {
    /// The row's place in the design.
    pub place: usize,
    pub weight: f64,
    pub martingale: f64,
    /// What the martingale residual is less than the events: the hazard that the row was under.
    pub expected: f64,
    /// ∂ log-likelihood / ∂ β
    pub score: &'a [f64],
}

impl<'a> ScoreParts<'a> {
    /// At the coefficients `beta` (p, scaled); `places` as [`RiskSets::with_rows`] tells them.
    pub fn new(
        likelihood: &'a mut PartialLikelihood<'_>,
        places: &'a [u32],
        beta: &[f64],
        interrupt: Interrupt,
    ) -> Result<Self> {
        let sets = likelihood.sets;
        let (times, p) = (sets.groups.len(), sets.covariates);
        let (mut hazard, mut spared, mut path) = (Vec::new(), Vec::new(), Vec::new());
        let (mut spared_path, mut means) = (Vec::new(), Vec::new());
        reserve(&mut hazard, times)?;
        reserve(&mut spared, times)?;
        for column in [&mut path, &mut spared_path, &mut means] {
            reserve(column, times.saturating_mul(p))?;
        }
        likelihood.at_event_times(beta, interrupt, |set, increment| {
            hazard.push(increment.hazard);
            spared.push(increment.spared);
            let weight = set.group.mean_weight * set.group.deaths() as f64;
            let sums = set.total_x.as_flattened().iter().zip(set.deaths_x.as_flattened());
            for (total, deaths) in sums.take(p) {
                path.push(increment.square * total - increment.square_spared * deaths);
                spared_path.push(increment.square_spared * total - increment.square_spared_twice * deaths);
                means.push((increment.hazard * total - increment.spared * deaths) / weight);
            }
        })?;
        let hazard = Cumulative::from_the_end(&hazard, 1, &sets.strata)?;
        let path = Cumulative::from_the_end(&path, p, &sets.strata)?;
        let mut entered = Vec::new();
        if !sets.late.is_empty() {
            reserve(&mut entered, sets.rows())?;
            entered.resize(sets.rows(), NOT_LATE);
            sets.late.iter().for_each(|late| entered[late.row as usize] = late.group as usize);
        }
        Ok(ScoreParts { sets, places, risk: likelihood.risk(), hazard, spared, path, spared_path, means, entered })
    }

    /// Visits the rows that are at risk at some event time; the part of every other row is 0.
    pub fn each(&self, interrupt: Interrupt, mut visit: impl FnMut(&Part) -> Result<()>) -> Result<()> {
        let sets = self.sets;
        let p = sets.covariates;
        let stride = rows_per_interrupt(p);
        let mut score = vec![0.0; p];
        for (g, group) in sets.groups.iter().enumerate() {
            for row in group.first..group.end {
                if row % stride == 0 {
                    interrupt()?;
                }
                let (weight, risk) = (sets.weight(row), self.risk[row]);
                let died = if row < group.censored { 1.0 } else { 0.0 };
                let entered = self.entered.get(row).copied().filter(|at| *at != NOT_LATE);
                let hazard = self.hazard.between(entered, g, 0) - died * self.spared[g];
                let x = sets.row(row).as_flattened();
                for (j, (score, x)) in score.iter_mut().zip(x).enumerate() {
                    let at = g * p + j;
                    let path = self.path.between(entered, g, j) - died * self.spared_path[at];
                    *score = died * weight * (x - self.means[at]) - risk * (x * hazard - path);
                }
                visit(&Part {
                    place: self.places[row] as usize,
                    weight,
                    martingale: died * weight - risk * hazard,
                    expected: risk * hazard,
                    score: &score,
                })?;
            }
        }
        Ok(())
    }

    /// Visits the deaths with x less its mean over those at risk: what Schoenfeld (1982) looks at.
    pub fn each_death(&self, interrupt: Interrupt, mut visit: impl FnMut(usize, &[f64])) -> Result<()> {
        let p = self.sets.covariates;
        let mut difference = vec![0.0; p];
        for (group, means) in self.sets.groups.iter().zip(self.means.chunks_exact(p)) {
            for row in group.first..group.censored {
                if row % ROWS_PER_INTERRUPT == 0 {
                    interrupt()?;
                }
                let x = self.sets.row(row).as_flattened();
                for ((difference, x), mean) in difference.iter_mut().zip(x).zip(means) {
                    *difference = x - mean;
                }
                visit(self.places[row] as usize, &difference);
            }
        }
        Ok(())
    }
}

/// Rows between two questions whether to go on, when a row costs `p`².
pub(super) fn rows_per_interrupt(p: usize) -> usize {
    (WORK_PER_INTERRUPT / (p * p).max(1)).max(1)
}
