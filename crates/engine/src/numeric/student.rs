//! Student's t: what stands for the normal law where a variance was estimated, with any positive degrees of freedom.
//!
//! Written out, as `statrs` 0.18 ends its continued fraction before it has converged where there are many of them.

use std::f64::consts::{PI, TAU};

use crate::numeric::gamma::log_gamma_ratio;
use crate::numeric::normal;

/// From here on, and where the square of the normal deviate is at most the share `NEAR` of it, the tail is the normal one
/// with corrections.
const MANY: f64 = 500.0;
const NEAR: f64 = 0.1;
/// √(s / (1 − e^−s)) in powers of s.
const CORRECTIONS: [f64; 10] = [
    1.0,
    1.0 / 4.0,
    1.0 / 96.0,
    -1.0 / 384.0,
    -1.0 / 10_240.0,
    19.0 / 368_640.0,
    79.0 / 61_931_520.0,
    -55.0 / 49_545_216.0,
    -2339.0 / 118_908_518_400.0,
    11_813.0 / 475_634_073_600.0,
];
const MOST_STEPS: usize = 500;

/// P(|T| > |t|) for a variable with `df` degrees of freedom, accurate far into the tail; by the normal law where `df` is
/// infinite, NaN where it is not positive.
pub fn two_sided_p_value(t: f64, df: f64) -> f64 {
    if t.is_nan() || df.is_nan() || df <= 0.0 {
        return f64::NAN;
    }
    if df == f64::INFINITY {
        return normal::two_sided_p_value(t);
    }
    match within_or_beyond(t, df) {
        (within, false) => 1.0 - within,
        (beyond, true) => beyond,
    }
}

/// P(|T| ≤ |t|) near 0 and P(|T| > |t|) further out, and whether it is the second.
fn within_or_beyond(t: f64, df: f64) -> (f64, bool) {
    let log = log_spread(t, df);
    // The incomplete beta function I_x(df / 2, 1 / 2) at x = df / (df + t²), or its complement: NIST DLMF 8.17.
    let (a, b) = (df / 2.0, 0.5);
    let (x, y) = ((-log).exp(), -(-log).exp_m1());
    let front = || (log_gamma_ratio(a, b) - a * log).exp() * (y / PI).sqrt();
    if y <= (b + 1.0) / (a + b + 2.0) {
        return (front() * fraction(b, a, y) / b, false);
    }
    let is_normal = df >= MANY && log <= NEAR;
    (if is_normal { near_the_normal((df * log).sqrt(), df) } else { front() * fraction(a, b, x) / a }, true)
}

/// ln(1 + t² / df), also where the square is beyond the numbers.
fn log_spread(t: f64, df: f64) -> f64 {
    let ratio = t.abs() / df.sqrt();
    if ratio > 1e100 { 2.0 * ratio.ln() } else { (ratio * ratio).ln_1p() }
}

/// With u² = df ln(1 + t² / df) the density of T is the normal one times √(s / (1 − e^−s)), s = u² / df, but for a factor:
/// what is beyond w is a sum of the normal law's moments there.
fn near_the_normal(w: f64, df: f64) -> f64 {
    let density = (-w * w / 2.0).exp() / TAU.sqrt();
    let mut moment = normal::two_sided_p_value(w) / 2.0;
    let (mut total, mut power, mut scale) = (moment, w, 1.0);
    for (k, correction) in CORRECTIONS.into_iter().enumerate().skip(1) {
        moment = power * density + (2 * k - 1) as f64 * moment;
        power *= w * w;
        scale /= df;
        total += correction * scale * moment;
    }
    2.0 * total * (log_gamma_ratio(df / 2.0, 0.5) - (df / 2.0).ln() / 2.0).exp()
}

/// The continued fraction of the incomplete beta function (DLMF 8.17.22) by Lentz's method as of Thompson & Barnett 1986.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let kept = |value: f64| if value == 0.0 { f64::MIN_POSITIVE } else { value };
    let (mut c, mut d) = (1.0, 1.0 / kept(1.0 - (a + b) * x / (a + 1.0)));
    let mut product = d;
    for step in 1..=MOST_STEPS {
        let m = step as f64;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = product;
        for numerator in [even, odd] {
            d = 1.0 / kept(1.0 + numerator * d);
            c = kept(1.0 + numerator / c);
            product *= c * d;
        }
        if (product - before).abs() <= f64::EPSILON * product.abs() {
            break;
        }
    }
    product
}

