//! Transactional models as values: their coefficients, and what a customer's purchases to come are worth.
//!
//! Conventions of the money: a month is a twelfth of 365 days whatever the unit of the model; the purchases of a month
//! fall due together, by default in its middle; a purchase is worth what the Gamma-Gamma model expects of the customer;
//! discounting, rounding and the ledger are those of `value`.

use crate::btyd::fit::{Status, TransactionalFit};
use crate::btyd::gamma_gamma::SpendModel;
use crate::btyd::history::History;
use crate::btyd::purchases::PurchaseModel;
use crate::model::coefficients::{Coefficient, Quality};
use crate::model::{Fit, Model};
use crate::value::cash_flow::{CashFlow, Flow, Ledger, Parts};
use crate::value::contract::Timing;
use crate::value::discount::{DAYS_PER_YEAR, discount_factor};
use crate::value::money::{Amount, Minor};
use crate::value::terms::Terms;
use crate::{Error, Result};

impl Model {
    /// Why the model has no curve: it is one of purchases.
    pub(super) fn no_lifetimes(&self) -> String {
        format!("a {} model tells of purchases, not of how long a contract lasts", self.algorithm())
    }

    /// # Errors
    /// [`Error::Invalid`] for a model that has no curves.
    #[inline]
    pub fn check_lifetimes(&self) -> Result<()> {
        match &self.fit {
            Fit::Transactional(fit) => Err(Error::invalid(
                self.no_lifetimes(),
                match fit.spend() {
                    Some(_) => "Use expected_spend, or transactional_value with a model of purchases.",
                    None => "Use probability_alive, expected_purchases, discounted_purchases or transactional_value.",
                },
            )),
            Fit::Segmented(segmented) => segmented.pooled.check_lifetimes(),
            Fit::Amount(_) | Fit::TwoPart(_) | Fit::BoostedValue(_) => {
                Err(Error::invalid(self.no_curve(), "Use expected_value."))
            }
            Fit::Hybrid(_) => Err(Error::invalid(
                "a hybrid model values a row by several models",
                "Use hybrid_value; hybrid_curve and hybrid_terms give what lifetime_value, cash_flows and value_components ask for.",
            )),
            _ => Ok(()),
        }
    }

    /// The model of purchases; `None` when there was nothing to fit.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is a model of something else.
    pub fn purchases(&self) -> Result<Option<PurchaseModel>> {
        match &self.fit {
            Fit::Transactional(fit) if fit.status == Status::NoRepeats || fit.purchases().is_some() => {
                Ok(fit.purchases())
            }
            _ => Err(Error::invalid(
                format!("a {} model does not tell of purchases", self.algorithm()),
                "Give a model of fit_bg_nbd, fit_mbg_nbd or fit_pareto_nbd.",
            )),
        }
    }

    /// The model of what a purchase is worth.
    ///
    /// # Errors
    /// As [`Model::purchases`].
    pub fn spend(&self) -> Result<SpendModel> {
        match &self.fit {
            Fit::Transactional(fit) => fit.spend(),
            _ => None,
        }
        .ok_or_else(|| {
            Error::invalid(
                format!("a {} model does not tell what a purchase is worth", self.algorithm()),
                "Give a model of fit_gamma_gamma.",
            )
        })
    }
}

impl From<TransactionalFit> for Fit {
    fn from(fit: TransactionalFit) -> Fit {
        Fit::Transactional(Box::new(fit))
    }
}

/// The parameters by their names in the papers; errors by the delta method from those of the logarithms, limits from the
/// logarithms themselves. That a parameter is 0 is no hypothesis, so there is no test.
pub(super) fn coefficients(fit: &TransactionalFit, critical: f64) -> Vec<Coefficient> {
    let row = |(at, name): (usize, &&str)| {
        let estimate = fit.parameters.get(at).copied();
        let error = fit.log_error(at);
        let limit = |direction: f64| {
            let limit = estimate? * (direction * critical * error?).exp();
            limit.is_finite().then_some(limit)
        };
        Coefficient {
            term: (*name).into(),
            estimate,
            std_error: estimate.zip(error).map(|(estimate, error)| estimate * error),
            robust_std_error: None,
            z: None,
            p_value: None,
            hazard_ratio: None,
            lower: limit(-1.0),
            upper: limit(1.0),
        }
    };
    fit.kind.parameter_names().iter().enumerate().map(row).collect()
}

/// The rows are customers, the events repeat purchases.
pub(super) fn quality(fit: &TransactionalFit) -> Quality {
    let parameters = fit.parameters.len();
    let known = fit.status != Status::NoRepeats;
    let penalised = |penalty: f64| known.then_some(penalty * parameters as f64 - 2.0 * fit.log_likelihood);
    Quality {
        log_likelihood: known.then_some(fit.log_likelihood),
        parameters,
        aic: penalised(2.0),
        bic: penalised(fit.customers.ln()),
        rows: fit.customers as usize,
        events: fit.purchases as usize,
    }
}

/// The unit of recency and age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Day,
    Week,
    Month,
    Year,
}

