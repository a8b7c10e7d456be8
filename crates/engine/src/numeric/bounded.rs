//! The least value of a quadratic function of numbers that must not be negative.

use nalgebra::{Cholesky, DMatrix, DVector};

use crate::{Interrupt, Result};

/// Added to a matrix of unit diagonal, so that intervals that no row tells apart do no harm.
const RIDGE: f64 = 1e-12;

/// The q >= 0 that minimises (q − p)' H (q − p) / 2 − g' (q − p): an active set method that starts at p with all free
/// (Lawson & Hanson 1974, chapter 23). It may stop early, never higher than at p.
pub fn bounded_minimum(
    h: &DMatrix<f64>,
    g: &DVector<f64>,
    p: &DVector<f64>,
    interrupt: Interrupt,
) -> Result<DVector<f64>> {
    let size = p.len();
    let mut q = p.clone();
    let mut free: Vec<bool> = (0..size).map(|j| p[j] > 0.0 || g[j] > 0.0).collect();
    let mut released = 0;
    for _ in 0..4 * size + 16 {
        interrupt()?;
        let places: Vec<usize> = (0..size).filter(|j| free[*j]).collect();
        // Those held at 0 have moved by −p.
        let held: Vec<usize> = (0..size).filter(|j| !free[*j] && p[*j] > 0.0).collect();
        let right_hand = |j: &usize| g[*j] + held.iter().map(|k| h[(*j, *k)] * p[*k]).sum::<f64>();
        let Some(change) = solve(h, &places, places.iter().map(right_hand)) else { return Ok(q) };
        let aim: Vec<f64> = places.iter().zip(change.iter()).map(|(j, change)| p[*j] + change).collect();
        let blocked: Vec<usize> =
            places.iter().zip(&aim).filter(|(j, aim)| **aim <= 0.0 && q[**j] <= 0.0).map(|(j, _)| *j).collect();
        if !blocked.is_empty() {
            blocked.into_iter().for_each(|j| free[j] = false);
            continue;
        }
        let steps = places.iter().zip(&aim).filter(|(_, aim)| **aim <= 0.0).map(|(j, aim)| q[*j] / (q[*j] - aim));
        let step = steps.fold(1.0, f64::min);
        for (j, aim) in places.iter().zip(&aim) {
            q[*j] = if step < 1.0 { q[*j] + step * (aim - q[*j]) } else { *aim };
            if *aim <= 0.0 && q[*j] <= f64::EPSILON * p[*j].max(f64::MIN_POSITIVE) {
                q[*j] = 0.0;
                free[*j] = false;
            }
        }
        if step < 1.0 {
            continue;
        }
        // Whether one of those held at 0 wants to rise.
        let change = &q - p;
        let pull = |j: usize| (g[j] - h.row(j).transpose().dot(&change)) / h[(j, j)].sqrt();
        let largest = (0..size).filter(|j| !free[*j]).map(|j| (j, pull(j))).max_by(|a, b| a.1.total_cmp(&b.1));
        match largest {
            Some((j, pull)) if pull > 1e-12 * g.amax() / h[(j, j)].sqrt() && released < size => {
                free[j] = true;
                released += 1;
            }
            _ => break,
        }
    }
    Ok(q)
}

/// Solves H x = b over some places, H scaled to a unit diagonal; `None` when that is not possible.
fn solve(h: &DMatrix<f64>, places: &[usize], b: impl Iterator<Item = f64>) -> Option<DVector<f64>> {
    let scale: Vec<f64> = places.iter().map(|j| 1.0 / h[(*j, *j)].sqrt()).collect();
    let size = places.len();
    let scaled = DVector::from_iterator(size, b.zip(&scale).map(|(b, scale)| b * scale));
    let mut ridge = RIDGE;
    while ridge < 1.0 {
        let matrix = DMatrix::from_fn(size, size, |j, k| {
            let unit = if j == k { 1.0 + ridge } else { h[(places[j], places[k])] * scale[j] * scale[k] };
            if unit.is_finite() { unit } else { 0.0 }
        });
        if let Some(factor) = Cholesky::new(matrix) {
            let solution = factor.solve(&scaled);
            if solution.iter().all(|value| value.is_finite()) {
                return Some(DVector::from_fn(size, |j, _| solution[j] * scale[j]));
            }
        }
        ridge *= 100.0;
    }
    None
}