/// The x that a variable with `df` degrees of freedom exceeds with probability `tail`, in (0, 1/2); NaN outside of it and
/// where `df` is not positive.
///
/// Newton's method on the logarithms of probability and x, between which there is a straight line far out, and near 0.
pub fn upper_quantile(tail: f64, df: f64) -> f64 {
    if !(tail > 0.0 && tail < 0.5) || df.is_nan() || df <= 0.0 {
        return f64::NAN;
    }
    let z = -normal::quantile(tail);
    if df == f64::INFINITY {
        return z;
    }
    // ln of the density at 0.
    let level = log_gamma_ratio(df / 2.0, 0.5) - (df * PI).ln() / 2.0;
    // The first term of Abramowitz & Stegun 1964, 26.7.5.
    let mut x = z * (1.0 + ((z * z + 1.0) / (4.0 * df)).min(1.0));
    for _ in 0..60 {
        // x times the density on both sides.
        let slope = 2.0 * (level + x.ln() - (df + 1.0) / 2.0 * log_spread(x, df)).exp();
        let step = match within_or_beyond(x, df) {
            (within, false) => ((1.0 - 2.0 * tail) / within).ln() * within / slope,
            (beyond, true) => (beyond / (2.0 * tail)).ln() * beyond / slope,
        };
        if !step.is_finite() {
            break;
        }
        x *= step.clamp(-2.0, 20.0).exp();
        if step.abs() <= 1e-15 {
            break;
        }
    }
    x
}

/// The deviate that a variable of this law is within with probability `level`, in (0, 1), on either side.
pub fn critical_value(level: f64, df: f64) -> f64 {
    upper_quantile((1.0 - level) / 2.0, df)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    // References: R 4.2.2, `tests/golden/student.R`.
    #[test]
    fn tails_and_quantiles_agree_with_r() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/student.json");
        let text = std::fs::read_to_string(path).unwrap();
        let golden: std::collections::HashMap<String, Vec<[f64; 3]>> = serde_json::from_str(&text).unwrap();
        let mut largest = [0.0f64; 2];
        for [df, t, tail] in &golden["tails"] {
            let ours = two_sided_p_value(*t, *df) / 2.0;
            largest[0] = largest[0].max((ours / tail - 1.0).abs());
            assert_relative_eq!(ours, *tail, max_relative = 1e-12);
        }
        for [df, tail, x] in &golden["quantiles"] {
            let ours = upper_quantile(*tail, *df);
            largest[1] = largest[1].max((ours / x - 1.0).abs());
            assert_relative_eq!(ours, *x, max_relative = 1e-12);
        }
        for df in [0.3, 0.7, 0.99] {
            for tail in [0.49, 0.1, 0.025, 1e-6, 1e-10] {
                assert_relative_eq!(two_sided_p_value(upper_quantile(tail, df), df), 2.0 * tail, max_relative = 1e-12);
            }
        }
        println!("largest relative differences to pt {:e}, to qt {:e}", largest[0], largest[1]);
        assert!(golden["tails"].len() > 300 && golden["quantiles"].len() > 200);
    }

    #[test]
    fn both_ways_to_the_tail_meet() {
        for df in [500.0, 700.0, 3000.0, 9000.0] {
            for t in [2.5, 6.0] {
                let (a, b, log) = (df / 2.0, 0.5, log_spread(t, df));
                let front = (log_gamma_ratio(a, b) - a * log).exp() * (-(-log).exp_m1() / PI).sqrt();
                let by_fraction = front * fraction(a, b, (-log).exp()) / a;
                assert_relative_eq!(near_the_normal((df * log).sqrt(), df), by_fraction, max_relative = 1e-12);
            }
        }
    }

    #[test]
    fn what_is_no_law_or_no_tail_is_not_a_number() {
        assert!(two_sided_p_value(1.0, 0.0).is_nan() && two_sided_p_value(f64::NAN, 3.0).is_nan());
        assert!(two_sided_p_value(1.0, f64::NAN).is_nan() && upper_quantile(0.1, -1.0).is_nan());
        assert!([0.0, 0.5, 1.0, f64::NAN].into_iter().all(|tail| upper_quantile(tail, 3.0).is_nan()));
        assert_eq!((two_sided_p_value(0.0, 3.0), two_sided_p_value(f64::INFINITY, 3.0)), (1.0, 0.0));
        assert_eq!(upper_quantile(1e-200, 0.1), f64::INFINITY);
        assert_eq!(upper_quantile(0.025, f64::INFINITY), -normal::quantile(0.025));
    }
}
