//! What the rooms above share: exact tallies, compensated sums, small linear algebra, the normal distribution.

pub mod bytes;
pub mod extended;
pub mod linear;
pub mod multiple;
pub mod normal;
pub mod sum;
pub mod tally;
