//! Cox's partial likelihood, its gradient and its information, with tied deaths handled as Breslow or Efron (exactly:
//! see `exact_ties`).
//!
//! Breslow (1974), *Covariance analysis of censored survival data*, Biometrics 30; Efron (1977), *The efficiency of
//! Cox's likelihood function for censored data*, JASA 72, §6; Therneau & Grambsch (2000), *Modeling Survival Data*,
//! §3.1 and §3.3 – with case weights, each of the d terms of a tie carries the mean weight of its deaths.
//!
//! The score is the sum of x over (deaths − expected deaths) of the rows, and the information is the expected deaths'
//! second moment less that of the risk sets' means. Both need the risk sets' sums as scalars only per tied death, and
//! one product of matrices over all rows; nothing costs deaths × p² or rows × event times.

use crate::hazard::cox::Ties;
use crate::hazard::cumulative::Cumulative;
use crate::hazard::exact_ties;
use crate::hazard::increment::Increment;
use crate::hazard::moments::{BLOCK, Moments};
use crate::hazard::penalty::Penalty;
use crate::hazard::risk_sets::{ROWS_PER_INTERRUPT, RiskSets};
use crate::hazard::slot_sums::SlotSums;
use crate::hazard::sweep::RiskSet;
use crate::hazard::timeline::reserve;
use crate::numeric::sum::Sum;
use crate::{Interrupt, Result};

/// Largest exponent allowed into a sum: squares of sums of such numbers are still finite.
const LARGEST_EXPONENT: f64 = 200.0;
/// Where the largest linear predictor is put when it is too large.
const RECENTRED_EXPONENT: f64 = 100.0;

/// The log-likelihood and its derivatives at some coefficients, in scaled units.
#[derive(Debug)]
pub(super) struct Evaluation {
    /// Less the penalty on the squares of the coefficients.
    pub log_likelihood: f64,
    pub penalty: f64,
    pub score: Vec<f64>,
    /// p × p, row-major, symmetric.
    pub information: Vec<f64>,
    /// The diagonal of the second moments from which the means' were taken to make the information, without a penalty.
    pub moments: Vec<f64>,
}

/// What the rows and the event times sum up to.
struct Sums {
    /// What was taken off all linear predictors.
    shift: f64,
    /// Σ x over the expected deaths.
    expected: Vec<f64>,
    information: Vec<f64>,
    moments: Vec<f64>,
}

impl Sums {
    fn new(shift: f64, moments: &Moments, means: &Moments, covariates: usize) -> Sums {
        let expected = moments.first.as_flattened().iter().take(covariates).copied().collect();
        let information = moments.difference(means, covariates);
        Sums { shift, expected, information, moments: moments.diagonal(covariates) }
    }
}

/// The partial likelihood of some risk sets, with its working memory.
#[derive(Debug)]
pub(super) struct PartialLikelihood<'a> {
    pub sets: &'a RiskSets<'a>,
    pub ties: Ties,
    /// Half of this times the square of each scaled coefficient is taken off the log-likelihood.
    pub squares: Vec<f64>,
    /// Per row w e^(offset + βx − shift).
    risk: Vec<f64>,
    /// Per row the expected number of deaths.
    expected: Vec<f64>,
    /// What stands for both where the rows have been left in their place.
    in_place: Option<SlotSums>,
}

impl<'a> PartialLikelihood<'a> {
    /// # Errors
    /// [`crate::Error::OutOfRange`] when memory is exhausted; [`crate::Error::Invalid`] when exact ties cannot be had.
    pub fn new(sets: &'a RiskSets<'a>, ties: Ties, penalty: Penalty) -> Result<Self> {
        if ties == Ties::Exact {
            exact_ties::check(sets)?;
        }
        let (mut risk, mut expected) = (Vec::new(), Vec::new());
        reserve(&mut risk, sets.rows())?;
        reserve(&mut expected, sets.rows())?;
        risk.resize(sets.rows(), 0.0);
        expected.resize(sets.rows(), 0.0);
        Ok(PartialLikelihood { sets, ties, squares: penalty.squares(&sets.scales), risk, expected, in_place: None })
    }

