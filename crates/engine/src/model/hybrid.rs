//! The hybrid model: renewal × expansion × margin − cost, each by a model of its own.
//!
//! The components are kept whole, as their stored bytes, under the names and versions by which they were given: the model
//! says the same for ever, wherever it is restored, and cannot nest.

use std::sync::OnceLock;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::amount::Appraisal;
use crate::model::features::{Feature, Kind, Unscorable, Value};
use crate::model::levels::texts;
use crate::model::subject::Subject;
use crate::model::{Fit, Model};
use crate::value::ContractTerms;
use crate::{Error, Result};

/// What a component says of a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Its curve.
    Renewal,
    /// Effective annual growth of the revenue of one who stays.
    Expansion,
    /// Share of the revenue left after the cost of what is sold.
    Margin,
    /// Cost to serve, in the currency of the terms, per their period.
    Cost,
}

impl Role {
    pub fn name(self) -> &'static str {
        match self {
            Role::Renewal => "renewal",
            Role::Expansion => "expansion",
            Role::Margin => "margin",
            Role::Cost => "cost",
        }
    }

    /// Why terms cannot have this amount.
    pub(super) fn refuses(self, amount: f64) -> Option<&'static str> {
        match self {
            Role::Expansion if amount <= -1.0 => Some("must be above -1"),
            Role::Margin if amount > 1.0 => Some("must be at most 1"),
            Role::Cost if amount < 0.0 => Some("must not be negative"),
            _ => None,
        }
    }
}

/// A model with what it is for, and how it was called.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Component {
    pub role: Role,
    /// `name@version` in the registry; `None` for one that was given as a value.
    pub name: Option<String>,
    #[serde(serialize_with = "write_bytes", deserialize_with = "read_bytes")]
    stored: Vec<u8>,
    #[serde(skip)]
    model: OnceLock<Model>,
}

impl PartialEq for Component {
    fn eq(&self, other: &Self) -> bool {
        (self.role, &self.name, &self.stored) == (other.role, &other.name, &other.stored)
    }
}

impl Component {
    /// # Errors
    /// [`Error::Invalid`] for a model that cannot have this role.
    pub fn new(role: Role, name: Option<String>, model: Model) -> Result<Component> {
        check(role, &model)?;
        let component = Component { role, name, stored: model.encode()?, model: OnceLock::new() };
        let _ = component.model.set(model);
        Ok(component)
    }

    /// # Errors
    /// As [`Model::decode`]; [`Error::Malformed`] for a model that cannot have this role, another hybrid among them.
    pub fn model(&self) -> Result<&Model> {
        if let Some(model) = self.model.get() {
            return Ok(model);
        }
        let model = Model::decode_component(&self.stored)?;
        check(self.role, &model).map_err(|error| Error::malformed(error.to_string()))?;
        Ok(self.model.get_or_init(|| model))
    }
}

fn check(role: Role, model: &Model) -> Result<()> {
    let fits = match (role, &model.fit) {
        (_, Fit::Hybrid(_)) => false,
        (Role::Renewal, Fit::FineGray(_)) => false,
        (Role::Renewal, _) => model.check_lifetimes().is_ok(),
        (_, _) => model.check_amounts().is_ok(),
    };
    if fits {
        return Ok(());
    }
    let (wanted, hint) = match role {
        Role::Renewal => ("how long a contract lasts", "A model such as cox, discrete_time, renewal, sbg or rule."),
        _ => ("an amount", "A model of fit_linear, fit_gamma, fit_tweedie or fit_two_part."),
    };
    let (algorithm, role) = (model.algorithm(), role.name());
    Err(Error::invalid(format!("a {algorithm} model cannot be the {role} of a hybrid: it must tell {wanted}"), hint))
}

/// Component models, and perhaps the terms and the column of the revenue with which a row is valued.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HybridFit {
    /// By rising role, the renewal first.
    pub components: Vec<Component>,
    /// Stored [`ContractTerms`].
    #[serde(serialize_with = "write_bytes", deserialize_with = "read_bytes")]
    terms: Vec<u8>,
    /// The column that has a row's price, for that of the terms.
    pub revenue: Option<String>,
}

/// How sure a component is of its amount.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AmountError {
    pub role: Role,
    /// `None` when it is unknown.
    pub std_error: Option<f64>,
    /// With which that was estimated; infinite where it is known.
    pub degrees_of_freedom: f64,
    /// The first role that the same model has: what one model says is off everywhere at once.
    pub source: Role,
}

/// What the components say of a row, in the order of the roles; `None` where there is no such component.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Amounts {
    pub expansion: Option<f64>,
    pub margin: Option<f64>,
    pub cost: Option<f64>,
    pub revenue: Option<f64>,
    /// Of the components of amounts, in the order of the roles.
    pub errors: [Option<AmountError>; 3],
    /// All fits are to be trusted.
    pub is_trustworthy: bool,
}

