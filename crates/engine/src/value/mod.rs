//! Money: what a survival curve is worth under given contract terms, to the minor unit.
//!
//! [`terms`] says what is sold and how it is paid for ([`contract_terms`] the same as a stored value), [`contract`] when it
//! is invoiced and renewed, `prices` for how much, [`outlook`] who is still there; [`cash_flow`] turns these into invoices,
//! [`lifetime_value`](mod@lifetime_value) adds them up, [`components`] says what the sum is made of, [`uncertainty`] how sure
//! the curve is and [`outcome`] what one customer may really bring. [`discount`] and [`money`] are the arithmetic below.
//!
//! Beside them, flows that are known by date: [`dated_cash`], [`present_value`], [`internal_rate`], [`day_count`], [`rates`]; and
//! the figures of [`unit_economics`].

pub mod cash_flow;
pub mod components;
pub mod contract;
pub mod contract_terms;
pub mod dated_cash;
pub mod day_count;
pub mod decimal;
pub mod discount;
mod domain;
pub mod exposure;
pub mod internal_rate;
#[cfg(test)]
mod laws;
pub mod lifetime_value;
pub mod money;
pub mod outcome;
pub mod outlook;
pub mod packed_cash;
pub mod portfolio;
pub mod portfolio_codec;
pub mod present_value;
mod prices;
pub mod rates;
pub mod run_rate;
pub mod share;
mod smooth_view;
mod step_view;
pub mod terms;
pub mod uncertainty;
pub mod unit_economics;
pub mod unit_valuation;

pub use cash_flow::{CashFlow, cash_flows};
pub use contract::{Billing, Calendar, Renewals, Timing, ValueBasis};
pub use contract_terms::ContractTerms;
pub use lifetime_value::{Status, Valuation, lifetime_value};
pub use money::{Amount, Minor};
pub use outlook::TailRule;
pub use terms::Terms;
pub use unit_valuation::UnitValuation;
