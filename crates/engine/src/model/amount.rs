//! Models of amounts as values: their coefficients, what they say of a row, and what is to be told of the fit.

use crate::amount::{AmountFit, Expectation, Family, Outcomes, TwoPartFit};
use crate::boost::hazard::End;
use crate::hazard::cox::Status;
use crate::hazard::sandwich::errors;
use crate::model::coefficients::{Coefficient, Quality};
use crate::model::features::{Unscorable, Value};
use crate::model::{Fit, Model};
use crate::numeric::student;
use crate::survival::kaplan_meier::critical_value;
use crate::{Error, Result};

/// What a model of amounts says of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Appraisal {
    pub expectation: Expectation,
    pub is_trustworthy: bool,
}

/// One of the fits that a model of amounts is made of: one, or whether there is an amount and how much.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    pub part: &'static str,
    pub family: &'static str,
    pub link: &'static str,
    /// p of the variance φ μ^p; `None` for the binomial.
    pub power: Option<f64>,
    pub power_estimated: bool,
    pub rows: usize,
    /// Trees have no number of them.
    pub degrees_of_freedom: Option<f64>,
    pub dispersion: Option<f64>,
    pub deviance: f64,
    pub null_deviance: f64,
    pub log_likelihood: Option<f64>,
    pub aic: Option<f64>,
    pub iterations: usize,
}

fn of_family(family: Family, amount: f64, mean: f64) -> Result<f64> {
    family.check(amount)?;
    Ok(family.deviance(amount, mean))
}

impl Model {
    /// Why the model has no curve: it is one of amounts.
    pub(super) fn no_curve(&self) -> String {
        format!("a {} model tells of amounts, not of how long a contract lasts", self.algorithm())
    }

    /// # Errors
    /// [`Error::Invalid`] for a model that expects no amounts.
    pub fn check_amounts(&self) -> Result<()> {
        match &self.fit {
            Fit::Amount(_) | Fit::TwoPart(_) | Fit::BoostedValue(_) => Ok(()),
            Fit::Hybrid(_) => Err(Error::invalid(
                "a hybrid model values a row by its terms",
                "Use hybrid_value(model, row, terms), or store the terms and the revenue's column in the model.",
            )),
            Fit::Segmented(segmented) => segmented.pooled.check_amounts(),
            Fit::Transactional(_) => Err(Error::invalid(
                format!("a {} model tells of purchases, not of an amount given features", self.algorithm()),
                "Use expected_spend or transactional_value.",
            )),
            _ => Err(Error::invalid(
                format!("a {} model tells how long a contract lasts, not an amount", self.algorithm()),
                "Use predict, renewal_probability, predict_curve or lifetime_value.",
            )),
        }
    }

    /// The expected amount of a row; `values` are in the order of the features, `columns` is scratch space.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a level outside (0, 1) and as [`Model::check_amounts`]; the inner error when the row has no
    /// expected amount.
    pub fn appraise(
        &self,
        values: &[Value],
        level: f64,
        columns: &mut Vec<f64>,
    ) -> Result<Result<Appraisal, Unscorable>> {
        self.check_amounts()?;
        critical_value(level)?;
        if let Fit::Segmented(segmented) = &self.fit {
            let (model, values) = segmented.of_row(values);
            return model.appraise(values, level, columns);
        }
        let encoded = match &self.fit {
            Fit::BoostedValue(_) => self.encode_row_or_missing(values, columns),
            _ => self.encode_row(values, columns),
        };
        if let Err(why) = encoded {
            return Ok(Err(why));
        }
        let (expectation, is_trustworthy) = match &self.fit {
            Fit::Amount(fit) => (fit.expectation(columns, level), fit.is_trustworthy()),
            Fit::TwoPart(fit) => (fit.expectation(columns, level), fit.is_trustworthy()),
            Fit::BoostedValue(fit) => (fit.expectation(columns), fit.is_trustworthy()),
            _ => (None, false),
        };
        let undefined = || match self.has_amounts() {
            true => "the expected amount is beyond the numbers",
            false => NO_AMOUNTS,
        };
        Ok(match expectation {
            Some(expectation) => Ok(Appraisal { expectation, is_trustworthy }),
            None => Err(Unscorable::Undefined { reason: undefined().into() }),
        })
    }