    /// Of rows that have been left in their place; with Efron's or Breslow's ties.
    pub fn in_place(sets: &'a RiskSets<'a>, sums: SlotSums, ties: Ties, penalty: Penalty) -> Self {
        let squares = penalty.squares(&sets.scales);
        PartialLikelihood { sets, ties, squares, risk: Vec::new(), expected: Vec::new(), in_place: Some(sums) }
    }

    /// The likelihood at `beta` (p, scaled), less the penalty on the squares; `None` where it leaves the range of
    /// numbers.
    pub fn evaluate(&mut self, beta: &[f64], interrupt: Interrupt) -> Result<Option<Evaluation>> {
        let evaluation = match self.ties {
            Ties::Exact => exact_ties::evaluate(self.sets, beta, self.shift(beta, interrupt)?, interrupt)?,
            Ties::Efron | Ties::Breslow => self.evaluate_sums(beta, interrupt)?,
        };
        let Some(mut evaluation) = evaluation else { return Ok(None) };
        for (i, (beta, square)) in beta.iter().zip(&self.squares).enumerate() {
            evaluation.penalty += square * beta * beta / 2.0;
            evaluation.score[i] -= square * beta;
            evaluation.information[i * (self.squares.len() + 1)] += square;
        }
        evaluation.log_likelihood -= evaluation.penalty;
        Ok(Some(evaluation))
    }

    /// The log-likelihood and the score alone, without a penalty, of rows that have been left in their place: at less
    /// than half the cost of all.
    pub fn slope(&mut self, beta: &[f64], interrupt: Interrupt) -> Result<Option<(f64, Vec<f64>)>> {
        let (sets, ties) = (self.sets, self.ties);
        let shift = self.shift(beta, interrupt)?;
        let (Some(place), Some(sums)) = (&sets.place, &mut self.in_place) else { return Ok(None) };
        let (mut log_sum, mut hazards, mut spared) = (Sum::default(), Vec::new(), Vec::new());
        place.add_up(&sets.padded(beta), shift, sums, interrupt)?;
        place.sweep(sets, sums, interrupt, |set, interrupt| {
            let increment = Increment::new(set.tie(), ties, interrupt)?;
            log_sum.add(increment.log);
            hazards.push(increment.hazard);
            spared.push(increment.spared);
            Ok(())
        })?;
        let hazards = Cumulative::from_the_end(&hazards, 1, &sets.strata)?;
        let mut moments = Moments::new(sets.chunks, 0);
        let mut blocks = Moments::new(sets.chunks, 0);
        place.each_expected((&hazards, &spared), sums, false, interrupt, |x, expected| {
            blocks.add_first(x, sets.covariates, expected);
            moments.take_in(&mut blocks);
        })?;
        let log_likelihood = self.log_likelihood(beta, log_sum, shift);
        let expected = moments.first.as_flattened();
        let score: Vec<f64> = sets.death_sum.iter().zip(expected).map(|(death, expected)| death - expected).collect();
        let finite = log_likelihood.is_finite() && score.iter().all(|number| number.is_finite());
        Ok(finite.then_some((log_likelihood, score)))
    }

    fn log_likelihood(&self, beta: &[f64], log_sum: Sum, shift: f64) -> f64 {
        let sets = self.sets;
        let at_deaths: f64 = beta.iter().zip(&sets.death_sum).map(|(beta, sum)| beta * sum).sum();
        at_deaths + sets.death_offset - log_sum.total() - shift * sets.weighted_events
    }

