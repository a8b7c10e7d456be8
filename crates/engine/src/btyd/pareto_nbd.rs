//! The Pareto/NBD model: customers leave at any time, at a rate of their own.
//!
//! With x repeat purchases, the last at t_x, seen until T (Schmittlein, Morrison & Colombo 1987; Fader & Hardie 2005, *A
//! note on deriving the Pareto/NBD model and related expressions*, equation 16 before its integral is solved):
//!
//! ```text
//! L = Γ(r+x) α^r β^s / Γ(r) · { (α+T)^−(r+x) (β+T)^−s + s ∫ over τ from t_x to T of (α+τ)^−(r+x) (β+τ)^−(s+1) }
//! ```
//!
//! The textbook solves the integral with the difference of two hypergeometric functions, which overflow and cancel.
//! Here it is computed as it stands, over u = ln(min(α, β) + τ), where the integrand is nearly an exponential: Gauss's
//! rule on panels short enough for that is exact to the last digits. Its derivatives are means of the integrand's.

use crate::btyd::history::History;
use crate::btyd::maximise::Evaluation;
use crate::btyd::purchases::{rises, softplus};
use crate::btyd::sample::Purchases;
use crate::numeric::exponential_integral::scaled_exponential_integral;
use crate::numeric::quadrature::{gauss_panel, integrate};
use crate::{Interrupt, Result};

/// The integrand is left out where it is this share of that at the start: it never rises again.
const LEAST: f64 = 1e-20;
/// On one panel the exponent changes by no more than this …
const EXPONENT_PER_PANEL: f64 = 20.0;
/// … and u by no more than this: singularities are π away.
const PANEL: f64 = 2.0;
const MOST_PANELS: usize = 10_000;
/// Cells between two looks at the interrupt.
const CELLS_PER_LOOK: usize = 1 << 10;

/// A node of the rule.
struct Node {
    /// τ − from.
    distance: f64,
    /// ln (α + τ) / (α + from), and the same of β.
    log_alpha: f64,
    log_beta: f64,
    /// The weight of the rule times the integrand over that at `from`.
    weight: f64,
}

/// Calls `take` with the nodes for the integral of (α+τ)^−shape (β+τ)^−(s+1) from `from` to `to`.
#[inline]
fn integral([shape, alpha, s, beta]: [f64; 4], from: f64, to: f64, mut take: impl FnMut(&Node)) {
    let alpha_first = alpha <= beta;
    let (least, most) = if alpha_first { (alpha + from, beta + from) } else { (beta + from, alpha + from) };
    let end = ((to - from) / least).ln_1p();
    // How fast the exponent falls with u at a distance τ − from.
    let fall = |distance: f64| {
        let now = least + distance;
        shape * now / (alpha + from + distance) + (s + 1.0) * now / (beta + from + distance)
    };
    let node = |u: f64, weight: f64| {
        let distance = least * u.exp_m1();
        let other = (distance / most).ln_1p();
        let (log_alpha, log_beta) = if alpha_first { (u, other) } else { (other, u) };
        let integrand = (-shape * log_alpha - (s + 1.0) * log_beta).exp();
        Node { distance, log_alpha, log_beta, weight: weight * (least + distance) * integrand }
    };
    let mut at = 0.0f64;
    for _ in 0..MOST_PANELS {
        if at >= end {
            break;
        }
        let start = least * at.exp_m1();
        if at > 0.0 && node(at, 1.0).weight < least * LEAST {
            break;
        }
        let width = PANEL.min(EXPONENT_PER_PANEL / fall(start)).min(end - at);
        let width = width.min(EXPONENT_PER_PANEL / fall(least * (at + width).exp_m1()));
        gauss_panel(at, width, |u, weight| take(&node(u, weight)));
        at += width;
    }
}

/// ln of the integrand at t_x over (α+T)^−(r+x) (β+T)^−s: without s, which stands before the integral.
fn log_start([shape, alpha, s, beta]: [f64; 4], recency: f64, age: f64) -> f64 {
    let since = age - recency;
    shape * (since / (alpha + recency)).ln_1p() + s * (since / (beta + recency)).ln_1p() - (beta + recency).ln()
}

