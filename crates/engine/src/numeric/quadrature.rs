//! Integrals of smooth functions.
// The digits are those of the published tables.
#![allow(clippy::excessive_precision)]

use crate::numeric::sum::Sum;

/// Nodes and weights of the 20-point Gauss–Legendre rule on [−1, 1]: the positive half.
const GAUSS: [(f64, f64); 10] = [
    (0.076526521133497338, 0.15275338713072628),
    (0.22778585114164507, 0.14917298647260424),
    (0.37370608871541955, 0.1420961093183824),
    (0.51086700195082713, 0.13168863844917689),
    (0.63605368072651502, 0.11819453196151861),
    (0.7463319064601508, 0.10193011981724071),
    (0.83911697182221878, 0.083276741576704713),
    (0.91223442825132595, 0.06267204833410879),
    (0.96397192727791381, 0.040601429800386446),
    (0.993128599185095, 0.017614007139150893),
];

/// Kronrod's 21-point extension of the 10-point Gauss rule (Piessens et al. 1983, *QUADPACK*): node, weight, and the
/// Gauss weight where it is one of Gauss's nodes.
const KRONROD: [(f64, f64, f64); 11] = [
    (0.0, 0.149_445_554_002_916_905_664_936_468_389_821, 0.0),
    (
        0.148_874_338_981_631_210_884_826_001_129_720,
        0.147_739_104_901_338_491_374_841_515_972_068,
        0.295_524_224_714_752_870_173_892_994_651_338,
    ),
    (0.294_392_862_701_460_198_131_126_603_103_866, 0.142_775_938_577_060_080_797_094_273_138_717, 0.0),
    (
        0.433_395_394_129_247_190_799_265_943_165_784,
        0.134_709_217_311_473_325_928_054_001_771_707,
        0.269_266_719_309_996_355_091_226_921_569_469,
    ),
    (0.562_757_134_668_604_683_339_000_099_272_694, 0.123_491_976_262_065_851_077_958_109_585_166, 0.0),
    (
        0.679_409_568_299_024_406_234_327_365_114_874,
        0.109_387_158_802_297_641_899_210_590_325_805,
        0.219_086_362_515_982_043_995_534_934_228_163,
    ),
    (0.780_817_726_586_416_897_063_717_578_345_042, 0.093_125_454_583_697_605_535_065_465_083_366, 0.0),
    (
        0.865_063_366_688_984_510_732_096_688_423_493,
        0.075_039_674_810_919_952_767_043_140_916_190,
        0.149_451_349_150_580_593_145_863_396_657_697,
    ),
    (0.930_157_491_355_708_226_001_207_180_059_508, 0.054_755_896_574_351_996_031_381_300_244_580, 0.0),
    (
        0.973_906_528_517_171_720_077_964_012_084_452,
        0.032_558_162_307_964_727_478_818_972_459_390,
        0.066_671_344_308_688_137_593_568_809_893_332,
    ),
    (0.995_657_163_025_808_080_735_527_280_689_003, 0.011_694_638_867_371_874_278_064_396_062_192, 0.0),
];

/// Panels beyond which the integral counts as not converging.
const MOST_PANELS: usize = 4000;

/// Adds the 20-point rule over [from, from + width] to `take`, which gets each point and its weight.
#[inline]
pub fn gauss_panel(from: f64, width: f64, mut take: impl FnMut(f64, f64)) {
    let half = width / 2.0;
    let middle = from + half;
    for (node, weight) in GAUSS {
        take(middle - half * node, half * weight);
        take(middle + half * node, half * weight);
    }
}

/// One panel: the integral by the longer rule and how far the shorter one is off.
fn panel(f: &mut impl FnMut(f64) -> f64, from: f64, to: f64) -> (f64, f64) {
    let (half, middle) = ((to - from) / 2.0, from.midpoint(to));
    let (mut long, mut short) = (0.0, 0.0);
    for (node, weight, gauss) in KRONROD {
        let value = if node == 0.0 { f(middle) } else { f(middle - half * node) + f(middle + half * node) };
        long += weight * value;
        short += gauss * value;
    }
    (long * half, ((long - short) * half).abs())
}

/// The integral of `f` over the stretches between consecutive `points`, by bisecting the worst panel until the error is
/// below `tolerance` × the integral; `None` when it does not come so far or is not finite.
pub fn integrate(mut f: impl FnMut(f64) -> f64, points: &[f64], tolerance: f64) -> Option<f64> {
    let mut panels: Vec<(f64, f64, f64, f64)> = Vec::new();
    for pair in points.windows(2) {
        if pair[0] < pair[1] {
            let (value, error) = panel(&mut f, pair[0], pair[1]);
            panels.push((pair[0], pair[1], value, error));
        }
    }
    loop {
        let total = panels.iter().map(|(_, _, value, _)| *value).collect::<Sum>().total();
        let error: f64 = panels.iter().map(|(_, _, _, error)| *error).sum();
        if !total.is_finite() || !error.is_finite() {
            return None;
        }
        if error <= tolerance * total.abs() {
            return Some(total);
        }
        if panels.len() >= MOST_PANELS {
            return None;
        }
        // Bisecting all that carry more than their share at once keeps the number of passes small.
        let share = tolerance * total.abs() / panels.len() as f64;
        let panels_before = panels.len();
        let mut next = Vec::with_capacity(panels_before + 8);
        for (from, to, value, error) in panels {
            let middle = from.midpoint(to);
            if error <= share || !(from < middle && middle < to) {
                next.push((from, to, value, if from < middle && middle < to { error } else { 0.0 }));
                continue;
            }
            for (from, to) in [(from, middle), (middle, to)] {
                let (value, error) = panel(&mut f, from, to);
                next.push((from, to, value, error));
            }
        }
        if next.len() == panels_before {
            // No panel can be halved any more, or none is to blame alone: this is what the numbers give.
            return Some(total);
        }
        panels = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn known_integrals() {
        let gaussian = integrate(|x| (-x * x / 2.0).exp(), &[-40.0, 40.0], 1e-13).unwrap();
        assert_relative_eq!(gaussian, (2.0 * std::f64::consts::PI).sqrt(), max_relative = 1e-14);
        let root = integrate(f64::sqrt, &[0.0, 1.0], 1e-13).unwrap();
        assert_relative_eq!(root, 2.0 / 3.0, max_relative = 1e-13);
        assert_eq!(integrate(|x| 1.0 / x, &[0.0, 1.0], 1e-12), None);
        let mut total = 0.0;
        gauss_panel(0.0, 1.0, |x, weight| total += weight * (-20.0 * x).exp());
        assert_relative_eq!(total, (1.0 - (-20.0f64).exp()) / 20.0, max_relative = 1e-13);
    }
}
