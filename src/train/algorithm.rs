//! The algorithms of `train`, and what each may be asked.

use ltv_engine::amount::Family;
use ltv_engine::hazard::Penalty;
use ltv_engine::hazard::discrete::Shape;
use ltv_engine::hazard::link::Link;
use ltv_engine::hazard::parametric_choice::NAMES;
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
    },
    /// An amount given features.
    Amount {
        function: &'static str,
        /// As named arguments after the design.
        arguments: String,
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
                let options = options.are_among(&["link", "baseline", "degree", "period", "penalty"])?;
                let link = options.text("link")?.unwrap_or("logit").to_owned();
                link.parse::<Link>()?;
                let baseline = options.text("baseline")?.unwrap_or("period").to_owned();
                let degree = options.integer("degree")?.unwrap_or(3);
                Shape::named(&baseline, degree)?;
                let period = options.number("period")?.unwrap_or(1.0);
                let penalty = options.number("penalty")?.unwrap_or(0.0);
                Ok(Algorithm::DiscreteTime { link, baseline, degree, period, penalty })
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
                let options = options.are_among(&["link", "period", "penalty"])?;
                let link = options.text("link")?.unwrap_or("logit").to_owned();
                link.parse::<Link>()?;
                let period = options.number("period")?.unwrap_or(12.0);
                Ok(Algorithm::Renewal { link, period, penalty: options.number("penalty")?.unwrap_or(0.0) })
            }
            "linear" | "gamma" => {
                let options = options.are_among(&["penalty"])?;
                let function = if name == "linear" { "fit_linear" } else { "fit_gamma" };
                Ok(Algorithm::Amount { function, arguments: penalty_of(&options)? })
            }
            "tweedie" => {
                let options = options.are_among(&["power", "penalty"])?;
                let power = options.number("power")?.map(|power| format!(", power => {}", number(power)));
                let arguments = power.unwrap_or_default() + &penalty_of(&options)?;
                Ok(Algorithm::Amount { function: "fit_tweedie", arguments })
            }
            "two_part" => {
                let options = options.are_among(&["amounts", "penalty"])?;
                let amounts = options.text("amounts")?.unwrap_or("gamma");
                let arguments = format!(", amounts => {}", quote_literal(amounts)) + &penalty_of(&options)?;
                Ok(Algorithm::Amount { function: "fit_two_part", arguments })
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
                    Value::String(text) => serde_json::from_str::<Value>(text).ok().filter(Value::is_object),
                    _ => value.is_object().then(|| value.clone()),
                };
                if let Some(terms) = options.read("terms", "an object", object)? {
                    arguments.push(format!("terms => {}::ltv.terms", quote_literal(terms.to_string())));
                }
                Ok(Algorithm::Hybrid { arguments: arguments.join(", ") })
            }
            "sbg" | "bdw" => {
                let options = options.are_among(&["period"])?;
                let period = options.number("period")?.unwrap_or(1.0);
                let function = if name == "sbg" { "fit_sbg" } else { "fit_bdw" };
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
        let mut allowed = if distribution == "exponential" { vec![] } else { vec!["ancillary"] };
        if distribution.starts_with("spline") {
            allowed.extend(["knots", "knot_times"]);
        }
        if distribution == "piecewise-exponential" {
            allowed.push("breaks");
        }
        let options = options.are_among(&allowed)?;
        Ok(Algorithm::Parametric {
            ancillary: options.texts("ancillary")?.unwrap_or_default(),
            knots: options.integer("knots")?,
            knot_times: options.numbers("knot_times")?,
            breaks: options.numbers("breaks")?,
            distribution,
        })
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

/// The penalty as a named argument, where there is one.
fn penalty_of(options: &Known) -> Result<String> {
    let penalty = options.number("penalty")?.map(|penalty| format!(", penalty => {}", number(penalty)));
    Ok(penalty.unwrap_or_default())
}
