//! Samples over time and what can be read off them.

pub mod aalen_johansen;
pub mod codec;
pub mod comparison;
pub mod curve;
pub mod distribution;
pub mod early_risk;
pub mod estimate;
pub mod gray;
pub mod grouped;
pub mod grouped_tests;
pub mod incidence;
pub mod intervals;
pub mod jet;
pub mod kaplan_meier;
pub mod kernel;
pub mod life_table;
pub mod log_rank;
pub mod packed;
pub mod parametric;
pub mod quantile;
pub mod reading;
pub mod remaining;
pub mod restricted_mean;
pub mod risk;
pub mod sample;
pub mod smooth_hazard;
pub mod turnbull;
pub mod weights;

pub use curve::{FittedCurve, Steps, Survival, Tail};
pub use distribution::{Distribution, SplineScale};
pub use grouped::Grouped;
pub use incidence::Incidence;
pub use parametric::ParametricCurve;
pub use reading::{CurveView, Reading};
pub use sample::Sample;
