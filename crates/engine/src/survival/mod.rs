//! Samples over time and what can be read off them.

pub mod codec;
pub mod curve;
pub mod distribution;
pub mod jet;
pub mod kaplan_meier;
pub mod log_rank;
pub mod packed;
pub mod parametric;
pub mod reading;
pub mod risk;
pub mod sample;

pub use curve::{FittedCurve, Steps, Survival, Tail};
pub use distribution::{Distribution, SplineScale};
pub use parametric::ParametricCurve;
pub use reading::Reading;
pub use sample::Sample;
