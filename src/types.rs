//! Input, output, receive and send of our SQL types.

use std::ffi::{CStr, CString};

use ltv_engine::assess::calibration::Calibration;
use ltv_engine::hazard::design::Design;
use ltv_engine::memory::at_hand;
use ltv_engine::model::Model;
use ltv_engine::survival::Survival;
use ltv_engine::{Error, Result};
use pgrx::Internal;
use pgrx::prelude::*;

use crate::pg::error::settle;
use crate::pg::settings;
use crate::pg::varlena::{Stored, Value, received};
use crate::text::Text;

impl Stored for Survival {
    const SQL_NAME: &'static str = "ltv.survival";

    fn to_bytes(&self) -> Vec<u8> {
        self.encode()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Survival::decode(bytes)
    }
}

impl Stored for Calibration {
    const SQL_NAME: &'static str = "ltv.calibration";

    fn to_bytes(&self) -> Vec<u8> {
        self.encode()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Calibration::decode(bytes)
    }
}

impl Stored for Model {
    const SQL_NAME: &'static str = "ltv.model";

    fn to_bytes(&self) -> Vec<u8> {
        settle(self.encode())
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Model::decode(bytes)
    }
}

impl Stored for Design {
    const SQL_NAME: &'static str = "ltv.design";

    fn to_bytes(&self) -> Vec<u8> {
        self.encode()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Design::decode(bytes)
    }
}

pub(crate) fn read<T: Text>(text: &CStr) -> Value<T> {
    // Two characters may be a number of eight bytes, and a vector grows by doubling.
    settle(settings::budget().check(8 * text.count_bytes(), "the text form"));
    settle(at_hand(8 * text.count_bytes()));
    let text = text.to_str().map_err(|_| Error::malformed("the text form is not valid UTF-8"));
    Value(settle(text.and_then(T::from_text)))
}

pub(crate) fn print<T: Text>(value: &T) -> CString {
    let text = settle(value.to_text());
    CString::new(text).unwrap_or_else(|_| pgrx::error!("the text form holds a NUL byte"))
}

#[pg_extern(sql = false)]
fn survival_in(text: &CStr) -> Value<Survival> {
    read(text)
}

#[pg_extern(sql = false)]
fn survival_out(value: Value<Survival>) -> CString {
    print(&value.0)
}

#[pg_extern(sql = false)]
fn survival_recv(message: Internal) -> Value<Survival> {
    received(message)
}

#[pg_extern(sql = false)]
fn survival_send(value: Value<Survival>) -> Vec<u8> {
    value.0.to_bytes()
}

#[pg_extern(sql = false)]
fn calibration_in(text: &CStr) -> Value<Calibration> {
    read(text)
}

#[pg_extern(sql = false)]
fn calibration_out(value: Value<Calibration>) -> CString {
    print(&value.0)
}

#[pg_extern(sql = false)]
fn calibration_recv(message: Internal) -> Value<Calibration> {
    received(message)
}

#[pg_extern(sql = false)]
fn calibration_send(value: Value<Calibration>) -> Vec<u8> {
    value.0.to_bytes()
}

#[pg_extern(sql = false)]
fn model_in(text: &CStr) -> Value<Model> {
    read(text)
}

#[pg_extern(sql = false)]
fn model_out(value: Value<Model>) -> CString {
    print(&value.0)
}

#[pg_extern(sql = false)]
fn model_recv(message: Internal) -> Value<Model> {
    received(message)
}

#[pg_extern(sql = false)]
fn model_send(value: Value<Model>) -> Vec<u8> {
    value.0.to_bytes()
}

#[pg_extern(sql = false)]
fn design_in(text: &CStr) -> Value<Design> {
    read(text)
}

#[pg_extern(sql = false)]
fn design_out(value: Value<Design>) -> CString {
    print(&value.0)
}

#[pg_extern(sql = false)]
fn design_recv(message: Internal) -> Value<Design> {
    received(message)
}

#[pg_extern(sql = false)]
fn design_send(value: Value<Design>) -> Vec<u8> {
    value.0.to_bytes()
}
