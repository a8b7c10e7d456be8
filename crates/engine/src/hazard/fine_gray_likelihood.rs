//! The weighted partial likelihood of a subdistribution hazard, its derivatives, and what each row contributes to them.
//!
//! Fine & Gray (1999), §3 and §4, with the ties of Breslow and Efron. At the j-th event time the risk set is the rows
//! that are there, and with weight observed_j × share those that ended by another cause before. As the weight is a
//! product, both sums run over the rows once, whatever the number of event times: those who are there are summed from
//! the last event time back, those who are gone from the first one on.

use crate::hazard::cox::Ties;
use crate::hazard::design::Design;
use crate::hazard::fine_gray_sums::{RiskSums, add};
use crate::hazard::fine_gray_weights::{End, Places};
use crate::hazard::increment::{Increment, Tie};
use crate::hazard::risk_sets::ROWS_PER_INTERRUPT;
use crate::hazard::scaling::centre_and_scale;
use crate::hazard::timeline::reserve;
use crate::numeric::sum::Sum;
use crate::{Error, Interrupt, Result};

/// Largest exponent allowed into a sum.
const LARGEST_EXPONENT: f64 = 200.0;
/// Where the largest linear predictor is put when it is too large.
const RECENTRED_EXPONENT: f64 = 100.0;

/// The rows, centred and scaled, with where they stand; working memory for one set of coefficients.
#[derive(Debug)]
pub(super) struct Likelihood<'a> {
    design: &'a Design,
    pub places: &'a Places,
    ties: Ties,
    pub p: usize,
    /// Rows × p: covariates less `means`, times `scales`.
    pub x: Vec<f64>,
    pub means: Vec<f64>,
    /// 0 for a constant covariate.
    pub scales: Vec<f64>,
    /// Per event time the number of endings by the cause and their mean weight.
    deaths: Vec<(u32, f64)>,
    pub weighted_events: f64,
    /// Σ w x over the endings by the cause.
    death_sum: Vec<f64>,
    /// Per row w e^(βx − shift).
    risk: Vec<f64>,
    /// Event times × (1 + p): Σ r and Σ r x over the risk set, and over those who end.
    total: RiskSums,
    ending: Vec<f64>,
    pub terms: Vec<Increment>,
}

/// The log-likelihood and its derivatives at some coefficients, in scaled units.
#[derive(Debug)]
pub(super) struct Evaluation {
    pub log_likelihood: f64,
    pub score: Vec<f64>,
    /// p × p, row-major, symmetric.
    pub information: Vec<f64>,
    /// The diagonal of the second moments from which the means' were taken to make the information.
    pub moments: Vec<f64>,
}

impl<'a> Likelihood<'a> {
    pub fn new(design: &'a Design, places: &'a Places, ties: Ties, interrupt: Interrupt) -> Result<Self> {
        let (rows, p, times) = (design.len(), design.covariates(), places.event_times.len());
        let (means, scales) = centre_and_scale(design, interrupt)?;
        let room = |length: usize| {
            let mut column = Vec::new();
            reserve(&mut column, length)?;
            column.resize(length, 0.0);
            Ok::<Vec<f64>, Error>(column)
        };
        let cells = times.checked_mul(p + 1).ok_or_else(|| Error::OutOfRange("too many event times".into()))?;
        let mut likelihood = Likelihood {
            design,
            places,
            ties,
            p,
            x: room(rows * p)?,
            means,
            scales,
            deaths: vec![(0, 0.0); times],
            weighted_events: 0.0,
            death_sum: vec![0.0; p],
            risk: room(rows)?,
            total: RiskSums::new(cells, p + 1, places.first.iter().any(|first| *first > 0))?,
            ending: room(cells)?,
            terms: vec![Increment::default(); times],
        };
        interrupt()?;
        likelihood.gather();
        Ok(likelihood)
    }

    fn weight(&self, row: usize) -> f64 {
        self.design.weights().get(row).copied().unwrap_or(1.0)
    }

    fn gather(&mut self) {
        let p = self.p;
        for (to, from) in self.x.chunks_exact_mut(p).zip(self.design.x().chunks_exact(p)) {
            for (((to, from), mean), scale) in to.iter_mut().zip(from).zip(&self.means).zip(&self.scales) {
                *to = (from - mean) * scale;
            }
        }
        let mut sums = vec![Sum::default(); p];
        let mut weights = Sum::default();
        for row in (0..self.design.len()).filter(|row| self.places.ends[*row] == End::Cause) {
            let (weight, at) = (self.weight(row), self.places.last[row] as usize - 1);
            weights.add(weight);
            self.deaths[at].0 += 1;
            self.deaths[at].1 += weight;
            sums.iter_mut().zip(&self.x[row * p..(row + 1) * p]).for_each(|(sum, x)| sum.add(weight * x));
        }
        self.deaths.iter_mut().for_each(|(count, weight)| *weight /= f64::from(*count));
        self.death_sum = sums.iter().map(Sum::total).collect();
        self.weighted_events = weights.total();
    }

