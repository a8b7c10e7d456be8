//! One model per segment under one name, and one of all rows for the segments that cannot stand alone.

use std::cell::Cell;

use serde::{Deserialize, Deserializer, Serialize};

use crate::model::coefficients::Coefficient;
use crate::model::features::{Feature, Kind, Value};
use crate::model::{Fit, Model};
use crate::{Error, Result};

/// What stands between the levels of a segment in its name.
const BETWEEN: &str = " / ";

/// The models of the segments of some rows. The features of a model made of it are the columns that tell the segment,
/// then those that all its models have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segmented {
    /// Of all rows: for segments without a model of their own and for rows of none that training saw.
    #[serde(deserialize_with = "plain")]
    pub pooled: Model,
    /// In byte order of their levels.
    #[serde(deserialize_with = "plain")]
    pub segments: Vec<Segment>,
    /// What the segments have in common where they were pooled in part: the mean of each coefficient among segments and
    /// its variance between them; `None` where too few segments know it. Empty otherwise.
    pub common: Vec<Option<Common>>,
}

/// Of one coefficient among the segments.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Common {
    pub mean: f64,
    /// Of the mean.
    pub variance: f64,
    /// Between segments: DerSimonian & Laird's τ².
    pub between: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    pub levels: Vec<String>,
    pub rows: u64,
    /// Weighted, where the rows are.
    pub events: f64,
    pub standing: Standing,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// A fit of its own.
    Own(Model),
    /// A fit of its own, drawn to what the segments have in common.
    Shrunken {
        model: Model,
        /// The coefficients before, in the order of the model's.
        own: Vec<Option<f64>>,
        /// How much of each is its own: 1 keeps it, 0 gives the common one.
        weights: Vec<f64>,
    },
    /// The model of all rows, and why.
    Pooled(String),
}

impl Segment {
    pub fn model(&self) -> Option<&Model> {
        match &self.standing {
            Standing::Own(model) | Standing::Shrunken { model, .. } => Some(model),
            Standing::Pooled(_) => None,
        }
    }

    /// The mean weight of its own coefficients: 1 where nothing was shrunken, 0 for the model of all rows.
    pub fn weight(&self) -> f64 {
        match &self.standing {
            Standing::Own(_) => 1.0,
            Standing::Shrunken { weights, .. } => weights.iter().sum::<f64>() / weights.len().max(1) as f64,
            Standing::Pooled(_) => 0.0,
        }
    }

    /// Its levels in one word.
    pub fn name(&self) -> String {
        self.levels.join(BETWEEN)
    }

    /// Whether that is its name.
    fn is_called(&self, name: &str) -> bool {
        let mut rest = Some(name);
        for (at, level) in self.levels.iter().enumerate() {
            rest = rest.and_then(|rest| if at > 0 { rest.strip_prefix(BETWEEN) } else { Some(rest) });
            rest = rest.and_then(|rest| rest.strip_prefix(level.as_str()));
        }
        rest == Some("")
    }
}

impl Segmented {
    /// How many features tell the segment.
    fn width(&self, values: usize) -> usize {
        values.saturating_sub(self.pooled.features.len())
    }

    /// The segment of these levels, if training saw it.
    pub fn find(&self, levels: &[&str]) -> Option<&Segment> {
        let order = |segment: &Segment| segment.levels.iter().map(String::as_str).cmp(levels.iter().copied());
        self.segments.binary_search_by(order).ok().map(|at| &self.segments[at])
    }

    /// The segment of this name, if training saw it; of several the first.
    pub fn called(&self, name: &str) -> Option<&Segment> {
        match self.segments.first() {
            Some(first) if first.levels.len() > 1 => self.segments.iter().find(|segment| segment.is_called(name)),
            _ => self.find(&[name]),
        }
    }

    /// The segment of a row; `None` for one that training never saw, a NULL among them.
    pub fn segment_of(&self, values: &[Value]) -> Option<&Segment> {
        let levels = values[..self.width(values.len())].iter().map(|value| match value {
            Value::Text(text) => Some(*text),
            Value::Null | Value::Number(_) => None,
        });
        self.find(&levels.collect::<Option<Vec<&str>>>()?)
    }

