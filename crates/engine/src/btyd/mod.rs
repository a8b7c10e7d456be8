//! "Buy till you die": models of customers who leave without a word.
//!
//! Transactional ones – a customer may buy at any time and is never known to have left – are [`bg_nbd`] (with the
//! modified one), [`pareto_nbd`] for purchases and [`gamma_gamma`] for their amounts; [`fit`](mod@fit) fits any of them
//! to a [`sample`].

pub mod bg_nbd;
pub mod counts;
mod expectation;
pub mod fit;
pub mod gamma_gamma;
pub mod history;
mod maximise;
pub mod pareto_nbd;
pub mod purchases;
pub mod sample;
