//! The likelihood of a binary outcome per person-period, summed over rows × their periods in place.
//!
//! A row has the same covariates in all its periods, so a person-period's η is the period's level plus x'β: one
//! exponential per row serves all periods of a logit. What the periods share is gathered per row (the products of
//! covariates), what the rows share per period (the level's score and information).

use crate::hazard::discrete::rows::Rows;
use crate::hazard::link::Link;
use crate::{Interrupt, Result};

/// Rows that pass through the arithmetic together.
const BLOCK: usize = 128;
/// Rows that become columns together.
const QUAD: usize = 4;
/// Periods of rows between two questions whether to go on.
const STEPS_PER_INTERRUPT: usize = 1 << 20;
/// A product of probabilities is turned into a sum of logarithms before it overflows. Odds beyond it are those of a certainty.
const FULL: f64 = 1e150;

/// Which second derivatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Information {
    /// Those of the log-likelihood itself: Newton's method.
    Observed,
    /// Their expectation: Fisher's information, as R's `glm` has it. With a logit both are one.
    Expected,
}

/// The log-likelihood with its derivatives by the levels of the periods and by the (scaled) coefficients.
#[derive(Clone)]
pub struct Evaluation {
    pub log_likelihood: f64,
    /// Per period.
    pub level_score: Vec<f64>,
    /// Per period: the diagonal of the levels' information, which has nothing else.
    pub level_information: Vec<f64>,
    /// Periods × p: the information between levels and coefficients.
    pub cross: Vec<f64>,
    pub score: Vec<f64>,
    /// p × p, row-major, the lower triangle.
    pub information: Vec<f64>,
}

/// ln Π of many factors ≥ 1 by few logarithms.
struct LogProduct {
    product: f64,
    sum: f64,
}

impl LogProduct {
    #[inline(always)]
    fn multiply(&mut self, factor: f64) {
        self.product *= factor;
        if self.product > FULL {
            self.sum += self.product.ln();
            self.product = 1.0;
        }
    }

    fn total(&self) -> f64 {
        self.sum + self.product.ln()
    }
}

/// Some rows on their way through, the covariates column by column.
struct Block {
    /// p × BLOCK
    columns: Vec<f64>,
    eta: [f64; BLOCK],
    /// Whether all η are known to be 0.
    is_null: bool,
    /// Σ over a row's periods of weight × (outcome − probability), and of the information.
    residual: [f64; BLOCK],
    information: [f64; BLOCK],
    rows: usize,
    first: usize,
}

impl Block {
    fn column(&self, at: usize) -> &[f64; BLOCK] {
        self.columns[at * BLOCK..].first_chunk().unwrap_or_else(|| unreachable!("a block has all its columns"))
    }

    /// Takes the rows from `first` on.
    fn load(&mut self, rows: &Rows, first: usize, beta: Option<&[f64]>) {
        let p = rows.covariates;
        (self.first, self.rows) = (first, BLOCK.min(rows.len() - first));
        self.eta.fill(0.0);
        self.is_null = false;
        self.residual.fill(0.0);
        self.information.fill(0.0);
        if let Some(offsets) = rows.offsets.get(first..first + self.rows) {
            self.eta[..self.rows].copy_from_slice(offsets);
        }
        let Some(beta) = beta.filter(|beta| !beta.is_empty()) else { return };
        if self.rows < BLOCK {
            self.columns.fill(0.0);
        }
        let columns = self.columns.as_chunks_mut::<BLOCK>().0;
        let scaling = || rows.means.iter().zip(&rows.scales);
        // Four rows become columns together: a processor may then do two or four at a time.
        let quads = rows.x[first * p..(first + self.rows) * p].chunks_exact(QUAD * p);
        let rest = quads.remainder();
        for (quad, x) in quads.enumerate() {
            let (a, b, c, d) = (&x[..p], &x[p..2 * p], &x[2 * p..3 * p], &x[3 * p..]);
            let values = a.iter().zip(b).zip(c.iter().zip(d));
            for ((column, ((a, b), (c, d))), (mean, scale)) in columns.iter_mut().zip(values).zip(scaling()) {
                column.as_chunks_mut::<QUAD>().0[quad] = [a, b, c, d].map(|value| (value - mean) * scale);
            }
        }
        for (r, x) in (self.rows - self.rows % QUAD..).zip(rest.chunks_exact(p)) {
            for ((column, value), (mean, scale)) in columns.iter_mut().zip(x).zip(scaling()) {
                column[r] = (value - mean) * scale;
            }
        }
        self.is_null = rows.offsets.is_empty() && beta.iter().all(|beta| *beta == 0.0);
        if self.is_null {
            return;
        }
        for (column, beta) in self.columns.as_chunks::<BLOCK>().0.iter().zip(beta) {
            self.eta.iter_mut().zip(column).for_each(|(eta, z)| *eta += beta * z);
        }
    }
}

