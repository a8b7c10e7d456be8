//! Samples over time and what can be read off them.

pub mod aalen_johansen;
pub mod codec;
pub mod curve;
pub mod gray;
pub mod incidence;
pub mod kaplan_meier;
pub mod log_rank;
pub mod packed;
pub mod risk;
pub mod sample;

pub use curve::{FittedCurve, Steps, Survival, Tail};
pub use incidence::Incidence;
pub use sample::Sample;
