//! "Buy till you die": models of customers by counts alone, each customer with a propensity of his own.
//!
//! Where a contract tells when a customer has left: [`renewals`] counts who came to a renewal and who left at it,
//! [`contractual`] is the fitted shifted-beta-geometric or beta-discrete-Weibull, [`contractual_fit`] finds it, and
//! [`retention`] says what it means for those who are still there.

pub mod contractual;
mod contractual_fit;
pub mod renewals;
pub mod retention;

pub use contractual::{ContractualFit, Family};
pub use contractual_fit::fit as fit_contractual;
pub use renewals::Renewals;
