//! The standardised log-generalised-gamma distribution of Prentice (1974), *A log gamma model and its maximum likelihood
//! estimation*, Biometrika 61, with derivatives that are smooth where its shape q passes through 0 (the normal).
//!
//! With ψ(w, q) = (e^(qw) − 1 − qw) / q², the density of w is e^(−ψ) / (√(2π) Γ*(q⁻²)), where Γ* is the gamma function
//! over Stirling's approximation. It is log-concave with its mode at 0, and (w, q) → (−w, −q) turns its tails round. The
//! tail is integrated by Gauss–Legendre panels on the scale of the integrand, relative to the density at its start, so
//! that it keeps its digits however small it is.

use crate::numeric::quadrature::gauss_panel;

const LN_SQRT_2PI: f64 = 0.918_938_533_204_672_8;
/// Stirling's series starts here; smaller arguments are raised step by step.
const STIRLING_FROM: f64 = 12.0;
/// Coefficients B₂ₙ / (2n (2n − 1)) of Stirling's series in k^(1−2n).
const STIRLING: [f64; 8] = [
    1.0 / 12.0,
    -1.0 / 360.0,
    1.0 / 1260.0,
    -1.0 / 1680.0,
    1.0 / 1188.0,
    -691.0 / 360_360.0,
    1.0 / 156.0,
    -3617.0 / 122_400.0,
];
/// The integrand counts as gone when it has fallen by this many powers of e.
const GONE: f64 = 42.0;
/// What a panel may fall through.
const PANEL_FALL: f64 = 12.0;

/// A function of (w, q) with its derivatives: value, w, q, ww, wq, qq.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Partials {
    pub value: f64,
    pub w: f64,
    pub q: f64,
    pub ww: f64,
    pub wq: f64,
    pub qq: f64,
}

/// (e^x − 1 − x) / x² and its first two derivatives.
fn rho(x: f64) -> [f64; 3] {
    if x.abs() < 2.0 {
        // Σ xⁿ / (n + 2)!, differentiated term by term, from the smallest term.
        let (mut zeroth, mut first, mut second) = (0.0, 0.0, 0.0);
        for (n, inverse) in INVERSE_FACTORIALS.iter().enumerate().rev() {
            let n = n as f64;
            zeroth = zeroth * x + inverse;
            if n >= 1.0 {
                first = first * x + n * inverse;
            }
            if n >= 2.0 {
                second = second * x + n * (n - 1.0) * inverse;
            }
        }
        return [zeroth, first, second];
    }
    let (e, square) = (x.exp(), x * x);
    [
        (e - 1.0 - x) / square,
        (e * (x - 2.0) + x + 2.0) / (square * x),
        (e * (square - 4.0 * x + 6.0) - 2.0 * x - 6.0) / (square * square),
    ]
}

/// 1 / (n + 2)!
const INVERSE_FACTORIALS: [f64; 24] = {
    let mut values = [0.0; 24];
    let (mut n, mut factorial) = (0, 2.0);
    while n < 24 {
        values[n] = 1.0 / factorial;
        n += 1;
        factorial *= (n + 2) as f64;
    }
    values
};

/// ln Γ*(q⁻²) and its first two derivatives in q.
pub fn log_scaled_gamma(q: f64) -> [f64; 3] {
    let square = q * q;
    if square * STIRLING_FROM <= 1.0 {
        // In powers of q: cₙ q^(4n − 2).
        let (mut zeroth, mut first, mut second) = (0.0, 0.0, 0.0);
        for (n, coefficient) in STIRLING.iter().enumerate().rev() {
            let power = (4 * n + 2) as f64;
            let scale = q.powi(4 * n as i32);
            zeroth += coefficient * scale * square;
            first += power * coefficient * scale * q;
            second += power * (power - 1.0) * coefficient * scale;
        }
        return [zeroth, first, second];
    }
    // In k, raised by Γ(k + 1) = k Γ(k) until the series holds.
    let k = square.recip();
    let (mut raised, mut log, mut digamma, mut trigamma) = (k, 0.0, 0.0, 0.0);
    while raised < STIRLING_FROM {
        log -= raised.ln();
        digamma -= raised.recip();
        trigamma += (raised * raised).recip();
        raised += 1.0;
    }
    let (mut series, mut series1, mut series2) = (0.0, 0.0, 0.0);
    for (n, coefficient) in STIRLING.iter().enumerate().rev() {
        let power = (2 * n + 1) as f64;
        let term = coefficient * raised.powf(-power);
        series += term;
        series1 -= power * term / raised;
        series2 += power * (power + 1.0) * term / (raised * raised);
    }
    log += (raised - 0.5) * raised.ln() - raised + series;
    digamma += raised.ln() - 0.5 / raised + series1;
    trigamma += raised.recip() + 0.5 / (raised * raised) + series2;
    let value = log - (k - 0.5) * k.ln() + k;
    let in_k = digamma - k.ln() + 0.5 / k;
    let in_kk = trigamma - k.recip() - 0.5 / (k * k);
    let (dk, ddk) = (-2.0 / (square * q), 6.0 / (square * square));
    [value, in_k * dk, in_kk * dk * dk + in_k * ddk]
}