/// The log-likelihood and its derivatives at `levels` (−∞: no hazard in that period) and `beta` (`None`: all 0, and
/// nothing is wanted of the coefficients), over one in `every` blocks of rows; `None` when a number is not finite.
#[allow(clippy::too_many_arguments)]
pub fn evaluate(
    rows: &Rows,
    every: usize,
    link: Link,
    levels: &[f64],
    beta: Option<&[f64]>,
    which: Information,
    interrupt: Interrupt,
) -> Result<Option<Evaluation>> {
    let p = beta.map_or(0, <[f64]>::len);
    let periods = levels.len();
    let mut sum = Evaluation {
        log_likelihood: 0.0,
        level_score: vec![0.0; periods],
        level_information: vec![0.0; periods],
        cross: vec![0.0; periods * p],
        score: vec![0.0; p],
        information: vec![0.0; p * p],
    };
    let risks: Vec<f64> = levels.iter().map(|level| level.exp()).collect();
    let mut block = Block {
        columns: vec![0.0; p * BLOCK],
        eta: [0.0; BLOCK],
        is_null: false,
        residual: [0.0; BLOCK],
        information: [0.0; BLOCK],
        rows: 0,
        first: 0,
    };
    let mut product = LogProduct { product: 1.0, sum: 0.0 };
    let (mut z, mut weighted) = (vec![0.0; p], [0.0; BLOCK]);
    let mut steps = 0;
    for first in (0..rows.len()).step_by(BLOCK * every) {
        block.load(rows, first, beta);
        let single = rows.ends.is_empty();
        if single && link == Link::Logit && rows.weights.is_empty() {
            sum.log_likelihood += decide(&mut block, rows, levels[0], risks[0], &mut product);
            steps += BLOCK;
        } else {
            for r in 0..block.rows {
                if !single {
                    z.iter_mut().enumerate().for_each(|(c, z)| *z = block.columns[c * BLOCK + r]);
                }
                steps += pass(&mut block, r, rows, link, levels, &risks, which, &z, &mut sum);
                if steps > STEPS_PER_INTERRUPT {
                    interrupt()?;
                    steps = 0;
                }
            }
        }
        if single {
            sum.level_score[0] += total(&block.residual);
            sum.level_information[0] += total(&block.information);
        }
        for i in 0..p {
            sum.score[i] += dot(block.column(i), &block.residual);
            let column = block.column(i);
            weighted.iter_mut().zip(column).zip(&block.information).for_each(|((w, z), i)| *w = z * i);
            if single {
                sum.cross[i] += total(&weighted);
            }
            let row = &mut sum.information[i * p..][..=i];
            for (pair, sums) in row.chunks_mut(2).enumerate() {
                match sums {
                    [one, other] => {
                        let dots = dots(block.column(2 * pair), block.column(2 * pair + 1), &weighted);
                        (*one, *other) = (*one + dots[0], *other + dots[1]);
                    }
                    sums => sums.iter_mut().for_each(|one| *one += dot(block.column(2 * pair), &weighted)),
                }
            }
        }
        steps += p * p;
        if steps > STEPS_PER_INTERRUPT {
            interrupt()?;
            steps = 0;
        }
    }
    sum.log_likelihood -= product.total();
    for i in 0..p {
        for j in 0..i {
            sum.information[j * p + i] = sum.information[i * p + j];
        }
    }
    let all = [&sum.level_score, &sum.level_information, &sum.cross, &sum.score, &sum.information];
    let finite = sum.log_likelihood.is_finite() && all.iter().all(|part| part.iter().all(|value| value.is_finite()));
    Ok(finite.then_some(sum))
}

fn is_beyond(odds: f64) -> bool {
    odds > FULL || odds.is_nan()
}

/// Odds e^(level + η) whose product e^level e^η has overflowed, and what ln(1 + odds) is beyond that of these.
#[cold]
fn large_odds(level: f64, eta: f64) -> (f64, f64) {
    let (log_odds, certain) = (level + eta, FULL.ln());
    if log_odds > certain { (FULL, log_odds - certain) } else { (log_odds.exp(), 0.0) }
}

