//! A start close to the maximum of a partial likelihood of many rows.
//!
//! A sample of the rows tells the coefficients to a few standard errors, and how the information changes on the way
//! there from 0, where that of all rows is known. With the information guessed so, and corrected by what each step meets
//! (Nocedal & Wright 2006, *Numerical Optimization*, §6.1), each look at the score of all rows brings the coefficients some
//! hundred times closer, at half the work that an information costs.

use crate::hazard::in_place::ROWS_FOR_SAMPLE;
use crate::hazard::newton::{HOPELESS_SPREAD, dot};
use crate::hazard::partial_likelihood::{Evaluation, PartialLikelihood};
use crate::hazard::penalty::Penalty;
use crate::numeric::linear::RankedCholesky;
use crate::{Interrupt, Result};

/// Newton steps in the sample, and what one of them must promise to be worth taking.
const STEPS_IN_SAMPLE: usize = 8;
const NEAR_IN_SAMPLE: f64 = 1e-3;
/// Steps with all rows; each must bring the promised rise (doubled) down by so much …
const STEPS: usize = 8;
const FASTER: f64 = 0.01;
/// … until the next one would promise this little at the same pace: 10⁻⁹ standard errors.
const NEAR: f64 = 1e-18;

/// Coefficients (scaled) and the steps it took to get there from the sample's; `None` where the rows are few, or the
/// sample is not like them all.
pub(super) fn head_start(
    likelihood: &mut PartialLikelihood,
    null: &Evaluation,
    active: &[usize],
    interrupt: Interrupt,
) -> Result<Option<(Vec<f64>, usize)>> {
    let sets = likelihood.sets;
    if sets.rows() < ROWS_FOR_SAMPLE || active.is_empty() {
        return Ok(None);
    }
    let Some((mut beta, mut information)) = of_sample(likelihood, null, active, interrupt)? else { return Ok(None) };
    let mut promised_before = f64::INFINITY;
    let mut before: Option<(Vec<f64>, Vec<f64>)> = None;
    for taken in 0..STEPS {
        let Some((log_likelihood, score)) = likelihood.slope(&beta, interrupt)? else { return Ok(None) };
        if log_likelihood < null.log_likelihood {
            return Ok(None);
        }
        if let Some((step, score_before)) = &before {
            let fall: Vec<f64> = score_before.iter().zip(&score).map(|(before, now)| before - now).collect();
            learn(&mut information, step, &fall);
        }
        let factor = RankedCholesky::of_columns(&information, sets.covariates, active.to_vec());
        if factor.rank() < active.len() {
            return Ok(None);
        }
        let step = factor.solve(&score);
        let promised = dot(&step, &score);
        if promised > FASTER * promised_before {
            return Ok(Some((beta, taken)));
        }
        beta.iter_mut().zip(&step).for_each(|(beta, step)| *beta += step);
        if promised * (promised / promised_before) <= NEAR {
            return Ok(Some((beta, taken + 1)));
        }
        (promised_before, before) = (promised, Some((step, score)));
    }
    Ok(Some((beta, STEPS)))
}

/// Gives the information the slope that a step has met (Broyden, Fletcher, Goldfarb & Shanno 1970).
fn learn(information: &mut [f64], step: &[f64], fall: &[f64]) {
    let p = step.len();
    let expected: Vec<f64> = information.chunks_exact(p).map(|row| dot(row, step)).collect();
    let (met, guessed) = (dot(fall, step), dot(&expected, step));
    if met > 0.0 && guessed > 0.0 {
        for (i, row) in information.chunks_exact_mut(p).enumerate() {
            for (j, value) in row.iter_mut().enumerate() {
                *value += fall[i] * fall[j] / met - expected[i] * expected[j] / guessed;
            }
        }
    }
}

/// The coefficients that a sample has, and a guess of the information of all rows there.
fn of_sample(
    likelihood: &PartialLikelihood,
    null: &Evaluation,
    active: &[usize],
    interrupt: Interrupt,
) -> Result<Option<(Vec<f64>, Vec<f64>)>> {
    let Some((sets, sums)) = likelihood.sets.sample(interrupt)? else { return Ok(None) };
    let mut sample = PartialLikelihood::in_place(&sets, sums, likelihood.ties, Penalty::default());
    let mut beta = vec![0.0; sets.covariates];
    let Some(mut now) = sample.evaluate(&beta, interrupt)? else { return Ok(None) };
    let at_null = now.information.clone();
    let mut found = false;
    for _ in 0..STEPS_IN_SAMPLE {
        let factor = RankedCholesky::of_columns(&now.information, sets.covariates, active.to_vec());
        if factor.rank() < active.len() {
            return Ok(None);
        }
        let step = factor.solve(&now.score);
        found = dot(&step, &now.score) <= NEAR_IN_SAMPLE;
        if found {
            break;
        }
        beta.iter_mut().zip(&step).for_each(|(beta, step)| *beta += step);
        let better = sample.evaluate(&beta, interrupt)?.filter(|there| there.log_likelihood > now.log_likelihood);
        let Some(better) = better else { return Ok(None) };
        now = better;
    }
    if !found || likelihood.sets.linear_predictor_bound(&beta) > HOPELESS_SPREAD / 2.0 {
        return Ok(None);
    }
    let all = likelihood.sets.weighted_events / sets.weighted_events;
    let change = now.information.iter().zip(&at_null).map(|(there, here)| all * (there - here));
    Ok(Some((beta, null.information.iter().zip(change).map(|(all, change)| all + change).collect())))
}