    fn evaluate_sums(&mut self, beta: &[f64], interrupt: Interrupt) -> Result<Option<Evaluation>> {
        let sets = self.sets;
        let (mut log_sum, mut largest_square) = (Sum::default(), 0.0);
        let Sums { shift, expected, information, moments } = self.sums(beta, interrupt, |_, increment| {
            log_sum.add(increment.log);
            largest_square = f64::max(largest_square, increment.square);
            *increment
        })?;
        let log_likelihood = self.log_likelihood(beta, log_sum, shift);
        let score: Vec<f64> = sets.death_sum.iter().zip(&expected).map(|(death, expected)| death - expected).collect();
        // The variance of the baseline hazard, of rows without an offset, is the largest number that is made of the sums.
        let origin = shift + sets.offset_centres.iter().copied().fold(0.0, f64::min);
        let largest = largest_square * (-2.0 * origin).exp() * sets.groups.len() as f64;
        let finite =
            [log_likelihood, largest].iter().chain(&score).chain(&information).all(|number| number.is_finite());
        Ok(finite.then_some(Evaluation { log_likelihood, penalty: 0.0, score, information, moments }))
    }

    /// The score and the information (p × p) when the event time at each place counts `multiplier` times, which may be
    /// negative.
    pub fn weighted(
        &mut self,
        beta: &[f64],
        multiplier: &dyn Fn(usize) -> f64,
        interrupt: Interrupt,
    ) -> Result<(Vec<f64>, Vec<f64>)> {
        let Sums { expected: mut score, information, .. } =
            self.sums(beta, interrupt, |at, increment| increment.times(multiplier(at)))?;
        score.iter_mut().for_each(|expected| *expected = -*expected);
        for (at, group) in self.sets.groups.iter().enumerate() {
            for row in group.first..group.censored {
                let weight = multiplier(at) * self.sets.weight(row);
                score.iter_mut().zip(self.sets.row(row).as_flattened()).for_each(|(sum, x)| *sum += weight * x);
            }
        }
        Ok((score, information))
    }

    /// The sums with each event time's increments as `take` gives them back.
    fn sums(
        &mut self,
        beta: &[f64],
        interrupt: Interrupt,
        mut take: impl FnMut(usize, &Increment) -> Increment,
    ) -> Result<Sums> {
        let sets = self.sets;
        let (mut hazards, mut spared): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
        reserve(&mut hazards, sets.groups.len())?;
        reserve(&mut spared, sets.groups.len())?;
        let mut means = Moments::new(sets.chunks, sets.covariates);
        let mut moments = Moments::new(sets.chunks, sets.covariates);
        if sets.place.is_some() {
            let shift = self.sums_in_place(beta, interrupt, take, &mut means, &mut moments)?;
            return Ok(Sums::new(shift, &moments, &means, sets.covariates));
        }
        let shift = self.at_event_times(beta, interrupt, |set, increment| {
            let increment = take(hazards.len(), increment);
            hazards.push(increment.hazard);
            spared.push(increment.spared);
            means.add_means(set, &increment);
        })?;
        means.add_waiting();
        self.expect(&Cumulative::from_the_end(&hazards, 1, &sets.strata)?, &spared);
        let x = sets.x.chunks(ROWS_PER_INTERRUPT * sets.chunks);
        for (x, expected) in x.zip(self.expected.chunks(ROWS_PER_INTERRUPT)) {
            interrupt()?;
            moments.add_rows(x, expected);
        }
        Ok(Sums::new(shift, &moments, &means, sets.covariates))
    }

    /// As [`PartialLikelihood::sums`] for rows that have been left in their place: what the hazards need first, then
    /// the sums of x together with the second moments.
    fn sums_in_place(
        &mut self,
        beta: &[f64],
        interrupt: Interrupt,
        mut take: impl FnMut(usize, &Increment) -> Increment,
        means: &mut Moments,
        moments: &mut Moments,
    ) -> Result<f64> {
        let (sets, ties) = (self.sets, self.ties);
        let shift = self.shift(beta, interrupt)?;
        let (Some(place), Some(sums)) = (&sets.place, &mut self.in_place) else { return Ok(shift) };
        place.add_up(&sets.padded(beta), shift, sums, interrupt)?;
        let mut increments: Vec<Increment> = Vec::new();
        reserve(&mut increments, sets.groups.len())?;
        place.sweep(sets, sums, interrupt, |set, interrupt| {
            increments.push(take(increments.len(), &Increment::new(set.tie(), ties, interrupt)?));
            Ok(())
        })?;
        let hazards: Vec<f64> = increments.iter().map(|increment| increment.hazard).collect();
        let spared: Vec<f64> = increments.iter().map(|increment| increment.spared).collect();
        let hazards = Cumulative::from_the_end(&hazards, 1, &sets.strata)?;
        let (mut block, mut rows) = (Moments::new(sets.chunks, sets.covariates), 0);
        place.each_expected((&hazards, &spared), sums, true, interrupt, |x, expected| {
            block.add_loose_rows(x, expected);
            rows += expected.len();
            if rows >= BLOCK {
                moments.take_in(&mut block);
                rows = 0;
            }
        })?;
        moments.take_in(&mut block);
        let mut increments = increments.iter();
        place.sweep(sets, sums, interrupt, |set, _| {
            increments.next().into_iter().for_each(|increment| means.add_means(set, increment));
            Ok(())
        })?;
        means.add_waiting();
        Ok(shift)
    }

