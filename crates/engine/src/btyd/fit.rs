//! Transactional models fitted by maximum likelihood: parameters, how sure they are, and what they stand on.

use serde::{Deserialize, Serialize};

use crate::btyd::gamma_gamma::{self, SpendModel};
use crate::btyd::maximise::{Maximum, maximise};
use crate::btyd::purchases::{Leaving, PurchaseModel, weights_by_frequency};
use crate::btyd::sample::{PurchaseSample, Purchases, SpendSample};
use crate::btyd::{bg_nbd, pareto_nbd};
use crate::{Error, Interrupt, Result};

/// With more cells than this a fit to some of them tells where to begin.
const MANY_CELLS: usize = 40_000;
/// How many then.
const SOME_CELLS: usize = 10_000;
/// Parameters beyond these are none that a fit ends at.
const PARAMETERS: std::ops::RangeInclusive<f64> = 1e-15..=1e15;

/// What was fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    BgNbd,
    MbgNbd,
    ParetoNbd,
    GammaGamma,
}

/// Where a fit ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Converged,
    /// No customer has a repeat purchase: there is nothing to fit.
    NoRepeats,
    NotConverged,
    /// The likelihood is highest, or as high, where some parameters are 0 or infinite: what they describe does not vary
    /// between customers, or does not happen.
    Undetermined {
        parameters: Vec<usize>,
    },
}

/// A fitted model of purchases or of their value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TransactionalFit {
    pub kind: Kind,
    /// Sum of weights; of a Gamma-Gamma model those with repeat purchases.
    pub customers: f64,
    pub repeat_customers: f64,
    /// Repeat purchases of all customers.
    pub purchases: f64,
    /// The largest age; `None` for a Gamma-Gamma model.
    pub longest_age: Option<f64>,
    /// Every customer with repeat purchases made the last one on the last day of their age.
    pub ends_at_purchases: bool,
    /// In the order of [`Kind::parameter_names`]; empty when there was nothing to fit.
    pub parameters: Vec<f64>,
    /// Of the logarithms of the parameters, row-major, from the inverse of the observed information; 0 where the data do
    /// not tell.
    pub covariance: Vec<f64>,
    pub log_likelihood: f64,
    pub iterations: usize,
    pub status: Status,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::BgNbd => "bg_nbd",
            Kind::MbgNbd => "mbg_nbd",
            Kind::ParetoNbd => "pareto_nbd",
            Kind::GammaGamma => "gamma_gamma",
        }
    }

    /// By their names in the papers.
    pub fn parameter_names(self) -> &'static [&'static str] {
        match self {
            Kind::BgNbd | Kind::MbgNbd => &["r", "alpha", "a", "b"],
            Kind::ParetoNbd => &["r", "alpha", "s", "beta"],
            Kind::GammaGamma => &["p", "q", "gamma"],
        }
    }

    fn leaving(self) -> Option<Leaving> {
        match self {
            Kind::BgNbd => Some(Leaving::BgNbd),
            Kind::MbgNbd => Some(Leaving::MbgNbd),
            Kind::ParetoNbd => Some(Leaving::ParetoNbd),
            Kind::GammaGamma => None,
        }
    }
}

