//! The generalized exponential integral E_ν(z) = ∫₁^∞ e^−zv v^−ν dv.

use crate::numeric::quadrature::gauss_panel;

/// From here on the continued fraction is quick.
const LARGE: f64 = 0.3;
const MOST_TERMS: usize = 1000;
/// e to minus this is nothing.
const NEGLIGIBLE: f64 = 60.0;
/// On one panel the exponent changes by no more than this, and the logarithm of v by no more than that.
const EXPONENT_PER_PANEL: f64 = 16.0;
const PANEL: f64 = 3.0;

/// e^z E_ν(z) for ν ≥ 0 and z > 0: by the continued fraction of NIST DLMF 8.19.17 in its even form (Lentz's method,
/// Thompson & Barnett 1986), below z = 0.3 by Gauss's rule over the logarithm of v.
pub fn scaled_exponential_integral(nu: f64, z: f64) -> f64 {
    if z == f64::INFINITY {
        return 0.0;
    }
    if z >= LARGE {
        let mut b = z + nu;
        let mut d = 1.0 / b;
        let (mut c, mut fraction) = (f64::INFINITY, d);
        for i in 1..MOST_TERMS {
            let i = i as f64;
            let a = -i * (nu - 1.0 + i);
            b += 2.0;
            d = 1.0 / (a * d + b);
            c = b + a / c;
            let change = c * d;
            fraction *= change;
            if (change - 1.0).abs() <= f64::EPSILON {
                return fraction;
            }
        }
    }
    let end = (NEGLIGIBLE / z).ln_1p();
    // Where the powers of v fall faster than the exponential.
    let end = if nu > 1.0 { end.min(NEGLIGIBLE / (nu - 1.0)) } else { end };
    let (mut at, mut sum) = (0.0f64, 0.0);
    while at < end {
        // How fast the exponent changes here, and then at the end of the panel.
        let change = |u: f64| (nu - 1.0).abs() + z * u.exp();
        let width = PANEL.min(EXPONENT_PER_PANEL / change(at));
        let width = width.min(EXPONENT_PER_PANEL / change(at + width)).min(end - at);
        gauss_panel(at, width, |u, weight| sum += weight * (-z * u.exp_m1() + (1.0 - nu) * u).exp());
        at += width;
        if -z * at.exp_m1() + (1.0 - nu) * at < -NEGLIGIBLE {
            break;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    // References: scipy 1.17, exp(z) expn(n, z) for whole ν; else quad of the integral with an error below 1e-13.
    #[test]
    fn both_ways_agree_with_references() {
        for (nu, z, expected) in [
            (1.0, 1.0, 0.596_347_362_323_194_6),
            (2.0, 0.5, 0.538_544_683_758_135_1),
            (0.0, 0.2, 5.0),
            (0.5, 1e-6, 1_770.455_622_026_919),
        ] {
            assert_relative_eq!(scaled_exponential_integral(nu, z), expected, max_relative = 1e-12);
        }
        // E_0(z) = e^−z / z, and the recurrence ν E_{ν+1} = e^−z − z E_ν on both sides of the border.
        for z in [1e-9, 1e-3, 0.1, 0.29, 0.31, 2.0, 50.0, 1e6] {
            assert_relative_eq!(scaled_exponential_integral(0.0, z), 1.0 / z, max_relative = 1e-12);
            for nu in [0.3, 1.0, 2.7, 10.0] {
                let (here, next) = (scaled_exponential_integral(nu, z), scaled_exponential_integral(nu + 1.0, z));
                assert_relative_eq!(nu * next + z * here, 1.0, max_relative = 1e-12);
            }
        }
        assert_eq!(scaled_exponential_integral(2.0, f64::INFINITY), 0.0);
    }
}
