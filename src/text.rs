//! The readable, exact text forms of our types: JSON with shortest round-trip numbers.
//!
//! Text is what pg_dump, postgres_fdw and Citus carry, so `in(out(x)) = x` to the last bit.

use ltv_engine::assess::calibration::Calibration;
use ltv_engine::hazard::design::Design;
use ltv_engine::model::Model;
use ltv_engine::numeric::tally::{Cell, Tally};
use ltv_engine::survival::{FittedCurve, ParametricCurve, Sample, Survival};
use ltv_engine::{Error, Result};
use serde::{Deserialize, Serialize, Serializer};

/// A type with a JSON form.
pub trait Text: Sized {
    fn to_text(&self) -> Result<String>;
    fn from_text(text: &str) -> Result<Self>;
}

const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum SurvivalText {
    Sample {
        version: u32,
        time: Vec<Number>,
        events: Vec<Number>,
        censored: Vec<Number>,
        entry: Vec<Number>,
        entered: Vec<Number>,
        skipped: u64,
    },
    Fitted {
        version: u32,
        curve: FittedCurve,
    },
    Parametric {
        version: u32,
        curve: ParametricCurve,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum CalibrationText {
    Calibration { version: u32, probability: Vec<Number>, positive: Vec<Number>, negative: Vec<Number>, skipped: u64 },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelText {
    version: u32,
    model: Model,
}

/// A number that prints without a fraction when it is whole, else shortest.
#[derive(Deserialize)]
#[serde(transparent)]
struct Number(f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        let Number(value) = *self;
        if value.fract() == 0.0 && value.abs() < 9e15 {
            to.serialize_i64(value as i64)
        } else {
            to.serialize_f64(value)
        }
    }
}

fn column<const K: usize>(cells: &[Cell<K>], pick: impl Fn(&Cell<K>) -> f64) -> Vec<Number> {
    cells.iter().map(|cell| Number(pick(cell))).collect()
}

/// The cells of parallel arrays, the keys first.
fn tally<const K: usize>(keys: &[Number], counts: [&[Number]; K]) -> Result<Tally<K>> {
    if counts.iter().any(|column| column.len() != keys.len()) {
        return Err(Error::malformed("the arrays of a summary differ in length"));
    }
    let cell = |(at, key): (usize, &Number)| Cell { key: key.0, counts: counts.map(|column| column[at].0) };
    Tally::from_sorted(keys.iter().enumerate().map(cell).collect())
}

fn print(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|e| Error::malformed(e.to_string()))
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str, type_name: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|e| Error::malformed(format!("invalid input syntax for type {type_name}: {e}")))
}

fn known(version: u32, type_name: &str) -> Result<()> {
    if version == VERSION {
        return Ok(());
    }
    Err(Error::malformed(format!("format version {version} of {type_name} is not known to this release")))
}

impl Text for Survival {
    fn to_text(&self) -> Result<String> {
        print(&match self {
            Survival::Sample(sample) => {
                let (exits, entries) = (sample.exits().sorted(), sample.entries().sorted());
                SurvivalText::Sample {
                    version: VERSION,
                    time: column(&exits, |cell| cell.key),
                    events: column(&exits, |cell| cell.counts[0]),
                    censored: column(&exits, |cell| cell.counts[1]),
                    entry: column(&entries, |cell| cell.key),
                    entered: column(&entries, |cell| cell.counts[0]),
                    skipped: sample.skipped(),
                }
            }
            Survival::Fitted(curve) => SurvivalText::Fitted { version: VERSION, curve: curve.clone() },
            Survival::Parametric(curve) => SurvivalText::Parametric { version: VERSION, curve: curve.clone() },
        })
    }

    fn from_text(text: &str) -> Result<Self> {
        match parse(text, "ltv.survival")? {
            SurvivalText::Sample { version, time, events, censored, entry, entered, skipped } => {
                known(version, "ltv.survival")?;
                let exits = tally(&time, [&events, &censored])?;
                Ok(Survival::Sample(Sample::from_parts(exits, tally(&entry, [&entered])?, skipped)?))
            }
            SurvivalText::Fitted { version, curve } => {
                known(version, "ltv.survival")?;
                curve.validate()?;
                Ok(Survival::Fitted(curve))
            }
            SurvivalText::Parametric { version, curve } => {
                known(version, "ltv.survival")?;
                curve.validate()?;
                Ok(Survival::Parametric(curve))
            }
        }
    }
}

impl Text for Calibration {
    fn to_text(&self) -> Result<String> {
        let cells = self.counts().sorted();
        print(&CalibrationText::Calibration {
            version: VERSION,
            probability: column(&cells, |cell| cell.key),
            positive: column(&cells, |cell| cell.counts[0]),
            negative: column(&cells, |cell| cell.counts[1]),
            skipped: self.skipped(),
        })
    }

    fn from_text(text: &str) -> Result<Self> {
        let CalibrationText::Calibration { version, probability, positive, negative, skipped } =
            parse(text, "ltv.calibration")?;
        known(version, "ltv.calibration")?;
        Calibration::from_parts(tally(&probability, [&positive, &negative])?, skipped)
    }
}

impl Text for Model {
    fn to_text(&self) -> Result<String> {
        print(&ModelText { version: VERSION, model: self.clone() })
    }

    fn from_text(text: &str) -> Result<Self> {
        let parts: ModelText = parse(text, "ltv.model")?;
        known(parts.version, "ltv.model")?;
        parts.model.validate()?;
        Ok(parts.model)
    }
}

/// The rows of a fit cross servers only; their text is the hexadecimal form of the bytes, as bytea prints.
impl Text for Design {
    fn to_text(&self) -> Result<String> {
        use std::fmt::Write;
        let mut text = String::from("\\x");
        for byte in self.encode() {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Ok(text)
    }

    fn from_text(text: &str) -> Result<Self> {
        let refused = || Error::malformed("invalid input syntax for type ltv.design");
        let digits =
            text.strip_prefix("\\x").filter(|digits| digits.len() % 2 == 0 && digits.is_ascii()).ok_or_else(refused)?;
        let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).map_err(|_| refused());
        Design::decode(&(0..digits.len()).step_by(2).map(byte).collect::<Result<Vec<u8>>>()?)
    }
}
