//! Models of time to event with covariates.

pub mod cox;
pub mod cox_baseline;
pub mod design;
mod design_codec;
pub mod labels;
mod newton;
mod partial_likelihood;
pub mod proportionality;
pub mod residuals;
mod risk_sets;
pub mod robust;
mod score_parts;
mod separation;
mod sweep;
mod timeline;

pub use cox::{CoxFit, Status, Ties};
pub use cox_baseline::Baseline;
pub use design::Design;
