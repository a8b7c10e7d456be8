//! The algorithms of `train`, and what each may be asked.

use ltv_engine::amount::Family;
use ltv_engine::btyd::contractual;
use ltv_engine::hazard::Penalty;
use ltv_engine::hazard::design::Design;
use ltv_engine::hazard::discrete::{Shape, check_length, check_term};
use ltv_engine::hazard::link::Link;
use ltv_engine::hazard::parametric_choice::{self, NAMES, by_name};
use ltv_engine::hazard::penalty::check_ridge;
use ltv_engine::{Error, Result};
use pgrx::spi::quote_literal;
use serde_json::{Map, Value};

use crate::fit::ties_of;
use crate::train::causes;
use crate::train::customers::Customers;
use crate::train::growth::{GROWTH, Growth, growth};
use crate::train::options::{Known, Options};
use crate::train::statement::number;

/// What is fitted, and how.
#[derive(Debug, Clone, PartialEq)]
pub enum Algorithm {
    KaplanMeier,
    Cox {
        ties: String,
        penalty: Penalty,
        /// Whether the penalty is on the coefficients of covariates in units of their standard deviations.
        standardize: bool,
        robust: Option<bool>,
    },
    Parametric {
        /// As `fit_parametric` calls it.
        distribution: String,
        /// Names of features.
        ancillary: Vec<String>,
        knots: Option<i32>,
        knot_times: Option<Vec<f64>>,
        breaks: Option<Vec<f64>>,
        robust: Option<bool>,
    },
    Best {
        candidates: Option<Vec<String>>,
        criterion: String,
    },
    DiscreteTime {
        link: String,
        baseline: String,
        degree: i32,
        period: f64,
        penalty: f64,
        robust: Option<bool>,
    },
    /// The incidence of one cause among several.
    FineGray(causes::Options),
    /// Trees.
    BoostedHazard(Growth),
    /// An amount by trees.
    BoostedValue {
        loss: String,
        power: f64,
        growth: Growth,
    },
    /// One decision per row.
    Renewal {
        link: String,
        period: f64,
        penalty: f64,
        robust: Option<bool>,
    },
    /// An amount given features.
    Amount {
        function: &'static str,
        /// As named arguments after the design.
        arguments: String,
        penalty: f64,
        /// Of two parts none.
        robust: Option<bool>,
    },
    /// Rates that somebody wrote down, as [`crate::amount::rule_of`] reads them.
    Rule {
        json: String,
    },
    /// The arguments of `fit_hybrid`.
    Hybrid {
        arguments: String,
    },
    /// Counts of renewals, without features.
    Contractual {
        function: &'static str,
        period: f64,
    },
    /// Histories of purchases.
    Customers(Customers),
}

