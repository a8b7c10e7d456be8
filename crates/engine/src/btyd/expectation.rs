//! What is to be expected of a customer who has not left yet, where customers leave after purchases: the rate of buying
//! λ is gamma distributed (shape, rate), the probability p of leaving after a purchase beta (a, b).
//!
//! The j-th purchase from now is made by those who have stayed after the j − 1 before it, so that
//!
//! ```text
//! E[purchases within t] = Σ_j P(N(t) > j) · B(a, b + j) / B(a, b),    N(t) negative binomial
//! ```
//!
//! in which all terms are positive. The closed form with ₂F₁ is this sum, but 0/0 where a = 1 and lost to cancellation
//! near it and for short times.

use crate::numeric::exponential_integral::scaled_exponential_integral;
use crate::numeric::quadrature;

/// Terms of a sum beyond which an integral is taken instead.
const MOST_TERMS: usize = 20_000;
/// e to minus this is where the first of the probabilities of a sum is no number.
const LARGEST_EXPONENT: f64 = 690.0;
/// A density is left out where it is e to minus this of its peak.
const NEGLIGIBLE: f64 = 60.0;
/// Beyond this a logit's logistic function is 0 or 1.
const FAR: f64 = 700.0;
/// The step of a sum over the logit – the density is analytic for π/2 to either side – in units, and in its standard
/// deviations …
const WIDEST_STEP: f64 = 0.25;
const STEP: f64 = 0.4;
/// … unless it would have so many.
const MOST_STEPS: f64 = 4000.0;
const TOLERANCE: f64 = 1e-13;

/// A customer who has not left.
#[derive(Debug, Clone, Copy)]
pub struct Alive {
    pub shape: f64,
    pub rate: f64,
    pub a: f64,
    pub b: f64,
}

impl Alive {
    /// Expected purchases within `horizon`; `None` when the numbers do not give it.
    pub fn within(&self, horizon: f64) -> Option<f64> {
        let w = horizon / self.rate;
        if w <= 0.0 {
            return Some(0.0);
        }
        self.sum(w).or_else(|| {
            let log = |p: f64| (p * w).ln_1p();
            // Near p = 0 it is its limit: tiny numbers have few digits.
            let tiny = 1e-18 / (w * self.shape.max(1.0));
            self.mean(|p| if p > tiny { -(-self.shape * log(p)).exp_m1() / p } else { self.shape * w })
        })
    }

    /// Σ_k P(N = k) Σ_{j<k} B(a, b + j)/B(a, b); `None` when that takes too long or starts below the numbers.
    fn sum(&self, w: f64) -> Option<f64> {
        let Alive { shape, a, b, .. } = *self;
        let start = -shape * w.ln_1p();
        if start < -LARGEST_EXPONENT {
            return None;
        }
        let z = w / (1.0 + w);
        let (mut chance, mut stay, mut stays, mut sum) = (start.exp(), 1.0, 0.0, 0.0);
        for k in 0..MOST_TERMS {
            let n = k as f64;
            stays += stay;
            stay *= (b + n) / (a + b + n);
            chance *= z * (shape + n) / (n + 1.0);
            let term = chance * stays;
            sum += term;
            // How the terms go on, at most: their ratio falls from here on where it is below 1.
            let ratio = z * (shape + n + 1.0).max(n + 2.0) / (n + 2.0) * (1.0 + stay / stays);
            if ratio < 1.0 && term * ratio <= 1e-17 * sum * (1.0 - ratio) {
                return Some(sum);
            }
        }
        None
    }

    /// The purchases to come, discounted continuously at `rate`; `None` when they are infinite.
    pub fn discounted(&self, rate: f64) -> Option<f64> {
        let Alive { shape, a, b, .. } = *self;
        if rate == 0.0 {
            // E[1/p]
            return (a > 1.0).then(|| (a + b - 1.0) / (a - 1.0));
        }
        // E[λ / (rate + λ p)] over λ, then over p.
        let years = self.rate * rate;
        self.mean(|p| {
            if p <= 1e-250 {
                return shape / years;
            }
            shape * scaled_exponential_integral(shape + 1.0, years / p) / p
        })
    }

    /// The mean of a function of p over its beta distribution, by sums over the logit of p: the trapezoidal rule is exact
    /// to the last digits for what is analytic in a strip (Trefethen & Weideman 2014), and only p = 0 and 1, which are
    /// infinitely far away here, bound it.
    fn mean(&self, f: impl Fn(f64) -> f64) -> Option<f64> {
        let Alive { a, b, .. } = *self;
        let peak = (a / b).ln();
        // a ln p + b ln(1 − p)
        let log_density = |y: f64| match y {
            y if y > FAR => -b * y,
            y if y < -FAR => a * y,
            y => -a * (-y).exp().ln_1p() - b * y.exp().ln_1p(),
        };
        let top = log_density(peak);
        let edge = |direction: f64| {
            let mut distance = 1e-6;
            while top - log_density(peak + direction * distance) < NEGLIGIBLE && distance < 1e15 {
                distance *= 1.25;
            }
            distance
        };
        let (left, right) = (edge(-1.0), edge(1.0));
        let probability = |y: f64| if y < 0.0 { y.exp() / (1.0 + y.exp()) } else { 1.0 / (1.0 + (-y).exp()) };
        let density = |y: f64| (log_density(y) - top).exp();
        let step = WIDEST_STEP.min(STEP * (1.0 / a + 1.0 / b).sqrt());
        if left + right < step * MOST_STEPS {
            let (mut all, mut with) = (0.0, 0.0);
            for k in -((left / step).ceil() as i64)..=(right / step).ceil() as i64 {
                let y = peak + step * k as f64;
                all += density(y);
                with += density(y) * f(probability(y));
            }
            return Some(with / all);
        }
        let points = [peak - left, peak, peak + right];
        let all = quadrature::integrate(density, &points, TOLERANCE)?;
        let with = quadrature::integrate(|y| density(y) * f(probability(y)), &points, TOLERANCE)?;
        Some(with / all)
    }
}

/// P(N = x) and P(N ≥ x) of a negative binomial N with this shape and w = t / rate; `None` when there are too many terms.
pub fn chances(shape: f64, w: f64, x: usize) -> Option<(f64, f64)> {
    let z = w / (1.0 + w);
    let mut log = -shape * w.ln_1p();
    for k in 0..x {
        log += (z * (shape + k as f64) / (k as f64 + 1.0)).ln();
    }
    let exactly = log.exp();
    if w <= 0.0 {
        let never = if x == 0 { 1.0 } else { 0.0 };
        return Some((never, never));
    }
    // Below the mean what is left is summed, above it the tail.
    if (x as f64) <= shape * w {
        let (mut below, mut term, mut k) = (0.0, exactly, x);
        while k > 0 && term > 1e-18 * below {
            term *= k as f64 / (z * (shape + k as f64 - 1.0));
            below += term;
            k -= 1;
        }
        return Some((exactly, 1.0 - below));
    }
    let (mut tail, mut term) = (exactly, exactly);
    for k in x..x + 1_000_000 {
        let ratio = z * (shape + k as f64) / (k as f64 + 1.0);
        term *= ratio;
        tail += term;
        if ratio < 1.0 && term <= 1e-17 * tail * (1.0 - ratio) {
            return Some((exactly, tail));
        }
    }
    None
}
