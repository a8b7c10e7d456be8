//! The curves of renewals: they drop at the ends of periods of equal length, are flat in between, and go on for ever by
//! a formula of the number of renewals.
//!
//! Each customer leaves at a renewal with a probability θ of his own, the same at all renewals (at the k-th the chance to
//! last so long is (1 − θ)^(k^c) with a shape c of the population), and θ is beta-distributed over the customers:
//! S(k) = B(α, β + k^c) / B(α, β). With c = 1 it is the shifted-beta-geometric of Fader & Hardie (2007), else the
//! beta-discrete-Weibull of Fader, Hardie, Liu, Davin & Steenburgh (2018).

use num_dual::{Dual3_64, Dual64, DualNum, HyperDual64, third_derivative};

use crate::numeric::log_beta::{Dual, log_beta_change, log_beta_change_at, log_of_less};
use crate::numeric::quadrature;
use crate::numeric::sum::Sum;
use crate::survival::jet::Jet;
use crate::survival::parametric::ParametricCurve;

/// Terms of a sum that are added one by one; what follows is so smooth that Euler and Maclaurin add it up.
const DIRECT: u32 = 128;
/// Relative error of an integral.
const TOLERANCE: f64 = 1e-13;
/// A share e^−50 is nothing.
const NOTHING: f64 = 50.0;
/// No sum and no search goes further than so many periods, or its logarithm.
const FARTHEST: f64 = 1e15;
const FARTHEST_LOG: f64 = 690.0;
/// Periods of a grid that starts where the data end.
const BEYOND: u32 = 12;

/// ln S after e^`log_periods` renewals, from (ln α, ln β) or (ln α, ln β, ln c).
pub fn log_survival<D: Dual>(parameters: &[D], log_periods: D) -> D {
    let log_x = parameters.get(2).map_or(log_periods, |shape| shape.exp() * log_periods);
    log_beta_change_at(parameters[0].exp(), parameters[1].exp(), log_x)
}

/// ln S(k) − ln S(k − 1), the logarithm of the share that renews for the k-th time (k ≥ 1) of those who may.
pub fn log_renewal<D: Dual>(parameters: &[D], k: f64) -> D {
    let (alpha, beta) = (parameters[0].exp(), parameters[1].exp());
    let Some(shape) = parameters.get(2).filter(|_| k > 1.0).map(|log| log.exp()) else {
        let beta = beta + (k - 1.0);
        return log_of_less(alpha / (alpha + beta), beta / (alpha + beta));
    };
    let ratio = (-k.recip()).ln_1p();
    let log_before = shape * (k - 1.0).ln();
    if log_before.re() > 1e16f64.ln() + 2.0 * (1.0 + alpha.re() + beta.re()).ln() {
        return alpha * shape * ratio;
    }
    let step = -(shape * k.ln()).exp() * (shape * ratio).exp_m1();
    log_beta_change(alpha, beta + log_before.exp(), step)
}

/// The whole periods in `t`; a time is a sum and may miss the end of its period by a rounding error.
fn whole_periods(t: f64, period: f64) -> f64 {
    (t / period * (1.0 + 1e-12) + 1e-9).floor()
}

/// H(t) and its derivatives in the parameters.
pub(super) fn evaluate(parameters: &[f64], period: f64, t: f64, derivatives: bool, jet: &mut Jet) {
    let m = parameters.len();
    jet.clear();
    let periods = whole_periods(t, period);
    if periods < 1.0 {
        return;
    }
    let log = periods.ln();
    jet.value = -log_survival(parameters, log);
    if !derivatives {
        return;
    }
    for i in 0..m {
        for j in 0..=i {
            let seeded = |at: usize| {
                let number = HyperDual64::from(parameters[at]);
                let number = if at == i { number.derivative1() } else { number };
                if at == j { number.derivative2() } else { number }
            };
            let seeds = [0, 1, 2].map(|at| if at < m { seeded(at) } else { HyperDual64::from(0.0) });
            let found = log_survival(&seeds[..m], HyperDual64::from(log));
            jet.gradient[i] = -found.eps1;
            jet.set_second(i, j, -found.eps1eps2);
        }
    }
}

/// What a customer who has made some renewals will do, by the parameters alone.
#[derive(Debug, Clone, Copy)]
pub struct Prospect<'a> {
    /// (ln α, ln β) or (ln α, ln β, ln c).
    pub parameters: &'a [f64],
    /// Renewals made.
    pub made: f64,
}

