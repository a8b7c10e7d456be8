//! Baselines that are a smooth function of the period instead of a level for each.

use nalgebra::DMatrix;

use crate::{Error, Result};

/// How the levels of the periods follow each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// Each period has a level of its own.
    #[default]
    Period,
    /// A straight line in the number of the period (1, 2, …).
    Linear,
    /// A straight line in its logarithm.
    Log,
    /// A polynomial in it.
    Polynomial { degree: u8 },
    /// A natural cubic spline in it with so many terms beside the intercept; knots at quantiles of the events.
    Spline { degree: u8 },
}

const MOST_TERMS: i32 = 10;

impl Shape {
    /// By name, the degree of a polynomial or spline beside it.
    pub fn named(name: &str, degree: i32) -> Result<Shape> {
        let least = match name {
            "period" => return Ok(Shape::Period),
            "linear" => return Ok(Shape::Linear),
            "log" => return Ok(Shape::Log),
            "polynomial" => 1,
            "spline" => 2,
            other => {
                return Err(Error::invalid(
                    format!("unknown baseline \"{other}\""),
                    "The baselines are period, linear, log, polynomial and spline.",
                ));
            }
        };
        if !(least..=MOST_TERMS).contains(&degree) {
            return Err(Error::invalid(
                format!("the degree of a {name} must be in {least} to {MOST_TERMS}, got {degree}"),
                "It is the number of terms beside the intercept.",
            ));
        }
        let degree = degree as u8;
        Ok(if name == "spline" { Shape::Spline { degree } } else { Shape::Polynomial { degree } })
    }

    /// The names of the terms of a smooth shape.
    pub fn terms(self) -> Vec<String> {
        let name = |i: u8| if i == 1 { "period".to_owned() } else { format!("period^{i}") };
        let rest: Vec<String> = match self {
            Shape::Period => Vec::new(),
            Shape::Linear => vec![name(1)],
            Shape::Log => vec!["ln(period)".into()],
            Shape::Polynomial { degree } => (1..=degree).map(name).collect(),
            Shape::Spline { degree } => {
                [name(1)].into_iter().chain((1..degree).map(|i| format!("spline {i}"))).collect()
            }
        };
        ["(intercept)".to_owned()].into_iter().chain(rest).collect()
    }
}

/// The columns of a smooth baseline over the periods, made orthogonal so that no degree is too high for the arithmetic.
#[derive(Debug, Clone)]
pub struct Basis {
    pub terms: usize,
    /// Periods × terms.
    pub columns: Vec<f64>,
    /// Terms × terms: what turns coefficients of `columns` into those of the plain terms.
    pub to_plain: Vec<f64>,
}

impl Basis {
    /// # Errors
    /// [`Error::Invalid`] when there are fewer periods, or fewer with events, than the shape needs.
    pub fn new(shape: Shape, deaths: &[f64]) -> Result<Basis> {
        let periods = deaths.len();
        let rows: Vec<Vec<f64>> = match shape {
            Shape::Period | Shape::Linear => (1..=periods).map(|t| vec![1.0, t as f64]).collect(),
            Shape::Log => (1..=periods).map(|t| vec![1.0, (t as f64).ln()]).collect(),
            Shape::Polynomial { degree } => {
                (1..=periods).map(|t| (0..=i32::from(degree)).map(|i| (t as f64).powi(i)).collect()).collect()
            }
            Shape::Spline { degree } => {
                let knots = knots(deaths, usize::from(degree))?;
                (1..=periods).map(|t| natural_spline(t as f64, &knots)).collect()
            }
        };
        let terms = rows[0].len();
        if periods < terms {
            return Err(Error::invalid(
                format!("a baseline of {terms} terms needs as many periods, got {periods}"),
                "Choose a lower degree, or baseline => 'period'.",
            ));
        }
        let plain = DMatrix::from_fn(periods, terms, |t, i| rows[t][i]);
        let (orthogonal, upper) = plain.qr().unpack();
        let unit = (periods as f64).sqrt();
        let inverse = (upper / unit).try_inverse().filter(|inverse| inverse.iter().all(|value| value.is_finite()));
        let inverse = inverse.ok_or_else(|| {
            Error::invalid("the terms of the baseline depend on each other", "Choose a lower degree.")
        })?;
        let columns = (orthogonal * unit).transpose().as_slice().to_vec();
        Ok(Basis { terms, columns, to_plain: inverse.transpose().as_slice().to_vec() })
    }