/// Fits a model of purchases; `None` for a sample of nobody.
///
/// # Errors
/// [`Error::OutOfRange`] for times or weights beyond the numbers; whatever `interrupt` returns.
pub fn fit_purchases(
    sample: &PurchaseSample,
    leaving: Leaving,
    interrupt: Interrupt,
) -> Result<Option<TransactionalFit>> {
    let cells = sample.sorted();
    let kind = match leaving {
        Leaving::BgNbd => Kind::BgNbd,
        Leaving::MbgNbd => Kind::MbgNbd,
        Leaving::ParetoNbd => Kind::ParetoNbd,
    };
    let sum = |of: fn(&Purchases) -> f64| cells.iter().map(|cell| cell.weight * of(cell)).sum::<f64>();
    let (customers, purchases) = (sum(|_| 1.0), sum(|cell| cell.history.frequency));
    let repeat_customers = sum(|cell| f64::from(u8::from(cell.history.frequency > 0.0)));
    let ages = sum(|cell| cell.history.age);
    if cells.is_empty() {
        return Ok(None);
    }
    let bought_again = || cells.iter().filter(|cell| cell.history.frequency > 0.0);
    let mut fit = TransactionalFit {
        kind,
        customers,
        repeat_customers,
        purchases,
        longest_age: Some(cells.iter().fold(0.0, |longest, cell| longest.max(cell.history.age))),
        ends_at_purchases: purchases > 0.0 && bought_again().all(|cell| cell.history.recency == cell.history.age),
        parameters: Vec::new(),
        covariance: Vec::new(),
        log_likelihood: 0.0,
        iterations: 0,
        status: Status::NoRepeats,
    };
    if purchases > 0.0 && ages > 0.0 {
        let pace = ages / purchases;
        let start = match leaving {
            Leaving::BgNbd | Leaving::MbgNbd => [0.5, 0.5 * pace, 1.0, 2.0],
            Leaving::ParetoNbd => [0.5, 0.5 * pace, 0.7, ages / customers],
        };
        let start = start.map(|parameter: f64| parameter.clamp(1e-9, 1e9));
        let mut at = |cells: &[Purchases], start: [f64; 4]| {
            let by_frequency = weights_by_frequency(cells);
            let evaluate = |parameters: &[f64; 4]| match leaving {
                Leaving::ParetoNbd => pareto_nbd::evaluate(cells, &by_frequency, *parameters, interrupt),
                _ => bg_nbd::evaluate(cells, &by_frequency, leaving, *parameters, interrupt),
            };
            maximise(evaluate, start)
        };
        let begin = head_start(&cells, start, &mut at)?;
        let mut maximum = at(&cells, begin)?;
        let again = maximum.status == Status::NotConverged || cells.len() < MANY_CELLS;
        if maximum.status != Status::Converged && again {
            // From customers who are all alike.
            let other = at(&cells, [5.0, 5.0 * pace, start[2], start[3]])?;
            let better = other.status == Status::Converged && maximum.status == Status::NotConverged;
            if better || other.log_likelihood > maximum.log_likelihood {
                maximum = other;
            }
        }
        fit.take(maximum)?;
    }
    Ok(Some(fit))
}

/// Where to begin: at the maximum of every so many of the cells, where there are many.
fn head_start(
    cells: &[Purchases],
    start: [f64; 4],
    maximum: &mut impl FnMut(&[Purchases], [f64; 4]) -> Result<Maximum<4>>,
) -> Result<[f64; 4]> {
    if cells.len() < MANY_CELLS {
        return Ok(start);
    }
    let some: Vec<Purchases> = cells.iter().step_by(cells.len() / SOME_CELLS).copied().collect();
    let maximum = maximum(&some, start)?;
    Ok(if maximum.status == Status::Converged { maximum.parameters } else { start })
}

/// Fits the Gamma-Gamma model; `None` for a sample of nobody with repeat purchases.
///
/// # Errors
/// As [`fit_purchases`].
pub fn fit_spend(sample: &SpendSample, interrupt: Interrupt) -> Result<Option<TransactionalFit>> {
    let cells = sample.sorted();
    if cells.is_empty() {
        return Ok(None);
    }
    let customers: f64 = cells.iter().map(|cell| cell.weight).sum();
    let purchases: f64 = cells.iter().map(|cell| cell.weight * cell.key[0]).sum();
    let log_mean = cells.iter().map(|cell| cell.weight * cell.key[1].ln()).sum::<f64>() / customers;
    let mut fit = TransactionalFit {
        kind: Kind::GammaGamma,
        customers,
        repeat_customers: customers,
        purchases,
        longest_age: None,
        ends_at_purchases: false,
        parameters: Vec::new(),
        covariance: Vec::new(),
        log_likelihood: 0.0,
        iterations: 0,
        status: Status::NotConverged,
    };
    // γ is a scale: amounts are taken relative to their geometric mean, so that no currency is too small or large.
    let scale = log_mean.exp();
    let scaled: Vec<_> = cells
        .iter()
        .map(|cell| crate::btyd::counts::Cell { key: [cell.key[0], cell.key[1] / scale], ..*cell })
        .collect();
    let mut at = |start| maximise(|parameters| gamma_gamma::evaluate(&scaled, *parameters, interrupt), start);
    let mut maximum = at([3.0, 3.0, 1.0])?;
    if maximum.status == Status::NotConverged {
        maximum = at([1.0, 10.0, 10.0])?;
    }
    maximum.parameters[2] *= scale;
    maximum.log_likelihood -= customers * log_mean;
    fit.take(maximum)?;
    Ok(Some(fit))
}

