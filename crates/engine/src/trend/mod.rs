//! Trends of what is measured again and again: the slope of a line, and an average that forgets. States are a few numbers.

pub mod moving_average;
pub mod slope;

pub use moving_average::MovingAverage;
pub use slope::Slope;
