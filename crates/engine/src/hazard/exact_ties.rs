//! The discrete partial likelihood: of all ways in which d of those at risk could have died, the one that happened.
//!
//! Cox (1972), §6; Gail, Lubin & Rubinstein (1981), *Likelihood calculations for matched case-control studies and survival
//! studies with tied death times*, Biometrika 68, for the recursion; Howard (1972), in the discussion of Cox's paper.
//! It is the conditional logistic likelihood when each stratum has one time.
//!
//! The denominator is the elementary symmetric polynomial e_d of the risks r = e^(offset + βx) of those at risk, which
//! e_j(with a row) = e_j(without) + r e_{j−1}(without) builds row by row, and its derivatives with it. As time falls rows
//! only come, so one pass over a stratum meets all its event times: rows × largest tie × p² / 2 operations. Where rows
//! also leave (delayed entry), each event time is built anew.
//!
//! Held are the means e_j / C(n, j): convex combinations, which neither overflow nor cancel.

use crate::hazard::partial_likelihood::Evaluation;
use crate::hazard::risk_sets::{Group, ROWS_PER_INTERRUPT, RiskSets};
use crate::hazard::sweep::dot;
use crate::hazard::timeline::reserve;
use crate::numeric::linear::ROUNDING_OF_A_DIFFERENCE;
use crate::numeric::sum::Sum;
use crate::{Error, Interrupt, Result};

/// Operations of one evaluation beyond which nobody would wait for the end: about a minute.
const MOST_OPERATIONS: f64 = 4e10;
/// Matched sets are small and many.
const STRATA_PER_INTERRUPT: usize = 4096;
/// Numbers that the symmetric polynomials of one risk set may take.
const MOST_NUMBERS: f64 = 16_777_216.0;
/// The mean of the highest degree is kept between this and its inverse by the unit of the risks.
const LARGEST_MEAN: f64 = 1e60;

/// Whether the likelihood can be computed at all.
///
/// # Errors
/// [`Error::Invalid`] with case weights, or when it would take too long.
pub(super) fn check(sets: &RiskSets) -> Result<()> {
    if !sets.weights.is_empty() {
        return Err(Error::invalid(
            "exact ties do not go with case weights",
            "A tie of weighted events is no choice among rows. Use efron or breslow ties, or repeat the rows.",
        ));
    }
    let (numbers, mut operations) = (numbers(sets.covariates) as f64, 0.0);
    let mut largest = 0;
    for stratum in sets.strata.windows(2) {
        let groups = &sets.groups[stratum[0]..stratum[1]];
        let (Some(first), Some(last)) = (groups.first(), groups.last()) else { continue };
        let tie = groups.iter().map(Group::deaths).max().unwrap_or(0);
        largest = largest.max(tie);
        let anew = last.late_end > late_start(sets, stratum[0]);
        operations += numbers
            * match anew {
                false => (last.end - first.first) as f64 * tie as f64,
                true => groups.iter().map(|group| (group.end - first.first) as f64 * group.deaths() as f64).sum(),
            };
    }
    if operations <= MOST_OPERATIONS && numbers * (largest as f64 + 1.0) <= MOST_NUMBERS {
        return Ok(());
    }
    Err(Error::invalid(
        format!(
            "exact ties would take about {operations:.0e} operations in each step: up to {largest} events at one time, \
             {} rows, {} covariates",
            sets.rows(),
            sets.covariates
        ),
        "Use efron ties, which come close where ties are few among those at risk; or split the rows into strata.",
    ))
}

/// How many late entries have left before this event time.
fn late_start(sets: &RiskSets, group: usize) -> usize {
    group.checked_sub(1).map_or(0, |before| sets.groups[before].late_end)
}

/// A value, p derivatives and the lower triangle of the second ones.
fn numbers(covariates: usize) -> usize {
    1 + covariates + covariates * (covariates + 1) / 2
}

/// The log-likelihood and its derivatives; `None` where they leave the numbers. `shift` is taken off all linear
/// predictors.
pub(super) fn evaluate(sets: &RiskSets, beta: &[f64], shift: f64, interrupt: Interrupt) -> Result<Option<Evaluation>> {
    let p = sets.covariates;
    let (mut risk, padded) = (Vec::new(), sets.padded(beta));
    reserve(&mut risk, sets.rows())?;
    risk.extend(
        (0..sets.rows()).map(|row| {
            sets.multipliers().get(row).copied().unwrap_or(1.0) * (dot(sets.row(row), &padded) - shift).exp()
        }),
    );
    let at_deaths: f64 = beta.iter().zip(&sets.death_sum).map(|(beta, sum)| beta * sum).sum();
    let mut total = Total { log: Sum::default(), first: vec![0.0; p], second: vec![0.0; p * p], moments: vec![0.0; p] };
    let mut ways = Ways::new(sets)?;
    for (at, stratum) in sets.strata.windows(2).enumerate() {
        if at % STRATA_PER_INTERRUPT == 0 {
            interrupt()?;
        }
        let groups = &sets.groups[stratum[0]..stratum[1]];
        let tie = groups.iter().map(Group::deaths).max().unwrap_or(0);
        let mut late = late_start(sets, stratum[0]);
        if groups.last().is_none_or(|last| last.late_end == late) {
            ways.start(tie);
            for group in groups {
                ways.add(sets, &risk, group.first..group.end, interrupt)?;
                total.add(&ways, group.deaths());
            }
            continue;
        }
        let mut at_risk: Vec<usize> = Vec::new();
        let mut left = vec![false; groups.last().map_or(0, |last| last.end) - groups[0].first];
        for group in groups {
            at_risk.extend(group.first..group.end);
            for late in &sets.late[late..group.late_end] {
                left[late.row as usize - groups[0].first] = true;
            }
            if group.late_end > late {
                at_risk.retain(|row| !left[row - groups[0].first]);
                late = group.late_end;
            }
            ways.start(group.deaths());
            ways.add(sets, &risk, at_risk.iter().copied(), interrupt)?;
            total.add(&ways, group.deaths());
        }
    }
    let log_likelihood = at_deaths + sets.death_offset - total.log.total() - shift * sets.weighted_events;
    let score: Vec<f64> = sets.death_sum.iter().zip(&total.first).map(|(death, expected)| death - expected).collect();
    let (information, moments) = (total.second, total.moments);
    let finite = [log_likelihood].iter().chain(&score).chain(&information).all(|number| number.is_finite());
    Ok(finite.then_some(Evaluation { log_likelihood, penalty: 0.0, score, information, moments }))
}

