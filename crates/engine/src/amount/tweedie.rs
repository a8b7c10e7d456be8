//! The Tweedie density with 1 < p < 2, and with it the most likely dispersion and power.
//!
//! The density has no closed form: ln f = ln W(y, φ) − ln y + (y θ − κ) / φ with θ = μ^(1−p)/(1−p), κ = μ^(2−p)/(2−p) and
//! W the series Σ_j z^j / (j! Γ(j a)), a = (2−p)/(p−1), summed outward from its largest term (Dunn & Smyth 2005).

use crate::memory::Room;
use std::collections::TryReserveError;

use crate::numeric::gamma::log_gamma;
use crate::numeric::sum::Sum;
use crate::{Interrupt, Result};

/// Terms less than e^−40 times the largest change no digit of the sum, nor of its first two moments.
const NEGLIGIBLE: f64 = 40.0;
/// Where the largest term is further out, the terms that matter are thousands and the saddlepoint approximation is exact
/// to some parts in a million (Dunn & Smyth 2001).
const SUMMED: f64 = 3e4;
/// As many values of ln(j! Γ(j a)) are kept.
const KEPT: usize = 1 << 15;
/// Newton steps for the dispersion, and how close it is then.
const STEPS: usize = 60;
const CLOSE: f64 = 1e-10;
/// Rows, each of up to some thousand terms, between two looks at whether to go on.
const ROWS_PER_INTERRUPT: usize = 256;
/// The longest step in ln φ.
const LONGEST_STEP: f64 = 2.0;

/// The rows of a fit by what the density of each needs. Amounts are taken over a unit, lest powers overflow.
pub struct Densities {
    power: f64,
    unit: f64,
    /// y / unit and weight of the rows where y > 0.
    positive: Vec<(f64, f64)>,
    /// Σ weight (y θ − κ) over all rows, and −Σ weight ln y over those where y > 0.
    exponent: Sum,
    logs: Sum,
    /// ln(j! Γ(j a)) for j = 1, 2, …
    log_terms: Vec<f64>,
    /// In units of the amounts' unit.
    dispersion: f64,
}

impl Densities {
    pub fn new(power: f64, unit: f64) -> Densities {
        let (exponent, logs) = (Sum::default(), Sum::default());
        Densities { power, unit, positive: Vec::new(), exponent, logs, log_terms: Vec::new(), dispersion: 1.0 }
    }

    pub fn reserve(&mut self, rows: usize) -> std::result::Result<(), TryReserveError> {
        self.positive.exact_room(rows)
    }

    pub fn add(&mut self, y: f64, mean: f64, weight: f64) {
        let (p, y_here, mean) = (self.power, y / self.unit, mean / self.unit);
        let theta = mean.powf(1.0 - p) / (1.0 - p);
        let kappa = mean.powf(2.0 - p) / (2.0 - p);
        self.exponent.add(weight * (if y > 0.0 { y_here * theta } else { 0.0 } - kappa));
        if y > 0.0 {
            self.positive.push((y_here, weight));
            self.logs.add(-weight * y.ln());
        }
    }

    pub fn is_sound(&self) -> bool {
        self.exponent.total().is_finite() && self.logs.total().is_finite()
    }

    /// φ of the last call of [`Densities::maximum_over_dispersion`].
    pub fn dispersion(&self) -> f64 {
        self.dispersion * self.unit.powf(2.0 - self.power)
    }

    /// The log-likelihood at the dispersion φ.
    pub fn log_likelihood(&mut self, dispersion: f64, interrupt: Interrupt) -> Result<f64> {
        Ok(self.at(dispersion / self.unit.powf(2.0 - self.power), interrupt)?[0])
    }

