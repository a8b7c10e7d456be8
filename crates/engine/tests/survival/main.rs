//! Kaplan–Meier, its intervals and the log-rank family against R `survival` and against what must always hold.

#[path = "../golden_support/mod.rs"]
mod golden_support;

mod degenerate;
mod estimates;
mod golden;
mod properties;
mod published;
mod samples;
mod weighted;
