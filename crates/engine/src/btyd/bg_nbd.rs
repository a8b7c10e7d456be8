//! The BG/NBD and the modified BG/NBD model: customers leave right after a purchase.
//!
//! With x repeat purchases, the last at t_x, seen until T, and m = 1 for the modified model, else 0:
//!
//! ```text
//! L = Γ(r+x)/Γ(r) · α^r · B(a, b+x+m)/B(a, b) · { (α+T)^−(r+x) + δ · a/(b+x−1+m) · (α+t_x)^−(r+x) }
//! ```
//!
//! where δ = 1 except for m = 0 and x = 0. (Fader, Hardie & Lee 2005, equation 6; Batislam et al. 2007, equation 8.) The
//! second term over the first is P(gone) / P(alive).

use crate::btyd::expectation::{Alive, chances};
use crate::btyd::history::History;
use crate::btyd::maximise::Evaluation;
use crate::btyd::purchases::{LEAP, Leaving, rises, softplus};
use crate::btyd::sample::Purchases;
use crate::numeric::gamma::{log_gamma, log_gamma_ratio};
use crate::{Interrupt, Result};

/// Cells between two looks at the interrupt.
const CELLS_PER_LOOK: usize = 1 << 15;

fn modified(leaving: Leaving) -> f64 {
    f64::from(u8::from(leaving == Leaving::MbgNbd))
}

/// ln of P(gone) / P(alive).
pub(super) fn log_odds_gone([r, alpha, a, b]: [f64; 4], leaving: Leaving, history: &History) -> f64 {
    let chances_left = history.frequency - 1.0 + modified(leaving);
    if chances_left < 0.0 {
        return f64::NEG_INFINITY;
    }
    let since = (history.age - history.recency) / (alpha + history.recency);
    a.ln() - (b + chances_left).ln() + (r + history.frequency) * since.ln_1p()
}

/// The customer given that they have not left: λ is gamma (r + x, α + T), p beta (a, b + x + m).
pub(super) fn if_alive([r, alpha, a, b]: [f64; 4], leaving: Leaving, history: &History) -> Alive {
    let History { frequency, age, .. } = *history;
    Alive { shape: r + frequency, rate: alpha + age, a, b: b + frequency + modified(leaving) }
}

/// Expected repeat purchases of a new customer.
pub(super) fn of_new([r, alpha, a, b]: [f64; 4], leaving: Leaving, horizon: f64) -> Option<f64> {
    let modified = modified(leaving);
    // In the modified model only b / (a + b) stay after the first purchase.
    let stay = if modified > 0.0 { b / (a + b) } else { 1.0 };
    Alive { shape: r, rate: alpha, a, b: b + modified }.within(horizon).map(|purchases| stay * purchases)
}

/// P(X(t) = x) of a new customer: x purchases and not gone, or gone with the x-th of at least as many.
pub(super) fn probability([r, alpha, a, b]: [f64; 4], leaving: Leaving, x: f64, horizon: f64) -> Option<f64> {
    let x = x as usize;
    let chances_to_leave = |purchases: usize| purchases + usize::from(leaving == Leaving::MbgNbd);
    // P(not gone after so many chances to leave).
    let stays = |chances: usize| -> f64 { (0..chances).map(|k| -(a / (b + k as f64)).ln_1p()).sum::<f64>().exp() };
    let (exactly, at_least) = chances(r, horizon / alpha, x)?;
    let stay = stays(chances_to_leave(x));
    let leave = match chances_to_leave(x) {
        0 => 0.0,
        // P(gone at this chance | not before) = a / (a + b + k).
        chances => stays(chances - 1) * a / (a + b + (chances - 1) as f64),
    };
    Some(stay * exactly + leave * at_least)
}