impl HybridFit {
    /// The model; its features are those of all components, and the column of the revenue.
    ///
    /// # Errors
    /// [`Error::Invalid`] without a renewal model, for two components of one role, and when a column is of two kinds.
    pub fn model(
        mut components: Vec<Component>,
        terms: Option<&ContractTerms>,
        revenue: Option<String>,
    ) -> Result<Model> {
        components.sort_by_key(|component| component.role);
        let terms = terms.map(ContractTerms::encode).unwrap_or_default();
        let fit = HybridFit { components, terms, revenue };
        let features = fit.features()?;
        let model = Model { features, fit: Fit::Hybrid(Box::new(fit)), skipped: 0, recalibration: None };
        model
            .validate()
            .map_err(|error| Error::invalid(error.to_string(), "A renewal model is needed; each role once."))?;
        Ok(model)
    }

    pub fn terms(&self) -> Result<Option<ContractTerms>> {
        if self.terms.is_empty() { Ok(None) } else { ContractTerms::decode(&self.terms).map(Some) }
    }

    /// Every column that some component reads, in the order in which they are met.
    pub(super) fn features(&self) -> Result<Vec<Feature>> {
        let mut all: Vec<Merged> = Vec::new();
        for component in &self.components {
            let model = component.model()?;
            for feature in &model.features {
                merge(&mut all, feature.clone(), texts(model, feature))?;
            }
        }
        if let Some(name) = &self.revenue {
            merge(&mut all, Feature { name: name.clone(), kind: Kind::Numeric }, Vec::new())?;
        }
        Ok(all.into_iter().map(|merged| merged.feature).collect())
    }

    /// # Errors
    /// [`Error::Malformed`] when the parts contradict each other or the model's features.
    pub(super) fn validate(&self, features: &[Feature]) -> Result<()> {
        let roles: Vec<Role> = self.components.iter().map(|component| component.role).collect();
        let in_order = roles.first() == Some(&Role::Renewal) && roles.windows(2).all(|pair| pair[0] < pair[1]);
        let named =
            self.components.iter().filter_map(|component| component.name.as_deref()).chain(self.revenue.as_deref());
        let proper = named.into_iter().all(|name| !name.is_empty() && !name.contains('\0'));
        if !in_order || !proper {
            return Err(Error::malformed("a hybrid model has one renewal model and each other role at most once"));
        }
        self.terms()?;
        let own = self.features().map_err(|error| Error::malformed(error.to_string()))?;
        if own != features {
            return Err(Error::malformed("the features of a hybrid model are not those of its components"));
        }
        Ok(())
    }

    /// The values of one model's features among those of all.
    pub(super) fn values_of<'a>(&self, model: &Model, features: &[Feature], values: &[Value<'a>]) -> Vec<Value<'a>> {
        let place = |feature: &Feature| features.iter().position(|other| other.name == feature.name);
        let own = |feature: &Feature, value: Value<'a>| if feature.kind.is_text() { value } else { number(value) };
        let value = |feature: &Feature| place(feature).map_or(Value::Null, |at| own(feature, values[at]));
        model.features.iter().map(value).collect()
    }

    /// Why a component scores the row as one of all rows, not of its segment, the renewal model's reason first; `None` when
    /// none does.
    pub fn pooled_because(&self, features: &[Feature], values: &[Value]) -> Result<Option<String>> {
        for component in &self.components {
            let model = component.model()?;
            let why = model.pooled_because(&self.values_of(model, features, values));
            if let Some(why) = why {
                return Ok(Some(match component.role {
                    Role::Renewal => why,
                    role => format!("{}: {why}", role.name()),
                }));
            }
        }
        Ok(None)
    }

    /// What the components of amounts say of a row.
    ///
    /// # Errors
    /// The outer one for components that cannot be read; the inner one when one of them has nothing to say of the row, or
    /// says what terms cannot be.
    pub fn amounts(&self, features: &[Feature], values: &[Value]) -> Result<Result<Amounts, Unscorable>> {
        let mut found = Amounts { is_trustworthy: true, ..Amounts::default() };
        let mut columns = Vec::new();
        for component in self.components.iter().filter(|component| component.role != Role::Renewal) {
            let model = component.model()?;
            let own = self.values_of(model, features, values);
            let Appraisal { expectation, is_trustworthy } = match model.appraise(&own, 0.95, &mut columns)? {
                Ok(appraisal) => appraisal,
                Err(why) => return Ok(Err(why)),
            };
            let (role, amount) = (component.role, expectation.value);
            if let Some(why) = role.refuses(amount) {
                let reason = format!("the {} of this row {why}, and is {amount}", role.name());
                return Ok(Err(Unscorable::Undefined { reason }));
            }
            found.is_trustworthy &= is_trustworthy;
            let same = self.components.iter().find(|other| other.stored == component.stored);
            let source = same.map_or(role, |other| other.role);
            let error = AmountError {
                role,
                std_error: expectation.std_error,
                degrees_of_freedom: expectation.degrees_of_freedom,
                source,
            };
            if let Some(free) = found.errors.iter_mut().find(|error| error.is_none()) {
                *free = Some(error);
            }
            match role {
                Role::Expansion => found.expansion = Some(amount),
                Role::Margin => found.margin = Some(amount),
                Role::Cost => found.cost = Some(amount),
                Role::Renewal => {}
            }
        }
        if let Some(name) = &self.revenue {
            let at = features.iter().position(|feature| feature.name == *name);
            match at.map(|at| number(values[at])) {
                Some(Value::Number(revenue)) if (0.0..f64::INFINITY).contains(&revenue) => {
                    found.revenue = Some(revenue);
                }
                Some(Value::Number(revenue)) => {
                    let reason = format!("the revenue must be finite and not negative, and is {revenue}");
                    return Ok(Err(Unscorable::Undefined { reason }));
                }
                _ => return Ok(Err(Unscorable::Missing { feature: name.clone() })),
            }
        }
        Ok(Ok(found))
    }

    /// Looks at the row as the renewal model has it.
    pub fn subject<R>(
        &self,
        features: &[Feature],
        values: &[Value],
        look: impl FnOnce(Result<Subject<'_>, Unscorable>) -> R,
    ) -> Result<R> {
        let renewal = self.components.first().ok_or_else(|| Error::malformed("a hybrid model without renewals"))?;
        let model = renewal.model()?;
        let own = self.values_of(model, features, values);
        let mut columns = Vec::new();
        Ok(look(model.subject(&own, &mut columns)))
    }
}

