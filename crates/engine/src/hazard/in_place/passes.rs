//! Passes over rows where they lie: a block at a time is centred and scaled, and added up by the slot of each row.

use super::{BLOCK, InPlace};
use crate::hazard::cumulative::Cumulative;
use crate::hazard::risk_sets::{LANES, Lanes, ROWS_PER_INTERRUPT, RiskSets};
use crate::hazard::slot_sums::{Block, Kind, SlotSums, row};
use crate::hazard::sweep::{RiskSet, RunningSums, dot};
use crate::numeric::sum::Sum;
use crate::{Interrupt, Result};

impl InPlace<'_> {
    /// Room for a block of rows, and for reading whole vectors beyond its end.
    fn buffer(&self, rows: usize) -> Vec<f64> {
        vec![0.0; rows * self.design.covariates() + LANES]
    }

    /// Centres and scales rows that lie one after the other.
    fn load(&self, raw: &[f64], buffer: &mut [f64]) {
        let width = self.means.len();
        for (to, from) in buffer.chunks_mut(width).zip(raw.chunks(width)) {
            for (((to, from), mean), scale) in to.iter_mut().zip(from).zip(&self.means).zip(&self.scales) {
                *to = (from - mean) * scale;
            }
        }
    }

    /// Calls `visit` with each block: the place of its first row, its weights (none when all are 1) and its rows,
    /// centred and scaled, one after the other without gaps; if they are not to be `read`, only as many.
    fn each_block(&self, read: bool, interrupt: Interrupt, mut visit: impl FnMut(usize, &[f64], &[f64])) -> Result<()> {
        let p = self.design.covariates();
        let mut buffer = self.buffer(BLOCK);
        for (i, rows) in self.blocks().enumerate() {
            if i % (ROWS_PER_INTERRUPT / BLOCK) == 0 {
                interrupt()?;
            }
            if read {
                self.load(&self.design.x()[rows.start * p..rows.end * p], &mut buffer);
            }
            let weights = self.design.weights().get(rows.clone()).unwrap_or(&[]);
            visit(i * BLOCK, weights, &buffer[..rows.len() * p + LANES]);
        }
        Ok(())
    }

    /// Σ w x over the deaths.
    pub(super) fn sum_deaths(&self, interrupt: Interrupt) -> Result<Vec<f64>> {
        let p = self.design.covariates();
        let mut sums = vec![Sum::default(); p];
        let mut terms = vec![0.0; p];
        self.each_block(true, interrupt, |first, weights, x| {
            for (i, x) in x[..x.len() - LANES].chunks_exact(p).enumerate() {
                if self.kind(first + i).is_some_and(Kind::dies) {
                    let weight = weights.get(i).copied().unwrap_or(1.0);
                    terms.iter_mut().zip(x).for_each(|(term, x)| *term += weight * x);
                }
            }
            sums.iter_mut().zip(&mut terms).for_each(|(sum, term)| sum.add(std::mem::take(term)));
        })?;
        Ok(sums.iter().map(Sum::total).collect())
    }

    /// `None` for a row that is never at risk.
    fn kind(&self, at: usize) -> Option<usize> {
        let slot = self.slots[at] as usize;
        (slot < Kind::ALL * self.groups).then(|| slot / self.groups)
    }

    /// Whether each row of a block dies at risk.
    pub fn dies(&self, first: usize) -> impl Iterator<Item = bool> {
        let (groups, slots) = (self.groups, &self.slots[first..]);
        let late = Kind::LATE_DEATH * groups..Kind::LATE_OTHER * groups;
        slots.iter().map(move |slot| (*slot as usize) < groups || late.contains(&(*slot as usize)))
    }

    /// Fills r per row and the sums of it, unless they are those already.
    pub fn add_up(&self, beta: &[Lanes], shift: f64, sums: &mut SlotSums, interrupt: Interrupt) -> Result<()> {
        if sums.at.as_ref().is_some_and(|(there, by)| there == beta && *by == shift) {
            return Ok(());
        }
        (sums.at, sums.has_x) = (None, false);
        sums.totals.fill(0.0);
        sums.comes.fill(Sum::default());
        sums.goes.fill(Sum::default());
        let p = self.design.covariates();
        let mut entered = self.entered.iter();
        let null = beta.as_flattened().iter().all(|beta| *beta == 0.0);
        self.each_block(!null, interrupt, |first, weights, x| {
            let rows = first..first + (x.len() - LANES) / p;
            let risk = &mut sums.risk[rows.clone()];
            match beta.len() {
                _ if null => risk.fill(0.0),
                1 => linear_predictors(x, p, 1, beta, risk),
                2 => linear_predictors(x, p, 2, beta, risk),
                3 => linear_predictors(x, p, 3, beta, risk),
                4 => linear_predictors(x, p, 4, beta, risk),
                chunks => linear_predictors(x, p, chunks, beta, risk),
            }
            risk.iter_mut().for_each(|risk| *risk = (*risk - shift).exp());
            risk.iter_mut().zip(weights).for_each(|(risk, weight)| *risk *= weight);
            for (risk, slot) in risk.iter_mut().zip(&self.slots[rows]) {
                let slot = *slot as usize;
                if slot >= Kind::LATE_DEATH * self.groups {
                    if slot == Kind::ALL * self.groups {
                        *risk = 0.0;
                    } else if let Some(group) = entered.next() {
                        sums.comes[slot % self.groups].add(*risk);
                        sums.goes[*group as usize].add(*risk);
                    }
                }
                sums.totals[slot] += *risk;
            }
        })?;
        sums.at = Some((beta.to_vec(), shift));
        Ok(())
    }

    /// Visits the risk sets as [`RiskSets::sweep`] does, from the sums; those of x are empty where they are not there.
    pub fn sweep(
        &self,
        sets: &RiskSets,
        sums: &SlotSums,
        interrupt: Interrupt,
        mut visit: impl FnMut(&RiskSet, Interrupt) -> Result<()>,
    ) -> Result<()> {
        let chunks = if sums.has_x { sets.chunks } else { 0 };
        let (mut total, mut total_x) = (Sum::default(), RunningSums::new(chunks));
        let (mut deaths_x, mut now_x) = (vec![[0.0; LANES]; chunks], vec![[0.0; LANES]; chunks]);
        for (g, group) in sets.groups.iter().enumerate() {
            let of = |kind: usize| sums.totals[kind * self.groups + g];
            let x_of = |kind: usize| &sums.x[(kind * self.groups + g) * chunks..][..chunks];
            let mut deaths = of(Kind::DEATH);
            deaths_x.copy_from_slice(x_of(Kind::DEATH));
            for kind in [Kind::DEATH, Kind::OTHER] {
                total.add(of(kind));
                total_x.add(1.0, x_of(kind));
            }
            if !self.entered.is_empty() {
                deaths += of(Kind::LATE_DEATH);
                let late_x = x_of(Kind::LATE_DEATH).as_flattened();
                deaths_x.as_flattened_mut().iter_mut().zip(late_x).for_each(|(sum, x)| *sum += x);
                total.add_sum(sums.comes[g]);
                total.take_sum(sums.goes[g]);
                total_x.add_sums(1.0, &sums.comes_x, g * chunks);
                total_x.add_sums(-1.0, &sums.goes_x, g * chunks);
            }
            total_x.read(&mut now_x);
            visit(&RiskSet { group, total: total.total(), total_x: &now_x, deaths, deaths_x: &deaths_x }, interrupt)?;
        }
        Ok(())
    }

    /// Visits blocks of rows with the deaths expected of each: its risk times the hazard between its entry and its
    /// exit, given the cumulative hazard at each event time and what its deaths are spared. Fills the sums of x on the
    /// way, if they are `wanted` and not there yet.
    pub fn each_expected(
        &self,
        (hazards, spared): (&Cumulative, &[f64]),
        sums: &mut SlotSums,
        wanted: bool,
        interrupt: Interrupt,
        mut visit: impl FnMut(&[f64], &[f64]),
    ) -> Result<()> {
        let mut of_slot = vec![0.0; Kind::ALL * self.groups + 1];
        for (g, spared) in spared.iter().enumerate() {
            of_slot[Kind::DEATH * self.groups + g] = hazards.between(None, g, 0) - spared;
            of_slot[Kind::OTHER * self.groups + g] = hazards.between(None, g, 0);
        }
        let wanted = wanted && !sums.has_x;
        if wanted {
            sums.x.fill([0.0; LANES]);
            sums.comes_x.clear();
            sums.goes_x.clear();
        }
        let from = |kind: usize| (kind * self.groups) as u32;
        let (late_from, late_others_from, never) = (from(Kind::LATE_DEATH), from(Kind::LATE_OTHER), from(Kind::ALL));
        let p = self.design.covariates();
        let (chunks, mut late, mut expected) = (p.div_ceil(LANES), 0, [0.0; BLOCK]);
        self.each_block(true, interrupt, |first, _, x| {
            let rows = first..first + (x.len() - LANES) / p;
            let (slots, risk) = (&self.slots[rows.clone()], &sums.risk[rows.clone()]);
            let entered = &self.entered[late..];
            for (expected, (slot, risk)) in expected.iter_mut().zip(slots.iter().zip(risk)) {
                let hazard = match *slot {
                    slot if slot >= late_from && slot < never => {
                        let (dies, left) = match slot < late_others_from {
                            true => (true, slot - late_from),
                            false => (false, slot - late_others_from),
                        };
                        let entered = self.entered.get(late).map(|group| *group as usize);
                        late += 1;
                        let left = left as usize;
                        hazards.between(entered, left, 0) - if dies { spared[left] } else { 0.0 }
                    }
                    slot => of_slot[slot as usize],
                };
                *expected = risk * hazard;
            }
            visit(x, &expected[..rows.len()]);
            if wanted {
                let block = Block { x, p, groups: self.groups, slots, risk, entered };
                let late = (&mut sums.comes_x, &mut sums.goes_x);
                match chunks {
                    1 => block.add_up(1, &mut sums.x, late),
                    2 => block.add_up(2, &mut sums.x, late),
                    3 => block.add_up(3, &mut sums.x, late),
                    4 => block.add_up(4, &mut sums.x, late),
                    chunks => block.add_up(chunks, &mut sums.x, late),
                }
            }
        })?;
        sums.has_x |= wanted;
        Ok(())
    }

    /// The largest β'x of a row at risk.
    pub fn largest_linear_predictor(&self, beta: &[Lanes], interrupt: Interrupt) -> Result<f64> {
        let p = self.design.covariates();
        let never = (Kind::ALL * self.groups) as u32;
        let mut largest = f64::NEG_INFINITY;
        self.each_block(true, interrupt, |first, _, x| {
            for (i, slot) in self.slots[first..first + (x.len() - LANES) / p].iter().enumerate() {
                if *slot < never {
                    largest = largest.max(dot(row(x, i * p, beta.len()), beta));
                }
            }
        })?;
        Ok(largest)
    }
}

/// The common widths are compiled on their own.
#[inline(always)]
fn linear_predictors(x: &[f64], p: usize, chunks: usize, beta: &[Lanes], into: &mut [f64]) {
    let beta = &beta[..chunks];
    for (i, into) in into.iter_mut().enumerate() {
        *into = dot(row(x, i * p, chunks), beta);
    }
}
