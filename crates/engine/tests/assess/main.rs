//! Scores of forecasts against R, against published numbers and against what must always hold.

#[path = "../chance/mod.rs"]
mod chance;
#[path = "../golden_support/mod.rs"]
mod golden_support;

mod brier;
mod calibration;
mod cause_scores;
mod censoring;
mod design;
mod golden;
mod places;
mod properties;
mod trust;
mod trust_properties;