    /// Fills `risk`, `total`, `ending` and `terms` at `beta`; all sums of r are in units of e^shift, which is returned.
    pub fn sweep(&mut self, beta: &[f64], interrupt: Interrupt) -> Result<f64> {
        let (p, width) = (self.p, self.p + 1);
        let times = self.terms.len();
        let mut largest = f64::NEG_INFINITY;
        for (risk, x) in self.risk.iter_mut().zip(self.x.chunks_exact(p)) {
            *risk = x.iter().zip(beta).map(|(x, beta)| x * beta).sum();
            largest = largest.max(*risk);
        }
        let shift = if largest > LARGEST_EXPONENT { largest - RECENTRED_EXPONENT } else { 0.0 };
        interrupt()?;
        // By event time: those who leave after it and before the next (less those who come), those who are gone to
        // another cause.
        let mut gone = vec![0.0; (times + 1) * width];
        self.total.clear();
        self.ending.fill(0.0);
        for row in 0..self.design.len() {
            if row % ROWS_PER_INTERRUPT == ROWS_PER_INTERRUPT - 1 {
                interrupt()?;
            }
            let r = self.weight(row) * (self.risk[row] - shift).exp();
            self.risk[row] = r;
            let x = &self.x[row * p..(row + 1) * p];
            let (first, last) = (self.places.first[row] as usize, self.places.last[row] as usize);
            if last > first {
                self.total.add(last - 1, r, x);
                if first > 0 {
                    self.total.add(first - 1, -r, x);
                }
            }
            match self.places.ends[row] {
                End::Cause => add(&mut self.ending[(last - 1) * width..last * width], r, x),
                End::Other => add(&mut gone[last * width..(last + 1) * width], r * self.places.share[row], x),
                End::Censored => {}
            }
        }
        self.total.accumulate();
        for at in 0..times {
            let (earlier, later) = gone.split_at_mut((at + 1) * width);
            let now = &earlier[at * width..];
            self.total.of_mut(at).iter_mut().zip(now).for_each(|(to, gone)| *to += self.places.observed[at] * gone);
            later[..width].iter_mut().zip(now).for_each(|(to, from)| *to += from);
        }
        for at in 0..times {
            let (count, mean_weight) = self.deaths[at];
            let (total, dying) = (self.total.of(at)[0], self.ending[at * width]);
            let tie = Tie { total, dying, deaths: count as usize, mean_weight };
            self.terms[at] = Increment::new(tie, self.ties, interrupt)?;
        }
        Ok(shift)
    }

    /// Σ r x over the risk set of an event time, and over those who end then.
    pub fn sums(&self, at: usize) -> (&[f64], &[f64]) {
        (&self.total.of(at)[1..], &self.ending[at * (self.p + 1) + 1..(at + 1) * (self.p + 1)])
    }

    /// Running sums of the hazards, one more than there are event times: as they are, and times the chance to be
    /// observed. With their rounding errors: of a hazard that was huge while next to nobody was at risk, late entries need
    /// differences.
    fn cumulative(&self) -> (Vec<Sum>, Vec<Sum>) {
        let (mut plain, mut observed) = (vec![Sum::default()], vec![Sum::default()]);
        let (mut plain_sum, mut observed_sum) = (Sum::default(), Sum::default());
        for (term, chance) in self.terms.iter().zip(&self.places.observed) {
            plain_sum.add(term.hazard);
            observed_sum.add(term.hazard * chance);
            plain.push(plain_sum);
            observed.push(observed_sum);
        }
        (plain, observed)
    }

    /// The likelihood at `beta` (p, scaled); `None` where it leaves the range of numbers.
    pub fn evaluate(&mut self, beta: &[f64], interrupt: Interrupt) -> Result<Option<Evaluation>> {
        let shift = self.sweep(beta, interrupt)?;
        let p = self.p;
        let (plain, observed) = self.cumulative();
        let all_observed = observed.last().copied().unwrap_or_default();
        let mut information = vec![0.0; p * p];
        // Blocks, so that rounding does not grow with the number of rows.
        let mut block = vec![0.0; p * p];
        let mut expected_sum = vec![Sum::default(); p];
        for (number, rows) in self.x.chunks(1024 * p).enumerate() {
            if number % (ROWS_PER_INTERRUPT / 1024) == 0 {
                interrupt()?;
            }
            block.fill(0.0);
            for (i, x) in rows.chunks_exact(p).enumerate() {
                let row = number * 1024 + i;
                let (first, last) = (self.places.first[row] as usize, self.places.last[row] as usize);
                let mut hazard = if last > first { plain[last].less(plain[first]) } else { 0.0 };
                match self.places.ends[row] {
                    End::Cause => hazard -= self.terms[last - 1].spared,
                    End::Other => hazard += self.places.share[row] * all_observed.less(observed[last]),
                    End::Censored => {}
                }
                let expected = self.risk[row] * hazard;
                if expected != 0.0 {
                    add_square(&mut block, expected, x, x);
                    expected_sum.iter_mut().zip(x).for_each(|(sum, x)| sum.add(expected * x));
                }
            }
            information.iter_mut().zip(&block).for_each(|(sum, term)| *sum += term);
        }
        let moments = (0..p).map(|i| information[i * (p + 1)]).collect();
        let mut log_sum = Sum::default();
        block.fill(0.0);
        for (at, term) in self.terms.iter().enumerate() {
            log_sum.add(term.log);
            // Σ m u u' with u the means of x over the terms: a ss' − b (sd' + ds') + c dd'.
            let (total, ending) = self.sums(at);
            add_square(&mut block, term.square, total, total);
            if term.square_spared > 0.0 {
                add_square(&mut block, -term.square_spared, total, ending);
                add_square(&mut block, -term.square_spared, ending, total);
                add_square(&mut block, term.square_spared_twice, ending, ending);
            }
            if at % 1024 == 1023 {
                information.iter_mut().zip(&block).for_each(|(sum, term)| *sum -= term);
                block.fill(0.0);
            }
        }
        information.iter_mut().zip(&block).for_each(|(sum, term)| *sum -= term);
        for i in 0..p {
            for j in 0..i {
                information[j * p + i] = information[i * p + j];
            }
        }
        let at_ends: f64 = beta.iter().zip(&self.death_sum).map(|(beta, sum)| beta * sum).sum();
        let log_likelihood = at_ends - log_sum.total() - shift * self.weighted_events;
        let score: Vec<f64> =
            self.death_sum.iter().zip(&expected_sum).map(|(ended, expected)| ended - expected.total()).collect();
        let finite = [log_likelihood].iter().chain(&score).chain(&information).all(|number| number.is_finite());
        Ok(finite.then_some(Evaluation { log_likelihood, score, information, moments }))
    }

