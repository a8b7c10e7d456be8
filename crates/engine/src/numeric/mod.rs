//! What the rooms above share: exact tallies, compensated sums, small linear algebra, the normal distribution and its
//! relatives, integrals.

pub mod bounded;
pub mod bytes;
pub mod exponential_integral;
pub mod extended;
pub mod gamma;
pub mod linear;
pub mod log_beta;
pub mod mills;
pub mod multiple;
pub mod normal;
pub mod prentice;
pub mod prentice_table;
pub mod quadrature;
pub mod radix;
pub mod readable;
mod rising;
mod singles;
pub mod student;
pub mod sum;
pub mod tally;
mod tally_codec;
pub mod whitened;
