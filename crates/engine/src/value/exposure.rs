//! How far a sum of money moves with each independent source of error of the curve that it was read from.
//!
//! [`uncertainty`](crate::value::uncertainty) adds up the squares of these moves; kept apart they can first be added over
//! accounts. What two accounts owe to the same source – a step of one curve, a coefficient of one model – is off in
//! the same direction for both, so the moves add up before they are squared, and the variance of a sum is not the sum
//! of the variances (delta method on the sum: Σ_i g_i' V Σ_j g_j, not Σ_i g_i' V g_i).
//!
//! For a curve of steps the sources are the steps' own errors, one standard deviation each, and the `rank` factors of
//! its loadings. For a smooth curve the move is the derivative by each parameter; [`whitened`](crate::numeric::whitened::whitened) turns it into moves by
//! independent sources.

use crate::survival::CurveView;
use crate::value::cash_flow::Flow;
use crate::value::outlook::{Outlook, Point, View};
use crate::value::step_view::StepView;
use crate::value::terms::Terms;

/// What a sum of money owes to the errors of its curve, in major units.
#[derive(Debug, Clone, PartialEq)]
pub enum Exposure {
    /// Nothing: it does not depend on who stays.
    Certain,
    /// The moves by one standard deviation of each step's own error, and of each shared factor.
    Steps { own: Vec<f64>, shared: Vec<f64> },
    /// The derivatives by the parameters of a smooth curve.
    Parameters(Vec<f64>),
}

/// The exposure of the present values of `flows`; `None` when the errors of the curve are unknown.
pub fn of_flows<'a>(
    curve: impl Into<CurveView<'a>>,
    terms: &Terms,
    outlook: &Outlook,
    flows: &[Flow],
) -> Option<Exposure> {
    let parts: Vec<(f64, Point)> = flows.iter().filter_map(|flow| Some((flow.present_value(), flow.point?))).collect();
    exposure(curve, terms, outlook, &parts)
}

/// The exposure of a sum of amounts, each of which is expected with the survival of its point.
pub fn exposure<'a>(
    curve: impl Into<CurveView<'a>>,
    terms: &Terms,
    outlook: &Outlook,
    parts: &[(f64, Point)],
) -> Option<Exposure> {
    if parts.iter().all(|(amount, point)| point.elapsed == 0.0 || *amount == 0.0) {
        return Some(Exposure::Certain);
    }
    match (curve.into(), &outlook.view) {
        (CurveView::Steps(_), View::Steps(view)) => of_steps(view, parts),
        (CurveView::Smooth(curve), View::Smooth(view)) => {
            if curve.covariance.is_empty() {
                return None;
            }
            let from = view.given;
            let m = curve.parameters.len();
            let now = if from > 0.0 { curve.hazard_gradient_at(from)? } else { vec![0.0; m] };
            let mut gradient = vec![0.0; m];
            for (amount, point) in parts {
                if point.elapsed > 0.0 && point.survival > 0.0 {
                    let then = curve.hazard_gradient_at(from + point.elapsed)?;
                    for ((sum, then), now) in gradient.iter_mut().zip(&then).zip(&now) {
                        *sum -= terms.hazard_ratio * amount * (then - now);
                    }
                }
            }
            gradient.iter().all(|value| value.is_finite()).then_some(Exposure::Parameters(gradient))
        }
        _ => None,
    }
}

fn of_steps(view: &StepView, parts: &[(f64, Point)]) -> Option<Exposure> {
    let curve = view.curve;
    let (steps, rank) = (curve.times.len(), curve.rank);
    if curve.variance.is_empty() {
        return None;
    }
    let (by_tail, tail_from) = by_tail(view, parts)?;
    // What lies behind each step, from the last to the first.
    let mut behind = vec![0.0; steps];
    for (amount, point) in parts {
        if point.steps > view.steps_now {
            behind[point.steps - 1] += amount;
        }
    }
    let mut own = vec![0.0; steps];
    let mut sum = 0.0;
    for step in (0..steps).rev() {
        sum += behind[step];
        let derivative = if step >= view.steps_now { sum } else { 0.0 } + if step >= tail_from { by_tail } else { 0.0 };
        if derivative != 0.0 {
            let before = if step == 0 { 0.0 } else { curve.variance[step - 1] };
            own[step] = -view.hazard_ratio * derivative * (curve.variance[step] - before).max(0.0).sqrt();
        }
    }
    let until =
        |steps: usize, factor: usize| if steps == 0 { 0.0 } else { curve.loadings[(steps - 1) * rank + factor] };
    let shared: Vec<f64> = (0..rank)
        .map(|factor| {
            let now = until(view.steps_now, factor);
            let mut moved = by_tail * (until(steps, factor) - until(tail_from, factor));
            for (amount, point) in parts {
                moved += amount * (until(point.steps, factor) - now);
            }
            -view.hazard_ratio * moved
        })
        .collect();
    own.iter().chain(&shared).all(|value| value.is_finite()).then_some(Exposure::Steps { own, shared })
}

/// Minus the derivative by the tail's rate, for each step that the rate was read from, and the first of these.
fn by_tail(view: &StepView, parts: &[(f64, Point)]) -> Option<(f64, usize)> {
    let months: f64 = parts.iter().map(|(amount, point)| amount * point.beyond).sum();
    let Some(tail) = view.tail.filter(|_| months != 0.0) else { return Some((0.0, 0)) };
    match tail.by_hazard {
        Some(by_hazard) => Some((by_hazard * months, tail.from)),
        None if tail.rate == 0.0 && tail.from == 0 => Some((0.0, 0)),
        None => None,
    }
}
