//! Differences of logarithms of the beta function, without the cancellation of taking them one by one.

use num_dual::DualNum;

/// From here on Stirling's series with the terms below is exact to the last bit.
const STIRLING: f64 = 20.0;

/// Numbers with derivatives, by forward differentiation.
pub trait Dual: DualNum<Primitive = f64> + Copy {}
impl<D: DualNum<Primitive = f64> + Copy> Dual for D {}

/// ln B(α, β + x) − ln B(α, β) ≤ 0 for α, β > 0 and x ≥ 0, to a few units in the last place of the result – at α = 10⁸
/// and at α = 10⁻⁸ alike.
///
/// With z = β + k, Γ(z + 1) = z Γ(z) takes off one factor at a time, each below 1, until Stirling's series holds; its terms
/// are then combined such that what cancels is never formed.
pub fn log_beta_change<D: Dual>(alpha: D, beta: D, x: D) -> D {
    let product = alpha * x;
    let mut z = beta;
    let mut change = D::from(0.0);
    while z.re() < STIRLING {
        let quotient = z / (alpha + z) * ((z + x + alpha) / (z + x));
        change += log_of_less(product / ((alpha + z) * (z + x)), quotient);
        z += 1.0;
    }
    // Γ(z + x) Γ(z + α) / (Γ(z) Γ(z + x + α)) by Stirling.
    let last = z + x + alpha;
    change += (z - 0.5) * (product / (z * last)).ln_1p();
    change += x * log_of_less(alpha / last, (z + x) / last);
    change += alpha * log_of_less(x / last, (z + alpha) / last);
    // 1/z at the four corners, whose sum is a product.
    let corners = -(product * (z + last)) / ((z + x) * (z + alpha) * z * last);
    change += corners / 12.0;
    let rest = |z: D| {
        let inverse = z.recip();
        let square = inverse * inverse;
        inverse * square * (square * (square / 1680.0 - 1.0 / 1260.0) + 1.0 / 360.0)
    };
    change - (rest(z + x) + rest(z + alpha) - rest(z) - rest(last))
}

/// ln(1 − `less`), where 1 − `less` is `quotient`, from the one of them that has more digits.
pub fn log_of_less<D: Dual>(less: D, quotient: D) -> D {
    if less.re() < 0.5 { (-less).ln_1p() } else { quotient.ln() }
}

/// As [`log_beta_change`] at x = e^`log_x`, which may be beyond the numbers.
pub fn log_beta_change_at<D: Dual>(alpha: D, beta: D, log_x: D) -> D {
    // From so far out x^−α is all there is to it.
    let far = 1e16f64.ln() + 2.0 * (1.0 + alpha.re() + beta.re()).ln();
    if log_x.re() <= far {
        return log_beta_change(alpha, beta, log_x.exp());
    }
    log_beta_change(alpha, beta, D::from(far.exp())) - alpha * (log_x - far)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use num_dual::{HyperDual64, second_partial_derivative};
    use statrs::function::gamma::{digamma, ln_gamma};

    #[test]
    fn whole_steps_are_products() {
        for (alpha, beta) in [(0.704, 1.182), (3.8, 15.2), (1e-8, 3e-8), (1e8, 7e8), (1e-6, 50.0), (40.0, 1e-3)] {
            for steps in [1u32, 2, 7, 60, 400] {
                let factor = |k: f64| match alpha < beta + k {
                    true => (-alpha / (alpha + beta + k)).ln_1p(),
                    false => ((beta + k) / (alpha + beta + k)).ln(),
                };
                let product: f64 = (0..steps).map(|k| factor(f64::from(k))).sum();
                let ours = log_beta_change(alpha, beta, f64::from(steps));
                assert_relative_eq!(ours, product, max_relative = 4e-14);
                assert_relative_eq!(
                    log_beta_change_at(alpha, beta, f64::from(steps).ln()),
                    product,
                    max_relative = 1e-13
                );
            }
        }
    }

    #[test]
    fn any_step_is_that_of_gamma_functions() {
        for (alpha, beta, x) in [(0.7, 1.2, 3.3), (5.0, 2.0, 0.4), (12.0, 30.0, 1.7), (0.3, 0.1, 55.5)] {
            let expected = ln_gamma(alpha + beta) + ln_gamma(beta + x) - ln_gamma(beta) - ln_gamma(alpha + beta + x);
            assert_relative_eq!(log_beta_change(alpha, beta, x), expected, max_relative = 1e-12);
        }
    }

    #[test]
    fn derivatives_are_those_of_gamma_functions() {
        let (alpha, beta, x) = (0.7, 1.2, 3.3);
        let (_, by_alpha, by_x, _) = second_partial_derivative(
            |(alpha, x): (HyperDual64, HyperDual64)| log_beta_change(alpha, HyperDual64::from(beta), x),
            (alpha, x),
        );
        assert_relative_eq!(by_alpha, digamma(alpha + beta) - digamma(alpha + beta + x), max_relative = 1e-12);
        assert_relative_eq!(by_x, digamma(beta + x) - digamma(alpha + beta + x), max_relative = 1e-12);
    }

    #[test]
    fn far_out_it_falls_as_a_power() {
        let near = log_beta_change_at(2.5, 4.0, 30.0);
        assert_relative_eq!(log_beta_change_at(2.5, 4.0, 30.0 + 1e6) - near, -2.5e6, max_relative = 1e-14);
        // Where the two forms meet.
        let far = 1e16f64.ln() + 2.0 * 7.5f64.ln();
        let (below, above) = (log_beta_change_at(2.5, 4.0, far - 1e-9), log_beta_change_at(2.5, 4.0, far + 1e-9));
        assert_relative_eq!(above - below, -5e-9, max_relative = 1e-4);
    }
}
