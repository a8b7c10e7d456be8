//! The algorithms whose rows are customers who buy without a contract: what they read, and what they may be asked.

use ltv_engine::{Error, Result};
use serde_json::{Map, Value as Json, json};

use crate::pg::call::Call;
use crate::train::options::Options;
use crate::train::request::place;

/// What such an algorithm reads of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Customers {
    /// What fits it.
    pub function: &'static str,
    /// Role and name of each column, in the order of the function's arguments.
    pub columns: Vec<(&'static str, String)>,
}

impl Customers {
    /// The algorithm called `name`, its columns by their usual names or those in the options.
    pub fn of(name: &str, options: &Options) -> Result<Customers> {
        let (function, roles): (_, &[&'static str]) = match name {
            "bg_nbd" => ("fit_bg_nbd", &["frequency", "recency", "age"]),
            "mbg_nbd" => ("fit_mbg_nbd", &["frequency", "recency", "age"]),
            "pareto_nbd" => ("fit_pareto_nbd", &["frequency", "recency", "age"]),
            _ => ("fit_gamma_gamma", &["frequency", "mean_value"]),
        };
        let options = options.are_among(roles)?;
        let mut columns: Vec<(&'static str, String)> = Vec::with_capacity(roles.len());
        for role in roles {
            let column = options.text(role)?.unwrap_or(role).to_owned();
            if let Some((other, _)) = columns.iter().find(|(_, taken)| *taken == column) {
                return Err(Error::invalid(
                    format!("\"{column}\" cannot be both {other} and {role}"),
                    "Each is a column of its own: ltv.purchase_summary makes them.",
                ));
            }
            columns.push((*role, column));
        }
        Ok(Customers { function, columns })
    }

    /// Whether it tells what a purchase is worth, not how many there are.
    pub fn is_of_spend(&self) -> bool {
        self.function == "fit_gamma_gamma"
    }

    fn is_read(&self, column: &str) -> bool {
        self.columns.iter().any(|(_, name)| name == column)
    }

    /// The part that a column plays.
    pub fn role(&self, column: &str) -> Option<&'static str> {
        self.columns.iter().find(|(_, name)| name == column).map(|(role, _)| *role)
    }

    /// What the registry keeps of the columns.
    pub fn spec(&self) -> Json {
        Json::Object(self.columns.iter().map(|(role, name)| ((*role).to_owned(), json!(name))).collect::<Map<_, _>>())
    }

    /// Refuses a target that cannot be held against the model.
    fn accept(&self, algorithm: &str, target: Option<&str>, horizon: Option<f64>) -> Result<()> {
        if let Some(column) = target.filter(|column| self.is_read(column)) {
            return Err(Error::invalid(
                format!("\"{column}\" cannot be the target: the model reads it"),
                match self.is_of_spend() {
                    true => "The target is the mean value of the purchases that came after those of mean_value.",
                    false => "The target is the number of purchases within the horizon after the age.",
                },
            ));
        }
        match (target, horizon) {
            (Some(column), None) if !self.is_of_spend() => Err(Error::invalid(
                format!("{algorithm} needs a horizon to be held against \"{column}\""),
                "The target is the number of purchases within the horizon after the age, in its unit: target => 'later', horizon => 39.",
            )),
            (_, Some(_)) if self.is_of_spend() => Err(Error::invalid(
                format!("{algorithm} takes no horizon"),
                "What a purchase is worth does not depend on when it is made.",
            )),
            _ => Ok(()),
        }
    }

    /// Refuses arguments that mean nothing for customers, whose rows hold all that is known of them.
    pub fn refuse(&self, algorithm: &str, call: &Call) -> Result<()> {
        let roles: Vec<&str> = self.columns.iter().map(|(role, _)| *role).collect();
        let reads = format!(
            "Its rows are customers with the columns {} (ltv.purchase_summary makes them); other names go into the options: {{\"frequency\": \"x\"}}.",
            roles.join(", ")
        );
        let no_features = "What customers do is all that it reads; for what features say of them train an amount, or a model for each group: segment_by => ARRAY[...].";
        let texts = |at: usize| call.texts(at).is_some_and(|names| !names.is_empty());
        let refused = [
            (call.text(place::DURATION).is_some(), "duration", &*reads),
            (call.text(place::EVENT).is_some(), "event", &*reads),
            (call.text(place::ENTRY).is_some(), "entry", "A customer is watched from the first purchase on."),
            (texts(place::FEATURES), "features", no_features),
            (call.text(place::STRATA).is_some(), "strata", no_features),
            (
                call.text(place::CLUSTER).is_some(),
                "cluster",
                "A row is a customer: what belongs to one belongs into one row.",
            ),
            (
                call.text(place::ERA).is_some(),
                "era",
                "Let the past count less with half_life, or leave it out in a view.",
            ),
            (!call.is_null(place::EXPECTED_SIGNS), "expected_signs", "It has no coefficients of features."),
        ];
        if let Some((_, what, hint)) = refused.into_iter().find(|(given, ..)| *given) {
            return Err(Error::invalid(format!("{algorithm} takes no {what}"), hint));
        }
        let segment_by = call.texts(place::SEGMENT_BY).unwrap_or_default();
        let target = call.text(place::TARGET);
        if let Some(column) = segment_by.iter().find(|column| self.is_read(column) || target == Some(column)) {
            return Err(Error::invalid(
                format!("\"{column}\" cannot be a segment: it is what customers do"),
                "Segments are told by what is known of customers before they buy: where they live, or by which channel they came.",
            ));
        }
        if let Some(policy) =
            call.text(place::NULL_POLICY).filter(|policy| ["impute", "indicator", "learn"].contains(policy))
        {
            return Err(Error::invalid(
                format!("{algorithm} takes no null_policy '{policy}'"),
                "Nothing stands for what a customer did: 'error' tells of the NULLs, 'drop' leaves the rows out.",
            ));
        }
        let is_dated = [place::STARTED_ON, place::KNOWN_ON].iter().any(|at| call.text(*at).is_some());
        if !call.is_null(place::AS_OF) && !is_dated {
            return Err(Error::invalid(
                "as_of cannot be honoured: nothing says when a customer began, or when a row was known",
                "Make the histories as of that day (ltv.purchase_summary takes as_of), and name the date of the first purchase, started_on => 'first_purchase': ages that end later are then refused. Or name known_on.",
            ));
        }
        self.accept(algorithm, call.text(place::TARGET), call.float(place::HORIZON))
    }
}
