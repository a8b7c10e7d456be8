//! The distributions one by one, each with the derivatives of its cumulative hazard and its log hazard.

use super::{Evaluator, Jet, Order, Time};
use crate::numeric::{mills, prentice};
use crate::survival::distribution::SplineScale;
use crate::survival::spline::basis;

/// A function of one number with its first two derivatives.
type Curve = [f64; 3];

impl SplineScale {
    /// H and ln(dH/dη) as functions of η, with derivatives.
    #[inline]
    pub(super) fn link(self, eta: f64) -> (Curve, Curve) {
        match self {
            SplineScale::Hazard => {
                let e = eta.exp();
                ([e, e, e], [eta, 1.0, 0.0])
            }
            SplineScale::Odds => {
                // ln(1 + e^η) and the logistic function, from the side that does not overflow.
                let e = (-eta.abs()).exp();
                let log = e.ln_1p();
                let (softplus, mirrored) = if eta > 0.0 { (eta + log, log) } else { (log, log - eta) };
                let (small, large) = (e / (1.0 + e), 1.0 / (1.0 + e));
                let (failed, alive) = if eta > 0.0 { (large, small) } else { (small, large) };
                ([softplus, failed, failed * alive], [-mirrored, alive, -failed * alive])
            }
            SplineScale::Normal => {
                let log_rate = mills::log_hazard(eta);
                let rate = log_rate.exp();
                // rate − η, which cancels far out, where it is 1/η − 2/η³ + ….
                let excess = if eta > 1e4 { eta.recip() } else { rate - eta };
                ([-mills::log_upper_tail(eta), rate, rate * excess], [log_rate, excess, rate * excess - 1.0])
            }
        }
    }
}

