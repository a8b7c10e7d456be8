//! Samples of purchases and of their values as SQL values: stored, and as text.

use std::ffi::{CStr, CString};

use ltv_engine::btyd::counts::Cell;
use ltv_engine::btyd::history::History;
use ltv_engine::btyd::sample::{PurchaseSample, Purchases, SpendSample};
use ltv_engine::{Error, Result};
use pgrx::Internal;
use pgrx::prelude::*;
use serde::{Deserialize, Serialize};

use crate::pg::varlena::{Stored, Value, received};
use crate::text::{self, Number, Text};
use crate::types;

impl Stored for PurchaseSample {
    const SQL_NAME: &'static str = "ltv.purchase_sample";

    fn to_bytes(&self) -> Vec<u8> {
        self.encode()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        PurchaseSample::decode(bytes)
    }
}

impl Stored for SpendSample {
    const SQL_NAME: &'static str = "ltv.spend_sample";

    fn to_bytes(&self) -> Vec<u8> {
        self.encode()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        SpendSample::decode(bytes)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum SampleText {
    PurchaseSample {
        version: u32,
        frequency: Vec<Number>,
        recency: Vec<Number>,
        age: Vec<Number>,
        customers: Vec<Number>,
        skipped: u64,
    },
    SpendSample {
        version: u32,
        frequency: Vec<Number>,
        mean_value: Vec<Number>,
        customers: Vec<Number>,
        skipped: u64,
    },
}

const DIFFERENT_LENGTHS: &str = "the arrays of a summary differ in length";

impl Text for PurchaseSample {
    fn to_text(&self) -> Result<String> {
        let cells = self.sorted();
        let column = |pick: fn(&Purchases) -> f64| cells.iter().map(|cell| Number(pick(cell))).collect();
        text::print(&SampleText::PurchaseSample {
            version: text::VERSION,
            frequency: column(|cell| cell.history.frequency),
            recency: column(|cell| cell.history.recency),
            age: column(|cell| cell.history.age),
            customers: column(|cell| cell.weight),
            skipped: self.skipped(),
        })
    }

    fn from_text(form: &str) -> Result<Self> {
        const NAME: &str = "ltv.purchase_sample";
        let SampleText::PurchaseSample { version, frequency, recency, age, customers, skipped } =
            text::parse(form, NAME)?
        else {
            return Err(Error::malformed(format!("invalid input syntax for type {NAME}")));
        };
        text::known(version, NAME)?;
        if [&recency, &age, &customers].iter().any(|column| column.len() != frequency.len()) {
            return Err(Error::malformed(DIFFERENT_LENGTHS));
        }
        let cell = |at: usize| Purchases {
            history: History { frequency: frequency[at].0, recency: recency[at].0, age: age[at].0 },
            weight: customers[at].0,
        };
        PurchaseSample::from_sorted((0..frequency.len()).map(cell).collect(), skipped)
    }
}

impl Text for SpendSample {
    fn to_text(&self) -> Result<String> {
        let cells = self.sorted();
        let column = |pick: fn(&Cell<2>) -> f64| cells.iter().map(|cell| Number(pick(cell))).collect();
        text::print(&SampleText::SpendSample {
            version: text::VERSION,
            frequency: column(|cell| cell.key[0]),
            mean_value: column(|cell| cell.key[1]),
            customers: column(|cell| cell.weight),
            skipped: self.skipped(),
        })
    }

    fn from_text(form: &str) -> Result<Self> {
        const NAME: &str = "ltv.spend_sample";
        let SampleText::SpendSample { version, frequency, mean_value, customers, skipped } = text::parse(form, NAME)?
        else {
            return Err(Error::malformed(format!("invalid input syntax for type {NAME}")));
        };
        text::known(version, NAME)?;
        if [&mean_value, &customers].iter().any(|column| column.len() != frequency.len()) {
            return Err(Error::malformed(DIFFERENT_LENGTHS));
        }
        let cell = |at: usize| Cell { key: [frequency[at].0, mean_value[at].0], weight: customers[at].0 };
        SpendSample::from_sorted((0..frequency.len()).map(cell).collect(), skipped)
    }
}

#[pg_extern(sql = false)]
fn purchase_sample_in(text: &CStr) -> Value<PurchaseSample> {
    types::read(text)
}

#[pg_extern(sql = false)]
fn purchase_sample_out(value: Value<PurchaseSample>) -> CString {
    types::print(&value.0)
}

#[pg_extern(sql = false)]
fn purchase_sample_recv(message: Internal) -> Value<PurchaseSample> {
    received(message)
}

#[pg_extern(sql = false)]
fn purchase_sample_send(value: Value<PurchaseSample>) -> Vec<u8> {
    value.0.to_bytes()
}

#[pg_extern(sql = false)]
fn spend_sample_in(text: &CStr) -> Value<SpendSample> {
    types::read(text)
}

#[pg_extern(sql = false)]
fn spend_sample_out(value: Value<SpendSample>) -> CString {
    types::print(&value.0)
}

#[pg_extern(sql = false)]
fn spend_sample_recv(message: Internal) -> Value<SpendSample> {
    received(message)
}

#[pg_extern(sql = false)]
fn spend_sample_send(value: Value<SpendSample>) -> Vec<u8> {
    value.0.to_bytes()
}
