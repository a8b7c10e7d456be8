//! The readable, exact text forms of our types: JSON with shortest round-trip numbers.
//!
//! Text is what pg_dump, postgres_fdw and Citus carry, so `in(out(x)) = x` to the last bit.

use std::collections::BTreeMap;

use ltv_engine::assess::calibration::Calibration;
use ltv_engine::hazard::design::Design;
use ltv_engine::memory::{Room, at_hand};
use ltv_engine::numeric::tally::{Cell, Tally};
use ltv_engine::survival::weights::Weights;
use ltv_engine::survival::{FittedCurve, Incidence, ParametricCurve, Sample, Survival};
use ltv_engine::{Error, Result};
use serde::{Deserialize, Serialize, Serializer};

use crate::pg::settings;

/// A type with a JSON form.
pub trait Text: Sized {
    fn to_text(&self) -> Result<String>;
    fn from_text(text: &str) -> Result<Self>;
}

pub(crate) const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum SurvivalText {
    Sample {
        version: u32,
        time: Vec<Number>,
        events: Vec<Number>,
        censored: Vec<Number>,
        entry: Vec<Number>,
        entered: Vec<Number>,
        skipped: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        weights: Option<WeightsText>,
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

/// The weights of a sample, when not all are 1; for each of its times.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WeightsText {
    all_whole: bool,
    event_rows: Vec<Number>,
    event_squares: Vec<Number>,
    censored_squares: Vec<Number>,
}

/// A plain record, as serde does not read numbers for keys within a tagged one.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IncidenceText {
    kind: String,
    version: u32,
    time: Vec<Number>,
    censored: Vec<Number>,
    /// By cause, the endings at each time.
    causes: BTreeMap<u8, Vec<Number>>,
    entry: Vec<Number>,
    entered: Vec<Number>,
    skipped: u64,
    /// Some weight was no whole number.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    fractional_weights: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum CalibrationText {
    Calibration { version: u32, probability: Vec<Number>, positive: Vec<Number>, negative: Vec<Number>, skipped: u64 },
}

/// A number that prints without a fraction when it is whole, else shortest.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Number(pub f64);

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

pub(crate) fn column<const K: usize>(cells: &[Cell<K>], pick: impl Fn(&Cell<K>) -> f64) -> Vec<Number> {
    cells.iter().map(|cell| Number(pick(cell))).collect()
}

/// The cells of parallel arrays, the keys first.
fn cells<const K: usize>(keys: &[Number], counts: [&[Number]; K]) -> Result<Vec<Cell<K>>> {
    if counts.iter().any(|column| column.len() != keys.len()) {
        return Err(Error::malformed("the arrays of a summary differ in length"));
    }
    let cell = |(at, key): (usize, &Number)| Cell { key: key.0, counts: counts.map(|column| column[at].0) };
    Ok(keys.iter().enumerate().map(cell).collect())
}

fn tally<const K: usize>(keys: &[Number], counts: [&[Number]; K]) -> Result<Tally<K>> {
    Tally::from_sorted(cells(keys, counts)?)
}

/// A text as long as the data, which asks for its room.
#[derive(Default)]
struct Printed {
    bytes: Vec<u8>,
}

impl std::io::Write for Printed {
    fn write(&mut self, part: &[u8]) -> std::io::Result<usize> {
        self.write_all(part).map(|()| part.len())
    }