    /// The model of a row, and the values that it reads.
    pub fn of_row<'a, 'v, 't>(&'a self, values: &'v [Value<'t>]) -> (&'a Model, &'v [Value<'t>]) {
        let own = self.segment_of(values).and_then(Segment::model);
        (own.unwrap_or(&self.pooled), &values[self.width(values.len())..])
    }

    /// The coefficients of the model of all rows, then those of each segment under `segment: term`.
    pub(super) fn coefficients(&self, level: f64) -> Result<Option<Vec<Coefficient>>> {
        let Some(mut rows) = self.pooled.coefficients(level)? else { return Ok(None) };
        for segment in &self.segments {
            let own = segment.model().map(|model| model.coefficients(level)).transpose()?.flatten();
            rows.extend(
                own.into_iter()
                    .flatten()
                    .map(|row| Coefficient { term: format!("{}: {}", segment.name(), row.term), ..row }),
            );
        }
        Ok(Some(rows))
    }

    /// # Errors
    /// [`Error::Malformed`] unless all models are whole, plain and of the same columns of a row.
    pub(super) fn validate(&self, features: &[Feature]) -> Result<()> {
        let malformed = || Error::malformed("the segments of a model do not fit each other");
        let width = self.width(features.len());
        let (by, shared) = features.split_at_checked(width).ok_or_else(malformed)?;
        let told = by.iter().all(|feature| feature.kind == Kind::Segment) && width > 0;
        let shared_is_plain = shared.iter().all(|feature| feature.kind != Kind::Segment);
        let ordered = self.segments.windows(2).all(|pair| pair[0].levels < pair[1].levels);
        if !(told && shared_is_plain && ordered && shared == self.pooled.features) {
            return Err(malformed());
        }
        let models = self.segments.iter().filter_map(Segment::model).chain([&self.pooled]);
        for model in models {
            // Neither is made of models that may be such again: a forged chain of them would have no end.
            if matches!(model.fit, Fit::Segmented(_) | Fit::Hybrid(_)) || model.features != self.pooled.features {
                return Err(malformed());
            }
            model.validate()?;
        }
        let finite = |common: &Common| {
            common.mean.is_finite()
                && common.variance.is_finite()
                && common.between.is_finite()
                && common.between >= 0.0
        };
        let sound = self.segments.iter().all(|segment| {
            let shaped = match &segment.standing {
                Standing::Shrunken { own, weights, .. } => {
                    own.len() == weights.len()
                        && own.len() == self.common.len()
                        && own.iter().flatten().chain(weights).all(|number| number.is_finite())
                }
                Standing::Own(_) => true,
                Standing::Pooled(why) => !why.contains('\0'),
            };
            shaped
                && segment.levels.len() == width
                && segment.events.is_finite()
                && segment.events >= 0.0
                && segment.levels.iter().all(|level| !level.contains('\0'))
        });
        if sound && self.common.iter().flatten().all(finite) { Ok(()) } else { Err(malformed()) }
    }
}

impl Model {
    /// The model of all rows: of a model without segments, the model itself.
    pub fn of_all(&self) -> &Model {
        match &self.fit {
            Fit::Segmented(segmented) => &segmented.pooled,
            _ => self,
        }
    }

