//! The statistics of `ltv`: slices and numbers in, numbers out.
//!
//! Nothing here knows PostgreSQL. Rooms, from the ground up: [`numeric`] is shared arithmetic; [`survival`] holds
//! samples over time and the one curve type; [`hazard`] models of time to event with covariates; [`amount`] of amounts; [`btyd`] models of
//! customers by counts; [`boost`] sums of trees; [`value`] money; [`trend`] what is measured again and again; [`assess`] whether a prediction is
//! true; [`model`] the fitted model as a value. [`memory`] is how whatever grows with the rows asks for it.
#![forbid(unsafe_code)]

pub mod amount;
pub mod assess;
pub mod boost;
pub mod btyd;
pub mod error;
pub mod hazard;
pub mod memory;
pub mod model;
pub mod numeric;
pub mod survival;
pub mod trend;
pub mod value;

pub use error::{Error, Interrupt, Result};

#[cfg(test)]
#[path = "../tests/chance/mod.rs"]
mod chance;
