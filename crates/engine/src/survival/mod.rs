//! Samples over time and what can be read off them.

pub mod codec;
pub mod curve;
pub mod grouped;
pub mod grouped_tests;
pub mod intervals;
pub mod kaplan_meier;
pub mod log_rank;
pub mod packed;
pub mod risk;
pub mod sample;
pub mod turnbull;

pub use curve::{FittedCurve, Steps, Survival, Tail};
pub use grouped::Grouped;
pub use sample::Sample;
