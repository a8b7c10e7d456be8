//! Models of time to event with covariates.

pub mod cox;
pub mod cox_baseline;
pub mod design;
mod design_codec;
pub mod labels;
mod newton;
pub mod parametric;
pub mod parametric_choice;
mod parametric_likelihood;
mod partial_likelihood;
mod risk_sets;
mod separation;
mod sweep;
mod timeline;

pub use cox::{CoxFit, Status, Ties};
pub use cox_baseline::Baseline;
pub use design::Design;
pub use parametric::ParametricFit;