    /// The log-likelihood at its maximum over φ, looked for from `start` on by Newton's method in ln φ; `None` when there
    /// is none within the numbers.
    pub fn maximum_over_dispersion(&mut self, start: f64, interrupt: Interrupt) -> Result<Option<f64>> {
        let start = start / self.unit.powf(2.0 - self.power);
        let mut at = if start > 0.0 && start.is_finite() { start.ln() } else { 0.0 };
        let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
        let mut now = self.at(at.exp(), &mut *interrupt)?;
        for _ in 0..STEPS {
            let [_, slope, curvature] = now;
            if !(slope.is_finite() && curvature.is_finite()) {
                return Ok(None);
            }
            // The slope falls through 0 at the maximum: it tells on which side that is.
            if slope > 0.0 {
                low = at
            } else {
                high = at
            }
            let newton = if curvature < 0.0 { -slope / curvature } else { slope.signum() * LONGEST_STEP };
            let step = newton.clamp(-LONGEST_STEP, LONGEST_STEP);
            if step.abs() <= CLOSE {
                self.dispersion = at.exp();
                return Ok(Some(now[0]).filter(|value| value.is_finite()));
            }
            let beyond = at + step <= low || at + step >= high;
            at = if beyond && (high - low).is_finite() { (low + high) / 2.0 } else { at + step };
            now = self.at(at.exp(), &mut *interrupt)?;
        }
        Ok(None)
    }

    /// The log-likelihood at φ (in the unit) and its first two derivatives in ln φ.
    fn at(&mut self, dispersion: f64, interrupt: Interrupt) -> Result<[f64; 3]> {
        if !(dispersion > 0.0 && dispersion < f64::INFINITY) {
            return Ok([f64::NAN; 3]);
        }
        let (p, a) = (self.power, (2.0 - self.power) / (self.power - 1.0));
        let (mut value, mut slope, mut curvature) = (Sum::default(), Sum::default(), Sum::default());
        let constant = -a * (p - 1.0).ln() - (1.0 + a) * dispersion.ln() - (2.0 - p).ln();
        for row in 0..self.positive.len() {
            if row % ROWS_PER_INTERRUPT == 0 {
                interrupt()?;
            }
            let (y, weight) = self.positive[row];
            let log_z = constant + a * y.ln();
            let largest = (y.powf(2.0 - p) / (dispersion * (2.0 - p))).round().max(1.0);
            let (log_sum, mean, variance) = match largest <= SUMMED {
                true => self.series(log_z, a, largest),
                false => saddle(y, p, a, dispersion),
            };
            value.add(weight * log_sum);
            slope.add(-weight * (1.0 + a) * mean);
            curvature.add(weight * (1.0 + a) * (1.0 + a) * variance);
        }
        let exponent = self.exponent.total() / dispersion;
        value.add(exponent);
        value.add_sum(self.logs);
        slope.add(-exponent);
        curvature.add(exponent);
        Ok([value.total(), slope.total(), curvature.total()])
    }

    /// ln Σ_j z^j / (j! Γ(j a)) with the mean and variance of j under its terms; they are largest about `centre`.
    fn series(&mut self, log_z: f64, a: f64, centre: f64) -> (f64, f64, f64) {
        let top = centre * log_z - self.log_term(centre as usize, a);
        let (mut sum, mut first, mut second) = (1.0, 0.0, 0.0);
        for direction in [1.0, -1.0] {
            let mut away = 1.0;
            loop {
                let j = centre + direction * away;
                if j < 1.0 {
                    break;
                }
                let term = j * log_z - self.log_term(j as usize, a) - top;
                // Nor does what is no number go on for ever.
                if term.is_nan() || term < -NEGLIGIBLE {
                    break;
                }
                let term = term.exp();
                sum += term;
                first += term * direction * away;
                second += term * away * away;
                away += 1.0;
            }
        }
        let shift = first / sum;
        (top + sum.ln(), centre + shift, second / sum - shift * shift)
    }