impl Algorithm {
    /// The algorithm called `name`, with its options.
    pub fn of(name: &str, options: &Map<String, Value>) -> Result<Algorithm> {
        let options = Options { algorithm: name, given: options };
        match name {
            "kaplan_meier" => {
                options.are_among(&[])?;
                Ok(Algorithm::KaplanMeier)
            }
            "cox" => {
                let options = options.are_among(&["ties", "penalty", "l1_ratio", "standardize", "robust"])?;
                let ties = options.text("ties")?.unwrap_or("efron").to_owned();
                ties_of(&ties)?;
                let penalty = Penalty::new(
                    options.number("penalty")?.unwrap_or(0.0),
                    options.number("l1_ratio")?.unwrap_or(0.0),
                )?;
                let standardize = options.boolean("standardize")?.unwrap_or(true);
                Ok(Algorithm::Cox { ties, penalty, standardize, robust: options.boolean("robust")? })
            }
            "discrete_time" => {
                let options = options.are_among(&["link", "baseline", "degree", "period", "penalty", "robust"])?;
                let link = options.text("link")?.unwrap_or("logit").to_owned();
                link.parse::<Link>()?;
                let baseline = options.text("baseline")?.unwrap_or("period").to_owned();
                let degree = options.integer("degree")?.unwrap_or(3);
                Shape::named(&baseline, degree)?;
                let period = options.number("period")?.unwrap_or(1.0);
                check_length(period)?;
                let penalty = options.number("penalty")?.unwrap_or(0.0);
                check_ridge(penalty)?;
                let robust = options.boolean("robust")?;
                Ok(Algorithm::DiscreteTime { link, baseline, degree, period, penalty, robust })
            }
            "fine_gray" => Ok(Algorithm::FineGray(causes::options(&options)?)),
            "boosted_hazard" => Ok(Algorithm::BoostedHazard(growth(&options.are_among(&GROWTH)?)?)),
            "boosted_value" => {
                let options = options.are_among(&[&["loss", "power"], &GROWTH[..]].concat())?;
                let loss = options.text("loss")?.unwrap_or("squared").to_owned();
                let power = options.number("power")?.unwrap_or(1.5);
                crate::boost::loss(&loss, power)?;
                Ok(Algorithm::BoostedValue { loss, power, growth: growth(&options)? })
            }
            "renewal" => {
                let options = options.are_among(&["link", "period", "penalty", "robust"])?;
                let link = options.text("link")?.unwrap_or("logit").to_owned();
                link.parse::<Link>()?;
                let period = options.number("period")?.unwrap_or(12.0);
                check_term(period)?;
                let (penalty, robust) = (options.number("penalty")?.unwrap_or(0.0), options.boolean("robust")?);
                check_ridge(penalty)?;
                Ok(Algorithm::Renewal { link, period, penalty, robust })
            }
            "linear" | "gamma" => {
                let options = options.are_among(&["penalty", "robust"])?;
                let function = if name == "linear" { "fit_linear" } else { "fit_gamma" };
                amount(function, String::new(), &options)
            }
            "tweedie" => {
                let options = options.are_among(&["power", "penalty", "robust"])?;
                let power = options.number("power")?;
                power.map_or(Ok(()), |power| Family::Tweedie { power }.validate())?;
                let power = power.map(|power| format!(", power => {}", number(power)));
                amount("fit_tweedie", power.unwrap_or_default(), &options)
            }
            "two_part" => {
                let options = options.are_among(&["amounts", "penalty"])?;
                let amounts = options.text("amounts")?.unwrap_or("gamma");
                crate::amount::second_part(amounts)?;
                amount("fit_two_part", format!(", amounts => {}", quote_literal(amounts)), &options)
            }
            "rule" => {
                let json = Value::Object(options.given.clone()).to_string();
                crate::amount::rule_of(&json)?;
                Ok(Algorithm::Rule { json })
            }
            "hybrid" => {
                let options = options.are_among(&["renewal", "expansion", "margin", "cost", "terms", "revenue"])?;
                let mut arguments = Vec::new();
                for name in ["renewal", "expansion", "margin", "cost", "revenue"] {
                    if let Some(text) = options.text(name)? {
                        arguments.push(format!("{name} => {}", quote_literal(text)));
                    } else if name == "renewal" {
                        return Err(Error::invalid(
                            "a hybrid needs a renewal model",
                            "Name it in the options: {\"renewal\": \"churn@3\", \"margin\": \"margin\"}.",
                        ));
                    }
                }
                // jsonb_build_object makes a text of what contract_terms returns: that of the object.
                let object = |value: &Value| match value {
                    Value::String(text) => serde_json::from_str::<Value>(text).ok()?.as_object().cloned(),
                    _ => value.as_object().cloned(),
                };
                if let Some(terms) = options.read("terms", "an object", object)? {
                    let terms = priced(terms, options.text("revenue")?.is_some())?;
                    arguments.push(format!("terms => {}::ltv.terms", quote_literal(terms.to_string())));
                }
                Ok(Algorithm::Hybrid { arguments: arguments.join(", ") })
            }
            "sbg" | "bdw" => {
                let options = options.are_among(&["period"])?;
                let period = options.number("period")?.unwrap_or(1.0);
                let (function, family) = match name {
                    "sbg" => ("fit_sbg", contractual::Family::BetaGeometric),
                    _ => ("fit_bdw", contractual::Family::BetaDiscreteWeibull),
                };
                family.distribution(period).validate()?;
                Ok(Algorithm::Contractual { function, period })
            }
            "bg_nbd" | "mbg_nbd" | "pareto_nbd" | "gamma_gamma" => {
                Ok(Algorithm::Customers(Customers::of(name, &options)?))
            }
            "best" => {
                let options = options.are_among(&["candidates", "criterion"])?;
                let criterion = options.text("criterion")?.unwrap_or("aic").to_owned();
                if !["aic", "bic"].contains(&criterion.as_str()) {
                    return Err(Error::invalid(format!("unknown criterion \"{criterion}\""), "One of: aic, bic."));
                }
                let candidates = options.texts("candidates")?;
                let known = |name: &String| {
                    distribution(name).ok_or_else(|| {
                        let hint = format!("One of: {}.", parametric_names());
                        Error::invalid(format!("\"{name}\" cannot be a candidate"), hint)
                    })
                };
                let candidates = candidates.map(|names| names.iter().map(known).collect::<Result<Vec<_>>>());
                let candidates = candidates.transpose()?;
                if candidates.as_ref().is_some_and(Vec::is_empty) {
                    return Err(Error::invalid(
                        "there are no candidates to choose from",
                        format!("Name some of: {}.", parametric_names()),
                    ));
                }
                Ok(Algorithm::Best { candidates, criterion })
            }
            _ => match distribution(name).filter(|_| !name.contains('-')) {
                Some(distribution) => Algorithm::parametric(distribution, &options),
                None if name == "auto" => Err(Error::invalid(
                    "unknown algorithm \"auto\"",
                    "ltv.train_auto compares algorithms and trains the best: train_auto('churn', 'accounts', 'months', 'churned', 12, features => ARRAY['plan']); of distributions alone 'best' chooses here.",
                )),
                None => Err(Error::invalid(
                    format!("unknown algorithm \"{name}\""),
                    format!(
                        "One of: cox, kaplan_meier, discrete_time, fine_gray, boosted_hazard, renewal, sbg, bdw, best, rule; of amounts linear, gamma, tweedie, two_part, boosted_value; of purchases bg_nbd, mbg_nbd, pareto_nbd, gamma_gamma; hybrid; or {}.",
                        parametric_names()
                    ),
                )),
            },
        }
    }