    /// The model of a row, and the values that it reads: of a model without segments, the model and all.
    pub fn of_row<'a, 'v, 't>(&'a self, values: &'v [Value<'t>]) -> (&'a Model, &'v [Value<'t>]) {
        match &self.fit {
            Fit::Segmented(segmented) => segmented.of_row(values),
            _ => (self, values),
        }
    }

    /// The model of the segment of that name, or of all rows where it has none of its own; of a model without segments,
    /// the model itself.
    pub fn of_segment(&self, name: Option<&str>) -> &Model {
        let Fit::Segmented(segmented) = &self.fit else { return self };
        name.and_then(|name| segmented.called(name)).and_then(Segment::model).unwrap_or(&segmented.pooled)
    }

    /// Why a segment of that name is answered by the model of all rows; `None` when it is not.
    pub fn segment_pooled_because(&self, name: Option<&str>) -> Option<String> {
        let Fit::Segmented(segmented) = &self.fit else { return None };
        match name.and_then(|name| segmented.called(name)) {
            Some(Segment { standing: Standing::Pooled(why), .. }) => Some(why.clone()),
            Some(_) => None,
            None => {
                let by: Vec<&str> =
                    self.features.iter().take(segmented.width(self.features.len())).map(|f| &*f.name).collect();
                let by = by.join(BETWEEN);
                Some(match name {
                    Some(name) => format!("unseen segment: {by} = {name}"),
                    None => format!("unseen segment: {by} is null"),
                })
            }
        }
    }

    /// Why a row of a segmented model is scored by the model of all rows; `None` when it is not.
    pub fn pooled_because(&self, values: &[Value]) -> Option<String> {
        let Fit::Segmented(segmented) = &self.fit else { return None };
        match segmented.segment_of(values) {
            Some(Segment { standing: Standing::Pooled(why), .. }) => Some(why.clone()),
            Some(_) => None,
            None => {
                let told = self.features.iter().zip(values).take(segmented.width(values.len()));
                let told = told.map(|(feature, value)| match value {
                    Value::Text(text) => format!("{} = {text}", feature.name),
                    Value::Null | Value::Number(_) => format!("{} is null", feature.name),
                });
                Some(format!("unseen segment: {}", told.collect::<Vec<_>>().join(", ")))
            }
        }
    }

    /// The name of the row's segment, with a model of its own or not; `None` for one that training never saw and for a
    /// model without segments.
    pub fn segment_name(&self, values: &[Value]) -> Option<String> {
        let Fit::Segmented(segmented) = &self.fit else { return None };
        segmented.segment_of(values).map(Segment::name)
    }

    /// Where the row's segment stands among the model's, from 1 on; 0 for the model of all rows.
    pub fn segment_place(&self, values: &[Value]) -> u32 {
        let Fit::Segmented(segmented) = &self.fit else { return 0 };
        let own = segmented.segment_of(values).filter(|segment| segment.model().is_some());
        let place = own.and_then(|own| segmented.segments.iter().position(|other| std::ptr::eq(own, other)));
        place.map_or(0, |place| place as u32 + 1)
    }
}

thread_local! {
    static WITHIN: Cell<bool> = const { Cell::new(false) };
}

/// Reads what must not hold segments again: a forged value that nests them would otherwise use up the stack.
fn plain<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> std::result::Result<T, D::Error> {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            WITHIN.set(false);
        }
    }
    if WITHIN.replace(true) {
        return Err(serde::de::Error::custom("segments within segments"));
    }
    let _leave = Leave;
    T::deserialize(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_of_its_levels_whole() {
        let segment = |levels: &[&str]| Segment {
            levels: levels.iter().map(|level| (*level).to_owned()).collect(),
            rows: 1,
            events: 1.0,
            standing: Standing::Pooled("few".into()),
        };
        for (levels, others) in [
            (&["a", "b"][..], &["a", "a / ", "a / bc", "b / a", "", " / "][..]),
            (&["a / b", "c"], &["a / b", "a / b / cd"]),
            (&["", "x"], &["x", " /x"]),
            (&["é"], &["e", "éé"]),
        ] {
            let segment = segment(levels);
            assert!(segment.is_called(&segment.name()), "{levels:?}");
            assert!(!others.iter().any(|other| segment.is_called(other)), "{levels:?}");
        }
    }

    #[test]
    fn segments_within_segments_are_refused_before_the_stack_is_used_up() {
        let mut text = String::new();
        for _ in 0..60 {
            text.push_str(r#"{"features":[],"fit":{"segmented":{"pooled":"#);
        }
        let refused = serde_json::from_str::<Model>(&text).unwrap_err().to_string();
        assert!(refused.contains("segments within segments"), "{refused}");
        // The next value is read as if nothing had been.
        let again = serde_json::from_str::<Model>(&text).unwrap_err().to_string();
        assert!(again.contains("segments within segments"), "{again}");
    }
}