impl TransactionalFit {
    fn take<const N: usize>(&mut self, maximum: Maximum<N>) -> Result<()> {
        self.parameters = maximum.parameters.to_vec();
        self.covariance = maximum.covariance;
        self.log_likelihood = maximum.log_likelihood;
        self.iterations = maximum.iterations;
        self.status = maximum.status;
        self.validate().map_err(|_| {
            Error::OutOfRange("the times, amounts or weights are too large or too small for this model".into())
        })
    }

    /// The model of purchases; `None` when there was nothing to fit, or it is one of values.
    pub fn purchases(&self) -> Option<PurchaseModel> {
        let leaving = self.kind.leaving()?;
        Some(PurchaseModel { leaving, parameters: self.parameters.as_slice().try_into().ok()? })
    }

    /// The model of values; `None` when it is one of purchases.
    pub fn spend(&self) -> Option<SpendModel> {
        let parameters = self.parameters.as_slice().try_into().ok()?;
        (self.kind == Kind::GammaGamma).then_some(SpendModel { parameters })
    }

    /// The standard error of the logarithm of a parameter; `None` where the data do not tell.
    pub fn log_error(&self, parameter: usize) -> Option<f64> {
        let variance = self.covariance.get(parameter * (self.parameters.len() + 1))?;
        (*variance > 0.0).then(|| variance.sqrt())
    }

    /// Whether it may be believed, in words; `ok` when nothing is wrong.
    pub fn remark(&self) -> String {
        let mut remarks = Vec::new();
        match &self.status {
            Status::NoRepeats => return "no repeat purchases".into(),
            Status::NotConverged => return "not converged".into(),
            Status::Undetermined { parameters } => {
                let names: Vec<&str> = parameters.iter().map(|at| self.kind.parameter_names()[*at]).collect();
                remarks.push(format!("not determined by the data: {}", names.join(", ")));
            }
            Status::Converged => {}
        }
        if self.ends_at_purchases {
            remarks
                .push("age ends at the last purchase of every customer: it must run until the day of the data".into());
        }
        if self.spend().is_some_and(|model| !model.has_mean()) {
            remarks.push("q is not above 1: customers without repeat purchases have no mean value".into());
        }
        if remarks.is_empty() { "ok".into() } else { remarks.join("; ") }
    }

    /// # Errors
    /// [`Error::Malformed`] when the parts differ in length or a number is out of its range: what stored or received
    /// values are checked for.
    pub fn validate(&self) -> Result<()> {
        let names = self.kind.parameter_names().len();
        let parameters = self.parameters.len();
        let status_fits = match &self.status {
            Status::NoRepeats => parameters == 0,
            Status::Undetermined { parameters: which } => {
                parameters == names && !which.is_empty() && which.iter().all(|at| *at < names)
            }
            Status::Converged | Status::NotConverged => parameters == names,
        };
        let counts = [self.customers, self.repeat_customers, self.purchases, self.longest_age.unwrap_or(0.0)];
        let in_range = self.kind == Kind::GammaGamma || self.parameters.iter().all(|p| PARAMETERS.contains(p));
        let holds = status_fits
            && self.covariance.len() == parameters * parameters
            && self.parameters.iter().all(|p| *p > 0.0 && p.is_finite())
            && in_range
            && self.covariance.iter().all(|number| number.is_finite())
            && (0..parameters).all(|at| self.covariance[at * (parameters + 1)] >= 0.0)
            && self.log_likelihood.is_finite()
            && counts.iter().all(|count| *count >= 0.0 && count.is_finite());
        if holds { Ok(()) } else { Err(Error::malformed("the parts of a transactional model contradict each other")) }
    }
}