    fn parametric(distribution: String, options: &Options) -> Result<Algorithm> {
        let mut allowed = if distribution == "exponential" { vec!["robust"] } else { vec!["ancillary", "robust"] };
        if distribution.starts_with("spline") {
            allowed.extend(["knots", "knot_times"]);
        }
        if distribution == "piecewise-exponential" {
            allowed.push("breaks");
        }
        let options = options.are_among(&allowed)?;
        let (knots, knot_times, breaks) =
            (options.integer("knots")?, options.numbers("knot_times")?, options.numbers("breaks")?);
        // As far as no row is asked.
        let shape = parametric_choice::Shape { knots, knot_times: knot_times.as_deref(), breaks: breaks.as_deref() };
        by_name(&distribution, &Design::default(), shape)?;
        let (ancillary, robust) = (options.texts("ancillary")?.unwrap_or_default(), options.boolean("robust")?);
        Ok(Algorithm::Parametric { ancillary, knots, knot_times, breaks, robust, distribution })
    }

    /// Whether covariates are fitted in units of their standard deviations: without a penalty that changes nothing.
    pub fn standardizes(&self) -> bool {
        matches!(self, Algorithm::Cox { penalty, standardize: true, .. } if !penalty.is_none())
    }

    /// Whether it is a sum of trees.
    pub fn is_boosted(&self) -> bool {
        matches!(self, Algorithm::BoostedHazard(_) | Algorithm::BoostedValue { .. })
    }

    pub fn is_cox(&self) -> bool {
        matches!(self, Algorithm::Cox { .. })
    }

    /// The same with errors by clusters, unless the options say that these are not wanted.
    ///
    /// # Errors
    /// [`Error::Invalid`] for one that has no such errors.
    pub fn clustered(mut self, name: &str) -> Result<Algorithm> {
        let refused =
            |hint: &str| Err(Error::invalid(format!("there is no robust variance by clusters of {name}"), hint));
        let (robust, penalty) = match &mut self {
            // With ties or a penalty that leave it none a Cox model has its own.
            Algorithm::Cox { .. } | Algorithm::Best { .. } => return Ok(self),
            Algorithm::Amount { function: "fit_two_part", .. } => {
                return refused(
                    "By clusters the errors of its parts would belong together: train the parts as renewal and gamma, or tweedie.",
                );
            }
            Algorithm::FineGray(_) => {
                return refused(
                    "Its errors are robust, each row by itself; where accounts have several rows use cox for the hazard of the cause.",
                );
            }
            Algorithm::BoostedHazard(_) | Algorithm::BoostedValue { .. } => {
                return refused(
                    "Trees have no standard errors: hold out by the account, as holdout => '{\"by\": \"account_id\", \"fraction\": 0.2}'.",
                );
            }
            Algorithm::Renewal { robust, penalty, .. }
            | Algorithm::DiscreteTime { robust, penalty, .. }
            | Algorithm::Amount { robust, penalty, .. } => (robust, *penalty),
            Algorithm::Parametric { robust, .. } => (robust, 0.0),
            _ => {
                return refused(
                    "These have one: cox, renewal, discrete_time, the distributions, linear, gamma, tweedie.",
                );
            }
        };
        if robust.get_or_insert(true) == &true && penalty > 0.0 {
            return Err(Error::invalid(
                "there is no robust variance with a penalty",
                "Use no penalty, or options => '{\"robust\": false}'.",
            ));
        }
        Ok(self)
    }

