//! Thin wrappers over `statrs`: the normal and chi-squared distributions where tests and intervals need them.

use crate::numeric::gamma::log_gamma;
use statrs::distribution::{ChiSquared, Continuous, ContinuousCDF, Normal};

/// The standard normal quantile of `p`; infinite at 0 and 1, NaN outside.
pub fn quantile(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    Normal::standard().inverse_cdf(p)
}

/// P(|Z| > |z|), accurate far into the tail.
///
/// By way of the chi-squared distribution of z²: `erfc` of statrs 0.18 is wrong in the eleventh digit.
pub fn two_sided_p_value(z: f64) -> f64 {
    chi_squared_upper_tail(z * z, 1.0)
}

/// P(χ² with `df` degrees of freedom > `x`), accurate far into the tail; NaN when `x` is NaN or `df` is not positive.
pub fn chi_squared_upper_tail(x: f64, df: f64) -> f64 {
    match ChiSquared::new(df) {
        Ok(_) if x.is_nan() => f64::NAN,
        Ok(_) if x == f64::INFINITY => 0.0,
        // So small that it is 0 to the distribution, which would not have it.
        Ok(_) if x < f64::MIN_POSITIVE => 1.0,
        Ok(distribution) => distribution.sf(x),
        Err(_) => f64::NAN,
    }
}

/// The x that a chi-squared variable exceeds with probability `tail`, in (0, 1).
pub fn chi_squared_upper_quantile(tail: f64, df: f64) -> f64 {
    let Ok(distribution) = ChiSquared::new(df) else { return f64::NAN };
    // So near to 0 the law is a power of x, and the tail above has no digits of what is below.
    let half = df / 2.0;
    let least = 2.0 * (((1.0 - tail).ln() + log_gamma(half + 1.0)[0]) / half).exp();
    if least < 1e-12 {
        return least;
    }
    // Wilson & Hilferty 1931.
    let cube = 1.0 - 2.0 / (9.0 * df) - quantile(tail) * (2.0 / (9.0 * df)).sqrt();
    let above = |x| chi_squared_upper_tail(x, df);
    let near = climb(df * cube.max(1e-3).powi(3), |x| (above(x) - tail) / distribution.pdf(x));
    between(0.0, 100.0 + df + 20.0 * df.sqrt() - 2.0 * tail.ln(), near, |x| above(x) > tail)
}

/// Newton's method for positive roots from a guess: near the root, or anywhere where it fails.
fn climb(mut x: f64, step: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..30 {
        let by = step(x);
        x = if x + by > 0.0 { x + by } else { x / 2.0 };
        if by.is_nan() || by.abs() <= 1e-13 * x {
            break;
        }
    }
    x
}

/// Where `is_below` turns from true to false, to the last bit; first looked for around `near`. `high` is raised until it
/// is beyond.
fn between(mut low: f64, mut high: f64, near: f64, is_below: impl Fn(f64) -> bool) -> f64 {
    let around = [1e-14, 1e-12, 1e-9].map(|width| (near * (1.0 - width), near * (1.0 + width)));
    match around.into_iter().find(|(low, high)| is_below(*low) && !is_below(*high)) {
        Some(found) => (low, high) = found,
        None => {
            while is_below(high) && high < f64::MAX / 2.0 {
                high *= 2.0;
            }
        }
    }
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if is_below(middle) { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    // References: R 4.2.2, qnorm, 2 * pnorm(-z), pchisq(x, df, lower = FALSE).
    #[test]
    fn quantiles_agree_with_r() {
        for (p, z) in [
            (0.975, 1.9599639845400536),
            (0.6, 0.2533471031357998),
            (0.1, -1.2815515655446008),
            (1e-10, -6.361340902404056),
            (1e-300, -37.0470962993612),
        ] {
            assert_relative_eq!(quantile(p), z, max_relative = 1e-13);
        }
        assert_eq!(quantile(0.5), 0.0);
        assert!(quantile(1.5).is_nan() && quantile(f64::NAN).is_nan());
    }

    // References: R 4.2.2, qchisq(tail, df, lower = FALSE).
    #[test]
    fn upper_quantiles_agree_with_r() {
        for (tail, df, x) in [
            (0.025, 3.0, 9.348403604496145),
            (0.975, 3.0, 0.21579528262389794),
            (0.975, 0.4, 1.2745079840059555e-08),
            (0.975, 0.05, 9.479198738738122e-65),
            (0.025, 0.05, 0.5309089728735468),
            (0.5, 11.3, 10.640782079259509),
            (1e-06, 40.0, 97.65295741506301),
            (0.999, 250.0, 186.554103749931),
            (0.025, 2000000.0, 2003921.8219309007),
        ] {
            assert_relative_eq!(chi_squared_upper_quantile(tail, df), x, max_relative = 1e-12);
        }
    }

    #[test]
    fn far_tails_keep_their_digits() {
        for (z, p) in [
            (1.96, 0.049995790296440856),
            (-5.0, 5.733031437583878e-07),
            (10.0, 1.5239706048321054e-23),
            (37.0, 1.1451142445049154e-299),
        ] {
            assert_relative_eq!(two_sided_p_value(z), p, max_relative = 1e-12);
        }
        for (x, df, p) in [
            (1e-3, 1.0, 0.9747728793699604),
            (3.84, 1.0, 0.050043521248705224),
            (50.0, 1.0, 1.5374597944280343e-12),
            (1400.0, 1.0, 2.1010145162641344e-306),
            (30.0, 7.0, 9.495972508134185e-05),
            (700.0, 7.0, 6.896512574090327e-147),
            (5.0, 100.0, 1.0),
        ] {
            assert_relative_eq!(chi_squared_upper_tail(x, df), p, max_relative = 1e-12);
        }
        assert!(chi_squared_upper_tail(1.0, 0.0).is_nan() && chi_squared_upper_tail(f64::NAN, 1.0).is_nan());
        assert_eq!((chi_squared_upper_tail(f64::INFINITY, 2.0), chi_squared_upper_tail(0.0, 2.0)), (0.0, 1.0));
        assert_eq!((two_sided_p_value(1e200), two_sided_p_value(0.0)), (0.0, 1.0));
    }
}