impl Prospect<'_> {
    fn log_survival_from_start(&self, periods: f64) -> f64 {
        if periods > 0.0 { log_survival(self.parameters, periods.ln()) } else { 0.0 }
    }

    /// P(makes `more` further renewals | has made those he has). Conditional, always: of a customer who is there.
    pub fn renews(&self, more: f64) -> f64 {
        let now = self.log_survival_from_start(self.made);
        (self.log_survival_from_start(self.made + more) - now).min(0.0).exp()
    }

    /// The gradient of ln P(makes `more` further renewals | …) in the parameters.
    pub fn gradient(&self, more: f64) -> Vec<f64> {
        let m = self.parameters.len();
        let slope = |i: usize| {
            let seeds = [0, 1, 2].map(|at| {
                let number = Dual64::from(self.parameters.get(at).copied().unwrap_or(0.0));
                if at == i { number.derivative() } else { number }
            });
            let until = |k: f64| if k > 0.0 { log_survival(&seeds[..m], Dual64::from(k.ln())).eps } else { 0.0 };
            until(self.made + more) - until(self.made)
        };
        (0..m).map(slope).collect()
    }

    /// Σ e^(−`rate` j) P(makes j further renewals | …) over 0 ≤ j < `count`, which may be infinite; `None` where the sum
    /// is infinite or beyond the numbers.
    ///
    /// The first terms are added one by one; behind them is the formula of Euler & Maclaurin up to third derivatives,
    /// and of an infinite sum that is not discounted the power of j which it becomes.
    pub fn sum(&self, count: f64, rate: f64) -> Option<f64> {
        let now = self.log_survival_from_start(self.made);
        if !now.is_finite() {
            return None;
        }
        let power = self.parameters[0].exp() * self.parameters.get(2).map_or(1.0, |shape| shape.exp());
        let endless = count == f64::INFINITY;
        if endless && rate <= 0.0 && power <= 1.0 {
            return None;
        }
        let term = |j: f64| (self.log_survival_from_start(self.made + j) - now - rate * j).exp();
        let mut total = Sum::default();
        for j in 0..DIRECT {
            if f64::from(j) >= count {
                return Some(total.total());
            }
            total.add(term(f64::from(j)));
        }
        let from = f64::from(DIRECT);
        if term(from) < 1e-25 * total.total() {
            return Some(total.total());
        }
        let far = (1e16f64.ln() + 2.0 * (1.0 + self.parameters[0].exp() + self.parameters[1].exp()).ln())
            / self.parameters.get(2).map_or(1.0, |shape| shape.exp());
        let (to, beyond) = match (endless, rate > 0.0) {
            (false, _) => (count, 0.0),
            (true, true) => ((from + NOTHING / rate).min(FARTHEST_LOG.exp()), 0.0),
            (true, false) => {
                let to = f64::max(far.exp(), 1e17 * (self.made + 1.0));
                if to.ln() > FARTHEST_LOG {
                    return None;
                }
                (to, to * term(to) / (power - 1.0))
            }
        };
        let (low, high) = (from.ln(), to.ln());
        let mut points = vec![low, high];
        points.extend([rate.recip().ln(), far].into_iter().filter(|y| (low..high).contains(y)));
        points.sort_unstable_by(f64::total_cmp);
        let area = quadrature::integrate(|y| (y + term(y.exp()).ln()).exp(), &points, TOLERANCE)?;
        let parameters = [0, 1, 2].map(|at| Dual3_64::from(self.parameters.get(at).copied().unwrap_or(0.0)));
        let parameters = &parameters[..self.parameters.len()];
        let smooth = |j: Dual3_64| (log_survival(parameters, (j + self.made).ln()) - now - j * rate).exp();
        let (value, slope, _, third) = third_derivative(smooth, from);
        total.add(area);
        total.add(value / 2.0 - slope / 12.0 + third / 720.0);
        if !endless {
            let (value, slope, _, third) = third_derivative(smooth, to);
            total.add(slope / 12.0 - value / 2.0 - third / 720.0);
        }
        Some(total.total() + beyond).filter(|sum| sum.is_finite())
    }
}

impl ParametricCurve {
    /// The renewals made by `given`, and the time since the last of them; `None` for a curve that knows no periods.
    fn prospect(&self) -> Option<(Prospect<'_>, f64, f64)> {
        let period = self.distribution.period()?;
        let made = whole_periods(self.given, period);
        Some((Prospect { parameters: &self.parameters, made }, period, (self.given - made * period).max(0.0)))
    }

    /// The area under S up to `tau`, which may be infinite; `None` when it has no end, `Some(None)` for no such curve.
    pub(super) fn periodic_area(&self, tau: f64) -> Option<Option<f64>> {
        let (prospect, period, into) = self.prospect()?;
        if tau == f64::INFINITY {
            return Some(prospect.sum(tau, 0.0).map(|sum| period * sum - into));
        }
        let renewals = whole_periods(self.given + tau, period) - prospect.made;
        if renewals < 1.0 {
            return Some(Some(tau));
        }
        let rest = (self.given + tau - (prospect.made + renewals) * period).max(0.0);
        let sum = prospect.sum(renewals, 0.0);
        Some(sum.map(|sum| period * sum - into + rest * prospect.renews(renewals)))
    }

