//! The statistics of `ltv`: slices and numbers in, numbers out.
//!
//! Nothing here knows PostgreSQL. Rooms, from the ground up: [`numeric`] is shared arithmetic; [`survival`] holds
//! samples over time and the one curve type; [`hazard`] models of time to event with covariates; [`value`] money;
//! [`assess`] whether a prediction is true; [`model`] the fitted model as a value.
#![forbid(unsafe_code)]

pub mod assess;
pub mod btyd;
pub mod error;
pub mod hazard;
pub mod model;
pub mod numeric;
pub mod survival;
pub mod value;

pub use error::{Error, Interrupt, Result};
