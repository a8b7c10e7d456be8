//! The two links of a binary outcome to a linear predictor η.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How a probability p follows from the linear predictor η.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// p = 1 / (1 + e^−η): a coefficient is a log odds ratio.
    #[default]
    Logit,
    /// p = 1 − exp(−e^η): a coefficient is a log hazard ratio, as if time within a period ran on unseen
    /// (Prentice & Gloeckler 1978, *Regression analysis of grouped survival data*, Biometrics 34).
    Cloglog,
}

impl std::str::FromStr for Link {
    type Err = Error;

    fn from_str(name: &str) -> Result<Link> {
        match name {
            "logit" => Ok(Link::Logit),
            "cloglog" => Ok(Link::Cloglog),
            other => Err(Error::invalid(format!("unknown link \"{other}\""), "The links are logit and cloglog.")),
        }
    }
}

impl Link {
    /// The probability at η; infinite η are 0 and 1.
    pub fn probability(self, eta: f64) -> f64 {
        match self {
            Link::Logit => 1.0 / (1.0 + (-eta).exp()),
            Link::Cloglog => -(-eta.exp()).exp_m1(),
        }
    }

    /// The η of a probability within (0, 1).
    pub fn linear_predictor(self, p: f64) -> f64 {
        match self {
            Link::Logit => p.ln() - (-p).ln_1p(),
            Link::Cloglog => (-(-p).ln_1p()).ln(),
        }
    }

    /// −ln(1 − p) and its derivative in η: what a period with probability p of the event adds to a cumulative hazard.
    pub fn hazard(self, eta: f64) -> (f64, f64) {
        match self {
            Link::Logit => (softplus(eta), self.probability(eta)),
            Link::Cloglog => (eta.exp(), eta.exp()),
        }
    }

    /// −ln p and its derivative in η: the same where the event of the model is a renewal.
    pub fn failure_hazard(self, eta: f64) -> (f64, f64) {
        match self {
            Link::Logit => (softplus(-eta), -self.probability(-eta)),
            Link::Cloglog => {
                let rate = eta.exp();
                let slope = if rate == 0.0 { 1.0 } else { rate / rate.exp_m1() };
                // ln p ≈ η where e^η is small.
                (if eta < -30.0 { -eta } else { -self.probability(eta).ln() }, -slope)
            }
        }
    }
}

/// ln(1 + e^η) without overflow.
fn softplus(eta: f64) -> f64 {
    eta.max(0.0) + (-eta.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hazards_are_those_of_the_probability_with_their_slope() {
        for link in [Link::Logit, Link::Cloglog] {
            for eta in [-20.0, -3.0, -0.5, 0.0, 0.7, 2.5] {
                let p = link.probability(eta);
                assert!((link.linear_predictor(p) - eta).abs() < 1e-9 * (1.0 + eta.abs()), "{link:?} {eta}");
                let step = 1e-6;
                for hazard in [|link: Link, eta| link.hazard(eta), |link: Link, eta| link.failure_hazard(eta)] {
                    let slope = (hazard(link, eta + step).0 - hazard(link, eta - step).0) / (2.0 * step);
                    assert!((slope - hazard(link, eta).1).abs() < 1e-8, "{link:?} {eta}");
                }
                assert!(((-link.hazard(eta).0).exp() + p - 1.0).abs() < 1e-15);
                assert!(((-link.failure_hazard(eta).0).exp() - p).abs() < 1e-15);
            }
            assert_eq!(link.hazard(f64::NEG_INFINITY).0, 0.0);
            assert_eq!(link.hazard(f64::INFINITY).0, f64::INFINITY);
            assert!(link.failure_hazard(-800.0).0 == 800.0 && link.failure_hazard(800.0).0 == 0.0);
        }
    }
}
