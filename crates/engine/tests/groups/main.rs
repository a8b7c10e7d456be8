//! Tests between groups against R `survival`, and the summary they read against what must always hold.

#[path = "../golden_support/mod.rs"]
mod golden_support;

mod golden;
mod properties;
