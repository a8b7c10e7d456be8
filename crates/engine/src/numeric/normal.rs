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

/// P(χ² with `df` degrees of freedom > `x`); NaN when `df` is not positive.
pub fn chi_squared_upper_tail(x: f64, df: f64) -> f64 {
    match ChiSquared::new(df) {
        Ok(distribution) => distribution.sf(x.max(0.0)),
        Err(_) => f64::NAN,
    }
}
