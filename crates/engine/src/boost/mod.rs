//! Gradient boosting: a sum of small regression trees, each fitted to what those before it have left.
//!
//! Friedman (2001), *Greedy function approximation: a gradient boosting machine*, Annals of Statistics 29, with the
//! second-order gain and the penalties of Chen & Guestrin (2016), *XGBoost*, over histograms as of Ke et al. (2017),
//! *LightGBM*. What the trees add up to is up to the objective: [`hazard`] is the log of a hazard,
//! [`value`] an amount or the log of it.
//!
//! The answer depends on the rows and the seed alone, not on the order of the rows, to the last bit: rows are brought into
//! one order first, and all sums follow it.

mod bins;
mod deviance;
mod growing;
pub mod hazard;
mod histogram;
mod objective;
pub mod options;
pub(crate) mod order;
mod risk;
mod rounds;
pub mod shapley;
mod split;
pub mod trees;
pub mod value;

pub use hazard::BoostedHazardFit;
pub use options::Options;
pub use trees::Trees;
pub use value::BoostedValueFit;
