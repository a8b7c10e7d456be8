//! Between which limits the amount of one row will be, by the law of the model.
//!
//! Of a linear model by the normal law with Student's t, the error of the estimate included (Seber & Lee 2003, *Linear
//! Regression Analysis*, §5.3; R's `predict.lm(interval = "prediction")`, weights taken as repetitions). Of a gamma model
//! the quantiles of the gamma law with the estimated mean and dispersion, and of a two-part model those of its mixture
//! with 0: without the error of the estimates, which is small beside that of one amount.

use crate::amount::{AmountFit, Family, TwoPartFit};
use crate::hazard::cox::Status;
use crate::numeric::{normal, student};

/// Quantiles of the amount of a row, and by which law.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcomes {
    pub lower: f64,
    pub upper: f64,
    pub law: &'static str,
}

/// Beyond this shape a gamma law is as good as the cube of a normal one.
const LARGE_SHAPE: f64 = 1e6;

impl AmountFit {
    /// The limits that hold the amount of a row without an offset with probability `level`; `None` for a law that has no
    /// such limits here, without a dispersion, and beyond the numbers.
    pub fn outcomes(&self, x: &[f64], level: f64) -> Option<Outcomes> {
        let tail = (1.0 - level) / 2.0;
        if self.status == Status::NoEvents {
            return None;
        }
        let (mean, dispersion) = (self.family.mean(self.linear_predictor(x)), self.dispersion?);
        let limits = match self.family {
            Family::Linear => {
                let width =
                    student::upper_quantile(tail, self.degrees_of_freedom()) * (dispersion + self.variance(x)?).sqrt();
                Outcomes { lower: mean - width, upper: mean + width, law: "normal law" }
            }
            Family::Gamma => Outcomes {
                lower: gamma_quantile(mean, dispersion, 1.0 - tail)?,
                upper: gamma_quantile(mean, dispersion, tail)?,
                law: "gamma law",
            },
            Family::Tweedie { .. } => return None,
        };
        (limits.lower.is_finite() && limits.upper.is_finite()).then_some(limits)
    }
}

impl TwoPartFit {
    /// As [`AmountFit::outcomes`], of a mixture with 0.
    pub fn outcomes(&self, x: &[f64], level: f64) -> Option<Outcomes> {
        let amount = self.amount.as_ref().filter(|amount| amount.family == Family::Gamma)?;
        let (p, mean, dispersion) =
            (self.probability(x)?, amount.family.mean(amount.linear_predictor(x)), amount.dispersion?);
        let tail = (1.0 - level) / 2.0;
        // P(Y > y) = p P(amount > y) for y > 0.
        let quantile = |tail: f64| {
            if tail >= p { Some(0.0) } else { gamma_quantile(mean, dispersion, tail / p) }
        };
        let limits = Outcomes { lower: quantile(1.0 - tail)?, upper: quantile(tail)?, law: "gamma law with zeros" };
        limits.upper.is_finite().then_some(limits)
    }
}

/// The amount that one with this mean and the variance dispersion · mean² exceeds with probability `tail`.
fn gamma_quantile(mean: f64, dispersion: f64, tail: f64) -> Option<f64> {
    if dispersion <= 0.0 {
        return Some(mean);
    }
    let shape = 1.0 / dispersion;
    let factor = if shape > LARGE_SHAPE {
        // Wilson & Hilferty 1931.
        (1.0 - 1.0 / (9.0 * shape) - normal::quantile(tail) / (3.0 * shape.sqrt())).powi(3)
    } else {
        normal::chi_squared_upper_quantile(tail, 2.0 * shape) / (2.0 * shape)
    };
    Some(mean * factor).filter(|quantile| quantile.is_finite())
}