    /// Whether it explains a duration and an event; otherwise the amount in the target.
    pub fn tells_of_time(&self) -> bool {
        !(self.needs_target() || matches!(self, Algorithm::Hybrid { .. } | Algorithm::Customers(_)))
    }

    /// What it reads of customers, where these are its rows.
    pub fn customers(&self) -> Option<&Customers> {
        match self {
            Algorithm::Customers(customers) => Some(customers),
            _ => None,
        }
    }

    /// Whether a row has a duration: not an amount, and not a decision.
    pub fn takes_durations(&self) -> bool {
        self.tells_of_time() && !matches!(self, Algorithm::Renewal { .. })
    }

    /// Whether a row begins on a day.
    pub fn has_beginnings(&self) -> bool {
        self.takes_durations() || self.customers().is_some()
    }

    /// Whether rows of a segment can have a model of their own: components that were trained before may have theirs.
    pub fn takes_segments(&self) -> bool {
        !matches!(self, Algorithm::Hybrid { .. })
    }

    /// Whether it is a fit of amounts, which must be told in which column these are.
    pub fn needs_target(&self) -> bool {
        matches!(self, Algorithm::Amount { .. } | Algorithm::BoostedValue { .. })
    }

    /// The family whose amounts it takes, where not any amount will do.
    pub fn least_amount(&self) -> Option<Family> {
        let power = 1.5;
        match self {
            Algorithm::Amount { function: "fit_gamma", .. } => Some(Family::Gamma),
            Algorithm::Amount { function: "fit_tweedie" | "fit_two_part", .. } => Some(Family::Tweedie { power }),
            Algorithm::BoostedValue { loss, power, .. } => crate::boost::loss(loss, *power).ok(),
            _ => None,
        }
    }

    /// Whether it knows of features at all.
    pub fn takes_features(&self) -> bool {
        !matches!(self, Algorithm::Contractual { .. } | Algorithm::Customers(_))
    }

    /// Whether a model without any feature says nothing.
    pub fn needs_features(&self) -> bool {
        self.is_cox() || self.is_boosted() || matches!(self, Algorithm::FineGray(_))
    }

    /// The same, what it leaves to chance by this seed.
    pub fn seeded(mut self, seed: i64) -> Algorithm {
        if let Algorithm::BoostedHazard(growth) | Algorithm::BoostedValue { growth, .. } = &mut self {
            growth.options.seed = seed;
        }
        self
    }
}

/// The distribution as `fit_parametric` calls it; `None` when there is none of that name.
fn distribution(name: &str) -> Option<String> {
    let name = name.replace('_', "-");
    let plain = name.strip_suffix("-cure").unwrap_or(&name);
    NAMES.contains(&plain).then_some(name)
}

fn parametric_names() -> String {
    let names: Vec<String> = NAMES.iter().map(|name| name.replace('-', "_")).collect();
    format!("{}, each also with _cure for a share that never has the event", names.join(", "))
}

/// A fit of amounts with these arguments and, where there is one, its penalty.
fn amount(function: &'static str, arguments: String, options: &Known) -> Result<Algorithm> {
    let penalty = options.number("penalty")?;
    penalty.map_or(Ok(()), check_ridge)?;
    let named = penalty.map(|penalty| format!(", penalty => {}", number(penalty))).unwrap_or_default();
    let robust = if function == "fit_two_part" { None } else { options.boolean("robust")? };
    Ok(Algorithm::Amount { function, arguments: arguments + &named, penalty: penalty.unwrap_or(0.0), robust })
}

/// The terms of a hybrid. Where a column has the price of each row, which takes the place of that of the terms, they need
/// not say one: a 1 stands there.
fn priced(mut terms: Map<String, Value>, by_column: bool) -> Result<Value> {
    if !terms.contains_key("revenue") && !terms.contains_key("ramp") {
        if !by_column {
            return Err(Error::invalid(
                "the hybrid knows no revenue: neither its terms say one, nor a column is named",
                "Name the column of a row's price, {\"revenue\": \"monthly_charges\", \"terms\": {\"horizon\": 24}}, or say one for all rows, {\"terms\": {\"revenue\": 100}}; without terms they are given when a row is valued.",
            ));
        }
        terms.insert("revenue".into(), 1.into());
    }
    Ok(Value::Object(terms))
}