impl std::str::FromStr for Unit {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "day" => Unit::Day,
            "week" => Unit::Week,
            "month" => Unit::Month,
            "year" => Unit::Year,
            _ => return Err(Error::invalid(format!("unknown unit \"{name}\""), "One of: day, week, month, year.")),
        })
    }
}

impl Unit {
    /// A year has 365 days, a month a twelfth of that.
    pub fn per_year(self) -> f64 {
        match self {
            Unit::Day => DAYS_PER_YEAR,
            Unit::Week => DAYS_PER_YEAR / 7.0,
            Unit::Month => 12.0,
            Unit::Year => 1.0,
        }
    }

    /// The continuous rate per unit of an effective annual one.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a rate that is negative or not finite.
    pub fn continuous_rate(self, annual_rate: f64) -> Result<f64> {
        if !(0.0..f64::INFINITY).contains(&annual_rate) {
            return Err(Error::invalid(
                format!("the discount rate must be finite and not negative, got {annual_rate}"),
                "It is an effective annual rate: 0.10 is ten percent a year. Without an end of the horizon, a negative one gives no value.",
            ));
        }
        Ok(annual_rate.ln_1p() / self.per_year())
    }
}

/// How purchases become money.
#[derive(Debug, Clone, Copy)]
pub struct PurchaseTerms {
    /// Share of a purchase's value that is left after its cost; at most 1.
    pub margin: f64,
    /// Effective annual rate, above −1.
    pub discount_rate: f64,
    /// Months that are valued.
    pub horizon: u32,
    pub timing: Timing,
    /// The unit of the history and of the model of purchases.
    pub unit: Unit,
    /// Decimals of the currency.
    pub minor_digits: u32,
}

impl PurchaseTerms {
    /// # Errors
    /// [`Error::Invalid`] naming the first term outside its domain.
    pub fn validate(&self) -> Result<()> {
        let PurchaseTerms { margin, discount_rate, horizon, minor_digits, .. } = *self;
        Terms { margin, discount_rate, horizon, minor_digits, ..Terms::new(0.0) }.validate()
    }
}

/// A customer, and the models of what they do.
#[derive(Debug, Clone, Copy)]
pub struct Customer {
    pub purchases: PurchaseModel,
    pub history: History,
    /// Expected value of a purchase.
    pub spend: f64,
}

/// A month of expected purchases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PurchaseFlow {
    pub purchases: f64,
    pub flow: CashFlow,
}

/// What a customer's purchases within the horizon are worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PurchaseValue {
    /// Present value of the margin.
    pub ltv: Minor,
    /// The margin, not discounted.
    pub undiscounted: Minor,
    pub revenue: Minor,
    pub probability_alive: f64,
    pub expected_purchases: f64,
}

impl Customer {
    /// A row per month of the horizon; the rows add up exactly to [`Customer::value`].
    ///
    /// # Errors
    /// As [`PurchaseTerms::validate`]; [`Error::OutOfRange`] for amounts beyond the range of money or purchases beyond
    /// the numbers.
    pub fn flows(&self, terms: &PurchaseTerms) -> Result<Vec<PurchaseFlow>> {
        terms.validate()?;
        let mut ledger = Ledger::new(terms.minor_digits);
        self.entered(terms, &mut ledger)
    }

    /// # Errors
    /// As [`Customer::flows`].
    pub fn value(&self, terms: &PurchaseTerms) -> Result<PurchaseValue> {
        terms.validate()?;
        let mut ledger = Ledger::new(terms.minor_digits);
        let flows = self.entered(terms, &mut ledger)?;
        Ok(PurchaseValue {
            ltv: ledger.present_value(),
            undiscounted: ledger.margin(),
            revenue: ledger.revenue(),
            probability_alive: self.purchases.probability_alive(&self.history),
            expected_purchases: flows.iter().map(|row| row.purchases).sum(),
        })
    }

    fn entered(&self, terms: &PurchaseTerms, ledger: &mut Ledger) -> Result<Vec<PurchaseFlow>> {
        let per_month = terms.unit.per_year() / 12.0;
        let mut before = 0.0;
        let mut rows = Vec::with_capacity(terms.horizon as usize);
        for period in 1..=terms.horizon {
            let until = self.purchases.expected_purchases(&self.history, f64::from(period) * per_month)?;
            let until = until.filter(|until| until.is_finite()).ok_or_else(|| {
                Error::OutOfRange("the expected purchases of this customer are beyond the numbers".into())
            })?;
            let purchases = (until - before).max(0.0);
            before = until;
            let due_months = match terms.timing {
                Timing::Advance => f64::from(period - 1),
                Timing::Middle => f64::from(period) - 0.5,
                Timing::Arrears => f64::from(period),
            };
            let revenue = purchases * self.spend;
            let flow = Flow {
                period,
                due_months,
                due_days: None,
                decided: due_months,
                point: None,
                revenue: Amount::expected(revenue),
                margin: Amount::expected(terms.margin * revenue),
                discount_factor: discount_factor(due_months / 12.0, terms.discount_rate)?,
                parts: Parts::default(),
            };
            rows.push(PurchaseFlow { purchases, flow: ledger.enter(&flow)? });
        }
        Ok(rows)
    }
}
