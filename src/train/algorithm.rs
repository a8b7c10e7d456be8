//! The algorithms of `train`, what each may be asked, and the SQL that fits it.

use std::fmt::Write;

use ltv_engine::boost;
use ltv_engine::hazard::Penalty;
use ltv_engine::hazard::discrete::Shape;
use ltv_engine::hazard::link::Link;
use ltv_engine::hazard::parametric_choice::NAMES;
use ltv_engine::model::features::{Feature, Kind};
use ltv_engine::{Error, Result};
use pgrx::spi::quote_literal;
use serde_json::{Map, Value};

use crate::fit::ties_of;

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
}

/// How trees are to grow.
#[derive(Debug, Clone, PartialEq)]
pub struct Growth {
    options: Box<boost::Options>,
    /// By feature, which way the prediction may go with it.
    monotone: Vec<(String, i8)>,
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
                if let Some(terms) = options.read("terms", "an object", |value| value.is_object().then_some(value))? {
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
                None => Err(Error::invalid(
                    format!("unknown algorithm \"{name}\""),
                    format!(
                        "One of: cox, kaplan_meier, discrete_time, boosted_hazard, renewal, sbg, bdw, best, rule; of amounts linear, gamma, tweedie, two_part, boosted_value; hybrid; or {}.",
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

    pub fn is_cox(&self) -> bool {
        matches!(self, Algorithm::Cox { .. })
    }

    /// Whether it explains a duration and an event; otherwise the amount in the target.
    pub fn tells_of_time(&self) -> bool {
        !(self.needs_target() || matches!(self, Algorithm::Hybrid { .. }))
    }

    /// Whether a row has a duration: not an amount, and not a decision.
    pub fn takes_durations(&self) -> bool {
        self.tells_of_time() && !matches!(self, Algorithm::Renewal { .. })
    }

    /// Whether it is a fit of amounts, which must be told in which column these are.
    pub fn needs_target(&self) -> bool {
        matches!(self, Algorithm::Amount { .. } | Algorithm::BoostedValue { .. })
    }

    /// The SQL expression of a model that learns nothing from rows.
    pub fn without_rows(&self) -> Option<String> {
        match self {
            Algorithm::Rule { json } => Some(format!("ltv.rule({}::jsonb)", quote_literal(json))),
            Algorithm::Hybrid { arguments } => Some(format!("ltv.fit_hybrid({arguments})")),
            _ => None,
        }
    }

    /// Whether it knows of features at all.
    pub fn takes_features(&self) -> bool {
        !matches!(self, Algorithm::Contractual { .. })
    }

    /// The SQL expression of the model of a curve of all rows; `None` for one that reads the rows themselves.
    pub fn call_on_curve(&self, curve: &str) -> Option<String> {
        match self {
            Algorithm::Contractual { function, period } => {
                Some(format!("ltv.{function}({curve}, period => {})", number(*period)))
            }
            _ => None,
        }
    }

    /// Whether a model without any feature says nothing.
    pub fn needs_features(&self) -> bool {
        self.is_cox() || matches!(self, Algorithm::BoostedHazard(_) | Algorithm::BoostedValue { .. })
    }

    /// The same, what it leaves to chance by this seed.
    pub fn seeded(mut self, seed: i64) -> Algorithm {
        if let Algorithm::BoostedHazard(growth) | Algorithm::BoostedValue { growth, .. } = &mut self {
            growth.options.seed = seed;
        }
        self
    }

    /// The SQL expression of the model of a design; `None` where it takes more than one function: cohorts, candidates.
    pub fn call(&self, design: &str, features: &[Feature]) -> Result<Option<String>> {
        Ok(match self {
            Algorithm::KaplanMeier
            | Algorithm::Best { .. }
            | Algorithm::Contractual { .. }
            | Algorithm::Hybrid { .. } => None,
            Algorithm::Rule { .. } => self.without_rows(),
            Algorithm::Amount { function, arguments } => Some(format!("ltv.{function}({design}{arguments})")),
            Algorithm::Renewal { link, period, penalty } => Some(format!(
                "ltv.fit_renewal({design}, link => {}, period => {}, penalty => {})",
                quote_literal(link),
                number(*period),
                number(*penalty),
            )),
            Algorithm::Cox { ties, penalty, robust, .. } => Some(format!(
                "ltv.fit_cox({design}, ties => {}, penalty => {}, l1_ratio => {}, robust => {})",
                quote_literal(ties),
                number(penalty.strength),
                number(penalty.l1_ratio),
                robust.map_or_else(|| "NULL".to_owned(), |robust| robust.to_string()),
            )),
            Algorithm::Parametric { distribution, ancillary, knots, knot_times, breaks } => {
                let mut call = format!("ltv.fit_parametric({design}, {}", quote_literal(distribution));
                if !ancillary.is_empty() {
                    let columns = columns_of(ancillary, features)?;
                    let _ = write!(call, ", ancillary => {}", texts(&columns));
                }
                if let Some(knots) = knots {
                    let _ = write!(call, ", knots => {knots}");
                }
                if let Some(times) = knot_times {
                    let _ = write!(call, ", knot_times => {}", numbers(times));
                }
                if let Some(breaks) = breaks {
                    let _ = write!(call, ", breaks => {}", numbers(breaks));
                }
                Some(call + ")")
            }
            Algorithm::BoostedHazard(growth) => {
                Some(format!("ltv.fit_boosted_hazard({design}, {})", growth_arguments(growth, features)?))
            }
            Algorithm::BoostedValue { loss, power, growth } => Some(format!(
                "ltv.fit_boosted_value({design}, loss => {}, power => {}, {})",
                quote_literal(loss),
                number(*power),
                growth_arguments(growth, features)?,
            )),
            Algorithm::DiscreteTime { link, baseline, degree, period, penalty } => Some(format!(
                "ltv.fit_discrete_time({design}, link => {}, baseline => {}, degree => {degree}, period => {}, penalty => {})",
                quote_literal(link),
                quote_literal(baseline),
                number(*period),
                number(*penalty),
            )),
        })
    }
}

/// The options of trees.
const GROWTH: [&str; 10] = [
    "trees",
    "depth",
    "learning_rate",
    "min_child_weight",
    "l2",
    "gamma",
    "subsample",
    "monotone",
    "early_stopping",
    "validation",
];

fn growth(options: &Known) -> Result<Growth> {
    let defaults = boost::Options::default();
    let count = |key: &str, default: usize| -> Result<usize> {
        let given = options.integer(key)?.map(|given| (given, usize::try_from(given)));
        match given {
            None => Ok(default),
            Some((_, Ok(given))) => Ok(given),
            Some((given, Err(_))) => Err(Error::invalid(format!("{key} cannot be {given}"), options.allowed.clone())),
        }
    };
    let number = |key: &str, default: f64| Ok::<f64, Error>(options.number(key)?.unwrap_or(default));
    let found = boost::Options {
        trees: count("trees", defaults.trees)?,
        depth: count("depth", defaults.depth)?,
        learning_rate: number("learning_rate", defaults.learning_rate)?,
        min_child_weight: number("min_child_weight", defaults.min_child_weight)?,
        l2: number("l2", defaults.l2)?,
        gamma: number("gamma", defaults.gamma)?,
        subsample: number("subsample", defaults.subsample)?,
        monotone: Vec::new(),
        early_stopping: count("early_stopping", defaults.early_stopping)?,
        validation: number("validation", defaults.validation)?,
        seed: defaults.seed,
    };
    found.check(0)?;
    let directions = |value: &Value| {
        let direction = |(name, value): (&String, &Value)| {
            let direction = value.as_i64().and_then(|direction| i8::try_from(direction).ok())?;
            (-1..=1).contains(&direction).then(|| (name.clone(), direction))
        };
        value.as_object()?.iter().map(direction).collect::<Option<Vec<_>>>()
    };
    let monotone = options.read("monotone", r#"an object such as {"price": 1}, of 1, 0 and -1"#, directions)?;
    Ok(Growth { options: Box::new(found), monotone: monotone.unwrap_or_default() })
}

/// As named arguments.
fn growth_arguments(Growth { options, monotone }: &Growth, features: &[Feature]) -> Result<String> {
    let mut directions = Map::new();
    for (name, direction) in monotone {
        let known = || features.iter().map(|feature| feature.name.as_str()).collect::<Vec<_>>().join(", ");
        let Some(feature) = features.iter().find(|feature| feature.name == *name) else {
            return Err(Error::invalid(
                format!("monotone names \"{name}\", which is none of the features"),
                format!("They are: {}.", known()),
            ));
        };
        if !matches!(feature.kind, Kind::Numeric | Kind::Boolean) {
            return Err(Error::invalid(
                format!("\"{name}\" is a category: nothing rises or falls with it"),
                "A direction needs a number or a boolean.",
            ));
        }
        for column in columns_of(std::slice::from_ref(name), features)? {
            directions.insert(column, Value::from(*direction));
        }
    }
    let boost::Options { trees, depth, early_stopping, seed, .. } = &**options;
    Ok(format!(
        "trees => {trees}, depth => {depth}, learning_rate => {}, min_child_weight => {}, l2 => {}, gamma => {}, subsample => {}, monotone => {}::jsonb, early_stopping => {early_stopping}, validation => {}, seed => '{seed}'::bigint",
        number(options.learning_rate),
        number(options.min_child_weight),
        number(options.l2),
        number(options.gamma),
        number(options.subsample),
        quote_literal(Value::Object(directions).to_string()),
        number(options.validation),
    ))
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

/// What the fit calls the columns of these features: x1, x2, … (the features' own names come with the registered model).
fn columns_of(names: &[String], features: &[Feature]) -> Result<Vec<String>> {
    let mut columns = Vec::new();
    for name in names {
        let Some(at) = features.iter().position(|feature| feature.name == *name) else {
            let known: Vec<&str> = features.iter().map(|feature| feature.name.as_str()).collect();
            return Err(Error::invalid(
                format!("the ancillary feature \"{name}\" is none of the features"),
                match known.is_empty() {
                    true => "Name it among the features as well.".to_owned(),
                    false => format!("Name it among the features as well; they are: {}.", known.join(", ")),
                },
            ));
        };
        let before: usize = features[..at].iter().map(Feature::columns).sum();
        columns.extend((before + 1..=before + features[at].columns()).map(|column| format!("x{column}")));
    }
    Ok(columns)
}

/// The penalty as a named argument, where there is one.
fn penalty_of(options: &Known) -> Result<String> {
    let penalty = options.number("penalty")?.map(|penalty| format!(", penalty => {}", number(penalty)));
    Ok(penalty.unwrap_or_default())
}

pub fn number(value: f64) -> String {
    format!("'{value:?}'::float8")
}

fn numbers(values: &[f64]) -> String {
    format!("ARRAY[{}]::float8[]", values.iter().map(|value| number(*value)).collect::<Vec<_>>().join(", "))
}

pub fn texts(values: &[String]) -> String {
    format!("ARRAY[{}]::text[]", values.iter().map(quote_literal).collect::<Vec<_>>().join(", "))
}

/// The options given for an algorithm.
struct Options<'a> {
    algorithm: &'a str,
    given: &'a Map<String, Value>,
}

/// Options of which every key is known.
struct Known<'a> {
    options: &'a Options<'a>,
    allowed: String,
}

impl<'a> Options<'a> {
    fn are_among(&'a self, allowed: &[&str]) -> Result<Known<'a>> {
        let hint = match allowed {
            [] => format!("{} takes no options.", self.algorithm),
            _ => format!("{} takes: {}.", self.algorithm, allowed.join(", ")),
        };
        match self.given.keys().find(|key| !allowed.contains(&key.as_str())) {
            Some(unknown) => Err(Error::invalid(format!("{} has no option \"{unknown}\"", self.algorithm), hint)),
            None => Ok(Known { options: self, allowed: hint }),
        }
    }
}

impl<'a> Known<'a> {
    /// The option as `read` has it; an error when it is there and cannot be read.
    fn read<T>(&self, key: &str, what: &str, read: impl FnOnce(&'a Value) -> Option<T>) -> Result<Option<T>> {
        let Some(value) = self.options.given.get(key) else { return Ok(None) };
        match read(value) {
            Some(value) => Ok(Some(value)),
            None => Err(Error::invalid(
                format!("the option \"{key}\" of {} must be {what}, got {value}", self.options.algorithm),
                self.allowed.clone(),
            )),
        }
    }

    fn text(&self, key: &str) -> Result<Option<&'a str>> {
        self.read(key, "a text", Value::as_str)
    }

    fn number(&self, key: &str) -> Result<Option<f64>> {
        self.read(key, "a number", Value::as_f64)
    }

    fn integer(&self, key: &str) -> Result<Option<i32>> {
        self.read(key, "a whole number", |value| value.as_i64().and_then(|value| i32::try_from(value).ok()))
    }

    fn boolean(&self, key: &str) -> Result<Option<bool>> {
        self.read(key, "true or false", Value::as_bool)
    }

    fn texts(&self, key: &str) -> Result<Option<Vec<String>>> {
        let all = |value: &Value| {
            value.as_array()?.iter().map(|value| value.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        };
        self.read(key, "a list of texts", all)
    }

    fn numbers(&self, key: &str) -> Result<Option<Vec<f64>>> {
        let all = |value: &Value| value.as_array()?.iter().map(Value::as_f64).collect::<Option<Vec<_>>>();
        self.read(key, "a list of numbers", all)
    }
}
