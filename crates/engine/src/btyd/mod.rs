//! "Buy till you die": models of customers by counts alone, each customer with a propensity of their own.
//!
//! Where a contract tells when a customer has left: [`renewals`] counts who came to a renewal and who left at it,
//! [`contractual`] is the fitted shifted-beta-geometric or beta-discrete-Weibull, [`contractual_fit`] finds it, and
//! [`retention`] says what it means for those who are still there.
//!
//! Where customers may buy at any time and are never known to have left: [`bg_nbd`] (with the modified one) and
//! [`pareto_nbd`] for purchases, [`gamma_gamma`] for their amounts; [`fit`](mod@fit) fits any of them to a [`sample`].

pub mod bg_nbd;
pub mod contractual;
mod contractual_fit;
pub mod counts;
mod expectation;
pub mod fit;
pub mod gamma_gamma;
pub mod history;
mod maximise;
pub mod pareto_nbd;
pub mod purchases;
pub mod renewals;
pub mod retention;
pub mod sample;

pub use contractual::{ContractualFit, Family};
pub use contractual_fit::fit as fit_contractual;
pub use renewals::Renewals;
