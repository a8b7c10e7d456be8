//! The far tail of the normal distribution: Mills' ratio and what it gives without underflow.
//!
//! By the rational approximations of erfc of Cody (1969), *Rational Chebyshev approximations for the error function*,
//! Math. Comp. 23, good to the last digit or two of a double.
// The digits are those of the published tables.
#![allow(clippy::excessive_precision)]

const LN_SQRT_2PI: f64 = 0.918_938_533_204_672_8;
const SQRT_HALF_PI: f64 = 1.253_314_137_315_500_3;

/// (1 − Φ(z)) / φ(z), Mills' ratio, for `z >= 0`: about 1/z far out.
fn mills_ratio(z: f64) -> f64 {
    SQRT_HALF_PI * scaled_erfc(z * std::f64::consts::FRAC_1_SQRT_2)
}

/// e^(x²) erfc(x) for `x >= 0`.
fn scaled_erfc(x: f64) -> f64 {
    const A: [f64; 5] = [
        3.161_123_743_870_565_6,
        1.138_641_541_510_501_56e2,
        3.774_852_376_853_020_21e2,
        3.209_377_589_138_469_47e3,
        1.857_777_061_846_031_53e-1,
    ];
    const B: [f64; 4] = [
        2.360_129_095_234_412_09e1,
        2.440_246_379_344_441_73e2,
        1.282_616_526_077_372_28e3,
        2.844_236_833_439_170_62e3,
    ];
    const C: [f64; 9] = [
        5.641_884_969_886_700_89e-1,
        8.883_149_794_388_375_94,
        6.611_919_063_714_162_95e1,
        2.986_351_381_974_001_31e2,
        8.819_522_212_417_690_90e2,
        1.712_047_612_634_070_58e3,
        2.051_078_377_826_071_47e3,
        1.230_339_354_797_997_25e3,
        2.153_115_354_744_038_46e-8,
    ];
    const D: [f64; 8] = [
        1.574_492_611_070_983_47e1,
        1.176_939_508_913_124_99e2,
        5.371_811_018_620_098_58e2,
        1.621_389_574_566_690_19e3,
        3.290_799_235_733_459_63e3,
        4.362_619_090_143_247_16e3,
        3.439_367_674_143_721_64e3,
        1.230_339_354_803_749_42e3,
    ];
    const P: [f64; 6] = [
        3.053_266_349_612_323_44e-1,
        3.603_448_999_498_044_39e-1,
        1.257_817_261_112_292_46e-1,
        1.608_378_514_874_227_66e-2,
        6.587_491_615_298_378_03e-4,
        1.631_538_713_730_209_78e-2,
    ];
    const Q: [f64; 5] = [
        2.568_520_192_289_822_42,
        1.872_952_849_923_467_25,
        5.279_051_029_514_284_12e-1,
        6.051_834_131_244_131_91e-2,
        2.335_204_976_268_691_85e-3,
    ];
    if x <= 0.468_75 {
        let square = x * x;
        let (mut above, mut below) = (A[4] * square, square);
        for i in 0..3 {
            above = (above + A[i]) * square;
            below = (below + B[i]) * square;
        }
        return square.exp() * (1.0 - x * (above + A[3]) / (below + B[3]));
    }
    if x <= 4.0 {
        let (mut above, mut below) = (C[8] * x, x);
        for i in 0..7 {
            above = (above + C[i]) * x;
            below = (below + D[i]) * x;
        }
        return (above + C[7]) / (below + D[7]);
    }
    const SQRT_PI_INVERSE: f64 = 0.564_189_583_547_756_3;
    let square = (x * x).recip();
    let (mut above, mut below) = (P[5] * square, square);
    for i in 0..4 {
        above = (above + P[i]) * square;
        below = (below + Q[i]) * square;
    }
    (SQRT_PI_INVERSE - square * (above + P[4]) / (below + Q[4])) / x
}

/// ln(1 − Φ(z)), exact in both tails.
pub fn log_upper_tail(z: f64) -> f64 {
    if z >= 0.0 {
        -0.5 * z * z - LN_SQRT_2PI + mills_ratio(z).ln()
    } else {
        // The lower tail of −z is the upper one of z.
        (-mills_ratio(-z) * (-0.5 * z * z - LN_SQRT_2PI).exp()).ln_1p()
    }
}

/// ln(φ(z) / (1 − Φ(z))): the logarithm of the hazard of the standard normal.
pub fn log_hazard(z: f64) -> f64 {
    if z >= 0.0 { -mills_ratio(z).ln() } else { -0.5 * z * z - LN_SQRT_2PI - log_upper_tail(z) }
}

#[cfg(test)]
#[allow(clippy::approx_constant)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    // R 4.2.2: pnorm(z, lower = FALSE, log = TRUE) and dnorm(z, log = TRUE) minus it.
    #[test]
    fn tails_agree_with_r() {
        for (z, tail, hazard) in [
            (-30.0, -4.9067139271481872e-198, -450.91893853320465),
            (-3.0, -0.0013508099647481938, -5.417587723239925),
            (-0.5, -0.36894641528865652, -0.6749921179160161),
            (0.0, -0.69314718055994529, -0.22579135264472749),
            (0.3, -0.96210281816885079, -0.0018357150358220276),
            (1.0, -1.8410216450092636, 0.4220831118045909),
            (5.0, -15.064998393988725, 1.6460598607840531),
            (5.9, -20.125799580203172, 1.8018610469984964),
            (40.0, -804.6084420137538, 3.6895034805490923),
        ] {
            assert_relative_eq!(log_upper_tail(z), tail, max_relative = 1e-14);
            assert_relative_eq!(log_hazard(z), hazard, max_relative = 1e-14, epsilon = 1e-15);
        }
    }
}
