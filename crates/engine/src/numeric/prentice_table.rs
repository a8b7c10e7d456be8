//! The tail of the log-generalised-gamma distribution at many points of one shape: by Chebyshev interpolation between
//! exact values (Trefethen 2013, *Approximation Theory and Approximation Practice*, chapters 3, 5 and 8).
//!
//! ln S and its derivatives in q are analytic in w, so that on short panels a polynomial of degree 15 is exact to rounding.
//! The derivatives in w need no interpolation: they follow from ln f, which is closed, and ln S.

use crate::numeric::prentice::{Partials, log_density_with, log_scaled_gamma, log_survival};

/// From so many points on the panels are worth their making.
pub const MANY: usize = 2_000;
const NODES: usize = 16;
/// Panels to each side of 0; beyond them every point is integrated by itself.
const REACH: f64 = 64.0;
/// Width of a panel for |q| ≤ 1; narrower in proportion for larger shapes.
const WIDTH: f64 = 0.5;

/// Further down the tail f/S would lose its digits, as a difference of large logarithms; few rows are there.
const DEEPEST: f64 = -30.0;

/// ln S, ∂q ln S and ∂²q ln S at the nodes of a panel.
type Panel = [[f64; 3]; NODES];

/// The tails of one shape; made anew when the shape changes.
#[derive(Debug, Clone, Default)]
pub struct Tails {
    q: f64,
    scaled_gamma: [f64; 3],
    width: f64,
    panels: Vec<Option<Box<Panel>>>,
}

/// Chebyshev's nodes on [−1, 1] (of the second kind), cos(πj / 15).
const POINTS: [f64; NODES] = [
    1.0,
    0.978_147_600_733_805_6,
    0.913_545_457_642_600_9,
    0.809_016_994_374_947_5,
    0.669_130_606_358_858_2,
    0.5,
    0.309_016_994_374_947_45,
    0.104_528_463_267_653_47,
    -0.104_528_463_267_653_47,
    -0.309_016_994_374_947_45,
    -0.5,
    -0.669_130_606_358_858_2,
    -0.809_016_994_374_947_5,
    -0.913_545_457_642_600_9,
    -0.978_147_600_733_805_6,
    -1.0,
];

impl Tails {
    fn prepare(&mut self, q: f64) {
        if self.panels.is_empty() || q != self.q {
            self.q = q;
            self.scaled_gamma = log_scaled_gamma(q);
            self.width = WIDTH / q.abs().max(1.0);
            self.panels.clear();
            self.panels.resize(2 * REACH as usize, None);
        }
    }

    /// As [`crate::numeric::prentice::log_density`].
    pub fn log_density(&mut self, w: f64, q: f64) -> Partials {
        self.prepare(q);
        log_density_with(w, q, self.scaled_gamma)
    }

    /// As [`log_survival`] with the derivatives.
    pub fn log_survival(&mut self, w: f64, q: f64) -> Partials {
        self.prepare(q);
        let place = (w / self.width).floor();
        if !(-REACH..REACH).contains(&place) {
            return log_survival(w, q, 1);
        }
        let (width, middle) = (self.width, (place + 0.5) * self.width);
        let panel = self.panels[(place + REACH) as usize].get_or_insert_with(|| {
            Box::new(POINTS.map(|point| {
                let tail = log_survival(middle + 0.5 * width * point, q, 1);
                [tail.value, tail.q, tail.qq]
            }))
        });
        let [value, in_q, qq] = interpolate(panel, (w - middle) / (0.5 * width));
        if !(value > DEEPEST && in_q.is_finite() && qq.is_finite()) {
            return log_survival(w, q, 1);
        }
        let density = log_density_with(w, q, self.scaled_gamma);
        // ∂w ln S = −f/S, and on from there.
        let rate = (density.value - value).exp();
        Partials { value, w: -rate, q: in_q, ww: -rate * (density.w + rate), wq: -rate * (density.q - in_q), qq }
    }
}

/// The polynomial through the nodes by the barycentric formula (Berrut & Trefethen 2004, section 5).
fn interpolate(panel: &Panel, x: f64) -> [f64; 3] {
    let (mut above, mut below) = ([0.0; 3], 0.0);
    for (j, (point, values)) in POINTS.iter().zip(panel).enumerate() {
        let apart = x - point;
        if apart == 0.0 {
            return *values;
        }
        let half = if j == 0 || j == NODES - 1 { 0.5 } else { 1.0 };
        let weight = if j % 2 == 0 { half } else { -half } / apart;
        below += weight;
        (0..3).for_each(|k| above[k] += weight * values[k]);
    }
    above.map(|sum| sum / below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_agrees_with_the_integral() {
        for q in [-3.0, -1.0, -0.3, 0.0, 0.01, 0.5, 1.0, 2.5] {
            let mut tails = Tails::default();
            let mut w: f64 = -9.0;
            while w < 5.0 {
                let (table, exact) = (tails.log_survival(w, q), log_survival(w, q, 1));
                for (ours, theirs) in [
                    (table.value, exact.value),
                    (table.w, exact.w),
                    (table.q, exact.q),
                    (table.ww, exact.ww),
                    (table.wq, exact.wq),
                    (table.qq, exact.qq),
                ] {
                    assert!((ours - theirs).abs() <= 1e-12 * (1.0 + theirs.abs()), "{w} {q}: {ours} {theirs}");
                }
                assert!((table.value - exact.value).abs() <= 2e-13 * (1.0 + exact.value.abs()), "{w} {q}");
                w += 0.0137;
            }
        }
    }
}
