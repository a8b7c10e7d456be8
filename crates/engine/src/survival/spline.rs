//! The natural cubic splines of Royston & Parmar (2002) on ln t.

/// The natural cubic spline basis of Royston & Parmar (2002) at x: 1, x, v₁(x), …, and its derivatives.
///
/// v_j(x) = (x − k_j)³₊ − λ_j (x − k_min)³₊ − (1 − λ_j) (x − k_max)³₊ with λ_j = (k_max − k_j) / (k_max − k_min).
pub fn basis(knots: &[f64], x: f64, values: &mut [f64], slopes: &mut [f64]) {
    let (Some(&low), Some(&high)) = (knots.first(), knots.last()) else { return };
    (values[0], slopes[0]) = (1.0, 0.0);
    (values[1], slopes[1]) = (x, 1.0);
    let width = high - low;
    for (place, knot) in knots[1..knots.len() - 1].iter().enumerate() {
        let lambda = (high - knot) / width;
        let (value, slope) = if x <= low {
            (0.0, 0.0)
        } else if x > high {
            // Linear beyond the last knot: the cubes cancel, so write out what is left of them.
            let at_end = (high - knot).powi(3) - lambda * width.powi(3);
            let end_slope = 3.0 * ((high - knot).powi(2) - lambda * width.powi(2));
            (at_end + end_slope * (x - high), end_slope)
        } else {
            let (since, since_low) = (f64::max(x - knot, 0.0), x - low);
            (since.powi(3) - lambda * since_low.powi(3), 3.0 * (since.powi(2) - lambda * since_low.powi(2)))
        };
        (values[place + 2], slopes[place + 2]) = (value, slope);
    }
}

/// The least slope of a spline in ln t over the whole line.
pub(super) fn least_slope(knots: &[f64], parameters: &[f64]) -> f64 {
    let (mut values, mut slopes) = (vec![0.0; knots.len()], vec![0.0; knots.len()]);
    let mut slope_at = |x: f64| {
        basis(knots, x, &mut values, &mut slopes);
        slopes.iter().zip(parameters).map(|(a, b)| a * b).sum::<f64>()
    };
    let mut least = slope_at(knots[0]);
    for pair in knots.windows(2) {
        // Between two knots the slope is a parabola, known by three points.
        let (left, middle, right) = (slope_at(pair[0]), slope_at(f64::midpoint(pair[0], pair[1])), slope_at(pair[1]));
        least = least.min(left).min(right);
        let (curvature, rise) = (2.0 * (left - 2.0 * middle + right), right - left);
        // At share u of the stretch: left + (rise − curvature) u + curvature u².
        let turn = (curvature - rise) / (2.0 * curvature);
        if curvature > 0.0 && (0.0..1.0).contains(&turn) {
            least = least.min(left + (rise - curvature) * turn + curvature * turn * turn);
        }
    }
    least
}