    pub fn levels(&self, coefficients: &[f64]) -> Vec<f64> {
        self.columns
            .chunks_exact(self.terms)
            .map(|row| row.iter().zip(coefficients).map(|(a, b)| a * b).sum())
            .collect()
    }
}

/// The first and last period with events, and between them the quantiles that cut the events into `terms` equal parts:
/// the least period by which such a share of them has been.
fn knots(deaths: &[f64], terms: usize) -> Result<Vec<f64>> {
    let total: f64 = deaths.iter().sum();
    let mut knots = Vec::with_capacity(terms + 1);
    for part in 0..=terms {
        let share = total * part as f64 / terms as f64;
        let mut before = 0.0;
        let reached = deaths.iter().position(|deaths| {
            before += deaths;
            *deaths > 0.0 && before >= share * (1.0 - 1e-12)
        });
        let period = reached.or_else(|| deaths.iter().rposition(|deaths| *deaths > 0.0)).unwrap_or(0);
        knots.push((period + 1) as f64);
    }
    if knots.windows(2).all(|pair| pair[0] < pair[1]) {
        Ok(knots)
    } else {
        Err(Error::invalid(
            format!("the events are in too few periods for a spline of degree {terms}"),
            "Choose a lower degree or a shorter period.",
        ))
    }
}

/// 1, t and the terms of a cubic spline that is straight beyond its outer knots (Royston & Parmar 2002, *Statistics in
/// Medicine* 21, §2.2).
fn natural_spline(t: f64, knots: &[f64]) -> Vec<f64> {
    let [lowest, inner @ .., highest] = knots else { return vec![1.0, t] };
    let cube = |knot: f64| (t - knot).max(0.0).powi(3);
    let spline = |knot: &f64| {
        let share = (highest - knot) / (highest - lowest);
        cube(*knot) - share * cube(*lowest) - (1.0 - share) * cube(*highest)
    };
    [1.0, t].into_iter().chain(inner.iter().map(spline)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_coefficients_give_the_same_levels() {
        let deaths: Vec<f64> = (0..60).map(|t| f64::from((t * 7 + 3) % 5)).collect();
        for shape in [Shape::Linear, Shape::Log, Shape::Polynomial { degree: 5 }, Shape::Spline { degree: 4 }] {
            let basis = Basis::new(shape, &deaths).unwrap();
            assert_eq!(shape.terms().len(), basis.terms);
            let coefficients: Vec<f64> = (0..basis.terms).map(|i| 0.3 - 0.2 * i as f64).collect();
            let plain: Vec<f64> = (0..basis.terms)
                .map(|i| (0..basis.terms).map(|j| basis.to_plain[i * basis.terms + j] * coefficients[j]).sum())
                .collect();
            let levels = basis.levels(&coefficients);
            for (t, level) in (1..=60).zip(levels) {
                let t = f64::from(t);
                let terms: Vec<f64> = match shape {
                    Shape::Linear | Shape::Period => vec![1.0, t],
                    Shape::Log => vec![1.0, t.ln()],
                    Shape::Polynomial { degree } => (0..=i32::from(degree)).map(|i| t.powi(i)).collect(),
                    Shape::Spline { degree } => natural_spline(t, &knots(&deaths, usize::from(degree)).unwrap()),
                };
                let direct: f64 = terms.iter().zip(&plain).map(|(a, b)| a * b).sum();
                assert!((direct - level).abs() < 1e-9, "{shape:?} {t}");
            }
        }
        assert!(Basis::new(Shape::Spline { degree: 3 }, &[1.0, 5.0]).is_err());
    }

    #[test]
    fn a_natural_spline_is_straight_beyond_its_outer_knots() {
        let knots = [3.0, 5.0, 9.0, 12.0];
        for start in [13.0, -5.0] {
            let at: Vec<Vec<f64>> = (0..3).map(|i| natural_spline(start + f64::from(i), &knots)).collect();
            let bends = at[0].iter().zip(&at[1]).zip(&at[2]).map(|((a, b), c)| a - 2.0 * b + c);
            assert!(bends.into_iter().all(|bend| bend.abs() < 1e-9));
        }
    }
}
