//! What the rooms above share: exact tallies, compensated sums, small linear algebra, the normal distribution.