    /// The first renewal at which H, counted from `given`, has reached `target`; `Some(None)` when that is never or not
    /// within [`FARTHEST`] periods, `None` for a curve that knows no periods.
    pub(super) fn renewal_of_hazard(&self, target: f64) -> Option<Option<f64>> {
        let (prospect, period, into) = self.prospect()?;
        let reached = |more: f64| -prospect.renews(more).ln() >= target * (1.0 - 1e-12);
        let (mut low, mut high) = (0.0, 1.0);
        while !reached(high) {
            (low, high) = (high, 2.0 * high);
            if high > FARTHEST {
                return Some(None);
            }
        }
        while high - low > 1.0 {
            let middle = f64::midpoint(low, high).floor();
            if reached(middle) { high = middle } else { low = middle }
        }
        Some(Some(high * period - into))
    }

    /// The times at which the curve drops, up to the end of the data; beyond them the next [`BEYOND`]. `None` for a
    /// curve that knows no periods.
    pub fn drops(&self, most: u32) -> Option<Vec<f64>> {
        let (prospect, period, into) = self.prospect()?;
        let observed = whole_periods(self.max_followup, period) - prospect.made;
        let count = if observed < 1.0 { f64::from(BEYOND) } else { observed.min(f64::from(most)) };
        Some((1..=count as u32).map(|k| f64::from(k) * period - into).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use proptest::prelude::*;

    fn logs(parameters: &[f64]) -> Vec<f64> {
        parameters.iter().map(|value| value.ln()).collect()
    }

    #[test]
    fn the_mean_of_the_beta_geometric_is_its_closed_form() {
        for (alpha, beta) in [(1.001, 0.5), (1.5, 1.2), (3.8, 15.2), (40.0, 500.0), (2e7, 9e7)] {
            for made in [0.0, 1.0, 17.0, 300.0] {
                let parameters = logs(&[alpha, beta]);
                let sum = Prospect { parameters: &parameters, made }.sum(f64::INFINITY, 0.0).unwrap();
                // α passed through its logarithm, and α − 1 magnifies what that rounds off.
                let (alpha, beta) = (parameters[0].exp(), parameters[1].exp());
                assert_relative_eq!(sum, (alpha + beta + made - 1.0) / (alpha - 1.0), max_relative = 1e-11);
            }
        }
        let parameters = logs(&[1.0, 3.0]);
        assert_eq!(Prospect { parameters: &parameters, made: 4.0 }.sum(f64::INFINITY, 0.0), None);
    }

    #[test]
    fn sums_by_euler_and_maclaurin_are_sums() {
        for parameters in [&[0.7, 1.2][..], &[0.7, 1.2, 1.3], &[2.0, 9.0, 0.4], &[0.05, 30.0, 2.5], &[1e7, 5e8]] {
            let parameters = logs(parameters);
            for made in [0.0, 3.0, 50.0] {
                for rate in [0.0, 1e-3, 0.05] {
                    let prospect = Prospect { parameters: &parameters, made };
                    let count = 20_000u32;
                    let slow: f64 = (0..count)
                        .map(|j| prospect.renews(f64::from(j)) * (-rate * f64::from(j)).exp())
                        .collect::<Sum>()
                        .total();
                    assert_relative_eq!(prospect.sum(f64::from(count), rate).unwrap(), slow, max_relative = 1e-11);
                    if rate == 0.05 {
                        assert_relative_eq!(prospect.sum(f64::INFINITY, rate).unwrap(), slow, max_relative = 1e-11);
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn renewals_multiply_to_survival(
            alpha in -6.0f64..6.0, beta in -6.0f64..6.0, shape in -2.0f64..1.5, weibull in any::<bool>(), last in 1u32..60,
        ) {
            let parameters = if weibull { vec![alpha, beta, shape] } else { vec![alpha, beta] };
            let product: f64 = (1..=last).map(|k| log_renewal(&parameters, f64::from(k))).sum();
            let whole = log_survival(&parameters, f64::from(last).ln());
            prop_assert!((product - whole).abs() <= 1e-12 * whole.abs() + 1e-300, "{} {}", product, whole);
            let prospect = Prospect { parameters: &parameters, made: f64::from(last) };
            let once = prospect.renews(1.0);
            prop_assert!((once - log_renewal(&parameters, f64::from(last) + 1.0).exp()).abs() < 1e-11);
            // The conditional probability rises with renewals made, where the hazard of each does not.
            let first = Prospect { made: 0.0, ..prospect }.renews(1.0);
            prop_assert!(weibull || once >= first);
        }
    }
}