/// A column as all components so far read it.
struct Merged {
    feature: Feature,
    /// What those that read texts have seen in it.
    texts: Vec<String>,
}

/// A text that is a boolean or a number, as the number that another model reads the same column as: cohorts know of texts
/// only. NaN for any other.
fn number(value: Value) -> Value {
    match value {
        Value::Text("true") => Value::Number(1.0),
        Value::Text("false") => Value::Number(0.0),
        Value::Text(text) => Value::Number(text.parse().unwrap_or(f64::NAN)),
        other => other,
    }
}

fn merge(all: &mut Vec<Merged>, feature: Feature, texts: Vec<String>) -> Result<()> {
    let Some(known) = all.iter_mut().find(|known| known.feature.name == feature.name) else {
        all.push(Merged { feature, texts });
        return Ok(());
    };
    known.texts.extend(texts);
    match (&mut known.feature.kind, feature.kind) {
        (Kind::Category { levels }, Kind::Category { levels: more }) => {
            levels.extend(more);
            levels.sort_unstable();
            levels.dedup();
        }
        (one, other) if *one == other => {}
        // What stands in for a NULL is each component's own affair.
        (one, other) if one.is_text() && other.is_text() => *one = Kind::Stratum,
        (one, other) if !one.is_text() && !other.is_text() && one.is_boolean() == other.is_boolean() => {
            *one = if one.is_boolean() { Kind::Boolean } else { Kind::Numeric };
        }
        // A boolean or whole number that one of them knows by its text.
        (one, other)
            if one.is_text() != other.is_text() && {
                let truths = if one.is_text() { other.is_boolean() } else { one.is_boolean() };
                let of_that_kind = |text: &String| match text.as_str() {
                    "true" | "false" => truths,
                    text => !truths && text.parse().is_ok_and(f64::is_finite),
                };
                !known.texts.is_empty() && known.texts.iter().all(of_that_kind)
            } =>
        {
            *one = Kind::Stratum;
        }
        _ => {
            return Err(Error::invalid(
                format!("\"{}\" is of different kinds in the components", feature.name),
                "A column is a number, a boolean or a text for all models that read it.",
            ));
        }
    }
    Ok(())
}

fn write_bytes<S: Serializer>(bytes: &[u8], to: S) -> std::result::Result<S::Ok, S::Error> {
    if !to.is_human_readable() {
        return bytes.serialize(to);
    }
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    let text: String = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
    to.serialize_str(&text)
}

fn read_bytes<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Vec<u8>, D::Error> {
    if !from.is_human_readable() {
        return Vec::<u8>::deserialize(from);
    }
    let text = String::deserialize(from)?;
    let refused = || serde::de::Error::custom("bytes are pairs of hexadecimal digits");
    if text.len() % 2 != 0 || !text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(refused());
    }
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| refused());
    (0..text.len()).step_by(2).map(byte).collect()
}
