//! Is it true? What forecasts are worth once outcomes are known.

pub mod brier;
pub mod calibration;
pub mod concordance;
pub mod concordance_error;
pub mod profile;
pub mod profile_distance;
pub mod recalibration;
pub mod reliability;