    #[inline]
    fn write_all(&mut self, part: &[u8]) -> std::io::Result<()> {
        // One more, for the NUL at the end.
        self.bytes.room(part.len() + 1).map_err(|_| std::io::ErrorKind::OutOfMemory)?;
        self.bytes.extend_from_slice(part);
        Ok(())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(crate) fn print(value: &impl Serialize) -> Result<String> {
    let mut text = Printed::default();
    match serde_json::to_writer(&mut text, value) {
        Ok(()) => String::from_utf8(text.bytes).map_err(|e| Error::malformed(e.to_string())),
        Err(error) if error.is_io() => {
            Err(Error::NoMemory(format!("no memory is left for a text of {} MB", text.bytes.len() >> 19)))
        }
        Err(error) => Err(Error::malformed(error.to_string())),
    }
}

pub(crate) fn parse<'a, T: Deserialize<'a>>(text: &'a str, type_name: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|e| Error::malformed(format!("invalid input syntax for type {type_name}: {e}")))
}

pub(crate) fn known(version: u32, type_name: &str) -> Result<()> {
    if version == VERSION {
        return Ok(());
    }
    Err(Error::malformed(format!("format version {version} of {type_name} is not known to this release")))
}

impl SurvivalText {
    pub(crate) fn of_sample(sample: &Sample) -> Self {
        let (exits, entries) = (sample.exits().sorted(), sample.entries().sorted());
        SurvivalText::Sample {
            version: VERSION,
            time: column(&exits, |cell| cell.key),
            events: column(&exits, |cell| cell.counts[0]),
            censored: column(&exits, |cell| cell.counts[1]),
            entry: column(&entries, |cell| cell.key),
            entered: column(&entries, |cell| cell.counts[0]),
            skipped: sample.skipped(),
            weights: sample.weights().map(|weights| {
                let cells = weights.cells().sorted();
                WeightsText {
                    all_whole: !weights.is_fractional(),
                    event_rows: column(&cells, |cell| cell.counts[0]),
                    event_squares: column(&cells, |cell| cell.counts[1]),
                    censored_squares: column(&cells, |cell| cell.counts[2]),
                }
            }),
        }
    }

    pub(crate) fn survival(self) -> Result<Survival> {
        match self {
            SurvivalText::Sample { version, time, events, censored, entry, entered, skipped, weights } => {
                known(version, "ltv.survival")?;
                let exits = tally(&time, [&events, &censored])?;
                let weights = weights.map(|weights| -> Result<Weights> {
                    let columns = [&weights.event_rows, &weights.event_squares, &weights.censored_squares];
                    Weights::from_parts(cells(&time, columns.map(Vec::as_slice))?, !weights.all_whole)
                });
                let entries = tally(&entry, [&entered])?;
                Ok(Survival::Sample(Sample::from_parts(exits, entries, weights.transpose()?, skipped)?))
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

impl Text for Survival {
    fn to_text(&self) -> Result<String> {
        print(&match self {
            Survival::Sample(sample) => SurvivalText::of_sample(sample),
            Survival::Fitted(curve) => SurvivalText::Fitted { version: VERSION, curve: curve.clone() },
            Survival::Parametric(curve) => SurvivalText::Parametric { version: VERSION, curve: curve.clone() },
        })
    }

    fn from_text(text: &str) -> Result<Self> {
        parse::<SurvivalText>(text, "ltv.survival")?.survival()
    }
}

const INCIDENCE: &str = "incidence";

impl Text for Incidence {
    fn to_text(&self) -> Result<String> {
        let counts: Vec<Vec<Cell<1>>> = self.exits().iter().map(Tally::sorted).collect();
        let mut times: Vec<f64> = counts.iter().flatten().map(|cell| cell.key).collect();
        times.sort_unstable_by(f64::total_cmp);
        times.dedup();
        // A number for each cause at each time, though it be 0: said before the work, as it is of a text that is read.
        let columns = counts.len() + 2;
        settings::budget().check(times.len().saturating_mul(columns * size_of::<Number>()), "the text form")?;
        at_hand(times.len().saturating_mul(2 * columns * size_of::<Number>()))?;
        let at_all_times = |cells: &[Cell<1>]| {
            let mut cells = cells.iter().peekable();
            let count = |time: &f64| Number(cells.next_if(|cell| cell.key == *time).map_or(0.0, |cell| cell.counts[0]));
            times.iter().map(count).collect::<Vec<Number>>()
        };
        let causes = self.causes().map(|cause| (cause as u8, at_all_times(&counts[cause])));
        let entries = self.entries().sorted();
        print(&IncidenceText {
            kind: INCIDENCE.into(),
            version: VERSION,
            censored: at_all_times(counts.first().map_or(&[], |cells| cells)),
            causes: causes.collect(),
            entry: column(&entries, |cell| cell.key),
            entered: column(&entries, |cell| cell.counts[0]),
            skipped: self.skipped(),
            fractional_weights: self.is_fractional(),
            time: times.iter().copied().map(Number).collect(),
        })
    }

    fn from_text(text: &str) -> Result<Self> {
        let parts: IncidenceText = parse(text, "ltv.incidence")?;
        known(parts.version, "ltv.incidence")?;
        let last = parts.causes.keys().last().copied().unwrap_or(0);
        let never = |counts: &[Number]| counts.iter().all(|count| count.0 == 0.0);
        if parts.kind != INCIDENCE || parts.causes.iter().any(|(cause, counts)| *cause == 0 || never(counts)) {
            return Err(Error::malformed(
                "invalid input syntax for type ltv.incidence: causes are 1 to 255, each with endings",
            ));
        }
        if parts.causes.values().chain([&parts.censored]).any(|counts| counts.len() != parts.time.len()) {
            return Err(Error::malformed("the arrays of a summary differ in length"));
        }
        let ended = |at: usize| parts.causes.values().chain([&parts.censored]).any(|counts| counts[at].0 != 0.0);
        if !(0..parts.time.len()).all(ended) {
            return Err(Error::malformed("nothing is counted at some time of a summary"));
        }
        let tally = |counts: &[Number]| {
            let cells = parts.time.iter().zip(counts).filter(|(_, count)| count.0 != 0.0);
            Tally::from_sorted(cells.map(|(time, count)| Cell { key: time.0, counts: [count.0] }).collect())
        };
        let none: &[Number] = &[];
        let cause = |cause: u8| match cause {
            0 => tally(&parts.censored),
            cause => tally(parts.causes.get(&cause).map_or(none, Vec::as_slice)),
        };
        let tallies = if parts.time.is_empty() { 0 } else { usize::from(last) + 1 };
        let exits = (0..tallies).map(|at| cause(at as u8)).collect::<Result<Vec<_>>>()?;
        let entries = crate::text::tally(&parts.entry, [&parts.entered])?;
        Incidence::from_parts(exits, entries, parts.skipped, parts.fractional_weights)
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

/// The rows of a fit cross servers only; their text is the hexadecimal form of the bytes, as bytea prints.
impl Text for Design {
    fn to_text(&self) -> Result<String> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let bytes = self.encode();
        // Said before the work, not after it.
        crate::pg::varlena::size_of_varlena(2 * bytes.len() + 2);
        let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
        at_hand(2 * bytes.len() + 3)?;
        let mut text = String::with_capacity(2 * bytes.len() + 3);
        text.push_str("\\x");
        text.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
        Ok(text)
    }

    fn from_text(text: &str) -> Result<Self> {
        let refused = || Error::malformed("invalid input syntax for type ltv.design");
        let digits = text.strip_prefix("\\x").filter(|digits| digits.len() % 2 == 0).ok_or_else(refused)?;
        // A sign would be read as part of a number.
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(refused());
        }
        let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).map_err(|_| refused());
        Design::decode(&(0..digits.len()).step_by(2).map(byte).collect::<Result<Vec<u8>>>()?)
    }
}