    /// Why an expected amount of a model that has coefficients is without limits.
    pub fn no_limits(&self) -> Option<&'static str> {
        let fit = match &self.fit {
            Fit::Amount(fit) => &**fit,
            Fit::TwoPart(fit) => fit.amount.as_ref()?,
            _ => return None,
        };
        Some(fit.no_limits().unwrap_or("the limits are beyond the numbers"))
    }

    /// The limits of one amount of such a row, by the law of the model; `None` for a row without an expectation, and where
    /// no law tells.
    ///
    /// # Errors
    /// As [`Model::appraise`].
    pub fn outcomes(&self, values: &[Value], level: f64, columns: &mut Vec<f64>) -> Result<Option<Outcomes>> {
        if let Fit::Segmented(segmented) = &self.fit {
            let (model, values) = segmented.of_row(values);
            return model.outcomes(values, level, columns);
        }
        if self.appraise(values, level, columns)?.is_err() {
            return Ok(None);
        }
        Ok(match &self.fit {
            Fit::Amount(fit) => fit.outcomes(columns, level),
            Fit::TwoPart(fit) => fit.outcomes(columns, level),
            _ => None,
        })
    }

    /// What an amount of such a row adds to the deviance: twice what the log-likelihood lacks of that of a model that expects
    /// the very amount, times the dispersion (McCullagh & Nelder 1989, section 2.3). Of a model of two parts, in units of
    /// the log-likelihood, −2 ln P(amount = 0) where there is none, else −2 ln P(amount > 0) and the deviance of the second
    /// part over its dispersion. `None` for a row without an expectation.
    ///
    /// # Errors
    /// As [`Model::appraise`]; [`Error::Invalid`] for an amount that the law cannot have; [`Error::OutOfRange`].
    pub fn amount_deviance(&self, values: &[Value], amount: f64, columns: &mut Vec<f64>) -> Result<Option<f64>> {
        if !amount.is_finite() {
            return Err(Error::invalid(format!("an amount must be finite, got {amount}"), "Leave such rows out."));
        }
        if let Fit::Segmented(segmented) = &self.fit {
            let (model, values) = segmented.of_row(values);
            return model.amount_deviance(values, amount, columns);
        }
        let Ok(appraisal) = self.appraise(values, 0.95, columns)? else { return Ok(None) };
        let deviance = match &self.fit {
            Fit::Amount(fit) => of_family(fit.family, amount, appraisal.expectation.value)?,
            Fit::BoostedValue(fit) => of_family(fit.family, amount, appraisal.expectation.value)?,
            Fit::TwoPart(fit) => match fit.amount.as_ref().zip(fit.loss_of_occurrence(columns, amount != 0.0)) {
                Some((_, loss)) if amount == 0.0 => 2.0 * loss,
                Some((part, loss)) => {
                    let mean = part.family.mean(part.linear_predictor(columns));
                    let Some(dispersion) = part.dispersion.filter(|dispersion| *dispersion > 0.0) else {
                        return Ok(None);
                    };
                    of_family(part.family, amount, mean)? / dispersion + 2.0 * loss
                }
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        match deviance.is_finite() {
            true => Ok(Some(deviance)),
            false => Err(Error::OutOfRange(format!("the deviance of an amount of {amount:e} is beyond the numbers"))),
        }
    }

    fn has_amounts(&self) -> bool {
        match &self.fit {
            Fit::Amount(fit) => fit.status != Status::NoEvents,
            Fit::TwoPart(fit) => fit.amount.is_some(),
            Fit::BoostedValue(fit) => fit.end != End::NoEvents,
            _ => true,
        }
    }

    /// The one law of the amounts, whose deviance was made least; `None` for a model of two parts, or of none. With segments
    /// that of the model of all rows.
    pub fn amount_family(&self) -> Option<Family> {
        match &self.of_all().fit {
            Fit::Amount(fit) => Some(fit.family),
            Fit::BoostedValue(fit) => Some(fit.family),
            _ => None,
        }
    }

    /// The fits of a model of amounts; none of any other. With segments those of the model of all rows.
    pub fn amount_parts(&self) -> Vec<Part> {
        match &self.of_all().fit {
            Fit::Amount(fit) => vec![part("amount", fit)],
            Fit::TwoPart(fit) => {
                let decisions = &fit.occurrence;
                let log_likelihood = (!fit.always()).then_some(decisions.log_likelihood);
                let log_likelihood = log_likelihood.filter(|_| fit.amount.is_some());
                let rank = decisions.degrees_of_freedom + decisions.baseline_degrees_of_freedom;
                let mut parts = vec![Part {
                    part: "occurrence",
                    family: "binomial",
                    link: "logit",
                    power: None,
                    power_estimated: false,
                    rows: decisions.rows,
                    degrees_of_freedom: Some(decisions.baseline.at_risk.iter().sum::<f64>() - rank as f64),
                    dispersion: Some(1.0),
                    deviance: -2.0 * decisions.log_likelihood + 0.0,
                    null_deviance: -2.0 * decisions.log_likelihood_null + 0.0,
                    log_likelihood,
                    aic: log_likelihood.map(|likelihood| 2.0 * rank as f64 - 2.0 * likelihood),
                    iterations: decisions.iterations,
                }];
                parts.extend(fit.amount.as_ref().map(|amount| part("amount", amount)));
                parts
            }
            Fit::BoostedValue(fit) => vec![Part {
                part: "amount",
                family: fit.family.name(),
                link: if fit.family.has_log_link() { "log" } else { "identity" },
                power: Some(fit.family.power()),
                power_estimated: false,
                rows: fit.rows,
                degrees_of_freedom: None,
                dispersion: None,
                deviance: fit.deviance,
                null_deviance: fit.null_deviance,
                log_likelihood: None,
                aic: None,
                iterations: fit.trees.len(),
            }],
            _ => Vec::new(),
        }
    }
}

pub(super) const NO_AMOUNTS: &str = "no amount is greater than 0";

fn part(name: &'static str, fit: &AmountFit) -> Part {
    let likelihood = fit.log_likelihood;
    Part {
        part: name,
        family: fit.family.name(),
        link: if fit.family.has_log_link() { "log" } else { "identity" },
        power: Some(fit.family.power()),
        power_estimated: fit.power_estimated,
        rows: fit.rows,
        degrees_of_freedom: Some(fit.degrees_of_freedom()),
        dispersion: fit.dispersion,
        deviance: fit.deviance,
        null_deviance: fit.null_deviance,
        log_likelihood: likelihood,
        aic: likelihood.map(|likelihood| 2.0 * fit.parameters() as f64 - 2.0 * likelihood),
        iterations: fit.iterations,
    }
}

/// The intercept, then a row per term; limits are those of the estimate. Tests and limits are by Student's law, as R's
/// `summary.lm` and `summary.glm` have them where the dispersion is estimated; by the normal law where errors are by
/// clusters.
pub(super) fn coefficients(fit: &AmountFit, terms: &[String], level: f64) -> Vec<Coefficient> {
    let known = fit.status != Status::NoEvents;
    let (intercept, error) = fit.intercept();
    let clustered = fit.clustered.as_ref();
    let law = Law::of(if clustered.is_some() { f64::INFINITY } else { fit.degrees_of_freedom() }, level);
    let first = row("(intercept)".into(), known.then_some(intercept), errors(clustered, 0, error), law);
    let rest = terms.iter().enumerate();
    let rest = rest
        .map(|(i, term)| row(term.clone(), fit.coefficients[i], errors(clustered, 1 + i, fit.standard_error(i)), law));
    std::iter::once(first).chain(rest).collect()
}

/// Those of both parts, each under its part's name.
pub(super) fn two_part_coefficients(model: &Model, fit: &TwoPartFit, level: f64) -> Vec<Coefficient> {
    let occurrence = &fit.occurrence;
    let law = Law::of(f64::INFINITY, level);
    let terms = model.terms();
    let baseline = occurrence.baseline_terms().into_iter().map(|term| (term.name, term.estimate, term.std_error));
    let covariates = terms.iter().enumerate();
    let covariates =
        covariates.map(|(i, term)| (term.clone(), occurrence.coefficients[i], occurrence.standard_error(i)));
    let named = |part: &str, term: &str| format!("{part}: {term}");
    let mut rows: Vec<Coefficient> = baseline
        .chain(covariates)
        .map(|(term, estimate, error)| row(named("occurrence", &term), estimate, [error, None], law))
        .collect();
    if let Some(amount) = &fit.amount {
        let of_amount = coefficients(amount, &terms, level).into_iter();
        rows.extend(of_amount.map(|row| Coefficient { term: named("amount", &row.term), ..row }));
    }
    rows
}

/// How an estimate over its standard error is distributed where there is nothing.
#[derive(Debug, Clone, Copy)]
struct Law {
    /// Infinite for the normal law.
    degrees_of_freedom: f64,
    critical: f64,
}

impl Law {
    fn of(degrees_of_freedom: f64, level: f64) -> Law {
        Law { degrees_of_freedom, critical: student::critical_value(level, degrees_of_freedom) }
    }
}

fn row(term: String, estimate: Option<f64>, errors: [Option<f64>; 2], law: Law) -> Coefficient {
    let row = Coefficient::new(term, estimate, errors, law.critical, false);
    let error = row.robust_std_error.or(row.std_error);
    let limit = |direction: f64| Some(row.estimate? + direction * law.critical * error?);
    let p_value = row.z.map(|t| student::two_sided_p_value(t, law.degrees_of_freedom));
    Coefficient { p_value, lower: limit(-1.0), upper: limit(1.0), ..row }
}

/// Rows, among them those with an amount greater than 0, and what they say of the model.
pub(super) fn quality(model: &Model) -> Option<Quality> {
    if let Fit::BoostedValue(fit) = &model.fit {
        // Trees have no number of parameters that a criterion could count, nor has their loss a dispersion.
        let (parameters, rows, events) = (fit.trees.leaves(), fit.rows, fit.positive);
        return Some(Quality { log_likelihood: None, parameters, aic: None, bic: None, rows, events });
    }
    let parts = model.amount_parts();
    let (rows, events, weight, parameters) = match &model.fit {
        Fit::Amount(fit) => (fit.rows, fit.positive, fit.weight, fit.parameters()),
        Fit::TwoPart(fit) => {
            let occurrence = &fit.occurrence;
            let odds = if fit.always() { 0 } else { occurrence.degrees_of_freedom + 1 };
            let weight = occurrence.baseline.at_risk.iter().sum();
            (occurrence.rows, occurrence.events, weight, odds + fit.amount.as_ref().map_or(0, AmountFit::parameters))
        }
        _ => return None,
    };
    // Where every row has an amount its chance is certain and adds nothing.
    let told = parts.iter().filter(|part| part.part == "amount" || part.log_likelihood.is_some());
    let log_likelihood = told.map(|part| part.log_likelihood).sum::<Option<f64>>().filter(|_| model.has_amounts());
    let penalised = |penalty: f64| log_likelihood.map(|likelihood| penalty * parameters as f64 - 2.0 * likelihood);
    Some(Quality { log_likelihood, parameters, aic: penalised(2.0), bic: penalised(weight.ln()), rows, events })
}

/// Whether the fit may be believed, in words.
fn status(model: &Model) -> String {
    let terms = model.terms();
    let of = |prefix: &str, status: &Status, coefficients: &[Option<f64>]| {
        let named = |columns: &[usize]| {
            columns.iter().map(|at| format!("{prefix}{}", terms[*at])).collect::<Vec<_>>().join(", ")
        };
        match status {
            Status::NoEvents => vec![NO_AMOUNTS.to_owned()],
            Status::NotConverged => vec![format!("{prefix}not converged")],
            Status::Separated { terms } if terms.is_empty() => vec![format!("separated: {prefix}the intercept")],
            Status::Separated { terms } => vec![format!("separated: {}", named(terms))],
            Status::Converged => {
                let aliased: Vec<usize> = (0..coefficients.len()).filter(|at| coefficients[*at].is_none()).collect();
                let told = format!("determined by other terms: {}", named(&aliased));
                if aliased.is_empty() { Vec::new() } else { vec![told] }
            }
        }
    };
    let mut remarks = Vec::new();
    match &model.fit {
        Fit::Amount(fit) => {
            remarks.extend(of("", &fit.status, &fit.coefficients));
            if fit.status != Status::NoEvents && fit.dispersion.is_none() {
                remarks.push("no standard errors: as many coefficients as rows".into());
            }
        }
        Fit::TwoPart(fit) => {
            if fit.always() {
                remarks.push("every amount is greater than 0".into());
            } else {
                remarks.extend(of("occurrence: ", &fit.occurrence.status, &fit.occurrence.coefficients));
            }
            if let Some(amount) = &fit.amount {
                remarks.extend(of("amount: ", &amount.status, &amount.coefficients));
                if amount.dispersion.is_none() {
                    remarks.push("amount: no standard errors: as many coefficients as rows".into());
                }
            }
        }
        _ => {}
    }
    if remarks.is_empty() { "ok".into() } else { remarks.join("; ") }
}

impl From<AmountFit> for Fit {
    fn from(fit: AmountFit) -> Fit {
        Fit::Amount(Box::new(fit))
    }
}

impl From<TwoPartFit> for Fit {
    fn from(fit: TwoPartFit) -> Fit {
        Fit::TwoPart(Box::new(fit))
    }
}

impl Model {
    /// What is to be known of a model of amounts, in words; `None` for any other.
    pub fn amount_status(&self) -> Option<String> {
        if let Fit::BoostedValue(fit) = &self.fit {
            return Some(fit.remark());
        }
        matches!(self.fit, Fit::Amount(_) | Fit::TwoPart(_)).then(|| status(self))
    }
}