/// The log-likelihood of the cells, sorted by frequency, age, recency, with its derivatives in r, α, a, b.
pub(super) fn evaluate(
    cells: &[Purchases],
    by_frequency: &[(usize, f64)],
    leaving: Leaving,
    [r, alpha, a, b]: [f64; 4],
    interrupt: Interrupt,
) -> Result<Evaluation<4>> {
    let modified = modified(leaving);
    let mut sum = Evaluation::<4>::ZERO;
    let [value, first, second] = rises(r, by_frequency);
    sum.value = value;
    sum.gradient[0] = first;
    sum.hessian[0][0] = second;
    let stays = stays(a, b, modified as usize, by_frequency);
    sum.value += stays.value;
    sum.gradient[2] += stays.gradient[0];
    sum.gradient[3] += stays.gradient[1];
    for i in 0..2 {
        for j in 0..2 {
            sum.hessian[2 + i][2 + j] += stays.hessian[i][j];
        }
    }
    let (log_alpha, inverse_a) = (alpha.ln(), 1.0 / a);
    let (mut age, mut log_age, mut g_age) = (f64::NAN, 0.0, 0.0);
    let (mut frequency, mut log_odds, mut inverse_b) = (f64::NAN, 0.0, 0.0);
    for chunk in cells.chunks(CELLS_PER_LOOK) {
        interrupt()?;
        for Purchases { history, weight } in chunk {
            let (x, w) = (history.frequency, *weight);
            if history.age != age {
                age = history.age;
                log_age = (age / alpha).ln_1p();
                g_age = 1.0 / (alpha + age);
            }
            if x != frequency {
                frequency = x;
                let can_have_left = x + modified > 0.0;
                inverse_b = if can_have_left { 1.0 / (b + x - 1.0 + modified) } else { 0.0 };
                log_odds = (a * inverse_b).ln();
            }
            // −r ln(1 + T/α) − x ln(α + T)
            let relative_age = age / alpha;
            sum.value -= w * (r * log_age + x * (log_alpha + log_age));
            sum.gradient[0] -= w * log_age;
            sum.gradient[1] += w * (r * relative_age - x) * g_age;
            sum.hessian[0][1] += w * relative_age * g_age;
            sum.hessian[1][1] += w * (x - r * relative_age * (2.0 + relative_age)) * g_age * g_age;
            if log_odds == f64::NEG_INFINITY {
                continue;
            }
            // ln(1 + odds), where ln odds = ln a − ln b* + (r + x) d.
            let g_recency = 1.0 / (alpha + history.recency);
            let (d, e) = (log_age - (history.recency / alpha).ln_1p(), g_age - g_recency);
            let by_alpha = (r + x) * e;
            let slopes = [d, by_alpha, inverse_a, -inverse_b];
            let [log, gone, curvature] = softplus(log_odds + (r + x) * d);
            let (gone, curvature) = (w * gone, w * curvature);
            sum.value += w * log;
            for i in 0..4 {
                sum.gradient[i] += gone * slopes[i];
                for j in i..4 {
                    sum.hessian[i][j] += curvature * slopes[i] * slopes[j];
                }
            }
            sum.hessian[0][1] += gone * e;
            sum.hessian[1][1] -= gone * by_alpha * (g_age + g_recency);
            sum.hessian[2][2] -= gone * inverse_a * inverse_a;
            sum.hessian[3][3] += gone * inverse_b * inverse_b;
        }
    }
    for i in 0..4 {
        for j in 0..i {
            sum.hessian[i][j] = sum.hessian[j][i];
        }
    }
    Ok(sum)
}

/// Σ weight · ln B(a, b + n) / B(a, b) with n = x + m, and its derivatives in a and b: ln ∏ (b + k) / (a + b + k).
fn stays(a: f64, b: f64, modified: usize, by_frequency: &[(usize, f64)]) -> Evaluation<2> {
    let mut sum = Evaluation::<2>::ZERO;
    let (mut log, mut by_a, mut by_b, mut by_aa, mut by_bb, mut k) = (0.0, 0.0, 0.0, 0.0, 0.0, 0);
    for (x, weight) in by_frequency {
        if x + modified - k > LEAP {
            let (from, to) = (b + k as f64, b + (x + modified) as f64);
            let [all, stay] = [a, 0.0].map(|a| {
                let ([_, here, here_too], [_, there, there_too]) = (log_gamma(a + from), log_gamma(a + to));
                [there - here, here_too - there_too]
            });
            log += log_gamma_ratio(from, a) - log_gamma_ratio(to, a);
            by_a -= all[0];
            by_aa += all[1];
            by_b += stay[0] - all[0];
            by_bb += all[1] - stay[1];
            k = x + modified;
        }
        while k < x + modified {
            let (stay, all) = (b + k as f64, a + b + k as f64);
            log -= (a / stay).ln_1p();
            by_a -= 1.0 / all;
            by_aa += 1.0 / (all * all);
            // 1/stay − 1/all, and −1/stay² + 1/all².
            by_b += a / (stay * all);
            by_bb -= a * (stay + all) / (stay * stay * all * all);
            k += 1;
        }
        sum.value += weight * log;
        sum.gradient[0] += weight * by_a;
        sum.gradient[1] += weight * by_b;
        sum.hessian[0][0] += weight * by_aa;
        sum.hessian[0][1] += weight * by_aa;
        sum.hessian[1][1] += weight * by_bb;
    }
    sum.hessian[1][0] = sum.hessian[0][1];
    sum
}