/// ln of P(gone) / P(alive); −∞ right after a purchase.
pub(super) fn log_odds_gone([r, alpha, s, beta]: [f64; 4], history: &History) -> f64 {
    let History { frequency, recency, age } = *history;
    let parameters = [r + frequency, alpha, s, beta];
    let mut sum = 0.0;
    integral(parameters, recency, age, |node| sum += node.weight);
    s.ln() + sum.ln() + log_start(parameters, recency, age)
}

/// A customer who has not left: the rate of buying is gamma (shape, rate), that of leaving gamma (s, β).
#[derive(Debug, Clone, Copy)]
pub(super) struct Alive {
    mean_rate: f64,
    s: f64,
    beta: f64,
}

pub(super) fn if_alive([r, alpha, s, beta]: [f64; 4], history: &History) -> Alive {
    Alive { mean_rate: (r + history.frequency) / (alpha + history.age), s, beta: beta + history.age }
}

impl Alive {
    /// Expected purchases within `horizon`: the rate × ∫ (β/(β+t))^s.
    pub fn within(&self, horizon: f64) -> f64 {
        let log = (horizon / self.beta).ln_1p();
        // (1 − (1 + t/β)^(1−s)) / (s − 1), also at s = 1.
        let change = (1.0 - self.s) * log;
        let time = if change.abs() < 1e-300 { log } else { log * (change.exp_m1() / change) };
        self.mean_rate * self.beta * time
    }

    /// The purchases to come, discounted continuously at `rate`; `None` when they are infinite.
    pub fn discounted(&self, rate: f64) -> Option<f64> {
        let years = if rate == 0.0 {
            (self.s > 1.0).then(|| 1.0 / (self.s - 1.0))?
        } else {
            scaled_exponential_integral(self.s, self.beta * rate)
        };
        Some(self.mean_rate * self.beta * years)
    }
}

/// P(X(t) = x) of a new customer: still one at t, or gone at some τ before, with x purchases by then.
pub(super) fn probability([r, alpha, s, beta]: [f64; 4], x: f64, horizon: f64) -> Option<f64> {
    // ln Γ(r + x) / (Γ(r) x!)
    let ways: f64 = (0..x as usize).map(|k| ((r - 1.0) / (k as f64 + 1.0)).ln_1p()).sum();
    let log_bought = |t: f64| {
        let log_share = if x > 0.0 { x * (t / (alpha + t)).ln() } else { 0.0 };
        ways - r * (t / alpha).ln_1p() + log_share
    };
    let alive = (log_bought(horizon) - s * (horizon / beta).ln_1p()).exp();
    // Over u = ln(1 + τ/β).
    let end = (horizon / beta).ln_1p();
    if end <= 0.0 {
        return Some(alive);
    }
    let integrand = |u: f64| if u > 0.0 { (log_bought(beta * u.exp_m1()) - s * u).exp() } else { 0.0 };
    // The chance of x purchases peaks where rt/α = x.
    let peak = (x * alpha / (r * beta)).ln_1p();
    let mut points = vec![0.0, end];
    points.extend([peak / 2.0, peak, 2.0 * peak, 1.0 / s].into_iter().filter(|u| *u > 0.0 && *u < end));
    points.sort_unstable_by(f64::total_cmp);
    Some(alive + s * integrate(integrand, &points, 1e-12).unwrap_or(f64::NAN)).filter(|p| p.is_finite())
}

