//! Thin wrappers over `statrs`: the normal and chi-squared distributions where tests and intervals need them.

use statrs::distribution::{ChiSquared, ContinuousCDF, Normal};

/// The standard normal quantile of `p`; infinite at 0 and 1, NaN outside.
pub fn quantile(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    Normal::standard().inverse_cdf(p)
}

/// P(|Z| > |z|), accurate far into the tail.
pub fn two_sided_p_value(z: f64) -> f64 {
    statrs::function::erf::erfc(z.abs() / std::f64::consts::SQRT_2)
}

/// P(χ² with `df` degrees of freedom > `x`), accurate far into the tail; NaN when `df` is not positive.
pub fn chi_squared_upper_tail(x: f64, df: f64) -> f64 {
    match ChiSquared::new(df) {
        Ok(distribution) => distribution.sf(x.max(0.0)),
        Err(_) => f64::NAN,
    }
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
            (0.6, 0.25334710313579978),
            (0.1, -1.2815515655446008),
            (1e-10, -6.3613409024040557),
            (1e-300, -37.0470962993612),
        ] {
            assert_relative_eq!(quantile(p), z, max_relative = 1e-13);
        }
        assert_eq!(quantile(0.5), 0.0);
        assert!(quantile(1.5).is_nan() && quantile(f64::NAN).is_nan());
    }

    #[test]
    fn far_tails_keep_their_digits() {
        for (z, p) in [
            (1.96, 4.9995790296440856e-2),
            (-5.0, 5.7330314375838782e-7),
            (10.0, 1.5239706048321054e-23),
            (37.0, 1.1451142445049154e-299),
        ] {
            assert_relative_eq!(two_sided_p_value(z), p, max_relative = 1e-12);
        }
        for (x, df, p) in [
            (1e-3, 1.0, 9.7477287936996038e-1),
            (3.84, 1.0, 5.0043521248705224e-2),
            (50.0, 1.0, 1.5374597944280343e-12),
            (1400.0, 1.0, 2.1010145162641344e-306),
            (30.0, 7.0, 9.4959725081341848e-5),
            (700.0, 7.0, 6.8965125740903270e-147),
            (5.0, 100.0, 1.0),
        ] {
            assert_relative_eq!(chi_squared_upper_tail(x, df), p, max_relative = 1e-12);
        }
        assert!(chi_squared_upper_tail(1.0, 0.0).is_nan());
    }
}
