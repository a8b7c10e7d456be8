//! Samples over time and what can be read off them.