/// The log-likelihood of the cells, sorted by frequency, age, recency, with its derivatives in r, α, s, β.
pub(super) fn evaluate(
    cells: &[Purchases],
    by_frequency: &[(usize, f64)],
    [r, alpha, s, beta]: [f64; 4],
    interrupt: Interrupt,
) -> Result<Evaluation<4>> {
    let mut sum = Evaluation::<4>::ZERO;
    let [value, first, second] = rises(r, by_frequency);
    sum.value = value;
    sum.gradient[0] = first;
    sum.hessian[0][0] = second;
    for chunk in cells.chunks(CELLS_PER_LOOK) {
        interrupt()?;
        for Purchases { history, weight } in chunk {
            add_cell(&mut sum, history, *weight, [r, alpha, s, beta]);
        }
    }
    for i in 0..4 {
        for j in 0..i {
            sum.hessian[i][j] = sum.hessian[j][i];
        }
    }
    Ok(sum)
}

fn add_cell(sum: &mut Evaluation<4>, history: &History, w: f64, [r, alpha, s, beta]: [f64; 4]) {
    let History { frequency: x, recency, age } = *history;
    let shape = r + x;
    // −r ln(1 + T/α) − x ln(α + T) − s ln(1 + T/β)
    let (g, h) = (1.0 / (alpha + age), 1.0 / (beta + age));
    let (a, b) = (age / alpha, age / beta);
    sum.value -= w * (r * a.ln_1p() + x * (alpha + age).ln() + s * b.ln_1p());
    sum.gradient[0] -= w * a.ln_1p();
    sum.gradient[1] += w * (r * a - x) * g;
    sum.gradient[2] -= w * b.ln_1p();
    sum.gradient[3] += w * s * b * h;
    sum.hessian[0][1] += w * a * g;
    sum.hessian[1][1] += w * (x - r * a * (2.0 + a)) * g * g;
    sum.hessian[2][3] += w * b * h;
    sum.hessian[3][3] -= w * s * b * (2.0 + b) * h * h;
    if recency >= age {
        return;
    }
    // ln(1 + odds), where odds = s ∫ e^φ and the derivatives of ln ∫ are moments of those of φ.
    let (mut mass, mut first, mut products, mut second) = (0.0, [0.0; 4], [[0.0; 4]; 4], [0.0; 4]);
    let since = age - recency;
    let (all_alpha, all_beta) = ((since / (alpha + recency)).ln_1p(), (since / (beta + recency)).ln_1p());
    integral([shape, alpha, s, beta], recency, age, |node| {
        let (weight, left) = (node.weight, since - node.distance);
        let (g_tau, h_tau) = (1.0 / (alpha + recency + node.distance), 1.0 / (beta + recency + node.distance));
        let slopes = [
            all_alpha - node.log_alpha,
            -shape * left * g_tau * g,
            all_beta - node.log_beta,
            s * h - (s + 1.0) * h_tau,
        ];
        mass += weight;
        for i in 0..4 {
            first[i] += weight * slopes[i];
            for j in i..4 {
                products[i][j] += weight * slopes[i] * slopes[j];
            }
        }
        second[0] += weight * (g - g_tau);
        second[1] += weight * shape * (g_tau * g_tau - g * g);
        second[2] += weight * (h - h_tau);
        second[3] += weight * ((s + 1.0) * h_tau * h_tau - s * h * h);
    });
    let [log, gone, curvature] = softplus(s.ln() + mass.ln() + log_start([shape, alpha, s, beta], recency, age));
    if mass <= 0.0 {
        return;
    }
    let (gone, curvature) = (w * gone, w * curvature);
    sum.value += w * log;
    let means = first.map(|moment| moment / mass);
    let mut slopes = means;
    slopes[2] += 1.0 / s;
    for i in 0..4 {
        sum.gradient[i] += gone * slopes[i];
        for j in i..4 {
            let covariance = products[i][j] / mass - means[i] * means[j];
            sum.hessian[i][j] += curvature * slopes[i] * slopes[j] + gone * covariance;
        }
    }
    sum.hessian[0][1] += gone * second[0] / mass;
    sum.hessian[1][1] += gone * second[1] / mass;
    sum.hessian[2][3] += gone * second[2] / mass;
    sum.hessian[3][3] += gone * second[3] / mass;
    sum.hessian[2][2] -= gone / (s * s);
}