impl Evaluator<'_> {
    #[inline]
    pub(super) fn exponential(&mut self, parameters: &[f64], time: Time) {
        let hazard = (time.log - parameters[0]).exp();
        self.hazard.value = hazard;
        self.hazard.gradient[0] = -hazard;
        self.hazard.hessian[0] = hazard;
        self.log_hazard.value = -parameters[0];
        self.log_hazard.gradient[0] = -1.0;
        self.log_hazard.hessian[0] = 0.0;
    }

    /// η = (ln t − μ) / σ through a link.
    #[inline]
    pub(super) fn location_scale(&mut self, link: SplineScale, parameters: &[f64], time: Time) {
        let inverse = (-parameters[1]).exp();
        let w = (time.log - parameters[0]) * inverse;
        let (h, l) = link.link(w);
        // ∂w/∂μ = −1/σ, ∂w/∂ln σ = −w, ∂²w/∂μ∂ln σ = 1/σ, ∂²w/∂ln σ² = w.
        let second =
            |f: &Curve| [f[2] * inverse * inverse, f[2] * w * inverse + f[1] * inverse, f[2] * w * w + f[1] * w];
        for (jet, curve) in [(&mut self.hazard, h), (&mut self.log_hazard, l)] {
            jet.value = curve[0];
            jet.gradient[0] = -curve[1] * inverse;
            jet.gradient[1] = -curve[1] * w;
            let [mm, ms, ss] = second(&curve);
            jet.hessian[0] = mm;
            jet.hessian[1] = ms;
            jet.hessian[2] = ms;
            jet.hessian[3] = ss;
        }
        self.log_hazard.value -= parameters[1] + time.log;
        self.log_hazard.gradient[1] -= 1.0;
    }

    pub(super) fn generalized_gamma(&mut self, parameters: &[f64], time: Time, order: Order, density: bool) {
        let (inverse, q) = ((-parameters[1]).exp(), parameters[2]);
        let w = (time.log - parameters[0]) * inverse;
        let survival = match &mut self.tails {
            Some(tails) => tails.log_survival(w, q),
            None => prentice::log_survival(w, q, u8::from(order > Order::Value)),
        };
        let fill = |jet: &mut Jet, p: &prentice::Partials| {
            jet.value = p.value;
            jet.gradient[0] = -p.w * inverse;
            jet.gradient[1] = -p.w * w;
            jet.gradient[2] = p.q;
            jet.set_second(0, 0, p.ww * inverse * inverse);
            jet.set_second(0, 1, p.ww * w * inverse + p.w * inverse);
            jet.set_second(1, 1, p.ww * w * w + p.w * w);
            jet.set_second(0, 2, -p.wq * inverse);
            jet.set_second(1, 2, -p.wq * w);
            jet.set_second(2, 2, p.qq);
        };
        let minus = |a: &prentice::Partials, b: &prentice::Partials| prentice::Partials {
            value: a.value - b.value,
            w: a.w - b.w,
            q: a.q - b.q,
            ww: a.ww - b.ww,
            wq: a.wq - b.wq,
            qq: a.qq - b.qq,
        };
        fill(&mut self.hazard, &minus(&prentice::Partials::default(), &survival));
        if density {
            let log_density = match &mut self.tails {
                Some(tails) => tails.log_density(w, q),
                None => prentice::log_density(w, q),
            };
            fill(&mut self.log_hazard, &minus(&log_density, &survival));
            self.log_hazard.value -= parameters[1] + time.log;
            self.log_hazard.gradient[1] -= 1.0;
        }
    }

    pub(super) fn gompertz(&mut self, parameters: &[f64], time: Time) {
        let (rate, shape) = (parameters[0].exp(), parameters[1]);
        let [f, f1, f2] = growth(shape * time.t);
        let hazard = rate * time.t * f;
        let in_shape = rate * time.t * time.t * f1;
        self.hazard.value = hazard;
        self.hazard.gradient.copy_from_slice(&[hazard, in_shape]);
        self.hazard.hessian.copy_from_slice(&[hazard, in_shape, in_shape, rate * time.t.powi(3) * f2]);
        self.log_hazard.value = parameters[0] + shape * time.t;
        self.log_hazard.gradient.copy_from_slice(&[1.0, time.t]);
        self.log_hazard.hessian.fill(0.0);
    }

    pub(super) fn spline(&mut self, scale: SplineScale, knots: &[f64], parameters: &[f64], time: Time, order: Order) {
        basis(knots, time.log, &mut self.basis, &mut self.slopes);
        let dot = |values: &[f64]| values.iter().zip(parameters).map(|(a, b)| a * b).sum::<f64>();
        let (eta, slope) = (dot(&self.basis), dot(&self.slopes));
        let (h, l) = scale.link(eta);
        self.hazard.value = h[0];
        self.log_hazard.value = l[0] + slope.ln() - time.log;
        if order == Order::Value {
            return;
        }
        let m = parameters.len();
        let inverse = slope.recip();
        for i in 0..m {
            let (vi, si) = (self.basis[i], self.slopes[i] * inverse);
            self.hazard.gradient[i] = h[1] * vi;
            self.log_hazard.gradient[i] = l[1] * vi + si;
            for j in 0..=i {
                let (vj, sj) = (self.basis[j], self.slopes[j] * inverse);
                self.hazard.set_second(i, j, h[2] * vi * vj);
                self.log_hazard.set_second(i, j, l[2] * vi * vj - si * sj);
            }
        }
    }

    pub(super) fn piecewise(&mut self, breaks: &[f64], parameters: &[f64], time: Time, order: Order) {
        self.hazard.clear();
        self.log_hazard.clear();
        let m = parameters.len();
        // An event at a break belongs to the interval that it ends.
        let last = breaks.partition_point(|start| *start < time.t);
        for i in 0..=last {
            let from = if i == 0 { 0.0 } else { breaks[i - 1] };
            let to = if i == last { time.t } else { breaks[i] };
            let log_rate = parameters[0] + if i == 0 { 0.0 } else { parameters[i] };
            let hazard = if to > from { log_rate.exp() * (to - from) } else { 0.0 };
            self.hazard.value += hazard;
            if order == Order::Value {
                continue;
            }
            self.hazard.gradient[0] += hazard;
            self.hazard.hessian[0] += hazard;
            if i > 0 {
                self.hazard.gradient[i] = hazard;
                self.hazard.hessian[i] = hazard;
                self.hazard.hessian[i * m] = hazard;
                self.hazard.hessian[i * m + i] = hazard;
            }
        }
        self.log_hazard.value = parameters[0] + if last == 0 { 0.0 } else { parameters[last] };
        self.log_hazard.gradient[0] = 1.0;
        if last > 0 {
            self.log_hazard.gradient[last] = 1.0;
        }
    }

    /// S = π + (1 − π) e^(−Hᵤ), so H = −ln π' + … through the odds c = π / (1 − π) = e^η: S = (c + e^(−Hᵤ)) / (1 + c).
    pub(super) fn cure(&mut self, parameters: &[f64], time: Time, order: Order, density: bool) {
        let Some(inner) = &mut self.inner else { return };
        let m = parameters.len() - 1;
        let eta = parameters[m];
        inner.evaluate(&parameters[..m], time, order, density);
        let u = inner.hazard.value;
        // With z = η + Hᵤ the odds of being cured given survival: ln S = ln(1 + e^z) − Hᵤ − ln(1 + e^η).
        let ([at_z, cured, spread], _) = SplineScale::Odds.link(eta + u);
        let ([at_eta, share, share_spread], _) = SplineScale::Odds.link(eta);
        self.hazard.value = if eta + u > 0.0 {
            // e^z dominates: H = ln(1 + e^η) − η − ln(1 + e^(−z)).
            (at_eta - eta) - (-(eta + u)).exp().ln_1p()
        } else {
            u + at_eta - at_z
        };
        if u < 1e-3 {
            // −ln(1 − (1 − π)(1 − e^(−Hᵤ))): no cancellation near the start.
            self.hazard.value = -(((-u).exp_m1()) * (1.0 - share)).ln_1p();
        }
        if density {
            // h = hᵤ × P(not cured | survived).
            self.log_hazard.value = inner.log_hazard.value - at_z;
        }
        if order == Order::Value {
            return;
        }
        let n = m + 1;
        if u == f64::INFINITY {
            // Only the cured are left.
            self.hazard.gradient.fill(0.0);
            self.hazard.hessian.fill(0.0);
            self.hazard.gradient[m] = share - 1.0;
            self.hazard.hessian[m * n + m] = share_spread;
            return;
        }
        let alive = 1.0 - cured;
        for i in 0..m {
            let gi = inner.hazard.gradient[i];
            self.hazard.gradient[i] = alive * gi;
            self.hazard.hessian[i * n + m] = -spread * gi;
            self.hazard.hessian[m * n + i] = -spread * gi;
            for j in 0..m {
                let second = inner.hazard.hessian[i * m + j];
                self.hazard.hessian[i * n + j] = alive * second - spread * gi * inner.hazard.gradient[j];
            }
        }
        self.hazard.gradient[m] = share - cured;
        self.hazard.hessian[m * n + m] = share_spread - spread;
        if !density {
            return;
        }
        for i in 0..m {
            let gi = inner.hazard.gradient[i];
            self.log_hazard.gradient[i] = inner.log_hazard.gradient[i] - cured * gi;
            self.log_hazard.hessian[i * n + m] = -spread * gi;
            self.log_hazard.hessian[m * n + i] = -spread * gi;
            for j in 0..m {
                self.log_hazard.hessian[i * n + j] = inner.log_hazard.hessian[i * m + j]
                    - spread * gi * inner.hazard.gradient[j]
                    - cured * inner.hazard.hessian[i * m + j];
            }
        }
        self.log_hazard.gradient[m] = -cured;
        self.log_hazard.hessian[m * n + m] = -spread;
    }
}

/// (e^u − 1) / u and its first two derivatives.
fn growth(u: f64) -> [f64; 3] {
    if u.abs() < 1.0 {
        // Σ uⁿ / (n + 1)!
        let (mut zeroth, mut first, mut second) = (0.0, 0.0, 0.0);
        let mut term = 1.0;
        for n in 0..20 {
            let n = f64::from(n);
            // term = uⁿ / (n + 1)!; the derivatives of the sum have (n + 1) uⁿ / (n + 2)! and so on.
            zeroth += term;
            let next = term / (n + 2.0);
            first += (n + 1.0) * next;
            second += (n + 1.0) * (n + 2.0) * next / (n + 3.0);
            term *= u / (n + 2.0);
        }
        return [zeroth, first, second];
    }
    let e = u.exp();
    let zeroth = (e - 1.0) / u;
    let first = (e - zeroth) / u;
    [zeroth, first, (e - 2.0 * first) / u]
}