/// ln f(w; q).
pub fn log_density(w: f64, q: f64) -> Partials {
    log_density_with(w, q, log_scaled_gamma(q))
}

/// As [`log_density`] with [`log_scaled_gamma`] of the same q.
pub fn log_density_with(w: f64, q: f64, [c, c1, c2]: [f64; 3]) -> Partials {
    let x = q * w;
    let [r, r1, r2] = rho(x);
    let square = w * w;
    let slope = if x.abs() < 1e-3 { w * (1.0 + x * r) } else { x.exp_m1() / q };
    Partials {
        value: -square * r - LN_SQRT_2PI - c,
        w: -slope,
        q: -square * w * r1 - c1,
        ww: -x.exp(),
        // (e^x − 1)/q is w (1 + x ρ).
        wq: -square * (r + x * r1),
        qq: -square * square * r2 - c2,
    }
}

/// ln P(W > w), with its derivatives when `order` is above 0.
pub fn log_survival(w: f64, q: f64, order: u8) -> Partials {
    if w == f64::NEG_INFINITY {
        return Partials::default();
    }
    if w >= 0.0 {
        return log_upper_tail(w, q, order);
    }
    // S = 1 − F, and F is the upper tail of the mirror image.
    let mirrored = log_upper_tail(-w, -q, order);
    let (lower_w, lower_q) = (-mirrored.w, -mirrored.q);
    let share = mirrored.value.exp();
    let odds = share / (1.0 - share);
    let curvature = odds * (1.0 + odds);
    Partials {
        value: (-share).ln_1p(),
        w: -odds * lower_w,
        q: -odds * lower_q,
        ww: -odds * mirrored.ww - curvature * lower_w * lower_w,
        wq: -odds * mirrored.wq - curvature * lower_w * lower_q,
        qq: -odds * mirrored.qq - curvature * lower_q * lower_q,
    }
}

/// ln P(W > w) for `w >= 0`.
fn log_upper_tail(w: f64, q: f64, order: u8) -> Partials {
    let scaled_gamma = log_scaled_gamma(q);
    let start = log_density_with(w, q, scaled_gamma);
    let (slope, curvature) = (-start.w, -start.ww);
    if !(start.value.is_finite() && curvature.is_finite()) {
        return Partials { value: f64::NEG_INFINITY, ..Partials::default() };
    }
    // Moments of ψ_q and ψ_qq under e^(−ψ) beyond w, relative to its start.
    let (mut mass, mut first, mut square, mut second) = (0.0, 0.0, 0.0, 0.0);
    let at_start = if order > 0 { -start.q - scaled_gamma[1] } else { 0.0 };
    let mut from = 0.0;
    loop {
        // The fall from here on is a h + b h² ρ(qh).
        let (a, b) =
            (slope + if q == 0.0 { from } else { curvature * (q * from).exp_m1() / q }, curvature * (q * from).exp());
        let mut width = f64::min(PANEL_FALL / a, (2.0 * PANEL_FALL / b).sqrt());
        if q > 0.0 {
            width = width.min(1.5 / q);
        } else if q < 0.0 && b > 1e-17 * q * q {
            width = width.min(3.0 / -q);
        }
        gauss_panel(from, width, |s, weight| {
            let fall = s * slope + curvature * s * s * rho0(q * s);
            let share = weight * (-fall).exp();
            mass += share;
            if order > 0 {
                let v = w + s;
                let [_, r1, r2] = rho(q * v);
                let cube = v * v * v;
                // Relative to the start, so that the variance does not cancel.
                let d = cube * r1 - at_start;
                first += share * d;
                square += share * d * d;
                second += share * cube * v * r2;
            }
        });
        from += width;
        if slope * from + curvature * from * from * rho0(q * from) > GONE {
            break;
        }
    }
    let value = start.value + mass.ln();
    if order == 0 {
        return Partials { value, ..Partials::default() };
    }
    let [_, c1, c2] = scaled_gamma;
    let (mean, mean_square, mean_second) = (first / mass, square / mass, second / mass);
    let rate = mass.recip();
    let in_q = -c1 - (mean + at_start);
    Partials {
        value,
        w: -rate,
        q: in_q,
        ww: -rate * (start.w + rate),
        wq: -rate * (start.q - in_q),
        qq: -c2 - mean_second + (mean_square - mean * mean),
    }
}

/// (e^x − 1 − x) / x² alone.
#[inline]
fn rho0(x: f64) -> f64 {
    if x.abs() < 0.5 {
        INVERSE_FACTORIALS[..14].iter().rev().fold(0.0, |sum, inverse| sum * x + inverse)
    } else {
        (x.exp_m1() - x) / (x * x)
    }
}

