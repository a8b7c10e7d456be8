//! What the models of purchases have in common: a customer buys at random at a rate of their own, which varies between
//! customers by a gamma distribution with shape r and rate α.

use serde::{Deserialize, Serialize};

use crate::btyd::history::{History, LONGEST_TIME};
use crate::btyd::sample::Purchases;
use crate::btyd::{bg_nbd, pareto_nbd};
use crate::numeric::gamma::{log_gamma, log_gamma_ratio};
use crate::{Error, Result};

/// How customers leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leaving {
    /// After any repeat purchase, with a probability of their own that is beta distributed (a, b): Fader, Hardie & Lee
    /// 2005, *"Counting your customers" the easy way*, Marketing Science 24.
    BgNbd,
    /// The same after the first purchase too: Batislam, Denizel & Filiztekin 2007, *Empirical validation and comparison
    /// of models for customer base analysis*, International Journal of Research in Marketing 24.
    MbgNbd,
    /// At any time, at a rate of their own that is gamma distributed (shape s, rate β): Schmittlein, Morrison & Colombo
    /// 1987, *Counting your customers*, Management Science 33.
    ParetoNbd,
}

/// A model of purchases: r, α and the two parameters of leaving (a, b or s, β).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PurchaseModel {
    pub leaving: Leaving,
    pub parameters: [f64; 4],
}

impl PurchaseModel {
    /// P(still a customer | history), between 0 and 1. In the BG/NBD nobody can have left before a repeat purchase: it
    /// is 1 there by the model.
    pub fn probability_alive(&self, history: &History) -> f64 {
        1.0 / (1.0 + self.log_odds_gone(history).exp())
    }

    /// ln of P(gone) / P(alive); −∞ where nobody can have left.
    fn log_odds_gone(&self, history: &History) -> f64 {
        match self.leaving {
            Leaving::BgNbd | Leaving::MbgNbd => bg_nbd::log_odds_gone(self.parameters, self.leaving, history),
            Leaving::ParetoNbd => pareto_nbd::log_odds_gone(self.parameters, history),
        }
    }

    /// Expected number of purchases of a customer with this history within `horizon` from now.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a horizon that is negative, or beyond [`LONGEST_TIME`].
    pub fn expected_purchases(&self, history: &History, horizon: f64) -> Result<Option<f64>> {
        check_horizon(horizon)?;
        let alive = self.probability_alive(history);
        let purchases = match self.leaving {
            Leaving::BgNbd | Leaving::MbgNbd => {
                bg_nbd::if_alive(self.parameters, self.leaving, history).within(horizon)
            }
            Leaving::ParetoNbd => Some(pareto_nbd::if_alive(self.parameters, history).within(horizon)),
        };
        Ok(purchases.map(|purchases| alive * purchases))
    }

    /// Expected number of repeat purchases of a new customer within `horizon` from the first purchase.
    ///
    /// # Errors
    /// As [`PurchaseModel::expected_purchases`].
    pub fn expected_of_new(&self, horizon: f64) -> Result<Option<f64>> {
        check_horizon(horizon)?;
        Ok(match self.leaving {
            Leaving::BgNbd | Leaving::MbgNbd => bg_nbd::of_new(self.parameters, self.leaving, horizon),
            Leaving::ParetoNbd => {
                let new = History { frequency: 0.0, recency: 0.0, age: 0.0 };
                Some(pareto_nbd::if_alive(self.parameters, &new).within(horizon))
            }
        })
    }

    /// P(a new customer makes exactly so many repeat purchases within `horizon`).
    ///
    /// # Errors
    /// As [`PurchaseModel::expected_purchases`]; [`Error::Invalid`] for a number of purchases that is none.
    pub fn purchase_probability(&self, purchases: f64, horizon: f64) -> Result<Option<f64>> {
        check_horizon(horizon)?;
        // Says what is wrong with the number, if anything.
        History::new(purchases, 0.0, 0.0)?;
        Ok(match self.leaving {
            Leaving::BgNbd | Leaving::MbgNbd => bg_nbd::probability(self.parameters, self.leaving, purchases, horizon),
            Leaving::ParetoNbd => pareto_nbd::probability(self.parameters, purchases, horizon),
        })
    }

    /// Present number of the purchases still to come, each discounted continuously at `rate` per unit of time
    /// (DERT: Fader, Hardie & Lee 2005, *RFM and CLV*, Journal of Marketing Research 42). `None` when it is infinite:
    /// without discounting, where customers leave too rarely.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a rate that is negative or not finite.
    pub fn discounted_purchases(&self, history: &History, rate: f64) -> Result<Option<f64>> {
        if !(0.0..f64::INFINITY).contains(&rate) {
            return Err(Error::invalid(
                format!("the rate of discounting must be finite and not negative, got {rate}"),
                "Without an end of the horizon, only an interest rate of 0 or more gives a value.",
            ));
        }
        let alive = self.probability_alive(history);
        let purchases = match self.leaving {
            Leaving::BgNbd | Leaving::MbgNbd => {
                bg_nbd::if_alive(self.parameters, self.leaving, history).discounted(rate)
            }
            Leaving::ParetoNbd => pareto_nbd::if_alive(self.parameters, history).discounted(rate),
        };
        Ok(purchases.map(|purchases| alive * purchases))
    }
}

fn check_horizon(horizon: f64) -> Result<()> {
    if (0.0..=LONGEST_TIME).contains(&horizon) {
        return Ok(());
    }
    Err(Error::invalid(
        format!("the horizon must be from 0 to {LONGEST_TIME:e}, got {horizon}"),
        "It is in the unit of the recency and age that the model was fitted to.",
    ))
}

/// Frequencies further apart than this are reached by gamma functions instead of one by one.
pub(super) const LEAP: usize = 200;

/// ln Γ(r + x) / Γ(r) with its derivatives in r, summed over the frequencies x with their weights.
pub(super) fn rises(r: f64, weights_by_frequency: &[(usize, f64)]) -> [f64; 3] {
    let mut sum = [0.0; 3];
    let (mut log, mut first, mut second, mut k) = (0.0, 0.0, 0.0, 0);
    for (x, weight) in weights_by_frequency {
        if x - k > LEAP {
            let (from, to) = (r + k as f64, r + *x as f64);
            let ([_, here, here_too], [_, there, there_too]) = (log_gamma(from), log_gamma(to));
            log += log_gamma_ratio(from, (x - k) as f64);
            first += there - here;
            second += there_too - here_too;
            k = *x;
        }
        while k < *x {
            let inverse = 1.0 / (r + k as f64);
            log += (r + k as f64).ln();
            first += inverse;
            second -= inverse * inverse;
            k += 1;
        }
        sum[0] += weight * log;
        sum[1] += weight * first;
        sum[2] += weight * second;
    }
    sum
}

/// The weights of the customers by frequency, rising; `cells` are sorted by it.
pub(super) fn weights_by_frequency(cells: &[Purchases]) -> Vec<(usize, f64)> {
    cells
        .chunk_by(|a, b| a.history.frequency == b.history.frequency)
        .map(|same| (same[0].history.frequency as usize, same.iter().map(|cell| cell.weight).sum()))
        .collect()
}

/// ln(1 + e^x), and its first two derivatives.
#[inline(always)]
pub(super) fn softplus(x: f64) -> [f64; 3] {
    let small = (-x.abs()).exp();
    let gone = if x > 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) };
    [x.max(0.0) + small.ln_1p(), gone, small / ((1.0 + small) * (1.0 + small))]
}
