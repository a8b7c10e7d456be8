//! Models of time to event with covariates.

pub mod cox;
pub mod cox_baseline;
pub mod design;
mod design_codec;
pub mod discrete;
mod exact_ties;
pub mod fine_gray;
mod fine_gray_likelihood;
mod fine_gray_newton;
mod fine_gray_weights;
pub mod labels;
pub mod link;
mod newton;
pub mod parametric;
pub mod parametric_choice;
mod parametric_likelihood;
mod partial_likelihood;
pub mod penalty;
pub mod proportionality;
mod proximal;
pub mod residuals;
mod risk_sets;
pub mod robust;
mod score_parts;
mod separation;
mod sweep;
mod timeline;

pub use cox::{CoxFit, Options, Status, Ties};
pub use cox_baseline::Baseline;
pub use design::Design;
pub use discrete::DiscreteFit;
pub use fine_gray::FineGrayFit;
pub use link::Link;
pub use parametric::ParametricFit;
pub use penalty::Penalty;