    /// The running sum over event times of the mean covariates of the risk set times the hazard's increment, times the
    /// chance to be observed if so asked: (event times + 1) × p.
    pub fn mean_path(&self, observed: bool) -> Result<Vec<Sum>> {
        let p = self.p;
        let mut path = Vec::new();
        reserve(&mut path, (self.terms.len() + 1) * p)?;
        path.resize(p, Sum::default());
        for (at, term) in self.terms.iter().enumerate() {
            let chance = if observed { self.places.observed[at] } else { 1.0 };
            let (total, ending) = self.sums(at);
            for k in 0..p {
                let part = term.square * total[k] - term.square_spared * ending[k];
                let mut sum: Sum = path[at * p + k];
                sum.add(chance * part);
                path.push(sum);
            }
        }
        Ok(path)
    }

    /// Σ u u' of the rows' contributions u to the score at the coefficients of the last sweep (Lin & Wei 1989, the
    /// weights taken as known): the middle of the robust variance. p × p, row-major.
    pub fn squared_contributions(&self, interrupt: Interrupt) -> Result<Vec<f64>> {
        let p = self.p;
        let (plain, observed) = self.cumulative();
        let (plain_path, observed_path) = (self.mean_path(false)?, self.mean_path(true)?);
        let end = self.terms.len();
        let mut sum = vec![0.0; p * p];
        let mut u = vec![0.0; p];
        for row in 0..self.design.len() {
            if row % ROWS_PER_INTERRUPT == ROWS_PER_INTERRUPT - 1 {
                interrupt()?;
            }
            let x = &self.x[row * p..(row + 1) * p];
            let (first, last, r) = (self.places.first[row] as usize, self.places.last[row] as usize, self.risk[row]);
            u.fill(0.0);
            if last > first {
                let hazard = plain[last].less(plain[first]);
                for k in 0..p {
                    u[k] -= r * (x[k] * hazard - plain_path[last * p + k].less(plain_path[first * p + k]));
                }
            }
            match self.places.ends[row] {
                End::Censored => {}
                End::Other => {
                    let (rest, share) = (observed[end].less(observed[last]), r * self.places.share[row]);
                    for k in 0..p {
                        let path = observed_path[end * p + k].less(observed_path[last * p + k]);
                        u[k] -= share * (x[k] * rest - path);
                    }
                }
                End::Cause => {
                    let (term, (total, ending)) = (&self.terms[last - 1], self.sums(last - 1));
                    let (count, mean_weight) = self.deaths[last - 1];
                    let (weight, each) = (self.weight(row), 1.0 / (mean_weight * f64::from(count)));
                    for k in 0..p {
                        // Its own share of the tie's terms, and x less the risk set's mean over them.
                        let spared = term.square_spared * total[k] - term.square_spared_twice * ending[k];
                        u[k] += r * (x[k] * term.spared - spared);
                        u[k] += weight * (x[k] - each * (term.hazard * total[k] - term.spared * ending[k]));
                    }
                }
            }
            add_square(&mut sum, 1.0, &u, &u);
        }
        for i in 0..p {
            for j in 0..i {
                sum[j * p + i] = sum[i * p + j];
            }
        }
        Ok(sum)
    }
}

/// Adds the lower triangle of `scale` a b'.
#[inline]
fn add_square(matrix: &mut [f64], scale: f64, a: &[f64], b: &[f64]) {
    let p = a.len();
    for (i, (row, a)) in matrix.chunks_exact_mut(p).zip(a).enumerate() {
        let scaled = scale * a;
        row[..=i].iter_mut().zip(b).for_each(|(sum, b)| *sum += scaled * b);
    }
}