/// A block of single decisions with a logit and no weights; their normalisers go into `product`.
fn decide(block: &mut Block, rows: &Rows, level: f64, risk: f64, product: &mut LogProduct) -> f64 {
    let mut sum = 0.0;
    let events = &rows.events[block.first..block.first + block.rows];
    let mut odds = [risk; BLOCK];
    if !block.is_null {
        odds.iter_mut().zip(&block.eta[..block.rows]).for_each(|(odds, eta)| *odds = risk * eta.exp());
    }
    // One customer with a million seats among many with ten: its η leaves the numbers where the others' is small.
    if odds[..block.rows].iter().fold(false, |beyond, odds| beyond | is_beyond(*odds)) {
        for (odds, eta) in odds.iter_mut().zip(&block.eta[..block.rows]).filter(|(odds, _)| is_beyond(**odds)) {
            let (bounded, beyond) = large_odds(level, *eta);
            *odds = bounded;
            sum -= beyond;
        }
    }
    let parts = block.residual.iter_mut().zip(&mut block.information);
    for ((odds, event), (residual, information)) in odds.iter().zip(events).zip(parts) {
        let not = 1.0 / (1.0 + odds);
        let probability = odds * not;
        *information = probability * not;
        *residual = if *event { not } else { -probability };
    }
    for ((odds, eta), event) in odds.iter().zip(&block.eta).zip(events) {
        sum += if *event { level + eta } else { 0.0 };
        product.multiply(1.0 + odds);
    }
    sum
}

/// One row through all its periods; `z` are its covariates where they are wanted per period. Returns the steps taken.
#[allow(clippy::too_many_arguments)]
#[inline(always)]
fn pass(
    block: &mut Block,
    r: usize,
    rows: &Rows,
    link: Link,
    levels: &[f64],
    risks: &[f64],
    which: Information,
    z: &[f64],
    sum: &mut Evaluation,
) -> usize {
    let row = block.first + r;
    let (first, end) = rows.span(row);
    if end <= first {
        return 1;
    }
    let single = rows.ends.is_empty();
    let (weight, event, eta) = (rows.weight(row), rows.events[row], block.eta[r]);
    let risk = eta.exp();
    let mut log_likelihood = 0.0;
    let mut product = LogProduct { product: 1.0, sum: 0.0 };
    let (mut residuals, mut informations) = (0.0, 0.0);
    for (period, base) in risks.iter().enumerate().take(end).skip(first) {
        let happens = event && period + 1 == end;
        let mut odds = base * risk;
        if is_beyond(odds) && (link == Link::Logit || happens) {
            let (bounded, beyond) = large_odds(levels[period], eta);
            odds = bounded;
            // That the event is certain is no matter of how much.
            log_likelihood -= if link == Link::Logit { beyond } else { 0.0 };
        }
        let (residual, information) = match link {
            Link::Logit => {
                let not = 1.0 / (1.0 + odds);
                let probability = odds * not;
                product.multiply(1.0 + odds);
                (if happens { not } else { -probability }, probability * not)
            }
            Link::Cloglog => {
                // The odds of a logit are the hazard here.
                let at_event = if happens || which == Information::Expected {
                    if odds == 0.0 { 1.0 } else { odds / odds.exp_m1() }
                } else {
                    0.0
                };
                if happens {
                    // ln p ≈ η where e^η is nothing.
                    log_likelihood += if odds > 0.0 { (-(-odds).exp_m1()).ln() } else { levels[period] + eta };
                } else {
                    log_likelihood -= odds;
                }
                let information = match which {
                    Information::Expected => odds * at_event,
                    Information::Observed if happens => at_event * (odds + at_event - 1.0),
                    Information::Observed => odds,
                };
                (if happens { at_event } else { -odds }, information)
            }
        };
        let (residual, information) = (weight * residual, weight * information);
        residuals += residual;
        informations += information;
        if !single {
            sum.level_score[period] += residual;
            sum.level_information[period] += information;
            let cross = &mut sum.cross[period * z.len()..][..z.len()];
            cross.iter_mut().zip(z).for_each(|(cross, z)| *cross += information * z);
        }
    }
    if link == Link::Logit {
        log_likelihood -= product.total();
        if event {
            log_likelihood += levels[end - 1] + eta;
        }
    }
    sum.log_likelihood += weight * log_likelihood;
    block.residual[r] = residuals;
    block.information[r] = informations;
    end - first
}

/// Sums in eight lanes, so that a processor may take several at a time.
fn dot(a: &[f64; BLOCK], b: &[f64; BLOCK]) -> f64 {
    let mut lanes = [0.0; 8];
    for (a, b) in a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    lanes.iter().sum()
}

/// The same of two columns with one.
fn dots(a: &[f64; BLOCK], b: &[f64; BLOCK], with: &[f64; BLOCK]) -> [f64; 2] {
    let mut lanes = [[0.0; 8]; 2];
    let blocks = a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0);
    for ((a, b), with) in blocks.zip(with.as_chunks::<8>().0) {
        for at in 0..8 {
            lanes[0][at] += a[at] * with[at];
            lanes[1][at] += b[at] * with[at];
        }
    }
    lanes.map(|lanes| lanes.iter().sum())
}

fn total(a: &[f64; BLOCK]) -> f64 {
    let mut lanes = [0.0; 8];
    for a in a.as_chunks::<8>().0 {
        lanes.iter_mut().zip(a).for_each(|(lane, a)| *lane += a);
    }
    lanes.iter().sum()
}