    fn log_term(&mut self, j: usize, a: f64) -> f64 {
        let term = |j: usize| log_gamma(j as f64 + 1.0)[0] + log_gamma(j as f64 * a)[0];
        if j > KEPT {
            return term(j);
        }
        while self.log_terms.len() < j {
            let next = self.log_terms.len() + 1;
            self.log_terms.push(term(next));
        }
        self.log_terms[j - 1]
    }
}

/// The same by f ≈ (2π φ y^p)^(−½) e^(−d/2φ), d the unit deviance (Jørgensen 1987).
fn saddle(y: f64, p: f64, a: f64, dispersion: f64) -> (f64, f64, f64) {
    let own = y.powf(2.0 - p) / ((p - 1.0) * (2.0 - p) * dispersion);
    let log_sum = y.ln() - 0.5 * (std::f64::consts::TAU * dispersion * y.powf(p)).ln() + own;
    // Derivatives in ln φ: −½ − own, and own.
    (log_sum, (0.5 + own) / (1.0 + a), own / ((1.0 + a) * (1.0 + a)))
}

/// The power in [1.05, 1.95] with the highest `profile`, to three digits.
pub(super) fn most_likely_power(profile: &mut impl FnMut(f64) -> Result<f64>) -> Result<f64> {
    /// Of the interval, what golden sections leave.
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    const WIDTH: f64 = 5e-4;
    let grid = [1.05, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 1.95];
    let mut values = Vec::with_capacity(grid.len());
    for power in grid {
        values.push(profile(power)?);
    }
    let best = (0..grid.len()).max_by(|a, b| values[*a].total_cmp(&values[*b])).unwrap_or(0);
    let (mut low, mut high) = (grid[best.saturating_sub(1)], grid[(best + 1).min(grid.len() - 1)]);
    let (mut left, mut right) = (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
    let (mut at_left, mut at_right) = (profile(left)?, profile(right)?);
    while high - low > WIDTH {
        if at_left >= at_right {
            (high, right, at_right) = (right, left, at_left);
            left = high - GOLDEN * (high - low);
            at_left = profile(left)?;
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = low + GOLDEN * (high - low);
            at_right = profile(right)?;
        }
    }
    Ok(((low + high) / 2.0 * 1e3).round() / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_saddlepoint_meets_the_series() {
        for p in [1.1, 1.5, 1.9] {
            let (a, mut densities) = ((2.0 - p) / (p - 1.0), Densities::new(p, 1.0));
            for (y, dispersion) in [(3.0f64, 1e-4f64), (0.2, 2e-5)] {
                let log_z = a * y.ln() - a * (p - 1.0).ln() - (1.0 + a) * dispersion.ln() - (2.0 - p).ln();
                let centre = (y.powf(2.0 - p) / (dispersion * (2.0 - p))).round();
                let (exact, mean, variance) = densities.series(log_z, a, centre);
                let (near, near_mean, near_variance) = saddle(y, p, a, dispersion);
                // ln W of many thousands, off by the order of one in the number of terms.
                assert!((exact - near).abs() < 3.0 / centre + 1e-12 * exact.abs(), "{p} {y}: {exact} {near}");
                assert!((mean - near_mean).abs() < 1.0 && (variance / near_variance - 1.0).abs() < 1e-2);
            }
        }
    }

    #[test]
    fn the_dispersion_is_where_the_likelihood_is_largest() {
        let mut densities = Densities::new(1.5, 1.0);
        for (y, mean) in [(0.0, 1.0), (2.5, 1.5), (0.3, 0.8), (4.0, 2.0), (0.0, 0.5), (1.1, 1.0)] {
            densities.add(y, mean, 1.0);
        }
        let mut go_on = || Ok(());
        let most = densities.maximum_over_dispersion(0.01, &mut go_on).unwrap().unwrap();
        let at = densities.dispersion();
        assert!((most - densities.log_likelihood(at, &mut go_on).unwrap()).abs() < 1e-12);
        for other in [at * 0.99, at * 1.01] {
            assert!(densities.log_likelihood(other, &mut go_on).unwrap() < most);
        }
    }
}