    /// Visits all event times, as the sweep does, with their increments at `beta`; all sums of r are in units of e^shift,
    /// which is returned.
    pub fn at_event_times(
        &mut self,
        beta: &[f64],
        interrupt: Interrupt,
        mut visit: impl FnMut(&RiskSet, &Increment),
    ) -> Result<f64> {
        let shift = self.shift(beta, interrupt)?;
        let ties = self.ties;
        if let (Some(place), Some(sums)) = (&self.sets.place, &mut self.in_place) {
            place.add_up(&self.sets.padded(beta), shift, sums, interrupt)?;
            if !sums.has_x {
                let none = vec![0.0; self.sets.groups.len()];
                let hazards = Cumulative::from_the_end(&none, 1, &self.sets.strata)?;
                place.each_expected((&hazards, &none), sums, true, interrupt, |_, _| ())?;
            }
            place.sweep(self.sets, sums, interrupt, |set, interrupt| {
                visit(set, &Increment::new(set.tie(), ties, interrupt)?);
                Ok(())
            })?;
            return Ok(shift);
        }
        self.sets.sweep(&self.sets.padded(beta), shift, &mut self.risk, interrupt, |set, interrupt| {
            visit(set, &Increment::new(set.tie(), ties, interrupt)?);
            Ok(())
        })?;
        Ok(shift)
    }

    /// What the sweep last filled per row: w e^(offset + βx − shift).
    pub fn risk(&self) -> &[f64] {
        &self.risk
    }

    /// What to take off all linear predictors: nothing, unless some are so large that sums might overflow.
    fn shift(&self, beta: &[f64], interrupt: Interrupt) -> Result<f64> {
        if self.sets.linear_predictor_bound(beta) <= LARGEST_EXPONENT {
            return Ok(0.0);
        }
        let largest = match &self.sets.place {
            Some(place) => place.largest_linear_predictor(&self.sets.padded(beta), interrupt)?,
            None => self.sets.linear_predictors(beta).fold(f64::NEG_INFINITY, f64::max),
        };
        Ok(if largest > LARGEST_EXPONENT { largest - RECENTRED_EXPONENT } else { 0.0 })
    }

    /// Expected deaths per row: its risk times the hazard between its entry and its exit; of the terms of its own
    /// death's tie a row takes only the share for which it still counts.
    fn expect(&mut self, hazards: &Cumulative, spared: &[f64]) {
        if self.sets.place.is_some() {
            return;
        }
        let mut late = self.sets.late_by_row.iter().peekable();
        for (g, (group, spared)) in self.sets.groups.iter().zip(spared).enumerate() {
            let hazard = hazards.between(None, g, 0);
            let mut rows = self.expected[group.first..group.end].iter_mut().zip(&self.risk[group.first..group.end]);
            rows.by_ref().take(group.deaths()).for_each(|(expected, risk)| *expected = risk * (hazard - spared));
            rows.for_each(|(expected, risk)| *expected = risk * hazard);
            while let Some(late) = late.next_if(|late| (late.row as usize) < group.end) {
                let (row, hazard) = (late.row as usize, hazards.between(Some(late.group as usize), g, 0));
                self.expected[row] = self.risk[row] * if row < group.censored { hazard - spared } else { hazard };
            }
        }
    }
}
