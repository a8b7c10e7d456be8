//! The gamma function's logarithm with its derivatives, and ratios of gamma functions without cancellation.

/// From here on Stirling's series is exact to the last bit.
const LARGE: f64 = 16.0;
/// ln √(2π)
const HALF_LOG_TAU: f64 = 0.918_938_533_204_672_8;

/// Stirling's series less its leading part: ln Γ(z) = (z − ½) ln z − z + ln √(2π) + this (NIST DLMF 5.11.1), for z ≥ 16.
fn remainder(z: f64) -> f64 {
    let i = 1.0 / (z * z);
    (1.0 / 12.0
        + i * (-1.0 / 360.0 + i * (1.0 / 1260.0 + i * (-1.0 / 1680.0 + i * (1.0 / 1188.0 - i * 691.0 / 360_360.0)))))
        / z
}

/// ln Γ(z), ψ(z), ψ′(z) for z > 0.
pub fn log_gamma(z: f64) -> [f64; 3] {
    let (mut w, mut product, mut first, mut second) = (z, 1.0, 0.0, 0.0);
    while w < LARGE {
        product *= w;
        first -= 1.0 / w;
        second += 1.0 / (w * w);
        w += 1.0;
    }
    let i = 1.0 / (w * w);
    let value = (w - 0.5) * w.ln() - w + HALF_LOG_TAU + remainder(w);
    let digamma = w.ln()
        - 0.5 / w
        - i * (1.0 / 12.0
            - i * (1.0 / 120.0 - i * (1.0 / 252.0 - i * (1.0 / 240.0 - i * (1.0 / 132.0 - i * 691.0 / 32_760.0)))));
    let trigamma = 1.0 / w
        + 0.5 * i
        + i / w
            * (1.0 / 6.0
                - i * (1.0 / 30.0 - i * (1.0 / 42.0 - i * (1.0 / 30.0 - i * (5.0 / 66.0 - i * 691.0 / 2730.0)))));
    [value - product.ln(), digamma + first, trigamma + second]
}

/// ln Γ(z + q) / Γ(z) for z > 0 and q ≥ 0, to the last digits however large z is.
pub fn log_gamma_ratio(z: f64, q: f64) -> f64 {
    let (mut w, mut shift) = (z, 0.0);
    while w < LARGE {
        shift += (q / w).ln_1p();
        w += 1.0;
    }
    (w - 0.5) * (q / w).ln_1p() + q * (w + q).ln() - q + remainder(w + q) - remainder(w) - shift
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    // References: scipy 1.17, gammaln, digamma, polygamma(1, z).
    #[test]
    fn values_agree_with_references() {
        for (z, expected) in REFERENCES {
            for (ours, expected) in log_gamma(z).into_iter().zip(expected) {
                assert_relative_eq!(ours, expected, max_relative = 2e-14, epsilon = 1e-15);
            }
        }
    }

    #[test]
    fn ratios_are_differences_where_those_are_exact_and_hold_where_they_are_not() {
        for (z, q) in [(0.3, 2.5), (1e-5, 1.0), (3.0, 0.0), (20.0, 7.25), (1.0, 1e4)] {
            assert_relative_eq!(
                log_gamma_ratio(z, q),
                log_gamma(z + q)[0] - log_gamma(z)[0],
                max_relative = 1e-11,
                epsilon = 1e-13
            );
        }
        // Γ(z + 2) / Γ(z) = z (z + 1).
        for z in [1e-8, 0.5, 15.9, 1e5, 1e10, 1e15] {
            assert_relative_eq!(log_gamma_ratio(z, 2.0), (z * (z + 1.0)).ln(), max_relative = 1e-14, epsilon = 1e-14);
        }
    }

    const REFERENCES: [(f64, [f64; 3]); 7] = [
        (1e-08, [18.42068073818021, -100000000.57721564, 1e+16]),
        (0.1, [2.252712651734206, -10.423754940411076, 101.43329915079275]),
        (0.5, [0.5723649429247, -1.9635100260214235, 4.93480220054468]),
        (1.5, [-0.12078223763524526, 0.03648997397857652, 0.9348022005446793]),
        (7.25, [7.0521854507385395, 1.9104535268837362, 0.1478792331589322]),
        (16.0, [27.899271383840894, 2.7410133283274605, 0.06449378340323936]),
        (12345.6, [103959.18506616844, 9.421014502465397, 8.100379903388379e-05]),
    ];
}
