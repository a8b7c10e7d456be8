//! Curves to look at: an SVG that psql writes to a file and a browser shows.

use ltv_engine::survival::estimate::{Estimator, Variance};
use ltv_engine::survival::kaplan_meier::{Transform, critical_value, interval};
use ltv_engine::survival::{ParametricCurve, Reading, Steps, Survival};
use pgrx::prelude::*;
use plotters::prelude::*;

use crate::pg::error::{report, settle};
use crate::pg::varlena::Value;
use crate::survival::GRID;

const SIZE: (u32, u32) = (840, 480);
/// Okabe & Ito's colours, which the colour-blind tell apart.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(90, 90, 90),
];

/// A curve as the corners of its line, from time 0 to the end of the data.
struct Outline {
    middle: Vec<(f64, f64)>,
    /// Down the lower limits and back along the upper ones; empty when the limits are unknown.
    band: Vec<(f64, f64)>,
}

fn outline(steps: &Steps, z: f64) -> Outline {
    let mut middle = vec![(0.0, 1.0)];
    let (mut lower, mut upper) = (vec![(0.0, 1.0)], vec![(0.0, 1.0)]);
    let corner = |line: &mut Vec<(f64, f64)>, time: f64, height: f64| {
        let before = line.last().map_or(1.0, |(_, before)| *before);
        line.extend([(time, before), (time, height)]);
    };
    for (time, survival) in steps.times.iter().zip(&steps.survival) {
        corner(&mut middle, *time, *survival);
        let limits = interval(*survival, steps.log_variance_at(*time), z, Transform::LogLog);
        if let (Some(low), Some(high)) = (limits.lower, limits.upper) {
            corner(&mut lower, *time, low);
            corner(&mut upper, *time, high);
        }
    }
    corner(&mut middle, steps.max_followup, steps.survival_at_end());
    let band = if lower.len() > 1 { lower.into_iter().chain(upper.into_iter().rev()).collect() } else { Vec::new() };
    Outline { middle, band }
}

/// A smooth curve by its grid: also drawn to the end of the data only (or, where they have ended, over what is left).
fn smooth_outline(curve: &ParametricCurve, z: f64) -> Outline {
    let (mut middle, mut lower, mut upper) = (Vec::new(), Vec::new(), Vec::new());
    for time in curve.grid(GRID) {
        let Some(survival) = curve.survival_at(time) else { continue };
        // A curve of renewals is flat between them.
        let steps = curve.distribution.period().is_some();
        let push = |line: &mut Vec<(f64, f64)>, height: f64| {
            if let Some((_, before)) = line.last().copied().filter(|_| steps) {
                line.push((time, before));
            }
            line.push((time, height));
        };
        push(&mut middle, survival);
        let limits = interval(survival, curve.log_variance_at(time), z, Transform::LogLog);
        if let (Some(low), Some(high)) = (limits.lower, limits.upper) {
            push(&mut lower, low);
            push(&mut upper, high);
        }
    }
    let band = if lower.len() > 1 { lower.into_iter().chain(upper.into_iter().rev()).collect() } else { Vec::new() };
    Outline { middle, band }
}

fn draw(curves: &[(String, Outline)], title: &str, unit: &str, end: f64) -> Result<String, Box<dyn std::error::Error>> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let mut builder = ChartBuilder::on(&area);
        builder.margin(16).x_label_area_size(44).y_label_area_size(56);
        if !title.is_empty() {
            builder.caption(title, ("sans-serif", 20));
        }
        let mut chart = builder.build_cartesian_2d(0.0..end, 0.0..1.0)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .x_desc(unit)
            .y_desc("still there")
            .y_label_formatter(&|share| format!("{:.0} %", share * 100.0))
            .label_style(("sans-serif", 13))
            .draw()?;
        for (at, (label, outline)) in curves.iter().enumerate() {
            let colour = COLOURS[at % COLOURS.len()];
            if !outline.band.is_empty() {
                chart.draw_series(std::iter::once(Polygon::new(outline.band.clone(), colour.mix(0.15))))?;
            }
            let line = chart.draw_series(LineSeries::new(outline.middle.clone(), colour.stroke_width(2)))?;
            if !label.is_empty() {
                let key = move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2));
                line.label(label).legend(key);
            }
        }
        if curves.iter().any(|(label, _)| !label.is_empty()) {
            chart
                .configure_series_labels()
                .position(SeriesLabelPosition::LowerLeft)
                .background_style(WHITE.mix(0.8))
                .label_font(("sans-serif", 13))
                .draw()?;
        }
        area.present()?;
    }
    Ok(svg)
}

#[pg_extern(sql = false)]
fn plot_curve(
    curves: Array<Value<Survival>>,
    labels: Array<&str>,
    title: &str,
    level: f64,
    unit: &str,
) -> Option<String> {
    let z = settle(critical_value(level));
    let labels: Vec<Option<&str>> = labels.iter().collect();
    let mut drawn = Vec::new();
    let mut end = 0.0f64;
    for (at, curve) in curves.iter().enumerate() {
        let by = |curve: Value<Survival>| match curve.0 {
            Survival::Parametric(curve) => Some(Reading::Smooth(curve)),
            steps => settle(steps.steps_by(Estimator::KaplanMeier, Variance::Auto)).map(Reading::Steps),
        };
        let Some(curve) = curve.and_then(by) else { continue };
        let outline = match &curve {
            Reading::Steps(steps) => outline(steps, z),
            Reading::Smooth(curve) => smooth_outline(curve, z),
        };
        let drawn_to = outline.middle.last().map_or(0.0, |(time, _)| *time);
        end = end.max(drawn_to);
        let label = labels.get(at).copied().flatten().unwrap_or_default();
        drawn.push((label.to_owned(), outline));
    }
    if drawn.is_empty() || end <= 0.0 {
        return None;
    }
    match draw(&drawn, title, unit, end) {
        Ok(svg) => Some(svg),
        Err(error) => report(PgSqlErrorCode::ERRCODE_INTERNAL_ERROR, format!("the picture failed: {error}"), ""),
    }
}
