//! Is it true? What forecasts are worth once outcomes are known.

pub mod bins;
pub mod brier;
pub mod calibration;
pub mod cause_scores;
pub mod concordance;
pub mod concordance_error;
mod cumulative;
pub mod discrimination;
pub mod held_out;
pub mod held_out_limits;
pub mod inverse_censoring;
pub mod isotonic;
pub mod places;
pub mod prediction_limits;
pub mod profile;
pub mod profile_distance;
pub mod ranking;
pub mod recalibration;
pub mod recalibration_fit;
pub mod reliability;
pub mod smoothed_error;
pub mod survival_calibration;
pub mod survival_scores;
pub mod thresholds;
mod truncation_weights;