/// Sums over the event times.
struct Total {
    log: Sum,
    first: Vec<f64>,
    /// p × p, symmetric.
    second: Vec<f64>,
    /// The diagonal of what the means' squares were taken from, more where it was rounded more often.
    moments: Vec<f64>,
}

impl Total {
    /// Adds the event time at which so many of those counted died.
    fn add(&mut self, ways: &Ways, deaths: usize) {
        let p = self.first.len();
        let at = &ways.means[deaths * ways.numbers..(deaths + 1) * ways.numbers];
        let (value, first, second) = (at[0], &at[1..=p], &at[1 + p..]);
        let choices: f64 = (1..=deaths).map(|i| ((ways.rows - deaths + i) as f64 / i as f64).ln()).sum();
        self.log.add(value.ln() + choices + deaths as f64 * ways.unit.ln());
        // Each row rounds the means once more.
        let rounds = f64::max(1.0, ways.rows as f64 * f64::EPSILON / ROUNDING_OF_A_DIFFERENCE);
        let mut place = 0;
        for i in 0..p {
            let mean = first[i] / value;
            self.first[i] += mean;
            for (j, other) in first.iter().enumerate().take(i + 1) {
                let covariance = second[place] / value - mean * (other / value);
                self.second[i * p + j] += covariance;
                if i != j {
                    self.second[j * p + i] += covariance;
                }
                place += 1;
            }
            self.moments[i] += rounds * (second[place - 1] / value);
        }
    }
}

/// The means e_j / C(n, j) of the rows added so far, j up to a tie's size, each with its derivatives.
struct Ways {
    covariates: usize,
    numbers: usize,
    /// Degrees × numbers.
    means: Vec<f64>,
    /// Degrees that are kept.
    tie: usize,
    rows: usize,
    /// Risks are in units of this.
    unit: f64,
}

impl Ways {
    fn new(sets: &RiskSets) -> Result<Ways> {
        let largest = sets.groups.iter().map(Group::deaths).max().unwrap_or(0);
        let numbers = numbers(sets.covariates);
        let mut means = Vec::new();
        reserve(&mut means, (largest + 1).saturating_mul(numbers))?;
        means.resize((largest + 1) * numbers, 0.0);
        Ok(Ways { covariates: sets.covariates, numbers, means, tie: 0, rows: 0, unit: 1.0 })
    }

    fn start(&mut self, tie: usize) {
        self.means[..(tie + 1) * self.numbers].fill(0.0);
        self.means[0] = 1.0;
        (self.tie, self.rows, self.unit) = (tie, 0, 1.0);
    }

    fn add(
        &mut self,
        sets: &RiskSets,
        risk: &[f64],
        rows: impl IntoIterator<Item = usize>,
        interrupt: Interrupt,
    ) -> Result<()> {
        let patience = (ROWS_PER_INTERRUPT / (self.tie * self.numbers).max(1)).max(1);
        for (i, row) in rows.into_iter().enumerate() {
            if i % patience == patience - 1 {
                interrupt()?;
            }
            self.add_row(risk[row], sets.row(row).as_flattened());
        }
        Ok(())
    }

    fn add_row(&mut self, risk: f64, x: &[f64]) {
        if self.rows == 0 {
            self.unit = risk;
        }
        let (p, risk) = (self.covariates, risk / self.unit);
        self.rows += 1;
        let rows = self.rows as f64;
        for degree in (1..=self.tie.min(self.rows)).rev() {
            let (lower, upper) = self.means.split_at_mut(degree * self.numbers);
            let (without, here) = (&lower[(degree - 1) * self.numbers..], &mut upper[..self.numbers]);
            let (stays, comes) = ((self.rows - degree) as f64 / rows, risk * degree as f64 / rows);
            let (value, first, second) = (without[0], &without[1..=p], &without[1 + p..]);
            here[0] = stays * here[0] + comes * value;
            for i in 0..p {
                here[1 + i] = stays * here[1 + i] + comes * (first[i] + x[i] * value);
            }
            let mut place = 0;
            for i in 0..p {
                let (first_i, x_i) = (first[i], x[i]);
                let from_x = x_i * value + first_i;
                for j in 0..=i {
                    let there = &mut here[1 + p + place];
                    // h + x g' + g x' + x x' e
                    *there = stays * *there + comes * (second[place] + x_i * first[j] + from_x * x[j]);
                    place += 1;
                }
            }
        }
        // Log-concave in the degree: what lies between 1 and a moderate last one is moderate too.
        let top = self.tie.min(self.rows);
        let last = self.means[top * self.numbers];
        if top > 0 && last > 0.0 && !(1.0 / LARGEST_MEAN..LARGEST_MEAN).contains(&last) {
            let root = last.ln() / top as f64;
            self.unit *= root.exp();
            for degree in 1..=top {
                let power = (-root * degree as f64).exp();
                self.means[degree * self.numbers..(degree + 1) * self.numbers].iter_mut().for_each(|m| *m *= power);
            }
        }
    }
}