#[cfg(test)]
// The references are printed as R prints them.
#[allow(clippy::excessive_precision)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use proptest::prelude::*;

    // R 4.2.2: pgamma(k * exp(q * w), k, lower = q < 0, log = TRUE) with k = q⁻².
    #[test]
    fn tails_are_those_of_the_gamma_distribution() {
        for (w, q, tail) in [
            (-8.0, 0.01, -1.4942523116203206e-15),
            (-1.0, 0.01, -0.1741964158260407),
            (-0.01, 0.01, -0.68784224717061104),
            (0.0, 0.01, -0.69581034030382005),
            (0.5, 0.01, -1.1801947646374871),
            (3.0, 0.01, -6.6682934692830242),
            (10.0, 0.01, -54.99089166341237),
            (-8.0, 0.3, -8.2946224306161527e-09),
            (-1.0, 0.3, -0.22027241019126337),
            (-0.01, 0.3, -0.76776418527128043),
            (0.0, 0.3, -0.77633341343321494),
            (0.5, 0.3, -1.3080358613809062),
            (3.0, 0.3, -8.8151060569355462),
            (10.0, 0.3, -183.81245325412215),
            (-8.0, 1.0, -0.00033546262790251196),
            (-1.0, 1.0, -0.36787944117144233),
            (-0.01, 1.0, -0.99004983374916822),
            (0.0, 1.0, -1.0),
            (0.5, 1.0, -1.6487212707001282),
            (3.0, 1.0, -20.085536923187668),
            (10.0, 1.0, -22026.465794806718),
            (-8.0, 2.5, -0.033244891342041033),
            (-1.0, 2.5, -0.76947159821633582),
            (-0.01, 2.5, -1.525416907755657),
            (0.0, 2.5, -1.5380659563325167),
            (0.5, 2.5, -2.4571753274184585),
            (3.0, 2.5, -295.81010644943973),
            (10.0, 2.5, -11520783915.202171),
            (-8.0, -0.01, -2.5016833569591449e-16),
            (-1.0, -0.01, -0.17132040006727564),
            (-0.01, -0.01, -0.68256510591588959),
            (0.0, -0.01, -0.69049109440197243),
            (0.5, -0.01, -1.1716366683689816),
            (3.0, -0.01, -6.5479091360967203),
            (10.0, -0.01, -51.555872900682914),
            (-8.0, -0.4, -4.2959573109016528e-58),
            (-1.0, -0.4, -0.12214486114725194),
            (-0.01, -0.4, -0.58490474446499807),
            (0.0, -0.4, -0.59199524360448497),
            (0.5, -0.4, -1.0107939340885042),
            (3.0, -0.4, -4.6931294533876491),
            (10.0, -0.4, -20.697139701666572),
            (-1.0, -1.0, -0.068266031247876696),
            (-0.01, -1.0, -0.45287234441865892),
            (0.0, -1.0, -0.45867514538708193),
            (0.5, -1.0, -0.7879837387044486),
            (3.0, -1.0, -3.0247902549765606),
            (10.0, -1.0, -10.000022699879),
            (-1.0, -3.0, -0.0047230318863695653),
            (-0.01, -3.0, -0.19748543026892287),
            (0.0, -3.0, -0.20049618878451769),
            (0.5, -3.0, -0.35877613152178056),
            (3.0, -3.0, -1.1896446584049802),
            (10.0, -3.0, -3.522976620522277),
        ] {
            assert_relative_eq!(log_survival(w, q, 0).value, tail, max_relative = 2e-13);
            assert_relative_eq!(log_survival(w, q, 2).value, tail, max_relative = 2e-13);
        }
    }

    #[test]
    fn the_normal_distribution_is_inside_the_family() {
        for w in [-6.0, -1.5, 0.0, 0.7, 4.0, 30.0] {
            let tail = log_survival(w, 0.0, 0).value;
            assert_relative_eq!(tail, crate::numeric::mills::log_upper_tail(w), max_relative = 1e-13);
        }
    }

    proptest! {
        #[test]
        fn derivatives_are_those_of_the_values(w in -4.0..4.0, q in -2.5..2.5) {
            let h = 1e-4;
            for f in [|w: f64, q: f64| log_survival(w, q, 2), log_density] {
                let at = f(w, q);
                let slope = |down: f64, up: f64| (up - down) / (2.0 * h);
                let (left, right, below, above) = (f(w - h, q), f(w + h, q), f(w, q - h), f(w, q + h));
                for (ours, numeric) in [
                    (at.w, slope(left.value, right.value)),
                    (at.q, slope(below.value, above.value)),
                    (at.ww, slope(left.w, right.w)),
                    (at.wq, slope(left.q, right.q)),
                    (at.wq, slope(below.w, above.w)),
                    (at.qq, slope(below.q, above.q)),
                ] {
                    prop_assert!((ours - numeric).abs() <= 1e-5 * (1.0 + ours.abs()), "{w} {q}: {ours} {numeric}");
                }
            }
        }
    }
}
